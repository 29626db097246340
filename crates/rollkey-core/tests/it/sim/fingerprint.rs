//! A state of the world in 64 bits. Fast and good enough to tell states apart; no cryptography.

use super::world::World;
use std::hash::{BuildHasherDefault, Hash, Hasher};

pub(super) fn fingerprint(world: &World) -> u64 {
    let mut hasher = Folding(0x243f_6a88_85a3_08d3);
    world.hash(&mut hasher);
    hasher.finish()
}

/// Multiplies into 128 bits and folds them: each bit of the input reaches each of the output.
#[derive(Default)]
pub(super) struct Folding(u64);

impl Folding {
    fn add(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x9e37_79b9_7f4a_7c15;
        self.0 = ((product >> 64) as u64 ^ product as u64).rotate_left(23);
    }
}

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.add(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.add(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.add(n);
    }

    fn write_usize(&mut self, n: usize) {
        self.add(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// For tables whose keys are fingerprints already.
pub(super) type Fingerprints = BuildHasherDefault<AsIs>;

#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
