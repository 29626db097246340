//! Tests of the real binary, as a child process, against the emulator.

#[cfg(all(unix, feature = "crash-points"))]
mod crash;
mod disasters;
mod documents;
mod scene;
mod together;
mod transcripts;
