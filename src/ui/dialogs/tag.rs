//! What a tag stands on: its signature, in words.

use egui::{RichText, ScrollArea, Ui};

use super::{buttons, plain, title};
use crate::evidence::pack;
use crate::model::clean_to;
use crate::ui::action::Action;
use crate::ui::text::{count, plural, sentence};
use crate::ui::theme;

/// Characters of a pattern that are shown.
const PATTERN_CHARS: usize = 120;
/// Patterns that are shown.
const MOST_PATTERNS: usize = 12;

/// Tells of a signature. `rows`: how many rows have it, of how many looked through, once that is known.
pub(super) fn show(ui: &mut Ui, signature: u16, rows: Option<(usize, usize)>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let room = ui.ctx().content_rect().size();
    ui.set_width((room.x - 96.0).min(620.0));
    let pack = pack();
    let Some(rule) = pack.signature(signature) else { return };
    title(ui, "What this tag stands on");
    let matched = match rows {
        None => "Being counted".to_owned(),
        Some((rows, of)) => {
            format!("{} of {} with a provider", plural(rows as u64, "exchange", "exchanges"), count(of as u64))
        }
    };
    let whom = pack.provider(rule.provider).map_or("", |provider| provider.name);
    let service = pack.service(rule.service).map_or("", |service| service.name);
    let shown = rule.patterns.iter().take(MOST_PATTERNS).map(|pattern| clean_to(pattern.as_bytes(), PATTERN_CHARS));
    let mut patterns: Vec<String> = shown.map(std::borrow::Cow::into_owned).collect();
    let rest = rule.patterns.len().saturating_sub(MOST_PATTERNS);
    if rest > 0 {
        patterns.push(format!("and {}", plural(rest as u64, "other", "others")));
    }
    let field = if rule.field.is_empty() { String::new() } else { format!(" in {}", rule.field) };
    let from = pack.file_of(signature).map_or_else(
        || "built in".to_owned(),
        |file| format!("your file {}", clean_to(file.name.as_bytes(), PATTERN_CHARS)),
    );
    let parts: [(&str, String); 12] = [
        ("Signature", format!("{}, {from}", rule.id)),
        ("Points at", if service.is_empty() { whom.to_owned() } else { format!("{whom} · {service}") }),
        ("Looks for", format!("{}{field}", patterns.join("\n"))),
        ("Proves", rule.proves.to_owned()),
        ("Only suggests", rule.suggests.to_owned()),
        ("Could be forged by", rule.forgeable_by.to_owned()),
        ("Speaks to", rule.supports.words().collect::<Vec<_>>().join(", ")),
        ("Witness", sentence(rule.group.words())),
        ("Strength", format!("{} of 5, {}", rule.strength, rule.basis)),
        ("Matches here", matched),
        ("Sources", rule.sources.join("\n")),
        ("Remark", rule.note.to_owned()),
    ];
    ScrollArea::vertical().id_salt("tag").max_height((room.y - 170.0).max(120.0)).auto_shrink([false, true]).show(
        ui,
        |ui| {
            for (label, words) in parts.iter().filter(|(_, words)| !words.is_empty()) {
                ui.label(RichText::new(*label).font(theme::sans(theme::SMALL)).color(c.quiet));
                ui.add(egui::Label::new(words).wrap());
                ui.add_space(4.0);
            }
        },
    );
    ui.add_space(8.0);
    buttons(ui, |ui| {
        if plain(ui, "Close") {
            actions.push(Action::Escape);
        }
        if plain(ui, "Copy") {
            let lines = parts.iter().filter(|(_, words)| !words.is_empty());
            actions.push(Action::Copy(lines.flat_map(|(label, words)| [*label, ": ", words.as_str(), "\n"]).collect()));
        }
    });
}
