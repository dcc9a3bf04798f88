//! The window without a display: what is on screen is found by role and name, clicked and typed at.

#![expect(clippy::expect_used, reason = "a test program: what is not there is a failed test")]

mod ui_compare;
#[path = "ui_compose/mod.rs"]
mod ui_compose;
#[path = "ui_conversation/mod.rs"]
mod ui_conversation;
#[path = "ui_export/mod.rs"]
mod ui_export;
mod ui_filter;
mod ui_keyboard;
#[path = "ui_looks/mod.rs"]
mod ui_looks;
#[path = "ui_menus/mod.rs"]
mod ui_menus;
mod ui_messages;
mod ui_notes;
#[path = "ui_prefs/mod.rs"]
mod ui_prefs;
mod ui_table;
mod ui_time;
#[path = "ui_verify/mod.rs"]
mod ui_verify;
#[path = "ui_world/mod.rs"]
mod ui_world;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use nephoscope::capture::{Counters, Keep, Orphan, Recorded};
use nephoscope::case::{Case, ThemeChoice, case_path};
use nephoscope::engine::{Command, Notice, Source};
use nephoscope::model::{Budget, FrameNo, Timestamp};
use nephoscope::store::RowId;
use nephoscope::store::query::{SortBy, SortKey};
use nephoscope::ui::{CaptureChoice, Desk, KeepChoice, Machine, Saved, Tab, View, prepare};
use ui_world::{FakeEngine, FakeMachine, FakeRecorder, opened};

/// A desk with its fake engine.
struct World {
    engine: FakeEngine,
    harness: Harness<'static, Desk>,
}

impl World {
    fn new(saved: Saved) -> Self {
        Self::with(saved, None)
    }

    fn with(saved: Saved, machine: Option<Machine>) -> Self {
        let (engine, handle) = ui_world::engine();
        let mut desk = Desk::new(handle, Budget::default(), saved, ui_world::asleep()).expect("threads start");
        if let Some(machine) = machine {
            desk = desk.on(machine);
        }
        Self { engine, harness: window(desk) }
    }

    /// With a capture of so many rounds of eight exchanges.
    fn with_rounds(rounds: u32) -> Self {
        let mut world = Self::new(Saved::default());
        world.harness.state_mut().open(Source::File("icloud.pcap".into()));
        world.engine.publish(ui_world::snapshot(rounds, true));
        world.settle();
        world
    }

    fn settle(&mut self) {
        settle(&mut self.harness);
    }

    fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.settle();
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    /// Chooses a key log, as a desktop without dialogs asks for it.
    fn decrypt(&mut self, log: &Path) {
        self.press(Modifiers::NONE, Key::F10);
        assert!(self.harness.state().wants_dialog());
        self.harness.state_mut().without_dialog();
        self.harness.run_steps(2);
        self.harness.get_by_role_and_label(Role::TextInput, "Path").focus();
        self.harness.run_steps(2);
        self.harness.get_by_role_and_label(Role::TextInput, "Path").type_text(&log.to_string_lossy());
        self.harness.run_steps(2);
        self.click("Decrypt");
    }

    fn commands(&self) -> Vec<Command> {
        self.engine.commands()
    }

    fn rows(&self) -> usize {
        self.harness.query_all_by_role(Role::Row).count()
    }

    /// Every name that a screen reader would say.
    fn spoken(&self) -> Vec<String> {
        let said = |node: egui_kittest::Node<'_>| {
            let node = node.accesskit_node();
            node.label().into_iter().chain(node.value()).collect::<Vec<_>>()
        };
        self.harness.root().children_recursive().flat_map(said).collect()
    }
}

/// A file let go over the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("never asked for".to_owned())
    }
}

#[test]
fn the_start_screen_opens_captures() {
    let recent = PathBuf::from("/captures/one.pcap");
    let mut world = World::new(Saved { recent: vec![recent.clone()], ..Saved::default() });
    world.settle();
    world.click("Open a capture…");
    assert!(world.harness.state().wants_dialog());
    world.click("Open one.pcap");
    assert_eq!(world.commands(), [opened(Source::File(recent))]);
}

#[test]
fn a_dropped_file_is_opened_and_remembered() {
    let mut world = World::new(Saved::default());
    world.settle();
    let path = PathBuf::from("/captures/dropped.pcapng");
    world.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
    world.settle();
    assert_eq!(world.commands(), [opened(Source::File(path.clone()))]);
    assert_eq!(world.harness.state().state.saved.recent, [path]);
}

#[test]
fn a_path_can_be_typed() {
    let mut world = World::new(Saved::default());
    world.settle();
    world.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
    world.harness.get_by_role_and_label(Role::TextInput, "Path").focus();
    world.harness.run_steps(2);
    world.harness.get_by_role_and_label(Role::TextInput, "Path").type_text("/captures/two.pcap");
    world.harness.run_steps(2);
    world.harness.get_by_role_and_label(Role::Button, "Open").click();
    world.settle();
    assert_eq!(world.commands(), [opened(Source::File("/captures/two.pcap".into()))]);
}

#[test]
fn a_key_log_that_is_dropped_is_used_and_the_capture_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("keys.log");
    std::fs::write(&log, format!("CLIENT_RANDOM {} {}\n", "01".repeat(32), "02".repeat(48))).unwrap();
    let mut world = World::new(Saved::default());
    world.settle();
    let path = PathBuf::from("/captures/one.pcapng");
    world.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
    world.settle();
    world.harness.input_mut().dropped_files.push(Arc::new(Dropped(log.clone())));
    world.settle();
    let open = opened(Source::File(path.clone()));
    assert_eq!(world.commands(), [open.clone(), Command::KeyLog(Some(log)), open]);
    assert_eq!(world.harness.state().state.saved.recent, [path], "a key log is no recent capture");
}

#[test]
fn a_key_log_is_chosen_from_the_menu_and_left_again() {
    let folder = tempfile::tempdir().unwrap();
    // Empty as yet: it is filled while its program runs.
    let log = folder.path().join("keys.log");
    std::fs::write(&log, "").unwrap();
    let mut world = World::new(Saved::default());
    world.settle();
    world.decrypt(&log);
    assert_eq!(world.commands(), [Command::KeyLog(Some(log))]);
    world.press(Modifiers::NONE, Key::F10);
    world.harness.state_mut().without_dialog();
    world.harness.run_steps(2);
    world.click("No key log");
    assert_eq!(world.commands(), [Command::KeyLog(None)]);
}

#[test]
fn a_key_log_that_cannot_be_read_changes_nothing() {
    let mut world = World::with_rounds(1);
    world.commands();
    for path in ["/nowhere/keys.log", env!("CARGO_MANIFEST_DIR")] {
        world.decrypt(Path::new(path));
        let said = world.spoken().into_iter().find(|label| label.starts_with("Cannot read the key log")).unwrap();
        assert!(said.contains(path), "{said}");
        assert_eq!(world.commands(), []);
        assert_eq!(world.harness.state().counts(), (8, 8));
    }
}

/// The engine may find out only when it opens the capture.
#[test]
fn a_key_log_that_the_engine_let_go_of_is_not_offered_to_be_left() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("keys.log");
    std::fs::write(&log, "").unwrap();
    let mut world = World::with_rounds(1);
    world.decrypt(&log);
    world.engine.notice(Notice::NoKeys { why: "there is no such file".to_owned() });
    world.settle();
    assert!(world.spoken().iter().any(|label| label.contains("Could not use the key log: there is no such file")));
    assert!(world.harness.state().reading(), "it is read without");
    world.press(Modifiers::NONE, Key::F10);
    world.harness.state_mut().without_dialog();
    world.settle();
    assert!(!world.spoken().contains(&"No key log".to_owned()));
}

#[test]
fn rows_that_were_forgotten_are_not_counted_as_shown() {
    let mut world = World::new(Saved::default());
    world.harness.state_mut().open(Source::File("icloud.pcap".into()));
    world.engine.publish(ui_world::forgetful());
    world.settle();
    let (shown, all) = world.harness.state().counts();
    assert_eq!(shown, all);
    assert!((8..2_000).contains(&all), "{all}");
}

#[test]
fn rows_are_selected_by_mouse_and_keyboard() {
    let mut world = World::with_rounds(1);
    assert_eq!(world.rows(), 8);
    world.harness.get_all_by_role(Role::Row).nth(1).expect("a second row").click();
    world.settle();
    let second = world.harness.state().order()[1];
    assert_eq!(world.harness.state().state.selected, Some(RowId(second)));
    world.press(Modifiers::NONE, Key::ArrowDown);
    let third = world.harness.state().order()[2];
    assert_eq!(world.harness.state().state.selected, Some(RowId(third)));
    world.press(Modifiers::NONE, Key::End);
    let last = world.harness.state().order()[7];
    assert_eq!(world.harness.state().state.selected, Some(RowId(last)));
    world.press(Modifiers::NONE, Key::Home);
    assert_eq!(world.harness.state().state.selected, Some(RowId(world.harness.state().order()[0])));
}

#[test]
fn the_panes_show_proof_and_both_heads() {
    let mut world = World::with_rounds(1);
    world.harness.state_mut().state.selected = Some(RowId(1));
    world.settle();
    let spoken = world.spoken();
    let has = |part: &str| spoken.iter().any(|label| label.contains(part));
    assert!(has("Microsoft"), "{spoken:?}");
    assert!(has("PUT /cnt/"), "the request's start line");
    assert!(has("Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"), "the response's Server line");
    assert!(has("Evidence 1 "), "the ledger");
    let numbered =
        spoken.iter().filter(|l| l.contains("Server: Windows-Azure-Blob")).any(|l| l.starts_with(char::is_numeric));
    assert!(numbered, "the proving line carries its number: {spoken:?}");
    world.press(Modifiers::COMMAND, Key::Num5);
    assert_eq!(world.harness.state().state.saved.tab, Tab::Connection);
    assert!(world.spoken().iter().any(|label| label == "65.52.106.14:80"));
}

#[test]
fn tls_and_dns_rows_have_their_facts() {
    let mut world = World::with_rounds(1);
    world.press(Modifiers::COMMAND, Key::Num5);
    world.harness.state_mut().state.selected = Some(RowId(0));
    world.settle();
    assert!(world.spoken().iter().any(|label| label.contains("blob.ch1prdstr02a.store.core.windows.net")));
    world.harness.state_mut().state.selected = Some(RowId(3));
    world.settle();
    assert!(world.spoken().iter().any(|label| label == "TLS 1.3"));
    assert!(world.spoken().iter().any(|label| label == "p02-content.icloud.com"));
}

#[test]
fn the_filter_box_keeps_what_holds_the_words() {
    let mut world = World::with_rounds(3);
    world.press(Modifiers::COMMAND, Key::F);
    world.harness.get_by_role_and_label(Role::TextInput, "Filter").type_text("AmazonAWS");
    world.harness.run_steps(2);
    let ctx = world.harness.ctx.clone();
    world.harness.state_mut().settle(&ctx);
    assert_eq!(world.harness.state().counts(), (3, 24));
    world.harness.key_press(Key::Escape);
    world.harness.run_steps(2);
    world.harness.state_mut().settle(&ctx);
    assert_eq!(world.harness.state().counts(), (24, 24));
}

#[test]
fn a_chip_shows_only_its_rows() {
    let mut world = World::with_rounds(2);
    let chip = world.spoken().into_iter().find(|label| label.starts_with("Only Amazon")).expect("a chip for Amazon");
    world.click(&chip);
    let (shown, all) = world.harness.state().counts();
    assert!(shown > 0 && shown < all, "{shown} of {all}");
    world.click(&chip);
    assert_eq!(world.harness.state().counts(), (all, all));
}

#[test]
fn a_header_sorts_and_turns_round() {
    let mut world = World::with_rounds(2);
    let capture_order = world.harness.state().order().to_vec();
    world.harness.get_by_role_and_label(Role::ColumnHeader, "Host").click();
    world.settle();
    let by = |descending| vec![SortBy { key: SortKey::Host, descending }];
    assert_eq!(world.harness.state().state.choice.sort, by(false));
    let by_host = world.harness.state().order().to_vec();
    assert_ne!(by_host, capture_order);
    world.harness.get_by_role_and_label(Role::ColumnHeader, "Host").click();
    world.settle();
    assert_eq!(world.harness.state().state.choice.sort, by(true));
    // The hosts are turned round, and each host's rows stay in capture order: its lookups (0, 8) and its uploads (1, 9).
    assert_eq!(world.harness.state().order(), [6, 14, 7, 15, 2, 10, 3, 11, 0, 1, 8, 9, 5, 13, 4, 12]);
}

#[test]
fn rows_come_while_reading_goes_on() {
    let mut world = World::new(Saved::default());
    world.harness.state_mut().open(Source::File("growing.pcap".into()));
    world.engine.publish(ui_world::snapshot(1, false));
    world.harness.run_steps(2);
    let ctx = world.harness.ctx.clone();
    world.harness.state_mut().settle(&ctx);
    world.harness.run_steps(2);
    assert_eq!(world.harness.state().counts(), (8, 8));
    world.click("Stop");
    assert_eq!(world.commands().last(), Some(&Command::Stop));
    world.engine.publish(ui_world::snapshot(2, true));
    world.engine.notice(Notice::Ended);
    world.settle();
    assert_eq!(world.harness.state().counts(), (16, 16));
    assert!(world.harness.query_by_label("Stop").is_none());
}

#[test]
fn what_fails_is_said_where_it_happened_and_goes_away() {
    let mut world = World::new(Saved::default());
    world.harness.state_mut().open(Source::File("no.pcap".into()));
    let why = "no such file: no.pcap".to_owned();
    world.engine.notice(Notice::Failed { doing: "open no.pcap".to_owned(), why });
    world.settle();
    assert!(world.harness.query_by_label("Could not open no.pcap: no such file: no.pcap").is_some());
    assert!(world.harness.query_by_label("Open a capture…").is_some(), "back on the start screen");
    world.click("Dismiss");
    assert!(world.harness.state().state.trouble.is_none());
}

#[test]
fn what_could_not_be_read_is_counted() {
    let world = World::with_rounds(1);
    // Three frames and one cut record; heads over the limit were read in part.
    assert!(world.harness.query_by_label("4 not read, 1 limit reached").is_some(), "{:?}", world.spoken());
}

#[test]
fn only_visible_rows_cost_anything() {
    let mut world = World::with_rounds(2_000);
    assert_eq!(world.harness.state().counts().1, 16_000);
    assert!(world.rows() <= 40, "{}", world.rows());
    world.press(Modifiers::NONE, Key::End);
    assert!(world.rows() <= 40);
    let last = *world.harness.state().order().last().expect("rows");
    assert_eq!(world.harness.state().state.selected, Some(RowId(last)));
}

#[test]
fn nothing_hidden_reaches_the_screen() {
    let mut world = World::with_rounds(1);
    for row in 0..8 {
        world.harness.state_mut().state.selected = Some(RowId(row));
        for key in [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::F3, Key::F2] {
            let plain = matches!(key, Key::F2 | Key::F3);
            world.press(if plain { Modifiers::NONE } else { Modifiers::COMMAND }, key);
            for label in world.spoken() {
                assert!(!label.contains('\u{202e}'), "{label:?}");
            }
        }
    }
    world.harness.state_mut().state.selected = Some(RowId(7));
    world.press(Modifiers::COMMAND, Key::Num1);
    assert!(world.spoken().iter().any(|label| label.contains("⟨U+202E⟩")));
}

#[test]
fn both_themes_and_all_panes_settle() {
    for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
        let mut world = World::new(Saved::default());
        world.harness.state_mut().state.preferences.theme = theme;
        world.settle();
        world.harness.state_mut().open(Source::File("a.pcap".into()));
        world.engine.publish(ui_world::snapshot(1, true));
        world.harness.state_mut().state.selected = Some(RowId(2));
        for key in [Key::Num1, Key::Num2, Key::Num3, Key::B, Key::Num4, Key::Num5, Key::Num6, Key::J, Key::J] {
            world.press(Modifiers::COMMAND, key);
        }
        world.press(Modifiers::NONE, Key::F3);
        world.press(Modifiers::NONE, Key::F2);
        world.press(Modifiers::NONE, Key::F1);
        assert!(world.harness.query_by_label("Keyboard shortcuts").is_some());
        world.press(Modifiers::NONE, Key::Escape);
        assert!(world.harness.query_by_label("Keyboard shortcuts").is_none());
    }
    assert_eq!(FrameNo::default(), FrameNo(0));
}

/// The true engine under the desk, with a capture of our own that was read to its end.
fn read(name: &str) -> Harness<'static, Desk> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name);
    let (woken, wakes) = crossbeam_channel::bounded(1);
    let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        let _full = woken.try_send(());
    });
    let engine_wake = Arc::clone(&wake);
    let handle =
        nephoscope::engine::start(1, Budget::default(), Box::new(move || engine_wake())).expect("threads start");
    let desk = Desk::new(handle, Budget::default(), Saved::default(), wake).expect("threads start");
    let mut harness = window(desk);
    harness.state_mut().open(Source::File(path));
    let ctx = harness.ctx.clone();
    while harness.state().reading() {
        let woken = wakes.recv_timeout(std::time::Duration::from_secs(30));
        assert!(woken.is_ok(), "the engine says nothing");
        harness.state_mut().settle(&ctx);
    }
    settle(&mut harness);
    harness
}

/// A window at the size of a small laptop.
fn window(desk: Desk) -> Harness<'static, Desk> {
    // An answer of a thread may come while it settles: it settles anew then.
    let builder = Harness::builder().with_size([1_280.0, 800.0]).with_max_steps(12);
    builder.with_context_setup(prepare).build_ui_state(
        |ui, desk: &mut Desk| {
            desk.logic(ui.ctx());
            desk.show(ui);
        },
        desk,
    )
}

/// Draws until nothing is under way and nothing moves.
fn settle(harness: &mut Harness<'static, Desk>) {
    let ctx = harness.ctx.clone();
    for _ in 0..3 {
        harness.run();
        harness.state_mut().settle(&ctx);
    }
    harness.run();
}

/// A capture of our own is opened, read, judged, and its body and frames are read again.
#[test]
fn a_capture_is_read_and_looked_into() {
    let mut harness = read("evidence-azure-blob.pcap");
    let (shown, all) = harness.state().counts();
    assert!(shown > 0 && shown == all, "{shown} of {all}");
    harness.key_press(Key::ArrowDown);
    settle(&mut harness);
    for key in [Key::Num4, Key::Num6] {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        settle(&mut harness);
    }
    let frames = harness.query_all_by_role(Role::ListBoxOption).count();
    assert!(frames > 0, "frames of the exchange, read again");
}

#[test]
fn a_jump_leads_to_the_response_that_gave_the_url_and_back() {
    let mut harness = read("evidence-hand-out.pcap");
    harness.key_press(Key::End);
    settle(&mut harness);
    assert_eq!(harness.state().state.selected, Some(RowId(1)));
    assert!(harness.query_by_label_contains("URL handed out by api.example.com in frame").is_some());
    // The giver is filtered out: the jump shows it all the same.
    harness.state_mut().state.choice.filter = "blob".to_owned();
    settle(&mut harness);
    assert_eq!(harness.state().counts(), (1, 2));
    harness.get_by_label("Go to the response that gave this URL").click();
    settle(&mut harness);
    assert_eq!(harness.state().state.selected, Some(RowId(0)));
    assert_eq!(harness.state().counts(), (2, 2));
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
    settle(&mut harness);
    assert_eq!(harness.state().state.selected, Some(RowId(1)));
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::G);
    settle(&mut harness);
    assert_eq!(harness.state().state.selected, Some(RowId(0)));
}

#[test]
fn the_card_says_it_in_a_sentence_and_a_jump_leads_to_the_lookup() {
    let mut world = World::with_rounds(1);
    world.harness.state_mut().state.selected = Some(RowId(1));
    world.settle();
    let spoken = world.spoken();
    let has = |part: &str| spoken.iter().any(|label| label.contains(part));
    assert!(has("Microsoft Azure answered this request: Blob Storage, an object store"), "{spoken:?}");
    assert!(has("for this request, at 2011-06-13"), "the scope of the grade");
    assert!(has("This capture cannot show "), "said before the verdict");
    assert!(has("Name: agrees") && has("Certificate: not observable"), "the strip in the card: {spoken:?}");
    let row = world.harness.query_all_by_role(Role::Row).nth(1).expect("a second row");
    let said = row.accesskit_node().label().unwrap_or_default();
    assert!(said.contains("agree: name, CNAME") && said.contains("not observable: certificate"), "{said}");
    world.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    assert_eq!(world.harness.state().state.selected, Some(RowId(0)));
    world.press(Modifiers::ALT, Key::ArrowLeft);
    assert_eq!(world.harness.state().state.selected, Some(RowId(1)));
}

#[test]
fn what_cannot_be_shown_unfolds() {
    let mut world = World::with_rounds(1);
    world.harness.state_mut().state.selected = Some(RowId(3));
    world.settle();
    assert!(!world.spoken().iter().any(|label| label.contains("sealed by TLS")));
    let fold = world.spoken().into_iter().find(|l| l.starts_with("This capture cannot show")).expect("a fold");
    world.click(&fold);
    assert!(world.spoken().iter().any(|label| label.contains("sealed by TLS")));
}

#[test]
fn the_path_is_drawn_from_name_to_machine() {
    let mut world = World::with_rounds(1);
    world.harness.state_mut().state.selected = Some(RowId(1));
    world.press(Modifiers::COMMAND, Key::Num2);
    assert_eq!(world.harness.state().state.saved.tab, Tab::Path);
    let spoken = world.spoken();
    let has = |part: &str| spoken.iter().any(|label| label.contains(part));
    for part in ["msbnx000004.blob.core.windows.net A", "is an alias of", "TTL 60 s", "has the address", "65.52.106.14"]
    {
        assert!(has(part), "{part}: {spoken:?}");
    }
    assert!(has("Azure Shared Key") && has("Accepted"), "custody: {spoken:?}");
    // A number leads to the ledger's line.
    world.harness.get_all_by_label("Line 3").next().map_or_else(|| panic!("no number: {spoken:?}"), |n| n.click());
    world.settle();
    assert_eq!(world.harness.state().state.saved.tab, Tab::Evidence);
}

#[test]
fn readings_are_judged_and_the_verdict_is_tried() {
    let mut world = World::with_rounds(1);
    world.harness.state_mut().state.selected = Some(RowId(1));
    world.press(Modifiers::COMMAND, Key::Num3);
    let spoken = world.spoken();
    assert!(
        spoken
            .iter()
            .any(|label| label.starts_with("H4 Merely linked: put there earlier by somebody else: ruled out. ")),
        "{spoken:?}"
    );
    assert!(spoken.iter().any(|label| label.contains("This client itself sent the bytes")));
    assert!(!spoken.iter().any(|label| label.contains("attempts tried")));
    world.click("Try to break it");
    let spoken = world.spoken();
    assert!(spoken.iter().any(|label| label.contains("attempts tried") && label.contains("held")), "{spoken:?}");
    assert!(spoken.iter().any(|label| label.contains("Does the asked name point at another operator?")));
    world.click("Close the attempts");
    assert!(!world.spoken().iter().any(|label| label.contains("attempts tried")));
}

#[test]
fn findings_count_site_by_site_and_lead_to_the_list() {
    let mut world = World::with_rounds(2);
    world.press(Modifiers::NONE, Key::F3);
    assert_eq!(world.harness.state().state.view, View::Findings);
    assert_eq!(world.rows(), 0, "the list is away");
    let spoken = world.spoken();
    let site = spoken.iter().find(|label| label.starts_with("Site icloud.com, ")).expect("a site").clone();
    assert!(spoken.iter().any(|label| label.starts_with("icloud.com: 2 exchanges")), "{spoken:?}");
    assert!(spoken.iter().any(|label| label.contains(" of 2 ")), "a sentence: {spoken:?}");
    world.click(&site);
    let state = world.harness.state();
    assert_eq!((state.state.view, state.counts()), (View::Exchanges, (2, 16)));
    assert!(world.spoken().iter().any(|label| label == "Site icloud.com"), "the chip that says so");
    world.click("Site icloud.com");
    assert_eq!(world.harness.state().counts(), (16, 16));
}

#[test]
fn what_was_kept_is_read_again_whatever_it_holds() {
    let saved = Saved { recent: vec!["/a".into()], tab: Tab::Frames, ..Saved::default() };
    let json = serde_json::to_string(&saved).expect("can be written");
    assert_eq!(serde_json::from_str::<Saved>(&json).expect("can be read"), saved);
    assert_eq!(serde_json::from_str::<Saved>("{\"future\":1}").expect("unknown keys pass"), Saved::default());
}

const COMMAND_SHIFT: Modifiers = Modifiers { command: true, ctrl: true, shift: true, alt: false, mac_cmd: false };

/// A desk on a made-up machine.
struct Machined {
    world: World,
    machine: FakeMachine,
}

impl Machined {
    fn new(saved: Saved) -> Self {
        Self::left_behind(saved, Vec::new())
    }

    fn left_behind(saved: Saved, orphans: Vec<Orphan>) -> Self {
        let (machine, real) = ui_world::machine(ui_world::devices, orphans);
        let mut world = World::with(saved, Some(real));
        world.settle();
        Self { world, machine }
    }

    /// Begins on eth0, remembered, with two rounds of exchanges.
    fn capturing() -> (Self, FakeRecorder) {
        let capture = CaptureChoice { device: "eth0".to_owned(), ..CaptureChoice::default() };
        let mut all = Self::new(Saved { capture, ..Saved::default() });
        all.world.press(Modifiers::COMMAND, Key::E);
        let recorder = all.machine.recorders.try_recv().expect("a capture was started");
        recorder.events.send(Recorded::Started).expect("room");
        all.world.settle();
        let source = Source::Live(recorder.spool.clone());
        assert_eq!(all.world.commands(), [opened(source)]);
        all.rows(2);
        (all, recorder)
    }

    fn rows(&mut self, rounds: u32) {
        self.world.engine.publish(ui_world::snapshot(rounds, false));
        self.world.settle();
    }

    fn says(&self, part: &str) -> bool {
        self.world.spoken().iter().any(|label| label.contains(part))
    }
}

#[test]
fn an_interface_is_captured_from_with_one_click() {
    let mut all = Machined::new(Saved::default());
    assert!(all.says("Capture on eth0, Wired · up, 192.168.1.23"), "{:?}", all.world.spoken());
    assert!(!all.says("Capture on eth9"), "what is down is behind a row of its own");
    all.world.click("1 more, down or seldom wanted");
    assert!(all.says("Capture on eth9"));
    all.world.harness.get_by_label_contains("Capture on tun0").click();
    all.world.settle();
    let recorder = all.machine.recorders.try_recv().expect("a capture was started");
    assert_eq!((recorder.wish.device.as_str(), recorder.wish.promiscuous), ("tun0", false));
    assert!(all.says("tun0: Starting…") && all.says("Starting the capture on tun0…"), "{:?}", all.world.spoken());
    assert_eq!(all.world.commands(), [], "nothing is read before frames are written");
    recorder.events.send(Recorded::Started).expect("room");
    all.world.settle();
    assert_eq!(all.world.commands(), [opened(Source::Live(recorder.spool.clone()))]);
    assert!(all.says("tun0: Capturing"));
    all.rows(1);
    assert_eq!(all.world.harness.state().counts(), (8, 8));
    assert_eq!(all.world.harness.state().state.saved.capture.device, "tun0");
    drop(all.machine.folder);
}

#[test]
fn the_keyboard_captures_too() {
    let mut all = Machined::new(Saved::default());
    all.world.press(Modifiers::NONE, Key::ArrowDown);
    all.world.press(Modifiers::NONE, Key::Enter);
    assert_eq!(all.machine.recorders.try_recv().expect("a capture was started").wish.device, "eth0");
}

#[test]
fn without_interfaces_it_is_said_what_to_do() {
    let (_machine, real) = ui_world::machine(|| Ok(Vec::new()), Vec::new());
    let mut world = World::with(Saved::default(), Some(real));
    world.settle();
    assert!(world.harness.query_by_label_contains("No interface was found. Connect to a network").is_some());
    let failed = || Err(nephoscope::capture::DeviceError("permission denied".to_owned()));
    let (_machine, real) = ui_world::machine(failed, Vec::new());
    let mut world = World::with(Saved::default(), Some(real));
    world.settle();
    assert!(world.harness.query_by_label_contains("Cannot list the interfaces: permission denied").is_some());
}

#[test]
fn options_are_asked_and_remembered() {
    let mut all = Machined::new(Saved::default());
    all.world.press(Modifiers::COMMAND, Key::K);
    all.world.harness.get_by_label_contains("Choose tun0").click();
    all.world.settle();
    let filter = all.world.harness.get_by_role_and_label(Role::TextInput, "Capture filter");
    filter.focus();
    all.world.harness.run_steps(2);
    all.world.harness.get_by_role_and_label(Role::TextInput, "Capture filter").type_text("tcp port 443");
    all.world.harness.run_steps(2);
    all.world.click("The newest");
    all.world.click("Promiscuous: also frames for other machines");
    all.world.click("Start");
    let wish = all.machine.recorders.try_recv().expect("a capture was started").wish;
    assert_eq!((wish.device.as_str(), wish.filter.as_str(), wish.promiscuous), ("tun0", "tcp port 443", true));
    assert_eq!(wish.keep, Keep::Ring { file_mib: 100, files: 10 });
    let saved = &all.world.harness.state().state.saved.capture;
    assert_eq!((saved.keep, saved.filter.as_str()), (KeepChoice::Ring, "tcp port 443"));
    assert!(all.says("Filter tcp port 443 · promiscuous"), "what is left out is said: {:?}", all.world.spoken());
}

#[test]
fn what_cannot_begin_says_how_to_mend_it() {
    let capture = CaptureChoice { device: "eth0".to_owned(), ..CaptureChoice::default() };
    let mut all = Machined::new(Saved { capture, ..Saved::default() });
    all.world.press(Modifiers::COMMAND, Key::E);
    let recorder = all.machine.recorders.try_recv().expect("a capture was started");
    let (why, remedy) = ("no permission".to_owned(), "sudo setcap cap_net_raw+ep /opt/nephoscope".to_owned());
    recorder.events.send(Recorded::Failed { why, remedy: Some(remedy.clone()) }).expect("room");
    drop(recorder.grows);
    all.world.settle();
    assert!(all.says("Could not capture on eth0: no permission") && all.says(&remedy), "{:?}", all.world.spoken());
    assert!(all.says("Open a capture…"), "back on the start screen");
    let wait = std::time::Duration::from_secs(20);
    assert!(all.machine.discarded.recv_timeout(wait).is_ok(), "an empty folder is not left behind");
    all.world.click("Copy command");
    all.world.click("Dismiss");
    assert!(!all.says(&remedy));
}

#[test]
fn a_capture_that_ends_by_itself_says_why_and_stays() {
    let (mut all, mut recorder) = Machined::capturing();
    recorder.events.send(Recorded::Ended(Some("the interface is gone".to_owned()))).expect("room");
    recorder.grows = None;
    all.world.settle();
    assert!(all.says("The capture on eth0 has ended: the interface is gone. What was captured is kept"));
    assert!(all.says("eth0: Ended") && all.says("not saved"));
    assert_eq!(all.world.harness.state().counts(), (16, 16));
}

#[test]
fn an_unsaved_capture_is_asked_for_before_it_goes() {
    let (mut all, mut recorder) = Machined::capturing();
    assert!(all.world.harness.state().title().contains("(not saved)"));
    all.world.press(Modifiers::COMMAND, Key::E);
    assert!(recorder.stopped.try_recv().is_ok());
    assert!(all.says("eth0: Stopping…"));
    recorder.events.send(Recorded::Ended(None)).expect("room");
    recorder.grows = None;
    all.world.settle();
    assert!(all.says("eth0: Stopped"));
    for leave in [Key::W, Key::Q, Key::R] {
        all.world.press(Modifiers::COMMAND, leave);
        assert!(all.says("The capture of eth0 is not saved"), "{leave:?}");
        all.world.click("Cancel");
        assert_eq!(all.world.harness.state().counts(), (16, 16));
    }
    assert!(!all.world.harness.state_mut().may_close(), "the question comes first");
    all.world.harness.run();
    all.world.click("Discard");
    assert!(all.world.harness.state_mut().may_close());
    assert!(all.machine.discarded.try_recv().is_ok());
}

#[test]
fn a_restart_begins_again_on_the_same_interface() {
    let (mut all, recorder) = Machined::capturing();
    all.world.press(Modifiers::COMMAND, Key::R);
    all.world.click("Discard");
    drop(recorder);
    let again = all.machine.recorders.try_recv().expect("a capture was started");
    assert_eq!(again.wish.device, "eth0");
    assert_eq!(all.world.harness.state().counts(), (0, 0));
    let wait = std::time::Duration::from_secs(20);
    assert!(all.machine.discarded.recv_timeout(wait).is_ok());
}

#[test]
fn the_list_can_be_paused_while_the_capture_goes_on() {
    let (mut all, _recorder) = Machined::capturing();
    all.world.press(COMMAND_SHIFT, Key::P);
    all.rows(5);
    assert_eq!(all.world.harness.state().counts(), (16, 16));
    assert!(all.says("list paused, 3 frames since"), "{:?}", all.world.spoken());
    all.world.click("Pause list");
    assert_eq!(all.world.harness.state().counts(), (40, 40));
    assert!(!all.says("list paused"));
}

#[test]
fn the_newest_row_is_followed_until_somebody_reads() {
    let (mut all, _recorder) = Machined::capturing();
    all.rows(40);
    let newest = |all: &Machined| {
        let said = all.world.harness.query_all_by_role(Role::Row).last().map(|row| row.accesskit_node().label());
        said.flatten().unwrap_or_default()
    };
    assert!(newest(&all).contains("www.example.com"), "{}", newest(&all));
    all.world.press(Modifiers::NONE, Key::ArrowUp);
    let selected = all.world.harness.state().state.selected;
    let place = |all: &Machined| {
        let mut rows = all.world.harness.query_all_by_role(Role::Row);
        rows.find(|row| row.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)).map(|row| row.rect())
    };
    let before = place(&all).expect("the selected row is visible");
    all.rows(80);
    assert_eq!((place(&all), all.world.harness.state().state.selected), (Some(before), selected), "nothing moves");
    all.world.press(Modifiers::NONE, Key::End);
    let last = all.world.harness.state().order().last().copied().map(RowId);
    assert_eq!(all.world.harness.state().state.selected, last);
}

#[test]
fn an_action_is_marked_and_shows_what_came_after_it() {
    let (mut all, _recorder) = Machined::capturing();
    all.world.press(Modifiers::NONE, Key::F9);
    assert!(all.says("Action 1 at 18:02:12.0 UTC"), "{:?}", all.world.spoken());
    all.world.click("Action 1");
    let (shown, of) = all.world.harness.state().counts();
    assert_eq!((shown, of), (8, 16), "the second round began after it");
    assert_eq!(all.world.harness.state().state.choice.filter, "action:1");
    all.world.harness.state_mut().state.choice.filter = "amazonaws action:1".to_owned();
    all.world.settle();
    assert_eq!(all.world.harness.state().counts(), (1, 16));
    // A text that cannot be read leaves the rows that were shown, and the action is one more condition on these.
    all.world.harness.state_mut().state.choice.filter = "amazonaws".to_owned();
    all.world.settle();
    all.world.harness.state_mut().state.choice.filter = "amazonaws (".to_owned();
    all.world.settle();
    assert_eq!(all.world.harness.state().counts(), (2, 16));
    all.world.click("Action 1");
    assert_eq!(all.world.harness.state().counts(), (1, 16));
    all.world.harness.state_mut().state.choice.filter = "action:2".to_owned();
    all.world.settle();
    assert_eq!(all.world.harness.state().counts(), (0, 16));
    assert!(all.says("no action 2") && all.says("There is no action 2"), "{:?}", all.world.spoken());
}

#[test]
fn saving_asks_where_and_before_it_replaces() {
    let (mut all, _recorder) = Machined::capturing();
    all.world.press(Modifiers::COMMAND, Key::S);
    assert!(all.world.harness.state().wants_dialog());
    all.world.harness.state_mut().without_dialog();
    all.world.harness.run();
    assert!(all.says("This desktop offers no file dialog"), "{:?}", all.world.spoken());
    let there = all.machine.folder.path().join("there.pcapng");
    std::fs::write(&there, "something").expect("a file that is there");
    let path = || "Path of the new file";
    all.world.harness.get_by_role_and_label(Role::TextInput, path()).focus();
    all.world.harness.run_steps(2);
    all.world.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    all.world.harness.get_by_role_and_label(Role::TextInput, path()).type_text(&there.to_string_lossy());
    all.world.harness.run_steps(2);
    all.world.click("Save");
    assert!(all.says("Replace there.pcapng?"), "{:?}", all.world.spoken());
    all.world.click("Cancel");
    assert_eq!(std::fs::read(&there).expect("still there"), b"something");
}

/// Saving need not be the last that is done with a capture.
#[test]
fn marks_made_after_saving_are_kept_beside_the_file() {
    let (mut all, recorder) = Machined::capturing();
    let frames = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/http-keep-alive.pcap");
    std::fs::create_dir_all(&recorder.spool.folder).expect("a folder");
    std::fs::copy(frames, recorder.spool.folder.join("frames.pcapng")).expect("frames of the capture");
    let saved = all.machine.folder.path().join("saved.pcapng");
    all.world.press(Modifiers::COMMAND, Key::S);
    all.world.harness.state_mut().without_dialog();
    all.world.harness.run();
    let path = || "Path of the new file";
    all.world.harness.get_by_role_and_label(Role::TextInput, path()).focus();
    all.world.harness.run_steps(2);
    all.world.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    all.world.harness.get_by_role_and_label(Role::TextInput, path()).type_text(&saved.to_string_lossy());
    all.world.harness.run_steps(2);
    all.world.click("Save");
    assert!(all.says(&format!("Saved {}", saved.display())), "{:?}", all.world.spoken());
    assert!(!case_path(&saved).exists(), "nothing was said yet");
    for (marks, key) in [(1, Key::Home), (2, Key::End)] {
        all.world.press(Modifiers::NONE, key);
        all.world.press(Modifiers::COMMAND, Key::M);
        let case = Case::load(&saved).expect("a case").expect("it is kept at once").case;
        assert_eq!(case.marks.len(), marks);
        assert!(!all.world.harness.state().unsaved());
    }
    // What cannot be kept is asked about before the capture goes.
    std::fs::remove_file(case_path(&saved)).expect("it is there");
    std::fs::create_dir(case_path(&saved)).expect("something in its place");
    all.world.press(Modifiers::COMMAND, Key::M);
    assert!(all.world.harness.state().unsaved());
}

/// With other keys the capture is read again; what was said and chosen is about the same exchanges.
#[test]
fn marks_and_pictures_stay_when_a_live_capture_is_read_again() {
    let (mut all, _recorder) = Machined::capturing();
    all.world.press(Modifiers::NONE, Key::Home);
    all.world.press(Modifiers::COMMAND, Key::M);
    all.world.press(Modifiers::SHIFT, Key::F11);
    let marked = |all: &Machined| all.world.spoken().iter().filter(|label| label.starts_with("marked ")).count();
    assert_eq!(marked(&all), 1);
    let log = all.machine.folder.path().join("keys.log");
    std::fs::write(&log, "").expect("a key log");
    all.world.decrypt(&log);
    assert_eq!(all.world.harness.state().counts(), (0, 0));
    all.rows(1);
    assert_eq!(marked(&all), 0, "until as much is read as there was");
    all.rows(2);
    assert_eq!(marked(&all), 1);
    all.world.press(Modifiers::NONE, Key::Home);
    all.world.press(Modifiers::SHIFT, Key::F11);
    assert!(all.says("It is in the picture already"), "{:?}", all.world.spoken());
}

#[test]
fn what_was_left_behind_is_offered() {
    let orphan = Orphan {
        folder: "/spools/2026-11-25T19-07-00Z".into(),
        device: "wlan0".to_owned(),
        began: Timestamp::from_parts(1_795_633_620, 0),
        bytes: 12 << 20,
    };
    let mut all = Machined::left_behind(Saved::default(), vec![orphan.clone()]);
    assert!(all.says("A capture of wlan0 from 2026-11-25 19:07 UTC was not saved (12"), "{:?}", all.world.spoken());
    all.world.click("Delete");
    assert!(all.says("Delete the capture of wlan0?"));
    all.world.click("Cancel");
    all.world.click("Open");
    let commands = all.world.commands();
    let [Command::Open(_, Source::Live(spool))] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(spool.folder, orphan.folder);
    all.rows(1);
    assert!(all.says("wlan0: Left behind") && all.says("not saved"), "{:?}", all.world.spoken());
    all.world.press(Modifiers::COMMAND, Key::W);
    all.world.click("Discard");
    let wait = std::time::Duration::from_secs(20);
    assert_eq!(all.machine.discarded.recv_timeout(wait).expect("it is deleted"), orphan.folder);
}

#[test]
fn lost_frames_are_said_with_what_they_mean() {
    let (mut all, _recorder) = Machined::capturing();
    let counters = Counters { received: 50_000, dropped_by_kernel: 8_977, ..Counters::default() };
    all.world.engine.publish(ui_world::counted(3, false, Some(counters)));
    all.world.settle();
    assert!(all.says("50,000 received"), "{:?}", all.world.spoken());
    all.world.click("8,977 dropped by the kernel");
    assert!(all.says("is not in this capture proves nothing"), "{:?}", all.world.spoken());
}

#[test]
fn a_faulty_filter_cannot_be_started_with() {
    let mut all = Machined::new(Saved::default());
    all.world.press(Modifiers::COMMAND, Key::K);
    all.world.harness.get_by_role_and_label(Role::TextInput, "Capture filter").focus();
    all.world.harness.run_steps(2);
    all.world.harness.get_by_role_and_label(Role::TextInput, "Capture filter").type_text("tcp port htttp");
    all.world.harness.run_steps(2);
    assert!(all.says("htttp'"), "{:?}", all.world.spoken());
    all.world.click("Start");
    assert!(all.machine.recorders.try_recv().is_err());
}

#[test]
fn what_is_saved_need_not_be_asked_for() {
    let mut harness = read("evidence-azure-blob.pcap");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("saved.pcapng");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run();
    harness.state_mut().without_dialog();
    harness.run();
    let name = "Path of the new file";
    harness.get_by_role_and_label(Role::TextInput, name).focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.get_by_role_and_label(Role::TextInput, name).type_text(&path.to_string_lossy());
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Save").click();
    settle(&mut harness);
    assert!(harness.query_by_label_contains("Saved ").is_some());
    assert!(std::fs::metadata(&path).expect("a file").len() > 0);
    assert_eq!(harness.state().state.saved.recent.first(), Some(&path));
}

/// A HAR file is a capture like others: rows, bodies and heads are there, and what it is not is said.
#[test]
fn a_har_file_is_read_and_looked_into() {
    let mut harness = read("har-chrome.har");
    let (shown, all) = harness.state().counts();
    assert_eq!((shown, all), (7, 7));
    assert!(harness.query_by_label_contains("8 entries").is_some(), "the status line counts entries");
    for _ in 0..2 {
        harness.key_press(Key::ArrowDown);
    }
    settle(&mut harness);
    assert!(harness.query_by_label_contains("A HAR file can do no more than suggest").is_some());
    assert_eq!(harness.query_all_by_role_and_label(Role::Button, "entry 2").count(), 2, "both heads name their entry");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num6);
    settle(&mut harness);
    assert!(harness.query_by_label("Entry 2").is_some());
    assert!(harness.query_by_label_contains("A HAR file has no frames").is_some());
    assert_eq!(harness.query_all_by_role(Role::ListBoxOption).count(), 0, "no frames are listed");
}
