//! Reads single frames again.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::har;
use super::numbers::{narrow, size, wide};
use super::reader::{Batch, CaptureReader};
use super::source::{Digest, open_file};
use super::tail::{file_and_offset, spool_file};
use super::walker::Walker;
use super::{CaptureError, Container};
use crate::model::{Budget, FrameHead, FrameNo, JsonScan};

/// Bytes of a HAR file read at once when the length of an entry is not known.
const ENTRY_READ: usize = 64 << 10;

/// A capture file, or a spool's folder, from which single frames are read again, by the offsets of their records. A spool
/// may still grow.
#[derive(Debug)]
pub struct FrameFile {
    path: PathBuf,
    budget: Budget,
    /// Whether the path is a spool's folder.
    spool: bool,
    /// The file that was read last, with its number in the spool.
    file: Option<(u64, Single)>,
}

impl FrameFile {
    /// Opens a capture file, or the folder of a live capture.
    pub fn open(path: &Path, budget: &Budget) -> Result<Self, CaptureError> {
        let spool = path.is_dir();
        let file = if spool { None } else { Some((0, Single::open(path, budget)?)) };
        Ok(Self { path: path.to_path_buf(), budget: budget.clone(), spool, file })
    }

    /// The frame whose record stands at `record_offset`, with `number` as its number.
    ///
    /// `Err` with [`CaptureError::Changed`] when there is no such record (any more), with [`CaptureError::Removed`] when
    /// the ring has removed its file.
    pub fn frame(&mut self, number: FrameNo, record_offset: u64) -> Result<(FrameHead, Vec<u8>), CaptureError> {
        let (wanted, at) = if self.spool { file_and_offset(record_offset) } else { (0, record_offset) };
        let single = match &mut self.file {
            Some((file, single)) if *file == wanted => single,
            other => {
                let removed = || CaptureError::Removed { number: number.0, path: self.path.clone() };
                let found = spool_file(&self.path, wanted).map_err(|error| CaptureError::from_io(error, &self.path))?;
                let single = match Single::open(&found.ok_or_else(removed)?, &self.budget) {
                    Err(CaptureError::Missing { .. }) => return Err(removed()),
                    opened => opened?,
                };
                &mut other.insert((wanted, single)).1
            }
        };
        single.frame(number, at)
    }
}

/// One file.
///
/// In a plain pcap any frame is one positioned read. A pcapng frame also needs the interfaces described before it, so the
/// blocks up to it are walked over once. A packed file is unpacked again from its start, forwards only: ask in ascending
/// order.
#[derive(Debug)]
struct Single {
    path: PathBuf,
    budget: Budget,
    file: File,
    /// Walks over the file for what frames need to know.
    reader: CaptureReader,
    /// The part of a packed file unpacked last.
    batch: Batch,
}

impl Single {
    fn open(path: &Path, budget: &Budget) -> Result<Self, CaptureError> {
        let (file, _) = open_file(path)?;
        let reader = CaptureReader::open_with(path, budget, Digest::Elsewhere, true)?;
        Ok(Self { path: path.to_path_buf(), budget: budget.clone(), file, reader, batch: Batch::default() })
    }

    fn frame(&mut self, number: FrameNo, record_offset: u64) -> Result<(FrameHead, Vec<u8>), CaptureError> {
        let found = if self.reader.facts().container == Container::Plain {
            self.plain(number, record_offset)
        } else {
            self.packed(number, record_offset)
        };
        found?.ok_or_else(|| CaptureError::Changed { number: number.0, path: self.path.clone() })
    }

    fn plain(&mut self, number: FrameNo, at: u64) -> Result<Option<(FrameHead, Vec<u8>)>, CaptureError> {
        while matches!(self.reader.walker, Walker::Pcapng(_)) && self.reader.at <= at {
            if !self.reader.next_batch(&mut self.batch)? {
                break;
            }
        }
        let failed = |error| CaptureError::from_io(error, &self.path);
        self.file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let mut record = Vec::new();
        if matches!(self.reader.walker, Walker::Har(_)) {
            let entry = read_entry(&mut self.file, self.budget.entry_bytes).map_err(failed)?;
            return Ok(entry.map(|entry| (har::head(&entry, number, at), entry)));
        }
        let Some(len) =
            read_more(&mut self.file, &mut record, 28).map_err(failed).map(|()| match &self.reader.walker {
                Walker::Waiting | Walker::Har(_) => None,
                Walker::Pcap(pcap) => pcap.captured(&record).map(|len| len.saturating_add(pcap.record_head())),
                Walker::Pcapng(pcapng) => pcapng.block_len(&record, at).filter(|len| *len <= self.budget.block_bytes),
            })?
        else {
            return Ok(None);
        };
        read_more(&mut self.file, &mut record, len).map_err(failed)?;
        let Some(whole) = record.get(..len) else { return Ok(None) };
        let frame_bytes = narrow(self.budget.frame_bytes);
        let Some((head, start)) = self.reader.again(whole, number, at, frame_bytes) else { return Ok(None) };
        let end = start.saturating_add(size(head.captured_len));
        Ok(whole.get(start..end).map(|bytes| (head, bytes.to_vec())))
    }

    fn packed(&mut self, number: FrameNo, at: u64) -> Result<Option<(FrameHead, Vec<u8>)>, CaptureError> {
        if self.batch.frames.first().is_none_or(|first| at < first.head.record_offset) {
            self.reader = CaptureReader::open_with(&self.path, &self.budget, Digest::Elsewhere, false)?;
            self.batch.frames.clear();
        }
        loop {
            if let Ok(place) = self.batch.frames.binary_search_by_key(&at, |frame| frame.head.record_offset) {
                return Ok(self.batch.frames.get(place).map(|frame| {
                    let head = FrameHead { number, ..frame.head };
                    (head, self.batch.frame(frame).to_vec())
                }));
            }
            if self.batch.frames.last().is_some_and(|last| at < last.head.record_offset) {
                return Ok(None);
            }
            if !self.reader.next_batch(&mut self.batch)? {
                return Ok(None);
            }
        }
    }
}

/// Reads the entry of a HAR file that begins here; `None` where none does.
fn read_entry(file: &mut File, most: usize) -> io::Result<Option<Vec<u8>>> {
    let (mut entry, mut scan) = (Vec::new(), JsonScan::default());
    while entry.len() <= most {
        let before = entry.len();
        read_more(file, &mut entry, before.saturating_add(ENTRY_READ))?;
        let new = entry.get(before..).unwrap_or_default();
        if new.is_empty() {
            break;
        }
        if let Some(end) = scan.feed(new) {
            entry.truncate(before.saturating_add(end));
            return Ok((!entry.is_empty()).then_some(entry));
        }
    }
    Ok(None)
}

/// Reads until `record` has `len` bytes or the file ends. Memory grows with what is read, not with what a field says.
fn read_more(file: &mut File, record: &mut Vec<u8>, len: usize) -> io::Result<()> {
    let missing = wide(len.saturating_sub(record.len()));
    file.take(missing).read_to_end(record)?;
    Ok(())
}
