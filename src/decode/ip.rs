//! IPv4 (RFC 791) and IPv6 (RFC 8200) with their extension headers.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fragments::Fragment;
use super::{Layer, Next, Spot, array, byte, plus, word};

pub(super) fn packet(view: &[u8], spot: Spot) -> Next {
    let next = match byte(view, spot.at).map(|b| b >> 4) {
        Some(4) => v4(view, spot),
        Some(6) => v6(view, spot),
        _ => None,
    };
    next.unwrap_or(Next::Undecoded)
}

/// Whether an IP packet may begin at `at`: version, header length, a total length that fits before `end`.
pub(super) fn plausible(view: &[u8], at: usize, end: usize) -> bool {
    let room = end.saturating_sub(at);
    match byte(view, at) {
        Some(first @ 0x45..=0x4f) => word(view, plus(at, 2)).is_some_and(|total| {
            let total = usize::from(total);
            total <= room && total >= usize::from(first & 15).saturating_mul(4) && byte(view, plus(at, 9)) != Some(0)
        }),
        Some(0x60..=0x6f) => word(view, plus(at, 4)).is_some_and(|len| plus(usize::from(len), 40) <= room),
        _ => false,
    }
}

fn v4(view: &[u8], spot: Spot) -> Option<Next> {
    let at = spot.at;
    let h: [u8; 20] = array(view, at)?;
    let [first, _, t0, t1, i0, i1, f0, f1, _, proto, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = h;
    let header = usize::from(first & 15).saturating_mul(4);
    let total = usize::from(u16::from_be_bytes([t0, t1]));
    // Total length 0: the sender left segmentation to its card (TSO); the frame's length counts then.
    let end = if total == 0 { spot.end } else { plus(at, total) };
    if header < 20 || end < plus(at, header) {
        return None;
    }
    let source = IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3));
    let target = IpAddr::V4(Ipv4Addr::new(d0, d1, d2, d3));
    let flags = u16::from_be_bytes([f0, f1]);
    let start = plus(at, header);
    if flags & 0x3fff != 0 {
        return Some(Next::Fragment(Fragment {
            source,
            target,
            proto,
            id: u32::from(u16::from_be_bytes([i0, i1])),
            offset: usize::from(flags & 0x1fff).saturating_mul(8),
            more: flags & 0x2000 != 0,
            start,
            end,
        }));
    }
    Some(Next::Go(Spot { layer: Layer::Proto { proto, source, target }, at: start, end }))
}

fn v6(view: &[u8], spot: Spot) -> Option<Next> {
    let at = spot.at;
    let source = IpAddr::V6(Ipv6Addr::from(array::<16>(view, plus(at, 8))?));
    let target = IpAddr::V6(Ipv6Addr::from(array::<16>(view, plus(at, 24))?));
    let len = usize::from(word(view, plus(at, 4))?);
    let end = if len == 0 { spot.end } else { plus(plus(at, 40), len) };
    let layer = Layer::Proto { proto: byte(view, plus(at, 6))?, source, target };
    Some(Next::Go(Spot { layer, at: plus(at, 40), end }))
}
