//! One process at a time: a lock of the operating system, which no crash can leave behind.
//!
//! The number in the file is for people only. Whether the lock is taken is known to the system
//! alone, and the file is never removed: who waits for it may have it open.

use super::failed;
use crate::durable::{self, Hold};
use crate::ports::KeystoreError;
use futures_util::FutureExt as _;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

const NAME: &str = "lock";

/// The lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // A number that stayed would name the wrong process in the message to the one after next.
        _ = self.0.set_len(0);
    }
}

/// Takes the lock, and asks again for as long as `patience` if somebody else has it.
pub(super) async fn take(folder: &Path, patience: Duration) -> Result<Lock, KeystoreError> {
    let path = folder.join(NAME);
    let mut file = durable::open_private(&path).map_err(failed("open", &path))?;
    match durable::lock(&file, Hold::Alone, patience).await {
        Ok(()) => {
            // Only a message would be poorer; a full disk is told by whoever must write.
            _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            Ok(Lock(file))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            let mut text = String::new();
            _ = (&mut file).take(20).read_to_string(&mut text);
            Err(KeystoreError::Busy { by: text.trim().parse().ok() })
        }
        Err(error) => Err(failed("lock", &path)(error)),
    }
}

/// Takes the lock if nobody has it.
pub(super) fn try_take(folder: &Path) -> Result<Lock, KeystoreError> {
    // Without patience there is nothing to wait for.
    let at_once = take(folder, Duration::ZERO).now_or_never();
    at_once.unwrap_or(Err(KeystoreError::Busy { by: None }))
}
