//! Damaged files, hostile files, and bytes that are no file: an error each time, never a panic.

use proptest::prelude::*;
use rollkey_pfx::{Contents, Limits, ReadError, fit, read_within};

use crate::corpus::{directory, file};

/// Enough for the files that are damaged here, and no more, so that a mutated iteration count is
/// felt.
fn limits() -> Limits {
    Limits { max_iterations: 10_000, max_total_iterations: 60_000, ..Limits::default() }
}

/// Reads and also does what a caller would do next.
fn read_and_use(bytes: &[u8], password: &str) -> Result<Contents, ReadError> {
    let contents = read_within(bytes, password, &limits())?;
    for identity in contents.identities() {
        for certificate in identity.chain.iter().chain(&identity.certificate) {
            fit(identity.key.pkcs8.as_der(), &certificate.der);
        }
    }
    Ok(contents)
}

/// Files of each form, with few iterations.
const FORMS: &[(&str, &str)] = &[
    ("iter-1", "secret"),
    ("ssl-noiter", "secret"),
    ("win-3des-2000", "secret"),
    ("legacy-rc2-3des", "secret"),
    ("rc4-128", "secret"),
    ("nomac", "secret"),
    ("keynone-certnone", "secret"),
    ("nomac-unencrypted", ""),
    ("pbmac1-sha256", "secret"),
    ("ber-constructed-octets", "secret"),
    ("crafted-ber-throughout", "secret"),
    ("crafted-nested", "secret"),
    ("crafted-other-bags", "secret"),
    ("crafted-prf-sha512-256", "secret"),
    ("ssl-pbes2-rc2", "secret"),
    ("pw-emoji-3des", "pä🔑ss"),
];

#[test]
fn a_file_cut_off_anywhere_is_told_to_be() {
    for (name, password) in FORMS {
        let whole = file(name);
        read_and_use(&whole, password).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        for length in 1..whole.len() {
            let error = read_and_use(&whole[..length], password).expect_err(name);
            assert_eq!(error, ReadError::Truncated { length }, "{name}");
        }
    }
}

#[test]
fn a_changed_byte_behind_a_checksum_is_never_overlooked() {
    for (name, password) in [("iter-1", "secret"), ("crafted-nested", "secret")] {
        let whole = file(name);
        let original = read_and_use(&whole, password).unwrap();
        let values = |contents: &Contents| {
            let keys = contents.keys.iter().map(|bag| bag.pkcs8.as_der().to_vec());
            let certificates = contents.certificates.iter().map(|bag| bag.der.clone());
            keys.chain(certificates).collect::<Vec<_>>()
        };
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x41;
            match read_and_use(&changed, password) {
                // Nothing hangs on the NULL parameters of a hash. Without the tag of the checksum
                // there is none, and the caller is told.
                Ok(contents) if contents.mac_checked => {
                    assert_eq!(values(&contents), values(&original), "{name} at {at}");
                }
                Ok(contents) => assert!(!contents.warnings.is_empty(), "{name} at {at}"),
                Err(_) => {}
            }
        }
    }
}

/// A way to damage a file.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let span = |at: usize, length: usize, end: usize| at..(at + length).min(end);
        match self {
            Self::Set(at, value) => {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            Self::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Remove(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(span(at, *length, bytes.len()));
            }
            Self::Repeat(at, length) => {
                let at = at.index(bytes.len());
                let again = bytes[span(at, *length, bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    // Octets that mean something in BER are likelier to lead somewhere than others.
    let octet = prop_oneof![
        any::<u8>(),
        prop::sample::select(&[0, 0x02, 0x04, 0x24, 0x30, 0x80, 0x81, 0x84, 0x88, 0xa0, 0xff][..]),
    ];
    prop_oneof![
        4 => (at(), octet).prop_map(|(at, value)| Change::Set(at, value)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, more)| Change::Insert(at, more)),
        1 => (at(), 1..200_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (at(), 1..200_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), password in ".{0,8}") {
        let _ = read_and_use(&bytes, &password);
    }

    #[test]
    fn no_bytes_that_begin_like_a_pfx_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let beginning = [0x30, 0x80, 0x02, 0x01, 0x03, 0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
            0xf7, 0x0d, 0x01, 0x07, 0x01, 0xa0, 0x80, 0x24, 0x80];
        let _ = read_and_use(&[&beginning[..], &bytes].concat(), "secret");
    }

    #[test]
    fn no_damage_panics_or_exceeds_a_limit(
        (name, password) in prop::sample::select(FORMS),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let mut bytes = file(name);
        changes.iter().for_each(|change| change.apply(&mut bytes));
        let started = std::time::Instant::now();
        let _ = read_and_use(&bytes, password);
        // 60,000 iterations take some 20 ms; a limit that does not hold takes minutes.
        prop_assert!(started.elapsed().as_secs() < 10);
    }
}

#[test]
fn every_file_refuses_the_password_of_another() {
    for entry in std::fs::read_dir(directory()).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "pfx") {
            let bytes = std::fs::read(&path).expect("a file");
            if let Ok(contents) = read_and_use(&bytes, "the password of nobody") {
                // Nothing to check a password against.
                assert!(!contents.mac_checked, "{}", path.display());
                let plain = [
                    "nomac-unencrypted",
                    "py-noenc",
                    "null-password-noenc",
                    "crafted-no-mac-plain",
                ];
                assert!(
                    plain.iter().any(|name| path.ends_with(format!("{name}.pfx"))),
                    "{}",
                    path.display()
                );
            }
        }
    }
}
