//! IPv4 (RFC 791) and IPv6 (RFC 8200) with their extension headers.

use core::net::IpAddr;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::fragments::Fragment;
use super::{Layer, Next, Spot, byte, plus, word};

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
    let ip = Ipv4HeaderSlice::from_slice(view.get(at..)?).ok()?;
    let total = usize::from(ip.total_len());
    // Total length 0: the sender left segmentation to its card (TSO); the frame's length counts then.
    let end = if total == 0 { spot.end } else { plus(at, total) };
    let start = plus(at, ip.slice().len());
    if end < start {
        return None;
    }
    let (source, target) = (IpAddr::V4(ip.source_addr()), IpAddr::V4(ip.destination_addr()));
    let proto = ip.protocol().0;
    if ip.is_fragmenting_payload() {
        return Some(Next::Fragment(Fragment {
            source,
            target,
            proto,
            id: u32::from(ip.identification()),
            offset: usize::from(ip.fragments_offset().value()).saturating_mul(8),
            more: ip.more_fragments(),
            start,
            end,
        }));
    }
    Some(Next::Go(Spot { layer: Layer::Proto { proto, source, target }, at: start, end }))
}

fn v6(view: &[u8], spot: Spot) -> Option<Next> {
    let at = spot.at;
    let ip = Ipv6HeaderSlice::from_slice(view.get(at..)?).ok()?;
    let (source, target) = (IpAddr::V6(ip.source_addr()), IpAddr::V6(ip.destination_addr()));
    let start = plus(at, ip.slice().len());
    let len = usize::from(ip.payload_length());
    let end = if len == 0 { spot.end } else { plus(start, len) };
    Some(Next::Go(Spot { layer: Layer::Proto { proto: ip.next_header().0, source, target }, at: start, end }))
}
