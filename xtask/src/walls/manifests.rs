//! Rules about manifests and settings: lints that every crate inherits, a version that stands in
//! one place.

use super::House;

/// Crates with a `clippy.toml` of their own, and what it must forbid: time comes in as an
/// argument, by a port, or from the clock that a test owns.
const SHUT: &[(&str, &[&str])] = &[
    (
        "rollkey-core",
        &["std::time::SystemTime::now", "std::env::var", "std::fs::File", "std::net::TcpStream"],
    ),
    ("rollkey", &["std::time::SystemTime::now", "std::env::var"]),
    ("rollkey-emulator", &["std::time::SystemTime::now"]),
];

pub(super) fn clippy(house: &House) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, doors) in SHUT {
        let path = format!("crates/{name}/clippy.toml");
        match house.files.get(&path) {
            None => breaches.push(format!("{path} is missing")),
            Some(text) => {
                let open = doors.iter().filter(|door| !text.contains(&format!("\"{door}\"")));
                breaches.extend(open.map(|door| format!("{path} leaves `{door}` open")));
            }
        }
    }
    breaches
}

pub(super) fn no_unsafe(house: &House) -> Vec<String> {
    let mut breaches = Vec::new();
    let says = |text: &str, key: &str, value: &str| {
        settings(text).iter().any(|(k, v)| k == key && v.trim_matches('"') == value)
    };
    for (path, text) in house.files.all().filter(|(path, _)| path.ends_with("Cargo.toml")) {
        let (key, value) = match path {
            "Cargo.toml" => ("workspace.lints.rust.unsafe_code", "forbid"),
            _ => ("lints.workspace", "true"),
        };
        if !says(text, key, value) && !says(text, "lints.rust.unsafe_code", "forbid") {
            breaches.push(format!("{path} does not say `{key} = {value}`"));
        }
    }
    breaches
}

pub(super) fn one_msrv(house: &House) -> Vec<String> {
    const HOME: &str = "Cargo.toml";
    const KEY: &str = "workspace.package.rust-version";
    let stated = house.files.get(HOME).and_then(|text| {
        let (_, version) = settings(text).into_iter().find(|(key, _)| key == KEY)?;
        Some(version.trim_matches('"').to_owned())
    });
    let Some(stated) = stated else {
        return vec![format!("{HOME} does not say `{KEY}`")];
    };
    let mut breaches = Vec::new();
    for (path, text) in house.files.all().filter(|(path, _)| *path != HOME) {
        if path.ends_with("Cargo.toml") {
            if !settings(text)
                .iter()
                .any(|(k, v)| k == "package.rust-version.workspace" && v == "true")
            {
                breaches.push(format!("{path} does not inherit `rust-version`"));
            }
        } else if path.ends_with("clippy.toml") && settings(text).iter().any(|(k, _)| k == "msrv") {
            breaches.push(format!("{path} says `msrv`: clippy reads it from {HOME}"));
        } else if !path.ends_with(".rs") && says_version(text, &stated) {
            breaches.push(format!("{path} repeats {stated}: read it from {HOME}"));
        }
    }
    breaches
}

/// Whether the version stands in a text, alone or as the beginning of a longer one.
fn says_version(text: &str, version: &str) -> bool {
    text.match_indices(version).any(|(at, _)| {
        let inside = |c: char| c.is_ascii_digit() || c == '.';
        let (before, after) = (&text[..at], &text[at + version.len()..]);
        !before.ends_with(inside) && !after.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The settings of a TOML text with their whole keys, as far as manifests need: one a line.
fn settings(text: &str) -> Vec<(String, String)> {
    let mut table = String::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if let Some(name) = line.strip_prefix('[') {
            table = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((key, value)) = line.split_once('=')
            && !line.starts_with('#')
        {
            found.push((format!("{table}{}", key.trim()), value.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace.package]\nrust-version = \"1.95\"\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
    const CRATE: &str = "[package]\nrust-version.workspace = true\n[lints]\nworkspace = true\n";

    fn house<'a>(added: &[(&'a str, &'a str)]) -> House {
        let sound = [("Cargo.toml", ROOT), ("crates/rollkey/Cargo.toml", CRATE)];
        House::of_files(&[&sound, added].concat())
    }

    #[test]
    fn a_crate_that_does_not_forbid_unsafe_is_found() {
        assert!(no_unsafe(&house(&[])).is_empty());
        let own =
            CRATE.replace("[lints]\nworkspace = true", "[lints.rust]\nunsafe_code = \"forbid\"");
        assert!(no_unsafe(&house(&[("xtask/Cargo.toml", &own)])).is_empty());
        let lax = CRATE.replace("workspace = true\n", "");
        assert_eq!(no_unsafe(&house(&[("crates/a/Cargo.toml", &lax)])).len(), 1);
        let root = ROOT.replace("forbid", "deny");
        assert_eq!(no_unsafe(&house(&[("Cargo.toml", &root)])).len(), 1);
    }

    #[test]
    fn a_missing_or_lax_clippy_toml_is_found() {
        let house = house(&[
            ("crates/rollkey/clippy.toml", "{ path = \"std::time::SystemTime::now\" }"),
            ("crates/rollkey-emulator/clippy.toml", "{ path = \"std::time::SystemTime::now\" }"),
        ]);
        assert_eq!(
            clippy(&house),
            [
                "crates/rollkey-core/clippy.toml is missing",
                "crates/rollkey/clippy.toml leaves `std::env::var` open",
            ]
        );
    }

    #[test]
    fn a_second_place_for_the_oldest_rust_is_found() {
        assert!(one_msrv(&house(&[])).is_empty());
        let sound = house(&[(".github/workflows/ci.yml", "actions/checkout@v4 # 11.95")]);
        assert!(one_msrv(&sound).is_empty());
        let broken = house(&[
            (".github/workflows/ci.yml", "toolchain: 1.95.0"),
            ("crates/a/Cargo.toml", "[package]\nrust-version = \"1.90\""),
            ("crates/a/clippy.toml", "msrv = \"1.90\""),
        ]);
        assert_eq!(one_msrv(&broken).len(), 3, "{:?}", one_msrv(&broken));
    }
}
