//! The list's columns, orders and times, as a user handles them.

use std::net::IpAddr;

use egui::{Key, Modifiers, PointerButton, Pos2, Role, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use jiff::tz::TimeZone;
use nephoscope::case::TimeFormat;
use nephoscope::engine::Source;
use nephoscope::model::{Budget, Detail, Exchange, Side};
use nephoscope::store::HeaderName;
use nephoscope::store::query::{SortBy, SortKey};
use nephoscope::ui::{Arrangement, Column, Desk, Saved};

use super::{World, ui_world, window};

/// A window with wide columns only where asked for, and two rounds of exchanges.
fn world() -> World {
    World::with_rounds(2)
}

/// The titles from left to right.
fn titles(world: &World) -> Vec<String> {
    let mut heads: Vec<(f32, String)> = world
        .harness
        .query_all_by_role(Role::ColumnHeader)
        .map(|head| (head.rect().left(), head.accesskit_node().label().unwrap_or_default()))
        .collect();
    heads.sort_by(|a, b| a.0.total_cmp(&b.0));
    heads.into_iter().map(|(_, title)| title).collect()
}

fn place(world: &World, title: &str) -> usize {
    titles(world).iter().position(|other| other == title).expect("the column is shown")
}

fn head(world: &World, title: &str) -> egui::Rect {
    world.harness.get_by_role_and_label(Role::ColumnHeader, title).rect()
}

/// How a screen reader says that a column is sorted.
fn sorted(world: &World, title: &str) -> String {
    world.harness.get_by_role_and_label(Role::ColumnHeader, title).value().unwrap_or_default()
}

fn click_head(world: &mut World, title: &str, modifiers: Modifiers) {
    world.harness.get_by_role_and_label(Role::ColumnHeader, title).click_modifiers(modifiers);
    world.settle();
}

/// Opens the menu of a column's header and clicks an item.
fn pick(world: &mut World, title: &str, item: &str) {
    world.harness.get_by_role_and_label(Role::ColumnHeader, title).click_secondary();
    world.settle();
    world.click(item);
}

/// What the rows say beside their names: the time as it is shown, then header lines.
fn asides(world: &World) -> Vec<String> {
    world.harness.get_all_by_role(Role::Row).map(|row| row.value().unwrap_or_default()).collect()
}

fn drag(world: &mut World, from: Pos2, to: Pos2) {
    world.harness.hover_at(from);
    world.harness.run_steps(1);
    world.harness.drag_at(from);
    world.harness.run_steps(1);
    // In steps, as a hand moves: one jump would be a click.
    for step in 1..=8_u8 {
        world.harness.hover_at(from + (to - from) * (f32::from(step) / 8.0));
        world.harness.run_steps(1);
    }
    world.harness.drop_at(to);
    world.settle();
}

fn double_click(world: &mut World, at: Pos2) {
    world.harness.hover_at(at);
    world.harness.run_steps(1);
    // Each click within one frame: queued one by one, they would come too late after each other.
    for _ in 0..2 {
        for pressed in [true, false] {
            let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
            let event = egui::Event::PointerButton { pos: at, button, pressed, modifiers };
            world.harness.input_mut().events.push(event);
        }
        world.harness.run_steps(1);
    }
    world.settle();
}

fn by(key: SortKey, descending: bool) -> SortBy {
    SortBy { key, descending }
}

#[test]
fn a_column_is_dragged_elsewhere_and_stays_there() {
    let mut world = world();
    assert!(place(&world, "Host") < place(&world, "Status"));
    let (from, to) = (head(&world, "Status").center(), head(&world, "Host").left_center() + vec2(3.0, 0.0));
    drag(&mut world, from, to);
    assert_eq!(place(&world, "Status") + 1, place(&world, "Host"), "{:?}", titles(&world));
    let order = world.harness.state().state.choice.sort.clone();
    assert_eq!(order, [], "dragging is no click");

    let kept = serde_json::to_string(&world.harness.state().state.saved).expect("it can be kept");
    let mut again = World::new(Saved::read(&kept));
    again.harness.state_mut().open(Source::File("icloud.pcap".into()));
    again.engine.publish(ui_world::snapshot(1, true));
    again.settle();
    assert_eq!(titles(&again), titles(&world));
}

/// The program as it is started the next time, with the same capture.
fn next_run(world: &World) -> World {
    let kept = serde_json::to_string(&world.harness.state().state.saved).expect("it can be kept");
    let mut again = World::new(Saved::read(&kept));
    again.harness.state_mut().open(Source::File("icloud.pcap".into()));
    again.engine.publish(ui_world::snapshot(2, true));
    again.settle();
    again
}

#[test]
fn the_order_is_remembered() {
    let mut world = world();
    click_head(&mut world, "Method", Modifiers::NONE);
    click_head(&mut world, "Size", Modifiers::SHIFT);
    click_head(&mut world, "Size", Modifiers::SHIFT);
    let mut again = next_run(&world);
    assert_eq!(sorted(&again, "Method"), "sorted ascending, key 1");
    assert_eq!(sorted(&again, "Size"), "sorted descending, key 2");
    assert_eq!(again.harness.state().order(), world.harness.state().order());
    click_head(&mut again, "Method", Modifiers::NONE);
    click_head(&mut again, "Method", Modifiers::NONE);
    click_head(&mut again, "Method", Modifiers::NONE);
    let third = next_run(&again);
    assert_eq!(sorted(&third, "Frame"), "sorted ascending", "that it is capture order again is remembered too");
}

#[test]
fn a_kept_order_of_a_column_that_is_gone_breaks_nothing() {
    let kept = r#"{"sort":["-response:x-cache","-Size","Later"]}"#;
    let mut world = World::new(Saved::read(kept));
    world.harness.state_mut().open(Source::File("icloud.pcap".into()));
    world.engine.publish(ui_world::snapshot(2, true));
    world.settle();
    assert_eq!(sorted(&world, "Size"), "sorted descending");
    assert_eq!(world.harness.state().state.choice.sort, [by(SortKey::Size, true)]);
    assert_eq!(world.harness.state().counts(), (16, 16));
}

#[test]
fn a_column_is_moved_by_its_menu() {
    let mut world = world();
    let before = titles(&world);
    pick(&mut world, "Host", "Move left");
    assert_eq!(place(&world, "Host") + 1, place(&world, "Method"));
    pick(&mut world, "Host", "Move right");
    assert_eq!(titles(&world), before);
}

#[test]
fn a_column_is_hidden_and_shown_again() {
    let mut world = world();
    pick(&mut world, "Type", "Hide column");
    assert!(!titles(&world).contains(&"Type".to_owned()), "{:?}", titles(&world));
    world.harness.get_by_role_and_label(Role::ColumnHeader, "Host").click_secondary();
    world.settle();
    world.click("Columns");
    world.harness.get_by_role_and_label(Role::CheckBox, "Type").click();
    world.settle();
    assert!(titles(&world).contains(&"Type".to_owned()), "{:?}", titles(&world));
}

#[test]
fn a_double_click_on_the_border_fits_a_column() {
    let mut world = world();
    let wide = head(&world, "Host").width();
    let border = head(&world, "Host").right_center() + vec2(4.0, 0.0);
    double_click(&mut world, border);
    let fitted = world.harness.state().state.saved.widths[&Column::Host];
    // The longest host of these rows.
    assert!((180.0..300.0).contains(&fitted), "{fitted}");
    assert!((head(&world, "Host").width() - wide).abs() > 1.0, "it was {wide}");
    pick(&mut world, "Size", "Fit to content");
    let size = world.harness.state().state.saved.widths[&Column::Size];
    assert!((36.0..80.0).contains(&size), "{size}");
    assert!(!world.harness.state().state.saved.widths.contains_key(&Column::Path), "others stay as they are");
    // Its border is dragged, and the menu does the same by keyboard.
    let before = head(&world, "Host").width();
    let border = head(&world, "Host").right_center();
    drag(&mut world, border, border + vec2(40.0, 0.0));
    let after = head(&world, "Host").width();
    // A drag begins some points after the press.
    assert!((30.0..=40.0).contains(&(after - before)), "{before} {after}");
    pick(&mut world, "Host", "Narrower");
    assert!((head(&world, "Host").width() - after + 24.0).abs() < 1.0);
    pick(&mut world, "Host", "Wider");
    assert!((head(&world, "Host").width() - after).abs() < 1.0);
}

#[test]
fn shift_sorts_by_a_further_key() {
    let mut world = world();
    click_head(&mut world, "Method", Modifiers::NONE);
    assert_eq!(sorted(&world, "Method"), "sorted ascending");
    click_head(&mut world, "Size", Modifiers::SHIFT);
    assert_eq!(world.harness.state().state.choice.sort, [by(SortKey::Method, false), by(SortKey::Size, false)]);
    assert_eq!(sorted(&world, "Method"), "sorted ascending, key 1");
    assert_eq!(sorted(&world, "Size"), "sorted ascending, key 2");
    click_head(&mut world, "Size", Modifiers::SHIFT);
    assert_eq!(sorted(&world, "Size"), "sorted descending, key 2");
    // DNS, GET, PUT, TLS; the GET requests with the largest answer first, and equal ones in capture order.
    assert_eq!(world.harness.state().order()[..6], [0, 8, 2, 10, 4, 12]);
    click_head(&mut world, "Size", Modifiers::SHIFT);
    assert_eq!(world.harness.state().state.choice.sort, [by(SortKey::Method, false)]);
}

#[test]
fn the_third_click_gives_capture_order_back() {
    let mut world = world();
    let capture_order = world.harness.state().order().to_vec();
    click_head(&mut world, "Size", Modifiers::NONE);
    click_head(&mut world, "Size", Modifiers::NONE);
    assert_eq!(sorted(&world, "Size"), "sorted descending");
    assert_ne!(world.harness.state().order(), capture_order);
    click_head(&mut world, "Size", Modifiers::NONE);
    assert_eq!((world.harness.state().order(), sorted(&world, "Size").as_str()), (&*capture_order, ""));
    assert_eq!(sorted(&world, "Frame"), "sorted ascending");
}

#[test]
fn any_header_line_becomes_a_column_and_sorts() {
    let mut world = world();
    pick(&mut world, "Host", "Header line as column…");
    let field = || (Role::TextInput, "Name of the header line");
    world.harness.get_by_role_and_label(field().0, field().1).focus();
    world.harness.run_steps(2);
    world.harness.get_by_role_and_label(field().0, field().1).type_text("Server");
    world.harness.run_steps(2);
    world.click("Show column");
    assert!(titles(&world).contains(&"server".to_owned()), "{:?}", titles(&world));
    let said = asides(&world);
    assert!(said[2].ends_with("server: AmazonS3"), "{said:?}");
    assert!(!said[3].contains("server:"), "a sealed session has no header lines: {said:?}");

    click_head(&mut world, "server", Modifiers::NONE);
    click_head(&mut world, "server", Modifiers::NONE);
    let first = asides(&world)[0].clone();
    assert!(first.ends_with("server: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"), "{first}");

    pick(&mut world, "server", "Remove column");
    assert!(!titles(&world).contains(&"server".to_owned()));
    assert_eq!(world.harness.state().state.choice.sort, [], "what is gone is not sorted by");
}

#[test]
fn a_name_that_is_none_is_refused() {
    let mut world = world();
    pick(&mut world, "Host", "Header line as column…");
    world.harness.get_by_role_and_label(Role::TextInput, "Name of the header line").focus();
    world.harness.run_steps(2);
    world.harness.get_by_role_and_label(Role::TextInput, "Name of the header line").type_text("x cache");
    world.harness.run_steps(2);
    assert!(world.spoken().iter().any(|label| label.starts_with("A name has no spaces")), "{:?}", world.spoken());
    assert!(world.harness.get_by_label("Show column").accesskit_node().is_disabled());
}

/// A capture of these rounds in a zone two hours before UTC, in summer.
fn in_berlin() -> World {
    let (engine, handle) = ui_world::engine();
    let desk = Desk::new(handle, Budget::default(), Saved::default(), ui_world::asleep()).expect("threads start");
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
    let mut world = World { engine, harness: window(desk.in_zone(zone)) };
    world.harness.state_mut().open(Source::File("icloud.pcap".into()));
    world.engine.publish(ui_world::snapshot(2, true));
    world.settle();
    world
}

fn times(world: &mut World, item: &str) {
    world.click("Menu");
    world.click("Times");
    world.click(item);
}

#[test]
fn times_are_said_as_chosen() {
    let mut world = in_berlin();
    assert!(titles(&world).contains(&"Time (UTC)".to_owned()), "{:?}", titles(&world));
    assert_eq!(asides(&world)[1], "18:02:11.111");
    times(&mut world, "Date and time (UTC)");
    assert!(titles(&world).contains(&"Date and time (UTC)".to_owned()), "{:?}", titles(&world));
    assert_eq!(asides(&world)[1], "2011-06-13 18:02:11.111");
    times(&mut world, "Date and local time");
    assert!(titles(&world).contains(&"Time (CEST)".to_owned()), "the zone is named: {:?}", titles(&world));
    assert_eq!(asides(&world)[1], "2011-06-13 20:02:11.111");
    times(&mut world, "Microseconds");
    assert_eq!(asides(&world)[1], "2011-06-13 20:02:11.111000");
    times(&mut world, "Seconds since start or reference");
    assert_eq!(asides(&world)[2], "0.222000");
    times(&mut world, "Seconds since the row above");
    assert_eq!(asides(&world)[2], "0.111000");
    click_head(&mut world, "Frame", Modifiers::NONE);
    assert_eq!(asides(&world)[2], "-0.111000", "the row above is the one shown above");
    assert_eq!(world.harness.state().state.preferences.time, TimeFormat::SincePrevious);
}

#[test]
fn times_count_from_a_reference() {
    let mut world = world();
    world.harness.get_all_by_role(Role::Row).nth(2).expect("a third row").click();
    world.settle();
    world.press(Modifiers::COMMAND, Key::T);
    let said = asides(&world);
    assert_eq!(said[..4], ["0.000", "0.111", "*REF*", "0.111"]);
    assert!(titles(&world).contains(&"Seconds since reference".to_owned()), "{:?}", titles(&world));
    assert!(world.spoken().iter().any(|label| label.starts_with("Times count from the reference now")));
    assert!(!world.spoken().iter().any(|label| label.starts_with("marked ")), "a reference is no mark");
    world.press(Modifiers::COMMAND, Key::T);
    assert_eq!(asides(&world)[..4], ["0.000", "0.111", "0.222", "0.333"]);
}

const SWITCH: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// How deep, open or not (`None` for exchanges), and what it is called.
type Item = (usize, Option<bool>, String);

/// The lines of the tree from top to bottom.
fn lines(world: &World) -> Vec<Item> {
    let mut lines: Vec<(f32, Item)> = world
        .harness
        .query_all_by_role(Role::TreeItem)
        .map(|item| {
            let node = item.accesskit_node();
            let (level, open) = (node.level().unwrap_or_default(), node.data().is_expanded());
            (item.rect().top(), (level, open, node.label().unwrap_or_default()))
        })
        .collect();
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    lines.into_iter().map(|(_, line)| line).collect()
}

fn labels(world: &World) -> Vec<String> {
    lines(world).into_iter().map(|(.., label)| label).collect()
}

#[test]
fn the_tree_groups_by_provider_site_and_host_with_totals() {
    let mut world = world();
    world.press(SWITCH, Key::T);
    let all = lines(&world);
    assert!(all.iter().all(|(level, open, _)| (*level, *open) == (1, Some(false))), "{all:?}");
    // The most bytes first: two answers of four mebibytes.
    let amazon = &all[0].2;
    assert!(amazon.starts_with("Amazon") && amazon.contains("level 1, 2 exchanges, 8.0\u{2009}M"), "{amazon}");
    let exchanges: u32 = all
        .iter()
        .map(|(.., label)| {
            label.split(", ").nth(2).and_then(|n| n.split(' ').next()?.parse::<u32>().ok()).expect("a count")
        })
        .sum();
    assert_eq!(exchanges, 16);
    let amazon = amazon.clone();
    world.click(&amazon);
    let inside = lines(&world);
    assert_eq!((inside[0].1, inside[1].0, inside[1].1), (Some(true), 2, Some(false)), "{inside:?}");
    world.click(&amazon);
    assert_eq!(lines(&world), all);
}

#[test]
fn the_tree_opens_and_closes_by_keyboard() {
    let mut world = world();
    world.press(SWITCH, Key::T);
    let closed = labels(&world);
    let press = |world: &mut World, key| world.press(Modifiers::NONE, key);
    press(&mut world, Key::Home);
    press(&mut world, Key::ArrowRight);
    assert_eq!(labels(&world).len(), closed.len() + 1, "the first provider shows its site");
    press(&mut world, Key::ArrowRight);
    press(&mut world, Key::Enter);
    press(&mut world, Key::ArrowDown);
    press(&mut world, Key::ArrowRight);
    assert_eq!(labels(&world).len(), closed.len() + 4, "site, host and two exchanges: {:?}", lines(&world));
    press(&mut world, Key::ArrowRight);
    let selected = world.harness.state().state.selected.expect("an exchange");
    assert!([2, 10].contains(&selected.0), "the first of Amazon's: {selected:?}");
    press(&mut world, Key::ArrowLeft);
    press(&mut world, Key::ArrowLeft);
    press(&mut world, Key::ArrowLeft);
    press(&mut world, Key::ArrowLeft);
    press(&mut world, Key::ArrowLeft);
    press(&mut world, Key::ArrowLeft);
    assert_eq!(labels(&world), closed, "out to the provider, which is closed");
    assert_eq!(world.harness.state().state.selected, Some(selected), "the panes keep what they show");
}

#[test]
fn switching_keeps_the_selection_and_opens_its_branch() {
    let mut world = world();
    world.harness.get_all_by_role(Role::Row).nth(9).expect("a tenth row").click();
    world.settle();
    let selected = world.harness.state().state.selected.expect("a row");
    world.press(SWITCH, Key::T);
    let open = lines(&world);
    let row = open.iter().position(|(level, open, _)| (*level, *open) == (4, None)).expect("an exchange is in sight");
    assert!(open[..row].iter().filter(|(_, open, _)| *open == Some(true)).count() >= 3, "{open:?}");
    assert!(open.iter().any(|(level, _, label)| *level == 4 && label.starts_with("PUT msbnx000004")), "{open:?}");
    assert_eq!(world.harness.state().state.selected, Some(selected));
    world.press(Modifiers::NONE, Key::ArrowUp);
    world.press(SWITCH, Key::T);
    assert_eq!(world.harness.state().counts(), (16, 16));
    let rows = world.harness.query_all_by_role(Role::Row);
    let labels: Vec<String> = rows.filter_map(|row| row.accesskit_node().label()).collect();
    let uploads = labels.iter().filter(|label| label.starts_with("PUT msbnx000004")).count();
    assert!(labels.len() > 8 && uploads > 0, "the selected row is in sight: {labels:?}");
}

#[test]
fn chips_filter_and_order_apply_to_the_tree() {
    let mut world = world();
    world.click("List");
    world.click("Tree by provider");
    world.click("Tree by provider");
    world.click("By name");
    let names = labels(&world);
    assert!(names.is_sorted(), "{names:?}");
    let chip = world.spoken().into_iter().find(|label| label.starts_with("Only Amazon")).expect("a chip for Amazon");
    world.click(&chip);
    let only = labels(&world);
    assert!(only.len() == 1 && only[0].contains("100.0\u{2009}% of all bytes"), "{only:?}");
    let kept = serde_json::to_string(&world.harness.state().state.saved).expect("it can be kept");
    assert_eq!(Saved::read(&kept).arrangement, Arrangement::Providers, "it is remembered");
    let again = next_run(&world);
    assert_eq!(labels(&again), names, "groups stand by name again");
}

/// Shows a line of responses as a column.
fn show_header(world: &mut World, name: &str) {
    let order = [Column::Host, Column::Header(HeaderName::new(Side::Server, name).expect("a name"))];
    let saved = &mut world.harness.state_mut().state.saved;
    (saved.order, saved.folded) = (order.to_vec(), true);
    world.settle();
}

/// What the cells of the only header column say.
fn cells(world: &World, name: &str) -> Vec<String> {
    let start = format!("{name}: ");
    let cell = |aside: String| aside.split_once(&start).map_or_else(String::new, |(_, value)| value.to_owned());
    asides(world).into_iter().map(cell).collect()
}

#[test]
fn the_filter_of_a_header_cell_keeps_the_rows_that_show_it() {
    let long = |end: &str| format!("X-Test: {}{end}\n", "long ".repeat(80));
    let line = |value: &str| format!("X-Test: {value}\n");
    let heads = [
        line("HIT"),
        line("HIT from cache (a \"quoted\" \\ word) or not"),
        line("HIT"),
        line("-x:y /z/ *"),
        line("*"),
        line("/a.*b/"),
        line("a") + &line("b"),
        line("a, b"),
        line("b"),
        long("one"),
        long("two"),
        line("Tröpfchen \u{202e} ½"),
        String::new(),
    ];
    let mut world = World::new(Saved::default());
    world.harness.state_mut().open(Source::File("heads.pcap".into()));
    world.engine.publish(ui_world::answers(&heads));
    world.settle();
    show_header(&mut world, "x-test");
    let all = cells(&world, "x-test");
    assert_eq!((all.len(), all[6].as_str(), all[12].as_str()), (13, "a, b", ""), "{all:?}");
    for (at, value) in all.iter().enumerate().take(12) {
        let row = world.harness.get_all_by_role(Role::Row).nth(at).expect("the row").rect();
        let place = Pos2::new(head(&world, "x-test").center().x, row.center().y);
        world.harness.hover_at(place);
        world.harness.run_steps(1);
        for pressed in [true, false] {
            let (button, modifiers) = (PointerButton::Secondary, Modifiers::NONE);
            world.harness.input_mut().events.push(egui::Event::PointerButton {
                pos: place,
                button,
                pressed,
                modifiers,
            });
            world.harness.run_steps(1);
        }
        world.settle();
        let only = world.spoken().into_iter().find(|label| label.starts_with("Only resp-header:x-test="));
        world.click(&only.expect("the cell can be asked for"));
        let kept = cells(&world, "x-test");
        let filter = world.harness.state().state.choice.filter.clone();
        // Of several lines each counts: a, b is there twice, and one of these also says b alone.
        let is_it = |other: &&String| *other == value || (value == "b" && at == 8 && *other == "a, b");
        let want: Vec<&String> = all.iter().filter(is_it).collect();
        if value == "b" {
            assert!(kept.contains(value) && kept.len() == 2, "{filter}: {kept:?}");
        } else {
            assert_eq!(kept.iter().collect::<Vec<_>>(), want, "{filter}");
        }
        world.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::F);
        assert_eq!(world.harness.state().counts(), (13, 13));
    }
}

/// In a live capture the programs behind connections are known.
#[test]
fn the_tree_by_program_has_totals_and_what_is_not_known() {
    let mut world = World::new(Saved::default());
    world.harness.state_mut().open(Source::File("live.pcapng".into()));
    // Of each round: the upload and the download are one program's, the lookup nobody's, the rest a browser's.
    let program = |exchange: &Exchange| match &exchange.detail {
        Detail::Dns(_) => None,
        _ if [[65, 52, 106, 14], [72, 21, 195, 15]].iter().any(|ip| exchange.server.ip == IpAddr::from(*ip)) => {
            Some("backupd (42)")
        }
        _ => Some("firefox (4711)"),
    };
    world.engine.publish(ui_world::with_programs(program));
    world.settle();
    world.click("List");
    world.click("Tree by program");
    let all = labels(&world);
    assert_eq!(all.len(), 3, "{all:?}");
    let size = "8.0\u{2009}M";
    assert!(all[0].starts_with("backupd (42)") && all[0].contains(&format!("level 1, 4 exchanges, {size}")), "{all:?}");
    assert!(all[1].starts_with("firefox (4711)") && all[1].contains("level 1, 10 exchanges"), "{all:?}");
    assert!(all[2].starts_with("Unknown program") && all[2].contains("level 1, 2 exchanges, 0"), "{all:?}");
    let backup = all[0].clone();
    world.click(&backup);
    let inside = lines(&world);
    assert!(inside[1].0 == 2 && inside[1].2.starts_with("us-std-00001.s3.amazonaws.com"), "{inside:?}");
    assert!(inside[2].0 == 2 && inside[2].2.starts_with("msbnx000004.blob.core.windows.net"), "{inside:?}");
    // What is ignored is counted in no total.
    let amazon = inside[1].2.clone();
    world.click(&amazon);
    let row = labels(&world).into_iter().find(|label| label.starts_with("GET us-std-00001")).expect("an exchange");
    let nth = |world: &World| world.harness.get_all_by_label(&row).next().expect("it is in sight").click();
    nth(&world);
    world.settle();
    world.press(Modifiers::COMMAND, Key::D);
    let totals = labels(&world);
    assert!(
        totals.iter().any(|label| label.starts_with("backupd (42)") && label.contains("3 exchanges, 4.0")),
        "{totals:?}"
    );

    // A file knows no programs: there is no such tree of it.
    world.harness.state_mut().open(Source::File("icloud.pcap".into()));
    world.engine.publish(ui_world::snapshot(1, true));
    world.settle();
    world.click("Tree by program");
    assert!(world.harness.get_by_role_and_label(Role::RadioButton, "Tree by program").accesskit_node().is_disabled());
}
