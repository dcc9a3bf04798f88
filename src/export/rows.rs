//! Rows of a capture as a file of their own: CSV, JSON lines, HAR or Parquet.
//!
//! Comes in: a listing, the form, a path. Goes out: a file that is there whole or not at all. Never: the capture written over, an
//! existing file replaced unasked.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::parquet::{TableFacts, write_parquet};
use super::save::{Existing, SaveError, whole};
use super::{BodySource, ExportError, Listing, Redactor, csv, json, write_har};
use crate::case::{Key, RedactionChoice};
use crate::engine::Source;
use crate::model::{Budget, Side, hex};
use crate::store::{HeaderName, Snapshot};

/// Hexadecimal digits of a capture's digest in the name of a table: 64 bits, so that no two of a collection are alike.
const DIGEST_DIGITS: usize = 16;
/// Bytes of a capture's name in the name of a table.
const NAME_BYTES: usize = 80;

/// The form of a file of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowsForm {
    /// Comma-separated values.
    #[default]
    Csv,
    /// One JSON object a line, the capture first.
    Jsonl,
    /// One HAR 1.2 document of the HTTP exchanges.
    Har,
    /// Apache Parquet.
    Parquet,
}

impl RowsForm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Jsonl, Self::Har, Self::Parquet];

    /// How the names of such files end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Har => "har",
            Self::Parquet => "parquet",
        }
    }
}

/// How rows are written.
#[derive(Clone, Copy, Debug)]
pub struct RowsWish<'a> {
    /// The form.
    pub form: RowsForm,
    /// The filter that kept them, to be written down where the form has a place for it.
    pub filter: &'a str,
    /// Header lines that rows have as further columns, in CSV and JSON lines: `request.NAME`, `response.NAME`.
    pub headers: &'a [HeaderName],
    /// What is hidden, and the key that placeholders are made with; `None` hides nothing.
    pub redaction: Option<(&'a Key, &'a RedactionChoice)>,
}

/// Writes rows to `target`; gives how many there are in the file. Blocks; call it from a job.
pub fn save_rows(
    source: &Source,
    listing: &Listing<'_>,
    wish: RowsWish<'_>,
    (target, existing): (&Path, Existing),
    budget: &Budget,
) -> Result<u64, SaveError> {
    whole(source, (target, existing), |file, failed| {
        let mut out = BufWriter::with_capacity(256 << 10, file);
        let rows = write(source, listing, wish, budget, &mut out).map_err(|error| match error {
            ExportError::Write(error) => failed(error),
            error => SaveError::Rows(error),
        })?;
        out.flush().map_err(failed)?;
        Ok(rows)
    })
}

/// Rows as a text, for who copies them. Only CSV and JSON lines are texts: other forms give CSV. Blocks; call it from a job.
pub fn rows_text(listing: &Listing<'_>, wish: RowsWish<'_>) -> Result<Vec<u8>, ExportError> {
    let mut redactor = wish.redaction.map(|(key, choice)| Redactor::new(key, choice));
    let mut out = Vec::new();
    match wish.form {
        RowsForm::Jsonl => json::write_jsonl_hiding(listing, redactor.as_mut(), wish.headers, &mut out)?,
        RowsForm::Csv | RowsForm::Har | RowsForm::Parquet => {
            csv::write_csv_hiding(listing, redactor.as_mut(), wish.headers, &mut out)?;
        }
    }
    Ok(out)
}

/// What a header line's column is called: no other column has a dot in its name.
pub(super) fn header_column(name: HeaderName) -> String {
    let side = match name.side() {
        Side::Client => "request",
        Side::Server => "response",
    };
    format!("{side}.{}", name.name())
}

fn write(
    source: &Source,
    listing: &Listing<'_>,
    wish: RowsWish<'_>,
    budget: &Budget,
    out: &mut BufWriter<&mut fs::File>,
) -> Result<u64, ExportError> {
    let mut redactor = wish.redaction.map(|(key, choice)| Redactor::new(key, choice));
    let all = listing.rows().count() as u64;
    match wish.form {
        RowsForm::Csv => csv::write_csv_hiding(listing, redactor.as_mut(), wish.headers, out).map(|()| all),
        RowsForm::Jsonl => json::write_jsonl_hiding(listing, redactor.as_mut(), wish.headers, out).map(|()| all),
        RowsForm::Parquet => write_parquet(listing, TableFacts { filter: wish.filter }, redactor.as_mut(), out),
        RowsForm::Har => {
            let bodies = source.place().ok().map(|capture| BodySource { capture, budget });
            // With nothing hidden no placeholder is made, whatever the key.
            let off = RedactionChoice { on: false, ..RedactionChoice::default() };
            let mut redactor = redactor.unwrap_or_else(|| Redactor::new(&Key::of_capture(&[0; 32]), &off));
            write_har(listing, bodies, &mut redactor, out).map(|counts| counts.entries)
        }
    }
}

/// Where a capture's table goes in a folder that takes those of many: its digest and its name, so that captures of one name
/// keep apart, and whoever writes the same capture again finds it there.
pub fn table_path(folder: &Path, snapshot: &Snapshot) -> PathBuf {
    let facts = snapshot.facts();
    let digest = facts.sha256.map_or_else(|| "unknown".to_owned(), |sha256| hex(&sha256));
    let digest: String = digest.chars().take(DIGEST_DIGITS).collect();
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = facts.capture.name.chars().map(allowed).take(NAME_BYTES).collect();
    folder.join(format!("{digest}-{name}.parquet"))
}
