//! Microsoft Graph, against answers as they were captured or documented, and against odd ones.

use crate::http_script::{Act, Script, answer, typed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollkey::cloud::Cloud;
use rollkey::directory::{By, Graph, Kind, Target};
use rollkey::ports::{
    AccessToken, CertificateDer, Dated, Directory, DirectoryError, DirectoryView,
};
use rollkey_core::{
    Algorithm, AppId, KeyId, Listed, Listing, ObjectId, Proof, Sha1Thumbprint, Sha256Thumbprint,
    Thumbprint, Timestamp, UnsignedProof,
};
use serde_json::{Value, json};
use std::error::Error;

const ID: ObjectId = ObjectId::from_bytes([0x11; 16]);
const APP: AppId = AppId::from_bytes([0x22; 16]);
const KEY: KeyId = KeyId::from_bytes([0x33; 16]);
const NOON: Timestamp = Timestamp(1_800_014_400);
const DATE: &str = "date: Fri, 15 Jan 2027 12:00:00 GMT";
const SELECT: &str = "?$select=id,appId,displayName,keyCredentials";

fn bearer() -> AccessToken {
    AccessToken { token: "bearer".to_owned().into(), expires_at: NOON }
}

fn proof() -> Proof {
    let by = Thumbprint { sha1: Sha1Thumbprint([7; 20]), sha256: Sha256Thumbprint([7; 32]) };
    UnsignedProof::new(ID, by, Algorithm::Rs256, NOON).seal(b"signature")
}

fn graph(script: &Script, target: Target) -> Graph {
    let cloud = Cloud::custom("https://login.example", &script.url()).expect("a cloud");
    Graph::new(script.http().0, &cloud, target)
}

fn object(keys: Value) -> Act {
    let body = json!({ "id": ID.to_string(), "appId": APP.to_string(), "displayName": "mine",
        "keyCredentials": keys });
    answer(200, DATE, &body.to_string())
}

fn refusal(status: u16, code: &str, message: &str) -> Act {
    let body = json!({ "error": { "code": code, "message": message, "innerError": {
        "date": "2027-01-15T12:00:05", "request-id": "in-body", "client-request-id": "echoed" }}});
    answer(status, "", &body.to_string())
}

// --- what is sent -------------------------------------------------------------------------------

#[tokio::test]
async fn both_objects_are_addressed_by_both_ids() {
    for (kind, by, path) in [
        (Kind::Application, By::ObjectId(ID), format!("applications/{ID}")),
        (Kind::Application, By::AppId(APP), format!("applications(appId='{APP}')")),
        (Kind::ServicePrincipal, By::ObjectId(ID), format!("servicePrincipals/{ID}")),
        (Kind::ServicePrincipal, By::AppId(APP), format!("servicePrincipals(appId='{APP}')")),
    ] {
        let added = answer(200, "", &json!({ "keyId": KEY.to_string() }).to_string());
        let script = Script::new([object(json!([])), added, answer(204, "", "")]);
        let graph = graph(&script, Target { kind, by });
        graph.list(&bearer()).await.expect("a list");
        let certificate = CertificateDer(b"der".to_vec());
        graph.add_key(&bearer(), &certificate, "n", &proof()).await.expect("a key");
        graph.remove_key(&bearer(), KEY, &proof()).await.expect("removed");
        let lines: Vec<_> = script.seen().into_iter().map(|seen| seen.line).collect();
        let expected = [
            format!("GET /v1.0/{path}{SELECT} HTTP/1.1"),
            format!("POST /v1.0/{path}/addKey HTTP/1.1"),
            format!("POST /v1.0/{path}/removeKey HTTP/1.1"),
        ];
        assert_eq!(lines, expected);
    }
}

#[tokio::test]
async fn add_key_sends_the_certificate_and_no_key_id() {
    let captured = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.keyCredential",
        "customKeyIdentifier": "07".repeat(20), "displayName": "rollkey",
        "endDateTime": "2028-01-15T12:00:00Z", "key": null, "keyId": KEY.to_string(),
        "startDateTime": "2027-01-15T12:00:00Z", "type": "AsymmetricX509Cert", "usage": "Verify",
    });
    let script = Script::new([answer(200, DATE, &captured.to_string())]);
    let graph = graph(&script, Target::application(ID));
    let certificate = CertificateDer(b"\xff\xfe\xfd".to_vec());
    let added = graph.add_key(&bearer(), &certificate, "rollkey", &proof()).await.expect("a key");
    assert_eq!((added.value, added.service_time), (KEY, Some(NOON)));

    let seen = &script.seen()[0];
    assert_eq!(seen.header("authorization"), Some("Bearer bearer"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let expected = json!({
        "keyCredential": { "type": "AsymmetricX509Cert", "usage": "Verify", "key": "//79",
            "displayName": "rollkey" },
        "passwordCredential": null,
        "proof": proof().token(),
    });
    assert_eq!(seen.json(), expected);
}

#[tokio::test]
async fn remove_key_sends_the_key_id_and_a_proof() {
    let script = Script::new([answer(204, DATE, "")]);
    let graph = graph(&script, Target::service_principal(ID));
    let removed = graph.remove_key(&bearer(), KEY, &proof()).await.expect("removed");
    assert_eq!(removed.service_time, Some(NOON));
    let expected = json!({ "keyId": KEY.to_string(), "proof": proof().token() });
    assert_eq!(script.seen()[0].json(), expected);
}

#[tokio::test]
async fn the_object_id_is_asked_for_once_and_only_where_it_is_not_known() {
    let script = Script::new([object(json!([]))]);
    let known = graph(&script, Target::application(ID));
    assert_eq!(known.object_id(&bearer()).await.expect("an id"), ID);
    assert!(script.seen().is_empty());

    let target = Target { kind: Kind::ServicePrincipal, by: By::AppId(APP) };
    let unknown = graph(&script, target);
    for _ in 0..2 {
        assert_eq!(unknown.object_id(&bearer()).await.expect("an id"), ID);
    }
    let lines: Vec<_> = script.seen().into_iter().map(|seen| seen.line).collect();
    let path = format!("/v1.0/servicePrincipals(appId='{APP}')?$select=id,appId");
    assert_eq!(lines, [format!("GET {path} HTTP/1.1")]);

    let missing = Script::new([refusal(404, "Request_ResourceNotFound", "Gone.")]);
    let error = graph(&missing, target).object_id(&bearer()).await.expect_err("no id");
    let expected = format!("the directory knows no service principal with app id {APP}");
    assert_eq!(error.to_string(), expected);
}

// --- what is read -------------------------------------------------------------------------------

async fn list(act: Act) -> Result<Dated<DirectoryView>, DirectoryError> {
    let script = Script::new([act]);
    graph(&script, Target::application(ID)).list(&bearer()).await
}

async fn listing(act: Act) -> Listing {
    match list(act).await.expect("an answer").value {
        DirectoryView::Listing(listing) => listing,
        DirectoryView::Forbidden(refusal) => panic!("forbidden: {refusal}"),
    }
}

fn sha(algorithm: &'static aws_lc_rs::digest::Algorithm, bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(algorithm, bytes).as_ref().to_vec()
}

#[tokio::test]
async fn thumbprints_come_from_the_certificate_before_what_a_client_called_it() {
    let made = rcgen::generate_simple_self_signed(["x".to_owned()]).expect("a certificate");
    let der = made.cert.der().to_vec();
    let sha1 = sha(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
    let sha256 = sha(&aws_lc_rs::digest::SHA256, &der);
    let both = Listed {
        key_id: KEY,
        sha1: Some(Sha1Thumbprint(sha1.try_into().expect("20 bytes"))),
        sha256: Some(Sha256Thumbprint(sha256.try_into().expect("32 bytes"))),
    };
    let only = |byte| Listed { key_id: KEY, sha1: Some(Sha1Thumbprint([byte; 20])), sha256: None };
    let neither = Listed { key_id: KEY, sha1: None, sha256: None };
    let hex = "0A".repeat(20);
    let base64 = STANDARD.encode([0x0b; 20]);

    for (story, key, identifier, expected) in [
        ("the certificate", json!(STANDARD.encode(&der)), json!(hex), both),
        ("the certificate as PEM", json!(STANDARD.encode(made.cert.pem())), json!(hex), both),
        ("no certificate, hexadecimal", json!(null), json!(hex), only(0x0a)),
        ("no certificate, base64", json!(null), json!(base64), only(0x0b)),
        ("not a certificate", json!(STANDARD.encode("nothing")), json!(hex), only(0x0a)),
        ("not base64", json!("!"), json!(hex), only(0x0a)),
        ("something of a client's own", json!(null), json!("bXkga2V5"), neither),
        ("nothing", json!(null), json!(null), neither),
    ] {
        let entry = json!({ "keyId": KEY.to_string(), "key": key, "usage": "Verify",
            "customKeyIdentifier": identifier, "type": "AsymmetricX509Cert" });
        assert_eq!(listing(object(json!([entry]))).await, Listing::Read(vec![expected]), "{story}");
    }
}

#[tokio::test]
async fn no_list_is_not_an_empty_list() {
    assert_eq!(listing(object(json!([]))).await, Listing::Read(vec![]));
    assert_eq!(listing(object(json!(null))).await, Listing::Unreadable);
    let without = json!({ "id": ID.to_string(), "appId": APP.to_string() });
    assert_eq!(listing(answer(200, "", &without.to_string())).await, Listing::Unreadable);
}

#[tokio::test]
async fn forbidden_to_look_is_a_view_and_no_error() {
    let act = refusal(403, "Authorization_RequestDenied", "Insufficient privileges.");
    let seen = list(act).await.expect("a view");
    let DirectoryView::Forbidden(refusal) = seen.value else { panic!("forbidden") };
    assert_eq!(refusal.code, "Authorization_RequestDenied");
    assert_eq!(refusal.request_id.as_deref(), Some("in-body"));
    assert_eq!(refusal.client_request_id.as_deref(), Some("echoed"));
    assert_eq!(seen.service_time, Some(NOON + rollkey_core::Span(5)), "a date without its zone");
}

#[tokio::test]
async fn a_description_tells_all_there_is() {
    let script = Script::new([object(json!([
        { "keyId": KEY.to_string(), "displayName": "rollkey", "type": "AsymmetricX509Cert",
          "usage": "Verify", "startDateTime": "2027-01-15T12:00:00Z",
          "endDateTime": "2027-01-15T12:00:05.1234567Z", "customKeyIdentifier": null },
        { "keyId": KEY.to_string() },
    ]))]);
    let described = graph(&script, Target::application(ID)).describe(&bearer()).await;
    let Dated { value, service_time } = described.expect("an object");
    assert_eq!((value.id, value.app_id), (ID, APP));
    assert_eq!(value.display_name.as_deref(), Some("mine"));
    assert_eq!(service_time, Some(NOON));
    let [full, bare] = &value.keys[..] else { panic!("two keys") };
    assert_eq!(full.display_name.as_deref(), Some("rollkey"));
    assert_eq!((full.kind.as_str(), full.usage.as_str()), ("AsymmetricX509Cert", "Verify"));
    assert_eq!((full.start, full.end), (Some(NOON), Some(NOON + rollkey_core::Span(5))));
    assert_eq!((bare.start, bare.sha1, bare.certificate.as_ref()), (None, None, None));
    assert_eq!(script.seen()[0].line, format!("GET /v1.0/applications/{ID}{SELECT} HTTP/1.1"));
}

// --- what is refused ----------------------------------------------------------------------------

/// Sends the three calls into the same answer.
async fn check(story: &str, act: Act, asked: &str, changed: &str) {
    let script = Script::new([act]);
    let graph = graph(&script, Target::application(ID));
    let bearer = bearer();
    let described = graph.describe(&bearer).await.map(|_| ());
    assert_eq!(told(described), asked, "{story}: GET");
    let certificate = CertificateDer(b"der".to_vec());
    let added = graph.add_key(&bearer, &certificate, "n", &proof()).await.map(|_| ());
    assert_eq!(told(added), changed.replace("{}", "addKey"), "{story}: addKey");
    let removed = graph.remove_key(&bearer, KEY, &proof()).await.map(|_| ());
    assert_eq!(told(removed), changed.replace("{}", "removeKey"), "{story}: removeKey");
}

fn told(outcome: Result<(), DirectoryError>) -> String {
    let Err(error) = outcome else { return "ok".to_owned() };
    let kind = match &error {
        DirectoryError::Unreachable(_) => "unreachable".to_owned(),
        DirectoryError::OutcomeUnknown { operation, .. } => {
            format!("unknown outcome of {operation}")
        }
        DirectoryError::Throttled { retry_after, .. } => {
            format!("throttled {}", retry_after.map(|s| s.to_string()).unwrap_or_default())
        }
        DirectoryError::ProofRefused(_) => "proof refused".to_owned(),
        DirectoryError::TokenRefused(_) => "token refused".to_owned(),
        DirectoryError::Forbidden { operation, .. } => format!("{operation} forbidden"),
        DirectoryError::NotFound(what, _) => format!("no {what}"),
        DirectoryError::Rejected { operation, .. } => format!("{operation} rejected"),
        DirectoryError::Unexpected { operation, .. } => format!("unexpected for {operation}"),
        _ => unreachable!("no other kind"),
    };
    let unknown = matches!(error, DirectoryError::OutcomeUnknown { .. });
    assert_eq!(error.may_have_happened(), unknown);
    match error.refusal() {
        Some(refusal) => format!("{kind}: {} {}", refusal.status, refusal.code),
        None => kind,
    }
}

#[tokio::test]
async fn refusals_are_sorted_by_what_may_be_done_now() {
    check(
        "the proof is refused; a question has none",
        refusal(401, "Authentication_MissingOrMalformed", "Access Token missing or malformed."),
        "token refused: 401 Authentication_MissingOrMalformed",
        "proof refused: 401 Authentication_MissingOrMalformed",
    )
    .await;
    check(
        "the token has expired",
        refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed."),
        "token refused: 401 InvalidAuthenticationToken",
        "token refused: 401 InvalidAuthenticationToken",
    )
    .await;
    check(
        "another 401",
        refusal(401, "SomethingNew", "?"),
        "token refused: 401 SomethingNew",
        "unexpected for {}: 401 SomethingNew",
    )
    .await;
    check(
        "not permitted",
        refusal(403, "Authorization_RequestDenied", "Insufficient privileges."),
        "GET forbidden: 403 Authorization_RequestDenied",
        "{} forbidden: 403 Authorization_RequestDenied",
    )
    .await;
    let nobody = format!("no application with object id {ID}: 404 Request_ResourceNotFound");
    let act = refusal(404, "Request_ResourceNotFound", "Resource does not exist.");
    check("no such object", act, &nobody, &nobody).await;
    check(
        "no such page",
        refusal(404, "BadRequest", "Resource not found for the segment."),
        "unexpected for GET: 404 BadRequest",
        "unexpected for {}: 404 BadRequest",
    )
    .await;
    check(
        "a policy of the tenant",
        refusal(400, "CredentialInvalidLifetimeAsPerAppPolicy", "Too long."),
        "GET rejected: 400 CredentialInvalidLifetimeAsPerAppPolicy",
        "{} rejected: 400 CredentialInvalidLifetimeAsPerAppPolicy",
    )
    .await;
    check(
        "two writes at once",
        refusal(409, "Directory_ConcurrencyViolation", "Please wait briefly and retry."),
        "throttled : 409 Directory_ConcurrencyViolation",
        "throttled : 409 Directory_ConcurrencyViolation",
    )
    .await;
    for status in [429, 503] {
        let end = format!("throttled 2m30s: {status} TooManyRequests");
        let body = json!({ "error": { "code": "TooManyRequests", "message": "" } });
        let act = answer(status, "retry-after: 150", &body.to_string());
        check("asked to wait longer than we do", act, &end, &end).await;
    }
    for status in [408, 500, 502, 504] {
        check(
            "it broke down",
            refusal(status, "UnknownError", ""),
            &format!("unexpected for GET: {status} UnknownError"),
            &format!("unknown outcome of {{}}: {status} UnknownError"),
        )
        .await;
    }
}

#[tokio::test]
async fn odd_answers_keep_their_status() {
    let page = |status| typed(status, "text/html", "", "<title>Bad\r\nGateway</title>");
    check("a page", page(502), "unexpected for GET: 502 ", "unknown outcome of {}: 502 ").await;
    check("a page", page(403), "GET forbidden: 403 ", "{} forbidden: 403 ").await;
    check("a page", page(407), "unexpected for GET: 407 ", "unexpected for {}: 407 ").await;
    check("a redirect", page(302), "unexpected for GET: 302 ", "unexpected for {}: 302 ").await;
    let late = answer(202, "", "{}");
    check("not yet", late, "unexpected for GET: 202 ", "unknown outcome of {}: 202 ").await;
    check("no answer", Act::HangUp, "unreachable", "unknown outcome of {}").await;
    check("no connection", Act::Slam, "unreachable", "unreachable").await;
}

#[tokio::test]
async fn a_success_that_makes_no_sense_is_looked_into() {
    for body in ["{}", "<html>", "", r#"{"keyId":null}"#, r#"{"keyId":"x"}"#] {
        let script = Script::new([answer(200, DATE, body)]);
        let graph = graph(&script, Target::application(ID));
        let certificate = CertificateDer(b"der".to_vec());
        let error = graph.add_key(&bearer(), &certificate, "n", &proof()).await.expect_err(body);
        assert!(error.may_have_happened(), "{error:?}");
        let cause = error.source().expect("a cause").to_string();
        assert_eq!(cause, "200: registered, and no keyId was named", "{body}");
        assert_eq!(script.seen().len(), 1, "sent once");

        let error = graph.list(&bearer()).await.expect_err(body);
        assert!(matches!(error, DirectoryError::Unexpected { operation: "GET", .. }), "{error:?}");
    }
}

#[tokio::test]
async fn nothing_to_remove_is_removed() {
    let graph_for = |script: &Script| graph(script, Target::application(ID));
    let act = refusal(400, "Request_BadRequest", "No credentials found to be removed.");
    let script = Script::new([act]);
    graph_for(&script).remove_key(&bearer(), KEY, &proof()).await.expect("removed");

    let script = Script::new([refusal(400, "Request_BadRequest", "Something else.")]);
    let error = graph_for(&script).remove_key(&bearer(), KEY, &proof()).await.expect_err("no");
    assert!(matches!(error, DirectoryError::Rejected { operation: "removeKey", .. }), "{error:?}");
}
