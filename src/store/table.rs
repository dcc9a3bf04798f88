//! The table of rows: one cache line each, in chunks that snapshots share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use ahash::AHashMap;

use super::blocks::{BlockRef, Pages};
use super::certificates::Certificates;
use super::findings::Findings;
use super::flows::{FlowIndex, FlowPart, FlowUse};
use super::forget::PARTS;
use super::givers::Givers;
use super::notes::Notes;
use super::programs::Programs;
use super::record::Record;
use super::rows::Rows;
use super::snapshot::{Facts, Progress, Snapshot};
use super::strings::{Interner, StrId, StrId16};
use crate::capture::SocketOwner;
use crate::evidence::sealed_dns;
use crate::model::{
    Agreement, AnomalyKind, Budget, Detail, DnsKind, Exchange, ExchangeNo, FlowId, FrameNo, GiverNo, Grade,
    HttpExchange, HttpMessage, HttpVersion, Limit, LimitHit, ProviderId, StartLine, TlsSession, TlsTransport, clean_to,
};
use crate::streams::FrameList;

/// Characters of a host, path or word that a row keeps; the whole text stays in the record.
const ROW_CHARS: usize = 256;

/// A row's place in the table; it never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub u32);

/// What kind of exchange a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// HTTP.
    Http,
    /// A sealed TLS session.
    Tls,
    /// A DNS lookup.
    Dns,
}

/// One row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When its first frame was captured.
    pub time: crate::model::Timestamp,
    /// Its record.
    pub record: BlockRef,
    /// HTTP: bytes of the response body (as decoded, else as on the wire); of a WebSocket the payload of both sides. TLS:
    /// stream bytes of both sides. DNS: answers.
    pub size: u64,
    /// Its first frame.
    pub first_frame: FrameNo,
    /// Microseconds from its first to its last frame; saturates after 71 minutes. [`Row::OPEN`] while it goes on.
    pub duration_micros: u32,
    /// Host asked for: Host field, target, server name or DNS question.
    pub host: StrId,
    /// Path and query; for TLS the version and protocol; for DNS the record type.
    pub path: StrId,
    /// The server's endpoint.
    pub server: StrId,
    /// The tenant, where one was found.
    pub tenant: StrId,
    /// Method; `TLS`, `DTLS`, `DNS`, `mDNS`, `LLMNR` for the others.
    pub method: StrId16,
    /// Media type of the response; `websocket` where one was opened; `over TLS` or `over HTTPS` for DNS.
    pub content_type: StrId16,
    /// Status code, 0 where none came; for DNS the response code.
    pub status: u16,
    /// The operator, [`Row::NONE`] where none was found.
    pub operator: u16,
    /// The product as an index into the pack's services, [`Row::NONE`] where none was found.
    pub product: u16,
    /// The agreement strip in the low twelve bits; above it [`Row::CONFLICT`] and the other flags.
    marks: u16,
    /// What kind of exchange.
    pub kind: RowKind,
    /// The HTTP version's place in [`Row::VERSIONS`] in the low three bits; in the next three one more than the grade's rank,
    /// 0 where there is none; [`Row::OPENED`] above them.
    traits: u8,
    /// The role as an index into the pack's roles, 255 where none was found.
    pub role: u8,
    /// Which part of the duration passed before the answer's first byte, in [`Row::WHOLE`]ths; [`Row::UNKNOWN`].
    wait: u8,
}

impl Row {
    /// The duration of an exchange that goes on.
    pub const OPEN: u32 = u32::MAX;
    /// The longest duration that a row holds; the record tells how long it was.
    pub const LONGEST: u32 = Self::OPEN - 1;
    /// No operator, no product.
    pub const NONE: u16 = u16::MAX;
    /// Flag: witnesses disagree.
    pub const CONFLICT: u16 = 1 << 12;
    /// Flag: a message is missing or cut.
    pub const INCOMPLETE: u16 = 1 << 13;
    /// Flag: something odd was met.
    pub const ANOMALY: u16 = 1 << 14;
    /// Flag: an earlier response gave the URL.
    pub const HANDED_OUT: u16 = 1 << 15;

    /// HTTP versions times ten; 0 for what is not HTTP.
    const VERSIONS: [u8; 6] = [0, 9, 10, 11, 20, 30];
    /// In `traits`: keys opened it. An HTTP exchange was decrypted; records of a TLS session were.
    const OPENED: u8 = 1 << 7;
    /// In `wait`: the whole duration.
    const WHOLE: u8 = 254;
    /// In `wait`: when the answer began is not known.
    const UNKNOWN: u8 = 255;

    /// HTTP version times ten (9, 10, 11, 20, 30); 0 for what is not HTTP.
    pub fn http_version(&self) -> u8 {
        Self::VERSIONS.get(usize::from(self.traits & 7)).copied().unwrap_or(0)
    }

    /// Microseconds until the first byte of the answer, to within 1/254 of the duration; `None` for sealed sessions, for what
    /// goes on, and where no answer came.
    pub fn waiting_micros(&self) -> Option<u32> {
        let known = self.wait != Self::UNKNOWN && !self.is_open();
        let micros = u64::from(self.duration_micros) * u64::from(self.wait) / u64::from(Self::WHOLE);
        known.then(|| u32::try_from(micros).unwrap_or(Self::LONGEST))
    }

    /// Whether keys opened it: an HTTP exchange that was decrypted, or a TLS session of which records were.
    pub fn is_opened(&self) -> bool {
        self.traits & Self::OPENED != 0
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: u16) -> bool {
        self.marks & flag != 0
    }

    /// Whether the exchange goes on: its row shows what is there so far, and changes.
    pub fn is_open(&self) -> bool {
        self.duration_micros == Self::OPEN
    }

    /// What each kind of witness says of the operator.
    pub fn agreement(&self) -> Agreement {
        Agreement(self.marks & 0xfff)
    }

    /// The grade of the whole verdict.
    pub fn grade(&self) -> Option<Grade> {
        [Grade::Contradicted, Grade::NameOnly, Grade::Suggests, Grade::Supports, Grade::Conclusive]
            .get(usize::from(self.traits >> 3 & 7).checked_sub(1)?)
            .copied()
    }

    /// The operator.
    pub fn operator(&self) -> Option<ProviderId> {
        (self.operator != Self::NONE).then_some(ProviderId(self.operator))
    }
}

/// The owner of the rows: the engine's thread alone writes it.
#[derive(Debug)]
pub struct Store {
    pub(super) rows: Rows<Row>,
    /// Rows to keep, rows that were forgotten, and with how many rows it is looked again what can go.
    pub(super) most_rows: usize,
    pub(super) forgotten: usize,
    pub(super) forget_at: usize,
    /// With how many parts of frame lists it is looked again what can go.
    pub(super) sweep_at: usize,
    pub(super) texts: Interner,
    pub(super) words: Interner,
    pub(super) pages: Pages,
    pub(super) flows: FlowIndex,
    /// Also which flow each row is of.
    pub(super) flow_use: FlowUse,
    certificates: Certificates,
    pub(super) record_bytes: usize,
    scratch: Vec<u8>,
    providers: BTreeMap<u16, u32>,
    roles: &'static [&'static str],
    /// Places of exchanges that handed out URLs.
    pub(super) givers: Arc<Givers>,
    pub(super) findings: Arc<Findings>,
    pub(super) programs: Programs,
    /// The rows of exchanges that go on, by flow and number in it.
    pub(super) open: AHashMap<FlowId, Vec<(u32, RowId)>>,
    shown_early: bool,
    generation: u64,
}

impl Store {
    /// An empty store; `roles` are the words of the signature pack that [`Row::role`] counts.
    pub fn new(budget: &Budget, roles: &'static [&'static str]) -> Self {
        Self {
            rows: Rows::default(),
            most_rows: usize::MAX,
            forgotten: 0,
            forget_at: usize::MAX,
            sweep_at: PARTS,
            texts: Interner::new(budget.interned_texts),
            words: Interner::new(usize::from(u16::MAX)),
            pages: Pages::default(),
            flows: FlowIndex::default(),
            flow_use: FlowUse::default(),
            certificates: Certificates::default(),
            record_bytes: budget.record_bytes,
            scratch: Vec::new(),
            providers: BTreeMap::new(),
            roles,
            givers: Arc::default(),
            findings: Arc::default(),
            programs: Programs::default(),
            open: AHashMap::new(),
            shown_early: false,
            generation: 0,
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The place that the exchange has or will have.
    pub fn place(&self, exchange: &Exchange) -> ExchangeNo {
        let open = self.open.get(&exchange.flow).and_then(|rows| rows.iter().find(|(n, _)| *n == exchange.ordinal));
        let next = || u32::try_from(self.len()).unwrap_or(u32::MAX);
        ExchangeNo(open.map_or_else(next, |(_, row)| row.0))
    }

    /// The exchange that verdicts know by `giver` is the one at `place`.
    pub fn giver_arrived(&mut self, giver: GiverNo, place: ExchangeNo) {
        Arc::make_mut(&mut self.givers).put(giver, place);
    }

    /// Shows what is there of an exchange that goes on; in its row, if it has one already.
    pub fn show(&mut self, record: &Record) -> RowId {
        self.shown_early = true;
        let id = RowId(self.place(&record.exchange).0);
        let mut row = self.store(record);
        row.duration_micros = Row::OPEN;
        row.wait = Row::UNKNOWN;
        self.put(id, row, record.exchange.flow);
        self.programs.row(id, &record.exchange);
        let rows = self.open.entry(record.exchange.flow).or_default();
        if rows.iter().all(|(_, known)| *known != id) {
            rows.push((record.exchange.ordinal, id));
        }
        id
    }

    /// Adds a finished exchange; in its row, if it was shown before. It is not written again.
    pub fn add(&mut self, record: &Record) -> RowId {
        let id = RowId(self.place(&record.exchange).0);
        let row = self.store(record);
        let verdict = &record.verdict;
        let first_party = verdict.tenant.as_ref().and_then(|t| t.value.first_party.as_deref());
        let giver = verdict.handed_out.as_ref().and_then(|h| h.site.as_deref());
        let tenant = verdict.tenant.as_ref().map(|t| t.value.name.as_str());
        let sites = [first_party, giver].map(|site| match site {
            None => StrId(0),
            site if site == tenant => row.tenant,
            Some(site) => self.text(site.as_bytes()),
        });
        Arc::make_mut(&mut self.findings).add(&row, &record.exchange, sites);
        self.put(id, row, record.exchange.flow);
        self.programs.row(id, &record.exchange);
        if let Some(rows) = self.open.get_mut(&record.exchange.flow) {
            rows.retain(|(_, known)| *known != id);
            if rows.is_empty() {
                self.open.remove(&record.exchange.flow);
            }
        }
        id
    }

    /// Keeps the record and gives its row.
    fn store(&mut self, record: &Record) -> Row {
        self.scratch.clear();
        record.encode(&mut self.certificates, &mut self.scratch);
        let scratch = std::mem::take(&mut self.scratch);
        let place = self.pages.push(&scratch, self.record_bytes);
        self.scratch = scratch;
        self.row_of(record, place)
    }

    /// Writes a row at its place: behind all others, or over the one that was there.
    fn put(&mut self, id: RowId, row: Row, flow: FlowId) {
        *self.providers.entry(row.operator).or_insert(0) += 1;
        if (id.0 as usize) < self.len() {
            let Some(old) = self.rows.get_mut(id) else { return };
            let operator = std::mem::replace(old, row).operator;
            return self.uncount(operator);
        }
        self.rows.push(row);
        self.flow_use.add(flow, self.forgets());
        if self.forgets() {
            self.forget_old();
        }
    }

    /// A row of that operator is gone.
    pub(super) fn uncount(&mut self, operator: u16) {
        if let Entry::Occupied(mut count) = self.providers.entry(operator) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// Keeps which frames a flow had, or some of them: parts come in order.
    pub fn add_frames(&mut self, flow: FlowId, frames: &FrameList) {
        if !frames.is_empty() {
            let place = self.pages.push(frames.as_bytes(), self.record_bytes);
            let len = u32::try_from(frames.as_bytes().len()).unwrap_or(u32::MAX);
            self.flows.push(FlowPart { flow, place, len });
            if self.forgets() {
                self.flow_use.goes_on(flow);
                // Flows without rows have frames too, and rows may never come.
                if self.flows.len() >= self.sweep_at {
                    self.sweep();
                }
            }
        }
    }

    /// A flow is over: none of its rows is open any more.
    pub fn end_flow(&mut self, flow: FlowId) {
        self.flow_use.ended(flow);
        if self.open.is_empty() {
            return;
        }
        let ghosts = self.open.remove(&flow).unwrap_or_default();
        debug_assert!(ghosts.is_empty(), "rows of {flow:?} that nothing closed: {ghosts:?}");
        for (_, id) in ghosts {
            if let Some(row) = self.rows.get_mut(id) {
                row.duration_micros = 0;
            }
        }
    }

    /// Owners of sockets will be told with [`Store::learn_programs`].
    pub fn expect_programs(&mut self) {
        self.programs.expect();
    }

    /// Takes owners of sockets, for rows that are there and those to come.
    pub fn learn_programs(&mut self, owners: &[SocketOwner]) {
        for owner in owners {
            let name = self.text(owner.program.as_bytes());
            self.programs.learn(owner, name);
        }
        self.programs.catch_up();
    }

    /// A frozen copy of all that is there.
    pub fn snapshot(&mut self, mut facts: Facts, progress: Progress) -> Snapshot {
        self.generation += 1;
        let count = self.texts.refused + self.words.refused;
        if count > 0 {
            facts.limits.push(LimitHit { limit: Limit::InternedTexts, count, first_frame: FrameNo(0) });
        }
        if self.forgotten > 0 {
            let count = self.forgotten as u64;
            facts.limits.push(LimitHit { limit: Limit::LiveRows, count, first_frame: FrameNo(0) });
        }
        Snapshot {
            generation: self.generation,
            rows: Arc::new(self.rows.clone()),
            forgotten: self.forgotten,
            texts: Arc::new(self.texts.texts().clone()),
            words: Arc::new(self.words.texts().clone()),
            pages: Arc::new(self.pages.clone()),
            flows: Arc::new(self.flows.clone()),
            row_flows: Arc::new(self.flow_use.flows().clone()),
            certificates: self.certificates.list(),
            givers: Arc::clone(&self.givers),
            findings: Arc::clone(&self.findings),
            programs: Arc::new(self.programs.rows().clone()),
            providers: self.providers.iter().map(|(p, n)| (ProviderId(*p), *n)).collect(),
            counted: None,
            shown_early: self.shown_early,
            facts: Arc::new(facts),
            progress,
            notes: Notes::default(),
            colours: Arc::default(),
        }
    }

    fn row_of(&mut self, record: &Record, place: BlockRef) -> Row {
        let exchange = &record.exchange;
        let verdict = &record.verdict;
        let odd = exchange.anomalies.iter().any(|a| a.kind != AnomalyKind::MissingStart);
        let marks =
            [(verdict.conflict, Row::CONFLICT), (odd, Row::ANOMALY), (verdict.handed_out.is_some(), Row::HANDED_OUT)]
                .into_iter()
                .filter(|(holds, _)| *holds)
                .fold(verdict.agreement.0 & 0xfff, |marks, (_, flag)| marks | flag);
        let micros = exchange.end_time.nanos_since(exchange.time).max(0) / 1_000;
        let mut row = Row {
            time: exchange.time,
            record: place,
            size: 0,
            first_frame: exchange.first_frame,
            duration_micros: u32::try_from(micros).unwrap_or(u32::MAX).min(Row::LONGEST),
            host: StrId(0),
            path: StrId(0),
            server: StrId(self.texts.intern(&server_text(exchange))),
            tenant: StrId(
                verdict.tenant.as_ref().map_or(0, |t| self.texts.intern(&clean_to(t.value.name.as_bytes(), ROW_CHARS))),
            ),
            method: StrId16(0),
            content_type: StrId16(0),
            status: 0,
            operator: verdict.operator.map_or(Row::NONE, |o| o.value.0),
            product: verdict.product.map_or(Row::NONE, |p| p.value),
            kind: RowKind::Http,
            traits: verdict.grade.map_or(0, |grade| (grade as u8 + 1) << 3),
            role: verdict
                .role
                .and_then(|r| self.roles.iter().position(|known| *known == r.value))
                .and_then(|i| u8::try_from(i).ok())
                .unwrap_or(u8::MAX),
            wait: wait(exchange),
            marks,
        };
        self.describe(exchange, &mut row);
        let session = matches!(&exchange.detail, Detail::Tls(tls) if tls.decryption.is_opened());
        if session || exchange.envelope.is_some() {
            row.traits |= Row::OPENED;
        }
        row
    }

    fn describe(&mut self, exchange: &Exchange, row: &mut Row) {
        let texts = RowTexts::of(exchange);
        row.method = self.word(&texts.method);
        row.host = self.text(&texts.host);
        row.path = self.text(&texts.path);
        row.content_type = self.word(&texts.content_type);
        match &exchange.detail {
            Detail::Http(http) => {
                row.kind = RowKind::Http;
                row.traits |= http.version().map_or(0, version_place);
                if let Some(response) = &http.response {
                    if let StartLine::Status { code, .. } = response.start {
                        row.status = code;
                    }
                    row.size = response.body.decoded_bytes.unwrap_or(response.body.wire_bytes);
                }
                if let Some(websocket) = &http.websocket {
                    row.content_type = self.word(b"websocket");
                    row.size = websocket.bytes();
                    if websocket.sides.iter().any(|side| side.lossy) {
                        row.marks |= Row::INCOMPLETE;
                    }
                }
                let whole = |m: &Option<HttpMessage>| m.as_ref().is_some_and(|m| m.complete);
                if !whole(&http.request) || !whole(&http.response) {
                    row.marks |= Row::INCOMPLETE;
                }
            }
            Detail::Tls(tls) => {
                row.kind = RowKind::Tls;
                row.size = tls.bytes[0].saturating_add(tls.bytes[1]);
                if tls.server_hello.is_none() || tls.client_hello.is_none() {
                    row.marks |= Row::INCOMPLETE;
                }
            }
            Detail::Dns(dns) => {
                row.kind = RowKind::Dns;
                if let Some(response) = &dns.response {
                    row.status = u16::from(response.rcode);
                    row.size = response.answers.len() as u64;
                } else {
                    row.marks |= Row::INCOMPLETE;
                }
            }
        }
    }

    fn text(&mut self, bytes: &[u8]) -> StrId {
        StrId(self.texts.intern(&row_text(bytes)))
    }

    fn word(&mut self, bytes: &[u8]) -> StrId16 {
        StrId16(u16::try_from(self.words.intern(&clean_to(bytes, ROW_CHARS))).unwrap_or(1))
    }
}

/// The texts of an exchange's row as they are before they are cut and made ready for display.
#[derive(Debug, Default)]
pub(super) struct RowTexts<'a> {
    pub(super) method: Cow<'a, [u8]>,
    pub(super) host: Cow<'a, [u8]>,
    pub(super) path: Cow<'a, [u8]>,
    pub(super) content_type: Cow<'a, [u8]>,
}

impl<'a> RowTexts<'a> {
    pub(super) fn of(exchange: &'a Exchange) -> Self {
        match &exchange.detail {
            Detail::Http(http) => Self::of_http(http),
            Detail::Tls(tls) => Self::of_tls(exchange, tls),
            Detail::Dns(dns) => {
                let method = match dns.kind {
                    DnsKind::Dns => "DNS",
                    DnsKind::Mdns => "mDNS",
                    DnsKind::Llmnr => "LLMNR",
                };
                let question = dns.questions.first();
                let path = question.map(|q| crate::protocols::dns::type_name(q.qtype).into_owned().into_bytes());
                Self {
                    method: method.as_bytes().into(),
                    host: question.map_or(&[][..], |q| q.name.as_bytes()).into(),
                    path: path.unwrap_or_default().into(),
                    content_type: dns.over.words().trim_start().as_bytes().into(),
                }
            }
        }
    }

    fn of_http(http: &'a HttpExchange) -> Self {
        let mut texts = Self::default();
        if let Some(request) = &http.request {
            let (method, target) = request_line(request);
            let (host, path) = host_and_path(request, target);
            (texts.method, texts.host, texts.path) = (method.into(), host.into(), path.into());
        }
        let media = http.response.as_ref().and_then(|response| response.field("content-type")).unwrap_or_default();
        texts.content_type = media.split(|b| *b == b';').next().unwrap_or_default().trim_ascii().into();
        texts
    }

    fn of_tls(exchange: &Exchange, tls: &'a TlsSession) -> Self {
        let method = match tls.transport {
            TlsTransport::Tcp => "TLS",
            TlsTransport::Quic => "QUIC",
            TlsTransport::Dtls => "DTLS",
        };
        let version = tls
            .server_hello
            .as_ref()
            .map(|h| h.version)
            .or_else(|| tls.client_hello.as_ref().map(|h| h.version))
            .filter(|version| *version > 0);
        let alpn = tls.server_hello.as_ref().and_then(|h| h.alpn.as_deref()).unwrap_or_default();
        let quic = tls.quic.as_ref().map(|q| format!("QUIC {}", q.version.word()));
        let mut path: String = quic.into_iter().chain(version.map(tls_version)).collect::<Vec<_>>().join(" · ");
        if !alpn.is_empty() {
            path.push_str(" · ");
            path.push_str(&clean_to(alpn, 40));
        }
        if let Some(sealed) = sealed_dns(exchange) {
            path.push_str(" · ");
            path.push_str(sealed.words());
        }
        Self {
            method: method.as_bytes().into(),
            host: tls.client_hello.as_ref().and_then(|h| h.sni_bytes()).unwrap_or_default().into(),
            path: path.into_bytes().into(),
            ..Self::default()
        }
    }
}

/// A text as rows and findings have it.
pub(super) fn row_text(bytes: &[u8]) -> Cow<'_, str> {
    clean_to(bytes, ROW_CHARS)
}

/// Method and target of a request's start line; empty for a status line.
pub(crate) fn request_line(message: &HttpMessage) -> (&[u8], &[u8]) {
    match message.start {
        StartLine::Request { method, target } => (method.of(&message.block), target.of(&message.block)),
        StartLine::Status { .. } => (b"", b""),
    }
}

/// The server of a row; empty where its address is not known.
pub(crate) fn server_text(exchange: &Exchange) -> String {
    if exchange.server.is_known() { exchange.server.to_string() } else { String::new() }
}

/// Host and path of a request: an absolute target's own host wins over the field that names it (RFC 9112 section 3.2.2).
pub(crate) fn host_and_path<'a>(request: &'a HttpMessage, target: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let absolute = memchr::memmem::find(target, b"://").filter(|at| *at <= 5);
    if let Some(at) = absolute {
        let rest = target.get(at + 3..).unwrap_or_default();
        let slash = memchr::memchr3(b'/', b'?', b'#', rest).unwrap_or(rest.len());
        return (rest.get(..slash).unwrap_or_default(), rest.get(slash..).unwrap_or_default());
    }
    (request.host().unwrap_or_default(), target)
}

/// A TLS version in words.
pub(crate) fn tls_version(version: u16) -> String {
    match version {
        0x0002 => "SSL 2.0".to_owned(),
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        0xfeff => "DTLS 1.0".to_owned(),
        0xfefd => "DTLS 1.2".to_owned(),
        0xfefc => "DTLS 1.3".to_owned(),
        other => format!("0x{other:04x}"),
    }
}

/// The place in [`Row::VERSIONS`].
fn version_place(version: HttpVersion) -> u8 {
    match version {
        HttpVersion::V09 => 1,
        HttpVersion::V10 => 2,
        HttpVersion::V11 => 3,
        HttpVersion::V2 => 4,
        HttpVersion::V3 => 5,
    }
}

/// A row of which nothing matters but when it was.
#[cfg(test)]
pub(crate) fn sample_row(time: crate::model::Timestamp, first_frame: FrameNo) -> Row {
    Row {
        time,
        record: BlockRef::default(),
        size: 0,
        first_frame,
        duration_micros: 0,
        host: StrId(0),
        path: StrId(0),
        server: StrId(0),
        tenant: StrId(0),
        method: StrId16(0),
        content_type: StrId16(0),
        status: 0,
        operator: Row::NONE,
        product: Row::NONE,
        marks: 0,
        kind: RowKind::Http,
        traits: 0,
        role: u8::MAX,
        wait: Row::UNKNOWN,
    }
}

/// Which part of an exchange passed before the first byte of the answer, as rows keep it.
fn wait(exchange: &Exchange) -> u8 {
    let answered = match &exchange.detail {
        Detail::Http(http) => http.response.as_ref().map(|response| response.time),
        Detail::Dns(dns) => dns.response.as_ref().map(|response| response.time),
        Detail::Tls(_) => None,
    };
    let Some(answered) = answered else { return Row::UNKNOWN };
    let whole = i128::from(exchange.end_time.nanos_since(exchange.time)).max(1);
    let waited = i128::from(answered.nanos_since(exchange.time)).clamp(0, whole);
    u8::try_from((waited * i128::from(Row::WHOLE) + whole / 2) / whole).unwrap_or(Row::WHOLE)
}

#[cfg(test)]
mod tests {
    use super::Row;

    #[test]
    fn a_row_is_one_cache_line() {
        assert!(size_of::<Row>() <= 64, "{}", size_of::<Row>());
    }
}
