//! Heads: where they begin and end, and what stands in them.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use super::super::Sniff;
use super::super::body::Framing;
use super::super::http::{Start, decimal, is_token, list};
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Body, ByteRange, Field, HttpMessage, HttpVersion, Limit, StartLine,
};

/// Longest method that is believed (the longest registered one, UPDATEREDIRECTREF, has 17 letters).
const METHOD_BYTES: usize = 32;
/// Bytes without a line end after which a known method and a target are enough to believe in a request.
const LONG_TARGET: usize = 1_024;
/// Methods of the registry (RFC 9110 section 16.1) and of common extensions: enough to tell before the line is whole.
const METHODS: [&[u8]; 29] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"CONNECT",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"MERGE",
    b"NOTIFY",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"M-SEARCH",
    b"PURGE",
    b"CCM_POST",
    b"BITS_POST",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
    b"SSTP_DUPLEX_POST",
];

/// Whether the first bytes of a side are HTTP.
pub fn sniff(bytes: &[u8]) -> Sniff {
    let bytes = skip_line_ends(bytes);
    if starts_status(bytes) {
        return if bytes.len() >= 7 { Sniff::Yes } else { Sniff::NeedMore };
    }
    sniff_request(bytes)
}

/// Whether bytes that break off in a hole are the beginning of a request line: a known method and some of a target.
pub fn is_cut_request(bytes: &[u8]) -> bool {
    let bytes = skip_line_ends(bytes);
    let method = bytes.iter().take_while(|b| is_token(**b)).count();
    let (name, rest) = bytes.split_at_checked(method).unwrap_or((bytes, &[]));
    METHODS.contains(&name) && (rest.starts_with(b" /") || rest.starts_with(b" http")) && is_loose_target(rest)
}

/// The offset after a head's empty line. `scanned` remembers where the unfinished last line begins.
pub(super) fn head_end(bytes: &[u8], scanned: &mut usize) -> Option<usize> {
    let mut line = *scanned;
    let first = line == 0;
    loop {
        let rest = bytes.get(line..)?;
        let Some(len) = memchr::memchr(b'\n', rest) else {
            *scanned = line;
            return None;
        };
        let end = line.saturating_add(len).saturating_add(1);
        let content = rest.get(..len).unwrap_or_default();
        if content.is_empty() || content == b"\r" {
            return Some(end);
        }
        // HTTP/0.9 (RFC 1945 section 4.1): a request of one line.
        if first && line == 0 && is_simple_request(content) && !begins_field(bytes.get(end..).unwrap_or_default()) {
            return Some(end);
        }
        line = end;
    }
}

fn is_simple_request(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.strip_prefix(b"GET ").is_some_and(|target| {
        (target.starts_with(b"/") || target.starts_with(b"http://"))
            && !target.iter().any(|b| b.is_ascii_whitespace() || !b.is_ascii_graphic())
    })
}

/// Whether a line that looks like a header field begins here.
fn begins_field(bytes: &[u8]) -> bool {
    let name = bytes.iter().take_while(|b| is_token(**b)).count();
    name > 0 && bytes.get(name) == Some(&b':')
}

/// What may stand after a method where the version is missing or misplaced, as broken clients send it: anything printable
/// that does not name another protocol's version.
fn is_loose_target(rest: &[u8]) -> bool {
    let printable = rest.iter().all(|b| b.is_ascii_graphic() || matches!(b, b' ' | b'\t'));
    let version = rest.trim_ascii_end().rsplit(|b| *b == b' ').next().unwrap_or_default();
    let foreign = matches!(version, [.., b'/', b'0'..=b'9', b'.', b'0'..=b'9'])
        && !version.ends_with(b"HTTP/1.1")
        && !version.ends_with(b"HTTP/1.0");
    printable && !foreign
}

pub(super) fn skip_line_ends(bytes: &[u8]) -> &[u8] {
    let count = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    bytes.get(count..).unwrap_or_default()
}

/// Whether these bytes begin a status line, as far as they go.
fn starts_status(bytes: &[u8]) -> bool {
    let start = b"HTTP/1.";
    if bytes.is_empty() {
        return false;
    }
    let len = bytes.len().min(start.len());
    bytes.get(..len) == start.get(..len)
}

fn sniff_request(bytes: &[u8]) -> Sniff {
    let method = bytes.iter().take(METHOD_BYTES.saturating_add(1)).take_while(|b| is_token(**b)).count();
    match bytes.get(method) {
        _ if method > METHOD_BYTES => return Sniff::No,
        // A method that is no known one so far is not waited for: most protocols begin with letters.
        None => {
            let known = METHODS.iter().any(|m| m.starts_with(bytes));
            return if known { Sniff::NeedMore } else { Sniff::No };
        }
        Some(b' ') if method > 0 => {}
        Some(_) => return Sniff::No,
    }
    let (name, rest) = bytes.split_at_checked(method).unwrap_or((bytes, &[]));
    let known = METHODS.contains(&name);
    match memchr::memchr(b'\n', rest) {
        Some(end) => {
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let whole = bytes.get(..method.saturating_add(end)).unwrap_or_default();
            let after = rest.get(end.saturating_add(1)..).unwrap_or_default();
            let loose = known && is_loose_target(line) && (line.starts_with(b" /") || begins_field(after));
            if version_of(line).is_some() || is_simple_request(whole) || loose { Sniff::Yes } else { Sniff::No }
        }
        None if known && rest.len() >= LONG_TARGET => Sniff::Yes,
        None if known => Sniff::NeedMore,
        // An extension method: wait only while it looks like a path or a URL.
        None if matches!(rest.get(1), Some(b'/' | b'h' | b'*') | None) && rest.len() < LONG_TARGET => Sniff::NeedMore,
        None => Sniff::No,
    }
}

/// Where ` HTTP/1.x` begins at the end of a request line.
fn version_of(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end();
    let at = line.len().checked_sub(9)?;
    let (_, version) = line.split_at_checked(at)?;
    match version {
        [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Some(at),
        _ => None,
    }
}

/// Whether a run that begins like this begins a message.
pub(super) fn begins_message(bytes: &[u8]) -> bool {
    sniff(bytes) == Sniff::Yes
}

/// Whether more bytes could make it one.
pub(super) fn could_begin(bytes: &[u8]) -> bool {
    sniff(bytes) != Sniff::No
}

/// Reads a whole head.
pub(super) fn parse(
    block: &[u8],
    spans: Vec<BlockSpan>,
    start: Start,
    end: Start,
    fields_limit: usize,
    anomalies: &mut Vec<Anomaly>,
) -> Option<HttpMessage> {
    // A cut head may end within its start line.
    let line_end = memchr::memchr(b'\n', block).unwrap_or(block.len());
    let whole = block.get(..line_end)?;
    let line = whole.strip_suffix(b"\r").unwrap_or(whole);
    if line.len() == whole.len() && line_end < block.len() {
        anomalies.push(Anomaly { kind: AnomalyKind::BareLineFeed, frame: start.frame, offset: start.offset, len: 0 });
    }
    let (start_line, version) = cut_start_line(block, line_end).or_else(|| start_line(line))?;
    let fields = fields(block, line_end.saturating_add(1), start, fields_limit, anomalies);
    Some(HttpMessage {
        block: block.into(),
        version,
        start: start_line,
        fields,
        told_at: Vec::new(),
        trailers: Vec::new(),
        spans,
        stream_offset: start.offset,
        first_frame: start.frame,
        header_frame: end.frame,
        last_frame: end.frame,
        time: start.time,
        end_time: end.time,
        body: Body::default(),
        opening: None,
        complete: false,
    })
}

fn start_line(line: &[u8]) -> Option<(StartLine, HttpVersion)> {
    let version = |minor: u8| if minor == b'0' { HttpVersion::V10 } else { HttpVersion::V11 };
    if let Some(rest) = line.strip_prefix(b"HTTP/1.") {
        let (minor, rest) = rest.split_first()?;
        let rest_at = line.len().saturating_sub(rest.len());
        let spaces = rest.iter().take_while(|b| **b == b' ').count();
        let digits = rest.get(spaces..spaces.saturating_add(3))?;
        if spaces == 0 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let code =
            digits.iter().fold(0_u16, |n, d| n.saturating_mul(10).saturating_add(u16::from(d.saturating_sub(b'0'))));
        let after = rest_at.saturating_add(spaces).saturating_add(3);
        let reason = line.get(after..).unwrap_or_default();
        if reason.first().is_some_and(|b| !matches!(b, b' ' | b'\t')) {
            return None;
        }
        let reason_at = line.len().saturating_sub(reason.trim_ascii_start().len());
        let reason = ByteRange::between(reason_at, line.trim_ascii_end().len());
        return Some((StartLine::Status { code, reason }, version(*minor)));
    }
    let method = memchr::memchr(b' ', line)?;
    let name = ByteRange::between(0, method);
    if method == 0 || !line.get(..method)?.iter().all(|b| is_token(*b)) {
        return None;
    }
    let target_at = method.saturating_add(1);
    match version_of(line) {
        Some(at) if at > method => {
            let minor = line.trim_ascii_end().last().copied().unwrap_or(b'1');
            Some((StartLine::Request { method: name, target: trimmed(line, target_at, at) }, version(minor)))
        }
        _ if is_simple_request(line) => {
            let target = trimmed(line, target_at, line.len());
            Some((StartLine::Request { method: name, target }, HttpVersion::V09))
        }
        _ if METHODS.contains(&name.of(line)) && is_loose_target(line.get(method..)?) => {
            // Half a version is none of the target.
            let end = memchr::memmem::rfind(line, b" HTTP").filter(|at| *at > method).unwrap_or(line.len());
            let target = trimmed(line, target_at, end.max(target_at));
            Some((StartLine::Request { method: name, target }, HttpVersion::V10))
        }
        _ => None,
    }
}

/// A request line whose end is missing: the target is as long as it is there.
fn cut_start_line(block: &[u8], line_end: usize) -> Option<(StartLine, HttpVersion)> {
    let method = memchr::memchr(b' ', block)?;
    let name = ByteRange::between(0, method);
    if line_end < block.len() || version_of(block).is_some() || !METHODS.contains(&name.of(block)) {
        return None;
    }
    // The last word may be what is left of the version.
    let space = memchr::memrchr(b' ', block).filter(|at| *at > method);
    let version =
        space.filter(|at| block.get(at.saturating_add(1)..).is_some_and(|word| b"HTTP/1.1\r".starts_with(word)));
    let target = trimmed(block, method.saturating_add(1), version.unwrap_or(block.len()));
    Some((StartLine::Request { method: name, target }, HttpVersion::V11))
}

/// `start..end` of the block without the white space around it.
fn trimmed(block: &[u8], start: usize, end: usize) -> ByteRange {
    let bytes = block.get(start..end).unwrap_or_default();
    let front = bytes.len().saturating_sub(bytes.trim_ascii_start().len());
    let start = start.saturating_add(front);
    ByteRange::between(start, start.saturating_add(bytes.trim_ascii().len()))
}

/// Reads field lines from `at` on, up to an empty line or the end.
pub(super) fn fields(block: &[u8], at: usize, start: Start, limit: usize, anomalies: &mut Vec<Anomaly>) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::with_capacity(16);
    let mut line_at = at;
    let odd = |kind: AnomalyKind, at: usize, len: usize, anomalies: &mut Vec<Anomaly>| {
        let offset = start.offset.saturating_add(u64::try_from(at).unwrap_or(0));
        if anomalies.iter().filter(|a| a.kind == kind).count() < 4 {
            anomalies.push(Anomaly { kind, frame: start.frame, offset, len: u64::try_from(len).unwrap_or(0) });
        }
    };
    while let Some(rest) = block.get(line_at..).filter(|rest| !rest.is_empty()) {
        // A line that is cut is no evidence of anything.
        let Some(len) = memchr::memchr(b'\n', rest) else { break };
        let whole = rest.get(..len).unwrap_or_default();
        let line = whole.strip_suffix(b"\r").unwrap_or(whole);
        let line_end = line_at.saturating_add(line.len());
        let next = line_at.saturating_add(len).saturating_add(1);
        if line.is_empty() {
            break;
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            odd(AnomalyKind::FoldedField, line_at, line.len(), anomalies);
            if let Some(last) = fields.last_mut() {
                let from = usize::try_from(last.value.start).unwrap_or(usize::MAX);
                last.value = trimmed(block, from, line_end);
            }
        } else if let Some(colon) = memchr::memchr(b':', line).filter(|colon| *colon > 0) {
            let name = trimmed(block, line_at, line_at.saturating_add(colon));
            if usize::try_from(name.len).unwrap_or(0) != colon {
                odd(AnomalyKind::SpaceBeforeColon, line_at, line.len(), anomalies);
            }
            if fields.len() >= limit {
                odd(AnomalyKind::Limit(Limit::HeadFields), line_at, line.len(), anomalies);
                break;
            }
            let value = trimmed(block, line_at.saturating_add(colon).saturating_add(1), line_end);
            fields.push(Field { name, value });
        } else {
            odd(AnomalyKind::BadFieldLine, line_at, line.len(), anomalies);
        }
        line_at = next;
    }
    fields
}

/// How the body of a message ends (RFC 9112 section 6.3); `None` where no field says.
pub(super) fn framing(message: &HttpMessage, anomalies: &mut Vec<Anomaly>) -> Option<Framing> {
    let (frame, offset) = (message.first_frame, message.stream_offset);
    let mut odd = |kind: AnomalyKind| anomalies.push(Anomaly { kind, frame, offset, len: 0 });
    let chunked = list(message, "transfer-encoding").last();
    let mut lengths = list(message, "content-length");
    let length = lengths.next();
    if let Some(last) = chunked {
        if length.is_some() {
            odd(AnomalyKind::LengthAndChunked);
        }
        if last.eq_ignore_ascii_case(b"chunked") {
            return Some(Framing::Chunked);
        }
        if !last.eq_ignore_ascii_case(b"identity") {
            return Some(Framing::UntilClose);
        }
    }
    let length = length?;
    if lengths.any(|other| other != length) {
        odd(AnomalyKind::ConflictingLengths);
    }
    let number = decimal(length);
    if number.is_none() {
        odd(AnomalyKind::BadLength);
    }
    number.map(Framing::Length)
}
