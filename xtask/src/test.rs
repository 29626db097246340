//! `test`: the command of the README. All tests, then whatever needs a set-up, which it does
//! itself, and at the end what came of each.
//!
//! A part that cannot be run here is NOT RUN, and says why. It never counts as passed.

mod python;
mod tally;

pub(crate) use tally::Tally;

use crate::docs;
use crate::steps::{Failure, answers, cargo, no_arguments, program, run_and_keep};
use crate::walls;
use std::process::Command;
use std::time::Instant;

/// One row of the summary. To add a part, add a row to [`PARTS`].
struct Part {
    name: &'static str,
    run: fn(&mut Findings) -> Verdict,
}

const PARTS: &[Part] = &[
    Part { name: "tests of the workspace", run: workspace },
    Part { name: "crash tests of the binary", run: crashes },
    Part { name: "files shared with openssl", run: openssl },
    Part { name: "files shared with python", run: python },
    Part { name: "files shared with java", run: java },
    Part { name: "generated documents", run: documents },
    Part { name: "walls", run: walls },
];

/// What came of a part.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Passed(String),
    Failed(String),
    NotRun(String),
}

/// What earlier parts found out.
#[derive(Default)]
struct Findings {
    workspace: Tally,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    let mut findings = Findings::default();
    let mut rows = Vec::new();
    for part in PARTS {
        eprintln!("\n== {} ==", part.name);
        let began = Instant::now();
        let verdict = (part.run)(&mut findings);
        rows.push((part.name, verdict, began.elapsed().as_secs()));
    }
    let (table, failed) = summary(&rows);
    print!("\n{table}");
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Failed("not every part passed".into())),
    }
}

fn workspace(findings: &mut Findings) -> Verdict {
    // Documentation tests are part of this.
    let tests = cargo_test(cargo(&["test", "--workspace", "--no-fail-fast"]));
    tests.map_or_else(Verdict::Failed, |(tally, verdict)| {
        findings.workspace = tally;
        verdict
    })
}

/// The real binary, killed at each point between two effects, and on a clock that a test moves.
/// Points and clock exist only under a feature, so this is another build of the command.
fn crashes(_: &mut Findings) -> Verdict {
    if !cfg!(unix) {
        return Verdict::NotRun("a process is killed by SIGKILL, which is Unix".into());
    }
    #[rustfmt::skip]
    let command = cargo(&[
        "test", "--package", "rollkey-cli", "--features", "crash-points", "--test", "it", "--",
        "--nocapture", "crash", "clock", "secrets::", "json::",
    ]);
    cargo_test(command).map_or_else(Verdict::Failed, |(_, verdict)| verdict)
}

fn openssl(_: &mut Findings) -> Verdict {
    interop("openssl", || match answers(program("openssl", &["version"])) {
        true => Ok(("OPENSSL", "openssl".into())),
        false => Err("no `openssl` on this machine".into()),
    })
}

fn python(_: &mut Findings) -> Verdict {
    interop("python", || python::with_cryptography().map(|python| ("PYTHON", python)))
}

fn java(_: &mut Findings) -> Verdict {
    interop("java", || match answers(program("keytool", &["-help"])) {
        true => Ok(("KEYTOOL", "keytool".into())),
        false => Err("no `keytool` on this machine".into()),
    })
}

/// Tests that need a foreign program stand in modules `interop::NAME`, and are ignored where
/// nobody has found that program for them.
fn interop(name: &str, set_up: impl FnOnce() -> Result<(&'static str, String), String>) -> Verdict {
    let filter = format!("interop::{name}");
    let ignored = ["test", "--workspace", "--test", "it", "--"];
    let mut list = cargo(&ignored);
    list.args(["--ignored", "--list", &filter]);
    match crate::steps::output(list) {
        Err(failure) => return Verdict::Failed(failure.message().into()),
        Ok(listed) if !listed.contains(": test") => {
            return Verdict::NotRun(format!("no test stands in a module `{filter}`"));
        }
        Ok(_) => (),
    }
    let (variable, found) = match set_up() {
        Ok(found) => found,
        Err(why) => return Verdict::NotRun(why),
    };
    let mut command = cargo(&ignored);
    command.args(["--ignored", &filter]).env(variable, found);
    cargo_test(command).map_or_else(Verdict::Failed, |(_, verdict)| verdict)
}

/// Each generated document is guarded by a test, which has run with the others.
fn documents(findings: &mut Findings) -> Verdict {
    let names = &findings.workspace.names;
    let there = |document: &str| crate::steps::root().join(document).exists();
    let guarded = |test: &str| names.iter().any(|name| name.contains(test));
    let mut fresh = Vec::new();
    for docs::Generated { document, test } in docs::GENERATED {
        match (there(document), guarded(test)) {
            (true, true) => fresh.push(*document),
            (true, false) => {
                return Verdict::Failed(format!("{document}: no test `{test}` has passed"));
            }
            (false, true) => return Verdict::Failed(format!("{document} is missing")),
            (false, false) => eprintln!("{document}: not there yet, nor its test `{test}`"),
        }
    }
    match fresh.len() {
        0 => Verdict::NotRun("none is there yet".into()),
        n if n == docs::GENERATED.len() => Verdict::Passed(format!("all {n} are fresh")),
        n => Verdict::Passed(format!("{n} of {} are there and fresh", docs::GENERATED.len())),
    }
}

fn walls(_: &mut Findings) -> Verdict {
    match walls::run(&[]) {
        Ok(()) => Verdict::Passed("every rule holds".into()),
        Err(failure) => Verdict::Failed(failure.message().into()),
    }
}

/// Runs tests and counts them. That none has run is not a success.
fn cargo_test(command: Command) -> Result<(Tally, Verdict), String> {
    let (printed, succeeded) =
        run_and_keep(command).map_err(|failure| failure.message().to_owned())?;
    let tally = Tally::of(&printed);
    let verdict = match succeeded {
        false if tally.failed == 0 => Verdict::Failed("it did not build, or was killed".into()),
        false => Verdict::Failed(tally.to_string()),
        true if tally.passed == 0 => Verdict::NotRun("there is no such test yet".into()),
        true => Verdict::Passed(tally.to_string()),
    };
    Ok((tally, verdict))
}

/// The table, and how many parts failed. Its last line is for machines.
fn summary(rows: &[(&str, Verdict, u64)]) -> (String, usize) {
    let mut table = String::new();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, verdict, seconds) in rows {
        let (count, word, why) = match verdict {
            Verdict::Passed(how) => (&mut passed, "passed", how),
            Verdict::Failed(why) => (&mut failed, "FAILED", why),
            Verdict::NotRun(why) => (&mut skipped, "NOT RUN", why),
        };
        *count += 1;
        table += &format!("{name:26} {word:8} {seconds:4} s  {why}\n");
    }
    table += &format!("\nparts: {passed} passed, {failed} failed, {skipped} skipped\n");
    (table, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_was_not_run_is_shown_with_its_reason_and_never_counted_as_passed() {
        let rows = [
            ("one", Verdict::Passed("3 tests".into()), 1),
            ("two", Verdict::NotRun("no `openssl` on this machine".into()), 0),
            ("three", Verdict::Failed("1 of 4 tests failed".into()), 12),
        ];
        let (table, failed) = summary(&rows);
        assert_eq!(failed, 1);
        assert!(
            table.contains("two                        NOT RUN     0 s  no `openssl`"),
            "{table}"
        );
        assert_eq!(table.lines().last(), Some("parts: 1 passed, 1 failed, 1 skipped"));
    }
}
