//! What earlier exchanges told: which names were looked up, through which CNAME chains, to which addresses; which URLs were
//! handed out; what was uploaded.

use core::net::IpAddr;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use ahash::AHashMap;

use super::handouts::{Given, HandOuts, Unseen, Upload, Uploads};
use super::names::Name;
use crate::model::{
    AnomalyKind, Budget, ByteRange, Detail, DnsKind, DnsLookup, DnsRecord, Exchange, ExchangeNo, FlowId, FrameNo,
    GiverNo, HttpExchange, StartLine, TlsSession, TunnelKind,
};
use crate::protocols::links::normal_url;

const A: u16 = 1;
pub(super) const CNAME: u16 = 5;
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
    /// The lookup.
    pub(super) lookup: ExchangeNo,
    /// The frame of the answer.
    pub(super) frame: FrameNo,
    /// The CNAMEs in the order in which they lead on.
    pub(super) links: Vec<Link>,
    /// Signatures and the link they match, found once.
    pub(super) hits: OnceLock<Vec<(u16, usize)>>,
}

impl Chain {
    /// Reads the chain of an answered lookup, with the addresses it ends at.
    pub(super) fn of(lookup: &DnsLookup, client: IpAddr, no: ExchangeNo) -> Option<(Self, Vec<IpAddr>)> {
        let response = lookup.response.as_ref().filter(|r| r.rcode == 0 && !r.answers.is_empty())?;
        let question = lookup.questions.first()?;
        let asked = Name::of(question.name.as_bytes())?;
        let records = chain_of_records(&response.answers, &question.name);
        let at = records.last().map_or(question.name.as_str(), |r| r.value.as_str());
        let links = records.iter().filter_map(|record| {
            Some(Link {
                text: [&record.name, " CNAME ", &record.value].concat().into_bytes().into(),
                target: Name::of(record.value.as_bytes())?.bytes().into(),
                range: record.range,
            })
        });
        let links = links.collect();
        let addresses = response
            .answers
            .iter()
            .filter(|r| matches!(r.rtype, A | AAAA) && same(&r.name, at))
            .filter_map(|r| r.value.parse().ok())
            .collect();
        let asked = asked.bytes().into();
        Some((Self { asked, client, lookup: no, frame: response.frame, links, hits: OnceLock::new() }, addresses))
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

/// The CNAME records that lead on from `asked`, in order, as far as their targets are names.
pub(super) fn chain_of_records<'a>(answers: &'a [DnsRecord], asked: &'a str) -> Vec<&'a DnsRecord> {
    let mut records: Vec<&DnsRecord> = Vec::new();
    let mut at = asked;
    while records.len() < LONGEST_CHAIN {
        let next = answers.iter().find(|r| r.rtype == CNAME && same(&r.name, at));
        let fresh = |r: &&DnsRecord| records.iter().all(|known| known.range != r.range);
        let Some(record) = next.filter(fresh).filter(|r| Name::of(r.value.as_bytes()).is_some()) else { break };
        records.push(record);
        at = &record.value;
    }
    records
}

fn same(a: &str, b: &str) -> bool {
    a.strip_suffix('.').unwrap_or(a).eq_ignore_ascii_case(b.strip_suffix('.').unwrap_or(b))
}

/// Clients whose earlier exchanges are remembered; strangers can make up addresses.
const CLIENTS: usize = 65_536;

/// What earlier exchanges told: answers of the DNS by the address they gave, handed-out URLs, uploads.
#[derive(Debug)]
pub struct Known {
    chains: AHashMap<IpAddr, Vec<Arc<Chain>>>,
    order: VecDeque<IpAddr>,
    forgotten: u64,
    pub(super) hand_outs: HandOuts,
    pub(super) uploads: Uploads,
    clients: AHashMap<IpAddr, Unseen>,
    /// Sealed sessions of encrypted DNS by their client, with the frame of their hello.
    resolvers: AHashMap<IpAddr, Vec<(FlowId, FrameNo)>>,
    /// The capture's own counters tell of dropped packets.
    pub(super) dropped: bool,
    /// Clients that had tunnels: through a VPN, through a relay.
    tunnels: AHashMap<IpAddr, Tunnelled>,
}

/// Which kinds of tunnels a client had by now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tunnelled {
    pub(super) vpn: bool,
    pub(super) relay: bool,
}

impl Known {
    /// Knows nothing yet.
    pub fn new(budget: &Budget) -> Self {
        Self {
            chains: AHashMap::new(),
            order: VecDeque::new(),
            forgotten: 0,
            hand_outs: HandOuts::new(budget.hand_out_bytes),
            uploads: Uploads::default(),
            clients: AHashMap::new(),
            resolvers: AHashMap::new(),
            dropped: false,
            tunnels: AHashMap::new(),
        }
    }

    /// From here on it is known that packets of the capture were dropped: absence proves less.
    pub fn learn_drops(&mut self) {
        self.dropped = true;
    }

    /// A client began a session in which it may ask for names.
    pub fn learn_resolver(&mut self, client: IpAddr, flow: FlowId, hello: FrameNo) {
        if self.resolvers.len() >= CLIENTS && !self.resolvers.contains_key(&client) {
            return;
        }
        let sessions = self.resolvers.entry(client).or_default();
        // The first ones tell enough.
        if sessions.len() < PER_ADDRESS {
            sessions.push((flow, hello));
        }
    }

    /// Whether a client may have asked for names before that frame where nobody can see them.
    pub(super) fn may_have_asked(&self, client: IpAddr, before: FrameNo) -> bool {
        self.resolvers.get(&client).is_some_and(|sessions| sessions.iter().any(|(_, hello)| *hello < before))
    }

    /// From here on it is known that a client sends through a tunnel what the capture does not show.
    pub fn learn_tunnel(&mut self, client: IpAddr, kind: TunnelKind) {
        if self.tunnels.len() >= CLIENTS && !self.tunnels.contains_key(&client) {
            return;
        }
        let known = self.tunnels.entry(client).or_default();
        match kind {
            TunnelKind::WireGuard | TunnelKind::OpenVpn | TunnelKind::Ipsec => known.vpn = true,
            TunnelKind::PrivateRelay => known.relay = true,
        }
    }

    /// The tunnels of a client by now.
    pub(super) fn tunnelled(&self, client: IpAddr) -> Tunnelled {
        self.tunnels.get(&client).copied().unwrap_or_default()
    }

    /// Remembers links that a response hands out.
    pub fn learn_links(&mut self, given: Given) {
        self.hand_outs.learn(given);
    }

    /// How many handed-out links were forgotten to make room.
    pub fn forgotten_links(&self) -> u64 {
        self.hand_outs.forgotten()
    }

    /// Remembers what an exchange tells about later ones; `no` is its place in the table. Gives the number by which
    /// verdicts know it as the giver of URLs, if it gave any.
    pub fn learn(&mut self, exchange: &Exchange, no: ExchangeNo) -> Option<GiverNo> {
        self.learn_unseen(exchange);
        if exchange.envelope.is_some()
            && let Some(sessions) = self.resolvers.get_mut(&exchange.client.ip)
        {
            // What is asked there can be seen after all.
            sessions.retain(|(flow, _)| *flow != exchange.flow);
        }
        match &exchange.detail {
            Detail::Dns(lookup) if lookup.kind == DnsKind::Dns => self.learn_lookup(lookup, exchange, no),
            Detail::Dns(_) | Detail::Tls(_) => {}
            Detail::Http(http) => {
                self.learn_upload(http, exchange, no);
                http.response.as_ref()?;
                return self.hand_outs.arrived(exchange.flow, exchange.ordinal);
            }
        }
        None
    }

    fn learn_lookup(&mut self, lookup: &DnsLookup, exchange: &Exchange, no: ExchangeNo) {
        let Some((chain, addresses)) = Chain::of(lookup, exchange.client.ip, no) else { return };
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

    /// An upload counts once the server took it (RFC 9110 section 15.3).
    fn learn_upload(&mut self, http: &HttpExchange, exchange: &Exchange, no: ExchangeNo) {
        let (Some(request), Some(response)) = (&http.request, &http.response) else { return };
        let StartLine::Request { method, .. } = request.start else { return };
        let uploading = matches!(method.of(&request.block), b"PUT" | b"POST" | b"PATCH");
        let accepted = matches!(response.start, StartLine::Status { code: 200..=299, .. });
        if !uploading || !accepted {
            return;
        }
        let body = &request.body;
        if let (Some(bytes), Some(sha256), Some(url)) = (body.decoded_bytes, body.sha256, own_url(http, exchange)) {
            let (frame, client) = (request.first_frame, exchange.client.ip);
            self.uploads.learn(Upload { exchange: no, frame, client, sha256, md5: body.md5 }, bytes, &url);
        }
    }

    fn learn_unseen(&mut self, exchange: &Exchange) {
        // A handshake that came to nothing hides nothing.
        let answered = |t: &TlsSession| t.server_hello.is_some() || t.quic.is_some() && t.bytes[1] > 0;
        let sealed = matches!(&exchange.detail, Detail::Tls(t) if !t.decryption.is_opened() && answered(t));
        if !sealed && exchange.anomalies.is_empty() {
            return;
        }
        if self.clients.len() >= CLIENTS && !self.clients.contains_key(&exchange.client.ip) {
            return;
        }
        let seen = self.clients.entry(exchange.client.ip).or_default();
        for anomaly in &exchange.anomalies {
            seen.gaps |= anomaly.kind == AnomalyKind::Gap;
            seen.late |= anomaly.kind == AnomalyKind::MissingStart;
            seen.not_decoded |= anomaly.kind == AnomalyKind::BodyNotDecoded;
        }
        seen.sealed |= sealed;
    }

    /// What of a client's earlier exchanges could not be seen.
    pub(super) fn unseen(&self, client: IpAddr) -> Unseen {
        self.clients.get(&client).copied().unwrap_or_default()
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

    /// Other names whose answer was `address` before frame `before`: they share it.
    pub(super) fn others(&self, address: IpAddr, than: &Chain, before: FrameNo) -> Vec<ExchangeNo> {
        let mut others: Vec<&Chain> = Vec::new();
        for chain in self.chains.get(&address).into_iter().flatten().rev() {
            let known = chain.asked == than.asked || others.iter().any(|other| other.asked == chain.asked);
            if others.len() < MOST_OTHERS && chain.frame < before && !known {
                others.push(chain);
            }
        }
        others.iter().map(|chain| chain.lookup).collect()
    }
}

/// The hosts to which a device sends what goes through iCloud Private Relay, over QUIC and over TCP (Apple, "Prepare your
/// network or web server for iCloud Private Relay").
const RELAYS: [&[u8]; 2] = [b"mask.icloud.com", b"mask-h2.icloud.com"];

/// Whether an answered session for that name is one with a relay. A lookup of the name is none: devices look it up also to
/// find out whether they may use the relay.
pub fn is_relay(name: &[u8]) -> bool {
    RELAYS.iter().any(|relay| relay.eq_ignore_ascii_case(name))
}

/// Other names of an address that are kept with a verdict.
const MOST_OTHERS: usize = 8;

/// A request's own URL in normal form.
pub(super) fn own_url(http: &HttpExchange, exchange: &Exchange) -> Option<String> {
    let request = http.request.as_ref()?;
    let StartLine::Request { target, .. } = request.start else { return None };
    normal_url(exchange.scheme(request), request.host().unwrap_or_default(), target.of(&request.block))
}
