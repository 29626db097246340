//! What people have, imported; and what they have that must be refused, for the right reason.

mod corpus;
mod formats;
mod refusals;

use rollkey::core::{Sha1Thumbprint, Timestamp};
use rollkey::import::{ImportError, Imported, Source, import};
use rollkey::secret::SecretBytes;
use std::path::Path;

/// 2026-12-01: all certificates here are valid then.
pub(crate) const NOW: Timestamp = Timestamp(1_796_083_200);

/// A file of `data/`, made by `data/make.sh`.
pub(crate) fn data(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/import/data");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What a PEM file of one block stands for.
fn der(name: &str) -> Vec<u8> {
    pem::parse(data(name)).unwrap().into_contents()
}

fn import_bytes(files: &[&[u8]], password: Option<&str>) -> Result<Imported, ImportError> {
    import_at(files, password, NOW)
}

fn import_at(
    files: &[&[u8]],
    password: Option<&str>,
    now: Timestamp,
) -> Result<Imported, ImportError> {
    let names = ["first", "second", "third"];
    let sources: Vec<_> =
        names.iter().zip(files).map(|(name, bytes)| Source { name, bytes }).collect();
    let password = password.map(|password| SecretBytes::from(password.to_owned()));
    import(&sources, password.as_ref(), now)
}

pub(crate) fn import_files(
    names: &[&str],
    password: Option<&str>,
) -> Result<Imported, ImportError> {
    let files: Vec<_> = names.iter().map(|name| data(name)).collect();
    import_bytes(&files.iter().map(Vec::as_slice).collect::<Vec<_>>(), password)
}

/// The subjects of the certificates that came out, the leaf first.
fn subjects(imported: &Imported) -> Vec<String> {
    let subject = |der: &rollkey::ports::CertificateDer| {
        rollkey::certificate::describe(&der.0).unwrap().subject
    };
    imported.certificates().iter().map(subject).collect()
}

/// Makes sure that the leaf came out, with its key.
#[track_caller]
fn assert_leaf(result: Result<Imported, ImportError>, chain: &[&str]) -> Imported {
    let imported = result.unwrap();
    assert_eq!(subjects(&imported), chain);
    let key = rollkey::keystore::signing::RsaKey::from_pkcs8(imported.private_key().expose());
    assert!(key.unwrap().fits(&imported.certificates()[0]));
    let sha1 = imported.info().thumbprint.sha1;
    assert_eq!(sha1, thumbprint_of(&imported.certificates()[0].0));
    imported
}

fn thumbprint_of(der: &[u8]) -> Sha1Thumbprint {
    rollkey::certificate::thumbprint(der).sha1
}
