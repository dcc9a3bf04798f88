//! The walk over a capture: frames become units, in blocks that travel to the shards.

use crate::capture::{Batch, CaptureError, CaptureReader};
use crate::decode::{Decoder, Outcome};
use crate::model::{Budget, FrameNo, LimitHit, Payload, Timestamp, Unit};

/// After so many frames silent flows are looked for. Counted over the capture, so that the number of shards changes nothing.
const SWEEP_FRAMES: u32 = 65_536;

/// A moment to look for silent flows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep {
    /// Before this unit of the block.
    pub(super) before_unit: usize,
    /// The capture's clock: the latest frame time so far.
    pub(super) now: Timestamp,
    /// The frame that set it off.
    pub(super) frame: FrameNo,
}

/// About a mebibyte of frames with the units found in them; reused.
#[derive(Debug, Default)]
pub(super) struct Block {
    batch: Batch,
    reassembled: Vec<u8>,
    /// Segments and datagrams in frame order.
    pub(super) units: Vec<Unit>,
    /// For each unit, where its frame begins in the batch.
    starts: Vec<u32>,
    /// Earlier frames that brought fragments of a unit: index of the unit, frame, record offset.
    pub(super) earlier: Vec<(usize, FrameNo, u64)>,
    /// When to look for silent flows.
    pub(super) sweeps: Vec<Sweep>,
}

impl Block {
    /// The captured payload of the unit at `index`.
    pub(super) fn payload(&self, index: usize) -> &[u8] {
        let (Some(unit), Some(base)) = (self.units.get(index), self.starts.get(index)) else { return &[] };
        let (bytes, start, len) = match unit.payload {
            Payload::InFrame { start, len } => (&self.batch.bytes, *base as usize + start as usize, len as usize),
            Payload::Reassembled { start, len } => (&self.reassembled, start as usize, len as usize),
        };
        bytes.get(start..start + len).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.reassembled.clear();
        self.units.clear();
        self.starts.clear();
        self.earlier.clear();
        self.sweeps.clear();
    }
}

/// Reads and decodes.
#[derive(Debug)]
pub(super) struct Walker {
    pub(super) reader: CaptureReader,
    decoder: Decoder,
    clock: Timestamp,
    /// Frames whose link type or headers are not understood.
    pub(super) undecoded_frames: u64,
    /// Frames understood that carry neither TCP nor UDP.
    pub(super) other_frames: u64,
}

impl Walker {
    pub(super) fn new(reader: CaptureReader, budget: &Budget) -> Self {
        Self { reader, decoder: Decoder::new(budget), clock: Timestamp(i64::MIN), undecoded_frames: 0, other_frames: 0 }
    }

    /// Fills `block` with the next frames; `false` at the end.
    pub(super) fn next(&mut self, block: &mut Block) -> Result<bool, CaptureError> {
        block.clear();
        let more = self.reader.next_batch(&mut block.batch)?;
        for frame in &block.batch.frames {
            self.clock = self.clock.max(frame.head.time);
            if frame.head.number.0 % SWEEP_FRAMES == 0 {
                let before_unit = block.units.len();
                block.sweeps.push(Sweep { before_unit, now: self.clock, frame: frame.head.number });
            }
            match self.decoder.frame(&frame.head, block.batch.frame(frame), &mut block.reassembled) {
                Outcome::Unit(unit) => {
                    if matches!(unit.payload, Payload::Reassembled { .. }) {
                        let index = block.units.len();
                        let earlier = self.decoder.earlier_fragments();
                        block.earlier.extend(earlier.iter().map(|(frame, offset)| (index, *frame, *offset)));
                    }
                    block.units.push(unit);
                    block.starts.push(frame.start);
                }
                Outcome::Fragment => {}
                Outcome::Other => self.other_frames += 1,
                Outcome::Undecoded => self.undecoded_frames += 1,
            }
        }
        if !more {
            self.decoder.finish();
        }
        while let Some(unit) = self.decoder.given_up(&mut block.reassembled) {
            block.units.push(unit);
            block.starts.push(0);
        }
        Ok(more)
    }

    /// Limits reached by reading and decoding.
    pub(super) fn limits(&self) -> Vec<LimitHit> {
        let mut limits = self.reader.facts().limits.clone();
        limits.extend(self.decoder.limits());
        limits
    }
}
