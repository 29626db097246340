//! The log: what was asked and what was answered, for tests and for people.
//!
//! Never a token, a proof, a key or a body: thumbprints name them well enough.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::faults::Operation;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// When, in seconds since 1970, on the emulator's clock.
    pub at: i64,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// What was asked for.
    pub operation: Operation,
    /// Name of the application: the caller's with login, the target's with the Graph.
    pub app: Option<String>,
    /// The HTTP status of the answer, whether or not it arrived.
    pub status: u16,
    /// The error code: the Graph's `code`, or `AADSTS` with a number.
    pub code: Option<String>,
    /// The id of the rule that refused the request, as in the header `x-emulator-rule`.
    pub rule: Option<&'static str>,
    /// The request id of the answer.
    pub request_id: String,
    /// What the client called its request.
    pub client_request_id: Option<String>,
    /// SHA-1 thumbprint (40 upper-case hexadecimal digits) of the key that signed the assertion or
    /// the proof, if the emulator knows the key; else as the client named it.
    pub thumbprint: Option<String>,
    /// Which replica answered; 0 is the fastest.
    pub replica: usize,
    /// Whether an answer was sent: `false` if a fault lost it.
    pub answered: bool,
}

/// The last exchanges. Older ones are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<VecDeque<Exchange>>);

impl Log {
    /// How many exchanges are kept.
    const KEPT: usize = 50_000;

    pub(crate) fn note(&self, exchange: Exchange) {
        let mut exchanges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if exchanges.len() == Self::KEPT {
            exchanges.pop_front();
        }
        exchanges.push_back(exchange);
    }

    pub(crate) fn all(&self) -> Vec<Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
