//! One process at a time: a lock of the operating system, which no crash can leave behind.
//!
//! The number in the file is for people only. Whether the lock is taken is known to the system
//! alone, and the file is never removed: who waits for it may have it open.

use super::failed;
use crate::durable;
use crate::ports::KeystoreError;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

const NAME: &str = "lock";

/// How often to ask again.
const POLL: Duration = Duration::from_millis(50);

/// The lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // A number that stayed would name the wrong process in the message to the one after next.
        _ = self.0.set_len(0);
    }
}

/// Takes the lock, or says who has it if that one left its number.
pub(super) fn try_take(folder: &Path) -> Result<Result<Lock, Option<u32>>, KeystoreError> {
    let path = folder.join(NAME);
    let mut file = durable::open_private(&path).map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => {
            let note = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            // Only a message would be poorer; a full disk is told by whoever must write.
            _ = note;
            Ok(Ok(Lock(file)))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            _ = (&mut file).take(20).read_to_string(&mut text);
            Ok(Err(text.trim().parse().ok()))
        }
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

/// Takes the lock, and asks again for as long as `patience` if somebody else has it. Outside of a
/// tokio runtime there is no timer, and no second question.
pub(super) async fn take(folder: &Path, patience: Duration) -> Result<Lock, KeystoreError> {
    let mut left = patience;
    loop {
        let by = match try_take(folder)? {
            Ok(lock) => return Ok(lock),
            Err(by) => by,
        };
        if left.is_zero() || tokio::runtime::Handle::try_current().is_err() {
            return Err(KeystoreError::Busy { by });
        }
        let pause = left.min(POLL);
        tokio::time::sleep(pause).await;
        left -= pause;
    }
}
