//! The journal in memory, for tests and for callers who can afford to forget.

use crate::ports::{Journal, JournalError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rollkey_core::{Facts, Note, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Notes in memory. A clone is the same journal.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    notes: Arc<Mutex<Vec<(Note, Timestamp)>>>,
}

impl MemoryJournal {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// All notes, in the order in which they were made.
    pub fn notes(&self) -> Vec<(Note, Timestamp)> {
        self.lock().clone()
    }

    /// Loses them all.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Note, Timestamp)>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn facts(&self) -> BoxFuture<'_, Result<Facts, JournalError>> {
        async {
            let mut facts = Facts::default();
            self.lock().iter().for_each(|(note, at)| facts.add(*note, *at));
            Ok(facts)
        }
        .boxed()
    }

    fn note(&self, note: Note, at: Timestamp) -> BoxFuture<'_, Result<(), JournalError>> {
        async move {
            self.lock().push((note, at));
            Ok(())
        }
        .boxed()
    }
}
