//! The clock: what time it is for every part of one emulator.
//!
//! Tokens, proofs, dates of keys, lags of replicas and the `Date` header all read this clock.
//! Nothing in here may wait: a test that owns the clock moves it, and never sleeps. TLS is the one
//! exception to its rule (see the room `tls`): TLS clients read the wall clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock of an emulator: owned by the test, or running.
///
/// Cheap to clone; all clones show the same time. Instants are whole seconds since 1970 (UTC).
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Mode>>);

#[derive(Clone, Copy, Debug)]
enum Mode {
    Manual {
        now: i64,
    },
    /// Shows `then` at the wall time `since`, and runs `speed` times as fast as the wall clock.
    Running {
        since: i128,
        then: i128,
        speed: f64,
    },
}

impl Clock {
    /// A clock that stands still at `unix_seconds` until it is moved.
    #[must_use]
    pub fn manual_at(unix_seconds: i64) -> Self {
        Self(Arc::new(Mutex::new(Mode::Manual { now: unix_seconds })))
    }

    /// A clock that shows the wall clock's time.
    #[must_use]
    pub fn wall() -> Self {
        Self::running(0, 1.0)
    }

    /// A clock that starts `offset` seconds ahead of the wall clock (behind it, if negative) and
    /// runs `speed` times as fast.
    ///
    /// A speed that is negative or not a number counts as 1.
    #[must_use]
    pub fn running(offset: i64, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed >= 0.0 { speed } else { 1.0 };
        let since = wall_milliseconds();
        let then = since + i128::from(offset) * 1000;
        Self(Arc::new(Mutex::new(Mode::Running { since, then, speed })))
    }

    /// The time, in whole seconds since 1970 (UTC).
    #[must_use]
    pub fn now(&self) -> i64 {
        match *self.lock() {
            Mode::Manual { now } => now,
            Mode::Running { since, then, speed } => {
                let passed = (wall_milliseconds() - since) as f64 * speed;
                let now = (then + passed as i128).div_euclid(1000);
                i64::try_from(now).unwrap_or(i64::MAX)
            }
        }
    }

    /// Moves the clock ahead by `by`; a manual clock counts whole seconds only.
    pub fn advance(&self, by: Duration) {
        match &mut *self.lock() {
            Mode::Manual { now } => *now = now.saturating_add_unsigned(by.as_secs()),
            Mode::Running { then, .. } => {
                *then += i128::try_from(by.as_millis()).unwrap_or(i128::from(i64::MAX));
            }
        }
    }

    /// Sets the clock to `unix_seconds`, forwards or backwards; a running clock runs on from there.
    pub fn set(&self, unix_seconds: i64) {
        match &mut *self.lock() {
            Mode::Manual { now } => *now = unix_seconds,
            Mode::Running { since, then, .. } => {
                *since = wall_milliseconds();
                *then = i128::from(unix_seconds) * 1000;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Mode> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::wall()
    }
}

/// The wall clock in milliseconds since 1970; negative before.
#[expect(clippy::disallowed_methods, reason = "the one place that asks for the time of emulation")]
fn wall_milliseconds() -> i128 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_millis().cast_signed(),
        Err(before) => -before.duration().as_millis().cast_signed(),
    }
}

/// `instant` as `2026-11-23T15:00:00Z`.
pub(crate) fn iso(instant: i64) -> String {
    format(instant, "%Y-%m-%dT%H:%M:%SZ")
}

/// `instant` as `2026-11-23T15:00:00`: the Graph's `innerError.date` names no zone.
pub(crate) fn iso_without_zone(instant: i64) -> String {
    format(instant, "%Y-%m-%dT%H:%M:%S")
}

/// `instant` as `2026-11-23T15:00:00.0000000Z`, as login writes it within a sentence.
pub(crate) fn iso_with_ticks(instant: i64) -> String {
    format(instant, "%Y-%m-%dT%H:%M:%S.0000000Z")
}

/// `instant` as `2026-11-23 15:00:00Z`, with a space: login's `timestamp`.
pub(crate) fn login_timestamp(instant: i64) -> String {
    format(instant, "%Y-%m-%d %H:%M:%SZ")
}

/// `instant` as `11/23/2026 15:00:00`, as login writes the dates of a key.
pub(crate) fn american(instant: i64) -> String {
    format(instant, "%m/%d/%Y %H:%M:%S")
}

/// `instant` as an HTTP date.
pub(crate) fn http_date(instant: i64) -> String {
    format(instant, "%a, %d %b %Y %H:%M:%S GMT")
}

/// Formats `instant`, or the nearest instant that can be written.
fn format(instant: i64, pattern: &str) -> String {
    const FIRST: i64 = -62_135_596_800; // 0001-01-01
    const LAST: i64 = 253_402_207_200; // within 9999
    let instant = jiff::Timestamp::from_second(instant.clamp(FIRST, LAST)).unwrap_or_default();
    instant.strftime(pattern).to_string()
}
