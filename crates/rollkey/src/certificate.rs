//! Certificates: read here, made around a key that we may not hold in [`make`].
//!
//! What may never enter: a private key, and judgement. Whether a certificate is good enough for a
//! purpose is decided by whoever has the purpose ([`crate::import`]).

pub mod make;

pub use make::{CommonName, CommonNameError, Signer, UnsignedCertificate, self_signed};

use crate::ports::{BoxError, CertificateDer};
use aws_lc_rs::digest;
use rollkey_core::{Sha1Thumbprint, Sha256Thumbprint, Thumbprint, Timestamp};
use std::fmt;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// SHA-1 and SHA-256 over the whole of it.
    pub thumbprint: Thumbprint,
    /// For people: `CN=billing, O=Contoso`. Control characters are shown as `U+FFFD`.
    pub subject: String,
    /// For people, like the subject.
    pub issuer: String,
    /// Upper-case hexadecimal digits, two for each byte.
    pub serial: String,
    /// The first second in which it is valid; a date before 1970 counts as 1970.
    pub not_before: Timestamp,
    /// The last second in which it is valid; a date before 1970 counts as 1970.
    pub not_after: Timestamp,
    /// What kind of key it certifies.
    pub key: KeyInfo,
    /// The public key with its algorithm: `SubjectPublicKeyInfo`, DER.
    pub spki: Vec<u8>,
    /// Whether it is its own issuer. The signature must agree where we can check it.
    pub self_signed: bool,
}

/// The kind of a key, and its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// What it is for.
    pub algorithm: KeyAlgorithm,
    /// Of the modulus, the curve or the like; `None` where we do not know the algorithm.
    pub bits: Option<u32>,
}

/// What a key is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA, for any use. The only one that Entra takes.
    Rsa,
    /// RSA, bound to PSS by its identifier: other signatures are forbidden to it.
    RsaPss,
    /// An elliptic curve of the NIST kind or its relatives, for ECDSA.
    Ec,
    /// EdDSA over Curve25519.
    Ed25519,
    /// EdDSA over Curve448.
    Ed448,
    /// The Digital Signature Algorithm.
    Dsa,
    /// Anything else, by its object identifier, as in `1.2.840.113549.1.3.1`.
    Other(String),
}

impl KeyAlgorithm {
    /// What an object identifier stands for.
    pub(crate) fn from_oid(oid: &Oid<'_>) -> Self {
        match oid.to_id_string().as_str() {
            "1.2.840.113549.1.1.1" => Self::Rsa,
            "1.2.840.113549.1.1.10" => Self::RsaPss,
            "1.2.840.10045.2.1" => Self::Ec,
            "1.3.101.112" => Self::Ed25519,
            "1.3.101.113" => Self::Ed448,
            "1.2.840.10040.4.1" => Self::Dsa,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa => f.write_str("RSA"),
            Self::RsaPss => f.write_str("RSA-PSS"),
            Self::Ec => f.write_str("elliptic curve"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::Dsa => f.write_str("DSA"),
            Self::Other(oid) => f.write_str(oid),
        }
    }
}

impl fmt::Display for KeyInfo {
    /// `RSA 2048`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            Some(bits) => write!(f, "{} {bits}", self.algorithm),
            None => self.algorithm.fmt(f),
        }
    }
}

/// A certificate could not be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The bytes are not a certificate.
    #[error("not an X.509 certificate")]
    Unreadable(#[source] BoxError),
    /// Something follows it; its thumbprint would be another.
    #[error("{bytes} bytes follow the certificate")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// It would end before it begins.
    #[error("the certificate would end before it begins")]
    Reversed,
    /// X.509 ends with the year 9999.
    #[error("certificates cannot bear the date {} s after 1970", .0.0)]
    Unrepresentable(Timestamp),
    /// The public key is not one that we can make a certificate around.
    #[error("cannot make a certificate around a public key that is {0}, not RSA")]
    NotRsa(KeyAlgorithm),
    /// The signer did not sign.
    #[error("could not sign the certificate")]
    Signer(#[source] BoxError),
    /// The signature was not made with the private half of the public key.
    #[error("the signature does not fit the public key of the certificate")]
    WrongSignature,
    /// Random numbers were not to be had.
    #[error("the system gave no random number")]
    NoRandom,
    /// It could not be written down.
    #[error("could not encode the certificate")]
    Encoding(#[source] BoxError),
}

/// The thumbprints of a certificate (or of anything else).
pub fn thumbprint(der: &[u8]) -> Thumbprint {
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    let sha256 = digest::digest(&digest::SHA256, der);
    let mut thumbprint =
        Thumbprint { sha1: Sha1Thumbprint([0; 20]), sha256: Sha256Thumbprint([0; 32]) };
    thumbprint.sha1.0.copy_from_slice(sha1.as_ref());
    thumbprint.sha256.0.copy_from_slice(sha256.as_ref());
    thumbprint
}

/// Reads a certificate, DER.
///
/// # Errors
///
/// [`CertificateError::Unreadable`] and [`CertificateError::Trailing`].
pub fn describe(der: &[u8]) -> Result<CertificateInfo, CertificateError> {
    let certificate = parse(der)?;
    Ok(CertificateInfo {
        thumbprint: thumbprint(der),
        subject: name(certificate.subject()),
        issuer: name(certificate.issuer()),
        serial: certificate.raw_serial().iter().map(|byte| format!("{byte:02X}")).collect(),
        not_before: timestamp(certificate.validity().not_before),
        not_after: timestamp(certificate.validity().not_after),
        key: key_info(certificate.public_key()),
        spki: certificate.public_key().raw.to_vec(),
        self_signed: issued(&certificate, &certificate),
    })
}

/// Whether `issuer` issued `subject`: by name, and by signature where we can check it.
fn issued(issuer: &X509Certificate<'_>, subject: &X509Certificate<'_>) -> bool {
    let names = subject.issuer().as_raw() == issuer.subject().as_raw();
    // The provider refuses to check with keys of another size: that says nothing of the signature.
    let checkable = match key_info(issuer.public_key()) {
        KeyInfo { algorithm: KeyAlgorithm::Rsa, bits } => bits.is_some_and(|n| n >= 2048),
        _ => true,
    };
    let wrong = || {
        let verified = subject.verify_signature(Some(issuer.public_key()));
        matches!(verified, Err(X509Error::SignatureVerificationError))
    };
    names && !(checkable && wrong())
}

/// Whether `issuer` issued `subject`, as far as we can tell.
pub(crate) fn issued_by(subject: &CertificateDer, issuer: &CertificateDer) -> bool {
    match (parse(&subject.0), parse(&issuer.0)) {
        (Ok(subject), Ok(issuer)) => issued(&issuer, &subject),
        _ => false,
    }
}

pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    let (rest, certificate) = X509Certificate::from_der(der)
        .map_err(|error| CertificateError::Unreadable(Box::new(error)))?;
    match rest.len() {
        0 => Ok(certificate),
        bytes => Err(CertificateError::Trailing { bytes }),
    }
}

fn key_info(spki: &SubjectPublicKeyInfo<'_>) -> KeyInfo {
    let algorithm = KeyAlgorithm::from_oid(&spki.algorithm.algorithm);
    let size = |parsed: &PublicKey<'_>| u32::try_from(parsed.key_size()).ok();
    let bits = match (&algorithm, spki.parsed()) {
        (KeyAlgorithm::Rsa, Ok(PublicKey::RSA(key))) => modulus_bits(key.modulus),
        // The parser knows the modulus only under the identifier of plain RSA.
        (KeyAlgorithm::RsaPss, _) => rsa_public_key_bits(&spki.subject_public_key.data),
        (KeyAlgorithm::Ec, _) => curve_bits(spki),
        (KeyAlgorithm::Ed25519, _) => Some(256),
        (KeyAlgorithm::Ed448, _) => Some(456),
        (_, Ok(parsed)) => size(&parsed).filter(|bits| *bits != 0),
        (_, Err(_)) => None,
    };
    KeyInfo { algorithm, bits }
}

/// The bits of an unsigned number, big-endian.
pub(crate) fn modulus_bits(bytes: &[u8]) -> Option<u32> {
    let first = bytes.iter().position(|byte| *byte != 0)?;
    let bits = (bytes.len() - first) * 8 - bytes[first].leading_zeros() as usize;
    u32::try_from(bits).ok()
}

fn rsa_public_key_bits(der: &[u8]) -> Option<u32> {
    let (_, key) = x509_parser::public_key::RSAPublicKey::from_der(der).ok()?;
    modulus_bits(key.modulus)
}

fn curve_bits(spki: &SubjectPublicKeyInfo<'_>) -> Option<u32> {
    let curve = spki.algorithm.parameters.as_ref()?.as_oid().ok()?;
    match curve.to_id_string().as_str() {
        "1.2.840.10045.3.1.7" | "1.3.132.0.10" | "1.3.36.3.3.2.8.1.1.7" => Some(256),
        "1.3.132.0.33" => Some(224),
        "1.3.132.0.34" | "1.3.36.3.3.2.8.1.1.11" => Some(384),
        "1.3.36.3.3.2.8.1.1.13" => Some(512),
        "1.3.132.0.35" => Some(521),
        _ => None,
    }
}

fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp(u64::try_from(time.timestamp()).unwrap_or(0))
}

/// A name for people. It comes from others, so it may hold anything, terminal codes included.
fn name(name: &X509Name<'_>) -> String {
    let shown = name.to_string();
    shown.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
