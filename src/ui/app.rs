//! The window without its frame: takes what engine and jobs send, draws, and makes actions happen. Tests run it without a
//! display.

mod apply;
mod arranging;
mod capturing;
mod choosing;
mod columns;
mod comparing;
mod composing;
mod conversing;
mod filtering;
mod noting;
mod preferring;
mod saving;
mod verifying;
mod wishing;

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::RecvTimeoutError;
use egui::{
    Align, CornerRadius, CursorIcon, FocusDirection, Frame, Id, Key, Layout, Margin, Modifiers, Panel, Rect, Role,
    Sense, Stroke, TextureHandle, TextureOptions, Ui, UiBuilder, WidgetInfo,
};
use jiff::tz::TimeZone;

use super::action::{self, Action};
use super::compose::studio::{Carried, Drawn, Studio};
use super::compose::{self, Composer};
use super::filter::{FilterBox, Which};
use super::findings::{self, Findings};
use super::interfaces::{Interfaces, Watch};
use super::jobs::{Ask, IndexAsk, IndexTold, Jobs, Purpose, Told, WakeUp};
use super::live::Live;
use super::machine::Machine;
use super::overview::{self, Overview};
use super::prepared::{Prepared, Shown};
use super::state::{Choice, Dialog, Saved, Several, State, Tab, Trouble, View, Wanted};
use super::{
    chips, comparison, conversation, dialogs, filter, panes, shapes, start_screen, status, table, theme, toolbar,
};
use crate::case::{Preferences, TimeFormat};
use crate::engine::{Command, Handle, Notice, OpenNo, Source};
use crate::model::{Budget, Side, clean_to};
use crate::store::query::RowSet;
use crate::store::{Notes, Row, RowId, Snapshot};

/// Between two orders while reading goes on passes this many times what the last one took: new rows are there at once while
/// they are few, and sorting never takes more than a twentieth of the time.
const ORDER_REST: f64 = 19.0;

/// Seconds between two readings of the details of a row whose exchange is still open.
const DETAIL_EVERY: f64 = 0.5;

/// The panes' part of what table and panes have, until somebody chooses their height.
const PANES_SHARE: f32 = 0.555;

/// The least height of the panes, and of what stands above them, in points; and what an arrow moves the edge between them.
const PANES_LEAST: f32 = 120.0;
const PANES_STEP: f32 = 24.0;

/// Seconds between two findings while reading goes on.
const FINDINGS_EVERY: f64 = 1.0;

/// The capture on screen and what was computed from it.
#[derive(Default)]
struct Capture {
    /// Counts captures, so that late answers are known, the engine's too.
    number: u32,
    source: Option<Source>,
    name: String,
    reading: bool,
    /// Seconds of the window's clock when reading began.
    began: f64,
    snapshot: Snapshot,
    order: Arc<[u32]>,
    /// Of which snapshot and choice the order is.
    ordered: Option<Ordered>,
    ordered_at: f64,
    /// Seconds that the last order took.
    order_cost: f64,
    /// The rows that stand out, where any are asked for.
    lit: Option<RowSet>,
    overview: Overview,
    /// The time that the waterfall's bars stand on, and what the scroll bar shows.
    axis: Option<table::Axis>,
    map: table::Minimap,
    shown: Option<Of<Shown>>,
    detail: Option<Of<Prepared>>,
    detail_at: f64,
    /// The detail was refused because its connection still goes on.
    detail_early: bool,
    picture: Option<(RowId, PictureShown)>,
    /// Findings, and of which snapshot they are.
    /// With the generation and the notes that they are of.
    findings: Option<((u64, Notes), Box<Findings>)>,
    findings_at: f64,
    /// Bring the selected row into view once the order that holds it is there.
    reveal: bool,
    /// Frames at the moment when the list was paused.
    paused: Option<u32>,
    /// The newest snapshot, while the list is paused.
    held: Option<Snapshot>,
    /// What the user says of rows; the snapshots have it too.
    notes: Notes,
    /// Whether that includes what is kept beside the capture.
    kept: noting::Kept,
    /// What was made of it when it was read before, the oldest first.
    carried: Vec<Carried>,
    /// What header lines say that are shown as columns.
    heads: table::HeaderCells,
    /// The groups and lines of the tree; `None` in the list.
    tree: Option<table::Tree>,
}

impl Capture {
    /// The newest snapshot, shown or not.
    fn newest(&self) -> &Snapshot {
        self.held.as_ref().unwrap_or(&self.snapshot)
    }

    /// Whether what is known of a row is of the row as it stands now.
    fn fits<T>(&self, known: Option<&Of<T>>, row: RowId) -> bool {
        known.is_some_and(|known| known.row == row && known.seen == self.snapshot.row(row))
    }
}

/// What a row's record or detail came to, and the row as it stood then.
struct Of<T> {
    row: RowId,
    seen: Option<Row>,
    result: Result<Arc<T>, String>,
}

/// Of which snapshot, choice and notes an order is.
#[derive(PartialEq, Eq)]
struct Ordered {
    generation: u64,
    choice: Choice,
    notes: Notes,
}

/// A body's decoded picture with its words, or why there is none.
pub(crate) type PictureShown = (Side, Result<(TextureHandle, String), String>);

/// What is under way on the threads; at most one of a kind.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is something under way")]
struct Busy {
    record: Option<RowId>,
    detail: Option<RowId>,
    picture: bool,
    index: bool,
    findings: bool,
    completion: Option<Which>,
    preferences: bool,
    heads: bool,
    conversation: bool,
    wish: bool,
}

/// The window.
pub struct Desk {
    engine: Handle,
    jobs: Jobs,
    wake: WakeUp,
    busy: Busy,
    capture: Capture,
    /// Without one there are no live captures.
    machine: Option<Arc<Machine>>,
    interfaces: Interfaces,
    watch: Option<Watch>,
    live: Option<Live>,
    /// Whether a saving is under way.
    saving: bool,
    studio: Studio,
    composer: Composer,
    /// Of what the last preview was made, or could not be.
    drawn_last: Option<Drawn>,
    /// Counts the files given, so that late answers are known.
    given: u32,
    /// The TLS key log that is decrypted with.
    key_log: Option<PathBuf>,
    /// Where preferences are kept; without it they are not.
    preferences_path: Option<PathBuf>,
    /// What the file has.
    preferences_kept: Preferences,
    /// What could not be written.
    preferences_failed: Option<Preferences>,
    /// The first capture, by its number, that it was or will be read with.
    keys_from: u32,
    /// Looks at given files that are under way.
    looks: usize,
    comparing: comparing::Comparing,
    /// What the user chose.
    pub state: State,
    wants_picture: Option<Side>,
    dialog: Option<rfd::AsyncFileDialog>,
    /// The zone of local times.
    zone: TimeZone,
    quit: bool,
    theme_set: bool,
    /// The families that were asked for last, and whether they are being looked for.
    fonts: ([String; 2], bool),
}

impl core::fmt::Debug for Desk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Desk").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Desk {
    /// A window over an engine. `wake` is called from other threads when there is something to draw.
    pub fn new(
        engine: Handle,
        budget: Budget,
        saved: Saved,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> std::io::Result<Self> {
        let studio = Studio::start(budget.clone(), &wake)?;
        let jobs = Jobs::start(budget, &wake)?;
        Ok(Self {
            engine,
            jobs,
            wake,
            busy: Busy::default(),
            capture: Capture::default(),
            machine: None,
            interfaces: Interfaces::default(),
            watch: None,
            live: None,
            saving: false,
            studio,
            composer: Composer::default(),
            drawn_last: None,
            given: 0,
            key_log: None,
            preferences_path: None,
            preferences_kept: Preferences::default(),
            preferences_failed: None,
            keys_from: 0,
            looks: 0,
            state: State { choice: saved.choice(), saved, ..State::default() },
            comparing: comparing::Comparing::default(),
            wants_picture: None,
            dialog: None,
            zone: TimeZone::UTC,
            quit: false,
            theme_set: false,
            fonts: Default::default(),
        })
    }

    /// Says local times in this zone.
    #[must_use]
    pub fn in_zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// Gives it a machine to capture on.
    #[must_use]
    pub fn on(mut self, machine: Machine) -> Self {
        self.machine = Some(Arc::new(machine));
        self
    }

    /// Reads a capture. A live one that was on screen is thrown away.
    pub fn open(&mut self, source: Source) {
        self.retire();
        if let Source::File(path) = &source {
            self.state.saved.remember(path);
        }
        let name = match &source {
            Source::File(path) => clean_to(path.file_name().unwrap_or_default().as_encoded_bytes(), 200).into_owned(),
            Source::Files(_) | Source::Stdin | Source::Live(_) => source.name(),
        };
        self.forget();
        self.capture.name = name;
        self.capture.source = Some(source.clone());
        self.capture.reading = true;
        self.capture.began = f64::NAN;
        self.show_wanted_site();
        if self.engine.commands.try_send(Command::Open(OpenNo(self.capture.number), source)).is_err() {
            self.capture.reading = false;
            self.fail("open the capture", "the engine does not answer; start the program again");
        }
    }

    /// Drops what is on screen.
    fn forget(&mut self) {
        self.keep_picture();
        self.composer = Composer::default();
        self.composer.document.plan.redaction = self.state.preferences.redaction.clone();
        self.drawn_last = None;
        self.capture = Capture { number: self.capture.number + 1, ..Capture::default() };
        // What was given before this came on screen is not waited for any more.
        self.given += 1;
        self.busy = Busy { index: self.busy.index, preferences: self.busy.preferences, ..Busy::default() };
        self.state.selected = None;
        self.state.several = Several::default();
        self.state.references.clear();
        self.state.tree = table::TreeState::default();
        self.state.table = table::TableState::default();
        self.state.choice.clear();
        self.state.choice.highlight.clear();
        self.state.filter = FilterBox::default();
        self.state.highlight = None;
        self.state.trouble = None;
        self.state.dialog = None;
        self.state.following = None;
        self.state.body_side = None;
        self.state.frame = None;
        self.state.left.clear();
        self.state.ahead.clear();
        self.state.view = View::Exchanges;
        self.wants_picture = None;
    }

    /// The dialog to show when the user asks for one, made where the window is known.
    pub(crate) fn set_dialog(&mut self, dialog: rfd::AsyncFileDialog) {
        self.state.dialog_open = self.state.dialog_wanted.take();
        self.dialog = Some(dialog);
    }

    /// Whether the user asked for the desktop's dialog and it is not there yet.
    pub fn wants_dialog(&self) -> bool {
        self.state.dialog_wanted.is_some()
    }

    /// Whether that dialog is for a picture, bundle or claim.
    pub(crate) fn wants_to_verify(&self) -> bool {
        self.state.dialog_wanted == Some(Wanted::Verify)
    }

    /// Whether that dialog is for a TLS key log.
    pub(crate) fn wants_keys(&self) -> bool {
        self.state.dialog_wanted == Some(Wanted::KeyLog)
    }

    /// Whether that dialog is for a capture to hold beside the one on screen.
    pub(crate) fn wants_to_compare(&self) -> bool {
        self.state.dialog_wanted == Some(Wanted::Compare)
    }

    /// The name to offer for a file, where the dialog asked for is one for saving.
    pub(crate) fn wants_to_save(&self) -> Option<String> {
        match self.state.dialog_wanted.as_ref()? {
            Wanted::Open | Wanted::Verify | Wanted::KeyLog | Wanted::Compare => None,
            Wanted::Save(wish) => Some(self.offered_name(wish)),
        }
    }

    /// Answers the dialog that was asked for as a desktop without dialogs does: our own question stands in.
    pub fn without_dialog(&mut self) {
        self.state.dialog_open = self.state.dialog_wanted.take();
        self.picked(super::jobs::Picked::NoDialog);
    }

    /// Whether the user asked to end the program.
    pub(crate) fn quits(&self) -> bool {
        self.quit
    }

    /// Rows shown, of all that are there.
    pub fn counts(&self) -> (usize, usize) {
        (self.capture.order.len(), self.capture.snapshot.kept())
    }

    /// What is on screen.
    pub fn on_screen(&self) -> &Snapshot {
        &self.capture.snapshot
    }

    /// Whether the engine still reads the capture.
    pub fn reading(&self) -> bool {
        self.capture.reading
    }

    /// Rows in the order in which they are shown.
    pub fn order(&self) -> &[u32] {
        &self.capture.order
    }

    /// Whether an order, a record or a detail is under way or wanted.
    fn unsettled(&self) -> bool {
        self.busy.index
            || self.busy.record.is_some()
            || self.busy.detail.is_some()
            || self.busy.picture
            || self.busy.findings
            || self.busy.completion.is_some()
            || self.busy.preferences
            || self.busy.heads
            || self.busy.conversation
            || self.busy.wish
            || self.fonts.1
            || self.comparing.busy
            || self.studio.is_busy()
            || self.saving
            || self.looks > 0
    }

    /// Takes everything that engine and jobs have sent, and asks for what is missing.
    pub fn logic(&mut self, ctx: &egui::Context) {
        let now = ctx.input(|input| input.time);
        if !self.theme_set {
            self.theme_set = true;
            self.use_theme(ctx);
            if self.state.preferences.text_percent != Preferences::default().text_percent {
                self.use_text_size(ctx);
            }
        }
        self.ask_fonts();
        if self.capture.began.is_nan() {
            self.capture.began = now;
        }
        while let Ok((number, notice)) = self.engine.notices.try_recv() {
            self.notice(number, notice);
        }
        self.watch();
        self.recorded();
        // One that was left is published once more when it stops.
        if let Ok((number, snapshot)) = self.engine.snapshots.try_recv()
            && self.is_shown(number)
        {
            self.snapshot(snapshot);
        }
        while let Ok(told) = self.jobs.index_told.try_recv() {
            self.ordered(told, now);
        }
        while let Ok(told) = self.jobs.told.try_recv() {
            self.told(ctx, told);
        }
        while let Ok(picked) = self.jobs.picked.try_recv() {
            self.picked(picked);
        }
        while let Ok(saved) = self.jobs.saved.try_recv() {
            self.saved(saved);
        }
        while let Ok(told) = self.studio.told.try_recv() {
            self.studio_told(ctx, told);
        }
        while let Ok(found) = self.jobs.found.try_recv() {
            self.found(found);
        }
        let purpose = match self.state.dialog_open {
            Some(Wanted::Save(_)) => Purpose::Write,
            Some(Wanted::Verify | Wanted::KeyLog | Wanted::Compare) => Purpose::Read,
            Some(Wanted::Open) | None => Purpose::ReadSeveral,
        };
        if let Some(dialog) = self.dialog.take()
            && let Err(error) = self.jobs.ask_dialog(dialog, purpose, &self.wake)
        {
            self.state.dialog_open = None;
            self.fail("show the file dialog", &error.to_string());
        }
        self.keep_preferences();
        self.compare_next();
        self.ask(ctx, now);
    }

    /// Waits until no order, record or detail is under way; for tests and for pictures.
    pub fn settle(&mut self, ctx: &egui::Context) {
        for _ in 0..64 {
            self.logic(ctx);
            let wait = core::time::Duration::from_secs(20);
            if let Some(watch) = &self.watch
                && self.interfaces.devices.is_none()
            {
                match watch.polled.recv_timeout(wait) {
                    Ok(polled) => self.interfaces.take(polled),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
                }
                continue;
            }
            if !self.unsettled() {
                return;
            }
            if self.saving {
                match self.jobs.saved.recv_timeout(wait) {
                    Ok(saved) => self.saved(saved),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
                }
                continue;
            }
            if self.studio.is_busy() {
                match self.studio.told.recv_timeout(wait) {
                    Ok(told) => self.studio_told(ctx, told),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
                }
                continue;
            }
            if self.looks > 0 {
                match self.jobs.found.recv_timeout(wait) {
                    Ok(found) => self.found(found),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
                }
                continue;
            }
            if self.busy.index {
                match self.jobs.index_told.recv_timeout(wait) {
                    Ok(told) => self.ordered(told, f64::NEG_INFINITY),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
                }
            } else {
                match self.jobs.told.recv_timeout(wait) {
                    Ok(told) => self.told(ctx, told),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    /// Whether what the engine says of a capture is of the one on screen.
    fn is_shown(&self, number: OpenNo) -> bool {
        self.capture.source.is_some() && number.0 == self.capture.number
    }

    fn notice(&mut self, number: OpenNo, notice: Notice) {
        match notice {
            // Of whichever capture that was to be read with it: the engine has let go of it.
            Notice::NoKeys { why } if number.0 >= self.keys_from => {
                self.key_log = None;
                self.fail("use the key log", &why);
            }
            Notice::Ended | Notice::Failed { .. } if !self.is_shown(number) => {}
            Notice::NoKeys { .. } | Notice::Opened(_) => {}
            Notice::Ended => self.capture.reading = false,
            Notice::Failed { doing, why } => {
                // A capture that could not be opened at all leaves nothing to look at.
                if self.capture.snapshot.is_empty() && self.capture.reading && doing.starts_with("open") {
                    // Not thrown away: it is offered again as one that was left behind.
                    self.live = None;
                    let gone = self.capture.source.clone();
                    self.forget();
                    if let Some(Source::File(path)) = gone {
                        self.state.saved.recent.retain(|known| *known != path);
                    }
                }
                self.capture.reading = false;
                self.fail(&doing, &why);
            }
        }
    }

    fn fail(&mut self, doing: &str, why: &str) {
        let clean = |text: &str| clean_to(text.as_bytes(), 1_000).into_owned();
        self.state.trouble = Some(Trouble { doing: clean(doing), why: clean(why), remedy: None });
    }

    fn snapshot(&mut self, snapshot: Snapshot) {
        let snapshot = self.noted(snapshot);
        if snapshot.progress().done {
            self.capture.reading = false;
        }
        if self.capture.paused.is_some() {
            self.capture.held = Some(snapshot);
            return;
        }
        self.capture.snapshot = snapshot;
        // Flows may have ended since: ask again for what was refused.
        if self.capture.detail_early {
            self.capture.detail = None;
            self.capture.detail_early = false;
        }
    }

    fn ordered(&mut self, told: IndexTold, now: f64) {
        self.busy.index = false;
        if told.capture != self.capture.number {
            return;
        }
        self.capture.order = told.order;
        self.leave_what_is_gone();
        self.take_groups(told.groups);
        let IndexTold { generation, choice, notes, .. } = told;
        self.capture.ordered = Some(Ordered { generation, choice, notes });
        self.capture.ordered_at = now;
        self.capture.order_cost = told.cost;
        self.capture.lit = told.lit;
        self.capture.overview = told.overview;
        self.capture.axis = told.axis;
        self.capture.map = told.map;
        let state = &mut self.state.table;
        // What is being read stays where it is; at the very top new rows may come in, unless one of them is selected.
        let reads = state.top >= 1.0 || (self.live.is_some() && self.state.selected.is_some() && !state.follow);
        if let Some((_, at)) = told.top
            && reads
            && self.capture.tree.is_none()
        {
            state.top = at as f64 + state.top.fract();
        }
        if told.selected.map(|(row, _)| row) == self.state.selected {
            let place = told.selected.map(|(_, at)| at);
            let line = match &self.capture.tree {
                Some(tree) if !self.capture.reveal => place.and_then(|place| tree.line_of_row(place)),
                Some(_) | None => place.and_then(|place| self.line_of(place)),
            };
            // A group may have the cursor now.
            if self.state.tree.group.is_none() {
                self.state.table.cursor = line;
            }
            if self.capture.reveal && line.is_some() {
                self.capture.reveal = false;
                self.state.table.reveal = true;
            }
        }
    }

    fn told(&mut self, ctx: &egui::Context, told: Told) {
        let number = self.capture.number;
        match told {
            Told::Record { capture, row, seen, result } if capture == number => {
                self.busy.record = None;
                self.capture.shown = Some(Of { row, seen, result });
            }
            Told::Detail { capture, row, seen, result, not_yet } if capture == number => {
                self.busy.detail = None;
                self.capture.detail_early = not_yet;
                self.capture.detail = Some(Of { row, seen, result });
                self.capture.detail_at = ctx.input(|input| input.time);
            }
            Told::Complete { which, text, cursor, completion } => self.completed(which, (text, cursor), completion),
            Told::Preferences { now, result } => self.preferences_kept(*now, result),
            Told::Fonts(families, messages) => self.fonts_found(ctx, &families, &messages),
            Told::Compared { number, result } => self.compared(number, result),
            Told::Kept(why) => self.fail("delete the capture", &why),
            Told::Picture { capture, row, side, result } if capture == number => {
                self.busy.picture = false;
                let shown = result.map(|picture| {
                    let texture = ctx.load_texture("body picture", picture.image, TextureOptions::LINEAR);
                    (texture, picture.about)
                });
                self.capture.picture = Some((row, (side, shown)));
            }
            Told::Findings { capture, of, findings } if capture == number => {
                self.busy.findings = false;
                self.capture.findings = Some((of, findings));
                self.capture.findings_at = ctx.input(|input| input.time);
            }
            Told::Heads { capture, names, said } if capture == number => {
                self.busy.heads = false;
                self.capture.heads.take(&names, said);
            }
            Told::Conversation { capture, row, generation, result } if capture == number => {
                self.conversation_read(row, (generation, result), ctx.input(|input| input.time));
            }
            Told::Wish { capture, granted } if capture == number => self.granted(ctx, granted),
            Told::Wish { .. }
            | Told::Heads { .. }
            | Told::Conversation { .. }
            | Told::Record { .. }
            | Told::Detail { .. }
            | Told::Picture { .. }
            | Told::Findings { .. } => {}
        }
    }

    /// Asks index and jobs for whatever is missing and not under way.
    fn ask(&mut self, ctx: &egui::Context, now: f64) {
        if self.capture.source.is_none() {
            return;
        }
        self.ask_order(ctx, now);
        self.ask_heads();
        self.ask_completion();
        self.ask_findings(ctx, now);
        self.ask_notes();
        self.ask_conversation(ctx, now);
        self.ask_studio(ctx, now);
        let Some(row) = self.state.selected else { return };
        let (capture, number) = (&self.capture, self.capture.number);
        if self.busy.record.is_none() && !capture.fits(capture.shown.as_ref(), row) {
            let ask = Ask::Record { capture: number, row, snapshot: capture.snapshot.clone() };
            if self.jobs.ask(ask) {
                self.busy.record = Some(row);
            }
        }
        let Some(Of { row: of, result: Ok(shown), .. }) = &capture.shown else { return };
        let looked_at =
            !self.state.saved.folded && matches!(self.state.saved.tab, Tab::Body | Tab::Messages | Tab::Frames);
        if *of != row || !looked_at {
            return;
        }
        let other = capture.detail.as_ref().is_none_or(|known| known.row != row);
        let rest = DETAIL_EVERY - (now - capture.detail_at);
        let stale = !other && !capture.fits(capture.detail.as_ref(), row);
        if stale && rest > 0.0 {
            ctx.request_repaint_after_secs(rest as f32);
        }
        if self.busy.detail.is_none()
            && (other || (stale && rest <= 0.0))
            && let Some(source) = &capture.source
        {
            let (snapshot, source, shown) = (capture.snapshot.clone(), source.clone(), Arc::clone(shown));
            if self.jobs.ask(Ask::Detail { capture: number, row, snapshot, source, shown }) {
                self.busy.detail = Some(row);
            }
        }
        if let Some(side) = self.wants_picture
            && !self.busy.picture
            && let Some(Of { row: of, result: Ok(prepared), .. }) = &capture.detail
            && *of == row
        {
            let ask = Ask::Picture { capture: number, row, side, prepared: Arc::clone(prepared) };
            if self.jobs.ask(ask) {
                self.busy.picture = true;
                self.wants_picture = None;
            }
        }
    }

    fn ask_findings(&mut self, ctx: &egui::Context, now: f64) {
        let capture = &self.capture;
        let is_known =
            |((generation, notes), _): &(_, _)| *generation == capture.snapshot.generation && *notes == capture.notes;
        let known = capture.findings.as_ref().is_some_and(is_known);
        if self.state.view != View::Findings || self.busy.findings || known {
            return;
        }
        let wait = FINDINGS_EVERY - (now - capture.findings_at);
        if capture.findings.is_some() && capture.reading && wait > 0.0 {
            ctx.request_repaint_after_secs(wait as f32);
            return;
        }
        self.busy.findings =
            self.jobs.ask(Ask::Findings { capture: capture.number, snapshot: capture.snapshot.clone() });
    }

    fn ask_order(&mut self, ctx: &egui::Context, now: f64) {
        let choice = self.applied();
        let capture = &self.capture;
        let generation = capture.snapshot.generation;
        let known = capture.ordered.as_ref();
        let same_choice = known.is_some_and(|o| o.choice == choice && o.notes == capture.notes);
        if self.busy.index || (same_choice && known.is_some_and(|o| o.generation == generation)) {
            return;
        }
        let wait = capture.order_cost * ORDER_REST - (now - capture.ordered_at);
        if same_choice && capture.reading && !capture.order.is_empty() && wait > 0.0 {
            ctx.request_repaint_after_secs(wait as f32);
            return;
        }
        let top = capture.order.get(self.state.table.top.floor() as usize).map(|id| RowId(*id));
        let ask = IndexAsk {
            capture: capture.number,
            snapshot: capture.snapshot.clone(),
            choice,
            top: if same_choice { top } else { None },
            selected: self.state.selected,
        };
        if self.jobs.ask_index(ask) {
            self.busy.index = true;
        }
    }

    /// Draws everything, then makes happen what the user asked for.
    pub fn show(&mut self, ui: &mut Ui) {
        let mut actions = Vec::new();
        if self.state.view == View::Picture && self.state.dialog.is_none() {
            compose::keys(ui.ctx(), &mut self.composer, &mut actions);
        }
        if let (Some(Dialog::Conversation), Some(following)) = (&self.state.dialog, &mut self.state.following) {
            conversation::keys(ui.ctx(), following);
        }
        action::pressed(ui.ctx(), &mut actions);
        dropped(ui, &mut actions);
        let c = theme::colours(ui);
        ui.painter().rect_filled(ui.max_rect(), CornerRadius::ZERO, c.page);
        if self.capture.source.is_some() {
            self.capture_screen(ui, &mut actions);
        } else {
            self.trouble(ui, &mut actions);
            let interfaces = self.machine.is_some().then_some(&self.interfaces);
            start_screen::show(ui, &mut self.state, interfaces, &mut actions);
        }
        let marked = if matches!(self.state.dialog, Some(Dialog::Export(_))) { self.marked_rows() } else { 0 };
        let selected = self.state.selected_rows();
        if let Some(dialog) = &mut self.state.dialog {
            let seen = dialogs::Seen {
                interfaces: &self.interfaces,
                all: self.capture.snapshot.len(),
                marked,
                shown: self.capture.order.len(),
                headers: self.state.saved.header_columns().len(),
                selected,
                live: self.live.as_ref(),
                filters: &self.state.saved.filters,
                goes_on: self.capture.reading,
                keys: self.key_log.is_some(),
            };
            let following = self.state.following.as_mut();
            let own = dialogs::Own { more: &mut self.state.more_interfaces, following };
            dialogs::show(ui, dialog, &seen, own, &mut actions);
        }
        shapes::focus(ui);
        let ctx = ui.ctx().clone();
        for action in actions {
            self.apply(&ctx, action);
        }
        self.state.remember_order();
        if self.state.lit != self.state.lit_next {
            ctx.request_repaint();
        }
        self.state.lit = self.state.lit_next.take();
        self.ask(&ctx, ctx.input(|input| input.time));
    }

    fn trouble(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        if let Some(trouble) = &self.state.trouble {
            Panel::top("trouble").frame(Frame::NONE).show(ui, |ui| dialogs::trouble(ui, trouble, actions));
        }
    }

    fn capture_screen(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let c = theme::colours(ui);
        let bar = |left: i8| Frame::NONE.fill(c.surface).inner_margin(Margin { left, right: 8, top: 0, bottom: 0 });
        let progress = self.capture.snapshot.progress();
        Panel::top("toolbar").exact_size(toolbar::HEIGHT).frame(bar(8)).show(ui, |ui| {
            let seen = toolbar::Seen {
                name: &self.capture.name,
                progress,
                // What is live has a bar of its own.
                reading: self.capture.reading && self.live.is_none(),
                live: self.live.is_some(),
                captures: self.machine.is_some(),
                keys: self.key_log.is_some(),
                compares: self.compares(),
                actions: self.capture.snapshot.actions().len(),
                // Without a filter the order only lags behind while reading: all are shown.
                shown: if self.state.choice.keeps_all() {
                    self.capture.snapshot.kept()
                } else {
                    self.capture.order.len()
                },
                all: self.capture.snapshot.kept(),
            };
            toolbar::show(ui, &seen, &mut self.state, actions);
        });
        if let Some(known) = &mut self.state.highlight {
            Panel::top("highlight").exact_size(filter::HEIGHT).frame(bar(8)).show(ui, |ui| {
                let (memory, actions_marked) = (&self.state.saved.filters, self.capture.snapshot.actions().len());
                let seen = filter::Seen { which: Which::Highlight, memory, actions: actions_marked };
                let lit = self.capture.lit.as_ref().map(RowSet::len);
                filter::highlight_row(ui, &seen, (&mut self.state.choice.highlight, known), lit, actions);
            });
        }
        self.live_bar(ui, actions);
        if self.state.view == View::Exchanges {
            Panel::top("chips").exact_size(chips::HEIGHT).frame(bar(8)).show(ui, |ui| {
                let marks = self.capture.notes.actions().len();
                let snapshot = &self.capture.snapshot;
                let known = (snapshot.providers(), snapshot.has_programs());
                chips::show(ui, known, (marks, snapshot.ignored()), &self.state.choice, actions);
            });
            Panel::top("overview").exact_size(overview::HEIGHT).frame(Frame::NONE.fill(c.page)).show(ui, |ui| {
                overview::show(ui, &self.capture.overview, self.state.choice.range, &mut self.state.swept, actions);
            });
        }
        self.trouble(ui, actions);
        // Their room is taken now; what stands in it comes last, for the Tab key too.
        let low = room(ui, Panel::bottom("status").exact_size(status::HEIGHT).frame(bar(12)));
        self.view(ui, actions);
        let elapsed = ui.input(|input| input.time) - self.capture.began;
        within(ui, low, "status", |ui| {
            let rate = (elapsed > 0.3).then(|| progress.read as f64 / elapsed);
            let seen = status::Seen {
                snapshot: self.capture.newest(),
                reading: self.capture.reading,
                live: self.live.as_ref().is_some_and(Live::goes_on),
                rate,
                local: self.state.preferences.time == TimeFormat::Local,
                said: self.state.said.as_deref(),
                selected: self.state.selected_rows(),
            };
            status::show(ui, &seen, actions);
        });
    }

    /// What fills the window between the bars.
    fn view(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        if self.state.view == View::Picture {
            self.picture_view(ui, actions);
            return;
        }
        if self.state.view == View::Compare {
            comparison::show(ui, self.comparing.shown.as_deref(), actions);
            return;
        }
        if self.state.view == View::Findings {
            let findings = self.capture.findings.as_ref().map(|(_, findings)| &**findings);
            findings::show(ui, findings, &mut self.state, actions);
            return;
        }
        let below = self.panes_room(ui);
        let clock = self.clock();
        let seen = table::Seen {
            snapshot: &self.capture.snapshot,
            order: &self.capture.order,
            choice: &self.state.choice,
            selected: self.state.selected,
            several: &self.state.several.rows,
            lit: self.capture.lit.as_ref(),
            axis: self.capture.axis,
            map: &self.capture.map,
            live: self.live.as_ref().is_some_and(Live::goes_on) && self.capture.paused.is_none(),
            heads: &self.capture.heads,
            clock: &clock,
            tree: self.capture.tree.as_ref().map(|tree| (tree, &self.state.tree)),
        };
        let rect = ui.available_rect_before_wrap();
        table::show(ui, &seen, &mut self.state.table, &mut self.state.saved, actions);
        if self.capture.order.is_empty() {
            self.no_rows(ui, rect);
        }
        self.panes_edge(ui, below);
        within(ui, below.0, "panes", |ui| self.panes(ui, actions));
    }

    /// The room of the panes, and the greatest height that they can have.
    fn panes_room(&self, ui: &mut Ui) -> (Rect, f32) {
        let most = (ui.available_height() - PANES_LEAST).max(PANES_LEAST);
        let usual = (ui.available_height() * PANES_SHARE).round();
        let height = if self.state.saved.folded {
            panes::TABS
        } else {
            self.state.saved.pane_height.unwrap_or(usual).clamp(PANES_LEAST, most)
        };
        let panel = Panel::bottom("panes").exact_size(height).show_separator_line(false);
        (room(ui, panel.frame(Frame::NONE.fill(theme::colours(ui).page))), most)
    }

    /// The upper edge of the panes: dragged, or moved with Up and Down; a double click gives the usual height back.
    fn panes_edge(&mut self, ui: &Ui, (panes, most): (Rect, f32)) {
        if self.state.saved.folded {
            return;
        }
        let c = theme::colours(ui);
        let grip = Rect::from_x_y_ranges(panes.x_range(), panes.top() - 4.0..=panes.top() + 3.0);
        let response = ui.interact(grip, Id::unique("panes edge"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, "Height of the panes"));
        let mut by = if response.dragged() { -response.drag_delta().y } else { 0.0 };
        if response.has_focus() {
            for (key, step) in [(Key::ArrowUp, PANES_STEP), (Key::ArrowDown, -PANES_STEP)] {
                let times = ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
                if times > 0 {
                    // The focus stays.
                    ui.memory_mut(|memory| memory.move_focus(FocusDirection::None));
                    by += step * times as f32;
                }
            }
        }
        if by.abs() > 0.0 {
            self.state.saved.pane_height = Some((panes.height() + by).clamp(PANES_LEAST, most));
            ui.ctx().request_repaint();
        } else if response.double_clicked() {
            self.state.saved.pane_height = None;
        }
        if response.hovered() || response.dragged() || response.has_focus() {
            ui.painter().hline(panes.x_range(), panes.top(), Stroke::new(2.0, c.accent));
        }
        let _shown = response.on_hover_cursor(CursorIcon::ResizeVertical);
    }

    fn panes(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let selected = self.state.selected;
        let capture = &self.capture;
        let seen = panes::Seen {
            rows: !capture.snapshot.is_empty(),
            note: selected.and_then(|row| capture.notes.get(row)).filter(|note| note.is_of_row()),
            shown: capture.shown.as_ref().filter(|of| Some(of.row) == selected).map(|of| &of.result),
            detail: capture.detail.as_ref().filter(|of| Some(of.row) == selected).map(|of| &of.result),
            picture: capture.picture.as_ref().filter(|(row, _)| Some(*row) == selected).map(|(_, p)| p),
        };
        panes::show(ui, &seen, &mut self.state, actions);
    }

    /// Words for a table without rows.
    fn no_rows(&self, ui: &mut Ui, rect: Rect) {
        let choice = &self.state.choice;
        let words = if let Some(words) = self.no_rows_live() {
            words
        } else if self.busy.index {
            return;
        } else if !self.capture.snapshot.is_empty() {
            match choice.provider.filter(|_| choice.filter.is_empty()) {
                Some(id) => format!("No rows of {}", chips::name(id)),
                // Nobody wonders then why half a filter keeps nothing.
                None if self.state.filter.fault().is_some() => {
                    format!(
                        "What is typed is no filter yet. The one before it, “{}”, keeps no exchange",
                        clean_to(self.state.filter.good().as_bytes(), 60)
                    )
                }
                None => "The filter keeps no exchange. Press Escape to show all rows again".to_owned(),
            }
        } else if self.capture.reading {
            "Reading; the first exchanges appear as they end".to_owned()
        } else {
            let capture = &self.capture.snapshot.facts().capture;
            let (one, many) = capture.format.units();
            match capture.frames {
                0 => format!("There are no {many} in this capture"),
                n => {
                    let frames = super::text::plural(u64::from(n), one, many);
                    format!("No HTTP, TLS or DNS exchange was found in the {frames} of this capture")
                }
            }
        };
        let mut inner = ui.new_child(UiBuilder::new().max_rect(rect));
        panes::empty(&mut inner, &words);
    }
}

/// Takes a panel's room, and gives it.
fn room(ui: &mut Ui, panel: Panel) -> Rect {
    let all = |ui: &mut Ui| {
        let all = ui.available_rect_before_wrap();
        ui.advance_cursor_after_rect(all);
        all
    };
    panel.show(ui, all).inner
}

/// Puts something into room that was taken.
fn within(ui: &mut Ui, room: Rect, salt: &str, add: impl FnOnce(&mut Ui)) {
    let mut inner = ui.new_child(UiBuilder::new().id_salt(salt).max_rect(room).layout(Layout::top_down(Align::Min)));
    inner.set_clip_rect(room.intersect(ui.clip_rect()));
    add(&mut inner);
}

/// Files over the window, and files let go.
fn dropped(ui: &Ui, actions: &mut Vec<Action>) {
    let (dropped, hovering) = ui.input(|input| {
        let dropped: Vec<_> = input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect();
        (dropped, !input.raw.hovered_files.is_empty())
    });
    if !dropped.is_empty() {
        actions.push(Action::Given(dropped));
    } else if hovering {
        start_screen::drop_hint(ui);
    }
}
