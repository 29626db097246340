//! A TLS server that does what a test tells it, request by request: for the answers that no honest
//! server gives. It knows nothing of Graph or login.

use rollkey::http::retry::Timer;
use rollkey::http::{Http, Settings, Trust};
use rollkey::ports::CertificateDer;
use rustls::pki_types::{CertificateDer as Der, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::sync::Notify;

/// What to do with the next request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Close the connection before the TLS handshake: the request never leaves.
    Slam,
    /// Read the request and close the connection.
    HangUp,
    /// Read the request and never answer.
    Stall,
    /// Send these bytes and keep the connection.
    Answer(Vec<u8>),
    /// Send these bytes and close the connection.
    Cut(Vec<u8>),
}

/// `HTTP/1.1 429`, these headers, and a JSON body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Act {
    typed(status, "application/json", headers, body)
}

/// The same with a body of another kind.
pub(crate) fn typed(status: u16, kind: &str, headers: &str, body: &str) -> Act {
    let length = body.len();
    let mut head = format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n");
    if status != 204 {
        head += &format!("content-length: {length}\r\n");
    }
    for line in headers.lines() {
        head += &format!("{}\r\n", line.trim());
    }
    Act::Answer(format!("{head}\r\n{body}").into_bytes())
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `GET /path HTTP/1.1`.
    pub(crate) line: String,
    /// The header lines, in lower case up to the colon.
    pub(crate) headers: Vec<String>,
    /// The body.
    pub(crate) body: String,
}

impl Seen {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

/// A server with a script. Its last act is repeated for ever.
pub(crate) struct Script {
    address: SocketAddr,
    certificate: Vec<u8>,
    state: Arc<State>,
}

struct State {
    acts: Mutex<Vec<Act>>,
    seen: Mutex<Vec<Seen>>,
    stalled: Notify,
    tls: Arc<ServerConfig>,
}

impl Script {
    pub(crate) fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::named("localhost", acts)
    }

    /// With a certificate for another name than it is called by.
    pub(crate) fn named(name: &str, acts: impl IntoIterator<Item = Act>) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let certificate = made.cert.der().to_vec();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![Der::from(certificate.clone())], key)
            .expect("a server");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(State {
            acts: Mutex::new(acts.into_iter().collect()),
            seen: Mutex::default(),
            stalled: Notify::new(),
            tls: Arc::new(tls),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || state.serve(stream));
            }
        });
        Self { address, certificate, state }
    }

    /// `https://localhost:port`.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Whom to trust to trust it.
    pub(crate) fn trust(&self) -> Trust {
        Trust::Only(vec![CertificateDer(self.certificate.clone())])
    }

    /// A client that trusts it and does not wait.
    pub(crate) fn http(&self) -> (Http, Arc<Impatient>) {
        impatient(Settings { trust: self.trust(), proxy: None })
    }

    /// What it was asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("no panic").clone()
    }

    /// Is ready when a request is being stalled.
    pub(crate) async fn stalled(&self) {
        self.state.stalled.notified().await;
    }
}

impl State {
    fn next(&self) -> Act {
        let mut acts = self.acts.lock().expect("no panic");
        if acts.len() == 1 { acts[0].clone() } else { acts.remove(0) }
    }

    fn slams(&self) -> bool {
        let slams = matches!(self.acts.lock().expect("no panic").first(), Some(Act::Slam));
        slams && matches!(self.next(), Act::Slam)
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        if self.slams() {
            return None;
        }
        let connection = ServerConnection::new(Arc::clone(&self.tls)).ok()?;
        let mut stream = StreamOwned::new(connection, stream);
        loop {
            let seen = read(&mut stream)?;
            self.seen.lock().expect("no panic").push(seen);
            match self.next() {
                Act::Slam | Act::HangUp => return None,
                Act::Answer(bytes) => stream.write_all(&bytes).ok()?,
                Act::Cut(bytes) => {
                    stream.write_all(&bytes).ok()?;
                    stream.conn.send_close_notify();
                    return stream.flush().ok();
                }
                Act::Stall => {
                    self.stalled.notify_one();
                    // The client will close the connection.
                    return stream.read_exact(&mut [0]).ok();
                }
            }
        }
    }
}

fn read(stream: &mut impl Read) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
        if bytes.ends_with(b"\r\n\r\n") {
            break bytes.len();
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines().map(str::to_owned);
    let line = lines.next()?;
    let headers: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let mut seen = Seen { line, headers, body: String::new() };
    let length = seen.header("content-length").map_or(0, |n| n.parse().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8_lossy(&body).into_owned();
    Some(seen)
}

/// Does not wait, and remembers how long it should have.
#[derive(Default)]
pub(crate) struct Impatient(Mutex<Vec<Duration>>);

impl Impatient {
    /// The pauses so far.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.0.lock().expect("no panic").clone()
    }

    /// The pauses so far, in whole seconds, rounded down.
    pub(crate) fn seconds(&self) -> Vec<u64> {
        self.pauses().iter().map(Duration::as_secs).collect()
    }
}

impl Timer for Impatient {
    fn wait(&self, time: Duration) -> futures_util::future::BoxFuture<'static, ()> {
        self.0.lock().expect("no panic").push(time);
        Box::pin(std::future::ready(()))
    }
}

/// A client that does not wait.
pub(crate) fn impatient(settings: Settings) -> (Http, Arc<Impatient>) {
    let timer = Arc::new(Impatient::default());
    (Http::new(settings).with_timer(timer.clone()), timer)
}
