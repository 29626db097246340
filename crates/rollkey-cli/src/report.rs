//! What `--json` prints. The names of fields are a promise: they are documented in `docs/cli.md`,
//! and converted by hand from what is in memory.

use crate::error::CommandError;
use crate::words;
use rollkey::answer::Refusal;
use rollkey::rotation::{Look, Parts, Unreadable};
use rollkey_core::{Decision, Registration, Thumbprint};
use schemars::JsonSchema;
use serde::Serialize;

/// One line of `rotate --json`: a step that was taken.
#[derive(Serialize, JsonSchema)]
pub(crate) struct StepTaken {
    /// `step`.
    pub(crate) event: &'static str,
    /// The application's name in the configuration.
    pub(crate) application: String,
    /// When it was decided, RFC 3339, UTC.
    pub(crate) at: String,
    /// `stage`, `register`, `probe`, `promote`, `deliver`, `remove` or `discard`.
    pub(crate) step: &'static str,
    /// Why: a section of `docs/operations.md`.
    pub(crate) reason: String,
    /// SHA-1 thumbprint of the key that it is about; absent for `stage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thumbprint: Option<String>,
    /// For `deliver`: the sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sink: Option<String>,
    /// For `probe`: whether the key was accepted. For `deliver`: whether it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accepted: Option<bool>,
    /// What was said instead, or why the delivery failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<String>,
}

/// Last line of `rotate --json`, and `decision` of `status --json`: what is to be done next.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Next {
    /// `next`.
    pub(crate) event: &'static str,
    /// The application's name in the configuration.
    pub(crate) application: String,
    /// When it was decided, RFC 3339, UTC.
    pub(crate) at: String,
    /// `act`, `wait` or `blocked`.
    pub(crate) decision: &'static str,
    /// For `act`: the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<&'static str>,
    /// For `wait`: come back then, RFC 3339, UTC. Earlier is harmless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// Why: a section of `docs/operations.md`.
    pub(crate) reason: String,
}

/// `status --json`: one of these per application, in a list.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Status {
    /// The application's name in the configuration.
    pub(crate) application: String,
    /// Application (client) ID.
    pub(crate) app_id: String,
    /// Keys in our custody.
    pub(crate) keys: Vec<Key>,
    /// Other entries of the directory; absent if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) foreign_keys: Option<Vec<ForeignKey>>,
    /// Why the directory could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) directory_unreadable: Option<String>,
    /// Where consumers read the key.
    pub(crate) sinks: Vec<SinkStatus>,
    /// Seconds by which our clock is ahead of the service's; negative if it is behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clock_ahead: Option<i64>,
    /// What is to be done next.
    pub(crate) next: Next,
}

/// A key in our custody.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Key {
    /// `pending`, `current` or `previous`.
    pub(crate) slot: &'static str,
    /// SHA-1, 40 hexadecimal digits.
    pub(crate) thumbprint: String,
    /// SHA-256, 64 hexadecimal digits.
    pub(crate) thumbprint_sha256: String,
    /// `expired`, `local`, `unproven`, `settling` or `proven`.
    pub(crate) standing: &'static str,
    /// `present`, `absent` or `unknown`.
    pub(crate) registration: &'static str,
    /// Its entry in the directory, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_id: Option<String>,
    /// Expiry of the certificate, RFC 3339, UTC.
    pub(crate) not_after: String,
    /// Whole days until then; 0 when it has expired.
    pub(crate) days_left: u64,
}

/// An entry of the directory that is not ours.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ForeignKey {
    /// Its `keyId`.
    pub(crate) key_id: String,
    /// SHA-1, where the directory shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thumbprint: Option<String>,
}

/// A sink.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SinkStatus {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// SHA-1 thumbprint of the key that consumers read; absent if no delivery was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holds: Option<String>,
    /// Since when, RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    /// When a delivery failed that has not succeeded since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed_at: Option<String>,
}

/// `import --json`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ImportReport {
    /// The application's name in the configuration.
    pub(crate) application: String,
    /// SHA-1, 40 hexadecimal digits.
    pub(crate) thumbprint: String,
    /// Subject of the certificate.
    pub(crate) subject: String,
    /// Bits of the RSA key.
    pub(crate) key_size: u32,
    /// RFC 3339, UTC.
    pub(crate) not_before: String,
    /// RFC 3339, UTC.
    pub(crate) not_after: String,
    /// Certificates of issuers that came with it.
    pub(crate) issuers: usize,
}

/// `config check --json` and `config init --json`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ConfigReport {
    /// `config`.
    pub(crate) event: &'static str,
    /// The file that was read or written.
    pub(crate) path: String,
    /// How many applications it names.
    pub(crate) applications: usize,
}

/// `emulator --json`, once it listens.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EmulatorReport {
    /// `emulator`.
    pub(crate) event: &'static str,
    /// Address of login.
    pub(crate) login: String,
    /// Address of Graph.
    pub(crate) graph: String,
    /// Directory (tenant) ID.
    pub(crate) tenant_id: String,
    /// Repeats this run with `--seed`.
    pub(crate) seed: u64,
    /// The file that names every address, id and path.
    pub(crate) world: String,
}

/// Any command that does not succeed, with `--json`, on standard output.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Failure {
    /// `error`.
    pub(crate) event: &'static str,
    /// `failed`, `usage`, `config` or `blocked`.
    pub(crate) kind: &'static str,
    /// 1, 2, 3 or 4.
    pub(crate) exit_code: u8,
    /// What failed.
    pub(crate) error: String,
    /// Why, down to the root.
    pub(crate) causes: Vec<String>,
    /// What to do.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    pub(crate) fn of(error: &CommandError) -> Self {
        Self {
            event: "error",
            kind: error.kind.name(),
            exit_code: error.kind.exit_code(),
            error: error.message.clone(),
            causes: error.causes.clone(),
            hints: error.hints.clone(),
        }
    }
}

impl Next {
    pub(crate) fn of(look: &Look, parts: &Parts) -> Self {
        let (decision, step, until, reason) = match &look.decision {
            Decision::Act(step, why) => {
                ("act", Some(words::step_name(step)), None, format!("{why:?}"))
            }
            Decision::Wait(until, why) => {
                ("wait", None, Some(words::instant(*until)), format!("{why:?}"))
            }
            Decision::Blocked(why) => ("blocked", None, None, format!("{why:?}")),
        };
        Self {
            event: "next",
            application: parts.name.clone(),
            at: words::instant(look.now),
            decision,
            step,
            until,
            reason,
        }
    }
}

impl Status {
    pub(crate) fn of(look: &Look, parts: &Parts) -> Self {
        let held: Vec<Thumbprint> = look.seen.credentials().map(|c| c.held.thumbprint).collect();
        let foreign = look.listed.as_ref().map(|listed| {
            let others = listed.iter().filter(|entry| !held.iter().any(|key| entry.is(*key)));
            others
                .map(|entry| ForeignKey {
                    key_id: entry.key_id.to_string(),
                    thumbprint: entry.sha1.map(|sha1| sha1.to_string()),
                })
                .collect()
        });
        Self {
            application: parts.name.clone(),
            app_id: parts.app.to_string(),
            keys: look.seen.credentials().map(|c| key(c, look, parts)).collect(),
            foreign_keys: foreign,
            directory_unreadable: look.unreadable.as_ref().map(unreadable),
            sinks: look
                .seen
                .sinks
                .iter()
                .zip(&parts.sinks)
                .map(|(state, sink)| SinkStatus {
                    name: sink.name().to_owned(),
                    holds: state.delivered.map(|d| d.key.to_string()),
                    since: state.delivered.map(|d| words::instant(d.since)),
                    failed_at: state.failed_at.map(words::instant),
                })
                .collect(),
            clock_ahead: look.clocks.map(|(theirs, ours)| {
                i64::try_from(ours.0).unwrap_or(i64::MAX)
                    - i64::try_from(theirs.0).unwrap_or(i64::MAX)
            }),
            next: Next::of(look, parts),
        }
    }
}

fn key(credential: &rollkey_core::Credential, look: &Look, parts: &Parts) -> Key {
    let held = credential.held;
    let (registration, key_id) = match credential.registration {
        Registration::Absent => ("absent", None),
        Registration::Present(id) => ("present", Some(id.to_string())),
        Registration::Unknown => ("unknown", None),
    };
    Key {
        slot: words::slot(held.slot),
        thumbprint: held.thumbprint.sha1.to_string(),
        thumbprint_sha256: held.thumbprint.sha256.to_string(),
        standing: words::standing(credential.standing(&parts.policy, look.now)),
        registration,
        key_id,
        not_after: words::instant(held.not_after),
        days_left: held.not_after.since(look.now).0 / 86_400,
    }
}

/// Why the directory could not be read, in one line.
pub(crate) fn unreadable(why: &Unreadable) -> String {
    let said = |refusal: &Refusal| refusal.to_string();
    match why {
        Unreadable::Forbidden(refusal) => format!("we may not read it: {}", said(refusal)),
        Unreadable::NoToken(refusal) => format!("no key of ours is accepted: {}", said(refusal)),
        Unreadable::NoKey => "we hold no key that could ask".to_owned(),
    }
}
