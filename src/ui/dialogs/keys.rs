//! All keys, by subject.

use egui::{Id, RichText, ScrollArea, Ui, vec2};

use super::{buttons, plain, title};
use crate::ui::action::{self, Action, ENTRIES, Entry, NoteAction};
use crate::ui::theme;

/// Keys that stand in no table: what they do, by subject.
const OTHERS: [(&str, &str, &str); 12] = [
    ("Exchange", "Down, up, J, K", "Next or previous exchange"),
    ("Exchange", "Page down, page up", "One page on or back"),
    ("Exchange", "Home, End", "First or last exchange"),
    ("Exchange", "Shift with these, Shift+click", "Select all up to there"),
    ("Exchange", "Ctrl+A, Ctrl+click", "Select all that are shown; one more or less"),
    ("Exchange", "Left, right, Enter", "Close or open in the tree"),
    ("Exchange", "Shift+F10, Menu", "Menu of the selected exchange"),
    ("Exchange", "Ctrl+Alt+1 … 9, 0", "Colour its conversation"),
    ("Program", "F1, ?", "This list"),
    ("Program", "Tab, Shift+Tab", "To the next or previous control"),
    ("Conversation", "Ctrl+F", "Find in the conversation"),
    ("Conversation", "Enter, Shift+Enter", "Next or previous place found"),
];

/// The subjects, in their order.
const SUBJECTS: [&str; 7] = ["Exchange", "Go", "Panes and views", "Filter", "File", "Capture", "Program"];

/// Paints the list.
pub(super) fn show(ui: &mut Ui, text: &mut String, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let room = ui.ctx().content_rect().size();
    ui.set_width((room.x - 80.0).min(840.0));
    let label = title(ui, "Keyboard shortcuts");
    let edit = egui::TextEdit::singleline(text)
        .id(Id::unique("keys box"))
        .hint_text("Find a key or what it does")
        .char_limit(60)
        .margin(egui::Margin::symmetric(8, 6))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id).accessible_name("Find a key");
    if !response.has_focus() && ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    ui.add_space(8.0);
    let groups = groups(ui.ctx(), text);
    let lines: usize = groups.iter().map(|(_, lines)| lines.len() + 2).sum();
    let most = (room.y - 190.0).max(120.0);
    // As high as it may be from the first frame on: it would grow towards that frame by frame.
    let area = ScrollArea::vertical().id_salt("keys").max_height(most).min_scrolled_height(most);
    area.auto_shrink([false, true]).show(ui, |ui| {
        if groups.is_empty() {
            ui.label(RichText::new("No key does that").color(c.quiet));
        }
        let half = ui.available_width() / 2.0 - 8.0;
        let (mut left, mut right, mut so_far) = (Vec::new(), Vec::new(), 0);
        for group in &groups {
            if so_far * 2 < lines {
                left.push(group);
            } else {
                right.push(group);
            }
            so_far += group.1.len() + 2;
        }
        ui.horizontal_top(|ui| {
            for (id, column) in [("left keys", left), ("right keys", right)] {
                ui.vertical(|ui| {
                    ui.set_width(half);
                    ui.spacing_mut().interact_size.y = 18.0;
                    // One grid a column, so that what keys do begins at one edge.
                    egui::Grid::new(id).num_columns(2).min_row_height(18.0).spacing(vec2(16.0, 4.0)).show(ui, |ui| {
                        for (i, (subject, lines)) in column.into_iter().enumerate() {
                            if i > 0 {
                                ui.label("");
                                ui.end_row();
                            }
                            ui.label(RichText::new(*subject).font(theme::strong(theme::BODY)));
                            ui.end_row();
                            for (key, what, tip) in lines {
                                ui.label(RichText::new(key).color(c.quiet));
                                ui.add(egui::Label::new(*what).truncate()).on_hover_text(*tip);
                                ui.end_row();
                            }
                        }
                    });
                });
            }
        });
    });
    ui.add_space(10.0);
    buttons(ui, |ui| {
        if plain(ui, "Close") {
            actions.push(Action::Escape);
        }
    });
}

/// Whether the key stands among the others: ten colours need one line.
fn has_other_line(action: &Action) -> bool {
    matches!(action, Action::Keys | Action::Note(NoteAction::Colour(Some(_))))
}

/// A key, what it does, and that in full.
type Line = (String, &'static str, &'static str);

/// The keys that fit a text, by subject; subjects without any are left out.
fn groups(ctx: &egui::Context, text: &str) -> Vec<(&'static str, Vec<Line>)> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let fits = |line: &Line| {
        let all = format!("{} {} {}", line.0, line.1, line.2).to_lowercase();
        words.iter().all(|word| all.contains(word))
    };
    let subjects = SUBJECTS.into_iter().chain(["Conversation"]);
    let groups = subjects.map(|subject| {
        let others = OTHERS.iter().filter(|other| other.0 == subject);
        let others = others.map(|(_, key, what)| ((*key).to_owned(), *what, *what));
        let is_here = |entry: &&Entry| !has_other_line(&entry.action) && entry.action.subject() == subject;
        let entries = ENTRIES.iter().filter(is_here);
        let entries = entries.filter_map(|entry| {
            let key = action::keys(ctx, entry.key?);
            Some((key, entry.label.trim_end_matches('…'), entry.tip))
        });
        (subject, others.chain(entries).filter(fits).collect::<Vec<_>>())
    });
    groups.filter(|(_, lines)| !lines.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{groups, has_other_line};
    use crate::ui::action::ENTRIES;

    #[test]
    fn every_key_of_the_table_is_listed_once() {
        let ctx = egui::Context::default();
        let listed: Vec<_> = groups(&ctx, "").into_iter().flat_map(|(_, lines)| lines).collect();
        for entry in ENTRIES.iter().filter(|entry| entry.key.is_some() && !has_other_line(&entry.action)) {
            let times = listed.iter().filter(|line| line.2 == entry.tip).count();
            assert_eq!(times, 1, "{}", entry.label);
        }
    }

    #[test]
    fn words_choose() {
        let ctx = egui::Context::default();
        let found = groups(&ctx, "follow stream");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1[0].1, "Follow stream");
    }
}
