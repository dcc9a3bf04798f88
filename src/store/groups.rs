//! Rows as a tree: by provider, site and host, or by program and host, with what each group comes to. Called by the index
//! thread, never while painting: what is painted are groups, and slices of the rows in the order of the tree.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use ahash::{AHashMap, RandomState};

use super::findings::own_site;
use super::snapshot::Snapshot;
use super::table::{Row, RowId, RowKind};
use crate::evidence::pack;
use crate::model::ProviderId;

/// By what rows are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grouping {
    /// Provider, the host's site, host.
    Provider,
    /// The program that had the connection, host.
    Program,
}

/// In what order groups stand within their parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GroupOrder {
    /// The most bytes first.
    #[default]
    Bytes,
    /// The most exchanges first.
    Count,
    /// By name.
    Name,
}

/// Some rows that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How deep it stands, from 0.
    pub level: usize,
    /// What they have in common, ready for display; words where that is nothing.
    pub name: Arc<str>,
    /// The provider that all of them have, at the level of providers; [`Row::NONE`] where they have none.
    pub operator: Option<ProviderId>,
    /// Tells it from all other groups, from one snapshot to the next.
    pub key: u64,
    /// How many rows there are, without those that are ignored.
    pub exchanges: u32,
    /// Their bytes: answers of HTTP, both ways of TLS. What DNS weighs is not kept.
    pub bytes: u64,
    /// Where they stand in [`Groups::rows`].
    pub rows: Range<usize>,
    /// The first group after those inside this one.
    pub after: usize,
}

/// All groups of some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// Each before those inside it.
    pub list: Vec<Group>,
    /// The rows in the order of the tree; within a group without groups in the order that was given.
    pub rows: Arc<[u32]>,
    /// Bytes of them all.
    pub bytes: u64,
    /// Levels of groups.
    pub depth: usize,
}

/// Keys are the same in every run of the program and every snapshot: what was unfolded stays unfolded.
const SEEDS: [u64; 4] = [0x6e65_7068, 0x6f73_636f, 0x7065_2074, 0x7265_6521];

impl Groups {
    /// Groups the rows of `order`.
    pub fn new(snapshot: &Snapshot, order: &[u32], (grouping, sort): (Grouping, GroupOrder)) -> Self {
        let mut tree = Tree::new(snapshot, grouping);
        let leaves: Vec<u32> = order.iter().map(|id| tree.add(RowId(*id))).collect();
        tree.groups(order, &leaves, sort)
    }

    /// The group without groups inside it that holds the row at this place of [`Groups::rows`], and those around it, the
    /// outermost first.
    pub fn around(&self, place: usize) -> Vec<usize> {
        let mut found = Vec::with_capacity(self.depth);
        let mut at = 0;
        while let Some(group) = self.list.get(at) {
            if group.rows.contains(&place) {
                found.push(at);
                at += 1;
            } else {
                at = group.after;
            }
        }
        found
    }

    /// Whether a group holds rows and no groups.
    pub fn is_leaf(&self, at: usize) -> bool {
        self.list.get(at).is_some_and(|group| group.after == at + 1)
    }
}

/// What rows have in common at one level.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Label {
    Operator(u16),
    Site(u32),
    Text(u32),
}

/// A group while rows are counted.
struct Sum {
    label: Label,
    /// All of them.
    rows: u32,
    /// Those that are not ignored.
    exchanges: u32,
    bytes: u64,
}

/// The groups of one level, by the number of the group around them and what they have in common.
#[derive(Default)]
struct Level {
    index: AHashMap<(u32, Label), u32>,
    sums: Vec<Sum>,
    parents: Vec<u32>,
}

impl Level {
    fn number(&mut self, parent: u32, label: Label) -> u32 {
        let next = self.sums.len() as u32;
        let number = *self.index.entry((parent, label)).or_insert(next);
        if number == next {
            self.sums.push(Sum { label, rows: 0, exchanges: 0, bytes: 0 });
            self.parents.push(parent);
        }
        number
    }
}

struct Tree<'a> {
    snapshot: &'a Snapshot,
    grouping: Grouping,
    levels: Vec<Level>,
    sites: AHashMap<Arc<str>, u32>,
    site_names: Vec<Arc<str>>,
    /// The innermost group by what a row has: most rows are of a group that others are of.
    known: AHashMap<(u32, u32), u32>,
}

impl<'a> Tree<'a> {
    fn new(snapshot: &'a Snapshot, grouping: Grouping) -> Self {
        let depth = match grouping {
            Grouping::Provider => 3,
            Grouping::Program => 2,
        };
        let levels = (0..depth).map(|_| Level::default()).collect();
        Self { snapshot, grouping, levels, sites: AHashMap::new(), site_names: Vec::new(), known: AHashMap::new() }
    }

    /// Counts a row; gives the number of its innermost group.
    fn add(&mut self, id: RowId) -> u32 {
        let Some(row) = self.snapshot.row_at(id) else { return 0 };
        let host = if self.snapshot.text(row.host).is_empty() { row.server.0 } else { row.host.0 };
        let first = match self.grouping {
            Grouping::Provider => u32::from(row.operator),
            Grouping::Program => self.snapshot.program_id(id).0,
        };
        let leaf = match self.known.get(&(first, host)) {
            Some(leaf) => *leaf,
            None => self.open(row, (first, host)),
        };
        let bytes = match row.kind {
            RowKind::Http | RowKind::Tls => row.size,
            RowKind::Dns => 0,
        };
        if let Some(sum) = self.levels.last_mut().and_then(|level| level.sums.get_mut(leaf as usize)) {
            sum.rows = sum.rows.saturating_add(1);
            if !self.snapshot.is_ignored(id) {
                sum.exchanges = sum.exchanges.saturating_add(1);
                sum.bytes = sum.bytes.saturating_add(bytes);
            }
        }
        leaf
    }

    /// A group for what no row had before.
    fn open(&mut self, row: &Row, (first, host): (u32, u32)) -> u32 {
        let labels = match self.grouping {
            Grouping::Provider => {
                let site = self.site(row);
                vec![Label::Operator(row.operator), Label::Site(site), Label::Text(host)]
            }
            Grouping::Program => vec![Label::Text(first), Label::Text(host)],
        };
        let mut number = 0;
        for (level, label) in self.levels.iter_mut().zip(labels) {
            number = level.number(number, label);
        }
        self.known.insert((first, host), number);
        number
    }

    fn site(&mut self, row: &Row) -> u32 {
        let site: Arc<str> = own_site(self.snapshot.text(row.host), self.snapshot.text(row.server)).into();
        let next = self.site_names.len() as u32;
        let number = *self.sites.entry(Arc::clone(&site)).or_insert(next);
        if number == next {
            self.site_names.push(site);
        }
        number
    }

    fn name(&self, label: Label) -> Arc<str> {
        match label {
            Label::Operator(Row::NONE) => "No provider".into(),
            Label::Operator(id) => pack().providers.get(usize::from(id)).map_or("", |provider| provider.name).into(),
            Label::Site(site) => self.site_names.get(site as usize).cloned().unwrap_or_default(),
            Label::Text(text) => match self.snapshot.text(crate::store::StrId(text)) {
                "" => "Unknown program".into(),
                text => text.into(),
            },
        }
    }

    /// Adds what the innermost groups came to to those around them.
    fn sum_up(&mut self) {
        for at in (1..self.levels.len()).rev() {
            let (outer, inner) = self.levels.split_at_mut(at);
            let (Some(outer), Some(inner)) = (outer.last_mut(), inner.first()) else { return };
            for (sum, parent) in inner.sums.iter().zip(&inner.parents) {
                if let Some(around) = outer.sums.get_mut(*parent as usize) {
                    around.rows = around.rows.saturating_add(sum.rows);
                    around.exchanges = around.exchanges.saturating_add(sum.exchanges);
                    around.bytes = around.bytes.saturating_add(sum.bytes);
                }
            }
        }
    }

    fn groups(mut self, order: &[u32], leaves: &[u32], sort: GroupOrder) -> Groups {
        self.sum_up();
        let mut groups = Groups { depth: self.levels.len(), ..Groups::default() };
        // Groups of each level by the group around them, in the order in which they are shown.
        let inside: Vec<Vec<Vec<u32>>> = (0..self.levels.len()).map(|level| self.inside(level, sort)).collect();
        let mut starts = vec![0; self.levels.last().map_or(0, |level| level.sums.len())];
        let mut place = 0;
        // Whose turn is next, the innermost last: level and number, and the key of the group around it.
        let hasher = RandomState::with_seeds(SEEDS[0], SEEDS[1], SEEDS[2], SEEDS[3]);
        let mut turns: Vec<(usize, u32, u64)> = Vec::new();
        let push = |turns: &mut Vec<_>, level: usize, around: u32, key: u64| {
            let members = inside.get(level).and_then(|groups| groups.get(around as usize));
            turns.extend(members.into_iter().flatten().rev().map(|number| (level, *number, key)));
        };
        push(&mut turns, 0, 0, 0);
        while let Some((level, number, around)) = turns.pop() {
            let Some(sum) = self.levels.get(level).and_then(|level| level.sums.get(number as usize)) else { continue };
            let name = self.name(sum.label);
            let key = hasher.hash_one((around, level, &*name));
            let operator = if let Label::Operator(id) = sum.label { Some(ProviderId(id)) } else { None };
            let (exchanges, bytes) = (sum.exchanges, sum.bytes);
            let rows = place..place + sum.rows as usize;
            if level + 1 == groups.depth {
                if let Some(start) = starts.get_mut(number as usize) {
                    *start = place;
                }
                place = rows.end;
            }
            if level == 0 {
                groups.bytes = groups.bytes.saturating_add(bytes);
            }
            groups.list.push(Group { level, name, operator, key, exchanges, bytes, rows, after: 0 });
            push(&mut turns, level + 1, number, key);
        }
        close(&mut groups.list);
        groups.rows = placed(order, leaves, starts);
        groups
    }

    /// The groups of a level, by the number of the group around them.
    fn inside(&self, level: usize, sort: GroupOrder) -> Vec<Vec<u32>> {
        let Some(of) = self.levels.get(level) else { return Vec::new() };
        let mut numbers: Vec<(u64, Arc<str>, u32)> = of
            .sums
            .iter()
            .zip(0..)
            .map(|(sum, number)| {
                let weight = match sort {
                    GroupOrder::Bytes => sum.bytes,
                    GroupOrder::Count => u64::from(sum.exchanges),
                    GroupOrder::Name => 0,
                };
                (weight, self.name(sum.label), number)
            })
            .collect();
        numbers.sort_by(|a, b| (Reverse(a.0), &a.1).cmp(&(Reverse(b.0), &b.1)));
        let around = level.checked_sub(1).and_then(|level| self.levels.get(level)).map_or(1, |level| level.sums.len());
        let mut inside = vec![Vec::new(); around];
        for (.., number) in numbers {
            let parent = of.parents.get(number as usize).copied().unwrap_or(0);
            if let Some(members) = inside.get_mut(parent as usize) {
                members.push(number);
            }
        }
        inside
    }
}

/// Says of each group where those inside it end.
fn close(list: &mut [Group]) {
    let mut open: Vec<usize> = Vec::new();
    for at in 0..=list.len() {
        let level = list.get(at).map_or(0, |group| group.level);
        while open.last().is_some_and(|last| list.get(*last).is_some_and(|group| group.level >= level)) {
            if let Some(group) = open.pop().and_then(|last| list.get_mut(last)) {
                group.after = at;
            }
        }
        open.push(at);
    }
}

/// The rows, each behind those of its group that came before it.
fn placed(order: &[u32], leaves: &[u32], mut starts: Vec<usize>) -> Arc<[u32]> {
    let mut rows = vec![0; order.len()];
    for (id, leaf) in order.iter().zip(leaves) {
        let Some(start) = starts.get_mut(*leaf as usize) else { continue };
        if let Some(slot) = rows.get_mut(*start) {
            *slot = *id;
        }
        *start += 1;
    }
    rows.into()
}
