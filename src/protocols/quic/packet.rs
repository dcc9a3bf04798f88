//! Packets of a datagram, by their headers (RFC 8999, RFC 9000 section 17, RFC 9369 section 3.2).

use super::google::Q050;
use crate::model::{Cursor, QuicVersion};

/// Bytes of the longest connection id of the versions known here (RFC 9000 section 17.2).
pub(super) const ID_BYTES: usize = 20;

/// What kind of long header packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Opens a connection, under keys that everybody can compute.
    Initial,
    /// Early data.
    ZeroRtt,
    /// Under handshake keys.
    Handshake,
    /// Asks the client to come again with a token.
    Retry,
}

/// A packet with a long header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Long<'a> {
    /// The version.
    pub(super) version: QuicVersion,
    /// Which kind.
    pub(super) kind: Kind,
    /// The receiver's connection id.
    pub(super) target: &'a [u8],
    /// The sender's connection id.
    pub(super) source: &'a [u8],
    /// The whole packet.
    pub(super) bytes: &'a [u8],
    /// Where its protected part begins, with the packet number.
    pub(super) number_at: usize,
    /// Whether an Initial brings a token back.
    pub(super) token: bool,
}

/// One packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Packet<'a> {
    /// A packet of a known version with a long header.
    Long(Long<'a>),
    /// Version Negotiation (RFC 9000 section 17.2.1): to whom, from whom, and the list, four bytes each.
    Negotiation { target: &'a [u8], source: &'a [u8], versions: &'a [u8] },
    /// A short header (1-RTT): the rest of the datagram.
    Short(&'a [u8]),
}

/// Takes the next packet from the front of a datagram (RFC 9000 section 12.2); `None` where none can be told.
pub(super) fn next<'a>(datagram: &mut &'a [u8]) -> Option<Packet<'a>> {
    let bytes = *datagram;
    let mut cursor = Cursor::new(bytes);
    let first = cursor.u8()?;
    if first & 0x80 == 0 {
        *datagram = &[];
        return Some(Packet::Short(bytes));
    }
    let version = QuicVersion(cursor.u32()?);
    let target_len = usize::from(cursor.u8()?);
    let target = cursor.slice(target_len)?;
    let source_len = usize::from(cursor.u8()?);
    let source = cursor.slice(source_len)?;
    if version.0 == 0 {
        *datagram = &[];
        return Some(Packet::Negotiation { target, source, versions: cursor.rest() });
    }
    if !is_known(version) || target_len > ID_BYTES || source_len > ID_BYTES {
        return None;
    }
    let kind = kind(first, version);
    if kind == Kind::Retry {
        *datagram = &[];
        return Some(Packet::Long(Long {
            version,
            kind,
            target,
            source,
            bytes,
            number_at: cursor.used(),
            token: true,
        }));
    }
    let mut token = false;
    if kind == Kind::Initial {
        let len = usize::try_from(varint(&mut cursor)?).ok()?;
        cursor.skip(len)?;
        token = len > 0;
    }
    let len = usize::try_from(varint(&mut cursor)?).ok()?;
    let number_at = cursor.used();
    cursor.skip(len)?;
    let (packet, rest) = bytes.split_at_checked(cursor.used())?;
    *datagram = rest;
    Some(Packet::Long(Long { version, kind, target, source, bytes: packet, number_at, token }))
}

/// Versions whose packets look like those of version 1 or 2.
fn is_known(version: QuicVersion) -> bool {
    matches!(version, QuicVersion::V1 | QuicVersion::V2 | Q050) || is_draft(version) || version.is_reserved()
}

/// Drafts 27 to 34 of what became version 1, and what Facebook called its draft 27.
pub(super) fn is_draft(version: QuicVersion) -> bool {
    matches!(version.0, 0xff00_001b..=0xff00_0022 | 0xface_b002)
}

fn kind(first: u8, version: QuicVersion) -> Kind {
    let bits = first >> 4 & 3;
    // Version 2 numbers them anew, so that no box on the way gets used to the old ones.
    let bits = if version == QuicVersion::V2 { bits.wrapping_sub(1) & 3 } else { bits };
    match bits {
        0 => Kind::Initial,
        1 => Kind::ZeroRtt,
        2 => Kind::Handshake,
        _ => Kind::Retry,
    }
}

/// A variable-length integer (RFC 9000 section 16).
pub fn varint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let first = cursor.u8()?;
    let more = match first >> 6 {
        0 => 0,
        1 => 1,
        2 => 3,
        _ => 7,
    };
    let mut value = u64::from(first & 0x3f);
    for byte in cursor.slice(more)? {
        value = value << 8 | u64::from(*byte);
    }
    Some(value)
}
