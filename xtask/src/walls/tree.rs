//! The tree of crates.
//!
//! `cargo metadata` tells how one crate needs another, but names optional crates that nobody
//! switched on. `cargo tree` knows which are really there, and tells it for people. So: the edges
//! of the one, between the crates of the other.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How one crate needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Normal,
    Build,
    Development,
}

/// A crate in one version.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// Part of the workspace.
    pub(super) ours: bool,
    /// What its manifest asks for, optional dependencies included.
    pub(super) asks_for: Vec<(String, Kind)>,
    needs: Vec<(usize, Kind)>,
}

/// All crates under one set of features.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) features: &'static str,
    packages: Vec<Package>,
}

impl Tree {
    /// Reads the answers of `cargo metadata --format-version 1` and of
    /// `cargo tree --prefix none --format {p}`.
    ///
    /// # Errors
    ///
    /// What is missing from them.
    pub(super) fn parse(
        features: &'static str,
        metadata: &str,
        listing: &str,
    ) -> Result<Self, String> {
        let metadata: Value = serde_json::from_str(metadata)
            .map_err(|error| format!("`cargo metadata` answered no JSON: {error}"))?;
        // `base64 v0.23.1`, perhaps followed by a path or `(*)`; or a heading, which names nothing.
        let there: BTreeSet<(&str, &str)> = listing
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.trim().split_once(" v")?;
                Some((name, rest.split_whitespace().next()?))
            })
            .collect();
        Self::from_json(features, &metadata, &there)
            .filter(|tree| tree.ours().next().is_some())
            .ok_or_else(|| "cargo answered in a form that we do not know".to_owned())
    }

    fn from_json(
        features: &'static str,
        answer: &Value,
        there: &BTreeSet<(&str, &str)>,
    ) -> Option<Self> {
        let members: BTreeSet<&str> =
            answer["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
        let mut packages = Vec::new();
        let mut place = BTreeMap::new();
        for package in answer["packages"].as_array()? {
            let id = package["id"].as_str()?;
            let (name, version) = (package["name"].as_str()?, package["version"].as_str()?);
            if !there.contains(&(name, version)) {
                continue;
            }
            place.insert(id, packages.len());
            let asked = package["dependencies"].as_array()?.iter();
            packages.push(Package {
                name: name.to_owned(),
                version: version.to_owned(),
                ours: members.contains(id),
                asks_for: asked
                    .map(|d| Some((d["name"].as_str()?.to_owned(), kind(&d["kind"])?)))
                    .collect::<Option<_>>()?,
                needs: Vec::new(),
            });
        }
        for node in answer["resolve"]["nodes"].as_array()? {
            let Some(&from) = place.get(node["id"].as_str()?) else { continue };
            for dependency in node["deps"].as_array()? {
                let Some(&to) = place.get(dependency["pkg"].as_str()?) else { continue };
                for how in dependency["dep_kinds"].as_array()? {
                    packages[from].needs.push((to, kind(&how["kind"])?));
                }
            }
        }
        Some(Self { features, packages })
    }

    /// The crates of the workspace.
    pub(super) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.ours)
    }

    /// The crates of that name, in whatever version.
    pub(super) fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Package> {
        self.packages.iter().filter(move |package| package.name == name)
    }

    /// What a crate needs at first hand.
    pub(super) fn needs<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = (&'a Package, Kind)> {
        package.needs.iter().map(|(to, kind)| (&self.packages[*to], *kind))
    }

    /// What needs a crate at first hand.
    pub(super) fn needed_by<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = &'a Package> {
        self.packages
            .iter()
            .filter(move |other| self.needs(other).any(|(needed, _)| std::ptr::eq(needed, package)))
    }

    /// All that ends up in a program through this crate: normal edges only, itself included.
    pub(super) fn linked_with<'a>(&'a self, name: &str) -> Vec<&'a Package> {
        let mut seen: Vec<&Package> = self.named(name).collect();
        let mut next = 0;
        while let Some(&package) = seen.get(next) {
            next += 1;
            for (needed, kind) in self.needs(package) {
                if kind == Kind::Normal && !seen.iter().any(|s| std::ptr::eq(*s, needed)) {
                    seen.push(needed);
                }
            }
        }
        seen
    }

    /// A shortest way from a crate of ours to this one: `rollkey > reqwest > ring`.
    pub(super) fn way_to(&self, package: &Package) -> String {
        let mut ways: VecDeque<Vec<&Package>> = self.ours().map(|ours| vec![ours]).collect();
        let mut seen: BTreeSet<*const Package> = BTreeSet::new();
        while let Some(way) = ways.pop_front() {
            let last = way[way.len() - 1];
            if std::ptr::eq(last, package) {
                return way.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(" > ");
            }
            if seen.insert(last) {
                // A development edge is an edge only from what we test ourselves.
                let edges = self.needs(last).filter(|(_, k)| last.ours || *k != Kind::Development);
                ways.extend(edges.map(|(needed, _)| [way.as_slice(), &[needed]].concat()));
            }
        }
        package.name.clone()
    }
}

fn kind(value: &Value) -> Option<Kind> {
    match value {
        Value::Null => Some(Kind::Normal),
        Value::String(kind) => match kind.as_str() {
            "build" => Some(Kind::Build),
            "dev" => Some(Kind::Development),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
impl Tree {
    /// Draws a tree: a line for each way, `a > b` (normal), `a >dev b`, `a >build b`; a name is
    /// one of ours unless it bears a version, `ring@0.17.8`. A crate that is optional and not
    /// switched on is written `ring@0.17.8(off)`.
    ///
    /// It goes through the JSON of `cargo metadata`, so that what reads it is tested too.
    pub(super) fn sketch(lines: &str) -> Self {
        use serde_json::json;
        let mut edges: BTreeMap<&str, Vec<(&str, Value)>> = BTreeMap::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.split_whitespace();
            let mut from = words.next().expect("a crate");
            edges.entry(from).or_default();
            while let Some(arrow) = words.next() {
                let kind = match arrow {
                    ">" => Value::Null,
                    ">dev" => json!("dev"),
                    ">build" => json!("build"),
                    other => panic!("no arrow: {other}"),
                };
                let to = words.next().expect("a crate");
                edges.entry(from).or_default().push((to, kind));
                edges.entry(to).or_default();
                from = to;
            }
        }
        let name = |id: &str| id.split('@').next().unwrap_or(id).to_owned();
        let version = |id: &str| id.split('@').nth(1).unwrap_or("0.1.0").to_owned();
        let metadata = json!({
            "workspace_members": edges.keys().filter(|id| !id.contains('@')).collect::<Vec<_>>(),
            "packages": edges.iter().map(|(id, needs)| json!({
                "id": id,
                "name": name(id),
                "version": version(id),
                "dependencies": needs.iter()
                    .map(|(to, kind)| json!({ "name": name(to), "kind": kind }))
                    .collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "resolve": { "nodes": edges.iter().map(|(id, needs)| json!({
                "id": id,
                "deps": needs.iter()
                    .map(|(to, kind)| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] }))
                    .collect::<Vec<_>>(),
            })).collect::<Vec<_>>() },
        });
        let there = edges.keys().filter(|id| !id.ends_with("(off)"));
        let listing: String = there.map(|id| format!("{} v{}\n", name(id), version(id))).collect();
        Self::parse("the default features", &metadata.to_string(), &listing)
            .expect("a sketch is complete")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_the_shortest_and_leaves_out_what_others_test_with() {
        let tree = Tree::sketch(
            "rollkey-cli > rollkey > reqwest@0.13.0 > ring@0.17.8
             rollkey-cli > clap@4.0.0 >dev ring@0.17.8",
        );
        let ring = tree.named("ring").next().unwrap();
        assert_eq!(tree.way_to(ring), "rollkey > reqwest > ring");
    }

    #[test]
    fn a_program_is_made_of_normal_edges_only() {
        let tree = Tree::sketch("core > base64@0.23.1\n core >dev proptest@1.0.0 > rand@0.9.0");
        let names: Vec<_> = tree.linked_with("core").iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["core", "base64"]);
    }

    #[test]
    fn an_answer_in_another_form_is_an_error_and_no_empty_tree() {
        assert!(Tree::parse("", "{}", "rollkey v0.1.0").is_err());
        assert!(Tree::parse("", "warning: x", "").is_err());
        let empty = r#"{"workspace_members":[],"packages":[],"resolve":{"nodes":[]}}"#;
        assert!(Tree::parse("", empty, "").is_err());
    }

    #[test]
    fn a_crate_that_is_not_switched_on_is_not_there() {
        let tree = Tree::sketch("rollkey > rustls@0.23.0 > ring@0.17.8(off)");
        assert!(tree.named("ring").next().is_none());
        assert!(tree.named("rustls").next().is_some());
    }
}
