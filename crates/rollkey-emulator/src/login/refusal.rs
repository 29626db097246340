//! Refusals of login: the envelope and every sentence.
//!
//! The words are the wire's, down to their faults; clients parse them.

use serde_json::json;

use crate::clock;
use crate::directory::KeyEntry;
use crate::http::Answer;
use crate::rules::{Rule, assertion, token_request};
use crate::seed::Stream;
use crate::tenant::ErrorLayout;
use crate::visit::Visit;

/// A request that login refuses.
#[derive(Debug)]
pub(crate) struct Refusal {
    rule: Option<&'static Rule>,
    status: u16,
    /// OAuth's word, such as `invalid_client`.
    error: &'static str,
    /// The number behind `AADSTS`.
    number: u32,
    text: String,
    retry_after: Option<u64>,
}

/// Where the documentation of the error stands, for the end of a sentence.
const REVIEW: &str = "Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials .";

impl Refusal {
    fn new(
        rule: &'static Rule,
        status: u16,
        error: &'static str,
        number: u32,
        text: impl Into<String>,
    ) -> Self {
        Self { rule: Some(rule), status, error, number, text: text.into(), retry_after: None }
    }

    /// The answer on the wire.
    pub(crate) fn answer(&self, visit: &Visit<'_>) -> Answer {
        let trace_id = &visit.request_id;
        let correlation_id = visit
            .client_request_id
            .clone()
            .unwrap_or_else(|| visit.tenant.seeds.guid(Stream::Request));
        let timestamp = visit.login_timestamp();
        let gap = match visit.settings.layout {
            ErrorLayout::OneLine => " ",
            ErrorLayout::Lines => "\r\n",
        };
        let description = format!(
            "AADSTS{}: {}{gap}Trace ID: {trace_id}{gap}Correlation ID: {correlation_id}{gap}Timestamp: {timestamp}",
            self.number, self.text,
        );
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.number],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.number),
        });
        let retry_after = self.retry_after.map(|seconds| ("retry-after", seconds.to_string()));
        Answer {
            status: self.status,
            headers: retry_after.into_iter().collect(),
            body: Some(body),
            rule: self.rule,
            code: Some(format!("AADSTS{}", self.number)),
        }
    }
}

/// A refusal that a test or chance asked for. `code` is `AADSTS` with a number, or just the number.
pub(crate) fn scripted(
    visit: &Visit<'_>,
    status: u16,
    code: &str,
    retry_after: Option<u64>,
) -> Answer {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let number = digits.parse().unwrap_or(90033);
    let error = match status {
        401 => "invalid_client",
        429 | 500.. => "temporarily_unavailable",
        _ => "invalid_request",
    };
    let text = "A transient error has occurred. Please try again.".to_owned();
    Refusal { rule: None, status, error, number, text, retry_after }.answer(visit)
}

// The request.

pub(crate) fn tenant_unknown(name: &str) -> Refusal {
    let text = format!(
        "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
    );
    Refusal::new(&token_request::TENANT, 400, "invalid_tenant", 90002, text)
}

pub(crate) fn tenant_malformed(name: &str) -> Refusal {
    let text = format!(
        "Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."
    );
    Refusal::new(&token_request::TENANT_FORM, 400, "invalid_tenant", 900_023, text)
}

pub(crate) fn tenant_of_nobody() -> Refusal {
    let text = "No tenant-identifying information found in either the request or implied by any provided credentials.";
    Refusal::new(&token_request::OWN_TENANT, 400, "invalid_request", 50059, text)
}

pub(crate) fn method(method: &str) -> Refusal {
    let text = format!("The endpoint only accepts POST requests. Received a {method} request.");
    Refusal::new(&token_request::METHOD, 400, "invalid_request", 900_561, text)
}

pub(crate) fn parameter_missing(name: &str) -> Refusal {
    let text = format!("The request body must contain the following parameter: '{name}'.");
    Refusal::new(&token_request::PARAMETERS, 400, "invalid_request", 900_144, text)
}

pub(crate) fn form_unreadable() -> Refusal {
    let text = "Invalid input received from the user.";
    Refusal::new(&token_request::ONCE, 400, "invalid_request", 90013, text)
}

pub(crate) fn grant_type(given: &str) -> Refusal {
    let text = format!("The app requested an unsupported grant type '{given}'.");
    Refusal::new(&token_request::GRANT_TYPE, 400, "unsupported_grant_type", 70003, text)
}

pub(crate) fn scope(given: &str) -> Refusal {
    let text = format!(
        "The provided value for scope {given} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
    );
    Refusal::new(&token_request::SCOPE, 400, "invalid_scope", 1_002_012, text)
}

pub(crate) fn resource(name: &str, tenant: &str) -> Refusal {
    let text = format!(
        "The resource principal named {name} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
    );
    Refusal::new(&token_request::RESOURCE, 400, "invalid_resource", 500_011, text)
}

pub(crate) fn application(client_id: &str, tenant: &str) -> Refusal {
    let text = format!(
        "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
    );
    Refusal::new(&token_request::APPLICATION, 400, "unauthorized_client", 700_016, text)
}

pub(crate) fn no_assertion() -> Refusal {
    let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    Refusal::new(&token_request::ASSERTION, 401, "invalid_client", 7_000_218, text)
}

pub(crate) fn secret(app_id: &str) -> Refusal {
    let text = format!(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app_id}'."
    );
    Refusal::new(&token_request::SECRET, 401, "invalid_client", 7_000_215, text)
}

// The assertion.

pub(crate) fn malformed(rule: &'static Rule) -> Refusal {
    Refusal::new(rule, 400, "invalid_request", 50027, "JWT token is invalid or malformed.")
}

pub(crate) fn algorithm(given: &str) -> Refusal {
    let text = format!(
        "Invalid JWT token. '{given}' is not a supported signature algorithm. Supported signing algorithms are: 'RS256, RS384, RS512, PS256, PS384, PS512'."
    );
    Refusal::new(&assertion::ALGORITHM, 401, "invalid_client", 5_002_738, text)
}

pub(crate) fn no_key_named() -> Refusal {
    let text = "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in token header.";
    Refusal::new(&assertion::KEY_NAMED, 401, "invalid_client", 5_002_723, text)
}

pub(crate) fn other_client() -> Refusal {
    let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
    Refusal::new(&assertion::CLIENT, 401, "invalid_client", 700_021, text)
}

pub(crate) fn audience() -> Refusal {
    let text = format!("Client assertion audience claim does not match Realm issuer. {REVIEW}");
    Refusal::new(&assertion::AUDIENCE, 401, "invalid_client", 700_023, text)
}

pub(crate) fn time_range(rule: &'static Rule, now: i64, valid_from: i64, expiry: i64) -> Refusal {
    let text = format!(
        "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}. {REVIEW}",
        clock::iso_with_ticks(now),
        clock::iso_with_ticks(valid_from),
        clock::iso_with_ticks(expiry),
    );
    Refusal::new(rule, 401, "invalid_client", 700_024, text)
}

/// AADSTS700027 has four reasons, and one sentence around them.
pub(crate) fn key_unknown(
    rule: &'static Rule,
    layout: ErrorLayout,
    app_id: &str,
    thumbprint: &str,
) -> Refusal {
    let reason = format!(
        "The key was not found., Thumbprint of key used by client: '{thumbprint}', {}",
        directions(app_id)
    );
    certificate(rule, layout, "is not registered on application", &reason)
}

pub(crate) fn key_expired(layout: ErrorLayout, app_id: &str, entry: &KeyEntry) -> Refusal {
    let reason =
        format!("The key used is expired., Found key '{}', {}", dates(entry), directions(app_id));
    certificate(&assertion::KEY_DATES, layout, "is expired on application", &reason)
}

pub(crate) fn signature_wrong(app_id: &str, entry: &KeyEntry) -> Refusal {
    let reason = format!(
        "The provided signature value did not match the expected signature value., Thumbprint of key used by client: '{}', Found key '{}', {}",
        entry.certificate.thumbprint(),
        dates(entry),
        directions(app_id),
    );
    signature(&assertion::SIGNATURE, &reason)
}

pub(crate) fn signature_impossible(app_id: &str, entry: &KeyEntry) -> Refusal {
    let reason = format!(
        "Key was found, but use of the key to verify the signature failed., Thumbprint of key used by client: '{}', Found key '{}', {}",
        entry.certificate.thumbprint(),
        dates(entry),
        directions(app_id),
    );
    signature(&assertion::SIGNATURE, &reason)
}

fn certificate(rule: &'static Rule, layout: ErrorLayout, complaint: &str, reason: &str) -> Refusal {
    match layout {
        ErrorLayout::Lines => signature(rule, reason),
        ErrorLayout::OneLine => {
            let text = format!(
                "The certificate with identifier used to sign the client assertion {complaint}. [Reason - {reason}]."
            );
            Refusal::new(rule, 401, "invalid_client", 700_027, text)
        }
    }
}

fn signature(rule: &'static Rule, reason: &str) -> Refusal {
    let text = format!("Client assertion contains an invalid signature. [Reason - {reason}].");
    Refusal::new(rule, 401, "invalid_client", 700_027, text)
}

fn dates(entry: &KeyEntry) -> String {
    format!("Start={}, End={}", clock::american(entry.start), clock::american(entry.end))
}

/// Where to look for the keys of an application.
fn directions(app_id: &str) -> String {
    format!(
        "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app_id}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http to build a query request URL, such as 'https://graph.microsoft.com/beta/applications/{app_id}'"
    )
}
