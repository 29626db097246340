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

/// Each adapter by its port and every name that it goes by: its module, and its type. The module
/// is empty where a port has one adapter, in the port's own file.
struct Adapters(BTreeMap<(String, String), String>);

pub(super) fn strangers(house: &House) -> Vec<String> {
    let adapters = Adapters::find(house);
    let mut breaches = Vec::new();
    for (path, text) in house.files.below(LIBRARY) {
        let here = module(path);
        let Some(port) = here.first().filter(|first| is_port(first)) else { continue };
        let own = match (here.get(1), adapters.get(port, "")) {
            // Where the port's file is its one adapter, what stands below is a part of it.
            (_, Some(only)) => only,
            (Some(own), None) => own,
            (None, None) => continue, // The room in which adapters stand, and no adapter itself.
        };
        for used in named(text) {
            let Some(used) = absolute(&here, &used) else { continue };
            let Some(other) = used.first().filter(|first| is_port(first)) else { continue };
            let sibling = used.get(1).and_then(|name| adapters.get(port, name));
            if other != port || sibling.is_some_and(|sibling| sibling != own) {
                breaches.push(format!("{path} knows `crate::{}`", used.join("::")));
            }
        }
    }
    breaches.sort();
    breaches.dedup();
    breaches
}

pub(super) fn one_each(house: &House) -> Vec<String> {
    let adapters = Adapters::find(house);
    let mut breaches = Vec::new();
    let both = house.files.below(LIBRARY).chain(house.files.below(COMMAND));
    for (path, text) in both {
        let here = module(path);
        let wire = path.starts_with(COMMAND) && here == [WIRE];
        // The room of a port opens the doors of its adapters, and so must name them.
        let room = path.starts_with(LIBRARY) && here.len() == 1 && is_port(&here[0]);
        if wire || room {
            continue;
        }
        let mut known: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for used in named(text) {
            for pair in used.windows(2).filter(|pair| is_port(&pair[0])) {
                if let Some(adapter) = adapters.get(&pair[0], &pair[1]) {
                    known.entry(pair[0].clone()).or_default().insert(adapter);
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

impl Adapters {
    fn find(house: &House) -> Self {
        let mut found = BTreeMap::new();
        for (path, text) in house.files.below(LIBRARY) {
            let here = module(path);
            let port = here.first().and_then(|first| PORTS.iter().find(|(_, room)| first == room));
            let Some((name, room)) = port else { continue };
            let module = here.get(1).cloned().unwrap_or_default();
            for implementer in implementers(&without_tests(&code(text)), name) {
                found.insert(((*room).to_owned(), implementer), module.clone());
                found.insert(((*room).to_owned(), module.clone()), module.clone());
            }
        }
        Self(found)
    }

    /// The adapter that goes by this name.
    fn get(&self, port: &str, name: &str) -> Option<&str> {
        self.0.get(&(port.to_owned(), name.to_owned())).map(String::as_str)
    }
}

/// The types of which the code says `impl PORT for`, with whatever generics.
fn implementers(code: &str, port: &str) -> Vec<String> {
    let words: Vec<_> = words(code).collect();
    let says_impl = |at: usize| words[..at].iter().rev().take(6).any(|word| *word == "impl");
    let types = words
        .windows(3)
        .enumerate()
        .filter(|(at, three)| three[..2] == [port, "for"] && says_impl(*at));
    types.map(|(_, three)| three[2].to_owned()).collect()
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
        (
            "crates/rollkey/src/sink.rs",
            "mod exec; mod folder; pub use self::{exec::Exec, folder::Folder};",
        ),
        ("crates/rollkey/src/sink/exec.rs", "use crate::ports;\nimpl Sink for Exec {}"),
        ("crates/rollkey/src/sink/folder.rs", "use super::notify;\nimpl ports::Sink for Folder {}"),
        ("crates/rollkey/src/sink/notify.rs", "use crate::ports::SinkError;"),
        ("crates/rollkey/src/journal/file.rs", "impl<'a> Journal for FileJournal<'a> {}"),
        ("crates/rollkey/src/directory.rs", "use crate::http;\nimpl Directory for Graph {}"),
        ("crates/rollkey/src/directory/refused.rs", "use super::Graph;"),
        (
            "crates/rollkey-cli/src/wire.rs",
            "use rollkey::{directory::Graph, journal::FileJournal, sink::{exec, Folder}};",
        ),
        (
            "crates/rollkey-cli/src/demo.rs",
            "use rollkey::{journal::file, sink::{Folder, folder::Layout}};",
        ),
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
        let text = "use crate::sink::{exec::Exec, Folder};";
        assert_eq!(broken(one_each, "crates/rollkey/src/rotation.rs", text).len(), 1);
    }
}
