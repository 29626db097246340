//! Files that are whole or not there, and closed to others from the first byte.
//!
//! Everything particular to Unix about files (modes, owners, syncing a folder, links) stands here,
//! so that another system has one place to learn. Nothing here knows what the bytes mean.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    let temporary = temporary_name_of(path);
    let written = create(&temporary, bytes, access).and_then(|()| {
        fail::fail_point!("durable::replace::written");
        fs::rename(&temporary, path)
    });
    if let Err(error) = written {
        // The first error is the one to tell; a leftover is swept up at the next look.
        _ = fs::remove_file(&temporary);
        return Err(error);
    }
    fail::fail_point!("durable::replace::renamed");
    sync_folder(folder)
}

/// Creates a file where none is, durably but for its name: that is what [`sync_folder`] is for. It
/// is closed to others until it is whole.
///
/// # Errors
///
/// Those of the file system. An unfinished file may be left.
pub fn create(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, Access::PRIVATE.mode);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    set_access(&file, access)?;
    file.sync_all()
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
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, access.mode & 0o700);
    match builder.create(path) {
        Ok(()) => (),
        // Somebody was quicker; that is as good.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, chown};
        if access.owner.is_some() || access.group.is_some() {
            chown(path, access.owner, access.group)?;
        }
        // Said again, because the umask may have taken away what others are to have.
        fs::set_permissions(path, fs::Permissions::from_mode(access.mode))?;
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

/// Removes what crashes left of [`replace`] on `path`, and nothing that belongs to a neighbour. Call
/// it only while nobody else writes to `path`.
///
/// # Errors
///
/// Those of the file system.
pub fn sweep_after(path: &Path) -> io::Result<()> {
    let prefix = temporary_prefix_of(path);
    for entry in fs::read_dir(folder_of(path))? {
        let entry = entry?;
        let ours = entry.file_name().to_string_lossy().strip_prefix(&prefix).map(str::len);
        if ours == Some(UNIQUE_LEN) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A name in `folder` that nobody uses, for an unfinished file, folder or link.
pub fn temporary_name(folder: &Path) -> PathBuf {
    folder.join(format!("{TEMPORARY}{}", unique()))
}

fn temporary_name_of(path: &Path) -> PathBuf {
    folder_of(path).join(format!("{}{}", temporary_prefix_of(path), unique()))
}

fn temporary_prefix_of(path: &Path) -> String {
    format!("{TEMPORARY}{}-", path.file_name().unwrap_or_default().to_string_lossy())
}

/// The length of [`unique`].
const UNIQUE_LEN: usize = 32;

fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()
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

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// With others who only read.
    Shared,
    /// Alone.
    Alone,
}

/// How long [`lock`] waits. Who works behind such a lock is done in much less, or has stalled.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often [`lock`] asks.
const POLL: Duration = Duration::from_millis(20);

/// Locks `file` against other processes, and against other handles in this one, until it is closed.
/// A crash leaves no lock behind. Outside of a tokio runtime nothing can wait, so it asks once.
///
/// # Errors
///
/// `WouldBlock` if somebody else has it for longer than `patience`.
pub async fn lock(file: &File, hold: Hold, patience: Duration) -> io::Result<()> {
    let mut left = patience;
    loop {
        let taken = match hold {
            Hold::Shared => file.try_lock_shared(),
            Hold::Alone => file.try_lock(),
        };
        match taken {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => (),
        }
        if left.is_zero() || tokio::runtime::Handle::try_current().is_err() {
            let problem = "another process is at work on it";
            return Err(io::Error::new(io::ErrorKind::WouldBlock, problem));
        }
        let pause = left.min(POLL);
        tokio::time::sleep(pause).await;
        left -= pause;
    }
}

/// Whether `path` still names the file that is open: [`replace`] puts another in its place.
///
/// # Errors
///
/// Those of the file system, except that there is no such file.
pub fn is_still(file: &File, path: &Path) -> io::Result<bool> {
    let named = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        named => named?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let open = file.metadata()?;
        Ok((named.dev(), named.ino()) == (open.dev(), open.ino()))
    }
    // There, an open file cannot be replaced.
    #[cfg(not(unix))]
    {
        let _ = (file, named);
        Ok(true)
    }
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
