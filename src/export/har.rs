//! HAR 1.2 (HTTP Archive, <http://www.softwareishard.com/blog/har-12-spec/>): what browser tools and many others read.
//!
//! Secrets are replaced before anything is written, unless that was switched off: archives are made to be handed on.

use std::borrow::Cow;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::har_bodies::{Archive, Found};
use super::json::url;
use super::said::{comment_of, learn, process_of};
use super::{ExportError, Listing, Redactor};
use crate::capture::Place;
use crate::engine::RowsWanted;
use crate::evidence::pack;
use crate::model::{
    Body, Budget, Detail, Exchange, Grade, HttpExchange, HttpMessage, HttpVersion, MessageKind, MessageList, Side,
    StartLine, Timestamp, clean,
};
use crate::store::{Record, RowId, Snapshot, host_and_path, request_line};

/// Characters of a media type that is not said.
const UNKNOWN_MEDIA: &str = "x-unknown";

/// Where bodies are read again: the capture, and the limits for that. Each connection is read once more for them.
#[derive(Clone, Copy, Debug)]
pub struct BodySource<'a> {
    /// The capture.
    pub capture: Place<'a>,
    /// The limits.
    pub budget: &'a Budget,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HarCounts {
    /// Entries.
    pub entries: u64,
    /// HTTP exchanges left out because the capture lacks their requests.
    pub without_request: u64,
    /// Places at which a secret was replaced.
    pub replaced: u32,
    /// Entries whose bodies were not read.
    pub unread: u64,
    /// Why the first of them was not, with the capture's path, which does not stand in the document.
    pub why_unread: Option<String>,
}

/// Writes the listing's HTTP exchanges as one HAR document; with their bodies where these can be read.
pub fn write_har(
    listing: &Listing<'_>,
    bodies: Option<BodySource<'_>>,
    redactor: &mut Redactor,
    out: &mut dyn Write,
) -> Result<HarCounts, ExportError> {
    let snapshot = listing.snapshot;
    let mut wanted = RowsWanted::default();
    // A secret may be told apart in the last body only: everything is learned before anything is written.
    learn(listing, redactor)?;
    for (_, id) in listing.rows() {
        let record = snapshot.record(id)?;
        if request_of(&record).is_some() {
            wanted.add(id, &record.exchange);
        }
    }
    let mut archive = Archive::new();
    if let Some(source) = bodies {
        archive.fill(source, snapshot, wanted, redactor)?;
    }
    let mut counts = HarCounts { unread: archive.unread, why_unread: archive.why.take(), ..HarCounts::default() };
    let creator = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    write!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[")?;
    for (n, id) in listing.rows() {
        let record = snapshot.record(id)?;
        if request_of(&record).is_none() {
            counts.without_request += u64::from(matches!(record.exchange.detail, Detail::Http(_)));
            continue;
        }
        let mut entry = entry(n, &record, archive.find(id)?, redactor);
        say(&mut entry, snapshot, id, redactor);
        if let (Some((file, there)), Some(own)) =
            (snapshot.facts().capture.merged.file_of(record.exchange.first_frame), entry.get_mut("_nephoscope"))
        {
            own["file"] = lossy(&redactor.text(file.name.as_bytes(), "capture's name")).into();
            own["file_frame"] = there.0.into();
        }
        out.write_all(if counts.entries == 0 { b"\n" } else { b",\n" })?;
        // Its own error would hide that the pipe is closed.
        serde_json::to_writer(&mut *out, &entry).map_err(io::Error::from)?;
        counts.entries += 1;
    }
    let name = redactor.text(snapshot.facts().capture.name.as_bytes(), "capture's name");
    counts.replaced = redactor.count();
    let comment = json!(comment(snapshot, &name, &counts, redactor.is_on()));
    writeln!(out, "\n],\"comment\":{comment}}}}}")?;
    Ok(counts)
}

/// Puts what the user says of a row into its entry, beside what we say of it.
fn say(entry: &mut Value, snapshot: &Snapshot, id: RowId, redactor: &mut Redactor) {
    let comment = comment_of(snapshot, id, &mut Some(redactor));
    if !comment.is_empty() {
        let ours = entry.get("comment").and_then(Value::as_str);
        entry["comment"] = ours.map_or_else(|| comment.to_string(), |ours| format!("{comment}; {ours}")).into();
    }
    let Some(own) = entry.get_mut("_nephoscope") else { return };
    let note = snapshot.note(id);
    if note.is_some_and(|note| note.marked) {
        own["marked"] = true.into();
    }
    if note.is_some_and(|note| note.ignored) {
        own["ignored"] = true.into();
    }
    if let Some(colour) = snapshot.colour(id) {
        own["conversation"] = colour.number().into();
    }
    let process = process_of(snapshot, id, &mut Some(redactor));
    if !process.is_empty() {
        own["process"] = process.into();
    }
}

/// The request, without which there is no entry.
fn request_of(record: &Record) -> Option<&HttpMessage> {
    match &record.exchange.detail {
        Detail::Http(http) => http.request.as_ref(),
        Detail::Tls(_) | Detail::Dns(_) => None,
    }
}

fn comment(snapshot: &Snapshot, name: &[u8], counts: &HarCounts, is_redacted: bool) -> String {
    let mut parts = vec![format!("Made from the capture {}", clean(name))];
    if let Some(sha256) = snapshot.facts().sha256 {
        parts.push(format!("SHA-256 {}", crate::model::hex(&sha256)));
    }
    parts.push(if is_redacted {
        format!("secrets were replaced at {} places", counts.replaced)
    } else {
        "nothing was hidden".to_owned()
    });
    if counts.without_request > 0 {
        parts.push(format!("{} responses whose requests the capture lacks are left out", counts.without_request));
    }
    if counts.unread > 0 {
        parts.push(format!("the bodies of {} exchanges were not read", counts.unread));
    }
    parts.join("; ")
}

fn entry(n: u32, record: &Record, read: Found, redactor: &mut Redactor) -> Value {
    let shown = redactor.record(record).record;
    let exchange = &record.exchange;
    let (Detail::Http(plain), Detail::Http(http)) = (&exchange.detail, &shown.exchange.detail) else {
        return Value::Null;
    };
    let (mut sent, mut unread) = (None, None);
    let [request_body, response_body] = match read {
        Found::Read(detail) => {
            sent = Some(detail.messages);
            let of = |message: &Option<HttpMessage>| message.as_ref().map(|message| message.body);
            [(of(&plain.request), detail.request_body), (of(&plain.response), detail.response_body)]
                .map(|(body, bytes)| body.map_or_else(Content::default, |body| content(&body, bytes, redactor)))
        }
        Found::Unread(why) => {
            unread = Some(why);
            [Content::default(), Content::default()]
        }
        Found::NotAsked => [Content::default(), Content::default()],
    };
    let timings = timings(plain, exchange);
    let total: f64 = ["send", "wait", "receive"].iter().filter_map(|part| timings[part].as_f64()).sum();
    let mut entry = json!({
        "startedDateTime": moment(exchange.time),
        "time": total,
        "request": request(plain, http, &shown.exchange, request_body),
        "response": response(plain, http, response_body),
        "cache": {},
        "timings": timings,
        "connection": connection(&shown.exchange),
        "_nephoscope": verdict(n, &shown),
    });
    if shown.exchange.server.is_known() {
        entry["serverIPAddress"] = json!(shown.exchange.server.ip.to_string());
    }
    if http.websocket.is_some() {
        entry["_resourceType"] = json!("websocket");
        if let Some(sent) = sent {
            entry["_webSocketMessages"] = messages(&sent, redactor);
        }
    }
    if let Some(why) = unread {
        entry["comment"] = json!(format!("bodies were not read: {}", clean(why.as_bytes())));
    }
    entry
}

/// What tells connections apart: the client's port, or in what comes of a HAR file the first entry of the connection.
fn connection(exchange: &Exchange) -> String {
    if exchange.client.is_known() { exchange.client.port.to_string() } else { exchange.flow.0.to_string() }
}

/// The messages of a WebSocket, as browser tools write them: who sent it, seconds since 1970, the opcode, and the payload as
/// text, or in base64 where it is binary. Control frames are left out, as there.
fn messages(list: &MessageList, redactor: &mut Redactor) -> Value {
    let messages = || list.messages.iter().filter(|message| !message.kind.is_control());
    let written = messages().map(|message| {
        let payload = redactor.text(&message.payload, "message");
        let text = message.kind == MessageKind::TEXT;
        let (data, coded) = match String::from_utf8(payload) {
            Ok(data) if text => (data, false),
            Ok(data) => (STANDARD.encode(data), false),
            Err(error) => (STANDARD.encode(error.as_bytes()), text),
        };
        let sent = if message.side == Side::Client { "send" } else { "receive" };
        let time = message.last.1.0 as f64 / 1e9;
        let mut written = json!({ "type": sent, "time": time, "opcode": message.kind.0, "data": data });
        if coded {
            // Text that is none.
            written["_encoding"] = json!("base64");
        }
        if !message.state.words().is_empty() {
            written["_comment"] = json!(message.state.words());
        }
        written
    });
    written.collect()
}

/// A time as HAR has it: milliseconds, with its zone.
fn moment(time: Timestamp) -> String {
    format!("{}T{}Z", time.date(), time.time_of_day(3))
}

/// Milliseconds between two times; none is negative.
fn millis(from: Timestamp, to: Timestamp) -> f64 {
    to.nanos_since(from).max(0) as f64 / 1e6
}

/// The phases that a capture shows. Looking up the name and opening the connection belong to other rows.
fn timings(http: &HttpExchange, exchange: &Exchange) -> Value {
    let request_end = http.request.as_ref().map_or(exchange.time, |request| request.end_time);
    let (wait, receive) = match &http.response {
        Some(response) => (millis(request_end, response.time), millis(response.time, response.end_time)),
        None => (millis(request_end, exchange.end_time), 0.0),
    };
    json!({
        "blocked": -1, "dns": -1, "connect": -1, "ssl": -1,
        "send": millis(exchange.time, request_end), "wait": wait, "receive": receive,
    })
}

fn version(http: &HttpExchange) -> String {
    http.version().map_or_else(String::new, |version| match version {
        HttpVersion::V2 | HttpVersion::V3 => format!("HTTP/{}.0", version.word()),
        version => format!("HTTP/{}", version.word()),
    })
}

/// `plain` tells sizes, `http` everything that is shown.
fn request(plain: &HttpExchange, http: &HttpExchange, exchange: &Exchange, body: Content) -> Value {
    let (Some(sizes), Some(message)) = (&plain.request, &http.request) else { return Value::Null };
    let (method, target) = request_line(message);
    let (host, path) = host_and_path(message, target);
    let (host, path) = (lossy(host), lossy(path));
    // CONNECT names an authority only.
    let url =
        url(exchange.scheme(message), (method, target), &host, &path).unwrap_or_else(|| lossy(target).into_owned());
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs: Vec<Value> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(named).collect();
    let mut request = json!({
        "method": lossy(method),
        "url": url,
        "httpVersion": version(http),
        "cookies": cookies(message),
        "headers": headers(message),
        "queryString": pairs,
        "headersSize": head_bytes(sizes),
        "bodySize": sizes.body.wire_bytes,
    });
    if sizes.body.wire_bytes > 0 {
        let media = message.field("content-type").map_or(Cow::Borrowed(UNKNOWN_MEDIA), lossy);
        let mut data = json!({ "mimeType": media, "params": [] });
        // HAR has no place for what is no text here; the word is that of response bodies.
        body.put(&mut data, "_encoding");
        request["postData"] = data;
    }
    request
}

fn response(plain: &HttpExchange, http: &HttpExchange, body: Content) -> Value {
    let (Some(sizes), Some(message)) = (&plain.response, &http.response) else {
        // As browsers write a request that was never answered.
        return json!({
            "status": 0, "statusText": "", "httpVersion": version(http), "cookies": [], "headers": [], "redirectURL": "",
            "content": { "size": 0, "mimeType": UNKNOWN_MEDIA }, "headersSize": -1, "bodySize": -1,
            "comment": "no response in the capture",
        });
    };
    let (status, reason) = match message.start {
        StartLine::Status { code, reason } => (code, lossy(reason.of(&message.block))),
        StartLine::Request { .. } => (0, Cow::Borrowed("")),
    };
    let media = message.field("content-type").map_or(Cow::Borrowed(UNKNOWN_MEDIA), lossy);
    let wire = sizes.body.wire_bytes;
    let size = sizes.body.decoded_bytes;
    let mut held = json!({ "size": size.unwrap_or(wire), "mimeType": media });
    if let Some(saved) = size.and_then(|size| size.checked_sub(wire)).filter(|saved| *saved > 0) {
        held["compression"] = json!(saved);
    }
    body.put(&mut held, "encoding");
    let mut response = json!({
        "status": status,
        "statusText": reason,
        "httpVersion": version(http),
        "cookies": set_cookies(message),
        "headers": headers(message),
        "content": held,
        "redirectURL": message.field("location").map(lossy).unwrap_or_default(),
        "headersSize": head_bytes(sizes),
        "bodySize": wire,
    });
    if !sizes.complete {
        response["comment"] = json!("the capture lacks a part of this response");
    }
    response
}

/// What is shown of a body: nothing of one that was not read.
#[derive(Default)]
struct Content {
    text: Option<String>,
    /// Whether that is base64, since the body is no text.
    is_base64: bool,
    /// What is to be said where that is not all of it.
    lacks: Option<String>,
}

impl Content {
    fn put(self, held: &mut Value, encoding: &str) {
        if let Some(text) = self.text {
            held["text"] = json!(text);
        }
        if self.is_base64 {
            held[encoding] = json!("base64");
        }
        if let Some(lacks) = self.lacks {
            held["comment"] = json!(lacks);
        }
    }
}

/// What was read of a body, without its secrets.
fn content(body: &Body, read: Option<Vec<u8>>, redactor: &mut Redactor) -> Content {
    // What came from a cache has a body, and nothing of it was sent.
    if body.wire_bytes == 0 && body.decoded_bytes.is_none_or(|bytes| bytes == 0) {
        return Content::default();
    }
    let bytes = read.unwrap_or_default();
    let len = bytes.len() as u64;
    let lacks = match body.decoded_bytes {
        Some(whole) if whole == len => None,
        Some(whole) => Some(format!("the first {len} of {whole} bytes: more are not kept")),
        None if len == 0 => {
            Some("the body could not be read: bytes are missing, or its coding cannot be undone".to_owned())
        }
        None => Some(format!("{len} bytes of the body: others are missing, or its coding cannot be undone")),
    };
    if len == 0 && lacks.is_some() {
        return Content { lacks, ..Content::default() };
    }
    let (text, is_base64) = match String::from_utf8(redactor.text(&bytes, "body")) {
        Ok(text) => (text, false),
        Err(bytes) => (STANDARD.encode(bytes.as_bytes()), true),
    };
    Content { text: Some(text), is_base64, lacks }
}

/// Bytes of the head as sent; -1 where field compression leaves no such size, or it was not seen.
fn head_bytes(message: &HttpMessage) -> i64 {
    if message.is_decoded() || !message.told_at.is_empty() {
        -1
    } else {
        i64::try_from(message.block.len()).unwrap_or(-1)
    }
}

fn named<T: serde::Serialize>((name, value): (T, T)) -> Value {
    json!({ "name": name, "value": value })
}

fn headers(message: &HttpMessage) -> Vec<Value> {
    message.each_field().map(|(name, value)| named((lossy(name), lossy(value)))).collect()
}

fn each_value<'a>(message: &'a HttpMessage, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
    message.each_field().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| lossy(value))
}

/// Cookies of a request (RFC 6265 section 4.2.1).
fn cookies(message: &HttpMessage) -> Vec<Value> {
    let mut cookies = Vec::new();
    for value in each_value(message, "cookie") {
        let pairs = value.split(';').map(str::trim).filter(|pair| !pair.is_empty());
        cookies.extend(pairs.map(|pair| named(pair.split_once('=').unwrap_or((pair, "")))));
    }
    cookies
}

/// Cookies that a response sets (RFC 6265 section 4.1.1).
fn set_cookies(message: &HttpMessage) -> Vec<Value> {
    each_value(message, "set-cookie")
        .map(|value| {
            let mut parts = value.split(';').map(str::trim);
            let pair = parts.next().unwrap_or_default();
            let mut cookie = named(pair.split_once('=').unwrap_or((pair, "")));
            for part in parts {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                match name.to_ascii_lowercase().as_str() {
                    key @ ("path" | "domain" | "expires") => cookie[key] = json!(value),
                    "httponly" => cookie["httpOnly"] = json!(true),
                    "secure" => cookie["secure"] = json!(true),
                    _ => {}
                }
            }
            cookie
        })
        .collect()
}

/// What only this program knows: the exchange's number and frames, and who answered.
fn verdict(n: u32, record: &Record) -> Value {
    let Record { exchange, verdict, .. } = record;
    let pack = pack();
    let operator = verdict.operator.and_then(|o| pack.providers.get(usize::from(o.value.0)));
    let product = verdict.product.and_then(|p| pack.services.get(usize::from(p.value)));
    json!({
        "n": n,
        "frames": [exchange.first_frame.0, exchange.last_frame.0],
        "decrypted": exchange.envelope.is_some(),
        "operator": operator.map(|o| o.id),
        "product": product.map(|p| p.id),
        "role": verdict.role.map(|r| r.value),
        "grade": verdict.grade.map(Grade::word),
        "conflict": verdict.conflict,
    })
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
