#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "builders of small known messages, no input"
)]
use std::borrow::Cow;

use proptest::prelude::*;

use Side::{Client, Server};

use super::*;
use crate::model::{BlockSpan, ClientHello, Limit, hex};

/// `bytes` behind a big-endian length of `width` bytes.
fn sized(width: usize, bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u32).to_be_bytes()[4 - width..].to_vec();
    out.extend(bytes);
    out
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|n| n.to_be_bytes()).collect()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), sized(2, data)].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], sized(3, body)].concat()
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind, 3, 1], sized(2, body)].concat()
}

fn sni(name: &str) -> Vec<u8> {
    extension(0, &sized(2, &[vec![0], sized(2, name.as_bytes())].concat()))
}

fn alpn(names: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = names.iter().flat_map(|n| sized(1, n.as_bytes())).collect();
    extension(16, &sized(2, &list))
}

/// A ClientHello's body; `cookie` makes it a DTLS one.
fn hello_body(version: u16, random: u8, cookie: Option<&[u8]>, extensions: &[Vec<u8>]) -> Vec<u8> {
    let ciphers = [
        0x0A0A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x009C, 0x009D,
        0x002F, 0x0035,
    ];
    let mut out = version.to_be_bytes().to_vec();
    out.extend([random; 32]);
    out.extend(sized(1, &[9; 32]));
    out.extend(cookie.map(|c| sized(1, c)).unwrap_or_default());
    out.extend(sized(2, &numbers(&ciphers)));
    out.extend([1, 0]);
    out.extend(sized(2, &extensions.concat()));
    out
}

/// The hello of FoxIO's example, GREASE and all.
fn extensions() -> Vec<Vec<u8>> {
    vec![
        extension(0x1A1A, &[]),
        extension(0x001B, &[2, 0, 2]),
        sni("www.example.com"),
        extension(0x0033, &sized(2, &[0, 29, 0, 1, 7])),
        alpn(&["h2", "http/1.1"]),
        extension(0x4469, b"\x00\x03\x02h2"),
        extension(0x0017, &[]),
        extension(0x002D, &[1, 1]),
        extension(0x000D, &sized(2, &numbers(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]))),
        extension(0x0005, &[1, 0, 0, 0, 0]),
        extension(0x0023, &[]),
        extension(0x0012, &[]),
        extension(0x002B, &sized(1, &numbers(&[0x3A3A, 0x0304, 0x0303]))),
        extension(0xFF01, &[0]),
        extension(0x000B, &[1, 0]),
        extension(0x000A, &sized(2, &numbers(&[0x4A4A, 29, 23, 24]))),
        extension(0x0015, &[0; 30]),
    ]
}

fn client_hello(random: u8) -> Vec<u8> {
    message(1, &hello_body(0x0303, random, None, &extensions()))
}

fn server_hello(random: [u8; 32], version: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.extend(sized(1, &[9; 32]));
    body.extend([0xC0, 0x2F, 0]);
    if !extensions.is_empty() {
        body.extend(sized(2, &extensions.concat()));
    }
    message(2, &body)
}

fn retry_random() -> [u8; 32] {
    let halves = [0xCF21_AD74_E59A_6111_BE1D_8C02_1E65_B891_u128, 0xC2A2_1116_7ABB_8C5E_079E_09E2_C8A8_339C];
    halves.map(u128::to_be_bytes).concat().try_into().unwrap()
}

fn v13() -> Vec<u8> {
    extension(43, &[3, 4])
}

fn der(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let body = parts.concat();
    let len = match body.len() {
        l @ 0..=127 => vec![l as u8],
        l => vec![0x82, (l >> 8) as u8, l as u8],
    };
    [vec![tag], len, body].concat()
}

fn name(cn: &[u8], cn_tag: u8, org: &str) -> Vec<u8> {
    let attribute = |oid: u8, tag: u8, text: &[u8]| {
        der(0x31, &[der(0x30, &[vec![6, 3, 0x55, 4, oid], der(tag, &[text.to_vec()])])])
    };
    der(0x30, &[attribute(10, 12, org.as_bytes()), attribute(3, cn_tag, cn)])
}

/// A certificate whose key and signature are made up.
fn certificate(cn: &[u8], cn_tag: u8, names: &[Vec<u8>]) -> Vec<u8> {
    let algorithm = der(0x30, &[vec![6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]]);
    let bits = || der(3, &[vec![0, 4, 1, 2, 3]]);
    let validity = der(0x30, &[der(0x17, &[b"110613000000Z".to_vec()]), der(0x18, &[b"20500101000000Z".to_vec()])]);
    let san = der(0x30, &[vec![6, 3, 0x55, 0x1D, 0x11], der(4, &[der(0x30, names)])]);
    let bad = der(0x30, &[vec![6, 3, 0x55, 0x1D, 0x0F], der(4, &[vec![0xFF]])]);
    let tbs = der(
        0x30,
        &[
            vec![0xA0, 3, 2, 1, 2],
            vec![2, 1, 5],
            algorithm.clone(),
            name(b"Example Issuing CA", 19, "Example Trust"),
            validity,
            name(cn, cn_tag, "Example Org"),
            der(0x30, &[algorithm.clone(), bits()]),
            der(0xA3, &[der(0x30, &[bad, san])]),
        ],
    );
    der(0x30, &[tbs, algorithm, bits()])
}

fn leaf() -> Vec<u8> {
    let names = [
        der(0x82, &[b"www.example.com".to_vec()]),
        der(0x82, &[b"*.example.net".to_vec()]),
        vec![0x87, 4, 192, 0, 2, 1],
    ];
    certificate(b"www.example.com", 12, &names)
}

fn chain(certificates: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<u8> = certificates.iter().flat_map(|c| sized(3, c)).collect();
    message(11, &sized(3, &list))
}

/// What one side says, in turn; each piece comes in a frame of its own, from 1 on.
type Talk = [(Side, Vec<u8>)];

/// Feeds a talk, each piece cut further at `cuts` (modulo its length) without changing its frame.
fn feed(connection: &mut Connection, talk: &Talk, cuts: &[usize]) -> (Vec<Ended>, Feed) {
    let mut cache = Tools::default();
    let mut out = Vec::new();
    let mut offsets = [0_u64; 2];
    let mut last = Feed::Going;
    for (i, (side, bytes)) in talk.iter().enumerate() {
        let mut edges: Vec<usize> = cuts.iter().map(|c| c % (bytes.len() + 1)).collect();
        edges.extend([0, bytes.len()]);
        edges.sort_unstable();
        for edge in edges.windows(2) {
            let piece = &bytes[edge[0]..edge[1]];
            let offset = &mut offsets[usize::from(*side == Server)];
            let kind = RunKind::Data(Cow::Borrowed(piece));
            let run = Run {
                side: *side,
                offset: *offset,
                frame: FrameNo(i as u32 + 1),
                time: Timestamp(i64::try_from(i).unwrap()),
                kind,
            };
            *offset += piece.len() as u64;
            if !matches!(last, Feed::Done | Feed::NotThis) {
                last = connection.feed(&run, &mut cache, &mut out);
            }
        }
    }
    connection.finish(offsets, &mut out);
    (out, last)
}

fn stream(talk: &Talk, cuts: &[usize]) -> (Vec<Ended>, Feed) {
    feed(&mut Connection::new(&Budget::default()), talk, cuts)
}

fn text(hello: &ClientHello) -> (String, Vec<String>) {
    let own = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (own(hello.sni_bytes().unwrap_or_default()), hello.alpn.iter().map(|r| own(r.of(&hello.block))).collect())
}

fn tls12() -> Vec<(Side, Vec<u8>)> {
    let answer = [
        server_hello([7; 32], 0x0303, &[alpn(&["h2"]), extension(0xFF01, &[0])]),
        chain(&[leaf(), certificate(b"\x00E\x00x\x20\xAC", 30, &[])]),
        message(12, &[5; 300]),
        message(13, &[1, 1, 0, 0]),
        message(14, &[]),
    ]
    .concat();
    let reply = [chain(&[leaf()]), message(16, &[4; 66]), message(15, &[3; 70])].concat();
    let sealed = [record(20, &[1]), record(22, &[0xAB; 40])].concat();
    vec![
        (Client, record(22, &client_hello(1))),
        // Several messages in a record, and one message over several records.
        (Server, answer.chunks(500).flat_map(|c| record(22, c)).collect()),
        (Client, [record(22, &reply), sealed.clone()].concat()),
        (Server, sealed),
        (Client, record(23, &[0xCD; 100])),
    ]
}

#[test]
fn a_hello_tells_names_versions_and_fingerprints() {
    let (ended, fed) = stream(&[(Client, record(22, &client_hello(1)))], &[]);
    assert_eq!((ended.len(), fed), (1, Feed::Going));
    let hello = ended[0].session.client_hello.as_ref().unwrap();
    assert_eq!(text(hello), ("www.example.com".to_owned(), vec!["h2".to_owned(), "http/1.1".to_owned()]));
    assert_eq!((hello.version, hello.ech), (0x0304, false));
    assert_eq!(hello.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    assert_eq!(hello.block[..], client_hello(1)[..]);
    assert_eq!(hello.spans, [BlockSpan { at: 0, frame: FrameNo(1) }]);
    assert_eq!(hello.stream_offset, 5);
    assert!(ended[0].anomalies.is_empty() && !ended[0].swapped);
}

#[test]
fn up_to_tls_1_2_certificates_are_seen() {
    let (ended, fed) = stream(&tls12(), &[]);
    assert_eq!((ended.len(), fed), (1, Feed::Done));
    let session = &ended[0].session;
    let answer = session.server_hello.as_ref().unwrap();
    assert_eq!(
        (answer.version, answer.cipher, answer.alpn.as_deref(), answer.retry),
        (0x0303, 0xC02F, Some(&b"h2"[..]), false)
    );
    assert_eq!((session.certificates.len(), session.client_certificates.len()), (2, 1));
    assert!(std::sync::Arc::ptr_eq(&session.certificates[0], &session.client_certificates[0]));
    let leaf_seen = &session.certificates[0];
    assert_eq!(leaf_seen.subject_cn.as_deref(), Some("www.example.com"));
    assert_eq!(leaf_seen.subject_org.as_deref(), Some("Example Org"));
    assert_eq!(leaf_seen.issuer_cn.as_deref(), Some("Example Issuing CA"));
    assert_eq!(leaf_seen.issuer_org.as_deref(), Some("Example Trust"));
    assert_eq!(leaf_seen.names, ["www.example.com", "*.example.net", "192.0.2.1"]);
    assert_eq!(leaf_seen.not_before.date(), "2011-06-13");
    assert_eq!(leaf_seen.not_after.date(), "2050-01-01");
    assert_eq!(leaf_seen.der_len as usize, leaf().len());
    assert_eq!(session.certificates[1].subject_cn.as_deref(), Some("Ex€"));
    assert_eq!(session.certificate_frame, Some(FrameNo(2)));
    assert_eq!(ended[0].frames, (FrameNo(1), FrameNo(4)));
    assert_eq!(ended[0].anomalies, []);
}

#[test]
fn every_cut_gives_the_same_session() {
    let whole = stream(&tls12(), &[]);
    for cut in 0..1_400 {
        assert_eq!(stream(&tls12(), &[cut]), whole, "{cut}");
    }
}

#[test]
fn spans_name_the_frames_of_a_split_hello() {
    let hello = record(22, &client_hello(1));
    for cut in 1..hello.len() {
        let (ended, _) = stream(&[(Client, hello[..cut].to_vec()), (Client, hello[cut..].to_vec())], &[]);
        let seen = ended[0].session.client_hello.as_ref().unwrap();
        let want = if cut <= 5 {
            vec![BlockSpan { at: 0, frame: FrameNo(2) }]
        } else {
            vec![BlockSpan { at: 0, frame: FrameNo(1) }, BlockSpan { at: cut as u32 - 5, frame: FrameNo(2) }]
        };
        assert_eq!(seen.spans, want, "{cut}");
        assert_eq!((seen.frame, seen.first_frame), (FrameNo(2), want[0].frame));
        assert_eq!(text(seen).0, "www.example.com");
    }
}

#[test]
fn a_retry_ends_one_session_and_the_second_hello_begins_another() {
    let talk = [
        (Client, [record(22, &client_hello(1)), record(20, &[1])].concat()),
        (Server, [record(22, &server_hello(retry_random(), 0x0303, &[v13()])), record(20, &[1])].concat()),
        (Client, record(22, &client_hello(1))),
        (
            Server,
            [record(22, &server_hello([7; 32], 0x0303, &[v13()])), record(20, &[1]), record(23, &[1; 50])].concat(),
        ),
        (Client, record(23, &[1; 50])),
    ];
    let (ended, fed) = stream(&talk, &[]);
    assert_eq!((ended.len(), fed), (2, Feed::Done));
    let seen: Vec<_> = ended
        .iter()
        .map(|e| {
            let answer = e.session.server_hello.as_ref().unwrap();
            (e.session.client_hello.as_ref().unwrap().frame.0, answer.version, answer.retry, e.frames.0.0, e.frames.1.0)
        })
        .collect();
    assert_eq!(seen, [(1, 0x0304, true, 1, 2), (3, 0x0304, false, 3, 4)]);
    for cut in 0..400 {
        assert_eq!(stream(&talk, &[cut]).0, ended, "{cut}");
    }
}

#[test]
fn an_answer_may_stand_before_its_hello() {
    let talk = [
        (
            Server,
            [record(22, &server_hello([7; 32], 0x0303, &[v13()])), record(20, &[1]), record(23, &[1; 50])].concat(),
        ),
        (Client, [record(22, &client_hello(1)), record(20, &[1]), record(23, &[1; 50])].concat()),
    ];
    let (ended, fed) = stream(&talk, &[]);
    assert_eq!((ended.len(), fed), (1, Feed::Done));
    assert!(ended[0].session.client_hello.is_some() && ended[0].session.server_hello.is_some());
    assert!(!ended[0].swapped && ended[0].anomalies.is_empty());
}

#[test]
fn whoever_sends_the_hello_is_the_client() {
    let talk: Vec<_> = tls12().into_iter().map(|(side, bytes)| (side.other(), bytes)).collect();
    let (ended, _) = stream(&talk, &[]);
    assert!(ended[0].swapped);
    let sent = |side| talk.iter().filter(|(s, _)| *s == side).map(|(_, b)| b.len() as u64).sum::<u64>();
    assert_eq!(ended[0].session.bytes, [sent(Server), sent(Client)]);
    assert_eq!(ended[0].session.certificates.len(), 2);
}

#[test]
fn the_form_of_ssl_2_is_read() {
    let old = [
        &[0x80, 43, 1, 3, 1, 0, 18, 0, 0, 0, 16][..],
        &[0, 0, 0x35, 0, 0, 0x2F, 7, 0, 0xC0, 0, 0, 5, 0, 0, 4, 0, 0, 0xFF],
        &[6; 16],
    ]
    .concat();
    let talk = [(Client, old.clone()), (Server, record(22, &server_hello([7; 32], 0x0301, &[])))];
    let (ended, fed) = stream(&talk, &[]);
    assert_eq!((ended.len(), fed), (1, Feed::Going));
    let hello = ended[0].session.client_hello.as_ref().unwrap();
    assert_eq!((hello.version, hello.ja4.as_str(), hello.stream_offset), (0x0301, "", 2));
    assert_eq!(hello.block[..], old[2..]);
    for cut in 0..old.len() {
        assert_eq!(stream(&talk, &[cut]).0, ended, "{cut}");
        let want = if cut < 11 { Sniff::NeedMore } else { Sniff::Yes };
        assert_eq!(Connection::sniff(&old[..cut]), want, "{cut}");
    }
    let mut other = old;
    other[1] = 44;
    assert_eq!(Connection::sniff(&other), Sniff::No);
    assert_eq!(stream(&[(Client, other)], &[]), (vec![], Feed::NotThis));
}

#[test]
fn first_bytes_tell() {
    #[track_caller]
    fn check(bytes: &[u8], want: Sniff) {
        assert_eq!(Connection::sniff(bytes), want);
    }
    check(b"", Sniff::NeedMore);
    check(b"\x16\x03\x01\x02\x00", Sniff::NeedMore);
    check(b"\x16\x03\x01\x02\x00\x01", Sniff::Yes);
    check(&record(22, &client_hello(1)), Sniff::Yes);
    check(&record(23, &[1, 2]), Sniff::Yes);
    check(&record(21, &[2, 40]), Sniff::Yes);
    check(&record(21, &[9, 40]), Sniff::No);
    check(&record(20, &[1]), Sniff::Yes);
    check(b"\x16\x03\x01\x02\x00\x01\x55", Sniff::No);
    check(b"\x16\x03\x01\x02\x00\x63", Sniff::No);
    check(b"\x16\x03\x09\x02\x00\x01", Sniff::No);
    check(b"GET / HTTP/1.1\r\n", Sniff::No);
    check(b"\x80\x2e\x02", Sniff::No);
    check(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Sniff::No);
}

#[test]
fn a_flow_picked_up_midway_gives_nothing() {
    let talk = [(Client, record(23, &[1; 40])), (Server, record(23, &[2; 40])), (Client, record(22, &client_hello(1)))];
    assert_eq!(stream(&talk, &[]), (vec![], Feed::Done));
    assert_eq!(stream(&[(Server, b"HTTP/1.1 200 OK\r\n".to_vec())], &[]), (vec![], Feed::NotThis));
    // An answer whose hello is missing is still an answer.
    let (ended, _) = stream(&tls12()[1..], &[]);
    assert!(ended.len() == 1 && ended[0].session.client_hello.is_none() && ended[0].session.certificates.len() == 2);
}

#[test]
fn an_answer_that_is_no_tls_leaves_the_hello() {
    let talk = [(Client, record(22, &client_hello(1))), (Server, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())];
    let (ended, fed) = stream(&talk, &[]);
    assert_eq!((ended.len(), fed), (1, Feed::Going));
    let talk = [(Client, record(22, &client_hello(1))), (Server, record(21, &[2, 40]))];
    assert!(stream(&talk, &[]).0[0].session.server_hello.is_none());
}

/// Feeds the TLS 1.2 talk with `lost` bytes missing from the server's flight.
fn with_gap(lost: core::ops::Range<usize>) -> Vec<Ended> {
    let talk = tls12();
    let (mut connection, mut cache, mut out) = (Connection::new(&Budget::default()), Tools::default(), Vec::new());
    let mut run = |side, offset, frame, kind| {
        connection.feed(&Run { side, offset, frame: FrameNo(frame), time: Timestamp(0), kind }, &mut cache, &mut out)
    };
    run(Client, 0, 1, RunKind::Data(Cow::Borrowed(&talk[0].1)));
    run(Server, 0, 2, RunKind::Data(Cow::Borrowed(&talk[1].1[..lost.start])));
    run(Server, lost.start as u64, 3, RunKind::Gap(lost.len() as u64));
    run(Server, lost.end as u64, 3, RunKind::Data(Cow::Borrowed(&talk[1].1[lost.end..])));
    run(Server, talk[1].1.len() as u64, 4, RunKind::Data(Cow::Borrowed(&talk[3].1)));
    connection.finish([0; 2], &mut out);
    out
}

#[test]
fn a_hole_costs_what_it_hits() {
    let len = tls12()[1].1.len();
    for start in 0..len {
        for lost in [1, 40, 600] {
            let out = with_gap(start..(start + lost).min(len));
            assert_eq!(out.len(), 1);
            assert!(out[0].session.client_hello.is_some());
            for certificate in &out[0].session.certificates {
                assert_eq!(certificate.subject_org.as_deref(), Some("Example Org"));
            }
        }
    }
    // Inside the key exchange: nothing that is read is lost.
    assert_eq!(with_gap(len - 200..len - 190)[0].anomalies, []);
    assert_eq!(with_gap(len - 200..len - 190)[0].session.certificates.len(), 2);
    // Inside the certificates: they are lost, and that is said.
    let cut = &with_gap(200..210)[0];
    assert!(cut.session.certificates.is_empty() && cut.anomalies[0].kind == AnomalyKind::CutShort);
}

#[test]
fn one_bad_extension_costs_itself() {
    let whole = extensions();
    for (i, one) in whole.iter().enumerate() {
        let mut damaged = whole.clone();
        // Lengths inside the extension lie; its own length stays.
        damaged[i] = [&one[..4], &vec![0xFF; one.len() - 4]].concat();
        let (ended, _) = stream(&[(Client, record(22, &message(1, &hello_body(0x0303, 1, None, &damaged))))], &[]);
        let hello = ended[0].session.client_hello.as_ref().unwrap();
        let (host, protocols) = text(hello);
        assert_eq!(host, if i == 2 { "" } else { "www.example.com" }, "{i}");
        assert_eq!(protocols.len(), if i == 4 { 0 } else { 2 }, "{i}");
        assert_eq!(hello.ja4.len(), 36);
    }
}

#[test]
fn limits_are_counted() {
    let budget = Budget { handshake_bytes: 400, chain_certificates: 1, ..Budget::default() };
    let big = [
        (Client, record(22, &client_hello(1))),
        (Server, [record(22, &server_hello([7; 32], 0x0303, &[])), record(22, &chain(&[leaf(), leaf()]))].concat()),
    ];
    let (ended, _) = feed(&mut Connection::new(&budget), &big, &[]);
    assert!(ended[0].session.certificates.is_empty());
    assert_eq!(
        ended[0].anomalies.iter().map(|a| a.kind).collect::<Vec<_>>(),
        [AnomalyKind::Limit(Limit::HandshakeBytes)]
    );
    let budget = Budget { chain_certificates: 1, ..Budget::default() };
    let (ended, _) = feed(&mut Connection::new(&budget), &big, &[]);
    assert_eq!(
        (ended[0].session.certificates.len(), ended[0].anomalies[0].kind),
        (1, AnomalyKind::Limit(Limit::ChainCertificates))
    );
}

#[test]
fn an_encrypted_hello_is_marked() {
    let mut with = extensions();
    with.push(extension(0xFE0D, &[0; 40]));
    let (ended, _) = stream(&[(Client, record(22, &message(1, &hello_body(0x0303, 1, None, &with))))], &[]);
    assert!(ended[0].session.client_hello.as_ref().unwrap().ech);
}

/// A DTLS record with one fragment of a message.
fn fragment(epoch: u8, number: u8, message: &[u8], part: core::ops::Range<usize>) -> Vec<u8> {
    let body = &message[4..];
    let mut out = message[..4].to_vec();
    out.extend([0, number, 0, (part.start >> 8) as u8, part.start as u8]);
    out.extend(sized(3, &body[part]));
    [vec![22, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, number], sized(2, &out)].concat()
}

fn dtls_hello(cookie: &[u8]) -> Vec<u8> {
    let mut list = extensions();
    list[12] = extension(0x002B, &sized(1, &numbers(&[0xFEFD, 0xFEFC])));
    message(1, &hello_body(0xFEFD, 3, Some(cookie), &list))
}

fn datagrams(talk: &Talk) -> (Vec<Ended>, Feed) {
    feed(&mut Connection::dtls(&Budget::default()), talk, &[])
}

#[test]
fn dtls_fragments_come_together_in_any_order() {
    let hello = dtls_hello(b"");
    let len = hello.len() - 4;
    let parts = [fragment(0, 0, &hello, 0..90), fragment(0, 0, &hello, 60..150), fragment(0, 0, &hello, 150..len)];
    assert!(sniff_dtls(&parts[0]) && !sniff_dtls(&record(22, &hello)) && !sniff_dtls(b""));
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
        let mut talk: Vec<_> = order.iter().map(|i| (Client, parts[*i].clone())).collect();
        talk.insert(1, talk[0].clone());
        talk.push(talk[0].clone());
        let (ended, _) = datagrams(&talk);
        assert_eq!(ended.len(), 1);
        let seen = ended[0].session.client_hello.as_ref().unwrap();
        assert_eq!(seen.block[..], hello[..]);
        assert_eq!(text(seen).0, "www.example.com");
        assert_eq!((seen.version, seen.ja4.split('_').next()), (0xFEFC, Some("dd3d1516h2")));
        assert_eq!((seen.first_frame.0, seen.frame.0), (1, 4));
        assert!(seen.spans[0].at == 0 && seen.spans.is_sorted_by_key(|s| s.at));
    }
}

#[test]
fn dtls_verification_ends_one_session() {
    let (first, second) = (dtls_hello(b""), dtls_hello(b"cookie"));
    let verify = message(3, b"\xFE\xFD\x06cookie");
    let whole = |number, m: &[u8]| fragment(0, number, m, 0..m.len() - 4);
    let answer =
        [whole(1, &server_hello([7; 32], 0xFEFD, &[])), whole(2, &chain(&[leaf()])), whole(3, &message(14, &[]))]
            .concat();
    let talk = [
        (Client, whole(0, &first)),
        (Server, whole(0, &verify)),
        (Client, whole(1, &second)),
        // Sent again.
        (Client, whole(1, &second)),
        (Server, answer),
        (Client, fragment(1, 5, &[0; 40], 0..30)),
        (Server, fragment(1, 5, &[0; 40], 0..30)),
    ];
    let (ended, fed) = datagrams(&talk);
    assert_eq!((ended.len(), fed), (2, Feed::Done));
    assert!(ended[0].session.server_hello.is_none() && ended[0].frames == (FrameNo(1), FrameNo(2)));
    let session = &ended[1].session;
    assert_eq!(session.client_hello.as_ref().unwrap().frame, FrameNo(3));
    assert_eq!(session.server_hello.as_ref().unwrap().version, 0xFEFD);
    assert_eq!(session.certificates[0].subject_cn.as_deref(), Some("www.example.com"));
    assert_eq!(ended[1].anomalies, []);
}

#[test]
fn ja3_leaves_grease_out() {
    let (ended, _) = stream(&[(Client, record(22, &client_hello(1)))], &[]);
    // MD5 of 771,4865-…-53,27-0-51-16-17513-23-45-13-5-35-18-43-65281-11-10-21,29-23-24,0
    assert_eq!(hex(&ended[0].session.client_hello.as_ref().unwrap().ja3.unwrap()), "c000e2caf3a25423f9de6c8a4b12a975");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm_and_alike(
        parts in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60), 0..4_usize), 0..8),
        cuts in proptest::collection::vec(0..80_usize, 0..4),
    ) {
        let talk: Vec<_> = parts
            .into_iter()
            .map(|(client, bytes, wrap)| {
                let side = if client { Client } else { Server };
                (side, match wrap { 0 => bytes, 1 => record(22, &bytes), 2 => record(22, &message(2, &bytes)), _ => record(22, &message(11, &sized(3, &sized(3, &bytes)))) })
            })
            .collect();
        prop_assert_eq!(stream(&talk, &[]), stream(&talk, &cuts));
        datagrams(&talk);
        for (_, bytes) in &talk {
            Connection::sniff(bytes);
            sniff_dtls(bytes);
        }
    }

    #[test]
    fn any_damage_is_read_without_harm_and_alike(
        at in 0..3_000_usize, byte: u8, cuts in proptest::collection::vec(0..900_usize, 0..3)
    ) {
        let mut talk = tls12();
        let mut left = at;
        for (_, bytes) in &mut talk {
            if left < bytes.len() { bytes[left] = byte; break; }
            left -= bytes.len();
        }
        prop_assert_eq!(stream(&talk, &[]), stream(&talk, &cuts));
    }

    #[test]
    fn any_damage_of_datagrams_is_read_without_harm(at in 0..400_usize, byte: u8, order in any::<bool>()) {
        let hello = dtls_hello(b"x");
        let mut parts = [fragment(0, 0, &hello, 0..150), fragment(0, 0, &hello, 100..hello.len() - 4)];
        let len = parts[0].len();
        if let Some(b) = if at < len { parts[0].get_mut(at) } else { parts[1].get_mut(at - len) } { *b = byte; }
        if order { parts.reverse(); }
        let talk: Vec<_> = parts.into_iter().map(|p| (Client, p)).collect();
        prop_assert!(datagrams(&talk).0.len() <= 1);
    }
}
