//! Client assertions: one that breaks a single rule is refused; what official SDKs send is taken.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use serde_json::{Value, json};

use crate::client::{DAY, Entra, Key, NOW, Reply, Token, certificate};
use rollkey_emulator::{Application, ErrorLayout, ObjectKind};

struct Scene {
    entra: Entra,
    app: Application,
    key: Key,
}

impl Scene {
    async fn set() -> Self {
        let entra = Entra::start().await;
        let key = Key::number(0);
        let app = entra.emulator.application("billing").with_key(&key.certificate).create();
        Self { entra, app, key }
    }

    async fn send(&self, assertion: &str) -> Reply {
        let form = self.entra.form(&self.app, assertion);
        self.entra.post_form(&self.entra.token_path(), &form).await
    }

    fn good(&self) -> Token {
        self.entra.assertion(&self.app, &self.key)
    }

    fn base(&self) -> String {
        format!("{}/{}", self.entra.emulator.login_url(), self.entra.emulator.tenant_id())
    }
}

#[tokio::test]
async fn an_assertion_that_breaks_one_rule_is_refused_and_its_twin_is_taken() {
    let scene = Scene::set().await;
    let (good, key, base) = (scene.good(), &scene.key, scene.base());
    let unnamed = good.clone().member("x5t#S256", Value::Null);
    for (rule, bad, twin) in [
        ("AST-1", good.clone().member("crit", json!(["exp"])), good.clone()),
        ("AST-2", good.clone().member("alg", json!("ES256")), good.clone()),
        ("AST-2", good.clone().member("alg", json!("none")), good.clone()),
        ("AST-2", good.clone().member("alg", Value::Null), good.clone()),
        ("AST-3", unnamed.clone(), unnamed.clone().member("kid", json!(key.thumbprint()))),
        ("AST-4", good.clone().claim("iss", json!("somebody")), good.clone()),
        ("AST-4", good.clone().claim("sub", Value::Null), good.clone()),
        ("AST-5", good.clone().claim("aud", json!(base.clone())), good.clone()),
        ("AST-5", good.clone().claim("aud", Value::Null), good.clone()),
        (
            "AST-5",
            good.clone().claim(
                "aud",
                json!(format!(
                    "https://login.microsoftonline.com/{}/oauth2/v2.0/token",
                    scene.entra.emulator.tenant_id()
                )),
            ),
            good.clone().claim("aud", json!(format!("{base}/v2.0"))),
        ),
        (
            "AST-5",
            good.clone().claim("aud", json!([format!("{base}/oauth2/v2.0/token")])),
            good.clone().claim("aud", json!(format!("{base}/oauth2/token"))),
        ),
        (
            "AST-6",
            good.clone().claim("nbf", json!(NOW - 600)).claim("exp", json!(NOW)),
            good.clone().claim("nbf", json!(NOW - 600)).claim("exp", json!(NOW + 1)),
        ),
        (
            "AST-7",
            good.clone().claim("nbf", json!(NOW + 301)),
            good.clone().claim("nbf", json!(NOW + 300)),
        ),
        ("AST-8", good.clone().claim("exp", Value::Null), good.clone()),
        ("AST-8", good.clone().claim("exp", json!("soon")), good.clone()),
        ("AST-8", good.clone().claim("nbf", json!(true)), good.clone().claim("nbf", Value::Null)),
        ("AST-9", good.clone().member("x5t#S256", json!(Key::number(1).x5t_s256())), good.clone()),
        ("AST-9", good.clone().member("x5t", json!("????")), good.clone()),
    ] {
        scene.send(&bad.signed_by(key)).await.refused_by(rule);
        let reply = scene.send(&twin.signed_by(key)).await.expect(200);
        assert_eq!(reply.json["token_type"], "Bearer");
        assert_eq!(reply.json["expires_in"], 3599);
        assert_eq!(reply.json["ext_expires_in"], 3599);
    }
    let by_another = good.signed_by(&Key::number(1));
    let reply = scene.send(&by_another).await.refused_by("AST-12");
    let description = reply.json["error_description"].as_str().unwrap();
    assert!(description.contains(
        "[Reason - The provided signature value did not match the expected signature value., \
         Thumbprint of key used by client: '"
    ));
    assert!(description.contains("Found key 'Start=01/15/2027 07:55:00, End=04/15/2027 08:00:00'"));
}

#[tokio::test]
async fn an_unreadable_assertion_is_malformed() {
    let scene = Scene::set().await;
    let good = scene.good().signed_by(&scene.key);
    for bad in ["x", "a.b", "a.b.c", "..", "e30.e30.", &good[1..], &format!("{good}.")] {
        let reply = scene.send(bad).await;
        assert_eq!(reply.status.as_u16() / 100, 4, "{bad}");
        if bad != "e30.e30." {
            reply.refused_by("AST-1");
        }
    }
    scene.send(&"e30.".repeat(20_000)).await.refused_by("AST-1");
}

#[tokio::test]
async fn what_official_sdks_send_is_taken() {
    let scene = Scene::set().await;
    let (good, key) = (scene.good(), &scene.key);
    let rs256 = good.clone().member("alg", json!("RS256")).member("x5t#S256", Value::Null);
    let kid = |kid: String| rs256.clone().member("kid", json!(kid));
    let float = |at: i64| json!(at as f64 + 0.25);
    for accepted in [
        // Python: padded thumbprints, fractions for times, no `nbf`.
        rs256.clone().member("x5t", json!(BASE64_URL_SAFE.encode(key.sha1()))),
        good.clone().member("x5t#S256", json!(BASE64_URL_SAFE.encode(key.sha256()))),
        good.clone().claim("exp", float(NOW + 600)).claim("nbf", Value::Null),
        // Python, asynchronous: padding everywhere, half an hour.
        Token { padded: true, ..good.clone() }.claim("exp", json!(NOW + 1800)),
        // .NET: times as strings.
        good.clone()
            .claim("exp", json!((NOW + 600).to_string()))
            .claim("nbf", json!(NOW.to_string())),
        // Go and Rust: standard base64; a chain that is none.
        rs256
            .clone()
            .member("x5t", json!(BASE64_STANDARD.encode(key.sha1())))
            .member("x5c", json!(["not a certificate"])),
        // By another name for the key.
        kid(key.thumbprint()),
        kid(key.thumbprint().to_lowercase()),
        kid(key.x5t()),
        kid(key.x5t_s256()),
        kid(scene.app.keys()[0].key_id.clone()),
    ] {
        scene.send(&accepted.signed_by(key)).await.expect(200);
    }
}

#[tokio::test]
async fn a_key_out_of_its_dates_is_expired() {
    let entra = Entra::start().await;
    let (expired, early) = (Key::dated(0, NOW - DAY, NOW), Key::dated(1, NOW + 1, NOW + DAY));
    let app = entra
        .emulator
        .application("billing")
        .with_key(&expired.certificate)
        .with_key(&early.certificate)
        .create();
    let reply = entra.ask(&app, &expired).await.refused_by("AST-11");
    let description = reply.json["error_description"].as_str().unwrap();
    assert!(description.contains("is expired on application"), "{description}");
    entra.ask(&app, &early).await.refused_by("AST-11");
    entra.emulator.clock().advance(std::time::Duration::from_secs(1));
    entra.ask(&app, &early).await.expect(200);
}

#[tokio::test]
async fn keys_of_both_objects_count() {
    let entra = Entra::start().await;
    let (one, other) = (Key::number(0), Key::number(1));
    let app = entra
        .emulator
        .application("billing")
        .with_key(&one.certificate)
        .with_key_on(ObjectKind::ServicePrincipal, &other.certificate)
        .create();
    entra.ask(&app, &one).await.expect(200);
    entra.ask(&app, &other).await.expect(200);
}

#[tokio::test]
async fn a_key_on_a_curve_is_found_and_of_no_use() {
    let scene = Scene::set().await;
    let curve = rcgen::KeyPair::generate().unwrap();
    let key = Key::with_certificate(0, certificate(&curve, 9, NOW - DAY, NOW + DAY));
    scene.app.add_key_out_of_band(&key.certificate).unwrap();
    let assertion = scene.entra.assertion(&scene.app, &key).signed_by(&key);
    let reply = scene.send(&assertion).await.refused_by("AST-12");
    let description = reply.json["error_description"].as_str().unwrap();
    assert!(
        description.contains("Key was found, but use of the key to verify the signature failed.")
    );
}

#[tokio::test]
async fn errors_come_in_two_layouts() {
    let scene = Scene::set().await;
    let stranger = Key::number(1);
    let bad = scene.entra.assertion(&scene.app, &stranger).signed_by(&stranger);
    let text = |reply: &Reply| reply.json["error_description"].as_str().unwrap().to_owned();

    let newer = text(&scene.send(&bad).await.refused_by("AST-9"));
    assert!(!newer.contains("\r\n"));
    scene.entra.emulator.set_error_layout(ErrorLayout::Lines);
    let reply = scene.send(&bad).await.refused_by("AST-9");
    let older = text(&reply);
    assert!(older.starts_with(
        "AADSTS700027: Client assertion contains an invalid signature. [Reason - The key was not \
         found., "
    ));
    let id = reply.json["trace_id"].as_str().unwrap();
    assert!(older.contains(&format!("\r\nTrace ID: {id}\r\nCorrelation ID: ")), "{older}");
    assert!(older.ends_with("\r\nTimestamp: 2027-01-15 08:00:00Z"), "{older}");
}
