//! Base64 as it stands in bodies and URLs.
//!
//! Comes in: the bytes held and where base64 begins. Goes out: what it says, and which symbols say it. Never: more symbols
//! than the caller allows.

use super::find::{at, hex_after};

/// Base64 (RFC 4648), of either alphabet, padded or not, with the escapes that JSON and URLs put in.
pub(super) struct Base64Run {
    pub(super) end: usize,
    pub(super) decoded: Vec<u8>,
    /// Index of the first byte of every fourth symbol, and of the end.
    raw: Vec<usize>,
    pub(super) is_too_long: bool,
}

impl Base64Run {
    /// Index of the symbols that hold this decoded byte.
    pub(super) fn raw_of(&self, decoded: usize) -> usize {
        self.raw.get(decoded / 3).copied().unwrap_or(self.end)
    }

    /// Index after the symbols that hold the bytes before this decoded one.
    pub(super) fn raw_after(&self, decoded: usize) -> usize {
        self.raw.get(decoded.div_ceil(3)).copied().unwrap_or(self.end)
    }
}

pub(super) fn base64_run(bytes: &[u8], from: usize, most: usize) -> Base64Run {
    let is_segment = from.checked_sub(1).is_some_and(|before| at(bytes, before) == b'/');
    let mut run = Base64Run { end: from, decoded: Vec::new(), raw: Vec::new(), is_too_long: false };
    let (mut bits, mut count, mut symbols) = (0_u32, 0_u32, 0_usize);
    while let Some(byte) = bytes.get(run.end).copied() {
        let (symbol, used) = match byte {
            b'\\' if at(bytes, run.end.saturating_add(1)) == b'/' => (b'/', 2),
            b'%' => (hex_after(bytes, run.end).unwrap_or(0), 3),
            other => (other, 1),
        };
        let value = match symbol {
            b'A'..=b'Z' => symbol.wrapping_sub(b'A'),
            b'a'..=b'z' => symbol.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => symbol.wrapping_sub(b'0').wrapping_add(52),
            b'+' | b'-' => 62,
            b'/' if is_segment && byte == b'/' => break,
            b'/' | b'_' => 63,
            _ => break,
        };
        if run.end.saturating_add(used).saturating_sub(from) > most {
            run.is_too_long = true;
            break;
        }
        if symbols.is_multiple_of(4) {
            run.raw.push(run.end);
        }
        symbols = symbols.saturating_add(1);
        bits = (bits << 6) | u32::from(value);
        count = count.saturating_add(6);
        if count >= 8 {
            count = count.saturating_sub(8);
            let [.., low] = (bits >> count).to_be_bytes();
            run.decoded.push(low);
        }
        run.end = run.end.saturating_add(used);
    }
    run
}
