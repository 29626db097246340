//! The world: what a server leaves on disk for clients that are other processes.
//!
//! Keys and addresses of one emulator in one directory. How files get there without harm to
//! anybody else's stands in the room `outputs`; clients read `world.json` first.

mod outputs;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::application::Application;
use crate::certificate::PfxError;
use crate::emulator::Emulator;
use outputs::{Output, Outputs};

pub use outputs::MARKER;

/// What `world.json` says. All paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct World {
    /// Address of login.
    pub login: String,
    /// Address of the Graph.
    pub graph: String,
    /// The certificate that TLS clients must trust, a PEM file.
    pub ca: PathBuf,
    /// A GUID.
    pub tenant_id: String,
    /// The seed of the emulator.
    pub seed: u64,
    /// The applications, in the order in which they were created.
    pub applications: Vec<WorldApplication>,
}

/// An application in `world.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorldApplication {
    /// Its name, and the stem of its files.
    pub name: String,
    /// The app id (client id), a GUID.
    pub app_id: String,
    /// The object id of the application, a GUID.
    pub object_id: String,
    /// The object id of the service principal, a GUID.
    pub service_principal_id: String,
    /// Certificate and private key, PKCS#12.
    pub pfx: PathBuf,
    /// The password of the PFX: the file's whole contents, without a line end.
    pub pfx_password_file: PathBuf,
    /// Certificate, then private key (PKCS#8), PEM.
    pub pem: PathBuf,
}

/// The world could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// A file of this name is there already and was not written by an emulator, or was changed
    /// since. Move it away, or choose another directory.
    #[error("{0} is not a file of the emulator, so it was left alone")]
    ForeignFile(PathBuf),
    /// The name of an application cannot be the name of a file everywhere.
    #[error("the application name {0:?} cannot be a file name: use up to 64 of A-Z a-z 0-9 . _ -")]
    Name(String),
    /// Two applications would share their files (capital letters do not count).
    #[error("there are two applications with the name {0:?}")]
    SameName(String),
    /// The private key of this application is somebody else's.
    #[error("the emulator did not make a key for the application {0:?}")]
    NoPrivateKey(String),
    /// A PFX could not be written.
    #[error("could not make the PFX of the application {name:?}")]
    Pfx {
        /// The application.
        name: String,
        /// What the writer of PFX files said.
        source: PfxError,
    },
    /// There is no randomness for a password.
    #[error("could not make a password")]
    Password,
    /// The operating system refused.
    #[error("could not {what} {path}")]
    Io {
        /// What was tried: `write`, `read`, `create`.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl World {
    /// Writes keys, passwords, the CA and `world.json` for `applications` into `dir`, and says
    /// what was written.
    ///
    /// A directory that is missing is created, for the owner only (0700); files with secrets are
    /// the owner's only (0600) from their first byte. Each application's newest generated key is
    /// written. Whole files appear at once, `world.json` last.
    ///
    /// # Errors
    ///
    /// If a file is in the way that the emulator did not write, or that was changed since; nothing
    /// is written then. Or if the operating system refuses.
    pub fn write(
        emulator: &Emulator,
        applications: &[Application],
        dir: &Path,
    ) -> Result<Self, WorldError> {
        let dir = std::path::absolute(dir).map_err(|source| WorldError::Io {
            what: "find",
            path: dir.to_owned(),
            source,
        })?;
        let mut world = Self {
            login: emulator.login_url(),
            graph: emulator.graph_url(),
            ca: dir.join("ca.pem"),
            tenant_id: emulator.tenant_id().to_owned(),
            seed: emulator.seed(),
            applications: Vec::new(),
        };
        let mut files = vec![Output::open("ca.pem", emulator.ca_pem())];
        for application in applications {
            let name = application.name();
            check_name(name)?;
            if world.applications.iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
                return Err(WorldError::SameName(name.to_owned()));
            }
            let key = application.generated_keys().pop();
            let key = key.ok_or_else(|| WorldError::NoPrivateKey(name.to_owned()))?;
            let password = password()?;
            let pfx = key
                .pfx(&password)
                .map_err(|source| WorldError::Pfx { name: name.to_owned(), source })?;
            let file = |ending: &str| format!("{name}.{ending}");
            files.push(Output::secret(file("pfx"), pfx));
            files.push(Output::secret(file("pfx-password"), password));
            files.push(Output::secret(file("pem"), key.pem()));
            world.applications.push(WorldApplication {
                name: name.to_owned(),
                app_id: application.app_id().to_owned(),
                object_id: application.object_id().to_owned(),
                service_principal_id: application.service_principal_id().to_owned(),
                pfx: dir.join(file("pfx")),
                pfx_password_file: dir.join(file("pfx-password")),
                pem: dir.join(file("pem")),
            });
        }
        files.push(Output::open("world.json", world.json()));
        Outputs::open(&dir)?.write(&files)?;
        Ok(world)
    }

    /// The contents of `world.json`.
    #[must_use]
    pub fn json(&self) -> String {
        // Paths that are not UTF-8 cannot be written as JSON; there is nothing else that could
        // fail, and an empty object tells the reader so.
        serde_json::to_string_pretty(self).unwrap_or_else(|_| "{}".to_owned()) + "\n"
    }
}

fn check_name(name: &str) -> Result<(), WorldError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_plain = (1..=64).contains(&name.len()) && name.bytes().all(plain);
    // `ca.pem`, `world.json` and the marker are taken.
    let is_taken = ["ca", "world", "emulator"].iter().any(|taken| name.eq_ignore_ascii_case(taken));
    match is_plain && !is_taken && !name.starts_with(['.', '-']) {
        true => Ok(()),
        false => Err(WorldError::Name(name.to_owned())),
    }
}

/// A password of 192 random bits.
fn password() -> Result<String, WorldError> {
    let mut bytes = [0; 24];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| WorldError::Password)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
