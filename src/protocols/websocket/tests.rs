//! Frames by an encoder of the tests' own, the examples of the standards, and any cut of both sides.

use proptest::prelude::*;

use super::{Session, SessionLimits, sniff};
use crate::model::{
    Anomaly, AnomalyKind, Budget, CloseCode, FrameNo, MessageKind, MessageList, PayloadState, Run, RunKind, Side,
    Timestamp, WebSocket,
};
use crate::protocols::http::Wanted;

/// A frame with the first byte as given; masked where there is a mask.
fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut out = match payload.len() {
        len @ ..126 => vec![first, masked | u8::try_from(len).unwrap()],
        len @ ..65_536 => [&[first, masked | 0x7e], u16::try_from(len).unwrap().to_be_bytes().as_slice()].concat(),
        len => [&[first, masked | 0x7f], (len as u64).to_be_bytes().as_slice()].concat(),
    };
    let mask_bytes = mask.unwrap_or_default();
    out.extend_from_slice(&mask_bytes[..if mask.is_some() { 4 } else { 0 }]);
    out.extend(payload.iter().zip(mask_bytes.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

fn from_server(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, None, payload)
}

fn from_client(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, Some([1, 2, 3, 4]), payload)
}

enum Piece {
    Bytes(Vec<u8>),
    Gap(u64),
}

fn limits() -> SessionLimits {
    SessionLimits::new(&Budget::default())
}

/// One side's pieces, cut after `step` bytes; a frame of the capture a cut.
fn read_pieces(side: Side, pieces: &[Piece], step: usize) -> (WebSocket, MessageList, Vec<Anomaly>) {
    let mut session = Session::new(&limits(), Wanted::Bodies);
    let (mut offset, mut frame) = (0, 0);
    let mut feed = |kind: RunKind<'_>, len: u64| {
        frame += 1;
        session.feed(side, &Run { side, offset, frame: FrameNo(frame), time: Timestamp(0), kind });
        offset += len;
    };
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => {
                for part in bytes.chunks(step) {
                    feed(RunKind::Data(part.into()), part.len() as u64);
                }
            }
            Piece::Gap(count) => feed(RunKind::Gap(*count), *count),
        }
    }
    session.finish()
}

fn said(list: &MessageList) -> Vec<String> {
    let line = |m: &crate::model::WebSocketMessage| {
        let payload = m.close().map_or_else(
            || String::from_utf8_lossy(&m.payload).into_owned(),
            |(code, reason)| format!("{} {}", code.0, String::from_utf8_lossy(reason)),
        );
        let payload = if payload.len() > 20 { format!("{} bytes", payload.len()) } else { payload };
        let parts = if m.fragments == 1 { String::new() } else { format!(" in {}", m.fragments) };
        let state = if m.state == PayloadState::Whole { String::new() } else { format!(" ({:?})", m.state) };
        format!("{} {payload}{parts}{}{state}", m.kind.word(), if m.compressed { " deflated" } else { "" })
    };
    list.messages.iter().map(line).collect()
}

fn kinds(anomalies: &[Anomaly]) -> Vec<AnomalyKind> {
    anomalies.iter().map(|a| a.kind).collect()
}

/// The messages of one side in whatever pieces they come, and nothing odd about them.
#[track_caller]
fn check(side: Side, bytes: &[u8], want: &[&str]) {
    for step in [1, 2, 3, 7, 1_000_000] {
        let (_, list, anomalies) = read_pieces(side, &[Piece::Bytes(bytes.to_vec())], step);
        assert_eq!(said(&list), want, "in pieces of {step}");
        assert_eq!(kinds(&anomalies), [], "in pieces of {step}");
    }
}

#[track_caller]
fn check_odd(side: Side, bytes: &[u8], want: &[&str]) {
    let (_, list, anomalies) = read_pieces(side, &[Piece::Bytes(bytes.to_vec())], 1_000);
    assert_eq!(said(&list), want);
    assert_eq!(kinds(&anomalies), [AnomalyKind::BadWebSocket]);
}

/// The examples of RFC 6455 section 5.7.
#[test]
fn examples_of_the_standard() {
    check(Side::Server, &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], &["text Hello"]);
    check(Side::Client, &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], &["text Hello"]);
    check(Side::Server, &[0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f], &["text Hello in 2"]);
    check(Side::Server, &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], &["ping Hello"]);
    check(Side::Client, &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], &["pong Hello"]);
    check(Side::Server, &[&[0x82, 0x7e, 0x01, 0x00], [b'x'; 256].as_slice()].concat(), &["binary 256 bytes"]);
    check(
        Side::Server,
        &[&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], vec![b'x'; 65_536].as_slice()].concat(),
        &["binary 65536 bytes"],
    );
}

/// The examples of RFC 7692 section 7.2.3.
#[test]
fn compressed_examples_of_the_standard() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    check(Side::Server, &from_server(0xc1, &hello), &["text Hello deflated"]);
    // In two frames: 7.2.3.1.
    let fragments = [from_server(0x41, &hello[..3]), from_server(0x80, &hello[3..])].concat();
    check(Side::Server, &fragments, &["text Hello in 2 deflated"]);
    // Sharing the window: 7.2.3.2.
    let shared = [from_server(0xc1, &hello), from_server(0xc1, &[0xf2, 0x00, 0x11, 0x00, 0x00])].concat();
    check(Side::Server, &shared, &["text Hello deflated", "text Hello deflated"]);
    // A stored block: 7.2.3.3.
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    check(Side::Server, &from_server(0xc1, &stored), &["text Hello deflated"]);
    // A block marked as the last: 7.2.3.4. The window is still there for what follows.
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let followed = [from_server(0xc1, &last), from_server(0xc1, &[0xf2, 0x00, 0x11, 0x00, 0x00])].concat();
    check(Side::Server, &followed, &["text Hello deflated", "text Hello deflated"]);
    // Two blocks in one message: 7.2.3.5.
    let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    check(Side::Server, &from_server(0xc1, &two), &["text Hello deflated"]);
    // An empty message: section 7.2.3.6, and one without a byte.
    check(Side::Server, &from_server(0xc1, &[0x00]), &["text  deflated"]);
    check(Side::Server, &from_server(0xc1, &[]), &["text  deflated"]);
    // Masked, and long output in small input.
    check(Side::Client, &from_client(0xc1, &hello), &["text Hello deflated"]);
}

#[test]
fn control_frames_between_fragments() {
    let bytes = [
        from_client(0x01, b"one "),
        from_client(0x89, b"there?"),
        from_client(0x00, b"and "),
        from_client(0x8a, b""),
        from_client(0x80, b"two"),
        from_client(0x88, &[&1001_u16.to_be_bytes(), b"bye".as_slice()].concat()),
    ]
    .concat();
    check(Side::Client, &bytes, &["ping there?", "pong ", "text one and two in 3", "close 1001 bye"]);
    let (counted, list, _) = read_pieces(Side::Client, &[Piece::Bytes(bytes)], 5);
    let client = counted.sides[0];
    assert_eq!((client.messages, client.controls, client.frames, client.bytes), (1, 3, 6, 11));
    assert_eq!(client.close, Some(CloseCode(1001)));
    assert_eq!(CloseCode(1001).words(), "going away");
    // From the frame of its first byte to that of its last; the ping in between is its own.
    let text = list.messages.iter().find(|m| m.kind == MessageKind::TEXT).unwrap();
    assert!(text.first.0 < list.messages[0].first.0 && text.last.0 > list.messages[0].last.0);
    check(Side::Server, &from_server(0x88, b""), &["close 1005 "]);
}

#[test]
fn what_breaks_the_rules() {
    check_odd(Side::Client, &from_server(0x81, b"not masked"), &["text not masked"]);
    check_odd(Side::Server, &from_client(0x81, b"masked"), &["text masked"]);
    check_odd(Side::Server, &from_server(0x83, b"opcode"), &["unknown opcode"]);
    check_odd(Side::Server, &from_server(0xa1, b"reserved"), &["text reserved (NotDecoded)"]);
    check_odd(Side::Server, &from_server(0x09, b"a ping in parts"), &["ping a ping in parts"]);
    check_odd(Side::Server, &from_server(0x89, &[b'x'; 126]), &["ping 125 bytes (NotKept)"]);
    check_odd(Side::Server, &from_server(0x80, b"of nothing"), &["rest of nothing (Cut)"]);
    check_odd(Side::Server, &[from_server(0x01, b"a"), from_server(0x81, b"b")].concat(), &["text a (Cut)", "text b"]);
    check_odd(Side::Server, &[&[0x81, 126, 0, 2], b"ab".as_slice()].concat(), &["text ab"]);
    check_odd(Side::Server, &from_server(0x88, &[3]), &["close 1005 "]);
    check_odd(Side::Server, &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1], &[]);
    let behind = [from_server(0x88, b""), from_server(0x81, b"still here")].concat();
    check_odd(Side::Server, &behind, &["close 1005 ", "text still here"]);
}

#[test]
fn compression_that_cannot_be_undone() {
    let (_, list, _) = read_pieces(Side::Server, &[Piece::Bytes(from_server(0xc1, &[0xff; 9]))], 1_000);
    assert_eq!(said(&list), ["text  deflated (NotDecoded)"]);
    // Ten thousand zeros: past the limit nothing more of that side is decompressed.
    let bomb = [
        0xec, 0xc1, 0x01, 0x0d, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf7, 0x4f, 0x6d, 0x0e, 0x37, 0xa0, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0, 0xdf, 0x00,
    ];
    let tight = SessionLimits { inflated_bytes: 100, ..limits() };
    let mut session = Session::new(&tight, Wanted::Bodies);
    let bytes = [from_server(0xc2, &bomb), from_server(0xc1, &[0xf2, 0x00, 0x11, 0x00, 0x00])].concat();
    let run =
        Run { side: Side::Server, offset: 0, frame: FrameNo(1), time: Timestamp(0), kind: RunKind::Data(bytes.into()) };
    session.feed(Side::Server, &run);
    let (_, list, _) = session.finish();
    let states: Vec<_> = list.messages.iter().map(|m| m.state).collect();
    assert_eq!(states, [PayloadState::Stopped, PayloadState::Stopped]);
}

#[test]
fn holes() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let parts = [
        from_server(0xc1, &hello),
        from_server(0x81, b"0123456789"),
        from_server(0xc1, &again),
        from_server(0xc1, &hello),
        from_server(0xc1, &again),
    ];
    let whole = parts.concat();
    let with_gap = |from: usize, len: usize| {
        let pieces =
            [Piece::Bytes(whole[..from].to_vec()), Piece::Gap(len as u64), Piece::Bytes(whole[from + len..].to_vec())];
        let (counted, list, _) = read_pieces(Side::Server, &pieces, 1_000);
        assert!(counted.sides[1].lossy);
        said(&list)
    };
    let starts: Vec<usize> = parts.iter().scan(0, |at, p| Some(std::mem::replace(at, *at + p.len()))).collect();
    // Inside a payload that is not compressed: what is compressed refers to nothing in it.
    assert_eq!(
        with_gap(starts[1] + 4, 3),
        [
            "text Hello deflated",
            "text 0156789 (Cut)",
            "text Hello deflated",
            "text Hello deflated",
            "text Hello deflated"
        ]
    );
    // Inside a compressed one, and a whole compressed one: what refers to it is lost, what begins anew is not.
    let lost = "text H deflated (ContextLost)";
    let rest = ["text 0123456789", lost, "text Hello deflated", "text Hello deflated"];
    let cut = with_gap(starts[0] + 4, 3);
    assert_eq!((cut[0].as_str(), &cut[1..]), ("text H deflated (Cut)", rest.map(str::to_owned).as_slice()));
    assert_eq!(with_gap(starts[0], starts[1]), rest);
    // Over the border between two frames: frames are found again where a segment begins with some.
    assert_eq!(
        with_gap(starts[1] + 4, starts[3] - starts[1] - 4),
        ["text Hello deflated", "text 01 (Cut)", "text Hello deflated", "text Hello deflated"]
    );
    // In the middle of a message of several frames.
    let fragments =
        [from_server(0x01, b"one "), from_server(0x00, b"two "), from_server(0x80, b"three"), from_server(0x89, b"")];
    let pieces = [Piece::Bytes(fragments[0].clone()), Piece::Gap(6), Piece::Bytes(fragments[2..].concat())];
    let (counted, list, anomalies) = read_pieces(Side::Server, &pieces, 1_000);
    assert_eq!(said(&list), ["text one  (Cut)", "rest three (Cut)", "ping "]);
    assert_eq!((counted.sides[1].messages, kinds(&anomalies)), (2, vec![AnomalyKind::Gap]));
}

#[test]
fn what_breaks_off() {
    let bytes = from_server(0x81, b"breaks off");
    let (counted, list, anomalies) = read_pieces(Side::Server, &[Piece::Bytes(bytes[..8].to_vec())], 3);
    assert_eq!(said(&list), ["text breaks (Cut)"]);
    assert_eq!(kinds(&anomalies), [AnomalyKind::CutShort]);
    assert!(!counted.sides[1].lossy);
}

#[test]
fn limits_are_kept() {
    let run = |bytes: Vec<u8>| Run {
        side: Side::Server,
        offset: 0,
        frame: FrameNo(1),
        time: Timestamp(0),
        kind: RunKind::Data(bytes.into()),
    };
    let few = SessionLimits { messages: 2, payload_bytes: 7, ..limits() };
    let mut session = Session::new(&few, Wanted::Bodies);
    session.feed(Side::Server, &run([from_server(0x81, b"first"), from_server(0x81, b"second")].concat()));
    session.feed(Side::Server, &run(from_server(0x81, b"third")));
    let (counted, list, _) = session.finish();
    assert_eq!(said(&list), ["text first", "text se (NotKept)"]);
    assert_eq!((counted.sides[1].messages, list.unlisted, list.messages[1].bytes), (3, 1, 6));
    // Without wanting them: counted alike, nothing kept.
    let mut session = Session::new(&limits(), Wanted::Links);
    session
        .feed(Side::Server, &run([from_server(0x81, b"first"), from_server(0x88, &1000_u16.to_be_bytes())].concat()));
    let (counted, list, _) = session.finish();
    assert_eq!((counted.sides[1].messages, counted.sides[1].close, list.messages.len()), (1, Some(CloseCode(1000)), 0));
}

#[test]
fn told_from_other_bytes() {
    assert!(sniff(&from_client(0x81, b"hello"), Side::Client));
    assert!(sniff(&from_server(0x81, b"hello"), Side::Server));
    assert!(sniff(&from_server(0x81, &[b'x'; 400])[..100], Side::Server));
    assert!(!sniff(&from_server(0x81, b"hello"), Side::Client));
    assert!(!sniff(&from_server(0x82, &[0; 400])[..100], Side::Server));
    assert!(!sniff(b"GET / HTTP/1.1\r\n\r\n", Side::Client));
    assert!(!sniff(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Side::Server));
    assert!(!sniff(b"", Side::Server));
}

fn some_frames() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let first =
        prop_oneof![Just(0x81_u8), Just(0x82), Just(0x01), Just(0x00), Just(0x80), Just(0x89), Just(0xc1), any::<u8>()];
    let hello = vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let payload = prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), Just(hello)];
    proptest::collection::vec((first, payload), 0..12)
}

proptest! {
    /// Any cut of a side gives the same messages, counts and oddities.
    #[test]
    fn any_cut(frames in some_frames(), masked in any::<bool>(), cuts in proptest::collection::vec(1_usize..40, 1..40)) {
        let (side, mask) = if masked { (Side::Client, Some([9, 8, 7, 6])) } else { (Side::Server, None) };
        let bytes: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame(*first, mask, payload)).collect();
        let mut session = Session::new(&limits(), Wanted::Bodies);
        let mut at = 0;
        for cut in cuts.iter().cycle() {
            let part = &bytes[at..bytes.len().min(at + cut)];
            if part.is_empty() {
                break;
            }
            let run = Run { side, offset: at as u64, frame: FrameNo(1), time: Timestamp(0), kind: RunKind::Data(part.into()) };
            session.feed(side, &run);
            at += part.len();
        }
        let whole = {
            let mut session = Session::new(&limits(), Wanted::Bodies);
            let run = Run { side, offset: 0, frame: FrameNo(1), time: Timestamp(0), kind: RunKind::Data(bytes.as_slice().into()) };
            session.feed(side, &run);
            session.finish()
        };
        let cut = session.finish();
        prop_assert_eq!(&cut.0, &whole.0);
        prop_assert_eq!(said(&cut.1), said(&whole.1));
        prop_assert_eq!(kinds(&cut.2), kinds(&whole.2));
    }

    /// Nothing panics, whatever comes.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600), step in 1_usize..50, hole in 0_u64..50) {
        for side in [Side::Client, Side::Server] {
            let (front, back) = bytes.split_at(bytes.len() / 2);
            let pieces = [Piece::Bytes(front.to_vec()), Piece::Gap(hole), Piece::Bytes(back.to_vec())];
            let (counted, list, _) = read_pieces(side, &pieces, step);
            prop_assert!(list.messages.len() as u64 <= counted.sides[0].messages + counted.sides[0].controls + counted.sides[1].messages + counted.sides[1].controls);
        }
    }
}
