//! What the user prefers, whichever capture is open.

use egui::{DragValue, Id, RichText, Ui, vec2};

use super::{buttons, plain, primary, title};
use crate::case::{MOST_DECIMALS, MOST_LIVE_MIB, Preferences, TEXT_PERCENT, ThemeChoice, TimeFormat};
use crate::ui::action::{Action, PreferencesAction};
use crate::ui::clock::format_words;
use crate::ui::state::PreferencesDraft;
use crate::ui::theme;

/// Width in points.
const WIDE: f32 = 560.0;
/// Room for the labels at the left.
const LABELS: f32 = 128.0;

/// Paints the choices.
pub(super) fn show(ui: &mut Ui, draft: &mut PreferencesDraft, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.set_width(WIDE.min(ui.ctx().content_rect().width() - 72.0));
    title(ui, "Preferences");
    ui.add_space(4.0);
    let tall = (ui.ctx().content_rect().height() - 150.0).max(160.0);
    egui::ScrollArea::vertical().max_height(tall).show(ui, |ui| {
        window(ui, &mut draft.now);
        redaction(ui, draft);
        folders(ui, draft);
    });
    ui.add_space(8.0);
    if let Some(path) = &draft.path {
        ui.add(
            egui::Label::new(RichText::new(format!("Kept in {path}")).font(theme::sans(theme::SMALL)).color(c.faint))
                .wrap(),
        );
    }
    ui.add_space(8.0);
    buttons(ui, |ui| {
        let fault = draft.fault();
        if primary(ui, "Save", fault.is_none()) {
            actions.push(Action::Preferences(PreferencesAction::Keep(Box::new(draft.chosen()))));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
        if plain(ui, "Defaults") {
            let path = draft.path.take();
            *draft = PreferencesDraft { path, ..PreferencesDraft::new(&Preferences::default(), None) };
        }
        if let Some(fault) = fault {
            ui.add(egui::Label::new(RichText::new(fault).color(c.amber)).wrap());
        }
    });
}

/// A heading, and room above it.
fn section(ui: &mut Ui, words: &str) {
    ui.add_space(12.0);
    ui.label(RichText::new(words).font(theme::strong(theme::BODY)));
    ui.add_space(4.0);
}

/// A label at the left, what it is for at the right.
fn line(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui, Id)) {
    ui.horizontal(|ui| {
        let response = ui
            .allocate_ui_with_layout(vec2(LABELS, 24.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_min_width(LABELS);
                ui.label(label)
            })
            .inner;
        add(ui, response.id);
    });
}

/// Small words under a line.
fn note(ui: &mut Ui, words: &str) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.add_space(LABELS + 8.0);
        ui.add(egui::Label::new(RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet)).wrap());
    });
}

fn window(ui: &mut Ui, now: &mut Preferences) {
    section(ui, "Window");
    line(ui, "Theme", |ui, _label| {
        for choice in ThemeChoice::ALL {
            ui.radio_value(&mut now.theme, choice, theme_words(choice));
        }
    });
    line(ui, "Text size", |ui, label| {
        ui.add(DragValue::new(&mut now.text_percent).range(TEXT_PERCENT).suffix(" %").speed(1)).labelled_by(label);
    });
    note(ui, "Ctrl and plus, minus or 0 change it until the window is closed");
    for (label, name) in [("Font", &mut now.font), ("Font of bytes", &mut now.mono_font)] {
        line(ui, label, |ui, label| {
            let edit = egui::TextEdit::singleline(name)
                .margin(egui::Margin::symmetric(8, 6))
                .hint_text("ours; else the name of a family that is installed")
                .desired_width(f32::INFINITY);
            ui.add(edit).labelled_by(label);
        });
    }
    line(ui, "Times", |ui, label| {
        let chosen = egui::ComboBox::from_id_salt("times").selected_text(format_words(now.time)).show_ui(ui, |ui| {
            for format in TimeFormat::ALL {
                ui.selectable_value(&mut now.time, format, format_words(format));
            }
        });
        let _named = chosen.response.labelled_by(label);
    });
    line(ui, "Decimals", |ui, label| {
        ui.add(DragValue::new(&mut now.time_decimals).range(0..=MOST_DECIMALS).speed(0.1)).labelled_by(label);
        ui.label(RichText::new("of a second").color(theme::colours(ui).quiet));
    });
}

fn redaction(ui: &mut Ui, draft: &mut PreferencesDraft) {
    section(ui, "What new pictures and exports hide");
    line(ui, "Hide", |ui, _label| {
        ui.checkbox(&mut draft.now.redaction.on, "Secrets")
            .on_hover_text("Cookies, credentials, tokens, signatures, keys, e-mail addresses");
        ui.add_enabled_ui(draft.now.redaction.on, |ui| {
            ui.checkbox(&mut draft.now.redaction.private_addresses, "Private addresses");
        });
    });
    line(ui, "Words to hide", |ui, label| {
        let edit = egui::TextEdit::singleline(&mut draft.words)
            .margin(egui::Margin::symmetric(8, 6))
            .hint_text("names, with commas between them")
            .desired_width(f32::INFINITY);
        ui.add_enabled(draft.now.redaction.on, edit).labelled_by(label);
    });
    if draft.now.redaction.on {
        note(ui, "A picture that is there already keeps its own choice");
    } else {
        let c = theme::colours(ui);
        let words =
            "New pictures and exports show cookies, passwords and tokens as they are; the footer of a picture says so";
        ui.add(egui::Label::new(RichText::new(words).color(c.amber)).wrap());
    }
}

fn folders(ui: &mut Ui, draft: &mut PreferencesDraft) {
    section(ui, "Folders");
    folder(ui, "Live captures", &mut draft.live_folder, "the cache folder");
    line(ui, "Stop them at", |ui, label| {
        let limit = DragValue::new(&mut draft.now.live_limit_mib).range(0..=MOST_LIVE_MIB).suffix(" MiB").speed(16);
        ui.add(limit).labelled_by(label);
        let c = theme::colours(ui);
        ui.label(RichText::new("0 for no limit but the disk's").color(c.quiet));
    });
    folder(ui, "Your signatures", &mut draft.signatures_folder, "signatures, beside this file");
    note(ui, "Folders are used from the next start on; what lies in the old one stays there");
}

fn folder(ui: &mut Ui, label: &str, text: &mut String, usual: &str) {
    line(ui, label, |ui, label| {
        let edit = egui::TextEdit::singleline(text)
            .font(theme::mono())
            .margin(egui::Margin::symmetric(8, 6))
            .hint_text(usual)
            .desired_width(f32::INFINITY);
        ui.add(edit).labelled_by(label);
    });
}

/// A theme in words.
pub(crate) fn theme_words(theme: ThemeChoice) -> &'static str {
    match theme {
        ThemeChoice::System => "As the desktop",
        ThemeChoice::Dark => "Dark",
        ThemeChoice::Light => "Light",
    }
}
