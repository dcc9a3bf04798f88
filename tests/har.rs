//! HAR export: what stands in the document is what `list` says of the same capture, body for body, and no secret is in it.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test program: what cannot be read is a failed test")]

mod wire;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nephoscope::case::{Case, Key, RedactionChoice, case_path};
use nephoscope::engine::{How, Reading, Source};
use nephoscope::export::{BodySource, HarCounts, Listing, Redactor, write_har};
use nephoscope::model::Budget;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wire::Pcap;

const SAMPLE: &str = "assets/sample/icloud-2011-reconstruction.pcapng";

fn run(arguments: &[&str], file: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_nephoscope")).arg("list").args(arguments).arg(file).output();
    output.expect("the program runs").stdout
}

fn har(arguments: &[&str], file: &Path) -> Value {
    let document = run(&[&["--format", "har"], arguments].concat(), file);
    serde_json::from_slice(&document).expect("one JSON document")
}

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn hex(bytes: &[u8]) -> String {
    nephoscope::model::hex(bytes)
}

/// A body's bytes as the document has them.
fn body(text: &Value, encoding: &Value) -> Option<Vec<u8>> {
    let text = text.as_str()?;
    Some(if encoding == "base64" { STANDARD.decode(text).expect("base64") } else { text.as_bytes().to_vec() })
}

/// Checks every entry of a capture's document against the line that `list` has of it; gives how many bodies were compared.
#[track_caller]
fn check(file: &Path) -> usize {
    let document = har(&["--no-redaction"], file);
    assert_eq!(document["log"]["version"], "1.2");
    let entries = document["log"]["entries"].as_array().expect("entries");
    let lines = String::from_utf8(run(&["--format", "jsonl"], file)).expect("text");
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let rows: Vec<&Value> = rows.iter().filter(|row| row["kind"] == "http" && row["request"].is_object()).collect();
    assert_eq!(entries.len(), rows.len(), "{}", file.display());
    let mut compared = 0;
    for (entry, row) in entries.iter().zip(rows) {
        let (request, response) = (&entry["request"], &entry["response"]);
        assert_eq!(entry["_nephoscope"]["n"], row["n"]);
        assert_eq!(request["method"], row["request"]["method"]);
        if row["request"]["url"].is_string() {
            assert_eq!(request["url"], row["request"]["url"]);
        }
        assert_eq!(response["status"], row["response"].get("status").cloned().unwrap_or_else(|| 0.into()));
        for key in ["cookies", "headers", "queryString"] {
            assert!(request[key].is_array(), "{key} of a request is a must");
        }
        for key in ["httpVersion", "redirectURL", "statusText", "headersSize", "bodySize"] {
            assert!(!response[key].is_null(), "{key} of a response is a must");
        }
        let phases = ["send", "wait", "receive"].map(|phase| entry["timings"][phase].as_f64().expect("a time"));
        assert!(phases.iter().all(|phase| *phase >= 0.0));
        assert!((phases.iter().sum::<f64>() - entry["time"].as_f64().expect("a time")).abs() < 1e-6);
        let content = &response["content"];
        for (message, bytes) in [
            (&row["response"], body(&content["text"], &content["encoding"])),
            (&row["request"], body(&request["postData"]["text"], &request["postData"]["_encoding"])),
        ] {
            if let (Some(bytes), Some(digest)) = (bytes, message["body_sha256"].as_str()) {
                assert_eq!(hex(&Sha256::digest(&bytes)), digest, "{}: {}", file.display(), row["n"]);
                compared += 1;
            }
        }
    }
    compared
}

#[test]
fn entries_are_the_rows_and_bodies_their_bytes() {
    assert!(check(&here(SAMPLE)) >= 8);
    let mut compared = 0;
    for entry in fs::read_dir(here("tests/captures")).expect("our captures") {
        let path = entry.expect("a file").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ["http", "tls-keys", "websocket"].iter().any(|start| name.starts_with(start)) && !name.contains(".jsonl") {
            compared += check(&path);
        }
    }
    assert!(compared > 60, "{compared} bodies");
}

#[test]
fn messages_of_websockets_stand_with_their_handshakes() {
    let document = har(&["--no-redaction"], &here("tests/captures/websocket.pcap"));
    let entries = document["log"]["entries"].as_array().expect("entries");
    let said = |entry: &Value| {
        let messages = entry["_webSocketMessages"].as_array().expect("messages").iter();
        let line = |m: &Value| format!("{} {} {}", m["type"].as_str()?, m["opcode"], m["data"].as_str()?).into();
        messages.map(line).collect::<Option<Vec<String>>>().expect("each has type, opcode and data")
    };
    let chat = said(&entries[0]);
    assert_eq!(chat[..3], ["receive 1 {\"hello\":\"client\"}", "send 1 Grüße", "receive 1 a message in three parts"]);
    assert_eq!(chat[4], format!("receive 2 {}", STANDARD.encode(b"\x89PNG no picture")));
    assert_eq!(chat.len(), 5);
    let decoded = ["receive 1 Hello", "receive 1 Hello", "send 1 Hello", "receive 1 Hello", "receive 1 not compressed"];
    assert_eq!(said(&entries[1]), decoded);
}

#[test]
fn secrets_are_replaced_unless_somebody_wants_them() {
    let plain = har(&["--no-redaction"], &here(SAMPLE)).to_string();
    let shown = har(&[], &here(SAMPLE)).to_string();
    let signatures: Vec<&str> = plain
        .match_indices("sig=")
        .filter_map(|(at, _)| plain.get(at + 4..)?.split(['"', '&', '\\', ' ']).next())
        .filter(|value| value.len() > 20)
        .collect();
    assert!(signatures.len() > 3, "{signatures:?}");
    for signature in signatures {
        assert!(!shown.contains(signature), "{signature} is shown");
    }
    assert!(shown.contains("‹signature "));
    assert!(har(&["--no-bodies"], &here(SAMPLE)).to_string().len() < shown.len() / 2);
}

#[test]
fn a_document_is_of_one_capture_and_of_what_the_filter_keeps() {
    let sample = here(SAMPLE);
    let two = Command::new(env!("CARGO_BIN_EXE_nephoscope"))
        .args(["list", "--apart", "--format", "har"])
        .args([&sample, &sample])
        .output()
        .expect("the program runs");
    assert_eq!(two.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&two.stderr).contains("name one file"));
    let puts = har(&["--filter", "method:PUT"], &sample);
    let entries = puts["log"]["entries"].as_array().expect("entries");
    assert!(!entries.is_empty() && entries.iter().all(|entry| entry["request"]["method"] == "PUT"));
}

/// A capture of one request and response after the other, on connections of their own, and the folder it lies in.
fn capture(talks: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
    let mut pcap = Pcap::new();
    for ((request, response), port) in talks.iter().zip(50_000..) {
        let mut connection = pcap.connect([port, 80]);
        pcap.send(&mut connection, 0, request.as_bytes());
        pcap.send(&mut connection, 1, response);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talks.pcap");
    fs::write(&path, pcap.bytes).unwrap();
    (folder, path)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// The document of a capture by the library, bodies read from `from`.
fn written(capture: &Path, from: &Path, budget: &Budget) -> (Value, HarCounts) {
    let mut reading = Reading::open(&Source::File(capture.to_owned()), How::judged(1), budget).unwrap();
    while reading.step().unwrap() {}
    let snapshot = reading.snapshot();
    let mut redactor = Redactor::new(&Key::of_capture(&[1; 32]), &RedactionChoice::default());
    let mut document = Vec::new();
    let source = BodySource { capture: from.into(), budget };
    let counts = write_har(&Listing::all(&snapshot), Some(source), &mut redactor, &mut document).unwrap();
    (serde_json::from_slice(&document).unwrap(), counts)
}

#[test]
fn a_secret_that_only_the_last_body_tells_apart_is_hidden_in_the_first_entry() {
    let secret = "q9Zk33LmP0aTz7Xw";
    let asked = format!("GET /a HTTP/1.1\r\nHost: a.example\r\nX-Ref: {secret}\r\n\r\n");
    let told = answer("Content-Type: application/json\r\n", format!("{{\"token\":\"{secret}\"}}").as_bytes());
    let last = "GET /b HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let echo = answer("", format!("again {secret}").as_bytes());
    let (_folder, path) = capture(&[(&asked, &echo), (last, &told)]);
    let document = har(&[], &path).to_string();
    assert!(!document.contains(secret), "{document}");
    assert_eq!(document.matches("‹token ").count(), 3, "{document}");
}

#[test]
fn a_body_that_is_not_there_whole_is_not_shown_as_if_it_were() {
    let ask = "POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nhush";
    let long = answer("", b"0123456789abcdef");
    let broken = answer("Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff");
    let (_folder, path) = capture(&[(ask, &long), (ask, &broken), (ask, &answer("", b""))]);
    let budget = Budget { preview_bytes: 10, ..Budget::default() };
    let (document, counts) = written(&path, &path, &budget);
    assert_eq!((counts.entries, counts.unread), (3, 0));
    let content = |n: usize| &document["log"]["entries"][n]["response"]["content"];
    assert_eq!(content(0)["text"], "0123456789");
    assert_eq!(content(0)["comment"], "the first 10 of 16 bytes: more are not kept");
    assert_eq!(content(0)["size"], 16);
    assert!(content(1)["text"].is_null(), "{}", content(1));
    assert!(content(1)["comment"].as_str().unwrap().contains("could not be read"));
    assert!(content(2)["comment"].is_null() && content(2)["size"] == 0);
    assert_eq!(document["log"]["entries"][0]["request"]["postData"]["text"], "hush");
    // What nobody asked for is not said to be empty.
    let data = &har(&["--no-bodies"], &path)["log"]["entries"][0]["request"]["postData"];
    assert!(data.is_object() && data["text"].is_null(), "{data}");
}

#[test]
fn bodies_over_the_limit_and_of_a_capture_that_is_gone_are_left_out_and_said() {
    let ask = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let talks: Vec<(&str, Vec<u8>)> = (0..3).map(|n| (ask, answer("", &[b'a' + n; 40]))).collect();
    let talks: Vec<(&str, &[u8])> = talks.iter().map(|(ask, answer)| (*ask, answer.as_slice())).collect();
    let (folder, path) = capture(&talks);
    let (document, counts) = written(&path, &path, &Budget { archive_bytes: 80, ..Budget::default() });
    assert_eq!((counts.entries, counts.unread), (3, 1));
    assert_eq!(document["log"]["entries"][1]["response"]["content"]["text"], "b".repeat(40));
    assert!(document["log"]["entries"][2]["comment"].as_str().unwrap().contains("that an archive may have"));
    let gone = folder.path().join("gone.pcap");
    let (document, counts) = written(&path, &gone, &Budget::default());
    assert_eq!(counts.unread, 3);
    let why = counts.why_unread.unwrap();
    assert!(why.ends_with(&gone.display().to_string()), "{why}");
    let said = document.to_string();
    assert!(said.contains("there is no such file") && !said.contains("gone.pcap"), "{said}");
    assert!(!said.contains(&folder.path().display().to_string()), "{said}");
}

#[test]
fn who_stops_reading_has_seen_enough() {
    let ask = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let (_folder, path) = capture(&[(ask, &answer("", &vec![b'a'; 600_000])), (ask, &answer("", b"b"))]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
    command.args(["list", "--format", "har"]).arg(&path).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(0), "{}", String::from_utf8_lossy(&stderr));
}

#[test]
fn what_the_case_hides_is_hidden_and_what_it_cannot_read_is_said() {
    let ask = "GET /a?of=Ann-Planted HTTP/1.1\r\nHost: a.example\r\nX-Real-Ip: 10.7.7.7\r\n\r\n";
    let (_folder, path) = capture(&[(ask, &answer("", b"for Ann Planted"))]);
    let mut case = Case::new(Key::of_capture(&[3; 32]));
    case.redaction = RedactionChoice { private_addresses: true, words: vec!["Ann Planted".to_owned()], on: true };
    case.save(&path).unwrap();
    let beside = case_path(&path);
    let text = fs::read_to_string(&beside).unwrap().replace("\"marks\": []", "\"marks\": [7]");
    fs::write(&beside, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
    let Output { stdout, stderr, .. } = command.args(["list", "--format", "har"]).arg(&path).output().unwrap();
    let (document, said) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(document.matches("‹word ").count(), 3, "{document}");
    assert!(!document.contains("Planted") && !document.contains("10.7.7.7"), "{document}");
    assert!(said.contains("the case beside the capture: "), "{said}");
}

/// Host and path of a row's target, whether it is absolute or not.
fn place(row: &Value) -> (String, String) {
    let target = row["request"]["target"].as_str().unwrap_or_default();
    let host = row["request"]["host"].as_str().unwrap_or_default();
    match target.split_once("://") {
        Some((_, rest)) => {
            let at = rest.find(['/', '?']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(at);
            (host.to_owned(), path.to_owned())
        }
        // Which a URL has no form for (RFC 9112 section 3.2.4).
        None if target == "*" => (host.to_owned(), String::new()),
        None => (host.to_owned(), target.to_owned()),
    }
}

fn http_rows(file: &Path) -> Vec<Value> {
    let lines = String::from_utf8(run(&["--format", "jsonl"], file)).expect("text");
    let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    rows.filter(|row| row["kind"] == "http" && row["request"].is_object()).collect()
}

/// Exports a capture and opens what was written: the same exchanges must be there. Gives how many, and how many bodies.
#[track_caller]
fn comes_back(capture: &Path) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("again.har");
    fs::write(&path, run(&["--format", "har", "--no-redaction"], capture)).unwrap();
    let (before, after) = (http_rows(capture), http_rows(&path));
    let name = capture.display();
    assert_eq!(before.len(), after.len(), "{name}");
    let mut bodies = 0;
    for (was, is) in before.iter().zip(&after) {
        let n = &was["n"];
        assert_eq!(was["request"]["method"], is["request"]["method"], "{name}: {n}");
        if was["request"]["url"].is_string() {
            assert_eq!(was["request"]["url"], is["request"]["url"], "{name}: {n}");
            assert_eq!(place(was), place(is), "{name}: {n}");
        }
        // The port of a HAR file is the URL's.
        let address = |row: &Value| row["server"].as_str().and_then(|end| Some(end.rsplit_once(':')?.0.to_owned()));
        assert_eq!(address(was), address(is), "{name}: {n}");
        assert_eq!(was["response"]["status"], is["response"]["status"], "{name}: {n}");
        assert_eq!(was["version"], is["version"], "{name}: {n}");
        for message in ["request", "response"] {
            assert_eq!(was[message]["headers"], is[message]["headers"], "{name}: {n}: {message}");
            if was[message]["complete"] == true && was[message]["body_sha256"].is_string() {
                assert_eq!(was[message]["body_sha256"], is[message]["body_sha256"], "{name}: {n}: {message}");
                bodies += 1;
            }
        }
        let millis =
            |row: &Value| row["request"]["time"].as_str().and_then(|time| time.get(..23)).expect("a time").to_owned();
        assert_eq!(millis(was), millis(is), "{name}: {n}");
        assert_eq!(was["websocket"]["server"]["messages"], is["websocket"]["server"]["messages"], "{name}: {n}");
        let grade = &is["verdict"]["grade"];
        assert!(grade.is_null() || ["contradicted", "name only", "suggests"].iter().any(|g| grade == g), "{grade}");
    }
    (after.len(), bodies)
}

#[test]
fn what_is_exported_opens_again_as_the_same_exchanges() {
    let (mut rows, mut bodies) = comes_back(&here(SAMPLE));
    for entry in fs::read_dir(here("tests/captures")).expect("our captures") {
        let path = entry.expect("a file").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wanted = ["http", "tls-keys", "websocket", "evidence", "har-"].iter().any(|start| name.starts_with(start));
        if wanted && !name.contains(".jsonl") {
            let (more, of_them) = comes_back(&path);
            rows += more;
            bodies += of_them;
        }
    }
    assert!(rows > 150 && bodies > 200, "{rows} rows, {bodies} bodies");
}
