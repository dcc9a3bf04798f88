//! `verify`: a picture, bundle or claim is held against bytes.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::args::{Report as Form, VerifyArguments};
use super::list::is_closed_pipe;
use crate::export::{Item, Outcome, Report, Subject, verify};
use crate::model::{Budget, clean};

/// All callouts that could be checked pass, and at least one could.
pub(super) const HOLDS: u8 = 0;
/// Something fails.
pub(super) const FAILS: u8 = 1;
/// No callout could be checked.
pub(super) const NOTHING_CHECKED: u8 = 3;

/// Bytes of a file that is checked.
const MOST_BYTES: u64 = 1 << 30;

/// Checks, prints a line a callout, gives the exit code.
pub(super) fn run(arguments: &VerifyArguments, budget: &Budget) -> Result<u8> {
    let bytes = read(&arguments.file)?;
    let subject = Subject::read(&bytes).map_err(anyhow::Error::msg).context("not checked")?;
    let report = verify(&subject, arguments.capture.as_deref(), budget);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match arguments.format {
        Form::Words => words(&report, &subject, &mut out),
        Form::Json => in_json(&report, &subject, &mut out),
    };
    match written.and_then(|()| Ok(out.flush()?)) {
        Err(error) if !is_closed_pipe(&error) => return Err(error),
        _ => {}
    }
    Ok(code(&report))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let facts = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !facts.is_file() {
        bail!("no regular file: {}", path.display())
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|f| f.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!("larger than 1 GiB: {}", path.display())
    }
    Ok(bytes)
}

fn code(report: &Report) -> u8 {
    if report.fails() {
        FAILS
    } else if report.callouts()[0] == 0 {
        NOTHING_CHECKED
    } else {
        HOLDS
    }
}

fn words(report: &Report, subject: &Subject, out: &mut dyn Write) -> Result<()> {
    let claim = &subject.claim;
    writeln!(
        out,
        "Claim on {} (SHA-256 {})",
        clean(claim.capture.name.as_bytes()),
        clean(claim.capture.sha256.as_bytes())
    )?;
    if !report.against.is_empty() {
        writeln!(out, "Checked against {}", report.against)?;
    }
    for item in &report.items {
        line(item, out)?;
    }
    let [pass, fail, open] = report.callouts();
    writeln!(out, "\n{pass} callouts pass, {fail} fail, {open} cannot be checked")?;
    if !claim.redaction.on {
        writeln!(out, "Redaction was switched off")?;
    }
    for note in &claim.notes {
        writeln!(out, "Not checked, the author's: {}", clean(note.text.as_bytes()))?;
    }
    for sentence in crate::export::NOT_SHOWN {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

fn line(item: &Item, out: &mut dyn Write) -> Result<()> {
    let place = match (item.number, item.callout) {
        (Some(number), Some(callout)) => format!("exchange {number}, callout {callout}: "),
        (Some(number), None) => format!("exchange {number}: "),
        _ => String::new(),
    };
    let what = format!("{place}{}", clean(item.what.as_bytes()));
    match &item.outcome {
        Outcome::Passes(None) => writeln!(out, "passes             {what}")?,
        Outcome::Passes(Some(note)) => writeln!(out, "passes             {what} ({note})")?,
        Outcome::Fails { expected, there } => {
            writeln!(out, "FAILS              {what}")?;
            writeln!(out, "                   expected: {expected}")?;
            writeln!(out, "                   there is: {there}")?;
        }
        Outcome::CannotBeChecked(why) => writeln!(out, "cannot be checked  {what}: {why}")?,
    }
    Ok(())
}

fn in_json(report: &Report, subject: &Subject, out: &mut dyn Write) -> Result<()> {
    let [pass, fail, open] = report.callouts();
    let all = json!({
        "schema": "nephoscope-verify/1",
        "capture": subject.claim.capture,
        "against": report.against,
        "checks": report.items,
        "callouts": { "pass": pass, "fail": fail, "cannot_be_checked": open },
        "holds": code(report) == HOLDS,
        "notes": subject.claim.notes,
        "not_shown": crate::export::NOT_SHOWN,
    });
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)?;
    Ok(())
}
