//! What an operator may ask of a folder, and what is refused.

use super::super::{SinkConfigError, accounts};
use super::{Account, BUNDLE, CERTIFICATES, KEY, PFX};
use crate::durable::Access;
use crate::sink::notify::Notify;
use std::path::PathBuf;

/// What a [`FolderSink`](super::FolderSink) is made of.
#[derive(Clone, Debug)]
pub struct FolderSettings {
    /// What an operator calls it.
    pub name: String,
    /// Where. It is created if need be.
    pub folder: PathBuf,
    /// Which files.
    pub layout: Layout,
    /// Who may read them.
    pub access: FolderAccess,
    /// Run after each delivery, if consumers must be told.
    pub notify: Option<Notify>,
}

/// Which files a version has, besides `meta.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// `bundle.pem`: the certificates, then the key.
    pub combined_pem: bool,
    /// `tls.crt` and `tls.key`. A consumer that opens them one after the other through `current`
    /// may get them of two versions.
    pub separate_pem: bool,
    /// `app.pfx`.
    pub pfx: Option<PfxSettings>,
}

/// How a PFX file is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PfxSettings {
    /// A file (mode 0600 or less) whose first line is the password. It is read at each delivery.
    pub password_file: PathBuf,
    /// Which algorithms.
    pub profile: PfxProfile,
}

/// The algorithms of a PFX file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PfxProfile {
    /// AES-256 and SHA-256.
    #[default]
    Modern,
    /// 3DES and SHA-1: what App Service asks for, and what everything reads.
    Legacy3Des,
}

/// Who owns what is written, and who may read it. The default is: we, and nobody else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderAccess {
    /// Owner of folders and files; otherwise ours.
    pub owner: Option<Account>,
    /// Group of folders and files; otherwise ours.
    pub group: Option<Account>,
    /// Of folders; otherwise 0700, or 0750 with a group.
    pub folder_mode: Option<u32>,
    /// Of private keys and PFX files; otherwise 0600, or 0640 with a group.
    pub key_mode: Option<u32>,
    /// Of certificates; otherwise 0644.
    pub certificate_mode: Option<u32>,
}

/// [`FolderAccess`], judged and complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Modes {
    pub(super) folder: Access,
    pub(super) key: Access,
    pub(super) certificate: Access,
}

impl Layout {
    /// The names of the files, in the order in which they are written.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let combined = self.combined_pem.then_some(BUNDLE);
        let certificates = self.separate_pem.then_some(CERTIFICATES);
        let key = self.separate_pem.then_some(KEY);
        let pfx = self.pfx.is_some().then_some(PFX);
        [combined, certificates, key, pfx].into_iter().flatten().collect()
    }
}

impl FolderSettings {
    pub(super) fn judge(&self) -> Result<Modes, SinkConfigError> {
        let sink = &self.name;
        if sink.is_empty() {
            return Err(SinkConfigError::NoName);
        }
        if self.layout.names().is_empty() {
            return Err(SinkConfigError::NoFiles { sink: sink.clone() });
        }
        let FolderAccess { owner, group, folder_mode, key_mode, certificate_mode } = &self.access;
        let (folder, key) = if group.is_some() { (0o750, 0o640) } else { (0o700, 0o600) };
        let folder = self.mode("the folder", *folder_mode, folder, 0o007)?;
        let key = self.mode("private keys", *key_mode, key, 0o007)?;
        let certificate = self.mode("certificates", *certificate_mode, 0o644, 0o002)?;
        let owner = owner.as_ref().map(|owner| accounts::user(sink, owner)).transpose()?;
        let group = group.as_ref().map(|group| accounts::group(sink, group)).transpose()?;
        let access = |mode| Access { mode, owner, group };
        Ok(Modes { folder: access(folder), key: access(key), certificate: access(certificate) })
    }

    fn mode(
        &self,
        what: &'static str,
        asked: Option<u32>,
        default: u32,
        forbidden: u32,
    ) -> Result<u32, SinkConfigError> {
        let mode = asked.unwrap_or(default);
        let sink = self.name.clone();
        match mode {
            _ if mode & !0o777 != 0 => Err(SinkConfigError::NotAMode { sink, mode }),
            _ if mode & forbidden != 0 => Err(SinkConfigError::OpenToAll { sink, what, mode }),
            _ => Ok(mode),
        }
    }
}
