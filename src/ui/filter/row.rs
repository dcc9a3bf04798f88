//! The row under the toolbar in which the highlight is typed.

use egui::{Align, Layout, RichText, Sense, Ui, vec2};

use super::{FilterAction, FilterBox, Seen, show as show_box};
use crate::ui::action::Action;
use crate::ui::text;
use crate::ui::theme;

/// Height in points.
pub(crate) const HEIGHT: f32 = 36.0;

/// Paints the row; `lit` rows stand out, where any are asked for.
pub(crate) fn show(
    ui: &mut Ui,
    seen: &Seen<'_>,
    (words, known): (&mut String, &mut FilterBox),
    lit: Option<usize>,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.label("Highlight");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Close highlight").on_hover_text("No row stands out any more").clicked() {
                actions.push(Action::Filter(FilterAction::Highlight));
            }
            if let Some(lit) = lit {
                let words = text::plural(lit as u64, "row stands out", "rows stand out");
                ui.label(RichText::new(words).color(c.quiet));
            }
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
            show_box(ui, rect, seen, (words, known), actions);
        });
    });
}
