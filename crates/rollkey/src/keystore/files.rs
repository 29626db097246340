//! Keys in a folder of their own.
//!
//! ```text
//! <folder>/            0700
//!   state.json         0600  which keys there are, in which slots: the one switch
//!   keys/              0700
//!     <SHA-1>.pem      0600  a certificate, its issuers, its private key: never changed
//!   lock               0600  who is at work
//! ```
//!
//! Every change is one replacement of `state.json`. A key is written, durably, before that file
//! names it, and removed after it no longer does; so a crash can only leave a key file that nobody
//! names, and such are swept up by the next who takes the lock.
//!
//! What may never enter: a second place that says which key is current. Nothing else is in the
//! folder's names, dates or links that could disagree with `state.json`.
//!
//! Files are read and written where the caller runs: they are small, and a tool that waits for its
//! keystore has nothing better to do. Only the making of a key leaves the caller's thread.

mod custody;
mod key_file;
mod lock;
mod state;

use super::signing::CertifiedKey;
use super::{KeySpec, Roster};
use crate::certificate;
use crate::durable::{self, Access};
use crate::ports::{CertificateDer, Keystore, KeystoreError, Lease};
use crate::secret::SecretBytes;
use fail::fail_point;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lock::Lock;
use rollkey_core::{Algorithm, Generation, Held, Slot, Thumbprint, Timestamp};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::MutexGuard;

/// How long to wait for somebody else's work, unless told otherwise.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How often a look is repeated that another process disturbed.
const LOOKS: usize = 5;

/// Keys in a folder of their own: see the [module](self).
#[derive(Debug)]
pub struct FileKeystore {
    folder: PathBuf,
    spec: KeySpec,
    patience: Duration,
    /// The lock, while a lease of ours lives.
    leased: Mutex<Weak<Lock>>,
    /// Changes of this very object, one after the other.
    turn: tokio::sync::Mutex<()>,
    /// Keys that were read. Their files never change, so neither do they.
    keys: Mutex<HashMap<Thumbprint, Arc<CertifiedKey>>>,
}

impl FileKeystore {
    /// Opens the keystore in `folder`.
    ///
    /// * `spec`: what new keys are to be like. It says nothing about those that are there.
    ///
    /// # Errors
    ///
    /// If there is none, if others can read it, or if what it holds does not make sense.
    pub fn open(folder: impl Into<PathBuf>, spec: KeySpec) -> Result<Self, KeystoreError> {
        let keystore = Self {
            folder: folder.into(),
            spec,
            patience: PATIENCE,
            leased: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            keys: Mutex::default(),
        };
        keystore.look()?;
        Ok(keystore)
    }

    /// Opens the keystore in `folder`, which is made if it is not there, with its parents.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and [`KeystoreError::Busy`] if somebody else is just making
    /// it.
    pub fn create_or_open(
        folder: impl Into<PathBuf>,
        spec: KeySpec,
    ) -> Result<Self, KeystoreError> {
        let folder = folder.into();
        let state = state::path(&folder);
        if !state.try_exists().map_err(failed("read", &state))? {
            create(&folder)?;
        }
        Self::open(folder, spec)
    }

    /// Sets how long to wait for somebody else's work before saying [`KeystoreError::Busy`].
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads which keys there are, and makes sure that each of them is there and sound.
    fn look(&self) -> Result<Roster, KeystoreError> {
        let mut roster = state::read(&self.folder)?;
        for _ in 1..LOOKS {
            let loaded = roster.keys.iter().try_for_each(|held| self.load(*held).map(drop));
            let Err(error) = loaded else { break };
            // Somebody may have discarded the key while we looked for its file.
            let again = state::read(&self.folder)?;
            if again.generation == roster.generation {
                return Err(error);
            }
            roster = again;
        }
        let named = |key: &Thumbprint, _: &mut _| roster.find(*key).is_ok();
        self.cache().retain(named);
        Ok(roster)
    }

    /// The key, read if it was not yet.
    fn load(&self, held: Held) -> Result<Arc<CertifiedKey>, KeystoreError> {
        // Also of a key that was read before: it may have been opened to others since.
        key_file::check_access(&self.folder, held.thumbprint)?;
        if let Some(key) = self.cache().get(&held.thumbprint) {
            return Ok(key.clone());
        }
        let key = Arc::new(key_file::read(&self.folder, held)?);
        self.cache().insert(held.thumbprint, key.clone());
        Ok(key)
    }

    /// One key, if it is still in custody.
    fn key(&self, thumbprint: Thumbprint) -> Result<Arc<CertifiedKey>, KeystoreError> {
        let held = state::read(&self.folder)?.find(thumbprint)?;
        self.load(held)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, HashMap<Thumbprint, Arc<CertifiedKey>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leased(&self) -> std::sync::MutexGuard<'_, Weak<Lock>> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock, and sweeps up what a crash left. Waits a while if somebody else has it.
    async fn take_lock(&self) -> Result<Arc<Lock>, KeystoreError> {
        let lock = lock::take(&self.folder, self.patience).await?;
        let roster = self.look()?;
        key_file::sweep(&self.folder, &roster)?;
        Ok(Arc::new(lock))
    }

    /// What every change begins with: the turn of this object, and the lock against others.
    async fn custody(&self) -> Result<Custody<'_>, KeystoreError> {
        let turn = self.turn.lock().await;
        let leased = self.leased().upgrade();
        let lock = match leased {
            Some(lock) => lock,
            None => self.take_lock().await?,
        };
        Ok(Custody { _lock: lock, _turn: turn })
    }

    async fn stage(
        &self,
        not_before: Timestamp,
        not_after: Timestamp,
        after: Generation,
        now: Timestamp,
    ) -> Result<Held, KeystoreError> {
        let _custody = self.custody().await?;
        self.look()?.may_stage(after)?;
        let made = CertifiedKey::make(&self.spec, not_before, not_after).await?;
        fail_point!("keystore::stage::key_made");
        let thumbprint = certificate::thumbprint(&made.certificates[0].0);
        let held = Held { thumbprint, slot: Slot::Pending, since: now, not_after };
        // Again: where locks mean nothing, as on some network file systems, the count still does.
        let mut roster = self.look()?;
        roster.stage(held, after)?;
        key_file::write(&self.folder, thumbprint, &made.certificates, &made.to_pkcs8()?)?;
        fail_point!("keystore::stage::key_written");
        // If this fails the key file stays, for the next sweep: the switch may have been made.
        state::write(&self.folder, &roster)?;
        fail_point!("keystore::stage::state_switched");
        self.cache().insert(thumbprint, Arc::new(made));
        Ok(held)
    }

    async fn promote(
        &self,
        key: Thumbprint,
        after: Generation,
        now: Timestamp,
    ) -> Result<(), KeystoreError> {
        let _custody = self.custody().await?;
        let mut roster = self.look()?;
        roster.promote(key, after, now)?;
        fail_point!("keystore::promote::decided");
        state::write(&self.folder, &roster)?;
        fail_point!("keystore::promote::state_switched");
        Ok(())
    }

    async fn discard(&self, key: Thumbprint, after: Generation) -> Result<(), KeystoreError> {
        let _custody = self.custody().await?;
        let mut roster = self.look()?;
        roster.discard(key, after)?;
        fail_point!("keystore::discard::decided");
        state::write(&self.folder, &roster)?;
        fail_point!("keystore::discard::state_switched");
        self.cache().remove(&key);
        if let Err(error) = key_file::sweep(&self.folder, &roster) {
            // The change was made. The next sweep tries again, and then it is an error.
            tracing::warn!(%error, "a discarded key is still on disk");
        }
        fail_point!("keystore::discard::key_removed");
        Ok(())
    }

    async fn lease(&self) -> Result<Box<dyn Lease>, KeystoreError> {
        let lock = self.take_lock().await?;
        *self.leased() = Arc::downgrade(&lock);
        Ok(Box::new(FileLease { _lock: lock }))
    }
}

impl Keystore for FileKeystore {
    fn lease(&self) -> BoxFuture<'_, Result<Box<dyn Lease>, KeystoreError>> {
        self.lease().boxed()
    }

    fn held(&self) -> BoxFuture<'_, Result<(Generation, Vec<Held>), KeystoreError>> {
        async { self.look().map(|roster| (roster.generation, roster.keys)) }.boxed()
    }

    fn certificates(
        &self,
        key: Thumbprint,
    ) -> BoxFuture<'_, Result<Vec<CertificateDer>, KeystoreError>> {
        async move { self.key(key).map(|key| key.certificates.clone()) }.boxed()
    }

    fn sign<'a>(
        &'a self,
        key: Thumbprint,
        algorithm: Algorithm,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, KeystoreError>> {
        async move { self.key(key)?.sign(algorithm, message) }.boxed()
    }

    fn stage(
        &self,
        not_before: Timestamp,
        not_after: Timestamp,
        after: Generation,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Held, KeystoreError>> {
        self.stage(not_before, not_after, after, now).boxed()
    }

    fn promote(
        &self,
        key: Thumbprint,
        after: Generation,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<(), KeystoreError>> {
        self.promote(key, after, now).boxed()
    }

    fn discard(
        &self,
        key: Thumbprint,
        after: Generation,
    ) -> BoxFuture<'_, Result<(), KeystoreError>> {
        self.discard(key, after).boxed()
    }

    fn export(&self, key: Thumbprint) -> BoxFuture<'_, Result<Option<SecretBytes>, KeystoreError>> {
        async move { self.key(key)?.to_pkcs8().map(Some) }.boxed()
    }
}

/// The right to change the folder. The lock goes first, then the next of us may have its turn.
struct Custody<'a> {
    _lock: Arc<Lock>,
    _turn: MutexGuard<'a, ()>,
}

struct FileLease {
    _lock: Arc<Lock>,
}

impl Lease for FileLease {}

/// Makes an empty keystore. A crash in between leaves what the next attempt completes.
fn create(folder: &Path) -> Result<(), KeystoreError> {
    let keys = key_file::folder(folder);
    durable::create_folder(folder, Access::PRIVATE_FOLDER).map_err(failed("create", folder))?;
    fail_point!("keystore::create::folder_made");
    check_access(folder, Access::PRIVATE_FOLDER)?;
    durable::create_folder(&keys, Access::PRIVATE_FOLDER).map_err(failed("create", &keys))?;
    fail_point!("keystore::create::keys_made");
    let _lock = match lock::try_take(folder) {
        Ok(lock) => lock,
        // Whoever has it makes, or has made, what we are about to make.
        Err(KeystoreError::Busy { .. }) if state::path(folder).exists() => return Ok(()),
        Err(error) => return Err(error),
    };
    if state::path(folder).exists() {
        return Ok(());
    }
    if key_file::any(folder)? {
        return Err(KeystoreError::Damaged {
            place: folder.display().to_string(),
            problem: "there are keys, and no state.json that says what they are".to_owned(),
        });
    }
    state::write(folder, &Roster::default())?;
    fail_point!("keystore::create::state_written");
    Ok(())
}

/// Refuses what others can read.
fn check_access(path: &Path, allowed: Access) -> Result<(), KeystoreError> {
    match durable::mode_beyond(path, allowed.mode).map_err(failed("read", path))? {
        None => Ok(()),
        Some(mode) => Err(KeystoreError::Exposed {
            place: path.display().to_string(),
            mode,
            expected: allowed.mode,
        }),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeystoreError {
    move |source| KeystoreError::Io {
        action,
        place: path.display().to_string(),
        source: Box::new(source),
    }
}
