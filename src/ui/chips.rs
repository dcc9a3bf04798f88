//! One chip for each provider met, with its count; a click shows only its rows.

use egui::{CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::action::{self, Action, LiveAction, NoteAction, TreeAction};
use super::filter::{FilterAction, Join};
use super::live::action_words;
use super::state::{Arrangement, Choice};
use super::theme::{self, Colours};
use super::{menus, shapes, text};
use crate::evidence::pack;
use crate::model::ProviderId;
use crate::store::Row;
use crate::store::filter::{Filter, Key, is};
use crate::store::groups::GroupOrder;

/// Height of the bar in points.
pub(crate) const HEIGHT: f32 = 34.0;

/// The menu that says how exchanges are arranged. `programs` says whether any are known.
fn arrangement(ui: &mut Ui, choice: &Choice, programs: bool, actions: &mut Vec<Action>) {
    let label = match choice.arrangement {
        Arrangement::List => "List",
        Arrangement::Providers => "Tree by provider",
        Arrangement::Programs => "Tree by program",
    };
    let menu = ui.menu_button(label, |ui| {
        for arrangement in Arrangement::ALL {
            let action = Action::Tree(TreeAction::Arrange(arrangement));
            let Some(entry) = action::entry(&action) else { continue };
            let possible = programs || arrangement != Arrangement::Programs;
            let radio = egui::RadioButton::new(choice.arrangement == arrangement, entry.label);
            if ui.add_enabled(possible, radio).on_hover_text(entry.tip).clicked() {
                actions.push(action);
                ui.close();
            }
        }
        ui.separator();
        let orders = [
            (GroupOrder::Bytes, "Most bytes first"),
            (GroupOrder::Count, "Most exchanges first"),
            (GroupOrder::Name, "By name"),
        ];
        for (order, words) in orders {
            let radio = egui::RadioButton::new(choice.group_order == order, words);
            if ui.add_enabled(choice.arrangement != Arrangement::List, radio).clicked() {
                actions.push(Action::Tree(TreeAction::Sort(order)));
                ui.close();
            }
        }
    });
    menu.response.on_hover_text("How exchanges are arranged: one below the other, or in groups with totals");
}

/// Paints the bar. `counts` as the snapshot gives them; `programs` says whether any are known; `marks` actions were marked, and
/// `ignored` exchanges are in none of the counts.
pub(crate) fn show(
    ui: &mut Ui,
    (counts, programs): (&[(ProviderId, u32)], bool),
    (marks, ignored): (usize, usize),
    choice: &Choice,
    actions: &mut Vec<Action>,
) {
    let chosen = choice.provider;
    let mut counts: Vec<(ProviderId, u32)> = counts.to_vec();
    // The most met first; rows without provider last.
    counts.sort_by_key(|(id, n)| (id.0 == Row::NONE, core::cmp::Reverse(*n), id.0));
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        arrangement(ui, choice, programs, actions);
        if let Some(site) = &choice.site {
            let button = ui.add(egui::Button::selectable(true, format!("Site {site}")));
            if button.on_hover_text("Only exchanges of this site are shown; click for all").clicked() {
                actions.push(Action::ClearFilter);
            }
        }
        actions_marked(ui, marks, choice, actions);
        if ignored > 0 {
            ignoring(ui, ignored, actions);
        }
        let mut rest = Vec::new();
        for (id, count) in counts {
            if rest.is_empty() && ui.available_width() > 190.0 {
                chip(ui, id, count, chosen == Some(id), actions);
            } else {
                rest.push((id, count));
            }
        }
        if !rest.is_empty() {
            ui.menu_button(format!("{} more", rest.len()), |ui| {
                for (id, count) in rest {
                    let label = format!("{}  {}", name(id), text::count(u64::from(count)));
                    if ui.add(egui::Button::selectable(chosen == Some(id), label)).clicked() {
                        actions.push(Action::Provider((chosen != Some(id)).then_some(id)));
                        ui.close();
                    }
                }
            });
        }
    });
}

/// How many exchanges are ignored, and what can be done about them.
fn ignoring(ui: &mut Ui, ignored: usize, actions: &mut Vec<Action>) {
    let label = format!("{} ignored", text::count(ignored as u64));
    let menu = ui.menu_button(label, |ui| {
        let filters = [("Hide ignored exchanges", Join::Not), ("Show only ignored exchanges", Join::Only)];
        for (words, join) in filters {
            if let Ok(test) = Filter::parse("ignored:yes") {
                menus::action(ui, words, || Action::Filter(FilterAction::Refine(test, join)), actions);
            }
        }
        action::menu_item(ui, &Action::Note(NoteAction::TakeBack), actions);
    });
    menu.response.on_hover_text("They are dimmed in the list, and counted neither here nor in the findings");
}

/// The latest actions as chips, the earlier ones in a menu.
fn actions_marked(ui: &mut Ui, marks: usize, choice: &Choice, actions: &mut Vec<Action>) {
    const SHOWN: usize = 3;
    let on = |number: usize| {
        let words = action_words(number);
        choice.filter.split_whitespace().any(|word| word.eq_ignore_ascii_case(&words))
    };
    let tip = "Show only what began in the 10 s after this action, and before the next; click again for all";
    let mut item = |ui: &mut Ui, number: usize| {
        let button = egui::Button::selectable(on(number), format!("Action {number}")).frame_when_inactive(true);
        let clicked = ui.add(button).on_hover_text(tip).clicked();
        if clicked {
            actions.push(Action::Live(LiveAction::Marked(number)));
        }
        clicked
    };
    let early = marks.saturating_sub(SHOWN);
    if early > 0 {
        ui.menu_button("Earlier actions", |ui| {
            egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
                for number in (1..=early).rev() {
                    if item(ui, number) {
                        ui.close();
                    }
                }
            });
        });
    }
    for number in early + 1..=marks {
        item(ui, number);
    }
}

/// A provider's name; words for none.
pub(crate) fn name(id: ProviderId) -> &'static str {
    if id.0 == Row::NONE {
        "No provider"
    } else {
        pack().providers.get(usize::from(id.0)).map_or("unknown", |p| p.name)
    }
}

fn chip(ui: &mut Ui, id: ProviderId, count: u32, on: bool, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let label = ui.painter().layout_no_wrap(name(id).to_owned(), theme::sans(theme::BODY), c.text);
    let number = ui.painter().layout_no_wrap(text::count(u64::from(count)), theme::sans(theme::BODY), c.quiet);
    let width = 8.0 + 18.0 + 6.0 + label.size().x + 8.0 + number.size().x + 10.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, 24.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, on, format!("Only {}", name(id))));
    let colour = if id.0 == Row::NONE { c.unknown() } else { c.provider(id).line };
    let ground = match (on, response.hovered()) {
        (true, _) => Colours::tint(c.page, colour, theme::MOST_TINT),
        (false, true) => c.raised,
        (false, false) => c.surface,
    };
    let line = if on { colour } else { c.line };
    ui.painter().rect(rect, CornerRadius::same(theme::CORNER), ground, Stroke::new(1.0, line), StrokeKind::Inside);
    let square = Rect::from_min_size(pos2(rect.left() + 6.0, rect.center().y - 8.0), vec2(18.0, 16.0));
    if id.0 == Row::NONE {
        shapes::nobody(ui.painter(), square.shrink(2.0), c);
    } else {
        shapes::provider(ui.painter(), square, c, id);
    }
    let y = (rect.center().y - label.size().y / 2.0).round();
    let x = square.right() + 6.0;
    let after = x + label.size().x + 8.0;
    ui.painter().galley(pos2(x, y), label, c.text);
    ui.painter().galley(pos2(after, y), number, c.quiet);
    menus::on(&response, response.has_focus(), |ui| menu(ui, id, on, actions));
    let tip = if on { "Show all rows again" } else { "Show only these rows" };
    if response.on_hover_text(tip).clicked() {
        actions.push(Action::Provider((!on).then_some(id)));
    }
}

/// What can be done with a provider.
fn menu(ui: &mut Ui, id: ProviderId, on: bool, actions: &mut Vec<Action>) {
    let words = if on { "Show all rows again" } else { "Show only these rows" };
    menus::action(ui, words, || Action::Provider((!on).then_some(id)), actions);
    ui.separator();
    if let Some(filter) = filter(id) {
        menus::filters(ui, &filter, actions);
        ui.separator();
    }
    menus::copy(ui, "Copy name", name(id), actions);
}

/// The filter that keeps a provider's rows; those without any for none.
fn filter(id: ProviderId) -> Option<Filter> {
    if id.0 == Row::NONE {
        return Filter::parse("-operator:*").ok();
    }
    pack().provider(id).map(|provider| is(Key::Operator, provider.id))
}
