//! The command line. The doc comments are the help, and `docs/cli.md`.

use crate::error::CommandError;
use crate::output::Output;
use crate::report::Failure;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rolls the certificates of Microsoft Entra applications
///
/// One command rolls the key of one application, without any permission in Graph, and never locks
/// it out: a crash, a lost answer or a lagging replica is just another thing that the next run
/// sees. Start with `rollkey demo`, which needs no tenant.
#[derive(Parser, Debug)]
#[command(name = "rollkey", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Configuration file [default: rollkey.toml, then /etc/rollkey/rollkey.toml]
    #[arg(long, global = true, value_name = "FILE", env = "ROLLKEY_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Print JSON, one document per line, with stable field names
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Log to standard error: `warn`, `info`, `debug`, `trace`, or a filter. Never shows secrets
    #[arg(long, global = true, value_name = "LEVEL", env = "ROLLKEY_LOG")]
    pub(crate) log: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The help of each stands here and not at its arguments, which are put together only for the
/// command that was given: no start pays for those of all others.
#[derive(Subcommand, Debug)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Bring the key that is registered now into rollkey's custody
    ///
    /// Takes what people have: a PFX of any make, PEM (PKCS#1, PKCS#8, encrypted PKCS#8; certificate
    /// and key in one file or two), or DER. What Entra would not take is refused with the reason,
    /// before anything is stored. Nothing is sent anywhere.
    Import(ImportArgs),
    /// Rotate the key of one application, if it is due
    ///
    /// Makes passes until nothing is left to do now, and returns. Safe to run at any time, from cron
    /// as often as you like, and to interrupt: the next run carries on from what it finds. A whole
    /// rotation takes about a day, most of it overlap; run this every few minutes, or once with --wait.
    Rotate(RotateArgs),
    /// Show where an application's keys stand, and what is to be done next
    ///
    /// Asks the directory and the token endpoint, and changes nothing. Exit code 4 if a person must
    /// act.
    Status(StatusArgs),
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(subcommand)]
    Token(TokenCommand),
    /// Run a test server: Entra login and Microsoft Graph, on this machine only
    ///
    /// It checks every signature, lags like the real service, and forgets everything when it stops. It
    /// writes its CA, a PFX and a PEM per application, and DIR/world.json with every address and id;
    /// it removes nothing of yours.
    Emulator(EmulatorArgs),
    /// Watch a key being rolled, against the emulator, with faults on the way
    ///
    /// Needs no tenant, no network and no configuration, and takes a few seconds.
    Demo(DemoArgs),
    /// Print a document that is made from the code
    #[command(hide = true)]
    Docs { document: Document },
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Application, by its name in the configuration
    pub(crate) application: String,

    /// File with the certificate, and the key unless --key names another
    pub(crate) file: PathBuf,

    /// File with the private key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Take it although there is a current key, which becomes a previous one: after somebody
    /// registered a key by hand, because no key that rollkey holds was accepted
    #[arg(long)]
    pub(crate) replace: bool,

    #[command(flatten)]
    pub(crate) password: PasswordArgs,
}

// Where the password of a file comes from. Never from an argument: those can be seen by others.
// (No doc comment: it would become the help of the command that this is part of.)
#[derive(Args, Debug, Default)]
#[group(multiple = false)]
pub(crate) struct PasswordArgs {
    /// File whose first line is the password
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,

    /// Environment variable that holds the password
    #[arg(long, value_name = "NAME")]
    pub(crate) password_env: Option<String>,

    /// Read the password from standard input, one line
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// Application, by its name in the configuration
    pub(crate) application: String,

    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with_all = ["wait"])]
    pub(crate) dry_run: bool,

    /// Stay until the old key has been removed, however long the overlap is
    #[arg(long)]
    pub(crate) wait: bool,

    /// Rotate now, although the certificate is not due
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// Applications, by their names in the configuration [default: all]
    pub(crate) applications: Vec<String>,
}

/// Write, judge or show the configuration
#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    Init(ConfigInitArgs),
    /// Read the configuration and what it names, and say what is wrong
    Check,
    /// Print the configuration with every default
    Show,
}

/// Write a configuration with comments, for one application
#[derive(Args, Debug)]
pub(crate) struct ConfigInitArgs {
    /// What you call the application
    #[arg(default_value = "billing")]
    pub(crate) application: String,

    /// Application (client) ID
    #[arg(long, value_name = "GUID")]
    pub(crate) app_id: Option<rollkey_core::AppId>,

    /// Directory (tenant) ID
    #[arg(long, value_name = "GUID")]
    pub(crate) tenant_id: Option<rollkey_core::TenantId>,

    /// Object ID
    #[arg(long, value_name = "GUID")]
    pub(crate) object_id: Option<rollkey_core::ObjectId>,

    /// Folder for keys and journals
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,

    /// Address of login, if it is not Microsoft's (an emulator's, say)
    #[arg(long, value_name = "URL", requires = "graph")]
    pub(crate) login: Option<String>,

    /// Address of Graph, if it is not Microsoft's
    #[arg(long, value_name = "URL", requires = "login")]
    pub(crate) graph: Option<String>,

    /// PEM file with the certificates to trust for login and Graph
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Folder for consumers
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// Make single tokens by hand
#[derive(Subcommand, Debug)]
pub(crate) enum TokenCommand {
    Proof(ProofArgs),
}

/// Print a proof of possession, for `addKey` and `removeKey`
///
/// Signed with the key in FILE. Good for ten minutes; whoever has it may add a key meanwhile.
#[derive(Args, Debug)]
pub(crate) struct ProofArgs {
    /// File with the certificate, and the key unless --key names another
    pub(crate) file: PathBuf,

    /// Object ID of the application or service principal (not its application ID)
    #[arg(long, value_name = "GUID")]
    pub(crate) object_id: rollkey_core::ObjectId,

    /// File with the private key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) password: PasswordArgs,
}

#[derive(Args, Debug)]
pub(crate) struct EmulatorArgs {
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// Listen on other addresses than loopback. It is a test server: anybody who reaches it may do
    /// anything
    #[arg(long)]
    pub(crate) listen_beyond_loopback: bool,

    /// Repeat the ids and faults of an earlier run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Name of an application to create; may be given several times
    #[arg(long = "application", value_name = "NAME", default_value = "billing")]
    pub(crate) applications: Vec<String>,

    /// Days until the certificates expire
    #[arg(long, value_name = "DAYS", default_value_t = 20)]
    pub(crate) expires_in: u32,

    /// How long news takes to reach the slowest replica, for everything: `20s`, `5m`, `0s` for
    /// none [default: as people report of the real service, up to 20m]
    #[arg(long, value_name = "PERIOD")]
    pub(crate) lag: Option<rollkey_core::Span>,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Folder to write to [default: a new one beside the current folder's other files]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Repeat the ids of an earlier run
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub(crate) seed: u64,
}

/// A document that is made from the code.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Document {
    Cli,
    Config,
    Protocol,
}

/// Says what is wrong with a command line, or shows the help that was asked for.
pub(crate) fn refuse(error: &clap::Error, output: &Output) -> ExitCode {
    if error.use_stderr() {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let message = first.trim_start_matches("error: ").trim_end_matches(':');
        output.json(&Failure::of(&CommandError::usage(message).hint("rollkey --help")));
    }
    // If even that cannot be printed, the exit code still tells.
    _ = error.print();
    match error.use_stderr() {
        true => ExitCode::from(crate::error::Kind::Usage.exit_code()),
        false => ExitCode::SUCCESS,
    }
}
