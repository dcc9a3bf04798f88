//! CSV (RFC 4180) with a guard against formulas: the list may be opened in a spreadsheet.

use std::borrow::Cow;
use std::io::Write;

use super::rows::header_column;
use super::said::{comment_of, learn, process_of};
use super::{ExportError, Listing, Redactor};
use crate::evidence::pack;
use crate::model::{Detail, Grade, clean_to};
use crate::store::{HeaderName, Record, Row, host_and_path, request_line, server_text};

/// Characters of a text that was made anew; rows keep as many.
const CHARS: usize = 256;

/// The columns, and what each holds, for who reads the table.
pub(super) const COLUMNS: [(&str, &str); 23] = [
    ("n", "The row's number, from 1"),
    ("first_frame", "The frame of its first byte, as Wireshark numbers them"),
    ("time", "When that was captured, RFC 3339, UTC"),
    ("method", "Method; of other rows the protocol"),
    ("host", "Host, SNI or name"),
    ("path", "Path and query; of a session its version, of a lookup its type"),
    ("status", "Status code; of a lookup the response code"),
    ("type", "Media type of the response"),
    ("size", "Bytes of the response's body; of a session those of both sides; of a lookup the number of its answers"),
    ("duration_us", "Microseconds from the first to the last byte; empty while it goes on"),
    ("server", "The server's address and port"),
    ("operator", "Whose machine answered"),
    ("product", "Which of the operator's services"),
    ("role", "What that machine is there for"),
    ("tenant", "Whose account, bucket or distribution it is"),
    ("grade", "How sure the verdict is"),
    ("conflict", "Whether witnesses disagree: `yes` or `no`"),
    ("complete", "Whether all of it is in the capture"),
    ("marked", "Whether the user marked it"),
    ("ignored", "Whether the user ignores it"),
    ("conversation", "The number of its connection's colour, 1 to 10"),
    ("process", "The program that had the connection, in live captures"),
    ("comment", "What the user says of it"),
];

/// Columns that rows of merged files have beside them: the file that a row begins in, and its first frame's number there.
const FILE_COLUMNS: [&str; 2] = ["file", "file_frame"];

/// Writes a header line, then one line a row.
pub fn write_csv(listing: &Listing<'_>, out: &mut dyn Write) -> Result<(), ExportError> {
    write_head((is_merged(listing), &[]), out)?;
    write_csv_rows(listing, out)
}

/// Writes the header line of a capture that is not merged.
pub fn write_csv_head(out: &mut dyn Write) -> Result<(), ExportError> {
    write_head((false, &[]), out)
}

fn is_merged(listing: &Listing<'_>) -> bool {
    !listing.snapshot.facts().capture.merged.is_empty()
}

fn write_head((merged, headers): (bool, &[HeaderName]), out: &mut dyn Write) -> Result<(), ExportError> {
    let mut lines = csv::Writer::from_writer(out);
    let more = if merged { FILE_COLUMNS.as_slice() } else { &[] };
    // A name of a header line may begin like a formula; that of its column does not.
    let headers: Vec<String> = headers.iter().map(|name| header_column(*name)).collect();
    let names = COLUMNS.iter().map(|(name, _)| *name);
    lines.write_record(names.chain(more.iter().copied()).chain(headers.iter().map(String::as_str)))?;
    lines.flush()?;
    Ok(())
}

/// The same with secrets replaced, where any are hidden, and with a further column for each of these header lines.
pub(super) fn write_csv_hiding(
    listing: &Listing<'_>,
    redactor: Option<&mut Redactor>,
    headers: &[HeaderName],
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    write_head((is_merged(listing), headers), out)?;
    if let Some(redactor) = redactor {
        learn(listing, redactor)?;
        return write_rows(listing, Some(redactor), headers, out);
    }
    write_rows(listing, None, headers, out)
}

/// What a row says of secrets and names: host, path, server and tenant, from a record without secrets.
struct Hidden {
    host: String,
    path: Option<String>,
    server: String,
    tenant: String,
}

impl Hidden {
    fn new(record: &Record) -> Self {
        let text = |bytes: &[u8]| clean_to(bytes, CHARS).into_owned();
        let (host, path) = match &record.exchange.detail {
            Detail::Http(http) => http.request.as_ref().map_or_else(Default::default, |message| {
                let (host, path) = host_and_path(message, request_line(message).1);
                (text(host), Some(text(path)))
            }),
            // What stands for the path of these names a version or a type.
            Detail::Tls(tls) => {
                let name = tls.client_hello.as_ref().and_then(|hello| hello.sni_bytes());
                (name.map_or_else(String::new, text), None)
            }
            Detail::Dns(dns) => {
                (dns.questions.first().map_or_else(String::new, |question| text(question.name.as_bytes())), None)
            }
        };
        let tenant = record.verdict.tenant.as_ref().map_or_else(String::new, |t| text(t.value.name.as_bytes()));
        Self { host, path, server: server_text(&record.exchange), tenant }
    }
}

/// Writes one line a row.
pub fn write_csv_rows(listing: &Listing<'_>, out: &mut dyn Write) -> Result<(), ExportError> {
    write_rows(listing, None, &[], out)
}

fn write_rows(
    listing: &Listing<'_>,
    mut redactor: Option<&mut Redactor>,
    headers: &[HeaderName],
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let mut lines = csv::Writer::from_writer(out);
    let pack = pack();
    for (n, id, row) in listing.full_rows() {
        let snapshot = listing.snapshot;
        let record = match &mut redactor {
            Some(redactor) => Some(redactor.record(&snapshot.record(id)?).record),
            None if headers.is_empty() => None,
            None => Some(snapshot.record(id)?),
        };
        let hidden = record.as_ref().filter(|_| redactor.is_some()).map(Hidden::new);
        let hidden = hidden.as_ref();
        let said: Vec<String> = headers
            .iter()
            .map(|name| record.as_ref().and_then(|record| name.whole(record)).unwrap_or_default())
            .collect();
        let product = pack.services.get(usize::from(row.product));
        let comment = comment_of(snapshot, id, &mut redactor);
        let process = process_of(snapshot, id, &mut redactor);
        let cells: [Cow<'_, str>; 23] = [
            n.to_string().into(),
            row.first_frame.to_string().into(),
            row.time.rfc3339().into(),
            guarded(snapshot.word(row.method)),
            guarded(hidden.map_or_else(|| snapshot.text(row.host), |h| &h.host)),
            guarded(hidden.and_then(|h| h.path.as_deref()).unwrap_or_else(|| snapshot.text(row.path))),
            if row.status == 0 { "".into() } else { row.status.to_string().into() },
            guarded(snapshot.word(row.content_type)),
            row.size.to_string().into(),
            if row.is_open() { "".into() } else { row.duration_micros.to_string().into() },
            guarded(hidden.map_or_else(|| snapshot.text(row.server), |h| &h.server)),
            pack.providers.get(usize::from(row.operator)).map_or("", |p| p.name).into(),
            product.map_or("", |s| s.name).into(),
            pack.roles.get(usize::from(row.role)).copied().unwrap_or_default().into(),
            guarded(hidden.map_or_else(|| snapshot.text(row.tenant), |h| &h.tenant)),
            row.grade().map_or("", Grade::word).into(),
            yes_no(row.has(Row::CONFLICT)),
            yes_no(!row.has(Row::INCOMPLETE)),
            yes_no(snapshot.note(id).is_some_and(|note| note.marked)),
            yes_no(snapshot.is_ignored(id)),
            snapshot.colour(id).map_or_else(|| "".into(), |colour| colour.number().to_string().into()),
            guarded(&process),
            guarded(&comment),
        ];
        let merged = &snapshot.facts().capture.merged;
        let file: Option<[Cow<'_, str>; 2]> = merged.file_of(row.first_frame).map(|(file, there)| {
            let name = match &mut redactor {
                Some(redactor) => {
                    let name = redactor.text(file.name.as_bytes(), "capture's name");
                    guarded(&String::from_utf8_lossy(&name)).into_owned().into()
                }
                None => guarded(&file.name),
            };
            [name, there.to_string().into()]
        });
        let said: Vec<Cow<'_, str>> = said.iter().map(|value| guarded(value)).collect();
        lines.write_record(cells.iter().chain(file.iter().flatten()).chain(&said).map(|cell| cell.as_bytes()))?;
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
