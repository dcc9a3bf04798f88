//! What is asked of a row and takes reading: a text to copy, the filter of its flow, the row of a frame. Done on the jobs thread.

use std::sync::Arc;

use crate::case::{Key, RedactionChoice};
use crate::engine::{self, Source};
use crate::export::{Listing, Redactor, RowsForm, RowsWish, curl_command, raw_request, rows_text, url_of};
use crate::model::{Budget, Detail, FlowId, FrameNo};
use crate::store::filter::Filter;
use crate::store::query::{self, Orders};
use crate::store::{HeaderName, Record, RowId, Snapshot};

/// Rows copied at most: a clipboard is no file.
const MOST_ROWS: usize = 10_000;
/// Rows whose ledgers are gone through for a signature.
const MOST_COUNTED: usize = 100_000;
/// Exchanges that may span a frame and are asked whether it is of their flow.
const MOST_SPANNING: usize = 1_000;

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The URL.
    Url,
    /// A command for curl.
    Curl {
        /// With its secrets.
        secrets: bool,
    },
    /// The request as it was sent.
    Raw {
        /// With its secrets.
        secrets: bool,
    },
    /// Rows.
    Rows {
        /// All that are shown, and not those that are selected.
        shown: bool,
        /// As JSON lines, and not CSV.
        jsonl: bool,
    },
}

/// What is asked of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowWish {
    /// Copy a text.
    Copy(Copied),
    /// Show only the rows of its flow.
    Flow,
    /// Select the next row of its flow, or the one before.
    InFlow {
        /// The next one.
        next: bool,
    },
    /// Select the row that a frame is of, and show the frame. No row is needed.
    Frame(FrameNo),
    /// Tell of a signature. No row is needed.
    Tag(u16),
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) enum Granted {
    /// This is copied; what to say of it.
    Text(String, String),
    /// This filter is set.
    Filter(Filter),
    /// This row is selected.
    Row(RowId),
    /// This row is selected, and the frame shown.
    Frame(RowId, FrameNo),
    /// So many rows have the signature, of so many looked through.
    Tag { signature: u16, rows: usize, of: usize },
}

/// What is asked, and of what.
#[derive(Debug)]
pub(crate) struct Wished {
    pub(crate) wish: RowWish,
    pub(crate) row: Option<RowId>,
    /// All that are selected with it.
    pub(crate) rows: Vec<RowId>,
    pub(crate) snapshot: Snapshot,
    pub(crate) source: Source,
    /// The rows shown.
    pub(crate) order: Arc<[u32]>,
    /// Header lines that are shown as columns.
    pub(crate) headers: Vec<HeaderName>,
    /// What hides secrets, with the key of the case.
    pub(crate) redaction: RedactionChoice,
}

/// Grants a wish, or says why not. Blocks; call it from a job.
pub(crate) fn grant(
    wished: &Wished,
    hiding: &dyn Fn() -> Result<(Key, RedactionChoice), String>,
    budget: &Budget,
) -> Result<Granted, String> {
    let snapshot = &wished.snapshot;
    let none = || "select an exchange first".to_owned();
    let record = |row: Option<RowId>| snapshot.record(row.ok_or_else(none)?).map_err(|error| error.to_string());
    match wished.wish {
        RowWish::Copy(Copied::Rows { shown, jsonl }) => rows(wished, (shown, jsonl), hiding),
        RowWish::Copy(copied) => copy(wished, copied, &record(wished.row)?, hiding, budget),
        RowWish::Flow => Ok(Granted::Filter(of_flow(record(wished.row)?.exchange.flow))),
        RowWish::InFlow { next } => {
            let flow = record(wished.row)?.exchange.flow;
            let rows = query::select(snapshot, &of_flow(flow), None, &[], &mut Orders::default());
            let at = rows.iter().position(|id| Some(RowId(*id)) == wished.row).ok_or_else(none)?;
            let to = if next { at.checked_add(1) } else { at.checked_sub(1) };
            let to = to.and_then(|to| rows.get(to)).copied();
            let word = if next { "last" } else { "first" };
            to.map(|id| Granted::Row(RowId(id))).ok_or_else(|| format!("this is the {word} exchange of its connection"))
        }
        RowWish::Frame(frame) => row_of(snapshot, frame)
            .map(|row| Granted::Frame(row, frame))
            .ok_or_else(|| format!("frame {frame} is of no exchange in the list")),
        RowWish::Tag(signature) => {
            let marked = snapshot.rows().filter(|(_, row)| row.operator().is_some());
            let (mut rows, mut of) = (0, 0);
            for (id, _) in marked.take(MOST_COUNTED) {
                of += 1;
                let has = |record: Record| record.ledger.iter().any(|line| line.signature == signature);
                rows += usize::from(snapshot.record(id).is_ok_and(has));
            }
            Ok(Granted::Tag { signature, rows, of })
        }
    }
}

/// The filter that keeps the rows of a flow.
fn of_flow(flow: FlowId) -> Filter {
    Filter::parse(&format!("stream:{}", flow.0)).unwrap_or_default()
}

/// The row that a frame is of: one whose flow has it, else one that spans it.
fn row_of(snapshot: &Snapshot, frame: FrameNo) -> Option<RowId> {
    let spanning = Filter::parse(&format!("frame:{frame}")).ok()?;
    let rows = query::select(snapshot, &spanning, None, &[], &mut Orders::default());
    let has = |id: &&u32| {
        let flow = snapshot.record(RowId(**id)).map(|record| record.exchange.flow);
        let frames = flow.and_then(|flow| snapshot.flow_frames(flow));
        frames.is_ok_and(|frames| frames.is_some_and(|frames| frames.iter().any(|(number, _)| *number == frame)))
    };
    rows.iter().take(MOST_SPANNING).find(has).or_else(|| rows.first()).map(|id| RowId(*id))
}

fn copy(
    wished: &Wished,
    copied: Copied,
    record: &Record,
    hiding: &dyn Fn() -> Result<(Key, RedactionChoice), String>,
    budget: &Budget,
) -> Result<Granted, String> {
    let no_request = || "there is no request in this exchange".to_owned();
    let secrets = match copied {
        Copied::Url | Copied::Rows { .. } => true,
        Copied::Curl { secrets } | Copied::Raw { secrets } => secrets,
    };
    if copied == Copied::Url {
        let url = url_of(&record.exchange).ok_or_else(no_request)?;
        return Ok(Granted::Text(url, "Copied the URL as it was asked for".to_owned()));
    }
    let has_body = matches!(&record.exchange.detail, Detail::Http(http) if http.request.as_ref().is_some_and(|m| m.body.wire_bytes > 0));
    let mut body = None;
    let mut missing = "";
    if has_body {
        let read = wished.source.place().and_then(|place| engine::detail(place, record, &wished.snapshot, budget));
        body = read.ok().and_then(|detail| detail.request_body);
        missing = if body.is_none() { "; its body could not be read and is left out" } else { "" };
    }
    let mut hidden = 0;
    let mut exchange = record.exchange.clone();
    if !secrets {
        let (key, choice) = hiding()?;
        let choice = RedactionChoice { on: true, ..choice };
        let mut redactor = Redactor::new(&key, &choice);
        redactor.learn(record);
        if let Some(body) = &mut body {
            redactor.learn_text(body);
            *body = redactor.text(body, "request body");
        }
        exchange = redactor.record(record).record.exchange;
        hidden = redactor.count();
    }
    let body = body.as_deref();
    let text = match copied {
        Copied::Raw { .. } => raw_request(&exchange, body).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Copied::Curl { .. } | Copied::Url | Copied::Rows { .. } => curl_command(&exchange, body),
    };
    let about = match (secrets, hidden) {
        (true, _) => "with its secrets".to_owned(),
        (false, 0) => "no secret was found in it".to_owned(),
        (false, count) => format!("secrets hidden at {}", super::text::plural(u64::from(count), "place", "places")),
    };
    text.map(|text| Granted::Text(text, format!("Copied the request, {about}{missing}"))).ok_or_else(no_request)
}

fn rows(
    wished: &Wished,
    (shown, jsonl): (bool, bool),
    hiding: &dyn Fn() -> Result<(Key, RedactionChoice), String>,
) -> Result<Granted, String> {
    let chosen: Vec<RowId> = if shown {
        wished.order.iter().take(MOST_ROWS).map(|id| RowId(*id)).collect()
    } else {
        wished.rows.iter().copied().take(MOST_ROWS).collect()
    };
    let listing = Listing::of(&wished.snapshot, &chosen);
    let hidden = if wished.redaction.on { Some(hiding()?) } else { None };
    let form = if jsonl { RowsForm::Jsonl } else { RowsForm::Csv };
    let redaction = hidden.as_ref().map(|(key, choice)| (key, choice));
    let wish = RowsWish { form, filter: "", headers: &wished.headers, redaction };
    let bytes = rows_text(&listing, wish).map_err(|error| error.to_string())?;
    let count = super::text::plural(chosen.len() as u64, "row", "rows");
    let all = if shown { wished.order.len() } else { wished.rows.len() };
    let rest = if all > MOST_ROWS { "; export writes the others too" } else { "" };
    let secrets = if wished.redaction.on { ", secrets hidden" } else { "" };
    Ok(Granted::Text(String::from_utf8_lossy(&bytes).into_owned(), format!("Copied {count}{secrets}{rest}")))
}
