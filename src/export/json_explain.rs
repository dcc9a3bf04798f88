//! One exchange with everything that was found out about it, as one JSON object.

use std::io::Write;

use serde::Serialize;

use super::explain::frames_in_files;
use super::json::{FileLine, RowLine, Text, write_line};
use super::json_verdict::from_one;
use super::{ExportError, Listing};
use crate::evidence::{challenges, hypotheses, name_path, pack, vintage};
use crate::model::{Endpoint, hex};
use crate::protocols::dns::type_name;
use crate::store::RowId;

/// The name of this form; it changes when a field is renamed or its meaning changes.
const SCHEMA: &str = "nephoscope-explain/1";

#[derive(Serialize)]
struct ExplainLine<'a> {
    schema: &'static str,
    capture: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_sha256: Option<String>,
    /// What the capture was merged from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileLine<'a>>,
    /// Where the frames of the ledger stand in those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    frames_in_files: Vec<FrameLine<'a>>,
    signatures: &'static str,
    /// The exchange in the form of `list`.
    exchange: RowLine<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_path: Option<NamePathLine>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    no_hand_out: &'a [&'static str],
    /// Every reading with its reason; the list leaves out those of the open ones.
    readings: Vec<ReadingLine>,
    challenges: Vec<ChallengeLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_list: Option<AddressListLine>,
}

#[derive(Serialize)]
struct FrameLine<'a> {
    frame: u32,
    file: &'a str,
    file_frame: u32,
}

#[derive(Serialize)]
struct NamePathLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    asked: String,
    resolver: Text<Endpoint>,
    /// `over TLS`, `over HTTPS`.
    #[serde(skip_serializing_if = "str::is_empty")]
    over: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_frame: Option<u32>,
    answer_frame: u32,
    records: Vec<RecordLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_seconds: Option<i64>,
}

#[derive(Serialize)]
struct RecordLine {
    r#type: String,
    value: String,
    ttl: u32,
}

#[derive(Serialize)]
struct ReadingLine {
    id: &'static str,
    reading: &'static str,
    state: &'static str,
    why: String,
    /// Numbers of the entries that decide it, from 1.
    evidence: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_by: Option<&'static str>,
}

#[derive(Serialize)]
struct ChallengeLine {
    question: &'static str,
    outcome: &'static str,
    seen: String,
}

#[derive(Serialize)]
struct AddressListLine {
    month: String,
    months_from_capture: u32,
}

/// Writes row `n` with its ledger, its name path, the other readings and the attempts to break it.
pub fn write_explanation_json(
    listing: &Listing<'_>,
    n: u32,
    id: RowId,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let snapshot = listing.snapshot;
    let record = snapshot.record(id)?;
    let facts = snapshot.facts();
    let mut path = None;
    if let Some(looked_up) = &record.verdict.looked_up {
        let place = RowId(looked_up.lookup.0);
        let lookup = snapshot.record(place)?;
        path = name_path(&lookup.exchange, record.exchange.server.ip).map(|p| NamePathLine {
            n: listing.numbers().of(place),
            asked: p.asked.to_owned(),
            resolver: Text(p.resolver),
            over: p.over.words().trim_start(),
            query_frame: p.query_frame.map(|f| f.0),
            answer_frame: p.answer_frame.0,
            expired_seconds: p.expired_seconds(record.exchange.time),
            records: p
                .records
                .iter()
                .map(|r| RecordLine { r#type: type_name(r.rtype).into_owned(), value: r.value.clone(), ttl: r.ttl })
                .collect(),
        });
    }
    let line = ExplainLine {
        schema: SCHEMA,
        capture: &facts.capture.name,
        capture_sha256: facts.sha256.map(|h| hex(&h)),
        files: facts.capture.merged.files.iter().map(FileLine::new).collect(),
        frames_in_files: frames_in_files(snapshot, &record)
            .map(|(frame, file, there)| FrameLine { frame: frame.0, file, file_frame: there.0 })
            .collect(),
        signatures: pack().version,
        exchange: RowLine::of_row((n, id), &record, snapshot, listing.numbers()),
        name_path: path,
        no_hand_out: &record.verdict.no_hand_out,
        readings: hypotheses(&record.exchange, &record.ledger, &record.verdict)
            .into_iter()
            .map(|h| ReadingLine {
                id: h.alternative.id(),
                reading: h.alternative.words(),
                state: h.standing.words(),
                why: h.why,
                evidence: from_one(&h.entries),
                settled_by: h.settled_by,
            })
            .collect(),
        challenges: challenges(&record.exchange, &record.ledger, &record.verdict)
            .into_iter()
            .map(|c| ChallengeLine { question: c.question, outcome: c.outcome.words(), seen: c.seen })
            .collect(),
        address_list: vintage(&record.exchange, &record.ledger)
            .map(|(month, months_from_capture)| AddressListLine { month, months_from_capture }),
    };
    write_line(&mut Vec::new(), &line, out)
}
