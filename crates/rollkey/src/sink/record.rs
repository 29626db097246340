//! What was delivered, as it is written down: `meta.json` of a version, the state of an exec sink.
//!
//! A promise to readers of other programs and of later versions, so it is converted by hand. It
//! holds no secret.

use crate::ports::Delivery;
use rollkey_core::{
    Delivered, Generation, Sha1Thumbprint, Sha256Thumbprint, Thumbprint, Timestamp,
};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "rollkey-delivery";
const VERSION: u32 = 1;

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: Thumbprint,
    pub(super) generation: Generation,
    /// When it was put where consumers read it.
    pub(super) delivered_at: Timestamp,
    /// When consumers had been told; `None` if that has yet to succeed.
    pub(super) notified_at: Option<Timestamp>,
    /// Names of the files that belong to it.
    pub(super) files: Vec<String>,
    /// The version that consumers read before.
    pub(super) previous: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: String,
    version: u32,
    sha1: String,
    sha256: String,
    generation: u64,
    delivered_at: jiff::Timestamp,
    notified: bool,
    notified_at: Option<jiff::Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

/// What can be read of every version.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

impl Record {
    /// A delivery of which nobody has been told yet.
    pub(super) fn new(delivery: &Delivery, now: Timestamp) -> Self {
        Self {
            key: delivery.thumbprint,
            generation: delivery.generation,
            delivered_at: now,
            notified_at: None,
            files: Vec::new(),
            previous: None,
        }
    }

    /// Whether this is a record of that delivery.
    pub(super) fn is_of(&self, delivery: &Delivery) -> bool {
        self.key == delivery.thumbprint && self.generation == delivery.generation
    }

    /// What consumers read, if they were told.
    pub(super) fn delivered(&self) -> Option<Delivered> {
        self.notified_at.map(|since| Delivered { key: self.key, since })
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>, String> {
        let written = Written {
            format: FORMAT.to_owned(),
            version: VERSION,
            sha1: self.key.sha1.to_string(),
            sha256: self.key.sha256.to_string(),
            generation: self.generation.0,
            delivered_at: calendar(self.delivered_at)?,
            notified: self.notified_at.is_some(),
            notified_at: self.notified_at.map(calendar).transpose()?,
            files: self.files.clone(),
            previous: self.previous.clone(),
        };
        let mut json = serde_json::to_vec_pretty(&written).map_err(|error| error.to_string())?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads it, or says what is wrong with it.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, String> {
        let not_ours = |_| "was not written by rollkey".to_owned();
        let header: Header = serde_json::from_slice(json).map_err(not_ours)?;
        match (header.format.as_str(), header.version) {
            (FORMAT, VERSION) => (),
            (FORMAT, later) => {
                return Err(format!("has format {later}, and this version reads {VERSION}"));
            }
            _ => return Err("was not written by rollkey".to_owned()),
        }
        let written: Written =
            serde_json::from_slice(json).map_err(|error| format!("is damaged: {error}"))?;
        Self::parse(written).ok_or_else(|| "is damaged: no such thumbprint or time".to_owned())
    }

    fn parse(written: Written) -> Option<Self> {
        let notified_at = match written.notified_at {
            Some(at) => Some(instant(at)?),
            None => None,
        };
        Some(Self {
            key: Thumbprint {
                sha1: Sha1Thumbprint::parse(&written.sha1).ok()?,
                sha256: Sha256Thumbprint(hex(&written.sha256)?),
            },
            generation: Generation(written.generation),
            delivered_at: instant(written.delivered_at)?,
            notified_at: notified_at.filter(|_| written.notified),
            files: written.files,
            previous: written.previous,
        })
    }
}

fn calendar(at: Timestamp) -> Result<jiff::Timestamp, String> {
    let seconds = i64::try_from(at.0).map_err(|error| error.to_string())?;
    jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())
}

fn instant(at: jiff::Timestamp) -> Option<Timestamp> {
    u64::try_from(at.as_second()).ok().map(Timestamp)
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; N];
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            key: Thumbprint {
                sha1: Sha1Thumbprint([0xA1; 20]),
                sha256: Sha256Thumbprint([0x0B; 32]),
            },
            generation: Generation(7),
            delivered_at: Timestamp(1_795_446_245),
            notified_at: Some(Timestamp(1_795_446_246)),
            files: vec!["bundle.pem".to_owned()],
            previous: None,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let untold = Record { notified_at: None, previous: Some("v".to_owned()), ..record() };
        for record in [record(), untold] {
            assert_eq!(Record::from_json(&record.to_json().unwrap()), Ok(record));
        }
    }

    #[test]
    fn what_we_cannot_know_is_refused_in_words() {
        let text = String::from_utf8(record().to_json().unwrap()).unwrap();
        let refused = |text: &str| Record::from_json(text.as_bytes()).unwrap_err();
        assert_eq!(refused("{}"), "was not written by rollkey");
        assert_eq!(refused(r#"{"format":"x","version":1}"#), "was not written by rollkey");
        let later = text.replace("\"version\": 1", "\"version\": 2");
        assert_eq!(refused(&later), "has format 2, and this version reads 1");
        assert!(refused(&text.replace("A1A1", "A1")).starts_with("is damaged"));
        assert!(refused(&text.replace("generation", "g")).starts_with("is damaged"));
    }
}
