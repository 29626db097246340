//! A command that a sink runs: no shell, a bounded time, and an environment that holds no secret.
//!
//! A command inherits nothing: its environment is what [`CommandLine::with_environment`] was given
//! and the three variables that say what was delivered. A private key reaches it over standard
//! input, or not at all.

use super::SinkConfigError;
use super::output::{Guard, Listener};
#[cfg(unix)]
use super::process_unix::{self, Group};
use crate::ports::{Delivery, SinkError};
use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use std::ffi::OsString;
use std::fmt;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStdin, Command};
use tokio::time::timeout;

/// What a caller may pass on of its own environment without passing on a secret: where programs
/// are, who we are, how we speak. This library reads no environment; its caller does.
pub const INHERITABLE: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "SystemRoot",
];

/// How long the streams of a command that has ended are still listened to: what it started may
/// hold them open for ever.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A program and its arguments, with the time that it may take.
#[derive(Clone)]
pub struct CommandLine {
    program: String,
    arguments: Vec<String>,
    time: Duration,
    environment: Vec<(String, OsString)>,
}

impl CommandLine {
    /// The first of `argv` is the program, looked up in the `PATH` of the environment that the
    /// command is given, or else in that of the system. No shell interprets anything.
    ///
    /// # Errors
    ///
    /// If there is no program or no time.
    pub fn new(
        argv: impl IntoIterator<Item = String>,
        time: Duration,
    ) -> Result<Self, SinkConfigError> {
        let mut argv = argv.into_iter();
        let program = argv.next().filter(|program| !program.is_empty());
        if time.is_zero() {
            return Err(SinkConfigError::NoTime);
        }
        Ok(Self {
            program: program.ok_or(SinkConfigError::NoProgram)?,
            arguments: argv.collect(),
            time,
            environment: Vec::new(),
        })
    }

    /// The same command with these variables, [`INHERITABLE`] ones for example.
    #[must_use]
    pub fn with_environment(
        self,
        environment: impl IntoIterator<Item = (String, OsString)>,
    ) -> Self {
        Self { environment: environment.into_iter().collect(), ..self }
    }

    /// Runs the command to its end, or ends it when its time is up. Dropped midway, it ends the
    /// command too.
    pub(super) async fn run(&self, errand: Errand<'_>) -> Result<(), SinkError> {
        let guard = Guard::new(errand.delivery.private_key.as_ref());
        let mut command = self.command(&errand);
        let mut child = command.spawn().map_err(|error| {
            let outcome = format!("did not start: {}: {error}", self.program);
            errand.failed(outcome, String::new())
        })?;
        #[cfg(unix)]
        let mut group = Group::of(&child);
        tracing::debug!(sink = errand.sink, role = errand.role, program = self.program, "started");

        let mut stdout = Listener::new(&guard, errand.sink, "stdout");
        let mut stderr = Listener::new(&guard, errand.sink, "stderr");
        let ended = {
            let (out, err) = (child.stdout.take(), child.stderr.take());
            let mut feed = pin!(feed(child.stdin.take(), errand.input).fuse());
            let both = async { tokio::join!(stdout.follow(out), stderr.follow(err)) };
            let mut listen = pin!(both.map(|((), ())| ()).fuse());
            let work = async {
                loop {
                    tokio::select! {
                        ended = child.wait() => break ended,
                        () = &mut feed => (),
                        () = &mut listen => (),
                    }
                }
            };
            let ended = timeout(self.time, work).await.ok();
            #[cfg(unix)]
            match ended {
                Some(_) => group.release(),
                None => group.kill(),
            }
            if ended.is_none() {
                // Kills it where there are no groups, and takes its exit status off the system.
                _ = timeout(LAST_WORDS, child.kill()).await;
            }
            if !listen.is_terminated() {
                _ = timeout(LAST_WORDS, listen).await;
            }
            ended
        };
        match ended {
            Some(Ok(status)) if status.success() => Ok(()),
            Some(Ok(status)) => Err(errand.failed(outcome(status), stderr.last())),
            Some(Err(error)) => {
                Err(errand.failed(format!("was lost sight of: {error}"), stderr.last()))
            }
            None => Err(errand.failed(format!("did not end in {:?}", self.time), stderr.last())),
        }
    }

    fn command(&self, errand: &Errand<'_>) -> Command {
        let delivery = errand.delivery;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("ROLLKEY_APPLICATION", &delivery.application)
            .env("ROLLKEY_THUMBPRINT", delivery.thumbprint.to_string())
            .env("ROLLKEY_GENERATION", delivery.generation.0.to_string())
            .stdin(if errand.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        process_unix::in_own_group(&mut command);
        command
    }
}

impl fmt::Debug for CommandLine {
    /// Without values of the environment: the caller may have passed on more than it should.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandLine")
            .field("program", &self.program)
            .field("arguments", &self.arguments)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// What a command is run for.
#[derive(Clone, Copy)]
pub(super) struct Errand<'a> {
    /// The sink's name.
    pub(super) sink: &'a str,
    /// `exec` or `notify`.
    pub(super) role: &'static str,
    /// What was, or is to be, delivered.
    pub(super) delivery: &'a Delivery,
    /// For its standard input.
    pub(super) input: Option<&'a [u8]>,
}

impl Errand<'_> {
    fn failed(&self, outcome: String, stderr: String) -> SinkError {
        SinkError::Command { sink: self.sink.to_owned(), role: self.role, outcome, stderr }
    }
}

/// Writes to standard input, and closes it. A command that closes it first has heard enough: its
/// exit status says whether all is well.
async fn feed(pipe: Option<ChildStdin>, input: Option<&[u8]>) {
    let (Some(mut pipe), Some(input)) = (pipe, input) else { return };
    if let Err(error) = pipe.write_all(input).await {
        tracing::debug!(%error, "the command did not read its input to the end");
    }
}

fn outcome(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = process_unix::signal(status) {
        return format!("was killed by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exited with {code}"),
        None => "ended without a status".to_owned(),
    }
}
