//! What can go wrong, sorted by what the caller may do now.
//!
//! No variant ever holds a password, a key or bytes of the file, so that every error may be logged.
//! This room knows no other room except the names of algorithms.

use std::fmt;

use crate::oid::Oid;

/// A file was not read.
///
/// The variants answer one question: what may the caller do now?
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are something else. Hand them to the reader that [`Found`] points to.
    #[error("not a PFX file: {found}")]
    NotPfx {
        /// What the bytes look like.
        found: Found,
    },

    /// The file begins like a PFX and stops in the middle. Fetch or copy it again.
    #[error("the PFX file is cut off: it ends after {length} bytes, in the middle of its content")]
    Truncated {
        /// How many bytes were given.
        length: usize,
    },

    /// The file is damaged, or was written by a program that does not keep to the format. Another
    /// password will not help; get the file again from where it came from.
    #[error("the PFX file is damaged: {part}: {fault}")]
    Malformed {
        /// Where it is damaged.
        part: Part,
        /// What is wrong there.
        fault: Fault,
    },

    /// The password opens nothing in this file. Ask for another.
    ///
    /// A file that is encrypted nowhere has only a checksum to hold the password against; there, a
    /// damaged file cannot be told from a wrong password.
    #[error("the password is wrong, or the PFX file is damaged")]
    WrongPassword,

    /// The password is right, and the file was changed after it was written with it: parts of it
    /// open, but its checksum does not fit. Do not use it; get the file again.
    #[error("the password is right, but the PFX file was changed after it was written")]
    Altered,

    /// The password is the file's, but this part does not open with it: it is damaged, or has a
    /// password of its own (some Java keystores). Write the file anew with one password.
    #[error(
        "the password is right, but {part} does not open with it: it is damaged or has another \
         password"
    )]
    PartLocked {
        /// What does not open.
        part: Part,
    },

    /// The file needs an algorithm that this crate does not have. Write the file anew with another,
    /// for example with AES-256-CBC.
    #[error("the PFX file uses {algorithm} as {role}, which is not supported")]
    UnsupportedAlgorithm {
        /// What the algorithm is needed for.
        role: Role,
        /// Which one it is.
        algorithm: Oid,
    },

    /// The file is protected by certificates (signed or enveloped) and not by a password. Write it
    /// anew with a password.
    #[error(
        "the PFX file is protected by a certificate and not by a password ({content}), which is \
         not supported"
    )]
    PublicKeyMode {
        /// The kind of content that says so.
        content: Oid,
    },

    /// The file is of another version than 3, the only one in use.
    #[error("the PFX file is of version {version}; only version 3 is supported")]
    UnsupportedVersion {
        /// The version that the file claims.
        version: u64,
    },

    /// One derivation asks for more iterations than [`Limits`](crate::Limits) allow. Refused before
    /// any work. Raise the limit only for a file whose origin you know.
    #[error("the PFX file asks for {asked} iterations; the limit is {limit}")]
    TooManyIterations {
        /// What the file asks for.
        asked: u64,
        /// What [`Limits::max_iterations`](crate::Limits::max_iterations) allows.
        limit: u64,
    },

    /// All derivations together take more work than [`Limits`](crate::Limits) allow.
    #[error("the PFX file asks for more than {limit} iterations in all, which is the limit")]
    TooMuchWork {
        /// What [`Limits::max_total_iterations`](crate::Limits::max_total_iterations) allows.
        limit: u64,
    },

    /// The file is larger than [`Limits`](crate::Limits) allow.
    #[error("the file has {size} bytes; the limit for a PFX file is {limit}")]
    TooLarge {
        /// The size of the file, in bytes.
        size: usize,
        /// What [`Limits::max_size`](crate::Limits::max_size) allows.
        limit: usize,
    },

    /// Elements are nested deeper than [`Limits`](crate::Limits) allow. No program writes such files.
    #[error("the PFX file is nested more than {limit} levels deep, which is the limit")]
    TooDeep {
        /// What [`Limits::max_depth`](crate::Limits::max_depth) allows.
        limit: u8,
    },
}

/// A file was not written. Nothing was made; the arguments are to be mended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The key is not a PKCS#8 `PrivateKeyInfo` in DER. Perhaps it is PEM, PKCS#1 or SEC 1, or
    /// encrypted.
    #[error("the private key is not unencrypted PKCS#8 in DER")]
    NotPkcs8,

    /// There is no certificate. A PFX without one is of no use to its readers.
    #[error("there is no certificate for the private key")]
    NoCertificate,

    /// One of the certificates is not an X.509 certificate in DER. Perhaps it is PEM.
    #[error("certificate {position} is not an X.509 certificate in DER")]
    NotACertificate {
        /// Its place in the list; 0 is the leaf.
        position: usize,
    },

    /// The first certificate is not the one of the private key. Put the leaf first.
    #[error("the first certificate is for another key than the private key")]
    CertificateForAnotherKey,

    /// The operating system gave no randomness. Try again.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}

/// What the bytes look like that are not a PFX file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// No bytes at all.
    Nothing,
    /// Text with `-----BEGIN`.
    Pem,
    /// Text that is probably a PFX in base64, as Key Vault's secrets hold it.
    Base64,
    /// A Java keystore of type JKS or JCEKS.
    JavaKeystore,
    /// A certificate in DER.
    Certificate,
    /// A private key in DER (PKCS#8, PKCS#1 or SEC 1).
    PrivateKey,
    /// PKCS#7 or CMS in DER.
    Pkcs7,
    /// Nothing that we know.
    Unknown,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "it is empty",
            Self::Pem => "this is PEM",
            Self::Base64 => "this is base64 text, perhaps of a PFX file; decode it first",
            Self::JavaKeystore => {
                "this is a Java keystore (JKS or JCEKS); convert it with keytool to PKCS12"
            }
            Self::Certificate => "this is a certificate (DER), without a private key",
            Self::PrivateKey => "this is a private key (DER), without a certificate",
            Self::Pkcs7 => "this is PKCS#7 (DER), which holds no private key",
            Self::Unknown => "its first bytes are those of no known format",
        })
    }
}

/// A part of a PFX file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The outermost structure.
    File,
    /// The checksum and its parameters.
    Mac,
    /// The list of safes.
    AuthenticatedSafe,
    /// An encrypted safe, before decryption.
    EncryptedSafe,
    /// The list of bags in a safe.
    SafeContents,
    /// The parameters of an encryption.
    EncryptionParameters,
    /// A private key in its encrypted bag.
    EncryptedKey,
    /// A private key.
    Key,
    /// A certificate bag.
    Certificate,
    /// The attributes of a bag.
    Attributes,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "the outermost structure",
            Self::Mac => "the checksum",
            Self::AuthenticatedSafe => "the list of safes",
            Self::EncryptedSafe => "an encrypted safe",
            Self::SafeContents => "the list of bags",
            Self::EncryptionParameters => "the parameters of an encryption",
            Self::EncryptedKey => "an encrypted private key",
            Self::Key => "a private key",
            Self::Certificate => "a certificate",
            Self::Attributes => "the attributes of a bag",
        })
    }
}

/// What is wrong with a part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An element ends after its container, or is missing.
    EndsEarly,
    /// A length is not encoded as BER allows.
    Length,
    /// A tag of more than one octet, which PFX never uses.
    LongTag,
    /// Another element than the one expected; both are given by their tag octet.
    Tag {
        /// The tag octet that the format asks for.
        expected: u8,
        /// The one that is there.
        found: u8,
    },
    /// An integer is negative, empty or far too large.
    Integer,
    /// An object identifier cannot be read.
    ObjectIdentifier,
    /// An iteration count of zero.
    ZeroIterations,
    /// A key length that the cipher cannot have.
    KeyLength,
    /// An initialization vector that is not one block long.
    InitializationVector,
    /// Bytes follow where nothing may.
    Surplus,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndsEarly => f.write_str("an element is missing or ends too late"),
            Self::Length => f.write_str("a length is not valid"),
            Self::LongTag => f.write_str("a tag is longer than one octet"),
            Self::Tag { expected, found } => {
                write!(f, "the element 0x{found:02x} stands where 0x{expected:02x} should")
            }
            Self::Integer => f.write_str("an integer is out of range"),
            Self::ObjectIdentifier => f.write_str("an object identifier is not valid"),
            Self::ZeroIterations => f.write_str("the iteration count is zero"),
            Self::KeyLength => f.write_str("the key length does not suit the cipher"),
            Self::InitializationVector => {
                f.write_str("the initialization vector does not suit the cipher")
            }
            Self::Surplus => f.write_str("bytes follow where nothing may"),
        }
    }
}

/// What an algorithm is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// To decrypt.
    Cipher,
    /// To make a key of the password.
    KeyDerivation,
    /// To check that the file was not changed.
    Mac,
    /// To say what a part of the file is.
    ContentType,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cipher => "cipher",
            Self::KeyDerivation => "key derivation",
            Self::Mac => "checksum",
            Self::ContentType => "kind of content",
        })
    }
}
