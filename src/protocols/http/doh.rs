//! DNS over HTTP (RFC 8484): where an exchange holds DNS messages.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Lookup, list};
use crate::model::{HttpExchange, HttpMessage, StartLine};

/// The media type of DNS messages (RFC 8484 section 6).
const MEDIA: &[u8] = b"application/dns-message";
/// Bytes of a DNS message that are kept. The standard allows 65,535; real ones are a tenth of this.
pub(super) const MESSAGE_BYTES: usize = 16 << 10;

/// Whether a message's body is a DNS message.
pub(super) fn is_dns(message: &HttpMessage) -> bool {
    let media = message.field("content-type").unwrap_or_default();
    media.split(|b| *b == b';').next().is_some_and(|media| media.trim_ascii().eq_ignore_ascii_case(MEDIA))
}

/// The DNS messages of an exchange whose bodies were kept where they are such; `None` where it is no lookup.
pub(super) fn lookup(http: &HttpExchange, [sent, received]: [&[u8]; 2]) -> Option<Lookup> {
    let asked = http.request.as_ref();
    let answered = http.response.as_ref().filter(|response| is_dns(response));
    let posted = asked.is_some_and(is_dns);
    let query = if posted {
        Some(sent.to_vec())
    } else {
        // A parameter of that name means something else to other servers.
        let meant = answered.is_some()
            || asked.is_some_and(|r| list(r, "accept").any(|media| media.eq_ignore_ascii_case(MEDIA)));
        asked.filter(|_| meant).and_then(in_target)
    };
    let answer = answered.filter(|_| !received.is_empty()).map(|_| received.to_vec());
    (query.is_some() || answer.is_some()).then_some(Lookup { query, answer })
}

/// The query in a GET (RFC 8484 section 4.1): base64url without padding in the variable `dns`.
fn in_target(request: &HttpMessage) -> Option<Vec<u8>> {
    let StartLine::Request { method, target } = request.start else { return None };
    if method.of(&request.block) != b"GET" {
        return None;
    }
    let target = target.of(&request.block);
    let at = memchr::memchr(b'?', target)?;
    let query = target.get(at..)?.get(1..)?;
    let coded = query.split(|b| *b == b'&').find_map(|pair| pair.strip_prefix(b"dns="))?;
    if coded.len() > MESSAGE_BYTES {
        return None;
    }
    let end = coded.iter().rposition(|b| *b != b'=').map_or(0, |last| last.saturating_add(1));
    URL_SAFE_NO_PAD.decode(coded.get(..end)?).ok()
}
