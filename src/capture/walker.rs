//! What the file formats give, step by step, and the search for the next readable record after damage.

use super::har::Har;
use super::notes::Notes;
use super::numbers::wide;
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use crate::model::{FrameHead, Timestamp};

/// One step over the bytes of a file.
#[derive(Debug)]
pub(super) enum Move {
    /// A frame.
    Frame {
        /// What is known of it.
        head: FrameHead,
        /// Where its bytes begin in the input.
        start: usize,
        /// Bytes of the input that its record takes.
        used: usize,
    },
    /// So many bytes (at least one) hold no frame.
    Past(usize),
    /// So many bytes that hold no frame say what time it is.
    Clock(Timestamp, usize),
    /// More bytes are needed; at the end of the file: nothing more can be read.
    More,
}

/// Whether bytes at a place are a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// They are.
    Yes,
    /// They are not.
    No,
    /// More bytes are needed to say.
    Open,
}

/// A stretch without readable records.
#[derive(Debug)]
pub(super) struct Lost {
    /// Offset in the file at which reading stopped.
    pub(super) from: u64,
    /// Offset up to which there is no record.
    pub(super) searched: u64,
    /// Why it stopped.
    pub(super) why: String,
    /// Whether this may simply be a record cut off by the end of the file.
    pub(super) tail: bool,
}

impl Lost {
    pub(super) fn new(from: u64, why: String, tail: bool) -> Self {
        Self { from, searched: from.saturating_add(1), why, tail }
    }

    /// Looks for the next record in `rest`, which stands at `at` in the file. `Ok` gives its place in `rest`; `Err` the
    /// step to take instead. `keep` is how many bytes `judge` needs at least.
    pub(super) fn search(
        &mut self,
        rest: &[u8],
        at: u64,
        keep: usize,
        is_last: bool,
        mut judge: impl FnMut(&[u8]) -> Judged,
    ) -> Result<usize, Move> {
        let mut place = usize::try_from(self.searched.saturating_sub(at)).unwrap_or(usize::MAX);
        let step = |place: usize| if place == 0 { Move::More } else { Move::Past(place.min(rest.len())) };
        while let Some(candidate) = rest.get(place..).filter(|candidate| candidate.len() >= keep) {
            match judge(candidate) {
                Judged::Yes => return Ok(place),
                Judged::Open => return Err(step(place)),
                Judged::No => place = place.saturating_add(1),
            }
            self.searched = at.saturating_add(wide(place));
        }
        let passed = if is_last { rest.len() } else { place };
        Err(if passed == 0 { Move::More } else { Move::Past(passed.min(rest.len())) })
    }

    /// Reading goes on at `at`.
    pub(super) fn found(&self, at: u64, notes: &mut Notes) {
        notes.skipped(self.from, at.saturating_sub(self.from), &self.why);
    }

    /// The file ends at `at` and nothing was found.
    pub(super) fn ended(&self, at: u64, notes: &mut Notes) {
        let len = at.saturating_sub(self.from);
        if self.tail {
            notes.facts.cut_tail_bytes = len;
        } else {
            notes.skipped(self.from, len, &self.why);
        }
    }
}

/// A walk over one of the formats.
#[derive(Debug)]
pub(super) enum Walker {
    /// The first bytes of a spool are still to come.
    Waiting,
    Pcap(Pcap),
    Pcapng(Pcapng),
    Har(Har),
}

impl Walker {
    /// The next step over `rest`, which stands at `at` in the file; `is_last` when no bytes follow.
    #[inline]
    pub(super) fn next(&mut self, rest: &[u8], at: u64, is_last: bool, notes: &mut Notes) -> Move {
        match self {
            Self::Waiting => Move::More,
            Self::Pcap(pcap) => pcap.next(rest, at, is_last, notes),
            Self::Pcapng(pcapng) => pcapng.next(rest, at, is_last, notes),
            Self::Har(har) => har.next(rest, at, is_last, notes),
        }
    }

    /// The file ends at `at` plus `left` bytes that were not read.
    pub(super) fn end(&mut self, at: u64, left: usize, notes: &mut Notes) {
        let lost = match self {
            Self::Waiting => None,
            Self::Pcap(pcap) => pcap.lost.take(),
            Self::Pcapng(pcapng) => pcapng.lost.take(),
            Self::Har(har) => return har.end(at, left, notes),
        };
        match lost {
            Some(lost) => lost.ended(at.saturating_add(wide(left)), notes),
            None if left > 0 => notes.cut_tail(left),
            None => {}
        }
    }
}
