//! HAR 1.2 (HTTP Archive, <http://www.softwareishard.com/blog/har-12-spec/>): what browser tools and many others read.
//!
//! Secrets are replaced before anything is written, unless that was switched off: archives are made to be handed on.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::json::url;
use super::{ExportError, Listing, Redactor};
use crate::engine::{self, RowDetail};
use crate::evidence::pack;
use crate::model::{
    Budget, Detail, Exchange, Grade, HttpExchange, HttpMessage, HttpVersion, MessageKind, MessageList, Side, StartLine,
    Timestamp, clean,
};
use crate::store::{Record, Snapshot, host_and_path, request_line};

/// Characters of a media type that is not said.
const UNKNOWN_MEDIA: &str = "x-unknown";

/// Where bodies are read again: the capture, and the limits for that. They cost a second reading of each connection.
#[derive(Clone, Copy, Debug)]
pub struct BodySource<'a> {
    /// The capture file, or the folder of a live capture.
    pub capture: &'a Path,
    /// The limits.
    pub budget: &'a Budget,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HarCounts {
    /// Entries.
    pub entries: u64,
    /// HTTP exchanges left out because the capture lacks their requests.
    pub without_request: u64,
    /// Places at which a secret was replaced.
    pub replaced: u32,
}

/// Writes the listing's HTTP exchanges as one HAR document; with their bodies where these can be read.
pub fn write_har(
    listing: &Listing<'_>,
    bodies: Option<BodySource<'_>>,
    redactor: &mut Redactor,
    out: &mut dyn Write,
) -> Result<HarCounts, ExportError> {
    let snapshot = listing.snapshot;
    for (_, id) in listing.rows() {
        redactor.learn(&snapshot.record(id)?);
    }
    let mut counts = HarCounts::default();
    let creator = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    write!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[")?;
    for (n, id) in listing.rows() {
        let record = snapshot.record(id)?;
        let Detail::Http(http) = &record.exchange.detail else { continue };
        if http.request.is_none() {
            counts.without_request += 1;
            continue;
        }
        let body = bodies.map(|source| read_bodies(source, &record, snapshot));
        let entry = entry(n, &record, body, redactor);
        out.write_all(if counts.entries == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &entry)?;
        counts.entries += 1;
    }
    counts.replaced = redactor.count();
    let comment = json!(comment(snapshot, &counts, redactor));
    writeln!(out, "\n],\"comment\":{comment}}}}}")?;
    Ok(counts)
}

fn comment(snapshot: &Snapshot, counts: &HarCounts, redactor: &Redactor) -> String {
    let mut parts = vec![format!("Made from the capture {}", clean(snapshot.facts().capture.name.as_bytes()))];
    if let Some(sha256) = snapshot.facts().sha256 {
        parts.push(format!("SHA-256 {}", crate::model::hex(&sha256)));
    }
    parts.push(if redactor.is_on() {
        format!("secrets were replaced at {} places", counts.replaced)
    } else {
        "nothing was hidden".to_owned()
    });
    if counts.without_request > 0 {
        parts.push(format!("{} responses whose requests the capture lacks are left out", counts.without_request));
    }
    parts.join("; ")
}

/// What a row carried, or why it could not be read.
type ReadBodies = Result<RowDetail, String>;

fn read_bodies(source: BodySource<'_>, record: &Record, snapshot: &Snapshot) -> ReadBodies {
    engine::detail(source.capture, record, snapshot, source.budget).map_err(|error| error.to_string())
}

fn entry(n: u32, record: &Record, bodies: Option<ReadBodies>, redactor: &mut Redactor) -> Value {
    let shown = redactor.record(record).record;
    let exchange = &record.exchange;
    let (Detail::Http(plain), Detail::Http(http)) = (&exchange.detail, &shown.exchange.detail) else {
        return Value::Null;
    };
    let read = matches!(bodies, Some(Ok(_)));
    let (unread, detail) = match bodies {
        Some(Ok(detail)) => (None, detail),
        Some(Err(why)) => (Some(why), RowDetail::default()),
        None => (None, RowDetail::default()),
    };
    let [request_body, response_body] = [detail.request_body, detail.response_body].map(|body| {
        body.map(|bytes| {
            redactor.learn_text(&bytes);
            redactor.text(&bytes, "body")
        })
    });
    let timings = timings(plain, exchange);
    let total: f64 = ["send", "wait", "receive"].iter().filter_map(|part| timings[part].as_f64()).sum();
    let mut entry = json!({
        "startedDateTime": moment(exchange.time),
        "time": total,
        "request": request(plain, http, &shown.exchange, request_body),
        "response": response(plain, http, response_body),
        "cache": {},
        "timings": timings,
        "serverIPAddress": shown.exchange.server.ip.to_string(),
        "connection": shown.exchange.client.port.to_string(),
        "_nephoscope": verdict(n, &shown),
    });
    if http.websocket.is_some() {
        entry["_resourceType"] = json!("websocket");
        if read {
            entry["_webSocketMessages"] = messages(&detail.messages, redactor);
        }
    }
    if let Some(why) = unread {
        entry["comment"] = json!(format!("bodies were not read: {}", clean(why.as_bytes())));
    }
    entry
}

/// The messages of a WebSocket, as browser tools write them: who sent it, seconds since 1970, the opcode, and the payload as
/// text, or in base64 where it is binary. Control frames are left out, as there.
fn messages(list: &MessageList, redactor: &mut Redactor) -> Value {
    let messages = || list.messages.iter().filter(|message| !message.kind.is_control());
    for message in messages() {
        redactor.learn_text(&message.payload);
    }
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
fn request(plain: &HttpExchange, http: &HttpExchange, exchange: &Exchange, body: Option<Vec<u8>>) -> Value {
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
        let (text, encoding) = content(body);
        data["text"] = json!(text.unwrap_or_default());
        if let Some(encoding) = encoding {
            data["_encoding"] = json!(encoding);
        }
        request["postData"] = data;
    }
    request
}

fn response(plain: &HttpExchange, http: &HttpExchange, body: Option<Vec<u8>>) -> Value {
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
    let (text, encoding) = content(body);
    if let Some(text) = text {
        held["text"] = json!(text);
    }
    if let Some(encoding) = encoding {
        held["encoding"] = json!(encoding);
    }
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

/// A body as text, else in base64 with the word for that.
fn content(body: Option<Vec<u8>>) -> (Option<String>, Option<&'static str>) {
    match body.map(String::from_utf8) {
        None => (None, None),
        Some(Ok(text)) => (Some(text), None),
        Some(Err(bytes)) => (Some(STANDARD.encode(bytes.as_bytes())), Some("base64")),
    }
}

/// Bytes of the head as sent; -1 where field compression leaves no such size.
fn head_bytes(message: &HttpMessage) -> i64 {
    if message.is_decoded() { -1 } else { i64::try_from(message.block.len()).unwrap_or(-1) }
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
