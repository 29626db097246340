//! Why something was refused, and what to do.
//!
//! One variant for each reason. None holds a password, a key, or bytes of a file; names of files
//! and thumbprints are all that is told of them.

use crate::certificate::{CertificateError, KeyAlgorithm};
use crate::keystore::signing::RsaKeyError;
use rollkey_core::{Thumbprint, Timestamp};
use rollkey_pfx::{Oid, ReadError};
use std::fmt;

/// The smallest RSA key that is taken, in bits.
pub(super) const MIN_BITS: u32 = 2048;

/// The largest RSA key that is taken, in bits: what the cryptographic provider can use.
pub(super) const MAX_BITS: u32 = 8192;

/// Files were read or judged, and refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    // Reading.
    /// The file holds neither a certificate nor a key.
    #[error("{place} holds neither a certificate nor a private key: it {looks}")]
    NotACertificateFile {
        /// The file.
        place: String,
        /// What it is instead.
        looks: LooksLike,
    },
    /// It is far larger than any file of this kind.
    #[error("{place} has {bytes} bytes; {limit} are read at most")]
    TooLarge {
        /// The file.
        place: String,
        /// Its size.
        bytes: usize,
        /// What we read.
        limit: usize,
    },
    /// A PEM file is damaged.
    #[error("{place} is damaged: the block {label} {problem}")]
    Pem {
        /// The file.
        place: String,
        /// What stands after `BEGIN`.
        label: String,
        /// What is wrong with it.
        problem: PemProblem,
    },
    /// A PFX file cannot be read, for a reason that is not its password.
    #[error("{place} cannot be read")]
    Pfx {
        /// The file.
        place: String,
        /// Why not.
        #[source]
        source: ReadError,
    },
    /// An encrypted private key cannot be read, for a reason that is not its password.
    #[error("the encrypted private key in {place} cannot be read")]
    LockedKey {
        /// The file.
        place: String,
        /// Why not.
        #[source]
        source: ReadError,
    },
    /// It is encrypted in a way that we do not have.
    #[error("{place} is encrypted with {algorithm}, which is not supported")]
    UnsupportedCipher {
        /// The file.
        place: String,
        /// In which way.
        algorithm: Oid,
    },
    /// The private key is encrypted as OpenSSL did it before version 1.0, inside of the PEM block.
    #[error("the private key in {place} is encrypted in OpenSSL's old way ({cipher})")]
    OldEncryption {
        /// The file.
        place: String,
        /// As it stands in the file: `DES-EDE3-CBC`.
        cipher: String,
    },
    /// It is encrypted, and no password was given.
    #[error("{what} {place} is encrypted, and no password was given")]
    PasswordNeeded {
        /// The file.
        place: String,
        /// What about it is encrypted.
        what: Encrypted,
    },
    /// The password is not the file's.
    #[error("the password does not open {what} {place}")]
    WrongPassword {
        /// The file.
        place: String,
        /// What about it is encrypted.
        what: Encrypted,
    },
    /// The password is not UTF-8.
    #[error("the password is not UTF-8")]
    PasswordEncoding,
    /// A certificate cannot be read.
    #[error("a certificate in {place} cannot be read")]
    UnreadableCertificate {
        /// The file.
        place: String,
        /// Why not.
        #[source]
        source: CertificateError,
    },
    /// A private key cannot be read.
    #[error("the private key in {place} cannot be read")]
    UnreadableKey {
        /// The file.
        place: String,
        /// Why not.
        #[source]
        source: RsaKeyError,
    },

    // Judging.
    /// There is a certificate, and no key.
    #[error("there is a certificate, but no private key")]
    NoKey,
    /// There is a key, and no certificate.
    #[error("there is no certificate")]
    NoCertificate,
    /// The key is not RSA, or bound to PSS.
    #[error("the key is {algorithm}; Microsoft Entra takes plain RSA keys only")]
    KeyType {
        /// What it is.
        algorithm: KeyAlgorithm,
    },
    /// The key is too small.
    #[error("the RSA key has {bits} bits; at least {MIN_BITS} are needed")]
    KeyTooSmall {
        /// Its size.
        bits: u32,
    },
    /// The key is too large.
    #[error("the RSA key has {bits} bits; at most {MAX_BITS} can be used")]
    KeyTooLarge {
        /// Its size.
        bits: u32,
    },
    /// The key is for no certificate that is there.
    #[error("the private key does not belong to {}", list(.certificates))]
    DoesNotFit {
        /// Those that are there.
        certificates: Vec<Thumbprint>,
    },
    /// Several certificates are valid, and the key of each is there.
    #[error("there are keys for several certificates: {}", list(.certificates))]
    Ambiguous {
        /// Those.
        certificates: Vec<Thumbprint>,
    },
    /// The certificate has expired.
    #[error("certificate {certificate} expired on {}", date(*.not_after))]
    Expired {
        /// Which one.
        certificate: Thumbprint,
        /// The last second in which it was valid.
        not_after: Timestamp,
    },
    /// The certificate is not valid yet.
    #[error("certificate {certificate} is not valid before {}", date(*.not_before))]
    NotYetValid {
        /// Which one.
        certificate: Thumbprint,
        /// The first second in which it will be.
        not_before: Timestamp,
    },
}

/// What is wrong with a PEM block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PemProblem {
    /// The file stops before the end line, or another block begins.
    NoEnd,
    /// The end line names another block.
    OtherEnd {
        /// What stands after `END`.
        label: String,
    },
    /// Something between the lines is not base64.
    NotBase64,
}

impl fmt::Display for PemProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEnd => f.write_str("has no end line"),
            Self::OtherEnd { label } => write!(f, "ends as {label}"),
            Self::NotBase64 => f.write_str("is not base64"),
        }
    }
}

/// What is behind a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encrypted {
    /// A PFX file.
    Pfx,
    /// A private key, PKCS#8.
    Key,
}

impl fmt::Display for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pfx => "the PFX file",
            Self::Key => "the private key in",
        })
    }
}

/// What a file is that is not what we look for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LooksLike {
    /// Nothing at all.
    Empty,
    /// A PFX file without any key or certificate.
    EmptyPfx,
    /// A request for a certificate (CSR).
    CertificateRequest,
    /// A revocation list (CRL).
    RevocationList,
    /// A public key without a certificate.
    PublicKey,
    /// PKCS#7 (`.p7b`): certificates without a key.
    Pkcs7,
    /// A private key as OpenSSH writes it.
    OpenSshKey,
    /// A public key as OpenSSH writes it.
    OpenSshPublicKey,
    /// A private key as PuTTY writes it.
    PuttyKey,
    /// Something of OpenPGP.
    Pgp,
    /// A Java keystore of the old kinds, JKS or JCEKS.
    JavaKeystore,
    /// A ZIP archive, or something built of one.
    Zip,
    /// JSON, a JWK perhaps.
    Json,
    /// XML or HTML.
    Markup,
    /// A PEM block of another kind.
    PemBlock {
        /// What stands after `BEGIN`.
        label: String,
    },
    /// DER that should go on where it ends.
    CutOff,
    /// DER of another kind.
    Der,
    /// Text of another kind.
    Text,
    /// Bytes of another kind.
    Binary,
}

impl fmt::Display for LooksLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::EmptyPfx => "is a PFX file with nothing in it",
            Self::CertificateRequest => "is a certificate request",
            Self::RevocationList => "is a certificate revocation list",
            Self::PublicKey => "is a public key without a certificate",
            Self::Pkcs7 => "is PKCS#7, which holds no private key",
            Self::OpenSshKey => "is a private key of OpenSSH",
            Self::OpenSshPublicKey => "is a public key of OpenSSH",
            Self::PuttyKey => "is a private key of PuTTY",
            Self::Pgp => "is a file of OpenPGP",
            Self::JavaKeystore => "is a Java keystore (JKS or JCEKS)",
            Self::Zip => "is a ZIP archive",
            Self::Json => "is JSON",
            Self::Markup => "is XML or HTML",
            Self::PemBlock { label } => return write!(f, "is a PEM file with {label}"),
            Self::CutOff => "is cut off in the middle",
            Self::Der => "is DER of another kind",
            Self::Text => "is text of another kind",
            Self::Binary => "is of no known format",
        })
    }
}

impl ImportError {
    /// What to do about it, for people.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NotACertificateFile { looks, .. } => looks.advice(),
            Self::TooLarge { .. } => "give the file with the certificate and the key",
            Self::Pem { .. } | Self::UnreadableCertificate { .. } => "fetch or copy the file again",
            Self::Pfx { source, .. } | Self::LockedKey { source, .. } => advice_on(source),
            Self::UnsupportedCipher { .. } => {
                "write the file anew with AES: openssl pkcs12 or openssl pkcs8 -topk8 -v2 aes256"
            }
            Self::OldEncryption { .. } => {
                "write the key anew: openssl pkcs8 -topk8 -v2 aes256 -in KEY -out NEW"
            }
            Self::PasswordNeeded { .. } => "give the password",
            Self::WrongPassword { .. } => "give the password with which the file was written",
            Self::PasswordEncoding => "give the password as UTF-8",
            Self::UnreadableKey { .. } => "the key is damaged; get it from where it came from",
            Self::NoKey => {
                "give the file with the private key as well, or export the certificate together \
                 with its key"
            }
            Self::NoCertificate => "give the file with the certificate as well",
            Self::KeyType { .. } => "make an RSA key; rollkey makes one itself when it rotates",
            Self::KeyTooSmall { .. } | Self::KeyTooLarge { .. } => {
                "make a key of 2048 bits; rollkey makes one itself when it rotates"
            }
            Self::DoesNotFit { .. } => "give the certificate that was made for this key",
            Self::Ambiguous { .. } => "give one key and its certificate alone",
            Self::Expired { .. } => {
                "have another certificate registered, in the portal for example, and give that"
            }
            Self::NotYetValid { .. } => "wait until then, or check the clock of this machine",
        }
    }
}

impl LooksLike {
    fn advice(&self) -> &'static str {
        match self {
            Self::CertificateRequest => "give the certificate that was made of the request",
            Self::Pkcs7 | Self::PublicKey | Self::RevocationList => {
                "give a PFX file, or PEM with the certificate and its private key"
            }
            Self::CutOff => "fetch or copy the file again",
            Self::OpenSshKey => "write the key anew, on a copy: ssh-keygen -p -m PKCS8 -f COPY",
            Self::PuttyKey => {
                "export the key: puttygen KEY -O private-openssh-new, then ssh-keygen"
            }
            Self::JavaKeystore => {
                "convert it: keytool -importkeystore -srckeystore FILE -destkeystore NEW.pfx \
                 -deststoretype PKCS12"
            }
            _ => "give a PFX file, or PEM or DER files with the certificate and its private key",
        }
    }
}

fn advice_on(error: &ReadError) -> &'static str {
    match error {
        ReadError::Truncated { .. } | ReadError::Malformed { .. } | ReadError::Altered => {
            "fetch or copy the file again"
        }
        ReadError::TooManyIterations { .. } | ReadError::TooMuchWork { .. } => {
            "do not trust the file; write it anew if it is yours"
        }
        _ => "write the file anew with one password and AES",
    }
}

fn list(certificates: &[Thumbprint]) -> String {
    let shown: Vec<_> = certificates.iter().map(Thumbprint::to_string).collect();
    match &shown[..] {
        [] => "any certificate".to_owned(),
        [one] => format!("certificate {one}"),
        several => format!("certificates {}", several.join(", ")),
    }
}

fn date(at: Timestamp) -> String {
    let date = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    date.map_or_else(|| format!("second {}", at.0), |date| date.to_string())
}
