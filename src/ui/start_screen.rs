//! What is there before a capture: open, drop, recent ones, interfaces to capture from, captures that were left behind.

use std::path::Path;

use egui::{
    Align, Align2, CornerRadius, Layout, Rect, RichText, Role, ScrollArea, Sense, Ui, UiBuilder, Vec2, WidgetInfo,
    pos2, vec2,
};

use super::action::{self, Action, LiveAction, PreferencesAction};
use super::interfaces::{self, Interfaces, Use};
use super::roving::follow;
use super::state::State;
use super::theme::{self, Colours};
use super::{shapes, text};
use crate::capture::Orphan;
use crate::model::{clean, clean_to, middle};

/// Width of one column, and the gap between two, in points.
const WIDE: f32 = 560.0;
const HALF: f32 = 500.0;
const GAP: f32 = 56.0;
/// From this width on interfaces stand beside the rest.
const TWO: f32 = 1_060.0;
/// Below this height the drop zone gives way.
const SHORT: f32 = 700.0;

/// Paints the screen. Without `interfaces` there are no live captures.
pub(crate) fn show(ui: &mut Ui, state: &mut State, interfaces: Option<&Interfaces>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(all);
    ui.painter().rect_filled(all, CornerRadius::ZERO, c.page);
    let two = interfaces.is_some() && all.width() >= TWO;
    let width = if two { HALF * 2.0 + GAP } else { WIDE.min(all.width() - 48.0) };
    let short = all.height() < SHORT;
    let mut inner = ui.new_child(UiBuilder::new().max_rect(all).layout(Layout::top_down(Align::Min)));
    ScrollArea::vertical().auto_shrink(false).show(&mut inner, |ui| {
        // As tall as the frame before found it: the middle moves only when something comes or goes.
        let tall_id = egui::Id::unique("start screen height");
        let tall: Option<f32> = ui.data(|data| data.get_temp(tall_id));
        let top = tall.map_or(16.0, |tall| ((all.height() - tall) / 2.0 - 16.0).max(20.0)).round();
        let left = ((all.width() - width) / 2.0).round();
        let column = Rect::from_min_size(ui.max_rect().min + vec2(left, top), vec2(width, f32::INFINITY));
        let mut inner = ui.new_child(UiBuilder::new().max_rect(column).layout(Layout::top_down(Align::Min)));
        columns(&mut inner, state, interfaces, Shape { two, short }, actions);
        let used = inner.min_rect().height();
        ui.allocate_space(vec2(1.0, top + used + 20.0));
        if tall.is_none_or(|tall| (tall - used).abs() > 0.5) {
            ui.data_mut(|data| data.insert_temp(tall_id, used));
            ui.ctx().request_repaint();
        }
    });
}

/// How the room is shared out.
#[derive(Clone, Copy)]
struct Shape {
    /// Interfaces stand beside the rest, not under it.
    two: bool,
    /// There is little height.
    short: bool,
}

fn columns(ui: &mut Ui, state: &mut State, interfaces: Option<&Interfaces>, shape: Shape, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing = Vec2::new(8.0, 4.0);
    head(ui, actions);
    if let Some(seen) = interfaces {
        left_behind(ui, &seen.orphans, actions);
    }
    if shape.two {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            column(ui, |ui| {
                drop_zone(ui, shape.short, actions);
                ui.add_space(24.0);
                recent(ui, state, actions);
            });
            column(ui, |ui| {
                if let Some(seen) = interfaces {
                    capture(ui, state, seen, actions);
                }
            });
        });
        return;
    }
    drop_zone(ui, shape.short, actions);
    ui.add_space(20.0);
    if let Some(seen) = interfaces {
        capture(ui, state, seen, actions);
        ui.add_space(20.0);
    }
    recent(ui, state, actions);
}

fn column(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    ui.vertical(|ui| {
        ui.set_width(HALF);
        ui.spacing_mut().item_spacing = Vec2::new(8.0, 4.0);
        add(ui);
    });
}

fn head(ui: &mut Ui, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        mark(ui);
        ui.add_space(6.0);
        ui.label(RichText::new("Nephoscope").font(theme::strong(theme::TITLE)));
        let preferences = Action::Preferences(PreferencesAction::Ask);
        let Some(entry) = action::entry(&preferences) else { return };
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let words = RichText::new(entry.label).font(theme::sans(theme::SMALL)).color(c.quiet);
            let button = theme::bare(words);
            if ui.add(button).on_hover_text(action::tip(ui.ctx(), entry)).clicked() {
                actions.push(preferences);
            }
        });
    });
    ui.add_space(2.0);
    ui.label(
        RichText::new("Shows whose cloud an app is really talking to, and proves it.")
            .font(theme::sans(theme::BODY))
            .color(c.quiet),
    );
    ui.add_space(20.0);
}

/// A section's title with a small button at its end.
fn section(ui: &mut Ui, title: &str, button: (&str, &str), action: Action, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).font(theme::strong(theme::BODY)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let words = RichText::new(button.0).font(theme::sans(theme::SMALL)).color(c.quiet);
            if ui.add(theme::bare(words)).on_hover_text(button.1).clicked() {
                actions.push(action);
            }
        });
    });
}

fn recent(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.saved.recent.is_empty() {
        return;
    }
    let clear = ("Clear list", "Forget the recent captures");
    section(ui, "Recent captures", clear, Action::ForgetRecent, actions);
    ui.spacing_mut().item_spacing.y = 0.0;
    for path in state.saved.recent.iter().take(8) {
        recent_row(ui, path, actions);
    }
}

fn capture(ui: &mut Ui, state: &mut State, seen: &Interfaces, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let options = Action::Live(LiveAction::Options);
    let tip = action::entry(&options).map_or_else(String::new, |entry| action::tip(ui.ctx(), entry));
    section(ui, "Capture from an interface", ("Options…", &tip), options, actions);
    let limits = state.saved.capture.limits();
    if !limits.is_empty() {
        let words = format!("As chosen last: {limits}");
        let words = RichText::new(words).font(theme::sans(theme::SMALL)).color(c.amber);
        ui.add(egui::Label::new(words).truncate());
    }
    let how = Use { verb: "Capture on", first: &state.saved.capture.device, chosen: "" };
    if let Some(device) = interfaces::list(ui, seen, how, &mut state.more_interfaces) {
        actions.push(Action::Live(LiveAction::Capture(device)));
    }
}

/// Captures of programs that died before they were saved.
fn left_behind(ui: &mut Ui, orphans: &[Orphan], actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    for orphan in orphans {
        let device = clean_to(orphan.device.as_bytes(), 40);
        let (day, time) = (orphan.began.date(), orphan.began.time_of_day(0));
        let time = time.get(..5).unwrap_or_default();
        let words = format!("A capture of {device} from {day} {time} UTC was not saved ({})", text::size(orphan.bytes));
        let ground = Colours::tint(c.page, c.amber, 0.1);
        let frame = egui::Frame::NONE.fill(ground).corner_radius(CornerRadius::same(theme::CORNER));
        frame.inner_margin(egui::Margin::symmetric(12, 6)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let mut button = |ui: &mut Ui, label: &str, tip: &str, action: LiveAction| {
                        let response = ui.add(theme::small(label));
                        if response.on_hover_text(tip).clicked() {
                            actions.push(Action::Live(action));
                        }
                    };
                    let folder = || orphan.folder.clone();
                    button(ui, "Delete", "Delete it for good", LiveAction::AskDelete(orphan.clone()));
                    button(ui, "Save…", "Save it as a file", LiveAction::SaveOrphan(folder()));
                    button(ui, "Open", "Look at it; it stays unsaved", LiveAction::Recover(folder()));
                    ui.with_layout(Layout::left_to_right(Align::Center).with_main_wrap(false), |ui| {
                        ui.add(egui::Label::new(words).truncate());
                    });
                });
            });
        });
        ui.add_space(4.0);
    }
    if !orphans.is_empty() {
        ui.add_space(12.0);
    }
}

/// Three strata of cloud, seen through a ring: a nephoscope.
fn mark(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(32.0, 32.0), Sense::hover());
    let painter = ui.painter();
    let c = theme::icon();
    let at = |x: f32, y: f32| rect.min + vec2(x, y);
    painter.circle(at(16.0, 16.0), 14.5, c.dial, egui::Stroke::new(2.0, c.ring));
    // The cloud of assets/desktop/nephoscope-small.svg, in the colours of two that it may belong to.
    let halves = [(rect.left(), rect.center().x, c.left), (rect.center().x, rect.right(), c.right)];
    for (from, to, colour) in halves {
        let half =
            painter.with_clip_rect(Rect::from_x_y_ranges(from..=to, rect.y_range()).intersect(painter.clip_rect()));
        for (x, y, radius) in [(9.5, 18.4, 4.6), (15.9, 15.0, 7.2), (22.4, 17.8, 5.2)] {
            half.circle_filled(at(x, y), radius, colour);
        }
        half.rect_filled(Rect::from_min_max(at(9.5, 17.0), at(22.4, 23.0)), CornerRadius::ZERO, colour);
    }
    painter.line_segment([at(16.0, 5.5), at(16.0, 26.5)], egui::Stroke::new(1.6, c.sight));
}

fn drop_zone(ui: &mut Ui, short: bool, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let (rect, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), if short { 160.0 } else { 200.0 }), Sense::hover());
    let up = if short { 20.0 } else { 0.0 };
    ui.painter().rect_filled(rect, CornerRadius::same(10), c.surface);
    shapes::dashed(ui.painter(), rect, Colours::tint(c.line, c.text, 0.2));
    let centre = rect.center();
    ui.painter().text(
        pos2(centre.x, rect.top() + 46.0 - up),
        Align2::CENTER_CENTER,
        "Drop a capture here",
        theme::strong(theme::SECTION),
        c.text,
    );
    ui.painter().text(
        pos2(centre.x, rect.top() + 70.0 - up),
        Align2::CENTER_CENTER,
        "pcap, pcapng or HAR, plain or packed with gzip, zstd or LZ4",
        theme::sans(theme::BODY),
        c.quiet,
    );
    let row = Rect::from_center_size(pos2(centre.x, rect.top() + 118.0 - up), vec2(320.0, 36.0));
    let mut inner = ui.new_child(UiBuilder::new().max_rect(row).layout(Layout::left_to_right(Align::Center)));
    inner.spacing_mut().button_padding = vec2(16.0, 8.0);
    let open = egui::Button::new(RichText::new("Open a capture…").font(theme::strong(theme::BODY)).color(c.on_accent))
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
    verify_line(ui, pos2(centre.x, rect.top() + 164.0 - up), actions);
}

/// That pictures are welcome too.
fn verify_line(ui: &mut Ui, centre: egui::Pos2, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let Some(entry) = action::entry(&Action::Verify) else { return };
    let row = Rect::from_center_size(centre, vec2(320.0, 24.0));
    let layout = Layout::centered_and_justified(egui::Direction::LeftToRight);
    let mut inner = ui.new_child(UiBuilder::new().max_rect(row).layout(layout));
    let button = egui::Button::new(RichText::new(entry.label).color(c.quiet)).frame_when_inactive(false);
    if inner.add(button).on_hover_text(action::tip(inner.ctx(), entry)).clicked() {
        actions.push(Action::Verify);
    }
}

fn recent_row(ui: &mut Ui, path: &Path, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::click());
    let name = clean(path.file_name().unwrap_or_default().as_encoded_bytes()).into_owned();
    let folder = clean(path.parent().unwrap_or(path).as_os_str().as_encoded_bytes()).into_owned();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Open {name}")));
    follow(&response);
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
    painter.text(rect.center(), Align2::CENTER_CENTER, "Drop to open or verify", theme::strong(theme::TITLE), c.text);
}
