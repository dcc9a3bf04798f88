//! Ranges in a block and the one safe way to read from bytes that strangers wrote.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

/// Where something stands in a block (a head, a handshake message, a DNS message): start and length in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

impl ByteRange {
    /// From two offsets, `start..end`; an end before the start gives an empty range.
    pub fn between(start: usize, end: usize) -> Self {
        let len = end.saturating_sub(start);
        Self { start: u32::try_from(start).unwrap_or(u32::MAX), len: u32::try_from(len).unwrap_or(u32::MAX) }
    }

    /// The bytes of this range in `block`; empty where the block is too short.
    pub fn of(self, block: &[u8]) -> &[u8] {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(self.len).unwrap_or(usize::MAX));
        block.get(start..end).unwrap_or_default()
    }

    /// The offset after the last byte.
    pub fn end(self) -> u32 {
        self.start.saturating_add(self.len)
    }
}

/// Why bytes are not what a parser reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// Another protocol.
    NotThis,
    /// A length or count over its limit.
    TooLong,
    /// The right protocol, broken.
    Malformed,
}

/// What one step of a parser gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// A whole value, and how many bytes of the input it took.
    Done {
        /// Bytes used.
        used: usize,
        /// What was read.
        value: T,
    },
    /// The input ends before the value does.
    NeedMore,
    /// The input is not such a value.
    Reject(Reject),
}

/// Reads big-endian numbers and slices from the front of some bytes; `None` where they end too soon.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read so far.
    pub fn used(&self) -> usize {
        self.at
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at = self.at.checked_add(1)?;
        Some(byte)
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.array()?))
    }

    /// Three bytes, big-endian.
    pub fn u24(&mut self) -> Option<u32> {
        let [a, b, c] = self.array()?;
        Some(u32::from_be_bytes([0, a, b, c]))
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.array()?))
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.array()?))
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let end = self.at.checked_add(N)?;
        let array = self.bytes.get(self.at..end)?.try_into().ok()?;
        self.at = end;
        Some(array)
    }

    /// The next `len` bytes as a slice.
    pub fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let slice = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(slice)
    }

    /// The next `len` bytes as a range of the whole input.
    pub fn take(&mut self, len: usize) -> Option<ByteRange> {
        let start = self.at;
        self.slice(len)?;
        Some(ByteRange::between(start, self.at))
    }

    /// Passes over `len` bytes.
    pub fn skip(&mut self, len: usize) -> Option<()> {
        self.slice(len).map(|_| ())
    }
}
