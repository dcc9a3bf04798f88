//! One entry.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::body::{BodyLimits, Framing};
use super::super::http::{Ended, Given, Open, Start, Wanted, Which};
use super::head::Head;
use super::json::{Object, Value};
use super::socket;
use crate::model::{
    Anomaly, AnomalyKind, Budget, Endpoint, FrameNo, HttpExchange, HttpVersion, Reported, StartLine, Timestamp,
    Transport,
};

/// Bytes kept of a connection's id.
const ID_BYTES: usize = 128;

/// Where an entry stands.
#[derive(Clone, Copy, Debug)]
pub struct EntryPlace {
    /// Its number, which stands for its frame.
    pub frame: FrameNo,
    /// When it began, where it does not say so itself.
    pub time: Timestamp,
    /// Offset of its first byte in the unpacked file.
    pub offset: u64,
}

impl EntryPlace {
    /// The offset in the file of something in the entry.
    pub(super) fn at(self, start: usize) -> u64 {
        self.offset.saturating_add(u64::try_from(start).unwrap_or(u64::MAX))
    }

    /// Something odd there.
    pub(super) fn odd(self, kind: AnomalyKind, start: usize) -> Anomaly {
        Anomaly { kind, frame: self.frame, offset: self.at(start), len: 0 }
    }
}

/// What an entry tells.
#[derive(Debug)]
pub struct Entry {
    /// The exchange.
    pub ended: Ended,
    /// Links that its response handed out.
    pub given: Option<Given>,
    /// Who answered, as the file has it.
    pub server: Endpoint,
    /// TCP, or UDP under HTTP/3.
    pub transport: Transport,
    /// When it began and ended.
    pub times: (Timestamp, Timestamp),
    /// The connection's id in the file; empty where it has none.
    pub connection: Box<[u8]>,
    /// Its place.
    pub reported: Reported,
}

/// Why an entry is no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// It is no object with a request that has a URL.
    Broken,
    /// Its URL is of another scheme than HTTP or WebSocket (`data:`, `blob:`, …): nobody was asked.
    OtherScheme,
}

/// Reads an entry.
pub fn entry(bytes: &[u8], place: EntryPlace, wanted: Wanted, budget: &Budget) -> Result<Entry, LeftOut> {
    let whole = Value::read(bytes, 0).ok_or(LeftOut::Broken)?;
    let told = whole.object(bytes).ok_or(LeftOut::Broken)?;
    let request = told.object("request").ok_or(LeftOut::Broken)?;
    let url = request.get("url").filter(|url| url.is_string(bytes)).and_then(|url| url.text(bytes));
    let url = url.filter(|url| !url.is_empty()).ok_or(LeftOut::Broken)?;
    let secure = is_secure(&url)?;
    let mut reading = Reading { bytes, place, wanted, budget, odd: Vec::new() };
    let phases = reading.phases(&told);
    let response = told.object("response");
    let status = response.as_ref().and_then(|r| r.integer("status")).and_then(|s| u16::try_from(s).ok()).unwrap_or(0);
    let versions = [Some(&request), response.as_ref()]
        .map(|message| message.and_then(|m| m.text("httpVersion")).and_then(|text| version(&text)));
    if versions == [None, None] && status > 0 {
        reading.odd.push(place.odd(AnomalyKind::BadEntry, request.start));
    }
    let [asked, answered] = versions;
    let asked_in = asked.or(answered).unwrap_or(HttpVersion::V11);
    let answered_in = answered.or(asked).unwrap_or(HttpVersion::V11);
    let mut open = Open { inside_tls: secure, uncoded: true, ..Open::default() };
    open.http = HttpExchange {
        request: Some(reading.request(&request, &url, asked_in, &phases)),
        response: response
            .as_ref()
            .filter(|_| status > 0)
            .map(|response| reading.response(response, status, answered_in, &phases)),
        ..HttpExchange::default()
    };
    reading.body(&mut open, Which::Request, &request, &phases);
    let given = response.as_ref().filter(|_| status > 0).and_then(|response| {
        let links = reading.body(&mut open, Which::Response, response, &phases);
        // What a response gave could be used from its first bytes on.
        Some(Given { time: phases.answered, ..open.given(links, false)? })
    });
    let server = reading.server(&told, port(&url, secure));
    if told
        .get("_fromCache")
        .or_else(|| told.get("fromCache"))
        .is_some_and(|v| !v.is_empty(bytes) && !v.is_false(bytes))
    {
        reading.odd.push(place.odd(AnomalyKind::FromCache, 0));
    }
    let mut ended = open.ended(false, wanted);
    if let Some((counted, messages)) = socket::messages(&told, bytes, place, budget) {
        ended.http.websocket = Some(Box::new(counted));
        if wanted == Wanted::Bodies {
            ended.messages = messages;
        }
    }
    let mut odd = reading.odd;
    odd.append(&mut ended.anomalies);
    ended.anomalies = odd;
    let connection = told.text("connection").unwrap_or_default();
    let last = ended.http.websocket.as_ref().and_then(|w| w.last).map_or(phases.end, |(_, time)| time);
    Ok(Entry {
        ended,
        given,
        server,
        transport: if answered_in == HttpVersion::V3 { Transport::Udp } else { Transport::Tcp },
        times: (phases.start, phases.end.max(last)),
        connection: connection.get(..ID_BYTES).unwrap_or(&connection).into(),
        reported: Reported {
            offset: place.offset,
            len: u64::try_from(whole.end).unwrap_or(u64::MAX),
            address_offset: place.at(told.get("serverIPAddress").map_or(0, |value| value.start)),
        },
    })
}

/// The moments of an exchange.
struct Phases {
    start: Timestamp,
    /// The request was sent whole.
    sent: Timestamp,
    /// The response's first byte.
    answered: Timestamp,
    end: Timestamp,
}

struct Reading<'a> {
    bytes: &'a [u8],
    place: EntryPlace,
    wanted: Wanted,
    budget: &'a Budget,
    odd: Vec<Anomaly>,
}

impl Reading<'_> {
    fn phases(&mut self, told: &Object<'_>) -> Phases {
        let text = told.text("startedDateTime");
        let read = text.as_ref().and_then(|text| Timestamp::from_iso(text));
        if !matches!(read, Some((_, true))) {
            let at = told.get("startedDateTime").map_or(0, |value| value.start);
            self.odd.push(self.place.odd(AnomalyKind::TimeUnsure, at));
        }
        let start = read.map_or(self.place.time, |(time, _)| time);
        let timings = told.object("timings");
        // The handshake (`ssl`) is within `connect`.
        let sum = |names: &[&str]| -> f64 { names.iter().filter_map(|name| timings.as_ref()?.amount(name)).sum() };
        let until_sent = sum(&["blocked", "dns", "connect", "send"]);
        let until_answered = until_sent + sum(&["wait"]);
        let whole = told.amount("time").unwrap_or(0.0).max(until_answered + sum(&["receive"]));
        let after = |millis: f64| start.after(nanos(millis));
        Phases { start, sent: after(until_sent), answered: after(until_answered), end: after(whole) }
    }

    fn request(&mut self, request: &Object<'_>, url: &[u8], version: HttpVersion, phases: &Phases) -> Message {
        let method = request.text("method").unwrap_or_default();
        if method.is_empty() {
            self.odd.push(self.place.odd(AnomalyKind::BadEntry, request.start));
        }
        let name = protocol(version);
        let (mut head, [method, target, _]) = Head::new([&method, url, &name], self.place, self.budget);
        head.fields(request, self.bytes, &mut self.odd);
        let start = StartLine::Request { method, target };
        head.message(start, version, request.start, (phases.start, phases.sent), &mut self.odd)
    }

    fn response(&mut self, response: &Object<'_>, code: u16, version: HttpVersion, phases: &Phases) -> Message {
        let reason = response.text("statusText").unwrap_or_default();
        let (name, number) = (protocol(version), code.to_string());
        let (mut head, [_, _, reason]) = Head::new([&name, number.as_bytes(), &reason], self.place, self.budget);
        head.fields(response, self.bytes, &mut self.odd);
        let start = StartLine::Status { code, reason };
        head.message(start, version, response.start, (phases.answered, phases.end), &mut self.odd)
    }

    /// Reads a body; gives the links in head and body.
    fn body(
        &mut self,
        open: &mut Open,
        which: Which,
        message: &Object<'_>,
        phases: &Phases,
    ) -> Vec<super::super::links::Link> {
        let held = message.object(if which == Which::Request { "postData" } else { "content" });
        let wire = message.integer("bodySize").and_then(|size| u64::try_from(size).ok());
        let size = held.as_ref().and_then(|held| held.integer("size")).and_then(|size| u64::try_from(size).ok());
        let text = held.as_ref().and_then(|held| held.get("text")).filter(|text| !text.is_empty(self.bytes));
        let encoding = held.as_ref().and_then(|held| held.text("encoding").or_else(|| held.text("_encoding")));
        let is_base64 = encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case(b"base64"));
        let at = text.map_or(message.start, |text| text.start);
        let place = Start { offset: self.place.at(at), frame: self.place.frame, time: phases.end };
        if let Some(message) = open.message(which) {
            message.body.stream_offset = place.offset;
        }
        let time = if which == Which::Request { phases.sent } else { phases.end };
        let place = Start { time, ..place };
        let content = text
            .and_then(|text| text.text(self.bytes))
            .and_then(|text| if is_base64 { decoded(&text).map(Cow::Owned) } else { Some(text) });
        let missing = content.is_none()
            && (text.is_some()
                || size.unwrap_or(0) > 0
                || wire.unwrap_or(0) > 0
                || held.as_ref().is_some_and(|held| held.elements("params").next().is_some()));
        let length = content.as_ref().map_or(0, |content| u64::try_from(content.len()).unwrap_or(u64::MAX));
        let framing = if missing { Framing::UntilClose } else { Framing::Length(length) };
        // An empty body would make whole what has a cut head.
        let head_is_whole = open.message(which).is_some_and(|message| message.complete);
        let (reader, mut links) = open.begin_body(which, Some(framing), BodyLimits::new(self.budget), self.wanted);
        if missing {
            open.set_done(which);
            self.odd.push(self.place.odd(AnomalyKind::BodyNotKept, at));
        } else if let (Some(mut reader), Some(content)) = (reader, &content) {
            reader.feed(content, self.place.frame);
            links.append(&mut open.end_body(which, *reader, true, place).links);
            // Text may have been of another character set on the wire; then its size says nothing.
            let sized = size.filter(|_| is_base64 || content.is_ascii());
            if sized.is_some_and(|size| size != length) {
                self.odd.push(self.place.odd(AnomalyKind::SizeDiffers, at));
            }
        }
        if let Some(message) = open.message(which) {
            message.body.wire_bytes = wire.unwrap_or_else(|| size.unwrap_or(length).max(length));
            message.complete &= !missing && head_is_whole;
        }
        links
    }

    fn server(&mut self, told: &Object<'_>, port: u16) -> Endpoint {
        let unknown = Endpoint::unknown(port);
        let Some(value) = told.get("serverIPAddress") else { return unknown };
        let text = value.text(self.bytes).unwrap_or_default();
        let text = str::from_utf8(&text).unwrap_or("?").trim();
        if text.is_empty() {
            return unknown;
        }
        // Java's form: the name, then the address.
        let text = text.rsplit('/').next().unwrap_or(text);
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let bare = bare.split('%').next().unwrap_or(bare);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Endpoint { ip: ip.to_canonical(), port };
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Endpoint { ip: socket.ip().to_canonical(), port: socket.port() };
        }
        self.odd.push(self.place.odd(AnomalyKind::NotAnAddress, value.start));
        unknown
    }
}

type Message = crate::model::HttpMessage;

/// Whether a URL is one of HTTP or WebSocket inside TLS. An authority alone, as CONNECT has it, is one too.
fn is_secure(url: &[u8]) -> Result<bool, LeftOut> {
    let scheme = memchr::memchr3(b':', b'/', b'?', url).filter(|at| url.get(*at) == Some(&b':'));
    let Some((scheme, rest)) = scheme.and_then(|at| url.split_at_checked(at)) else { return Ok(false) };
    let is = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
    match () {
        () if is("https") || is("wss") => Ok(true),
        () if is("http") || is("ws") => Ok(false),
        () if rest.get(1).is_some_and(u8::is_ascii_digit) => Ok(rest == b":443"),
        () => Err(LeftOut::OtherScheme),
    }
}

/// The port that a URL names, or that of its scheme.
fn port(url: &[u8], secure: bool) -> u16 {
    let rest = memchr::memmem::find(url, b"://").and_then(|at| url.get(at.saturating_add(3)..)).unwrap_or(url);
    let authority = rest.split(|b| matches!(b, b'/' | b'?' | b'#')).next().unwrap_or_default();
    let named = authority.rsplit(|b| *b == b':').next().filter(|part| part.len() < authority.len());
    let named = named.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
    named.unwrap_or(if secure { 443 } else { 80 })
}

/// The version that a name of a protocol stands for, in the many ways in which it is written.
fn version(name: &[u8]) -> Option<HttpVersion> {
    let name = name.trim_ascii().to_ascii_lowercase();
    let number = name.strip_prefix(b"http/").unwrap_or(&name);
    match number {
        b"0.9" => Some(HttpVersion::V09),
        b"1.0" => Some(HttpVersion::V10),
        b"1.1" | b"1" => Some(HttpVersion::V11),
        b"2" | b"2.0" | b"h2" | b"h2c" => Some(HttpVersion::V2),
        b"3" | b"3.0" | b"h3" => Some(HttpVersion::V3),
        _ if number.starts_with(b"h3-") || memchr::memmem::find(number, b"quic").is_some() => Some(HttpVersion::V3),
        _ => None,
    }
}

fn protocol(version: HttpVersion) -> Vec<u8> {
    format!("HTTP/{}", version.word()).into_bytes()
}

/// Milliseconds as nanoseconds; too many become as many as there can be.
fn nanos(millis: f64) -> i64 {
    let nanos = Duration::try_from_secs_f64(millis / 1e3).map_or(u128::MAX, |d| d.as_nanos());
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

/// What base64 says, with or without its padding; line breaks are left out. `None`: it is none.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&STANDARD, config);
    if memchr::memchr3(b'\r', b'\n', b' ', text).is_none() {
        return engine.decode(text).ok();
    }
    let text: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    engine.decode(text).ok()
}
