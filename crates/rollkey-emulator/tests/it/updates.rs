//! PATCH: the whole list at once.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::client::{DAY, Entra, Key, NOW, Reply};
use rollkey_emulator::{Application, Limits, ObjectKind, Permission};

const FRESH: &str = "11111111-2222-3333-4444-555555555555";

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
        let permission = Permission::ApplicationReadWriteAll;
        let admin = entra.emulator.application("admin").with_key(&old.certificate);
        let admin = admin.with_permission(permission).create();
        let app = entra.emulator.application("billing").with_key(&old.certificate).create();
        let token = entra.token(&admin, &old).await;
        Self { entra, app, old, new, token }
    }

    async fn patch(&self, body: &Value) -> Reply {
        let path = format!("/v1.0/applications/{}", self.app.object_id());
        self.entra.patch(&path, &self.token, body).await
    }

    async fn list(&self, list: Value) -> Reply {
        self.patch(&json!({ "keyCredentials": list })).await
    }

    /// The entries as a read without `$select` shows them: without certificates.
    async fn read(&self) -> Value {
        let path = format!("/v1.0/applications/{}", self.app.object_id());
        self.entra.get(&path, &self.token).await.expect(200).json["keyCredentials"].clone()
    }

    fn fresh(&self) -> Value {
        json!({
            "keyId": FRESH,
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": self.new.base64(),
        })
    }
}

#[tokio::test]
async fn a_key_is_appended_by_sending_the_others_again() {
    let scene = Scene::set().await;
    let mut list = scene.read().await;
    assert_eq!(list[0]["key"], Value::Null);
    list.as_array_mut().unwrap().push(scene.fresh());
    let reply = scene.list(list).await.expect(204);
    assert_eq!(reply.text, "");
    let ids: Vec<_> = scene.app.keys().into_iter().map(|key| key.key_id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[1], FRESH);
    scene.entra.token(&scene.app, &scene.old).await;
    scene.entra.token(&scene.app, &scene.new).await;

    // An entry may be named by its id alone.
    scene.list(json!([{ "keyId": FRESH }])).await.expect(204);
    assert_eq!(scene.app.keys().len(), 1);
    scene.entra.ask(&scene.app, &scene.old).await.refused_by("AST-9");
}

#[tokio::test]
async fn whoever_sends_only_the_new_key_loses_the_others() {
    let scene = Scene::set().await;
    scene.list(json!([scene.fresh()])).await.expect(204);
    assert_eq!(scene.app.keys()[0].thumbprint, scene.new.thumbprint());
    assert_eq!(scene.app.keys().len(), 1);
    scene.list(json!([])).await.expect(204);
    assert!(scene.app.keys().is_empty());
    assert_eq!(scene.app.lockouts().len(), 1);
}

#[tokio::test]
async fn a_key_comes_as_der_or_pem_with_or_without_line_ends() {
    let scene = Scene::set().await;
    let wrapped = scene
        .new
        .base64()
        .as_bytes()
        .chunks(64)
        .fold(String::new(), |text, line| text + std::str::from_utf8(line).unwrap() + "\r\n");
    for key in [scene.new.base64(), wrapped, BASE64_STANDARD.encode(scene.new.pem())] {
        let mut entry = scene.fresh();
        entry["key"] = json!(key);
        entry["keyId"] = Value::Null;
        scene.list(json!([entry])).await.expect(204);
        assert_eq!(scene.app.keys()[0].thumbprint, scene.new.thumbprint());
    }
    let mut entry = scene.fresh();
    entry["key"] = json!("AAAA");
    scene.list(json!([entry])).await.refused_by("KEY-4");
}

#[tokio::test]
async fn a_list_that_breaks_one_rule_is_refused_as_a_whole() {
    let scene = Scene::set().await;
    let kept = scene.read().await[0].clone();
    let altered = |name: &str, value: Value| {
        let mut entry = kept.clone();
        entry[name] = value;
        json!([entry, scene.fresh()])
    };
    let mut no_guid = scene.fresh();
    no_guid["keyId"] = json!("x");
    let mut with_usage = scene.fresh();
    with_usage["usage"] = Value::Null;
    let mut too_long = scene.fresh();
    too_long["endDateTime"] = json!("2028-01-01T00:00:00Z");
    let before = scene.app.keys();
    for (rule, list) in [
        ("KEY-15", json!([kept, { "keyId": FRESH, "type": "AsymmetricX509Cert" }])),
        ("KEY-16", altered("endDateTime", json!("2027-04-15T07:59:59Z"))),
        ("KEY-16", altered("displayName", json!("renamed"))),
        ("KEY-16", altered("key", json!(scene.new.base64()))),
        ("KEY-16", altered("customKeyIdentifier", json!("AAAA"))),
        ("KEY-16", altered("usage", json!("Sign"))),
        ("KEY-17", json!([kept, kept])),
        ("KEY-17", json!([kept, no_guid])),
        ("KEY-5", json!([kept, with_usage])),
        ("KEY-8", json!([kept, too_long])),
        ("KEY-4", json!([kept, { "type": "AsymmetricX509Cert", "usage": "Verify" }])),
        ("KEY-2", json!(["x"])),
    ] {
        scene.list(list).await.refused_by(rule);
        assert_eq!(scene.app.keys(), before);
    }
    let reply = scene.list(altered("startDateTime", json!("2027-01-15T07:55:01Z"))).await;
    assert_eq!(
        reply.json["error"]["message"],
        format!(
            "Update to existing credential with KeyId '{}' is not allowed.",
            kept["keyId"].as_str().unwrap()
        )
    );
    // The same instants in another spelling are no change; nor is the certificate itself.
    let mut same = kept.clone();
    same["startDateTime"] = json!("2027-01-15T07:55:00+00:00");
    same["key"] = json!(scene.old.base64());
    scene.list(json!([same, scene.fresh()])).await.expect(204);
}

#[tokio::test]
async fn only_what_the_emulator_keeps_can_be_changed() {
    let scene = Scene::set().await;
    for (rule, body) in [
        ("KEY-18", json!({ "passwordCredentials": [{ "displayName": "secret" }] })),
        ("KEY-19", json!({ "keyCredentials": null })),
        ("KEY-19", json!({ "notes": "x" })),
        ("KEY-2", json!({ "keyCredentials": "x" })),
    ] {
        scene.patch(&body).await.refused_by(rule);
    }
    assert_eq!(scene.app.keys().len(), 1);
    let body = json!({
        "@odata.type": "#microsoft.graph.application",
        "displayName": "Billing",
        "passwordCredentials": [],
    });
    scene.patch(&body).await.expect(204);
    let path = format!("/v1.0/applications/{}?$select=displayName", scene.app.object_id());
    let seen = scene.entra.get(&path, &scene.token).await.expect(200);
    assert_eq!(seen.json["displayName"], "Billing");
    assert_eq!(scene.app.keys().len(), 1);
}

#[tokio::test]
async fn an_expired_entry_can_sink_the_request() {
    let scene = Scene::set().await;
    scene.app.add_key_out_of_band(Key::dated(2, NOW - DAY, NOW - 1).certificate).unwrap();
    let list = scene.read().await;
    scene.list(list.clone()).await.expect(204);
    let limits = Limits { expired_refused_in_update: true, ..Limits::default() };
    scene.entra.emulator.set_limits(limits);
    scene.list(list).await.refused_by("KEY-20");
}

#[tokio::test]
async fn a_service_principal_has_a_list_of_its_own() {
    let scene = Scene::set().await;
    let path = format!("/v1.0/servicePrincipals(appId='{}')", scene.app.app_id());
    let body = json!({ "keyCredentials": [scene.fresh()] });
    scene.entra.patch(&path, &scene.token, &body).await.expect(204);
    assert_eq!(scene.app.keys_on(ObjectKind::ServicePrincipal).len(), 1);
    assert_eq!(scene.app.keys().len(), 1);
}
