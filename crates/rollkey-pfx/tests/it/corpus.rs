//! Every file of the corpus gives what its manifest says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RsaKeyPair,
};
use rollkey_pfx::{Contents, Fit, MatchedBy, ReadError, fit, read};

/// A line of the manifest.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) expected: Expected,
}

pub(crate) enum Expected {
    Contents { keys: usize, certificates: usize },
    Error(String),
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

pub(crate) fn file(name: &str) -> Vec<u8> {
    std::fs::read(directory().join(name).with_extension("pfx")).expect("the file is there")
}

pub(crate) fn manifest() -> Vec<Case> {
    let manifest = std::fs::read_to_string(directory().join("manifest.tsv")).expect("it is there");
    manifest.lines().filter(|line| !line.starts_with('#')).map(parse).collect()
}

fn parse(line: &str) -> Case {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, password, keys, last] = fields[..] else { panic!("not four fields: {line}") };
    let number = |field: &str| field.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    let expected = match keys {
        "E" => Expected::Error(last.to_owned()),
        keys => Expected::Contents { keys: number(keys), certificates: number(last) },
    };
    Case { name: name.to_owned(), password: password.to_owned(), expected }
}

/// The name of the variant, without its fields.
fn variant(error: &ReadError) -> String {
    let debug = format!("{error:?}");
    debug.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// The public half of a key, as the provider tells it; it does not load keys restricted to PSS.
fn public_half(pkcs8: &[u8]) -> Option<Vec<u8>> {
    if let Ok(key) = RsaKeyPair::from_pkcs8(pkcs8) {
        return Some(key.public_key().as_ref().to_vec());
    }
    for curve in [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1_SIGNING] {
        if let Ok(key) = EcdsaKeyPair::from_pkcs8(curve, pkcs8) {
            return Some(key.public_key().as_ref().to_vec());
        }
    }
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()?;
    Some(key.public_key().as_ref().to_vec())
}

/// What must hold of every file with one certificate for each key, whoever wrote it.
#[track_caller]
fn check_keys_fit(name: &str, contents: &Contents) {
    for identity in contents.identities() {
        let key = identity.key.pkcs8.as_der();
        let Some(certificate) = identity.certificate else {
            assert!(contents.certificates.is_empty(), "{name}: a key without its certificate");
            continue;
        };
        if name == "ssl-key-ed448" {
            assert_eq!(identity.matched_by, Some(MatchedBy::LocalKeyId));
            continue;
        }
        assert_eq!(fit(key, &certificate.der), Fit::Yes, "{name}");
        assert_eq!(identity.matched_by, Some(MatchedBy::PublicKey), "{name}");
        match public_half(key) {
            Some(public) => {
                let holds_it = certificate.der.windows(public.len()).any(|window| window == public);
                assert!(holds_it, "{name}: the certificate is for another key");
            }
            None => assert_eq!(name, "key-rsapss", "the provider does not load it"),
        }
    }
}

#[test]
fn every_file_gives_what_the_manifest_says() {
    let mut wrong = Vec::new();
    for Case { name, password, expected } in manifest() {
        let result = read(&file(&name), &password);
        match (expected, result) {
            (Expected::Contents { keys, certificates }, Ok(contents)) => {
                let found = (contents.keys.len(), contents.certificates.len());
                if found != (keys, certificates) {
                    wrong.push(format!("{name}: found {found:?}"));
                }
                // A flipped bit that no checksum guards: it is read, and seen to be wrong.
                if name != "neg-nomac-flip" {
                    check_keys_fit(&name, &contents);
                }
            }
            (Expected::Error(expected), Err(error)) if variant(&error) == expected => {}
            (Expected::Error(expected), Err(error)) => {
                wrong.push(format!("{name}: {error:?} instead of {expected}"));
            }
            (Expected::Error(expected), Ok(_)) => wrong.push(format!("{name}: no {expected}")),
            (Expected::Contents { .. }, Err(error)) => wrong.push(format!("{name}: {error:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_manifest_names_every_file_and_no_other() {
    let listed: BTreeSet<String> = manifest().into_iter().map(|case| case.name).collect();
    let present: BTreeSet<String> = std::fs::read_dir(directory())
        .expect("the corpus is there")
        .filter_map(|entry| {
            Some(entry.ok()?.file_name().to_str()?.strip_suffix(".pfx")?.to_owned())
        })
        .collect();
    assert_eq!(listed, present);
}
