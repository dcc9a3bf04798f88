//! The conversation of a flow, as a user finds it: by role and name.

use std::fs;
use std::path::Path;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;

use super::ui_compose::Sample;

/// A capture of ours, its first row selected and followed.
fn followed(name: &str) -> Sample {
    let mut world = Sample::new();
    world.capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name);
    world.open();
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::COMMAND | Modifiers::ALT | Modifiers::SHIFT, Key::T);
    world
}

#[test]
fn both_sides_stand_below_each_other_with_their_frames() {
    let mut world = followed("http-keep-alive.pcap");
    assert!(world.has("Client, frame 4") && world.has("Server, frame "), "{:#?}", world.spoken());
    assert!(world.has("HTTP/1.1 200 OK") && world.has("As it stands on the wire"), "{:#?}", world.spoken());
    world.click("Client only");
    assert!(!world.has("Server, frame ") && world.has("Client, frame 4"));
    world.click("Server only");
    assert!(world.has("Server, frame ") && !world.has("Client, frame 4"));
    world.click("Raw");
    assert!(world.has("HTTP/1.1 200 OK\\r\\n"), "{:#?}", world.spoken());
    world.click("Hex");
    assert!(world.has("48 54 54 50 2f 31 2e 31 20 32 30 30"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::Escape);
    assert!(!world.has("As it stands on the wire"));
}

/// A capture that goes on: what both ends say next is read while the conversation is on screen.
#[test]
fn what_is_said_next_is_read_too() {
    let mut world = Sample::new();
    let whole = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/http-keep-alive.pcap"));
    let whole = whole.expect("it is there");
    // Where each record ends (pcap, least significant byte first).
    let mut ends = vec![24_usize];
    while let Some(len) = whole.get(ends[ends.len() - 1] + 8..).and_then(<[u8]>::first_chunk::<4>) {
        ends.push(ends[ends.len() - 1] + 16 + u32::from_le_bytes(*len) as usize);
    }
    let answers = |bytes: &[u8]| bytes.windows(15).filter(|part| *part == b"HTTP/1.1 200 OK").count();
    let first = ends.iter().copied().find(|end| answers(&whole[..*end]) == 1).expect("there is an answer");
    assert!(answers(&whole) > 1, "and another after it");
    world.capture = world.capture.with_file_name("grows.pcap");
    fs::write(&world.capture, &whole[..first]).expect("it is written");
    world.open();
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::COMMAND | Modifiers::ALT | Modifiers::SHIFT, Key::T);
    let said = |world: &Sample| world.spoken().iter().filter(|words| words.starts_with("Server, frame ")).count();
    let before = said(&world);
    assert!(before > 0, "{:#?}", world.spoken());
    fs::write(&world.capture, &whole).expect("it is written");
    world.grow();
    assert!(said(&world) > before, "{:#?}", world.spoken());
}

#[test]
fn words_are_found_and_counted() {
    let mut world = followed("http-keep-alive.pcap");
    world.press(Modifiers::COMMAND, Key::F);
    world.harness.get_by_role_and_label(Role::TextInput, "Find in conversation").type_text("http/1.1");
    world.settle();
    let counted = |world: &Sample, at: usize| world.has(&format!("{at} of "));
    assert!(counted(&world, 1), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::Enter);
    assert!(counted(&world, 2), "{:#?}", world.spoken());
    world.click("Previous");
    assert!(counted(&world, 1));
    world.press(Modifiers::COMMAND, Key::F);
    world.harness.get_by_role_and_label(Role::TextInput, "Find in conversation").type_text("never");
    world.settle();
    assert!(world.has("Not found"));
}

#[test]
fn what_is_missing_and_what_keys_opened_is_said() {
    let world = followed("http-gap.pcap");
    assert!(world.has("are missing here"), "{:#?}", world.spoken());
    let world = followed("tls-keys-13.pcapng");
    assert!(world.has("Decrypted with keys"), "{:#?}", world.spoken());
}

#[test]
fn bytes_are_saved_as_they_are() {
    let mut world = followed("http-keep-alive.pcap");
    world.click("Client only");
    world.click("Save bytes…");
    world.harness.state_mut().without_dialog();
    world.settle();
    let saved = world.name_file("said.bin");
    assert!(saved.starts_with(b"GET ") && !saved.windows(8).any(|part| part == b"HTTP/1.1 200 OK".as_slice()));
    assert!(saved.ends_with(b"\r\n\r\n"));
}

#[test]
fn a_part_has_a_menu_by_keyboard_too() {
    let mut world = followed("http-keep-alive.pcap");
    world.harness.query_all_by_label_contains("Client, frame 4").next().expect("the client speaks").focus();
    world.settle();
    world.press(Modifiers::SHIFT, Key::F10);
    assert!(world.has("Copy this part as text"), "{:#?}", world.spoken());
    world.click("Show frame");
    assert!(world.has("Bytes of frame 4"), "{:#?}", world.spoken());
}
