//! Files that are whole or not there, and closed to others from the first byte.
//!
//! Everything particular to Unix about files (modes, owners, syncing a folder, links) stands here,
//! so that another system has one place to learn. Nothing here knows what the bytes mean.

use fail::fail_point;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What an unfinished file's name begins with: swept up by [`sweep`], never read.
pub const TEMPORARY: &str = ".rollkey-tmp-";

/// Who may read what is written. On Windows, files are as open as the folder that they are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Permission bits, as in `0o600`.
    pub mode: u32,
    /// Numeric owner; `None` leaves it ours.
    pub owner: Option<u32>,
    /// Numeric group; `None` leaves it ours.
    pub group: Option<u32>,
}

impl Access {
    /// A file that only we may read.
    pub const PRIVATE: Self = Self { mode: 0o600, owner: None, group: None };

    /// A folder that only we may enter.
    pub const PRIVATE_FOLDER: Self = Self { mode: 0o700, owner: None, group: None };
}

/// Writes a file that is there whole, and durably, or not at all.
///
/// A temporary file in the same folder, closed to others from the first byte, is written, synced,
/// and renamed over `path`; then the folder is synced.
///
/// # Errors
///
/// Those of the file system. `path` is then as it was, and no temporary file is left.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let folder = folder_of(path);
    let (temporary, mut file) = create_temporary(folder)?;
    fail_point!("durable::replace::created");
    let written = (|| {
        file.write_all(bytes)?;
        set_access(&file, access)?;
        file.sync_all()?;
        fail_point!("durable::replace::written");
        fs::rename(&temporary, path)
    })();
    if let Err(error) = written {
        // The first error is the one to tell; a leftover is swept up at the next look.
        _ = fs::remove_file(&temporary);
        return Err(error);
    }
    fail_point!("durable::replace::renamed");
    sync_folder(folder)
}

/// Creates a folder that only we (or `access`) may enter, with its parents. One that exists is
/// left as it is.
///
/// # Errors
///
/// Those of the file system.
pub fn create_folder(path: &Path, access: Access) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    if !parent.exists() {
        create_folder(parent, access)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, access.mode);
    match builder.create(path) {
        Ok(()) => (),
        // Somebody was quicker; that is as good.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    if access.owner.is_some() || access.group.is_some() {
        std::os::unix::fs::chown(path, access.owner, access.group)?;
    }
    sync_folder(parent)
}

/// Points `link` at `target`, in one step: a reader sees the old or the new, never neither.
///
/// # Errors
///
/// Those of the file system, and `AlreadyExists` if something other than a link is in the way.
pub fn switch_link(link: &Path, target: &Path) -> io::Result<()> {
    match fs::symlink_metadata(link) {
        Ok(found) if !found.file_type().is_symlink() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "not a symbolic link"));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let folder = folder_of(link);
    let temporary = temporary_name(folder);
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, &temporary)?;
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(target, &temporary)?;
    if let Err(error) = fs::rename(&temporary, link) {
        _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_folder(folder)
}

/// Makes creations, renames and removals in `folder` durable.
///
/// # Errors
///
/// Those of the file system.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows cannot open a folder to sync it; there a rename is as durable as it gets.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Removes temporary files that a crash left in `folder`. Call it only while nobody else writes
/// there.
///
/// # Errors
///
/// Those of the file system.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let removed = match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path()),
                false => fs::remove_file(entry.path()),
            };
            removed?;
        }
    }
    Ok(())
}

/// A name in `folder` that nobody uses, for an unfinished file, folder or link.
pub fn temporary_name(folder: &Path) -> PathBuf {
    folder.join(format!("{TEMPORARY}{}", uuid::Uuid::new_v4().simple()))
}

/// Opens (or creates, [`Access::PRIVATE`]) a file to append to it.
///
/// # Errors
///
/// Those of the file system.
pub fn open_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, Access::PRIVATE.mode);
    let existed = path.exists();
    let file = options.open(path)?;
    if !existed {
        sync_folder(folder_of(path))?;
    }
    Ok(file)
}

/// Opens (or creates, [`Access::PRIVATE`]) a file to read and write it in place, as a lock is.
///
/// # Errors
///
/// Those of the file system.
pub fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, Access::PRIVATE.mode);
    options.open(path)
}

/// The permission bits that `path` grants beyond `allowed`, if any; `None` where modes mean
/// nothing.
///
/// # Errors
///
/// Those of the file system.
pub fn mode_beyond(path: &Path, allowed: u32) -> io::Result<Option<u32>> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(path)?) & 0o7777;
        Ok((mode & !allowed & 0o777 != 0).then_some(mode))
    }
    #[cfg(not(unix))]
    {
        let _ = allowed;
        fs::metadata(path).map(|_| None)
    }
}

fn create_temporary(folder: &Path) -> io::Result<(PathBuf, File)> {
    let path = temporary_name(folder);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, Access::PRIVATE.mode);
    let file = options.open(&path)?;
    Ok((path, file))
}

#[cfg(unix)]
fn set_access(file: &File, access: Access) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, fchown};
    // The owner first: whoever may not give it away must not have opened it to others before.
    if access.owner.is_some() || access.group.is_some() {
        fchown(file, access.owner, access.group)?;
    }
    if access.mode != Access::PRIVATE.mode {
        file.set_permissions(fs::Permissions::from_mode(access.mode))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn set_access(_: &File, _: Access) -> io::Result<()> {
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
