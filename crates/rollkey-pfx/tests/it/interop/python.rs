//! By Python's `cryptography`.

use super::{Scratch, program, succeeded};
use crate::write::{PROFILES, Source};
use std::process::Command;

/// Prints how many certificates it found beside the leaf, and whether the key fits the leaf.
const READ: &str = "\
import sys
from cryptography.hazmat.primitives.serialization import pkcs12, Encoding, PublicFormat
file, password = sys.argv[1:]
key, leaf, others = pkcs12.load_key_and_certificates(open(file, 'rb').read(), password.encode())
spki = lambda public: public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
print(len(others), spki(key.public_key()) == spki(leaf.public_key()))
";

#[test]
#[ignore = "needs python: cargo xtask test"]
fn reads_what_we_write() {
    let scratch = Scratch::new("python");
    for profile in PROFILES {
        for password in ["secret", "pässwörd€", "pä🔑ss"] {
            let path =
                scratch.put("python.pfx", &Source::from("chain").write(None, password, profile));
            let output = Command::new(program("PYTHON"))
                .args(["-c", READ])
                .arg(path)
                .arg(password)
                .output()
                .expect("it runs");
            let text = succeeded(output, &format!("{profile:?} {password:?}"));
            assert_eq!(text.trim(), "2 True");
        }
    }
}
