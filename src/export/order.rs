//! Which rows a list has, and how they are counted.

use crate::store::query::{SortKey, select};
use crate::store::{Row, RowId, Snapshot};

/// The rows to write, in capture order, with their numbers from 1 over the whole capture: a filter does not change them.
#[derive(Debug)]
pub struct Listing<'a> {
    /// The rows' store.
    pub snapshot: &'a Snapshot,
    rows: Vec<(u32, RowId)>,
}

impl<'a> Listing<'a> {
    /// The rows that hold every word of `filter`.
    pub fn new(snapshot: &'a Snapshot, filter: &str) -> Self {
        let all = snapshot.capture_order();
        let numbered = all.iter().zip(1_u32..).map(|(id, n)| (n, RowId(*id)));
        let rows = if filter.trim().is_empty() {
            numbered.collect()
        } else {
            let kept: ahash::AHashSet<u32> =
                select(snapshot, filter, None, SortKey::Capture, false).iter().copied().collect();
            numbered.filter(|(_, id)| kept.contains(&id.0)).collect()
        };
        Self { snapshot, rows }
    }

    /// Number and place of each row.
    pub fn rows(&self) -> impl Iterator<Item = (u32, RowId)> + '_ {
        self.rows.iter().copied()
    }

    /// Number, place and content of each row.
    pub fn full_rows(&self) -> impl Iterator<Item = (u32, RowId, Row)> + '_ {
        self.rows().filter_map(|(n, id)| self.snapshot.row(id).map(|row| (n, id, row)))
    }

    /// The place of the row with number `n`.
    pub fn find(&self, n: u32) -> Option<RowId> {
        self.rows().find(|(number, _)| *number == n).map(|(_, id)| id)
    }
}
