//! `shot`: a picture of exchanges, with its proof in it, without a display.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::args::{ShotArguments, ShotPreset, ShotTheme, source};
use super::list::{key_log, read};
use super::{filter, noted, say};
use crate::capture::Format;
use crate::case::{Look, Plan, RedactionChoice};
use crate::engine::How;
use crate::export::{Existing, Listing, Proof, ProofError, save_bytes};
use crate::model::Budget;
use crate::ui::figure::{Listed, Making, Preset};

/// Draws the picture and writes it; gives the exit code.
pub(super) fn run(arguments: &ShotArguments, budget: &Budget) -> Result<u8> {
    if arguments.file.as_os_str() == "-" {
        bail!("save the capture first: a proof needs a file that stays as it is")
    }
    if !arguments.more.is_empty() {
        return Err(ProofError::Merged.into());
    }
    let out = arguments.out.clone().unwrap_or_else(|| default_name(arguments));
    // Before minutes are spent on reading.
    if !arguments.overwrite && out.try_exists().unwrap_or(false) {
        bail!("there is a file of that name already; --overwrite replaces it: {}", out.display())
    }
    let filter = filter(arguments.filter.as_deref().unwrap_or_default())?;
    let preset = match arguments.preset {
        ShotPreset::Evidence => Preset::Evidence,
        ShotPreset::List => Preset::List,
        ShotPreset::Story => Preset::Story,
    };
    if preset != Preset::List && arguments.exchanges.is_empty() {
        bail!("this preset shows single exchanges: name one with --exchange N, or take --preset list")
    }
    let source = source(arguments.file.clone());
    let how = How::judged(1).with_keys(key_log(arguments.keylog.as_deref()));
    let (snapshot, code) = read(&source, how, budget)?;
    if snapshot.facts().capture.format == Format::Har {
        return Err(ProofError::Report.into());
    }
    let (snapshot, beside) = noted(snapshot, &arguments.file);
    let all = Listing::all(&snapshot);
    let mut chosen = Vec::new();
    for number in &arguments.exchanges {
        let Some(id) = all.find(*number) else {
            bail!("there is no exchange {number}: this capture has {}", snapshot.len())
        };
        chosen.push(id);
    }
    let plan = plan(arguments, preset, beside.redaction);
    let which = if filter.keeps_all() { Listed::Around } else { Listed::Kept };
    // Without a case, a key that only who has the capture can compute: every run makes the same picture.
    let key = beside.key.map_or_else(|| Proof::key_of(&arguments.file), Ok)?;
    let making = Making::new((&snapshot, &source), &plan, &chosen, which, &key);
    if making.is_empty() {
        bail!("the filter keeps no exchange: it asks that {}", filter.meaning())
    }
    if making.left_out() > 0 {
        say(&format!("the filter keeps more exchanges: {} are left out", making.left_out()));
    }
    let made = making.make(budget)?;
    let [width, height] = made.image.size;
    let existing = if arguments.overwrite { Existing::Replace } else { Existing::Keep };
    if out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip")) {
        save_bytes(&source, (&out, existing), &made.bundle()?)?;
    } else {
        save_bytes(&source, (&out, existing), &made.png)?;
    }
    say(&format!("{width} × {height} pixels: {}", out.display()));
    Ok(code)
}

fn plan(arguments: &ShotArguments, preset: Preset, redaction: RedactionChoice) -> Plan {
    let mut plan = preset.plan();
    plan.evidence_only = arguments.evidence_only;
    plan.title.clone_from(&arguments.title);
    plan.caption.clone_from(&arguments.caption);
    plan.filter = arguments.filter.clone().unwrap_or_default();
    plan.look = match arguments.theme {
        ShotTheme::Light => Look::Light,
        ShotTheme::Dark => Look::Dark,
    };
    plan.scale = arguments.scale;
    plan.width = arguments.width.unwrap_or(plan.width);
    plan.redaction = RedactionChoice { on: !arguments.no_redaction, ..redaction };
    plan
}

fn default_name(arguments: &ShotArguments) -> PathBuf {
    let stem = arguments.file.file_stem().map_or_else(|| "capture".into(), |s| s.to_string_lossy().into_owned());
    let what = match arguments.exchanges.as_slice() {
        [] => "list".to_owned(),
        [one] => format!("exchange-{one}"),
        [first, .., last] => format!("exchanges-{first}-to-{last}"),
    };
    format!("{stem}-{what}.png").into()
}
