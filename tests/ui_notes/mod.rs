//! Marks and comments on rows: made, found, kept beside the capture, and back when it is opened again.

use std::fs;
use std::path::Path;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use nephoscope::case::{Case, Key as CaseKey, case_path};
use nephoscope::engine::{Notice, Source};
use nephoscope::store::Notes;

use super::ui_compose::Sample;
use super::ui_world;

const COMMENT: Modifiers = Modifiers::COMMAND.plus(Modifiers::ALT);

fn marked_rows(world: &Sample) -> usize {
    world.spoken().iter().filter(|label| label.starts_with("marked ")).count()
}

/// The name of the first row that is marked.
fn marked_row(world: &Sample) -> String {
    world.spoken().into_iter().find(|label| label.starts_with("marked ")).expect("one is marked")
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

/// What is done to one of several selected rows is done to all of them.
#[test]
fn several_rows_are_marked_commented_and_copied_together() {
    let mut world = Sample::new();
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::SHIFT, Key::ArrowDown);
    world.press(Modifiers::SHIFT, Key::ArrowDown);
    assert!(world.has("3 selected"), "{:#?}", world.spoken());
    world.press(Modifiers::COMMAND, Key::M);
    assert_eq!(marked_rows(&world), 3);
    comment(&mut world, "the same said");
    let case = world.case().expect("it is kept");
    assert_eq!(case.marks.iter().filter(|mark| mark.marked && mark.comment == "the same said").count(), 3);
    world.press(Modifiers::SHIFT, Key::ArrowUp);
    world.press(Modifiers::COMMAND, Key::M);
    assert_eq!(marked_rows(&world), 1, "the two that are selected are so no more");
    // By the pointer: one more, one less, and all up to one.
    let rows: Vec<egui::Rect> = world.harness.query_all_by_role(Role::Row).map(|row| row.rect()).collect();
    let click = |world: &mut Sample, row: usize, modifiers: Modifiers| {
        world.harness.hover_at(rows[row].center());
        world.harness.run_steps(1);
        for pressed in [true, false] {
            let button = egui::PointerButton::Primary;
            world.harness.event(egui::Event::PointerButton { pos: rows[row].center(), button, pressed, modifiers });
            world.harness.step();
        }
        world.settle();
    };
    let selected = |world: &Sample| {
        let rows = world.harness.query_all_by_role(Role::Row);
        rows.map(|row| row.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)).collect::<Vec<bool>>()
    };
    click(&mut world, 0, Modifiers::NONE);
    click(&mut world, 2, Modifiers::COMMAND);
    assert_eq!(selected(&world)[..4], [true, false, true, false]);
    click(&mut world, 0, Modifiers::COMMAND);
    assert_eq!(selected(&world)[..4], [false, false, true, false]);
    click(&mut world, 4, Modifiers::SHIFT);
    // The last one that was clicked begins the stretch.
    assert_eq!(selected(&world)[..6], [true, true, true, true, true, false]);
    world.press(Modifiers::NONE, Key::Escape);
    assert_eq!(selected(&world).iter().filter(|is| **is).count(), 1, "Escape leaves the last");
    world.press(Modifiers::COMMAND, Key::A);
    let all = world.harness.state().counts().1;
    assert!(world.has(&format!("{all} selected")), "{:#?}", world.spoken());
    world.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::E);
    world.click(&format!("The {all} selected rows"));
    world.press(Modifiers::NONE, Key::Escape);
    // Comments that differ are not written over by who only looks.
    world.press(COMMENT, Key::C);
    assert!(world.has("They have comments that differ"), "{:#?}", world.spoken());
    let before = world.case();
    world.click("Keep");
    assert_eq!(world.case(), before);
    // The menu says what will be done to all of them, not what the row under the pointer says of itself.
    world.harness.get_by_role_and_label(Role::Row, &marked_row(&world)).click_secondary();
    world.settle();
    world.click(&format!("Mark · {all} selected"));
    assert_eq!(world.case().expect("it is kept").marks.iter().filter(|mark| mark.marked).count(), all);
    // What a filter takes away is not selected any more.
    world.harness.state_mut().state.choice.filter = "method:PUT or method:POST".to_owned();
    world.settle();
    let shown = world.harness.state().counts().0;
    assert!(shown > 1 && shown < all);
    world.press(Modifiers::COMMAND, Key::M);
    let marked = world.case().expect("it is kept").marks.iter().filter(|mark| mark.marked).count();
    // The row that the panes show stays selected, whether or not it is in the list.
    assert!([all - shown, all - shown - 1].contains(&marked), "{marked} of {all}, {shown} shown");
    world.harness.state_mut().state.choice.filter.clear();
    world.settle();
    world.press(Modifiers::NONE, Key::Home);
    assert!(!world.has(" selected"), "who goes elsewhere has one row again");
}

/// Actions are marked in a file too, and come back with what else is said of it.
#[test]
fn actions_are_kept_and_come_back() {
    let mut world = Sample::new();
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::NONE, Key::F9);
    world.press(Modifiers::NONE, Key::End);
    world.press(Modifiers::NONE, Key::F9);
    assert!(world.has("Action 2 at "), "{:#?}", world.spoken());
    assert_eq!(world.case().expect("it is kept").actions.len(), 2);
    world.open();
    let all = world.harness.state().counts().1;
    world.click("Action 1");
    let shown = world.harness.state().counts().0;
    assert!(shown > 0 && shown < all, "{shown} of {all}");
    let flag = world.spoken().into_iter().find(|label| label.starts_with("Action 2 at ")).expect("a flag");
    world.harness.get_by_role_and_label(Role::Button, &flag).click_secondary();
    world.settle();
    world.click("Remove this action");
    assert_eq!(world.case().expect("it is kept").actions.len(), 1);
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
    let mut rest = world.harness.state().on_screen().clone().with_notes(Notes::default()).findings();
    assert_eq!(sum(&rest), sum(&before));
    rest.retain(|site| !after.iter().any(|other| other.site == site.site && other.total == site.total));
    assert_eq!(rest.len(), 1, "one site counts less");
    world.press(Modifiers::NONE, Key::F3);
    assert!(world.has("1 ignored, not counted here"), "{:#?}", world.spoken());
}

/// The sample's folder with another capture in it, which may be written beside.
fn with_capture(name: &str) -> Sample {
    let mut world = Sample::new();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name);
    fs::copy(capture, &world.capture).expect("the capture is there");
    world.open();
    // The second connection has more exchanges than one.
    world.press(Modifiers::NONE, Key::Home);
    world.press(Modifiers::NONE, Key::ArrowDown);
    world
}

/// The rows that say that their conversation has this colour.
fn coloured(world: &Sample, number: u8) -> usize {
    let words = format!("conversation {number} ");
    let rows = world.harness.query_all_by_role(Role::Row);
    rows.filter(|row| row.accesskit_node().label().is_some_and(|label| label.starts_with(&words))).count()
}

#[test]
fn a_conversation_gets_a_colour_that_comes_back() {
    let mut world = with_capture("http-two-at-once.pcap");
    let all = world.harness.state().counts().1;
    world.press(COMMENT, Key::Num3);
    let rows = coloured(&world, 3);
    assert!(rows > 1 && rows < all, "all rows of one connection, {rows} of {all}: {:#?}", world.spoken());
    assert!(!world.has("Unmark"), "nothing is said of the row itself");
    for (filter, kept) in [
        ("conversation:3", rows),
        ("conversation:yes", rows),
        ("conversation:no", all - rows),
        ("conversation>=2", rows),
        ("conversation:4", 0),
    ] {
        world.harness.state_mut().state.choice.filter = filter.to_owned();
        world.settle();
        assert_eq!(world.harness.state().counts().0, kept, "{filter}");
    }
    world.harness.state_mut().state.choice.filter.clear();
    let case = world.case().expect("it is kept at once");
    assert_eq!(case.marks.iter().map(|mark| mark.conversation).collect::<Vec<_>>(), [Some(3)], "one row stands for it");

    world.open();
    assert_eq!(coloured(&world, 3), rows, "it comes back with the capture");
    // Another row of it takes the colour over.
    let end = |world: &mut Sample| {
        world.harness.state_mut().state.choice.filter = "conversation:yes".to_owned();
        world.settle();
        world.press(Modifiers::NONE, Key::End);
    };
    end(&mut world);
    world.press(COMMENT, Key::Num0);
    world.harness.state_mut().state.choice.filter.clear();
    world.settle();
    assert_eq!((coloured(&world, 3), coloured(&world, 10)), (0, rows));
    assert_eq!(world.case().expect("it is there").marks.len(), 1);
    world.press(Modifiers::COMMAND, Key::Space);
    assert!(world.has("1 conversation has no colour any more"), "{:#?}", world.spoken());
    assert_eq!((coloured(&world, 10), world.case().expect("it is there").marks.len()), (0, 0));
}

#[test]
fn the_menu_of_a_row_gives_its_conversation_a_colour() {
    let mut world = with_capture("http-two-at-once.pcap");
    let pick = |world: &mut Sample, item: &str| {
        world.press(Modifiers::SHIFT, Key::F10);
        world.click("Colour this conversation");
        world.click(item);
    };
    pick(&mut world, "5 teal");
    let rows = coloured(&world, 5);
    assert!(rows > 1, "{:#?}", world.spoken());
    // A mark of the row that stands for the conversation is one more thing that is said of it.
    world.press(Modifiers::COMMAND, Key::M);
    assert!(world.spoken().iter().any(|label| label.starts_with("marked conversation 5 ")), "{:#?}", world.spoken());
    pick(&mut world, "None");
    assert_eq!((coloured(&world, 5), marked_rows(&world)), (0, 1));
    world.press(Modifiers::COMMAND, Key::P);
    world.harness.get_by_role_and_label(Role::TextInput, "What to do").type_text("colour 7 lime");
    world.settle();
    world.press(Modifiers::NONE, Key::Enter);
    assert_eq!(coloured(&world, 7), rows - 1, "and one that is marked too");
}
