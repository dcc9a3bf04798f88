//! Bytes in hex and as characters, sixteen a row; only visible rows are laid out.

use core::fmt::Write as _;

use egui::text::{LayoutJob, TextFormat};
use egui::{CornerRadius, Rect, Response, ScrollArea, Stroke, Ui, pos2, vec2};

use super::area;
use crate::ui::action::Action;
use crate::ui::menus;
use crate::ui::theme::{self, Colours, Hue, LINE};

/// Bytes a row.
const WIDE: usize = 16;
/// Letters before the characters: offset, digits, and the spaces between.
const CHARACTERS: usize = 10 + 3 * WIDE + 2;
/// Space at the left in points.
const INSET: f32 = 12.0;

/// Bytes that are copied at most: a clipboard is no file.
const MOST_COPIED: usize = 1 << 20;

/// Bytes to light up: where, in which colour, and the ledger line they prove.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) hue: Hue,
    pub(crate) line: usize,
}

/// Paints `bytes` into what is left of `ui`; gives the ledger line under the pointer, and what has the keyboard. `name` says
/// what the bytes are.
pub(crate) fn show(
    ui: &mut Ui,
    (id, name): (impl core::fmt::Debug, &str),
    bytes: &[u8],
    marks: &[Mark],
) -> (Option<usize>, Response) {
    let c = theme::colours(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let rows = bytes.len().div_ceil(WIDE);
    let glyph = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), '0'));
    let mut pointed = None;
    let mut seen = 0..0;
    let salt = ("hex", format!("{id:?}"));
    let own = ui.scope_id().with(&salt).with("keys");
    let output =
        ScrollArea::vertical().id_salt(salt).auto_shrink([false, false]).show_rows(ui, LINE, rows, |ui, range| {
            seen = range.clone();
            area::scroll(ui, own);
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
        });
    let response = area::show(ui, (own, name), &output, || dump(bytes, seen.clone()));
    (pointed, response)
}

/// Rows as text: offset, digits, characters.
fn dump(bytes: &[u8], rows: core::ops::Range<usize>) -> String {
    let mut out = String::new();
    for (row, chunk) in bytes.chunks(WIDE).enumerate().skip(rows.start).take(rows.len()) {
        // Writing to a String cannot fail.
        let _written = writeln!(out, "{:08x}  {}{}", row * WIDE, digits(chunk), characters(chunk));
    }
    out
}

/// Items that copy bytes in the forms that other tools know, and as text with what cannot be shown made visible.
pub(super) fn copies(ui: &mut Ui, bytes: &[u8], actions: &mut Vec<Action>) {
    let bytes = bytes.get(..MOST_COPIED.min(bytes.len())).unwrap_or_default();
    menus::action(ui, "Copy as hex dump", || Action::Copy(dump(bytes, 0..bytes.len().div_ceil(WIDE))), actions);
    menus::action(ui, "Copy as hex stream", || Action::Copy(crate::model::hex(bytes)), actions);
    menus::action(ui, "Copy bytes as text", || Action::Copy(text(bytes)), actions);
}

fn text(bytes: &[u8]) -> String {
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        crate::model::clean(line)
    });
    lines.collect::<Vec<_>>().join("\n")
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
    use super::{characters, digits, dump, text};

    #[test]
    fn bytes_are_copied_as_they_are_shown() {
        let gap = " ".repeat(30);
        assert_eq!(dump(b"GET /\r\n", 0..1), format!("00000000  47 45 54 20 2f 0d 0a{gap}GET /··\n"));
        let two: Vec<u8> = (0x41..0x52).collect();
        assert_eq!(dump(&two, 1..2).lines().count(), 1);
        assert!(dump(&two, 1..2).starts_with("00000010  51 ") && dump(&two, 0..9).lines().count() == 2);
        assert_eq!(text(b"GET /\r\nHost: a\x1b"), format!("GET /\nHost: a{}", crate::model::clean(b"\x1b")));
    }

    #[test]
    fn columns_stand_still() {
        assert_eq!(digits(b"").len(), digits(&[0; 16]).len());
        assert_eq!(10 + digits(b"").len(), super::CHARACTERS);
        assert!(digits(&[0xab]).starts_with("ab "));
        assert_eq!(characters(b"a\x00\x1b~"), "a··~");
    }
}
