//! Tests over real TLS, with assertions and proofs minted here.

mod client;
mod happy_path;
