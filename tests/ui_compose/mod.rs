//! The picture view over a real capture, as a user finds things: by role and name.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::Command;

use egui::{Key, Modifiers, Pos2, Rect, Role, vec2};
use egui_kittest::kittest::Queryable as _;
use nephoscope::case::{Anchor, Case, Section, Shape};
use nephoscope::engine::{How, Reading, Source};
use nephoscope::model::Budget;
use nephoscope::store::Snapshot;
use nephoscope::ui::{Saved, View};

use super::World;

/// The PUT to Blob storage in the sample, by its number.
const PUT: usize = 14;

/// A desk with the sample open, in a folder of its own.
pub(super) struct Sample {
    world: World,
    folder: tempfile::TempDir,
    pub(super) capture: PathBuf,
}

impl Deref for Sample {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Sample {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

fn read(path: &Path) -> Snapshot {
    read_again(path, 1)
}

/// As the engine publishes it so many times.
fn read_again(path: &Path, times: usize) -> Snapshot {
    let source = Source::File(path.to_owned());
    let mut reading = Reading::open(&source, How::judged(1), &Budget::default()).expect("the sample opens");
    while reading.step().expect("the sample is read") {}
    (1..times).for_each(|_| drop(reading.snapshot()));
    reading.snapshot()
}

impl Sample {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sample/icloud-2011-reconstruction.pcapng");
        let capture = folder.path().join("sample.pcapng");
        fs::copy(sample, &capture).expect("the sample is there");
        let mut world = Self { world: World::new(Saved::default()), folder, capture };
        world.open();
        world
    }

    /// Opens the capture, again where it was open.
    pub(super) fn open(&mut self) {
        let source = Source::File(self.capture.clone());
        self.harness.state_mut().open(source);
        self.publish();
    }

    /// The engine has read the capture to its end.
    pub(super) fn publish(&mut self) {
        self.engine.publish(read(&self.capture));
        self.settle();
        self.harness.key_press(Key::Home);
        for _ in 1..PUT {
            self.harness.key_press(Key::ArrowDown);
        }
        self.settle();
    }

    /// The engine has read more of it, and some seconds went by.
    pub(super) fn grow(&mut self) {
        self.engine.publish(read_again(&self.capture, 2));
        self.settle();
        self.harness.run_steps(12);
        self.settle();
    }

    pub(super) fn has(&self, label: &str) -> bool {
        self.harness.query_all_by_label_contains(label).next().is_some()
    }

    fn compose(&mut self) {
        self.press(Modifiers::NONE, Key::F11);
        assert_eq!(self.harness.state().state.view, View::Picture);
        assert!(self.has("Picture, "), "there is a preview");
    }

    fn canvas(&self) -> Rect {
        self.harness.get_by_label_contains("Picture, ").rect()
    }

    fn drag(&mut self, from: Pos2, to: Pos2) {
        self.harness.hover_at(from);
        self.harness.run();
        self.harness.drag_at(from);
        self.harness.run();
        for share in [0.3, 0.7, 1.0] {
            self.harness.hover_at(from.lerp(to, share));
            self.harness.run();
        }
        self.harness.drop_at(to);
        self.settle();
    }

    /// Saves by our own question, as a desktop without dialogs has it.
    fn save(&mut self, button: &str, name: &str) -> Vec<u8> {
        self.click(button);
        self.harness.state_mut().without_dialog();
        self.settle();
        self.name_file(name)
    }

    /// Answers our own question with a name that is not there yet; gives what was written.
    pub(super) fn name_file(&mut self, name: &str) -> Vec<u8> {
        let path = self.type_name(name);
        assert!(self.has("Saved "), "it says so");
        fs::read(path).expect("it was written")
    }

    /// Answers our own question for a path.
    pub(super) fn type_name(&mut self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let question = "Path of the new file";
        self.harness.get_by_role_and_label(Role::TextInput, question).focus();
        self.press(Modifiers::COMMAND, Key::A);
        self.harness.get_by_role_and_label(Role::TextInput, question).type_text(&path.to_string_lossy());
        self.settle();
        self.click("Save");
        path
    }

    pub(super) fn case(&self) -> Option<Case> {
        Case::load(&self.capture).expect("the case can be read").map(|loaded| loaded.case)
    }
}

#[test]
fn the_window_makes_the_same_bytes_as_the_command_line() {
    let mut world = Sample::new();
    world.compose();
    let png = world.save("Save picture…", "window.png");
    let bundle = world.save("Save bundle…", "window.nephoscope.zip");
    // Whatever is answered, the capture is never written over.
    world.click("Save picture…");
    world.harness.state_mut().without_dialog();
    world.settle();
    let before = fs::read(&world.capture).expect("it is there");
    let question = "Path of the new file";
    world.harness.get_by_role_and_label(Role::TextInput, question).focus();
    world.press(Modifiers::COMMAND, Key::A);
    world.harness.get_by_role_and_label(Role::TextInput, question).type_text(&world.capture.to_string_lossy());
    world.settle();
    world.click("Save");
    world.click("Replace");
    assert!(world.has("this is the capture itself"));
    assert!(fs::read(&world.capture).expect("it is there") == before);
    world.press(Modifiers::NONE, Key::Escape);
    assert!(world.case().is_none(), "a picture that nobody changed leaves no file");
    world.click("List");
    let list = world.save("Save picture…", "list.png");
    for (name, preset, bytes) in
        [("line.png", "evidence", png), ("line.nephoscope.zip", "evidence", bundle), ("rows.png", "list", list)]
    {
        let out = world.folder.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_nephoscope"));
        command.arg("shot").arg(&world.capture).args(["--exchange", "14", "--preset", preset, "--out"]).arg(&out);
        assert!(command.status().expect("it runs").success());
        assert!(fs::read(&out).expect("it was written") == bytes, "{name} differs");
    }
}

#[test]
fn what_is_drawn_by_hand_can_be_undone_and_comes_back_with_the_capture() {
    let mut world = Sample::new();
    world.compose();
    let canvas = world.canvas();
    let from = canvas.min + vec2(60.0, 60.0);
    world.click("Box");
    world.drag(from, from + vec2(200.0, 90.0));
    assert!(world.has("1  Box") && world.has("Delete"));
    world.press(Modifiers::COMMAND, Key::Z);
    assert!(!world.has("1  Box"), "one step takes the whole drag back");
    world.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
    assert!(world.has("1  Box"));
    world.click("Number");
    world.harness.hover_at(from);
    world.harness.drag_at(from);
    world.harness.drop_at(from);
    world.settle();
    assert!(world.has("2  Number 1"));
    world.click("Text");
    let at = canvas.min + vec2(500.0, 300.0);
    world.harness.hover_at(at);
    world.harness.drag_at(at);
    world.harness.drop_at(at);
    world.settle();
    world.harness.get_by_role_and_label(Role::MultilineTextInput, "Words").type_text("Written by hand");
    world.settle();
    world.harness.get_by_role_and_label(Role::TextInput, "Title").focus();
    world.settle();
    world.harness.get_by_role_and_label(Role::TextInput, "Title").type_text("Whose cloud");
    world.settle();
    // Keys that draw are letters where something is typed.
    assert!(world.has("3  Text “Written by hand”"));
    world.open();
    let case = world.case().expect("it was kept");
    let plan = case.plans.first().expect("the picture");
    assert_eq!((plan.title.as_str(), plan.exchanges.len()), ("Whose cloud", 1));
    let [drawn, number, words] = plan.annotations.as_slice() else { panic!("three: {:?}", plan.annotations) };
    assert!(matches!(drawn.shape, Shape::Box(_)) && matches!(number.shape, Shape::Number { number: 1, .. }));
    assert!(matches!(words.anchor, Anchor::Section { exchange: 0, section: Section::Ledger }), "{:?}", words.anchor);
    world.compose();
    assert!(world.has("1  Box") && world.has("3  Text “Written by hand”"));
    world.click("1  Box");
    world.press(Modifiers::SHIFT, Key::ArrowRight);
    world.press(Modifiers::NONE, Key::Delete);
    assert!(!world.has("1  Box") && world.has("1  Number 1"));
    let Sample { world, folder, capture } = world;
    // Closing the window keeps the last change.
    drop(world);
    let case = Case::load(&capture).expect("the case can be read").expect("it was kept").case;
    assert_eq!(case.plans.first().map(|plan| plan.annotations.len()), Some(2));
    drop(folder);
}

#[test]
fn showing_secrets_is_asked_once_and_written_into_the_footer() {
    let mut world = Sample::new();
    world.compose();
    assert!(world.has("value hidden at"));
    world.click("Secrets");
    assert!(world.has("Show secrets in this picture?"));
    world.click("Cancel");
    assert!(world.has("value hidden at"), "nothing changed");
    world.click("Secrets");
    world.click("Show secrets");
    assert!(world.has("Everything is shown as it is."));
    world.click("Secrets");
    assert!(world.has("value hidden at"), "hiding needs no question");
}

#[test]
fn sections_are_ordered_folded_and_added() {
    let mut world = Sample::new();
    world.compose();
    world.click("Move Response up");
    world.click("Remove Evidence");
    world.click("Add section");
    world.click("Serving path");
    assert!(world.has("Remove Serving path") && !world.has("Remove Evidence"));
    world.click("List");
    assert!(world.has("Rows around the chosen") && world.has("Remove List"));
    world.press(Modifiers::COMMAND, Key::Z);
    assert!(world.has("Remove Serving path"), "a preset can be taken back");
    world.press(Modifiers::NONE, Key::F2);
    world.press(Modifiers::NONE, Key::ArrowDown);
    world.press(Modifiers::SHIFT, Key::F11);
    assert!(world.has("Added to the picture: 2 exchanges"));
    world.press(Modifiers::NONE, Key::F11);
    world.click("Remove exchange 1");
    world.click("Remove exchange 1");
    assert!(world.has("None yet") && world.has("press Shift+F11") && !world.has("Picture, "));
    world.press(Modifiers::COMMAND, Key::Z);
    assert!(world.has("Picture, "), "what was taken out comes back with its preview");
    // Another capture while the studio is busy: its answer comes late and is not waited for.
    world.harness.get_by_label("Remove Verdict").click();
    world.harness.step();
    world.harness.step();
    world.open();
    world.compose();
}

#[test]
fn what_a_redaction_covers_can_be_hidden_everywhere() {
    let server = b"Windows-Azure-Blob/1.0";
    let holds = |bytes: &[u8]| bytes.windows(server.len()).any(|part| part == server);
    let parts = |bundle: &[u8]| nephoscope::export::read_bundle(bundle).expect("a bundle");
    let mut world = Sample::new();
    world.compose();
    let before = parts(&world.save("Save bundle…", "before.nephoscope.zip"));
    assert!(holds(&before.claim) && before.excerpt.is_some_and(|bytes| holds(&bytes)));
    let canvas = world.canvas();
    world.click("Redact");
    world.drag(canvas.left_top() + vec2(20.0, 100.0), canvas.right_bottom() - vec2(20.0, 20.0));
    assert!(world.has("Covers the pixels only"));
    world.click("Hide what it covers everywhere");
    assert!(world.has("1  Redaction"), "what is no head line stays covered");
    let after = parts(&world.save("Save bundle…", "after.nephoscope.zip"));
    assert!(!holds(&after.claim) && after.excerpt.is_some_and(|bytes| !holds(&bytes)));
    world.press(Modifiers::COMMAND, Key::Z);
    assert!(world.has("1  Redaction") && !world.has("Show Windows-Azure-Blob/1.0"), "one step takes the words back");
}

/// The plan remembers a filter from when its list had the rows that it keeps; the rows around an exchange are not those.
#[test]
fn a_picture_names_a_filter_only_for_the_rows_that_it_keeps() {
    let mut world = Sample::new();
    world.press(Modifiers::SHIFT, Key::F11);
    world.compose();
    world.click("List");
    world.harness.get_by_role_and_label(Role::TextInput, "Title").focus();
    world.settle();
    world.harness.get_by_role_and_label(Role::TextInput, "Title").type_text("Rows");
    world.settle();
    world.harness.state_mut().open(Source::File("other.pcap".into()));
    world.settle();
    let mut case = world.case().expect("it was kept");
    case.plans.first_mut().expect("the picture").filter = "method:DELETE".to_owned();
    case.save(&world.capture).expect("a case");
    world.open();
    world.compose();
    assert!(world.has("Picture, "));
    let parts = nephoscope::export::read_bundle(&world.save("Save bundle…", "rows.nephoscope.zip")).expect("a bundle");
    let claim = String::from_utf8(parts.claim).expect("text");
    assert!(claim.contains("Rows") && !claim.contains("method:DELETE"), "{claim}");
}
