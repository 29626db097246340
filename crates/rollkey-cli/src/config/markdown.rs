//! `docs/config.md`, made from the types.

use super::render::{Schemas, inline};
use serde_json::Value;
use std::fmt::Write as _;

/// The whole document.
pub(crate) fn markdown() -> String {
    let schemas = Schemas::of_config();
    let mut out = String::from(
        "# `rollkey.toml`\n\n\
         <!-- Made from the code by `cargo xtask docs`; edit crates/rollkey-cli/src/config.rs. -->\n\n\
         Read from `--config FILE`, `ROLLKEY_CONFIG`, `rollkey.toml` or `/etc/rollkey/rollkey.toml`,\n\
         the first that there is. `rollkey config init` writes one with comments, `rollkey config\n\
         check` judges it, `rollkey config show` prints it with every default. A key that is not\n\
         listed here is refused.\n",
    );
    let sections = [
        ("Top level", schemas.root()),
        ("`[applications.NAME]`", schemas.named("Application")),
        ("`[applications.NAME.policy]`", schemas.named("PolicyConfig")),
        ("`[[applications.NAME.sinks]]` with `type = \"folder\"`", schemas.sink("folder")),
        ("`[[applications.NAME.sinks]]` with `type = \"exec\"`", schemas.sink("exec")),
        ("`notify`", schemas.named("CommandConfig")),
    ];
    for (title, schema) in sections {
        _ = write!(out, "\n## {title}\n\n");
        section(&schemas, &schema, &mut out);
    }
    out
}

fn section(schemas: &Schemas, schema: &Value, out: &mut String) {
    if let Some(text) = schema["description"].as_str() {
        _ = write!(out, "{text}\n\n");
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if name == "type" || matches!(name.as_str(), "applications" | "policy" | "sinks") {
            continue;
        }
        let default = match (&property["default"], required.contains(&name.as_str())) {
            (_, true) => "required".to_owned(),
            (Value::Null, _) => format!("optional, e.g. `{}`", inline(&schemas.example(property))),
            (default, _) => format!("default `{}`", inline(default)),
        };
        let text = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        _ = writeln!(out, "- **`{name}`** ({default}): {text}");
    }
}
