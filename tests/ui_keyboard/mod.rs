//! From the start screen to an exported picture that verifies, with the real engine and nothing but keys.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crossbeam_channel::Receiver;
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT as _;
use nephoscope::model::Budget;
use nephoscope::ui::{Desk, Saved, View};

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
    window.press(none, Key::F7);
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
