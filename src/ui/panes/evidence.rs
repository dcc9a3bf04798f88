//! The verdict card with its ledger, beside the request's and the response's head.

use egui::{
    Align, CornerRadius, CursorIcon, Layout, Rect, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, Vec2, WidgetInfo,
    pos2, vec2,
};

use super::{card, head};
use crate::evidence::pack;
use crate::export::LineState;
use crate::model::{Detail, Side};
use crate::store::filter::{Key, is};
use crate::ui::action::Action;
use crate::ui::menus;
use crate::ui::prepared::{LedgerLine, Shown};
use crate::ui::roving::follow;
use crate::ui::state::State;
use crate::ui::text::{plural, sentence};
use crate::ui::theme::{self, Colours};

/// The card's part of the pane, until somebody chooses its width, and the widths in points that it stays between.
const CARD_SHARE: f32 = 0.34;
const CARD: (f32, f32) = (380.0, 620.0);

/// Paints the pane.
pub(crate) fn show(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    let usual = (all.width() * CARD_SHARE).clamp(CARD.0, CARD.1);
    let card_width = state.saved.card_width.unwrap_or(usual).clamp(260.0, (all.width() * 0.6).max(260.0));
    let split = all.left() + card_width;
    let card = Rect::from_min_max(all.min, pos2(split, all.bottom()));
    let mut left = ui.new_child(UiBuilder::new().id_salt("card").max_rect(card).layout(Layout::top_down(Align::Min)));
    left.set_clip_rect(card.intersect(ui.clip_rect()));
    verdict(&mut left, shown, state, actions);
    divider(ui, split, all, card_width, state);

    let heads = Rect::from_min_max(pos2(split + 1.0, all.top()), all.max);
    let Detail::Http(_) = shown.record.exchange.detail else {
        let mut right = ui.new_child(UiBuilder::new().max_rect(heads).layout(Layout::top_down(Align::Min)));
        right.set_clip_rect(heads.intersect(ui.clip_rect()));
        super::connection::show(&mut right, shown, actions);
        return;
    };
    let middle = heads.center().x.round();
    ui.painter().vline(middle, heads.y_range(), Stroke::new(1.0, c.line));
    let halves = [
        (Rect::from_min_max(heads.min, pos2(middle, heads.bottom())), Side::Client, shown.request.as_ref()),
        (Rect::from_min_max(pos2(middle + 1.0, heads.top()), heads.max), Side::Server, shown.response.as_ref()),
    ];
    for (rect, side, message) in halves {
        let mut half = ui
            .new_child(UiBuilder::new().id_salt(head::title(side)).max_rect(rect).layout(Layout::top_down(Align::Min)));
        half.set_clip_rect(rect.intersect(ui.clip_rect()));
        half.spacing_mut().item_spacing = Vec2::new(4.0, 0.0);
        head::show(&mut half, side, message, &shown.lines, state, actions);
    }
}

fn divider(ui: &Ui, x: f32, all: Rect, width: f32, state: &mut State) {
    let c = theme::colours(ui);
    let grip = Rect::from_x_y_ranges(x - 4.0..=x + 4.0, all.y_range());
    let response =
        ui.interact(grip, ui.scope_id().with("card width"), Sense::DRAG).on_hover_cursor(CursorIcon::ResizeHorizontal);
    let lit = response.hovered() || response.dragged();
    ui.painter().vline(x, all.y_range(), Stroke::new(1.0, if lit { c.accent } else { c.line }));
    if response.dragged() {
        state.saved.card_width = Some((width + response.drag_delta().x).clamp(260.0, 1_200.0));
    }
}

fn verdict(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    ScrollArea::vertical().id_salt("card").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
        ui.spacing_mut().interact_size.y = 18.0;
        egui::Frame::NONE.inner_margin(egui::Margin { left: 12, right: 12, top: 10, bottom: 12 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            card::show(ui, shown, state, actions);
            ledger(ui, shown, state, actions);
        });
    });
}

/// The lines that prove, numbered.
pub(crate) fn ledger(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    if shown.lines.is_empty() {
        return;
    }
    ui.add_space(2.0);
    if state.still.is_none() {
        ui.horizontal(|ui| {
            ui.label(egui::RichText::new("Evidence").font(theme::strong(theme::BODY)));
            let lines = plural(shown.lines.len() as u64, "line", "lines");
            ui.label(egui::RichText::new(format!("{lines}, quoted from the capture")).color(c.quiet));
        });
    }
    for (i, line) in shown.lines.iter().enumerate() {
        entry(ui, (i, line), shown.record.exchange.unit(), state, actions);
    }
}

fn entry(ui: &mut Ui, (i, line): (usize, &LedgerLine), unit: &str, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let hue = c.provider(line.provider);
    let lit = state.lit == Some(i);
    let width = ui.available_width();
    let painter = ui.painter().clone();
    let room = width - 34.0;
    let mut job = egui::text::LayoutJob::simple(line.excerpt.clone(), theme::mono(), c.text, room);
    job.wrap.break_anywhere = true;
    job.wrap.max_rows = 3;
    job.wrap.overflow_character = Some('…');
    let excerpt = painter.layout_job(job);
    let about = painter.layout_job({
        let hidden = match line.state {
            LineState::Whole => "",
            LineState::SecretHidden => " · a secret in it is hidden",
            LineState::ProofHidden => " · part of the proof is hidden: counts less",
        };
        let words = format!("{} · {}{hidden}", sentence(line.group), line.place);
        let mut job = egui::text::LayoutJob::simple(words, theme::sans(theme::SMALL), c.quiet, room);
        job.wrap.max_rows = 1;
        job.wrap.break_anywhere = true;
        job
    });
    // A picture has no tooltip that says it.
    let proves = state.still.is_some().then(|| {
        let job = egui::text::LayoutJob::simple(line.proves.to_owned(), theme::sans(theme::SMALL), c.text, room);
        painter.layout_job(job)
    });
    let height = excerpt.size().y + about.size().y + 10.0 + proves.as_ref().map_or(0.0, |p| p.size().y);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Button, true, format!("Evidence {} {} {}", i + 1, line.group, line.excerpt))
    });
    follow(&response);
    let hot = lit || response.hovered() || response.has_focus();
    let ground = Colours::tint(c.page, hue.fill, if hot { 0.2 } else { 0.07 });
    painter.rect_filled(rect, CornerRadius::same(4), ground);
    painter.rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), CornerRadius::same(1), hue.line);
    head::number(&painter, Rect::from_min_size(rect.min + vec2(9.0, 6.0), vec2(19.0, 15.0)), &(i + 1).to_string(), hue);
    let x = rect.left() + 34.0;
    let below = rect.top() + 6.0 + excerpt.size().y + about.size().y;
    painter.galley(pos2(x, rect.top() + 6.0 + excerpt.size().y), about, c.quiet);
    if let Some(proves) = proves {
        painter.galley(pos2(x, below), proves, c.text);
    }
    painter.galley(pos2(x, rect.top() + 4.0), excerpt, c.text);
    if response.hovered() {
        state.lit_next = Some(i);
    }
    if response.clicked() {
        actions.push(Action::Line(i));
    }
    menus::on(&response, response.has_focus(), |ui| {
        menus::tag(ui, line.signature_number, actions);
        if let Some(frame) = line.frame {
            menus::action(ui, &format!("Show {unit}"), || Action::Frame(frame), actions);
        }
        if let Some(provider) = pack().provider(line.provider) {
            ui.separator();
            menus::filters(ui, &is(Key::Operator, provider.id), actions);
            ui.separator();
        }
        menus::copy(ui, "Copy evidence", &line.excerpt, actions);
        menus::copy(ui, "Copy signature id", line.signature, actions);
    });
    response.on_hover_ui(|ui| {
        ui.set_max_width(440.0);
        let mut part = |label: &str, words: &str| {
            if !words.is_empty() {
                ui.label(egui::RichText::new(label).font(theme::sans(theme::SMALL)).color(c.quiet));
                ui.label(words);
            }
        };
        part("Proves", line.proves);
        part("Only suggests", line.suggests);
        part("Could be forged by", &line.forgeable_by);
        part("Speaks to", &line.speaks_to);
        part("Signature", line.signature);
    });
}
