//! Just as much JSON (RFC 8259) as an entry needs: members of objects, elements of arrays, texts and numbers, each with its
//! place. Nothing descends by recursion; what breaks the grammar ends the object or array that it stands in.

use std::borrow::Cow;

use crate::model::JsonScan;

/// Members of one object that are looked at.
const MEMBERS: usize = 4_096;

/// A value by its place in the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Value {
    /// The value that begins at or behind `at`.
    pub(super) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let start = at.saturating_add(spaces(bytes, at));
        let rest = bytes.get(start..)?;
        rest.first()?;
        let len = JsonScan::default().feed(rest).unwrap_or(rest.len());
        (len > 0).then(|| Self { start, end: start.saturating_add(len) })
    }

    fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// What a string says, or a number or word as it stands; `None` for objects, arrays and `null`.
    pub(super) fn text(self, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
        let raw = self.of(bytes);
        match raw.first()? {
            b'"' => Some(unescaped(raw.get(1..raw.len().checked_sub(1)?)?)),
            b'{' | b'[' | b'n' => None,
            _ => Some(Cow::Borrowed(raw)),
        }
    }

    /// Whether it is a string.
    pub(super) fn is_string(self, bytes: &[u8]) -> bool {
        bytes.get(self.start) == Some(&b'"')
    }

    /// Whether it is a string of no characters, or nothing at all.
    pub(super) fn is_empty(self, bytes: &[u8]) -> bool {
        matches!(self.of(bytes), b"\"\"" | b"null")
    }

    /// Whether it is the word `false`.
    pub(super) fn is_false(self, bytes: &[u8]) -> bool {
        self.of(bytes) == b"false"
    }

    /// A whole number; a fraction is cut off.
    pub(super) fn integer(self, bytes: &[u8]) -> Option<i64> {
        let text = str::from_utf8(self.of(bytes)).ok()?;
        text.split('.').next()?.parse().ok()
    }

    /// A number that is not negative, as seconds or other units; `None` for -1, which means that it is not known.
    pub(super) fn amount(self, bytes: &[u8]) -> Option<f64> {
        let number: f64 = str::from_utf8(self.of(bytes)).ok()?.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    /// The elements of an array; none where it is no array.
    pub(super) fn elements(self, bytes: &[u8]) -> impl Iterator<Item = Self> {
        let mut at = (bytes.get(self.start) == Some(&b'[')).then(|| self.start.saturating_add(1));
        core::iter::from_fn(move || {
            let here = between(bytes, at?);
            let value = (here < self.end && bytes.get(here) != Some(&b']')).then(|| Self::read(bytes, here)).flatten();
            at = value.map(|value| value.end);
            value
        })
    }

    /// The members of an object; `None` where it is no object.
    pub(super) fn object(self, bytes: &[u8]) -> Option<Object<'_>> {
        if bytes.get(self.start) != Some(&b'{') {
            return None;
        }
        let mut members = Vec::new();
        let mut at = self.start.saturating_add(1);
        while members.len() < MEMBERS {
            let here = between(bytes, at);
            if here >= self.end || bytes.get(here) != Some(&b'"') {
                break;
            }
            let Some(name) = Self::read(bytes, here) else { break };
            let colon = name.end.saturating_add(spaces(bytes, name.end));
            if bytes.get(colon) != Some(&b':') {
                break;
            }
            let Some(value) = Self::read(bytes, colon.saturating_add(1)) else { break };
            let Some(name) = name.text(bytes) else { break };
            members.push((name, value));
            at = value.end;
        }
        Some(Object { bytes, members, start: self.start })
    }
}

/// The members of an object.
#[derive(Debug)]
pub(super) struct Object<'a> {
    bytes: &'a [u8],
    members: Vec<(Cow<'a, [u8]>, Value)>,
    /// Where it begins.
    pub(super) start: usize,
}

impl<'a> Object<'a> {
    /// The member with that name; of several the last, as programs that read JSON have it.
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        self.members.iter().rev().find(|(own, _)| **own == *name.as_bytes()).map(|(_, value)| *value)
    }

    pub(super) fn object(&self, name: &str) -> Option<Self> {
        self.get(name)?.object(self.bytes)
    }

    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.get(name)?.text(self.bytes)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.integer(self.bytes)
    }

    pub(super) fn amount(&self, name: &str) -> Option<f64> {
        self.get(name)?.amount(self.bytes)
    }

    pub(super) fn elements(&self, name: &str) -> impl Iterator<Item = Value> + use<'a> {
        let bytes = self.bytes;
        self.get(name).into_iter().flat_map(move |list| list.elements(bytes))
    }
}

fn spaces(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// The first byte behind spaces and commas.
fn between(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at.saturating_add(rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b',')).count())
}

/// What the inside of a string says (RFC 8259 section 7). A half of a surrogate pair becomes U+FFFD; an escape that is none
/// stays as it stands, and so do bytes that are no UTF-8.
fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', raw) else { return Cow::Borrowed(raw) };
    let mut out = Vec::with_capacity(raw.len());
    let mut at = first;
    out.extend_from_slice(raw.get(..first).unwrap_or_default());
    while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..plain).unwrap_or_default());
        at = at.saturating_add(plain);
        let Some(escape) = rest.get(plain.saturating_add(1)) else { break };
        let simple = match escape {
            b'n' => Some(b'\n'),
            b't' => Some(b'\t'),
            b'r' => Some(b'\r'),
            b'b' => Some(8),
            b'f' => Some(12),
            b'"' | b'\\' | b'/' => Some(*escape),
            _ => None,
        };
        let used = if let Some(byte) = simple {
            out.push(byte);
            2
        } else if let Some((letter, used)) = code_unit(raw, at).map(|high| letter(raw, at, high)) {
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            used
        } else {
            out.extend_from_slice(&[b'\\', *escape]);
            2
        };
        at = at.saturating_add(used);
    }
    Cow::Owned(out)
}

/// The code unit of `\uXXXX` at that place.
fn code_unit(raw: &[u8], at: usize) -> Option<u32> {
    let escape = raw.get(at..at.saturating_add(6))?;
    let digits = escape.strip_prefix(b"\\u").filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// The character that begins with this code unit, and how many bytes spell it.
fn letter(raw: &[u8], at: usize, high: u32) -> (char, usize) {
    let second = code_unit(raw, at.saturating_add(6)).filter(|low| (0xdc00..0xe000).contains(low));
    if let (0xd800..0xdc00, Some(low)) = (high, second) {
        let code = 0x1_0000_u32.saturating_add((high & 0x3ff) << 10 | low & 0x3ff);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

#[cfg(test)]
mod tests {
    use super::{Value, unescaped};

    #[track_caller]
    fn says(raw: &str, want: &str) {
        assert_eq!(String::from_utf8_lossy(&unescaped(raw.as_bytes())), want);
    }

    #[test]
    fn texts() {
        says("plain", "plain");
        says(r#"a\n\t\"\\\/b"#, "a\n\t\"\\/b");
        says(r"\u00e9\uD83D\uDE00.", "é😀.");
        says(r"\ud83d \udc00x", "\u{fffd} \u{fffd}x");
        says(r"\q \u12", r"\q \u12");
    }

    #[test]
    fn members_and_elements() {
        let json = br#" {"a": {"b":[1, "x" , {"c":null}]}, "a":-1.5, "n":12.9, "e":1e3, "t":true } "#;
        let object = Value::read(json, 0).and_then(|v| v.object(json)).expect("an object");
        assert_eq!(object.amount("a"), None, "the last of two counts");
        assert_eq!((object.integer("n"), object.amount("e")), (Some(12), Some(1000.0)));
        assert_eq!(object.text("t").as_deref(), Some(&b"true"[..]));
        let nested = br#"{"b":[1, "x" , {"c":null}],}"#;
        let object = Value::read(nested, 0).and_then(|v| v.object(nested)).expect("an object");
        let kinds: Vec<_> = object.elements("b").map(|v| v.text(nested).is_some()).collect();
        assert_eq!(kinds, [true, true, false]);
    }

    #[test]
    fn what_is_broken_ends_early() {
        for json in ["{\"a\":1,\"b\"", "{\"a\":1 x", "{\"a\":1,:", "{\"a\":1,\"b\":"] {
            let object = Value::read(json.as_bytes(), 0).and_then(|v| v.object(json.as_bytes())).expect("an object");
            assert_eq!(object.integer("a"), Some(1), "{json}");
            assert_eq!(object.get("b"), None, "{json}");
        }
    }
}
