//! Where a live capture is kept while it goes on: a folder with the files that the capture process writes, one of them or
//! a ring.
//!
//! The folder is locked as long as a window owns it. A folder without owner is left over from a program that died, and is
//! offered at the next start.

use std::convert::Infallible;
use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::programs::SocketOwner;
use super::tail::files;
use crate::model::Timestamp;

/// The file whose lock says that the folder has an owner.
const LOCK: &str = "owned";
/// The file that tells what is captured.
const ABOUT: &str = "interface";
/// The capture's file where it is no ring; of a ring `frames_00001_20261125190000.pcapng` and so on.
pub(super) const FILE: &str = "frames.pcapng";
/// How often a folder's lock is asked for before it belongs to another window, and how long between.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);
/// Longest name of an interface that is read back.
const NAME_BYTES: usize = 256;

/// The folder of a capture, and whether it still grows.
#[derive(Clone, Debug)]
pub struct Spool {
    /// The folder.
    pub folder: PathBuf,
    /// Nothing is ever sent here. While the sender lives the files grow; once it is dropped they are whole.
    pub growing: Receiver<Infallible>,
    /// Who has the sockets of the machine that is captured on; `None` where that is not this one.
    pub owners: Option<Receiver<Vec<SocketOwner>>>,
}

impl PartialEq for Spool {
    fn eq(&self, other: &Self) -> bool {
        self.folder == other.folder && self.growing.same_channel(&other.growing)
    }
}

impl Eq for Spool {}

impl Spool {
    /// A folder whose files grow until the sender is dropped.
    pub fn growing(folder: &Path) -> (Self, Sender<Infallible>) {
        let (grows, growing) = bounded(0);
        (Self { folder: folder.to_owned(), growing, owners: None }, grows)
    }

    /// A folder whose files do not grow any more.
    pub fn whole(folder: &Path) -> Self {
        Self::growing(folder).0
    }

    /// The file that a capture without a ring is written to.
    pub fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The files that are there, in the order in which they were written.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        Ok(files(&self.folder)?.into_iter().map(|(_, path)| path).collect())
    }
}

/// A spool folder that this process owns. Dropping it gives it up; the files stay.
#[derive(Debug)]
pub struct SpoolFolder {
    folder: PathBuf,
    /// Locked as long as it is open. The system lets go of it too when the process dies.
    _lock: File,
}

impl SpoolFolder {
    /// A new folder for a capture that begins at `now`, in `all`, else in the usual place.
    pub fn create(all: Option<&Path>, device: &str, now: Timestamp) -> io::Result<Self> {
        let Some(all) = all.map(Path::to_owned).or_else(home) else {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "neither XDG_CACHE_HOME nor HOME is set, so there is no place to keep a live capture",
            ));
        };
        Self::create_in(&all, device, now)
    }

    fn create_in(all: &Path, device: &str, now: Timestamp) -> io::Result<Self> {
        create_private(all, true)?;
        let (year, month, day, hour, minute, second, _) = now.civil();
        let began = format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z");
        // Two captures that begin in the same second get folders of their own.
        for n in 1..100_u32 {
            let name = if n == 1 { began.clone() } else { format!("{began}-{n}") };
            let folder = all.join(name);
            match create_private(&folder, false) {
                Ok(()) => {
                    let lock = File::create(folder.join(LOCK))?;
                    lock.try_lock().map_err(io::Error::from)?;
                    fs::write(folder.join(ABOUT), device)?;
                    return Ok(Self { folder, _lock: lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Takes over what another program left behind; an error where it lives after all.
    pub fn adopt(folder: &Path) -> io::Result<Self> {
        let lock = File::options().write(true).open(folder.join(LOCK))?;
        for left in (0..TRIES).rev() {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error),
                // A process that is just begun has all that is open here until it is another program.
                Err(TryLockError::WouldBlock) if left > 0 => thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another window has it open"));
                }
            }
        }
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Deletes what was captured.
    pub fn discard(self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

/// A capture that was neither saved nor thrown away when its program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its folder.
    pub folder: PathBuf,
    /// What was captured from, as it was written down.
    pub device: String,
    /// When it began.
    pub began: Timestamp,
    /// Bytes captured.
    pub bytes: u64,
}

/// Captures without an owner in the usual place and in `other`, the newest first. Empty folders are cleared away.
pub fn orphans(other: Option<&Path>) -> Vec<Orphan> {
    let usual = home();
    let other = other.filter(|other| usual.as_deref() != Some(*other));
    let mut found: Vec<Orphan> = usual.as_deref().into_iter().chain(other).flat_map(orphans_in).collect();
    found.sort_by_key(|orphan| core::cmp::Reverse((orphan.began, orphan.folder.clone())));
    found
}

fn orphans_in(all: &Path) -> Vec<Orphan> {
    let Ok(entries) = fs::read_dir(all) else { return Vec::new() };
    let mut found: Vec<Orphan> = entries.filter_map(|entry| orphan(&entry.ok()?.path())).collect();
    found.sort_by_key(|orphan| core::cmp::Reverse((orphan.began, orphan.folder.clone())));
    found
}

fn orphan(folder: &Path) -> Option<Orphan> {
    let began = began(folder.file_name()?.to_str()?)?;
    let owned = SpoolFolder::adopt(folder).ok()?;
    let bytes = files(folder).ok()?.iter().filter_map(|(_, file)| fs::metadata(file).ok()).map(|m| m.len()).sum();
    if bytes == 0 {
        // Nothing was captured; that it cannot be removed is no harm.
        let _kept = owned.discard();
        return None;
    }
    let mut device = fs::read(folder.join(ABOUT)).unwrap_or_default();
    device.truncate(NAME_BYTES);
    Some(Orphan { folder: folder.to_owned(), device: String::from_utf8_lossy(&device).into_owned(), began, bytes })
}

/// When a folder's capture began, by its name.
fn began(name: &str) -> Option<Timestamp> {
    let (date, rest) = name.split_once('T')?;
    let time = rest.split_once('Z')?.0.replace('-', ":");
    let moment: jiff::Timestamp = format!("{date}T{time}Z").parse().ok()?;
    Some(Timestamp::from_parts(moment.as_second(), 0))
}

/// Where captures are kept: the user's folder for what can be made again, since a capture that matters is saved elsewhere.
fn home() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Caches"))
    } else {
        // The XDG Base Directory Specification has relative paths ignored.
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
    };
    Some(cache?.join("nephoscope").join("captures"))
}

/// A folder that only its owner can look into: it holds what other people said.
fn create_private(folder: &Path, with_parents: bool) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(with_parents);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{SpoolFolder, began, orphans_in};
    use crate::model::Timestamp;

    const NOW: Timestamp = Timestamp(1_795_633_649_000_000_000);

    #[test]
    fn what_a_dead_program_left_is_found_again() {
        let all = tempfile::tempdir().unwrap();
        let owned = SpoolFolder::create_in(all.path(), "eth0", NOW).unwrap();
        let second = SpoolFolder::create_in(all.path(), "eth1", NOW).unwrap();
        assert_ne!(owned.path(), second.path());
        fs::write(owned.path().join("frames.pcapng"), b"12345").unwrap();
        fs::write(second.path().join("frames_00002_20261125190000.pcapng"), b"1234567").unwrap();
        assert_eq!(orphans_in(all.path()), [], "owned ones are nobody else's");
        drop(owned);
        drop(second);
        // Processes that other tests begin have our locks for a moment.
        let mut tries = (0..100).map(|_| {
            std::thread::sleep(super::BETWEEN_TRIES);
            orphans_in(all.path())
        });
        let found = tries.find(|found| found.len() == 2).unwrap();
        let told: Vec<_> = found.iter().map(|o| (o.device.as_str(), o.began, o.bytes)).collect();
        assert_eq!(told, [("eth1", NOW, 7), ("eth0", NOW, 5)]);
        for orphan in found {
            SpoolFolder::adopt(&orphan.folder).unwrap().discard().unwrap();
        }
        assert_eq!(fs::read_dir(all.path()).unwrap().count(), 0);
    }

    #[test]
    fn empty_folders_are_cleared_away() {
        let all = tempfile::tempdir().unwrap();
        drop(SpoolFolder::create_in(all.path(), "eth0", NOW).unwrap());
        fs::create_dir(all.path().join("something else")).unwrap();
        let cleared = (0..100).any(|_| {
            std::thread::sleep(super::BETWEEN_TRIES);
            assert_eq!(orphans_in(all.path()), []);
            fs::read_dir(all.path()).unwrap().count() == 1
        });
        assert!(cleared && all.path().join("something else").is_dir(), "only our own are touched");
    }

    #[test]
    fn names_say_when() {
        assert_eq!(began("2026-11-25T19-07-29Z"), Some(NOW));
        assert_eq!(began("2026-11-25T19-07-29Z-2"), Some(NOW));
        assert_eq!(began("2026-13-25T19-07-29Z"), None);
        assert_eq!(began("notes"), None);
    }
}
