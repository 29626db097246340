//! `walls`: proves who may know whom. The rules are those of ARCHITECTURE.md.
//!
//! What can be proven from the tree of crates is proven there (once for each set of features;
//! normal, build and development edges, every target); what stands between the files of one crate
//! is read from the text. Each rule is a function of a [`House`], which tests build
//! with a wall broken on purpose.

mod adapters;
mod arrows;
mod banned;
mod files;
mod manifests;
mod source;
mod tree;

use crate::steps::{Failure, cargo, no_arguments, output, root};
use files::Files;
use tree::Tree;

/// What the rules look at.
struct House {
    /// The tree of crates, once for each set of features.
    trees: Vec<Tree>,
    files: Files,
}

/// One wall.
struct Rule {
    says: &'static str,
    /// What breaks it: one sentence each. Empty: it holds.
    broken_by: fn(&House) -> Vec<String>,
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { says: "arrows between our crates run down only",                        broken_by: arrows::down_only },
    Rule { says: "the core depends on base64 and nothing else",                    broken_by: arrows::core_is_alone },
    Rule { says: "the core knows no serialisation",                                broken_by: arrows::core_has_no_serde },
    Rule { says: "the PFX crate does no I/O",                                      broken_by: arrows::pfx_does_no_io },
    Rule { says: "one TLS stack: no ring, no OpenSSL, no native-tls",              broken_by: banned::stacks },
    Rule { says: "one version of each crate that TLS and HTTP are made of",        broken_by: banned::twins },
    Rule { says: "clippy.toml shuts the doors of std, crate by crate",             broken_by: manifests::clippy },
    Rule { says: "`unsafe` is forbidden in every crate",                           broken_by: manifests::no_unsafe },
    Rule { says: "the oldest supported Rust stands in one place",                  broken_by: manifests::one_msrv },
    Rule { says: "adapters know the ports and never each other",                   broken_by: adapters::strangers },
    Rule { says: "only wire.rs names more than one adapter of a port",             broken_by: adapters::one_each },
    Rule { says: "no drawers: no module is called utils, common or helpers",       broken_by: files::no_drawers },
    Rule { says: "a file over 400 lines without its tests says why",               broken_by: files::not_too_long },
];

/// The sets of features that are looked at, as cargo is told them.
const FEATURES: [&[&str]; 3] = [&["--no-default-features"], &[], &["--all-features"]];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    no_arguments(arguments)?;
    let house = look()?;
    let mut broken = 0;
    for rule in RULES {
        let breaches = (rule.broken_by)(&house);
        println!("{:7} {}", if breaches.is_empty() { "holds" } else { "BROKEN" }, rule.says);
        for breach in &breaches {
            println!("        - {breach}");
        }
        broken += usize::from(!breaches.is_empty());
    }
    match broken {
        0 => Ok(()),
        1 => Err(Failure::Failed("a wall is broken".into())),
        n => Err(Failure::Failed(format!("{n} walls are broken"))),
    }
}

fn look() -> Result<House, Failure> {
    let mut trees = Vec::new();
    for features in FEATURES {
        let mut metadata = cargo(&["metadata", "--format-version", "1"]);
        metadata.args(features);
        #[rustfmt::skip]
        let mut listing = cargo(&[
            "tree", "--workspace", "--edges", "normal,build,dev", "--target", "all",
            "--prefix", "none", "--format", "{p}",
        ]);
        listing.args(features);
        let name = features.first().copied().unwrap_or("the default features");
        let tree = Tree::parse(name, &output(metadata)?, &output(listing)?);
        trees.push(tree.map_err(Failure::Failed)?);
    }
    let files = Files::read(root())
        .map_err(|error| Failure::Failed(format!("could not read the sources: {error}")))?;
    Ok(House { trees, files })
}

impl House {
    /// What `find` finds in the trees: each finding once, with the features that it was found
    /// with unless it was with all of them.
    fn in_trees(&self, find: impl Fn(&Tree) -> Vec<String>) -> Vec<String> {
        let found: Vec<_> = self.trees.iter().map(|tree| (tree.features, find(tree))).collect();
        let mut breaches: Vec<String> = Vec::new();
        for breach in found.iter().flat_map(|(_, breaches)| breaches) {
            let with: Vec<_> =
                found.iter().filter(|(_, b)| b.contains(breach)).map(|(f, _)| *f).collect();
            let told = match with.len() == self.trees.len() {
                true => breach.clone(),
                false => format!("{breach} (with {})", with.join(", ")),
            };
            if !breaches.contains(&told) {
                breaches.push(told);
            }
        }
        breaches
    }

    /// A house of nothing but this tree, written as [`Tree::sketch`] reads it.
    #[cfg(test)]
    fn of_crates(edges: &str) -> Self {
        Self { trees: vec![Tree::sketch(edges)], files: Files::default() }
    }

    /// A house of nothing but these files.
    #[cfg(test)]
    fn of_files(files: &[(&str, &str)]) -> Self {
        Self { trees: Vec::new(), files: Files::sketch(files) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_under_some_features_only_says_under_which() {
        let mut house = House::of_crates("rollkey");
        house.trees.push(Tree::sketch("rollkey > ring@1.0"));
        house.trees[1].features = "--all-features";
        let ring = |tree: &Tree| match tree.named("ring").next() {
            Some(_) => vec!["ring".to_owned()],
            None => Vec::new(),
        };
        assert_eq!(house.in_trees(ring), ["ring (with --all-features)"]);
        house.trees.remove(0);
        assert_eq!(house.in_trees(ring), ["ring"]);
    }
}
