//! Puts IP datagrams together from their fragments (RFC 791 section 3.2, RFC 8200 section 4.5); the first byte wins.

use core::net::IpAddr;
use std::collections::{HashMap, VecDeque};

use ahash::RandomState;

use crate::model::{Budget, FrameHead, FrameNo, Limit, LimitHit, Timestamp};

/// No datagram is longer than its 16-bit length field says.
const MAX_DATAGRAM: usize = 65_535;

/// One fragment: whose datagram, where in it, and where its bytes stand in the data it was read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub(super) source: IpAddr,
    pub(super) target: IpAddr,
    pub(super) proto: u8,
    pub(super) id: u32,
    pub(super) offset: usize,
    pub(super) more: bool,
    pub(super) start: usize,
    pub(super) end: usize,
}

type Key = (IpAddr, IpAddr, u8, u32);

#[derive(Debug)]
struct Partial {
    serial: u64,
    began: Timestamp,
    number: FrameNo,
    /// The frame with the first fragment, which holds the transport's header.
    first: Option<FrameHead>,
    bytes: Vec<u8>,
    /// Filled ranges, in order, not touching.
    filled: Vec<(usize, usize)>,
    total: Option<usize>,
    proto: u8,
    frames: Vec<(FrameNo, u64)>,
}

#[derive(Debug)]
pub(super) struct Fragments {
    open: HashMap<Key, Partial, RandomState>,
    order: VecDeque<(u64, Key)>,
    serial: u64,
    held: usize,
    max_count: usize,
    max_bytes: usize,
    max_nanos: i64,
    earlier: Vec<(FrameNo, u64)>,
    lost: u64,
    lost_first: FrameNo,
    gone: Vec<Gone>,
}

/// What is there of a datagram whose other fragments never came: its beginning.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) head: FrameHead,
    pub(super) source: IpAddr,
    pub(super) target: IpAddr,
    pub(super) proto: u8,
    pub(super) bytes: Vec<u8>,
    /// Whole length, where the last fragment came.
    pub(super) total: Option<usize>,
}

impl Fragments {
    pub(super) fn new(budget: &Budget) -> Self {
        Self {
            open: HashMap::default(),
            order: VecDeque::new(),
            serial: 0,
            held: 0,
            max_count: budget.fragment_datagrams,
            max_bytes: budget.fragment_bytes,
            max_nanos: budget.fragment_seconds.saturating_mul(1_000_000_000),
            earlier: Vec::new(),
            lost: 0,
            lost_first: FrameNo(0),
            gone: Vec::new(),
        }
    }

    /// The beginning of a datagram that was given up, oldest last.
    pub(super) fn given_up(&mut self) -> Option<Gone> {
        self.gone.pop()
    }

    /// No more fragments will come.
    pub(super) fn finish(&mut self) {
        while self.drop_oldest() {}
        self.gone.reverse();
    }

    pub(super) fn earlier(&self) -> &[(FrameNo, u64)] {
        &self.earlier
    }

    pub(super) fn limit(&self) -> Option<LimitHit> {
        (self.lost > 0).then_some(LimitHit { limit: Limit::Fragments, count: self.lost, first_frame: self.lost_first })
    }

    /// Keeps a fragment; gives the datagram once it is whole.
    pub(super) fn add(&mut self, head: &FrameHead, fragment: &Fragment, piece: &[u8]) -> Option<Vec<u8>> {
        self.expire(head.time);
        let stop = fragment.offset.saturating_add(piece.len());
        // A piece cut by the snap length would leave a hole for ever, and one past the end is no fragment.
        if piece.is_empty() || stop > MAX_DATAGRAM {
            return None;
        }
        // IPv6 datagrams are told apart without the next header: it is that of the first fragment (RFC 8200).
        let proto = if fragment.source.is_ipv6() { 0 } else { fragment.proto };
        let key = (fragment.source, fragment.target, proto, fragment.id);
        if !self.open.contains_key(&key) {
            self.serial = self.serial.saturating_add(1);
            self.order.push_back((self.serial, key));
            let partial = Partial {
                serial: self.serial,
                began: head.time,
                number: head.number,
                first: None,
                bytes: Vec::new(),
                filled: Vec::new(),
                total: None,
                proto: fragment.proto,
                frames: Vec::new(),
            };
            self.open.insert(key, partial);
        }
        let partial = self.open.get_mut(&key)?;
        let before = partial.bytes.len();
        if before < stop {
            partial.bytes.resize(stop, 0);
        }
        self.held = self.held.saturating_add(partial.bytes.len().saturating_sub(before));
        partial.fill(fragment.offset, piece);
        if fragment.offset == 0 {
            partial.proto = fragment.proto;
            partial.first.get_or_insert(*head);
        }
        let cut = fragment.end.saturating_sub(fragment.start) > piece.len();
        if !fragment.more && !cut && partial.total.is_none() {
            partial.total = Some(stop);
        }
        let whole = partial
            .total
            .is_some_and(|total| partial.filled.first().is_some_and(|&(from, to)| from == 0 && to >= total));
        if whole {
            let mut done = self.open.remove(&key)?;
            self.held = self.held.saturating_sub(done.bytes.len());
            done.bytes.truncate(done.total.unwrap_or_default());
            self.earlier = done.frames;
            return Some(done.bytes);
        }
        if partial.frames.len() < MAX_DATAGRAM / 8 && partial.frames.last().is_none_or(|f| f.0 != head.number) {
            partial.frames.push((head.number, head.record_offset));
        }
        while self.open.len() > self.max_count
            || self.held > self.max_bytes
            || self.order.len() > self.max_count.saturating_mul(2)
        {
            if !self.drop_oldest() {
                break;
            }
        }
        None
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some((serial, key)) = self.order.front() {
            let old = self.open.get(key).filter(|p| p.serial == *serial);
            if old.is_some_and(|p| now.nanos_since(p.began) <= self.max_nanos) {
                break;
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let Some((serial, key)) = self.order.pop_front() else { return false };
        if self.open.get(&key).is_some_and(|p| p.serial == serial)
            && let Some(mut gone) = self.open.remove(&key)
        {
            self.held = self.held.saturating_sub(gone.bytes.len());
            if self.lost == 0 {
                self.lost_first = gone.number;
            }
            self.lost = self.lost.saturating_add(1);
            if let (Some(head), Some((0, until))) = (gone.first, gone.filled.first().copied()) {
                gone.bytes.truncate(until);
                let (source, target, ..) = key;
                let (proto, bytes, total) = (gone.proto, gone.bytes, gone.total);
                self.gone.push(Gone { head, source, target, proto, bytes, total });
            }
        }
        true
    }
}

impl Partial {
    /// Writes what of `piece` is new.
    fn fill(&mut self, offset: usize, piece: &[u8]) {
        let stop = offset.saturating_add(piece.len());
        let mut at = offset;
        let mut merged = (offset, stop);
        let mut kept = Vec::with_capacity(self.filled.len().saturating_add(1));
        for &(from, to) in &self.filled {
            if from > at {
                copy(&mut self.bytes, piece, offset, at, from.min(stop));
            }
            at = at.max(to.min(stop));
            if to < offset || from > stop {
                kept.push((from, to));
            } else {
                merged = (merged.0.min(from), merged.1.max(to));
            }
        }
        copy(&mut self.bytes, piece, offset, at, stop);
        kept.push(merged);
        kept.sort_unstable();
        self.filled = kept;
    }
}

fn copy(bytes: &mut [u8], piece: &[u8], offset: usize, from: usize, to: usize) {
    let source = piece.get(from.saturating_sub(offset)..to.saturating_sub(offset));
    if let (Some(target), Some(source)) = (bytes.get_mut(from..to), source) {
        target.copy_from_slice(source);
    }
}
