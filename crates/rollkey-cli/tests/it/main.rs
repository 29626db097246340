//! Tests of the real binary, as a child process, against the emulator.

#[cfg(all(unix, feature = "crash-points"))]
mod crash;
mod documents;
mod scene;
mod transcripts;
