//! The handshake (RFC 6455 section 4): what asks for a WebSocket, what opens it, and what the two agree on.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::super::http::{decimal, list};
use crate::model::{HttpMessage, MessageDeflate, StartLine};

/// What a server puts behind the client's key before it hashes it (RFC 6455 section 1.3).
const ACCEPT_SALT: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// From this version on frames have the form of the standard; drafts before it used others.
const FIRST_VERSION: u64 = 7;

/// What the two sides agreed on beside the protocol itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extensions {
    /// The answer is not there: compression is believed where frames say so.
    Unknown,
    /// What the server answered.
    Agreed {
        deflate: Option<MessageDeflate>,
        /// Extensions that are not known here: reserved bits and opcodes are theirs.
        others: bool,
    },
}

impl Extensions {
    /// What the answer to a handshake names (RFC 6455 section 9.1).
    pub(super) fn of(response: &HttpMessage) -> Self {
        let (mut deflate, mut others) = (None, false);
        for member in list(response, "sec-websocket-extensions") {
            let mut parts = member.split(|b| *b == b';').map(<[u8]>::trim_ascii);
            if parts.next().is_some_and(|name| name.eq_ignore_ascii_case(b"permessage-deflate")) {
                deflate = Some(parameters(parts));
            } else {
                others = true;
            }
        }
        Self::Agreed { deflate, others }
    }

    pub(super) fn deflate(self) -> Option<MessageDeflate> {
        match self {
            Self::Unknown => None,
            Self::Agreed { deflate, .. } => deflate,
        }
    }

    pub(super) fn may_compress(self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Agreed { deflate, .. } => deflate.is_some(),
        }
    }

    pub(super) fn are_others(self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Agreed { others, .. } => others,
        }
    }
}

/// The parameters behind `permessage-deflate` (RFC 7692 section 7.1).
fn parameters<'a>(parts: impl Iterator<Item = &'a [u8]>) -> MessageDeflate {
    let mut deflate = MessageDeflate::default();
    let ([client_anew, server_anew], [client_bits, server_bits]) =
        (&mut deflate.no_context_takeover, &mut deflate.max_window_bits);
    for part in parts {
        let mut halves = part.splitn(2, |b| *b == b'=').map(<[u8]>::trim_ascii);
        let name = halves.next().unwrap_or_default().to_ascii_lowercase();
        let bits = halves.next().map(|v| v.trim_ascii().strip_prefix(b"\"").unwrap_or(v));
        let bits = bits.map(|v| v.strip_suffix(b"\"").unwrap_or(v)).and_then(decimal);
        let bits = bits.and_then(|bits| u8::try_from(bits).ok());
        match name.as_slice() {
            b"client_no_context_takeover" => *client_anew = true,
            b"server_no_context_takeover" => *server_anew = true,
            b"client_max_window_bits" => *client_bits = bits,
            b"server_max_window_bits" => *server_bits = bits,
            _ => {}
        }
    }
    deflate
}

fn names_websocket(message: &HttpMessage) -> bool {
    list(message, "upgrade").any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

fn version(request: &HttpMessage) -> Option<u64> {
    decimal(request.field("sec-websocket-version")?)
}

/// Whether a request asks for a WebSocket whose frames are read (RFC 6455 section 4.1).
pub(crate) fn is_asked(request: &HttpMessage) -> bool {
    names_websocket(request) && version(request).is_some_and(|version| version >= FIRST_VERSION)
}

/// Whether a 101 opens such a WebSocket (RFC 6455 section 4.2.2). Drafts that frame otherwise have neither field.
pub(crate) fn is_opened(request: Option<&HttpMessage>, response: &HttpMessage) -> bool {
    let standard = response.field("sec-websocket-accept").is_some() || request.is_some_and(is_asked);
    names_websocket(response) && standard
}

/// Whether a request in HTTP/2 or HTTP/3 asks for a WebSocket (RFC 8441 section 4, RFC 9220).
pub(crate) fn is_connect(request: &HttpMessage) -> bool {
    let StartLine::Request { method, .. } = request.start else { return false };
    method.of(&request.block) == b"CONNECT" && request.field(":protocol") == Some(b"websocket")
}

/// Whether the answer proves that the server read the request: its accept is made of the key (RFC 6455 section 4.2.2).
/// `None` where a key is not there to compare with.
pub(crate) fn accepts(request: &HttpMessage, response: &HttpMessage) -> Option<bool> {
    let key = request.field("sec-websocket-key")?;
    let wanted = STANDARD.encode(Sha1::new().chain_update(key).chain_update(ACCEPT_SALT).finalize());
    Some(response.field("sec-websocket-accept") == Some(wanted.as_bytes()))
}
