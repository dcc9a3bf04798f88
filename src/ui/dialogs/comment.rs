//! The comment on a row.

use egui::{Id, Key, Modifiers, RichText, Ui};

use super::{buttons, plain, primary, title};
use crate::case::MOST_TEXT;
use crate::store::RowId;
use crate::ui::action::{Action, NoteAction};
use crate::ui::theme;

/// A comment is written; empty, it goes away.
pub(super) fn show(
    ui: &mut Ui,
    (row, selected): (RowId, usize),
    text: &mut String,
    (before, differ): (&str, bool),
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    ui.set_width(480.0);
    let several = (selected > 1).then(|| format!("Comment on {selected} exchanges"));
    let label = title(ui, several.as_deref().unwrap_or("Comment"));
    ui.label(
        RichText::new("Kept beside the capture, never in it. Empty, it goes away; Ctrl+Enter keeps it.").color(c.quiet),
    );
    if differ {
        let words = "They have comments that differ: what is written here takes the place of all of them.";
        ui.add(egui::Label::new(RichText::new(words).color(c.amber)).wrap());
    }
    ui.add_space(8.0);
    let edit = egui::TextEdit::multiline(text)
        .id(Id::unique("comment box"))
        .char_limit(MOST_TEXT / 4)
        .margin(egui::Margin::symmetric(8, 7))
        .desired_rows(4)
        .desired_width(f32::INFINITY);
    let entered = ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Enter));
    let response = ui.add(edit).labelled_by(label.id).accessible_name("Comment");
    if !response.has_focus() && ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    ui.add_space(12.0);
    buttons(ui, |ui| {
        if primary(ui, "Keep", true) || entered {
            // What nobody wrote takes nothing away.
            actions.push(if text == before {
                Action::Escape
            } else {
                Action::Note(NoteAction::Say { row, comment: text.trim().to_owned() })
            });
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}
