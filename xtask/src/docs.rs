//! `docs`: rewrites the documents that are generated from code.
//!
//! Each is the business of a test, which compares what stands in the file with what the code says,
//! and with `UPDATE_DOCS` set writes it instead. `docs/performance.md` is not among them: it is
//! measured, by `cargo xtask bench`.

use crate::steps::{Failure, cargo, no_arguments, root, run_and_keep};
use crate::test::Tally;

/// A document, and the test that guards it.
pub(crate) struct Generated {
    pub(crate) document: &'static str,
    /// A part of the test's name that no other test's name has.
    pub(crate) test: &'static str,
}

#[rustfmt::skip]
pub(crate) const GENERATED: &[Generated] = &[
    Generated { document: "docs/decision-table.md", test: "decision_table_document" },
    Generated { document: "docs/protocol.md",       test: "protocol_document" },
    Generated { document: "docs/config.md",         test: "config_document" },
    Generated { document: "docs/cli.md",            test: "cli_document" },
];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    let mut command = cargo(&["test", "--workspace", "--test", "it", "--"]);
    command.args(GENERATED.iter().map(|generated| generated.test)).env("UPDATE_DOCS", "1");
    let (printed, succeeded) = run_and_keep(command)?;
    if !succeeded {
        return Err(Failure::Failed("a document could not be written".into()));
    }
    let names = Tally::of(&printed).names;
    println!();
    for Generated { document, test } in GENERATED {
        let written = names.iter().any(|name| name.contains(test));
        let state = match (written, root().join(document).exists()) {
            (true, true) => "written".to_owned(),
            (true, false) => {
                return Err(Failure::Failed(format!("`{test}` passed without {document}")));
            }
            (false, _) => format!("NOT WRITTEN: there is no test `{test}`"),
        };
        println!("{document:24} {state}");
    }
    Ok(())
}
