//! What an action does: the one place where things happen.

use std::path::PathBuf;

use super::{Desk, Of};
use crate::case::Preferences;
use crate::engine::Command;
use crate::model::ProviderId;
use crate::store::RowId;
use crate::ui::action::{Action, CompareAction, ExportAction, Goal, Move};
use crate::ui::jobs::Take;
use crate::ui::live::{Leave, SaveWhat};
use crate::ui::panes::messages::MessagesState;
use crate::ui::state::{Dialog, Fold, PathPurpose, Saved, Tab, View, Wanted};
use crate::ui::{filter, table};

/// Rows remembered for going back.
const LEFT: usize = 100;

impl Desk {
    /// Makes an action happen.
    pub(super) fn apply(&mut self, ctx: &egui::Context, action: Action) {
        if needs_list(&action) {
            self.state.view = View::Exchanges;
        }
        self.state.said = None;
        match action {
            Action::Open => self.want(Wanted::Open),
            Action::AskPath => {
                self.state.dialog = Some(Dialog::Path { text: String::new(), note: None, purpose: PathPurpose::Open });
            }
            Action::OpenPath(path) => self.open_path(path),
            Action::Given(files) => self.give(files, Take::ByContent),
            Action::Verify => self.want(Wanted::Verify),
            Action::VerifyPath(path) => self.give(vec![path], Take::ToVerify),
            Action::KeyLog => self.want(Wanted::KeyLog),
            Action::KeyLogPath(path) => self.give(vec![path], Take::ToDecrypt),
            Action::NoKeyLog => self.use_no_keys(),
            Action::Stop => {
                if self.engine.commands.try_send(Command::Stop).is_err() {
                    self.fail("stop", "the engine is busy; try again");
                }
            }
            Action::Close => self.leave(Leave::Close),
            Action::Quit => self.leave(Leave::Quit),
            Action::Live(action) => self.live_action(action),
            Action::FocusFilter => ctx.memory_mut(|memory| memory.request_focus(filter::id(filter::Which::Filter))),
            Action::ClearFilter => {
                self.state.choice.clear();
                self.state.table.reveal = true;
            }
            Action::Filter(action) => self.filter_action(ctx, action),
            Action::Provider(provider) => self.provider(provider),
            Action::Range(range) => {
                self.state.choice.range = range;
                self.state.table.top = 0.0;
            }
            Action::Sort(key) => {
                let choice = &mut self.state.choice;
                choice.descending = choice.sort == key && !choice.descending;
                choice.sort = key;
                self.state.table.top = 0.0;
            }
            Action::Select(row) => {
                self.state.left.clear();
                self.select(row);
            }
            Action::Move(step) => self.step(step),
            Action::Column(column) => {
                let hidden = &mut self.state.saved.hidden;
                if hidden.contains(&column) {
                    hidden.retain(|c| *c != column);
                } else if hidden.len() + 1 < table::Column::ALL.len() {
                    hidden.push(column);
                }
            }
            Action::ResetColumns => {
                let fresh = Saved::default();
                self.state.saved.hidden = fresh.hidden;
                self.state.saved.widths = fresh.widths;
            }
            Action::Tab(tab) => {
                self.state.saved.tab = tab;
                self.state.saved.folded = false;
            }
            Action::Fold => self.state.saved.folded = !self.state.saved.folded,
            Action::Theme(theme) => {
                let now = Preferences { theme, ..self.state.preferences.clone() };
                self.prefer(ctx, now);
            }
            Action::Copy(text) => ctx.copy_text(text),
            Action::CopyRow => {
                let snapshot = &self.capture.snapshot;
                if let Some(id) = self.state.selected
                    && let Some(row) = snapshot.row(id)
                {
                    ctx.copy_text(table::spoken(snapshot, (id, &row)));
                }
            }
            Action::Keys => self.state.dialog = Some(Dialog::Keys),
            Action::Escape => self.escape(ctx),
            Action::DismissTrouble => self.state.trouble = None,
            Action::ForgetRecent => self.state.saved.recent.clear(),
            Action::BodySide(side) => self.state.body_side = Some(side),
            Action::BodyMode(mode) => self.state.body_mode = mode,
            Action::Message(place) => self.state.messages.choose(place),
            Action::Picture(side) => self.wants_picture = Some(side),
            Action::Frame(frame) => {
                self.state.frame = Some(frame);
                self.state.saved.tab = Tab::Frames;
                self.state.saved.folded = false;
            }
            Action::Line(line) => {
                self.state.saved.tab = Tab::Evidence;
                self.state.wanted_line = Some(line);
                self.state.lit_next = Some(line);
                ctx.request_repaint();
            }
            Action::View(view) => {
                self.state.view = view;
                if view == View::Compare && !self.compares() {
                    self.state.view = View::Exchanges;
                    self.compare_action(CompareAction::Ask);
                }
                if view == View::Picture {
                    self.view_picture();
                }
            }
            Action::Compare(action) => self.compare_action(action),
            Action::Compose(action) => self.picture_action(ctx, action),
            Action::Note(action) => self.note_action(action),
            Action::Preferences(action) => self.preferences_action(ctx, action),
            Action::Export(ExportAction::Ask) => self.ask_export(),
            Action::Export(ExportAction::Choose(choice)) => {
                self.state.dialog = None;
                self.want_save(SaveWhat::Rows(choice), None);
            }
            Action::Site(site, provider) => {
                self.state.choice.clear();
                self.state.choice.site = Some(site);
                self.state.choice.provider = provider;
                self.state.view = View::Exchanges;
                self.state.table.top = 0.0;
            }
            Action::Go(goal) => self.go(goal),
            Action::Unfold(fold) => {
                let open = self.state.open(fold);
                self.state.unfolded.retain(|f| *f != fold);
                if !open {
                    self.state.unfolded.push(fold);
                }
                if fold == Fold::BreakIt && !open {
                    self.state.saved.tab = Tab::Readings;
                    self.state.saved.folded = false;
                }
            }
        }
    }

    /// Where a goal of the selected exchange stands.
    fn goal(&self, goal: Goal) -> Option<RowId> {
        let selected = self.state.selected?;
        let shown = match &self.capture.shown {
            Some(Of { row, result: Ok(shown), .. }) if *row == selected => shown,
            Some(_) | None => return None,
        };
        match goal {
            Goal::Giver => {
                let given = shown.record.verdict.handed_out.as_ref()?;
                self.capture.snapshot.giver(given.giver)
            }
            Goal::Upload => shown.story.first_write.as_ref().map(|(row, _)| *row),
            Goal::Lookup => shown.story.way.lookup.as_ref().and_then(|lookup| lookup.row),
            Goal::Row(row) => Some(row),
            Goal::Back => None,
        }
    }

    fn go(&mut self, goal: Goal) {
        let row = if goal == Goal::Back { self.state.left.pop() } else { self.goal(goal) };
        let Some(row) = row else { return };
        if goal != Goal::Back
            && let Some(from) = self.state.selected
        {
            if self.state.left.len() >= LEFT {
                self.state.left.remove(0);
            }
            self.state.left.push(from);
        }
        self.state.view = View::Exchanges;
        self.select(row);
        let at = self.capture.order.iter().position(|id| *id == row.0);
        self.state.table.cursor = at;
        self.state.table.reveal = at.is_some();
        if at.is_none() {
            // The filter hides it: what was asked for goes before what is filtered.
            self.state.choice.clear();
            self.capture.reveal = true;
        }
    }

    fn open_path(&mut self, path: PathBuf) {
        self.state.dialog = None;
        self.leave(Leave::Open(path));
    }

    fn provider(&mut self, provider: Option<ProviderId>) {
        self.state.choice.provider = provider;
        self.state.table.top = 0.0;
    }

    pub(super) fn select(&mut self, row: RowId) {
        if self.state.selected != Some(row) {
            self.state.selected = Some(row);
            self.state.frame = None;
            self.state.body_side = None;
            self.state.messages = MessagesState::default();
            self.state.wanted_line = None;
            self.wants_picture = None;
            self.capture.picture = None;
        }
        let table = &mut self.state.table;
        // What is selected is read: it stays where it is.
        table.follow = false;
        let order = &self.capture.order;
        // A row that was clicked is near the top of what is visible; elsewhere the index says where it stands.
        let first = table.top.floor() as usize;
        let near = order.iter().skip(first).take(table.page.ceil() as usize + 2).position(|id| *id == row.0);
        table.cursor = near.map(|at| first + at);
    }

    fn step(&mut self, step: Move) {
        let len = self.capture.order.len();
        if len == 0 || self.state.dialog.is_some() {
            return;
        }
        let table = &self.state.table;
        let last = len - 1;
        let page = (table.page.floor() as isize - 1).max(1);
        let from = table.cursor.filter(|at| self.capture.order.get(*at).map(|id| RowId(*id)) == self.state.selected);
        let move_by = |by: isize| match from {
            Some(at) => at.saturating_add_signed(by).min(last),
            None => (table.top.ceil() as usize).min(last),
        };
        let to = match step {
            Move::By(by) => move_by(by),
            Move::Page(by) => move_by(by.saturating_mul(page)),
            Move::First => 0,
            Move::Last => last,
        };
        if let Some(id) = self.capture.order.get(to) {
            self.select(RowId(*id));
            self.state.table.follow = step == Move::Last;
            self.state.table.cursor = Some(to);
            self.state.table.reveal = true;
        }
    }

    fn escape(&mut self, ctx: &egui::Context) {
        if self.state.dialog.take().is_some() {
            return;
        }
        if self.state.trouble.take().is_some() {
            return;
        }
        if self.state.view != View::Exchanges {
            self.state.view = View::Exchanges;
            return;
        }
        if self.state.choice.keeps_all() {
            ctx.memory_mut(|memory| memory.request_focus(table::focus_id()));
        } else {
            self.state.choice.clear();
            self.state.table.reveal = true;
        }
    }
}

/// Whether what an action changes stands beside the list only.
fn needs_list(action: &Action) -> bool {
    matches!(
        action,
        Action::FocusFilter | Action::Tab(_) | Action::Fold | Action::Frame(_) | Action::Line(_) | Action::Unfold(_)
    )
}
