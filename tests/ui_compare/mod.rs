//! Two captures side by side in the window: asked for, dropped, read, and gone on from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Key, Modifiers, OutputCommand, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use nephoscope::engine::{Command, How, Reading, Source};
use nephoscope::model::Budget;
use nephoscope::store::Snapshot;
use nephoscope::ui::{Saved, View};

use super::{Dropped, World, opened};

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name)
}

fn read(path: &Path) -> Snapshot {
    read_source(&Source::File(path.to_owned()))
}

fn read_source(source: &Source) -> Snapshot {
    let mut reading = Reading::open(source, How::judged(1), &Budget::default()).expect("it opens");
    while reading.step().expect("it is read") {}
    reading.snapshot()
}

/// A desk with the first capture open.
fn with_a() -> World {
    let mut world = World::new(Saved::default());
    let a = capture("compare-a.pcap");
    world.harness.state_mut().open(Source::File(a.clone()));
    world.engine.publish(read(&a));
    world.settle();
    world.commands();
    world
}

/// Asks for the comparison as a desktop without dialogs does.
fn compare_with(world: &mut World, path: &Path) {
    world.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::D);
    assert!(world.harness.state().wants_dialog());
    world.harness.state_mut().without_dialog();
    world.harness.run_steps(2);
    world.harness.get_by_role_and_label(Role::TextInput, "Path").focus();
    world.harness.run_steps(2);
    world.harness.get_by_role_and_label(Role::TextInput, "Path").type_text(&path.to_string_lossy());
    world.harness.run_steps(2);
    world.click("Compare");
}

fn says(world: &World, words: &str) -> bool {
    world.spoken().iter().any(|label| label.contains(words))
}

/// The whole name of what begins so.
fn named(world: &World, start: &str) -> String {
    world.spoken().into_iter().find(|label| label.starts_with(start)).expect("it is said")
}

/// Goes by keyboard from a site to the end of the comparison.
fn to_the_end(world: &mut World, site: &str) {
    let head = named(world, site);
    world.harness.get_by_role_and_label(Role::Heading, &head).focus();
    world.settle();
    world.press(Modifiers::NONE, Key::End);
}

#[test]
fn two_captures_stand_side_by_side() {
    let mut world = with_a();
    assert!(world.harness.query_by_role_and_label(Role::Button, "Comparison").is_none(), "there is none yet");
    compare_with(&mut world, &capture("compare-b.pcap"));
    assert_eq!(world.harness.state().state.view, View::Compare);
    assert!(says(&world, "A compare-a.pcap · 2026-01-05") && says(&world, "B compare-b.pcap · 2026-02-14"));
    assert!(says(&world, "SHA-256 "), "both are named by their digests");
    assert!(says(&world, "The captures lie 40 days apart"), "{:#?}", world.spoken());
    assert!(says(&world, "example.com, changed: operator"), "{:#?}", world.spoken());
    assert!(says(&world, "Amazon Web Services"));
    // Lines that are scrolled out are not drawn.
    to_the_end(&mut world, "example.com, changed: operator");
    assert!(says(&world, "example.org, only in A") && says(&world, "example.edu, only in B"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::F2);
    assert_eq!(world.harness.state().state.view, View::Exchanges);
    world.click("Comparison");
    assert_eq!(world.harness.state().state.view, View::Compare, "one comes back to it");
    assert_eq!(world.commands(), [], "what is on screen stays open");
}

#[test]
fn a_side_shows_its_exchanges() {
    let mut world = with_a();
    let b = capture("compare-b.pcap");
    compare_with(&mut world, &b);
    let all = world.harness.state().counts().1;
    let here = named(&world, "example.com in A: 2 exchanges");
    world.click(&here);
    assert_eq!(world.harness.state().state.view, View::Exchanges);
    assert_eq!(world.harness.state().counts(), (2, all), "the capture on screen is filtered");
    assert_eq!(world.commands(), []);
    world.press(Modifiers::NONE, Key::F12);
    let there = named(&world, "example.com in B: 1 exchange");
    world.click(&there);
    assert_eq!(world.commands(), [opened(Source::File(b.clone()))], "the other one is opened");
    world.engine.publish(read(&b));
    world.settle();
    assert_eq!(world.harness.state().counts().0, 1, "and shows that site");
    world.press(Modifiers::NONE, Key::F12);
    assert_eq!(world.harness.state().state.view, View::Compare, "the comparison stays");
}

#[test]
fn sites_and_what_changed_have_menus() {
    let mut world = with_a();
    compare_with(&mut world, &capture("compare-b.pcap"));
    let focused = |world: &World| -> String {
        let mut all = world.harness.root().children_recursive();
        all.find(egui_kittest::Node::is_focused).and_then(|node| node.accesskit_node().label()).unwrap_or_default()
    };
    let head = named(&world, "example.com, changed: operator");
    world.harness.get_by_role_and_label(Role::Heading, &head).focus();
    world.settle();
    world.press(Modifiers::SHIFT, Key::F10);
    assert!(says(&world, "Show exchanges of example.com in A") && says(&world, "Copy site"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::Escape);
    world.press(Modifiers::NONE, Key::ArrowDown);
    let line = focused(&world);
    assert!(line.starts_with("operator "), "{line}");
    world.harness.get_by_role_and_label(Role::ListItem, &line).click_secondary();
    world.settle();
    assert!(says(&world, "Copy value") && says(&world, "Copy line"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::Escape);
    world.press(Modifiers::NONE, Key::End);
    world.harness.get_by_role_and_label(Role::Heading, "example.org, only in A").click_secondary();
    world.settle();
    assert!(!says(&world, "Show exchanges of example.org in B"), "there are none");
    world.click("Show exchanges of example.org in A");
    assert_eq!(world.harness.state().state.view, View::Exchanges);
}

#[test]
fn two_files_that_are_dropped_are_compared() {
    let mut world = World::new(Saved::default());
    world.settle();
    let [a, b] = ["compare-a.pcap", "compare-b.pcap"].map(capture);
    for path in [&a, &b] {
        world.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
    }
    world.settle();
    assert_eq!(world.commands(), [], "it is asked what to do with them");
    assert!(says(&world, "compare-a.pcap") && says(&world, "compare-b.pcap"), "{:#?}", world.spoken());
    world.harness.get_by_role_and_label(Role::Button, "Compare").click();
    world.settle();
    assert_eq!(world.commands(), [opened(Source::File(a.clone()))]);
    assert_eq!(world.harness.state().state.view, View::Exchanges, "the first is not read yet");
    world.engine.publish(read(&a));
    world.settle();
    assert_eq!(world.harness.state().state.view, View::Compare);
    assert!(says(&world, "example.com, changed: operator"), "{:#?}", world.spoken());
}

#[test]
fn files_that_are_dropped_are_merged() {
    let mut world = World::new(Saved::default());
    world.settle();
    let [a, b] = ["compare-a.pcap", "compare-b.pcap"].map(capture);
    let three = vec![a.clone(), b.clone(), capture("dns-mdns.pcap")];
    for files in [vec![a, b], three] {
        for path in &files {
            world.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
        }
        world.settle();
        let compares = world.harness.query_by_role_and_label(Role::Button, "Compare").is_some();
        assert_eq!(compares, files.len() == 2, "more than two are merged only");
        world.harness.get_by_role_and_label(Role::Button, "Merge by time").click();
        world.settle();
        assert!(
            matches!(&world.commands()[..], [Command::Open(_, Source::Files(opened))] if *opened == files),
            "{files:?}"
        );
        world.engine.publish(read_source(&Source::Files(files.clone())));
        world.settle();
        assert!(says(&world, "Date and time (UTC)"), "they are of several days");
        world.click(&format!("{} files merged by time", files.len()));
        assert!(says(&world, "compare-a.pcap") && says(&world, "SHA-256"), "{:#?}", world.spoken());
        world.harness.get_by_role_and_label(Role::Button, "Copy SHA-256 and names").click();
        world.harness.step();
        let copied = world.harness.output().platform_output.commands.iter().find_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        });
        let copied = copied.expect("the list is copied");
        assert_eq!(copied.lines().count(), files.len());
        let digest = "  compare-a.pcap";
        assert!(copied.lines().any(|line| line.len() == 64 + digest.len() && line.ends_with(digest)), "{copied}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_said() {
    let mut world = with_a();
    compare_with(&mut world, &capture("no-such.pcap"));
    assert!(says(&world, "there is no such file"), "{:#?}", world.spoken());
    assert_eq!(world.harness.state().state.view, View::Exchanges);
    assert!(world.commands().iter().all(|command| !matches!(command, Command::Open(..))));
}

/// What is ignored is not counted, on either side, and both sides say so.
#[test]
fn what_is_ignored_is_left_out_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let [a, b] = ["compare-a.pcap", "compare-b.pcap"].map(|name| {
        let path = folder.path().join(name);
        std::fs::copy(capture(name), &path).expect("the capture is there");
        path
    });
    let mut world = World::new(Saved::default());
    let open = |world: &mut World, path: &Path| {
        world.harness.state_mut().open(Source::File(path.to_owned()));
        world.engine.publish(read(path));
        world.settle();
    };
    let ignore = |world: &mut World, host: &str| {
        let rows = world.spoken();
        let row = rows.iter().find(|label| label.starts_with("GET ") && label.contains(host)).expect("an exchange");
        world.harness.get_all_by_label(row).next().expect("it is in sight").click();
        world.settle();
        world.press(Modifiers::COMMAND, Key::D);
    };
    open(&mut world, &b);
    ignore(&mut world, "example.edu");
    open(&mut world, &a);
    compare_with(&mut world, &b);
    assert!(says(&world, "B: 1 ignored, not counted here"), "{:#?}", world.spoken());
    assert!(!says(&world, "A: 1 ignored"));
    assert!(!says(&world, "example.edu, only in B"), "its only exchange is ignored: {:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::F2);
    ignore(&mut world, "example.org");
    world.press(Modifiers::NONE, Key::F12);
    world.settle();
    assert!(says(&world, "A: 1 ignored, not counted here"), "it is compared again: {:#?}", world.spoken());
    assert!(!says(&world, "example.org, only in A"));
}
