//! The filter box and the highlight, as a user finds them: by role and name.

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;
use nephoscope::ui::{KeptFilter, View};

use super::ui_compose::Sample;

const SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

fn typed(world: &mut Sample, label: &str, words: &str) {
    world.harness.get_by_role_and_label(Role::TextInput, label).type_text(words);
    world.settle();
}

/// The sample with the cursor in the filter box.
fn at_filter() -> Sample {
    let mut world = Sample::new();
    world.press(Modifiers::COMMAND, Key::F);
    world
}

fn shown(world: &Sample) -> usize {
    world.harness.state().counts().0
}

fn filter(world: &Sample) -> String {
    world.harness.state().state.choice.filter.clone()
}

#[test]
fn what_cannot_be_read_is_said_and_changes_nothing() {
    let mut world = at_filter();
    let all = shown(&world);
    typed(&mut world, "Filter", "method:PUT");
    let puts = shown(&world);
    assert!(puts > 0 && puts < all);
    assert!(world.has("Rows where method is PUT"), "{:#?}", world.spoken());
    typed(&mut world, "Filter", " hots:blob");
    assert_eq!((filter(&world).as_str(), shown(&world)), ("method:PUT hots:blob", puts), "the last good one stays");
    assert!(world.has("There is no key `hots`") && world.has("Did you mean `host`?"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::Escape);
    assert_eq!(shown(&world), all);
}

#[test]
fn keys_and_values_are_offered_and_taken() {
    let mut world = at_filter();
    typed(&mut world, "Filter", "-meth");
    assert!(world.has("method:"), "{:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::Tab);
    assert_eq!(filter(&world), "-method:");
    assert!(world.has("GET"), "{:#?}", world.spoken());
    typed(&mut world, "Filter", "g");
    world.press(Modifiers::NONE, Key::ArrowDown);
    world.press(Modifiers::NONE, Key::Enter);
    assert_eq!(filter(&world), "-method:GET ");
    let (some, all) = world.harness.state().counts();
    assert!(some > 0 && some < all);
    typed(&mut world, "Filter", "operator:az");
    let offer = world.spoken().into_iter().find(|label| label.contains("azure") && label.contains("row"));
    world.click(&offer.expect("the operator with its rows"));
    assert!(
        filter(&world).starts_with("-method:GET operator:") && filter(&world).contains("azure"),
        "{}",
        filter(&world)
    );
}

#[test]
fn what_was_used_comes_back() {
    let mut world = at_filter();
    for words in ["host:blob", "host:s3"] {
        typed(&mut world, "Filter", words);
        world.press(Modifiers::NONE, Key::Enter);
        world.press(SHIFT, Key::F);
        assert_eq!(filter(&world), "");
        world.press(Modifiers::COMMAND, Key::F);
    }
    assert_eq!(world.harness.state().state.saved.filters.history, ["host:s3", "host:blob"]);
    assert!(world.has("host:blob"), "they are listed under the empty box: {:#?}", world.spoken());
    world.press(Modifiers::NONE, Key::ArrowUp);
    assert_eq!(filter(&world), "host:s3");
    world.press(Modifiers::NONE, Key::ArrowUp);
    assert_eq!(filter(&world), "host:blob");
    world.press(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(filter(&world), "host:s3");
    world.press(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(filter(&world), "");
}

#[test]
fn a_filter_is_kept_by_name() {
    let mut world = at_filter();
    typed(&mut world, "Filter", "host:blob method:PUT");
    world.click("Keep this filter");
    typed(&mut world, "Name of the filter", "Uploads");
    world.click("Keep");
    let kept = KeptFilter { name: "Uploads".to_owned(), text: "host:blob method:PUT".to_owned() };
    assert_eq!(world.harness.state().state.saved.filters.kept, [kept]);
    world.press(SHIFT, Key::F);
    world.press(Modifiers::COMMAND, Key::F);
    let entry = world.spoken().into_iter().find(|label| label.starts_with("Uploads")).expect("it is listed");
    world.click(&entry);
    assert_eq!(filter(&world), "host:blob method:PUT");
    world.click("Keep this filter no longer");
    assert!(world.harness.state().state.saved.filters.kept.is_empty());
}

#[test]
fn highlighted_rows_stand_out_and_none_is_hidden() {
    let mut world = Sample::new();
    let all = shown(&world);
    world.press(SHIFT, Key::H);
    typed(&mut world, "Highlight", "method:PUT");
    assert_eq!(shown(&world), all);
    assert!(world.spoken().iter().any(|label| label.ends_with("stands out")), "{:#?}", world.spoken());
    typed(&mut world, "Highlight", " (");
    assert!(world.spoken().iter().any(|label| label.ends_with("stands out")), "the last good one stays");
    world.press(SHIFT, Key::H);
    assert!(!world.spoken().iter().any(|label| label.contains("stand")));
    assert_eq!(world.harness.state().state.choice.highlight, "");
}

#[test]
fn a_cell_can_be_asked_for() {
    let mut world = Sample::new();
    let open = |world: &mut Sample| {
        world.harness.get_all_by_role(Role::Row).nth(2).expect("a third row").click_secondary();
        world.settle();
    };
    let pick = |world: &mut Sample, start: &str| {
        let label = world.spoken().into_iter().find(|l| l.starts_with(start) && l.contains(['=', ':']));
        let label = label.expect("an item of the menu");
        world.click(&label);
    };
    open(&mut world);
    pick(&mut world, "Only ");
    let only = filter(&world);
    assert!(shown(&world) > 0 && !only.is_empty());
    world.press(SHIFT, Key::F);
    let all = shown(&world);
    open(&mut world);
    pick(&mut world, "Not ");
    assert!(filter(&world).starts_with('-') && shown(&world) < all, "{}", filter(&world));
    assert_eq!(world.harness.state().state.view, View::Exchanges);
}
