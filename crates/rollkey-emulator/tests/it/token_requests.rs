//! Token requests: everything about them but the assertion.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Entra, Key, NOW};
use rollkey_emulator::{Application, Limits, Permission};

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

    /// A good form.
    fn form(&self) -> Vec<(&'static str, String)> {
        let assertion = self.entra.assertion(&self.app, &self.key).signed_by(&self.key);
        self.entra.form(&self.app, &assertion)
    }

    /// A good form, but for one parameter; `None` leaves it out.
    fn form_with(&self, name: &'static str, value: Option<&str>) -> Vec<(&'static str, String)> {
        let mut form = self.form();
        form.retain(|(given, _)| *given != name);
        form.extend(value.map(|value| (name, value.to_owned())));
        form
    }
}

#[tokio::test]
async fn a_request_that_breaks_one_rule_is_refused() {
    let scene = Scene::set().await;
    let path = scene.entra.token_path();
    let nobody = "11111111-2222-3333-4444-555555555555";
    for (rule, name, value) in [
        ("TOK-5", "grant_type", Some("authorization_code")),
        ("TOK-6", "grant_type", None),
        ("TOK-6", "client_id", None),
        ("TOK-6", "client_id", Some("")),
        ("TOK-6", "scope", None),
        ("TOK-8", "scope", Some("https://graph.microsoft.com/User.Read")),
        ("TOK-8", "scope", Some("/.default")),
        ("TOK-8", "scope", Some("openid https://graph.microsoft.com/.default")),
        ("TOK-9", "scope", Some("graph/.default")),
        ("TOK-10", "client_id", Some(nobody)),
        ("TOK-10", "client_id", Some("billing")),
        ("TOK-11", "client_assertion", None),
        ("TOK-11", "client_assertion_type", None),
        ("TOK-11", "client_assertion_type", Some("jwt")),
        ("TOK-12", "client_secret", Some("hunter2")),
    ] {
        let form = scene.form_with(name, value);
        scene.entra.post_form(&path, &form).await.refused_by(rule);
    }
    let mut twice = scene.form();
    twice.push(("scope", "https://graph.microsoft.com/.default".to_owned()));
    scene.entra.post_form(&path, &twice).await.refused_by("TOK-7");
    let mut harmless = scene.form();
    harmless.push(("client_info", "1".to_owned()));
    harmless.push(("client_info", "1".to_owned()));
    scene.entra.post_form(&path, &harmless).await.expect(200);
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_refused() {
    let scene = Scene::set().await;
    let form = scene.form();
    for (rule, tenant) in [
        ("TOK-1", "11111111-2222-3333-4444-555555555555"),
        ("TOK-1", "contoso.onmicrosoft.com"),
        ("TOK-2", "contoso"),
        ("TOK-3", "common"),
        ("TOK-3", "organizations"),
    ] {
        let path = format!("/{tenant}/oauth2/v2.0/token");
        scene.entra.post_form(&path, &form).await.refused_by(rule);
    }
    let path = scene.entra.token_path();
    let get = scene.entra.request(Method::GET, &path);
    scene.entra.send(get).await.refused_by("TOK-4");
    let json = scene.entra.request(Method::POST, &path).json(&json!({}));
    scene.entra.send(json).await.refused_by("TOK-6");

    let by_domain = "/emulator.onmicrosoft.com/oauth2/v2.0/token?client-request-id=x";
    scene.entra.post_form(by_domain, &form).await.expect(200);
}

#[tokio::test]
async fn refusals_use_the_words_of_the_wire() {
    let scene = Scene::set().await;
    let path = scene.entra.token_path();
    for (name, value, words) in [
        (
            "scope",
            Some("graph"),
            "AADSTS1002012: The provided value for scope graph is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI). Trace ID: ",
        ),
        (
            "scope",
            None,
            "AADSTS900144: The request body must contain the following parameter: 'scope'. Trace ID: ",
        ),
        (
            "client_assertion",
            None,
            "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'. Trace ID: ",
        ),
        (
            "client_id",
            Some("7"),
            "AADSTS700016: Application with identifier '7' was not found in the directory 'emulator.onmicrosoft.com'. ",
        ),
    ] {
        let reply = scene.entra.post_form(&path, &scene.form_with(name, value)).await;
        let description = reply.json["error_description"].as_str().unwrap();
        assert!(description.starts_with(words), "{description}");
        assert_eq!(reply.json["timestamp"], "2027-01-15 08:00:00Z");
    }
}

#[tokio::test]
async fn the_audience_is_the_resource_as_it_was_asked_for() {
    let scene = Scene::set().await;
    let own = scene.entra.emulator.graph_url();
    for resource in [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "00000003-0000-0000-c000-000000000000",
        "https://outlook.office365.com",
        "api://something/else",
        &own,
    ] {
        let reply = scene.entra.ask_for(&scene.app, &scene.key, resource).await.expect(200);
        assert_eq!(claims(&reply.json)["aud"], resource);
    }
}

#[tokio::test]
async fn a_token_says_what_entra_s_say() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = entra
        .emulator
        .application("billing")
        .with_key(&key.certificate)
        .with_permission(Permission::ApplicationReadWriteAll)
        .create();
    let claims_of = |reply: crate::client::Reply| claims(&reply.json);
    let claims = claims_of(entra.ask(&app, &key).await);
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{}/", entra.emulator.tenant_id()));
    assert_eq!(claims["tid"], entra.emulator.tenant_id());
    assert_eq!(claims["appid"], app.app_id());
    assert_eq!(claims["oid"], app.service_principal_id());
    assert_eq!(claims["sub"], app.service_principal_id());
    assert_eq!(claims["app_displayname"], "billing");
    assert_eq!(claims["idtyp"], "app");
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(claims["roles"], json!(["Application.ReadWrite.All"]));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + 3599)));
    // Permissions on the Graph are the Graph's business.
    let elsewhere = claims_of(entra.ask_for(&app, &key, "https://outlook.office365.com").await);
    assert!(elsewhere.get("roles").is_none());
}

#[tokio::test]
async fn the_elder_endpoint_takes_a_resource_and_answers_in_strings() {
    let scene = Scene::set().await;
    let path = format!("/{}/oauth2/token", scene.entra.emulator.tenant_id());
    let form = scene.form_with("scope", None);
    scene.entra.post_form(&path, &form).await.refused_by("TOK-6");
    let mut form = form;
    form.push(("resource", "https://graph.microsoft.com".to_owned()));
    let reply = scene.entra.post_form(&path, &form).await.expect(200);
    assert_eq!(reply.json["expires_in"], "3599");
    assert_eq!(reply.json["expires_on"], (NOW + 3599).to_string());
    assert_eq!(claims(&reply.json)["aud"], "https://graph.microsoft.com");
}

#[tokio::test]
async fn resources_can_be_listed() {
    let scene = Scene::set().await;
    let resources = Some(BTreeSet::from(["https://vault.azure.net".to_owned()]));
    scene.entra.emulator.set_limits(Limits { resources, ..Limits::default() });
    let ask = |resource: &'static str| scene.entra.ask_for(&scene.app, &scene.key, resource);
    ask("https://vault.azure.net").await.expect(200);
    ask("https://graph.microsoft.com").await.expect(200);
    ask("https://outlook.office365.com").await.refused_by("TOK-9");
}

#[tokio::test]
async fn requests_and_answers_are_numbered() {
    let scene = Scene::set().await;
    let id = "c0ffee00-1111-2222-3333-444444444444";
    let path = scene.entra.token_path();
    let request = scene.entra.request(Method::POST, &path).form(&scene.form_with("scope", None));
    let reply = scene.entra.send(request.header("client-request-id", id)).await;
    let reply = reply.refused_by("TOK-6");
    assert_eq!(reply.header("client-request-id"), id);
    assert_eq!(reply.json["correlation_id"], id);
    assert_eq!(reply.header("request-id"), reply.header("x-ms-request-id"));
    assert_eq!(reply.header("date"), "Fri, 15 Jan 2027 08:00:00 GMT");

    let reply = scene.entra.post_form(&format!("{path}?client-request-id={id}"), &[]).await;
    assert_eq!(reply.header("client-request-id"), id);
    let exchange = scene.entra.emulator.log().pop().unwrap();
    assert_eq!(exchange.client_request_id.as_deref(), Some(id));
    assert_eq!((exchange.path, exchange.request_id.as_str()), (path, reply.header("request-id")));
}

/// The claims of the access token in an answer.
fn claims(json: &Value) -> Value {
    let token = json["access_token"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}
