//! Finding and reading `rollkey.toml`.

use super::Config;
use crate::error::CommandError;
use std::path::{Path, PathBuf};

/// Where the file is looked for when nobody names it, in this order.
pub(crate) const PLACES: [&str; 2] = ["rollkey.toml", "/etc/rollkey/rollkey.toml"];

/// A configuration, and the folder from which its relative paths start.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) path: PathBuf,
}

impl Loaded {
    /// A path of the configuration, from where it counts.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.join(path),
            _ => path.to_path_buf(),
        }
    }
}

/// Reads the file that was named, or the first that is found.
pub(crate) fn load(named: Option<&Path>) -> Result<Loaded, CommandError> {
    let path = match named {
        Some(path) => path.to_path_buf(),
        None => PLACES.iter().map(PathBuf::from).find(|path| path.exists()).ok_or_else(|| {
            CommandError::config(format!("no configuration: neither {}", PLACES.join(" nor ")))
                .hint("make one with `rollkey config init`, or name one with --config FILE")
        })?,
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        CommandError::config(format!("could not read {}", path.display()))
            .cause(error)
            .hint("make one with `rollkey config init`, or name another with --config FILE")
    })?;
    let config = parse(&text).map_err(|error| {
        CommandError::config(format!("{}: {error}", path.display()))
            .hint("docs/config.md, or a fresh `rollkey config init`, says what each key may be")
    })?;
    Ok(Loaded { config, path })
}

/// Reads and judges; the error names the place.
pub(crate) fn parse(text: &str) -> Result<Config, String> {
    let config: Config = toml::from_str(text).map_err(|error| {
        let what = error.message().replace('\n', "; ");
        match error.span().and_then(|span| text.get(..span.start)) {
            Some(before) => {
                let line = before.matches('\n').count() + 1;
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                format!("line {line}, column {column}: {what}")
            }
            None => what,
        }
    })?;
    for (name, application) in &config.applications {
        let at = |problem: String| format!("applications.{name}: {problem}");
        check_name(name).map_err(at)?;
        application
            .policy
            .policy(application.scopes.len().max(1))
            .map_err(|error| format!("applications.{name}.policy: {error}"))?;
        let mut names = std::collections::BTreeSet::new();
        for sink in &application.sinks {
            if let super::SinkConfig::Folder(folder) = sink {
                check_pfx(folder).map_err(at)?;
            }
            let sink = sink.name();
            check_name(sink).map_err(at)?;
            if !names.insert(sink) {
                return Err(at(format!("two sinks are called `{sink}`")));
            }
        }
    }
    Ok(config)
}

fn check_pfx(sink: &super::FolderSinkConfig) -> Result<(), String> {
    use super::FormatConfig::{Pfx, PfxLegacy};
    let (modern, legacy) = (sink.formats.contains(&Pfx), sink.formats.contains(&PfxLegacy));
    match (modern || legacy, &sink.pfx_password_file) {
        _ if modern && legacy => {
            Err(format!("sink `{}`: `pfx` and `pfx-legacy` are the same file", sink.name))
        }
        (true, None) => Err(format!("sink `{}`: a PFX needs `pfx-password-file`", sink.name)),
        _ => Ok(()),
    }
}

/// Names become folders and file names.
fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !name.is_empty() && !name.starts_with('.') && name.chars().all(fits) {
        true => Ok(()),
        false => Err(format!("`{name}` is no name: use letters, digits, `-`, `_` and `.`")),
    }
}

impl super::SinkConfig {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Folder(sink) => &sink.name,
            Self::Exec(sink) => &sink.name,
        }
    }
}
