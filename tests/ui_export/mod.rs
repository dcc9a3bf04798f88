//! Rows leave the window as files: which, in which form, and never over something else.

use std::fs;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;
use nephoscope::model::Side;
use nephoscope::store::HeaderName;
use nephoscope::ui::Column;
use serde_json::Value;

use super::ui_compose::Sample;
use super::ui_world;

const ASK: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// Chooses by the labels of radio buttons, saves under a name, and gives the bytes.
fn export(world: &mut Sample, choices: &[&str], name: &str) -> Vec<u8> {
    world.press(ASK, Key::E);
    for choice in choices {
        world.click(choice);
    }
    world.click("Save as…");
    world.harness.state_mut().without_dialog();
    world.settle();
    world.name_file(name)
}

#[test]
fn shown_rows_go_out_in_every_form() {
    let mut world = Sample::new();
    let (shown, all) = world.harness.state().counts();
    assert_eq!(shown, all);
    let csv = String::from_utf8(export(&mut world, &["CSV"], "rows.csv")).expect("text");
    assert_eq!(csv.lines().count(), all + 1);
    let jsonl = String::from_utf8(export(&mut world, &["JSON lines"], "rows.jsonl")).expect("text");
    assert_eq!(jsonl.lines().count(), all + 1);
    let har: Value = serde_json::from_slice(&export(&mut world, &["HAR"], "rows.har")).expect("JSON");
    assert!(har["log"]["entries"].as_array().is_some_and(|entries| entries.len() > 8));
    let parquet = export(&mut world, &["Parquet"], "rows.parquet");
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
}

#[test]
fn secrets_are_hidden_unless_somebody_wants_them() {
    let mut world = Sample::new();
    // Signatures of signed URLs stand in paths.
    for (form, name) in [("CSV", "rows.csv"), ("JSON lines", "rows.jsonl"), ("HAR", "rows.har")] {
        let hidden = String::from_utf8(export(&mut world, &[form], &format!("hidden-{name}"))).expect("text");
        let plain = String::from_utf8(export(&mut world, &[form, "Hide secrets"], name)).expect("text");
        assert!(plain.contains("sig=SYNTHETIC"), "{form}");
        assert!(!hidden.contains("sig=SYNTHETIC") && hidden.contains("‹signature "), "{form}");
    }
    let has = |bytes: &[u8]| bytes.windows(13).any(|part| part == b"sig=SYNTHETIC");
    assert!(has(&export(&mut world, &["Parquet", "Hide secrets"], "rows.parquet")));
    assert!(!has(&export(&mut world, &["Parquet"], "hidden-rows.parquet")));
}

#[test]
fn what_is_filtered_or_marked_goes_out_alone() {
    let mut world = Sample::new();
    world.press(Modifiers::COMMAND, Key::M);
    world.harness.state_mut().state.choice.filter = "method:PUT".to_owned();
    world.settle();
    let (shown, all) = world.harness.state().counts();
    assert!(shown > 0 && shown < all);
    let of = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").lines().count() - 1;
    assert_eq!(of(export(&mut world, &["CSV"], "shown.csv")), shown);
    assert_eq!(of(export(&mut world, &["The 1 marked row"], "marked.csv")), 1);
    assert_eq!(of(export(&mut world, &[&format!("The {all} rows of the capture")], "all.csv")), all);
}

#[test]
fn a_file_that_is_there_is_asked_about_and_the_capture_never_written_over() {
    let mut world = Sample::new();
    let first = export(&mut world, &["CSV"], "rows.csv");
    world.press(ASK, Key::E);
    world.click("JSON lines");
    world.click("Save as…");
    world.harness.state_mut().without_dialog();
    world.settle();
    let path = world.type_name("rows.csv");
    assert!(world.has("Replace rows.csv?"));
    assert_eq!(fs::read(&path).expect("it is there"), first, "nothing happened yet");
    world.click("Replace");
    assert_ne!(fs::read(&path).expect("it is there"), first);

    let before = fs::read(&world.capture).expect("the capture");
    world.press(ASK, Key::E);
    world.click("Save as…");
    world.harness.state_mut().without_dialog();
    world.settle();
    world.type_name("sample.pcapng");
    if world.has("Replace sample.pcapng?") {
        world.click("Replace");
    }
    assert_eq!(fs::read(&world.capture).expect("the capture"), before);
    assert!(world.has("this is the capture itself"), "{:#?}", world.spoken());
}

/// The number of a conversation's colour is a column of every form that has columns.
#[test]
fn the_colour_of_a_conversation_goes_out() {
    let mut world = Sample::new();
    world.press(Modifiers::COMMAND.plus(Modifiers::ALT), Key::Num4);
    let csv = String::from_utf8(export(&mut world, &["CSV"], "rows.csv")).expect("text");
    let head: Vec<&str> = csv.lines().next().expect("a head").split(',').collect();
    let at = head.iter().position(|name| *name == "conversation").expect("a column");
    // Nothing behind it has a comma.
    let behind = head.len() - at - 1;
    let numbers: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.rsplit(',').nth(behind)).collect();
    let coloured = numbers.iter().filter(|number| **number == "4").count();
    assert!(coloured > 0 && numbers.iter().all(|number| ["", "4"].contains(number)), "{numbers:?}");
    let jsonl = String::from_utf8(export(&mut world, &["JSON lines"], "rows.jsonl")).expect("text");
    let rows: Vec<Value> = jsonl.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.iter().filter(|row| row["conversation"] == 4).count(), coloured);
    assert_eq!(rows.iter().filter(|row| row.get("conversation").is_some()).count(), coloured);
    let parquet = export(&mut world, &["Parquet"], "rows.parquet");
    assert!(parquet.windows(12).any(|part| part == b"conversation"));
}

/// What is said of a row goes along in every form; a secret that is hidden elsewhere is hidden there too.
#[test]
fn comments_and_marks_go_out() {
    let mut world = Sample::new();
    world.harness.state_mut().state.choice.filter = "method:PUT path:sig=".to_owned();
    world.settle();
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::COMMAND, Key::M);
    world.press(Modifiers::COMMAND.plus(Modifiers::ALT), Key::C);
    world.harness.get_by_role_and_label(Role::MultilineTextInput, "Comment").type_text("=look: sig=SYNTHETIC");
    world.settle();
    world.click("Keep");
    let one = "The 1 marked row";
    let csv = export(&mut world, &["CSV", one], "rows.csv");
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let head = reader.headers().expect("a head").clone();
    let row = reader.records().next().expect("a row").expect("it is read");
    let cell = |name: &str| row[head.iter().position(|column| column == name).expect("a column")].to_owned();
    assert_eq!(cell("marked"), "yes");
    assert!(cell("comment").starts_with("'=look: "), "no formula: {}", cell("comment"));
    let jsonl = String::from_utf8(export(&mut world, &["JSON lines", one], "rows.jsonl")).expect("text");
    let row: Value = serde_json::from_str(jsonl.lines().nth(1).expect("a row")).expect("JSON");
    assert!(row["comment"].as_str().is_some_and(|comment| comment.starts_with("=look: ")), "{row}");
    let har: Value = serde_json::from_slice(&export(&mut world, &["HAR", one], "rows.har")).expect("JSON");
    let entry = &har["log"]["entries"][0];
    assert!(entry["comment"].as_str().is_some_and(|comment| comment.starts_with("=look: ")), "{entry}");
    assert_eq!(entry["_nephoscope"]["marked"], true);
    let parquet = export(&mut world, &["Parquet", one], "rows.parquet");
    assert!(parquet.windows(6).any(|part| part == b"=look:"));
    for bytes in [&csv, jsonl.as_bytes(), har.to_string().as_bytes(), &parquet] {
        assert!(!bytes.windows(13).any(|part| part == b"sig=SYNTHETIC"), "the signature is hidden in the comment too");
    }
}

/// Header lines that are columns on screen are columns of the file, without their secrets.
#[test]
fn header_columns_go_along() {
    let mut world = Sample::new();
    let shown = [(Side::Server, "server"), (Side::Client, "authorization")];
    let names = shown.map(|(side, name)| Column::Header(HeaderName::new(side, name).expect("a name")));
    world.harness.state_mut().state.saved.order = names.to_vec();
    // In its uploads there is a key.
    world.engine.publish(ui_world::snapshot(2, true));
    world.settle();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let csv = text(export(&mut world, &["CSV"], "rows.csv"));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head: Vec<String> = reader.headers().expect("a head").iter().map(str::to_owned).collect();
    assert_eq!(head[head.len() - 2..], ["response.server", "request.authorization"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let servers = rows.iter().filter(|row| row[head.len() - 2].contains("Windows-Azure-Blob")).count();
    assert!(servers > 0, "{csv}");
    let authorized: Vec<&str> = rows.iter().map(|row| &row[head.len() - 1]).filter(|cell| !cell.is_empty()).collect();
    assert!(!authorized.is_empty() && authorized.iter().all(|cell| cell.contains('‹')), "{authorized:?}");
    let plain = text(export(&mut world, &["CSV", "Hide secrets"], "plain.csv"));
    assert!(authorized.iter().all(|cell| !plain.contains(cell)) && plain.contains("SharedKey "), "{plain}");

    let jsonl = text(export(&mut world, &["JSON lines"], "rows.jsonl"));
    let lines: Vec<Value> = jsonl.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let said = |line: &&Value| line["response.server"].as_str().is_some_and(|server| server.contains("Azure-Blob"));
    assert_eq!(lines.iter().filter(said).count(), servers);
    assert_eq!(lines.iter().filter(|line| line.get("request.authorization").is_some()).count(), authorized.len());
    let before = text(export(&mut world, &["JSON lines", "Hide secrets"], "plain.jsonl"));
    assert_eq!(before.lines().count(), jsonl.lines().count());
    world.press(ASK, Key::E);
    assert!(world.has("With the 2 header lines that are columns here"), "{:#?}", world.spoken());
    world.click("Parquet");
    assert!(world.has("Without the 2 header lines that are columns here"), "{:#?}", world.spoken());
}
