//! Marks and comments on rows: made, found, kept beside the capture, and back when it is opened again.

use std::fs;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;
use nephoscope::case::{Case, Key as CaseKey, case_path};
use nephoscope::engine::{Notice, Source};

use super::ui_compose::Sample;
use super::ui_world;

const COMMENT: Modifiers = Modifiers::COMMAND.plus(Modifiers::ALT);

fn marked_rows(world: &Sample) -> usize {
    world.spoken().iter().filter(|label| label.starts_with("marked ")).count()
}

fn comment(world: &mut Sample, words: &str) {
    world.press(COMMENT, Key::C);
    world.harness.get_by_role_and_label(Role::MultilineTextInput, "Comment").focus();
    world.press(Modifiers::COMMAND, Key::A);
    world.press(Modifiers::NONE, Key::Backspace);
    world.harness.get_by_role_and_label(Role::MultilineTextInput, "Comment").type_text(words);
    world.settle();
    world.click("Keep");
}

#[test]
fn marks_and_comments_come_back() {
    let mut world = Sample::new();
    assert!(world.case().is_none(), "nothing was decided yet");
    world.press(Modifiers::COMMAND, Key::M);
    assert_eq!(marked_rows(&world), 1);
    comment(&mut world, "The upload\u{202e}");
    let case = world.case().expect("it is kept at once");
    let [mark] = case.marks.as_slice() else { panic!("one mark, not {:?}", case.marks) };
    assert!(mark.marked);
    assert_eq!(mark.comment, "The upload\u{202e}");

    world.open();
    assert_eq!(marked_rows(&world), 1);
    assert!(world.has("The upload\\u{202e}") || world.has("The upload"), "{:#?}", world.spoken());
    assert!(!world.spoken().iter().any(|label| label.contains('\u{202e}')), "what reorders text is never obeyed");

    world.press(Modifiers::COMMAND, Key::M);
    comment(&mut world, "");
    assert_eq!(world.case().expect("it is there").marks, []);
}

/// A capture that is left while it is read is published once more: its rows are not those of the next.
#[test]
fn a_capture_that_was_left_says_nothing_of_the_next() {
    let mut world = Sample::new();
    world.press(Modifiers::COMMAND, Key::M);
    world.harness.state_mut().open(Source::File("other.pcap".into()));
    let other = world.engine.number();
    let again = Source::File(world.capture.clone());
    world.harness.state_mut().open(again);
    world.engine.publish_of(other, ui_world::snapshot(1, true));
    world.engine.notice_of(other, Notice::Ended);
    world.settle();
    assert!(world.harness.state().reading());
    assert_eq!(world.harness.state().counts(), (0, 0));
    world.publish();
    assert_eq!(marked_rows(&world), 1);
    world.press(Modifiers::NONE, Key::ArrowDown);
    world.press(Modifiers::COMMAND, Key::M);
    assert_eq!(world.case().expect("it is there").marks.len(), 2, "what was kept stays");
}

#[test]
fn the_filter_and_the_keys_find_them() {
    let mut world = Sample::new();
    world.press(Modifiers::COMMAND, Key::M);
    world.harness.key_press(Key::Home);
    world.settle();
    comment(&mut world, "first of all");
    let shift = Modifiers::COMMAND.plus(Modifiers::SHIFT);
    world.press(shift, Key::N);
    let selected = world.harness.state().state.selected;
    world.press(shift, Key::B);
    assert_eq!(world.harness.state().state.selected, selected, "there is one: one comes round to it");
    let all = world.harness.state().counts().1;
    for (filter, rows) in [("marked:yes", 1), ("marked:no", all - 1), ("comment:FIRST", 1), ("comment:second", 0)] {
        world.harness.state_mut().state.choice.filter = filter.to_owned();
        world.settle();
        assert_eq!(world.harness.state().counts().0, rows, "{filter}");
    }
}

#[test]
fn a_case_of_another_capture_stays_as_it_is() {
    let mut world = Sample::new();
    let mut case = Case::new(CaseKey::of_capture(&[1; 32]));
    case.capture_sha256 = "ab".repeat(32);
    case.save(&world.capture).expect("a case");
    let before = fs::read(case_path(&world.capture)).expect("it is there");
    world.open();
    assert!(world.has("made for another capture"), "{:#?}", world.spoken());
    world.press(Modifiers::COMMAND, Key::M);
    assert_eq!(marked_rows(&world), 1);
    assert!(world.has("made for another capture"), "that it is not kept is said");
    assert_eq!(fs::read(case_path(&world.capture)).expect("it is there"), before);
}

/// Ignored rows stay in sight, dimmed; what is counted counts them no more, and that is said.
#[test]
fn ignored_rows_are_counted_nowhere_and_come_back() {
    let mut world = Sample::new();
    let ignored = |world: &Sample| world.spoken().iter().filter(|label| label.starts_with("ignored ")).count();
    let counted =
        |world: &Sample| -> u32 { world.harness.state().on_screen().providers().iter().map(|(_, count)| *count).sum() };
    let (shown, all) = (world.harness.state().counts().1, counted(&world));
    world.press(Modifiers::COMMAND, Key::D);
    assert_eq!(ignored(&world), 1, "{:#?}", world.spoken());
    assert!(world.has("1 ignored"));
    assert_eq!(counted(&world), all - 1);
    assert!(world.case().expect("it is kept at once").marks.iter().any(|mark| mark.ignored && !mark.marked));
    for (filter, rows) in [("ignored:yes", 1), ("ignored:no", shown - 1), ("is:ignored", 1)] {
        world.harness.state_mut().state.choice.filter = filter.to_owned();
        world.settle();
        assert_eq!(world.harness.state().counts().0, rows, "{filter}");
    }
    world.harness.state_mut().state.choice.filter.clear();

    world.open();
    assert_eq!(ignored(&world), 1, "it comes back with the capture");
    world.click("1 ignored");
    world.click("Hide ignored exchanges");
    assert_eq!((ignored(&world), world.harness.state().counts().0), (0, shown - 1));
    world.press(Modifiers::COMMAND.plus(Modifiers::ALT), Key::D);
    assert!(world.has("1 exchange taken back"), "{:#?}", world.spoken());
    assert_eq!((counted(&world), world.harness.state().counts().0), (all, shown));
    assert_eq!(world.case().expect("it is there").marks, []);
}

#[test]
fn findings_and_pictures_say_how_many_are_ignored() {
    let mut world = Sample::new();
    let before = world.harness.state().on_screen().findings();
    world.press(Modifiers::COMMAND, Key::D);
    let after = world.harness.state().on_screen().findings();
    let sum =
        |sites: &[nephoscope::store::SiteFindings]| -> u64 { sites.iter().map(|site| site.total.exchanges).sum() };
    assert_eq!(sum(&after), sum(&before) - 1);
    let mut rest = world.harness.state().on_screen().clone().with_notes(Default::default()).findings();
    assert_eq!(sum(&rest), sum(&before));
    rest.retain(|site| !after.iter().any(|other| other.site == site.site && other.total == site.total));
    assert_eq!(rest.len(), 1, "one site counts less");
    world.press(Modifiers::NONE, Key::F3);
    assert!(world.has("1 ignored, not counted here"), "{:#?}", world.spoken());
}
