//! A row's record and detail as texts ready to paint: all captured bytes pass `model::clean` here, off the window's thread.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::ColorImage;

use super::story::Story;
use super::text::{self, sentence};
use super::way::Find;
use crate::capture::{Comment, Merged};
use crate::engine::RowDetail;
use crate::evidence::{forgeable_by, pack};
use crate::export::LineState;
use crate::model::{
    ByteRange, Detail, Evidence, Exchange, FrameHead, FrameNo, HttpMessage, MessageKind, Part, ProviderId, Side,
    StartLine, WebSocketMessage, clean, clean_to, hex,
};
use crate::store::{Record, Snapshot};

/// Characters of one header line that are shown; the whole is in the capture.
const LINE_CHARS: usize = 4_096;
/// Characters of an excerpt in the ledger.
const EXCERPT_CHARS: usize = 240;
/// Bytes of a text line that are painted as one; a longer line goes on in the next.
const TEXT_LINE: usize = 240;
/// Bytes of a binary message that stand in the list.
const HEX_BYTES: usize = 24;
/// Characters of a comment on a frame.
const COMMENT_CHARS: usize = 1_000;
/// Spaces a level of JSON.
const INDENT: usize = 2;
/// Levels of JSON that are indented; deeper ones stay at the last.
const JSON_LEVELS: usize = 64;

/// A record with its texts.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) record: Record,
    pub(crate) request: Option<Head>,
    pub(crate) response: Option<Head>,
    pub(crate) lines: Vec<LedgerLine>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) story: Story,
}

/// A message's head, line by line.
#[derive(Debug)]
pub(crate) struct Head {
    /// What its number counts: `frame` or `entry`.
    pub(crate) unit: &'static str,
    pub(crate) frame: FrameNo,
    pub(crate) lines: Vec<HeadLine>,
    pub(crate) note: Option<String>,
}

/// One line of a head.
#[derive(Debug)]
pub(crate) struct HeadLine {
    /// The field's name; empty for a start line.
    pub(crate) name: String,
    /// The value, in pieces; `Some` where a ledger line proves by it.
    pub(crate) pieces: Vec<(String, Option<usize>)>,
    /// The ledger lines that stand here, ascending.
    pub(crate) marks: Vec<usize>,
    /// Characters of name and value.
    pub(crate) chars: (usize, usize),
    /// Bytes of the value as it stands in the capture; more than the pieces hold where it is very long.
    pub(crate) value_bytes: u32,
}

impl HeadLine {
    pub(crate) fn value(&self) -> String {
        self.pieces.iter().map(|(text, _)| text.as_str()).collect()
    }

    pub(crate) fn whole(&self) -> String {
        if self.name.is_empty() { self.value() } else { format!("{}: {}", self.name, self.value()) }
    }
}

/// One entry of the ledger.
#[derive(Debug)]
pub(crate) struct LedgerLine {
    pub(crate) provider: ProviderId,
    pub(crate) group: &'static str,
    pub(crate) excerpt: String,
    pub(crate) place: String,
    pub(crate) frame: Option<FrameNo>,
    pub(crate) proves: &'static str,
    pub(crate) suggests: &'static str,
    pub(crate) forgeable_by: String,
    pub(crate) speaks_to: String,
    pub(crate) signature: &'static str,
    pub(crate) signature_number: u16,
    /// What redaction did to it.
    pub(crate) state: LineState,
}

/// A row of the connection pane.
#[derive(Debug)]
pub(crate) enum Fact {
    Section(String),
    /// Label, text, whether the text is bytes from the wire.
    Pair(&'static str, String, bool),
    /// Something odd.
    Caution(String),
}

impl Shown {
    /// With the records around it as they are: for the window.
    pub(crate) fn new(record: Record, snapshot: &Snapshot) -> Self {
        Self::with(record, &[], &mut |id| snapshot.record(id).ok())
    }

    /// `states` says of each ledger line what redaction did to it, `find` gives other records.
    pub(crate) fn with(record: Record, states: &[LineState], find: Find<'_>) -> Self {
        let (mut request, mut response) = (None, None);
        if let Detail::Http(http) = &record.exchange.detail {
            let head = |message: &HttpMessage, part| Head::new(message, part, &record.ledger);
            request = http.request.as_ref().map(|m| head(m, Part::Request));
            response = http.response.as_ref().map(|m| head(m, Part::Response));
        }
        let state = |i: usize| states.get(i).copied().unwrap_or_default();
        let lines =
            record.ledger.iter().enumerate().map(|(i, e)| LedgerLine::new(e, &record.exchange, state(i))).collect();
        let facts = super::panes::connection::facts(&record);
        let story = Story::new(&record, find);
        Self { record, request, response, lines, facts, story }
    }
}

impl LedgerLine {
    fn new(evidence: &Evidence, exchange: &Exchange, state: LineState) -> Self {
        let signature = pack().signatures.get(usize::from(evidence.signature));
        let frame = evidence.place.frames.first().copied();
        let part = evidence.place.part.words();
        let place = match evidence.place.frames.as_slice() {
            [] => part,
            [one] => format!("{part}, {} {one}", exchange.unit()),
            [first, .., last] => format!("{part}, frames {first}–{last}"),
        };
        Self {
            provider: evidence.provider,
            group: evidence.group.words(),
            excerpt: clean_to(&evidence.text, EXCERPT_CHARS).into_owned(),
            place,
            frame,
            proves: signature.map_or("", |s| s.proves),
            suggests: signature.map_or("", |s| s.suggests),
            forgeable_by: forgeable_by(evidence, exchange),
            speaks_to: evidence.supports.words().collect::<Vec<_>>().join(", "),
            signature: signature.map_or("", |s| s.id),
            signature_number: evidence.signature,
            state,
        }
    }
}

impl Head {
    fn new(message: &HttpMessage, part: Part, ledger: &[Evidence]) -> Self {
        let block = &message.block;
        let mut lines = Vec::new();
        // A decoded head has no start line: its pseudo-header fields are fields like others.
        if !message.is_decoded() && !matches!(message.start, StartLine::Status { code: 0, .. }) {
            let start = ByteRange::between(0, message.start_line().len());
            lines.push(HeadLine::new(block, None, start, part, ledger));
        }
        for field in message.fields.iter().chain(&message.trailers) {
            lines.push(HeadLine::new(block, Some(field.name), field.value, part, ledger));
        }
        let note = (!message.complete).then(|| {
            if message.told_at.is_empty() {
                "Incomplete: the capture lacks part of this message".to_owned()
            } else {
                "Incomplete: the HAR file lacks part of this message".to_owned()
            }
        });
        let unit = if message.told_at.is_empty() { "frame" } else { "entry" };
        Self { unit, frame: message.header_frame, lines, note }
    }

    pub(crate) fn whole(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            out.push_str(&line.whole());
            out.push('\n');
        }
        out
    }
}

impl HeadLine {
    fn new(block: &[u8], name: Option<ByteRange>, value: ByteRange, part: Part, ledger: &[Evidence]) -> Self {
        let whole = name.map_or(value.start, |n| n.start);
        let mut marks = Vec::new();
        let mut hits: Vec<(u32, u32, usize)> = Vec::new();
        for (i, evidence) in ledger.iter().enumerate() {
            let range = evidence.place.range;
            if evidence.place.part == part && range.len > 0 && range.start < value.end() && range.end() > whole {
                marks.push(i);
                hits.push((range.start.max(value.start), range.end().min(value.end()), i));
            }
        }
        hits.sort_unstable();
        let mut pieces = Vec::new();
        let mut at = value.start;
        let mut left = LINE_CHARS;
        let mut push = |from: u32, to: u32, mark: Option<usize>| {
            if from < to && left > 0 {
                let piece = clean_to(ByteRange { start: from, len: to - from }.of(block), left).into_owned();
                left = left.saturating_sub(piece.chars().count());
                pieces.push((piece, mark));
            }
        };
        for (from, to, i) in hits {
            // Where two overlap, the first keeps the shared bytes.
            let from = from.max(at);
            if to > from {
                push(at, from, None);
                push(from, to, Some(i));
                at = to;
            }
        }
        push(at, value.end(), None);
        let name = name.map_or_else(String::new, |n| clean_to(n.of(block), 128).into_owned());
        let chars = (name.chars().count(), pieces.iter().map(|(p, _)| p.chars().count()).sum());
        Self { name, pieces, marks, chars, value_bytes: value.len }
    }
}

/// Bodies and frames ready to paint.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Option<BodyText>,
    pub(crate) response: Option<BodyText>,
    /// The messages of a WebSocket.
    pub(crate) messages: Vec<MessageText>,
    /// How many more there are than are listed.
    pub(crate) unlisted: u64,
    pub(crate) frames: Vec<(FrameHead, Arc<[u8]>)>,
    /// For each of them the file that it is from and its number there; empty where nothing was merged.
    pub(crate) origins: Vec<(Arc<str>, FrameNo)>,
    /// What the file says of single frames.
    pub(crate) comments: BTreeMap<FrameNo, String>,
    /// The entry of a HAR file, which has no frames.
    pub(crate) entry: Option<(FrameHead, BodyText)>,
}

impl Prepared {
    pub(crate) fn new(detail: RowDetail, record: &Record) -> Self {
        let (mut asked, mut answered) = (None, None);
        if let Detail::Http(http) = &record.exchange.detail {
            let media = |m: &Option<HttpMessage>| {
                m.as_ref().and_then(|m| m.field("content-type")).map(|v| clean_to(v, 80).into_owned())
            };
            (asked, answered) = (media(&http.request), media(&http.response));
        }
        let mut frames = detail.frames;
        let entry = record.exchange.reported.and_then(|_| frames.pop());
        Self {
            request: detail.request_body.map(|bytes| BodyText::new(bytes, asked.unwrap_or_default())),
            response: detail.response_body.map(|bytes| BodyText::new(bytes, answered.unwrap_or_default())),
            messages: detail.messages.messages.into_iter().map(MessageText::new).collect(),
            unlisted: detail.messages.unlisted,
            frames: frames.into_iter().map(|(head, bytes)| (head, bytes.into())).collect(),
            origins: Vec::new(),
            comments: BTreeMap::new(),
            entry: entry.map(|(head, bytes)| (head, BodyText::new(bytes, "application/json".to_owned()))),
        }
    }

    /// With where its frames are from.
    pub(crate) fn merged_from(mut self, merged: &Merged) -> Self {
        let names: Vec<Arc<str>> = merged.files.iter().map(|file| file.name.as_str().into()).collect();
        let origin = |head: &FrameHead| {
            let (file, there) = merged.origin(head.number)?;
            Some((Arc::clone(names.get(file)?), there))
        };
        self.origins = self.frames.iter().map_while(|(head, _)| origin(head)).collect();
        self
    }

    /// With what the file says of its frames.
    pub(crate) fn commented(mut self, comments: &[Comment]) -> Self {
        for comment in comments {
            let of = comment.frame.filter(|frame| self.frames.iter().any(|(head, _)| head.number == *frame));
            if let Some(frame) = of {
                let all = self.comments.entry(frame).or_default();
                all.push_str(if all.is_empty() { "" } else { " · " });
                all.push_str(&clean_to(&comment.text, COMMENT_CHARS));
            }
        }
        self
    }

    pub(crate) fn body(&self, side: Side) -> Option<&BodyText> {
        match side {
            Side::Client => self.request.as_ref(),
            Side::Server => self.response.as_ref(),
        }
    }
}

/// A message of a WebSocket with its lines.
#[derive(Debug)]
pub(crate) struct MessageText {
    /// The message, its payload moved to `body`.
    pub(crate) message: WebSocketMessage,
    /// What stands in the list.
    pub(crate) first_line: String,
    pub(crate) body: BodyText,
}

impl MessageText {
    fn new(mut message: WebSocketMessage) -> Self {
        let close = message.close().map(|(code, reason)| {
            let reason = clean_to(reason, EXCERPT_CHARS);
            let colon = if reason.is_empty() { "" } else { ": " };
            format!("{} {}{colon}{reason}", code.0, code.words())
        });
        let mut payload = std::mem::take(&mut message.payload);
        if message.kind == MessageKind::CLOSE {
            // The code stands in the first line.
            payload.drain(..payload.len().min(2));
        }
        let body = BodyText::new(payload, String::new());
        let first_line = close.unwrap_or_else(|| match body.kind {
            BodyKind::Text | BodyKind::Json => body.plain.get(0),
            BodyKind::Picture(name) => format!("{name} picture"),
            BodyKind::Binary => {
                let start = body.bytes.get(..HEX_BYTES).unwrap_or(&body.bytes);
                start.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
            }
        });
        Self { message, first_line, body }
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Text,
    Json,
    /// A picture that we can decode, with the format's name.
    Picture(&'static str),
    Binary,
}

/// A body with its lines.
#[derive(Debug)]
pub(crate) struct BodyText {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) media: String,
    pub(crate) kind: BodyKind,
    /// Lines of the body as it stands.
    pub(crate) plain: Lines,
    /// Lines of the JSON set out.
    pub(crate) json: Option<Lines>,
}

/// Text cut into lines to paint.
#[derive(Debug)]
pub(crate) struct Lines {
    text: Arc<[u8]>,
    ranges: Vec<(u32, u32)>,
}

impl Lines {
    fn new(text: Arc<[u8]>) -> Self {
        let mut ranges = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = memchr::memchr(b'\n', text.get(at..).unwrap_or_default()).map_or(text.len(), |n| at + n);
            let mut from = at;
            loop {
                let mut to = end.min(from + TEXT_LINE);
                // Not through the middle of a character (UTF-8 has at most three bytes after the first).
                for _ in 0..3 {
                    if to < end && text.get(to).is_some_and(|b| b & 0xc0 == 0x80) {
                        to -= 1;
                    }
                }
                let shown = if text.get(to.wrapping_sub(1)) == Some(&b'\r') && to == end { to - 1 } else { to };
                ranges.push((from as u32, shown.max(from) as u32));
                from = to;
                if from >= end {
                    break;
                }
            }
            at = end + 1;
        }
        Self { text, ranges }
    }

    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// A line, cleaned. Tabs become spaces first.
    pub(crate) fn get(&self, line: usize) -> String {
        let Some((from, to)) = self.ranges.get(line) else { return String::new() };
        let bytes = self.text.get(*from as usize..*to as usize).unwrap_or_default();
        if bytes.contains(&b'\t') {
            let spaced: Vec<u8> = bytes
                .iter()
                .flat_map(|b| if *b == b'\t' { b"    ".as_slice() } else { core::slice::from_ref(b) })
                .copied()
                .collect();
            return clean(&spaced).into_owned();
        }
        clean(bytes).into_owned()
    }
}

impl BodyText {
    pub(crate) fn new(bytes: Vec<u8>, media: String) -> Self {
        let kind = kind_of(&bytes, &media);
        let bytes: Arc<[u8]> = bytes.into();
        let json = (kind == BodyKind::Json).then(|| Lines::new(indented(&bytes).into()));
        Self { plain: Lines::new(Arc::clone(&bytes)), bytes, media, kind, json }
    }
}

fn kind_of(bytes: &[u8], media: &str) -> BodyKind {
    if let Some(name) = picture_name(bytes) {
        return BodyKind::Picture(name);
    }
    let sample = bytes.get(..4_096).unwrap_or(bytes);
    let media = media.to_ascii_lowercase();
    let first = sample.trim_ascii_start().first();
    let odd = sample.iter().filter(|b| **b < 0x20 && !matches!(b, b'\n' | b'\r' | b'\t' | 0x0c)).count();
    let readable = odd == 0 && (str::from_utf8(sample).is_ok() || sample.len() == 4_096 || media.starts_with("text/"));
    if !readable {
        return BodyKind::Binary;
    }
    let looks = matches!(first, Some(b'{' | b'[')) && !media.contains("javascript");
    if looks && (media.contains("json") || sample.contains(&b'"') || media.is_empty()) {
        BodyKind::Json
    } else {
        BodyKind::Text
    }
}

fn picture_name(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("PNG")
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some("JPEG")
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some("GIF")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("WebP")
    } else {
        None
    }
}

/// JSON with a line for each value. Only white space outside strings is changed; broken JSON comes out as far as it goes.
fn indented(bytes: &[u8]) -> Vec<u8> {
    fn line(out: &mut Vec<u8>, depth: usize) {
        out.push(b'\n');
        out.resize(out.len() + INDENT * depth.min(JSON_LEVELS), b' ');
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 4);
    let (mut depth, mut in_string, mut escaped, mut opened) = (0_usize, false, false, false);
    for byte in bytes.iter().copied() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        if byte.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(byte, b'}' | b']');
        if opened && !closes {
            line(&mut out, depth);
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                depth += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !opened {
                    line(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_string = byte == b'"';
                out.push(byte);
            }
        }
        opened = matches!(byte, b'{' | b'[');
    }
    out
}

/// A decoded picture.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) image: ColorImage,
    pub(crate) about: String,
}

/// Decodes the first picture of PNG, JPEG, GIF or WebP within limits that are set before the first pixel.
pub(crate) fn picture(bytes: &[u8], pixels: u64) -> Result<Picture, String> {
    let name = picture_name(bytes).ok_or("not a picture that is shown here")?;
    let open = || image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string());
    let (width, height) = open()?.into_dimensions().map_err(|e| e.to_string())?;
    if u64::from(width) * u64::from(height) > pixels {
        return Err(format!("{width} × {height} pixels are more than the {} that are shown", text::count(pixels)));
    }
    let mut reader = open()?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(pixels.saturating_mul(8));
    reader.limits(limits);
    let decoded = reader.decode().map_err(|e| clean_to(e.to_string().as_bytes(), 200).into_owned())?;
    // Larger pictures than a graphics card takes are shown smaller.
    let decoded = if width.max(height) > 2_048 { decoded.thumbnail(2_048, 2_048) } else { decoded }.into_rgba8();
    let size = [decoded.width() as usize, decoded.height() as usize];
    Ok(Picture {
        image: ColorImage::from_rgba_unmultiplied(size, decoded.as_raw()),
        about: format!("{name}, {width} × {height} pixels"),
    })
}

/// A digest in words of eight digits.
pub(crate) fn grouped_hex(bytes: &[u8]) -> String {
    hex(bytes)
}

/// What a message's body is, in words.
pub(crate) fn body_words(message: &HttpMessage) -> String {
    let body = &message.body;
    let mut words = match body.decoded_bytes {
        Some(decoded) if decoded != body.wire_bytes => {
            format!("{}, {} on the wire", text::bytes(decoded), text::bytes(body.wire_bytes))
        }
        Some(decoded) => text::bytes(decoded),
        None => format!("{} on the wire, not decoded whole", text::bytes(body.wire_bytes)),
    };
    if let Some(digest) = &body.sha256 {
        words.push_str(" · SHA-256 ");
        words.push_str(&hex(digest));
    }
    sentence(&words)
}

#[cfg(test)]
mod tests {
    use super::{BodyKind, Lines, indented, kind_of};

    #[track_caller]
    fn check(json: &str, want: &str) {
        assert_eq!(String::from_utf8_lossy(&indented(json.as_bytes())), want);
    }

    #[test]
    fn json_is_set_out() {
        check(r#"{"a":[1,2],"b":{}}"#, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
        check(r#""a{,}\"b""#, r#""a{,}\"b""#);
        check("]]]", "\n]\n]\n]");
        check("", "");
    }

    #[test]
    fn json_of_any_depth_stays_small() {
        let deep = vec![b'['; 1 << 16];
        assert!(indented(&deep).len() < (1 << 16) * 140);
    }

    #[test]
    fn long_lines_go_on() {
        let lines = Lines::new(vec![b'x'; 1_000].into());
        assert_eq!(lines.len(), 5);
        let lines = Lines::new("é".repeat(500).into_bytes().into());
        assert!((0..lines.len()).all(|i| !lines.get(i).contains('\\')));
        let lines = Lines::new(b"a\r\n\r\nb".to_vec().into());
        assert_eq!(
            (lines.len(), lines.get(0), lines.get(1), lines.get(2)),
            (3, "a".to_owned(), String::new(), "b".to_owned())
        );
    }

    #[test]
    fn content_decides() {
        assert_eq!(kind_of(b"{\"a\":1}", ""), BodyKind::Json);
        assert_eq!(kind_of(b"<html>", "text/html"), BodyKind::Text);
        assert_eq!(kind_of(b"\x00\x01", "text/plain"), BodyKind::Binary);
        assert_eq!(kind_of(b"GIF89a....", "image/png"), BodyKind::Picture("GIF"));
    }
}
