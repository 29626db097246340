//! A sink in memory, for tests: it remembers every delivery, and fails when told to.
//!
//! Never for production: its consumers would be in this process, and could ask the keystore.

use crate::ports::{Delivery, Sink, SinkError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rollkey_core::{Delivered, Generation, Thumbprint, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A sink in memory. A clone is the same sink.
#[derive(Clone, Debug)]
pub struct MemorySink {
    name: String,
    state: Arc<Mutex<State>>,
}

/// One delivery that changed what consumers read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The key.
    pub key: Thumbprint,
    /// What it was delivered of.
    pub generation: Generation,
    /// When it came.
    pub at: Timestamp,
    /// When consumers had been told; `None` if they were not.
    pub notified_at: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct State {
    history: Vec<Received>,
    failures: u32,
}

impl MemorySink {
    /// An empty one.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), state: Arc::default() }
    }

    /// Lets the next `n` notifications fail: consumers read the new key then, and were not told.
    pub fn fail_next(&self, n: u32) {
        self.state().failures = n;
    }

    /// What consumers read, one after the other; the last is what they read now.
    pub fn history(&self) -> Vec<Received> {
        self.state().history.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, delivery: &Delivery, now: Timestamp) -> Result<(), SinkError> {
        super::private_key(&self.name, delivery)?;
        let mut state = self.state();
        let State { history, failures } = &mut *state;
        let (key, generation) = (delivery.thumbprint, delivery.generation);
        match history.last() {
            Some(last) if generation < last.generation => {
                let (sink, holds) = (self.name.clone(), last.generation);
                return Err(SinkError::Newer { sink, holds, offered: generation });
            }
            Some(last) if (last.key, last.generation) == (key, generation) => (),
            _ => history.push(Received { key, generation, at: now, notified_at: None }),
        }
        let untold = history.last_mut().filter(|last| last.notified_at.is_none());
        let Some(untold) = untold else { return Ok(()) };
        if *failures != 0 {
            *failures -= 1;
            return Err(SinkError::Command {
                sink: self.name.clone(),
                role: "notify",
                outcome: "failed as it was told to".to_owned(),
                stderr: String::new(),
            });
        }
        untold.notified_at = Some(now);
        Ok(())
    }
}

impl Sink for MemorySink {
    fn name(&self) -> &str {
        &self.name
    }

    fn delivered(&self) -> BoxFuture<'_, Result<Option<Delivered>, SinkError>> {
        async {
            let last = self.state().history.last().copied();
            Ok(last
                .and_then(|last| last.notified_at.map(|since| Delivered { key: last.key, since })))
        }
        .boxed()
    }

    fn deliver<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        async move { self.take(delivery, now) }.boxed()
    }
}
