//! The bar at the top: open, stop, filter, how many rows, menu; and the thin bar of progress under it.

use egui::{Align, CornerRadius, Id, Key, Layout, Modifiers, Rect, Sense, Ui, pos2, vec2};

use super::action::{self, Action, menu_item};
use super::state::{State, ThemeChoice, View};
use super::theme;
use super::{shapes, text};
use crate::store::Progress;

/// What the bar reads.
pub(crate) struct Seen<'a> {
    /// What the capture is called.
    pub(crate) name: &'a str,
    pub(crate) progress: Progress,
    /// Whether the engine reads.
    pub(crate) reading: bool,
    pub(crate) shown: usize,
    pub(crate) all: usize,
}

/// Height in points.
pub(crate) const HEIGHT: f32 = 44.0;

/// The filter box.
pub(crate) fn filter_id() -> Id {
    Id::unique("filter box")
}

/// Paints the bar.
pub(crate) fn show(ui: &mut Ui, seen: &Seen<'_>, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let bar = ui.max_rect();
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        button(ui, &Action::Open, actions);
        if seen.reading {
            button(ui, &Action::Stop, actions);
        }
        ui.add_space(4.0);
        let name = egui::RichText::new(seen.name).font(theme::strong(theme::BODY));
        let room = (ui.available_width() * 0.2).clamp(60.0, 320.0);
        ui.scope(|ui| {
            ui.set_max_width(room);
            ui.add(egui::Label::new(name).truncate()).on_hover_text("The capture on screen");
        });
        ui.add_space(4.0);
        views(ui, state, actions);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            menu(ui, state, actions);
            counts(ui, seen);
            filter(ui, state, actions);
        });
    });
    progress(ui, bar, seen, c.accent);
}

/// The list and the findings.
fn views(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for view in [View::Exchanges, View::Findings] {
            let action = Action::View(view);
            let Some(entry) = action::entry(&action) else { continue };
            let button = egui::Button::selectable(state.view == view, entry.label);
            if ui.add(button).on_hover_text(action::tip(ui.ctx(), entry)).clicked() {
                actions.push(action);
            }
        }
    });
}

fn button(ui: &mut Ui, action: &Action, actions: &mut Vec<Action>) {
    let Some(entry) = action::entry(action) else { return };
    if ui.button(entry.label).on_hover_text(action::tip(ui.ctx(), entry)).clicked() {
        actions.push(action.clone());
    }
}

fn counts(ui: &mut Ui, seen: &Seen<'_>) {
    let c = theme::colours(ui);
    let words = if seen.shown == seen.all {
        text::count(seen.all as u64)
    } else {
        format!("{} of {}", text::count(seen.shown as u64), text::count(seen.all as u64))
    };
    // A place of its own width, so that the filter box does not move while numbers grow.
    let galley = ui.painter().layout_no_wrap(words, theme::sans(theme::BODY), c.quiet);
    let width = galley.size().x.max(if seen.shown == seen.all { 56.0 } else { 112.0 });
    let (rect, response) = ui.allocate_exact_size(vec2(width, 24.0), Sense::hover());
    let at = rect.right_center() - vec2(galley.size().x, galley.size().y / 2.0);
    ui.painter().galley(pos2(at.x, at.y.round()), galley, c.quiet);
    response.on_hover_text("Exchanges shown, of all in the capture");
}

fn filter(ui: &mut Ui, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let width = ui.available_width() - 8.0;
    let (rect, _) = ui.allocate_exact_size(vec2(width, 28.0), Sense::hover());
    let focused = ui.memory(|memory| memory.has_focus(filter_id()));
    ui.painter().rect(
        rect,
        CornerRadius::same(theme::CORNER),
        c.page,
        egui::Stroke::new(1.0, if focused { c.accent } else { c.line }),
        egui::StrokeKind::Inside,
    );
    shapes::lens(ui.painter(), pos2(rect.left() + 15.0, rect.center().y), c.quiet);
    let inside = Rect::from_min_max(pos2(rect.left() + 28.0, rect.top()), pos2(rect.right() - 28.0, rect.bottom()));
    let edit = egui::TextEdit::singleline(&mut state.choice.filter)
        .id(filter_id())
        .hint_text(egui::RichText::new("Filter by host, path, type, address or provider").color(c.faint))
        .frame(egui::Frame::NONE)
        .char_limit(1_024)
        .align(egui::Align2::LEFT_CENTER)
        .desired_width(inside.width());
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(inside).layout(Layout::left_to_right(Align::Center)));
    let response = inner.add(edit).accessible_name("Filter");
    if response.changed() && state.view != View::Exchanges {
        // Findings are never filtered: who filters wants the list.
        actions.push(Action::View(View::Exchanges));
    }
    // Down leaves the box for the table.
    if response.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowDown)) {
        ui.memory_mut(|memory| memory.request_focus(super::table::focus_id()));
    }
    if !state.choice.filter.is_empty() {
        let clear = Rect::from_center_size(pos2(rect.right() - 15.0, rect.center().y), vec2(20.0, 20.0));
        let response = ui.interact(clear, ui.scope_id().with("clear"), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Clear filter"));
        let hot = response.hovered() || response.has_focus();
        shapes::cross(ui.painter(), clear.center(), if hot { c.text } else { c.quiet });
        if response.on_hover_text("Show all rows again").clicked() {
            actions.push(Action::ClearFilter);
        }
    }
}

fn menu(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.menu_button("Menu", |ui| {
        ui.set_min_width(220.0);
        for action in [Action::Open, Action::AskPath, Action::Close] {
            menu_item(ui, &action, actions);
        }
        ui.separator();
        for action in [Action::View(View::Exchanges), Action::View(View::Findings), Action::Fold] {
            menu_item(ui, &action, actions);
        }
        menu_item(ui, &Action::ResetColumns, actions);
        ui.menu_button("Theme", |ui| {
            let themes =
                [("As the desktop", ThemeChoice::System), ("Dark", ThemeChoice::Dark), ("Light", ThemeChoice::Light)];
            for (label, choice) in themes {
                if ui.radio(state.saved.theme == choice, label).clicked() {
                    actions.push(Action::Theme(choice));
                    ui.close();
                }
            }
        });
        ui.separator();
        menu_item(ui, &Action::Keys, actions);
        menu_item(ui, &Action::Quit, actions);
    });
}

fn progress(ui: &Ui, bar: Rect, seen: &Seen<'_>, colour: egui::Color32) {
    if !seen.reading {
        return;
    }
    let share = seen.progress.total.filter(|t| *t > 0).map_or(0.0, |total| seen.progress.read as f32 / total as f32);
    let left = bar.left() - 8.0;
    let line =
        Rect::from_min_size(pos2(left, bar.bottom() - 2.0), vec2((bar.width() + 16.0) * share.clamp(0.0, 1.0), 2.0));
    ui.painter().rect_filled(line, CornerRadius::ZERO, colour);
}
