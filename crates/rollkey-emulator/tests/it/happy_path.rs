//! A key is rolled from beginning to end, by application and by service principal.

use serde_json::json;

use crate::client::{DAY, Entra, Key, NOW, hex, proof};
use rollkey_emulator::{ObjectKind, Operation};

#[tokio::test]
async fn a_key_is_rolled_from_beginning_to_end() {
    let entra = Entra::start().await;
    let (old, new) = (Key::number(0), Key::number(1));
    let app = entra.emulator.application("billing").with_key(&old.certificate).create();

    // With the old key, register the new one.
    let token = entra.token(&app, &old).await;
    let mut body = entra.add_body(&app, &new, &old);
    body["keyCredential"]["displayName"] = json!("rolled by a test");
    let path = format!("/v1.0/applications/{}/addKey", app.object_id());
    let added = entra.post(&path, &token, &body).await.expect(200);
    let key_id = added.json["keyId"].as_str().unwrap().to_owned();
    assert_eq!(
        added.json,
        json!({
            "@odata.context": entra.url("/v1.0/$metadata#microsoft.graph.keyCredential"),
            "customKeyIdentifier": new.thumbprint(),
            "displayName": "rolled by a test",
            "endDateTime": "2027-04-15T08:00:00Z",
            "key": null,
            "keyId": key_id,
            "startDateTime": "2027-01-15T07:55:00Z",
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        })
    );
    assert_eq!(app.keys().len(), 2);
    assert!(app.accepts(&new.certificate) && app.accepts(&old.certificate));

    // With the new key, look, and remove the old one.
    let token = entra.token(&app, &new).await;
    let path = format!("/v1.0/applications/{}?$select=id,keyCredentials", app.object_id());
    let seen = entra.get(&path, &token).await.expect(200);
    let keys = seen.json["keyCredentials"].as_array().unwrap();
    let old_id = keys.iter().find(|key| key["key"] == old.base64()).unwrap()["keyId"].clone();
    let removed = entra.remove(&app, old_id.as_str().unwrap(), &new, &token).await.expect(204);
    assert_eq!(removed.text, "");

    // The old key is nobody's any more, the new one is the only one.
    let refused = entra.ask(&app, &old).await.refused_by("AST-9");
    let description = refused.json["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!(
        "AADSTS700027: The certificate with identifier used to sign the client assertion is not \
         registered on application. [Reason - The key was not found., Thumbprint of key used by \
         client: '{}', ",
        hex(&old.sha256())
    )));
    entra.token(&app, &new).await;
    assert_eq!(app.keys().len(), 1);
    assert_eq!(app.keys()[0].key_id, key_id);
    assert!(app.lockouts().is_empty());

    let log = entra.emulator.log();
    let operations: Vec<_> = log.iter().map(|exchange| exchange.operation).collect();
    use Operation::{AddKey, Read, RemoveKey, Token};
    assert_eq!(operations, [Token, AddKey, Token, Read, RemoveKey, Token, Token]);
    assert_eq!(log[1].thumbprint, Some(old.thumbprint()));
    assert_eq!(log[4].thumbprint, Some(new.thumbprint()));
    assert_eq!((log[5].status, log[5].rule), (401, Some("AST-9")));
    assert_eq!(log[5].code.as_deref(), Some("AADSTS700027"));
    assert!(log.iter().all(|exchange| exchange.app.as_deref() == Some("billing")));
}

#[tokio::test]
async fn a_service_principal_rolls_its_own_keys() {
    let entra = Entra::start().await;
    let (old, new) = (Key::number(0), Key::dated(1, NOW, NOW + DAY));
    let kind = ObjectKind::ServicePrincipal;
    let app = entra.emulator.application("mail").with_key_on(kind, &old.certificate).create();
    let token = entra.token(&app, &old).await;
    let mut body = entra.add_body(&app, &new, &old);
    let id = app.service_principal_id();
    body["proof"] = json!(proof(id, &old, NOW).signed_by(&old));

    let by_app_id = format!("/v1.0/servicePrincipals(appId='{}')", app.app_id());
    entra.post(&format!("{by_app_id}/addKey"), &token, &body).await.expect(200);
    assert_eq!(app.keys_on(kind).len(), 2);
    assert!(app.keys().is_empty());

    let seen = entra.get(&by_app_id, &token).await.expect(200);
    assert_eq!(seen.json["id"], id);
    let old_id = app.keys_on(kind)[0].key_id.clone();
    let body = json!({ "keyId": old_id, "proof": proof(id, &new, NOW).signed_by(&new) });
    let path = format!("/v1.0/servicePrincipals/{id}/microsoft.graph.removeKey");
    entra.post(&path, &token, &body).await.expect(204);
    assert_eq!(app.keys_on(kind)[0].thumbprint, new.thumbprint());
    entra.token(&app, &new).await;
}
