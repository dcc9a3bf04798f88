//! CSV (RFC 4180) with a guard against formulas: the list may be opened in a spreadsheet.

use std::borrow::Cow;
use std::io::Write;

use super::{ExportError, Listing};
use crate::evidence::pack;
use crate::model::Grade;
use crate::store::Row;

const COLUMNS: [&str; 18] = [
    "n",
    "first_frame",
    "time",
    "method",
    "host",
    "path",
    "status",
    "type",
    "size",
    "duration_us",
    "server",
    "operator",
    "product",
    "role",
    "tenant",
    "grade",
    "conflict",
    "complete",
];

/// Writes a header line, then one line a row.
pub fn write_csv(listing: &Listing<'_>, out: &mut dyn Write) -> Result<(), ExportError> {
    write_csv_head(out)?;
    write_csv_rows(listing, out)
}

/// Writes the header line.
pub fn write_csv_head(out: &mut dyn Write) -> Result<(), ExportError> {
    let mut lines = csv::Writer::from_writer(out);
    lines.write_record(COLUMNS)?;
    lines.flush()?;
    Ok(())
}

/// Writes one line a row.
pub fn write_csv_rows(listing: &Listing<'_>, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut lines = csv::Writer::from_writer(out);
    let pack = pack();
    for (n, _, row) in listing.full_rows() {
        let snapshot = listing.snapshot;
        let product = pack.services.get(usize::from(row.product));
        let cells: [Cow<'_, str>; 18] = [
            n.to_string().into(),
            row.first_frame.to_string().into(),
            row.time.rfc3339().into(),
            guarded(snapshot.word(row.method)),
            guarded(snapshot.text(row.host)),
            guarded(snapshot.text(row.path)),
            if row.status == 0 { "".into() } else { row.status.to_string().into() },
            guarded(snapshot.word(row.content_type)),
            row.size.to_string().into(),
            if row.is_open() { "".into() } else { row.duration_micros.to_string().into() },
            guarded(snapshot.text(row.server)),
            pack.providers.get(usize::from(row.operator)).map_or("", |p| p.name).into(),
            product.map_or("", |s| s.name).into(),
            pack.roles.get(usize::from(row.role)).copied().unwrap_or_default().into(),
            guarded(snapshot.text(row.tenant)),
            row.grade().map_or("", Grade::word).into(),
            yes_no(row.has(Row::CONFLICT)),
            yes_no(!row.has(Row::INCOMPLETE)),
        ];
        lines.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
    }
    lines.flush()?;
    Ok(())
}

fn yes_no(yes: bool) -> Cow<'static, str> {
    if yes { "yes" } else { "no" }.into()
}

/// Spreadsheets run a cell that begins like a formula; a leading apostrophe makes it text. The full-width forms count too,
/// since some programs fold them.
fn guarded(text: &str) -> Cow<'_, str> {
    let risky = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    if text.starts_with(risky) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn formulas_become_text() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("\u{ff1d}cmd"), "'\u{ff1d}cmd");
        assert_eq!(guarded("example.com"), "example.com");
        assert_eq!(guarded(""), "");
    }
}
