//! What goes into the picture: exchanges, sections, words, looks, and what is hidden.

use egui::{Button, DragValue, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::covered::{Covered, covered};
use super::document::Step;
use super::{Composer, Seen};
use crate::case::{Anchor, Colour, Look, Section, SectionChoice, Shape, Weight};
use crate::model::{clean_to, middle};
use crate::ui::action::{Action, PictureAction};
use crate::ui::figure::{Listed, Preset, WIDTHS};
use crate::ui::text::plural;
use crate::ui::theme;

/// Characters of the author's words.
const WORDS: usize = 2_000;

pub(super) fn show(ui: &mut Ui, composer: &mut Composer, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        theme::form(ui);
        ui.spacing_mut().item_spacing = vec2(6.0, 5.0);
        ui.set_width(ui.available_width() - 6.0);
        if composer.selected.is_some() {
            drawn_by_hand(ui, composer);
        }
        if !composer.document.plan.annotations.is_empty() {
            heading(ui, "Drawn by hand");
            super::canvas::list(ui, composer);
        }
        heading(ui, "Begin with");
        ui.horizontal(|ui| {
            for (preset, label, tip) in [
                (Preset::Evidence, "Evidence", "The verdict with the lines that prove it"),
                (Preset::Story, "Story", "How the request came to where it was answered"),
                (Preset::List, "List", "Rows of the list"),
            ] {
                if ui.button(label).on_hover_text(tip).clicked() {
                    composer.start_from(preset);
                }
            }
        });
        exchanges(ui, composer, seen);
        sections(ui, composer);
        words(ui, composer);
        looks(ui, composer);
        hide(ui, composer, actions);
    });
}

fn heading(ui: &mut Ui, words: &str) {
    ui.add_space(8.0);
    ui.label(RichText::new(words).font(theme::strong(theme::BODY)));
}

fn quiet(ui: &mut Ui, words: &str) {
    let c = theme::colours(ui);
    ui.add(egui::Label::new(RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet)).wrap());
}

fn small(ui: &mut Ui, sign: &str, name: String, enabled: bool) -> bool {
    let response = ui.add_enabled(enabled, theme::small(RichText::new(sign).font(theme::sans(theme::SMALL))));
    response.clone().accessible_name(name.clone());
    response.on_hover_text(name).clicked()
}

/// The buttons at the end of an entry.
fn steps(ui: &mut Ui, of: &str, at: usize, len: usize) -> Option<Step> {
    let mut step = None;
    if small(ui, "×", format!("Remove {of}"), true) {
        step = Some(Step::Out);
    }
    if small(ui, "↓", format!("Move {of} down"), at + 1 < len) {
        step = Some(Step::Down);
    }
    if small(ui, "↑", format!("Move {of} up"), at > 0) {
        step = Some(Step::Up);
    }
    step
}

fn take<T>(list: &mut Vec<T>, at: usize, step: Step) {
    match step {
        Step::Up if at > 0 => list.swap(at, at - 1),
        Step::Down if at + 1 < list.len() => list.swap(at, at + 1),
        Step::Out if at < list.len() => drop(list.remove(at)),
        Step::Up | Step::Down | Step::Out => {}
    }
}

/// One entry: its words, and at the right what can be done with it.
fn entry(ui: &mut Ui, of: &str, (at, len): (usize, usize), words: impl FnOnce(&mut Ui)) -> Option<Step> {
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 3.0;
            let step = steps(ui, of, at, len);
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), words);
            step
        })
        .inner
    })
    .inner
}

fn exchanges(ui: &mut Ui, composer: &mut Composer, seen: &Seen<'_>) {
    heading(ui, "Exchanges");
    let c = theme::colours(ui);
    let mut step = None;
    let len = composer.document.rows.len();
    for (at, row) in composer.document.rows.iter().enumerate() {
        let number = composer.preview.as_ref().filter(|p| p.of.document.rows == composer.document.rows);
        let number = number.and_then(|p| p.numbers.get(at)).map_or_else(String::new, |n| format!("{n}  "));
        let words = seen.snapshot.row(*row).map_or_else(String::new, |row| {
            let text = |id| seen.snapshot.text(id);
            let method = seen.snapshot.word(row.method);
            middle(&format!("{method} {}{}", text(row.host), text(row.path)), 200, 60).into_owned()
        });
        let name = format!("exchange {}", at + 1);
        let done = entry(ui, &name, (at, len), |ui| {
            ui.add(egui::Label::new(format!("{number}{words}")).truncate()).on_hover_text(words.clone());
        });
        step = step.or_else(|| done.map(|step| (at, step)));
    }
    if let Some((at, step)) = step {
        composer.document.step(at, step);
        composer.selected = None;
    }
    if len == 0 {
        ui.label(RichText::new("None yet").color(c.quiet));
    }
    quiet(ui, "Shift+F11 in the list adds what is selected there.");
}

fn sections(ui: &mut Ui, composer: &mut Composer) {
    heading(ui, "Sections");
    let sections = &mut composer.document.plan.sections;
    let len = sections.len();
    let mut step = None;
    for (at, choice) in sections.iter_mut().enumerate() {
        let words = choice.section.words();
        let done = entry(ui, words, (at, len), |ui| {
            let mut open = !choice.folded;
            let response = ui.checkbox(&mut open, words).on_hover_text("Unticked, only its heading stands");
            if response.changed() {
                choice.folded = !open;
            }
        });
        step = step.or_else(|| done.map(|step| (at, step)));
    }
    if let Some((at, step)) = step {
        take(sections, at, step);
    }
    let missing: Vec<Section> =
        Section::ALL.into_iter().filter(|s| !sections.iter().any(|choice| choice.section == *s)).collect();
    if !missing.is_empty() {
        ui.menu_button("Add section", |ui| {
            for section in missing {
                if ui.add(Button::new(section.words()).frame_when_inactive(false)).clicked() {
                    sections.push(SectionChoice::open(section));
                    ui.close();
                }
            }
        });
    }
    let lists = sections.iter().any(|choice| choice.section == Section::List);
    ui.checkbox(&mut composer.document.plan.evidence_only, "Evidence only")
        .on_hover_text("Leave out the header lines that prove nothing");
    if lists {
        let listed = &mut composer.listed;
        ui.radio_value(listed, Listed::Around, "Rows around the chosen");
        ui.radio_value(listed, Listed::Kept, "Rows that the filter keeps")
            .on_hover_text("The words in the filter box, in the order of the capture; 200 rows at most");
    }
}

fn words(ui: &mut Ui, composer: &mut Composer) {
    heading(ui, "Your words");
    let plan = &mut composer.document.plan;
    let edit = TextEdit::singleline(&mut plan.title).hint_text("Title").char_limit(300).desired_width(f32::INFINITY);
    let _named = ui.add(edit).accessible_name("Title");
    let edit = TextEdit::multiline(&mut plan.caption)
        .hint_text("Caption")
        .char_limit(WORDS)
        .desired_rows(2)
        .desired_width(f32::INFINITY);
    let _named = ui.add(edit).accessible_name("Caption");
}

fn looks(ui: &mut Ui, composer: &mut Composer) {
    heading(ui, "Look");
    let plan = &mut composer.document.plan;
    ui.horizontal(|ui| {
        ui.selectable_value(&mut plan.look, Look::Light, "Light");
        ui.selectable_value(&mut plan.look, Look::Dark, "Dark");
        ui.add_space(8.0);
        for scale in 1..=3 {
            ui.selectable_value(&mut plan.scale, scale, format!("{scale}×")).on_hover_text("Pixels a point");
        }
    });
    ui.horizontal(|ui| {
        let label = ui.label("Width");
        let value = DragValue::new(&mut plan.width).range(WIDTHS).speed(4).suffix(" points");
        ui.add(value).labelled_by(label.id);
    });
}

fn hide(ui: &mut Ui, composer: &mut Composer, actions: &mut Vec<Action>) {
    heading(ui, "Hide");
    let mut on = composer.document.plan.redaction.on;
    let tip =
        "Cookies, credentials, tokens, signatures, keys, e-mail addresses: in the picture, its proof and the bundle";
    if ui.checkbox(&mut on, "Secrets").on_hover_text(tip).changed() {
        if on {
            composer.document.plan.redaction.on = true;
        } else {
            actions.push(Action::Compose(PictureAction::AskSecrets));
        }
    }
    let redaction = &mut composer.document.plan.redaction;
    ui.add_enabled_ui(redaction.on, |ui| {
        ui.checkbox(&mut redaction.private_addresses, "Private addresses");
        ui.horizontal(|ui| {
            let edit = TextEdit::singleline(&mut composer.word).hint_text("A name or word").char_limit(200);
            let response = ui.add(edit.desired_width(180.0)).accessible_name("Word to hide");
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if (ui.button("Hide word").clicked() || entered) && !composer.word.trim().is_empty() {
                redaction.words.push(std::mem::take(&mut composer.word).trim().to_owned());
            }
        });
        let mut out = None;
        for (at, word) in redaction.words.iter().enumerate() {
            ui.horizontal(|ui| {
                ui.add(egui::Label::new(clean_to(word.as_bytes(), 60).into_owned()).truncate());
                if small(ui, "×", format!("Show {}", clean_to(word.as_bytes(), 60)), true) {
                    out = Some(at);
                }
            });
        }
        if let Some(at) = out {
            redaction.words.remove(at);
        }
    });
    let Some(preview) = &composer.preview else { return };
    if preview.hidden.is_empty() {
        quiet(
            ui,
            if redaction.on { "Nothing was found that had to be hidden." } else { "Everything is shown as it is." },
        );
        return;
    }
    let places = preview.hidden.iter().map(|hidden| u64::from(hidden.count)).sum();
    let values = plural(preview.hidden.len() as u64, "value", "values");
    quiet(ui, &format!("{values} hidden at {}:", plural(places, "place", "places")));
    for hidden in preview.hidden.iter().take(40) {
        let c = theme::colours(ui);
        let text = format!("{}  {}", hidden.placeholder, hidden.place);
        let label = RichText::new(clean_to(text.as_bytes(), 200)).font(theme::sans(theme::SMALL)).color(c.text);
        ui.add(egui::Label::new(label).truncate());
    }
    if preview.hidden.len() > 40 {
        quiet(ui, &format!("and {} more", preview.hidden.len() - 40));
    }
}

/// The words for a kind of annotation.
pub(super) fn kind(shape: &Shape) -> &'static str {
    match shape {
        Shape::Arrow { .. } => "Arrow",
        Shape::Box(_) => "Box",
        Shape::Ellipse(_) => "Ellipse",
        Shape::Highlight(_) => "Highlight",
        Shape::Text { .. } => "Text",
        Shape::Number { .. } => "Number",
        Shape::Redaction(_) => "Redaction",
        Shape::Crop(_) => "Crop",
    }
}

/// What can be changed of the selected annotation.
fn drawn_by_hand(ui: &mut Ui, composer: &mut Composer) {
    let c = theme::colours(ui);
    let focus = core::mem::take(&mut composer.wants_words);
    let mut delete = false;
    let selected = composer.selected.and_then(|at| composer.document.plan.annotations.get(at));
    let below = selected.zip(composer.preview.as_ref()).map(|(annotation, shown)| covered(annotation, shown));
    let Covered { values, left, hidden } = below.unwrap_or_default();
    let mut hide = false;
    let Some(annotation) = composer.chosen() else { return };
    let frame = egui::Frame::NONE.fill(c.raised).corner_radius(theme::CORNER).inner_margin(egui::Margin::same(10));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.label(RichText::new(kind(&annotation.shape)).font(theme::strong(theme::BODY)));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                delete = ui.button("Delete").on_hover_text("Remove it from the picture (Delete)").clicked();
            });
        });
        match &mut annotation.shape {
            Shape::Text { words, .. } => {
                let edit = TextEdit::multiline(words).char_limit(WORDS).desired_rows(2).desired_width(f32::INFINITY);
                let response = ui.add(edit).accessible_name("Words");
                if focus {
                    response.request_focus();
                }
            }
            Shape::Number { number, .. } => {
                ui.horizontal(|ui| {
                    let label = ui.label("Number");
                    ui.add(DragValue::new(number).range(0..=999).speed(0.1)).labelled_by(label.id);
                });
            }
            _ => {}
        }
        let plain = matches!(annotation.shape, Shape::Redaction(_) | Shape::Crop(_));
        if !plain {
            ui.horizontal(|ui| {
                for (colour, label) in [
                    (Colour::Accent, "Blue"),
                    (Colour::Ink, "Ink"),
                    (Colour::Red, "Red"),
                    (Colour::Amber, "Amber"),
                    (Colour::Green, "Green"),
                ] {
                    ui.selectable_value(&mut annotation.colour, colour, label);
                }
            });
            ui.horizontal(|ui| {
                for (weight, label) in [(Weight::Thin, "Thin"), (Weight::Medium, "Medium"), (Weight::Thick, "Thick")] {
                    ui.selectable_value(&mut annotation.weight, weight, label);
                }
            });
        }
        let stands = match annotation.anchor {
            Anchor::Picture => "Stands on the picture".to_owned(),
            Anchor::Section { section, .. } => format!("Moves with “{}”", section.words()),
        };
        quiet(ui, &stands);
        if matches!(annotation.shape, Shape::Redaction(_)) {
            // Who covers a line may think that it is gone.
            let mut words = vec![if hidden > 0 && values.is_empty() && left == 0 {
                "The values of the header lines below are hidden everywhere. Of all else it covers the pixels only."
            } else {
                "Covers the pixels only: what is below still stands in the claim and in the bundle."
            }];
            if left > 0 {
                words.push("Some values below are too short or too long to be hidden as words.");
            }
            let words = words.join(" ");
            ui.add(egui::Label::new(RichText::new(words).font(theme::sans(theme::SMALL)).color(c.amber)).wrap());
            let tip =
                "Hides what the header lines below say wherever it stands: in the picture, the claim and the bundle";
            hide = !values.is_empty() && ui.button("Hide what it covers everywhere").on_hover_text(tip).clicked();
        }
    });
    let style = (annotation.colour, annotation.weight);
    (composer.colour, composer.weight) = style;
    if hide {
        composer.hide_covered(values);
    } else if delete {
        composer.delete();
    }
}
