//! Running other programs: said before it is done, streamed while it runs.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// A verb did not do what it is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It found something wrong, or could not look. Exit code 1.
    Failed(String),
    /// It was called wrongly. Exit code 2.
    Usage(String),
}

impl Failure {
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Failed(why) | Self::Usage(why) => why,
        }
    }
}

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        // What cargo says now, not what it said when this was built: two clones that share a target
        // folder share this program, too.
        let ours = std::env::var_os("CARGO_MANIFEST_DIR");
        let ours = ours.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        ours.parent().expect("xtask stands below the root").to_owned()
    });
    &ROOT
}

/// Where verbs may leave things: below the target folder, so that `cargo clean` sweeps it.
pub(crate) fn scratch() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    root().join(target).join("xtask")
}

/// `cargo` with these words, in the root.
pub(crate) fn cargo(words: &[&str]) -> Command {
    // The cargo that runs us, so that `cargo +1.95 xtask check` checks with 1.95.
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()), words)
}

/// A program with these words, in the root.
pub(crate) fn program(name: &str, words: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(words).current_dir(root());
    command
}

/// Whether a program is there and answers these words.
pub(crate) fn answers(mut command: Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs a command with our own standard streams.
pub(crate) fn run(mut command: Command) -> Result<(), Failure> {
    say(&command);
    let status = command.status().map_err(|error| did_not_start(&command, &error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::Failed(format!("`{}`: {status}", words(&command)))),
    }
}

/// Runs a command, shows what it prints line by line, and keeps it: its standard output, and
/// whether it succeeded.
pub(crate) fn run_and_keep(mut command: Command) -> Result<(String, bool), Failure> {
    say(&command);
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| did_not_start(&command, &error))?;
    let mut printed = Vec::new();
    let mut from = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut to = std::io::stdout();
    loop {
        let start = printed.len();
        match from.read_until(b'\n', &mut printed) {
            Ok(0) => break,
            // Whoever reads us may have gone; the command still has to be waited for.
            Ok(_) => _ = to.write_all(&printed[start..]).and_then(|()| to.flush()),
            Err(error) => return Err(Failure::Failed(format!("could not read output: {error}"))),
        }
    }
    let status = child.wait().map_err(|error| did_not_start(&command, &error))?;
    Ok((String::from_utf8_lossy(&printed).into_owned(), status.success()))
}

/// Runs a command quietly and returns its standard output.
pub(crate) fn output(mut command: Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| did_not_start(&command, &error))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Failure::Failed(format!("`{}`: {}", words(&command), output.status))),
    }
}

/// Refuses arguments that a verb does not take.
pub(crate) fn no_arguments(arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [] => Ok(()),
        [first, ..] => Err(Failure::Usage(format!("unexpected argument `{first}`"))),
    }
}

fn did_not_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("`{}` did not start: {error}", words(command)))
}

fn say(command: &Command) {
    eprintln!("$ {}", words(command));
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let words = command.get_args().map(|word| word.to_string_lossy());
    std::iter::once(program.to_string_lossy()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_too_many_is_a_wrong_call() {
        assert!(no_arguments(&[]).is_ok());
        assert_eq!(
            no_arguments(&["now".into()]),
            Err(Failure::Usage("unexpected argument `now`".into()))
        );
    }

    #[test]
    fn a_command_is_said_without_the_path_of_its_program() {
        assert_eq!(words(&program("/somewhere/bin/cargo", &["test", "-q"])), "cargo test -q");
    }
}
