//! No file takes more than the limits allow.

use rollkey_pfx::{Limits, PfxToWrite, Profile, ReadError, read, read_within, write};

use crate::corpus::file;

#[test]
fn a_limit_that_just_suffices_suffices() {
    // 2,000 for the checksum; 3DES takes two rounds for the key and one for the vector, twice.
    let total = 2_000 + 2 * 3 * 2_000;
    let limits = Limits {
        max_iterations: 2_000,
        max_total_iterations: total,
        max_size: file("win-3des-2000").len(),
        ..Limits::default()
    };
    read_within(&file("win-3des-2000"), "secret", &limits).unwrap();

    let less = Limits { max_iterations: 1_999, ..limits.clone() };
    let error = read_within(&file("win-3des-2000"), "secret", &less).unwrap_err();
    assert_eq!(error, ReadError::TooManyIterations { asked: 2_000, limit: 1_999 });

    let less = Limits { max_total_iterations: total - 1, ..limits.clone() };
    let error = read_within(&file("win-3des-2000"), "secret", &less).unwrap_err();
    assert_eq!(error, ReadError::TooMuchWork { limit: total - 1 });

    let limit = limits.max_size - 1;
    let less = Limits { max_size: limit, ..limits };
    let error = read_within(&file("win-3des-2000"), "secret", &less).unwrap_err();
    assert_eq!(error, ReadError::TooLarge { size: limit + 1, limit });
}

#[test]
fn a_depth_that_does_not_suffice_is_told() {
    let limits = Limits { max_depth: 3, ..Limits::default() };
    let error = read_within(&file("modern-aes256"), "secret", &limits).unwrap_err();
    assert_eq!(error, ReadError::TooDeep { limit: 3 });
    let limits = Limits { max_depth: 12, ..Limits::default() };
    read_within(&file("crafted-ber-throughout"), "secret", &limits).unwrap();
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    let open = [0x30, 0x80].repeat(1 << 20);
    assert_eq!(read(&open, "").unwrap_err(), ReadError::TooDeep { limit: 32 });
}

#[test]
fn what_we_write_stays_below_the_limits_of_others() {
    let contents = read(&file("key-p256"), "secret").unwrap();
    let pfx = PfxToWrite {
        key: contents.keys[0].pkcs8.as_der(),
        certificates: &[&contents.certificates[0].der],
        friendly_name: None,
    };
    // .NET counts each derivation once, whatever the rounds, and takes 600,000 in all. We count
    // rounds: one for each part with AES, three with 3DES.
    for (profile, rounds) in [(Profile::MODERN, 3), (Profile::LEGACY_3DES, 7)] {
        let iterations = u64::from(profile.iterations.get());
        assert!(3 * iterations <= 600_000);
        let file = write(&pfx, "secret", profile).unwrap();
        let total = rounds * iterations;
        let limits = Limits { max_total_iterations: total, ..Limits::default() };
        read_within(&file, "secret", &limits).unwrap();
        let limits = Limits { max_total_iterations: total - 1, ..Limits::default() };
        assert!(read_within(&file, "secret", &limits).is_err());
    }
}
