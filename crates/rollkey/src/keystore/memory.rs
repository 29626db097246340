//! Keys in memory, for tests. They are gone with the last handle on them; everything else is as in
//! any other keystore.
//!
//! What may never enter: a promise of its own. A test that passes here must pass on a disk.

use super::signing::{CertifiedKey, RsaKey};
use super::{Adoption, CustodyError, KeySpec, Roster};
use crate::certificate;
use crate::import::Imported;
use crate::ports::{CertificateDer, Keystore, KeystoreError, Lease};
use crate::secret::SecretBytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rollkey_core::{Algorithm, Generation, Held, Slot, Thumbprint, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Keys in memory: see the [module](self).
///
/// A clone is a second handle on the same keys, like a second process at the same folder.
#[derive(Debug)]
pub struct MemoryKeystore {
    shared: Arc<Mutex<Shared>>,
    spec: KeySpec,
    exports: bool,
    /// The lease, while one of ours lives.
    leased: Mutex<Weak<()>>,
    /// Changes of this very object, one after the other.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Shared {
    roster: Roster,
    keys: HashMap<Thumbprint, Arc<CertifiedKey>>,
    /// Whoever has the lease, while he has it.
    lease: Weak<()>,
}

impl MemoryKeystore {
    /// Makes an empty keystore.
    pub fn new(spec: KeySpec) -> Self {
        Self {
            shared: Arc::default(),
            spec,
            exports: true,
            leased: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Keeps private keys in, as a vault or a token does.
    #[must_use]
    pub fn without_export(mut self) -> Self {
        self.exports = false;
        self
    }

    /// Takes a key that people brought into custody, as the current one.
    ///
    /// Doing it twice does no harm.
    ///
    /// # Errors
    ///
    /// If there is another current key, or those of a change.
    pub async fn import(&self, material: &Imported, now: Timestamp) -> Result<Held, CustodyError> {
        self.take_in(material, now, Roster::adopt).await
    }

    /// As [`import`](Self::import), but a key that is current becomes a previous one.
    ///
    /// # Errors
    ///
    /// If the key is held in another slot, or those of a change.
    pub async fn replace(&self, material: &Imported, now: Timestamp) -> Result<Held, CustodyError> {
        self.take_in(material, now, Roster::supersede).await
    }

    async fn take_in(
        &self,
        material: &Imported,
        now: Timestamp,
        place: fn(&mut Roster, Held) -> Result<Adoption, CustodyError>,
    ) -> Result<Held, CustodyError> {
        let _custody = self.custody().await?;
        let held = Held {
            thumbprint: material.info().thumbprint,
            slot: Slot::Current,
            since: now,
            not_after: material.info().not_after,
        };
        let key = RsaKey::from_pkcs8(material.private_key().expose()).map_err(|error| {
            KeystoreError::Crypto {
                action: "import",
                key: held.thumbprint.to_string(),
                source: Box::new(error),
            }
        })?;
        let mut shared = self.shared();
        if let Adoption::Already(there) = place(&mut shared.roster, held)? {
            return Ok(there);
        }
        let certificates = material.certificates().to_vec();
        shared.keys.insert(held.thumbprint, Arc::new(CertifiedKey { key, certificates }));
        Ok(held)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leased(&self) -> MutexGuard<'_, Weak<()>> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lease, unless somebody has one.
    fn take_lease(&self) -> Result<Arc<()>, KeystoreError> {
        let mut shared = self.shared();
        if shared.lease.strong_count() != 0 {
            return Err(KeystoreError::Busy { by: Some(std::process::id()) });
        }
        let lease = Arc::new(());
        shared.lease = Arc::downgrade(&lease);
        Ok(lease)
    }

    /// What every change begins with: the turn of this object, and its lease or one for the moment.
    async fn custody(&self) -> Result<Custody<'_>, KeystoreError> {
        let turn = self.turn.lock().await;
        let leased = self.leased().upgrade();
        let lease = leased.map_or_else(|| self.take_lease(), Ok)?;
        Ok(Custody { _lease: lease, _turn: turn })
    }

    fn key(&self, key: Thumbprint) -> Result<Arc<CertifiedKey>, KeystoreError> {
        self.shared().keys.get(&key).cloned().ok_or(KeystoreError::NoSuchKey(key))
    }
}

impl Clone for MemoryKeystore {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            spec: self.spec.clone(),
            exports: self.exports,
            leased: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

impl Keystore for MemoryKeystore {
    fn lease(&self) -> BoxFuture<'_, Result<Box<dyn Lease>, KeystoreError>> {
        async {
            let lease = self.take_lease()?;
            *self.leased() = Arc::downgrade(&lease);
            Ok(Box::new(MemoryLease { _lease: lease }) as Box<dyn Lease>)
        }
        .boxed()
    }

    fn held(&self) -> BoxFuture<'_, Result<(Generation, Vec<Held>), KeystoreError>> {
        async {
            let shared = self.shared();
            Ok((shared.roster.generation, shared.roster.keys.clone()))
        }
        .boxed()
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
        async move {
            let _custody = self.custody().await?;
            self.shared().roster.may_stage(after)?;
            let made = CertifiedKey::make(&self.spec, not_before, not_after).await?;
            let thumbprint = certificate::thumbprint(&made.certificates[0].0);
            let held = Held { thumbprint, slot: Slot::Pending, since: now, not_after };
            let mut shared = self.shared();
            shared.roster.stage(held, after)?;
            shared.keys.insert(thumbprint, Arc::new(made));
            Ok(held)
        }
        .boxed()
    }

    fn promote(
        &self,
        key: Thumbprint,
        after: Generation,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<(), KeystoreError>> {
        async move {
            let _custody = self.custody().await?;
            self.shared().roster.promote(key, after, now)
        }
        .boxed()
    }

    fn discard(
        &self,
        key: Thumbprint,
        after: Generation,
    ) -> BoxFuture<'_, Result<(), KeystoreError>> {
        async move {
            let _custody = self.custody().await?;
            let mut shared = self.shared();
            shared.roster.discard(key, after)?;
            shared.keys.remove(&key);
            Ok(())
        }
        .boxed()
    }

    fn export(&self, key: Thumbprint) -> BoxFuture<'_, Result<Option<SecretBytes>, KeystoreError>> {
        async move {
            let key = self.key(key)?;
            match self.exports {
                true => key.to_pkcs8().map(Some),
                false => Ok(None),
            }
        }
        .boxed()
    }
}

/// The right to change the keys. The lease goes first, then the next of us may have its turn.
struct Custody<'a> {
    _lease: Arc<()>,
    _turn: tokio::sync::MutexGuard<'a, ()>,
}

struct MemoryLease {
    _lease: Arc<()>,
}

impl Lease for MemoryLease {}
