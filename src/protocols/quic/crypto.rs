//! A CRYPTO stream: its bytes come in frames, in any order, twice or overlapping, and go out in order (RFC 9000
//! section 7.5).

use crate::model::FrameNo;

/// Pieces that wait for earlier ones: whoever cuts a hello of 64 KiB into more gains nothing by it.
const PIECES: usize = 1_024;

/// Bytes that wait.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u64,
    end: u64,
    frame: FrameNo,
}

/// One side's stream.
#[derive(Debug, Default)]
pub(super) struct CryptoStream {
    /// Offset of the next byte to go out.
    next: u64,
    /// What waits: bytes from `next` on, where a piece covers them.
    window: Vec<u8>,
    /// Ascending, none overlapping.
    pieces: Vec<Piece>,
}

impl CryptoStream {
    /// Takes bytes at an offset. Of what came before, the first bytes stay. `false`: they are too far ahead, or too many
    /// pieces wait, and they were dropped.
    #[must_use]
    pub(super) fn add(&mut self, offset: u64, bytes: &[u8], frame: FrameNo, limit: usize) -> bool {
        let Some(end) = offset.checked_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX)) else { return false };
        let mut start = offset.max(self.next);
        if end > self.next.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX)) {
            return false;
        }
        while start < end {
            let at = self.pieces.partition_point(|p| p.end <= start);
            let stop = self.pieces.get(at).map_or(end, |p| p.start.min(end));
            if start < stop {
                if !self.insert(at, Piece { start, end: stop, frame }) {
                    return false;
                }
                self.write(start, bytes.get(distance(offset, start)..distance(offset, stop)).unwrap_or_default());
            }
            start = self.pieces.iter().skip(at).find(|p| p.end > start).map_or(end, |p| p.end);
        }
        true
    }

    /// The bytes that are next, from one frame: their offset, the frame, and the bytes.
    pub(super) fn take(&mut self) -> Option<(u64, FrameNo, Vec<u8>)> {
        let first = *self.pieces.first().filter(|p| p.start == self.next)?;
        self.pieces.remove(0);
        let len = distance(first.start, first.end).min(self.window.len());
        let bytes = self.window.drain(..len).collect();
        self.next = first.end;
        Some((first.start, first.frame, bytes))
    }

    /// Whether bytes wait for earlier ones that never came.
    pub(super) fn is_waiting(&self) -> bool {
        !self.pieces.is_empty()
    }

    fn insert(&mut self, at: usize, piece: Piece) -> bool {
        if let Some(before) = at.checked_sub(1).and_then(|i| self.pieces.get_mut(i))
            && before.end == piece.start
            && before.frame == piece.frame
        {
            before.end = piece.end;
            return true;
        }
        if self.pieces.len() >= PIECES {
            return false;
        }
        self.pieces.insert(at, piece);
        true
    }

    fn write(&mut self, start: u64, bytes: &[u8]) {
        let at = distance(self.next, start);
        let end = at.saturating_add(bytes.len());
        if self.window.len() < end {
            self.window.resize(end, 0);
        }
        if let Some(place) = self.window.get_mut(at..end) {
            place.copy_from_slice(bytes);
        }
    }
}

fn distance(from: u64, to: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}
