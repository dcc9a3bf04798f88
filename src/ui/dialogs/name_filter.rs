//! The name under which a filter is kept.

use egui::{Id, RichText, Ui};

use super::{buttons, plain, primary, title};
use crate::model::clean_to;
use crate::ui::action::Action;
use crate::ui::filter::FilterAction;
use crate::ui::theme;

/// Characters of a name.
const MOST_CHARS: usize = 80;

/// A name is asked for; the filter's own words do where none is given.
pub(super) fn show(ui: &mut Ui, filter: &str, name: &mut String, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.set_width(420.0);
    let label = title(ui, "Keep this filter");
    ui.label(RichText::new(clean_to(filter.as_bytes(), 200)).font(theme::mono()).color(c.quiet));
    ui.add_space(8.0);
    let edit = egui::TextEdit::singleline(name)
        .id(Id::unique("filter name"))
        .char_limit(MOST_CHARS)
        .hint_text("A name, such as Errors of the app")
        .margin(egui::Margin::symmetric(8, 7))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id).accessible_name("Name of the filter");
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if !response.has_focus() && !entered && ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    ui.add_space(12.0);
    buttons(ui, |ui| {
        let ready = !name.trim().is_empty();
        if (primary(ui, "Keep", ready) || entered) && ready {
            let (name, text) = (name.trim().to_owned(), filter.to_owned());
            actions.push(Action::Filter(FilterAction::Keep { name, text }));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}
