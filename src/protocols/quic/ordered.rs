//! Bytes that come in frames, in any order, twice or overlapping, and go out in order (RFC 9000 sections 2.2 and 7.5).

use std::collections::BTreeMap;

use crate::model::{FrameNo, Timestamp};

/// What a piece that waits costs beside its bytes.
pub(super) const PIECE_BYTES: usize = 96;

/// Where bytes came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) frame: FrameNo,
    pub(super) time: Timestamp,
}

/// Bytes that are next in order.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) offset: u64,
    pub(super) source: Source,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug)]
struct Piece {
    source: Source,
    bytes: Vec<u8>,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    /// Offset of the next byte to go out.
    next: u64,
    /// What waits, by its offset; none overlap.
    pieces: BTreeMap<u64, Piece>,
    /// What it costs.
    cost: usize,
}

impl Ordered {
    /// Takes bytes at an offset. Of what came before, the first bytes stay. `false`: they would cost more than `limit`, or are
    /// further ahead than that, and were dropped.
    #[must_use]
    pub(super) fn add(&mut self, offset: u64, bytes: &[u8], source: Source, limit: usize) -> bool {
        let Some(end) = offset.checked_add(len(bytes)) else { return false };
        if end.saturating_sub(self.next) > u64::try_from(limit).unwrap_or(u64::MAX) {
            return false;
        }
        let mut start = offset.max(self.next);
        while start < end {
            let before =
                self.pieces.range(..=start).next_back().map(|(at, piece)| at.saturating_add(len(&piece.bytes)));
            if let Some(covered) = before.filter(|covered| *covered > start) {
                start = covered;
                continue;
            }
            let stop = self.pieces.range(start..).next().map_or(end, |(at, _)| end.min(*at));
            let piece = bytes.get(distance(offset, start)..distance(offset, stop)).unwrap_or_default();
            let cost = piece.len().saturating_add(PIECE_BYTES);
            if self.cost.saturating_add(cost) > limit {
                return false;
            }
            self.cost = self.cost.saturating_add(cost);
            self.pieces.insert(start, Piece { source, bytes: piece.to_vec() });
            start = stop;
        }
        true
    }

    /// The bytes that are next, where they are there.
    pub(super) fn take(&mut self) -> Option<Next> {
        let entry = self.pieces.first_entry().filter(|entry| *entry.key() == self.next)?;
        let Piece { source, bytes } = entry.remove();
        self.cost = self.cost.saturating_sub(bytes.len().saturating_add(PIECE_BYTES));
        let offset = self.next;
        self.next = offset.saturating_add(len(&bytes));
        Some(Next { offset, source, bytes })
    }

    /// Gives up the bytes before the first piece that waits: how many they are, and where that piece came from.
    pub(super) fn give_up(&mut self) -> Option<(u64, Source)> {
        let (at, piece) = self.pieces.first_key_value()?;
        let (missing, source) = (at.saturating_sub(self.next), piece.source);
        self.next = *at;
        (missing > 0).then_some((missing, source))
    }

    /// Whether these bytes are next and nothing waits: then there is no need to keep them.
    pub(super) fn passes(&mut self, offset: u64, bytes: &[u8]) -> bool {
        let fits = self.pieces.is_empty() && offset == self.next;
        if fits {
            self.next = offset.saturating_add(len(bytes));
        }
        fits
    }

    /// Offset of the next byte to go out.
    pub(super) fn next_offset(&self) -> u64 {
        self.next
    }

    /// What waits, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Whether bytes wait for earlier ones.
    pub(super) fn is_waiting(&self) -> bool {
        !self.pieces.is_empty()
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn distance(from: u64, to: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}
