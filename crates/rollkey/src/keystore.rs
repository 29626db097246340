//! Where private keys are kept.

pub mod files;
pub mod memory;
