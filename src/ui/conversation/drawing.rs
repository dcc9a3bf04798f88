//! The conversation as it is painted: a bar of choices, its chunks one below the other, and what there is in all.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{
    Align, CornerRadius, Id, Key, Layout as Lay, Modifiers, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo,
    pos2, vec2,
};

use super::{ConversationAction, Following, Form, Layout, MOST_FOUND, Spoken, hole, who};
use crate::engine::{Chunk, What};
use crate::model::Side;
use crate::ui::action::Action;
use crate::ui::menus;
use crate::ui::panes::empty;
use crate::ui::roving::follow;
use crate::ui::text::{self, plural, sentence, size};
use crate::ui::theme::{self, Colours, LINE};

/// Space around the dialog in the window.
const AROUND: egui::Vec2 = vec2(72.0, 92.0);
/// Its largest width.
const WIDEST: f32 = 1_180.0;
/// Where the lines begin.
const GUTTER: f32 = 30.0;
/// Characters of the words to look for.
const WORD_CHARS: usize = 200;

/// Paints the conversation into a dialog.
pub(crate) fn show(ui: &mut Ui, following: &mut Following, goes_on: bool, actions: &mut Vec<Action>) {
    let room = ui.ctx().content_rect().size() - AROUND;
    ui.set_width(room.x.min(WIDEST));
    ui.set_height(room.y);
    let spoken = match &following.spoken {
        Some((_, Ok(spoken))) => Some(Arc::clone(spoken)),
        Some((_, Err(_))) | None => None,
    };
    head(ui, spoken.as_deref(), actions);
    bar(ui, spoken.as_deref(), following, actions);
    ui.separator();
    let mut body = ui.available_rect_before_wrap();
    body.max.y -= 26.0;
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(body).layout(Lay::top_down(Align::Min)));
    inner.set_clip_rect(body.intersect(ui.clip_rect()));
    match (&following.spoken, &spoken) {
        (Some((_, Err(why))), _) => empty(&mut inner, &sentence(why)),
        (_, Some(spoken)) if spoken.said.chunks.is_empty() => {
            empty(&mut inner, "Neither side said anything while it was captured");
        }
        (_, Some(spoken)) => rows(&mut inner, spoken, following, actions),
        (None | Some((_, Ok(_))), None) => empty(&mut inner, "Reading the conversation from the capture"),
    }
    ui.advance_cursor_after_rect(body);
    if let Some(spoken) = &spoken {
        foot(ui, spoken, goes_on);
    }
}

/// Who talks, and the buttons for the whole.
fn head(ui: &mut Ui, spoken: Option<&Spoken>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new("Conversation").font(theme::strong(theme::SECTION)));
        ui.with_layout(Lay::right_to_left(Align::Center), |ui| {
            if ui.button("Close").clicked() {
                actions.push(Action::Escape);
            }
            if let Some(spoken) = spoken {
                let [client, server] = &spoken.ends;
                ui.with_layout(Lay::left_to_right(Align::Center), |ui| {
                    for (side, end) in [(Side::Client, client), (Side::Server, server)] {
                        badge(ui, side);
                        ui.add(egui::Label::new(RichText::new(end).color(c.quiet)).truncate());
                    }
                });
            }
        });
    });
    ui.add_space(6.0);
}

fn letter(side: Side) -> &'static str {
    match side {
        Side::Client => "C",
        Side::Server => "S",
    }
}

fn colour(c: &Colours, side: Side) -> egui::Color32 {
    match side {
        Side::Client => c.accent,
        Side::Server => c.server,
    }
}

/// A side's letter: the client's in a filled field, the server's in an open one.
fn badge(ui: &mut Ui, side: Side) {
    let c = theme::colours(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(18.0, 16.0), Sense::hover());
    mark(ui.painter(), rect, side, c);
}

fn mark(painter: &egui::Painter, rect: Rect, side: Side, c: &Colours) {
    let colour = colour(c, side);
    let ink = match side {
        Side::Client => {
            painter.rect_filled(rect, CornerRadius::same(3), colour);
            theme::ink(colour)
        }
        Side::Server => {
            painter.rect_stroke(rect, CornerRadius::same(3), egui::Stroke::new(1.5, colour), egui::StrokeKind::Inside);
            colour
        }
    };
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, letter(side), theme::strong(theme::SMALL), ink);
}

/// Which side, in which form, and the words to look for.
fn bar(ui: &mut Ui, spoken: Option<&Spoken>, following: &mut Following, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (label, side) in [("Both", None), ("Client only", Some(Side::Client)), ("Server only", Some(Side::Server))]
        {
            if ui.add(egui::Button::selectable(following.side == side, label)).clicked() {
                following.side = side;
            }
        }
        ui.add_space(8.0);
        for (form, label) in Form::ALL {
            if ui.add(egui::Button::selectable(following.form == form, label)).clicked() {
                following.form = form;
            }
        }
        ui.add_space(8.0);
        find(ui, following);
        ui.add_space(8.0);
        ui.spacing_mut().item_spacing.x = 6.0;
        if let Some(spoken) = spoken {
            if ui.button("Copy").on_hover_text("Copy what is shown, as it is shown").clicked() {
                actions.push(Action::Copy(spoken.copied(following.form, following.side)));
            }
            let save = ui.button("Save bytes…");
            let tip =
                "Write the bytes of the chosen side, or of both in their order: all of them, and nothing for holes";
            if save.on_hover_text(tip).clicked() {
                actions.push(Action::Conversation(ConversationAction::Save));
            }
        }
    });
}

fn find(ui: &mut Ui, following: &mut Following) {
    let c = theme::colours(ui);
    let id = Id::unique("find in conversation");
    let edit = egui::TextEdit::singleline(&mut following.words)
        .id(id)
        .hint_text("Find (Ctrl+F)")
        .char_limit(WORD_CHARS)
        .desired_width(150.0);
    let response = ui.add(edit);
    response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Find in conversation"));
    if core::mem::take(&mut following.to_words) {
        response.request_focus();
    }
    if response.lost_focus() {
        let (back, on) = ui.input(|input| (input.modifiers.shift, input.key_pressed(Key::Enter)));
        if on {
            following.step(back);
            response.request_focus();
        }
    }
    if following.found.words != following.words || following.found.side != following.side {
        following.search();
    }
    let count = following.found.places.len();
    let words = match count {
        0 if following.words.is_empty() => String::new(),
        0 => "Not found".to_owned(),
        _ => {
            let more = if count == MOST_FOUND { " or more" } else { "" };
            format!("{} of {}{more}", text::count(following.found.at as u64 + 1), text::count(count as u64))
        }
    };
    for (label, tip, back) in
        [("Previous", "The place before (Shift+Enter)", true), ("Next", "The next place (Enter)", false)]
    {
        if ui.add_enabled(count > 0, theme::small(label)).on_hover_text(tip).clicked() {
            following.step(back);
        }
    }
    if !words.is_empty() {
        ui.label(RichText::new(words).color(c.quiet));
    }
}

fn rows(ui: &mut Ui, spoken: &Spoken, following: &mut Following, actions: &mut Vec<Action>) {
    let of = (following.form, following.side);
    if following.layout.of != Some(of) {
        following.layout = Layout::new(spoken, of.0, of.1);
    }
    let mut area = ScrollArea::both().id_salt("conversation").auto_shrink([false, false]);
    if core::mem::take(&mut following.found.reveal)
        && let Some((from, _)) = following.found.places.get(following.found.at)
        && let Some(row) = following.layout.row_of(spoken, *from)
    {
        let middle = ui.available_height() / 2.0;
        area = area.vertical_scroll_offset((row as f32 * LINE - middle).max(0.0));
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    area.show_rows(ui, LINE, following.layout.rows, |ui, range| {
        for row in range {
            let Some((place, line)) = following.layout.at(row) else { continue };
            let Some(chunk) = spoken.said.chunks.get(place) else { continue };
            match line.checked_sub(1) {
                None => title(ui, place, chunk, spoken, actions),
                Some(line) => words(ui, (place, line), chunk, spoken, following),
            }
        }
    });
}

/// Who begins to speak, when and in which frame; or what is missing.
fn title(ui: &mut Ui, place: usize, chunk: &Chunk, spoken: &Spoken, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let first = spoken.said.chunks.first().map_or(chunk.time, |first| first.time);
    let after = chunk.time.0.saturating_sub(first.0).max(0) as u64 / 1_000;
    let said = match chunk.what {
        What::Bytes { len, .. } => {
            format!(
                "{}, frame {}, +{}, {}",
                sentence(who(chunk.side)),
                chunk.frame,
                text::duration(after),
                size(len as u64)
            )
        }
        What::Hole(len) => format!("{}, frame {}", sentence(&hole(chunk.side, len)), chunk.frame),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &said));
    let is_hole = matches!(chunk.what, What::Hole(_));
    let painter = ui.painter();
    let ground = Colours::tint(c.page, if is_hole { c.red } else { colour(c, chunk.side) }, 0.16);
    painter.rect_filled(rect, CornerRadius::ZERO, ground);
    mark(painter, Rect::from_center_size(pos2(rect.left() + 14.0, rect.center().y), vec2(18.0, 15.0)), chunk.side, c);
    let ink = if is_hole { c.red } else { c.text };
    painter.text(
        pos2(rect.left() + GUTTER, rect.center().y),
        egui::Align2::LEFT_CENTER,
        said,
        theme::strong(theme::SMALL),
        ink,
    );
    if response.has_focus() || response.hovered() {
        painter.rect_stroke(rect, CornerRadius::ZERO, egui::Stroke::new(1.0, c.accent), egui::StrokeKind::Inside);
    }
    if response.clicked() {
        actions.push(Action::Escape);
        actions.push(Action::Frame(chunk.frame));
    }
    let (form, side) = (Form::Text, chunk.side);
    menus::on(&response, response.has_focus(), |ui| {
        if menus::item(ui, "Show frame", "") {
            actions.extend([Action::Escape, Action::Frame(chunk.frame)]);
        }
        let part = || {
            let range = match chunk.what {
                What::Bytes { start, len } => start..start + len,
                What::Hole(_) => 0..0,
            };
            let bytes = spoken.said.bytes.get(range).unwrap_or_default();
            let lines =
                bytes.split_inclusive(|byte| *byte == b'\n').map(|line| crate::model::clean(line.trim_ascii_end()));
            Action::Copy(lines.collect::<Vec<_>>().join("\n"))
        };
        menus::action(ui, "Copy this part as text", part, actions);
        let all = format!("Copy all of the {} as text", who(side));
        menus::action(ui, &all, || Action::Copy(spoken.copied(form, Some(side))), actions);
    });
    follow(&response);
    let _shown = response.on_hover_text(format!("Show frame {} (part {} of the conversation)", chunk.frame, place + 1));
}

fn words(ui: &mut Ui, (place, line): (usize, usize), chunk: &Chunk, spoken: &Spoken, following: &Following) {
    let c = theme::colours(ui);
    let form = following.form;
    let range = spoken.line(chunk, form, line);
    let format = |ink, ground| TextFormat {
        line_height: Some(LINE),
        background: ground,
        ..TextFormat::simple(theme::mono(), ink)
    };
    let mut job = LayoutJob::default();
    if form == Form::Hex {
        let start = if let What::Bytes { start, .. } = chunk.what { start } else { 0 };
        job.append(&format!("{:08x}  ", range.start - start), 0.0, format(c.faint, egui::Color32::TRANSPARENT));
        job.append(&spoken.words(form, range.clone()), 0.0, format(c.text, egui::Color32::TRANSPARENT));
    } else {
        let mut at = range.start;
        for (number, from, to) in found_in(&following.found.places, &range) {
            job.append(&spoken.words(form, at..from), 0.0, format(c.text, egui::Color32::TRANSPARENT));
            let now = number == following.found.at;
            let ground = if now { c.accent } else { Colours::tint(c.page, c.amber, 0.45) };
            let ink = if now { c.on_accent } else { c.text };
            job.append(&spoken.words(form, from..to), 0.0, format(ink, ground));
            at = to;
        }
        job.append(&spoken.words(form, at..range.end), 0.0, format(c.text, egui::Color32::TRANSPARENT));
    }
    let galley = ui.painter().layout_job(job);
    let wide = (galley.size().x + GUTTER + 12.0).max(ui.available_width());
    let (rect, response) = ui.allocate_exact_size(vec2(wide, LINE), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, spoken.words(form, range.clone())));
    let painter = ui.painter();
    let colour = colour(c, chunk.side);
    painter.rect_filled(rect, CornerRadius::ZERO, Colours::tint(c.page, colour, 0.05));
    // One line beside what the client says, two beside what the server says: not by colour alone.
    let bar = |x: f32| Rect::from_min_size(pos2(rect.left() + x, rect.top()), vec2(2.0, rect.height()));
    painter.rect_filled(bar(13.0), CornerRadius::ZERO, colour);
    if chunk.side == Side::Server {
        painter.rect_filled(bar(17.0), CornerRadius::ZERO, colour);
    }
    painter.galley(pos2(rect.left() + GUTTER, rect.top()), galley, c.text);
    if form == Form::Hex
        && let Some((number, ..)) = found_in(&following.found.places, &range).next()
    {
        let ink = if number == following.found.at { c.accent } else { c.amber };
        painter.rect_stroke(rect, CornerRadius::ZERO, egui::Stroke::new(1.0, ink), egui::StrokeKind::Inside);
    }
    debug_assert!(spoken.said.chunks.get(place) == Some(chunk));
}

/// The places found that lie in a stretch, each with its number and cut to it.
fn found_in<'a>(
    places: &'a [(usize, usize)],
    range: &core::ops::Range<usize>,
) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
    let (start, end) = (range.start, range.end);
    let first = places.partition_point(|(_, to)| *to <= start);
    let within = places.iter().enumerate().skip(first).take_while(move |(_, (from, _))| *from < end);
    within.map(move |(number, (from, to))| (number, (*from).max(start), (*to).min(end)))
}

/// What there is in all, and what is not shown.
fn foot(ui: &mut Ui, spoken: &Spoken, goes_on: bool) {
    let c = theme::colours(ui);
    let said = &spoken.said;
    let mut words = vec![if said.opened { "Decrypted with keys" } else { "As it stands on the wire" }.to_owned()];
    for side in [Side::Client, Side::Server] {
        let (sent, missing) = said.counts(side);
        let lost = if missing > 0 { format!(", {} missing", plural(missing, "byte", "bytes")) } else { String::new() };
        words.push(format!("{} {}{lost}", sentence(who(side)), size(sent)));
    }
    if said.more {
        let most = size(said.bytes.len() as u64);
        words.push(format!("Only the first {most} are shown; Save bytes writes the rest too"));
    } else if goes_on {
        words.push("Grows while the capture goes on".to_owned());
    }
    ui.add_space(4.0);
    let colour = if said.more { c.amber } else { c.quiet };
    let words = RichText::new(words.join(" · ")).font(theme::sans(theme::SMALL)).color(colour);
    ui.add(egui::Label::new(words).truncate());
}

/// Takes the keys that mean something else while a conversation is on screen.
pub(crate) fn keys(ctx: &egui::Context, following: &mut Following) {
    if ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::F)) {
        following.focus_words();
    }
}
