//! What a step does to the world, if it succeeds and if it does not.

use super::world::{
    Certificate, Entry, FOREIGN, Handed, Key, Stalled, World, key_id, number, thumbprint,
};
use rollkey_core::{
    Audience, Delivered, Generation, Held, Note, SinkId, Slot, Span, Step, Thumbprint, Timestamp,
};

/// How the carrying out of a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    Done,
    /// The process dies after what goes before the effect, and before the effect: an `addKey` is
    /// noted and never sent; consumers can read a key and are not told.
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
    StallBefore,
    /// The worker notes what it is about to send and stands still, and another takes over.
    StallMidway,
}

/// Of a write, by our clock.
#[derive(Clone, Copy)]
struct Times {
    /// When its proof was signed.
    signed: Timestamp,
    /// When it was noted as sent.
    sent: Timestamp,
}

impl Fate {
    /// What can become of a step. To crash before it is to look again, and no history of its own.
    pub(super) fn of(step: Step) -> &'static [Self] {
        use Fate::*;
        match step {
            Step::Stage { .. } | Step::Discard { .. } => &[Done, CrashAfter, StallBefore],
            Step::Promote { .. } | Step::Probe { .. } => &[Done, StallBefore],
            Step::Register { .. } | Step::Remove { .. } => {
                &[Done, CrashMidway, CrashAfter, Conflict, StallBefore, StallMidway]
            }
            Step::Deliver { .. } => {
                &[Done, CrashMidway, CrashAfter, FailBefore, FailMidway, StallBefore]
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
        match (fate, step) {
            (Fate::StallBefore | Fate::StallMidway, _) => {
                let noted = fate == Fate::StallMidway;
                self.stalled = Some(Stalled { step, decided: self.now, signed, noted });
                if let Step::Register { key, .. } | Step::Remove { key, .. } = step {
                    self.twice = true;
                    if noted {
                        self.note(Note::Sent(key), signed);
                    }
                }
            }
            (_, Step::Register { key, .. } | Step::Remove { key, .. }) => {
                self.note(Note::Sent(key), signed);
                self.act(step, Times { signed, sent: signed }, fate, slow);
                if self.journal.keys.get(&key).is_some_and(|f| f.sent_at == Some(signed)) {
                    self.written.push((key, self.now));
                }
            }
            _ => self.act(step, Times { signed, sent: signed }, fate, slow),
        }
    }

    /// The stalled worker goes on where it stood.
    pub(super) fn wake(&mut self, slow: bool) {
        let Some(Stalled { step, signed, noted, .. }) = self.stalled.take() else { return };
        let sent = if noted { signed } else { self.clock() };
        if let Step::Register { key, .. } | Step::Remove { key, .. } = step
            && !noted
        {
            self.note(Note::Sent(key), sent);
        }
        self.act(step, Times { signed, sent }, Fate::Done, slow);
    }

    fn act(&mut self, step: Step, times: Times, fate: Fate, slow: bool) {
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
                if self.is_granted(key, number(prove_with), times, fate, slow) {
                    self.register(number(key), fate);
                }
            }
            Step::Remove { key, key_id: id, prove_with } => {
                if self.is_granted(key, number(prove_with), times, fate, slow) {
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

    /// Whether a write is sent and granted. A refusal is certain to have changed nothing, and is
    /// noted as such.
    fn is_granted(
        &mut self,
        key: Thumbprint,
        prover: Key,
        Times { signed, sent }: Times,
        fate: Fate,
        slow: bool,
    ) -> bool {
        if fate == Fate::CrashMidway {
            return false;
        }
        if fate == Fate::Conflict {
            self.foreign_write();
        }
        let granted =
            fate != Fate::Conflict && self.accepts(prover, slow) && self.proof_is_alive(signed);
        if !granted {
            self.note(Note::NotTaken(key), sent);
            // The pass came to nothing. The next begins a minute later.
            self.pass(self.now + Span::minutes(1));
        }
        granted
    }

    fn register(&mut self, key: Key, fate: Fate) {
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
        const SECOND: Entry = Entry { key: FOREIGN + 1, id: 103, from: Timestamp(0), to: None };
        let live = |e: &&mut Entry| e.id == SECOND.id && e.to.is_none();
        match self.directory.iter_mut().find(live) {
            Some(entry) => {
                entry.to = Some(self.now);
                self.foreign.retain(|id| *id != SECOND.id);
            }
            None => {
                self.directory.push(Entry { from: self.now, ..SECOND });
                self.foreign.push(SECOND.id);
            }
        }
    }
}
