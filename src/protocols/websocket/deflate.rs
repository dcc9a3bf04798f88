//! Compressed messages (permessage-deflate, RFC 7692): each is raw DEFLATE without its last four bytes, and mostly refers
//! back to the messages before it.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use flate2::{Decompress, FlushDecompress, Status};

/// What the sender took off the end of each message (RFC 7692 section 7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// How far back DEFLATE can refer (RFC 1951 section 2).
const WINDOW_BYTES: usize = 32 << 10;
/// What one decoder holds: its own window of 64 KiB with its tables, and what is here.
pub(super) const INFLATER_BYTES: usize = 192 << 10;
/// Bytes that one step may give.
const STEP_BYTES: usize = 16 << 10;

/// Why a message could not be decompressed to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no DEFLATE, or refers to what is not there.
    Broken,
    /// It gives more than is read.
    Stopped,
}

/// Decompresses what one side sends. It never forgets by itself: a sender that begins anew with each message refers to
/// nothing before it, so what is remembered does no harm.
#[derive(Debug)]
pub(super) struct Inflater {
    raw: Decompress,
    /// The newest bytes that came out.
    window: Vec<u8>,
    step: Vec<u8>,
    /// A last block ended, and nothing came behind it.
    ended: bool,
    /// Bytes that may yet come out.
    room: u64,
}

impl Inflater {
    pub(super) fn new(room: u64) -> Self {
        let step = vec![0; STEP_BYTES];
        Self { raw: Decompress::new(false), window: Vec::new(), step, ended: false, room }
    }

    /// Takes bytes of a message; hands what comes out to `give`.
    pub(super) fn push(&mut self, mut bytes: &[u8], give: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        while !bytes.is_empty() {
            self.ended = false;
            loop {
                let before = (self.raw.total_in(), self.raw.total_out());
                let status = self.raw.decompress(bytes, &mut self.step, FlushDecompress::Sync);
                let used = count(self.raw.total_in(), before.0);
                let given = count(self.raw.total_out(), before.1);
                bytes = bytes.get(used..).unwrap_or_default();
                let out = self.step.get(..given).unwrap_or_default();
                self.room = self.room.saturating_sub(u64::try_from(given).unwrap_or(u64::MAX));
                if self.room == 0 {
                    return Err(Fault::Stopped);
                }
                give(out);
                remember(&mut self.window, out);
                let Ok(status) = status else { return Err(Fault::Broken) };
                if status == Status::StreamEnd {
                    // A block may be marked as the last one, and others follow all the same (RFC 7692 section 7.2.3.5).
                    self.begin_anew()?;
                    break;
                }
                if used == 0 && given == 0 && !bytes.is_empty() {
                    return Err(Fault::Broken);
                }
                // A step that was filled may have more behind it.
                if bytes.is_empty() && given < self.step.len() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Goes on behind a last block, with what came out before it still in reach.
    fn begin_anew(&mut self) -> Result<(), Fault> {
        self.raw.reset(false);
        self.ended = true;
        let from = self.window.len().saturating_sub(WINDOW_BYTES);
        let window = self.window.get(from..).unwrap_or_default();
        if !window.is_empty() && self.raw.set_dictionary(window).is_err() {
            return Err(Fault::Broken);
        }
        Ok(())
    }

    /// The message is complete.
    pub(super) fn end(&mut self, give: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        if self.ended { Ok(()) } else { self.push(&TAIL, give) }
    }

    /// Forgets all: from here on only what refers to nothing before can be decompressed.
    pub(super) fn forget(&mut self) {
        self.raw.reset(false);
        self.window.clear();
        self.ended = false;
    }
}

fn count(after: u64, before: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}

fn remember(window: &mut Vec<u8>, out: &[u8]) {
    window.extend_from_slice(out);
    // Moved once in a window's length, not for each piece.
    if window.len() > 2 * WINDOW_BYTES {
        window.drain(..window.len().saturating_sub(WINDOW_BYTES));
    }
}
