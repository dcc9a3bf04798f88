//! What the user does with the filter and the highlight.

use super::Desk;
use crate::store::filter::{Completion, Filter, Key};
use crate::ui::filter::{self, FilterAction, FilterBox, Join, Which};
use crate::ui::jobs::Ask;
use crate::ui::live::action_words;
use crate::ui::state::{Choice, Dialog, View};

impl Desk {
    /// Makes something of the filter and the highlight happen.
    pub(super) fn filter_action(&mut self, ctx: &egui::Context, action: FilterAction) {
        match action {
            FilterAction::Set(Which::Filter, text) => self.set_filter(text),
            FilterAction::Set(Which::Highlight, text) => self.state.choice.highlight = text,
            FilterAction::Refine(test, Join::Highlight) => {
                self.open_highlight();
                self.state.choice.highlight = test.to_string();
            }
            FilterAction::Refine(test, join) => {
                let now = self.filter();
                let filter = match join {
                    Join::Only | Join::Highlight => test,
                    Join::And => now.and(&test),
                    Join::Or => now.or(&test),
                    Join::Not => now.and(&test.not()),
                };
                self.set_filter(filter.to_string());
            }
            FilterAction::Highlight => {
                if self.state.highlight.take().is_some() {
                    self.state.choice.highlight.clear();
                } else {
                    self.open_highlight();
                    ctx.memory_mut(|memory| memory.request_focus(filter::id(Which::Highlight)));
                }
            }
            FilterAction::Used(text) => self.state.saved.filters.used(text),
            FilterAction::AskName => {
                let filter = self.state.choice.filter.trim().to_owned();
                if self.state.filter.fault().is_some() {
                    self.state.said = Some("A filter that cannot be read is not kept".to_owned());
                } else if !filter.is_empty() {
                    self.state.dialog = Some(Dialog::NameFilter { filter, name: String::new() });
                }
            }
            FilterAction::Keep { name, text } => {
                self.state.dialog = None;
                if !self.state.saved.filters.keep(&name, text) {
                    self.fail("keep the filter", "there are too many; drop one first");
                }
            }
            FilterAction::Drop(name) => self.state.saved.filters.drop(&name),
            FilterAction::Forget => self.state.saved.filters.history.clear(),
        }
    }

    fn set_filter(&mut self, text: String) {
        self.state.choice.filter = text;
        self.state.view = View::Exchanges;
        self.state.table.top = 0.0;
    }

    fn open_highlight(&mut self) {
        self.state.view = View::Exchanges;
        self.state.highlight.get_or_insert_default();
    }

    /// What the filter box says; where it cannot be read, what it said last: those rows are the ones shown.
    fn filter(&mut self) -> Filter {
        self.state.filter.read(&self.state.choice.filter);
        self.state.filter.filter().clone()
    }

    /// Shows the rows of an action, or of all again.
    pub(super) fn marked(&mut self, number: usize) {
        let now = self.filter();
        let on = now.actions().contains(&(number as u64));
        let rest = now.without(Key::Action);
        let action = Filter::parse(&action_words(number)).unwrap_or_default();
        self.state.choice.filter = if on { rest } else { action.and(&rest) }.to_string();
        self.state.view = View::Exchanges;
    }

    /// What is chosen, with the last texts that could be read in place of those that cannot.
    pub(super) fn applied(&mut self) -> Choice {
        let state = &mut self.state;
        state.filter.read(&state.choice.filter);
        let highlight = state.highlight.as_mut().map(|known| {
            known.read(&state.choice.highlight);
            known.good().to_owned()
        });
        let filter = state.filter.good().to_owned();
        Choice { filter, highlight: highlight.unwrap_or_default(), ..state.choice.clone() }
    }

    fn known(&mut self, which: Which) -> Option<&mut FilterBox> {
        match which {
            Which::Filter => Some(&mut self.state.filter),
            Which::Highlight => self.state.highlight.as_mut(),
        }
    }

    /// Asks what could be written where somebody types.
    pub(super) fn ask_completion(&mut self) {
        if self.busy.completion.is_some() {
            return;
        }
        for which in [Which::Filter, Which::Highlight] {
            let wanted = self.known(which).and_then(|known| known.wants());
            let Some((text, cursor)) = wanted.map(|(text, cursor)| (text.to_owned(), cursor)) else { continue };
            let snapshot = self.capture.snapshot.clone();
            let asked = self.jobs.ask(Ask::Complete { which, text, cursor, snapshot });
            self.busy.completion = asked.then_some(which);
            return;
        }
    }

    /// Takes what could be written.
    pub(super) fn completed(&mut self, which: Which, (text, cursor): (String, usize), completion: Completion) {
        self.busy.completion = None;
        if let Some(known) = self.known(which) {
            known.complete(text, cursor, completion);
        }
    }
}
