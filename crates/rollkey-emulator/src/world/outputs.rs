//! Files that the emulator writes: never over a file that it did not write itself.
//!
//! A marker in the directory lists the name and the SHA-256 of everything written there. A file
//! that is not listed, or that was changed since, is somebody else's. The marker is written before
//! the files it lists, so that a run that was cut short leaves nothing that the next one would not
//! recognise. Nothing is ever removed but temporary files of this very run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

use super::WorldError;
use crate::certificate::hex;

/// The name of the file that lists what the emulator wrote.
pub const MARKER: &str = "emulator.marker";

/// The first line of a marker.
const TITLE: &str = "Files of the rollkey emulator: SHA-256 and name. Keys in here are for tests.";

/// A file to be written.
pub(super) struct Output {
    name: String,
    contents: Vec<u8>,
    /// Whether others may read it.
    is_open: bool,
}

impl Output {
    /// A file that others may read.
    pub(super) fn open(name: impl Into<String>, contents: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), contents: contents.into(), is_open: true }
    }

    /// A file for the owner only.
    pub(super) fn secret(name: impl Into<String>, contents: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), contents: contents.into(), is_open: false }
    }

    fn sha256(&self) -> String {
        hex(digest(&SHA256, &self.contents).as_ref())
    }
}

/// A directory with files of the emulator.
pub(super) struct Outputs {
    dir: PathBuf,
    /// What each file of ours may contain: before and after an update.
    ours: BTreeMap<String, BTreeSet<String>>,
    is_marked: bool,
}

/// What stands in the place of an output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    Ours,
}

impl Outputs {
    /// Opens a directory, creating it if need be, and reads its marker.
    pub(super) fn open(dir: &Path) -> Result<Self, WorldError> {
        create_dir(dir).map_err(failed("create", dir))?;
        let path = dir.join(MARKER);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let mut ours: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        if let Some(text) = &text {
            let mut lines = text.lines();
            if lines.next() != Some(TITLE) {
                return Err(WorldError::ForeignFile(path));
            }
            for line in lines {
                let (sha256, name) =
                    line.split_once(' ').ok_or_else(|| WorldError::ForeignFile(path.clone()))?;
                ours.entry(name.to_owned()).or_default().insert(sha256.to_owned());
            }
        }
        Ok(Self { dir: dir.to_owned(), ours, is_marked: text.is_some() })
    }

    /// Writes all files, or none if one of them would replace a foreign file.
    pub(super) fn write(mut self, files: &[Output]) -> Result<(), WorldError> {
        let places: Vec<_> = files.iter().map(|file| self.place(file)).collect::<Result<_, _>>()?;
        for file in files {
            self.ours.entry(file.name.clone()).or_default().insert(file.sha256());
        }
        self.mark()?;
        for (file, place) in files.iter().zip(places) {
            self.put(file, place)?;
        }
        for file in files {
            self.ours.insert(file.name.clone(), BTreeSet::from([file.sha256()]));
        }
        self.mark()
    }

    fn place(&self, file: &Output) -> Result<Place, WorldError> {
        let path = self.dir.join(&file.name);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let Some(known) = self.ours.get(&file.name).filter(|_| metadata.is_file()) else {
            return Err(WorldError::ForeignFile(path));
        };
        let contents = fs::read(&path).map_err(failed("read", &path))?;
        match known.contains(&hex(digest(&SHA256, &contents).as_ref())) {
            true => Ok(Place::Ours),
            false => Err(WorldError::ForeignFile(path)),
        }
    }

    fn mark(&mut self) -> Result<(), WorldError> {
        let lines = self.ours.iter().flat_map(|(name, hashes)| {
            hashes.iter().map(move |sha256| format!("{sha256} {name}\n"))
        });
        let text = format!("{TITLE}\n{}", lines.collect::<String>());
        let place = if self.is_marked { Place::Ours } else { Place::Free };
        self.put(&Output::open(MARKER, text), place)?;
        self.is_marked = true;
        Ok(())
    }

    /// Writes beside the place, then takes it at once: a free place only as long as it is free.
    fn put(&self, file: &Output, place: Place) -> Result<(), WorldError> {
        let path = self.dir.join(&file.name);
        let temporary = self.dir.join(format!(".{}.{}.tmp", file.name, chance()));
        write_new(&temporary, file).map_err(failed("write", &temporary))?;
        let put = match place {
            Place::Ours => fs::rename(&temporary, &path),
            Place::Free => take(&temporary, &path, file),
        };
        // Gone already, if it was renamed.
        let _ = fs::remove_file(&temporary);
        put.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => WorldError::ForeignFile(path.clone()),
            _ => failed("write", &path)(error),
        })
    }
}

/// Puts a file in a free place. A link, unlike a rename, never replaces; where there are no links,
/// the file is written once more.
fn take(temporary: &Path, path: &Path, file: &Output) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => write_new(path, file),
        done => done,
    }
}

/// Something that no other run has in its names.
fn chance() -> String {
    let mut bytes = [0; 8];
    // Without randomness the name is taken by another run at worst, and writing fails.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    hex(&bytes)
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WorldError {
    let path = path.to_owned();
    move |source| WorldError::Io { what, path, source }
}

/// Creates a file that must not exist yet, with its final permissions from the start.
fn write_new(path: &Path, file: &Output) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if file.is_open { 0o644 } else { 0o600 });
    }
    let mut handle: File = options.open(path)?;
    let written = handle.write_all(&file.contents).and_then(|()| handle.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Creates a directory for the owner only, unless it is there.
fn create_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir)
}
