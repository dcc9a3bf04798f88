#![expect(clippy::arithmetic_side_effects, reason = "builders of small known packets, no input")]
use std::borrow::Cow;

use proptest::prelude::*;

use Side::{Client, Server};

use super::packet::ID_BYTES;
use super::*;
use crate::model::{Anomaly, Decryption, FrameNo, KeyLog, Secret, Timestamp};

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
        PacketKeys::initial(suite, self.origin, self.sender).unwrap().seal(&head, self.number, &payload)
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
    connections.finish(sent, &mut tools, &mut out);
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

/// RFC 9001 appendix A.5: a packet with a short header under `ChaCha20`.
#[test]
fn a_short_header_under_chacha20() {
    let secret = unhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
    let suite = tls::cipher_suite(0x1303, true).unwrap();
    let version = keys::suites(QuicVersion::V1)[0];
    let mut keys = PacketKeys::of_secret(version, suite, &Secret::new(&secret)).unwrap();
    let packet = unhex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb");
    let opened = keys.open(&packet, 1, 654_360_564).unwrap();
    assert_eq!((opened.number, opened.payload), (654_360_564, vec![1]));
    assert_eq!(keys.seal(&unhex("4200bff4"), 654_360_564, &[1]), packet);
}

/// Secrets of a connection whose client said [`hellos`]: 32 bytes of a number each.
const LABELS: [&str; 5] = [
    "CLIENT_EARLY_TRAFFIC_SECRET",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
];

/// A key log with some of them.
fn log(numbers: &[usize]) -> KeyLog {
    let random = crate::model::hex(&hellos().0[6..38]);
    let mut log = KeyLog::new(1 << 20);
    for n in numbers {
        log.read(format!("{} {random} {}\n", LABELS[*n], format!("{n:02x}").repeat(32)).as_bytes());
    }
    log
}

/// The sender's keys for one of them, with the suite that the appendices' hellos chose.
fn keys_of(version: QuicVersion, number: usize) -> PacketKeys {
    let suite = tls::cipher_suite(0x1301, true).unwrap();
    let secret = Secret::new(&[number as u8; 32]);
    PacketKeys::of_secret(keys::suites(version)[0], suite, &secret).unwrap()
}

/// Packets of one sender under 1-RTT keys.
struct Data {
    keys: PacketKeys,
    side: Side,
    target: Vec<u8>,
    number: u32,
    phase: u8,
}

impl Data {
    fn new(version: QuicVersion, side: Side) -> Self {
        let (number, target) = if side == Client { (3, OTHER.to_vec()) } else { (4, OWN.to_vec()) };
        Self { keys: keys_of(version, number), side, target, number: 0, phase: 0 }
    }

    fn packet(&mut self, frames: &[u8]) -> (Side, Vec<u8>) {
        let mut payload = frames.to_vec();
        payload.resize(frames.len().max(8), 0);
        let [high, low] = (self.number as u16).to_be_bytes();
        let head = [&[0x41 | self.phase], &self.target[..], &[high, low]].concat();
        let packet = self.keys.seal(&head, self.number, &payload);
        self.number += 1;
        (self.side, packet)
    }

    fn update(&mut self) {
        self.keys.update();
        self.phase ^= 4;
    }
}

/// A STREAM frame with offset and length.
fn stream(id: usize, offset: usize, last: bool, bytes: &[u8]) -> Vec<u8> {
    [vec![0x0e | u8::from(last)], v(id), v(offset), v(bytes.len()), bytes.to_vec()].concat()
}

/// The hellos as datagrams.
fn begin(version: QuicVersion) -> Vec<(Side, Vec<u8>)> {
    let (hello, answer) = hellos();
    vec![
        (Client, Made { version, ..Made::CLIENT }.packet(&crypto(0, &hello))),
        (Server, Made { version, ..Made::SERVER }.packet(&crypto(0, &answer))),
    ]
}

/// What streams give with a key log: for each side of each stream what came, in words; and the sessions.
fn carried(log: KeyLog, talk: &[(Side, Vec<u8>)]) -> (Vec<String>, Vec<Ended>) {
    let budget = Budget::default();
    let mut connections = Connections::new(&budget);
    let mut tools = Tools { keys: std::sync::Arc::new(log), ..Tools::default() };
    let (mut out, mut pieces) = (Vec::new(), Vec::new());
    for (i, (side, bytes)) in talk.iter().enumerate() {
        let frame = FrameNo(i as u32 + 1);
        let kind = RunKind::Data(Cow::Borrowed(bytes));
        connections.feed(&Run { side: *side, offset: 0, frame, time: Timestamp(0), kind }, &mut tools, &mut out);
        pieces.extend(connections.take_pieces());
    }
    connections.finish([0; 2], &mut tools, &mut out);
    pieces.extend(connections.take_pieces());
    drop(connections);
    assert_eq!((budget.sealed_bytes.taken(), budget.stream_bytes.taken()), (0, 0));
    let mut said: std::collections::BTreeMap<(u64, Side), (u64, String)> = std::collections::BTreeMap::new();
    for StreamPiece { stream, run, act, .. } in pieces {
        let (next, words) = said.entry((stream, run.side)).or_default();
        match (run.kind, act) {
            (RunKind::Data(bytes), Act::Read) => {
                assert_eq!(run.offset, *next);
                *next += bytes.len() as u64;
                words.push_str(&String::from_utf8_lossy(&bytes));
            }
            (RunKind::Gap(count), Act::Read) => {
                *next += count;
                words.push_str(&["[", &count.to_string(), "]"].concat());
            }
            (RunKind::End, Act::Read) => words.push('.'),
            (_, Act::Closed) => {}
            (_, act) => words.push_str(&["(", &format!("{act:?}"), ")"].concat()),
        }
    }
    said.retain(|_, (_, words)| !words.is_empty());
    (said.into_iter().map(|((id, side), (_, words))| format!("{id} {side:?} {words}")).collect(), out)
}

fn decryption(ended: &[Ended]) -> Decryption {
    ended.last().unwrap().session.session.decryption
}

#[test]
fn streams_are_read_in_every_version() {
    for version in [1, 0x6b33_43cf, 0xff00_001b, 0xff00_001d, 0xff00_0022].map(QuicVersion) {
        let mut talk = begin(version);
        let (mut client, mut server) = (Data::new(version, Client), Data::new(version, Server));
        talk.push(client.packet(&stream(0, 0, true, b"ask")));
        talk.push(server.packet(&[stream(0, 0, false, b"ans"), vec![0x31, 1, 9], stream(0, 3, true, b"wer")].concat()));
        let (said, ended) = carried(log(&[3, 4]), &talk);
        assert_eq!(said, ["0 Client ask.", "0 Server answer."], "{}", version.word());
        assert_eq!(decryption(&ended), Decryption::Opened { records: 2, failed: 0 });
        assert_eq!(facts(&ended[0].session).datagrams, 1);
    }
}

#[test]
fn early_data_and_handshake_packets_are_opened() {
    let version = QuicVersion::V1;
    let long = |kind: u8, keys: &PacketKeys, (target, source): (&[u8], &[u8]), number: u32, frames: &[u8]| {
        let payload = [frames, &[0; 20]].concat();
        let ids = [v(target.len()), target.to_vec(), v(source.len()), source.to_vec()].concat();
        let head = [&[0xc3 | kind << 4, 0, 0, 0, 1][..], &ids, &v(payload.len() + 20), &number.to_be_bytes()].concat();
        keys.seal(&head, number, &payload)
    };
    let mut talk = begin(version);
    let early = long(1, &keys_of(version, 0), (&ORIGIN, &OWN), 0, &stream(0, 0, true, b"early"));
    talk[0].1.extend(early);
    // EncryptedExtensions with the protocol h3, and with or without the word that early data is taken.
    let read = |message: &str| {
        let (message, mut talk) = (unhex(message), talk.clone());
        let inside = long(2, &keys_of(version, 2), (&OWN, &OTHER), 0, &crypto(0, &message[..7]));
        let more = long(2, &keys_of(version, 2), (&OWN, &OTHER), 1, &crypto(7, &message[7..]));
        talk.push((Server, [more, inside].concat()));
        talk.push(Data::new(version, Server).packet(&stream(0, 0, true, b"late")));
        carried(log(&[0, 1, 2, 3, 4]), &talk)
    };
    let (said, ended) = read("08 00000f 000d 0010 0005 0003 02 6833 002a 0000");
    assert_eq!(said, ["0 Client early.", "0 Server late."]);
    assert_eq!(decryption(&ended), Decryption::Opened { records: 4, failed: 0 });
    assert_eq!(ended[0].session.session.server_hello.as_ref().unwrap().alpn.as_deref(), Some(&b"h3"[..]));
    let (said, ended) = read("08 00000b 0009 0010 0005 0003 02 6833");
    assert_eq!(said, ["0 Server late."]);
    assert_eq!(kinds(&ended[0].session), [AnomalyKind::EarlyDataRefused]);
}

#[test]
fn keys_are_updated_on_both_sides_and_late_packets_still_open() {
    let mut talk = begin(QuicVersion::V1);
    let (mut client, mut server) = (Data::new(QuicVersion::V1, Client), Data::new(QuicVersion::V1, Server));
    talk.push(client.packet(&stream(0, 0, false, b"a")));
    let late = client.packet(&stream(0, 1, false, b"b"));
    client.update();
    talk.push(client.packet(&stream(0, 2, false, b"c")));
    talk.push(late);
    server.update();
    talk.push(server.packet(&stream(0, 0, false, b"x")));
    // Two updates of which nothing was captured.
    client.update();
    client.packet(&[1]);
    client.update();
    talk.push(client.packet(&stream(0, 3, true, b"d")));
    client.update();
    talk.push(client.packet(&stream(4, 0, true, b"e")));
    let (said, ended) = carried(log(&[3, 4]), &talk);
    assert_eq!(said, ["0 Client abcd.", "0 Server x", "4 Client e."]);
    assert_eq!(decryption(&ended), Decryption::Opened { records: 6, failed: 0 });
}

#[test]
fn a_new_connection_id_and_a_number_that_has_gone_round() {
    let mut talk = begin(QuicVersion::V1);
    let mut client = Data::new(QuicVersion::V1, Client);
    talk.push(client.packet(&stream(0, 0, false, b"a")));
    let mut server = Data::new(QuicVersion::V1, Server);
    let id = [vec![0x18, 1, 0, 3], vec![9, 9, 9], vec![0; 16]].concat();
    talk.push(server.packet(&id));
    client.target = vec![9, 9, 9];
    talk.push(client.packet(&stream(0, 1, false, b"b")));
    // The capture lacks so many packets that two bytes do not count them.
    client.number = 200_000;
    talk.push(client.packet(&stream(0, 2, true, b"c")));
    let (said, ended) = carried(log(&[3, 4]), &talk);
    assert_eq!(said, ["0 Client abc."]);
    assert_eq!(facts(&ended[0].session).server_ids.last().unwrap()[..], [9, 9, 9]);
    assert_eq!(decryption(&ended), Decryption::Opened { records: 4, failed: 0 });
}

#[test]
fn what_keys_do_not_open_says_why() {
    let mut talk = begin(QuicVersion::V1);
    let mut client = Data::new(QuicVersion::V1, Client);
    talk.push(client.packet(&stream(0, 0, true, b"a")));
    let why = |log: KeyLog, talk: &[(Side, Vec<u8>)]| {
        let (said, ended) = carried(log, talk);
        (said.len(), decryption(&ended))
    };
    assert_eq!(why(KeyLog::new(0), &talk), (0, Decryption::NotTried));
    assert_eq!(why(log(&[1, 2]), &talk), (0, Decryption::NoSecret));
    // The ClientHello is not whole, so nobody knows which secret.
    let hello = hellos().0;
    let mut cut = talk.clone();
    cut[0] = (Client, Made::CLIENT.packet(&crypto(0, &hello[..200])));
    assert_eq!(why(log(&[3, 4]), &cut), (0, Decryption::StartMissing));
    // A secret that is another's.
    let random = crate::model::hex(&hello[6..38]);
    let mut other = KeyLog::new(1 << 20);
    other.read(format!("CLIENT_TRAFFIC_SECRET_0 {random} {}\n", "77".repeat(32)).as_bytes());
    assert_eq!(why(other, &talk), (0, Decryption::SecretDoesNotFit));
    // A suite that QUIC has no way to protect headers for.
    let mut answer = hellos().1;
    let at = answer.windows(2).position(|two| two == [0x13, 0x01]).unwrap();
    answer[at + 1] = 0x05;
    let mut unknown = talk.clone();
    unknown[1] = (Server, Made::SERVER.packet(&crypto(0, &answer)));
    assert_eq!(why(log(&[3, 4]), &unknown), (0, Decryption::Unsupported));
    // A changed byte.
    talk.push(client.packet(&stream(4, 0, true, b"b")));
    *talk.last_mut().unwrap().1.last_mut().unwrap() ^= 1;
    let (said, ended) = carried(log(&[3, 4]), &talk);
    assert_eq!(
        (said, decryption(&ended)),
        (vec!["0 Client a.".to_owned()], Decryption::Opened { records: 1, failed: 1 })
    );
    assert_eq!(kinds(&ended[0].session), [AnomalyKind::NotAuthentic]);
}

#[test]
fn packets_wait_for_a_growing_key_log_and_for_hellos() {
    let mut talk = begin(QuicVersion::V1);
    let mut client = Data::new(QuicVersion::V1, Client);
    talk.insert(1, client.packet(&stream(0, 0, true, b"a")));
    let mut growing = KeyLog::new(1 << 20);
    growing.growing = true;
    let budget = Budget::default();
    let mut connections = Connections::new(&budget);
    let mut tools = Tools { keys: std::sync::Arc::new(growing), ..Tools::default() };
    let mut out = Vec::new();
    for (side, bytes) in &talk {
        let kind = RunKind::Data(Cow::Borrowed(bytes));
        let run = Run { side: *side, offset: 0, frame: FrameNo(1), time: Timestamp(0), kind };
        connections.feed(&run, &mut tools, &mut out);
    }
    assert!(connections.take_pieces().is_empty() && budget.sealed_bytes.taken() > 0);
    tools.keys = std::sync::Arc::new(log(&[3]));
    connections.finish([0; 2], &mut tools, &mut out);
    assert_eq!(connections.take_pieces().len(), 3);
    assert_eq!(budget.sealed_bytes.taken(), 0);
}

#[test]
fn resets_stops_and_the_close() {
    let mut talk = begin(QuicVersion::V1);
    let (mut client, mut server) = (Data::new(QuicVersion::V1, Client), Data::new(QuicVersion::V1, Server));
    talk.push(client.packet(&stream(0, 0, false, b"a")));
    talk.push(server.packet(&[stream(0, 0, false, b"b"), vec![5, 0, 1], vec![4, 0, 1, 9]].concat()));
    talk.push(client.packet(&[vec![4, 0, 1, 1], stream(4, 2, false, b"c")].concat()));
    talk.push(client.packet(&[0x1d, 0, 0]));
    // Nothing comes behind the close.
    talk.push(client.packet(&stream(8, 0, true, b"d")));
    let (said, _) = carried(log(&[3, 4]), &talk);
    assert_eq!(said, ["0 Client a(Reset)", "0 Server b(Stopped)(Reset)", "4 Client [2]c"]);
}

#[test]
fn a_hole_that_the_receiver_knows_to_be_none_is_given_up() {
    let at = |seconds: i64| Source { frame: FrameNo(1), time: Timestamp(seconds * 1_000_000_000) };
    let mut streams = Streams::new(0, &Budget::default());
    let mut pieces = Vec::new();
    let bytes = |stream, source| Came { stream, side: Client, offset: 5, bytes: b"b", last: true, source };
    assert_eq!(streams.data(&bytes(0, at(1)), &mut pieces), None);
    assert_eq!(streams.data(&bytes(4, at(9)), &mut pieces), None);
    streams.lost_before(Client, Timestamp(5_000_000_000), &mut pieces);
    let told: Vec<_> = pieces.iter().map(|p| (p.stream, &p.run.kind)).collect();
    let b = RunKind::Data(b"b".to_vec().into());
    assert_eq!(told, [(0, &RunKind::Gap(5)), (0, &b), (0, &RunKind::End)]);
}

#[test]
fn too_much_behind_holes_is_let_go_and_said() {
    let budget = Budget { waiting_bytes_per_side: 1_000, live_streams: 4, ..Budget::default() };
    let mut streams = Streams::new(0, &budget);
    let mut pieces = Vec::new();
    let source = source(1);
    let mut full = Vec::new();
    for n in 0..20 {
        let came = Came { stream: 4 * n, side: Client, offset: 5, bytes: &[7; 100], last: false, source };
        full.extend(streams.data(&came, &mut pieces));
    }
    assert!(full.contains(&Full::Bytes) && full.contains(&Full::Streams), "{full:?}");
    assert!(budget.stream_bytes.taken() <= 1_000 && streams.is_waiting());
    streams.finish(source, &mut pieces);
    assert_eq!(budget.stream_bytes.taken(), 0);
}

/// A hello of Google's own QUIC.
fn google_hello(version: [u8; 4]) -> Vec<u8> {
    let name = b"www.example.com";
    let tags = [&b"SNI\0"[..], &(name.len() as u32).to_le_bytes(), b"VER\0", &(name.len() as u32 + 4).to_le_bytes()];
    [&b"CHLO\x02\0\0\0"[..], &tags.concat(), name, &version].concat()
}

/// A first packet of Google's own QUIC.
fn google(version: [u8; 4]) -> Vec<u8> {
    let number = (version[2] - b'0') * 10 + version[3] - b'0';
    let hello = google_hello(version);
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

#[test]
fn google_s_last_version_is_opened() {
    let version = QuicVersion(u32::from_be_bytes(*b"Q050"));
    let hello = google_hello(*b"Q050");
    let frame = |kind: u8| [&[kind][..], &v(0), &v(hello.len()), &hello].concat();
    let client = Made { version, ..Made::CLIENT };
    let packet = client.packet(&[&[0, 7][..], &frame(8)].concat());
    assert!(sniff(&packet));
    let answer = Made { version, ..Made::SERVER }.packet(&frame(8));
    let ended = one(&[(Client, packet.clone()), (Server, answer), (Client, packet)]);
    assert_eq!(name(&ended), Some(&b"www.example.com"[..]));
    assert_eq!(facts(&ended).version.word(), "Q050");
    // The IETF's frame of that meaning has another type: a hello in it is none.
    let ended = one(&[(Client, client.packet(&frame(6)))]);
    assert_eq!(name(&ended), None);
    let retry = [&[0xf3][..], b"Q050", &[0, 8], &OTHER, b"token", &[0; 16]].concat();
    assert!(!keys::suites(version)[0].is_retry_of(&ORIGIN, &retry));
}

fn source(frame: u32) -> Source {
    Source { frame: FrameNo(frame), time: Timestamp(0) }
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
        let mut stream = Ordered::default();
        let mut got = Vec::new();
        for (i, (from, to)) in pieces(len, &cuts, seed, step).into_iter().enumerate() {
            prop_assert!(stream.add(from as u64, &bytes[from..to], source(i as u32), 65_536));
            while let Some(next) = stream.take() {
                prop_assert_eq!(next.offset as usize, got.len());
                got.extend(next.bytes);
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

    /// Datagrams in any order, each at least once unless it is lost: streams have what came, in order, or a hole.
    #[test]
    fn any_order_of_datagrams_gives_the_streams(
        order in prop::collection::vec(0_usize..10_000, 1..60),
        lost in prop::option::of(0_usize..40),
        cut in 1_usize..9,
    ) {
        let (mut client, mut server) = (Data::new(QuicVersion::V1, Client), Data::new(QuicVersion::V1, Server));
        let texts: Vec<String> = (0..3).map(|n| format!("stream number {n} with some text")).collect();
        let mut packets = Vec::new();
        for (n, text) in texts.iter().enumerate() {
            for from in (0..text.len()).step_by(cut) {
                let to = (from + cut).min(text.len());
                let frame = stream(4 * n, from, to == text.len(), &text.as_bytes()[from..to]);
                packets.push(client.packet(&frame));
                packets.push(server.packet(&frame));
            }
        }
        let lost = lost.filter(|at| *at < packets.len());
        let kept: Vec<_> = packets.iter().enumerate().filter(|(at, _)| Some(*at) != lost).map(|(_, p)| p.clone()).collect();
        // Any of them again in front, then all in an order made of the same numbers.
        let mut talk: Vec<_> = order.iter().map(|at| kept[at % kept.len()].clone()).collect();
        let mut rest = kept.clone();
        rest.sort_by_key(|(_, bytes)| bytes.iter().fold(order[0], |sum, b| sum.wrapping_mul(31) ^ usize::from(*b)));
        talk.extend(rest);
        // The hellos may come anywhere among the first.
        for (n, hello) in begin(QuicVersion::V1).into_iter().enumerate() {
            talk.insert(order[0] % 5 * n, hello);
        }
        let (said, _) = carried(log(&[3, 4]), &talk);
        let want: Vec<String> = (0..3)
            .flat_map(|n| [Client, Server].map(|side| format!("{} {side:?} {}.", 4 * n, texts[n])))
            .collect();
        prop_assert_eq!(said.len(), want.len());
        let differs = said.iter().zip(&want).filter(|(said, want)| said != want).collect::<Vec<_>>();
        prop_assert!(differs.len() <= usize::from(lost.is_some()), "{:?}", differs);
        prop_assert!(differs.iter().all(|(said, _)| said.contains('[') || !said.ends_with('.')), "{:?}", differs);
    }

    #[test]
    fn any_frames_under_keys_are_read_without_harm(frames in prop::collection::vec(any::<Vec<u8>>(), 0..6)) {
        let mut talk = begin(QuicVersion::V1);
        let mut client = Data::new(QuicVersion::V1, Client);
        talk.extend(frames.iter().map(|frames| client.packet(frames)));
        let (_, ended) = carried(log(&[3]), &talk);
        prop_assert_eq!(ended.len(), 1);
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
