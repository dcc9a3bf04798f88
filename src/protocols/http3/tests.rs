#![expect(clippy::arithmetic_side_effects, reason = "builders of small known streams, no input")]
use proptest::prelude::*;

use Side::{Client, Server};

use super::*;
use crate::model::{FrameNo, HttpMessage, PayloadState, StartLine, Timestamp};

/// Streams as their sides send them.
const CONTROL: u64 = 2;
const ENCODER: u64 = 6;
const THEIR_CONTROL: u64 = 3;
const THEIR_ENCODER: u64 = 7;

fn v(n: u64) -> Vec<u8> {
    match n {
        0..0x40 => vec![n as u8],
        0x40..0x4000 => (0x4000 | n as u16).to_be_bytes().to_vec(),
        _ => (0x8000_0000 | n as u32).to_be_bytes().to_vec(),
    }
}

fn frame(kind: u64, payload: &[u8]) -> Vec<u8> {
    [v(kind), v(payload.len() as u64), payload.to_vec()].concat()
}

/// An integer behind its first bits.
fn int(first: u8, prefix: u32, n: usize) -> Vec<u8> {
    let most = (1 << prefix) - 1;
    if n < most {
        return vec![first | n as u8];
    }
    let (mut out, mut rest) = (vec![first | most as u8], n - most);
    while rest >= 128 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

/// A field with literal name and value.
fn literal(name: &str, value: &str) -> Vec<u8> {
    [int(0x20, 3, name.len()), name.into(), int(0, 7, value.len()), value.into()].concat()
}

/// A section that needs no table.
fn section(fields: &[(&str, &str)]) -> Vec<u8> {
    [vec![0, 0], fields.iter().flat_map(|(name, value)| literal(name, value)).collect()].concat()
}

fn headers(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, &section(fields))
}

fn get(path: &str) -> Vec<u8> {
    headers(&[(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", path)])
}

/// Settings that allow a table of that size.
fn settings(bytes: u64) -> Vec<u8> {
    [v(CONTROL_STREAM), frame(SETTINGS, &[v(1), v(bytes)].concat())].concat()
}

/// A piece of a stream: bytes, then perhaps the end.
#[derive(Clone, Debug)]
struct Sent {
    stream: u64,
    side: Side,
    offset: u64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Bytes(Vec<u8>),
    Gap(u64),
    End,
    Act(Act),
}

/// What a side sends on a stream from its start to its end.
fn all(stream: u64, side: Side, bytes: &[u8]) -> Vec<Sent> {
    let end = Sent { stream, side, offset: bytes.len() as u64, what: What::End };
    vec![Sent { stream, side, offset: 0, what: What::Bytes(bytes.to_vec()) }, end]
}

/// The same of a stream that does not end.
fn some(stream: u64, side: Side, bytes: &[u8]) -> Vec<Sent> {
    all(stream, side, bytes)[..1].to_vec()
}

fn read_with(budget: &Budget, talk: &[Sent]) -> Vec<Ended> {
    let mut connection = Connection::new(budget, Wanted::Bodies, Client);
    let (mut out, mut number) = (Vec::new(), 0);
    for (i, sent) in talk.iter().enumerate() {
        let (kind, act) = match &sent.what {
            What::Bytes(bytes) => (RunKind::Data(bytes.clone().into()), Act::Read),
            What::Gap(count) => (RunKind::Gap(*count), Act::Read),
            What::End => (RunKind::End, Act::Read),
            What::Act(act) => (RunKind::End, *act),
        };
        let (frame, time) = (FrameNo(i as u32 + 1), Timestamp(0));
        let run = Run { side: sent.side, offset: sent.offset, frame, time, kind };
        connection.feed(StreamPiece { connection: 0, stream: sent.stream, run, act }, number, &mut out);
        number = connection.opened();
    }
    connection.finish(&mut out);
    out
}

fn read(talk: &[Sent]) -> Vec<Ended> {
    read_with(&Budget::default(), talk)
}

fn line(message: Option<&HttpMessage>) -> String {
    let Some(message) = message else { return "-".to_owned() };
    let end = if message.complete { "" } else { "~" };
    let first = match message.start {
        StartLine::Request { method, target } => {
            [method, target].map(|r| String::from_utf8_lossy(r.of(&message.block)).into_owned()).join(" ")
        }
        StartLine::Status { code, .. } => code.to_string(),
    };
    format!("{first}{end}")
}

/// Each exchange in a line: stream, request, response, body, and what is odd.
fn lines(ended: &[Ended]) -> Vec<String> {
    ended
        .iter()
        .map(|e| {
            let stream = e.http.stream.map_or_else(|| "-".to_owned(), |n| n.to_string());
            let body = e.bodies.as_ref().map(|[_, body]| String::from_utf8_lossy(body).into_owned());
            let odd: Vec<String> = e.anomalies.iter().map(|a| format!("{:?}", a.kind)).collect();
            let parts = [
                stream,
                line(e.http.request.as_ref()),
                line(e.http.response.as_ref()),
                body.unwrap_or_default(),
                odd.join(","),
            ];
            parts.join("|")
        })
        .collect()
}

#[track_caller]
fn check(talk: &[Vec<Sent>], want: &[&str]) -> Vec<Ended> {
    let ended = read(&talk.concat());
    assert_eq!(lines(&ended), want);
    ended
}

fn value<'a>(message: &'a HttpMessage, name: &str) -> &'a [u8] {
    message.field(name).unwrap_or(b"(none)")
}

#[test]
fn a_request_and_its_answer() {
    let answer = [headers(&[(":status", "200")]), frame(0x21, b"grease"), frame(DATA, b"he"), frame(DATA, b"llo")];
    check(
        &[
            some(CONTROL, Client, &settings(0)),
            some(THEIR_CONTROL, Server, &settings(0)),
            some(14, Client, &[v(0x21), b"any".to_vec()].concat()),
            all(0, Client, &get("/a")),
            all(0, Server, &answer.concat()),
        ],
        &["0|GET /a|200|hello|"],
    );
}

#[test]
fn interim_answers_trailers_and_heads_without_body() {
    let answer = [
        headers(&[(":status", "103"), ("link", "</x>")]),
        headers(&[(":status", "200")]),
        frame(DATA, b"x"),
        headers(&[("x-sum", "1")]),
    ];
    let ended = check(
        &[
            all(0, Client, &get("/a")),
            all(0, Server, &answer.concat()),
            all(4, Client, &get("/b")),
            all(4, Server, &headers(&[(":status", "304"), ("content-encoding", "gzip")])),
        ],
        &["0|GET /a|200|x|", "4|GET /b|304||"],
    );
    assert_eq!(ended[0].http.interim.len(), 1);
    assert_eq!(ended[0].http.response.as_ref().unwrap().trailers.len(), 1);
}

/// RFC 9204 appendix B: the sections and what the encoder sends for them. The table is 220 bytes.
#[test]
fn qpack_as_the_appendix_has_it() {
    let unhex = |text: &str| -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter_map(|b| char::from(b).to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    };
    let mut table = Table::new(4_096);
    let show = |table: &Table, block: &str| {
        let block = unhex(block);
        let limits = (table.inserted(), Some(220));
        let needs = table.needs(&block, limits.0, limits.1).unwrap();
        let mut section = crate::protocols::http::Section::new(SectionLimits::new(&Budget::default()));
        table.decode(&block, limits, |_| FrameNo(1), &mut section).unwrap();
        let start = Start { offset: 0, frame: FrameNo(1), time: Timestamp(0) };
        let message = section.message(false, HttpVersion::V3, (start, start), &mut Vec::new());
        (needs, String::from_utf8(message.block.to_vec()).unwrap())
    };
    // B.1: a literal with a static name.
    assert_eq!(show(&table, "0000510b2f696e6465782e68746d6c").1, ":path: /index.html\n");
    // B.2: the section needs two entries; before they came it waits.
    assert_eq!(table.needs(&unhex("03811011"), 0, Some(220)), Ok(Needs::Entries(2)));
    table.feed(&unhex("3fbd01c00f7777772e6578616d706c652e636f6dc10c2f73616d706c652f70617468")).unwrap();
    assert_eq!(table.inserted(), 2);
    let want = ":authority: www.example.com\n:path: /sample/path\n";
    assert_eq!(show(&table, "03811011"), (Needs::Nothing, want.to_owned()));
    // B.3: a speculative insert, B.4: a duplicate, B.5: an insert that drops the oldest.
    table.feed(&unhex("4a637573746f6d2d6b65790c637573746f6d2d76616c7565")).unwrap();
    table.feed(&unhex("02")).unwrap();
    assert_eq!(table.inserted(), 4);
    let want = ":authority: www.example.com\n:path: /\ncustom-key: custom-value\n";
    assert_eq!(show(&table, "050080c181"), (Needs::Nothing, want.to_owned()));
    table.feed(&unhex("810d637573746f6d2d76616c756532")).unwrap();
    assert_eq!((table.inserted(), show(&table, "060080").1.as_str()), (5, "custom-key: custom-value2\n"));
    // What the decoder answers.
    assert_eq!(qpack::decoder_instructions(&unhex("84480140ff")), 4);
}

/// Inserts a literal name and value.
fn insert(name: &str, value: &str) -> Vec<u8> {
    [int(0x40, 5, name.len()), name.into(), int(0, 7, value.len()), value.into()].concat()
}

/// An encoder stream of a table of 4096 bytes.
fn encoder(instructions: &[Vec<u8>]) -> Vec<u8> {
    [v(ENCODER_STREAM), int(0x20, 5, 4_096), instructions.concat()].concat()
}

/// A section that needs `count` entries, its base there, and its lines.
fn needing(count: usize, lines: &[Vec<u8>]) -> Vec<u8> {
    [int(0, 8, count + 1), vec![0], lines.concat()].concat()
}

/// The request with a path of its own whose `x-of` is the newest of `count` entries.
fn dynamic(path: &str, count: usize) -> Vec<u8> {
    let fixed = [(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", path)];
    let mut lines: Vec<Vec<u8>> = fixed.iter().map(|(name, value)| literal(name, value)).collect();
    lines.push(int(0x80, 6, 0));
    frame(HEADERS, &needing(count, &lines))
}

#[test]
fn a_blocked_section_waits_for_its_entries_and_its_stream_for_it() {
    let made = encoder(&[insert("x-of", "table")]);
    let with_body = [dynamic("/a", 1), frame(DATA, b"up")].concat();
    let head = some(THEIR_CONTROL, Server, &settings(4_096));
    let (request, table) = (all(0, Client, &with_body), some(ENCODER, Client, &made));
    let answer = all(0, Server, &headers(&[(":status", "200")]));
    for talk in [
        [&head, &table, &request, &answer],
        [&head, &request, &table, &answer],
        [&request, &table, &head, &answer],
        [&request, &answer, &table, &head],
    ] {
        let ended = read(&talk.into_iter().flatten().cloned().collect::<Vec<_>>());
        let last = ended.last().unwrap();
        assert_eq!(value(last.http.request.as_ref().unwrap(), "x-of"), b"table", "{:?}", lines(&ended));
        assert_eq!((ended.len(), last.bodies.as_ref().unwrap()[0].as_slice()), (1, &b"up"[..]));
    }
}

#[test]
fn what_the_table_lacks_is_lost_and_said_to_be() {
    let request = all(0, Client, &dynamic("/a", 1));
    let head = some(THEIR_CONTROL, Server, &settings(4_096));
    let gap = |offset| vec![Sent { stream: ENCODER, side: Client, offset, what: What::Gap(9) }];
    let made = encoder(&[insert("x-of", "table")]);
    let lost = "0|GET /a|-||FieldLost";
    // Its encoder stream never came, or has a hole.
    check(&[head.clone(), request.clone()], &[lost]);
    check(&[head.clone(), some(ENCODER, Client, &made[..6]), request.clone(), gap(6)], &[lost]);
    check(&[head.clone(), gap(0), request.clone()], &[lost]);
    // Nobody tells how large the table may be.
    check(&[some(ENCODER, Client, &made), request.clone()], &[lost]);
    let other = vec![Sent { stream: THEIR_CONTROL, side: Server, offset: 0, what: What::Gap(3) }];
    check(&[some(ENCODER, Client, &made), request, other], &[lost]);
}

#[test]
fn references_count_from_the_base_both_ways() {
    let made = encoder(&[insert("a", "1"), insert("b", "2"), insert("c", "3")]);
    // The base is 1: entry 0 lies before it, 1 and 2 behind; the last line takes the name of entry 1.
    let lines = [int(0x80, 6, 0), int(0x10, 4, 0), int(0x10, 4, 1), [int(0, 3, 0), int(0, 7, 1), vec![b'9']].concat()];
    let prefix = [int(0, 8, 4), int(0x80, 7, 1)].concat();
    let status = [int(0x40 | 0x10, 4, 25), int(0, 7, 3), b"200".to_vec()].concat();
    let block = [prefix, status, lines.concat()].concat();
    let ended = read(
        &[
            some(CONTROL, Client, &settings(4_096)),
            some(THEIR_ENCODER, Server, &made),
            all(0, Client, &get("/a")),
            all(0, Server, &frame(HEADERS, &block)),
        ]
        .concat(),
    );
    let response = ended[0].http.response.as_ref().unwrap();
    let fields: Vec<_> = response.each_field().skip(1).map(|(n, v)| (n[0], v[0])).collect();
    assert_eq!(fields, [(b'a', b'1'), (b'b', b'2'), (b'c', b'3'), (b'b', b'9')]);
}

#[test]
fn holes_are_told_where_they_are() {
    let body = [headers(&[(":status", "200")]), frame(DATA, b"0123456789"), frame(DATA, b"abc")].concat();
    let request = all(0, Client, &get("/a"));
    let cut = |from: usize, to: usize| {
        let piece = |offset: usize, what| Sent { stream: 0, side: Server, offset: offset as u64, what };
        vec![
            piece(0, What::Bytes(body[..from].to_vec())),
            piece(from, What::Gap((to - from) as u64)),
            piece(to, What::Bytes(body[to..].to_vec())),
            piece(body.len(), What::End),
        ]
    };
    let data_at = body.len() - 17;
    // Inside the body of one frame: what follows is read.
    check(&[request.clone(), cut(data_at + 4, data_at + 6)], &["0|GET /a|200~|01456789abc|CutShort"]);
    // Over the next frame's header: nothing more is.
    check(&[request.clone(), cut(data_at + 4, data_at + 13)], &["0|GET /a|200~|01|Gap,CutShort"]);
    // In the head, behind its frame's header: what follows is read.
    check(&[request.clone(), cut(4, 6)], &["0|GET /a|0~|0123456789abc|CutShort"]);
    // In that header.
    check(&[request, cut(1, 4)], &["0|GET /a|-||Gap"]);
}

#[test]
fn pushes_have_rows_of_their_own() {
    let promise = [v(7), section(&[(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/p")])];
    let answer = [frame(PUSH_PROMISE, &promise.concat()), headers(&[(":status", "200")])].concat();
    let pushed = [v(PUSH_STREAM), v(7), headers(&[(":status", "200")]), frame(DATA, b"p")].concat();
    let ended = check(
        &[all(0, Client, &get("/a")), all(0, Server, &answer), all(15, Server, &pushed)],
        &["0|GET /a|200||", "15|GET /p|200|p|"],
    );
    assert!(ended[1].http.pushed && !ended[0].http.pushed);
}

#[test]
fn streams_that_are_broken_off() {
    let act = |side, act| vec![Sent { stream: 0, side, offset: 0, what: What::Act(act) }];
    let request = all(0, Client, &get("/a"));
    let begun = some(0, Server, &[headers(&[(":status", "200")]), frame(DATA, b"he")].concat());
    check(&[request.clone(), begun.clone(), act(Server, Act::Reset)], &["0|GET /a|200~|he|StreamReset,CutShort"]);
    check(&[request.clone(), begun.clone(), act(Client, Act::Stopped)], &["0|GET /a|200~|he|StreamReset,CutShort"]);
    check(&[request.clone(), act(Server, Act::Reset)], &["0|GET /a|-||StreamReset"]);
    // A server that has answered needs no more of the request.
    let whole = all(0, Server, &headers(&[(":status", "413")]));
    let up = some(0, Client, &[headers(&[(":method", "PUT"), (":scheme", "https"), (":path", "/u")])].concat());
    check(&[up, whole, act(Server, Act::Stopped), act(Client, Act::Reset)], &["0|PUT /u~|413||StreamReset,CutShort"]);
    let goaway = some(THEIR_CONTROL, Server, &[settings(0), frame(GOAWAY, &v(0))].concat());
    check(&[request, goaway], &["0|GET /a|-||StreamReset"]);
}

#[test]
fn extended_connect_is_read_and_what_is_no_http_is_not() {
    let connect = headers(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/chat"),
    ]);
    check(
        &[
            some(0, Client, &connect),
            all(0, Server, &[headers(&[(":status", "200")]), frame(DATA, b"\x81\x01a")].concat()),
            all(4, Client, &[v(WEBTRANSPORT_STREAM), v(0), vec![1; 30]].concat()),
            all(1, Server, &[1; 30]),
        ],
        // What it carries is a WebSocket's (RFC 9220), told beside the exchange.
        &["0|CONNECT /chat|200||"],
    );
}

/// A WebSocket whose stream both sides break off is over then, not with the connection, and what was being sent is cut.
#[test]
fn a_websocket_ends_with_the_reset_of_its_stream() {
    let connect = headers(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/chat"),
    ]);
    let said = [headers(&[(":status", "200")]), frame(DATA, b"\x81\x01a"), frame(DATA, b"\x81\x05bc")].concat();
    let reset = |side| vec![Sent { stream: 0, side, offset: 0, what: What::Act(Act::Reset) }];
    let ended = check(
        &[
            some(0, Client, &connect),
            some(0, Server, &said),
            reset(Client),
            reset(Server),
            all(4, Client, &get("/later")),
            all(4, Server, &headers(&[(":status", "204")])),
        ],
        &["0|CONNECT /chat|200||StreamReset,StreamReset,CutShort", "4|GET /later|204||"],
    );
    let said: Vec<_> = ended[0].messages.messages.iter().map(|m| (m.payload.as_slice(), m.state)).collect();
    assert_eq!(said, [(&b"a"[..], PayloadState::Whole), (b"bc", PayloadState::Cut)]);
    assert!(ended[0].http.websocket.is_some());
}

#[test]
fn frames_in_the_wrong_place_are_odd() {
    check(&[all(0, Client, &[frame(SETTINGS, &[]), get("/a")].concat())], &["0|GET /a|-||BadFrame"]);
    check(&[all(0, Client, &[get("/a"), vec![1, 9, 9]].concat())], &["0|GET /a~|-||CutShort,BadFrame"]);
    let early = some(CONTROL, Client, &[v(CONTROL_STREAM), frame(GOAWAY, &v(0))].concat());
    check(&[all(0, Client, &get("/a")), early], &["0|GET /a|-||BadFrame"]);
}

#[test]
fn limits_are_told() {
    let budget = Budget { section_bytes: 100, ..Budget::default() };
    let large = headers(&[(":method", "GET"), (":path", "/"), ("x", &"y".repeat(90))]);
    let ended = read_with(&budget, &all(0, Client, &large));
    assert!(lines(&ended)[0].contains("SectionBytes"), "{:?}", lines(&ended));
    let budget = Budget { header_block_bytes: 50, ..Budget::default() };
    let ended = read_with(&budget, &all(0, Client, &large));
    assert!(lines(&ended)[0].contains("HeaderBlockBytes"), "{:?}", lines(&ended));
}

/// A talk with tables on both sides, as pieces of whole streams.
fn talk() -> Vec<(u64, Side, Vec<u8>)> {
    let inserts: Vec<Vec<u8>> = (0..6).map(|n| insert("x-of", &format!("value {n}"))).collect();
    let answer = |count| {
        let lines = [literal(":status", "200"), int(0x80, 6, 0)];
        [frame(HEADERS, &needing(count, &lines)), frame(DATA, b"some "), frame(0x40, b"?"), frame(DATA, b"body")]
            .concat()
    };
    let mut all = vec![
        (CONTROL, Client, settings(4_096)),
        (THEIR_CONTROL, Server, settings(4_096)),
        (ENCODER, Client, encoder(&inserts)),
        (THEIR_ENCODER, Server, encoder(&inserts)),
    ];
    for n in 0..4_u64 {
        all.push((4 * n, Client, dynamic(&format!("/{n}"), n as usize + 1)));
        all.push((4 * n, Server, answer(n as usize + 2)));
    }
    all
}

proptest! {
    #[test]
    fn any_cut_and_any_order_of_streams_gives_the_same_messages(
        cuts in prop::collection::vec(1_usize..40, 1..40),
        order in prop::collection::vec(0_usize..12, 0..300),
    ) {
        let streams = talk();
        let ends = |s: &(u64, Side, Vec<u8>)| s.0.trailing_zeros() >= 2;
        let mut at = vec![0; streams.len()];
        let mut sent = Vec::new();
        // Each turn one stream goes on by a piece; at last all do.
        let rest = (0..streams.len()).flat_map(|n| std::iter::repeat_n(n, 400));
        for (i, n) in order.iter().copied().chain(rest).enumerate() {
            let (stream, side, bytes) = &streams[n];
            let from = at[n];
            let to = (from + cuts[i % cuts.len()]).min(bytes.len());
            if from > bytes.len() {
                continue;
            }
            let offset = from as u64;
            if from < to {
                sent.push(Sent { stream: *stream, side: *side, offset, what: What::Bytes(bytes[from..to].to_vec()) });
                at[n] = to;
            } else {
                if ends(&streams[n]) {
                    sent.push(Sent { stream: *stream, side: *side, offset, what: What::End });
                }
                at[n] = bytes.len() + 1;
            }
        }
        let mut ended = read(&sent);
        ended.sort_by_key(|e| e.http.stream);
        let want: Vec<String> = (0..4).map(|n| format!("{}|GET /{n}|200|some body|", 4 * n)).collect();
        prop_assert_eq!(lines(&ended), want);
        for (n, e) in ended.iter().enumerate() {
            let (request, response) = (e.http.request.as_ref().unwrap(), e.http.response.as_ref().unwrap());
            let (asked, answered) = (format!("value {n}"), format!("value {}", n + 1));
            prop_assert_eq!(value(request, "x-of"), asked.as_bytes());
            prop_assert_eq!(value(response, "x-of"), answered.as_bytes());
        }
    }

    #[test]
    fn a_hole_anywhere_gives_what_is_there_and_nothing_else(
        which in 0_usize..12,
        from in 0_usize..80,
        len in 1_usize..60,
    ) {
        let mut sent = Vec::new();
        for (n, (stream, side, bytes)) in talk().into_iter().enumerate() {
            let piece = |offset: usize, what| Sent { stream, side, offset: offset as u64, what };
            let (from, to) = if n == which { (from, from + len) } else { (usize::MAX, 0) };
            if from < bytes.len() {
                let to = to.min(bytes.len());
                sent.push(piece(0, What::Bytes(bytes[..from].to_vec())));
                sent.push(piece(from, What::Gap((to - from) as u64)));
                sent.push(piece(to, What::Bytes(bytes[to..].to_vec())));
            } else {
                sent.push(piece(0, What::Bytes(bytes.clone())));
            }
            if stream.trailing_zeros() >= 2 {
                sent.push(piece(bytes.len(), What::End));
            }
        }
        for e in read(&sent) {
            let n = e.http.stream.unwrap() / 4;
            let told = e.anomalies.iter().any(|a| a.kind == AnomalyKind::FieldLost);
            for (message, own) in [(&e.http.request, n), (&e.http.response, n + 1)] {
                let Some(message) = message else { continue };
                // A field that is shown is the right one.
                let (shown, want) = (value(message, "x-of"), format!("value {own}"));
                prop_assert!(shown == want.as_bytes() || shown == b"(none)");
                if message.complete {
                    prop_assert!(shown != b"(none)" || told, "stream {}", n);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(
        pieces in prop::collection::vec((0_u64..20, any::<bool>(), any::<Vec<u8>>(), 0_u8..8), 0..40),
    ) {
        let sent: Vec<Sent> = pieces
            .into_iter()
            .map(|(stream, client, bytes, how)| {
                let side = if client { Client } else { Server };
                let what = match how {
                    0 => What::Gap(bytes.len() as u64),
                    1 => What::End,
                    2 => What::Act(Act::Reset),
                    3 => What::Act(Act::Stopped),
                    _ => What::Bytes(bytes),
                };
                Sent { stream, side, offset: 0, what }
            })
            .collect();
        read(&sent);
    }

    #[test]
    fn any_sections_and_instructions_are_read_without_harm(
        instructions in prop::collection::vec(any::<Vec<u8>>(), 0..8),
        block: Vec<u8>,
        inserted in 0_u64..100,
        most: Option<u64>,
    ) {
        let mut table = Table::new(1_000);
        for bytes in instructions {
            let _broken = table.feed(&bytes);
        }
        let _needs = table.needs(&block, inserted, most);
        let mut section = crate::protocols::http::Section::new(SectionLimits::new(&Budget::default()));
        let _read = table.decode(&block, (inserted, most), |_| FrameNo(1), &mut section);
    }
}
