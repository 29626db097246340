//! What can happen to us that is no step of ours.
//!
//! # What no client can survive
//!
//! * The last key that works is removed by hand, or expires while nobody looks.
//! * A key is removed by hand, and within the lag of the replicas we rely on it: every list and
//!   every replica that we ask may still show it. [`World::blind`] leaves these histories out,
//!   but only where what we were shown was in fact old.
//! * The removal of an expired key is lost, and the list cannot be read when we look whether it
//!   took place: to an expired key everybody says no.
//! * The other writer reads, thinks for longer than the replicas lag, and writes back the whole
//!   list (a plan of three days ago, applied). What we registered meanwhile is gone, though
//!   consumers may hold it; what we removed and destroyed meanwhile is there again, and nobody
//!   knows that it was ours. His reads here are as old as the slowest replica and no older.

use super::look::Read;
use super::world::{Clock, Entry, FOREIGN, Key, LAG, Sink, World, Wrong, number};
use rollkey_core::{Policy, SinkId, Span, Step, Timestamp};
use std::rc::Rc;

/// How old the list was that the other writer wrote back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Base {
    /// As old as the slowest replica.
    Lagging,
    /// From just before our last change.
    JustBefore,
}

/// How long a sink is out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outage {
    /// And it cannot even say what it holds.
    Minutes,
    /// Longer than until the next rotation is over.
    LongerThanARotation,
}

impl World {
    /// The journal is lost. `None` if there is none.
    pub(super) fn lose_journal(&self) -> Option<Self> {
        let lost = Self { journal: Rc::default(), written: Vec::new(), ..self.clone() };
        (lost.journal != self.journal).then_some(lost)
    }

    /// An administrator removes our current key. `None` if that would lock us out, because no
    /// other key of ours is accepted everywhere.
    pub(super) fn remove_current(&self) -> Option<Self> {
        let mut next = self.clone();
        let current = number(self.current()?.thumbprint);
        next.end(|e| e.key == current).then_some(next).filter(World::has_a_way_in)
    }

    /// The other writer writes back a list that he read before. `None` if that changes nothing of
    /// ours, or locks us out.
    pub(super) fn patch(&self, base: Base) -> Option<Self> {
        let mut next = self.clone();
        let read = match base {
            Base::Lagging => self.now - LAG,
            Base::JustBefore => self.last_change()? - Span::seconds(1),
        };
        let gone = next.end(|e| e.key < FOREIGN && !e.at(read));
        let live = |id| self.directory.iter().any(|e| e.id == id && e.to.is_none());
        let back: Vec<_> = self
            .directory
            .iter()
            .filter(|e| e.key < FOREIGN && e.at(read) && !live(e.id))
            .map(|e| Entry { from: self.now, to: None, ..*e })
            .collect();
        next.wronged.extend(back.iter().map(|e| (e.key, Wrong::BroughtBack, self.now)));
        let changed = gone || !back.is_empty();
        next.directory.extend(back);
        next.twice = true;
        changed.then_some(next).filter(World::has_a_way_in)
    }

    /// Our clock jumps.
    pub(super) fn set_clock(&self, clock: Clock) -> Option<Self> {
        (self.clock != clock).then(|| Self { clock, ..self.clone() })
    }

    /// A sink fails from now on. `None` if it does already.
    pub(super) fn break_sink(&self, id: SinkId, outage: Outage, policy: &Policy) -> Option<Self> {
        let terms = policy.terms();
        let mut next = self.clone();
        let sink = next.sink(id);
        let up = sink.down_until.is_none();
        sink.was_down = true;
        sink.silent = outage == Outage::Minutes;
        sink.down_until = Some(match outage {
            Outage::Minutes => self.now + Span::minutes(25),
            Outage::LongerThanARotation => {
                self.now + (terms.lifetime + Span::days(3)) - terms.renew_before
            }
        });
        up.then_some(next)
    }

    /// Whether a step must be left out of the histories, because whoever decides on it cannot
    /// know better: what it relies on was changed by another hand so short a time ago that every
    /// answer may have been an old one.
    pub(super) fn blind(&self, step: Step, decided: Timestamp, read: Read) -> bool {
        let lately = |key, wrong| {
            self.wronged.iter().any(|&(k, w, at)| {
                (k, w) == (number(key), wrong) && decided <= at + LAG
                    // A fresh list shows it, unless it was undone, and must be heeded.
                    && (read != Read::Fresh || decided < at || self.registered(k))
            })
        };
        match step {
            Step::Remove { prove_with: key, .. }
            | Step::Promote { key, .. }
            | Step::Deliver { key, .. } => lately(key, Wrong::Removed),
            Step::Discard { key, .. } => {
                let unseen = read == Read::Unreadable && self.expired(number(key));
                lately(key, Wrong::BroughtBack) || (unseen && self.registered(number(key)))
            }
            _ => false,
        }
    }

    /// Whether consumers cannot use this key because another hand removed it after they got it.
    pub(super) fn wronged_since(&self, key: Key, handed: Timestamp) -> bool {
        self.wronged.iter().any(|&(k, wrong, at)| {
            let healed = |e: &Entry| {
                e.key == key && e.to.is_none() && at <= e.from && e.from + LAG <= self.now
            };
            k == key
                && wrong == Wrong::Removed
                && handed <= at
                && !self.directory.iter().any(healed)
        })
    }

    /// When the first sink is in order again, if all that are behind are out of order.
    pub(super) fn next_mended(&self) -> Option<Timestamp> {
        let current = self.current()?.thumbprint;
        let behind = |sink: &&Sink| sink.delivered().is_none_or(|d| d.key != current);
        let mended = self.sinks.iter().filter(behind).map(|sink| sink.down_until);
        mended.reduce(|a, b| a.zip(b).map(|(a, b)| a.min(b)))?
    }

    fn registered(&self, key: Key) -> bool {
        self.directory.iter().any(|e| e.key == key && e.to.is_none())
    }

    fn has_a_way_in(&self) -> bool {
        self.held.iter().any(|held| self.accepted_everywhere(number(held.thumbprint)))
    }

    /// Ends entries, and remembers whose they were. Says whether there were any.
    fn end(&mut self, which: impl Fn(&Entry) -> bool) -> bool {
        let now = self.now;
        let mut any = false;
        for entry in self.directory.iter_mut().filter(|e| e.to.is_none() && which(e)) {
            (entry.to, any) = (Some(now), true);
            self.wronged.push((entry.key, Wrong::Removed, now));
        }
        any
    }

    fn last_change(&self) -> Option<Timestamp> {
        let ours = self.directory.iter().filter(|e| e.key < FOREIGN);
        ours.flat_map(|e| e.to.into_iter().chain([e.from])).max().filter(|at| self.now - LAG < *at)
    }
}
