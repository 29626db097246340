//! One note as one line of JSON.
//!
//! ```text
//! {"format":"rollkey-journal","version":1}
//! {"at":"2026-11-23T15:04:05Z","note":"staged","key":{"sha1":"…","sha256":"…"}}
//! {"at":"…","note":"registered","key":{…},"key_id":"6b…"}
//! {"at":"…","note":"accepted","key":{…},"scope":"https://graph.microsoft.com/.default"}
//! {"at":"…","note":"delivery_failed","sink":"app"}
//! ```
//!
//! | note | has besides `at` | says |
//! | --- | --- | --- |
//! | `seen` | `key` | the journal hears of this key |
//! | `staged` | `key` | we made it just now |
//! | `sent` | `key` | an `addKey` or `removeKey` for it is about to be sent |
//! | `not_taken` | `key` | that call is certain to have changed nothing |
//! | `registered` | `key`, `key_id` | the reply to `addKey` named this `keyId` |
//! | `accepted`, `refused` | `key`, `scope` | what the token endpoint said |
//! | `discarded` | `key` | our private key was destroyed |
//! | `delivery_failed`, `delivery_done` | `sink` | what came of a delivery |
//! | `clock_set_back` | | nothing noted so far happened later than this |
//!
//! The core counts scopes and sinks; the file names them, so that it outlives a change of the
//! configuration. A member that is not known is passed over. The names are a promise: a change of
//! meaning is a new version.

use rollkey_core::{
    Audience, KeyId, Note, Sha1Thumbprint, Sha256Thumbprint, SinkId, Thumbprint, Timestamp,
};
use serde::{Deserialize, Serialize};

pub(super) const FORMAT: &str = "rollkey-journal";
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
}

impl Header {
    /// The one that we write, with its line end.
    pub(super) fn ours() -> String {
        format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION}}}\n")
    }
}

/// What a configuration calls its scopes and sinks, in the order in which the core counts them.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) scopes: Vec<String>,
    pub(super) sinks: Vec<String>,
}

impl Names {
    fn audience(&self, scope: &str) -> Option<Audience> {
        position(&self.scopes, scope).map(Audience)
    }

    fn sink(&self, sink: &str) -> Option<SinkId> {
        position(&self.sinks, sink).map(SinkId)
    }
}

fn position(names: &[String], name: &str) -> Option<u8> {
    names.iter().position(|known| known == name).and_then(|n| u8::try_from(n).ok())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Seen,
    Staged,
    Sent,
    NotTaken,
    Registered,
    Accepted,
    Refused,
    Discarded,
    DeliveryFailed,
    DeliveryDone,
    ClockSetBack,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    sha1: String,
    sha256: String,
}

/// A line, read and found to make sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    at: jiff::Timestamp,
    note: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sink: Option<String>,
}

impl Line {
    /// Names what the core counts.
    pub(super) fn new(note: Note, at: Timestamp, names: &Names) -> Result<Self, String> {
        let seconds = i64::try_from(at.0).map_err(|error| error.to_string())?;
        let at = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
        let mut line =
            Self { at, note: Kind::ClockSetBack, key: None, key_id: None, scope: None, sink: None };
        let scope = |audience: Audience| {
            let scope = names.scopes.get(usize::from(audience.0));
            scope.cloned().ok_or_else(|| format!("there is no scope number {}", audience.0))
        };
        let sink = |id: SinkId| {
            let sink = names.sinks.get(usize::from(id.0));
            sink.cloned().ok_or_else(|| format!("there is no sink number {}", id.0))
        };
        let (kind, key) = match note {
            Note::Seen(key) => (Kind::Seen, Some(key)),
            Note::Staged(key) => (Kind::Staged, Some(key)),
            Note::Sent(key) => (Kind::Sent, Some(key)),
            Note::NotTaken(key) => (Kind::NotTaken, Some(key)),
            Note::Registered(key, key_id) => {
                line.key_id = Some(key_id.to_string());
                (Kind::Registered, Some(key))
            }
            Note::Accepted(key, audience) => {
                line.scope = Some(scope(audience)?);
                (Kind::Accepted, Some(key))
            }
            Note::Refused(key, audience) => {
                line.scope = Some(scope(audience)?);
                (Kind::Refused, Some(key))
            }
            Note::Discarded(key) => (Kind::Discarded, Some(key)),
            Note::DeliveryFailed(id) => {
                line.sink = Some(sink(id)?);
                (Kind::DeliveryFailed, None)
            }
            Note::DeliveryDone(id) => {
                line.sink = Some(sink(id)?);
                (Kind::DeliveryDone, None)
            }
            Note::ClockSetBack => (Kind::ClockSetBack, None),
        };
        line.note = kind;
        line.key =
            key.map(|key| Key { sha1: key.sha1.to_string(), sha256: key.sha256.to_string() });
        Ok(line)
    }

    /// Reads a line, or says what is wrong with it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let line: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        line.numbered(&Names::default())?;
        Ok(line)
    }

    /// Its text, with its end.
    pub(super) fn to_text(&self) -> Result<String, String> {
        let mut text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        text.push('\n');
        Ok(text)
    }

    /// What it says to whoever has these names; nothing if it speaks of another scope or sink.
    pub(super) fn note(&self, names: &Names) -> Option<(Note, Timestamp)> {
        self.numbered(names).ok().flatten()
    }

    /// The scope that it speaks of.
    pub(super) fn scope(&self) -> Option<&String> {
        self.scope.as_ref()
    }

    /// The sink that it speaks of.
    pub(super) fn sink(&self) -> Option<&String> {
        self.sink.as_ref()
    }

    fn numbered(&self, names: &Names) -> Result<Option<(Note, Timestamp)>, String> {
        let at = u64::try_from(self.at.as_second())
            .map_err(|_| "`at` is before 1970".to_owned())
            .map(Timestamp)?;
        let audience = || {
            let scope = self.scope.as_ref().ok_or("`scope` is missing")?;
            Ok::<_, String>(names.audience(scope))
        };
        let sink = || {
            let sink = self.sink.as_ref().ok_or("`sink` is missing")?;
            Ok::<_, String>(names.sink(sink))
        };
        let note = match self.note {
            Kind::Seen => Some(Note::Seen(self.thumbprint()?)),
            Kind::Staged => Some(Note::Staged(self.thumbprint()?)),
            Kind::Sent => Some(Note::Sent(self.thumbprint()?)),
            Kind::NotTaken => Some(Note::NotTaken(self.thumbprint()?)),
            Kind::Registered => Some(Note::Registered(self.thumbprint()?, self.key_id()?)),
            Kind::Accepted => {
                let key = self.thumbprint()?;
                audience()?.map(|audience| Note::Accepted(key, audience))
            }
            Kind::Refused => {
                let key = self.thumbprint()?;
                audience()?.map(|audience| Note::Refused(key, audience))
            }
            Kind::Discarded => Some(Note::Discarded(self.thumbprint()?)),
            Kind::DeliveryFailed => sink()?.map(Note::DeliveryFailed),
            Kind::DeliveryDone => sink()?.map(Note::DeliveryDone),
            Kind::ClockSetBack => Some(Note::ClockSetBack),
        };
        Ok(note.map(|note| (note, at)))
    }

    fn thumbprint(&self) -> Result<Thumbprint, String> {
        let key = self.key.as_ref().ok_or("`key` is missing")?;
        let sha1 = hex(&key.sha1).ok_or("`sha1` is not 40 hexadecimal digits")?;
        let sha256 = hex(&key.sha256).ok_or("`sha256` is not 64 hexadecimal digits")?;
        Ok(Thumbprint { sha1: Sha1Thumbprint(sha1), sha256: Sha256Thumbprint(sha256) })
    }

    fn key_id(&self) -> Result<KeyId, String> {
        let id = self.key_id.as_ref().ok_or("`key_id` is missing")?;
        id.parse().map_err(|error| format!("`key_id`: {error}"))
    }
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    // Twice in every line, and every line at every look: by hand, for speed.
    let value = |digit: u8| char::from(digit).to_digit(16);
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from((value(pair[0])? << 4) | value(pair[1])?).ok()?;
    }
    Some(bytes)
}
