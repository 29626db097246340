//! The directory: which applications there are and which keys are registered on them, in truth.
//!
//! Keys are never deleted from here: a removed key keeps the instant of its removal, so that each
//! replica can be late on its own. Who may change what is decided elsewhere; this room only keeps
//! the books.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::certificate::{Certificate, GeneratedKey};

/// The two kinds of objects that hold keys of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// `/applications`: the registration.
    Application,
    /// `/servicePrincipals`: what stands for it in the tenant.
    ServicePrincipal,
}

impl ObjectKind {
    /// The name of the collection in addresses.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::Application => "applications",
            Self::ServicePrincipal => "servicePrincipals",
        }
    }

    /// The name of the type in messages.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Application => "microsoft.graph.application",
            Self::ServicePrincipal => "microsoft.graph.servicePrincipal",
        }
    }
}

/// A permission on the Graph that an administrator has consented to; it appears in `roles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// `Application.Read.All`
    ApplicationReadAll,
    /// `Application.ReadWrite.OwnedBy`: good for applications whose owner the caller is.
    ApplicationReadWriteOwnedBy,
    /// `Application.ReadWrite.All`
    ApplicationReadWriteAll,
    /// `Directory.ReadWrite.All`
    DirectoryReadWriteAll,
}

impl Permission {
    /// The value in the claim `roles`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ApplicationReadAll => "Application.Read.All",
            Self::ApplicationReadWriteOwnedBy => "Application.ReadWrite.OwnedBy",
            Self::ApplicationReadWriteAll => "Application.ReadWrite.All",
            Self::DirectoryReadWriteAll => "Directory.ReadWrite.All",
        }
    }
}

/// What a key credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Usage {
    /// `AsymmetricX509Cert` and `Verify`: the application signs, Entra verifies.
    Verify,
    /// `X509CertAndPassword` and `Sign`: Entra signs with a private key that was uploaded.
    Sign,
}

impl Usage {
    /// The pair `type`, `usage` of the Graph.
    pub(crate) fn type_and_usage(self) -> (&'static str, &'static str) {
        match self {
            Self::Verify => ("AsymmetricX509Cert", "Verify"),
            Self::Sign => ("X509CertAndPassword", "Sign"),
        }
    }
}

/// One key credential in the books, registered or once registered.
#[derive(Clone, Debug)]
pub(crate) struct KeyEntry {
    pub(crate) key_id: String,
    pub(crate) certificate: Arc<Certificate>,
    pub(crate) display_name: Option<String>,
    /// The bytes that the client chose; the thumbprint otherwise.
    pub(crate) custom_key_identifier: Option<Vec<u8>>,
    pub(crate) usage: Usage,
    /// First instant at which the key is good, seconds since 1970.
    pub(crate) start: i64,
    /// First instant at which it no longer is.
    pub(crate) end: i64,
    /// When it was registered; `None`: so long ago that every replica knows.
    pub(crate) from: Option<i64>,
    /// When it was removed.
    pub(crate) to: Option<i64>,
}

impl KeyEntry {
    /// Whether the entry is registered, in truth.
    pub(crate) fn is_registered(&self) -> bool {
        self.to.is_none()
    }

    pub(crate) fn is_within_its_dates(&self, now: i64) -> bool {
        self.start <= now && now < self.end
    }
}

/// An application or a service principal, as far as keys are concerned.
#[derive(Debug)]
pub(crate) struct DirectoryObject {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) keys: Vec<KeyEntry>,
    /// When keys were last written by a request.
    pub(crate) written: Option<i64>,
}

impl DirectoryObject {
    pub(crate) fn registered(&self) -> impl Iterator<Item = &KeyEntry> {
        self.keys.iter().filter(|entry| entry.is_registered())
    }

    /// Ends the registration of this key; false if it is not registered.
    pub(crate) fn remove(&mut self, key_id: &str, now: i64) -> bool {
        let mut found = false;
        for entry in &mut self.keys {
            if entry.is_registered() && entry.key_id.eq_ignore_ascii_case(key_id) {
                entry.to = Some(now);
                found = true;
            }
        }
        found
    }
}

/// An application with its service principal.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) name: String,
    pub(crate) app_id: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) application: DirectoryObject,
    pub(crate) service_principal: DirectoryObject,
    pub(crate) permissions: BTreeSet<Permission>,
    /// App ids of the applications whose service principals own both objects.
    pub(crate) owners: BTreeSet<String>,
    /// Key pairs that the emulator made at creation.
    pub(crate) generated: Vec<GeneratedKey>,
}

impl Registration {
    pub(crate) fn object(&self, kind: ObjectKind) -> &DirectoryObject {
        match kind {
            ObjectKind::Application => &self.application,
            ObjectKind::ServicePrincipal => &self.service_principal,
        }
    }

    pub(crate) fn object_mut(&mut self, kind: ObjectKind) -> &mut DirectoryObject {
        match kind {
            ObjectKind::Application => &mut self.application,
            ObjectKind::ServicePrincipal => &mut self.service_principal,
        }
    }

    /// All keys that can prove who the application is: its own and its service principal's.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &KeyEntry> {
        self.application.keys.iter().chain(&self.service_principal.keys)
    }
}

/// All applications of the tenant, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    registrations: Vec<Registration>,
    by_app_id: HashMap<String, usize>,
    by_object_id: HashMap<String, (ObjectKind, usize)>,
}

impl Directory {
    pub(crate) fn add(&mut self, registration: Registration) {
        let number = self.registrations.len();
        self.by_app_id.insert(registration.app_id.clone(), number);
        for kind in [ObjectKind::Application, ObjectKind::ServicePrincipal] {
            self.by_object_id.insert(registration.object(kind).id.clone(), (kind, number));
        }
        self.registrations.push(registration);
    }

    pub(crate) fn all(&self) -> &[Registration] {
        &self.registrations
    }

    pub(crate) fn by_app_id(&self, app_id: &str) -> Option<&Registration> {
        self.by_app_id.get(&app_id.to_ascii_lowercase()).map(|number| &self.registrations[*number])
    }

    pub(crate) fn by_app_id_mut(&mut self, app_id: &str) -> Option<&mut Registration> {
        let number = *self.by_app_id.get(&app_id.to_ascii_lowercase())?;
        Some(&mut self.registrations[number])
    }

    /// The application that the object of this kind and object id belongs to.
    pub(crate) fn by_object_id(&self, kind: ObjectKind, id: &str) -> Option<&Registration> {
        match self.by_object_id.get(&id.to_ascii_lowercase()) {
            Some((found, number)) if *found == kind => Some(&self.registrations[*number]),
            _ => None,
        }
    }
}
