//! Every door to the outside, each with its error.
//!
//! A port says what the house needs, an adapter how some place gives it. Adapters know this file
//! and never each other. Errors are sorted by **what the caller may do now**; where the fault lay
//! (DNS, TLS, disk) is told by `source()`, for people.

mod clock;
mod directory;
mod journal;
mod keystore;
mod sink;
mod token_endpoint;

pub use clock::{Clock, SystemClock};
pub use directory::{Directory, DirectoryError, DirectoryView};
pub use journal::{Journal, JournalError};
pub use keystore::{Keystore, KeystoreError, Lease};
pub use sink::{Delivery, Sink, SinkError, Sinks, sink_id};
pub use token_endpoint::{AccessToken, TokenEndpoint, TokenError, Verdict};

use rollkey_core::Timestamp;

/// Where an error came from, for people.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A certificate, DER. Public: it may be shown and sent.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateDer(pub Vec<u8>);

impl std::fmt::Debug for CertificateDer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificateDer({} bytes)", self.0.len())
    }
}

/// An answer, and the time that it bore.
#[derive(Clone, Debug)]
pub struct Dated<T> {
    /// The answer.
    pub value: T,
    /// The `Date` of the service, if it sent one.
    pub service_time: Option<Timestamp>,
}
