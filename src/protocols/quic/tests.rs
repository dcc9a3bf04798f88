#![expect(clippy::arithmetic_side_effects, reason = "builders of small known packets, no input")]
use std::borrow::Cow;

use proptest::prelude::*;

use Side::{Client, Server};

use super::packet::ID_BYTES;
use super::*;
use crate::model::{Anomaly, FrameNo, Timestamp};

/// The id that the client of both appendices chose, and the one of the server.
const ORIGIN: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const OTHER: [u8; 8] = [0xf0, 0x67, 0xa5, 0x50, 0x2a, 0x42, 0x62, 0xb5];
const OWN: [u8; 5] = [1, 2, 3, 4, 5];
/// Both appendices seal the same two messages: the CRYPTO frame of the client, and the frames of the server.
const ASKED: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413\
    011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e00\
    0500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b00030203\
    04000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff070480\
    00ffff0801100104800075300901100f088394c8f03e51570806048000ffff";
const ANSWERED: &str = "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a12\
    00130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter_map(|b| char::from(b).to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The ClientHello and the ServerHello of the appendices.
fn hellos() -> (Vec<u8>, Vec<u8>) {
    (unhex(ASKED)[4..].to_vec(), unhex(ANSWERED)[9..].to_vec())
}

fn v(n: usize) -> Vec<u8> {
    match n {
        0..0x40 => vec![n as u8],
        0x40..0x4000 => (0x4000 | n as u16).to_be_bytes().to_vec(),
        _ => (0x8000_0000 | n as u32).to_be_bytes().to_vec(),
    }
}

fn crypto(offset: usize, bytes: &[u8]) -> Vec<u8> {
    [vec![6], v(offset), v(bytes.len()), bytes.to_vec()].concat()
}

/// How an Initial packet is made.
#[derive(Clone)]
struct Made<'a> {
    version: QuicVersion,
    origin: &'a [u8],
    sender: Side,
    target: &'a [u8],
    source: &'a [u8],
    token: &'a [u8],
    number: u32,
}

impl Made<'_> {
    const CLIENT: Made<'static> = Made {
        version: QuicVersion::V1,
        origin: &ORIGIN,
        sender: Client,
        target: &ORIGIN,
        source: &OWN,
        token: &[],
        number: 0,
    };
    const SERVER: Made<'static> = Made { sender: Server, target: &OWN, source: &OTHER, ..Made::CLIENT };

    fn packet(&self, frames: &[u8]) -> Vec<u8> {
        let mut payload = frames.to_vec();
        payload.resize(frames.len().max(40), 0);
        let kind = if self.version == QuicVersion::V2 { 0xd3 } else { 0xc3 };
        let ids = [v(self.target.len()), self.target.to_vec(), v(self.source.len()), self.source.to_vec()].concat();
        let lens = [v(self.token.len()), self.token.to_vec(), v(payload.len() + 20)].concat();
        let head = [&[kind], &self.version.0.to_be_bytes()[..], &ids, &lens, &self.number.to_be_bytes()].concat();
        let suite = keys::suites(self.version)[0];
        PacketKeys::initial(suite, self.origin, self.sender).seal(&head, self.number, &payload)
    }
}

/// What datagrams give, each in a frame of its own.
fn read(talk: &[(Side, Vec<u8>)]) -> Vec<Ended> {
    let mut connections = Connections::new(&Budget::default());
    let (mut tools, mut out) = (Tools::default(), Vec::new());
    let mut sent = [0_u64; 2];
    for (i, (side, bytes)) in talk.iter().enumerate() {
        let sum = &mut sent[usize::from(*side == Server)];
        let run = Run {
            side: *side,
            offset: *sum,
            frame: FrameNo(i as u32 + 1),
            time: Timestamp(0),
            kind: RunKind::Data(Cow::Borrowed(bytes)),
        };
        *sum += bytes.len() as u64;
        connections.feed(&run, &mut tools, &mut out);
    }
    connections.finish(sent, &mut out);
    out
}

#[track_caller]
fn one(talk: &[(Side, Vec<u8>)]) -> tls::Ended {
    let mut out = read(talk);
    assert_eq!(out.len(), 1, "{out:#?}");
    out.remove(0).session
}

fn facts(ended: &tls::Ended) -> &QuicFacts {
    ended.session.quic.as_ref().unwrap()
}

fn name(ended: &tls::Ended) -> Option<&[u8]> {
    ended.session.client_hello.as_ref()?.sni_bytes()
}

fn kinds(ended: &tls::Ended) -> Vec<AnomalyKind> {
    ended.anomalies.iter().map(|a: &Anomaly| a.kind).collect()
}

/// The packets of an appendix: the client's as far as it is printed here (its end is the tag over all of it), the
/// server's, and the Retry.
#[track_caller]
fn check_appendix(version: QuicVersion, client: [&str; 2], server: &str, retry: &str) {
    let made = Made { version, source: &[], number: 2, ..Made::CLIENT };
    let mut frames = unhex(ASKED);
    frames.resize(1_162, 0);
    let asked = made.packet(&frames);
    assert_eq!(asked.len(), 1_200);
    assert!(asked.starts_with(&unhex(client[0])) && asked.ends_with(&unhex(client[1])));
    let server = unhex(server);
    assert!(sniff(&asked) && !sniff(&server));

    let ended = one(&[(Client, asked), (Server, server)]);
    let hello = ended.session.client_hello.as_ref().unwrap();
    assert_eq!((hello.sni_bytes(), &*hello.block), (Some(&b"example.com"[..]), &*hellos().0));
    assert_eq!(hello.alpn.iter().map(|r| r.of(&hello.block)).collect::<Vec<_>>(), [b"alpn"]);
    assert_eq!(ended.session.server_hello.as_ref().map(|h| (h.version, h.cipher)), Some((0x0304, 0x1301)));
    let ids = (&facts(&ended).client_ids[..], &facts(&ended).server_ids[..]);
    assert_eq!(ids, (&[Box::from([])][..], &[Box::from(ORIGIN), Box::from(OTHER)][..]));
    assert_eq!((facts(&ended).version, ended.session.bytes), (version, [1_200, 135]));

    let retry = unhex(retry);
    assert!(keys::suites(version)[0].is_retry_of(&ORIGIN, &retry));
    assert!(!keys::suites(version)[0].is_retry_of(&OTHER, &retry));
}

#[test]
fn version_1_as_rfc_9001_appendix_a() {
    check_appendix(
        QuicVersion::V1,
        [
            "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c",
            "7e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241e221af44860018ab0856972e194cd934",
        ],
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4c\
         f73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7a\
         af2f58891850abbdca3d20398c276456cbc42158407dd074ee",
        "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
    );
}

#[test]
fn version_2_as_rfc_9369_appendix_a() {
    check_appendix(
        QuicVersion::V2,
        [
            "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dceebfa162e75d6c",
            "9a37ddec600545473cfb5a05e08d0b209973b2172b4d21fb69745a262ccde96ba18b2faa745b6fe189cf772a9f84cbfc",
        ],
        "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf87263017915358230035\
         f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707f0a0812d8cd5a6881eaf\
         21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
        "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6",
    );
}

#[test]
fn every_version_has_its_keys() {
    let drafts = (27..=34).map(|n| 0xff00_0000 + n).chain([0xface_b002, 0x1a2a_3a4a, 0x0a0a_0a0a]);
    for version in [1, 0x6b33_43cf].into_iter().chain(drafts).map(QuicVersion) {
        let asked = Made { version, ..Made::CLIENT }.packet(&crypto(0, &hellos().0));
        assert!(sniff(&asked), "{}", version.word());
        assert_eq!(facts(&one(&[(Client, asked)])).version, version);
    }
    assert!(keys::suites(QuicVersion(0xff00_001a)).is_empty() && keys::suites(QuicVersion(0)).is_empty());
}

#[test]
fn what_does_not_authenticate_is_not_read() {
    let good = Made::CLIENT.packet(&crypto(0, &hellos().0));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(!sniff(&bad), "byte {at}");
        assert!(read(&[(Client, bad)]).is_empty(), "byte {at}");
    }
    assert!(!sniff(&good[..good.len() - 1]));
}

#[test]
fn a_hello_over_two_datagrams_has_the_frames_of_both() {
    let (hello, answer) = hellos();
    let first = Made::CLIENT.packet(&crypto(100, &hello[100..]));
    let second = Made { number: 1, ..Made::CLIENT }.packet(&crypto(0, &hello[..120]));
    let ended = one(&[(Client, first), (Client, second), (Server, Made::SERVER.packet(&crypto(0, &answer)))]);
    let hello = ended.session.client_hello.as_ref().unwrap();
    assert_eq!((hello.first_frame, hello.frame), (FrameNo(2), FrameNo(2)));
    // What came first stays, so the overlap is the first frame's.
    assert_eq!(hello.spans.iter().map(|s| (s.at, s.frame.0)).collect::<Vec<_>>(), [(0, 2), (100, 1)]);
    assert_eq!((ended.frames, name(&ended)), ((FrameNo(1), FrameNo(3)), Some(&b"example.com"[..])));
    assert_eq!(ended.session.server_hello.as_ref().unwrap().frame, FrameNo(3));
}

#[test]
fn packets_that_share_a_datagram() {
    let (hello, answer) = hellos();
    let early = [&[0xd0, 0, 0, 0, 1, 8], &ORIGIN[..], &[5], &OWN, &[9], &[0xee; 9]].concat();
    let handshake = [&[0xe0, 0, 0, 0, 1, 5], &OWN[..], &[8], &OTHER, &[9], &[0xee; 9]].concat();
    let asked = [Made::CLIENT.packet(&crypto(0, &hello)), early.clone()].concat();
    let answered = [Made::SERVER.packet(&crypto(0, &answer)), handshake, vec![0x40; 30]].concat();
    let ended = one(&[(Client, asked.clone()), (Server, answered)]);
    assert!(facts(&ended).zero_rtt && ended.session.server_hello.is_some());
    assert!(!facts(&one(&[(Client, asked[..asked.len() - early.len()].to_vec())])).zero_rtt);
}

#[test]
fn a_retry_makes_new_keys_of_its_id() {
    let (hello, answer) = hellos();
    let again = Made { origin: &OTHER, target: &OTHER, token: b"token", number: 1, ..Made::CLIENT };
    let head = [&[0xf0, 0, 0, 0, 1, 5], &OWN[..], &[8], &OTHER, b"token"].concat();
    let retry = [head.clone(), keys::suites(QuicVersion::V1)[0].retry_tag(&ORIGIN, &head)].concat();
    let talk = |retry: Vec<u8>| {
        [
            (Client, Made::CLIENT.packet(&crypto(0, &hello))),
            (Server, retry),
            (Client, again.packet(&crypto(0, &hello))),
            (Server, Made { origin: &OTHER, source: &[7; 20], ..Made::SERVER }.packet(&crypto(0, &answer))),
        ]
    };
    let ended = one(&talk(retry.clone()));
    assert!(facts(&ended).retry && ended.session.server_hello.is_some());
    assert_eq!(facts(&ended).server_ids, [&ORIGIN[..], &OTHER, &[7; 20]].map(Box::from));
    // Without the Retry, the client's id and its token tell that it is the same connection.
    let mut without = talk(retry.clone()).to_vec();
    without.remove(1);
    assert!(facts(&one(&without)).retry && one(&without).session.server_hello.is_some());
    // A forged one changes nothing.
    let mut bad = retry;
    *bad.last_mut().unwrap() ^= 1;
    assert!(!facts(&one(&[talk(Vec::new())[0].clone(), (Server, bad)])).retry);
}

#[test]
fn a_client_told_of_other_versions_begins_anew() {
    let hello = hellos().0;
    let reserved = Made { version: QuicVersion(0x0a0a_0a0a), ..Made::CLIENT };
    let list = [&[0x80, 0, 0, 0, 0, 5], &OWN[..], &[8], &ORIGIN, &[0xff, 0, 0, 29, 0, 0, 0, 1]].concat();
    let stranger = [&[0x80, 0, 0, 0, 0, 5], &OWN[..], &[8], &OTHER, &[0, 0, 0, 2]].concat();
    let out = read(&[
        (Client, reserved.packet(&crypto(0, &hello))),
        (Server, stranger),
        (Server, list),
        (Client, Made::CLIENT.packet(&crypto(0, &hello))),
        (Server, Made::SERVER.packet(&crypto(0, &hellos().1))),
    ]);
    let told: Vec<_> = out.iter().map(|e| (e.number, facts(&e.session).version.word())).collect();
    assert_eq!(told, [(0, "0x0a0a0a0a".to_owned()), (1, "1".to_owned())]);
    assert_eq!(facts(&out[0].session).negotiated, [QuicVersion(0xff00_001d), QuicVersion::V1]);
    assert!(out[0].session.session.server_hello.is_none() && out[1].session.session.server_hello.is_some());
}

#[test]
fn a_server_may_answer_in_another_version() {
    let (hello, answer) = hellos();
    let ended = one(&[
        (Client, Made::CLIENT.packet(&crypto(0, &hello))),
        (Server, Made { version: QuicVersion::V2, ..Made::SERVER }.packet(&crypto(0, &answer))),
    ]);
    assert_eq!((facts(&ended).version, ended.session.server_hello.is_some()), (QuicVersion::V2, true));
}

#[test]
fn two_connections_on_one_pair_of_ports() {
    let (hello, answer) = hellos();
    let other = Made { origin: &OTHER, target: &OTHER, source: &[9; 6], ..Made::CLIENT };
    let answer_to =
        |origin, target| Made { origin, target, source: &[8; 8], ..Made::SERVER }.packet(&crypto(0, &answer));
    let out = read(&[
        (Client, Made::CLIENT.packet(&crypto(0, &hello[..50]))),
        (Client, other.packet(&crypto(0, &hello[..70]))),
        (Client, Made { number: 1, ..Made::CLIENT }.packet(&crypto(50, &hello[50..]))),
        (Client, Made { number: 1, ..other }.packet(&crypto(70, &hello[70..]))),
        (Server, answer_to(&OTHER, &[9; 6])),
        (Server, answer_to(&ORIGIN, &OWN)),
        (Client, [&[0x40][..], &[8; 8], &[0; 30]].concat()),
    ]);
    assert_eq!(
        out.iter().map(|e| (e.number, name(&e.session))).collect::<Vec<_>>(),
        [(0, Some(&b"example.com"[..])), (1, Some(&b"example.com"[..]))]
    );
    assert_eq!(
        out.iter().map(|e| e.session.session.server_hello.as_ref().unwrap().frame.0).collect::<Vec<_>>(),
        [6, 5]
    );
}

#[test]
fn the_client_may_be_on_either_side() {
    let (hello, answer) = hellos();
    let ended =
        one(&[(Server, Made::CLIENT.packet(&crypto(0, &hello))), (Client, Made::SERVER.packet(&crypto(0, &answer)))]);
    assert!(ended.swapped && ended.session.server_hello.is_some());
}

#[test]
fn a_hello_without_its_end_is_a_session_without_a_name() {
    let hello = hellos().0;
    for frames in [crypto(0, &hello[..200]), crypto(5, &hello[5..])] {
        let ended = one(&[(Client, Made::CLIENT.packet(&frames))]);
        assert_eq!((kinds(&ended), name(&ended)), (vec![AnomalyKind::CutShort], None));
    }
}

#[test]
fn limits_are_told() {
    let hello = hellos().0;
    let far = one(&[(Client, Made::CLIENT.packet(&[crypto(0, &hello), crypto(70_000, b"x")].concat()))]);
    assert_eq!(kinds(&far), [AnomalyKind::Limit(Limit::CryptoBytes)]);
    let broken = one(&[(Client, Made::CLIENT.packet(&[crypto(0, &hello), vec![0x08]].concat()))]);
    assert_eq!((kinds(&broken), name(&broken)), (vec![AnomalyKind::BadQuic], Some(&b"example.com"[..])));

    let id = |n: u8| [n; 8];
    let ids: Vec<_> = (0..80)
        .map(|n| {
            let frames = if n == 0 { crypto(0, &hello) } else { vec![1] };
            (Client, Made { source: &id(n), number: u32::from(n), ..Made::CLIENT }.packet(&frames))
        })
        .collect();
    let many = one(&ids);
    assert_eq!(facts(&many).client_ids.len(), Budget::default().connection_ids);
    assert!(kinds(&many).contains(&AnomalyKind::Limit(Limit::ConnectionIds)));

    let connections: Vec<_> = (0..20)
        .map(|n| {
            let id = id(n);
            (Client, Made { origin: &id, target: &id, ..Made::CLIENT }.packet(&crypto(0, &hello)))
        })
        .collect();
    let out = read(&connections);
    assert_eq!(out.iter().map(|e| e.number).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    let cut = out.iter().filter(|e| kinds(&e.session).contains(&AnomalyKind::Limit(Limit::ConnectionIds))).count();
    assert_eq!(cut, 20 - CONNECTIONS);
}

#[test]
fn acknowledgements_and_closes_are_passed_over() {
    let hello = hellos().0;
    let frames = [
        vec![1, 0, 0],
        vec![2, 5, 0, 1, 0, 0, 0],
        vec![3, 5, 0, 0, 0, 1, 1, 1],
        crypto(0, &hello),
        vec![0x1c, 0x41, 0x28, 6, 3, b'b', b'y', b'e'],
    ];
    let ended = one(&[(Client, Made::CLIENT.packet(&frames.concat()))]);
    assert_eq!((kinds(&ended), name(&ended)), (vec![], Some(&b"example.com"[..])));
}

#[test]
fn short_headers_tell_whom_they_are_for() {
    assert_eq!(short_target(&[0x5f; 40]), Some(&[0x5f; ID_BYTES][..]));
    assert_eq!(short_target(&[0x40; 10]), None);
    assert_eq!(short_target(&[0x80; 40]), None);
    assert_eq!(short_target(&[0x20; 40]), None);
}

/// A first packet of Google's own QUIC.
fn google(version: [u8; 4]) -> Vec<u8> {
    let number = (version[2] - b'0') * 10 + version[3] - b'0';
    let name = b"www.example.com";
    let tags = [&b"SNI\0"[..], &(name.len() as u32).to_le_bytes(), b"VER\0", &(name.len() as u32 + 4).to_le_bytes()];
    let hello = [&b"CHLO\x02\0\0\0"[..], &tags.concat(), name, &version].concat();
    let len = hello.len() as u16;
    let len = if number >= 39 { len.to_be_bytes() } else { len.to_le_bytes() };
    let flags: &[u8] = if number <= 33 { &[1] } else { &[] };
    let plain = [flags, &[0xa0, 1], &len, &hello, &[0; 20]].concat();
    let head = if number == 46 {
        [&[0xc3], &version[..], &[0x50], &ORIGIN, &[0, 0, 0, 1]].concat()
    } else {
        [&[0x0d][..], &ORIGIN, &version, &[1]].concat()
    };
    let role: &[u8] = if number >= 37 { b"Client" } else { b"" };
    let sum = google::fnv1a_128([&head[..], &plain, role].into_iter().flatten()).to_le_bytes();
    [&head, &sum[..12], &plain].concat()
}

#[test]
fn google_s_own_hellos() {
    for version in [*b"Q025", *b"Q035", *b"Q037", *b"Q043", *b"Q046"] {
        let packet = google(version);
        assert!(sniff(&packet), "{version:?}");
        let ended = one(&[(Client, packet.clone()), (Client, packet.clone()), (Server, vec![8; 30])]);
        assert_eq!(name(&ended), Some(&b"www.example.com"[..]));
        assert_eq!(facts(&ended).version.word().as_bytes(), version);
        for at in 0..packet.len() {
            let mut bad = packet.clone();
            bad[at] ^= 1;
            assert!(!sniff(&bad), "{version:?} byte {at}");
        }
    }
}

/// Pieces of `len` bytes in an order told by `seed`, each byte at least once.
fn pieces(len: usize, cuts: &[(usize, usize)], seed: u64, step: usize) -> Vec<(usize, usize)> {
    let mut pieces: Vec<_> = cuts.iter().map(|(at, n)| (at % len, (at % len + n).min(len))).collect();
    pieces.extend((0..len).step_by(step).map(|at| (at, (at + step).min(len))));
    pieces.sort_by_key(|p| (p.0 as u64 + 1).wrapping_mul(seed | 1).rotate_left(17) ^ p.1 as u64);
    pieces
}

proptest! {
    #[test]
    fn any_order_gives_the_stream(
        len in 1_usize..2_000,
        cuts in prop::collection::vec((0_usize..2_000, 1_usize..90), 0..60),
        seed: u64,
        step in 7_usize..40,
    ) {
        let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let mut stream = CryptoStream::default();
        let mut got = Vec::new();
        for (i, (from, to)) in pieces(len, &cuts, seed, step).into_iter().enumerate() {
            prop_assert!(stream.add(from as u64, &bytes[from..to], FrameNo(i as u32), 65_536));
            while let Some((offset, _, piece)) = stream.take() {
                prop_assert_eq!(offset as usize, got.len());
                got.extend(piece);
            }
        }
        prop_assert_eq!(got, bytes);
        prop_assert!(!stream.is_waiting());
    }

    #[test]
    fn any_order_of_frames_and_packets_gives_the_hello(
        cuts in prop::collection::vec((0_usize..300, 1_usize..90), 0..20),
        seed: u64,
        step in 5_usize..120,
        each in 1_usize..6,
        retried: bool,
    ) {
        let hello = hellos().0;
        let pieces = pieces(hello.len(), &cuts, seed, step);
        let mut talk = Vec::new();
        for (number, group) in pieces.chunks(each).enumerate() {
            let frames: Vec<u8> = group.iter().flat_map(|(a, b)| crypto(*a, &hello[*a..*b])).collect();
            talk.push((Client, Made { number: number as u32, ..Made::CLIENT }.packet(&frames)));
            if retried {
                talk.push(talk[talk.len() - 1].clone());
            }
        }
        let ended = one(&talk);
        let read = ended.session.client_hello.as_ref().unwrap();
        prop_assert_eq!(&*read.block, &*hello);
        prop_assert_eq!(read.sni_bytes(), Some(&b"example.com"[..]));
        prop_assert!(read.spans.iter().all(|s| (1..=talk.len() as u32).contains(&s.frame.0)));
        prop_assert_eq!(kinds(&ended), vec![]);
    }

    #[test]
    fn any_bytes_are_read_without_harm(talk in prop::collection::vec((any::<bool>(), any::<Vec<u8>>()), 0..8)) {
        let good = (Client, Made::CLIENT.packet(&crypto(0, &hellos().0)));
        let mut talk: Vec<_> = talk.into_iter().map(|(c, b)| (if c { Client } else { Server }, b)).collect();
        for (_, bytes) in &talk {
            sniff(bytes);
            short_target(bytes);
        }
        read(&talk);
        talk.insert(0, good);
        prop_assert_eq!(read(&talk).len(), 1);
    }

    #[test]
    fn any_frames_are_read_without_harm(frames: Vec<u8>, answer: Vec<u8>) {
        let out = read(&[
            (Client, Made::CLIENT.packet(&frames)),
            (Server, Made::SERVER.packet(&answer)),
            (Server, Made { number: 1, ..Made::SERVER }.packet(&crypto(0, &answer))),
        ]);
        prop_assert_eq!(out.len(), 1);
    }
}
