//! From the start screen to an exported picture that verifies, with the real engine and nothing but keys; and what the Tab key
//! stops at on the way.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use egui::{Event, Key, Modifiers, Rect, Role, Shape};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use nephoscope::model::Budget;
use nephoscope::store::query::{SortBy, SortKey};
use nephoscope::ui::{Column, Desk, Saved, View};

use super::ui_compose::Sample;
use super::{World, ui_world};

/// A window in front of the real engine.
struct Window {
    harness: Harness<'static, Desk>,
    wakes: Receiver<()>,
}

impl Window {
    fn new() -> Self {
        let (woken, wakes) = crossbeam_channel::bounded(1);
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
            let _full = woken.try_send(());
        });
        let engine_wake = Arc::clone(&wake);
        let handle =
            nephoscope::engine::start(1, Budget::default(), Box::new(move || engine_wake())).expect("threads start");
        let desk = Desk::new(handle, Budget::default(), Saved::default(), wake).expect("threads start");
        let mut window = Self { harness: super::window(desk), wakes };
        window.settle();
        window
    }

    /// Until nothing is under way, reading included.
    fn settle(&mut self) {
        super::settle(&mut self.harness);
        let ctx = self.harness.ctx.clone();
        while self.harness.state().reading() {
            let woken = self.wakes.recv_timeout(std::time::Duration::from_secs(30));
            assert!(woken.is_ok(), "the engine says nothing");
            self.harness.state_mut().settle(&ctx);
        }
        super::settle(&mut self.harness);
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    fn write(&mut self, text: &str) {
        self.harness.event(Event::Text(text.to_owned()));
        self.settle();
    }

    /// Every name and value that a screen reader would say.
    fn spoken(&self) -> Vec<String> {
        let said = |node: egui_kittest::Node<'_>| {
            let node = node.accesskit_node();
            node.label().into_iter().chain(node.value()).collect::<Vec<_>>()
        };
        self.harness.root().children_recursive().flat_map(said).collect()
    }

    fn has(&self, words: &str) -> bool {
        self.spoken().iter().any(|said| said.contains(words))
    }
}

#[test]
fn from_start_to_a_picture_that_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let capture = folder.path().join("capture.pcapng");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sample/icloud-2011-reconstruction.pcapng");
    std::fs::copy(sample, &capture).expect("the sample is there");
    let picture = folder.path().join("picture.png");
    let mut window = Window::new();
    let none = Modifiers::NONE;

    // The capture's path, in the question that comes where a desktop has no dialogs.
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
    window.write(&capture.to_string_lossy());
    window.press(none, Key::Enter);
    let (shown, all) = window.harness.state().counts();
    assert!(all > 20 && shown == all, "{shown} of {all}");

    // A filter, then into the rows that it keeps.
    window.press(Modifiers::COMMAND, Key::F);
    window.write("method:PUT operator:azure");
    window.press(none, Key::Enter);
    let (shown, _) = window.harness.state().counts();
    assert!(shown > 0 && shown < all, "{shown} of {all}");
    window.press(none, Key::Home);
    window.press(none, Key::ArrowDown);
    window.press(none, Key::Home);

    // Every pane comes by its key, and says something of the row.
    for (key, words) in [
        (Key::Num2, "Which machines served it"),
        (Key::Num3, "H1"),
        (Key::Num4, "body"),
        (Key::Num5, "flow opened by frame"),
        (Key::Num6, "Frame"),
        (Key::Num1, "Blob"),
    ] {
        window.press(Modifiers::COMMAND, key);
        assert!(window.has(words), "{key:?} shows {words}: {:?}", window.spoken());
    }
    window.press(Modifiers::COMMAND, Key::M);
    window.press(none, Key::F3);
    assert_eq!(window.harness.state().state.view, View::Findings);

    // The picture of that row.
    window.press(none, Key::F2);
    window.press(none, Key::F11);
    assert_eq!(window.harness.state().state.view, View::Picture);
    window.press(Modifiers::COMMAND, Key::S);
    assert!(window.harness.state().wants_dialog(), "it asks where to save");
    window.harness.state_mut().without_dialog();
    window.settle();
    window.press(Modifiers::COMMAND, Key::A);
    window.write(&picture.to_string_lossy());
    window.press(none, Key::Enter);
    assert!(window.has("Saved "), "it says so");

    let program = env!("CARGO_BIN_EXE_nephoscope");
    let out = Command::new(program).arg("verify").arg(&picture).arg(&capture).output().expect("it runs");
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{said}");
}

/// What has the keyboard.
#[derive(Clone, Debug, PartialEq)]
struct Stop {
    role: Role,
    name: String,
    rect: Rect,
}

fn stop(world: &World) -> Option<Stop> {
    let node = world.harness.root().children_recursive().find(egui_kittest::Node::is_focused)?;
    let (role, name) = (node.accesskit_node().role(), node.accesskit_node().label().unwrap_or_default());
    Some(Stop { role, name, rect: node.rect() })
}

fn name(world: &World) -> String {
    stop(world).map(|stop| stop.name).unwrap_or_default()
}

/// Whether a line is painted around what has the keyboard; what is typed into shows its cursor.
fn shows(world: &World, stop: &Stop) -> bool {
    let is_line = |shape: &Shape| match shape {
        Shape::Rect(shape) => {
            let near = shape.rect.contains(stop.rect.center()) || shape.rect.intersects(stop.rect);
            near && shape.stroke.width > 1.4 && shape.rect.width() <= stop.rect.width() + 6.0
        }
        _ => false,
    };
    matches!(stop.role, Role::TextInput | Role::SpinButton)
        || world.harness.output().shapes.iter().any(|clipped| is_line(&clipped.shape))
}

/// Goes on with Tab until it comes round. Each stop has a role and a name, and shows that it has the keyboard.
fn walk(world: &mut World) -> Vec<Stop> {
    let mut stops: Vec<Stop> = Vec::new();
    loop {
        world.harness.key_press(Key::Tab);
        // What is scrolled to is there in the next frame.
        world.harness.run_steps(3);
        let stop = stop(world).expect("something has the keyboard");
        assert!(!stop.name.trim().is_empty(), "no name: {stop:?} after {:?}", stops.last());
        assert!(!matches!(stop.role, Role::Unknown | Role::GenericContainer), "no role: {stop:?}");
        assert!(shows(world, &stop), "it does not show: {stop:?}");
        if stops.first() == Some(&stop) {
            return stops;
        }
        stops.push(stop);
        assert!(stops.len() < 150, "it does not come round: {stops:#?}");
    }
}

/// Whether stops of these roles, with names that begin so, come in this order.
#[track_caller]
fn check(stops: &[Stop], want: &[(Role, &str)]) {
    let mut rest = stops.iter();
    for (role, name) in want {
        let found = rest.any(|stop| stop.role == *role && stop.name.starts_with(name));
        assert!(found, "{role:?} {name}, in this order, of {stops:#?}");
    }
}

#[test]
fn the_tab_key_goes_through_the_whole_window_and_comes_round() {
    let mut world = Sample::new();
    let panes: [(Key, &[(Role, &str)]); 6] = [
        (Key::Num1, &[(Role::Button, "Evidence 1 "), (Role::ListItem, ""), (Role::ListItem, "")]),
        (Key::Num2, &[(Role::Group, "Asked, ")]),
        (Key::Num3, &[(Role::Button, "Try to break it")]),
        (Key::Num4, &[(Role::Button, "Request body"), (Role::Document, "Request body as ")]),
        (Key::Num5, &[(Role::ListItem, "Client: ")]),
        (Key::Num6, &[(Role::ListBox, "Frames of the exchange"), (Role::Document, "Bytes of frame ")]),
    ];
    for (key, content) in panes {
        world.press(Modifiers::COMMAND, key);
        if key == Key::Num4 {
            world.click("Request body");
        }
        let mut stops = walk(&mut world);
        // The way is the same wherever one begins.
        let first = stops.iter().position(|stop| stop.name == "Open…").expect("the toolbar is on the way");
        stops.rotate_left(first);
        let window = [
            (Role::Button, "Open…"),
            (Role::Button, "Menu"),
            (Role::TextInput, "Filter"),
            (Role::Button, "Only "),
            (Role::Slider, "Start of the time shown"),
            (Role::ColumnHeader, ""),
            (Role::Table, "Exchanges"),
            (Role::Splitter, "Height of the panes"),
            (Role::Tab, "Evidence"),
            (Role::Tab, "Frames"),
        ];
        check(&stops, &[&window, content].concat());
        let heads = stops.iter().filter(|stop| stop.role == Role::ColumnHeader).count();
        assert_eq!(heads, 1, "the head of the table is one stop");
        assert!(stops.len() < 70, "{} stops", stops.len());
    }
    // Back is the same way.
    let from = name(&world);
    for _ in 0..4 {
        world.press(Modifiers::NONE, Key::Tab);
    }
    assert_ne!(name(&world), from);
    for _ in 0..4 {
        world.press(Modifiers::SHIFT, Key::Tab);
    }
    assert_eq!(name(&world), from);
}

#[test]
fn the_tab_key_goes_through_the_findings() {
    let mut world = Sample::new();
    world.press(Modifiers::NONE, Key::F3);
    let stops = walk(&mut world);
    check(&stops, &[(Role::TextInput, "Filter"), (Role::Button, "Site ")]);
    assert!(stops.iter().any(|stop| stop.name.contains(" received")), "{stops:#?}");
}

/// What lies over the window keeps the keyboard until it is closed.
#[test]
fn the_tab_key_goes_through_dialogs_and_stays_in_them() {
    let mut world = Sample::new();
    // What is said there is text.
    world.capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/http-keep-alive.pcap");
    world.open();
    let dialogs = [
        (Modifiers::COMMAND, Key::Comma, (Role::Button, "Cancel")),
        (Modifiers::COMMAND | Modifiers::SHIFT, Key::E, (Role::Button, "Cancel")),
        (Modifiers::COMMAND | Modifiers::ALT | Modifiers::SHIFT, Key::T, (Role::Button, "Client only")),
    ];
    for (modifiers, key, want) in dialogs {
        world.press(modifiers, key);
        let stops = walk(&mut world);
        check(&stops, &[want]);
        assert!(!stops.iter().any(|stop| stop.name == "Open…"), "{stops:#?}");
        world.press(Modifiers::NONE, Key::Escape);
        world.press(Modifiers::NONE, Key::Escape);
    }
}

#[test]
fn the_tab_key_goes_through_the_start_screen() {
    let saved = Saved { recent: vec!["/captures/one.pcap".into()], ..Saved::default() };
    let (_fake, machine) = ui_world::machine(ui_world::devices, Vec::new());
    let mut world = World::with(saved, Some(machine));
    world.settle();
    let stops = walk(&mut world);
    let want = [
        (Role::Button, "Preferences…"),
        (Role::Button, "Open a capture…"),
        (Role::Button, "Open by path…"),
        (Role::Button, "Open one.pcap"),
        (Role::Button, "Capture on eth0"),
    ];
    check(&stops, &want);
}

/// As in Wireshark, wherever the keyboard is.
#[test]
fn one_goes_from_row_to_row_out_of_the_filter_box() {
    let mut world = World::with_rounds(2);
    world.press(Modifiers::NONE, Key::Home);
    let selected = |world: &World| world.harness.state().state.selected;
    let first = selected(&world);
    world.press(Modifiers::COMMAND, Key::F);
    world.press(Modifiers::NONE, Key::F8);
    world.press(Modifiers::NONE, Key::F8);
    let third = selected(&world);
    assert!(first.is_some() && third != first);
    world.press(Modifiers::NONE, Key::F7);
    world.press(Modifiers::NONE, Key::F7);
    assert_eq!(selected(&world), first);
}

#[test]
fn the_head_of_the_table_is_used_by_keys() {
    let mut world = World::with_rounds(2);
    world.harness.get_by_role_and_label(Role::ColumnHeader, "Frame").focus();
    world.settle();
    for _ in 0..3 {
        world.press(Modifiers::NONE, Key::ArrowRight);
    }
    assert_eq!(name(&world), "Host");
    let by = |key, descending| SortBy { key, descending };
    let sort = |world: &World| world.harness.state().state.choice.sort.clone();
    world.press(Modifiers::NONE, Key::Enter);
    assert_eq!(sort(&world), [by(SortKey::Host, false)]);
    world.press(Modifiers::NONE, Key::Space);
    assert_eq!(sort(&world), [by(SortKey::Host, true)]);
    world.press(Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(name(&world), "Method");
    world.press(Modifiers::SHIFT, Key::Enter);
    assert_eq!(sort(&world), [by(SortKey::Host, true), by(SortKey::Method, false)]);

    // Its menu: a column that moves keeps the keyboard, one that goes leaves it to its neighbour.
    let choose = |world: &mut World, item: &str| {
        world.press(Modifiers::SHIFT, Key::F10);
        assert_eq!(name(world), "Sort by this", "the first item has the keyboard");
        while name(world) != item {
            let before = name(world);
            world.press(Modifiers::NONE, Key::ArrowDown);
            assert!(name(world) != before && name(world) != "Sort by this", "{item} is there");
        }
        world.press(Modifiers::NONE, Key::Enter);
    };
    choose(&mut world, "Move right");
    assert_eq!(name(&world), "Method");
    world.press(Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(name(&world), "Host");
    world.press(Modifiers::NONE, Key::ArrowRight);
    choose(&mut world, "Hide column");
    assert!(world.harness.state().state.saved.hidden.contains(&Column::Method));
    assert_eq!(stop(&world).map(|stop| stop.role), Some(Role::ColumnHeader));
    world.press(Modifiers::NONE, Key::Home);
    assert_eq!(name(&world), "Frame");
    // Down from there is nothing of the head's; Tab goes on to the rows.
    world.press(Modifiers::NONE, Key::Tab);
    assert_eq!(name(&world), "Exchanges");
}

#[test]
fn a_column_that_is_out_of_view_is_scrolled_to_by_keys() {
    let mut saved = Saved::default();
    saved.widths.extend([(Column::Host, 900.0), (Column::Path, 900.0)]);
    let mut world = World::new(saved);
    world.harness.state_mut().open(nephoscope::engine::Source::File("icloud.pcap".into()));
    world.engine.publish(ui_world::snapshot(1, true));
    world.settle();
    world.harness.get_by_role_and_label(Role::ColumnHeader, "Frame").focus();
    world.settle();
    world.press(Modifiers::NONE, Key::End);
    let last = stop(&world).expect("a head has the keyboard");
    assert_eq!(last.role, Role::ColumnHeader);
    assert!(last.rect.width() > 20.0 && last.rect.right() <= 1_280.0, "{last:?}");
    assert!(world.harness.query_by_role_and_label(Role::ColumnHeader, "Frame").is_none(), "that is scrolled out");
    world.press(Modifiers::NONE, Key::Home);
    assert!(stop(&world).is_some_and(|first| first.name == "Frame" && first.rect.left() >= 0.0));
}

#[test]
fn the_panes_edge_is_moved_by_keys() {
    let mut world = World::with_rounds(1);
    let edge = |world: &World| world.harness.get_by_label("Height of the panes").rect().center().y;
    let before = edge(&world);
    world.harness.get_by_label("Height of the panes").focus();
    world.settle();
    world.press(Modifiers::NONE, Key::ArrowUp);
    world.press(Modifiers::NONE, Key::ArrowUp);
    assert!(edge(&world) < before - 20.0);
    world.press(Modifiers::NONE, Key::ArrowDown);
    world.press(Modifiers::NONE, Key::ArrowDown);
    assert!((edge(&world) - before).abs() < 1.5);
}
