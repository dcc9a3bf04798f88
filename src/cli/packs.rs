//! Where the user's signature files are, and how they are read.
//!
//! Comes in: the environment, a folder, paths. Goes out: texts for the evidence floor, which knows no files. Never: looks
//! into the texts.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::case::{Preferences, config_folder, preferences_path};
use crate::evidence::{self, PackText};
use crate::model::clean;

/// Longest signature file in bytes; the built-in pack has half of that.
const LONGEST: u64 = 1 << 20;
/// Most files of one user.
const MOST: usize = 64;

/// Makes the user's files part of the pack of this process. Gives a message for each that was left out.
pub(super) fn install() -> Vec<String> {
    let (texts, mut messages) = read_folder();
    messages.extend(evidence::install(&texts));
    messages
}

/// The user's files in the order of their names, and a message for each that could not be read.
pub(super) fn read_folder() -> (Vec<PackText>, Vec<String>) {
    let mut texts = Vec::new();
    let (folder, mut messages) = folder();
    let Some(folder) = folder else { return (texts, messages) };
    // No folder is how most people have it.
    let Ok(entries) = fs::read_dir(&folder) else { return (texts, messages) };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| is_pack(p)).collect();
    paths.sort();
    if let Some(first) = paths.get(MOST) {
        messages.push(format!("{} signature files are read, not those from {} on", MOST, name(first)));
    }
    for path in paths.into_iter().take(MOST) {
        match read(&path) {
            Ok(text) => texts.push(PackText { name: name(&path), text }),
            Err(error) => messages.push(format!("signature file left out: {error:#}")),
        }
    }
    (texts, messages)
}

/// The folder of signature files: as the user prefers, else beside the preferences; and what is to be said of these.
fn folder() -> (Option<PathBuf>, Vec<String>) {
    let found = preferences_path().map(|path| Preferences::look(&path)).unwrap_or_default();
    let usual = || config_folder().map(|config| config.join("signatures"));
    (found.preferences.signatures_folder.or_else(usual), found.messages)
}

fn is_pack(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}

/// The text of one signature file.
pub(super) fn read(path: &Path) -> Result<String> {
    let shown = clean(path.as_os_str().as_encoded_bytes()).into_owned();
    let file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {shown}"))?;
    if bytes.len() as u64 > LONGEST {
        bail!("{shown} is longer than a mebibyte: split it")
    }
    String::from_utf8(bytes).with_context(|| format!("{shown} is no text in UTF-8"))
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| clean(n.as_encoded_bytes()).into_owned()).unwrap_or_default()
}
