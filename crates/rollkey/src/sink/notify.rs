//! The command that tells consumers of a delivery: restart, reload, signal.
//!
//! It is told what was delivered (`ROLLKEY_APPLICATION`, `ROLLKEY_THUMBPRINT`,
//! `ROLLKEY_GENERATION`) and gets no key: consumers read that from the sink. Its failure is a failed
//! delivery, because nobody knows then what the consumers use. It may be run more than once for one
//! delivery.

use super::command::{CommandLine, Errand};
use crate::ports::{Delivery, SinkError};

/// Tells consumers that there is something to read. Exit status 0 says that they have read it, or
/// will.
#[derive(Clone, Debug)]
pub struct Notify(CommandLine);

impl Notify {
    /// Tells them by this command, with nothing on its standard input.
    pub fn new(command: CommandLine) -> Self {
        Self(command)
    }

    pub(super) async fn run(&self, sink: &str, delivery: &Delivery) -> Result<(), SinkError> {
        self.0.run(Errand { sink, role: "notify", delivery, input: None }).await
    }
}
