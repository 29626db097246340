//! By OpenSSL.

use super::{Scratch, program, succeeded};
use crate::write::{PROFILES, Source};
use std::process::Command;

#[test]
#[ignore = "needs openssl: cargo xtask test"]
fn reads_what_we_write() {
    let scratch = Scratch::new("openssl");
    for (number, profile) in PROFILES.into_iter().enumerate() {
        for source in ["chain", "key-p256", "key-ed"] {
            for password in ["", "secret", "pässwörd€", "pä🔑ss"] {
                let written = Source::from(source);
                let file = written.write(Some("clé 🔑"), password, profile);
                let path = scratch.put(&format!("{source}-{number}.pfx"), &file);
                let output = Command::new(program("OPENSSL"))
                    .args(["pkcs12", "-info", "-nodes", "-passin", &format!("pass:{password}")])
                    .arg("-in")
                    .arg(path)
                    .output()
                    .expect("it runs");
                let text = succeeded(output, &format!("{source} {password:?}"));
                let count = |what: &str| text.matches(what).count();
                assert_eq!(count("-----BEGIN CERTIFICATE-----"), written.certificates.len());
                assert_eq!(count("-----BEGIN PRIVATE KEY-----"), 1);
                assert_eq!(count("localKeyID"), 2, "{text}");
                let algorithm = ["AES-256-CBC", "pbeWithSHA1And3-KeyTripleDES-CBC"][number];
                assert_eq!(count(algorithm), 2, "{text}");
                assert_eq!(count(["MAC: sha256", "MAC: sha1"][number]), 1, "{text}");
            }
        }
    }
}
