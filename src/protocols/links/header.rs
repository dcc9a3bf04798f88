//! URLs in header fields.
//!
//! Comes in: a field's name and value. Goes out: the URLs it hands out. Never: fields that only mention a URL (`Referer`,
//! `Access-Control-Allow-Origin`).

use super::find::{End, View};
use super::markup::refresh;
use super::run::{self, Escapes, Fence, Reached};
use super::url;
use super::{Link, LinkCoding, LinkForm, LinkScanner, MAX_LINK, MAX_LINKS, field_text};
use crate::model::FrameNo;

/// Fields whose whole value is a reference: RFC 9110 sections 10.2.2 and 8.7, and those that upload and long-running
/// services use for the same end.
const WHOLE: &[&str] = &[
    "location",
    "content-location",
    "operation-location",
    "azure-asyncoperation",
    "x-goog-upload-url",
    "x-goog-upload-control-url",
];

/// Whether a field of that name hands out URLs.
pub fn may_link(name: &[u8]) -> bool {
    // Names of other lengths are the most, and told apart at once.
    let known = |known: &&str| known.len() == name.len() && name.eq_ignore_ascii_case(known.as_bytes());
    WHOLE.iter().chain(&["link", "refresh"]).any(known)
}

/// Links of a header field: `Location`, `Content-Location`, `Link` (RFC 8288), `Refresh`, and fields of services that do
/// the same. Relative references are resolved against `base`, a URL in normal form. A URL in the value's parameters,
/// percent-encoded or in base64, comes after the one it stands in.
pub fn header_links(name: &[u8], value: &[u8], base: Option<&str>, frame: FrameNo, out: &mut Vec<Link>) {
    if !may_link(name) {
        return;
    }
    let field = field_text(name);
    let mut places: Vec<(usize, &[u8])> = Vec::new();
    if WHOLE.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
        places.push((0, value));
    } else if name.eq_ignore_ascii_case(b"link") {
        places = targets(value);
    } else if name.eq_ignore_ascii_case(b"refresh") {
        places.extend(refresh(value));
    }
    for (offset, raw) in places.into_iter().take(MAX_LINKS) {
        let text = raw.trim_ascii();
        if text.len() > MAX_LINK {
            continue;
        }
        let offset = offset.saturating_add(raw.len().saturating_sub(raw.trim_ascii_start().len()));
        let Some(url) = resolve(base, text) else { continue };
        let place = u64::try_from(offset).unwrap_or(u64::MAX);
        let link = Link {
            text: text.into(),
            url: url.into(),
            offset: place,
            frame,
            field: field.clone(),
            form: LinkForm::Header,
            coding: LinkCoding::Plain,
        };
        out.push(link);
        inside(text, place, frame, &field, out);
    }
}

fn resolve(base: Option<&str>, text: &[u8]) -> Option<String> {
    // A reference has no white space; a value with some is cut there, as clients do.
    let view = View { bytes: text, end: End::Whole };
    match run::read(view, 0, Fence::End, Escapes { entities: false, backslashes: false }) {
        Reached::Run(run) => url::resolve(base, &run.text),
        Reached::Hole | Reached::TooLong => None,
    }
}

/// URLs that a reference carries in another coding.
fn inside(text: &[u8], offset: u64, frame: FrameNo, field: &str, out: &mut Vec<Link>) {
    let Some(mut scanner) = LinkScanner::new(Some(b"text/javascript")) else { return };
    let mut found = Vec::new();
    scanner.push(text, frame, &mut found);
    scanner.finish(&mut found);
    for mut link in found {
        if matches!(link.coding, LinkCoding::Percent | LinkCoding::Base64) {
            link.offset = link.offset.saturating_add(offset);
            link.field = field.into();
            link.form = LinkForm::Header;
            out.push(link);
        }
    }
}

/// Targets of a `Link` field (RFC 8288 section 3): what stands in angle brackets outside quotes.
fn targets(value: &[u8]) -> Vec<(usize, &[u8])> {
    let mut found = Vec::new();
    let mut here = 0_usize;
    let mut is_quoted = false;
    while let Some(byte) = value.get(here) {
        here = here.saturating_add(1);
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => here = here.saturating_add(1),
            b'<' if !is_quoted => {
                let rest = value.get(here..).unwrap_or_default();
                let Some(len) = memchr::memchr(b'>', rest) else { break };
                found.push((here, rest.get(..len).unwrap_or_default()));
                here = here.saturating_add(len);
            }
            _ => {}
        }
    }
    found
}
