//! The other readings of a verdict, what is left of each, and the attempts to break it.

use egui::{
    Align, CornerRadius, Layout, Margin, Rect, Response, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};

use super::parts::badges;
use crate::model::{Attempt, Challenge, Detail, Hypothesis, Standing};
use crate::ui::action::{self, Action};
use crate::ui::prepared::Shown;
use crate::ui::roving::{Along, Roving, follow};
use crate::ui::state::{Fold, State};
use crate::ui::text::sentence;
use crate::ui::theme;
use crate::ui::{menus, shapes};

/// From this width on both halves stand side by side.
const SIDE_BY_SIDE: f32 = 900.0;
/// Width of mark and standing in points.
const MARK: f32 = 92.0;

/// Paints the pane.
pub(super) fn show(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let story = &shown.story;
    if story.readings.is_empty() && story.challenges.is_empty() {
        let why = if matches!(shown.record.exchange.detail, Detail::Dns(_)) {
            "A lookup shows where a name is steered, not who answered: choose the exchange that followed it"
        } else {
            "No operator was found here, so there is no verdict to read otherwise or to break"
        };
        super::empty(ui, why);
        return;
    }
    let all = ui.available_rect_before_wrap();
    if all.width() < SIDE_BY_SIDE {
        half(ui, all, "readings", |ui| {
            board(ui, shown, state, actions);
            ui.add_space(8.0);
            break_it(ui, shown, state, actions);
        });
        return;
    }
    let middle = (all.left() + all.width() * 0.54).round();
    let c = theme::colours(ui);
    ui.painter().vline(middle, all.y_range(), Stroke::new(1.0, c.line));
    half(ui, Rect::from_min_max(all.min, pos2(middle, all.bottom())), "board", |ui| board(ui, shown, state, actions));
    half(ui, Rect::from_min_max(pos2(middle + 1.0, all.top()), all.max), "break", |ui| {
        break_it(ui, shown, state, actions);
    });
}

fn half(ui: &mut Ui, rect: Rect, id: &str, content: impl FnOnce(&mut Ui)) {
    let mut inner = ui.new_child(UiBuilder::new().id_salt(id).max_rect(rect).layout(Layout::top_down(Align::Min)));
    inner.set_clip_rect(rect.intersect(ui.clip_rect()));
    ScrollArea::vertical().id_salt(id).auto_shrink([false, false]).show(&mut inner, |ui| {
        egui::Frame::NONE.inner_margin(Margin { left: 12, right: 16, top: 8, bottom: 12 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
            ui.spacing_mut().interact_size.y = 18.0;
            content(ui);
        });
    });
}

fn heading(ui: &mut Ui, words: &str, count: &str) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.label(egui::RichText::new(words).font(theme::strong(theme::SECTION)));
        ui.add_space(4.0);
        ui.add(egui::Label::new(egui::RichText::new(count).color(c.quiet)).truncate());
    });
}

/// The readings, one under the other.
pub(crate) fn board(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    heading(ui, "What else could be true", &shown.story.standings());
    let readings = &shown.story.readings;
    let roving = Roving::new(ui, ui.scope_id().with("readings"), Along::Down, readings.len(), |_| true);
    for (at, reading) in readings.iter().enumerate() {
        one(ui, (at, &roving), reading, shown, state, actions);
    }
    roving.keep(ui);
}

/// The standing of a reading or the outcome of an attempt: a stop of the keyboard, with a menu that copies the whole line.
fn mark(ui: &mut Ui, width: f32, (at, roving): (usize, &Roving), line: &str, actions: &mut Vec<Action>) -> Response {
    let sense = roving.sense(ui, at, ui.next_auto_id());
    let (rect, response) = ui.allocate_exact_size(vec2(width, 18.0), sense);
    roving.drawn(at, &response);
    if response.has_focus() {
        let c = theme::colours(ui);
        ui.painter().rect_filled(rect.expand2(vec2(4.0, 1.0)), CornerRadius::same(4), c.hover);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, line));
    menus::on(&response, response.has_focus(), |ui| menus::copy(ui, "Copy line", line, actions));
    response
}

fn one(
    ui: &mut Ui,
    (at, roving): (usize, &Roving),
    reading: &Hypothesis,
    shown: &Shown,
    state: &mut State,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    rule(ui);
    ui.horizontal_top(|ui| {
        let (id, said) = (reading.alternative.id(), reading.alternative.words());
        let line = format!("{id} {said}: {}. {}", reading.standing.words(), reading.why);
        let response = mark(ui, MARK, (at, roving), &line, actions);
        let rect = response.rect;
        shapes::standing(ui.painter(), pos2(rect.left() + 7.0, rect.center().y), reading.standing, c);
        let (font, colour) = match reading.standing {
            Standing::Open => (theme::strong(theme::BODY), c.text),
            Standing::Weakened => (theme::sans(theme::BODY), c.text),
            Standing::RuledOut => (theme::sans(theme::BODY), c.quiet),
        };
        let at = pos2(rect.left() + 20.0, rect.center().y);
        let words = sentence(reading.standing.words());
        ui.painter().text(at, egui::Align2::LEFT_CENTER, words, font.clone(), colour);
        response.on_hover_text(standing_words(reading.standing));
        ui.vertical(|ui| {
            ui.horizontal_top(|ui| {
                ui.label(egui::RichText::new(id).font(theme::mono()).color(c.quiet));
                let words = egui::RichText::new(said).font(font).color(colour);
                ui.add(egui::Label::new(words).wrap());
            });
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                badges(ui, &indexes(&reading.entries), shown, state, actions);
                ui.label(egui::RichText::new(&reading.why).color(c.quiet));
            });
            // A picture is short: what is weakened already does not say how to settle it.
            let short = state.still.is_some() && reading.standing != Standing::Open;
            if let Some(test) = reading.settled_by.filter(|_| !short) {
                let words = egui::RichText::new(format!("Settled by: {test}"));
                ui.add(egui::Label::new(words.font(theme::sans(theme::SMALL)).color(c.faint)).wrap());
            }
        });
    });
}

fn indexes(entries: &[u8]) -> Vec<usize> {
    entries.iter().map(|n| usize::from(*n)).collect()
}

fn rule(ui: &mut Ui) {
    let c = theme::colours(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 5.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(1.0, c.line));
}

fn standing_words(standing: Standing) -> &'static str {
    match standing {
        Standing::RuledOut => "Something seen cannot be so under this reading",
        Standing::Weakened => "Something seen is unlikely under this reading",
        Standing::Open => "Nothing seen speaks against this reading",
    }
}

fn break_it(ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let story = &shown.story;
    let open = state.open(Fold::BreakIt);
    let action = Action::Unfold(Fold::BreakIt);
    let Some(entry) = action::entry(&action) else { return };
    heading(ui, "Does the verdict hold?", if open { "" } else { "not tried yet" });
    let label = if open { "Close the attempts" } else { entry.label };
    let words =
        egui::RichText::new(label).font(theme::strong(theme::BODY)).color(if open { c.quiet } else { c.on_accent });
    let button = egui::Button::new(words).fill(if open { c.raised } else { c.accent });
    let button = ui.add(button);
    follow(&button);
    if button.on_hover_text(action::tip(ui.ctx(), entry)).clicked() {
        actions.push(action);
    }
    if !open {
        let words = format!(
            "{} that would speak against the verdict are made on this exchange, each with what was seen.",
            crate::ui::text::plural(story.challenges.len() as u64, "check", "checks")
        );
        ui.add(egui::Label::new(egui::RichText::new(words).color(c.quiet)).wrap());
        return;
    }
    ui.label(egui::RichText::new(story.attempts()).font(theme::strong(theme::BODY)));
    // What broke it goes first, then what stays open, then what held.
    let outcomes = [Attempt::Broke, Attempt::NotPossible, Attempt::Held].into_iter();
    let challenges = outcomes.flat_map(|outcome| story.challenges.iter().filter(move |c| c.outcome == outcome));
    let roving = Roving::new(ui, ui.scope_id().with("attempts"), Along::Down, story.challenges.len(), |_| true);
    for (at, challenge) in challenges.enumerate() {
        attempt(ui, (at, &roving), challenge, actions);
    }
    roving.keep(ui);
}

fn attempt(ui: &mut Ui, (at, roving): (usize, &Roving), challenge: &Challenge, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.horizontal_top(|ui| {
        let line = format!("{} {}: {}", challenge.question, challenge.outcome.words(), challenge.seen);
        let rect = mark(ui, MARK + 28.0, (at, roving), &line, actions).rect;
        shapes::attempt(ui.painter(), pos2(rect.left() + 7.0, rect.center().y), challenge.outcome, c);
        let colour = match challenge.outcome {
            Attempt::Held => c.text,
            Attempt::Broke => c.red,
            Attempt::NotPossible => c.quiet,
        };
        let at = pos2(rect.left() + 20.0, rect.center().y);
        let words = sentence(challenge.outcome.words());
        ui.painter().text(at, egui::Align2::LEFT_CENTER, &words, theme::sans(theme::BODY), colour);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.add(egui::Label::new(challenge.question).wrap());
            let seen = egui::RichText::new(sentence(&challenge.seen)).font(theme::sans(theme::SMALL)).color(c.quiet);
            ui.add(egui::Label::new(seen).wrap());
        });
    });
    ui.add_space(2.0);
}
