//! What earlier exchanges told: which names were looked up, through which CNAME chains, to which addresses.

use core::net::IpAddr;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use ahash::AHashMap;

use super::names::Name;
use crate::model::{Budget, ByteRange, Detail, DnsKind, DnsLookup, Exchange, FrameNo};

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
/// Answers remembered for all addresses together.
const ANSWERS: usize = 65_536;
/// Answers remembered for one address: a shared edge has many names.
const PER_ADDRESS: usize = 16;
/// CNAMEs followed; resolvers stop earlier.
const LONGEST_CHAIN: usize = 16;

/// One CNAME record of a chain.
#[derive(Debug)]
pub(super) struct Link {
    /// The record in words.
    pub(super) text: Box<[u8]>,
    /// The name it leads to, in lower case.
    pub(super) target: Box<[u8]>,
    /// Where it stands in the DNS message.
    pub(super) range: ByteRange,
}

/// One answer: a name, the CNAMEs it led through, and who asked when.
#[derive(Debug)]
pub(super) struct Chain {
    /// The asked name, in lower case.
    pub(super) asked: Box<[u8]>,
    /// Who asked.
    pub(super) client: IpAddr,
    /// The frame of the answer.
    pub(super) frame: FrameNo,
    /// The CNAMEs in the order in which they lead on.
    pub(super) links: Vec<Link>,
    /// Signatures and the link they match, found once.
    pub(super) hits: OnceLock<Vec<(u16, usize)>>,
}

impl Chain {
    /// Reads the chain of an answered lookup, with the addresses it ends at.
    pub(super) fn of(lookup: &DnsLookup, client: IpAddr) -> Option<(Self, Vec<IpAddr>)> {
        let response = lookup.response.as_ref().filter(|r| r.rcode == 0 && !r.answers.is_empty())?;
        let question = lookup.questions.first()?;
        let asked = Name::of(question.name.as_bytes())?;
        let mut links: Vec<Link> = Vec::new();
        let mut at = question.name.as_str();
        while links.len() < LONGEST_CHAIN {
            let next = response.answers.iter().find(|r| r.rtype == CNAME && same(&r.name, at));
            let Some(record) = next.filter(|r| links.iter().all(|l| l.range != r.range)) else { break };
            let Some(target) = Name::of(record.value.as_bytes()) else { break };
            links.push(Link {
                text: format!("{} CNAME {}", record.name, record.value).into_bytes().into(),
                target: target.bytes().into(),
                range: record.range,
            });
            at = record.value.as_str();
        }
        let addresses = response
            .answers
            .iter()
            .filter(|r| matches!(r.rtype, A | AAAA) && same(&r.name, at))
            .filter_map(|r| r.value.parse().ok())
            .collect();
        let asked = asked.bytes().into();
        Some((Self { asked, client, frame: response.frame, links, hits: OnceLock::new() }, addresses))
    }

    /// The whole chain as one text, as chain rules read it.
    pub(super) fn joined(&self) -> Vec<u8> {
        let mut joined = self.asked.to_vec();
        for link in &self.links {
            joined.extend_from_slice(b" > ");
            joined.extend_from_slice(&link.target);
        }
        joined
    }
}

fn same(a: &str, b: &str) -> bool {
    a.strip_suffix('.').unwrap_or(a).eq_ignore_ascii_case(b.strip_suffix('.').unwrap_or(b))
}

/// Answers of the DNS seen so far, by the address they gave.
#[derive(Debug)]
pub struct Known {
    chains: AHashMap<IpAddr, Vec<Arc<Chain>>>,
    order: VecDeque<IpAddr>,
    forgotten: u64,
}

impl Known {
    /// Knows nothing yet.
    pub fn new(_budget: &Budget) -> Self {
        Self { chains: AHashMap::new(), order: VecDeque::new(), forgotten: 0 }
    }

    /// Remembers what an exchange tells about later ones.
    pub fn learn(&mut self, exchange: &Exchange) {
        let Detail::Dns(lookup) = &exchange.detail else { return };
        if lookup.kind != DnsKind::Dns {
            return;
        }
        let Some((chain, addresses)) = Chain::of(lookup, exchange.client.ip) else { return };
        let chain = Arc::new(chain);
        for address in addresses {
            let list = self.chains.entry(address).or_default();
            if list.len() >= PER_ADDRESS {
                list.remove(0);
                self.forgotten += 1;
            } else {
                self.order.push_back(address);
            }
            list.push(Arc::clone(&chain));
            if self.order.len() > ANSWERS {
                self.forget();
            }
        }
    }

    /// How many answers were forgotten to make room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn forget(&mut self) {
        let Some(address) = self.order.pop_front() else { return };
        self.forgotten += 1;
        if let Some(list) = self.chains.get_mut(&address) {
            if list.len() > 1 {
                list.remove(0);
            } else {
                self.chains.remove(&address);
            }
        }
    }

    /// The newest answer before frame `before` that led `client` to `address`; for `asked`, where a name is known.
    /// A client of the other address family may have asked: a host looks up both through one resolver.
    pub(super) fn answer(
        &self,
        address: IpAddr,
        client: IpAddr,
        asked: Option<&[u8]>,
        before: FrameNo,
    ) -> Option<&Arc<Chain>> {
        let fits = |c: &&Arc<Chain>| {
            c.frame < before
                && (c.client == client || c.client.is_ipv4() != client.is_ipv4())
                && asked.is_none_or(|name| *name == *c.asked)
        };
        self.chains.get(&address)?.iter().rev().find(fits)
    }
}
