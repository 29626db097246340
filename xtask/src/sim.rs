//! `sim N`: walks every history of a rotation with N faults.
//!
//! The simulation is a test of the core that is ignored for its length alone. It is built with
//! optimisation, which costs seconds: the core and its tests are small.

use crate::steps::{Failure, cargo, run_and_keep};
use crate::test::Tally;

/// The test in `crates/rollkey-core/tests/it` that reads the number of faults from `FAULTS`.
const TEST: &str = "every_history_with_n_faults";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let faults = parse(arguments)?;
    #[rustfmt::skip]
    let mut command = cargo(&[
        "test", "--release", "--package", "rollkey-core", "--test", "it", "--",
        "--ignored", "--nocapture", TEST,
    ]);
    command.env("FAULTS", faults.to_string());
    let (printed, succeeded) = run_and_keep(command)?;
    match (succeeded, Tally::of(&printed).passed) {
        (false, _) => Err(Failure::Failed(format!("a history with {faults} faults went wrong"))),
        (true, 0) => Err(Failure::Failed(format!("the core has no test `{TEST}`: none was run"))),
        (true, _) => Ok(()),
    }
}

fn parse(arguments: &[String]) -> Result<u8, Failure> {
    let [faults] = arguments else {
        return Err(Failure::Usage("how many faults?".into()));
    };
    faults.parse().map_err(|_| Failure::Usage(format!("`{faults}` is not a number of faults")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_faults_is_asked_for() {
        assert_eq!(parse(&["3".into()]), Ok(3));
        assert!(matches!(parse(&[]), Err(Failure::Usage(_))));
        assert!(matches!(parse(&["many".into()]), Err(Failure::Usage(_))));
        assert!(matches!(parse(&["3".into(), "4".into()]), Err(Failure::Usage(_))));
    }
}
