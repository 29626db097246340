//! The JSON of Graph, both ways, and what of it the house needs.
//!
//! What goes out holds a proof and is serialized once, into bytes that do not print. What comes in
//! is public; what makes no sense in it becomes `None` and never a guess.

use super::refused::instant;
use crate::certificate::{self, thumbprint};
use crate::ports::CertificateDer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollkey_core::{
    AppId, KeyId, Listed, ObjectId, Proof, Sha1Thumbprint, Sha256Thumbprint, Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::str::FromStr;

// --- out ----------------------------------------------------------------------------------------

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddKey<'a> {
    key_credential: NewCredential<'a>,
    password_credential: Option<()>,
    proof: &'a str,
}

/// Without dates, which Graph takes from the certificate; and without `keyId`, which it refuses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewCredential<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    usage: &'static str,
    key: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'a str,
}

impl<'a> AddKey<'a> {
    pub(super) fn new(
        certificate: &CertificateDer,
        display_name: &'a str,
        proof: &'a Proof,
    ) -> Self {
        let key_credential = NewCredential {
            kind: "AsymmetricX509Cert",
            usage: "Verify",
            key: STANDARD.encode(&certificate.0),
            display_name,
        };
        Self { key_credential, password_credential: None, proof: proof.token() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemoveKey<'a> {
    key_id: String,
    proof: &'a str,
}

impl<'a> RemoveKey<'a> {
    pub(super) fn new(key_id: KeyId, proof: &'a Proof) -> Self {
        Self { key_id: key_id.to_string(), proof: proof.token() }
    }
}

// --- in -----------------------------------------------------------------------------------------

/// The answer to `addKey`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Added {
    #[serde(deserialize_with = "id")]
    pub(super) key_id: KeyId,
}

/// An object, asked for its ids.
#[derive(Deserialize)]
pub(super) struct Names {
    #[serde(deserialize_with = "id")]
    pub(super) id: ObjectId,
}

/// An object, asked for its keys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    #[serde(deserialize_with = "id")]
    id: ObjectId,
    #[serde(deserialize_with = "id")]
    app_id: AppId,
    display_name: Option<String>,
    key_credentials: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(deserialize_with = "id")]
    key_id: KeyId,
    custom_key_identifier: Option<String>,
    display_name: Option<String>,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
    key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    usage: Option<String>,
}

fn id<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = rollkey_core::ParseIdError>,
{
    String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
}

/// An application or service principal with its keys, as the directory shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Of this object; the issuer of its proofs.
    pub id: ObjectId,
    /// Of the application.
    pub app_id: AppId,
    /// For people.
    pub display_name: Option<String>,
    /// Ours and everybody's, in the order of the directory, which means nothing.
    pub keys: Vec<KeyCredential>,
}

/// One entry of `keyCredentials`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCredential {
    /// Names the entry.
    pub key_id: KeyId,
    /// What whoever registered it called it.
    pub display_name: Option<String>,
    /// When it begins to be accepted.
    pub start: Option<Timestamp>,
    /// When it ceases to be accepted, whatever its certificate says.
    pub end: Option<Timestamp>,
    /// `AsymmetricX509Cert`, `X509CertAndPassword`.
    pub kind: String,
    /// `Verify`, `Sign`.
    pub usage: String,
    /// From the certificate where it was shown, otherwise from `customKeyIdentifier`, where a
    /// client may have stored anything.
    pub sha1: Option<Sha1Thumbprint>,
    /// From the certificate, where it was shown.
    pub sha256: Option<Sha256Thumbprint>,
    /// The certificate, where it was shown.
    pub certificate: Option<CertificateDer>,
}

impl KeyCredential {
    /// What the decision needs of it.
    pub fn listed(&self) -> Listed {
        Listed { key_id: self.key_id, sha1: self.sha1, sha256: self.sha256 }
    }
}

impl Object {
    /// `None` if no list came: that is not an empty list.
    pub(super) fn registered(self) -> Option<Registered> {
        let keys = self.key_credentials?.into_iter().map(Entry::credential).collect();
        let Self { id, app_id, display_name, .. } = self;
        Some(Registered { id, app_id, display_name, keys })
    }
}

impl Entry {
    fn credential(self) -> KeyCredential {
        let certificate = self.key.as_deref().and_then(shown_certificate);
        let shown = certificate.as_ref().map(|certificate| thumbprint(&certificate.0));
        let told =
            self.custom_key_identifier.as_deref().and_then(|id| Sha1Thumbprint::parse(id).ok());
        KeyCredential {
            key_id: self.key_id,
            display_name: self.display_name,
            start: self.start_date_time.as_deref().and_then(instant),
            end: self.end_date_time.as_deref().and_then(instant),
            kind: self.kind.unwrap_or_default(),
            usage: self.usage.unwrap_or_default(),
            sha1: shown.map(|thumbprint| thumbprint.sha1).or(told),
            sha256: shown.map(|thumbprint| thumbprint.sha256),
            certificate,
        }
    }
}

/// The certificate in a `key`: base64 of DER, or of the PEM that a client may have sent.
fn shown_certificate(key: &str) -> Option<CertificateDer> {
    let compact: String = key.split_whitespace().collect();
    let bytes = STANDARD.decode(compact).ok()?;
    let der = match bytes.starts_with(b"-----BEGIN") {
        true => pem::parse(bytes).ok()?.into_contents(),
        false => bytes,
    };
    // What is no certificate, whole and nothing else, has no thumbprint.
    certificate::describe(&der).ok().map(|_| CertificateDer(der))
}
