//! Refusals of the Graph: the envelope and every sentence.
//!
//! The words are the wire's, as misleading as they are: what really was wrong stands in the header
//! `x-emulator-rule` only.

use serde_json::json;

use crate::access_token::GRAPH_APP_ID;
use crate::clock;
use crate::http::Answer;
use crate::rules::{Rule, access, keys, proof};
use crate::visit::Visit;

/// A request that the Graph refuses.
#[derive(Debug)]
pub(crate) struct Refusal {
    rule: Option<&'static Rule>,
    status: u16,
    code: String,
    message: String,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    fn new(rule: &'static Rule, status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            rule: Some(rule),
            status,
            code: code.to_owned(),
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// The answer on the wire.
    pub(crate) fn answer(self, visit: &Visit<'_>) -> Answer {
        let request_id = &visit.request_id;
        let body = json!({
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": clock::iso_without_zone(visit.now),
                    "request-id": request_id,
                    "client-request-id": visit.client_request_id.as_ref().unwrap_or(request_id),
                },
            },
        });
        let mut headers = self.headers;
        if self.code == "InvalidAuthenticationToken" {
            let uri = format!("{}/common/oauth2/authorize", visit.base());
            let challenge = format!(
                "Bearer realm=\"\", authorization_uri=\"{uri}\", client_id=\"{GRAPH_APP_ID}\""
            );
            headers.push(("www-authenticate", challenge));
        }
        Answer {
            status: self.status,
            headers,
            body: Some(body),
            rule: self.rule,
            code: Some(self.code),
        }
    }
}

/// A refusal that a test or chance asked for.
pub(crate) fn scripted(
    visit: &Visit<'_>,
    status: u16,
    code: &str,
    retry_after: Option<u64>,
) -> Answer {
    let message = match code {
        "TooManyRequests" => "Too many requests. Please retry later.",
        "Directory_ConcurrencyViolation" => CONCURRENCY,
        "Authorization_RequestDenied" => DENIED,
        "Authentication_MissingOrMalformed" => PROOF,
        _ => "An error has occurred. Please try again.",
    };
    let mut headers = Vec::new();
    if let Some(seconds) = retry_after {
        headers.push(("retry-after", seconds.to_string()));
    }
    if status == 429 {
        let scope = format!("Tenant_Application/ReadWrite/{GRAPH_APP_ID}/{}", visit.tenant.id);
        headers.push(("x-ms-throttle-scope", scope));
        headers.push(("x-ms-throttle-information", "WriteLimitExceeded".to_owned()));
    }
    let (code, message) = (code.to_owned(), message.to_owned());
    Refusal { rule: None, status, code, message, headers }.answer(visit)
}

const CONCURRENCY: &str =
    "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.";
const DENIED: &str = "Insufficient privileges to complete the operation.";
const PROOF: &str = "Access Token missing or malformed.";

fn bad_request(rule: &'static Rule, message: impl Into<String>) -> Refusal {
    Refusal::new(rule, 400, "Request_BadRequest", message)
}

// The access token and the caller.

pub(crate) fn token_missing() -> Refusal {
    Refusal::new(&access::PRESENT, 401, "InvalidAuthenticationToken", "Access token is empty.")
}

pub(crate) fn token_malformed() -> Refusal {
    let message = "CompactToken parsing failed with error code: 80049217";
    Refusal::new(&access::FORM, 401, "InvalidAuthenticationToken", message)
}

pub(crate) fn token_audience() -> Refusal {
    let message = "Access token validation failure. Invalid audience.";
    Refusal::new(&access::AUDIENCE, 401, "InvalidAuthenticationToken", message)
}

pub(crate) fn token_expired() -> Refusal {
    let message = "Lifetime validation failed, the token is expired.";
    Refusal::new(&access::LIFETIME, 401, "InvalidAuthenticationToken", message)
}

/// Not allowed: to read, to roll keys, to update.
pub(crate) fn denied(rule: &'static Rule) -> Refusal {
    Refusal::new(rule, 403, "Authorization_RequestDenied", DENIED)
}

// The proof.

/// All faults of a proof sound alike.
pub(crate) fn bad_proof(rule: &'static Rule) -> Refusal {
    Refusal::new(rule, 401, "Authentication_MissingOrMalformed", PROOF)
}

pub(crate) fn no_proof() -> Refusal {
    denied(&proof::PRESENT)
}

// Addresses and queries.

pub(crate) fn no_such_path(segment: &str) -> Refusal {
    let message = format!("Resource not found for the segment '{segment}'.");
    Refusal::new(&keys::PATH, 400, "BadRequest", message)
}

pub(crate) fn method() -> Refusal {
    let message = "Specified HTTP method is not allowed for the request target.";
    Refusal::new(&keys::METHOD, 405, "Request_BadRequest", message)
}

pub(crate) fn object_id(id: &str) -> Refusal {
    bad_request(&keys::OBJECT_ID, format!("Invalid object identifier '{id}'."))
}

pub(crate) fn no_such_object(id: &str) -> Refusal {
    let message = format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    );
    Refusal::new(&keys::OBJECT, 404, "Request_ResourceNotFound", message)
}

pub(crate) fn query(message: impl Into<String>) -> Refusal {
    Refusal::new(&keys::QUERY, 400, "BadRequest", message)
}

// Bodies.

pub(crate) fn not_json() -> Refusal {
    let message = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.";
    Refusal::new(&keys::JSON, 400, "BadRequest", message)
}

pub(crate) fn unknown_property(name: &str, of: &str) -> Refusal {
    let message = format!(
        "The property '{name}' does not exist on type '{of}'. Make sure to only use property names that are defined by the type."
    );
    Refusal::new(&keys::JSON, 400, "BadRequest", message)
}

pub(crate) fn wrong_type(name: &str, expected: &str) -> Refusal {
    let message =
        format!("Cannot convert the value of '{name}' to the expected type '{expected}'.");
    Refusal::new(&keys::JSON, 400, "BadRequest", message)
}

// Keys.

pub(crate) fn key_id_given() -> Refusal {
    bad_request(&keys::KEY_ID_NULL, "KeyId value must be null.")
}

pub(crate) fn not_a_certificate() -> Refusal {
    let message = "Invalid credential value. Error: Cannot find the requested object.\r\n";
    bad_request(&keys::CERTIFICATE, message)
}

pub(crate) fn usage() -> Refusal {
    let message = "The value for the property \"usage\" in one of your credentials is invalid. Acceptable values are Sign, Verify.";
    bad_request(&keys::TYPE_AND_USAGE, message)
}

pub(crate) fn credential_type() -> Refusal {
    let message = "The value for the property \"type\" in one of your credentials is invalid. Acceptable values are AsymmetricX509Cert, X509CertAndPassword.";
    bad_request(&keys::TYPE_AND_USAGE, message)
}

pub(crate) fn password(message: &str) -> Refusal {
    bad_request(&keys::PASSWORD, message)
}

pub(crate) fn start_date() -> Refusal {
    let message = "Key credential start date is invalid.";
    Refusal::new(&keys::START_DATE, 400, "KeyCredentialsInvalidStartDate", message)
}

pub(crate) fn end_date(rule: &'static Rule) -> Refusal {
    let message = "Key credential end date is invalid.";
    Refusal::new(rule, 400, "KeyCredentialsInvalidEndDate", message)
}

pub(crate) fn nothing_to_remove(rule: &'static Rule) -> Refusal {
    bad_request(rule, "No credentials found to be removed.")
}

pub(crate) fn collision(retry_after: u64) -> Refusal {
    let mut refusal =
        Refusal::new(&keys::SPACING, 409, "Directory_ConcurrencyViolation", CONCURRENCY);
    refusal.headers.push(("retry-after", retry_after.to_string()));
    refusal
}

pub(crate) fn full() -> Refusal {
    let message = "The size of the object has exceeded its limit. Please reduce the number of values and retry your request.";
    Refusal::new(&keys::SIZE, 400, "Directory_ResourceSizeExceeded", message)
}

pub(crate) fn lifetime_policy(policy: &str) -> Refusal {
    let message = format!(
        "Credential lifetime exceeds the max value allowed as per assigned policy '{policy}'."
    );
    let code = "CredentialInvalidLifetimeAsPerAppPolicy";
    Refusal::new(&keys::LIFETIME_POLICY, 400, code, message)
}

pub(crate) fn type_policy(policy: &str) -> Refusal {
    let message = format!("Credential type not allowed as per assigned policy '{policy}'.");
    Refusal::new(&keys::TYPE_POLICY, 400, "CredentialTypeNotAllowedAsPerAppPolicy", message)
}

// PATCH.

pub(crate) fn kept_unknown(key_id: &str) -> Refusal {
    let message = format!("The credential with KeyId '{key_id}' has no value.");
    bad_request(&keys::KEPT_IS_KNOWN, message)
}

pub(crate) fn kept_altered(key_id: &str) -> Refusal {
    let message = format!("Update to existing credential with KeyId '{key_id}' is not allowed.");
    bad_request(&keys::KEPT_IS_UNCHANGED, message)
}

pub(crate) fn key_id_in_update(key_id: &str) -> Refusal {
    let message = format!("The KeyId '{key_id}' is not a GUID, or occurs more than once.");
    bad_request(&keys::KEY_ID_UNIQUE, message)
}

pub(crate) fn new_password() -> Refusal {
    let message = "New password credentials must be generated using service actions.";
    bad_request(&keys::NO_PASSWORDS, message)
}

pub(crate) fn property_not_kept(name: &str) -> Refusal {
    let message = format!("Invalid value specified for property '{name}' of resource.");
    bad_request(&keys::KNOWN_PROPERTIES, message)
}
