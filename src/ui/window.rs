//! The frame around the desk: the only file that knows eframe.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::{CreationContext, NativeOptions, Storage};
use egui::{ViewportBuilder, ViewportCommand, ViewportId};

use super::app::Desk;
use super::jobs::Take;
use super::machine::Machine;
use super::state::Saved;
use crate::capture::Wish;
use crate::case::{Preferences, preferences_path};
use crate::engine::{self, Source};
use crate::model::Budget;

/// The name under which the desktop knows the program, and the folder of what is kept.
const APP_ID: &str = "nephoscope";
/// What the window is shown by where no desktop file says it.
const ICON: &[u8] = include_bytes!("../../assets/desktop/icons/128.png");
/// The key of what is kept.
const SAVED: &str = "desk";

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// The engine's or a job's thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// No display.
    #[error(
        "cannot open a window: {0}; is there a display (DISPLAY or WAYLAND_DISPLAY)? The command line works without one"
    )]
    Display(String),
    /// No OpenGL.
    #[error("cannot draw: {0}; on Debian the package libgl1 brings the driver")]
    OpenGl(String),
}

/// With what the window begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// The start screen.
    #[default]
    Start,
    /// A capture that is there; a file may also be a picture, bundle or claim, which is checked.
    Open(Source),
    /// Several files: captures to merge or to compare, or one to verify with its capture.
    Several(Vec<PathBuf>),
    /// The options of a live capture, filled in.
    Choose(Wish),
    /// A live capture.
    Capture(Wish),
}

/// Opens the window, and in it what is given, decrypted with the key log; comes back when the window is closed.
pub fn run(begin: Begin, key_log: Option<PathBuf>, budget: Budget) -> Result<(), UiError> {
    let mut viewport = ViewportBuilder::default()
        .with_title("Nephoscope")
        .with_app_id(APP_ID)
        .with_inner_size([1_280.0, 800.0])
        .with_min_inner_size([760.0, 480.0])
        .with_drag_and_drop(true);
    // A window without its picture is a window all the same.
    if let Ok(icon) = eframe::icon_data::from_png_bytes(ICON) {
        viewport = viewport.with_icon(icon);
    }
    let options = NativeOptions { viewport, ..NativeOptions::default() };
    let created = eframe::run_native(
        APP_ID,
        options,
        Box::new(move |context| {
            let window = Window::new(context, begin, key_log, budget).map_err(UiError::Thread)?;
            Ok(Box::new(window) as Box<dyn eframe::App>)
        }),
    );
    created.map_err(|error| match error {
        eframe::Error::AppCreation(why) => match why.downcast::<UiError>() {
            Ok(ours) => *ours,
            Err(other) => UiError::Display(other.to_string()),
        },
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => UiError::Display(error.to_string()),
        eframe::Error::Glutin(_) | eframe::Error::NoGlutinConfigs(..) | eframe::Error::OpenGL(_) => {
            UiError::OpenGl(error.to_string())
        }
    })
}

struct Window {
    desk: Desk,
    /// What the window is called now.
    title: String,
}

impl Window {
    fn new(
        context: &CreationContext<'_>,
        begin: Begin,
        key_log: Option<PathBuf>,
        budget: Budget,
    ) -> std::io::Result<Self> {
        super::prepare(&context.egui_ctx);
        let saved = context
            .storage
            .and_then(|storage| storage.get_string(SAVED))
            .map_or_else(Saved::default, |json| Saved::read(&json));
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let ctx = context.egui_ctx.clone();
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || ctx.request_repaint_of(ViewportId::ROOT));
        let woken = Arc::clone(&wake);
        let handle = engine::start(threads, budget.clone(), Box::new(move || woken()))?;
        let path = preferences_path();
        let preferred = path.as_deref().map(Preferences::load).unwrap_or_default();
        let machine = Machine::this(preferred.preferences.live_folder.clone());
        let desk = Desk::new(handle, budget, saved, wake)?;
        let mut desk = desk.preferring(preferred, path).on(machine).in_zone(jiff::tz::TimeZone::system());
        if let Some(path) = key_log {
            desk.use_keys(path);
        }
        match begin {
            Begin::Start => {}
            // A pipe is read once: what panes go back to has to be kept.
            Begin::Open(Source::Stdin) => desk.pipe(Box::new(std::io::stdin())),
            // A capture, or something to verify: that is found out on a thread.
            Begin::Open(Source::File(path)) => desk.give(vec![path], Take::ByContent),
            Begin::Several(files) => desk.give(files, Take::ByContent),
            Begin::Open(source) => desk.open(source),
            Begin::Choose(wish) => desk.choose_capture(&wish),
            Begin::Capture(wish) => desk.capture(wish),
        }
        Ok(Self { desk, title: String::new() })
    }
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        if let Some(name) = self.desk.wants_to_save() {
            let (kind, ending) = match name.rsplit('.').next() {
                Some("png") => ("PNG", "png"),
                Some("zip") => ("Bundle", "zip"),
                Some("csv") => ("CSV", "csv"),
                Some("jsonl") => ("JSON lines", "jsonl"),
                Some("har") => ("HAR", "har"),
                Some("parquet") => ("Parquet", "parquet"),
                _ => ("pcapng", "pcapng"),
            };
            let dialog = rfd::AsyncFileDialog::new()
                .set_title("Save as")
                .set_file_name(name)
                .add_filter(kind, &[ending])
                .set_parent(frame);
            self.desk.set_dialog(dialog);
        } else if self.desk.wants_to_verify() {
            let dialog = rfd::AsyncFileDialog::new()
                .set_title("Verify a picture or bundle")
                .add_filter("Pictures, bundles and claims", &["png", "zip", "json"])
                .add_filter("All files", &["*"])
                .set_parent(frame);
            self.desk.set_dialog(dialog);
        } else if self.desk.wants_keys() {
            let dialog = rfd::AsyncFileDialog::new()
                .set_title("Decrypt with a key log")
                .add_filter("All files", &["*"])
                .add_filter("Key logs", &["log", "txt", "keylog", "keys"])
                .set_parent(frame);
            self.desk.set_dialog(dialog);
        } else if self.desk.wants_dialog() {
            let title = if self.desk.wants_to_compare() { "Compare with a capture" } else { "Open a capture" };
            let dialog = rfd::AsyncFileDialog::new()
                .set_title(title)
                .add_filter("Captures", &["pcap", "pcapng", "cap", "dmp", "har", "gz", "zst", "lz4"])
                .add_filter("All files", &["*"])
                .set_parent(frame);
            self.desk.set_dialog(dialog);
        }
        self.desk.logic(ctx);
        let title = self.desk.title();
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
        if ctx.input(|input| input.viewport().close_requested()) && !self.desk.may_close() {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
        }
        if self.desk.quits() {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.desk.show(ui);
    }

    fn save(&mut self, storage: &mut dyn Storage) {
        if let Ok(json) = serde_json::to_string(&self.desk.state.saved) {
            storage.set_string(SAVED, json);
        }
    }

    /// Our own state is kept in `save`; of egui's there is nothing worth keeping.
    fn persist_egui_memory(&self) -> bool {
        false
    }
}
