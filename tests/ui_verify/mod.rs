//! Pictures, bundles and claims given to the window are checked there, and what comes of it is said line by line.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Key, Modifiers, OutputCommand, Role};
use egui_kittest::kittest::Queryable as _;
use nephoscope::case::{Key as CaseKey, Plan, RedactionChoice};
use nephoscope::engine::{How, Reading, Source};
use nephoscope::export::{Listing, Parts, Pixels, Proof, read_bundle, write_bundle};
use nephoscope::model::Budget;
use nephoscope::ui::{Dialog, Saved};
use tempfile::TempDir;

use super::ui_world::opened;
use super::{Dropped, World};

const SAMPLE: &str = "assets/sample/icloud-2011-reconstruction.pcapng";
/// The PUT to Blob storage in the sample.
const PUT: u32 = 14;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE)
}

/// An export of the upload, with a small picture, and the bytes of that.
fn proof(title: &str) -> (Proof, Vec<u8>) {
    let source = Source::File(sample());
    let mut reading = Reading::open(&source, How::judged(1), &Budget::default()).expect("the sample is there");
    while reading.step().expect("the sample is whole") {}
    let snapshot = reading.snapshot();
    let row = Listing::all(&snapshot).find(PUT).expect("the upload");
    let redaction = RedactionChoice { on: false, ..RedactionChoice::default() };
    let plan = Plan { redaction, title: title.to_owned(), ..Plan::default() };
    let mut proof = Proof::new(&snapshot, &source, &[row], &plan, &CaseKey::of_capture(&[7; 32])).expect("a proof");
    let png = proof.picture(&Pixels { width: 2, height: 2, scale: 1, rgba: &[9; 16] }).expect("a picture").to_vec();
    (proof, png)
}

fn bundle(title: &str) -> Parts {
    let (proof, _) = proof(title);
    read_bundle(&proof.bundle("picture").expect("a bundle")).expect("the same bundle")
}

/// A folder with one file.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a file");
    (folder, path)
}

fn give(world: &mut World, files: &[&Path]) {
    for path in files {
        world.harness.input_mut().dropped_files.push(Arc::new(Dropped((*path).to_owned())));
    }
    world.settle();
}

fn says(world: &World, part: &str) -> bool {
    world.spoken().iter().any(|label| label.contains(part))
}

#[track_caller]
fn check(world: &World, parts: &[&str]) {
    for part in parts {
        assert!(says(world, part), "{part} is not in {:#?}", world.spoken());
    }
}

#[test]
fn a_bundle_is_verified_and_escape_closes_it() {
    // The name says nothing: the bytes do.
    let (_folder, path) = file("trace.pcapng", &write_bundle(&bundle("A title")).expect("a bundle"));
    let mut world = World::new(Saved::default());
    world.settle();
    give(&mut world, &[&path]);
    assert!(world.commands().is_empty(), "nothing is opened");
    check(&world, &["All 10 callouts pass", "Callout 6: passes", "Server: Windows-Azure-Blob/1.0"]);
    check(&world, &["Pixels of the picture: passes", "Checked against the excerpt in the bundle"]);
    check(&world, &["What this does not show", "It does not show who made the picture", "A title"]);
    world.press(Modifiers::NONE, Key::Escape);
    assert_eq!(world.harness.state().state.dialog, None);
    assert!(!says(&world, "callouts pass"));
}

/// Whoever unpacks a bundle and lets all of it go over the window is not told that it fails.
#[test]
fn an_unpacked_bundle_is_put_together_again() {
    let parts = bundle("");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    let readme = write("README.txt", b"for people");
    let claim = write("claim.json", &parts.claim);
    let excerpt = write("excerpt.pcapng", &parts.excerpt.expect("an excerpt"));
    let picture = write("picture.png", &parts.picture.expect("a picture").1);
    for files in [[&readme, &claim, &excerpt, &picture], [&picture, &excerpt, &claim, &readme]] {
        let mut world = World::new(Saved::default());
        world.settle();
        give(&mut world, &files.map(PathBuf::as_path));
        check(&world, &["All 10 callouts pass", "Pixels of the picture: passes", "Not looked at: "]);
    }
}

#[test]
fn a_changed_line_fails_in_words_that_can_be_copied() {
    let mut parts = bundle("");
    let excerpt = parts.excerpt.as_mut().expect("an excerpt");
    let at = memchr::memmem::find(excerpt, b"x-ms-version: 2009-09-19").expect("the line is in the excerpt");
    excerpt[at + 14] = b'3';
    let (_folder, path) = file("changed.nephoscope.zip", &write_bundle(&parts).expect("a bundle"));
    let mut world = World::new(Saved::default());
    world.settle();
    give(&mut world, &[&path]);
    check(&world, &["1 of 10 callouts fails", "Callout 8: fails", "x-ms-version: 3009-09-19", "Callout 1: passes"]);
    let copy = world.harness.get_by_role_and_label(Role::Button, "Copy as text");
    assert!(copy.rect().top() > 600.0, "as tall as the window allows, though the dialog before it was small");
    copy.click();
    let mut copied = String::new();
    for _ in 0..4 {
        world.harness.step();
        for command in &world.harness.output().platform_output.commands {
            if let OutputCommand::CopyText(text) = command {
                copied.clone_from(text);
            }
        }
    }
    for part in
        ["FAILS              exchange 14, callout 8", "expected: x-ms-version: 2009", "there is: x-ms-version: 3009"]
    {
        assert!(copied.contains(part), "{part} is not in {copied}");
    }
}

#[test]
fn a_picture_is_held_against_the_capture_dropped_with_it() {
    let (_, png) = proof("");
    let (folder, picture) = file("picture.png", &png);
    let mut world = World::new(Saved::default());
    world.settle();
    give(&mut world, &[&picture]);
    check(
        &world,
        &["No callout could be checked", "Callout 1: cannot be checked", "Drop it together with its capture"],
    );
    let capture = sample();
    give(&mut world, &[&capture, &picture]);
    check(&world, &["All 10 callouts pass", "Checked against the capture that was given", "Verdict: passes"]);
    let other = folder.path().join("other.pcapng");
    fs::write(&other, [fs::read(&capture).expect("the sample"), vec![0; 4]].concat()).expect("a file");
    give(&mut world, &[&picture, &other]);
    check(&world, &["The capture is the one that the claim names: fails", "another file: its SHA-256 is"]);
    assert!(world.commands().is_empty(), "nothing is opened");
}

#[test]
fn a_claim_is_held_against_the_capture_on_screen() {
    let (_folder, claim) = file("claim.json", &bundle("").claim);
    let mut world = World::new(Saved::default());
    world.harness.state_mut().open(Source::File(sample()));
    world.settle();
    give(&mut world, &[&claim]);
    check(&world, &["All 10 callouts pass", "Checked against the capture on screen", "No picture was given"]);
    // Another one on screen is not used, and that is said.
    world.harness.state_mut().open(Source::File(PathBuf::from("other.pcap")));
    world.settle();
    give(&mut world, &[&claim]);
    check(&world, &["No callout could be checked", "the capture on screen is another one"]);
}

#[test]
fn what_carries_no_claim_is_refused_kindly() {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 1, 1);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().and_then(|mut out| out.write_image_data(&[0; 4])).expect("a picture");
    let (folder, plain) = file("holiday.png", &png);
    let mut world = World::new(Saved::default());
    world.settle();
    give(&mut world, &[&plain]);
    check(&world, &["holiday.png", "Not checked", "This picture carries no claim", "Ask for the bundle"]);
    for (name, bytes) in [("a.json", &b"{\"a\":1}"[..]), ("b.zip", b"PK\x05\x06"), ("c.png", b"\x89PNG\r\n")] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        give(&mut world, &[&path]);
        check(&world, &[name, "Not checked"]);
    }
    // A capture still is one.
    let capture = sample();
    give(&mut world, &[&capture]);
    assert_eq!(world.commands(), [opened(Source::File(capture))]);
}

#[test]
fn the_menu_asks_for_a_file() {
    let (_folder, claim) = file("claim.json", b"no claim at all");
    let mut world = World::new(Saved::default());
    world.settle();
    world.click("Verify a picture or bundle…");
    assert!(world.harness.state().wants_dialog());
    world.harness.state_mut().without_dialog();
    world.settle();
    world.harness.get_by_role_and_label(Role::TextInput, "Path").focus();
    world.harness.run_steps(2);
    world.harness.get_by_role_and_label(Role::TextInput, "Path").type_text(&claim.to_string_lossy());
    world.harness.run_steps(2);
    world.harness.get_by_role_and_label(Role::Button, "Verify").click();
    world.settle();
    check(&world, &["claim.json", "Not checked", "The claim is no JSON"]);
    assert!(matches!(world.harness.state().state.dialog, Some(Dialog::Verified(_))));
}

#[test]
fn words_of_strangers_are_made_visible() {
    let mut parts = bundle("title");
    let claim = String::from_utf8(parts.claim.clone()).expect("JSON");
    let claim = claim.replacen("Host: msbnx", "Host: \u{202e}msbnx", 1).replacen("\"title\"", "\"ti\u{202e}tle\"", 1);
    assert!(claim.contains("\u{202e}msbnx") && claim.contains("ti\u{202e}tle"));
    parts.claim = claim.into_bytes();
    parts.picture = None;
    let (_folder, path) = file("hostile\u{202e}.zip", &write_bundle(&parts).expect("a bundle"));
    let mut world = World::new(Saved::default());
    world.settle();
    give(&mut world, &[&path]);
    check(&world, &["fails", "No picture was given", "hostile"]);
    assert!(!says(&world, "\u{202e}"), "{:#?}", world.spoken());
}
