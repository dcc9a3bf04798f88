//! What a verdict rests on: each line falls with the frame that it quotes, and the hypotheses follow what is left.
//!
//! The sample is taken apart frame by frame; the program reads what remains.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const SAMPLE: &str = "assets/sample/icloud-2011-reconstruction.pcapng";
/// Block type of an Enhanced Packet Block (draft-ietf-opsawg-pcapng section 4.3).
const ENHANCED_PACKET: u32 = 6;

/// The capture without the frames of those numbers.
fn without(capture: &[u8], frames: &BTreeSet<u64>) -> Vec<u8> {
    let (mut rest, mut number, mut kept) = (capture, 0, Vec::new());
    while rest.len() >= 12 {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let (block, behind) = rest.split_at(word(4) as usize);
        number += u64::from(word(0) == ENHANCED_PACKET);
        if word(0) != ENHANCED_PACKET || !frames.contains(&number) {
            kept.extend_from_slice(block);
        }
        rest = behind;
    }
    assert!(rest.is_empty() && number > 100, "the sample is made of little-endian blocks");
    kept
}

/// The rows of a capture, by client and server.
fn rows(capture: &[u8]) -> BTreeMap<(String, String, String), Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.pcapng");
    fs::write(&path, capture).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_nephoscope"))
        .args(["list", "--format", "jsonl", "--threads", "1"])
        .arg(&path)
        .output()
        .expect("the program starts");
    let text = String::from_utf8(run.stdout).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines().skip(1) {
        let row: Value = serde_json::from_str(line).unwrap();
        let part = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let what = format!("{} {}", row["request"]["target"], row["response"]["status"]);
        rows.insert((part("client"), part("server"), what), row);
    }
    rows
}

fn sample() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE)).unwrap()
}

/// Group, signature and text of an entry, with the exchange's endpoints.
type Line = (String, String, String, String, String);

/// Every entry with the frames it stands in. Left out is what stands in more frames than are quoted: an address is in every
/// packet header of its flow, a name that was looked up in query and answer.
fn lines(rows: &BTreeMap<(String, String, String), Value>) -> BTreeMap<Line, BTreeSet<u64>> {
    let mut lines: BTreeMap<Line, BTreeSet<u64>> = BTreeMap::new();
    for ((client, server, _), row) in rows {
        for entry in row["verdict"]["evidence"].as_array().unwrap() {
            let part = |key: &str| entry[key].as_str().unwrap().to_owned();
            let elsewhere = part("group") == "name choice" && row["kind"] != "http";
            if part("group") != "routing" && !elsewhere {
                let line = (client.clone(), server.clone(), part("group"), part("signature"), part("text"));
                lines
                    .entry(line)
                    .or_default()
                    .extend(entry["frames"].as_array().unwrap().iter().filter_map(Value::as_u64));
            }
        }
    }
    lines
}

#[test]
fn every_line_falls_with_its_frame() {
    let sample = sample();
    let whole = lines(&rows(&sample));
    let frames: BTreeSet<u64> = whole.values().filter(|f| f.len() == 1).flatten().copied().collect();
    let (mut fallen, mut standing) = (0, Vec::new());
    for frame in frames {
        let left = lines(&rows(&without(&sample, &BTreeSet::from([frame]))));
        for (line, _) in whole.iter().filter(|(_, f)| f.len() == 1 && f.contains(&frame)) {
            if left.contains_key(line) {
                standing.push(format!("frame {frame}: {line:?}"));
            } else {
                fallen += 1;
            }
        }
    }
    assert!(standing.is_empty(), "still quoted without their frame:\n{}", standing.join("\n"));
    assert!(fallen >= 50, "only {fallen} lines were tried");
}

fn hypothesis(row: &Value, id: &str) -> String {
    let all = row["verdict"]["hypotheses"].as_array().unwrap();
    all.iter().find(|h| h["id"] == id).unwrap()["state"].as_str().unwrap().to_owned()
}

/// HTTP rows at an object store: method, host, row.
fn at_stores(rows: &BTreeMap<(String, String, String), Value>) -> Vec<(&str, &str, &Value)> {
    rows.values()
        .filter(|r| r["kind"] == "http" && r["verdict"]["role"]["name"] == "object-storage")
        .map(|r| (r["request"]["method"].as_str().unwrap(), r["request"]["host"].as_str().unwrap(), r))
        .collect()
}

#[test]
fn the_upload_closes_h4_and_without_it_h4_stays_open() {
    let sample = sample();
    let whole = rows(&sample);
    let mut upload = BTreeSet::new();
    for (method, host, row) in at_stores(&whole) {
        let want = if method == "PUT" { "ruled out" } else { "open" };
        assert_eq!(hypothesis(row, "H4"), want, "{method} {host}");
        if method == "PUT" {
            let number = |part: &str, key: &str| row[part][key].as_u64().unwrap();
            upload.extend(number("request", "first_frame")..=number("response", "last_frame"));
        }
    }
    assert!(!upload.is_empty());
    let left = rows(&without(&sample, &upload));
    let stores = at_stores(&left);
    assert!(stores.len() >= 3 && stores.iter().all(|(_, _, row)| hypothesis(row, "H4") == "open"));
}

#[test]
fn without_the_frame_that_gave_the_url_nobody_gave_it() {
    let sample = sample();
    let whole = rows(&sample);
    let put = |rows: &BTreeMap<_, Value>| rows.values().find(|r| r["request"]["method"] == "PUT").unwrap().clone();
    let before = put(&whole);
    let verdict = &before["verdict"];
    assert_eq!(verdict["handed_out_by"]["host"], "p01-content.icloud.com");
    assert_eq!(verdict["tenant"]["first_party"], "icloud.com");
    assert_eq!(verdict["tenant"]["grade"], "conclusive");
    let frame = verdict["handed_out_by"]["frame"].as_u64().unwrap();
    let after = put(&rows(&without(&sample, &BTreeSet::from([frame]))));
    assert!(after["verdict"].get("handed_out_by").is_none());
    assert!(after["verdict"]["tenant"].get("first_party").is_none());
    assert_ne!(after["verdict"]["tenant"]["grade"], "conclusive");
    // Who answered does not hang on who gave the URL.
    assert_eq!(after["verdict"]["operator"], verdict["operator"]);
}

#[test]
fn findings_count_and_explain_says_what_stays_open() {
    let run = |arguments: &[&str]| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE);
        let run = Command::new(env!("CARGO_BIN_EXE_nephoscope")).args(arguments).arg(path).output().unwrap();
        assert!(run.status.success());
        String::from_utf8(run.stdout).unwrap()
    };
    let findings = run(&["findings", "--site", "icloud"]);
    assert!(findings.contains("Microsoft Azure answered 3 of 7 exchanges, 89 % of the bytes sent"), "{findings}");
    let lines = run(&["findings", "--format", "json"]);
    let sites: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let counted: u64 = sites.iter().filter_map(|s| s["exchanges"].as_u64()).sum();
    assert_eq!(counted, 13, "eleven requests and two sealed sessions");
    let words = run(&["explain", "14"]);
    for part in
        ["What this capture cannot show", "H4 Merely linked", "Tried to break it", "Custody: Azure shared access"]
    {
        assert!(words.contains(part), "{part}\n{words}");
    }
    let json: Value = serde_json::from_str(&run(&["explain", "14", "--format", "json"])).unwrap();
    assert_eq!(json["name_path"]["records"][0]["type"], "CNAME");
    assert!(json["challenges"].as_array().unwrap().iter().all(|c| c["outcome"] != "broke"));
}
