//! Frame headers (RFC 9113 section 4.1), and where they are to be found again.

use super::super::Sniff;
use super::super::http::{Section, SectionLimits};
use super::hpack::Decoder;
use crate::model::{Budget, Cursor, FrameNo};

/// What a client sends first (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame header.
pub(super) const HEADER_BYTES: usize = 9;
/// The longest payload until more is agreed upon (RFC 9113 section 6.5.2).
pub(super) const FIRST_MOST: usize = 16_384;
/// Streams with a higher number are not believed where frames are looked for: a client that opens a hundred streams a
/// second gets there after a day.
const BELIEVED_STREAM: u32 = 1 << 24;

/// A frame's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(pub(super) u8);

impl Kind {
    pub(super) const DATA: Self = Self(0);
    pub(super) const HEADERS: Self = Self(1);
    pub(super) const PRIORITY: Self = Self(2);
    pub(super) const RST_STREAM: Self = Self(3);
    pub(super) const SETTINGS: Self = Self(4);
    pub(super) const PUSH_PROMISE: Self = Self(5);
    pub(super) const PING: Self = Self(6);
    pub(super) const GOAWAY: Self = Self(7);
    pub(super) const WINDOW_UPDATE: Self = Self(8);
    pub(super) const CONTINUATION: Self = Self(9);
}

/// Flags (RFC 9113 section 6); `END_STREAM` and `ACK` are one bit.
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITY: u8 = 0x20;

/// A frame header.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHead {
    pub(super) len: usize,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl FrameHead {
    /// Reads nine bytes; `None` where there are fewer.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let len = usize::try_from(cursor.u24()?).ok()?;
        let (kind, flags) = (Kind(cursor.u8()?), cursor.u8()?);
        // The reserved bit is passed over (RFC 9113 section 4.1).
        Some(Self { len, kind, flags, stream: cursor.u32()? & 0x7fff_ffff })
    }

    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether length and stream are what its type allows (RFC 9113 section 6); any is allowed to types that are not known.
    pub(super) fn is_sound(self, most: usize) -> bool {
        let length = match self.kind {
            Kind::PRIORITY => self.len == 5,
            Kind::RST_STREAM | Kind::WINDOW_UPDATE => self.len == 4,
            Kind::PING => self.len == 8,
            Kind::GOAWAY => self.len >= 8,
            Kind::SETTINGS => self.len.is_multiple_of(6) && (!self.has(ACK) || self.len == 0),
            Kind::PUSH_PROMISE => self.len >= 4,
            _ => true,
        };
        let stream = match self.kind {
            Kind::SETTINGS | Kind::PING | Kind::GOAWAY => self.stream == 0,
            Kind::DATA
            | Kind::HEADERS
            | Kind::PRIORITY
            | Kind::RST_STREAM
            | Kind::PUSH_PROMISE
            | Kind::CONTINUATION => self.stream != 0,
            _ => true,
        };
        length && stream && self.len <= most
    }

    /// Whether it is one that is believed where frames are looked for: sound, of a known type, with its own flags only.
    fn is_believed(self, raw: &[u8]) -> bool {
        let flags = match self.kind {
            Kind::DATA => END_STREAM | PADDED,
            Kind::HEADERS => END_STREAM | END_HEADERS | PADDED | PRIORITY,
            Kind::PUSH_PROMISE => END_HEADERS | PADDED,
            Kind::CONTINUATION => END_HEADERS,
            Kind::SETTINGS | Kind::PING => ACK,
            Kind::PRIORITY | Kind::RST_STREAM | Kind::GOAWAY | Kind::WINDOW_UPDATE => 0,
            _ => return false,
        };
        let reserved = raw.get(5).is_some_and(|b| b & 0x80 != 0);
        !reserved && self.flags & !flags == 0 && self.stream < BELIEVED_STREAM && self.is_sound(FIRST_MOST)
    }
}

/// Whether frames begin here: a header that keeps all rules, its payload, and behind it another such header. That is some
/// sixty bits that would have to be right by chance.
pub(super) fn begins(bytes: &[u8]) -> Sniff {
    let Some(head) = FrameHead::read(bytes) else { return Sniff::NeedMore };
    if !head.is_believed(bytes) {
        return Sniff::No;
    }
    let Some(rest) = bytes.get(HEADER_BYTES.saturating_add(head.len)..) else { return Sniff::NeedMore };
    match FrameHead::read(rest) {
        None => Sniff::NeedMore,
        Some(next) if next.is_believed(rest) => Sniff::Yes,
        Some(_) => Sniff::No,
    }
}

/// Whether these bytes are exactly one frame that is believed.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    FrameHead::read(bytes)
        .is_some_and(|head| head.is_believed(bytes) && bytes.len() == HEADER_BYTES.saturating_add(head.len))
}

/// Whether the first bytes of a side are HTTP/2: the client's preface; or several frames that keep all rules, one of them
/// with a header block that decodes and has a pseudo-header field, as where a capture starts late.
pub fn sniff(bytes: &[u8]) -> Sniff {
    if bytes.starts_with(PREFACE) {
        return Sniff::Yes;
    }
    if PREFACE.starts_with(bytes) {
        return Sniff::NeedMore;
    }
    // A length that is believed begins so: what begins otherwise is not waited for.
    if !matches!(bytes, [0] | [0, 0..=0x40] | [0, 0..=0x40, _] | [0, 0..=0x40, _, 0..=9, ..]) {
        return Sniff::No;
    }
    let (mut rest, mut frames, mut fields) = (bytes, 0_u32, false);
    while let Some(head) = FrameHead::read(rest) {
        if !head.is_believed(rest) {
            return Sniff::No;
        }
        frames = frames.saturating_add(1);
        let end = HEADER_BYTES.saturating_add(head.len);
        let Some((frame, behind)) = rest.split_at_checked(end) else { return enough(frames, fields) };
        fields |= head.kind == Kind::HEADERS && has_fields(head, frame.get(HEADER_BYTES..).unwrap_or_default());
        rest = behind;
    }
    enough(frames, fields)
}

fn enough(frames: u32, fields: bool) -> Sniff {
    if fields && frames >= 2 { Sniff::Yes } else { Sniff::NeedMore }
}

/// Whether a HEADERS payload is a whole block with a pseudo-header field in it.
fn has_fields(head: FrameHead, payload: &[u8]) -> bool {
    let budget = Budget::default();
    let Some((_, block)) = fragment(head, payload, false).filter(|_| head.has(END_HEADERS)) else { return false };
    let mut decoder = Decoder::new(budget.table_bytes);
    decoder.lose();
    let mut section = Section::new(SectionLimits::new(&budget));
    let read = decoder.decode(block, |_| FrameNo(0), &mut section);
    read.is_ok() && !section.broken && (section.has(b":status") || section.has(b":path") || section.has(b":method"))
}

/// The piece of a header block in a payload of HEADERS, `PUSH_PROMISE` or CONTINUATION, without padding, priority and promised
/// stream (RFC 9113 sections 6.2, 6.6, 6.10), and where in the payload it begins. `None` where these take more than is
/// there. Of a payload that is cut, what there is.
pub(super) fn fragment(head: FrameHead, payload: &[u8], cut: bool) -> Option<(usize, &[u8])> {
    let mut cursor = Cursor::new(payload);
    let padded = head.has(PADDED) && head.kind != Kind::CONTINUATION;
    let padding = if padded { usize::from(cursor.u8()?) } else { 0 };
    match head.kind {
        Kind::HEADERS if head.has(PRIORITY) => cursor.skip(5)?,
        Kind::PUSH_PROMISE => cursor.skip(4)?,
        _ => {}
    }
    let rest = cursor.rest();
    let len = if cut { rest.len() } else { rest.len().checked_sub(padding)? };
    Some((cursor.used(), rest.get(..len)?))
}
