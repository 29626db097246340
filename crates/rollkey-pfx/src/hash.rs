//! The hashes that a PFX file may name, and HMAC over each of them.
//!
//! HMAC is spelled out here (RFC 2104, a dozen lines), because the provider offers it for fewer
//! hashes than files use. Nothing here knows of passwords or files.

use aws_lc_rs::{constant_time, digest};

use crate::oid::{self, Oid};

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_256,
    Sha3_256,
    Sha3_384,
    Sha3_512,
}

impl Hash {
    /// The hash of this name.
    pub(crate) fn from_oid(oid: &Oid) -> Option<Self> {
        Some(match oid.dotted() {
            oid::SHA1 => Self::Sha1,
            oid::SHA224 => Self::Sha224,
            oid::SHA256 => Self::Sha256,
            oid::SHA384 => Self::Sha384,
            oid::SHA512 => Self::Sha512,
            oid::SHA512_256 => Self::Sha512_256,
            oid::SHA3_256 => Self::Sha3_256,
            oid::SHA3_384 => Self::Sha3_384,
            oid::SHA3_512 => Self::Sha3_512,
            _ => return None,
        })
    }

    /// The hash whose HMAC has this name.
    pub(crate) fn from_hmac_oid(oid: &Oid) -> Option<Self> {
        Some(match oid.dotted() {
            oid::HMAC_SHA1 => Self::Sha1,
            oid::HMAC_SHA224 => Self::Sha224,
            oid::HMAC_SHA256 => Self::Sha256,
            oid::HMAC_SHA384 => Self::Sha384,
            oid::HMAC_SHA512 => Self::Sha512,
            oid::HMAC_SHA512_256 => Self::Sha512_256,
            oid::HMAC_SHA3_256 => Self::Sha3_256,
            oid::HMAC_SHA3_384 => Self::Sha3_384,
            oid::HMAC_SHA3_512 => Self::Sha3_512,
            _ => return None,
        })
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
            Self::Sha512_256 => &digest::SHA512_256,
            Self::Sha3_256 => &digest::SHA3_256,
            Self::Sha3_384 => &digest::SHA3_384,
            Self::Sha3_512 => &digest::SHA3_512,
        }
    }

    /// The length of the result, in bytes.
    pub(crate) fn output_len(self) -> usize {
        self.algorithm().output_len()
    }

    /// The length of the blocks that it works on, in bytes.
    pub(crate) fn block_len(self) -> usize {
        self.algorithm().block_len()
    }

    /// The hash of `parts`, one after the other.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> digest::Digest {
        let mut context = digest::Context::new(self.algorithm());
        parts.iter().for_each(|part| context.update(part));
        context.finish()
    }
}

/// HMAC with a key, ready for any number of messages.
pub(crate) struct Hmac {
    inner: digest::Context,
    outer: digest::Context,
}

impl Hmac {
    pub(crate) fn new(hash: Hash, key: &[u8]) -> Self {
        let long;
        let key = if key.len() > hash.block_len() {
            long = hash.digest(&[key]);
            long.as_ref()
        } else {
            key
        };
        let keyed = |pad: u8| {
            let mut context = digest::Context::new(hash.algorithm());
            let mut block = zeroize::Zeroizing::new(vec![pad; hash.block_len()]);
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            context.update(&block);
            context
        };
        Self { inner: keyed(0x36), outer: keyed(0x5c) }
    }

    /// The code for `parts`, one after the other.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> digest::Digest {
        let mut inner = self.inner.clone();
        parts.iter().for_each(|part| inner.update(part));
        let mut outer = self.outer.clone();
        outer.update(inner.finish().as_ref());
        outer.finish()
    }

    /// Whether `code` is the code for `message`. Takes the same time wherever they differ.
    pub(crate) fn verify(&self, message: &[u8], code: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(self.sign(&[message]).as_ref(), code).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::hmac;

    #[test]
    fn our_hmac_is_the_providers_where_it_has_one() {
        for (ours, theirs) in [
            (Hash::Sha1, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            (Hash::Sha224, hmac::HMAC_SHA224),
            (Hash::Sha256, hmac::HMAC_SHA256),
            (Hash::Sha384, hmac::HMAC_SHA384),
            (Hash::Sha512, hmac::HMAC_SHA512),
        ] {
            for key_len in [0, 1, 20, 63, 64, 65, 127, 128, 129, 300] {
                let key = vec![0xa7; key_len];
                let expected = hmac::sign(&hmac::Key::new(theirs, &key), b"a message");
                let hmac = Hmac::new(ours, &key);
                assert_eq!(hmac.sign(&[b"a mes", b"sage"]).as_ref(), expected.as_ref());
                assert!(hmac.verify(b"a message", expected.as_ref()));
                assert!(!hmac.verify(b"a massage", expected.as_ref()));
                assert!(!hmac.verify(b"a message", &expected.as_ref()[1..]));
            }
        }
    }
}
