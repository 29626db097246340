//! A certificate around a key that we may not hold: in a vault or on a token, only the signature
//! can be had.
//!
//! Like a proof of possession, it is first made without its signature ([`UnsignedCertificate`]);
//! the bytes to sign go to whoever holds the key, and the signature seals it.

use super::{CertificateError, KeyAlgorithm};
use crate::ports::{BoxError, CertificateDer};
use aws_lc_rs::{rand, signature};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use rollkey_core::Timestamp;
use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The longest common name, in characters (RFC 5280, appendix A.1: `ub-common-name`).
const COMMON_NAME_MAX: usize = 64;

/// The last second that a certificate can name: 9999-12-31T23:59:59Z.
const LAST: Timestamp = Timestamp(253_402_300_799);

/// Bytes of a serial number; RFC 5280 allows 20.
const SERIAL_LENGTH: usize = 16;

/// What a certificate's subject is called. One that exists can be written into a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonName(String);

/// A text that cannot be a common name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommonNameError {
    /// It must have something to say.
    #[error("a common name cannot be empty")]
    Empty,
    /// The standard says 64.
    #[error("a common name has at most {COMMON_NAME_MAX} characters, not {0}")]
    TooLong(usize),
    /// It would be shown to people.
    #[error("a common name cannot hold control characters")]
    Control,
}

impl CommonName {
    /// Takes a name of 1 to 64 characters, none of which is a control character.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub fn new(name: impl Into<String>) -> Result<Self, CommonNameError> {
        let name = name.into();
        match name.chars().count() {
            _ if name.trim().is_empty() => Err(CommonNameError::Empty),
            _ if name.chars().any(char::is_control) => Err(CommonNameError::Control),
            n if n > COMMON_NAME_MAX => Err(CommonNameError::TooLong(n)),
            _ => Ok(Self(name)),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CommonName {
    type Err = CommonNameError;
    fn from_str(text: &str) -> Result<Self, CommonNameError> {
        Self::new(text)
    }
}

/// A self-signed certificate that lacks only its signature.
#[must_use = "an unsigned certificate certifies nothing"]
pub struct UnsignedCertificate {
    params: CertificateParams,
    /// `RSAPublicKey`, DER: what stands in the bit string of the SPKI.
    public_key: Vec<u8>,
    to_be_signed: Vec<u8>,
}

impl UnsignedCertificate {
    /// Prepares a certificate that is valid from `not_before` to `not_after`, to the second.
    ///
    /// * `spki`: the public key, an RSA `SubjectPublicKeyInfo`, DER.
    ///
    /// It may sign (`keyUsage` digitalSignature) and authenticate clients (`extKeyUsage`
    /// clientAuth), is no authority (`basicConstraints` CA:false), names its key
    /// (`subjectKeyIdentifier`) and has a random serial number.
    ///
    /// # Errors
    ///
    /// If the key is not RSA, or the dates are none that a certificate can bear.
    pub fn new(
        common_name: &CommonName,
        spki: &[u8],
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Self, CertificateError> {
        if not_after < not_before {
            return Err(CertificateError::Reversed);
        }
        let (_, spki) = SubjectPublicKeyInfo::from_der(spki)
            .map_err(|error| CertificateError::Encoding(Box::new(error)))?;
        match KeyAlgorithm::from_oid(&spki.algorithm.algorithm) {
            KeyAlgorithm::Rsa => (),
            other => return Err(CertificateError::NotRsa(other)),
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name.as_str());
        // rcgen speaks of time with a crate of its own; its year 1970 is all that we name of it.
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_before = epoch + since_1970(not_before)?;
        params.not_after = epoch + since_1970(not_after)?;
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial()?));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.is_ca = IsCa::ExplicitNoCa;
        let mut unsigned = Self {
            params,
            public_key: spki.subject_public_key.data.to_vec(),
            to_be_signed: Vec::new(),
        };
        (_, unsigned.to_be_signed) = unsigned.encode(&[])?;
        Ok(unsigned)
    }

    /// The bytes to sign: RSASSA-PKCS1-v1_5 over their SHA-256 (RS256).
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// Adds the signature (raw bytes, as long as the RSA modulus), once it was checked.
    ///
    /// # Errors
    ///
    /// [`CertificateError::WrongSignature`] if another key made it, or another algorithm.
    pub fn seal(self, signature: &[u8]) -> Result<CertificateDer, CertificateError> {
        let key = signature::UnparsedPublicKey::new(
            &signature::RSA_PKCS1_2048_8192_SHA256,
            &self.public_key,
        );
        key.verify(&self.to_be_signed, signature).map_err(|_| CertificateError::WrongSignature)?;
        let (certificate, signed) = self.encode(signature)?;
        debug_assert_eq!(signed, self.to_be_signed, "encoding the same twice gives the same");
        Ok(certificate)
    }

    /// The certificate with this signature, and the bytes that the signature is for.
    fn encode(&self, signature: &[u8]) -> Result<(CertificateDer, Vec<u8>), CertificateError> {
        let elsewhere = Elsewhere {
            public_key: &self.public_key,
            asked_to_sign: RefCell::default(),
            signature,
        };
        let certificate = self
            .params
            .self_signed(&elsewhere)
            .map_err(|error| CertificateError::Encoding(Box::new(error)))?;
        Ok((CertificateDer(certificate.der().to_vec()), elsewhere.asked_to_sign.into_inner()))
    }
}

impl fmt::Debug for UnsignedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsignedCertificate").finish_non_exhaustive()
    }
}

/// Makes an RS256 signature over the bytes that it is given.
pub type Signer<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, BoxError> + 'a;

/// Makes a certificate where the signature can be had at once. For the dates and what it says, see
/// [`UnsignedCertificate::new`].
///
/// # Errors
///
/// Those of [`UnsignedCertificate`], and [`CertificateError::Signer`] if the signer does not sign.
pub fn self_signed(
    common_name: &CommonName,
    spki: &[u8],
    not_before: Timestamp,
    not_after: Timestamp,
    signer: &Signer<'_>,
) -> Result<CertificateDer, CertificateError> {
    let unsigned = UnsignedCertificate::new(common_name, spki, not_before, not_after)?;
    let signature = signer(unsigned.to_be_signed()).map_err(CertificateError::Signer)?;
    unsigned.seal(&signature)
}

/// A key of which we have the public half: it notes what it should sign, and gives the signature
/// that it was given.
struct Elsewhere<'a> {
    public_key: &'a [u8],
    asked_to_sign: RefCell<Vec<u8>>,
    signature: &'a [u8],
}

impl rcgen::PublicKeyData for Elsewhere<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public_key
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for Elsewhere<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.asked_to_sign.replace(message.to_vec());
        Ok(self.signature.to_vec())
    }
}

/// What lies between 1970 and `at`, if a certificate can name that instant.
fn since_1970(at: Timestamp) -> Result<Duration, CertificateError> {
    match at <= LAST {
        true => Ok(Duration::from_secs(at.0)),
        false => Err(CertificateError::Unrepresentable(at)),
    }
}

/// A random number that is positive and always of the same length: its first bits are 01.
fn serial() -> Result<[u8; SERIAL_LENGTH], CertificateError> {
    let mut serial = [0; SERIAL_LENGTH];
    rand::fill(&mut serial).map_err(|_| CertificateError::NoRandom)?;
    serial[0] = (serial[0] & 0x3f) | 0x40;
    Ok(serial)
}
