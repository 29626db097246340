//! One look at each door. Nothing is changed but the journal, which notes what it heard of.

use super::{ReconcileError, Rotation, Unreadable};
use crate::ports::{AccessToken, DirectoryError, DirectoryView, TokenError, Verdict, sink_id};
use rollkey_core::{
    Audience, Facts, Held, Listed, Listing, MAX_CLOCK_ERROR, Note, Observed, Policy, Reading, Slot,
    Thumbprint, Timestamp, TokenId, UnsignedAssertion,
};

/// Whether what is heard on the way is noted in the journal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Notes {
    Kept,
    Withheld,
}

/// What a look saw.
pub(super) struct Sight {
    pub(super) now: Timestamp,
    pub(super) observed: Observed,
    pub(super) listed: Option<Vec<Listed>>,
    pub(super) unreadable: Option<Unreadable>,
}

/// The journal's facts, kept up to date with what is noted during a look.
struct Memory<'a> {
    rotation: &'a Rotation,
    facts: Facts,
    notes: Notes,
}

impl Memory<'_> {
    async fn note(&mut self, note: Note) -> Result<(), ReconcileError> {
        let now = self.rotation.parts.clock.now();
        self.facts.add(note, now);
        match self.notes {
            Notes::Kept => Ok(self.rotation.parts.journal.note(note, now).await?),
            Notes::Withheld => Ok(()),
        }
    }
}

impl Rotation {
    pub(super) async fn observe(&self, notes: Notes) -> Result<Sight, ReconcileError> {
        let (generation, held) = self.parts.keystore.held().await?;
        let facts = self.parts.journal.facts().await?;
        let mut memory = Memory { rotation: self, facts, notes };

        // The directory first: its answer also tells whether our clock may be trusted.
        let (listing, unreadable) = self.list(&held, &mut memory).await?;
        let now = self.parts.clock.now();
        // The service has vouched for our clock in this pass or a recent one, so what the journal
        // has of the future was noted by a clock that was wrong.
        let vouched = self.session().clocks.is_some();
        if vouched && memory.facts.latest().is_some_and(|latest| now + MAX_CLOCK_ERROR < latest) {
            memory.note(Note::ClockSetBack).await?;
        }
        for key in &held {
            if !memory.facts.keys.contains_key(&key.thumbprint) {
                memory.note(Note::Seen(key.thumbprint)).await?;
            }
        }
        let mut delivered = Vec::with_capacity(self.parts.sinks.len());
        for (n, sink) in self.parts.sinks.iter().enumerate() {
            delivered.push(match sink.delivered().await {
                Ok(delivered) => delivered,
                Err(error) => {
                    tracing::warn!(sink = sink.name(), %error, "cannot tell what the sink holds");
                    if !memory.facts.failed_deliveries.contains_key(&sink_id(n)) {
                        memory.note(Note::DeliveryFailed(sink_id(n))).await?;
                    }
                    None
                }
            });
        }

        let listed = listing.clone();
        let listing = listing.map_or(Listing::Unreadable, Listing::Read);
        let reading = Reading { generation, held, delivered, listing };
        let observed = Observed::assemble(reading, &memory.facts, &self.parts.policy, now);
        Ok(Sight { now, observed, listed, unreadable })
    }

    async fn list(
        &self,
        held: &[Held],
        memory: &mut Memory<'_>,
    ) -> Result<(Option<Vec<Listed>>, Option<Unreadable>), ReconcileError> {
        if let Some(listed) = self.session().listing(self.parts.clock.now()) {
            return Ok((Some(listed), None));
        }
        let mut bearer = match self.authenticate(held, memory).await? {
            Ok(bearer) => bearer,
            Err(why) => return Ok((None, Some(why))),
        };
        let mut answer = self.parts.directory.list(&bearer).await;
        if let Err(DirectoryError::TokenRefused(_)) = answer {
            // A token that we kept may have been revoked: once more, with a new one.
            self.session().forget_token();
            bearer = match self.authenticate(held, memory).await? {
                Ok(bearer) => bearer,
                Err(why) => return Ok((None, Some(why))),
            };
            answer = self.parts.directory.list(&bearer).await;
        }
        let view = match answer {
            Ok(view) => view,
            Err(error) => {
                self.compare_clocks(error.refusal().and_then(|r| r.service_time))?;
                return Err(error.into());
            }
        };
        self.compare_clocks(view.service_time)?;
        Ok(match view.value {
            DirectoryView::Listing(Listing::Read(listed)) => {
                self.session().keep_listing(self.parts.clock.now(), listed.clone());
                (Some(listed), None)
            }
            DirectoryView::Listing(Listing::Unreadable) => (None, None),
            DirectoryView::Forbidden(why) => (None, Some(Unreadable::Forbidden(why))),
        })
    }

    /// A token for the directory: the one we have, or one for the first key that is accepted.
    async fn authenticate(
        &self,
        held: &[Held],
        memory: &mut Memory<'_>,
    ) -> Result<Result<AccessToken, Unreadable>, ReconcileError> {
        let service_now = self.service_now();
        let kept = self.session().token(service_now);
        if let Some(token) = kept {
            return Ok(Ok(token));
        }
        let audience = self.audience_of(&self.parts.directory_scope);
        let mut first_refusal = None;
        let candidates = candidates(held, &memory.facts, self.parts.clock.now());
        if let (true, Some(key)) = (candidates.is_empty(), last_resort(held)) {
            // By our clock. If that is what is wrong, the answer's date says so.
            return Ok(match self.ask(key, &self.parts.directory_scope).await? {
                Verdict::Accepted(token) => {
                    self.session().keep_token(key, token.clone());
                    Ok(token)
                }
                Verdict::Refused(refusal) => Err(Unreadable::NoToken(refusal)),
            });
        }
        for key in candidates {
            match self.ask(key, &self.parts.directory_scope).await? {
                Verdict::Accepted(token) => {
                    if let Some(audience) = audience
                        && !known_to_work(&memory.facts, key, audience, &self.parts.policy)
                    {
                        memory.note(Note::Seen(key)).await?;
                        memory.note(Note::Accepted(key, audience)).await?;
                    }
                    self.session().keep_token(key, token.clone());
                    return Ok(Ok(token));
                }
                Verdict::Refused(refusal) => {
                    if let Some(audience) = audience {
                        memory.note(Note::Seen(key)).await?;
                        memory.note(Note::Refused(key, audience)).await?;
                    }
                    first_refusal.get_or_insert(refusal);
                }
            }
        }
        Ok(Err(first_refusal.map_or(Unreadable::NoKey, Unreadable::NoToken)))
    }

    /// Asks the token endpoint whether `key` works for `scope`.
    pub(super) async fn ask(
        &self,
        key: Thumbprint,
        scope: &str,
    ) -> Result<Verdict, ReconcileError> {
        let login = &self.parts.login;
        let assertion = UnsignedAssertion::new(
            self.parts.app,
            login.address(),
            key,
            self.parts.assertion_algorithm,
            TokenId::random(uuid::Uuid::new_v4().into_bytes()),
            self.service_now(),
        );
        let signature =
            self.parts.keystore.sign(key, assertion.algorithm(), assertion.signing_input()).await?;
        match login.token(&assertion.seal(&signature), scope).await {
            Ok(answer) => {
                self.compare_clocks(answer.service_time)?;
                Ok(answer.value)
            }
            Err(TokenError::WrongTime(refusal)) => {
                // A refusal for the time tells whose clock is wrong.
                self.compare_clocks(refusal.service_time)?;
                Err(TokenError::WrongTime(refusal).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn audience_of(&self, scope: &str) -> Option<Audience> {
        self.parts
            .policy
            .audiences()
            .zip(&self.parts.scopes)
            .find(|(_, s)| *s == scope)
            .map(|p| p.0)
    }
}

/// The keys that may obtain a token, the likeliest first. A pending key only once it may be known.
fn candidates(held: &[Held], facts: &Facts, now: Timestamp) -> Vec<Thumbprint> {
    let sent = |key: &Held| facts.keys.get(&key.thumbprint).is_some_and(|f| f.sent_at.is_some());
    let mut keys: Vec<_> = held
        .iter()
        .filter(|key| now < key.not_after)
        .filter(|key| key.slot != Slot::Pending || sent(key))
        .collect();
    keys.sort_by_key(|key| match key.slot {
        Slot::Current => 0,
        Slot::Previous => 1,
        Slot::Pending => 2,
    });
    keys.into_iter().map(|key| key.thumbprint).collect()
}

/// Of keys that have all expired, the one that did last.
fn last_resort(held: &[Held]) -> Option<Thumbprint> {
    let registered = held.iter().filter(|key| key.slot != Slot::Pending);
    registered.max_by_key(|key| key.not_after).map(|key| key.thumbprint)
}

/// Whether an acceptance would be no news: it was accepted, and was so still after `settle`.
fn known_to_work(facts: &Facts, key: Thumbprint, audience: Audience, policy: &Policy) -> bool {
    let answers = facts.keys.get(&key).map(|facts| facts.answer(audience)).unwrap_or_default();
    answers
        .first_accepted
        .zip(answers.last_accepted)
        .is_some_and(|(first, last)| first + policy.terms().settle <= last)
}
