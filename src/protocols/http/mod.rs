//! What the versions of HTTP have in common: messages become exchanges, bodies are read, links are noted.
//!
//! Comes in: messages and bytes of bodies, from the parser of a version. Goes out: finished exchanges, what is there of
//! unfinished ones, links that were handed out. Never: framing; that is the versions' own.
//!
//! HTTP/2 and HTTP/3 also share how fields are coded (`huffman`, `prefixed`), how a decoded field section becomes a message
//! (`section`), and how the streams of a connection become exchanges (`streams`).
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod doh;
mod huffman;
mod open;
mod prefixed;
mod section;
mod streams;

use super::links::Link;
use crate::model::{Anomaly, FrameNo, HttpExchange, HttpMessage, MessageList, Timestamp};

#[cfg(test)]
pub(crate) use huffman::encode;
pub(crate) use open::{Open, Which};
pub(crate) use prefixed::{Text, integer, text};
pub(crate) use section::{Room, Section, SectionLimits};
pub(crate) use streams::{Head, Streams};

/// A request with its response, or one of the two.
#[derive(Debug)]
pub struct Ended {
    /// Its number in the connection, from 0, in the order in which exchanges opened.
    pub number: u32,
    /// The messages.
    pub http: HttpExchange,
    /// Whether the flow's server side sent the request.
    pub swapped: bool,
    /// Odd things met in it.
    pub anomalies: Vec<Anomaly>,
    /// The decoded bodies of request and response, where they were asked for.
    pub bodies: Option<[Vec<u8>; 2]>,
    /// The messages of the WebSocket that it opened, where bodies were asked for.
    pub messages: MessageList,
    /// The DNS messages that it carried.
    pub lookup: Option<Lookup>,
}

/// DNS messages that an exchange carried (RFC 8484).
#[derive(Debug)]
pub struct Lookup {
    /// The query, where the request holds one.
    pub query: Option<Vec<u8>>,
    /// The answer, where the response holds one.
    pub answer: Option<Vec<u8>>,
}

/// What is wanted beside the exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Exchanges,
    /// What verdicts are drawn from beside heads: links that responses hand out, MD5s, the start of error documents.
    Links,
    /// The decoded bodies, up to the budget's preview.
    Bodies,
}

/// Links of one response, as far as they were seen.
#[derive(Debug)]
pub struct Given {
    /// The number of its exchange in the connection, as in [`Ended`].
    pub number: u32,
    /// The host that the request named, in lower case; empty where it is not known.
    pub host: Box<str>,
    /// Whether the flow's client side sent the response.
    pub swapped: bool,
    /// When the newest of these bytes came.
    pub time: Timestamp,
    /// The links.
    pub links: Vec<Link>,
}

/// Where something begins or ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Offset in the stream.
    pub(crate) offset: u64,
    pub(crate) frame: FrameNo,
    pub(crate) time: Timestamp,
}

/// Whether a message names an MD5 of its body: Content-MD5 (RFC 1864), or an entity tag of that form, as object stores
/// give.
pub(crate) fn names_md5(message: &HttpMessage) -> bool {
    let tag = message.field("etag").unwrap_or_default();
    let digits = tag.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(tag);
    message.field("content-md5").is_some() || digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit)
}

/// The members of a list field, over all its lines (RFC 9110 section 5.6.1).
pub(crate) fn list<'a>(message: &'a HttpMessage, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    message
        .each_field()
        .filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
        .flat_map(|(_, value)| value.split(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// The number that Content-Length gives; `None` where it is missing or no number.
pub(crate) fn content_length(message: &HttpMessage) -> Option<u64> {
    decimal(list(message, "content-length").next()?)
}

/// Digits and nothing else (RFC 9110 section 8.6).
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    str::from_utf8(text).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

/// Whether a byte may stand in a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
