#![expect(clippy::arithmetic_side_effects, clippy::as_conversions, reason = "builders of small known frames, no input")]
use proptest::prelude::*;

use super::*;
use crate::model::Timestamp;

fn head(link: u16, len: usize) -> FrameHead {
    FrameHead {
        number: FrameNo(1),
        time: Timestamp(0),
        link: LinkType(link),
        interface: 0,
        captured_len: len as u32,
        original_len: len as u32,
        record_offset: 0,
    }
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x30, 0x39, 0, 53, 0, 8 + payload.len() as u8, 0, 0];
    out.extend(payload);
    out
}

fn ip4(proto: u8, flags: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0, 0, 20 + payload.len() as u8, 0, 7, (flags >> 8) as u8, flags as u8, 64, proto, 0, 0];
    out.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    out.extend(payload);
    out
}

fn framed(before: &[u8], packet: &[u8]) -> Vec<u8> {
    [before, packet].concat()
}

fn decode(link: u16, bytes: &[u8]) -> Outcome {
    Decoder::new(&Budget::default()).frame(&head(link, bytes.len()), bytes, &mut Vec::new())
}

#[track_caller]
fn check(link: u16, before: &[u8]) {
    let bytes = framed(before, &ip4(17, 0, &udp(b"hello")));
    for len in 0..bytes.len() {
        decode(link, &bytes[..len]);
    }
    let Outcome::Unit(unit) = decode(link, &bytes) else { panic!("no unit") };
    assert_eq!(unit.target.port, 53);
    assert_eq!(unit.payload, Payload::InFrame { start: bytes.len() as u32 - 5, len: 5 });
}

#[test]
fn reads_through_link_headers() {
    check(1, &[&[0; 12][..], &[8, 0]].concat());
    check(1, &[&[0; 12][..], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0]].concat());
    check(1, &[&[0; 12][..], &[0x88, 0x47, 0, 1, 0, 9, 0, 1, 1, 9]].concat());
    check(1, &[&[0; 12][..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 35, 0, 0x21]].concat());
    check(9, &[0xff, 3, 0x21]);
    check(101, &[]);
    check(0, &[2, 0, 0, 0]);
    check(104, &[0x0f, 0, 8, 0]);
    check(113, &[&[0; 14][..], &[8, 0]].concat());
    check(276, &[&[8, 0][..], &[0; 18]].concat());
    check(105, &[&[8, 1][..], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat());
}

#[test]
fn joins_fragments_in_any_order() {
    let whole = udp(b"0123456789abcdef");
    let pieces = [ip4(17, 0x2000, &whole[..8]), ip4(17, 0x2001, &whole[8..16]), ip4(17, 2, &whole[16..])];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (mut decoder, mut out) = (Decoder::new(&Budget::default()), Vec::new());
        let mut last = Outcome::Other;
        for (turn, i) in order.into_iter().enumerate() {
            last = decoder.frame(&head(101, pieces[i].len()), &pieces[i], &mut out);
            assert_eq!(last == Outcome::Fragment, turn < 2);
        }
        let Outcome::Unit(unit) = last else { panic!("no unit") };
        assert_eq!(unit.payload, Payload::Reassembled { start: 8, len: 16 });
        assert_eq!(&out[8..], b"0123456789abcdef");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(link in prop::sample::select(vec![0u16, 1, 9, 12, 50, 51, 101, 104, 105, 113, 119, 127, 192, 239, 276]), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode(link, &bytes);
    }
}
