//! The demo's world: the emulator, an application whose certificate is about to expire, a foreign
//! key on it, and the files that an operator would have.

use crate::args::DemoArgs;
use crate::commands::import;
use crate::config::load;
use crate::error::CommandError;
use crate::wire;
use rollkey::answer::Refusal;
use rollkey::durable::{self, Access};
use rollkey::import::Imported;
use rollkey::ports::{Clock, TokenEndpoint, Verdict};
use rollkey_core::{Algorithm, Span, Thumbprint, Timestamp, TokenId, UnsignedAssertion};
use rollkey_emulator::{Application, Emulator, Lags, Operation, ReplicaView};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the application is called.
pub(super) const NAME: &str = "billing";

/// How long a step takes, in the demo's time.
pub(super) const STEP: Span = Span::seconds(20);

/// The password of the demo's PFX; it protects a key that nobody but the emulator knows.
const PFX_PASSWORD_FILE: &str = "billing.pfx.password";

pub(super) struct Stage {
    pub(super) emulator: Emulator,
    pub(super) application: Application,
    pub(super) foreign_key_id: String,
    pub(super) folder: PathBuf,
    pub(super) config: PathBuf,
    foreign_certificate: Vec<u8>,
    original: Imported,
    start: Timestamp,
    /// Requests that were made before the rotation began.
    prelude: usize,
}

/// How often the rotation asked, by what for.
#[derive(Default)]
pub(super) struct Requests {
    pub(super) tokens: usize,
    pub(super) reads: usize,
    pub(super) add_key: usize,
    pub(super) remove_key: usize,
}

/// The emulator's clock behind the client's port.
struct EmulatedClock(rollkey_emulator::Clock);

impl Clock for EmulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp(u64::try_from(self.0.now()).unwrap_or_default())
    }
}

impl Stage {
    pub(super) async fn set(args: &DemoArgs) -> Result<Self, CommandError> {
        let folder = folder(args.dir.as_deref())?;
        let start = crate::clock::clock().now();
        let day = 86_400;
        let now = i64::try_from(start.0).unwrap_or(i64::MAX);
        let emulator = Emulator::builder()
            .seed(args.seed)
            .clock(rollkey_emulator::Clock::manual_at(now))
            .lags(Lags::realistic())
            .start()
            .await
            .map_err(|error| CommandError::failed("could not start the emulator").cause(error))?;
        let application = emulator
            .application(NAME)
            .with_generated_key(now - 80 * day, now + 10 * day)
            .with_generated_key(now - 30 * day, now + 335 * day)
            .try_create()
            .map_err(|error| {
                CommandError::failed("could not make the demo's application").cause(error)
            })?;
        let (ours, theirs) = match &application.generated_keys()[..] {
            [ours, theirs] => (ours.clone(), theirs.clone()),
            _ => return Err(CommandError::failed("the demo's application has other keys")),
        };
        let foreign_certificate = theirs.certificate_der().to_vec();
        let foreign_key_id = application
            .keys()
            .into_iter()
            .find(|key| key.certificate_der == foreign_certificate)
            .map(|key| key.key_id)
            .unwrap_or_default();

        // 122 random bits: the password of a file that nobody has to type.
        let password = uuid::Uuid::new_v4().simple().to_string();
        let pfx = ours
            .pfx(&password)
            .map_err(|error| CommandError::failed("could not write the demo's PFX").cause(error))?;
        write(&folder.join("ca.pem"), emulator.ca_pem().as_bytes())?;
        write(&folder.join("billing.pfx"), &pfx)?;
        write(&folder.join(PFX_PASSWORD_FILE), format!("{password}\n").as_bytes())?;
        let config = folder.join("rollkey.toml");
        write(&config, configuration(&emulator, &application).as_bytes())?;

        let password = crate::args::PasswordArgs {
            password_file: Some(folder.join(PFX_PASSWORD_FILE)),
            ..Default::default()
        };
        let original = import::read(&folder.join("billing.pfx"), None, &password, start)?;
        let loaded = load::load(Some(&config))?;
        let keystore = wire::new_keystore(&loaded, NAME)?;
        keystore.import(&original, start).await.map_err(|error| {
            CommandError::failed("could not import the demo's key").cause(error)
        })?;
        // What consumers read before rollkey came: the key that they have.
        let prelude = emulator.log().len();
        Ok(Self {
            emulator,
            application,
            foreign_key_id,
            folder,
            config,
            foreign_certificate,
            original,
            start,
            prelude,
        })
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(EmulatedClock(self.emulator.clock().clone()))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock().now()
    }

    pub(super) fn start(&self) -> Timestamp {
        self.start
    }

    /// Where consumers read.
    pub(super) fn consumer_folder(&self) -> PathBuf {
        self.folder.join("consumer")
    }

    /// The key that consumers had before.
    pub(super) fn original(&self) -> &Imported {
        &self.original
    }

    /// What each replica makes of a key that is registered.
    pub(super) fn replicas(&self, key: Thumbprint) -> Vec<ReplicaView> {
        let sha1 = key.sha1.to_string();
        let found = self.application.keys().into_iter().find(|k| k.thumbprint == sha1);
        found.map(|key| self.application.replicas(key.certificate_der)).unwrap_or_default()
    }

    pub(super) fn foreign_key_is_untouched(&self) -> bool {
        self.application.keys().iter().any(|key| {
            key.key_id == self.foreign_key_id && key.certificate_der == self.foreign_certificate
        })
    }

    /// Tries to sign in with the key from before; what is said to it, if it is refused.
    pub(super) async fn try_original_key(&self) -> Result<Option<Refusal>, CommandError> {
        sign_in(self, &self.original, self.now()).await
    }

    /// What the rotation asked for: all that was asked, but for the `others` who signed in.
    pub(super) fn requests(&self, others: usize) -> Requests {
        let mut requests = Requests::default();
        for exchange in self.emulator.log().iter().skip(self.prelude) {
            match exchange.operation {
                Operation::AddKey => requests.add_key += 1,
                Operation::RemoveKey => requests.remove_key += 1,
                Operation::Read => requests.reads += 1,
                Operation::Token => requests.tokens += 1,
                _ => (),
            }
        }
        requests.tokens -= others;
        requests
    }
}

/// Signs in as the application with a key, the way any client would. `None` if that is granted.
pub(super) async fn sign_in(
    stage: &Stage,
    key: &Imported,
    now: Timestamp,
) -> Result<Option<Refusal>, CommandError> {
    let loaded = load::load(Some(&stage.config))?;
    let (login, app, scope) = wire::login(&loaded, NAME)?;
    let jti = TokenId::random(uuid::Uuid::new_v4().into_bytes());
    let thumbprint = key.info().thumbprint;
    let assertion =
        UnsignedAssertion::new(app, login.address(), thumbprint, Algorithm::Ps256, jti, now);
    let signature = key
        .key()
        .sign(assertion.algorithm(), assertion.signing_input())
        .map_err(|error| CommandError::failed("the consumer could not sign").cause(error))?;
    let answer = login.token(&assertion.seal(&signature), &scope).await;
    match answer.map(|answer| answer.value) {
        Ok(Verdict::Accepted(_)) => Ok(None),
        Ok(Verdict::Refused(refusal)) => Ok(Some(refusal)),
        Err(error) => Err(CommandError::failed("the consumer got no answer").cause(error)),
    }
}

fn configuration(emulator: &Emulator, application: &Application) -> String {
    format!(
        "state = \"state\"\n\n\
         [applications.{NAME}]\n\
         app-id = \"{}\"\n\
         tenant-id = \"{}\"\n\
         object-id = \"{}\"\n\
         cloud = {{ login = \"{}\", graph = \"{}\" }}\n\
         ca-file = \"ca.pem\"\n\n\
         [[applications.{NAME}.sinks]]\n\
         type = \"folder\"\n\
         name = \"consumer\"\n\
         path = \"consumer\"\n",
        application.app_id(),
        emulator.tenant_id(),
        application.object_id(),
        emulator.login_url(),
        emulator.graph_url(),
    )
}

/// A folder of the demo's own; never one that holds anything.
fn folder(named: Option<&Path>) -> Result<PathBuf, CommandError> {
    let path = match named {
        Some(path) => path.to_path_buf(),
        None => (1..)
            .map(|n| match n {
                1 => PathBuf::from("rollkey-demo"),
                n => PathBuf::from(format!("rollkey-demo-{n}")),
            })
            .find(|path| !path.exists())
            .unwrap_or_default(),
    };
    let made = (|| {
        durable::create_folder(&path, Access { mode: 0o700, ..Access::PRIVATE })?;
        std::fs::read_dir(&path)?.next().transpose()
    })();
    match made {
        Ok(None) => std::path::absolute(&path).map_err(|error| {
            CommandError::failed(format!("could not use {}", path.display())).cause(error)
        }),
        Ok(Some(_)) => Err(CommandError::failed(format!("{} is not empty", path.display()))
            .hint("name a folder that is empty or not there: --dir DIR")),
        Err(error) => {
            Err(CommandError::failed(format!("could not use {}", path.display())).cause(error))
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    durable::replace(path, bytes, Access::PRIVATE).map_err(|error| {
        CommandError::failed(format!("could not write {}", path.display())).cause(error)
    })
}
