//! The headless front: arguments in, text out, an exit code.
//!
//! Data goes to standard output, words for people to standard error.

mod args;
#[cfg(unix)]
mod capture;
mod interfaces;
mod list;
mod manual;
mod packs;
mod shot;
mod signatures;
mod verify;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;

use crate::capture::Wish;
use crate::case::{Case, Key, RedactionChoice};
use crate::engine::Source;
use crate::model::{Budget, hex};
use crate::store::Snapshot;
use crate::store::filter::Filter;
use args::{Arguments, InterfacesArguments, InterfacesFormat, Task};

/// Everything was read.
pub const READ_WHOLE: u8 = 0;
/// Something was read, but the capture is damaged or cut; the messages say where.
pub const READ_DAMAGED: u8 = 1;
/// Nothing was read: bad arguments, no such file, not a capture, or the output could not be written.
pub const NOTHING_READ: u8 = 2;

/// What the window is to begin with.
#[derive(Clone, Debug)]
pub enum Begin {
    /// The start screen.
    Start,
    /// A capture that is there.
    Open(Source),
    /// Several files: captures to merge or to compare, or one to verify with its capture.
    Several(Vec<PathBuf>),
    /// The options of a live capture, filled in.
    Choose(Wish),
    /// A live capture; without an interface from the one used last.
    Capture(Wish),
}

/// Runs the program on the process's arguments. `window` opens the window, which is no business of this front.
pub fn run(window: impl FnOnce(Begin, Option<PathBuf>, Budget) -> anyhow::Result<()>) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // `--help` and `--version` come here too, for standard output.
            let code = if error.use_stderr() { NOTHING_READ } else { READ_WHOLE };
            let _closed = error.print();
            return code.into();
        }
    };
    let budget = Budget::default();
    // `lint` and `test` say for themselves which files they are about.
    let messages = if arguments.task.as_ref().is_none_or(Task::uses_the_pack) { packs::install() } else { Vec::new() };
    for message in &messages {
        say(message);
    }
    let outcome = match arguments.task {
        Some(Task::List(list)) => list::list(&list, &budget),
        Some(Task::Explain(explain)) => list::explain(&explain, &budget),
        Some(Task::Findings(findings)) => list::findings(&findings, &budget),
        Some(Task::Compare(compare)) => list::compare(&compare, &budget),
        Some(Task::Shot(shot)) => shot::run(&shot, &budget),
        Some(Task::Verify(arguments)) => verify::run(&arguments, &budget),
        #[cfg(unix)]
        Some(Task::Capture(capture)) => capture::run(*capture),
        Some(Task::Interfaces(interfaces)) => interfaces::run(&interfaces),
        Some(Task::Signatures(signatures)) => signatures::run(&signatures.task, &budget),
        Some(Task::WriteManual(arguments)) => manual::run(&arguments),
        None if arguments.interfaces => interfaces::run(&InterfacesArguments { format: InterfacesFormat::Table }),
        None => {
            // The window reads what strangers sent: a process of its own opens the interface.
            #[cfg(target_os = "linux")]
            if let Err(why) = crate::capture::give_up_rights() {
                say(&why);
            }
            let has_filter = arguments.filter.is_some();
            let wish = |device: Option<String>| Wish {
                device: device.unwrap_or_default(),
                filter: arguments.filter.unwrap_or_default(),
                ..Wish::default()
            };
            let mut files = arguments.files;
            files.extend(arguments.read);
            let begin = match (files.pop(), arguments.interface) {
                (Some(only), _) if files.is_empty() => Begin::Open(args::source(only)),
                (Some(last), _) => {
                    files.push(last);
                    Begin::Several(files)
                }
                (None, interface) if arguments.start => Begin::Capture(wish(interface)),
                (None, interface) if interface.is_some() || has_filter => Begin::Choose(wish(interface)),
                (None, _) => Begin::Start,
            };
            let keys = list::key_log(arguments.keylog.as_deref());
            window(begin, keys, budget).map(|()| READ_WHOLE)
        }
    };
    match outcome {
        Ok(code) => code.into(),
        Err(error) => {
            say(&format!("{error:#}"));
            NOTHING_READ.into()
        }
    }
}

/// Reads a filter; what is wrong with it is drawn under it.
fn filter(text: &str) -> anyhow::Result<Filter> {
    Filter::parse(text).map_err(|fault| anyhow::anyhow!("cannot read the filter: {}", fault.drawn(text)))
}

/// What the case beside a capture says.
#[derive(Default)]
struct Beside {
    /// The case's key, by which its placeholders are made.
    key: Option<Key>,
    /// What the case hides: private addresses or not, and words. Whether anything is hidden is for the command line to say.
    redaction: RedactionChoice,
}

/// A capture's rows with what the case beside it says of them. One that was made for another capture of this name is not
/// used.
fn noted(snapshot: Snapshot, file: &Path) -> (Snapshot, Beside) {
    let case = match Case::load(file) {
        Ok(Some(loaded)) => {
            for message in &loaded.messages {
                say(&format!("the case beside the capture: {message}"));
            }
            loaded.case
        }
        Ok(None) => return (snapshot, Beside::default()),
        Err(error) => {
            say(&format!("the case beside the capture is not used: {error}"));
            return (snapshot, Beside::default());
        }
    };
    let known = snapshot.facts().sha256.map(|sha256| hex(&sha256)).unwrap_or_default();
    if !case.capture_sha256.is_empty() && !known.is_empty() && case.capture_sha256 != known {
        say("the case beside the capture is not used: it was made for another capture of this name");
        return (snapshot, Beside::default());
    }
    let notes = case.notes(&snapshot);
    (snapshot.with_notes(notes), Beside { key: Some(case.key), redaction: case.redaction })
}

/// A message for people, on standard error. When nobody can hear it there is nobody to tell.
fn say(text: &str) {
    let _closed = writeln!(io::stderr(), "nephoscope: {text}");
}
