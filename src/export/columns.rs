//! The columns of a table of rows: what each is called, of which type it is, and how a record fills it.
//!
//! Comes in: one record. Goes out: one value a column, or none. The names are those of the JSON lines wherever both have the
//! thing; a change of name or meaning changes [`ROWS_SCHEMA`].

use std::borrow::Cow;

use super::json::{lossy, url};
use super::order::Numbers;
use crate::evidence::{hypotheses, pack};
use crate::model::{
    Certificate, ClientHello, Detail, DnsKind, DnsLookup, DnsOver, Endpoint, Exchange, FrameNo, Grade, HttpExchange,
    HttpMessage, HttpVersion, Standing, StartLine, Timestamp, TlsSession, TlsTransport, Transport, Verdict,
    WebSocketSide, WitnessKind, hex,
};
use crate::protocols::dns::type_name;
use crate::store::{FlowColour, Note, Record, RowId, host_and_path, request_line, tls_version};

/// The name of this form.
pub const ROWS_SCHEMA: &str = "nephoscope-rows/1";

/// The number of CNAME among DNS types (RFC 1035 section 3.2.2).
const CNAME: u16 = 5;

/// A column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) get: Get,
}

/// How a column is filled, and with that its type.
#[derive(Clone, Copy)]
pub(super) enum Get {
    Text(for<'v> fn(&'v View<'_>) -> Option<Cow<'v, str>>),
    Int(fn(&View<'_>) -> Option<i64>),
    /// Nanoseconds since 1970, UTC.
    Time(fn(&View<'_>) -> Option<Timestamp>),
    Bool(fn(&View<'_>) -> Option<bool>),
    Texts(for<'v> fn(&'v View<'_>) -> Vec<Cow<'v, str>>),
    Ints(fn(&View<'_>) -> Vec<i64>),
}

/// One record as the columns see it.
pub(super) struct View<'a> {
    n: u32,
    note: Option<&'a Note>,
    colour: Option<FlowColour>,
    record: &'a Record,
    numbers: &'a Numbers,
    file: &'a str,
    sha256: Option<&'a str>,
    /// The number in its file of the first frame of a row of merged files.
    file_frame: Option<FrameNo>,
    /// Names that the lookup led through.
    chain: Vec<String>,
    /// The other readings by their ids.
    readings: Vec<(&'static str, Standing)>,
}

impl<'a> View<'a> {
    /// `file` is the name, as it may be shown, of the capture or of the merged file that the row begins in; `chain` what
    /// [`chain_of`] gave.
    pub(super) fn new(
        (n, note, colour): (u32, Option<&'a Note>, Option<FlowColour>),
        record: &'a Record,
        (file, sha256, file_frame): (&'a str, Option<&'a str>, Option<FrameNo>),
        chain: Vec<String>,
        numbers: &'a Numbers,
    ) -> Self {
        let readings = hypotheses(&record.exchange, &record.ledger, &record.verdict);
        let readings = readings.into_iter().map(|h| (h.alternative.id(), h.standing)).collect();
        Self { n, note, colour, record, numbers, file, sha256, file_frame, chain, readings }
    }

    fn exchange(&self) -> &Exchange {
        &self.record.exchange
    }

    fn verdict(&self) -> &Verdict {
        &self.record.verdict
    }

    fn http(&self) -> Option<&HttpExchange> {
        match &self.exchange().detail {
            Detail::Http(http) => Some(http),
            Detail::Tls(_) | Detail::Dns(_) => None,
        }
    }

    fn tls(&self) -> Option<&TlsSession> {
        match &self.exchange().detail {
            Detail::Tls(tls) => Some(tls),
            Detail::Http(_) | Detail::Dns(_) => None,
        }
    }

    fn dns(&self) -> Option<&DnsLookup> {
        match &self.exchange().detail {
            Detail::Dns(dns) => Some(dns),
            Detail::Http(_) | Detail::Tls(_) => None,
        }
    }

    fn request(&self) -> Option<&HttpMessage> {
        self.http()?.request.as_ref()
    }

    fn response(&self) -> Option<&HttpMessage> {
        self.http()?.response.as_ref()
    }

    fn hello(&self) -> Option<&ClientHello> {
        self.tls()?.client_hello.as_ref()
    }

    /// The server's own certificate.
    fn certificate(&self) -> Option<&Certificate> {
        self.tls()?.certificates.first().map(AsRef::as_ref)
    }

    /// Host and path that the request names.
    fn place(&self) -> Option<(&[u8], &[u8])> {
        let message = self.request()?;
        Some(host_and_path(message, request_line(message).1))
    }

    fn with(&self, standing: impl Fn(Standing) -> bool) -> Vec<Cow<'_, str>> {
        self.readings.iter().filter(|(_, s)| standing(*s)).map(|(id, _)| Cow::Borrowed(*id)).collect()
    }
}

fn sni<'v>(v: &'v View<'_>) -> Option<Cow<'v, str>> {
    v.hello()?.sni_bytes().map(lossy)
}

fn asked<'v>(v: &'v View<'_>) -> Option<Cow<'v, str>> {
    v.dns()?.questions.first().map(|q| Cow::Borrowed(q.name.as_str()))
}

/// The names that a lookup led through: this one, or the one before the connection, which `find` gives.
pub(super) fn chain_of(record: &Record, find: &mut dyn FnMut(RowId) -> Option<Record>) -> Vec<String> {
    match (&record.exchange.detail, &record.verdict.looked_up) {
        (Detail::Dns(dns), _) => chain(dns),
        (_, Some(found)) => match find(RowId(found.lookup.0)).map(|lookup| lookup.exchange.detail) {
            Some(Detail::Dns(dns)) => chain(&dns),
            Some(Detail::Http(_) | Detail::Tls(_)) | None => Vec::new(),
        },
        (Detail::Http(_) | Detail::Tls(_), None) => Vec::new(),
    }
}

fn chain(dns: &DnsLookup) -> Vec<String> {
    let answers = dns.response.iter().flat_map(|response| &response.answers);
    answers.filter(|answer| answer.rtype == CNAME).map(|answer| answer.value.clone()).collect()
}

fn number(n: u64) -> Option<i64> {
    i64::try_from(n).ok()
}

#[expect(clippy::unnecessary_wraps, reason = "columns give options")]
fn word(text: &'static str) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(text))
}

fn owned(text: String) -> Cow<'static, str> {
    Cow::Owned(text)
}

fn stance<'v>(v: &View<'v>, witness: WitnessKind) -> Option<Cow<'v, str>> {
    word(v.verdict().agreement.of(witness).words())
}

/// The columns that tell of one message of an exchange.
macro_rules! message_columns {
    ($of:ident, $first:literal, $header:literal, $last:literal, $time:literal, $bytes:literal, $digest:literal, $complete:literal) => {
        [
            Column { name: $first, get: Get::Int(|v| Some(v.$of()?.first_frame.0.into())) },
            Column { name: $header, get: Get::Int(|v| Some(v.$of()?.header_frame.0.into())) },
            Column { name: $last, get: Get::Int(|v| Some(v.$of()?.last_frame.0.into())) },
            Column { name: $time, get: Get::Time(|v| Some(v.$of()?.time)) },
            Column { name: $bytes, get: Get::Int(|v| number(v.$of()?.body.decoded_bytes?)) },
            Column { name: $digest, get: Get::Text(|v| v.$of()?.body.sha256.map(|h| owned(hex(&h)))) },
            Column { name: $complete, get: Get::Bool(|v| Some(v.$of()?.complete)) },
        ]
    };
}

/// All columns, in their order.
pub(super) fn columns() -> impl Iterator<Item = &'static Column> {
    IDENTITY.iter().chain(&HTTP).chain(&REQUEST).chain(&RESPONSE).chain(&TLS).chain(&DNS).chain(&VERDICT)
}

static IDENTITY: [Column; 20] = [
    Column { name: "capture_sha256", get: Get::Text(|v| v.sha256.map(Cow::Borrowed)) },
    Column { name: "file", get: Get::Text(|v| Some(Cow::Borrowed(v.file))) },
    Column { name: "file_frame", get: Get::Int(|v| Some(v.file_frame?.0.into())) },
    Column { name: "n", get: Get::Int(|v| Some(v.n.into())) },
    Column {
        name: "kind",
        get: Get::Text(|v| {
            word(match v.exchange().detail {
                Detail::Http(_) => "http",
                Detail::Tls(_) => "tls",
                Detail::Dns(_) => "dns",
            })
        }),
    },
    Column { name: "flow", get: Get::Int(|v| Some(v.exchange().flow.0.into())) },
    Column { name: "first_frame", get: Get::Int(|v| Some(v.exchange().first_frame.0.into())) },
    Column { name: "last_frame", get: Get::Int(|v| Some(v.exchange().last_frame.0.into())) },
    Column { name: "time", get: Get::Time(|v| Some(v.exchange().time)) },
    Column { name: "end_time", get: Get::Time(|v| Some(v.exchange().end_time)) },
    Column {
        name: "transport",
        get: Get::Text(|v| {
            word(match (&v.exchange().detail, v.exchange().transport) {
                (Detail::Tls(tls), _) if tls.transport == TlsTransport::Quic => "quic",
                (Detail::Tls(tls), _) if tls.transport == TlsTransport::Dtls => "dtls",
                (Detail::Dns(dns), _) if dns.over == DnsOver::Tls => "dot",
                (Detail::Dns(dns), _) if dns.over == DnsOver::Https => "doh",
                (Detail::Dns(dns), _) if dns.over == DnsOver::Quic => "doq",
                (_, Transport::Tcp) => "tcp",
                (_, Transport::Udp) => "udp",
            })
        }),
    },
    Column { name: "client_ip", get: Get::Text(|v| known(v.exchange().client).map(|end| owned(end.ip.to_string()))) },
    Column { name: "client_port", get: Get::Int(|v| known(v.exchange().client).map(|end| end.port.into())) },
    Column { name: "server_ip", get: Get::Text(|v| known(v.exchange().server).map(|end| owned(end.ip.to_string()))) },
    Column { name: "server_port", get: Get::Int(|v| known(v.exchange().server).map(|end| end.port.into())) },
    Column {
        name: "host",
        get: Get::Text(|v| match v.place() {
            Some((host, _)) => (!host.is_empty()).then(|| lossy(host)),
            None => sni(v).or_else(|| asked(v)),
        }),
    },
    Column {
        name: "anomalies",
        get: Get::Texts(|v| v.exchange().anomalies.iter().map(|a| a.kind.words().into()).collect()),
    },
    Column { name: "marked", get: Get::Bool(|v| Some(v.note.is_some_and(|note| note.marked))) },
    Column { name: "ignored", get: Get::Bool(|v| Some(v.note.is_some_and(|note| note.ignored))) },
    Column { name: "conversation", get: Get::Int(|v| Some(v.colour?.number().into())) },
];

/// An end whose address is known.
fn known(end: Endpoint) -> Option<Endpoint> {
    end.is_known().then_some(end)
}

static HTTP: [Column; 18] = [
    Column { name: "version", get: Get::Text(|v| v.http()?.version().map(HttpVersion::word).and_then(word)) },
    Column { name: "decrypted", get: Get::Bool(|v| v.tls().is_none().then(|| v.exchange().envelope.is_some())) },
    Column { name: "stream_id", get: Get::Int(|v| number(v.http()?.stream?)) },
    Column { name: "pushed", get: Get::Bool(|v| v.http().map(|http| http.pushed)) },
    Column { name: "grpc", get: Get::Bool(|v| v.http().map(HttpExchange::is_grpc)) },
    Column { name: "method", get: Get::Text(|v| v.request().map(|m| lossy(request_line(m).0))) },
    Column { name: "target", get: Get::Text(|v| v.request().map(|m| lossy(request_line(m).1))) },
    Column {
        name: "target_hex",
        get: Get::Text(|v| {
            let target = request_line(v.request()?).1;
            str::from_utf8(target).is_err().then(|| owned(hex(target)))
        }),
    },
    Column { name: "path", get: Get::Text(|v| v.place().map(|(_, path)| lossy(path))) },
    Column {
        name: "url",
        get: Get::Text(|v| {
            let message = v.request()?;
            let (host, path) = v.place()?;
            let whole = || url(v.exchange().scheme(message), request_line(message), &lossy(host), &lossy(path));
            if host.is_empty() { None } else { whole().map(owned) }
        }),
    },
    Column {
        name: "status",
        get: Get::Int(|v| match v.response()?.start {
            StartLine::Status { code, .. } => Some(code.into()),
            StartLine::Request { .. } => None,
        }),
    },
    Column {
        name: "reason",
        get: Get::Text(|v| match v.response()?.start {
            // HTTP/2 and HTTP/3 have no reason phrase.
            StartLine::Status { reason, .. } if !v.response()?.is_decoded() => {
                Some(lossy(reason.of(&v.response()?.block)))
            }
            StartLine::Status { .. } | StartLine::Request { .. } => None,
        }),
    },
    Column { name: "content_type", get: Get::Text(|v| v.response()?.field("content-type").map(lossy)) },
    Column { name: "websocket_client_messages", get: Get::Int(|v| number(socket(v, 0)?.messages)) },
    Column { name: "websocket_client_payload_bytes", get: Get::Int(|v| number(socket(v, 0)?.bytes)) },
    Column { name: "websocket_server_messages", get: Get::Int(|v| number(socket(v, 1)?.messages)) },
    Column { name: "websocket_server_payload_bytes", get: Get::Int(|v| number(socket(v, 1)?.bytes)) },
    Column { name: "request_content_type", get: Get::Text(|v| v.request()?.field("content-type").map(lossy)) },
];

/// What one side of a WebSocket sent.
fn socket<'v>(v: &'v View<'_>, side: usize) -> Option<&'v WebSocketSide> {
    v.http()?.websocket.as_ref()?.sides.get(side)
}

static REQUEST: [Column; 7] = message_columns!(
    request,
    "request_first_frame",
    "request_header_frame",
    "request_last_frame",
    "request_time",
    "request_body_bytes",
    "request_body_sha256",
    "request_complete"
);

static RESPONSE: [Column; 7] = message_columns!(
    response,
    "response_first_frame",
    "response_header_frame",
    "response_last_frame",
    "response_time",
    "response_body_bytes",
    "response_body_sha256",
    "response_complete"
);

static TLS: [Column; 20] = [
    Column { name: "sni", get: Get::Text(sni) },
    Column {
        name: "alpn",
        get: Get::Texts(|v| {
            v.hello().map_or_else(Vec::new, |h| h.alpn.iter().map(|a| lossy(a.of(&h.block))).collect())
        }),
    },
    Column {
        name: "client_version",
        get: Get::Text(|v| v.hello().filter(|h| h.version > 0).map(|h| owned(tls_version(h.version)))),
    },
    Column { name: "ja3", get: Get::Text(|v| v.hello()?.ja3.map(|digest| owned(hex(&digest)))) },
    Column { name: "ja4", get: Get::Text(|v| v.hello().map(|h| Cow::Borrowed(h.ja4.as_ref()))) },
    Column { name: "ech", get: Get::Bool(|v| v.hello().map(|h| h.ech)) },
    Column {
        name: "server_version",
        get: Get::Text(|v| v.tls()?.server_hello.as_ref().map(|h| owned(tls_version(h.version)))),
    },
    Column {
        name: "cipher",
        get: Get::Text(|v| v.tls()?.server_hello.as_ref().map(|h| owned(format!("0x{:04x}", h.cipher)))),
    },
    Column { name: "server_alpn", get: Get::Text(|v| v.tls()?.server_hello.as_ref()?.alpn.as_deref().map(lossy)) },
    Column { name: "quic_version", get: Get::Text(|v| v.tls()?.quic.as_ref().map(|q| owned(q.version.word()))) },
    Column { name: "opened", get: Get::Bool(|v| v.tls().map(|tls| tls.decryption.is_opened())) },
    Column { name: "client_bytes", get: Get::Int(|v| number(v.tls()?.bytes[0])) },
    Column { name: "server_bytes", get: Get::Int(|v| number(v.tls()?.bytes[1])) },
    Column { name: "certificate_sha256", get: Get::Text(|v| v.certificate().map(|c| owned(hex(&c.sha256)))) },
    Column {
        name: "certificate_subject_cn",
        get: Get::Text(|v| v.certificate()?.subject_cn.as_deref().map(Cow::Borrowed)),
    },
    Column {
        name: "certificate_san",
        get: Get::Texts(|v| {
            v.certificate().map_or_else(Vec::new, |c| c.names.iter().map(|n| n.as_str().into()).collect())
        }),
    },
    Column {
        name: "certificate_issuer_cn",
        get: Get::Text(|v| v.certificate()?.issuer_cn.as_deref().map(Cow::Borrowed)),
    },
    Column {
        name: "certificate_issuer_org",
        get: Get::Text(|v| v.certificate()?.issuer_org.as_deref().map(Cow::Borrowed)),
    },
    Column { name: "certificate_not_before", get: Get::Time(|v| v.certificate().map(|c| c.not_before)) },
    Column { name: "certificate_not_after", get: Get::Time(|v| v.certificate().map(|c| c.not_after)) },
];

static DNS: [Column; 9] = [
    Column { name: "mdns", get: Get::Bool(|v| v.dns().map(|dns| dns.kind == DnsKind::Mdns)) },
    Column { name: "llmnr", get: Get::Bool(|v| v.dns().map(|dns| dns.kind == DnsKind::Llmnr)) },
    Column { name: "query_name", get: Get::Text(asked) },
    Column { name: "query_type", get: Get::Text(|v| v.dns()?.questions.first().map(|q| type_name(q.qtype))) },
    Column { name: "rcode", get: Get::Int(|v| v.dns()?.response.as_ref().map(|r| r.rcode.into())) },
    Column {
        name: "answer_names",
        get: Get::Texts(|v| answers(v).map(|answer| Cow::Borrowed(answer.name.as_str())).collect()),
    },
    Column { name: "answer_types", get: Get::Texts(|v| answers(v).map(|answer| type_name(answer.rtype)).collect()) },
    Column {
        name: "answer_values",
        get: Get::Texts(|v| answers(v).map(|answer| Cow::Borrowed(answer.value.as_str())).collect()),
    },
    Column {
        name: "cname_chain",
        get: Get::Texts(|v| v.chain.iter().map(|name| Cow::Borrowed(name.as_str())).collect()),
    },
];

fn answers<'v>(v: &'v View<'_>) -> impl Iterator<Item = &'v crate::model::DnsRecord> {
    v.dns().into_iter().flat_map(|dns| &dns.response).flat_map(|response| &response.answers)
}

fn operator(v: &View<'_>) -> Option<&'static crate::evidence::Provider> {
    pack().providers.get(usize::from(v.verdict().operator?.value.0))
}

fn product(v: &View<'_>) -> Option<&'static crate::evidence::Service> {
    pack().services.get(usize::from(v.verdict().product?.value))
}

static VERDICT: [Column; 31] = [
    Column { name: "operator", get: Get::Text(|v| operator(v).and_then(|o| word(o.name))) },
    Column { name: "operator_id", get: Get::Text(|v| operator(v).and_then(|o| word(o.id))) },
    Column { name: "operator_grade", get: Get::Text(|v| v.verdict().operator.and_then(|o| word(o.grade.word()))) },
    Column { name: "product", get: Get::Text(|v| product(v).and_then(|p| word(p.name))) },
    Column { name: "product_id", get: Get::Text(|v| product(v).and_then(|p| word(p.id))) },
    Column { name: "product_grade", get: Get::Text(|v| v.verdict().product.and_then(|p| word(p.grade.word()))) },
    Column { name: "role", get: Get::Text(|v| v.verdict().role.and_then(|r| word(r.value))) },
    Column { name: "role_grade", get: Get::Text(|v| v.verdict().role.and_then(|r| word(r.grade.word()))) },
    Column { name: "tenant", get: Get::Text(|v| v.verdict().tenant.as_ref().map(|t| t.value.name.as_str().into())) },
    Column {
        name: "first_party",
        get: Get::Text(|v| v.verdict().tenant.as_ref()?.value.first_party.as_deref().map(Cow::Borrowed)),
    },
    Column { name: "tenant_grade", get: Get::Text(|v| v.verdict().tenant.as_ref().and_then(|t| word(t.grade.word()))) },
    Column { name: "grade", get: Get::Text(|v| v.verdict().grade.map(Grade::word).and_then(word)) },
    Column { name: "conflict", get: Get::Bool(|v| Some(v.verdict().conflict)) },
    Column { name: "agreement_name", get: Get::Text(|v| stance(v, WitnessKind::Name)) },
    Column { name: "agreement_cname", get: Get::Text(|v| stance(v, WitnessKind::Cname)) },
    Column { name: "agreement_address", get: Get::Text(|v| stance(v, WitnessKind::Address)) },
    Column { name: "agreement_certificate", get: Get::Text(|v| stance(v, WitnessKind::Certificate)) },
    Column { name: "agreement_sni_and_host", get: Get::Text(|v| stance(v, WitnessKind::Names)) },
    Column { name: "agreement_headers", get: Get::Text(|v| stance(v, WitnessKind::Headers)) },
    Column {
        name: "looked_up_n",
        get: Get::Int(|v| v.numbers.of(RowId(v.verdict().looked_up.as_ref()?.lookup.0)).map(i64::from)),
    },
    Column {
        name: "handed_out_by_n",
        get: Get::Int(|v| v.numbers.of_giver(v.verdict().handed_out.as_ref()?.giver).map(i64::from)),
    },
    Column {
        name: "handed_out_by_host",
        get: Get::Text(|v| v.verdict().handed_out.as_ref().map(|h| lossy(h.host.as_bytes()))),
    },
    Column { name: "handed_out_by_frame", get: Get::Int(|v| Some(v.verdict().handed_out.as_ref()?.frame.0.into())) },
    Column {
        name: "first_write_n",
        get: Get::Int(|v| v.numbers.of(RowId(v.verdict().first_write?.upload.0)).map(i64::from)),
    },
    Column { name: "hypotheses_open", get: Get::Texts(|v| v.with(|s| s == Standing::Open)) },
    Column { name: "hypotheses_not_open", get: Get::Texts(|v| v.with(|s| s != Standing::Open)) },
    Column {
        name: "evidence_signatures",
        get: Get::Texts(|v| {
            let id = |n: u16| pack().signatures.get(usize::from(n)).map_or("", |s| s.id);
            v.record.ledger.iter().map(|e| id(e.signature).into()).collect()
        }),
    },
    Column {
        name: "evidence_groups",
        get: Get::Texts(|v| v.record.ledger.iter().map(|e| e.group.words().into()).collect()),
    },
    Column {
        name: "evidence_frames",
        get: Get::Ints(|v| v.record.ledger.iter().map(|e| e.place.frames.first().map_or(0, |f| f.0.into())).collect()),
    },
    Column { name: "evidence_texts", get: Get::Texts(|v| v.record.ledger.iter().map(|e| lossy(&e.text)).collect()) },
    Column {
        name: "cannot_show",
        get: Get::Texts(|v| v.verdict().cannot_show.iter().map(|words| (*words).into()).collect()),
    },
];
