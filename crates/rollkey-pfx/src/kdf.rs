//! Makes keys of passwords: the derivation of PKCS#12, and PBKDF1 and PBKDF2 of PKCS#5.
//!
//! The forms of the password come from `password`, and permission for the iterations from
//! `limits`; here is only the arithmetic.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use crate::hash::{Hash, Hmac};

/// What a key derived as in PKCS#12 is for (RFC 7292 appendix B.3). The number goes into the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Key = 1,
    InitializationVector = 2,
    Mac = 3,
}

/// How many times the iterations are gone through for a result of `length` bytes.
pub(crate) fn rounds(hash: Hash, length: usize) -> u64 {
    length.div_ceil(hash.output_len()) as u64
}

/// Derives `length` bytes as in RFC 7292 appendix B.2.
///
/// * `password`: in the form of PKCS#12, with its terminator; nothing at all for no password.
/// * `iterations`: at least 1.
pub(crate) fn pkcs12(
    hash: Hash,
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block_len = hash.block_len();
    let diversifier = vec![purpose as u8; block_len];
    let mut input = Zeroizing::new(Vec::with_capacity(
        salt.len().next_multiple_of(block_len) + password.len().next_multiple_of(block_len),
    ));
    for part in [salt, password] {
        input.extend(part.iter().cycle().take(part.len().next_multiple_of(block_len)));
    }

    // Rounded up to whole results of the hash, so that the buffer never moves.
    let mut key = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(hash.output_len())));
    while key.len() < length {
        let mut round = Zeroizing::new([0_u8; 64]);
        let round = &mut round[..hash.output_len()];
        round.copy_from_slice(hash.digest(&[&diversifier, &input]).as_ref());
        for _ in 1..iterations {
            round.copy_from_slice(hash.digest(&[round]).as_ref());
        }
        key.extend_from_slice(round);
        for block in input.chunks_exact_mut(block_len) {
            add_with_one(block, round);
        }
    }
    key.truncate(length);
    key
}

/// Adds `addend`, repeated to the length of `block`, and one, as big-endian numbers, and drops the
/// final carry.
fn add_with_one(block: &mut [u8], addend: &[u8]) {
    let mut carry = 1_u16;
    for index in (0..block.len()).rev() {
        carry += u16::from(block[index]) + u16::from(addend[index % addend.len()]);
        block[index] = carry as u8;
        carry >>= 8;
    }
}

/// Derives `length` bytes as in RFC 8018 §5.2.
///
/// * `password`: octets, as in PKCS#5.
/// * `iterations`: at least 1.
pub(crate) fn pbkdf2(
    prf: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(vec![0; length]);
    let fast = match prf {
        Hash::Sha1 => Some(pbkdf2::PBKDF2_HMAC_SHA1),
        Hash::Sha256 => Some(pbkdf2::PBKDF2_HMAC_SHA256),
        Hash::Sha384 => Some(pbkdf2::PBKDF2_HMAC_SHA384),
        Hash::Sha512 => Some(pbkdf2::PBKDF2_HMAC_SHA512),
        Hash::Sha224 | Hash::Sha512_256 => None,
        Hash::Sha3_256 | Hash::Sha3_384 | Hash::Sha3_512 => None,
    };
    match (fast, u32::try_from(iterations).ok().and_then(NonZeroU32::new)) {
        (Some(algorithm), Some(iterations)) => {
            pbkdf2::derive(algorithm, iterations, salt, password, &mut key);
        }
        _ => pbkdf2_by_hand(prf, password, salt, iterations, &mut key),
    }
    key
}

/// For the few hashes that the provider has no PBKDF2 of.
fn pbkdf2_by_hand(prf: Hash, password: &[u8], salt: &[u8], iterations: u64, key: &mut [u8]) {
    let hmac = Hmac::new(prf, password);
    for (number, block) in (1_u32..).zip(key.chunks_mut(prf.output_len())) {
        let mut link = hmac.sign(&[salt, &number.to_be_bytes()]);
        block.copy_from_slice(&link.as_ref()[..block.len()]);
        for _ in 1..iterations {
            link = hmac.sign(&[link.as_ref()]);
            block.iter_mut().zip(link.as_ref()).for_each(|(byte, link)| *byte ^= link);
        }
    }
}

/// Derives 16 bytes, a key and an initialization vector of eight each, as in RFC 8018 §5.1.
///
/// * `password`: octets, as in PKCS#5.
/// * `iterations`: at least 1.
pub(crate) fn pbkdf1_sha1(password: &[u8], salt: &[u8], iterations: u64) -> Zeroizing<[u8; 16]> {
    let mut link = Zeroizing::new([0_u8; 20]);
    link.copy_from_slice(Hash::Sha1.digest(&[password, salt]).as_ref());
    for _ in 1..iterations {
        let next = Hash::Sha1.digest(&[&link[..]]);
        link.copy_from_slice(next.as_ref());
    }
    let mut key = Zeroizing::new([0; 16]);
    key.copy_from_slice(&link[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The vectors that circulate for the derivation of PKCS#12 with SHA-1 (password "smeg").
    #[test]
    fn pkcs12_gives_the_known_vectors() {
        let smeg = b"\0s\0m\0e\0g\0\0";
        let salt = [0x0a, 0x58, 0xcf, 0x64, 0x53, 0x0d, 0x82, 0x3f];
        let key = pkcs12(Hash::Sha1, Purpose::Key, smeg, &salt, 1, 24);
        assert_eq!(hex(&key), "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3");
        let salt = [0x3d, 0x83, 0xc0, 0xe4, 0x54, 0x6a, 0xc1, 0x40];
        let mac = pkcs12(Hash::Sha1, Purpose::Mac, smeg, &salt, 1, 20);
        assert_eq!(hex(&mac), "8d967d88f6caa9d714800ab3d48051d63f73a312");
    }

    #[test]
    fn pbkdf2_by_hand_is_the_providers_where_it_has_one() {
        for prf in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            for length in [1, 16, 20, 24, 32, 64, 65, 100] {
                let expected = pbkdf2(prf, b"password", b"salt", 7, length);
                let mut key = vec![0; length];
                pbkdf2_by_hand(prf, b"password", b"salt", 7, &mut key);
                assert_eq!(key, *expected, "{prf:?} {length}");
            }
        }
    }
}
