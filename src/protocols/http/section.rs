//! A decoded field section on its way into a message.
//!
//! The message's block is the section as text, a line a field in the order in which they came, `name: value` and a line
//! feed; pseudo-header fields (`:method`, `:status`) are fields like others and come first, as they are sent. So method,
//! target and every field are ranges of it, as in HTTP/1, and the block remembers which frames carried which field.

use super::{Start, is_token};
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Body, Budget, ByteRange, Field, FrameNo, HttpMessage, HttpVersion, Limit,
    StartLine,
};

/// What each field costs beside its bytes (RFC 9113 section 6.5.2, RFC 9114 section 4.2.2).
const FIELD_BYTES: usize = 32;
/// Pseudo-header fields that are known (RFC 9113 section 8.3, RFC 8441 section 4).
const PSEUDO: [&[u8]; 6] = [b":method", b":scheme", b":authority", b":path", b":protocol", b":status"];

/// How much of a section is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SectionLimits {
    /// By the measure of RFC 9113 section 6.5.2.
    bytes: usize,
    fields: usize,
}

impl SectionLimits {
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { bytes: budget.section_bytes, fields: budget.head_fields }
    }

    /// The same, but no more than so many bytes.
    fn within(self, bytes: u64) -> Self {
        Self { bytes: self.bytes.min(usize::try_from(bytes).unwrap_or(usize::MAX)), ..self }
    }
}

/// Bytes of decoded fields that one byte of header blocks earns. A byte may name an entry of 4 KiB; a client whose every
/// request repeats 3 KiB of cookies needs some 150.
const SECTION_RATIO: u64 = 256;
/// Bytes of decoded fields that need not be earned, and the most that can be saved up.
const SECTION_FREE_BYTES: u64 = 512 << 10;

/// How many bytes of fields a connection may yet unpack to.
#[derive(Debug)]
pub(crate) struct Room(u64);

impl Room {
    pub(crate) fn new() -> Self {
        Self(SECTION_FREE_BYTES)
    }

    /// Takes up a header block of so many bytes; gives what its section may have.
    pub(crate) fn section(&mut self, coded: usize, limits: SectionLimits) -> Section {
        let earned = u64::try_from(coded).unwrap_or(u64::MAX).saturating_mul(SECTION_RATIO);
        self.0 = self.0.saturating_add(earned).min(SECTION_FREE_BYTES);
        Section::new(limits.within(self.0))
    }

    /// The section has become that.
    pub(crate) fn spend(&mut self, section: &Section) {
        self.0 = self.0.saturating_sub(u64::try_from(section.len()).unwrap_or(u64::MAX));
    }
}

/// Fields as they come out of the decoder.
#[derive(Debug)]
pub(crate) struct Section {
    block: Vec<u8>,
    fields: Vec<Field>,
    spans: Vec<BlockSpan>,
    room: SectionLimits,
    /// The limit that was reached.
    limit: Option<Limit>,
    /// Fields that the decoder could not tell: their table entries were never seen.
    lost: u64,
    /// A string in it breaks the Huffman code's rules, or the section ends in the middle.
    pub(crate) broken: bool,
    /// The capture lacks its end.
    pub(crate) cut: bool,
}

impl Section {
    pub(crate) fn new(room: SectionLimits) -> Self {
        Self {
            block: Vec::new(),
            fields: Vec::new(),
            spans: Vec::new(),
            room,
            limit: None,
            lost: 0,
            broken: false,
            cut: false,
        }
    }

    /// Adds a field; `frames` carried its first and its last byte.
    pub(crate) fn push(&mut self, name: &[u8], value: &[u8], frames: [FrameNo; 2]) {
        let cost = name.len().saturating_add(value.len()).saturating_add(FIELD_BYTES);
        let Some(bytes) = self.room.bytes.checked_sub(cost) else {
            // What is over is decoded on, for the table's sake, and not kept; nor is what comes behind it.
            self.room.bytes = 0;
            self.limit = Some(Limit::SectionBytes);
            return;
        };
        let Some(fields) = self.room.fields.checked_sub(1) else {
            self.limit = Some(Limit::HeadFields);
            return;
        };
        self.room = SectionLimits { bytes, fields };
        let [first, last] = frames;
        self.span(first);
        let name_at = self.block.len();
        self.block.extend_from_slice(name);
        let name = ByteRange::between(name_at, self.block.len());
        self.block.extend_from_slice(b": ");
        let value_at = self.block.len();
        if last != first {
            self.span(last);
        }
        self.block.extend_from_slice(value);
        let value = ByteRange::between(value_at, self.block.len());
        self.block.push(b'\n');
        self.fields.push(Field { name, value });
    }

    /// Bytes of the fields as text.
    pub(crate) fn len(&self) -> usize {
        self.block.len()
    }

    /// A field came that cannot be told.
    pub(crate) fn lose(&mut self) {
        self.lost = self.lost.saturating_add(1);
    }

    /// From here on the block came from that frame.
    fn span(&mut self, frame: FrameNo) {
        if self.spans.last().is_none_or(|span| span.frame != frame) {
            let at = u32::try_from(self.block.len()).unwrap_or(u32::MAX);
            self.spans.push(BlockSpan { at, frame });
        }
    }

    /// Where the value of the first field of that name stands.
    fn range(&self, name: &[u8]) -> Option<ByteRange> {
        self.fields.iter().find(|f| f.name.of(&self.block) == name).map(|f| f.value)
    }

    pub(crate) fn has(&self, name: &[u8]) -> bool {
        self.range(name).is_some()
    }

    /// The status code; `None` where it is missing or no number of three digits (RFC 9110 section 15).
    pub(crate) fn status(&self) -> Option<u16> {
        let text = self.range(b":status")?.of(&self.block);
        let number = text.len() == 3 && text.iter().all(u8::is_ascii_digit);
        str::from_utf8(text).ok().filter(|_| number)?.parse().ok()
    }

    /// What is odd in it, at the place where it began. `trailers`: no pseudo-header field belongs there.
    fn odd(&self, start: Start, trailers: bool, anomalies: &mut Vec<Anomaly>) {
        let mut note = |kind: AnomalyKind, len: u64| {
            anomalies.push(Anomaly { kind, frame: start.frame, offset: start.offset, len });
        };
        if self.lost > 0 {
            note(AnomalyKind::FieldLost, 0);
        }
        if self.broken {
            note(AnomalyKind::BadFieldSection, 0);
        }
        if let Some(limit) = self.limit {
            note(AnomalyKind::Limit(limit), 0);
        }
        let names = || self.fields.iter().map(|f| f.name.of(&self.block));
        // RFC 9113 section 8.2.1: small letters and the others of a token.
        let bad_name = |n: &[u8]| n.is_empty() || n.iter().any(|b| !is_token(*b) || b.is_ascii_uppercase());
        let bad_value = |v: &[u8]| v.iter().any(|b| matches!(b, 0 | b'\r' | b'\n'));
        let bad = names().any(|n| bad_name(n.strip_prefix(b":").unwrap_or(n)))
            || self.fields.iter().any(|f| bad_value(f.value.of(&self.block)));
        if bad {
            note(AnomalyKind::BadField, 0);
        }
        // RFC 9113 section 8.3: known ones, each once, before all others, and none in trailers.
        let first = names().take_while(|n| n.starts_with(b":")).count();
        let late = names().skip(first).any(|n| n.starts_with(b":"));
        let pseudo: Vec<&[u8]> = names().take(first).collect();
        let twice = pseudo.iter().enumerate().any(|(i, n)| pseudo.iter().skip(i.saturating_add(1)).any(|o| o == n));
        let unknown = pseudo.iter().any(|n| !PSEUDO.contains(n));
        let whole = self.lost == 0 && !self.broken && !self.cut && self.limit.is_none();
        let missing = !trailers && whole && self.lacks();
        if late || twice || unknown || missing || trailers && first > 0 {
            note(AnomalyKind::BadPseudoField, 0);
        }
    }

    /// Whether a pseudo-header field that has to be there is not.
    fn lacks(&self) -> bool {
        if self.has(b":status") {
            return self.status().is_none();
        }
        let connect = self.range(b":method").is_some_and(|m| m.of(&self.block) == b"CONNECT");
        let whole = self.has(b":scheme") && self.has(b":path");
        !(self.has(b":method") && (whole || connect && self.has(b":authority")))
    }

    /// The message that this section is the head of: a response where `response` says so.
    pub(crate) fn message(
        self,
        response: bool,
        version: HttpVersion,
        (start, end): (Start, Start),
        anomalies: &mut Vec<Anomaly>,
    ) -> HttpMessage {
        self.odd(start, false, anomalies);
        let nothing = ByteRange::default();
        let start_line = if response {
            // Like in HTTP/0.9, where none is known, the code is 0.
            StartLine::Status { code: self.status().unwrap_or(0), reason: nothing }
        } else {
            let target = self.range(b":path").or_else(|| self.range(b":authority"));
            StartLine::Request { method: self.range(b":method").unwrap_or(nothing), target: target.unwrap_or(nothing) }
        };
        let Self { block, fields, mut spans, .. } = self;
        if spans.is_empty() {
            spans.push(BlockSpan { at: 0, frame: start.frame });
        }
        HttpMessage {
            block: block.into(),
            version,
            start: start_line,
            fields,
            told_at: Vec::new(),
            trailers: Vec::new(),
            spans,
            stream_offset: start.offset,
            first_frame: start.frame,
            header_frame: end.frame,
            last_frame: end.frame,
            time: start.time,
            end_time: end.time,
            body: Body { stream_offset: end.offset, ..Body::default() },
            opening: None,
            complete: false,
        }
    }

    /// Puts this section behind the head of its message.
    pub(crate) fn into_trailers(self, message: &mut HttpMessage, start: Start, anomalies: &mut Vec<Anomaly>) {
        self.odd(start, true, anomalies);
        let base = u32::try_from(message.block.len()).unwrap_or(u32::MAX);
        let moved = |r: ByteRange| ByteRange { start: r.start.saturating_add(base), ..r };
        let mut block = std::mem::take(&mut message.block).into_vec();
        block.extend_from_slice(&self.block);
        message.block = block.into();
        message.spans.extend(self.spans.iter().map(|s| BlockSpan { at: s.at.saturating_add(base), ..*s }));
        message.trailers.extend(self.fields.iter().map(|f| Field { name: moved(f.name), value: moved(f.value) }));
    }
}
