//! The little DER (X.690) that is read beside certificates: values by tag, lengths of up to three bytes.

use crate::model::{Cursor, Timestamp};

/// SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// INTEGER.
pub(super) const INTEGER: u8 = 2;
/// OCTET STRING.
pub(super) const OCTETS: u8 = 4;
/// OBJECT IDENTIFIER.
pub(super) const OBJECT: u8 = 6;
/// ENUMERATED.
pub(super) const ENUMERATED: u8 = 10;
/// GeneralizedTime.
pub(super) const TIME: u8 = 0x18;

/// The next value with its tag (X.690 section 8.1).
pub(super) fn any<'a>(cursor: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let tag = cursor.u8()?;
    let len = match cursor.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(cursor.u8()?),
        0x82 => usize::from(cursor.u16()?),
        0x83 => usize::try_from(cursor.u24()?).ok()?,
        _ => return None,
    };
    Some((tag, cursor.slice(len)?))
}

/// The next value, if it has that tag.
pub(super) fn value<'a>(cursor: &mut Cursor<'a>, tag: u8) -> Option<&'a [u8]> {
    any(cursor).filter(|(found, _)| *found == tag).map(|(_, value)| value)
}

/// A GeneralizedTime as RFC 5280 section 4.1.2.5.2 has it: `YYYYMMDDHHMMSSZ`.
pub(super) fn time(text: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (date, clock) = (text.len() == 14).then(|| text.split_at_checked(8))??;
    let moment: jiff::civil::DateTime = format!("{date}T{clock}").parse().ok()?;
    let moment = jiff::tz::Offset::UTC.to_timestamp(moment).ok()?;
    Some(Timestamp::from_parts(moment.as_second(), 0))
}
