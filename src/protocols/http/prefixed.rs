//! Integers with a prefix and string literals (RFC 7541 section 5; QPACK has the same, RFC 9204 section 4.1).

use std::borrow::Cow;

use super::huffman;
use crate::model::Cursor;

/// A string literal.
pub(crate) enum Text<'a> {
    Whole(Cow<'a, [u8]>),
    /// Its Huffman code breaks the rules; what follows it can be read.
    Broken,
}

/// The integer whose first byte was just read and has `prefix` bits of it at its bottom. `None`: it does not end, or is
/// over 2^31, which nothing here needs.
pub(crate) fn integer(cursor: &mut Cursor<'_>, first: u8, prefix: u32) -> Option<usize> {
    let most = 1_u8.checked_shl(prefix).map_or(u8::MAX, |n| n.wrapping_sub(1));
    let mut value = u64::from(first & most);
    if first & most < most {
        return usize::try_from(value).ok();
    }
    for shift in [0, 7, 14, 21, 28] {
        let byte = cursor.u8()?;
        value = value.checked_add(u64::from(byte & 0x7f).checked_shl(shift)?)?;
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok().filter(|v| *v <= 1 << 31);
        }
    }
    None
}

/// A string literal whose first byte was just read: `prefix` bits of the length at its bottom, above them the bit that
/// says Huffman. `None`: it does not end.
pub(crate) fn text<'a>(cursor: &mut Cursor<'a>, first: u8, prefix: u32) -> Option<Text<'a>> {
    let coded = first.checked_shr(prefix)? & 1 == 1;
    let len = integer(cursor, first, prefix)?;
    let bytes = cursor.slice(len)?;
    if !coded {
        return Some(Text::Whole(bytes.into()));
    }
    let mut out = Vec::with_capacity(len.saturating_mul(3).checked_div(2)?);
    Some(huffman::decode(bytes, &mut out).map_or(Text::Broken, |()| Text::Whole(out.into())))
}

#[cfg(test)]
mod tests {
    use super::integer;
    use crate::model::Cursor;

    #[track_caller]
    fn check(bytes: &[u8], prefix: u32, want: Option<usize>) {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.u8().unwrap();
        assert_eq!(integer(&mut cursor, first, prefix), want);
    }

    #[test]
    fn of_the_standard() {
        // RFC 7541 appendix C.1.
        check(&[0b1110_1010], 5, Some(10));
        check(&[0b1111_1111, 0b1001_1010, 0b0000_1010], 5, Some(1_337));
        check(&[42], 8, Some(42));
    }

    #[test]
    fn too_long() {
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0], 8, None);
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 8, None);
        check(&[0xff, 0x80], 8, None);
    }
}
