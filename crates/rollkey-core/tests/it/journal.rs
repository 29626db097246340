//! What the notes of a journal add up to.

use crate::words::thumbprint;
use rollkey_core::facts::Answers;
use rollkey_core::{
    Audience, Facts, KeyFacts, KeyId, Note, Policy, SinkId, Terms, Thumbprint, Timestamp,
};
use std::collections::BTreeMap;

const A: Audience = Audience(0);
const B: Audience = Audience(1);
const ID: KeyId = KeyId::from_bytes([7; 16]);

fn at(seconds: u64) -> Timestamp {
    Timestamp(1_800_000_000 + seconds)
}

fn key() -> Thumbprint {
    thumbprint(1)
}

fn facts(notes: &[(Note, u64)]) -> Facts {
    let mut facts = Facts::default();
    notes.iter().for_each(|(note, seconds)| facts.add(*note, at(*seconds)));
    facts
}

/// What is remembered of the key.
fn of_key(notes: &[(Note, u64)]) -> KeyFacts {
    facts(notes).keys.remove(&key()).expect("heard of")
}

fn heard(first: u64, last: u64) -> Answers {
    Answers { first_accepted: Some(at(first)), last_accepted: Some(at(last)), last_refused: None }
}

#[test]
fn each_note_leaves_its_trace() {
    let new = KeyFacts::new(at(5));
    assert_eq!(of_key(&[(Note::Seen(key()), 5)]), new);
    assert_eq!(of_key(&[(Note::Staged(key()), 5)]), KeyFacts { staged: true, ..new.clone() });
    let sent = KeyFacts { sent_at: Some(at(5)), ..new.clone() };
    assert_eq!(of_key(&[(Note::Sent(key()), 5)]), sent);
    let registered = KeyFacts { key_id: Some(ID), ..new.clone() };
    assert_eq!(of_key(&[(Note::Registered(key(), ID), 5)]), registered);
    let accepted = KeyFacts { answers: BTreeMap::from([(A, heard(5, 5))]), ..new.clone() };
    assert_eq!(of_key(&[(Note::Accepted(key(), A), 5)]), accepted);
    let no = Answers { last_refused: Some(at(5)), ..Answers::default() };
    let refused = KeyFacts { answers: BTreeMap::from([(B, no)]), ..new };
    assert_eq!(of_key(&[(Note::Refused(key(), B), 5)]), refused);
}

#[test]
fn to_have_heard_of_a_key_before_changes_nothing() {
    let facts = of_key(&[(Note::Staged(key()), 1), (Note::Seen(key()), 5)]);
    assert_eq!((facts.since, facts.staged), (at(1), true));
}

#[test]
fn a_call_that_changed_nothing_was_never_sent() {
    let sent = Note::Sent(key());
    let not_taken = Note::NotTaken(key());
    let sent_at = |notes: &[(Note, u64)]| {
        let facts = of_key(notes);
        (facts.sent_at, facts.sent_before)
    };
    assert_eq!(sent_at(&[(sent, 1), (sent, 5)]), (Some(at(5)), Some(at(1))));
    assert_eq!(sent_at(&[(sent, 1), (not_taken, 1)]), (None, None));
    assert_eq!(sent_at(&[(sent, 1), (sent, 5), (not_taken, 5)]), (Some(at(1)), None));
}

#[test]
fn a_worker_that_is_late_takes_back_its_own_call_only() {
    let facts =
        of_key(&[(Note::Sent(key()), 1), (Note::Sent(key()), 5), (Note::NotTaken(key()), 1)]);
    assert_eq!((facts.sent_at, facts.sent_before), (Some(at(5)), Some(at(1))));
}

#[test]
fn a_journal_that_was_lost_does_not_hear_of_a_key_by_what_is_older() {
    assert_eq!(facts(&[(Note::NotTaken(key()), 1)]), Facts::default());
}

#[test]
fn the_first_yes_and_the_last_are_kept() {
    let yes = Note::Accepted(key(), A);
    assert_eq!(of_key(&[(yes, 1), (yes, 5), (yes, 9)]).answer(A), heard(1, 9));
    assert_eq!(of_key(&[(yes, 1)]).answer(B), Answers::default());
}

#[test]
fn one_no_casts_doubt_on_every_yes() {
    let yes = |audience| Note::Accepted(key(), audience);
    let facts = of_key(&[(yes(A), 1), (yes(B), 2), (Note::Refused(key(), B), 5)]);
    let doubted = Answers { last_refused: Some(at(5)), ..Answers::default() };
    assert_eq!((facts.answer(A), facts.answer(B)), (Answers::default(), doubted));
    assert!(!facts.accepted_by_any());
    assert_eq!(facts.last_refused(), Some(at(5)));

    let facts = of_key(&[(Note::Refused(key(), A), 1), (Note::Refused(key(), B), 5), (yes(A), 6)]);
    assert!(facts.accepted_by_any());
    assert_eq!(facts.last_refused(), Some(at(5)));
    let mended = Answers { last_refused: Some(at(1)), ..heard(6, 6) };
    assert_eq!(facts.answer(A), mended);
}

#[test]
fn what_was_said_of_an_earlier_registration_is_forgotten() {
    let before = [(Note::Accepted(key(), A), 1), (Note::Refused(key(), B), 2)];
    let facts = of_key(&[before[0], before[1], (Note::Sent(key()), 3)]);
    assert!(facts.answers.is_empty());
    // And does not come back if the call came to nothing.
    let facts = of_key(&[before[0], (Note::Sent(key()), 3), (Note::NotTaken(key()), 3)]);
    assert!(facts.answers.is_empty());
}

#[test]
fn a_key_is_accepted_since_the_last_first_yes() {
    let policy = Policy::new(Terms { audiences: 2, ..Terms::default() }).expect("sound");
    let yes = |audience| Note::Accepted(key(), audience);
    assert_eq!(of_key(&[(yes(A), 1)]).accepted_since(&policy), None);
    assert_eq!(of_key(&[(yes(B), 1)]).accepted_since(&policy), None);
    let both = [(yes(A), 1), (yes(B), 5), (yes(A), 9)];
    assert_eq!(of_key(&both).accepted_since(&policy), Some(at(5)));
    assert_eq!(of_key(&both).accepted_since(&Policy::default()), Some(at(1)));
}

#[test]
fn a_key_that_was_destroyed_is_forgotten() {
    let other = thumbprint(2);
    let facts =
        facts(&[(Note::Seen(key()), 1), (Note::Seen(other), 2), (Note::Discarded(key()), 3)]);
    assert!(facts.keys.keys().eq([&other]));
}

#[test]
fn a_failed_delivery_is_remembered_until_one_succeeds() {
    let failed = |n| Note::DeliveryFailed(SinkId(n));
    let done = |n| Note::DeliveryDone(SinkId(n));
    let twice = facts(&[(failed(0), 1), (failed(1), 2), (failed(0), 3)]);
    let both = BTreeMap::from([(SinkId(0), at(3)), (SinkId(1), at(2))]);
    assert_eq!(twice.failed_deliveries, both);
    let mended = facts(&[(failed(0), 1), (failed(1), 2), (done(0), 3)]);
    assert_eq!(mended.failed_deliveries, BTreeMap::from([(SinkId(1), at(2))]));
}

/// One note for each instant that can be remembered.
fn everything() -> Vec<(Note, u64)> {
    vec![
        (Note::Seen(key()), 10),
        (Note::Sent(key()), 20),
        (Note::Sent(key()), 30),
        (Note::Refused(key(), A), 40),
        (Note::Accepted(key(), A), 50),
        (Note::Accepted(key(), A), 60),
        (Note::DeliveryFailed(SinkId(0)), 70),
    ]
}

#[test]
fn the_latest_instant_is_found_wherever_it_stands() {
    assert_eq!(Facts::default().latest(), None);
    for n in 1..=everything().len() {
        let notes = &everything()[..n];
        assert_eq!(facts(notes).latest(), notes.last().map(|(_, seconds)| at(*seconds)), "{n}");
    }
}

#[test]
fn nothing_that_a_clock_noted_from_the_future_stays_there() {
    let mut all = facts(&everything());
    all.add(Note::ClockSetBack, at(45));
    let of_key = &all.keys[&key()];
    assert_eq!(of_key.since, at(10));
    assert_eq!((of_key.sent_before, of_key.sent_at), (Some(at(20)), Some(at(30))));
    assert_eq!(of_key.answer(A), Answers { last_refused: Some(at(40)), ..heard(45, 45) });
    assert_eq!(all.failed_deliveries[&SinkId(0)], at(45));

    all.add(Note::ClockSetBack, at(5));
    let of_key = &all.keys[&key()];
    assert_eq!(of_key.since, at(5));
    assert_eq!((of_key.sent_before, of_key.sent_at), (Some(at(5)), Some(at(5))));
    assert_eq!(of_key.answer(A), Answers { last_refused: Some(at(5)), ..heard(5, 5) });
    assert_eq!(all.latest(), Some(at(5)));
}
