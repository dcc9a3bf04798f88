//! What checking a picture, bundle or claim came to, made ready for display away from the window's thread.

use std::path::{Path, PathBuf};

use super::text;
use crate::capture::{CaptureReader, Digest, digest_file};
use crate::export::{self, Item, NO_PICTURE, NOT_REDACTED, NOT_SHOWN, Outcome, Report, Subject, Whole};
use crate::model::{Budget, clean_to, hex};

/// Characters of one value on screen; the copied text has more.
const VALUE_CHARS: usize = 400;
/// Lines on screen; a claim may have a million.
const MOST_LINES: usize = 500;
/// Notes of the author's on screen.
const MOST_NOTES: usize = 50;

/// The capture on screen, which a claim may be about.
#[derive(Clone, Debug)]
pub(crate) struct OnScreen {
    /// Its file.
    pub(crate) path: PathBuf,
    /// Its digest, where the engine has come to its end.
    pub(crate) sha256: Option<[u8; 32]>,
}

/// What became of a file that was to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The file's name.
    pub(crate) file: String,
    /// What was found, or why nothing could be.
    pub(crate) result: Result<Checked, String>,
    /// All of it as plain text.
    pub(crate) text: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) whole: Whole,
    /// What it comes to.
    pub(crate) sentence: String,
    /// What the claim is about, and what it was held against.
    pub(crate) about: Vec<String>,
    /// What each check came to.
    pub(crate) lines: Vec<Line>,
    /// Lines that are in the text only.
    pub(crate) left_off: usize,
    /// The author's words, which nothing backs.
    pub(crate) notes: Vec<String>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What stands over it and those that follow; empty where that is already there.
    pub(crate) heading: String,
    pub(crate) mark: Mark,
    /// The callout's number as it stands in the picture.
    pub(crate) callout: Option<u32>,
    /// What was checked.
    pub(crate) what: String,
    /// More about it: what it is, and the words.
    pub(crate) more: Vec<(&'static str, String)>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Passes,
    Fails,
    Open,
}

impl Mark {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passes => "Passes",
            Self::Fails => "Fails",
            Self::Open => "Cannot be checked",
        }
    }
}

impl Verified {
    /// Checks a file against the capture among those given with it, else against the one on screen where that is the
    /// claim's, else against what it brings. Reads whole files: for a job.
    pub(crate) fn new(
        path: &Path,
        mut others: Vec<&Path>,
        (on_screen, keys): (Option<&OnScreen>, Option<&Path>),
        budget: &Budget,
    ) -> Self {
        let file = name(path);
        let subject = match Subject::of_file(path) {
            Ok(subject) => subject,
            Err(why) => {
                let why = text::sentence(&value(&why));
                let text = format!("{file} was not checked\n{why}\n");
                return Self { file, result: Err(why), text };
            }
        };
        let capture = capture_among(&others, &subject, budget);
        others.retain(|other| Some(*other) != capture);
        let fits = on_screen.filter(|open| capture.is_none() && is_of(&subject, open));
        let report = export::verify(&subject, capture.or_else(|| fits.map(|open| open.path.as_path())), keys, budget);
        let mut against = vec![against(&report, &subject, (capture.is_some(), fits.is_some(), on_screen.is_some()))];
        if !others.is_empty() {
            let names = others.iter().map(|other| name(other)).collect::<Vec<_>>().join(", ");
            against.push(format!("Not looked at: {}", value(&names)));
        }
        let text = plain(&file, &report, &subject);
        Self { file, result: Ok(checked(&report, &subject, against)), text }
    }
}

/// A file's name for display.
fn name(path: &Path) -> String {
    clean_to(path.file_name().unwrap_or_default().as_encoded_bytes(), 200).into_owned()
}

/// The capture that the claim names, among the files given with it; else the first that is a capture at all.
fn capture_among<'a>(others: &[&'a Path], subject: &Subject, budget: &Budget) -> Option<&'a Path> {
    let mut captures = others.iter().copied().filter(|path| {
        Subject::kind_of(path).is_none() && CaptureReader::open(path, budget, Digest::Elsewhere).is_ok()
    });
    let first = captures.next()?;
    let named = |path: &&Path| digest_file(path).is_ok_and(|sha256| hex(&sha256) == subject.claim.capture.sha256);
    // With one there is no choice, and its digest is made when it is held against the claim.
    match captures.next() {
        None => Some(first),
        Some(second) => [first, second].into_iter().chain(captures).find(named).or(Some(first)),
    }
}

/// Whether the capture on screen is the one that the claim names.
fn is_of(subject: &Subject, open: &OnScreen) -> bool {
    let sha256 = open.sha256.or_else(|| digest_file(&open.path).ok());
    sha256.is_some_and(|sha256| hex(&sha256) == subject.claim.capture.sha256)
}

/// What the claim was held against.
fn against(report: &Report, subject: &Subject, (given, fits, open): (bool, bool, bool)) -> String {
    let other = if open && !given && !fits { "; the capture on screen is another one" } else { "" };
    match report.against.as_str() {
        "" if subject.excerpt.is_none() && !given && !fits => {
            format!(
                "Checked against nothing, since only the claim is here{other}. Drop it together with its capture, or open that first"
            )
        }
        "" => "Checked against nothing: what was given does not fit".to_owned(),
        _ if fits => "Checked against the capture on screen".to_owned(),
        "the excerpt" if !given => format!("Checked against the excerpt in the bundle{other}"),
        words => format!("Checked against {} that was given", value(words)),
    }
}

fn value(text: &str) -> String {
    clean_to(text.as_bytes(), VALUE_CHARS).into_owned()
}

fn plain(file: &str, report: &Report, subject: &Subject) -> String {
    let mut out = format!("{file}: {}\n", report.sentence()).into_bytes();
    // Writing to memory cannot fail.
    let _written = export::write_report(report, &subject.claim, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn checked(report: &Report, subject: &Subject, against: Vec<String>) -> Checked {
    let claim = &subject.claim;
    let (name, sha256) = (value(&claim.capture.name), value(&claim.capture.sha256));
    let mut about = vec![format!("Claims something about {name}"), format!("SHA-256 {sha256}")];
    about.extend(against);
    if !report.has_picture() {
        about.push(NO_PICTURE.to_owned());
    }
    if !claim.redaction.on {
        about.push(NOT_REDACTED.to_owned());
    }
    let shown = shown(&report.items);
    let left_off = report.items.len() - shown.len();
    let mut lines: Vec<Line> = Vec::with_capacity(shown.len());
    let (mut under, mut reason) = (None, Vec::new());
    for item in shown {
        let mut line = line(item);
        // One reason for many lines is said once.
        let told = std::mem::replace(&mut reason, line.more.clone());
        if line.mark == Mark::Open && told == line.more {
            line.more.clear();
        }
        if under != Some(item.exchange) {
            under = Some(item.exchange);
            line.heading = heading(item, subject);
        }
        lines.push(line);
    }
    let notes = claim.notes.iter().take(MOST_NOTES).map(|note| value(&note.text)).chain(claim.left_out()).collect();
    Checked { whole: report.whole(), sentence: report.sentence(), about, lines, left_off, notes }
}

/// The items for the screen, in their order; where there are too many, those that fail come first.
fn shown(items: &[Item]) -> Vec<&Item> {
    let fails = |item: &Item| matches!(item.outcome, Outcome::Fails { .. });
    let mut places: Vec<usize> = (0..items.len()).collect();
    places.sort_by_key(|at| !items.get(*at).is_some_and(fails));
    places.truncate(MOST_LINES);
    places.sort_unstable();
    places.into_iter().filter_map(|at| items.get(at)).collect()
}

fn heading(item: &Item, subject: &Subject) -> String {
    let Some(number) = item.number else { return "Picture and capture".to_owned() };
    let exchange = item.exchange.and_then(|at| subject.claim.exchanges.get(at));
    let request = exchange.and_then(|exchange| exchange.request.as_deref()).unwrap_or_default();
    let request = clean_to(request.as_bytes(), 90);
    if request.is_empty() { format!("Exchange {number}") } else { format!("Exchange {number}  ·  {request}") }
}

fn line(item: &Item) -> Line {
    let (mark, more) = match &item.outcome {
        Outcome::Passes(None) => (Mark::Passes, Vec::new()),
        Outcome::Passes(Some(note)) => (Mark::Passes, vec![("", text::sentence(&value(note)))]),
        Outcome::Fails { expected, there } => {
            (Mark::Fails, vec![("Expected", value(expected)), ("Found", value(there))])
        }
        Outcome::CannotBeChecked(why) => (Mark::Open, vec![("", text::sentence(&value(why)))]),
    };
    // A callout's words are the file's; the others are ours.
    let what = if item.callout.is_some() { value(&item.what) } else { text::sentence(&value(&item.what)) };
    Line { heading: String::new(), mark, callout: item.callout, what, more }
}

/// What checking does not show.
pub(crate) fn not_shown() -> &'static [&'static str] {
    &NOT_SHOWN
}
