//! The handshakes of tunnels over UDP. A sign is only what both sides said: an answer that repeats a number which the
//! other side chose at random.
//!
//! Comes in: datagrams of one flow. Goes out: that the two agreed on a tunnel. Never: a word about what is in it.

use crate::model::{Cursor, Side, TunnelKind};

/// A handshake that one side began, with the number that an answer must repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// The initiator's index.
    WireGuard([u8; 4]),
    /// The client's session id.
    OpenVpn([u8; 8]),
    /// The initiator's SPI, or cookie in version 1.
    Ike([u8; 8]),
}

/// What was said so far in one flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Handshake {
    asked: Option<(Side, Asked)>,
    agreed: bool,
}

/// Lengths of WireGuard's two handshake messages (wireguard.com/protocol, "First Message" and "Second Message").
const INITIATION_BYTES: usize = 148;
const RESPONSE_BYTES: usize = 92;
/// Shortest OpenVPN message that begins a session: opcode, session id, empty list of acknowledgements, packet id.
const RESET_BYTES: usize = 14;
/// An IKE header (RFC 7296 section 3.1).
const IKE_BYTES: usize = 28;

impl Handshake {
    /// Takes a datagram of that side; gives the kind of tunnel and who asked for it, once, when the other side agreed.
    pub fn datagram(&mut self, side: Side, bytes: &[u8]) -> Option<(TunnelKind, Side)> {
        if self.agreed {
            return None;
        }
        if let Some((asker, asked)) = self.asked
            && asker != side
            && let Some(kind) = answers(asked, bytes)
        {
            self.agreed = true;
            return Some((kind, asker));
        }
        if let Some(asked) = asks(bytes) {
            self.asked = Some((side, asked));
        }
        None
    }
}

fn asks(bytes: &[u8]) -> Option<Asked> {
    match bytes {
        // Type 1, three reserved zeros, the sender's index.
        [1, 0, 0, 0, a, b, c, d, ..] if bytes.len() == INITIATION_BYTES => Some(Asked::WireGuard([*a, *b, *c, *d])),
        // P_CONTROL_HARD_RESET_CLIENT_V2 or V3 with key 0 (openvpn.net, "OpenVPN protocol").
        [0x38 | 0x50, id @ ..] if bytes.len() >= RESET_BYTES => id.first_chunk().copied().map(Asked::OpenVpn),
        _ => {
            let (spis, kind, response) = ike(bytes)?;
            // IKE_SA_INIT, or Identity Protection and Aggressive of version 1: the responder has no SPI yet.
            (kind && !response && spis[1] == [0; 8]).then_some(Asked::Ike(spis[0]))
        }
    }
}

fn answers(asked: Asked, bytes: &[u8]) -> Option<TunnelKind> {
    match asked {
        Asked::WireGuard(index) => {
            let head = bytes.first_chunk::<4>() == Some(&[2, 0, 0, 0]) && bytes.len() == RESPONSE_BYTES;
            (head && bytes.get(8..12) == Some(&index)).then_some(TunnelKind::WireGuard)
        }
        Asked::OpenVpn(id) => {
            // P_CONTROL_HARD_RESET_SERVER_V2, which acknowledges the client's message and names its session.
            let (head, rest) = bytes.split_at_checked(9)?;
            let names = rest.windows(id.len()).take(RESET_BYTES * 8).any(|w| w == id);
            (head.first() == Some(&0x40) && names).then_some(TunnelKind::OpenVpn)
        }
        Asked::Ike(spi) => {
            let (spis, kind, response) = ike(bytes)?;
            (kind && response && spis[0] == spi && spis[1] != [0; 8]).then_some(TunnelKind::Ipsec)
        }
    }
}

/// The SPIs of an IKE message, whether it is of the first exchange, and whether it may be an answer. In front of it stand four
/// zeros where it shares a port with ESP (RFC 3948 section 2.2).
fn ike(bytes: &[u8]) -> Option<([[u8; 8]; 2], bool, bool)> {
    let message = match bytes {
        [0, 0, 0, 0, rest @ ..] => rest,
        _ => bytes,
    };
    let mut cursor = Cursor::new(message);
    let spis = [cursor.array::<8>()?, cursor.array::<8>()?];
    let (_next, version, exchange, flags) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    cursor.skip(4)?;
    let len = usize::try_from(cursor.u32()?).ok()?;
    let sound = len == message.len() && len > IKE_BYTES && spis[0] != [0; 8];
    let (first, response) = match (version, exchange) {
        // Version 2: the flags tell requests from answers; bits that must be zero are.
        (0x20, 34) => (flags & 0xC7 == 0, flags & 0x20 != 0),
        // Version 1 (RFC 2408 section 3.1): only that the responder has a cookie.
        (0x10, 2 | 4) => (flags & 0xF8 == 0, spis[1] != [0; 8]),
        _ => return None,
    };
    sound.then_some((spis, first, response))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(first: &[u8], second: &[u8]) -> Option<(TunnelKind, Side)> {
        let mut handshake = Handshake::default();
        assert_eq!(handshake.datagram(Side::Client, first), None);
        // The asker's own next message is no answer.
        let mut same = handshake;
        assert_eq!(same.datagram(Side::Client, second), None);
        handshake.datagram(Side::Server, second)
    }

    #[track_caller]
    fn check(first: &[u8], second: &[u8], kind: TunnelKind) {
        assert_eq!(said(first, second), Some((kind, Side::Client)));
        // Each byte that counts: no other length, and not with another number.
        assert_eq!(said(first, &second[..second.len() - 1]), None);
        assert_eq!(said(&first[1..], second), None);
    }

    fn wireguard() -> (Vec<u8>, Vec<u8>) {
        let first = [b"\x01\0\0\0\xaa\xbb\xcc\xdd".as_slice(), &[9; 140]].concat();
        (first, [b"\x02\0\0\0\x11\x22\x33\x44\xaa\xbb\xcc\xdd".as_slice(), &[9; 80]].concat())
    }

    fn ike_pair(version: u8, exchange: u8, marker: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let message = |responder: &[u8; 8], flags: u8| {
            let rest = [33, version, exchange, flags, 0, 0, 0, 0, 0, 0, 0, 32, 1, 2, 3, 4];
            [marker, b"initiate", responder, &rest].concat()
        };
        let (asks, answers) = if version == 0x20 { (0x08, 0x20) } else { (0, 0) };
        (message(&[0; 8], asks), message(b"responds", answers))
    }

    #[test]
    fn tells_handshakes_by_the_number_that_comes_back() {
        let (first, second) = wireguard();
        check(&first, &second, TunnelKind::WireGuard);
        let mut other = second.clone();
        other[8] = 0;
        assert_eq!(said(&first, &other), None);
        for (version, exchange) in [(0x20, 34), (0x10, 2), (0x10, 4)] {
            for marker in [&b""[..], b"\0\0\0\0"] {
                let (first, second) = ike_pair(version, exchange, marker);
                check(&first, &second, TunnelKind::Ipsec);
            }
        }
    }

    #[test]
    fn tells_openvpn() {
        let first = b"\x38clientid\0\0\0\0\0".as_slice();
        let second = b"\x40serverid\x01\0\0\0\0clientid\0\0\0\0".as_slice();
        assert_eq!(said(first, second), Some((TunnelKind::OpenVpn, Side::Client)));
        assert_eq!(said(first, b"\x40serverid\x01\0\0\0\0clientie\0\0\0\0"), None);
        assert_eq!(said(first, b"\x20serverid\x01\0\0\0\0clientid\0\0\0\0"), None);
    }

    proptest! {
        #[test]
        fn chance_is_no_handshake(datagrams in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..160)), 0..8)) {
            let mut handshake = Handshake::default();
            for (server, bytes) in &datagrams {
                let side = if *server { Side::Server } else { Side::Client };
                prop_assert_eq!(handshake.datagram(side, bytes), None);
            }
        }
    }
}
