//! What happened that cannot be looked up again.

pub mod file;
pub mod memory;
