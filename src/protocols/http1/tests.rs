//! Both sides of a connection as text, in any pieces.

use proptest::prelude::*;

use super::{Connection, sniff};
use crate::model::{Budget, FrameNo, HttpMessage, Run, RunKind, Side, StartLine, Timestamp};
use crate::protocols::http::{Ended, Wanted};
use crate::protocols::{Feed, Sniff};

/// Client's bytes, then the server's, each in pieces of `step`; `_` stands for a missing byte, `|` for the end.
fn read(client: &[u8], server: &[u8], step: usize) -> (Vec<Ended>, Feed) {
    let mut connection = Connection::new(&Budget::default(), Wanted::Bodies);
    let (mut out, mut frame, mut last) = (Vec::new(), 0, Feed::Going);
    for (side, bytes) in [(Side::Client, client), (Side::Server, server)] {
        let mut offset = 0;
        for part in bytes.chunk_by(|a, b| !b"_|".contains(a) && !b"_|".contains(b)) {
            for piece in part.chunks(step) {
                frame += 1;
                let kind = match piece {
                    b"_" => RunKind::Gap(1),
                    b"|" => RunKind::End,
                    bytes => RunKind::Data(bytes.into()),
                };
                let run = Run { side, offset, frame: FrameNo(frame), time: Timestamp(0), kind };
                let fed = connection.feed(&run, &mut out);
                if fed != Feed::Going {
                    last = fed;
                }
                offset += piece.len() as u64;
            }
        }
    }
    connection.finish(&mut out);
    (out, last)
}

fn say(message: Option<&HttpMessage>) -> String {
    let Some(m) = message else { return "-".to_owned() };
    let text = |r: crate::model::ByteRange| String::from_utf8_lossy(r.of(&m.block)).into_owned();
    let start = match m.start {
        StartLine::Request { method, target } => format!("{} {}", text(method), text(target)),
        StartLine::Status { code, .. } => code.to_string(),
    };
    let body = m.body.decoded_bytes.map_or_else(|| "?".to_owned(), |n| n.to_string());
    format!("{start} {body}{}", if m.complete { "" } else { " cut" })
}

fn lines(ended: &[Ended]) -> Vec<String> {
    ended
        .iter()
        .map(|e| {
            let interim = if e.http.interim.is_empty() { "" } else { " (interim)" };
            format!("{} > {}{interim}", say(e.http.request.as_ref()), say(e.http.response.as_ref()))
        })
        .collect()
}

#[track_caller]
fn check(client: &str, server: &str, want: &[&str]) {
    for step in [1, 3, 1_000] {
        assert_eq!(lines(&read(client.as_bytes(), server.as_bytes(), step).0), want, "in pieces of {step}");
    }
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[test]
fn one_exchange() {
    check(GET, OK, &["GET /a 0 > 200 2"]);
}

#[test]
fn pipelined() {
    check(&GET.repeat(2), &OK.repeat(2), &["GET /a 0 > 200 2", "GET /a 0 > 200 2"]);
}

#[test]
fn a_body_each_way() {
    check(
        "POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: x\r\n\r\nHTTP/1.0 404 N\r\n\r\nnone|",
        &["POST /p 3 > 200 2 (interim)", "GET /b 0 > 404 4"],
    );
}

#[test]
fn without_a_body() {
    check(
        "HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        &["HEAD /a 0 > 200 0", "GET /b 0 > 304 0"],
    );
}

#[test]
fn one_side_only() {
    check(GET, "", &["GET /a 0 > -"]);
    check("", OK, &["- > 200 2"]);
    let head_twice = OK.replace("2\r\n\r\nhi", "9\r\n\r\n").repeat(2);
    assert_eq!(lines(&read(b"", head_twice.as_bytes(), 1_000).0), ["- > 200 0", "- > 200 ? cut"]);
}

#[test]
fn the_sides_are_told_by_what_they_say() {
    let (ended, _) = read(OK.as_bytes(), GET.as_bytes(), 1_000);
    assert!(ended.iter().all(|e| e.swapped));
}

#[test]
fn holes() {
    check(
        GET,
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na__dHTTP/1.1 201 Late\r\nContent-Length: 0\r\n\r\n",
        &["GET /a 0 > 200 ? cut", "- > 201 0"],
    );
}

#[test]
fn odd_lines() {
    let (ended, _) = read(b"\r\nGET /x y HTTP/1.1\nHost : h\n folded\nnonsense\n\n", b"", 5);
    let request = ended[0].http.request.as_ref().unwrap();
    assert_eq!(request.field("host").unwrap(), b"h\n folded");
    assert_eq!(say(Some(request)), "GET /x y 0");
    assert_eq!(ended[0].anomalies.len(), 4);
    check("GET /old\r\n", "", &["GET /old 0 > -"]);
}

#[test]
fn another_protocol_follows() {
    let (ended, fed) = read(b"CONNECT h:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n\x16\x03", 1_000);
    assert_eq!(lines(&ended), ["CONNECT h:443 0 > 200 0"]);
    assert_eq!(fed, Feed::Switched(Side::Server, 19));
}

#[test]
fn trailers_have_their_frames() {
    let (ended, _) =
        read(GET.as_bytes(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nETag: x\r\n\r\n", 8);
    let response = ended[0].http.response.as_ref().unwrap();
    let trailer = response.trailers[0];
    assert_eq!(trailer.value.of(&response.block), b"x");
    assert_eq!(response.frames_of(trailer.value).last(), Some(&response.last_frame));
}

#[test]
fn what_is_http() {
    for (bytes, want) in [
        (&b"GET / HTTP/1.1\r\n"[..], Sniff::Yes),
        (b"HTTP/1.1 200", Sniff::Yes),
        (b"HT", Sniff::NeedMore),
        (b"GE", Sniff::NeedMore),
        (b"RTSP/1.0 200 OK\r\n", Sniff::No),
        (b"INVITE sip:a SIP/2.0\r\n", Sniff::No),
        (b"PRI * HTTP/2.0\r\n", Sniff::No),
        (b"SSH-2.0-x\r\n", Sniff::No),
        (b"\x16\x03\x01", Sniff::No),
    ] {
        assert_eq!(sniff(bytes), want, "{}", String::from_utf8_lossy(bytes));
    }
}

proptest! {
    /// Any cut of the streams gives the same messages.
    #[test]
    fn cuts_change_nothing(step in 1_usize..200) {
        let client = [GET, "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n", GET].concat();
        let server = [OK, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK, OK].concat();
        let whole = lines(&read(client.as_bytes(), server.as_bytes(), 10_000).0);
        prop_assert_eq!(lines(&read(client.as_bytes(), server.as_bytes(), step).0), whole);
    }

    /// Nothing panics, whatever comes.
    #[test]
    fn any_bytes(
        client in prop::collection::vec(prop::sample::select(b"GET /HTP1.0 20\r\n:Content-Length5chunked_|\x00\xff".to_vec()), 0..300),
        server in prop::collection::vec(any::<u8>(), 0..300),
        step in 1_usize..50,
    ) {
        let client = [GET.as_bytes(), &client].concat();
        let server = [OK.as_bytes(), &server].concat();
        let _ended = read(&client, &server, step);
    }
}
