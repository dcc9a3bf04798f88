//! Frames inside packets (RFC 9000 section 19, RFC 9221).

use super::packet::{ID_BYTES, varint};
use crate::model::Cursor;

/// A frame that means something to an observer; all others are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// The sender has received the packets up to `largest`, from `first` on all of them (section 19.3).
    Ack { first: u64, largest: u64 },
    /// Bytes of the handshake, at this offset of their stream (section 19.6).
    Crypto { offset: u64, bytes: &'a [u8] },
    /// Bytes of a stream, the last ones where `last` says so (section 19.8).
    Stream { stream: u64, offset: u64, last: bool, bytes: &'a [u8] },
    /// The sender breaks a stream off that has so many bytes (section 19.4).
    Reset { stream: u64, size: u64 },
    /// The sender wants no more of a stream (section 19.5).
    Stop { stream: u64 },
    /// An id by which the sender may be addressed (section 19.15).
    NewId { id: &'a [u8] },
    /// The connection is closed (section 19.19).
    Close,
    /// Bytes that belong to no stream (RFC 9221 section 4).
    Datagram,
}

/// Which frames may stand in a packet (section 12.4, table 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Those of Initial and Handshake packets.
    Handshake,
    /// Those of 0-RTT and 1-RTT packets. What only one of the two may bring is read in both.
    All,
}

/// A payload that is not made of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Takes the next frame that means something from the front of a payload. `Ok(None)` at the end; `Err` where what follows
/// is no frame that may stand there: its length is not known, so nothing behind it can be read.
pub(super) fn next<'a>(payload: &mut &'a [u8], allowed: Allowed) -> Result<Option<Frame<'a>>, Broken> {
    let mut cursor = Cursor::new(payload);
    while !cursor.is_empty() {
        let kind = varint(&mut cursor).ok_or(Broken)?;
        let of_handshake = matches!(kind, 0..=3 | 6 | 0x1c);
        if !of_handshake && allowed == Allowed::Handshake {
            return Err(Broken);
        }
        if let Some(frame) = frame(kind, &mut cursor)? {
            *payload = cursor.rest();
            return Ok(Some(frame));
        }
    }
    *payload = &[];
    Ok(None)
}

/// What a frame of this type says; `Ok(None)` where that is nothing to an observer.
fn frame<'a>(kind: u64, cursor: &mut Cursor<'a>) -> Result<Option<Frame<'a>>, Broken> {
    let frame = match kind {
        // PADDING, PING, HANDSHAKE_DONE; IMMEDIATE_ACK of draft-ietf-quic-ack-frequency.
        0 | 1 | 0x1e | 0x1f => return Ok(None),
        2 | 3 => acknowledgement(cursor, kind == 3),
        4 => reset(cursor),
        5 => numbers(cursor, 2).map(|[stream, ..]| Frame::Stop { stream }),
        6 => crypto(cursor),
        // NEW_TOKEN.
        7 => return sized(cursor).map(|_| None).ok_or(Broken),
        0x08..=0x0f => stream(kind, cursor),
        // MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED, RETIRE_CONNECTION_ID.
        0x10 | 0x12..=0x14 | 0x16 | 0x17 | 0x19 => return numbers(cursor, 1).map(|_| None).ok_or(Broken),
        // MAX_STREAM_DATA, STREAM_DATA_BLOCKED.
        0x11 | 0x15 => return numbers(cursor, 2).map(|_| None).ok_or(Broken),
        0x18 => new_id(cursor),
        // PATH_CHALLENGE, PATH_RESPONSE.
        0x1a | 0x1b => return cursor.skip(8).map(|()| None).ok_or(Broken),
        0x1c | 0x1d => close(cursor, kind == 0x1c),
        0x30 => {
            let _rest = cursor.slice(cursor.rest().len());
            Some(Frame::Datagram)
        }
        0x31 => sized(cursor).map(|_| Frame::Datagram),
        // Of drafts that are in use: ACK_FREQUENCY (draft-ietf-quic-ack-frequency section 4), TIME_STAMP
        // (draft-huitema-quic-ts section 3).
        0xaf => return numbers(cursor, 4).map(|_| None).ok_or(Broken),
        0x2f5 => return numbers(cursor, 1).map(|_| None).ok_or(Broken),
        _ => None,
    };
    frame.map(Some).ok_or(Broken)
}

/// Up to four integers, one behind the other.
fn numbers(cursor: &mut Cursor<'_>, count: usize) -> Option<[u64; 4]> {
    let mut all = [0; 4];
    for number in all.iter_mut().take(count) {
        *number = varint(cursor)?;
    }
    Some(all)
}

/// Bytes behind their length.
fn sized<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = usize::try_from(varint(cursor)?).ok()?;
    cursor.slice(len)
}

/// ACK, with or without the counts of congestion marks (section 19.3).
fn acknowledgement<'a>(cursor: &mut Cursor<'_>, marks: bool) -> Option<Frame<'a>> {
    let [largest, _delay, ranges, before] = numbers(cursor, 4)?;
    // Each takes two bytes at least, so a false count ends with the payload.
    for _ in 0..ranges {
        numbers(cursor, 2)?;
    }
    if marks {
        numbers(cursor, 3)?;
    }
    Some(Frame::Ack { first: largest.checked_sub(before)?, largest })
}

fn reset<'a>(cursor: &mut Cursor<'_>) -> Option<Frame<'a>> {
    let [stream, _error, size, _] = numbers(cursor, 3)?;
    Some(Frame::Reset { stream, size })
}

fn crypto<'a>(cursor: &mut Cursor<'a>) -> Option<Frame<'a>> {
    let offset = varint(cursor)?;
    Some(Frame::Crypto { offset, bytes: sized(cursor)? })
}

/// The lower bits of the type say what is there: the offset, the length, the end (section 19.8).
fn stream<'a>(kind: u64, cursor: &mut Cursor<'a>) -> Option<Frame<'a>> {
    let stream = varint(cursor)?;
    let offset = if kind & 4 != 0 { varint(cursor)? } else { 0 };
    let bytes = if kind & 2 != 0 { sized(cursor)? } else { cursor.slice(cursor.rest().len())? };
    Some(Frame::Stream { stream, offset, last: kind & 1 != 0, bytes })
}

fn new_id<'a>(cursor: &mut Cursor<'a>) -> Option<Frame<'a>> {
    numbers(cursor, 2)?;
    let len = usize::from(cursor.u8()?);
    if !(1..=ID_BYTES).contains(&len) {
        return None;
    }
    let id = cursor.slice(len)?;
    // The token by which the sender may forget the connection (section 10.3).
    cursor.skip(16)?;
    Some(Frame::NewId { id })
}

/// A close by the transport names the frame that was wrong; one by the application does not.
fn close<'a>(cursor: &mut Cursor<'_>, by_transport: bool) -> Option<Frame<'a>> {
    numbers(cursor, if by_transport { 2 } else { 1 })?;
    sized(cursor)?;
    Some(Frame::Close)
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Broken, Frame, next};

    #[track_caller]
    fn check(mut bytes: &[u8], want: &[Frame<'_>], end: Result<(), Broken>) {
        let mut got = Vec::new();
        let ended = loop {
            match next(&mut bytes, Allowed::All) {
                Ok(Some(frame)) => got.push(frame),
                Ok(None) => break Ok(()),
                Err(broken) => break Err(broken),
            }
        };
        assert_eq!((got.as_slice(), ended), (want, end));
    }

    #[test]
    fn all_kinds_are_known() {
        let quiet: &[&[u8]] = &[
            &[0, 1, 0x1e],
            &[7, 2, 9, 9],
            &[0x10, 1],
            &[0x11, 1, 2],
            &[0x12, 1, 0x13, 1, 0x14, 1],
            &[0x15, 1, 2],
            &[0x16, 1, 0x17, 1, 0x19, 1],
            &[0x1a, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0x1b, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0x1f, 0x40, 0xaf, 1, 2, 3, 0, 0x42, 0xf5, 9],
        ];
        check(&quiet.concat(), &[], Ok(()));
        check(&[2, 5, 0, 1, 2, 1, 1], &[Frame::Ack { first: 3, largest: 5 }], Ok(()));
        check(&[3, 5, 0, 0, 0, 1, 2, 3], &[Frame::Ack { first: 5, largest: 5 }], Ok(()));
        check(&[4, 8, 1, 0x40, 200], &[Frame::Reset { stream: 8, size: 200 }], Ok(()));
        check(&[5, 8, 1], &[Frame::Stop { stream: 8 }], Ok(()));
        check(&[6, 3, 1, 7], &[Frame::Crypto { offset: 3, bytes: &[7] }], Ok(()));
        check(&[0x1c, 1, 2, 1, b'x', 0x1d, 1, 0], &[Frame::Close, Frame::Close], Ok(()));
        let id = [&[0x18, 1, 0, 2, 5, 6][..], &[0; 16]].concat();
        check(&id, &[Frame::NewId { id: &[5, 6] }], Ok(()));
        check(&[0x31, 1, 9, 0x30, 9, 9], &[Frame::Datagram, Frame::Datagram], Ok(()));
    }

    #[test]
    fn streams_have_offset_length_and_end_where_their_bits_say() {
        let of = |offset, last, bytes| Frame::Stream { stream: 4, offset, last, bytes };
        check(&[0x08, 4, 1, 2], &[of(0, false, &[1, 2])], Ok(()));
        check(&[0x09, 4], &[of(0, true, &[])], Ok(()));
        check(&[0x0a, 4, 1, 7, 0x0f, 4, 1, 1, 8], &[of(0, false, &[7]), of(1, true, &[8])], Ok(()));
        check(&[0x0c, 4, 9, 7], &[of(9, false, &[7])], Ok(()));
    }

    #[test]
    fn what_is_no_frame_ends_the_payload() {
        check(&[1, 0x21, 1], &[], Err(Broken));
        check(&[0x0a, 4, 9, 7], &[], Err(Broken));
        check(&[0x18, 1, 0, 0], &[], Err(Broken));
        check(&[2, 5, 0, 0x7f, 0xff, 0], &[], Err(Broken));
    }
}
