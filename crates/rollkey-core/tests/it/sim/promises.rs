//! What must hold after every effect, whatever went wrong before it, and what must be true in the
//! end.

use super::world::{FOREIGN, Handed, Key, Sink, World, number};
use rollkey_core::{Slot, Span, Timestamp};
use std::collections::BTreeSet;

/// A promise that was not kept.
pub(super) type Broken = String;

impl World {
    /// The three promises, at this instant.
    pub(super) fn keeps_promises(&self, overlap: Span, most_keys: usize) -> Result<(), Broken> {
        let must = |holds: bool, what: &dyn Fn() -> String| match holds {
            true => Ok(()),
            false => Err(what()),
        };

        let way_in = self.held.iter().any(|held| self.accepted_everywhere(number(held.thumbprint)));
        must(way_in, &|| "locked out: no key that we hold is accepted everywhere".into())?;

        for (n, sink) in self.sinks.iter().enumerate() {
            for handed in sink.in_use(self.now, overlap) {
                must(self.accepted_everywhere(handed.key) || self.excused(handed, sink), &|| {
                    format!(
                        "surprised: some replica refuses key {}, used through sink {n}",
                        handed.key
                    )
                })?;
            }
        }

        let ours = self.registered(|key| key < FOREIGN);
        let distinct = ours.iter().collect::<BTreeSet<_>>().len();
        must(distinct <= most_keys, &|| format!("littering: {distinct} keys are registered"))?;
        must(self.twice || distinct == ours.len(), &|| {
            "littering: a certificate is registered twice".into()
        })?;

        must(self.foreign_is_untouched(), &|| "a key that is not ours was removed".into())
    }

    /// What must be true when nothing is left to do.
    pub(super) fn is_tidy(&self) -> Result<(), Broken> {
        let [held] = self.held.as_slice() else {
            return Err(format!("at rest with {} private keys", self.held.len()));
        };
        let key = number(held.thumbprint);
        if held.slot != Slot::Current {
            return Err(format!("at rest, and the only key is {:?}", held.slot));
        }
        let ours = self.registered(|key| key < FOREIGN);
        if ours.is_empty() || ours.iter().any(|other| *other != key) {
            return Err(format!("at rest with keys {ours:?} registered, and key {key} in custody"));
        }
        for (n, sink) in self.sinks.iter().enumerate() {
            let reported = sink.reported.is_some_and(|d| number(d.key) == key);
            let told = sink.handed.last().is_some_and(|h| h.key == key && h.told.is_some());
            if !(reported && told) {
                return Err(format!("at rest, and sink {n} is behind"));
            }
        }
        Ok(())
    }

    fn registered(&self, which: impl Fn(Key) -> bool) -> Vec<Key> {
        self.directory.iter().filter(|e| e.to.is_none() && which(e.key)).map(|e| e.key).collect()
    }

    fn foreign_is_untouched(&self) -> bool {
        let theirs = self.directory.iter().filter(|e| e.to.is_none() && FOREIGN <= e.key);
        theirs.map(|e| e.id).eq(self.foreign.iter().copied())
    }

    /// Whether it is not for us to spare a consumer this key: another hand removed it, or it
    /// expired because its sink could not be served.
    fn excused(&self, handed: &Handed, sink: &Sink) -> bool {
        self.wronged_since(handed.key, handed.at)
            || (self.expired(handed.key) && (sink.was_down || self.was_away))
    }
}

impl Sink {
    /// What its consumers may be using: what they read up to `overlap` ago, and what they read
    /// before that if they were not told of anything else since.
    fn in_use(&self, now: Timestamp, overlap: Span) -> &[Handed] {
        let moved = |h: &Handed| h.told.is_some_and(|told| told + overlap <= now);
        &self.handed[self.handed.iter().rposition(moved).unwrap_or(0)..]
    }
}
