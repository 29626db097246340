//! Tests.

mod import;
mod keystore_contract;
