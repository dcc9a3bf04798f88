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
use crate::ui::state::{Dialog, Fold, PathPurpose, Several, Tab, View, Wanted};
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
            Action::Merge(files) => {
                self.state.dialog = None;
                self.leave(Leave::Merge(files));
            }
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
                self.state.choice.sort_by(key);
                self.state.table.top = 0.0;
            }
            Action::SortAlso(key) => {
                self.state.choice.sort_also_by(key);
                self.state.table.top = 0.0;
            }
            Action::Select(row) => {
                self.leave_row();
                self.select(row);
            }
            Action::Among(row) => {
                if !self.chosen().contains(&row) {
                    self.leave_row();
                }
                self.select_among(row);
            }
            Action::Toggle(row) => self.select_too(row),
            Action::SelectTo(row) => self.select_to(row),
            Action::SelectAll => self.select_all(),
            Action::Move(step) => self.step(step),
            Action::Stretch(step) => self.stretch_by(step),
            Action::Column(column) => self.show_or_hide(column),
            Action::ResetColumns => self.reset_columns(),
            Action::HeaderColumn(side, name) => self.add_header_column(side, &name),
            Action::Columns(action) => self.columns_action(action),
            Action::Time(action) => self.time_action(ctx, action),
            Action::Tree(action) => self.tree_action(action),
            Action::Tab(tab) => {
                self.state.saved.tab = tab;
                self.state.saved.folded = false;
            }
            Action::Fold => self.state.saved.folded = !self.state.saved.folded,
            Action::Theme(theme) => {
                let now = Preferences { theme, ..self.state.preferences.clone() };
                self.prefer(ctx, now);
            }
            Action::Copy(text) => {
                ctx.copy_text(text);
                self.state.said = Some("Copied".to_owned());
            }
            Action::CopyRow => {
                let snapshot = &self.capture.snapshot;
                let rows = self.chosen().into_iter().filter_map(|id| Some((id, snapshot.row(id)?)));
                let lines: Vec<String> = rows.map(|(id, row)| table::spoken(snapshot, (id, &row))).collect();
                if !lines.is_empty() {
                    ctx.copy_text(lines.join("\n"));
                }
            }
            Action::Keys => self.state.dialog = Some(Dialog::Keys { text: String::new() }),
            Action::Palette => self.state.dialog = Some(Dialog::Palette { text: String::new(), at: 0 }),
            Action::AskFrame => self.state.dialog = Some(Dialog::Frame { text: String::new() }),
            Action::Wish(row, wish) => self.wish(row, wish),
            Action::TextSize(step) => self.text_size(ctx, step),
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
            Action::Conversation(action) => self.conversation_action(action),
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
            Goal::Back | Goal::Forward => None,
        }
    }

    fn go(&mut self, goal: Goal) {
        let selected = self.state.selected;
        let row = match goal {
            Goal::Back => self.state.left.pop(),
            Goal::Forward => self.state.ahead.pop(),
            Goal::Giver | Goal::Upload | Goal::Lookup | Goal::Row(_) => self.goal(goal),
        };
        let Some(row) = row else { return };
        match goal {
            Goal::Back => self.state.ahead.extend(selected),
            Goal::Forward => self.state.left.extend(selected),
            Goal::Giver | Goal::Upload | Goal::Lookup | Goal::Row(_) => self.leave_row(),
        }
        self.bring(row);
    }

    /// Goes to a row, from which one can come back.
    pub(super) fn go_to(&mut self, row: RowId) {
        if self.state.selected != Some(row) {
            self.leave_row();
        }
        self.bring(row);
    }

    /// The selected row is left for another one: one can come back to it, and what lay ahead is behind another road.
    fn leave_row(&mut self) {
        self.state.ahead.clear();
        if let Some(from) = self.state.selected
            && self.state.left.last() != Some(&from)
        {
            if self.state.left.len() >= LEFT {
                self.state.left.remove(0);
            }
            self.state.left.push(from);
        }
    }

    /// Selects a row, and brings it into view.
    fn bring(&mut self, row: RowId) {
        self.state.view = View::Exchanges;
        self.select(row);
        let place = self.capture.order.iter().position(|id| *id == row.0);
        let at = place.and_then(|place| self.line_of(place));
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

    /// Selects a row and no other.
    pub(super) fn select(&mut self, row: RowId) {
        self.state.several = Several::default();
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
        // A row that was clicked is near the top of what is visible; elsewhere the index says where it stands.
        let (first, count) = (table.top.floor() as usize, table.page.ceil() as usize + 2);
        self.state.tree.group = None;
        self.state.table.cursor = (first..first + count).find(|line| self.row_in(*line) == Some(row));
    }

    pub(super) fn step(&mut self, step: Move) {
        let len = self.lines();
        if len == 0 || self.state.dialog.is_some() {
            return;
        }
        let table = &self.state.table;
        let last = len - 1;
        let page = (table.page.floor() as isize - 1).max(1);
        let from = self.cursor();
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
        self.put_cursor(to, step);
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
        if !self.state.several.rows.is_empty() {
            self.state.several = Several::default();
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
