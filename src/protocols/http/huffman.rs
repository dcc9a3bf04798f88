//! The Huffman code of HPACK (RFC 7541 appendix B), which QPACK uses too.

/// Bits of each symbol's code; the last is EOS. The code is canonical: codes ascend with their length, and with the symbol
/// among equal lengths, so the lengths say all.
#[rustfmt::skip]
static LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];
/// Bits of the longest code.
const LONGEST: usize = 30;
/// Bits of the shortest code.
const SHORTEST: u32 = 5;
/// The symbol that ends a string; it may not stand in one (RFC 7541 section 5.2).
const EOS: u16 = 256;

/// For each length, where its codes stand.
struct Code {
    /// The first code that is longer, its bits at the top of 32; codes below it have this length or a shorter one.
    limits: [u32; LONGEST + 1],
    /// The first code of this length, its bits at the bottom.
    firsts: [u32; LONGEST + 1],
    /// Where the symbols of this length begin in `symbols`.
    starts: [u16; LONGEST + 1],
    /// All symbols by ascending code.
    symbols: [u16; 257],
}

static CODE: Code = code();

#[expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "computed by the compiler from a constant table: what is out of range does not compile"
)]
const fn code() -> Code {
    let mut code =
        Code { limits: [0; LONGEST + 1], firsts: [0; LONGEST + 1], starts: [0; LONGEST + 1], symbols: [0; 257] };
    let (mut next, mut place, mut length) = (0_u32, 0, 1);
    while length <= LONGEST {
        next <<= 1;
        code.firsts[length] = next;
        code.starts[length] = place as u16;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                code.symbols[place] = symbol as u16;
                place += 1;
                next += 1;
            }
            symbol += 1;
        }
        // The last limit would be 2^32: all ones stand for it, and EOS is all ones.
        code.limits[length] = if length == LONGEST { u32::MAX } else { next << (32 - length) };
        length += 1;
    }
    code
}

/// Decodes a string onto `out`; `None` where it breaks the rules: EOS inside, or padding that is too long or no ones
/// (RFC 7541 section 5.2).
pub(super) fn decode(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    // Bits wait at the top of `window`; `held` of them are the string's.
    let (mut window, mut held) = (0_u64, 0_u32);
    let mut bytes = bytes.iter();
    loop {
        while held <= 32 {
            let Some(byte) = bytes.next() else { break };
            window |= u64::from(*byte).checked_shl(56_u32.checked_sub(held)?)?;
            held = held.checked_add(8)?;
        }
        let top = u32::try_from(window >> 32).ok()?;
        let (length, symbol) = symbol(top)?;
        if length > held {
            // What is left is no whole code: padding.
            let padding = u64::MAX.checked_shl(64_u32.checked_sub(held.max(1))?)?;
            return (held < 8 && (held == 0 || window == padding)).then_some(());
        }
        if symbol == EOS {
            return None;
        }
        out.push(u8::try_from(symbol).ok()?);
        window = window.checked_shl(length)?;
        held = held.checked_sub(length)?;
    }
}

/// Length and symbol of the code at the top of `bits`.
fn symbol(bits: u32) -> Option<(u32, u16)> {
    let mut length = SHORTEST;
    for limit in CODE.limits.get(usize::try_from(SHORTEST).ok()?..)? {
        if bits < *limit || *limit == u32::MAX {
            break;
        }
        length = length.checked_add(1)?;
    }
    let index = usize::try_from(length).ok()?;
    let code = bits.checked_shr(32_u32.checked_sub(length)?)?;
    let place = code.checked_sub(*CODE.firsts.get(index)?)?.checked_add(u32::from(*CODE.starts.get(index)?))?;
    Some((length, *CODE.symbols.get(usize::try_from(place).ok()?)?))
}

/// Codes a string as RFC 7541 section 5.2 says, bit by bit.
#[cfg(test)]
pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    for byte in bytes {
        let length = usize::from(LENGTHS[usize::from(*byte)]);
        let place = CODE.symbols.iter().position(|s| *s == u16::from(*byte)).unwrap();
        let code = CODE.firsts[length] + u32::try_from(place).unwrap() - u32::from(CODE.starts[length]);
        bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    }
    bits.resize(bits.len().next_multiple_of(8), true);
    bits.chunks(8).map(|c| c.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};

    #[track_caller]
    fn check(coded: &[u8], want: Option<&[u8]>) {
        let mut out = Vec::new();
        assert_eq!(decode(coded, &mut out).map(|()| out.as_slice()), want);
    }

    #[test]
    fn of_the_standard() {
        // RFC 7541 appendices C.4.1, C.4.2, C.6.1.
        check(&[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff], Some(b"www.example.com"));
        check(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf], Some(b"no-cache"));
        check(&[0x64, 0x02], Some(b"302"));
        // Single codes of appendix B: 0, LF, 255.
        check(&[0xff, 0xc7], Some(&[0]));
        check(&[0xff, 0xff, 0xff, 0xf3], Some(b"\n"));
        check(&[0xff, 0xff, 0xfb, 0xbf], Some(&[255]));
    }

    #[test]
    fn what_breaks_the_rules() {
        check(&[], Some(b""));
        check(&[0xff], None);
        check(&[0xff; 4], None);
        check(&[0x00, 0x00], None);
        check(&[0x00], None);
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut out = Vec::new();
            prop_assert!(decode(&encode(&bytes), &mut out).is_some());
            prop_assert_eq!(out, bytes);
        }

        /// No string decodes to more than 8 letters for 5 bytes.
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut out = Vec::new();
            let _broken = decode(&bytes, &mut out);
            prop_assert!(out.len() * 5 <= bytes.len() * 8);
        }
    }
}
