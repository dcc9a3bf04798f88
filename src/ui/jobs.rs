//! What may block, on threads of its own: reading a row's record, bodies and frames, decoding a picture, checking a
//! claim, the index, and the desktop's file dialog. At most one request of a kind is under way; the window asks for the newest when it is back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{Builder, Thread};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::comparison::SideBySide;
use super::conversation::Spoken;
use super::filter::Which;
use super::findings::{Findings, of_site};
use super::fonts::Families;
use super::live::{CLOSING, ConversationChoice, Live, SaveWish};
use super::overview::Overview;
use super::prepared::{Picture, Prepared, Shown, picture};
use super::state::Choice;
use super::table::{Axis, Minimap, Said};
use super::verified::{OnScreen, Verified};
use super::wish::{Granted, Wished, grant};
use crate::capture::{KeyLogFile, is_key_log, is_open_to_others};
use crate::case::{Case, CaseError, Key, Preferences, RedactionChoice};
use crate::engine::{self, How, Reading, Source};
use crate::export::{self, Compared, Listing, RowsForm, RowsWish, Subject};
use crate::model::{Budget, Side, clean_to, hex};
use crate::store::filter::{Completion, Filter, complete};
use crate::store::groups::Groups;
use crate::store::query::{self, Orders, RowSet};
use crate::store::{HeaderName, Notes, Row, RowId, Snapshot};

/// A dialog that answers faster was never shown: nobody clicks within it.
const NO_DIALOG: Duration = Duration::from_millis(300);

/// What wakes the window.
pub(crate) type WakeUp = Arc<dyn Fn() + Send + Sync>;

/// A request to the jobs thread. `capture` counts the captures opened, so that late answers are known as such.
#[derive(Debug)]
pub(crate) enum Ask {
    /// A row's record, made ready for display.
    Record { capture: u32, row: RowId, snapshot: Snapshot },
    /// A row's bodies and frames, read again from the capture.
    Detail { capture: u32, row: RowId, snapshot: Snapshot, source: Source, shown: Arc<Shown> },
    /// What the ends of a row's flow said.
    Conversation { capture: u32, row: RowId, snapshot: Snapshot, source: Source },
    /// What is asked of a row.
    Wish { capture: u32, wished: Box<Wished> },
    /// The picture in a body.
    Picture { capture: u32, row: RowId, side: Side, prepared: Arc<Prepared> },
    /// What the exchanges together say.
    Findings { capture: u32, snapshot: Snapshot },
    /// Preferences to write into their file, where they differ from what was there before.
    Preferences { path: PathBuf, now: Box<Preferences>, before: Box<Preferences> },
    /// Families of fonts by their names: that of words, that of what stands on the wire.
    Fonts([String; 2]),
    /// What header lines say in these rows.
    Heads { capture: u32, names: Vec<HeaderName>, rows: Vec<RowId>, snapshot: Snapshot },
    /// What could be written in a filter box at the cursor.
    Complete { which: Which, text: String, cursor: usize, snapshot: Snapshot },
}

/// An answer of the jobs thread.
#[derive(Debug)]
pub(crate) enum Told {
    /// `seen` is the row as it stood then: while its exchange is open it is written again.
    Record {
        capture: u32,
        row: RowId,
        seen: Option<Row>,
        result: Result<Arc<Shown>, String>,
    },
    Detail {
        capture: u32,
        row: RowId,
        seen: Option<Row>,
        result: Result<Arc<Prepared>, String>,
        not_yet: bool,
    },
    Wish {
        capture: u32,
        granted: Result<Granted, String>,
    },
    Conversation {
        capture: u32,
        row: RowId,
        generation: u64,
        result: Result<Arc<Spoken>, String>,
    },
    Picture {
        capture: u32,
        row: RowId,
        side: Side,
        result: Result<Picture, String>,
    },
    Findings {
        capture: u32,
        of: (u64, Notes),
        findings: Box<Findings>,
    },
    Complete {
        which: Which,
        text: String,
        cursor: usize,
        completion: Completion,
    },
    Heads {
        capture: u32,
        names: Vec<HeaderName>,
        said: Vec<Said>,
    },
    /// Two captures side by side, or why the second could not be read.
    Compared {
        number: u32,
        result: Result<Box<SideBySide>, String>,
    },
    /// A capture that was thrown away is still there.
    Kept(String),
    /// What became of writing preferences, with messages.
    Preferences {
        now: Box<Preferences>,
        result: Result<Vec<String>, String>,
    },
    /// Families that are there, and what is not.
    Fonts(Box<Families>, Vec<String>),
}

/// A capture to read beside the one on screen.
#[derive(Debug)]
pub(crate) struct Compare {
    /// Counts comparisons, so that late answers are known as such.
    pub(crate) number: u32,
    /// The capture on screen.
    pub(crate) snapshot: Snapshot,
    /// The other one.
    pub(crate) path: PathBuf,
    /// Both, where they are files.
    pub(crate) files: [Option<PathBuf>; 2],
    /// The TLS key log that is decrypted with.
    pub(crate) key_log: Option<PathBuf>,
}

/// What to save, and where.
#[derive(Debug)]
pub(crate) struct Save {
    pub(crate) source: Source,
    pub(crate) snapshot: Snapshot,
    /// The rows whose frames are saved; everything where `None`.
    pub(crate) rows: Option<Vec<RowId>>,
    /// The rows themselves are saved, and not their frames.
    pub(crate) table: Option<TableWish>,
    /// What was said is saved, and neither rows nor frames.
    pub(crate) conversation: Option<ConversationChoice>,
    pub(crate) to: PathBuf,
    /// Whether a file that is there may be replaced.
    pub(crate) replace: bool,
}

/// How rows are written.
#[derive(Clone, Debug)]
pub(crate) struct TableWish {
    pub(crate) form: RowsForm,
    /// The filter that kept them.
    pub(crate) filter: String,
    /// Header lines that are shown as columns.
    pub(crate) headers: Vec<HeaderName>,
    /// What is hidden; `None` hides nothing.
    pub(crate) redaction: Option<RedactionChoice>,
}

/// Why a capture was not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SaveFault {
    /// There is a file of this name.
    Exists,
    /// Anything else, in words.
    Other(String),
}

impl SaveFault {
    pub(crate) fn of(error: export::SaveError) -> Self {
        match error {
            export::SaveError::Exists(_) => Self::Exists,
            error => Self::Other(error.to_string()),
        }
    }
}

/// What became of a saving.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) capture: u32,
    pub(crate) wish: SaveWish,
    pub(crate) to: PathBuf,
    /// Frames that the capture had when saving began.
    pub(crate) frames: u32,
    /// Whether nothing could come after them.
    pub(crate) whole: bool,
    pub(crate) result: Result<(), SaveFault>,
}

/// Files that the user gave.
#[derive(Debug)]
pub(crate) struct Given {
    /// Counts what was given, so that late answers are known as such.
    pub(crate) number: u32,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) take: Take,
    /// The capture on screen, and its digest where it is known.
    pub(crate) on_screen: Option<(Source, Option<[u8; 32]>)>,
    /// The TLS key log that is decrypted with.
    pub(crate) key_log: Option<PathBuf>,
}

/// What files that were given are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// What their bytes say.
    ByContent,
    /// The first is to be verified, whatever it is.
    ToVerify,
    /// The first is a TLS key log, whatever it holds so far.
    ToDecrypt,
}

/// What was found out about files given.
#[derive(Debug)]
pub(crate) enum Found {
    /// Those that may be captures, one or several.
    Captures { number: u32, files: Vec<PathBuf> },
    /// A TLS key log; whether others on this machine can read it.
    KeyLog { number: u32, path: PathBuf, open_to_others: bool },
    /// A key log that cannot be read, and why.
    NoKeyLog { number: u32, why: String },
    /// One that is being checked; `Verified` follows.
    Checking { number: u32, name: String },
    /// What checking came to.
    Verified { number: u32, verified: Box<Verified> },
}

/// A request to the index thread.
#[derive(Debug)]
pub(crate) struct IndexAsk {
    pub(crate) capture: u32,
    pub(crate) snapshot: Snapshot,
    /// What is chosen; the texts of both filters are such as can be read.
    pub(crate) choice: Choice,
    /// Rows whose places in the new order are wanted: the topmost visible one and the selected one.
    pub(crate) top: Option<RowId>,
    pub(crate) selected: Option<RowId>,
}

/// A finished order.
#[derive(Debug)]
pub(crate) struct IndexTold {
    pub(crate) capture: u32,
    pub(crate) generation: u64,
    pub(crate) choice: Choice,
    pub(crate) notes: Notes,
    /// The rows to stand out, where any are asked for.
    pub(crate) lit: Option<RowSet>,
    /// Seconds that it took.
    pub(crate) cost: f64,
    /// In the order of the tree, where there is one.
    pub(crate) order: Arc<[u32]>,
    pub(crate) groups: Option<Arc<Groups>>,
    pub(crate) overview: Overview,
    pub(crate) axis: Option<Axis>,
    pub(crate) map: Minimap,
    pub(crate) top: Option<(RowId, usize)>,
    pub(crate) selected: Option<(RowId, usize)>,
}

/// What the desktop's dialog said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    File(PathBuf),
    /// Several, of a dialog that allows that.
    Files(Vec<PathBuf>),
    Cancelled,
    /// The system has no such dialog.
    NoDialog,
}

/// The window's ends of all channels.
#[derive(Debug)]
pub(crate) struct Jobs {
    budget: Budget,
    asks: Sender<Ask>,
    pub(crate) told: Receiver<Told>,
    told_in: Sender<Told>,
    found_in: Sender<Found>,
    pub(crate) found: Receiver<Found>,
    saved_in: Sender<Saved>,
    pub(crate) saved: Receiver<Saved>,
    index_asks: Sender<IndexAsk>,
    pub(crate) index_told: Receiver<IndexTold>,
    picked_in: Sender<Picked>,
    pub(crate) picked: Receiver<Picked>,
}

impl Jobs {
    /// Starts the threads `jobs` and `index`; they end when this is dropped.
    pub(crate) fn start(budget: Budget, wake: &WakeUp) -> std::io::Result<Self> {
        let (asks, asks_out) = bounded(4);
        let (told_in, told) = bounded(4);
        let (index_asks, index_asks_out) = bounded::<IndexAsk>(1);
        let (index_told_in, index_told) = bounded(1);
        let (picked_in, picked) = bounded(1);
        let (saved_in, saved) = bounded(1);
        let (found_in, found) = bounded(4);
        let woken = Arc::clone(wake);
        let answers = told_in.clone();
        let own = budget.clone();
        let budget_of_filters = budget.clone();
        Builder::new().name("jobs".to_owned()).spawn(move || {
            for ask in asks_out {
                if answers.send(answer(ask, &budget)).is_err() {
                    return;
                }
                woken();
            }
        })?;
        let woken = Arc::clone(wake);
        Builder::new().name("index".to_owned()).spawn(move || {
            let mut known = (0, Orders::within(&budget_of_filters));
            // Orders that the window may still have: whoever has one last gives back its memory, which takes longer than
            // painting may.
            let mut sent: Vec<Arc<[u32]>> = Vec::new();
            for ask in index_asks_out {
                if known.0 != ask.capture {
                    known = (ask.capture, Orders::within(&budget_of_filters));
                }
                let told = timed_index(ask, &mut known.1);
                sent.retain(|order| Arc::strong_count(order) > 1);
                sent.push(Arc::clone(&told.order));
                if index_told_in.send(told).is_err() {
                    return;
                }
                woken();
            }
        })?;
        Ok(Self {
            budget: own,
            asks,
            told,
            told_in,
            found_in,
            found,
            saved_in,
            saved,
            index_asks,
            index_told,
            picked_in,
            picked,
        })
    }

    /// Hands a request over; false where the thread is gone or busy.
    pub(crate) fn ask(&self, ask: Ask) -> bool {
        self.asks.try_send(ask).is_ok()
    }

    /// Hands a request to the index; false where it is gone or busy.
    pub(crate) fn ask_index(&self, ask: IndexAsk) -> bool {
        self.index_asks.try_send(ask).is_ok()
    }

    /// Saves on a thread of its own, since it may take minutes; the answer comes over `saved`.
    pub(crate) fn ask_save(&self, save: Save, (capture, wish): (u32, SaveWish), wake: &WakeUp) -> std::io::Result<()> {
        let (answer, wake) = (self.saved_in.clone(), Arc::clone(wake));
        let frames = save.snapshot.facts().capture.frames;
        let budget = self.budget.clone();
        Builder::new().name("save".to_owned()).spawn(move || {
            let whole = ends(&save.source, &wish);
            let result = save_to(&save, &budget);
            let _closed = answer.send(Saved { capture, wish, to: save.to, frames, whole, result });
            wake();
        })?;
        Ok(())
    }

    /// Looks at files on a thread of its own, since a large capture may have to be read; answers come over `found`.
    pub(crate) fn ask_look(&self, given: Given, wake: &WakeUp) -> std::io::Result<()> {
        let (answers, wake) = (self.found_in.clone(), Arc::clone(wake));
        let budget = self.budget.clone();
        Builder::new().name("look".to_owned()).spawn(move || {
            look(&given, &budget, |found| {
                let _closed = answers.send(found);
                wake();
            });
        })?;
        Ok(())
    }

    /// Reads a capture and holds it beside another on a thread of its own, since it may take minutes; the answer comes over
    /// `told`.
    pub(crate) fn ask_compare(&self, compare: Compare, wake: &WakeUp) -> std::io::Result<()> {
        let (answer, wake) = (self.told_in.clone(), Arc::clone(wake));
        let budget = self.budget.clone();
        Builder::new().name("compare".to_owned()).spawn(move || {
            let number = compare.number;
            let result = side_by_side(compare, &budget).map(Box::new);
            let _closed = answer.send(Told::Compared { number, result });
            wake();
        })?;
        Ok(())
    }

    /// Ends and deletes a live capture on a thread of its own, since its process may take a while to close its files.
    pub(crate) fn throw_away(&self, live: Live, wake: &WakeUp) -> std::io::Result<()> {
        let (answer, wake) = (self.told_in.clone(), Arc::clone(wake));
        Builder::new().name("discard".to_owned()).spawn(move || {
            if let Err(error) = live.throw_away() {
                let _closed = answer.send(Told::Kept(error.to_string()));
                wake();
            }
        })?;
        Ok(())
    }

    /// Shows the desktop's dialog from a thread of its own; the answer comes over `picked`.
    pub(crate) fn ask_dialog(
        &self,
        dialog: rfd::AsyncFileDialog,
        purpose: Purpose,
        wake: &WakeUp,
    ) -> std::io::Result<()> {
        let (answer, wake) = (self.picked_in.clone(), Arc::clone(wake));
        // Made here, since some systems want dialogs to begin on the window's thread.
        let one = |file: Option<rfd::FileHandle>| file.map(|file| vec![file]);
        let asked: core::pin::Pin<Box<dyn Future<Output = Option<Vec<rfd::FileHandle>>> + Send>> = match purpose {
            Purpose::Read => Box::pin(async move { one(dialog.pick_file().await) }),
            Purpose::ReadSeveral => Box::pin(dialog.pick_files()),
            Purpose::Write => Box::pin(async move { one(dialog.save_file().await) }),
        };
        Builder::new().name("dialog".to_owned()).spawn(move || {
            let (files, quick) = timed(asked);
            let picked = match files.as_deref() {
                Some([file]) => Picked::File(file.path().to_owned()),
                Some(files) if !files.is_empty() => {
                    Picked::Files(files.iter().map(|file| file.path().to_owned()).collect())
                }
                None if quick => Picked::NoDialog,
                Some(_) | None => Picked::Cancelled,
            };
            let _full = answer.try_send(picked);
            wake();
        })?;
        Ok(())
    }
}

/// What a dialog's file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    ReadSeveral,
    Write,
}

/// Waits for a dialog and says whether it answered faster than a person can.
#[expect(clippy::disallowed_methods, reason = "tells a missing dialog from a cancelled one; nothing of the analysis")]
fn timed<T>(asked: impl Future<Output = T>) -> (T, bool) {
    let start = std::time::Instant::now();
    let answer = wait(asked);
    (answer, start.elapsed() < NO_DIALOG)
}

/// Runs one future to its end on this thread.
fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn answer(ask: Ask, budget: &Budget) -> Told {
    match ask {
        Ask::Record { capture, row, snapshot } => {
            let seen = snapshot.row(row);
            let result =
                snapshot.record(row).map(|record| Arc::new(Shown::new(record, &snapshot))).map_err(|e| e.to_string());
            Told::Record { capture, row, seen, result }
        }
        Ask::Detail { capture, row, snapshot, source, shown } => {
            let seen = snapshot.row(row);
            let read = source.place().and_then(|place| engine::detail(place, &shown.record, &snapshot, budget));
            let not_yet = matches!(read, Err(engine::DetailError::NotYet));
            let result = match read {
                Ok(detail) => {
                    let capture = &snapshot.facts().capture;
                    let prepared = Prepared::new(detail, &shown.record).merged_from(&capture.merged);
                    Ok(Arc::new(prepared.commented(&capture.comments)))
                }
                Err(error) => Err(error.to_string()),
            };
            Told::Detail { capture, row, seen, result, not_yet }
        }
        Ask::Wish { capture, wished } => {
            let hides = || hiding(&wished.source, &wished.redaction).map_err(|error| error.to_string());
            Told::Wish { capture, granted: grant(&wished, &hides, budget) }
        }
        Ask::Conversation { capture, row, snapshot, source } => {
            let result = spoken(row, &snapshot, &source, budget).map(Arc::new).map_err(|error| error.to_string());
            Told::Conversation { capture, row, generation: snapshot.generation, result }
        }
        Ask::Picture { capture, row, side, prepared } => {
            let result = prepared
                .body(side)
                .map_or_else(|| Err("there is no body".to_owned()), |body| picture(&body.bytes, budget.preview_pixels));
            Told::Picture { capture, row, side, result }
        }
        Ask::Findings { capture, snapshot } => {
            let findings = Box::new(Findings::new(&snapshot.findings(), snapshot.ignored()));
            Told::Findings { capture, of: (snapshot.generation, snapshot.notes().clone()), findings }
        }
        Ask::Preferences { path, now, before } => {
            let result = now.save(&path, &before).map_err(|error| error.to_string());
            Told::Preferences { now, result }
        }
        Ask::Fonts([sans, mono]) => {
            let (families, messages) = Families::find([&sans, &mono]);
            Told::Fonts(Box::new(families), messages)
        }
        Ask::Heads { capture, names, rows, snapshot } => {
            let said = rows.into_iter().map(|id| (id, snapshot.row(id), snapshot.header_values(id, &names))).collect();
            Told::Heads { capture, names, said }
        }
        Ask::Complete { which, text, cursor, snapshot } => {
            let completion = complete(&text, cursor, &snapshot);
            Told::Complete { which, text, cursor, completion }
        }
    }
}

/// What the ends of a row's flow said, cut into lines.
fn spoken(row: RowId, snapshot: &Snapshot, source: &Source, budget: &Budget) -> Result<Spoken, engine::DetailError> {
    let exchange = snapshot.record(row)?.exchange;
    let said = engine::conversation(source.place()?, exchange.flow, snapshot, budget)?;
    Ok(Spoken::new(said, [exchange.client.to_string(), exchange.server.to_string()]))
}

/// Finds out what files are, and checks the one that tells most; against the capture among the others, where there is one.
fn look(given: &Given, budget: &Budget, tell: impl Fn(Found)) {
    let number = given.number;
    if given.take == Take::ToDecrypt {
        return tell(keys(number, given.files.first().cloned().unwrap_or_default()));
    }
    let kinds: Vec<_> = given.files.iter().map(|path| Subject::kind_of(path)).collect();
    let best = kinds.iter().flatten().max().copied();
    let subject = kinds.iter().position(|kind| kind.is_some() && *kind == best).or(match given.take {
        Take::ByContent | Take::ToDecrypt => None,
        Take::ToVerify => Some(0),
    });
    let Some(subject) = subject.and_then(|at| given.files.get(at)) else {
        let path = given.files.first().cloned().unwrap_or_default();
        if is_key_log(&path) {
            return tell(keys(number, path));
        }
        return tell(Found::Captures { number, files: given.files.clone() });
    };
    let name = clean_to(subject.file_name().unwrap_or_default().as_encoded_bytes(), 200).into_owned();
    tell(Found::Checking { number, name });
    let others = given.files.iter().filter(|path| *path != subject);
    let on_screen = given.on_screen.as_ref();
    let on_screen = on_screen.and_then(|(source, sha256)| Some(OnScreen { path: source.file()?, sha256: *sha256 }));
    let keys = given.key_log.as_deref();
    let verified = Verified::new(subject, others.map(PathBuf::as_path).collect(), (on_screen.as_ref(), keys), budget);
    tell(Found::Verified { number, verified: Box::new(verified) });
}

/// Whether a key log can be read: before anything on screen is read anew with it.
fn keys(number: u32, path: PathBuf) -> Found {
    match KeyLogFile::open(&path) {
        Ok(_) => Found::KeyLog { number, open_to_others: is_open_to_others(&path), path },
        Err(error) => Found::NoKeyLog { number, why: error.to_string() },
    }
}

/// What was read of a file, with what the case beside it says of its rows. A case of another capture says nothing.
fn noted(snapshot: Snapshot, path: &Path) -> Snapshot {
    let Ok(Some(loaded)) = Case::load(path) else { return snapshot };
    let is_of_it = snapshot.facts().sha256.is_some_and(|digest| hex(&digest) == loaded.case.capture_sha256);
    if !is_of_it {
        return snapshot;
    }
    let notes = loaded.case.notes(&snapshot);
    snapshot.with_notes(notes)
}

/// Reads a capture to its end, and makes the comparison ready to paint.
fn side_by_side(compare: Compare, budget: &Budget) -> Result<SideBySide, String> {
    let how = How::judged(1).with_keys(compare.key_log);
    let source = Source::File(compare.path.clone());
    let mut reading = Reading::open(&source, how, budget).map_err(|error| error.to_string())?;
    let failure = loop {
        match reading.step() {
            Ok(true) => {}
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
    };
    let other = noted(reading.snapshot(), &compare.path);
    let mut compared = Compared::new([&compare.snapshot, &other]);
    let [on_screen, read] = &mut compared.captions;
    if let Some(error) = failure {
        if other.facts().capture.frames == 0 {
            return Err(error.to_string());
        }
        read.warnings.push(format!("reading stopped: {error}"));
    }
    if !compare.snapshot.progress().done {
        on_screen.warnings.push("it was still being read or captured: what came later is not counted".to_owned());
    }
    Ok(SideBySide::new(&compared, compare.files))
}

/// Whether the capture has come to its end. One that was stopped to be saved is given a moment to close its files.
fn ends(source: &Source, wish: &SaveWish) -> bool {
    let Source::Live(spool) = source else { return true };
    let moment = if wish.then.is_some() { CLOSING } else { Duration::ZERO };
    matches!(spool.growing.recv_timeout(moment), Err(RecvTimeoutError::Disconnected))
}

/// Writes a capture, or the frames of some of its rows, as pcapng; or rows as a table.
fn save_to(save: &Save, budget: &Budget) -> Result<(), SaveFault> {
    if let Some(table) = &save.table {
        return save_table(save, table, budget);
    }
    if let Some(choice) = &save.conversation {
        return save_conversation(save, *choice, budget);
    }
    let what = save.rows.clone().map_or(export::SaveWhat::All, export::SaveWhat::Exchanges);
    let existing = if save.replace { export::Existing::Replace } else { export::Existing::Keep };
    let saved = export::save(&save.source, &save.snapshot, &what, (&save.to, existing), budget);
    saved.map(|_bytes| ()).map_err(SaveFault::of)
}

fn save_conversation(save: &Save, choice: ConversationChoice, budget: &Budget) -> Result<(), SaveFault> {
    let existing = if save.replace { export::Existing::Replace } else { export::Existing::Keep };
    let place = (save.to.as_path(), existing);
    let other = |error: &dyn core::fmt::Display| SaveFault::Other(error.to_string());
    let flow = save.snapshot.record(choice.row).map_err(|error| other(&error))?.exchange.flow;
    let of = (choice.side, choice.opened);
    let saved = export::save_conversation(&save.source, (flow, of), &save.snapshot, place, budget);
    saved.map(|_bytes| ()).map_err(SaveFault::of)
}

fn save_table(save: &Save, table: &TableWish, budget: &Budget) -> Result<(), SaveFault> {
    let snapshot = &save.snapshot;
    let listing = save.rows.as_ref().map_or_else(|| Listing::all(snapshot), |rows| Listing::of(snapshot, rows));
    let hiding = match &table.redaction {
        Some(choice) => Some(hiding(&save.source, choice).map_err(|error| SaveFault::Other(error.to_string()))?),
        None => None,
    };
    let redaction = hiding.as_ref().map(|(key, choice)| (key, choice));
    let wish = RowsWish { form: table.form, filter: &table.filter, headers: &table.headers, redaction };
    let existing = if save.replace { export::Existing::Replace } else { export::Existing::Keep };
    let saved = export::save_rows(&save.source, &listing, wish, (&save.to, existing), budget);
    saved.map(|_rows| ()).map_err(SaveFault::of)
}

/// The key of the case beside a capture, so that a secret has one placeholder in all that is made of it, and what the case
/// hides with what is chosen; without a case a key of its own.
fn hiding(source: &Source, choice: &RedactionChoice) -> Result<(Key, RedactionChoice), CaseError> {
    let mut choice = choice.clone();
    let Some(case) = source.file().and_then(|path| Case::load(&path).ok().flatten()).map(|loaded| loaded.case) else {
        return Ok((Key::random()?, choice));
    };
    choice.private_addresses |= case.redaction.private_addresses;
    choice.words.extend(case.redaction.words);
    Ok((case.key, choice))
}

#[expect(clippy::disallowed_methods, reason = "how long sorting takes decides how often; nothing of the analysis")]
fn timed_index(ask: IndexAsk, orders: &mut Orders) -> IndexTold {
    let start = std::time::Instant::now();
    let mut told = index(ask, orders);
    told.cost = start.elapsed().as_secs_f64();
    told
}

fn index(ask: IndexAsk, orders: &mut Orders) -> IndexTold {
    let IndexAsk { capture, snapshot, choice, top, selected } = ask;
    // The window sends only texts that it has read.
    let filter = Filter::parse(&choice.filter).unwrap_or_default();
    let mut order = query::select(&snapshot, &filter, choice.provider, &choice.sort, orders);
    if let Some((from, to)) = choice.range {
        let within = |id: &u32| snapshot.row(RowId(*id)).is_some_and(|row| (from..=to).contains(&row.time));
        order = order.iter().copied().filter(within).collect();
    }
    if let Some(site) = &choice.site {
        order = order.iter().copied().filter(|id| of_site(&snapshot, RowId(*id), site)).collect();
    }
    let grouping = choice.arrangement.grouping();
    let groups = grouping.map(|by| Arc::new(Groups::new(&snapshot, &order, (by, choice.group_order))));
    if let Some(groups) = &groups {
        order = Arc::clone(&groups.rows);
    }
    let overview = Overview::new(&snapshot, snapshot.actions().moments());
    let highlight = Filter::parse(&choice.highlight).ok().filter(|filter| !filter.keeps_all());
    let lit = highlight.map(|filter| RowSet::with(&snapshot, &filter, orders));
    let axis = Axis::new(&snapshot, &order, choice.range);
    let map = Minimap::new(&snapshot, &order, lit.as_ref());
    let place = |row: Option<RowId>| row.and_then(|row| order.iter().position(|id| *id == row.0).map(|at| (row, at)));
    let (top, selected) = (place(top), place(selected));
    let (generation, notes) = (snapshot.generation, snapshot.notes().clone());
    IndexTold { capture, generation, choice, notes, lit, cost: 0.0, order, groups, overview, axis, map, top, selected }
}
