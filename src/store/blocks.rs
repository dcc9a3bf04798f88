//! Append-only pages of records under a memory budget; what is over goes to an unlinked temporary file.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::sync::Arc;

use super::own::own;

/// Size of a page in bytes; a record longer than this gets a page of its own.
pub(super) const PAGE_BYTES: usize = 256 << 10;

/// Where a record stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockRef {
    page: u32,
    at: u32,
}

impl BlockRef {
    /// The number of its page.
    pub(super) fn page(self) -> u32 {
        self.page
    }
}

/// Why a record could not be read again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The temporary file failed.
    #[error("cannot read the temporary file of records: {0}")]
    Spill(#[from] io::Error),
    /// The record does not decode; our own broken promise.
    #[error("a stored record does not decode")]
    Broken,
    /// There is no such row.
    #[error("no such row")]
    NoRow,
    /// It was forgotten.
    #[error("it has left the list: a live capture keeps the newest exchanges, its file has all of them")]
    Forgotten,
}

#[derive(Clone, Debug)]
enum Page {
    Memory(Arc<Vec<u8>>),
    Spilled {
        file: Arc<File>,
        offset: u64,
        len: usize,
    },
    /// No row needs it any more.
    Gone,
}

/// The pages; a clone shares them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    list: Vec<Page>,
    memory_bytes: usize,
    next_to_spill: usize,
    spill: Option<(Arc<File>, u64)>,
    /// Set once the temporary file could not be made or written: then all stays in memory.
    spill_failed: bool,
}

impl Pages {
    /// Appends a record and gives its place.
    pub(super) fn push(&mut self, record: &[u8], budget_bytes: usize) -> BlockRef {
        let fits = matches!(self.list.last(), Some(Page::Memory(page)) if page.len() + record.len() + 4 <= PAGE_BYTES);
        if !fits {
            self.make_room(budget_bytes);
            self.list.push(Page::Memory(Arc::new(Vec::with_capacity(PAGE_BYTES.max(record.len() + 4)))));
        }
        let page = self.list.len().saturating_sub(1) as u32;
        let Some(Page::Memory(bytes)) = self.list.last_mut() else { return BlockRef::default() };
        let bytes = own(bytes, PAGE_BYTES);
        let at = bytes.len() as u32;
        bytes.extend_from_slice(&(record.len() as u32).to_le_bytes());
        bytes.extend_from_slice(record);
        self.memory_bytes += record.len() + 4;
        BlockRef { page, at }
    }

    /// Moves the oldest full pages out until the budget holds.
    fn make_room(&mut self, budget_bytes: usize) {
        while self.memory_bytes > budget_bytes && !self.spill_failed {
            let bytes = match self.list.get(self.next_to_spill) {
                Some(Page::Memory(bytes)) => Arc::clone(bytes),
                Some(Page::Gone) => {
                    self.next_to_spill += 1;
                    continue;
                }
                Some(Page::Spilled { .. }) | None => break,
            };
            match self.write_out(&bytes) {
                Ok(page) => {
                    self.memory_bytes = self.memory_bytes.saturating_sub(bytes.len());
                    if let Some(slot) = self.list.get_mut(self.next_to_spill) {
                        *slot = page;
                    }
                    self.next_to_spill += 1;
                }
                // No temporary file to be had: keep the records in memory rather than lose them.
                Err(_) => self.spill_failed = true,
            }
        }
    }

    fn write_out(&mut self, bytes: &[u8]) -> io::Result<Page> {
        let (file, offset) = match self.spill.take() {
            Some(spill) => spill,
            None => (Arc::new(tempfile::tempfile()?), 0),
        };
        write_all_at(&file, bytes, offset)?;
        self.spill = Some((Arc::clone(&file), offset + bytes.len() as u64));
        Ok(Page::Spilled { file, offset, len: bytes.len() })
    }

    /// Writes a record once more, behind all others, so that its page can go; where it cannot be read it stays where it is.
    pub(super) fn move_up(&mut self, place: BlockRef, budget_bytes: usize) -> BlockRef {
        let Ok(record) = self.read(place).map(Cow::into_owned) else { return place };
        self.push(&record, budget_bytes)
    }

    /// How many pages there were.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether a page was not let go of.
    #[cfg(test)]
    pub(super) fn is_there(&self, page: u32) -> bool {
        self.list.get(page as usize).is_some_and(|page| !matches!(page, Page::Gone))
    }

    /// Lets go of every page but these and the one that is being filled.
    pub(super) fn keep(&mut self, pages: impl Iterator<Item = u32>) {
        let mut live = vec![false; self.len()];
        for page in pages {
            if let Some(slot) = live.get_mut(page as usize) {
                *slot = true;
            }
        }
        if let Some(last) = live.last_mut() {
            *last = true;
        }
        for (page, _) in self.list.iter_mut().zip(live).filter(|(_, live)| !*live) {
            match std::mem::replace(page, Page::Gone) {
                Page::Memory(bytes) => self.memory_bytes = self.memory_bytes.saturating_sub(bytes.len()),
                Page::Spilled { file, offset, len } => give_back(&file, offset, len),
                Page::Gone => {}
            }
        }
    }

    /// A record again.
    pub(super) fn read(&self, place: BlockRef) -> Result<Cow<'_, [u8]>, StoreError> {
        let at = place.at as usize;
        match self.list.get(place.page as usize).ok_or(StoreError::Broken)? {
            Page::Gone => Err(StoreError::Forgotten),
            Page::Memory(bytes) => Ok(Cow::Borrowed(record_in(bytes, at).ok_or(StoreError::Broken)?)),
            Page::Spilled { file, offset, len: page_len } => {
                let mut head = [0; 4];
                read_exact_at(file, &mut head, offset + at as u64)?;
                let len = u32::from_le_bytes(head) as usize;
                // A copy from before it was forgotten: the file gives zeros now, and no record is empty.
                if len == 0 {
                    return Err(StoreError::Forgotten);
                }
                if at + 4 + len > *page_len {
                    return Err(StoreError::Broken);
                }
                let mut bytes = vec![0; len];
                read_exact_at(file, &mut bytes, offset + at as u64 + 4)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

/// The record that stands in a page's bytes.
fn record_in(page: &[u8], at: usize) -> Option<&[u8]> {
    let len = u32::from_le_bytes(page.get(at..at + 4)?.try_into().ok()?) as usize;
    page.get(at + 4..at + 4 + len)
}

/// Reads many records, each near the one before: a page of the file is read once for all that stand in it.
#[derive(Debug)]
pub(super) struct PageReader<'a> {
    pages: &'a Pages,
    /// A page of the file, and its number.
    bytes: Vec<u8>,
    page: Option<u32>,
    /// The page that was asked for last and was not there.
    missed: Option<u32>,
}

impl<'a> PageReader<'a> {
    pub(super) fn new(pages: &'a Pages) -> Self {
        Self { pages, bytes: Vec::new(), page: None, missed: None }
    }

    /// A record again.
    pub(super) fn read(&mut self, place: BlockRef) -> Result<Cow<'_, [u8]>, StoreError> {
        let Some(Page::Spilled { file, offset, len }) = self.pages.list.get(place.page as usize) else {
            return self.pages.read(place);
        };
        if self.page != Some(place.page) {
            // Rows that were shown early have their records far from their neighbours': no page is read for one of them.
            if self.missed.replace(place.page) != Some(place.page) {
                return self.pages.read(place);
            }
            self.page = None;
            self.bytes.resize(*len, 0);
            read_exact_at(file, &mut self.bytes, *offset)?;
            self.page = Some(place.page);
        }
        match record_in(&self.bytes, place.at as usize).ok_or(StoreError::Broken)? {
            // As in `Pages::read`.
            [] => Err(StoreError::Forgotten),
            record => Ok(Cow::Borrowed(record)),
        }
    }
}

/// Gives the file system the room back. Where it does not take it, the file stays as large as it is.
#[cfg(target_os = "linux")]
fn give_back(file: &File, offset: u64, len: usize) {
    use nix::fcntl::{FallocateFlags, fallocate};
    let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    if let (Ok(offset), Ok(len)) = (offset.try_into(), len.try_into()) {
        let _unsupported = fallocate(file, flags, offset, len);
    }
}

#[cfg(not(target_os = "linux"))]
fn give_back(_file: &File, _offset: u64, _len: usize) {}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.write_all_at(bytes, offset)
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.read_exact_at(bytes, offset)
}

#[cfg(not(unix))]
fn write_all_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use std::io::{Seek as _, Write as _};
    file.seek(io::SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read as _, Seek as _};
    file.seek(io::SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::{PageReader, Pages};

    #[test]
    fn records_come_back_from_memory_and_from_the_file() {
        let mut pages = Pages::default();
        let places: Vec<_> = (0..200_usize).map(|i| pages.push(&vec![i as u8; 10_000 + i], 512 << 10)).collect();
        assert!(pages.next_to_spill > 0, "nothing was moved out");
        assert!(pages.memory_bytes <= (512 << 10) + super::PAGE_BYTES);
        let mut reader = PageReader::new(&pages);
        // One after the other, and from page to page.
        for at in (0..200).chain((0..200).map(|n| n * 67 % 200)) {
            let (place, want) = (places[at], vec![at as u8; 10_000 + at]);
            assert_eq!(pages.read(place).unwrap(), want);
            assert_eq!(reader.read(place).unwrap(), want);
        }
    }
}
