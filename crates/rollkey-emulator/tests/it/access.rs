//! Access tokens and permissions: who may do what at the Graph.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HOST};
use serde_json::json;

use crate::client::{Entra, Key, NOW, proof};
use rollkey_emulator::{Application, Permission};

fn application(
    entra: &Entra,
    name: &str,
    key: &Key,
    permission: Option<Permission>,
) -> Application {
    let builder = entra.emulator.application(name).with_key(&key.certificate);
    match permission {
        Some(permission) => builder.with_permission(permission).create(),
        None => builder.create(),
    }
}

#[tokio::test]
async fn a_call_without_a_good_token_is_refused() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = application(&entra, "billing", &key, None);
    let good = entra.token(&app, &key).await;
    let path = format!("/v1.0/applications/{}", app.object_id());

    let bare = entra.request(Method::GET, &path);
    let reply = entra.send(bare).await.refused_by("ACC-1");
    assert_eq!(reply.json["error"]["message"], "Access token is empty.");
    assert!(reply.header("www-authenticate").starts_with("Bearer realm="));
    for (rule, header) in [
        ("ACC-1", "Bearer".to_owned()),
        ("ACC-1", "Bearer  ".to_owned()),
        ("ACC-1", format!("Basic {good}")),
        ("ACC-2", "Bearer x".to_owned()),
        ("ACC-2", "Bearer a.b.c".to_owned()),
        ("ACC-2", format!("Bearer {good}x")),
        ("ACC-2", format!("Bearer {}", entra.assertion(&app, &key).signed_by(&key))),
    ] {
        let request = entra.request(Method::GET, &path).header(AUTHORIZATION, header);
        entra.send(request).await.refused_by(rule);
    }
    entra.get(&path, &good).await.expect(200);
}

#[tokio::test]
async fn a_token_of_another_emulator_is_no_good() {
    let (here, there) = (Entra::start().await, Entra::start().await);
    let key = Key::number(0);
    let app = application(&here, "billing", &key, None);
    let twin = application(&there, "billing", &key, None);
    assert_eq!(app.app_id(), twin.app_id(), "one seed, one world");
    let path = format!("/v1.0/applications/{}", app.object_id());
    let token = there.token(&twin, &key).await;
    here.get(&path, &token).await.refused_by("ACC-2");
}

#[tokio::test]
async fn a_token_is_for_one_resource() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = application(&entra, "billing", &key, None);
    let path = format!("/v1.0/applications/{}", app.object_id());
    let token = async |resource: &str| {
        let reply = entra.ask_for(&app, &key, resource).await.expect(200);
        reply.json["access_token"].as_str().unwrap().to_owned()
    };

    let elsewhere = token("https://outlook.office365.com").await;
    let reply = entra.get(&path, &elsewhere).await.refused_by("ACC-3");
    let message = "Access token validation failure. Invalid audience.";
    assert_eq!(reply.json["error"]["message"], message);
    for resource in [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "00000003-0000-0000-c000-000000000000",
        &entra.emulator.graph_url(),
    ] {
        entra.get(&path, &token(resource).await).await.expect(200);
    }

    // Under the name of a national cloud, that cloud's tokens are asked for.
    let as_cloud = async |host: &str, token: &str| {
        let request = entra.request(Method::GET, &path).header(HOST, host).bearer_auth(token);
        entra.send(request).await
    };
    let (global, national) = ("https://graph.microsoft.com", "https://graph.microsoft.us");
    let (global, national) = (token(global).await, token(national).await);
    as_cloud("graph.microsoft.us", &global).await.refused_by("ACC-3");
    as_cloud("graph.microsoft.us", &national).await.expect(200);
    as_cloud("graph.microsoft.com", &national).await.refused_by("ACC-3");
    as_cloud("graph.microsoft.com", &global).await.expect(200);
}

#[tokio::test]
async fn a_token_expires_by_the_clock_of_the_emulator() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = application(&entra, "billing", &key, None);
    let path = format!("/v1.0/applications/{}", app.object_id());
    let token = entra.token(&app, &key).await;
    entra.emulator.clock().set(NOW + 3598);
    entra.get(&path, &token).await.expect(200);
    entra.emulator.clock().set(NOW + 3599);
    let reply = entra.get(&path, &token).await.refused_by("ACC-4");
    let message = "Lifetime validation failed, the token is expired.";
    assert_eq!(reply.json["error"]["message"], message);
}

#[tokio::test]
async fn without_permission_an_application_has_only_itself() {
    let entra = Entra::start().await;
    let (mine, theirs, new) = (Key::number(0), Key::number(1), Key::number(2));
    let me = application(&entra, "me", &mine, None);
    let other = application(&entra, "other", &theirs, None);
    let token = entra.token(&me, &mine).await;

    for (mine, theirs) in [
        (me.object_id(), other.object_id()),
        (me.service_principal_id(), other.service_principal_id()),
    ] {
        let kind = if mine == me.object_id() { "applications" } else { "servicePrincipals" };
        entra.get(&format!("/v1.0/{kind}/{mine}"), &token).await.expect(200);
        entra.get(&format!("/v1.0/{kind}/{theirs}"), &token).await.refused_by("ACC-5");
        entra.get(&format!("/v1.0/{kind}"), &token).await.refused_by("ACC-5");
        let filter =
            |app: &Application| format!("/v1.0/{kind}?$filter=appId%20eq%20'{}'", app.app_id());
        entra.get(&filter(&me), &token).await.expect(200);
        entra.get(&filter(&other), &token).await.refused_by("ACC-5");
    }

    // Not even with a proof by the other's key.
    let body = entra.add_body(&other, &new, &theirs);
    let path = format!("/v1.0/applications/{}/addKey", other.object_id());
    entra.post(&path, &token, &body).await.refused_by("ACC-6");
    let by_owner = entra.token(&other, &theirs).await;
    entra.post(&path, &by_owner, &body).await.expect(200);
    let key_id = other.keys()[1].key_id.clone();
    let path = format!("/v1.0/applications/{}/removeKey", other.object_id());
    let proof = proof(other.object_id(), &theirs, NOW).signed_by(&theirs);
    let body = json!({ "keyId": key_id, "proof": proof });
    let reply = entra.post(&path, &token, &body).await.refused_by("ACC-6");
    let message = "Insufficient privileges to complete the operation.";
    assert_eq!(reply.json["error"]["message"], message);
    assert_eq!(other.keys().len(), 2);

    // And PATCH not even on itself.
    for path in [
        format!("/v1.0/applications/{}", me.object_id()),
        format!("/v1.0/servicePrincipals/{}", me.service_principal_id()),
    ] {
        entra.patch(&path, &token, &json!({ "keyCredentials": [] })).await.refused_by("ACC-7");
    }
    assert_eq!(me.keys().len(), 1);
}

#[tokio::test]
async fn permissions_open_doors() {
    let entra = Entra::start().await;
    let (admin_key, key, new) = (Key::number(0), Key::number(1), Key::number(2));
    let reader = application(&entra, "reader", &admin_key, Some(Permission::ApplicationReadAll));
    let writer =
        application(&entra, "writer", &admin_key, Some(Permission::ApplicationReadWriteAll));
    let director =
        application(&entra, "director", &admin_key, Some(Permission::DirectoryReadWriteAll));
    let owner =
        application(&entra, "owner", &admin_key, Some(Permission::ApplicationReadWriteOwnedBy));
    let owned =
        entra.emulator.application("owned").with_key(&key.certificate).owned_by(&owner).create();
    let other = application(&entra, "other", &key, None);

    // Who, what, and whether they may read, roll and update it.
    for (caller, target, may) in [
        (&reader, &owned, [true, false, false]),
        (&writer, &owned, [true, true, true]),
        (&writer, &writer, [true, true, true]),
        (&director, &other, [true, true, true]),
        (&owner, &owned, [true, true, true]),
        (&owner, &other, [false, false, false]),
        (&owner, &owner, [true, true, false]),
    ] {
        let token = entra.token(caller, &admin_key).await;
        let prover =
            if target.name() == "owned" || target.name() == "other" { &key } else { &admin_key };
        let path = format!("/v1.0/applications/{}", target.object_id());
        let read = entra.get(&path, &token).await.status;
        let body = entra.add_body(target, &new, prover);
        let roll = entra.post(&format!("{path}/addKey"), &token, &body).await.status;
        let body = json!({ "displayName": target.name() });
        let update = entra.patch(&path, &token, &body).await.status;
        let statuses = [read, roll, update].map(|status| status.is_success());
        assert_eq!(statuses, may, "{} on {}", caller.name(), target.name());
    }
    let token = entra.token(&reader, &admin_key).await;
    let all = entra.get("/v1.0/servicePrincipals", &token).await.expect(200);
    assert_eq!(all.json["value"].as_array().unwrap().len(), 6);
}
