//! What is seen of one application, and how well.
//!
//! Three values everywhere: present, absent, unknown. A failed read is not an absence, a stale
//! read is not one either, and silence of a journal that was lost means nothing.

use crate::facts::{Facts, KeyFacts};
use crate::id::KeyId;
use crate::policy::{Audience, Policy, SinkId};
use crate::thumbprint::{Sha1Thumbprint, Sha256Thumbprint, Thumbprint};
use crate::time::Timestamp;

/// A key's place in its life. A key only ever moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// Made, and not yet to be relied on.
    Pending,
    /// What consumers are to use.
    Current,
    /// What consumers used before, until they have all moved on.
    Previous,
}

/// Counts the changes to a keystore. A change made against an old count is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// A private key in our custody, as the keystore reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// Of its certificate.
    pub thumbprint: Thumbprint,
    /// Where it stands.
    pub slot: Slot,
    /// When it came to stand there.
    pub since: Timestamp,
    /// When its certificate expires.
    pub not_after: Timestamp,
}

/// One key credential in the directory, ours or somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listed {
    /// Names the entry.
    pub key_id: KeyId,
    /// From `customKeyIdentifier`, where that is a thumbprint; a client may store anything there.
    pub sha1: Option<Sha1Thumbprint>,
    /// From the certificate itself, where the directory showed it.
    pub sha256: Option<Sha256Thumbprint>,
}

impl Listed {
    /// Whether this entry is for that certificate. The certificate itself, where it was shown,
    /// outweighs an identifier that anybody may have chosen.
    pub fn is(&self, thumbprint: Thumbprint) -> bool {
        match self.sha256 {
            Some(sha256) => sha256 == thumbprint.sha256,
            None => self.sha1 == Some(thumbprint.sha1),
        }
    }
}

/// The directory's list of keys, if we could get one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// Not permitted, throttled, or unreachable. Says nothing about any key.
    #[default]
    Unreadable,
    /// The keys of this application, perhaps some minutes old.
    Read(Vec<Listed>),
}

/// Whether the directory holds a key, in three values: a failed read is not an absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Registration {
    /// It does not, and no lag can explain that.
    Absent,
    /// It does.
    Present(KeyId),
    /// We cannot tell.
    Unknown,
}

/// A key of ours with everything known about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Credential {
    /// From the keystore.
    pub held: Held,
    /// From the journal.
    pub facts: KeyFacts,
    /// From the directory, seen in the light of the journal.
    pub registration: Registration,
}

/// What a consumer would read from a sink now, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delivered {
    /// The key it would get.
    pub key: Thumbprint,
    /// Since when, its notification included.
    pub since: Timestamp,
}

/// What is known of one sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SinkState {
    /// `None`: nothing there, or nothing that we can read. Delivering again does no harm.
    pub delivered: Option<Delivered>,
    /// When a delivery failed that has not succeeded since.
    pub failed_at: Option<Timestamp>,
}

/// The readings that make an [`Observed`]: one look at each door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Of the keystore.
    pub generation: Generation,
    /// Of the keystore.
    pub held: Vec<Held>,
    /// Of each sink, in the order of their [`SinkId`]s.
    pub delivered: Vec<Option<Delivered>>,
    /// Of the directory.
    pub listing: Listing,
}

/// The input of [`decide`](crate::decide()).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Of the keystore, at the time of this look.
    pub generation: Generation,
    /// In the order of their [`SinkId`]s.
    pub sinks: Vec<SinkState>,
    /// The key that is to be current next.
    pub pending: Option<Credential>,
    /// The key that consumers are to use.
    pub current: Option<Credential>,
    /// Keys that consumers used before.
    pub previous: Vec<Credential>,
}

/// What a credential is good for at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its certificate is.
    Expired,
    /// Ours alone: the directory does not have it.
    Local,
    /// Registered, or perhaps registered, and not yet seen to work everywhere. Ask this audience
    /// at this instant.
    Unproven(Timestamp, Audience),
    /// Seen to work, but not to be relied on before this audience has said so again, at this
    /// instant.
    Settling(Timestamp, Audience),
    /// Seen to work, and seen to work still when that had settled: to be relied on.
    Proven,
}

impl Observed {
    /// Joins the readings and what the journal remembers. Pure: whoever calls did the I/O, and
    /// notes in the journal that it has now heard of the keys that it did not know.
    pub fn assemble(reading: Reading, facts: &Facts, policy: &Policy, now: Timestamp) -> Self {
        let sinks = (0..).map(SinkId).zip(reading.delivered).map(|(id, delivered)| SinkState {
            delivered,
            failed_at: facts.failed_deliveries.get(&id).copied(),
        });
        let mut seen =
            Self { generation: reading.generation, sinks: sinks.collect(), ..Self::default() };
        for held in reading.held {
            let facts =
                facts.keys.get(&held.thumbprint).cloned().unwrap_or_else(|| KeyFacts::new(now));
            let registration = registration(held.thumbprint, &reading.listing, &facts, policy, now);
            let credential = Credential { held, facts, registration };
            match held.slot {
                Slot::Pending => seen.pending = Some(credential),
                Slot::Current => seen.current = Some(credential),
                Slot::Previous => seen.previous.push(credential),
            }
        }
        seen
    }

    /// Every key that we hold, the one that matters most first.
    pub fn credentials(&self) -> impl Iterator<Item = &Credential> {
        self.current.iter().chain(&self.pending).chain(&self.previous)
    }

    /// Keys that could sign a proof of possession, the best first.
    pub fn provers(&self) -> impl Iterator<Item = &Credential> {
        self.current.iter().chain(&self.previous)
    }
}

fn registration(
    key: Thumbprint,
    listing: &Listing,
    facts: &KeyFacts,
    policy: &Policy,
    now: Timestamp,
) -> Registration {
    let believable = facts.believable(policy);
    match listing {
        Listing::Read(keys) => match keys.iter().find(|listed| listed.is(key)) {
            Some(listed) => Registration::Present(listed.key_id),
            None if believable <= now => Registration::Absent,
            None => Registration::Unknown,
        },
        Listing::Unreadable => {
            let never_sent = facts.staged && facts.sent_at.is_none();
            // A no is good for a while, then it is worth asking again: somebody may have mended it.
            let refused = facts
                .last_refused()
                .is_some_and(|at| believable <= at && now < at + policy.terms().poll);
            match facts.accepted_by_any() {
                false if never_sent || refused => Registration::Absent,
                _ => facts.key_id.map_or(Registration::Unknown, Registration::Present),
            }
        }
    }
}

impl Credential {
    /// What this key is good for now.
    pub fn standing(&self, policy: &Policy, now: Timestamp) -> Standing {
        if self.held.not_after <= now {
            return Standing::Expired;
        }
        if self.registration == Registration::Absent {
            return Standing::Local;
        }
        let Some(since) = self.facts.accepted_since(policy) else {
            return self.next_question(policy, now);
        };
        let settled = since + policy.terms().settle;
        match self.facts.unconfirmed(policy, settled) {
            Some(audience) => Standing::Settling(settled, audience),
            None => Standing::Proven,
        }
    }

    /// Whom to ask next, and when: of the audiences that have not yet said yes, the one that may
    /// be asked first.
    fn next_question(&self, policy: &Policy, now: Timestamp) -> Standing {
        policy
            .audiences()
            .map(|audience| (audience, self.facts.answer(audience)))
            .filter(|(_, answers)| answers.first_accepted.is_none())
            .map(|(audience, answers)| {
                (answers.last_refused.map_or(now, |at| at + policy.terms().poll), audience)
            })
            .min()
            .map_or(Standing::Unproven(now, Audience(0)), |(at, audience)| {
                Standing::Unproven(at, audience)
            })
    }
}

impl Standing {
    /// Whether a proof signed by this key would be accepted now.
    pub fn works(self) -> bool {
        matches!(self, Self::Settling(..) | Self::Proven)
    }
}
