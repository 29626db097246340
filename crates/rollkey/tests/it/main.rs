//! Tests.

mod keystore_contract;
