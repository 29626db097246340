//! Tests.

mod certificate;
mod import;
mod keystore_contract;
#[cfg(feature = "crash-points")]
mod keystore_crash;
mod keystore_files;
