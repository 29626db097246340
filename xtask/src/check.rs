//! `check`: formatting, lints and documentation, every warning denied.

use crate::steps::{self, Failure, cargo, no_arguments};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    steps::run(cargo(&["fmt", "--all", "--check"]))?;
    steps::run(cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    steps::run(doc)
}
