//! Strings of a binary property list (the format of `CFBinaryPList.c`).
//!
//! Comes in: the whole list where it is short enough, else its bytes as they come. Goes out: the links in its strings, whose
//! ends are known from their own length markers; with their keys when the list is whole. Never: an end guessed from what
//! follows a string.

use super::find::{Context, End, Finder, Found, View, at, scheme_before, scheme_start};
use super::run::{self, Escapes, Fence, Reached};
use super::url;
use super::{Link, LinkCoding, MAX_LINK, field_text};
use memchr::memmem;

/// Bytes of the trailer: five unused, sort version, two sizes, three counts of eight bytes.
const TRAILER: usize = 32;
/// How far back a string's marker is looked for, in bytes.
const BACK: usize = 256;
/// Bytes of the longest scheme that is followed, in two-byte characters: what is before it was looked at.
const BARREN: u64 = 10;
/// Arrays inside arrays that pass their key on.
const NEST: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Text {
    from: usize,
    /// Bytes.
    len: usize,
    /// UTF-16, big-endian.
    is_wide: bool,
    /// Number of the object.
    object: usize,
}

/// Reads a whole list. `false`: it has no good trailer.
pub(super) fn whole(finder: &mut Finder, bytes: &[u8], out: &mut Vec<Link>) -> bool {
    let Some(table) = Table::read(bytes) else { return false };
    let keys = table.keys();
    let mut texts: Vec<Text> = (0..table.count).filter_map(|object| table.text(object)).collect();
    texts.sort_unstable();
    texts.dedup_by_key(|text| text.from);
    let mut read_to = 0;
    for text in texts {
        // Strings that overlap are a lie about lengths: what was read is not read again.
        if text.from < read_to {
            continue;
        }
        read_to = text.from.saturating_add(text.len);
        let field = keys.get(text.object).copied().flatten().and_then(|key| table.text(key)).map(|key| {
            let raw = bytes.get(key.from..key.from.saturating_add(key.len)).unwrap_or_default();
            if key.is_wide { field_text(from_utf16(raw).as_bytes()) } else { field_text(raw) }
        });
        string(finder, bytes, text, &field.unwrap_or_default(), out);
    }
    true
}

fn string(finder: &mut Finder, bytes: &[u8], text: Text, field: &str, out: &mut Vec<Link>) {
    let end = text.from.saturating_add(text.len);
    if text.is_wide {
        wide_string(finder, bytes, text, field, out);
        return;
    }
    let view = View { bytes: bytes.get(..end).unwrap_or_default(), end: End::Whole };
    let context = Context { field, looks_back: false, entities: false, string_from: Some(text.from) };
    finder.collect(view.bytes, text.from, end);
    let _held = finder.marks_until(view, end, context, out);
    finder.bare_value(view, text.from..end, field.into(), out);
}

/// The URL that a string of two-byte characters is or ends with.
fn wide_string(finder: &mut Finder, bytes: &[u8], text: Text, field: &str, out: &mut Vec<Link>) {
    let raw = bytes.get(text.from..text.from.saturating_add(text.len)).unwrap_or_default();
    for colon in memmem::find_iter(raw, b"\0:\0/").filter(|colon| colon % 2 == 0).take(1) {
        let head = raw.get(colon.saturating_sub(10)..).unwrap_or_default();
        let head = head.get(..head.len().min(MAX_LINK)).unwrap_or_default();
        let is_cut = head.len() == MAX_LINK;
        let plain = from_utf16(head);
        let Some(mark) = plain.find(':') else { continue };
        let Some(from) = scheme_before(plain.as_bytes(), mark, 0) else { continue };
        let view = View { bytes: plain.as_bytes(), end: if is_cut { End::Cut } else { End::Whole } };
        let escapes = Escapes { entities: false, backslashes: true };
        let Reached::Run(run) = run::read(view, from, Fence::End, escapes) else { continue };
        let units = |text: Option<&str>| text.unwrap_or_default().encode_utf16().count().saturating_mul(2);
        let begin = text.from.saturating_add(colon.saturating_sub(10)).saturating_add(units(plain.get(..from)));
        let end = begin.saturating_add(units(plain.get(from..run.end)));
        if let Some(url) = url::absolute(&run.text) {
            let view = View { bytes, end: End::Whole };
            finder.report(view, begin..end, Found { url, field: field.into(), coding: LinkCoding::Plain }, out);
        }
    }
}

fn from_utf16(raw: &[u8]) -> String {
    let units = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([at(pair, 0), at(pair, 1)]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Reads a list whose end is not at hand: each mark of a URL is believed when a string's marker covers it.
pub(super) fn stream(finder: &mut Finder, view: View<'_>, from: usize, limit: usize, out: &mut Vec<Link>) -> usize {
    let mut marks: Vec<(usize, bool)> = Vec::new();
    let tail = view.bytes.get(from..).unwrap_or_default();
    marks.extend(memmem::find_iter(tail, b"://").map(|index| (index.saturating_add(from), false)));
    marks.extend(memmem::find_iter(tail, b"\0:\0/").map(|index| (index.saturating_add(from), true)));
    marks.sort_unstable();
    for (colon, is_wide) in marks.into_iter().filter(|(colon, _)| *colon < limit) {
        if finder.offset(colon) < finder.plist_end {
            continue;
        }
        let barren = finder.barren.saturating_sub(finder.start);
        let stop = usize::try_from(barren).unwrap_or(usize::MAX);
        let Some(text) = around(view.bytes, colon, is_wide, stop) else {
            finder.barren = finder.barren.max(finder.offset(colon).saturating_sub(BARREN));
            continue;
        };
        let end = text.from.saturating_add(text.len);
        if end > view.bytes.len() {
            continue; // a hole or the end cuts it
        }
        finder.plist_end = finder.offset(end);
        if is_wide {
            wide_string(finder, view.bytes, text, "", out);
            continue;
        }
        let Some(start) = scheme_before(view.bytes, colon, text.from) else { continue };
        let inside = View { bytes: view.bytes.get(..end).unwrap_or_default(), end: End::Whole };
        let fence = if start == text.from { Fence::End } else { Fence::None };
        let escapes = Escapes { entities: false, backslashes: true };
        if let Reached::Run(run) = run::read(inside, start, fence, escapes)
            && let Some(url) = url::absolute(&run.text)
        {
            finder.report(inside, start..run.end, Found { url, field: Box::default(), coding: LinkCoding::Plain }, out);
        }
    }
    limit.max(from)
}

/// The string around a mark, by the nearest marker before the scheme that covers it with nothing but text between.
///
/// Not before `stop`: there, nothing was long enough for a mark that came earlier.
fn around(bytes: &[u8], colon: usize, is_wide: bool, stop: usize) -> Option<Text> {
    let step: usize = if is_wide { 2 } else { 1 };
    let mut from = if is_wide { wide_scheme_before(bytes, colon)? } else { scheme_start(bytes, colon)? };
    let least = colon.saturating_add(step.saturating_mul(3));
    for _ in 0..BACK.checked_div(step)? {
        // Markers are one to six bytes: 5n; 5F 10 n; 5F 11 nn; 5F 12 nnnn.
        for back in [1, 3, 4, 6] {
            let marker = from.checked_sub(back).filter(|marker| matches!(at(bytes, *marker) >> 4, 5 | 6));
            let text = marker.and_then(|marker| text_at(bytes, marker, 0)).filter(|text| text.from == from);
            if let Some(text) = text.filter(|text| {
                text.is_wide == is_wide && text.len <= MAX_LINK && text.from.saturating_add(text.len) > least
            }) {
                return Some(text);
            }
        }
        from = from.checked_sub(step).filter(|from| *from >= stop)?;
        let low = at(bytes, from.saturating_add(step).saturating_sub(1));
        let is_text = low == b' ' || low.is_ascii_graphic();
        if !is_text || is_wide && at(bytes, from) != 0 {
            return None;
        }
    }
    None
}

/// Start of a followed scheme in two-byte characters that ends before the colon.
fn wide_scheme_before(bytes: &[u8], colon: usize) -> Option<usize> {
    ["https", "http", "wss", "ws"].into_iter().find_map(|scheme| {
        let from = colon.checked_sub(scheme.len().checked_mul(2)?)?;
        let is_scheme = from_utf16(bytes.get(from..colon)?).eq_ignore_ascii_case(scheme);
        is_scheme.then_some(from)
    })
}

/// Reads a string's marker.
fn text_at(bytes: &[u8], marker: usize, object: usize) -> Option<Text> {
    let head = *bytes.get(marker)?;
    let is_wide = match head >> 4 {
        5 => false,
        6 => true,
        _ => return None,
    };
    let (count, from) = count_at(bytes, marker)?;
    Some(Text { from, len: if is_wide { count.checked_mul(2)? } else { count }, is_wide, object })
}

/// The count in a marker, and the index after it.
fn count_at(bytes: &[u8], marker: usize) -> Option<(usize, usize)> {
    let low = bytes.get(marker)? & 15;
    let next = marker.checked_add(1)?;
    if low < 15 {
        return Some((usize::from(low), next));
    }
    let kind = *bytes.get(next)?;
    if kind >> 4 != 1 || kind & 15 > 3 {
        return None;
    }
    let size = 1_usize << (kind & 15);
    let from = next.checked_add(1)?;
    Some((number(bytes, from, size)?, from.checked_add(size)?))
}

/// A big-endian number.
fn number(bytes: &[u8], from: usize, size: usize) -> Option<usize> {
    let raw = bytes.get(from..from.checked_add(size)?)?;
    raw.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))
}

/// A whole list's table of objects.
struct Table<'a> {
    bytes: &'a [u8],
    count: usize,
    offset_size: usize,
    ref_size: usize,
    offsets: usize,
}

impl<'a> Table<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let trailer = bytes.len().checked_sub(TRAILER)?;
        let size = |skip: usize| number(bytes, trailer.checked_add(skip)?, 1).filter(|size| (1..=8).contains(size));
        let (offset_size, ref_size) = (size(6)?, size(7)?);
        let count = number(bytes, trailer.checked_add(8)?, 8)?;
        let table = number(bytes, trailer.checked_add(24)?, 8)?;
        let end = table.checked_add(count.checked_mul(offset_size)?)?;
        (count > 0 && end <= trailer).then_some(Self { bytes, count, offset_size, ref_size, offsets: table })
    }

    fn place(&self, object: usize) -> Option<usize> {
        if object >= self.count {
            return None;
        }
        number(self.bytes, self.offsets.checked_add(object.checked_mul(self.offset_size)?)?, self.offset_size)
    }

    fn text(&self, object: usize) -> Option<Text> {
        let text = text_at(self.bytes, self.place(object)?, object)?;
        (text.from.checked_add(text.len)? <= self.offsets).then_some(text)
    }

    /// The object that is each object's key: a dictionary's own, or that of the array it is in.
    fn keys(&self) -> Vec<Option<usize>> {
        let mut keys: Vec<Option<usize>> = vec![None; self.count];
        let mut array: Vec<Option<usize>> = vec![None; self.count];
        // Containers may overlap and repeat: all together name no more objects than there are bytes.
        let mut budget = self.bytes.len();
        for object in 0..self.count {
            let Some(place) = self.place(object) else { continue };
            let kind = at(self.bytes, place) >> 4;
            if !matches!(kind, 10 | 12 | 13) {
                continue;
            }
            let Some((count, from)) = count_at(self.bytes, place) else { continue };
            for index in 0..count {
                let Some(left) = budget.checked_sub(1) else { return keys };
                budget = left;
                let entry = |index: usize| {
                    number(self.bytes, from.checked_add(index.checked_mul(self.ref_size)?)?, self.ref_size)
                };
                if kind == 13 {
                    let value = count.checked_add(index).and_then(entry);
                    if let Some(slot) = value.and_then(|value| keys.get_mut(value)) {
                        *slot = slot.or_else(|| entry(index));
                    }
                } else if let Some(slot) = entry(index).and_then(|value| array.get_mut(value)) {
                    *slot = slot.or(Some(object));
                } else {
                    break;
                }
            }
        }
        let named = |object: usize| {
            let mut at_object = object;
            for _ in 0..NEST {
                if let Some(key) = keys.get(at_object).copied().flatten() {
                    return Some(key);
                }
                at_object = array.get(at_object).copied().flatten()?;
            }
            None
        };
        (0..self.count).map(named).collect()
    }
}
