//! Thumbprints of certificates: hashes over their DER, made elsewhere.
//!
//! Graph and the portals name a certificate by its SHA-1 thumbprint, tokens by SHA-1 (`x5t`) or
//! SHA-256 (`x5t#S256`). Two certificates are the same to us only if both agree.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::fmt;

/// A text that is no thumbprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseThumbprintError;

impl fmt::Display for ParseThumbprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a SHA-1 thumbprint: expected 40 hexadecimal digits")
    }
}

impl std::error::Error for ParseThumbprintError {}

/// SHA-1 over the DER of a certificate: what portals show, and `x5t` in a token's header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha1Thumbprint(pub [u8; 20]);

/// SHA-256 over the DER of a certificate: `x5t#S256` in a token's header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Thumbprint(pub [u8; 32]);

/// What identifies a certificate here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint {
    /// For Graph's lists, and for `x5t`.
    pub sha1: Sha1Thumbprint,
    /// For `x5t#S256`.
    pub sha256: Sha256Thumbprint,
}

impl Sha1Thumbprint {
    /// Reads `customKeyIdentifier` as Graph writes it.
    ///
    /// Graph declares it as base64, and yet writes 40 hexadecimal digits where it filled it in
    /// itself; what a client supplied comes back as base64 (28 characters). Colons and spaces
    /// between hexadecimal digits, as tools print them, are passed over.
    ///
    /// # Errors
    ///
    /// If it is neither; a client may have stored anything there.
    pub fn parse(text: &str) -> Result<Self, ParseThumbprintError> {
        let compact: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        if compact.len() == 40 && compact.bytes().all(|b| b.is_ascii_hexdigit()) {
            let mut bytes = [0; 20];
            for (n, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(&compact[2 * n..2 * n + 2], 16)
                    .map_err(|_| ParseThumbprintError)?;
            }
            return Ok(Self(bytes));
        }
        let bytes = STANDARD.decode(text).map_err(|_| ParseThumbprintError)?;
        bytes.try_into().map(Self).map_err(|_| ParseThumbprintError)
    }

    /// The value of `x5t`: base64url without padding.
    pub fn x5t(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The first eight digits, for people.
    pub fn short(&self) -> String {
        self.0[..4].iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

impl Sha256Thumbprint {
    /// The value of `x5t#S256`: base64url without padding.
    pub fn x5t_s256(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Display for Sha1Thumbprint {
    /// 40 upper-case hexadecimal digits, as the portals show them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Display for Sha256Thumbprint {
    /// 64 upper-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Display for Thumbprint {
    /// The SHA-1 form, as the portals show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sha1.fmt(f)
    }
}

impl fmt::Debug for Sha1Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Sha256Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.sha1.short())
    }
}
