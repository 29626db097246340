//! The PFX file of a version, under a password that somebody put into a file.
//!
//! The password is read when it is needed, erased when it was used, and never shown.

use super::super::{failed, foreign};
use super::{PFX, PfxProfile, PfxSettings};
use crate::durable;
use crate::ports::{Delivery, SinkError};
use crate::secret::SecretBytes;
use rollkey_pfx::{PfxToWrite, Profile};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// The widest mode of a password file.
const PASSWORD_MODE: u32 = 0o600;
/// No password is as long as this, in bytes.
const MAX_PASSWORD: usize = 4_096;

/// Makes the file.
pub(super) fn make(
    sink: &str,
    settings: &PfxSettings,
    delivery: &Delivery,
    key: &SecretBytes,
) -> Result<Zeroizing<Vec<u8>>, SinkError> {
    let password = password(sink, &settings.password_file)?;
    if !password.is_ascii() {
        tracing::warn!(
            sink,
            file = %settings.password_file.display(),
            "the PFX password is not ASCII: Java will not open the file"
        );
    }
    let certificates: Vec<&[u8]> = delivery.certificates.iter().map(|der| &der.0[..]).collect();
    let pfx = PfxToWrite {
        key: key.expose(),
        certificates: &certificates,
        friendly_name: Some(&delivery.application),
    };
    let profile = match settings.profile {
        PfxProfile::Modern => Profile::MODERN,
        PfxProfile::Legacy3Des => Profile::LEGACY_3DES,
    };
    rollkey_pfx::write(&pfx, &password, profile).map(Zeroizing::new).map_err(failed(
        sink,
        "make",
        Path::new(PFX),
    ))
}

/// The first line of the file.
fn password(sink: &str, path: &Path) -> Result<Zeroizing<String>, SinkError> {
    let read = |error| failed(sink, "read", path)(error);
    if let Some(mode) = durable::mode_beyond(path, PASSWORD_MODE).map_err(read)? {
        let expected = PASSWORD_MODE;
        let problem =
            format!("is open to others (mode {mode:04o}, expected {expected:04o} or less)");
        return Err(foreign(sink, path, problem));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PASSWORD));
    File::open(path)
        .and_then(|file| file.take(MAX_PASSWORD as u64).read_to_end(&mut bytes))
        .map_err(|error| failed(sink, "read", path)(error))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(foreign(sink, path, "its first line, the PFX password, is empty")),
        Ok(_) if line.len() == MAX_PASSWORD => {
            Err(foreign(sink, path, "its first line is too long for a password"))
        }
        Ok(line) => Ok(Zeroizing::new(line.to_owned())),
        Err(_) => Err(foreign(sink, path, "the PFX password in it is not UTF-8")),
    }
}
