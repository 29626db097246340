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

#[cfg(test)]
mod tests {
    use super::*;
    use rollkey_core::{Audience, KeyId, Sha1Thumbprint, Sha256Thumbprint, SinkId, Thumbprint};

    /// A short generator: the same seed gives the same notes.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            // Xorshift by Marsaglia.
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % sides
        }

        fn small(&mut self, sides: u64) -> u8 {
            u8::try_from(self.roll(sides)).unwrap()
        }

        /// Any note, of three keys, three scopes and two sinks; at a time that mostly goes forward.
        fn line(&mut self, now: &mut u64) -> Line {
            let n = self.small(3);
            let key =
                Thumbprint { sha1: Sha1Thumbprint([n; 20]), sha256: Sha256Thumbprint([n; 32]) };
            let audience = Audience(self.small(3));
            let sink = SinkId(self.small(2));
            let note = match self.roll(14) {
                0 => Note::Seen(key),
                1 => Note::Staged(key),
                2 | 3 => Note::Sent(key),
                4 => Note::NotTaken(key),
                5 => Note::Registered(key, KeyId::from_bytes([self.small(4); 16])),
                6 => Note::Accepted(key, audience),
                7..=9 => Note::Refused(key, audience),
                10 => Note::Discarded(key),
                11 => Note::DeliveryFailed(sink),
                12 => Note::DeliveryDone(sink),
                _ => Note::ClockSetBack,
            };
            *now += self.roll(100);
            if note == Note::ClockSetBack {
                *now -= self.roll(300);
            }
            Line::new(note, Timestamp(*now), &names(3, 2)).unwrap()
        }
    }

    fn names(scopes: usize, sinks: usize) -> Names {
        let of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Names {
            scopes: of(&["mail", "graph", "vault"][..scopes]),
            sinks: of(&["app", "web"][..sinks]),
        }
    }

    fn facts<'a>(lines: impl IntoIterator<Item = &'a Line>, names: &Names) -> Facts {
        let mut facts = Facts::default();
        let notes = lines.into_iter().filter_map(|line| line.note(names));
        notes.for_each(|(note, at)| facts.add(note, at));
        facts
    }

    fn compacted(lines: &[Line], names: &Names) -> Vec<Line> {
        let kept = matter(lines, names);
        lines.iter().zip(kept).filter(|(_, kept)| *kept).map(|(line, _)| line.clone()).collect()
    }

    #[test]
    fn what_is_kept_adds_up_to_the_same_now_and_ever_after() {
        for seed in 1..=400 {
            let mut dice = Dice(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15));
            let mut now = 1_000_000;
            let len = dice.roll(120) as usize;
            let before: Vec<_> = (0..len).map(|_| dice.line(&mut now)).collect();
            let later: Vec<_> = (0..20).map(|_| dice.line(&mut now)).collect();
            // Compacted by somebody who knows fewer names than are in the file.
            let known = names(dice.roll(4) as usize, dice.roll(3) as usize);
            let kept = compacted(&before, &known);
            for names in [known, names(3, 2), names(0, 0)] {
                assert_eq!(facts(&kept, &names), facts(&before, &names), "seed {seed}");
                let (kept, before) = (kept.iter().chain(&later), before.iter().chain(&later));
                assert_eq!(facts(kept, &names), facts(before, &names), "seed {seed}, later");
            }
        }
    }

    #[test]
    fn what_repeats_itself_does_not_matter() {
        let names = names(1, 1);
        let key =
            |n: u8| Thumbprint { sha1: Sha1Thumbprint([n; 20]), sha256: Sha256Thumbprint([n; 32]) };
        let mut notes = vec![Note::Staged(key(1)), Note::Sent(key(1))];
        notes.extend([Note::Refused(key(1), Audience(0)); 500]);
        notes.extend([Note::Accepted(key(1), Audience(0)), Note::Discarded(key(1))]);
        notes.extend([Note::Staged(key(2)), Note::Sent(key(2))]);
        notes.extend([Note::Refused(key(2), Audience(0)); 500]);
        notes.extend([Note::DeliveryFailed(SinkId(0)), Note::DeliveryDone(SinkId(0))]);
        let line = |(note, at)| Line::new(note, Timestamp(at), &names).unwrap();
        let lines: Vec<_> = notes.iter().copied().zip(1_000..).map(line).collect();
        let kept = compacted(&lines, &names);
        let said: Vec<_> = kept.iter().filter_map(|line| line.note(&names)).collect();
        assert_eq!(
            said.iter().map(|(note, _)| *note).collect::<Vec<_>>(),
            [Note::Staged(key(2)), Note::Sent(key(2)), Note::Refused(key(2), Audience(0))]
        );
        // Nothing that is kept was changed.
        assert!(kept.iter().all(|line| lines.contains(line)));
        assert_eq!(compacted(&kept, &names), kept);
    }

    #[test]
    fn more_names_than_can_be_counted_are_left_alone() {
        let scopes = (0..300).map(|n| n.to_string()).collect();
        let many = Names { scopes, sinks: Vec::new() };
        let key = Thumbprint { sha1: Sha1Thumbprint([1; 20]), sha256: Sha256Thumbprint([1; 32]) };
        let line = |n| Line::new(Note::Refused(key, Audience(n)), Timestamp(1), &many).unwrap();
        let lines: Vec<_> = (0..=255).chain(0..=255).map(line).collect();
        assert!(matter(&lines, &many).iter().all(|kept| *kept));
    }
}
