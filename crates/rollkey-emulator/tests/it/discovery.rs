//! What clients look up: configuration, instances, and the keys that verify tokens.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use reqwest::header::HOST;
use serde_json::{Value, json};

use crate::client::{Entra, Key, Reply};

async fn get(entra: &Entra, path: &str) -> Reply {
    entra.send(entra.request(Method::GET, path)).await
}

fn decode(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()
}

#[tokio::test]
async fn access_tokens_are_verified_with_the_published_key() {
    let entra = Entra::start().await;
    let key = Key::number(0);
    let app = entra.emulator.application("billing").with_key(&key.certificate).create();
    let token = entra.token(&app, &key).await;
    let tenant = entra.emulator.tenant_id();
    let configuration = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    let configuration = get(&entra, &configuration).await.expect(200).json;
    let below = |address: &str| address.strip_prefix(&entra.url("")).unwrap().to_owned();
    assert_eq!(below(configuration["token_endpoint"].as_str().unwrap()), entra.token_path());
    assert_eq!(configuration["issuer"], entra.url(&format!("/{tenant}/v2.0")));

    let jwks = below(configuration["jwks_uri"].as_str().unwrap());
    let jwks = get(&entra, &jwks).await.expect(200).json;
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    let header = signing_input.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let part = |name: &str| decode(key[name].as_str().unwrap());
    let public = RsaPublicKeyComponents { n: part("n"), e: part("e") };
    public
        .verify(&RSA_PKCS1_2048_8192_SHA256, signing_input.as_bytes(), &decode(signature))
        .unwrap();
}

#[tokio::test]
async fn every_tenant_that_is_none_has_a_configuration_too() {
    let entra = Entra::start().await;
    let id = entra.emulator.tenant_id();
    for (tenant, path) in [
        ("common", "v2.0/.well-known/openid-configuration"),
        ("organizations", "v2.0/.well-known/openid-configuration"),
        ("emulator.onmicrosoft.com", "v2.0/.well-known/openid-configuration"),
    ] {
        let json = get(&entra, &format!("/{tenant}/{path}")).await.expect(200).json;
        assert_eq!(json["token_endpoint"], entra.url(&format!("/{tenant}/oauth2/v2.0/token")));
        assert_eq!(json["issuer"], entra.url(&format!("/{id}/v2.0")));
    }
    let elder = get(&entra, &format!("/{id}/.well-known/openid-configuration")).await.expect(200);
    assert_eq!(elder.json["token_endpoint"], entra.url(&format!("/{id}/oauth2/token")));
    assert_eq!(elder.json["issuer"], format!("https://sts.windows.net/{id}/"));
    get(&entra, &format!("/{id}/discovery/keys")).await.expect(200);
    get(&entra, "/common/discovery/v2.0/keys").await.expect(200);

    let unknown = "/11111111-2222-3333-4444-555555555555/v2.0/.well-known/openid-configuration";
    let reply = get(&entra, unknown).await.refused_by("TOK-1");
    assert!(reply.json["error_description"].as_str().unwrap().starts_with(
        "AADSTS90002: Tenant '11111111-2222-3333-4444-555555555555' not found. Check to make sure "
    ));
    get(&entra, "/contoso/discovery/keys").await.refused_by("TOK-2");
}

#[tokio::test]
async fn addresses_in_answers_are_the_client_s() {
    let entra = Entra::start().await;
    let as_microsoft = async |path: &str| {
        let request = entra.request(Method::GET, path).header(HOST, "login.microsoftonline.com");
        entra.send(request).await.expect(200).json
    };
    let configuration = as_microsoft("/common/v2.0/.well-known/openid-configuration").await;
    assert_eq!(
        configuration["token_endpoint"],
        "https://login.microsoftonline.com/common/oauth2/v2.0/token"
    );
    let instance = as_microsoft("/common/discovery/instance?api-version=1.1").await;
    assert_eq!(instance["metadata"][0]["aliases"], json!(["login.microsoftonline.com"]));
    let endpoint = instance["tenant_discovery_endpoint"].as_str().unwrap();
    assert!(endpoint.starts_with("https://login.microsoftonline.com/"));

    // And an assertion for that address is for here.
    let key = Key::number(0);
    let app = entra.emulator.application("billing").with_key(&key.certificate).create();
    let path = entra.token_path();
    let audience = format!("https://login.microsoftonline.com{path}");
    let assertion = entra.assertion(&app, &key).claim("aud", json!(audience)).signed_by(&key);
    let request = entra.request(Method::POST, &path).form(&entra.form(&app, &assertion));
    entra.send(request.header(HOST, "login.microsoftonline.com")).await.expect(200);
}
