//! Rows and cells in words: for tooltips, the screen reader and copying.

use super::Seen;
use super::columns::Column;
use super::waterfall;
use crate::evidence::pack;
use crate::model::{Grade, Timestamp, WitnessKind, clean_to};
use crate::store::{FlowColour, Note, Row, RowId, RowKind, Snapshot};
use crate::ui::{story, text, theme};

/// Characters of a comment that are shown in a line.
const SAID_CHARS: usize = 300;

/// Names of operator and service.
pub(crate) fn names(row: &Row) -> (&'static str, Option<&'static str>) {
    let name = row.operator().and_then(|id| pack().providers.get(usize::from(id.0))).map_or("", |p| p.name);
    (name, pack().services.get(usize::from(row.product)).map(|s| s.name))
}

/// A row as one line of text: for the screen reader and for copying.
pub(crate) fn spoken(snapshot: &Snapshot, (id, row): (RowId, &Row)) -> String {
    let (name, service) = names(row);
    let status = if row.status == 0 { String::new() } else { row.status.to_string() };
    let grade = row.grade().map_or("", Grade::word);
    let strip = row.operator().map_or_else(String::new, |_| story::strip_words(row.agreement()));
    let note = snapshot.note(id);
    let comment = note.map(said).unwrap_or_default();
    let colour = snapshot.colour(id).map(|colour| format!("conversation {}", colour.number())).unwrap_or_default();
    let parts = [
        if note.is_some_and(|note| note.ignored) { "ignored" } else { "" },
        if note.is_some_and(|note| note.marked) { "marked" } else { "" },
        &colour,
        snapshot.word(row.method),
        snapshot.text(row.host),
        snapshot.text(row.path),
        &status,
        name,
        service.unwrap_or_default(),
        grade,
        &strip,
        if row.is_open() { "still open" } else { "" },
        match row.kind {
            RowKind::Tls if row.is_opened() => "opened with keys",
            RowKind::Http | RowKind::Dns if row.is_opened() => "decrypted",
            RowKind::Http | RowKind::Tls | RowKind::Dns => "",
        },
        &comment,
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What the user's choices add to a row for the screen reader: its time as it is shown, and the header lines that are columns.
pub(super) fn aside(
    seen: &Seen<'_>,
    columns: &[(Column, f32)],
    (id, row): (RowId, &Row),
    above: Option<Timestamp>,
) -> String {
    let mut parts = Vec::new();
    for (column, _) in columns {
        if *column == Column::Time {
            parts.push(seen.clock.words((id, row), above));
        } else if let Some(value) = column.header().and_then(|name| seen.heads.get(id, name))
            && !value.is_empty()
        {
            parts.push(format!("{}: {value}", column.title()));
        }
    }
    parts.join(", ")
}

/// A comment, ready for display: a case file may come from a stranger.
pub(crate) fn said(note: &Note) -> String {
    clean_to(note.comment.as_bytes(), SAID_CHARS).into_owned()
}

/// Whether an answer may still come.
pub(super) fn awaits(row: &Row) -> bool {
    row.is_open() && (row.status == 0 || row.kind == RowKind::Dns)
}

/// What a cell says in full.
pub(super) fn full(column: Column, seen: &Seen<'_>, (id, row): (RowId, &Row)) -> String {
    let snapshot = seen.snapshot;
    match column {
        Column::Frame => {
            let words = |colour: FlowColour| format!("Conversation {}, {}", colour.number(), theme::flow_name(colour));
            snapshot.colour(id).map(words).unwrap_or_default()
        }
        Column::Time => seen.clock.full(row),
        Column::Method => {
            let version = match row.http_version() {
                0 if row.is_opened() => {
                    return "What was decrypted from this session stands in rows of its own".to_owned();
                }
                0 => return String::new(),
                9 => "HTTP/0.9".to_owned(),
                20 => "HTTP/2".to_owned(),
                30 => "HTTP/3".to_owned(),
                other => format!("HTTP/{}.{}", other / 10, other % 10),
            };
            match (row.is_opened(), row.http_version()) {
                (false, _) => version,
                (true, 30) => format!("{version}, decrypted with keys"),
                (true, _) => format!("{version} inside TLS, decrypted with keys"),
            }
        }
        Column::Host => match snapshot.text(row.host) {
            "" => "No name was asked for; this is the server's address".to_owned(),
            host => host.to_owned(),
        },
        Column::Path => {
            let mut words = snapshot.text(row.path).to_owned();
            if row.is_open() {
                words.push_str("\nStill open: what comes is added");
            } else if row.has(Row::INCOMPLETE) {
                words.push_str("\nA message of this exchange is missing or cut");
            }
            if let Some(note) = snapshot.note(id) {
                words.push_str(if note.marked { "\nMarked" } else { "" });
                words.push_str(if note.ignored { "\nIgnored: counted nowhere; Ctrl+D takes it back" } else { "" });
                let comment = said(note);
                if !comment.is_empty() {
                    words.push('\n');
                    words.push_str(&comment);
                }
            }
            if row.has(Row::ANOMALY) {
                words.push_str("\nSomething odd was met: see Connection");
            }
            words.trim_start().to_owned()
        }
        Column::Status => match row.kind {
            RowKind::Http | RowKind::Dns if awaits(row) => "Still waiting for the answer".to_owned(),
            RowKind::Http if row.status == 0 => "No response in the capture".to_owned(),
            RowKind::Http | RowKind::Tls => String::new(),
            RowKind::Dns if row.has(Row::INCOMPLETE) => "No answer in the capture".to_owned(),
            RowKind::Dns => text::sentence(text::rcode(row.status)),
        },
        Column::Type => snapshot.word(row.content_type).to_owned(),
        Column::Size => match row.kind {
            RowKind::Http => text::bytes(row.size),
            RowKind::Tls => format!("{}, both ways", text::bytes(row.size)),
            RowKind::Dns => text::plural(row.size, "answer record", "answer records"),
        },
        Column::Duration if row.is_open() => "Still open".to_owned(),
        Column::Duration => format!("{} microseconds", text::count(u64::from(row.duration_micros))),
        Column::Operator => {
            let (name, service) = names(row);
            if name.is_empty() {
                "No evidence of a known provider".to_owned()
            } else {
                let role = pack()
                    .roles
                    .get(usize::from(row.role))
                    .map_or(String::new(), |role| format!("\nRole: {}", role.replace('-', " ")));
                format!("{name}{}{role}", service.map_or(String::new(), |s| format!(" · {s}")))
            }
        }
        Column::Grade => row
            .grade()
            .map_or_else(|| "No evidence of a known provider".to_owned(), |grade| grade_words(grade).to_owned()),
        Column::Agreement => match row.operator() {
            None => "No operator was found that witnesses could agree on".to_owned(),
            Some(_) => WitnessKind::ALL
                .into_iter()
                .map(|kind| story::witness_words(kind, row.agreement().of(kind)))
                .collect::<Vec<_>>()
                .join("\n"),
        },
        Column::Server => snapshot.text(row.server).to_owned(),
        Column::Tenant => snapshot.text(row.tenant).to_owned(),
        Column::Process => snapshot.program(id).to_owned(),
        Column::File => snapshot.file_name(id).to_owned(),
        Column::Comment => snapshot.note(id).map(said).unwrap_or_default(),
        Column::Header(name) => seen.heads.get(id, name).unwrap_or_default().to_owned(),
        Column::Waterfall => waterfall::words(row),
    }
}

/// What a grade means, without its word.
pub(crate) fn grade_meaning(grade: Grade) -> &'static str {
    let words = grade_words(grade);
    words.split_once(": ").map_or(words, |(_, meaning)| meaning)
}

/// What a grade means.
pub(crate) fn grade_words(grade: Grade) -> &'static str {
    match grade {
        Grade::Conclusive => "Conclusive: independent witnesses agree and nothing necessary is missing",
        Grade::Supports => "Supports: independent witnesses, or one that is hard to fake",
        Grade::Suggests => "Suggests: one witness that others could imitate",
        Grade::NameOnly => "Name only: somebody wrote a name; nothing else speaks for it",
        Grade::Contradicted => "Contradicted: witnesses of the same kind disagree",
    }
}
