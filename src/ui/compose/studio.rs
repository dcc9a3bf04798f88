//! Where pictures are made: a thread that keeps what the last one was drawn from, and the case beside the capture.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use egui::{ColorImage, Vec2};

use super::document::{Document, Step};
use crate::capture::digest_file;
use crate::case::{Case, ExchangeRef, Key, RedactionChoice, SectionChoice, Shape, case_path, rows_of};
use crate::engine::Source;
use crate::export::{Existing, Proof, ProofError, Redactor, Replaced, save_bytes, stem_of};
use crate::model::{Budget, hex};
use crate::store::{Actions, Note, Notes, RowId, Snapshot};
use crate::ui::figure::{self, Laid, Listed, MakeError, Making, Placed, Sheet, Written};
use crate::ui::jobs::{SaveFault, WakeUp};

/// A capture with what was read of it.
#[derive(Clone, Debug)]
pub(crate) struct Of {
    /// Counts the captures opened, so that late answers are known as such.
    pub(crate) capture: u32,
    pub(crate) snapshot: Snapshot,
    pub(crate) source: Source,
}

/// A picture that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) of: Of,
    pub(crate) what: Drawn,
}

/// A request.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The picture that was kept beside the capture.
    Load(Of),
    /// The picture, to look at.
    Draw(Box<Drawing>),
    /// The picture as it goes out, for the clipboard.
    Copy(Box<Drawing>),
    /// The picture, or the bundle, as a file.
    Save {
        /// What.
        drawing: Box<Drawing>,
        /// The bundle.
        bundle: bool,
        /// The file.
        to: PathBuf,
        /// Whether a file that is there may be replaced.
        replace: bool,
    },
    /// What the case beside the capture says of rows.
    Notes(Of),
    /// Where what was said and made of the capture, when it was read before, stands now.
    Carry(Of, Vec<Carried>),
    /// Keep something beside the capture.
    Keep(Of, Kept),
    /// Keep what is said of rows beside the file as which a live capture was saved.
    KeepWith {
        /// The capture.
        of: Of,
        /// The file.
        path: PathBuf,
        /// Whether the file was written just now.
        written: bool,
    },
}

/// What was said and made of a capture that is read anew.
#[derive(Debug)]
pub(crate) struct Carried {
    /// The rows as they were, with what was said of them.
    pub(crate) from: Snapshot,
    pub(crate) document: Document,
}

/// What is kept beside a capture.
#[derive(Debug)]
pub(crate) enum Kept {
    /// The picture.
    Picture(Box<Document>),
    /// What is said of rows: the snapshot has it.
    Notes,
}

/// A picture to look at.
#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) image: ColorImage,
    pub(crate) scale: u8,
    pub(crate) placed: Vec<Placed>,
    pub(crate) laid: Vec<Laid>,
    pub(crate) lines: Vec<Written>,
    /// Size above the footer.
    pub(crate) size: Vec2,
    pub(crate) hidden: Vec<Replaced>,
    /// A name for its file.
    pub(crate) stem: String,
    /// Numbers of the rows that are shown whole.
    pub(crate) numbers: Vec<u32>,
}

/// An answer.
#[derive(Debug)]
pub(crate) enum Told {
    /// What was kept, and what of it could not be used.
    Loaded {
        capture: u32,
        document: Option<Box<Document>>,
        messages: Vec<String>,
    },
    Drawn {
        capture: u32,
        drawn: Box<Drawn>,
        result: Result<Box<Preview>, String>,
    },
    Copied {
        result: Result<ColorImage, String>,
    },
    Saved {
        bundle: bool,
        to: PathBuf,
        result: Result<(), SaveFault>,
    },
    /// What is said of rows, and what of the case could not be used.
    Notes {
        capture: u32,
        notes: Notes,
        messages: Vec<String>,
    },
    /// What was said and made, on the rows as they are now, and how many of those are not there any more.
    Carried {
        capture: u32,
        notes: Notes,
        document: Box<Document>,
        lost: usize,
    },
    /// Whether something was kept beside the capture.
    Kept {
        capture: u32,
        /// How many marks and comments were lost, because a live capture forgot their rows.
        result: Result<usize, String>,
    },
}

/// All that a preview depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) document: Document,
    pub(crate) listed: Listed,
    pub(crate) generation: u64,
    /// What the list leaves out depends on them.
    pub(crate) notes: Notes,
    /// Pixels a point: fewer than the plan says while something is dragged.
    pub(crate) scale: u8,
}

/// The window's end. What was asked for is done before the window is gone.
#[derive(Debug)]
pub(crate) struct Studio {
    asks: Option<Sender<Ask>>,
    pub(crate) told: Receiver<Told>,
    /// Whether a preview, or what was kept, is on its way.
    pub(crate) drawing: bool,
    /// Whether what is said of rows is on its way.
    pub(crate) noting: bool,
    /// Whether a picture is being saved or copied.
    pub(crate) exporting: bool,
    /// How much is on its way to be kept beside a capture.
    pub(crate) keeping: u32,
    thread: Option<JoinHandle<()>>,
}

impl Studio {
    pub(crate) fn start(budget: Budget, wake: &WakeUp) -> std::io::Result<Self> {
        let (asks, asks_out) = bounded(8);
        // Room for more than can be asked for at once: the thread must not wait for a window that waits for it.
        let (told_in, told) = bounded(64);
        let wake = Arc::clone(wake);
        let thread = Builder::new().name("studio".to_owned()).spawn(move || {
            let mut bench = Bench { budget, case: None, saved: None, sheet: None };
            for ask in asks_out {
                if told_in.send(bench.answer(ask)).is_ok() {
                    wake();
                }
            }
        })?;
        Ok(Self {
            asks: Some(asks),
            told,
            drawing: false,
            noting: false,
            exporting: false,
            keeping: 0,
            thread: Some(thread),
        })
    }

    /// Whether an answer is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        self.drawing || self.noting || self.exporting || self.keeping > 0
    }

    /// Hands a request over; false where the thread is gone or busy.
    pub(crate) fn ask(&self, ask: Ask) -> bool {
        self.asks.as_ref().is_some_and(|asks| asks.try_send(ask).is_ok())
    }

    /// Hands something over to be kept: it must not be lost. False where the thread is gone.
    pub(crate) fn keep(&mut self, ask: Ask) -> bool {
        let handed = self.asks.as_ref().is_some_and(|asks| asks.send(ask).is_ok());
        self.keeping += u32::from(handed);
        handed
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(thread) = self.thread.take() {
            // It panicked: there is nobody left to tell.
            let _gone = thread.join();
        }
    }
}

/// Beside a capture: its case, or the key that stands in for one.
struct Beside {
    capture: u32,
    case: Case,
    /// Why the file that is there must stay as it is.
    locked: Option<String>,
}

/// What previews are drawn from, and of what it was made.
struct Cut {
    of: Material,
    sheet: Sheet,
    hidden: Vec<Replaced>,
}

/// All that a sheet depends on.
#[derive(PartialEq)]
struct Material {
    capture: u32,
    generation: u64,
    notes: Notes,
    rows: Vec<RowId>,
    listed: (Listed, String),
    sections: Vec<SectionChoice>,
    redaction: RedactionChoice,
}

struct Bench {
    budget: Budget,
    case: Option<Beside>,
    /// The file as which a live capture was saved, and the case beside it.
    saved: Option<(u32, PathBuf, Case)>,
    sheet: Option<Cut>,
}

impl Bench {
    fn answer(&mut self, ask: Ask) -> Told {
        match ask {
            Ask::Load(of) => {
                let capture = of.capture;
                match self.load(&of) {
                    Ok((document, messages)) => Told::Loaded { capture, document: document.map(Box::new), messages },
                    Err(why) => Told::Loaded { capture, document: None, messages: vec![why] },
                }
            }
            Ask::Draw(drawing) => {
                let result = self.preview(&drawing).map(Box::new);
                let Drawing { of, what } = *drawing;
                Told::Drawn { capture: of.capture, drawn: Box::new(what), result }
            }
            Ask::Copy(drawing) => {
                let result = self.make(&drawing, |made| Ok(made.image));
                Told::Copied { result: result.and_then(|image| image.map_err(|error: MakeError| error.to_string())) }
            }
            Ask::Save { drawing, bundle, to, replace } => {
                let bytes = self.make(&drawing, |made| if bundle { made.bundle() } else { Ok(made.png) });
                let result = match bytes {
                    Ok(Ok(bytes)) => {
                        let existing = if replace { Existing::Replace } else { Existing::Keep };
                        save_bytes(&drawing.of.source, (&to, existing), &bytes).map_err(SaveFault::of)
                    }
                    Ok(Err(error)) => Err(SaveFault::Other(error.to_string())),
                    Err(why) => Err(SaveFault::Other(why)),
                };
                Told::Saved { bundle, to, result }
            }
            Ask::Notes(of) => {
                let (notes, messages) = self.notes(&of).unwrap_or_else(|why| (Notes::default(), vec![why]));
                Told::Notes { capture: of.capture, notes, messages }
            }
            Ask::Carry(of, carried) => {
                let (notes, document, lost) = carry(&of.snapshot, carried);
                Told::Carried { capture: of.capture, notes, document: Box::new(document), lost }
            }
            Ask::Keep(of, kept) => Told::Kept { capture: of.capture, result: self.keep(&of, kept) },
            Ask::KeepWith { of, path, written } => {
                Told::Kept { capture: of.capture, result: self.keep_with(&of, &path, written) }
            }
        }
    }

    /// The case beside the capture, or a new one whose key the capture gives.
    fn beside(&mut self, of: &Of) -> Result<(&mut Beside, Vec<String>), String> {
        let mut messages = Vec::new();
        if self.case.as_ref().is_none_or(|known| known.capture != of.capture) {
            self.case = None;
            let path = of.source.file().ok_or_else(|| ProofError::NoFile.to_string())?;
            let sha256 = match of.snapshot.facts().sha256 {
                Some(sha256) => sha256,
                // Its reading was stopped, or it grew while it was read.
                None => digest_file(&path).map_err(|error| error.to_string())?,
            };
            let sha256 = hex(&sha256);
            let loaded = match &of.source {
                Source::File(path) => Case::load(path),
                Source::Files(_) | Source::Live(_) | Source::Stdin => Ok(None),
            };
            let (found, locked) = match loaded {
                Ok(Some(loaded)) if other(&loaded.case.capture_sha256, &sha256) => {
                    (None, Some("it was made for another capture of this name".to_owned()))
                }
                Ok(Some(loaded)) => {
                    messages.extend(loaded.messages);
                    (Some(loaded.case), None)
                }
                Ok(None) => (None, None),
                Err(error) => (None, Some(error.to_string())),
            };
            if let Some(why) = &locked {
                messages.push(format!("The case file beside the capture is not used and stays as it is: {why}"));
            }
            let mut case = match found {
                Some(case) => case,
                None => Case::new(key(&path)?),
            };
            case.capture_sha256 = sha256;
            self.case = Some(Beside { capture: of.capture, case, locked });
        }
        self.case.as_mut().map(|case| (case, messages)).ok_or_else(|| "there is no case".to_owned())
    }

    /// The first picture of the case, with the rows that its exchanges are.
    fn load(&mut self, of: &Of) -> Result<(Option<Document>, Vec<String>), String> {
        let (beside, mut messages) = self.beside(of)?;
        let Some(plan) = beside.case.plans.first().cloned() else { return Ok((None, messages)) };
        let mut document = Document { rows: vec![RowId::default(); plan.exchanges.len()], plan };
        let mut missing = Vec::new();
        let rows = rows_of(&document.plan.exchanges, &of.snapshot);
        for (at, (exchange, row)) in document.plan.exchanges.iter().zip(rows).enumerate() {
            let Some(id) = row else {
                missing.push(at);
                messages.push(format!(
                    "The picture kept beside the capture shows an exchange that is not in it (first frame {})",
                    exchange.first_frame
                ));
                continue;
            };
            if let Some(row) = document.rows.get_mut(at) {
                *row = id;
            }
        }
        for at in missing.into_iter().rev() {
            document.step(at, Step::Out);
        }
        Ok((Some(document), messages))
    }

    /// What the case says of rows. Without a case nothing is read or made.
    fn notes(&mut self, of: &Of) -> Result<(Notes, Vec<String>), String> {
        let Source::File(path) = &of.source else { return Ok(Default::default()) };
        if !case_path(path).exists() {
            return Ok(Default::default());
        }
        let (beside, messages) = self.beside(of)?;
        Ok((beside.case.notes(&of.snapshot), messages))
    }

    fn keep(&mut self, of: &Of, kept: Kept) -> Result<usize, String> {
        // Only what stays has something beside it.
        let Source::File(path) = &of.source else { return Ok(0) };
        let (beside, _) = self.beside(of)?;
        if let Some(why) = &beside.locked {
            return Err(why.clone());
        }
        match kept {
            Kept::Notes => {
                let notes = of.snapshot.notes();
                beside.case.set_notes(notes, &of.snapshot).map_err(|error| error.to_string())?;
            }
            Kept::Picture(document) => {
                let Document { mut plan, rows } = *document;
                plan.exchanges.clear();
                for row in rows {
                    let record = of.snapshot.record(row).map_err(|error| error.to_string())?;
                    plan.exchanges.push(ExchangeRef::of(&record.exchange));
                }
                match beside.case.plans.first_mut() {
                    Some(first) => *first = plan,
                    None => beside.case.plans.push(plan),
                }
            }
        }
        beside.case.save(path).map_err(|error| error.to_string())?;
        Ok(0)
    }

    /// Keeps what is said of rows beside a file as which their capture was saved.
    fn keep_with(&mut self, of: &Of, path: &Path, written: bool) -> Result<usize, String> {
        let known = self.saved.take().filter(|(n, file, _)| *n == of.capture && file == path).map(|(.., case)| case);
        let mut case = match known {
            Some(case) if !written => case,
            known => {
                let sha256 = hex(&digest_file(path).map_err(|error| error.to_string())?);
                // One that was made beside what this file replaced is ours, and goes on with it.
                let mut case = known.map_or_else(|| beside_saved(path, &sha256), Ok)?;
                case.capture_sha256 = sha256;
                case
            }
        };
        let lost = case.set_notes(of.snapshot.notes(), &of.snapshot).map_err(|error| error.to_string())?;
        case.save(path).map_err(|error| error.to_string())?;
        self.saved = Some((of.capture, path.to_owned(), case));
        // Marks of rows that left the list later are in the case already.
        Ok(if written { lost } else { 0 })
    }

    fn make<T>(&mut self, drawing: &Drawing, of: impl FnOnce(figure::Made) -> T) -> Result<T, String> {
        let key = self.beside(&drawing.of)?.0.case.key;
        let making = making(drawing, &key);
        making.make(&self.budget).map(of).map_err(|error| error.to_string())
    }

    fn preview(&mut self, drawing: &Drawing) -> Result<Preview, String> {
        let key = self.beside(&drawing.of)?.0.case.key;
        let Document { plan, rows } = &drawing.what.document;
        let material = Material {
            capture: drawing.of.capture,
            generation: drawing.what.generation,
            notes: drawing.what.notes.clone(),
            rows: rows.clone(),
            listed: (drawing.what.listed, plan.filter.clone()),
            sections: plan.sections.clone(),
            redaction: plan.redaction.clone(),
        };
        if self.sheet.as_ref().is_none_or(|cut| cut.of != material) {
            self.sheet = None;
            let making = making(drawing, &key);
            let (sheet, hidden) = making.sheet(&self.budget).map_err(|error| error.to_string())?;
            self.sheet = Some(Cut { of: material, sheet, hidden });
        }
        let cut = self.sheet.as_ref().ok_or("there is nothing to draw from")?;
        let mut redactor = Redactor::new(&key, &plan.redaction);
        for row in rows {
            if let Ok(record) = drawing.of.snapshot.record(*row) {
                redactor.learn(&record);
            }
        }
        let mut hide = |words: &str| String::from_utf8(redactor.text(words.as_bytes(), "text")).unwrap_or_default();
        let name = hide(&drawing.of.snapshot.facts().capture.name);
        let mut shown = figure::worded(plan, hide);
        shown.scale = drawing.what.scale;
        // What a crop leaves away is dimmed in the window, so that it can be changed.
        shown.annotations.retain(|annotation| !matches!(annotation.shape, Shape::Crop(_)));
        let drawn = figure::draw(&shown, &cut.sheet).map_err(|error| error.to_string())?;
        Ok(Preview {
            image: drawn.image,
            scale: drawing.what.scale,
            placed: drawn.callouts,
            laid: drawn.sections,
            lines: drawn.lines,
            size: drawn.size,
            hidden: cut.hidden.clone(),
            stem: stem_of(&name, cut.sheet.leaves.first().map(|leaf| leaf.number)),
            numbers: cut.sheet.leaves.iter().map(|leaf| leaf.number).collect(),
        })
    }
}

/// The case beside a file as which a capture was saved, or a new one.
fn beside_saved(path: &Path, sha256: &str) -> Result<Case, String> {
    match Case::load(path).map_err(|error| error.to_string())? {
        Some(loaded) if other(&loaded.case.capture_sha256, sha256) => {
            Err("the case file there was made for another capture of this name and stays as it is".to_owned())
        }
        Some(loaded) => Ok(loaded.case),
        None => Ok(Case::new(key(path)?)),
    }
}

/// Puts what was said and made of a capture on its rows as they are now. Of the same row the later one counts.
fn carry(now: &Snapshot, carried: Vec<Carried>) -> (Notes, Document, usize) {
    let (mut notes, mut document, mut lost) = (Notes::default(), Document::default(), 0);
    for Carried { from, document: mut shown } in carried {
        let said: Vec<(RowId, &Note)> = from.notes().iter().collect();
        let rows = said.iter().map(|(row, _)| *row).chain(shown.rows.iter().copied());
        let known: Vec<Option<ExchangeRef>> =
            rows.map(|row| from.record(row).ok().map(|record| ExchangeRef::of(&record.exchange))).collect();
        let exchanges: Vec<ExchangeRef> = known.iter().flatten().copied().collect();
        let mut found = rows_of(&exchanges, now).into_iter();
        let places: Vec<Option<RowId>> = known.iter().map(|known| known.and_then(|_| found.next().flatten())).collect();
        let (noted, drawn) = places.split_at_checked(said.len()).unwrap_or_default();
        lost += places.iter().filter(|place| place.is_none()).count();
        for (place, (_, note)) in noted.iter().zip(&said) {
            if let Some(place) = place {
                notes.set(*place, (*note).clone());
            }
        }
        for (row, place) in shown.rows.iter_mut().zip(drawn) {
            *row = place.unwrap_or_default();
        }
        for (at, _) in drawn.iter().enumerate().rev().filter(|(_, place)| place.is_none()) {
            shown.step(at, Step::Out);
        }
        let both = notes.actions().moments().iter().chain(from.notes().actions().moments()).copied();
        notes.set_actions(Actions::new(both));
        if !shown.rows.is_empty() {
            document = shown;
        }
    }
    (notes, document, lost)
}

/// Whether two digests are known and not the same.
fn other(one: &str, two: &str) -> bool {
    !one.is_empty() && !two.is_empty() && one != two
}

fn key(path: &Path) -> Result<Key, String> {
    Proof::key_of(path).map_err(|error| error.to_string())
}

fn making<'a>(drawing: &'a Drawing, key: &'a Key) -> Making<'a> {
    let Drawing { of, what } = drawing;
    Making::new((&of.snapshot, &of.source), &what.document.plan, &what.document.rows, what.listed, key)
}
