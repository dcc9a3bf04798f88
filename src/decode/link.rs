//! What stands before the IP packet: link headers, tags and labels.

use super::ip::plausible;
use super::{Layer, Spot, array, byte, plus, word};
use crate::model::LinkType;

/// Reads one link header; `None` where it is not understood or leads to no IP packet.
pub(super) fn header(view: &[u8], spot: Spot) -> Option<Spot> {
    let Spot { at, end, .. } = spot;
    let go = |layer, at| Some(Spot { layer, at, end });
    match spot.layer {
        Layer::Link(link) => by_type(view, spot, link),
        Layer::Ethernet => {
            let kind = word(view, plus(at, 12))?;
            go(if kind < 0x600 { Layer::Llc } else { Layer::Ether(kind) }, plus(at, 14))
        }
        Layer::Ether(kind) => match kind {
            0x0800 | 0x86dd => go(Layer::Ip, at),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                let kind = word(view, plus(at, 2))?;
                go(if kind < 0x600 { Layer::Llc } else { Layer::Ether(kind) }, plus(at, 4))
            }
            0x8847 | 0x8848 => go(Layer::Mpls, at),
            0x8864 => go(Layer::Ppp, plus(at, 6)),
            0x6558 => go(Layer::Ethernet, at),
            _ => None,
        },
        Layer::Mpls => {
            let bottom = byte(view, plus(at, 2))? & 1 != 0;
            let next = plus(at, 4);
            if !bottom {
                return go(Layer::Mpls, next);
            }
            if plausible(view, next, end) {
                return go(Layer::Ip, next);
            }
            // A pseudo-wire's control word begins with a zero nibble (RFC 4385).
            let control =
                array::<4>(view, next)? == [0; 4] || byte(view, next)? >> 4 == 0 && byte(view, plus(next, 1))? == 0;
            go(Layer::Ethernet, if control { plus(next, 4) } else { next })
        }
        Layer::Ppp => {
            let mut at = at;
            if word(view, at)? == 0xff03 {
                at = plus(at, 2);
            }
            let first = byte(view, at)?;
            // A protocol field of one byte is odd (RFC 1661 section 6.5).
            let (kind, by) = if first & 1 == 1 { (u16::from(first), 1) } else { (word(view, at)?, 2) };
            match kind {
                0x21 | 0x57 => go(Layer::Ip, plus(at, by)),
                0x281 | 0x283 => go(Layer::Mpls, plus(at, by)),
                _ => None,
            }
        }
        Layer::Llc => match array::<8>(view, at)? {
            [0xaa, 0xaa, 3, _, _, _, a, b] => go(Layer::Ether(u16::from_be_bytes([a, b])), plus(at, 8)),
            [6, 6, 3, ..] => go(Layer::Ip, plus(at, 3)),
            _ => None,
        },
        Layer::Wifi { fcs } => wifi(view, at, if fcs { end.saturating_sub(4) } else { end }),
        Layer::Ip | Layer::Proto { .. } => None,
    }
}

fn by_type(view: &[u8], spot: Spot, link: LinkType) -> Option<Spot> {
    let Spot { at, end, .. } = spot;
    let go = |layer, at| Some(Spot { layer, at, end });
    let little = |at| array(view, at).map(u16::from_le_bytes);
    match link {
        LinkType::ETHERNET => header(view, Spot { layer: Layer::Ethernet, at, end }),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            go(Layer::Ip, at)
        }
        LinkType::NULL | LinkType::LOOP => {
            let family: [u8; 4] = array(view, at)?;
            let family = u32::from_be_bytes(family).min(u32::from_le_bytes(family));
            matches!(family, 2 | 10 | 24 | 28 | 30).then_some(())?;
            go(Layer::Ip, plus(at, 4))
        }
        LinkType::PPP | LinkType::PPP_HDLC => match byte(view, at)? {
            0x0f | 0x8f => go(Layer::Ether(word(view, plus(at, 2))?), plus(at, 4)),
            _ => go(Layer::Ppp, at),
        },
        LinkType::PPP_ETHER => go(Layer::Ppp, plus(at, 6)),
        LinkType::C_HDLC => go(Layer::Ether(word(view, plus(at, 2))?), plus(at, 4)),
        LinkType::LINUX_SLL => match word(view, plus(at, 14))? {
            4 => go(Layer::Llc, plus(at, 16)),
            kind => go(Layer::Ether(kind), plus(at, 16)),
        },
        LinkType::LINUX_SLL2 => match word(view, at)? {
            4 => go(Layer::Llc, plus(at, 20)),
            kind => go(Layer::Ether(kind), plus(at, 20)),
        },
        LinkType::IEEE802_11 => go(Layer::Wifi { fcs: false }, at),
        LinkType::IEEE802_11_RADIOTAP => {
            let len = usize::from(little(plus(at, 2))?);
            go(Layer::Wifi { fcs: radiotap_fcs(view, at).unwrap_or(false) }, plus(at, len.max(8)))
        }
        LinkType::IEEE802_11_PRISM => {
            // The AVS header says its length big-endian; Prism's own is 144 bytes.
            let avs = array::<4>(view, at)? == [0x80, 0x21, 0x10, 1] || array::<4>(view, at)? == [0x80, 0x21, 0x10, 2];
            let len = if avs { usize::from(word(view, plus(at, 6))?) } else { 144 };
            go(Layer::Wifi { fcs: false }, plus(at, len.max(8)))
        }
        LinkType::PPI => {
            let len = usize::from(little(plus(at, 2))?).max(8);
            let inner = LinkType(little(plus(at, 4))?);
            let mut field = plus(at, 8);
            let mut fcs = false;
            while field < plus(at, len) {
                let (kind, size) = (little(field)?, usize::from(little(plus(field, 2))?));
                // The 802.11-Common field: flag bit 0 says that the FCS is there.
                fcs |= kind == 2 && little(plus(field, 12))? & 1 != 0;
                field = plus(plus(field, 4), size);
            }
            let layer = if inner == LinkType::IEEE802_11 { Layer::Wifi { fcs } } else { Layer::Link(inner) };
            go(layer, plus(at, len))
        }
        LinkType::NFLOG => {
            let mut field = plus(at, 4);
            loop {
                let (size, kind) = (usize::from(little(field)?), little(plus(field, 2))? & 0x7fff);
                if size < 4 {
                    return None;
                }
                if kind == 9 {
                    return Some(Spot { layer: Layer::Ip, at: plus(field, 4), end: plus(field, size) });
                }
                field = plus(field, size.checked_next_multiple_of(4)?);
            }
        }
        _ => None,
    }
}

/// The FCS flag of radiotap's flags field, which stands after the 64-bit time stamp where that is present.
fn radiotap_fcs(view: &[u8], at: usize) -> Option<bool> {
    let present = u32::from_le_bytes(array(view, plus(at, 4))?);
    if present & 2 == 0 {
        return Some(false);
    }
    let (mut words, mut to) = (present, plus(at, 8));
    while words & 0x8000_0000 != 0 {
        words = u32::from_le_bytes(array(view, to)?);
        to = plus(to, 4);
    }
    if present & 1 != 0 {
        // TSFT is aligned to 8 bytes from the start of the header.
        to = plus(plus(at, to.saturating_sub(at).checked_next_multiple_of(8)?), 8);
    }
    Some(byte(view, to)? & 0x10 != 0)
}

/// IEEE 802.11 data and quality-of-service data frames that are not protected.
fn wifi(view: &[u8], at: usize, end: usize) -> Option<Spot> {
    let [control, flags] = array(view, at)?;
    // Type data, and not one of the subtypes without data.
    if control & 0x0f != 0x08 || control & 0x40 != 0 || flags & 0x40 != 0 {
        return None;
    }
    let mut to = plus(at, if flags & 3 == 3 { 30 } else { 24 });
    if control & 0x80 != 0 {
        to = plus(to, 2);
        if flags & 0x80 != 0 {
            to = plus(to, 4);
        }
    }
    Some(Spot { layer: Layer::Llc, at: to, end })
}
