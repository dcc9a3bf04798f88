//! The messages of a WebSocket: who sent what and when, and the chosen one whole. Read again from the capture when looked at.

use std::sync::{Arc, Weak};

use egui::{
    Align, Align2, CornerRadius, EventFilter, Id, Key, Layout, Modifiers, Rect, Role, ScrollArea, Sense, Stroke, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};
use regex::bytes::{Regex, RegexBuilder};

use super::{body, empty};
use crate::model::{Detail, MessageKind, PayloadState, Side, WebSocket, WebSocketMessage};
use crate::ui::action::Action;
use crate::ui::prepared::{MessageText, Prepared, Shown};
use crate::ui::state::State;
use crate::ui::text::{self, plural, sentence};
use crate::ui::theme::{self, ROW};
use crate::ui::{menus, shapes};

/// Share of the pane that the list takes, and its least and largest width in points.
const SHARE: f32 = 0.48;
const WIDTHS: core::ops::RangeInclusive<f32> = 300.0..=720.0;
/// Width of the columns for time and length in points.
const TIME: f32 = 92.0;
const LENGTH: f32 = 72.0;
/// Characters of a first line that are laid out.
const LINE_CHARS: usize = 160;
/// Characters of the words to look for.
const WORD_CHARS: usize = 200;

/// What is chosen among the messages of a WebSocket.
#[derive(Debug, Default)]
pub(crate) struct MessagesState {
    /// Its place among all of them.
    selected: Option<usize>,
    /// The words that messages must hold to be listed.
    words: String,
    /// The places of those that do, and of what that is true.
    found: Option<(String, Weak<Prepared>, Arc<[usize]>)>,
    /// The chosen one is to be brought into view.
    reveal: bool,
}

impl MessagesState {
    /// Chooses a message.
    pub(crate) fn choose(&mut self, place: usize) {
        self.selected = Some(place);
        self.reveal = true;
    }
}

/// Paints the pane.
pub(crate) fn show(
    ui: &mut Ui,
    shown: &Shown,
    detail: Option<&Result<Arc<Prepared>, String>>,
    state: &mut State,
    actions: &mut Vec<Action>,
) {
    let websocket = match &shown.record.exchange.detail {
        Detail::Http(http) => http.websocket.as_deref(),
        Detail::Tls(_) | Detail::Dns(_) => None,
    };
    let Some(websocket) = websocket else { return empty(ui, "This exchange opened no WebSocket") };
    let prepared = match detail {
        None => return empty(ui, "Reading the messages from the capture"),
        Some(Err(why)) => return empty(ui, &sentence(why)),
        Some(Ok(prepared)) => prepared,
    };
    if prepared.messages.is_empty() {
        return empty(ui, "No message was sent over this WebSocket while it was captured");
    }
    let c = theme::colours(ui);
    let found = find(prepared, &mut state.messages);
    bar(ui, websocket, (found.len(), prepared), state);
    let all = ui.available_rect_before_wrap();
    let wide = (all.width() * SHARE).clamp(*WIDTHS.start(), *WIDTHS.end());
    let split = (all.left() + wide).min(all.right() - 80.0);
    let left = Rect::from_min_max(all.min, pos2(split, all.bottom()));
    let mut list = ui.new_child(UiBuilder::new().id_salt("list").max_rect(left).layout(Layout::top_down(Align::Min)));
    list.set_clip_rect(left.intersect(ui.clip_rect()));
    rows(&mut list, prepared, &found, &mut state.messages, actions);
    ui.painter().vline(split, all.y_range(), Stroke::new(1.0, c.line));
    let right = Rect::from_min_max(pos2(split + 1.0, all.top()), all.max);
    let mut side = ui.new_child(UiBuilder::new().id_salt("whole").max_rect(right).layout(Layout::top_down(Align::Min)));
    side.set_clip_rect(right.intersect(ui.clip_rect()));
    let place = state.messages.selected.or_else(|| found.first().copied());
    match place.and_then(|place| prepared.messages.get(place).map(|message| (place, message))) {
        Some(chosen) => whole(&mut side, chosen, shown.record.exchange.unit(), state, actions),
        None => empty(&mut side, "No message with these words"),
    }
}

/// The places of the messages that hold all words; looked for again only when words or messages are others.
fn find(prepared: &Arc<Prepared>, state: &mut MessagesState) -> Arc<[usize]> {
    let of = Arc::downgrade(prepared);
    if let Some((words, known, found)) = &state.found
        && *words == state.words
        && known.ptr_eq(&of)
    {
        return Arc::clone(found);
    }
    let words: Vec<Regex> = state.words.split_whitespace().filter_map(word).collect();
    let fits = |m: &MessageText| {
        let sent = who(m.message.side).as_bytes();
        let own = |word: &Regex| {
            let named = word.is_match(m.message.kind.word().as_bytes()) || word.is_match(sent);
            named || word.is_match(&m.body.bytes) || word.is_match(m.first_line.as_bytes())
        };
        words.iter().all(own)
    };
    let found: Arc<[usize]> =
        prepared.messages.iter().enumerate().filter(|(_, m)| fits(m)).map(|(place, _)| place).collect();
    state.found = Some((state.words.clone(), of, Arc::clone(&found)));
    found
}

fn word(text: &str) -> Option<Regex> {
    RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build().ok()
}

fn who(side: Side) -> &'static str {
    match side {
        Side::Client => "sent",
        Side::Server => "received",
    }
}

/// Words to look for, and what there is in all.
fn bar(ui: &mut Ui, websocket: &WebSocket, (found, prepared): (usize, &Prepared), state: &mut State) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.set_height(34.0);
        theme::form(ui);
        ui.add_space(8.0);
        let edit = egui::TextEdit::singleline(&mut state.messages.words)
            .hint_text("Find in messages")
            .char_limit(WORD_CHARS)
            .desired_width(220.0);
        let response = ui.add(edit);
        response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Find in messages"));
        if response.changed() {
            state.messages.selected = None;
        }
        let counted = match (state.messages.words.trim().is_empty(), prepared.messages.len()) {
            (true, all) => plural(all as u64, "message or control frame", "messages and control frames"),
            (false, all) => format!("{} of {}", text::count(found as u64), text::count(all as u64)),
        };
        let mut words = Vec::new();
        if websocket.sides.iter().any(|side| side.lossy) {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
            shapes::caution(ui.painter(), rect.center(), c.amber);
            words.push("Frames are missing from the capture".to_owned());
        }
        words.push(counted);
        if prepared.unlisted > 0 {
            words.push(format!("{} more are not listed", text::count(prepared.unlisted)));
        }
        for (name, side) in ["sent", "received"].into_iter().zip(&websocket.sides) {
            let messages = plural(side.messages, "message", "messages");
            words.push(format!("{name} {messages}, {}", text::size(side.bytes)));
        }
        if websocket.deflate.is_some() {
            words.push("permessage-deflate".to_owned());
        }
        let words = words.join(" · ");
        ui.add(egui::Label::new(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet)).truncate());
    });
    let bottom = ui.min_rect().bottom();
    ui.painter().hline(ui.max_rect().x_range(), bottom, Stroke::new(1.0, c.line));
}

fn list_id() -> Id {
    Id::unique("websocket messages")
}

fn rows(ui: &mut Ui, prepared: &Prepared, found: &[usize], state: &mut MessagesState, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let all = ui.available_rect_before_wrap();
    let response = ui.interact(all, list_id(), Sense::focusable_noninteractive());
    response.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, "Messages of the WebSocket"));
    let at = state.selected.map_or(Some(0), |place| found.binary_search(&place).ok());
    keyboard(ui, found, at, (all.height() / ROW) as usize, actions);
    let first = prepared.messages.first().map_or(0, |m| m.message.first.1.0);
    let reveal = std::mem::take(&mut state.reveal);
    let area = ScrollArea::vertical().id_salt("messages").auto_shrink([false, false]);
    area.show_rows(ui, ROW, found.len(), |ui, range| {
        if let Some(at) = at.filter(|_| reveal) {
            let top = ui.cursor().top() + (at as f32 - range.start as f32) * ROW;
            ui.scroll_to_rect(Rect::from_min_size(pos2(all.left(), top), vec2(1.0, ROW)), None);
        }
        for i in range {
            let Some((place, message)) = found.get(i).and_then(|p| prepared.messages.get(*p).map(|m| (*p, m))) else {
                continue;
            };
            row(ui, (place, message), at == Some(i), first, actions);
        }
    });
}

/// Up, Down, Page Up, Page Down, Home and End move the choice while the list has the keyboard.
fn keyboard(ui: &Ui, found: &[usize], at: Option<usize>, page: usize, actions: &mut Vec<Action>) {
    if !ui.memory(|memory| memory.has_focus(list_id())) {
        return;
    }
    let own = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(list_id(), own));
    let (now, last) = (at.unwrap_or(0), found.len().saturating_sub(1));
    let page = page.max(1);
    let steps = [
        (Key::ArrowUp, now.saturating_sub(1)),
        (Key::ArrowDown, now + 1),
        (Key::PageUp, now.saturating_sub(page)),
        (Key::PageDown, now + page),
        (Key::Home, 0),
        (Key::End, last),
    ];
    for (key, to) in steps {
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, key))
            && let Some(place) = found.get(to.min(last))
        {
            actions.push(Action::Message(*place));
        }
    }
}

fn row(ui: &mut Ui, (place, text): (usize, &MessageText), on: bool, first: i64, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let message = &text.message;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, on, spoken(text)));
    let painter = ui.painter_at(rect);
    if on {
        painter.rect_filled(rect, CornerRadius::ZERO, c.selection);
    } else if response.hovered() {
        painter.rect_filled(rect, CornerRadius::ZERO, c.hover);
    }
    let y = rect.center().y;
    let quiet = if on { c.text } else { c.quiet };
    shapes::direction(&painter, pos2(rect.left() + 16.0, y), message.side == Side::Client, arrow(c, message.side));
    let time_right = rect.right() - 14.0;
    let length_right = time_right - TIME;
    let mut x = rect.left() + 30.0;
    if message.kind != MessageKind::TEXT {
        let word = painter.layout_no_wrap(message.kind.word().to_owned(), theme::sans(theme::SMALL), quiet);
        let width = word.size().x;
        painter.galley(pos2(x, (y - word.size().y / 2.0).round()), word, quiet);
        x += width + 8.0;
    }
    if message.state != PayloadState::Whole {
        shapes::caution(&painter, pos2(x + 6.0, y), c.amber);
        x += 18.0;
    }
    let line: String = text.first_line.chars().take(LINE_CHARS).collect();
    let room = Rect::from_min_max(pos2(x, rect.top()), pos2((length_right - LENGTH).max(x), rect.bottom()));
    let colour = if message.kind.is_control() { quiet } else { c.text };
    painter.with_clip_rect(room.intersect(painter.clip_rect())).text(
        pos2(x, y),
        Align2::LEFT_CENTER,
        line,
        theme::mono(),
        colour,
    );
    let after = message.last.1.0.saturating_sub(first).max(0) as u64 / 1_000;
    for (right, words) in
        [(length_right, text::size(message.bytes)), (time_right, format!("+{}", text::duration(after)))]
    {
        painter.text(pos2(right, y), Align2::RIGHT_CENTER, words, theme::sans(theme::BODY), quiet);
    }
    if response.clicked() {
        ui.memory_mut(|memory| memory.request_focus(list_id()));
        actions.push(Action::Message(place));
    }
}

fn arrow(c: &theme::Colours, side: Side) -> egui::Color32 {
    match side {
        Side::Client => c.accent,
        Side::Server => c.quiet,
    }
}

/// A message in one line, for who cannot see the arrow.
fn spoken(text: &MessageText) -> String {
    let WebSocketMessage { side, kind, bytes, .. } = &text.message;
    let line: String = text.first_line.chars().take(LINE_CHARS).collect();
    format!("{} {}, {}: {line}", sentence(who(*side)), kind.word(), text::bytes(*bytes))
}

/// The chosen message.
fn whole(ui: &mut Ui, (place, text): (usize, &MessageText), unit: &str, state: &State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let message = &text.message;
    ui.horizontal(|ui| {
        ui.set_height(30.0);
        ui.add_space(12.0);
        let (rect, _) = ui.allocate_exact_size(vec2(12.0, 16.0), Sense::hover());
        shapes::direction(ui.painter(), rect.center(), message.side == Side::Client, arrow(c, message.side));
        let title = format!("{} {}", sentence(who(message.side)), message.kind.word());
        ui.label(egui::RichText::new(title).font(theme::strong(theme::BODY)));
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.add_space(6.0);
        body::modes(ui, &text.body, state, actions);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(12.0);
            if ui.add(theme::small("Copy text").frame_when_inactive(false)).clicked() {
                actions.push(Action::Copy(body::copied(&text.body, state)));
            }
            let label = format!("{} {}", sentence(unit), message.first.0);
            let frame = ui.add(theme::small(label).frame_when_inactive(false));
            if frame.on_hover_text(format!("Show the {unit} of the capture that it begins in")).clicked() {
                actions.push(Action::Frame(message.first.0));
            }
        });
    });
    ui.horizontal(|ui| {
        ui.set_height(20.0);
        ui.add_space(12.0);
        if message.state != PayloadState::Whole {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
            shapes::caution(ui.painter(), rect.center(), c.amber);
        }
        let words = egui::RichText::new(about(message, text)).font(theme::sans(theme::SMALL)).color(c.quiet);
        ui.add(egui::Label::new(words).truncate());
    });
    ui.add_space(4.0);
    if text.body.bytes.is_empty() {
        let why =
            if message.wire_bytes == 0 { "This message is empty" } else { "Nothing of this message can be shown" };
        return empty(ui, why);
    }
    let response = body::written(ui, (place, "Message"), &text.body, state);
    menus::within(&response, response.has_focus(), |ui| {
        body::copies(ui, &text.body, state, actions);
        ui.separator();
        menus::action(ui, &format!("Show {unit}"), || Action::Frame(message.first.0), actions);
        body::connection(ui, actions);
    });
}

/// Facts of a message in words.
fn about(message: &WebSocketMessage, text: &MessageText) -> String {
    let mut parts = vec![message.first.1.rfc3339(), text::bytes(message.bytes)];
    if !message.state.words().is_empty() {
        parts.insert(0, sentence(message.state.words()));
    }
    if message.kind == MessageKind::CLOSE {
        parts.insert(0, text.first_line.clone());
    }
    if message.compressed {
        parts.push(format!("{} compressed", text::bytes(message.wire_bytes)));
    }
    if message.fragments > 1 {
        parts.push(format!("sent in {} parts", text::count(message.fragments)));
    }
    parts.join(" · ")
}
