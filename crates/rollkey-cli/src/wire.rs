//! From the configuration to a [`Rotation`]: the only file that knows every adapter, and the one
//! that says what an adapter's error means to an operator.

use crate::clock::clock;
use crate::config::load::Loaded;
use crate::config::{
    AlgorithmConfig, Application, CloudConfig, CloudName, CommandConfig, ExecSinkConfig,
    FolderSinkConfig, FormatConfig, InputConfig, Kind, SinkConfig,
};
use crate::error::CommandError;
use crate::explain;
use rollkey::cloud::Cloud;
use rollkey::directory::{self, By, Graph, Target};
use rollkey::http::{Http, Proxy, Settings, Trust};
use rollkey::journal::file::FileJournal;
use rollkey::keystore::{FileKeystore, KeySize, KeySpec};
use rollkey::ports::{Clock, Sink, Sinks};
use rollkey::rotation::{Parts, Rotation};
use rollkey::sink::SinkConfigError;
use rollkey::sink::command::{CommandLine, INHERITABLE};
use rollkey::sink::exec::{ExecFormat, ExecSettings, ExecSink};
use rollkey::sink::folder::{
    Account, FolderAccess, FolderSettings, FolderSink, Layout, PfxProfile, PfxSettings,
};
use rollkey::sink::notify::Notify;
use rollkey::token_endpoint::Login;
use rollkey_core::{Algorithm, AppId, Span};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

/// The application that was named.
pub(crate) fn application<'a>(
    loaded: &'a Loaded,
    name: &str,
) -> Result<&'a Application, CommandError> {
    loaded.config.applications.get(name).ok_or_else(|| {
        let known: Vec<_> = loaded.config.applications.keys().map(String::as_str).collect();
        let known = match known.is_empty() {
            true => "it names none".to_owned(),
            false => format!("it names {}", known.join(", ")),
        };
        CommandError::config(format!("no application `{name}` in {}", loaded.path.display()))
            .hint(known)
    })
}

/// The rotation of an application, by the clock of this command.
pub(crate) fn rotation(loaded: &Loaded, name: &str) -> Result<Rotation, CommandError> {
    rotation_by(loaded, name, clock())
}

/// The rotation of an application, by a clock.
pub(crate) fn rotation_by(
    loaded: &Loaded,
    name: &str,
    clock: Arc<dyn Clock>,
) -> Result<Rotation, CommandError> {
    let parts = parts(loaded, name, clock)?;
    Ok(Rotation::new(parts))
}

/// The token endpoint of an application, its `client_id`, and the directory's scope.
pub(crate) fn login(loaded: &Loaded, name: &str) -> Result<(Login, AppId, String), CommandError> {
    let app = application(loaded, name)?;
    let (http, cloud) = connection(loaded, name, app)?;
    Ok((Login::new(http, &cloud, app.tenant_id, app.app_id), app.app_id, cloud.graph_scope()))
}

/// Builds everything but the keystore, which may not be there yet.
pub(crate) fn check(loaded: &Loaded, name: &str) -> Result<(), CommandError> {
    let app = application(loaded, name)?;
    connection(loaded, name, app)?;
    sinks(loaded, name, app)?;
    key_spec(name, app)?;
    Ok(())
}

fn parts(loaded: &Loaded, name: &str, clock: Arc<dyn Clock>) -> Result<Parts, CommandError> {
    let app = application(loaded, name)?;
    let (http, cloud) = connection(loaded, name, app)?;
    let scopes = match app.scopes.is_empty() {
        true => vec![cloud.graph_scope()],
        false => app.scopes.clone(),
    };
    let policy = app.policy.policy(scopes.len()).map_err(|e| wrong(loaded, name, "policy", e))?;
    let sinks = sinks(loaded, name, app)?;
    let keystore = FileKeystore::open(keys_folder(loaded, name), key_spec(name, app)?)
        .map_err(|error| explain::explain(error.into(), name))?;
    let journal = FileJournal::new(
        state_folder(loaded, name).join("journal.jsonl"),
        scopes.clone(),
        sinks.iter().map(|sink| sink.name().to_owned()).collect(),
    );
    let target = Target {
        kind: match app.kind {
            Kind::Application => directory::Kind::Application,
            Kind::ServicePrincipal => directory::Kind::ServicePrincipal,
        },
        by: app.object_id.map_or(By::AppId(app.app_id), By::ObjectId),
    };
    Ok(Parts {
        name: name.to_owned(),
        app: app.app_id,
        policy,
        scopes,
        directory_scope: cloud.graph_scope(),
        proof_algorithm: algorithm(app.proof_algorithm),
        assertion_algorithm: algorithm(app.assertion_algorithm),
        keystore: Arc::new(keystore),
        sinks,
        directory: Box::new(Graph::new(http.clone(), &cloud, target)),
        login: Box::new(Login::new(http, &cloud, app.tenant_id, app.app_id)),
        journal: Box::new(journal),
        clock,
    })
}

/// The keystore of an application, made if it is not there.
pub(crate) fn new_keystore(loaded: &Loaded, name: &str) -> Result<FileKeystore, CommandError> {
    let spec = key_spec(name, application(loaded, name)?)?;
    FileKeystore::create_or_open(keys_folder(loaded, name), spec)
        .map_err(|error| explain::explain(error.into(), name))
}

fn state_folder(loaded: &Loaded, name: &str) -> PathBuf {
    loaded.resolve(&loaded.config.state).join(name)
}

fn keys_folder(loaded: &Loaded, name: &str) -> PathBuf {
    state_folder(loaded, name).join("keystore")
}

fn key_spec(name: &str, app: &Application) -> Result<KeySpec, CommandError> {
    let bits = KeySize::try_from(u32::from(app.key_size))
        .map_err(|error| CommandError::config(error.to_string()))?;
    let common_name = name.parse().map_err(|error| {
        CommandError::config(format!("`{name}` cannot be the subject of a certificate: {error}"))
    })?;
    Ok(KeySpec { bits, common_name })
}

fn connection(
    loaded: &Loaded,
    name: &str,
    app: &Application,
) -> Result<(Http, Cloud), CommandError> {
    let (cloud, custom) = match &app.cloud {
        CloudConfig::Named(CloudName::Global) => (Cloud::Global, false),
        CloudConfig::Named(CloudName::UsGovL4) => (Cloud::UsGovL4, false),
        CloudConfig::Named(CloudName::UsGovL5) => (Cloud::UsGovL5, false),
        CloudConfig::Named(CloudName::China) => (Cloud::China, false),
        CloudConfig::Custom(at) => {
            let cloud = Cloud::custom(&at.login, &at.graph);
            (cloud.map_err(|error| wrong(loaded, name, "cloud", error))?, true)
        }
    };
    let trust = match &app.ca_file {
        None => Trust::Platform,
        Some(path) => {
            let path = loaded.resolve(path);
            let pem = std::fs::read(&path).map_err(|error| {
                let what =
                    format!("applications.{name}.ca-file: could not read {}", path.display());
                CommandError::config(what).cause(error).hint(
                    "name the PEM file of the authority that login and Graph are certified by",
                )
            })?;
            let certificates =
                Trust::certificates(&pem).map_err(|e| wrong(loaded, name, "ca-file", e))?;
            if custom { Trust::Only(certificates) } else { Trust::PlatformAnd(certificates) }
        }
    };
    let variable = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| std::env::var(name).ok());
        found.filter(|value| !value.is_empty())
    };
    let bypass = variable(["NO_PROXY", "no_proxy"]);
    let proxy = app.proxy.clone().or_else(|| variable(["HTTPS_PROXY", "https_proxy"]));
    let proxy = proxy
        .map(|url| Proxy::new(&url, bypass.as_deref()))
        .transpose()
        .map_err(|error| wrong(loaded, name, "proxy", error))?;
    Ok((Http::new(Settings { trust, proxy }), cloud))
}

fn sinks(loaded: &Loaded, name: &str, app: &Application) -> Result<Sinks, CommandError> {
    app.sinks.iter().map(|sink| self::sink(loaded, name, sink)).collect()
}

fn sink(loaded: &Loaded, name: &str, sink: &SinkConfig) -> Result<Box<dyn Sink>, CommandError> {
    let built: Result<Box<dyn Sink>, SinkConfigError> = match sink {
        SinkConfig::Folder(sink) => folder_settings(loaded, sink)
            .and_then(FolderSink::new)
            .map(|sink| Box::new(sink) as Box<dyn Sink>),
        SinkConfig::Exec(sink) => exec_settings(loaded, name, sink)
            .and_then(ExecSink::new)
            .map(|sink| Box::new(sink) as Box<dyn Sink>),
    };
    built.map_err(|error| wrong(loaded, name, "sinks", error))
}

fn folder_settings(
    loaded: &Loaded,
    sink: &FolderSinkConfig,
) -> Result<FolderSettings, SinkConfigError> {
    let wants = |format| sink.formats.contains(&format);
    let profile = match (wants(FormatConfig::Pfx), wants(FormatConfig::PfxLegacy)) {
        (_, true) => Some(PfxProfile::Legacy3Des),
        (true, false) => Some(PfxProfile::Modern),
        (false, false) => None,
    };
    let pfx = profile.map(|profile| PfxSettings {
        password_file: sink
            .pfx_password_file
            .as_deref()
            .map_or_else(|| loaded.resolve(Path::new("pfx-password")), |path| loaded.resolve(path)),
        profile,
    });
    let account = |text: &String| Account::from_str(text).unwrap_or_else(|never| match never {});
    Ok(FolderSettings {
        name: sink.name.clone(),
        folder: loaded.resolve(&sink.path),
        layout: Layout {
            combined_pem: wants(FormatConfig::Bundle),
            separate_pem: wants(FormatConfig::Separate),
            pfx,
        },
        access: FolderAccess {
            owner: sink.owner.as_ref().map(account),
            group: sink.group.as_ref().map(account),
            key_mode: sink.mode.map(|mode| mode.0),
            ..FolderAccess::default()
        },
        notify: notify(sink.notify.as_ref())?,
    })
}

fn exec_settings(
    loaded: &Loaded,
    name: &str,
    sink: &ExecSinkConfig,
) -> Result<ExecSettings, SinkConfigError> {
    Ok(ExecSettings {
        name: sink.name.clone(),
        command: command_line(&sink.command, sink.timeout.0)?,
        format: match sink.input {
            InputConfig::Pem => ExecFormat::CombinedPem,
            InputConfig::Json => ExecFormat::Json,
        },
        state_file: state_folder(loaded, name).join(format!("sink-{}.json", sink.name)),
        notify: notify(sink.notify.as_ref())?,
    })
}

fn notify(command: Option<&CommandConfig>) -> Result<Option<Notify>, SinkConfigError> {
    command.map(|c| command_line(&c.command, c.timeout.0).map(Notify::new)).transpose()
}

/// A command inherits what it needs to run at all, and nothing that may be a secret of ours.
fn command_line(argv: &[String], timeout: Span) -> Result<CommandLine, SinkConfigError> {
    let inherited = INHERITABLE
        .iter()
        .filter_map(|name| std::env::var_os(name).map(|value| ((*name).to_owned(), value)));
    CommandLine::new(argv.iter().cloned(), Duration::from_secs(timeout.0))
        .map(|command| command.with_environment(inherited))
}

fn algorithm(algorithm: AlgorithmConfig) -> Algorithm {
    match algorithm {
        AlgorithmConfig::Rs256 => Algorithm::Rs256,
        AlgorithmConfig::Ps256 => Algorithm::Ps256,
    }
}

fn wrong(loaded: &Loaded, name: &str, key: &str, error: impl std::error::Error) -> CommandError {
    CommandError::config(format!("{}: applications.{name}.{key}", loaded.path.display()))
        .cause(error)
        .hint("docs/config.md, or a fresh `rollkey config init`, says what each key may be")
}
