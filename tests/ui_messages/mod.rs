//! The messages of a WebSocket, as a user finds them: by role and name.

use std::path::Path;

use egui::accesskit::Toggled;
use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use nephoscope::ui::Tab;

use super::ui_compose::Sample;

/// The first WebSocket of our capture, with its messages.
fn messages() -> Sample {
    let mut world = Sample::new();
    world.capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/websocket.pcap");
    world.open();
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::COMMAND, Key::Num7);
    world
}

/// What the list says, and which of it is chosen.
fn listed(world: &Sample) -> (Vec<String>, Option<usize>) {
    let options = || world.harness.query_all_by_role(Role::ListBoxOption);
    let names = options().map(|node| node.accesskit_node().label().unwrap_or_default()).collect();
    (names, options().position(|node| node.accesskit_node().toggled() == Some(Toggled::True)))
}

const ALL: [&str; 8] = [
    "Received text, 18 bytes: {\"hello\":\"client\"}",
    "Sent text, 7 bytes: Grüße",
    "Received ping, 6 bytes: there?",
    "Sent pong, 6 bytes: there?",
    "Received text, 24 bytes: a message in three parts",
    "Sent binary, 512 bytes: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17",
    "Received binary, 15 bytes: 89 50 4e 47 20 6e 6f 20 70 69 63 74 75 72 65",
    "Received close, 12 bytes: 1001 going away: going home",
];

#[test]
fn they_are_listed_in_the_order_in_which_they_were_complete() {
    let world = messages();
    let (names, chosen) = listed(&world);
    assert_eq!(names[..8], ALL);
    assert_eq!((names.len(), chosen), (9, Some(0)));
    assert!(world.has("Received text"), "the first one is shown whole: {:#?}", world.spoken());
    assert!(world.has("sent 2 messages"), "{:#?}", world.spoken());
}

#[test]
fn one_is_chosen_by_pointer_and_by_keyboard() {
    let mut world = messages();
    world.click(ALL[4]);
    assert_eq!(listed(&world).1, Some(4));
    assert!(world.has("sent in 3 parts"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(listed(&world).1, Some(5));
    assert!(world.has("Sent binary") && world.has("512 bytes"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::End);
    assert_eq!(listed(&world).1, Some(8));
    world.press(Modifiers::NONE, Key::Home);
    assert_eq!(listed(&world).1, Some(0));
    world.click("Frame 5");
    assert_eq!(world.harness.state().state.saved.tab, Tab::Frames);
}

#[test]
fn words_are_found_in_them() {
    let mut world = messages();
    world.click("Find in messages");
    world.harness.get_by_role_and_label(Role::TextInput, "Find in messages").type_text("THREE received");
    world.settle();
    assert_eq!(listed(&world).0, [ALL[4]]);
    assert!(world.has("1 of 9"), "{:#?}", world.spoken());
}

#[test]
fn other_exchanges_have_none() {
    let mut world = Sample::new();
    let tab = |world: &Sample| world.harness.query_by_role_and_label(Role::Tab, "Messages").is_some();
    assert!(!tab(&world));
    world.press(Modifiers::COMMAND, Key::Num7);
    assert!(tab(&world) && world.has("This exchange opened no WebSocket"), "{:#?}", world.spoken());
}
