//! Replicas: who knows what by now.
//!
//! The truth is a log of key entries, each with the instants from and to which it is registered.
//! A replica hears of a change only after a lag, and each use of a key (reading, tokens, proofs)
//! has a lag of its own. Nothing in here changes the truth.

use std::collections::BTreeMap;

use crate::directory::KeyEntry;

/// How long news takes to reach the slowest replica, in seconds, by what it is needed for.
///
/// The fastest replica hears at once; the others in between, evenly spread. Nobody publishes these
/// times. The `Default` is no lag at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lags {
    /// Until a new key shows in reads of the object.
    pub read: u64,
    /// Until the token endpoint accepts a new key, for audiences that `token_for` does not name.
    pub token: u64,
    /// Until the token endpoint accepts a new key for this audience (`https://outlook.office365.com`,
    /// without a final slash; `https://graph.microsoft.com` stands for all names of the Graph).
    pub token_for: BTreeMap<String, u64>,
    /// Until a proof signed by a new key is accepted.
    pub proof: u64,
    /// Until a removed key has vanished from reads, and is no longer accepted for tokens.
    pub removal: u64,
    /// `true`: every request is answered by a replica drawn from the seed, so that answers go back
    /// and forth. `false`: always by the slowest, which is the hardest on whoever waits.
    pub flapping: bool,
}

impl Lags {
    /// No lag: every replica knows everything at once.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Lags of the size that people report, with answers that go back and forth.
    ///
    /// Reads after 20 s; tokens after 5 minutes, for Outlook after 10; proofs after 20 minutes;
    /// removals after 60 s. Nothing of this is promised by Microsoft.
    #[must_use]
    pub fn realistic() -> Self {
        Self {
            read: 20,
            token: 300,
            token_for: BTreeMap::from([("https://outlook.office365.com".to_owned(), 600)]),
            proof: 1200,
            removal: 60,
            flapping: true,
        }
    }

    /// The lag for a use of a key.
    fn of(&self, purpose: &Purpose<'_>) -> u64 {
        match purpose {
            Purpose::Read => self.read,
            Purpose::Token { audience } => *self.token_for.get(*audience).unwrap_or(&self.token),
            Purpose::Proof => self.proof,
        }
    }

    /// Every audience that has a lag of its own, and `""` for all others.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = &str> {
        std::iter::once("").chain(self.token_for.keys().map(String::as_str))
    }
}

/// What a replica is asked to use a key for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    Read,
    Token { audience: &'a str },
    Proof,
}

/// One replica of a number of replicas; 0 is the fastest, the last one the slowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replica {
    pub(crate) number: usize,
    of: usize,
}

impl Replica {
    /// Replica `number` of `of`.
    pub(crate) fn new(number: usize, of: usize) -> Self {
        Self { number, of }
    }

    pub(crate) fn all(of: usize) -> impl Iterator<Item = Self> {
        (0..of).map(move |number| Self { number, of })
    }

    /// Whether this replica knows of the entry at `now`, for this purpose.
    pub(crate) fn knows(
        self,
        entry: &KeyEntry,
        purpose: Purpose<'_>,
        lags: &Lags,
        now: i64,
    ) -> bool {
        let appeared = entry.from.is_none_or(|from| self.heard(from, lags.of(&purpose)) <= now);
        let vanished = entry.to.is_some_and(|to| self.heard(to, lags.removal) <= now);
        appeared && !vanished
    }

    /// When this replica hears of what happened at `instant`, if the slowest hears `lag` later.
    fn heard(self, instant: i64, lag: u64) -> i64 {
        // With one replica only, that one is the slowest.
        let (number, last) = match self.of {
            0 | 1 => (1, 1),
            of => (self.number as u64, of as u64 - 1),
        };
        instant.saturating_add_unsigned(lag.saturating_mul(number) / last)
    }
}

/// When the slowest replica comes to accept this entry for tokens of every audience.
pub(crate) fn accepted_everywhere_from(entry: &KeyEntry, lags: &Lags) -> i64 {
    let slowest = lags.audiences().map(|audience| lags.of(&Purpose::Token { audience })).max();
    let from = entry.from.map(|from| from.saturating_add_unsigned(slowest.unwrap_or(0)));
    from.map_or(entry.start, |from| from.max(entry.start))
}
