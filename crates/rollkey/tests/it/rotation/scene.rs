//! A stage for whole rotations: the emulator, an application, and the driver's real adapters.

use rollkey::certificate::CommonName;
use rollkey::cloud::Cloud;
use rollkey::directory::{By, Graph, Kind, Target};
use rollkey::http::{Http, Settings, Trust};
use rollkey::import::{Source, import};
use rollkey::journal::memory::MemoryJournal;
use rollkey::keystore::{KeySize, KeySpec, MemoryKeystore};
use rollkey::ports::{Clock, Keystore};
use rollkey::rotation::{Parts, Rotation};
use rollkey::sink::memory::MemorySink;
use rollkey::token_endpoint::Login;
use rollkey_core::{Algorithm, Decision, Policy, Reason, Slot, Span, Terms, Thumbprint, Timestamp};
use rollkey_emulator::{Application, Emulator, Lags, ObjectKind};
use std::sync::Arc;
use std::time::Duration;

const START: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// What a scene is to be like.
pub(super) struct Wanted {
    pub(super) kind: ObjectKind,
    pub(super) by_app_id: bool,
    pub(super) lags: Lags,
    /// Beside the directory's own.
    pub(super) scopes: Vec<String>,
    pub(super) days_left: i64,
    pub(super) proof_algorithm: Algorithm,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            kind: ObjectKind::Application,
            by_app_id: false,
            lags: Lags::realistic(),
            scopes: Vec::new(),
            days_left: 10,
            proof_algorithm: Algorithm::Rs256,
        }
    }
}

pub(super) struct Scene {
    pub(super) entra: Emulator,
    pub(super) app: Application,
    /// SHA-1 of the foreign key.
    pub(super) foreign: String,
    pub(super) keystore: Arc<MemoryKeystore>,
    pub(super) journal: Arc<MemoryJournal>,
    pub(super) sink: MemorySink,
    wanted: Wanted,
}

struct EmulatedClock(rollkey_emulator::Clock);

impl Clock for EmulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.now().try_into().expect("after 1970"))
    }
}

/// A journal that outlives the rotation that writes to it, as a file does.
struct Shared(Arc<MemoryJournal>);

impl rollkey::ports::Journal for Shared {
    fn facts(
        &self,
    ) -> futures_util::future::BoxFuture<
        '_,
        Result<rollkey_core::Facts, rollkey::ports::JournalError>,
    > {
        self.0.facts()
    }

    fn note(
        &self,
        note: rollkey_core::Note,
        at: Timestamp,
    ) -> futures_util::future::BoxFuture<'_, Result<(), rollkey::ports::JournalError>> {
        self.0.note(note, at)
    }
}

impl Scene {
    pub(super) async fn set(wanted: Wanted) -> Self {
        let entra = Emulator::builder()
            .seed(11)
            .clock(rollkey_emulator::Clock::manual_at(START))
            .lags(wanted.lags.clone())
            .start()
            .await
            .expect("an emulator");
        let app = entra
            .application("billing")
            .with_generated_key_on(wanted.kind, START - 80 * DAY, START + wanted.days_left * DAY)
            .with_generated_key_on(wanted.kind, START - 30 * DAY, START + 300 * DAY)
            .create();
        let keys = app.generated_keys();
        let now = Timestamp(START.try_into().expect("after 1970"));
        let pem = keys[0].pem();
        let source = Source { name: "billing.pem", bytes: pem.as_bytes() };
        let material = import(&[source], None, now).expect("a usable key");
        let common_name: CommonName = "billing".parse().expect("a name");
        let keystore =
            Arc::new(MemoryKeystore::new(KeySpec { bits: KeySize::Rsa2048, common_name }));
        keystore.import(&material, now).await.expect("an empty keystore");
        let foreign = rollkey::certificate::thumbprint(keys[1].certificate_der()).sha1.to_string();
        Self {
            entra,
            app,
            foreign,
            keystore,
            journal: Arc::default(),
            sink: MemorySink::new("memory"),
            wanted,
        }
    }

    /// A new driver over the same world, as after a crash.
    pub(super) fn rotation(&self) -> Rotation {
        self.rotation_by(Arc::new(EmulatedClock(self.entra.clock().clone())))
    }

    pub(super) fn rotation_by(&self, clock: Arc<dyn Clock>) -> Rotation {
        let cloud = Cloud::custom(&self.entra.login_url(), &self.entra.graph_url());
        let cloud = cloud.expect("addresses");
        let only = Trust::certificates(self.entra.ca_pem().as_bytes()).expect("an authority");
        let http = Http::new(Settings { trust: Trust::Only(only), proxy: None });
        let parse = |id: &str| id.parse().expect("a GUID");
        let app = self.app.app_id().parse().expect("a GUID");
        let (kind, object) = match self.wanted.kind {
            ObjectKind::Application => (Kind::Application, parse(self.app.object_id())),
            ObjectKind::ServicePrincipal => {
                (Kind::ServicePrincipal, parse(self.app.service_principal_id()))
            }
        };
        let by = if self.wanted.by_app_id { By::AppId(app) } else { By::ObjectId(object) };
        let mut scopes = vec![cloud.graph_scope()];
        scopes.extend(self.wanted.scopes.iter().cloned());
        let audiences = scopes.len().try_into().expect("a few");
        let tenant = self.entra.tenant_id().parse().expect("a GUID");
        Rotation::new(Parts {
            name: "billing".to_owned(),
            app,
            policy: Policy::new(Terms { audiences, ..Terms::default() }).expect("sound"),
            scopes,
            directory_scope: cloud.graph_scope(),
            proof_algorithm: self.wanted.proof_algorithm,
            assertion_algorithm: Algorithm::Ps256,
            keystore: self.keystore.clone(),
            sinks: vec![Box::new(self.sink.clone())],
            directory: Box::new(Graph::new(http.clone(), &cloud, Target { kind, by })),
            login: Box::new(Login::new(http, &cloud, tenant, app)),
            journal: Box::new(Shared(self.journal.clone())),
            clock,
        })
    }

    pub(super) async fn until_healthy(&self) {
        self.drive(&self.rotation()).await;
    }

    /// Passes until nothing is due, moving the clock over each wait.
    pub(super) async fn drive(&self, rotation: &Rotation) {
        for _ in 0..200 {
            match rotation.reconcile().await.map(|pass| pass.look) {
                Ok(look) => match look.decision {
                    Decision::Act(..) => self.advance(Span::seconds(1)),
                    Decision::Wait(_, Reason::Healthy) => return,
                    // By the clock that decided, which may be wrong.
                    Decision::Wait(until, _) => self.advance(until.since(look.now)),
                    Decision::Blocked(why) => panic!("blocked: {why:?}"),
                },
                // Lost, throttled, or a replica that lags: the next pass looks again.
                Err(_) => self.advance(Span::minutes(1)),
            }
        }
        panic!("no rest");
    }

    pub(super) fn now(&self) -> Timestamp {
        EmulatedClock(self.entra.clock().clone()).now()
    }

    pub(super) fn advance(&self, by: Span) {
        self.entra.clock().advance(Duration::from_secs(by.0));
    }

    pub(super) async fn current(&self) -> Thumbprint {
        let (_, held) = self.keystore.held().await.expect("a keystore");
        let current = held.iter().find(|key| key.slot == Slot::Current);
        current.expect("a current key").thumbprint
    }

    pub(super) async fn certificate_of(&self, key: Thumbprint) -> Vec<u8> {
        let certificates = self.keystore.certificates(key).await.expect("a key");
        certificates[0].0.clone()
    }

    /// SHA-1 of what is registered, ours first.
    pub(super) fn registered(&self) -> Vec<String> {
        let mut keys: Vec<_> =
            self.app.keys_on(self.wanted.kind).into_iter().map(|key| key.thumbprint).collect();
        keys.sort_by_key(|key| *key == self.foreign);
        keys
    }
}
