//! A visit: one request on its way through a service, with all that is fixed for its duration.
//!
//! The time, the replica and the settings are looked up once, so that a request sees one state of
//! the world. What is to be logged is noted here on the way.

use crate::clock;
use crate::directory::KeyEntry;
use crate::http::Request;
use crate::replicas::{Lags, Purpose, Replica};
use crate::tenant::{Settings, Strictness, Tenant};

/// One request being answered.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) request: &'a Request,
    /// The path, taken apart and decoded.
    pub(crate) segments: &'a [String],
    /// Seconds since 1970.
    pub(crate) now: i64,
    pub(crate) replica: Replica,
    pub(crate) settings: Settings,
    pub(crate) request_id: String,
    pub(crate) client_request_id: Option<String>,
    pub(crate) note: Note,
}

/// What the log shall say about a request.
#[derive(Debug, Default)]
pub(crate) struct Note {
    pub(crate) app: Option<String>,
    pub(crate) thumbprint: Option<String>,
}

impl Visit<'_> {
    /// `https://` and the address that the client used.
    pub(crate) fn base(&self) -> String {
        format!("https://{}", self.request.authority)
    }

    /// All addresses that mean this emulator, in full.
    pub(crate) fn bases(&self) -> Vec<String> {
        let own = self.tenant.authorities.iter().map(|authority| format!("https://{authority}"));
        std::iter::once(self.base()).chain(own).collect()
    }

    pub(crate) fn lags(&self) -> &Lags {
        &self.settings.lags
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.settings.strictness == Strictness::Strict
    }

    /// Whether the replica that answers knows this entry, for this purpose.
    pub(crate) fn knows(&self, entry: &KeyEntry, purpose: Purpose<'_>) -> bool {
        self.replica.knows(entry, purpose, self.lags(), self.now)
    }

    /// The time as login writes it in `timestamp`.
    pub(crate) fn login_timestamp(&self) -> String {
        clock::login_timestamp(self.now)
    }
}
