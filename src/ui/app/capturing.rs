//! Live captures: begun, watched, stopped, left; and captures that were left behind.

use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::TryRecvError;
use egui::{Frame, Margin, Panel, Ui};

use super::Desk;
use crate::capture::{Keep, Recorded, Wish, remote_session_filter};
use crate::engine::{Command, OpenNo, Source};
use crate::model::clean_to;
use crate::store::Actions;
use crate::ui::action::{Action, LiveAction};
use crate::ui::interfaces::Watch;
use crate::ui::live::{Leave, Live, SaveWhat, SaveWish, Stage};
use crate::ui::machine::{self, Recording};
use crate::ui::state::{CaptureOptions, Dialog, Trouble, Wanted};
use crate::ui::{live_bar, theme};

impl Desk {
    /// Begins a live capture, after the question whether an unsaved one may go.
    pub fn capture(&mut self, mut wish: Wish) {
        if wish.device.is_empty() {
            wish.device = self.likely_device();
        }
        self.leave(Leave::Capture(Box::new(wish)));
    }

    /// The interface used last, else the one that most likely carries traffic.
    fn likely_device(&self) -> String {
        let last = &self.state.saved.capture.device;
        let listed = || (self.machine.as_ref()?.devices)().ok()?.into_iter().next();
        if last.is_empty() { listed().map(|device| device.name).unwrap_or_default() } else { last.clone() }
    }

    /// Asks how to capture, beginning with what is given.
    pub fn choose_capture(&mut self, wish: &Wish) {
        self.options();
        if let Some(Dialog::Capture(options)) = &mut self.state.dialog {
            options.choice.filter.clone_from(&wish.filter);
            if !wish.device.is_empty() {
                options.choice.device.clone_from(&wish.device);
            }
        }
    }

    /// Whether the window may close now; where something is unsaved the question is on screen.
    pub fn may_close(&mut self) -> bool {
        if !self.quit {
            self.leave(Leave::Quit);
        }
        self.quit
    }

    /// Whether closing would lose frames, or what is said of them.
    pub fn unsaved(&self) -> bool {
        let frames = self.capture.newest().facts().capture.frames;
        self.live.as_ref().is_some_and(|live| live.unsaved(frames) || live.noted != self.capture.notes)
    }

    /// What the window is called.
    pub fn title(&self) -> String {
        if self.capture.source.is_none() {
            return "Nephoscope".to_owned();
        }
        let saved = if self.unsaved() { " (not saved)" } else { "" };
        format!("{}{saved} – Nephoscope", self.capture.name)
    }

    /// Makes an action of live captures happen.
    pub(super) fn live_action(&mut self, action: LiveAction) {
        match action {
            LiveAction::Options => self.options(),
            LiveAction::Start => self.start(),
            LiveAction::Capture(device) => self.capture_from(device),
            LiveAction::Toggle => self.toggle(),
            LiveAction::Restart => self.restart(),
            LiveAction::Pause => self.pause(),
            LiveAction::Follow => self.follow(),
            LiveAction::Mark => self.mark(),
            LiveAction::Unmark(number) => self.unmark(number),
            LiveAction::Marked(number) => self.marked(number),
            LiveAction::Refresh => {
                if let Some(watch) = &self.watch {
                    watch.refresh();
                }
            }
            LiveAction::Save => self.want_save(SaveWhat::All, None),
            LiveAction::SaveSome => self.save_some(),
            LiveAction::SaveRows { selected } => {
                self.state.dialog = None;
                self.want_save(if selected { SaveWhat::Selected } else { SaveWhat::Shown }, None);
            }
            LiveAction::SaveTo { path, wish, replace } => {
                self.state.dialog = None;
                self.save_to(path, wish, replace);
            }
            LiveAction::SaveThen(then) => {
                self.state.dialog = None;
                if let Some(live) = &mut self.live {
                    // Else frames would come that the file does not hold.
                    live.stop();
                }
                self.want_save(SaveWhat::All, Some(then));
            }
            LiveAction::DiscardThen(then) => {
                self.state.dialog = None;
                self.go_on(then);
            }
            LiveAction::Recover(folder) => self.leave(Leave::Recover(folder)),
            LiveAction::SaveOrphan(folder) => self.want_save(SaveWhat::LeftOver(folder), None),
            LiveAction::AskDelete(orphan) => self.state.dialog = Some(Dialog::Delete(orphan)),
            LiveAction::Delete(folder) => {
                self.state.dialog = None;
                self.delete(&folder);
            }
        }
    }

    /// Watches the interfaces while they are on screen, and takes what was seen.
    pub(super) fn watch(&mut self) {
        let listed = self.capture.source.is_none() || matches!(self.state.dialog, Some(Dialog::Capture(_)));
        match (&self.machine, &self.watch) {
            (Some(machine), None) if listed => match Watch::start(Arc::clone(machine), Arc::clone(&self.wake)) {
                Ok(watch) => self.watch = Some(watch),
                Err(error) => self.interfaces.devices = Some(Err(error.to_string())),
            },
            (_, Some(_)) if !listed => self.watch = None,
            _ => {}
        }
        if let Some(watch) = &self.watch {
            while let Ok(polled) = watch.polled.try_recv() {
                self.interfaces.take(polled);
            }
        }
    }

    /// Takes what the capture process says.
    pub(super) fn recorded(&mut self) {
        while let Some(live) = &self.live {
            match live.recording().events.try_recv() {
                Ok(event) => self.happened(event),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    if live.goes_on() {
                        self.ended(Some("the capture process is gone".to_owned()));
                    }
                    return;
                }
            }
        }
    }

    fn happened(&mut self, event: Recorded) {
        match event {
            Recorded::Started => self.started(),
            Recorded::Ended(why) => self.ended(why),
            Recorded::Failed { why, remedy } => self.failed(&why, remedy),
        }
    }

    fn started(&mut self) {
        let Some(live) = &mut self.live else { return };
        if live.stage == Stage::Starting {
            live.stage = Stage::Running;
        }
        // What can be captured from is worth remembering.
        self.state.saved.capture.device.clone_from(&live.wish.device);
        let source = Source::Live(live.recording().spool.clone());
        if self.engine.commands.try_send(Command::Open(OpenNo(self.capture.number), source)).is_err() {
            self.fail("read the capture", "the engine does not answer; stop, save, and start the program again");
        }
    }

    fn ended(&mut self, why: Option<String>) {
        let Some(live) = &mut self.live else { return };
        let never_began = live.stage == Stage::Starting;
        let asked = live.stage == Stage::Stopping;
        let device = live.device();
        let why = why.map(|why| clean_to(why.as_bytes(), 500).into_owned());
        live.stage = Stage::Ended(why.clone());
        if never_began {
            self.failed(why.as_deref().unwrap_or("the capture process ended before it began"), None);
        } else if let Some(why) = why.filter(|_| !asked) {
            let why = format!("The capture on {device} has ended: {why}. What was captured is kept");
            self.state.trouble = Some(Trouble { doing: String::new(), why, remedy: None });
        }
    }

    fn failed(&mut self, why: &str, remedy: Option<String>) {
        let Some(live) = &self.live else { return };
        let asked = live.stage == Stage::Stopping;
        let doing = format!("capture on {}", live.device());
        self.retire();
        self.forget();
        if !asked {
            self.fail(&doing, why);
            if let Some(trouble) = &mut self.state.trouble {
                trouble.remedy = remedy.map(|command| clean_to(command.as_bytes(), 1_000).into_owned());
            }
        }
    }

    /// Goes on to something else, or asks first where that would lose frames.
    pub(super) fn leave(&mut self, then: Leave) {
        if self.unsaved() {
            self.state.dialog = Some(Dialog::Unsaved(then));
        } else {
            self.go_on(then);
        }
    }

    /// Goes on to something else; a live capture is thrown away.
    pub(super) fn go_on(&mut self, then: Leave) {
        match then {
            Leave::Close => {
                if self.engine.commands.try_send(Command::Stop).is_ok() {
                    self.retire();
                    self.forget();
                }
            }
            Leave::Quit => {
                if let Some(live) = self.live.take()
                    && let Err(error) = live.throw_away()
                {
                    // Not the end: it is offered at the next start.
                    self.fail("delete the capture", &error.to_string());
                }
                self.quit = true;
            }
            Leave::Capture(wish) => self.begin(*wish),
            Leave::Open(path) => self.open(Source::File(path)),
            Leave::Merge(files) => self.open(Source::of_files(files)),
            Leave::Recover(folder) => self.recover(&folder),
        }
    }

    /// Throws the live capture away, if there is one.
    pub(super) fn retire(&mut self) {
        if let Some(live) = self.live.take()
            && let Err(error) = self.jobs.throw_away(live, &self.wake)
        {
            self.fail("delete the capture", &error.to_string());
        }
    }

    fn begin(&mut self, wish: Wish) {
        let Some(machine) = self.machine.clone() else { return };
        self.retire();
        if self.capture.reading {
            // Full only of commands that end in the same: what is opened next replaces what is read.
            let _full = self.engine.commands.try_send(Command::Stop);
        }
        self.forget();
        let wish = self.limited(wish);
        let wake = Arc::clone(&self.wake);
        let recording = (machine.record)(&wish, Box::new(move || wake()));
        self.begun(wish, recording);
    }

    /// A wish with the limit that the user set for all live captures.
    fn limited(&self, wish: Wish) -> Wish {
        match (wish.keep, self.state.preferences.live_limit_mib) {
            (Keep::All, limit @ 1..) => Wish { keep: Keep::UpTo(limit), ..wish },
            _ => wish,
        }
    }

    /// Reads a stream such as standard input while it comes, and keeps it as a live capture is kept.
    pub fn pipe(&mut self, stream: Box<dyn std::io::Read + Send>) {
        let wake = Arc::clone(&self.wake);
        let folder = self.state.preferences.live_folder.clone();
        let recording = machine::pipe(stream, folder.as_deref(), Box::new(move || wake()));
        self.begun(Wish { device: machine::PIPE.to_owned(), ..Wish::default() }, recording);
    }

    fn begun(&mut self, wish: Wish, recording: std::io::Result<Recording>) {
        match recording {
            Ok(recording) => {
                let live = Live::begun(wish, recording);
                self.show_live(live);
                self.state.table.follow = true;
            }
            Err(error) => {
                let device = clean_to(wish.device.as_bytes(), 40).into_owned();
                self.fail(&format!("capture on {device}"), &error.to_string());
            }
        }
    }

    fn show_live(&mut self, live: Live) {
        self.capture.source = Some(Source::Live(live.recording().spool.clone()));
        self.capture.name = live.device();
        self.capture.reading = true;
        self.capture.began = f64::NAN;
        self.live = Some(live);
    }

    fn recover(&mut self, folder: &Path) {
        let Some(machine) = self.machine.clone() else { return };
        let device = self.interfaces.orphans.iter().find(|orphan| orphan.folder == folder);
        let device = device.map(|orphan| orphan.device.clone()).unwrap_or_default();
        match (machine.adopt)(folder) {
            Ok(recording) => {
                self.retire();
                self.forget();
                let source = Source::Live(recording.spool.clone());
                self.show_live(Live::left_over(&device, recording));
                if self.engine.commands.try_send(Command::Open(OpenNo(self.capture.number), source)).is_err() {
                    self.fail("open the capture", "the engine does not answer; start the program again");
                }
            }
            Err(error) => self.fail("open the capture that was left behind", &error.to_string()),
        }
        self.look_again();
    }

    fn delete(&mut self, folder: &Path) {
        let Some(machine) = self.machine.clone() else { return };
        let gone = (machine.adopt)(folder).and_then(|recording| (recording.discard)());
        match gone {
            Ok(()) => self.interfaces.orphans.retain(|orphan| orphan.folder != folder),
            Err(error) => self.fail("delete the capture that was left behind", &error.to_string()),
        }
        self.look_again();
    }

    pub(super) fn look_again(&self) {
        if let Some(watch) = &self.watch {
            watch.refresh();
        }
    }

    fn options(&mut self) {
        if self.machine.is_none() {
            return;
        }
        let choice = self.state.saved.capture.clone();
        self.state.dialog = Some(Dialog::Capture(Box::new(CaptureOptions {
            first: choice.device.clone(),
            choice,
            session: remote_session_filter(),
            ..CaptureOptions::default()
        })));
    }

    fn start(&mut self) {
        let Some(Dialog::Capture(options)) = self.state.dialog.take() else { return };
        self.state.saved.capture = options.choice;
        self.capture(self.state.saved.capture.wish());
    }

    fn capture_from(&mut self, device: String) {
        self.capture(Wish { device, ..self.state.saved.capture.wish() });
    }

    fn toggle(&mut self) {
        match &mut self.live {
            Some(live) if live.goes_on() => live.stop(),
            None if self.capture.reading => {
                if self.engine.commands.try_send(Command::Stop).is_err() {
                    self.fail("stop", "the engine is busy; try again");
                }
            }
            Some(_) | None if self.state.saved.capture.device.is_empty() => self.options(),
            Some(_) | None => self.capture(self.state.saved.capture.wish()),
        }
    }

    fn restart(&mut self) {
        let Some(live) = &self.live else { return self.toggle_if_idle() };
        if !live.left_over {
            self.capture(live.wish.clone());
        }
    }

    fn toggle_if_idle(&mut self) {
        if !self.capture.reading {
            self.toggle();
        }
    }

    fn pause(&mut self) {
        if self.capture.paused.take().is_some() {
            if let Some(snapshot) = self.capture.held.take() {
                self.snapshot(snapshot);
            }
        } else if self.live.as_ref().is_some_and(Live::goes_on) {
            self.capture.paused = Some(self.capture.snapshot.facts().capture.frames);
        }
    }

    fn follow(&mut self) {
        if self.live.is_none() {
            return;
        }
        let follow = !self.state.table.follow;
        self.state.table.follow = follow;
        if follow {
            // The newest rows are the last ones in this order only.
            self.state.choice.sort.clear();
        }
    }

    /// Marks when something was done: now while a capture goes on, else when the selected exchange began.
    fn mark(&mut self) {
        let running = self.live.as_ref().is_some_and(|live| live.stage == Stage::Running);
        let now = self.machine.as_ref().filter(|_| running).map(|machine| (machine.now)());
        let selected = || self.state.selected.and_then(|row| self.capture.newest().row(row)).map(|row| row.time);
        let Some(moment) = now.or_else(selected) else {
            self.state.said = Some("Select the exchange that an action began with first".to_owned());
            return;
        };
        let known = self.capture.notes.actions().moments();
        let actions = Actions::new(known.iter().copied().chain([moment]));
        let number = actions.moments().partition_point(|known| *known <= moment);
        self.state.said = Some(format!("Action {number} at {} UTC", moment.time_of_day(1)));
        self.say_actions(actions);
    }

    /// Takes the mark of an action away; later ones move up.
    fn unmark(&mut self, number: usize) {
        let known = self.capture.notes.actions().moments().iter().enumerate();
        let actions = Actions::new(known.filter(|(at, _)| at + 1 != number).map(|(_, moment)| *moment));
        self.state.said = Some(format!("Action {number} is no longer marked"));
        self.say_actions(actions);
    }

    /// Asks for the desktop's dialog, one at a time.
    pub(super) fn want(&mut self, wanted: Wanted) {
        if self.state.dialog_open.is_none() {
            self.state.dialog_wanted = Some(wanted);
        }
    }

    pub(super) fn want_save(&mut self, what: SaveWhat, then: Option<Leave>) {
        let left_over = matches!(what, SaveWhat::LeftOver(_));
        if self.saving {
            self.fail("save", "another saving is under way");
        } else if left_over || self.capture.source.is_some() {
            self.want(Wanted::Save(SaveWish { what, then }));
        }
    }

    fn save_some(&mut self) {
        if self.capture.source.is_some() && !self.capture.snapshot.is_empty() {
            let several = !self.state.several.rows.is_empty();
            let selected = several || (self.state.selected.is_some() && self.state.choice.keeps_all());
            self.state.dialog = Some(Dialog::SaveSome { selected });
        }
    }

    pub(super) fn live_bar(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let Some(live) = &self.live else { return };
        let c = theme::colours(ui);
        let frames = self.capture.newest().facts().capture.frames;
        let seen = live_bar::Seen {
            live,
            unsaved: self.unsaved(),
            saving: self.saving,
            follow: self.state.table.follow,
            paused: self.capture.paused.map(|then| frames.saturating_sub(then)),
        };
        let margin = Margin { left: 12, right: 8, top: 0, bottom: 0 };
        Panel::top("live")
            .exact_size(live_bar::HEIGHT)
            .frame(Frame::NONE.fill(c.raised).inner_margin(margin))
            .show(ui, |ui| live_bar::show(ui, &seen, actions));
    }

    /// Words for a table without rows that only a live capture or an action needs.
    pub(super) fn no_rows_live(&self) -> Option<String> {
        if let Some(unknown) = self.state.filter.unknown_action(self.capture.snapshot.actions().len())
            && !self.capture.snapshot.is_empty()
        {
            return Some(format!("There is no action {unknown}. F9 marks one; Escape shows all rows again"));
        }
        let live = self.live.as_ref().filter(|_| self.capture.snapshot.is_empty())?;
        let device = live.device();
        match live.stage {
            Stage::Starting => Some(format!("Starting the capture on {device}…")),
            Stage::Running => Some(format!("Capturing on {device}; exchanges appear here as soon as they begin")),
            Stage::Stopping | Stage::Ended(_) => None,
        }
    }
}
