//! What the driver keeps between passes and may lose at any time: a token, a listing, the
//! service's clock.

use super::{LISTING_KEEPS, TOKEN_MARGIN};
use crate::ports::AccessToken;
use rollkey_core::{Listed, Thumbprint, Timestamp};

#[derive(Default)]
pub(super) struct Session {
    token: Option<(Thumbprint, AccessToken)>,
    listing: Option<(Timestamp, Vec<Listed>)>,
    /// The service's `Date`, and our clock when it came.
    pub(super) clocks: Option<(Timestamp, Timestamp)>,
}

impl Session {
    /// A token for the directory that will last a while, by the service's clock.
    pub(super) fn token(&self, service_now: Timestamp) -> Option<AccessToken> {
        let (_, token) = self.token.as_ref()?;
        (service_now + TOKEN_MARGIN < token.expires_at).then(|| token.clone())
    }

    pub(super) fn keep_token(&mut self, key: Thumbprint, token: AccessToken) {
        self.token = Some((key, token));
    }

    pub(super) fn forget_token(&mut self) {
        self.token = None;
    }

    /// The last listing, if it is no older than it may be.
    pub(super) fn listing(&self, now: Timestamp) -> Option<Vec<Listed>> {
        let (at, listing) = self.listing.as_ref()?;
        // A clock that was set back makes it neither older nor younger: ask again.
        (*at <= now && now.since(*at) < LISTING_KEEPS).then(|| listing.clone())
    }

    pub(super) fn keep_listing(&mut self, at: Timestamp, listing: Vec<Listed>) {
        self.listing = Some((at, listing));
    }

    /// After a write of ours, whatever came of it.
    pub(super) fn forget_listing(&mut self) {
        self.listing = None;
    }
}
