//! `rollkey import`: the key that is registered now, into our custody.

use crate::args::{Arguments, ImportArgs, PasswordArgs};
use crate::clock::clock;
use crate::commands::password;
use crate::error::CommandError;
use crate::output::Output;
use crate::report::ImportReport;
use crate::{config, explain, wire, words};
use rollkey::import::{ImportError, Imported, Source};
use rollkey::keystore::CustodyError;
use rollkey::secret::SecretBytes;
use rollkey_core::Timestamp;
use std::path::Path;
use std::process::ExitCode;

pub(crate) async fn run(
    arguments: &Arguments,
    args: &ImportArgs,
    output: &Output,
) -> Result<ExitCode, CommandError> {
    let loaded = config::load::load(arguments.config.as_deref())?;
    let name = &args.application;
    wire::application(&loaded, name)?;
    let now = clock().now();
    let material = read(&args.file, args.key.as_deref(), &args.password, now)?;
    let keystore = wire::new_keystore(&loaded, name)?;
    let taken = match args.replace {
        true => keystore.replace(&material, now).await,
        false => keystore.import(&material, now).await,
    };
    taken.map_err(|error| refused(error, name))?;
    for warning in material.warnings() {
        output.warn(warning.to_string());
    }
    let info = material.info();
    let bits = info.key.bits.unwrap_or_default();
    output.line(format!(
        "took {} into custody: {}, RSA {}, until {}",
        info.thumbprint.sha1.short(),
        info.subject,
        bits,
        words::date(info.not_after),
    ));
    output.line(format!("next: rollkey rotate {name}"));
    output.json(&ImportReport {
        application: name.clone(),
        thumbprint: info.thumbprint.sha1.to_string(),
        subject: info.subject.clone(),
        key_size: bits,
        not_before: words::instant(info.not_before),
        not_after: words::instant(info.not_after),
        issuers: material.certificates().len() - 1,
    });
    Ok(ExitCode::SUCCESS)
}

/// Reads a key and its certificate from files, and asks for a password if one is missing.
pub(crate) fn read(
    file: &Path,
    key: Option<&Path>,
    args: &PasswordArgs,
    now: Timestamp,
) -> Result<Imported, CommandError> {
    let bytes = |path: &Path| {
        std::fs::read(path).map(SecretBytes::new).map_err(|error| {
            CommandError::failed(format!("could not read {}", path.display())).cause(error)
        })
    };
    let mut paths = vec![file];
    paths.extend(key);
    let files = paths.iter().map(|path| bytes(path)).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let sources: Vec<Source<'_>> = names
        .iter()
        .zip(&files)
        .map(|(name, bytes)| Source { name, bytes: bytes.expose() })
        .collect();
    let password = password::named(args)?;
    let first = rollkey::import::import(&sources, password.as_ref(), now);
    let material = match first {
        Err(error @ ImportError::PasswordNeeded { .. }) => match password::ask(&names[0])? {
            Some(password) => rollkey::import::import(&sources, Some(&password), now),
            None => Err(error),
        },
        other => other,
    };
    material.map_err(|error| {
        let hint = match &error {
            ImportError::PasswordNeeded { .. } => {
                "name its password: --password-file, --password-env or --password-stdin"
            }
            other => other.advice(),
        };
        CommandError::failed(format!("cannot use {}", file.display())).cause(error).hint(hint)
    })
}

fn refused(error: CustodyError, name: &str) -> CommandError {
    let message = format!("did not take the key of {name} into custody");
    match error {
        CustodyError::Keystore(error) => explain::explain(error.into(), name),
        CustodyError::CurrentTaken { .. } => CommandError::failed(message).cause(error).hint(
            format!("to roll that key: rollkey rotate {name} --now; to use this one instead, because nobody accepts that one any more: --replace"),
        ),
        other => CommandError::failed(message).cause(other),
    }
}
