//! Tests.

mod cloud;
mod directory;
mod directory_emulator;
mod http;
mod http_script;
mod http_secrets;
mod keystore_contract;
mod token_endpoint;
