//! The consumer: a program that signs in with whatever key it finds, and knows nothing of rollkey.

use super::CONSUMER_SIGNS_IN_EVERY;
use super::stage::{Stage, sign_in};
use crate::commands::import;
use crate::error::CommandError;
use rollkey::import::Imported;
use rollkey_core::{Span, Thumbprint, Timestamp};

/// How long it works with what it read, before it looks again: a service that is restarted now
/// and then.
const READS_EVERY: Span = Span::hours(6);

pub(super) struct Consumer {
    /// What it read, and when.
    read: Option<(Imported, Timestamp)>,
    next: Timestamp,
    signed_in: usize,
    refused: usize,
    used: Vec<Thumbprint>,
}

impl Consumer {
    pub(super) fn new(stage: &Stage) -> Self {
        Self { read: None, next: stage.start(), signed_in: 0, refused: 0, used: Vec::new() }
    }

    pub(super) fn next_sign_in(&self) -> Timestamp {
        self.next
    }

    pub(super) fn signed_in(&self) -> usize {
        self.signed_in
    }

    pub(super) fn refused(&self) -> usize {
        self.refused
    }

    /// Whether it ever signed in with this key.
    pub(super) fn used(&self, key: Thumbprint) -> bool {
        self.used.contains(&key)
    }

    /// Signs in with what it read, or reads again if that was long ago.
    pub(super) async fn sign_in(&mut self, stage: &Stage) -> Result<(), CommandError> {
        let now = stage.now();
        self.next = now + Span::seconds(CONSUMER_SIGNS_IN_EVERY);
        let fresh = self.read.as_ref().is_some_and(|(_, at)| now.since(*at) < READS_EVERY);
        if !fresh {
            let bundle = stage.consumer_folder().join("current").join("bundle.pem");
            if bundle.exists() {
                let key = import::read(&bundle, None, &Default::default(), now)?;
                self.read = Some((key, now));
            }
        }
        // Until something is delivered, it works with the key that it always had.
        let key = self.read.as_ref().map_or(stage.original(), |(key, _)| key);
        match sign_in(stage, key, now).await? {
            None => self.signed_in += 1,
            Some(_) => self.refused += 1,
        }
        let thumbprint = key.info().thumbprint;
        if !self.used.contains(&thumbprint) {
            self.used.push(thumbprint);
        }
        Ok(())
    }
}
