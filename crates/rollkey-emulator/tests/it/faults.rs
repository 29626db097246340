//! Faults on purpose: lost answers keep their effect, crashes have none.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Entra, Key};
use rollkey_emulator::{Application, FaultRates, Operation};

async fn scene() -> (Entra, Application, Key, Key, String) {
    let entra = Entra::start().await;
    let (old, new) = (Key::number(0), Key::number(1));
    let app = entra.emulator.application("billing").with_key(&old.certificate).create();
    let token = entra.token(&app, &old).await;
    (entra, app, old, new, token)
}

fn add(
    entra: &Entra,
    app: &Application,
    new: &Key,
    old: &Key,
    token: &str,
) -> reqwest::RequestBuilder {
    let path = format!("/v1.0/applications/{}/addKey", app.object_id());
    entra
        .request(reqwest::Method::POST, &path)
        .bearer_auth(token)
        .json(&entra.add_body(app, new, old))
}

#[tokio::test]
async fn a_lost_answer_keeps_its_effect() {
    let (entra, app, old, new, token) = scene().await;
    entra.emulator.next(Operation::AddKey).loses_its_answer();
    let error = entra.try_send(add(&entra, &app, &new, &old, &token)).await.unwrap_err();
    assert!(!error.is_timeout() && error.status().is_none());
    assert_eq!(app.keys().len(), 2);
    let exchange = entra.emulator.log().pop().unwrap();
    assert_eq!((exchange.status, exchange.answered), (200, false));
    // Once, and only once.
    entra.send(add(&entra, &app, &new, &old, &token)).await.expect(200);
    assert_eq!(app.keys().len(), 3);
}

#[tokio::test]
async fn a_crash_comes_before_any_effect() {
    let (entra, app, old, new, token) = scene().await;
    entra.emulator.next(Operation::AddKey).crashes_before_effect();
    entra.try_send(add(&entra, &app, &new, &old, &token)).await.unwrap_err();
    assert_eq!(app.keys().len(), 1);
    let exchange = entra.emulator.log().pop().unwrap();
    assert_eq!((exchange.status, exchange.answered), (0, false));
    entra.send(add(&entra, &app, &new, &old, &token)).await.expect(200);
}

#[tokio::test]
async fn faults_queue_up_by_operation() {
    let (entra, app, old, new, token) = scene().await;
    entra.emulator.next(Operation::AddKey).times(2).is_throttled(17);
    entra.emulator.next(Operation::AddKey).collides();
    entra.emulator.next(Operation::AddKey).answers(503, "ServiceUnavailable");
    for _ in 0..2 {
        let reply = entra.send(add(&entra, &app, &new, &old, &token)).await;
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, "17"));
        assert!(reply.header("x-ms-throttle-scope").starts_with("Tenant_Application/"));
        assert_eq!(reply.json["error"]["code"], "TooManyRequests");
        assert_eq!(reply.header("x-emulator-rule"), "", "no rule was broken");
    }
    // Other operations go their way.
    let path = format!("/v1.0/applications/{}", app.object_id());
    entra.get(&path, &token).await.expect(200);
    let reply = entra.send(add(&entra, &app, &new, &old, &token)).await;
    assert_eq!(reply.status, 409);
    assert_eq!(reply.json["error"]["code"], "Directory_ConcurrencyViolation");
    let reply = entra.send(add(&entra, &app, &new, &old, &token)).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.json["error"]["code"], "ServiceUnavailable");
    assert_eq!(app.keys().len(), 1);
    entra.send(add(&entra, &app, &new, &old, &token)).await.expect(200);
}

#[tokio::test]
async fn login_fails_in_its_own_words() {
    let (entra, app, old, ..) = scene().await;
    entra.emulator.next(Operation::Token).answers(503, "AADSTS90033");
    entra.emulator.next(Operation::Token).is_throttled(3);
    let reply = entra.ask(&app, &old).await;
    assert_eq!((reply.status.as_u16(), &reply.json["error_codes"]), (503, &json!([90033])));
    let reply = entra.ask(&app, &old).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, "3"));
    entra.ask(&app, &old).await.expect(200);
}

#[tokio::test]
async fn a_slow_answer_comes_late() {
    let (entra, app, old, new, token) = scene().await;
    entra.emulator.next(Operation::AddKey).is_slow(Duration::from_millis(200));
    let started = Instant::now();
    entra.send(add(&entra, &app, &new, &old, &token)).await.expect(200);
    assert!(started.elapsed() >= Duration::from_millis(200));

    entra.emulator.next(Operation::AddKey).is_slow(Duration::from_secs(60));
    let impatient = add(&entra, &app, &new, &old, &token).timeout(Duration::from_millis(300));
    assert!(entra.try_send(impatient).await.unwrap_err().is_timeout());
    assert_eq!(app.keys().len(), 3, "it took place all the same");
}

#[tokio::test]
async fn faults_by_chance_repeat_with_the_seed() {
    let run = async || {
        let (entra, app, old, ..) = scene().await;
        entra.emulator.set_fault_rates(FaultRates {
            loses_its_answer: 200,
            crashes_before_effect: 200,
            is_throttled: 200,
        });
        let mut statuses = Vec::new();
        for _ in 0..30 {
            let assertion = entra.assertion(&app, &old).signed_by(&old);
            let form = entra.form(&app, &assertion);
            let request = entra.request(reqwest::Method::POST, &entra.token_path()).form(&form);
            let reply = entra.try_send(request).await;
            statuses.push(reply.map_or(0, |reply| reply.status.as_u16()));
        }
        statuses
    };
    let (one, other) = (run().await, run().await);
    assert_eq!(one, other);
    for status in [0, 200, 429] {
        assert!(one.contains(&status), "{one:?}");
    }
}
