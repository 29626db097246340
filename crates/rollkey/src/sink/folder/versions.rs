//! The folder of versions on disk: looked at, added to, switched, tidied up.
//!
//! Every change but the switch of the link is invisible to consumers. What does not look like ours
//! is reported and left alone.

use super::super::record::Record;
use super::super::{failed, foreign};
use crate::durable::{self, Access};
use crate::ports::SinkError;
use rollkey_core::{Generation, Sha1Thumbprint};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const VERSIONS: &str = "versions";
const CURRENT: &str = "current";
const META: &str = "meta.json";
/// Of `meta.json`: whoever may enter the folder may read it.
const META_MODE: u32 = 0o644;

/// One file to be written.
pub(super) struct Item {
    pub(super) name: &'static str,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) access: Access,
}

/// What `current` leads to.
pub(super) enum Holds {
    /// Nothing was ever delivered here.
    Nothing,
    /// A version of ours that somebody removed. Its name is known.
    Lost { version: String, generation: Generation },
    /// A version of ours.
    Version { version: String, record: Record },
}

impl Holds {
    pub(super) fn generation(&self) -> Option<Generation> {
        match self {
            Self::Nothing => None,
            Self::Lost { generation, .. } => Some(*generation),
            Self::Version { record, .. } => Some(record.generation),
        }
    }

    pub(super) fn version(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Lost { version, .. } | Self::Version { version, .. } => Some(version),
        }
    }
}

/// The folder.
pub(super) struct Versions<'a> {
    pub(super) sink: &'a str,
    pub(super) folder: &'a Path,
    pub(super) access: Access,
}

impl Versions<'_> {
    /// Makes the folder where there is none. One that is there must be closed to others.
    pub(super) fn create(&self) -> Result<(), SinkError> {
        self.check()?;
        for folder in [self.folder, &self.all()] {
            durable::create_folder(folder, self.access)
                .map_err(failed(self.sink, "create", folder))?;
        }
        fail::fail_point!("sink::folder::created");
        Ok(())
    }

    /// Removes what a crash left unfinished. Call it only with the lock.
    pub(super) fn tidy_up(&self) -> Result<(), SinkError> {
        for folder in [self.folder, &self.all()] {
            durable::sweep(folder).map_err(failed(self.sink, "tidy up", folder))?;
        }
        Ok(())
    }

    /// What consumers read.
    pub(super) fn look(&self) -> Result<Holds, SinkError> {
        self.check()?;
        let link = self.folder.join(CURRENT);
        match kind(&link).map_err(failed(self.sink, "read", &link))? {
            None => return Ok(Holds::Nothing),
            Some(kind) if kind.is_symlink() => (),
            Some(_) => return Err(foreign(self.sink, &link, "is in the way: it is not a link")),
        }
        let target = fs::read_link(&link).map_err(failed(self.sink, "read", &link))?;
        let Some((version, generation)) = ours(&target) else {
            let problem = format!("leads to {}, which is not ours", target.display());
            return Err(foreign(self.sink, &link, problem));
        };
        let meta = self.path(&version).join(META);
        let json = match fs::read(&meta) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Holds::Lost { version, generation });
            }
            json => json.map_err(failed(self.sink, "read", &meta))?,
        };
        let record =
            Record::from_json(&json).map_err(|problem| foreign(self.sink, &meta, problem))?;
        Ok(Holds::Version { version, record })
    }

    /// Whether a version has all of these files.
    pub(super) fn has(&self, version: &str, files: &[String]) -> bool {
        let version = self.path(version);
        files.iter().all(|file| version.join(file).is_file())
    }

    /// Writes a version completely, and names it. Nothing leads to it yet.
    pub(super) fn write(&self, items: &[Item], record: &Record) -> Result<String, SinkError> {
        let all = self.all();
        let temporary = durable::temporary_name(&all);
        let version = self.write_into(&temporary, items, record).and_then(|()| {
            let version = self.unused(record);
            let path = self.path(&version);
            fs::rename(&temporary, &path).map_err(failed(self.sink, "name", &path))?;
            fail::fail_point!("sink::folder::version_named");
            durable::sync_folder(&all).map_err(failed(self.sink, "write", &path))?;
            Ok(version)
        });
        if version.is_err() {
            // The first error is the one to tell; a leftover is swept up by the next delivery.
            _ = fs::remove_dir_all(&temporary);
        }
        version
    }

    /// Leads consumers to this version.
    pub(super) fn switch(&self, version: &str) -> Result<(), SinkError> {
        let link = self.folder.join(CURRENT);
        durable::switch_link(&link, &Path::new(VERSIONS).join(version))
            .map_err(failed(self.sink, "switch", &link))
    }

    /// Writes down what has become of a version.
    pub(super) fn note(&self, version: &str, record: &Record) -> Result<(), SinkError> {
        let meta = self.path(version).join(META);
        let json = record.to_json().map_err(failed(self.sink, "write", &meta))?;
        durable::sweep_after(&meta).map_err(failed(self.sink, "tidy up", &meta))?;
        durable::replace(&meta, &json, self.meta_access())
            .map_err(failed(self.sink, "write", &meta))
    }

    /// Removes all versions but these two. What is not named as we name versions stays. The
    /// delivery has succeeded, so trouble is only reported.
    pub(super) fn prune(&self, version: &str, previous: Option<&str>) {
        let all = self.all();
        let names = fs::read_dir(&all)
            .map(|entries| entries.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>());
        let trouble = |error: &io::Error, place: &Path| {
            let place = place.display();
            tracing::warn!(sink = self.sink, %place, %error, "could not remove old versions");
        };
        let names = names.unwrap_or_else(|error| {
            trouble(&error, &all);
            Vec::new()
        });
        for name in names.iter().filter_map(|name| name.to_str()) {
            let is_kept = name == version || previous == Some(name);
            if is_kept || ours(&Path::new(VERSIONS).join(name)).is_none() {
                continue;
            }
            let path = self.path(name);
            match fs::remove_dir_all(&path) {
                Ok(()) => tracing::debug!(sink = self.sink, version = name, "removed"),
                Err(error) => trouble(&error, &path),
            }
            fail::fail_point!("sink::folder::version_removed");
        }
    }

    /// Whatever is there must be a folder, and closed to others.
    fn check(&self) -> Result<(), SinkError> {
        let all = self.all();
        // The folder itself may be reached over a link of the operator's; what is in it may not.
        let folder = match fs::metadata(self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            folder => folder.map_err(failed(self.sink, "read", self.folder))?,
        };
        if !folder.is_dir() {
            return Err(foreign(self.sink, self.folder, "is in the way: it is not a folder"));
        }
        match kind(&all).map_err(failed(self.sink, "read", &all))? {
            Some(kind) if !kind.is_dir() => {
                return Err(foreign(self.sink, &all, "is in the way: it is not a folder"));
            }
            _ => (),
        }
        let expected = self.access.mode;
        let beyond = durable::mode_beyond(self.folder, expected);
        match beyond.map_err(failed(self.sink, "read", self.folder))? {
            Some(mode) => {
                let problem =
                    format!("is open to others (mode {mode:04o}, expected {expected:04o} or less)");
                Err(foreign(self.sink, self.folder, problem))
            }
            None => Ok(()),
        }
    }

    fn write_into(&self, path: &Path, items: &[Item], record: &Record) -> Result<(), SinkError> {
        let json = record.to_json().map_err(failed(self.sink, "write", &path.join(META)))?;
        durable::create_folder(path, self.access).map_err(failed(self.sink, "create", path))?;
        fail::fail_point!("sink::folder::version_begun");
        let create = |name: &str, bytes: &[u8], access| {
            let file = path.join(name);
            durable::create(&file, bytes, access).map_err(failed(self.sink, "write", &file))
        };
        for item in items {
            create(item.name, &item.bytes, item.access)?;
            fail::fail_point!("sink::folder::file_written");
        }
        create(META, &json, self.meta_access())?;
        durable::sync_folder(path).map_err(failed(self.sink, "write", path))?;
        fail::fail_point!("sink::folder::version_written");
        Ok(())
    }

    /// A name for a version that no version has.
    fn unused(&self, record: &Record) -> String {
        let first = format!("{}-g{}", record.key.sha1, record.generation.0);
        let others = (2_u32..).map(|n| format!("{first}-{n}"));
        let mut names = std::iter::once(first.clone()).chain(others);
        names.find(|name| matches!(kind(&self.path(name)), Ok(None))).unwrap_or(first)
    }

    fn meta_access(&self) -> Access {
        Access { mode: META_MODE, ..self.access }
    }

    fn all(&self) -> PathBuf {
        self.folder.join(VERSIONS)
    }

    fn path(&self, version: &str) -> PathBuf {
        self.all().join(version)
    }
}

/// What is there, links not followed.
fn kind(path: &Path) -> io::Result<Option<fs::FileType>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => Ok(Some(found?.file_type())),
    }
}

/// Takes `versions/<thumbprint>-g<generation>[-<n>]` apart.
fn ours(target: &Path) -> Option<(String, Generation)> {
    let version = target.strip_prefix(VERSIONS).ok()?.to_str()?;
    let (thumbprint, rest) = version.split_once("-g")?;
    if thumbprint.len() != 40 || Sha1Thumbprint::parse(thumbprint).is_err() {
        return None;
    }
    let mut numbers = rest.split('-').map(str::parse::<u64>);
    let generation = numbers.next()?.ok()?;
    match (numbers.next(), numbers.next()) {
        (None | Some(Ok(_)), None) => Some((version.to_owned(), Generation(generation))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_ours_are_ours() {
        let sha1 = "A1".repeat(20);
        let is_ours = |text: &str| ours(Path::new(text)).map(|(_, generation)| generation.0);
        assert_eq!(is_ours(&format!("versions/{sha1}-g7")), Some(7));
        assert_eq!(is_ours(&format!("versions/{sha1}-g7-2")), Some(7));
        for foreign in [
            "{}-g7",
            "versions/{}",
            "versions/{}-g",
            "versions/{}-g7-",
            "versions/{}-g7-2-3",
            "/versions/{}-g7",
            "versions/../{}-g7",
            "versions/{}-g7/x",
            "versions/x{}-g7",
            "versions/x-g7",
        ] {
            assert_eq!(is_ours(&foreign.replace("{}", &sha1)), None, "{foreign}");
        }
        assert!(ours(Path::new("versions/.rollkey-lock")).is_none());
    }
}
