//! What our side sees of the world in one look, and notes of it.

use super::world::{Entry, LAG, Sink, World, key_id, number, thumbprint};
use rollkey_core::{
    Audience, Held, Listed, Listing, MAX_CLOCK_ERROR, Note, Policy, Reading, SinkId, Slot,
    Thumbprint,
};

/// How the directory answers a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Read {
    Fresh,
    Stale,
    Unreadable,
}

/// Which replica answers where it makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Quick,
    Slow,
}

/// Whether a look begins with signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// The token of an earlier look is still good.
    Kept,
    New(Answer),
}

impl Answer {
    pub(super) fn is_slow(self) -> bool {
        self == Self::Slow
    }
}

impl World {
    /// One look at each door, as the driver makes it. It signs in, unless it still has a token,
    /// and tells the journal what it hears on the way: of keys that are new to it, of a clock that
    /// was set back, of a sink that cannot say what it holds.
    pub(super) fn look(&mut self, read: Read, login: Login, policy: &Policy) -> Reading {
        let now = self.clock();
        let read = if self.sign_in(login, policy) { read } else { Read::Unreadable };
        if self.journal.latest().is_some_and(|latest| now + MAX_CLOCK_ERROR < latest) {
            self.note(Note::ClockSetBack, now);
        }
        for held in self.held.clone() {
            if !self.journal.keys.contains_key(&held.thumbprint) {
                self.note(Note::Seen(held.thumbprint), now);
            }
        }
        for id in (0..).map(SinkId).take(self.sinks.len()) {
            if self.sink(id).is_silent() && !self.journal.failed_deliveries.contains_key(&id) {
                self.note(Note::DeliveryFailed(id), now);
            }
        }
        Reading {
            generation: self.generation,
            held: self.held.clone(),
            delivered: self.sinks.iter().map(Sink::delivered).collect(),
            listing: self.listing(read),
        }
    }

    /// Whether the driver has a token for the directory. It asks for one with each key that may
    /// be known, until one is accepted, and notes what is news.
    fn sign_in(&mut self, login: Login, policy: &Policy) -> bool {
        let slow = match login {
            Login::Kept => return true,
            Login::New(answer) => answer.is_slow(),
        };
        let now = self.clock();
        for key in self.candidates() {
            let accepted = self.accepts(number(key), slow);
            let answers = self.journal.keys.get(&key).map(|facts| facts.answer(Audience(0)));
            let answers = answers.unwrap_or_default();
            let settled = answers.first_accepted.map(|first| first + policy.terms().settle);
            let news = settled.is_none() || answers.last_accepted < settled;
            match accepted {
                true if news => self.note(Note::Accepted(key, Audience(0)), now),
                true => (),
                false => self.note(Note::Refused(key, Audience(0)), now),
            }
            if accepted {
                return true;
            }
        }
        false
    }

    /// The keys that may obtain a token, the likeliest first.
    fn candidates(&self) -> Vec<Thumbprint> {
        let sent = |held: &Held| {
            self.journal.keys.get(&held.thumbprint).is_some_and(|f| f.sent_at.is_some())
        };
        let slot = |slot| self.held.iter().filter(move |held| held.slot == slot);
        slot(Slot::Current)
            .chain(slot(Slot::Previous))
            .chain(slot(Slot::Pending).filter(|held| sent(held)))
            .filter(|held| self.clock() < held.not_after)
            .map(|held| held.thumbprint)
            .collect()
    }

    /// Whether it makes a difference to a sign-in which replica answers.
    pub(super) fn login_varies(&self) -> bool {
        self.candidates().iter().any(|key| self.varies(number(*key)))
    }

    fn listing(&self, read: Read) -> Listing {
        let at = match read {
            Read::Fresh => self.now,
            Read::Stale => self.now - LAG,
            Read::Unreadable => return Listing::Unreadable,
        };
        let listed = |e: &Entry| Listed {
            key_id: key_id(e.id),
            sha1: Some(thumbprint(e.key).sha1),
            sha256: None,
        };
        Listing::Read(self.directory.iter().filter(|e| e.at(at)).map(listed).collect())
    }
}
