//! By Java.

use super::{Scratch, program, succeeded};
use crate::write::{PROFILES, Source};
use std::process::Command;

#[test]
#[ignore = "needs keytool: cargo xtask test"]
fn reads_what_we_write() {
    let scratch = Scratch::new("java");
    for profile in PROFILES {
        let path = scratch
            .put("java.pfx", &Source::from("chain").write(Some("a name"), "secret", profile));
        let output = Command::new(program("KEYTOOL"))
            .args(["-J-Duser.language=en", "-list", "-v", "-storetype", "PKCS12"])
            .args(["-storepass", "secret", "-keystore"])
            .arg(path)
            .output()
            .expect("it runs");
        let text = succeeded(output, "keytool");
        for expected in ["Alias name: a name", "Entry type: PrivateKeyEntry", "chain length: 3"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
