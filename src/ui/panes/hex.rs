//! Bytes in hex and as characters, sixteen a row; only visible rows are laid out.

use egui::text::{LayoutJob, TextFormat};
use egui::{CornerRadius, Rect, ScrollArea, Stroke, Ui, pos2, vec2};

use crate::ui::theme::{self, Colours, Hue, LINE};

/// Bytes a row.
const WIDE: usize = 16;
/// Letters before the characters: offset, digits, and the spaces between.
const CHARACTERS: usize = 10 + 3 * WIDE + 2;
/// Space at the left in points.
const INSET: f32 = 12.0;

/// Bytes to light up: where, in which colour, and the ledger line they prove.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) hue: Hue,
    pub(crate) line: usize,
}

/// Paints `bytes` into what is left of `ui`; gives the ledger line under the pointer.
pub(crate) fn show(ui: &mut Ui, id: impl core::fmt::Debug, bytes: &[u8], marks: &[Mark]) -> Option<usize> {
    let c = theme::colours(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let rows = bytes.len().div_ceil(WIDE);
    let glyph = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
    let mut pointed = None;
    ScrollArea::vertical().id_salt(("hex", format!("{id:?}"))).auto_shrink([false, false]).show_rows(
        ui,
        LINE,
        rows,
        |ui, range| {
            for row in range {
                let at = row * WIDE;
                let chunk = bytes.get(at..bytes.len().min(at + WIDE)).unwrap_or_default();
                let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), egui::Sense::hover());
                for mark in marks.iter().filter(|m| m.start < at + WIDE && m.end > at) {
                    let (from, to) = (mark.start.max(at) - at, mark.end.min(at + WIDE) - at);
                    let ground = Colours::tint(c.page, mark.hue.fill, 0.34);
                    // Eight digits and two spaces; three letters a byte, one more after the eighth.
                    let digit = |i: usize| 10 + 3 * i + usize::from(i >= WIDE / 2);
                    let spans = [(digit(from), digit(to - 1) + 2), (CHARACTERS + from, CHARACTERS + to)];
                    for (a, b) in spans {
                        let x = rect.left() + INSET;
                        let lit = Rect::from_min_max(
                            pos2(x + a as f32 * glyph - 1.0, rect.top()),
                            pos2(x + b as f32 * glyph + 1.0, rect.bottom()),
                        );
                        ui.painter().rect_filled(lit, CornerRadius::same(2), ground);
                        ui.painter().hline(lit.x_range(), lit.bottom() - 1.0, Stroke::new(1.2, mark.hue.line));
                        if ui.rect_contains_pointer(lit) {
                            pointed = Some(mark.line);
                        }
                    }
                }
                let mut job = LayoutJob::default();
                let format =
                    |colour| TextFormat { line_height: Some(LINE), ..TextFormat::simple(theme::mono(), colour) };
                job.append(&format!("{at:08x}  "), 0.0, format(c.faint));
                job.append(&digits(chunk), 0.0, format(c.text));
                job.append(&characters(chunk), 0.0, format(c.quiet));
                let galley = ui.painter().layout_job(job);
                ui.painter().galley(pos2(rect.left() + INSET, rect.top()), galley, c.text);
            }
        },
    );
    pointed
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
        assert_eq!(10 + digits(b"").len(), super::CHARACTERS);
        assert!(digits(&[0xab]).starts_with("ab "));
        assert_eq!(characters(b"a\x00\x1b~"), "a··~");
    }
}
