//! The tests of the crate, one binary.

mod contents;
mod corpus;
mod damage;
mod errors;
mod interop;
mod limits;
mod others;
mod write;
