//! Runs the program over every capture of `tests/captures` and compares what it lists with the `.jsonl` beside it.
//!
//! `UPDATE_EXPECTED=1` writes the expected files; the diff is then read before it is committed. `rows.txt` holds what each
//! capture must list in few words, written with the capture; no update touches it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures")
}

/// File names of the captures, in order.
fn captures() -> Vec<String> {
    let endings = [
        ".pcap",
        ".pcapng",
        ".pcap.gz",
        ".pcapng.gz",
        ".pcap.zst",
        ".pcapng.zst",
        ".pcap.lz4",
        ".pcapng.lz4",
        ".har",
        ".har.gz",
    ];
    let mut names: Vec<String> = fs::read_dir(folder())
        .expect("tests/captures can be read")
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| endings.iter().any(|ending| name.ends_with(ending)))
        .collect();
    names.sort();
    assert!(names.len() >= 60, "only {} captures are left in tests/captures: run make captures", names.len());
    names
}

fn expected_path(capture: &str) -> PathBuf {
    folder().join(format!("{}.jsonl", capture.split('.').next().unwrap_or(capture)))
}

/// Runs `list` inside the folder, so that the capture's name is printed as it stands there.
fn list(capture: &str, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nephoscope"))
        .args(["list", "--format", "jsonl"])
        .args(options)
        .arg(capture)
        .current_dir(folder())
        .output()
        .expect("the program starts")
}

/// What is wrong with a run by itself: exit code, form, the promise that damage gives exit code 1.
fn faults(capture: &str, run: &Output) -> Vec<String> {
    let mut faults = Vec::new();
    let errors = String::from_utf8_lossy(&run.stderr);
    let Ok(text) = std::str::from_utf8(&run.stdout) else { return vec!["the output is no UTF-8".to_owned()] };
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate() {
        match serde_json::from_str::<Value>(line) {
            Ok(row) => rows.push(row),
            Err(error) => faults.push(format!("line {}: no JSON: {error}", at + 1)),
        }
    }
    let Some(head) = rows.first() else { return vec![format!("nothing listed, {}: {errors}", run.status)] };
    if head["kind"] != "capture" || head["schema"] != "nephoscope-list/1" || head["file"] != *capture {
        faults.push(format!("the first line does not describe {capture}: {head}"));
    }
    let damaged = head["read"]["cut_tail_bytes"].as_u64().is_some_and(|bytes| bytes > 0)
        || head["read"]["skipped"].as_array().is_some_and(|places| !places.is_empty());
    match run.status.code() {
        Some(0) if damaged => faults.push("parts of the file were not read, but the exit code is 0".to_owned()),
        Some(0 | 1) => {}
        _ => faults.push(format!("{}: {errors}", run.status)),
    }
    faults
}

/// The first line that differs, both ways.
fn difference(want: &str, got: &str) -> String {
    let (want, got): (Vec<&str>, Vec<&str>) = (want.lines().collect(), got.lines().collect());
    let at = want.iter().zip(&got).take_while(|(a, b)| a == b).count();
    let show = |lines: &[&str]| lines.get(at).map_or_else(|| "(no more lines)".to_owned(), |line| (*line).to_owned());
    format!(
        "{} lines wanted, {} listed; line {}:\n  want {}\n  got  {}",
        want.len(),
        got.len(),
        at + 1,
        show(&want),
        show(&got)
    )
}

#[test]
fn every_capture_is_listed_as_expected() {
    let update = env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1");
    let mut bad = Vec::new();
    let names = captures();
    for name in &names {
        let run = list(name, &[]);
        let got = String::from_utf8_lossy(&run.stdout).into_owned();
        bad.extend(faults(name, &run).into_iter().map(|fault| format!("{name}: {fault}")));
        let path = expected_path(name);
        if update {
            fs::write(&path, &got).unwrap();
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(want) if want == got => {}
            Ok(want) => bad.push(format!("{name}: {}", difference(&want, &got))),
            Err(_) => bad.push(format!(
                "{name}: no expected file: run UPDATE_EXPECTED=1 cargo test --test captures, and read what it wrote"
            )),
        }
    }
    assert!(bad.is_empty(), "{} faults in {} captures:\n{}", bad.len(), names.len(), bad.join("\n"));
    println!("{} captures listed as expected", names.len());
}

#[test]
fn any_number_of_threads_lists_the_same_bytes() {
    let mut bad = Vec::new();
    for name in captures() {
        let one = list(&name, &["--threads", "1"]);
        for threads in ["2", "4"] {
            let more = list(&name, &["--threads", threads]);
            if more.status != one.status {
                bad.push(format!("{name}: {} with one thread, {} with {threads}", one.status, more.status));
            } else if more.stdout != one.stdout {
                let (want, got) = (String::from_utf8_lossy(&one.stdout), String::from_utf8_lossy(&more.stdout));
                bad.push(format!("{name}: {threads} threads: {}", difference(&want, &got)));
            }
        }
    }
    assert!(bad.is_empty(), "threads change what is listed:\n{}", bad.join("\n"));
}

#[test]
fn every_expected_file_has_one_capture() {
    let names = captures();
    let expected: BTreeSet<PathBuf> = names.iter().map(|name| expected_path(name)).collect();
    assert_eq!(expected.len(), names.len(), "two captures share the name of an expected file");
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        assert!(
            path.extension().is_none_or(|ending| ending != "jsonl") || expected.contains(&path),
            "{} has no capture",
            path.display()
        );
    }
}

/// A listed row in the words of `rows.txt`.
fn in_words(row: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.replace(' ', "%20"),
        Value::Number(number) => number.to_string(),
        _ => "-".to_owned(),
    };
    let count = |value: &Value| value.as_array().map_or(0, Vec::len);
    match row["kind"].as_str() {
        Some("http") => {
            let (request, response) = (&row["request"], &row["response"]);
            let sent = request["body_bytes"].as_u64().filter(|bytes| *bytes > 0);
            let sent = sent.map_or_else(String::new, |bytes| format!(" sent={bytes}"));
            let body = &response["body_bytes"];
            let socket = &row["websocket"];
            let whole = |side: &str| socket[side]["complete"] == true;
            let cut = if whole("client") && whole("server") { "" } else { "cut" };
            let messages = |side: &str| text(&socket[side]["messages"]);
            let socket = socket.is_object().then(|| format!(" ws={},{}{cut}", messages("client"), messages("server")));
            let socket = socket.unwrap_or_default();
            format!(
                "{} {} {} {}{sent}{socket}",
                text(&request["method"]),
                text(&request["target"]),
                text(&response["status"]),
                text(body)
            )
        }
        Some("tls") => {
            let hello = &row["client_hello"];
            let alpn = hello["alpn"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(",");
            let version = text(&row["server_hello"]["version"]).replace("TLS%20", "");
            let alpn = if alpn.is_empty() { "-" } else { &alpn };
            format!("TLS {} {alpn} {version} {}", text(&hello["sni"]), count(&row["certificates"]))
        }
        Some("dns") => {
            let (query, response) = (&row["query"], &row["response"]);
            let answers = if response.is_object() { count(&response["answers"]).to_string() } else { "-".to_owned() };
            format!("DNS {} {} {} {answers}", text(&query["name"]), text(&query["type"]), text(&response["rcode"]))
        }
        _ => format!("unknown {}", row["kind"]),
    }
}

/// Whether rows are the wanted ones: word by word, `?` is any word, a wanted row behind `~` may be missing.
fn agree(want: &[&str], got: &[String]) -> bool {
    let Some((first, rest)) = want.split_first() else { return got.is_empty() };
    let row = first.trim_start_matches('~');
    let same = got.first().is_some_and(|got| {
        let (want, got): (Vec<&str>, Vec<&str>) = (row.split(' ').collect(), got.split(' ').collect());
        want.len() == got.len() && want.iter().zip(&got).all(|(want, got)| *want == "?" || want == got)
    });
    (same && agree(rest, &got[1..])) || (first.starts_with('~') && agree(rest, got))
}

#[test]
fn every_capture_lists_the_rows_it_was_made_of() {
    let text = fs::read_to_string(folder().join("rows.txt")).expect("tests/captures/rows.txt can be read");
    let mut wanted: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix('\t') {
            Some(row) => wanted.last_mut().expect("a capture comes before its rows").1.push(row),
            None => wanted.push((line, Vec::new())),
        }
    }
    let names: BTreeSet<String> = captures().into_iter().collect();
    assert_eq!(names, wanted.iter().map(|(name, _)| (*name).to_owned()).collect(), "rows.txt names other captures");
    let mut bad = Vec::new();
    for (name, want) in &wanted {
        let run = list(name, &[]);
        let got: Vec<String> = String::from_utf8_lossy(&run.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|row| row["kind"] != "capture")
            .map(|row| in_words(&row))
            .collect();
        if !agree(want, &got) {
            bad.push(format!("{name}:\n  want {}\n  got  {}", want.join("\n       "), got.join("\n       ")));
        }
    }
    assert!(bad.is_empty(), "{} of {} captures list other rows:\n{}", bad.len(), wanted.len(), bad.join("\n"));
}

#[test]
fn rows_agree_as_they_should() {
    let got = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>();
    assert!(agree(&["GET / 200 ?", "~DNS a A 0 1", "GET /b - -"], &got(&["GET / 200 5", "GET /b - -"])));
    assert!(agree(&["~GET / 200 ?", "GET / 200 ?"], &got(&["GET / 200 5"])));
    assert!(!agree(&["GET / 200 5"], &got(&["GET / 200 5", "GET /b - -"])), "a surplus row");
    assert!(!agree(&["GET / 200 5", "GET /b - -"], &got(&["GET / 200 5"])), "a lost row");
    assert!(!agree(&["GET / 200 5"], &got(&["GET / 200 5 sent=1"])), "a surplus word");
}
