//! Where a live capture is written: standard output, one file, or files one after another, of which the oldest may go.
//!
//! Comes in: whole blocks. Goes out: files that end with a whole block whatever happens. Never: a file of somebody else's
//! overwritten unasked, the last of a disk taken, a wait for a reader that does not read once the capture is to end.

use core::time::Duration;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::statvfs::fstatvfs;

use super::stop::StopSign;
use super::write::whole_blocks;
use crate::model::{Timestamp, clean};

/// What is left free of a disk; of a small one an eighth.
const RESERVE: u64 = 64 << 20;

/// How long the free space is taken to be what it was.
const SPACE_HOLDS: Duration = Duration::from_secs(1);

/// Bytes written to a pipe at once: room for some of them is waited for, so that a stop is seen while nobody reads.
const PIPE_STEP: usize = 64 << 10;

/// Room that there is in a pipe which says that it can be written to (`PIPE_BUF`).
const PIPE_ROOM: usize = 4096;

/// How long a reader may take once the capture is to end.
const LAST_WAIT_MILLIS: u16 = 300;

/// Where to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file; for files one after another the pattern of their names.
    File(PathBuf),
}

/// Why nothing more can be written.
#[derive(Debug)]
pub(super) enum WriteFault {
    /// Nobody reads the pipe any more.
    ReaderGone,
    /// In words.
    Other(String),
}

/// What a fault left behind of the blocks that were to be written.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub(super) fault: WriteFault,
    /// Frames that were kept all the same.
    pub(super) frames: u64,
    /// Whether a few more blocks would fit: the disk is only nearly full.
    pub(super) room: bool,
}

/// The file, or the newest of the files.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "two say what kind of place it is, two what state it is in")]
pub(super) struct Output {
    file: File,
    name: String,
    /// A file on a disk, that can be cut; else a pipe or a device.
    on_disk: bool,
    pipe: bool,
    /// Bytes that may be written before the free space is asked for again.
    allowance: u64,
    asked: Option<Instant>,
    /// Whether nothing more can be written to it.
    pub(super) broken: bool,
    /// Whether only the counters are to come, for which the reserve may be touched.
    pub(super) last_words: bool,
}

impl Output {
    /// Standard output.
    pub(super) fn stdout() -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Self::of(file, "standard output".to_owned())
    }

    /// A new file, or one that was there where that was asked for. Only its owner may read it: a capture holds secrets.
    pub(super) fn create(path: &Path, overwrite: bool) -> Result<Self, String> {
        let name = clean(path.as_os_str().as_encoded_bytes()).into_owned();
        let there = fs::metadata(path).ok();
        let device = there.as_ref().is_some_and(|there| is_device(there.file_type()));
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        if !device {
            options.create(true).truncate(overwrite).create_new(!overwrite);
        }
        let opened = options.open(path).and_then(|file| Self::of(file, name.clone()));
        opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("there is a file of this name already; --overwrite replaces it: {name}")
            }
            io::ErrorKind::NotFound => format!("there is no such folder to write to: {name}"),
            io::ErrorKind::PermissionDenied => format!("this user may not write there: {name}"),
            io::ErrorKind::IsADirectory => format!("this is a folder, name a file in it: {name}"),
            _ => format!("cannot write: {error}: {name}"),
        })
    }

    fn of(file: File, name: String) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        let pipe = kind.is_fifo() || kind.is_socket();
        #[cfg(target_os = "linux")]
        if pipe {
            // A larger pipe means fewer turns for both ends. The system may refuse: then it is as large as it was.
            let _refused = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETPIPE_SZ(1 << 20));
        }
        Ok(Self {
            file,
            name,
            on_disk: kind.is_file(),
            pipe,
            allowance: 0,
            asked: None,
            broken: false,
            last_words: false,
        })
    }

    /// Writes whole blocks. Where that fails the file is cut after the last block that is whole.
    pub(super) fn write(&mut self, blocks: &[u8], stop: &mut StopSign) -> Result<(), Unwritten> {
        if let Err(why) = self.find_room(blocks.len()) {
            return Err(Unwritten { fault: WriteFault::Other(why), frames: 0, room: true });
        }
        let mut done = 0_usize;
        let fault = loop {
            let rest = blocks.get(done..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            if self.pipe && !self.reader_reads(stop) {
                break WriteFault::Other(format!("nobody reads {}", self.name));
            }
            let step = match self.pipe {
                // What has surely room; a longer write that has begun comes back when the signal arrives.
                true if stop.asked() => rest.get(..PIPE_ROOM).unwrap_or(rest),
                true => rest.get(..PIPE_STEP).unwrap_or(rest),
                false => rest,
            };
            match self.file.write(step) {
                Ok(0) => break WriteFault::Other(format!("cannot write on: {}", self.name)),
                Ok(count) => done = done.saturating_add(count),
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break WriteFault::ReaderGone,
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                    break WriteFault::Other(format!("the disk is full: {}", self.name));
                }
                Err(error) => break WriteFault::Other(format!("cannot write on: {error}: {}", self.name)),
            }
        };
        let (whole, frames) = whole_blocks(blocks, done);
        if self.on_disk
            && let Err(error) = self.cut(done.saturating_sub(whole))
        {
            let fault = WriteFault::Other(format!("cannot cut off half a block: {error}: {}", self.name));
            return Err(Unwritten { fault, frames, room: false });
        }
        Err(Unwritten { fault, frames, room: false })
    }

    /// Takes bytes off the end.
    fn cut(&mut self, len: usize) -> io::Result<()> {
        let end = self.file.stream_position()?.saturating_sub(u64::try_from(len).unwrap_or(u64::MAX));
        self.file.set_len(end)?;
        self.file.seek(io::SeekFrom::Start(end)).map(|_at| ())
    }

    /// Whether there is room for so many bytes, with the reserve untouched.
    fn find_room(&mut self, len: usize) -> Result<(), String> {
        if !self.on_disk || self.last_words {
            return Ok(());
        }
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        let now = super::record::clock();
        let fresh = self.asked.is_some_and(|asked| now.duration_since(asked) < SPACE_HOLDS);
        if fresh && len <= self.allowance {
            self.allowance = self.allowance.saturating_sub(len);
            return Ok(());
        }
        let Ok(disk) = fstatvfs(&self.file) else { return Ok(()) };
        let unit = disk.fragment_size();
        let free = wide(disk.blocks_available()).saturating_mul(unit);
        let reserve = RESERVE.min(wide(disk.blocks()).saturating_mul(unit) >> 3);
        let Some(usable) = free.checked_sub(reserve).filter(|usable| *usable >= len) else {
            return Err(format!(
                "the disk is nearly full: {} MiB are left, of which {} MiB are not touched: {}",
                free >> 20,
                reserve >> 20,
                self.name
            ));
        };
        self.asked = Some(now);
        // Others write there too: so ask again before it could be short.
        self.allowance = usable.saturating_sub(len) >> 1;
        Ok(())
    }

    /// Waits until a pipe takes something. `false` where the capture is to end and the reader does not read.
    fn reader_reads(&self, stop: &mut StopSign) -> bool {
        while !stop.asked() {
            let mut wait = vec![PollFd::new(self.file.as_fd(), PollFlags::POLLOUT)];
            wait.extend(stop.descriptors().map(|one| PollFd::new(one, PollFlags::POLLIN)));
            // An interrupted wait is looked at again.
            let _interrupted = poll(&mut wait, PollTimeout::NONE);
            if wait.first().and_then(PollFd::any) == Some(true) {
                return true;
            }
        }
        let mut wait = [PollFd::new(self.file.as_fd(), PollFlags::POLLOUT)];
        poll(&mut wait, PollTimeout::from(LAST_WAIT_MILLIS)).is_ok_and(|ready| ready > 0)
    }
}

/// A count of blocks, which some systems keep in 32 bits.
fn wide(count: impl Into<u64>) -> u64 {
    count.into()
}

/// Whether this is a place to write to that is no file on a disk.
pub(super) fn is_device(kind: fs::FileType) -> bool {
    kind.is_fifo() || kind.is_char_device() || kind.is_block_device() || kind.is_socket()
}

/// The names of files one after another, as dumpcap gives them: `NAME_00001_20261125190000.ENDING`. The time is UTC.
#[derive(Debug)]
pub(super) struct Series {
    pattern: PathBuf,
    /// How many are kept; `None` keeps all.
    keep: Option<usize>,
    /// Those that are kept, the newest last.
    kept: VecDeque<PathBuf>,
    /// How many there were.
    pub(super) count: u32,
}

impl Series {
    pub(super) fn new(pattern: PathBuf, keep: Option<usize>) -> Self {
        Self { pattern, keep, kept: VecDeque::new(), count: 0 }
    }

    /// The name of the next file.
    pub(super) fn next(&mut self, now: Timestamp) -> PathBuf {
        self.count = self.count.saturating_add(1);
        let (year, month, day, hour, minute, second, _) = now.civil();
        let mut name = self.pattern.file_stem().map_or_else(OsString::new, OsString::from);
        name.push(format!("_{:05}_{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}", self.count));
        if let Some(ending) = self.pattern.extension() {
            name.push(".");
            name.push(ending);
        }
        let path = self.pattern.with_file_name(name);
        self.kept.push_back(path.clone());
        path
    }

    /// Removes what is more than the ring keeps; gives what could not be removed.
    pub(super) fn drop_oldest(&mut self) -> Option<String> {
        while self.keep.is_some_and(|keep| self.kept.len() > keep.max(1)) {
            let oldest = self.kept.pop_front()?;
            match fs::remove_file(&oldest) {
                // Somebody else has removed it: so much the better.
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let name = clean(oldest.as_os_str().as_encoded_bytes()).into_owned();
                    return Some(format!("cannot remove the oldest file: {error}: {name}"));
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dumpcaps() {
        let mut series = Series::new(PathBuf::from("/x/frames.pcapng"), Some(2));
        let at = Timestamp::from_parts(1_795_633_200, 0);
        assert_eq!(series.next(at), Path::new("/x/frames_00001_20261125190000.pcapng"));
        assert_eq!(series.next(at), Path::new("/x/frames_00002_20261125190000.pcapng"));
        assert_eq!(Series::new(PathBuf::from("plain"), None).next(at), Path::new("plain_00001_20261125190000"));
    }

    #[test]
    fn a_ring_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let mut series = Series::new(folder.path().join("a.pcapng"), Some(2));
        for second in 0..5 {
            fs::write(series.next(Timestamp::from_parts(second, 0)), b"").unwrap();
            assert_eq!(series.drop_oldest(), None);
        }
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["a_00004_19700101000003.pcapng", "a_00005_19700101000004.pcapng"]);
    }

    #[test]
    fn nothing_is_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcapng");
        fs::write(&path, b"somebody's").unwrap();
        assert!(Output::create(&path, false).unwrap_err().contains("--overwrite"));
        assert_eq!(fs::read(&path).unwrap(), b"somebody's");
        drop(Output::create(&path, true).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert!(Output::create(&folder.path().join("no/a.pcapng"), false).unwrap_err().contains("no such folder"));
        drop(Output::create(Path::new("/dev/null"), false).unwrap());
    }

    #[test]
    fn half_a_block_is_cut_off_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcapng");
        let mut output = Output::create(&path, false).unwrap();
        output.file.write_all(b"0123456789").unwrap();
        output.cut(4).unwrap();
        output.file.write_all(b"ab").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"012345ab");
    }
}
