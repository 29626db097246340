//! Every history, not a lucky one.
//!
//! The world has replicas that lag, consumers that keep what they read, another writer, and a
//! clock of ours that is wrong. `explorer` takes every turn that such a world may take, with as
//! many faults as it is given to spend; `promises` says what must hold after each; `story` tells a
//! history in which it does not. `histories` are the tests, and `trouble` those of troubles that
//! do not end.

mod accidents;
mod effects;
mod explorer;
mod fingerprint;
mod histories;
mod look;
mod promises;
mod run;
mod story;
mod trouble;
mod world;
