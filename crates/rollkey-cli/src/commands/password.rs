//! Where passwords come from: a file, an environment variable, standard input, or a prompt. Never
//! an argument.

use crate::args::PasswordArgs;
use crate::error::CommandError;
use rollkey::secret::SecretBytes;
use std::io::{BufRead as _, IsTerminal as _};

/// The password that the arguments point to, if they do.
pub(crate) fn named(args: &PasswordArgs) -> Result<Option<SecretBytes>, CommandError> {
    if let Some(path) = &args.password_file {
        let bytes = std::fs::read(path).map(SecretBytes::new).map_err(|error| {
            CommandError::failed(format!("could not read {}", path.display())).cause(error)
        })?;
        return Ok(Some(first_line(&bytes)));
    }
    if let Some(name) = &args.password_env {
        let value = std::env::var(name).map_err(|error| {
            CommandError::usage(format!("no password in the environment variable {name}"))
                .cause(error)
        })?;
        return Ok(Some(SecretBytes::from(value)));
    }
    if args.password_stdin {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.map_err(|error| CommandError::failed("no password on standard input").cause(error))?;
        return Ok(Some(first_line(&SecretBytes::from(line))));
    }
    Ok(None)
}

/// Asks for it, if there is somebody to ask.
pub(crate) fn ask(what: &str) -> Result<Option<SecretBytes>, CommandError> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    rpassword::prompt_password(format!("Password of {what}: "))
        .map(|password| Some(SecretBytes::from(password)))
        .map_err(|error| CommandError::failed("could not ask for the password").cause(error))
}

fn first_line(bytes: &SecretBytes) -> SecretBytes {
    let line = bytes.expose().split(|b| *b == b'\n').next().unwrap_or_default();
    SecretBytes::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}
