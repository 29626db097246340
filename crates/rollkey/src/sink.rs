//! Where consumers read the key that they are to use.

pub mod exec;
pub mod folder;
pub mod memory;
pub mod notify;
