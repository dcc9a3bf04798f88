//! HPACK (RFC 7541): header blocks become fields, by a table that lives as long as the connection.
//!
//! Comes in: one whole header block after the other, of one side. Goes out: fields into a section. Never: a guess. A reader
//! beside the wire may have missed what filled the table: a field whose entry was not seen is lost, and said to be; what
//! was added since then still reads rightly, since entries are counted from the newest.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::super::http::{Section, Text, integer, text};
use crate::model::{Cursor, FrameNo};

/// What an entry costs beside its bytes (RFC 7541 section 4.1).
const ENTRY_BYTES: usize = 32;
/// The table's size until one is agreed upon (RFC 9113 section 6.5.2).
const FIRST_BYTES: usize = 4_096;

/// RFC 7541 appendix A.
static STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// Decodes the header blocks of one side.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The dynamic table, newest first.
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The size that is agreed upon.
    most: usize,
    /// The size that is kept at most, whatever they agree upon.
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    /// Name and value; `None` where they could not be told.
    field: Option<Kept>,
    cost: usize,
}

/// Name and value of a field.
type Kept = (Box<[u8]>, Box<[u8]>);

/// The block does not go on as a block does: what follows cannot be read, and the table is not known any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Decoder {
    /// A decoder for a connection's first block. `limit`: bytes that its table may hold, by the measure of RFC 7541
    /// section 4.1.
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, most: FIRST_BYTES.min(limit), limit }
    }

    /// Blocks were missed: nothing is known of the table. Its size may be any; keeping too much does no harm, since an
    /// encoder names no entry that it dropped.
    pub(super) fn lose(&mut self) {
        self.entries.clear();
        self.bytes = 0;
        self.most = self.limit;
    }

    /// Decodes a block; `frame_of` tells which frame brought the byte at an offset.
    pub(super) fn decode(
        &mut self,
        block: &[u8],
        frame_of: impl Fn(usize) -> FrameNo,
        section: &mut Section,
    ) -> Result<(), Broken> {
        let mut cursor = Cursor::new(block);
        while !cursor.is_empty() {
            let from = cursor.used();
            let Some(field) = self.field(&mut cursor, section) else {
                self.lose();
                section.broken = true;
                return Err(Broken);
            };
            let frames = [frame_of(from), frame_of(cursor.used().saturating_sub(1))];
            match field {
                Found::Field(name, value) => section.push(&name, &value, frames),
                Found::Indexed(index) => match self.get(index) {
                    Some((name, value)) => section.push(name, value, frames),
                    None => section.lose(),
                },
                Found::Lost => section.lose(),
                Found::Size => {}
            }
        }
        Ok(())
    }

    /// One representation (RFC 7541 section 6). `None`: it does not end, or means nothing.
    fn field<'a>(&mut self, cursor: &mut Cursor<'a>, section: &mut Section) -> Option<Found<'a>> {
        let first = cursor.u8()?;
        if first & 0x80 != 0 {
            let index = integer(cursor, first, 7)?;
            return (index > 0).then_some(Found::Indexed(index));
        }
        if first & 0xe0 == 0x20 {
            let size = integer(cursor, first, 5)?;
            self.most = size.min(self.limit);
            self.evict(0);
            return Some(Found::Size);
        }
        let indexed = first & 0x40 != 0;
        let index = integer(cursor, first, if indexed { 6 } else { 4 })?;
        let name = if index == 0 {
            let first = cursor.u8()?;
            match text(cursor, first, 7)? {
                Text::Whole(name) => Some(name),
                Text::Broken => {
                    section.broken = true;
                    None
                }
            }
        } else {
            self.get(index).map(|(name, _)| Cow::Owned(name.to_vec()))
        };
        let first = cursor.u8()?;
        let value = match text(cursor, first, 7)? {
            Text::Whole(value) => Some(value),
            Text::Broken => {
                section.broken = true;
                None
            }
        };
        let field = name.zip(value);
        if indexed {
            self.add(field.as_ref().map(|(name, value)| (name.as_ref().into(), value.as_ref().into())));
        }
        Some(field.map_or(Found::Lost, |(name, value)| Found::Field(name, value)))
    }

    /// The field at an index (RFC 7541 section 2.3.3); `None` where it was not seen.
    fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let place = index.checked_sub(1)?;
        if let Some((name, value)) = STATIC.get(place) {
            return Some((name.as_bytes(), value.as_bytes()));
        }
        let entry = self.entries.get(place.checked_sub(STATIC.len())?)?;
        entry.field.as_ref().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// RFC 7541 section 4.4. An entry that could not be told counts as little as one can.
    fn add(&mut self, field: Option<Kept>) {
        let len = field.as_ref().map_or(0, |(name, value)| name.len().saturating_add(value.len()));
        let cost = len.saturating_add(ENTRY_BYTES);
        self.evict(cost);
        if cost <= self.most {
            self.bytes = self.bytes.saturating_add(cost);
            self.entries.push_front(Entry { field, cost });
        }
    }

    /// Drops the oldest entries until so many more bytes have room (RFC 7541 section 4.3).
    fn evict(&mut self, room: usize) {
        while self.bytes.saturating_add(room) > self.most {
            let Some(entry) = self.entries.pop_back() else { return };
            self.bytes = self.bytes.saturating_sub(entry.cost);
        }
    }
}

/// What a representation is.
enum Found<'a> {
    Field(Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// The entry at that index.
    Indexed(usize),
    /// A literal whose name or value cannot be told.
    Lost,
    /// A size update.
    Size,
}
