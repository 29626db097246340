//! The driver: observe, decide, act. The only loop that acts.
//!
//! It decides nothing itself: what to do is [`rollkey_core::decide()`]'s answer to what it saw. It
//! keeps nothing that it could not lose: a token, a listing, the service's clock, each for a while.

mod act;
mod observe;
mod session;

use crate::answer::Refusal;
use crate::ports::{
    BoxError, Clock, Directory, DirectoryError, Journal, JournalError, Keystore, KeystoreError,
    SinkError, Sinks, TokenEndpoint, TokenError,
};
use rollkey_core::{
    Algorithm, AppId, Decision, Listed, MAX_CLOCK_ERROR, Observed, Policy, Span, Suspicion,
    Thumbprint, Timestamp, decide,
};
use session::Session;
use std::sync::{Arc, Mutex};

/// Everything that a [`Rotation`] is made of.
pub struct Parts {
    /// What an operator calls the application: in messages, and in friendly names.
    pub name: String,
    /// The application ID (`client_id`).
    pub app: AppId,
    /// What the operator asks for. Its audiences are the `scopes`, in this order.
    pub policy: Policy,
    /// The scopes that a key must be accepted for, as many as the policy has audiences.
    pub scopes: Vec<String>,
    /// The scope of the tokens with which the directory is called.
    pub directory_scope: String,
    /// How proofs are signed.
    pub proof_algorithm: Algorithm,
    /// How client assertions are signed.
    pub assertion_algorithm: Algorithm,
    /// Where the private keys are.
    pub keystore: Arc<dyn Keystore>,
    /// Where consumers read them, in the order of their `SinkId`s.
    pub sinks: Sinks,
    /// Where the public halves are registered.
    pub directory: Box<dyn Directory>,
    /// Where keys are shown to work.
    pub login: Box<dyn TokenEndpoint>,
    /// What happened that cannot be looked up again.
    pub journal: Box<dyn Journal>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The rotation of one application's key.
pub struct Rotation {
    parts: Parts,
    session: Mutex<Session>,
}

/// What one look saw, and what is to be done about it.
#[derive(Clone, Debug)]
pub struct Look {
    /// When.
    pub now: Timestamp,
    /// What was seen of our keys.
    pub seen: Observed,
    /// All entries of the directory, ours and foreign; `None` if it could not be read.
    pub listed: Option<Vec<Listed>>,
    /// Why the directory could not be read, if it could not.
    pub unreadable: Option<Unreadable>,
    /// What is to be done.
    pub decision: Decision,
    /// What the service's clock said, and ours at that moment, if it was asked.
    pub clocks: Option<(Timestamp, Timestamp)>,
}

/// Why the directory's list is not known.
#[derive(Clone, Debug)]
pub enum Unreadable {
    /// We may not read the object.
    Forbidden(Refusal),
    /// No key of ours is accepted; this is what was said to the first.
    NoToken(Refusal),
    /// We hold no key that could ask.
    NoKey,
}

/// One pass: what was seen and decided, and what was in the way of doing it.
#[derive(Debug)]
pub struct Pass {
    /// What was seen and decided.
    pub look: Look,
    /// A delivery that failed. It holds back removals and nothing else, so the pass goes on.
    pub failed_delivery: Option<SinkError>,
    /// What the token endpoint said to a key that it refused in this pass.
    pub probe_refused: Option<Refusal>,
}

/// This pass came to nothing. The next one looks again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// At the keystore's door.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// At the directory's.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// At the token endpoint's.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// At the journal's.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The proof was refused, and this is why, the most likely explanation first.
    #[error("the directory refused the proof of possession")]
    ProofRefused {
        /// What it said, which does not help.
        #[source]
        refusal: Refusal,
        /// What we make of it.
        suspicions: Vec<Suspicion>,
    },
    /// Our clock and the service's are too far apart. Nothing was done.
    #[error("this machine's clock is {} {}; at most {MAX_CLOCK_ERROR} is safe", .theirs.distance(*.ours), if .theirs < .ours { "ahead of the service's" } else { "behind the service's" })]
    ClockWrong {
        /// What the service's `Date` said.
        theirs: Timestamp,
        /// What our clock said.
        ours: Timestamp,
    },
    /// No key of ours can obtain a token, so the directory cannot be called.
    #[error("no key of ours is accepted by the token endpoint")]
    NoToken(#[source] BoxError),
}

impl Rotation {
    /// Joins the parts.
    ///
    /// # Panics
    ///
    /// If the policy has another number of audiences than there are scopes: a mistake in the
    /// calling program.
    pub fn new(parts: Parts) -> Self {
        assert_eq!(parts.policy.audiences().count(), parts.scopes.len(), "one scope per audience");
        Self { parts, session: Mutex::default() }
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The same, under a policy by which `key` is due now, whatever its dates.
    #[must_use]
    pub fn retiring(mut self, key: Thumbprint) -> Self {
        self.parts.policy = self.parts.policy.retiring(key);
        self
    }

    /// One pass: observe, decide, act.
    ///
    /// A pass may be abandoned at any `.await`, by a crash as well as by dropping the future, and
    /// then made again.
    ///
    /// # Errors
    ///
    /// An error says that this pass came to nothing, never that the rotation is broken. Make
    /// another pass, later.
    pub async fn reconcile(&self) -> Result<Pass, ReconcileError> {
        self.reconcile_watched(&mut |_| ()).await
    }

    /// As [`reconcile`](Self::reconcile); `watch` is told what was decided before it is done.
    ///
    /// # Errors
    ///
    /// As [`reconcile`](Self::reconcile).
    pub async fn reconcile_watched(
        &self,
        watch: &mut (dyn FnMut(&Look) + Send),
    ) -> Result<Pass, ReconcileError> {
        let _lease = self.parts.keystore.lease().await?;
        let look = self.look_and_note().await?;
        watch(&look);
        let mut pass = Pass { look, failed_delivery: None, probe_refused: None };
        if let Decision::Act(step, why) = pass.look.decision {
            tracing::info!(application = %self.parts.name, ?step, ?why, "step");
            self.act(step, &mut pass).await?;
        }
        Ok(pass)
    }

    /// Looks and decides, and does nothing: no step, no note.
    ///
    /// # Errors
    ///
    /// As [`reconcile`](Self::reconcile).
    pub async fn peek(&self) -> Result<Look, ReconcileError> {
        self.observe(observe::Notes::Withheld).await.map(|seen| self.decide(seen))
    }

    async fn look_and_note(&self) -> Result<Look, ReconcileError> {
        self.observe(observe::Notes::Kept).await.map(|seen| self.decide(seen))
    }

    fn decide(&self, seen: observe::Sight) -> Look {
        let decision = decide(&seen.observed, &self.parts.policy, seen.now);
        let observe::Sight { now, observed, listed, unreadable } = seen;
        let clocks = self.session().clocks;
        Look { now, seen: observed, listed, unreadable, decision, clocks }
    }

    /// Never taken while it is held: whoever needs two things of it takes them one after the other.
    fn session(&self) -> std::sync::MutexGuard<'_, Session> {
        // Nothing that holds it can panic half-way: it is plain data.
        self.session.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Our clock, corrected by what the service's was last seen at.
    fn service_now(&self) -> Timestamp {
        let ours = self.parts.clock.now();
        match self.session().clocks {
            Some((theirs, then)) if then <= theirs => ours + theirs.since(then),
            Some((theirs, then)) => ours - then.since(theirs),
            None => ours,
        }
    }

    /// Remembers what the service's clock says, and refuses to go on if ours is too wrong.
    fn compare_clocks(&self, theirs: Option<Timestamp>) -> Result<(), ReconcileError> {
        let Some(theirs) = theirs else { return Ok(()) };
        let ours = self.parts.clock.now();
        self.session().clocks = Some((theirs, ours));
        match theirs.distance(ours) <= MAX_CLOCK_ERROR {
            true => Ok(()),
            false => Err(ReconcileError::ClockWrong { theirs, ours }),
        }
    }
}

/// How long a listing may be reused while nothing of ours was written: much shorter than the lag
/// that every listing may have anyway.
const LISTING_KEEPS: Span = Span::minutes(1);

/// A token is not used in its last minutes.
const TOKEN_MARGIN: Span = Span::minutes(5);
