//! What a server brings beside its chain: an OCSP answer (RFC 6960), and timestamps of certificate logs (RFC 6962).
//!
//! Comes in: the bytes as sent. Goes out: what they say. Never: a check of their signatures, a question to anybody.

use super::der::{self, ENUMERATED, INTEGER, OBJECT, OCTETS, SEQUENCE, TIME};
use crate::model::{Cursor, OcspAnswer, OcspStatus, Stapled};

/// id-pkix-ocsp-basic (RFC 6960 section 4.2.1).
const BASIC: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
/// The SCT list of an OCSP answer: 1.3.6.1.4.1.11129.2.4.5 (RFC 6962 section 3.3).
const OCSP_SCTS: &[u8] = b"\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x05";
/// Answers of one response that are looked at: a staple is about one certificate.
const ANSWERS: usize = 16;

/// Notes the body of a CertificateStatus; `serial` is the number of the certificate that it should be about, as DER has it.
pub(super) fn staple(out: &mut Stapled, status: &[u8], serial: &[u8]) {
    match certificate_status(status).and_then(|answer| ocsp(answer, serial)) {
        Some((answer, timestamps)) => (out.ocsp, out.timestamps[2]) = (Some(answer), timestamps),
        None => out.ocsp_unread = true,
    }
}

/// The body of a CertificateStatus message or extension of type `ocsp` (RFC 6066 section 8).
fn certificate_status(body: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(body);
    (cursor.u8()? == 1).then_some(())?;
    let len = usize::try_from(cursor.u24()?).ok()?;
    cursor.slice(len)
}

/// How many timestamps a SignedCertificateTimestampList has (RFC 6962 section 3.3); 0 where it is none.
pub(super) fn timestamps(list: &[u8]) -> u32 {
    let counted = || {
        let mut cursor = Cursor::new(list);
        let len = usize::from(cursor.u16()?);
        let mut list = Cursor::new(cursor.slice(len)?);
        let mut count = 0_u32;
        while !list.is_empty() {
            let len = usize::from(list.u16()?);
            list.skip(len)?;
            count = count.checked_add(1)?;
        }
        cursor.is_empty().then_some(count)
    };
    counted().unwrap_or(0)
}

/// What an OCSPResponse says, best of the certificate with this serial number (as DER has it), and how many timestamps stand in
/// it; `None` where it cannot be read.
pub(super) fn ocsp(response: &[u8], serial: &[u8]) -> Option<(OcspAnswer, u32)> {
    let mut outer = Cursor::new(response);
    let mut response = Cursor::new(der::value(&mut outer, SEQUENCE)?);
    if der::value(&mut response, ENUMERATED)? != [0] {
        return Some((OcspAnswer { status: OcspStatus::Failed, for_leaf: false, dates: None, revoked: None }, 0));
    }
    let mut bytes = Cursor::new(der::value(&mut Cursor::new(der::value(&mut response, 0xA0)?), SEQUENCE)?);
    (der::value(&mut bytes, OBJECT)? == BASIC).then_some(())?;
    let mut basic = Cursor::new(der::value(&mut Cursor::new(der::value(&mut bytes, OCTETS)?), SEQUENCE)?);
    let mut data = Cursor::new(der::value(&mut basic, SEQUENCE)?);
    // version [0] and the responder's id before, the time of making and the answers behind.
    let answers = loop {
        match der::any(&mut data)? {
            (TIME, _) => break der::value(&mut data, SEQUENCE)?,
            (0xA0..=0xA2, _) => {}
            _ => return None,
        }
    };
    let mut answers = Cursor::new(answers);
    let mut first = None;
    for _ in 0..ANSWERS {
        if answers.is_empty() {
            break;
        }
        let (answer, count, number) = single(der::value(&mut answers, SEQUENCE)?)?;
        let for_leaf = serial == number;
        if for_leaf || first.is_none() {
            first = Some((OcspAnswer { for_leaf, ..answer }, count));
        }
        if for_leaf {
            break;
        }
    }
    first
}

/// One SingleResponse (RFC 6960 section 4.2.1), its timestamps, and the serial number that it is about.
fn single(body: &[u8]) -> Option<(OcspAnswer, u32, &[u8])> {
    let mut cursor = Cursor::new(body);
    let mut id = Cursor::new(der::value(&mut cursor, SEQUENCE)?);
    der::value(&mut id, SEQUENCE)?;
    der::value(&mut id, OCTETS)?;
    der::value(&mut id, OCTETS)?;
    let serial = der::value(&mut id, INTEGER)?;
    let (status, revoked) = match der::any(&mut cursor)? {
        (0x80, _) => (OcspStatus::Good, None),
        (0xA1, when) => (OcspStatus::Revoked, der::time(der::value(&mut Cursor::new(when), TIME)?)),
        (0x82, _) => (OcspStatus::Unknown, None),
        _ => return None,
    };
    let from = der::time(der::value(&mut cursor, TIME)?)?;
    let (mut to, mut count) = (None, 0);
    while let Some((tag, value)) = (!cursor.is_empty()).then(|| der::any(&mut cursor)).flatten() {
        match tag {
            0xA0 => to = der::time(der::value(&mut Cursor::new(value), TIME)?),
            0xA1 => count = extension_timestamps(value).unwrap_or(0),
            _ => {}
        }
    }
    Some((OcspAnswer { status, for_leaf: false, dates: Some((from, to)), revoked }, count, serial))
}

/// The timestamps among an answer's extensions.
fn extension_timestamps(extensions: &[u8]) -> Option<u32> {
    let mut list = Cursor::new(der::value(&mut Cursor::new(extensions), SEQUENCE)?);
    while !list.is_empty() {
        let mut extension = Cursor::new(der::value(&mut list, SEQUENCE)?);
        if der::value(&mut extension, OBJECT)? == OCSP_SCTS {
            let (mut tag, mut value) = der::any(&mut extension)?;
            // A BOOLEAN tells whether it is critical.
            if tag == 1 {
                (tag, value) = der::any(&mut extension)?;
            }
            (tag == OCTETS).then_some(())?;
            return Some(timestamps(der::value(&mut Cursor::new(value), OCTETS)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Timestamp;

    /// DER by tag and parts.
    fn made(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let len = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, len[0], len[1]], body.as_slice()].concat()
    }

    fn answer(status: &[u8], serial: &[u8]) -> Vec<u8> {
        let id = made(
            SEQUENCE,
            &[&made(SEQUENCE, &[]), &made(OCTETS, &[&[1; 20]]), &made(OCTETS, &[&[2; 20]]), &made(INTEGER, &[serial])],
        );
        let time = made(TIME, &[b"20260105000000Z"]);
        let scts = made(OCTETS, &[&made(OCTETS, &[b"\x00\x08\x00\x02ab\x00\x02cd"])]);
        let extensions = made(
            0xA1,
            &[&made(SEQUENCE, &[&made(SEQUENCE, &[&made(OBJECT, &[OCSP_SCTS]), &made(1, &[&[0xff]]), &scts])])],
        );
        let single = made(SEQUENCE, &[&id, status, &time, &made(0xA0, &[&time]), &extensions]);
        let data = made(SEQUENCE, &[&made(0xA0, &[]), &made(0xA1, &[]), &time, &made(SEQUENCE, &[&single])]);
        let basic = made(SEQUENCE, &[&data]);
        let bytes = made(0xA0, &[&made(SEQUENCE, &[&made(OBJECT, &[BASIC]), &made(OCTETS, &[&basic])])]);
        made(SEQUENCE, &[&made(ENUMERATED, &[&[0]]), &bytes])
    }

    #[track_caller]
    fn check(status: &[u8], want: OcspStatus) -> OcspAnswer {
        let bytes = answer(status, &[7]);
        let (found, timestamps) = ocsp(&bytes, &[7]).expect("an answer");
        assert_eq!((found.status, found.for_leaf, timestamps), (want, true, 2));
        assert_eq!(found.dates, Some((JANUARY, Some(JANUARY))));
        assert!(!ocsp(&bytes, &[8]).expect("an answer").0.for_leaf);
        // What is cut says nothing, and no cut panics.
        for len in 0..bytes.len() {
            assert!(ocsp(bytes.get(..len).unwrap_or_default(), &[7]).is_none(), "{len}");
        }
        found
    }

    /// 2026-01-05.
    const JANUARY: Timestamp = Timestamp(1_767_571_200_000_000_000);

    #[test]
    fn reads_the_three_answers() {
        check(&made(0x80, &[]), OcspStatus::Good);
        assert_eq!(
            check(&made(0xA1, &[&made(TIME, &[b"20260105000000Z"])]), OcspStatus::Revoked).revoked,
            Some(JANUARY)
        );
        check(&made(0x82, &[]), OcspStatus::Unknown);
        assert_eq!(
            ocsp(&made(SEQUENCE, &[&made(ENUMERATED, &[&[6]])]), &[]).expect("an answer").0.status,
            OcspStatus::Failed
        );
    }

    #[test]
    fn counts_timestamps() {
        assert_eq!(timestamps(b"\x00\x08\x00\x02ab\x00\x02cd"), 2);
        for broken in [&b""[..], b"\x00", b"\x00\x04\x00\x03ab", b"\x00\x04\x00\x02ab!", b"\xff\xff\x00\x02ab"] {
            assert_eq!(timestamps(broken), 0, "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..400_usize, with: u8) {
            let mut near = answer(b"\x80\x00", &[7]);
            if let Some(byte) = near.get_mut(at) {
                *byte = with;
            }
            for bytes in [&near, &bytes] {
                let _read = (ocsp(bytes, &[7]), timestamps(bytes), der::time(bytes));
            }
            bytes.insert(0, 1);
            let mut out = Stapled::default();
            staple(&mut out, &bytes, &[7]);
            prop_assert!(out.ocsp.is_some() != out.ocsp_unread);
        }
    }
}
