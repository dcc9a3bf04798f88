//! Small parts that card, path and readings share: folds, captions, numbers of ledger lines, buttons that lead elsewhere.

use egui::{Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::head;
use crate::ui::action::{self, Action, Goal};
use crate::ui::prepared::Shown;
use crate::ui::roving::follow;
use crate::ui::shapes;
use crate::ui::state::{Fold, State};
use crate::ui::theme;

/// The numbers of ledger lines, each in its provider's colour; the pointer lights the line everywhere.
pub(super) fn badges(ui: &mut Ui, lines: &[usize], shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    for i in lines {
        let Some(line) = shown.lines.get(*i) else { continue };
        let (rect, response) = ui.allocate_exact_size(vec2(20.0, 16.0), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Line {}", i + 1)));
        follow(&response);
        let lit = state.lit == Some(*i) || response.hovered() || response.has_focus();
        let hue = c.provider(line.provider);
        head::number(ui.painter(), rect.shrink2(vec2(0.5, 0.5)), &(i + 1).to_string(), hue);
        if lit {
            ui.painter().rect_stroke(
                rect.expand(1.0),
                egui::CornerRadius::same(5),
                egui::Stroke::new(1.2, c.text),
                egui::StrokeKind::Inside,
            );
        }
        if response.hovered() {
            state.lit_next = Some(*i);
        }
        if response.clicked() {
            actions.push(Action::Line(*i));
        }
        response.on_hover_ui(|ui| {
            ui.set_max_width(440.0);
            ui.label(egui::RichText::new(&line.excerpt).font(theme::mono()));
            ui.label(egui::RichText::new(line.proves).color(c.quiet));
        });
    }
}

/// A line that opens and closes what stands under it. Gives whether it is open; in a picture it always is.
pub(super) fn fold(ui: &mut Ui, fold: Fold, words: &str, state: &State, actions: &mut Vec<Action>) -> bool {
    let c = theme::colours(ui);
    if state.still.is_some() {
        ui.add(egui::Label::new(egui::RichText::new(words).color(c.quiet)).wrap());
        return true;
    }
    let open = state.open(fold);
    let width = ui.available_width();
    let galley = ui.painter().layout_no_wrap(words.to_owned(), theme::sans(theme::BODY), c.quiet);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 20.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, open, words));
    follow(&response);
    let colour = if response.hovered() || response.has_focus() { c.text } else { c.quiet };
    shapes::chevron(ui.painter(), pos2(rect.left() + 5.0, rect.center().y), open, colour);
    let at = pos2(rect.left() + 16.0, (rect.center().y - galley.size().y / 2.0).round());
    ui.painter().with_clip_rect(rect).galley_with_override_text_color(at, galley, colour);
    if response.clicked() {
        actions.push(Action::Unfold(fold));
    }
    open
}

/// A sentence with a dot before it.
pub(crate) fn point(ui: &mut Ui, words: &str) {
    let c = theme::colours(ui);
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, 18.0), Sense::hover());
        ui.painter().circle_filled(pos2(rect.center().x, rect.center().y), 1.5, c.faint);
        ui.add(egui::Label::new(egui::RichText::new(words).color(c.quiet)).wrap());
    });
}

/// A small label at the left of a line.
pub(super) fn caption(ui: &mut Ui, label: &str, width: f32) -> Response {
    let c = theme::colours(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 18.0), Sense::hover());
    ui.painter().text(rect.left_center(), egui::Align2::LEFT_CENTER, label, theme::sans(theme::SMALL), c.quiet);
    response
}

/// A section's title with space above.
pub(super) fn title(ui: &mut Ui, words: &str) {
    ui.add_space(6.0);
    ui.label(egui::RichText::new(words).font(theme::strong(theme::BODY)));
}

/// A button that leads to another exchange; nothing in a picture.
pub(super) fn go(ui: &mut Ui, goal: Goal, state: &State, actions: &mut Vec<Action>) {
    if state.still.is_some() {
        return;
    }
    let action = Action::Go(goal);
    let Some(entry) = action::entry(&action) else { return };
    let c = theme::colours(ui);
    // What it leads to stands before it; in words for who cannot see that.
    let button = ui.add(theme::small(egui::RichText::new("Go there").color(c.accent)));
    button.clone().accessible_name(entry.label);
    follow(&button);
    if button.on_hover_text(action::tip(ui.ctx(), entry)).clicked() {
        actions.push(action);
    }
}
