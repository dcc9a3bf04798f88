//! The manual pages and the completions of shells, made from what the command line takes.
//!
//! Comes in: the description of the arguments. Goes out: files in a folder, the same on every machine and at any time.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use super::args::{Arguments, ManualArguments};
use super::{READ_WHOLE, say};
use crate::export::columns_text;
use crate::model::clean;

/// The program's name.
const NAME: &str = "nephoscope";
/// The shells that complete.
const SHELLS: [(Shell, &str); 3] =
    [(Shell::Bash, "nephoscope.bash"), (Shell::Zsh, "_nephoscope"), (Shell::Fish, "nephoscope.fish")];
/// What a page of the program itself says beside its arguments.
const PLACES: &str = "\
.SH FILES
.TP
.I $XDG_CONFIG_HOME/nephoscope/signatures/*.toml
Rules of yours that point at providers (without the variable below
.IR ~/.config ).
.TP
.I $XDG_CACHE_HOME/nephoscope/captures
Live captures until they are saved (without the variable below
.IR ~/.cache ).
.TP
.I NAME.nephoscope.json
Marks, comments and the picture of the capture
.IR NAME ,
beside it.
";

/// Writes `man/*.1`, `completions/*` and what the columns of tables hold below a folder.
pub(super) fn run(arguments: &ManualArguments) -> Result<u8> {
    let folder = &arguments.folder;
    let mut count = 0;
    let mut put = |below: &str, name: &str, bytes: &[u8]| -> Result<()> {
        let folder = folder.join(below);
        let path = folder.join(name);
        let shown = clean(path.as_os_str().as_encoded_bytes()).into_owned();
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, bytes))
            .with_context(|| format!("cannot write {shown}"))?;
        count += 1;
        Ok(())
    };
    for (name, page) in pages()? {
        put("man", &name, &page)?;
    }
    for (shell, name) in SHELLS {
        let mut script = Vec::new();
        generate(shell, &mut shown(), NAME, &mut script);
        put("completions", name, &script)?;
    }
    put("", "columns.md", columns_text().as_bytes())?;
    say(&format!("{count} files written below {}", place(folder)));
    Ok(READ_WHOLE)
}

fn place(folder: &Path) -> String {
    clean(folder.as_os_str().as_encoded_bytes()).into_owned()
}

/// What people type: without the subcommands that are hidden.
fn shown() -> Command {
    let whole = Arguments::command();
    let tasks: Vec<Command> = whole.get_subcommands().filter(|task| !task.is_hide_set()).cloned().collect();
    let mut bare = Command::new(NAME).version(env!("CARGO_PKG_VERSION")).args_conflicts_with_subcommands(true);
    bare = bare.args(whole.get_arguments().cloned()).subcommands(tasks);
    for (about, set) in [
        (whole.get_about(), Command::about as fn(Command, clap::builder::StyledStr) -> Command),
        (whole.get_long_about(), Command::long_about),
        (whole.get_after_help(), Command::after_help),
    ] {
        if let Some(about) = about {
            bare = set(bare, about.clone());
        }
    }
    bare
}

/// One page for the program and one for each subcommand, with their names.
fn pages() -> Result<Vec<(String, Vec<u8>)>> {
    let mut whole = shown().disable_help_subcommand(true);
    whole.build();
    let mut pages = Vec::new();
    let mut left = vec![whole];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().cloned());
        pages.push(page(command)?);
    }
    pages.sort();
    Ok(pages)
}

fn page(mut command: Command) -> Result<(String, Vec<u8>)> {
    // The number of cores is the machine's, and a page is for all machines.
    if command.get_arguments().any(|argument| argument.get_id() == "threads") {
        command = command.mut_arg("threads", |threads| threads.hide_default_value(true));
    }
    let title = command.get_display_name().unwrap_or(NAME).to_owned();
    let extra = command.get_after_long_help().or_else(|| command.get_after_help()).map(ToString::to_string);
    let has_tasks = command.has_subcommands();
    let man = Man::new(command).source(concat!("Nephoscope ", env!("CARGO_PKG_VERSION"))).manual("User commands");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if has_tasks {
        man.render_subcommands_section(&mut out)?;
    }
    if let Some(extra) = extra {
        out.extend(as_it_stands(&extra).into_bytes());
    }
    if title == NAME {
        out.extend_from_slice(PLACES.as_bytes());
    }
    Ok((format!("{title}.1"), out))
}

/// Notes with examples and tables: lines stay as they are, where the library would fill paragraphs with them.
fn as_it_stands(text: &str) -> String {
    let mut out = String::from(".SH NOTES\n.nf\n");
    for line in text.lines() {
        // A dot or an apostrophe at the head of a line is a request to the formatter, a hyphen may be broken at.
        let line = line.replace('\\', "\\e").replace('-', "\\-").replace('…', "\\[u2026]");
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        let line = line.replace('\'', "\\(aq");
        writeln!(out, "{guard}{line}").unwrap_or_default();
    }
    out.push_str(".fi\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_a_page_that_is_the_same_everywhere() {
        let pages = pages().unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for task in Arguments::command().get_subcommands().filter(|task| !task.is_hide_set()) {
            assert!(
                names.contains(&format!("nephoscope-{}.1", task.get_name()).as_str()),
                "{} in {names:?}",
                task.get_name()
            );
        }
        assert!(names.contains(&"nephoscope.1") && names.contains(&"nephoscope-signatures-lint.1"), "{names:?}");
        for (name, page) in &pages {
            let text = std::str::from_utf8(page).unwrap();
            assert!(!text.contains("write-manual"), "{name} tells of what is hidden");
            let threads = text.split("\\-\\-threads\\fR").nth(1).unwrap_or_default();
            assert!(!threads.split(".TP").next().unwrap().contains("[default"), "{name} has this machine's cores");
        }
    }

    #[test]
    fn lines_stay_and_ask_the_formatter_for_nothing() {
        let text = as_it_stands("Examples:\n  a -b 'c\\d'\n.TH x\n'so");
        assert_eq!(text, ".SH NOTES\n.nf\nExamples:\n  a \\-b \\(aqc\\ed\\(aq\n\\&.TH x\n\\&\\(aqso\n.fi\n");
    }
}
