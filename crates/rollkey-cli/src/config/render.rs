//! A configuration as TOML, with the doc comments of its types as comments.

use super::{Application, Config};
use schemars::Schema;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Everything, defaults included, as it is in force.
pub(crate) fn render(config: &Config) -> String {
    let schema = Schemas::of_config();
    let mut out = String::new();
    let value = serde_json::to_value(config).unwrap_or_default();
    let root = schema.root();
    let applications = "applications";
    let plain = without(&value, applications);
    body(&schema, &root, &plain, &[applications], &mut out);
    for (name, application) in value[applications].as_object().into_iter().flatten() {
        table(&schema, &schema.named("Application"), application, name, &mut out);
    }
    out
}

/// What `config init` writes: one application, with all that may be said of it.
pub(crate) fn template(config: &Config) -> String {
    let mut out = String::from(
        "# The configuration of rollkey. What is commented out is optional; every other value\n\
         # is the default unless you changed it. `rollkey config check` reads it for you.\n\n",
    );
    out.push_str(&render(config));
    if config.applications.values().all(|a: &Application| a.sinks.is_empty()) {
        out.push_str(SINK_TEMPLATE);
    }
    out
}

const SINK_TEMPLATE: &str = "
# Where consumers read the key: as many of these as you need.
#
# [[applications.NAME.sinks]]
# type = \"folder\"
# name = \"web\"
# path = \"/etc/billing/tls\"
# formats = [\"bundle\"]
# notify = { command = [\"systemctl\", \"reload\", \"billing\"], timeout = \"1m\" }
";

fn table(schemas: &Schemas, schema: &Value, value: &Value, name: &str, out: &mut String) {
    let path = format!("applications.{}", key(name));
    _ = write!(out, "\n[{path}]\n");
    body(schemas, schema, &without(&without(value, "policy"), "sinks"), &["policy", "sinks"], out);
    let policy = schemas.named("PolicyConfig");
    out.push('\n');
    comment(&policy, out);
    _ = writeln!(out, "[{path}.policy]");
    body(schemas, &policy, &value["policy"], &[], out);
    for sink in value["sinks"].as_array().into_iter().flatten() {
        let schema = schemas.sink(sink["type"].as_str().unwrap_or_default());
        out.push('\n');
        comment(&schema, out);
        _ = writeln!(out, "[[{path}.sinks]]\ntype = {}", sink["type"]);
        body(schemas, &schema, &without(sink, "type"), &["type"], out);
    }
}

/// The keys of one table, in the order of its type. What has no value is shown commented out.
fn body(schemas: &Schemas, schema: &Value, value: &Value, skip: &[&str], out: &mut String) {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    for (n, (name, property)) in
        properties.iter().filter(|(name, _)| !skip.contains(&name.as_str())).enumerate()
    {
        if n != 0 {
            out.push('\n');
        }
        comment(property, out);
        match value.get(name) {
            Some(Value::Null) | None => {
                let example = schemas.example(property);
                _ = writeln!(out, "# {name} = {}", inline(&example));
            }
            Some(value) => _ = writeln!(out, "{name} = {}", inline(value)),
        }
    }
}

fn comment(schema: &Value, out: &mut String) {
    for line in schema["description"].as_str().unwrap_or_default().lines() {
        _ = writeln!(out, "{}", format!("# {line}").trim_end());
    }
}

/// A value on one line, in TOML.
pub(super) fn inline(value: &Value) -> String {
    match toml::Value::try_from(value) {
        Ok(value) => value.to_string(),
        Err(_) => "\"\"".to_owned(),
    }
}

/// A name as a key of TOML, quoted only where it must be.
fn key(name: &str) -> String {
    match name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        true => name.to_owned(),
        false => format!("\"{name}\""),
    }
}

fn without(value: &Value, name: &str) -> Value {
    let mut object: Map<String, Value> = value.as_object().cloned().unwrap_or_default();
    object.shift_remove(name);
    Value::Object(object)
}

/// The schema of the configuration, made from its types.
pub(super) struct Schemas(Value);

impl Schemas {
    pub(super) fn of_config() -> Self {
        let schema: Schema = schemars::schema_for!(Config);
        Self(schema.to_value())
    }

    pub(super) fn root(&self) -> Value {
        self.0.clone()
    }

    pub(super) fn named(&self, name: &str) -> Value {
        self.0["$defs"][name].clone()
    }

    /// Follows a reference; what is said beside it goes before what it points to.
    pub(super) fn resolve(&self, schema: &Value) -> Value {
        let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) else {
            return schema.clone();
        };
        let mut object = self.named(name).as_object().cloned().unwrap_or_default();
        for (key, value) in schema.as_object().into_iter().flatten() {
            if key != "$ref" {
                object.insert(key.clone(), value.clone());
            }
        }
        Value::Object(object)
    }

    /// The type of the sinks that call themselves this.
    pub(super) fn sink(&self, kind: &str) -> Value {
        let variants = self.named("SinkConfig")["oneOf"].as_array().cloned().unwrap_or_default();
        let found = variants.iter().find(|v| v["properties"]["type"]["const"] == kind);
        found.map(|variant| self.resolve(variant)).unwrap_or_default()
    }

    /// A value to show where there is none.
    pub(super) fn example(&self, property: &Value) -> Value {
        if let Some(example) = property["examples"].get(0) {
            return example.clone();
        }
        let optional = property["anyOf"].as_array().and_then(|of| of.first()).cloned();
        let schema = self.resolve(&optional.unwrap_or_else(|| property.clone()));
        match schema["properties"].as_object() {
            Some(properties) => Value::Object(
                properties.iter().map(|(name, p)| (name.clone(), self.example(p))).collect(),
            ),
            None => match schema["default"].clone() {
                Value::Null if schema["type"] == "array" => Value::Array(Vec::new()),
                Value::Null => Value::String(String::new()),
                default => default,
            },
        }
    }
}
