//! Reads a capture from its start to its end, in batches.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::describe;
use super::notes::Notes;
use super::numbers::{narrow, size, wide};
use super::pcap::Pcap;
use super::pcapng::{Pcapng, is_pcapng};
use super::source::{Digest, Source, Stop, open_file};
use super::walker::{Move, Walker};
use super::{CaptureError, CaptureFacts, Format};
use crate::model::{Budget, FrameHead, FrameNo, LinkType};

/// Bytes asked for at once, the usual size of a batch.
const READ: usize = 1 << 20;
/// A batch that grew over this for one huge block is given back.
const KEEP: usize = 4 << 20;
/// Bytes looked at to tell the format.
const HEAD: usize = 28;

/// About a mebibyte of a capture as it was read, with the places of its frames; made to be used again and again.
#[derive(Debug, Default)]
pub struct Batch {
    /// The bytes as read, record headers between frames; what lies behind the last frame means nothing.
    pub bytes: Vec<u8>,
    /// The frames in capture order.
    pub frames: Vec<BatchFrame>,
}

/// A frame of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchFrame {
    /// What the capture says of it.
    pub head: FrameHead,
    /// Offset of its first captured byte in the batch; `head.captured_len` bytes belong to it.
    pub start: u32,
}

impl Batch {
    /// The captured bytes of one of its frames.
    #[inline]
    pub fn frame(&self, frame: &BatchFrame) -> &[u8] {
        let start = size(frame.start);
        let end = start.saturating_add(size(frame.head.captured_len));
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// A capture being read.
#[derive(Debug)]
pub struct CaptureReader {
    path: PathBuf,
    source: Source,
    file_size: Option<u64>,
    /// Whether a short read is made up for by another one; a pipe's frames are not held back for that.
    fills: bool,
    pub(super) walker: Walker,
    notes: Notes,
    /// Bytes read that begin an unfinished record.
    carry: Vec<u8>,
    /// Offset in the (unpacked) file of the next byte to walk over.
    pub(super) at: u64,
    /// The source has no more bytes.
    dry: bool,
    ended: bool,
}

impl CaptureReader {
    /// Opens a capture file, which must be a regular file. Its format is told by its first bytes, never by its name.
    pub fn open(path: &Path, budget: &Budget, digest: Digest) -> Result<Self, CaptureError> {
        Self::open_with(path, budget, digest, false)
    }

    /// `keeps_history`: whether frames will be read again.
    pub(super) fn open_with(
        path: &Path,
        budget: &Budget,
        digest: Digest,
        keeps_history: bool,
    ) -> Result<Self, CaptureError> {
        let (file, size) = open_file(path)?;
        let source = Source::file(file, digest).map_err(|error| CaptureError::from_io(error, path))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::start(source, path, name, Some(size), budget, keeps_history)
    }

    /// Reads a stream such as standard input, called `name`. Hashes it: nobody else can.
    pub fn from_stream(stream: Box<dyn Read + Send>, name: &str, budget: &Budget) -> Result<Self, CaptureError> {
        let path = Path::new(name);
        let source = Source::stream(stream, Digest::Inline).map_err(|error| CaptureError::from_io(error, path))?;
        Self::start(source, path, name.to_owned(), None, budget, false)
    }

    fn start(
        mut source: Source,
        path: &Path,
        name: String,
        size: Option<u64>,
        budget: &Budget,
        keeps_history: bool,
    ) -> Result<Self, CaptureError> {
        let path = path.to_path_buf();
        let (head, stop) = read_head(&mut source);
        match stop {
            Some(Stop::Failed(error)) => return Err(CaptureError::from_io(error, &path)),
            None if head.is_empty() => return Err(CaptureError::Empty { path }),
            _ => {}
        }
        let mut facts = CaptureFacts { name, container: source.container(), ..CaptureFacts::default() };
        let (walker, first) = if is_pcapng(&head) {
            facts.format = Format::Pcapng;
            (Walker::Pcapng(Pcapng::new(keeps_history)), 0)
        } else if let Some((pcap, format, interface)) = Pcap::open(&head) {
            facts.format = format;
            facts.sections = 1;
            facts.link_types.push(LinkType(interface.link));
            facts.interfaces.push(interface);
            let first = pcap.first_record;
            (Walker::Pcap(pcap), first)
        } else {
            let what = match stop {
                Some(Stop::Damaged(why)) => format!("something else: {why}"),
                _ => what(&head),
            };
            return Err(CaptureError::NotACapture { what, path });
        };
        let carry = head.get(first..).unwrap_or_default().to_vec();
        let mut reader = Self {
            path,
            fills: size.is_some(),
            source,
            file_size: size,
            walker,
            notes: Notes::new(facts, budget),
            carry,
            at: wide(first.min(head.len())),
            dry: false,
            ended: false,
        };
        if let Some(Stop::Damaged(why)) = stop {
            reader.damaged(0, &why);
        }
        Ok(reader)
    }

    /// Fills `batch` (cleared first) with the frames of the next mebibyte or so; `Ok(false)` at the end. Damage is no
    /// error: what is readable is read, and [`Self::facts`] say what was not.
    pub fn next_batch(&mut self, batch: &mut Batch) -> Result<bool, CaptureError> {
        batch.frames.clear();
        if self.ended {
            return Ok(false);
        }
        let bytes = &mut batch.bytes;
        if bytes.len() > KEEP && self.carry.len() < READ {
            bytes.truncate(READ);
            bytes.shrink_to_fit();
        }
        let mut filled = self.carry.len();
        make_room(bytes, filled);
        if let Some(front) = bytes.get_mut(..filled) {
            front.copy_from_slice(&self.carry);
        }
        self.carry.clear();
        let mut used = 0_usize;
        loop {
            filled = self.fill(bytes, filled)?;
            let base = self.at;
            let walked = used;
            while let Some(rest) = bytes.get(used..filled) {
                let at = base.saturating_add(wide(used.saturating_sub(walked)));
                match self.walker.next(rest, at, self.dry, &mut self.notes) {
                    Move::Frame { head, start, used: len } => {
                        batch.frames.push(BatchFrame { head, start: narrow(used.saturating_add(start)) });
                        used = used.saturating_add(len);
                    }
                    Move::Past(len) => used = used.saturating_add(len),
                    Move::More => break,
                }
            }
            self.at = base.saturating_add(wide(used.saturating_sub(walked)));
            if self.dry {
                self.walker.end(self.at, filled.saturating_sub(used), &mut self.notes);
                self.ended = true;
                return Ok(!batch.frames.is_empty());
            }
            if !batch.frames.is_empty() {
                self.carry.extend_from_slice(bytes.get(used..filled).unwrap_or_default());
                return Ok(true);
            }
            // Nothing but blocks without frames, or the start of a large one: keep only what is still needed.
            if used > 0 {
                bytes.copy_within(used.min(filled)..filled, 0);
                filled = filled.saturating_sub(used);
                used = 0;
            }
        }
    }

    /// Reads the next bytes behind those that are there; gives how many there are then.
    fn fill(&mut self, bytes: &mut Vec<u8>, filled: usize) -> Result<usize, CaptureError> {
        let mut filled = filled;
        if self.dry {
            return Ok(filled);
        }
        make_room(bytes, filled);
        let goal = filled.saturating_add(READ);
        while let Some(space) = bytes.get_mut(filled..goal).filter(|space| !space.is_empty()) {
            match self.source.read(space) {
                Ok(0) => self.dry = true,
                Ok(len) => filled = filled.saturating_add(len),
                Err(Stop::Failed(error)) => {
                    self.ended = true;
                    return Err(CaptureError::from_io(error, &self.path));
                }
                Err(Stop::Damaged(why)) => self.damaged(filled, &why),
            }
            if self.dry || !self.fills {
                break;
            }
        }
        Ok(filled)
    }

    /// The packing ends in damage, so many bytes after what was walked over.
    fn damaged(&mut self, ahead: usize, why: &str) {
        self.dry = true;
        self.notes.skipped(self.at.saturating_add(wide(ahead)), 0, why);
    }

    /// What is known of the capture so far.
    pub fn facts(&self) -> &CaptureFacts {
        &self.notes.facts
    }

    /// Bytes read of the file as it lies on disk, and its size where it has one.
    pub fn position(&self) -> (u64, Option<u64>) {
        (self.source.raw().count, self.file_size)
    }

    /// SHA-256 of the file as it lies on disk; `None` unless this reader hashes. Reads what is left of it.
    pub fn sha256(&mut self) -> Option<[u8; 32]> {
        self.source.sha256()
    }

    /// The walk with its file's path, for reading frames again.
    pub(super) fn again(&self, block: &[u8], number: FrameNo, at: u64, frame_bytes: u32) -> Option<(FrameHead, usize)> {
        match &self.walker {
            Walker::Pcap(pcap) => Some((pcap.again(block, number, at, frame_bytes)?, pcap.record_head())),
            Walker::Pcapng(pcapng) => pcapng.again(block, number, at, frame_bytes),
        }
    }
}

/// Room for one more read; bytes are zeroed only when the buffer grows.
fn make_room(bytes: &mut Vec<u8>, filled: usize) {
    let wanted = filled.saturating_add(READ);
    if bytes.len() < wanted {
        bytes.resize(wanted, 0);
    }
}

/// The first bytes, and what stopped reading them if something did.
fn read_head(source: &mut Source) -> (Vec<u8>, Option<Stop>) {
    let mut head = vec![0; HEAD];
    let mut filled = 0_usize;
    while let Some(space) = head.get_mut(filled..).filter(|space| !space.is_empty()) {
        match source.read(space) {
            Ok(0) => break,
            Ok(len) => filled = filled.saturating_add(len),
            Err(stop) => {
                head.truncate(filled);
                return (head, Some(stop));
            }
        }
    }
    head.truncate(filled);
    (head, None)
}

/// What a head that is no capture's looks like.
fn what(head: &[u8]) -> String {
    let begins = matches!(
        head,
        [0xA1, 0xB2, ..] | [_, _, 0xB2, 0xA1, ..] | [0x0A, 0x0D, 0x0D, 0x0A, ..] if head.len() < 24
    );
    if begins { "the first bytes of a capture, cut off before any frame".to_owned() } else { describe(head) }
}
