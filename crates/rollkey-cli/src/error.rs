//! What a command says when it does not succeed: what failed, the cause, what to do; and the exit
//! code that a script can use.

use std::fmt::Display;
use std::process::ExitCode;

/// Who must do something now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It did not work this time; running it again may.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// The configuration makes no sense.
    Config,
    /// No step of ours can help: a person must act.
    Blocked,
}

impl Kind {
    /// The exit codes are a promise: docs/cli.md lists them.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Blocked => 4,
        }
    }

    /// For `--json`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Blocked => "blocked",
        }
    }
}

/// A command that did not succeed. One line each, lower case, no full stop.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

impl CommandError {
    fn new(kind: Kind, message: impl Display) -> Self {
        Self { kind, message: message.to_string(), causes: Vec::new(), hints: Vec::new() }
    }

    pub(crate) fn failed(message: impl Display) -> Self {
        Self::new(Kind::Failed, message)
    }

    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn config(message: impl Display) -> Self {
        Self::new(Kind::Config, message)
    }

    pub(crate) fn blocked(message: impl Display) -> Self {
        Self::new(Kind::Blocked, message)
    }

    /// Adds a cause, and what caused that, down to the root.
    pub(crate) fn cause(mut self, error: impl std::error::Error) -> Self {
        let mut next: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = next {
            let text = error.to_string();
            // Some libraries say their source's words again.
            if self.causes.last() != Some(&text) && self.message != text {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.exit_code())
    }
}
