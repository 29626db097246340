//! `rollkey`: rolls the certificates of Microsoft Entra applications, from cron or by hand.
//!
//! This file knows only how a command line becomes a command, and how its end becomes an exit code.

mod args;
mod clock;
mod commands;
mod config;
#[cfg(feature = "crash-points")]
mod crash;
mod demo;
mod error;
mod explain;
mod output;
mod progress;
mod report;
mod wire;
mod words;

use args::{Arguments, Command};
use clap::Parser;
use error::CommandError;
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // What was typed could not be read, so `--json` is looked for by hand.
            let json = std::env::args_os().any(|argument| argument == "--json");
            return args::refuse(&error, &Output::new(json));
        }
    };
    let output = Output::new(arguments.json);
    output::log(arguments.log.as_deref());
    #[cfg(feature = "crash-points")]
    crash::arm();
    match run(&arguments, &output) {
        Ok(code) => code,
        Err(error) => {
            output.failure(&error);
            error.exit_code()
        }
    }
}

fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode, CommandError> {
    // Commands that need no runtime do not pay for one.
    match &arguments.command {
        Command::Config(command) => commands::config::run(arguments, command, output),
        Command::Import(command) => wait_for(commands::import::run(arguments, command, output)),
        Command::Rotate(command) => wait_for(commands::rotate::run(arguments, command, output)),
        Command::Status(command) => wait_for(commands::status::run(arguments, command, output)),
        Command::Token(command) => commands::token::run(command, output),
        Command::Emulator(command) => wait_for(commands::emulator::run(command, output)),
        Command::Demo(command) => wait_for(demo::run(command, output)),
        Command::Docs { document } => commands::docs::run(*document, output),
    }
}

/// Runs a command on a runtime of its own. The few milliseconds of blocking work that commands do
/// (files, a signature) need no second thread; the emulator brings threads of its own.
fn wait_for(
    command: impl Future<Output = Result<ExitCode, CommandError>>,
) -> Result<ExitCode, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::failed("could not start").cause(error))?;
    runtime.block_on(command)
}
