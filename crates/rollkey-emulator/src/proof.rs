//! The judgement of a proof of possession: rules `POP`.
//!
//! As exact as the service could possibly be. The answer never says which rule was broken; that
//! is for the caller of this room to hide. Nothing is changed in here.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::certificate::{Algorithm, Verification, hex};
use crate::directory::{KeyEntry, ObjectKind, Registration, Usage};
use crate::jwt::{self, Instants, Padding, Unreadable};
use crate::replicas::Purpose;
use crate::rules::{Rule, proof as rules};
use crate::visit::Visit;

/// The app id of the retired Azure AD Graph, not of Microsoft Graph.
const AUDIENCE: &str = "00000002-0000-0000-c000-000000000000";

/// The longest lifetime, in seconds.
const LONGEST: i64 = 600;

/// How far `nbf` may lie ahead, in seconds.
const SKEW: i64 = 300;

/// Judges a proof for the object of this kind; returns the entry of the key that signed it.
///
/// # Errors
///
/// The rule that the proof breaks.
pub(crate) fn judge<'a>(
    visit: &mut Visit<'_>,
    target: &'a Registration,
    kind: ObjectKind,
    proof: &str,
) -> Result<&'a KeyEntry, &'static Rule> {
    let token = jwt::read(proof, Padding::Refused).map_err(|unreadable| match unreadable {
        Unreadable::Padded => &rules::PADDING,
        Unreadable::Malformed => &rules::FORM,
    })?;

    let algorithm = token.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let algorithm = Algorithm::named(algorithm).ok_or(&rules::ALGORITHM)?;
    match algorithm {
        Algorithm::Rs256 => (),
        Algorithm::Ps256 if !visit.is_strict() => (),
        _ => return Err(&rules::ALGORITHM),
    }
    let named = Named::of(&token.header, visit.is_strict()).ok_or(&rules::THUMBPRINT)?;
    visit.note.thumbprint = Some(named.shown());

    let entry = find(visit, target, kind, &named)?;
    visit.note.thumbprint = Some(entry.certificate.thumbprint());
    let message = token.signing_input.as_bytes();
    if entry.certificate.verify(algorithm, message, &token.signature) != Verification::Good {
        return Err(&rules::SIGNATURE);
    }
    check_claims(visit, target, kind, &token.claims)?;
    Ok(entry)
}

fn check_claims(
    visit: &Visit<'_>,
    target: &Registration,
    kind: ObjectKind,
    claims: &Map<String, Value>,
) -> Result<(), &'static Rule> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("aud") != AUDIENCE {
        return Err(&rules::AUDIENCE);
    }
    let issuer = text("iss");
    let is_object = issuer.eq_ignore_ascii_case(&target.object(kind).id);
    let is_app = issuer.eq_ignore_ascii_case(&target.app_id);
    if !is_object && (visit.is_strict() || !is_app) {
        return Err(&rules::ISSUER);
    }

    let instant = |name: &str| {
        let value = claims.get(name).ok_or(&rules::TIMES)?;
        jwt::instant(value, Instants::Whole).ok_or(&rules::TIMES)
    };
    let (not_before, expiry) = (instant("nbf")?, instant("exp")?);
    if expiry <= visit.now {
        return Err(&rules::EXPIRY);
    }
    if not_before > visit.now.saturating_add(SKEW) {
        return Err(&rules::NOT_BEFORE);
    }
    match expiry.saturating_sub(not_before) {
        1..=LONGEST => Ok(()),
        _ => Err(&rules::LIFETIME),
    }
}

/// The entry of the key that the header names, if proofs of it are accepted.
fn find<'a>(
    visit: &Visit<'_>,
    target: &'a Registration,
    kind: ObjectKind,
    named: &Named,
) -> Result<&'a KeyEntry, &'static Rule> {
    let strict = visit.is_strict();
    let knows = |entry: &KeyEntry| match strict {
        true => visit
            .tenant
            .replicas()
            .all(|replica| replica.knows(entry, Purpose::Proof, visit.lags(), visit.now)),
        false => visit.knows(entry, Purpose::Proof),
    };
    // A stale replica may still take a proof of a removed key; a strict one never does.
    let registered = |entry: &&KeyEntry| {
        entry.usage == Usage::Verify
            && named.is(entry)
            && (entry.is_registered() || !strict && knows(entry))
    };
    let fitting: Vec<_> = target.object(kind).keys.iter().filter(registered).collect();
    if fitting.is_empty() {
        return Err(&rules::REGISTERED);
    }
    let known: Vec<_> = fitting.into_iter().filter(|entry| knows(entry)).collect();
    if known.is_empty() {
        return Err(&rules::PROPAGATED);
    }
    let good = known.into_iter().find(|entry| entry.is_within_its_dates(visit.now));
    good.ok_or(&rules::KEY_DATES)
}

/// How the header names a key.
enum Named {
    Sha1(Vec<u8>),
    Sha256(Vec<u8>),
}

impl Named {
    fn of(header: &Map<String, Value>, strict: bool) -> Option<Self> {
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let decode = |text: &str, size: usize| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
            (bytes.len() == size).then_some(bytes)
        };
        if let Some(x5t) = text("x5t") {
            return decode(x5t, 20).map(Self::Sha1);
        }
        if strict {
            return None;
        }
        match (text("x5t#S256"), text("kid")) {
            (Some(x5t), _) => decode(x5t, 32).map(Self::Sha256),
            (None, Some(kid)) => unhex(kid).map(Self::Sha1),
            (None, None) => None,
        }
    }

    fn is(&self, entry: &KeyEntry) -> bool {
        match self {
            Self::Sha1(bytes) => *bytes == entry.certificate.sha1,
            Self::Sha256(bytes) => *bytes == entry.certificate.sha256,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Sha1(bytes) | Self::Sha256(bytes) => hex(bytes),
        }
    }
}

/// The 20 bytes of 40 hexadecimal digits.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = digits.chars().map(|char| char.to_digit(16)).collect::<Option<_>>()?;
    let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).ok();
    (digits.len() == 40).then(|| digits.chunks_exact(2).map(byte).collect())?
}
