//! Terms that make no sense are refused, at their very edge.

use rollkey_core::policy::MIN_OVERLAP;
use rollkey_core::{Audience, Policy, PolicyError, Span, Terms, Thumbprint};

fn check(change: impl FnOnce(&mut Terms), expected: Result<(), PolicyError>) {
    let mut terms = Terms::default();
    change(&mut terms);
    assert_eq!(Policy::new(terms.clone()).map(|_| ()), expected, "{terms:?}");
}

#[test]
fn the_defaults_are_sound() {
    check(|_| (), Ok(()));
    assert_eq!(Policy::new(Terms::default()), Ok(Policy::default()));
}

#[test]
fn a_certificate_is_not_born_due() {
    check(|t| t.lifetime = t.renew_before, Err(PolicyError::BornDue));
    check(|t| t.lifetime = t.renew_before + Span(1), Ok(()));
}

#[test]
fn the_overlap_outlasts_a_stalled_run() {
    assert_eq!(MIN_OVERLAP, Span::minutes(20));
    check(|t| t.overlap = Span(MIN_OVERLAP.0 - 1), Err(PolicyError::OverlapTooShort));
    check(|t| t.overlap = MIN_OVERLAP, Ok(()));
}

#[test]
fn a_rotation_ends_before_the_old_certificate() {
    // Half an hour of propagation, half an hour of settling, a day, and ten minutes for the clock.
    let least = Span::days(1) + Span::minutes(70);
    check(|t| t.renew_before = least, Ok(()));
    check(|t| t.renew_before = Span(least.0 - 1), Err(PolicyError::TooLate));
    check(|t| t.propagation = Span::days(29), Err(PolicyError::TooLate));
    check(|t| t.settle = Span::days(29), Err(PolicyError::TooLate));
    check(|t| t.overlap = Span::days(30), Err(PolicyError::TooLate));
}

#[test]
fn somebody_is_asked_and_not_without_a_pause() {
    check(|t| t.poll = Span(0), Err(PolicyError::PollZero));
    check(|t| t.poll = Span(1), Ok(()));
    check(|t| t.audiences = 0, Err(PolicyError::NoAudience));
    check(|t| t.audiences = 1, Ok(()));
}

#[test]
fn the_first_rule_that_is_broken_is_named() {
    let everything = |t: &mut Terms| {
        *t = Terms {
            renew_before: Span(0),
            lifetime: Span(0),
            propagation: Span(0),
            settle: Span(0),
            overlap: Span(0),
            poll: Span(0),
            audiences: 0,
        };
    };
    check(everything, Err(PolicyError::BornDue));
}

#[test]
fn each_refusal_says_what_would_go_wrong() {
    let check = |error: PolicyError, says: &str| assert_eq!(error.to_string(), says);
    check(
        PolicyError::BornDue,
        "`renew-before` must be shorter than `lifetime`, or every certificate is born due",
    );
    check(
        PolicyError::OverlapTooShort,
        "`overlap` must be at least 20m, or a stalled run could remove a key that is in use",
    );
    check(
        PolicyError::TooLate,
        "`renew-before` must be at least `propagation`, `settle` and `overlap` plus 10m, \
         or the old key expires in use",
    );
    check(PolicyError::PollZero, "`poll` must not be zero, or we would never stop asking");
    check(
        PolicyError::NoAudience,
        "`scopes` must name at least one scope, or nobody can say that a key works",
    );
}

#[test]
fn a_sound_policy_says_what_was_asked_for() {
    let terms = Terms { audiences: 3, ..Terms::default() };
    let policy = Policy::new(terms.clone()).expect("sound");
    assert_eq!(policy.terms(), &terms);
    assert!(policy.audiences().eq([Audience(0), Audience(1), Audience(2)]));
    assert_eq!(policy.retire(), None);
    let key: Thumbprint = crate::words::thumbprint(1);
    let retiring = policy.clone().retiring(key);
    assert_eq!(retiring.retire(), Some(key));
    assert_eq!(retiring.terms(), &terms);
}
