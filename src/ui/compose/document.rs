//! The picture that is being composed, and its history. Plain data.

use egui::Id;

use crate::case::Plan;
use crate::store::RowId;

/// States that can be gone back to.
const UNDONE: usize = 200;

/// What is composed: the plan, and the rows that it shows whole. The plan's own references are made when it is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) plan: Plan,
    pub(crate) rows: Vec<RowId>,
}

/// What was before, and what was undone.
#[derive(Debug, Default)]
pub(crate) struct History {
    done: Vec<Document>,
    undone: Vec<Document>,
    /// The drag or the text box that made the last change: what it changes further is the same step.
    held: Option<Id>,
}

impl History {
    /// Takes note of a change from `before` to `now`. `hold` names the drag or text box that is at it.
    pub(crate) fn note(&mut self, before: &Document, now: &Document, hold: Option<Id>) {
        if before != now {
            if hold.is_none() || hold != self.held {
                if self.done.len() >= UNDONE {
                    self.done.remove(0);
                }
                self.done.push(before.clone());
            }
            self.undone.clear();
            self.held = hold;
        } else if hold != self.held {
            self.held = None;
        }
    }

    pub(crate) fn undo(&mut self, now: &mut Document) {
        if let Some(before) = self.done.pop() {
            self.undone.push(std::mem::replace(now, before));
            self.held = None;
        }
    }

    pub(crate) fn redo(&mut self, now: &mut Document) {
        if let Some(after) = self.undone.pop() {
            self.done.push(std::mem::replace(now, after));
            self.held = None;
        }
    }

    pub(crate) fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    pub(crate) fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use egui::Id;

    use super::{Document, History};

    fn titled(title: &str) -> Document {
        let mut document = Document::default();
        document.plan.title = title.to_owned();
        document
    }

    #[test]
    fn what_one_box_types_is_one_step() {
        let mut history = History::default();
        let typing = Some(Id::unique("title"));
        let mut now = titled("");
        for next in ["a", "ab", "abc"] {
            let next = titled(next);
            history.note(&now, &next, typing);
            now = next;
        }
        history.note(&now, &now, None);
        let other = titled("abcd");
        history.note(&now, &other, typing);
        now = other;
        history.undo(&mut now);
        assert_eq!(now.plan.title, "abc");
        history.undo(&mut now);
        assert_eq!(now.plan.title, "");
        assert!(!history.can_undo());
        history.redo(&mut now);
        history.redo(&mut now);
        assert_eq!(now.plan.title, "abcd");
        assert!(!history.can_redo());
    }
}
