//! `shot`: a picture of exchanges, without a display.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::args::{ShotArguments, ShotPreset, ShotTheme, source};
use super::list::read;
use super::say;
use crate::engine::{How, Source};
use crate::export::Listing;
use crate::model::Budget;
use crate::store::RowId;
use crate::ui::figure::{self, Facts, Plan, Preset, Redacted, Sheet, Theme};

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
    let redacted = if arguments.no_redaction { Redacted::Off } else { Redacted::Values(0) };
    let shown: &[(u32, RowId)] = if preset == Preset::List { &[] } else { &chosen };
    let facts = Facts { sha256: snapshot.facts().sha256, filter, redacted };
    let sheet = Sheet::new(&snapshot, shown, &listed, facts, |record| record)?;
    let plan = Plan {
        evidence_only: arguments.evidence_only,
        title: arguments.title.clone(),
        caption: arguments.caption.clone(),
        theme: match arguments.theme {
            ShotTheme::Light => Theme::Light,
            ShotTheme::Dark => Theme::Dark,
        },
        scale: arguments.scale,
        width: arguments.width,
        ..Plan::of(preset)
    };
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
