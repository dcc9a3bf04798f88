//! Which rows are shown, and in what order. Called by the index thread and the command line, never while painting.

use std::sync::Arc;

use ahash::AHashMap;

use super::notes::Note;
use super::snapshot::Snapshot;
use super::strings::StrId;
use super::table::{Row, RowKind};
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

/// What a word of the filter begins with that looks for a program.
const PROCESS: &str = "process:";
/// The words of the filter that look for marked rows and for others.
const MARKED: [&str; 2] = ["marked:yes", "marked:no"];
/// What a word of the filter begins with that looks in comments.
const COMMENT: &str = "comment:";

/// Row ids in display order: the rows that hold every word of `filter` (in host, path, method, media type, server address,
/// operator or product, without regard to case; `process:`, `comment:`, `marked:yes` and `marked:no` look there only) and, where `provider` is given, that operator ([`Row::NONE`]: none).
pub fn select(
    snapshot: &Snapshot,
    filter: &str,
    provider: Option<ProviderId>,
    sort: SortKey,
    descending: bool,
) -> Arc<[u32]> {
    let mut order = snapshot.capture_order();
    let mut wanted = Filter::new(snapshot, filter);
    order.retain(|id| {
        snapshot
            .row(super::RowId(*id))
            .is_some_and(|row| provider.is_none_or(|p| row.operator == p.0) && wanted.holds(super::RowId(*id), &row))
    });
    if sort != SortKey::Capture {
        let ranks = Ranks::new(snapshot, sort);
        // Stable, so that equal rows stay in capture order.
        order.sort_by_cached_key(|id| snapshot.row(super::RowId(*id)).map_or(0, |row| ranks.of(&row)));
    }
    if descending {
        order.reverse();
    }
    order.into()
}

/// The rows from `first` on that hold every word of `filter`, in the order of their places.
pub fn holding(snapshot: &Snapshot, filter: &str, first: u32) -> Vec<u32> {
    let mut wanted = Filter::new(snapshot, filter);
    let ids = first..u32::try_from(snapshot.len()).unwrap_or(u32::MAX);
    ids.filter(|id| snapshot.row(super::RowId(*id)).is_some_and(|row| wanted.holds(super::RowId(*id), &row))).collect()
}

/// The words of a filter box, with what each text of the store said to them.
struct Filter<'a> {
    snapshot: &'a Snapshot,
    words: Vec<String>,
    texts: AHashMap<u32, u64>,
}

impl<'a> Filter<'a> {
    fn new(snapshot: &'a Snapshot, filter: &str) -> Self {
        let words = filter.split_whitespace().take(64).map(str::to_lowercase).collect();
        Self { snapshot, words, texts: AHashMap::new() }
    }

    fn holds(&mut self, id: super::RowId, row: &Row) -> bool {
        let all = if self.words.len() >= 64 { u64::MAX } else { (1_u64 << self.words.len()) - 1 };
        let mut met = 0;
        for id in [row.host, row.path, row.server, row.tenant] {
            if met == all {
                return true;
            }
            met |= self.text(id);
        }
        let pack = pack();
        let product = pack.services.get(usize::from(row.product));
        let operator = pack.providers.get(usize::from(row.operator));
        let names = [
            self.snapshot.word(row.method),
            self.snapshot.word(row.content_type),
            operator.map_or("", |p| p.name),
            operator.map_or("", |p| p.id),
            product.map_or("", |s| s.name),
            product.map_or("", |s| s.id),
        ];
        for name in names {
            if met != all && !name.is_empty() {
                met |= Self::bits(&self.words, name);
            }
        }
        if met != all {
            met |= self.of_process(self.snapshot.program(id));
        }
        if met != all {
            met |= self.of_note(self.snapshot.note(id));
        }
        met == all
    }

    /// Words that look in what the user says of the row.
    fn of_note(&self, note: Option<&Note>) -> u64 {
        let marked = note.is_some_and(|note| note.marked);
        let comment = note.map(|note| note.comment.to_lowercase()).unwrap_or_default();
        let holds = |word: &str| match word.strip_prefix(COMMENT) {
            Some(wanted) => !comment.is_empty() && comment.contains(wanted),
            None => MARKED[usize::from(!marked)] == word,
        };
        self.words.iter().enumerate().filter(|(_, word)| holds(word)).fold(0, |bits, (n, _)| bits | 1 << n)
    }

    /// Words that begin with `process:` look for a program and for nothing else.
    fn of_process(&self, program: &str) -> u64 {
        let program = program.to_lowercase();
        self.words
            .iter()
            .enumerate()
            .filter(|(_, word)| {
                word.strip_prefix(PROCESS).is_some_and(|name| !program.is_empty() && program.contains(name))
            })
            .fold(0, |bits, (n, _)| bits | 1 << n)
    }

    /// One bit for each word that the text holds; kept, since hosts and paths repeat.
    fn text(&mut self, id: StrId) -> u64 {
        let (snapshot, words) = (self.snapshot, &self.words);
        *self.texts.entry(id.0).or_insert_with(|| Self::bits(words, snapshot.text(id)))
    }

    fn bits(words: &[String], text: &str) -> u64 {
        let text = text.to_lowercase();
        words.iter().enumerate().filter(|(_, w)| text.contains(w.as_str())).fold(0, |bits, (i, _)| bits | 1 << i)
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
