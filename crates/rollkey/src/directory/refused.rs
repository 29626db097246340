//! What a refusal of Graph lets the caller do: its statuses and codes, sorted into
//! [`DirectoryError`].
//!
//! | status | code | a question | a change |
//! | --- | --- | --- | --- |
//! | 400 | any | `Rejected` | `Rejected` |
//! | 401 | `Authentication_MissingOrMalformed` | `TokenRefused` | `ProofRefused` |
//! | 401 | `InvalidAuthenticationToken` | `TokenRefused` | `TokenRefused` |
//! | 401 | another | `TokenRefused` | `Unexpected` |
//! | 403 | any | `Forbidden` | `Forbidden` |
//! | 404 | `Request_ResourceNotFound` | `NotFound` | `NotFound` |
//! | 409, 429, 503 | any | `Throttled` | `Throttled` |
//! | 200, 408, 5xx | any | `Unexpected` | `OutcomeUnknown` |
//! | any other | any | `Unexpected` | `Unexpected` |
//!
//! The last row but one: a server or a gateway that breaks down over a change does not say whether
//! the change was made.

use super::target::Target;
use crate::answer::Refusal;
use crate::http::Answer;
use crate::ports::DirectoryError;
use rollkey_core::Timestamp;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Get,
    AddKey,
    RemoveKey,
}

impl Operation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::AddKey => "addKey",
            Self::RemoveKey => "removeKey",
        }
    }
}

pub(super) fn refused(operation: Operation, target: Target, answer: &Answer) -> DirectoryError {
    let refusal = refusal(answer);
    let asks = operation == Operation::Get;
    let operation = operation.name();
    match (refusal.status, refusal.code.as_str()) {
        (400, _) => DirectoryError::Rejected { operation, refusal },
        (401, "Authentication_MissingOrMalformed") if !asks => {
            DirectoryError::ProofRefused(refusal)
        }
        (401, code) if asks || code == "InvalidAuthenticationToken" => {
            DirectoryError::TokenRefused(refusal)
        }
        (403, _) => DirectoryError::Forbidden { operation, refusal },
        (404, "Request_ResourceNotFound") => DirectoryError::NotFound(target.to_string(), refusal),
        (409 | 429 | 503, _) => {
            DirectoryError::Throttled { retry_after: answer.retry_after, refusal }
        }
        (200..300 | 408 | 500.., _) if !asks => {
            DirectoryError::OutcomeUnknown { operation, source: Box::new(refusal) }
        }
        _ => DirectoryError::Unexpected { operation, refusal },
    }
}

/// `removeKey` has one code for every bad request: this one can be told by its text only.
pub(super) fn finds_nothing_to_remove(answer: &Answer) -> bool {
    refusal(answer).message.starts_with("No credentials found to be removed")
}

#[derive(Deserialize)]
struct Envelope {
    error: Body,
}

#[derive(Deserialize)]
struct Body {
    code: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default, rename = "innerError", alias = "innererror")]
    inner: Option<Inner>,
}

/// Without a zone, sometimes; in UTC.
#[derive(Default, Deserialize)]
struct Inner {
    #[serde(default)]
    date: Option<String>,
    #[serde(default, rename = "request-id", alias = "requestId")]
    request_id: Option<String>,
    #[serde(default, rename = "client-request-id", alias = "clientRequestId")]
    client_request_id: Option<String>,
}

fn refusal(answer: &Answer) -> Refusal {
    let Some(Envelope { error }) = answer.json() else {
        return answer.unintelligible();
    };
    let inner = error.inner.unwrap_or_default();
    let mut refusal = answer.refusal(error.code, &error.message.unwrap_or_default());
    refusal.request_id = refusal.request_id.or(inner.request_id);
    refusal.client_request_id = inner.client_request_id.or(refusal.client_request_id);
    refusal.service_time = refusal.service_time.or_else(|| instant(inner.date.as_deref()?));
    refusal
}

/// An instant with or without its zone.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let utc = || {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
    };
    u64::try_from(zoned.or_else(utc)?.as_second()).ok().map(Timestamp)
}
