//! What is there before a capture: open, drop, recent ones.

use std::path::Path;

use egui::{Align2, CornerRadius, Rect, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2};

use super::action::{self, Action};
use super::shapes;
use super::state::State;
use super::theme::{self, Colours};
use crate::model::{clean, middle};

/// Width of the column in points.
const WIDE: f32 = 560.0;

/// Paints the screen.
pub(crate) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(all);
    ui.painter().rect_filled(all, CornerRadius::ZERO, c.page);
    let recent = state.saved.recent.len().min(8) as f32;
    let tall = 336.0 + if recent > 0.0 { 40.0 + recent * 40.0 } else { 0.0 };
    let width = WIDE.min(all.width() - 32.0);
    let top = (all.center().y - tall / 2.0 - 16.0).max(all.top() + 16.0);
    let column =
        Rect::from_min_size(pos2((all.center().x - width / 2.0).round(), top.round()), vec2(width, all.bottom() - top));
    let mut inner = ui.new_child(UiBuilder::new().max_rect(column).layout(egui::Layout::top_down(egui::Align::Min)));
    let ui = &mut inner;
    ui.spacing_mut().item_spacing = Vec2::new(8.0, 4.0);
    ui.horizontal(|ui| {
        mark(ui);
        ui.add_space(6.0);
        ui.label(egui::RichText::new("Nephoscope").font(theme::strong(theme::TITLE)));
    });
    ui.add_space(2.0);
    ui.label(
        egui::RichText::new("Shows whose cloud an app is really talking to, and proves it.")
            .font(theme::sans(theme::BODY))
            .color(c.quiet),
    );
    ui.add_space(20.0);
    drop_zone(ui, actions);
    ui.add_space(24.0);
    if !state.saved.recent.is_empty() {
        ui.horizontal(|ui| {
            ui.label(egui::RichText::new("Recent captures").font(theme::strong(theme::BODY)));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let words = egui::RichText::new("Clear list").font(theme::sans(theme::SMALL)).color(c.quiet);
                if ui
                    .add(egui::Button::new(words).small().frame_when_inactive(false))
                    .on_hover_text("Forget the recent captures")
                    .clicked()
                {
                    actions.push(Action::ForgetRecent);
                }
            });
        });
        ui.spacing_mut().item_spacing.y = 0.0;
        for path in state.saved.recent.iter().take(8) {
            recent_row(ui, path, actions);
        }
    }
}

/// Three strata of cloud, seen through a ring: a nephoscope.
fn mark(ui: &mut Ui) {
    let c = theme::colours(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(30.0, 30.0), Sense::hover());
    let painter = ui.painter();
    let centre = rect.center();
    painter.circle_stroke(centre, 13.0, egui::Stroke::new(2.0, c.accent));
    for (y, half) in [(-4.5_f32, 5.0_f32), (0.0, 8.0), (4.5, 6.5)] {
        let x = if y < 0.0 { 1.5 } else { -0.5 };
        let bar = Rect::from_center_size(pos2(centre.x + x, centre.y + y), vec2(half * 2.0, 2.4));
        painter.rect_filled(bar, CornerRadius::same(1), if y < 0.0 { c.accent } else { c.text });
    }
}

fn drop_zone(ui: &mut Ui, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 176.0), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(10), c.surface);
    shapes::dashed(ui.painter(), rect, Colours::tint(c.line, c.text, 0.2));
    let centre = rect.center();
    ui.painter().text(
        pos2(centre.x, rect.top() + 46.0),
        Align2::CENTER_CENTER,
        "Drop a capture here",
        theme::strong(theme::SECTION),
        c.text,
    );
    ui.painter().text(
        pos2(centre.x, rect.top() + 70.0),
        Align2::CENTER_CENTER,
        "pcap or pcapng, plain or packed with gzip, zstd or LZ4",
        theme::sans(theme::BODY),
        c.quiet,
    );
    let row = Rect::from_center_size(pos2(centre.x, rect.top() + 118.0), vec2(320.0, 36.0));
    let mut inner =
        ui.new_child(UiBuilder::new().max_rect(row).layout(egui::Layout::left_to_right(egui::Align::Center)));
    inner.spacing_mut().button_padding = vec2(16.0, 8.0);
    let open =
        egui::Button::new(egui::RichText::new("Open a capture…").font(theme::strong(theme::BODY)).color(c.on_accent))
            .fill(c.accent)
            .stroke(egui::Stroke::NONE)
            .min_size(vec2(156.0, 34.0));
    let response = inner.add(open);
    let response = if let Some(entry) = action::entry(&Action::Open) {
        response.on_hover_text(action::tip(inner.ctx(), entry))
    } else {
        response
    };
    if response.clicked() {
        actions.push(Action::Open);
    }
    let by_path = inner.add(egui::Button::new("Open by path…").min_size(vec2(156.0, 34.0)));
    if by_path.on_hover_text("Type the path of a capture").clicked() {
        actions.push(Action::AskPath);
    }
}

fn recent_row(ui: &mut Ui, path: &Path, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::click());
    let name = clean(path.file_name().unwrap_or_default().as_encoded_bytes()).into_owned();
    let folder = clean(path.parent().unwrap_or(path).as_os_str().as_encoded_bytes()).into_owned();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Open {name}")));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect.expand2(vec2(8.0, 0.0)), CornerRadius::same(6), c.hover);
    }
    let painter = ui.painter().with_clip_rect(rect);
    painter.text(
        pos2(rect.left(), rect.top() + 4.0),
        Align2::LEFT_TOP,
        middle(&name, 72, 16),
        theme::sans(theme::BODY),
        c.text,
    );
    painter.text(
        pos2(rect.left(), rect.bottom() - 4.0),
        Align2::LEFT_BOTTOM,
        middle(&folder, 88, 40),
        theme::sans(theme::SMALL),
        c.quiet,
    );
    if response.clicked() {
        actions.push(Action::OpenPath(path.to_owned()));
    }
}

/// What lies over everything while a file hovers.
pub(crate) fn drop_hint(ui: &Ui) {
    let c = theme::colours(ui);
    let rect = ui.ctx().content_rect();
    let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop hint")));
    painter.rect_filled(rect, CornerRadius::ZERO, c.page.gamma_multiply(0.86));
    shapes::dashed(&painter, rect.shrink(24.0), c.accent);
    painter.text(rect.center(), Align2::CENTER_CENTER, "Drop to open", theme::strong(theme::TITLE), c.text);
}
