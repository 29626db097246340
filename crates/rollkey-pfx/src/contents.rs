//! What was found in a PFX file: plain values, without a trace of how they were packed.
//!
//! Private keys are erased when dropped and never shown by `Debug`. Nothing here can fail.

use std::fmt;

use zeroize::Zeroizing;

use crate::oid::Oid;

/// What a PFX file holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Contents {
    /// The private keys, in the order of the file.
    pub keys: Vec<KeyBag>,
    /// The certificates, in the order of the file, which means nothing: see
    /// [`identities`](Self::identities).
    pub certificates: Vec<CertificateBag>,
    /// Whether the file has a checksum. One that does not fit is an error, so `true` means that
    /// nobody without the password has changed the file.
    pub mac_checked: bool,
    /// What a careful caller may want to tell: nothing here kept the file from being read.
    pub warnings: Vec<Warning>,
}

/// A private key and what the file says about it.
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyBag {
    /// The key itself.
    pub pkcs8: Pkcs8,
    /// The name that people see; Java's alias.
    pub friendly_name: Option<String>,
    /// What links the key to its certificate: the same octets in both bags.
    pub local_key_id: Option<Vec<u8>>,
}

/// A certificate and what the file says about it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateBag {
    /// The certificate, X.509 in DER as it stands in the file. It was not looked into.
    pub der: Vec<u8>,
    /// The name that people see; Java's alias.
    pub friendly_name: Option<String>,
    /// What links the certificate to its key: the same octets in both bags.
    pub local_key_id: Option<Vec<u8>>,
}

impl fmt::Debug for CertificateBag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateBag")
            .field("der", &format_args!("{} bytes", self.der.len()))
            .field("friendly_name", &self.friendly_name)
            .field("local_key_id", &self.local_key_id)
            .finish()
    }
}

/// A private key: PKCS#8 `PrivateKeyInfo` in DER, not encrypted.
///
/// Erased when dropped; `Debug` shows nothing of it.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    pub(crate) fn new(der: Zeroizing<Vec<u8>>) -> Self {
        Self(der)
    }

    /// The key in DER.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// The key in DER, still to be erased when dropped.
    pub fn into_der(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs8(..)")
    }
}

/// Something about a file that is odd and harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The file has no checksum: anybody may have changed it.
    NoMac,
    /// Bytes follow after the file's end. They were not read.
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A bag was left aside because it holds neither a private key nor an X.509 certificate.
    IgnoredBag {
        /// What it holds.
        kind: IgnoredBag,
    },
    /// An attribute of a bag (its name or its link) could not be read and was left aside.
    UnreadableAttribute,
}

/// What a bag holds that is neither a private key nor an X.509 certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IgnoredBag {
    /// A certificate revocation list.
    Crl,
    /// A secret, such as a symmetric key of a Java keystore.
    Secret,
    /// An SDSI certificate.
    SdsiCertificate,
    /// Something else, by its name.
    Other(Oid),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMac => f.write_str("the PFX file has no checksum; anybody may have changed it"),
            Self::TrailingBytes { count } => {
                write!(f, "{count} bytes after the end of the PFX file were not read")
            }
            Self::IgnoredBag { kind } => write!(f, "{kind} in the PFX file was left aside"),
            Self::UnreadableAttribute => {
                f.write_str("an attribute in the PFX file could not be read and was left aside")
            }
        }
    }
}

impl fmt::Display for IgnoredBag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crl => f.write_str("a revocation list"),
            Self::Secret => f.write_str("a secret that is no private key"),
            Self::SdsiCertificate => f.write_str("an SDSI certificate"),
            Self::Other(oid) => write!(f, "an unknown bag {oid}"),
        }
    }
}
