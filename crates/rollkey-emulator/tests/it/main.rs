//! Tests over real TLS, with assertions and proofs minted here.

mod access;
mod assertions;
mod client;
mod clocks;
mod discovery;
mod faults;
mod happy_path;
mod keys;
mod lags;
mod malformed;
mod proofs;
mod reading;
mod rules;
mod seeds;
mod token_requests;
mod updates;
mod worlds;
