//! A refusal of the service, kept whole: status, code, message, request id, time.

use rollkey_core::Timestamp;
use std::fmt;

/// What a service answered instead of what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Graph's `error.code`, or `AADSTS700027`; empty if the body was not intelligible.
    pub code: String,
    /// Its message in one line, for people. Codes and texts may change: never compare this.
    pub message: String,
    /// The service's `request-id` (`x-ms-request-id`, `trace_id`), for its support.
    pub request_id: Option<String>,
    /// The `client-request-id` that we sent.
    pub client_request_id: Option<String>,
    /// The service's `Date`.
    pub service_time: Option<Timestamp>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
