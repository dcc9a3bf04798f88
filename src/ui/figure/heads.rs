//! A message's head as a picture shows it: every line whole, the numbers in the margin, what is left out said.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align, Galley, Rect, Sense, Ui, pos2, vec2};

use super::callouts::{self, BOX, LEAD, Placed, STEP};
use super::{Still, Written};
use crate::ui::panes::head::{self, NAME_SHARE, Stands};
use crate::ui::prepared::{Head, HeadLine, LedgerLine};
use crate::ui::shapes;
use crate::ui::text::{self, count, plural};
use crate::ui::theme::{self, LINE};

/// From the left edge to where lines begin, and from there to their letters.
const MARGIN: f32 = BOX.x + LEAD;
const INSET: f32 = 10.0;
/// Characters of a value that are shown: of a piece that proves, and of one that does not.
const PROVING: usize = 600;
const OTHER: usize = 240;
/// Lines that prove nothing that are shown of one head.
const LINES: usize = 80;

/// What a row of the picture is.
enum Row<'a> {
    Line(&'a HeadLine),
    /// So many lines are not shown here.
    Left(u64),
}

/// A line with its letters set.
struct Laid {
    name: Option<Arc<Galley>>,
    value: Arc<Galley>,
    value_at: egui::Vec2,
    height: f32,
    /// Each ledger line that stands here, with the height of its bytes in the line.
    marks: Vec<(usize, f32)>,
}

/// Paints a head with its title. `None`: the capture lacks the message.
pub(super) fn show(ui: &mut Ui, title: &str, head: Option<&Head>, ledger: &[LedgerLine], still: &mut Still) {
    let c = theme::colours(ui);
    let frame = head.map_or_else(String::new, |h| format!("frame {}", h.frame));
    ui.horizontal(|ui| {
        ui.set_height(26.0);
        ui.add_space(MARGIN);
        ui.label(egui::RichText::new(title).font(theme::strong(theme::BODY)));
        ui.label(egui::RichText::new(frame).font(theme::sans(theme::SMALL)).color(c.quiet));
    });
    let Some(head) = head else {
        ui.horizontal(|ui| {
            ui.add_space(MARGIN);
            ui.label(egui::RichText::new(format!("No {} in the capture", title.to_lowercase())).color(c.quiet));
        });
        return;
    };
    if let Some(note) = &head.note {
        ui.horizontal(|ui| {
            ui.add_space(MARGIN);
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
            shapes::caution(ui.painter(), rect.center(), c.amber);
            ui.label(egui::RichText::new(note).font(theme::sans(theme::SMALL)).color(c.amber));
        });
    }
    let stands = Stands { ledger, marked: head.lines.iter().any(|line| !line.marks.is_empty()), c };
    let width = ui.available_width();
    let origin = ui.cursor().min;
    let mut y = origin.y;
    // Places that numbers lead to: height, line, ledger line.
    let mut anchors: Vec<(f32, Rect, usize)> = Vec::new();
    for row in rows(head, still.evidence_only) {
        match row {
            Row::Left(n) => {
                let words = format!("… {} not shown", plural(n, "line", "lines"));
                let at = pos2(origin.x + MARGIN + INSET, y + LINE / 2.0);
                ui.painter().text(at, egui::Align2::LEFT_CENTER, words, theme::sans(theme::SMALL), c.faint);
                y += LINE;
            }
            Row::Line(line) => {
                let laid = lay(ui, line, width - MARGIN - INSET - 4.0, &stands);
                let rect = Rect::from_min_max(pos2(origin.x + MARGIN, y), pos2(origin.x + width, y + laid.height));
                if let Some(entry) = line.marks.first().and_then(|i| ledger.get(*i)) {
                    head::ground(ui.painter(), rect, c.provider(entry.provider), false, c);
                }
                anchors.extend(laid.marks.iter().map(|(mark, at)| (y + at, rect, *mark)));
                let value = line.value();
                let whole = value.len() == line.value_bytes as usize;
                still.lines.push(Written { rect, value, whole });
                let at = pos2(rect.left() + INSET, y);
                if let Some(name) = laid.name {
                    ui.painter().galley(at, name, c.text);
                }
                ui.painter().galley(at + laid.value_at, laid.value, c.text);
                y += laid.height;
            }
        }
    }
    anchors.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    let wanted: Vec<f32> = anchors.iter().map(|(at, ..)| *at).collect();
    let heights = callouts::spread(&wanted, STEP, origin.y + LINE / 2.0);
    for ((at, line, mark), height) in anchors.into_iter().zip(heights) {
        let Some(entry) = ledger.get(mark) else { continue };
        let rect = Rect::from_min_size(pos2(origin.x, (height - BOX.y / 2.0).round()), BOX);
        let number = mark as u32 + 1;
        callouts::paint(ui.painter(), rect, pos2(line.left(), at.round()), number, c.provider(entry.provider));
        still.placed.push(Placed { exchange: still.exchange, number, rect, line });
        y = y.max(rect.bottom());
    }
    ui.allocate_rect(Rect::from_min_max(origin, pos2(origin.x + width, y)), Sense::hover());
}

/// The lines to paint. The start line always stands.
fn rows(head: &Head, evidence_only: bool) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut plain = 0;
    for (i, line) in head.lines.iter().enumerate() {
        let proves = !line.marks.is_empty() || (i == 0 && line.name.is_empty());
        if !proves {
            plain += 1;
        }
        if proves || (!evidence_only && plain <= LINES) {
            rows.push(Row::Line(line));
        } else if let Some(Row::Left(n)) = rows.last_mut() {
            *n += 1;
        } else {
            rows.push(Row::Left(1));
        }
    }
    rows
}

fn lay(ui: &Ui, line: &HeadLine, room: f32, stands: &Stands<'_>) -> Laid {
    let c = stands.c;
    let name = (!line.name.is_empty()).then(|| ui.painter().layout_job(stands.name(line, room)));
    let glyph = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), 'm'));
    let name_width = name.as_ref().map_or(0.0, |n| n.size().x + glyph);
    // As in the window: a long name has its value on the next line.
    let below = name_width > room * NAME_SHARE && line.chars.1 as f32 * glyph > room - name_width;
    let value_at = if below { vec2(2.0 * glyph, LINE) } else { vec2(name_width, 0.0) };
    // Which of several proofs in one line is which, is said before each.
    let proofs = line.pieces.iter().filter(|(_, mark)| mark.is_some()).count();
    let mut job = LayoutJob::default();
    let mut begins: Vec<(usize, usize)> = Vec::new();
    let mut chars = 0;
    for (piece, mark) in &line.pieces {
        if let Some(mark) = mark {
            begins.push((*mark, chars));
            if proofs > 1 {
                let colour =
                    stands.ledger.get(*mark).map_or_else(|| c.unknown(), |entry| c.provider(entry.provider).fill);
                let tag = format!("\u{2009}{}\u{2009}", mark + 1);
                chars += tag.chars().count();
                let mut format = TextFormat::simple(theme::strong(9.0), theme::ink(colour));
                format.background = colour;
                format.line_height = Some(LINE);
                format.valign = Align::Center;
                format.expand_bg = 0.0;
                job.append(&tag, 1.0, format);
            }
        }
        let limit = if mark.is_some() { PROVING } else { OTHER };
        let (head, left, tail) = shorten(piece, limit);
        stands.piece(&mut job, line, head, *mark);
        chars += head.chars().count();
        if left > 0 {
            let words = match mark {
                Some(_) => format!(" … {} characters … ", count(left as u64)),
                None => format!(" … {} in all … ", text::bytes(line.value_bytes.into())),
            };
            chars += words.chars().count();
            let mut format = TextFormat::simple(theme::sans(theme::SMALL), c.amber);
            format.line_height = Some(LINE);
            job.append(&words, 0.0, format);
            stands.piece(&mut job, line, tail, *mark);
            chars += tail.chars().count();
        }
    }
    job.wrap = TextWrapping { max_width: room - value_at.x, break_anywhere: true, ..TextWrapping::default() };
    let value = ui.painter().layout_job(job);
    let height = (value.size().y.max(LINE) + value_at.y).ceil();
    let marks = line
        .marks
        .iter()
        .map(|mark| {
            // A line whose bytes another one quotes already stands beside the first row.
            let begin = begins.iter().find(|(m, _)| m == mark).map(|(_, at)| *at);
            let row = begin.map_or(0.0, |at| value.pos_from_cursor(egui::text::CCursor::new(at + 1)).center().y);
            (*mark, if begin.is_some() { row + value_at.y } else { LINE / 2.0 })
        })
        .collect();
    Laid { name, value, value_at, height, marks }
}

/// A text whose middle is left out where it is longer than `limit` characters: what stands before, how many are left out,
/// what stands after.
fn shorten(words: &str, limit: usize) -> (&str, usize, &str) {
    let chars = words.chars().count();
    if chars <= limit + 32 {
        return (words, 0, "");
    }
    let place = |n: usize| words.char_indices().nth(n).map_or(words.len(), |(at, _)| at);
    let (from, to) = (place(limit * 3 / 4), place(chars - limit / 4));
    (words.get(..from).unwrap_or_default(), chars - limit * 3 / 4 - limit / 4, words.get(to..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn a_long_text_loses_its_middle() {
        assert_eq!(shorten("short", 40), ("short", 0, ""));
        let long = "é".repeat(1_000);
        let (head, left, tail) = shorten(&long, 40);
        assert_eq!((head.chars().count(), left, tail.chars().count()), (30, 960, 10));
    }
}
