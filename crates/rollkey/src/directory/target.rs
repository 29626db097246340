//! What is asked about: an application or a service principal, by one of its two ids.
//!
//! The two objects of one application have different object IDs and the same application ID, and
//! each has key credentials of its own. Which is meant is always said.

use rollkey_core::{AppId, ObjectId};
use std::fmt;

/// One object of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// How it is addressed.
    pub by: By,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The registration ("App registrations" in the portal).
    Application,
    /// What stands for it in a tenant ("Enterprise applications" in the portal).
    ServicePrincipal,
}

/// How an object is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// By `id`.
    ObjectId(ObjectId),
    /// By `appId`. The `id` is then asked for before the first proof.
    AppId(AppId),
}

impl Target {
    /// The application with this object ID.
    pub fn application(id: ObjectId) -> Self {
        Self { kind: Kind::Application, by: By::ObjectId(id) }
    }

    /// The service principal with this object ID.
    pub fn service_principal(id: ObjectId) -> Self {
        Self { kind: Kind::ServicePrincipal, by: By::ObjectId(id) }
    }

    /// Its path in Graph: `applications/{id}`, `servicePrincipals(appId='{appId}')`.
    pub fn path(self) -> String {
        let collection = match self.kind {
            Kind::Application => "applications",
            Kind::ServicePrincipal => "servicePrincipals",
        };
        match self.by {
            By::ObjectId(id) => format!("{collection}/{id}"),
            By::AppId(id) => format!("{collection}(appId='{id}')"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Application => "application",
            Kind::ServicePrincipal => "service principal",
        };
        match self.by {
            By::ObjectId(id) => write!(f, "{kind} with object id {id}"),
            By::AppId(id) => write!(f, "{kind} with app id {id}"),
        }
    }
}
