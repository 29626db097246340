//! A file for each key: its certificate, those of its issuers, and its private key. Written once,
//! never changed, removed when nobody names it any more.

use super::{failed, state};
use crate::certificate;
use crate::durable::{self, Access};
use crate::import::pem;
use crate::keystore::Roster;
use crate::keystore::signing::{CertifiedKey, RsaKey};
use crate::ports::{CertificateDer, KeystoreError};
use crate::secret::SecretBytes;
use fail::fail_point;
use rollkey_core::{Held, Sha1Thumbprint, Thumbprint};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";
const EXTENSION: &str = "pem";

/// A key of 8192 bits with a long chain has some 30,000.
const MAX_BYTES: u64 = 1 << 20;

pub(super) fn folder(keystore: &Path) -> PathBuf {
    keystore.join("keys")
}

fn path(keystore: &Path, key: Thumbprint) -> PathBuf {
    folder(keystore).join(format!("{}.{EXTENSION}", key.sha1))
}

/// Writes a key, durably.
pub(super) fn write(
    keystore: &Path,
    key: Thumbprint,
    certificates: &[CertificateDer],
    private_key: &SecretBytes,
) -> Result<(), KeystoreError> {
    let path = path(keystore, key);
    let mut text = Zeroizing::default();
    for certificate in certificates {
        pem::encode_into(&mut text, CERTIFICATE, &certificate.0);
    }
    pem::encode_into(&mut text, PRIVATE_KEY, private_key.expose());
    durable::replace(&path, text.as_bytes(), Access::PRIVATE).map_err(failed("write", &path))
}

/// Refuses a key that others can read, or that is not there.
pub(super) fn check_access(keystore: &Path, key: Thumbprint) -> Result<(), KeystoreError> {
    let path = path(keystore, key);
    match super::check_access(&path, Access::PRIVATE) {
        Err(KeystoreError::Io { source, .. }) if is_not_found(&*source) => {
            Err(damaged(&path, "state.json names this key, and it is not there"))
        }
        other => other,
    }
}

/// Reads a key, and makes sure that it is the one that is meant.
pub(super) fn read(keystore: &Path, held: Held) -> Result<CertifiedKey, KeystoreError> {
    let path = path(keystore, held.thumbprint);
    let damaged = |problem: &str| damaged(&path, problem);
    let bytes = read_secret(&path).map_err(failed("read", &path))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| damaged("it is not text"))?;
    let blocks = pem::blocks(text).map_err(|error| damaged(&error.to_string()))?;

    let (keys, rest): (Vec<_>, Vec<_>) =
        blocks.into_iter().partition(|block| block.label == PRIVATE_KEY);
    let [private_key] = &keys[..] else {
        return Err(damaged("it should hold one private key"));
    };
    let key = RsaKey::from_pkcs8(private_key.contents.expose())
        .map_err(|_| damaged("its private key is not a sound RSA key"))?;
    let certificates: Vec<_> = rest
        .into_iter()
        .filter(|block| block.label == CERTIFICATE)
        .map(|block| CertificateDer(block.contents.expose().to_vec()))
        .collect();
    let Some(leaf) = certificates.first() else {
        return Err(damaged("it holds no certificate"));
    };
    let info = certificate::describe(&leaf.0).map_err(|error| damaged(&error.to_string()))?;
    if info.thumbprint != held.thumbprint {
        return Err(damaged("its certificate has another thumbprint than its name says"));
    }
    if info.not_after != held.not_after {
        return Err(damaged("its certificate expires at another time than state.json says"));
    }
    if !key.fits(leaf) {
        return Err(damaged("its private key does not belong to its certificate"));
    }
    Ok(CertifiedKey { key, certificates })
}

/// Whether there is any key at all.
pub(super) fn any(keystore: &Path) -> Result<bool, KeystoreError> {
    let folder = folder(keystore);
    let entries = fs::read_dir(&folder).map_err(failed("read", &folder))?;
    for entry in entries {
        let entry = entry.map_err(failed("read", &folder))?;
        if key_named(&entry.file_name().to_string_lossy()).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what a crash left: unfinished files, and keys that `roster` does not name. What is not
/// named as we name our files is left alone. Call it only with the lock.
pub(super) fn sweep(keystore: &Path, roster: &Roster) -> Result<(), KeystoreError> {
    let folder = folder(keystore);
    // The folder may have other tenants, a journal perhaps; the folder of the keys has none.
    durable::sweep_after(&state::path(keystore)).map_err(failed("sweep", keystore))?;
    durable::sweep(&folder).map_err(failed("sweep", &folder))?;
    let mut removed = false;
    for entry in fs::read_dir(&folder).map_err(failed("read", &folder))? {
        let entry = entry.map_err(failed("read", &folder))?;
        let named = key_named(&entry.file_name().to_string_lossy());
        let Some(sha1) = named else { continue };
        if roster.keys.iter().all(|held| held.thumbprint.sha1 != sha1) {
            fs::remove_file(entry.path()).map_err(failed("remove", &entry.path()))?;
            removed = true;
            fail_point!("keystore::sweep::key_removed");
        }
    }
    match removed {
        true => durable::sync_folder(&folder).map_err(failed("sync", &folder)),
        false => Ok(()),
    }
}

/// The key that a file is for, if it is named as we name ours.
fn key_named(file_name: &str) -> Option<Sha1Thumbprint> {
    let stem = file_name.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    let sha1 = Sha1Thumbprint::parse(stem).ok()?;
    (sha1.to_string() == stem).then_some(sha1)
}

fn read_secret(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large to be a key"));
    }
    // As large as it is at once, and one more for the end: a vector that grows leaves copies.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    (&mut file).take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_not_found(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn damaged(path: &Path, problem: &str) -> KeystoreError {
    KeystoreError::Damaged { place: path.display().to_string(), problem: problem.to_owned() }
}
