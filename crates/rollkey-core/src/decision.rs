//! What may be decided: a step, a wait, or that a person must act; and why.
//!
//! Values only. How they come about stands in [`decide`](mod@crate::decide).

use crate::id::KeyId;
use crate::observed::Generation;
use crate::policy::{Audience, SinkId};
use crate::thumbprint::Thumbprint;
use crate::time::Timestamp;

/// What to do next, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Take this step, then look again.
    Act(Step, Reason),
    /// Nothing to do before this instant (UTC). Looking earlier is harmless.
    Wait(Timestamp, Reason),
    /// No step of ours can help; a person must. See `docs/operations.md`.
    Blocked(Blocker),
}

/// One effect on the world, complete: whoever carries it out has nothing left to choose.
///
/// Every step may be carried out twice, late, or not at all. Steps on the keystore name the
/// [`Generation`] they were decided on and are refused by a keystore that has moved on. Steps on
/// the directory carry a proof that expires after ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Create a key pair and a certificate with these dates in the empty pending slot, durably.
    /// It is valid from a little before now, for services whose clock is behind ours.
    Stage {
        /// First instant of the certificate.
        not_before: Timestamp,
        /// Last instant of the certificate.
        not_after: Timestamp,
        /// What the keystore was seen at.
        after: Generation,
    },
    /// Call `addKey` for `key`, with a proof signed by `prove_with`.
    Register {
        /// To be registered.
        key: Thumbprint,
        /// A key that works.
        prove_with: Thumbprint,
    },
    /// Ask the token endpoint for a token with `key`; note whether it said yes.
    Probe {
        /// To be asked for.
        key: Thumbprint,
        /// The scope to ask for.
        audience: Audience,
    },
    /// Make the pending key current and the current key previous, in one atomic change.
    Promote {
        /// The pending key.
        key: Thumbprint,
        /// What the keystore was seen at.
        after: Generation,
    },
    /// Put the current key where consumers read it, and tell them. A sink that has seen a later
    /// generation refuses.
    Deliver {
        /// The current key.
        key: Thumbprint,
        /// Where to.
        to: SinkId,
        /// What the keystore was seen at.
        of: Generation,
    },
    /// Call `removeKey` for `key_id`, with a proof signed by the key that stays.
    Remove {
        /// Whose entry it is.
        key: Thumbprint,
        /// The entry to remove.
        key_id: KeyId,
        /// A key that works, and is another.
        prove_with: Thumbprint,
    },
    /// Destroy our copy of a private key that the directory no longer knows.
    Discard {
        /// To be destroyed.
        key: Thumbprint,
        /// What the keystore was seen at.
        after: Generation,
    },
}

/// Why a decision was taken. Shown by `status`, counted by metrics, asserted by tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Somebody removed the current key from the directory; a previous one still works.
    CurrentLost,
    /// The current key has not worked for long enough to rely on it.
    CurrentSettling,
    /// The current key has not been seen to work.
    CurrentUnproven,
    /// The directory does not show clearly which keys it holds: a removal may not show yet, and
    /// both keys must be seen before one is removed.
    DirectoryUnclear,
    /// Nothing to do before the certificate is due.
    Healthy,
    /// Every consumer has had the overlap's time to move to the current key.
    OverlapEnded,
    /// Consumers may still use the previous key.
    Overlapping,
    /// The pending certificate expired before it was ever used.
    PendingExpired,
    /// The pending key has worked for long enough.
    PendingProven,
    /// The pending key works, but perhaps not on every replica.
    PendingSettling,
    /// The pending key is registered, or perhaps registered, and has not been seen to work.
    PendingUnproven,
    /// The pending key is not in the directory.
    PendingUnregistered,
    /// The directory no longer knows the previous key.
    PreviousGone,
    /// Before giving up, every key that we hold is asked for.
    ProverUntried,
    /// A removal was sent, and replicas may still show the key. It is not sent twice meanwhile.
    Removing,
    /// The current certificate expires soon, or is to be replaced.
    RenewalDue,
    /// A sink does not hold the current key.
    SinkBehind,
    /// A delivery failed, and is tried again after a pause. Nothing is removed meanwhile.
    SinkFailing,
}

/// Why nothing that we may do would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blocker {
    /// We hold no key of this application.
    NoKey,
    /// No key that we hold is accepted, and `addKey` needs one that is.
    NoUsableKey,
}
