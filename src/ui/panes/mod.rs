//! What lies below the table: everything about the selected row.

mod area;
mod body;
pub(crate) mod card;
pub(crate) mod connection;
pub(crate) mod evidence;
mod frames;
pub(crate) mod head;
mod hex;
pub(crate) mod messages;
pub(crate) mod parts;
pub(crate) mod path;
pub(crate) mod readings;

use std::sync::Arc;

use egui::{Align, CornerRadius, Layout, Rect, Role, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::action::{self, Action, NoteAction};
use super::app::PictureShown;
use super::prepared::{Prepared, Shown};
use super::state::{State, Tab};
use super::{shapes, table, theme};
use crate::model::Detail;
use crate::store::Note;

/// What the panes read.
pub(crate) struct Seen<'a> {
    /// Whether there are rows to choose from.
    pub(crate) rows: bool,
    /// What the user says of the selected row.
    pub(crate) note: Option<&'a Note>,
    /// The selected row's record, once it is there.
    pub(crate) shown: Option<&'a Result<Arc<Shown>, String>>,
    /// Bodies and frames, once they are there.
    pub(crate) detail: Option<&'a Result<Arc<Prepared>, String>>,
    /// The decoded picture of a body.
    pub(crate) picture: Option<&'a PictureShown>,
}

/// Height of the tab bar in points.
pub(crate) const TABS: f32 = 32.0;

/// Paints tab bar and pane.
pub(crate) fn show(ui: &mut Ui, seen: &Seen<'_>, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(all);
    ui.painter().rect_filled(all, CornerRadius::ZERO, c.page);
    let bar = Rect::from_min_max(all.min, pos2(all.right(), all.top() + TABS));
    tabs(ui, bar, seen, state, actions);
    let mut pane = Rect::from_min_max(pos2(all.left(), bar.bottom()), all.max);
    if state.saved.folded || pane.height() < 8.0 {
        return;
    }
    if let Some(note) = seen.note {
        pane.min.y += said(ui, pane, note, actions);
    }
    let mut inner = ui.new_child(UiBuilder::new().max_rect(pane).layout(Layout::top_down(Align::Min)));
    inner.set_clip_rect(pane.intersect(ui.clip_rect()));
    let ui = &mut inner;
    match seen.shown {
        None if state.selected.is_none() && seen.rows => empty(ui, "Select an exchange to see who answered, and why"),
        None => {}
        Some(Err(why)) => empty(ui, &format!("This exchange could not be read again: {why}")),
        Some(Ok(shown)) => match state.saved.tab {
            Tab::Evidence => evidence::show(ui, shown, state, actions),
            Tab::Path => path::show(ui, shown, state, actions),
            Tab::Readings => readings::show(ui, shown, state, actions),
            Tab::Body => body::show(ui, shown, seen, state, actions),
            Tab::Messages => messages::show(ui, shown, seen.detail, state, actions),
            Tab::Connection => connection::show(ui, shown, actions),
            Tab::Frames => frames::show(ui, shown, seen.detail, state, actions),
        },
    }
}

/// Whether the selected exchange opened a WebSocket.
fn opens_websocket(seen: &Seen<'_>) -> bool {
    let Some(Ok(shown)) = seen.shown else { return false };
    matches!(&shown.record.exchange.detail, Detail::Http(http) if http.websocket.is_some())
}

/// Whether a HAR file tells of the selected exchange.
fn is_told(seen: &Seen<'_>) -> bool {
    matches!(seen.shown, Some(Ok(shown)) if shown.record.exchange.reported.is_some())
}

fn tabs(ui: &mut Ui, bar: Rect, seen: &Seen<'_>, state: &State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let painter = ui.painter().clone();
    painter.rect_filled(bar, CornerRadius::ZERO, c.surface);
    painter.hline(bar.x_range(), bar.bottom() - 0.5, Stroke::new(1.0, c.line));
    let mut x = bar.left() + 4.0;
    for tab in Tab::ALL {
        let Some(entry) = action::entry(&Action::Tab(tab)) else { continue };
        let on = state.saved.tab == tab && !state.saved.folded;
        // A HAR file has no frames.
        let (label, tip) = if tab == Tab::Frames && is_told(seen) {
            ("Entry", "What the HAR file says of the exchange, as it stands there")
        } else {
            (entry.label, entry.tip)
        };
        // Most exchanges open no WebSocket: then there is nothing behind this one.
        if tab == Tab::Messages && !on && !opens_websocket(seen) {
            continue;
        }
        let galley = painter.layout_no_wrap(label.to_owned(), theme::strong(theme::BODY), c.text);
        let rect = Rect::from_min_size(pos2(x, bar.top()), vec2(galley.size().x + 20.0, bar.height()));
        let response = ui.interact(rect, ui.scope_id().with(("tab", entry.label)), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, on, label));
        let colour = if on || response.hovered() { c.text } else { c.quiet };
        painter.galley_with_override_text_color(
            pos2(x + 10.0, (rect.center().y - galley.size().y / 2.0).round()),
            galley,
            colour,
        );
        if on {
            let line = Rect::from_min_max(pos2(x + 10.0, bar.bottom() - 2.5), pos2(rect.right() - 10.0, bar.bottom()));
            painter.rect_filled(line, CornerRadius::same(1), c.accent);
        }
        if response.clicked() {
            actions.push(Action::Tab(tab));
        }
        let _shown = response.on_hover_text(action::with_key(ui.ctx(), tip, entry.key));
        x = rect.right();
    }
    let room = Rect::from_min_max(pos2(x + 12.0, bar.top()), pos2(bar.right() - 8.0, bar.bottom()));
    let mut side = ui.new_child(UiBuilder::new().max_rect(room).layout(Layout::right_to_left(Align::Center)));
    let label = if state.saved.folded { "Show" } else { "Fold" };
    let fold = side.add(theme::small(label).frame_when_inactive(false));
    if fold.on_hover_text("Give the table the whole window, or bring the panes back").clicked() {
        actions.push(Action::Fold);
    }
    if let Some(Ok(shown)) = seen.shown {
        let e = &shown.record.exchange;
        let words = match e.reported {
            Some(_) => format!("entry {}  →  {}", e.first_frame, e.server),
            None => format!("{}  →  {}", e.client, e.server),
        };
        side.add_space(8.0);
        side.add(
            egui::Label::new(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet)).truncate(),
        );
    }
}

/// A line with what the user says of the row; gives its height.
fn said(ui: &mut Ui, pane: Rect, note: &Note, actions: &mut Vec<Action>) -> f32 {
    let c = theme::colours(ui);
    let line = Rect::from_min_size(pane.min, vec2(pane.width(), 28.0));
    ui.painter().rect_filled(line, CornerRadius::ZERO, theme::Colours::tint(c.page, c.amber, 0.14));
    let room = line.shrink2(vec2(12.0, 2.0));
    let mut inner = ui.new_child(UiBuilder::new().max_rect(room).layout(Layout::right_to_left(Align::Center)));
    let mut button = |ui: &mut Ui, label: &str, action: NoteAction| {
        if ui.add(theme::small(label)).clicked() {
            actions.push(Action::Note(action));
        }
    };
    if note.marked {
        button(&mut inner, "Unmark", NoteAction::Mark);
    }
    if note.ignored {
        button(&mut inner, "Take back", NoteAction::Ignore);
    }
    button(&mut inner, if note.comment.is_empty() { "Comment…" } else { "Edit…" }, NoteAction::Comment);
    inner.with_layout(Layout::left_to_right(Align::Center), |ui| {
        let (icon, _) = ui.allocate_exact_size(vec2(14.0, 18.0), Sense::hover());
        let shape = if note.marked { shapes::flag } else { shapes::speech };
        shape(ui.painter(), icon.center(), c.text);
        let comment = table::said(note);
        let words = match (note.ignored, comment.is_empty()) {
            (true, true) => "Ignored: counted nowhere".to_owned(),
            (true, false) => format!("Ignored: counted nowhere. {comment}"),
            (false, true) => "Marked".to_owned(),
            (false, false) => comment,
        };
        ui.add(egui::Label::new(words).truncate());
    });
    line.height()
}

/// Words in the middle of an empty pane.
pub(crate) fn empty(ui: &mut Ui, words: &str) {
    let c = theme::colours(ui);
    let rect = ui.available_rect_before_wrap();
    let mut inner = ui.new_child(
        UiBuilder::new().max_rect(rect.shrink(16.0)).layout(Layout::centered_and_justified(egui::Direction::TopDown)),
    );
    inner.label(egui::RichText::new(words).color(c.quiet));
}
