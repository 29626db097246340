//! Reads the PFX (PKCS#12) files that people have, and writes files that others read.
//!
//! A PFX file holds private keys and certificates under a password. The format is old, the programs
//! that write it are many, and few keep to the letter of it. This crate reads what they write: its
//! corpus (`tests/data`) has files of OpenSSL, Java, Bouncy Castle, NSS, GnuTLS and Python, the forms
//! of .NET and Windows, and what none of them writes and the standards allow.
//!
//! ```
//! use rollkey_pfx::{PfxToWrite, Profile, ReadError, read, write};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = include_bytes!("../tests/data/chain-leaf-last.pfx");
//! let contents = read(file, "secret")?;
//! let identity = &contents.identities()[0];
//! let leaf = identity.certificate.expect("this file has one");
//! assert_eq!(identity.chain.len(), 2);
//!
//! let pfx = PfxToWrite {
//!     key: identity.key.pkcs8.as_der(),
//!     certificates: &[&leaf.der],
//!     friendly_name: Some("my application"),
//! };
//! let file = write(&pfx, "another secret", Profile::LEGACY_3DES)?;
//! assert_eq!(read(&file, "secret").unwrap_err(), ReadError::WrongPassword);
//! assert_eq!(read(&file, "another secret")?.certificates[0].der, leaf.der);
//! # Ok(())
//! # }
//! ```
//!
//! # What is read
//!
//! * **Encryption**: PBES2 with AES-128/192/256, 3DES, DES or RC2 and PBKDF2 (HMAC with SHA-1,
//!   SHA-224, SHA-256, SHA-384, SHA-512, SHA-512/256, SHA-3); the schemes of PKCS#12 with 3DES of two and
//!   three keys, RC2 and RC4 of 40 and 128 bits; PBES1 with SHA-1 and DES or RC2. Or none.
//! * **Checksum**: HMAC with the same hashes, PBMAC1 (RFC 9579), or none.
//! * **Encoding**: DER and BER, with indefinite lengths and strings in pieces.
//! * **Passwords**: of any characters; empty or none; and the ways in which old programs misread
//!   them.
//! * **Contents**: any number of keys and certificates, in any order, nested or not, with
//!   `friendlyName` and `localKeyId`. Revocation lists, secrets and SDSI certificates are left aside
//!   with a [`Warning`].
//!
//! # What is refused, by name
//!
//! Protection by a certificate instead of a password ([`ReadError::PublicKeyMode`]); Camellia,
//! scrypt, MD5 and whatever else is not listed above ([`ReadError::UnsupportedAlgorithm`]); and
//! whatever exceeds the [`Limits`]: a file may ask for 2,147,483,647 iterations, and is told no at
//! once.
//!
//! # What this crate will not do
//!
//! It has no I/O and no clock, verifies no signature and decides no trust: the chain that
//! [`Contents::identities`] puts together is an order of names. It contains no unsafe code. Private
//! keys, passwords and what is derived from them are erased when dropped, and no error and no
//! `Debug` shows any of them.
//!
//! # The rooms
//!
//! From the outside in: `reader` (what a file is, and what a failure means), `bags` (a safe taken
//! apart), `unlock` (a password tried), `scheme` and `mac` (what the file says about its
//! algorithms), `kdf`, `cipher` and `hash` (the algorithms), `password` (its forms), `ber` (bytes).
//! `contents` is what comes out, `pairing` and `public_key` put it in order, `writer` and `der` go
//! the other way. `error`, `limits` and `oid` are known to all.

#![forbid(unsafe_code)]

mod bags;
mod ber;
mod cipher;
mod contents;
mod der;
mod error;
mod hash;
mod kdf;
mod limits;
mod mac;
mod oid;
mod pairing;
mod password;
mod public_key;
mod reader;
mod scheme;
mod unlock;
mod writer;

pub use contents::{CertificateBag, Contents, IgnoredBag, KeyBag, Pkcs8, Warning};
pub use error::{Fault, Found, Part, ReadError, Role, WriteError};
pub use limits::Limits;
pub use oid::Oid;
pub use pairing::{Identity, MatchedBy};
pub use public_key::{Fit, fit};
pub use reader::{read, read_within};
pub use writer::{
    Algorithms, DEFAULT_ITERATIONS, MACHINE_PASSWORD_ITERATIONS, PfxToWrite, Profile, write,
    write_with_randomness,
};
