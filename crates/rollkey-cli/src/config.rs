//! `rollkey.toml`: what an operator writes, read strictly.
//!
//! The doc comments here are the comments of `rollkey config init` and `config show`, and the text
//! of `docs/config.md`. What cannot be read is refused, with its place; nothing is silently
//! replaced. Nothing here opens a network connection or a keystore.

pub(crate) mod load;
mod markdown;
mod render;
mod value;

pub(crate) use markdown::markdown;
pub(crate) use render::{render, template};

use rollkey_core::{AppId, ObjectId, Policy, PolicyError, Span, TenantId, Terms};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole file.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// Folder in which the private keys and the journals are kept, one folder per application.
    /// Only its owner may read it. Relative paths, here and below, start from the folder of this
    /// file.
    #[serde(default = "default_state")]
    pub(crate) state: PathBuf,

    /// The applications, by the names that you give them.
    #[serde(default)]
    pub(crate) applications: BTreeMap<String, Application>,
}

/// One application, and how its key is rolled.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Application {
    /// Application (client) ID: `appId` in Graph.
    #[serde(with = "value::guid")]
    #[schemars(with = "String", example = &"11111111-1111-1111-1111-111111111111")]
    pub(crate) app_id: AppId,

    /// Directory (tenant) ID.
    #[serde(with = "value::guid")]
    #[schemars(with = "String", example = &"22222222-2222-2222-2222-222222222222")]
    pub(crate) tenant_id: TenantId,

    /// Object ID: `id` in Graph of what `kind` says. Optional: without it, the object is addressed
    /// by its application ID, which costs one more request and needs permission to read it.
    #[serde(default, with = "value::optional_guid", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = &"33333333-3333-3333-3333-333333333333")]
    pub(crate) object_id: Option<ObjectId>,

    /// Where the key is registered: `application`, or `service-principal`.
    #[serde(default)]
    pub(crate) kind: Kind,

    /// `global`, `us-gov-l4`, `us-gov-l5` or `china`; or another pair of addresses, as
    /// `{ login = "https://login.example", graph = "https://graph.example" }`.
    #[serde(default)]
    pub(crate) cloud: CloudConfig,

    /// PEM file with the certificates to trust for login and Graph, beside this machine's own. With
    /// another pair of addresses, those alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"ca.pem")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Proxy for login and Graph. Otherwise the environment variables `HTTPS_PROXY` and
    /// `NO_PROXY` say which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"http://proxy.example:3128")]
    pub(crate) proxy: Option<String>,

    /// Bits of a new RSA key: 2048, 3072 or 4096. Entra takes no other kind.
    #[serde(default)]
    pub(crate) key_size: KeySizeConfig,

    /// Scopes for which a new key must be accepted before consumers get it. Replicas of different
    /// services learn of it at different times. Empty means Microsoft Graph's.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,

    /// How proofs of possession are signed. Only `RS256` is known to be accepted.
    #[serde(default = "rs256")]
    pub(crate) proof_algorithm: AlgorithmConfig,

    /// How client assertions are signed: `PS256`, as documented, or `RS256`, which is still
    /// accepted.
    #[serde(default = "ps256")]
    pub(crate) assertion_algorithm: AlgorithmConfig,

    /// When to rotate, and how long old and new live side by side.
    #[serde(default)]
    pub(crate) policy: PolicyConfig,

    /// Where consumers read the key. Without a sink, the key stays in the state folder.
    #[serde(default)]
    pub(crate) sinks: Vec<SinkConfig>,
}

/// Where a key is registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    #[default]
    Application,
    ServicePrincipal,
}

/// Where login and Graph are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected `global`, `us-gov-l4`, `us-gov-l5`, `china`, or { login = \"https://…\", graph = \"https://…\" }"
)]
pub(crate) enum CloudConfig {
    Named(CloudName),
    Custom(CustomCloud),
}

/// A cloud of Microsoft's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CloudName {
    Global,
    UsGovL4,
    UsGovL5,
    China,
}

/// Another pair of addresses: a proxy of one's own, or the emulator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomCloud {
    /// Where login is.
    pub(crate) login: String,
    /// Where Graph is.
    pub(crate) graph: String,
}

impl Default for CloudConfig {
    fn default() -> Self {
        Self::Named(CloudName::Global)
    }
}

/// Bits of a new key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) enum KeySizeConfig {
    #[default]
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

impl TryFrom<u32> for KeySizeConfig {
    type Error = &'static str;

    fn try_from(bits: u32) -> Result<Self, Self::Error> {
        match bits {
            2048 => Ok(Self::Rsa2048),
            3072 => Ok(Self::Rsa3072),
            4096 => Ok(Self::Rsa4096),
            _ => Err("`key-size` is 2048, 3072 or 4096"),
        }
    }
}

impl From<KeySizeConfig> for u32 {
    fn from(size: KeySizeConfig) -> u32 {
        match size {
            KeySizeConfig::Rsa2048 => 2048,
            KeySizeConfig::Rsa3072 => 3072,
            KeySizeConfig::Rsa4096 => 4096,
        }
    }
}

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum AlgorithmConfig {
    Rs256,
    Ps256,
}

/// When to rotate, and how long old and new live side by side.
///
/// Periods are written `30d`, `12h`, `15m`, `90s`, or several: `1d12h`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PolicyConfig {
    /// Start a rotation this long before the certificate expires. Shorter than `lifetime`, and at
    /// least 10 minutes longer than `propagation`, `settle` and `overlap` together.
    pub(crate) renew_before: value::Period,
    /// Lifetime of a new certificate. Your tenant may cap it (app management policy).
    pub(crate) lifetime: value::Period,
    /// Keep the previous key registered this long after the last consumer was switched: as long as
    /// your slowest consumer needs to notice. At least `20m`.
    pub(crate) overlap: value::Period,
    /// How long a new key must have worked before consumers get it. Replicas were seen to lag for
    /// 20 minutes, and to change their mind.
    pub(crate) settle: value::Period,
    /// How long after a change a "not there" may be mere lag between replicas.
    pub(crate) propagation: value::Period,
    /// Pause before asking again.
    pub(crate) poll: value::Period,
}

impl Default for PolicyConfig {
    /// The core's own defaults: no number stands in two places.
    fn default() -> Self {
        let terms = Terms::default();
        Self {
            renew_before: value::Period(terms.renew_before),
            lifetime: value::Period(terms.lifetime),
            overlap: value::Period(terms.overlap),
            settle: value::Period(terms.settle),
            propagation: value::Period(terms.propagation),
            poll: value::Period(terms.poll),
        }
    }
}

impl PolicyConfig {
    /// The only way from what was written to what is believed.
    pub(crate) fn policy(&self, audiences: usize) -> Result<Policy, PolicyError> {
        Policy::new(Terms {
            renew_before: self.renew_before.0,
            lifetime: self.lifetime.0,
            propagation: self.propagation.0,
            settle: self.settle.0,
            overlap: self.overlap.0,
            poll: self.poll.0,
            audiences: u8::try_from(audiences).unwrap_or(u8::MAX),
        })
    }
}

/// Where consumers read the key.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum SinkConfig {
    /// A folder of versions, with a link `current` that is switched in one step.
    #[serde(rename_all = "kebab-case")]
    Folder(FolderSinkConfig),
    /// A command that takes the key on its standard input.
    #[serde(rename_all = "kebab-case")]
    Exec(ExecSinkConfig),
}

/// A folder of versions, with a link `current` that is switched in one step.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FolderSinkConfig {
    /// What you call it; unique for the application.
    pub(crate) name: String,
    /// The folder. Consumers read `current/bundle.pem` and the like in it.
    pub(crate) path: PathBuf,
    /// Which files: `bundle` (certificate and key in one PEM), `separate` (`tls.crt`, `tls.key`),
    /// `pfx`, `pfx-legacy` (3DES, for readers that know no AES).
    #[serde(default = "default_formats")]
    pub(crate) formats: Vec<FormatConfig>,
    /// File with the password of the PFX, its first line. Needed for `pfx` and `pfx-legacy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"pfx-password")]
    pub(crate) pfx_password_file: Option<PathBuf>,
    /// Owner of folder and files, by name or number; otherwise whoever runs rollkey. Needs the right
    /// to give files away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"billing")]
    pub(crate) owner: Option<String>,
    /// Group of folder and files, by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"ssl-cert")]
    pub(crate) group: Option<String>,
    /// Mode of the files that hold the private key, in octal; otherwise 0600, or 0640 with a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"0640")]
    pub(crate) mode: Option<value::Mode>,
    /// Command that tells the consumers after each delivery. If it fails, so did the delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notify: Option<CommandConfig>,
}

/// A command that takes the key on its standard input.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ExecSinkConfig {
    /// What you call it; unique for the application.
    pub(crate) name: String,
    /// The program and its arguments; no shell is involved. It gets the certificate and the key on
    /// its standard input, and `ROLLKEY_APPLICATION`, `ROLLKEY_THUMBPRINT`, `ROLLKEY_GENERATION`
    /// in its environment. Exit code 0 says that the key is delivered.
    pub(crate) command: Vec<String>,
    /// What it gets: `pem` (certificate and key), or `json`.
    #[serde(default)]
    pub(crate) input: InputConfig,
    /// How long it may take.
    #[serde(default = "default_timeout")]
    pub(crate) timeout: value::Period,
    /// Command that tells the consumers after each delivery. If it fails, so did the delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notify: Option<CommandConfig>,
}

/// A command to run.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct CommandConfig {
    /// The program and its arguments; no shell is involved.
    #[schemars(example = ["systemctl", "reload", "billing"])]
    pub(crate) command: Vec<String>,
    /// How long it may take.
    #[serde(default = "default_timeout")]
    pub(crate) timeout: value::Period,
}

/// A file that a folder sink writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FormatConfig {
    Bundle,
    Separate,
    Pfx,
    PfxLegacy,
}

/// What an exec sink's command gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum InputConfig {
    #[default]
    Pem,
    Json,
}

fn default_state() -> PathBuf {
    PathBuf::from("/var/lib/rollkey")
}

fn default_formats() -> Vec<FormatConfig> {
    vec![FormatConfig::Bundle]
}

fn default_timeout() -> value::Period {
    value::Period(Span::minutes(1))
}

fn rs256() -> AlgorithmConfig {
    AlgorithmConfig::Rs256
}

fn ps256() -> AlgorithmConfig {
    AlgorithmConfig::Ps256
}
