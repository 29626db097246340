//! What a step does to the world, if it succeeds and if it does not.

use super::world::{
    Certificate, Entry, FOREIGN, Handed, Key, Stalled, World, key_id, number, thumbprint,
};
use rollkey_core::{
    Audience, Delivered, Generation, Held, Note, SinkId, Slot, Span, Step, Timestamp,
};

/// How the carrying out of a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    Done,
    /// The process dies and is started again a minute later.
    CrashBefore,
    /// What goes before the effect is done, the effect is not: an `addKey` is noted and never
    /// sent; consumers can read a key and are not told.
    CrashMidway,
    /// The effect takes place, and nobody writes it down.
    CrashAfter,
    /// The other writer is at work at the same moment: ours is refused and changes nothing.
    Conflict,
    /// The sink says no, and everything is as before.
    FailBefore,
    /// Consumers can read the key; to tell them fails, and the sink says so.
    FailMidway,
    /// The worker stands still, and another takes over.
    Stall,
}

impl Fate {
    /// What can become of a step.
    pub(super) fn of(step: Step) -> &'static [Self] {
        use Fate::*;
        match step {
            Step::Stage { .. } | Step::Discard { .. } => &[Done, CrashBefore, CrashAfter, Stall],
            Step::Promote { .. } => &[Done, CrashBefore, Stall],
            Step::Probe { .. } => &[Done, CrashBefore, Stall],
            Step::Register { .. } | Step::Remove { .. } => {
                &[Done, CrashBefore, CrashMidway, CrashAfter, Conflict, Stall]
            }
            Step::Deliver { .. } => {
                &[Done, CrashBefore, CrashMidway, CrashAfter, FailBefore, FailMidway, Stall]
            }
        }
    }
}

impl World {
    /// The key whose acceptance a step depends on at the other end, if any.
    pub(super) fn asked_for(step: Step) -> Option<Key> {
        match step {
            Step::Probe { key, .. } => Some(number(key)),
            Step::Register { prove_with, .. } | Step::Remove { prove_with, .. } => {
                Some(number(prove_with))
            }
            _ => None,
        }
    }

    /// Carries out a step that was decided just now. `slow`: a slow replica answers.
    pub(super) fn carry_out(&mut self, step: Step, fate: Fate, slow: bool) {
        let signed = self.clock();
        match fate {
            Fate::CrashBefore => self.now = self.now + Span::minutes(1),
            Fate::Stall => {
                self.stalled = Some(Stalled { step, decided: self.now, signed });
                self.twice |= matches!(step, Step::Register { .. });
            }
            _ => self.act(step, signed, fate, slow),
        }
    }

    /// The stalled worker goes on where it stood.
    pub(super) fn wake(&mut self, slow: bool) {
        if let Some(Stalled { step, signed, .. }) = self.stalled.take() {
            self.act(step, signed, Fate::Done, slow);
        }
    }

    fn act(&mut self, step: Step, signed: Timestamp, fate: Fate, slow: bool) {
        match step {
            Step::Stage { not_before, not_after, after } => {
                if self.moves_on(after) {
                    self.stage(not_before, not_after, fate);
                }
            }
            Step::Promote { key, after } => {
                if self.moves_on(after) {
                    self.promote(number(key));
                }
            }
            Step::Discard { key, after } => {
                if self.moves_on(after) {
                    self.held.retain(|held| held.thumbprint != key);
                    if fate == Fate::Done {
                        self.note(Note::Discarded(key), self.clock());
                    }
                }
            }
            Step::Probe { key, audience } => self.probe(number(key), audience, slow),
            Step::Deliver { key, to, of } => self.deliver(number(key), to, of, fate),
            Step::Register { key, prove_with } => {
                self.note(Note::Sent(key), signed);
                if self.request_is_granted(number(prove_with), signed, fate, slow) {
                    self.register(number(key), fate);
                }
            }
            Step::Remove { key, key_id: id, prove_with } => {
                self.note(Note::Sent(key), signed);
                if self.request_is_granted(number(prove_with), signed, fate, slow) {
                    let now = self.now;
                    let entry = |e: &&mut Entry| key_id(e.id) == id && e.to.is_none();
                    if let Some(entry) = self.directory.iter_mut().find(entry) {
                        entry.to = Some(now);
                    }
                }
            }
        }
    }

    /// Whether the keystore is still where it was. It counts the change.
    fn moves_on(&mut self, after: Generation) -> bool {
        let same = after == self.generation;
        self.generation.0 += u64::from(same);
        same
    }

    fn stage(&mut self, not_before: Timestamp, not_after: Timestamp, fate: Fate) {
        self.last_number += 1;
        let (key, since) = (self.last_number, self.clock());
        let thumbprint = thumbprint(key);
        self.certificates.push(Certificate { key, not_before, not_after });
        self.held.push(Held { thumbprint, slot: Slot::Pending, since, not_after });
        if fate == Fate::Done {
            self.note(Note::Staged(thumbprint), since);
        }
    }

    fn promote(&mut self, key: Key) {
        let since = self.clock();
        for held in &mut self.held {
            let slot = match held.slot {
                _ if number(held.thumbprint) == key => Slot::Current,
                Slot::Current => Slot::Previous,
                other => other,
            };
            if slot != held.slot {
                (held.slot, held.since) = (slot, since);
            }
        }
        self.promotions += 1;
    }

    fn probe(&mut self, key: Key, audience: Audience, slow: bool) {
        let note = match self.accepts(key, slow) {
            true => Note::Accepted(thumbprint(key), audience),
            false => Note::Refused(thumbprint(key), audience),
        };
        self.note(note, self.clock());
    }

    fn request_is_granted(
        &mut self,
        prover: Key,
        signed: Timestamp,
        fate: Fate,
        slow: bool,
    ) -> bool {
        match fate {
            Fate::CrashMidway => false,
            Fate::Conflict => {
                self.foreign_write();
                false
            }
            _ => self.accepts(prover, slow) && self.proof_is_alive(signed),
        }
    }

    fn register(&mut self, key: Key, fate: Fate) {
        if self.expired(key) {
            return;
        }
        self.last_number += 1;
        let id = self.last_number;
        self.directory.push(Entry { key, id, from: self.now, to: None });
        if fate == Fate::Done {
            self.note(Note::Registered(thumbprint(key), key_id(id)), self.clock());
        }
    }

    fn deliver(&mut self, key: Key, to: SinkId, of: Generation, fate: Fate) {
        let (now, shown) = (self.now, self.clock());
        let sink = self.sink(to);
        if of < sink.generation {
            return;
        }
        if fate == Fate::FailBefore || sink.down_until.is_some() {
            self.note(Note::DeliveryFailed(to), shown);
            return;
        }
        sink.generation = of;
        if sink.handed.last().is_none_or(|last| last.key != key) {
            sink.handed.push(Handed { key, at: now, told: None });
        }
        if matches!(fate, Fate::CrashMidway | Fate::FailMidway) {
            sink.reported = None;
            if fate == Fate::FailMidway {
                self.note(Note::DeliveryFailed(to), shown);
            }
            return;
        }
        if let Some(last) = sink.handed.last_mut() {
            last.told.get_or_insert(now);
        }
        if sink.reported.is_none_or(|reported| number(reported.key) != key) {
            sink.reported = Some(Delivered { key: thumbprint(key), since: shown });
        }
        if fate != Fate::CrashAfter {
            self.note(Note::DeliveryDone(to), shown);
        }
    }

    /// The other writer adds his second key, or removes it.
    pub(super) fn foreign_write(&mut self) {
        let (now, second) = (self.now, FOREIGN + 1);
        match self.directory.iter_mut().find(|e| e.key == second && e.to.is_none()) {
            Some(entry) => {
                entry.to = Some(now);
                let gone = entry.id;
                self.foreign.retain(|id| *id != gone);
            }
            None => {
                self.last_number += 1;
                let id = self.last_number;
                self.directory.push(Entry { key: second, id, from: now, to: None });
                self.foreign.push(id);
            }
        }
    }
}
