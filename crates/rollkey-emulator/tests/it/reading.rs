//! Reading applications and service principals: spellings, `$select`, `$filter`, pages.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Entra, Key};
use rollkey_emulator::Permission;

#[tokio::test]
async fn an_object_has_one_answer_in_all_spellings() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = entra.emulator.application("billing").with_key(&key.certificate).create();
    let token = entra.token(&app, &key).await;
    let (id, app_id) = (app.object_id(), app.app_id());
    for path in [
        format!("/v1.0/applications/{id}"),
        format!("/v1.0/applications/{}", id.to_uppercase()),
        format!("/v1.0//applications/{id}/"),
        format!("/v1.0/applications(appId='{app_id}')"),
        format!("/v1.0/applications(appId=%27{app_id}%27)"),
        format!("/beta/applications%28appId%3D'{app_id}'%29"),
    ] {
        let reply = entra.get(&path, &token).await.expect(200);
        assert_eq!(reply.json["id"], id, "{path}");
        assert_eq!(reply.json["appId"], app_id);
        let keys = reply.json["keyCredentials"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0]["key"], Value::Null);
        assert_eq!(keys[0]["customKeyIdentifier"], key.thumbprint());
        assert!(reply.header("x-ms-ags-diagnostic").contains("replica-"));
    }
}

#[tokio::test]
async fn certificates_come_only_if_they_are_asked_for() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = entra.emulator.application("billing").with_key(&key.certificate).create();
    let token = entra.token(&app, &key).await;
    let id = app.object_id();
    for query in
        ["$select=id,keyCredentials", "%24select=keyCredentials%2Cid", "$select=ID,KeyCredentials"]
    {
        let reply = entra.get(&format!("/v1.0/applications/{id}?{query}"), &token).await;
        let reply = reply.expect(200);
        assert_eq!(reply.json["keyCredentials"][0]["key"], key.base64());
        let context = entra.url("/v1.0/$metadata#applications(id,keyCredentials)/$entity");
        assert_eq!(reply.json["@odata.context"], context);
        assert_eq!(reply.json.as_object().unwrap().len(), 3);
    }
    let path =
        format!("/v1.0/applications?$filter=appId eq '{}'&$select=keyCredentials", app.app_id());
    let listed = entra.get(&path, &token).await.expect(200);
    assert_eq!(listed.json["value"][0]["keyCredentials"][0]["key"], Value::Null);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let reader = entra.emulator.application("reader").with_key(&key.certificate);
    let reader = reader.with_permission(Permission::ApplicationReadAll).create();
    for number in 0..4 {
        let _ = entra.emulator.application(&format!("it's {number}")).create();
    }
    let token = entra.token(&reader, &key).await;

    let path = "/v1.0/applications?$filter=displayName%20eq%20'it''s%202'&$count=true";
    let one = entra.get(path, &token).await.expect(200);
    assert_eq!(one.json["@odata.count"], 1);
    assert_eq!(one.json["value"][0]["displayName"], "it's 2");

    let mut path = "/v1.0/applications?$top=2&$select=displayName".to_owned();
    let mut names = Vec::new();
    loop {
        let page = entra.get(&path, &token).await.expect(200);
        let page_names = page.json["value"].as_array().unwrap().iter();
        names.extend(page_names.map(|object| object["displayName"].as_str().unwrap().to_owned()));
        match page.json["@odata.nextLink"].as_str() {
            Some(next) => path = next.strip_prefix(&entra.url("")).unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["reader", "it's 0", "it's 1", "it's 2", "it's 3"]);
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = entra.emulator.application("billing").with_key(&key.certificate);
    let app = app.with_permission(Permission::ApplicationReadAll).create();
    let token = entra.token(&app, &key).await;
    let object = format!("/v1.0/applications/{}", app.object_id());
    for (rule, path) in [
        ("KEY-21", format!("{object}?$select=secrets")),
        ("KEY-21", format!("{object}?$expand=owners")),
        ("KEY-21", format!("{object}?$select=%zz")),
        ("KEY-21", "/v1.0/applications?$top=0".to_owned()),
        ("KEY-21", "/v1.0/applications?$top=1000".to_owned()),
        ("KEY-21", "/v1.0/applications?$filter=appId".to_owned()),
        ("KEY-21", "/v1.0/applications?$filter=appId ne 'x'".to_owned()),
        ("KEY-21", "/v1.0/applications?$filter=appId eq x".to_owned()),
        ("KEY-21", "/v1.0/applications?$filter=appId eq 'x' or 'y'".to_owned()),
        ("KEY-21", "/v1.0/applications?$skiptoken=x".to_owned()),
        ("KEY-23", "/v1.0/users".to_owned()),
        ("KEY-23", "/v1.0".to_owned()),
        ("KEY-23", format!("{object}/owners")),
        ("KEY-23", "/v1.0/applications(name='x')".to_owned()),
        ("KEY-24", "/v1.0/applications/billing".to_owned()),
        ("KEY-1", "/v1.0/applications(appId='x')".to_owned()),
        ("KEY-1", "/v1.0/applications/11111111-2222-3333-4444-555555555555".to_owned()),
    ] {
        entra.get(&path, &token).await.refused_by(rule);
    }
    let reply = entra.get("/v1.0/userz", &token).await;
    let message = "Resource not found for the segment 'userz'.";
    assert_eq!(reply.json["error"]["message"], message);
    for (method, path) in [
        (Method::DELETE, object.clone()),
        (Method::POST, object.clone()),
        (Method::GET, format!("{object}/addKey")),
        (Method::PUT, "/v1.0/applications".to_owned()),
    ] {
        let request = entra.request(method, &path).bearer_auth(&token).json(&json!({}));
        entra.send(request).await.refused_by("KEY-22");
    }
    let nowhere = entra.send(entra.request(Method::GET, "/nowhere/at/all")).await;
    assert_eq!((nowhere.status.as_u16(), nowhere.text.as_str()), (404, ""));
}
