//! The columns of a table of rows: what each is called, of which type it is, and how a record fills it.
//!
//! Comes in: one record. Goes out: one value a column, or none. The names are those of the JSON lines wherever both have the
//! thing; a change of name or meaning changes [`ROWS_SCHEMA`].

use std::borrow::Cow;
use std::fmt::Write as _;

use super::csv::COLUMNS as CSV;
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
    /// What it holds, for who reads the table.
    pub(super) what: &'static str,
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

/// What is known of a row beside its record.
pub(super) struct Said<'a> {
    pub(super) n: u32,
    pub(super) note: Option<&'a Note>,
    pub(super) colour: Option<FlowColour>,
    pub(super) comment: Cow<'a, str>,
    pub(super) process: Cow<'a, str>,
}

impl Get {
    /// The type, as DuckDB calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Text(_) => "VARCHAR",
            Self::Int(_) => "BIGINT",
            Self::Time(_) => "TIMESTAMPTZ_NS",
            Self::Bool(_) => "BOOLEAN",
            Self::Texts(_) => "VARCHAR[]",
            Self::Ints(_) => "BIGINT[]",
        }
    }
}

/// What the columns of CSV and Parquet hold, in Markdown: for who reads such files.
pub fn columns_text() -> String {
    let mut out = format!(
        "# Columns of rows\n\nMade from the program (`nephoscope write-manual`): it stays true.\n\n\
         ## Parquet (`{ROWS_SCHEMA}`)\n\nA value that is not known is null; lists are never null. Times are UTC.\n\n\
         | Column | Type | What it holds |\n|---|---|---|\n"
    );
    for column in columns() {
        let _infallible = writeln!(out, "| `{}` | {} | {} |", column.name, column.get.word(), column.what);
    }
    out.push_str(
        "\n## CSV\n\nRFC 4180, UTF-8, one header line; a cell that a spreadsheet would run begins with an apostrophe. \
         Rows of merged files have `file` and `file_frame` behind these, and header lines that are columns of the list \
         follow as `request.NAME` and `response.NAME`.\n\n| Column | What it holds |\n|---|---|\n",
    );
    for (name, what) in CSV {
        let _infallible = writeln!(out, "| `{name}` | {what} |");
    }
    out
}

/// One record as the columns see it.
pub(super) struct View<'a> {
    n: u32,
    note: Option<&'a Note>,
    comment: Cow<'a, str>,
    process: Cow<'a, str>,
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
        Said { n, note, colour, comment, process }: Said<'a>,
        record: &'a Record,
        (file, sha256, file_frame): (&'a str, Option<&'a str>, Option<FrameNo>),
        chain: Vec<String>,
        numbers: &'a Numbers,
    ) -> Self {
        let readings = hypotheses(&record.exchange, &record.ledger, &record.verdict);
        let readings = readings.into_iter().map(|h| (h.alternative.id(), h.standing)).collect();
        Self { n, note, comment, process, colour, record, numbers, file, sha256, file_frame, chain, readings }
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
    ($of:ident, $word:literal) => {
        [
            Column {
                name: concat!($word, "_first_frame"),
                what: concat!("Where the ", $word, " begins"),
                get: Get::Int(|v| Some(v.$of()?.first_frame.0.into())),
            },
            Column {
                name: concat!($word, "_header_frame"),
                what: "Where its header block is complete",
                get: Get::Int(|v| Some(v.$of()?.header_frame.0.into())),
            },
            Column {
                name: concat!($word, "_last_frame"),
                what: "Where it is complete",
                get: Get::Int(|v| Some(v.$of()?.last_frame.0.into())),
            },
            Column {
                name: concat!($word, "_time"),
                what: "When its first byte was captured",
                get: Get::Time(|v| Some(v.$of()?.time)),
            },
            Column {
                name: concat!($word, "_body_bytes"),
                what: "Bytes of its body, de-chunked and decoded",
                get: Get::Int(|v| number(v.$of()?.body.decoded_bytes?)),
            },
            Column {
                name: concat!($word, "_body_sha256"),
                what: "SHA-256 of these",
                get: Get::Text(|v| v.$of()?.body.sha256.map(|h| owned(hex(&h)))),
            },
            Column {
                name: concat!($word, "_complete"),
                what: "Whether all of it is there",
                get: Get::Bool(|v| Some(v.$of()?.complete)),
            },
        ]
    };
}

/// All columns, in their order.
pub(super) fn columns() -> impl Iterator<Item = &'static Column> {
    IDENTITY.iter().chain(&HTTP).chain(&REQUEST).chain(&RESPONSE).chain(&TLS).chain(&DNS).chain(&VERDICT)
}

static IDENTITY: [Column; 22] = [
    Column {
        name: "capture_sha256",
        what: "SHA-256 of the capture; of merged ones, of the file that the row begins in",
        get: Get::Text(|v| v.sha256.map(Cow::Borrowed)),
    },
    Column { name: "file", what: "Its name", get: Get::Text(|v| Some(Cow::Borrowed(v.file))) },
    Column {
        name: "file_frame",
        what: "The number in its own file of a row's first frame; only of merged files",
        get: Get::Int(|v| Some(v.file_frame?.0.into())),
    },
    Column {
        name: "n",
        what: "The row's number, from 1; with `capture_sha256` it names a row for good",
        get: Get::Int(|v| Some(v.n.into())),
    },
    Column {
        name: "kind",
        what: "`http`, `tls` or `dns`",
        get: Get::Text(|v| {
            word(match v.exchange().detail {
                Detail::Http(_) => "http",
                Detail::Tls(_) => "tls",
                Detail::Dns(_) => "dns",
            })
        }),
    },
    Column {
        name: "flow",
        what: "The connection's number, from 0",
        get: Get::Int(|v| Some(v.exchange().flow.0.into())),
    },
    Column {
        name: "first_frame",
        what: "The frame of the first byte, as Wireshark numbers them",
        get: Get::Int(|v| Some(v.exchange().first_frame.0.into())),
    },
    Column {
        name: "last_frame",
        what: "The frame of the last byte",
        get: Get::Int(|v| Some(v.exchange().last_frame.0.into())),
    },
    Column { name: "time", what: "When the first byte was captured", get: Get::Time(|v| Some(v.exchange().time)) },
    Column {
        name: "end_time",
        what: "When the last byte was captured",
        get: Get::Time(|v| Some(v.exchange().end_time)),
    },
    Column {
        name: "transport",
        what: "`tcp`, `udp`, `quic`, `dtls`, `dot`, `doh` or `doq`",
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
    Column {
        name: "client_ip",
        what: "The client's address",
        get: Get::Text(|v| known(v.exchange().client).map(|end| owned(end.ip.to_string()))),
    },
    Column {
        name: "client_port",
        what: "Its port",
        get: Get::Int(|v| known(v.exchange().client).map(|end| end.port.into())),
    },
    Column {
        name: "server_ip",
        what: "The server's address",
        get: Get::Text(|v| known(v.exchange().server).map(|end| owned(end.ip.to_string()))),
    },
    Column {
        name: "server_port",
        what: "Its port",
        get: Get::Int(|v| known(v.exchange().server).map(|end| end.port.into())),
    },
    Column {
        name: "host",
        what: "Host or authority of the request, SNI of a session, name of a lookup",
        get: Get::Text(|v| match v.place() {
            Some((host, _)) => (!host.is_empty()).then(|| lossy(host)),
            None => sni(v).or_else(|| asked(v)),
        }),
    },
    Column {
        name: "anomalies",
        what: "What is odd about the row, in words",
        get: Get::Texts(|v| v.exchange().anomalies.iter().map(|a| a.kind.words().into()).collect()),
    },
    Column {
        name: "marked",
        what: "Whether the user marked it",
        get: Get::Bool(|v| Some(v.note.is_some_and(|note| note.marked))),
    },
    Column {
        name: "ignored",
        what: "Whether the user ignores it",
        get: Get::Bool(|v| Some(v.note.is_some_and(|note| note.ignored))),
    },
    Column {
        name: "conversation",
        what: "The number of its connection's colour, 1 to 10",
        get: Get::Int(|v| Some(v.colour?.number().into())),
    },
    Column { name: "comment", what: "What the user says of it", get: Get::Text(|v| said(&v.comment)) },
    Column {
        name: "process",
        what: "The program that had the connection, in live captures",
        get: Get::Text(|v| said(&v.process)),
    },
];

fn said(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

/// An end whose address is known.
fn known(end: Endpoint) -> Option<Endpoint> {
    end.is_known().then_some(end)
}

static HTTP: [Column; 18] = [
    Column {
        name: "version",
        what: "HTTP version: `0.9`, `1.0`, `1.1`, `2` or `3`",
        get: Get::Text(|v| v.http()?.version().map(HttpVersion::word).and_then(word)),
    },
    Column {
        name: "decrypted",
        what: "Whether it was read with keys",
        get: Get::Bool(|v| v.tls().is_none().then(|| v.exchange().envelope.is_some())),
    },
    Column { name: "stream_id", what: "Stream of HTTP/2 or HTTP/3", get: Get::Int(|v| number(v.http()?.stream?)) },
    Column {
        name: "pushed",
        what: "Whether the server began it (RFC 9113 section 8.4)",
        get: Get::Bool(|v| v.http().map(|http| http.pushed)),
    },
    Column { name: "grpc", what: "Whether it is a gRPC call", get: Get::Bool(|v| v.http().map(HttpExchange::is_grpc)) },
    Column {
        name: "method",
        what: "The request's method",
        get: Get::Text(|v| v.request().map(|m| lossy(request_line(m).0))),
    },
    Column {
        name: "target",
        what: "The request's target as it was sent",
        get: Get::Text(|v| v.request().map(|m| lossy(request_line(m).1))),
    },
    Column {
        name: "target_hex",
        what: "Its bytes, where they are not UTF-8",
        get: Get::Text(|v| {
            let target = request_line(v.request()?).1;
            str::from_utf8(target).is_err().then(|| owned(hex(target)))
        }),
    },
    Column { name: "path", what: "Path and query", get: Get::Text(|v| v.place().map(|(_, path)| lossy(path))) },
    Column {
        name: "url",
        what: "The whole URL, with its tokens",
        get: Get::Text(|v| {
            let message = v.request()?;
            let (host, path) = v.place()?;
            let whole = || url(v.exchange().scheme(message), request_line(message), &lossy(host), &lossy(path));
            if host.is_empty() { None } else { whole().map(owned) }
        }),
    },
    Column {
        name: "status",
        what: "Status code",
        get: Get::Int(|v| match v.response()?.start {
            StartLine::Status { code, .. } => Some(code.into()),
            StartLine::Request { .. } => None,
        }),
    },
    Column {
        name: "reason",
        what: "Reason phrase of HTTP/1",
        get: Get::Text(|v| match v.response()?.start {
            // HTTP/2 and HTTP/3 have no reason phrase.
            StartLine::Status { reason, .. } if !v.response()?.is_decoded() => {
                Some(lossy(reason.of(&v.response()?.block)))
            }
            StartLine::Status { .. } | StartLine::Request { .. } => None,
        }),
    },
    Column {
        name: "content_type",
        what: "Content-Type of the response",
        get: Get::Text(|v| v.response()?.field("content-type").map(lossy)),
    },
    Column {
        name: "websocket_client_messages",
        what: "Messages that the client sent over the WebSocket",
        get: Get::Int(|v| number(socket(v, 0)?.messages)),
    },
    Column {
        name: "websocket_client_payload_bytes",
        what: "Bytes of their payload",
        get: Get::Int(|v| number(socket(v, 0)?.bytes)),
    },
    Column {
        name: "websocket_server_messages",
        what: "Messages that the server sent",
        get: Get::Int(|v| number(socket(v, 1)?.messages)),
    },
    Column {
        name: "websocket_server_payload_bytes",
        what: "Bytes of their payload",
        get: Get::Int(|v| number(socket(v, 1)?.bytes)),
    },
    Column {
        name: "request_content_type",
        what: "Content-Type of the request",
        get: Get::Text(|v| v.request()?.field("content-type").map(lossy)),
    },
];

/// What one side of a WebSocket sent.
fn socket<'v>(v: &'v View<'_>, side: usize) -> Option<&'v WebSocketSide> {
    v.http()?.websocket.as_ref()?.sides.get(side)
}

static REQUEST: [Column; 7] = message_columns!(request, "request");

static RESPONSE: [Column; 7] = message_columns!(response, "response");

static TLS: [Column; 20] = [
    Column { name: "sni", what: "Server name of the ClientHello (RFC 6066 section 3)", get: Get::Text(sni) },
    Column {
        name: "alpn",
        what: "Protocols that the client offers (RFC 7301)",
        get: Get::Texts(|v| {
            v.hello().map_or_else(Vec::new, |h| h.alpn.iter().map(|a| lossy(a.of(&h.block))).collect())
        }),
    },
    Column {
        name: "client_version",
        what: "The highest TLS version that the client offers",
        get: Get::Text(|v| v.hello().filter(|h| h.version > 0).map(|h| owned(tls_version(h.version)))),
    },
    Column {
        name: "ja3",
        what: "JA3 of the ClientHello",
        get: Get::Text(|v| v.hello()?.ja3.map(|digest| owned(hex(&digest)))),
    },
    Column {
        name: "ja4",
        what: "JA4 of the ClientHello",
        get: Get::Text(|v| v.hello().map(|h| Cow::Borrowed(h.ja4.as_ref()))),
    },
    Column {
        name: "ech",
        what: "Whether an Encrypted ClientHello is offered",
        get: Get::Bool(|v| v.hello().map(|h| h.ech)),
    },
    Column {
        name: "server_version",
        what: "The TLS version that was chosen",
        get: Get::Text(|v| v.tls()?.server_hello.as_ref().map(|h| owned(tls_version(h.version)))),
    },
    Column {
        name: "cipher",
        what: "The cipher suite that was chosen, by its IANA number",
        get: Get::Text(|v| v.tls()?.server_hello.as_ref().map(|h| owned(format!("0x{:04x}", h.cipher)))),
    },
    Column {
        name: "server_alpn",
        what: "The protocol that was chosen",
        get: Get::Text(|v| v.tls()?.server_hello.as_ref()?.alpn.as_deref().map(lossy)),
    },
    Column {
        name: "quic_version",
        what: "QUIC version",
        get: Get::Text(|v| v.tls()?.quic.as_ref().map(|q| owned(q.version.word()))),
    },
    Column {
        name: "opened",
        what: "Whether keys opened the session",
        get: Get::Bool(|v| v.tls().map(|tls| tls.decryption.is_opened())),
    },
    Column {
        name: "client_bytes",
        what: "Bytes that the client sent in the session",
        get: Get::Int(|v| number(v.tls()?.bytes[0])),
    },
    Column { name: "server_bytes", what: "Bytes that the server sent", get: Get::Int(|v| number(v.tls()?.bytes[1])) },
    Column {
        name: "certificate_sha256",
        what: "SHA-256 of the server's own certificate",
        get: Get::Text(|v| v.certificate().map(|c| owned(hex(&c.sha256)))),
    },
    Column {
        name: "certificate_subject_cn",
        what: "Its subject's common name",
        get: Get::Text(|v| v.certificate()?.subject_cn.as_deref().map(Cow::Borrowed)),
    },
    Column {
        name: "certificate_san",
        what: "Its subject alternative names",
        get: Get::Texts(|v| {
            v.certificate().map_or_else(Vec::new, |c| c.names.iter().map(|n| n.as_str().into()).collect())
        }),
    },
    Column {
        name: "certificate_issuer_cn",
        what: "Its issuer's common name",
        get: Get::Text(|v| v.certificate()?.issuer_cn.as_deref().map(Cow::Borrowed)),
    },
    Column {
        name: "certificate_issuer_org",
        what: "Its issuer's organization",
        get: Get::Text(|v| v.certificate()?.issuer_org.as_deref().map(Cow::Borrowed)),
    },
    Column {
        name: "certificate_not_before",
        what: "Since when it is valid",
        get: Get::Time(|v| v.certificate().map(|c| c.not_before)),
    },
    Column {
        name: "certificate_not_after",
        what: "Until when",
        get: Get::Time(|v| v.certificate().map(|c| c.not_after)),
    },
];

static DNS: [Column; 9] = [
    Column {
        name: "mdns",
        what: "Whether the lookup is multicast DNS (RFC 6762)",
        get: Get::Bool(|v| v.dns().map(|dns| dns.kind == DnsKind::Mdns)),
    },
    Column {
        name: "llmnr",
        what: "Whether it is LLMNR (RFC 4795)",
        get: Get::Bool(|v| v.dns().map(|dns| dns.kind == DnsKind::Llmnr)),
    },
    Column { name: "query_name", what: "The name that was asked for", get: Get::Text(asked) },
    Column {
        name: "query_type",
        what: "The type of record that was asked for",
        get: Get::Text(|v| v.dns()?.questions.first().map(|q| type_name(q.qtype))),
    },
    Column {
        name: "rcode",
        what: "Response code (RFC 1035 section 4.1.1)",
        get: Get::Int(|v| v.dns()?.response.as_ref().map(|r| r.rcode.into())),
    },
    Column {
        name: "answer_names",
        what: "Names of the answers",
        get: Get::Texts(|v| answers(v).map(|answer| Cow::Borrowed(answer.name.as_str())).collect()),
    },
    Column {
        name: "answer_types",
        what: "Their types",
        get: Get::Texts(|v| answers(v).map(|answer| type_name(answer.rtype)).collect()),
    },
    Column {
        name: "answer_values",
        what: "Their values",
        get: Get::Texts(|v| answers(v).map(|answer| Cow::Borrowed(answer.value.as_str())).collect()),
    },
    Column {
        name: "cname_chain",
        what: "Names that the lookup led through; of other rows, that of the lookup before the connection",
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
    Column {
        name: "operator",
        what: "Whose machine answered",
        get: Get::Text(|v| operator(v).and_then(|o| word(o.name))),
    },
    Column {
        name: "operator_id",
        what: "The same by its name in the signature pack",
        get: Get::Text(|v| operator(v).and_then(|o| word(o.id))),
    },
    Column {
        name: "operator_grade",
        what: "How sure that is: `contradicted`, `name only`, `suggests`, `supports` or `conclusive`",
        get: Get::Text(|v| v.verdict().operator.and_then(|o| word(o.grade.word()))),
    },
    Column {
        name: "product",
        what: "Which of the operator's services",
        get: Get::Text(|v| product(v).and_then(|p| word(p.name))),
    },
    Column {
        name: "product_id",
        what: "The same by its name in the signature pack",
        get: Get::Text(|v| product(v).and_then(|p| word(p.id))),
    },
    Column {
        name: "product_grade",
        what: "How sure that is",
        get: Get::Text(|v| v.verdict().product.and_then(|p| word(p.grade.word()))),
    },
    Column {
        name: "role",
        what: "What the machine that answered is there for",
        get: Get::Text(|v| v.verdict().role.and_then(|r| word(r.value))),
    },
    Column {
        name: "role_grade",
        what: "How sure that is",
        get: Get::Text(|v| v.verdict().role.and_then(|r| word(r.grade.word()))),
    },
    Column {
        name: "tenant",
        what: "Whose account, bucket or distribution it is",
        get: Get::Text(|v| v.verdict().tenant.as_ref().map(|t| t.value.name.as_str().into())),
    },
    Column {
        name: "first_party",
        what: "Registrable domain of the first party that it serves",
        get: Get::Text(|v| v.verdict().tenant.as_ref()?.value.first_party.as_deref().map(Cow::Borrowed)),
    },
    Column {
        name: "tenant_grade",
        what: "How sure that is",
        get: Get::Text(|v| v.verdict().tenant.as_ref().and_then(|t| word(t.grade.word()))),
    },
    Column {
        name: "grade",
        what: "The verdict's grade",
        get: Get::Text(|v| v.verdict().grade.map(Grade::word).and_then(word)),
    },
    Column { name: "conflict", what: "Whether witnesses disagree", get: Get::Bool(|v| Some(v.verdict().conflict)) },
    Column {
        name: "agreement_name",
        what: "What the name says of the operator: agrees, conflicts, silent, not observable",
        get: Get::Text(|v| stance(v, WitnessKind::Name)),
    },
    Column {
        name: "agreement_cname",
        what: "What the CNAME chain says",
        get: Get::Text(|v| stance(v, WitnessKind::Cname)),
    },
    Column {
        name: "agreement_address",
        what: "What the address says",
        get: Get::Text(|v| stance(v, WitnessKind::Address)),
    },
    Column {
        name: "agreement_certificate",
        what: "What the certificate says",
        get: Get::Text(|v| stance(v, WitnessKind::Certificate)),
    },
    Column {
        name: "agreement_sni_and_host",
        what: "What SNI and Host say of each other",
        get: Get::Text(|v| stance(v, WitnessKind::Names)),
    },
    Column {
        name: "agreement_headers",
        what: "What the headers say",
        get: Get::Text(|v| stance(v, WitnessKind::Headers)),
    },
    Column {
        name: "looked_up_n",
        what: "The row of the lookup before the connection",
        get: Get::Int(|v| v.numbers.of(RowId(v.verdict().looked_up.as_ref()?.lookup.0)).map(i64::from)),
    },
    Column {
        name: "handed_out_by_n",
        what: "The row of the response that gave the client this URL",
        get: Get::Int(|v| v.numbers.of_giver(v.verdict().handed_out.as_ref()?.giver).map(i64::from)),
    },
    Column {
        name: "handed_out_by_host",
        what: "The host of that",
        get: Get::Text(|v| v.verdict().handed_out.as_ref().map(|h| lossy(h.host.as_bytes()))),
    },
    Column {
        name: "handed_out_by_frame",
        what: "The frame where the URL stands there",
        get: Get::Int(|v| Some(v.verdict().handed_out.as_ref()?.frame.0.into())),
    },
    Column {
        name: "first_write_n",
        what: "The row of the upload that wrote these bytes",
        get: Get::Int(|v| v.numbers.of(RowId(v.verdict().first_write?.upload.0)).map(i64::from)),
    },
    Column {
        name: "hypotheses_open",
        what: "Alternatives that nothing speaks against, by their ids",
        get: Get::Texts(|v| v.with(|s| s == Standing::Open)),
    },
    Column {
        name: "hypotheses_not_open",
        what: "Alternatives that are weakened or ruled out",
        get: Get::Texts(|v| v.with(|s| s != Standing::Open)),
    },
    Column {
        name: "evidence_signatures",
        what: "Signatures of the ledger's lines, in its order, as the three lists after it",
        get: Get::Texts(|v| {
            let id = |n: u16| pack().signatures.get(usize::from(n)).map_or("", |s| s.id);
            v.record.ledger.iter().map(|e| id(e.signature).into()).collect()
        }),
    },
    Column {
        name: "evidence_groups",
        what: "Their groups of evidence",
        get: Get::Texts(|v| v.record.ledger.iter().map(|e| e.group.words().into()).collect()),
    },
    Column {
        name: "evidence_frames",
        what: "The frames where they stand",
        get: Get::Ints(|v| v.record.ledger.iter().map(|e| e.place.frames.first().map_or(0, |f| f.0.into())).collect()),
    },
    Column {
        name: "evidence_texts",
        what: "What stands there",
        get: Get::Texts(|v| v.record.ledger.iter().map(|e| lossy(&e.text)).collect()),
    },
    Column {
        name: "cannot_show",
        what: "What this capture cannot show of the row, in words",
        get: Get::Texts(|v| v.verdict().cannot_show.iter().map(|words| (*words).into()).collect()),
    },
];
