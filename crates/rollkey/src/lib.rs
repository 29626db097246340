//! Rolls the certificates of Microsoft Entra applications through `addKey` and `removeKey`.
//!
//! The decision is made in [`rollkey_core`]; this crate has the doors to the outside ([`ports`]),
//! the adapters behind them, and the one loop that acts ([`rotation`]).
//!
//! It reads no environment variable and no home directory, and prints nothing.

pub mod answer;
pub mod certificate;
pub mod cloud;
pub mod crash;
pub mod directory;
pub mod durable;
pub mod http;
pub mod import;
pub mod journal;
pub mod keystore;
pub mod ports;
pub mod rotation;
pub mod secret;
pub mod sink;
pub mod token_endpoint;

pub use rollkey_core as core;
