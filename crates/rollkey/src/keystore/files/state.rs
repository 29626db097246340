//! `state.json`: which keys there are and in which slots. Replaced as a whole, never changed.
//!
//! The format is a promise of its own, so nothing of the core is written as it stands. A file of a
//! later format is refused, not guessed at.

use super::{check_access, failed, key_file};
use crate::durable::{self, Access};
use crate::keystore::Roster;
use crate::ports::KeystoreError;
use rollkey_core::{
    Generation, Held, Sha1Thumbprint, Sha256Thumbprint, Slot, Thumbprint, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is written now, and the latest that is read.
const FORMAT: u32 = 1;

/// The first thing to look at: what else there is depends on it.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    generation: u64,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    sha1: String,
    sha256: String,
    slot: StoredSlot,
    since: jiff::Timestamp,
    not_after: jiff::Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredSlot {
    Pending,
    Current,
    Previous,
}

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

/// Reads the state, if only we can read it.
pub(super) fn read(folder: &Path) -> Result<Roster, KeystoreError> {
    let path = path(folder);
    check_access(folder, Access::PRIVATE_FOLDER)?;
    check_access(&key_file::folder(folder), Access::PRIVATE_FOLDER)?;
    check_access(&path, Access::PRIVATE)?;
    let text = std::fs::read(&path).map_err(failed("read", &path))?;
    parse(&text)
        .map_err(|problem| KeystoreError::Damaged { place: path.display().to_string(), problem })
}

/// Replaces the state, durably.
pub(super) fn write(folder: &Path, roster: &Roster) -> Result<(), KeystoreError> {
    let path = path(folder);
    let stored = Stored {
        format: FORMAT,
        generation: roster.generation.0,
        keys: roster.keys.iter().map(StoredKey::from).collect(),
    };
    let written =
        serde_json::to_vec_pretty(&stored).map_err(std::io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            durable::replace(&path, &text, Access::PRIVATE)
        });
    written.map_err(failed("write", &path))
}

fn parse(text: &[u8]) -> Result<Roster, String> {
    let Version { format } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if format != FORMAT {
        return Err(format!("it has format {format}, and this version of rollkey reads {FORMAT}"));
    }
    let stored: Stored = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let keys = stored.keys.iter().map(StoredKey::read).collect::<Result<_, _>>()?;
    Roster::checked(Generation(stored.generation), keys).map_err(str::to_owned)
}

impl StoredKey {
    fn read(&self) -> Result<Held, String> {
        let thumbprint = Thumbprint {
            sha1: Sha1Thumbprint(hex(&self.sha1)?),
            sha256: Sha256Thumbprint(hex(&self.sha256)?),
        };
        let slot = match self.slot {
            StoredSlot::Pending => Slot::Pending,
            StoredSlot::Current => Slot::Current,
            StoredSlot::Previous => Slot::Previous,
        };
        let since = instant(self.since)?;
        Ok(Held { thumbprint, slot, since, not_after: instant(self.not_after)? })
    }
}

impl From<&Held> for StoredKey {
    fn from(held: &Held) -> Self {
        Self {
            sha1: held.thumbprint.sha1.to_string(),
            sha256: held.thumbprint.sha256.to_string(),
            slot: match held.slot {
                Slot::Pending => StoredSlot::Pending,
                Slot::Current => StoredSlot::Current,
                Slot::Previous => StoredSlot::Previous,
            },
            since: date(held.since),
            not_after: date(held.not_after),
        }
    }
}

/// A date that people can read. What is later than the year 9999 becomes its end: no certificate
/// bears such a date either.
fn date(at: Timestamp) -> jiff::Timestamp {
    let seconds = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX)
}

fn instant(date: jiff::Timestamp) -> Result<Timestamp, String> {
    u64::try_from(date.as_second()).map(Timestamp).map_err(|_| format!("{date} is before 1970"))
}

fn hex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let wrong = || format!("{text:?} is not a thumbprint of {N} bytes");
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}
