//! Where a URL ends, and what it says once the escapes of its container are undone.
//!
//! Comes in: bytes and the place where a URL begins. Goes out: its end and its decoded text. Never: a byte beyond
//! [`MAX_LINK`] from the start, nor one beyond a hole.

use std::borrow::Cow;

use super::MAX_LINK;
use super::find::{End, View, at};
use super::url::{hex_pair, is_plain};

/// Room for the text of most URLs.
const USUAL_BYTES: usize = 128;

/// What stands around a URL and closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fence {
    /// Nothing: it stands in prose.
    None,
    /// This byte. Up to it, prose's closing marks are the URL's own.
    Byte(u8),
    /// The end of the bytes.
    End,
}

/// Which escapes the container uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escapes {
    /// `&amp;`, `&#38;`, `&#x26;`.
    pub(super) entities: bool,
    /// `\/`, `\u0026` (RFC 8259 section 7), `\x26`, up to three backslashes for JSON inside JSON strings.
    pub(super) backslashes: bool,
}

/// One URL as read.
pub(super) struct Run {
    /// Index after its last byte.
    pub(super) end: usize,
    /// Decoded.
    pub(super) text: Vec<u8>,
    pub(super) is_escaped: bool,
    /// Whether it ended at its fence.
    pub(super) is_fenced: bool,
}

/// How reading a URL went.
pub(super) enum Reached {
    Run(Run),
    /// A hole cut it.
    Hole,
    /// It is longer than the limit.
    TooLong,
}

/// A decoded character, or what closes a URL.
enum Unit {
    Char(char, usize),
    /// A byte of a longer character, kept as it is.
    Raw(u8),
    /// A quote that the container escaped.
    Quote(u8),
    Stop,
}

/// Reads a URL from `from` on. Where it does not reach its fence, the rules of prose hold: it ends at quotes, white space
/// and unbalanced brackets, and closing punctuation is not part of it.
pub(super) fn read(view: View<'_>, from: usize, fence: Fence, escapes: Escapes) -> Reached {
    if fence == Fence::None {
        return read_once(view, from, fence, escapes);
    }
    match read_once(view, from, fence, escapes) {
        Reached::Run(run) if !run.is_fenced => read_once(view, from, Fence::None, escapes),
        other => other,
    }
}

fn read_once(view: View<'_>, from: usize, fence: Fence, escapes: Escapes) -> Reached {
    let prose = fence == Fence::None;
    let last = from.saturating_add(MAX_LINK);
    let mut here = from;
    let mut run = Run { end: from, text: Vec::with_capacity(USUAL_BYTES), is_escaped: false, is_fenced: false };
    let (mut good_text, mut round, mut square) = (0_usize, 0_u16, 0_u16);
    loop {
        // The most part of a URL are bytes that mean themselves in every container.
        let rest = view.bytes.get(here..last.saturating_add(1).min(view.bytes.len())).unwrap_or_default();
        let plain = rest.get(..rest.iter().take_while(|byte| is_plain(**byte)).count()).unwrap_or_default();
        if !plain.is_empty() {
            run.text.extend_from_slice(plain);
            here = here.saturating_add(plain.len());
            if here > last {
                return Reached::TooLong;
            }
            good_text = run.text.len();
            run.end = here;
        }
        let Some(byte) = view.bytes.get(here).copied() else {
            if view.end == End::Cut {
                return Reached::Hole;
            }
            run.is_fenced = fence == Fence::End;
            break;
        };
        if fence == Fence::Byte(byte) {
            run.is_fenced = true;
            break;
        }
        let unit = unit(view.bytes, here, byte, escapes);
        // An escape that the hole cut reads like a stop.
        if matches!(byte, b'\\' | b'&') && view.end == End::Cut && here.saturating_add(16) > view.bytes.len() {
            return Reached::Hole;
        }
        let used = match unit {
            Unit::Stop => break,
            Unit::Quote(quote) => {
                run.is_fenced = fence == Fence::Byte(quote);
                break;
            }
            Unit::Raw(raw) => {
                if prose && is_foreign_stop(view.bytes, here) {
                    break;
                }
                run.text.push(raw);
                1
            }
            Unit::Char(c, used) => {
                if is_stop(c) || prose && matches!(c, '\'' | '`' | '{' | '}' | '|' | '^' | '\\') {
                    run.is_fenced = used > 1 && u8::try_from(c).is_ok_and(|c| fence == Fence::Byte(c));
                    break;
                }
                let balanced = match c {
                    '(' => open(&mut round),
                    '[' => open(&mut square),
                    ')' => close(&mut round),
                    ']' => close(&mut square),
                    _ => true,
                };
                if prose && !balanced {
                    break;
                }
                run.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                run.is_escaped |= used > 1;
                used
            }
        };
        here = here.saturating_add(used);
        if here > last {
            return Reached::TooLong;
        }
        let is_closing = run.text.last().is_some_and(|byte| matches!(byte, b'.' | b',' | b';' | b':' | b'!' | b'?'));
        if !prose || !is_closing {
            good_text = run.text.len();
            run.end = here;
        }
    }
    run.text.truncate(good_text);
    Reached::Run(run)
}

fn open(depth: &mut u16) -> bool {
    *depth = depth.saturating_add(1);
    true
}

fn close(depth: &mut u16) -> bool {
    let had = *depth > 0;
    *depth = depth.saturating_sub(1);
    had
}

fn is_stop(c: char) -> bool {
    c.is_control() || matches!(c, ' ' | '"' | '<' | '>' | '\u{A0}' | '\u{FFFD}')
}

/// Spaces, quotes and brackets of other scripts, which prose sets against a URL: U+00A0 to 00BB in part, U+2000 to 203F,
/// U+3000 to 303F, U+FF00 to FF3F.
fn is_foreign_stop(bytes: &[u8], here: usize) -> bool {
    matches!(
        (at(bytes, here), at(bytes, here.saturating_add(1))),
        (0xC2, 0xA0 | 0xAB | 0xBB) | (0xE2 | 0xE3, 0x80) | (0xEF, 0xBC)
    )
}

fn unit(bytes: &[u8], here: usize, byte: u8, escapes: Escapes) -> Unit {
    match byte {
        b'\\' if escapes.backslashes => backslash(bytes, here),
        b'&' if escapes.entities => entity(bytes, here).map_or(Unit::Char('&', 1), |(c, used)| Unit::Char(c, used)),
        0x80.. => Unit::Raw(byte),
        _ => Unit::Char(char::from(byte), 1),
    }
}

fn backslash(bytes: &[u8], here: usize) -> Unit {
    let tail = bytes.get(here..).unwrap_or_default();
    let depth = tail.iter().take(4).take_while(|byte| **byte == b'\\').count();
    let rest = tail.get(depth..).unwrap_or_default();
    let used = |more: usize| depth.saturating_add(more);
    match rest.first() {
        _ if depth > 3 => Unit::Stop,
        Some(b'/') => Unit::Char('/', used(1)),
        Some(quote @ (b'"' | b'\'')) => Unit::Quote(*quote),
        Some(b'x') => hex_pair(rest.get(1).copied(), rest.get(2).copied())
            .map_or(Unit::Stop, |value| Unit::Char(char::from(value), used(3))),
        Some(b'u') => match (hex_four(rest), rest.get(5..).and_then(hex_low)) {
            (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
                let both = char::decode_utf16([high, low]).next().and_then(Result::ok);
                both.map_or(Unit::Stop, |c| Unit::Char(c, used(11)))
            }
            (Some(one), _) => char::from_u32(u32::from(one)).map_or(Unit::Stop, |c| Unit::Char(c, used(5))),
            (None, _) => Unit::Stop,
        },
        _ => Unit::Stop,
    }
}

/// Value of `uXXXX`.
fn hex_four(text: &[u8]) -> Option<u16> {
    let high = hex_pair(text.get(1).copied(), text.get(2).copied())?;
    let low = hex_pair(text.get(3).copied(), text.get(4).copied())?;
    Some(u16::from_be_bytes([high, low]))
}

fn hex_low(text: &[u8]) -> Option<u16> {
    hex_four(text.strip_prefix(b"\\").filter(|text| text.first() == Some(&b'u'))?)
}

/// A character reference with its closing semicolon, and its length.
pub(super) fn entity(bytes: &[u8], here: usize) -> Option<(char, usize)> {
    let tail = bytes.get(here..here.saturating_add(12).min(bytes.len()))?;
    let semicolon = tail.iter().position(|byte| *byte == b';')?;
    let name = tail.get(1..semicolon)?;
    let used = semicolon.saturating_add(1);
    let number =
        |digits: &[u8], radix| u32::from_str_radix(str::from_utf8(digits).ok()?, radix).ok().and_then(char::from_u32);
    let c = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        b"nbsp" => '\u{A0}',
        b"sol" => '/',
        b"colon" => ':',
        b"equals" => '=',
        [b'#', b'x' | b'X', hex @ ..] => number(hex, 16)?,
        [b'#', decimal @ ..] => number(decimal, 10)?,
        _ => return None,
    };
    Some((c, used))
}

/// Undoes entities in an attribute's value.
pub(super) fn without_entities(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut here = 0;
    while let Some(byte) = raw.get(here) {
        let found = if *byte == b'&' { entity(raw, here) } else { None };
        if let Some((c, used)) = found {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            here = here.saturating_add(used);
        } else {
            out.push(*byte);
            here = here.saturating_add(1);
        }
    }
    Cow::Owned(out)
}
