//! Lines or cells that are one stop of the Tab key together: arrows go from one to the next.
//!
//! A head of forty lines would else take forty presses to get past.

use core::cell::Cell;

use egui::style::ScrollAnimation;
use egui::{FocusDirection, Id, Key, Modifiers, Response, Sense, Ui};

/// Lines that Page Up and Page Down go past.
const PAGE: usize = 10;

/// Which arrows go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Along {
    /// Left and Right.
    Across,
    /// Up and Down, page by page too.
    Down,
}

/// Brings what the Tab key came to into view, where it is scrolled out.
pub(crate) fn follow(response: &Response) {
    if response.gained_focus() {
        response.scroll_to_me_animation(None, ScrollAnimation::none());
    }
}

/// What is remembered from one frame to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    /// Which of them the Tab key stops at.
    now: usize,
    /// What had the focus last of all that belongs here.
    held: Option<Id>,
    /// The focus is to go to `now` as soon as that is drawn.
    wanted: bool,
}

/// The stop that some lines or cells share.
pub(crate) struct Roving {
    id: Id,
    kept: Cell<Kept>,
    /// One of them had the focus when the frame began.
    focused: bool,
    /// What had it was drawn again.
    met: Cell<bool>,
}

impl Roving {
    /// Of so many, not all of which have to be stops; goes on where an arrow was pressed.
    pub(crate) fn new(ui: &Ui, id: Id, along: Along, len: usize, is_stop: impl Fn(usize) -> bool) -> Self {
        let mut kept: Kept = ui.data(|data| data.get_temp(id)).unwrap_or_default();
        let before = |at: usize| (0..at.min(len)).rev().find(|at| is_stop(*at));
        let after = |at: usize| (at..len).find(|at| is_stop(*at));
        let nearest = |at: usize| after(at).or_else(|| before(at));
        kept.now = nearest(kept.now).unwrap_or(0);
        let focused = kept.held.is_some_and(|held| ui.memory(|memory| memory.has_focus(held)));
        if focused {
            let mut to = kept.now;
            let mut took = false;
            let mut press = |key: Key, step: &dyn Fn(usize) -> Option<usize>| {
                let times = ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
                for _ in 0..times {
                    took = true;
                    to = step(to).unwrap_or(to);
                }
            };
            let (back, on) = match along {
                Along::Across => (Key::ArrowLeft, Key::ArrowRight),
                Along::Down => (Key::ArrowUp, Key::ArrowDown),
            };
            press(back, &|at| before(at));
            press(on, &|at| after(at + 1));
            press(Key::Home, &|_| after(0));
            press(Key::End, &|_| before(len));
            if along == Along::Down {
                press(Key::PageUp, &|at| nearest(at.saturating_sub(PAGE)));
                press(Key::PageDown, &|at| after(at + PAGE).or_else(|| before(len)));
            }
            if took {
                // The focus goes nowhere else by the same press.
                ui.memory_mut(|memory| memory.move_focus(FocusDirection::None));
            }
            kept.wanted |= to != kept.now;
            kept.now = to;
        }
        Self { id, kept: Cell::new(kept), focused, met: Cell::new(false) }
    }

    /// The one that the Tab key stops at: it is drawn even where it is scrolled out of view.
    pub(crate) fn at(&self) -> usize {
        self.kept.get().now
    }

    /// The one that gets the focus in this frame, and has to be brought into view.
    pub(crate) fn goes_to(&self) -> Option<usize> {
        let kept = self.kept.get();
        kept.wanted.then_some(kept.now)
    }

    /// What one of them senses; `own` is the id that it will have.
    pub(crate) fn sense(&self, ui: &Ui, at: usize, own: Id) -> Sense {
        let stops = self.at() == at || ui.memory(|memory| memory.has_focus(own));
        if stops { Sense::click() } else { Sense::CLICK }
    }

    /// Takes note of one that was drawn.
    pub(crate) fn drawn(&self, at: usize, response: &Response) {
        let mut kept = self.kept.get();
        if kept.wanted && kept.now == at {
            kept.wanted = false;
            response.request_focus();
            response.scroll_to_me_animation(None, ScrollAnimation::none());
        }
        if kept.held == Some(response.id) {
            self.met.set(true);
        }
        let has = response.ctx.memory(|memory| memory.has_focus(response.id));
        // What the focus goes to may be drawn only later.
        if !kept.wanted && (has || response.clicked() || response.secondary_clicked()) {
            kept.now = at;
        }
        if has {
            kept.held = Some(response.id);
            self.met.set(true);
            follow(response);
        }
        self.kept.set(kept);
    }

    /// Remembers where the stop is. Where what had the focus is gone, its neighbour gets it.
    pub(crate) fn keep(self, ui: &Ui) {
        let mut kept = self.kept.get();
        if self.focused && !self.met.get() {
            kept.wanted = true;
            ui.ctx().request_repaint();
        }
        ui.data_mut(|data| data.insert_temp(self.id, kept));
    }
}
