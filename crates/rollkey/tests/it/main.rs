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
mod keystore_contract;
#[cfg(feature = "crash-points")]
mod keystore_crash;
mod keystore_files;
mod token_endpoint;
