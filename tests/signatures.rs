//! Runs the program with signature files of a user: in a configuration folder of its own, and named on the command line.

#![expect(clippy::expect_used, reason = "a test program: what cannot be read is a failed test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const FILE: &str = r##"
schema_version = 1
written = "2026-11-25"
off = ["amazon-aws.header-value-regex.x-cache-from-cloudfront", "apple.ip-range-ref.17-0-0-0-8"]

[[provider]]
id = "acme"
name = "Acme Cloud"
parent = "none"
colour = "#44AA88"
glyph = "ZQ"
services = [{ id = "cdn", name = "Acme CDN", role = "cdn-edge" }]

[[signature]]
id = "acme.name"
provider = "acme"
service = "cdn"
role = "cdn-edge"
kind = "dns_suffix"
pattern = "cdn.example.com"
strength = 3
basis = "vendor-doc"
speaks_for = "name"
forgeable_by = ["client"]
proves = "Acme's name was asked for."
suggests = "Acme answers."
sources = ["https://docs.acme.example/names"]

[[signature]]
id = "acme.block"
provider = "acme"
service = "cdn"
role = "cdn-edge"
kind = "ip_range_ref"
pattern = "198.51.100.0/24"
strength = 4
basis = "vendor-feed"
speaks_for = "responder"
forgeable_by = ["bgp"]
proves = "The address is Acme's."
suggests = "Acme answers."
sources = ["https://docs.acme.example/blocks"]

[[signature]]
id = "acme.never"
provider = "acme"
service = "cdn"
role = "cdn-edge"
kind = "header_name"
pattern = "x-acme-\u202Emoc"
strength = 1
basis = "analyst"
speaks_for = "edge"
forgeable_by = ["origin"]
proves = "-"
suggests = "-"
sources = ["made up"]
"##;

/// The rules of `FILE` without the one that is refused.
fn good() -> String {
    FILE.replace("\\u202E", "")
}

/// A configuration folder with signature files.
fn config(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("nephoscope/signatures");
    fs::create_dir_all(&inside).expect("a folder inside");
    for (name, text) in files {
        fs::write(inside.join(name), text).expect("a file");
    }
    folder
}

fn run(config: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nephoscope"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("XDG_CONFIG_HOME", config)
        .output()
        .expect("the program starts")
}

fn texts(run: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (run.status.code().expect("it ends by itself"), text(&run.stdout), text(&run.stderr))
}

#[track_caller]
fn holds(text: &str, want: &[&str], lacks: &[&str]) {
    for want in want {
        assert!(text.contains(want), "lacks {want}:\n{text}");
    }
    for lack in lacks {
        assert!(!text.contains(lack), "has {lack}:\n{text}");
    }
}

const EDGE: &str = "tests/captures/evidence-edge-s3.pcap";
const SAMPLE: &str = "assets/sample/icloud-2011-reconstruction.pcapng";

#[test]
fn rules_of_the_user_name_providers() {
    let with = config(&[("mine.toml", &good()), ("notes.txt", "no signatures")]);
    let (code, out, errors) = texts(&run(with.path(), &["explain", "1", EDGE]));
    assert_eq!((code, errors.as_str()), (0, ""));
    holds(
        &out,
        &["signature acme.name;", "signature acme.block;", "operator  Acme Cloud"],
        &["x-cache-from-cloudfront"],
    );
    // Without the folder everything is as it was.
    let without = config(&[]);
    let (_, out, _) = texts(&run(without.path(), &["explain", "1", EDGE]));
    holds(&out, &["x-cache-from-cloudfront", "operator  Amazon Web Services"], &["acme"]);
}

#[test]
fn switched_off_rules_match_nowhere() {
    let list = |config: &TempDir| texts(&run(config.path(), &["list", "--format", "jsonl", SAMPLE])).1;
    let (with, without) = (config(&[("mine.toml", &good())]), config(&[]));
    holds(&list(&without), &["\"apple.ip-range-ref.17-0-0-0-8\""], &[]);
    // The address table refers to it, and what else it knows of the address stays.
    holds(&list(&with), &["\"apple.asn.as714\""], &["\"apple.ip-range-ref.17-0-0-0-8\""]);
}

#[test]
fn a_broken_file_stops_nothing() {
    let hidden = config(&[("bad.toml", FILE), ("mine.toml", &good())]);
    let (code, out, errors) = texts(&run(hidden.path(), &["explain", "1", EDGE]));
    assert_eq!(code, 0);
    holds(&out, &["signature acme.name;"], &[]);
    holds(&errors, &["signature file left out: bad.toml:", "acme.never", "⟨U+202E⟩", "signatures lint"], &["\u{202e}"]);
    for (text, want) in [("schema_version = \n", "bad.toml:1: "), ("\u{feff}\u{0}", "bad.toml:1: ")] {
        let broken = config(&[("bad.toml", text)]);
        let (code, out, errors) = texts(&run(broken.path(), &["list", EDGE]));
        assert_eq!(code, 0, "{errors}");
        holds(&out, &["cdn.example.com"], &[]);
        holds(&errors, &["signature file left out: ", want], &[]);
    }
}

#[test]
fn lists_rules_with_where_they_come_from() {
    let with = config(&[("mine.toml", &good())]);
    let (code, out, errors) = texts(&run(with.path(), &["signatures", "list", "--format", "json"]));
    assert_eq!(code, 0);
    let rules: Vec<Value> = serde_json::from_str(&out).expect("JSON");
    assert!(rules.len() > 600, "{}", rules.len());
    holds(&errors, &["2 of them switched off", "mine.toml (3 rules, 2 switched off)"], &[]);
    let find = |id: &str| rules.iter().find(|r| r["id"] == id).expect("the rule is there");
    let keys = ["kind", "provider", "product", "role", "strength", "group", "forgeable_by", "sources", "from", "on"];
    for rule in &rules {
        assert!(keys.iter().all(|k| !rule[k].is_null() && rule[k] != ""), "{rule}");
    }
    assert_eq!((&find("acme.name")["from"], &find("acme.name")["on"]), (&Value::from("mine.toml"), &Value::from(true)));
    let off = find("apple.ip-range-ref.17-0-0-0-8");
    assert_eq!((&off["from"], &off["on"]), (&Value::from("built-in"), &Value::from(false)));
    let (_, out, _) = texts(&run(with.path(), &["signatures", "list", "ACME.n"]));
    assert_eq!(out.lines().count(), 3, "a head and two rules:\n{out}");
}

#[test]
fn lint_tells_file_and_line() {
    let folder = config(&[("bad.toml", FILE), ("good.toml", &good())]);
    let path = |name: &str| folder.path().join("nephoscope/signatures").join(name).to_string_lossy().into_owned();
    let (code, out, _) = texts(&run(folder.path(), &["signatures", "lint", &path("bad.toml")]));
    assert_eq!(code, 1);
    holds(
        &out,
        &["refused: ", "bad.toml:45: acme.never: `x-acme-⟨U+202E⟩moc`: has characters that nobody sees"],
        &["\u{202e}"],
    );
    assert_eq!(texts(&run(folder.path(), &["signatures", "lint", &path("good.toml")])).0, 0);
    assert_eq!(texts(&run(folder.path(), &["signatures", "lint", &path("none.toml")])).0, 2);
    let (code, out, _) = texts(&run(folder.path(), &["signatures", "lint"]));
    assert_eq!(code, 1, "one of the user's files is refused");
    holds(&out, &["warning: assets/signatures.toml:"], &["refused: assets"]);
    assert_eq!(texts(&run(config(&[]).path(), &["signatures", "lint"])).0, 0, "the built-in pack keeps the rules");
}

#[test]
fn test_tries_a_file() {
    let folder = config(&[("good.toml", &good()), ("bad.toml", FILE)]);
    let path = |name: &str| folder.path().join("nephoscope/signatures").join(name).to_string_lossy().into_owned();
    let (code, out, errors) = texts(&run(folder.path(), &["signatures", "test", &path("good.toml"), EDGE]));
    assert_eq!(code, 0, "{errors}");
    holds(&out, &["acme.name: 3 exchanges", "#1, frame 4: Host: cdn.example.com", "acme.never: 0 exchanges"], &[]);
    holds(&errors, &["matched nothing: acme.never"], &[]);
    let (code, out, _) = texts(&run(folder.path(), &["signatures", "test", &path("good.toml")]));
    assert_eq!(code, 0, "{out}");
    holds(&out, &["acme.name: 12 matched, 9 let go, 0 wrong", "acme.block: 1 matched", "acme.never: 2 matched"], &[]);
    assert_eq!(texts(&run(folder.path(), &["signatures", "test", &path("bad.toml")])).0, 1);
    assert_eq!(texts(&run(folder.path(), &["signatures", "test", &path("none.toml")])).0, 2);
    assert_eq!(texts(&run(folder.path(), &["signatures", "test", &path("good.toml"), "none.pcap"])).0, 2);
}

#[test]
fn the_examples_that_teach_are_good() {
    let folder = config(&[]);
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md");
    let readme = readme.split("```toml\n").nth(1).and_then(|t| t.split("```").next()).expect("an example");
    let (_, help, _) = texts(&run(folder.path(), &["signatures", "--help"]));
    let help = help.split("A whole file:").nth(1).and_then(|t| t.split("[[service]] (").next()).expect("an example");
    for (name, text) in [("readme.toml", readme), ("help.toml", help)] {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        let path = path.to_string_lossy().into_owned();
        let (code, out, _) = texts(&run(folder.path(), &["signatures", "lint", &path]));
        assert_eq!((code, out.as_str()), (0, ""), "{text}");
        let (code, out, _) = texts(&run(folder.path(), &["signatures", "test", &path]));
        assert_eq!(code, 0, "{out}");
        holds(&out, &["acme.server: ", " 0 wrong"], &[]);
    }
}
