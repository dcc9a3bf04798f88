//! The headless front: arguments in, text out, an exit code.
//!
//! Data goes to standard output, words for people to standard error.

mod args;
mod list;
mod packs;
mod shot;
mod signatures;
mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::engine::Source;
use crate::model::Budget;
use args::{Arguments, Task};

/// Everything was read.
pub const READ_WHOLE: u8 = 0;
/// Something was read, but the capture is damaged or cut; the messages say where.
pub const READ_DAMAGED: u8 = 1;
/// Nothing was read: bad arguments, no such file, not a capture, or the output could not be written.
pub const NOTHING_READ: u8 = 2;

/// What the window is to begin with.
#[derive(Clone, Debug, Default)]
pub struct Begin {
    /// A capture to open.
    pub open: Option<Source>,
    /// The interface to choose.
    pub interface: Option<String>,
    /// The capture filter to choose.
    pub filter: Option<String>,
    /// Whether capturing begins at once.
    pub capture: bool,
    /// A message for each signature file of the user that was left out.
    pub left_out: Vec<String>,
}

/// Runs the program on the process's arguments. `window` opens the window, which is no business of this front.
pub fn run(window: impl FnOnce(Begin, Budget) -> anyhow::Result<()>) -> ExitCode {
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
        Some(Task::Shot(shot)) => shot::run(&shot, &budget),
        Some(Task::Verify(arguments)) => verify::run(&arguments, &budget),
        Some(Task::Signatures(signatures)) => signatures::run(&signatures.task, &budget),
        None => {
            let begin = Begin {
                open: arguments.file.or(arguments.read).map(args::source),
                interface: arguments.interface,
                filter: arguments.filter,
                capture: arguments.start,
                left_out: messages,
            };
            window(begin, budget).map(|()| READ_WHOLE)
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

/// A message for people, on standard error. When nobody can hear it there is nobody to tell.
fn say(text: &str) {
    let _closed = writeln!(io::stderr(), "nephoscope: {text}");
}
