//! Clocks: one that the test owns, and ones that run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rollkey_emulator::Clock;

#[expect(clippy::disallowed_methods, reason = "compares the emulator's clock with the machine's")]
fn wall() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

#[test]
fn a_manual_clock_moves_only_when_it_is_moved() {
    let clock = Clock::manual_at(1_000);
    let clone = clock.clone();
    clock.advance(Duration::from_secs(60));
    assert_eq!(clone.now(), 1_060);
    clone.set(500);
    assert_eq!(clock.now(), 500);
    clock.set(i64::MAX);
    clock.advance(Duration::from_secs(1));
    assert_eq!(clock.now(), i64::MAX);
}

#[test]
fn a_running_clock_follows_the_wall_clock() {
    for (clock, offset) in
        [(Clock::wall(), 0), (Clock::running(-3600, 1.0), -3600), (Clock::running(0, f64::NAN), 0)]
    {
        assert!((clock.now() - wall() - offset).abs() <= 2);
        clock.advance(Duration::from_secs(86_400));
        assert!((clock.now() - wall() - offset - 86_400).abs() <= 2);
        clock.set(1_000);
        assert!((clock.now() - 1_000).abs() <= 2);
    }
}

#[test]
fn a_fast_clock_runs_ahead() {
    let clock = Clock::running(0, 1_000_000.0);
    let started = clock.now();
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while clock.now() < started + 1_000 {
        assert!(std::time::Instant::now() < deadline, "a million times as fast as the wall clock");
        std::thread::yield_now();
    }
}
