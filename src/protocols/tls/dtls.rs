//! DTLS (RFC 6347, RFC 9147): records in datagrams, handshake messages in fragments that may come twice or out of order.

use super::handshake::{HEADER_BYTES, Message, known, read};
use super::record::HANDSHAKE;
use crate::model::{BlockSpan, Cursor, FrameNo};

/// Messages of one side that are put together at once.
const OPEN_MESSAGES: usize = 8;
/// Fragments of one message that wait.
const FRAGMENTS: usize = 256;
/// Bytes of fragments for each byte of their message: overlaps are legal, but nobody sends everything five times anew.
const OVERLAP: usize = 4;

/// One record of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// The content type.
    pub(super) kind: u8,
    /// Whether it is protected (its epoch is not 0, or its header is the short one of DTLS 1.3).
    pub(super) sealed: bool,
    /// The fragment.
    pub(super) bytes: &'a [u8],
}

/// Takes the next record from the front of a datagram; `None` where none stands there.
pub(super) fn record<'a>(datagram: &mut &'a [u8]) -> Option<Record<'a>> {
    let first = *datagram.first()?;
    if first & 0xE0 == 0x20 {
        // The unified header (RFC 9147 section 4): the record's end need not be told, so the datagram ends with it.
        let bytes = core::mem::take(datagram);
        return Some(Record { kind: first, sealed: true, bytes });
    }
    let mut cursor = Cursor::new(datagram);
    let (kind, version, epoch) = (cursor.u8()?, cursor.u16()?, cursor.u16()?);
    cursor.skip(6)?;
    let len = cursor.u16()?;
    // 0x0100 is the version of OpenSSL before DTLS 1.0 was published, still spoken by AnyConnect.
    if !(20..=26).contains(&kind) || !matches!(version, 0x0100 | 0xFEFC..=0xFEFF) {
        return None;
    }
    let bytes = cursor.slice(usize::from(len))?;
    *datagram = cursor.rest();
    Some(Record { kind, sealed: epoch > 0, bytes })
}

/// The header of a handshake fragment (RFC 6347 section 4.2.2) with its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    /// The message's type.
    pub(super) kind: u8,
    /// The message's body length.
    pub(super) len: usize,
    /// The message's number in its flight sequence.
    pub(super) number: u16,
    at: usize,
    bytes: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Takes the next fragment from the front of a record.
    pub(super) fn take(record: &mut &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(record);
        let (kind, len, number) = (cursor.u8()?, usize::try_from(cursor.u24()?).ok()?, cursor.u16()?);
        let (at, part) = (usize::try_from(cursor.u24()?).ok()?, usize::try_from(cursor.u24()?).ok()?);
        if !known(kind) || at.checked_add(part)? > len {
            return None;
        }
        let bytes = cursor.slice(part)?;
        *record = cursor.rest();
        Some(Self { kind, len, number, at, bytes })
    }

    /// The client random, where this fragment is a whole ClientHello.
    pub(super) fn whole_random(&self) -> Option<&'a [u8]> {
        (self.bytes.len() == self.len).then(|| self.bytes.get(2..34)).flatten()
    }
}

/// Whether a datagram begins with a plain handshake record whose message opens an association.
pub(super) fn sniff(bytes: &[u8]) -> bool {
    let mut datagram = bytes;
    let Some(first) = record(&mut datagram) else { return false };
    let mut body = first.bytes;
    first.kind == HANDSHAKE
        && !first.sealed
        && Fragment::take(&mut body).is_some_and(|f| matches!(f.kind, 1..=3) && (!f.bytes.is_empty() || f.len == 0))
}

/// A message being put together.
#[derive(Debug)]
struct Open {
    number: u16,
    kind: u8,
    len: usize,
    offset: u64,
    first_frame: FrameNo,
    /// By place in the message; they may overlap.
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    at: usize,
    frame: FrameNo,
    bytes: Vec<u8>,
}

/// The handshake messages of one side.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// Messages that are complete, by number; a handshake has far fewer than 64.
    complete: u64,
    open: Vec<Open>,
    /// A protected record came.
    pub(super) sealed: bool,
    whole: Vec<u8>,
    spans: Vec<BlockSpan>,
}

impl Flights {
    /// Forgets everything: another association begins.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Whether the message of that number is complete.
    pub(super) fn has(&self, number: u16) -> bool {
        self.complete.checked_shr(u32::from(number)).is_none_or(|bits| bits & 1 == 1)
    }

    /// Numbers the message as complete, whether it was read or not.
    pub(super) fn close(&mut self, number: u16) {
        self.complete |= 1_u64.checked_shl(u32::from(number)).unwrap_or(0);
        self.open.retain(|o| o.number != number);
    }

    /// Takes a fragment that stands at stream offset `offset`; gives the message that it completes.
    pub(super) fn add(&mut self, fragment: &Fragment<'_>, offset: u64, frame: FrameNo) -> Option<Message<'_>> {
        if self.has(fragment.number) || !read(fragment.kind) {
            return None;
        }
        let known = self.open.iter().position(|o| o.number == fragment.number);
        let index = known.unwrap_or(self.open.len());
        if known.is_none() {
            if self.open.len() >= OPEN_MESSAGES {
                return None;
            }
            let (number, kind, len) = (fragment.number, fragment.kind, fragment.len);
            self.open.push(Open { number, kind, len, offset, first_frame: frame, pieces: Vec::new() });
        }
        let open = self.open.get_mut(index)?;
        if open.kind != fragment.kind || open.len != fragment.len || open.pieces.len() >= FRAGMENTS {
            return None;
        }
        // A fragment that came before brings nothing.
        if open.pieces.iter().any(|p| p.at == fragment.at && p.bytes.len() >= fragment.bytes.len()) {
            return None;
        }
        let held: usize = open.pieces.iter().map(|p| p.bytes.len()).sum();
        if held.saturating_add(fragment.bytes.len()) > open.len.saturating_mul(OVERLAP) {
            return None;
        }
        if fragment.at == 0 {
            open.offset = offset;
        }
        let place = open.pieces.partition_point(|p| p.at <= fragment.at);
        open.pieces.insert(place, Piece { at: fragment.at, frame, bytes: fragment.bytes.to_vec() });
        if !open.covered() {
            return None;
        }
        let open = self.open.swap_remove(index);
        self.close(open.number);
        self.join(&open);
        Some(Message {
            kind: open.kind,
            bytes: &self.whole,
            spans: &self.spans,
            offset: open.offset,
            first_frame: open.first_frame,
        })
    }

    /// Type and length as TLS has them, then the body without the fields for fragments.
    fn join(&mut self, open: &Open) {
        self.whole.clear();
        self.spans.clear();
        let [.., a, b, c] = u64::try_from(open.len).unwrap_or_default().to_be_bytes();
        self.whole.extend([open.kind, a, b, c]);
        for piece in &open.pieces {
            let have = self.whole.len().saturating_sub(HEADER_BYTES);
            let Some(news) = piece.bytes.get(have.saturating_sub(piece.at)..).filter(|n| !n.is_empty()) else {
                if have == 0 && self.spans.is_empty() {
                    self.spans.push(BlockSpan { at: 0, frame: piece.frame });
                }
                continue;
            };
            let at = if have == 0 { 0 } else { u32::try_from(self.whole.len()).unwrap_or(u32::MAX) };
            if self.spans.last().is_none_or(|s| s.frame != piece.frame) {
                self.spans.push(BlockSpan { at, frame: piece.frame });
            }
            self.whole.extend_from_slice(news);
        }
    }
}

impl Open {
    fn covered(&self) -> bool {
        let mut have = 0_usize;
        for piece in &self.pieces {
            if piece.at > have {
                return false;
            }
            have = have.max(piece.at.saturating_add(piece.bytes.len()));
        }
        have >= self.len
    }
}
