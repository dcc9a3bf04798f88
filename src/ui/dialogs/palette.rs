//! All actions by name: what is typed ranks them. Also the filters used lately, and the way to a frame.

use egui::{Id, Key, Modifiers, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{buttons, plain, primary, title};
use crate::model::{FrameNo, clean_to};
use crate::ui::action::{self, Action, ENTRIES};
use crate::ui::filter::{FilterAction, FilterMemory, Which};
use crate::ui::theme::{self, ROW};
use crate::ui::wish::RowWish;

/// Characters that are typed at most.
const MOST_TYPED: usize = 80;
/// Characters of a filter that are shown.
const FILTER_CHARS: usize = 70;
/// Filters that are offered.
const MOST_FILTERS: usize = 20;

/// One line of the list.
#[derive(Debug)]
struct Offer {
    words: String,
    key: String,
    tip: String,
    action: Action,
}

/// What is typed chooses among everything that can be done.
pub(super) fn show(
    ui: &mut Ui,
    (text, at): (&mut String, &mut usize),
    memory: &FilterMemory,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let room = ui.ctx().content_rect().size();
    ui.set_width((room.x - 96.0).min(560.0));
    let label = title(ui, "What to do");
    let (up, down) = ui.input_mut(|input| {
        let times = |input: &mut egui::InputState, key| input.count_and_consume_key(Modifiers::NONE, key);
        (times(input, Key::ArrowUp), times(input, Key::ArrowDown))
    });
    let edit = egui::TextEdit::singleline(text)
        .id(Id::unique("palette box"))
        .hint_text("Part of a name, or the number of a frame")
        .char_limit(MOST_TYPED)
        .margin(egui::Margin::symmetric(8, 7))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id).accessible_name("What to do");
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if !response.has_focus() && !entered {
        response.request_focus();
    }
    if response.changed() {
        *at = 0;
    }
    let offers = offers(ui.ctx(), text, memory);
    *at = (*at + down).saturating_sub(up).min(offers.len().saturating_sub(1));
    ui.add_space(6.0);
    let mut chosen = if entered { offers.get(*at) } else { None };
    let moved = up + down > 0 || response.changed();
    ScrollArea::vertical()
        .id_salt("palette")
        .max_height((room.y - 220.0).clamp(96.0, 420.0))
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (i, offer) in offers.iter().enumerate() {
                let on = i == *at;
                let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
                response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, on, &offer.words));
                let ground = if on {
                    c.selection
                } else if response.hovered() {
                    c.hover
                } else {
                    c.surface
                };
                ui.painter().rect_filled(rect, egui::CornerRadius::same(4), ground);
                let painter = ui.painter().with_clip_rect(rect);
                let ink = if on { c.text } else { c.quiet };
                let key = painter.layout_no_wrap(offer.key.clone(), theme::sans(theme::SMALL), ink);
                let left = pos2(rect.left() + 8.0, rect.center().y);
                painter.text(left, egui::Align2::LEFT_CENTER, &offer.words, theme::sans(theme::BODY), c.text);
                let place = pos2(rect.right() - 8.0 - key.size().x, rect.center().y - key.size().y / 2.0);
                painter.galley(place, key, ink);
                if on && moved {
                    ui.scroll_to_rect(rect, None);
                }
                if response.clicked() {
                    chosen = Some(offer);
                }
                let _shown = response.on_hover_text(&offer.tip);
            }
        });
    if offers.is_empty() {
        ui.label(RichText::new("Nothing is called so").color(c.quiet));
    }
    if let Some(offer) = chosen {
        // The palette goes before what it is for comes.
        actions.extend([Action::Escape, offer.action.clone()]);
    }
}

/// What is offered for a text, the best first; in the order of the table where nothing is typed.
fn offers(ctx: &egui::Context, text: &str, memory: &FilterMemory) -> Vec<Offer> {
    let text = text.trim();
    let mut offers = Vec::new();
    if let Ok(frame @ 1..) = text.parse::<u32>() {
        let words = format!("Go to frame {frame}");
        let tip = "Select the exchange that has this frame, and show it".to_owned();
        let action = Action::Wish(None, RowWish::Frame(FrameNo(frame)));
        offers.push(Offer { words, key: String::new(), tip, action });
    }
    let mut ranked: Vec<(i32, Offer)> = Vec::new();
    for entry in ENTRIES.iter().filter(|entry| !matches!(entry.action, Action::Escape | Action::Palette)) {
        let words = entry.label.trim_end_matches('…').to_owned();
        // Words of the tip find it too, but behind those of its name.
        let rank =
            rank(text, &words).or_else(|| rank(text, entry.tip).filter(|_| text.len() > 2).map(|rank| rank - 1_000));
        if let Some(rank) = rank {
            let key = entry.key.map(|key| action::keys(ctx, key)).unwrap_or_default();
            ranked.push((rank, Offer { words, key, tip: entry.tip.to_owned(), action: entry.action.clone() }));
        }
    }
    for filter in memory.history.iter().take(MOST_FILTERS) {
        if let Some(rank) = rank(text, filter) {
            let words = format!("Filter {}", clean_to(filter.as_bytes(), FILTER_CHARS));
            let action = Action::Filter(FilterAction::Set(Which::Filter, filter.clone()));
            ranked.push((rank - 100, Offer { words, key: "used lately".to_owned(), tip: String::new(), action }));
        }
    }
    // Stable: what is as good stands as in the table.
    ranked.sort_by_key(|(rank, _)| core::cmp::Reverse(*rank));
    offers.extend(ranked.into_iter().map(|(_, offer)| offer));
    offers
}

/// How well a text fits a name: its characters must come in their order. Beginnings of words, and characters beside each other,
/// count more.
fn rank(text: &str, name: &str) -> Option<i32> {
    let (mut rank, mut before, mut beside) = (0, ' ', false);
    let mut wanted = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).peekable();
    for c in name.chars().flat_map(char::to_lowercase) {
        let Some(next) = wanted.peek() else { break };
        let fits = *next == c;
        if fits {
            wanted.next();
            rank += if !before.is_alphanumeric() {
                12
            } else if beside {
                8
            } else {
                1
            };
        }
        (beside, before) = (fits, c);
    }
    // Of names that fit alike the shorter one is meant.
    wanted.peek().is_none().then(|| {
        if text.is_empty() { 0 } else { rank * 4 - i32::try_from(name.chars().count()).unwrap_or(i32::MAX / 2) }
    })
}

/// Our question for the number of a frame.
pub(super) fn frame(ui: &mut Ui, text: &mut String, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.set_width(360.0);
    let label = title(ui, "Go to frame");
    ui.label(RichText::new("Its exchange is selected, and the frame shown.").color(c.quiet));
    ui.add_space(8.0);
    let edit = egui::TextEdit::singleline(text)
        .id(Id::unique("frame box"))
        .hint_text("Number")
        .char_limit(10)
        .margin(egui::Margin::symmetric(8, 7))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id).accessible_name("Frame number");
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if !response.has_focus() && !entered && ui.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
    ui.add_space(12.0);
    buttons(ui, |ui| {
        let number = text.trim().replace([',', ' '], "").parse().ok().filter(|number: &u32| *number > 0);
        let clicked = primary(ui, "Go", number.is_some());
        if let Some(number) = number
            && (clicked || entered)
        {
            actions.extend([Action::Escape, Action::Wish(None, RowWish::Frame(FrameNo(number)))]);
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{offers, rank};
    use crate::ui::filter::FilterMemory;

    fn first(text: &str, memory: &FilterMemory) -> String {
        let ctx = egui::Context::default();
        offers(&ctx, text, memory).first().map(|offer| offer.words.clone()).unwrap_or_default()
    }

    #[test]
    fn the_best_name_stands_first() {
        let none = FilterMemory::default();
        for (text, want) in [
            ("prefs", "Preferences"),
            ("follow st", "Follow stream"),
            ("fs", "Follow stream"),
            ("keyb", "Keyboard shortcuts"),
            ("exp", "Export rows"),
            ("4711", "Go to frame 4711"),
            ("next mark", "Next mark"),
        ] {
            assert_eq!(first(text, &none), want, "{text}");
        }
        assert_eq!(first("qqqq", &none), "");
        assert_eq!(first("00", &none), "", "there is no frame 0");
    }

    #[test]
    fn filters_used_lately_are_found() {
        let memory = FilterMemory { history: vec!["host:blob status>=400".to_owned()], ..FilterMemory::default() };
        assert_eq!(first("blob", &memory), "Filter host:blob status>=400");
    }

    #[test]
    fn beginnings_of_words_count_more() {
        assert!(rank("gf", "Go to frame") > rank("gf", "Flag of"));
        assert!(rank("mark", "Next mark") > rank("mark", "Make a remarkable"));
        assert_eq!(rank("zz", "Go to frame"), None);
    }
}
