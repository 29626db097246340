//! An embedded emulator of Microsoft Entra login and Microsoft Graph, for testing programs that roll
//! the certificates of applications (`addKey`, `removeKey`, proofs of possession).
//!
//! It is for application keys what Pebble is for ACME: a judge that is stricter than production
//! where the documents leave freedom, seeded, with a clock that the test owns, with replicas that
//! lag and answers that get lost. Each refusal names its [rule](rules), and each rule says how we
//! know. It knows no client: it depends on no other crate of this workspace.
//!
//! ```
//! use rollkey_emulator::{Clock, Emulator, Lags, Operation};
//!
//! # async fn test() -> Result<(), rollkey_emulator::StartError> {
//! let now = 1_800_000_000;
//! let entra = Emulator::builder()
//!     .seed(7)
//!     .clock(Clock::manual_at(now))
//!     .lags(Lags::realistic())
//!     .start()
//!     .await?;
//! let app = entra.application("billing").with_generated_key(now - 300, now + 86_400).create();
//! entra.next(Operation::AddKey).loses_its_answer();
//!
//! // Here a client rolls the key of `app`, at these addresses and trusting this CA:
//! let (login, graph, ca) = (entra.login_url(), entra.graph_url(), entra.ca_pem());
//! # assert!(login.starts_with("https://localhost:") && graph == login && ca.contains("BEGIN"));
//!
//! // Time passes as fast as the test likes; nobody sleeps.
//! entra.clock().advance(std::time::Duration::from_secs(1200));
//! assert!(app.accepts(app.keys()[0].certificate_der.clone()));
//! assert!(app.lockouts().is_empty(), "seed {}: {:#?}", entra.seed(), entra.log());
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(test()).unwrap();
//! ```
//!
//! # The rooms
//!
//! A request comes in at `server`, is handed over the front desk, `service`, to `login` or `graph`,
//! and is judged there (`login::assertion`, `proof`, `graph::callers`). What is true stands in
//! `directory`, what each replica knows of it in `replicas`. `faults`, `seed`, `log` and the
//! [`Clock`] serve them all; `tenant` holds them together. [`world`] and [`serve`](mod@serve) are
//! for those who start the emulator as a server.

mod access_token;
mod application;
mod certificate;
mod clock;
mod directory;
mod emulator;
mod faults;
mod graph;
mod http;
mod json;
mod jwt;
mod log;
mod login;
mod proof;
mod replicas;
pub mod rules;
mod seed;
pub mod serve;
mod server;
mod service;
mod tenant;
mod tls;
mod visit;
mod witness;
pub mod world;

pub use application::{Application, ApplicationBuilder, CreateError, KeyCredential, ReplicaView};
pub use certificate::{GeneratedKey, PfxError};
pub use clock::Clock;
pub use directory::{ObjectKind, Permission, Usage};
pub use emulator::{Builder, Emulator, StartError};
pub use faults::{FaultRates, Next, Operation};
pub use log::Exchange;
pub use replicas::Lags;
pub use tenant::{ErrorLayout, Limits, Strictness};
pub use witness::Lockout;
