//! Every frame of the exchange: list and hex.

use std::sync::Arc;

use egui::{
    Align, CornerRadius, FocusDirection, Id, Key, Layout, Modifiers, Rect, Role, ScrollArea, Sense, Stroke, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use super::hex::{self, Mark};
use super::{body, empty, head};
use crate::capture::offset_in_file;
use crate::model::{FrameHead, FrameNo, LinkType};
use crate::store::filter::Filter;
use crate::ui::action::Action;
use crate::ui::prepared::{BodyText, Prepared, Shown};
use crate::ui::state::State;
use crate::ui::theme::{self, Colours, ROW};
use crate::ui::wish::RowWish;
use crate::ui::{menus, text};

/// Width of the list in points.
const LIST: f32 = 320.0;

/// Paints the pane.
pub(crate) fn show(
    ui: &mut Ui,
    shown: &Shown,
    detail: Option<&Result<Arc<Prepared>, String>>,
    state: &mut State,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let prepared = match detail {
        None => return empty(ui, "Reading the frames from the capture"),
        Some(Err(why)) => return empty(ui, &text::sentence(why)),
        Some(Ok(prepared)) => prepared,
    };
    if let Some((head, text)) = &prepared.entry {
        return entry(ui, head, text, state, actions);
    }
    let frames = &prepared.frames;
    let at = state.frame.and_then(|f| frames.iter().position(|(head, _)| head.number >= f)).unwrap_or(0);
    let Some((head, bytes)) = frames.get(at) else { return empty(ui, "No frame of this exchange could be read again") };
    let all = ui.available_rect_before_wrap();
    let split = (all.left() + LIST).min(all.right() - 80.0);
    let left = Rect::from_min_max(all.min, pos2(split, all.bottom()));
    let mut side = ui.new_child(UiBuilder::new().id_salt("list").max_rect(left).layout(Layout::top_down(Align::Min)));
    side.set_clip_rect(left.intersect(ui.clip_rect()));
    list(&mut side, prepared, at, actions);
    ui.painter().vline(split, all.y_range(), Stroke::new(1.0, c.line));
    let right = Rect::from_min_max(pos2(split + 1.0, all.top()), all.max);
    let mut side = ui.new_child(UiBuilder::new().id_salt("bytes").max_rect(right).layout(Layout::top_down(Align::Min)));
    side.set_clip_rect(right.intersect(ui.clip_rect()));
    side.horizontal(|ui| {
        ui.set_height(30.0);
        ui.add_space(12.0);
        let origin = prepared.origins.get(at);
        ui.label(egui::RichText::new(called(head, origin)).font(theme::strong(theme::BODY)));
        let place = if origin.is_some() { offset_in_file(head.record_offset) } else { head.record_offset };
        let cut = if head.original_len > head.captured_len {
            format!(" of {} on the wire", text::bytes(u64::from(head.original_len)))
        } else {
            String::new()
        };
        let words = format!(
            "{} · {}{cut} · {} · record at byte {}",
            head.time.rfc3339(),
            text::bytes(u64::from(head.captured_len)),
            link(head.link),
            text::count(place),
        );
        ui.add(egui::Label::new(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet)).truncate());
    });
    if let Some(comment) = prepared.comments.get(&head.number) {
        side.horizontal(|ui| {
            ui.add_space(12.0);
            let words = egui::RichText::new(format!("Comment in the file: {comment}"));
            let label = egui::Label::new(words.font(theme::sans(theme::SMALL)).color(c.amber));
            ui.add(label.truncate()).on_hover_text(comment);
        });
    }
    let marks = marks(shown, head.number, bytes, c);
    if !marks.is_empty() {
        legend(&mut side, &marks, actions);
    }
    let name = format!("Bytes of frame {}", head.number);
    let (pointed, response) = hex::show(&mut side, (head.number.0, &name), bytes, &marks);
    menus::within(&response, response.has_focus(), |ui| menu(ui, (head, bytes), actions));
    if let Some(line) = pointed {
        state.lit_next = Some(line);
        side.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
        if side.input(|input| input.pointer.primary_clicked()) {
            actions.push(Action::Line(line));
        }
    }
}

fn list_id() -> Id {
    Id::unique("frames of an exchange")
}

/// The frames one below the other, of which `at` is shown.
fn list(ui: &mut Ui, prepared: &Prepared, at: usize, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let all = ui.available_rect_before_wrap();
    let response = ui.interact(all, list_id(), Sense::focusable_noninteractive());
    response.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, "Frames of the exchange"));
    let frames = &prepared.frames;
    let to = if response.has_focus() { moved(ui, at, frames.len(), (all.height() / ROW) as usize) } else { None };
    let first = frames.first().map_or(0, |(frame, _)| frame.time.0);
    let area = ScrollArea::vertical().id_salt("frames").auto_shrink([false, false]);
    area.show_rows(ui, ROW, frames.len(), |ui, range| {
        if let Some(to) = to {
            let top = ui.cursor().top() + (to as f32 - range.start as f32) * ROW;
            ui.scroll_to_rect(Rect::from_min_size(pos2(all.left(), top), vec2(1.0, ROW)), None);
        }
        for i in range {
            if let Some(frame) = frames.get(i) {
                row(ui, frame, prepared.origins.get(i), (i == at, response.has_focus(), first), actions);
            }
        }
    });
    if let Some((frame, _)) = to.and_then(|to| frames.get(to)) {
        actions.push(Action::Frame(frame.number));
    }
}

/// Where the keys lead from one frame.
fn moved(ui: &Ui, at: usize, len: usize, page: usize) -> Option<usize> {
    let (page, last) = (page.max(1), len.checked_sub(1)?);
    let steps = [
        (Key::ArrowUp, at.saturating_sub(1)),
        (Key::ArrowDown, at + 1),
        (Key::PageUp, at.saturating_sub(page)),
        (Key::PageDown, at + page),
        (Key::Home, 0),
        (Key::End, last),
    ];
    let (_, to) = steps.into_iter().find(|(key, _)| ui.input_mut(|input| input.consume_key(Modifiers::NONE, *key)))?;
    // The focus stays.
    ui.memory_mut(|memory| memory.move_focus(FocusDirection::None));
    Some(to.min(last))
}

/// What can be done with a frame.
fn menu(ui: &mut Ui, (frame, bytes): (&FrameHead, &[u8]), actions: &mut Vec<Action>) {
    hex::copies(ui, bytes, actions);
    ui.separator();
    if let Ok(filter) = Filter::parse(&format!("frame:{}", frame.number)) {
        menus::filters(ui, &filter, actions);
        ui.separator();
    }
    body::connection(ui, actions);
}

/// The entry of a HAR file: its text, and where that stands.
fn entry(ui: &mut Ui, head: &FrameHead, text: &BodyText, state: &State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let title = format!("Entry {}", head.number);
    ui.horizontal(|ui| {
        ui.set_height(34.0);
        ui.add_space(12.0);
        ui.label(egui::RichText::new(&title).font(theme::strong(theme::BODY)));
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.add_space(6.0);
        body::modes(ui, text, state, actions);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(12.0);
            if ui.add(theme::small("Copy text").frame_when_inactive(false)).clicked() {
                actions.push(Action::Copy(body::copied(text, state)));
            }
            let end = head.record_offset.saturating_add(u64::from(head.captured_len));
            let words = format!(
                "A HAR file has no frames: this is bytes {} to {} of the file",
                text::count(head.record_offset),
                text::count(end),
            );
            let words = egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet);
            ui.add(egui::Label::new(words).truncate());
        });
    });
    let rect = ui.min_rect();
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, c.line));
    let name = format!("Text of entry {}", head.number);
    let response = body::written(ui, (head.number.0 as usize, &name), text, state);
    menus::within(&response, response.has_focus(), |ui| {
        body::copies(ui, text, state, actions);
        ui.separator();
        menus::action(ui, "Only this connection", || Action::Wish(None, RowWish::Flow), actions);
    });
}

/// Where in the frame the evidence stands that it carries. Text that is split over frames or coded on the wire is not
/// found again here; its line in the head stays marked.
fn marks(shown: &Shown, frame: FrameNo, bytes: &[u8], c: &Colours) -> Vec<Mark> {
    let mut out = Vec::new();
    for (line, evidence) in shown.record.ledger.iter().enumerate() {
        if evidence.text.len() < 3 || !evidence.place.frames.contains(&frame) {
            continue;
        }
        if let Some(start) = memchr::memmem::find(bytes, &evidence.text) {
            let end = start + evidence.text.len();
            out.push(Mark { start, end, hue: c.provider(evidence.provider), line });
        }
    }
    out
}

/// The evidence in this frame by number.
fn legend(ui: &mut Ui, marks: &[Mark], actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.set_height(24.0);
        ui.add_space(12.0);
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(egui::RichText::new("Evidence in this frame").font(theme::sans(theme::SMALL)).color(c.quiet));
        for mark in marks {
            let (rect, response) = ui.allocate_exact_size(vec2(22.0, 15.0), Sense::click());
            response
                .widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Show evidence {}", mark.line + 1)));
            head::number(ui.painter(), rect, &(mark.line + 1).to_string(), mark.hue);
            if response.on_hover_text("Show this line of the ledger").clicked() {
                actions.push(Action::Line(mark.line));
            }
        }
    });
}

/// Where a frame of a merged capture is from: the file, and its number there.
type Origin = (Arc<str>, FrameNo);

/// What a frame is called; of a merged capture so that it is found in its file.
fn called(frame: &FrameHead, origin: Option<&Origin>) -> String {
    origin.map_or_else(
        || format!("Frame {}", frame.number),
        |(file, there)| format!("Frame {}, which is frame {there} of {file}", frame.number),
    )
}

fn row(
    ui: &mut Ui,
    (frame, bytes): &(FrameHead, Arc<[u8]>),
    origin: Option<&Origin>,
    (on, focused, first): (bool, bool, i64),
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, on, called(frame, origin)));
    let response = if origin.is_some() { response.on_hover_text(called(frame, origin)) } else { response };
    let painter = ui.painter();
    if on {
        painter.rect_filled(rect, CornerRadius::ZERO, c.selection);
    } else if response.hovered() {
        painter.rect_filled(rect, CornerRadius::ZERO, c.hover);
    }
    let y = rect.center().y;
    let quiet = if on { c.text } else { c.quiet };
    let after = frame.time.0.saturating_sub(first).max(0) as u64 / 1_000;
    let cells = [
        (84.0, text::count(u64::from(frame.number.0)), c.text),
        (196.0, format!("+{}", text::duration(after)), quiet),
        (LIST - 24.0, format!("{}\u{2009}B", text::count(u64::from(frame.captured_len))), quiet),
    ];
    for (right, words, colour) in cells {
        painter.text(pos2(rect.left() + right, y), egui::Align2::RIGHT_CENTER, words, theme::sans(theme::BODY), colour);
    }
    if response.clicked() {
        ui.memory_mut(|memory| memory.request_focus(list_id()));
        actions.push(Action::Frame(frame.number));
    }
    menus::on(&response, on && focused, |ui| menu(ui, (frame, bytes), actions));
}

/// A link type in words.
fn link(link: LinkType) -> String {
    match link {
        LinkType::ETHERNET => "Ethernet".to_owned(),
        LinkType::NULL | LinkType::LOOP => "loopback".to_owned(),
        LinkType::PPP | LinkType::PPP_HDLC | LinkType::PPP_ETHER => "PPP".to_owned(),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            "raw IP".to_owned()
        }
        LinkType::IEEE802_11 | LinkType::IEEE802_11_PRISM | LinkType::IEEE802_11_RADIOTAP => "802.11".to_owned(),
        LinkType::LINUX_SLL | LinkType::LINUX_SLL2 => "Linux cooked".to_owned(),
        LinkType(other) => format!("link type {other}"),
    }
}
