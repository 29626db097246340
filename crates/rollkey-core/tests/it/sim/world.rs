//! The world outside: replicas that lag, consumers that keep what they have read, a clock that is
//! wrong, other hands on the same application. It is told what happens, and happens accordingly.

use rollkey_core::{
    Delivered, Facts, Generation, Held, KeyId, MAX_CLOCK_ERROR, Note, PROOF_LIFETIME, Policy,
    Sha1Thumbprint, Sha256Thumbprint, SinkId, Slot, Span, Step, Thumbprint, Timestamp,
};
use std::rc::Rc;

/// How far the slowest replica lags behind.
pub(super) const LAG: Span = Span::minutes(20);

/// A certificate, by number. Ours count from 1, those of others from [`FOREIGN`].
pub(super) type Key = u8;

/// The first certificate that is not ours.
pub(super) const FOREIGN: Key = 200;

pub(super) fn thumbprint(key: Key) -> Thumbprint {
    Thumbprint { sha1: Sha1Thumbprint([key; 20]), sha256: Sha256Thumbprint([key; 32]) }
}

pub(super) fn number(thumbprint: Thumbprint) -> Key {
    thumbprint.sha1.0[0]
}

pub(super) fn key_id(entry: u8) -> KeyId {
    KeyId::from_bytes([entry; 16])
}

/// One key credential in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) id: u8,
    /// When it came.
    pub(super) from: Timestamp,
    /// When it went.
    pub(super) to: Option<Timestamp>,
}

/// A certificate of ours, whoever holds it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Certificate {
    pub(super) key: Key,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

/// Something that a sink gave its consumers to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Handed {
    pub(super) key: Key,
    /// Who reads from now on reads this.
    pub(super) at: Timestamp,
    /// When the consumers were told. Until then, one may go on with what it read before.
    pub(super) told: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Sink {
    pub(super) generation: Generation,
    /// What it says of itself.
    pub(super) reported: Option<Delivered>,
    /// Oldest first; what no consumer uses any more is forgotten.
    pub(super) handed: Vec<Handed>,
    /// Every delivery fails until then.
    pub(super) down_until: Option<Timestamp>,
    /// While it is down, it does not even say what it holds.
    pub(super) silent: bool,
    pub(super) was_down: bool,
}

/// How wrong our clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Clock {
    Behind,
    Right,
    Ahead,
}

/// A worker that has decided, and signed what it needs, and stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stalled {
    pub(super) step: Step,
    /// By the world's clock.
    pub(super) decided: Timestamp,
    /// By its own.
    pub(super) signed: Timestamp,
    /// A write was noted as sent before the standstill.
    pub(super) noted: bool,
}

/// What another hand did to a key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wrong {
    Removed,
    BroughtBack,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) clock: Clock,
    // Ours.
    pub(super) generation: Generation,
    pub(super) held: Vec<Held>,
    pub(super) journal: Rc<Facts>,
    pub(super) promotions: u8,
    // Where we have been, and others too.
    pub(super) certificates: Vec<Certificate>,
    pub(super) sinks: Vec<Sink>,
    pub(super) directory: Vec<Entry>,
    /// The last number given to a certificate of ours or to an entry.
    pub(super) last_number: u8,
    /// When we last wrote of a key, by the world's clock, as far as the journal can know.
    pub(super) written: Vec<(Thumbprint, Timestamp)>,
    // What has gone wrong.
    pub(super) stalled: Option<Stalled>,
    pub(super) wronged: Vec<(Key, Wrong, Timestamp)>,
    /// A certificate may have been registered twice.
    pub(super) twice: bool,
    /// Nobody looked for days.
    pub(super) was_away: bool,
    /// What the other writer has there, by his own count.
    pub(super) foreign: Vec<u8>,
}

impl World {
    /// Key 1 is current, works, and expires in `left`; its sinks and its entry are as old as that
    /// suggests. The journal is empty, as after an import.
    pub(super) fn new(policy: &Policy, sinks: usize, left: Span) -> Self {
        let now = Timestamp(1_800_000_000);
        let born = now + left - policy.terms().lifetime;
        let sink = Sink {
            reported: Some(Delivered { key: thumbprint(1), since: born }),
            handed: vec![Handed { key: 1, at: born, told: Some(born) }],
            ..Sink::default()
        };
        let entry = |key, id| Entry { key, id, from: born, to: None };
        Self {
            now,
            clock: Clock::Right,
            generation: Generation(1),
            held: vec![Held {
                thumbprint: thumbprint(1),
                slot: Slot::Current,
                since: born,
                not_after: now + left,
            }],
            journal: Rc::default(),
            promotions: 0,
            certificates: vec![Certificate { key: 1, not_before: born, not_after: now + left }],
            sinks: vec![sink; sinks],
            directory: vec![entry(1, 101), entry(FOREIGN, 102)],
            last_number: 1,
            written: Vec::new(),
            stalled: None,
            wronged: Vec::new(),
            twice: false,
            was_away: false,
            foreign: vec![102],
        }
    }

    /// The journal knows the entry of key 1, as after a bootstrap.
    pub(super) fn knowing_its_entry(mut self) -> Self {
        self.note(Note::Seen(thumbprint(1)), self.now);
        self.note(Note::Registered(thumbprint(1), key_id(101)), self.now);
        self
    }

    /// A pending key was registered and then forgotten, until it expired.
    pub(super) fn with_an_expired_pending_key(mut self, policy: &Policy) -> Self {
        let since = self.now - (policy.terms().lifetime + Span::days(5));
        let (key, not_after) = (2, since + policy.terms().lifetime);
        self.certificates.push(Certificate { key, not_before: since, not_after });
        let thumbprint = thumbprint(key);
        self.held.push(Held { thumbprint, slot: Slot::Pending, since, not_after });
        self.directory.push(Entry { key, id: 3, from: since, to: None });
        self.last_number = 3;
        self
    }

    /// What our clock shows.
    pub(super) fn clock(&self) -> Timestamp {
        match self.clock {
            Clock::Behind => self.now - MAX_CLOCK_ERROR,
            Clock::Right => self.now,
            Clock::Ahead => self.now + MAX_CLOCK_ERROR,
        }
    }

    /// The world's time when our clock shows `instant`.
    pub(super) fn when_clock_shows(&self, instant: Timestamp) -> Timestamp {
        match self.clock {
            Clock::Behind => instant + MAX_CLOCK_ERROR,
            Clock::Right => instant,
            Clock::Ahead => instant - MAX_CLOCK_ERROR,
        }
    }

    pub(super) fn note(&mut self, note: Note, at: Timestamp) {
        Rc::make_mut(&mut self.journal).add(note, at);
    }

    pub(super) fn current(&self) -> Option<&Held> {
        self.held.iter().find(|held| held.slot == Slot::Current)
    }

    /// Whether the quickest and the slowest replica disagree about the key.
    pub(super) fn varies(&self, key: Key) -> bool {
        self.accepts(key, false) != self.accepts(key, true)
    }

    /// Whether a replica accepts the key: the quickest, or the slowest.
    pub(super) fn accepts(&self, key: Key, slow: bool) -> bool {
        let at = if slow { self.now - LAG } else { self.now };
        self.valid(key) && self.directory.iter().any(|e| e.key == key && e.at(at))
    }

    /// Whether every replica accepts the key, whatever it has seen of the last minutes.
    pub(super) fn accepted_everywhere(&self, key: Key) -> bool {
        // From the slowest replica to the quickest, some entry must be there all the time.
        let mut covered = self.now - LAG;
        while let Some(e) = self
            .directory
            .iter()
            .filter(|e| e.key == key && e.at(covered))
            .max_by_key(|e| e.until())
        {
            if self.now < e.until() {
                return self.valid(key);
            }
            covered = e.until();
        }
        false
    }

    /// Whether the certificate is in its time.
    pub(super) fn valid(&self, key: Key) -> bool {
        self.certificates
            .iter()
            .any(|c| c.key == key && c.not_before <= self.now && self.now < c.not_after)
    }

    pub(super) fn expired(&self, key: Key) -> bool {
        self.certificates.iter().any(|c| c.key == key && c.not_after <= self.now)
    }

    /// Whether a proof signed then, by our clock, is in its time.
    pub(super) fn proof_is_alive(&self, signed: Timestamp) -> bool {
        signed <= self.now + MAX_CLOCK_ERROR && self.now < signed + PROOF_LIFETIME
    }

    pub(super) fn sink(&mut self, id: SinkId) -> &mut Sink {
        &mut self.sinks[usize::from(id.0)]
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, then: Timestamp) {
        self.now = then;
        for sink in &mut self.sinks {
            sink.down_until = sink.down_until.filter(|until| then < *until);
        }
    }

    /// All sinks are in order again.
    pub(super) fn mend_sinks(&mut self) {
        self.sinks.iter_mut().for_each(|sink| sink.down_until = None);
    }

    /// Forgets what can make no difference any more, so that histories meet again.
    pub(super) fn forget(&mut self, overlap: Span) {
        let now = self.now;
        // A proof that is dead is refused, and a refusal can be noted: soon, or as well never.
        self.stalled = self.stalled.filter(|s| !s.is_sealed() || now < s.decided + Span::hours(1));
        self.directory.retain(|e| e.to.is_none_or(|to| now - LAG < to));
        self.written.retain(|(_, at)| now < *at + LAG);
        for sink in &mut self.sinks {
            let moved = |h: &Handed| h.told.is_some_and(|told| told + overlap <= now);
            if let Some(last) = sink.handed.iter().rposition(moved) {
                sink.handed.drain(..last);
            }
        }
    }
}

impl Sink {
    pub(super) fn is_silent(&self) -> bool {
        self.silent && self.down_until.is_some()
    }

    pub(super) fn delivered(&self) -> Option<Delivered> {
        self.reported.filter(|_| !self.is_silent())
    }
}

impl Entry {
    pub(super) fn at(&self, instant: Timestamp) -> bool {
        self.from <= instant && instant < self.until()
    }

    fn until(&self) -> Timestamp {
        self.to.unwrap_or(Timestamp(u64::MAX))
    }
}

impl Stalled {
    /// Whether the step bears a proof, and so cannot be arbitrarily late.
    fn is_sealed(&self) -> bool {
        matches!(self.step, Step::Register { .. } | Step::Remove { .. })
    }
}
