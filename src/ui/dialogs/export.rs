//! Which rows leave, and in which form.

use egui::{Align, Layout, RichText, Ui, vec2};

use super::{Seen, buttons, plain, primary, title};
use crate::export::RowsForm;
use crate::ui::action::{Action, ExportAction};
use crate::ui::live::{RowsChoice, WhichRows};
use crate::ui::{text, theme};

/// Width in points.
const WIDE: f32 = 500.0;
/// Room for the names of the forms.
const LABELS: f32 = 104.0;

/// Paints the choice.
pub(super) fn show(ui: &mut Ui, choice: &mut RowsChoice, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.set_width(WIDE);
    title(ui, "Export rows");
    ui.add_space(4.0);
    let count = |which| match which {
        WhichRows::All => seen.all,
        WhichRows::Shown => seen.shown,
        WhichRows::Selected => seen.selected,
        WhichRows::Marked => seen.marked,
    };
    let words = [
        (WhichRows::All, "row of the capture", "rows of the capture"),
        (WhichRows::Shown, "shown row", "shown rows"),
        (WhichRows::Selected, "selected row", "selected rows"),
        (WhichRows::Marked, "marked row", "marked rows"),
    ];
    for (which, one, many) in words {
        let n = count(which);
        let label = format!("The {}", text::plural(n as u64, one, many));
        ui.add_enabled_ui(n > 0, |ui| ui.radio_value(&mut choice.rows, which, label));
    }
    ui.add_space(12.0);
    for form in RowsForm::ALL {
        let (label, what) = form_words(form);
        ui.horizontal(|ui| {
            ui.allocate_ui_with_layout(vec2(LABELS, 24.0), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(LABELS);
                ui.radio_value(&mut choice.form, form, label);
            });
            ui.label(RichText::new(what).color(c.quiet));
        });
    }
    if seen.headers > 0 {
        ui.add_space(4.0);
        ui.label(RichText::new(header_words(choice.form, seen.headers)).color(c.quiet));
    }
    ui.add_space(12.0);
    ui.checkbox(&mut choice.hide, "Hide secrets").on_hover_text(
        "Cookies, credentials, tokens, signatures and keys are replaced, also in URLs; names, sizes and what proves stay",
    );
    if !choice.hide {
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

/// What becomes of the header lines that are shown as columns.
fn header_words(form: RowsForm, headers: usize) -> String {
    let lines = match headers {
        1 => "header line that is a column here".to_owned(),
        more => format!("{} header lines that are columns here", text::count(more as u64)),
    };
    match form {
        RowsForm::Csv | RowsForm::Jsonl => format!("With the {lines}"),
        RowsForm::Har => "HAR has all header lines".to_owned(),
        RowsForm::Parquet => format!("Without the {lines}: Parquet's columns are always the same"),
    }
}

fn form_words(form: RowsForm) -> (&'static str, &'static str) {
    match form {
        RowsForm::Csv => ("CSV", "for spreadsheets; nothing in it is taken for a formula"),
        RowsForm::Jsonl => ("JSON lines", "all that is known of each row, evidence included"),
        RowsForm::Har => ("HAR", "HTTP exchanges with bodies, for browser tools"),
        RowsForm::Parquet => ("Parquet", "typed columns for DuckDB, Spark, Polars"),
    }
}
