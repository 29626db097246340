//! Names of users and groups, looked up in the system's database when a sink is built.
//!
//! Looked up once: what a name means should not change between two deliveries unnoticed. Nothing
//! here decides who should own what.

use super::SinkConfigError;
use std::convert::Infallible;
use std::str::FromStr;

/// A user or a group, as an operator writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// By number.
    Id(u32),
    /// By name.
    Name(String),
}

impl FromStr for Account {
    type Err = Infallible;

    /// Digits are a number, everything else is a name.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
    }
}

/// The number of a user.
pub(super) fn user(sink: &str, account: &Account) -> Result<u32, SinkConfigError> {
    resolve(sink, "user", account, system::user)
}

/// The number of a group.
pub(super) fn group(sink: &str, account: &Account) -> Result<u32, SinkConfigError> {
    resolve(sink, "group", account, system::group)
}

fn resolve(
    sink: &str,
    kind: &'static str,
    account: &Account,
    look_up: fn(&str) -> std::io::Result<Option<u32>>,
) -> Result<u32, SinkConfigError> {
    let name = match account {
        Account::Id(id) => return Ok(*id),
        Account::Name(name) => name.clone(),
    };
    let sink = sink.to_owned();
    match look_up(&name) {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(SinkConfigError::UnknownAccount { sink, kind, name }),
        Err(error) => Err(SinkConfigError::Accounts { sink, kind, name, source: error.into() }),
    }
}

#[cfg(unix)]
mod system {
    use nix::unistd::{Group, User};
    use std::io;

    pub(super) fn user(name: &str) -> io::Result<Option<u32>> {
        Ok(User::from_name(name)?.map(|user| user.uid.as_raw()))
    }

    pub(super) fn group(name: &str) -> io::Result<Option<u32>> {
        Ok(Group::from_name(name)?.map(|group| group.gid.as_raw()))
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;

    pub(super) fn user(_: &str) -> io::Result<Option<u32>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) use user as group;
}
