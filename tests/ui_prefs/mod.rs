//! Preferences: chosen in the dialog, put to use at once, kept in a file that people can read, and back at the next start.

use std::fs;
use std::path::Path;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;
use nephoscope::capture::Keep;
use nephoscope::case::{Preferences, ThemeChoice};
use nephoscope::model::Budget;
use nephoscope::ui::{Desk, OlderTheme, Saved};

use super::{World, ui_world, window};

/// A window of a user with this folder.
fn start(folder: &Path, saved: Saved) -> World {
    let path = folder.join("preferences.toml");
    let (engine, handle) = ui_world::engine();
    let found = Preferences::load(&path);
    let desk = Desk::new(handle, Budget::default(), saved, ui_world::asleep()).expect("threads start");
    let mut world = World { engine, harness: window(desk.preferring(found, Some(path))) };
    world.settle();
    world
}

fn file(folder: &Path) -> String {
    fs::read_to_string(folder.join("preferences.toml")).unwrap_or_default()
}

fn type_into(world: &mut World, label: &str, text: &str) {
    world.harness.get_by_role_and_label(Role::TextInput, label).focus();
    world.press(Modifiers::COMMAND, Key::A);
    world.harness.get_by_role_and_label(Role::TextInput, label).type_text(text);
    world.settle();
}

fn says(world: &World, words: &str) -> bool {
    world.spoken().iter().any(|label| label.contains(words))
}

#[test]
fn a_family_that_is_not_installed_is_said_and_stays_chosen() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = start(folder.path(), Saved::default());
    world.press(Modifiers::COMMAND, Key::Comma);
    type_into(&mut world, "Font of bytes", "No Such Family");
    world.click("Save");
    assert!(says(&world, "No font called No Such Family is installed; ours is used"), "{:#?}", world.spoken());
    assert!(file(folder.path()).contains("mono_font = \"No Such Family\""), "another machine may have it");
}

#[test]
fn what_is_chosen_is_used_kept_and_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = start(folder.path(), Saved::default());
    assert_eq!(file(folder.path()), "", "nobody chose anything yet");
    world.press(Modifiers::COMMAND, Key::Comma);
    world.click("Light");
    world.click("Private addresses");
    type_into(&mut world, "Words to hide", "Ada, Lovelace ,");
    type_into(&mut world, "Your signatures", "/srv/rules");
    world.click("Save");
    assert!(!world.harness.ctx.global_style().visuals.dark_mode, "it is light at once");
    let text = file(folder.path());
    for line in
        ["theme = \"light\"", "private_addresses = true", "words = [\"Ada\", \"Lovelace\"]", "folder = \"/srv/rules\""]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.lines().any(|line| line.starts_with("text_percent")), "what nobody chose is not written: {text}");
    let again = start(folder.path(), Saved::default());
    let state = &again.harness.state().state;
    assert_eq!(state.preferences, Preferences::load(&folder.path().join("preferences.toml")).preferences);
    assert!(!again.harness.ctx.global_style().visuals.dark_mode);
}

#[test]
fn text_size_scales_the_window() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("preferences.toml"), "[window]\ntext_percent = 150\n").expect("written");
    let world = start(folder.path(), Saved::default());
    assert!((world.harness.ctx.zoom_factor() - 1.5).abs() < 1e-6);
}

#[test]
fn a_folder_needs_its_whole_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = start(folder.path(), Saved::default());
    world.press(Modifiers::COMMAND, Key::Comma);
    type_into(&mut world, "Live captures", "somewhere");
    assert!(says(&world, "A folder needs its whole path"));
    world.click("Save");
    assert!(world.harness.state().state.dialog.is_some(), "it is still asked");
    world.click("Cancel");
    assert_eq!(file(folder.path()), "");
}

#[test]
fn a_broken_file_is_said_and_set_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("preferences.toml"), "[window\n").expect("written");
    let world = start(folder.path(), Saved::default());
    assert!(
        says(&world, "preferences.toml.broken") || says(&world, "Preferences cannot be read"),
        "{:#?}",
        world.spoken()
    );
    assert_eq!(fs::read_to_string(folder.path().join("preferences.toml.broken")).expect("kept"), "[window\n");
    assert_eq!(world.harness.state().state.preferences, Preferences::default());
}

#[test]
fn the_theme_of_an_older_version_is_taken_over_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let older: Saved = serde_json::from_str("{\"theme\":\"Light\"}").expect("as it was kept");
    assert_eq!(older.theme, Some(OlderTheme::Light));
    let mut world = start(folder.path(), older.clone());
    assert_eq!(world.harness.state().state.preferences.theme, ThemeChoice::Light);
    assert!(file(folder.path()).contains("theme = \"light\""));
    assert!(!serde_json::to_string(&world.harness.state().state.saved).expect("JSON").contains("theme"));
    world.press(Modifiers::COMMAND, Key::Comma);
    world.click("Dark");
    world.click("Save");
    assert_eq!(start(folder.path(), older).harness.state().state.preferences.theme, ThemeChoice::Dark);
}

#[test]
fn a_limit_holds_for_captures_that_would_keep_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("preferences.toml"), "[live]\nlimit_mib = 64\n").expect("written");
    let path = folder.path().join("preferences.toml");
    let (machine, real) = ui_world::machine(ui_world::devices, Vec::new());
    let (engine, handle) = ui_world::engine();
    let desk = Desk::new(handle, Budget::default(), Saved::default(), ui_world::asleep()).expect("threads start");
    let desk = desk.preferring(Preferences::load(&path), Some(path)).on(real);
    let mut world = World { engine, harness: window(desk) };
    world.settle();
    world.press(Modifiers::COMMAND, Key::K);
    world.click("Start");
    let recorder = machine.recorders.try_recv().expect("a capture was started");
    assert_eq!(recorder.wish.keep, Keep::UpTo(64));
}
