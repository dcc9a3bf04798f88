//! Saves frames of a capture as a file of their own, without touching what is there.
//!
//! Comes in: where the capture's bytes are, which frames, a path. Goes out: a file that is there whole or not at all. Never:
//! a half-written file under the wanted name, an existing file replaced unasked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::capture::{
    Batch, CaptureError, CaptureFacts, CaptureReader, Container, Digest, Feed, Format, FrameFile, FrameWriter,
    MergedReader, copy_commented,
};
use crate::engine::{DetailError, Fault, Source, write_conversation};
use crate::model::{Budget, FlowId, FrameNo, Side, clean};
use crate::store::{RowId, Snapshot, StoreError};

/// Frames at the start of a connection that are saved with its exchanges: its handshake, from which streams are put in order.
const OPENING: usize = 3;

/// Which frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveWhat {
    /// All, byte for byte as they were written; in pcapng with what is said of them.
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
    /// The capture is a HAR file.
    #[error("cannot save frames: a HAR file holds none; export its rows instead, or copy the file")]
    Report,
    /// No frame belongs to what was chosen.
    #[error("cannot save: there are no frames to save")]
    Nothing,
    /// Nobody said anything.
    #[error("cannot save: nothing was said that could be saved")]
    Unsaid,
    /// A flow cannot be read again.
    #[error(transparent)]
    Detail(#[from] DetailError),
    /// The capture cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// Rows cannot be written.
    #[error(transparent)]
    Rows(#[from] super::ExportError),
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
    if snapshot.facts().capture.format == Format::Har {
        return Err(SaveError::Report);
    }
    whole(source, (target, existing), |file, failed| {
        let bytes = match what {
            SaveWhat::All => all(source, snapshot, file, budget, failed)?,
            SaveWhat::Exchanges(rows) => exchanges(source, snapshot, rows, file, budget, failed)?,
        };
        if bytes == 0 { Err(SaveError::Nothing) } else { Ok(bytes) }
    })
}

/// Writes what was made of a capture to `target`, never over the capture itself.
pub fn save_bytes(source: &Source, (target, existing): (&Path, Existing), bytes: &[u8]) -> Result<(), SaveError> {
    whole(source, (target, existing), |file, failed| file.write_all(bytes).map_err(failed))
}

/// Writes what one side of a flow said, or both in their order: what keys opened where `opened`, else what stands on the wire.
/// Gives how many bytes were written. Blocks; call it from a job.
pub fn save_conversation(
    source: &Source,
    (flow, (side, opened)): (FlowId, (Option<Side>, bool)),
    snapshot: &Snapshot,
    (target, existing): (&Path, Existing),
    budget: &Budget,
) -> Result<u64, SaveError> {
    let Ok(place) = source.place() else { return Err(SaveError::NotKept) };
    whole(source, (target, existing), |file, failed| {
        let mut out = BufWriter::new(file);
        let written = write_conversation((place, flow), (side, opened), snapshot, budget, &mut out);
        let bytes = written.map_err(|fault| match fault {
            Fault::Detail(error) => SaveError::Detail(error),
            Fault::Write(error) => failed(error),
        })?;
        out.flush().map_err(failed)?;
        if bytes == 0 { Err(SaveError::Unsaid) } else { Ok(bytes) }
    })
}

/// Writes a file whole or not at all: beside its place first, then under its name.
pub(super) fn whole<T>(
    source: &Source,
    (target, existing): (&Path, Existing),
    fill: impl FnOnce(&mut File, &dyn Fn(io::Error) -> SaveError) -> Result<T, SaveError>,
) -> Result<T, SaveError> {
    if existing == Existing::Keep && target.symlink_metadata().is_ok() {
        return Err(SaveError::Exists(target.to_owned()));
    }
    if is_itself(source, target) {
        return Err(SaveError::Itself(target.to_owned()));
    }
    let failed = |source: io::Error| SaveError::Write { source, path: target.to_owned() };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nephoscope-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    let done = fill(file.as_file_mut(), &failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let kept = match existing {
        Existing::Keep => file.persist_noclobber(target),
        Existing::Replace => file.persist(target),
    };
    match kept {
        Ok(_) => Ok(done),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(SaveError::Exists(target.to_owned())),
        Err(error) => Err(failed(error.error)),
    }
}

/// Whether saving would write over what is read.
fn is_itself(source: &Source, target: &Path) -> bool {
    let Ok(target) = fs::canonicalize(target) else { return false };
    match source {
        Source::File(path) => fs::canonicalize(path).is_ok_and(|path| path == target),
        Source::Files(paths) => paths.iter().any(|path| fs::canonicalize(path).is_ok_and(|path| path == target)),
        Source::Live(spool) => fs::canonicalize(&spool.folder).is_ok_and(|folder| target.starts_with(folder)),
        Source::Stdin => false,
    }
}

/// All frames, with what the user says of exchanges. What is pcapng is copied as it stands, with all that we do not read; the
/// rest, and what is merged, is written anew.
fn all(
    source: &Source,
    snapshot: &Snapshot,
    out: &mut File,
    budget: &Budget,
    failed: &dyn Fn(io::Error) -> SaveError,
) -> Result<u64, SaveError> {
    let noted = || snapshot.notes().iter().map(|(row, _)| row);
    let files = match source {
        Source::File(path) => vec![path.clone()],
        Source::Files(paths) => {
            let reader = MergedReader::open(paths, budget, Digest::Elsewhere)?;
            return rewrite(reader.into(), Some(&snapshot.facts().capture), &comments(snapshot, noted()), out, failed);
        }
        Source::Live(spool) => spool.files().map_err(failed)?,
        Source::Stdin => return Err(SaveError::NotKept),
    };
    let Some(first) = files.first() else { return Err(SaveError::Nothing) };
    let reader = CaptureReader::open(first, budget, Digest::Elsewhere)?;
    if reader.facts().format == Format::Pcapng && reader.facts().container == Container::Plain {
        // The files of a ring stay as they are: what is said of their rows is kept beside them only.
        let said = if files.len() == 1 { said(snapshot, noted()) } else { BTreeMap::new() };
        let places = if said.is_empty() { BTreeMap::new() } else { places(reader, &said)? };
        return copy(&files, &places, out).map_err(failed);
    }
    rewrite(reader.into(), None, &comments(snapshot, noted()), out, failed)
}

/// What is said of frames by the places of their blocks.
fn places(
    mut reader: CaptureReader,
    comments: &BTreeMap<FrameNo, String>,
) -> Result<BTreeMap<u64, String>, CaptureError> {
    let mut places = BTreeMap::new();
    let mut batch = Batch::default();
    while places.len() < comments.len() {
        let more = reader.next_batch(&mut batch)?;
        for frame in &batch.frames {
            if let Some(comment) = comments.get(&frame.head.number) {
                places.insert(frame.head.record_offset, comment.clone());
            }
        }
        if !more {
            break;
        }
    }
    Ok(places)
}

/// Files one after another, each a whole section; of one that still grows the blocks that are whole. Of a single file frames
/// get what is said of them by their places.
fn copy(files: &[PathBuf], comments: &BTreeMap<u64, String>, out: &mut File) -> io::Result<u64> {
    let mut sum = 0_u64;
    for path in files {
        let mut file = File::open(path)?;
        let whole = whole_blocks(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        sum += copy_commented(file, whole, comments, out)?;
    }
    Ok(sum)
}

/// Bytes of a pcapng file up to the end of its last whole block. Only what this machine writes grows, and that is in its
/// byte order: what is not is taken whole.
fn whole_blocks(file: &mut File) -> io::Result<u64> {
    let len = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut at = 0_u64;
    let mut section = [0_u8; 12];
    reader.read_exact(&mut section)?;
    if !section.ends_with(&0x1a2b_3c4d_u32.to_ne_bytes()) {
        return Ok(len);
    }
    reader.rewind()?;
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

/// `known` is what is known of the whole, where the reader tells it at the end only.
fn rewrite(
    mut reader: Feed,
    known: Option<&CaptureFacts>,
    comments: &BTreeMap<FrameNo, String>,
    out: &mut File,
    failed: &dyn Fn(io::Error) -> SaveError,
) -> Result<u64, SaveError> {
    let mut writer = FrameWriter::new(out, "").map_err(failed)?;
    let mut batch = Batch::default();
    loop {
        let more = reader.next_batch(&mut batch)?;
        for frame in &batch.frames {
            let of = known.unwrap_or_else(|| reader.facts()).interface(frame.head.interface);
            let comment = comments.get(&frame.head.number).map(String::as_str);
            writer.frame(of, &frame.head, batch.frame(frame), comment).map_err(failed)?;
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
    let Ok(place) = source.place() else { return Err(SaveError::NotKept) };
    let mut file = FrameFile::open(place, budget)?;
    let mut writer = FrameWriter::new(out, "").map_err(failed)?;
    let comments = comments(snapshot, rows.iter().copied());
    for (number, offset) in frames {
        let (head, bytes) = file.frame(number, offset)?;
        let of = snapshot.facts().capture.interface(head.interface);
        let comment = comments.get(&number).map(String::as_str);
        writer.frame(of, &head, &bytes, comment).map_err(failed)?;
    }
    writer.end().map_err(failed)
}

/// What the file says of frames and what the user says of exchanges, by frame.
fn comments(snapshot: &Snapshot, rows: impl IntoIterator<Item = RowId>) -> BTreeMap<FrameNo, String> {
    let mut comments = BTreeMap::new();
    for comment in &snapshot.facts().capture.comments {
        if let Some(frame) = comment.frame {
            add(&mut comments, frame, &String::from_utf8_lossy(&comment.text));
        }
    }
    for (frame, said) in said(snapshot, rows) {
        add(&mut comments, frame, &said);
    }
    comments
}

/// What the user says of exchanges, at the first frame of each, where Wireshark shows it as a comment of the packet.
fn said(snapshot: &Snapshot, rows: impl IntoIterator<Item = RowId>) -> BTreeMap<FrameNo, String> {
    let of_file = snapshot.facts().capture.comments.iter();
    let known: BTreeSet<(FrameNo, &[u8])> =
        of_file.filter_map(|comment| Some((comment.frame?, comment.text.as_slice()))).collect();
    let mut comments = BTreeMap::new();
    for row in rows {
        let said = snapshot.note(row).map(|note| note.comment.as_str()).filter(|comment| !comment.is_empty());
        if let (Some(said), Some(row)) = (said, snapshot.row(row)) {
            // A file that was saved with it has it already.
            if !known.contains(&(row.first_frame, said.as_bytes())) {
                add(&mut comments, row.first_frame, said);
            }
        }
    }
    comments
}

fn add(comments: &mut BTreeMap<FrameNo, String>, frame: FrameNo, words: &str) {
    let all = comments.entry(frame).or_default();
    if !all.is_empty() {
        all.push('\n');
    }
    all.push_str(words);
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{Existing, SaveError, SaveWhat, save};
    use crate::capture::Spool;
    use crate::engine::{How, Reading, Source};
    use crate::model::Budget;
    use crate::store::{Note, Notes, RowId, Snapshot};

    const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures");

    fn read(source: &Source) -> Snapshot {
        let mut reading = Reading::open(source, How::judged(1), &Budget::default()).unwrap();
        while reading.step().unwrap() {}
        reading.snapshot()
    }

    /// What a list would show of each row, but for its frame.
    fn rows(snapshot: &Snapshot) -> Vec<(String, String, u16, u64)> {
        let text = |id| snapshot.text(id).to_owned();
        let order = snapshot.capture_order();
        let rows = order.iter().filter_map(|id| snapshot.row(RowId(*id)));
        rows.map(|row| (text(row.host), text(row.path), row.status, row.size)).collect()
    }

    fn a_capture(start: &str) -> PathBuf {
        let mut found: Vec<PathBuf> = fs::read_dir(CAPTURES)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(start))
            .filter(|path| path.extension().is_some_and(|e| e == "pcapng" || e == "pcap"))
            .collect();
        found.sort();
        found.swap_remove(0)
    }

    fn saved(source: &Source, snapshot: &Snapshot, what: &SaveWhat, to: &Path) -> Result<u64, SaveError> {
        save(source, snapshot, what, (to, Existing::Keep), &Budget::default())
    }

    #[test]
    fn all_of_a_capture_is_the_same_capture() {
        let folder = tempfile::tempdir().unwrap();
        for (n, path) in [a_capture("ng-blocks"), a_capture("evidence-hand-out"), a_capture("http")].iter().enumerate()
        {
            let source = Source::File(path.clone());
            let snapshot = read(&source);
            let to = folder.path().join(format!("{n}.pcapng"));
            let bytes = saved(&source, &snapshot, &SaveWhat::All, &to).unwrap();
            assert_eq!(bytes, fs::metadata(&to).unwrap().len());
            assert_eq!(rows(&read(&Source::File(to.clone()))), rows(&snapshot), "{}", path.display());
            assert!(matches!(saved(&source, &snapshot, &SaveWhat::All, &to), Err(SaveError::Exists(_))));
            assert!(matches!(
                save(&source, &snapshot, &SaveWhat::All, (path, Existing::Replace), &Budget::default()),
                Err(SaveError::Itself(_))
            ));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing half-written is left");
    }

    #[test]
    fn exchanges_are_saved_with_their_frames() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::File(a_capture("evidence-hand-out"));
        let snapshot = read(&source);
        for id in snapshot.capture_order() {
            let to = folder.path().join(format!("{id}.pcapng"));
            saved(&source, &snapshot, &SaveWhat::Exchanges(vec![RowId(id)]), &to).unwrap();
            let whole = snapshot.row(RowId(id)).unwrap();
            let again = rows(&read(&Source::File(to)));
            let host = snapshot.text(whole.host).to_owned();
            let path = snapshot.text(whole.path).to_owned();
            assert!(again.contains(&(host, path, whole.status, whole.size)), "{id}: {again:?}");
        }
        let nothing = saved(&source, &snapshot, &SaveWhat::Exchanges(Vec::new()), &folder.path().join("x"));
        assert!(matches!(nothing, Err(SaveError::Nothing)));
    }

    #[test]
    fn comments_go_along() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::File(a_capture("evidence-hand-out"));
        let mut notes = Notes::default();
        notes.set(RowId(1), Note { comment: "whose cloud is this?\nasked twice".to_owned(), ..Note::default() });
        let snapshot = read(&source).with_notes(notes);
        let all: Vec<RowId> = snapshot.capture_order().iter().map(|id| RowId(*id)).collect();
        let to = folder.path().join("said.pcapng");
        saved(&source, &snapshot, &SaveWhat::Exchanges(all.clone()), &to).unwrap();
        let again = read(&Source::File(to.clone()));
        let comments = &again.facts().capture.comments;
        let [said] = comments.as_slice() else { panic!("{comments:?}") };
        assert_eq!(said.text, b"whose cloud is this?\nasked twice");
        assert_eq!(said.frame, again.row(RowId(1)).map(|row| row.first_frame));
        // All of it saved, as pcapng and as what is not.
        for path in [a_capture("evidence-hand-out"), to.clone()] {
            let source = Source::File(path.clone());
            let mut notes = Notes::default();
            notes.set(RowId(2), Note { comment: "and this?".to_owned(), ..Note::default() });
            let snapshot = read(&source).with_notes(notes);
            let to = folder.path().join(format!("whole-{}.pcapng", path.extension().unwrap().to_str().unwrap()));
            saved(&source, &snapshot, &SaveWhat::All, &to).unwrap();
            let again = read(&Source::File(to.clone()));
            assert_eq!(rows(&again), rows(&snapshot));
            let texts: Vec<&[u8]> = again.facts().capture.comments.iter().map(|c| c.text.as_slice()).collect();
            assert!(texts.contains(&b"and this?".as_slice()), "{}: {texts:?}", path.display());
            assert_eq!(texts.len(), 1 + snapshot.facts().capture.comments.len());
            let place = again.facts().capture.comments.iter().find(|c| c.text == b"and this?").and_then(|c| c.frame);
            assert_eq!(place, again.row(RowId(2)).map(|row| row.first_frame));
            // What the file has already is not said twice.
            let twice = to.with_extension("twice.pcapng");
            let again = again.with_notes(snapshot.notes().clone());
            saved(&Source::File(to), &again, &SaveWhat::All, &twice).unwrap();
            assert_eq!(read(&Source::File(twice)).facts().capture.comments, again.facts().capture.comments);
        }
        // What a file says of its frames is kept when it is saved again.
        let (all, twice) = (SaveWhat::Exchanges(all), folder.path().join("again.pcapng"));
        saved(&Source::File(to), &again, &all, &twice).unwrap();
        assert_eq!(read(&Source::File(twice)).facts().capture.comments, *comments);
    }

    #[test]
    fn of_a_spool_that_grows_whole_blocks_are_saved() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = fs::read(a_capture("ng-blocks")).unwrap();
        let (spool, _grows) = Spool::growing(folder.path());
        for cut in [bytes.len(), bytes.len() - 3, bytes.len() / 2] {
            fs::write(spool.file(), bytes.get(..cut).unwrap()).unwrap();
            let to = folder.path().with_extension(cut.to_string());
            let written = saved(&Source::Live(spool.clone()), &Snapshot::empty(), &SaveWhat::All, &to).unwrap();
            let kept = fs::read(&to).unwrap();
            assert_eq!((written, kept.as_slice()), (kept.len() as u64, bytes.get(..kept.len()).unwrap()));
            let snapshot = read(&Source::File(to.clone()));
            assert_eq!(snapshot.facts().capture.cut_tail_bytes, 0, "cut at {cut}");
            fs::remove_file(to).unwrap();
        }
        fs::write(spool.file(), bytes.get(..20).unwrap()).unwrap();
        let none = saved(&Source::Live(spool), &Snapshot::empty(), &SaveWhat::All, &folder.path().with_extension("x"));
        assert!(matches!(none, Err(SaveError::Nothing | SaveError::Capture(_))), "{none:?}");
    }
}
