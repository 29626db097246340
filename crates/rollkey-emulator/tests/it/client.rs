//! A client of the tests' own: keys, assertions, proofs, requests.
//!
//! Everything that a request says can be bent. Nothing is borrowed from the emulator but its
//! public interface.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaSignatureEncoding};
use aws_lc_rs::{digest, encoding::AsDer};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DnType, PKCS_RSA_SHA256};
use reqwest::{Method, StatusCode};
use rollkey_emulator::{Application, Builder, Clock, Emulator, rules};
use serde_json::{Value, json};

/// When tests take place, unless they say otherwise: seconds since 1970.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) const DAY: i64 = 86_400;

/// A private key with one certificate.
pub(crate) struct Key {
    pair: &'static KeyPair,
    pub(crate) certificate: Vec<u8>,
}

/// How many key pairs the tests share; making them is slow.
const PAIRS: usize = 3;

impl Key {
    /// Key pair `number`, with a certificate that is good from five minutes before `NOW` for 90
    /// days.
    pub(crate) fn number(number: usize) -> Self {
        Self::dated(number, NOW - 300, NOW + 90 * DAY)
    }

    pub(crate) fn dated(number: usize, not_before: i64, not_after: i64) -> Self {
        static POOL: [OnceLock<KeyPair>; PAIRS] = [const { OnceLock::new() }; PAIRS];
        let pair = POOL[number].get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
        let pkcs8 = pair.as_der().unwrap();
        let signer =
            rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_ref().into(), &PKCS_RSA_SHA256)
                .unwrap();
        Self { pair, certificate: certificate(&signer, number, not_before, not_after) }
    }

    /// Key pair `number` under a certificate that may belong to another key.
    pub(crate) fn with_certificate(number: usize, certificate: Vec<u8>) -> Self {
        Self { certificate, ..Self::number(number) }
    }

    /// Signs with PKCS#1 v1.5 or PSS, SHA-256.
    fn sign(&self, encoding: &'static RsaSignatureEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }

    pub(crate) fn sha1(&self) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.certificate).as_ref().to_vec()
    }

    pub(crate) fn sha256(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, &self.certificate).as_ref().to_vec()
    }

    /// The SHA-1 thumbprint in upper-case hexadecimal.
    pub(crate) fn thumbprint(&self) -> String {
        hex(&self.sha1())
    }

    pub(crate) fn x5t(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.sha1())
    }

    pub(crate) fn x5t_s256(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.sha256())
    }

    pub(crate) fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.certificate)
    }

    pub(crate) fn pem(&self) -> String {
        pem::encode(&pem::Pem::new("CERTIFICATE", self.certificate.clone()))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A self-signed certificate for any kind of key.
pub(crate) fn certificate(
    key: &impl rcgen::SigningKey,
    number: usize,
    not_before: i64,
    not_after: i64,
) -> Vec<u8> {
    let date = |instant: i64| {
        rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(instant as u64)
    };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, format!("key {number}"));
    params.not_before = date(not_before);
    params.not_after = date(not_after);
    params.self_signed(key).unwrap().der().to_vec()
}

/// A JSON web token before it is signed; bend it as you like.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    /// Whether all three parts carry `=`.
    pub(crate) padded: bool,
}

impl Token {
    pub(crate) fn signed_by(&self, key: &Key) -> String {
        let encode = |bytes: &[u8]| match self.padded {
            true => BASE64_URL_SAFE.encode(bytes),
            false => BASE64_URL_SAFE_NO_PAD.encode(bytes),
        };
        let part = |value: &Value| encode(value.to_string().as_bytes());
        let signing_input = format!("{}.{}", part(&self.header), part(&self.claims));
        let encoding: &'static RsaSignatureEncoding = match self.header["alg"].as_str() {
            Some("PS256") => &RSA_PSS_SHA256,
            _ => &RSA_PKCS1_SHA256,
        };
        let signature = key.sign(encoding, signing_input.as_bytes());
        format!("{signing_input}.{}", encode(&signature))
    }

    /// Sets a claim, or with null removes it.
    pub(crate) fn claim(mut self, name: &str, value: Value) -> Self {
        set(&mut self.claims, name, value);
        self
    }

    /// Sets a member of the header, or with null removes it.
    pub(crate) fn member(mut self, name: &str, value: Value) -> Self {
        set(&mut self.header, name, value);
        self
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    match value {
        Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
        value => object[name] = value,
    }
}

/// A good proof for an object, signed by nobody yet.
pub(crate) fn proof(object_id: &str, key: &Key, now: i64) -> Token {
    Token {
        header: json!({ "alg": "RS256", "typ": "JWT", "x5t": key.x5t() }),
        claims: json!({
            "aud": "00000002-0000-0000-c000-000000000000",
            "iss": object_id,
            "nbf": now,
            "exp": now.saturating_add(600),
        }),
        padded: false,
    }
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Asserts success with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        assert_eq!(self.header("x-emulator-rule"), "");
        self
    }

    /// Asserts a refusal with this status, whatever the rule.
    #[track_caller]
    pub(crate) fn expect_refusal(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        assert_ne!(self.header("x-emulator-rule"), "");
        self
    }

    /// Asserts a refusal by this rule, with the status and code that the rule announces, in a
    /// complete envelope.
    #[track_caller]
    pub(crate) fn refused_by(self, rule: &str) -> Self {
        let announced = rules::by_id(rule).unwrap_or_else(|| panic!("there is no rule {rule}"));
        assert_eq!(self.header("x-emulator-rule"), rule, "{self:#?}");
        let mut words = announced.answer.split(' ');
        assert_eq!(words.next(), Some(self.status.as_str()), "{rule}");
        match (words.next().unwrap(), words.next()) {
            (code, None) => self.check_graph_envelope(code),
            (error, Some(number)) => self.check_login_envelope(error, number),
        }
        self
    }

    #[track_caller]
    fn check_graph_envelope(&self, code: &str) {
        let error = &self.json["error"];
        assert_eq!(error["code"], code, "{self:#?}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        let inner = &error["innerError"];
        assert_eq!(inner["request-id"], self.header("request-id"));
        assert_eq!(inner["client-request-id"].as_str().unwrap().len(), 36);
        let date = inner["date"].as_str().unwrap();
        assert!(date.len() == 19 && date.contains('T'), "{date} has no zone");
    }

    #[track_caller]
    fn check_login_envelope(&self, error: &str, number: &str) {
        let json = &self.json;
        assert_eq!(json["error"], error, "{self:#?}");
        let description = json["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("{number}: ")), "{description}");
        let code: u64 = number.strip_prefix("AADSTS").unwrap().parse().unwrap();
        assert_eq!(json["error_codes"], json!([code]));
        assert_eq!(json["trace_id"], self.header("x-ms-request-id"));
        let uri = format!("https://login.microsoftonline.com/error?code={code}");
        assert_eq!(json["error_uri"], uri);
        let timestamp = json["timestamp"].as_str().unwrap();
        assert!(timestamp.as_bytes()[10] == b' ' && timestamp.ends_with('Z'), "{timestamp}");
        for part in ["trace_id", "correlation_id", "timestamp"] {
            assert!(description.contains(json[part].as_str().unwrap()), "{part}: {description}");
        }
    }
}

/// An emulator with a client that trusts it.
pub(crate) struct Entra {
    pub(crate) emulator: Emulator,
    http: reqwest::Client,
}

impl Entra {
    /// Seed 7, a manual clock at `NOW`, no lags, strict.
    pub(crate) async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(how: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = Emulator::builder().seed(7).clock(Clock::manual_at(NOW));
        let emulator = how(builder).start().await.unwrap();
        let http = trusting(emulator.ca_pem());
        Self { emulator, http }
    }

    pub(crate) fn now(&self) -> i64 {
        self.emulator.clock().now()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.graph_url())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// Sends a request; an error if no answer came.
    pub(crate) async fn try_send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply { status, headers, text, json })
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.try_send(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).bearer_auth(token).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.send(self.request(Method::PATCH, path).bearer_auth(token).json(body)).await
    }

    pub(crate) fn token_path(&self) -> String {
        format!("/{}/oauth2/v2.0/token", self.emulator.tenant_id())
    }

    /// A good assertion, signed by nobody yet.
    pub(crate) fn assertion(&self, app: &Application, key: &Key) -> Token {
        Token {
            header: json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": key.x5t_s256() }),
            claims: json!({
                "aud": self.url(&self.token_path()),
                "iss": app.app_id(),
                "sub": app.app_id(),
                "jti": "0b5f2a8e-5d0f-4c55-9f0e-1d2c3b4a5968",
                "nbf": self.now(),
                "exp": self.now().saturating_add(600),
            }),
            padded: false,
        }
    }

    /// A good token request with this assertion.
    pub(crate) fn form(&self, app: &Application, assertion: &str) -> Vec<(&'static str, String)> {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        vec![
            ("client_id", app.app_id().to_owned()),
            ("client_assertion_type", kind.to_owned()),
            ("client_assertion", assertion.to_owned()),
            ("grant_type", "client_credentials".to_owned()),
            ("scope", "https://graph.microsoft.com/.default".to_owned()),
        ]
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&'static str, String)]) -> Reply {
        self.send(self.request(Method::POST, path).form(form)).await
    }

    /// Asks for a token for the Graph.
    pub(crate) async fn ask(&self, app: &Application, key: &Key) -> Reply {
        let assertion = self.assertion(app, key).signed_by(key);
        self.post_form(&self.token_path(), &self.form(app, &assertion)).await
    }

    /// Asks for a token for another resource.
    pub(crate) async fn ask_for(&self, app: &Application, key: &Key, resource: &str) -> Reply {
        let assertion = self.assertion(app, key).signed_by(key);
        let mut form = self.form(app, &assertion);
        form.last_mut().unwrap().1 = format!("{resource}/.default");
        self.post_form(&self.token_path(), &form).await
    }

    /// A token for the Graph.
    pub(crate) async fn token(&self, app: &Application, key: &Key) -> String {
        let reply = self.ask(app, key).await.expect(200);
        reply.json["access_token"].as_str().unwrap().to_owned()
    }

    /// addKey on the application's own application object.
    pub(crate) async fn add(
        &self,
        app: &Application,
        new: &Key,
        prover: &Key,
        token: &str,
    ) -> Reply {
        let path = format!("/v1.0/applications/{}/addKey", app.object_id());
        self.post(&path, token, &self.add_body(app, new, prover)).await
    }

    pub(crate) fn add_body(&self, app: &Application, new: &Key, prover: &Key) -> Value {
        let proof = proof(app.object_id(), prover, self.now()).signed_by(prover);
        json!({
            "keyCredential": {
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
                "key": new.base64(),
            },
            "passwordCredential": null,
            "proof": proof,
        })
    }

    /// removeKey on the application's own application object.
    pub(crate) async fn remove(
        &self,
        app: &Application,
        key_id: &str,
        prover: &Key,
        token: &str,
    ) -> Reply {
        let path = format!("/v1.0/applications/{}/removeKey", app.object_id());
        let proof = proof(app.object_id(), prover, self.now()).signed_by(prover);
        self.post(&path, token, &json!({ "keyId": key_id, "proof": proof })).await
    }
}

/// An HTTPS client that trusts this CA and nobody else.
pub(crate) fn trusting(ca_pem: &str) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    let ca = pem::parse(ca_pem).unwrap();
    roots.add(ca.into_contents().into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
}
