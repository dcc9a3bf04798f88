//! Which frames each flow had, so that panes and exports can read them again.

use std::sync::Arc;

use super::blocks::BlockRef;
use crate::model::{FlowId, FrameNo};

/// Flows in one shared chunk.
const CHUNK: usize = 4_096;

/// Where the frame list of each ended flow stands; a clone shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowIndex {
    chunks: Vec<Arc<Vec<(FlowId, BlockRef)>>>,
}

impl FlowIndex {
    pub(super) fn push(&mut self, flow: FlowId, place: BlockRef) {
        if self.chunks.last().is_none_or(|c| c.len() >= CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            Arc::make_mut(chunk).push((flow, place));
        }
    }

    /// Flows end in no order of their numbers, and only a pane asks: a walk over a million takes a millisecond.
    pub(super) fn find(&self, flow: FlowId) -> Option<BlockRef> {
        self.chunks.iter().flat_map(|c| c.iter()).find(|(id, _)| *id == flow).map(|(_, place)| *place)
    }
}

/// Writes frames as differences to the one before, each as zigzag LEB128.
pub(super) fn write_frames(out: &mut Vec<u8>, frames: impl Iterator<Item = (FrameNo, u64)>) {
    let (mut number, mut offset) = (0_i64, 0_i64);
    for (frame, at) in frames {
        for (last, next) in [(&mut number, i64::from(frame.0)), (&mut offset, at.cast_signed())] {
            let step = next.wrapping_sub(*last);
            let mut rest = ((step << 1) ^ (step >> 63)).cast_unsigned();
            while rest >= 0x80 {
                out.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            out.push(rest as u8);
            *last = next;
        }
    }
}

/// Reads them again; `None` where the bytes are not what [`write_frames`] wrote.
pub(super) fn read_frames(bytes: &[u8]) -> Option<Vec<(FrameNo, u64)>> {
    let mut bytes = bytes.iter();
    let mut number = || -> Option<Option<i64>> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some(byte) = bytes.next() else { return (shift == 0).then_some(None) };
            value |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed())));
            }
        }
        None
    };
    let (mut frame, mut offset, mut frames) = (0_i64, 0_i64, Vec::new());
    while let Some(step) = number()? {
        frame = frame.wrapping_add(step);
        offset = offset.wrapping_add(number()??);
        frames.push((FrameNo(u32::try_from(frame).ok()?), offset.cast_unsigned()));
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::{FrameNo, read_frames, write_frames};

    #[test]
    fn frames_come_back() {
        let frames =
            vec![(FrameNo(7), 24), (FrameNo(3), 9_000_000_000), (FrameNo(u32::MAX), u64::MAX), (FrameNo(0), 0)];
        let mut bytes = Vec::new();
        write_frames(&mut bytes, frames.iter().copied());
        assert_eq!(read_frames(&bytes).unwrap(), frames);
        assert_eq!(read_frames(&[]).unwrap(), vec![]);
        assert!(read_frames(&bytes[..bytes.len() - 1]).is_none());
    }
}
