//! Saves frames of a capture as a file of their own, without touching what is there.
//!
//! Comes in: where the capture's bytes are, which frames, a path. Goes out: a file that is there whole or not at all. Never:
//! a half-written file under the wanted name, an existing file replaced unasked.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::capture::{Batch, CaptureError, CaptureReader, Container, Digest, Format, FrameFile, FrameWriter, Spool};
use crate::engine::Source;
use crate::model::{Budget, FlowId, FrameNo, clean};
use crate::store::{RowId, Snapshot, StoreError};

/// Frames at the start of a connection that are saved with its exchanges: its handshake, from which streams are put in order.
const OPENING: usize = 3;

/// Which frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveWhat {
    /// All, byte for byte as they were written.
    All,
    /// Those of these exchanges, with the opening of their connections.
    Exchanges(Vec<RowId>),
}

/// What happens to a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and saving is refused.
    Keep,
    /// It is replaced, once the new one is whole.
    Replace,
}

/// Why a capture could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The name is taken.
    #[error("cannot save: a file of this name is there already: {}", shown(.0))]
    Exists(PathBuf),
    /// The capture's own file was chosen.
    #[error("cannot save: this is the capture itself, choose another name: {}", shown(.0))]
    Itself(PathBuf),
    /// Nothing to save from.
    #[error("cannot save: the bytes are not kept, the capture was read from standard input")]
    NotKept,
    /// No frame belongs to what was chosen.
    #[error("cannot save: there are no frames to save")]
    Nothing,
    /// The capture cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The store cannot say which frames.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be written.
    #[error("cannot save: {source}: {}", shown(path))]
    Write {
        /// What the system says.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
}

fn shown(path: &Path) -> String {
    clean(path.as_os_str().as_encoded_bytes()).into_owned()
}

/// Saves frames to `target`; gives how many bytes were written. Blocks; call it from a job.
pub fn save(
    source: &Source,
    snapshot: &Snapshot,
    what: &SaveWhat,
    (target, existing): (&Path, Existing),
    budget: &Budget,
) -> Result<u64, SaveError> {
    if existing == Existing::Keep && target.symlink_metadata().is_ok() {
        return Err(SaveError::Exists(target.to_owned()));
    }
    if is_itself(source, target) {
        return Err(SaveError::Itself(target.to_owned()));
    }
    let failed = |source: io::Error| SaveError::Write { source, path: target.to_owned() };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nephoscope-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    let bytes = match what {
        SaveWhat::All => all(source, snapshot, file.as_file_mut(), budget, &failed)?,
        SaveWhat::Exchanges(rows) => exchanges(source, snapshot, rows, file.as_file_mut(), budget, &failed)?,
    };
    file.as_file().sync_all().map_err(failed)?;
    let kept = match existing {
        Existing::Keep => file.persist_noclobber(target),
        Existing::Replace => file.persist(target),
    };
    match kept {
        Ok(_) => Ok(bytes),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(SaveError::Exists(target.to_owned())),
        Err(error) => Err(failed(error.error)),
    }
}

/// Whether saving would write over what is read.
fn is_itself(source: &Source, target: &Path) -> bool {
    let Ok(target) = fs::canonicalize(target) else { return false };
    match source {
        Source::File(path) => fs::canonicalize(path).is_ok_and(|path| path == target),
        Source::Live(spool) => fs::canonicalize(&spool.folder).is_ok_and(|folder| target.starts_with(folder)),
        Source::Stdin => false,
    }
}

/// All frames. What is pcapng is copied as it stands, with all that we do not read; the rest is written anew.
fn all(
    source: &Source,
    snapshot: &Snapshot,
    out: &mut File,
    budget: &Budget,
    failed: &dyn Fn(io::Error) -> SaveError,
) -> Result<u64, SaveError> {
    let facts = &snapshot.facts().capture;
    let plain = facts.format == Format::Pcapng && facts.container == Container::Plain;
    match source {
        Source::File(path) if plain => {
            let mut file = File::open(path).map_err(failed)?;
            io::copy(&mut file, out).map_err(failed)
        }
        Source::Live(spool) if plain => copy_spool(spool, out).map_err(failed),
        Source::File(path) => rewrite(CaptureReader::open(path, budget, Digest::Elsewhere)?, out, failed),
        Source::Live(spool) => rewrite(CaptureReader::open(&spool.file(), budget, Digest::Elsewhere)?, out, failed),
        Source::Stdin => Err(SaveError::NotKept),
    }
}

/// The files of a spool one after another, each a whole section; of one that still grows the blocks that are whole.
fn copy_spool(spool: &Spool, out: &mut File) -> io::Result<u64> {
    let mut sum = 0_u64;
    for path in spool.files()? {
        let mut file = File::open(&path)?;
        let whole = whole_blocks(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        sum += io::copy(&mut file.take(whole), out)?;
    }
    Ok(sum)
}

/// Bytes of a pcapng file up to the end of its last whole block. Only our own files and dumpcap's come here, in the byte
/// order of this machine.
fn whole_blocks(file: &mut File) -> io::Result<u64> {
    let len = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut at = 0_u64;
    let mut head = [0_u8; 8];
    while at + 12 <= len {
        reader.read_exact(&mut head)?;
        let [.., a, b, c, d] = head;
        let block = u64::from(u32::from_ne_bytes([a, b, c, d]));
        if block < 12 || at + block > len {
            break;
        }
        reader.seek_relative(i64::try_from(block - 8).unwrap_or(i64::MAX))?;
        at += block;
    }
    Ok(at)
}

fn rewrite(
    mut reader: CaptureReader,
    out: &mut File,
    failed: &dyn Fn(io::Error) -> SaveError,
) -> Result<u64, SaveError> {
    let mut writer = FrameWriter::new(out).map_err(failed)?;
    let mut batch = Batch::default();
    loop {
        let more = reader.next_batch(&mut batch)?;
        for frame in &batch.frames {
            writer.frame(&reader.facts().interfaces, &frame.head, batch.frame(frame), None).map_err(failed)?;
        }
        if !more {
            return writer.end().map_err(failed);
        }
    }
}

fn exchanges(
    source: &Source,
    snapshot: &Snapshot,
    rows: &[RowId],
    out: &mut File,
    budget: &Budget,
    failed: &dyn Fn(io::Error) -> SaveError,
) -> Result<u64, SaveError> {
    let frames = frames_of(snapshot, rows)?;
    if frames.is_empty() {
        return Err(SaveError::Nothing);
    }
    let mut file = match source {
        Source::File(path) => FrameFile::open(path, budget)?,
        Source::Live(spool) => FrameFile::open(&spool.folder, budget)?,
        Source::Stdin => return Err(SaveError::NotKept),
    };
    let mut writer = FrameWriter::new(out).map_err(failed)?;
    let interfaces = &snapshot.facts().capture.interfaces;
    for (number, offset) in frames {
        let (head, bytes) = file.frame(number, offset)?;
        writer.frame(interfaces, &head, &bytes, None).map_err(failed)?;
    }
    writer.end().map_err(failed)
}

/// The frames of exchanges, in capture order: those between an exchange's first and last one, and the opening of its
/// connection.
fn frames_of(snapshot: &Snapshot, rows: &[RowId]) -> Result<BTreeMap<FrameNo, u64>, SaveError> {
    let mut ranges: BTreeMap<FlowId, Vec<(FrameNo, FrameNo)>> = BTreeMap::new();
    for row in rows {
        let exchange = snapshot.record(*row)?.exchange;
        ranges.entry(exchange.flow).or_default().push((exchange.first_frame, exchange.last_frame));
    }
    let mut frames = BTreeMap::new();
    for (flow, mut ranges) in ranges {
        ranges.sort_unstable();
        let of_flow = snapshot.flow_frames(flow)?.unwrap_or_default();
        let mut left = ranges.iter().peekable();
        let mut until = None;
        for (n, (number, offset)) in of_flow.into_iter().enumerate() {
            while let Some((_, to)) = left.next_if(|(from, _)| *from <= number) {
                until = until.max(Some(*to));
            }
            if n < OPENING || until.is_some_and(|to| number <= to) {
                frames.insert(number, offset);
            }
        }
    }
    Ok(frames)
}
