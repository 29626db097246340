//! Certificates and the keys in them: thumbprints, dates, signatures.
//!
//! All cryptography on keys of applications happens here, by aws-lc-rs. Nothing in here knows of
//! applications, requests or time.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{self, RsaParameters, UnparsedPublicKey};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// A certificate, read once.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) sha1: [u8; 20],
    pub(crate) sha256: [u8; 32],
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    /// Seconds since 1970.
    pub(crate) not_after: i64,
    /// The RSA public key as PKCS#1 DER, if it is one.
    rsa: Option<Vec<u8>>,
}

impl Certificate {
    /// Reads a DER certificate with nothing after it; `None` if it is not one.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let key = certificate.public_key();
        let rsa = matches!(key.parsed(), Ok(PublicKey::RSA(_)))
            .then(|| key.subject_public_key.data.to_vec());
        Some(Self {
            sha1: sized(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref()),
            sha256: sized(digest(&SHA256, der).as_ref()),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            rsa,
            der: der.to_vec(),
        })
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verify(&self, by: Algorithm, message: &[u8], signature: &[u8]) -> Verification {
        let Some(key) = &self.rsa else {
            return Verification::Impossible;
        };
        match UnparsedPublicKey::new(by.parameters(), key).verify(message, signature) {
            Ok(()) => Verification::Good,
            Err(_) => Verification::Bad,
        }
    }

    /// The SHA-1 thumbprint as 40 upper-case hexadecimal digits.
    pub(crate) fn thumbprint(&self) -> String {
        hex(&self.sha1)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Certificate({})", self.thumbprint())
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

/// What became of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    Good,
    Bad,
    /// The key cannot be used for signatures of this kind.
    Impossible,
}

/// The signature algorithms that login lists as supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
}

impl Algorithm {
    /// The algorithm of this name (RFC 7518 §3.1), if it is supported.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            _ => return None,
        })
    }

    fn parameters(self) -> &'static RsaParameters {
        match self {
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        }
    }
}

/// Upper-case hexadecimal digits, two for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A key pair that the emulator made for an application, with its certificate.
///
/// Only the holder of the application's handle ever sees it; no answer contains it.
#[derive(Clone)]
pub struct GeneratedKey {
    name: String,
    certificate: Vec<u8>,
    private_key: Vec<u8>,
}

impl GeneratedKey {
    /// Makes a 2048-bit RSA key and a self-signed certificate for `name`, good from `not_before`
    /// to `not_after` (seconds since 1970).
    pub(crate) fn new(name: &str, not_before: i64, not_after: i64) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let mut certificate = CertificateParams::default();
        certificate.distinguished_name.remove(DnType::CommonName);
        certificate.distinguished_name.push(DnType::CommonName, name);
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        certificate.not_before = epoch + since_1970(not_before);
        certificate.not_after = epoch + since_1970(not_after);
        Ok(Self {
            name: name.to_owned(),
            certificate: certificate.self_signed(&key)?.der().to_vec(),
            private_key: key.serialize_der(),
        })
    }

    /// The certificate, DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// The private key, PKCS#8 DER, not encrypted.
    #[must_use]
    pub fn private_key_pkcs8(&self) -> &[u8] {
        &self.private_key
    }

    /// The certificate, then the private key (PKCS#8), as PEM blocks with line feeds.
    #[must_use]
    pub fn pem(&self) -> String {
        pem_block("CERTIFICATE", &self.certificate) + &pem_block("PRIVATE KEY", &self.private_key)
    }

    /// Key and certificate as PKCS#12 (PFX), AES-256 with a SHA-256 MAC, locked with `password`.
    ///
    /// # Errors
    ///
    /// If the PKCS#12 writer refuses them, which says that something is wrong with it.
    pub fn pfx(&self, password: &str) -> Result<Vec<u8>, PfxError> {
        let key = p12_keystore::PrivateKey::from_der(&self.private_key).map_err(PfxError::new)?;
        let certificate =
            p12_keystore::Certificate::from_der(&self.certificate).map_err(PfxError::new)?;
        // A password made by a machine gains nothing from more iterations.
        let chain = p12_keystore::PrivateKeyChain::new(vec![1_u8], key, [certificate]);
        let mut store = p12_keystore::KeyStore::new();
        store.add_entry(&self.name, p12_keystore::KeyStoreEntry::PrivateKeyChain(chain));
        store
            .writer(password)
            .encryption_iterations(2048)
            .mac_iterations(2048)
            .write()
            .map_err(PfxError::new)
    }
}

impl fmt::Debug for GeneratedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GeneratedKey({})", self.name)
    }
}

/// A PFX could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write the PFX")]
pub struct PfxError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl PfxError {
    fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}

/// One PEM block that ends in a line feed.
pub(crate) fn pem_block(tag: &str, contents: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(tag, contents), config)
}

/// The certificate in a PFX that `password` opens; `None` if there is none.
pub(crate) fn certificate_in_pfx(pfx: &[u8], password: &str) -> Option<Certificate> {
    let policy = p12_keystore::Pkcs12ImportPolicy::Strict;
    let store = p12_keystore::KeyStore::from_pkcs12(pfx, password, policy).ok()?;
    let (_, chain) = store.private_key_chain()?;
    Certificate::read(chain.certs().first()?.as_der())
}

/// The time from 1970 to `instant` (seconds since 1970); none before, and none beyond what X.509
/// can write. rcgen counts from [`rcgen::date_time_ymd`].
pub(crate) fn since_1970(instant: i64) -> Duration {
    const LAST: u64 = 253_402_207_200; // within 9999
    Duration::from_secs(u64::try_from(instant).unwrap_or(0).min(LAST))
}
