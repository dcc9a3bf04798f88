//! `shot`: a picture of exchanges, without a display.

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::args::{ShotArguments, ShotPreset, ShotTheme, source};
use super::list::read;
use super::say;
use crate::case::{Case, Key, Look};
use crate::engine::{How, Source};
use crate::export::{Listing, Redactor};
use crate::model::Budget;
use crate::store::RowId;
use crate::ui::figure::{self, Chosen, Preset, Sheet};

/// Rows of the list before and after a single exchange.
const AROUND: usize = 6;
/// Rows of the list in one picture.
const ROWS: usize = 200;

/// Draws the picture and writes it; gives the exit code.
pub(super) fn run(arguments: &ShotArguments, budget: &Budget) -> Result<u8> {
    let out = arguments.out.clone().unwrap_or_else(|| default_name(arguments));
    // Before minutes are spent on reading.
    if !arguments.overwrite && out.try_exists().unwrap_or(false) {
        bail!("there is a file of that name already; --overwrite replaces it: {}", out.display())
    }
    let preset = match arguments.preset {
        ShotPreset::Evidence => Preset::Evidence,
        ShotPreset::List => Preset::List,
        ShotPreset::Story => Preset::Story,
    };
    if preset != Preset::List && arguments.exchanges.is_empty() {
        bail!("this preset shows single exchanges: name one with --exchange N, or take --preset list")
    }
    let (snapshot, code) = read(&source(arguments.file.clone()), How::judged(1), budget)?;
    let filter = arguments.filter.clone().unwrap_or_default();
    let listing = Listing::new(&snapshot, &filter);
    let mut chosen = Vec::new();
    for number in &arguments.exchanges {
        let Some(id) = listing.find(*number) else {
            bail!("there is no exchange {number}: this capture has {}", snapshot.len())
        };
        chosen.push((*number, id));
    }
    let listed = if preset == Preset::List { rows(&listing, &filter, &chosen) } else { Vec::new() };
    if preset == Preset::List && listed.is_empty() {
        bail!("no exchange holds every word of the filter")
    }
    let mut plan = preset.plan();
    plan.evidence_only = arguments.evidence_only;
    plan.title.clone_from(&arguments.title);
    plan.caption.clone_from(&arguments.caption);
    plan.filter = filter;
    plan.look = match arguments.theme {
        ShotTheme::Light => Look::Light,
        ShotTheme::Dark => Look::Dark,
    };
    plan.scale = arguments.scale;
    plan.width = arguments.width.unwrap_or(plan.width);
    plan.redaction.on = !arguments.no_redaction;
    let mut redactor = Redactor::new(&key(&arguments.file)?, &plan.redaction);
    let chosen = if preset == Preset::List { Vec::new() } else { chosen };
    let chosen = chosen.into_iter().map(|(number, row)| Chosen { number, row, detail: None }).collect();
    let sheet = Sheet::new(&snapshot, chosen, &listed, &mut redactor)?;
    let drawn = figure::draw(&plan, &sheet)?;
    write(&out, &drawn.image, arguments.overwrite)?;
    let [width, height] = drawn.image.size;
    say(&format!("{width} × {height} pixels: {}", out.display()));
    Ok(code)
}

/// The rows of a list: what the filter keeps, else what was named, else the named one with its neighbours.
fn rows(listing: &Listing<'_>, filter: &str, chosen: &[(u32, RowId)]) -> Vec<RowId> {
    if !filter.trim().is_empty() {
        let all: Vec<RowId> = listing.rows().map(|(_, id)| id).collect();
        if all.len() > ROWS {
            say(&format!("the filter keeps {} exchanges; the picture shows the first {ROWS}", all.len()));
        }
        return all.into_iter().take(ROWS).collect();
    }
    let [(number, _)] = chosen else { return chosen.iter().map(|(_, id)| *id).collect() };
    let first = (*number as usize).saturating_sub(AROUND + 1);
    listing.rows().skip(first).take(*number as usize + AROUND - first).map(|(_, id)| id).collect()
}

/// The key that placeholders are made with: the case's, else one that only who has the capture can compute, so that every
/// run makes the same picture.
fn key(file: &Path) -> Result<Key> {
    if file.as_os_str() == "-" {
        return Ok(Key::random()?);
    }
    match Case::load(file) {
        Ok(Some(loaded)) => return Ok(loaded.case.key),
        Ok(None) => {}
        Err(error) => say(&format!("the case beside the capture is not used: {error}")),
    }
    let mut digest = Sha256::new_with_prefix(b"nephoscope placeholders");
    let mut bytes = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match bytes.read(&mut buffer)? {
            0 => break,
            n => digest.update(buffer.get(..n).unwrap_or_default()),
        }
    }
    Ok(Key::of_capture(&digest.finalize().into()))
}

fn default_name(arguments: &ShotArguments) -> PathBuf {
    let stem = match source(arguments.file.clone()) {
        Source::File(path) => path.file_stem().map_or_else(|| "capture".into(), |s| s.to_string_lossy().into_owned()),
        Source::Stdin | Source::Live(_) => "stdin".to_owned(),
    };
    let what = match arguments.exchanges.as_slice() {
        [] => "list".to_owned(),
        [one] => format!("exchange-{one}"),
        [first, .., last] => format!("exchanges-{first}-to-{last}"),
    };
    format!("{stem}-{what}.png").into()
}

/// Writes a PNG beside its place first, so that there is never half of one.
fn write(path: &Path, image: &egui::ColorImage, overwrite: bool) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    let mut out = BufWriter::new(file.as_file_mut());
    let bytes = encode(image).with_context(failed)?;
    out.write_all(&bytes).and_then(|()| out.flush()).with_context(failed)?;
    drop(out);
    if overwrite {
        file.persist(path).map(|_| ()).with_context(failed)
    } else {
        file.persist_noclobber(path).map(|_| ()).with_context(failed)
    }
}

fn encode(image: &egui::ColorImage) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let [width, height] = image.size.map(|n| n as u32);
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    let pixels: Vec<u8> = image.pixels.iter().flat_map(|p| [p.r(), p.g(), p.b()]).collect();
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}
