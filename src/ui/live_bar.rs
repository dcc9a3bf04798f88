//! The bar of a live capture: what is captured, how it stands, and what can be done about it.

use egui::{Align, CornerRadius, Layout, Painter, Pos2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::action::{self, Action, LiveAction};
use super::live::{Live, Stage, limits};
use super::text;
use super::theme::{self, Colours};

/// Height in points.
pub(crate) const HEIGHT: f32 = 36.0;
/// From this width on the capture filter stands in the bar too.
const ROOMY: f32 = 980.0;

/// What the bar reads.
pub(crate) struct Seen<'a> {
    pub(crate) live: &'a Live,
    /// Whether closing would lose frames.
    pub(crate) unsaved: bool,
    /// Whether a saving is under way.
    pub(crate) saving: bool,
    pub(crate) follow: bool,
    /// Frames since the list was paused, where it is.
    pub(crate) paused: Option<u32>,
}

/// Paints the bar.
pub(crate) fn show(ui: &mut Ui, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    let live = seen.live;
    let roomy = ui.available_width() >= ROOMY;
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        stage(ui, live);
        ui.add_space(6.0);
        if live.goes_on() {
            named(ui, "Stop", &Action::Live(LiveAction::Toggle), live.stage != Stage::Stopping, actions);
        }
        // Where there is little room the menu and the keys have it.
        if !live.left_over && (roomy || seen.paused.is_none()) {
            button(ui, LiveAction::Restart, actions);
        }
        if live.goes_on() {
            switch(ui, LiveAction::Pause, seen.paused.is_some(), actions);
            // A list that stands still follows nothing.
            if seen.paused.is_none() {
                switch(ui, LiveAction::Follow, seen.follow, actions);
            }
        }
        if live.stage == Stage::Running {
            button(ui, LiveAction::Mark, actions);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            button(ui, LiveAction::Save, actions);
            saved(ui, seen);
            if let Some(frames) = seen.paused {
                badge(ui, &format!("list paused, {} since", text::plural(u64::from(frames), "frame", "frames")));
            }
            if roomy {
                about(ui, live);
            }
        });
    });
}

/// Interface and state, by shape, colour and word.
fn stage(ui: &mut Ui, live: &Live) {
    let c = theme::colours(ui);
    let (word, colour) = match &live.stage {
        Stage::Starting => ("Starting…", c.amber),
        Stage::Running => ("Capturing", c.green),
        Stage::Stopping => ("Stopping…", c.amber),
        Stage::Ended(_) if live.left_over => ("Left behind", c.quiet),
        Stage::Ended(None) => ("Stopped", c.quiet),
        Stage::Ended(Some(_)) => ("Ended", c.amber),
    };
    let device = live.device();
    let word = ui.painter().layout_no_wrap(word.to_owned(), theme::sans(theme::BODY), colour);
    let name = ui.painter().layout_no_wrap(device.clone(), theme::strong(theme::BODY), c.text);
    let size = vec2(18.0 + name.size().x + 8.0 + word.size().x, 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, format!("{device}: {}", word.text())));
    mark(ui.painter(), rect.left_center() + vec2(6.0, 0.0), &live.stage, colour);
    let y = (rect.center().y - name.size().y / 2.0).round();
    let after = rect.left() + 18.0 + name.size().x + 8.0;
    ui.painter().galley(egui::pos2(rect.left() + 18.0, y), name, c.text);
    ui.painter().galley(egui::pos2(after, y), word, colour);
    if let Stage::Ended(Some(why)) = &live.stage {
        let _shown = response.on_hover_text(why);
    }
}

/// Disc: goes on; ring: on its way; square: ended.
fn mark(painter: &Painter, centre: Pos2, stage: &Stage, colour: egui::Color32) {
    match stage {
        Stage::Running => {
            painter.circle_filled(centre, 5.0, colour);
        }
        Stage::Starting | Stage::Stopping => {
            painter.circle_stroke(centre, 4.2, Stroke::new(1.6, colour));
        }
        Stage::Ended(_) => {
            painter.rect_filled(Rect::from_center_size(centre, vec2(9.0, 9.0)), CornerRadius::same(1), colour);
        }
    }
}

/// What the capture leaves out: whoever reads the rows must know.
fn about(ui: &mut Ui, live: &Live) {
    let c = theme::colours(ui);
    let words = limits(&live.wish);
    if words.is_empty() {
        return;
    }
    let words = egui::RichText::new(text::sentence(&words)).font(theme::sans(theme::SMALL)).color(c.quiet);
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.add(egui::Label::new(words).selectable(false).truncate()).on_hover_text("How this capture was asked for");
    });
}

/// Whether anything would be lost.
fn saved(ui: &mut Ui, seen: &Seen<'_>) {
    let c = theme::colours(ui);
    let (words, colour) = match (seen.saving, seen.unsaved) {
        (true, _) => ("Saving…", c.quiet),
        (false, true) => ("not saved", c.amber),
        (false, false) if seen.live.saved_frames.is_some() => ("saved", c.quiet),
        (false, false) => return,
    };
    let galley = ui.painter().layout_no_wrap(words.to_owned(), theme::sans(theme::SMALL), colour);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 14.0, 20.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    if seen.unsaved && !seen.saving {
        ui.painter().circle_filled(rect.left_center() + vec2(4.0, 0.0), 3.0, colour);
    }
    let y = (rect.center().y - galley.size().y / 2.0).round();
    ui.painter().galley(egui::pos2(rect.left() + 12.0, y), galley, colour);
    let _shown = response.on_hover_text(if seen.unsaved {
        "This capture is kept until the window is closed; save it to keep it longer"
    } else {
        "Everything that was captured is in the saved file"
    });
}

fn badge(ui: &mut Ui, words: &str) {
    let c = theme::colours(ui);
    let galley = ui.painter().layout_no_wrap(words.to_owned(), theme::sans(theme::SMALL), c.amber);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(16.0, 6.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, words));
    ui.painter().rect_filled(rect, CornerRadius::same(4), Colours::tint(c.raised, c.amber, 0.14));
    ui.painter().galley(rect.min + vec2(8.0, 3.0), galley, c.amber);
    let _shown = response.on_hover_text("The capture goes on; only the list stands still");
}

fn button(ui: &mut Ui, what: LiveAction, actions: &mut Vec<Action>) {
    let action = Action::Live(what);
    let Some(entry) = action::entry(&action) else { return };
    named(ui, entry.label, &action, true, actions);
}

fn named(ui: &mut Ui, label: &str, action: &Action, enabled: bool, actions: &mut Vec<Action>) {
    let Some(entry) = action::entry(action) else { return };
    let response = ui.add_enabled(enabled, egui::Button::new(label));
    if response.on_hover_text(action::tip(ui.ctx(), entry)).clicked() {
        actions.push(action.clone());
    }
}

fn switch(ui: &mut Ui, what: LiveAction, on: bool, actions: &mut Vec<Action>) {
    let action = Action::Live(what);
    let Some(entry) = action::entry(&action) else { return };
    let response = ui.add(egui::Button::selectable(on, entry.label).frame_when_inactive(true));
    if response.on_hover_text(action::tip(ui.ctx(), entry)).clicked() {
        actions.push(action);
    }
}
