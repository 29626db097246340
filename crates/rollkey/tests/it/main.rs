//! Tests.

mod cloud;
mod directory;
mod http;
mod http_script;
mod http_secrets;
mod keystore_contract;
mod token_endpoint;
