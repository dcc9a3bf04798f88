//! A table for a terminal: one line a row, cut to a sensible width.

use std::io::Write;

use super::{ExportError, Listing};
use crate::evidence::pack;
use crate::model::{Grade, bytes_short, middle};
use crate::store::RowKind;

/// Widths in characters of host, path and the operator with its product.
const WIDTHS: [usize; 3] = [42, 40, 34];

/// Writes a header line, then one line a row. Texts were made harmless when the store took them.
pub fn write_table(listing: &Listing<'_>, out: &mut dyn Write) -> Result<(), ExportError> {
    write_table_head(out)?;
    write_table_rows(listing, out)
}

/// Writes the header line.
pub fn write_table_head(out: &mut dyn Write) -> Result<(), ExportError> {
    let [host_width, path_width, who_width] = WIDTHS;
    writeln!(
        out,
        "{:>6}  {:<12}  {:<7}  {:<host_width$}  {:<path_width$}  {:>6}  {:>7}  {:<who_width$}  Evidence",
        "#", "Time (UTC)", "Method", "Host", "Path", "Status", "Size", "Who"
    )?;
    Ok(())
}

/// Writes one line a row.
pub fn write_table_rows(listing: &Listing<'_>, out: &mut dyn Write) -> Result<(), ExportError> {
    let [host_width, path_width, who_width] = WIDTHS;
    let pack = pack();
    for (n, _, row) in listing.full_rows() {
        let snapshot = listing.snapshot;
        let operator = pack.providers.get(usize::from(row.operator)).map_or("·", |p| p.name);
        let who = match pack.services.get(usize::from(row.product)) {
            Some(service) if service.name != operator => format!("{operator} · {}", service.name),
            _ => operator.to_owned(),
        };
        let status = match row.kind {
            RowKind::Http if row.status == 0 => "·".to_owned(),
            RowKind::Http => row.status.to_string(),
            RowKind::Dns if row.status == 0 => "ok".to_owned(),
            RowKind::Dns => format!("rc {}", row.status),
            RowKind::Tls if row.is_opened() => "opened".to_owned(),
            RowKind::Tls => "sealed".to_owned(),
        };
        let line = format!(
            "{n:>6}  {:<12}  {:<7}  {:<host_width$}  {:<path_width$}  {status:>6}  {:>7}  {:<who_width$}  {}",
            row.time.time_of_day(3),
            middle(snapshot.word(row.method), 7, 0),
            middle(snapshot.text(row.host), host_width, 24),
            middle(snapshot.text(row.path), path_width, 12),
            size(row.kind, row.size),
            middle(&who, who_width, 8),
            row.grade().map_or("", Grade::word),
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn size(kind: RowKind, size: u64) -> String {
    match kind {
        RowKind::Dns => format!("{size} rr"),
        RowKind::Http | RowKind::Tls => bytes_short(size),
    }
}
