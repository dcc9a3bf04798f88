//! Menus, the palette, the list of keys, and the ways to another exchange, as a user finds them: by role and name.

use std::path::Path;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use nephoscope::store::RowId;
use nephoscope::ui::Tab;

use super::ui_compose::Sample;

fn of(name: &str) -> Sample {
    let mut world = Sample::new();
    world.capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name);
    world.open();
    world.press(Modifiers::NONE, Key::Home);
    world
}

/// Opens the menu of the selected row by the keyboard.
fn menu(world: &mut Sample) {
    world.press(Modifiers::SHIFT, Key::F10);
}

/// Opens the part of that menu that copies.
fn copying(world: &mut Sample) {
    menu(world);
    world.harness.get_by_role_and_label(Role::Button, "Copy").click();
    world.settle();
}

/// The name of what has the keyboard.
fn focused(world: &Sample) -> Option<String> {
    let mut all = world.harness.root().children_recursive();
    all.find(egui_kittest::Node::is_focused).and_then(|node| node.accesskit_node().label())
}

fn selected(world: &Sample) -> Option<RowId> {
    world.harness.state().state.selected
}

#[test]
fn a_rows_menu_opens_by_keyboard_and_by_the_second_button() {
    let mut world = of("http-keep-alive.pcap");
    menu(&mut world);
    assert!(world.has("Follow stream…") && world.has("Add to picture"), "{:#?}", world.spoken());
    assert!(!world.harness.state().wants_dialog(), "F10 itself means something else");
    world.press(Modifiers::NONE, Key::Escape);
    assert!(world.harness.query_by_label("Follow stream…").is_none());
    let row = world.harness.query_all_by_role(Role::Row).next().expect("a row").rect().center();
    world.harness.hover_at(row);
    world.harness.run();
    world.harness.query_all_by_role(Role::Row).next().expect("a row").click_secondary();
    world.settle();
    assert!(world.has("Follow stream…") && world.has("Only this connection"), "{:#?}", world.spoken());
}

/// It has room in a low window, and keys alone go through it and into its parts.
#[test]
fn a_rows_menu_is_gone_through_by_keys() {
    let mut world = of("http-keep-alive.pcap");
    world.harness.get_by_role(Role::Table).focus();
    world.settle();
    menu(&mut world);
    let items = ["Show evidence", "Comment…", "Copy"];
    let rects = items.map(|label| world.harness.get_by_role_and_label(Role::Button, label).rect());
    assert!(rects.iter().all(|rect| rect.top() > 0.0 && rect.bottom() < 800.0), "{rects:?}");
    assert!(rects[2].bottom() - rects[0].top() < 560.0, "{rects:?}");
    world.press(Modifiers::NONE, Key::ArrowUp);
    world.press(Modifiers::NONE, Key::ArrowRight);
    assert_eq!(focused(&world).as_deref(), Some("Copy host"));
    world.press(Modifiers::NONE, Key::Enter);
    assert!(world.harness.query_by_label("Copy host").is_none(), "the menu is gone");
    assert_eq!(focused(&world).as_deref(), Some("Exchanges"), "the focus is where it was");
}

#[test]
fn a_request_is_copied_for_curl_without_its_secrets() {
    let mut world = Sample::new();
    copying(&mut world);
    world.click("Copy request as");
    world.click("cURL, secrets hidden");
    assert!(world.has("Copied the request, "), "{:#?}", world.spoken());
}

#[test]
fn only_the_rows_of_a_connection_are_shown() {
    let mut world = of("http-two-at-once.pcap");
    let all = world.rows();
    world.press(Modifiers::COMMAND | Modifiers::ALT, Key::F);
    assert!(world.harness.state().state.choice.filter.starts_with("stream:"));
    assert!(world.rows() < all && world.rows() > 0);
}

#[test]
fn a_frame_is_gone_to_by_its_number() {
    let mut world = of("http-keep-alive.pcap");
    world.press(Modifiers::COMMAND, Key::G);
    world.harness.get_by_role_and_label(Role::TextInput, "Frame number").type_text("6");
    world.settle();
    world.click("Go");
    assert_eq!(world.harness.state().state.saved.tab, Tab::Frames);
    assert!(world.has("Frame 6"), "{:#?}", world.spoken());
    world.press(Modifiers::COMMAND, Key::G);
    world.harness.get_by_role_and_label(Role::TextInput, "Frame number").type_text("999999");
    world.settle();
    world.click("Go");
    assert!(world.has("is of no exchange"), "{:#?}", world.spoken());
}

#[test]
fn one_goes_along_a_connection_and_back_and_forward() {
    let mut world = of("http-keep-alive.pcap");
    let first = selected(&world);
    world.press(Modifiers::ALT, Key::ArrowDown);
    let second = selected(&world);
    assert!(second.is_some() && second != first);
    world.press(Modifiers::ALT, Key::ArrowLeft);
    assert_eq!(selected(&world), first);
    world.press(Modifiers::ALT, Key::ArrowRight);
    assert_eq!(selected(&world), second);
    world.press(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(selected(&world), first);
    world.press(Modifiers::ALT, Key::ArrowUp);
    assert!(world.has("first exchange of its connection"), "{:#?}", world.spoken());
}

#[test]
fn the_palette_finds_actions_and_frames() {
    let mut world = of("http-keep-alive.pcap");
    world.press(Modifiers::COMMAND, Key::P);
    world.harness.get_by_role_and_label(Role::TextInput, "What to do").type_text("follow str");
    world.settle();
    world.press(Modifiers::NONE, Key::Enter);
    assert!(world.has("As it stands on the wire"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::Escape);
    world.press(Modifiers::COMMAND, Key::P);
    world.harness.get_by_role_and_label(Role::TextInput, "What to do").type_text("6");
    world.settle();
    let first = world.harness.query_all_by_role(Role::ListBoxOption).next().expect("an offer");
    assert_eq!(first.accesskit_node().label().as_deref(), Some("Go to frame 6"));
    world.press(Modifiers::NONE, Key::ArrowDown);
    world.press(Modifiers::NONE, Key::ArrowUp);
    world.press(Modifiers::NONE, Key::Enter);
    assert_eq!(world.harness.state().state.saved.tab, Tab::Frames);
}

#[test]
fn keys_are_found_by_what_they_do() {
    let mut world = of("http-keep-alive.pcap");
    world.press(Modifiers::SHIFT, Key::Questionmark);
    assert!(world.has("Panes and views") && world.has("Go to frame"), "{:#?}", world.spoken());
    world.harness.get_by_role_and_label(Role::TextInput, "Find a key").type_text("highlight");
    world.settle();
    assert!(!world.has("Panes and views") && world.has("Highlight"), "{:#?}", world.spoken());
}

#[test]
fn text_grows_and_the_size_stays() {
    let mut world = of("http-keep-alive.pcap");
    let percent = |world: &Sample| world.harness.state().state.preferences.text_percent;
    world.press(Modifiers::COMMAND, Key::Plus);
    world.press(Modifiers::COMMAND, Key::Equals);
    assert_eq!(percent(&world), 120);
    assert!((world.harness.ctx.zoom_factor() - 1.2).abs() < 0.01);
    world.press(Modifiers::COMMAND, Key::Minus);
    assert_eq!(percent(&world), 110);
    world.press(Modifiers::COMMAND, Key::Num0);
    assert_eq!(percent(&world), 100);
}

#[test]
fn a_tag_is_explained_with_how_many_rows_have_it() {
    let mut world = Sample::new();
    world.press(Modifiers::COMMAND, Key::Num1);
    let line = world.harness.query_all_by_label_contains("Evidence 1 ").next().expect("a line of the ledger");
    line.focus();
    world.settle();
    world.press(Modifiers::SHIFT, Key::F10);
    world.click("Explain this tag…");
    for words in ["What this tag stands on", "Could be forged by", "Sources", "with a provider"] {
        assert!(world.has(words), "{words}: {:#?}", world.spoken());
    }
}

#[test]
fn rows_are_copied_as_a_table() {
    let mut world = of("http-keep-alive.pcap");
    copying(&mut world);
    world.click("Copy rows");
    world.click("All shown as CSV");
    assert!(world.has("Copied "), "{:#?}", world.spoken());
}

#[test]
fn a_header_line_becomes_a_column() {
    let mut world = Sample::new();
    world.harness.get_by_role_and_label(Role::ListItem, "Content-Length: 0").click_secondary();
    world.settle();
    world.click("Show as column");
    assert!(world.harness.query_by_role_and_label(Role::ColumnHeader, "content-length").is_some());
}
