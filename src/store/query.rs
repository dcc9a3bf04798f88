//! Which rows are shown, and in what order. Called by the index thread and the command line, never while painting.

use std::sync::Arc;

use ahash::AHashMap;

use super::filter::{Bits, Filter, Judge};
use super::snapshot::Snapshot;
use super::table::{CHUNK, Row, RowId, RowKind};
use crate::evidence::pack;
use crate::model::ProviderId;

/// What rows are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// The frame of the first byte.
    #[default]
    Capture,
    /// Time of the first frame.
    Time,
    /// Method, or protocol where there is none.
    Method,
    /// Host.
    Host,
    /// Path and query.
    Path,
    /// Status code.
    Status,
    /// Media type of the response.
    Type,
    /// Size.
    Size,
    /// Duration.
    Duration,
    /// Operator's name.
    Operator,
    /// Grade, weakest first.
    Grade,
    /// Server's address.
    Server,
}

/// Row ids in display order: the rows that the filter keeps and, where `provider` is given, of that operator
/// ([`Row::NONE`]: none).
pub fn select(
    snapshot: &Snapshot,
    filter: &Filter,
    provider: Option<ProviderId>,
    sort: SortKey,
    descending: bool,
) -> Arc<[u32]> {
    let mut kept = Vec::new();
    each_kept(snapshot, filter, 0, |id, row| {
        if provider.is_none_or(|p| row.operator == p.0) {
            kept.push((row.first_frame.0, id));
        }
    });
    let mut order = snapshot.in_capture_order(kept);
    if sort != SortKey::Capture {
        let ranks = Ranks::new(snapshot, sort);
        // Stable, so that equal rows stay in capture order.
        order.sort_by_cached_key(|id| snapshot.row(RowId(*id)).map_or(0, |row| ranks.of(&row)));
    }
    if descending {
        order.reverse();
    }
    order.into()
}

/// The rows from `first` on that the filter keeps, in the order of their places.
pub fn holding(snapshot: &Snapshot, filter: &Filter, first: u32) -> Vec<u32> {
    let mut kept = Vec::new();
    each_kept(snapshot, filter, first as usize, |id, _| kept.push(id));
    kept
}

/// Some rows out of all, one bit each; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSet(Arc<[u64]>);

impl RowSet {
    /// The rows that the filter keeps.
    pub fn new(snapshot: &Snapshot, filter: &Filter) -> Self {
        let mut judge = Judge::new(snapshot, filter);
        let chunks = snapshot.rows.iter().enumerate();
        let words = chunks.flat_map(|(n, chunk)| *judge.chunk(n * CHUNK, chunk, Bits::between(0, chunk.len())).words());
        Self(words.collect())
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

/// Gives every row that the filter keeps, from the place `first` on.
fn each_kept(snapshot: &Snapshot, filter: &Filter, first: usize, mut each: impl FnMut(u32, &Row)) {
    let mut judge = Judge::new(snapshot, filter);
    for (n, chunk) in snapshot.rows.iter().enumerate().skip(first / CHUNK) {
        let base = n * CHUNK;
        let kept = judge.chunk(base, chunk, Bits::between(first.saturating_sub(base), chunk.len()));
        kept.each(|at| {
            if let (Ok(id), Some(row)) = (u32::try_from(base + at), chunk.get(at)) {
                each(id, row);
            }
        });
    }
}

/// Turns rows into numbers that sort like their column: texts are sorted once, not once a comparison.
struct Ranks {
    sort: SortKey,
    texts: AHashMap<u32, u64>,
}

impl Ranks {
    fn new(snapshot: &Snapshot, sort: SortKey) -> Self {
        let mut texts: Vec<(u32, String)> = Vec::new();
        let mut seen = ahash::AHashSet::new();
        for (_, row) in snapshot.rows() {
            if let Some((id, text)) = text_of(snapshot, row, sort)
                && seen.insert(id)
            {
                texts.push((id, text.to_lowercase()));
            }
        }
        texts.sort_by(|a, b| a.1.cmp(&b.1));
        Self { sort, texts: texts.into_iter().enumerate().map(|(rank, (id, _))| (id, rank as u64)).collect() }
    }

    fn of(&self, row: &Row) -> u64 {
        let text = |id: u32| self.texts.get(&id).copied().unwrap_or(0);
        match self.sort {
            SortKey::Capture => u64::from(row.first_frame.0),
            // Before 1970 counts down from the middle; the order holds.
            SortKey::Time => (row.time.0 as u64) ^ (1 << 63),
            SortKey::Method => text(u32::from(row.method.0)),
            SortKey::Host => text(row.host.0),
            SortKey::Path => text(row.path.0),
            SortKey::Server => text(row.server.0),
            SortKey::Type => text(u32::from(row.content_type.0)),
            SortKey::Status => u64::from(row.status) + if row.kind == RowKind::Http { 0 } else { 1_000 },
            SortKey::Size => row.size,
            SortKey::Duration => u64::from(row.duration_micros),
            SortKey::Operator => text(u32::from(row.operator)),
            SortKey::Grade => row.grade().map_or(0, |g| 1 + g as u64),
        }
    }
}

fn text_of<'a>(snapshot: &'a Snapshot, row: &Row, sort: SortKey) -> Option<(u32, &'a str)> {
    match sort {
        SortKey::Method => Some((u32::from(row.method.0), snapshot.word(row.method))),
        SortKey::Type => Some((u32::from(row.content_type.0), snapshot.word(row.content_type))),
        SortKey::Host => Some((row.host.0, snapshot.text(row.host))),
        SortKey::Path => Some((row.path.0, snapshot.text(row.path))),
        SortKey::Server => Some((row.server.0, snapshot.text(row.server))),
        SortKey::Operator => {
            let name = pack().providers.get(usize::from(row.operator)).map_or("", |p| p.name);
            Some((u32::from(row.operator), name))
        }
        SortKey::Capture | SortKey::Time | SortKey::Status | SortKey::Size | SortKey::Duration | SortKey::Grade => None,
    }
}
