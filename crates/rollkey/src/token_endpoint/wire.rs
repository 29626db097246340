//! The JSON of the token endpoint, and what its codes mean to us.
//!
//! Nothing is decided by a text: Microsoft warns that they change. The codes are those that were
//! seen or are documented; a code that is not listed is [`Code::Other`].

use crate::answer::Refusal;
use crate::http::Answer;
use crate::ports::AccessToken;
use crate::secret::SecretBytes;
use rollkey_core::{Span, Timestamp};
use serde::{Deserialize, Deserializer};

/// Of the key: not registered, expired, or its signature is wrong.
const KEY: u64 = 700_027;
/// Of the clock: not within the assertion's time.
const TIME: u64 = 700_024;
/// Of the load: the same request too often; a passing fault of the directory.
const LOAD: [u64; 2] = [50_196, 90_033];

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Key,
    Time,
    Throttled,
    Other,
}

/// A token, granted.
#[derive(Deserialize)]
pub(super) struct Granted {
    access_token: String,
    #[serde(deserialize_with = "seconds")]
    expires_in: u64,
}

impl Granted {
    pub(super) fn token(self, granted_at: Timestamp) -> AccessToken {
        AccessToken {
            token: SecretBytes::from(self.access_token),
            expires_at: granted_at + Span(self.expires_in),
        }
    }
}

/// Older endpoints write the number as a string.
fn seconds<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(u64),
        Text(String),
    }
    match Seconds::deserialize(input)? {
        Seconds::Number(n) => Ok(n),
        Seconds::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    error_codes: Vec<u64>,
    trace_id: Option<String>,
}

pub(super) fn refusal(answer: &Answer) -> (Code, Refusal) {
    let Some(body) = answer.json::<Refused>() else {
        return (Code::Other, answer.unintelligible());
    };
    let (number, text) = split(&body.error_description);
    let codes = if body.error_codes.is_empty() { number.as_slice() } else { &body.error_codes };
    let code = match codes {
        _ if codes.contains(&KEY) => Code::Key,
        _ if codes.contains(&TIME) => Code::Time,
        _ if codes.iter().any(|code| LOAD.contains(code)) => Code::Throttled,
        _ if body.error == "temporarily_unavailable" => Code::Throttled,
        _ => Code::Other,
    };
    let name = match codes.first() {
        Some(code) => format!("AADSTS{code}"),
        None => body.error,
    };
    let mut refusal = answer.refusal(name, text);
    refusal.request_id = body.trace_id.or(refusal.request_id);
    (code, refusal)
}

/// `AADSTS700027: text … Trace ID: … Correlation ID: … Timestamp: …` into number and text. The
/// tail is set off by line breaks in older answers, by spaces in newer ones.
fn split(description: &str) -> (Option<u64>, &str) {
    let text = match description.rfind("Trace ID:") {
        Some(tail) => &description[..tail],
        None => description,
    };
    let text = text.trim();
    let numbered = text.strip_prefix("AADSTS").and_then(|rest| rest.split_once(':'));
    match numbered.and_then(|(number, rest)| Some((number.parse().ok()?, rest))) {
        Some((number, rest)) => (Some(number), rest.trim_start()),
        None => (None, text),
    }
}
