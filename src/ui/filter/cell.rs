//! The filter for what a cell of the table shows.

use crate::evidence::pack;
use crate::model::{Grade, Side};
use crate::store::filter::{Filter, Heads, Key, is, line_is};
use crate::store::{Row, RowId, RowKind, Snapshot};
use crate::ui::table::{Column, HeaderCells};

/// The filter that keeps rows with this cell's value; `None` where the cell has none that can be asked for.
pub(crate) fn value(
    column: Column,
    snapshot: &Snapshot,
    heads: &HeaderCells,
    (id, row): (RowId, &Row),
) -> Option<Filter> {
    let text = |key: Key, value: &str| (!value.is_empty() && value != "…").then(|| is(key, value));
    let parsed = |words: String| Filter::parse(&words).ok();
    match column {
        Column::Host => text(Key::Host, snapshot.text(row.host)),
        Column::Path => text(Key::Path, snapshot.text(row.path)),
        Column::Method => text(Key::Method, snapshot.word(row.method)),
        Column::Type => text(Key::Type, snapshot.word(row.content_type)),
        Column::Tenant => text(Key::Tenant, snapshot.text(row.tenant)),
        Column::Process => text(Key::Process, snapshot.program(id)),
        Column::File => text(Key::File, snapshot.file_name(id)),
        Column::Comment => text(Key::Comment, snapshot.note(id).map_or("", |note| &note.comment)),
        Column::Operator => {
            let product = pack().services.get(usize::from(row.product)).map(|s| is(Key::Product, s.id));
            product.or_else(|| pack().providers.get(usize::from(row.operator)).map(|p| is(Key::Operator, p.id)))
        }
        Column::Status => match row.kind {
            RowKind::Http if row.status != 0 => parsed(format!("status:{}", row.status)),
            RowKind::Dns if !row.has(Row::INCOMPLETE) => parsed(format!("rcode:{}", row.status)),
            RowKind::Http | RowKind::Dns | RowKind::Tls => None,
        },
        Column::Grade => row.grade().map(Grade::word).and_then(|word| parsed(format!("grade:\"{word}\""))),
        Column::Agreement => row.has(Row::CONFLICT).then(|| parsed("is:conflict".to_owned())).flatten(),
        Column::Server => {
            let server: std::net::SocketAddr = snapshot.text(row.server).parse().ok()?;
            parsed(format!("ip:{}", server.ip()))
        }
        Column::Frame => parsed(format!("frame:{}", row.first_frame.0)),
        // An empty cell asks for rows that have the line.
        Column::Header(name) => match heads.get(id, name).filter(|value| !value.is_empty()) {
            Some(value) => line_is(heads_of(name.side()), name.name(), value),
            None => parsed(format!("{}:{}", heads_word(name.side()), name.name())),
        },
        Column::Time | Column::Size | Column::Duration | Column::Waterfall => None,
    }
}

fn heads_of(side: Side) -> Heads {
    match side {
        Side::Client => Heads::Request,
        Side::Server => Heads::Response,
    }
}

/// The key that asks for a header line of such messages.
fn heads_word(side: Side) -> &'static str {
    match side {
        Side::Client => Key::RequestHeader.word(),
        Side::Server => Key::ResponseHeader.word(),
    }
}
