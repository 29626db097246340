//! `mutants`: plants mistakes in the core, one at a time; a test must notice each.
//!
//! A mutant that survives is a missing row of the decision table, or a line that says nothing.
//! What follows the verb goes to `cargo mutants`: `cargo xtask mutants --list`.

use crate::steps::{self, Failure, answers, cargo};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if !answers(cargo(&["mutants", "--version"])) {
        return Err(Failure::Failed(
            "cargo-mutants is not installed: `cargo install --locked cargo-mutants`".into(),
        ));
    }
    let mut command = cargo(&["mutants", "--package", "rollkey-core"]);
    command.args(arguments);
    steps::run(command)
}
