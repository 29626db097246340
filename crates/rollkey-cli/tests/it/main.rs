//! Tests of the real binary, as a child process, against the emulator.

#![expect(clippy::print_stdout, reason = "tests say what was counted, and what was not run")]

#[cfg(all(unix, feature = "crash-points"))]
mod crash;
mod disasters;
mod documents;
mod json;
mod scene;
mod secrets;
mod together;
mod transcripts;
mod tutorial;
