//! The streams of a connection (RFC 9000 sections 2 to 4): what frames bring of them goes out in order.
//!
//! Comes in: frames that were authenticated. Goes out: for each stream and side its bytes once and in order, its holes, its
//! end. A hole is waited for until too much waits behind it, its sender is known not to send it again, or the connection is
//! over.

use std::collections::BTreeMap;

use super::numbers::Numbers;
use super::ordered::{Ordered, Source};
use crate::model::{Budget, Run, RunKind, Share, Side, Timestamp};

/// What comes of one side of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPiece {
    /// Which connection of the flow, from 0 in the order in which they began.
    pub connection: u32,
    /// The stream's number (RFC 9000 section 2.1).
    pub stream: u64,
    /// Side, place and bytes; offsets are in the stream.
    pub run: Run<'static>,
    /// What happens.
    pub act: Act,
}

/// What happens to a side of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The run is read: bytes, a hole (of 0 bytes where nobody knows its length), or the end.
    Read,
    /// The sender broke it off; it gives nothing more.
    Reset,
    /// The run's side wants nothing more of what the other one sends.
    Stopped,
    /// The connection is over, with all its streams.
    Closed,
}

/// A side of a stream is new until its first frame, and over once all of it came.
#[derive(Debug)]
pub(super) struct Streams {
    connection: u32,
    halves: BTreeMap<(u64, Side), Half>,
    over: BTreeMap<(u64, Side), Numbers>,
    /// What waits, in bytes.
    held: Share,
    most_halves: usize,
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct Half {
    ordered: Ordered,
    /// Its length, once that is known.
    size: Option<u64>,
    /// When the hole opened that is waited for.
    waiting_since: Timestamp,
}

/// Where pieces go.
type Out = Vec<StreamPiece>;

/// A limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Bytes behind holes.
    Bytes,
    /// Streams that go on.
    Streams,
}

/// A frame's bytes of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came<'a> {
    pub(super) stream: u64,
    pub(super) side: Side,
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
    pub(super) last: bool,
    pub(super) source: Source,
}

impl Streams {
    pub(super) fn new(connection: u32, budget: &Budget) -> Self {
        Self {
            connection,
            halves: BTreeMap::new(),
            over: BTreeMap::new(),
            held: budget.stream_bytes.share(),
            most_halves: budget.live_streams.saturating_mul(2),
            most_bytes: budget.waiting_bytes_per_side,
        }
    }

    /// Takes bytes. `Some`: a limit was reached, and something was given up for it.
    pub(super) fn data(&mut self, came: &Came<'_>, out: &mut Out) -> Option<Full> {
        let key = (came.stream, came.side);
        let full = self.open(key, came.source, out)?;
        let connection = self.connection;
        let half = self.halves.get_mut(&key)?;
        if came.last {
            let end = came.offset.saturating_add(u64::try_from(came.bytes.len()).unwrap_or_default());
            half.size.get_or_insert(end);
        }
        if half.ordered.passes(came.offset, came.bytes) {
            if !came.bytes.is_empty() {
                let bytes = RunKind::Data(came.bytes.to_vec().into());
                out.push(piece(connection, key, came.source, came.offset, bytes));
            }
            self.settle(key, came.source, out);
            return full;
        }
        let waited = half.ordered.is_waiting();
        let before = half.ordered.cost();
        let kept = half.ordered.add(came.offset, came.bytes, came.source, self.most_bytes);
        if !waited {
            half.waiting_since = came.source.time;
        }
        self.account(before, half_cost(&self.halves, key));
        self.drain(key, out);
        self.settle(key, came.source, out);
        if !kept || self.held.bytes() > self.most_bytes || self.held.bytes() > 0 && self.held.is_over() {
            self.let_go(|_| true, out);
            return Some(Full::Bytes);
        }
        full
    }

    /// The sender breaks the stream off.
    pub(super) fn reset(&mut self, key: (u64, Side), source: Source, out: &mut Out) {
        if self.is_over(key) {
            return;
        }
        let offset = self.halves.get(&key).map_or(0, |half| half.ordered.next_offset());
        let act = Act::Reset;
        out.push(StreamPiece { act, ..piece(self.connection, key, source, offset, RunKind::End) });
        self.close(key);
    }

    /// A side wants no more of what the other sends.
    pub(super) fn stop(&self, key: (u64, Side), source: Source, out: &mut Out) {
        let act = Act::Stopped;
        out.push(StreamPiece { act, ..piece(self.connection, key, source, 0, RunKind::End) });
    }

    /// Packets of `side` are missing that its receiver has: holes that opened before that time will not be filled.
    pub(super) fn lost_before(&mut self, side: Side, time: Timestamp, out: &mut Out) {
        let halves = &self.halves;
        let old: Vec<(u64, Side)> = halves
            .iter()
            .filter(|((_, of), half)| *of == side && half.ordered.is_waiting() && half.waiting_since < time)
            .map(|(key, _)| *key)
            .collect();
        self.let_go(|key| old.contains(&key), out);
    }

    /// The connection is over.
    pub(super) fn finish(&mut self, source: Source, out: &mut Out) {
        self.let_go(|_| true, out);
        out.push(StreamPiece {
            act: Act::Closed,
            ..piece(self.connection, (0, Side::Client), source, 0, RunKind::End)
        });
        self.halves.clear();
    }

    /// Whether holes are waited for.
    pub(super) fn is_waiting(&self) -> bool {
        self.held.bytes() > 0
    }

    /// Makes room for the half, where it is new. `None`: it is over.
    #[expect(clippy::option_option, reason = "whether there is a half, and whether another one went for it")]
    fn open(&mut self, key: (u64, Side), source: Source, out: &mut Out) -> Option<Option<Full>> {
        if self.halves.contains_key(&key) {
            return Some(None);
        }
        if self.is_over(key) {
            return None;
        }
        let mut full = None;
        if self.halves.len() >= self.most_halves
            && let Some(oldest) = self.halves.keys().next().copied()
        {
            full = Some(Full::Streams);
            self.let_go(|key| key == oldest, out);
            let offset = self.halves.get(&oldest).map_or(0, |half| half.ordered.next_offset());
            for kind in [RunKind::Gap(0), RunKind::End] {
                out.push(piece(self.connection, oldest, source, offset, kind));
            }
            self.close(oldest);
        }
        self.halves.insert(key, Half::default());
        Some(full)
    }

    /// Gives up the holes of these halves, as if their bytes had been lost.
    fn let_go(&mut self, of: impl Fn((u64, Side)) -> bool, out: &mut Out) {
        if self.held.bytes() == 0 {
            return;
        }
        let keys: Vec<(u64, Side)> = self.halves.keys().copied().filter(|key| of(*key)).collect();
        for key in keys {
            while let Some(half) = self.halves.get_mut(&key).filter(|half| half.ordered.is_waiting()) {
                let offset = half.ordered.next_offset();
                let mut source = None;
                if let Some((missing, at)) = half.ordered.give_up() {
                    out.push(piece(self.connection, key, at, offset, RunKind::Gap(missing)));
                    source = Some(at);
                }
                self.drain(key, out);
                if let Some(source) = source {
                    self.settle(key, source, out);
                }
            }
        }
    }

    /// Gives what is next of a half.
    fn drain(&mut self, key: (u64, Side), out: &mut Out) {
        let Some(half) = self.halves.get_mut(&key) else { return };
        let before = half.ordered.cost();
        while let Some(next) = half.ordered.take() {
            // Another hole may stand behind it.
            half.waiting_since = half.waiting_since.max(next.source.time);
            out.push(piece(self.connection, key, next.source, next.offset, RunKind::Data(next.bytes.into())));
        }
        let after = half.ordered.cost();
        self.account(before, after);
    }

    /// Ends the half where all of it came.
    fn settle(&mut self, key: (u64, Side), source: Source, out: &mut Out) {
        let Some(half) = self.halves.get(&key) else { return };
        let offset = half.ordered.next_offset();
        if half.size.is_some_and(|size| size <= offset) {
            out.push(piece(self.connection, key, source, offset, RunKind::End));
            self.close(key);
        }
    }

    fn account(&mut self, before: usize, after: usize) {
        self.held.shrink(before);
        // Whether it fits is asked once all that can go out went.
        let _fits = self.held.grow(after);
    }

    fn close(&mut self, key: (u64, Side)) {
        if let Some(half) = self.halves.remove(&key) {
            self.account(half.ordered.cost(), 0);
        }
        self.over.entry((key.0 & 3, key.1)).or_default().add(key.0 >> 2);
    }

    fn is_over(&self, key: (u64, Side)) -> bool {
        self.over.get(&(key.0 & 3, key.1)).is_some_and(|numbers| numbers.has(key.0 >> 2))
    }
}

fn half_cost(halves: &BTreeMap<(u64, Side), Half>, key: (u64, Side)) -> usize {
    halves.get(&key).map_or(0, |half| half.ordered.cost())
}

fn piece(
    connection: u32,
    (stream, side): (u64, Side),
    source: Source,
    offset: u64,
    kind: RunKind<'static>,
) -> StreamPiece {
    let run = Run { side, offset, frame: source.frame, time: source.time, kind };
    StreamPiece { connection, stream, run, act: Act::Read }
}
