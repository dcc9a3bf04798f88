//! `list`, `explain`, `findings` and `compare`.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::args::{
    CompareArguments, ExplainArguments, FindingsArguments, Format, ListArguments, Live, Report, source, sources,
};
use super::{Beside, READ_DAMAGED, READ_WHOLE, filter, noted, say};
use crate::capture::{CaptureError, is_open_to_others};
use crate::case::{Key, RedactionChoice};
use crate::engine::{How, Reading, Source};
use crate::export::{
    BodySource, Compared, Existing, ExportError, Listing, Moment, Redactor, RowsForm, RowsWish, save_rows, table_path,
    write_capture, write_comparison, write_comparison_json, write_csv, write_csv_head, write_csv_rows,
    write_explanation, write_explanation_json, write_findings, write_findings_json, write_har, write_jsonl,
    write_jsonl_rows, write_table, write_table_head, write_table_rows,
};
use crate::model::{Budget, clean, clean_to};
use crate::store::Snapshot;
use crate::store::filter::Filter;

/// Prints the exchanges of each file; gives the exit code.
pub(super) fn list(arguments: &ListArguments, budget: &Budget) -> Result<u8> {
    let mut code = READ_WHOLE;
    let mut failed = None;
    let keys = key_log(arguments.keylog.as_deref());
    let filter = filter(&arguments.filter)?;
    let rows = Rows::of(arguments.format);
    let apart = arguments.apart || arguments.format == Format::Parquet && !arguments.merge;
    if arguments.format == Format::Har && apart && arguments.files.len() > 1 {
        bail!("an HAR document is of one capture: name one file, or leave --apart out")
    }
    if arguments.out.is_some() && arguments.format != Format::Parquet {
        bail!("--out is for --format parquet; the others go to standard output")
    }
    let captures: Vec<Source> = if apart {
        arguments.files.iter().cloned().map(source).collect()
    } else {
        vec![sources(arguments.files.clone())?]
    };
    let alone = captures.len() == 1;
    for source in captures {
        let threads = usize::from(arguments.threads);
        let how = How { threads, verdicts: !arguments.no_verdicts, key_log: keys.clone() };
        let result = match (&source, rows) {
            (Source::Stdin, Some(rows)) if arguments.live != Live::Never => {
                read_pipe((arguments.live, rows, &filter), how, budget)
            }
            _ => read(&source, how, budget).map(|(snapshot, code)| (Some(snapshot), code)),
        };
        match result {
            // The rows were printed as they came.
            Ok((None, damaged)) => code = code.max(damaged),
            Ok((Some(snapshot), damaged)) => {
                code = code.max(damaged);
                if let Some(folder) = &arguments.out {
                    match table(arguments, folder, (&source, &snapshot, &filter), budget) {
                        Ok(()) => continue,
                        // As with one that cannot be read.
                        Err(error) if !alone => {
                            say(&format!("{error:#}"));
                            failed = Some(error);
                            continue;
                        }
                        Err(error) => return Err(error),
                    }
                }
                let mut out = BufWriter::with_capacity(256 << 10, io::stdout().lock());
                let (snapshot, beside) = match &source {
                    Source::File(file) => noted(snapshot, file),
                    Source::Files(_) | Source::Stdin | Source::Live(_) => (snapshot, Beside::default()),
                };
                let listing = Listing::new(&snapshot, &filter);
                let written = match rows {
                    Some(Rows::Table) => write_table(&listing, &mut out),
                    Some(Rows::Jsonl) => write_jsonl(&listing, threads, &mut out),
                    Some(Rows::Csv) => write_csv(&listing, &mut out),
                    // It has gone to its folder.
                    None if arguments.format == Format::Parquet => Ok(()),
                    None => {
                        let key = beside.key.map_or_else(Key::random, Ok)?;
                        let choice = RedactionChoice { on: !arguments.no_redaction, ..beside.redaction };
                        har((arguments, &source), &listing, Redactor::new(&key, &choice), budget, &mut out)
                    }
                };
                let written = written.map_err(anyhow::Error::from).and_then(|()| Ok(out.flush()?));
                match written {
                    // `| head` has seen enough.
                    Err(error) if is_closed_pipe(&error) => return Ok(code),
                    other => other?,
                }
            }
            // One bad file does not keep the others from being read.
            Err(error) if !alone => {
                say(&format!("{error:#}"));
                failed = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    if failed.is_some() {
        bail!("not every file could be read and written")
    }
    Ok(code)
}

/// Writes a capture's rows as a table into a folder.
fn table(
    arguments: &ListArguments,
    folder: &Path,
    (source, snapshot, filter): (&Source, &Snapshot, &Filter),
    budget: &Budget,
) -> Result<()> {
    let shown = clean(folder.as_os_str().as_encoded_bytes()).into_owned();
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {shown}"))?;
    let listing = Listing::new(snapshot, filter);
    let wish = RowsWish { form: RowsForm::Parquet, filter: &arguments.filter, headers: &[], redaction: None };
    let existing = if arguments.overwrite { Existing::Replace } else { Existing::Keep };
    let target = table_path(folder, snapshot);
    save_rows(source, &listing, wish, (&target, existing), budget)?;
    Ok(())
}

/// Writes a HAR document, and says what is not in it.
fn har(
    (arguments, source): (&ListArguments, &Source),
    listing: &Listing<'_>,
    mut redactor: Redactor,
    budget: &Budget,
    out: &mut dyn io::Write,
) -> Result<(), ExportError> {
    let place = source.place().ok();
    let bodies = place.filter(|_| !arguments.no_bodies).map(|capture| BodySource { capture, budget });
    let counts = write_har(listing, bodies, &mut redactor, out)?;
    if counts.without_request > 0 {
        say(&format!("{} responses are left out: the capture lacks their requests", counts.without_request));
    }
    if counts.replaced > 0 {
        say(&format!("secrets were replaced at {} places; --no-redaction leaves them", counts.replaced));
    }
    if let Some(why) = counts.why_unread {
        say(&format!("the bodies of {} exchanges were not read: {why}", counts.unread));
    }
    if place.is_none() && !arguments.no_bodies {
        say("without bodies: standard input cannot be read a second time");
    }
    Ok(())
}

/// The key log that the user named. Others who can read it can read what it opens, so that is said.
pub(super) fn key_log(path: Option<&Path>) -> Option<PathBuf> {
    let path = path?;
    if is_open_to_others(path) {
        say(&format!(
            "others on this machine can read the key log, and with it all that it opens; `chmod 600` closes it: {}",
            clean(path.as_os_str().as_encoded_bytes())
        ));
    }
    Some(path.to_path_buf())
}

/// Steps without anything new, of some 30 ms each, that are a pause.
const PAUSE_STEPS: u32 = 7;

/// Reads standard input. Where it is a live capture, prints the rows as they come; else gives them when all are there.
fn read_pipe((live, rows, filter): (Live, Rows, &Filter), how: How, budget: &Budget) -> Result<(Option<Snapshot>, u8)> {
    let mut reading = Reading::follow_stdin(how, budget)?;
    let mut printer = (live == Live::Always).then(|| Printer::new(rows, filter));
    let mut still = 0;
    let mut failure = None;
    loop {
        match reading.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
        still = if reading.is_waiting() { still + 1 } else { 0 };
        if printer.is_none() && (still >= PAUSE_STEPS || still > 0 && reading.is_of_this_moment()) {
            printer = Some(Printer::new(rows, filter));
        }
        if let Some(printer) = &mut printer
            && reading.has_news()
        {
            match printer.print(&reading.snapshot()) {
                Err(error) if is_closed_pipe(&error) => return Ok((None, READ_WHOLE)),
                other => other?,
            }
        }
    }
    let snapshot = reading.snapshot();
    if let Some(printer) = &mut printer {
        match printer.end(&snapshot) {
            Err(error) if is_closed_pipe(&error) => return Ok((None, READ_WHOLE)),
            other => other?,
        }
    }
    let code = ended(&snapshot, failure)?;
    Ok((printer.is_none().then_some(snapshot), code))
}

/// A form that has a line for each row, and so can be written as they come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    Table,
    Jsonl,
    Csv,
}

impl Rows {
    /// `None` for a document that is written when all is there.
    fn of(format: Format) -> Option<Self> {
        match format {
            Format::Table => Some(Self::Table),
            Format::Jsonl => Some(Self::Jsonl),
            Format::Csv => Some(Self::Csv),
            Format::Har | Format::Parquet => None,
        }
    }
}

/// Prints rows as they come.
struct Printer<'a> {
    form: Rows,
    filter: &'a Filter,
    begun: bool,
    /// Rows that were looked at.
    rows: u32,
}

impl<'a> Printer<'a> {
    fn new(form: Rows, filter: &'a Filter) -> Self {
        Self { form, filter, begun: false, rows: 0 }
    }

    fn print(&mut self, snapshot: &Snapshot) -> Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        if !std::mem::replace(&mut self.begun, true) {
            match self.form {
                Rows::Table => write_table_head(&mut out)?,
                Rows::Jsonl => write_capture(snapshot, Moment::Begun, &mut out)?,
                Rows::Csv => write_csv_head(&mut out)?,
            }
        }
        let listing = Listing::of_new(snapshot, self.filter, self.rows);
        match self.form {
            Rows::Table => write_table_rows(&listing, &mut out)?,
            Rows::Jsonl => write_jsonl_rows(&listing, &mut out)?,
            Rows::Csv => write_csv_rows(&listing, &mut out)?,
        }
        self.rows = u32::try_from(snapshot.len()).unwrap_or(u32::MAX);
        Ok(out.flush()?)
    }

    fn end(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.print(snapshot)?;
        if self.form == Rows::Jsonl {
            let mut out = io::stdout().lock();
            write_capture(snapshot, Moment::Ended, &mut out)?;
            out.flush()?;
        }
        Ok(())
    }
}

pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

/// Prints one exchange's verdict and ledger.
pub(super) fn explain(arguments: &ExplainArguments, budget: &Budget) -> Result<u8> {
    let how = How::judged(1).with_keys(key_log(arguments.keylog.as_deref()));
    let (snapshot, code) = read(&sources(arguments.files.clone())?, how, budget)?;
    let listing = Listing::all(&snapshot);
    let Some(id) = listing.find(arguments.number) else {
        bail!("there is no exchange {}: this capture has {}", arguments.number, snapshot.len())
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match arguments.format {
        Report::Words => write_explanation(&listing, arguments.number, id, &mut out),
        Report::Json => write_explanation_json(&listing, arguments.number, id, &mut out),
    };
    written_whole(written.map_err(anyhow::Error::from).and_then(|()| Ok(out.flush()?)), code)
}

/// Prints what the exchanges together say of each site.
pub(super) fn findings(arguments: &FindingsArguments, budget: &Budget) -> Result<u8> {
    let keys = key_log(arguments.keylog.as_deref());
    let how = How::judged(usize::from(arguments.threads)).with_keys(keys);
    let source = sources(arguments.files.clone())?;
    let (snapshot, code) = read(&source, how, budget)?;
    let snapshot = match &source {
        Source::File(file) => noted(snapshot, file).0,
        Source::Files(_) | Source::Stdin | Source::Live(_) => snapshot,
    };
    let listing = Listing::all(&snapshot);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match arguments.format {
        Report::Words => write_findings(&listing, &arguments.site, &mut out),
        Report::Json => write_findings_json(&listing, &arguments.site, &mut out),
    };
    written_whole(written.map_err(anyhow::Error::from).and_then(|()| Ok(out.flush()?)), code)
}

/// Prints what two captures say differently of each site.
pub(super) fn compare(arguments: &CompareArguments, budget: &Budget) -> Result<u8> {
    let keys = key_log(arguments.keylog.as_deref());
    let read_one = |file: &Path| {
        let how = How::judged(usize::from(arguments.threads)).with_keys(keys.clone());
        let (snapshot, damaged) = read(&source(file.to_owned()), how, budget)?;
        let snapshot = if file.as_os_str() == "-" { snapshot } else { noted(snapshot, file).0 };
        Ok::<_, anyhow::Error>((snapshot, damaged))
    };
    if arguments.a.as_os_str() == "-" && arguments.b.as_os_str() == "-" {
        bail!("standard input can be one of the two only")
    }
    let (a, damaged_a) = read_one(&arguments.a)?;
    let (b, damaged_b) = read_one(&arguments.b)?;
    let compared = Compared::new([&a, &b]);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match arguments.format {
        Report::Words => write_comparison(&compared, &arguments.site, &mut out),
        Report::Json => write_comparison_json(&compared, &arguments.site, &mut out),
    };
    let code = damaged_a.max(damaged_b);
    written_whole(written.map_err(anyhow::Error::from).and_then(|()| Ok(out.flush()?)), code)
}

/// The exit code, whether or not the reader had seen enough.
fn written_whole(written: Result<()>, code: u8) -> Result<u8> {
    match written {
        Err(error) if is_closed_pipe(&error) => Ok(code),
        other => other.map(|()| code),
    }
}

/// Reads a capture to its end; says what could not be read, and gives the exit code for that.
pub(super) fn read(source: &Source, how: How, budget: &Budget) -> Result<(Snapshot, u8)> {
    let mut reading = Reading::open(source, how, budget)?;
    let mut failure = None;
    loop {
        match reading.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    let snapshot = reading.snapshot();
    let code = ended(&snapshot, failure)?;
    Ok((snapshot, code))
}

/// Says what could not be read, and gives the exit code for that.
fn ended(snapshot: &Snapshot, failure: Option<CaptureError>) -> Result<u8> {
    let code = report(snapshot);
    let Some(error) = failure else { return Ok(code) };
    if snapshot.facts().capture.frames == 0 {
        return Err(error).context("nothing could be read");
    }
    say(&format!("reading stopped: {error}"));
    Ok(READ_DAMAGED)
}

/// What could not be read, on standard error.
fn report(snapshot: &Snapshot) -> u8 {
    let facts = snapshot.facts();
    let capture = &facts.capture;
    let name = clean(capture.name.as_bytes());
    let mut code = READ_WHOLE;
    for comment in capture.comments.iter().filter(|c| c.frame.is_none()).take(3) {
        say(&format!("{name}: comment in the file: {}", clean_to(&comment.text, 500)));
    }
    for skipped in capture.skipped.iter().take(20) {
        say(&format!(
            "{name}: at offset {}, {} bytes not read: {}",
            skipped.offset,
            skipped.len,
            clean(skipped.why.as_bytes())
        ));
        code = READ_DAMAGED;
    }
    if capture.skipped.len() > 20 {
        say(&format!("{name}: and {} more places not read", capture.skipped.len() - 20));
    }
    if capture.cut_tail_bytes > 0 {
        say(&format!("{name}: the file ends inside a record: {} bytes not read", capture.cut_tail_bytes));
        code = READ_DAMAGED;
    }
    for (count, words) in facts.unread() {
        say(&format!("{name}: {count} {words}"));
    }
    if facts.has_keys() {
        say(&format!("{name}: {}", facts.sessions.words()));
        let counts = facts.keys.counts();
        if counts.bad > 0 {
            let lines = if counts.bad == 1 { "line is" } else { "lines are" };
            say(&format!("{name}: {} {lines} no key log's: nothing is known of what they were for", counts.bad));
        }
    }
    for loss in facts.losses() {
        say(&format!("{name}: {loss}"));
    }
    for hit in &facts.limits {
        say(&format!("{name}: {}: {}", hit.limit.words(), hit.count));
    }
    code
}
