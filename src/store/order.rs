//! In what order rows stand. What a column shows becomes a number for each row, and numbers are sorted: texts are compared
//! once a snapshot, not once a comparison. Called by the index thread and the command line, never while painting.

use std::sync::Arc;

use super::heads::HeaderName;
use super::index::Index;
use super::snapshot::Snapshot;
use super::strings::{Interner, Texts};
use super::table::{Row, RowId, RowKind};
use crate::evidence::pack;
use crate::model::Budget;

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
    /// Tenant.
    Tenant,
    /// The program that had the connection.
    Process,
    /// The merged file that it begins in, in their order.
    File,
    /// What the user says of it.
    Comment,
    /// What a header line says.
    Header(HeaderName),
}

/// A key, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SortBy {
    /// What is compared.
    pub key: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Makes orders of one capture, and keeps what the last one took trouble to find out. Its memory grows with the rows, and
/// with the texts that are sorted.
#[derive(Debug, Default)]
pub struct Orders {
    /// How texts rank, of which snapshot.
    ranks: Vec<(SortKey, u64, Arc<[u32]>)>,
    headers: Vec<HeaderTexts>,
    /// What filters asked of records.
    pub(super) index: Index,
}

impl Orders {
    /// Remembers within a budget what filters ask of records; by default nothing of that is kept.
    pub fn within(budget: &Budget) -> Self {
        Self { index: Index::within(budget), ..Self::default() }
    }

    /// Bytes of what is kept of records for filters.
    pub fn filter_bytes(&self) -> usize {
        self.index.bytes()
    }

    /// Puts rows, which are in capture order, into this one. Rows that are equal in all keys stay in capture order, whichever
    /// way the keys go.
    pub fn sort(&mut self, snapshot: &Snapshot, order: &mut Vec<u32>, sort: &[SortBy]) {
        let used = |key: SortKey| sort.iter().any(|by| by.key == key);
        self.ranks.retain(|(key, ..)| used(*key));
        self.headers.retain(|texts| used(SortKey::Header(texts.name)));
        // Sorting is stable: the key that decides first is sorted by last.
        for by in sort.iter().rev() {
            let rank = self.ranks(snapshot, by.key);
            let flip = if by.descending { u64::MAX } else { 0 };
            let number = |id: u32| number(snapshot, by.key, &rank, RowId(id)) ^ flip;
            let mut keyed: Vec<(u64, u32)> = order.iter().map(|id| (number(*id), *id)).collect();
            sort_by_number(&mut keyed);
            order.clear();
            order.extend(keyed.into_iter().map(|(_, id)| id));
        }
    }

    /// How the texts of a column rank, by their numbers; for header lines and comments by row. Empty where numbers are
    /// compared.
    fn ranks(&mut self, snapshot: &Snapshot, key: SortKey) -> Arc<[u32]> {
        let known = self.ranks.iter().find(|(of, generation, _)| *of == key && *generation == snapshot.generation);
        // Comments change without a new snapshot.
        if let Some((.., rank)) = known.filter(|_| key != SortKey::Comment) {
            return Arc::clone(rank);
        }
        let rank: Arc<[u32]> = match key {
            SortKey::Capture
            | SortKey::Time
            | SortKey::Status
            | SortKey::Size
            | SortKey::Duration
            | SortKey::Grade
            | SortKey::File => return Arc::default(),
            SortKey::Method | SortKey::Type => ranked(&snapshot.words, |_| true),
            SortKey::Host => of_rows(snapshot, |_, row| row.host.0),
            SortKey::Path => of_rows(snapshot, |_, row| row.path.0),
            SortKey::Server => of_rows(snapshot, |_, row| row.server.0),
            SortKey::Tenant => of_rows(snapshot, |_, row| row.tenant.0),
            SortKey::Process => of_rows(snapshot, |id, _| snapshot.program_id(id).0),
            SortKey::Operator => by_name(pack().providers.iter().map(|provider| provider.name)),
            SortKey::Comment => comments(snapshot),
            SortKey::Header(name) => self.header(snapshot, name),
        }
        .into();
        self.ranks.retain(|(of, ..)| *of != key);
        self.ranks.push((key, snapshot.generation, Arc::clone(&rank)));
        rank
    }

    fn header(&mut self, snapshot: &Snapshot, name: HeaderName) -> Vec<u32> {
        let at = self.headers.iter().position(|texts| texts.name == name && texts.forgotten == snapshot.forgotten);
        let mut texts = at.map_or_else(|| HeaderTexts::new(name, snapshot), |at| self.headers.swap_remove(at));
        texts.read(snapshot);
        let rank = ranked(texts.texts.texts(), |_| true);
        let by_row = texts.rows.iter().map(|text| rank.get(*text as usize).copied().unwrap_or(0)).collect();
        self.headers.retain(|other| other.name != name);
        self.headers.push(texts);
        by_row
    }
}

/// What rows say in one header line. Records are read once: those of finished exchanges do not change.
#[derive(Debug)]
struct HeaderTexts {
    name: HeaderName,
    texts: Interner,
    /// The text of each row.
    rows: Vec<u32>,
    /// Rows that were open when they were read.
    open: Vec<u32>,
    /// Rows that had been forgotten: once more are, all begins anew, so that what only they said goes.
    forgotten: usize,
}

impl HeaderTexts {
    fn new(name: HeaderName, snapshot: &Snapshot) -> Self {
        let forgotten = snapshot.forgotten;
        Self { name, texts: Interner::new(usize::MAX), rows: Vec::new(), open: Vec::new(), forgotten }
    }

    fn read(&mut self, snapshot: &Snapshot) {
        for id in std::mem::take(&mut self.open) {
            self.read_row(snapshot, id);
        }
        for id in self.rows.len()..snapshot.len() {
            self.rows.push(0);
            self.read_row(snapshot, id as u32);
        }
    }

    fn read_row(&mut self, snapshot: &Snapshot, id: u32) {
        let text = snapshot.header_values(RowId(id), &[self.name]).pop().unwrap_or_default();
        let text = self.texts.intern(&text);
        if let Some(slot) = self.rows.get_mut(id as usize) {
            *slot = text;
        }
        if snapshot.row(RowId(id)).is_some_and(|row| row.is_open()) {
            self.open.push(id);
        }
    }
}

/// Rows below which comparing them costs no more than dealing them out.
const FEW: usize = 4_096;

/// Sorts rows by their numbers; those with the same stay in their order. Rows mostly come in order, and then nothing is done;
/// else they are dealt out by one byte of their numbers after the other, from the last on, which takes the same time however
/// they lie.
pub(super) fn sort_by_number<N: Copy + Ord + Into<u64>>(rows: &mut Vec<(N, u32)>) {
    if rows.is_sorted_by_key(|(number, _)| *number) {
        return;
    }
    if rows.len() < FEW {
        return rows.sort_by_key(|(number, _)| *number);
    }
    let numbers = || rows.iter().map(|(number, _)| (*number).into());
    // Bytes that all share decide nothing.
    let differing = numbers().fold(0, |or, n| or | n) ^ numbers().fold(u64::MAX, |and, n| and & n);
    let mut dealt = rows.clone();
    for shift in (0..u64::BITS).step_by(8).filter(|shift| differing >> shift & 0xff != 0) {
        let byte = |number: N| (number.into() >> shift & 0xff) as usize;
        let mut places = [0_usize; 256];
        for (number, _) in rows.iter() {
            places[byte(*number)] += 1;
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for row in rows.iter() {
            let place = &mut places[byte(row.0)];
            dealt[*place] = *row;
            *place += 1;
        }
        std::mem::swap(rows, &mut dealt);
    }
}

/// The number that a row is sorted by.
fn number(snapshot: &Snapshot, key: SortKey, rank: &[u32], id: RowId) -> u64 {
    let Some(row) = snapshot.row_at(id) else { return 0 };
    let of = |text: u32| rank.get(text as usize).copied().map_or(0, u64::from);
    match key {
        SortKey::Capture => u64::from(row.first_frame.0),
        // Before 1970 counts down from the middle; the order holds.
        SortKey::Time => (row.time.0 as u64) ^ (1 << 63),
        SortKey::Method => of(u32::from(row.method.0)),
        SortKey::Type => of(u32::from(row.content_type.0)),
        SortKey::Host => of(row.host.0),
        SortKey::Path => of(row.path.0),
        SortKey::Server => of(row.server.0),
        SortKey::Tenant => of(row.tenant.0),
        SortKey::Process => of(snapshot.program_id(id).0),
        SortKey::File => snapshot.file_no(id).map_or(0, u64::from),
        // Past the last provider stands none, which is first.
        SortKey::Operator => of(u32::from(row.operator)),
        SortKey::Status => u64::from(row.status) + if row.kind == RowKind::Http { 0 } else { 1_000 },
        SortKey::Size => row.size,
        SortKey::Duration => u64::from(row.duration_micros),
        SortKey::Grade => row.grade().map_or(0, |g| 1 + g as u64),
        SortKey::Comment | SortKey::Header(_) => of(id.0),
    }
}

/// How the texts rank that rows have, by the texts' numbers.
fn of_rows(snapshot: &Snapshot, text: impl Fn(RowId, &Row) -> u32) -> Vec<u32> {
    let mut used = vec![false; snapshot.texts.len()];
    for (id, row) in snapshot.rows() {
        if let Some(slot) = used.get_mut(text(id, row) as usize) {
            *slot = true;
        }
    }
    ranked(&snapshot.texts, |text| used.get(text as usize).copied().unwrap_or(false))
}

/// What the user says, by row.
fn comments(snapshot: &Snapshot) -> Vec<u32> {
    let notes: Vec<(RowId, &str)> = snapshot.notes().iter().map(|(id, note)| (id, note.comment.as_str())).collect();
    let rank = by_name(notes.iter().map(|(_, comment)| *comment));
    let mut rows = vec![0; snapshot.len()];
    for ((id, _), rank) in notes.iter().zip(rank) {
        if let Some(slot) = rows.get_mut(id.0 as usize) {
            *slot = rank;
        }
    }
    rows
}

fn by_name<'a>(names: impl Iterator<Item = &'a str>) -> Vec<u32> {
    ranks_of(names.enumerate().map(|(at, name)| (at as u32, name)).collect())
}

fn ranked(texts: &Texts, used: impl Fn(u32) -> bool) -> Vec<u32> {
    ranks_of((0..texts.len() as u32).filter(|id| used(*id)).map(|id| (id, texts.get(id))).collect())
}

/// How texts rank among each other, small letters and capitals alike: by number, from 1 on; 0 for the empty text and for
/// numbers that none has.
fn ranks_of(texts: Vec<(u32, &str)>) -> Vec<u32> {
    let mut ranks = vec![0; texts.iter().map(|(id, _)| *id as usize + 1).max().unwrap_or(0)];
    let skip = common(texts.iter().map(|(_, text)| *text).filter(|text| !text.is_empty()));
    // Eight bytes are compared as one number, and only where those are alike the next eight: paths of one site begin with
    // the same words, and comparing them whole would read those again and again.
    let mut keyed: Vec<(u64, u32, &str)> =
        texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(id, text)| (0, id, text)).collect();
    // Runs of texts that are alike so far, the first last, and how many bytes that is; `None` where they are alike whole.
    let mut runs = vec![(0..keyed.len(), Some(skip))];
    let mut rank = 0;
    while let Some((run, depth)) = runs.pop() {
        let Some(part) = keyed.get_mut(run.clone()) else { continue };
        let Some(depth) = depth else {
            rank += 1;
            for (_, id, _) in part {
                if let Some(slot) = ranks.get_mut(*id as usize) {
                    *slot = rank;
                }
            }
            continue;
        };
        for (word, _, text) in part.iter_mut() {
            *word = word_at(text, depth);
        }
        part.sort_unstable_by_key(|(word, ..)| *word);
        let mut end = run.end;
        for alike in part.chunk_by(|a, b| a.0 == b.0).rev() {
            let start = end - alike.len();
            // No text has a zero: that is where one ends.
            let ended = alike.first().is_some_and(|(word, ..)| word.trailing_zeros() >= 8);
            runs.push((start..end, (!ended && alike.len() > 1).then_some(depth + 8)));
            end = start;
        }
    }
    ranks
}

/// Eight bytes of a text in small letters, as a number; zeros behind its end.
fn word_at(text: &str, depth: usize) -> u64 {
    let mut word = [0; 8];
    let rest = text.as_bytes().get(depth..).unwrap_or_default();
    for (to, from) in word.iter_mut().zip(rest) {
        *to = from.to_ascii_lowercase();
    }
    u64::from_be_bytes(word)
}

/// Bytes that all texts begin with, small letters and capitals alike.
fn common<'a>(mut texts: impl Iterator<Item = &'a str>) -> usize {
    let Some(first) = texts.next() else { return 0 };
    texts.fold(first.len(), |shared, text| {
        let alike = first.bytes().zip(text.bytes()).take(shared);
        alike.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FEW, by_name, common, sort_by_number};

    proptest! {
        #[test]
        fn dealing_out_is_a_stable_sort(
            numbers in prop::collection::vec(any::<u64>(), 1..40),
            mask in prop_oneof![Just(0xff), Just(0xffff_0000_0000), Just(u64::MAX), Just(1 << 63)],
            step in 1..1_000_usize,
        ) {
            let number = |at: usize| numbers[at * step % numbers.len()] & mask;
            let rows: Vec<(u64, u32)> = (0..FEW + step).map(|at| (number(at), at as u32)).collect();
            let (mut dealt, mut want) = (rows.clone(), rows);
            sort_by_number(&mut dealt);
            want.sort_by_key(|(number, _)| *number);
            prop_assert_eq!(dealt, want);
        }
    }

    #[track_caller]
    fn check(names: &[&str], want: &[u32]) {
        assert_eq!(by_name(names.iter().copied()), want, "{names:?}");
    }

    #[test]
    fn texts_rank_alike_in_small_letters_and_capitals() {
        check(&["b", "A", "a", "", "B", "c"], &[2, 1, 1, 0, 2, 3]);
        check(&["/same/beginning/9", "/Same/beginning/10", "/same/beginning/"], &[3, 2, 1]);
        check(&["/12345678x", "/12345678X", "/12345678a", "/12345678"], &[3, 3, 2, 1]);
        check(&["/a long way/to b", "/A long way/to", "/a long way/to a", "/a long way/to B"], &[3, 1, 2, 3]);
        check(&[], &[]);
        check(&["", ""], &[0, 0]);
    }

    #[test]
    fn what_all_begin_with_is_found() {
        assert_eq!(common(["/Ab/c", "/aB/d", "/ab/"].into_iter()), 4);
        assert_eq!(common(["one"].into_iter()), 3);
        assert_eq!(common(core::iter::empty()), 0);
    }
}
