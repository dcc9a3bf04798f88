//! One side of a TCP connection: segments in, runs out, in stream order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{Anomaly, AnomalyKind, FrameNo, Limit, Run, RunKind, Side, TcpFlags, Timestamp, Unit};

/// A hole that the receiver has acknowledged is given up after so many further units of the flow: a packet that overtook
/// others in the capture has arrived by then.
const PATIENCE_UNITS: u8 = 16;
/// A SYN that is captured late stands this near to its stream.
const NEAR_BYTES: u64 = 1 << 20;
/// The largest window a receiver can offer (RFC 7323 section 2.3).
const WINDOW_BYTES: u64 = 1 << 30;

/// Limits, from the budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) pieces: usize,
    pub(super) bytes: usize,
}

/// Odd things kept for one flow.
const ANOMALIES: usize = 64;
/// What a piece costs beside its bytes.
const PIECE_BYTES: usize = 96;

/// What waits behind a hole.
#[derive(Clone, Debug)]
struct Piece {
    start: u64,
    bytes: Vec<u8>,
    missing: u32,
    frame: FrameNo,
    time: Timestamp,
}

impl Piece {
    fn cost(&self) -> usize {
        self.bytes.capacity().saturating_add(PIECE_BYTES)
    }

    fn end(&self) -> u64 {
        self.start.saturating_add(len(&self.bytes)).saturating_add(u64::from(self.missing))
    }
}

/// One side's stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// Sequence number of the next byte in order; `None` until a byte of this side was seen or acknowledged.
    next: Option<u32>,
    /// Offset of that byte in the stream.
    pub(super) offset: u64,
    pub(super) initial: Option<u32>,
    /// What waits behind holes, by its start; the pieces do not overlap.
    pieces: BTreeMap<u64, Piece>,
    waiting_bytes: usize,
    end: Option<u64>,
    pub(super) ended: bool,
    /// `next` was only taken from an acknowledgement: earlier bytes may still come.
    guessed: bool,
    acknowledged: u64,
    patience: u8,
    /// Holes given up because too much waited behind them.
    pub(super) given_up: u64,
}

/// Where runs and findings go.
pub(super) struct Out<'o, 'a> {
    pub(super) side: Side,
    pub(super) runs: &'o mut Vec<Run<'a>>,
    pub(super) anomalies: &'o mut Vec<Anomaly>,
}

impl<'a> Out<'_, 'a> {
    fn run(&mut self, offset: u64, frame: FrameNo, time: Timestamp, kind: RunKind<'a>) {
        self.runs.push(Run { side: self.side, offset, frame, time, kind });
    }

    fn anomaly(&mut self, kind: AnomalyKind, frame: FrameNo, offset: u64, len: u64) {
        if self.anomalies.len() < ANOMALIES {
            self.anomalies.push(Anomaly { kind, frame, offset, len });
        }
    }
}

impl Stream {
    /// Takes a segment of this side; tells whether it resets the connection.
    pub(super) fn segment<'a>(
        &mut self,
        unit: &Unit,
        (seq, flags): (u32, TcpFlags),
        payload: &'a [u8],
        limits: Limits,
        out: &mut Out<'_, 'a>,
    ) -> bool {
        let (mut seq, mut reset) = (seq, false);
        if flags.has(TcpFlags::SYN) {
            let first = self.initial.is_none();
            self.initial.get_or_insert(seq);
            // The SYN takes one sequence number (RFC 9293 section 3.4).
            seq = seq.wrapping_add(1);
            // A second SYN with another number changes nothing (RFC 9293 section 3.10.7.4).
            if first && self.offset == 0 && self.pieces.is_empty() {
                self.next = Some(seq);
                self.guessed = false;
            }
        }
        let missing = unit.missing;
        let whole = len(payload).saturating_add(u64::from(missing));
        if self.guessed && whole > 0 {
            self.guessed = false;
            // Not a keep-alive probe, which repeats one acknowledged byte (RFC 9293 section 3.8.4).
            let probe = whole == 1 && self.place(seq) == Some(-1);
            if !probe && self.place(seq).is_some_and(|at| at < 0) {
                self.next = Some(seq);
                out.anomaly(AnomalyKind::MissingStart, unit.frame, 0, 0);
            }
        }
        if self.next.is_none() && (whole > 0 || flags.has(TcpFlags::FIN)) {
            self.next = Some(seq);
            out.anomaly(AnomalyKind::MissingStart, unit.frame, 0, 0);
        }
        let Some(start) = self.place(seq) else { return flags.has(TcpFlags::RST) };
        if flags.has(TcpFlags::RST) {
            // Its data is a reason in words, not the stream's (RFC 9293 section 3.5.2). One outside the window resets
            // nothing (section 3.5.3).
            if let Ok(at) = u64::try_from(start)
                && at >= self.offset
                && at.saturating_sub(self.offset) < WINDOW_BYTES
            {
                self.end = Some(at);
                reset = true;
            }
        } else {
            if flags.has(TcpFlags::FIN)
                && let Ok(at) = u64::try_from(start.saturating_add_unsigned(whole))
                && at >= self.offset
            {
                self.end = Some(at);
            }
            if whole > 0 && !self.ended {
                self.data(unit, start, payload, limits, out);
            }
        }
        self.settle_end(unit.frame, unit.time, out);
        reset
    }

    /// The other side has seen everything before this sequence number.
    pub(super) fn acknowledged(&mut self, ack: u32) {
        if self.next.is_none() {
            self.next = Some(ack);
            self.guessed = true;
        }
        let at = self.place(ack).and_then(|at| u64::try_from(at).ok());
        if let Some(at) = at.filter(|at| at.saturating_sub(self.offset) < WINDOW_BYTES) {
            self.acknowledged = self.acknowledged.max(at);
        }
    }

    /// Called with every unit of the flow: an acknowledged hole loses patience.
    pub(super) fn wait(&mut self, frame: FrameNo, time: Timestamp, out: &mut Out<'_, '_>) {
        let Some((first, _)) = self.pieces.first_key_value() else {
            self.patience = 0;
            return;
        };
        if self.acknowledged > self.offset && self.acknowledged >= *first {
            self.patience = self.patience.saturating_add(1);
            if self.patience > PATIENCE_UNITS {
                self.give_up(frame, time, out);
                self.settle_end(frame, time, out);
            }
        }
    }

    /// Lets go of everything that waits.
    pub(super) fn let_go(&mut self, frame: FrameNo, time: Timestamp, out: &mut Out<'_, '_>) {
        while !self.pieces.is_empty() {
            self.give_up(frame, time, out);
        }
        if let Some(tail) =
            self.end.and_then(|end| end.checked_sub(self.offset)).filter(|n| (1..WINDOW_BYTES).contains(n))
        {
            // Where the stream ends is known, its last bytes are not.
            out.run(self.offset, frame, time, RunKind::Gap(tail));
            out.anomaly(AnomalyKind::Gap, frame, self.offset, tail);
            self.advance(tail);
        }
        self.settle_end(frame, time, out);
    }

    /// Bytes held behind holes.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Offset of a sequence number, taken as the nearest to the byte expected next; `None` if nothing was seen yet.
    fn place(&self, seq: u32) -> Option<i64> {
        let step = i64::from(seq.wrapping_sub(self.next?).cast_signed());
        i64::try_from(self.offset).ok()?.checked_add(step)
    }

    /// Whether a SYN with this number could have begun this stream, of which the beginning was not seen.
    pub(super) fn begins_at(&self, initial: u32) -> bool {
        self.place(initial.wrapping_add(1)).is_some_and(|at| at.unsigned_abs() < NEAR_BYTES)
    }

    fn data<'a>(&mut self, unit: &Unit, start: i64, payload: &'a [u8], limits: Limits, out: &mut Out<'_, 'a>) {
        // What stands before the byte expected next was delivered, or lies before the capture's beginning.
        let before = bytes_before(self.offset, start);
        let skip = usize::try_from(before).unwrap_or(usize::MAX).min(payload.len());
        let fresh = payload.get(skip..).unwrap_or_default();
        let start = u64::try_from(start).unwrap_or(0).max(self.offset);
        let skipped_missing = before.saturating_sub(len(payload));
        let missing = u64::from(unit.missing).saturating_sub(skipped_missing);
        if fresh.is_empty() && missing == 0 {
            return;
        }
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        if start > self.offset {
            self.hold(unit, start, fresh, missing, out);
            while self.pieces.len() > limits.pieces || self.waiting_bytes > limits.bytes {
                self.given_up = self.given_up.saturating_add(1);
                out.anomaly(AnomalyKind::Limit(Limit::WaitingBytes), unit.frame, self.offset, 0);
                self.give_up(unit.frame, unit.time, out);
            }
            return;
        }
        // Bytes that wait already came first: they win over a longer repeat.
        let until = self.pieces.first_key_value().map_or(u64::MAX, |(first, _)| first.saturating_sub(self.offset));
        if until < len(fresh) {
            let cut = usize::try_from(until).unwrap_or(usize::MAX).min(fresh.len());
            let (now, rest) = fresh.split_at_checked(cut).unwrap_or((fresh, &[]));
            self.deliver(Cow::Borrowed(now), 0, unit.frame, unit.time, out);
            let at = self.offset;
            self.hold(unit, at, rest, missing, out);
        } else {
            // Bytes that this capture of the segment lacks may wait already.
            let missing = u64::from(missing).min(until.saturating_sub(len(fresh)));
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            self.deliver(Cow::Borrowed(fresh), missing, unit.frame, unit.time, out);
        }
        self.drain(out);
    }

    /// Keeps what of a segment is not there yet.
    fn hold(&mut self, unit: &Unit, start: u64, bytes: &[u8], missing: u32, out: &mut Out<'_, '_>) {
        let (mut at, mut rest) = (start, bytes);
        loop {
            // A piece that came first and holds the byte at `at`.
            let before = self.pieces.range(..=at).next_back().map(|(_, piece)| piece).filter(|piece| piece.end() > at);
            if let Some(piece) = before {
                let over = piece.end().saturating_sub(at).min(len(rest));
                let (same, further) = split(rest, over);
                if differs(piece, at, same) {
                    out.anomaly(AnomalyKind::ConflictingOverlap, unit.frame, at, over);
                }
                if further.is_empty() {
                    return;
                }
                (at, rest) = (at.saturating_add(over), further);
                continue;
            }
            let next = self.pieces.range(at..).next().map_or(u64::MAX, |(start, _)| *start);
            let (new, further) = split(rest, next.saturating_sub(at).min(len(rest)));
            let missing = if further.is_empty() && next == u64::MAX { missing } else { 0 };
            let piece = Piece { start: at, bytes: new.to_vec(), missing, frame: unit.frame, time: unit.time };
            let end = piece.end();
            if end > at {
                self.waiting_bytes = self.waiting_bytes.saturating_add(piece.cost());
                self.pieces.insert(at, piece);
            }
            if further.is_empty() {
                return;
            }
            (at, rest) = (end, further);
        }
    }

    fn deliver<'a>(
        &mut self,
        bytes: Cow<'a, [u8]>,
        missing: u32,
        frame: FrameNo,
        time: Timestamp,
        out: &mut Out<'_, 'a>,
    ) {
        let count = len(&bytes);
        if count > 0 {
            out.run(self.offset, frame, time, RunKind::Data(bytes));
            self.advance(count);
        }
        if missing > 0 {
            out.run(self.offset, frame, time, RunKind::Gap(u64::from(missing)));
            out.anomaly(AnomalyKind::Gap, frame, self.offset, u64::from(missing));
            self.advance(u64::from(missing));
        }
    }

    fn advance(&mut self, count: u64) {
        self.offset = self.offset.saturating_add(count);
        let [a, b, c, d, ..] = count.to_le_bytes();
        self.next = self.next.map(|next| next.wrapping_add(u32::from_le_bytes([a, b, c, d])));
    }

    /// Delivers the pieces that are now in order.
    fn drain(&mut self, out: &mut Out<'_, '_>) {
        while let Some(first) = self.pieces.first_entry() {
            if *first.key() > self.offset {
                return;
            }
            let piece = first.remove();
            self.waiting_bytes = self.waiting_bytes.saturating_sub(piece.cost());
            let skip = self.offset.saturating_sub(piece.start);
            if skip == 0 {
                self.deliver(Cow::Owned(piece.bytes), piece.missing, piece.frame, piece.time, out);
            } else {
                let (_, fresh) = split(&piece.bytes, skip);
                let missing = u64::from(piece.missing).saturating_sub(skip.saturating_sub(len(&piece.bytes)));
                let missing = u32::try_from(missing).unwrap_or(u32::MAX);
                self.deliver(Cow::Owned(fresh.to_vec()), missing, piece.frame, piece.time, out);
            }
        }
        self.patience = 0;
    }

    /// The bytes before the first piece will not come.
    fn give_up(&mut self, frame: FrameNo, time: Timestamp, out: &mut Out<'_, '_>) {
        let Some((first, _)) = self.pieces.first_key_value() else { return };
        let hole = first.saturating_sub(self.offset);
        self.patience = 0;
        if hole > 0 {
            out.run(self.offset, frame, time, RunKind::Gap(hole));
            out.anomaly(AnomalyKind::Gap, frame, self.offset, hole);
            self.advance(hole);
        }
        self.drain(out);
    }

    fn settle_end(&mut self, frame: FrameNo, time: Timestamp, out: &mut Out<'_, '_>) {
        if !self.ended && self.end.is_some_and(|end| self.offset >= end) && self.pieces.is_empty() {
            self.ended = true;
            out.run(self.offset, frame, time, RunKind::End);
        }
    }
}

/// How many bytes of something that begins at `start` lie before `offset`.
fn bytes_before(offset: u64, start: i64) -> u64 {
    match u64::try_from(start) {
        Ok(start) => offset.saturating_sub(start),
        Err(_) => offset.saturating_add(start.unsigned_abs()),
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn split(bytes: &[u8], at: u64) -> (&[u8], &[u8]) {
    bytes.split_at_checked(usize::try_from(at).unwrap_or(usize::MAX)).unwrap_or((bytes, &[]))
}

/// Whether a piece has other bytes than `same` at stream offset `at`.
fn differs(piece: &Piece, at: u64, same: &[u8]) -> bool {
    let (_, there) = split(&piece.bytes, at.saturating_sub(piece.start));
    there.iter().zip(same).any(|(a, b)| a != b)
}
