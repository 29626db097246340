//! addKey and removeKey: requests that break a single rule, and what they answer.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{DAY, Entra, Key, NOW, Reply, proof};
use rollkey_emulator::{Application, Limits, Usage};

struct Scene {
    entra: Entra,
    app: Application,
    old: Key,
    new: Key,
    token: String,
}

impl Scene {
    async fn set() -> Self {
        let entra = Entra::start().await;
        let (old, new) = (Key::number(0), Key::number(1));
        let app = entra.emulator.application("billing").with_key(&old.certificate).create();
        let token = entra.token(&app, &old).await;
        Self { entra, app, old, new, token }
    }

    fn path(&self, action: &str) -> String {
        format!("/v1.0/applications/{}/{action}", self.app.object_id())
    }

    fn body(&self) -> Value {
        self.entra.add_body(&self.app, &self.new, &self.old)
    }

    async fn post(&self, body: &Value) -> Reply {
        self.entra.post(&self.path("addKey"), &self.token, body).await
    }

    /// addKey with one property of the credential changed.
    async fn with(&self, name: &str, value: impl Into<Value>) -> Reply {
        let mut body = self.body();
        body["keyCredential"][name] = value.into();
        self.post(&body).await
    }
}

#[tokio::test]
async fn a_credential_that_breaks_one_rule_is_refused() {
    let scene = Scene::set().await;
    let der = &scene.new.certificate;
    let trailing = BASE64_STANDARD.encode([der.as_slice(), b"\0"].concat());
    let pem = BASE64_STANDARD.encode(scene.new.pem());
    let day_before = "2027-01-14T08:00:00Z";
    for (rule, name, value) in [
        ("KEY-3", "keyId", json!("11111111-2222-3333-4444-555555555555")),
        ("KEY-4", "key", json!("AAAA")),
        ("KEY-4", "key", json!("not base64!")),
        ("KEY-4", "key", Value::Null),
        ("KEY-4", "key", json!(trailing)),
        ("KEY-4", "key", json!(pem)),
        ("KEY-5", "usage", json!("Encrypt")),
        ("KEY-5", "usage", json!("Sign")),
        ("KEY-5", "usage", Value::Null),
        ("KEY-5", "type", json!("X509CertAndPassword")),
        ("KEY-5", "type", json!("Symmetric")),
        ("KEY-7", "startDateTime", json!(day_before)),
        ("KEY-7", "startDateTime", json!("yesterday")),
        ("KEY-8", "endDateTime", json!(day_before)),
        ("KEY-8", "endDateTime", json!("2027-04-15T08:00:01Z")),
        ("KEY-8", "endDateTime", json!("2027-02-15T08:00:00")),
        ("KEY-8", "endDateTime", json!("2027-02-15T08:00:00+01:00")),
        ("KEY-2", "endDateTime", json!(1)),
        ("KEY-2", "customKeyIdentifier", json!("???")),
        ("KEY-2", "thumbprint", json!("x")),
        ("KEY-2", "displayName", json!(["x"])),
    ] {
        scene.with(name, value).await.refused_by(rule);
    }
    assert_eq!(scene.app.keys().len(), 1);
    scene.with("@odata.type", "#microsoft.graph.keyCredential").await.expect(200);
}

#[tokio::test]
async fn refusals_use_the_words_of_the_wire() {
    let scene = Scene::set().await;
    let message = |reply: Reply| reply.json["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(
        message(scene.with("keyId", "11111111-2222-3333-4444-555555555555").await),
        "KeyId value must be null."
    );
    assert_eq!(
        message(scene.with("key", "AAAA").await),
        "Invalid credential value. Error: Cannot find the requested object.\r\n"
    );
    assert_eq!(
        message(scene.with("usage", Value::Null).await),
        "The value for the property \"usage\" in one of your credentials is invalid. Acceptable values are Sign, Verify."
    );
    assert_eq!(
        message(scene.with("endDateTime", "2028-01-01T00:00:00Z").await),
        "Key credential end date is invalid."
    );
    let nobody = "11111111-2222-3333-4444-555555555555";
    let Scene { entra, app, old, token, .. } = &scene;
    let reply = entra.remove(app, nobody, old, token).await.refused_by("KEY-9");
    assert_eq!(message(reply), "No credentials found to be removed.");
}

#[tokio::test]
async fn a_credential_may_say_more() {
    let scene = Scene::set().await;
    let mut body = scene.body();
    body["keyCredential"]["startDateTime"] = json!("2027-01-16T00:00:00.75+00:00");
    body["keyCredential"]["endDateTime"] = json!("2027-01-17T00:00:00Z");
    body["keyCredential"]["customKeyIdentifier"] = json!("AAECAwQFBgcICQoLDA0ODxAREhM=");
    body.as_object_mut().unwrap().remove("passwordCredential");
    let reply = scene.post(&body).await.expect(200);
    assert_eq!(reply.json["startDateTime"], "2027-01-16T00:00:00Z");
    assert_eq!(reply.json["endDateTime"], "2027-01-17T00:00:00Z");
    assert_eq!(reply.json["customKeyIdentifier"], "AAECAwQFBgcICQoLDA0ODxAREhM=");
    assert_eq!(reply.json["displayName"], Value::Null);
    // Not good yet.
    scene.entra.ask(&scene.app, &scene.new).await.refused_by("AST-11");
}

#[tokio::test]
async fn an_expired_certificate_is_not_registered() {
    let scene = Scene::set().await;
    let expired = Key::dated(2, NOW - DAY, NOW);
    let Scene { entra, app, old, token, .. } = &scene;
    entra.add(app, &expired, old, token).await.refused_by("KEY-8");
    let last = Key::dated(2, NOW - DAY, NOW + 1);
    entra.add(app, &last, old, token).await.expect(200);
}

#[tokio::test]
async fn one_certificate_twice_makes_two_entries() {
    let scene = Scene::set().await;
    let first = scene.post(&scene.body()).await.expect(200);
    let second = scene.post(&scene.body()).await.expect(200);
    assert_ne!(first.json["keyId"], second.json["keyId"]);
    assert_eq!(scene.app.keys().len(), 3);
    // Without one of them, the other still serves.
    let Scene { entra, app, old, new, token } = &scene;
    let key_id = first.json["keyId"].as_str().unwrap();
    entra.remove(app, key_id, old, token).await.expect(204);
    entra.token(app, new).await;
    // A proof by the same certificate does not remove its other entry.
    let key_id = second.json["keyId"].as_str().unwrap();
    entra.remove(app, key_id, new, token).await.refused_by("POP-14");
}

#[tokio::test]
async fn keys_to_sign_with_come_in_a_pfx() {
    let scene = Scene::set().await;
    let source = scene.entra.emulator.application("source");
    let source = source.with_generated_key(NOW, NOW + DAY).create().generated_keys().remove(0);
    let mut body = scene.body();
    body["keyCredential"]["type"] = json!("X509CertAndPassword");
    body["keyCredential"]["usage"] = json!("Sign");
    body["keyCredential"]["key"] = json!(BASE64_STANDARD.encode(source.pfx("hunter2").unwrap()));
    scene.post(&body).await.refused_by("KEY-6");
    body["passwordCredential"] = json!({ "secretText": "hunter3" });
    scene.post(&body).await.refused_by("KEY-6");
    body["passwordCredential"] = json!({ "secretText": "hunter2" });
    let reply = scene.post(&body).await.expect(200);
    assert_eq!((&reply.json["usage"], &reply.json["key"]), (&json!("Sign"), &Value::Null));
    let usages: Vec<_> = scene.app.keys().iter().map(|key| key.usage).collect();
    assert_eq!(usages, [Usage::Verify, Usage::Verify, Usage::Sign]);

    // Reads show the certificate that verifies, and never what signs.
    let path = format!("/v1.0/applications/{}?$select=keyCredentials", scene.app.object_id());
    let seen = scene.entra.get(&path, &scene.token).await.expect(200);
    for key in seen.json["keyCredentials"].as_array().unwrap() {
        assert_eq!(key["key"].is_null(), key["usage"] == "Sign");
    }
    let mut plain = scene.body();
    plain["passwordCredential"] = json!({ "secretText": "hunter2" });
    scene.post(&plain).await.refused_by("KEY-6");
}

#[tokio::test]
async fn a_key_that_is_not_there_cannot_be_removed() {
    let scene = Scene::set().await;
    let Scene { entra, app, old, new, token } = &scene;
    let key_id = app.add_key_out_of_band(&new.certificate).unwrap();
    entra.remove(app, &key_id, old, token).await.expect(204);
    entra.remove(app, &key_id, old, token).await.refused_by("KEY-9");
    let proof = proof(app.object_id(), old, NOW).signed_by(old);
    let path = scene.path("removeKey");
    for (rule, body) in [
        ("KEY-9", json!({ "proof": proof })),
        ("KEY-9", json!({ "keyId": null, "proof": proof })),
        ("KEY-2", json!({ "keyId": "x", "proof": proof })),
        ("KEY-2", json!({ "keyId": 7, "proof": proof })),
        ("KEY-2", json!({ "keyId": key_id, "proof": proof, "why": "because" })),
    ] {
        entra.post(&path, token, &body).await.refused_by(rule);
    }
    assert_eq!(app.keys().len(), 1);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let scene = Scene::set().await;
    let send = async |body: &str, kind: &str| {
        let request = scene.entra.request(Method::POST, &scene.path("addKey"));
        let request = request.bearer_auth(&scene.token).header("content-type", kind);
        scene.entra.send(request.body(body.to_owned())).await
    };
    let good = scene.body().to_string();
    let twice = good.replacen('{', "{\"proof\":\"x\",", 1);
    for bad in ["", "x", "[]", "null", "{", &twice, &"[".repeat(100_000)] {
        send(bad, "application/json").await.refused_by("KEY-2");
    }
    send(&format!("{good}{}", " ".repeat(1024 * 1024)), "application/json")
        .await
        .refused_by("KEY-2");
    send(&good, "text/plain").await.refused_by("KEY-2");
    for wrong in [json!({ "proof": 7 }), json!({ "proof": "x", "keyCredentials": [] })] {
        send(&wrong.to_string(), "application/json").await.refused_by("KEY-2");
    }
    let mut body = scene.body();
    body["keyCredential"] = Value::Null;
    send(&body.to_string(), "application/json").await.refused_by("KEY-2");
    assert_eq!(scene.app.keys().len(), 1);
    send(&good, "application/json; charset=utf-8").await.expect(200);
}

#[tokio::test]
async fn limits_are_off_unless_switched_on() {
    let scene = Scene::set().await;
    let Scene { entra, app, old, token, .. } = &scene;
    let limit = |limits: Limits| entra.emulator.set_limits(limits);
    let off = Limits::default;
    scene.post(&scene.body()).await.expect(200);
    scene.post(&scene.body()).await.expect(200);

    limit(Limits { write_spacing: 2, ..off() });
    let reply = scene.post(&scene.body()).await.refused_by("KEY-11");
    assert_eq!(reply.header("retry-after"), "2");
    assert_eq!(
        reply.json["error"]["message"],
        "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
    );
    let key_id = app.keys()[1].key_id.clone();
    entra.remove(app, &key_id, old, token).await.refused_by("KEY-11");
    entra.emulator.clock().advance(Duration::from_secs(2));
    scene.post(&scene.body()).await.expect(200);

    limit(Limits { keys_per_object: Some(4), ..off() });
    scene.post(&scene.body()).await.refused_by("KEY-12");
    entra.remove(app, &key_id, old, token).await.expect(204);
    scene.post(&scene.body()).await.expect(200);

    let ninety_days_and_five_minutes = (90 * DAY + 300) as u64;
    limit(Limits { key_lifetime: Some(ninety_days_and_five_minutes - 1), ..off() });
    let reply = scene.post(&scene.body()).await.refused_by("KEY-13");
    let message = reply.json["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with(
            "Credential lifetime exceeds the max value allowed as per assigned policy '"
        )
    );
    limit(Limits { key_lifetime: Some(ninety_days_and_five_minutes), ..off() });
    scene.post(&scene.body()).await.expect(200);

    limit(Limits { certificates_refused: true, ..off() });
    scene.post(&scene.body()).await.refused_by("KEY-14");
    limit(off());
    scene.post(&scene.body()).await.expect(200);
}

#[tokio::test]
async fn an_app_id_is_no_object_id() {
    let scene = Scene::set().await;
    let Scene { entra, app, token, .. } = &scene;
    let body = scene.body();
    for id in [app.app_id(), app.service_principal_id()] {
        let path = format!("/v1.0/applications/{id}/addKey");
        let reply = entra.post(&path, token, &body).await.refused_by("KEY-1");
        assert_eq!(
            reply.json["error"]["message"],
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            )
        );
    }
    let path = "/v1.0/applications/billing/addKey";
    entra.post(path, token, &body).await.refused_by("KEY-24");
    let path = format!("/v1.0/applications(appId='{}')/addKey", app.object_id());
    entra.post(&path, token, &body).await.refused_by("KEY-1");
    let path = format!("/v1.0/applications(appId='{}')/addKey", app.app_id());
    entra.post(&path, token, &body).await.expect(200);
}
