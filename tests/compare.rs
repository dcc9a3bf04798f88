//! Runs `compare` over two captures made for it, and compares what it prints with `compare.json` and `compare.txt`.
//!
//! `UPDATE_EXPECTED=1` writes both; the diff is then read before it is committed.

#![expect(clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures")
}

fn compare(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nephoscope"))
        .arg("compare")
        .args(arguments)
        .current_dir(folder())
        // The built-in pack alone.
        .env("XDG_CONFIG_HOME", folder().join("no-such-folder"))
        .output()
        .expect("the program starts")
}

fn printed(arguments: &[&str]) -> String {
    let run = compare(arguments);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("it prints UTF-8")
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(arguments)).expect("one JSON document")
}

#[track_caller]
fn as_expected(got: &str, file: &str) {
    let path = folder().join(file);
    if env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        fs::write(&path, got).expect("it can be written");
        return;
    }
    let want = fs::read_to_string(&path).expect("what is expected is there");
    assert_eq!(got, want, "{file}");
}

#[test]
fn two_captures_are_held_side_by_side() {
    let words = printed(&["compare-a.pcap", "compare-b.pcap"]);
    as_expected(&words, "compare.txt");
    // One line a file would not be read; numbers alone are the same everywhere.
    let document = json(&["--format", "json", "compare-a.pcap", "compare-b.pcap"]);
    let pretty = serde_json::to_string_pretty(&document).expect("it is JSON");
    let version = document["signatures"].as_str().expect("the pack has a version").to_owned();
    as_expected(&format!("{}\n", pretty.replace(&version, "PACK")), "compare.json");
}

/// What whoever wrote the captures knows of them, whatever is in the expected files.
#[test]
fn what_was_changed_between_the_two_is_told() {
    let document = json(&["--format", "json", "compare-a.pcap", "compare-b.pcap"]);
    let site = |name: &str| {
        let sites = document["sites"].as_array().expect("sites");
        sites.iter().find(|site| site["site"] == name).unwrap_or_else(|| panic!("{name} is not told")).clone()
    };
    let differs =
        |site: &Value, aspect: &str| site["differs"].as_array().is_some_and(|all| all.iter().any(|a| a == aspect));

    let files = site("example.com");
    assert_eq!(files["standing"], "changed");
    assert!(differs(&files, "operator") && differs(&files, "address"), "{files}");
    assert_eq!((&files["a"]["exchanges"], &files["b"]["exchanges"]), (&2.into(), &1.into()));
    let operators: Vec<_> =
        files["answers"].as_array().expect("answers").iter().filter(|a| a["aspect"] == "operator").collect();
    assert!(operators.iter().any(|o| o["name"] == "Microsoft Azure" && o["b"].is_null()), "{operators:?}");
    assert!(operators.iter().any(|o| o["name"] == "Amazon Web Services" && o["a"].is_null()), "{operators:?}");

    assert_eq!(site("example.net")["standing"], "same");
    assert_eq!(site("example.org")["standing"], "only in A");
    assert_eq!(site("example.edu")["standing"], "only in B");
    let warnings = document["warnings"].as_array().expect("they lie far apart");
    assert!(warnings.iter().any(|w| w.as_str().is_some_and(|w| w.contains("40 days apart"))), "{warnings:?}");
}

#[test]
fn a_capture_is_the_same_as_itself() {
    let document = json(&["--format", "json", "compare-a.pcap", "compare-a.pcap"]);
    assert_eq!(document["counts"]["changed"], 0);
    assert_eq!(document["counts"]["same"], document["sites"].as_array().expect("sites").len());
    assert_eq!(document["warnings"][0], "both files have the same bytes");
}

#[test]
fn turning_the_two_round_turns_only_the_letters() {
    let names = |document: &Value, standing: &str| {
        let sites = document["sites"].as_array().expect("sites").iter().filter(|s| s["standing"] == standing);
        sites.map(|s| s["site"].clone()).collect::<Vec<_>>()
    };
    let there = json(&["--format", "json", "compare-a.pcap", "compare-b.pcap"]);
    let back = json(&["--format", "json", "compare-b.pcap", "compare-a.pcap"]);
    assert_eq!(names(&there, "only in A"), names(&back, "only in B"));
    assert_eq!(names(&there, "changed"), names(&back, "changed"));
}

#[test]
fn what_cannot_be_read_is_said() {
    let run = compare(&["compare-a.pcap", "no-such.pcap"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stdout.is_empty());
    assert!(String::from_utf8_lossy(&run.stderr).contains("no-such.pcap"));
    assert_eq!(compare(&["-", "-"]).status.code(), Some(2));
    assert_eq!(
        compare(&["compare-a.pcap", "file-cut-record.pcap"]).status.code(),
        Some(1),
        "damage is told by the code"
    );
}
