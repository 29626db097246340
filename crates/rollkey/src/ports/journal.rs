//! The door to what cannot be looked up again. No adapter is named here.

use super::BoxError;
use futures_util::future::BoxFuture;
use rollkey_core::{Facts, Note, Timestamp};

/// What happened that cannot be looked up again.
///
/// A note is durable when its future is ready. Losing all notes does no harm but time: a few
/// questions are asked again, and `propagation` is waited for once.
pub trait Journal: Send + Sync {
    /// All notes, added up.
    fn facts(&self) -> BoxFuture<'_, Result<Facts, JournalError>>;

    /// Appends a note.
    fn note(&self, note: Note, at: Timestamp) -> BoxFuture<'_, Result<(), JournalError>>;
}

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It could not be read or written. Nothing is done without it: mend the cause.
    #[error("could not {action} the journal {place}")]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// The file.
        place: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// A line in its midst makes no sense. Losing the journal is safe: move it away.
    #[error("the journal {place} is damaged in line {line}: {problem}")]
    Damaged {
        /// The file.
        place: String,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// It was written by a later version of rollkey.
    #[error("the journal {place} has format {found}, and this version reads {known}")]
    Version {
        /// The file.
        place: String,
        /// What it says.
        found: u32,
        /// What we know.
        known: u32,
    },
}
