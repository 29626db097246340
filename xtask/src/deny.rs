//! `deny`: what `deny.toml` says of licences, banned crates, sources and advisories.
//!
//! The advisories are kept in a repository of their own. Where it cannot be reached they are not
//! looked at, and that is said; the public pipeline always can.

use crate::steps::{self, Failure, answers, cargo, no_arguments};
use std::process::Stdio;

/// What cargo-deny writes when its database is out of reach.
const OUT_OF_REACH: [&str; 3] =
    ["failed to fetch advisory database", "failed to clone", "failed to prepare fetch"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    if !answers(cargo(&["deny", "--version"])) {
        return Err(Failure::Failed(
            "cargo-deny is not installed: `cargo install --locked cargo-deny`".into(),
        ));
    }
    steps::run(cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"]))?;
    advisories()
}

fn advisories() -> Result<(), Failure> {
    let mut command = cargo(&["deny", "--all-features", "check", "advisories"]);
    eprintln!("$ cargo deny --all-features check advisories");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::Failed(format!("cargo deny did not start: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        eprint!("{said}");
        return Ok(());
    }
    if OUT_OF_REACH.iter().any(|sign| said.contains(sign)) {
        eprintln!("NOT RUN: advisories, because their database cannot be reached from here");
        return Ok(());
    }
    eprint!("{said}");
    Err(Failure::Failed("an advisory concerns us".into()))
}
