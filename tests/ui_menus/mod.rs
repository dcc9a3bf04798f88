//! Menus, the palette, the list of keys, and the ways to another exchange, as a user finds them: by role and name.

use std::fs::File;
use std::path::Path;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use nephoscope::capture::{Batch, CaptureReader, Digest, FrameWriter};
use nephoscope::model::{Budget, FrameNo};
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

fn go_to_frame(world: &mut Sample, number: &str) {
    world.press(Modifiers::COMMAND, Key::G);
    world.harness.get_by_role_and_label(Role::TextInput, "Frame number").type_text(number);
    world.settle();
    world.click("Go");
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
    world.harness.state_mut().state.choice.filter = "path:sig= method:GET".to_owned();
    world.settle();
    world.press(Modifiers::NONE, Key::Home);
    let mut copy = |menu: Option<&str>, item: &str| {
        copying(&mut world);
        if let Some(menu) = menu {
            world.click(menu);
        }
        copied(&mut world, item)
    };
    let hidden = copy(Some("Copy request as"), "cURL, secrets hidden");
    assert!(hidden.starts_with("curl ") && hidden.contains("blob.core.windows.net"), "{hidden}");
    assert!(!hidden.contains("SYNTHETIC") && hidden.contains('‹'), "{hidden}");
    let whole = copy(Some("Copy request as"), "cURL with its secrets");
    assert!(whole.contains("sig=SYNTHETIC"), "{whole}");
    let sent = copy(Some("Copy request as"), "What was sent, secrets hidden");
    assert!(sent.starts_with("GET /cnt/") && sent.contains("\r\nHost: ") && !sent.contains("SYNTHETIC"), "{sent}");
    let sent = copy(Some("Copy request as"), "What was sent with its secrets");
    assert!(sent.contains("sig=SYNTHETIC") && sent.ends_with("\r\n\r\n"), "{sent}");
    let url = copy(None, "Copy URL");
    assert!(url.starts_with("http://mssat000017.blob.core.windows.net/cnt/8a/IMG_0042.JPG?"), "{url}");
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
fn what_a_file_says_of_a_frame_is_shown_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("said.pcapng");
    let budget = Budget::default();
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/http-keep-alive.pcap");
    let mut reader = CaptureReader::open(&whole, &budget, Digest::Elsewhere).expect("it opens");
    let mut writer = FrameWriter::new(File::create(&path).expect("a file"), "").expect("it is written");
    let mut batch = Batch::default();
    let mut more = true;
    while more {
        more = reader.next_batch(&mut batch).expect("it is read");
        for frame in &batch.frames {
            let comment = (frame.head.number == FrameNo(5)).then_some("whose machine is this?");
            writer.frame(None, &frame.head, batch.frame(frame), comment).expect("it is written");
        }
    }
    writer.end().expect("it is written");
    let mut world = of(path.to_str().expect("a path"));
    go_to_frame(&mut world, "5");
    assert!(world.has("Comment in the file: whose machine is this?"), "{:#?}", world.spoken());
    go_to_frame(&mut world, "4");
    assert!(!world.has("Comment in the file: whose machine is this?"));
}

#[test]
fn a_frame_is_gone_to_by_its_number() {
    let mut world = of("http-keep-alive.pcap");
    go_to_frame(&mut world, "6");
    assert_eq!(world.harness.state().state.saved.tab, Tab::Frames);
    assert!(world.has("Frame 6"), "{:#?}", world.spoken());
    go_to_frame(&mut world, "999999");
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
    let rows = world.rows();
    let mut copy = |item: &str| {
        copying(&mut world);
        world.click("Copy rows");
        copied(&mut world, item)
    };
    let csv = copy("All shown as CSV");
    assert_eq!(csv.lines().count(), rows + 1, "{csv}");
    assert!(csv.starts_with("n,first_frame,time,method,host,path,status,"), "{csv}");
    assert_eq!(copy("This one as CSV").lines().count(), 2);
    let jsonl = copy("All shown as JSON lines");
    let kinds: Vec<serde_json::Value> = jsonl.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((kinds[0]["kind"].as_str(), kinds.len()), (Some("capture"), rows + 1));
    assert_eq!(copy("This one as JSON lines").lines().count(), 2);
    assert!(world.has("Copied 1 row"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::SHIFT, Key::ArrowDown);
    copying(&mut world);
    world.click("Copy rows");
    assert_eq!(copied(&mut world, "The 2 selected as CSV").lines().count(), 3);
}

#[test]
fn a_header_line_becomes_a_column() {
    let mut world = Sample::new();
    world.harness.get_by_role_and_label(Role::ListItem, "Content-Length: 0").click_secondary();
    world.settle();
    world.click("Show as column");
    assert!(world.harness.query_by_role_and_label(Role::ColumnHeader, "content-length").is_some());
}

/// Clicks an item and gives what it copied.
fn copied(world: &mut Sample, label: &str) -> String {
    world.harness.get_by_role_and_label(Role::Button, label).click();
    let mut text = None;
    let ctx = world.harness.ctx.clone();
    for n in 0..8 {
        if n > 3 {
            // What has to be read comes from a thread.
            world.harness.state_mut().settle(&ctx);
        }
        world.harness.step();
        let commands = &world.harness.output().platform_output.commands;
        text = text.or_else(|| {
            commands.iter().find_map(|command| match command {
                egui::OutputCommand::CopyText(text) => Some(text.clone()),
                _ => None,
            })
        });
    }
    world.settle();
    text.expect("something was copied")
}

/// Opens the menu of something, first by the second button, then by the keyboard; both must offer the same.
fn both_ways(world: &mut Sample, role: Role, label: &str) {
    let items = |world: &Sample| -> Vec<String> {
        let buttons = world.harness.query_all_by_role(Role::Button).filter_map(|node| node.accesskit_node().label());
        buttons.collect()
    };
    let before = items(world);
    world.harness.get_by_role_and_label(role, label).click_secondary();
    world.settle();
    let by_pointer = items(world);
    assert!(by_pointer.len() > before.len(), "{label} has no menu");
    world.press(Modifiers::NONE, Key::Escape);
    assert_eq!(items(world), before, "Escape closes it");
    world.harness.get_by_role_and_label(role, label).focus();
    world.settle();
    assert_eq!(focused(world).as_deref(), Some(label), "it takes the focus");
    world.press(Modifiers::SHIFT, Key::F10);
    assert_eq!(items(world), by_pointer, "{label}");
}

fn filter(world: &Sample) -> &str {
    &world.harness.state().state.choice.filter
}

#[test]
fn a_providers_chip_filters_by_it() {
    let mut world = Sample::new();
    both_ways(&mut world, Role::Button, "Only Microsoft Azure");
    world.click("Not operator=microsoft-azure");
    assert_eq!(filter(&world), "-operator=microsoft-azure");
    world.press(Modifiers::NONE, Key::Escape);
    world.harness.get_by_label("Only No provider").click_secondary();
    world.settle();
    world.click("Only -operator:*");
    assert!(world.rows() > 0, "there are rows without provider");
    world.harness.get_by_label("Only Microsoft Azure").click_secondary();
    world.settle();
    assert_eq!(copied(&mut world, "Copy name"), "Microsoft Azure");
}

#[test]
fn a_body_is_copied_and_followed() {
    let mut world = of("http-keep-alive.pcap");
    world.press(Modifiers::COMMAND, Key::Num4);
    both_ways(&mut world, Role::Document, "Response body as text");
    let hex = copied(&mut world, "Copy as hex stream");
    assert!(!hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hex}");
    let text = world.harness.get_by_role_and_label(Role::Document, "Response body as text").value().unwrap_or_default();
    world.press(Modifiers::SHIFT, Key::F10);
    assert_eq!(copied(&mut world, "Copy text shown").trim_end(), text.trim_end(), "what is read is what is copied");
    world.press(Modifiers::SHIFT, Key::F10);
    world.click("Follow stream…");
    assert!(world.has("As it stands on the wire"), "{:#?}", world.spoken());
}

#[test]
fn frames_are_gone_through_by_keys_and_have_a_menu() {
    let mut world = of("http-keep-alive.pcap");
    world.press(Modifiers::COMMAND, Key::Num6);
    world.harness.get_by_role(Role::ListBox).focus();
    world.settle();
    let chosen = |world: &Sample| -> String {
        let mut frames = world.harness.query_all_by_role(Role::ListBoxOption);
        let on =
            |frame: &egui_kittest::Node<'_>| frame.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True);
        frames.find(on).and_then(|frame| frame.accesskit_node().label()).unwrap_or_default()
    };
    world.press(Modifiers::NONE, Key::Home);
    let first = chosen(&world);
    world.press(Modifiers::NONE, Key::ArrowDown);
    let second = chosen(&world);
    assert!(first.starts_with("Frame ") && second.starts_with("Frame ") && first != second, "{first} {second}");
    world.press(Modifiers::SHIFT, Key::F10);
    let dump = copied(&mut world, "Copy as hex dump");
    assert!(dump.starts_with("00000000  ") && dump.lines().count() > 2, "{dump}");
    let number = second.trim_start_matches("Frame ").to_owned();
    world.press(Modifiers::SHIFT, Key::F10);
    world.click(&format!("Only frame:{number}"));
    assert_eq!(filter(&world), format!("frame:{number}"));
    both_ways(&mut world, Role::Document, &format!("Bytes of frame {number}"));
    assert!(copied(&mut world, "Copy bytes as text").len() > 10);
}

#[test]
fn lines_of_a_head_are_reached_by_keys() {
    let mut world = Sample::new();
    let line = world.harness.query_all_by_role(Role::ListItem).next().expect("a head has lines");
    let start = line.accesskit_node().label().unwrap_or_default();
    line.focus();
    world.settle();
    assert_eq!(focused(&world).as_deref(), Some(&*start));
    world.press(Modifiers::NONE, Key::ArrowDown);
    world.press(Modifiers::NONE, Key::ArrowDown);
    let third = focused(&world).unwrap_or_default();
    assert!(third != start && third.contains(": "), "{third}");
    world.press(Modifiers::SHIFT, Key::F10);
    assert!(third.ends_with(&copied(&mut world, "Copy line")), "{third}");
    assert_eq!(focused(&world), Some(third), "the focus is where it was");
    world.press(Modifiers::NONE, Key::Home);
    assert_eq!(focused(&world), Some(start));
}

#[test]
fn boxes_of_the_path_are_filtered_by() {
    let mut world = Sample::new();
    world.press(Modifiers::COMMAND, Key::Num2);
    let boxes = world.harness.query_all_by_role(Role::Group).filter_map(|node| node.accesskit_node().label());
    let asked = boxes.into_iter().find(|label| label.starts_with("Asked, ")).expect("a lookup went before");
    both_ways(&mut world, Role::Group, &asked);
    let name = copied(&mut world, "Copy value");
    let (name, _type) = name.split_once(' ').expect("a question has a name and a type");
    world.press(Modifiers::SHIFT, Key::F10);
    world.click(&format!("Only host={name}"));
    assert_eq!(filter(&world), format!("host={name}"));
    assert!(world.rows() > 0);
}

#[test]
fn facts_of_a_connection_are_filtered_by() {
    let mut world = of("http-keep-alive.pcap");
    world.press(Modifiers::COMMAND, Key::Num5);
    let facts = world.harness.query_all_by_role(Role::ListItem).filter_map(|node| node.accesskit_node().label());
    let facts: Vec<String> = facts.collect();
    let server = facts.iter().find(|fact| fact.starts_with("Server: ")).expect("there is a server").clone();
    world.harness.get_by_role_and_label(Role::ListItem, &facts[0]).focus();
    world.settle();
    while focused(&world).as_deref() != Some(&server) {
        let before = focused(&world);
        world.press(Modifiers::NONE, Key::ArrowDown);
        assert_ne!(focused(&world), before, "{facts:?}");
    }
    world.press(Modifiers::SHIFT, Key::F10);
    let end = copied(&mut world, "Copy value");
    let address = end.parse::<std::net::SocketAddr>().expect("an address and a port").ip();
    world.press(Modifiers::SHIFT, Key::F10);
    world.click(&format!("And ip:{address}"));
    assert_eq!(filter(&world), format!("ip:{address}"));
}

#[test]
fn findings_are_gone_through_by_keys_and_filtered_by() {
    let mut world = Sample::new();
    world.press(Modifiers::NONE, Key::F3);
    let heads = world.harness.query_all_by_role(Role::Button).filter_map(|node| node.accesskit_node().label());
    let head = heads.into_iter().find(|label| label.contains(" received")).expect("a site with its totals");
    both_ways(&mut world, Role::Button, &head);
    let site = copied(&mut world, "Copy site");
    assert!(head.starts_with(&site));
    world.press(Modifiers::NONE, Key::ArrowDown);
    let line = focused(&world).unwrap_or_default();
    assert!(line.starts_with(&site) && line != head, "{line}");
    world.press(Modifiers::SHIFT, Key::F10);
    assert!(copied(&mut world, "Copy line").contains(" exchanges, "));
    world.press(Modifiers::SHIFT, Key::F10);
    world.click(&format!("Only site={site}"));
    assert_eq!(filter(&world), format!("site={site}"));
    assert!(world.rows() > 0);
}

/// The names of what has this role.
fn all_of(world: &Sample, role: Role) -> Vec<String> {
    world.harness.query_all_by_role(role).filter_map(|node| node.accesskit_node().label()).collect()
}

#[test]
fn a_verdicts_answers_are_filtered_by_and_copied() {
    let mut world = Sample::new();
    let answers = all_of(&world, Role::ListItem);
    let operator = answers.iter().find(|line| line.starts_with("Operator: ")).expect("the sample's first row has one");
    both_ways(&mut world, Role::ListItem, operator);
    let verdict = copied(&mut world, "Copy verdict");
    assert!(verdict.starts_with("Microsoft Azure answered this request: Blob Storage"), "{verdict}");
    world.press(Modifiers::SHIFT, Key::F10);
    assert_eq!(copied(&mut world, "Copy line"), *operator);
    world.press(Modifiers::NONE, Key::ArrowDown);
    let next = focused(&world).expect("the next answer has the focus");
    assert!(next != *operator && answers.contains(&next), "{next}");
    world.harness.get_by_role_and_label(Role::ListItem, operator).click_secondary();
    world.settle();
    let only =
        all_of(&world, Role::Button).into_iter().find(|item| item.starts_with("Only operator=")).expect("an item");
    world.click(&only);
    assert_eq!(format!("Only {}", filter(&world)), only);
    assert!(world.rows() > 0);
}

#[test]
fn alternatives_and_attempts_are_gone_through_by_keys_and_copied() {
    let mut world = Sample::new();
    world.press(Modifiers::COMMAND, Key::Num3);
    let readings = all_of(&world, Role::ListItem);
    assert!(readings.len() > 2, "{readings:?}");
    both_ways(&mut world, Role::ListItem, &readings[0]);
    assert_eq!(copied(&mut world, "Copy line"), readings[0]);
    world.press(Modifiers::NONE, Key::End);
    assert_eq!(focused(&world), readings.last().cloned());
    world.click("Try to break it");
    let attempts: Vec<String> =
        all_of(&world, Role::ListItem).into_iter().filter(|line| !readings.contains(line)).collect();
    both_ways(&mut world, Role::ListItem, attempts.first().expect("there are attempts"));
    assert_eq!(Some(&copied(&mut world, "Copy line")), attempts.first());
}

#[test]
fn a_drag_over_the_overview_keeps_that_time() {
    let mut world = Sample::new();
    let all = world.harness.state().counts().0;
    let strip = world.harness.get_by_label("Exchanges over time").rect();
    let at = |share: f32| strip.left_center() + egui::vec2(strip.width() * share, 0.0);
    world.harness.hover_at(at(0.2));
    world.harness.run_steps(1);
    world.harness.drag_at(at(0.2));
    world.harness.run_steps(1);
    // In steps, as a hand moves: one jump would be a click.
    for step in 1..=8_u8 {
        world.harness.hover_at(at(0.2 + 0.05 * f32::from(step)));
        world.harness.run_steps(1);
    }
    world.harness.drop_at(at(0.6));
    world.settle();
    let (from, to) = world.harness.state().state.choice.range.expect("a stretch of time");
    let shown = world.harness.state().counts().0;
    assert!(from < to && shown > 0 && shown < all, "{shown} of {all}");
    world.press(Modifiers::NONE, Key::Escape);
    assert_eq!(world.harness.state().counts().0, all);
}

#[test]
fn the_overview_is_cut_at_a_time() {
    let mut world = Sample::new();
    let all = world.harness.state().counts().0;
    world.harness.get_by_label("Exchanges over time").click_secondary();
    world.settle();
    world.click("Show from here on");
    let shown = world.harness.state().counts().0;
    assert!(shown < all, "{shown} of {all}");
    world.harness.get_by_label("Exchanges over time").click_secondary();
    world.settle();
    world.click("Show all of the time");
    assert_eq!(world.harness.state().counts().0, all);
}

#[test]
fn what_a_har_file_tells_is_called_an_entry() {
    let mut world = of("har-chrome.har");
    assert!(world.harness.query_by_role_and_label(Role::Tab, "Entry").is_some(), "{:#?}", world.spoken());
    assert!(world.harness.query_by_role_and_label(Role::Tab, "Frames").is_none());
    menu(&mut world);
    world.click("Show entry");
    let shown = world.harness.query_all_by_role(Role::Document).filter_map(|node| node.accesskit_node().label());
    assert!(shown.into_iter().any(|label| label.starts_with("Text of entry ")), "{:#?}", world.spoken());
}
