//! The frames of a flow in a few bytes each: differences as LEB128.

use crate::model::FrameNo;

/// Frame numbers with record offsets, in the order in which they were pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameList {
    bytes: Vec<u8>,
    frame: u32,
    offset: u64,
}

impl FrameList {
    /// Appends a frame.
    pub fn push(&mut self, frame: FrameNo, record_offset: u64) {
        if self.bytes.capacity() == 0 {
            // Most flows have some twenty frames of two to three bytes: one allocation instead of four.
            self.bytes.reserve(64);
        }
        put(&mut self.bytes, zigzag(i64::from(frame.0).wrapping_sub(i64::from(self.frame))));
        put(&mut self.bytes, zigzag(record_offset.wrapping_sub(self.offset).cast_signed()));
        (self.frame, self.offset) = (frame.0, record_offset);
    }

    /// The list as bytes, to be kept elsewhere.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A list again from [`FrameList::as_bytes`], for reading.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// The frames with their record offsets.
    pub fn iter(&self) -> impl Iterator<Item = (FrameNo, u64)> + '_ {
        let mut bytes = self.bytes.iter();
        let (mut frame, mut offset) = (0_i64, 0_u64);
        core::iter::from_fn(move || {
            frame = frame.wrapping_add(unzigzag(take(&mut bytes)?));
            offset = offset.wrapping_add_signed(unzigzag(take(&mut bytes)?));
            Some((FrameNo(u32::try_from(frame).ok()?), offset))
        })
    }

    /// Takes the list out, leaving an empty one.
    #[must_use]
    pub fn take(&mut self) -> Self {
        core::mem::take(self)
    }
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ (n & 1).cast_signed().wrapping_neg()
}

fn put(out: &mut Vec<u8>, mut n: u64) {
    loop {
        let [low, ..] = n.to_le_bytes();
        n >>= 7;
        if n == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn take(bytes: &mut core::slice::Iter<'_, u8>) -> Option<u64> {
    let mut n = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.next()?;
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{FrameList, FrameNo};

    #[test]
    fn frames_come_back() {
        let frames = [(FrameNo(1), 24), (FrameNo(9), 8_000_000_000), (FrameNo(2), 40), (FrameNo(u32::MAX), u64::MAX)];
        let mut list = FrameList::default();
        for (frame, offset) in frames {
            list.push(frame, offset);
        }
        let kept = FrameList::from_bytes(list.as_bytes().to_vec());
        assert_eq!(kept.iter().collect::<Vec<_>>(), frames);
        assert_eq!(list.take().iter().collect::<Vec<_>>(), frames);
        assert_eq!(list.iter().count(), 0);
    }
}
