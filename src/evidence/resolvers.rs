//! Sessions of encrypted DNS that stay sealed: who was, or may have been, asked there, and by what that shows.
//!
//! Comes in: what a handshake shows. Goes out: the way of asking. Never: a claim that a name was asked.

use core::net::IpAddr;
use std::sync::OnceLock;

use serde::Deserialize;

use super::names::Name;
use crate::model::{Detail, DnsOver, Endpoint, Exchange, TlsTransport};

/// The port of DNS over TLS (RFC 7858 section 3.1) and over QUIC (RFC 9250 section 4.1.1).
const SECURE_PORT: u16 = 853;
/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;

#[derive(Debug, Default, Deserialize)]
struct Resolvers {
    #[serde(default)]
    resolver: Vec<Resolver>,
}

#[derive(Debug, Deserialize)]
struct Resolver {
    name: String,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    /// Where it says so.
    sources: Vec<String>,
}

/// The list that is compiled in; a test holds that it can be read.
fn resolvers() -> &'static [Resolver] {
    static LIST: OnceLock<Resolvers> = OnceLock::new();
    &LIST.get_or_init(|| toml::from_str(include_str!("../../assets/resolvers.toml")).unwrap_or_default()).resolver
}

/// What tells that a session carries DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// The client offers that protocol, and no other (RFC 7301).
    Protocol,
    /// The client names a known resolver.
    Name,
    /// It names nobody, and the address is a known resolver's.
    Address,
    /// The port alone: a hint.
    Port,
}

/// A sealed session in which names may have been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedDns {
    /// The way of asking.
    pub over: DnsOver,
    sign: Sign,
    /// The resolver's name, and where that is documented, where it is a known one.
    pub resolver: Option<(&'static str, &'static str)>,
}

impl SealedDns {
    /// What a row says: `DNS over HTTPS, names not visible`.
    pub fn words(self) -> &'static str {
        match (self.over, self.sign == Sign::Port) {
            (DnsOver::Https, _) => "DNS over HTTPS, names not visible",
            (DnsOver::Tls, false) => "DNS over TLS, names not visible",
            (DnsOver::Tls, true) => "DNS over TLS by its port, names not visible",
            (DnsOver::Quic, false) => "DNS over QUIC, names not visible",
            (DnsOver::Quic, true) => "DNS over QUIC by its port, names not visible",
            (DnsOver::Plain, _) => "DNS",
        }
    }

    /// What it is told by.
    pub fn told_by(self) -> &'static str {
        match self.sign {
            Sign::Protocol => "the protocol that the client offers",
            Sign::Name => "the server's name",
            Sign::Address => "the server's address",
            Sign::Port => "the port alone, which is a hint",
        }
    }
}

/// Judges what a handshake shows: the server's name, the protocols that the client offers, and where it went.
pub fn resolver<'a>(
    name: Option<&[u8]>,
    mut offered: impl Iterator<Item = &'a [u8]>,
    transport: TlsTransport,
    server: Endpoint,
) -> Option<SealedDns> {
    let quic = transport == TlsTransport::Quic;
    let secure = if quic { DnsOver::Quic } else { DnsOver::Tls };
    // Drafts of DNS over QUIC had names of their own (doq-i02).
    let own =
        |protocol: &[u8]| if quic { protocol == b"doq" || protocol.starts_with(b"doq-") } else { protocol == b"dot" };
    let asked = name.and_then(Name::of);
    let named = asked.as_ref().and_then(|asked| {
        resolvers().iter().find(|r| r.names.iter().any(|known| is_under(asked.bytes(), known.as_bytes())))
    });
    let known = named.or_else(|| {
        let nameless = name.is_none();
        resolvers().iter().find(|r| nameless && r.addresses.contains(&server.ip))
    });
    let resolver = known.map(|r| (r.name.as_str(), r.sources.first().map_or("", String::as_str)));
    // Anything else that is offered is what is spoken.
    let (mute, alone) = match offered.next() {
        None => (true, false),
        Some(first) => (false, own(first) && offered.all(own)),
    };
    if alone {
        return Some(SealedDns { over: secure, sign: Sign::Protocol, resolver });
    }
    let sign = if named.is_some() { Sign::Name } else { Sign::Address };
    match server.port {
        SECURE_PORT if known.is_some() && mute => Some(SealedDns { over: secure, sign, resolver }),
        SECURE_PORT if mute => Some(SealedDns { over: secure, sign: Sign::Port, resolver }),
        HTTPS_PORT if known.is_some() => Some(SealedDns { over: DnsOver::Https, sign, resolver }),
        _ => None,
    }
}

/// The same for an exchange that is a sealed session.
pub fn sealed_dns(exchange: &Exchange) -> Option<SealedDns> {
    let Detail::Tls(tls) = &exchange.detail else { return None };
    let hello = tls.client_hello.as_ref().filter(|_| !tls.decryption.is_opened())?;
    let offered = hello.alpn.iter().map(|range| range.of(&hello.block));
    resolver(hello.sni_bytes(), offered, tls.transport, exchange.server)
}

/// Whether a name is that one or under it, by labels.
fn is_under(name: &[u8], known: &[u8]) -> bool {
    name.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"."))
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::{resolver, resolvers};
    use crate::model::{Endpoint, TlsTransport};

    #[track_caller]
    fn check(name: &str, offered: &[&str], quic: bool, server: (&str, u16), want: &str) {
        let name = Some(name.as_bytes()).filter(|n| !n.is_empty());
        let transport = if quic { TlsTransport::Quic } else { TlsTransport::Tcp };
        let server = Endpoint { ip: server.0.parse::<IpAddr>().unwrap(), port: server.1 };
        let told = resolver(name, offered.iter().map(|p| p.as_bytes()), transport, server);
        assert_eq!(told.map_or("", |told| told.words()), want);
    }

    #[test]
    fn the_list_can_be_read_and_names_its_sources() {
        assert!(resolvers().len() >= 5);
        for resolver in resolvers() {
            assert!(!resolver.names.is_empty() && resolver.sources.iter().any(|s| s.starts_with("https://")));
        }
    }

    #[test]
    fn told_by_protocol_name_address_and_port() {
        let https = "DNS over HTTPS, names not visible";
        let tls = "DNS over TLS, names not visible";
        check("mozilla.cloudflare-dns.com", &["h2", "http/1.1"], false, ("192.0.2.1", 443), https);
        check("DNS.Google", &["h3"], true, ("192.0.2.1", 443), https);
        check("", &["h2"], false, ("8.8.8.8", 443), https);
        check("dns.google", &[], false, ("8.8.8.8", 853), tls);
        check("resolver.example", &["dot"], false, ("192.0.2.1", 8_853), tls);
        check("resolver.example", &["doq"], true, ("192.0.2.1", 853), "DNS over QUIC, names not visible");
        check("resolver.example", &[], false, ("192.0.2.1", 853), "DNS over TLS by its port, names not visible");
    }

    #[test]
    fn others_are_let_go() {
        check("www.example.com", &["h2"], false, ("192.0.2.1", 443), "");
        check("mycloudflare-dns.com", &["h2"], false, ("192.0.2.1", 443), "");
        check("www.example.com", &["h2"], false, ("1.1.1.1", 443), "");
        check("www.example.com", &["h2"], false, ("192.0.2.1", 853), "");
        check("", &[], false, ("192.0.2.1", 443), "");
    }
}
