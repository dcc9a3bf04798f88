//! Which rows are shown, and in what order. Called by the index thread and the command line, never while painting.

use std::sync::Arc;
use std::thread;

use super::filter::{Bits, Filter, Judge};
use super::index::Index;
pub use super::order::{Orders, SortBy, SortKey};
use super::snapshot::Snapshot;
use super::table::{Row, RowId};
use crate::model::ProviderId;

/// Row ids in display order: the rows that the filter keeps and, where `provider` is given, of that operator
/// ([`Row::NONE`]: none). `orders` remembers, from one order of a capture to the next, how texts rank and what filters asked.
pub fn select(
    snapshot: &Snapshot,
    filter: &Filter,
    provider: Option<ProviderId>,
    sort: &[SortBy],
    orders: &mut Orders,
) -> Arc<[u32]> {
    let mut kept = Vec::new();
    orders.index.catch_up(snapshot, filter);
    each_kept((snapshot, Some(&orders.index)), filter, 0, |id, row| {
        if provider.is_none_or(|p| row.operator == p.0) {
            kept.push((row.first_frame.0, id));
        }
    });
    let mut order = snapshot.in_capture_order(kept);
    orders.sort(snapshot, &mut order, sort);
    order.into()
}

/// The rows from `first` on that the filter keeps, in the order of their places.
pub fn holding(snapshot: &Snapshot, filter: &Filter, first: u32) -> Vec<u32> {
    let mut kept = Vec::new();
    each_kept((snapshot, None), filter, first, |id, _| kept.push(id));
    kept
}

/// Some rows out of all, one bit each; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSet(Arc<[u64]>);

impl RowSet {
    /// The rows that the filter keeps.
    pub fn new(snapshot: &Snapshot, filter: &Filter) -> Self {
        Self::of((snapshot, None), filter)
    }

    /// The same with what is remembered from one filter of a capture to the next.
    pub fn with(snapshot: &Snapshot, filter: &Filter, orders: &mut Orders) -> Self {
        orders.index.catch_up(snapshot, filter);
        Self::of((snapshot, Some(&orders.index)), filter)
    }

    fn of((snapshot, index): (&Snapshot, Option<&Index>), filter: &Filter) -> Self {
        let mut words = vec![0; snapshot.len().div_ceil(64)];
        each_kept((snapshot, index), filter, 0, |id, _| {
            if let Some(word) = words.get_mut(id as usize / 64) {
                *word |= 1 << (id % 64);
            }
        });
        Self(words.into())
    }

    /// Whether a row is one of them.
    pub fn has(&self, row: RowId) -> bool {
        self.0.get(row.0 as usize / 64).is_some_and(|word| word >> (row.0 % 64) & 1 == 1)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

/// Chunks of rows of a share: fewer are judged before a second thread has begun.
const SHARE: usize = 16;

/// Gives every row that the filter keeps, from the place `first` on. Long lists are judged on two threads: somebody waits for
/// them, at each key that is typed.
fn each_kept(
    (snapshot, index): (&Snapshot, Option<&Index>),
    filter: &Filter,
    first: u32,
    mut each: impl FnMut(u32, &Row),
) {
    let runs: Vec<(RowId, &[Row])> = snapshot.rows.runs(RowId(first)).collect();
    let judged = |runs: &[(RowId, &[Row])]| -> Vec<Bits> {
        let mut judge = Judge::new((snapshot, index), filter);
        let kept = |(base, run): &(RowId, &[Row])| {
            judge.run(*base, run, Bits::between(first.saturating_sub(base.0) as usize, run.len()))
        };
        runs.iter().map(kept).collect()
    };
    let (ours, others) = runs.split_at(if runs.len() < 2 * SHARE { runs.len() } else { runs.len() / 2 });
    let kept = thread::scope(|scope| {
        let others = (!others.is_empty()).then(|| scope.spawn(|| judged(others)));
        let mut kept = judged(ours);
        match others.map(thread::ScopedJoinHandle::join) {
            Some(Ok(more)) => kept.extend(more),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => {}
        }
        kept
    });
    for ((base, run), kept) in runs.iter().zip(kept) {
        kept.each(|at| {
            if let (Ok(at), Some(row)) = (u32::try_from(at), run.get(at)) {
                each(base.0 + at, row);
            }
        });
    }
}
