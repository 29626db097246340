//! What an error of the library means to an operator: message, cause, hint, exit code.

use crate::error::CommandError;
use crate::{report, words};
use rollkey::ports::{DirectoryError, JournalError, KeystoreError, TokenError};
use rollkey::rotation::{Look, ReconcileError};
use rollkey_core::Blocker;

/// A pass that came to nothing.
pub(crate) fn explain(error: ReconcileError, name: &str) -> CommandError {
    let came_to_nothing =
        || CommandError::failed("this pass came to nothing; the next run will try again");
    match error {
        ReconcileError::Keystore(error) => keystore(error, name),
        ReconcileError::Directory(error) => {
            let hint = directory_hint(&error, name);
            with(directory_failed(&error, came_to_nothing).cause(error), hint)
        }
        ReconcileError::Token(error) => {
            let hint = token_hint(&error);
            let failed = match error {
                TokenError::Refused(_) => {
                    CommandError::blocked("the token endpoint refuses, and not because of the key")
                }
                _ => came_to_nothing(),
            };
            with(failed.cause(error), hint)
        }
        ReconcileError::Journal(error) => {
            let hint = match &error {
                JournalError::Damaged { place, .. } => Some(format!(
                    "losing the journal is safe and costs one wait of `propagation`: mv {place} {place}.damaged"
                )),
                JournalError::Version { .. } => Some("use the version that wrote it".to_owned()),
                JournalError::Io { .. } => {
                    Some("mend the cause; nothing is done without a journal".to_owned())
                }
                _ => None,
            };
            with(CommandError::failed("nothing was done: there is no journal").cause(error), hint)
        }
        ReconcileError::ProofRefused { ref suspicions, .. } => {
            let hints: Vec<_> = suspicions.iter().map(|s| format!("probably: {s}")).collect();
            let failed = came_to_nothing().cause(error);
            hints.into_iter().fold(failed, CommandError::hint)
        }
        ReconcileError::ClockWrong { .. } => {
            CommandError::failed("nothing was done: a clock is wrong")
                .cause(error)
                .hint("set this machine's clock (timedatectl set-ntp true), then run this again")
        }
        other => came_to_nothing().cause(other),
    }
}

fn directory_failed(
    error: &DirectoryError,
    came_to_nothing: impl Fn() -> CommandError,
) -> CommandError {
    match error {
        DirectoryError::NotFound(..) | DirectoryError::Forbidden { .. } => {
            CommandError::blocked("the directory refuses, and will again")
        }
        DirectoryError::Rejected { .. } => {
            CommandError::blocked("the directory refuses what we ask for, and will again")
        }
        _ => came_to_nothing(),
    }
}

fn directory_hint(error: &DirectoryError, name: &str) -> Option<String> {
    Some(match error {
        DirectoryError::Unreachable(_) => {
            "check the network, `proxy` and `ca-file` in the configuration".to_owned()
        }
        DirectoryError::OutcomeUnknown { .. } => {
            format!("nothing is lost: rollkey rotate {name} looks again before it writes")
        }
        DirectoryError::NotFound(..) => {
            "is `object-id` the object ID (not the application ID), and `kind` right?".to_owned()
        }
        DirectoryError::Forbidden { .. } => {
            "an application may roll its own keys only: is this its own object?".to_owned()
        }
        DirectoryError::Rejected { refusal, .. } => match refusal.code.as_str() {
            "CredentialInvalidLifetimeAsPerAppPolicy" => {
                "a policy of your tenant caps the lifetime: shorten `lifetime` in [policy]"
                    .to_owned()
            }
            "CredentialTypeNotAllowedAsPerAppPolicy" => {
                "a policy of your tenant forbids such certificates: ask who keeps it".to_owned()
            }
            "Directory_ResourceSizeExceeded" => {
                "the object is full: remove keys that nobody uses".to_owned()
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn token_hint(error: &TokenError) -> Option<String> {
    Some(match error {
        TokenError::Unreachable(_) => {
            "check the network, `proxy` and `ca-file` in the configuration".to_owned()
        }
        TokenError::WrongTime(_) => "set this machine's clock".to_owned(),
        TokenError::Refused(refusal) => match refusal.code.as_str() {
            "AADSTS700016" => "is `app-id` right, and registered in this tenant?".to_owned(),
            "AADSTS90002" | "AADSTS900023" => "is `tenant-id` right?".to_owned(),
            "AADSTS1002012" | "AADSTS500011" => "are the `scopes` right?".to_owned(),
            "AADSTS53003" => {
                "a Conditional Access policy for workload identities blocks it".to_owned()
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn keystore(error: KeystoreError, name: &str) -> CommandError {
    match &error {
        KeystoreError::Busy { .. } => CommandError::failed("nothing was done")
            .cause(error)
            .hint("it is safe to run this as often as you like; the other process will finish"),
        KeystoreError::Exposed { place, expected, .. } => {
            let hint = format!("chmod {expected:o} {place}");
            CommandError::failed("nothing was done: the keys are open to others")
                .cause(error)
                .hint(hint)
        }
        KeystoreError::Io { source, .. } if not_found(source.as_ref()) => {
            CommandError::blocked(format!("there is no key of {name}")).cause(error).hint(format!(
                "bring in the key that is registered now: rollkey import {name} FILE"
            ))
        }
        KeystoreError::Damaged { .. } => {
            CommandError::blocked("nothing was done: the keystore makes no sense").cause(error)
        }
        _ => CommandError::failed("this pass came to nothing; the next run will try again")
            .cause(error),
    }
}

fn not_found(error: &(dyn std::error::Error + 'static)) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn with(error: CommandError, hint: Option<String>) -> CommandError {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// No step of ours can help.
pub(crate) fn blocked(why: Blocker, name: &str, look: &Look) -> CommandError {
    let (what, hint) = words::blocker(why);
    let error = CommandError::blocked(what).hint(hint.replace("NAME", name));
    let said = look.unreadable.as_ref().map(report::unreadable);
    said.into_iter().fold(error, |mut error, cause| {
        error.causes.push(cause);
        error
    })
}

/// Whether the same pass may succeed in a minute, with nobody doing anything.
pub(crate) fn passes(error: &ReconcileError) -> bool {
    match error {
        ReconcileError::Directory(error) => matches!(
            error,
            DirectoryError::Unreachable(_)
                | DirectoryError::OutcomeUnknown { .. }
                | DirectoryError::Throttled { .. }
                | DirectoryError::ProofRefused(_)
                | DirectoryError::TokenRefused(_)
        ),
        ReconcileError::Token(error) => {
            matches!(error, TokenError::Unreachable(_) | TokenError::Throttled { .. })
        }
        ReconcileError::Keystore(error) => {
            matches!(error, KeystoreError::Busy { .. } | KeystoreError::MovedOn { .. })
        }
        // The signing key may be too fresh for some replica.
        ReconcileError::ProofRefused { .. } | ReconcileError::NoToken(_) => true,
        _ => false,
    }
}

/// An error and its causes in one line.
pub(crate) fn one_line(error: &ReconcileError) -> String {
    let failed = CommandError::failed("").cause(error);
    failed.causes.join(": ")
}
