//! The words of the language: keys, their names in other tools, protocols and states.

use super::tree::Heads;
use crate::model::WitnessKind;

/// What a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is described by its entry in the table of keys")]
pub enum Key {
    Any,
    Host,
    Sni,
    Cname,
    Ip,
    Port,
    Asn,
    Operator,
    Product,
    Role,
    Tenant,
    Grade,
    Conflict,
    Method,
    Status,
    Rcode,
    Type,
    Size,
    Duration,
    Proto,
    Header,
    RequestHeader,
    ResponseHeader,
    Frame,
    Stream,
    Process,
    Marked,
    Ignored,
    Comment,
    Action,
    File,
    Site,
    Time,
    Url,
    Path,
    Is,
}

/// What kind of value a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// Bytes.
    Size,
    /// Microseconds.
    Duration,
    /// Capture time.
    Time,
    /// A grade.
    Grade,
    /// An address or a block of them.
    Address,
    /// A word of [`Proto`].
    Proto,
    /// Yes, no, or a kind of witness.
    YesNo,
    /// A word of [`State`].
    State,
    /// A header line.
    Header(Heads),
}

/// A key's words.
#[derive(Debug)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// How it is written.
    pub word: &'static str,
    /// How other tools write it.
    pub aliases: &'static [&'static str],
    /// What kind of value it has.
    pub kind: Kind,
    /// What it is, in words that stand before `is` and `contains`.
    pub subject: &'static str,
    /// What it looks at, for the list of keys.
    pub about: &'static str,
    /// A value for an example.
    pub example: &'static str,
}

macro_rules! entry {
    ($key:ident, $word:literal, $aliases:expr, $kind:expr, $subject:literal, $about:literal, $example:literal) => {
        Entry {
            key: Key::$key,
            word: $word,
            aliases: &$aliases,
            kind: $kind,
            subject: $subject,
            about: $about,
            example: $example,
        }
    };
}

/// All keys, those that are wanted most first.
pub static KEYS: [Entry; 35] = [
    entry!(Host, "host", ["domain"], Kind::Text, "host", "Name that was asked for", "blob.core"),
    entry!(Operator, "operator", ["provider"], Kind::Text, "operator", "Whose machine answered", "azure"),
    entry!(Product, "product", ["service"], Kind::Text, "product", "Which service of the operator", "s3"),
    entry!(Status, "status", ["status-code"], Kind::Number, "status", "HTTP status code", "4xx"),
    entry!(Method, "method", [], Kind::Text, "method", "HTTP method; TLS, QUIC, DNS", "PUT"),
    entry!(Path, "path", [], Kind::Text, "path", "Path and query; TLS version; DNS record type", "sig="),
    entry!(Type, "type", ["mime", "mime-type"], Kind::Text, "type", "Media type of the response", "image"),
    entry!(Size, "size", [], Kind::Size, "size", "Bytes of the response body; of both sides for TLS", "10k"),
    entry!(Duration, "duration", [], Kind::Duration, "duration", "First to last frame", "200ms"),
    entry!(Grade, "grade", ["evidence"], Kind::Grade, "grade", "How sure the operator is", "supports"),
    entry!(Conflict, "conflict", [], Kind::YesNo, "conflict", "Whether witnesses disagree, or which", "yes"),
    entry!(Role, "role", [], Kind::Text, "role", "What the answering machine does", "object-storage"),
    entry!(Tenant, "tenant", [], Kind::Text, "tenant", "Whose account, bucket or distribution", "icloud"),
    entry!(Site, "site", [], Kind::Text, "site", "Site that the findings count it for", "icloud.com"),
    entry!(Proto, "proto", ["protocol", "scheme"], Kind::Proto, "protocol", "http http2 tls quic dns tcp udp", "tls"),
    entry!(Ip, "ip", ["address"], Kind::Address, "address", "Address of either end, or a block", "10.0.0.0/8"),
    entry!(Port, "port", [], Kind::Number, "port", "Port of either end", "443"),
    entry!(Asn, "asn", ["as"], Kind::Number, "AS", "Origin AS of the server's address", "8075"),
    entry!(Sni, "sni", [], Kind::Text, "server name (SNI)", "Server name of a TLS handshake", "icloud"),
    entry!(Cname, "cname", [], Kind::Text, "CNAME", "Names that the lookup led through", "akamai"),
    entry!(
        Header,
        "header",
        ["has-header"],
        Kind::Header(Heads::Both),
        "header",
        "Line in the head of request or response",
        "x-amz-request-id"
    ),
    entry!(
        RequestHeader,
        "req-header",
        ["request-header", "has-request-header"],
        Kind::Header(Heads::Request),
        "request header",
        "Line in the request's head",
        "user-agent:iCloud"
    ),
    entry!(
        ResponseHeader,
        "resp-header",
        ["response-header", "has-response-header"],
        Kind::Header(Heads::Response),
        "response header",
        "Line in the response's head",
        "server=AmazonS3"
    ),
    entry!(Url, "url", [], Kind::Text, "URL", "Host and path together", "icloud.com/dav"),
    entry!(Time, "time", [], Kind::Time, "time", "When it began, UTC", "19:00..19:05"),
    entry!(Frame, "frame", [], Kind::Number, "frames", "A number from its first to its last frame", "100..200"),
    entry!(Stream, "stream", ["flow"], Kind::Number, "flow", "Number of its connection, from 0", "3"),
    entry!(Rcode, "rcode", [], Kind::Number, "response code", "DNS response code; 3 is no such name", "3"),
    entry!(
        Is,
        "is",
        [],
        Kind::State,
        "state",
        "open marked ignored conflict incomplete odd decrypted handed-out error",
        "error"
    ),
    entry!(Marked, "marked", [], Kind::YesNo, "mark", "What you marked", "yes"),
    entry!(Ignored, "ignored", [], Kind::YesNo, "ignored", "What you chose to ignore", "no"),
    entry!(Comment, "comment", [], Kind::Text, "comment", "What you said of it", "upload"),
    entry!(Process, "process", ["program"], Kind::Text, "process", "Program that had the connection", "firefox"),
    entry!(File, "file", ["capture"], Kind::Text, "file", "Merged file that it begins in", "monday.pcapng"),
    entry!(Action, "action", [], Kind::Number, "action", "Began within 10 s of an action marked with F9", "1"),
];

impl Key {
    /// The key of that name, in this language or another tool's.
    pub fn named(word: &str) -> Option<Self> {
        KEYS.iter()
            .find(|e| e.word.eq_ignore_ascii_case(word) || e.aliases.iter().any(|a| a.eq_ignore_ascii_case(word)))
            .map(|e| e.key)
    }

    /// Its entry; none for bare words.
    pub fn entry(self) -> Option<&'static Entry> {
        KEYS.iter().find(|e| e.key == self)
    }

    /// How it is written.
    pub fn word(self) -> &'static str {
        self.entry().map_or("", |e| e.word)
    }

    /// What kind of value it has.
    pub fn kind(self) -> Kind {
        self.entry().map_or(Kind::Text, |e| e.kind)
    }

    /// Whether a colon asks for the very text: nobody looks for a part of a method.
    pub fn is_exact(self) -> bool {
        self == Self::Method
    }
}

/// A field of Wireshark's display filters.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Only rows of this protocol have it.
    pub(super) proto: Option<Proto>,
    pub(super) key: Key,
    /// The header line that it is.
    pub(super) header: &'static str,
}

const fn field(name: &'static str, proto: Option<Proto>, key: Key) -> Field {
    Field { name, proto, key, header: "" }
}

const fn line(name: &'static str, key: Key, header: &'static str) -> Field {
    Field { name, proto: None, key, header }
}

/// The fields that mean here what they mean there.
pub(super) static FIELDS: [Field; 37] = [
    field("http.host", Some(Proto::Http), Key::Host),
    field("http.request", Some(Proto::Http), Key::Method),
    field("http.request.method", Some(Proto::Http), Key::Method),
    field("http.request.uri", Some(Proto::Http), Key::Path),
    field("http.request.full_uri", Some(Proto::Http), Key::Url),
    field("http.response", None, Key::Status),
    field("http.response.code", None, Key::Status),
    line("http.user_agent", Key::RequestHeader, "user-agent"),
    line("http.referer", Key::RequestHeader, "referer"),
    line("http.cookie", Key::RequestHeader, "cookie"),
    line("http.authorization", Key::RequestHeader, "authorization"),
    line("http.server", Key::ResponseHeader, "server"),
    line("http.location", Key::ResponseHeader, "location"),
    line("http.set_cookie", Key::ResponseHeader, "set-cookie"),
    line("http.content_type", Key::Header, "content-type"),
    line("http.content_length", Key::Header, "content-length"),
    field("ip.addr", None, Key::Ip),
    field("ip.src", None, Key::Ip),
    field("ip.dst", None, Key::Ip),
    field("ip.host", None, Key::Ip),
    field("ipv6.addr", None, Key::Ip),
    field("ipv6.src", None, Key::Ip),
    field("ipv6.dst", None, Key::Ip),
    field("tcp.port", Some(Proto::Tcp), Key::Port),
    field("tcp.srcport", Some(Proto::Tcp), Key::Port),
    field("tcp.dstport", Some(Proto::Tcp), Key::Port),
    field("udp.port", Some(Proto::Udp), Key::Port),
    field("udp.srcport", Some(Proto::Udp), Key::Port),
    field("udp.dstport", Some(Proto::Udp), Key::Port),
    field("tls.handshake.extensions_server_name", None, Key::Sni),
    field("ssl.handshake.extensions_server_name", None, Key::Sni),
    field("dns.qry.name", Some(Proto::Dns), Key::Host),
    field("dns.cname", Some(Proto::Dns), Key::Cname),
    field("dns.flags.rcode", None, Key::Rcode),
    field("frame.number", None, Key::Frame),
    field("frame.time", None, Key::Time),
    field("frame.comment", None, Key::Comment),
];

/// The field of that name.
pub(super) fn field_named(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|f| f.name.eq_ignore_ascii_case(name))
}

/// Which protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the protocol of its name; HTTPS is sealed sessions and what was decrypted")]
pub enum Proto {
    Http,
    Http0,
    Http10,
    Http11,
    Http2,
    Http3,
    Https,
    Tls,
    Quic,
    Dtls,
    Dns,
    Mdns,
    Llmnr,
    Tcp,
    Udp,
}

impl Proto {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Http,
        Self::Http0,
        Self::Http10,
        Self::Http11,
        Self::Http2,
        Self::Http3,
        Self::Https,
        Self::Tls,
        Self::Quic,
        Self::Dtls,
        Self::Dns,
        Self::Mdns,
        Self::Llmnr,
        Self::Tcp,
        Self::Udp,
    ];

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Http0 => "http0.9",
            Self::Http10 => "http1.0",
            Self::Http11 => "http1.1",
            Self::Http2 => "http2",
            Self::Http3 => "http3",
            Self::Https => "https",
            Self::Tls => "tls",
            Self::Quic => "quic",
            Self::Dtls => "dtls",
            Self::Dns => "dns",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Http0 => "HTTP/0.9",
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::Http3 => "HTTP/3",
            Self::Https => "HTTPS",
            Self::Tls => "TLS",
            Self::Quic => "QUIC",
            Self::Dtls => "DTLS",
            Self::Dns => "DNS",
            Self::Mdns => "mDNS",
            Self::Llmnr => "LLMNR",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    /// The protocol of that word.
    pub fn named(word: &str) -> Option<Self> {
        let also = [("ssl", Self::Tls), ("h2", Self::Http2), ("h3", Self::Http3)];
        let known = Self::ALL.into_iter().find(|p| p.word().eq_ignore_ascii_case(word));
        known.or_else(|| also.into_iter().find(|(w, _)| w.eq_ignore_ascii_case(word)).map(|(_, p)| p))
    }
}

/// Something that a row is or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The exchange goes on.
    Open,
    /// The user marked it.
    Marked,
    /// The user ignores it.
    Ignored,
    /// The user said something of it.
    Commented,
    /// Witnesses disagree.
    Conflict,
    /// A message is missing or cut.
    Incomplete,
    /// Something odd was met.
    Odd,
    /// Keys opened it.
    Decrypted,
    /// An earlier response gave the URL.
    HandedOut,
    /// An HTTP status of 400 or more, or a DNS answer that is none.
    Error,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::Marked,
        Self::Ignored,
        Self::Commented,
        Self::Conflict,
        Self::Incomplete,
        Self::Odd,
        Self::Decrypted,
        Self::HandedOut,
        Self::Error,
    ];

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Marked => "marked",
            Self::Ignored => "ignored",
            Self::Commented => "commented",
            Self::Conflict => "conflict",
            Self::Incomplete => "incomplete",
            Self::Odd => "odd",
            Self::Decrypted => "decrypted",
            Self::HandedOut => "handed-out",
            Self::Error => "error",
        }
    }

    /// The state of that word.
    pub fn named(word: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|s| s.word().eq_ignore_ascii_case(word));
        known.or_else(|| word.eq_ignore_ascii_case("running").then_some(Self::Open))
    }
}

/// How a kind of witness is written.
pub(super) fn witness_word(witness: WitnessKind) -> &'static str {
    match witness {
        WitnessKind::Name => "name",
        WitnessKind::Cname => "cname",
        WitnessKind::Address => "address",
        WitnessKind::Certificate => "certificate",
        WitnessKind::Names => "names",
        WitnessKind::Headers => "headers",
    }
}

/// Words that join tests.
pub(super) const AND: [&str; 3] = ["and", "AND", "&&"];
pub(super) const OR: [&str; 3] = ["or", "OR", "||"];
pub(super) const NOT: [&str; 2] = ["not", "NOT"];

/// Whether a word says something when it stands alone without quotes.
pub(super) fn is_reserved(word: &str) -> bool {
    let joins = AND.iter().chain(&OR).chain(&NOT).any(|w| *w == word);
    joins || Proto::named(word).is_some() || field_named(word).is_some() || Key::named(word).is_some()
}
