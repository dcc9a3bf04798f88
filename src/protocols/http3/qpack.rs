//! QPACK (RFC 9204): field sections become fields, by a table that a stream of its own fills.
//!
//! Comes in: the bytes of an encoder stream in order, and encoded field sections. Goes out: fields into a section. Never: a
//! guess. A section that needs entries which have not come yet is blocked; one whose entries the capture lacks loses the
//! fields that need them, and says so.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::super::http::{Section, Text, integer, text};
use crate::model::{Cursor, FrameNo};

/// What an entry costs beside its bytes (RFC 9204 section 3.2.1).
const ENTRY_BYTES: usize = 32;
/// Bytes of an instruction beside its strings, at most.
const INSTRUCTION_BYTES: usize = 16;

/// RFC 9204 appendix A.
static STATIC: [(&str, &str); 99] = [
    (":authority", ""),
    (":path", "/"),
    ("age", "0"),
    ("content-disposition", ""),
    ("content-length", "0"),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("referer", ""),
    ("set-cookie", ""),
    (":method", "CONNECT"),
    (":method", "DELETE"),
    (":method", "GET"),
    (":method", "HEAD"),
    (":method", "OPTIONS"),
    (":method", "POST"),
    (":method", "PUT"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "103"),
    (":status", "200"),
    (":status", "304"),
    (":status", "404"),
    (":status", "503"),
    ("accept", "*/*"),
    ("accept", "application/dns-message"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-ranges", "bytes"),
    ("access-control-allow-headers", "cache-control"),
    ("access-control-allow-headers", "content-type"),
    ("access-control-allow-origin", "*"),
    ("cache-control", "max-age=0"),
    ("cache-control", "max-age=2592000"),
    ("cache-control", "max-age=604800"),
    ("cache-control", "no-cache"),
    ("cache-control", "no-store"),
    ("cache-control", "public, max-age=31536000"),
    ("content-encoding", "br"),
    ("content-encoding", "gzip"),
    ("content-type", "application/dns-message"),
    ("content-type", "application/javascript"),
    ("content-type", "application/json"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("content-type", "image/gif"),
    ("content-type", "image/jpeg"),
    ("content-type", "image/png"),
    ("content-type", "text/css"),
    ("content-type", "text/html; charset=utf-8"),
    ("content-type", "text/plain"),
    ("content-type", "text/plain;charset=utf-8"),
    ("range", "bytes=0-"),
    ("strict-transport-security", "max-age=31536000"),
    ("strict-transport-security", "max-age=31536000; includesubdomains"),
    ("strict-transport-security", "max-age=31536000; includesubdomains; preload"),
    ("vary", "accept-encoding"),
    ("vary", "origin"),
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "1; mode=block"),
    (":status", "100"),
    (":status", "204"),
    (":status", "206"),
    (":status", "302"),
    (":status", "400"),
    (":status", "403"),
    (":status", "421"),
    (":status", "425"),
    (":status", "500"),
    ("accept-language", ""),
    ("access-control-allow-credentials", "FALSE"),
    ("access-control-allow-credentials", "TRUE"),
    ("access-control-allow-headers", "*"),
    ("access-control-allow-methods", "get"),
    ("access-control-allow-methods", "get, post, options"),
    ("access-control-allow-methods", "options"),
    ("access-control-expose-headers", "content-length"),
    ("access-control-request-headers", "content-type"),
    ("access-control-request-method", "get"),
    ("access-control-request-method", "post"),
    ("alt-svc", "clear"),
    ("authorization", ""),
    ("content-security-policy", "script-src 'none'; object-src 'none'; base-uri 'none'"),
    ("early-data", "1"),
    ("expect-ct", ""),
    ("forwarded", ""),
    ("if-range", ""),
    ("origin", ""),
    ("purpose", "prefetch"),
    ("server", ""),
    ("timing-allow-origin", "*"),
    ("upgrade-insecure-requests", "1"),
    ("user-agent", ""),
    ("x-forwarded-for", ""),
    ("x-frame-options", "deny"),
    ("x-frame-options", "sameorigin"),
];

/// Bytes that break the rules: nothing behind them can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Name and value of a field.
type Kept = (Box<[u8]>, Box<[u8]>);

#[derive(Debug)]
struct Entry {
    /// Name and value; `None` where they could not be told.
    field: Option<Kept>,
    cost: usize,
}

impl Entry {
    fn told(&self) -> Option<(&[u8], &[u8])> {
        self.field.as_ref().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// Name and value as a section has them.
type Line<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The dynamic table of one encoder.
#[derive(Debug)]
pub(super) struct Table {
    /// Oldest first.
    entries: VecDeque<Entry>,
    /// How many were dropped before the first one that is there.
    dropped: u64,
    bytes: usize,
    capacity: usize,
    /// The capacity that is kept at most, whatever they agree upon.
    limit: usize,
    /// An instruction that has not ended.
    pending: Vec<u8>,
    /// Instructions were missed: what is in the table is not known any more.
    lost: bool,
}

/// What a section needs before it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// All is there, or will never be.
    Nothing,
    /// So many entries.
    Entries(u64),
    /// The size of the table, which the other side tells in its settings.
    Size,
}

impl Table {
    /// An empty table (RFC 9204 section 3.2.3). `limit`: bytes that it may hold.
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: VecDeque::new(), dropped: 0, bytes: 0, capacity: 0, limit, pending: Vec::new(), lost: false }
    }

    /// How many entries were added.
    pub(super) fn inserted(&self) -> u64 {
        self.dropped.saturating_add(u64::try_from(self.entries.len()).unwrap_or(u64::MAX))
    }

    /// Bytes of the encoder stream are missing: how many entries they added, nobody knows.
    pub(super) fn lose(&mut self) {
        self.entries.clear();
        self.pending = Vec::new();
        self.lost = true;
    }

    /// Takes the next bytes of the encoder stream (RFC 9204 section 4.3).
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if self.lost {
            return Ok(());
        }
        let mut pending = core::mem::take(&mut self.pending);
        pending.extend_from_slice(bytes);
        let mut cursor = Cursor::new(&pending);
        let mut used = 0;
        while !cursor.is_empty() {
            match self.instruction(&mut cursor) {
                Some(Ok(())) => used = cursor.used(),
                Some(Err(broken)) => {
                    self.lose();
                    return Err(broken);
                }
                None => break,
            }
        }
        pending.drain(..used);
        // A string that is longer than the table can never be an entry of it (section 3.2.2).
        if pending.len() > self.limit.saturating_mul(2).saturating_add(INSTRUCTION_BYTES) {
            self.lose();
            return Err(Broken);
        }
        self.pending = pending;
        Ok(())
    }

    /// One instruction. `None`: it has not ended.
    fn instruction(&mut self, cursor: &mut Cursor<'_>) -> Option<Result<(), Broken>> {
        let first = cursor.u8()?;
        if first & 0x80 != 0 {
            // Insert with name reference.
            let index = integer(cursor, first, 6)?;
            let value = string(cursor, 7)?;
            let name = if first & 0x40 != 0 {
                STATIC.get(index).map(|(name, _)| Some(name.as_bytes().into()))
            } else {
                self.relative(self.inserted(), index).map(|e| e.field.as_ref().map(|(name, _)| name.clone()))
            };
            let Some(name) = name else { return Some(Err(Broken)) };
            self.add(name.zip(value.map(|value| value.as_ref().into())));
        } else if first & 0x40 != 0 {
            // Insert with literal name.
            let name = text(cursor, first, 5)?;
            let value = string(cursor, 7)?;
            let name = if let Text::Whole(name) = name { Some(name) } else { None };
            self.add(name.zip(value).map(|(name, value)| (name.as_ref().into(), value.as_ref().into())));
        } else if first & 0x20 != 0 {
            // Set dynamic table capacity.
            self.capacity = integer(cursor, first, 5)?.min(self.limit);
            self.evict(0);
        } else {
            // Duplicate.
            let index = integer(cursor, first, 5)?;
            let Some(entry) = self.relative(self.inserted(), index) else { return Some(Err(Broken)) };
            let field = entry.field.clone();
            self.add(field);
        }
        Some(Ok(()))
    }

    /// RFC 9204 section 3.2.2. An entry that could not be told counts as little as one can.
    fn add(&mut self, field: Option<Kept>) {
        let len = field.as_ref().map_or(0, |(name, value)| name.len().saturating_add(value.len()));
        let cost = len.saturating_add(ENTRY_BYTES);
        self.evict(cost);
        if self.bytes.saturating_add(cost) <= self.capacity {
            self.bytes = self.bytes.saturating_add(cost);
            self.entries.push_back(Entry { field, cost });
        } else {
            // Larger than what is kept here: it counts, and cannot be told.
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Drops the oldest entries until so many more bytes have room.
    fn evict(&mut self, room: usize) {
        while self.bytes.saturating_add(room) > self.capacity {
            let Some(Entry { cost, .. }) = self.entries.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(cost);
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// The entry that is `index` before `base` (RFC 9204 section 3.2.5).
    fn relative(&self, base: u64, index: usize) -> Option<&Entry> {
        self.absolute(base.checked_sub(1)?.checked_sub(u64::try_from(index).ok()?)?)
    }

    /// The entry of that number, from 0 (RFC 9204 section 3.2.4).
    fn absolute(&self, number: u64) -> Option<&Entry> {
        let place = usize::try_from(number.checked_sub(self.dropped)?).ok()?;
        self.entries.get(place)
    }

    /// What a section needs. `inserted` is how many entries had been added when it came, `most_bytes` the table's greatest
    /// size as the decoding side allows it, where that is known (RFC 9204 section 4.5.1.1).
    pub(super) fn needs(&self, block: &[u8], inserted: u64, most_bytes: Option<u64>) -> Result<Needs, Broken> {
        let mut cursor = Cursor::new(block);
        let count = cursor.u8().and_then(|first| integer(&mut cursor, first, 8)).ok_or(Broken)?;
        if count == 0 || self.lost {
            return Ok(Needs::Nothing);
        }
        let Some(most_bytes) = most_bytes else { return Ok(Needs::Size) };
        let required = required(count, inserted, most_bytes).ok_or(Broken)?;
        Ok(if required > self.inserted() { Needs::Entries(required) } else { Needs::Nothing })
    }

    /// Decodes a section; `frame_of` tells which frame brought the byte at an offset. Fields whose entries are not there are
    /// lost.
    pub(super) fn decode(
        &self,
        block: &[u8],
        (inserted, most_bytes): (u64, Option<u64>),
        frame_of: impl Fn(usize) -> FrameNo,
        section: &mut Section,
    ) -> Result<(), Broken> {
        let mut cursor = Cursor::new(block);
        let read = self.prefix(&mut cursor, inserted, most_bytes).and_then(|base| {
            while !cursor.is_empty() {
                let from = cursor.used();
                let field = self.field(&mut cursor, base, section)?;
                let frames = [frame_of(from), frame_of(cursor.used().saturating_sub(1))];
                match field {
                    Some((name, value)) => section.push(&name, &value, frames),
                    None => section.lose(),
                }
            }
            Some(())
        });
        section.broken |= read.is_none();
        read.ok_or(Broken)
    }

    /// The section's base (RFC 9204 section 4.5.1); the inner `None` where what it counts from is not known.
    #[expect(clippy::option_option, reason = "broken, or not known")]
    fn prefix(&self, cursor: &mut Cursor<'_>, inserted: u64, most_bytes: Option<u64>) -> Option<Option<u64>> {
        let first = cursor.u8()?;
        let count = integer(cursor, first, 8)?;
        let sign = cursor.u8()?;
        let delta = u64::try_from(integer(cursor, sign, 7)?).ok()?;
        if count == 0 {
            return Some(Some(delta));
        }
        let Some(most_bytes) = most_bytes.filter(|_| !self.lost) else { return Some(None) };
        let required = required(count, inserted, most_bytes)?;
        let base = if sign & 0x80 == 0 {
            required.checked_add(delta)?
        } else {
            required.checked_sub(delta)?.checked_sub(1)?
        };
        Some(Some(base))
    }

    /// One field line (RFC 9204 section 4.5). `None`: it does not end, or means nothing; `Some(None)`: it cannot be told.
    #[expect(clippy::option_option, reason = "what means nothing and what cannot be told are two things")]
    fn field<'a>(
        &'a self,
        cursor: &mut Cursor<'a>,
        base: Option<u64>,
        section: &mut Section,
    ) -> Option<Option<Line<'a>>> {
        let first = cursor.u8()?;
        let whole = |field: Option<(&'a [u8], &'a [u8])>| field.map(|(name, value)| (name.into(), value.into()));
        if first & 0x80 != 0 {
            // Indexed.
            let index = integer(cursor, first, 6)?;
            if first & 0x40 != 0 {
                let (name, value) = STATIC.get(index)?;
                return Some(Some((name.as_bytes().into(), value.as_bytes().into())));
            }
            return Some(whole(base.and_then(|base| self.relative(base, index)).and_then(Entry::told)));
        }
        if first & 0xf0 == 0x10 {
            // Indexed behind the base.
            let index = integer(cursor, first, 4)?;
            return Some(whole(self.behind(base, index).and_then(Entry::told)));
        }
        let name: Option<Cow<'a, [u8]>> = if first & 0x40 != 0 {
            // Literal with name reference.
            let index = integer(cursor, first, 4)?;
            if first & 0x10 != 0 {
                Some(STATIC.get(index)?.0.as_bytes().into())
            } else {
                base.and_then(|base| self.relative(base, index)).and_then(Entry::told).map(|(name, _)| name.into())
            }
        } else if first & 0x20 != 0 {
            // Literal with literal name.
            match text(cursor, first, 3)? {
                Text::Whole(name) => Some(name),
                Text::Broken => {
                    section.broken = true;
                    None
                }
            }
        } else {
            // Literal with a name reference behind the base.
            let index = integer(cursor, first, 3)?;
            self.behind(base, index).and_then(Entry::told).map(|(name, _)| name.into())
        };
        let value = string(cursor, 7)?;
        section.broken |= value.is_none();
        Some(name.zip(value))
    }

    /// The entry that is `index` behind the base (RFC 9204 section 3.2.6).
    fn behind(&self, base: Option<u64>, index: usize) -> Option<&Entry> {
        self.absolute(base?.checked_add(u64::try_from(index).ok()?)?)
    }
}

/// The number of entries that a section needs (RFC 9204 section 4.5.1.1).
fn required(encoded: usize, inserted: u64, most_bytes: u64) -> Option<u64> {
    let encoded = u64::try_from(encoded).ok()?;
    let most = most_bytes.checked_div(32)?;
    let range = most.checked_mul(2).filter(|range| (1..=*range).contains(&encoded))?;
    let greatest = inserted.checked_add(most)?;
    let wrapped = greatest.checked_div(range)?.checked_mul(range)?;
    let mut required = wrapped.checked_add(encoded)?.checked_sub(1)?;
    if required > greatest {
        required = required.checked_sub(range)?;
    }
    (required > 0).then_some(required)
}

/// A string literal that begins with the next byte. `None`: it does not end; `Some(None)`: its Huffman code is broken.
#[expect(clippy::option_option, reason = "not ended, or broken")]
fn string<'a>(cursor: &mut Cursor<'a>, prefix: u32) -> Option<Option<Cow<'a, [u8]>>> {
    let first = cursor.u8()?;
    Some(match text(cursor, first, prefix)? {
        Text::Whole(value) => Some(value),
        Text::Broken => None,
    })
}

/// Whether these bytes are whole instructions of a decoder stream (RFC 9204 section 4.4), and how many of them. They change
/// nothing that is read here.
pub(super) fn decoder_instructions(bytes: &[u8]) -> usize {
    let mut cursor = Cursor::new(bytes);
    let mut used = 0;
    while let Some(first) = cursor.u8() {
        // Section acknowledgement, stream cancellation, insert count increment.
        let prefix = if first & 0x80 != 0 { 7 } else { 6 };
        if integer(&mut cursor, first, prefix).is_none() {
            break;
        }
        used = cursor.used();
    }
    used
}
