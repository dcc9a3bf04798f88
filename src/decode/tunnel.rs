//! What IP carries: TCP, UDP, extension headers, and the tunnels in them.

use core::net::IpAddr;

use etherparse::{TcpHeaderSlice, UdpHeaderSlice};

use super::fragments::Fragment;
use super::ip::plausible;
use super::{Found, Layer, Next, Spot, array, byte, plus, word};
use crate::model::{Endpoint, TcpFlags, UnitKind};

pub(super) fn transport(view: &[u8], spot: Spot, proto: u8, source: IpAddr, target: IpAddr) -> Next {
    let at = spot.at;
    let found = match proto {
        6 => tcp(view, spot, source, target),
        17 => udp(view, spot, source, target),
        4 | 41 => Some(Next::Go(Spot { layer: Layer::Ip, ..spot })),
        47 => gre(view, spot).map(Next::Go),
        137 => Some(Next::Go(Spot { layer: Layer::Mpls, ..spot })),
        // Hop-by-hop, routing, destination options (RFC 8200), authentication header (RFC 4302).
        0 | 43 | 60 | 51 => byte(view, at).zip(byte(view, plus(at, 1))).map(|(proto, len)| {
            let len = usize::from(len);
            let by = if spot_is_ah(spot) { plus(len, 2).saturating_mul(4) } else { plus(len, 1).saturating_mul(8) };
            Next::Go(Spot { layer: Layer::Proto { proto, source, target }, at: plus(at, by), end: spot.end })
        }),
        44 => fragment(view, spot, source, target),
        _ => None,
    };
    found.unwrap_or(Next::Other)
}

fn spot_is_ah(spot: Spot) -> bool {
    matches!(spot.layer, Layer::Proto { proto: 51, .. })
}

fn fragment(view: &[u8], spot: Spot, source: IpAddr, target: IpAddr) -> Option<Next> {
    let [proto, _, o0, o1, i0, i1, i2, i3] = array(view, spot.at)?;
    let offset = u16::from_be_bytes([o0, o1]);
    let start = plus(spot.at, 8);
    if offset & 0xfff9 == 0 {
        // An atomic fragment (RFC 6946) is whole by itself.
        return Some(Next::Go(Spot { layer: Layer::Proto { proto, source, target }, at: start, end: spot.end }));
    }
    Some(Next::Fragment(Fragment {
        source,
        target,
        proto,
        id: u32::from_be_bytes([i0, i1, i2, i3]),
        offset: usize::from(offset & 0xfff8),
        more: offset & 1 != 0,
        start,
        end: spot.end,
    }))
}

fn tcp(view: &[u8], spot: Spot, source: IpAddr, target: IpAddr) -> Option<Next> {
    let at = spot.at;
    let bytes = view.get(at..)?;
    if let Ok(tcp) = TcpHeaderSlice::from_slice(bytes) {
        let start = plus(at, tcp.slice().len());
        return (start <= spot.end).then_some(Next::Segment(Found {
            source: Endpoint { ip: source, port: tcp.source_port() },
            target: Endpoint { ip: target, port: tcp.destination_port() },
            kind: UnitKind::Segment {
                seq: tcp.sequence_number(),
                ack: tcp.acknowledgment_number(),
                flags: TcpFlags(byte(bytes, 13)?),
            },
            start,
            end: spot.end,
        }));
    }
    // The snap length cut the options: the fields that count may be there all the same.
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, off, flags] = array(view, at)?;
    let header = usize::from(off >> 4).saturating_mul(4);
    let start = plus(at, header);
    if header < 20 || start > spot.end {
        return None;
    }
    Some(Next::Segment(Found {
        source: Endpoint { ip: source, port: u16::from_be_bytes([s0, s1]) },
        target: Endpoint { ip: target, port: u16::from_be_bytes([d0, d1]) },
        kind: UnitKind::Segment {
            seq: u32::from_be_bytes([q0, q1, q2, q3]),
            ack: u32::from_be_bytes([a0, a1, a2, a3]),
            flags: TcpFlags(flags),
        },
        start,
        end: spot.end,
    }))
}

fn udp(view: &[u8], spot: Spot, source: IpAddr, target: IpAddr) -> Option<Next> {
    let udp = UdpHeaderSlice::from_slice(view.get(spot.at..)?).ok()?;
    let (from, to) = (udp.source_port(), udp.destination_port());
    let len = usize::from(udp.length());
    let start = plus(spot.at, udp.slice().len());
    let end = if len < 8 { spot.end } else { plus(spot.at, len).min(spot.end) };
    let found = Found {
        source: Endpoint { ip: source, port: from },
        target: Endpoint { ip: target, port: to },
        kind: UnitKind::Datagram,
        start,
        end: end.max(start),
    };
    let is = |port| from == port || to == port;
    let inner = if is(4789) || is(8472) {
        vxlan(view, start, end)
    } else if is(6081) {
        geneve(view, start, end)
    } else if is(2152) {
        gtp(view, start, end)
    } else if is(3544) {
        teredo(view, start, end)
    } else {
        None
    };
    Some(Next::Datagram(found, inner))
}

/// RFC 7348: the I flag set, the other reserved bits clear.
fn vxlan(view: &[u8], at: usize, end: usize) -> Option<Spot> {
    let [flags, _, _, _, _, _, _, zero] = array(view, at)?;
    (flags & 0x08 != 0 && zero == 0).then_some(Spot { layer: Layer::Ethernet, at: plus(at, 8), end })
}

/// RFC 8926.
fn geneve(view: &[u8], at: usize, end: usize) -> Option<Spot> {
    let first = byte(view, at)?;
    let kind = word(view, plus(at, 2))?;
    let at = plus(plus(at, 8), usize::from(first & 0x3f).saturating_mul(4));
    (first >> 6 == 0).then_some(Spot { layer: Layer::Ether(kind), at, end })
}

/// GTP-U version 1, 3GPP TS 29.281 section 5: only a G-PDU (255) carries a packet.
fn gtp(view: &[u8], at: usize, end: usize) -> Option<Spot> {
    let [flags, kind] = array(view, at)?;
    if flags >> 4 != 3 || kind != 255 {
        return None;
    }
    let mut to = plus(at, 8);
    if flags & 7 != 0 {
        let mut next = if flags & 4 != 0 { byte(view, plus(to, 3))? } else { 0 };
        to = plus(to, 4);
        while next != 0 {
            let len = usize::from(byte(view, to)?).saturating_mul(4);
            if len == 0 {
                return None;
            }
            to = plus(to, len);
            next = byte(view, to.saturating_sub(1))?;
        }
    }
    plausible(view, to, end).then_some(Spot { layer: Layer::Ip, at: to, end })
}

/// RFC 4380 section 5.1.1: authentication and origin headers may stand before the IPv6 packet.
fn teredo(view: &[u8], mut at: usize, end: usize) -> Option<Spot> {
    if word(view, at)? == 1 {
        let lens = usize::from(byte(view, plus(at, 2))?).saturating_add(usize::from(byte(view, plus(at, 3))?));
        at = plus(plus(at, 13), lens);
    }
    if word(view, at)? == 0 {
        at = plus(at, 8);
    }
    (byte(view, at)? >> 4 == 6 && plausible(view, at, end)).then_some(Spot { layer: Layer::Ip, at, end })
}

/// GRE (RFC 2784, 2890), its PPTP form (RFC 2637), and ERSPAN in it.
fn gre(view: &[u8], spot: Spot) -> Option<Spot> {
    let flags = word(view, spot.at)?;
    let kind = word(view, plus(spot.at, 2))?;
    let mut at = plus(spot.at, 4);
    let bits: &[u16] = if flags & 7 == 1 { &[0x2000, 0x1000, 0x0080] } else { &[0xc000, 0x2000, 0x1000] };
    for bit in bits {
        if flags & bit != 0 {
            at = plus(at, 4);
        }
    }
    let layer = match kind {
        0x880b => Layer::Ppp,
        // ERSPAN type I has no sequence number and no header of its own.
        0x88be if flags & 0x1000 == 0 => Layer::Ethernet,
        0x88be => {
            at = plus(at, 8);
            Layer::Ethernet
        }
        0x22eb => {
            let optional = byte(view, plus(at, 11))? & 1 != 0;
            at = plus(at, if optional { 20 } else { 12 });
            Layer::Ethernet
        }
        kind => Layer::Ether(kind),
    };
    Some(Spot { layer, at, end: spot.end })
}
