//! Applications in the making: their keys, permissions and owners from the start.
//!
//! What is made here has always been there, as far as replicas know.

use std::collections::BTreeSet;

use super::{Application, entry};
use crate::certificate::GeneratedKey;
use crate::directory::{DirectoryObject, ObjectKind, Permission, Registration};
use crate::emulator::Emulator;
use crate::seed::Stream;

/// An application that is being created; made by [`Emulator::application`].
#[derive(Debug)]
#[must_use = "nothing is created before `create`"]
pub struct ApplicationBuilder<'a> {
    emulator: &'a Emulator,
    name: String,
    keys: Vec<(ObjectKind, Key)>,
    permissions: BTreeSet<Permission>,
    owners: BTreeSet<String>,
}

/// A key to start with.
#[derive(Debug)]
enum Key {
    Given(Vec<u8>),
    Generated { not_before: i64, not_after: i64 },
}

/// An application could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// A key that was given is not a DER certificate.
    #[error("what was given as a certificate is not one")]
    NotACertificate,
    /// A key could not be made.
    #[error("could not make a key")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl<'a> ApplicationBuilder<'a> {
    pub(crate) fn new(emulator: &'a Emulator, name: &str) -> Self {
        Self {
            emulator,
            name: name.to_owned(),
            keys: Vec::new(),
            permissions: BTreeSet::new(),
            owners: BTreeSet::new(),
        }
    }

    /// Registers a certificate (DER) on the application. Every replica knows it from the start.
    pub fn with_key(self, certificate_der: impl AsRef<[u8]>) -> Self {
        self.with_key_on(ObjectKind::Application, certificate_der)
    }

    /// Registers a certificate (DER) on the application or on its service principal.
    pub fn with_key_on(mut self, kind: ObjectKind, certificate_der: impl AsRef<[u8]>) -> Self {
        self.keys.push((kind, Key::Given(certificate_der.as_ref().to_vec())));
        self
    }

    /// Makes a 2048-bit RSA key with a certificate that is good from `not_before` to `not_after`
    /// (seconds since 1970), and registers it on the application. The private key is kept for
    /// [`Application::generated_keys`].
    pub fn with_generated_key(self, not_before: i64, not_after: i64) -> Self {
        self.with_generated_key_on(ObjectKind::Application, not_before, not_after)
    }

    /// As [`with_generated_key`](Self::with_generated_key), on either object.
    pub fn with_generated_key_on(
        mut self,
        kind: ObjectKind,
        not_before: i64,
        not_after: i64,
    ) -> Self {
        self.keys.push((kind, Key::Generated { not_before, not_after }));
        self
    }

    /// Grants a permission on the Graph. It shows in tokens made from then on.
    pub fn with_permission(mut self, permission: Permission) -> Self {
        self.permissions.insert(permission);
        self
    }

    /// Makes the service principal of `owner` an owner of both objects.
    pub fn owned_by(mut self, owner: &Application) -> Self {
        self.owners.insert(owner.app_id.clone());
        self
    }

    /// Creates the application and its service principal.
    ///
    /// # Panics
    ///
    /// If what was given as a certificate is not one, or a key could not be made. Where that is to
    /// be handled: [`try_create`](Self::try_create).
    #[must_use]
    pub fn create(self) -> Application {
        let name = self.name.clone();
        match self.try_create() {
            Ok(application) => application,
            Err(error) => panic!("could not create the application {name}: {error}"),
        }
    }

    /// Creates the application and its service principal.
    ///
    /// # Errors
    ///
    /// If what was given as a certificate is not one, or a key could not be made.
    pub fn try_create(self) -> Result<Application, CreateError> {
        let tenant = &self.emulator.tenant;
        let guid = || tenant.seeds.guid(Stream::Application);
        let object = |id| DirectoryObject {
            id,
            display_name: self.name.clone(),
            keys: Vec::new(),
            written: None,
        };
        let mut registration = Registration {
            name: self.name.clone(),
            app_id: guid(),
            created: tenant.clock.now(),
            application: object(guid()),
            service_principal: object(guid()),
            permissions: self.permissions,
            owners: self.owners,
            generated: Vec::new(),
        };
        for (kind, key) in self.keys {
            let der = match key {
                Key::Given(der) => der,
                Key::Generated { not_before, not_after } => {
                    let key = GeneratedKey::new(&self.name, not_before, not_after)
                        .map_err(|error| CreateError::Key(error.into()))?;
                    let der = key.certificate_der().to_vec();
                    registration.generated.push(key);
                    der
                }
            };
            let entry = entry(tenant, &der, None).ok_or(CreateError::NotACertificate)?;
            registration.object_mut(kind).keys.push(entry);
        }
        let app_id = registration.app_id.clone();
        tenant.directory().add(registration);
        Ok(Application::new(tenant, app_id))
    }
}
