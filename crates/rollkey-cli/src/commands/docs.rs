//! `rollkey docs`, hidden: documents that are made from the code.

use crate::args::{Arguments, Document};
use crate::error::CommandError;
use crate::output::Output;
use crate::{config, report};
use clap::CommandFactory as _;
use serde_json::Value;
use std::fmt::Write as _;
use std::process::ExitCode;

pub(crate) fn run(document: Document, output: &Output) -> Result<ExitCode, CommandError> {
    let text = match document {
        Document::Cli => cli(),
        Document::Config => config::markdown(),
        Document::Protocol => rollkey_emulator::rules::markdown(),
    };
    output.raw(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn cli() -> String {
    let mut out = String::from(
        "# The command line\n\n\
         <!-- Made from the code by `cargo xtask docs`; edit crates/rollkey-cli/src/args.rs and report.rs. -->\n\n\
         | exit code | means |\n| --- | --- |\n\
         | 0 | done, or nothing to do now: waiting is no error |\n\
         | 1 | it did not work this time; running it again may |\n\
         | 2 | the command line makes no sense |\n\
         | 3 | the configuration makes no sense |\n\
         | 4 | no step of ours can help: a person must act |\n\n\
         Answers go to standard output; errors (what failed, `cause:`, `hint:`), warnings and\n\
         progress to standard error. A token that is printed stands there alone.\n",
    );
    let mut root = Arguments::command();
    root.build();
    let mut stack = vec![root];
    let mut commands = Vec::new();
    while let Some(command) = stack.pop() {
        let mut below: Vec<_> =
            command.get_subcommands().filter(|c| !c.is_hide_set()).cloned().collect();
        below.retain(|c| c.get_name() != "help");
        below.reverse();
        commands.push(command);
        stack.extend(below);
    }
    for command in &mut commands {
        let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
        let help = command.clone().term_width(96).render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        _ = write!(out, "\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    }
    out.push_str("\n## `--json`\n\nOne document per line. Fields are only ever added.\n`config show` prints the configuration itself: docs/config.md.\n");
    for (title, schema) in [
        ("`rotate`: a step that was taken", schemars::schema_for!(report::StepTaken)),
        ("`rotate`: what is next (last line)", schemars::schema_for!(report::Next)),
        ("`status`: one line per application", schemars::schema_for!(report::Status)),
        ("`import`", schemars::schema_for!(report::ImportReport)),
        ("`config check`, `config init`", schemars::schema_for!(report::ConfigReport)),
        ("`emulator`", schemars::schema_for!(report::EmulatorReport)),
        ("any command that does not succeed", schemars::schema_for!(report::Failure)),
    ] {
        _ = write!(out, "\n### {title}\n\n");
        let schema = schema.to_value();
        fields(&schema, &schema, "", &mut out);
    }
    out
}

fn fields(root: &Value, schema: &Value, indent: &str, out: &mut String) {
    let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let optional = if required.iter().any(|r| *r == name) { "" } else { " (may be absent)" };
        let text = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        _ = writeln!(out, "{indent}- `{name}`{optional}: {text}");
        let items = &property["items"];
        let reference = [&items["$ref"], &property["$ref"]].into_iter().find_map(Value::as_str);
        if let Some(name) = reference.and_then(|r| r.strip_prefix("#/$defs/")) {
            fields(root, &root["$defs"][name], &format!("{indent}  "), out);
        }
    }
}
