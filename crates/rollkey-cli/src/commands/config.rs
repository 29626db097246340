//! `rollkey config`: write, judge or show the configuration.

use crate::args::{Arguments, ConfigCommand, ConfigInitArgs};
use crate::config::load::{self, PLACES};
use crate::config::{self, Application, CloudConfig, Config, CustomCloud, SinkConfig};
use crate::error::CommandError;
use crate::output::Output;
use crate::report::ConfigReport;
use crate::wire;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `config init` writes where it was told nothing.
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

pub(crate) fn run(
    arguments: &Arguments,
    command: &ConfigCommand,
    output: &Output,
) -> Result<ExitCode, CommandError> {
    match command {
        ConfigCommand::Init(args) => init(arguments, args, output)?,
        ConfigCommand::Check => check(arguments, output)?,
        ConfigCommand::Show => {
            let loaded = load::load(arguments.config.as_deref())?;
            output.json(&loaded.config);
            output.line(config::render(&loaded.config).trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads everything that can be read without a network: the file, the policy, the files it names.
fn check(arguments: &Arguments, output: &Output) -> Result<(), CommandError> {
    let loaded = load::load(arguments.config.as_deref())?;
    for (name, application) in &loaded.config.applications {
        wire::check(&loaded, name)?;
        let ids = [
            ("app-id", application.app_id.to_string()),
            ("tenant-id", application.tenant_id.to_string()),
        ];
        if let Some((key, _)) = ids.iter().find(|(_, id)| id == NO_ID) {
            let path = loaded.path.display();
            let what = format!("{path}: applications.{name}.{key} is still to be filled in");
            return Err(CommandError::config(what)
                .hint("it stands on the application's overview page in the portal"));
        }
    }
    let n = loaded.config.applications.len();
    let path = loaded.path.display().to_string();
    output.json(&ConfigReport { event: "config", path: path.clone(), applications: n });
    output.line(format!("{path}: sound, {n} application{}", if n == 1 { "" } else { "s" }));
    Ok(())
}

fn init(arguments: &Arguments, args: &ConfigInitArgs, output: &Output) -> Result<(), CommandError> {
    let path = arguments.config.clone().unwrap_or_else(|| PathBuf::from(PLACES[0]));
    let text = config::template(&from_arguments(args)?);
    // What we write, we can read: a name or an address may still be wrong.
    load::parse(&text).map_err(CommandError::usage)?;
    write_new(&path, &text)?;
    let path = path.display().to_string();
    output.json(&ConfigReport { event: "config", path: path.clone(), applications: 1 });
    output.line(format!("wrote {path}"));
    if args.app_id.is_none() || args.tenant_id.is_none() {
        output.line("fill in `app-id` and `tenant-id`, then: rollkey config check");
    } else {
        output.line(format!("next: rollkey import {} FILE", args.application));
    }
    Ok(())
}

/// Never over a file that is there.
fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let failed = CommandError::failed(format!("could not write {}", path.display()));
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                failed.cause(error).hint("name another with --config FILE, or move it away")
            }
            _ => failed.cause(error),
        }
    })
}

fn from_arguments(args: &ConfigInitArgs) -> Result<Config, CommandError> {
    let mut application: Application =
        toml::from_str(&format!("app-id = \"{NO_ID}\"\ntenant-id = \"{NO_ID}\"\n"))
            .map_err(|error| CommandError::failed(error.message()))?;
    if let Some(id) = args.app_id {
        application.app_id = id;
    }
    if let Some(id) = args.tenant_id {
        application.tenant_id = id;
    }
    application.object_id = args.object_id;
    application.ca_file.clone_from(&args.ca_file);
    if let (Some(login), Some(graph)) = (&args.login, &args.graph) {
        let (login, graph) = (login.clone(), graph.clone());
        application.cloud = CloudConfig::Custom(CustomCloud { login, graph });
    }
    if let Some(folder) = &args.folder {
        let sink = toml::Table::from_iter([
            ("type".to_owned(), "folder".into()),
            ("name".to_owned(), "folder".into()),
            ("path".to_owned(), folder.display().to_string().into()),
        ]);
        let sink: SinkConfig =
            sink.try_into().map_err(|error| CommandError::usage(error.to_string()))?;
        application.sinks.push(sink);
    }
    let mut config: Config =
        toml::from_str("").map_err(|error| CommandError::failed(error.message()))?;
    if let Some(state) = &args.state {
        config.state.clone_from(state);
    }
    config.applications.insert(args.application.clone(), application);
    Ok(config)
}
