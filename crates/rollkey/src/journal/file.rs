//! The journal in a file: one line for each note, appended under a lock and synced.
//!
//! The first line names the format; the others are described in `journal/line.rs`.
//!
//! **A crash while a line is written** leaves a torn last line. It was never promised to anybody:
//! it is passed over when read, and cut off before the next line is written. A line in the midst
//! that makes no sense is another matter, and is reported.
//!
//! **The file stays small.** Now and then, when it has more than [`MAX_NOTES`] notes, those that no
//! longer matter are dropped and the file is replaced, whole. What it adds up to stays the same.

use super::compact;
use super::line::{FORMAT, Header, Line, Names, VERSION};
use crate::durable::{self, Access, Hold};
use crate::ports::{BoxError, Journal, JournalError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rollkey_core::{Facts, Note, Timestamp};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

/// With more notes than this, those that no longer matter are looked for: about 256 KiB.
pub const MAX_NOTES: usize = 1_000;

/// How many notes come in before they are looked for again.
const COMPACT_EVERY: usize = 100;

/// No journal of ours is as long as this, in bytes.
const MAX_LEN: u64 = 16 * 1024 * 1024;

/// A journal in a file.
#[derive(Clone, Debug)]
pub struct FileJournal {
    path: PathBuf,
    names: Names,
}

impl FileJournal {
    /// The journal at `path`, which is created with the first note.
    ///
    /// * `scopes`, `sinks`: what the configuration calls them, in the order in which the core
    ///   counts them. Notes that speak of others are kept and passed over.
    pub fn new(path: impl Into<PathBuf>, scopes: Vec<String>, sinks: Vec<String>) -> Self {
        Self { path: path.into(), names: Names { scopes, sinks } }
    }

    async fn add_up(&self) -> Result<Facts, JournalError> {
        let file = loop {
            let file = match File::open(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Facts::default());
                }
                file => file.map_err(self.failed("open"))?,
            };
            if self.locked(&file, Hold::Shared).await? {
                break file;
            }
        };
        let mut facts = Facts::default();
        let contents = self.read(&file)?;
        let notes = contents.lines.iter().filter_map(|(_, line)| line.note(&self.names));
        notes.for_each(|(note, at)| facts.add(note, at));
        Ok(facts)
    }

    async fn append(&self, note: Note, at: Timestamp) -> Result<(), JournalError> {
        let line = Line::new(note, at, &self.names).map_err(self.failed("write"))?;
        let text = line.to_text().map_err(self.failed("write"))?;
        let mut file = self.open_alone().await?;
        let contents = self.read(&file)?;
        if contents.good < contents.len {
            tracing::warn!(journal = %self.path.display(), "a torn last line was cut off");
            file.set_len(contents.good).map_err(self.failed("mend"))?;
            fail::fail_point!("journal::file::torn_line_cut");
        }
        let written = format!("{}{text}", contents.missing);
        file.write_all(written.as_bytes()).map_err(|error| {
            // Half a line would be cut off by the next note anyway.
            _ = file.set_len(contents.good);
            self.failed("write")(error)
        })?;
        fail::fail_point!("journal::file::line_written");
        file.sync_all().map_err(self.failed("write"))?;
        let mut lines = contents.lines;
        lines.push((text.trim_end().as_bytes().to_vec(), line));
        if lines.len() > MAX_NOTES && lines.len() % COMPACT_EVERY == 0 {
            // The note is safe. If there is no room for another file, there may be later.
            if let Err(error) = self.compact(lines) {
                tracing::warn!(journal = %self.path.display(), %error, "could not be compacted");
            }
        }
        Ok(())
    }

    /// Opens the file, alone, and creates it if need be.
    async fn open_alone(&self) -> Result<File, JournalError> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            durable::create_folder(folder, Access::PRIVATE_FOLDER)
                .map_err(self.failed("create"))?;
        }
        loop {
            let file = durable::open_append(&self.path).map_err(self.failed("open"))?;
            fail::fail_point!("journal::file::opened");
            if self.locked(&file, Hold::Alone).await? {
                return Ok(file);
            }
        }
    }

    /// Locks the file. Says no if it was replaced while we waited.
    async fn locked(&self, file: &File, hold: Hold) -> Result<bool, JournalError> {
        durable::lock(file, hold, durable::PATIENCE).await.map_err(self.failed("lock"))?;
        durable::is_still(file, &self.path).map_err(self.failed("open"))
    }

    fn read(&self, file: &File) -> Result<Contents, JournalError> {
        if !file.metadata().map_err(self.failed("read"))?.is_file() {
            return Err(self.failed("read")("it is not a file"));
        }
        let mut bytes = Vec::new();
        file.take(MAX_LEN).read_to_end(&mut bytes).map_err(self.failed("read"))?;
        if bytes.len() as u64 == MAX_LEN {
            return Err(self.failed("read")("it is too long to be a journal"));
        }
        Contents::parse(&bytes).map_err(|problem| match problem {
            Problem::Damaged { line, problem } => {
                JournalError::Damaged { place: self.place(), line, problem }
            }
            Problem::Version(found) => {
                JournalError::Version { place: self.place(), found, known: VERSION }
            }
        })
    }

    /// Replaces the file, which is locked, by one with the lines that matter, as they were.
    fn compact(&self, lines: Vec<(Vec<u8>, Line)>) -> Result<(), JournalError> {
        let (texts, lines): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
        let kept = compact::matter(&lines, &self.names);
        let dropped = kept.iter().filter(|kept| !**kept).count();
        if dropped < COMPACT_EVERY {
            return Ok(());
        }
        let mut compacted = Header::ours().into_bytes();
        for (text, _) in texts.iter().zip(&kept).filter(|(_, kept)| **kept) {
            compacted.extend(text);
            compacted.push(b'\n');
        }
        durable::sweep_after(&self.path).map_err(self.failed("tidy up"))?;
        durable::replace(&self.path, &compacted, Access::PRIVATE)
            .map_err(self.failed("replace"))?;
        fail::fail_point!("journal::file::compacted");
        tracing::debug!(journal = %self.path.display(), dropped, "compacted");
        Ok(())
    }

    fn failed<E: Into<BoxError>>(
        &self,
        action: &'static str,
    ) -> impl Fn(E) -> JournalError + use<E> {
        let place = self.place();
        move |error| JournalError::Io { action, place: place.clone(), source: error.into() }
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

impl Journal for FileJournal {
    fn facts(&self) -> BoxFuture<'_, Result<Facts, JournalError>> {
        self.add_up().boxed()
    }

    fn note(&self, note: Note, at: Timestamp) -> BoxFuture<'_, Result<(), JournalError>> {
        self.append(note, at).boxed()
    }
}

/// What stands in the file.
#[derive(Debug)]
struct Contents {
    /// The notes, each with its text.
    lines: Vec<(Vec<u8>, Line)>,
    /// The length of the file.
    len: u64,
    /// Up to where it is good; what follows is a torn line.
    good: u64,
    /// What must be written there before another note.
    missing: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Damaged { line: usize, problem: String },
    Version(u32),
}

impl Contents {
    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let len = bytes.len() as u64;
        let mut contents = Self { lines: Vec::new(), len, good: 0, missing: Header::ours() };
        for (n, text) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let end = contents.good + text.len() as u64;
            let is_whole = text.ends_with(b"\n");
            let is_last = end == len;
            let read = match n {
                0 => header(text),
                _ if text.trim_ascii().is_empty() => Ok(()),
                _ => Line::parse(text)
                    .map(|line| {
                        contents.lines.push((text.trim_ascii_end().to_vec(), line));
                    })
                    .map_err(|problem| Problem::Damaged { line: n + 1, problem }),
            };
            match read {
                Ok(()) => (),
                // Only what we began ourselves may be cut off: not somebody's file of one line.
                Err(Problem::Damaged { .. }) if is_last && n == 0 && is_torn_header(text) => break,
                // After a loss of power, a line that was being written may be there as zeros.
                Err(Problem::Damaged { .. })
                    if is_last && 0 < n && (!is_whole || text.contains(&0)) =>
                {
                    break;
                }
                Err(problem) => return Err(problem),
            }
            contents.good = end;
            contents.missing = if is_whole { String::new() } else { "\n".to_owned() };
        }
        Ok(contents)
    }
}

fn header(text: &[u8]) -> Result<(), Problem> {
    let damaged = |problem: String| Problem::Damaged { line: 1, problem };
    let header: Header = serde_json::from_slice(text)
        .map_err(|_| damaged("this is not the first line of a journal".to_owned()))?;
    match (header.format.as_str(), header.version) {
        (FORMAT, VERSION) => Ok(()),
        (FORMAT, later) => Err(Problem::Version(later)),
        (other, _) => Err(damaged(format!("this is a file of format `{other}`"))),
    }
}

fn is_torn_header(text: &[u8]) -> bool {
    let ours = Header::ours();
    ours.as_bytes().starts_with(text) || text.iter().all(|byte| *byte == 0)
}
