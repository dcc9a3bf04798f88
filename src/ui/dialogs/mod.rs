//! The error line, and what lies over the window: our own question for a path, the list of keys, how to capture, the
//! questions around saving, and what verifying came to.

mod comment;
mod export;
mod header_column;
mod keys;
mod name_filter;
mod options;
mod palette;
mod preferences;
mod saving;
mod several;
mod tag;
mod verified;

use std::path::PathBuf;

use egui::{Align, Id, Layout, Modal, RichText, Sense, Ui, vec2};

pub(crate) use preferences::theme_words;

use super::action::{Action, CompareAction};
use super::conversation::{self, Following};
use super::filter::FilterMemory;
use super::interfaces::Interfaces;
use super::live::Live;
use super::state::{Dialog, PathPurpose, Trouble};
use super::{shapes, theme};

/// What dialogs read.
pub(crate) struct Seen<'a> {
    pub(crate) interfaces: &'a Interfaces,
    /// Exchanges of the capture.
    pub(crate) all: usize,
    /// Exchanges that are marked.
    pub(crate) marked: usize,
    /// Exchanges shown.
    pub(crate) shown: usize,
    /// Header lines that are shown as columns.
    pub(crate) headers: usize,
    /// Exchanges that are selected.
    pub(crate) selected: usize,
    pub(crate) live: Option<&'a Live>,
    /// Filters used lately.
    pub(crate) filters: &'a FilterMemory,
    /// Whether the capture goes on.
    pub(crate) goes_on: bool,
    /// Whether there is a key log to decrypt with.
    pub(crate) keys: bool,
}

/// The error line. Stays until it is mended or sent away.
pub(crate) fn trouble(ui: &mut Ui, trouble: &Trouble, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    egui::Frame::NONE
        .fill(theme::Colours::tint(c.page, c.red, 0.12))
        .inner_margin(egui::Margin::symmetric(12, 6))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(16.0, 18.0), Sense::hover());
                shapes::caution(ui.painter(), rect.center(), c.red);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.add(theme::small("Dismiss")).clicked() {
                        actions.push(Action::DismissTrouble);
                    }
                    if ui.add(theme::small("Copy")).on_hover_text("Copy this message").clicked() {
                        actions.push(Action::Copy(trouble.words()));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center).with_main_wrap(false), |ui| {
                        ui.add(egui::Label::new(trouble.words()).wrap());
                    });
                });
            });
            if let Some(command) = &trouble.remedy {
                remedy(ui, command, actions);
            }
        });
}

/// The command that would mend it.
fn remedy(ui: &mut Ui, command: &str, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.add_space(24.0);
        ui.label("This command mends it; then try again");
        if ui.add(theme::small("Copy command")).on_hover_text("Run it in a terminal").clicked() {
            actions.push(Action::Copy(command.to_owned()));
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.add_space(24.0);
        egui::Frame::NONE.fill(c.page).corner_radius(4).inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            ui.add(egui::Label::new(RichText::new(command).font(theme::mono()).color(c.text)).wrap());
        });
    });
}

/// What dialogs show that outlives them, or is too large for them.
pub(crate) struct Own<'a> {
    /// Whether the odd interfaces are shown.
    pub(crate) more: &'a mut bool,
    /// The conversation on screen.
    pub(crate) following: Option<&'a mut Following>,
}

/// The dialog, if one is open.
pub(crate) fn show(ui: &Ui, dialog: &mut Dialog, seen: &Seen<'_>, own: Own<'_>, actions: &mut Vec<Action>) {
    let Own { more, following } = own;
    let modal = Modal::new(Id::unique("dialog")).frame(
        egui::Frame::popup(ui.style()).inner_margin(egui::Margin::same(20)).corner_radius(egui::CornerRadius::same(10)),
    );
    let response = modal.show(ui.ctx(), |ui| {
        theme::form(ui);
        match dialog {
            Dialog::Path { text, note, purpose } => path(ui, (text, note.as_deref()), *purpose, seen.keys, actions),
            Dialog::Several(files) => several::show(ui, files, actions),
            Dialog::Keys { text } => keys::show(ui, text, actions),
            Dialog::Palette { text, at } => palette::show(ui, (text, at), seen.filters, actions),
            Dialog::Frame { text } => palette::frame(ui, text, actions),
            Dialog::Tag { signature, rows } => tag::show(ui, *signature, *rows, actions),
            Dialog::Capture(options) => options::show(ui, options, seen.interfaces, more, actions),
            Dialog::Unsaved(then) => saving::unsaved(ui, then, seen, actions),
            Dialog::Preferences(draft) => preferences::show(ui, draft, actions),
            Dialog::Export(choice) => export::show(ui, choice, seen, actions),
            Dialog::SaveSome { selected } => saving::some(ui, selected, seen, actions),
            Dialog::SavePath { text, note, wish } => saving::path(ui, text, note.as_deref(), wish, actions),
            Dialog::Replace { path, wish } => saving::replace(ui, path, wish, actions),
            Dialog::Delete(orphan) => saving::delete(ui, orphan, actions),
            Dialog::Secrets => saving::secrets(ui, actions),
            Dialog::Comment { row, text, before, differ } => {
                comment::show(ui, (*row, seen.selected), text, (before, *differ), actions);
            }
            Dialog::HeaderColumn { side, name } => header_column::show(ui, side, name, actions),
            Dialog::NameFilter { filter, name } => name_filter::show(ui, filter, name, actions),
            Dialog::Verifying { name, .. } => verified::under_way(ui, name, actions),
            Dialog::Verified(verified) => verified::show(ui, verified, actions),
            Dialog::Conversation => {
                if let Some(following) = following {
                    conversation::show(ui, following, seen.goes_on, actions);
                }
            }
        }
    });
    if response.should_close() {
        actions.push(Action::Escape);
    }
}

fn path(
    ui: &mut Ui,
    (text, note): (&mut String, Option<&str>),
    purpose: PathPurpose,
    keys: bool,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    ui.set_width(520.0);
    let (title, label) = match purpose {
        PathPurpose::Open => ("Open by path", "Open"),
        PathPurpose::Verify => ("Verify by path", "Verify"),
        PathPurpose::KeyLog => ("Key log by path", "Decrypt"),
        PathPurpose::Compare => ("Compare by path", "Compare"),
    };
    let title = ui.label(RichText::new(title).font(theme::strong(theme::SECTION)));
    ui.add_space(4.0);
    let note = note.unwrap_or("The path of a capture on this machine; a picture, bundle or claim is verified.");
    ui.label(RichText::new(note).color(c.quiet));
    ui.add_space(8.0);
    let id = Id::unique("path box");
    let edit = egui::TextEdit::singleline(text)
        .id(id)
        .font(theme::mono())
        .margin(egui::Margin::symmetric(8, 7))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(title.id).accessible_name("Path");
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if !response.has_focus() && !entered && ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    ui.add_space(12.0);
    buttons(ui, |ui| {
        let ready = !text.trim().is_empty();
        let clicked = primary(ui, label, ready);
        if ready && (clicked || entered) {
            let path = PathBuf::from(text.trim());
            actions.push(match purpose {
                PathPurpose::Open => Action::Given(vec![path]),
                PathPurpose::Verify => Action::VerifyPath(path),
                PathPurpose::KeyLog => Action::KeyLogPath(path),
                PathPurpose::Compare => Action::Compare(CompareAction::With(path)),
            });
        }
        if purpose == PathPurpose::KeyLog && keys && plain(ui, "No key log") {
            actions.push(Action::NoKeyLog);
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

/// The button that a dialog is for; whether it was pressed.
fn primary(ui: &mut Ui, label: &str, ready: bool) -> bool {
    let c = theme::colours(ui);
    let words = RichText::new(label).font(theme::strong(theme::BODY)).color(c.on_accent);
    // Where it cannot be pressed it is a plain one: pale letters on a pale accent could not be read.
    let button = if ready {
        egui::Button::new(words).fill(c.accent).stroke(egui::Stroke::NONE)
    } else {
        egui::Button::new(label)
    };
    ui.add_enabled(ready, button.min_size(vec2(80.0, 28.0))).clicked()
}

/// Any other button; whether it was pressed.
fn plain(ui: &mut Ui, label: &str) -> bool {
    ui.add(egui::Button::new(label).min_size(vec2(80.0, 28.0))).clicked()
}

/// A dialog's title.
fn title(ui: &mut Ui, words: &str) -> egui::Response {
    let response = ui.label(RichText::new(words).font(theme::strong(theme::SECTION)));
    ui.add_space(4.0);
    response
}

/// A dialog's buttons: at the right, one line high.
fn buttons(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let size = vec2(ui.available_width(), 28.0);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), add);
}
