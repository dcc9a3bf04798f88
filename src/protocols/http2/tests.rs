//! Both sides of a connection as frames, in any pieces; and header blocks by an encoder of the tests' own.

use proptest::prelude::*;

use super::hpack::{Broken, Decoder};
use super::{Connection, sniff};
use crate::model::{AnomalyKind, Budget, FrameNo, HttpMessage, Limit, Pool, Run, RunKind, Side, Timestamp};
use crate::protocols::Sniff;
use crate::protocols::http::{Ended, Section, SectionLimits, Wanted, encode};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A string of RFC 7541 section 5.2, not longer than 126 bytes.
fn string(text: &[u8], huffman: bool) -> Vec<u8> {
    let bytes = if huffman { encode(text) } else { text.to_vec() };
    assert!(bytes.len() < 127);
    [&[u8::from(huffman) << 7 | u8::try_from(bytes.len()).unwrap()], bytes.as_slice()].concat()
}

/// Literals without indexing.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let coded = fields.iter().map(|(n, v)| [vec![0], string(n.as_bytes(), true), string(v.as_bytes(), false)].concat());
    coded.flatten().collect()
}

fn request(path: &str) -> Vec<u8> {
    block(&[(":method", "GET"), (":scheme", "https"), (":authority", "h.example"), (":path", path)])
}

fn ok() -> Vec<u8> {
    block(&[(":status", "200"), ("content-type", "text/plain")])
}

/// What a side sends.
enum Piece {
    Bytes(Vec<u8>),
    Gap(u64),
}

/// The client's pieces, then the server's, each cut after `step` bytes; a frame a cut.
fn read_pieces(mut connection: Connection, sides: [&[Piece]; 2], step: usize) -> Vec<Ended> {
    let (mut out, mut frame) = (Vec::new(), 0);
    for (side, pieces) in [Side::Client, Side::Server].into_iter().zip(sides) {
        let mut offset = 0;
        let mut feed = |kind: RunKind<'_>, len: u64| {
            frame += 1;
            connection.feed(&Run { side, offset, frame: FrameNo(frame), time: Timestamp(0), kind }, &mut out);
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
    }
    connection.finish(&mut out);
    out
}

fn new() -> Connection {
    Connection::new(&Budget::default(), Wanted::Bodies)
}

fn read(client: &[Vec<u8>], server: &[Vec<u8>], step: usize) -> Vec<Ended> {
    let client = [Piece::Bytes([PREFACE, &SETTINGS, &client.concat()].concat())];
    let server = [Piece::Bytes([&SETTINGS, server.concat().as_slice()].concat())];
    read_pieces(new(), [&client, &server], step)
}

fn say(message: Option<&HttpMessage>) -> String {
    let Some(m) = message else { return "-".to_owned() };
    let body = m.body.decoded_bytes.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let line = String::from_utf8_lossy(&m.start_line()).replace(" HTTP/2", "").replace("HTTP/2 ", "");
    format!("{line} {body}{}", if m.complete { "" } else { " cut" })
}

fn lines(ended: &[Ended]) -> Vec<String> {
    let line = |e: &Ended| {
        let interim = if e.http.interim.is_empty() { "" } else { " (interim)" };
        let pushed = if e.http.pushed { " (pushed)" } else { "" };
        let (request, response) = (say(e.http.request.as_ref()), say(e.http.response.as_ref()));
        format!("{} {request} > {response}{interim}{pushed}", e.http.stream.unwrap())
    };
    ended.iter().map(line).collect()
}

fn kinds(ended: &Ended) -> Vec<AnomalyKind> {
    ended.anomalies.iter().map(|a| a.kind).collect()
}

#[track_caller]
fn check(client: &[Vec<u8>], server: &[Vec<u8>], want: &[&str]) -> Vec<Ended> {
    for step in [1, 3, 50] {
        assert_eq!(lines(&read(client, server, step)), want, "in pieces of {step}");
    }
    let ended = read(client, server, 100_000);
    assert_eq!(lines(&ended), want);
    ended
}

#[test]
fn streams_that_mix() {
    let ended = check(
        &[frame(1, 5, 1, &request("/a")), frame(1, 4, 3, &request("/b")), frame(0, 1, 3, b"sent")],
        &[
            frame(1, 4, 3, &ok()),
            frame(0, 0, 3, b"th"),
            frame(1, 4, 1, &ok()),
            frame(0, 0, 1, b"one"),
            frame(0, 1, 3, b"ree"),
            frame(0, 1, 1, b""),
        ],
        &["3 GET /b 4 > 200 5", "1 GET /a 0 > 200 3"],
    );
    assert_eq!(ended[0].number, 1);
    assert_eq!(ended[0].bodies.as_ref().unwrap()[1], b"three");
    assert!(ended.iter().all(|e| e.anomalies.is_empty()));
    let request = ended[1].http.request.as_ref().unwrap();
    assert_eq!((request.host(), request.scheme()), (Some(&b"h.example"[..]), "https"));
    assert_eq!(&*request.block, b":method: GET\n:scheme: https\n:authority: h.example\n:path: /a\n");
}

#[test]
fn what_else_a_message_has() {
    let early = block(&[(":status", "103"), ("link", "</x>")]);
    let ended = check(
        &[frame(1, 5, 1, &request("/a"))],
        &[
            frame(1, 4, 1, &early),
            frame(8, 0, 1, &[0, 0, 1, 0]),
            frame(1, 4, 1, &ok()),
            frame(0x30, 7, 9, b"of a type that nobody knows"),
            frame(0, 8, 1, b"\x03hi\0\0\0"),
            frame(1, 5, 1, &block(&[("grpc-status", "0")])),
        ],
        &["1 GET /a 0 > 200 2 (interim)"],
    );
    let response = ended[0].http.response.as_ref().unwrap();
    assert_eq!(response.trailers[0].value.of(&response.block), b"0");
    assert_eq!(kinds(&ended[0]), []);
}

#[test]
fn a_block_in_several_frames() {
    let fields = request("/long");
    let (first, rest) = fields.split_at(12);
    let (second, third) = rest.split_at(20);
    let padded = [&[4, 0, 0, 0, 0, 16], first, &[0; 4]].concat();
    let client = [frame(1, 0x29, 1, &padded), frame(9, 0, 1, second), frame(9, 4, 1, third)];
    let ended = check(&client, &[frame(1, 5, 1, &ok())], &["1 GET /long 0 > 200 0"]);
    assert_eq!(kinds(&ended[0]), []);
    // A frame of the capture for each: preface and settings, then these.
    let pieces: Vec<Piece> = [[PREFACE, &SETTINGS].concat()].into_iter().chain(client).map(Piece::Bytes).collect();
    let ended = read_pieces(new(), [&pieces, &[]], 100_000);
    let request = ended[0].http.request.as_ref().unwrap();
    let frames: Vec<_> = request.fields.iter().map(|f| request.frames_of(f.value)).collect();
    assert_eq!(frames, [[FrameNo(2)], [FrameNo(3)], [FrameNo(4)], [FrameNo(4)]]);
    assert_eq!((request.first_frame, request.header_frame), (FrameNo(2), FrameNo(4)));
}

#[test]
fn pushed() {
    let promise = [&[0, 0, 0, 2], request("/style").as_slice()].concat();
    check(
        &[frame(1, 5, 1, &request("/"))],
        &[frame(5, 4, 1, &promise), frame(1, 5, 1, &ok()), frame(1, 4, 2, &ok()), frame(0, 1, 2, b"css")],
        &["1 GET / 0 > 200 0", "2 GET /style 0 > 200 3 (pushed)"],
    );
}

#[test]
fn broken_off() {
    let client = [frame(1, 5, 1, &request("/a")), frame(1, 5, 3, &request("/b"))];
    let server = [frame(1, 4, 1, &ok()), frame(0, 0, 1, b"half"), frame(3, 0, 1, &[0, 0, 0, 8])];
    let ended = check(&client, &server, &["1 GET /a 0 > 200 ? cut", "3 GET /b 0 > -"]);
    assert_eq!(kinds(&ended[0]), [AnomalyKind::StreamReset, AnomalyKind::CutShort]);
    let server = [frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]), frame(1, 5, 1, &ok()), frame(1, 5, 3, &ok())];
    check(&client, &server, &["3 GET /b 0 > -", "1 GET /a 0 > 200 0"]);
}

#[test]
fn lengths_that_differ() {
    let server = [frame(1, 4, 1, &block(&[(":status", "200"), ("content-length", "5")])), frame(0, 1, 1, b"four")];
    let ended = check(&[frame(1, 5, 1, &request("/a"))], &server, &["1 GET /a 0 > 200 4"]);
    assert_eq!(kinds(&ended[0]), [AnomalyKind::LengthDiffers]);
}

#[test]
fn fields_that_may_not_be() {
    let odd = |fields: &[(&str, &str)]| {
        let ended = read(&[frame(1, 5, 1, &block(fields))], &[], 100_000);
        kinds(&ended[0])
    };
    assert_eq!(odd(&[(":method", "GET"), (":path", "/")]), [AnomalyKind::BadPseudoField]);
    assert_eq!(odd(&[(":method", "CONNECT"), (":authority", "h:443")]), []);
    let whole = [(":method", "GET"), (":scheme", "http"), (":path", "/")];
    assert_eq!(odd(&[whole.as_slice(), &[("Upper", "x")]].concat()), [AnomalyKind::BadField]);
    assert_eq!(odd(&[&[("a", "b")], whole.as_slice()].concat()), [AnomalyKind::BadPseudoField]);
    assert_eq!(odd(&[whole.as_slice(), &[(":path", "/")]].concat()), [AnomalyKind::BadPseudoField]);
}

#[test]
fn late() {
    // Index 62 was filled before the capture began; then the same name and value come as a literal, and their index again.
    let lost = [block(&[(":status", "200")]), vec![0xbe]].concat();
    let added = [vec![0x88, 0x40], string(b"x-a", false), string(b"1", false)].concat();
    let server =
        [frame(1, 4, 7, &lost), frame(0, 1, 7, b"body"), frame(1, 5, 9, &added), frame(1, 5, 11, &[0x88, 0xbe])];
    assert_eq!(sniff(&server.concat()), Sniff::Yes);
    let middle = [b"the end of some body".to_vec(), server.concat()].concat();
    for (step, bytes) in [(1, &middle), (7, &middle), (100_000, &middle), (100_000, &server.concat())] {
        let ended = read_pieces(new(), [&[], &[Piece::Bytes(bytes.clone())]], step);
        assert_eq!(lines(&ended), ["7 - > 200 4", "9 - > 200 0", "11 - > 200 0"], "in pieces of {step}");
        assert_eq!(kinds(&ended[0]), [AnomalyKind::FieldLost, AnomalyKind::Unasked]);
        assert_eq!(kinds(&ended[2]), [AnomalyKind::Unasked]);
        assert_eq!(ended[2].http.response.as_ref().unwrap().field("x-a"), Some(&b"1"[..]));
    }
}

#[test]
fn holes() {
    let client: Vec<u8> = [
        PREFACE,
        &SETTINGS,
        &frame(1, 5, 1, &request("/a")),
        &frame(1, 5, 3, &request("/b")),
        &frame(1, 5, 5, &request("/c")),
    ]
    .concat();
    let client = [Piece::Bytes(client)];
    let parts = [
        SETTINGS.to_vec(),
        frame(1, 4, 1, &ok()),
        frame(0, 1, 1, b"0123456789"),
        frame(1, 4, 3, &ok()),
        frame(0, 1, 3, b"0123456789"),
        frame(1, 5, 5, &ok()),
        frame(4, 1, 0, b""),
    ];
    let whole = parts.concat();
    let with_gap = |from: usize, len: usize, step| {
        let server =
            [Piece::Bytes(whole[..from].to_vec()), Piece::Gap(len as u64), Piece::Bytes(whole[from + len..].to_vec())];
        lines(&read_pieces(new(), [&client, &server], step))
    };
    let starts: Vec<usize> = parts.iter().scan(0, |at, p| Some(std::mem::replace(at, *at + p.len()))).collect();
    for step in [1, 4, 100_000] {
        // Inside a body, inside a header block, over the border between two frames, and a whole frame.
        let want = ["1 GET /a 0 > 200 ? cut", "3 GET /b 0 > 200 10", "5 GET /c 0 > 200 0"];
        assert_eq!(with_gap(starts[2] + 12, 4, step), want);
        let cut = ["1 GET /a 0 > 200 10 cut", "3 GET /b 0 > 200 10", "5 GET /c 0 > 200 0"];
        assert_eq!(with_gap(starts[1] + 9 + 15, 4, step), cut);
        let over = ["1 GET /a 0 > 200 ? cut", "5 GET /c 0 > 200 0", "3 GET /b 0 > -"];
        assert_eq!(with_gap(starts[2] + 12, starts[4] - starts[2], step), over);
        let frame = ["1 GET /a 0 > 200 10", "3 GET /b 0 > -", "5 GET /c 0 > 200 0"];
        let mut got = with_gap(starts[3], starts[4] - starts[3], step);
        got.sort();
        assert_eq!(got, frame);
    }
}

#[test]
fn bombs() {
    let note = |ended: &[Ended]| ended.iter().flat_map(kinds).collect::<Vec<_>>();
    // An entry of 3 KB, named 60,000 times.
    let value = [vec![0x7f, 0xb9, 0x16], vec![b'v'; 3_000]].concat();
    let filled = [request("/a"), vec![0x40, 1, b'n'], value, vec![0xbe; 60_000]].concat();
    let frames: Vec<Vec<u8>> = filled
        .chunks(16_384)
        .enumerate()
        .map(|(i, part)| {
            frame(if i == 0 { 1 } else { 9 }, if i * 16_384 + part.len() == filled.len() { 5 } else { 1 }, 1, part)
        })
        .collect();
    let ended = read(&frames, &[], 100_000);
    assert_eq!(note(&ended), [AnomalyKind::Limit(Limit::SectionBytes)]);
    assert!(ended[0].http.request.as_ref().unwrap().block.len() < 256 << 10);
    // A block that does not end.
    let endless: Vec<Vec<u8>> = std::iter::once(frame(1, 1, 1, &request("/b")))
        .chain((0..20).map(|_| frame(9, 0, 1, &[0x82; 16_384])))
        .collect();
    let ended = read(&endless, &[], 100_000);
    assert_eq!(lines(&ended), ["1 GET /b 0 cut > -"]);
    assert!(note(&ended).contains(&AnomalyKind::Limit(Limit::HeaderBlockBytes)));
    // More streams than are followed.
    let many: Vec<Vec<u8>> = (0..5_000).map(|i| frame(1, 5, i * 2 + 1, &[0x82, 0x84, 0x86])).collect();
    let ended = read(&many, &[], 100_000);
    assert_eq!(ended.len(), 5_000);
    let given_up = note(&ended).iter().filter(|k| **k == AnomalyKind::Limit(Limit::LiveStreams)).count();
    assert_eq!(given_up, 5_000 - 4_096);
}

/// Many small blocks, each of which unpacks to a quarter of a megabyte.
#[test]
fn what_blocks_unpack_to_is_bounded() {
    let value = [vec![0x7f, 0xb9, 0x16], vec![b'v'; 3_000]].concat();
    let fill = [vec![0x82, 0x84, 0x86, 0x40, 1, b'n'], value].concat();
    let named = [vec![0x82, 0x84, 0x86], vec![0xbe; 80]].concat();
    let blocks = std::iter::once(&fill).chain(std::iter::repeat_n(&named, 1_000));
    let frames: Vec<Vec<u8>> = (0_u32..).zip(blocks).map(|(i, block)| frame(1, 5, i * 2 + 1, block)).collect();
    let coded: usize = frames.iter().map(Vec::len).sum();
    let ended = read(&frames, &[], 100_000);
    assert_eq!(ended.len(), 1_001);
    let kept: usize = ended.iter().map(|e| e.http.request.as_ref().unwrap().block.len()).sum();
    assert!(kept > 8 << 20 && kept < (512 << 10) + 256 * coded, "{kept} of {coded}");
    assert!(ended.iter().flat_map(kinds).any(|k| k == AnomalyKind::Limit(Limit::SectionBytes)));

    // Many connections, each of which begins with bytes that need not be earned and holds its streams open.
    let budget = Budget { open_heads_bytes: Pool::new(2 << 20), ..Budget::default() };
    let mut connections: Vec<Connection> = (0..20).map(|_| Connection::new(&budget, Wanted::Bodies)).collect();
    let bytes = [PREFACE, &SETTINGS, &frames[..10].concat()].concat();
    let mut out = Vec::new();
    for connection in &mut connections {
        let (time, kind) = (Timestamp(0), RunKind::Data(bytes.as_slice().into()));
        connection.feed(&Run { side: Side::Client, offset: 0, frame: FrameNo(1), time, kind }, &mut out);
        assert!(budget.open_heads_bytes.taken() <= 2 << 20);
    }
    assert!(out.iter().flat_map(kinds).any(|k| k == AnomalyKind::Limit(Limit::LiveStreams)));
    connections.clear();
    assert_eq!(budget.open_heads_bytes.taken(), 0);
}

/// Frames and junk by turns: each turn loses and finds the frames again, which must not go deeper and deeper.
#[test]
fn many_losses() {
    let turn = [frame(6, 0, 0, &[1; 8]), frame(6, 1, 0, &[1; 8]), vec![0xff; 3]].concat();
    let bytes = turn.repeat(30_000);
    let ended = read_pieces(new(), [&[Piece::Bytes([PREFACE, &bytes].concat())], &[]], 1 << 20);
    assert!(ended.is_empty());
}

#[test]
fn what_is_http2() {
    let late = [frame(1, 4, 1, &ok()), frame(0, 1, 1, b"abc")].concat();
    for (bytes, want) in [
        (PREFACE, Sniff::Yes),
        (b"PRI * HT", Sniff::NeedMore),
        (b"PRI * HX", Sniff::No),
        (&SETTINGS, Sniff::NeedMore),
        (&late, Sniff::Yes),
        (&late[..20], Sniff::NeedMore),
        (&[0; 64], Sniff::No),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc", Sniff::No),
        (b"SSH-2.0-x", Sniff::No),
        (b"\0\x1c\x12\x34\x01\0\0\x01\0\0\0\0\0\0", Sniff::No),
    ] {
        assert_eq!(sniff(bytes), want, "{bytes:?}");
    }
}

fn section() -> Section {
    Section::new(SectionLimits::new(&Budget::default()))
}

/// The fields of a section, `name: value` each.
fn text_of(section: Section) -> String {
    let place = super::Start { offset: 0, frame: FrameNo(1), time: Timestamp(0) };
    let message = section.message(true, crate::model::HttpVersion::V2, (place, place), &mut Vec::new());
    String::from_utf8_lossy(&message.block).into_owned()
}

#[track_caller]
fn decodes(decoder: &mut Decoder, digits: &str, want: &str) {
    let bytes: Vec<u8> =
        digits.as_bytes().chunks(2).map(|d| u8::from_str_radix(str::from_utf8(d).unwrap(), 16).unwrap()).collect();
    let mut section = section();
    assert_eq!(decoder.decode(&bytes, |_| FrameNo(1), &mut section), Ok(()));
    assert!(!section.broken);
    assert_eq!(text_of(section), want);
}

#[test]
fn of_the_standard() {
    // RFC 7541 appendix C.2.
    let new = || Decoder::new(64 << 10);
    decodes(&mut new(), "400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header\n");
    decodes(&mut new(), "040c2f73616d706c652f70617468", ":path: /sample/path\n");
    decodes(&mut new(), "100870617373776f726406736563726574", "password: secret\n");
    decodes(&mut new(), "82", ":method: GET\n");
    // C.3 and C.4: requests without and with Huffman code.
    let first = ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n";
    let second = format!("{first}cache-control: no-cache\n");
    let third =
        ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n";
    for blocks in [
        [
            "828684410f7777772e6578616d706c652e636f6d",
            "828684be58086e6f2d6361636865",
            "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ],
        [
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ],
    ] {
        let mut decoder = new();
        for (block, want) in blocks.iter().zip([first, &second, third]) {
            decodes(&mut decoder, block, want);
        }
    }
    // C.5 and C.6: responses, with a table of 256 bytes, so that entries are evicted.
    let date = "date: Mon, 21 Oct 2013 20:13:21 GMT\n";
    let rest = format!("cache-control: private\n{date}location: https://www.example.com\n");
    let (first, second) = (format!(":status: 302\n{rest}"), format!(":status: 307\n{rest}"));
    let third = ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n\
                 location: https://www.example.com\ncontent-encoding: gzip\n\
                 set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n";
    for blocks in [
        [
            "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f\
             7777772e6578616d706c652e636f6d",
            "4803333037c1c0bf",
            "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b42\
             5a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
        ],
        [
            "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
            "4883640effc1c0bf",
            "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f\
             3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        ],
    ] {
        let mut decoder = new();
        // A size update to 256.
        decodes(&mut decoder, "3fe101", "");
        for (block, want) in blocks.iter().zip([first.as_str(), &second, third]) {
            decodes(&mut decoder, block, want);
        }
    }
}

#[test]
fn blocks_that_do_not_decode() {
    for bytes in [&[0x80][..], &[0x40], &[0x00, 5, b'a'], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]] {
        assert_eq!(Decoder::new(4_096).decode(bytes, |_| FrameNo(1), &mut section()), Err(Broken), "{bytes:?}");
    }
    // A broken Huffman string takes its field only.
    let mut one = section();
    let bytes = [vec![0x40, 0x81, 0x00], string(b"v", false), vec![0x82]].concat();
    assert_eq!(Decoder::new(4_096).decode(&bytes, |_| FrameNo(1), &mut one), Ok(()));
    assert!(one.broken);
    assert_eq!(text_of(one), ":method: GET\n");
}

/// An encoder that uses all representations, as told by `choices`.
struct Encoder {
    table: Vec<(String, String)>,
    most: usize,
}

impl Encoder {
    fn cost((name, value): &(String, String)) -> usize {
        name.len() + value.len() + 32
    }

    fn evict(&mut self) {
        while self.table.iter().map(Self::cost).sum::<usize>() > self.most {
            self.table.pop();
        }
    }

    fn integer(first: u8, prefix: u32, value: usize) -> Vec<u8> {
        let most = (1_usize << prefix) - 1;
        if value < most {
            return vec![first | u8::try_from(value).unwrap()];
        }
        let mut out = vec![first | u8::try_from(most).unwrap()];
        let mut rest = value - most;
        while rest >= 128 {
            out.push(u8::try_from(rest % 128).unwrap() | 0x80);
            rest /= 128;
        }
        out.push(u8::try_from(rest).unwrap());
        out
    }

    fn resize(&mut self, most: usize) -> Vec<u8> {
        self.most = most;
        self.evict();
        Self::integer(0x20, 5, most)
    }

    fn field(&mut self, name: &str, value: &str, choice: u8) -> Vec<u8> {
        let entry = (name.to_owned(), value.to_owned());
        if let Some(i) = self.table.iter().position(|e| *e == entry).filter(|_| choice & 1 == 0) {
            return Self::integer(0x80, 7, 62 + i);
        }
        let named = self.table.iter().position(|e| e.0 == name).filter(|_| choice & 2 == 0).map_or(0, |i| 62 + i);
        let (first, prefix) = [(0x40, 6), (0x00, 4), (0x10, 4), (0x40, 6)][usize::from(choice >> 2 & 3)];
        let mut out = Self::integer(first, prefix, named);
        if named == 0 {
            out.extend(string(name.as_bytes(), choice & 16 == 0));
        }
        out.extend(string(value.as_bytes(), choice & 32 == 0));
        if first == 0x40 {
            self.table.insert(0, entry);
            self.evict();
        }
        out
    }
}

proptest! {
    /// What the encoder put in comes out, in any representation and with any size of the table.
    #[test]
    fn there_and_back(
        blocks in prop::collection::vec(
            (prop::option::of(0_usize..300), prop::collection::vec(("[a-d]{1,3}", "[ -~]{0,12}", any::<u8>()), 0..12)),
            1..8,
        ),
    ) {
        let mut encoder = Encoder { table: Vec::new(), most: 4_096 };
        let mut decoder = Decoder::new(64 << 10);
        for (size, fields) in blocks {
            let mut bytes = size.map_or_else(Vec::new, |most| encoder.resize(most));
            let mut want = String::new();
            for (name, value, choice) in &fields {
                bytes.extend(encoder.field(name, value, *choice));
                want.extend([name, ": ", value, "\n"]);
            }
            let mut section = section();
            prop_assert_eq!(decoder.decode(&bytes, |_| FrameNo(1), &mut section), Ok(()));
            prop_assert_eq!(text_of(section), want);
        }
    }

    /// No block panics, and none costs more than it may.
    #[test]
    fn any_block(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..5)) {
        let mut decoder = Decoder::new(4_096);
        for block in blocks {
            let _broken = decoder.decode(&block, |_| FrameNo(1), &mut section());
        }
    }

    /// Any cut of the streams gives the same messages.
    #[test]
    fn cuts_change_nothing(step in 1_usize..300) {
        let promise = [&[0, 0, 0, 2], request("/style").as_slice()].concat();
        let client = [frame(1, 5, 1, &request("/a")), frame(1, 4, 3, &request("/b")), frame(0, 9, 3, b"\x02up\0\0"),
            frame(0, 0, 1 << 30, b"?"), vec![0xff; 40], frame(1, 5, 5, &request("/c")), frame(1, 5, 7, &request("/d"))];
        let server = [frame(1, 4, 3, &ok()), frame(0, 0, 3, &[b'x'; 500]), frame(5, 4, 1, &promise), frame(1, 4, 1, &ok()),
            frame(0, 1, 3, b"y"), frame(0, 1, 1, b"z"), frame(1, 4, 2, &ok()), frame(0, 1, 2, b"css")];
        let whole = read(&client, &server, 100_000);
        prop_assert_eq!(whole.len(), 5);
        let cut = read(&client, &server, step);
        prop_assert_eq!(lines(&cut), lines(&whole));
        prop_assert_eq!(cut.iter().map(kinds).collect::<Vec<_>>(), whole.iter().map(kinds).collect::<Vec<_>>());
    }

    /// A hole anywhere: nothing panics, and cuts change nothing.
    #[test]
    fn holes_anywhere(from in 0_usize..600, len in 1_usize..200, step in 1_usize..100) {
        let server = [SETTINGS.to_vec(), frame(1, 4, 1, &ok()), frame(0, 1, 1, &[b'x'; 300]), frame(1, 4, 3, &ok()),
            frame(0, 1, 3, b"y"), frame(4, 1, 0, b"")].concat();
        let from = from.min(server.len());
        let to = (from + len).min(server.len());
        let pieces = [Piece::Bytes(server[..from].to_vec()), Piece::Gap((to - from) as u64), Piece::Bytes(server[to..].to_vec())];
        let client = [Piece::Bytes([PREFACE, &SETTINGS, &frame(1, 5, 1, &request("/a")), &frame(1, 5, 3, &request("/b"))].concat())];
        let read = |step| lines(&read_pieces(new(), [&client, &pieces], step));
        prop_assert_eq!(read(step), read(100_000));
    }

    /// Nothing panics, whatever comes.
    #[test]
    fn any_bytes(
        kinds in prop::collection::vec((0_u8..12, any::<u8>(), 0_u32..6, prop::collection::vec(any::<u8>(), 0..40)), 0..20),
        gap in any::<bool>(),
        step in 1_usize..80,
    ) {
        let frames: Vec<Piece> = kinds.iter().map(|(kind, flags, stream, payload)| {
            if gap && *kind == 11 { Piece::Gap(u64::from(*flags)) } else { Piece::Bytes(frame(*kind, *flags, *stream, payload)) }
        }).collect();
        let _ended = read_pieces(new(), [&frames, &frames], step);
    }
}
