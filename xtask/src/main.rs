//! The verbs of the house: everything that is done with the code, one word each.
//!
//! `cargo xtask` alone lists them. A verb is a file, and a row of [`VERBS`]. Plain Rust, so that a
//! new machine needs nothing but the toolchain; what a verb needs beyond that it says, or fetches.

mod bench;
mod check;
mod ci;
mod deny;
mod docs;
mod mutants;
mod sim;
mod steps;
mod test;
mod walls;

use std::process::ExitCode;
use steps::Failure;

/// A word that may follow `cargo xtask`.
struct Verb {
    name: &'static str,
    /// What may follow it.
    arguments: &'static str,
    says: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

#[rustfmt::skip]
const VERBS: &[Verb] = &[
    Verb { name: "test",    arguments: "",       says: "all tests, and whatever needs a set-up, with a summary", run: test::run },
    Verb { name: "check",   arguments: "",       says: "formatting, lints and documentation, warnings denied",   run: check::run },
    Verb { name: "walls",   arguments: "",       says: "who may know whom: proves the rules of the house",       run: walls::run },
    Verb { name: "sim",     arguments: "N",      says: "walks every history of a rotation with N faults",        run: sim::run },
    Verb { name: "mutants", arguments: "[ARG…]", says: "plants mistakes in the core; the tests must notice",     run: mutants::run },
    Verb { name: "docs",    arguments: "",       says: "rewrites the documents that are generated",              run: docs::run },
    Verb { name: "bench",   arguments: "",       says: "measures, and writes docs/performance.md",               run: bench::run },
    Verb { name: "deny",    arguments: "",       says: "licences, banned crates, sources, advisories",           run: deny::run },
    Verb { name: "ci",      arguments: "",       says: "what .ci/run does",                                      run: ci::run },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, arguments)) = words.split_first() else {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        eprint!("error: no verb `{name}`\n\n{}", usage());
        return ExitCode::from(2);
    };
    match (verb.run)(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(why)) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
        Err(Failure::Usage(why)) => {
            eprintln!("error: {why}\nusage: cargo xtask {} {}", verb.name, verb.arguments);
            ExitCode::from(2)
        }
    }
}

fn usage() -> String {
    let mut text = "usage: cargo xtask VERB\n\n".to_owned();
    for Verb { name, arguments, says, .. } in VERBS {
        text += &format!("  {:16} {says}\n", format!("{name} {arguments}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_listed_once_with_one_line() {
        for verb in VERBS {
            let lines = usage().lines().filter(|l| l.trim().starts_with(verb.name)).count();
            assert_eq!(lines, 1, "{}", verb.name);
        }
    }
}
