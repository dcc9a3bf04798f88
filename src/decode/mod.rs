//! One captured frame becomes at most one unit: the innermost TCP segment or UDP datagram in whatever it is wrapped in.
//!
//! Comes in: a frame's head and bytes. Goes out: an [`Outcome`]. Never: a verdict on checksums, a copy of payload unless
//! IP fragments had to be put together, a panic.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod fragments;
mod ip;
mod link;
#[cfg(test)]
mod tests;
mod tunnel;

use core::net::IpAddr;

use ahash::RandomState;

use crate::model::{
    Budget, Endpoint, FlowKey, FrameHead, FrameNo, Limit, LimitHit, LinkType, Payload, Transport, Unit, UnitKind,
};
use fragments::{Fragment, Fragments};

/// The protocol number of UDP (RFC 768).
const UDP: u8 = 17;

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A TCP segment or UDP datagram.
    Unit(Unit),
    /// A fragment of an IP datagram that is not whole yet; kept.
    Fragment,
    /// Understood, but neither TCP nor UDP: ARP, ICMP and the like.
    Other,
    /// Link type or header not understood.
    Undecoded,
}

/// What the bytes at some offset are to be read as.
#[derive(Clone, Copy, Debug)]
enum Layer {
    Link(LinkType),
    Ethernet,
    Ether(u16),
    Mpls,
    Ip,
    Ppp,
    Wifi { fcs: bool },
    Llc,
    Proto { proto: u8, source: IpAddr, target: IpAddr },
}

/// Where reading goes on: a layer, its offset and the offset where it should end (beyond the bytes where they were cut).
#[derive(Clone, Copy, Debug)]
struct Spot {
    layer: Layer,
    at: usize,
    end: usize,
}

/// What one layer leads to.
enum Next {
    Go(Spot),
    Fragment(Fragment),
    Segment(Found),
    /// A datagram, and the tunnel that may be in it.
    Datagram(Found, Option<Spot>),
    Other,
    Undecoded,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    source: Endpoint,
    target: Endpoint,
    kind: UnitKind,
    start: usize,
    end: usize,
}

enum Walked {
    Found(Found),
    Fragment(Fragment),
    Other,
    Undecoded,
}

/// Decodes frames in capture order; keeps IP fragments between them.
#[derive(Debug)]
pub struct Decoder {
    layers: u32,
    hasher: RandomState,
    fragments: Fragments,
    deep: u64,
    deep_first: FrameNo,
}

impl Decoder {
    /// An empty decoder within `budget`.
    pub fn new(budget: &Budget) -> Self {
        Self {
            layers: budget.packet_layers,
            hasher: RandomState::new(),
            fragments: Fragments::new(budget),
            deep: 0,
            deep_first: FrameNo(0),
        }
    }

    /// Decodes one frame. A datagram put together from fragments is appended to `reassembled`.
    pub fn frame(&mut self, head: &FrameHead, bytes: &[u8], reassembled: &mut Vec<u8>) -> Outcome {
        let wire = usize::try_from(head.original_len).unwrap_or(usize::MAX).max(bytes.len());
        let mut budget = self.layers;
        let spot = Spot { layer: Layer::Link(head.link), at: 0, end: wire };
        let mut walked = self.walk(head, bytes, spot, &mut budget);
        let mut copied = false;
        // A datagram in a tunnel may itself be a fragment, so this turns until none is left; the layers bound it.
        loop {
            match walked {
                Walked::Found(found) => {
                    return self.unit(head, found, if copied { reassembled } else { bytes }, copied);
                }
                Walked::Other => return Outcome::Other,
                Walked::Undecoded => return Outcome::Undecoded,
                Walked::Fragment(fragment) => {
                    let data: &[u8] = if copied { reassembled } else { bytes };
                    let piece = data.get(fragment.start..fragment.end.min(data.len())).unwrap_or_default();
                    let Some(whole) = self.fragments.add(head, &fragment, piece) else { return Outcome::Fragment };
                    let start = reassembled.len();
                    reassembled.extend_from_slice(&whole);
                    copied = true;
                    let layer =
                        Layer::Proto { proto: fragment.proto, source: fragment.source, target: fragment.target };
                    let spot = Spot { layer, at: start, end: reassembled.len() };
                    walked = self.walk(head, reassembled, spot, &mut budget);
                }
            }
        }
    }

    /// The beginning of a datagram whose other fragments never came, as a unit that says how much is missing; its bytes are
    /// appended to `reassembled`. `None` when there is no more; call it after each batch, and after [`Decoder::finish`].
    pub fn given_up(&mut self, reassembled: &mut Vec<u8>) -> Option<Unit> {
        loop {
            let gone = self.fragments.given_up()?;
            let start = reassembled.len();
            reassembled.extend_from_slice(&gone.bytes);
            // A datagram says its own length; of a segment only what is there can be known.
            let end = match gone.total {
                Some(total) => plus(start, total),
                None if gone.proto == UDP => plus(start, usize::from(u16::MAX)),
                None => reassembled.len(),
            };
            let layer = Layer::Proto { proto: gone.proto, source: gone.source, target: gone.target };
            let mut budget = self.layers;
            let walked = self.walk(&gone.head, reassembled, Spot { layer, at: start, end }, &mut budget);
            if let Walked::Found(found) = walked
                && let Outcome::Unit(unit) = self.unit(&gone.head, found, reassembled, true)
            {
                return Some(unit);
            }
        }
    }

    /// No more frames will come: what waits for fragments is given up.
    pub fn finish(&mut self) {
        self.fragments.finish();
    }

    /// The earlier frames of the unit just returned, when its payload is reassembled: number and record offset.
    pub fn earlier_fragments(&self) -> &[(FrameNo, u64)] {
        self.fragments.earlier()
    }

    /// The limits reached so far.
    pub fn limits(&self) -> Vec<LimitHit> {
        let mut hits = Vec::new();
        if self.deep > 0 {
            hits.push(LimitHit { limit: Limit::PacketLayers, count: self.deep, first_frame: self.deep_first });
        }
        hits.extend(self.fragments.limit());
        hits
    }

    fn walk(&mut self, head: &FrameHead, data: &[u8], mut spot: Spot, budget: &mut u32) -> Walked {
        let mut outer = None;
        let fall_back = |outer: Option<Found>, other: Walked| outer.map_or(other, Walked::Found);
        loop {
            let Some(left) = budget.checked_sub(1) else {
                if self.deep == 0 {
                    self.deep_first = head.number;
                }
                self.deep = self.deep.saturating_add(1);
                return fall_back(outer, Walked::Undecoded);
            };
            *budget = left;
            let view = data.get(..spot.end.min(data.len())).unwrap_or_default();
            let next = match spot.layer {
                Layer::Ip => ip::packet(view, spot),
                Layer::Proto { proto, source, target } => tunnel::transport(view, spot, proto, source, target),
                _ => link::header(view, spot).map_or(Next::Undecoded, Next::Go),
            };
            match next {
                Next::Go(next) => spot = next,
                Next::Segment(found) | Next::Datagram(found, None) => return Walked::Found(found),
                Next::Datagram(found, Some(inner)) => {
                    outer = Some(found);
                    spot = inner;
                }
                Next::Fragment(fragment) => return Walked::Fragment(fragment),
                Next::Other => return fall_back(outer, Walked::Other),
                Next::Undecoded => {
                    let known = matches!(spot.layer, Layer::Ether(_) | Layer::Llc | Layer::Wifi { .. } | Layer::Ppp);
                    return fall_back(outer, if known { Walked::Other } else { Walked::Undecoded });
                }
            }
        }
    }

    fn unit(&self, head: &FrameHead, found: Found, data: &[u8], copied: bool) -> Outcome {
        let captured = found.end.min(data.len()).saturating_sub(found.start);
        let promised = found.end.saturating_sub(found.start);
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (start, len) = (narrow(found.start), narrow(captured));
        let transport = if matches!(found.kind, UnitKind::Datagram) { Transport::Udp } else { Transport::Tcp };
        Outcome::Unit(Unit {
            frame: head.number,
            time: head.time,
            record_offset: head.record_offset,
            source: found.source,
            target: found.target,
            kind: found.kind,
            payload: if copied { Payload::Reassembled { start, len } } else { Payload::InFrame { start, len } },
            missing: narrow(promised.saturating_sub(captured)),
            hash: self.hasher.hash_one(FlowKey::of(found.source, found.target, transport)),
        })
    }
}

fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn byte(data: &[u8], at: usize) -> Option<u8> {
    data.get(at).copied()
}

fn word(data: &[u8], at: usize) -> Option<u16> {
    array(data, at).map(u16::from_be_bytes)
}

fn plus(at: usize, by: usize) -> usize {
    at.saturating_add(by)
}
