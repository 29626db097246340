//! A command that takes the key on standard input: the bridge to whatever has no sink of its own.
//!
//! The command must be able to hear of one delivery twice: if we die while it runs, the next pass
//! runs it again. It never sees the key in its arguments or its environment. What it did with the
//! key we cannot look up, so a small file of ours remembers what it was given last.

use super::command::{CommandLine, Errand};
use super::contents::{self, Secret};
use super::notify::Notify;
use super::record::Record;
use super::{SinkConfigError, failed, foreign, private_key};
use crate::durable::{self, Access, Hold};
use crate::ports::{Delivery, Sink, SinkError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rollkey_core::{Delivered, Timestamp};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What the command reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecFormat {
    /// The certificates and then the private key (PKCS#8), PEM.
    #[default]
    CombinedPem,
    /// One line of JSON with the members `certificate_pem`, `private_key_pem`, `thumbprint` (SHA-1,
    /// upper-case hexadecimal), `generation` (a number) and `application`.
    Json,
}

/// What an [`ExecSink`] is made of.
#[derive(Clone, Debug)]
pub struct ExecSettings {
    /// What an operator calls it.
    pub name: String,
    /// Exit status 0 says that consumers get the key.
    pub command: CommandLine,
    /// What it reads.
    pub format: ExecFormat,
    /// Where we remember what it was given. A lock file stands beside it.
    pub state_file: PathBuf,
    /// Run after it, if consumers must be told.
    pub notify: Option<Notify>,
}

/// Hands keys to a command.
#[derive(Clone, Debug)]
pub struct ExecSink(ExecSettings);

impl ExecSink {
    /// Judges the settings. Nothing is read or run.
    ///
    /// # Errors
    ///
    /// If it has no name.
    pub fn new(settings: ExecSettings) -> Result<Self, SinkConfigError> {
        match settings.name.is_empty() {
            true => Err(SinkConfigError::NoName),
            false => Ok(Self(settings)),
        }
    }

    async fn hand_over(&self, delivery: &Delivery, now: Timestamp) -> Result<(), SinkError> {
        let ExecSettings { name, command, format, state_file, notify } = &self.0;
        let key = private_key(name, delivery)?;
        let _lock = self.lock().await?;
        durable::sweep_after(state_file).map_err(failed(name, "tidy up", state_file))?;
        let mut record = match self.remembered()? {
            Some(held) if delivery.generation < held.generation => {
                let (sink, holds) = (name.clone(), held.generation);
                return Err(SinkError::Newer { sink, holds, offered: delivery.generation });
            }
            Some(held) if held.is_of(delivery) => held,
            _ => {
                let input: Secret = match format {
                    ExecFormat::CombinedPem => contents::combined_pem(&delivery.certificates, key),
                    ExecFormat::Json => contents::envelope(delivery, key),
                };
                let input = Some(input.as_bytes());
                command.run(Errand { sink: name, role: "exec", delivery, input }).await?;
                fail::fail_point!("sink::exec::handed_over");
                let record = Record {
                    notified_at: notify.is_none().then_some(now),
                    ..Record::new(delivery, now)
                };
                self.remember(&record)?;
                fail::fail_point!("sink::exec::remembered");
                record
            }
        };
        if record.notified_at.is_some() {
            return Ok(());
        }
        if let Some(notify) = notify {
            notify.run(name, delivery).await?;
            fail::fail_point!("sink::exec::notified");
        }
        record.notified_at = Some(now);
        self.remember(&record)
    }

    /// Keeps other processes from handing over at the same time: of two, the older could come last.
    async fn lock(&self) -> Result<File, SinkError> {
        let mut path = OsString::from(&self.0.state_file);
        path.push(".lock");
        let path = Path::new(&path);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            durable::create_folder(folder, Access::PRIVATE_FOLDER).map_err(failed(
                &self.0.name,
                "create",
                folder,
            ))?;
        }
        let file = durable::open_private(path).map_err(failed(&self.0.name, "open", path))?;
        let locked = durable::lock(&file, Hold::Alone, durable::PATIENCE).await;
        locked.map_err(failed(&self.0.name, "lock", path))?;
        Ok(file)
    }

    fn remembered(&self) -> Result<Option<Record>, SinkError> {
        let ExecSettings { name, state_file, .. } = &self.0;
        let json = match fs::read(state_file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            json => json.map_err(failed(name, "read", state_file))?,
        };
        Record::from_json(&json).map(Some).map_err(|problem| foreign(name, state_file, problem))
    }

    fn remember(&self, record: &Record) -> Result<(), SinkError> {
        let ExecSettings { name, state_file, .. } = &self.0;
        let json = record.to_json().map_err(failed(name, "write", state_file))?;
        durable::replace(state_file, &json, Access::PRIVATE)
            .map_err(failed(name, "write", state_file))
    }
}

impl Sink for ExecSink {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn delivered(&self) -> BoxFuture<'_, Result<Option<Delivered>, SinkError>> {
        async { Ok(self.remembered()?.and_then(|record| record.delivered())) }.boxed()
    }

    fn deliver<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        self.hand_over(delivery, now).boxed()
    }
}
