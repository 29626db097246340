//! A command and all that it starts, as one group that can be ended together.
//!
//! What is particular to Unix about commands stands here, so that another system has one place to
//! learn. Nothing here knows what a command is for.

use rustix::process::{Pid, Signal, kill_process_group};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use tokio::process::{Child, Command};

/// Starts the command in a process group of its own.
pub(super) fn in_own_group(command: &mut Command) {
    command.process_group(0);
}

/// The group of a command that has not ended. Dropped before it was [released](Self::release), it
/// ends the command and whatever the command started.
pub(super) struct Group(Option<Pid>);

impl Group {
    /// The group that `child` leads.
    pub(super) fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// Lets the command's children live: it has ended by itself.
    pub(super) fn release(&mut self) {
        self.0 = None;
    }

    /// Ends them all, at once.
    pub(super) fn kill(&mut self) {
        if let Some(leader) = self.0.take() {
            // Its leader has not been waited for, so the number is still ours. If it has ended by
            // itself in this moment, there is nobody to signal, and that is as good.
            _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The signal that ended a command.
pub(super) fn signal(status: ExitStatus) -> Option<i32> {
    status.signal()
}
