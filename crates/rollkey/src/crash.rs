//! The points between two effects at which a test may kill the process.
//!
//! They compile to nothing without the feature `crash-points`. A test compares this list with the
//! code, so that no point is forgotten.

/// Every point, by the file and the effect that it follows.
pub const POINTS: &[&str] = &[];
