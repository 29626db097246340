//! Every door to the outside, each with its error.
//!
//! A port says what the house needs, an adapter how some place gives it. Adapters know this file
//! and never each other. Errors are sorted by **what the caller may do now**; where the fault lay
//! (DNS, TLS, disk) is told by `source()`, for people.

use crate::answer::Refusal;
use crate::secret::SecretBytes;
use futures_util::future::BoxFuture;
use rollkey_core::{
    Algorithm, Assertion, Delivered, Facts, Generation, Held, KeyId, Listing, Note, ObjectId,
    Proof, SinkId, Span, Thumbprint, Timestamp,
};

/// Where an error came from, for people.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A certificate, DER. Public: it may be shown and sent.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateDer(pub Vec<u8>);

impl std::fmt::Debug for CertificateDer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificateDer({} bytes)", self.0.len())
    }
}

// ------------------------------------------------------------------------------------------------

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

// ------------------------------------------------------------------------------------------------

/// What a sink is given.
pub struct Delivery {
    /// The key's certificate, followed by those of its issuers if there are any.
    pub certificates: Vec<CertificateDer>,
    /// The private key as PKCS#8; `None` where it cannot leave its keystore.
    pub private_key: Option<SecretBytes>,
    /// Which key this is.
    pub thumbprint: Thumbprint,
    /// What the keystore was seen at. An older one than the sink holds is refused.
    pub generation: Generation,
    /// What the consumers' application is called, for friendly names.
    pub application: String,
}

/// Where consumers read the key that they are to use.
pub trait Sink: Send + Sync {
    /// What an operator calls it, unique for the application.
    fn name(&self) -> &str;

    /// What consumers read now, and since when; `None` if nothing was delivered completely, its
    /// notification included.
    fn delivered(&self) -> BoxFuture<'_, Result<Option<Delivered>, SinkError>>;

    /// Puts the key where consumers read it, and tells them. Doing it twice does no harm.
    ///
    /// # Errors
    ///
    /// A failed notification is a failed delivery: the consumers hold the new key or do not, and
    /// nobody knows. It must be tried again.
    fn deliver<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>>;
}

/// A delivery did not succeed, or a sink could not say what it holds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The sink holds the key of a later generation. Look again.
    #[error("sink `{sink}` holds generation {}, later than {}", .holds.0, .offered.0)]
    Newer {
        /// Its name.
        sink: String,
        /// What it holds.
        holds: Generation,
        /// What it was offered.
        offered: Generation,
    },
    /// The key cannot leave its keystore, and this sink has no use for a certificate alone.
    #[error("sink `{sink}` needs the private key, which cannot leave its keystore")]
    KeyStays {
        /// Its name.
        sink: String,
    },
    /// It could not be read or written. Try again when the cause is mended.
    #[error("sink `{sink}` could not {action} {place}")]
    Io {
        /// Its name.
        sink: String,
        /// `read`, `write`, …
        action: &'static str,
        /// The file or folder.
        place: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// What it holds was not put there by us, or does not make sense. Nothing was changed.
    #[error("sink `{sink}` at {place}: {problem}")]
    Foreign {
        /// Its name.
        sink: String,
        /// The file or folder.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A command of the sink, or its notification, failed.
    #[error("sink `{sink}`: the {role} command {outcome}{}", if .stderr.is_empty() { String::new() } else { format!(": {stderr}") })]
    Command {
        /// Its name.
        sink: String,
        /// `exec` or `notify`.
        role: &'static str,
        /// `exited with 1`, `was killed by signal 9`, `did not start: …`, `did not end in 60s`.
        outcome: String,
        /// The last line that it wrote to standard error.
        stderr: String,
    },
}

// ------------------------------------------------------------------------------------------------

/// Permission to call the directory, for about an hour. Never shown.
#[derive(Clone)]
pub struct AccessToken {
    /// The bearer token.
    pub token: SecretBytes,
    /// When it expires, by the service's clock.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// An answer, and the time that it bore.
#[derive(Clone, Debug)]
pub struct Dated<T> {
    /// The answer.
    pub value: T,
    /// The `Date` of the service, if it sent one.
    pub service_time: Option<Timestamp>,
}

/// What the directory let us see.
#[derive(Clone, Debug)]
pub enum DirectoryView {
    /// The keys that are registered.
    Listing(Listing),
    /// We may not read this object. Rolling one's own keys can be allowed where reading is not.
    Forbidden(Refusal),
}

/// Where the public halves are registered: Microsoft Graph, or something that speaks like it.
///
/// An implementation translates, and decides nothing: it does not repeat a write that may have been
/// made, does not cache what can change, and does not turn one answer into another. It is built for
/// one object, application or service principal.
pub trait Directory: Send + Sync {
    /// The object id of that object: the issuer of proofs. Asks for it, once, if the object is
    /// addressed by its app id.
    fn object_id<'a>(
        &'a self,
        bearer: &'a AccessToken,
    ) -> BoxFuture<'a, Result<ObjectId, DirectoryError>>;

    /// Lists the keys registered on the object, ours and everybody's.
    ///
    /// The answer may be some minutes old, so a key missing from it may exist.
    fn list<'a>(
        &'a self,
        bearer: &'a AccessToken,
    ) -> BoxFuture<'a, Result<Dated<DirectoryView>, DirectoryError>>;

    /// Registers a certificate (`addKey`) and returns the `keyId` that the directory gave it.
    ///
    /// Takes a certificate and never a private key: what cannot be passed cannot be leaked.
    /// Calling it twice may register the certificate twice.
    fn add_key<'a>(
        &'a self,
        bearer: &'a AccessToken,
        certificate: &'a CertificateDer,
        display_name: &'a str,
        proof: &'a Proof,
    ) -> BoxFuture<'a, Result<Dated<KeyId>, DirectoryError>>;

    /// Removes a key (`removeKey`).
    ///
    /// `Ok` also when the directory finds nothing to remove (400): it says so even of a key whose
    /// removal then takes place. Look again to know.
    fn remove_key<'a>(
        &'a self,
        bearer: &'a AccessToken,
        key_id: KeyId,
        proof: &'a Proof,
    ) -> BoxFuture<'a, Result<Dated<()>, DirectoryError>>;
}

/// A call to the directory did not succeed.
///
/// The variants answer one question: what may the caller do now?
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The request never left, or it was a question and its answer was lost. Nothing was changed:
    /// try again whenever you like.
    #[error("could not reach the directory")]
    Unreachable(#[source] BoxError),

    /// The request left and no intelligible answer came back, or one that it broke down (408, 5xx
    /// but 503), or that it was done without saying what. The change may have been made: look, do
    /// not repeat.
    #[error("the directory gave no clear answer to {operation}; the change may have been made")]
    OutcomeUnknown {
        /// `addKey`, `removeKey`.
        operation: &'static str,
        /// What came instead of an answer.
        #[source]
        source: BoxError,
    },

    /// Too many requests (429), two writes at once (409), or it is out of service (503). Nothing
    /// was changed.
    #[error("the directory asks us to wait{}", .retry_after.map(|s| format!(" {s}")).unwrap_or_default())]
    Throttled {
        /// How long, if it said.
        retry_after: Option<Span>,
        /// What it said.
        #[source]
        refusal: Refusal,
    },

    /// The proof of possession was refused (401 `Authentication_MissingOrMalformed`).
    ///
    /// Repeating it now will not help. The signing key is not registered, has expired, or was
    /// registered only minutes ago; or the proof is malformed. Graph does not say which;
    /// [`rollkey_core::diagnose`](mod@rollkey_core::diagnose) does.
    #[error("the directory refused the proof of possession")]
    ProofRefused(#[source] Refusal),

    /// The access token was refused (401 `InvalidAuthenticationToken`). Get another.
    #[error("the directory refused the access token")]
    TokenRefused(#[source] Refusal),

    /// We may not do this (403).
    #[error("the directory does not permit {operation}")]
    Forbidden {
        /// `addKey`, `removeKey`.
        operation: &'static str,
        /// What it said.
        #[source]
        refusal: Refusal,
    },

    /// There is no such application or service principal, or we may not see it (404).
    #[error("the directory knows no {0}")]
    NotFound(String, #[source] Refusal),

    /// It understood, and will not: a policy of the tenant, a full object, an invalid date (400).
    #[error("the directory refused {operation}")]
    Rejected {
        /// `addKey`, `removeKey`.
        operation: &'static str,
        /// What it said.
        #[source]
        refusal: Refusal,
    },

    /// Anything else. Kept whole, so that an issue can be filed.
    #[error("the directory gave an unexpected answer to {operation}")]
    Unexpected {
        /// `GET`, `addKey`, `removeKey`.
        operation: &'static str,
        /// What it said.
        #[source]
        refusal: Refusal,
    },
}

impl DirectoryError {
    /// Whether the change may have been made although the call failed.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }

    /// What the service said, if it said anything.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Unreachable(_) => None,
            Self::OutcomeUnknown { source, .. } => source.downcast_ref(),
            Self::Throttled { refusal, .. }
            | Self::ProofRefused(refusal)
            | Self::TokenRefused(refusal)
            | Self::Forbidden { refusal, .. }
            | Self::NotFound(_, refusal)
            | Self::Rejected { refusal, .. }
            | Self::Unexpected { refusal, .. } => Some(refusal),
        }
    }
}

// ------------------------------------------------------------------------------------------------

/// What the token endpoint says to a key.
#[derive(Debug)]
pub enum Verdict {
    /// It granted a token.
    Accepted(AccessToken),
    /// It does not know the key, or no longer (`AADSTS700027`). It may, in some minutes.
    Refused(Refusal),
}

/// Where keys are shown to work: the token endpoint of the tenant, for one application.
pub trait TokenEndpoint: Send + Sync {
    /// The address that assertions are for (`aud`), and are sent to.
    fn address(&self) -> &str;

    /// Exchanges an assertion for a token of `scope`.
    ///
    /// # Errors
    ///
    /// "No" is a [`Verdict`]; "no answer", and a "no" that says nothing of the key, are errors.
    fn token<'a>(
        &'a self,
        assertion: &'a Assertion,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<Dated<Verdict>, TokenError>>;
}

/// No answer about the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// No answer, or none that makes sense. Try again whenever you like: asking changes nothing.
    #[error("could not reach the token endpoint")]
    Unreachable(#[source] BoxError),
    /// It asks us to wait.
    #[error("the token endpoint asks us to wait{}", .retry_after.map(|s| format!(" {s}")).unwrap_or_default())]
    Throttled {
        /// How long, if it said.
        retry_after: Option<Span>,
        /// What it said.
        #[source]
        refusal: Refusal,
    },
    /// The assertion's times do not suit it (`AADSTS700024`): a clock is wrong.
    #[error("the token endpoint finds the assertion outside of its time")]
    WrongTime(#[source] Refusal),
    /// It refuses for a reason that is not the key: tenant, application, scope, policy. A person
    /// must mend that.
    #[error("the token endpoint refused the request")]
    Refused(#[source] Refusal),
}

// ------------------------------------------------------------------------------------------------

/// What happened that cannot be looked up again.
///
/// A note is durable when its future is ready. Losing all notes does no harm but time: a few
/// questions are asked again, and `propagation` is waited for once.
pub trait Journal: Send + Sync {
    /// All notes, added up.
    fn facts(&self) -> BoxFuture<'_, Result<Facts, JournalError>>;

    /// Appends a note.
    fn note(&self, note: Note, at: Timestamp) -> BoxFuture<'_, Result<(), JournalError>>;
}

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It could not be read or written. Nothing is done without it: mend the cause.
    #[error("could not {action} the journal {place}")]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// The file.
        place: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// A line in its midst makes no sense. Losing the journal is safe: move it away.
    #[error("the journal {place} is damaged in line {line}: {problem}")]
    Damaged {
        /// The file.
        place: String,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// It was written by a later version of rollkey.
    #[error("the journal {place} has format {found}, and this version reads {known}")]
    Version {
        /// The file.
        place: String,
        /// What it says.
        found: u32,
        /// What we know.
        known: u32,
    },
}

// ------------------------------------------------------------------------------------------------

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now, in whole seconds, UTC.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since.map_or(0, |since| since.as_secs()))
    }
}

/// The sinks of one application, in the order of their [`SinkId`]s.
pub type Sinks = Vec<Box<dyn Sink>>;

/// The id of the n-th sink.
pub fn sink_id(n: usize) -> SinkId {
    SinkId(u8::try_from(n).unwrap_or(u8::MAX))
}
