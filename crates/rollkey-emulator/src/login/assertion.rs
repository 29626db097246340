//! The judgement of a client assertion: rules `AST`.
//!
//! Tolerant where official SDKs differ, exact everywhere else. Nothing is changed in here.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::refusal::{self, Refusal};
use crate::certificate::{Algorithm, Certificate, Verification, hex};
use crate::directory::{KeyEntry, Registration, Usage};
use crate::jwt::{self, Instants, Padding};
use crate::replicas::Purpose;
use crate::rules::assertion as rules;
use crate::visit::Visit;

/// How far `nbf` may lie ahead, in seconds.
const SKEW: i64 = 300;

/// What is to be judged.
pub(super) struct Case<'a> {
    pub(super) assertion: &'a str,
    /// The parameter, as sent.
    pub(super) client_id: &'a str,
    pub(super) caller: &'a Registration,
    /// The tenant, as the address spells it.
    pub(super) tenant: &'a str,
    /// What the token shall be for, as lags name it.
    pub(super) audience: &'a str,
}

/// Judges an assertion by every rule.
pub(super) fn judge(visit: &mut Visit<'_>, case: &Case<'_>) -> Result<(), Refusal> {
    let token = jwt::read(case.assertion, Padding::Tolerated)
        .map_err(|_| refusal::malformed(&rules::FORM))?;

    let algorithm = token.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let algorithm = Algorithm::named(algorithm).ok_or_else(|| refusal::algorithm(algorithm))?;
    let named = Named::of(&token.header).ok_or_else(refusal::no_key_named)?;
    visit.note.thumbprint = Some(named.shown());

    check_claims(visit, case, &token.claims)?;

    let entry = find(visit, case, &named)?;
    visit.note.thumbprint = Some(entry.certificate.thumbprint());
    let app_id = &case.caller.app_id;
    let message = token.signing_input.as_bytes();
    match entry.certificate.verify(algorithm, message, &token.signature) {
        Verification::Good => Ok(()),
        Verification::Bad => Err(refusal::signature_wrong(app_id, entry)),
        Verification::Impossible => Err(refusal::signature_impossible(app_id, entry)),
    }
}

fn check_claims(
    visit: &Visit<'_>,
    case: &Case<'_>,
    claims: &Map<String, Value>,
) -> Result<(), Refusal> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_client = |name: &str| text(name).eq_ignore_ascii_case(case.client_id);
    if !is_client("iss") || !is_client("sub") {
        return Err(refusal::other_client());
    }

    let audience = text("aud");
    let tenants = [case.tenant, &visit.tenant.id, &visit.tenant.domain];
    let is_here = visit.bases().iter().any(|base| {
        tenants.iter().any(|tenant| {
            ["oauth2/v2.0/token", "v2.0", "oauth2/token"]
                .iter()
                .any(|end| audience == format!("{base}/{tenant}/{end}"))
        })
    });
    if !is_here {
        return Err(refusal::audience());
    }

    let malformed = || refusal::malformed(&rules::TIMES);
    let instant = |value: &Value| jwt::instant(value, Instants::Fractional).ok_or_else(malformed);
    let expiry = instant(claims.get("exp").ok_or_else(malformed)?)?;
    let not_before = claims.get("nbf").map(instant).transpose()?;
    let from = not_before.unwrap_or(expiry);
    if expiry <= visit.now {
        return Err(refusal::time_range(&rules::EXPIRY, visit.now, from, expiry));
    }
    match not_before {
        Some(from) if from > visit.now.saturating_add(SKEW) => {
            Err(refusal::time_range(&rules::NOT_BEFORE, visit.now, from, expiry))
        }
        _ => Ok(()),
    }
}

/// The entry of the key that the header names, if the replica that answers accepts it.
fn find<'a>(visit: &Visit<'_>, case: &Case<'a>, named: &Named) -> Result<&'a KeyEntry, Refusal> {
    let purpose = Purpose::Token { audience: case.audience };
    let fitting = || {
        let entries = case.caller.keys().filter(|entry| entry.usage == Usage::Verify);
        entries.filter(|entry| named.is(entry))
    };
    let known = || fitting().filter(|entry| visit.knows(entry, purpose));
    if let Some(entry) = known().find(|entry| entry.is_within_its_dates(visit.now)) {
        return Ok(entry);
    }
    let (layout, app_id) = (visit.settings.layout, &case.caller.app_id);
    if let Some(entry) = known().next() {
        return Err(refusal::key_expired(layout, app_id, entry));
    }
    let rule = match fitting().any(KeyEntry::is_registered) {
        true => &rules::PROPAGATED,
        false => &rules::REGISTERED,
    };
    Err(refusal::key_unknown(rule, layout, app_id, &named.shown()))
}

/// How the header names a key.
enum Named {
    /// `x5t`
    Sha1(String),
    /// `x5t#S256`
    Sha256(String),
    /// `kid`: a thumbprint in any notation, or a `keyId`.
    Kid(String),
}

impl Named {
    fn of(header: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| {
            let text = header.get(name).and_then(Value::as_str)?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        text("x5t")
            .map(Self::Sha1)
            .or_else(|| text("x5t#S256").map(Self::Sha256))
            .or_else(|| text("kid").map(Self::Kid))
    }

    fn is(&self, entry: &KeyEntry) -> bool {
        let Certificate { sha1, sha256, .. } = &*entry.certificate;
        let bytes = |text: &str| any_base64(text).unwrap_or_default();
        match self {
            Self::Sha1(text) => bytes(text) == sha1,
            Self::Sha256(text) => bytes(text) == sha256,
            Self::Kid(text) => {
                text.eq_ignore_ascii_case(&entry.key_id)
                    || text.eq_ignore_ascii_case(&hex(sha1))
                    || text.eq_ignore_ascii_case(&hex(sha256))
                    || bytes(text) == sha1
                    || bytes(text) == sha256
            }
        }
    }

    /// As login shows it in its refusals: hexadecimal if it can be.
    fn shown(&self) -> String {
        match self {
            Self::Sha1(text) | Self::Sha256(text) => {
                any_base64(text).map_or_else(String::new, |bytes| hex(&bytes))
            }
            Self::Kid(text) => text.chars().take(64).collect(),
        }
    }
}

/// Decodes either alphabet of base64, padded or not.
fn any_base64(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    let standard = text.replace('-', "+").replace('_', "/");
    ENGINE.decode(standard).ok().filter(|bytes| bytes.len() <= 64)
}
