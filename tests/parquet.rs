//! Parquet: the rows of a file are those that `list` prints as JSON lines, value for value, and files are written beside each
//! other without harm.

#![expect(clippy::expect_used, clippy::panic, reason = "a test program: what cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Value, json};

const SAMPLE: &str = "assets/sample/icloud-2011-reconstruction.pcapng";

/// Columns whose value stands at one place of a row's JSON.
const PLACES: &[(&str, &str)] = &[
    ("n", "/n"),
    ("kind", "/kind"),
    ("version", "/version"),
    ("stream_id", "/stream_id"),
    ("method", "/request/method"),
    ("target", "/request/target"),
    ("target_hex", "/request/target_hex"),
    ("url", "/request/url"),
    ("status", "/response/status"),
    ("reason", "/response/reason"),
    ("content_type", "/response/content_type"),
    ("request_content_type", "/request/content_type"),
    ("websocket_client_messages", "/websocket/client/messages"),
    ("websocket_client_payload_bytes", "/websocket/client/payload_bytes"),
    ("websocket_server_messages", "/websocket/server/messages"),
    ("websocket_server_payload_bytes", "/websocket/server/payload_bytes"),
    ("request_first_frame", "/request/first_frame"),
    ("request_header_frame", "/request/header_frame"),
    ("request_last_frame", "/request/last_frame"),
    ("request_time", "/request/time"),
    ("request_body_bytes", "/request/body_bytes"),
    ("request_body_sha256", "/request/body_sha256"),
    ("request_complete", "/request/complete"),
    ("response_first_frame", "/response/first_frame"),
    ("response_header_frame", "/response/header_frame"),
    ("response_last_frame", "/response/last_frame"),
    ("response_time", "/response/time"),
    ("response_body_bytes", "/response/body_bytes"),
    ("response_body_sha256", "/response/body_sha256"),
    ("response_complete", "/response/complete"),
    ("sni", "/client_hello/sni"),
    ("client_version", "/client_hello/version"),
    ("ja3", "/client_hello/ja3"),
    ("ja4", "/client_hello/ja4"),
    ("ech", "/client_hello/ech"),
    ("server_version", "/server_hello/version"),
    ("cipher", "/server_hello/cipher"),
    ("server_alpn", "/server_hello/alpn"),
    ("quic_version", "/quic_version"),
    ("client_bytes", "/client_bytes"),
    ("server_bytes", "/server_bytes"),
    ("rcode", "/response/rcode"),
    ("operator", "/verdict/operator/name"),
    ("operator_id", "/verdict/operator/id"),
    ("operator_grade", "/verdict/operator/grade"),
    ("product", "/verdict/product/name"),
    ("product_id", "/verdict/product/id"),
    ("product_grade", "/verdict/product/grade"),
    ("role", "/verdict/role/name"),
    ("role_grade", "/verdict/role/grade"),
    ("tenant", "/verdict/tenant/name"),
    ("first_party", "/verdict/tenant/first_party"),
    ("tenant_grade", "/verdict/tenant/grade"),
    ("grade", "/verdict/grade"),
    ("conflict", "/verdict/conflict"),
    ("agreement_name", "/verdict/agreement/name"),
    ("agreement_cname", "/verdict/agreement/CNAME"),
    ("agreement_address", "/verdict/agreement/address"),
    ("agreement_certificate", "/verdict/agreement/certificate"),
    ("agreement_sni_and_host", "/verdict/agreement/SNI and Host"),
    ("agreement_headers", "/verdict/agreement/headers"),
    ("looked_up_n", "/verdict/looked_up/n"),
    ("handed_out_by_n", "/verdict/handed_out_by/n"),
    ("handed_out_by_host", "/verdict/handed_out_by/host"),
    ("handed_out_by_frame", "/verdict/handed_out_by/frame"),
    ("first_write_n", "/verdict/first_write/n"),
];

/// Columns whose values stand in a list of a row's JSON: the list, and the place in each entry.
const LISTS: &[(&str, &str, &str)] = &[
    ("anomalies", "/anomalies", "/what"),
    ("alpn", "/client_hello/alpn", ""),
    ("answer_names", "/response/answers", "/name"),
    ("answer_types", "/response/answers", "/type"),
    ("answer_values", "/response/answers", "/value"),
    ("evidence_signatures", "/verdict/evidence", "/signature"),
    ("evidence_groups", "/verdict/evidence", "/group"),
    ("evidence_frames", "/verdict/evidence", "/frames/0"),
    ("evidence_texts", "/verdict/evidence", "/text"),
    ("cannot_show", "/verdict/cannot_show", ""),
];

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn list(arguments: &[&str], files: &[&Path]) -> Output {
    let program = Command::new(env!("CARGO_BIN_EXE_nephoscope")).arg("list").args(arguments).args(files).output();
    program.expect("the program runs")
}

/// Writes the table of one capture into a folder of its own.
fn table(arguments: &[&str], capture: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a path");
    let output = list(&[&["--format", "parquet", "--out", out], arguments].concat(), &[capture]);
    assert!(output.status.code() <= Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    let mut files = names(folder.path());
    assert_eq!(files.len(), 1, "{files:?}");
    let path = folder.path().join(files.remove(0));
    (folder, path)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => json!(value),
        Field::Long(value) => json!(value),
        Field::Str(value) => json!(value),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        other => panic!("a column of another type: {other:?}"),
    }
}

/// The rows of a file by the names of their columns, and what the file says of itself.
fn read(path: &Path) -> (Vec<Map<String, Value>>, BTreeMap<String, String>) {
    let reader = SerializedFileReader::new(File::open(path).expect("a file")).expect("Parquet");
    let facts = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let facts = facts.into_iter().map(|pair| (pair.key, pair.value.unwrap_or_default())).collect();
    let rows = reader.get_row_iter(None).expect("rows");
    let rows = rows.map(|row| {
        let row = row.expect("a row");
        row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect()
    });
    (rows.collect(), facts)
}

fn nanos(time: &Value) -> Value {
    let Some(time) = time.as_str() else { return Value::Null };
    let time: jiff::Timestamp = time.parse().expect("RFC 3339");
    json!(i64::try_from(time.as_nanosecond()).expect("within the years"))
}

fn strings(values: impl Iterator<Item = Value>) -> Value {
    Value::Array(values.collect())
}

/// What a row of the table must be, from the JSON of that row, of the capture and of all rows.
fn expected(row: &Value, capture: &Value, all: &[Value]) -> Map<String, Value> {
    let at = |pointer: &str| row.pointer(pointer).cloned().unwrap_or_default();
    let mut want = Map::new();
    for (column, pointer) in PLACES {
        let found = at(pointer);
        want.insert((*column).to_owned(), if column.ends_with("_time") { nanos(&found) } else { found });
    }
    let (http, tls, dns) = (row["kind"] == "http", row["kind"] == "tls", row["kind"] == "dns");
    if !http {
        // What is called `response` of a lookup is no message of HTTP.
        for (column, pointer) in PLACES.iter().filter(|(column, _)| *column != "rcode") {
            if pointer.starts_with("/response") {
                want.insert((*column).to_owned(), Value::Null);
            }
        }
    }
    for (column, pointer, below) in LISTS {
        let list = at(pointer).as_array().cloned().unwrap_or_default();
        let each = list.iter().map(|entry| entry.pointer(below).cloned().unwrap_or_else(|| json!(0)));
        want.insert((*column).to_owned(), strings(each));
    }
    let flag = |of: bool, pointer: &str| if of { json!(at(pointer) == true) } else { Value::Null };
    for (column, of, pointer) in [
        ("pushed", http, "/pushed"),
        ("grpc", http, "/grpc"),
        ("decrypted", http || dns, "/decrypted"),
        ("opened", tls, "/keys/opened"),
        ("mdns", dns, "/mdns"),
        ("llmnr", dns, "/llmnr"),
        ("comment", false, "/comment"),
        ("process", false, "/process"),
        ("marked", true, "/marked"),
        ("ignored", true, "/ignored"),
    ] {
        want.insert(column.to_owned(), flag(of, pointer));
    }
    for side in ["client", "server"] {
        let endpoint = at(&format!("/{side}"));
        let (ip, port) = endpoint.as_str().expect("an endpoint").rsplit_once(':').expect("a port");
        want.insert(format!("{side}_ip"), json!(ip.trim_matches(['[', ']'])));
        want.insert(format!("{side}_port"), json!(port.parse::<i64>().expect("a port")));
    }
    let first = |pointers: &[&str]| pointers.iter().map(|p| at(p)).find(|v| !v.is_null()).unwrap_or_default();
    want.insert("query_name".to_owned(), first(&["/query/name", "/questions/0/name"]));
    want.insert("query_type".to_owned(), first(&["/query/type", "/questions/0/type"]));
    want.insert("host".to_owned(), first(&["/request/host", "/client_hello/sni", "/query/name", "/questions/0/name"]));
    let readings = at("/verdict/hypotheses").as_array().cloned().unwrap_or_default();
    for (column, open) in [("hypotheses_open", true), ("hypotheses_not_open", false)] {
        let ids = readings.iter().filter(|h| (h["state"] == "open") == open).map(|h| h["id"].clone());
        want.insert(column.to_owned(), strings(ids));
    }
    let lookup = if dns { Some(row) } else { all.iter().find(|other| other["n"] == at("/verdict/looked_up/n")) };
    let answers = lookup.and_then(|l| l.pointer("/response/answers")).and_then(Value::as_array);
    let chain = answers.into_iter().flatten().filter(|a| a["type"] == "CNAME").map(|a| a["value"].clone());
    want.insert("cname_chain".to_owned(), strings(chain));
    let chains = at("/certificates").as_array().cloned().unwrap_or_default();
    let leaf = chains.into_iter().find(|c| c["from"] == "server").unwrap_or_default();
    for key in ["sha256", "subject_cn", "issuer_cn", "issuer_org"] {
        want.insert(format!("certificate_{key}"), leaf.get(key).cloned().unwrap_or_default());
    }
    want.insert("certificate_san".to_owned(), leaf.get("san").cloned().unwrap_or_else(|| json!([])));
    for key in ["not_before", "not_after"] {
        want.insert(format!("certificate_{key}"), nanos(&leaf.get(key).cloned().unwrap_or_default()));
    }
    want.insert("file".to_owned(), capture["file"].clone());
    want.insert("file_frame".to_owned(), at("/file_frame"));
    want.insert("conversation".to_owned(), at("/conversation"));
    want.insert("capture_sha256".to_owned(), capture.get("sha256").cloned().unwrap_or_default());
    want
}

/// Columns that JSON lines do not have; CSV has some of them.
const BESIDE: [&str; 7] = ["flow", "first_frame", "last_frame", "time", "end_time", "transport", "path"];

/// Compares a capture's table with what `list` prints of it; gives how many rows there are.
#[track_caller]
fn check(capture: &Path) -> usize {
    let (_folder, path) = table(&[], capture);
    let (rows, facts) = read(&path);
    let text = String::from_utf8(list(&["--format", "jsonl"], &[capture]).stdout).expect("text");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let about = lines.next().expect("the capture's line");
    let all: Vec<Value> = lines.collect();
    assert_eq!(rows.len(), all.len(), "{}", capture.display());
    assert_eq!(facts["nephoscope.schema"], "nephoscope-rows/1");
    assert_eq!(serde_json::from_str::<Value>(&facts["nephoscope.capture"]).expect("JSON"), about);
    let csv = list(&["--format", "csv"], &[capture]).stdout;
    let csv: Vec<BTreeMap<String, String>> =
        csv::Reader::from_reader(csv.as_slice()).deserialize().map(|row| row.expect("a line")).collect();
    for ((got, row), line) in rows.iter().zip(&all).zip(&csv) {
        let want = expected(row, &about, &all);
        let names: BTreeSet<&str> = want.keys().map(String::as_str).chain(BESIDE).collect();
        assert_eq!(got.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
        for (column, want) in &want {
            assert_eq!(&got[column], want, "{}: row {}, column {column}", capture.display(), row["n"]);
        }
        assert_eq!(got["first_frame"].to_string(), line["first_frame"]);
        assert_eq!(got["time"], nanos(&json!(line["time"])));
        let ends = (got["last_frame"].as_i64(), got["end_time"].as_i64());
        assert!(ends >= (got["first_frame"].as_i64(), ends.1) && ends.0.is_some() && ends.1.is_some());
        assert!(row["transport"].is_null() || row["transport"] == got["transport"]);
        if let Some(path) = got["path"].as_str().filter(|path| path.len() < 200 && path.is_ascii()) {
            assert_eq!(path, line["path"].trim_start_matches('\''), "{}: row {}", capture.display(), row["n"]);
        }
    }
    rows.len()
}

#[test]
fn rows_are_those_of_the_json_lines() {
    assert!(check(&here(SAMPLE)) > 20);
    let mut rows = 0;
    for name in names(&here("tests/captures")) {
        let path = here("tests/captures").join(&name);
        let is_capture = ["pcap", "pcapng", "cap"].iter().any(|end| path.extension().is_some_and(|e| e == *end));
        if is_capture && list(&["--format", "csv"], &[&path]).status.code() != Some(2) {
            rows += check(&path);
        }
    }
    assert!(rows > 200, "{rows} rows");
}

#[test]
fn a_filter_keeps_its_rows_and_is_written_down() {
    let (_folder, path) = table(&["--filter", "method:PUT"], &here(SAMPLE));
    let (rows, facts) = read(&path);
    assert!(!rows.is_empty() && rows.iter().all(|row| row["method"] == "PUT"));
    assert_eq!(facts["nephoscope.filter"], "method:PUT");
}

#[test]
fn many_programs_write_into_one_folder_and_none_writes_over_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a path");
    let sample = here(SAMPLE);
    let other = here("tests/captures/tls-keys-13.pcapng");
    let begun: Vec<_> = (0..4)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_nephoscope"))
                .args(["list", "--format", "parquet", "--out", out])
                .args([&sample, &other])
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("the program runs")
        })
        .collect();
    let ended: Vec<Output> = begun.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect();
    let written = names(folder.path());
    assert_eq!(written.len(), 2, "{written:?}: nothing half-written is left");
    for output in ended.iter().filter(|output| !output.status.success()) {
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("there already"));
    }
    let path = folder.path().join(written.iter().find(|name| name.contains("icloud")).expect("the sample's"));
    assert!(read(&path).0.len() > 20);
    fs::write(&path, "somebody's").expect("written");
    assert_eq!(list(&["--format", "parquet", "--out", out], &[&sample]).status.code(), Some(2));
    assert_eq!(fs::read(&path).expect("there"), b"somebody's");
    assert_eq!(list(&["--format", "parquet", "--out", out, "--overwrite"], &[&sample]).status.code(), Some(0));
    assert!(read(&path).0.len() > 20);
}

#[test]
fn a_table_needs_a_folder() {
    let none = list(&["--format", "parquet"], &[&here(SAMPLE)]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("--out"));
    let useless = list(&["--format", "csv", "--out", "/nowhere"], &[&here(SAMPLE)]);
    assert_eq!(useless.status.code(), Some(2));
}
