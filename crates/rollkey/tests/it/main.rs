//! Tests.

mod journal_contract;
#[cfg(all(unix, feature = "crash-points"))]
mod journal_crash;
#[cfg(unix)]
mod journal_file;
#[cfg(unix)]
mod sink_bench;
#[cfg(unix)]
mod sink_contract;
#[cfg(all(unix, feature = "crash-points"))]
mod sink_crash;
#[cfg(unix)]
mod sink_exec;
#[cfg(unix)]
mod sink_folder;
