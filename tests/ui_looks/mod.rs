//! How room is shared out, in a small window and in a large one: nothing that can be pressed lies outside, and a large window
//! is used.

use egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable as _;

use super::World;
use super::ui_compose::Sample;

const SMALL: egui::Vec2 = vec2(1_280.0, 800.0);
const LARGE: egui::Vec2 = vec2(2_560.0, 1_440.0);

fn resize(world: &mut World, size: egui::Vec2) {
    world.harness.set_size(size);
    world.settle();
}

#[test]
fn the_whole_menu_is_within_a_small_window() {
    let mut world = World::with_rounds(1);
    resize(&mut world, SMALL);
    world.click("Menu");
    for label in ["Open by path… Ctrl+Shift+O", "Quit Ctrl+Q"] {
        let item = world.harness.get_by_label(label).rect();
        assert!(item.top() >= 0.0 && item.bottom() <= SMALL.y, "{label} at {item:?}");
    }
    assert!(
        world.spoken().iter().any(|label| label == "Preferences… Ctrl+,"),
        "keys are said as they stand on the keyboard"
    );
}

#[test]
fn the_picture_s_tools_stand_in_one_line() {
    let mut sample = Sample::new();
    resize(&mut sample, SMALL);
    sample.press(Modifiers::NONE, Key::F11);
    let at = |label: &str| sample.harness.get_by_label(label).rect().center().y;
    assert!((at("Select") - at("100 %")).abs() < 1.0, "{} and {}", at("Select"), at("100 %"));
    for label in ["Save picture…", "Save bundle…", "Copy"] {
        let button = sample.harness.get_by_label(label).rect();
        assert!(button.right() <= 320.0 && button.bottom() <= SMALL.y, "{label} at {button:?}");
    }
}

#[test]
fn panes_and_card_grow_with_the_window_until_they_are_chosen() {
    let mut sample = Sample::new();
    resize(&mut sample, SMALL);
    let tabs = |sample: &Sample| sample.harness.get_by_label("Alternatives").rect().top();
    let small = SMALL.y - tabs(&sample);
    resize(&mut sample, LARGE);
    let large = LARGE.y - tabs(&sample);
    assert!(large > small * 1.5, "{small} and {large} points of panes");
    // A grip's middle lies on the panes' upper edge.
    let from = egui::pos2(1_200.0, tabs(&sample));
    sample.harness.drag_at(from);
    sample.harness.run_steps(2);
    sample.harness.hover_at(from + vec2(0.0, 200.0));
    sample.harness.run_steps(2);
    sample.harness.drop_at(from + vec2(0.0, 200.0));
    sample.settle();
    let chosen = LARGE.y - tabs(&sample);
    assert!((large - chosen - 200.0).abs() < 12.0, "{large} became {chosen}");
    resize(&mut sample, vec2(2_560.0, 1_300.0));
    let kept = 1_300.0 - tabs(&sample);
    assert!((kept - chosen).abs() < 2.0, "{chosen} was chosen, {kept} is there");
}

#[test]
fn the_card_says_in_words_what_grade_and_witnesses_mean() {
    let sample = Sample::new();
    for words in [
        "independent witnesses agree and nothing necessary is missing",
        "4 agree · 2 cannot be seen",
        "quoted from the capture",
    ] {
        assert!(sample.has(words), "{words}");
    }
}
