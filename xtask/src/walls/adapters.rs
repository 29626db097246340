//! Adapters know `ports.rs` and never each other; only `wire.rs` knows more than one.
//!
//! A port is a trait of `ports.rs` and the module of its adapters. An adapter is a file there that
//! says `impl PORT for`; what its siblings share is no adapter, and may be used by all of them.

use super::House;
use super::source::{code, paths, without_tests, words};
use std::collections::{BTreeMap, BTreeSet};

/// The trait, and the module in which its adapters stand.
const PORTS: &[(&str, &str)] = &[
    ("Keystore", "keystore"),
    ("Sink", "sink"),
    ("Directory", "directory"),
    ("TokenEndpoint", "token_endpoint"),
    ("Journal", "journal"),
];

const LIBRARY: &str = "crates/rollkey/src/";
const COMMAND: &str = "crates/rollkey-cli/src/";

/// The one file that may know them all.
const WIRE: &str = "wire";

pub(super) fn strangers(house: &House) -> Vec<String> {
    let adapters = adapters(house);
    let mut breaches = Vec::new();
    for (path, text) in house.files.below(LIBRARY) {
        let here = module(path);
        let Some(port) = here.first().filter(|first| is_port(first)) else { continue };
        let own = here.get(1);
        if own.is_none() && !adapters.contains(&(port.clone(), String::new())) {
            continue; // The room in which adapters stand, and no adapter itself.
        }
        for used in named(text) {
            let Some(used) = absolute(&here, &used) else { continue };
            let Some(other) = used.first().filter(|first| is_port(first)) else { continue };
            let sibling = used.get(1).filter(|name| {
                adapters.contains(&(port.clone(), (*name).clone())) && Some(*name) != own
            });
            if other != port || sibling.is_some() {
                breaches.push(format!("{path} knows `crate::{}`", used.join("::")));
            }
        }
    }
    breaches.sort();
    breaches.dedup();
    breaches
}

pub(super) fn one_each(house: &House) -> Vec<String> {
    let adapters = adapters(house);
    let mut breaches = Vec::new();
    let both = house.files.below(LIBRARY).chain(house.files.below(COMMAND));
    for (path, text) in both {
        let here = module(path);
        if path.starts_with(COMMAND) && here.last().is_some_and(|name| name == WIRE) {
            continue;
        }
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for used in named(text) {
            for pair in used.windows(2).filter(|pair| is_port(&pair[0])) {
                if adapters.contains(&(pair[0].clone(), pair[1].clone())) {
                    known.entry(pair[0].clone()).or_default().insert(pair[1].clone());
                }
            }
        }
        for (port, names) in known.into_iter().filter(|(_, names)| names.len() > 1) {
            let names: Vec<_> = names.into_iter().collect();
            breaches.push(format!("{path} knows of `{port}`: {}", names.join(", ")));
        }
    }
    breaches
}

/// Port and name of every adapter; the name is empty where the port has but one, in its own file.
fn adapters(house: &House) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (path, text) in house.files.below(LIBRARY) {
        let here = module(path);
        let port = here.first().and_then(|first| PORTS.iter().find(|(_, room)| first == room));
        if let Some((name, room)) = port
            && implements(&without_tests(&code(text)), name)
        {
            found.insert(((*room).to_owned(), here.get(1).cloned().unwrap_or_default()));
        }
    }
    found
}

/// Whether the code says `impl PORT for`, with whatever generics.
fn implements(code: &str, port: &str) -> bool {
    let words: Vec<_> = words(code).collect();
    words.windows(2).enumerate().any(|(at, pair)| {
        pair == [port, "for"] && words[..at].iter().rev().take(6).any(|word| *word == "impl")
    })
}

fn is_port(module: &str) -> bool {
    PORTS.iter().any(|(_, room)| *room == module)
}

fn named(text: &str) -> Vec<Vec<String>> {
    paths(&without_tests(&code(text)))
}

/// The module of a file: `crates/rollkey/src/sink/exec.rs` is `sink`, `exec`.
fn module(path: &str) -> Vec<String> {
    let inner = path.split_once("/src/").map_or(path, |(_, inner)| inner);
    let mut names: Vec<_> =
        inner.trim_end_matches(".rs").split('/').map(ToOwned::to_owned).collect();
    if names.last().is_some_and(|name| matches!(name.as_str(), "mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

/// The path from the top of the crate; `None` if it leads elsewhere.
fn absolute(here: &[String], used: &[String]) -> Option<Vec<String>> {
    let up = used.iter().take_while(|name| *name == "super").count();
    match used.first()?.as_str() {
        "crate" => Some(used[1..].to_vec()),
        "self" => Some([here, &used[1..]].concat()),
        "super" => Some([&here[..here.len().saturating_sub(up)], &used[up..]].concat()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &[(&str, &str)] = &[
        ("crates/rollkey/src/sink.rs", "pub mod exec; pub mod folder; pub mod notify;"),
        ("crates/rollkey/src/sink/exec.rs", "use crate::ports;\nimpl Sink for Exec {}"),
        ("crates/rollkey/src/sink/folder.rs", "use super::notify;\nimpl ports::Sink for Folder {}"),
        ("crates/rollkey/src/sink/notify.rs", "use crate::ports::SinkError;"),
        ("crates/rollkey/src/journal/file.rs", "impl<'a> Journal for File<'a> {}"),
        ("crates/rollkey/src/directory.rs", "use crate::http;\nimpl Directory for Graph {}"),
        (
            "crates/rollkey-cli/src/wire.rs",
            "use rollkey::{directory, journal::file, sink::{exec, folder}};",
        ),
        ("crates/rollkey-cli/src/demo.rs", "use rollkey::{journal::file, sink::folder};"),
    ];

    fn broken(rule: fn(&House) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
        assert!(rule(&House::of_files(SOUND)).is_empty(), "{:?}", rule(&House::of_files(SOUND)));
        rule(&House::of_files(&[SOUND, &[(path, text)]].concat()))
    }

    #[test]
    fn an_adapter_that_knows_its_sibling_is_found() {
        let path = "crates/rollkey/src/sink/exec.rs";
        let expect = [format!("{path} knows `crate::sink::folder::Layout`")];
        let by_crate = "use crate::sink::folder::Layout;\nimpl Sink for Exec {}";
        assert_eq!(broken(strangers, path, by_crate), expect);
        let by_super = "impl Sink for Exec { fn a() { super::folder::Layout::new() } }";
        assert_eq!(broken(strangers, path, by_super).len(), 1);
        let in_tests =
            "impl Sink for Exec {}\n#[cfg(test)] mod tests { use super::super::folder; }";
        assert!(broken(strangers, path, in_tests).is_empty());
    }

    #[test]
    fn an_adapter_that_knows_another_port_s_is_found() {
        let text =
            "use crate::{journal::file::File, ports::Directory};\nimpl Directory for Graph {}";
        assert_eq!(
            broken(strangers, "crates/rollkey/src/directory.rs", text),
            ["crates/rollkey/src/directory.rs knows `crate::journal::file::File`"]
        );
    }

    #[test]
    fn what_adapters_share_may_not_know_them() {
        let text = "use super::exec::Exec;";
        assert_eq!(broken(strangers, "crates/rollkey/src/sink/notify.rs", text).len(), 1);
    }

    #[test]
    fn a_second_wire_is_found() {
        let text = "use rollkey::sink;\nfn f() { sink::exec::Exec::new(); sink::folder::F::new() }";
        assert_eq!(
            broken(one_each, "crates/rollkey-cli/src/commands/rotate.rs", text),
            ["crates/rollkey-cli/src/commands/rotate.rs knows of `sink`: exec, folder"]
        );
        let text = "use crate::sink::{exec::Exec, folder::Folder};";
        assert_eq!(broken(one_each, "crates/rollkey/src/rotation.rs", text).len(), 1);
    }
}
