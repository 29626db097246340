//! The decision: given what is seen, what is wanted and what time it is, the one next step.
//!
//! This is the whole brain of the house. It is a function of its three arguments and of nothing
//! else: no clock, no randomness, no logging, no I/O, no error. Call it as often as you like; after
//! a crash, call it again. It is *level-triggered*: it looks at how things stand, never at what
//! happened or at what we meant to do, so there is no half-finished rotation to recover, only a
//! world that is not yet as it should be.
//!
//! Three rules hold for every row of the table in [`decide`]; `tests/it/sim` checks them after
//! every effect in every history with as many faults as it is given:
//!
//! * **Never locked out.** At every instant some key in our custody is accepted everywhere.
//! * **Never surprised.** No consumer is handed a key before every replica accepts it, nor loses
//!   one before the overlap ends.
//! * **Never littering.** Left alone, the world comes to rest with one key of ours, and with every
//!   key of somebody else's untouched.

use crate::decision::{Blocker, Decision, Reason, Step};
use crate::id::KeyId;
use crate::observed::{Credential, Observed, Registration, SinkState, Slot, Standing};
use crate::policy::{Audience, MAX_CLOCK_ERROR, Policy, SinkId};
use crate::time::{Span, Timestamp};
use std::cmp::Reverse;

/// Decides the next step. The first row that fits wins.
#[rustfmt::skip]
pub fn decide(seen: &Observed, policy: &Policy, now: Timestamp) -> Decision {
    use {Blocker::*, Decision::*, Prover::*, Reason::*, Standing::*};

    let look    = Look { seen, policy, now };
    let pending = seen.pending.as_ref().map(|c| (c.standing(policy, now), c));
    let current = seen.current.as_ref().map(|c| (c.standing(policy, now), c));
    let prover  = look.prover();

    let rotation = match (pending, current, prover) {
        // pending                  current                      prover
        (Some((Expired, p)),        _,                           Works(by))        => look.cast_off(p, by),
        (Some((Expired, p)),        _,                           Nobody)           => Act(look.discard(p), PendingExpired),
        (Some((Unproven(t, a), p)), _,                           _)                => look.ask(p, a, t, PendingUnproven),
        (Some((Settling(t, a), p)), _,                           _)                => look.ask(p, a, t, PendingSettling),
        (Some((Proven, p)),         _,                           _)                => Act(look.promote(p), PendingProven),
        (Some((Local, p)),          _,                           Works(by))        => Act(register(p, by), PendingUnregistered),
        (None,                      Some((Proven, c)),           _)                => look.unless_due(c, look.tidy(c)),
        (None,                      Some((Settling(t, a), c)),   _)                => look.unless_due(c, look.ask(c, a, t, CurrentSettling)),
        (None,                      Some((Unproven(t, a), c)),   _)                => look.ask(c, a, t, CurrentUnproven),
        (None,                      Some((Local, c)),            Works(by))        => Act(register(c, by), CurrentLost),
        (None,                      Some((Expired, _)) | None,   Works(_))         => Act(look.stage(), RenewalDue),
        (_,                         _,                           Untried(t, a, c)) => look.ask(c, a, t, ProverUntried),
        (_,                         Some(_),                     Nobody)           => Blocked(NoUsableKey),
        (_,                         None,                        Nobody)           => Blocked(NoKey),
    };

    // While a rotation waits, whatever for, and before anything is tidied up, a sink that is
    // behind is served.
    match (rotation, current) {
        (Act(Step::Remove { .. } | Step::Discard { .. }, _) | Wait(..), Some((Proven, c))) => look.serve(c, rotation),
        _ => rotation,
    }
}

/// The arguments of [`decide`].
#[derive(Clone, Copy)]
struct Look<'a> {
    seen: &'a Observed,
    policy: &'a Policy,
    now: Timestamp,
}

/// Who could sign a proof of possession.
enum Prover<'a> {
    Works(&'a Credential),
    /// Nobody that we know of, but this key has yet to be asked, at this instant.
    Untried(Timestamp, Audience, &'a Credential),
    Nobody,
}

/// How long ago a key may have been accepted for the last time to be handed to consumers: much
/// shorter than replicas lag, long enough for the notification of several sinks.
const FRESH: Span = Span::minutes(5);

impl<'a> Look<'a> {
    fn prover(self) -> Prover<'a> {
        let Self { seen, policy, now } = self;
        let standings = || seen.provers().map(|c| (c.standing(policy, now), c));
        // One that is seen in the directory before one that is not, then one that is proven.
        let worth = |(standing, c): &(Standing, &Credential)| {
            (matches!(c.registration, Registration::Present(_)), *standing == Standing::Proven)
        };
        let works =
            standings().filter(|(standing, _)| standing.works()).min_by_key(|c| Reverse(worth(c)));
        let untried = standings().filter_map(|(standing, c)| match standing {
            Standing::Unproven(at, audience) => Some((at, audience, c)),
            _ => None,
        });
        match (works, untried.min_by_key(|(at, ..)| *at)) {
            (Some((_, c)), _) => Prover::Works(c),
            (None, Some((at, audience, c))) => Prover::Untried(at, audience, c),
            (None, None) => Prover::Nobody,
        }
    }

    fn ask(self, c: &Credential, audience: Audience, at: Timestamp, why: Reason) -> Decision {
        match at <= self.now {
            true => Decision::Act(Step::Probe { key: c.held.thumbprint, audience }, why),
            false => Decision::Wait(at, why),
        }
    }

    /// This, unless the current key is due: then the next rotation begins. A removal that keeps
    /// failing must never keep us from renewing.
    fn unless_due(self, current: &Credential, decision: Decision) -> Decision {
        let due = self.due(current);
        match decision {
            _ if due <= self.now => Decision::Act(self.stage(), Reason::RenewalDue),
            Decision::Wait(until, why) => Decision::Wait(until.min(due), why),
            other => other,
        }
    }

    /// When the current key is to be replaced.
    fn due(self, current: &Credential) -> Timestamp {
        match self.policy.retire() {
            Some(key) if key == current.held.thumbprint => self.now,
            _ => current.held.not_after - self.policy.terms().renew_before,
        }
    }

    /// No rotation is under way: the first previous key that can go, goes.
    fn tidy(self, current: &Credential) -> Decision {
        use Decision::{Act, Wait};
        let mut next = Wait(self.due(current), Reason::Healthy);
        for old in &self.seen.previous {
            next = match (self.retire(old, current), next) {
                (act @ Act(..), _) => return act,
                (Wait(t, why), Wait(until, Reason::Healthy)) => Wait(t.min(until), why),
                (Wait(t, _), Wait(until, why)) => Wait(t.min(until), why),
                (_, next) => next,
            };
        }
        next
    }

    /// What may be done with a previous key.
    fn retire(self, old: &Credential, current: &Credential) -> Decision {
        let Self { policy, now, .. } = self;
        match self.overlap_ends(current) {
            // Of no use to anybody, even if our clock is ahead.
            _ if old.held.not_after + MAX_CLOCK_ERROR <= now => self.part_with(old, current),
            Some(over) if now < over => Decision::Wait(over, Reason::Overlapping),
            Some(_) => self.part_with(old, current),
            // Some sink still hands out the old key: nothing is removed until that is mended.
            None => Decision::Wait(now + policy.terms().poll, Reason::SinkFailing),
        }
    }

    /// When the last consumer that was told of the current key must have moved to it. `None` while
    /// some sink still holds another.
    fn overlap_ends(self, current: &Credential) -> Option<Timestamp> {
        let sinks = &mut self.seen.sinks.iter();
        let last = sinks
            .try_fold(current.held.since, |last, sink| Some(last.max(holds(sink, current)?)))?;
        // The switch and its end may be read off a clock that was set right in between.
        Some(last + self.policy.terms().overlap + MAX_CLOCK_ERROR.twice())
    }

    /// Removes the entry of a key that nobody uses any more, and then destroys our copy.
    #[rustfmt::skip]
    fn part_with(self, old: &Credential, by: &Credential) -> Decision {
        use {Decision::*, Reason::*, Registration::*, Standing::*};
        let Self { policy, now, .. } = self;
        let (removal, gone) = match old.held.slot {
            Slot::Pending => (PendingExpired, PendingExpired),
            _ => (OverlapEnded, PreviousGone),
        };
        let shows = old.facts.sent_at.map_or(now, |at| at + policy.terms().propagation);
        let tried = old.removal_shows(policy).is_some();

        match (old.registration, by.registration, old.standing(policy, now)) {
            (Absent,      _,          _)              => Act(self.discard(old), gone),
            // What was sent last may not show yet.
            _ if now < shows                          => Wait(shows, Removing),
            // It was to be removed before, and the list may be old: is it still there?
            (Present(_),  Present(_), Unproven(t, a)) if tried && old.facts.answers.is_empty() => self.ask(old, a, t, removal),
            // Both must be seen, unless the one is worth nothing. Not having heard that the other
            // key is gone is no reason to remove this one.
            (Present(id), _,          Expired)        => Act(remove(old, id, by), removal),
            (Present(id), Present(_), _)              => Act(remove(old, id, by), removal),
            _                                         => Wait(now + policy.terms().propagation, DirectoryUnclear),
        }
    }

    /// An expired pending key goes, its entry in the directory first. But it must not keep us from
    /// renewing: when half of the time for that is gone, we no longer wait for the directory.
    fn cast_off(self, pending: &Credential, by: &Credential) -> Decision {
        let half = Span(self.policy.terms().renew_before.0 / 2);
        let current = self.seen.current.as_ref();
        match self.part_with(pending, by) {
            Decision::Wait(..) if current.is_none_or(|c| c.held.not_after - half <= self.now) => {
                Decision::Act(self.discard(pending), Reason::PendingExpired)
            }
            other => other,
        }
    }

    /// Delivers to the first sink that is behind and may be tried now, before this is done.
    fn serve(self, current: &Credential, this: Decision) -> Decision {
        let Self { seen, policy, now } = self;
        let retry = |sink: &SinkState| sink.failed_at.map_or(now, |at| at + policy.terms().poll);
        let behind =
            (0..).map(SinkId).zip(&seen.sinks).filter(|(_, s)| holds(s, current).is_none());
        let first = behind.map(|(to, sink)| (retry(sink), to)).min();
        let (key, of) = (current.held.thumbprint, seen.generation);
        match (first, this) {
            (Some((at, to)), _) if at <= now => {
                // That it works was seen, perhaps long ago. Consumers get what works now.
                let step = match current.facts.unconfirmed(policy, now - FRESH) {
                    Some(audience) => Step::Probe { key, audience },
                    None => Step::Deliver { key, to, of },
                };
                Decision::Act(step, Reason::SinkBehind)
            }
            (Some((at, _)), Decision::Wait(until, Reason::Healthy)) => {
                Decision::Wait(at.min(until), Reason::SinkFailing)
            }
            (Some((at, _)), Decision::Wait(until, why)) => Decision::Wait(at.min(until), why),
            (_, this) => this,
        }
    }

    fn stage(self) -> Step {
        let not_before = self.now - MAX_CLOCK_ERROR;
        let not_after = self.now + self.policy.terms().lifetime;
        Step::Stage { not_before, not_after, after: self.seen.generation }
    }

    fn promote(self, c: &Credential) -> Step {
        Step::Promote { key: c.held.thumbprint, after: self.seen.generation }
    }

    fn discard(self, c: &Credential) -> Step {
        Step::Discard { key: c.held.thumbprint, after: self.seen.generation }
    }
}

/// Since when the sink hands out this key, if it does.
fn holds(sink: &SinkState, key: &Credential) -> Option<Timestamp> {
    sink.delivered.filter(|d| d.key == key.held.thumbprint).map(|d| d.since)
}

fn register(c: &Credential, by: &Credential) -> Step {
    Step::Register { key: c.held.thumbprint, prove_with: by.held.thumbprint }
}

fn remove(old: &Credential, key_id: KeyId, by: &Credential) -> Step {
    Step::Remove { key: old.held.thumbprint, key_id, prove_with: by.held.thumbprint }
}
