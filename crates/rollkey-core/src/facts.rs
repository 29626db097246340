//! What the journal remembers because it cannot be looked up again.
//!
//! Facts about keys and sinks, never "we are in step 4". A journal is a list of [`Note`]s with
//! their times; [`Facts`] is what they add up to, whichever journal kept them.

use crate::id::KeyId;
use crate::policy::{Audience, Policy, SinkId};
use crate::thumbprint::Thumbprint;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// One thing that happened, to be kept with the time at which it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// The journal hears of this key, and of nothing that went before.
    Seen(Thumbprint),
    /// We made this key just now: nothing went before.
    Staged(Thumbprint),
    /// An `addKey` or `removeKey` for this key is about to be sent.
    Sent(Thumbprint),
    /// The call that was noted as sent at this very instant (not: now) is certain to have changed
    /// nothing. If another was sent since, by a worker that overtook us, its doubt stands.
    NotTaken(Thumbprint),
    /// The reply to `addKey` named this `keyId`.
    Registered(Thumbprint, KeyId),
    /// A token was granted to this key.
    Accepted(Thumbprint, Audience),
    /// A token was refused to this key, because of the key.
    Refused(Thumbprint, Audience),
    /// Our copy of the private key was destroyed.
    Discarded(Thumbprint),
    /// A delivery, or the notification that belongs to it, failed.
    DeliveryFailed(SinkId),
    /// The sink was delivered to, and its consumers were told.
    DeliveryDone(SinkId),
    /// Our clock had been ahead and was set right: nothing noted so far happened later than this.
    ClockSetBack,
}

/// What is remembered of one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyFacts {
    /// When the journal first heard of the key. Of earlier times it knows nothing.
    pub since: Timestamp,
    /// It heard of the key when we made it, so it has missed nothing.
    pub staged: bool,
    /// Last `addKey` or `removeKey` for this key was sent, whatever came of it.
    pub sent_at: Option<Timestamp>,
    /// The one before that, which stands again if the last is certain to have changed nothing.
    pub sent_before: Option<Timestamp>,
    /// `keyId` from the reply to `addKey`.
    pub key_id: Option<KeyId>,
    /// What each audience said.
    pub answers: BTreeMap<Audience, Answers>,
}

/// What one audience said of one key since the last `addKey` or `removeKey` for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Answers {
    /// First time it said yes since any audience last said no.
    pub first_accepted: Option<Timestamp>,
    /// Last time it said yes since any audience last said no.
    pub last_accepted: Option<Timestamp>,
    /// Last time it said no.
    pub last_refused: Option<Timestamp>,
}

/// All that a journal remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    /// Of the keys.
    pub keys: BTreeMap<Thumbprint, KeyFacts>,
    /// When a delivery failed that has not succeeded since.
    pub failed_deliveries: BTreeMap<SinkId, Timestamp>,
}

impl KeyFacts {
    /// Nothing known of earlier times.
    pub fn new(since: Timestamp) -> Self {
        Self {
            since,
            staged: false,
            sent_at: None,
            sent_before: None,
            key_id: None,
            answers: BTreeMap::new(),
        }
    }

    /// Since when every audience of the policy has accepted the key; `None` if one has not.
    pub fn accepted_since(&self, policy: &Policy) -> Option<Timestamp> {
        policy
            .audiences()
            .map(|audience| self.answer(audience).first_accepted)
            .try_fold(Timestamp(0), |latest, at| Some(latest.max(at?)))
    }

    /// Whether any audience accepts the key: it said yes, and none has said no since.
    pub fn accepted_by_any(&self) -> bool {
        self.answers.values().any(|answers| answers.first_accepted.is_some())
    }

    /// The first audience that has not said yes at that instant or later.
    pub(crate) fn unconfirmed(&self, policy: &Policy, at: Timestamp) -> Option<Audience> {
        policy.audiences().find(|audience| self.answer(*audience).last_accepted < Some(at))
    }

    /// Whether every audience accepted the key, and did so still when that had settled.
    pub(crate) fn proven(&self, policy: &Policy) -> bool {
        let settled = |since| since + policy.terms().settle;
        self.accepted_since(policy)
            .is_some_and(|since| self.unconfirmed(policy, settled(since)).is_none())
    }

    /// Last time that any audience refused the key.
    pub fn last_refused(&self) -> Option<Timestamp> {
        self.answers.values().filter_map(|answers| answers.last_refused).max()
    }

    /// What `audience` said.
    pub fn answer(&self, audience: Audience) -> Answers {
        self.answers.get(&audience).copied().unwrap_or_default()
    }

    /// From when on the directory shows what was last done to the key: a "not there" is then no
    /// mere replication lag, and neither is a "still there".
    pub(crate) fn shows_from(&self, policy: &Policy) -> Timestamp {
        let propagation = policy.terms().propagation;
        match self.sent_at {
            Some(sent_at) => sent_at + propagation,
            None if self.staged => self.since,
            None => self.since + propagation,
        }
    }

    fn instants(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        let answers = self.answers.values_mut().flat_map(|a| {
            [&mut a.first_accepted, &mut a.last_accepted, &mut a.last_refused].into_iter().flatten()
        });
        let sent = self.sent_at.iter_mut().chain(self.sent_before.iter_mut());
        std::iter::once(&mut self.since).chain(sent).chain(answers)
    }
}

impl Facts {
    /// Adds a note. Notes must come in the order in which they were made.
    pub fn add(&mut self, note: Note, at: Timestamp) {
        match note {
            Note::Seen(key) => _ = self.key(key, at),
            Note::Staged(key) => self.key(key, at).staged = true,
            Note::Sent(key) => {
                let facts = self.key(key, at);
                facts.sent_before = facts.sent_at.replace(at);
                // Whatever was said was said of another registration.
                facts.answers.clear();
            }
            Note::NotTaken(key) => {
                // A journal that was lost meanwhile does not hear of the key by this: the note is
                // older than the journal.
                let facts = self.keys.get_mut(&key).filter(|facts| facts.sent_at == Some(at));
                if let Some(facts) = facts {
                    facts.sent_at = facts.sent_before.take();
                }
            }
            Note::Registered(key, id) => self.key(key, at).key_id = Some(id),
            Note::Accepted(key, audience) => {
                let answers = self.key(key, at).answers.entry(audience).or_default();
                answers.first_accepted.get_or_insert(at);
                answers.last_accepted = Some(at);
            }
            Note::Refused(key, audience) => {
                let facts = self.key(key, at);
                // One no casts doubt on every yes: the key may be gone.
                for answers in facts.answers.values_mut() {
                    (answers.first_accepted, answers.last_accepted) = (None, None);
                }
                facts.answers.entry(audience).or_default().last_refused = Some(at);
            }
            Note::Discarded(key) => _ = self.keys.remove(&key),
            Note::DeliveryFailed(sink) => _ = self.failed_deliveries.insert(sink, at),
            Note::DeliveryDone(sink) => _ = self.failed_deliveries.remove(&sink),
            Note::ClockSetBack => self.instants().for_each(|instant| *instant = at.min(*instant)),
        }
    }

    /// The latest instant on record. Later than now by more than our clock may be wrong, it says
    /// that the clock was set back.
    pub fn latest(&self) -> Option<Timestamp> {
        let of_key = |key: &KeyFacts| key.clone().instants().map(|instant| *instant).max();
        let keys = self.keys.values().filter_map(of_key);
        keys.chain(self.failed_deliveries.values().copied()).max()
    }

    fn key(&mut self, key: Thumbprint, at: Timestamp) -> &mut KeyFacts {
        self.keys.entry(key).or_insert_with(|| KeyFacts::new(at))
    }

    fn instants(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        let keys = self.keys.values_mut().flat_map(KeyFacts::instants);
        keys.chain(self.failed_deliveries.values_mut())
    }
}
