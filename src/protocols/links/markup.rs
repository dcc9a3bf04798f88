//! Tags, attributes and element text of HTML (WHATWG) and XML.
//!
//! Comes in: the bytes held. Goes out: links with the attribute or element that names them; in HTML, relative references
//! too. Never: a tree, or an attribute's value kept beyond the longest link.

use memchr::{memchr, memchr2, memmem};

use super::find::{Context, End, Finder, Found, View, at};
use super::run::without_entities;
use super::url;
use super::{AHEAD, Link, LinkCoding, MAX_FIELD, MAX_LINK, field_text};

/// Longest name of a tag or attribute that is read as one, in bytes.
const MAX_NAME: usize = 64;
/// White space passed over at once, in bytes.
const MAX_BLANKS: usize = 256;
/// Longest element text that is looked at as a whole, in bytes.
const MAX_WHOLE_TEXT: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text,
    /// In a script or style sheet, until its end tag.
    Raw,
    Comment,
    Cdata,
    /// In a declaration or instruction, until `>`.
    Skipped,
    /// In a document type's own declarations, until `]`.
    Subset,
    Tag,
    /// In an attribute's value, until this quote, or unquoted.
    Value(Option<u8>),
}

/// Reads HTML or XML.
pub(super) struct Markup {
    is_html: bool,
    place: Place,
    tag: Vec<u8>,
    is_end_tag: bool,
    attribute: Vec<u8>,
    /// Offset where the text after the last tag begins. `None`: a hole is in it.
    text_from: Option<u64>,
    /// Last `<key>` of a property list.
    key: Vec<u8>,
    has_base: bool,
}

impl Markup {
    pub(super) fn new(is_html: bool) -> Self {
        Self {
            is_html,
            place: Place::Text,
            tag: Vec::new(),
            is_end_tag: false,
            attribute: Vec::new(),
            text_from: None,
            key: Vec::new(),
            has_base: false,
        }
    }

    /// A hole: the bytes after it are taken for text.
    pub(super) fn forget_place(&mut self) {
        *self = Self { has_base: self.has_base, ..Self::new(self.is_html) };
    }

    /// Reads up to `limit`. Gives the place reached and whether it waits there for a long coding.
    pub(super) fn read(
        &mut self,
        finder: &mut Finder,
        view: View<'_>,
        from: usize,
        limit: usize,
        out: &mut Vec<Link>,
    ) -> (usize, bool) {
        finder.collect(view.bytes, from, limit);
        let mut here = from;
        while here < limit {
            // Where this place ends, and where reading goes on from there.
            let (end, next, after) = self.extent(view.bytes, here, limit);
            if matches!(self.place, Place::Skipped | Place::Subset | Place::Tag) || self.is_ignored() {
                finder.skip_until(end);
            } else if finder.has_mark_before(end) {
                let field = self.field();
                let context = Context {
                    field: &field,
                    looks_back: self.place == Place::Raw,
                    entities: matches!(self.place, Place::Text | Place::Value(_)),
                    string_from: None,
                };
                if let Some(held) = finder.marks_until(view, end, context, out) {
                    return (held, true);
                }
            }
            match after {
                After::Same => here = next,
                After::Place(place) => {
                    (here, self.place) = (next, place);
                }
                After::Open => here = self.open(finder, view, end, out),
                After::Attribute => here = self.attribute(finder, view, next, out),
            }
        }
        (here, false)
    }

    fn is_ignored(&self) -> bool {
        matches!(self.place, Place::Value(_)) && (self.attribute == b"xmlns" || self.attribute.starts_with(b"xmlns:"))
    }

    fn field(&self) -> String {
        let lossy = |raw: &[u8]| field_text(raw).into_string();
        match self.place {
            Place::Comment => "comment".to_owned(),
            Place::Value(_) => [&*field_text(&self.tag), " ", &*field_text(&self.attribute)].concat(),
            _ if self.is_html => lossy(&self.tag),
            _ => self.element_field(),
        }
    }

    /// A property list names its values by the key before them, other XML by the element.
    fn element_field(&self) -> String {
        if self.tag == b"string" && !self.key.is_empty() {
            return field_text(&self.key).into_string();
        }
        format!("<{}>", field_text(self.tag.get(..MAX_FIELD.saturating_sub(2)).unwrap_or(&self.tag)))
    }

    /// End of the present place within `limit`, where to go on, and as what.
    fn extent(&self, bytes: &[u8], here: usize, limit: usize) -> (usize, usize, After) {
        let tail = bytes.get(here..limit).unwrap_or_default();
        let up_to = |found: Option<usize>, skip: usize, after: After| match found {
            Some(index) => {
                let end = here.saturating_add(index);
                (end, end.saturating_add(skip), after)
            }
            None => (limit, limit, After::Same),
        };
        match self.place {
            Place::Text => up_to(memchr(b'<', tail), 0, After::Open),
            Place::Raw => match memchr(b'<', tail).map(|index| here.saturating_add(index)) {
                Some(end) if self.is_raw_end(bytes, end) => (end, end, After::Open),
                Some(end) => (end.saturating_add(1), end.saturating_add(1), After::Same),
                None => (limit, limit, After::Same),
            },
            Place::Comment => up_to(find_before(bytes, here, limit, b"-->"), 3, After::Place(Place::Text)),
            Place::Cdata => up_to(find_before(bytes, here, limit, b"]]>"), 3, After::Place(Place::Text)),
            Place::Skipped => match memchr2(b'>', b'[', tail) {
                Some(index) if tail.get(index) == Some(&b'[') => up_to(Some(index), 1, After::Place(Place::Subset)),
                found => up_to(found, 1, After::Place(Place::Text)),
            },
            Place::Subset => up_to(memchr(b']', tail), 1, After::Place(Place::Skipped)),
            Place::Tag => (here, here, After::Attribute),
            Place::Value(Some(quote)) => up_to(memchr(quote, tail), 1, After::Place(Place::Tag)),
            Place::Value(None) => {
                let end = tail.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'>');
                up_to(end, 0, After::Place(Place::Tag))
            }
        }
    }

    fn is_raw_end(&self, bytes: &[u8], open: usize) -> bool {
        let name = open.saturating_add(2);
        at(bytes, open.saturating_add(1)) == b'/'
            && bytes
                .get(name..name.saturating_add(self.tag.len()))
                .is_some_and(|name| name.eq_ignore_ascii_case(&self.tag))
    }

    /// At `<`: a tag, or what else begins so. Gives where to go on.
    fn open(&mut self, finder: &mut Finder, view: View<'_>, open: usize, out: &mut Vec<Link>) -> usize {
        let tail = view.bytes.get(open..).unwrap_or_default();
        let past = |count: usize| open.saturating_add(count);
        if tail.starts_with(b"<!--") {
            self.place = Place::Comment;
            return past(4);
        }
        if tail.starts_with(b"<![CDATA[") {
            self.place = Place::Cdata;
            return past(9);
        }
        if matches!(tail.get(1), Some(b'!' | b'?')) {
            self.place = Place::Skipped;
            return past(2);
        }
        let is_end_tag = tail.get(1) == Some(&b'/');
        let name_from = if is_end_tag { 2 } else { 1 };
        let rest = tail.get(name_from..).unwrap_or_default();
        let len = rest.iter().take(MAX_NAME).take_while(|byte| is_name_byte(**byte)).count();
        if !rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | 0x80..)) {
            self.place = Place::Text;
            return past(1);
        }
        if is_end_tag && !self.is_html {
            self.whole_text(finder, view, open, out);
        }
        self.is_end_tag = is_end_tag;
        if !is_end_tag {
            self.tag.clear();
            self.tag.extend_from_slice(rest.get(..len).unwrap_or_default());
            if self.is_html {
                self.tag.make_ascii_lowercase();
            }
        }
        self.place = Place::Tag;
        past(name_from.saturating_add(len))
    }

    /// The text of an element at its end tag: a property list's key, a `WebDAV` reference, or a bare token.
    fn whole_text(&mut self, finder: &mut Finder, view: View<'_>, end: usize, out: &mut Vec<Link>) {
        let Some(text_from) = self.text_from.take() else { return };
        let Some(len) = finder.offset(end).checked_sub(text_from).and_then(|len| usize::try_from(len).ok()) else {
            return;
        };
        if len > MAX_WHOLE_TEXT || len == 0 {
            return;
        }
        let Some(raw) = end.checked_sub(len).and_then(|from| view.bytes.get(from..end)) else { return };
        let text = raw.trim_ascii();
        if self.tag == b"key" {
            self.key = text.get(..MAX_FIELD).unwrap_or(text).to_vec();
            return;
        }
        let lead = raw.len().saturating_sub(raw.trim_ascii_start().len());
        let from = end.saturating_sub(len).saturating_add(lead);
        let range = from..from.saturating_add(text.len());
        let field = self.element_field().into_boxed_str();
        // RFC 4918 section 14.7: an element's text is a reference.
        let is_href = self.tag == b"href" || self.tag.ends_with(b":href");
        if is_href && text.starts_with(b"/") {
            let plain = without_entities(text);
            let coding = if *plain == *text { LinkCoding::Plain } else { LinkCoding::Escaped };
            if let Some(url) = url::resolve(finder.base.as_deref(), &plain) {
                finder.report(view, range, Found { url, field, coding }, out);
                return;
            }
        }
        finder.bare_value(view, range, field, out);
    }

    /// In a tag: its end, or an attribute. Gives where to go on.
    fn attribute(&mut self, finder: &mut Finder, view: View<'_>, from: usize, out: &mut Vec<Link>) -> usize {
        let bytes = view.bytes;
        match at(bytes, from) {
            b'>' => {
                let is_raw = self.is_html && !self.is_end_tag && matches!(self.tag.as_slice(), b"script" | b"style");
                self.place = if is_raw { Place::Raw } else { Place::Text };
                let next = from.saturating_add(1);
                self.text_from = (!self.is_end_tag).then(|| finder.offset(next));
                return next;
            }
            b'<' => {
                self.place = Place::Text;
                return from;
            }
            byte if !is_name_byte(byte) => return from.saturating_add(1),
            _ => {}
        }
        let tail = bytes.get(from..).unwrap_or_default();
        let len = tail.iter().take(MAX_NAME).take_while(|byte| is_name_byte(**byte)).count();
        self.attribute.clear();
        self.attribute.extend_from_slice(tail.get(..len).unwrap_or_default());
        if self.is_html {
            self.attribute.make_ascii_lowercase();
        }
        let named = from.saturating_add(len);
        let mark = over_blanks(bytes, named);
        if at(bytes, mark) != b'=' {
            return named;
        }
        let value = over_blanks(bytes, mark.saturating_add(1));
        let quote = Some(at(bytes, value)).filter(|byte| matches!(byte, b'"' | b'\''));
        let value = value.saturating_add(usize::from(quote.is_some()));
        self.place = Place::Value(quote);
        finder.attribute_links.clear();
        if self.is_html && !self.is_end_tag {
            self.references(finder, view, value, quote, out);
        }
        value
    }

    /// References in an attribute's value, when it is whole and not longer than a link.
    fn references(&mut self, finder: &mut Finder, view: View<'_>, from: usize, quote: Option<u8>, out: &mut Vec<Link>) {
        let how = self.reading();
        if how == Reading::Marks {
            return;
        }
        let tail = view.bytes.get(from..from.saturating_add(MAX_LINK).min(view.bytes.len())).unwrap_or_default();
        let len = match quote {
            Some(quote) => memchr(quote, tail),
            None => tail.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'>'),
        };
        let len = match (len, view.end) {
            (Some(len), _) => len,
            (None, End::Whole) if quote.is_none() && tail.len() < MAX_LINK => tail.len(),
            (None, _) => return,
        };
        let raw = tail.get(..len).unwrap_or_default();
        match how {
            Reading::Marks => {}
            Reading::One => {
                let base = self.reference(finder, view, from, raw, out);
                if self.tag == b"base" && !self.has_base && base.is_some() {
                    self.has_base = true;
                    finder.base = base;
                }
            }
            Reading::Several => {
                for (lead, text) in candidates(raw) {
                    self.reference(finder, view, from.saturating_add(lead), text, out);
                }
            }
            Reading::Refresh => {
                if let Some((lead, text)) = refresh(raw) {
                    self.reference(finder, view, from.saturating_add(lead), text, out);
                }
            }
        }
    }

    fn reading(&self) -> Reading {
        match self.attribute.as_slice() {
            b"href" | b"src" | b"poster" | b"action" | b"formaction" | b"data-src" | b"xlink:href" => Reading::One,
            b"srcset" | b"imagesrcset" | b"data-srcset" => Reading::Several,
            b"content" if self.tag == b"meta" => Reading::Refresh,
            _ => Reading::Marks,
        }
    }

    /// Reports a reference; gives its URL where it may be the page's base.
    fn reference(
        &self,
        finder: &mut Finder,
        view: View<'_>,
        from: usize,
        raw: &[u8],
        out: &mut Vec<Link>,
    ) -> Option<String> {
        let text = raw.trim_ascii();
        let lead = raw.len().saturating_sub(raw.trim_ascii_start().len());
        let plain = without_entities(text);
        let url = url::resolve(finder.base.as_deref(), &plain)?;
        let coding = if *plain == *text { LinkCoding::Plain } else { LinkCoding::Escaped };
        let base = (self.tag == b"base").then(|| url.clone());
        let from = from.saturating_add(lead);
        finder.attribute_links.push(finder.offset(from));
        let field = self.field().into_boxed_str();
        finder.report(view, from..from.saturating_add(text.len()), Found { url, field, coding }, out);
        base
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The same place goes on.
    Same,
    Place(Place),
    /// At `<`.
    Open,
    Attribute,
}

/// How an attribute's value names URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Only absolute ones, wherever they are.
    Marks,
    /// As a whole.
    One,
    /// One per candidate.
    Several,
    /// After `url=`.
    Refresh,
}

/// URLs of a `srcset` with their places (HTML, "Parsing a srcset attribute").
fn candidates(value: &[u8]) -> Vec<(usize, &[u8])> {
    let mut found = Vec::new();
    let mut here = 0;
    while let Some(rest) = value.get(here..).filter(|rest| !rest.is_empty()) {
        let lead = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        let rest = rest.get(lead..).unwrap_or_default();
        let len = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let word = rest.get(..len).unwrap_or_default();
        let commas = word.iter().rev().take_while(|byte| **byte == b',').count();
        let text = word.get(..len.saturating_sub(commas)).unwrap_or_default();
        let from = here.saturating_add(lead);
        if !text.is_empty() {
            found.push((from, text));
        }
        here = from.saturating_add(len);
        if commas == 0 {
            let descriptor = value.get(here..).unwrap_or_default();
            here = here.saturating_add(descriptor.iter().take_while(|byte| **byte != b',').count());
        }
    }
    found
}

/// The URL of a refresh with its place: `5; url=…` (HTML, "shared declarative refresh steps").
pub(super) fn refresh(value: &[u8]) -> Option<(usize, &[u8])> {
    let time =
        value.iter().take_while(|byte| byte.is_ascii_whitespace() || byte.is_ascii_digit() || **byte == b'.').count();
    let rest = value.get(time..)?;
    let lead = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b';' | b',')).count();
    let rest = rest.get(lead..)?;
    let has_time = value.iter().take(time).any(u8::is_ascii_digit);
    if !has_time || lead == 0 || !rest.get(..3)?.eq_ignore_ascii_case(b"url") {
        return None;
    }
    let after = rest.get(3..)?;
    let blanks = after.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let after_mark = after.get(blanks..)?.strip_prefix(b"=")?;
    let blanks = after_mark.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let mut text = after_mark.get(blanks..)?;
    if let Some(quote) = text.first().copied().filter(|byte| matches!(byte, b'"' | b'\'')) {
        text = text.get(1..)?;
        text = text.split(|byte| *byte == quote).next()?;
        let before = memmem::find(value, text)?;
        return Some((before, text));
    }
    Some((value.len().saturating_sub(text.len()), text.trim_ascii_end()))
}

fn is_name_byte(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !byte.is_ascii_control() && !matches!(byte, b'>' | b'<' | b'/' | b'=' | b'"' | b'\'')
}

fn over_blanks(bytes: &[u8], from: usize) -> usize {
    let tail = bytes.get(from..).unwrap_or_default();
    from.saturating_add(tail.iter().take(MAX_BLANKS).take_while(|byte| byte.is_ascii_whitespace()).count())
}

/// Place after `here` of a needle that begins before `limit`.
fn find_before(bytes: &[u8], here: usize, limit: usize, needle: &[u8]) -> Option<usize> {
    let end = limit.saturating_add(needle.len()).saturating_sub(1).min(bytes.len());
    memmem::find(bytes.get(here..end)?, needle)
}

const _: () = assert!(AHEAD > MAX_LINK, "a value as long as a link is seen with its closing quote");
