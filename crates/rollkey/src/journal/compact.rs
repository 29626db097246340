//! Which notes still matter.
//!
//! Asked of the core itself: a note matters if the sum is another one without it. So nothing here
//! has to know what notes mean, and cannot be wrong about it. And because a sum is all that later
//! notes are added to, the same sum now is the same sum for ever.

use super::line::{Line, Names};
use rollkey_core::{Facts, Note, Timestamp};
use std::ops::Range;

/// How a note reads under one set of names.
type Reading = Vec<Option<(Note, Timestamp)>>;

/// Says of each line whether it matters. The sum of those that do is the sum of all: for a
/// configuration with the names of now, for one that knows every name, and for one that knows none.
pub(super) fn matter(lines: &[Line], names: &Names) -> Vec<bool> {
    let mut everything = names.clone();
    for line in lines {
        add(&mut everything.scopes, line.scope());
        add(&mut everything.sinks, line.sink());
    }
    let mut kept = vec![true; lines.len()];
    if everything.scopes.len().max(everything.sinks.len()) > usize::from(u8::MAX) {
        // More names than the core can count: nothing could be said of the rest.
        return kept;
    }
    let readings = [&everything, names, &Names::default()]
        .map(|names| lines.iter().map(|line| line.note(names)).collect::<Reading>());
    let thinning = Thinning { sums: readings.each_ref().map(|all| sum(all, &kept)), readings };
    thinning.thin(0..lines.len(), &mut kept);
    kept
}

fn add(names: &mut Vec<String>, name: Option<&String>) {
    if let Some(name) = name.filter(|name| !names.contains(name)) {
        names.push(name.clone());
    }
}

fn sum(reading: &Reading, kept: &[bool]) -> Facts {
    let mut facts = Facts::default();
    let notes = reading.iter().zip(kept).filter(|(_, kept)| **kept).filter_map(|(note, _)| *note);
    notes.for_each(|(note, at)| facts.add(note, at));
    facts
}

struct Thinning {
    readings: [Reading; 3],
    sums: [Facts; 3],
}

impl Thinning {
    /// Drops the whole range if the sums allow, or else tries its halves: most notes go in large
    /// pieces, so this asks far less often than once for each.
    fn thin(&self, range: Range<usize>, kept: &mut [bool]) {
        if range.is_empty() {
            return;
        }
        kept[range.clone()].fill(false);
        let same = self.readings.iter().zip(&self.sums).all(|(all, was)| sum(all, kept) == *was);
        if same {
            return;
        }
        kept[range.clone()].fill(true);
        if range.len() == 1 {
            return;
        }
        let middle = range.start + range.len() / 2;
        self.thin(range.start..middle, kept);
        self.thin(middle..range.end, kept);
    }
}
