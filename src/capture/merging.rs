//! Several files read as one capture: their frames in order of time, as `mergecap` puts them.
//!
//! Of the files' next frames the oldest comes first; of two of one time that of the file named first. Inside a file its own order
//! is kept, whatever its clock says. A file is held open from its first frame's time to its end, so memory and open files
//! grow with the files that overlap, not with the files there are nor with their sizes.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::notes::Notes;
use super::numbers::{narrow, wide};
use super::origins::merged_interface;
use super::reader::{KEEP, MOMENTS, READ};
use super::tail::{LONGEST_FILE, spool_offset};
use super::{
    Batch, BatchFrame, CaptureError, CaptureFacts, CaptureReader, Container, Counters, Digest, Format, Interface,
    MERGED_FILES, MergedFile, Moment,
};
use crate::model::{Budget, LimitHit, Timestamp, clean_to};

/// Characters of a file's name, which is shown as it stands here.
const NAME_CHARS: usize = 200;
/// The least that is asked of each of many files at once.
const SMALL_READ: usize = 64 << 10;
/// Frames in a batch: those of no bytes must not fill memory either.
const FRAMES: usize = 65_536;
/// What all files together are asked for at once, unless each takes the least.
const ALL_READS: usize = 8 * READ;

/// Where frames come from: one reader, or several that are merged.
#[derive(Debug)]
pub enum Feed {
    /// One file, stream or live capture.
    One(Box<CaptureReader>),
    /// Several files.
    Merged(Box<MergedReader>),
}

impl From<CaptureReader> for Feed {
    fn from(reader: CaptureReader) -> Self {
        Self::One(Box::new(reader))
    }
}

impl From<MergedReader> for Feed {
    fn from(reader: MergedReader) -> Self {
        Self::Merged(Box::new(reader))
    }
}

impl Feed {
    /// As [`CaptureReader::next_batch`].
    pub fn next_batch(&mut self, batch: &mut Batch) -> Result<bool, CaptureError> {
        match self {
            Self::One(reader) => reader.next_batch(batch),
            Self::Merged(reader) => Ok(reader.next_batch(batch)),
        }
    }

    /// As [`CaptureReader::wait`]; files do not grow.
    pub fn wait(&mut self, at_most: Duration) {
        match self {
            Self::One(reader) => reader.wait(at_most),
            Self::Merged(_) => {}
        }
    }

    /// What is known of the capture so far; of merged files most comes at their end.
    pub fn facts(&self) -> &CaptureFacts {
        match self {
            Self::One(reader) => reader.facts(),
            Self::Merged(reader) => &reader.notes.facts,
        }
    }

    /// Bytes read as they lie on disk, and how many there are where that is known.
    pub fn position(&self) -> (u64, Option<u64>) {
        match self {
            Self::One(reader) => reader.position(),
            Self::Merged(reader) => reader.position(),
        }
    }

    /// SHA-256 of the one file; `None` unless this reader hashes. Those of merged files are among the facts.
    pub fn sha256(&mut self) -> Option<[u8; 32]> {
        match self {
            Self::One(reader) => reader.sha256(),
            Self::Merged(_) => None,
        }
    }
}

/// Several files being read as one capture.
#[derive(Debug)]
pub struct MergedReader {
    inputs: Vec<Input>,
    notes: Notes,
    budget: Budget,
    digest: Digest,
    /// When each file that has not ended goes on; the file decides between two of one time.
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Bytes asked of each file at once.
    read: usize,
    /// What all files have on disk.
    size: u64,
}

/// One of the files.
#[derive(Debug)]
struct Input {
    path: PathBuf,
    /// What the facts say of it.
    file: MergedFile,
    /// Its part of the whole's interfaces, once it was read.
    interfaces: Vec<Interface>,
    /// Key logs before its first frame. They count from the start: a connection may have begun in another file.
    early_secrets: usize,
    counted: Counters,
    bytes: u64,
    open: Option<Box<Open>>,
}

/// A file that is read.
#[derive(Debug)]
struct Open {
    reader: CaptureReader,
    batch: Batch,
    /// What of the batch was taken.
    frames: usize,
    moments: usize,
    secrets: usize,
    /// Comments that were taken.
    comments: usize,
    /// The time of the frame taken last.
    last: Option<Timestamp>,
    /// Nothing comes after this batch.
    ended: bool,
}

/// What comes next in a file.
enum Next {
    Frame(BatchFrame),
    Moment(Moment),
}

impl Open {
    fn new(reader: CaptureReader) -> Self {
        let batch = Batch::default();
        Self { reader, batch, frames: 0, moments: 0, secrets: 0, comments: 0, last: None, ended: false }
    }

    /// What comes next of the batch.
    fn next(&self) -> Option<Next> {
        let frame = self.batch.frames.get(self.frames).map(|frame| Next::Frame(*frame));
        match self.batch.moments.get(self.moments) {
            Some(moment) if frame.is_none() || moment.before_frame <= self.frames => Some(Next::Moment(*moment)),
            _ => frame,
        }
    }

    /// When that is. A note of time does not hold back the frame after it.
    fn time(&self) -> Option<Timestamp> {
        let frame = self.batch.frames.get(self.frames).map(|frame| frame.head.time);
        match self.next()? {
            Next::Frame(frame) => Some(frame.head.time),
            Next::Moment(moment) => Some(frame.map_or(moment.time, |frame| frame.min(moment.time))),
        }
    }

    /// Reads on until something comes, or the file has ended.
    fn fill(&mut self) -> Result<(), CaptureError> {
        while self.next().is_none() && self.secrets >= self.batch.secrets.len() && !self.ended {
            (self.frames, self.moments, self.secrets) = (0, 0, 0);
            self.ended = true;
            self.ended = !self.reader.next_batch(&mut self.batch)?;
        }
        Ok(())
    }
}

impl MergedReader {
    /// Opens files to be merged, each at least two and none twice. All are looked into, and closed again until their times come.
    pub fn open(paths: &[PathBuf], budget: &Budget, digest: Digest) -> Result<Self, CaptureError> {
        let refused =
            |why: &str, path: &Path| CaptureError::NotMerged { why: why.to_owned(), path: path.to_path_buf() };
        if let Some(path) = paths.get(MERGED_FILES) {
            return Err(refused("more than 1,000 files at once; join some of them with mergecap -w first", path));
        }
        let mut known: Vec<PathBuf> = Vec::with_capacity(paths.len());
        for path in paths {
            let whole = path.canonicalize().map_err(|error| CaptureError::from_io(error, path))?;
            if known.contains(&whole) {
                return Err(refused("this file was given twice, and its frames would count twice", path));
            }
            known.push(whole);
        }
        let mut merged = Self {
            inputs: Vec::with_capacity(paths.len()),
            notes: Notes::new(CaptureFacts::default(), budget),
            budget: budget.clone(),
            digest,
            queue: BinaryHeap::with_capacity(paths.len()),
            read: ALL_READS.checked_div(paths.len()).unwrap_or(READ).clamp(SMALL_READ, READ),
            size: 0,
        };
        for (path, name) in paths.iter().zip(names(paths)) {
            merged.look_into(path, name)?;
        }
        let files: Vec<MergedFile> = merged.inputs.iter().map(|input| input.file.clone()).collect();
        let facts = &mut merged.notes.facts;
        facts.name = together(&files);
        let formats = |format: Format| files.iter().all(|file| file.format == format);
        // What mergecap would make of different ones.
        facts.format = files.first().map(|file| file.format).filter(|first| formats(*first)).unwrap_or(Format::Pcapng);
        let containers = |container: Container| files.iter().all(|file| file.container == container);
        facts.container =
            files.first().map(|file| file.container).filter(|first| containers(*first)).unwrap_or_default();
        facts.merged.files = Arc::new(files);
        Ok(merged)
    }

    /// Reads up to the first thing that has a time, which says when the file's turn is.
    fn look_into(&mut self, path: &Path, name: String) -> Result<(), CaptureError> {
        let mut open = Open::new(CaptureReader::open_with(path, &self.budget, Digest::Elsewhere, false)?);
        open.reader.read = SMALL_READ;
        let facts = open.reader.facts();
        if facts.format == Format::Har {
            let why = "a HAR file has no frames, only what a program reports; open it alone".to_owned();
            return Err(CaptureError::NotMerged { why, path: path.to_path_buf() });
        }
        let file = MergedFile { name, format: facts.format, container: facts.container, ..MergedFile::default() };
        let mut early_secrets = 0_usize;
        // What cannot be read is told when the file's turn comes.
        while open.fill().is_ok() {
            let early = open.batch.secrets.iter().filter(|(before, _)| *before == 0);
            for (_, secret) in early {
                early_secrets = early_secrets.saturating_add(1);
                self.notes.secrets(secret.expose());
            }
            open.secrets = open.batch.secrets.len();
            if open.next().is_some() || open.ended {
                break;
            }
        }
        let index = self.inputs.len();
        self.queue.push(Reverse((open.time().unwrap_or(Timestamp(i64::MIN)), index)));
        self.size = self.size.saturating_add(open.reader.position().1.unwrap_or_default());
        self.inputs.push(Input {
            path: path.to_path_buf(),
            file,
            interfaces: Vec::new(),
            early_secrets,
            counted: Counters::default(),
            bytes: 0,
            open: None,
        });
        Ok(())
    }

    fn position(&self) -> (u64, Option<u64>) {
        let read = |input: &Input| input.open.as_ref().map_or(input.bytes, |open| open.reader.position().0);
        (self.inputs.iter().map(read).fold(0, u64::saturating_add), Some(self.size))
    }

    /// Fills `batch` (cleared first) with the next frames of all files; `false` at the end. A file that cannot be read on is
    /// listed as damaged, and the others go on.
    fn next_batch(&mut self, batch: &mut Batch) -> bool {
        batch.frames.clear();
        batch.moments.clear();
        batch.secrets.clear();
        batch.bytes.clear();
        if batch.bytes.capacity() > KEEP {
            batch.bytes.shrink_to(READ);
        }
        batch.secrets.extend(self.notes.fresh_secrets.drain(..).map(|secret| (0, secret)));
        let went_on = !self.queue.is_empty();
        while !is_full(batch) {
            let Some(Reverse((_, index))) = self.queue.pop() else { break };
            let until = self.queue.peek().map(|Reverse(next)| *next);
            if let Some(time) = self.take(index, until, batch) {
                self.queue.push(Reverse((time, index)));
            } else {
                self.close(index);
            }
        }
        if went_on && self.queue.is_empty() {
            self.finish();
        }
        !batch.is_empty() || !self.queue.is_empty()
    }

    /// Takes what a file has up to the turn of another; gives when it goes on, `None` at its end.
    fn take(&mut self, index: usize, until: Option<(Timestamp, usize)>, batch: &mut Batch) -> Option<Timestamp> {
        let input = self.inputs.get_mut(index)?;
        if input.open.is_none() {
            match CaptureReader::open_with(&input.path, &self.budget, self.digest, false) {
                Ok(mut reader) => {
                    reader.read = self.read;
                    input.open = Some(Box::new(Open::new(reader)));
                }
                Err(error) => {
                    self.notes.skipped(0, 0, &in_file(&error.reason(), &input.file.name));
                    return None;
                }
            }
        }
        let number = narrow(index);
        loop {
            let open = input.open.as_deref_mut()?;
            if let Err(error) = open.fill() {
                let at = open.reader.at;
                self.notes.skipped(at, 0, &in_file(&error.reason(), &input.file.name));
                return None;
            }
            while let Some((before, secret)) = open.batch.secrets.get(open.secrets) {
                if *before > open.frames {
                    break;
                }
                open.secrets = open.secrets.saturating_add(1);
                if let Some(left) = input.early_secrets.checked_sub(1) {
                    input.early_secrets = left;
                } else {
                    self.notes.secrets(secret.expose());
                    let before = batch.frames.len();
                    batch.secrets.extend(self.notes.fresh_secrets.drain(..).map(|secret| (before, secret)));
                }
            }
            let (Some(next), Some(time)) = (open.next(), open.time()) else {
                if open.ended && open.secrets >= open.batch.secrets.len() {
                    return None;
                }
                continue;
            };
            if until.is_some_and(|until| until < (time, index)) || is_full(batch) {
                return Some(time);
            }
            let now = open.reader.facts().counters.unwrap_or_default();
            if now != input.counted {
                self.notes.counters(now, input.counted);
                input.counted = now;
            }
            match next {
                Next::Moment(moment) => {
                    open.moments = open.moments.saturating_add(1);
                    batch.moments.push(Moment { before_frame: batch.frames.len(), ..moment });
                }
                Next::Frame(frame) => {
                    open.frames = open.frames.saturating_add(1);
                    if frame.head.record_offset >= LONGEST_FILE {
                        let why = in_file("frames behind the first TiB of a file are not merged", &input.file.name);
                        self.notes.skipped(frame.head.record_offset, 0, &why);
                        return None;
                    }
                    let Some(merged) = self.notes.number() else {
                        let why = in_file("more frames than can be numbered", &input.file.name);
                        self.notes.skipped(frame.head.record_offset, 0, &why);
                        return None;
                    };
                    let there = frame.head.number;
                    self.notes.facts.merged.push(merged, number, there);
                    // A frame without a time has that of 1970, and comes at once.
                    if frame.head.time != Timestamp::default() {
                        self.notes.time(frame.head.time);
                        input.file.disordered = input
                            .file
                            .disordered
                            .saturating_add(u64::from(open.last.is_some_and(|last| frame.head.time < last)));
                        open.last = Some(frame.head.time);
                    }
                    while let Some(comment) = open.reader.facts().comments.get(open.comments) {
                        if comment.frame.is_some_and(|of| of > there) {
                            break;
                        }
                        open.comments = open.comments.saturating_add(1);
                        self.notes.comment(comment.frame.map(|_| merged), &comment.text);
                    }
                    let start = narrow(batch.bytes.len());
                    batch.bytes.extend_from_slice(open.batch.frame(&frame));
                    let mut head = frame.head;
                    head.number = merged;
                    head.interface = merged_interface(number, head.interface);
                    head.record_offset = spool_offset(wide(index), head.record_offset);
                    batch.frames.push(BatchFrame { head, start });
                }
            }
        }
    }

    /// A file was read to its end: what it says of itself is told of the whole.
    fn close(&mut self, index: usize) {
        let Some(input) = self.inputs.get_mut(index) else { return };
        let Some(mut open) = input.open.take() else { return };
        let (name, number) = (input.file.name.clone(), narrow(index));
        input.file.sha256 = open.reader.sha256();
        input.bytes = open.reader.position().0;
        let facts = open.reader.facts();
        input.file.frames = facts.frames;
        input.file.times = [facts.first_time, facts.last_time];
        input.interfaces.clone_from(&facts.interfaces);
        let notes = &mut self.notes;
        if let Some(counted) = facts.counters {
            notes.counters(counted, input.counted);
        }
        for comment in facts.comments.iter().skip(open.comments) {
            let frame = comment.frame.and_then(|there| notes.facts.merged.number_of(number, there));
            notes.comment(frame, &comment.text);
        }
        for (address, name) in &facts.names {
            notes.name(*address, name);
        }
        for skipped in &facts.skipped {
            notes.skipped(skipped.offset, skipped.len, &in_file(&skipped.why, &name));
        }
        if facts.cut_tail_bytes > 0 {
            notes.skipped(open.reader.at, facts.cut_tail_bytes, &in_file("the file ends inside a record", &name));
        }
        notes.facts.sections = notes.facts.sections.saturating_add(facts.sections);
        for hit in &facts.limits {
            let first_frame = notes.facts.merged.number_of(number, hit.first_frame).unwrap_or_default();
            match notes.facts.limits.iter_mut().find(|sum| sum.limit == hit.limit) {
                Some(sum) => sum.count = sum.count.saturating_add(hit.count),
                None => notes.facts.limits.push(LimitHit { first_frame, ..*hit }),
            }
        }
    }

    /// All files were read.
    fn finish(&mut self) {
        for input in &mut self.inputs {
            let before = self.notes.facts.interfaces.len();
            for interface in input.interfaces.drain(..) {
                if !self.notes.interface(interface) {
                    break;
                }
            }
            input.file.interfaces = narrow(self.notes.facts.interfaces.len().saturating_sub(before));
        }
        self.notes.facts.merged.files = Arc::new(self.inputs.iter().map(|input| input.file.clone()).collect());
    }
}

fn is_full(batch: &Batch) -> bool {
    batch.bytes.len() >= READ || batch.moments.len() >= MOMENTS || batch.frames.len() >= FRAMES
}

fn in_file(why: &str, name: &str) -> String {
    format!("{why} (in {name})")
}

/// What files are called: their names, where several have one with as many folders as it takes to tell them apart.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let mut parts = vec![1_usize; paths.len()];
    loop {
        let ending = |(path, parts): (&PathBuf, &usize)| -> PathBuf {
            path.components().skip(path.components().count().saturating_sub(*parts)).collect()
        };
        let endings: Vec<PathBuf> = paths.iter().zip(&parts).map(ending).collect();
        let mut counts: BTreeMap<&Path, usize> = BTreeMap::new();
        for ending in &endings {
            let count = counts.entry(ending).or_default();
            *count = count.saturating_add(1);
        }
        let mut longer = false;
        for ((path, parts), ending) in paths.iter().zip(&mut parts).zip(&endings) {
            if counts.get(ending.as_path()).is_some_and(|count| *count > 1) && *parts < path.components().count() {
                *parts = parts.saturating_add(1);
                longer = true;
            }
        }
        if !longer {
            let shown = |ending: &PathBuf| clean_to(ending.as_os_str().as_encoded_bytes(), NAME_CHARS).into_owned();
            return endings.iter().map(shown).collect();
        }
    }
}

/// What they are called together.
fn together(files: &[MergedFile]) -> String {
    match files {
        [] => String::new(),
        [one] => one.name.clone(),
        [one, other] => format!("{} + {}", one.name, other.name),
        [first, rest @ ..] => format!("{} + {} more", first.name, rest.len()),
    }
}
