//! Several captures were given together: one list of them, or two side by side.

use std::path::PathBuf;

use egui::{Label, RichText, Ui};

use super::{buttons, plain, primary, title};
use crate::model::clean_to;
use crate::ui::action::{Action, CompareAction};
use crate::ui::{text, theme};

/// Names that are listed.
const LISTED: usize = 8;
/// Characters of a name.
const NAME_CHARS: usize = 200;

pub(super) fn show(ui: &mut Ui, files: &[PathBuf], actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.set_width(520.0);
    title(ui, &format!("Open {}", text::plural(files.len() as u64, "capture", "captures")));
    for path in files.iter().take(LISTED) {
        let name = clean_to(path.file_name().unwrap_or_default().as_encoded_bytes(), NAME_CHARS);
        let whole = clean_to(path.as_os_str().as_encoded_bytes(), 1_000).into_owned();
        ui.add(Label::new(RichText::new(name).font(theme::mono())).truncate()).on_hover_text(whole);
    }
    let more = files.len().saturating_sub(LISTED);
    if more > 0 {
        ui.label(RichText::new(format!("and {more} more")).color(c.quiet));
    }
    ui.add_space(10.0);
    let mut say = |what: &str, words: &str| {
        ui.label(RichText::new(what).font(theme::strong(theme::BODY)));
        ui.add(Label::new(RichText::new(words).color(c.quiet)).wrap());
        ui.add_space(6.0);
    };
    say(
        "Merge by time",
        "One list of what all of them hold. A connection that runs on from file to file, as in a ring, is one.",
    );
    let both = <[PathBuf; 2]>::try_from(files.to_vec()).ok();
    if both.is_some() {
        say("Compare", "Each is read by itself; what changed of each site stands side by side.");
    }
    ui.add_space(8.0);
    buttons(ui, |ui| {
        if primary(ui, "Merge by time", true) {
            actions.push(Action::Merge(files.to_vec()));
        }
        if let Some(both) = both
            && plain(ui, "Compare")
        {
            actions.push(Action::Compare(CompareAction::Both(both)));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}
