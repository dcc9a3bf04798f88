//! What checking a picture, bundle or claim came to, line by line.

use egui::{Align2, Label, RichText, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::{buttons, title};
use crate::export::Whole;
use crate::ui::action::Action;
use crate::ui::theme::{self, Colours};
use crate::ui::verified::{self, Checked, Line, Mark, Verified};
use crate::ui::{shapes, text};

/// Widest, and how much of the window stays free at the sides, in points.
const WIDE: f32 = 820.0;
const BESIDE: f32 = 80.0;
/// Height of what stands above and below the part that scrolls.
const AROUND: f32 = 252.0;
/// Width of mark and word, of a callout's number, and of what a detail is.
const OUTCOME: f32 = 148.0;
const NUMBER: f32 = 32.0;
const DETAIL: f32 = 72.0;

/// It is under way.
pub(super) fn under_way(ui: &mut Ui, name: &str, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.set_width(460.0);
    title(ui, "Verifying…");
    ui.add(Label::new(RichText::new(name).color(c.quiet)).truncate());
    ui.add_space(14.0);
    buttons(ui, |ui| {
        if ui.add(egui::Button::new("Cancel").min_size(vec2(80.0, 28.0))).clicked() {
            actions.push(Action::Escape);
        }
    });
}

/// It is done.
pub(super) fn show(ui: &mut Ui, verified: &Verified, actions: &mut Vec<Action>) {
    let window = ui.ctx().content_rect().size();
    ui.set_width((window.x - BESIDE).min(if verified.result.is_ok() { WIDE } else { 520.0 }));
    let c = theme::colours(ui);
    let words = RichText::new(&verified.file).font(theme::strong(theme::SECTION));
    ui.add(Label::new(words).truncate());
    ui.add_space(6.0);
    match &verified.result {
        Ok(checked) => {
            verdict(ui, checked, c);
            ui.add_space(8.0);
            let most = (window.y - AROUND).max(120.0);
            // Given as the least too: else it would be no taller than the dialog that was here before.
            let area = ScrollArea::vertical().max_height(most).min_scrolled_height(most).auto_shrink([false, true]);
            area.show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                checks(ui, checked, c);
                beyond(ui, checked, c);
            });
        }
        Err(why) => refused(ui, why, c),
    }
    ui.add_space(14.0);
    buttons(ui, |ui| {
        if ui.add(egui::Button::new("Close").min_size(vec2(80.0, 28.0))).clicked() {
            actions.push(Action::Escape);
        }
        let copy = egui::Button::new("Copy as text").min_size(vec2(80.0, 28.0));
        if ui.add(copy).on_hover_text("Copy all lines, also those that are left off here").clicked() {
            actions.push(Action::Copy(verified.text.clone()));
        }
    });
}

/// The sentence over all, and what was held against what.
fn verdict(ui: &mut Ui, checked: &Checked, c: &Colours) {
    let mark = match checked.whole {
        Whole::Holds => Mark::Passes,
        Whole::Fails => Mark::Fails,
        Whole::NothingChecked => Mark::Open,
    };
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(16.0, 22.0), Sense::hover());
        paint(ui, rect.center(), mark, c);
        let words = RichText::new(&checked.sentence).font(theme::strong(theme::SECTION)).color(colour(mark, c));
        ui.add(Label::new(words).wrap());
    });
    ui.add_space(4.0);
    for words in &checked.about {
        ui.add(Label::new(RichText::new(words).color(c.quiet)).wrap());
    }
}

/// Nothing could be read.
fn refused(ui: &mut Ui, why: &str, c: &Colours) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(16.0, 22.0), Sense::hover());
        shapes::caution(ui.painter(), rect.center(), c.amber);
        ui.label(RichText::new("Not checked").font(theme::strong(theme::BODY)));
    });
    ui.add(Label::new(why).wrap());
    ui.add_space(8.0);
    let hint = "Chat programs and web sites often write pictures anew and lose the claim in them. Ask for the bundle \
                (its name ends in .nephoscope.zip), or for the picture packed or sent as a file.";
    ui.add(Label::new(RichText::new(hint).color(c.quiet)).wrap());
}

fn checks(ui: &mut Ui, checked: &Checked, c: &Colours) {
    for line in &checked.lines {
        if !line.heading.is_empty() {
            heading(ui, &line.heading);
        }
        check(ui, line, c);
    }
    if checked.left_off > 0 {
        let words = text::plural(checked.left_off as u64, "line is", "lines are");
        ui.add_space(8.0);
        ui.add(Label::new(
            RichText::new(format!("{words} left off here; copied as text they are there")).color(c.quiet),
        ));
    }
}

fn heading(ui: &mut Ui, words: &str) {
    ui.add_space(10.0);
    ui.add(Label::new(RichText::new(words).font(theme::strong(theme::BODY))).truncate());
    ui.add_space(2.0);
}

/// One check: how it ended, which callout, what it says, and more where there is more to say.
fn check(ui: &mut Ui, line: &Line, c: &Colours) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let place = line.callout.map_or_else(|| line.what.clone(), |number| format!("Callout {number}"));
        outcome(ui, line.mark, &place, c);
        let (rect, _) = ui.allocate_exact_size(vec2(NUMBER, theme::LINE), Sense::hover());
        if let Some(number) = line.callout {
            let at = rect.right_center() - vec2(10.0, 0.0);
            ui.painter().text(at, Align2::RIGHT_CENTER, number, theme::strong(theme::BODY), c.text);
        }
        ui.vertical(|ui| {
            ui.set_width(ui.available_width());
            let font = if line.callout.is_some() { theme::mono() } else { theme::sans(theme::BODY) };
            ui.add(Label::new(RichText::new(&line.what).font(font).color(c.text)).wrap());
            for (what, words) in &line.more {
                detail(ui, what, words, c);
            }
        });
    });
}

/// Mark and word: never the colour alone.
fn outcome(ui: &mut Ui, mark: Mark, place: &str, c: &Colours) {
    let (rect, response) = ui.allocate_exact_size(vec2(OUTCOME, theme::LINE), Sense::hover());
    let words = format!("{place}: {}", mark.word().to_lowercase());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words.clone()));
    paint(ui, rect.left_center() + vec2(8.0, 0.0), mark, c);
    let font = if mark == Mark::Fails { theme::strong(theme::BODY) } else { theme::sans(theme::BODY) };
    ui.painter().text(rect.left_center() + vec2(22.0, 0.0), Align2::LEFT_CENTER, mark.word(), font, colour(mark, c));
}

fn detail(ui: &mut Ui, what: &str, words: &str, c: &Colours) {
    if what.is_empty() {
        ui.add(Label::new(RichText::new(words).color(c.quiet)).wrap());
        return;
    }
    ui.horizontal_top(|ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(DETAIL, theme::LINE), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, what));
        ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, what, theme::sans(theme::BODY), c.quiet);
        let said = RichText::new(words).font(theme::mono()).color(c.text);
        ui.add(Label::new(said).wrap());
    });
}

/// What nothing backs, and what checking does not show.
fn beyond(ui: &mut Ui, checked: &Checked, c: &Colours) {
    if !checked.notes.is_empty() {
        heading(ui, "Words of the author's, not checked");
        for words in &checked.notes {
            bullet(ui, words, c);
        }
    }
    heading(ui, "What this does not show");
    for words in verified::not_shown() {
        bullet(ui, words, c);
    }
}

fn bullet(ui: &mut Ui, words: &str, c: &Colours) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let (rect, _) = ui.allocate_exact_size(vec2(16.0, theme::LINE), Sense::hover());
        ui.painter().circle_filled(rect.left_center() + vec2(8.0, 0.0), 1.6, c.quiet);
        ui.add(Label::new(RichText::new(words).color(c.quiet)).wrap());
    });
}

/// A tick, a cross or a ring.
fn paint(ui: &Ui, centre: egui::Pos2, mark: Mark, c: &Colours) {
    let painter = ui.painter();
    match mark {
        Mark::Passes => shapes::tick(painter, centre, c.green),
        Mark::Fails => shapes::cross(painter, centre, c.red),
        Mark::Open => {
            painter.circle_stroke(centre, 4.5, Stroke::new(1.6, c.amber));
        }
    }
}

fn colour(mark: Mark, c: &Colours) -> egui::Color32 {
    match mark {
        Mark::Passes => c.text,
        Mark::Fails => c.red,
        Mark::Open => c.amber,
    }
}
