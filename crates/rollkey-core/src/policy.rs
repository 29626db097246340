//! What the operator asks for. A [`Policy`] that exists is sound.

use crate::proof::PROOF_LIFETIME;
use crate::thumbprint::Thumbprint;
use crate::time::Span;
use std::fmt;

/// How wrong this machine's clock may be, either way, without breaking a promise.
///
/// Entra allows five minutes where it says anything at all. The driver compares our clock with the
/// service's `Date` and refuses to act beyond this.
pub const MAX_CLOCK_ERROR: Span = Span::minutes(5);

/// The n-th scope of the policy, from 0. A key is *accepted* when all of them accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Audience(pub u8);

/// The n-th sink of the application, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SinkId(pub u8);

/// When to rotate, and how long old and new live side by side: as asked for, not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Start a rotation this long before the current certificate expires.
    pub renew_before: Span,
    /// Lifetime of a new certificate.
    pub lifetime: Span,
    /// How long after an `addKey` or `removeKey` a "not there" may be mere replication lag.
    pub propagation: Span,
    /// How long a new key must have been accepted before consumers are switched to it.
    pub settle: Span,
    /// How long the previous key stays registered after the last consumer was switched.
    pub overlap: Span,
    /// Pause before asking again.
    pub poll: Span,
    /// How many audiences a new key must be accepted for.
    pub audiences: u8,
}

impl Default for Terms {
    /// What is right for production. Nobody publishes how long replicas lag; 20 minutes is the
    /// longest that was seen, so `settle` and `propagation` are that, plus [`MAX_CLOCK_ERROR`]
    /// twice, for a clock that is set right in between.
    fn default() -> Self {
        Self {
            renew_before: Span::days(30),
            lifetime: Span::days(90),
            propagation: Span::minutes(30),
            settle: Span::minutes(30),
            overlap: Span::days(1),
            poll: Span::minutes(1),
            audiences: 1,
        }
    }
}

/// [`Terms`] that were judged and found sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    terms: Terms,
    retire: Option<Thumbprint>,
}

/// Terms that can be read and make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// `renew-before` is not shorter than `lifetime`.
    BornDue,
    /// `overlap` is shorter than a stalled run can be late.
    OverlapTooShort,
    /// `renew-before` is shorter than a rotation may take.
    TooLate,
    /// `poll` is zero.
    PollZero,
    /// No audience to ask whether a key works.
    NoAudience,
}

/// The shortest overlap that is safe: a proof that a stalled run still holds is dead, even if our
/// clock was set right in between.
pub const MIN_OVERLAP: Span = Span(PROOF_LIFETIME.0 + MAX_CLOCK_ERROR.twice().0);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BornDue => f.write_str(
                "`renew-before` must be shorter than `lifetime`, or every certificate is born due",
            ),
            Self::OverlapTooShort => write!(
                f,
                "`overlap` must be at least {MIN_OVERLAP}, or a stalled run could remove a key that is in use"
            ),
            Self::TooLate => write!(
                f,
                "`renew-before` must be at least `propagation`, `settle` and `overlap` plus {}, or the old key expires in use",
                MAX_CLOCK_ERROR.twice()
            ),
            Self::PollZero => f.write_str("`poll` must not be zero, or we would never stop asking"),
            Self::NoAudience => f.write_str(
                "`scopes` must name at least one scope, or nobody can say that a key works",
            ),
        }
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Judges `terms`.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, of: `renew_before` < `lifetime`; [`MIN_OVERLAP`] ≤
    /// `overlap`; `propagation` + `settle` + `overlap`, and [`MAX_CLOCK_ERROR`] twice, ≤
    /// `renew_before`; `poll` and `audiences` not zero.
    pub fn new(terms: Terms) -> Result<Self, PolicyError> {
        if terms.lifetime <= terms.renew_before {
            return Err(PolicyError::BornDue);
        }
        if terms.overlap < MIN_OVERLAP {
            return Err(PolicyError::OverlapTooShort);
        }
        // A new key may take as long as replicas lag to be accepted, and consumers may use the old
        // one until the overlap has ended.
        let rotation = terms.propagation + terms.settle + terms.overlap;
        if terms.renew_before < rotation + MAX_CLOCK_ERROR.twice() {
            return Err(PolicyError::TooLate);
        }
        if terms.poll == Span(0) {
            return Err(PolicyError::PollZero);
        }
        if terms.audiences == 0 {
            return Err(PolicyError::NoAudience);
        }
        Ok(Self { terms, retire: None })
    }

    /// The same policy, under which `key` is due for renewal now, whatever its dates.
    ///
    /// As with everything here, this is a level and no event: once another key is current, it
    /// changes nothing.
    #[must_use]
    pub fn retiring(self, key: Thumbprint) -> Self {
        Self { retire: Some(key), ..self }
    }

    /// What was asked for.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The key that is due whatever its dates.
    pub fn retire(&self) -> Option<Thumbprint> {
        self.retire
    }

    /// The audiences that must accept a key.
    pub fn audiences(&self) -> impl Iterator<Item = Audience> + use<> {
        (0..self.terms.audiences).map(Audience)
    }
}
