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

use crate::id::KeyId;
use crate::observed::{Credential, Generation, Observed, Registration, SinkState, Slot, Standing};
use crate::policy::{Audience, MAX_CLOCK_ERROR, Policy, SinkId};
use crate::thumbprint::Thumbprint;
use crate::time::Timestamp;

/// What to do next, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Take this step, then look again.
    Act(Step, Reason),
    /// Nothing to do before this instant (UTC). Looking earlier is harmless.
    Wait(Timestamp, Reason),
    /// No step of ours can help; a person must. See `docs/operations.md`.
    Blocked(Blocker),
}

/// One effect on the world, complete: whoever carries it out has nothing left to choose.
///
/// Every step may be carried out twice, late, or not at all. Steps on the keystore name the
/// [`Generation`] they were decided on and are refused by a keystore that has moved on. Steps on
/// the directory carry a proof that expires after ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Create a key pair and a certificate with these dates in the empty pending slot, durably.
    /// It is valid from a little before now, for services whose clock is behind ours.
    Stage {
        /// First instant of the certificate.
        not_before: Timestamp,
        /// Last instant of the certificate.
        not_after: Timestamp,
        /// What the keystore was seen at.
        after: Generation,
    },
    /// Call `addKey` for `key`, with a proof signed by `prove_with`.
    Register {
        /// To be registered.
        key: Thumbprint,
        /// A key that works.
        prove_with: Thumbprint,
    },
    /// Ask the token endpoint for a token with `key`; note whether it said yes.
    Probe {
        /// To be asked for.
        key: Thumbprint,
        /// The scope to ask for.
        audience: Audience,
    },
    /// Make the pending key current and the current key previous, in one atomic change.
    Promote {
        /// The pending key.
        key: Thumbprint,
        /// What the keystore was seen at.
        after: Generation,
    },
    /// Put the current key where consumers read it, and tell them. A sink that has seen a later
    /// generation refuses.
    Deliver {
        /// The current key.
        key: Thumbprint,
        /// Where to.
        to: SinkId,
        /// What the keystore was seen at.
        of: Generation,
    },
    /// Call `removeKey` for `key_id`, with a proof signed by the key that stays.
    Remove {
        /// Whose entry it is.
        key: Thumbprint,
        /// The entry to remove.
        key_id: KeyId,
        /// A key that works, and is another.
        prove_with: Thumbprint,
    },
    /// Destroy our copy of a private key that the directory no longer knows.
    Discard {
        /// To be destroyed.
        key: Thumbprint,
        /// What the keystore was seen at.
        after: Generation,
    },
}

/// Why a decision was taken. Shown by `status`, counted by metrics, asserted by tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Somebody removed the current key from the directory; a previous one still works.
    CurrentLost,
    /// The current key has not worked for long enough to rely on it.
    CurrentSettling,
    /// The current key has not been seen to work.
    CurrentUnproven,
    /// The directory does not show clearly which keys it holds: a removal may not show yet, and
    /// both keys must be seen before one is removed.
    DirectoryUnclear,
    /// Nothing to do before the certificate is due.
    Healthy,
    /// Every consumer has had the overlap's time to move to the current key.
    OverlapEnded,
    /// Consumers may still use the previous key.
    Overlapping,
    /// The pending certificate expired before it was ever used.
    PendingExpired,
    /// The pending key has worked for long enough.
    PendingProven,
    /// The pending key works, but perhaps not on every replica.
    PendingSettling,
    /// The pending key is registered, or perhaps registered, and has not been seen to work.
    PendingUnproven,
    /// The pending key is not in the directory.
    PendingUnregistered,
    /// The directory no longer knows the previous key.
    PreviousGone,
    /// Before giving up, every key that we hold is asked for.
    ProverUntried,
    /// A removal was sent, and replicas may still show the key. It is not sent twice meanwhile.
    Removing,
    /// The current certificate expires soon, or is to be replaced.
    RenewalDue,
    /// A sink does not hold the current key.
    SinkBehind,
    /// A delivery failed, and is tried again after a pause. Nothing is removed meanwhile.
    SinkFailing,
}

/// Why nothing that we may do would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blocker {
    /// We hold no key of this application.
    NoKey,
    /// No key that we hold is accepted, and `addKey` needs one that is.
    NoUsableKey,
}

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

    // While a rotation waits, whatever for, a sink that is behind is served.
    match (rotation, current) {
        (Wait(until, why), Some((Proven, c))) => deliver(c, seen, policy, now, until, why),
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
    let works = standings().find(|(standing, _)| standing.works());
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
    let sent = old.facts.sent_at.filter(|at| old.held.since <= *at);
    let shows = sent.map_or(now, |at| at + policy.terms().propagation);

    match (old.registration, by.registration, old.standing(policy, now)) {
        (Absent,      _,          _)              => Act(discard(old, seen), gone),
        // What was sent last may not show yet.
        _ if now < shows                          => Wait(shows, Removing),
        // It was to be removed before, and the list may be old: is it still there?
        (Present(_),  Present(_), Unproven(t, a)) if sent.is_some() && old.facts.answers.is_empty() => ask(old, a, t, now, removal),
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

/// Serves the first sink that is behind and may be tried now; otherwise waits, but no longer than
/// until the first may be tried again.
fn deliver(
    current: &Credential,
    seen: &Observed,
    policy: &Policy,
    now: Timestamp,
    until: Timestamp,
    why: Reason,
) -> Decision {
    let behind = (0..).map(SinkId).zip(&seen.sinks).filter(|(_, s)| holds(s, current).is_none());
    let first = behind
        .map(|(to, sink)| (sink.failed_at.map_or(now, |at| at + policy.terms().poll), to))
        .min();
    match first {
        None => Decision::Wait(until, why),
        Some((at, to)) if at <= now => {
            let (key, of) = (current.held.thumbprint, seen.generation);
            Decision::Act(Step::Deliver { key, to, of }, Reason::SinkBehind)
        }
        Some((at, _)) if why == Reason::Healthy => {
            Decision::Wait(at.min(until), Reason::SinkFailing)
        }
        Some((at, _)) => Decision::Wait(at.min(until), why),
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
/// renewing: once the current certificate is due, we no longer wait for the directory.
fn cast_off(
    pending: &Credential,
    by: &Credential,
    seen: &Observed,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let renew_before = policy.terms().renew_before;
    let pressing = seen.current.as_ref().is_none_or(|c| c.held.not_after - renew_before <= now);
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
