//! Microsoft Graph: which keys are registered on an application or a service principal.
//!
//! Translates, and decides nothing. A private key never comes in here, not even by mistake: what
//! is registered is a certificate. Proof and token appear in no message.
//!
//! # Source
//!
//! Microsoft Graph v1.0 documentation: "Get application", "application: addKey", "application:
//! removeKey", and the same three of servicePrincipal; rules `KEY-…` in `docs/protocol.md`.

mod refused;
mod target;
mod wire;

pub use target::{By, Kind, Target};
pub use wire::{KeyCredential, Registered};

use crate::cloud::Cloud;
use crate::http::{Answer, Http, HttpError, Request};
use crate::ports::{
    AccessToken, BoxError, CertificateDer, Dated, Directory, DirectoryError, DirectoryView,
};
use crate::secret::SecretBytes;
use futures_util::future::BoxFuture;
use refused::{Operation, refused};
use rollkey_core::{KeyId, Listing, ObjectId, Proof};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use wire::{AddKey, Added, Names, Object, RemoveKey};

/// One application or service principal in Microsoft Graph.
#[derive(Debug)]
pub struct Graph {
    http: Http,
    target: Target,
    url: String,
    object_id: OnceCell<ObjectId>,
}

impl Graph {
    /// For `target`, in the tenant of whoever asks.
    pub fn new(http: Http, cloud: &Cloud, target: Target) -> Self {
        let url = format!("{}/v1.0/{}", cloud.graph(), target.path());
        Self { http, target, url, object_id: OnceCell::new() }
    }

    /// The object that this is about.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Reads the object with its key credentials, for people to look at.
    ///
    /// The answer may be some minutes old.
    ///
    /// # Errors
    ///
    /// [`DirectoryError::Forbidden`] if we may not read it.
    pub async fn describe(
        &self,
        bearer: &AccessToken,
    ) -> Result<Dated<Registered>, DirectoryError> {
        // Only a read of one object that names `keyCredentials` shows the certificates themselves.
        let answer = self.get("id,appId,displayName,keyCredentials", bearer).await?;
        let object: Object = understood(&answer)?;
        let registered = object
            .registered()
            .ok_or_else(|| unexpected(&answer, "an object without key credentials"))?;
        Ok(Dated { value: registered, service_time: answer.service_time })
    }

    async fn get(&self, fields: &str, bearer: &AccessToken) -> Result<Answer, DirectoryError> {
        let url = format!("{}?$select={fields}", self.url);
        let answer = self.http.send(&Request::get(url, bearer)).await;
        // Nothing is changed by a question, so a lost answer to one is no more than no answer.
        let answer = answer.map_err(|error| DirectoryError::Unreachable(Box::new(error)))?;
        match answer.status {
            200 => Ok(answer),
            _ => Err(refused(Operation::Get, self.target, &answer)),
        }
    }

    async fn post(
        &self,
        operation: Operation,
        bearer: &AccessToken,
        body: &impl serde::Serialize,
    ) -> Result<Answer, DirectoryError> {
        let url = format!("{}/{}", self.url, operation.name());
        let json = serde_json::to_vec(body).expect("strings and ids become JSON");
        let answer = self.http.send(&Request::change(url, bearer, SecretBytes::new(json))).await;
        answer.map_err(|error| match error {
            HttpError::NoAnswer { .. } => lost(operation, error),
            _ => DirectoryError::Unreachable(Box::new(error)),
        })
    }
}

impl Directory for Graph {
    fn object_id<'a>(
        &'a self,
        bearer: &'a AccessToken,
    ) -> BoxFuture<'a, Result<ObjectId, DirectoryError>> {
        Box::pin(async move {
            if let By::ObjectId(id) = self.target.by {
                return Ok(id);
            }
            let ask = || async {
                let answer = self.get("id,appId", bearer).await?;
                understood(&answer).map(|names: Names| names.id)
            };
            self.object_id.get_or_try_init(ask).await.copied()
        })
    }

    fn list<'a>(
        &'a self,
        bearer: &'a AccessToken,
    ) -> BoxFuture<'a, Result<Dated<DirectoryView>, DirectoryError>> {
        Box::pin(async move {
            let answer = match self.get("id,appId,displayName,keyCredentials", bearer).await {
                Ok(answer) => answer,
                Err(DirectoryError::Forbidden { refusal, .. }) => {
                    let service_time = refusal.service_time;
                    return Ok(Dated { value: DirectoryView::Forbidden(refusal), service_time });
                }
                Err(error) => return Err(error),
            };
            let object: Object = understood(&answer)?;
            // No list is not an empty list.
            let listing = match object.registered() {
                Some(object) => {
                    Listing::Read(object.keys.iter().map(KeyCredential::listed).collect())
                }
                None => Listing::Unreadable,
            };
            let value = DirectoryView::Listing(listing);
            Ok(Dated { value, service_time: answer.service_time })
        })
    }

    fn add_key<'a>(
        &'a self,
        bearer: &'a AccessToken,
        certificate: &'a CertificateDer,
        display_name: &'a str,
        proof: &'a Proof,
    ) -> BoxFuture<'a, Result<Dated<KeyId>, DirectoryError>> {
        Box::pin(async move {
            let body = AddKey::new(certificate, display_name, proof);
            let answer = self.post(Operation::AddKey, bearer, &body).await?;
            match answer.status {
                200 | 201 => match answer.json() {
                    Some(Added { key_id }) => {
                        Ok(Dated { value: key_id, service_time: answer.service_time })
                    }
                    // The example in the documentation has none either.
                    None => {
                        let refusal = answer.refusal("", "registered, and no keyId was named");
                        Err(lost(Operation::AddKey, refusal))
                    }
                },
                _ => Err(refused(Operation::AddKey, self.target, &answer)),
            }
        })
    }

    fn remove_key<'a>(
        &'a self,
        bearer: &'a AccessToken,
        key_id: KeyId,
        proof: &'a Proof,
    ) -> BoxFuture<'a, Result<Dated<()>, DirectoryError>> {
        Box::pin(async move {
            let body = RemoveKey::new(key_id, proof);
            let answer = self.post(Operation::RemoveKey, bearer, &body).await?;
            match answer.status {
                200 | 204 => Ok(Dated { value: (), service_time: answer.service_time }),
                400 if refused::finds_nothing_to_remove(&answer) => {
                    Ok(Dated { value: (), service_time: answer.service_time })
                }
                _ => Err(refused(Operation::RemoveKey, self.target, &answer)),
            }
        })
    }
}

fn understood<T: DeserializeOwned>(answer: &Answer) -> Result<T, DirectoryError> {
    answer.json().ok_or_else(|| DirectoryError::Unexpected {
        operation: Operation::Get.name(),
        refusal: answer.unintelligible(),
    })
}

fn lost(operation: Operation, source: impl Into<BoxError>) -> DirectoryError {
    DirectoryError::OutcomeUnknown { operation: operation.name(), source: source.into() }
}

fn unexpected(answer: &Answer, message: &str) -> DirectoryError {
    DirectoryError::Unexpected {
        operation: Operation::Get.name(),
        refusal: answer.refusal("", message),
    }
}
