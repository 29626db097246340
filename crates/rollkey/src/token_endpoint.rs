//! The token endpoint of a tenant: a client assertion goes in, a token or a reason comes out.
//!
//! Translates, and decides nothing: whether a key may be relied on is told by
//! [`decide`](fn@rollkey_core::decide). The assertion and the token appear in no message; what a
//! refusal says was cleaned of anything that looks like either.
//!
//! # Source
//!
//! Microsoft identity platform, "OAuth 2.0 client credentials flow", third case, and "Error codes";
//! rules `AST-…` in `docs/protocol.md`.

mod wire;

use crate::cloud::Cloud;
use crate::http::{Answer, Http, Request};
use crate::ports::{BoxError, Clock as _, Dated, SystemClock, TokenEndpoint, TokenError, Verdict};
use futures_util::future::BoxFuture;
use rollkey_core::{AppId, Assertion, TenantId, Timestamp};
use wire::{Code, Granted};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The token endpoint of a tenant, for one application.
#[derive(Clone, Debug)]
pub struct Login {
    http: Http,
    app: AppId,
    address: String,
}

impl Login {
    /// For `app` (its application ID, which login calls `client_id`), in `tenant`.
    pub fn new(http: Http, cloud: &Cloud, tenant: TenantId, app: AppId) -> Self {
        Self { http, app, address: cloud.token_endpoint(tenant) }
    }
}

impl TokenEndpoint for Login {
    fn address(&self) -> &str {
        &self.address
    }

    /// An assertion that was lost on the way is sent again: it may be used more than once while it
    /// lives, and Microsoft's own libraries do so.
    fn token<'a>(
        &'a self,
        assertion: &'a Assertion,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<Dated<Verdict>, TokenError>> {
        Box::pin(async move {
            let app = self.app.to_string();
            let form = [
                ("client_id", app.as_str()),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", assertion.token()),
                ("grant_type", "client_credentials"),
                ("scope", scope),
            ];
            let answer = self
                .http
                .send(&Request::ask(self.address.as_str(), &form))
                .await
                .map_err(|error| TokenError::Unreachable(Box::new(error)))?;
            Ok(Dated { value: verdict(&answer)?, service_time: answer.service_time })
        })
    }
}

fn verdict(answer: &Answer) -> Result<Verdict, TokenError> {
    if answer.status == 200 {
        let granted = answer
            .json::<Granted>()
            .ok_or_else(|| senseless(answer.refusal("", "an answer without a token")))?;
        return Ok(Verdict::Accepted(granted.token(answer_time(answer))));
    }
    let (code, refusal) = wire::refusal(answer);
    match (answer.status, code) {
        (429 | 503, _) | (_, Code::Throttled) => {
            Err(TokenError::Throttled { retry_after: answer.retry_after, refusal })
        }
        // It broke down, and said nothing of what it was asked.
        (500.., _) => Err(senseless(refusal)),
        (_, Code::Key) => Ok(Verdict::Refused(refusal)),
        (_, Code::Time) => Err(TokenError::WrongTime(refusal)),
        (_, Code::Other) => Err(TokenError::Refused(refusal)),
    }
}

/// When the answer was given: by its own `Date`, which only a proxy could have taken away.
fn answer_time(answer: &Answer) -> Timestamp {
    answer.service_time.unwrap_or_else(|| SystemClock.now())
}

fn senseless(refusal: impl Into<BoxError>) -> TokenError {
    TokenError::Unreachable(refusal.into())
}
