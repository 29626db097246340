//! What a run of `cargo test` said: which tests passed, and how many did not.

use std::collections::BTreeSet;
use std::fmt;

/// The tests of one run, over all its programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
    /// Of those that passed.
    pub(crate) names: BTreeSet<String>,
}

impl Tally {
    /// Reads what the test programs printed.
    pub(crate) fn of(printed: &str) -> Self {
        let mut tally = Self::default();
        for line in printed.lines() {
            let line = line.trim();
            if let Some(counts) = line.strip_prefix("test result: ") {
                let count = |what: &str| {
                    let before = counts.split(what).next().filter(|b| b.len() < counts.len());
                    before.and_then(|b| b.split([' ', '.']).rfind(|w| !w.is_empty())?.parse().ok())
                };
                tally.passed += count(" passed").unwrap_or(0);
                tally.failed += count(" failed").unwrap_or(0);
                tally.ignored += count(" ignored").unwrap_or(0);
            } else if let Some(name) = line.strip_prefix("test ")
                && let Some(name) = name.strip_suffix(" ... ok")
            {
                tally.names.insert(name.to_owned());
            }
        }
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests = if self.passed == 1 { "test" } else { "tests" };
        write!(f, "{} {tests} passed", self.passed)?;
        if self.failed != 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.ignored != 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
running 3 tests
test decide::table ... ok
test docs::decision_table_is_fresh ... ok
test sim::every_history_with_n_faults ... ignored

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.60s

running 1 test
test src/lib.rs - (line 18) ... ok

test result: FAILED. 1 passed; 4 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.1s
";

    #[test]
    fn the_programs_of_a_run_are_added_up() {
        let tally = Tally::of(PRINTED);
        assert_eq!((tally.passed, tally.failed, tally.ignored), (3, 4, 1));
        assert!(tally.names.contains("docs::decision_table_is_fresh"));
        assert!(!tally.names.iter().any(|name| name.contains("n_faults")));
        assert_eq!(tally.to_string(), "3 tests passed, 4 failed, 1 ignored");
    }

    #[test]
    fn a_run_that_did_not_build_counts_nothing() {
        assert_eq!(Tally::of("error[E0308]: mismatched types"), Tally::default());
    }
}
