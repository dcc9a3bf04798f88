//! How the host that a request names stands to the session that carried it: one connection may serve every name of its
//! certificate (RFC 9113 section 9.1.1, RFC 9114 section 3.3), and no other.
//!
//! Comes in: an exchange that was read inside TLS. Goes out: one of four answers. Never: a guess where the certificate is
//! not visible.

use super::names::Name;
use crate::model::{Detail, Exchange};

/// How a request's host stands to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The session was opened for this host.
    Same,
    /// It was opened for another one, and its certificate covers this one: connections were coalesced.
    Coalesced,
    /// Its certificate does not cover this host: a sign of domain fronting.
    Foreign,
    /// It was opened for another host, and no certificate is there to tell.
    Open,
}

impl Authority {
    /// One word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Coalesced => "coalesced",
            Self::Foreign => "not covered",
            Self::Open => "open",
        }
    }

    /// A sentence; empty where there is nothing to say.
    pub fn words(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Coalesced => {
                "The session was opened for another host, and its certificate covers this one too: one connection for both."
            }
            Self::Foreign => {
                "The session's certificate does not cover this host, as where one host stands in front for another (domain fronting)."
            }
            Self::Open => {
                "The session was opened for another host, and its certificate, which would tell whether it covers this one, is not visible."
            }
        }
    }
}

/// Judges an exchange that was read inside TLS; `None` for all others, and where host or session have no name.
pub fn authority(exchange: &Exchange) -> Option<Authority> {
    let Detail::Http(http) = &exchange.detail else { return None };
    let host = http.request.as_ref().and_then(|request| Name::of(request.host()?))?;
    of_host(&host, exchange)
}

/// The same for a host whose name was read before.
pub(super) fn of_host(host: &Name, exchange: &Exchange) -> Option<Authority> {
    let envelope = exchange.envelope.as_deref()?;
    let sent = envelope.name.as_ref().and_then(|sent| Name::of(&sent.text));
    let same = sent.map(|sent| sent.bytes() == host.bytes());
    match (envelope.certificate.as_deref().map(|leaf| leaf.is_for(host.bytes())), same) {
        (Some(false), _) => Some(Authority::Foreign),
        (Some(true), Some(false)) => Some(Authority::Coalesced),
        (Some(true), _) | (None, Some(true)) => Some(Authority::Same),
        (None, Some(false)) => Some(Authority::Open),
        (None, None) => None,
    }
}
