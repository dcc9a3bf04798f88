//! Time in the window: the waterfall's bars, the ends of the overview, and what the scroll bar shows of all rows.

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use nephoscope::ui::{Column, Saved};

use super::{World, ui_world};

/// What the scroll bar says of the rows.
fn bar(world: &World) -> String {
    let bars = world.harness.query_all_by_role(Role::ScrollBar);
    let mut said = bars.filter_map(|bar| bar.accesskit_node().label());
    said.find(|label| label.contains(" shown")).expect("the list's bar has a name")
}

fn with_waterfall(rounds: u32) -> World {
    let saved = Saved { hidden: vec![Column::Server, Column::Tenant, Column::Process], ..Saved::default() };
    let mut world = World::new(saved);
    world.harness.state_mut().open(nephoscope::engine::Source::File("icloud.pcap".into()));
    world.engine.publish(ui_world::snapshot(rounds, true));
    world.settle();
    world
}

#[test]
fn the_waterfall_is_a_column_that_can_be_shown() {
    let mut world = World::with_rounds(3);
    let shown = |world: &World| world.harness.query_by_role_and_label(Role::ColumnHeader, "Waterfall").is_some();
    assert!(!shown(&world), "it is not there until it is asked for");
    world.harness.get_by_role_and_label(Role::ColumnHeader, "Host").click_secondary();
    world.settle();
    world.click("Columns");
    world.click("Waterfall");
    assert!(shown(&world));
    assert!(!world.harness.state().state.saved.hidden.contains(&Column::Waterfall));
}

#[test]
fn the_axis_is_the_time_of_what_is_shown() {
    let mut world = with_waterfall(3);
    let axis = |world: &World| {
        let said = world.spoken();
        said.into_iter().find(|label| label.starts_with("Time axis: ")).expect("the header has a scale")
    };
    let all = axis(&world);
    assert!(all.contains("from 2011-06-13 18:02:11.000 UTC"), "{all}");
    world.harness.state_mut().state.choice.filter = "host:example.org".to_owned();
    world.settle();
    let some = axis(&world);
    assert_ne!(all, some, "fewer rows, another stretch of time");
    world.harness.state_mut().state.choice.filter.clear();
    world.settle();
    let end = edge(&world, "End of the time shown");
    world.harness.get_by_role_and_label(Role::Slider, &end).focus();
    world.settle();
    world.press(Modifiers::NONE, Key::ArrowLeft);
    assert_ne!(all, axis(&world), "zooming in shortens it");
}

/// The whole name of an end of the stretch that is shown: its time is in it.
fn edge(world: &World, name: &str) -> String {
    world.spoken().into_iter().find(|label| label.starts_with(name)).expect("both ends have names")
}

#[test]
fn the_ends_of_the_time_shown_move_with_the_arrows() {
    let mut world = World::with_rounds(20);
    let (all, _) = world.harness.state().counts();
    let rows = |world: &World| world.harness.state().counts().0;
    let from = edge(&world, "Start of the time shown");
    assert!(from.ends_with("2011-06-13 18:02:11.000 UTC"), "{from}");
    world.harness.get_by_role_and_label(Role::Slider, &from).focus();
    world.settle();
    world.press(Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(world.harness.state().state.choice.range, None, "there is nothing before the first exchange");
    for _ in 0..30 {
        world.press(Modifiers::NONE, Key::ArrowRight);
    }
    let fewer = rows(&world);
    assert!(fewer < all, "{fewer} of {all}");
    let (first, last) = world.harness.state().state.choice.range.expect("a stretch");
    world.press(Modifiers::SHIFT, Key::ArrowRight);
    let (a_little, same_last) = world.harness.state().state.choice.range.expect("a stretch");
    assert!(a_little > first && same_last == last, "the other end stays");
    assert_ne!(edge(&world, "Start of the time shown"), from, "its name says where it stands");

    let to = edge(&world, "End of the time shown");
    world.harness.get_by_role_and_label(Role::Slider, &to).focus();
    world.settle();
    for _ in 0..30 {
        world.press(Modifiers::NONE, Key::ArrowLeft);
    }
    assert!(rows(&world) < fewer);
    world.press(Modifiers::NONE, Key::End);
    let from = edge(&world, "Start of the time shown");
    world.harness.get_by_role_and_label(Role::Slider, &from).focus();
    world.settle();
    world.press(Modifiers::NONE, Key::Home);
    assert_eq!(world.harness.state().state.choice.range, None, "both ends at the ends are all of the time");
    assert_eq!(rows(&world), all);
}

#[test]
fn the_scroll_bar_says_what_stands_where() {
    let mut world = World::with_rounds(40);
    // In each round there are a 503 and a 404.
    assert_eq!(bar(&world), "320 rows shown\n80 with status 400 or above: a triangle at the right");
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::NONE, Key::ArrowDown);
    world.press(Modifiers::COMMAND, Key::M);
    let said = bar(&world);
    assert!(said.contains("1 marked: a square at the left"), "{said}");
    assert!(said.ends_with("Selected: row 2, a line across"), "{said}");
    world.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::H);
    world.harness.state_mut().state.choice.highlight = "method:PUT".to_owned();
    world.settle();
    assert!(bar(&world).contains("40 highlighted: a dash in the middle"), "{}", bar(&world));
    world.harness.state_mut().state.choice.filter = "status>=400".to_owned();
    world.settle();
    assert_eq!(bar(&world), "80 rows shown\n80 with status 400 or above: a triangle at the right");
}
