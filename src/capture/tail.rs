//! The files of a spool folder, read one after another while they grow.
//!
//! `frames.pcapng` alone, or a ring of `frames_NUMBER_….pcapng`, of which the oldest may be gone. A file is finished when a
//! later one is there or the spool grows no more; that is asked before the look at the file's end, so that nothing written
//! in between is missed.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crossbeam_channel::TryRecvError;

use super::Spool;
use super::numbers::wide;
use super::spool::FILE;
use crate::model::Timestamp;

/// Bits of a record's offset that count bytes of its file; the file's number stands above them.
const OFFSET_BITS: u32 = 40;

/// How long a file of several may be in bytes: more would not fit the offsets of its records.
pub(super) const LONGEST_FILE: u64 = 1 << OFFSET_BITS;

/// A record's offset in a spool, from the file's number and the offset in that file.
pub(super) fn spool_offset(file: u64, at: u64) -> u64 {
    file.wrapping_shl(OFFSET_BITS) | at
}

/// The offset in its own file of a record in one of several.
pub fn offset_in_file(offset: u64) -> u64 {
    file_and_offset(offset).1
}

/// The file's number and the offset in that file.
pub(super) fn file_and_offset(offset: u64) -> (u64, u64) {
    (offset.wrapping_shr(OFFSET_BITS), offset & 1_u64.wrapping_shl(OFFSET_BITS).wrapping_sub(1))
}

/// The file of a spool with this number; `None` where it is not there (any more).
pub(super) fn spool_file(folder: &Path, number: u64) -> io::Result<Option<PathBuf>> {
    Ok(files(folder)?.into_iter().find(|(n, _)| *n == number).map(|(_, path)| path))
}

/// The files of a spool with their numbers, ascending.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(number) = path.file_name().and_then(|name| number_of(name.to_str()?)) {
            files.push((number, path));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// 0 for `frames.pcapng`, the number in the name for a file of a ring.
fn number_of(name: &str) -> Option<u64> {
    if name == FILE {
        return Some(0);
    }
    let digits = name.strip_prefix("frames_")?.strip_suffix(".pcapng")?.split('_').next()?;
    // More than this does not fit above the offset.
    digits.parse().ok().filter(|number| *number > 0 && *number < 1 << 24)
}

/// The file that reading goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NextFile {
    /// Its number.
    pub(super) number: u64,
    /// Files before it that were removed before they were read.
    pub(super) missed: u64,
}

/// What a look at the spool gave.
#[derive(Debug)]
pub(super) enum Piece {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    NotYet,
    /// The file is over (if there was one); reading goes on with another.
    Next(NextFile),
    /// Nothing more will come.
    End,
}

/// What follows the file that is read.
#[derive(Debug, Default)]
enum Follows {
    #[default]
    Unsure,
    Nothing,
    File(u64, PathBuf),
}

/// A spool being read.
#[derive(Debug)]
pub(super) struct Tail {
    spool: Spool,
    file: Option<File>,
    number: u64,
    /// What follows the file, once that is sure; then it is read to its end.
    follows: Follows,
    /// The spool grew when it was opened: then the ring's first file is the first.
    from_the_start: bool,
}

impl Tail {
    pub(super) fn new(spool: Spool) -> Self {
        let mut tail = Self { spool, file: None, number: 0, follows: Follows::Unsure, from_the_start: false };
        tail.from_the_start = !tail.is_whole();
        tail
    }

    /// Whether the files grow no more.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.spool.growing.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Bytes of all files, where they grow no more.
    pub(super) fn whole_size(&self) -> Option<u64> {
        let all = if self.is_whole() { files(&self.spool.folder).ok()? } else { return None };
        all.iter().map(|(_, path)| fs::metadata(path).map(|m| m.len()).ok()).sum()
    }

    /// Waits until the spool is whole, at most so long.
    pub(super) fn wait(&self, at_most: Duration) {
        let _whole_or_not = self.spool.growing.recv_timeout(at_most);
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Piece> {
        loop {
            if let Some(file) = &mut self.file {
                let len = file.read(buffer)?;
                if len > 0 {
                    return Ok(Piece::Bytes(len));
                }
            }
            match core::mem::take(&mut self.follows) {
                Follows::Unsure => {
                    let whole = self.is_whole();
                    self.follows = match self.later()? {
                        Some((number, path)) => Follows::File(number, path),
                        None if whole => Follows::Nothing,
                        None => return Ok(Piece::NotYet),
                    };
                }
                Follows::Nothing => {
                    self.follows = Follows::Nothing;
                    return Ok(Piece::End);
                }
                Follows::File(number, path) => match File::open(&path) {
                    Ok(file) => {
                        let expected = self.number.saturating_add(1);
                        let first = self.file.is_none() && (number == 0 || !self.from_the_start);
                        let missed = if first { 0 } else { number.saturating_sub(expected) };
                        self.file = Some(file);
                        self.number = number;
                        return Ok(Piece::Next(NextFile { number, missed }));
                    }
                    // The ring was faster: look again.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// The first file behind the one that is read.
    fn later(&self) -> io::Result<Option<(u64, PathBuf)>> {
        if self.file.is_some() && self.number == 0 {
            return Ok(None);
        }
        match files(&self.spool.folder) {
            Ok(files) => Ok(files.into_iter().find(|(number, _)| self.file.is_none() || *number > self.number)),
            // A folder that is gone holds nothing more; one that is not there yet may come.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A pipe that another thread reads, so that waiting for it can be given up.
#[derive(Debug)]
pub(super) struct Pipe {
    chunks: crossbeam_channel::Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
}

impl Pipe {
    /// Starts the thread that reads `stream`; it ends with the stream, or once nobody listens any more.
    pub(super) fn start(mut stream: Box<dyn io::Read + Send>) -> io::Result<Self> {
        let (to, chunks) = crossbeam_channel::bounded(8);
        std::thread::Builder::new().name("pipe".to_owned()).spawn(move || {
            let mut buffer = vec![0; PIPE_READ];
            loop {
                let piece = match stream.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(len) => Ok(buffer.get(..len).unwrap_or_default().to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = piece.is_err();
                if to.send(piece).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Self { chunks, chunk: io::Cursor::default() })
    }

    /// Waits until bytes are there or the end has come, at most so long.
    pub(super) fn wait(&mut self, at_most: Duration) {
        let held = wide(self.chunk.get_ref().len()) > self.chunk.position();
        if held {
            return;
        }
        if let Ok(Ok(chunk)) = self.chunks.recv_timeout(at_most) {
            self.chunk = io::Cursor::new(chunk);
        }
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Piece> {
        loop {
            let len = self.chunk.read(buffer)?;
            if len > 0 || buffer.is_empty() {
                return Ok(Piece::Bytes(len));
            }
            match self.chunks.try_recv() {
                Ok(chunk) => self.chunk = io::Cursor::new(chunk?),
                Err(TryRecvError::Empty) => return Ok(Piece::NotYet),
                Err(TryRecvError::Disconnected) => return Ok(Piece::End),
            }
        }
    }
}

/// Whether a frame of that time was captured within the last two seconds, by this machine's clock.
#[expect(clippy::disallowed_methods, reason = "tells a live capture from an old one; nothing of the analysis")]
pub fn is_of_this_moment(time: Timestamp) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp::from_nanos(i128::try_from(now.as_nanos()).unwrap_or(i128::MAX));
    now.nanos_since(time).unsigned_abs() < 2_000_000_000
}

/// Bytes read from a pipe at once: as many as Linux keeps in one.
const PIPE_READ: usize = 64 << 10;
