//! The door to the private keys. No adapter is named here.

use super::{BoxError, CertificateDer};
use crate::secret::SecretBytes;
use futures_util::future::BoxFuture;
use rollkey_core::{Algorithm, Generation, Held, Thumbprint, Timestamp};

/// Where our private keys are kept, and the only place that can sign with them.
///
/// Every change names the [`Generation`] that it was decided on and is refused with
/// [`KeystoreError::MovedOn`] if there has been another since. Each is one atomic, durable switch:
/// it is whole when the future is ready, and has not happened at all if the process dies before.
pub trait Keystore: Send + Sync {
    /// Keeps everybody else from changing this keystore until the guard is dropped.
    ///
    /// The guard saves work and makes messages clear; what makes changes safe is the generation.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Busy`] if somebody has it and does not give it back in a moment.
    fn lease(&self) -> BoxFuture<'_, Result<Box<dyn Lease>, KeystoreError>>;

    /// The keys in custody, and the count of changes so far.
    fn held(&self) -> BoxFuture<'_, Result<(Generation, Vec<Held>), KeystoreError>>;

    /// The certificate of a key, followed by those of its issuers if there are any.
    fn certificates(
        &self,
        key: Thumbprint,
    ) -> BoxFuture<'_, Result<Vec<CertificateDer>, KeystoreError>>;

    /// Signs `message` (which is hashed in the process). The signature is as long as the modulus.
    fn sign<'a>(
        &'a self,
        key: Thumbprint,
        algorithm: Algorithm,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, KeystoreError>>;

    /// Makes a key pair and a certificate with exactly these dates in the pending slot.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::SlotTaken`] if there is a pending key.
    fn stage(
        &self,
        not_before: Timestamp,
        not_after: Timestamp,
        after: Generation,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Held, KeystoreError>>;

    /// Makes the pending key current and the current key previous, in one change.
    fn promote(
        &self,
        key: Thumbprint,
        after: Generation,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<(), KeystoreError>>;

    /// Destroys a pending or previous key. Never the current one.
    fn discard(
        &self,
        key: Thumbprint,
        after: Generation,
    ) -> BoxFuture<'_, Result<(), KeystoreError>>;

    /// The private key as PKCS#8, for sinks whose consumers sign for themselves; `None` where the
    /// key cannot leave.
    fn export(&self, key: Thumbprint) -> BoxFuture<'_, Result<Option<SecretBytes>, KeystoreError>>;
}

/// A promise that nobody else changes the keystore, until it is dropped.
pub trait Lease: Send + Sync {}

/// The keystore did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// Somebody else is at work on it. Come back later.
    #[error("another process is at work on this keystore{}", .by.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Busy {
        /// Its process id, where it left one.
        by: Option<u32>,
    },
    /// It was changed since the decision was taken. Look again.
    #[error("the keystore has moved on to generation {} (the step was decided at {})", .now.0, .after.0)]
    MovedOn {
        /// What the step was decided on.
        after: Generation,
        /// What it is at now.
        now: Generation,
    },
    /// There is a pending key already. Look again.
    #[error("the pending slot is taken")]
    SlotTaken,
    /// It holds no such key, or not in the slot that the step needs. Look again.
    #[error("the keystore holds no key {} for this step", .0.sha1)]
    NoSuchKey(Thumbprint),
    /// What it holds does not make sense. A person must look; nothing was changed.
    #[error("the keystore at {place} cannot be read: {problem}")]
    Damaged {
        /// A path, or the name of a vault.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Others can read what only we should. A person must look; nothing was changed.
    #[error("{place} is open to others (mode {mode:04o}, expected {expected:04o} or less)")]
    Exposed {
        /// The file or folder.
        place: String,
        /// Its mode now.
        mode: u32,
        /// The widest mode that is accepted.
        expected: u32,
    },
    /// It could not be read or written. Try again when the cause is mended; a change was not made.
    #[error("could not {action} {place}")]
    Io {
        /// `read`, `write`, `create`, `lock`, …
        action: &'static str,
        /// The file or folder, or the name of a vault.
        place: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// The cryptography would not do it: a damaged key, most likely.
    #[error("could not {action} with key {key}")]
    Crypto {
        /// `sign`, `make a certificate`, …
        action: &'static str,
        /// Which key, if it had a certificate already; otherwise `new`.
        key: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
}
