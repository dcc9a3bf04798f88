//! Reads single frames again.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::har;
use super::numbers::{narrow, size, wide};
use super::origins::merged_interface;
use super::reader::{Batch, CaptureReader};
use super::source::{Digest, open_file};
use super::tail::{file_and_offset, spool_file};
use super::walker::Walker;
use super::{CaptureError, Container};
use crate::model::{Budget, FrameHead, FrameNo, JsonScan};

/// Bytes of a HAR file read at once when the length of an entry is not known.
const ENTRY_READ: usize = 64 << 10;

/// Where frames are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// A capture file, or the folder of a live capture.
    One(&'a Path),
    /// Files that are merged, in their order.
    Merged(&'a [PathBuf]),
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for Place<'a> {
    fn from(path: &'a P) -> Self {
        Self::One(path.as_ref())
    }
}

/// A capture from which single frames are read again, by the offsets of their records. A spool may still grow.
#[derive(Debug)]
pub struct FrameFile {
    files: Files,
    budget: Budget,
    /// The files that were read last, with their numbers, the newest last. Of a spool one: its frames are asked for in order.
    open: Vec<(u64, Single)>,
}

#[derive(Debug)]
enum Files {
    One,
    /// A spool's folder.
    Spool(PathBuf),
    Merged(Vec<PathBuf>),
}

/// Files of merged ones that are held open: where they overlap, the frames of a flow go to and fro between a few.
const OPEN_FILES: usize = 8;

impl FrameFile {
    /// Opens a capture.
    pub fn open<'a>(place: impl Into<Place<'a>>, budget: &Budget) -> Result<Self, CaptureError> {
        let (files, open) = match place.into() {
            Place::One(path) if path.is_dir() => (Files::Spool(path.to_path_buf()), Vec::new()),
            Place::One(path) => (Files::One, vec![(0, Single::open(path, budget)?)]),
            Place::Merged(paths) => (Files::Merged(paths.to_vec()), Vec::new()),
        };
        Ok(Self { files, budget: budget.clone(), open })
    }

    /// The frame whose record stands at `record_offset`, with `number` as its number.
    ///
    /// `Err` with [`CaptureError::Changed`] when there is no such record (any more), with [`CaptureError::Removed`] when
    /// the ring has removed its file.
    pub fn frame(&mut self, number: FrameNo, record_offset: u64) -> Result<(FrameHead, Vec<u8>), CaptureError> {
        let (wanted, at) = match self.files {
            Files::One => (0, record_offset),
            Files::Spool(_) | Files::Merged(_) => file_and_offset(record_offset),
        };
        match self.open.iter().position(|(file, _)| *file == wanted) {
            // Seldom more than one step: frames of one file follow one another.
            Some(place) => self.open.get_mut(place..).unwrap_or_default().rotate_left(1),
            None => self.open_file(number, wanted)?,
        }
        let Some((_, single)) = self.open.last_mut() else {
            return Err(CaptureError::Changed { number: number.0, path: PathBuf::new() });
        };
        let (mut head, bytes) = single.frame(number, at)?;
        if let Files::Merged(_) = self.files {
            head.record_offset = record_offset;
            head.interface = merged_interface(narrow_file(wanted), head.interface);
        }
        Ok((head, bytes))
    }

    /// Opens another file of several.
    fn open_file(&mut self, number: FrameNo, wanted: u64) -> Result<(), CaptureError> {
        let (single, most) = match &self.files {
            Files::Merged(paths) => {
                let path = usize::try_from(wanted).ok().and_then(|wanted| paths.get(wanted));
                let unknown = || CaptureError::Changed { number: number.0, path: PathBuf::new() };
                (Single::open(path.ok_or_else(unknown)?, &self.budget)?, OPEN_FILES)
            }
            Files::One => return Ok(()),
            Files::Spool(folder) => {
                let removed = || CaptureError::Removed { number: number.0, path: folder.clone() };
                let found = spool_file(folder, wanted).map_err(|error| CaptureError::from_io(error, folder))?;
                let single = match Single::open(&found.ok_or_else(removed)?, &self.budget) {
                    Err(CaptureError::Missing { .. }) => return Err(removed()),
                    opened => opened?,
                };
                (single, 1)
            }
        };
        if self.open.len() >= most {
            self.open.remove(0);
        }
        self.open.push((wanted, single));
        Ok(())
    }
}

/// A file's number, which was one of [`super::MERGED_FILES`].
fn narrow_file(file: u64) -> u32 {
    u32::try_from(file).unwrap_or(u32::MAX)
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
