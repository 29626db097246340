//! What the doors promise, and the adapters behind them keep.

mod certificate;
mod cloud;
mod crash_points;
mod directory;
mod directory_emulator;
mod http;
mod http_script;
mod http_secrets;
mod import;
mod journal_contract;
#[cfg(all(unix, feature = "crash-points"))]
mod journal_crash;
#[cfg(unix)]
mod journal_file;
mod keystore_contract;
#[cfg(feature = "crash-points")]
mod keystore_crash;
mod keystore_files;
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
mod token_endpoint;
