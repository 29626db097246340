//! Why a refused proof of possession was probably refused.
//!
//! Graph answers every fault of a proof with the same words, "Access Token missing or malformed",
//! which names neither the fault nor the token. What the service will not say must be inferred
//! from what is known on this side.

use crate::id::{AppId, KeyId, ObjectId};
use crate::observed::Registration;
use crate::policy::MAX_CLOCK_ERROR;
use crate::time::{Span, Timestamp};
use crate::token::Algorithm;
use std::fmt;

/// What is known on this side about a proof that was refused.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What the request addressed, and the proof's issuer.
    pub object: ObjectId,
    /// The application ID, where it is known.
    pub app: Option<AppId>,
    /// How the proof was signed.
    pub algorithm: Algorithm,
    /// The service's `Date`, and our clock at that moment.
    pub clocks: Option<(Timestamp, Timestamp)>,
    /// When the signing certificate expires.
    pub signer_not_after: Timestamp,
    /// Whether the directory shows the signing key.
    pub signer_registration: Registration,
    /// When an `addKey` for the signing key was last sent, if the journal knows.
    pub signer_sent_at: Option<Timestamp>,
    /// Whether the token endpoint accepts the signing key.
    pub signer_signs_in: Option<bool>,
    /// The entry that was to be removed, and the signer's own, if the call was `removeKey`.
    pub removing: Option<(KeyId, Option<KeyId>)>,
    /// How long a key may take to reach every replica.
    pub propagation: Span,
}

/// One explanation of a refused proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Suspicion {
    /// The application ID stands where the object ID belongs.
    AppIdForObjectId,
    /// The proof was signed by the very key that it was to remove.
    RemovesItself,
    /// Our clock is ahead of the service's by this much: the proof is not valid yet.
    ClockAhead(Span),
    /// Our clock is behind the service's by this much: the proof was born expired.
    ClockBehind(Span),
    /// The signing certificate has expired.
    SignerExpired,
    /// The directory does not know the signing key.
    SignerNotRegistered,
    /// The signing key was registered this long ago: not every replica knows it.
    SignerTooFresh(Span),
    /// Proofs are known to be accepted with RS256 and `x5t` only.
    UnusualAlgorithm,
    /// The signing key signs in, so it is registered; perhaps on the other object: a key of the
    /// application proves nothing for its service principal, and the other way round.
    OtherObject,
    /// Nothing on this side explains it.
    Unexplained,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AppIdForObjectId => f.write_str(
                "the application ID stands where the object ID belongs: use `id`, not `appId`",
            ),
            Self::RemovesItself => {
                f.write_str("the proof is signed by the key that it removes: sign with another key")
            }
            Self::ClockAhead(by) => {
                write!(f, "this machine's clock is {by} ahead: the proof is not valid yet")
            }
            Self::ClockBehind(by) => {
                write!(f, "this machine's clock is {by} behind: the proof had already expired")
            }
            Self::SignerExpired => f.write_str("the signing certificate has expired"),
            Self::SignerNotRegistered => {
                f.write_str("the signing key is not registered on this object")
            }
            Self::SignerTooFresh(ago) => write!(
                f,
                "the signing key was registered only {ago} ago: not every replica knows it yet"
            ),
            Self::UnusualAlgorithm => f.write_str(
                "proofs are known to be accepted with RS256 only: set `proof-algorithm = \"RS256\"`",
            ),
            Self::OtherObject => f.write_str(
                "the signing key signs in, so it is registered, but perhaps on the service principal instead of the application or the other way round",
            ),
            Self::Unexplained => f.write_str("nothing on this side explains it"),
        }
    }
}

/// Explains a refused proof, the most likely explanation first. Never empty.
pub fn diagnose(evidence: &Evidence, now: Timestamp) -> Vec<Suspicion> {
    let mut found = Vec::new();
    let mut suspect = |suspicion: Option<Suspicion>| found.extend(suspicion);

    suspect(
        evidence
            .app
            .is_some_and(|app| app.as_bytes() == evidence.object.as_bytes())
            .then_some(Suspicion::AppIdForObjectId),
    );
    suspect(match evidence.removing {
        Some((removed, Some(signer))) if removed == signer => Some(Suspicion::RemovesItself),
        _ => None,
    });
    suspect(evidence.clocks.and_then(|(theirs, ours)| clock(theirs, ours)));
    suspect((evidence.signer_not_after <= now).then_some(Suspicion::SignerExpired));
    suspect(
        (evidence.signer_registration == Registration::Absent)
            .then_some(Suspicion::SignerNotRegistered),
    );
    suspect(
        evidence
            .signer_sent_at
            .map(|sent| now.since(sent))
            .filter(|ago| *ago < evidence.propagation)
            .map(Suspicion::SignerTooFresh),
    );
    suspect((evidence.algorithm != Algorithm::Rs256).then_some(Suspicion::UnusualAlgorithm));
    suspect(
        (evidence.signer_signs_in == Some(true)
            && !matches!(evidence.signer_registration, Registration::Present(_)))
        .then_some(Suspicion::OtherObject),
    );
    if found.is_empty() {
        found.push(Suspicion::Unexplained);
    }
    found
}

/// Half of the allowed error is already worth a word: the service's own tolerance is not published.
fn clock(theirs: Timestamp, ours: Timestamp) -> Option<Suspicion> {
    let tolerated = Span(MAX_CLOCK_ERROR.0 / 2);
    let (ahead, behind) = (ours.since(theirs), theirs.since(ours));
    if tolerated < ahead {
        return Some(Suspicion::ClockAhead(ahead));
    }
    (tolerated < behind).then_some(Suspicion::ClockBehind(behind))
}
