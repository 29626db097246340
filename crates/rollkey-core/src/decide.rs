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

    let pending = seen.pending.as_ref().map(|c| (c.standing(policy, now), c));
    let current = seen.current.as_ref().map(|c| (c.standing(policy, now), c));
    let prover  = prover(seen, policy, now);

    let rotation = match (pending, current, prover) {
        // pending                  current                      prover
        (Some((Expired, p)),        _,                           Works(by))        => cast_off(p, by, seen, policy, now),
        (Some((Expired, p)),        _,                           Nobody)           => Act(discard(p, seen), PendingExpired),
        (Some((Unproven(t, a), p)), _,                           _)                => ask(p, a, t, now, PendingUnproven),
        (Some((Settling(t, a), p)), _,                           _)                => ask(p, a, t, now, PendingSettling),
        (Some((Proven, p)),         _,                           _)                => Act(promote(p, seen), PendingProven),
        (Some((Local, p)),          _,                           Works(by))        => Act(register(p, by), PendingUnregistered),
        (None,                      Some((Proven, c)),           _)                => rest(c, seen, policy, now),
        (None,                      Some((Settling(t, a), c)),   _)                => ask(c, a, t, now, CurrentSettling).unless_due(c, seen, policy, now),
        (None,                      Some((Unproven(t, a), c)),   _)                => ask(c, a, t, now, CurrentUnproven),
        (None,                      Some((Local, c)),            Works(by))        => Act(register(c, by), CurrentLost),
        (None,                      Some((Expired, _)) | None,   Works(_))         => Act(stage(seen, policy, now), RenewalDue),
        (_,                         _,                           Untried(t, a, c)) => ask(c, a, t, now, ProverUntried),
        (_,                         Some(_),                     Nobody)           => Blocked(NoUsableKey),
        (_,                         None,                        Nobody)           => Blocked(NoKey),
    };

    // While a rotation waits, whatever for, and before anything is tidied up, a sink that is
    // behind is served.
    match (rotation, current) {
        (Act(Step::Remove { .. } | Step::Discard { .. }, _) | Wait(..), Some((Proven, c))) => {
            deliver(c, seen, policy, now).unwrap_or_else(|retry| rotation.no_later_than(retry))
        }
        _ => rotation,
    }
}

/// Who could sign a proof of possession.
enum Prover<'a> {
    Works(&'a Credential),
    /// Nobody that we know of, but this key has yet to be asked, at this instant.
    Untried(Timestamp, Audience, &'a Credential),
    Nobody,
}

fn prover<'a>(seen: &'a Observed, policy: &Policy, now: Timestamp) -> Prover<'a> {
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

/// No rotation is under way: begin the next if it is due, or tidy up after the last one.
///
/// Beginning goes before tidying: a removal that keeps failing must never keep us from renewing.
fn rest(current: &Credential, seen: &Observed, policy: &Policy, now: Timestamp) -> Decision {
    use Decision::Wait;
    let mut next = Wait(due(current, policy, now), Reason::Healthy);
    for old in &seen.previous {
        next = match (retire(old, current, seen, policy, now), next) {
            (act @ Decision::Act(..), _) => return act.unless_due(current, seen, policy, now),
            (Wait(t, why), Wait(until, Reason::Healthy)) => Wait(t.min(until), why),
            (Wait(t, _), Wait(until, why)) => Wait(t.min(until), why),
            (_, next) => next,
        };
    }
    next.unless_due(current, seen, policy, now)
}

/// What may be done with a previous key.
fn retire(
    old: &Credential,
    current: &Credential,
    seen: &Observed,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let over = match overlap_ends(current, seen, policy) {
        // Of no use to anybody, even if our clock is ahead.
        _ if old.held.not_after + MAX_CLOCK_ERROR <= now => now,
        Some(over) => over,
        // Some sink still hands out the old key: nothing is removed until that is mended.
        None => return Decision::Wait(now + policy.terms().poll, Reason::SinkFailing),
    };
    match now < over {
        true => Decision::Wait(over, Reason::Overlapping),
        false => part_with(old, current, seen, policy, now),
    }
}

/// Removes the entry of a key that nobody uses any more, and then destroys our copy.
#[rustfmt::skip]
fn part_with(old: &Credential, by: &Credential, seen: &Observed, policy: &Policy, now: Timestamp) -> Decision {
    use {Decision::*, Reason::*, Registration::*, Standing::*};
    let (removal, gone) = match old.held.slot {
        Slot::Pending => (PendingExpired, PendingExpired),
        _ => (OverlapEnded, PreviousGone),
    };
    let shows = old.facts.sent_at.map_or(now, |at| at + policy.terms().propagation);
    let tried = old.removal_shows(policy).is_some();

    match (old.registration, by.registration, old.standing(policy, now)) {
        (Absent,      _,          _)              => Act(discard(old, seen), gone),
        // What was sent last may not show yet.
        _ if now < shows                          => Wait(shows, Removing),
        // It was to be removed before, and the list may be old: is it still there?
        (Present(_),  Present(_), Unproven(t, a)) if tried && old.facts.answers.is_empty() => ask(old, a, t, now, removal),
        // Both must be seen, unless the one is worth nothing. Not having heard that the other
        // key is gone is no reason to remove this one.
        (Present(id), _,          Expired)        => Act(remove(old, id, by), removal),
        (Present(id), Present(_), _)              => Act(remove(old, id, by), removal),
        _                                         => Wait(now + policy.terms().propagation, DirectoryUnclear),
    }
}

/// When the last consumer that was told of the current key must have moved to it. `None` while
/// some sink still holds another.
fn overlap_ends(current: &Credential, seen: &Observed, policy: &Policy) -> Option<Timestamp> {
    let last = seen
        .sinks
        .iter()
        .try_fold(current.held.since, |last, sink| Some(last.max(holds(sink, current)?)))?;
    // The switch and its end may be read off a clock that was set right in between.
    Some(last + policy.terms().overlap + MAX_CLOCK_ERROR.twice())
}

/// Since when the sink hands out this key, if it does.
fn holds(sink: &SinkState, key: &Credential) -> Option<Timestamp> {
    sink.delivered.filter(|d| d.key == key.held.thumbprint).map(|d| d.since)
}

/// How long ago a key may have been accepted for the last time to be handed to consumers: much
/// shorter than replicas lag, long enough for the notification of several sinks.
const FRESH: Span = Span::minutes(5);

/// Serves the first sink that is behind and may be tried now. Otherwise says when the next may be
/// tried again, if any is behind.
fn deliver(
    current: &Credential,
    seen: &Observed,
    policy: &Policy,
    now: Timestamp,
) -> Result<Decision, Option<Timestamp>> {
    let poll = policy.terms().poll;
    let behind = (0..).map(SinkId).zip(&seen.sinks).filter(|(_, s)| holds(s, current).is_none());
    let first = behind.map(|(to, sink)| (sink.failed_at.map_or(now, |at| at + poll), to)).min();
    let (key, of) = (current.held.thumbprint, seen.generation);
    match first {
        Some((at, to)) if at <= now => {
            // That it works was seen, perhaps long ago. Consumers get what works now.
            let step = match current.facts.unconfirmed(policy, now - FRESH) {
                Some(audience) => Step::Probe { key, audience },
                None => Step::Deliver { key, to, of },
            };
            Ok(Decision::Act(step, Reason::SinkBehind))
        }
        retry => Err(retry.map(|(at, _)| at)),
    }
}

/// When the current key is to be replaced.
fn due(current: &Credential, policy: &Policy, now: Timestamp) -> Timestamp {
    match policy.retire() {
        Some(key) if key == current.held.thumbprint => now,
        _ => current.held.not_after - policy.terms().renew_before,
    }
}

impl Decision {
    /// This, but no longer a wait than until a failed delivery may be tried again.
    fn no_later_than(self, retry: Option<Timestamp>) -> Self {
        match (self, retry) {
            (Self::Wait(until, Reason::Healthy), Some(at)) => {
                Self::Wait(at.min(until), Reason::SinkFailing)
            }
            (Self::Wait(until, why), Some(at)) => Self::Wait(at.min(until), why),
            _ => self,
        }
    }

    /// This, unless the current key is due: then the next rotation begins.
    fn unless_due(
        self,
        current: &Credential,
        seen: &Observed,
        policy: &Policy,
        now: Timestamp,
    ) -> Self {
        let due = due(current, policy, now);
        match self {
            _ if due <= now => Self::Act(stage(seen, policy, now), Reason::RenewalDue),
            Self::Wait(until, why) => Self::Wait(until.min(due), why),
            other => other,
        }
    }
}

fn ask(c: &Credential, audience: Audience, at: Timestamp, now: Timestamp, why: Reason) -> Decision {
    match at <= now {
        true => Decision::Act(Step::Probe { key: c.held.thumbprint, audience }, why),
        false => Decision::Wait(at, why),
    }
}

/// An expired pending key goes, its entry in the directory first. But it must not keep us from
/// renewing: when half of the time for that is gone, we no longer wait for the directory.
fn cast_off(
    pending: &Credential,
    by: &Credential,
    seen: &Observed,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let half = Span(policy.terms().renew_before.0 / 2);
    let pressing = seen.current.as_ref().is_none_or(|c| c.held.not_after - half <= now);
    match part_with(pending, by, seen, policy, now) {
        Decision::Wait(..) if pressing => {
            Decision::Act(discard(pending, seen), Reason::PendingExpired)
        }
        other => other,
    }
}

fn stage(seen: &Observed, policy: &Policy, now: Timestamp) -> Step {
    let (not_before, not_after) = (now - MAX_CLOCK_ERROR, now + policy.terms().lifetime);
    Step::Stage { not_before, not_after, after: seen.generation }
}

fn register(c: &Credential, by: &Credential) -> Step {
    Step::Register { key: c.held.thumbprint, prove_with: by.held.thumbprint }
}

fn promote(c: &Credential, seen: &Observed) -> Step {
    Step::Promote { key: c.held.thumbprint, after: seen.generation }
}

fn remove(old: &Credential, key_id: KeyId, by: &Credential) -> Step {
    Step::Remove { key: old.held.thumbprint, key_id, prove_with: by.held.thumbprint }
}

fn discard(c: &Credential, seen: &Observed) -> Step {
    Step::Discard { key: c.held.thumbprint, after: seen.generation }
}
