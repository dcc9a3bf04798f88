//! What the messages carried: text, JSON set out, a picture on request, or hex. Read again from the capture when looked at.

use egui::text::{LayoutJob, TextFormat};
use egui::{Id, Response, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Seen, area, empty, hex};
use crate::model::{Detail, Side};
use crate::ui::action::Action;
use crate::ui::conversation::ConversationAction;
use crate::ui::menus;
use crate::ui::prepared::{BodyKind, BodyText, Lines, Shown, body_words};
use crate::ui::state::{BodyMode, State};
use crate::ui::theme::{self, LINE};
use crate::ui::wish::RowWish;

/// Paints the pane.
pub(crate) fn show(ui: &mut Ui, shown: &Shown, seen: &Seen<'_>, state: &State, actions: &mut Vec<Action>) {
    let Detail::Http(http) = &shown.record.exchange.detail else {
        return empty(ui, "Only HTTP messages have a body that can be read without keys");
    };
    let detail = seen.detail;
    let prepared = detail.and_then(|d| d.as_ref().ok());
    let has = |side| prepared.is_some_and(|p| p.body(side).is_some());
    let side = state
        .body_side
        .unwrap_or_else(|| if has(Side::Server) || !has(Side::Client) { Side::Server } else { Side::Client });
    let message = match side {
        Side::Client => http.request.as_ref(),
        Side::Server => http.response.as_ref(),
    };
    let body = prepared.and_then(|p| p.body(side));
    bar(ui, side, body, message.map(body_words), state, actions);
    match detail {
        None => empty(ui, "Reading the body from the capture"),
        Some(Err(why)) => empty(ui, &crate::ui::text::sentence(why)),
        Some(Ok(_)) => match body {
            None if message.is_none() => empty(ui, "This message is not in the capture"),
            None if message.is_some_and(|m| m.body.wire_bytes > 0) => {
                empty(ui, "The body could not be read whole from the capture");
            }
            None => empty(ui, "This message has no body"),
            Some(body) => content(ui, side, body, seen, state, actions),
        },
    }
}

fn title(side: Side) -> &'static str {
    match side {
        Side::Client => "Request body",
        Side::Server => "Response body",
    }
}

fn bar(
    ui: &mut Ui,
    side: Side,
    body: Option<&BodyText>,
    words: Option<String>,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.set_height(34.0);
        ui.add_space(8.0);
        ui.spacing_mut().item_spacing.x = 2.0;
        for which in [Side::Client, Side::Server] {
            if ui.add(egui::Button::selectable(side == which, title(which))).clicked() {
                actions.push(Action::BodySide(which));
            }
        }
        if let Some(body) = body {
            ui.add_space(10.0);
            modes(ui, body, state, actions);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add_space(12.0);
            if let Some(body) = body.filter(|b| matches!(b.kind, BodyKind::Json | BodyKind::Text))
                && ui.add(theme::small("Copy text").frame_when_inactive(false)).clicked()
            {
                actions.push(Action::Copy(copied(body, state)));
            }
            let mut about = body.map_or_else(String::new, |b| b.media.clone());
            if let Some(words) = words {
                if !about.is_empty() {
                    about.push_str(" · ");
                }
                about.push_str(&words);
            }
            let text = egui::RichText::new(about).font(theme::sans(theme::SMALL)).color(c.quiet);
            ui.add(egui::Label::new(text).truncate());
        });
    });
    let rect = ui.min_rect();
    ui.painter().hline(rect.x_range(), rect.bottom(), egui::Stroke::new(1.0, c.line));
}

/// Buttons for the ways in which a body can be shown.
pub(super) fn modes(ui: &mut Ui, body: &BodyText, state: &State, actions: &mut Vec<Action>) {
    let fitting = match body.kind {
        BodyKind::Json => "JSON",
        BodyKind::Picture(name) => name,
        BodyKind::Text | BodyKind::Binary => "",
    };
    let modes = [(fitting, BodyMode::Fitting), ("Text", BodyMode::Text), ("Hex", BodyMode::Hex)];
    let now = mode(body, state.body_mode);
    for (label, which) in modes.into_iter().filter(|(label, _)| !label.is_empty()) {
        if ui.add(egui::Button::selectable(now == which, label)).clicked() {
            actions.push(Action::BodyMode(which));
        }
    }
}

/// Text, JSON or hex, whichever is chosen; no pictures. Gives what has the keyboard; `name` says what it is.
pub(super) fn written(ui: &mut Ui, (id, name): (usize, &str), body: &BodyText, state: &State) -> Response {
    match (mode(body, state.body_mode), body.kind, &body.json) {
        (BodyMode::Hex, ..) | (BodyMode::Fitting, BodyKind::Picture(_), _) => {
            hex::show(ui, (id, name), &body.bytes, &[]).1
        }
        (BodyMode::Fitting, _, Some(json)) => lines(ui, ("json", id), name, json),
        _ => lines(ui, ("text", id), name, &body.plain),
    }
}

/// Items that copy what is written.
pub(super) fn copies(ui: &mut Ui, body: &BodyText, state: &State, actions: &mut Vec<Action>) {
    if !matches!(mode(body, state.body_mode), BodyMode::Hex) && matches!(body.kind, BodyKind::Json | BodyKind::Text) {
        menus::action(ui, "Copy text shown", || Action::Copy(copied(body, state)), actions);
    }
    hex::copies(ui, &body.bytes, actions);
}

/// Items that lead to the connection of the selected exchange.
pub(super) fn connection(ui: &mut Ui, actions: &mut Vec<Action>) {
    menus::action(ui, "Only this connection", || Action::Wish(None, RowWish::Flow), actions);
    menus::action(ui, "Follow stream…", || Action::Conversation(ConversationAction::Ask), actions);
}

/// The text that is shown, at most a mebibyte of it.
pub(super) fn copied(body: &BodyText, state: &State) -> String {
    let lines = if mode(body, state.body_mode) == BodyMode::Fitting { body.json.as_ref() } else { None };
    whole(lines.unwrap_or(&body.plain))
}

/// The lines as one text, at most a mebibyte of them.
fn whole(lines: &Lines) -> String {
    let mut out = String::new();
    for line in 0..lines.len() {
        out.push_str(&lines.get(line));
        out.push('\n');
        if out.len() > 1 << 20 {
            break;
        }
    }
    out
}

/// The mode that is shown: what fits, where the wanted one means nothing.
fn mode(body: &BodyText, wanted: BodyMode) -> BodyMode {
    match (wanted, body.kind) {
        (BodyMode::Fitting, BodyKind::Text) => BodyMode::Text,
        (BodyMode::Fitting, BodyKind::Binary) => BodyMode::Hex,
        (other, _) => other,
    }
}

fn content(ui: &mut Ui, side: Side, body: &BodyText, seen: &Seen<'_>, state: &State, actions: &mut Vec<Action>) {
    let response = if let (BodyMode::Fitting, BodyKind::Picture(name)) = (mode(body, state.body_mode), body.kind) {
        let own = ui.scope_id().with(("picture", side));
        let all = ui.available_rect_before_wrap();
        picture(ui, (side, own), name, seen, actions);
        let response = ui.interact(all, own, Sense::focusable_noninteractive());
        response.widget_info(|| WidgetInfo::labeled(Role::Document, true, format!("{} as {name}", title(side))));
        response
    } else {
        let name = format!("{} as {}", title(side), mode_word(mode(body, state.body_mode), body.kind));
        written(ui, (usize::from(side == Side::Client), &name), body, state)
    };
    menus::within(&response, response.has_focus(), |ui| {
        copies(ui, body, state, actions);
        ui.separator();
        connection(ui, actions);
    });
}

/// What a body is shown as.
fn mode_word(mode: BodyMode, kind: BodyKind) -> &'static str {
    match (mode, kind) {
        (BodyMode::Fitting, BodyKind::Picture(name)) => name,
        (BodyMode::Fitting, BodyKind::Json) => "JSON",
        (BodyMode::Fitting | BodyMode::Text, _) => "text",
        (BodyMode::Hex, _) => "hex",
    }
}

fn lines(ui: &mut Ui, id: (&str, usize), name: &str, lines: &Lines) -> Response {
    let c = theme::colours(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let digits = lines.len().to_string().len();
    let mut seen = 0..0;
    let own = ui.scope_id().with(id).with("keys");
    let area = ScrollArea::both().id_salt(id).auto_shrink([false, false]);
    let output = area.show_rows(ui, LINE, lines.len(), |ui, range| {
        seen = range.clone();
        area::scroll(ui, own);
        for line in range {
            let mut job = LayoutJob::default();
            let format = |colour| TextFormat { line_height: Some(LINE), ..TextFormat::simple(theme::mono(), colour) };
            job.append(&format!("{:>digits$}  ", line + 1), 0.0, format(c.faint));
            job.append(&lines.get(line), 0.0, format(c.text));
            let galley = ui.painter().layout_job(job);
            let (rect, _) = ui.allocate_exact_size(vec2(galley.size().x + 24.0, LINE), Sense::hover());
            ui.painter().galley(pos2(rect.left() + 12.0, rect.top()), galley, c.text);
        }
    });
    let said = || seen.clone().map(|line| lines.get(line)).collect::<Vec<_>>().join("\n");
    area::show(ui, (own, name), &output, said)
}

fn picture(ui: &mut Ui, (side, own): (Side, Id), name: &str, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    match seen.picture.filter(|(of, _)| *of == side) {
        None => {
            ui.vertical_centered(|ui| {
                ui.add_space(32.0);
                ui.label(egui::RichText::new("Pictures are decoded only when asked for").color(c.quiet));
                ui.add_space(4.0);
                if ui.button(format!("Show {name}")).clicked() {
                    actions.push(Action::Picture(side));
                }
            });
        }
        Some((_, Err(why))) => empty(ui, &format!("This picture is not shown: {why}")),
        Some((_, Ok((texture, about)))) => {
            ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| {
                area::scroll(ui, own);
                ui.add_space(8.0);
                ui.horizontal(|ui| {
                    ui.add_space(12.0);
                    ui.label(egui::RichText::new(about).font(theme::sans(theme::SMALL)).color(c.quiet));
                });
                ui.horizontal(|ui| {
                    ui.add_space(12.0);
                    ui.add(egui::Image::new(texture).max_size(vec2(1_024.0, 1_024.0)).alt_text(about));
                });
            });
        }
    }
}
