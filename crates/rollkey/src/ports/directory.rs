//! The door to the registered keys, and what its answers bear. No adapter is named here.

use super::{AccessToken, BoxError, CertificateDer, Dated};
use crate::answer::Refusal;
use futures_util::future::BoxFuture;
use rollkey_core::{KeyId, Listing, ObjectId, Proof, Span};

/// What the directory let us see.
#[derive(Clone, Debug)]
pub enum DirectoryView {
    /// The keys that are registered.
    Listing(Listing),
    /// We may not read this object. Rolling one's own keys can be allowed where reading is not.
    Forbidden(Refusal),
}

/// Where the public halves are registered: Microsoft Graph, or something that speaks like it.
///
/// An implementation translates, and decides nothing: it does not repeat a write that may have been
/// made, does not cache what can change, and does not turn one answer into another. It is built for
/// one object, application or service principal.
pub trait Directory: Send + Sync {
    /// The object id of that object: the issuer of proofs. Asks for it, once, if the object is
    /// addressed by its app id.
    fn object_id<'a>(
        &'a self,
        bearer: &'a AccessToken,
    ) -> BoxFuture<'a, Result<ObjectId, DirectoryError>>;

    /// Lists the keys registered on the object, ours and everybody's.
    ///
    /// The answer may be some minutes old, so a key missing from it may exist.
    fn list<'a>(
        &'a self,
        bearer: &'a AccessToken,
    ) -> BoxFuture<'a, Result<Dated<DirectoryView>, DirectoryError>>;

    /// Registers a certificate (`addKey`) and returns the `keyId` that the directory gave it.
    ///
    /// Takes a certificate and never a private key: what cannot be passed cannot be leaked.
    /// Calling it twice may register the certificate twice.
    fn add_key<'a>(
        &'a self,
        bearer: &'a AccessToken,
        certificate: &'a CertificateDer,
        display_name: &'a str,
        proof: &'a Proof,
    ) -> BoxFuture<'a, Result<Dated<KeyId>, DirectoryError>>;

    /// Removes a key (`removeKey`).
    ///
    /// `Ok` also when the directory finds nothing to remove (400): it says so even of a key whose
    /// removal then takes place. Look again to know.
    fn remove_key<'a>(
        &'a self,
        bearer: &'a AccessToken,
        key_id: KeyId,
        proof: &'a Proof,
    ) -> BoxFuture<'a, Result<Dated<()>, DirectoryError>>;
}

/// A call to the directory did not succeed.
///
/// The variants answer one question: what may the caller do now?
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The request never left, or it was a question and its answer was lost. Nothing was changed:
    /// try again whenever you like.
    #[error("could not reach the directory")]
    Unreachable(#[source] BoxError),

    /// The request left and no intelligible answer came back, or one that it broke down (408, 5xx
    /// but 503), or that it was done without saying what. The change may have been made: look, do
    /// not repeat.
    #[error("the directory gave no clear answer to {operation}; the change may have been made")]
    OutcomeUnknown {
        /// `addKey`, `removeKey`.
        operation: &'static str,
        /// What came instead of an answer.
        #[source]
        source: BoxError,
    },

    /// Too many requests (429), two writes at once (409), or it is out of service (503). Nothing
    /// was changed.
    #[error("the directory asks us to wait{}", .retry_after.map(|s| format!(" {s}")).unwrap_or_default())]
    Throttled {
        /// How long, if it said.
        retry_after: Option<Span>,
        /// What it said.
        #[source]
        refusal: Refusal,
    },

    /// The proof of possession was refused (401 `Authentication_MissingOrMalformed`).
    ///
    /// Repeating it now will not help. The signing key is not registered, has expired, or was
    /// registered only minutes ago; or the proof is malformed. Graph does not say which;
    /// [`rollkey_core::diagnose`](mod@rollkey_core::diagnose) does.
    #[error("the directory refused the proof of possession")]
    ProofRefused(#[source] Refusal),

    /// The access token was refused (401 `InvalidAuthenticationToken`). Get another.
    #[error("the directory refused the access token")]
    TokenRefused(#[source] Refusal),

    /// We may not do this (403).
    #[error("the directory does not permit {operation}")]
    Forbidden {
        /// `addKey`, `removeKey`.
        operation: &'static str,
        /// What it said.
        #[source]
        refusal: Refusal,
    },

    /// There is no such application or service principal, or we may not see it (404).
    #[error("the directory knows no {0}")]
    NotFound(String, #[source] Refusal),

    /// It understood, and will not: a policy of the tenant, a full object, an invalid date (400).
    #[error("the directory refused {operation}")]
    Rejected {
        /// `addKey`, `removeKey`.
        operation: &'static str,
        /// What it said.
        #[source]
        refusal: Refusal,
    },

    /// Anything else. Kept whole, so that an issue can be filed.
    #[error("the directory gave an unexpected answer to {operation}")]
    Unexpected {
        /// `GET`, `addKey`, `removeKey`.
        operation: &'static str,
        /// What it said.
        #[source]
        refusal: Refusal,
    },
}

impl DirectoryError {
    /// Whether the change may have been made although the call failed.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }

    /// What the service said, if it said anything.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Unreachable(_) => None,
            Self::OutcomeUnknown { source, .. } => source.downcast_ref(),
            Self::Throttled { refusal, .. }
            | Self::ProofRefused(refusal)
            | Self::TokenRefused(refusal)
            | Self::Forbidden { refusal, .. }
            | Self::NotFound(_, refusal)
            | Self::Rejected { refusal, .. }
            | Self::Unexpected { refusal, .. } => Some(refusal),
        }
    }
}
