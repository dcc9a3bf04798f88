//! The claim: what a picture says, in a form that a program can check. Schema `nephoscope-claim/1`.
//!
//! Comes in: redacted records. Goes out: JSON, the same bytes on every run. Never: a secret, a wall clock, a path.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::order::Numbers;
use super::redact::{LineState, Redacted, Redactor};
use super::secrets::{Context, Hit};
use crate::evidence::{forgeable_by, hypotheses, pack};
use crate::model::{
    ByteRange, Detail, Endpoint, Evidence, Grade, HttpMessage, Part, Standing, StartLine, Timestamp, Transport, hex,
};
use crate::store::{Record, RowId};

/// The name of this form; it changes when a field is renamed or its meaning changes.
pub const CLAIM_SCHEMA: &str = "nephoscope-claim/1";
/// Bytes of a claim that are read.
pub(super) const MOST_CLAIM_BYTES: usize = 16 << 20;
/// Exchanges of one claim, and callouts of all of them together: a full picture of a thousand exchanges has half of it.
const MOST_PARTS: usize = 40_000;
/// Under which every grade stands.
pub const SCOPE: &str = "for this exchange, at this time, from this network";

/// What a picture says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// [`CLAIM_SCHEMA`].
    pub schema: String,
    /// The program's version.
    pub program: String,
    /// The capture.
    pub capture: CaptureClaim,
    /// The signature pack.
    pub pack: PackClaim,
    /// The filter that the list had.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// How many exchanges of the capture the author chose to ignore, without those shown here. No bytes back it.
    #[serde(default, skip_serializing_if = "is_none")]
    pub ignored: u32,
    /// The exchanges, in the order in which they are shown.
    pub exchanges: Vec<ExchangeClaim>,
    /// What the author wrote; no bytes back it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteClaim>,
    /// What was hidden.
    pub redaction: RedactionClaim,
    /// The picture, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureClaim>,
    /// What verification does not show.
    #[serde(default)]
    pub not_shown: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

/// The capture of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureClaim {
    /// Its name without folders.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// How many frames it has.
    pub frames: u32,
    /// Its earliest frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_time: Option<String>,
    /// Its latest frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_time: Option<String>,
}

/// The signature pack of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackClaim {
    /// Its version.
    pub version: String,
    /// The day it was written.
    pub written: String,
    /// Signature files of the user's beside it, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

/// One exchange of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeClaim {
    /// Its number in the list.
    pub number: u32,
    /// `http`, `tls` or `dns`.
    pub kind: String,
    /// When its first frame was captured.
    pub time: String,
    /// Who asked.
    pub client: SocketAddr,
    /// Who was asked.
    pub server: SocketAddr,
    /// `tcp` or `udp`.
    pub transport: String,
    /// Whether it was read from a TLS session with keys: only who has them can check its lines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decrypted: bool,
    /// The frame of its first byte.
    pub first_frame: u32,
    /// The frame that completed it.
    pub last_frame: u32,
    /// The number of its stream, in HTTP/2 and HTTP/3; there, offsets count from the beginning of the decoded head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<u64>,
    /// The first line of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The first line of the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// The verdict.
    pub verdict: VerdictClaim,
    /// The earlier response that gave the client the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_out: Option<HandOutClaim>,
    /// The lines that prove, as numbered in the picture.
    pub callouts: Vec<Callout>,
}

/// The four answers of a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictClaim {
    /// Whose machine answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<AnswerClaim>,
    /// Which service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<AnswerClaim>,
    /// What the machine does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<AnswerClaim>,
    /// Whose account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<AnswerClaim>,
    /// The grade of the whole, as shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
    /// The grade of the whole before redaction lowered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade_unredacted: Option<String>,
    /// Whether witnesses of one kind disagree.
    #[serde(default)]
    pub conflict: bool,
    /// What every grade is bound to.
    pub scope: String,
    /// The other readings that stay open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenClaim>,
    /// What the capture cannot show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot_show: Vec<String>,
}

/// One answer of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerClaim {
    /// In words.
    pub name: String,
    /// Its id in the pack; the same as the name where it has none.
    pub id: String,
    /// The first party that a tenant serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_party: Option<String>,
    /// The grade as shown.
    pub grade: String,
    /// The grade before redaction lowered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade_unredacted: Option<String>,
}

/// A reading that stays open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenClaim {
    /// `H1` to `H7`.
    pub id: String,
    /// The reading.
    pub words: String,
    /// The test that would settle it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<String>,
}

/// The hand-out of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOutClaim {
    /// The number of the exchange whose response it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<u32>,
    /// The host that answered.
    pub host: String,
    /// The frame of the URL's first byte.
    pub frame: u32,
    /// The field it stands in.
    pub field: String,
    /// The URL as it stands there, redacted.
    pub text: String,
    /// Offset in the decoded body or in the field.
    pub offset: u64,
    /// How it was matched.
    pub matched: String,
}

/// A line that proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callout {
    /// Its number in picture and ledger, from 1.
    pub number: u32,
    /// The part that it stands in.
    pub part: String,
    /// The text; where something was hidden, with placeholders.
    pub text: String,
    /// The exact bytes, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// Where something was hidden: what stands, and how many bytes do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<PieceClaim>,
    /// Where something was hidden: the salted SHA-256 of the original bytes, which only the capture's holder can compute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether what was hidden may itself be the proof.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proof_hidden: bool,
    /// The frames that carry it.
    pub frames: Vec<u32>,
    /// Offset of its first byte in its stream; of an answer's record in its message; of an error document in its body.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// The signature that matched.
    pub signature: String,
    /// Whom it points at.
    pub provider: String,
    /// Which witness it is.
    pub group: String,
    /// Who could have faked it.
    pub forgeable_by: String,
    /// Which of the four answers it speaks to.
    pub supports: Vec<String>,
    /// Whether the excerpt is not enough to apply the rule again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_capture: bool,
}

/// A piece of a line of which something was hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PieceClaim {
    /// Bytes that stand, as text.
    Text(String),
    /// Bytes that stand, as hexadecimal digits.
    Hex(String),
    /// So many bytes that were hidden.
    Hidden(u64),
}

/// Words of the author's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteClaim {
    /// Title, caption or text in the picture.
    pub text: String,
    /// Always false: no bytes back it.
    pub checked: bool,
}

/// What was hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionClaim {
    /// Whether anything was.
    pub on: bool,
    /// Whether private addresses were replaced.
    #[serde(default)]
    pub private_addresses: bool,
    /// At how many places.
    pub count: u32,
    /// The salt of the digests.
    pub salt: String,
    /// Each placeholder with its count and first place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<HiddenClaim>,
}

/// One placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiddenClaim {
    /// As it stands in the picture.
    pub placeholder: String,
    /// Where it stands first.
    pub place: String,
    /// At how many places.
    pub count: u32,
}

/// The picture of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureClaim {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels a point.
    pub scale: u8,
    /// SHA-256 over width and height (four bytes each, most significant first) and the pixels, four bytes each: red,
    /// green, blue, opacity.
    pub sha256: String,
}

impl Claim {
    /// Reads a claim within limits. The error is a sentence's end.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MOST_CLAIM_BYTES {
            return Err("the claim is larger than 16 MiB".to_owned());
        }
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|error| format!("the claim is no JSON ({})", cleaned(&error)))?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(CLAIM_SCHEMA) => {}
            Some(other) => {
                let other = crate::model::clean_to(other.as_bytes(), 60).into_owned();
                return Err(format!("its schema is {other}; this version reads {CLAIM_SCHEMA}"));
            }
            None => return Err(format!("it is no claim: it has no schema {CLAIM_SCHEMA}")),
        }
        let claim: Self = serde_json::from_value(value)
            .map_err(|error| format!("the claim is not understood ({})", cleaned(&error)))?;
        let callouts: usize = claim.exchanges.iter().map(|e| e.callouts.len()).sum();
        if callouts.max(claim.exchanges.len()) > MOST_PARTS {
            return Err(format!("the claim has more than {MOST_PARTS} exchanges or callouts"));
        }
        Ok(claim)
    }

    /// How many exchanges the author ignores, in words; `None` where none is.
    pub fn left_out(&self) -> Option<String> {
        let exchanges = if self.ignored == 1 { "exchange of the capture is" } else { "exchanges of the capture are" };
        (self.ignored > 0).then(|| format!("{} {exchanges} left out by choice: ignored", self.ignored))
    }

    /// Its JSON.
    pub fn json(&self) -> Vec<u8> {
        let mut out = serde_json::to_vec_pretty(self).unwrap_or_default();
        out.push(b'\n');
        out
    }
}

/// An error that may quote the file.
fn cleaned(error: &serde_json::Error) -> String {
    crate::model::clean_to(error.to_string().as_bytes(), 300).into_owned()
}

/// The salted digest of bytes that were hidden. `secret` is a digest over the whole capture that is published nowhere, so
/// that nobody without the capture can try values out.
pub(super) fn salted(salt: &str, secret: &[u8; 32], bytes: &[u8]) -> String {
    let digest = Sha256::new().chain_update(b"nephoscope hidden bytes\0").chain_update(salt).chain_update(b"\0");
    hex(&digest.chain_update(secret).chain_update(bytes).finalize())
}

/// What a digest of hidden bytes is made with.
pub(super) struct Seal<'a> {
    pub(super) salt: &'a str,
    pub(super) secret: &'a [u8; 32],
}

/// The claim of one exchange.
pub(super) fn exchange_claim(
    record: &Record,
    redacted: &Redacted,
    (number, numbers): (u32, &Numbers),
    redactor: &Redactor,
    seal: &Seal<'_>,
) -> ExchangeClaim {
    let shown = &redacted.record;
    let exchange = &shown.exchange;
    let mut line = ExchangeClaim {
        number,
        kind: kind(&exchange.detail).to_owned(),
        time: exchange.time.rfc3339(),
        client: socket(exchange.client),
        server: socket(exchange.server),
        transport: transport(exchange.transport).to_owned(),
        decrypted: exchange.envelope.is_some(),
        first_frame: exchange.first_frame.0,
        last_frame: exchange.last_frame.0,
        stream: None,
        request: None,
        response: None,
        verdict: verdict_claim(record, redacted),
        handed_out: None,
        callouts: Vec::new(),
    };
    if let Detail::Http(http) = &exchange.detail {
        let first = |m: &HttpMessage| first_line(m).map(|line| lossy(&line));
        line.stream = http.stream;
        line.request = http.request.as_ref().and_then(first);
        line.response = http.response.as_ref().and_then(first);
    }
    line.handed_out = shown.verdict.handed_out.as_ref().map(|h| HandOutClaim {
        exchange: numbers.of_giver(h.giver),
        host: h.host.clone(),
        frame: h.frame.0,
        field: h.field.clone(),
        text: lossy(&h.text),
        offset: h.offset,
        matched: h.how.words().to_owned(),
    });
    let states = redacted.lines.iter().copied().chain(std::iter::repeat(LineState::Whole));
    for (i, ((before, after), state)) in record.ledger.iter().zip(&shown.ledger).zip(states).enumerate() {
        line.callouts.push(callout(record, (i, before, after, state), redactor, seal));
    }
    line
}

/// The first line of a message, where it has one.
pub(super) fn first_line(message: &HttpMessage) -> Option<Vec<u8>> {
    (!matches!(message.start, StartLine::Status { code: 0, .. })).then(|| message.start_line().into_owned())
}

fn callout(
    record: &Record,
    (index, before, after, state): (usize, &Evidence, &Evidence, LineState),
    redactor: &Redactor,
    seal: &Seal<'_>,
) -> Callout {
    let pack = pack();
    let signature = pack.signature(before.signature);
    let hidden = state != LineState::Whole;
    Callout {
        number: index as u32 + 1,
        part: before.place.part.words(),
        text: lossy(&after.text),
        hex: (!hidden && str::from_utf8(&after.text).is_err()).then(|| hex(&after.text)),
        pieces: if hidden { pieces(&before.text, &hits(record, before, redactor)) } else { Vec::new() },
        sha256: hidden.then(|| salted(seal.salt, seal.secret, &before.text)),
        proof_hidden: state == LineState::ProofHidden,
        frames: before.place.frames.iter().map(|f| f.0).collect(),
        offset: before.place.offset,
        length: length(before),
        signature: signature.map_or("", |s| s.id).to_owned(),
        provider: pack.provider(before.provider).map_or("", |p| p.id).to_owned(),
        group: before.group.words().to_owned(),
        forgeable_by: forgeable_by(before, &record.exchange),
        supports: before.supports.words().map(str::to_owned).collect(),
        needs_capture: false,
    }
}

/// The length of a line as exports tell it.
pub(super) fn length(entry: &Evidence) -> u64 {
    if entry.place.range.len > 0 { u64::from(entry.place.range.len) } else { entry.text.len() as u64 }
}

/// What is hidden of a line's text, as ranges of it.
fn hits(record: &Record, entry: &Evidence, redactor: &Redactor) -> Vec<Hit> {
    let message = match (&record.exchange.detail, entry.place.part) {
        (Detail::Http(http), Part::Request) => http.request.as_ref(),
        (Detail::Http(http), Part::Response) => http.response.as_ref(),
        _ => None,
    };
    let line = entry.place.range;
    match message.filter(|m| line.of(&m.block) == entry.text.as_slice()) {
        Some(message) => {
            let inside = redactor.head_hits(message).into_iter().filter(|h| h.overlaps(line));
            inside
                .map(|h| {
                    let start = h.range.start.max(line.start);
                    let end = h.range.end().min(line.end());
                    Hit { range: ByteRange { start: start - line.start, len: end.saturating_sub(start) }, ..h }
                })
                .collect()
        }
        None => redactor.hits(&entry.text, Context::Text),
    }
}

fn pieces(text: &[u8], hits: &[Hit]) -> Vec<PieceClaim> {
    let mut out = Vec::new();
    let mut at = 0;
    let stands = |bytes: &[u8], out: &mut Vec<PieceClaim>| {
        if !bytes.is_empty() {
            let text = str::from_utf8(bytes).ok().map(|t| PieceClaim::Text(t.to_owned()));
            out.push(text.unwrap_or_else(|| PieceClaim::Hex(hex(bytes))));
        }
    };
    for hit in hits {
        let (start, end) = (hit.range.start as usize, hit.range.end() as usize);
        stands(text.get(at..start).unwrap_or_default(), &mut out);
        out.push(PieceClaim::Hidden(u64::from(hit.range.len)));
        at = end;
    }
    stands(text.get(at..).unwrap_or_default(), &mut out);
    out
}

fn verdict_claim(record: &Record, redacted: &Redacted) -> VerdictClaim {
    let pack = pack();
    let (was, is) = (&record.verdict, &redacted.record.verdict);
    let answer = |name: &str, id: &str, before: Grade, shown: Grade| AnswerClaim {
        name: name.to_owned(),
        id: id.to_owned(),
        first_party: None,
        grade: shown.word().to_owned(),
        grade_unredacted: (before != shown).then(|| before.word().to_owned()),
    };
    VerdictClaim {
        operator: was.operator.zip(is.operator).and_then(|(b, s)| {
            let provider = pack.provider(b.value)?;
            Some(answer(provider.name, provider.id, b.grade, s.grade))
        }),
        product: was.product.zip(is.product).and_then(|(b, s)| {
            let service = pack.service(b.value)?;
            Some(answer(service.name, service.id, b.grade, s.grade))
        }),
        role: was.role.zip(is.role).map(|(b, s)| answer(b.value, b.value, b.grade, s.grade)),
        tenant: was.tenant.as_ref().zip(is.tenant.as_ref()).map(|(b, s)| AnswerClaim {
            first_party: s.value.first_party.clone(),
            ..answer(&s.value.name, &s.value.name, b.grade, s.grade)
        }),
        grade: is.grade.map(|g| g.word().to_owned()),
        grade_unredacted: was.grade.filter(|g| Some(*g) != is.grade).map(|g| g.word().to_owned()),
        conflict: was.conflict,
        scope: SCOPE.to_owned(),
        open: open_readings(&redacted.record),
        cannot_show: is.cannot_show.iter().map(|s| (*s).to_owned()).collect(),
    }
}

/// The readings that a record leaves open.
pub(super) fn open_readings(record: &Record) -> Vec<OpenClaim> {
    let readings = hypotheses(&record.exchange, &record.ledger, &record.verdict).into_iter();
    readings
        .filter(|h| h.standing != Standing::RuledOut)
        .map(|h| OpenClaim {
            id: h.alternative.id().to_owned(),
            words: h.alternative.words().to_owned(),
            settled_by: h.settled_by.map(str::to_owned),
        })
        .collect()
}

pub(super) fn kind(detail: &Detail) -> &'static str {
    match detail {
        Detail::Http(_) => "http",
        Detail::Tls(_) => "tls",
        Detail::Dns(_) => "dns",
    }
}

pub(super) fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    }
}

pub(super) fn socket(endpoint: Endpoint) -> SocketAddr {
    SocketAddr::new(endpoint.ip, endpoint.port)
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(Timestamp::rfc3339)
}

/// The number of a row in its list.
pub(super) fn number_of(numbers: &Numbers, row: RowId) -> u32 {
    numbers.of(row).unwrap_or(0)
}
