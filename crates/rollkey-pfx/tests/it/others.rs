//! What we write is read by programs that know nothing of us.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};

use crate::write::{PROFILES, Source};

#[test]
fn p12_keystore_reads_what_we_write() {
    let source = Source::from("chain");
    for profile in PROFILES {
        for password in ["", "secret", "pässwörd€"] {
            let file = source.write(Some("alias"), password, profile);
            let store = KeyStore::from_pkcs12(&file, password, Pkcs12ImportPolicy::Strict)
                .unwrap_or_else(|error| panic!("{profile:?} {password:?}: {error}"));
            assert_eq!(store.entries_len(), 1);
            let Some(KeyStoreEntry::PrivateKeyChain(chain)) = store.entry("alias") else {
                panic!("a key with its chain, under its name")
            };
            assert_eq!(chain.key().as_der(), source.key);
            let certificates: Vec<&[u8]> =
                chain.certs().iter().map(|certificate| certificate.as_der()).collect();
            assert_eq!(certificates, source.certificates);
        }
    }
}

/// A directory that is removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        Self(directory)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether a program is there; says so loudly if not.
fn is_installed(program: &str, version: &str) -> bool {
    let there = Command::new(program).arg(version).output().is_ok_and(|out| out.status.success());
    if !there {
        // Not `eprintln!`, which the test harness keeps to itself when a test passes.
        let _ = writeln!(std::io::stderr(), "not run: {program} is not installed");
    }
    there
}

#[track_caller]
fn succeeded(output: Output, what: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn openssl_reads_what_we_write() {
    if !is_installed("openssl", "version") {
        return;
    }
    let scratch = Scratch::new("openssl");
    for (number, profile) in PROFILES.into_iter().enumerate() {
        for source in ["chain", "key-p256", "key-ed"] {
            for password in ["", "secret", "pässwörd€", "pä🔑ss"] {
                let written = Source::from(source);
                let file = written.write(Some("clé 🔑"), password, profile);
                let path = scratch.put(&format!("{source}-{number}.pfx"), &file);
                let output = Command::new("openssl")
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

#[test]
fn java_reads_what_we_write() {
    if !is_installed("keytool", "-help") {
        return;
    }
    let scratch = Scratch::new("java");
    for profile in PROFILES {
        let path = scratch
            .put("java.pfx", &Source::from("chain").write(Some("a name"), "secret", profile));
        let output = Command::new("keytool")
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
