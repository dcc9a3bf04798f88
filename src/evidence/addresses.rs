//! Whose range an address is in: a sorted table of boundaries, searched where it lies, with tables of several dates.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use std::sync::OnceLock;

use super::pack::{AS_TABLES, V4, V6, labels, pack};

/// What the tables say of one range: indexes of signatures.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// A block written in the pack or in an operator's list.
    pub(super) service: Option<u16>,
    /// The month of that list; 0 where there is none.
    pub(super) listed: u32,
    /// The origin AS by the tables of `AS_TABLES`, oldest first.
    pub(super) networks: [Option<u16>; 3],
}

/// What is known of an address at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    /// The block's signature.
    pub(super) service: Option<u16>,
    /// The AS's signature, by the table nearest to the time.
    pub(super) network: Option<u16>,
    /// Whether tables on both sides of the time (or one of nearly that time) name the same operator.
    pub(super) dated: bool,
    /// The month of the list that counts.
    pub(super) table: Option<u32>,
}

/// A block of addresses from a file of the user.
#[derive(Clone, Debug)]
pub(super) struct AddedRange {
    /// An address in it.
    pub(super) address: IpAddr,
    /// How many leading bits are fixed.
    pub(super) bits: u32,
    /// The rule it is part of.
    pub(super) signature: u16,
    /// The month in which the file was written.
    pub(super) listed: u32,
}

impl AddedRange {
    fn holds(&self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        let differ = match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => return false,
        };
        differ >= self.bits
    }
}

/// Months by which a list may be older or younger than the capture and still count as of its time.
const NEAR: u32 = 36;

/// Of an address that no table names.
const UNKNOWN: Label = Label { service: None, listed: 0, networks: [None; 3] };

/// Whose range `address` was in during `month`.
pub(super) fn owner(address: IpAddr, month: u32) -> Owner {
    let label = match address {
        IpAddr::V4(ip) => find4(ip),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| find6(ip), find4),
    };
    let pack = pack();
    let label = label.and_then(|n| labels().get(usize::from(n))).unwrap_or(&UNKNOWN);
    // What the user wrote comes before what was compiled in; longer blocks stand first.
    let added = pack.ranges.iter().find(|r| r.holds(address)).map(|r| (r.signature, r.listed));
    let listed = added.map_or(label.listed, |(_, listed)| listed);
    let on = |signature: &u16| pack.is_on(*signature);
    let service = added.map(|(signature, _)| signature).or(label.service).filter(on);
    let networks = label.networks.map(|n| n.filter(on));
    let provider = |signature: u16| pack.signature(signature).map(|s| s.provider);
    let owner_in = |at: usize| networks.get(at).copied().flatten();
    let after = AS_TABLES.iter().position(|date| *date >= month);
    let (before, after) = match after {
        Some(0) => (0, 0),
        Some(n) => (n - 1, n),
        None => (AS_TABLES.len() - 1, AS_TABLES.len() - 1),
    };
    let near = |at: usize| AS_TABLES.get(at).is_some_and(|date| date.abs_diff(month) <= NEAR);
    // The nearer table first, then the other, so that an address that only one of them knows is still named.
    let far = |at: usize| AS_TABLES.get(at).map_or(u32::MAX, |date| date.abs_diff(month));
    let (near_at, far_at) = if far(after) <= far(before) { (after, before) } else { (before, after) };
    let network_at = if owner_in(near_at).is_some() { near_at } else { far_at };
    let network = owner_in(network_at);
    let named = service.or(network).and_then(provider);
    let says = |at: usize| owner_in(at).and_then(provider);
    // A list is of no use for times before it, unless it is near: blocks are sold. After it, an AS table may agree.
    let service_now = service.is_some() && listed.abs_diff(month) <= NEAR;
    let bracketed = named.is_some() && says(before) == named && says(after) == named;
    let close = named.is_some() && near(near_at) && says(near_at) == named;
    let of_table = network.and_then(|_| AS_TABLES.get(network_at).copied());
    let table = if service_now { Some(listed) } else { of_table.or_else(|| service.map(|_| listed)) };
    Owner { service, network, dated: service_now || bracketed || close, table }
}

/// The month of the list that says whose range `address` was in during `month`.
pub(super) fn table_month(address: IpAddr, month: u32) -> Option<u32> {
    owner(address, month).table
}

/// Whether an address belongs to no network of the internet: private, shared, local.
pub(super) fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => {
            ip.to_ipv4_mapped().is_some_and(|ip| is_local(IpAddr::V4(ip)))
                || ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    }
}

/// An address that a rule must name in a month, and one that it must not.
pub(super) struct Sample {
    pub(super) month: u32,
    pub(super) inside: IpAddr,
    /// The last address before the block, where that is not the rule's as well.
    pub(super) outside: Option<IpAddr>,
}

/// An address for each way in which a rule can come out of the table: its blocks of IPv4 and IPv6, its AS in each year,
/// the blocks of users.
pub(super) fn samples(signature: u16) -> Vec<Sample> {
    let names = |address: IpAddr, month: u32| {
        let owner = owner(address, month);
        owner.service == Some(signature) || owner.network == Some(signature)
    };
    let mut samples: Vec<Sample> = Vec::new();
    let (v4, _) = V4.as_chunks::<6>();
    let (v6, _) = V6.as_chunks::<18>();
    let starts4 = v4.iter().map(|[a, b, c, d, high, low]| {
        let start = Ipv4Addr::new(*a, *b, *c, *d);
        (IpAddr::V4(start), start.to_bits().checked_sub(1).map(|n| IpAddr::V4(n.into())), [*high, *low])
    });
    let starts6 = v6.iter().filter_map(|entry| {
        let start = Ipv6Addr::from(*entry.first_chunk::<16>()?);
        let before = start.to_bits().checked_sub(1).map(|n| IpAddr::V6(n.into()));
        Some((IpAddr::V6(start), before, *entry.last_chunk::<2>()?))
    });
    for (inside, before, label) in starts4.chain(starts6) {
        let Some(label) = labels().get(usize::from(u16::from_be_bytes(label))) else { continue };
        let listed = (label.service == Some(signature)).then_some(label.listed);
        let networks = label.networks.iter().zip(AS_TABLES).filter(|(n, _)| **n == Some(signature));
        for month in networks.map(|(_, month)| month).chain(listed) {
            let known = samples.iter().any(|s| s.month == month && s.inside.is_ipv4() == inside.is_ipv4());
            if !known && !is_local(inside) {
                samples.push(Sample { month, inside, outside: before.filter(|b| !names(*b, month)) });
            }
        }
    }
    for range in pack().ranges.iter().filter(|r| r.signature == signature) {
        let outside = match range.address {
            IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() ^ 1 << (32 - range.bits)).into()),
            IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() ^ 1 << (128 - range.bits)).into()),
        };
        let outside = Some(outside).filter(|o| !names(*o, range.listed));
        samples.push(Sample { month: range.listed, inside: range.address, outside });
    }
    samples
}

fn find4(ip: Ipv4Addr) -> Option<u16> {
    /// Number of entries before those of each first octet: every connection asks, and the search is half as long so.
    static FIRST: OnceLock<[usize; 257]> = OnceLock::new();
    let key = ip.octets();
    let (entries, _) = V4.as_chunks::<6>();
    let first =
        FIRST.get_or_init(|| core::array::from_fn(|octet| entries.partition_point(|[a, ..]| usize::from(*a) < octet)));
    let octet = usize::from(key[0]);
    let (from, to) = (*first.get(octet)?, *first.get(octet + 1)?);
    let same_octet = entries.get(from..to)?;
    let after = from + same_octet.partition_point(|[a, b, c, d, ..]| [*a, *b, *c, *d] <= key);
    let [.., high, low] = entries.get(after.checked_sub(1)?)?;
    Some(u16::from_be_bytes([*high, *low]))
}

fn find6(ip: Ipv6Addr) -> Option<u16> {
    let key = ip.octets();
    let (entries, _) = V6.as_chunks::<18>();
    let after = entries.partition_point(|entry| entry.first_chunk::<16>().is_some_and(|start| *start <= key));
    let [.., high, low] = entries.get(after.checked_sub(1)?)?;
    Some(u16::from_be_bytes([*high, *low]))
}
