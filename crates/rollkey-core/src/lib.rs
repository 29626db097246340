//! The pure heart of rollkey: what is known of one application's keys, the one next step, and the
//! two tokens that are signed on the way.
//!
//! Nothing in this crate can open a file, a socket or a clock: its dependency list cannot. Time and
//! randomness come in as arguments; signatures are made elsewhere and handed in.
//!
//! In reading order:
//!
//! 1. [`time`], [`id`], [`thumbprint`]: the nouns.
//! 2. [`policy`]: what the operator asks for.
//! 3. [`facts`]: what is remembered because it cannot be looked up again.
//! 4. [`observed`]: what is seen, and how well.
//! 5. [`decision`] and [`decide`](mod@decide): what may be decided, and the one next step.
//! 6. [`token`], [`proof`], [`assertion`]: the bytes to sign, and the bytes signed.
//! 7. [`diagnose`](mod@diagnose): why a refused proof was probably refused.
//!
//! ```
//! use rollkey_core::{Decision, Facts, Listing, Observed, Policy, Reading, Timestamp, decide};
//!
//! let policy = Policy::default();
//! let now = Timestamp(1_800_000_000);
//! let seen = Observed::assemble(Reading::default(), &Facts::default(), &policy, now);
//! // We hold no key at all: no step of ours can help.
//! assert!(matches!(decide(&seen, &policy, now), Decision::Blocked(_)));
//! ```

pub mod assertion;
pub mod decide;
pub mod decision;
pub mod diagnose;
pub mod facts;
pub mod id;
pub mod observed;
pub mod policy;
pub mod proof;
pub mod thumbprint;
pub mod time;
pub mod token;

pub use assertion::{Assertion, UnsignedAssertion};
pub use decide::decide;
pub use decision::{Blocker, Decision, Reason, Step};
pub use diagnose::{Evidence, Suspicion, diagnose};
pub use facts::{Facts, KeyFacts, Note};
pub use id::{AppId, KeyId, ObjectId, ParseIdError, TenantId, TokenId};
pub use observed::{
    Credential, Delivered, Generation, Held, Listed, Listing, Observed, Reading, Registration,
    SinkState, Slot, Standing,
};
pub use policy::{Audience, MAX_CLOCK_ERROR, Policy, PolicyError, SinkId, Terms};
pub use proof::{PROOF_LIFETIME, Proof, UnsignedProof};
pub use thumbprint::{ParseThumbprintError, Sha1Thumbprint, Sha256Thumbprint, Thumbprint};
pub use time::{ParseSpanError, Span, Timestamp};
pub use token::Algorithm;
