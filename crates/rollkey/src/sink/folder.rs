//! Files in a folder of versions, with one link to the version that consumers read.
//!
//! ```text
//! <folder>/                                0700  (0750 with a group)
//!   current -> versions/<name>                   the only thing that ever changes
//!   versions/
//!     <SHA-1 thumbprint>-g<generation>/    0700  (0750)  never changed once it has its name
//!       bundle.pem                         0600  (0640)  certificates, then the key
//!       tls.crt                            0644          certificates
//!       tls.key                            0600  (0640)  the key, PKCS#8
//!       app.pfx                            0600  (0640)  all of them
//!       meta.json                          0644          what this is; no secret
//!   .rollkey-lock                          0600          who is at work
//! ```
//!
//! A version is written under another name, synced, named, and only then linked to: a consumer that
//! opens `current/bundle.pem` gets a whole file of one version at any time, and one that reads
//! several files resolves `current` first and reads them all there. A delivery again, or one that
//! a crash interrupted, makes a version of its own with `-2`, `-3`, … at the end of its name.
//!
//! **Old versions.** Once consumers have been told of a version, all others but the one that
//! `current` pointed to before are removed. So one can be put back by hand, by switching the link,
//! until the next delivery; and what consumers may still read is never removed before they were
//! told.
//!
//! **Who owns the folder can change it.** Let consumers read by `group`; make them its `owner` only
//! if they are trusted as much as whoever runs this.
//!
//! What may never enter: a decision about which key is current, and a key that is not ours. What
//! was not put here by us is left as it is, and reported.

mod pfx;
mod settings;
mod versions;

pub use super::accounts::Account;
pub use settings::{FolderAccess, FolderSettings, Layout, PfxProfile, PfxSettings};

use super::record::Record;
use super::{SinkConfigError, contents, failed, private_key};
use crate::durable::{self, Hold};
use crate::ports::{Delivery, Sink, SinkError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rollkey_core::{Delivered, Timestamp};
use settings::Modes;
use std::fs::File;
use versions::{Holds, Item, Versions};
use zeroize::Zeroizing;

const BUNDLE: &str = "bundle.pem";
const CERTIFICATES: &str = "tls.crt";
const KEY: &str = "tls.key";
const PFX: &str = "app.pfx";
const LOCK: &str = ".rollkey-lock";

/// Keeps a folder of versions.
#[derive(Clone, Debug)]
pub struct FolderSink {
    settings: FolderSettings,
    modes: Modes,
}

impl FolderSink {
    /// Judges the settings, and looks up owner and group. The folder is not touched.
    ///
    /// # Errors
    ///
    /// If it would write nothing, would open keys to everybody, or owner or group do not exist.
    pub fn new(settings: FolderSettings) -> Result<Self, SinkConfigError> {
        let modes = settings.judge()?;
        Ok(Self { settings, modes })
    }

    fn versions(&self) -> Versions<'_> {
        let FolderSettings { name, folder, .. } = &self.settings;
        Versions { sink: name, folder, access: self.modes.folder }
    }

    async fn put(&self, delivery: &Delivery, now: Timestamp) -> Result<(), SinkError> {
        // Before anything is changed: what cannot be made must not leave a trace.
        let items = self.items(delivery)?;
        let versions = self.versions();
        versions.look()?;
        let _lock = self.lock(&versions).await?;
        versions.tidy_up()?;
        let holds = versions.look()?;
        let name = self.settings.name.clone();
        match holds.generation() {
            Some(held) if delivery.generation < held => {
                let offered = delivery.generation;
                return Err(SinkError::Newer { sink: name, holds: held, offered });
            }
            _ => (),
        }
        let (version, record) = match holds {
            Holds::Version { version, record }
                if record.is_of(delivery) && self.is_whole(&versions, &version, &record) =>
            {
                (version, record)
            }
            holds => {
                let record = Record {
                    notified_at: self.settings.notify.is_none().then_some(now),
                    files: items.iter().map(|item| item.name.to_owned()).collect(),
                    previous: holds.version(),
                    ..Record::new(delivery, now)
                };
                let version = versions.write(&items, &record)?;
                versions.switch(&version)?;
                fail::fail_point!("sink::folder::link_switched");
                (version, record)
            }
        };
        let record = self.tell(&versions, &version, record, delivery, now).await?;
        versions.prune(&version, record.previous.as_deref());
        Ok(())
    }

    /// Tells consumers, unless they have been told.
    async fn tell(
        &self,
        versions: &Versions<'_>,
        version: &str,
        record: Record,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Record, SinkError> {
        if record.notified_at.is_some() {
            return Ok(record);
        }
        if let Some(notify) = &self.settings.notify {
            notify.run(&self.settings.name, delivery).await?;
            fail::fail_point!("sink::folder::notified");
        }
        let record = Record { notified_at: Some(now), ..record };
        versions.note(version, &record)?;
        fail::fail_point!("sink::folder::notification_noted");
        Ok(record)
    }

    /// The files of a version, as the layout asks for.
    fn items(&self, delivery: &Delivery) -> Result<Vec<Item>, SinkError> {
        let FolderSettings { name, layout, .. } = &self.settings;
        let key = private_key(name, delivery)?;
        let bytes = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        let (key_access, certificate_access) = (self.modes.key, self.modes.certificate);
        let mut items = Vec::new();
        if layout.combined_pem {
            let text = contents::combined_pem(&delivery.certificates, key);
            items.push(Item { name: BUNDLE, bytes: bytes(&text), access: key_access });
        }
        if layout.separate_pem {
            let text = contents::certificates_pem(&delivery.certificates);
            items.push(Item {
                name: CERTIFICATES,
                bytes: bytes(&text),
                access: certificate_access,
            });
            let text = contents::key_pem(key);
            items.push(Item { name: KEY, bytes: bytes(&text), access: key_access });
        }
        if let Some(settings) = &layout.pfx {
            let bytes = pfx::make(name, settings, delivery, key)?;
            items.push(Item { name: PFX, bytes, access: key_access });
        }
        Ok(items)
    }

    /// Whether a version has all files that are asked for, and no others. If the layout was
    /// changed, or somebody removed a file, the key is to be delivered again.
    fn is_whole(&self, versions: &Versions<'_>, version: &str, record: &Record) -> bool {
        record.files == self.settings.layout.names() && versions.has(version, &record.files)
    }

    fn read(&self) -> Result<Option<Delivered>, SinkError> {
        let versions = self.versions();
        match versions.look()? {
            Holds::Version { version, record } if self.is_whole(&versions, &version, &record) => {
                Ok(record.delivered())
            }
            _ => Ok(None),
        }
    }

    /// Keeps other processes from delivering at the same time: of two, the older could come last.
    async fn lock(&self, versions: &Versions<'_>) -> Result<File, SinkError> {
        versions.create()?;
        let path = self.settings.folder.join(LOCK);
        let file =
            durable::open_private(&path).map_err(failed(&self.settings.name, "open", &path))?;
        let locked = durable::lock(&file, Hold::Alone, durable::PATIENCE).await;
        locked.map_err(failed(&self.settings.name, "lock", &path))?;
        Ok(file)
    }
}

impl Sink for FolderSink {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn delivered(&self) -> BoxFuture<'_, Result<Option<Delivered>, SinkError>> {
        async { self.read() }.boxed()
    }

    fn deliver<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        self.put(delivery, now).boxed()
    }
}
