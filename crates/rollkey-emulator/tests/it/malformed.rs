//! Nonsense of many kinds: always an answer, never a fault of the emulator's own.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::json;

use crate::client::{Entra, Key};

/// Numbers that look random and are not.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }
}

#[tokio::test]
async fn nonsense_is_refused_and_never_breaks_the_emulator() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = entra.emulator.application("billing").with_key(&key.certificate).create();
    let token = entra.token(&app, &key).await;
    let (id, tenant) = (app.object_id(), entra.emulator.tenant_id());

    let methods = [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
    let paths = [
        "/".to_owned(),
        "//".to_owned(),
        "/%".to_owned(),
        "/%ff/%00".to_owned(),
        "/v1.0".to_owned(),
        "/v1.0/applications(".to_owned(),
        "/v1.0/applications()".to_owned(),
        "/v1.0/applications(appId='')".to_owned(),
        "/v1.0/applications(appId=')".to_owned(),
        "/v1.0/applications('x')/addKey".to_owned(),
        format!("/v1.0/applications/{id}/"),
        format!("/v1.0/applications/{id}/addKey"),
        format!("/v1.0/applications/{id}/removeKey"),
        format!("/v1.0/servicePrincipals/{id}/addKey"),
        format!("/v1.0/applications/{id}?$select=&$filter=&$top="),
        format!("/v1.0/applications?$filter={}", "'".repeat(99)),
        format!("/v1.0/{}", "x/".repeat(2000)),
        format!("/{tenant}/oauth2/v2.0/token"),
        format!("/{tenant}/oauth2/token"),
        format!("/{tenant}/v2.0/.well-known/openid-configuration"),
        "/common/discovery/instance".to_owned(),
        format!("/{}/oauth2/v2.0/token", "%27".repeat(500)),
    ];
    let bodies: [&[u8]; 12] = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{\"proof\":\"..\"}",
        b"{\"proof\":null,\"keyCredential\":[]}",
        b"{\"keyCredentials\":[null]}",
        b"{\"keyCredentials\":[{}]}",
        b"client_id=%zz&scope=&&=&grant_type",
        b"grant_type=client_credentials&client_id=x&scope=x/.default",
        b"{\"a\":1e999,\"b\":-0,\"c\":\"\\ud800\"}",
    ];
    let kinds = ["application/json", "application/x-www-form-urlencoded", "", "text/plain; x=\"y"];
    for path in &paths {
        for method in &methods {
            for (number, body) in bodies.iter().enumerate() {
                let mut request = entra.request(method.clone(), path).body(body.to_vec());
                request = request.header("content-type", kinds[number % kinds.len()]);
                if number % 3 != 2 {
                    request = request.bearer_auth(&token);
                }
                let reply = entra.send(request).await;
                assert!(reply.status.as_u16() < 500, "{method} {path}: {reply:#?}");
            }
        }
    }
    assert_eq!(app.keys().len(), 1);
    entra.token(&app, &key).await;
}

#[tokio::test]
async fn good_requests_with_a_few_bytes_changed_are_answered() {
    let entra = Entra::start().await;
    let (key, new) = (Key::number(0), Key::number(1));
    let app = entra.emulator.application("billing").with_key(&key.certificate).create();
    let token = entra.token(&app, &key).await;
    let path = format!("/v1.0/applications/{}/addKey", app.object_id());
    let good = entra.add_body(&app, &new, &key).to_string().into_bytes();
    let assertion = entra.assertion(&app, &key).signed_by(&key);
    let mut numbers = Numbers(entra.emulator.seed());
    for _ in 0..300 {
        let mut body = good.clone();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(body.len());
            body[at] = numbers.next() as u8;
        }
        let request = entra.request(Method::POST, &path).bearer_auth(&token);
        let request = request.header("content-type", "application/json").body(body);
        assert!(entra.send(request).await.status.as_u16() < 500);

        let mut broken = assertion.clone().into_bytes();
        let at = numbers.below(broken.len());
        broken[at] = b"AZ09-_.= "[numbers.below(9)];
        let form = entra.form(&app, &String::from_utf8(broken).unwrap());
        assert!(entra.post_form(&entra.token_path(), &form).await.status.as_u16() < 500);
    }
}

#[tokio::test]
async fn extreme_values_are_judged_like_others() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = entra.emulator.application("billing").with_key(&key.certificate).create();
    let token = entra.token(&app, &key).await;
    let extremes =
        [json!(i64::MIN), json!(i64::MAX), json!(u64::MAX), json!(1e308), json!(-1e308), json!("")];
    for nbf in &extremes {
        for exp in &extremes {
            let assertion = entra.assertion(&app, &key).claim("nbf", nbf.clone());
            let assertion = assertion.claim("exp", exp.clone()).signed_by(&key);
            let form = entra.form(&app, &assertion);
            let reply = entra.post_form(&entra.token_path(), &form).await;
            assert!(reply.status.as_u16() < 500, "{nbf} {exp}");
            let proof = crate::client::proof(app.object_id(), &key, 0);
            let proof = proof.claim("nbf", nbf.clone()).claim("exp", exp.clone()).signed_by(&key);
            let mut body = entra.add_body(&app, &key, &key);
            body["proof"] = json!(proof);
            let path = format!("/v1.0/applications/{}/addKey", app.object_id());
            entra.post(&path, &token, &body).await.expect_refusal(401);
        }
    }
    for now in [i64::MIN, -1, 0, i64::MAX] {
        entra.emulator.clock().set(now);
        let reply = entra.ask(&app, &key).await;
        assert!(reply.status.as_u16() < 500, "at {now}");
        let _ = app.lockouts();
    }
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","x5t":""}"#);
    let form = entra.form(&app, &format!("{header}.e30."));
    assert_eq!(entra.post_form(&entra.token_path(), &form).await.status, 401);
}
