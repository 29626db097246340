//! Every line of `--json` is a document, and its fields are those that are documented.

use crate::scene::{NAME, Ran, Scene, printed};
use serde_json::Value;
use std::collections::BTreeSet;

/// The field names that `docs/cli.md` has.
fn documented() -> BTreeSet<String> {
    let text = printed(&["docs", "cli"]);
    let (_, fields) = text.split_once("## `--json`").expect("the section");
    let lines = fields.lines().filter_map(|line| line.trim_start().strip_prefix("- `"));
    lines.filter_map(|line| line.split_once('`')).map(|(name, _)| name.to_owned()).collect()
}

fn names(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                into.insert(name.clone());
                names(value, into);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, into)),
        _ => (),
    }
}

#[test]
fn every_line_of_json_parses_and_has_documented_names_only() {
    let scene = Scene::new();
    let documented = documented();
    let mut used = BTreeSet::new();
    let mut said = |args: &[&str]| -> Ran {
        let ran = scene.run(&[args, &["--json"]].concat());
        let documents = ran.json();
        assert!(!documents.is_empty(), "{args:?} says nothing");
        for document in &documents {
            assert!(document.is_object(), "{document}");
            names(document, &mut used);
        }
        ran
    };
    said(&["rotate", NAME]).failed(4, &[]);
    said(&["config", "check"]).succeeded();
    said(&["config", "init", "--config", "other.toml"]).succeeded();
    said(&["import", NAME, "billing.pfx", "--password-file", "billing.pfx-password"]).succeeded();
    said(&["import", NAME, "nothing"]).failed(1, &[]);
    said(&["rotate", "nobody"]).failed(3, &[]);
    said(&["rotate"]).failed(2, &[]);
    said(&["rotat"]).failed(2, &[]);
    said(&["rotate", NAME, "--dry-run"]).succeeded();
    scene.emulator.next(rollkey_emulator::Operation::Token).answers(400, "invalid_grant");
    said(&["rotate", NAME]);
    said(&["rotate", NAME]).succeeded();
    said(&["status"]).succeeded();
    if cfg!(feature = "crash-points") {
        scene.write("tls", "in the way");
        scene.advance(3600);
        said(&["rotate", NAME]).failed(1, &[]);
        said(&["status"]);
        std::fs::remove_file(scene.path("tls")).expect("it is moved away");
        scene.advance(60);
        said(&["rotate", NAME]).succeeded();
        said(&["status"]).succeeded();
    }
    let unknown: Vec<_> = used.difference(&documented).collect();
    assert!(unknown.is_empty(), "docs/cli.md does not have {unknown:?}");
}

#[test]
fn config_show_prints_itself_as_json() {
    let scene = Scene::new();
    let shown = scene.run(&["config", "show", "--json"]).succeeded().json();
    assert_eq!(shown[0]["applications"][NAME]["app-id"], scene.application.app_id());
    assert_eq!(shown[0]["applications"][NAME]["policy"]["settle"], "30m");
}
