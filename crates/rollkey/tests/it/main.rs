//! Tests.

mod journal_contract;
#[cfg(feature = "crash-points")]
mod journal_crash;
mod journal_file;
mod sink_bench;
mod sink_contract;
#[cfg(feature = "crash-points")]
mod sink_crash;
mod sink_exec;
mod sink_folder;
