//! What stands beside each row, in chunks that snapshots share, and how old rows are forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::own::own;
use super::table::RowId;

/// Rows in one shared chunk.
pub(super) const CHUNK: usize = 1_024;

/// A value for each row; a clone shares them.
#[derive(Clone, Debug)]
pub(super) struct Rows<T> {
    /// Empty where they were forgotten.
    chunks: Vec<Arc<Vec<T>>>,
    /// What stayed of chunks that were forgotten: one connection may be open for days, and holds its own row, not those that
    /// came with it.
    left: Arc<BTreeMap<u32, T>>,
    /// Chunks before this one were forgotten.
    forgotten: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), left: Arc::default(), forgotten: 0 }
    }
}

fn place(RowId(id): RowId) -> (usize, usize) {
    (id as usize / CHUNK, id as usize % CHUNK)
}

fn id(chunk: usize, at: usize) -> RowId {
    RowId(u32::try_from(chunk * CHUNK + at).unwrap_or(u32::MAX))
}

impl<T> Rows<T> {
    /// How many came.
    pub(super) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// Whether none came.
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The first row of those that no row before was forgotten of: what is left before it stands alone.
    pub(super) fn first_whole(&self) -> RowId {
        id(self.forgotten, 0)
    }

    /// That of a row; `None` past the end, and where it was forgotten.
    pub(super) fn get(&self, row: RowId) -> Option<&T> {
        let (chunk, at) = place(row);
        self.chunks.get(chunk)?.get(at).or_else(|| self.left.get(&row.0))
    }

    /// All that are there, by their rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RowId, &T)> {
        let left = self.left.iter().map(|(row, value)| (RowId(*row), value));
        let chunks = self.chunks.iter().enumerate();
        left.chain(chunks.flat_map(|(n, chunk)| chunk.iter().enumerate().map(move |(at, value)| (id(n, at), value))))
    }

    /// The same in runs of rows that follow each other, at most a chunk long, from the chunk on that has the row `first`.
    pub(super) fn runs(&self, first: RowId) -> impl Iterator<Item = (RowId, &[T])> {
        let (from, _) = place(first);
        let left = self.left.range(id(from, 0).0..).map(|(row, value)| (RowId(*row), core::slice::from_ref(value)));
        let chunks = self.chunks.iter().enumerate().skip(from).filter(|(_, chunk)| !chunk.is_empty());
        left.chain(chunks.map(|(n, chunk)| (id(n, 0), chunk.as_slice())))
    }
}

impl<T: Clone> Rows<T> {
    /// That of a row, to be changed.
    pub(super) fn get_mut(&mut self, row: RowId) -> Option<&mut T> {
        let (chunk, at) = place(row);
        match self.chunks.get_mut(chunk) {
            Some(chunk) if at < chunk.len() => own(chunk, CHUNK).get_mut(at),
            _ if self.left.contains_key(&row.0) => Arc::make_mut(&mut self.left).get_mut(&row.0),
            _ => None,
        }
    }

    /// Adds one behind all others.
    pub(super) fn push(&mut self, value: T) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            own(chunk, CHUNK).push(value);
        }
    }

    /// Forgets the rows before a chunk, but those that stay.
    pub(super) fn forget(&mut self, end: usize, stays: impl Fn(RowId, &T) -> bool, mut gone: impl FnMut(T)) {
        if self.left.iter().any(|(row, value)| !stays(RowId(*row), value)) {
            Arc::make_mut(&mut self.left).retain(|row, value| {
                let stays = stays(RowId(*row), value);
                if !stays {
                    gone(value.clone());
                }
                stays
            });
        }
        for (n, chunk) in self.chunks.iter_mut().enumerate().take(end).skip(self.forgotten) {
            for (at, value) in std::mem::take(chunk).iter().enumerate() {
                let row = id(n, at);
                if stays(row, value) {
                    Arc::make_mut(&mut self.left).insert(row.0, value.clone());
                } else {
                    gone(value.clone());
                }
            }
        }
        self.forgotten = self.forgotten.max(end);
    }
}

impl<T: Clone + Default> Rows<T> {
    /// Sets that of a row, if it was not forgotten; those before it may come without one.
    pub(super) fn set(&mut self, row: RowId, value: T) {
        if let Some(slot) = self.get_mut(row) {
            *slot = value;
            return;
        }
        let (chunk, at) = place(row);
        if chunk < self.forgotten {
            return;
        }
        if self.chunks.len() <= chunk {
            self.chunks.resize_with(chunk + 1, Arc::default);
        }
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            let chunk = own(chunk, CHUNK);
            chunk.reserve_exact(CHUNK.saturating_sub(chunk.len()));
            chunk.resize(at, T::default());
            chunk.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(len: u32) -> Rows<u32> {
        let mut rows = Rows::default();
        (0..len).for_each(|n| rows.push(n));
        rows
    }

    #[test]
    fn what_stays_of_a_forgotten_chunk_is_found_as_before() {
        let mut rows = filled(5_000);
        let before = rows.clone();
        let mut gone = Vec::new();
        let kept = [7, 1_030, 1_031, 2_047];
        rows.forget(2, |row, _| kept.contains(&row.0), |value| gone.push(value));
        assert_eq!((rows.len(), gone.len()), (5_000, 2_048 - kept.len()));
        let there: Vec<u32> = rows.iter().map(|(row, _)| row.0).collect();
        let want: Vec<u32> = kept.into_iter().chain(2_048..5_000).collect();
        assert_eq!(there, want, "in order");
        assert!(rows.iter().all(|(row, value)| row.0 == *value && rows.get(row) == Some(value)));
        assert_eq!((rows.get(RowId(8)), rows.get(RowId(5_000))), (None, None));
        let runs: Vec<u32> =
            rows.runs(RowId(1_500)).flat_map(|(row, run)| (row.0..).zip(run).map(|(n, _)| n)).collect();
        assert_eq!(runs, want[1..], "from the chunk on that has it");
        *rows.get_mut(RowId(1_030)).expect("it stayed") = 9;
        assert_eq!((rows.get(RowId(1_030)), before.get(RowId(1_030))), (Some(&9), Some(&1_030)));
        assert!(rows.get_mut(RowId(8)).is_none());
        // What stayed goes when it need not stay any more.
        rows.forget(3, |_, value| *value == 9, |value| gone.push(value));
        assert_eq!(rows.iter().map(|(row, _)| row.0).take(2).collect::<Vec<_>>(), [1_030, 3_072]);
        assert_eq!(before.iter().count(), 5_000, "a copy from before has them all");
    }

    #[test]
    fn rows_may_be_set_in_any_order() {
        let mut rows = Rows::default();
        rows.set(RowId(1_500), 3);
        rows.set(RowId(2), 4);
        let set: Vec<_> = rows.iter().filter(|(_, value)| **value != 0).map(|(row, value)| (row.0, *value)).collect();
        assert_eq!((rows.len(), set), (1_501, vec![(2, 4), (1_500, 3)]));
        rows.set(RowId(1_502), 5);
        rows.forget(1, |_, _| false, drop);
        rows.set(RowId(2), 6);
        let there = |row| rows.get(RowId(row)).copied();
        assert_eq!(
            [2, 1_500, 1_501, 1_502].map(there),
            [None, Some(3), Some(0), Some(5)],
            "what is forgotten stays so"
        );
    }
}
