//! The picture that is being composed, and its history. Plain data.

use egui::Id;

use crate::case::{Anchor, Annotation, Plan, Section};
use crate::store::RowId;

/// States that can be gone back to.
const UNDONE: usize = 200;

/// What is composed: the plan, and the rows that it shows whole. The plan's own references are made when it is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) plan: Plan,
    pub(crate) rows: Vec<RowId>,
}

/// A step of an exchange in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Up,
    Down,
    Out,
}

impl Document {
    /// Moves an exchange or takes it out. What was drawn on it goes with it: a redaction must never come to lie elsewhere.
    pub(crate) fn step(&mut self, at: usize, step: Step) {
        let other = match step {
            Step::Up => at.checked_sub(1),
            Step::Down => Some(at + 1).filter(|below| *below < self.rows.len()),
            Step::Out => None,
        };
        match (step, other) {
            (Step::Up | Step::Down, Some(other)) if at < self.rows.len() => {
                self.rows.swap(at, other);
                self.plan.annotations.retain_mut(|annotation| {
                    moved(annotation, |n| {
                        Some(if n == at {
                            other
                        } else if n == other {
                            at
                        } else {
                            n
                        })
                    })
                });
            }
            (Step::Out, _) if at < self.rows.len() => {
                self.rows.remove(at);
                self.plan.annotations.retain_mut(|annotation| {
                    moved(annotation, |n| if n == at { None } else { Some(if n > at { n - 1 } else { n }) })
                });
            }
            _ => {}
        }
    }
}

/// Gives what stands on an exchange its new number; false where the exchange is gone.
fn moved(annotation: &mut Annotation, to: impl Fn(usize) -> Option<usize>) -> bool {
    let Anchor::Section { exchange, section } = &mut annotation.anchor else { return true };
    if *section == Section::List {
        return true;
    }
    let Some(n) = to(usize::from(*exchange)).and_then(|n| u16::try_from(n).ok()) else { return false };
    *exchange = n;
    true
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

    use super::{Document, History, Step};
    use crate::case::{Anchor, Annotation, Colour, Point, Section, Shape, Weight};
    use crate::store::RowId;

    fn on(exchange: u16) -> Annotation {
        Annotation {
            anchor: Anchor::Section { exchange, section: Section::Request },
            shape: Shape::Number { at: Point::default(), number: exchange },
            colour: Colour::Red,
            weight: Weight::Thin,
            other: serde_json::Map::default(),
        }
    }

    /// Which exchange each annotation stands on, by the one that it was drawn on.
    #[track_caller]
    fn check(at: usize, step: Step, rows: &[u32], want: &[(u16, u16)]) {
        let mut document = Document { rows: vec![RowId(10), RowId(11), RowId(12)], ..Document::default() };
        document.plan.annotations = vec![on(0), on(1), on(2)];
        document.step(at, step);
        assert_eq!(document.rows, rows.iter().map(|id| RowId(*id)).collect::<Vec<_>>());
        let stands = |a: &Annotation| match (&a.shape, a.anchor) {
            (Shape::Number { number, .. }, Anchor::Section { exchange, .. }) => (*number, exchange),
            _ => (u16::MAX, u16::MAX),
        };
        assert_eq!(document.plan.annotations.iter().map(stands).collect::<Vec<_>>(), want);
    }

    #[test]
    fn what_is_drawn_on_an_exchange_goes_with_it() {
        check(0, Step::Down, &[11, 10, 12], &[(0, 1), (1, 0), (2, 2)]);
        check(2, Step::Up, &[10, 12, 11], &[(0, 0), (1, 2), (2, 1)]);
        check(0, Step::Out, &[11, 12], &[(1, 0), (2, 1)]);
        check(2, Step::Down, &[10, 11, 12], &[(0, 0), (1, 1), (2, 2)]);
        check(0, Step::Up, &[10, 11, 12], &[(0, 0), (1, 1), (2, 2)]);
    }

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
