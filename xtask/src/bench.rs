//! `bench`: measures, and writes `docs/performance.md` with the machine and the command.
//!
//! A benchmark is a `[[bench]]` with `harness = false`. What it has measured it prints as lines
//! `measured: WHAT | VALUE | GOAL` (the goal may be empty); whatever else it prints is for people
//! who watch. Whether a goal was met is the benchmark's to say, in the third cell.

use crate::steps::{Failure, cargo, no_arguments, output, program, root, run_and_keep};

/// One benchmark. To add one, add a row to [`BENCHES`].
struct Bench {
    package: &'static str,
    /// Name of the `[[bench]]`.
    target: &'static str,
    /// Heads its table: what is measured, and against what.
    says: &'static str,
    /// What is to be said below it, if anything.
    note: &'static str,
}

const BENCHES: &[Bench] = &[
    Bench {
        package: "rollkey",
        target: "proof",
        says: "Proofs of possession, against bare signatures of the same library",
        note: "",
    },
    Bench {
        package: "rollkey-cli",
        target: "cold_start",
        says: "Cold start: from nothing to a proof on standard output",
        note: "The least program neither parses a command line nor looks at the certificate. Of what\n\
               the command takes beyond it, about half is spent before the file is opened: on the\n\
               relocations and page faults of a larger program, and on its command line. Reading and\n\
               checking the certificate takes another 0.15 ms.",
    },
    Bench {
        package: "rollkey",
        target: "rotation",
        says: "A whole rotation, beside the key that it makes",
        note: "The difference between files on a disk and in memory is the system's work of flushing\n\
               them: each note of the journal and each change of the keystore and of a sink is on the\n\
               disk before the next step is taken. Shares are of processor time; the time that answers\n\
               travel, which only makes them smaller, is left out.",
    },
    Bench { package: "rollkey-cli", target: "memory", says: "Memory at rest", note: "" },
    Bench { package: "rollkey", target: "pfx", says: "Reading PFX files", note: "" },
    Bench { package: "rollkey", target: "decide", says: "The decision", note: "" },
];

/// What the page begins with.
const HEAD: &str = "\
# Performance

Written by `cargo xtask bench`. Measured, so not guarded by a test: run it again on the machine
that matters to you. A goal is what this project holds itself to; the last column says whether it
was met in this run.

How it is measured: alternatives take turns, round by round, and what is told are medians, or means
where that is said (making an RSA key takes a time that is exponentially distributed, of which the
mean is what a fleet pays). Ratios are taken within each round, so they bear a busy machine better
than times do.

";

/// What a line of results begins with.
const MARK: &str = "measured:";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    let mut page = format!("{HEAD}{}", machine());
    for Bench { package, target, says, note } in BENCHES {
        let words = ["bench", "--package", package, "--bench", target];
        let (printed, succeeded) = run_and_keep(cargo(&words))?;
        if !succeeded {
            return Err(Failure::Failed(format!("the benchmark `{target}` failed")));
        }
        page += &section(says, &format!("cargo {}", words.join(" ")), &printed)
            .ok_or_else(|| Failure::Failed(format!("`{target}` measured nothing")))?;
        if !note.is_empty() {
            page += &format!("\n{note}\n");
        }
    }
    let path = root().join("docs/performance.md");
    std::fs::write(&path, page)
        .map_err(|error| Failure::Failed(format!("could not write {}: {error}", path.display())))
}

/// A heading, the command, and a table of the lines that are results; `None` if there are none.
fn section(says: &str, command: &str, printed: &str) -> Option<String> {
    let mut rows = String::new();
    for line in printed.lines().filter_map(|line| line.strip_prefix(MARK)) {
        let cells: Vec<_> = line.split('|').map(str::trim).chain(["", ""]).take(3).collect();
        rows += &format!("| {} |\n", cells.join(" | "));
    }
    (!rows.is_empty()).then(|| {
        format!(
            "\n## {says}\n\n`{command}`\n\n| what | measured | goal |\n| --- | --- | --- |\n{rows}"
        )
    })
}

/// What must be said of a processor that signs so fast.
const IFMA: &str = ", with AVX512-IFMA\n  \
    (AWS-LC signs about twice as fast with it: on a processor without it, halve what is said here of\n  \
    signatures and proofs per second; ratios stay as they are)";

/// What it was measured on, as a list.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let cpu = field("model name").unwrap_or(std::env::consts::ARCH);
    let ifma = field("flags").is_some_and(|flags| flags.split(' ').any(|f| f == "avx512ifma"));
    let ifma = if ifma { IFMA } else { "" };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let said = |command| output(command).map_or("unknown".into(), |text| text.trim().to_owned());
    let rustc = said(program("rustc", &["--version"]));
    let commit = match root().join(".git").exists() {
        true => said(program("git", &["describe", "--always", "--dirty"])),
        false => "unknown".into(),
    };
    format!(
        "* Processor: {cpu}, {cores} logical cores{ifma}\n* System: {} {}\n* Compiler: {rustc}\n\
         * Commit: {commit}\n",
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_become_a_table_and_chatter_does_not() {
        let printed = "warming up\nmeasured: proofs per second | 2,310 | at least 2,264\n\
                       measured: memory at rest | 9 MB |\n";
        let section = section("Proofs", "cargo bench", printed).unwrap();
        assert!(section.contains("| proofs per second | 2,310 | at least 2,264 |\n"));
        assert!(section.contains("| memory at rest | 9 MB |  |\n"));
        assert!(!section.contains("warming"));
    }

    #[test]
    fn a_benchmark_that_measured_nothing_is_no_section() {
        assert_eq!(super::section("Proofs", "cargo bench", "warming up\n"), None);
    }
}
