//! Object identifiers: those that we act upon, and the names of those that we refuse.
//!
//! An identifier is kept in its dotted form, because that is what a person can look up and what the
//! rest of the crate matches on. No algorithm may enter here: this room only knows names.

use std::fmt;

// What a PFX file consists of: PKCS#7 (RFC 2315) and PKCS#12 (RFC 7292).
pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
pub(crate) const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
pub(crate) const ENVELOPED_DATA: &str = "1.2.840.113549.1.7.3";
pub(crate) const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
pub(crate) const KEY_BAG: &str = "1.2.840.113549.1.12.10.1.1";
pub(crate) const SHROUDED_KEY_BAG: &str = "1.2.840.113549.1.12.10.1.2";
pub(crate) const CERTIFICATE_BAG: &str = "1.2.840.113549.1.12.10.1.3";
pub(crate) const CRL_BAG: &str = "1.2.840.113549.1.12.10.1.4";
pub(crate) const SECRET_BAG: &str = "1.2.840.113549.1.12.10.1.5";
pub(crate) const SAFE_CONTENTS_BAG: &str = "1.2.840.113549.1.12.10.1.6";
pub(crate) const X509_CERTIFICATE: &str = "1.2.840.113549.1.9.22.1";
pub(crate) const SDSI_CERTIFICATE: &str = "1.2.840.113549.1.9.22.2";
pub(crate) const FRIENDLY_NAME: &str = "1.2.840.113549.1.9.20";
pub(crate) const LOCAL_KEY_ID: &str = "1.2.840.113549.1.9.21";

// PBES1 as in PKCS#12 (RFC 7292 appendix C) and as in PKCS#5 (RFC 8018 appendix A.3).
pub(crate) const PBE_SHA1_RC4_128: &str = "1.2.840.113549.1.12.1.1";
pub(crate) const PBE_SHA1_RC4_40: &str = "1.2.840.113549.1.12.1.2";
pub(crate) const PBE_SHA1_3DES: &str = "1.2.840.113549.1.12.1.3";
pub(crate) const PBE_SHA1_2DES: &str = "1.2.840.113549.1.12.1.4";
pub(crate) const PBE_SHA1_RC2_128: &str = "1.2.840.113549.1.12.1.5";
pub(crate) const PBE_SHA1_RC2_40: &str = "1.2.840.113549.1.12.1.6";
pub(crate) const PBE_SHA1_DES: &str = "1.2.840.113549.1.5.10";
pub(crate) const PBE_SHA1_RC2_64: &str = "1.2.840.113549.1.5.11";

// PBES2 and PBMAC1 (RFC 8018).
pub(crate) const PBKDF2: &str = "1.2.840.113549.1.5.12";
pub(crate) const PBES2: &str = "1.2.840.113549.1.5.13";
pub(crate) const PBMAC1: &str = "1.2.840.113549.1.5.14";
pub(crate) const AES_128_CBC: &str = "2.16.840.1.101.3.4.1.2";
pub(crate) const AES_192_CBC: &str = "2.16.840.1.101.3.4.1.22";
pub(crate) const AES_256_CBC: &str = "2.16.840.1.101.3.4.1.42";
pub(crate) const DES_EDE3_CBC: &str = "1.2.840.113549.3.7";
pub(crate) const RC2_CBC: &str = "1.2.840.113549.3.2";
pub(crate) const DES_CBC: &str = "1.3.14.3.2.7";

// Hashes, and the HMACs made of them.
pub(crate) const SHA1: &str = "1.3.14.3.2.26";
pub(crate) const SHA224: &str = "2.16.840.1.101.3.4.2.4";
pub(crate) const SHA256: &str = "2.16.840.1.101.3.4.2.1";
pub(crate) const SHA384: &str = "2.16.840.1.101.3.4.2.2";
pub(crate) const SHA512: &str = "2.16.840.1.101.3.4.2.3";
pub(crate) const SHA512_256: &str = "2.16.840.1.101.3.4.2.6";
pub(crate) const SHA3_256: &str = "2.16.840.1.101.3.4.2.8";
pub(crate) const SHA3_384: &str = "2.16.840.1.101.3.4.2.9";
pub(crate) const SHA3_512: &str = "2.16.840.1.101.3.4.2.10";
pub(crate) const HMAC_SHA1: &str = "1.2.840.113549.2.7";
pub(crate) const HMAC_SHA224: &str = "1.2.840.113549.2.8";
pub(crate) const HMAC_SHA256: &str = "1.2.840.113549.2.9";
pub(crate) const HMAC_SHA384: &str = "1.2.840.113549.2.10";
pub(crate) const HMAC_SHA512: &str = "1.2.840.113549.2.11";
pub(crate) const HMAC_SHA512_256: &str = "1.2.840.113549.2.13";
pub(crate) const HMAC_SHA3_256: &str = "2.16.840.1.101.3.4.2.14";
pub(crate) const HMAC_SHA3_384: &str = "2.16.840.1.101.3.4.2.15";
pub(crate) const HMAC_SHA3_512: &str = "2.16.840.1.101.3.4.2.16";

// Keys.
pub(crate) const RSA: &str = "1.2.840.113549.1.1.1";
pub(crate) const RSA_PSS: &str = "1.2.840.113549.1.1.10";
pub(crate) const EC: &str = "1.2.840.10045.2.1";
pub(crate) const ED25519: &str = "1.3.101.112";

/// Names for messages. What stands here and in no `match` of this crate is refused, but by name.
const NAMES: &[(&str, &str)] = &[
    (DATA, "data"),
    (SIGNED_DATA, "signedData"),
    (ENVELOPED_DATA, "envelopedData"),
    (ENCRYPTED_DATA, "encryptedData"),
    ("1.2.840.113549.1.7.5", "digestedData"),
    (PBE_SHA1_RC4_128, "pbeWithSHAAnd128BitRC4"),
    (PBE_SHA1_RC4_40, "pbeWithSHAAnd40BitRC4"),
    (PBE_SHA1_3DES, "pbeWithSHAAnd3-KeyTripleDES-CBC"),
    (PBE_SHA1_2DES, "pbeWithSHAAnd2-KeyTripleDES-CBC"),
    (PBE_SHA1_RC2_128, "pbeWithSHAAnd128BitRC2-CBC"),
    (PBE_SHA1_RC2_40, "pbeWithSHAAnd40BitRC2-CBC"),
    ("1.2.840.113549.1.5.1", "pbeWithMD2AndDES-CBC"),
    ("1.2.840.113549.1.5.3", "pbeWithMD5AndDES-CBC"),
    ("1.2.840.113549.1.5.4", "pbeWithMD2AndRC2-CBC"),
    ("1.2.840.113549.1.5.6", "pbeWithMD5AndRC2-CBC"),
    (PBE_SHA1_DES, "pbeWithSHA1AndDES-CBC"),
    (PBE_SHA1_RC2_64, "pbeWithSHA1AndRC2-CBC"),
    (PBKDF2, "PBKDF2"),
    (PBES2, "PBES2"),
    (PBMAC1, "PBMAC1"),
    ("1.3.6.1.4.1.11591.4.11", "scrypt"),
    (AES_128_CBC, "AES-128-CBC"),
    (AES_192_CBC, "AES-192-CBC"),
    (AES_256_CBC, "AES-256-CBC"),
    ("2.16.840.1.101.3.4.1.1", "AES-128-ECB"),
    ("2.16.840.1.101.3.4.1.3", "AES-128-OFB"),
    ("2.16.840.1.101.3.4.1.4", "AES-128-CFB"),
    ("2.16.840.1.101.3.4.1.6", "AES-128-GCM"),
    ("2.16.840.1.101.3.4.1.26", "AES-192-GCM"),
    ("2.16.840.1.101.3.4.1.41", "AES-256-ECB"),
    ("2.16.840.1.101.3.4.1.43", "AES-256-OFB"),
    ("2.16.840.1.101.3.4.1.44", "AES-256-CFB"),
    ("2.16.840.1.101.3.4.1.46", "AES-256-GCM"),
    ("1.2.392.200011.61.1.1.1.2", "Camellia-128-CBC"),
    ("1.2.392.200011.61.1.1.1.3", "Camellia-192-CBC"),
    ("1.2.392.200011.61.1.1.1.4", "Camellia-256-CBC"),
    ("1.2.410.200046.1.1.2", "ARIA-128-CBC"),
    ("1.2.410.200046.1.1.7", "ARIA-192-CBC"),
    ("1.2.410.200046.1.1.12", "ARIA-256-CBC"),
    ("1.2.410.200004.1.4", "SEED-CBC"),
    ("1.2.410.200004.1.15", "pbeWithSHA1AndSEED-CBC"),
    ("1.2.156.10197.1.104.2", "SM4-CBC"),
    ("1.2.840.113533.7.66.10", "CAST5-CBC"),
    ("1.3.6.1.4.1.188.7.1.1.2", "IDEA-CBC"),
    ("1.3.6.1.4.1.3029.1.2", "Blowfish-CBC"),
    ("1.2.840.113549.3.4", "RC4"),
    ("1.2.840.113549.3.9", "RC5-CBC"),
    ("1.2.643.2.2.21", "GOST 28147-89"),
    ("1.2.643.7.1.1.5.1.1", "Magma-CTR-ACPKM"),
    ("1.2.643.7.1.1.5.2.1", "Kuznyechik-CTR-ACPKM"),
    (DES_EDE3_CBC, "DES-EDE3-CBC"),
    (RC2_CBC, "RC2-CBC"),
    (DES_CBC, "DES-CBC"),
    ("1.2.840.113549.2.2", "MD2"),
    ("1.2.840.113549.2.4", "MD4"),
    ("1.2.840.113549.2.5", "MD5"),
    ("1.3.36.3.2.1", "RIPEMD-160"),
    ("1.0.10118.3.0.55", "Whirlpool"),
    ("1.2.156.10197.1.401", "SM3"),
    ("1.2.643.2.2.9", "GOST R 34.11-94"),
    ("1.2.643.7.1.1.2.2", "Streebog-256"),
    ("1.2.643.7.1.1.2.3", "Streebog-512"),
    (SHA1, "SHA-1"),
    (SHA224, "SHA-224"),
    (SHA256, "SHA-256"),
    (SHA384, "SHA-384"),
    (SHA512, "SHA-512"),
    ("2.16.840.1.101.3.4.2.5", "SHA-512/224"),
    (SHA512_256, "SHA-512/256"),
    ("2.16.840.1.101.3.4.2.7", "SHA3-224"),
    (SHA3_256, "SHA3-256"),
    (SHA3_384, "SHA3-384"),
    (SHA3_512, "SHA3-512"),
    ("1.3.6.1.4.1.1722.12.2.1.16", "BLAKE2b-512"),
    ("1.3.6.1.4.1.1722.12.2.2.8", "BLAKE2s-256"),
    ("1.2.840.113549.2.6", "HMAC-MD5"),
    (HMAC_SHA1, "HMAC-SHA-1"),
    (HMAC_SHA224, "HMAC-SHA-224"),
    (HMAC_SHA256, "HMAC-SHA-256"),
    (HMAC_SHA384, "HMAC-SHA-384"),
    (HMAC_SHA512, "HMAC-SHA-512"),
    ("1.2.840.113549.2.12", "HMAC-SHA-512/224"),
    (HMAC_SHA512_256, "HMAC-SHA-512/256"),
    ("2.16.840.1.101.3.4.2.13", "HMAC-SHA3-224"),
    (HMAC_SHA3_256, "HMAC-SHA3-256"),
    (HMAC_SHA3_384, "HMAC-SHA3-384"),
    (HMAC_SHA3_512, "HMAC-SHA3-512"),
    ("1.2.643.7.1.1.4.1", "HMAC-Streebog-256"),
    ("1.2.643.7.1.1.4.2", "HMAC-Streebog-512"),
];

/// An object identifier: the name of an algorithm or of a kind of content.
///
/// It is shown with its usual name where there is one: `Camellia-256-CBC
/// (1.2.392.200011.61.1.1.1.4)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Oid(String);

impl Oid {
    /// Reads the content octets of an OBJECT IDENTIFIER (X.690 §8.19), or nothing if they are none.
    pub(crate) fn from_content(content: &[u8]) -> Option<Self> {
        if content.last()? & 0x80 != 0 {
            return None;
        }
        let mut dotted = String::new();
        let mut arc = 0_u128;
        for byte in content {
            // 128 bits hold even an identifier made of a UUID.
            arc = arc.checked_mul(128)? | u128::from(byte & 0x7f);
            if byte & 0x80 != 0 {
                continue;
            }
            if dotted.is_empty() {
                let first = (arc / 40).min(2);
                dotted = format!("{first}.{}", arc - first * 40);
            } else {
                dotted.push_str(&format!(".{arc}"));
            }
            arc = 0;
        }
        Some(Self(dotted))
    }

    /// The dotted form: `1.2.840.113549.1.5.13`.
    pub fn dotted(&self) -> &str {
        &self.0
    }

    /// The usual name, if this crate knows one. That it has a name does not mean that it is
    /// supported.
    pub fn name(&self) -> Option<&'static str> {
        NAMES.iter().find(|(dotted, _)| *dotted == self.0).map(|(_, name)| *name)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => f.write_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_shown_with_its_name() {
        let camellia = [0x2a, 0x83, 0x08, 0x8c, 0x9a, 0x4b, 0x3d, 0x01, 0x01, 0x01, 0x04];
        let oid = Oid::from_content(&camellia).unwrap();
        assert_eq!(oid.to_string(), "Camellia-256-CBC (1.2.392.200011.61.1.1.1.4)");
        assert_eq!(Oid::from_content(&[0x2a, 0x03]).unwrap().to_string(), "1.2.3");
        assert_eq!(Oid::from_content(&[0x88, 0x37, 0x03]).unwrap().dotted(), "2.999.3");
    }

    #[test]
    fn octets_that_are_no_identifier_are_none() {
        assert_eq!(Oid::from_content(&[]), None);
        assert_eq!(Oid::from_content(&[0x2a, 0x86]), None, "the last arc is unfinished");
        assert_eq!(Oid::from_content(&[[0xff; 40].as_slice(), &[0]].concat()), None, "too large");
    }
}
