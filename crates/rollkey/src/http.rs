//! One request, one answer, and the one policy for asking again.
//!
//! What an answer *means* is not known here: that is for the adapters. What is known here is
//! whether a request left, what came back, and how long to wait. Three laws:
//!
//! * Nothing is built before the first request: not the client, not its TLS provider, not the list
//!   of roots, which takes milliseconds to read. Commands that stay offline pay nothing.
//! * **No secret is shown.** Bodies and the `Authorization` header appear in no error, no `Debug`
//!   and no trace event; URLs are shown without their query.
//! * **A change whose answer was lost is never sent again.** [`retry`] says what may be.
//!
//! HTTP/1.1 only: two or three requests in an hour win nothing from HTTP/2, and with HTTP/1.1 it
//! is clear whether a request left. No redirects: neither service sends any, and a token must not
//! follow one. No environment variable is read here; on Linux the platform's own verifier reads
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` as OpenSSL does.

mod answer;
mod error;
pub mod retry;
mod settings;

pub use answer::Answer;
pub use error::{HttpError, Loss, Obstacle, SettingsError};
pub use settings::{Proxy, Settings, Trust};

use crate::ports::AccessToken;
use crate::secret::SecretBytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use retry::{Patience, Repeat, Timer, TokioTimer};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tracing::debug;
use uuid::Uuid;

/// From the look-up of the name to the end of the TLS handshake. Longer than two lost packets; a
/// place that takes longer is not there.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For everything, connecting included. Long, because giving up on a change leaves its outcome
/// unknown, and that costs far more than a minute.
pub const WHOLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long an idle connection is kept. Shorter than any service or proxy is known to keep its
/// end, so that a change is not sent into a connection that is just being closed.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The longest body that is read. A full object (some 1,200 certificates) has less than 4 MiB.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

const USER_AGENT: &str = concat!("rollkey/", env!("CARGO_PKG_VERSION"));
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
    timer: Arc<dyn Timer>,
}

struct Shared {
    settings: Settings,
    client: OnceCell<reqwest::Client>,
}

impl Http {
    /// Nothing is opened or read until the first request.
    pub fn new(settings: Settings) -> Self {
        let shared = Shared { settings, client: OnceCell::new() };
        Self { shared: Arc::new(shared), timer: Arc::new(TokioTimer) }
    }

    /// The same, with another way to wait between two attempts.
    #[must_use]
    pub fn with_timer(self, timer: Arc<dyn Timer>) -> Self {
        Self { timer, ..self }
    }

    /// Sends a request, and sends it again where [`retry`] allows it.
    ///
    /// The answer may be one that asks to wait (429, 503): then waiting was tried, or would have
    /// taken too long.
    ///
    /// # Errors
    ///
    /// That of the last attempt.
    pub async fn send(&self, request: &Request<'_>) -> Result<Answer, HttpError> {
        let mut patience = Patience::new(request.repeat);
        loop {
            let outcome = self.send_once(request).await;
            let Some(pause) = patience.after(&outcome) else { return outcome };
            debug!(?pause, "will ask again");
            self.timer.wait(pause).await;
        }
    }

    /// Sends a request, once.
    ///
    /// # Errors
    ///
    /// If it could not be sent, or no complete answer came.
    pub async fn send_once(&self, request: &Request<'_>) -> Result<Answer, HttpError> {
        let id = Uuid::new_v4().to_string();
        let started = Instant::now();
        let outcome = self.exchange(request, &id).await;
        let (method, url) = (request.method.as_str(), request.shown_url());
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &outcome {
            Ok(answer) => debug!(
                method,
                url,
                status = answer.status,
                request_id = answer.request_id,
                client_request_id = id,
                millis,
                "answered"
            ),
            Err(error) => debug!(
                method,
                url,
                client_request_id = id,
                millis,
                error = %error,
                cause = error.cause(),
                "not answered"
            ),
        }
        outcome
    }

    async fn exchange(&self, request: &Request<'_>, id: &str) -> Result<Answer, HttpError> {
        let client = self.client().await?;
        let via = || self.shared.settings.proxy.as_ref().map(Proxy::address);
        let failed = |error| HttpError::sending(request.host(), via(), error);
        let response = request.build(client, id).and_then(|r| r.build()).map_err(failed)?;
        let response = client.execute(response).await.map_err(failed)?;
        Answer::read(response, id).await.map_err(|loss| HttpError::lost(request.host(), loss))
    }

    async fn client(&self) -> Result<&reqwest::Client, HttpError> {
        let build = || async { self.shared.settings.client(USER_AGENT) };
        Ok(self.shared.client.get_or_try_init(build).await?)
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let built = self.shared.client.initialized();
        let mut out = f.debug_struct("Http");
        out.field("settings", &self.shared.settings).field("built", &built).finish()
    }
}

/// What is asked, whom, and whether it may be asked twice.
pub struct Request<'a> {
    method: reqwest::Method,
    url: String,
    bearer: Option<&'a AccessToken>,
    body: Body,
    repeat: Repeat,
}

enum Body {
    Empty,
    Form(SecretBytes),
    Json(SecretBytes),
}

impl<'a> Request<'a> {
    /// Reads something.
    pub fn get(url: impl Into<String>, bearer: &'a AccessToken) -> Self {
        let (url, bearer) = (url.into(), Some(bearer));
        let method = reqwest::Method::GET;
        Self { method, url, bearer, body: Body::Empty, repeat: Repeat::Freely }
    }

    /// Asks by a form. Asking twice must do no harm.
    pub fn ask(url: impl Into<String>, form: &[(&str, &str)]) -> Self {
        let mut body = reqwest::Url::parse("form:").expect("a URL");
        body.query_pairs_mut().extend_pairs(form);
        let body = Body::Form(body.query().unwrap_or_default().to_owned().into());
        let method = reqwest::Method::POST;
        Self { method, url: url.into(), bearer: None, body, repeat: Repeat::Freely }
    }

    /// Changes something.
    pub fn change(url: impl Into<String>, bearer: &'a AccessToken, json: SecretBytes) -> Self {
        let (url, bearer, body) = (url.into(), Some(bearer), Body::Json(json));
        let method = reqwest::Method::POST;
        Self { method, url, bearer, body, repeat: Repeat::IfUnchanged }
    }

    fn build(
        &self,
        client: &reqwest::Client,
        id: &str,
    ) -> Result<reqwest::RequestBuilder, reqwest::Error> {
        let mut builder = client
            .request(self.method.clone(), &self.url)
            .header(ACCEPT, "application/json")
            .header(CLIENT_REQUEST_ID, id);
        if let Some(bearer) = self.bearer {
            let text = [b"Bearer ", bearer.token.expose()].concat();
            // What cannot stand in a header is sent as an empty one, and refused as such.
            let mut value =
                HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("Bearer"));
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        Ok(match &self.body {
            Body::Empty => builder,
            Body::Form(form) => builder
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.expose().to_vec()),
            Body::Json(json) => {
                builder.header(CONTENT_TYPE, "application/json").body(json.expose().to_vec())
            }
        })
    }

    fn shown_url(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    fn host(&self) -> String {
        let url = reqwest::Url::parse(&self.url).ok();
        let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
        match host {
            Some((host, Some(port))) => format!("{host}:{port}"),
            Some((host, None)) => host.to_owned(),
            None => self.shown_url().to_owned(),
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Request");
        out.field("method", &self.method).field("url", &self.shown_url());
        out.field("repeat", &self.repeat).finish_non_exhaustive()
    }
}
