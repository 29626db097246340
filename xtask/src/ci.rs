//! `ci`: what is run on every change before it is merged. The list stands in `.ci/run`, once.

use crate::steps::{self, Failure, no_arguments, program};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    steps::run(program("bash", &[".ci/run"]))
}
