//! Blocks of pcapng as a live capture writes them: section header, interface, frames, statistics
//! (draft-ietf-opsawg-pcapng).
//!
//! Comes in: what libpcap told. Goes out: bytes appended to a buffer, whole blocks only, little-endian. Never: a name of the
//! machine, its system or its user.

use crate::model::LinkType;

/// Type of a section header block; the same in both byte orders.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const FRAME: u32 = 6;

/// What the interface block says.
#[derive(Clone, Debug)]
pub(super) struct InterfaceBlock {
    pub(super) name: String,
    pub(super) link: LinkType,
    pub(super) snap_len: u32,
    /// Whether times are in nanoseconds; else in microseconds.
    pub(super) nanos: bool,
    pub(super) filter: String,
}

/// Counters since a section began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    /// When the section began and when the counters were read, in the units of the interface since 1970.
    pub(super) begun: u64,
    pub(super) now: u64,
    /// Frames that passed the filter, those that the kernel dropped included.
    pub(super) received: u64,
    /// Frames that the kernel dropped because nobody took them in time.
    pub(super) dropped: u64,
    /// Frames that the interface or its driver dropped.
    pub(super) interface_dropped: u64,
    /// Frames written.
    pub(super) written: u64,
}

/// Begins a section of unknown length, with a comment where it is not empty.
pub(super) fn section_header(out: &mut Vec<u8>, comment: &str) {
    block(out, SECTION_HEADER, |out| {
        out.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        out.extend_from_slice(&1_u16.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&(-1_i64).to_le_bytes());
        if !comment.is_empty() {
            option(out, 1, comment.as_bytes());
        }
        option(out, 4, concat!("nephoscope ", env!("CARGO_PKG_VERSION")).as_bytes());
        end_of_options(out);
    });
}

/// Describes the one interface of the section.
pub(super) fn interface(out: &mut Vec<u8>, facts: &InterfaceBlock) {
    block(out, INTERFACE, |out| {
        out.extend_from_slice(&facts.link.0.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&facts.snap_len.to_le_bytes());
        if !facts.name.is_empty() {
            option(out, 2, facts.name.as_bytes());
        }
        option(out, 9, &[if facts.nanos { 9 } else { 6 }]);
        if !facts.filter.is_empty() {
            // The byte before it says that it is text, not instructions.
            let filter: Vec<u8> = core::iter::once(0).chain(facts.filter.bytes()).collect();
            option(out, 11, &filter);
        }
        end_of_options(out);
    });
}

/// Appends a frame of the first interface; gives the length of its block.
pub(super) fn frame(out: &mut Vec<u8>, time: u64, bytes: &[u8], original_len: u32) -> u64 {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let padding = bytes.len().wrapping_neg() & 3;
    let total = bytes.len().saturating_add(padding).saturating_add(32);
    let total_len = u32::try_from(total).unwrap_or(u32::MAX).to_le_bytes();
    let [high, low] = halves(time);
    out.reserve(total);
    for word in [FRAME.to_le_bytes(), total_len, [0; 4], high, low, len.to_le_bytes(), original_len.to_le_bytes()] {
        out.extend_from_slice(&word);
    }
    out.extend_from_slice(bytes);
    out.extend_from_slice([0_u8; 3].get(..padding).unwrap_or_default());
    out.extend_from_slice(&total_len);
    u64::try_from(total).unwrap_or(u64::MAX)
}

/// A frame with all that its block can say.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketBlock<'a> {
    /// Which interface of the section.
    pub(super) interface: u32,
    /// In the units of the interface since 1970.
    pub(super) time: u64,
    pub(super) original_len: u32,
    /// Empty for none.
    pub(super) comment: &'a str,
}

/// Appends a frame that was captured before.
pub(super) fn packet(out: &mut Vec<u8>, facts: &PacketBlock<'_>, bytes: &[u8]) {
    block(out, FRAME, |out| {
        let [high, low] = halves(facts.time);
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        for word in [facts.interface.to_le_bytes(), high, low, len, facts.original_len.to_le_bytes()] {
            out.extend_from_slice(&word);
        }
        out.extend_from_slice(bytes);
        out.extend_from_slice([0_u8; 3].get(..bytes.len().wrapping_neg() & 3).unwrap_or_default());
        if !facts.comment.is_empty() {
            option(out, 1, facts.comment.as_bytes());
            end_of_options(out);
        }
    });
}

/// A time as the format has it: the upper four bytes first, each half in the order of the section.
fn halves(time: u64) -> [[u8; 4]; 2] {
    [time >> 32, time & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or(u32::MAX).to_le_bytes())
}

/// Appends the counters.
pub(super) fn statistics(out: &mut Vec<u8>, counted: &Statistics) {
    let halves = |time: u64| halves(time).concat();
    block(out, STATISTICS, |out| {
        out.extend_from_slice(&0_u32.to_le_bytes());
        out.extend_from_slice(&halves(counted.now));
        option(out, 2, &halves(counted.begun));
        option(out, 3, &halves(counted.now));
        option(out, 4, &counted.received.to_le_bytes());
        option(out, 5, &counted.interface_dropped.to_le_bytes());
        option(out, 6, &counted.received.to_le_bytes());
        option(out, 7, &counted.dropped.to_le_bytes());
        option(out, 8, &counted.written.to_le_bytes());
        end_of_options(out);
    });
}

/// How many of the first `cut` bytes are whole blocks, and how many frames are in them. `bytes` are whole blocks.
pub(super) fn whole_blocks(bytes: &[u8], cut: usize) -> (usize, u64) {
    let (mut at, mut frames) = (0_usize, 0_u64);
    while let Some(&[a, b, c, d, e, f, g, h]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let len = usize::try_from(u32::from_le_bytes([e, f, g, h])).unwrap_or(usize::MAX);
        let end = at.saturating_add(len.max(12));
        if end > cut {
            break;
        }
        at = end;
        frames = frames.saturating_add(u64::from(u32::from_le_bytes([a, b, c, d]) == FRAME));
    }
    (at, frames)
}

fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let total = u32::try_from(out.len().saturating_sub(start).saturating_add(4)).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&total);
    let place = start.saturating_add(4);
    if let Some(place) = out.get_mut(place..place.saturating_add(4)) {
        place.copy_from_slice(&total);
    }
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    // Names and filters are far shorter; the rest is ours.
    let Ok(len) = u16::try_from(value.len()) else { return };
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(value);
    out.extend_from_slice([0_u8; 3].get(..value.len().wrapping_neg() & 3).unwrap_or_default());
}

fn end_of_options(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 4]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture() -> Vec<u8> {
        let mut out = Vec::new();
        section_header(&mut out, "");
        let facts = InterfaceBlock {
            name: "eth0".to_owned(),
            link: LinkType::ETHERNET,
            snap_len: 262_144,
            nanos: true,
            filter: "tcp".to_owned(),
        };
        interface(&mut out, &facts);
        frame(&mut out, 0x0102_0304_0506_0708, b"abcde", 60);
        statistics(&mut out, &Statistics { received: 3, dropped: 2, written: 1, ..Statistics::default() });
        out
    }

    #[test]
    fn blocks_are_whole_and_padded() {
        let out = capture();
        assert_eq!(out.len() % 4, 0);
        assert_eq!(whole_blocks(&out, out.len()), (out.len(), 1));
        let mut alone = Vec::new();
        assert_eq!(frame(&mut alone, 0x0102_0304_0506_0708, b"abcde", 60), 40);
        assert_eq!(
            alone,
            [
                6, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, 5, 0, 0, 0, 60, 0, 0, 0, 97, 98, 99, 100,
                101, 0, 0, 0, 40, 0, 0, 0
            ]
        );
    }

    #[test]
    fn a_cut_goes_back_to_the_last_whole_block() {
        let mut out = Vec::new();
        frame(&mut out, 0, b"abcd", 4);
        frame(&mut out, 0, b"abcdef", 6);
        assert_eq!(out.len(), 36 + 40);
        for (cut, want) in [(0, (0, 0)), (35, (0, 0)), (36, (36, 1)), (75, (36, 1)), (76, (76, 2))] {
            assert_eq!(whole_blocks(&out, cut), want, "{cut}");
        }
    }
}
