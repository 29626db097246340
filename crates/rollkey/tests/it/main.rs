//! Tests.

mod cloud;
mod directory;
mod http;
mod http_script;
mod http_secrets;
mod token_endpoint;
