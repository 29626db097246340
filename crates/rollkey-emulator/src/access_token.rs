//! Access tokens: signed here, published as keys by login, verified by the Graph.
//!
//! They look like Entra's tokens for applications (version 1.0) and are real: whoever reads the
//! key set of login can verify them. The signing key is new with each emulator.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::certificate::{Algorithm, Certificate, GeneratedKey, Verification};
use crate::directory::Registration;
use crate::jwt::{self, Instants, Padding};
use crate::seed::Stream;
use crate::visit::Visit;

/// The app id of Microsoft Graph, in every cloud.
pub(crate) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// The Graph's address in the global cloud, and the name of its audience for [`Lags`].
///
/// [`Lags`]: crate::Lags
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";

/// The hosts of the Graph in other clouds: a token for one is no good at another.
const NATIONAL_GRAPHS: [&str; 4] = [
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
];

/// How long a token is good for, in seconds, as said in `expires_in`.
pub(crate) const LIFETIME: i64 = 3599;

/// The key that signs access tokens.
pub(crate) struct Signer {
    key: KeyPair,
    certificate: Certificate,
}

/// Something went wrong while keys were made.
pub(crate) type KeyError = Box<dyn std::error::Error + Send + Sync>;

impl Signer {
    pub(crate) fn new() -> Result<Self, KeyError> {
        // The dates are of no consequence: nobody looks at them.
        let generated = GeneratedKey::new("rollkey emulator token signing", 0, i64::MAX)?;
        let key = KeyPair::from_pkcs8(generated.private_key_pkcs8())?;
        let certificate = Certificate::read(generated.certificate_der())
            .ok_or("the certificate of the token signing key cannot be read")?;
        Ok(Self { key, certificate })
    }

    /// What `kid` and `x5t` of our tokens say.
    fn key_id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.certificate.sha1)
    }

    /// The key as an entry of a JSON web key set.
    pub(crate) fn web_key(&self, issuer: &str) -> Value {
        let public = self.key.public_key();
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id(),
            "x5t": self.key_id(),
            "n": BASE64_URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": BASE64_URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            "x5c": [BASE64_STANDARD.encode(&self.certificate.der)],
            "issuer": issuer,
        })
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        // Fails for keys that are too short for the digest, which ours is not; an empty signature
        // would be refused by everybody.
        match self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => signature,
            Err(_) => Vec::new(),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({})", self.key_id())
    }
}

/// Makes a token for `audience`, a resource as it was asked for.
pub(crate) fn mint(visit: &Visit<'_>, caller: &Registration, audience: &str) -> String {
    let tenant = visit.tenant;
    let key_id = tenant.signer.key_id();
    let issuer = format!("https://sts.windows.net/{}/", tenant.id);
    let service_principal = &caller.service_principal.id;
    let mut claims = json!({
        "aud": audience,
        "iss": issuer,
        "iat": visit.now,
        "nbf": visit.now,
        "exp": visit.now.saturating_add(LIFETIME),
        "app_displayname": caller.application.display_name,
        "appid": caller.app_id,
        "appidacr": "2",
        "idp": issuer,
        "idtyp": "app",
        "oid": service_principal,
        "sub": service_principal,
        "tid": tenant.id,
        "uti": tenant.seeds.guid(Stream::Token),
        "ver": "1.0",
    });
    if canonical_audience(visit, audience) == GRAPH && !caller.permissions.is_empty() {
        claims["roles"] = caller.permissions.iter().map(|permission| permission.name()).collect();
    }
    let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": key_id, "kid": key_id });
    jwt::write(&header, &claims, |message| tenant.signer.sign(message))
}

/// The name by which lags and limits know a resource: without a final slash, and one for all names
/// of the Graph.
pub(crate) fn canonical_audience(visit: &Visit<'_>, resource: &str) -> String {
    let plain = resource.trim_end_matches('/');
    let is_graph = plain.eq_ignore_ascii_case(GRAPH_APP_ID)
        || plain.strip_prefix("https://").is_some_and(|host| NATIONAL_GRAPHS.contains(&host))
        || visit.bases().iter().any(|base| base == plain);
    if is_graph { GRAPH.to_owned() } else { plain.to_owned() }
}

/// Who calls, by the word of a token.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) app_id: String,
    pub(crate) roles: BTreeSet<String>,
}

/// Why a token is no good for the Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NotOurs,
    Audience,
    Expired,
}

/// Verifies a token that was sent to the Graph.
pub(crate) fn check(visit: &Visit<'_>, text: &str) -> Result<Caller, Refused> {
    let token = jwt::read(text, Padding::Refused).map_err(|_| Refused::NotOurs)?;
    let is_rs256 = token.header.get("alg").and_then(Value::as_str) == Some("RS256");
    let verified = visit.tenant.signer.certificate.verify(
        Algorithm::Rs256,
        token.signing_input.as_bytes(),
        &token.signature,
    );
    if !is_rs256 || verified != Verification::Good {
        return Err(Refused::NotOurs);
    }
    let (Some(app_id), Some(audience), Some(expiry)) = (
        text_of(&token.claims, "appid"),
        text_of(&token.claims, "aud"),
        token.claims.get("exp").and_then(|exp| jwt::instant(exp, Instants::Whole)),
    ) else {
        return Err(Refused::NotOurs);
    };
    if !is_for_this_graph(visit, audience) {
        return Err(Refused::Audience);
    }
    if expiry <= visit.now {
        return Err(Refused::Expired);
    }
    let roles = token.claims.get("roles").and_then(Value::as_array);
    let roles = roles.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Ok(Caller { app_id: app_id.to_owned(), roles: roles.collect() })
}

fn text_of<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

fn is_for_this_graph(visit: &Visit<'_>, audience: &str) -> bool {
    let plain = audience.trim_end_matches('/');
    let host = visit.request.authority.as_str();
    let elsewhere = NATIONAL_GRAPHS.contains(&host) && host != "graph.microsoft.com";
    plain == GRAPH_APP_ID
        || plain == visit.base()
        || !elsewhere && (plain == GRAPH || visit.bases().iter().any(|base| base == plain))
}
