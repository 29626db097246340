//! Proofs of possession: one that breaks a single rule is refused, its twin is taken.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::client::{DAY, Entra, Key, NOW, Reply, Token, certificate, proof};
use rollkey_emulator::{Application, Lags, ObjectKind, Strictness};

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

    /// addKey with this proof.
    async fn add(&self, proof: impl Into<Value>) -> Reply {
        let path = format!("/v1.0/applications/{}/addKey", self.app.object_id());
        let mut body = self.entra.add_body(&self.app, &self.new, &self.old);
        body["proof"] = proof.into();
        self.entra.post(&path, &self.token, &body).await
    }

    fn proof(&self) -> Token {
        proof(self.app.object_id(), &self.old, NOW)
    }

    /// Asserts that this proof is refused by this rule, in the common words, without an effect.
    async fn refuses(&self, rule: &str, proof: impl Into<Value>) {
        let before = self.app.keys();
        let reply = self.add(proof).await.refused_by(rule);
        let id = reply.header("request-id");
        assert_eq!(
            reply.json,
            json!({ "error": {
                "code": "Authentication_MissingOrMalformed",
                "message": "Access Token missing or malformed.",
                "innerError": {
                    "date": "2027-01-15T08:00:00",
                    "request-id": id,
                    "client-request-id": id,
                },
            } })
        );
        assert_eq!(reply.header("date"), "Fri, 15 Jan 2027 08:00:00 GMT");
        assert_eq!(self.app.keys(), before);
        assert_eq!(self.entra.emulator.log().last().unwrap().rule, Some(by_id(rule)));
    }

    async fn takes(&self, proof: impl Into<Value>) {
        let before = self.app.keys().len();
        self.add(proof).await.expect(200);
        assert_eq!(self.app.keys().len(), before + 1);
    }
}

fn by_id(id: &str) -> &'static str {
    rollkey_emulator::rules::by_id(id).unwrap().id
}

#[tokio::test]
async fn a_proof_that_breaks_one_rule_is_refused_and_its_twin_is_taken() {
    let scene = Scene::set().await;
    let (good, old, app) = (scene.proof(), &scene.old, &scene.app);
    let sign = |token: Token| token.signed_by(old);

    scene.takes(sign(good.clone())).await;
    for (rule, bad, twin) in [
        (
            "POP-1",
            good.clone().claim("aud", json!("00000003-0000-0000-c000-000000000000")),
            good.clone(),
        ),
        ("POP-1", good.clone().claim("aud", Value::Null), good.clone()),
        ("POP-2", good.clone().claim("iss", json!(app.app_id())), good.clone()),
        ("POP-2", good.clone().claim("iss", json!(app.service_principal_id())), good.clone()),
        ("POP-3", good.clone().claim("exp", json!(NOW + 601)), good.clone()),
        (
            "POP-3",
            good.clone().claim("nbf", json!(NOW + 100)).claim("exp", json!(NOW + 100)),
            good.clone().claim("nbf", json!(NOW + 100)).claim("exp", json!(NOW + 101)),
        ),
        ("POP-4", Token { padded: true, ..good.clone() }, good.clone()),
        (
            "POP-5",
            good.clone().claim("nbf", json!(NOW + 301)),
            good.clone().claim("nbf", json!(NOW + 300)),
        ),
        ("POP-8", good.clone().member("alg", json!("PS256")), good.clone()),
        ("POP-8", good.clone().member("alg", json!("none")), good.clone()),
        ("POP-8", good.clone().member("alg", Value::Null), good.clone()),
        ("POP-9", good.clone().member("x5t", Value::Null), good.clone()),
        (
            "POP-9",
            good.clone().member("x5t", Value::Null).member("x5t#S256", json!(old.x5t_s256())),
            good.clone().member("x5t#S256", json!("ignored")),
        ),
        (
            "POP-9",
            good.clone().member("x5t", Value::Null).member("kid", json!(old.thumbprint())),
            good.clone().member("kid", json!("ignored")),
        ),
        ("POP-9", good.clone().member("x5t", json!(old.x5t_s256())), good.clone()),
        ("POP-9", good.clone().member("x5t", json!(7)), good.clone()),
        (
            "POP-10",
            good.clone().claim("nbf", json!(NOW - 600)).claim("exp", json!(NOW)),
            good.clone().claim("nbf", json!(NOW - 599)).claim("exp", json!(NOW + 1)),
        ),
        ("POP-15", good.clone().claim("nbf", Value::Null), good.clone()),
        ("POP-15", good.clone().claim("exp", Value::Null), good.clone()),
        (
            "POP-15",
            good.clone().claim("exp", json!(NOW as f64 + 0.5)),
            good.clone().claim("exp", json!((NOW + 600).to_string())),
        ),
        ("POP-15", good.clone().claim("nbf", json!([NOW])), good.clone()),
        (
            "POP-7",
            good.clone().member("crit", json!(["exp"])),
            good.clone().claim("jti", json!("7")).claim("iat", json!(NOW)),
        ),
    ] {
        scene.refuses(rule, sign(bad)).await;
        scene.takes(sign(twin)).await;
    }
}

#[tokio::test]
async fn a_malformed_proof_is_refused() {
    let scene = Scene::set().await;
    let good = scene.proof().signed_by(&scene.old);
    let parts: Vec<_> = good.split('.').collect();
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let twice = format!(r#"{{"alg":"RS256","alg":"RS256","x5t":"{}"}}"#, scene.old.x5t());
    for bad in [
        "x".to_owned(),
        "..".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.x"),
        format!("{}.{}.{}", encode(&twice), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], encode("[]"), parts[2]),
        format!("{}.{}.{}", parts[0], encode(&"[".repeat(9000)), parts[2]),
        format!("{}+.{}.{}", parts[0], parts[1], parts[2]),
        format!(" {good}"),
        good.repeat(100),
    ] {
        scene.refuses("POP-7", bad).await;
    }
    scene.takes(good).await;
}

#[tokio::test]
async fn a_proof_by_the_wrong_key_is_refused() {
    let scene = Scene::set().await;
    let Scene { app, old, new, .. } = &scene;
    // Another key's signature under the old key's name.
    scene.refuses("POP-11", scene.proof().signed_by(new)).await;
    // A signature that was changed in one place.
    let good = scene.proof().signed_by(old);
    let flipped = good.rsplit_once('.').map(|(rest, signature)| {
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{rest}.{first}{}", &signature[1..])
    });
    scene.refuses("POP-11", flipped.unwrap()).await;
    // A key that is not registered; one that is registered next door.
    scene.refuses("POP-12", proof(app.object_id(), new, NOW).signed_by(new)).await;
    let next_door = Key::number(2);
    let kind = ObjectKind::ServicePrincipal;
    app.add_key_out_of_band_on(kind, &next_door.certificate).unwrap();
    scene.refuses("POP-12", proof(app.object_id(), &next_door, NOW).signed_by(&next_door)).await;
    // A key that was registered.
    let removed = app.add_key_out_of_band(&new.certificate).unwrap();
    let by_new = proof(app.object_id(), new, NOW).signed_by(new);
    scene.takes(by_new.clone()).await;
    assert!(app.remove_key_out_of_band(&removed));
    for key in app.keys().iter().filter(|key| key.thumbprint == new.thumbprint()) {
        assert!(app.remove_key_out_of_band(&key.key_id));
    }
    scene.refuses("POP-12", by_new).await;
    // A key that cannot sign like this at all.
    let curve = rcgen::KeyPair::generate().unwrap();
    let der = certificate(&curve, 9, NOW - DAY, NOW + DAY);
    let impossible = Key::with_certificate(0, der.clone());
    app.add_key_out_of_band(&der).unwrap();
    scene.refuses("POP-11", proof(app.object_id(), &impossible, NOW).signed_by(&impossible)).await;
    scene.takes(good).await;
}

#[tokio::test]
async fn a_proof_by_a_key_out_of_its_dates_is_refused() {
    let entra = Entra::start().await;
    let (good, new) = (Key::number(0), Key::number(1));
    let expired = Key::dated(2, NOW - DAY, NOW);
    let early = Key::dated(2, NOW + 1, NOW + DAY);
    let app = entra
        .emulator
        .application("billing")
        .with_key(&good.certificate)
        .with_key(&expired.certificate)
        .with_key(&early.certificate)
        .create();
    let token = entra.token(&app, &good).await;
    entra.add(&app, &new, &expired, &token).await.refused_by("POP-13");
    entra.add(&app, &new, &early, &token).await.refused_by("POP-13");
    assert_eq!(app.keys().len(), 3);
    entra.emulator.clock().advance(std::time::Duration::from_secs(1));
    entra.add(&app, &new, &early, &token).await.expect(200);
}

#[tokio::test]
async fn a_key_cannot_vouch_for_its_own_removal() {
    let scene = Scene::set().await;
    let Scene { entra, app, old, new, token } = &scene;
    scene.takes(scene.proof().signed_by(old)).await;
    let ids: Vec<_> = app.keys().into_iter().map(|key| key.key_id).collect();
    entra.remove(app, &ids[0], old, token).await.refused_by("POP-14");
    entra.remove(app, &ids[1], new, token).await.refused_by("POP-14");
    assert_eq!(app.keys().len(), 2);
    entra.remove(app, &ids[0], new, token).await.expect(204);
}

#[tokio::test]
async fn a_proof_that_is_missing_is_another_matter() {
    let scene = Scene::set().await;
    for absent in [Value::Null, json!("")] {
        let reply = scene.add(absent).await.refused_by("POP-16");
        let message = &reply.json["error"]["message"];
        assert_eq!(message, "Insufficient privileges to complete the operation.");
    }
    let Scene { entra, app, token, .. } = &scene;
    let path = format!("/v1.0/applications/{}/removeKey", app.object_id());
    let body = json!({ "keyId": app.keys()[0].key_id });
    entra.post(&path, token, &body).await.refused_by("POP-16");
    assert_eq!(app.keys().len(), 1);
}

#[tokio::test]
async fn a_proof_by_a_fresh_key_is_refused_until_the_slowest_replica_knows_it() {
    let scene = Scene::set().await;
    let Scene { entra, app, old, new, token } = &scene;
    entra.emulator.set_lags(Lags { proof: 1200, ..Lags::none() });
    let added = entra.add(app, new, old, token).await.expect(200);
    assert!(added.json["keyId"].is_string());
    let third = Key::number(2);
    entra.emulator.clock().advance(std::time::Duration::from_secs(1199));
    entra.add(app, &third, new, token).await.refused_by("POP-6");
    entra.emulator.clock().advance(std::time::Duration::from_secs(1));
    entra.add(app, &third, new, token).await.expect(200);
}

#[tokio::test]
async fn lenience_is_a_setting() {
    let scene = Scene::set().await;
    let Scene { entra, app, old, .. } = &scene;
    let good = scene.proof();
    let unusual = [
        good.clone().claim("iss", json!(app.app_id())),
        good.clone().member("alg", json!("PS256")),
        good.clone().member("x5t", Value::Null).member("x5t#S256", json!(old.x5t_s256())),
        good.clone().member("x5t", Value::Null).member("kid", json!(old.thumbprint())),
    ];
    for token in &unusual {
        scene.add(token.signed_by(old)).await.expect_refusal(401);
    }
    entra.emulator.set_strictness(Strictness::Lenient);
    for token in &unusual {
        scene.takes(token.signed_by(old)).await;
    }
    // Lenience has an end.
    scene.refuses("POP-3", good.clone().claim("exp", json!(NOW + 601)).signed_by(old)).await;
    scene.refuses("POP-4", Token { padded: true, ..good }.signed_by(old)).await;
}
