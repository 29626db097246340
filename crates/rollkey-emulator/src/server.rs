//! The server: sockets, TLS and HTTP around the front desk.
//!
//! Reads a request to its end, hands it to the room `service`, and sends the answer or breaks the
//! connection off. It knows no address and no rule.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tower::{BoxError, Service};

use crate::http::{Answer, LONGEST_BODY, Request};
use crate::service::{self, Outcome};
use crate::tenant::Tenant;

type HttpRequest<B> = axum::http::Request<B>;
type HttpResponse = axum::http::Response<Body>;

/// Serves until `handle` is told to stop.
pub(crate) async fn run(
    listener: TcpListener,
    tls: rustls::ServerConfig,
    handle: Handle<SocketAddr>,
    tenant: Arc<Tenant>,
) -> std::io::Result<()> {
    let tls = RustlsConfig::from_config(Arc::new(tls));
    axum_server::from_tcp_rustls(listener, tls)?
        .http1_only()
        .handle(handle)
        .serve(Doorman(tenant))
        .await
}

/// Gives each connection a desk.
struct Doorman(Arc<Tenant>);

impl<T> Service<T> for Doorman {
    type Response = Desk;
    type Error = Infallible;
    type Future = Ready<Result<Desk, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: T) -> Self::Future {
        ready(Ok(Desk(Arc::clone(&self.0))))
    }
}

/// Answers the requests of one connection.
#[derive(Clone)]
struct Desk(Arc<Tenant>);

/// The answer is withheld: the connection ends here.
#[derive(Debug, thiserror::Error)]
#[error("a fault ended the connection")]
struct Withheld;

impl<B> Service<HttpRequest<B>> for Desk
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = HttpResponse;
    type Error = Withheld;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Withheld>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Withheld>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let tenant = Arc::clone(&self.0);
        Box::pin(async move {
            let request = read(request, &tenant).await;
            // A fault of the emulator's own must not look like one that a test asked for.
            let outcome = catch_unwind(AssertUnwindSafe(|| service::answer(&tenant, &request)));
            let Ok(Outcome { answer, delay }) = outcome else {
                tracing::error!(path = request.path, "the emulator failed; this is a bug of its");
                return Ok(broken());
            };
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            answer.map(response).ok_or(Withheld)
        })
    }
}

async fn read<B>(request: HttpRequest<B>, tenant: &Tenant) -> Request
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let body = read_body(body).await;
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or(parts.uri.authority().map(|authority| authority.as_str()));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let host = host.filter(|host| !host.is_empty() && host.bytes().all(plain));
    let authority = host.or(tenant.authorities.first().map(String::as_str)).unwrap_or_default();
    Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authority: authority.to_ascii_lowercase(),
        headers: parts.headers,
        body,
    }
}

/// Reads a body; `None` if it is too long or breaks off.
///
/// What is too long is read on for a while and thrown away: a client that is still sending would
/// not hear the answer.
async fn read_body<B>(body: B) -> Option<Vec<u8>>
where
    B: HttpBody<Data = Bytes>,
{
    let mut body = std::pin::pin!(body);
    let (mut read, mut length) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        length += data.len();
        match length {
            0..=LONGEST_BODY => read.extend_from_slice(&data),
            _ if length > 16 * LONGEST_BODY => return None,
            _ => (),
        }
    }
    (length <= LONGEST_BODY).then_some(read)
}

fn response(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(body) = answer.body {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        *response.body_mut() = Body::from(body.to_string());
    }
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn broken() -> HttpResponse {
    let mut response = HttpResponse::new(Body::from("the emulator failed; this is a bug of its\n"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
