//! Frames inside packets (RFC 9000 section 19).

use super::packet::varint;
use crate::model::Cursor;

/// A frame that means something to an observer; all others are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// Bytes of the handshake, at this offset of their stream (section 19.6).
    Crypto { offset: u64, bytes: &'a [u8] },
}

/// Takes the next frame of an Initial packet from the front of its payload: padding, acknowledgements, pings and
/// closes are passed over. `Ok(None)` at the end; `Err` where what follows is no frame that may stand there (section
/// 12.4, table 3).
pub(super) fn next<'a>(payload: &mut &'a [u8]) -> Result<Option<Frame<'a>>, Broken> {
    let mut cursor = Cursor::new(payload);
    while !cursor.is_empty() {
        let kind = varint(&mut cursor).ok_or(Broken)?;
        match kind {
            0 | 1 => {}
            2 | 3 => acknowledgement(&mut cursor, kind == 3).ok_or(Broken)?,
            6 => {
                let frame = crypto(&mut cursor).ok_or(Broken)?;
                *payload = cursor.rest();
                return Ok(Some(frame));
            }
            0x1c => close(&mut cursor).ok_or(Broken)?,
            _ => return Err(Broken),
        }
    }
    *payload = &[];
    Ok(None)
}

/// A payload that is not made of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

fn crypto<'a>(cursor: &mut Cursor<'a>) -> Option<Frame<'a>> {
    let offset = varint(cursor)?;
    let len = usize::try_from(varint(cursor)?).ok()?;
    Some(Frame::Crypto { offset, bytes: cursor.slice(len)? })
}

/// ACK, with or without the counts of congestion marks (section 19.3).
fn acknowledgement(cursor: &mut Cursor<'_>, marks: bool) -> Option<()> {
    let (_largest, _delay, ranges, _first) = (varint(cursor)?, varint(cursor)?, varint(cursor)?, varint(cursor)?);
    // Each takes two bytes at least, so a false count ends with the payload.
    for _ in 0..ranges {
        let (_gap, _len) = (varint(cursor)?, varint(cursor)?);
    }
    if marks {
        let _counts = (varint(cursor)?, varint(cursor)?, varint(cursor)?);
    }
    Some(())
}

/// The close of the connection by the transport (section 19.19).
fn close(cursor: &mut Cursor<'_>) -> Option<()> {
    let (_error, _frame) = (varint(cursor)?, varint(cursor)?);
    let len = usize::try_from(varint(cursor)?).ok()?;
    cursor.skip(len)
}
