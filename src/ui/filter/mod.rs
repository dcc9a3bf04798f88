//! The filter box and the highlight box: what is typed, whether it can be read, and what it means.
//!
//! A text that cannot be read is shown as such and changes nothing: the last one that could be read goes on being applied.

mod cell;
mod memory;
mod popup;
mod row;

use core::ops::Range;

use egui::text::{CCursor, CCursorRange, LayoutJob, TextFormat};
use egui::{
    Align, CornerRadius, FontId, Id, Key, Layout, Modifiers, Rect, Sense, Stroke, StrokeKind, TextBuffer, Ui,
    UiBuilder, pos2, vec2,
};

use super::action::Action;
use super::theme::{self, Colours};
use super::{shapes, table};
use crate::store::filter::{Completion, Fault, Filter};

pub(crate) use cell::value as cell_filter;
pub use memory::{FilterMemory, KeptFilter};
pub(crate) use row::{HEIGHT, show as highlight_row};

/// Characters of a filter; a longer one was pasted by mistake.
const MOST_CHARS: usize = 1_024;

/// Which box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Rows are left out.
    Filter,
    /// Rows stand out.
    Highlight,
}

/// Something about the filter and the highlight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterAction {
    /// Put this text into the box.
    Set(Which, String),
    /// Put this test together with the filter.
    Refine(Filter, Join),
    /// Open or close the highlight box.
    Highlight,
    /// The filter was used: remember it.
    Used(String),
    /// Ask for a name for the filter.
    AskName,
    /// Keep a filter by that name; an older one of that name goes.
    Keep {
        /// What it is called.
        name: String,
        /// The filter.
        text: String,
    },
    /// Keep the filter of that name no longer.
    Drop(String),
    /// Forget the filters used lately.
    Forget,
}

/// How a test is put together with a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// In its place.
    Only,
    /// Both must hold.
    And,
    /// One must hold.
    Or,
    /// The filter must hold, the test must not.
    Not,
    /// The rows stand out; the filter stays.
    Highlight,
}

/// What is known of the text in a box.
#[derive(Debug, Default)]
pub(crate) struct FilterBox {
    /// The text that was read last, and what came of it.
    read: String,
    fault: Option<Fault>,
    /// The last text that could be read, and what it says.
    good: String,
    filter: Filter,
    meaning: String,
    /// Where the cursor is, in bytes; `None` without the focus.
    cursor: Option<usize>,
    /// What could be written, and for which text and cursor.
    completion: Option<(String, usize, Completion)>,
    /// The suggestion that the arrow keys stand at.
    chosen: Option<usize>,
    /// How far back in the filters used lately the text is from.
    recalled: Option<usize>,
    /// Where the popup was painted last.
    popup: Option<Rect>,
}

impl FilterBox {
    /// Reads the text where it is another one.
    pub(crate) fn read(&mut self, text: &str) {
        if self.read == text {
            return;
        }
        text.clone_into(&mut self.read);
        match Filter::parse(text) {
            Ok(filter) => {
                self.fault = None;
                self.meaning = filter.meaning();
                self.filter = filter;
                text.clone_into(&mut self.good);
            }
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// The last text that could be read.
    pub(crate) fn good(&self) -> &str {
        &self.good
    }

    /// What that says.
    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What is wrong with the text.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// An action that the filter names and that is not there, of so many.
    pub(crate) fn unknown_action(&self, actions: usize) -> Option<u64> {
        let actions = actions as u64;
        self.filter.actions().into_iter().find(|n| !(1..=actions).contains(n))
    }

    /// Text and cursor for which is not known yet what could be written.
    pub(crate) fn wants(&self) -> Option<(&str, usize)> {
        let cursor = self.cursor?;
        let known = self.completion.as_ref().is_some_and(|(text, at, _)| *text == self.read && *at == cursor);
        (!known).then_some((&*self.read, cursor))
    }

    /// Takes what could be written.
    pub(crate) fn complete(&mut self, text: String, cursor: usize, completion: Completion) {
        self.completion = Some((text, cursor, completion));
    }

    /// What could be written here, where something was typed that it goes on from. What was brought back is whole.
    fn suggestions(&self) -> Option<&Completion> {
        if self.recalled.is_some() {
            return None;
        }
        let (text, cursor, completion) = self.completion.as_ref()?;
        let fits = *text == self.read && Some(*cursor) == self.cursor && !completion.suggestions.is_empty();
        let begun = !completion.span.is_empty() || text.get(..*cursor).is_some_and(|t| t.ends_with([':', '=']));
        // What stands there in full already needs no help.
        let whole = completion.suggestions.len() == 1
            && completion.suggestions.first().is_some_and(|s| text.get(completion.span.clone()) == Some(&*s.text));
        (fits && begun && !whole).then_some(completion)
    }
}

/// What a box reads.
pub(crate) struct Seen<'a> {
    pub(crate) which: Which,
    pub(crate) memory: &'a FilterMemory,
    /// How many actions were marked.
    pub(crate) actions: usize,
}

/// The id of a box.
pub(crate) fn id(which: Which) -> Id {
    Id::unique(match which {
        Which::Filter => "filter box",
        Which::Highlight => "highlight box",
    })
}

/// Paints a box into `rect`, and what belongs under it while somebody types.
pub(crate) fn show(
    ui: &mut Ui,
    rect: Rect,
    seen: &Seen<'_>,
    (text, known): (&mut String, &mut FilterBox),
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let id = id(seen.which);
    known.read(text);
    let focused = ui.memory(|memory| memory.has_focus(id));
    if focused {
        keys(ui, seen, text, known, actions);
    }
    let line = match (known.fault(), focused) {
        (Some(_), _) => c.red,
        (None, true) => c.accent,
        (None, false) => c.edge,
    };
    ui.painter().rect(rect, CornerRadius::same(theme::CORNER), c.page, Stroke::new(1.0, line), StrokeKind::Inside);
    let noted = known.unknown_action(seen.actions).map_or(0.0, |unknown| note(ui, rect, unknown));
    shapes::lens(ui.painter(), pos2(rect.left() + 15.0, rect.center().y), c.quiet);
    let right = rect.right() - if text.is_empty() { 12.0 } else { 52.0 } - noted;
    let inside = Rect::from_min_max(pos2(rect.left() + 28.0, rect.top()), pos2(right, rect.bottom()));
    let faulty = known.fault().map(|fault| visible(text, &fault.span));
    let mut layouter = |ui: &Ui, text: &dyn TextBuffer, _wrap: f32| {
        let job = underlined(text.as_str(), faulty.as_ref(), theme::sans(theme::BODY), c);
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let hint = match seen.which {
        Which::Filter => "Filter, such as blob, host:icloud status>=400, size>10k",
        Which::Highlight => "Rows that stand out, such as operator:azure or is:error",
    };
    let edit = egui::TextEdit::singleline(text)
        .id(id)
        .hint_text(egui::RichText::new(hint).color(c.faint))
        .frame(egui::Frame::NONE)
        .char_limit(MOST_CHARS)
        .align(egui::Align2::LEFT_CENTER)
        .layouter(&mut layouter)
        .lock_focus(known.suggestions().is_some())
        .desired_width(inside.width());
    let mut inner = ui.new_child(UiBuilder::new().max_rect(inside).layout(Layout::left_to_right(Align::Center)));
    let output = edit.show(&mut inner);
    let response = output.response.response.accessible_name(match seen.which {
        Which::Filter => "Filter",
        Which::Highlight => "Highlight",
    });
    if response.changed() {
        known.read(text);
        known.chosen = None;
        known.recalled = None;
        if seen.which == Which::Filter {
            // Findings are never filtered: who filters wants the list.
            actions.push(Action::View(super::state::View::Exchanges));
        }
    }
    let cursor = output.cursor_range.map(|range| range.primary.index.into());
    let in_bytes = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    // Pressing the mouse in the popup takes the focus away before the click is done.
    let held = popup::is_held(ui, known);
    known.cursor = if response.has_focus() { cursor.map(in_bytes) } else { known.cursor.filter(|_| held) };
    if response.lost_focus() && !held && known.fault().is_none() && !text.trim().is_empty() {
        actions.push(Action::Filter(FilterAction::Used(text.trim().to_owned())));
    }
    // Down leaves the box for the table.
    if response.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowDown)) {
        ui.memory_mut(|memory| memory.request_focus(table::focus_id()));
    }
    if !text.is_empty() {
        buttons(ui, rect, seen, text, actions);
    }
    popup::show(ui, rect, seen, (text, known), actions);
}

/// Keys that the box takes before the text does.
fn keys(ui: &Ui, seen: &Seen<'_>, text: &mut String, known: &mut FilterBox, actions: &mut Vec<Action>) {
    let pressed = |key: Key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if let Some(completion) = known.suggestions() {
        let last = completion.suggestions.len().saturating_sub(1);
        if pressed(Key::ArrowDown) {
            known.chosen = Some(known.chosen.map_or(0, |at| (at + 1).min(last)));
            return;
        }
        if pressed(Key::ArrowUp) {
            known.chosen = known.chosen.and_then(|at| at.checked_sub(1));
            return;
        }
        let taken = if pressed(Key::Tab) {
            Some(known.chosen.unwrap_or(0))
        } else {
            known.chosen.filter(|_| pressed(Key::Enter))
        };
        if let Some(at) = taken {
            take(ui, seen, text, known, at);
        }
        return;
    }
    // Up in an empty box, and again, goes back through what was used.
    let from_memory = known.recalled.is_some_and(|at| seen.memory.history.get(at).is_some_and(|used| used == text));
    if !text.is_empty() && !from_memory {
        return;
    }
    let step = if pressed(Key::ArrowUp) {
        Some(known.recalled.filter(|_| from_memory).map_or(0, |at| at + 1))
    } else if from_memory && pressed(Key::ArrowDown) {
        known.recalled.and_then(|at| at.checked_sub(1)).or(Some(usize::MAX))
    } else {
        None
    };
    let Some(step) = step else { return };
    let used = seen.memory.history.get(step).cloned();
    if let Some(used) = used.or_else(|| (step == usize::MAX).then(String::new)) {
        known.recalled = (step != usize::MAX).then_some(step);
        *text = used;
        known.read(text);
        put_cursor(ui, seen.which, text, text.len());
        actions.push(Action::View(super::state::View::Exchanges));
    }
}

/// Writes a suggestion into the text.
fn take(ui: &Ui, seen: &Seen<'_>, text: &mut String, known: &mut FilterBox, at: usize) {
    let Some((of, _, completion)) = &known.completion else { return };
    let Some(suggestion) = completion.suggestions.get(at) else { return };
    let (Some(before), Some(after)) = (of.get(..completion.span.start), of.get(completion.span.end..)) else { return };
    // After a key its value follows; after a value the next test.
    let space = if suggestion.text.ends_with(':') || !after.is_empty() { "" } else { " " };
    let cursor = before.len() + suggestion.text.len() + space.len();
    *text = format!("{before}{}{space}{after}", suggestion.text);
    known.chosen = None;
    known.read(text);
    put_cursor(ui, seen.which, text, cursor);
}

/// Puts the cursor at a place in bytes, and the focus into the box.
fn put_cursor(ui: &Ui, which: Which, text: &str, at: usize) {
    let id = id(which);
    let chars = text.get(..at).unwrap_or(text).chars().count();
    let mut state = egui::TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(chars))));
    egui::TextEdit::store_state(ui.ctx(), id, state);
    ui.memory_mut(|memory| memory.request_focus(id));
    ui.ctx().request_repaint();
}

/// Star and cross at the right of a box with a text.
fn buttons(ui: &Ui, rect: Rect, seen: &Seen<'_>, text: &str, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let button = |from_right: f32, label: &str, tip: &str| {
        let place = Rect::from_center_size(pos2(rect.right() - from_right, rect.center().y), vec2(20.0, 20.0));
        let response = ui.interact(place, ui.scope_id().with((seen.which as u8, label)), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, label));
        let hot = response.hovered() || response.has_focus();
        let colour = if hot { c.text } else { c.quiet };
        (response.on_hover_text(tip).clicked(), place.center(), colour)
    };
    let (label, tip) = match seen.which {
        Which::Filter => ("Clear filter", "Show all rows again"),
        Which::Highlight => ("Clear highlight", "Let no row stand out"),
    };
    let (clicked, at, colour) = button(15.0, label, tip);
    shapes::cross(ui.painter(), at, colour);
    if clicked {
        actions.push(match seen.which {
            Which::Filter => Action::ClearFilter,
            Which::Highlight => Action::Filter(FilterAction::Set(Which::Highlight, String::new())),
        });
    }
    if seen.which == Which::Highlight {
        return;
    }
    let kept = seen.memory.kept.iter().find(|kept| kept.text == text.trim());
    let (label, tip) = match kept {
        Some(_) => ("Keep this filter no longer", "It is kept; click to drop it"),
        None => ("Keep this filter", "Keep it by a name; it is listed under the empty box"),
    };
    let (clicked, at, colour) = button(38.0, label, tip);
    shapes::star(ui.painter(), at, kept.is_some(), if kept.is_some() { c.amber } else { colour });
    if clicked {
        actions.push(Action::Filter(match kept {
            Some(kept) => FilterAction::Drop(kept.name.clone()),
            None => FilterAction::AskName,
        }));
    }
}

/// Says in the box that an action does not exist; gives the room that it takes.
fn note(ui: &Ui, rect: Rect, unknown: u64) -> f32 {
    let c = theme::colours(ui);
    let words = format!("no action {unknown}");
    let galley = ui.painter().layout_no_wrap(words.clone(), theme::sans(theme::SMALL), c.amber);
    let at = pos2(rect.right() - 54.0 - galley.size().x, (rect.center().y - galley.size().y / 2.0).round());
    let room = galley.size().x + 8.0;
    let place = Rect::from_min_size(at, galley.size());
    ui.painter().galley(at, galley, c.amber);
    let response = ui.interact(place, ui.scope_id().with("no action"), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Status, true, words.clone()));
    room
}

/// A place without width, made wide enough to be seen: the character before it.
fn visible(text: &str, span: &Range<usize>) -> Range<usize> {
    if !span.is_empty() {
        return span.clone();
    }
    let before = text.get(..span.start).and_then(|t| t.char_indices().next_back()).map_or(0, |(at, _)| at);
    before..span.end
}

/// A text with its faulty part underlined.
pub(crate) fn underlined(text: &str, fault: Option<&Range<usize>>, font: FontId, c: &Colours) -> LayoutJob {
    let plain = TextFormat::simple(font, c.text);
    let faulty = TextFormat { underline: Stroke::new(1.5, c.red), ..plain.clone() };
    let mut job = LayoutJob::default();
    let (from, to) = fault.map_or((text.len(), text.len()), |range| {
        let to = range.end.min(text.len());
        (range.start.min(to), to)
    });
    match (text.get(..from), text.get(from..to), text.get(to..)) {
        (Some(before), Some(within), Some(after)) => {
            job.append(before, 0.0, plain.clone());
            job.append(within, 0.0, faulty);
            job.append(after, 0.0, plain);
        }
        // A place inside a character marks the whole.
        _ => job.append(text, 0.0, faulty),
    }
    job
}
