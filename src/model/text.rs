//! The one way from captured bytes to text that a person or a terminal sees. Nothing invisible, nothing that reorders,
//! nothing of unbounded length passes.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_general_category::{GeneralCategory, get_general_category};

/// Combining marks that one base character may carry; real scripts need two.
const MAX_MARKS: usize = 2;

/// Captured bytes as text that shows every byte: control, format, default-ignorable, private-use, unassigned and
/// line-separator characters become `⟨U+202E⟩`, bytes that are not UTF-8 become `\xNN`, combining marks past two a base
/// are escaped. Printable ASCII is borrowed unchanged.
pub fn clean(bytes: &[u8]) -> Cow<'_, str> {
    if is_plain(bytes)
        && let Ok(text) = str::from_utf8(bytes)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    let mut marks = MAX_MARKS;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c, &mut marks);
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _never = write!(out, "\\x{byte:02X}");
            marks = 0;
        }
    }
    Cow::Owned(out)
}

/// As [`clean`], at most `chars` characters of it; a longer text is cut and ends in `…`. Never reads more than it needs,
/// so a value of many megabytes costs nothing.
pub fn clean_to(bytes: &[u8], chars: usize) -> Cow<'_, str> {
    // A character of the result comes from at most four bytes (plus marks, which are escaped past two).
    let cut = bytes.get(..chars.saturating_mul(16)).unwrap_or(bytes);
    let text = clean(cut);
    if cut.len() == bytes.len() && (text.len() <= chars || text.chars().nth(chars).is_none()) {
        return text;
    }
    let mut out: String = text.chars().take(chars.saturating_sub(1)).collect();
    out.push('…');
    Cow::Owned(out)
}

/// A text cut in the middle to at most `chars` characters, so that both ends stay: `msbnx0…004.blob.core.windows.net`.
/// `keep_end` characters at the end are kept where they fit.
pub fn middle(text: &str, chars: usize, keep_end: usize) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= chars || chars < 3 {
        return Cow::Borrowed(text);
    }
    let end = keep_end.clamp((chars - 1) / 2, chars - 2);
    let start = chars - 1 - end;
    let head: String = text.chars().take(start).collect();
    let tail: String = text.chars().skip(count - end).collect();
    Cow::Owned(format!("{head}…{tail}"))
}

/// Whether all bytes are printable ASCII (space included), so that they can be shown as they are.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| (0x20..0x7f).contains(b))
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(*DIGITS.get(usize::from(nibble)).unwrap_or(&b'?')));
        }
    }
    out
}

fn push(out: &mut String, c: char, marks: &mut usize) {
    if matches!(c, ' '..='~') {
        *marks = 0;
        out.push(c);
        return;
    }
    let mark = matches!(
        get_general_category(c),
        GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark | GeneralCategory::SpacingMark
    );
    *marks = if mark { *marks + 1 } else { 0 };
    if is_hidden(c) || (mark && *marks > MAX_MARKS) {
        let _never = write!(out, "⟨U+{:04X}⟩", u32::from(c));
        // A mark after an escape would sit on its bracket: let none through.
        *marks = MAX_MARKS;
    } else {
        out.push(c);
    }
}

/// Characters that paint nothing, or move others.
pub fn is_hidden(c: char) -> bool {
    use GeneralCategory as G;
    let by_category = matches!(
        get_general_category(c),
        G::Control
            | G::Format
            | G::Surrogate
            | G::PrivateUse
            | G::Unassigned
            | G::LineSeparator
            | G::ParagraphSeparator
    );
    // Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties that are not Cf or Cn, and spaces that look like
    // the ordinary one or like nothing.
    by_category
        || matches!(
            u32::from(c),
            0xA0 | 0x34F | 0x115F..=0x1160 | 0x1680 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x2000..=0x200A | 0x202F | 0x205F
                | 0x2800 | 0x3000 | 0x3164 | 0xFE00..=0xFE0F | 0xFFA0 | 0xFFFC | 0xE0000..=0xE0FFF
        )
}

/// A byte count as on screen: `482`, `23 K`, `1.4 M` (steps of 1,024).
pub fn bytes_short(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1_024 {
        return bytes.to_string();
    }
    let mut value = bytes as f64 / 1_024.0;
    let mut unit = 0;
    while value >= 1_023.5 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    let word = UNITS.get(unit).copied().unwrap_or_default();
    if value < 9.95 { format!("{value:.1} {word}") } else { format!("{value:.0} {word}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], want: &str) {
        assert_eq!(clean(bytes), want);
    }

    #[test]
    fn shows_every_byte() {
        check(b"plain text", "plain text");
        check("Grüße, мир, 世界".as_bytes(), "Grüße, мир, 世界");
        check("a\u{202e}b".as_bytes(), "a⟨U+202E⟩b");
        check("zero\u{200b}width".as_bytes(), "zero⟨U+200B⟩width");
        check(b"\x1b]0;title\x07", "⟨U+001B⟩]0;title⟨U+0007⟩");
        check(b"\xff\xfehi", "\\xFF\\xFEhi");
        check("e\u{301}\u{301}\u{301}".as_bytes(), "e\u{301}\u{301}⟨U+0301⟩");
        check("\u{e0041}\u{ad}\u{feff}".as_bytes(), "⟨U+E0041⟩⟨U+00AD⟩⟨U+FEFF⟩");
    }

    #[test]
    fn no_hidden_character_survives() {
        for c in ('\0'..=char::MAX).filter(|c| *c != '⟨' && *c != '⟩') {
            let mut buffer = [0; 4];
            let text = clean(c.encode_utf8(&mut buffer).as_bytes()).into_owned();
            assert!(!text.chars().any(is_hidden), "{c:?} gave {text:?}");
        }
    }

    #[test]
    fn cuts_without_reading_all() {
        assert_eq!(clean_to(&vec![b'a'; 1 << 20], 5), "aaaa…");
        assert_eq!(clean_to(b"abc", 5), "abc");
        assert_eq!(middle("msbnx000004.blob.core.windows.net", 24, 17), "msbnx0….core.windows.net");
        assert_eq!(middle("short", 24, 17), "short");
    }
}
