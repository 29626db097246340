//! What we write, and that we read it again.

use std::num::NonZeroU32;

use rollkey_pfx::{
    MACHINE_PASSWORD_ITERATIONS, MatchedBy, PfxToWrite, Profile, ReadError, WriteError, read,
    write, write_with_randomness,
};

use crate::corpus::file;

/// A key with its chain, to be written again.
pub(crate) struct Source {
    pub(crate) key: Vec<u8>,
    pub(crate) certificates: Vec<Vec<u8>>,
}

impl Source {
    pub(crate) fn from(name: &str) -> Self {
        let contents = read(&file(name), "secret").expect(name);
        let identity = &contents.identities()[0];
        let leaf = identity.certificate.expect("a leaf");
        let certificates = std::iter::once(&leaf).chain(&identity.chain);
        Self {
            key: identity.key.pkcs8.as_der().to_vec(),
            certificates: certificates.map(|bag| bag.der.clone()).collect(),
        }
    }

    pub(crate) fn write(&self, name: Option<&str>, password: &str, profile: Profile) -> Vec<u8> {
        let certificates: Vec<&[u8]> = self.certificates.iter().map(Vec::as_slice).collect();
        let pfx = PfxToWrite { key: &self.key, certificates: &certificates, friendly_name: name };
        write(&pfx, password, profile).expect("a file")
    }
}

/// Both profiles, with few iterations.
pub(crate) const PROFILES: [Profile; 2] = [
    Profile::MODERN.with_iterations(MACHINE_PASSWORD_ITERATIONS),
    Profile::LEGACY_3DES.with_iterations(MACHINE_PASSWORD_ITERATIONS),
];

#[test]
fn what_is_written_is_read_again() {
    let names = [None, Some(""), Some("my application"), Some("clé 🔑")];
    let passwords = ["", "secret", "pässwörd€", "pä🔑ss", "\0", &"x".repeat(300)];
    for source in ["chain", "key-p256", "key-ed", "key-rsapss", "ssl-key-ed448"] {
        let source = Source::from(source);
        for profile in PROFILES {
            for (name, password) in names.iter().cycle().zip(passwords) {
                let file = source.write(*name, password, profile);
                let contents = read(&file, password).expect("our own file");
                assert!(contents.mac_checked && contents.warnings.is_empty());
                let [identity] = &contents.identities()[..] else { panic!("one key") };
                assert_eq!(identity.key.pkcs8.as_der(), source.key);
                assert_eq!(identity.key.friendly_name.as_deref(), *name);
                let leaf = identity.certificate.expect("the leaf");
                assert_eq!(leaf.der, source.certificates[0]);
                assert_eq!(leaf.friendly_name.as_deref(), *name);
                assert_eq!(leaf.local_key_id, identity.key.local_key_id);
                assert!(leaf.local_key_id.is_some());
                let chain: Vec<_> = identity.chain.iter().map(|bag| bag.der.clone()).collect();
                assert_eq!(chain, source.certificates[1..]);
                let wrong = format!("{password}!");
                assert_eq!(read(&file, &wrong).unwrap_err(), ReadError::WrongPassword);
            }
        }
    }
}

#[test]
fn a_link_stands_in_for_a_public_key_that_cannot_be_compared() {
    let file = Source::from("ssl-key-ed448").write(None, "secret", PROFILES[0]);
    let contents = read(&file, "secret").unwrap();
    assert_eq!(contents.identities()[0].matched_by, Some(MatchedBy::LocalKeyId));
}

#[test]
fn the_same_randomness_gives_the_same_file_and_other_randomness_another() {
    let source = Source::from("key-p256");
    let certificates: Vec<&[u8]> = source.certificates.iter().map(Vec::as_slice).collect();
    let pfx = PfxToWrite { key: &source.key, certificates: &certificates, friendly_name: None };
    for profile in PROFILES {
        let with_seed = |seed: u8| {
            let mut counter = seed;
            let mut random = |bytes: &mut [u8]| {
                bytes.fill_with(|| {
                    counter = counter.wrapping_add(1);
                    counter
                });
            };
            write_with_randomness(&pfx, "secret", profile, &mut random).unwrap()
        };
        assert_eq!(with_seed(1), with_seed(1));
        assert_ne!(with_seed(1), with_seed(2));
        assert_ne!(write(&pfx, "secret", profile), write(&pfx, "secret", profile));
    }
}

#[test]
fn salts_and_vectors_are_drawn_anew_for_each_part() {
    let source = Source::from("key-p256");
    let certificates: Vec<&[u8]> = source.certificates.iter().map(Vec::as_slice).collect();
    let pfx = PfxToWrite { key: &source.key, certificates: &certificates, friendly_name: None };
    for (profile, expected) in PROFILES.into_iter().zip([vec![16; 5], vec![8; 3]]) {
        let mut drawn = Vec::new();
        let mut random = |bytes: &mut [u8]| drawn.push(bytes.len());
        write_with_randomness(&pfx, "secret", profile, &mut random).unwrap();
        assert_eq!(drawn, expected);
    }
}

#[test]
fn what_is_no_key_or_certificate_is_not_written() {
    let source = Source::from("chain");
    let other = Source::from("key-p256");
    let chain: Vec<&[u8]> = source.certificates.iter().map(Vec::as_slice).collect();
    let attempt = |key: &[u8], certificates: &[&[u8]]| {
        write(&PfxToWrite { key, certificates, friendly_name: None }, "secret", PROFILES[0])
    };
    assert!(attempt(&source.key, &chain).is_ok());
    let trailing = [&source.key[..], &[0]].concat();
    for key in [&[][..], b"-----BEGIN PRIVATE KEY-----", chain[0], &trailing] {
        assert_eq!(attempt(key, &chain), Err(WriteError::NotPkcs8));
    }
    assert_eq!(attempt(&source.key, &[]), Err(WriteError::NoCertificate));
    let position = 1;
    let broken = [chain[0], b"-----BEGIN CERTIFICATE-----"];
    assert_eq!(attempt(&source.key, &broken), Err(WriteError::NotACertificate { position }));
    let reversed: Vec<&[u8]> = chain.iter().rev().copied().collect();
    assert_eq!(attempt(&source.key, &reversed), Err(WriteError::CertificateForAnotherKey));
    assert_eq!(attempt(&other.key, &chain), Err(WriteError::CertificateForAnotherKey));
}

#[test]
fn the_iterations_are_those_asked_for() {
    let source = Source::from("key-p256");
    for profile in PROFILES {
        let odd = NonZeroU32::new(0x0abcd).unwrap();
        let file = source.write(None, "secret", profile.with_iterations(odd));
        let count = [0x02, 0x03, 0x00, 0xab, 0xcd];
        let seen = file.windows(count.len()).filter(|window| *window == count).count();
        // The checksum, the certificates and the key.
        assert_eq!(seen, 3);
    }
}

#[test]
fn debug_of_what_is_to_be_written_shows_no_key() {
    let source = Source::from("key-p256");
    let pfx = PfxToWrite { key: &source.key, certificates: &[], friendly_name: Some("x") };
    assert_eq!(
        format!("{pfx:?}"),
        r#"PfxToWrite { certificates: 0, friendly_name: Some("x"), .. }"#
    );
}
