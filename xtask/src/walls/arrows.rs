//! Which crate of ours may need which, and what must not pass through the walls of the pure ones.

use super::House;
use super::source::code;
use super::tree::{Kind, Tree};

/// What a crate of ours may need of ours: in its code, and in its tests besides.
struct Floor {
    name: &'static str,
    knows: &'static [&'static str],
    tests_with: &'static [&'static str],
}

/// The plan of the house. A new crate needs a row here, and so a thought about its place.
#[rustfmt::skip]
const FLOORS: &[Floor] = &[
    Floor { name: "rollkey-core",     knows: &[],                                                              tests_with: &[] },
    Floor { name: "rollkey-pfx",      knows: &[],                                                              tests_with: &[] },
    Floor { name: "rollkey",          knows: &["rollkey-core", "rollkey-pfx"],                                 tests_with: &["rollkey-emulator"] },
    // The judge does not borrow the defendant's pen: not in tests either.
    Floor { name: "rollkey-emulator", knows: &[],                                                              tests_with: &[] },
    Floor { name: "rollkey-cli",      knows: &["rollkey", "rollkey-core", "rollkey-emulator", "rollkey-pfx"],  tests_with: &[] },
    Floor { name: "xtask",            knows: &[],                                                              tests_with: &[] },
];

const CORE: &str = "rollkey-core";
const PFX: &str = "rollkey-pfx";

/// Crates that open files, sockets or processes. What a crate links with holds none of them.
const IO: &[&str] = &[
    "async-std",
    "curl",
    "h2",
    "hyper",
    "mio",
    "memmap2",
    "notify",
    "reqwest",
    "rustix",
    "smol",
    "socket2",
    "tempfile",
    "tokio",
    "ureq",
    "walkdir",
];

pub(super) fn down_only(house: &House) -> Vec<String> {
    house.in_trees(|tree| {
        let mut breaches = Vec::new();
        for package in tree.ours() {
            let Some(floor) = FLOORS.iter().find(|floor| floor.name == package.name) else {
                breaches.push(format!("{} has no floor: see xtask's `FLOORS`", package.name));
                continue;
            };
            for (needed, kind) in tree.needs(package).filter(|(needed, _)| needed.ours) {
                let name = needed.name.as_str();
                let tests = kind == Kind::Development && floor.tests_with.contains(&name);
                if !tests && !floor.knows.contains(&name) {
                    breaches.push(format!("{} > {name} runs up{}", package.name, told(kind)));
                }
            }
        }
        breaches
    })
}

pub(super) fn core_is_alone(house: &House) -> Vec<String> {
    house.in_trees(|tree| {
        // What the manifest asks for, so that an optional dependency is caught as well.
        let core = tree.named(CORE).filter(|package| package.ours);
        let asks = core.flat_map(|package| &package.asks_for);
        let mut breaches: Vec<_> = asks
            .filter(|(name, kind)| *kind != Kind::Development && name != "base64")
            .map(|(name, kind)| format!("{CORE} > {name}{}", told(*kind)))
            .collect();
        let linked = tree.linked_with("base64").into_iter().filter(|p| p.name != "base64");
        if breaches.is_empty() && tree.named(CORE).next().is_some() {
            breaches.extend(linked.map(|p| format!("{CORE} > base64 > {}", p.name)));
        }
        breaches
    })
}

pub(super) fn core_has_no_serde(house: &House) -> Vec<String> {
    let mut breaches = house.in_trees(|tree| {
        let core = tree.named(CORE).filter(|package| package.ours);
        let asks = core.flat_map(|package| &package.asks_for).map(|(name, _)| name);
        asks.filter(|name| name.starts_with("serde")).map(|n| format!("{CORE} > {n}")).collect()
    });
    for (path, text) in house.files.below("crates/rollkey-core/src/") {
        let code = code(text);
        for word in ["serde", "Serialize", "Deserialize"] {
            if super::source::words(&code).any(|found| found == word) {
                breaches.push(format!("{path} says `{word}`: what is stored is converted by hand"));
            }
        }
    }
    breaches
}

pub(super) fn pfx_does_no_io(house: &House) -> Vec<String> {
    let mut breaches = house.in_trees(|tree: &Tree| {
        let linked = tree.linked_with(PFX).into_iter().map(|package| package.name.as_str());
        linked.filter(|name| IO.contains(name)).map(|name| format!("{PFX} links {name}")).collect()
    });
    for (path, text) in house.files.below("crates/rollkey-pfx/src/") {
        for used in super::source::paths(&super::source::without_tests(&code(text))) {
            let door = matches!(
                used.iter().map(String::as_str).collect::<Vec<_>>()[..],
                ["std", "env" | "fs" | "net" | "process" | "os", ..] | ["std", "io", "stdin", ..]
            );
            if door {
                breaches.push(format!("{path} says `{}`", used.join("::")));
            }
        }
    }
    breaches
}

fn told(kind: Kind) -> &'static str {
    match kind {
        Kind::Normal => "",
        Kind::Build => " (in a build script)",
        Kind::Development => " (in tests)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "rollkey-cli > rollkey > rollkey-core > base64@0.23.1
                         rollkey-cli > rollkey-emulator
                         rollkey > rollkey-pfx > aws-lc-rs@1.19.0
                         rollkey >dev rollkey-emulator > tokio@1.0.0
                         xtask > serde_json@1.0.0";

    fn broken(rule: fn(&House) -> Vec<String>, added: &str) -> Vec<String> {
        assert!(rule(&House::of_crates(SOUND)).is_empty(), "it holds before");
        rule(&House::of_crates(&format!("{SOUND}\n{added}")))
    }

    #[test]
    fn an_arrow_that_runs_up_is_found_whatever_its_kind() {
        assert_eq!(broken(down_only, "rollkey-core > rollkey"), ["rollkey-core > rollkey runs up"]);
        assert_eq!(
            broken(down_only, "rollkey-emulator >dev rollkey"),
            ["rollkey-emulator > rollkey runs up (in tests)"]
        );
        assert_eq!(
            broken(down_only, "rollkey-pfx >build xtask"),
            ["rollkey-pfx > xtask runs up (in a build script)"]
        );
    }

    #[test]
    fn the_library_may_test_with_the_emulator_and_not_ship_it() {
        let added = "rollkey > rollkey-emulator";
        assert_eq!(broken(down_only, added), ["rollkey > rollkey-emulator runs up"]);
    }

    #[test]
    fn a_crate_that_nobody_placed_is_found() {
        assert_eq!(broken(down_only, "rollkey-common").len(), 1);
    }

    #[test]
    fn a_dependency_of_the_core_is_found_at_first_and_second_hand() {
        assert_eq!(broken(core_is_alone, "rollkey-core > tokio@1.0.0"), ["rollkey-core > tokio"]);
        assert_eq!(
            broken(core_is_alone, "rollkey-core >build cc@1.0.0"),
            ["rollkey-core > cc (in a build script)"]
        );
        assert_eq!(
            broken(core_is_alone, "base64@0.23.1 > libc@0.2.0"),
            ["rollkey-core > base64 > libc"]
        );
        assert!(broken(core_is_alone, "rollkey-core >dev proptest@1.0.0").is_empty());
    }

    #[test]
    fn serialisation_is_found_in_the_manifest_and_in_the_text() {
        assert_eq!(
            broken(core_has_no_serde, "rollkey-core >dev serde_json@1.0.0"),
            ["rollkey-core > serde_json"]
        );
        let text = "//! No `serde` here.\n#[derive(Serialize)]\nstruct Key;";
        let house = House::of_files(&[("crates/rollkey-core/src/id.rs", text)]);
        assert_eq!(core_has_no_serde(&house).len(), 1, "a comment may say it");
    }

    #[test]
    fn a_door_in_the_pfx_crate_is_found() {
        assert_eq!(
            broken(pfx_does_no_io, "aws-lc-rs@1.19.0 > tokio@1.0.0"),
            ["rollkey-pfx links tokio"]
        );
        let text = "use std::{fmt, fs::File};\n#[cfg(test)]\nmod tests { use std::env; }";
        let house = House::of_files(&[("crates/rollkey-pfx/src/lib.rs", text)]);
        assert_eq!(pfx_does_no_io(&house), ["crates/rollkey-pfx/src/lib.rs says `std::fs::File`"]);
    }
}
