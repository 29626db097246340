//! Chance: every identifier, every choice of a replica and every random fault, from one seed.
//!
//! One stream per kind of thing, so that one more request does not change the ids of the next
//! application. Keys are not made here: the private keys of an emulator come from the operating
//! system and differ from run to run.

use std::sync::{Mutex, PoisonError};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// What a number is drawn for. The discriminant is the number of its stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Tenant = 1,
    Application = 2,
    KeyId = 3,
    Request = 4,
    Replica = 5,
    Fault = 6,
    Token = 7,
}

const STREAMS: usize = 8;

/// The generators of one emulator.
#[derive(Debug)]
pub(crate) struct Seeds {
    seed: u64,
    streams: Mutex<Vec<ChaCha20Rng>>,
}

impl Seeds {
    pub(crate) fn new(seed: u64) -> Self {
        let stream = |number: usize| {
            let mut generator = ChaCha20Rng::seed_from_u64(seed);
            generator.set_stream(number as u64);
            generator
        };
        Self { seed, streams: Mutex::new((0..STREAMS).map(stream).collect()) }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A GUID, lower case with hyphens.
    pub(crate) fn guid(&self, stream: Stream) -> String {
        let mut bytes = [0; 16];
        self.draw(stream, |generator| generator.fill_bytes(&mut bytes));
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub(crate) fn below(&self, stream: Stream, bound: u64) -> u64 {
        // The bias of the remainder is beyond notice for bounds of this size.
        self.draw(stream, |generator| generator.next_u64()).checked_rem(bound).unwrap_or(0)
    }

    fn draw<T>(&self, stream: Stream, with: impl FnOnce(&mut ChaCha20Rng) -> T) -> T {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        with(&mut streams[stream as usize])
    }
}
