//! Applications as the owner of the emulator sees them: the truth, and what an administrator does.
//!
//! Everything here is out of band: no token, no proof, no replica in between. Clients never come
//! this way.

mod builder;

use std::sync::Arc;

use crate::certificate::{Certificate, GeneratedKey, hex};
use crate::directory::{KeyEntry, ObjectKind, Registration, Usage};
use crate::replicas::{Purpose, Replica};
use crate::seed::Stream;
use crate::tenant::Tenant;
use crate::witness::{self, Lockout};

pub use builder::{ApplicationBuilder, CreateError};

/// A new entry as an administrator makes it: dates and thumbprint are the certificate's.
fn entry(tenant: &Tenant, der: &[u8], from: Option<i64>) -> Option<KeyEntry> {
    let certificate = Certificate::read(der)?;
    Some(KeyEntry {
        key_id: tenant.seeds.guid(Stream::KeyId),
        display_name: None,
        custom_key_identifier: None,
        usage: Usage::Verify,
        start: certificate.not_before,
        end: certificate.not_after,
        certificate: Arc::new(certificate),
        from,
        to: None,
    })
}

/// A key that is registered, in truth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyCredential {
    /// The id that the Graph gave it, a GUID.
    pub key_id: String,
    /// SHA-1 of the certificate, 40 upper-case hexadecimal digits.
    pub thumbprint: String,
    /// SHA-256 of the certificate, 64 upper-case hexadecimal digits.
    pub thumbprint_sha256: String,
    /// The name, if the client gave one.
    pub display_name: Option<String>,
    /// First instant at which it is good, seconds since 1970.
    pub start: i64,
    /// First instant at which it no longer is, seconds since 1970.
    pub end: i64,
    /// What it is for.
    pub usage: Usage,
    /// The certificate, DER.
    pub certificate_der: Vec<u8>,
    /// When it was registered, seconds since 1970; `None` if it was there from the start.
    pub registered: Option<i64>,
}

/// What one replica makes of a certificate, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplicaView {
    /// Which replica; 0 is the fastest.
    pub replica: usize,
    /// Whether reads show it.
    pub lists: bool,
    /// Whether it is accepted for tokens of every audience that has a lag of its own, and of the
    /// others.
    pub accepts: bool,
    /// Whether it knows enough to accept proofs signed by it.
    pub accepts_proofs: bool,
}

/// An application with its service principal. Cheap to clone; all clones are the same one.
#[derive(Clone, Debug)]
pub struct Application {
    tenant: Arc<Tenant>,
    app_id: String,
    object_id: String,
    service_principal_id: String,
    name: String,
}

impl Application {
    pub(crate) fn new(tenant: &Arc<Tenant>, app_id: String) -> Self {
        let directory = tenant.directory();
        let found = directory.by_app_id(&app_id);
        let of =
            |value: fn(&Registration) -> &String| found.map(value).cloned().unwrap_or_default();
        let object_id = of(|found| &found.application.id);
        let service_principal_id = of(|found| &found.service_principal.id);
        let name = of(|found| &found.name);
        drop(directory);
        Self { tenant: Arc::clone(tenant), app_id, object_id, service_principal_id, name }
    }

    /// The name it was created with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The app id (client id), a GUID.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The object id of the application, a GUID.
    #[must_use]
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// The object id of the service principal, a GUID.
    #[must_use]
    pub fn service_principal_id(&self) -> &str {
        &self.service_principal_id
    }

    /// The keys that are registered on the application, in truth, the oldest first.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyCredential> {
        self.keys_on(ObjectKind::Application)
    }

    /// The keys that are registered on either object, in truth, the oldest first.
    #[must_use]
    pub fn keys_on(&self, kind: ObjectKind) -> Vec<KeyCredential> {
        self.with(|found| found.object(kind).registered().map(key_credential).collect())
    }

    /// The key pairs that the emulator made for it, in the order in which they were asked for.
    #[must_use]
    pub fn generated_keys(&self) -> Vec<GeneratedKey> {
        self.with(|found| found.generated.clone())
    }

    /// Whether **every** replica accepts this certificate (DER) for tokens, now, whatever the
    /// audience: within its dates, and registered for so long that all have heard.
    #[must_use]
    pub fn accepts(&self, certificate_der: impl AsRef<[u8]>) -> bool {
        self.replicas(certificate_der).iter().all(|view| view.accepts)
    }

    /// Whether **any** replica accepts this certificate (DER) for tokens of some audience, now.
    #[must_use]
    pub fn any_accepts(&self, certificate_der: impl AsRef<[u8]>) -> bool {
        let der = certificate_der.as_ref();
        let lags = self.tenant.settings().lags;
        self.tenant
            .replicas()
            .any(|replica| lags.audiences().any(|audience| self.token(replica, der, audience)))
    }

    /// Whether every replica accepts this certificate (DER) for tokens of this audience, now; an
    /// audience as [`Lags::token_for`](crate::Lags::token_for) names it.
    #[must_use]
    pub fn accepts_for(&self, certificate_der: impl AsRef<[u8]>, audience: &str) -> bool {
        let der = certificate_der.as_ref();
        self.tenant.replicas().all(|replica| self.token(replica, der, audience))
    }

    /// What each replica makes of this certificate (DER), now; the fastest first.
    #[must_use]
    pub fn replicas(&self, certificate_der: impl AsRef<[u8]>) -> Vec<ReplicaView> {
        let der = certificate_der.as_ref();
        let (lags, now) = (self.tenant.settings().lags, self.tenant.clock.now());
        let view = |replica: Replica| ReplicaView {
            replica: replica.number,
            lists: self.any_entry(der, |entry| replica.knows(entry, Purpose::Read, &lags, now)),
            accepts: lags.audiences().all(|audience| self.token(replica, der, audience)),
            accepts_proofs: self.any_entry(der, |entry| {
                entry.usage == Usage::Verify
                    && entry.is_within_its_dates(now)
                    && replica.knows(entry, Purpose::Proof, &lags, now)
            }),
        };
        self.tenant.replicas().map(view).collect()
    }

    fn token(&self, replica: Replica, der: &[u8], audience: &str) -> bool {
        let (lags, now) = (self.tenant.settings().lags, self.tenant.clock.now());
        self.any_entry(der, |entry| {
            entry.usage == Usage::Verify
                && entry.is_within_its_dates(now)
                && replica.knows(entry, Purpose::Token { audience }, &lags, now)
        })
    }

    fn any_entry(&self, der: &[u8], is: impl Fn(&KeyEntry) -> bool) -> bool {
        self.with(|found| found.keys().any(|entry| entry.certificate.der == der && is(entry)))
    }

    /// Registers a certificate (DER) on the application, as an administrator would; the replicas
    /// hear of it with their usual lag. Returns its `keyId`.
    ///
    /// # Errors
    ///
    /// If it is not a certificate.
    pub fn add_key_out_of_band(
        &self,
        certificate_der: impl AsRef<[u8]>,
    ) -> Result<String, CreateError> {
        self.add_key_out_of_band_on(ObjectKind::Application, certificate_der)
    }

    /// As [`add_key_out_of_band`](Self::add_key_out_of_band), on either object.
    ///
    /// # Errors
    ///
    /// If it is not a certificate.
    pub fn add_key_out_of_band_on(
        &self,
        kind: ObjectKind,
        certificate_der: impl AsRef<[u8]>,
    ) -> Result<String, CreateError> {
        let now = self.tenant.clock.now();
        let entry = entry(&self.tenant, certificate_der.as_ref(), Some(now))
            .ok_or(CreateError::NotACertificate)?;
        let key_id = entry.key_id.clone();
        if let Some(found) = self.tenant.directory().by_app_id_mut(&self.app_id) {
            found.object_mut(kind).keys.push(entry);
        }
        Ok(key_id)
    }

    /// Removes a key from whichever of both objects it is registered on, as an administrator
    /// would; the replicas hear of it with their usual lag. Returns whether there was one.
    pub fn remove_key_out_of_band(&self, key_id: &str) -> bool {
        let now = self.tenant.clock.now();
        let mut directory = self.tenant.directory();
        let found = directory.by_app_id_mut(&self.app_id);
        found.is_some_and(|found| {
            let of_application = found.application.remove(key_id, now);
            found.service_principal.remove(key_id, now) || of_application
        })
    }

    /// The times, up to now, at which no key of it was accepted by every replica for every
    /// audience, though one had been before: times at which a client with all keys in its hands
    /// could have been refused. Judged by the lags as they are set now.
    #[must_use]
    pub fn lockouts(&self) -> Vec<Lockout> {
        let (lags, now) = (self.tenant.settings().lags, self.tenant.clock.now());
        self.with(|found| witness::lockouts(found.keys(), &lags, now))
    }

    fn with<T: Default>(&self, look: impl FnOnce(&Registration) -> T) -> T {
        self.tenant.directory().by_app_id(&self.app_id).map(look).unwrap_or_default()
    }
}

fn key_credential(entry: &KeyEntry) -> KeyCredential {
    KeyCredential {
        key_id: entry.key_id.clone(),
        thumbprint: entry.certificate.thumbprint(),
        thumbprint_sha256: hex(&entry.certificate.sha256),
        display_name: entry.display_name.clone(),
        start: entry.start,
        end: entry.end,
        usage: entry.usage,
        certificate_der: entry.certificate.der.clone(),
        registered: entry.from,
    }
}
