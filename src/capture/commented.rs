//! A pcapng file copied with what is said of its frames: every block stays as it stands, with all that we do not read; those of
//! frames that something is said of get one more comment (pcapng draft section 3.5).
//!
//! Comes in: a file, where its frames' blocks begin, what is said. Goes out: the copy. Never: a byte of the file left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write};

use super::numbers::{Order, narrow, padded, size, wide};

/// Blocks that have options behind the frame's bytes: Enhanced Packet Block, and the Packet Block that it replaced.
const KINDS: [u32; 2] = [6, 2];
/// Bytes of such a block before the frame's own (both have as many), and where the length of these stands.
const HEAD: usize = 28;
const CAPTURED: usize = 20;
/// Bytes of a block that is changed: frames are far shorter.
const MOST: u32 = 64 << 20;
/// A Section Header Block, whose number reads alike from both ends, and its bytes up to the end of the section's length.
const SECTION: u32 = 0x0a0d_0d0a;
const SECTION_HEAD: usize = 24;
/// A comment's code among options.
const COMMENT: u16 = 1;

/// What becomes of a block.
enum Change<'a> {
    Comment(&'a str),
    /// The length of a section, which grows: it is no longer said.
    Length,
}

/// Copies the first `whole` bytes of a pcapng file; `comments` are texts by the places of the blocks of their frames. Gives
/// how many bytes were written. A Simple Packet Block has no room for a comment and stays without.
pub fn copy_commented(
    mut file: File,
    whole: u64,
    comments: &BTreeMap<u64, String>,
    out: &mut dyn Write,
) -> io::Result<u64> {
    let mut changes: BTreeMap<u64, Change<'_>> = BTreeMap::new();
    if !comments.is_empty() {
        changes.extend(sections(&mut file, whole)?.into_iter().map(|place| (place, Change::Length)));
        changes.extend(comments.range(..whole).map(|(place, words)| (*place, Change::Comment(words))));
    }
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let (mut at, mut written) = (0_u64, 0_u64);
    for (place, change) in &changes {
        let Some(before) = place.checked_sub(at) else { continue };
        written = written.saturating_add(io::copy(&mut (&mut reader).take(before), out)?);
        let left = whole.saturating_sub(*place);
        let mut block = Vec::new();
        (&mut reader).take(left.min(8)).read_to_end(&mut block)?;
        let len = match change {
            Change::Comment(_) => block.first_chunk().copied().and_then(packet_block).map_or(0, |(_, len)| len),
            Change::Length => narrow(SECTION_HEAD),
        };
        if u64::from(len) <= left {
            (&mut reader).take(u64::from(len).saturating_sub(8)).read_to_end(&mut block)?;
        }
        at = place.saturating_add(wide(block.len()));
        let block = match change {
            Change::Comment(words) => with_comment(&block, words).unwrap_or(block),
            Change::Length => {
                if let Some(length) = block.get_mut(16..24) {
                    length.fill(0xff);
                }
                block
            }
        };
        out.write_all(&block)?;
        written = written.saturating_add(wide(block.len()));
    }
    let rest = io::copy(&mut reader.take(whole.saturating_sub(at)), out)?;
    Ok(written.saturating_add(rest))
}

/// Where section headers stand that say how long their sections are, as far as blocks follow each other.
fn sections(file: &mut File, whole: u64) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    let mut reader = BufReader::with_capacity(1 << 16, &mut *file);
    let (mut at, mut order) = (0_u64, Order::Little);
    let mut head = [0; SECTION_HEAD];
    while at.saturating_add(wide(head.len())) <= whole {
        reader.read_exact(&mut head)?;
        if order.u32_at(&head, 0) == Some(SECTION) {
            order = if head.get(8..12) == Some(&[0x1a, 0x2b, 0x3c, 0x4d]) { Order::Big } else { Order::Little };
            if head.get(16..24) != Some(&[0xff; 8]) {
                found.push(at);
            }
        }
        let len = u64::from(order.u32_at(&head, 4).unwrap_or_default());
        if len < 12 || !len.is_multiple_of(4) {
            break;
        }
        at = at.saturating_add(len);
        reader.seek(SeekFrom::Start(at))?;
    }
    file.rewind()?;
    Ok(found)
}

/// Byte order and length of a block that may get a comment.
fn packet_block(head: [u8; 8]) -> Option<(Order, u32)> {
    let [a, b, c, d, len @ ..] = head;
    let order = [Order::Little, Order::Big].into_iter().find(|order| KINDS.contains(&order.u32([a, b, c, d])))?;
    let len = order.u32(len);
    (len.is_multiple_of(4) && (32..=MOST).contains(&len)).then_some((order, len))
}

/// The block with one more comment, before its other options; `None` where it is not built as it should be.
fn with_comment(block: &[u8], comment: &str) -> Option<Vec<u8>> {
    let (order, len) = packet_block(*block.first_chunk()?)?;
    let body_end = block.len().checked_sub(4)?;
    if order.u32_at(block, body_end)? != len {
        return None;
    }
    let options = HEAD.checked_add(padded(size(order.u32_at(block, CAPTURED)?)))?;
    let (frame, others) = block.get(..body_end)?.split_at_checked(options)?;
    // Options have 16 bits for their length.
    let mut end = comment.len().min(usize::from(u16::MAX));
    while !comment.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let words = comment.get(..end)?.as_bytes();
    let words_len = u16::try_from(words.len()).ok()?;
    let u16s = |value: u16| if order == Order::Little { value.to_le_bytes() } else { value.to_be_bytes() };
    let u32s = |value: u32| if order == Order::Little { value.to_le_bytes() } else { value.to_be_bytes() };
    let mut out = frame.to_vec();
    out.extend(u16s(COMMENT));
    out.extend(u16s(words_len));
    out.extend(words);
    out.resize(padded(out.len()), 0);
    out.extend(others);
    if others.is_empty() {
        // The end of the options.
        out.extend([0; 4]);
    }
    let len = u32s(u32::try_from(out.len().checked_add(4)?).ok()?);
    out.get_mut(4..8)?.copy_from_slice(&len);
    out.extend(len);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of either byte order with these bytes and options.
    fn block(order: Order, kind: u32, bytes: &[u8], options: &[u8]) -> Vec<u8> {
        let u32s = |value: u32| if order == Order::Little { value.to_le_bytes() } else { value.to_be_bytes() };
        let len = u32s(narrow([32, padded(bytes.len()), options.len()].iter().sum()));
        let mut out = [u32s(kind), len, [0; 4], [0; 4], [0; 4], u32s(narrow(bytes.len())), u32s(9)].concat();
        out.extend(bytes);
        out.resize(padded(out.len()), 0);
        out.extend(options);
        out.extend(len);
        out
    }

    fn copied(blocks: &[Vec<u8>], said: &[(usize, &str)]) -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&blocks.concat()).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let place = |n: usize| blocks.iter().take(n).map(|block| wide(block.len())).sum();
        let comments = said.iter().map(|(n, words)| (place(*n), (*words).to_owned())).collect();
        let mut out = Vec::new();
        let whole = wide(blocks.concat().len());
        let written = copy_commented(file, whole, &comments, &mut out).unwrap();
        assert_eq!(written, wide(out.len()));
        out
    }

    #[test]
    fn a_comment_stands_before_other_options() {
        for order in [Order::Little, Order::Big] {
            let u16s = |value: u16| if order == Order::Little { value.to_le_bytes() } else { value.to_be_bytes() };
            let option = |words: &str| {
                let mut out = [u16s(1), u16s(u16::try_from(words.len()).unwrap())].concat();
                out.extend(words.as_bytes());
                out.resize(padded(out.len()), 0);
                out
            };
            let other = [option("other"), vec![0; 4]].concat();
            let blocks =
                [block(order, 6, b"abcde", &[]), block(order, 5, b"xy", &[]), block(order, 2, b"abcd", &other)];
            let want = [
                block(order, 6, b"abcde", &[option("mine"), vec![0; 4]].concat()),
                blocks[1].clone(),
                block(order, 2, b"abcd", &[option("ä!"), other].concat()),
            ];
            assert_eq!(copied(&blocks, &[(0, "mine"), (2, "ä!")]), want.concat(), "{order:?}");
        }
    }

    /// A section header that says how long its section is.
    fn section(order: Order, len: [u8; 8]) -> Vec<u8> {
        let u32s = |value: u32| if order == Order::Little { value.to_le_bytes() } else { value.to_be_bytes() };
        [&u32s(SECTION)[..], &u32s(28), &u32s(0x1a2b_3c4d), &[0, 1, 0, 0], &len, &u32s(28)].concat()
    }

    #[test]
    fn a_section_that_grows_says_no_length_any_more() {
        for order in [Order::Little, Order::Big] {
            let blocks = [section(order, [7; 8]), block(order, 6, b"a", &[]), section(order, [0xff; 8])];
            assert_eq!(copied(&blocks, &[]), blocks.concat(), "nothing grows");
            let out = copied(&blocks, &[(1, "b")]);
            assert_eq!(out.get(..28), Some(section(order, [0xff; 8]).as_slice()));
            assert_eq!(out.len(), blocks.concat().len() + 12);
        }
    }

    #[test]
    fn what_cannot_have_one_stays_as_it_is() {
        let mut torn = block(Order::Little, 6, b"abcd", &[]);
        let last = torn.len() - 1;
        torn[last] = 7;
        let blocks = [block(Order::Little, 3, b"abcdefghijkl", &[]), torn, vec![6, 0, 0, 0, 1, 2]];
        assert_eq!(copied(&blocks, &[(0, "a"), (1, "b"), (2, "c")]), blocks.concat());
        let long = copied(&[block(Order::Big, 6, b"", &[])], &[(0, &"é".repeat(40_000))]);
        assert_eq!(long.len(), 32 + 4 + 65_536 + 4, "as much as an option holds");
    }
}
