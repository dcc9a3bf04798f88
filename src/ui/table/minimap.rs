//! What the scroll bar shows of all rows in their order: which are marked, which stand out, which failed.
//!
//! Comes in: an order, on the index thread. Goes out: a few hundred slots, however many rows there are, and words. Never:
//! work that grows with the rows while painting.

use egui::{CornerRadius, Painter, Rect, Shape, Stroke, pos2, vec2};

use crate::store::query::RowSet;
use crate::store::{Row, RowId, RowKind, Snapshot};
use crate::ui::text::{count, plural};
use crate::ui::theme::Colours;

/// Slots that an order is cut into: about one for each two pixels of a tall window.
const SLOTS: usize = 512;
/// From this status on an answer is an error.
const FAILED: u16 = 400;

/// What a slot has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    marked: bool,
    lit: bool,
    failed: bool,
}

/// An order as the scroll bar shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Minimap {
    /// As many as there are rows, at most [`SLOTS`].
    slots: Vec<Slot>,
    rows: usize,
    marked: usize,
    lit: usize,
    failed: usize,
}

impl Minimap {
    /// Looks at every row of an order: not while painting.
    pub(crate) fn new(snapshot: &Snapshot, order: &[u32], lit: Option<&RowSet>) -> Self {
        let mut map = Self { rows: order.len(), ..Self::default() };
        map.slots.resize(order.len().min(SLOTS), Slot::default());
        let notes = Some(snapshot.notes()).filter(|notes| !notes.is_empty());
        for (at, id) in order.iter().map(|id| RowId(*id)).enumerate() {
            let marked = notes.and_then(|notes| notes.get(id)).is_some_and(|note| note.marked);
            let lit = lit.is_some_and(|lit| lit.has(id));
            let failed = snapshot.row(id).is_some_and(|row| failed(&row));
            map.marked += usize::from(marked);
            map.lit += usize::from(lit);
            map.failed += usize::from(failed);
            if let Some(slot) = map.slots.get_mut(slot_of(at, order.len())) {
                slot.marked |= marked;
                slot.lit |= lit;
                slot.failed |= failed;
            }
        }
        map
    }

    /// What it shows, for tooltips and the screen reader. `selected` is the place of the selection among `rows`.
    pub(crate) fn words(&self, selected: Option<usize>, rows: usize) -> String {
        let mut lines = vec![format!("{} shown", plural(rows as u64, "row", "rows"))];
        for (n, words) in [
            (self.marked, "marked: a square at the left"),
            (self.lit, "highlighted: a dash in the middle"),
            (self.failed, "with status 400 or above: a triangle at the right"),
        ] {
            if n > 0 {
                lines.push(format!("{} {words}", count(n as u64)));
            }
        }
        if let Some(at) = selected {
            lines.push(format!("Selected: row {}, a line across", count(at as u64 + 1)));
        }
        lines.join("\n")
    }

    /// Paints the slots into the bar; `page` rows fit into the table.
    pub(super) fn paint(&self, painter: &Painter, track: Rect, (selected, page): (Option<usize>, f64), c: &Colours) {
        let whole = (self.rows as f64).max(page).max(1.0);
        let y = |row: f64| track.top() + (f64::from(track.height()) * (row + 0.5) / whole) as f32;
        let step = self.rows as f64 / self.slots.len().max(1) as f64;
        for (at, slot) in self.slots.iter().enumerate() {
            let middle = y((at as f64 + 0.5) * step - 0.5);
            if slot.marked {
                let square = Rect::from_center_size(pos2(track.left() + 2.5, middle), vec2(3.0, 3.0));
                painter.rect_filled(square, CornerRadius::ZERO, c.amber);
            }
            if slot.lit {
                let dash = Rect::from_center_size(pos2(track.center().x, middle), vec2(5.0, 1.5));
                painter.rect_filled(dash, CornerRadius::ZERO, c.accent);
            }
            if slot.failed {
                let (x, right) = (track.right() - 4.5, track.right() - 0.5);
                let corners = vec![pos2(x, middle), pos2(right, middle - 2.5), pos2(right, middle + 2.5)];
                painter.add(Shape::convex_polygon(corners, c.text, Stroke::NONE));
            }
        }
        if let Some(at) = selected {
            painter.hline(track.x_range(), y(at as f64).round() + 0.5, Stroke::new(2.0, c.accent));
        }
    }
}

fn failed(row: &Row) -> bool {
    row.kind == RowKind::Http && row.status >= FAILED
}

/// The slot of the row at a place in an order of so many.
fn slot_of(at: usize, rows: usize) -> usize {
    if rows <= SLOTS { at } else { (at as u64 * SLOTS as u64 / rows as u64) as usize }
}

#[cfg(test)]
mod tests {
    use super::{Minimap, SLOTS, slot_of};

    #[test]
    fn any_number_of_rows_fits_the_slots() {
        assert_eq!(slot_of(7, 9), 7);
        assert_eq!(slot_of(511, 512), 511);
        assert_eq!(slot_of(9_999_999, 10_000_000), SLOTS - 1);
        assert_eq!(slot_of(0, 10_000_000), 0);
    }

    #[test]
    fn words_name_only_what_is_there() {
        let map = Minimap { rows: 4, marked: 2, ..Minimap::default() };
        assert_eq!(
            map.words(Some(3), 4),
            "4 rows shown\n2 marked: a square at the left\nSelected: row 4, a line across"
        );
        assert_eq!(Minimap::default().words(None, 1), "1 row shown");
    }
}
