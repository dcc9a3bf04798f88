//! The search for marks of a URL (`:/`, `%3A`, base64 of `http` and of JSON), and what is made of each mark.
//!
//! Comes in: the bytes held, and up to where they may be read. Goes out: links. Never: a decision that depends on where the
//! bytes were cut, or work beyond a few times the bytes: a mark inside a URL that was read is read once more at most.

use std::collections::VecDeque;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, packed};
use memchr::memmem;

use super::base64::base64_run;
use super::before::{
    BACK, Key, back_over_blanks, is_attribute_like, key_before, name_before, parameter_before, quote_before,
    quote_entity,
};
use super::run::{self, Escapes, Fence, Reached};
use super::url::{self, TOKEN_BYTES, has_token, is_token, is_token_byte};
use super::{Link, LinkCoding, LinkForm, LinkScanner, MAX_BARE, MAX_BASE64_JSON, MAX_LINK, MAX_LINKS, field_text};
use crate::model::FrameNo;

/// Lengths of a bare token as a whole value.
const BARE: std::ops::RangeInclusive<usize> = 20..=256;
/// Longest path as a whole value, in bytes.
const BARE_PATH: usize = 512;
/// Shortest base64 text that is taken for JSON, in bytes.
const MIN_BASE64_JSON: usize = 16;

/// Why the bytes end where they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// More may come.
    More,
    /// A hole follows.
    Cut,
    /// Nothing follows.
    Whole,
}

/// The bytes held.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) end: End,
}

impl View<'_> {
    /// Whether a text that was read up to `end` may have gone on in a hole.
    fn is_cut_at(&self, end: usize) -> bool {
        let in_escape = matches!(at(self.bytes, end), b'%' | b'\\') && end.saturating_add(3) > self.bytes.len();
        self.end == End::Cut && (end >= self.bytes.len() || in_escape)
    }
}

/// What a link says.
pub(super) struct Found {
    /// In normal form, or empty.
    pub(super) url: String,
    pub(super) field: Box<str>,
    pub(super) coding: LinkCoding,
}

/// Where a mark stands.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// What names it when the bytes before it do not.
    pub(super) field: &'a str,
    /// Whether a key before it is looked for.
    pub(super) looks_back: bool,
    pub(super) entities: bool,
    /// The bytes from here to the end of the view are one string's, and none before are looked at.
    pub(super) string_from: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Plain,
    /// A colon before an entity, where there are any.
    Entity,
    Percent,
    Base64,
    Json64,
    Css,
    /// A string of this length that may be a token as a whole.
    Bare(usize),
}

/// Length of the longest needle.
const LONGEST_NEEDLE: usize = 5;

/// The marks, none of which begins as another ends: where one stands no other is hidden.
const MARKS: [(&str, Kind); 8] = [
    (":/", Kind::Plain),
    (":\\", Kind::Plain),
    ("%3A", Kind::Percent),
    ("%3a", Kind::Percent),
    ("aHR0c", Kind::Base64),
    ("eyJ", Kind::Json64),
    (":&", Kind::Entity),
    ("url(", Kind::Css),
];

/// What marks are found by. Made once: many bodies are shorter than it takes to make them ready.
struct Needles {
    /// All marks in one pass, several bytes at a time, where the processor can.
    packed: Option<packed::Searcher>,
    /// The same, a byte at a time.
    stepping: Option<AhoCorasick>,
    /// Before references without a scheme, in JSON.
    references: [memmem::Finder<'static>; 2],
}

impl Needles {
    fn of_all() -> &'static Self {
        static ALL: OnceLock<Needles> = OnceLock::new();
        ALL.get_or_init(|| {
            let marks = MARKS.iter().map(|(text, _)| text);
            let packed = packed::Searcher::new(marks.clone());
            // Eight texts of a few bytes are always few enough.
            let stepping = if packed.is_none() { AhoCorasick::new(marks).ok() } else { None };
            let references = [memmem::Finder::new("\"//"), memmem::Finder::new("\"\\/\\/")];
            Self { packed, stepping, references }
        })
    }

    /// Calls `found` with the place and kind of each mark.
    fn each(&self, bytes: &[u8], mut found: impl FnMut(usize, Kind)) {
        let mut mark = |m: aho_corasick::Match| {
            if let Some((_, kind)) = MARKS.get(m.pattern().as_usize()) {
                found(m.start(), *kind);
            }
        };
        if let Some(packed) = &self.packed {
            packed.find_iter(bytes).for_each(&mut mark);
        } else if let Some(stepping) = &self.stepping {
            stepping.find_iter(bytes).for_each(&mut mark);
        }
    }
}

/// What a coding wants of the one who reads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// More bytes are needed before this mark can be read.
    Hold,
}

/// Which frame brought which bytes.
#[derive(Default)]
pub(super) struct Frames(VecDeque<(u64, FrameNo)>);

impl Frames {
    pub(super) fn note(&mut self, offset: u64, frame: FrameNo) {
        if self.0.back().is_none_or(|(_, last)| *last != frame) {
            self.0.push_back((offset, frame));
        }
    }

    pub(super) fn forget_before(&mut self, offset: u64) {
        while self.0.get(1).is_some_and(|(from, _)| *from <= offset) {
            self.0.pop_front();
        }
    }

    fn of(&self, offset: u64) -> FrameNo {
        let after = self.0.partition_point(|(from, _)| *from <= offset);
        self.0.get(after.saturating_sub(1)).map(|(_, frame)| *frame).unwrap_or_default()
    }
}

/// What is remembered from mark to mark.
pub(super) struct Finder {
    pub(super) form: LinkForm,
    pub(super) has_css: bool,
    pub(super) has_tags: bool,
    /// Whether this reads what a coding inside a body holds: codings in there are not undone again.
    pub(super) is_inner: bool,
    pub(super) base: Option<String>,
    /// Offset of the first byte held.
    pub(super) start: u64,
    pub(super) frames: Frames,
    pub(super) left_out: u64,
    /// Offsets of links that were reported as an attribute's value.
    pub(super) attribute_links: Vec<u64>,
    marks: Vec<(usize, Kind)>,
    next_mark: usize,
    outer: (u64, u64),
    inner_end: u64,
    percent_end: u64,
    base64_end: u64,
    /// Offset up to which a property list's strings were read.
    pub(super) plist_end: u64,
    /// Offset before which no marker of a property list's string is long enough for a later mark.
    pub(super) barren: u64,
    /// Offset of the closing quote of the last string that was a link, and its field, for the next one in its array.
    last_string: Option<(u64, Box<str>)>,
    links: usize,
    bare: usize,
}

impl Finder {
    pub(super) fn new() -> Self {
        Self {
            form: LinkForm::Text,
            has_css: false,
            has_tags: false,
            is_inner: false,
            base: None,
            start: 0,
            frames: Frames::default(),
            left_out: 0,
            attribute_links: Vec::new(),
            marks: Vec::new(),
            next_mark: 0,
            outer: (0, 0),
            inner_end: 0,
            percent_end: 0,
            base64_end: 0,
            plist_end: 0,
            barren: 0,
            last_string: None,
            links: 0,
            bare: 0,
        }
    }

    /// A hole: what was remembered of the place before it no longer holds.
    pub(super) fn forget_place(&mut self) {
        self.last_string = None;
        self.attribute_links.clear();
    }

    pub(super) fn offset(&self, index: usize) -> u64 {
        self.start.saturating_add(wide(index))
    }

    /// Reads JSON or text up to `limit`. Gives the place reached and whether it waits there for a long coding.
    pub(super) fn flat(&mut self, view: View<'_>, from: usize, limit: usize, out: &mut Vec<Link>) -> (usize, bool) {
        self.collect(view.bytes, from, limit);
        let context = Context { field: "", looks_back: true, entities: false, string_from: None };
        match self.marks_until(view, limit, context, out) {
            Some(held) => (held, true),
            None => (limit.max(from), false),
        }
    }

    /// Finds the marks from `from` on that stand before `limit`.
    pub(super) fn collect(&mut self, bytes: &[u8], from: usize, limit: usize) {
        self.marks.clear();
        self.next_mark = 0;
        let until = |more: usize| bytes.get(from..limit.saturating_add(more).min(bytes.len())).unwrap_or_default();
        let tail = until(LONGEST_NEEDLE);
        let (is_inner, has_tags, has_css) = (self.is_inner, self.has_tags, self.has_css);
        let marks = &mut self.marks;
        Needles::of_all().each(tail, |index, kind| {
            let meant = match kind {
                Kind::Base64 | Kind::Json64 => !is_inner,
                Kind::Entity => has_tags,
                Kind::Css => has_css,
                Kind::Plain | Kind::Percent | Kind::Bare(_) => true,
            };
            if meant {
                let kind = if kind == Kind::Entity { Kind::Plain } else { kind };
                marks.push((index.saturating_add(from), kind));
            }
        });
        if self.form == LinkForm::Json {
            collect_bare(until(BARE_PATH.saturating_add(TOKEN_BYTES)), from, &mut self.marks);
        }
        self.marks.sort_unstable();
        // A value with two tokens was met twice.
        self.marks.dedup();
    }

    /// Whether a mark stands before `until`.
    pub(super) fn has_mark_before(&self, until: usize) -> bool {
        self.marks.get(self.next_mark).is_some_and(|(index, _)| *index < until)
    }

    /// Passes over the marks before `until`.
    pub(super) fn skip_until(&mut self, until: usize) {
        while self.marks.get(self.next_mark).is_some_and(|(index, _)| *index < until) {
            self.next_mark = self.next_mark.saturating_add(1);
        }
    }

    /// Reads the marks before `until`. `Some`: the mark there needs more bytes first.
    pub(super) fn marks_until(
        &mut self,
        view: View<'_>,
        until: usize,
        context: Context<'_>,
        out: &mut Vec<Link>,
    ) -> Option<usize> {
        while let Some((index, kind)) = self.marks.get(self.next_mark).copied().filter(|(index, _)| *index < until) {
            let outcome = match kind {
                Kind::Plain | Kind::Entity => self.plain(view, index, context, out),
                Kind::Percent => self.percent(view, index, context, out),
                Kind::Base64 => self.base64_url(view, index, context, out),
                Kind::Json64 => self.base64_json(view, index, context, out),
                Kind::Css => self.css(view, index, context, out),
                Kind::Bare(len) => self.bare(view, index, len, context, out),
            };
            if outcome == Outcome::Hold {
                return Some(index);
            }
            self.next_mark = self.next_mark.saturating_add(1);
        }
        None
    }

    fn plain(&mut self, view: View<'_>, colon: usize, context: Context<'_>, out: &mut Vec<Link>) -> Outcome {
        let floor = context.string_from.unwrap_or(0);
        let Some(from) = scheme_before(view.bytes, colon, floor) else { return Outcome::Done };
        let offset = self.offset(from);
        let is_inner = offset < self.outer.1;
        if is_inner && (offset <= self.outer.0 || offset < self.inner_end) {
            return Outcome::Done;
        }
        let fence = self.fence_before(view.bytes, from, context);
        let in_markup = matches!(fence, Fence::Byte(_)) && is_attribute_like(view.bytes, from);
        let escapes = Escapes { entities: context.entities || in_markup, backslashes: true };
        let run = match run::read(view, from, fence, escapes) {
            Reached::Run(run) => run,
            Reached::Hole => {
                self.pass(is_inner, offset, self.offset(view.bytes.len()));
                return Outcome::Done;
            }
            Reached::TooLong => {
                self.left_out = self.left_out.saturating_add(1);
                self.pass(is_inner, offset, offset.saturating_add(wide(MAX_LINK)));
                return Outcome::Done;
            }
        };
        self.pass(is_inner, offset, self.offset(run.end));
        if self.attribute_links.binary_search(&offset).is_ok() {
            return Outcome::Done;
        }
        if let Some(url) = url::absolute(&run.text) {
            let field = self.field(view.bytes, from, context);
            if run.is_fenced {
                self.last_string = Some((self.offset(run.end), field.clone()));
            }
            let coding = if run.is_escaped { LinkCoding::Escaped } else { LinkCoding::Plain };
            self.report(view, from..run.end, Found { url, field, coding }, out);
        }
        Outcome::Done
    }

    /// Notes how far a plain URL, or the one inside it, was read.
    fn pass(&mut self, is_inner: bool, from: u64, end: u64) {
        if is_inner {
            self.inner_end = end;
        } else {
            self.outer = (from, end);
        }
    }

    /// What closes a URL that begins here.
    fn fence_before(&self, bytes: &[u8], from: usize, context: Context<'_>) -> Fence {
        if context.string_from.is_some() {
            return if context.string_from == Some(from) { Fence::End } else { Fence::None };
        }
        match from.checked_sub(1).and_then(|before| bytes.get(before)) {
            Some(quote @ (b'"' | b'\'')) => Fence::Byte(*quote),
            Some(b'>') if self.form == LinkForm::Xml => Fence::Byte(b'<'),
            Some(b'<') if !self.has_tags => Fence::Byte(b'>'),
            Some(b';') if context.entities && quote_entity(bytes, from).is_some() => Fence::Byte(b'"'),
            _ => Fence::None,
        }
    }

    fn percent(&mut self, view: View<'_>, colon: usize, context: Context<'_>, out: &mut Vec<Link>) -> Outcome {
        let floor = context.string_from.unwrap_or(0);
        let Some(from) = scheme_before(view.bytes, colon, floor) else { return Outcome::Done };
        if self.offset(from) < self.percent_end {
            return Outcome::Done;
        }
        let last = from.saturating_add(MAX_LINK);
        let mut text = Vec::new();
        let mut here = from;
        while let Some(byte) = view.bytes.get(here).copied() {
            let (value, used) = match byte {
                b'%' => match hex_after(view.bytes, here) {
                    Some(value) => (value, 3),
                    None => break,
                },
                b'+' => (b' ', 1), // application/x-www-form-urlencoded (WHATWG URL)
                b'-' | b'.' | b'_' | b'~' | b'!' | b'*' | b'(' | b')' | b'/' => (byte, 1),
                _ if byte.is_ascii_alphanumeric() => (byte, 1),
                _ => break,
            };
            text.push(value);
            here = here.saturating_add(used);
            if here > last {
                break;
            }
        }
        self.percent_end = self.offset(here);
        if here > last {
            self.left_out = self.left_out.saturating_add(1);
            return Outcome::Done;
        }
        if view.is_cut_at(here) {
            return Outcome::Done;
        }
        while here > from && matches!(at(view.bytes, here.saturating_sub(1)), b'.' | b')' | b'!') {
            text.pop();
            here = here.saturating_sub(1);
        }
        if let Some(url) = url::absolute(&text) {
            let field = match parameter_before(view.bytes, from) {
                Some(name) => field_text(name),
                None => self.field(view.bytes, from, context),
            };
            self.report(view, from..here, Found { url, field, coding: LinkCoding::Percent }, out);
        }
        Outcome::Done
    }

    fn base64_url(&mut self, view: View<'_>, from: usize, context: Context<'_>, out: &mut Vec<Link>) -> Outcome {
        if self.offset(from) < self.base64_end || !starts_here(view.bytes, from, context.string_from.unwrap_or(0)) {
            return Outcome::Done;
        }
        let run = base64_run(view.bytes, from, MAX_LINK);
        self.base64_end = self.offset(run.end);
        if run.is_too_long {
            self.left_out = self.left_out.saturating_add(1);
            return Outcome::Done;
        }
        if view.is_cut_at(run.end) {
            return Outcome::Done;
        }
        let inside = View { bytes: &run.decoded, end: End::Whole };
        let escapes = Escapes { entities: false, backslashes: false };
        if let Reached::Run(found) = run::read(inside, 0, Fence::End, escapes)
            && let Some(url) = url::absolute(&found.text)
        {
            let field = self.field(view.bytes, from, context);
            self.report(view, from..run.end, Found { url, field, coding: LinkCoding::Base64 }, out);
        }
        Outcome::Done
    }

    fn base64_json(&mut self, view: View<'_>, from: usize, context: Context<'_>, out: &mut Vec<Link>) -> Outcome {
        if self.offset(from) < self.base64_end || !starts_here(view.bytes, from, context.string_from.unwrap_or(0)) {
            return Outcome::Done;
        }
        let run = base64_run(view.bytes, from, MAX_BASE64_JSON);
        if view.end == End::More && run.end.saturating_add(2) >= view.bytes.len() && !run.is_too_long {
            return Outcome::Hold;
        }
        self.base64_end = self.offset(run.end);
        self.left_out = self.left_out.saturating_add(u64::from(run.is_too_long));
        if run.end.saturating_sub(from) < MIN_BASE64_JSON {
            return Outcome::Done;
        }
        let mut inner = LinkScanner::inner(LinkForm::Json);
        let mut found = Vec::new();
        inner.push(&run.decoded, self.frames.of(self.offset(from)), &mut found);
        let is_cut = run.is_too_long || view.is_cut_at(run.end);
        if is_cut {
            inner.gap(0, &mut found);
        } else {
            inner.finish(&mut found);
        }
        self.left_out = self.left_out.saturating_add(inner.left_out());
        for mut link in found {
            let (Ok(first), len) = (usize::try_from(link.offset), link.text.len()) else { continue };
            let begin = run.raw_of(first);
            let end = run.raw_after(first.saturating_add(len)).min(begin.saturating_add(MAX_LINK));
            link.text = view.bytes.get(begin..end).unwrap_or_default().into();
            link.offset = self.offset(begin);
            link.frame = self.frames.of(link.offset);
            link.coding = LinkCoding::Base64;
            self.add(link, out);
        }
        Outcome::Done
    }

    /// A reference in a style sheet's `url( )` (CSS Values). Absolute ones have marks of their own.
    fn css(&mut self, view: View<'_>, index: usize, context: Context<'_>, out: &mut Vec<Link>) -> Outcome {
        let open = index.saturating_add(4);
        let tail = view.bytes.get(open..open.saturating_add(MAX_LINK).min(view.bytes.len())).unwrap_or_default();
        let blank = tail.iter().take(16).take_while(|byte| byte.is_ascii_whitespace()).count();
        let quote = tail.get(blank).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let from = blank.saturating_add(usize::from(quote.is_some()));
        let text = tail.get(from..).unwrap_or_default();
        let len = text.iter().take_while(|byte| match quote {
            Some(quote) => **byte != quote && !byte.is_ascii_control(),
            None => !byte.is_ascii_whitespace() && !matches!(byte, b')' | b'(' | b'"' | b'\'' | b'<'),
        });
        let len = len.count();
        let (Some(text), Some(close)) = (text.get(..len), text.get(len)) else { return Outcome::Done };
        let closed = match quote {
            Some(quote) => *close == quote,
            None => *close == b')' || close.is_ascii_whitespace(),
        };
        if !closed || url::absolute(text).is_some() {
            return Outcome::Done;
        }
        let plain = if context.entities { run::without_entities(text) } else { text.into() };
        if let Some(url) = url::resolve(self.base.as_deref(), &plain) {
            let field = if context.field.is_empty() { "url()" } else { context.field };
            let from = open.saturating_add(from);
            let coding = if *plain == *text { LinkCoding::Plain } else { LinkCoding::Escaped };
            self.report(view, from..from.saturating_add(len), Found { url, field: field.into(), coding }, out);
        }
        Outcome::Done
    }

    /// A JSON string that is, as a whole, a token, a path with a token in it, or a reference without a scheme.
    fn bare(&mut self, view: View<'_>, quote: usize, len: usize, context: Context<'_>, out: &mut Vec<Link>) -> Outcome {
        let from = quote.saturating_add(1);
        let end = from.saturating_add(len);
        let Some(text) = view.bytes.get(from..end) else { return Outcome::Done };
        // A string before a colon is a key.
        let after = view.bytes.get(end.saturating_add(1)..).unwrap_or_default();
        match after.iter().take(64).find(|byte| !byte.is_ascii_whitespace()) {
            Some(b':') => return Outcome::Done,
            None if view.end == End::Cut => return Outcome::Done,
            _ => {}
        }
        let url = if text.starts_with(b"//") || text.starts_with(b"\\/\\/") {
            let plain: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\\').collect();
            let host = plain.get(2..).unwrap_or_default().split(|byte| *byte == b'/').next().unwrap_or_default();
            match url::resolve(self.base.as_deref(), &plain) {
                Some(url) if host.contains(&b'.') => url,
                _ => return Outcome::Done,
            }
        } else {
            String::new()
        };
        let coding = if text.contains(&b'\\') { LinkCoding::Escaped } else { LinkCoding::Plain };
        let field = self.field(view.bytes, from, context);
        self.last_string = Some((self.offset(end), field.clone()));
        self.report(view, from..end, Found { url, field, coding }, out);
        Outcome::Done
    }

    /// Reports a whole value that is a token or holds one, outside JSON.
    pub(super) fn bare_value(
        &mut self,
        view: View<'_>,
        range: std::ops::Range<usize>,
        field: Box<str>,
        out: &mut Vec<Link>,
    ) {
        if view.bytes.get(range.clone()).is_some_and(is_bare) {
            self.report(view, range, Found { url: String::new(), field, coding: LinkCoding::Plain }, out);
        }
    }

    pub(super) fn report(&mut self, view: View<'_>, range: std::ops::Range<usize>, found: Found, out: &mut Vec<Link>) {
        let Found { url, field, coding } = found;
        let offset = self.offset(range.start);
        let Some(text) = view.bytes.get(range) else { return };
        let frame = self.frames.of(offset);
        self.add(Link { text: text.into(), url: url.into(), offset, frame, field, form: self.form, coding }, out);
    }

    fn add(&mut self, link: Link, out: &mut Vec<Link>) {
        let (count, most) = if link.url.is_empty() { (&mut self.bare, MAX_BARE) } else { (&mut self.links, MAX_LINKS) };
        if *count < most {
            *count = count.saturating_add(1);
            out.push(link);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// What names the value at `from`.
    fn field(&self, bytes: &[u8], from: usize, context: Context<'_>) -> Box<str> {
        if context.looks_back {
            match key_before(bytes, from, self.form) {
                Key::Named(name) => return field_text(name),
                Key::Element(mark) => {
                    if let Some(name) = self.array_key(bytes, mark, from) {
                        return name;
                    }
                }
                Key::None => {}
            }
        }
        field_text(context.field.as_bytes())
    }

    /// The key of the array whose element follows the comma or bracket at `mark`.
    fn array_key(&self, bytes: &[u8], mark: usize, from: usize) -> Option<Box<str>> {
        if at(bytes, mark) == b',' {
            let close = back_over_blanks(bytes, mark).checked_sub(1)?;
            if let Some((last, field)) = &self.last_string
                && *last == self.offset(close)
            {
                return Some(field.clone());
            }
        }
        let floor = from.saturating_sub(BACK);
        let mut depth = 0_usize;
        let mut here = mark;
        loop {
            match at(bytes, here) {
                b'[' if depth == 0 => {
                    let before = back_over_blanks(bytes, here).checked_sub(1)?;
                    match at(bytes, before) {
                        b':' | b'=' => return name_before(bytes, before).map(field_text),
                        b'[' | b',' if here != before => here = before.saturating_add(1),
                        _ => return None,
                    }
                }
                b'[' => depth = depth.saturating_sub(1),
                b'{' => depth = depth.checked_sub(1)?,
                b']' | b'}' => depth = depth.saturating_add(1),
                b'"' => here = quote_before(bytes, here, floor)?,
                _ => {}
            }
            here = here.checked_sub(1).filter(|here| *here >= floor)?;
        }
    }
}

/// Finds string values that are a token, or a path that holds one, or a reference without a scheme.
///
/// Every token has a run of at least `TOKEN_BYTES` token bytes, which holds eight bytes in line without a smaller one: the
/// many short words of JSON cost little.
fn collect_bare(tail: &[u8], from: usize, marks: &mut Vec<(usize, Kind)>) {
    let mut value_at = |quote: usize, after: usize| {
        let start = quote.saturating_add(1);
        let most = after.saturating_add(BARE_PATH).min(tail.len());
        let Some(len) = tail.get(after..most).and_then(|rest| memchr::memchr(b'"', rest)) else { return };
        let text = tail.get(start..after.saturating_add(len)).unwrap_or_default();
        if (4..=BARE_PATH).contains(&text.len()) && is_bare(text) {
            marks.push((quote.saturating_add(from), Kind::Bare(text.len())));
        }
    };
    for needle in &Needles::of_all().references {
        needle.find_iter(tail).for_each(|quote| value_at(quote, quote.saturating_add(1)));
    }
    let (eights, _) = tail.as_chunks::<8>();
    let (mut at, mut done) = (0_usize, 0_usize);
    for eight in eights {
        let here = at;
        at = at.saturating_add(8);
        if here < done || has_byte_below(u64::from_le_bytes(*eight), b'-') {
            continue;
        }
        let (before, behind) = tail.split_at_checked(here).unwrap_or_default();
        let end = behind.iter().position(|b| !is_token_byte(*b)).map_or(tail.len(), |n| here.saturating_add(n));
        let start = before.iter().rposition(|b| !is_token_byte(*b)).map_or(0, |n| n.saturating_add(1));
        if end.saturating_sub(start) >= TOKEN_BYTES {
            let floor = start.saturating_sub(BARE_PATH);
            let quote = tail.get(floor..start).and_then(|near| memchr::memrchr(b'"', near));
            if let Some(quote) = quote {
                value_at(floor.saturating_add(quote), end);
            }
        }
        done = end;
    }
}

/// Whether one of the bytes is less than `least`, at most 128: white space, quotes and commas are, token bytes are not.
fn has_byte_below(eight: u64, least: u8) -> bool {
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    eight.wrapping_sub(u64::from_le_bytes([least; 8])) & !eight & HIGH != 0
}

/// Whether a value as a whole is a token, a path that holds one, or a reference without a scheme.
fn is_bare(text: &[u8]) -> bool {
    match text.first() {
        Some(b'/') => is_path(text),
        Some(b'\\') if text.starts_with(b"\\/") => is_path(text),
        Some(first) if is_token_byte(*first) => {
            BARE.contains(&text.len())
                && text.iter().all(|byte| is_token_byte(*byte))
                && is_token(text)
                && !text.starts_with(b"aHR0c")
                && !text.starts_with(b"eyJ")
        }
        _ => false,
    }
}

fn is_path(text: &[u8]) -> bool {
    let good =
        text.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'{' | b'}'));
    let escapes = text.iter().zip(text.iter().skip(1)).all(|(one, next)| *one != b'\\' || *next == b'/');
    let names_host = text.starts_with(b"//") || text.starts_with(b"\\/\\/");
    good && escapes && text.len() <= BARE_PATH && (names_host || has_token(text))
}

/// Start of a followed scheme that ends before the colon, where a word begins.
pub(super) fn scheme_before(bytes: &[u8], colon: usize, floor: usize) -> Option<usize> {
    let from = scheme_start(bytes, colon).filter(|from| *from >= floor && starts_here(bytes, *from, floor))?;
    // A dot joins a scheme to a longer name (RFC 3986 section 3.1), but parts the base64 of tokens.
    let is_joined = from > floor && at(bytes, from.saturating_sub(1)) == b'.';
    (!is_joined).then_some(from)
}

/// Start of a followed scheme that ends before the colon, whatever stands before it.
pub(super) fn scheme_start(bytes: &[u8], colon: usize) -> Option<usize> {
    ["https", "http", "wss", "ws"].into_iter().find_map(|scheme| {
        let from = colon.checked_sub(scheme.len())?;
        bytes.get(from..colon).filter(|text| text.eq_ignore_ascii_case(scheme.as_bytes())).map(|_| from)
    })
}

/// Whether a word begins at `from`: the byte before is no part of one, or closes an escape.
fn starts_here(bytes: &[u8], from: usize, floor: usize) -> bool {
    if from <= floor {
        return true;
    }
    let back =
        |count: usize| from.checked_sub(count).filter(|index| *index >= floor).map_or(0, |index| at(bytes, index));
    let before = back(1);
    if !(before.is_ascii_alphanumeric() || matches!(before, b'+' | b'-' | b'_')) {
        return true;
    }
    let is_escape = matches!(before, b'n' | b'r' | b't' | b'b' | b'f') && back(2) == b'\\';
    let is_triplet = before.is_ascii_hexdigit() && back(2).is_ascii_hexdigit() && back(3) == b'%';
    let is_unicode = before.is_ascii_hexdigit() && back(5) == b'u' && back(6) == b'\\';
    is_escape || is_triplet || is_unicode
}

pub(super) fn hex_after(bytes: &[u8], percent: usize) -> Option<u8> {
    let digit = |count: usize| bytes.get(percent.saturating_add(count)).copied();
    url::hex_pair(digit(1), digit(2))
}

/// The byte at an index, 0 where there is none.
pub(super) fn at(bytes: &[u8], index: usize) -> u8 {
    bytes.get(index).copied().unwrap_or(0)
}

pub(super) fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
