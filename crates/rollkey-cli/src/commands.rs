//! One file per command.

pub(crate) mod config;
pub(crate) mod docs;
pub(crate) mod emulator;
pub(crate) mod import;
pub(crate) mod password;
pub(crate) mod rotate;
pub(crate) mod status;
pub(crate) mod token;
