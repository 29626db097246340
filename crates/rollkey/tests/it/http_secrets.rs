//! Whole exchanges under the closest look: no trace event, no error and no `Debug` shows a secret.

use crate::http_script::{Act, Script, answer};
use rollkey::cloud::Cloud;
use rollkey::directory::{Graph, Target};
use rollkey::http::{Http, Proxy, Request, Settings};
use rollkey::ports::{AccessToken, CertificateDer, Directory, TokenEndpoint};
use rollkey::secret::SecretBytes;
use rollkey::token_endpoint::Login;
use rollkey_core::{
    Algorithm, AppId, KeyId, ObjectId, Sha1Thumbprint, Sha256Thumbprint, TenantId, Thumbprint,
    Timestamp, TokenId, UnsignedAssertion, UnsignedProof,
};
use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const NOON: Timestamp = Timestamp(1_800_014_400);

/// Writes everything down that anybody traces.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<String>>);

impl Ear {
    fn heard(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }

    fn hear(&self, text: &str) {
        self.0.lock().expect("no panic").push_str(text);
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Writing(self));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Writing(self));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Writing(self));
        self.hear("\n");
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Writing<'a>(&'a Ear);

impl Visit for Writing<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.hear(&format!("{field}={value:?} "));
    }
}

/// All that an outcome could print.
fn printed<T: Debug, E: Error>(outcome: &Result<T, E>) -> String {
    let mut all = format!("{outcome:?} {outcome:#?}");
    let mut error: Option<&dyn Error> = outcome.as_ref().err().map(|error| error as _);
    while let Some(next) = error {
        write!(all, "{next} {next:?} ").expect("a string");
        error = next.source();
    }
    all
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    // Tests run side by side. While there is one subscriber only, an event that another thread is
    // the first to trace is remembered as heard by nobody; with two, all threads ask both.
    let _another = tracing::Dispatch::new(Ear::default());
    let ear = Ear::default();
    let _listening = tracing::subscriber::set_default(ear.clone());

    let by = Thumbprint { sha1: Sha1Thumbprint([7; 20]), sha256: Sha256Thumbprint([7; 32]) };
    let (app, id) = (AppId::from_bytes([1; 16]), ObjectId::from_bytes([2; 16]));
    let jti = TokenId::random([9; 16]);
    let assertion = UnsignedAssertion::new(app, "aud", by, Algorithm::Ps256, jti, NOON)
        .seal(b"signature of it");
    let proof = UnsignedProof::new(id, by, Algorithm::Rs256, NOON).seal(b"signature of the proof");
    let granted = "eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOiJncmFudGVkIHRva2VuIn0.c2lnbmF0dXJl";
    let secrets = [assertion.token(), proof.token(), granted, "of-the-proxy"];

    // A service that repeats in its refusals what it was sent.
    let echo = |status, secret: &str| {
        let body =
            format!(r#"{{"error":{{"code":"X","message":"'{secret}' is bad"}},"trace_id":"1"}}"#);
        answer(status, "", &body)
    };
    let echo_login = |status, secret: &str| {
        let text = format!("AADSTS50027: {secret} is malformed. Trace ID: 1");
        let body = serde_json::json!({ "error": "invalid_request", "error_description": text });
        answer(status, "", &body.to_string())
    };
    let token = format!(r#"{{"access_token":"{granted}","expires_in":3599}}"#);
    let broken = format!(r#"{{"access_token":"{granted}","expires_in":"{granted}"}}"#);
    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{token}");
    let script = Script::new([
        answer(503, "", &token),
        answer(200, "", &token),
        answer(200, "", &broken),
        echo_login(400, assertion.token()),
        Act::Cut(cut.clone().into_bytes()),
        echo_login(400, assertion.token()),
        echo(401, proof.token()),
        Act::Cut(cut.into_bytes()),
        echo(400, granted),
    ]);
    let cloud = Cloud::custom(&script.url(), &script.url()).expect("a cloud");
    let (http, _) = script.http();
    let login = Login::new(http.clone(), &cloud, TenantId::from_bytes([3; 16]), app);
    let mut shown = String::new();
    for _ in 0..4 {
        shown += &printed(&login.token(&assertion, "scope").await);
    }
    let bearer = AccessToken { token: granted.to_owned().into(), expires_at: NOON };
    let graph = Graph::new(http.clone(), &cloud, Target::application(id));
    let certificate = CertificateDer(b"der".to_vec());
    for _ in 0..2 {
        shown += &printed(&graph.add_key(&bearer, &certificate, "name", &proof).await);
    }
    shown += &printed(&graph.remove_key(&bearer, KeyId::from_bytes([4; 16]), &proof).await);
    assert_eq!(script.seen().len(), 9, "the whole script");

    let body = SecretBytes::new(proof.token().as_bytes().to_vec());
    let secret_query = format!("{}/path?secret={granted}", script.url());
    let request = Request::change(secret_query, &bearer, body);
    shown += &format!("{request:?} {http:?} {login:?} {graph:?} ");
    shown += &printed(&http.send(&request).await);

    let proxy = Proxy::new("http://me:of-the-proxy@localhost:9", None).expect("a proxy");
    let http = Http::new(Settings { trust: script.trust(), proxy: Some(proxy) });
    shown += &printed(&http.send_once(&request).await);
    shown += &format!("{http:?}");

    let heard = ear.heard();
    for word in ["/addKey", "will ask again", "message=answered", "not answered"] {
        assert!(heard.contains(word), "no {word} in {heard}");
    }
    for secret in secrets {
        for part in secret.split('.').filter(|part| !part.is_empty()) {
            assert!(!heard.contains(part), "traced: {part} in {heard}");
            assert!(!shown.contains(part), "shown: {part} in {shown}");
        }
    }
}
