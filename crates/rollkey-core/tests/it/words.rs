//! Situations and decisions in words, for the table: the single place that knows the types.

use rollkey_core::{
    Audience, Credential, Decision, Delivered, Facts, Generation, Held, KeyId, Note, Observed,
    Policy, Registration, Sha1Thumbprint, Sha256Thumbprint, SinkId, SinkState, Slot, Span, Step,
    Terms, Thumbprint, Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);

pub(crate) fn thumbprint(n: u8) -> Thumbprint {
    Thumbprint { sha1: Sha1Thumbprint([n; 20]), sha256: Sha256Thumbprint([n; 32]) }
}

/// What a sink that is behind hands out, if we hold no previous key.
const STRANGER: u8 = 99;

/// Reads a situation: clauses, separated by commas, of the kinds that
/// `docs/decision-table.md` explains.
pub(crate) fn situation(text: &str) -> (Observed, Policy) {
    let clauses: Vec<Vec<&str>> =
        text.split(", ").filter(|c| !c.is_empty()).map(|c| c.split(' ').collect()).collect();
    let audiences = if clauses.contains(&vec!["two", "audiences"]) { 2 } else { 1 };
    let mut policy = Policy::new(Terms { audiences, ..Terms::default() }).expect("sound");
    let mut seen = Observed { generation: Generation(7), ..Observed::default() };
    for (n, clause) in (1..).zip(&clauses) {
        match clause.as_slice() {
            ["two", "audiences"] => (),
            ["sink", _, state @ ..] => seen.sinks.push(sink(state, &seen)),
            ["retiring", "current"] => {
                policy = policy.retiring(seen.current.as_ref().expect("given").held.thumbprint);
            }
            ["retiring", "another"] => policy = policy.retiring(thumbprint(STRANGER)),
            ["pending", words @ ..] => {
                seen.pending = Some(credential(n, Slot::Pending, words, &policy));
            }
            ["current", words @ ..] => {
                seen.current = Some(credential(n, Slot::Current, words, &policy));
            }
            ["previous", words @ ..] => {
                seen.previous.push(credential(n, Slot::Previous, words, &policy));
            }
            other => panic!("what is {other:?}?"),
        }
    }
    (seen, policy)
}

fn credential(n: u8, slot: Slot, words: &[&str], policy: &Policy) -> Credential {
    let key = thumbprint(n);
    let settle = policy.terms().settle;
    let mut held = Held {
        thumbprint: key,
        slot,
        since: NOW - Span::days(40),
        not_after: NOW + Span::days(90),
    };
    let mut registration = Registration::Present(KeyId::from_bytes([n; 16]));
    let mut facts = Facts::default();
    facts.add(Note::Seen(key), NOW - Span::days(40));
    let everywhere = |facts: &mut Facts, at: Timestamp| {
        policy.audiences().for_each(|audience| facts.add(Note::Accepted(key, audience), at));
    };
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let mut length = || span(words.next().expect("a length of time"));
        match word {
            "unproven" | "ago" => (),
            "local" => registration = Registration::Absent,
            "unclear" => registration = Registration::Unknown,
            "settling" => everywhere(&mut facts, NOW + length() - settle),
            "settled" => everywhere(&mut facts, NOW - settle),
            "proven" => {
                everywhere(&mut facts, NOW - Span::days(20));
                everywhere(&mut facts, NOW - Span::days(19));
            }
            "now" => everywhere(&mut facts, NOW),
            "expired" => held.not_after = NOW - length(),
            "for" => held.since = NOW - length(),
            "sent" => facts.add(Note::Sent(key), NOW - length()),
            "accepted" | "refused" => {
                let by = match words.next() {
                    Some("by") => {
                        Audience(words.next().expect("a number").parse().expect("a number"))
                    }
                    other => panic!("{word} by whom, not {other:?}"),
                };
                let at = NOW - span(words.next().expect("a length of time"));
                facts.add(
                    if word == "accepted" {
                        Note::Accepted(key, by)
                    } else {
                        Note::Refused(key, by)
                    },
                    at,
                );
            }
            left => held.not_after = NOW + span(left),
        }
    }
    let facts = facts.keys.remove(&key).expect("seen");
    Credential { held, facts, registration }
}

fn sink(state: &[&str], seen: &Observed) -> SinkState {
    let holds = |n: Option<&Credential>, since| {
        let key = n.map_or(thumbprint(STRANGER), |c| c.held.thumbprint);
        Some(Delivered { key, since })
    };
    let behind = holds(seen.previous.first(), NOW - Span::days(40));
    match state {
        ["since", length] => SinkState {
            delivered: holds(seen.current.as_ref(), NOW - span(length)),
            failed_at: None,
        },
        ["behind"] => SinkState { delivered: behind, failed_at: None },
        ["empty"] => SinkState::default(),
        ["failed", length, "ago"] => {
            SinkState { delivered: behind, failed_at: Some(NOW - span(length)) }
        }
        other => panic!("what is a sink {other:?}?"),
    }
}

pub(crate) fn span(text: &str) -> Span {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no length of time"))
}

/// A decision in words, for the one who was in this situation.
pub(crate) fn words(decision: Decision, seen: &Observed, policy: &Policy) -> String {
    match decision {
        Decision::Act(step, why) => format!("{}: {why:?}", step_in_words(step, seen, policy)),
        Decision::Wait(until, why) => {
            assert!(NOW < until, "it waits for the past");
            format!("wait {}: {why:?}", until.since(NOW))
        }
        Decision::Blocked(why) => format!("blocked: {why:?}"),
    }
}

fn step_in_words(step: Step, seen: &Observed, policy: &Policy) -> String {
    let name = |key: Thumbprint| name(key, seen);
    match step {
        Step::Stage { not_before, not_after, after } => {
            assert_eq!(after, seen.generation);
            format!("stage, valid since {} for {}", NOW.since(not_before), not_after.since(NOW))
        }
        Step::Register { key, prove_with } => {
            format!("register {} by {}", name(key), name(prove_with))
        }
        Step::Probe { key, audience } if policy.audiences().count() == 1 => {
            assert_eq!(audience, Audience(0));
            format!("probe {}", name(key))
        }
        Step::Probe { key, audience } => format!("probe {} at {}", name(key), audience.0),
        Step::Promote { key, after } => {
            assert_eq!(after, seen.generation);
            format!("promote {}", name(key))
        }
        Step::Deliver { key, to: SinkId(to), of } => {
            assert_eq!(of, seen.generation);
            format!("deliver {} to sink {to}", name(key))
        }
        Step::Remove { key, key_id, prove_with } => {
            assert_eq!(key_id.as_bytes()[0], key.sha1.0[0], "the entry of another key");
            format!("remove {} by {}", name(key), name(prove_with))
        }
        Step::Discard { key, after } => {
            assert_eq!(after, seen.generation);
            format!("discard {}", name(key))
        }
    }
}

/// `pending`, `current`, `previous`; from the second on `previous 2`.
fn name(key: Thumbprint, seen: &Observed) -> String {
    let at = seen.previous.iter().position(|c| c.held.thumbprint == key);
    let is = |c: &Option<Credential>| c.as_ref().is_some_and(|c| c.held.thumbprint == key);
    match at {
        Some(0) => "previous".into(),
        Some(n) => format!("previous {}", n + 1),
        None if is(&seen.current) => "current".into(),
        None if is(&seen.pending) => "pending".into(),
        None => panic!("a key that is not ours"),
    }
}
