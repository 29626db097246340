//! Where output goes: answers to standard output, everything else to standard error.

use crate::error::CommandError;
use crate::report::Failure;
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};

/// How answers are printed.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether somebody watches standard error.
    pub(crate) fn watched(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// A line of an answer for people; silent with `--json`.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            self.raw(text.as_ref());
        }
    }

    /// A document for scripts; silent without `--json`.
    pub(crate) fn json(&self, document: &impl Serialize) {
        if self.json {
            self.raw(&serde_json::to_string(document).unwrap_or_default());
        }
    }

    /// A line of an answer, whoever reads it.
    pub(crate) fn raw(&self, text: &str) {
        // A reader who has left (`| head`) is no reason to fail half-way.
        _ = writeln!(anstream::stdout(), "{text}");
    }

    /// A remark to whoever watches.
    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        _ = writeln!(anstream::stderr(), "warning: {}", text.as_ref());
    }

    /// Error, causes, hints: one per line.
    pub(crate) fn failure(&self, error: &CommandError) {
        self.json(&Failure::of(error));
        let mut stderr = anstream::stderr().lock();
        _ = writeln!(stderr, "error: {}", error.message);
        for cause in &error.causes {
            _ = writeln!(stderr, "cause: {cause}");
        }
        for hint in &error.hints {
            _ = writeln!(stderr, "hint: {hint}");
        }
    }
}

/// Starts logging to standard error, if it was asked for.
pub(crate) fn log(filter: Option<&str>) {
    let Some(filter) = filter else { return };
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(filter);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
