//! The bar at the top: open, stop, filter, how many rows, menu; and the thin bar of progress under it.

use egui::{Align, CornerRadius, Layout, Rect, Sense, Ui, pos2, vec2};

use super::action::{
    self, Action, ColumnsAction, CompareAction, ExportAction, LiveAction, PictureAction, PreferencesAction, TimeAction,
    menu_item,
};
use super::clock::{PRECISIONS, format_words};
use super::conversation::ConversationAction;
use super::dialogs::theme_words;
use super::filter::FilterAction;
use super::state::{State, View};
use super::table::Fit;
use super::theme;
use super::{filter, text};
use crate::case::{ThemeChoice, TimeFormat};
use crate::store::Progress;

/// What the bar reads.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct Seen<'a> {
    /// What the capture is called.
    pub(crate) name: &'a str,
    pub(crate) progress: Progress,
    /// Whether the engine reads.
    pub(crate) reading: bool,
    /// Whether a bar of its own tells of a live capture.
    pub(crate) live: bool,
    /// Whether live captures can be made.
    pub(crate) captures: bool,
    /// Whether there is a key log to decrypt with.
    pub(crate) keys: bool,
    /// Whether two captures are side by side.
    pub(crate) compares: bool,
    /// How many actions were marked.
    pub(crate) actions: usize,
    pub(crate) shown: usize,
    pub(crate) all: usize,
}

/// Height in points.
pub(crate) const HEIGHT: f32 = 44.0;

/// Paints the bar.
pub(crate) fn show(ui: &mut Ui, seen: &Seen<'_>, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let bar = ui.max_rect();
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        button(ui, &Action::Open, actions);
        if seen.captures {
            button(ui, &Action::Live(LiveAction::Options), actions);
        }
        if seen.reading {
            button(ui, &Action::Stop, actions);
        }
        ui.add_space(4.0);
        if !seen.live {
            name(ui, seen.name);
        }
        ui.add_space(4.0);
        views(ui, state, seen.compares, actions);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            menu(ui, seen, state, actions);
            counts(ui, seen);
            filter_box(ui, seen, state, actions);
        });
    });
    progress(ui, bar, seen, c.accent);
}

fn name(ui: &mut Ui, name: &str) {
    let words = egui::RichText::new(name).font(theme::strong(theme::BODY));
    let room = (ui.available_width() * 0.2).clamp(60.0, 320.0);
    ui.scope(|ui| {
        ui.set_max_width(room);
        ui.add(egui::Label::new(words).truncate()).on_hover_text("The capture on screen");
    });
}

/// The list, the findings, the comparison where there is one, the picture.
fn views(ui: &mut Ui, state: &State, compares: bool, actions: &mut Vec<Action>) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let all = [View::Exchanges, View::Findings, View::Compare, View::Picture];
        for view in all.into_iter().filter(|view| compares || *view != View::Compare) {
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

fn filter_box(ui: &mut Ui, seen: &Seen<'_>, state: &mut State, actions: &mut Vec<Action>) {
    let width = ui.available_width() - 8.0;
    let (rect, _) = ui.allocate_exact_size(vec2(width, 28.0), Sense::hover());
    let of = filter::Seen { which: filter::Which::Filter, memory: &state.saved.filters, actions: seen.actions };
    filter::show(ui, rect, &of, (&mut state.choice.filter, &mut state.filter), actions);
}

fn menu(ui: &mut Ui, seen: &Seen<'_>, state: &State, actions: &mut Vec<Action>) {
    ui.menu_button("Menu", |ui| items(ui, seen, state, actions));
}

fn items(ui: &mut Ui, seen: &Seen<'_>, state: &State, actions: &mut Vec<Action>) {
    ui.set_min_width(240.0);
    for action in [Action::Open, Action::AskPath, Action::KeyLog, Action::NoKeyLog, Action::Verify, Action::Close] {
        if action != Action::NoKeyLog || seen.keys {
            menu_item(ui, &action, actions);
        }
    }
    for action in [LiveAction::Save, LiveAction::SaveSome] {
        menu_item(ui, &Action::Live(action), actions);
    }
    menu_item(ui, &Action::Export(ExportAction::Ask), actions);
    ui.separator();
    // What a live capture can do besides has a bar of its own.
    if seen.captures {
        for action in [LiveAction::Options, LiveAction::Toggle] {
            menu_item(ui, &Action::Live(action), actions);
        }
    }
    ui.separator();
    for view in [View::Exchanges, View::Findings, View::Picture] {
        menu_item(ui, &Action::View(view), actions);
    }
    menu_item(ui, &Action::Conversation(ConversationAction::Ask), actions);
    menu_item(ui, &Action::Compare(CompareAction::Ask), actions);
    menu_item(ui, &Action::Compose(PictureAction::Add), actions);
    menu_item(ui, &Action::Filter(FilterAction::Highlight), actions);
    menu_item(ui, &Action::Fold, actions);
    ui.menu_button("Columns", |ui| {
        menu_item(ui, &Action::Columns(ColumnsAction::AskHeader), actions);
        menu_item(ui, &Action::Columns(ColumnsAction::Fit(Fit::All)), actions);
        menu_item(ui, &Action::ResetColumns, actions);
    });
    ui.menu_button("Times", |ui| times(ui, state, actions));
    ui.menu_button("Theme", |ui| {
        for choice in ThemeChoice::ALL {
            if ui.radio(state.preferences.theme == choice, theme_words(choice)).clicked() {
                actions.push(Action::Theme(choice));
                ui.close();
            }
        }
    });
    menu_item(ui, &Action::Preferences(PreferencesAction::Ask), actions);
    ui.separator();
    menu_item(ui, &Action::AskFrame, actions);
    menu_item(ui, &Action::Palette, actions);
    menu_item(ui, &Action::Keys, actions);
    menu_item(ui, &Action::Quit, actions);
}

/// How the list says times.
fn times(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    for format in TimeFormat::ALL {
        if ui.radio(state.preferences.time == format, format_words(format)).clicked() {
            actions.push(Action::Time(TimeAction::Format(format)));
            ui.close();
        }
    }
    ui.separator();
    for (decimals, words) in PRECISIONS {
        if ui.radio(state.preferences.time_decimals == decimals, words).clicked() {
            actions.push(Action::Time(TimeAction::Decimals(decimals)));
            ui.close();
        }
    }
    ui.separator();
    menu_item(ui, &Action::Time(TimeAction::Reference), actions);
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
