//! Where consumers read the key that they are to use.
//!
//! A sink puts a copy where others find it, and tells them. A copy is not custody: nothing in here
//! decides which key is current, makes one, or destroys the last one that anybody holds.
//!
//! * [`folder`]: files in a folder of versions, with one link to the current version.
//! * [`exec`]: a command that takes the key on standard input.
//! * [`notify`]: the command that tells consumers; any sink may have one.
//! * [`memory`]: for tests.
//!
//! Private keys leave this process as bytes in files that are closed to others from the first byte,
//! or over a pipe; never in arguments, in the environment, in a message or in a log.

mod accounts;
pub mod command;
mod contents;
pub mod exec;
pub mod folder;
pub mod memory;
pub mod notify;
mod output;
#[cfg(unix)]
mod process_unix;
mod record;

use crate::ports::{BoxError, Delivery, SinkError};
use crate::secret::SecretBytes;
use std::path::Path;

/// A sink that cannot be built as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkConfigError {
    /// It has no name.
    #[error("a sink must have a name")]
    NoName,
    /// It would write nothing.
    #[error(
        "sink `{sink}` would write nothing: choose combined PEM, separate PEM, PFX, or several"
    )]
    NoFiles {
        /// Its name.
        sink: String,
    },
    /// Everybody on the machine could read (or change) what is not theirs.
    #[error("sink `{sink}`: mode {mode:04o} opens {what} to everybody")]
    OpenToAll {
        /// Its name.
        sink: String,
        /// `the folder`, `private keys`, `certificates` (to be written to).
        what: &'static str,
        /// As configured.
        mode: u32,
    },
    /// The mode says more than who may read, write and enter.
    #[error("sink `{sink}`: {mode:o} is not a mode: expected four octal digits like 0640")]
    NotAMode {
        /// Its name.
        sink: String,
        /// As configured.
        mode: u32,
    },
    /// The system does not know the owner or group.
    #[error("sink `{sink}`: there is no {kind} `{name}` on this machine")]
    UnknownAccount {
        /// Its name.
        sink: String,
        /// `user` or `group`.
        kind: &'static str,
        /// As configured.
        name: String,
    },
    /// The system could not be asked about the owner or group.
    #[error("sink `{sink}`: could not look up {kind} `{name}`")]
    Accounts {
        /// Its name.
        sink: String,
        /// `user` or `group`.
        kind: &'static str,
        /// As configured.
        name: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// A command without a program.
    #[error("a command must name the program to run")]
    NoProgram,
    /// A command that could never end in time.
    #[error("a command must be given more time than none")]
    NoTime,
}

/// Makes an [`SinkError::Io`] of whatever went wrong at `place`.
fn failed<E: Into<BoxError>>(
    sink: &str,
    action: &'static str,
    place: &Path,
) -> impl FnOnce(E) -> SinkError {
    let (sink, place) = (sink.to_owned(), place.display().to_string());
    move |error| SinkError::Io { sink, action, place, source: error.into() }
}

fn foreign(sink: &str, place: &Path, problem: impl Into<String>) -> SinkError {
    SinkError::Foreign {
        sink: sink.to_owned(),
        place: place.display().to_string(),
        problem: problem.into(),
    }
}

/// The private key, without which the sinks of this house have nothing to deliver.
fn private_key<'a>(sink: &str, delivery: &'a Delivery) -> Result<&'a SecretBytes, SinkError> {
    delivery.private_key.as_ref().ok_or_else(|| SinkError::KeyStays { sink: sink.to_owned() })
}
