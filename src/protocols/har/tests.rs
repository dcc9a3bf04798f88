use super::{Entry, EntryPlace, LeftOut, entry};
use crate::model::{AnomalyKind, Budget, FrameNo, HttpMessage, HttpVersion, Limit, StartLine, Timestamp, Transport};
use crate::protocols::http::Wanted;

fn read_as(json: &str, wanted: Wanted) -> Result<Entry, LeftOut> {
    let place = EntryPlace { frame: FrameNo(7), time: Timestamp(5), offset: 1_000 };
    entry(json.as_bytes(), place, wanted, &Budget::default())
}

fn read(json: &str) -> Entry {
    read_as(json, Wanted::Bodies).expect("an exchange")
}

/// An entry with a request and a response, each with further members, and further members of its own.
fn whole(request: &str, response: &str, more: &str) -> Entry {
    read(&format!(
        r#"{{"startedDateTime":"2026-01-05T10:00:00Z","request":{{"method":"GET","url":"https://a.example/p?q",
            "httpVersion":"HTTP/1.1"{request}}},"response":{{"status":200,"statusText":"OK"{response}}}{more}}}"#
    ))
}

fn kinds(entry: &Entry) -> Vec<AnomalyKind> {
    entry.ended.anomalies.iter().map(|a| a.kind).collect()
}

fn request(entry: &Entry) -> &HttpMessage {
    entry.ended.http.request.as_ref().expect("a request")
}

fn response(entry: &Entry) -> &HttpMessage {
    entry.ended.http.response.as_ref().expect("a response")
}

#[test]
fn heads_are_what_the_entry_says() {
    let entry = whole(
        r#","headers":[{"name":"Host","value":"a.example"},{"name":"X","value":" \u00e9 "}]"#,
        r#","httpVersion":"HTTP/1.0","headers":[{"value":"a\nb","name":"Set-Cookie"},{"name":"Server","value":"x"}]"#,
        "",
    );
    let (asked, answered) = (request(&entry), response(&entry));
    assert_eq!(
        String::from_utf8_lossy(&asked.block),
        "GET https://a.example/p?q HTTP/1.1\r\nHost: a.example\r\nX: é\r\n\r\n"
    );
    assert_eq!(
        String::from_utf8_lossy(&answered.block),
        "HTTP/1.0 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nServer: x\r\n\r\n"
    );
    assert_eq!(answered.field("server"), Some(&b"x"[..]));
    assert!(matches!(answered.start, StartLine::Status { code: 200, .. }));
    assert_eq!((asked.host(), asked.scheme()), (Some(&b"a.example"[..]), "https"));
    // One place for the message and one for each field; both cookies stand in one header.
    assert_eq!(answered.told_at.len(), 4);
    assert_eq!(answered.told_at.get(1), answered.told_at.get(2));
    assert!(asked.told_at.iter().all(|at| *at > 1_000), "offsets are those of the file");
    assert_eq!(kinds(&entry), []);
}

#[test]
fn a_host_that_only_the_url_names() {
    let entry = read(
        r#"{"startedDateTime":"2026-01-05T10:00:00Z","request":{"method":"GET","url":"wss://u@b.example:8443/"}}"#,
    );
    assert_eq!((request(&entry).host(), request(&entry).scheme()), (Some(&b"b.example:8443"[..]), "https"));
    assert_eq!((entry.server.is_known(), entry.server.port), (false, 8_443));
    assert!(entry.ended.http.response.is_none());
}

#[track_caller]
fn version_is(name: &str, want: HttpVersion, transport: Transport) {
    let entry = whole("", &format!(r#","httpVersion":"{name}""#), "");
    assert_eq!((response(&entry).version, entry.transport), (want, transport), "{name}");
}

#[test]
fn versions_in_all_their_forms() {
    for name in ["HTTP/2", "HTTP/2.0", "http/2.0", "h2", "H2"] {
        version_is(name, HttpVersion::V2, Transport::Tcp);
    }
    for name in ["h3", "HTTP/3", "http/3.0", "h3-29", "http/2+quic/46"] {
        version_is(name, HttpVersion::V3, Transport::Udp);
    }
    version_is("HTTP/1.0", HttpVersion::V10, Transport::Tcp);
    // What is no version is taken from the other message.
    version_is("unknown", HttpVersion::V11, Transport::Tcp);
}

#[track_caller]
fn server_is(address: &str, want: &str, odd: &[AnomalyKind]) {
    let entry = whole("", "", &format!(r#","serverIPAddress":{address}"#));
    assert_eq!((entry.server.to_string().as_str(), kinds(&entry).as_slice()), (want, odd), "{address}");
}

#[test]
fn addresses_in_all_their_forms() {
    server_is(r#""192.0.2.1""#, "192.0.2.1:443", &[]);
    server_is(r#"" [2001:db8::1] ""#, "[2001:db8::1]:443", &[]);
    server_is(r#""fe80::1%en0""#, "[fe80::1]:443", &[]);
    server_is(r#""::ffff:192.0.2.1""#, "192.0.2.1:443", &[]);
    server_is(r#""192.0.2.1:8443""#, "192.0.2.1:8443", &[]);
    server_is(r#""a.example/192.0.2.1""#, "192.0.2.1:443", &[]);
    let unknown = "address not known, port 443";
    server_is(r#""""#, unknown, &[]);
    server_is("null", unknown, &[]);
    server_is(r#""a.example""#, unknown, &[AnomalyKind::NotAnAddress]);
    server_is("12", unknown, &[AnomalyKind::NotAnAddress]);
}

#[track_caller]
fn body_is(content: &str, want: Option<&[u8]>, odd: &[AnomalyKind]) {
    let entry = whole("", &format!(r#","content":{content}"#), "");
    let [_, body] = entry.ended.bodies.as_ref().expect("bodies were asked for");
    assert_eq!(kinds(&entry), odd, "{content}");
    assert_eq!(response(&entry).body.decoded_bytes, want.map(|bytes| bytes.len() as u64), "{content}");
    assert_eq!(body, want.unwrap_or_default(), "{content}");
    assert_eq!(response(&entry).complete, want.is_some(), "{content}");
}

#[test]
fn bodies() {
    body_is(r#"{"size":5,"text":"a\u00e9\\\"\n"}"#, Some("aé\\\"\n".as_bytes()), &[]);
    body_is(r#"{"size":3,"text":"AAEC","encoding":"base64"}"#, Some(&[0, 1, 2]), &[]);
    body_is(r#"{"size":3,"text":"AA\nEC","encoding":"BASE64"}"#, Some(&[0, 1, 2]), &[]);
    body_is(r#"{"size":2,"text":"AAE","encoding":"base64"}"#, Some(&[0, 1]), &[]);
    body_is(r#"{"size":0,"text":""}"#, Some(b""), &[]);
    body_is(r#"{"size":-1}"#, Some(b""), &[]);
    body_is(r#"{"size":9}"#, None, &[AnomalyKind::BodyNotKept]);
    body_is(r#"{"size":9,"text":"%%%","encoding":"base64"}"#, None, &[AnomalyKind::BodyNotKept]);
    body_is(r#"{"size":9,"text":{"a":1}}"#, None, &[AnomalyKind::BodyNotKept]);
    body_is(r#"{"size":9,"text":"abc"}"#, Some(b"abc"), &[AnomalyKind::SizeDiffers]);
    // Of another character set on the wire, perhaps.
    body_is(r#"{"size":1,"text":"é"}"#, Some("é".as_bytes()), &[]);
    // Bodies stand in the file with their codings undone.
    let coded = whole(
        "",
        r#","headers":[{"name":"Content-Encoding","value":"br"}],"bodySize":2,"content":{"size":3,"text":"abc"}"#,
        "",
    );
    assert_eq!(response(&coded).body.decoded_bytes, Some(3));
    assert_eq!(response(&coded).body.wire_bytes, 2);
}

#[test]
fn uploads() {
    let entry = whole(r#","postData":{"text":"a=1","params":[{"name":"a"}]},"bodySize":3"#, "", "");
    assert_eq!(request(&entry).body.decoded_bytes, Some(3));
    let entry = whole(r#","postData":{"params":[{"name":"a"}]},"bodySize":-1"#, "", "");
    assert_eq!((request(&entry).body.decoded_bytes, kinds(&entry)), (None, vec![AnomalyKind::BodyNotKept]));
}

#[test]
fn times() {
    let entry = whole(
        "",
        "",
        r#","time":100.5,"timings":{"blocked":-1,"dns":1,"connect":20,"ssl":15,"send":4.5,"wait":50,"receive":25}"#,
    );
    let start = entry.times.0;
    let millis = |time: Timestamp| time.nanos_since(start) / 1_000_000;
    let (asked, answered) = (request(&entry), response(&entry));
    assert_eq!([millis(asked.end_time), millis(answered.time), millis(answered.end_time)], [25, 75, 100]);
    assert_eq!(start.rfc3339(), "2026-01-05T10:00:00.000000000Z");
    let unsure = read(r#"{"startedDateTime":"now","time":1e300,"request":{"method":"GET","url":"http://a.example/"}}"#);
    assert_eq!((unsure.times.0, kinds(&unsure)), (Timestamp(5), vec![AnomalyKind::TimeUnsure]));
    assert_eq!(unsure.times.1, Timestamp(i64::MAX));
    let negative = whole("", "", r#","time":-5,"timings":{"wait":-1}"#);
    assert_eq!(negative.times.0, negative.times.1);
}

#[test]
fn links_and_what_is_wanted() {
    let json = r#"{"startedDateTime":"2026-01-05T10:00:00Z","request":{"method":"GET","url":"https://a.example/"},
        "response":{"status":302,"headers":[{"name":"Location","value":"/next"},{"name":"Content-Type","value":"text/html"}],
        "content":{"size":40,"text":"<a href=\"https:\/\/b.example\/x?y=1&amp;z\">"}}}"#;
    let entry = read_as(json, Wanted::Links).expect("an exchange");
    let given = entry.given.expect("links");
    let urls: Vec<&str> = given.links.iter().map(|link| &*link.url).collect();
    assert_eq!(urls, ["https://a.example/next", "https://b.example/x?y=1&z"]);
    assert_eq!((&*given.host, given.links.iter().all(|link| link.frame == FrameNo(7))), ("a.example", true));
}

#[track_caller]
fn left_out(json: &str, want: LeftOut) {
    assert_eq!(read_as(json, Wanted::Exchanges).err(), Some(want), "{json}");
}

#[test]
fn what_is_no_exchange() {
    for json in [
        "",
        "7",
        "[]",
        "null",
        "{}",
        "{\"request\":",
        r#"{"request":[]}"#,
        r#"{"request":{"url":""}}"#,
        r#"{"request":{"url":7}}"#,
    ] {
        left_out(json, LeftOut::Broken);
    }
    for url in ["data:text/plain,x", "blob:https://a.example/1", "about:blank", "chrome-extension://abc/x.js"] {
        left_out(&format!(r#"{{"request":{{"url":"{url}"}}}}"#), LeftOut::OtherScheme);
    }
}

#[test]
fn websockets() {
    let entry = whole(
        "",
        "",
        r#","_webSocketMessages":[{"type":"send","time":1767607200.5,"opcode":1,"data":"hi"},
            {"type":"receive","time":1767607201,"opcode":2,"data":"AAEC"},7,{"type":"receive","opcode":9,"data":""}]"#,
    );
    let counted = entry.ended.http.websocket.as_ref().expect("a WebSocket");
    assert_eq!((counted.messages(), counted.bytes()), (2, 5));
    let list = &entry.ended.messages.messages;
    assert_eq!(list.iter().map(|m| m.payload.as_slice()).collect::<Vec<_>>(), [&b"hi"[..], &[0, 1, 2], b""]);
    assert_eq!(entry.times.1.rfc3339(), "2026-01-05T10:00:01.000000000Z");
}

#[test]
fn what_is_too_long_is_cut_and_said() {
    let header = r#"{"name":"a","value":"b"},"#;
    let many = whole(&format!(r#","headers":[{}{{}}]"#, header.repeat(6_000)), "", "");
    assert_eq!(kinds(&many), [AnomalyKind::Limit(Limit::HeadFields)]);
    assert_eq!((request(&many).fields.len(), request(&many).complete), (5_000, false));
    let long = whole(&format!(r#","headers":[{{"name":"a","value":"{}"}}]"#, "x".repeat(600 << 10)), "", "");
    assert_eq!(kinds(&long), [AnomalyKind::Limit(Limit::HeadBytes)]);
}

#[test]
fn an_answer_from_the_cache_is_said_to_be_one() {
    assert_eq!(kinds(&whole("", "", r#","_fromCache":"memory""#)), [AnomalyKind::FromCache]);
    assert_eq!(kinds(&whole("", "", r#","_fromCache":false"#)), []);
}
