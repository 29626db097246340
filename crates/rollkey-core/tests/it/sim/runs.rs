//! The runs: from where, how far, and what may go wrong on the way.

use super::explorer::Fault::{self, *};
use super::explorer::Run;
use super::world::{LAG, World, thumbprint};
use rollkey_core::{MAX_CLOCK_ERROR, Policy, Span, Terms};

const EVERYTHING: &[Fault] =
    &[Reads, Crashes, Stalls, Journal, Administrator, Foreign, Clock, Sinks, Absence];

/// The shortest times that keep the promises, but for `overlap`.
fn terms(audiences: u8) -> Terms {
    let patience = LAG + MAX_CLOCK_ERROR.twice();
    Terms {
        renew_before: Span::days(30),
        lifetime: Span::days(90),
        propagation: patience,
        settle: patience,
        overlap: Span::days(1),
        poll: Span::minutes(10),
        audiences,
    }
}

fn policy(audiences: u8) -> Policy {
    Policy::new(terms(audiences)).expect("sound")
}

/// Everything may go wrong, with so many sinks and audiences.
fn everything(name: &'static str, sinks: usize, audiences: u8) -> Run {
    let policy = policy(audiences);
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

#[test]
fn one_of_each() {
    everything("one sink, one audience", 1, 1).explore(2);
}

#[test]
fn two_sinks() {
    let may = &[Reads, Crashes, Stalls, Journal, Sinks, Clock];
    Run { may, ..everything("two sinks", 2, 1) }.explore(2);
}

#[test]
fn two_audiences() {
    let may = &[Reads, Journal, Administrator, Foreign, Clock];
    Run { may, ..everything("two audiences", 1, 2) }.explore(2);
}

#[test]
fn two_of_each() {
    let may = &[Reads, Sinks, Administrator];
    Run { may, signs_in: false, ..everything("two of each", 2, 2) }.explore(2);
}

#[test]
fn retiring() {
    let run = everything("retiring", 1, 1);
    let policy = run.policy.retiring(thumbprint(1));
    let start = World::new(&policy, 1, Span::days(80));
    let may = &[Reads, Crashes, Stalls, Administrator, Sinks, Absence];
    Run { policy, start, may, signs_in: false, ..run }.explore(2);
}

#[test]
fn two_rotations() {
    Run { rotations: 2, ..everything("two rotations", 2, 2) }.explore(1);
}

#[test]
fn expired_pending() {
    let run = everything("an expired pending key", 1, 1);
    let start = run.start.with_an_expired_pending_key(&run.policy);
    let may = &[Reads, Crashes, Stalls, Journal, Foreign, Clock, Absence];
    Run { start, may, ..run }.explore(2);
}

#[test]
fn unreadable() {
    let run = everything("a list that we may never read", 2, 2);
    let start = run.start.knowing_its_entry();
    let may = &[Administrator, Clock, Sinks, Absence];
    Run { start, may, rotations: 2, unreadable: true, ..run }.explore(1);
}
