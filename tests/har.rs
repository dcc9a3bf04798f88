//! HAR export: what stands in the document is what `list` says of the same capture, body for body, and no secret is in it.

#![expect(clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

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
    for entry in std::fs::read_dir(here("tests/captures")).expect("our captures") {
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
        .args(["list", "--format", "har"])
        .args([&sample, &sample])
        .output()
        .expect("the program runs");
    assert_eq!(two.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&two.stderr).contains("name one file"));
    let puts = har(&["--filter", "method:PUT"], &sample);
    let entries = puts["log"]["entries"].as_array().expect("entries");
    assert!(!entries.is_empty() && entries.iter().all(|entry| entry["request"]["method"] == "PUT"));
}
