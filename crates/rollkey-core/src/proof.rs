//! The proof of possession that `addKey` and `removeKey` demand.
//!
//! # Source
//!
//! Microsoft Graph documentation, "Generate proof-of-possession tokens for rolling keys" and
//! "application: addKey"; rules `POP-…` in `docs/protocol.md`.

use crate::id::ObjectId;
use crate::thumbprint::Thumbprint;
use crate::time::{Span, Timestamp};
use crate::token::{Algorithm, seal, signing_input};
use std::fmt;

/// How long a proof of possession is good for.
///
/// Microsoft *recommends* this lifespan and asks for `exp` = `nbf` + 10 minutes. We treat it as a
/// bound of our own: a step that stalls for longer can no longer take effect.
pub const PROOF_LIFETIME: Span = Span::minutes(10);

/// The audience of every proof, in every cloud, and of nothing else.
///
/// This is the application ID of the retired Azure AD Graph (`…0002…`), not of Microsoft Graph
/// (`…0003…`). It looks like a typing error and is not one.
pub const PROOF_AUDIENCE: &str = "00000002-0000-0000-c000-000000000000";

/// A proof of possession that lacks only its signature.
///
/// The signature is made elsewhere, because the private key may live where we cannot go: in a key
/// vault or on a token. Hand [`signing_input`](Self::signing_input) to the signer and the result to
/// [`seal`](Self::seal).
#[must_use = "an unsigned proof proves nothing"]
pub struct UnsignedProof {
    signing_input: String,
    algorithm: Algorithm,
    expires_at: Timestamp,
}

/// A proof of possession. Shown to nobody but Graph: whoever has it may add a key for ten minutes.
pub struct Proof {
    token: String,
    expires_at: Timestamp,
}

impl UnsignedProof {
    /// Prepares a proof that its signer holds a key of `issuer`.
    ///
    /// * `issuer`: the **object** ID of the application or service principal (`id` in Graph), not
    ///   its application ID (`appId`). Graph answers the wrong one with
    ///   `Authentication_MissingOrMalformed`, which names neither.
    /// * `signed_by`: a certificate that is registered on `issuer` and has not expired.
    /// * `algorithm`: [`Algorithm::Rs256`] unless a tenant is being asked whether it takes the
    ///   other.
    /// * `now`: becomes `nbf`, in whole seconds since 1970 (UTC). `exp` is `now` plus
    ///   [`PROOF_LIFETIME`].
    pub fn new(
        issuer: ObjectId,
        signed_by: Thumbprint,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Self {
        let expires_at = now + PROOF_LIFETIME;
        let claims = format!(
            r#"{{"aud":"{PROOF_AUDIENCE}","iss":"{issuer}","nbf":{},"exp":{}}}"#,
            now.0, expires_at.0,
        );
        Self { signing_input: signing_input(algorithm, signed_by, &claims), algorithm, expires_at }
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
    pub fn seal(self, signature: &[u8]) -> Proof {
        Proof { token: seal(self.signing_input, signature), expires_at: self.expires_at }
    }
}

impl Proof {
    /// The compact JWT, for the property `proof` of the request.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// When it is dead.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
