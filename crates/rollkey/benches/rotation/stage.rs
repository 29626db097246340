//! The world of a rotation: an emulator, an application, and what an operator would have on disk.

use crate::support::{cpu_of_this_thread, cpu_of_threads};
use futures_util::future::{BoxFuture, FutureExt as _};
use rollkey::certificate::self_signed;
use rollkey::cloud::Cloud;
use rollkey::directory::{Graph, Target};
use rollkey::http::{Http, Proxy, Settings, Trust};
use rollkey::import::{Source, import};
use rollkey::journal::file::FileJournal;
use rollkey::keystore::signing::RsaKey;
use rollkey::keystore::{FileKeystore, KeySize, KeySpec};
use rollkey::ports::{
    AccessToken, CertificateDer, Clock, Dated, Directory, DirectoryError, DirectoryView, Sink,
    TokenEndpoint, TokenError, Verdict,
};
use rollkey::rotation::{Parts, Rotation};
use rollkey::sink::folder::{FolderAccess, FolderSettings, FolderSink, Layout};
use rollkey::token_endpoint::Login;
use rollkey_core::{
    Algorithm, Assertion, Decision, KeyId, ObjectId, Policy, Proof, Reason, Timestamp,
};
use rollkey_emulator::{Application, Emulator, Lags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const NAME: &str = "billing";
const START: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// More passes than any rotation takes.
const PASSES: usize = 300;

pub(crate) struct Stage {
    pub(crate) emulator: Emulator,
    application: Application,
    folder: tempfile::TempDir,
    proxy: Option<Proxy>,
}

/// A rotation, from due to rest. Seconds.
pub(crate) struct Rolled {
    pub(crate) wall: f64,
    /// Processor time by what for, where the system tells.
    pub(crate) spent: Option<Spent>,
    /// What was decided when.
    pub(crate) story: Vec<String>,
}

/// Processor time of the client. Seconds.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    /// Making the key (and looking up names).
    pub(crate) key: f64,
    /// Between a request and its answer: TLS, HTTP, JSON.
    pub(crate) doors: f64,
    /// Everything else: files, signatures, looking and deciding.
    pub(crate) own: f64,
}

impl Stage {
    pub(crate) async fn set(place: &Path, lags: Lags, proxy: Option<Proxy>) -> Self {
        let emulator = Emulator::builder()
            .seed(7)
            .clock(rollkey_emulator::Clock::manual_at(START))
            .lags(lags)
            .start()
            .await
            .expect("an emulator");
        let key = RsaKey::generate(KeySize::Rsa2048).expect("a key");
        let instant = |at: i64| Timestamp(at.unsigned_abs());
        let certificate = self_signed(
            &NAME.parse().expect("a name"),
            key.spki(),
            instant(START - 30 * DAY),
            instant(START + 60 * DAY),
            &|message| Ok(key.sign(Algorithm::Rs256, message)?),
        )
        .expect("a certificate");
        let application = emulator.application(NAME).with_key(certificate.0.clone()).create();
        let folder = tempfile::TempDir::new_in(place).expect("a folder");
        let stage = Self { emulator, application, folder, proxy };
        let pkcs8 = key.to_pkcs8().expect("its bytes");
        let material = import(
            &[
                Source { name: "certificate", bytes: &certificate.0 },
                Source { name: "key", bytes: pkcs8.expose() },
            ],
            None,
            instant(START),
        )
        .expect("a key and its certificate");
        stage.keystore().import(&material, instant(START)).await.expect("custody");
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keystore(&self) -> FileKeystore {
        let spec = KeySpec { bits: KeySize::Rsa2048, common_name: NAME.parse().expect("a name") };
        FileKeystore::create_or_open(self.path("keys"), spec).expect("a keystore")
    }

    /// As a process would make it that has just started.
    fn rotation(&self, doors: &Arc<AtomicU64>) -> Rotation {
        let (login, graph) = (self.emulator.login_url(), self.emulator.graph_url());
        let cloud = Cloud::custom(&login, &graph).expect("addresses");
        let ca = Trust::certificates(self.emulator.ca_pem().as_bytes()).expect("an authority");
        let http = Http::new(Settings { trust: Trust::Only(ca), proxy: self.proxy.clone() });
        let app = self.application.app_id().parse().expect("an id");
        let tenant = self.emulator.tenant_id().parse().expect("an id");
        let object = self.application.object_id().parse().expect("an id");
        let sink = FolderSink::new(FolderSettings {
            name: "consumer".to_owned(),
            folder: self.path("consumer"),
            layout: Layout { combined_pem: true, ..Layout::default() },
            access: FolderAccess::default(),
            notify: None,
        })
        .expect("a sink");
        let scopes = vec![cloud.graph_scope()];
        let journal =
            FileJournal::new(self.path("journal"), scopes.clone(), vec![sink.name().to_owned()]);
        Rotation::new(Parts {
            name: NAME.to_owned(),
            app,
            policy: Policy::default(),
            scopes,
            directory_scope: cloud.graph_scope(),
            proof_algorithm: Algorithm::Rs256,
            assertion_algorithm: Algorithm::Ps256,
            keystore: Arc::new(self.keystore()),
            sinks: vec![Box::new(sink)],
            directory: Box::new(Timed {
                inner: Graph::new(http.clone(), &cloud, Target::application(object)),
                spent: doors.clone(),
            }),
            login: Box::new(Timed {
                inner: Login::new(http, &cloud, tenant, app),
                spent: doors.clone(),
            }),
            journal: Box::new(journal),
            clock: Arc::new(EmulatedClock(self.emulator.clock().clone())),
        })
    }

    /// Rolls the key once, in a process of its own as it were; then waits until the next is due.
    pub(crate) async fn roll(&self) -> Rolled {
        let clock = self.emulator.clock();
        let due = clock.now();
        let doors = Arc::new(AtomicU64::new(0));
        let mut story = Vec::new();
        let keys = || cpu_of_threads(|name| name == "client");
        let before = cpu_of_this_thread().zip(keys());
        let began = Instant::now();
        let rotation = self.rotation(&doors);
        for _ in 0..PASSES {
            let look = rotation.reconcile().await.expect("a pass").look;
            story.push(format!("{:>7} {}", clock.now() - due, brief(&look.decision)));
            match look.decision {
                Decision::Act(..) => (),
                Decision::Wait(until, Reason::Healthy) => {
                    let wall = began.elapsed().as_secs_f64();
                    let spent =
                        cpu_of_this_thread().zip(keys()).zip(before).map(|(now, before)| {
                            let doors = doors.load(Ordering::Relaxed) as f64 * 1e-9;
                            let own = now.0.saturating_sub(before.0).as_secs_f64() - doors;
                            Spent { key: now.1.saturating_sub(before.1).as_secs_f64(), doors, own }
                        });
                    self.wait_until(until);
                    return Rolled { wall, spent, story };
                }
                Decision::Wait(until, _) => self.wait_until(until),
                Decision::Blocked(why) => panic!("blocked: {why:?}"),
            }
        }
        panic!("no rest after {PASSES} passes: {story:#?}");
    }
}

impl Stage {
    fn wait_until(&self, at: Timestamp) {
        self.emulator.clock().set(i64::try_from(at.0).expect("a date"));
    }
}

fn brief(decision: &Decision) -> String {
    let words = format!("{decision:?}");
    let step = words.split([' ', '(']).nth(1).unwrap_or_default().to_owned();
    match decision {
        Decision::Act(_, why) => format!("{step}: {why:?}"),
        Decision::Wait(_, why) => format!("wait: {why:?}"),
        Decision::Blocked(why) => format!("blocked: {why:?}"),
    }
}

struct EmulatedClock(rollkey_emulator::Clock);

impl Clock for EmulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.now().unsigned_abs())
    }
}

/// A door to the service, and the processor time that was spent there.
struct Timed<T> {
    inner: T,
    spent: Arc<AtomicU64>,
}

impl<T: Sync> Timed<T> {
    fn time<'a, O: 'a>(&'a self, asked: BoxFuture<'a, O>) -> BoxFuture<'a, O> {
        async move {
            let began = cpu_of_this_thread();
            let answer = asked.await;
            // All that this thread does meanwhile is on behalf of the request.
            if let Some((began, now)) = began.zip(cpu_of_this_thread()) {
                let spent = u64::try_from(now.saturating_sub(began).as_nanos());
                self.spent.fetch_add(spent.unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            answer
        }
        .boxed()
    }
}

impl Directory for Timed<Graph> {
    fn object_id<'a>(
        &'a self,
        bearer: &'a AccessToken,
    ) -> BoxFuture<'a, Result<ObjectId, DirectoryError>> {
        self.time(self.inner.object_id(bearer))
    }

    fn list<'a>(
        &'a self,
        bearer: &'a AccessToken,
    ) -> BoxFuture<'a, Result<Dated<DirectoryView>, DirectoryError>> {
        self.time(self.inner.list(bearer))
    }

    fn add_key<'a>(
        &'a self,
        bearer: &'a AccessToken,
        certificate: &'a CertificateDer,
        display_name: &'a str,
        proof: &'a Proof,
    ) -> BoxFuture<'a, Result<Dated<KeyId>, DirectoryError>> {
        self.time(self.inner.add_key(bearer, certificate, display_name, proof))
    }

    fn remove_key<'a>(
        &'a self,
        bearer: &'a AccessToken,
        key_id: KeyId,
        proof: &'a Proof,
    ) -> BoxFuture<'a, Result<Dated<()>, DirectoryError>> {
        self.time(self.inner.remove_key(bearer, key_id, proof))
    }
}

impl TokenEndpoint for Timed<Login> {
    fn address(&self) -> &str {
        self.inner.address()
    }

    fn token<'a>(
        &'a self,
        assertion: &'a Assertion,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<Dated<Verdict>, TokenError>> {
        self.time(self.inner.token(assertion, scope))
    }
}
