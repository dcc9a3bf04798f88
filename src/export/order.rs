//! Which rows a list has, and how they are counted.

use crate::model::GiverNo;
use crate::store::filter::Filter;
use crate::store::query::{RowSet, holding};
use crate::store::{Row, RowId, Snapshot};

/// The rows to write, in capture order, with their numbers from 1 over the whole capture: a filter does not change them.
#[derive(Debug)]
pub struct Listing<'a> {
    /// The rows' store.
    pub snapshot: &'a Snapshot,
    rows: Vec<(u32, RowId)>,
    numbers: Numbers,
}

/// The number of every row of a capture, whichever are listed: rows refer to each other by it.
#[derive(Debug)]
pub struct Numbers {
    /// Rows are counted in the order in which they came: their places tell all.
    as_they_came: Option<Snapshot>,
    by_place: Vec<u32>,
    /// Numbers of exchanges that handed out URLs; 0 where it has not ended.
    givers: Vec<u32>,
}

impl Numbers {
    fn new(snapshot: &Snapshot, order: &[u32]) -> Self {
        let mut by_place = vec![0; snapshot.len()];
        for (place, n) in order.iter().zip(first_number(snapshot, order)..) {
            if let Some(slot) = by_place.get_mut(*place as usize) {
                *slot = n;
            }
        }
        let number = |place: Option<RowId>| place.and_then(|p| by_place.get(p.0 as usize)).copied().unwrap_or(0);
        let givers = snapshot.givers().map(number).collect();
        Self { as_they_came: None, by_place, givers }
    }

    /// A row's number.
    pub fn of(&self, row: RowId) -> Option<u32> {
        match &self.as_they_came {
            Some(snapshot) => snapshot.row(row).map(|_| row.0.saturating_add(1)),
            None => self.by_place.get(row.0 as usize).copied(),
        }
    }

    /// The number of the exchange that handed out a URL.
    pub fn of_giver(&self, giver: GiverNo) -> Option<u32> {
        match &self.as_they_came {
            Some(snapshot) => self.of(snapshot.giver(giver)?),
            None => self.givers.get(giver.0 as usize).copied().filter(|n| *n != 0),
        }
    }
}

/// The number of the first row: rows that were forgotten had numbers too.
fn first_number(snapshot: &Snapshot, order: &[u32]) -> u32 {
    (snapshot.len().saturating_sub(order.len()) as u32).saturating_add(1)
}

impl<'a> Listing<'a> {
    /// All rows.
    pub fn all(snapshot: &'a Snapshot) -> Self {
        Self::new(snapshot, &Filter::all())
    }

    /// The rows that the filter keeps.
    pub fn new(snapshot: &'a Snapshot, filter: &Filter) -> Self {
        let all = snapshot.capture_order();
        let numbered = all.iter().zip(first_number(snapshot, &all)..).map(|(id, n)| (n, RowId(*id)));
        let kept = RowSet::new(snapshot, filter);
        let rows = numbered.filter(|(_, id)| kept.has(*id)).collect();
        Self { snapshot, rows, numbers: Numbers::new(snapshot, &all) }
    }

    /// These rows, in capture order.
    pub fn of(snapshot: &'a Snapshot, chosen: &[RowId]) -> Self {
        let mut kept = vec![false; snapshot.len()];
        for id in chosen {
            if let Some(slot) = kept.get_mut(id.0 as usize) {
                *slot = true;
            }
        }
        let mut all = Self::all(snapshot);
        all.rows.retain(|(_, id)| kept.get(id.0 as usize).copied().unwrap_or_default());
        all
    }

    /// The rows that came since there were `first`, while a capture is read that does not end by itself: numbered in the
    /// order in which their exchanges ended, since the capture's own order is known only at its end.
    pub fn of_new(snapshot: &'a Snapshot, filter: &Filter, first: u32) -> Self {
        let rows = holding(snapshot, filter, first).into_iter().map(|id| (id.saturating_add(1), RowId(id))).collect();
        let as_they_came = Some(snapshot.clone());
        Self { snapshot, rows, numbers: Numbers { as_they_came, by_place: Vec::new(), givers: Vec::new() } }
    }

    /// The numbers of all rows.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
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
