//! What people have: PFX and PEM files, read and judged before anything is sent or stored.
//!
//! What a file is, is told by its content and never by its name: a certificate and its key may come
//! in one file or in two, in any order, as PFX, PEM or DER, with text around them. What comes out,
//! [`Imported`], is fit for use: an RSA key of a size that works, with a certificate that is for
//! this key and valid now. Everything else is refused with an error of its own, which says why and
//! [what to do](ImportError::advice).
//!
//! What may never enter: a network, a keystore, and a secret in an error.

mod contents;
mod der;
mod error;
mod judge;
mod locked_key;
pub(crate) mod pem;

pub use error::{Encrypted, ImportError, LooksLike, PemProblem};

use crate::certificate::{CertificateInfo, KeyAlgorithm};
use crate::keystore::signing::RsaKey;
use crate::ports::CertificateDer;
use crate::secret::SecretBytes;
use contents::Found;
use rollkey_core::{Thumbprint, Timestamp};
use std::fmt;
use std::sync::Arc;

/// The bytes of one file.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What people call it: a path, most likely. For messages only.
    pub name: &'a str,
    /// All of it.
    pub bytes: &'a [u8],
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.name, self.bytes.len())
    }
}

/// A key and its certificates, judged fit for use. There is no other way to one than [`import`].
#[derive(Debug)]
pub struct Imported {
    certificates: Vec<CertificateDer>,
    private_key: SecretBytes,
    key: Arc<RsaKey>,
    info: CertificateInfo,
    warnings: Vec<ImportWarning>,
}

/// Something odd and harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportWarning {
    /// What the reader of PFX files noticed.
    Pfx(rollkey_pfx::Warning),
    /// A certificate belongs neither to the key nor to the issuers of its certificate. It was left
    /// aside.
    UnrelatedCertificate(Thumbprint),
    /// There was another private key. It was left aside.
    UnusedKey(KeyAlgorithm),
}

impl fmt::Display for ImportWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pfx(warning) => warning.fmt(f),
            Self::UnrelatedCertificate(thumbprint) => {
                write!(f, "certificate {thumbprint} belongs to something else and was left aside")
            }
            Self::UnusedKey(algorithm) => {
                write!(f, "another private key ({algorithm}) was left aside")
            }
        }
    }
}

impl Imported {
    /// The certificate of the key, followed by those of its issuers if they were there.
    pub fn certificates(&self) -> &[CertificateDer] {
        &self.certificates
    }

    /// The private key: RSA, PKCS#8, DER.
    pub fn private_key(&self) -> &SecretBytes {
        &self.private_key
    }

    /// The same key, read and checked already: reading it again would cost as much as a signature.
    pub fn key(&self) -> &RsaKey {
        &self.key
    }

    /// What the certificate of the key says.
    pub fn info(&self) -> &CertificateInfo {
        &self.info
    }

    /// What a careful caller may want to tell.
    pub fn warnings(&self) -> &[ImportWarning] {
        &self.warnings
    }
}

/// Reads a key and its certificate out of one file or several.
///
/// * `password`: UTF-8. `None` says that there is none; files that were written with an empty
///   password, or without one, open all the same.
/// * `now`: the certificate must be valid then, or in [`MAX_CLOCK_ERROR`] at the latest.
///
/// Where there are several keys and certificates, the key that fits a valid certificate is taken.
///
/// # Errors
///
/// See [`ImportError`]. Nothing was sent or stored.
///
/// [`MAX_CLOCK_ERROR`]: rollkey_core::MAX_CLOCK_ERROR
pub fn import(
    sources: &[Source<'_>],
    password: Option<&SecretBytes>,
    now: Timestamp,
) -> Result<Imported, ImportError> {
    judge::judge(Found::read(sources, password)?, now)
}

/// Reads all certificates out of one file or several, in their order, and judges none of them.
///
/// Private keys that stand beside them are passed over, opened only where a PFX file leaves no
/// other way.
///
/// # Errors
///
/// Those of reading, and [`ImportError::NoCertificate`] if there is none.
pub fn certificates(
    sources: &[Source<'_>],
    password: Option<&SecretBytes>,
) -> Result<Vec<CertificateDer>, ImportError> {
    let found = Found::read_certificates(sources, password)?;
    match found.certificates.is_empty() {
        true => Err(ImportError::NoCertificate),
        false => Ok(found.certificates.into_iter().map(|(der, _)| der).collect()),
    }
}
