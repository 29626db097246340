//! The client assertion with which an application signs in: who it is, signed by its certificate.
//!
//! # Source
//!
//! Microsoft identity platform, "Application authentication certificate credentials"; rules
//! `AST-…` in `docs/protocol.md`.

use crate::id::{AppId, TokenId};
use crate::thumbprint::Thumbprint;
use crate::time::{Span, Timestamp};
use crate::token::{Algorithm, json_string, seal, signing_input};
use std::fmt;

/// How long an assertion is good for: what Microsoft's own libraries use.
pub const ASSERTION_LIFETIME: Span = Span::minutes(10);

/// A client assertion that lacks only its signature.
#[must_use = "an unsigned assertion asserts nothing"]
pub struct UnsignedAssertion {
    signing_input: String,
    algorithm: Algorithm,
}

/// A client assertion. Shown to nobody but the token endpoint: whoever has it may sign in once.
pub struct Assertion {
    token: String,
}

impl UnsignedAssertion {
    /// Prepares the assertion that its signer is `app`.
    ///
    /// * `app`: the application ID (`appId`, `client_id`), as `iss` and `sub`. Not the object ID.
    /// * `token_endpoint`: the address that the assertion is sent to, as `aud`.
    /// * `jti`: new for each assertion.
    /// * `now`: becomes `nbf` and `iat`, in whole seconds since 1970 (UTC); `exp` is `now` plus
    ///   [`ASSERTION_LIFETIME`].
    pub fn new(
        app: AppId,
        token_endpoint: &str,
        signed_by: Thumbprint,
        algorithm: Algorithm,
        jti: TokenId,
        now: Timestamp,
    ) -> Self {
        let aud = json_string(token_endpoint);
        let claims = format!(
            r#"{{"aud":{aud},"iss":"{app}","sub":"{app}","jti":"{jti}","nbf":{},"iat":{},"exp":{}}}"#,
            now.0,
            now.0,
            (now + ASSERTION_LIFETIME).0,
        );
        Self { signing_input: signing_input(algorithm, signed_by, &claims), algorithm }
    }

    /// The bytes to sign.
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// How to sign them.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Adds the signature (raw bytes, as long as the RSA modulus).
    pub fn seal(self, signature: &[u8]) -> Assertion {
        Assertion { token: seal(self.signing_input, signature) }
    }
}

impl Assertion {
    /// The compact JWT, for the field `client_assertion` of the request.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertion").finish_non_exhaustive()
    }
}
