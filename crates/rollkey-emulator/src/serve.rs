//! The emulator as a server for other processes: what a command line starts.
//!
//! Puts an emulator, its applications and its files together. It prints nothing and waits for no
//! signal; the command does.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::application::{Application, CreateError};
use crate::clock::Clock;
use crate::emulator::{Emulator, StartError};
use crate::faults::FaultRates;
use crate::replicas::Lags;
use crate::tenant::{Limits, Strictness};
use crate::world::{World, WorldError};

const DAY: i64 = 24 * 60 * 60;

/// What a server shall be like.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to write keys and `world.json`; nothing is written without.
    pub dir: Option<PathBuf>,
    /// The address to listen on. Beyond loopback only with `beyond_loopback`.
    pub listen: SocketAddr,
    /// Says for the second time that others shall reach the server.
    pub beyond_loopback: bool,
    /// The seed; a new one, if not given.
    pub seed: Option<u64>,
    /// How far ahead of the wall clock the server's clock starts, in seconds.
    pub offset: i64,
    /// How many times as fast as the wall clock it runs.
    pub speed: f64,
    /// Names of the applications, each with one generated key.
    pub applications: Vec<String>,
    /// How long those keys are good for, in seconds on the server's clock. They begin 5 minutes
    /// before the start.
    pub key_lifetime: i64,
    /// How long news takes.
    pub lags: Lags,
    /// How many replicas there are.
    pub replicas: usize,
    /// How strict the server is where nobody knows.
    pub strictness: Strictness,
    /// Limits and policies.
    pub limits: Limits,
    /// How often requests go wrong by chance.
    pub fault_rates: FaultRates,
}

impl Default for ServeOptions {
    /// Any port of 127.0.0.1, the wall clock, one application `demo` with a key for 90 days,
    /// two replicas without lag, strict, no faults, nothing written.
    fn default() -> Self {
        Self {
            dir: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            beyond_loopback: false,
            seed: None,
            offset: 0,
            speed: 1.0,
            applications: vec!["demo".to_owned()],
            key_lifetime: 90 * DAY,
            lags: Lags::none(),
            replicas: 2,
            strictness: Strictness::Strict,
            limits: Limits::default(),
            fault_rates: FaultRates::default(),
        }
    }
}

/// A server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The emulator could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An application could not be created.
    #[error("could not create the application {name:?}")]
    Create {
        /// The application.
        name: String,
        /// Why.
        source: CreateError,
    },
    /// Its files could not be written.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub struct Serving {
    emulator: Emulator,
    applications: Vec<Application>,
    world: Option<World>,
}

/// Starts a server: the emulator, its applications, and their files on disk.
///
/// # Errors
///
/// If it may not or cannot listen, an application cannot be created, or a file is in the way.
pub async fn serve(options: ServeOptions) -> Result<Serving, ServeError> {
    let mut builder = Emulator::builder()
        .clock(Clock::running(options.offset, options.speed))
        .lags(options.lags)
        .replicas(options.replicas)
        .strictness(options.strictness)
        .limits(options.limits)
        .fault_rates(options.fault_rates)
        .listen(options.listen);
    if options.beyond_loopback {
        builder = builder.beyond_loopback();
    }
    if let Some(seed) = options.seed {
        builder = builder.seed(seed);
    }
    let emulator = builder.start().await?;

    let now = emulator.clock().now();
    let mut applications = Vec::new();
    for name in options.applications {
        let application = emulator
            .application(&name)
            .with_generated_key(now - 300, now.saturating_add(options.key_lifetime))
            .try_create()
            .map_err(|source| ServeError::Create { name, source })?;
        applications.push(application);
    }
    let world = match &options.dir {
        Some(dir) => Some(World::write(&emulator, &applications, dir)?),
        None => None,
    };
    Ok(Serving { emulator, applications, world })
}

impl Serving {
    /// The emulator, to be moved, disturbed and looked into.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// The applications that were asked for.
    #[must_use]
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// What was written to disk, if anything.
    #[must_use]
    pub fn world(&self) -> Option<&World> {
        self.world.as_ref()
    }

    /// What to tell people: that this is a test server, where it is, its seed, its applications.
    #[must_use]
    pub fn banner(&self) -> String {
        let Self { emulator, applications, world } = self;
        let mut text = format!(
            "rollkey emulator: a TEST server that pretends to be Microsoft Entra and Graph.\n\
             Its keys are worth nothing and it keeps nothing; never give it real ones.\n\
             \n\
             login   {}\n\
             graph   {}\n\
             tenant  {}\n\
             seed    {}  (start with it again, and the same things happen again)\n",
            emulator.login_url(),
            emulator.graph_url(),
            emulator.tenant_id(),
            emulator.seed(),
        );
        if let Some(world) = world {
            text += &format!("trust   {}\n", world.ca.display());
        }
        for application in applications {
            text += &format!(
                "app     {}  app id {}  object id {}\n",
                application.name(),
                application.app_id(),
                application.object_id(),
            );
        }
        text
    }
}
