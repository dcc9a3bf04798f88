//! Questions around unsaved captures and around saving.

use std::path::Path;

use egui::{Id, RichText, Ui};

use super::{Seen, buttons, plain, primary, title};
use crate::capture::Orphan;
use crate::model::{clean, clean_to, middle};
use crate::ui::action::{Action, LiveAction, PictureAction};
use crate::ui::live::{Leave, SaveWish};
use crate::ui::{text, theme};

/// Width of a question in points.
const WIDE: f32 = 460.0;

/// An unsaved capture stands in the way of something else.
pub(super) fn unsaved(ui: &mut Ui, then: &Leave, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    ui.set_width(WIDE);
    let device = seen.live.map(crate::ui::live::Live::device).unwrap_or_default();
    title(ui, &format!("The capture of {device} is not saved"));
    let before = match then {
        Leave::Close => "Closing it throws it away.",
        Leave::Quit => "Closing the window throws it away.",
        Leave::Capture(_) => "A new capture throws it away.",
        Leave::Open(_) | Leave::Merge(_) | Leave::Recover(_) => "Opening another throws it away.",
    };
    quiet(ui, before);
    ui.add_space(14.0);
    buttons(ui, |ui| {
        let goes_on = seen.live.is_some_and(crate::ui::live::Live::goes_on);
        if primary(ui, if goes_on { "Stop and save…" } else { "Save first…" }, true) {
            actions.push(Action::Live(LiveAction::SaveThen(then.clone())));
        }
        if plain(ui, "Discard") {
            actions.push(Action::Live(LiveAction::DiscardThen(then.clone())));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

/// Which frames.
pub(super) fn some(ui: &mut Ui, selected: &mut bool, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    ui.set_width(WIDE);
    title(ui, "Save frames of");
    ui.add_space(4.0);
    let shown = text::plural(seen.shown as u64, "shown exchange", "shown exchanges");
    ui.radio_value(selected, false, format!("The {shown}"));
    ui.add_enabled_ui(seen.selected > 0, |ui| {
        let words = match seen.selected {
            0 | 1 => "The selected exchange".to_owned(),
            more => format!("The {} selected exchanges", text::count(more as u64)),
        };
        ui.radio_value(selected, true, words);
    });
    ui.add_space(14.0);
    buttons(ui, |ui| {
        let ready = if *selected { seen.selected > 0 } else { seen.shown > 0 };
        if primary(ui, "Save as…", ready) {
            actions.push(Action::Live(LiveAction::SaveRows { selected: *selected }));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

/// Our own question where to.
pub(super) fn path(ui: &mut Ui, text: &mut String, note: Option<&str>, wish: &SaveWish, actions: &mut Vec<Action>) {
    ui.set_width(520.0);
    let label = title(ui, "Save as");
    quiet(ui, note.unwrap_or("The path of the new file."));
    ui.add_space(8.0);
    let edit = egui::TextEdit::singleline(text)
        .id(Id::unique("save path box"))
        .font(theme::mono())
        .margin(egui::Margin::symmetric(8, 7))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id).accessible_name("Path of the new file");
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if !response.has_focus() && !entered && ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    ui.add_space(12.0);
    buttons(ui, |ui| {
        let ready = !text.trim().is_empty();
        let clicked = primary(ui, "Save", ready);
        if ready && (clicked || entered) {
            let path = text.trim().into();
            actions.push(Action::Live(LiveAction::SaveTo { path, wish: wish.clone(), replace: false }));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

/// A file of this name is there.
pub(super) fn replace(ui: &mut Ui, path: &Path, wish: &SaveWish, actions: &mut Vec<Action>) {
    ui.set_width(WIDE);
    let name = clean(path.file_name().unwrap_or_default().as_encoded_bytes()).into_owned();
    title(ui, &format!("Replace {}?", middle(&name, 48, 16)));
    quiet(ui, "A file of this name is there already. What it holds would be lost.");
    ui.add_space(14.0);
    buttons(ui, |ui| {
        if plain(ui, "Replace") {
            let action = LiveAction::SaveTo { path: path.to_owned(), wish: wish.clone(), replace: true };
            actions.push(Action::Live(action));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

/// A capture that was left behind is to be deleted.
pub(super) fn delete(ui: &mut Ui, orphan: &Orphan, actions: &mut Vec<Action>) {
    ui.set_width(WIDE);
    let device = clean_to(orphan.device.as_bytes(), 40);
    title(ui, &format!("Delete the capture of {device}?"));
    let (day, time) = (orphan.began.date(), orphan.began.time_of_day(0));
    quiet(ui, &format!("{} from {day} {time} UTC. It cannot be brought back.", text::size(orphan.bytes)));
    ui.add_space(14.0);
    buttons(ui, |ui| {
        if plain(ui, "Delete capture") {
            actions.push(Action::Live(LiveAction::Delete(orphan.folder.clone())));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

/// Secrets are to be shown in a picture.
pub(super) fn secrets(ui: &mut Ui, actions: &mut Vec<Action>) {
    ui.set_width(WIDE);
    title(ui, "Show secrets in this picture?");
    quiet(
        ui,
        "Cookies, passwords, tokens and keys would stand in the picture, its claim and the bundle as they are, and whoever \
         gets them can use them. The footer says that nothing was hidden.",
    );
    ui.add_space(14.0);
    buttons(ui, |ui| {
        if plain(ui, "Show secrets") {
            actions.push(Action::Compose(PictureAction::ShowSecrets));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

fn quiet(ui: &mut Ui, words: &str) {
    let c = theme::colours(ui);
    ui.add(egui::Label::new(RichText::new(words).color(c.quiet)).wrap());
}
