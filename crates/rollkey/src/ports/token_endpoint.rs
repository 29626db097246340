//! The door that tells whether a key works. No adapter is named here.

use super::{BoxError, Dated};
use crate::answer::Refusal;
use crate::secret::SecretBytes;
use futures_util::future::BoxFuture;
use rollkey_core::{Assertion, Span, Timestamp};

/// Permission to call the directory, for about an hour. Never shown.
#[derive(Clone)]
pub struct AccessToken {
    /// The bearer token.
    pub token: SecretBytes,
    /// When it expires, by the service's clock.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What the token endpoint says to a key.
#[derive(Debug)]
pub enum Verdict {
    /// It granted a token.
    Accepted(AccessToken),
    /// It does not know the key, or no longer (`AADSTS700027`). It may, in some minutes.
    Refused(Refusal),
}

/// Where keys are shown to work: the token endpoint of the tenant, for one application.
pub trait TokenEndpoint: Send + Sync {
    /// The address that assertions are for (`aud`), and are sent to.
    fn address(&self) -> &str;

    /// Exchanges an assertion for a token of `scope`.
    ///
    /// # Errors
    ///
    /// "No" is a [`Verdict`]; "no answer", and a "no" that says nothing of the key, are errors.
    fn token<'a>(
        &'a self,
        assertion: &'a Assertion,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<Dated<Verdict>, TokenError>>;
}

/// No answer about the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// No answer, or none that makes sense. Try again whenever you like: asking changes nothing.
    #[error("could not reach the token endpoint")]
    Unreachable(#[source] BoxError),
    /// It asks us to wait.
    #[error("the token endpoint asks us to wait{}", .retry_after.map(|s| format!(" {s}")).unwrap_or_default())]
    Throttled {
        /// How long, if it said.
        retry_after: Option<Span>,
        /// What it said.
        #[source]
        refusal: Refusal,
    },
    /// The assertion's times do not suit it (`AADSTS700024`): a clock is wrong.
    #[error("the token endpoint finds the assertion outside of its time")]
    WrongTime(#[source] Refusal),
    /// It refuses for a reason that is not the key: tenant, application, scope, policy. A person
    /// must mend that.
    #[error("the token endpoint refused the request")]
    Refused(#[source] Refusal),
}
