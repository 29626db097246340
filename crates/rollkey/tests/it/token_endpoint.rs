//! The token endpoint, against answers as they were captured or documented.

use crate::http_script::{Act, Script, answer, typed};
use rollkey::cloud::Cloud;
use rollkey::ports::{Dated, TokenEndpoint, TokenError, Verdict};
use rollkey::token_endpoint::Login;
use rollkey_core::{
    Algorithm, AppId, Assertion, Sha1Thumbprint, Sha256Thumbprint, TenantId, Thumbprint, Timestamp,
    TokenId, UnsignedAssertion,
};
use std::error::Error;

const NOON: Timestamp = Timestamp(1_800_014_400);
const DATE: &str = "date: Fri, 15 Jan 2027 12:00:00 GMT";
const TENANT: TenantId = TenantId::from_bytes([0x11; 16]);
const APP: AppId = AppId::from_bytes([0x22; 16]);
const SCOPE: &str = "https://graph.microsoft.com/.default";

pub(crate) fn assertion() -> Assertion {
    let signed_by = Thumbprint { sha1: Sha1Thumbprint([7; 20]), sha256: Sha256Thumbprint([7; 32]) };
    let jti = TokenId::random([9; 16]);
    UnsignedAssertion::new(APP, "aud", signed_by, Algorithm::Ps256, jti, NOON).seal(b"signature")
}

fn login(script: &Script) -> Login {
    let cloud = Cloud::custom(&script.url(), "https://graph.example").expect("a cloud");
    Login::new(script.http().0, &cloud, TENANT, APP)
}

async fn ask(acts: &[Act]) -> (Script, Result<Dated<Verdict>, TokenError>) {
    let script = Script::new(acts.to_vec());
    let outcome = login(&script).token(&assertion(), SCOPE).await;
    (script, outcome)
}

/// An error as the endpoint writes it today: with its ids in one line.
fn refusal(status: u16, error: &str, code: u64, text: &str) -> Act {
    let body = serde_json::json!({
        "error": error,
        "error_description": format!(
            "AADSTS{code}: {text} Trace ID: 11111111-aaaa Correlation ID: 22222222-bbbb \
             Timestamp: 2027-01-15 12:00:00Z"
        ),
        "error_codes": [code],
        "timestamp": "2027-01-15 12:00:00Z",
        "trace_id": "11111111-aaaa",
        "correlation_id": "22222222-bbbb",
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    answer(status, DATE, &body.to_string())
}

/// What became of it, in one line: the variant, and what was kept of the answer.
fn told(outcome: &Result<Dated<Verdict>, TokenError>) -> String {
    match outcome {
        Ok(Dated { value: Verdict::Accepted(token), .. }) => {
            format!("accepted until {}", token.expires_at.0)
        }
        Ok(Dated { value: Verdict::Refused(refusal), .. }) => format!("key refused: {refusal}"),
        Err(TokenError::Throttled { retry_after, refusal }) => {
            format!("throttled {retry_after:?}: {refusal}")
        }
        Err(TokenError::WrongTime(refusal)) => format!("wrong time: {refusal}"),
        Err(TokenError::Refused(refusal)) => format!("refused: {refusal}"),
        Err(error) => format!("{error}: {}", error.source().expect("a cause")),
    }
}

async fn check(story: &str, act: Act, expected: &str) {
    let (_, outcome) = ask(&[act]).await;
    assert_eq!(told(&outcome), expected, "{story}");
}

#[tokio::test]
async fn what_is_sent() {
    let granted = answer(200, DATE, r#"{"expires_in":3599,"access_token":"t"}"#);
    let (script, outcome) = ask(&[granted]).await;
    assert_eq!(outcome.expect("a verdict").service_time, Some(NOON));

    let [seen] = &script.seen()[..] else { panic!("one request") };
    let path = "/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token";
    assert_eq!(seen.line, format!("POST {path} HTTP/1.1"));
    assert_eq!(login(&script).address(), format!("{}{path}", script.url()));
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(
        seen.body,
        format!(
            "client_id={APP}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion={}\
             &grant_type=client_credentials\
             &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
            assertion().token()
        )
    );
}

#[tokio::test]
async fn a_granted_token_lives_by_the_services_clock() {
    let body =
        r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"t"}"#;
    let (_, outcome) = ask(&[answer(200, DATE, body)]).await;
    let Ok(Dated { value: Verdict::Accepted(token), .. }) = outcome else { panic!("accepted") };
    assert_eq!(token.token.expose_str(), Some("t"));
    assert_eq!(token.expires_at, Timestamp(NOON.0 + 3599));

    let older = r#"{"expires_in":"3599","access_token":"t"}"#;
    check("a number in quotes", answer(200, DATE, older), "accepted until 1800017999").await;
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let no_key = "The certificate with identifier used to sign the client assertion is not \
                  registered on application. [Reason - The key was not found.]";
    check(
        "the key is not known, or not yet",
        refusal(401, "invalid_client", 700_027, no_key),
        &format!("key refused: 401 AADSTS700027: {no_key} (request 11111111-aaaa)"),
    )
    .await;
    check(
        "the key has expired",
        refusal(401, "invalid_client", 700_027, "The certificate is expired on application."),
        "key refused: 401 AADSTS700027: The certificate is expired on application. \
         (request 11111111-aaaa)",
    )
    .await;
    check(
        "a clock is wrong",
        refusal(401, "invalid_client", 700_024, "Client assertion is not within its valid time."),
        "wrong time: 401 AADSTS700024: Client assertion is not within its valid time. \
         (request 11111111-aaaa)",
    )
    .await;
    check(
        "another application",
        refusal(400, "unauthorized_client", 700_016, "Application was not found."),
        "refused: 400 AADSTS700016: Application was not found. (request 11111111-aaaa)",
    )
    .await;
    check(
        "no such tenant",
        refusal(400, "invalid_tenant", 90_002, "Tenant not found."),
        "refused: 400 AADSTS90002: Tenant not found. (request 11111111-aaaa)",
    )
    .await;
    check(
        "a header that names no certificate",
        refusal(401, "invalid_client", 5_002_723, "Invalid JWT token."),
        "refused: 401 AADSTS5002723: Invalid JWT token. (request 11111111-aaaa)",
    )
    .await;
    check(
        "the same too often",
        refusal(400, "invalid_grant", 50_196, "Client request loop."),
        "throttled None: 400 AADSTS50196: Client request loop. (request 11111111-aaaa)",
    )
    .await;
    check(
        "a passing fault",
        refusal(400, "temporarily_unavailable", 90_033, "A transient error has occurred."),
        "throttled None: 400 AADSTS90033: A transient error has occurred. (request 11111111-aaaa)",
    )
    .await;
}

#[tokio::test]
async fn an_older_refusal_is_read_too() {
    let older = serde_json::json!({
        "error": "invalid_client",
        "error_description": "AADSTS700027: Client assertion contains an invalid signature. \
            [Reason - The key was not found.]\r\nTrace ID: 1\r\nCorrelation ID: 2\r\n\
            Timestamp: 2020-01-15 12:00:00Z",
        "trace_id": "1",
    });
    check(
        "line breaks, and no error_codes",
        answer(401, DATE, &older.to_string()),
        "key refused: 401 AADSTS700027: Client assertion contains an invalid signature. \
         [Reason - The key was not found.] (request 1)",
    )
    .await;
    check(
        "nothing but an error",
        answer(400, "x-ms-request-id: 3", r#"{"error":"invalid_request"}"#),
        "refused: 400 invalid_request (request 3)",
    )
    .await;
}

#[tokio::test]
async fn what_is_no_answer_of_login_is_no_verdict() {
    let page = "<html><head><title>Blocked by policy</title></head><body>eyJ...</body></html>";
    check(
        "a proxy forbids it",
        typed(403, "text/html; charset=utf-8", "", page),
        "refused: 403: not the expected JSON but text/html: Blocked by policy",
    )
    .await;
    check(
        "it asks to wait for long",
        typed(503, "text/html", "retry-after: 300", ""),
        "throttled Some(Span(300)): 503: without a body",
    )
    .await;
    check(
        "it breaks down",
        typed(500, "text/plain", "", "oops"),
        "could not reach the token endpoint: 500: not the expected JSON but text/plain",
    )
    .await;
    check(
        "it breaks down over a key",
        refusal(500, "server_error", 700_027, "Oops."),
        "could not reach the token endpoint: 500 AADSTS700027: Oops. (request 11111111-aaaa)",
    )
    .await;
    check(
        "a token without a token",
        answer(200, "", r#"{"expires_in":3599}"#),
        "could not reach the token endpoint: 200: an answer without a token",
    )
    .await;
    let (script, outcome) = ask(&[Act::HangUp]).await;
    assert!(matches!(outcome, Err(TokenError::Unreachable(_))), "{outcome:?}");
    assert_eq!(script.seen().len(), 4, "asking again does no harm");
}
