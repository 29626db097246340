//! The clock of a command: this machine's, or, in tests, one that the test moves.

use rollkey::ports::Clock;
use std::sync::Arc;
use std::time::Duration;

/// The clock that commands go by.
#[cfg(not(feature = "crash-points"))]
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(rollkey::ports::SystemClock)
}

/// The clock that commands go by: the seconds in the file that the test names.
#[cfg(feature = "crash-points")]
pub(crate) fn clock() -> Arc<dyn Clock> {
    match std::env::var_os("ROLLKEY_TEST_CLOCK") {
        Some(path) => Arc::new(FileClock(path.into())),
        None => Arc::new(rollkey::ports::SystemClock),
    }
}

#[cfg(feature = "crash-points")]
struct FileClock(std::path::PathBuf);

#[cfg(feature = "crash-points")]
impl Clock for FileClock {
    #[expect(clippy::expect_used, reason = "test only: a test without its clock is no test")]
    fn now(&self) -> rollkey_core::Timestamp {
        let text = std::fs::read_to_string(&self.0).expect("the test's clock");
        rollkey_core::Timestamp(text.trim().parse().expect("seconds since 1970"))
    }
}

/// How often a wait looks at the clock: it may be set, and a laptop may sleep.
pub(crate) const TICK: Duration = Duration::from_secs(1);
