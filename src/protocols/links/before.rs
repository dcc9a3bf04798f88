//! What names a value: the key, parameter or attribute that stands before it.
//!
//! Comes in: the bytes held and where a value begins. Goes out: the bytes of its name. Never: a look further back than a few
//! hundred bytes.

use memchr::memmem;

use super::LinkForm;
use super::find::at;
use super::url::is_token_byte;

/// How far back a key is looked for, in bytes.
pub(super) const BACK: usize = 256;

/// What stands before a value.
pub(super) enum Key<'a> {
    Named(&'a [u8]),
    /// The comma or bracket before an array's element.
    Element(usize),
    None,
}

/// The key before a value that begins at `from`, or before the string that holds it.
pub(super) fn key_before(bytes: &[u8], from: usize, form: LinkForm) -> Key<'_> {
    let floor = from.saturating_sub(BACK);
    let mut here = from;
    let is_open = match quote_entity(bytes, here) {
        Some(before) => {
            here = before;
            true
        }
        None => match here.checked_sub(1).map(|before| at(bytes, before)) {
            Some(b'"' | b'\'') => {
                here = here.saturating_sub(1);
                true
            }
            _ => false,
        },
    };
    if !is_open && form == LinkForm::Json {
        let Some(quote) = quote_before(bytes, here, floor) else { return Key::None };
        here = quote;
    }
    let is_open = is_open || form == LinkForm::Json;
    here = back_over_blanks(bytes, back_over(bytes, here, b'\\'));
    let Some(before) = here.checked_sub(1) else { return Key::None };
    match at(bytes, before) {
        b':' if is_open => name_before(bytes, before).map_or(Key::None, Key::Named),
        b':' => match name_before(bytes, before) {
            // Without quotes a colon names a value only at the start of a line; elsewhere it is prose.
            Some(name) if starts_line(bytes, before.saturating_sub(name.len())) => Key::Named(name),
            _ => Key::None,
        },
        b'=' => name_before(bytes, before).map_or(Key::None, Key::Named),
        b'[' | b',' if is_open => Key::Element(before),
        _ => Key::None,
    }
}

/// The name that ends before the colon or equals sign at `mark`: quoted, or a word.
pub(super) fn name_before(bytes: &[u8], mark: usize) -> Option<&[u8]> {
    let end = back_over_blanks(bytes, mark);
    if let Some(end) = quote_entity(bytes, end) {
        let head = bytes.get(end.saturating_sub(BACK)..end)?;
        let open = memmem::rfind(head, b"&quot;").or_else(|| memmem::rfind(head, b"&#34;"))?;
        let text = head.get(open..)?;
        let semicolon = text.iter().position(|byte| *byte == b';')?;
        return text.get(semicolon.saturating_add(1)..);
    }
    let last = end.checked_sub(1)?;
    if let quote @ (b'"' | b'\'') = at(bytes, last) {
        let close = back_over(bytes, last, b'\\');
        let head = bytes.get(close.saturating_sub(BACK)..close)?;
        let open = head.iter().rposition(|byte| *byte == quote)?;
        return head.get(open.saturating_add(1)..);
    }
    let head = bytes.get(end.saturating_sub(BACK)..end)?;
    let len = head.iter().rev().take_while(|byte| is_token_byte(**byte) || matches!(byte, b'$' | b'.')).count();
    head.get(head.len().saturating_sub(len)..).filter(|name| !name.is_empty())
}

/// The query or form parameter whose value begins at `from`.
pub(super) fn parameter_before(bytes: &[u8], from: usize) -> Option<&[u8]> {
    let mark = from.checked_sub(1).filter(|mark| at(bytes, *mark) == b'=')?;
    name_before(bytes, mark)
}

fn starts_line(bytes: &[u8], at_index: usize) -> bool {
    let start = back_over(bytes, at_index, b' ');
    start.checked_sub(1).is_none_or(|before| at(bytes, before) == b'\n')
}

/// Index where a quote written as an entity begins, when one ends at `end`.
pub(super) fn quote_entity(bytes: &[u8], end: usize) -> Option<usize> {
    let head = bytes.get(..end)?;
    [b"&quot;".as_slice(), b"&#34;", b"&#x22;"]
        .into_iter()
        .find(|entity| head.ends_with(entity))
        .map(|entity| end.saturating_sub(entity.len()))
}

/// The unescaped quote before `end`, not before `floor`.
pub(super) fn quote_before(bytes: &[u8], end: usize, floor: usize) -> Option<usize> {
    let mut end = end;
    loop {
        let quote = memchr::memrchr(b'"', bytes.get(floor..end)?)?.saturating_add(floor);
        if quote.saturating_sub(back_over(bytes, quote, b'\\')) % 2 == 0 {
            return Some(quote);
        }
        end = quote;
    }
}

/// Goes back over at most eight of one byte.
fn back_over(bytes: &[u8], end: usize, byte: u8) -> usize {
    let head = bytes.get(end.saturating_sub(8)..end).unwrap_or_default();
    end.saturating_sub(head.iter().rev().take_while(|one| **one == byte).count())
}

/// Goes back over at most 64 blanks.
pub(super) fn back_over_blanks(bytes: &[u8], end: usize) -> usize {
    let head = bytes.get(end.saturating_sub(64)..end).unwrap_or_default();
    end.saturating_sub(head.iter().rev().take_while(|one| one.is_ascii_whitespace()).count())
}

/// Whether the quote before `from` follows an equals sign, as in markup written into a string.
pub(super) fn is_attribute_like(bytes: &[u8], from: usize) -> bool {
    let quote = from.saturating_sub(1);
    let mark = back_over(bytes, quote, b'\\');
    mark.checked_sub(1).is_some_and(|mark| at(bytes, mark) == b'=')
}
