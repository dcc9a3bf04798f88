//! `verify`: a picture, bundle or claim is held against bytes.

use std::io::{self, BufWriter, Write};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::args::{Report as Form, VerifyArguments};
use super::list::{is_closed_pipe, key_log};
use crate::export::{Report, Subject, Whole, verify, write_report};
use crate::model::{Budget, clean};

/// All callouts that could be checked pass, and at least one could.
pub(super) const HOLDS: u8 = 0;
/// Something fails.
pub(super) const FAILS: u8 = 1;
/// No callout could be checked.
pub(super) const NOTHING_CHECKED: u8 = 3;

/// Checks, prints a line a callout, gives the exit code.
pub(super) fn run(arguments: &VerifyArguments, budget: &Budget) -> Result<u8> {
    let not_checked = || format!("{} was not checked", clean(arguments.file.as_os_str().as_encoded_bytes()));
    let subject = Subject::of_file(&arguments.file).map_err(anyhow::Error::msg).with_context(not_checked)?;
    let keys = key_log(arguments.keylog.as_deref());
    let report = verify(&subject, arguments.capture.as_deref(), keys.as_deref(), budget);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match arguments.format {
        Form::Words => write_report(&report, &subject.claim, &mut out).map_err(Into::into),
        Form::Json => in_json(&report, &subject, &mut out),
    };
    match written.and_then(|()| Ok(out.flush()?)) {
        Err(error) if !is_closed_pipe(&error) => return Err(error),
        _ => {}
    }
    Ok(code(&report))
}

fn code(report: &Report) -> u8 {
    match report.whole() {
        Whole::Holds => HOLDS,
        Whole::Fails => FAILS,
        Whole::NothingChecked => NOTHING_CHECKED,
    }
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
        "ignored": subject.claim.ignored,
        "not_shown": crate::export::NOT_SHOWN,
    });
    // Its own error would hide that the pipe is closed.
    serde_json::to_writer_pretty(&mut *out, &all).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
