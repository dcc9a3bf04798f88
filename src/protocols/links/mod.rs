//! URLs that a message hands to its client.
//!
//! Comes in: decoded bytes of a body in order, or a header field, with the frame that brought them. Goes out: each URL
//! with its place, the field that names it and its normal form. Never: a request for one of them, a body kept whole
//! (bar small binary property lists), a guess at bytes that a hole in the stream took.
//!
//! Any cut of the same bytes gives the same links: each decision reads a bounded stretch around its place and waits until
//! that stretch is there. What is no URL costs a few substring searches; per-byte work is done in tags and in URLs only.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod base64;
mod before;
mod find;
mod header;
mod markup;
mod plist;
mod run;
#[cfg(test)]
mod tests;
mod url;

use std::fmt;

use crate::model::FrameNo;

pub use self::header::{header_links, may_link};
pub use self::url::{LinkKeys, host_key, keys, normal_url, token_keys};

use self::find::{End, Finder, View};
use self::markup::Markup;

/// Longest link in bytes as it stands in the body; longer ones are counted, not reported. Browsers and servers take about
/// 8 KiB at most, signed URLs of object stores stay under 2 KiB.
pub const MAX_LINK: usize = 4 << 10;
/// Links reported of one body: a page has hundreds, a listing thousands.
pub const MAX_LINKS: usize = 20_000;
/// Bare tokens reported of one body, apart from the links so that identifiers do not displace URLs.
pub const MAX_BARE: usize = 4_000;
/// Bytes of one body held while they wait for what follows.
const WINDOW: usize = 16 << 10;
/// Bytes that must follow a place before it is read: the longest link and what tells its end.
const AHEAD: usize = MAX_LINK + 64;
/// Bytes of a page after which its beginning is read.
const FIRST_READ: usize = AHEAD + 1_024;
/// Bytes kept before the place that was reached, for the look back at keys.
const KEEP: usize = 1 << 10;
/// Longest base64 text of a JSON value that is looked into, in bytes; it may wait beyond `WINDOW`.
const MAX_BASE64_JSON: usize = 64 << 10;
/// Binary property lists up to this many bytes are held until their end, where their table of keys stands.
const MAX_PLIST: usize = 256 << 10;
/// First bytes by which the form is told.
const SNIFF: usize = 512;
/// Longest field name shown, in bytes.
const MAX_FIELD: usize = 64;

/// A URL, or a bare token of one, that a message names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// As it stands in the decoded bytes, escapes and all; at most [`MAX_LINK`] bytes. Of a link inside base64, the base64
    /// that holds it.
    pub text: Box<[u8]>,
    /// Absolute, in normal form: escapes of the container undone, scheme and host in lower case, default port, user name
    /// and fragment dropped, percent-escapes and dot segments evened out (RFC 3986 section 6.2). Empty for a bare token.
    pub url: Box<str>,
    /// Offset of the first byte of `text` in the decoded body, or in the field's value.
    pub offset: u64,
    /// Frame that brought that byte.
    pub frame: FrameNo,
    /// What names it: JSON key, `tag attribute`, `<element>`, property list key, header field; empty where nothing does.
    /// At most 64 bytes.
    pub field: Box<str>,
    /// What it was found in.
    pub form: LinkForm,
    /// How it was written.
    pub coding: LinkCoding,
}

/// What a link was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkForm {
    /// JSON (RFC 8259).
    Json,
    /// HTML (WHATWG).
    Html,
    /// XML, XML property lists among it.
    Xml,
    /// Binary property list.
    Plist,
    /// Any other text: plain, scripts, style sheets, forms.
    Text,
    /// A header field's value.
    Header,
}

/// How a link was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkCoding {
    /// As it is.
    Plain,
    /// With escapes of JSON or scripts (RFC 8259 section 7), or entities.
    Escaped,
    /// Percent-encoded as a whole (RFC 3986 section 2.1).
    Percent,
    /// In base64 (RFC 4648 sections 4 and 5).
    Base64,
}

/// What is known of the form before the first bytes are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hint {
    Json,
    Html,
    Xml,
    /// Plain text, which may be anything.
    Text,
    Script,
    Style,
    Unknown,
}

/// How the body is read.
enum Reading {
    /// Waiting for the first bytes.
    First(Hint),
    /// JSON and text: only what the search finds is looked at.
    Flat,
    /// HTML and XML.
    Tags(Box<Markup>),
    /// A binary property list, still short enough to be held until its end.
    WholePlist,
    /// A binary property list, read by the length markers of its strings.
    Plist,
    /// Nothing here hands out URLs.
    Off,
}

/// Finds the links of one body.
pub struct LinkScanner {
    reading: Reading,
    buffer: Vec<u8>,
    /// Index in `buffer` of the first byte that was not read.
    at: usize,
    /// Length of `buffer` at which reading goes on.
    wake: usize,
    finder: Finder,
}

impl fmt::Debug for LinkScanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkScanner").field("offset", &self.finder.start).finish_non_exhaustive()
    }
}

impl LinkScanner {
    /// A scanner for a body of this media type (RFC 9110 section 8.3). `None`: such a body hands out nothing (pictures,
    /// sound, film, fonts, archives). Types that say nothing are told by their first bytes.
    pub fn new(content_type: Option<&[u8]>) -> Option<Self> {
        let hint = hint(content_type.unwrap_or_default())?;
        Some(Self::with(Reading::First(hint), Finder::new(), SNIFF))
    }

    /// Resolves relative references against `base`: the absolute URL, in normal form, that the body was got from.
    pub fn set_base(&mut self, base: Option<String>) {
        self.finder.base = base;
    }

    /// A scanner of what a coding inside a body holds.
    fn inner(form: LinkForm) -> Self {
        let mut finder = Finder::new();
        finder.form = form;
        finder.is_inner = true;
        Self::with(Reading::Flat, finder, WINDOW)
    }

    fn with(reading: Reading, finder: Finder, wake: usize) -> Self {
        Self { reading, buffer: Vec::new(), at: 0, wake, finder }
    }

    /// Takes the next decoded bytes, which `frame` brought. Links appear in `out` when what follows them is known.
    pub fn push(&mut self, bytes: &[u8], frame: FrameNo, out: &mut Vec<Link>) {
        if matches!(self.reading, Reading::Off) || bytes.is_empty() {
            return;
        }
        self.finder.frames.note(self.end(), frame);
        // Most bodies come in one piece; one that does not may well fill the window.
        let room = self.buffer.capacity().saturating_sub(self.buffer.len());
        if room < bytes.len() && self.buffer.len() < WINDOW {
            let want = if self.buffer.is_empty() { bytes.len().min(WINDOW) } else { WINDOW };
            self.buffer.reserve_exact(want.saturating_sub(self.buffer.len()));
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = self.wake.saturating_sub(self.buffer.len()).clamp(1, rest.len());
            let (head, tail) = rest.split_at_checked(room).unwrap_or((rest, b""));
            self.buffer.extend_from_slice(head);
            rest = tail;
            if self.buffer.len() >= self.wake {
                self.read(End::More, out);
                if matches!(self.reading, Reading::Off) {
                    return;
                }
            }
        }
    }

    /// Takes the last bytes of the body, as [`Self::push`] and [`Self::finish`] do: a short one that came in one piece is
    /// read where it lies.
    pub fn push_last(&mut self, bytes: &[u8], frame: FrameNo, out: &mut Vec<Link>) {
        let Reading::First(hint) = self.reading else {
            self.push(bytes, frame, out);
            return self.finish(out);
        };
        if !self.buffer.is_empty() || bytes.len() > WINDOW {
            self.push(bytes, frame, out);
            return self.finish(out);
        }
        self.finder.frames.note(self.end(), frame);
        self.begin(hint, first_bytes(hint, bytes.get(..SNIFF).unwrap_or(bytes)));
        let view = View { bytes, end: End::Whole };
        read_on(&mut self.reading, &mut self.finder, view, 0, bytes.len(), out);
        self.reading = Reading::Off;
    }

    /// `missing` bytes of the body are not in the capture. A link that the hole cuts is not reported.
    pub fn gap(&mut self, missing: u64, out: &mut Vec<Link>) {
        if matches!(self.reading, Reading::Off) {
            return;
        }
        if !self.buffer.is_empty() {
            self.read(End::Cut, out);
        }
        self.finder.start = self.end().saturating_add(missing);
        self.finder.forget_place();
        self.buffer.clear();
        self.at = 0;
        match &mut self.reading {
            Reading::Tags(markup) => markup.forget_place(),
            reading @ Reading::WholePlist => *reading = Reading::Plist,
            Reading::First(_) | Reading::Flat | Reading::Plist | Reading::Off => {}
        }
        self.wake = self.rest_wake();
    }

    /// The body is whole.
    pub fn finish(&mut self, out: &mut Vec<Link>) {
        if !self.buffer.is_empty() {
            self.read(End::Whole, out);
        }
        self.buffer = Vec::new();
        self.reading = Reading::Off;
    }

    /// Whether a limit kept links from being reported: more than [`MAX_LINKS`] or [`MAX_BARE`], one longer than
    /// [`MAX_LINK`], or base64 of more than 64 KiB.
    pub fn limited(&self) -> bool {
        self.finder.left_out > 0
    }

    /// How many links are known to be left out owing to a limit.
    pub fn left_out(&self) -> u64 {
        self.finder.left_out
    }

    /// Offset of the first byte that is still to come.
    fn end(&self) -> u64 {
        self.finder.start.saturating_add(find::wide(self.buffer.len()))
    }

    fn rest_wake(&self) -> usize {
        match self.reading {
            Reading::First(_) => SNIFF,
            Reading::WholePlist => MAX_PLIST,
            Reading::Flat | Reading::Tags(_) | Reading::Plist | Reading::Off => WINDOW,
        }
    }

    /// Reads as far as the bytes allow, then lets go of what is no longer needed.
    fn read(&mut self, end: End, out: &mut Vec<Link>) {
        if let Reading::First(hint) = self.reading {
            self.begin(hint, first_bytes(hint, self.buffer.get(..SNIFF).unwrap_or(&self.buffer)));
            // Clients ask for what the head of a page names while the rest still comes.
            self.wake = if matches!(self.reading, Reading::Tags(_)) { FIRST_READ } else { self.rest_wake() };
            if end == End::More && self.buffer.len() < self.wake {
                return;
            }
        }
        let len = self.buffer.len();
        let view = View { bytes: &self.buffer, end };
        let limit = if end == End::More { len.saturating_sub(AHEAD) } else { len };
        let hold;
        (self.at, hold) = read_on(&mut self.reading, &mut self.finder, view, self.at, limit, out);
        let drop = self.at.saturating_sub(KEEP).min(len);
        self.buffer.drain(..drop);
        self.at = self.at.saturating_sub(drop);
        self.finder.start = self.finder.start.saturating_add(find::wide(drop));
        self.finder.frames.forget_before(self.finder.start);
        self.wake = if hold {
            self.at.saturating_add(MAX_BASE64_JSON).saturating_add(AHEAD)
        } else {
            self.rest_wake().max(self.buffer.len().saturating_add(1))
        };
        if !hold && self.buffer.capacity() > WINDOW.saturating_mul(2) {
            self.buffer.shrink_to(WINDOW);
        }
    }

    /// Settles how the body is read, as its first bytes say.
    fn begin(&mut self, hint: Hint, (reading, form): (Reading, LinkForm)) {
        self.finder.form = form;
        self.finder.has_css = form == LinkForm::Html || hint == Hint::Style;
        self.finder.has_tags = matches!(form, LinkForm::Html | LinkForm::Xml);
        self.reading = reading;
        if matches!(self.reading, Reading::Off) {
            self.buffer = Vec::new();
            self.at = 0;
        }
    }
}

/// Reads from `at` up to `limit`. Gives the place reached and whether it waits there for a long coding.
fn read_on(
    reading: &mut Reading,
    finder: &mut Finder,
    view: View<'_>,
    at: usize,
    limit: usize,
    out: &mut Vec<Link>,
) -> (usize, bool) {
    match reading {
        Reading::First(_) | Reading::Off => (view.bytes.len(), false),
        Reading::Flat => finder.flat(view, at, limit, out),
        Reading::Tags(markup) => markup.read(finder, view, at, limit, out),
        Reading::WholePlist => {
            if view.end == End::Whole && plist::whole(finder, view.bytes, out) {
                return (at, false);
            }
            *reading = Reading::Plist;
            (plist::stream(finder, view, at, limit, out), false)
        }
        Reading::Plist => (plist::stream(finder, view, at, limit, out), false),
    }
}

/// Names of types that are packed or of another kind than text, whatever they contain.
const PACKED: &[&str] = &[
    "zip",
    "gzip",
    "x-gzip",
    "x-tar",
    "x-7z-compressed",
    "x-rar-compressed",
    "vnd.rar",
    "x-bzip2",
    "x-xz",
    "zstd",
    "java-archive",
    "pdf",
    "wasm",
    "vnd.ms-fontobject",
    "vnd.android.package-archive",
    "x-apple-diskimage",
    "x-font-ttf",
    "x-font-woff",
    "font-woff",
    "font-woff2",
    "x-shockwave-flash",
];

/// What a media type says of the form. `None`: nothing there is handed out.
fn hint(content_type: &[u8]) -> Option<Hint> {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let text = String::from_utf8_lossy(&essence);
    let (kind, name) = text.split_once('/').unwrap_or((&text, ""));
    if name == "json" || name.ends_with("+json") || name.contains("ndjson") || name.ends_with("-json") {
        return Some(Hint::Json);
    }
    if name == "xml" || name.ends_with("+xml") && name != "xhtml+xml" || name.ends_with("-plist") {
        return Some(Hint::Xml);
    }
    match (kind, name) {
        (_, "html" | "xhtml+xml") => Some(Hint::Html),
        (_, "javascript" | "x-javascript" | "ecmascript") => Some(Hint::Script),
        (_, "css") => Some(Hint::Style),
        (_, "x-www-form-urlencoded" | "mpegurl" | "x-mpegurl" | "vnd.apple.mpegurl") | ("text" | "message", _) => {
            Some(Hint::Text)
        }
        ("image" | "audio" | "video" | "font" | "model", _) => None,
        _ if PACKED.contains(&name) => None,
        _ => Some(Hint::Unknown),
    }
}

/// The form by the first bytes and what was known before.
fn first_bytes(hint: Hint, first: &[u8]) -> (Reading, LinkForm) {
    let tags =
        |html: bool| (Reading::Tags(Box::new(Markup::new(html))), if html { LinkForm::Html } else { LinkForm::Xml });
    if first.starts_with(b"bplist0") {
        return (Reading::WholePlist, LinkForm::Plist);
    }
    let text = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first).trim_ascii_start();
    let opens_json = matches!(text.first(), Some(b'{' | b'['));
    // What opens like markup is markup, whatever it was declared to be, but for scripts and style sheets.
    let opens_tag = text.first() == Some(&b'<');
    if hint == Hint::Json && !opens_tag || opens_json && matches!(hint, Hint::Html | Hint::Text | Hint::Unknown) {
        return (Reading::Flat, LinkForm::Json);
    }
    match hint {
        Hint::Html => tags(true),
        Hint::Xml => tags(false),
        Hint::Json | Hint::Text | Hint::Unknown if opens_tag => {
            let lower = text.to_ascii_lowercase();
            let has = |word: &[u8]| memchr::memmem::find(&lower, word).is_some();
            tags(!lower.starts_with(b"<?xml") && (has(b"<!doctype html") || has(b"<html") || has(b"<head")))
        }
        Hint::Unknown if !is_mostly_text(first) => (Reading::Off, LinkForm::Text),
        Hint::Json | Hint::Script | Hint::Style | Hint::Text | Hint::Unknown => (Reading::Flat, LinkForm::Text),
    }
}

/// No NUL, and at most one byte in 50 a control that text does not use.
fn is_mostly_text(first: &[u8]) -> bool {
    let odd =
        first.iter().filter(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B));
    !first.contains(&0) && odd.count().saturating_mul(50) <= first.len()
}

/// Text for `field`: lossy, without controls, cut at 64 bytes.
fn field_text(raw: &[u8]) -> Box<str> {
    let head = raw.get(..MAX_FIELD).unwrap_or(raw);
    if head.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
        && let Ok(plain) = str::from_utf8(head)
    {
        return plain.into();
    }
    let mut text = String::with_capacity(head.len());
    for c in String::from_utf8_lossy(head).chars().filter(|c| !c.is_control()) {
        if text.len().saturating_add(c.len_utf8()) > MAX_FIELD {
            break;
        }
        text.push(c);
    }
    text.into_boxed_str()
}
