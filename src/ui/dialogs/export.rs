//! Which rows leave, and in which form.

use egui::{RichText, Ui};

use super::{Seen, buttons, plain, primary, title};
use crate::export::RowsForm;
use crate::ui::action::{Action, ExportAction};
use crate::ui::live::{RowsChoice, WhichRows};
use crate::ui::{text, theme};

/// Width in points.
const WIDE: f32 = 460.0;

/// Paints the choice.
pub(super) fn show(ui: &mut Ui, choice: &mut RowsChoice, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    ui.set_width(WIDE);
    title(ui, "Export rows");
    ui.add_space(4.0);
    let count = |which| match which {
        WhichRows::All => seen.all,
        WhichRows::Shown => seen.shown,
        WhichRows::Marked => seen.marked,
    };
    let words = [
        (WhichRows::All, "row of the capture", "rows of the capture"),
        (WhichRows::Shown, "shown row", "shown rows"),
        (WhichRows::Marked, "marked row", "marked rows"),
    ];
    for (which, one, many) in words {
        let n = count(which);
        let label = format!("The {}", text::plural(n as u64, one, many));
        ui.add_enabled_ui(n > 0, |ui| ui.radio_value(&mut choice.rows, which, label));
    }
    ui.add_space(12.0);
    for form in RowsForm::ALL {
        let (label, tip) = form_words(form);
        ui.radio_value(&mut choice.form, form, label).on_hover_text(tip);
    }
    ui.add_space(12.0);
    ui.checkbox(&mut choice.hide, "Hide secrets").on_hover_text(
        "Cookies, credentials, tokens, signatures and keys are replaced, also in URLs; names, sizes and what proves stay",
    );
    if !choice.hide {
        let c = theme::colours(ui);
        let words =
            "URLs keep their tokens and signatures, HAR its cookies and passwords: whoever gets the file can use them.";
        ui.add(egui::Label::new(RichText::new(words).color(c.amber)).wrap());
    }
    ui.add_space(14.0);
    buttons(ui, |ui| {
        if primary(ui, "Save as…", count(choice.rows) > 0) {
            actions.push(Action::Export(ExportAction::Choose(*choice)));
        }
        if plain(ui, "Cancel") {
            actions.push(Action::Escape);
        }
    });
}

fn form_words(form: RowsForm) -> (&'static str, &'static str) {
    match form {
        RowsForm::Csv => ("CSV", "For spreadsheets; what would be taken for a formula is made text"),
        RowsForm::Jsonl => ("JSON lines", "Everything that is known of each row, evidence and readings included"),
        RowsForm::Har => ("HAR", "The HTTP exchanges with their bodies, as browser tools read them"),
        RowsForm::Parquet => ("Parquet", "Typed columns for DuckDB, Spark, Polars"),
    }
}
