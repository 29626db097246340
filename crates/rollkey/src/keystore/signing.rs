//! An RSA key that is here, in this process: made, read, signed with.
//!
//! Parsing a key costs as much as signing with it, so keystores keep a [`RsaKey`] and not its
//! bytes. The private parts live in the provider's memory, which wipes them when it frees them.

use super::{KeySize, KeySpec};
use crate::certificate::{self, CertificateError};
use crate::ports::{BoxError, CertificateDer, KeystoreError};
use crate::secret::SecretBytes;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, KeyPair as _, RsaKeyPair};
use rollkey_core::{Algorithm, Timestamp};

/// An RSA key pair that can sign.
pub struct RsaKey {
    pair: RsaKeyPair,
    spki: Vec<u8>,
}

/// An RSA key could not be made, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RsaKeyError {
    /// No key pair came of it.
    #[error("the cryptographic provider made no key")]
    Generate,
    /// The bytes are no RSA key, or one whose numbers do not belong together.
    #[error("the private key is not a sound RSA key")]
    Rejected(#[source] BoxError),
    /// The bytes do not say what kind of key they are.
    #[error("the private key names no algorithm")]
    NoAlgorithm,
    /// No signature came of it.
    #[error("the cryptographic provider made no signature")]
    Sign,
    /// The key could not be written down.
    #[error("the cryptographic provider did not encode the key")]
    Encode,
}

impl RsaKey {
    /// Makes a key pair. Takes from 50 ms to seconds, all of them busy.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Generate`].
    pub fn generate(size: KeySize) -> Result<Self, RsaKeyError> {
        let size = match size {
            KeySize::Rsa2048 => rsa::KeySize::Rsa2048,
            KeySize::Rsa3072 => rsa::KeySize::Rsa3072,
            KeySize::Rsa4096 => rsa::KeySize::Rsa4096,
        };
        Self::new(RsaKeyPair::generate(size).map_err(|_| RsaKeyError::Generate)?)
    }

    /// Reads a private key of 2048 to 8192 bits: PKCS#8, DER, not encrypted.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Rejected`]; what is wrong with it is told by its source, without the key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, RsaKeyError> {
        let pair = RsaKeyPair::from_pkcs8(der);
        Self::new(pair.map_err(|error| RsaKeyError::Rejected(Box::new(error)))?)
    }

    /// Reads a private key of 2048 to 8192 bits: PKCS#1 (`RSAPrivateKey`), DER.
    ///
    /// # Errors
    ///
    /// Like [`from_pkcs8`](Self::from_pkcs8).
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, RsaKeyError> {
        let pair = RsaKeyPair::from_der(der);
        Self::new(pair.map_err(|error| RsaKeyError::Rejected(Box::new(error)))?)
    }

    fn new(pair: RsaKeyPair) -> Result<Self, RsaKeyError> {
        let spki: PublicKeyX509Der<'_> =
            pair.public_key().as_der().map_err(|_| RsaKeyError::Encode)?;
        let spki = spki.as_ref().to_vec();
        Ok(Self { pair, spki })
    }

    /// The private key as PKCS#8, DER.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Encode`].
    pub fn to_pkcs8(&self) -> Result<SecretBytes, RsaKeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| RsaKeyError::Encode)?;
        Ok(SecretBytes::new(der.as_ref().to_vec()))
    }

    /// The public half: `SubjectPublicKeyInfo`, DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether a certificate is for this key.
    pub fn fits(&self, certificate: &CertificateDer) -> bool {
        certificate::parse(&certificate.0).is_ok_and(|certificate| {
            *certificate.public_key().subject_public_key.data == *self.pair.public_key().as_ref()
        })
    }

    /// Signs `message`, which is hashed here. The signature is as long as the modulus.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Sign`].
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, RsaKeyError> {
        let padding: &'static dyn signature::RsaEncoding = match algorithm {
            Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
            Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        };
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(padding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| RsaKeyError::Sign)?;
        Ok(signature)
    }

    /// A self-signed certificate for this key.
    pub(crate) fn certify(
        &self,
        spec: &KeySpec,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<CertificateDer, CertificateError> {
        certificate::self_signed(&spec.common_name, &self.spki, not_before, not_after, &|message| {
            Ok(self.sign(Algorithm::Rs256, message)?)
        })
    }
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaKey(…)")
    }
}

/// A key with its certificates, its own first: what a keystore that holds keys itself keeps.
#[derive(Debug)]
pub(crate) struct CertifiedKey {
    pub(crate) key: RsaKey,
    pub(crate) certificates: Vec<CertificateDer>,
}

impl CertifiedKey {
    /// Makes a key and its certificate.
    ///
    /// Making a key is seconds of arithmetic in the worst case, so it is done on a thread of its
    /// own where there is a runtime whose other tasks it would hold up. If the future is dropped
    /// meanwhile, the key is thrown away and nothing has happened.
    pub(crate) async fn make(
        spec: &KeySpec,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Self, KeystoreError> {
        let size = spec.bits;
        let failed = |source: BoxError| KeystoreError::Crypto {
            action: "make a key pair",
            key: NEW.to_owned(),
            source,
        };
        let key = match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime
                .spawn_blocking(move || RsaKey::generate(size))
                .await
                .map_err(|error| failed(Box::new(error)))?,
            Err(_) => RsaKey::generate(size),
        };
        let key = key.map_err(|error| failed(Box::new(error)))?;
        let certificate =
            key.certify(spec, not_before, not_after).map_err(|source| KeystoreError::Crypto {
                action: "make a certificate",
                key: NEW.to_owned(),
                source: Box::new(source),
            })?;
        Ok(Self { key, certificates: vec![certificate] })
    }

    pub(crate) fn sign(
        &self,
        algorithm: Algorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeystoreError> {
        self.key.sign(algorithm, message).map_err(|error| self.failed("sign", error))
    }

    pub(crate) fn to_pkcs8(&self) -> Result<SecretBytes, KeystoreError> {
        self.key.to_pkcs8().map_err(|error| self.failed("export the private key", error))
    }

    fn failed(&self, action: &'static str, error: RsaKeyError) -> KeystoreError {
        let name = self.certificates.first().map(|leaf| certificate::thumbprint(&leaf.0));
        KeystoreError::Crypto {
            action,
            key: name.map_or_else(|| NEW.to_owned(), |name| name.to_string()),
            source: Box::new(error),
        }
    }
}

/// What a key is called that has no certificate yet.
const NEW: &str = "new";
