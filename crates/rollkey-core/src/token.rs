//! What the proof and the client assertion have in common: a header that names the signing
//! certificate, base64url without padding, and a signature that is made elsewhere.

use crate::thumbprint::Thumbprint;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt::{self, Write as _};

/// How a token is signed, and by which thumbprint its header names the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 over SHA-256, with `x5t` (SHA-1). What every client known to work sends
    /// as a proof.
    Rs256,
    /// RSASSA-PSS over SHA-256 with a salt of 32 bytes, with `x5t#S256`. What the documentation
    /// asks of client assertions.
    Ps256,
}

impl Algorithm {
    /// The value of `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Header and payload, encoded and joined by a dot: the bytes to sign.
///
/// Neither part is ever padded: Graph answers a `=` with `Authentication_MissingOrMalformed`.
pub(crate) fn signing_input(algorithm: Algorithm, signed_by: Thumbprint, claims: &str) -> String {
    let thumbprint = match algorithm {
        Algorithm::Rs256 => format!(r#""x5t":"{}""#, signed_by.sha1.x5t()),
        Algorithm::Ps256 => format!(r#""x5t#S256":"{}""#, signed_by.sha256.x5t_s256()),
    };
    let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT",{thumbprint}}}"#);
    let mut input = URL_SAFE_NO_PAD.encode(header);
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut input);
    input
}

/// Adds the signature to what was signed.
pub(crate) fn seal(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut signing_input);
    signing_input
}

/// A JSON string with its quotes.
pub(crate) fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
