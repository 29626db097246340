//! Faults: what goes wrong on purpose, by script or by chance.
//!
//! A scripted fault waits in the queue of its operation and strikes the next request of that kind.
//! Random faults are drawn from the seed. Nothing in here knows what an operation means; the room
//! `service` carries the faults out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::seed::{Seeds, Stream};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `POST .../addKey`
    AddKey,
    /// `POST .../removeKey`
    RemoveKey,
    /// `PATCH` of an application or service principal.
    Update,
    /// `GET` of one application or service principal.
    Read,
    /// `GET` of a collection.
    List,
    /// `POST` to a token endpoint.
    Token,
    /// OpenID configuration, instance discovery and signing keys.
    Discovery,
    /// Anything else.
    Other,
}

/// What shall go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The effect takes place, the connection ends without an answer.
    LosesItsAnswer,
    /// Nothing takes place, the connection ends without an answer.
    CrashesBeforeEffect,
    /// Nothing takes place, and this is the answer.
    Answers { status: u16, code: String, retry_after: Option<u64> },
    /// Everything takes place, but the answer waits so long (wall clock).
    IsSlow(Duration),
}

/// How often a request of any kind goes wrong by chance, in one thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultRates {
    /// The effect takes place, the answer is lost.
    pub loses_its_answer: u16,
    /// Nothing takes place, the connection ends.
    pub crashes_before_effect: u16,
    /// 429 with `Retry-After: 10`, nothing takes place.
    pub is_throttled: u16,
}

/// The faults that wait for their requests.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    scripted: Mutex<BTreeMap<Operation, VecDeque<Fault>>>,
    rates: Mutex<FaultRates>,
}

impl Faults {
    pub(crate) fn set_rates(&self, rates: FaultRates) {
        *self.rates.lock().unwrap_or_else(PoisonError::into_inner) = rates;
    }

    /// The fault that strikes this request.
    pub(crate) fn take(&self, operation: Operation, seeds: &Seeds) -> Option<Fault> {
        let mut scripted = self.scripted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = scripted.get_mut(&operation).and_then(VecDeque::pop_front) {
            return Some(fault);
        }
        drop(scripted);
        let rates = *self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if rates == FaultRates::default() {
            return None;
        }
        let drawn = seeds.below(Stream::Fault, 1000);
        let lost = u64::from(rates.loses_its_answer);
        let crashed = lost + u64::from(rates.crashes_before_effect);
        let throttled = crashed + u64::from(rates.is_throttled);
        match drawn {
            _ if drawn < lost => Some(Fault::LosesItsAnswer),
            _ if drawn < crashed => Some(Fault::CrashesBeforeEffect),
            _ if drawn < throttled => Some(throttle(10)),
            _ => None,
        }
    }

    fn queue(&self, operation: Operation, fault: Fault, times: usize) {
        let mut scripted = self.scripted.lock().unwrap_or_else(PoisonError::into_inner);
        scripted.entry(operation).or_default().extend(std::iter::repeat_n(fault, times));
    }
}

fn throttle(retry_after: u64) -> Fault {
    Fault::Answers {
        status: 429,
        code: "TooManyRequests".to_owned(),
        retry_after: Some(retry_after),
    }
}

/// Scripts what happens to the next request of a kind; made by
/// [`Emulator::next`](crate::Emulator::next).
///
/// Faults of one kind queue up: each strikes one request.
#[derive(Debug)]
#[must_use = "nothing is scripted before the fault is named"]
pub struct Next<'a> {
    faults: &'a Faults,
    operation: Operation,
    times: usize,
}

impl<'a> Next<'a> {
    pub(crate) fn new(faults: &'a Faults, operation: Operation) -> Self {
        Self { faults, operation, times: 1 }
    }

    /// Strikes that many requests, one after the other, instead of one.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// The effect takes place; then the connection ends without an answer.
    pub fn loses_its_answer(self) {
        self.queue(Fault::LosesItsAnswer);
    }

    /// The connection ends without an answer, and nothing takes place.
    pub fn crashes_before_effect(self) {
        self.queue(Fault::CrashesBeforeEffect);
    }

    /// Answers with this HTTP status and error code; nothing takes place.
    pub fn answers(self, status: u16, code: &str) {
        self.queue(Fault::Answers { status, code: code.to_owned(), retry_after: None });
    }

    /// Answers 429 with `Retry-After` (seconds); nothing takes place.
    pub fn is_throttled(self, retry_after: u64) {
        self.queue(throttle(retry_after));
    }

    /// Answers 409 `Directory_ConcurrencyViolation`; nothing takes place.
    pub fn collides(self) {
        self.answers(409, "Directory_ConcurrencyViolation");
    }

    /// Everything takes place, but the answer comes so much later (wall clock: a client waits for
    /// it with its own time limit).
    pub fn is_slow(self, by: Duration) {
        self.queue(Fault::IsSlow(by));
    }

    fn queue(self, fault: Fault) {
        self.faults.queue(self.operation, fault, self.times);
    }
}
