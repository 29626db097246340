//! The one policy for asking again.
//!
//! Up to [`ATTEMPTS`] attempts, one, two, then four seconds apart, and up to as much again by
//! chance, so that a fleet does not knock in step; longer if the service says so (`Retry-After`),
//! up to [`LONGEST_WAIT`]. If it asks for more, its answer is handed on at once, span included.
//!
//! | what happened | [`Repeat::Freely`] | [`Repeat::IfUnchanged`] |
//! | --- | --- | --- |
//! | never left: name, network, time | again | again |
//! | never left: certificate, TLS, settings | no: it will not mend itself | no |
//! | left, and no complete answer | again | **never**: it may have been done |
//! | 429, 503 | again | again: nothing was changed |
//! | 409 | no | again: two writes at once, nothing was changed |
//! | 504 | again | **never**: it may have been done |
//! | any other answer | no | no |
//!
//! All attempts together end long before a proof of possession does: four times
//! [`CONNECT_TIMEOUT`](super::CONNECT_TIMEOUT) and three times [`LONGEST_WAIT`] are under four
//! minutes of its ten.

use super::{Answer, HttpError};
use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// How often a request is sent at most.
pub const ATTEMPTS: usize = 4;

/// The first pause; each is twice the one before.
pub const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest pause that a service may ask for and get. Who asks for more is taken seriously in
/// another way: we come back later.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Whenever it may help: it only asks.
    Freely,
    /// Only if it is certain that nothing was changed.
    IfUnchanged,
}

/// How to wait between two attempts. A test that does not want to wait brings its own.
pub trait Timer: Send + Sync {
    /// Is ready when the time is over.
    fn wait(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// Waits by tokio's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    fn wait(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The pauses that one request may still take.
pub(super) struct Patience {
    repeat: Repeat,
    pauses: ExponentialBackoff,
}

impl Patience {
    pub(super) fn new(repeat: Repeat) -> Self {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(FIRST_WAIT)
            .with_max_times(ATTEMPTS - 1)
            .with_jitter()
            .build();
        Self { repeat, pauses }
    }

    /// How long to wait before asking again; `None` if this outcome is the last.
    pub(super) fn after(&mut self, outcome: &Result<Answer, HttpError>) -> Option<Duration> {
        let asked = match outcome {
            Ok(answer) if self.calls_for_another(answer) => answer.retry_after,
            Err(error) if self.allows_another(error) => None,
            Ok(_) | Err(_) => return None,
        };
        let ours = self.pauses.next()?;
        match asked.map(|span| Duration::from_secs(span.0)) {
            Some(asked) if LONGEST_WAIT < asked => None,
            Some(asked) => Some(asked.max(ours)),
            None => Some(ours),
        }
    }

    fn calls_for_another(&self, answer: &Answer) -> bool {
        match self.repeat {
            Repeat::Freely => matches!(answer.status, 429 | 503 | 504),
            Repeat::IfUnchanged => matches!(answer.status, 409 | 429 | 503),
        }
    }

    fn allows_another(&self, error: &HttpError) -> bool {
        match error {
            HttpError::NotSent { obstacle, .. } => obstacle.may_pass(),
            HttpError::NoAnswer { .. } => self.repeat == Repeat::Freely,
            HttpError::Settings(_) => false,
        }
    }
}
