//! The files of the workspace that rules read, and two rules about files as such.

use super::House;
use super::source::lines_without_tests;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Texts by their path from the root, written with `/`.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, String>);

/// Where texts are read. Generated and foreign folders are not among them.
const ROOMS: &[&str] = &["crates", "xtask", ".github", ".ci"];
const AT_THE_ROOT: &[&str] = &["Cargo.toml", "clippy.toml", "deny.toml", "rust-toolchain.toml"];

impl Files {
    /// Reads the texts below `root`.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let mut files = Self::default();
        for name in AT_THE_ROOT {
            let path = root.join(name);
            if path.exists() {
                files.0.insert((*name).to_owned(), std::fs::read_to_string(path)?);
            }
        }
        for room in ROOMS {
            files.walk(&root.join(room), room)?;
        }
        Ok(files)
    }

    fn walk(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        if !folder.is_dir() {
            return Ok(());
        }
        for entry in std::fs::read_dir(folder)? {
            let (path, entry) = (entry.as_ref().map(std::fs::DirEntry::path), entry.as_ref());
            let (Ok(path), Ok(entry)) = (path, entry) else { continue };
            let inner = format!("{name}/{}", entry.file_name().to_string_lossy());
            if path.is_dir() {
                // A fuzz crate is a workspace of its own, with a toolchain of its own.
                if entry.file_name() != "target" && entry.file_name() != "fuzz" {
                    self.walk(&path, &inner)?;
                }
            } else if inner.ends_with(".rs")
                || inner.ends_with(".toml")
                || inner.ends_with(".yml")
                || inner.starts_with(".ci/")
            {
                self.0.insert(inner, std::fs::read_to_string(path)?);
            }
        }
        Ok(())
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Those whose path begins like this.
    pub(super) fn below<'a>(&'a self, stem: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.all().filter(move |(path, _)| path.starts_with(stem))
    }

    /// One of them.
    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    #[cfg(test)]
    pub(super) fn sketch(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect())
    }
}

const DRAWERS: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

pub(super) fn no_drawers(house: &House) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, text) in house.files.all().filter(|(path, _)| path.ends_with(".rs")) {
        let drawer = path.split('/').map(|part| part.trim_end_matches(".rs"));
        if let Some(drawer) = drawer.clone().find(|part| DRAWERS.contains(part)) {
            breaches.push(format!("{path}: say what is in `{drawer}`"));
            continue;
        }
        let code = super::source::code(text);
        let words: Vec<_> = super::source::words(&code).collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "mod" && DRAWERS.contains(&pair[1])) {
            breaches.push(format!("{path}: say what is in `{}`", pair[1]));
        }
    }
    breaches
}

/// Lines of a file besides its tests, beyond which its first comment must say why.
const LONG: usize = 400;

/// How it says so: a sentence with one of these in it.
const REASONS: [&str; 2] = ["one file because", "long because"];

pub(super) fn not_too_long(house: &House) -> Vec<String> {
    let sources = house.files.all().filter(|(path, _)| path.ends_with(".rs"));
    sources
        .filter(|(path, _)| path.contains("/src/"))
        .map(|(path, text)| (path, text, lines_without_tests(text)))
        .filter(|(_, text, lines)| *lines > LONG && !gives_a_reason(text))
        .map(|(path, _, lines)| {
            format!("{path} has {lines} lines; split it, or say `… in one file because …` on top")
        })
        .collect()
}

fn gives_a_reason(text: &str) -> bool {
    let comment: Vec<_> = text
        .lines()
        .map(str::trim)
        .take_while(|line| line.starts_with("//") || line.is_empty())
        .flat_map(|line| line.trim_start_matches(['/', '!']).split_whitespace())
        .collect();
    // Whoever wrote it may have broken the line anywhere.
    let comment = comment.join(" ").to_lowercase();
    REASONS.iter().any(|reason| comment.contains(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawer_is_found_as_a_file_a_folder_and_a_module() {
        let house = House::of_files(&[
            ("crates/rollkey/src/utils.rs", ""),
            ("crates/rollkey-cli/tests/it/common/mod.rs", ""),
            ("crates/rollkey/src/lib.rs", "mod ports;\nmod helpers { }"),
            ("crates/rollkey/src/http.rs", "// mod utils;\n"),
        ]);
        assert_eq!(
            no_drawers(&house),
            [
                "crates/rollkey-cli/tests/it/common/mod.rs: say what is in `common`",
                "crates/rollkey/src/lib.rs: say what is in `helpers`",
                "crates/rollkey/src/utils.rs: say what is in `utils`",
            ]
        );
    }

    #[test]
    fn a_long_file_says_why_or_is_found() {
        let long = |top: &str| format!("{top}\n{}", "fn f() {}\n".repeat(500));
        let without = long("//! The doors.");
        let with = long("//! The doors, all in one\n//! file because they are read together.");
        let tests = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", without);
        let found = |text: &str| not_too_long(&House::of_files(&[("crates/a/src/b.rs", text)]));
        assert_eq!(found(&without).len(), 1);
        assert!(found(&with).is_empty());
        assert!(found(&tests).is_empty(), "tests may be as long as they like");
        assert!(not_too_long(&House::of_files(&[("crates/a/tests/it/b.rs", &without)])).is_empty());
    }
}
