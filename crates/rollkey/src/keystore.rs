//! Where private keys are kept.
//!
//! What all keystores have in common stands here: what a new key is to be like ([`KeySpec`]), and
//! the rules of the slots (`Roster`), so that a folder, a vault and a token cannot differ in them.
//! What may never enter: a decision. A keystore does one step, or refuses it.

pub mod files;
pub mod memory;
pub mod signing;

pub use files::FileKeystore;
pub use memory::MemoryKeystore;

use crate::certificate::CommonName;
use crate::ports::KeystoreError;
use rollkey_core::{Generation, Held, Slot, Thumbprint, Timestamp};
use std::collections::HashSet;

/// How large a new RSA key is. Entra takes no smaller, and gains nothing from a larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeySize {
    /// 2048 bits: about 50 ms to make.
    #[default]
    Rsa2048,
    /// 3072 bits: about 200 ms to make.
    Rsa3072,
    /// 4096 bits: a second, more or less, to make.
    Rsa4096,
}

impl KeySize {
    /// In bits.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Rsa2048 => 2048,
            Self::Rsa3072 => 3072,
            Self::Rsa4096 => 4096,
        }
    }
}

/// A number of bits for which we make no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keys have 2048, 3072 or 4096 bits, not {0}")]
pub struct KeySizeError(pub u32);

impl TryFrom<u32> for KeySize {
    type Error = KeySizeError;
    fn try_from(bits: u32) -> Result<Self, KeySizeError> {
        [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096]
            .into_iter()
            .find(|size| size.bits() == bits)
            .ok_or(KeySizeError(bits))
    }
}

/// What a key that a keystore makes is like. It says nothing about keys that are there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// How large.
    pub bits: KeySize,
    /// The subject of its certificate.
    pub common_name: CommonName,
}

/// A key that people brought was not taken into custody. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// There is a current key, and it is another one: rotate, or use a keystore of its own.
    #[error("the keystore has a current key already, {}", .current.sha1)]
    CurrentTaken {
        /// That key.
        current: Thumbprint,
    },
    /// The key is there, in a slot out of which a key does not come back.
    #[error("the keystore holds key {} already, and not as the current one", .key.sha1)]
    HeldElsewhere {
        /// The key.
        key: Thumbprint,
        /// Where it stands.
        slot: Slot,
    },
    /// The keystore would not.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

/// The keys of a keystore and the count of changes: pure, and the same for every keystore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roster {
    pub(crate) generation: Generation,
    pub(crate) keys: Vec<Held>,
}

/// What came of an offer to take a key into custody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adoption {
    /// It is current now.
    Taken,
    /// It was so before.
    Already(Held),
}

impl Roster {
    /// Takes what was stored, if it makes sense; otherwise says what does not.
    pub(crate) fn checked(generation: Generation, keys: Vec<Held>) -> Result<Self, &'static str> {
        let count = |slot| keys.iter().filter(|key| key.slot == slot).count();
        let names: HashSet<_> = keys.iter().map(|key| key.thumbprint.sha1).collect();
        match () {
            () if count(Slot::Pending) > 1 => Err("it names two pending keys"),
            () if count(Slot::Current) > 1 => Err("it names two current keys"),
            () if names.len() != keys.len() => Err("it names a key twice"),
            () => Ok(Self { generation, keys }),
        }
    }

    pub(crate) fn find(&self, key: Thumbprint) -> Result<Held, KeystoreError> {
        self.keys
            .iter()
            .find(|held| held.thumbprint == key)
            .copied()
            .ok_or(KeystoreError::NoSuchKey(key))
    }

    /// Refuses those who decided on what is no longer so, and a second pending key.
    pub(crate) fn may_stage(&self, after: Generation) -> Result<(), KeystoreError> {
        self.expect(after)?;
        match self.in_slot(Slot::Pending) {
            Some(_) => Err(KeystoreError::SlotTaken),
            None => Ok(()),
        }
    }

    pub(crate) fn stage(&mut self, key: Held, after: Generation) -> Result<(), KeystoreError> {
        self.may_stage(after)?;
        self.keys.push(key);
        self.advance();
        Ok(())
    }

    pub(crate) fn promote(
        &mut self,
        key: Thumbprint,
        after: Generation,
        now: Timestamp,
    ) -> Result<(), KeystoreError> {
        self.expect(after)?;
        if self.find(key)?.slot != Slot::Pending {
            return Err(KeystoreError::NoSuchKey(key));
        }
        for held in &mut self.keys {
            held.slot = match held.slot {
                Slot::Current => Slot::Previous,
                Slot::Pending => Slot::Current,
                Slot::Previous => continue,
            };
            held.since = now;
        }
        self.advance();
        Ok(())
    }

    pub(crate) fn discard(
        &mut self,
        key: Thumbprint,
        after: Generation,
    ) -> Result<(), KeystoreError> {
        self.expect(after)?;
        if self.find(key)?.slot == Slot::Current {
            return Err(KeystoreError::NoSuchKey(key));
        }
        self.keys.retain(|held| held.thumbprint != key);
        self.advance();
        Ok(())
    }

    /// Takes a key that people brought as the current one, if there is none.
    pub(crate) fn adopt(&mut self, key: Held) -> Result<Adoption, CustodyError> {
        if let Ok(there) = self.find(key.thumbprint) {
            return match there.slot {
                Slot::Current => Ok(Adoption::Already(there)),
                slot => Err(CustodyError::HeldElsewhere { key: key.thumbprint, slot }),
            };
        }
        if let Some(current) = self.in_slot(Slot::Current) {
            return Err(CustodyError::CurrentTaken { current: current.thumbprint });
        }
        self.keys.push(key);
        self.advance();
        Ok(Adoption::Taken)
    }

    /// Takes a key that people brought as the current one; the one that was becomes a previous one.
    pub(crate) fn supersede(&mut self, key: Held) -> Result<Adoption, CustodyError> {
        if self.find(key.thumbprint).is_ok() {
            return self.adopt(key);
        }
        for held in self.keys.iter_mut().filter(|held| held.slot == Slot::Current) {
            (held.slot, held.since) = (Slot::Previous, key.since);
        }
        self.adopt(key)
    }

    fn in_slot(&self, slot: Slot) -> Option<&Held> {
        self.keys.iter().find(|held| held.slot == slot)
    }

    fn expect(&self, after: Generation) -> Result<(), KeystoreError> {
        match self.generation == after {
            true => Ok(()),
            false => Err(KeystoreError::MovedOn { after, now: self.generation }),
        }
    }

    fn advance(&mut self) {
        self.generation = Generation(self.generation.0.saturating_add(1));
    }
}
