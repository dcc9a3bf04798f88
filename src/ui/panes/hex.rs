//! Bytes in hex and as characters, sixteen a row; only visible rows are laid out.

use egui::text::{LayoutJob, TextFormat};
use egui::{ScrollArea, Ui, pos2};

use crate::ui::theme::{self, LINE};

/// Bytes a row.
const WIDE: usize = 16;

/// Paints `bytes` into what is left of `ui`.
pub(crate) fn show(ui: &mut Ui, id: impl core::hash::Hash + core::fmt::Debug, bytes: &[u8]) {
    let c = theme::colours(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let rows = bytes.len().div_ceil(WIDE);
    ScrollArea::vertical().id_salt(("hex", format!("{id:?}"))).auto_shrink([false, false]).show_rows(
        ui,
        LINE,
        rows,
        |ui, range| {
            for row in range {
                let at = row * WIDE;
                let chunk = bytes.get(at..bytes.len().min(at + WIDE)).unwrap_or_default();
                let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), LINE), egui::Sense::hover());
                let mut job = LayoutJob::default();
                let format =
                    |colour| TextFormat { line_height: Some(LINE), ..TextFormat::simple(theme::mono(), colour) };
                job.append(&format!("{at:08x}  "), 0.0, format(c.faint));
                job.append(&digits(chunk), 0.0, format(c.text));
                job.append(&characters(chunk), 0.0, format(c.quiet));
                let galley = ui.painter().layout_job(job);
                ui.painter().galley(pos2(rect.left() + 12.0, rect.top()), galley, c.text);
            }
        },
    );
}

fn digits(chunk: &[u8]) -> String {
    let mut out = String::with_capacity(WIDE * 3 + 3);
    for i in 0..WIDE {
        if i == WIDE / 2 {
            out.push(' ');
        }
        match chunk.get(i) {
            Some(byte) => out.push_str(&crate::model::hex(&[*byte])),
            None => out.push_str("  "),
        }
        out.push(' ');
    }
    out.push(' ');
    out
}

fn characters(chunk: &[u8]) -> String {
    chunk.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '·' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{characters, digits};

    #[test]
    fn columns_stand_still() {
        assert_eq!(digits(b"").len(), digits(&[0; 16]).len());
        assert!(digits(&[0xab]).starts_with("ab "));
        assert_eq!(characters(b"a\x00\x1b~"), "a··~");
    }
}
