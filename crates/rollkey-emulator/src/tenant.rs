//! The tenant: what all services of one emulator share.
//!
//! Login, the Graph and whatever comes later meet here and nowhere else. The tenant holds things
//! together and decides nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::access_token::Signer;
use crate::clock::Clock;
use crate::directory::Directory;
use crate::faults::Faults;
use crate::log::Log;
use crate::replicas::{Lags, Replica};
use crate::seed::{Seeds, Stream};

/// How strict the emulator is where nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// The answer that is hardest on the client.
    #[default]
    Strict,
    /// The answer that is easiest on the client, in the rules that say so.
    Lenient,
}

/// How login writes its errors; both are found in captures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorLayout {
    /// Newer: trace id, correlation id and timestamp follow on the same line.
    #[default]
    OneLine,
    /// Older: on lines of their own, and with the older words of AADSTS700027.
    Lines,
}

/// Limits and policies that are off unless switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// A second write to the keys of one object within so many seconds is answered with 409;
    /// 0: never.
    pub write_spacing: u64,
    /// How many keys an object holds.
    pub keys_per_object: Option<usize>,
    /// How long a new key may live, in seconds, by app management policy.
    pub key_lifetime: Option<u64>,
    /// Whether an app management policy refuses certificates altogether.
    pub certificates_refused: bool,
    /// Whether PATCH refuses a list that keeps an expired key.
    pub expired_refused_in_update: bool,
    /// The resources that tokens are given for, as in the scope without `/.default`; `None`: any.
    /// The Graph is always among them.
    pub resources: Option<BTreeSet<String>>,
}

/// What can be changed while the emulator runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) strictness: Strictness,
    pub(crate) layout: ErrorLayout,
    pub(crate) lags: Lags,
    pub(crate) limits: Limits,
}

/// The one tenant of an emulator.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// A GUID.
    pub(crate) id: String,
    pub(crate) domain: String,
    pub(crate) clock: Clock,
    pub(crate) seeds: Seeds,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) signer: Signer,
    /// How many replicas there are; at least one.
    pub(crate) replicas: usize,
    /// The addresses at which the emulator listens: `localhost:PORT` first.
    pub(crate) authorities: Vec<String>,
    settings: Mutex<Settings>,
    directory: Mutex<Directory>,
}

impl Tenant {
    pub(crate) fn new(
        clock: Clock,
        seeds: Seeds,
        signer: Signer,
        replicas: usize,
        authorities: Vec<String>,
        settings: Settings,
    ) -> Self {
        Self {
            id: seeds.guid(Stream::Tenant),
            domain: "emulator.onmicrosoft.com".to_owned(),
            clock,
            seeds,
            faults: Faults::default(),
            log: Log::default(),
            signer,
            replicas: replicas.max(1),
            authorities,
            settings: Mutex::new(settings),
            directory: Mutex::default(),
        }
    }

    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The replica that answers the next request.
    pub(crate) fn choose_replica(&self, lags: &Lags) -> Replica {
        let number = match lags.flapping {
            true => self.seeds.below(Stream::Replica, self.replicas as u64) as usize,
            false => self.replicas - 1,
        };
        Replica::new(number, self.replicas)
    }

    pub(crate) fn replicas(&self) -> impl Iterator<Item = Replica> + use<> {
        Replica::all(self.replicas)
    }

    /// Whether a path names this tenant.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.id) || name.eq_ignore_ascii_case(&self.domain)
    }
}
