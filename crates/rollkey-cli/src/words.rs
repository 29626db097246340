//! Decisions in words: one sentence for each step, reason and blocker.
//!
//! `docs/operations.md` has a section for each reason and blocker, by the same name.

use rollkey::answer::Refusal;
use rollkey::rotation::{Look, Parts};
use rollkey_core::{Blocker, Decision, Reason, Slot, Span, Standing, Step, Thumbprint, Timestamp};

/// What a reason means, after "because".
pub(crate) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::CurrentLost => "somebody removed the current key; a previous one still works",
        Reason::CurrentSettling => "the current key works, but perhaps not on every replica",
        Reason::CurrentUnproven => "the current key has not been seen to work",
        Reason::DirectoryUnclear => "both keys must be seen in the directory before one is removed",
        Reason::Healthy => "nothing is due",
        Reason::OverlapEnded => "every consumer has had time to move to the current key",
        Reason::Overlapping => "consumers may still use the previous key",
        Reason::PendingExpired => "the pending certificate expired before it was ever used",
        Reason::PendingProven => "the new key has worked for long enough",
        Reason::PendingSettling => "the new key works, but perhaps not on every replica",
        Reason::PendingUnproven => "the new key has not been seen to work",
        Reason::PendingUnregistered => "the new key is not in the directory",
        Reason::PreviousGone => "the directory no longer knows the previous key",
        Reason::ProverUntried => "before giving up, every key that we hold is asked for",
        Reason::RenewalDue => "the current certificate is to be replaced",
        Reason::SinkBehind => "the sink does not hold the current key",
        Reason::SinkFailing => "a delivery failed; nothing is removed until it succeeds",
        Reason::Removing => "the removal was sent; replicas may still show the key",
    }
}

/// What stands in the way, and what a person can do about it.
pub(crate) fn blocker(blocker: Blocker) -> (&'static str, &'static str) {
    match blocker {
        Blocker::NoKey => (
            "there is no key of this application in its keystore",
            "bring in the key that is registered now: rollkey import NAME FILE",
        ),
        Blocker::NoUsableKey => (
            "no key that we hold is accepted, and addKey needs one that is",
            "register one with somebody else's permission (portal, or PATCH of keyCredentials), then: rollkey import NAME FILE --replace",
        ),
    }
}

/// The name of a step, in JSON and in text.
pub(crate) fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Stage { .. } => "stage",
        Step::Register { .. } => "register",
        Step::Probe { .. } => "probe",
        Step::Promote { .. } => "promote",
        Step::Deliver { .. } => "deliver",
        Step::Remove { .. } => "remove",
        Step::Discard { .. } => "discard",
    }
}

/// The key that a step is about, where there is one already.
pub(crate) fn step_key(step: &Step) -> Option<Thumbprint> {
    match step {
        Step::Stage { .. } => None,
        Step::Register { key, .. }
        | Step::Probe { key, .. }
        | Step::Promote { key, .. }
        | Step::Deliver { key, .. }
        | Step::Remove { key, .. }
        | Step::Discard { key, .. } => Some(*key),
    }
}

/// A step in one line: what is about to be done.
pub(crate) fn step(step: &Step, parts: &Parts) -> String {
    let short = |key: &Thumbprint| key.sha1.short();
    match step {
        Step::Stage { not_after, .. } => {
            format!("make a new key, with a certificate until {}", date(*not_after))
        }
        Step::Register { key, prove_with } => {
            format!("register {} (addKey, proof signed by {})", short(key), short(prove_with))
        }
        Step::Probe { key, audience } => {
            let scope = &parts.scopes[usize::from(audience.0)];
            format!("ask for a token with {} ({scope})", short(key))
        }
        Step::Promote { key, .. } => format!("make {} the current key", short(key)),
        Step::Deliver { key, to, .. } => {
            format!("deliver {} to `{}`", short(key), parts.sinks[usize::from(to.0)].name())
        }
        Step::Remove { key, key_id, prove_with } => format!(
            "remove {} (removeKey {key_id}, proof signed by {})",
            short(key),
            short(prove_with)
        ),
        Step::Discard { key, .. } => format!("destroy our copy of {}", short(key)),
    }
}

/// A slot by its name.
pub(crate) fn slot(slot: Slot) -> &'static str {
    match slot {
        Slot::Pending => "pending",
        Slot::Current => "current",
        Slot::Previous => "previous",
    }
}

/// A standing by its name.
pub(crate) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Expired => "expired",
        Standing::Local => "local",
        Standing::Unproven(..) => "unproven",
        Standing::Settling(..) => "settling",
        Standing::Proven => "proven",
    }
}

/// What a look decided, in one line.
pub(crate) fn decision(look: &Look, parts: &Parts) -> String {
    match &look.decision {
        Decision::Act(act, why) => format!("{}: {}", step(act, parts), reason(*why)),
        Decision::Wait(until, why) => format!(
            "nothing to do before {} (in {}): {}",
            instant(*until),
            about(until.since(look.now)),
            reason(*why)
        ),
        Decision::Blocked(why) => format!("blocked: {}", blocker(*why).0),
    }
}

/// What was said, without the words: a refusal that is expected needs only its code, and the id
/// by which support finds it.
pub(crate) fn refusal(refusal: &Refusal) -> String {
    let id = refusal.request_id.as_ref().map(|id| format!(" (request {id})"));
    format!("{} {}{}", refusal.status, refusal.code, id.unwrap_or_default())
}

/// RFC 3339, UTC, whole seconds.
pub(crate) fn instant(at: Timestamp) -> String {
    match i64::try_from(at.0).map(jiff::Timestamp::from_second) {
        Ok(Ok(at)) => at.to_string(),
        // Beyond the year 9999.
        _ => format!("{} s", at.0),
    }
}

/// The day, UTC.
pub(crate) fn date(at: Timestamp) -> String {
    instant(at).chars().take(10).collect()
}

/// A span as people say it: its two largest units.
pub(crate) fn about(span: Span) -> String {
    let text = span.to_string();
    let mut end = text.len();
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if !c.is_ascii_digit() {
            units += 1;
            if units == 2 {
                end = at + 1;
                break;
            }
        }
    }
    text[..end].to_owned()
}
