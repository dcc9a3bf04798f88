//! Frame headers (RFC 6455 section 5.2), and how frames are told from anything else.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use crate::model::{Cursor, MessageKind, Reject, Side, Step};

/// Longest header: two bytes, eight of length, four of mask.
pub(super) const HEADER_BYTES: usize = 14;
/// Longest payload of a control frame (RFC 6455 section 5.5).
pub(super) const CONTROL_BYTES: u64 = 125;
/// Bytes of readable text that tell a frame whose end is not there.
const READABLE_BYTES: usize = 16;

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    /// The last frame of its message.
    pub(super) fin: bool,
    /// The bit that permessage-deflate takes for a compressed message (RFC 7692 section 6).
    pub(super) rsv1: bool,
    /// The other two reserved bits.
    pub(super) reserved: u8,
    pub(super) kind: MessageKind,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) len: u64,
    /// The length is written in more bytes than it needs, which is not allowed.
    pub(super) long_form: bool,
}

impl FrameHead {
    /// Reads a header from the front of some bytes.
    pub(super) fn read(bytes: &[u8]) -> Step<Self> {
        let mut cursor = Cursor::new(bytes);
        let (Some(first), Some(second)) = (cursor.u8(), cursor.u8()) else { return Step::NeedMore };
        let (len, least) = match second & 0x7f {
            126 => (cursor.u16().map(u64::from), 126),
            127 => (cursor.u64(), 1 << 16),
            short => (Some(u64::from(short)), 0),
        };
        let Some(len) = len else { return Step::NeedMore };
        if len >> 63 != 0 {
            return Step::Reject(Reject::NotThis);
        }
        let mask = if second & 0x80 == 0 {
            None
        } else {
            let Some(mask) = cursor.u32() else { return Step::NeedMore };
            Some(mask.to_be_bytes())
        };
        let value = Self {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            reserved: first & 0x30,
            kind: MessageKind(first & 0x0f),
            mask,
            len,
            long_form: len < least,
        };
        Step::Done { used: cursor.used(), value }
    }

    /// Whether it keeps all rules that a header can keep by itself. Clients mask and servers do not (RFC 6455 section 5.1);
    /// reserved bits and opcodes belong to extensions.
    pub(super) fn is_sound(&self, sender: Side, compresses: bool) -> bool {
        let known = matches!(
            self.kind,
            MessageKind::CONTINUATION
                | MessageKind::TEXT
                | MessageKind::BINARY
                | MessageKind::CLOSE
                | MessageKind::PING
                | MessageKind::PONG
        );
        let control = !self.kind.is_control() || self.fin && self.len <= CONTROL_BYTES && !self.rsv1;
        // Only the first frame of a message says that it is compressed (RFC 7692 section 6).
        let compressed = !self.rsv1 || compresses && self.kind != MessageKind::CONTINUATION;
        let masked = self.mask.is_some() == (sender == Side::Client);
        known && control && compressed && masked && self.reserved == 0 && !self.long_form
    }
}

/// Whether frames begin at the first of these bytes: sound headers, one behind the payload of the other, and at least one
/// frame that is whole; or readable text that goes on past the end.
pub(super) fn begins(bytes: &[u8], sender: Side, compresses: bool) -> bool {
    let (mut at, mut whole) = (0_usize, false);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return whole;
        }
        match FrameHead::read(rest) {
            Step::Reject(_) => return false,
            Step::NeedMore => return whole,
            Step::Done { value, .. } if !value.is_sound(sender, compresses) => return false,
            Step::Done { used, value } => {
                let payload = rest.get(used..).unwrap_or_default();
                let len = usize::try_from(value.len).unwrap_or(usize::MAX);
                if len > payload.len() {
                    return whole || is_readable(&value, payload);
                }
                whole = true;
                at = at.saturating_add(used).saturating_add(len);
            }
        }
    }
}

fn is_readable(head: &FrameHead, payload: &[u8]) -> bool {
    let text = head.kind == MessageKind::TEXT && !head.rsv1 && head.mask.is_none();
    let good = match str::from_utf8(payload) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let odd = |b: &u8| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r');
    text && payload.len() >= READABLE_BYTES && good && !payload.iter().any(odd)
}
