//! Instants and lengths of time, in whole seconds.
//!
//! No clock and no calendar: whoever shows a date to people converts at the edge.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

/// A length of time in whole seconds. Written `30d`, `12h`, `15m`, `90s`, or several: `1d12h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Span {
    /// `n` seconds.
    pub const fn seconds(n: u64) -> Self {
        Self(n)
    }

    /// `n` minutes.
    pub const fn minutes(n: u64) -> Self {
        Self(n * 60)
    }

    /// `n` hours.
    pub const fn hours(n: u64) -> Self {
        Self(n * 3_600)
    }

    /// `n` days of 24 hours.
    pub const fn days(n: u64) -> Self {
        Self(n * 86_400)
    }

    /// This many seconds twice.
    pub const fn twice(self) -> Self {
        Self(self.0 * 2)
    }
}

impl Timestamp {
    /// The time from `earlier` until this instant; zero if `earlier` is later.
    pub const fn since(self, earlier: Timestamp) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// How far two instants are apart, whichever is the later.
    pub const fn distance(self, other: Timestamp) -> Span {
        Span(self.0.abs_diff(other.0))
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Span {
    /// The shortest exact form, largest unit first: `1d12h`. Zero is `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, seconds) in UNITS {
            let n = rest / seconds;
            if n != 0 {
                write!(f, "{n}{unit}")?;
            }
            rest %= seconds;
        }
        Ok(())
    }
}

/// A length of time that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSpanError;

impl fmt::Display for ParseSpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a length of time: write it like 30d, 12h, 15m or 1d12h")
    }
}

impl std::error::Error for ParseSpanError {}

impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Self, ParseSpanError> {
        let mut seconds: u64 = 0;
        let mut digits = String::new();
        let mut smaller_than = u64::MAX;
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let (_, unit) = UNITS.iter().find(|(u, _)| *u == c).ok_or(ParseSpanError)?;
            let n: u64 = digits.parse().map_err(|_| ParseSpanError)?;
            // `12h1d` and `1d1d` are more likely slips than meant.
            if smaller_than <= *unit {
                return Err(ParseSpanError);
            }
            smaller_than = *unit;
            digits.clear();
            seconds =
                n.checked_mul(*unit).and_then(|s| seconds.checked_add(s)).ok_or(ParseSpanError)?;
        }
        match digits.is_empty() && smaller_than != u64::MAX {
            true => Ok(Self(seconds)),
            false => Err(ParseSpanError),
        }
    }
}
