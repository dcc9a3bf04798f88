//! Google's own QUIC before the IETF's. Q024 to Q046: the first packets are plain, only a hash stands before their frames.
//! Q050: its packets are protected as the IETF's are, under a salt of its own, with Google's frames inside. In all of them
//! the client's hello is a list of tags (Google's "QUIC Crypto" and "QUIC Wire Layout Specification", 2016).

use super::packet::varint;
use crate::model::{ByteRange, Cursor, QuicVersion};

/// Q050.
pub(super) const Q050: QuicVersion = QuicVersion(0x5130_3530);

/// The hash is 128 bits long, of which these bytes are sent.
const HASH_BYTES: usize = 12;
/// Tags of one hello.
const TAGS: usize = 128;

/// A client's hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello<'a> {
    /// The version of its packet.
    pub(super) version: QuicVersion,
    /// The connection id.
    pub(super) id: &'a [u8],
    /// The hello as it stands, from its tag on.
    pub(super) block: &'a [u8],
    /// The server name in the block.
    pub(super) sni: Option<ByteRange>,
}

/// Reads a datagram whose hash is right and that carries a whole ClientHello (tag CHLO).
pub(super) fn hello(datagram: &[u8]) -> Option<Hello<'_>> {
    let (version, number, id, header) = header(datagram)?;
    let (head, rest) = datagram.split_at_checked(header)?;
    let (hash, plain) = rest.split_at_checked(HASH_BYTES)?;
    // From version 37 on the sender's role is hashed too.
    let role: &[u8] = if number >= 37 { b"Client" } else { b"" };
    let sum = fnv1a_128([head, plain, role].into_iter().flatten()).to_le_bytes();
    if sum.get(..HASH_BYTES) != Some(hash) {
        return None;
    }
    let block = stream(plain, number)?;
    Some(Hello { version, id, block, sni: tags(block)? })
}

/// The hello in the payload of a packet of Q050, with its server name; it must be whole.
pub(super) fn opened_hello(payload: &[u8]) -> Option<(&[u8], Option<ByteRange>)> {
    let mut cursor = Cursor::new(payload);
    loop {
        match cursor.u8()? {
            // Padding and ping.
            0 | 7 => {}
            // Handshake bytes: offset, length.
            8 if varint(&mut cursor)? == 0 => {
                let len = usize::try_from(varint(&mut cursor)?).ok()?;
                let block = cursor.slice(len)?;
                return Some((block, tags(block)?));
            }
            _ => return None,
        }
    }
}

/// Version, its number, connection id and length of the header of a client's first packet.
fn header(datagram: &[u8]) -> Option<(QuicVersion, u8, &[u8], usize)> {
    let mut cursor = Cursor::new(datagram);
    let first = cursor.u8()?;
    if first & 0x80 != 0 {
        // Q046: form, version, lengths of the ids (8 and 0 bytes), id, packet number.
        let (version, lengths) = (cursor.array()?, cursor.u8()?);
        let id = cursor.slice(8)?;
        cursor.skip(usize::from(first & 3).checked_add(1)?)?;
        let number = number(version).filter(|n| *n == 46 && lengths == 0x50)?;
        return Some((QuicVersion(u32::from_be_bytes(version)), number, id, cursor.used()));
    }
    // Public flags: a version, no reset, an id of 8 bytes, no multipath.
    if first & 0x4b != 0x09 {
        return None;
    }
    let (id, version) = (cursor.slice(8)?, cursor.array()?);
    let number = number(version).filter(|n| (24..=43).contains(n))?;
    cursor.skip(match first >> 4 & 3 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => 6,
    })?;
    Some((QuicVersion(u32::from_be_bytes(version)), number, id, cursor.used()))
}

fn number(version: [u8; 4]) -> Option<u8> {
    let [b'Q', b'0', tens, ones] = version else { return None };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte.wrapping_sub(b'0'));
    digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)
}

/// The bytes of the first frame, if it is one of stream 1 at offset 0: there the handshake is.
fn stream(plain: &[u8], number: u8) -> Option<&[u8]> {
    let mut cursor = Cursor::new(plain);
    if number <= 33 {
        // Private flags: entropy, error correction.
        cursor.skip(1)?;
    }
    // Bits 1fdooossB: a length is there, no offset, an id of one byte.
    if cursor.u8()? & 0xbf != 0xa0 || cursor.u8()? != 1 {
        return None;
    }
    let len: [u8; 2] = cursor.array()?;
    let len = if number >= 39 { u16::from_be_bytes(len) } else { u16::from_le_bytes(len) };
    cursor.slice(usize::from(len))
}

/// Where the server name stands in a hello, if it has one; `None` where this is no whole hello.
#[expect(clippy::option_option, reason = "the outer option is a hello that does not parse")]
fn tags(block: &[u8]) -> Option<Option<ByteRange>> {
    let mut cursor = Cursor::new(block);
    if cursor.array()? != *b"CHLO" {
        return None;
    }
    let count = usize::from(u16::from_le_bytes(cursor.array()?));
    cursor.skip(2)?;
    if count > TAGS {
        return None;
    }
    let values = count.checked_mul(8)?.checked_add(8)?;
    let (mut from, mut name) = (values, None);
    for _ in 0..count {
        let tag: [u8; 4] = cursor.array()?;
        let to = values.checked_add(usize::try_from(u32::from_le_bytes(cursor.array()?)).ok()?)?;
        if to < from || to > block.len() {
            return None;
        }
        if tag == *b"SNI\0" && to > from {
            name = Some(ByteRange::between(from, to));
        }
        from = to;
    }
    Some(name)
}

/// Fowler, Noll and Vo's hash, form 1a, of 128 bits.
pub(super) fn fnv1a_128<'a>(bytes: impl Iterator<Item = &'a u8>) -> u128 {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}
