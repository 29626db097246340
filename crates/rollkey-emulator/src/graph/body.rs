//! Bodies: JSON objects, and key credentials in them as clients send them.
//!
//! Form only: types and names of properties. Whether what is asked for may be done is judged in
//! the rooms `keys` and `update`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::refusal::{self, Refusal};
use crate::certificate::{self, Certificate};
use crate::directory::Usage;
use crate::json;
use crate::rules::keys as rules;
use crate::visit::Visit;

/// How deep a body may nest.
const DEPTH: usize = 16;

/// A JSON object with the name of its type.
pub(super) struct Members {
    members: Map<String, Value>,
    of: &'static str,
}

impl Members {
    /// Reads the body of a request; `of` is the type for messages.
    pub(super) fn read(visit: &Visit<'_>, of: &'static str) -> Result<Self, Refusal> {
        if !visit.request.has_content_type("application/json") {
            return Err(refusal::not_json());
        }
        let body = visit.request.body.as_deref().ok_or_else(refusal::not_json)?;
        let members = json::object(body, DEPTH).map_err(|_| refusal::not_json())?;
        Ok(Self { members, of })
    }

    /// Refuses properties that are not among `known`; annotations pass.
    pub(super) fn allow(&self, known: &[&str]) -> Result<(), Refusal> {
        let is_known = |name: &&String| known.contains(&name.as_str()) || name.contains('@');
        match self.members.keys().find(|name| !is_known(name)) {
            Some(name) => Err(refusal::unknown_property(name, self.of)),
            None => Ok(()),
        }
    }

    /// The names of all properties but annotations.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str).filter(|name| !name.contains('@'))
    }

    /// The value, unless it is absent or null.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Whether the property is there, null or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let text = |value: &'_ Value| value.as_str().is_none();
        match self.value(name) {
            Some(value) if text(value) => Err(refusal::wrong_type(name, "Edm.String")),
            value => Ok(value.and_then(Value::as_str)),
        }
    }

    pub(super) fn object(&self, name: &str, of: &'static str) -> Result<Option<Self>, Refusal> {
        match self.value(name) {
            Some(Value::Object(members)) => Ok(Some(Self { members: members.clone(), of })),
            Some(_) => Err(refusal::wrong_type(name, of)),
            None => Ok(None),
        }
    }

    pub(super) fn objects(&self, name: &str, of: &'static str) -> Result<Vec<Self>, Refusal> {
        let wrong = || refusal::wrong_type(name, of);
        let items = self.value(name).and_then(Value::as_array).ok_or_else(wrong)?;
        let object = |item: &Value| match item {
            Value::Object(members) => Ok(Self { members: members.clone(), of }),
            _ => Err(wrong()),
        };
        items.iter().map(object).collect()
    }
}

/// The type of a key credential, for messages.
pub(super) const KEY_CREDENTIAL: &str = "microsoft.graph.keyCredential";

/// A key credential as a client sent it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) key_id: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) usage: Option<String>,
    pub(super) key: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) custom_key_identifier: Option<String>,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
}

impl Sent {
    pub(super) fn read(members: &Members) -> Result<Self, Refusal> {
        members.allow(&[
            "customKeyIdentifier",
            "displayName",
            "endDateTime",
            "key",
            "keyId",
            "startDateTime",
            "type",
            "usage",
        ])?;
        let text = |name: &str| members.text(name).map(|text| text.map(str::to_owned));
        Ok(Self {
            key_id: text("keyId")?,
            kind: text("type")?,
            usage: text("usage")?,
            key: text("key")?,
            display_name: text("displayName")?,
            custom_key_identifier: text("customKeyIdentifier")?,
            start: text("startDateTime")?,
            end: text("endDateTime")?,
        })
    }

    /// The pair of `type` and `usage` (KEY-5).
    pub(super) fn usage(&self) -> Result<Usage, Refusal> {
        let usage = match self.usage.as_deref() {
            Some("Verify") => Usage::Verify,
            Some("Sign") => Usage::Sign,
            _ => return Err(refusal::usage()),
        };
        match self.kind.as_deref() {
            Some("AsymmetricX509Cert") if usage == Usage::Verify => Ok(usage),
            Some("X509CertAndPassword") if usage == Usage::Sign => Ok(usage),
            Some("AsymmetricX509Cert" | "X509CertAndPassword") => Err(refusal::usage()),
            _ => Err(refusal::credential_type()),
        }
    }

    /// The certificate of an entry that verifies, strictly DER (KEY-4).
    pub(super) fn certificate(&self) -> Result<Certificate, Refusal> {
        let key = self.key.as_deref().ok_or_else(refusal::not_a_certificate)?;
        let der = BASE64_STANDARD.decode(key).map_err(|_| refusal::not_a_certificate())?;
        Certificate::read(&der).ok_or_else(refusal::not_a_certificate)
    }

    /// The certificate of an entry in PATCH: line ends do not matter, and PEM will do.
    pub(super) fn certificate_in_any_form(&self) -> Result<Certificate, Refusal> {
        let key = self.key.as_deref().ok_or_else(refusal::not_a_certificate)?;
        let key: String = key.chars().filter(|char| !char.is_ascii_whitespace()).collect();
        let bytes = BASE64_STANDARD.decode(key).map_err(|_| refusal::not_a_certificate())?;
        let of_pem = || {
            let block = pem::parse(&bytes).ok()?;
            (block.tag() == "CERTIFICATE").then(|| Certificate::read(block.contents()))?
        };
        Certificate::read(&bytes).or_else(of_pem).ok_or_else(refusal::not_a_certificate)
    }

    /// The certificate in the PFX of an entry that signs (KEY-6).
    pub(super) fn certificate_in_pfx(&self, password: &str) -> Result<Certificate, Refusal> {
        let key = self.key.as_deref().ok_or_else(refusal::not_a_certificate)?;
        let pfx = BASE64_STANDARD.decode(key).map_err(|_| refusal::not_a_certificate())?;
        certificate::certificate_in_pfx(&pfx, password).ok_or_else(|| {
            refusal::password(
                "Invalid credential value. Error: The specified network password is not correct.\r\n",
            )
        })
    }

    /// The bytes of `customKeyIdentifier`.
    pub(super) fn custom_key_identifier(&self) -> Result<Option<Vec<u8>>, Refusal> {
        let decode = |text: &String| BASE64_STANDARD.decode(text);
        self.custom_key_identifier
            .as_ref()
            .map(decode)
            .transpose()
            .map_err(|_| refusal::wrong_type("customKeyIdentifier", "Edm.Binary"))
    }

    /// Start and end of a new key: the certificate's, unless others are given within them
    /// (KEY-7, KEY-8).
    pub(super) fn dates(&self, certificate: &Certificate, now: i64) -> Result<(i64, i64), Refusal> {
        let bad_end = || refusal::end_date(&rules::END_DATE);
        let start = match &self.start {
            Some(text) => instant(text).ok_or_else(refusal::start_date)?,
            None => certificate.not_before,
        };
        let end = match &self.end {
            Some(text) => instant(text).ok_or_else(bad_end)?,
            None => certificate.not_after,
        };
        if start < certificate.not_before {
            return Err(refusal::start_date());
        }
        if end <= start || end <= now || end > certificate.not_after {
            return Err(bad_end());
        }
        Ok((start, end))
    }
}

/// Reads an instant in UTC, written with `Z` or `+00:00`; fractions of a second are cut off.
pub(super) fn instant(text: &str) -> Option<i64> {
    let is_utc = text.ends_with(['Z', 'z']) || text.ends_with("+00:00");
    let timestamp: jiff::Timestamp = is_utc.then(|| text.parse().ok())??;
    Some(timestamp.as_nanosecond().div_euclid(1_000_000_000) as i64)
}
