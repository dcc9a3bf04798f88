//! An exchange: one row of the list, made of messages whose every byte can be found again in the capture.

use std::borrow::Cow;
use std::sync::Arc;

use super::{
    ByteRange, Endpoint, FlowId, FrameNo, Grade, Limit, Proxied, Stapled, Timestamp, Transport, Trust, WebSocket,
};

/// One row of the list: an HTTP request with its response, a TLS session whose content stays sealed, or a DNS lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The flow it belongs to.
    pub flow: FlowId,
    /// Its place among the exchanges of that flow, from 0, in the order in which they opened.
    pub ordinal: u32,
    /// The client's endpoint.
    pub client: Endpoint,
    /// The server's endpoint.
    pub server: Endpoint,
    /// TCP or UDP.
    pub transport: Transport,
    /// The frame of its first byte.
    pub first_frame: FrameNo,
    /// The frame that completed it (or the last one that belongs to it).
    pub last_frame: FrameNo,
    /// When the first frame was captured.
    pub time: Timestamp,
    /// When the last frame was captured.
    pub end_time: Timestamp,
    /// The TLS session that it was read from with keys; `None` where it was not encrypted.
    pub envelope: Option<Arc<Envelope>>,
    /// The proxy that the connection went through, where it said so in the clear.
    pub proxied: Option<Arc<Proxied>>,
    /// Where it is told in a HAR file. Then nothing of it was seen on the wire: its frame is the entry's number, its client is
    /// not known, and its heads are made of what the entry says.
    pub reported: Option<Reported>,
    /// What was exchanged.
    pub detail: Detail,
    /// Odd things met on the way, with their places.
    pub anomalies: Vec<Anomaly>,
}

/// Where a HAR file tells of an exchange. Offsets are those of the unpacked file, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The entry's first byte.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Where its server's address stands; that of the entry where it names none.
    pub address_offset: u64,
}

/// What the TLS session around a decrypted exchange says: who holds the key, and for which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What carries the session.
    pub transport: TlsTransport,
    /// The server name that the client sent.
    pub name: Option<EnvelopeName>,
    /// The server's own certificate.
    pub certificate: Option<Arc<Certificate>>,
    /// Frame at which the server's chain was complete.
    pub certificate_frame: Option<FrameNo>,
    /// How the server's chain stands; `None` where none was seen.
    pub trust: Option<Arc<Trust>>,
}

/// A server name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeName {
    /// As it stands.
    pub text: Box<[u8]>,
    /// Where in the ClientHello.
    pub range: ByteRange,
    /// The frames that carried it.
    pub frames: Vec<FrameNo>,
    /// Offset in the stream of the side that sent it.
    pub offset: u64,
}

impl Exchange {
    /// How the server's chain stands, of the session or of the one around it; `None` where no chain was seen.
    pub fn trust(&self) -> Option<&Trust> {
        match (&self.detail, &self.envelope) {
            (Detail::Tls(tls), _) => tls.trust.as_deref(),
            (_, Some(envelope)) => envelope.trust.as_deref(),
            (_, None) => None,
        }
    }

    /// The scheme of what one of its requests asks for (RFC 9110 section 4.2): inside TLS it is `https`.
    pub fn scheme(&self, request: &HttpMessage) -> &'static str {
        if self.envelope.is_some() { "https" } else { request.scheme() }
    }

    /// What the next grade would take; `None` where there is none, or where witnesses disagree.
    pub fn lacks(&self, grade: Grade) -> Option<&'static str> {
        match grade {
            Grade::Suggests if self.reported.is_some() => {
                Some("A HAR file can do no more than suggest: supported would take a capture of the packets")
            }
            grade => grade.lacks(),
        }
    }

    /// What its numbers count: `frame`, or `entry` of a HAR file.
    pub fn unit(&self) -> &'static str {
        if self.reported.is_some() { "entry" } else { "frame" }
    }
}

/// What kind of exchange, with its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// HTTP of any version.
    Http(Box<HttpExchange>),
    /// A TLS session.
    Tls(Box<TlsSession>),
    /// A DNS lookup.
    Dns(Box<DnsLookup>),
}

/// Something odd in the traffic: data, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What.
    pub kind: AnomalyKind,
    /// The frame it was noticed at.
    pub frame: FrameNo,
    /// Offset in the stream (or payload) where it begins.
    pub offset: u64,
    /// How many bytes it concerns; 0 where that means nothing.
    pub len: u64,
}

/// Kinds of odd things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnomalyKind {
    /// Bytes that the capture lacks.
    Gap,
    /// The flow's first frames are not in the capture.
    MissingStart,
    /// The same stream bytes came twice with different content; the first ones are used.
    ConflictingOverlap,
    /// A header field folded over lines (obsolete, RFC 9112 section 5.2).
    FoldedField,
    /// A line ended by LF alone.
    BareLineFeed,
    /// White space between a field's name and its colon (RFC 9112 section 5.1).
    SpaceBeforeColon,
    /// A line that is no header field.
    BadFieldLine,
    /// Content-Length and Transfer-Encoding together (RFC 9112 section 6.1).
    LengthAndChunked,
    /// Several Content-Length values that differ.
    ConflictingLengths,
    /// A length or chunk size that is no number.
    BadLength,
    /// A body whose content coding could not be undone, or was stopped at a limit.
    BodyNotDecoded,
    /// A message cut by the end of the flow or of the capture.
    CutShort,
    /// A response without a request before it.
    Unasked,
    /// A DNS message that breaks its own counts or pointers.
    BadDns,
    /// A TLS message or extension that does not parse.
    BadTls,
    /// A header field whose name or value stands in a compression table that the capture lacks.
    FieldLost,
    /// A field section that does not decode (RFC 7541, RFC 9204).
    BadFieldSection,
    /// A field name or value with bytes that none may have (RFC 9113 section 8.2.1).
    BadField,
    /// A pseudo-header field that is missing, repeated, unknown or out of its place (RFC 9113 section 8.3).
    BadPseudoField,
    /// A frame that breaks its type's rules (RFC 9113 section 6, RFC 9114 section 7).
    BadFrame,
    /// A stream broken off by one side (RFC 9113 section 6.4), or refused.
    StreamReset,
    /// A body of another length than Content-Length says (RFC 9113 section 8.1.1).
    LengthDiffers,
    /// A QUIC packet that authenticates but breaks its own form.
    BadQuic,
    /// A QUIC client went on from another address or port, as its connection id tells (RFC 9000 section 9).
    Moved,
    /// A TLS record or a QUIC packet that could not be authenticated; nothing of it is shown.
    NotAuthentic,
    /// Early data that the server refused (RFC 8446 section 4.2.10): it was sent, and nobody took it.
    EarlyDataRefused,
    /// A frame of a WebSocket that breaks the rules (RFC 6455 section 5).
    BadWebSocket,
    /// The answer to a WebSocket's handshake does not prove that it was read (RFC 6455 section 4.2.2).
    BadAccept,
    /// A TLS record that authenticates but does not decompress (RFC 3749), or becomes longer than a record may be.
    NotDecompressed,
    /// An entry of a HAR file with a field that is missing or of the wrong kind.
    BadEntry,
    /// An entry whose start is no time, or has no zone.
    TimeUnsure,
    /// An entry whose server address is none.
    NotAnAddress,
    /// A body that is not in the HAR file.
    BodyNotKept,
    /// A body of another length than the HAR file says.
    SizeDiffers,
    /// An answer that the program took from its own cache.
    FromCache,
    /// A limit of the program was reached.
    Limit(Limit),
}

impl AnomalyKind {
    /// The finding in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Gap => "bytes missing from the capture",
            Self::MissingStart => "the capture starts after this connection did",
            Self::ConflictingOverlap => "the same bytes came twice with different content",
            Self::FoldedField => "a header field folded over lines",
            Self::BareLineFeed => "a line ended without carriage return",
            Self::SpaceBeforeColon => "white space before a field's colon",
            Self::BadFieldLine => "a line in the head that is no field",
            Self::LengthAndChunked => "Content-Length and Transfer-Encoding together",
            Self::ConflictingLengths => "Content-Length values that differ",
            Self::BadLength => "a length that is no number",
            Self::BodyNotDecoded => "a body that could not be decoded whole",
            Self::CutShort => "a message cut short",
            Self::Unasked => "a response without its request",
            Self::BadDns => "a DNS message that breaks its own counts",
            Self::NotAuthentic => "a TLS record or QUIC packet that could not be authenticated",
            Self::EarlyDataRefused => "early data that the server refused; nothing of it is shown",
            Self::NotDecompressed => "a TLS record that does not decompress",
            Self::BadTls => "a TLS message that does not parse",
            Self::FieldLost => "header fields that cannot be told: the capture lacks what they refer to",
            Self::BadFieldSection => "a field section that does not decode",
            Self::BadField => "a header field with bytes that none may have",
            Self::BadPseudoField => "a pseudo-header field missing, repeated or out of place",
            Self::BadFrame => "a frame that breaks the rules of its type",
            Self::StreamReset => "a stream that was broken off",
            Self::LengthDiffers => "a body of another length than Content-Length says",
            Self::BadQuic => "a QUIC packet that does not parse",
            Self::Moved => "the connection went on from another address or port of the client",
            Self::BadWebSocket => "a WebSocket frame that breaks the rules",
            Self::BadAccept => "the answer to a WebSocket's handshake does not fit its request",
            Self::BadEntry => "an entry with a field that is missing or of the wrong kind",
            Self::TimeUnsure => "a start time that is missing, no time, or without its zone",
            Self::NotAnAddress => "a server address that is none",
            Self::BodyNotKept => "a body that the HAR file does not hold",
            Self::FromCache => "an answer from the program's own cache: no server was asked",
            Self::SizeDiffers => "a body of another length than the HAR file says",
            Self::Limit(limit) => limit.words(),
        }
    }
}

/// An HTTP request with its response; at least one of the two is there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HttpExchange {
    /// The request, unless the capture lacks it.
    pub request: Option<HttpMessage>,
    /// Interim 1xx responses before the final one.
    pub interim: Vec<HttpMessage>,
    /// The final response, unless none came.
    pub response: Option<HttpMessage>,
    /// The number of its stream, in HTTP/2 and HTTP/3.
    pub stream: Option<u64>,
    /// Whether the server sent the request, as a promise (server push, RFC 9113 section 8.4).
    pub pushed: bool,
    /// The WebSocket that it opened (RFC 6455, RFC 8441).
    pub websocket: Option<Box<WebSocket>>,
}

impl HttpExchange {
    /// The version in which it was answered; without an answer, in which it was asked. A request in HTTP/1.1 may be answered
    /// in HTTP/2 (RFC 7540 section 3.2).
    pub fn version(&self) -> Option<HttpVersion> {
        let [request, response] = [&self.request, &self.response].map(|m| m.as_ref().map(|m| m.version));
        if self.stream.is_some() { response.or(request) } else { request.or(response) }
    }

    /// Whether it is a call of gRPC, by its content type (`application/grpc`, perhaps with a format behind it).
    pub fn is_grpc(&self) -> bool {
        let media = |m: &HttpMessage| m.field("content-type").and_then(|v| v.get(..16)).map(<[u8]>::to_ascii_lowercase);
        [&self.request, &self.response].into_iter().flatten().any(|m| media(m).as_deref() == Some(b"application/grpc"))
    }
}

/// HTTP versions as the start line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpVersion {
    /// HTTP/0.9: a request line without version; the response has no head.
    V09,
    /// HTTP/1.0.
    V10,
    /// HTTP/1.1, and any other HTTP/1.x.
    V11,
    /// HTTP/2.
    V2,
    /// HTTP/3.
    V3,
}

impl HttpVersion {
    /// `0.9`, `1.0`, `1.1`, `2`, `3`.
    pub fn word(self) -> &'static str {
        match self {
            Self::V09 => "0.9",
            Self::V10 => "1.0",
            Self::V11 => "1.1",
            Self::V2 => "2",
            Self::V3 => "3",
        }
    }
}

/// The first line of a message, as ranges of its block. In HTTP/2 and HTTP/3 the pseudo-header fields stand for it; one that
/// is missing is an empty range, a missing status 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine {
    /// A request line.
    Request {
        /// The method.
        method: ByteRange,
        /// The request target, as sent; `:path`, or `:authority` of CONNECT (RFC 9113 section 8.5).
        target: ByteRange,
    },
    /// A status line.
    Status {
        /// The status code.
        code: u16,
        /// The reason phrase; may be empty.
        reason: ByteRange,
    },
}

/// A header field, as ranges of its message's block. The value is without the white space around it; a folded value
/// spans its lines as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: ByteRange,
    /// The value.
    pub value: ByteRange,
}

/// From the block's offset `at` on, up to the next span, the bytes came from `frame`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSpan {
    /// Offset in the block.
    pub at: u32,
    /// The frame that carried these bytes.
    pub frame: FrameNo,
}

/// One HTTP message: its head as a block of bytes, and what is known of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpMessage {
    /// The head. In HTTP/1 as it came: start line, fields, blank line. In HTTP/2 and HTTP/3 as decoded: a line a field,
    /// `name: value`, in the order in which they came, so the pseudo-header fields first. Trailer fields, if any, are
    /// appended after it.
    pub block: Box<[u8]>,
    /// The version.
    pub version: HttpVersion,
    /// The start line.
    pub start: StartLine,
    /// Header fields in order; in HTTP/2 and HTTP/3 the pseudo-header fields are among them.
    pub fields: Vec<Field>,
    /// Where a HAR file tells of the message, and then of each of these fields: offsets in the unpacked file. Empty for
    /// messages that were seen themselves.
    pub told_at: Vec<u64>,
    /// Trailer fields in order.
    pub trailers: Vec<Field>,
    /// Which frames carried which part of the block, by ascending offset; never empty.
    pub spans: Vec<BlockSpan>,
    /// Offset of the head's first byte in its stream; in HTTP/2 that of the frame in which the head begins, in the
    /// connection's bytes.
    pub stream_offset: u64,
    /// The frame of the message's first byte.
    pub first_frame: FrameNo,
    /// The frame at which the head was complete.
    pub header_frame: FrameNo,
    /// The frame at which the message was complete, or the last one that brought bytes of it.
    pub last_frame: FrameNo,
    /// When the first frame was captured.
    pub time: Timestamp,
    /// When the last frame was captured.
    pub end_time: Timestamp,
    /// The body.
    pub body: Body,
    /// The body's first bytes as decoded, of responses that tell of an error, for the rules about error documents. They
    /// are not stored with the row.
    pub opening: Option<Box<Opening>>,
    /// Whether the whole message is in the capture.
    pub complete: bool,
}

impl HttpMessage {
    /// The value of the first field of that name (compared without regard to case).
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|f| f.name.of(&self.block).eq_ignore_ascii_case(name.as_bytes()))
            .map(|f| f.value.of(&self.block))
    }

    /// The host that the request names: `:authority` (RFC 9113 section 8.3.1), or else Host, or else an absolute target's
    /// (RFC 9112 section 3.2.2).
    pub fn host(&self) -> Option<&[u8]> {
        self.field(":authority").or_else(|| self.field("host")).or_else(|| {
            let rest = self.absolute()?.1;
            let end = memchr::memchr3(b'/', b'?', b'#', rest).unwrap_or(rest.len());
            let authority = rest.get(..end)?;
            let user = memchr::memrchr(b'@', authority).map_or(0, |at| at.saturating_add(1));
            authority.get(user..)
        })
    }

    /// The scheme that the request names: `http`, or `https` where `:scheme` or an absolute target says so.
    pub fn scheme(&self) -> &'static str {
        let named = self.field(":scheme").or_else(|| Some(self.absolute()?.0));
        let is = |scheme: &[u8]| named.is_some_and(|named| named.eq_ignore_ascii_case(scheme));
        if is(b"https") || is(b"wss") { "https" } else { "http" }
    }

    /// Scheme of an absolute target, and what stands behind `://`.
    fn absolute(&self) -> Option<(&[u8], &[u8])> {
        let StartLine::Request { target, .. } = self.start else { return None };
        let target = target.of(&self.block);
        let at = memchr::memmem::find(target.get(..8).unwrap_or(target), b"://")?;
        Some((target.get(..at)?, target.get(at.saturating_add(3)..)?))
    }

    /// Whether the block is decoded from field compression: then its bytes are not those of the stream.
    pub fn is_decoded(&self) -> bool {
        self.version >= HttpVersion::V2 && self.told_at.is_empty()
    }

    /// The start line: as it came, or for HTTP/2 and HTTP/3 what stands for it (`GET /a HTTP/2`, `HTTP/2 200`).
    pub fn start_line(&self) -> Cow<'_, [u8]> {
        if !self.is_decoded() {
            let end = memchr::memchr(b'\n', &self.block).unwrap_or(self.block.len());
            return self.block.get(..end).unwrap_or_default().trim_ascii_end().into();
        }
        let version = self.version.word();
        match self.start {
            StartLine::Request { method, target } => {
                let (method, target) = (method.of(&self.block), target.of(&self.block));
                [method, b" ", target, b" HTTP/", version.as_bytes()].concat().into()
            }
            StartLine::Status { code, .. } => format!("HTTP/{version} {code}").into_bytes().into(),
        }
    }

    /// Names and values of all header fields in order.
    pub fn each_field(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|f| (f.name.of(&self.block), f.value.of(&self.block)))
    }

    /// The frames that carried `range` of the block, ascending, without repetition.
    pub fn frames_of(&self, range: ByteRange) -> Vec<FrameNo> {
        frames_of(&self.spans, range)
    }
}

/// The frames that carried `range` of a block with these spans, ascending, without repetition.
pub fn frames_of(spans: &[BlockSpan], range: ByteRange) -> Vec<FrameNo> {
    let mut frames: Vec<FrameNo> = Vec::new();
    let mut spans = spans.iter().peekable();
    while let Some(span) = spans.next() {
        let next = spans.peek().map_or(u32::MAX, |s| s.at);
        if span.at < range.end().max(range.start.saturating_add(1)) && next > range.start {
            frames.push(span.frame);
        }
    }
    frames.sort_unstable();
    frames.dedup();
    frames
}

/// The first bytes of a body, as decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The bytes.
    pub block: Vec<u8>,
    /// Which frames brought them: a coded byte's frame is the one that let it come out.
    pub spans: Vec<BlockSpan>,
}

/// What is known of a message's body. The bytes stay in the capture and are read again when asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Offset of its first byte (chunk framing included) in the stream.
    pub stream_offset: u64,
    /// Bytes on the wire, chunk framing included.
    pub wire_bytes: u64,
    /// Bytes after de-chunking and content decoding; `None` where it could not be read whole.
    pub decoded_bytes: Option<u64>,
    /// SHA-256 of those; `None` where it could not be read whole.
    pub sha256: Option<[u8; 32]>,
    /// MD5 of the bytes before content decoding, of uploads and where the message names an MD5 (Content-MD5, RFC 1864; an
    /// entity tag of 32 hexadecimal digits): services that store objects hash what they were sent.
    pub md5: Option<[u8; 16]>,
}

/// What carries a TLS session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsTransport {
    /// TLS over TCP.
    Tcp,
    /// TLS inside QUIC.
    Quic,
    /// DTLS over UDP.
    Dtls,
}

/// What a TLS handshake shows to an observer without keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSession {
    /// What carries it.
    pub transport: TlsTransport,
    /// The client's first message.
    pub client_hello: Option<ClientHello>,
    /// The server's answer.
    pub server_hello: Option<ServerHello>,
    /// The server's chain as sent, leaf first; visible up to TLS 1.2.
    pub certificates: Vec<Arc<Certificate>>,
    /// The client's chain as sent.
    pub client_certificates: Vec<Arc<Certificate>>,
    /// Frame at which the server's chain was complete.
    pub certificate_frame: Option<FrameNo>,
    /// How the server's chain stands; `None` where none was seen.
    pub trust: Option<Arc<Trust>>,
    /// What stands beside that chain.
    pub stapled: Stapled,
    /// Stream bytes that the client and the server sent in this flow, as far as seen; of QUIC and DTLS those of the
    /// datagrams.
    pub bytes: [u64; 2],
    /// What QUIC itself shows, where QUIC carries it.
    pub quic: Option<QuicFacts>,
    /// What keys opened of it.
    pub decryption: Decryption,
}

/// A QUIC version by its number on the wire (IANA's registry of QUIC versions). Google's own are four letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuicVersion(pub u32);

impl QuicVersion {
    /// RFC 9000.
    pub const V1: Self = Self(1);
    /// RFC 9369.
    pub const V2: Self = Self(0x6b33_43cf);

    /// `1`, `2`, `draft-29`, `Q046`; the number where it has no name.
    pub fn word(self) -> String {
        match (self, self.0.to_be_bytes()) {
            (Self::V1, _) => "1".to_owned(),
            (Self::V2, _) => "2".to_owned(),
            (_, [0xff, 0, 0, draft]) => format!("draft-{draft:02}"),
            (_, [b'Q' | b'T', a, b, c]) if [a, b, c].iter().all(u8::is_ascii_digit) => {
                self.0.to_be_bytes().map(char::from).iter().collect()
            }
            (_, _) => format!("0x{:08x}", self.0),
        }
    }

    /// Whether the number is one of those that only exercise version negotiation (RFC 9000 section 15).
    pub fn is_reserved(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }
}

/// What the headers of a QUIC connection show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuicFacts {
    /// The version spoken: the server's, once it answered.
    pub version: QuicVersion,
    /// The versions that the server named instead (RFC 9000 section 6).
    pub negotiated: Vec<QuicVersion>,
    /// The server had the client's address confirmed with a Retry packet (RFC 9000 section 8.1.2).
    pub retry: bool,
    /// The client sent 0-RTT packets (RFC 9000 section 17.2.3).
    pub zero_rtt: bool,
    /// Frames with bytes that belong to no stream (RFC 9221), as far as keys opened packets; what is in them is not read.
    pub datagrams: u64,
    /// Connection ids that the client chose to be addressed with.
    pub client_ids: Vec<Box<[u8]>>,
    /// Connection ids under which the server was addressed, the client's own first choice included.
    pub server_ids: Vec<Box<[u8]>>,
}

/// What keys opened of a TLS session, or why they did not. A record is, in QUIC, a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decryption {
    /// There were no keys, or nothing was encrypted.
    #[default]
    NotTried,
    /// Records were decrypted and authenticated.
    Opened {
        /// So many.
        records: u64,
        /// Records that could not be: they were damaged, or the capture lacks some of their bytes or of those before.
        failed: u64,
    },
    /// The keys hold no secret for this session.
    NoSecret,
    /// Its secret did not come while its records were held.
    SecretTooLate,
    /// The cipher suite or version is not supported.
    Unsupported,
    /// The capture lacks a hello.
    StartMissing,
    /// There is a secret, but no record could be authenticated with it.
    SecretDoesNotFit,
    /// Bytes are missing, and nothing behind them could be authenticated.
    BytesMissing,
}

impl Decryption {
    /// All reasons why a session was not opened.
    pub const REASONS: [Self; 6] = [
        Self::NoSecret,
        Self::SecretTooLate,
        Self::Unsupported,
        Self::StartMissing,
        Self::SecretDoesNotFit,
        Self::BytesMissing,
    ];

    /// What is opened, one and many: records, or in QUIC packets.
    pub fn unit(transport: TlsTransport) -> (&'static str, &'static str) {
        if transport == TlsTransport::Quic { ("packet", "packets") } else { ("record", "records") }
    }

    /// Whether something was opened.
    pub fn is_opened(self) -> bool {
        matches!(self, Self::Opened { .. })
    }

    /// Why nothing was opened, in words; empty where something was, or nothing was tried.
    pub fn why_not(self) -> &'static str {
        match self {
            Self::NotTried | Self::Opened { .. } => "",
            Self::NoSecret => "the keys hold no secret for it",
            Self::SecretTooLate => "its secret did not come while what it sealed was held",
            Self::Unsupported => "its cipher suite or version is not supported",
            Self::StartMissing => "its hellos are not in the capture",
            Self::SecretDoesNotFit => "its secret opens nothing of it",
            Self::BytesMissing => "bytes are missing, and nothing behind them could be authenticated",
        }
    }
}

/// A ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2, or the SSL 2.0 form).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The frame that completed it.
    pub frame: FrameNo,
    /// The frame of its first byte.
    pub first_frame: FrameNo,
    /// The handshake message as sent, without record headers.
    pub block: Box<[u8]>,
    /// Which frames carried which part of the block.
    pub spans: Vec<BlockSpan>,
    /// Offset of the message's first byte in its stream.
    pub stream_offset: u64,
    /// The server name (RFC 6066 section 3) in the block.
    pub sni: Option<ByteRange>,
    /// The offered application protocols (RFC 7301), each as a range of the block.
    pub alpn: Vec<ByteRange>,
    /// The highest version offered, GREASE left out: 0x0304 is TLS 1.3. 0 in Google's own QUIC, which is no TLS.
    pub version: u16,
    /// JA3: MD5 of the fingerprint string; of TLS only.
    pub ja3: Option<[u8; 16]>,
    /// JA4 as published by FoxIO (BSD-3-Clause); empty where it is not defined.
    pub ja4: String,
    /// Whether an Encrypted Client Hello extension (0xfe0d) is there.
    pub ech: bool,
}

impl ClientHello {
    /// The server name as it stands.
    pub fn sni_bytes(&self) -> Option<&[u8]> {
        self.sni.map(|r| r.of(&self.block))
    }

    /// The server name with its place, for exchanges that were decrypted.
    pub fn envelope_name(&self) -> Option<EnvelopeName> {
        let range = self.sni?;
        let mut frames = frames_of(&self.spans, range);
        if frames.is_empty() {
            frames.push(self.frame);
        }
        let offset = self.stream_offset.saturating_add(u64::from(range.start));
        Some(EnvelopeName { text: range.of(&self.block).into(), range, frames, offset })
    }
}

/// A ServerHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// The frame that completed it.
    pub frame: FrameNo,
    /// The version chosen (`supported_versions` included): 0x0303 is TLS 1.2.
    pub version: u16,
    /// The cipher suite's number.
    pub cipher: u16,
    /// The application protocol chosen, where it is visible.
    pub alpn: Option<Box<[u8]>>,
    /// Whether it is a HelloRetryRequest.
    pub retry: bool,
}

/// What a certificate says of itself; how its chain stands is said by [`Trust`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the DER.
    pub sha256: [u8; 32],
    /// The subject's common name.
    pub subject_cn: Option<String>,
    /// The subject's organisation.
    pub subject_org: Option<String>,
    /// DNS names and addresses of the subject alternative name.
    pub names: Vec<String>,
    /// The issuer's common name.
    pub issuer_cn: Option<String>,
    /// The issuer's organisation.
    pub issuer_org: Option<String>,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// Length of the DER in bytes.
    pub der_len: u32,
}

/// Which member of the DNS family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsKind {
    /// Unicast DNS, RFC 1035.
    Dns,
    /// Multicast DNS, RFC 6762.
    Mdns,
    /// Link-local multicast name resolution, RFC 4795.
    Llmnr,
}

/// What carried a lookup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsOver {
    /// UDP or TCP (RFC 1035 section 4.2).
    #[default]
    Plain,
    /// TLS (RFC 7858).
    Tls,
    /// HTTP (RFC 8484).
    Https,
    /// QUIC (RFC 9250).
    Quic,
}

impl DnsOver {
    /// ` over TLS`, ` over HTTPS`, ` over QUIC`; empty for plain DNS.
    pub fn words(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Tls => " over TLS",
            Self::Https => " over HTTPS",
            Self::Quic => " over QUIC",
        }
    }
}

/// A question with the answer that belongs to it; at least one is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsLookup {
    /// Which member of the family.
    pub kind: DnsKind,
    /// What carried it.
    pub over: DnsOver,
    /// Transaction number.
    pub id: u16,
    /// The questions, as asked (or as repeated in the answer, where the query is not in the capture).
    pub questions: Vec<DnsQuestion>,
    /// The frame of the query.
    pub query_frame: Option<FrameNo>,
    /// The answer.
    pub response: Option<DnsResponse>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuestion {
    /// The name, dotted, without the final dot; bytes that are not printable ASCII as `\DDD` (RFC 1035 section 5.1).
    pub name: String,
    /// The type's number.
    pub qtype: u16,
}

/// One answer message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsResponse {
    /// The frame that completed it.
    pub frame: FrameNo,
    /// When.
    pub time: Timestamp,
    /// Response code.
    pub rcode: u8,
    /// The records of the answer section, in order.
    pub answers: Vec<DnsRecord>,
}

/// One resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// The owner name, written as [`DnsQuestion::name`].
    pub name: String,
    /// The type's number.
    pub rtype: u16,
    /// Time to live in seconds.
    pub ttl: u32,
    /// The data as text: an address, a name, or for other types a short rendering (hex where nothing better fits).
    pub value: String,
    /// Where the record stands in the DNS message.
    pub range: ByteRange,
}
