//! The emulator as its users hold it: started, moved, disturbed and looked into.
//!
//! This room puts the parts together and hands out views of them; it decides nothing about
//! requests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use axum_server::Handle;
use tokio::runtime::Runtime;

use crate::access_token::{KeyError, Signer};
use crate::application::{Application, ApplicationBuilder};
use crate::clock::Clock;
use crate::faults::{FaultRates, Next, Operation};
use crate::log::Exchange;
use crate::replicas::Lags;
use crate::seed::Seeds;
use crate::tenant::{ErrorLayout, Limits, Settings, Strictness, Tenant};
use crate::{server, tls, witness};

/// A running emulator of login and the Graph. It stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    pub(crate) tenant: Arc<Tenant>,
    ca_pem: String,
    handle: Handle<SocketAddr>,
    /// Threads of its own, so that a test that blocks its own thread still gets answers.
    _threads: Held,
}

/// The emulator could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A test server has no business on other addresses, unless told so twice.
    #[error("refusing to listen on {0}, which is not a loopback address")]
    BeyondLoopback(SocketAddr),
    /// The address is taken, or not this machine's.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Threads could not be started.
    #[error("could not start the threads of the emulator")]
    Threads(#[source] std::io::Error),
    /// Keys or certificates could not be made.
    #[error("could not make the keys of the emulator")]
    Keys(#[source] KeyError),
}

/// What an emulator shall be like; made by [`Emulator::builder`].
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    seed: Option<u64>,
    clock: Clock,
    replicas: usize,
    settings: Settings,
    rates: FaultRates,
    listen: SocketAddr,
    beyond_loopback: bool,
}

impl Builder {
    /// The seed of all identifiers, choices of replicas and random faults. Without one, a new seed
    /// is drawn, and [`Emulator::seed`] tells it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The clock of all parts; the wall clock, if not given.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How long news takes; no time, if not given.
    pub fn lags(mut self, lags: Lags) -> Self {
        self.settings.lags = lags;
        self
    }

    /// How many replicas there are: 2, if not given; at least 1.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas.max(1);
        self
    }

    /// How strict the emulator is where nobody knows; strict, if not given.
    pub fn strictness(mut self, strictness: Strictness) -> Self {
        self.settings.strictness = strictness;
        self
    }

    /// Limits and policies; none, if not given.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// How login writes its errors; the newer way, if not given.
    pub fn error_layout(mut self, layout: ErrorLayout) -> Self {
        self.settings.layout = layout;
        self
    }

    /// How often requests go wrong by chance; never, if not given.
    pub fn fault_rates(mut self, rates: FaultRates) -> Self {
        self.rates = rates;
        self
    }

    /// The address to listen on; a free port of 127.0.0.1, if not given. Addresses beyond
    /// loopback are refused without [`beyond_loopback`](Self::beyond_loopback).
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Says for the second time that the emulator shall be reachable by others. It keeps no secret
    /// that is worth anything, but anybody who reaches it can use it.
    pub fn beyond_loopback(mut self) -> Self {
        self.beyond_loopback = true;
        self
    }

    /// Starts the emulator; it listens when this returns.
    ///
    /// # Errors
    ///
    /// If the address may not or cannot be listened on, or keys cannot be made.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let address = self.listen;
        if !address.ip().is_loopback() && !self.beyond_loopback {
            return Err(StartError::BeyondLoopback(address));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("rollkey-emulator")
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let threads = runtime.handle().clone();
        let runtime = Held(Some(runtime));
        let keys = threads.spawn_blocking(move || {
            let (ca_pem, tls) = tls::make(address.ip())?;
            Ok((ca_pem, tls, Signer::new()?))
        });
        let keys: Result<_, KeyError> = keys.await.unwrap_or_else(|error| Err(error.into()));
        let (ca_pem, tls, signer) = keys.map_err(StartError::Keys)?;

        let cannot_listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(cannot_listen)?;
        let bound = listener.local_addr().map_err(cannot_listen)?;
        let seeds = Seeds::new(self.seed.unwrap_or_else(new_seed));
        let tenant = Arc::new(Tenant::new(
            self.clock,
            seeds,
            signer,
            self.replicas,
            authorities(bound),
            self.settings,
        ));
        tenant.faults.set_rates(self.rates);

        let handle = Handle::new();
        let serving = server::run(listener, tls, handle.clone(), Arc::clone(&tenant));
        threads.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the emulator stopped serving");
            }
        });
        Ok(Emulator { tenant, ca_pem, handle, _threads: runtime })
    }
}

/// Threads that are let go in the background: to wait for them could block whoever drops them.
#[derive(Debug)]
struct Held(Option<Runtime>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Emulator {
    /// An emulator with another seed, clock or lags than the defaults.
    pub fn builder() -> Builder {
        Builder {
            seed: None,
            clock: Clock::wall(),
            replicas: 2,
            settings: Settings::default(),
            rates: FaultRates::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            beyond_loopback: false,
        }
    }

    /// Starts an emulator with the defaults: the wall clock, a new seed, two replicas without lag,
    /// strict, no faults.
    ///
    /// # Errors
    ///
    /// If it cannot listen on a port of 127.0.0.1, or keys cannot be made.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// The address of login, to be used as `https://login.microsoftonline.com` is:
    /// `https://localhost:PORT`.
    #[must_use]
    pub fn login_url(&self) -> String {
        format!("https://{}", self.tenant.authorities[0])
    }

    /// The address of the Graph, to be used as `https://graph.microsoft.com` is. It is the same
    /// as [`login_url`](Self::login_url), for their paths do not collide.
    ///
    /// Tokens for the Graph are given for the scopes `{graph_url}/.default`,
    /// `https://graph.microsoft.com/.default` and
    /// `00000003-0000-0000-c000-000000000000/.default`, and taken whichever it was.
    #[must_use]
    pub fn graph_url(&self) -> String {
        self.login_url()
    }

    /// The certificate of the authority that TLS clients must trust, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The id of the tenant, a GUID.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.tenant.id
    }

    /// The seed. Print it when a test fails: with it the same things happen again.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.tenant.seeds.seed()
    }

    /// The clock of all parts.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.tenant.clock
    }

    /// Begins an application of this name; see [`ApplicationBuilder::create`].
    pub fn application(&self, name: &str) -> ApplicationBuilder<'_> {
        ApplicationBuilder::new(self, name)
    }

    /// All applications, in the order in which they were created.
    #[must_use]
    pub fn applications(&self) -> Vec<Application> {
        // Each handle looks into the directory again, so the ids are taken out first.
        let ids: Vec<_> =
            self.tenant.directory().all().iter().map(|found| found.app_id.clone()).collect();
        ids.into_iter().map(|app_id| Application::new(&self.tenant, app_id)).collect()
    }

    /// Changes how long news takes, from now on and for what is already under way.
    pub fn set_lags(&self, lags: Lags) {
        self.tenant.change(|settings| settings.lags = lags);
    }

    /// Changes limits and policies.
    pub fn set_limits(&self, limits: Limits) {
        self.tenant.change(|settings| settings.limits = limits);
    }

    /// Changes how strict the emulator is.
    pub fn set_strictness(&self, strictness: Strictness) {
        self.tenant.change(|settings| settings.strictness = strictness);
    }

    /// Changes how login writes its errors.
    pub fn set_error_layout(&self, layout: ErrorLayout) {
        self.tenant.change(|settings| settings.layout = layout);
    }

    /// Changes how often requests go wrong by chance.
    pub fn set_fault_rates(&self, rates: FaultRates) {
        self.tenant.faults.set_rates(rates);
    }

    /// Scripts what happens to the next request of this kind.
    pub fn next(&self, operation: Operation) -> Next<'_> {
        Next::new(&self.tenant.faults, operation)
    }

    /// What was asked and answered so far, the oldest first; the last 50,000 exchanges.
    #[must_use]
    pub fn log(&self) -> Vec<Exchange> {
        self.tenant.log.all()
    }

    /// Forgets what was asked so far.
    pub fn clear_log(&self) {
        self.tenant.log.clear();
    }

    /// The times at which an application had no key that every replica accepted; see
    /// [`Application::lockouts`]. Applications that never were locked out are left out.
    #[must_use]
    pub fn witness(&self) -> Vec<(Application, Vec<witness::Lockout>)> {
        let all = self.applications().into_iter().map(|app| {
            let lockouts = app.lockouts();
            (app, lockouts)
        });
        all.filter(|(_, lockouts)| !lockouts.is_empty()).collect()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// The addresses at which a server on `bound` can be reached, the one for people first.
fn authorities(bound: SocketAddr) -> Vec<String> {
    let port = bound.port();
    let mut authorities: Vec<_> =
        ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}")).into();
    match bound.ip() {
        address if address.is_loopback() || address.is_unspecified() => (),
        IpAddr::V4(address) => authorities.insert(0, format!("{address}:{port}")),
        IpAddr::V6(address) => authorities.insert(0, format!("[{address}]:{port}")),
    }
    authorities
}

/// A seed that nobody chose.
fn new_seed() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness the same emulator starts again, which harms nobody.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    // Short enough to be typed.
    u64::from_le_bytes(bytes) % 1_000_000_000
}
