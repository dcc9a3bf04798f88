//! Reads a capture from its start to its end, in batches.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::describe;
use super::har::{self, Har};
use super::notes::Notes;
use super::numbers::{narrow, size, wide};
use super::pcap::Pcap;
use super::pcapng::{Pcapng, is_pcapng};
use super::source::{Digest, Source, Stop, open_file};
use super::tail::{NextFile, spool_offset};
use super::walker::{Move, Walker};
use super::{CaptureError, CaptureFacts, Container, Format, Spool};
use crate::model::{Budget, FrameHead, FrameNo, LinkType, Secret, Timestamp};

/// Bytes asked for at once, the usual size of a batch.
pub(super) const READ: usize = 1 << 20;
/// A batch that grew over this for one huge block is given back.
pub(super) const KEEP: usize = 4 << 20;
/// Bytes looked at to tell the format.
const HEAD: usize = 28;
/// Moments in a batch without frames: a file of nothing else must not fill memory.
pub(super) const MOMENTS: usize = 4_096;
/// How long a start waits between two looks.
const LOOK: Duration = Duration::from_millis(30);

/// About a mebibyte of a capture as it was read, with the places of its frames; made to be used again and again.
#[derive(Debug, Default)]
pub struct Batch {
    /// The bytes as read, record headers between frames; what lies behind the last frame means nothing.
    pub bytes: Vec<u8>,
    /// The frames in capture order.
    pub frames: Vec<BatchFrame>,
    /// Moments that the capturing system noted between them, in order.
    pub moments: Vec<Moment>,
    /// Key logs that the capture carries, each with the number of frames of the batch before it.
    pub secrets: Vec<(usize, Secret)>,
}

/// What the capturing system says at a place in the capture: also a silent wire's time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Before this frame of the batch.
    pub before_frame: usize,
    /// When.
    pub time: Timestamp,
    /// Whether packets were dropped up to here.
    pub dropped: bool,
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
    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.moments.is_empty() && self.secrets.is_empty()
    }

    /// The captured bytes of one of its frames.
    #[inline]
    pub fn frame(&self, frame: &BatchFrame) -> &[u8] {
        let start = size(frame.start);
        let end = start.saturating_add(size(frame.head.captured_len));
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// Whether the source has bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Supply {
    /// It has.
    Flows,
    /// Not now.
    Pauses,
    /// It will have none any more.
    Dry,
}

/// A capture being read.
#[derive(Debug)]
pub struct CaptureReader {
    path: PathBuf,
    source: Source,
    file_size: Option<u64>,
    /// Whether a short read is made up for by another one; the frames of a stream that may pause are not held back for that.
    fills: bool,
    pub(super) walker: Walker,
    notes: Notes,
    /// Bytes read that begin an unfinished record.
    carry: Vec<u8>,
    /// Offset in the (unpacked) file of the next byte to walk over.
    pub(super) at: u64,
    /// Bytes asked for at once.
    pub(super) read: usize,
    supply: Supply,
    /// The file of a spool that the source goes on with.
    next_file: Option<NextFile>,
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

    /// Reads a stream whose pauses are told: [`Self::next_batch`] then gives nothing. Waits for its first bytes.
    pub fn from_pipe(stream: Box<dyn Read + Send>, name: &str, budget: &Budget) -> Result<Self, CaptureError> {
        let path = Path::new(name);
        let source = Source::pipe(stream).map_err(|error| CaptureError::from_io(error, path))?;
        Self::start(source, path, name.to_owned(), None, budget, false)
    }

    /// Follows a live capture. Nothing needs to be there yet; what goes wrong, [`Self::next_batch`] tells.
    pub fn follow(spool: &Spool, budget: &Budget) -> Self {
        let name = spool.folder.file_name().unwrap_or(spool.folder.as_os_str()).to_string_lossy().into_owned();
        let source = Source::spool(spool.clone());
        let mut reader = Self::new(source, &spool.folder, name, None, budget);
        reader.file_size = reader.source.spool_size();
        reader
    }

    fn new(source: Source, path: &Path, name: String, size: Option<u64>, budget: &Budget) -> Self {
        let facts = CaptureFacts { name, ..CaptureFacts::default() };
        Self {
            path: path.to_path_buf(),
            fills: size.is_some() || source.tells_pauses(),
            source,
            file_size: size,
            walker: Walker::Waiting,
            notes: Notes::new(facts, budget),
            carry: Vec::new(),
            at: 0,
            read: READ,
            supply: Supply::Flows,
            next_file: None,
            ended: false,
        }
    }

    fn start(
        source: Source,
        path: &Path,
        name: String,
        size: Option<u64>,
        budget: &Budget,
        keeps_history: bool,
    ) -> Result<Self, CaptureError> {
        let mut reader = Self::new(source, path, name, size, budget);
        while !reader.begin(keeps_history)? {
            reader.source.wait(LOOK);
        }
        Ok(reader)
    }

    /// Reads the first bytes and tells the format by them; `false` while there are too few.
    fn begin(&mut self, keeps_history: bool) -> Result<bool, CaptureError> {
        let stop = loop {
            match read_head(&mut self.source, &mut self.carry) {
                Some(Stop::NotYet) => return Ok(false),
                Some(Stop::Next(next)) => {
                    self.carry.clear();
                    self.next_file(&next);
                }
                Some(Stop::Failed(error)) => return Err(CaptureError::from_io(error, &self.path)),
                stop => {
                    if stop.is_some() || !self.source.is_spool() || self.source.container() != Container::Plain {
                        break stop;
                    }
                    let plain = core::mem::replace(&mut self.source, Source::nothing());
                    let (source, goes_on) = plain.unpack(&self.carry);
                    self.source = source;
                    if !goes_on {
                        return Ok(false);
                    }
                    if self.source.container() == Container::Plain {
                        break stop;
                    }
                    self.carry.clear();
                }
            }
        };
        let path = self.path.clone();
        let facts = &mut self.notes.facts;
        facts.container = self.source.container();
        let head = &self.carry;
        if stop.is_none() && head.is_empty() {
            return Err(if self.source.is_spool() {
                CaptureError::NothingCaptured { path }
            } else {
                CaptureError::Empty { path }
            });
        }
        let (walker, first) = if is_pcapng(head) {
            facts.format = Format::Pcapng;
            (Walker::Pcapng(Pcapng::new(keeps_history)), 0)
        } else if let Some((pcap, format, interface)) = Pcap::open(head) {
            facts.format = format;
            facts.sections = 1;
            facts.link_types.push(LinkType(interface.link));
            facts.interfaces.push(interface);
            let first = pcap.first_record;
            (Walker::Pcap(pcap), first)
        } else if stop.is_none() && har::is_object(head) {
            facts.format = Format::Har;
            facts.sections = 1;
            (Walker::Har(Har::default()), 0)
        } else {
            let what = match stop {
                Some(Stop::Damaged(why)) => format!("something else: {why}"),
                _ => what(head),
            };
            return Err(CaptureError::NotACapture { what, path });
        };
        self.walker = walker;
        let first = first.min(self.carry.len());
        self.carry.drain(..first);
        self.at = self.at.saturating_add(wide(first));
        if let Some(Stop::Damaged(why)) = stop {
            self.damaged(0, &why);
        }
        Ok(true)
    }

    /// What is read from here on stands in another file of the spool.
    fn next_file(&mut self, next: &NextFile) {
        self.at = spool_offset(next.number, 0);
        self.notes.file = next.number;
        if next.missed > 0 {
            let files = if next.missed == 1 { "file" } else { "files" };
            let why = format!("the ring removed {} {files} before this one unread", next.missed);
            self.notes.skipped(self.at, 0, &why);
        }
    }

    /// Waits for bytes that are still to come, at most so long. Returns at once where none are.
    pub fn wait(&mut self, at_most: Duration) {
        self.source.wait(at_most);
    }

    /// Fills `batch` (cleared first) with the frames of the next mebibyte or so; `Ok(false)` at the end. Damage is no
    /// error: what is readable is read, and [`Self::facts`] say what was not. While a source that grows has nothing new, the
    /// batch stays empty.
    pub fn next_batch(&mut self, batch: &mut Batch) -> Result<bool, CaptureError> {
        batch.frames.clear();
        batch.moments.clear();
        batch.secrets.clear();
        if self.ended {
            return Ok(false);
        }
        if matches!(self.walker, Walker::Waiting) {
            match self.begin(false) {
                Ok(true) => {}
                Ok(false) => return Ok(true),
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        let bytes = &mut batch.bytes;
        if bytes.len() > KEEP && self.carry.len() < self.read {
            bytes.truncate(self.read);
            bytes.shrink_to_fit();
        }
        let mut filled = self.carry.len();
        make_room(bytes, filled.saturating_add(self.read));
        if let Some(front) = bytes.get_mut(..filled) {
            front.copy_from_slice(&self.carry);
        }
        self.carry.clear();
        let mut used = 0_usize;
        loop {
            filled = self.fill(bytes, filled)?;
            let base = self.at;
            let walked = used;
            if let Walker::Pcap(pcap) = &mut self.walker {
                pcap.pauses = self.supply == Supply::Pauses;
            }
            let is_last = self.supply == Supply::Dry || self.next_file.is_some();
            while let Some(rest) = bytes.get(used..filled) {
                let at = base.saturating_add(wide(used.saturating_sub(walked)));
                match self.walker.next(rest, at, is_last, &mut self.notes) {
                    Move::Frame { head, start, used: len } => {
                        batch.frames.push(BatchFrame { head, start: narrow(used.saturating_add(start)) });
                        used = used.saturating_add(len);
                    }
                    Move::Past(len) => {
                        used = used.saturating_add(len);
                        let before = batch.frames.len();
                        batch.secrets.extend(self.notes.fresh_secrets.drain(..).map(|text| (before, text)));
                    }
                    Move::Clock(time, len) => {
                        let dropped = self.notes.facts.counters.is_some_and(|counters| counters.dropped() > 0);
                        batch.moments.push(Moment { before_frame: batch.frames.len(), time, dropped });
                        used = used.saturating_add(len);
                    }
                    Move::More => break,
                }
            }
            self.at = base.saturating_add(wide(used.saturating_sub(walked)));
            if is_last {
                self.walker.end(self.at, filled.saturating_sub(used), &mut self.notes);
            }
            if self.supply == Supply::Dry {
                self.ended = true;
                if matches!(&self.walker, Walker::Har(har) if !har.has_entries) {
                    let what = "JSON without the list of entries (log.entries) that a HAR file has: export it again";
                    return Err(CaptureError::NotACapture { what: what.to_owned(), path: self.path.clone() });
                }
                return Ok(!batch.is_empty());
            }
            if let Some(next) = self.next_file.take() {
                self.notes.cut_between(self.at);
                self.next_file(&next);
                used = filled;
            }
            if !batch.frames.is_empty() || self.supply == Supply::Pauses || batch.moments.len() >= MOMENTS {
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
        if self.supply == Supply::Dry {
            return Ok(filled);
        }
        self.supply = Supply::Flows;
        let goal = filled.saturating_add(self.read);
        make_room(bytes, goal);
        while let Some(space) = bytes.get_mut(filled..goal).filter(|space| !space.is_empty()) {
            match self.source.read(space) {
                Ok(0) => self.supply = Supply::Dry,
                Ok(len) => filled = filled.saturating_add(len),
                Err(Stop::Failed(error)) => {
                    self.ended = true;
                    return Err(CaptureError::from_io(error, &self.path));
                }
                Err(Stop::Damaged(why)) => self.damaged(filled, &why),
                Err(Stop::NotYet) => self.supply = Supply::Pauses,
                Err(Stop::Next(next)) => self.next_file = Some(next),
            }
            if self.supply != Supply::Flows || self.next_file.is_some() || !self.fills {
                break;
            }
        }
        Ok(filled)
    }

    /// The packing ends in damage, so many bytes after what was walked over.
    fn damaged(&mut self, ahead: usize, why: &str) {
        self.supply = Supply::Dry;
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
            Walker::Waiting => None,
            Walker::Pcap(pcap) => Some((pcap.again(block, number, at, frame_bytes)?, pcap.record_head())),
            Walker::Pcapng(pcapng) => pcapng.again(block, number, at, frame_bytes),
            Walker::Har(_) => Some((har::head(block, number, at), 0)),
        }
    }
}

/// Room for so many bytes; they are zeroed only when the buffer grows.
fn make_room(bytes: &mut Vec<u8>, wanted: usize) {
    if bytes.len() < wanted {
        bytes.resize(wanted, 0);
    }
}

/// Reads the first bytes into `head`, as many as are missing; what stopped reading them if something did.
fn read_head(source: &mut Source, head: &mut Vec<u8>) -> Option<Stop> {
    let mut buffer = [0; HEAD];
    while let Some(space) = buffer.get_mut(head.len()..).filter(|space| !space.is_empty()) {
        match source.read(space) {
            Ok(0) => return None,
            Ok(len) => head.extend_from_slice(space.get(..len).unwrap_or_default()),
            Err(stop) => return Some(stop),
        }
    }
    None
}

/// What a head that is no capture's looks like.
fn what(head: &[u8]) -> String {
    let begins = matches!(
        head,
        [0xA1, 0xB2, ..] | [_, _, 0xB2, 0xA1, ..] | [0x0A, 0x0D, 0x0D, 0x0A, ..] if head.len() < 24
    );
    if begins { "the first bytes of a capture, cut off before any frame".to_owned() } else { describe(head) }
}
