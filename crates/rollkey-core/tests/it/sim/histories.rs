//! The runs: from where, how far, and what may go wrong on the way.

use super::run::Fault::{self, *};
use super::run::Run;
use super::world::Clock::Behind;
use super::world::{LAG, World, thumbprint};
use rollkey_core::policy::MIN_OVERLAP;
use rollkey_core::{MAX_CLOCK_ERROR, Policy, Span, Terms};

const EVERYTHING: &[Fault] =
    &[Reads, Crashes, Stalls, Journal, Administrator, Foreign, Clock, Sinks, Absence];

/// The shortest times that keep the promises, but for `overlap`. The more there is to ask, the
/// less often it is asked.
fn terms(sinks: usize, audiences: u8) -> Terms {
    let patience = LAG + MAX_CLOCK_ERROR.twice();
    Terms {
        renew_before: Span::days(30),
        lifetime: Span::days(90),
        propagation: patience,
        settle: patience,
        overlap: Span::days(1),
        poll: Span::minutes(if sinks == 1 && audiences == 1 { 10 } else { 20 }),
        audiences,
    }
}

fn policy(sinks: usize, audiences: u8) -> Policy {
    Policy::new(terms(sinks, audiences)).expect("sound")
}

/// Everything may go wrong, with so many sinks and audiences.
fn everything(name: &'static str, sinks: usize, audiences: u8) -> Run {
    let policy = policy(sinks, audiences);
    Run {
        name,
        start: World::new(&policy, sinks, Span::days(20)),
        policy,
        rotations: 1,
        may: EVERYTHING,
        signs_in: true,
        unreadable: false,
        most_keys: 4,
    }
}

pub(super) fn one_of_each() -> Run {
    let run = everything("one sink, one audience", 1, 1);
    let terms = Terms { poll: Span::minutes(20), ..run.policy.terms().clone() };
    Run { policy: Policy::new(terms).expect("sound"), ..run }
}

fn two_sinks() -> Run {
    let may = &[Crashes, Stalls, Journal, Sinks, Clock];
    Run { may, ..everything("two sinks", 2, 1) }
}

fn two_audiences() -> Run {
    let may = &[Reads, Journal, Administrator, Foreign, Clock];
    Run { may, ..everything("two audiences", 1, 2) }
}

fn two_of_each() -> Run {
    let may = &[Reads, Crashes, Sinks, Administrator];
    Run { may, signs_in: false, ..everything("two sinks, two audiences", 2, 2) }
}

/// The current key is to be replaced, whatever its dates.
fn retiring() -> Run {
    let run = everything("a current key that is retired", 1, 1);
    let policy = run.policy.retiring(thumbprint(1));
    let start = World::new(&policy, 1, Span::days(80));
    let may = &[Reads, Crashes, Stalls, Administrator, Sinks, Absence];
    Run { policy, start, may, signs_in: false, ..run }
}

/// A pending key was registered, and then nobody looked until it expired.
fn expired_pending() -> Run {
    let run = everything("a pending key that expired", 1, 1);
    let start = run.start.with_an_expired_pending_key(&run.policy);
    let may = &[Reads, Crashes, Stalls, Journal, Foreign, Clock, Absence];
    Run { start, may, ..run }
}

fn two_rotations() -> Run {
    Run { rotations: 2, ..everything("two rotations", 2, 2) }
}

/// Rolling one's own keys can be allowed where reading them is not.
fn unreadable() -> Run {
    let run = everything("a list that we may never read", 1, 2);
    let start = run.start.knowing_its_entry();
    let may = &[Administrator, Clock, Sinks, Absence];
    Run { start, may, rotations: 2, unreadable: true, ..run }
}

/// The shortest overlap that a policy allows.
fn short_overlap() -> Run {
    let run = everything("the shortest overlap", 1, 1);
    let policy = Policy::new(Terms { overlap: MIN_OVERLAP, ..terms(1, 1) }).expect("sound");
    let may = &[Stalls, Clock, Foreign, Sinks];
    Run { policy, may, ..run }
}

/// The latest renewal that a policy allows. Only the clock may be wrong: a rotation that is held up
/// by anything else ends after the old certificate.
fn last_minute() -> Run {
    let run = everything("the latest renewal", 1, 1);
    let overlap = MIN_OVERLAP;
    let rotation = terms(1, 1).propagation + terms(1, 1).settle + overlap;
    let renew_before = rotation + MAX_CLOCK_ERROR.twice();
    let policy = Policy::new(Terms { overlap, renew_before, ..terms(1, 1) }).expect("sound");
    let start = World::new(&policy, 1, renew_before + Span::hours(1));
    Run { policy, start, may: &[Clock], ..run }
}

#[test]
fn every_history_of_the_shortest_overlap_with_two_faults() {
    short_overlap().explore(2);
}

#[test]
fn every_history_of_the_latest_renewal_with_two_faults() {
    last_minute().explore(2);
}

#[test]
fn every_history_with_two_faults() {
    one_of_each().explore(2);
}

#[test]
fn every_history_of_two_sinks_with_two_faults() {
    two_sinks().explore(2);
}

#[test]
fn every_history_of_two_audiences_with_two_faults() {
    two_audiences().explore(2);
}

#[test]
fn every_history_of_two_sinks_and_two_audiences_with_two_faults() {
    two_of_each().explore(2);
}

#[test]
fn every_history_of_a_key_that_is_retired_with_two_faults() {
    retiring().explore(2);
}

#[test]
fn every_history_of_an_expired_pending_key_with_two_faults() {
    expired_pending().explore(2);
}

#[test]
fn every_history_of_two_rotations_with_one_fault() {
    two_rotations().explore(1);
}

#[test]
fn every_history_without_a_list_with_one_fault() {
    unreadable().explore(1);
}

#[test]
#[ignore = "minutes"]
fn every_history_with_three_faults() {
    every_history(3);
}

/// As many as the variable `FAULTS` says.
#[test]
#[ignore = "from minutes to days"]
#[expect(clippy::disallowed_methods, reason = "a test may be told how long it may take")]
fn every_history_with_n_faults() {
    every_history(std::env::var("FAULTS").map_or(4, |n| n.parse().expect("a small number")));
}

fn every_history(faults: u8) {
    let short: [fn() -> Run; 8] = [
        short_overlap,
        one_of_each,
        two_sinks,
        two_of_each,
        retiring,
        expired_pending,
        two_audiences,
        last_minute,
    ];
    // The long ones, with one fault less.
    let long: [fn() -> Run; 2] = [unreadable, two_rotations];
    // None knows of another, so each may have a processor.
    std::thread::scope(|scope| {
        for run in short {
            scope.spawn(move || run().explore(faults));
        }
        for run in long {
            scope.spawn(move || run().explore(faults.saturating_sub(1)));
        }
    });
}

/// A simulation that notices nothing proves nothing. It begins with a clock that is behind.
fn notices(terms: Terms, may: &'static [Fault]) -> bool {
    let policy = Policy::new(terms).expect("sound");
    let start = World::new(&policy, 1, policy.terms().renew_before);
    let start = World { clock: Behind, ..start };
    Run { policy, start, may, ..one_of_each() }.walk(2).is_err()
}

#[test]
fn a_settling_time_that_is_too_short_is_noticed() {
    let settle = Span(terms(1, 1).settle.0 - 1);
    assert!(notices(Terms { settle, ..terms(1, 1) }, &[Clock]));
    assert!(!notices(terms(1, 1), &[Clock]));
}

#[test]
fn a_propagation_time_that_is_too_short_is_noticed() {
    let propagation = LAG;
    assert!(notices(Terms { propagation, ..terms(1, 1) }, &[Clock, Reads]));
    assert!(!notices(terms(1, 1), &[Clock, Reads]));
}
