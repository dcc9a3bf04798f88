//! What stands under a filter box while somebody types: the meaning or the fault, what could be written next, and in an
//! empty box the filters kept by name and those used lately.

use egui::text::{LayoutJob, TextFormat};
use egui::{Area, Button, Frame, Order, Rect, RichText, ScrollArea, Ui, vec2};

use super::{FilterAction, FilterBox, Seen, id, take};
use crate::model::clean_to;
use crate::store::filter::Suggestion;
use crate::ui::action::Action;
use crate::ui::text;
use crate::ui::theme;

/// Filters used lately that are listed.
const SHOWN: usize = 8;
/// Characters of a filter that are listed.
const CHARS: usize = 90;

/// What was clicked.
enum Picked {
    Suggestion(usize),
    Text(String),
}

pub(super) fn show(
    ui: &Ui,
    rect: Rect,
    seen: &Seen<'_>,
    (text, known): (&mut String, &mut FilterBox),
    actions: &mut Vec<Action>,
) {
    let focused = ui.memory(|memory| memory.has_focus(id(seen.which)));
    let empty = text.is_empty() && seen.memory.kept.is_empty() && seen.memory.history.is_empty();
    if !(focused || is_held(ui, known)) || empty {
        known.popup = None;
        return;
    }
    let width = rect.width().clamp(320.0, 640.0);
    let mut picked = None;
    let area = Area::new(id(seen.which).with("popup"))
        .order(Order::Foreground)
        .fixed_pos(rect.left_bottom() + vec2(0.0, 4.0))
        .show(ui.ctx(), |ui| {
            Frame::popup(ui.style()).show(ui, |ui| {
                ui.set_width(width);
                ui.spacing_mut().item_spacing.y = 2.0;
                if text.is_empty() {
                    picked = remembered(ui, seen, actions);
                } else {
                    said(ui, known, seen.actions);
                    picked = suggested(ui, known);
                }
            });
        });
    known.popup = Some(area.response.rect);
    match picked {
        Some(Picked::Suggestion(at)) => take(ui, seen, text, known, at),
        Some(Picked::Text(filter)) => {
            *text = filter;
            known.read(text);
            super::put_cursor(ui, seen.which, text, text.len());
        }
        None => {}
    }
}

/// Whether the pointer is down over the popup, or was let go there just now.
pub(super) fn is_held(ui: &Ui, known: &FilterBox) -> bool {
    let pressed = |input: &egui::InputState| input.pointer.any_down() || input.pointer.any_released();
    known.popup.is_some_and(|popup| {
        ui.input(|input| pressed(input) && input.pointer.latest_pos().is_some_and(|at| popup.contains(at)))
    })
}

/// The meaning, or what is wrong.
fn said(ui: &mut Ui, known: &FilterBox, marked: usize) {
    let c = theme::colours(ui);
    let small = |words: String, colour| RichText::new(words).font(theme::sans(theme::BODY)).color(colour);
    match known.fault() {
        Some(fault) => {
            ui.label(small(text::sentence(&fault.wrong), c.red));
            ui.label(small(text::sentence(&fault.expected), c.quiet));
        }
        None => {
            ui.label(small(format!("Rows where {}", known.meaning), c.quiet));
        }
    }
    if let Some(unknown) = known.unknown_action(marked) {
        ui.label(small(format!("Action {unknown} was not marked"), c.amber));
    }
}

fn suggested(ui: &mut Ui, known: &FilterBox) -> Option<Picked> {
    let completion = known.suggestions()?;
    ui.separator();
    let mut picked = None;
    for (at, suggestion) in completion.suggestions.iter().enumerate() {
        let chosen = known.chosen == Some(at);
        let button = Button::selectable(chosen, line(ui, suggestion)).min_size(vec2(ui.available_width(), 22.0));
        let response = ui.add(button);
        if chosen {
            response.scroll_to_me(None);
        }
        if response.clicked() {
            picked = Some(Picked::Suggestion(at));
        }
    }
    let c = theme::colours(ui);
    ui.label(RichText::new("Down and Up choose, Tab or Enter takes").font(theme::sans(theme::SMALL)).color(c.faint));
    picked
}

/// A suggestion with what it is and how many rows have it.
fn line(ui: &Ui, suggestion: &Suggestion) -> LayoutJob {
    let c = theme::colours(ui);
    let mut job = LayoutJob::default();
    job.append(&suggestion.text, 0.0, TextFormat::simple(theme::mono(), c.text));
    let mut quiet = |words: &str| job.append(words, 12.0, TextFormat::simple(theme::sans(theme::SMALL), c.quiet));
    if !suggestion.about.is_empty() {
        quiet(&suggestion.about);
    }
    if let Some(count) = suggestion.count {
        quiet(&text::plural(u64::from(count), "row", "rows"));
    }
    job
}

/// Filters kept by name, and those used lately.
fn remembered(ui: &mut Ui, seen: &Seen<'_>, actions: &mut Vec<Action>) -> Option<Picked> {
    let c = theme::colours(ui);
    let heading = |ui: &mut Ui, words: &str| {
        ui.label(RichText::new(words).font(theme::sans(theme::SMALL)).color(c.faint));
    };
    let mut picked = None;
    let mut entry = |ui: &mut Ui, name: &str, filter: &str| {
        let shown = |text: &str| clean_to(text.as_bytes(), CHARS).into_owned();
        let mut job = LayoutJob::default();
        if !name.is_empty() {
            job.append(&shown(name), 0.0, TextFormat::simple(theme::strong(theme::BODY), c.text));
        }
        let colour = if name.is_empty() { c.text } else { c.quiet };
        let gap = if name.is_empty() { 0.0 } else { 12.0 };
        job.append(&shown(filter), gap, TextFormat::simple(theme::mono(), colour));
        if ui.add(Button::selectable(false, job).min_size(vec2(ui.available_width(), 22.0))).clicked() {
            picked = Some(Picked::Text(filter.to_owned()));
        }
    };
    ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
        if !seen.memory.kept.is_empty() {
            heading(ui, "Kept");
            for kept in &seen.memory.kept {
                entry(ui, &kept.name, &kept.text);
            }
        }
        if !seen.memory.history.is_empty() {
            ui.horizontal(|ui| {
                heading(ui, "Used lately; Up brings them back");
                if ui.add(theme::small("Forget these")).clicked() {
                    actions.push(Action::Filter(FilterAction::Forget));
                }
            });
            for used in seen.memory.history.iter().take(SHOWN) {
                entry(ui, "", used);
            }
        }
    });
    picked
}
