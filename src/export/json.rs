//! JSON lines: one object a row, the capture first.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use crossbeam_channel::bounded;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::json_verdict::VerdictLine;
use super::order::Numbers;
use super::rows::header_column;
use super::said::{comment_of, learn, process_of};
use super::{ExportError, Listing, Redactor};
use crate::capture::{Counters, Format, MergedFile};
use crate::evidence::{Authority, SealedDns, authority, sealed_dns};
use crate::model::{
    Certificate, ClientHello, Decryption, Detail, DnsKind, DnsLookup, DnsOver, DnsQuestion, DnsRecord, Endpoint,
    Exchange, Field, FrameNo, HttpMessage, HttpVersion, LimitHit, OcspAnswer, QuicFacts, ServerHello, Stapled,
    StartLine, Timestamp, TlsSession, TlsTransport, Transport, Trust, WebSocket, hex, is_hidden,
};
use crate::protocols::dns::type_name;
use crate::store::{Facts, FlowColour, HeaderName, Record, RowId, Snapshot, host_and_path, request_line, tls_version};

/// The name of this form; it changes when a field is renamed or its meaning changes.
pub const SCHEMA: &str = "nephoscope-list/1";

/// Rows that one thread writes at a time.
const CHUNK: usize = 256;

/// Writes the capture's line, then one line a row. `threads` share the work; the bytes are the same for any number.
pub fn write_jsonl(listing: &Listing<'_>, threads: usize, out: &mut dyn Write) -> Result<(), ExportError> {
    write_capture(listing.snapshot, Moment::Whole, out)?;
    let mut line = Vec::with_capacity(16 << 10);
    let rows: Vec<(u32, RowId)> = listing.rows().collect();
    if threads <= 1 || rows.len() <= CHUNK {
        for (n, id) in rows {
            let record = listing.snapshot.record(id)?;
            write_line(&mut line, &RowLine::of_row((n, id), &record, listing.snapshot, listing.numbers()), out)?;
        }
        return Ok(());
    }
    // Thread k writes the chunks k, k + threads, …; taken in turn they are in order.
    std::thread::scope(|scope| {
        let mut written = Vec::new();
        for first in 0..threads {
            let (done, chunks) = bounded(2);
            let own = rows.chunks(CHUNK).skip(first).step_by(threads);
            let (snapshot, numbers) = (listing.snapshot, listing.numbers());
            std::thread::Builder::new().name(format!("json-{first}")).spawn_scoped(scope, move || {
                for chunk in own {
                    if done.send(write_chunk(snapshot, numbers, chunk)).is_err() {
                        return;
                    }
                }
            })?;
            written.push(chunks);
        }
        for chunks in written.iter().cycle().take(rows.len().div_ceil(CHUNK)) {
            let Ok(chunk) = chunks.recv() else { break };
            out.write_all(&chunk?)?;
        }
        Ok(())
    })
}

/// The same in one thread, with secrets replaced, where any are hidden, and with what these header lines say beside the rest.
pub(super) fn write_jsonl_hiding(
    listing: &Listing<'_>,
    redactor: Option<&mut Redactor>,
    headers: &[HeaderName],
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let Some(redactor) = redactor else {
        if headers.is_empty() {
            return write_jsonl(listing, 1, out);
        }
        write_capture(listing.snapshot, Moment::Whole, out)?;
        let mut line = Vec::with_capacity(16 << 10);
        for (n, id) in listing.rows() {
            let record = listing.snapshot.record(id)?;
            let row = RowLine::of_row((n, id), &record, listing.snapshot, listing.numbers());
            write_row(&mut line, row, (headers, &record), out)?;
        }
        return Ok(());
    };
    learn(listing, redactor)?;
    write_capture_hiding(listing.snapshot, redactor, out)?;
    let mut line = Vec::with_capacity(16 << 10);
    for (n, id) in listing.rows() {
        let record = redactor.record(&listing.snapshot.record(id)?).record;
        let mut row = RowLine::of_row((n, id), &record, listing.snapshot, listing.numbers());
        row.comment = comment_of(listing.snapshot, id, &mut Some(redactor));
        row.process = process_of(listing.snapshot, id, &mut Some(redactor));
        for name in row.origin.iter_mut().flat_map(|origin| [&mut origin.file, &mut origin.last_file]) {
            *name = Cow::Owned(String::from_utf8_lossy(&redactor.text(name.as_bytes(), "capture's name")).into_owned());
        }
        write_row(&mut line, row, (headers, &record), out)?;
    }
    Ok(())
}

/// A row's line with what header lines say. A row without such a line has no such field.
#[derive(Serialize)]
struct WideLine<'a> {
    #[serde(flatten)]
    row: RowLine<'a>,
    #[serde(flatten)]
    columns: BTreeMap<String, String>,
}

fn write_row(
    line: &mut Vec<u8>,
    row: RowLine<'_>,
    (headers, record): (&[HeaderName], &Record),
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    if headers.is_empty() {
        return write_line(line, &row, out);
    }
    let columns = headers.iter().filter_map(|name| Some((header_column(*name), name.whole(record)?))).collect();
    write_line(line, &WideLine { row, columns }, out)
}

/// When the capture's line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the rows, when all was read.
    Whole,
    /// Before the rows, while they still come: it says what is known by then.
    Begun,
    /// Behind rows that were written as they came.
    Ended,
}

/// Writes the capture's line.
pub fn write_capture(snapshot: &Snapshot, moment: Moment, out: &mut dyn Write) -> Result<(), ExportError> {
    write_line(&mut Vec::with_capacity(1 << 10), &CaptureLine::new(snapshot, moment), out)
}

/// The same with secrets replaced, in the capture's name and in comments.
pub(super) fn write_capture_hiding(
    snapshot: &Snapshot,
    redactor: &mut Redactor,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let mut hidden = |text: &str, place| String::from_utf8_lossy(&redactor.text(text.as_bytes(), place)).into_owned();
    let mut line = CaptureLine::new(snapshot, Moment::Whole);
    let name = hidden(line.file, "capture's name");
    line.file = &name;
    for file in &mut line.files {
        file.file = Cow::Owned(hidden(&file.file, "capture's name"));
    }
    // They name the file, where there are several.
    for skipped in &mut line.read.skipped {
        skipped.why = Cow::Owned(hidden(&skipped.why, "capture's name"));
    }
    for comment in &mut line.comments {
        comment.text = Cow::Owned(hidden(&comment.text, "comment"));
    }
    write_line(&mut Vec::with_capacity(1 << 10), &line, out)
}

/// Writes one line a row.
pub fn write_jsonl_rows(listing: &Listing<'_>, out: &mut dyn Write) -> Result<(), ExportError> {
    let rows: Vec<(u32, RowId)> = listing.rows().collect();
    Ok(out.write_all(&write_chunk(listing.snapshot, listing.numbers(), &rows)?)?)
}

fn write_chunk(snapshot: &Snapshot, numbers: &Numbers, rows: &[(u32, RowId)]) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Vec::with_capacity(rows.len() * (3 << 10));
    for (n, id) in rows {
        let record = snapshot.record(*id)?;
        let line = RowLine::of_row((*n, *id), &record, snapshot, numbers);
        line.serialize(&mut Serializer::with_formatter(&mut bytes, Plain))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

pub(super) fn write_line(line: &mut Vec<u8>, value: &impl Serialize, out: &mut dyn Write) -> Result<(), ExportError> {
    line.clear();
    value.serialize(&mut Serializer::with_formatter(&mut *line, Plain))?;
    line.push(b'\n');
    Ok(out.write_all(line)?)
}

#[derive(Serialize)]
struct CaptureLine<'a> {
    kind: &'static str,
    schema: &'static str,
    /// Rows are written as they come, numbered in the order in which they ended; the whole is told behind them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    live: bool,
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// What it was merged from, in the order in which it was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileLine<'a>>,
    format: &'static str,
    /// What the numbers of frames count, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    frames_are: Option<&'static str>,
    frames: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_time: Option<String>,
    link_types: Vec<u16>,
    interfaces: Vec<InterfaceLine<'a>>,
    flows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<CountersLine>,
    #[serde(skip_serializing_if = "is_zero_64")]
    clock_steps_back: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    comments: Vec<CommentLine<'a>>,
    read: ReadLine<'a>,
    /// TLS sessions, where there were keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<SessionsLine>,
    /// What hides traffic from the capture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tunnels: Vec<TunnelLine>,
    limits_reached: Vec<LimitLine>,
}

/// One of the files that were merged.
#[derive(Serialize)]
pub(super) struct FileLine<'a> {
    file: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    format: &'static str,
    frames: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_time: Option<String>,
    /// Frames that are older than the one before them in the file.
    #[serde(skip_serializing_if = "is_zero_64")]
    disordered_frames: u64,
}

impl<'a> FileLine<'a> {
    pub(super) fn new(file: &'a MergedFile) -> Self {
        let [first_time, last_time] = file.times.map(|time| time.map(Timestamp::rfc3339));
        Self {
            file: file.name.as_str().into(),
            sha256: file.sha256.map(|h| hex(&h)),
            format: file.format.word(),
            frames: file.frames,
            first_time,
            last_time,
            disordered_frames: file.disordered,
        }
    }
}

#[derive(Serialize)]
struct TunnelLine {
    kind: &'static str,
    client: Text<Endpoint>,
    server: Text<Endpoint>,
    frame: u32,
}

/// What keys opened of all sessions.
#[derive(Serialize)]
struct SessionsLine {
    sessions: u64,
    opened: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_opened: Vec<ReasonLine>,
    secrets: u64,
    #[serde(skip_serializing_if = "is_zero_64")]
    bad_lines: u64,
    #[serde(skip_serializing_if = "is_zero_64")]
    repeated: u64,
}

#[derive(Serialize)]
struct ReasonLine {
    why: &'static str,
    count: u64,
}

impl SessionsLine {
    fn new(facts: &Facts) -> Option<Self> {
        let counts = facts.keys.counts();
        facts.has_keys().then(|| Self {
            sessions: facts.sessions.total,
            opened: facts.sessions.opened,
            not_opened: facts.sessions.not_opened().map(|(why, count)| ReasonLine { why, count }).collect(),
            secrets: counts.secrets,
            bad_lines: counts.bad,
            repeated: counts.repeated,
        })
    }
}

#[derive(Serialize)]
struct InterfaceLine<'a> {
    name: Cow<'a, str>,
    link_type: u16,
    snap_len: u32,
}

/// What the capturing system counted, over all interfaces and sections.
#[derive(Serialize)]
struct CountersLine {
    received: u64,
    #[serde(skip_serializing_if = "is_zero_64")]
    accepted: u64,
    dropped_by_kernel: u64,
    dropped_by_interface: u64,
}

impl CountersLine {
    fn new(counters: Counters) -> Self {
        Self {
            received: counters.received,
            accepted: counters.accepted,
            dropped_by_kernel: counters.dropped_by_kernel,
            dropped_by_interface: counters.dropped_by_interface,
        }
    }
}

#[derive(Serialize)]
struct CommentLine<'a> {
    /// None for a comment on the file, a section or an interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u32>,
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct ReadLine<'a> {
    undecoded_frames: u64,
    other_frames: u64,
    cut_tail_bytes: u64,
    skipped: Vec<SkippedLine<'a>>,
}

#[derive(Serialize)]
struct SkippedLine<'a> {
    offset: u64,
    length: u64,
    why: Cow<'a, str>,
}

#[derive(Serialize)]
struct LimitLine {
    what: &'static str,
    count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    first_frame: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl<'a> CaptureLine<'a> {
    fn new(snapshot: &'a Snapshot, moment: Moment) -> Self {
        let facts = snapshot.facts();
        let capture = &facts.capture;
        Self {
            kind: if moment == Moment::Ended { "capture_end" } else { "capture" },
            schema: SCHEMA,
            live: moment == Moment::Begun,
            file: &capture.name,
            sha256: facts.sha256.map(|h| hex(&h)),
            files: capture.merged.files.iter().map(FileLine::new).collect(),
            format: capture.format.word(),
            frames_are: (capture.format == Format::Har).then(|| capture.format.units().1),
            frames: capture.frames,
            first_time: capture.first_time.map(Timestamp::rfc3339),
            last_time: capture.last_time.map(Timestamp::rfc3339),
            link_types: capture.link_types.iter().map(|l| l.0).collect(),
            interfaces: capture
                .interfaces
                .iter()
                .map(|i| InterfaceLine { name: lossy(&i.name), link_type: i.link, snap_len: i.snap_len })
                .collect(),
            flows: facts.flows,
            counters: capture.counters.map(CountersLine::new),
            clock_steps_back: facts.clock_steps,
            comments: capture
                .comments
                .iter()
                .map(|c| CommentLine { frame: c.frame.map(|f| f.0), text: lossy(&c.text) })
                .collect(),
            read: ReadLine {
                undecoded_frames: facts.undecoded_frames,
                other_frames: facts.other_frames,
                cut_tail_bytes: capture.cut_tail_bytes,
                skipped: capture
                    .skipped
                    .iter()
                    .map(|s| SkippedLine { offset: s.offset, length: s.len, why: s.why.as_str().into() })
                    .collect(),
            },
            keys: SessionsLine::new(facts),
            tunnels: facts
                .tunnels
                .listed
                .iter()
                .map(|t| TunnelLine {
                    kind: t.kind.words(),
                    client: Text(t.client),
                    server: Text(t.server),
                    frame: t.frame.0,
                })
                .collect(),
            limits_reached: facts.limits.iter().map(LimitLine::new).collect(),
        }
    }
}

impl LimitLine {
    fn new(hit: &LimitHit) -> Self {
        Self { what: hit.limit.words(), count: hit.count, first_frame: hit.first_frame.0 }
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the form")]
pub(super) struct RowLine<'a> {
    kind: &'static str,
    n: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    marked: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ignored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<u8>,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: Cow<'a, str>,
    /// The program that had the connection.
    #[serde(skip_serializing_if = "str::is_empty")]
    process: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'static str>,
    #[serde(flatten)]
    quic: Option<QuicLine>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    mdns: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    llmnr: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Text<Endpoint>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Text<Endpoint>>,
    /// The merged files that it is from.
    #[serde(flatten)]
    origin: Option<OriginLine<'a>>,
    /// Where a HAR file tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<EntryLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxied: Option<ProxiedLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decrypted: Option<bool>,
    /// How the host stands to the session that the request was read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<&'static str>,
    /// A sealed session in which names may have been asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted_dns: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<u64>,
    /// Only where they are true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pushed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc: Option<bool>,
    #[serde(flatten)]
    detail: DetailLine<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    anomalies: Vec<AnomalyLine>,
    verdict: VerdictLine<'a>,
}

/// Where the first and the last frame of an exchange stand in the files that were merged.
#[derive(Serialize)]
struct OriginLine<'a> {
    file: Cow<'a, str>,
    file_frame: u32,
    last_file: Cow<'a, str>,
    last_file_frame: u32,
}

impl<'a> OriginLine<'a> {
    /// `None` where nothing was merged.
    fn new(snapshot: &'a Snapshot, record: &Record) -> Option<Self> {
        let merged = &snapshot.facts().capture.merged;
        let (file, first) = merged.file_of(record.exchange.first_frame)?;
        let (last_file, last) = merged.file_of(record.exchange.last_frame)?;
        Some(Self {
            file: file.name.as_str().into(),
            file_frame: first.0,
            last_file: last_file.name.as_str().into(),
            last_file_frame: last.0,
        })
    }
}

/// The bytes of a HAR file's entry.
#[derive(Serialize)]
struct EntryLine {
    offset: u64,
    length: u64,
}

/// The proxy that the connection went through, and where to.
#[derive(Serialize)]
struct ProxiedLine<'a> {
    by: &'static str,
    target: &'a str,
    frame: u32,
}

#[derive(Serialize)]
struct AnomalyLine {
    what: &'static str,
    frame: u32,
    #[serde(skip_serializing_if = "is_zero_64")]
    length: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero_64(n: &u64) -> bool {
    *n == 0
}

#[derive(Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on its way to the writer")]
enum DetailLine<'a> {
    Http {
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<MessageLine<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        interim: Vec<MessageLine<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        response: Option<MessageLine<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        websocket: Option<WebSocketLine>,
    },
    Tls {
        #[serde(skip_serializing_if = "Option::is_none")]
        client_hello: Option<ClientHelloLine<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        server_hello: Option<ServerHelloLine<'a>>,
        certificates: Vec<CertificateLine<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        chain: Option<ChainLine<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ocsp: Option<OcspLine>,
        #[serde(skip_serializing_if = "Option::is_none")]
        scts: Option<TimestampsLine>,
        #[serde(skip_serializing_if = "Option::is_none")]
        keys: Option<KeysLine>,
        client_bytes: u64,
        server_bytes: u64,
    },
    Dns {
        #[serde(skip_serializing_if = "Option::is_none")]
        query: Option<QueryLine<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        questions: Vec<QuestionLine<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        response: Option<DnsResponseLine<'a>>,
    },
}

impl<'a> RowLine<'a> {
    /// With what the user says of the row, and with where it stands in merged files.
    pub(super) fn of_row((n, id): (u32, RowId), record: &'a Record, snapshot: &'a Snapshot, numbers: &Numbers) -> Self {
        let (marked, ignored) = snapshot.note(id).map_or((false, false), |note| (note.marked, note.ignored));
        let conversation = snapshot.colour(id).map(FlowColour::number);
        let origin = OriginLine::new(snapshot, record);
        let comment = comment_of(snapshot, id, &mut None);
        let process = process_of(snapshot, id, &mut None);
        Self { marked, ignored, conversation, comment, process, origin, ..Self::new(n, record, numbers) }
    }

    fn new(n: u32, record: &'a Record, numbers: &Numbers) -> Self {
        let exchange = &record.exchange;
        let mut line = Self {
            kind: "http",
            n,
            marked: false,
            ignored: false,
            conversation: None,
            comment: Cow::Borrowed(""),
            process: Cow::Borrowed(""),
            version: None,
            transport: None,
            quic: None,
            mdns: false,
            llmnr: false,
            client: exchange.client.is_known().then_some(Text(exchange.client)),
            server: exchange.server.is_known().then_some(Text(exchange.server)),
            origin: None,
            entry: exchange.reported.map(|told| EntryLine { offset: told.offset, length: told.len }),
            proxied: exchange.proxied.as_deref().map(|p| ProxiedLine {
                by: p.kind.words(),
                target: &p.target,
                frame: p.frame.0,
            }),
            decrypted: None,
            authority: None,
            encrypted_dns: None,
            stream_id: None,
            pushed: None,
            grpc: None,
            detail: DetailLine::new(exchange),
            anomalies: exchange
                .anomalies
                .iter()
                .map(|a| AnomalyLine { what: a.kind.words(), frame: a.frame.0, length: a.len })
                .collect(),
            verdict: VerdictLine::new(record, numbers),
        };
        match &exchange.detail {
            Detail::Http(http) => {
                line.version = http.version().map(HttpVersion::word);
                line.stream_id = http.stream;
                line.pushed = http.pushed.then_some(true);
                line.grpc = http.is_grpc().then_some(true);
                line.decrypted = Some(exchange.envelope.is_some());
                line.authority = authority(exchange).map(Authority::word);
            }
            Detail::Tls(tls) => {
                line.kind = "tls";
                line.transport = Some(match tls.transport {
                    TlsTransport::Tcp => "tcp",
                    TlsTransport::Quic => "quic",
                    TlsTransport::Dtls => "dtls",
                });
                line.quic = tls.quic.as_ref().map(QuicLine::new);
                line.encrypted_dns = sealed_dns(exchange).map(SealedDns::words);
            }
            Detail::Dns(dns) => {
                line.kind = "dns";
                line.transport = Some(match (dns.over, exchange.transport) {
                    (DnsOver::Plain, Transport::Tcp) => "tcp",
                    (DnsOver::Plain, Transport::Udp) => "udp",
                    (DnsOver::Tls, _) => "dot",
                    (DnsOver::Https, _) => "doh",
                    (DnsOver::Quic, _) => "doq",
                });
                line.decrypted = exchange.envelope.is_some().then_some(true);
                line.mdns = dns.kind == DnsKind::Mdns;
                line.llmnr = dns.kind == DnsKind::Llmnr;
            }
        }
        line
    }
}

/// What a WebSocket carried, counted.
#[derive(Serialize)]
struct WebSocketLine {
    client: WebSocketSideLine,
    server: WebSocketSideLine,
    /// Messages may be compressed (RFC 7692).
    deflate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_frame: Option<u32>,
}

#[derive(Serialize)]
struct WebSocketSideLine {
    messages: u64,
    /// Pings, pongs and closes.
    control_frames: u64,
    /// Frames of the WebSocket, control frames among them.
    frames: u64,
    /// Of the messages, as sent.
    payload_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_code: Option<u16>,
    complete: bool,
}

impl WebSocketLine {
    fn new(websocket: &WebSocket) -> Self {
        let [client, server] = websocket.sides.map(|side| WebSocketSideLine {
            messages: side.messages,
            control_frames: side.controls,
            frames: side.frames,
            payload_bytes: side.bytes,
            close_code: side.close.map(|code| code.0),
            complete: !side.lossy,
        });
        let last_frame = websocket.last.map(|(frame, _)| frame.0);
        Self { client, server, deflate: websocket.deflate.is_some(), last_frame }
    }
}

/// What the headers of QUIC tell.
#[derive(Serialize)]
struct QuicLine {
    quic_version: String,
    /// What the server named instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    negotiated_versions: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    retry: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    zero_rtt: bool,
    /// Frames of datagrams inside; what is in them is not read.
    #[serde(skip_serializing_if = "is_zero_64")]
    datagrams: u64,
}

impl QuicLine {
    fn new(quic: &QuicFacts) -> Self {
        Self {
            quic_version: quic.version.word(),
            negotiated_versions: quic.negotiated.iter().map(|v| v.word()).collect(),
            retry: quic.retry,
            zero_rtt: quic.zero_rtt,
            datagrams: quic.datagrams,
        }
    }
}

impl<'a> DetailLine<'a> {
    fn new(exchange: &'a Exchange) -> Self {
        match &exchange.detail {
            Detail::Http(http) => Self::Http {
                request: http.request.as_ref().map(|m| MessageLine::new(m, exchange.scheme(m))),
                interim: http.interim.iter().map(|m| MessageLine::new(m, exchange.scheme(m))).collect(),
                response: http.response.as_ref().map(|m| MessageLine::new(m, exchange.scheme(m))),
                websocket: http.websocket.as_deref().map(WebSocketLine::new),
            },
            Detail::Tls(tls) => Self::tls(tls),
            Detail::Dns(dns) => Self::dns(dns),
        }
    }

    fn tls(tls: &'a TlsSession) -> Self {
        let frame = tls.certificate_frame.map(|f| f.0);
        Self::Tls {
            client_hello: tls.client_hello.as_ref().map(ClientHelloLine::new),
            server_hello: tls.server_hello.as_ref().map(ServerHelloLine::new),
            certificates: tls
                .certificates
                .iter()
                .map(|c| CertificateLine::new("server", frame, c))
                .chain(tls.client_certificates.iter().map(|c| CertificateLine::new("client", None, c)))
                .collect(),
            chain: tls.trust.as_deref().map(ChainLine::new),
            ocsp: OcspLine::new(&tls.stapled),
            scts: TimestampsLine::new(tls.stapled.timestamps),
            keys: KeysLine::new(tls.decryption, tls.transport),
            client_bytes: tls.bytes[0],
            server_bytes: tls.bytes[1],
        }
    }

    fn dns(dns: &'a DnsLookup) -> Self {
        let question = |q: &'a DnsQuestion| QuestionLine { name: &q.name, r#type: type_name(q.qtype) };
        Self::Dns {
            query: dns.query_frame.map(|frame| QueryLine {
                frame: frame.0,
                id: dns.id,
                name: dns.questions.first().map(|q| q.name.as_str()),
                r#type: dns.questions.first().map(|q| type_name(q.qtype)),
            }),
            // Without the query the repeated question is all there is.
            questions: if dns.query_frame.is_none() || dns.questions.len() > 1 {
                dns.questions.iter().map(question).collect()
            } else {
                Vec::new()
            },
            response: dns.response.as_ref().map(|r| DnsResponseLine {
                frame: r.frame.0,
                time: r.time.rfc3339(),
                rcode: r.rcode,
                answers: r.answers.iter().map(RecordLine::new).collect(),
            }),
        }
    }
}

/// What keys opened of a session.
#[derive(Serialize)]
struct KeysLine {
    opened: bool,
    #[serde(skip_serializing_if = "is_zero_64")]
    records: u64,
    /// The same of QUIC.
    #[serde(skip_serializing_if = "is_zero_64")]
    packets: u64,
    /// Those that could not be authenticated, or lack bytes.
    #[serde(skip_serializing_if = "is_zero_64")]
    not_opened: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    why: &'static str,
}

impl KeysLine {
    fn new(decryption: Decryption, transport: TlsTransport) -> Option<Self> {
        let (opened, not_opened) = match decryption {
            Decryption::NotTried => return None,
            Decryption::Opened { records, failed } => (records, failed),
            _ => (0, 0),
        };
        let (records, packets) = if transport == TlsTransport::Quic { (0, opened) } else { (opened, 0) };
        Some(Self { opened: decryption.is_opened(), records, packets, not_opened, why: decryption.why_not() })
    }
}

#[derive(Serialize)]
struct MessageLine<'a> {
    first_frame: u32,
    header_frame: u32,
    last_frame: u32,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    headers: Pairs<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers_hex: Option<Vec<[String; 2]>>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    trailers: Pairs<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_sha256: Option<Text<Hex>>,
    complete: bool,
}

impl<'a> MessageLine<'a> {
    fn new(message: &'a HttpMessage, scheme: &str) -> Self {
        let pairs = |fields: &'a [Field]| Pairs { block: &message.block, fields };
        let exact = message.each_field().any(|(n, v)| str::from_utf8(n).is_err() || str::from_utf8(v).is_err());
        let mut line = Self {
            first_frame: message.first_frame.0,
            header_frame: message.header_frame.0,
            last_frame: message.last_frame.0,
            time: message.time.rfc3339(),
            method: None,
            target: None,
            target_hex: None,
            host: None,
            url: None,
            status: None,
            reason: None,
            headers: pairs(&message.fields),
            headers_hex: exact.then(|| message.each_field().map(|(n, v)| [hex(n), hex(v)]).collect()),
            trailers: pairs(&message.trailers),
            content_type: message.field("content-type").map(lossy),
            body_bytes: message.body.decoded_bytes,
            body_sha256: message.body.sha256.map(|h| Text(Hex(h))),
            complete: message.complete,
        };
        match message.start {
            StartLine::Request { .. } => {
                let (method, target) = request_line(message);
                line.method = Some(lossy(method));
                line.target_hex = str::from_utf8(target).is_err().then(|| hex(target));
                line.target = Some(lossy(target));
                let (host, path) = host_and_path(message, target);
                if !host.is_empty() {
                    line.host = Some(lossy(host));
                    line.url = url(scheme, (method, target), &lossy(host), &lossy(path));
                }
            }
            StartLine::Status { code, reason } => {
                line.status = Some(code);
                // HTTP/2 and HTTP/3 have no reason phrase.
                line.reason = (!message.is_decoded()).then(|| lossy(reason.of(&message.block)));
            }
        }
        line
    }
}

/// The target URI (RFC 9112 section 3.3, RFC 9113 section 8.3.1); none for CONNECT, which names an authority, unless it is
/// extended (RFC 8441 section 4) or told in a HAR file.
pub(super) fn url(scheme: &str, (method, target): (&[u8], &[u8]), host: &str, path: &str) -> Option<String> {
    let absolute = memchr::memmem::find(target, b"://").is_some();
    if method == b"CONNECT" && !target.starts_with(b"/") && !absolute {
        return None;
    }
    if target.starts_with(b"/") {
        return Some(format!("{scheme}://{host}{path}"));
    }
    if target == b"*" {
        return Some(format!("{scheme}://{host}"));
    }
    absolute.then(|| lossy(target).into_owned())
}

#[derive(Serialize)]
struct ClientHelloLine<'a> {
    frame: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<Cow<'a, str>>,
    alpn: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja3: Option<String>,
    ja4: &'a str,
    ech: bool,
}

impl<'a> ClientHelloLine<'a> {
    fn new(hello: &'a ClientHello) -> Self {
        Self {
            frame: hello.frame.0,
            sni: hello.sni_bytes().map(lossy),
            alpn: hello.alpn.iter().map(|a| lossy(a.of(&hello.block))).collect(),
            version: (hello.version > 0).then(|| tls_version(hello.version)),
            ja3: hello.ja3.map(|digest| hex(&digest)),
            ja4: &hello.ja4,
            ech: hello.ech,
        }
    }
}

#[derive(Serialize)]
struct ServerHelloLine<'a> {
    frame: u32,
    version: String,
    cipher: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpn: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hello_retry_request: bool,
}

impl<'a> ServerHelloLine<'a> {
    fn new(hello: &'a ServerHello) -> Self {
        Self {
            frame: hello.frame.0,
            version: tls_version(hello.version),
            cipher: format!("0x{:04x}", hello.cipher),
            alpn: hello.alpn.as_deref().map(lossy),
            hello_retry_request: hello.retry,
        }
    }
}

#[derive(Serialize)]
struct CertificateLine<'a> {
    from: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_cn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_org: Option<&'a str>,
    san: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_cn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_org: Option<&'a str>,
    not_before: String,
    not_after: String,
    sha256: Text<Hex>,
}

impl<'a> CertificateLine<'a> {
    fn new(from: &'static str, frame: Option<u32>, certificate: &'a Certificate) -> Self {
        Self {
            from,
            frame,
            subject_cn: certificate.subject_cn.as_deref(),
            subject_org: certificate.subject_org.as_deref(),
            san: &certificate.names,
            issuer_cn: certificate.issuer_cn.as_deref(),
            issuer_org: certificate.issuer_org.as_deref(),
            not_before: certificate.not_before.rfc3339(),
            not_after: certificate.not_after.rfc3339(),
            sha256: Text(Hex(certificate.sha256)),
        }
    }
}

/// How the server's chain stands before the public roots of its time.
#[derive(Serialize)]
struct ChainLine<'a> {
    standing: &'static str,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<RootLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<&'a str>,
    list: String,
    list_days: u32,
}

/// A root, and the first and last of the lists that have it.
#[derive(Serialize)]
struct RootLine<'a> {
    name: &'a str,
    sha256: Text<Hex>,
    lists: [String; 2],
    in_newest: bool,
}

impl<'a> ChainLine<'a> {
    fn new(trust: &'a Trust) -> Self {
        Self {
            standing: trust.standing.words(),
            why: trust.sentence(),
            root: trust.root.as_ref().map(|root| RootLine {
                name: &root.name,
                sha256: Text(Hex(root.sha256)),
                lists: [root.first_list.date(), root.last_list.date()],
                in_newest: root.last_list == root.newest_list,
            }),
            authority: trust.authority.as_deref(),
            list: trust.list.date(),
            list_days: trust.list_days,
        }
    }
}

/// The OCSP answer stapled to the chain; nobody checked its signature.
#[derive(Serialize)]
struct OcspLine {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    for_this_certificate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    this_update: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_update: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<String>,
}

impl OcspLine {
    fn new(stapled: &Stapled) -> Option<Self> {
        let told = |answer: &OcspAnswer| Self {
            status: answer.status.word(),
            for_this_certificate: answer.dates.map(|_| answer.for_leaf),
            this_update: answer.dates.map(|(from, _)| from.rfc3339()),
            next_update: answer.dates.and_then(|(_, to)| to).map(Timestamp::rfc3339),
            revoked: answer.revoked.map(Timestamp::rfc3339),
        };
        let unread = Self {
            status: "unreadable",
            for_this_certificate: None,
            this_update: None,
            next_update: None,
            revoked: None,
        };
        stapled.ocsp.as_ref().map(told).or_else(|| stapled.ocsp_unread.then_some(unread))
    }
}

/// How many timestamps of certificate logs stand where (RFC 6962 section 3.3); nobody checked them.
#[derive(Serialize)]
struct TimestampsLine {
    certificate: u32,
    handshake: u32,
    ocsp: u32,
}

impl TimestampsLine {
    fn new([certificate, handshake, ocsp]: [u32; 3]) -> Option<Self> {
        (certificate > 0 || handshake > 0 || ocsp > 0).then_some(Self { certificate, handshake, ocsp })
    }
}

#[derive(Serialize)]
struct QueryLine<'a> {
    frame: u32,
    id: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<Cow<'static, str>>,
}

#[derive(Serialize)]
struct QuestionLine<'a> {
    name: &'a str,
    r#type: Cow<'static, str>,
}

#[derive(Serialize)]
struct DnsResponseLine<'a> {
    frame: u32,
    time: String,
    rcode: u8,
    answers: Vec<RecordLine<'a>>,
}

#[derive(Serialize)]
struct RecordLine<'a> {
    name: &'a str,
    r#type: Cow<'static, str>,
    ttl: u32,
    value: &'a str,
}

impl<'a> RecordLine<'a> {
    fn new(record: &'a DnsRecord) -> Self {
        Self { name: &record.name, r#type: type_name(record.rtype), ttl: record.ttl, value: &record.value }
    }
}

/// Written as it displays, without a text of its own in between: a list has millions of these.
pub(super) struct Text<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A digest in hex.
struct Hex([u8; 32]);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Header fields as pairs.
struct Pairs<'a> {
    block: &'a [u8],
    fields: &'a [Field],
}

impl Pairs<'_> {
    fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl Serialize for Pairs<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(self.fields.iter().map(|f| [lossy(f.name.of(self.block)), lossy(f.value.of(self.block))]))
    }
}

pub(super) struct Frames<'a>(pub(super) &'a [FrameNo]);

impl Serialize for Frames<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|f| f.0))
    }
}

/// Compact JSON in which nothing is invisible or reorders text: such characters are written as escapes, which every
/// reader turns back into the same text, and a terminal shows.
struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && memchr::memchr(0x7f, fragment.as_bytes()).is_none() {
            return writer.write_all(fragment.as_bytes());
        }
        let mut buffer = [0; 4];
        for c in fragment.chars() {
            if is_hidden(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(c.encode_utf8(&mut buffer).as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Only bytes that are no UTF-8 need replacing; the exact ones stand beside them in hex.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use serde::Serialize as _;
    use serde_json::ser::Serializer;

    use super::Plain;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let mut bytes = Vec::new();
        text.serialize(&mut Serializer::with_formatter(&mut bytes, Plain)).unwrap();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), want);
        assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text, "another text comes back");
    }

    #[test]
    fn nothing_hidden_is_written_as_itself() {
        check("plain \"x\"", r#""plain \"x\"""#);
        check("bücher", r#""bücher""#);
        check("a\u{202e}b\u{9b}c\u{7f}d\ne", r#""a\u202eb\u009bc\u007fd\ne""#);
        check("tag\u{e0041}", r#""tag\udb40\udc41""#);
    }
}
