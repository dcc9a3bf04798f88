//! The handshake with a SOCKS proxy: version 5 (RFC 1928, RFC 1929), versions 4 and 4a (as their authors wrote them down:
//! openssh.com/txt/socks4.protocol, socks4a.protocol).
//!
//! Comes in: what each side sent since the connection began. Goes out: where the proxy connected to, once it said that it
//! did. Never: a guess from the first bytes alone, for many protocols begin with a small number.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::model::{Cursor, ProxyKind};

/// What the two sides' first bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// No SOCKS.
    NotThis,
    /// It may be; more bytes will tell.
    NeedMore,
    /// The proxy connected.
    Agreed {
        /// The version.
        kind: ProxyKind,
        /// Host and port.
        target: String,
        /// Bytes of the client's and of the proxy's side that belong to the handshake.
        used: [usize; 2],
    },
}

/// Longest user name of version 4 that is read; longer ones are no SOCKS.
const USER_BYTES: usize = 255;

/// What stopped the reading: too few bytes, or the wrong ones.
enum Stop {
    More,
    Not,
}

type Read<T> = Result<T, Stop>;

/// Reads the handshake from what the client and the proxy sent so far.
pub fn read(client: &[u8], proxy: &[u8]) -> Said {
    let read = match client.first() {
        Some(5) => five(client, proxy),
        Some(4) => four(client, proxy),
        Some(_) => Err(Stop::Not),
        None => Err(Stop::More),
    };
    match read {
        Ok((kind, target, used)) => Said::Agreed { kind, target, used },
        Err(Stop::More) => Said::NeedMore,
        Err(Stop::Not) => Said::NotThis,
    }
}

type Agreed = (ProxyKind, String, [usize; 2]);

fn five(client: &[u8], proxy: &[u8]) -> Read<Agreed> {
    let (mut asks, mut says) = (Cursor::new(client), Cursor::new(proxy));
    // Greeting: version, methods (section 3); at least one is offered, and none twice as many as there are.
    byte(&mut asks, |v| v == 5)?;
    let methods = usize::from(byte(&mut asks, |n| (1..=16).contains(&n))?);
    take(&mut asks, methods)?;
    if proxy.is_empty() && !asks.is_empty() {
        // A client waits for the answer.
        return Err(Stop::Not);
    }
    byte(&mut says, |v| v == 5)?;
    if byte(&mut says, |m| m == 0 || m == 2)? == 2 {
        // User and password (RFC 1929 section 2).
        byte(&mut asks, |v| v == 1)?;
        for _ in 0..2 {
            let len = usize::from(byte(&mut asks, |_| true)?);
            take(&mut asks, len)?;
        }
        byte(&mut says, |v| v == 1)?;
        byte(&mut says, |status| status == 0)?;
    }
    // Request: version, CONNECT, reserved, address (section 4).
    byte(&mut asks, |v| v == 5)?;
    byte(&mut asks, |command| command == 1)?;
    byte(&mut asks, |reserved| reserved == 0)?;
    let target = address(&mut asks)?;
    // Reply: version, succeeded, reserved, address (section 6).
    byte(&mut says, |v| v == 5)?;
    byte(&mut says, |reply| reply == 0)?;
    byte(&mut says, |reserved| reserved == 0)?;
    address(&mut says)?;
    Ok((ProxyKind::Socks5, target, [asks.used(), says.used()]))
}

/// An address with its port (RFC 1928 section 5).
fn address(cursor: &mut Cursor<'_>) -> Read<String> {
    let kind = byte(cursor, |kind| matches!(kind, 1 | 3 | 4))?;
    let host = match kind {
        1 => Ipv4Addr::from(*array::<4>(cursor)?).to_string(),
        4 => format!("[{}]", Ipv6Addr::from(*array::<16>(cursor)?)),
        _ => {
            let len = usize::from(byte(cursor, |len| len > 0)?);
            String::from_utf8_lossy(take(cursor, len)?).into_owned()
        }
    };
    let port = u16::from_be_bytes(*array::<2>(cursor)?);
    Ok(format!("{host}:{port}"))
}

fn four(client: &[u8], proxy: &[u8]) -> Read<Agreed> {
    let (mut asks, mut says) = (Cursor::new(client), Cursor::new(proxy));
    byte(&mut asks, |v| v == 4)?;
    byte(&mut asks, |command| command == 1)?;
    let port = u16::from_be_bytes(*array::<2>(&mut asks)?);
    let ip = *array::<4>(&mut asks)?;
    text(&mut asks)?;
    // 0.0.0.x with x not 0: the name follows (4a).
    let host = match ip {
        [0, 0, 0, x] if x != 0 => text(&mut asks)?,
        _ => Ipv4Addr::from(ip).to_string(),
    };
    if host.is_empty() || proxy.is_empty() && !asks.is_empty() {
        return Err(Stop::Not);
    }
    byte(&mut says, |null| null == 0)?;
    byte(&mut says, |reply| reply == 90)?;
    array::<6>(&mut says)?;
    Ok((ProxyKind::Socks4, format!("{host}:{port}"), [asks.used(), says.used()]))
}

/// A text that a zero ends.
fn text(cursor: &mut Cursor<'_>) -> Read<String> {
    let mut bytes = Vec::new();
    loop {
        match byte(cursor, |_| true)? {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            other if bytes.len() < USER_BYTES && other >= 0x20 => bytes.push(other),
            _ => return Err(Stop::Not),
        }
    }
}

fn byte(cursor: &mut Cursor<'_>, good: impl Fn(u8) -> bool) -> Read<u8> {
    let byte = cursor.u8().ok_or(Stop::More)?;
    if good(byte) { Ok(byte) } else { Err(Stop::Not) }
}

fn take<'a>(cursor: &mut Cursor<'a>, len: usize) -> Read<&'a [u8]> {
    cursor.slice(len).ok_or(Stop::More)
}

fn array<'a, const N: usize>(cursor: &mut Cursor<'a>) -> Read<&'a [u8; N]> {
    take(cursor, N)?.first_chunk().ok_or(Stop::More)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(client: &[u8], proxy: &[u8], want: Option<(ProxyKind, &str)>) {
        let agreed = |said| match said {
            Said::Agreed { kind, target, used } => Some((kind, target, used)),
            Said::NotThis | Said::NeedMore => None,
        };
        let found = agreed(read(client, proxy));
        assert_eq!(found.as_ref().map(|(kind, target, _)| (*kind, target.as_str())), want);
        if let Some((_, _, used)) = found {
            // Whatever follows is not the handshake's, and nothing shorter is one.
            let longer = [client, b"\x16\x03\x01"].concat();
            assert_eq!(agreed(read(&longer, proxy)).map(|(_, _, used)| used), Some(used));
            for len in 0..used[1] {
                assert_eq!(agreed(read(client, &proxy[..len])), None, "{len}");
            }
        }
    }

    const OK5: &[u8] = b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";

    #[test]
    fn reads_version_5() {
        let name = b"\x05\x01\x00\x05\x01\x00\x03\x0bexample.com\x01\xbb";
        check(name, OK5, Some((ProxyKind::Socks5, "example.com:443")));
        check(
            b"\x05\x02\x00\x02\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50",
            OK5,
            Some((ProxyKind::Socks5, "192.0.2.7:80")),
        );
        let v6 = b"\x05\x01\x00\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb";
        check(v6, OK5, Some((ProxyKind::Socks5, "[2001:db8::1]:443")));
        let user = b"\x05\x01\x02\x01\x01u\x01p\x05\x01\x00\x03\x0bexample.com\x01\xbb";
        check(user, &[b"\x05\x02\x01\x00", &OK5[2..]].concat(), Some((ProxyKind::Socks5, "example.com:443")));
        // Refused, no method, not CONNECT, an answer that is none.
        check(name, b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00", None);
        check(name, b"\x05\xff", None);
        check(b"\x05\x01\x00\x05\x03\x00\x01\xc0\x00\x02\x07\x00\x50", OK5, None);
        check(name, b"HTTP/1.1 400 Bad Request\r\n\r\n", None);
        assert_eq!(read(name, b"HTTP"), Said::NotThis);
        assert_eq!(read(b"\x05\x01\x00\x07", b""), Said::NotThis);
    }

    #[test]
    fn reads_version_4() {
        let granted = b"\x00\x5a\x00\x00\x00\x00\x00\x00";
        check(b"\x04\x01\x00\x50\xc0\x00\x02\x07me\x00", granted, Some((ProxyKind::Socks4, "192.0.2.7:80")));
        let name = b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00example.com\x00";
        check(name, granted, Some((ProxyKind::Socks4, "example.com:443")));
        check(name, b"\x00\x5b\x00\x00\x00\x00\x00\x00", None);
        check(b"\x04\x02\x00\x50\xc0\x00\x02\x07\x00", granted, None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            version in 4..6_u8,
            client in prop::collection::vec(any::<u8>(), 0..80),
            proxy in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let client = [&[version], client.as_slice()].concat();
            if let Said::Agreed { used, .. } = read(&client, &proxy) {
                prop_assert!(used[0] <= client.len() && used[1] <= proxy.len());
            }
        }
    }
}
