//! Ways round what a capture shows: tunnels whose content is sealed, proxies that answer in another's place.

use super::{Endpoint, FrameNo};

/// Kinds of tunnels that are told by their handshakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TunnelKind {
    /// WireGuard.
    WireGuard,
    /// OpenVPN over UDP.
    OpenVpn,
    /// IPsec, by its key exchange (RFC 7296, RFC 2408).
    Ipsec,
    /// Apple's iCloud Private Relay, by the names of its first relay.
    PrivateRelay,
}

impl TunnelKind {
    /// The name on screen and in exports.
    pub fn words(self) -> &'static str {
        match self {
            Self::WireGuard => "WireGuard",
            Self::OpenVpn => "OpenVPN",
            Self::Ipsec => "IPsec",
            Self::PrivateRelay => "iCloud Private Relay",
        }
    }
}

/// A tunnel that both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Its kind.
    pub kind: TunnelKind,
    /// Who asked for it.
    pub client: Endpoint,
    /// Who agreed.
    pub server: Endpoint,
    /// The frame of the answer.
    pub frame: FrameNo,
}

/// Kinds of proxies that say so in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProxyKind {
    /// HTTP CONNECT (RFC 9110 section 9.3.6).
    Connect,
    /// SOCKS 4 and 4a.
    Socks4,
    /// SOCKS 5 (RFC 1928).
    Socks5,
}

impl ProxyKind {
    /// All of them, in the order in which records number them.
    pub const ALL: [Self; 3] = [Self::Connect, Self::Socks4, Self::Socks5];

    /// The name on screen and in exports.
    pub fn words(self) -> &'static str {
        match self {
            Self::Connect => "HTTP CONNECT",
            Self::Socks4 => "SOCKS 4",
            Self::Socks5 => "SOCKS 5",
        }
    }
}

/// What a client had a proxy connect it to, on the connection that an exchange came on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxied {
    /// How it asked.
    pub kind: ProxyKind,
    /// Host and port, as it asked; not cleaned for display.
    pub target: Box<str>,
    /// The frame at which the proxy agreed.
    pub frame: FrameNo,
}
