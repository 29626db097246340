//! The witness: was an application ever locked out?
//!
//! Looks back over the log of key entries, and changes nothing. Whether somebody still had the
//! private keys is beyond what it can know.

use crate::directory::{KeyEntry, Usage};
use crate::replicas::{Lags, accepted_everywhere_from};

/// A time without a key that was accepted everywhere; instants in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lockout {
    /// When the last such key ceased to be one.
    pub from: i64,
    /// When there was one again; `None`: not yet.
    pub to: Option<i64>,
}

/// The gaps between the times at which some entry was accepted everywhere.
pub(crate) fn lockouts<'a>(
    entries: impl Iterator<Item = &'a KeyEntry>,
    lags: &Lags,
    now: i64,
) -> Vec<Lockout> {
    let mut good: Vec<(i64, i64)> = entries
        .filter(|entry| entry.usage == Usage::Verify)
        .map(|entry| {
            // The fastest replica hears of a removal at once.
            let to = entry.to.map_or(entry.end, |to| to.min(entry.end));
            (accepted_everywhere_from(entry, lags), to)
        })
        .filter(|(from, to)| from < to && *from <= now)
        .collect();
    good.sort_unstable();

    let mut gaps = Vec::new();
    let mut good = good.into_iter();
    let Some((_, mut reached)) = good.next() else {
        return gaps;
    };
    for (from, to) in good {
        if from > reached {
            gaps.push(Lockout { from: reached, to: Some(from) });
        }
        reached = reached.max(to);
    }
    if reached <= now {
        gaps.push(Lockout { from: reached, to: None });
    }
    gaps
}
