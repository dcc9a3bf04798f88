//! The name of a header line that is to be a column.

use egui::{Id, RichText, Ui};

use super::{buttons, plain, primary, title};
use crate::model::Side;
use crate::store::HeaderName;
use crate::ui::action::Action;
use crate::ui::table::side_word;
use crate::ui::text::sentence;
use crate::ui::theme;

/// Asks for the name, and whose message it stands in.
pub(super) fn show(ui: &mut Ui, side: &mut Side, name: &mut String, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.set_width(420.0);
    let label = title(ui, "Header line as column");
    ui.horizontal(|ui| {
        for of in [Side::Server, Side::Client] {
            ui.radio_value(side, of, sentence(side_word(of)));
        }
    });
    ui.add_space(8.0);
    let edit = egui::TextEdit::singleline(name)
        .id(Id::unique("header column"))
        .font(theme::mono())
        .hint_text("x-cache")
        .margin(egui::Margin::symmetric(8, 7))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id).accessible_name("Name of the header line");
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if !response.has_focus() && !entered && ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    let typed = name.trim();
    let ready = HeaderName::new(*side, typed).is_some();
    let fault = if ready || typed.is_empty() { "" } else { "A name has no spaces and at most 62 letters" };
    ui.label(RichText::new(fault).font(theme::sans(theme::SMALL)).color(c.amber));
    buttons(ui, |ui| {
        if (primary(ui, "Show column", ready) || entered) && ready {
            actions.push(Action::HeaderColumn(*side, typed.to_owned()));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}
