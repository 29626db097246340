//! How much a file may cost its reader, and the account of what it has cost so far.
//!
//! A PFX file names its own iteration counts, and each encrypted bag has one. A limit for each
//! derivation is therefore not enough: [`Work`] also keeps the sum. Nothing that derives a key may
//! do so without asking here first.

use crate::error::{Fault, Part, ReadError};

/// What a file may ask of its reader.
///
/// The defaults read every honest file that we have seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The size of the file, in bytes. Default: 16 MiB.
    pub max_size: usize,
    /// How deep elements may be nested, within one encoding. Default: 32; an ordinary file needs
    /// about 10.
    pub max_depth: u8,
    /// Iterations of one key derivation. Default: 10,000,000, a hundred times what writers use
    /// today; about three seconds.
    pub max_iterations: u64,
    /// Iterations of all key derivations of one file together. A derivation that needs several
    /// rounds (3DES needs three) counts each. Default: 80,000,000: the checksum and two parts in
    /// 3DES at the highest `max_iterations`.
    pub max_total_iterations: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_size: 16 << 20,
            max_depth: 32,
            max_iterations: 10_000_000,
            max_total_iterations: 80_000_000,
        }
    }
}

/// The account of the work done for one file.
pub(crate) struct Work<'l> {
    limits: &'l Limits,
    spent: u64,
}

impl<'l> Work<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self { limits, spent: 0 }
    }

    /// Asks whether `rounds` times `iterations` may be done, and books them.
    pub(crate) fn book(&mut self, iterations: Iterations, rounds: u64) -> Result<(), ReadError> {
        let limit = self.limits.max_iterations;
        if iterations.0 > limit {
            return Err(ReadError::TooManyIterations { asked: iterations.0, limit });
        }
        let limit = self.limits.max_total_iterations;
        self.spent = self.spent.saturating_add(iterations.0.saturating_mul(rounds));
        if self.spent > limit { Err(ReadError::TooMuchWork { limit }) } else { Ok(()) }
    }
}

/// An iteration count as a file states it: at least one, perhaps far too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Iterations(u64);

impl Iterations {
    pub(crate) fn new(count: u64, part: Part) -> Result<Self, ReadError> {
        match count {
            0 => Err(ReadError::Malformed { part, fault: Fault::ZeroIterations }),
            count => Ok(Self(count)),
        }
    }

    pub(crate) fn get(self) -> u64 {
        self.0
    }
}

impl From<std::num::NonZeroU32> for Iterations {
    fn from(count: std::num::NonZeroU32) -> Self {
        Self(count.get().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_modest_derivations_exhaust_the_sum() {
        let limits = Limits::default();
        let mut work = Work::new(&limits);
        let ten_million = Iterations::new(10_000_000, Part::Mac).unwrap();
        for _ in 0..8 {
            work.book(ten_million, 1).unwrap();
        }
        let limit = limits.max_total_iterations;
        assert_eq!(work.book(ten_million, 1), Err(ReadError::TooMuchWork { limit }));
    }

    #[test]
    fn one_derivation_too_long_is_refused_whatever_it_claims() {
        let limits = Limits::default();
        let asked = u64::MAX;
        let refused = Work::new(&limits).book(Iterations::new(asked, Part::Mac).unwrap(), u64::MAX);
        let limit = limits.max_iterations;
        assert_eq!(refused, Err(ReadError::TooManyIterations { asked, limit }));
    }
}
