//! The waterfall: a bar for each exchange on the time of what is shown, as browser tools draw it.
//!
//! Comes in: rows, and an axis that the index thread made. Goes out: shapes in a cell, a scale in the header. Never: work
//! that grows with the rows while painting.

use egui::{CornerRadius, Painter, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::INSET;
use super::words::awaits;
use crate::model::Timestamp;
use crate::store::{Row, RowId, Snapshot};
use crate::ui::text;
use crate::ui::theme::{self, Colours};

/// Narrowest bar in points.
const LEAST: f32 = 2.0;
/// Heights of a bar in points: while it waits, while it receives, and where it is not known which.
const WAITING: f32 = 4.0;
const RECEIVING: f32 = 12.0;
const EITHER: f32 = 8.0;
/// Length in points of the broken end of what goes on.
const BROKEN: f32 = 9.0;
/// Parts that the header's scale has.
const PARTS: u8 = 4;

/// The stretch of time on which bars stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    first: Timestamp,
    last: Timestamp,
}

impl Axis {
    /// The stretch that was chosen; else all of the time of the rows in `order`. Looks at every row: not while painting.
    pub(crate) fn new(snapshot: &Snapshot, order: &[u32], range: Option<(Timestamp, Timestamp)>) -> Option<Self> {
        if let Some((first, last)) = range {
            return Some(Self { first, last });
        }
        let newest = snapshot.facts().capture.last_time;
        let rows = || order.iter().filter_map(|id| snapshot.row(RowId(*id)));
        let first = rows().map(|row| row.time).min()?;
        let last = rows().map(|row| end(&row).or(newest).unwrap_or(row.time)).max()?;
        Some(Self { first, last: last.max(first) })
    }

    /// Where a time lies, 0 to 1.
    fn share(self, time: Timestamp) -> f32 {
        let whole = self.last.nanos_since(self.first).max(1) as f64;
        (time.nanos_since(self.first) as f64 / whole).clamp(0.0, 1.0) as f32
    }

    fn micros(self) -> u64 {
        u64::try_from(self.last.nanos_since(self.first) / 1_000).unwrap_or(0)
    }

    /// How long it is and where it begins, in words.
    fn words(self) -> String {
        let (length, first) = (text::duration(self.micros()), self.first);
        format!("Time axis: {length} from {} {} UTC", first.date(), first.time_of_day(3))
    }
}

fn after(row: &Row, micros: u32) -> Timestamp {
    Timestamp(row.time.0.saturating_add(i64::from(micros).saturating_mul(1_000)))
}

/// When a row's exchange ended; `None` while it goes on.
fn end(row: &Row) -> Option<Timestamp> {
    (!row.is_open()).then(|| after(row, row.duration_micros))
}

/// The pieces of a bar: where each lies on the axis, 0 to 1, and how high it is in points.
fn pieces(axis: Axis, row: &Row) -> [(f32, f32, f32); 2] {
    let from = axis.share(row.time);
    let Some(end) = end(row) else {
        let height = if awaits(row) { WAITING } else { EITHER };
        return [(from, 1.0, height), (1.0, 1.0, 0.0)];
    };
    let to = axis.share(end);
    match row.waiting_micros() {
        None => [(from, to, EITHER), (to, to, 0.0)],
        Some(waited) => {
            let answered = axis.share(after(row, waited));
            [(from, answered, WAITING), (answered, to, RECEIVING)]
        }
    }
}

/// Paints a row's bar into its cell.
pub(super) fn bar(painter: &Painter, cell: Rect, axis: Axis, row: &Row, c: &Colours) {
    let area = cell.shrink2(vec2(INSET, 0.0));
    let colour = row.operator().map_or_else(|| c.unknown(), |id| c.provider(id).line);
    let y = cell.center().y;
    for part in 1..PARTS {
        let x = area.left() + area.width() * f32::from(part) / f32::from(PARTS);
        painter.vline(x.round() + 0.5, cell.y_range(), Stroke::new(1.0, Colours::tint(c.page, c.line, 0.5)));
    }
    let place = |share: f32| area.left() + (area.width() - LEAST) * share;
    let pieces = pieces(axis, row);
    for (i, (from, to, height)) in pieces.into_iter().enumerate() {
        let (left, mut right) = (place(from), place(to));
        // What is there is seen, however short it was: once, at the end.
        let last = i == 1 || pieces[1].2 == 0.0;
        if last && height > 0.0 {
            right = right.max(left + LEAST);
        }
        if right <= left {
            continue;
        }
        let whole = Rect::from_min_max(pos2(left, y - height / 2.0), pos2(right, y + height / 2.0));
        if row.is_open() {
            open_end(painter, whole, colour);
        } else {
            painter.rect_filled(whole, CornerRadius::ZERO, colour);
        }
    }
}

/// A bar that breaks off: what comes is not known.
fn open_end(painter: &Painter, bar: Rect, colour: egui::Color32) {
    let solid = Rect::from_min_max(bar.min, pos2((bar.right() - BROKEN).max(bar.left() + LEAST), bar.bottom()));
    painter.rect_filled(solid, CornerRadius::ZERO, colour);
    let mut x = solid.right() + 1.5;
    while x + 1.5 <= bar.right() + 0.1 {
        let piece = Rect::from_min_max(pos2(x, bar.top()), pos2(x + 1.5, bar.bottom()));
        painter.rect_filled(piece, CornerRadius::ZERO, colour);
        x += 3.0;
    }
}

/// What the header says of the axis, over the right part of its cell.
pub(super) fn scale(ui: &Ui, painter: &Painter, cell: Rect, axis: Axis) {
    let c = theme::colours(ui);
    let clip = cell.intersect(painter.clip_rect());
    if clip.width() < 4.0 {
        return;
    }
    let (painter, area) = (painter.with_clip_rect(clip), cell.shrink2(vec2(INSET, 0.0)));
    for part in 0..=PARTS {
        let x = (area.left() + area.width() * f32::from(part) / f32::from(PARTS)).round() - 0.5;
        painter.vline(x, cell.bottom() - 5.0..=cell.bottom() - 1.0, Stroke::new(1.0, c.faint));
    }
    let galley = painter.layout_no_wrap(text::duration(axis.micros()), theme::sans(theme::SMALL), c.quiet);
    // The title stands at the left.
    if galley.size().x + 74.0 < area.width() {
        let at = pos2(area.right() - galley.size().x, (cell.center().y - galley.size().y / 2.0).round());
        painter.galley(at, galley, c.quiet);
    }
    let right = Rect::from_min_max(pos2(area.center().x, clip.top()), pos2(area.right() - 4.0, clip.bottom()));
    let response = ui.interact(right.intersect(clip), super::focus_id().with("time axis"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, axis.words()));
    let _shown = response.on_hover_text(axis.words());
}

/// A row's times in words.
pub(super) fn words(row: &Row) -> String {
    let mut lines = vec![format!("Began {} {} UTC", row.time.date(), row.time.time_of_day(3))];
    match (row.waiting_micros(), end(row)) {
        (_, None) if awaits(row) => lines.push("Still waiting for the answer".to_owned()),
        (_, None) => lines.push("Still open".to_owned()),
        (Some(waited), Some(end)) => {
            let rest = row.duration_micros.saturating_sub(waited);
            lines.push(format!("{} until the first byte of the answer", text::duration(u64::from(waited))));
            lines.push(format!("{} receiving", text::duration(u64::from(rest))));
            lines.push(format!("Ended {} UTC", end.time_of_day(3)));
        }
        (None, Some(end)) => {
            lines.push(text::duration(u64::from(row.duration_micros)));
            lines.push(format!("Ended {} UTC", end.time_of_day(3)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::Axis;
    use crate::model::Timestamp;

    #[track_caller]
    fn check((first, last): (i64, i64), time: i64, want: f32) {
        let share = Axis { first: Timestamp(first), last: Timestamp(last) }.share(Timestamp(time));
        assert!((share - want).abs() < 1e-6, "{share} for {time} in {first}..{last}");
    }

    #[test]
    fn any_clock_stays_on_the_axis() {
        check((0, 100), 25, 0.25);
        check((0, 100), 900, 1.0);
        check((0, 100), -900, 0.0);
        check((7, 7), 7, 0.0);
        check((i64::MIN, i64::MAX), i64::MAX, 1.0);
    }
}
