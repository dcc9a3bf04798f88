//! QUIC as an observer without keys sees it (RFC 9000, RFC 9001, RFC 9369): Initial packets are opened with keys that
//! everybody can compute, and the hellos in them are read as those of TLS are.
//!
//! Comes in: the datagrams of one flow. Goes out: one session for each connection. Never: a packet that does not
//! authenticate.

mod crypto;
mod frames;
mod google;
mod keys;
mod packet;

#[cfg(test)]
mod tests;

use super::tls::{self, CryptoBytes, Tools};
use crate::model::{AnomalyKind, Budget, Limit, QuicFacts, QuicVersion, Run, RunKind, Side};
use crypto::CryptoStream;
use frames::{Broken, Frame};
use keys::{Opened, PacketKeys, Suite};
use packet::{Kind, Long, Packet};

/// Connections of one flow that are followed at once; nearly all flows have one.
const CONNECTIONS: usize = 8;
/// Versions for which a connection has keys at once: the one it began with, and one changed to (RFC 9368).
const VERSIONS: usize = 4;
/// Versions kept of a Version Negotiation packet.
const NEGOTIATED: usize = 64;

/// A session that will not change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its place among the sessions of the flow, from 0, in the order in which they opened.
    pub number: u32,
    /// The session.
    pub session: tls::Ended,
}

/// Whether a datagram opens a connection: an Initial packet of the client in it authenticates, or a plain hello of
/// Google's own versions.
pub fn sniff(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(packet) = packet::next(&mut rest) {
        if let Packet::Long(packet) = packet
            && first_opened(&packet).is_some()
        {
            return true;
        }
    }
    google::hello(bytes).is_some()
}

/// The connection id to which a packet with a short header may be addressed, its length unknown: it begins these bytes.
/// `None` where the datagram does not begin with such a packet (RFC 9000 section 17.3.1).
pub fn short_target(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.split_first()? {
        (first, rest) if first & 0xc0 == 0x40 => rest.get(..packet::ID_BYTES),
        _ => None,
    }
}

/// Follows the connections of one UDP flow.
#[derive(Debug)]
pub struct Connections {
    budget: Budget,
    open: Vec<Connection>,
    /// Numbers given to sessions.
    numbered: u32,
    /// Connections that began.
    begun: u32,
    /// Room for what TLS gives.
    ended: Vec<tls::Ended>,
}

#[derive(Debug)]
struct Connection {
    tls: tls::Connection,
    number: u32,
    /// The side of the flow that is the client.
    asker: Side,
    facts: QuicFacts,
    /// The connection id that Initial keys are made of.
    origin: Box<[u8]>,
    keys: Vec<Keys>,
    /// What client and server sent in Initial packets.
    client: Space,
    server: Space,
    /// Bytes of the datagrams of each side of the flow.
    bytes: [u64; 2],
}

/// One sender's half of a packet number space (RFC 9000 section 12.3).
#[derive(Debug, Default)]
struct Space {
    /// The number after the greatest so far.
    expected: u64,
    crypto: CryptoStream,
}

/// The keys of both senders in one version.
#[derive(Debug)]
struct Keys {
    version: QuicVersion,
    suite: &'static Suite,
    client: PacketKeys,
    server: PacketKeys,
}

impl Keys {
    fn new(version: QuicVersion, suite: &'static Suite, origin: &[u8]) -> Self {
        let of = |sender| PacketKeys::initial(suite, origin, sender);
        Self { version, suite, client: of(Side::Client), server: of(Side::Server) }
    }
}

/// Opens a packet as the first one of a client.
fn first_opened(packet: &Long<'_>) -> Option<(&'static Suite, Opened)> {
    if packet.kind != Kind::Initial {
        return None;
    }
    let open = |suite: &&'static Suite| {
        let keys = PacketKeys::initial(suite, packet.target, Side::Client);
        keys.open(packet, 0).map(|opened| (*suite, opened))
    };
    keys::suites(packet.version).iter().find_map(open)
}

impl Connections {
    /// Of a flow of which nothing was read yet.
    pub fn new(budget: &Budget) -> Self {
        Self { budget: budget.clone(), open: Vec::new(), numbered: 0, begun: 0, ended: Vec::new() }
    }

    /// Takes a datagram; sessions that it ended are appended to `out`.
    pub fn feed(&mut self, run: &Run<'_>, tools: &mut Tools, out: &mut Vec<Ended>) {
        let RunKind::Data(bytes) = &run.kind else { return };
        let mut rest: &[u8] = bytes;
        let mut of = None;
        while let Some(packet) = packet::next(&mut rest) {
            let found = match packet {
                Packet::Short(bytes) => of.or_else(|| self.short(run.side, bytes)),
                Packet::Negotiation { target, source, versions } => self.negotiation(run, (target, source), versions),
                Packet::Long(packet) => match packet.kind {
                    Kind::Initial => self.initial(&packet, run, tools, out),
                    Kind::Retry => self.retry(&packet, run),
                    Kind::ZeroRtt => self.zero_rtt(&packet, run.side),
                    Kind::Handshake => self.fitting(&packet, run.side).next(),
                },
            };
            of = of.or(found);
        }
        if of.is_none()
            && let Some(hello) = google::hello(bytes)
        {
            of = self.google(&hello, run, out);
        }
        let len = run_len(run);
        let alone = self.begun == 1;
        if let Some(connection) = of.or_else(|| self.open.len().checked_sub(1)).and_then(|at| self.open.get_mut(at)) {
            let [client, server] = &mut connection.bytes;
            let sum = if run.side == Side::Client { client } else { server };
            // An offset counts what the capture lacks of earlier datagrams too, but it is that of all connections.
            *sum = if alone { run.offset.saturating_add(len) } else { sum.saturating_add(len) };
            connection.tls.saw(run.side, *sum);
        }
    }

    /// What is there of the sessions under way in which a hello came since this was last asked.
    pub fn previews(&mut self) -> Vec<Ended> {
        self.open.iter_mut().filter_map(Connection::preview).collect()
    }

    /// The flow is over: appends the sessions under way. `bytes` are those of the datagrams of the flow's client and
    /// server side.
    pub fn finish(&mut self, bytes: [u64; 2], out: &mut Vec<Ended>) {
        let alone = self.begun == 1;
        for mut connection in core::mem::take(&mut self.open) {
            if alone {
                connection.bytes = bytes;
            }
            connection.finish(&mut self.ended, out);
        }
    }

    /// How many sessions were numbered.
    pub fn opened(&self) -> u32 {
        self.numbered
    }

    /// The connections to which a packet may belong.
    fn fitting(&self, packet: &Long<'_>, side: Side) -> impl Iterator<Item = usize> {
        let (version, target) = (packet.version, packet.target);
        self.open.iter().enumerate().filter(move |(_, c)| c.fits(version, side, target)).map(|(at, _)| at)
    }

    fn short(&self, side: Side, bytes: &[u8]) -> Option<usize> {
        let target = bytes.get(1..)?;
        let to = |c: &Connection| c.ids_of(side.other()).iter().any(|id| !id.is_empty() && target.starts_with(id));
        // Only where there are several does it matter.
        if self.open.len() > 1 { self.open.iter().position(to) } else { None }
    }

    fn initial(&mut self, packet: &Long<'_>, run: &Run<'_>, tools: &mut Tools, out: &mut Vec<Ended>) -> Option<usize> {
        let mut found = None;
        for at in self.fitting(packet, run.side).collect::<Vec<_>>() {
            if let Some(connection) = self.open.get_mut(at)
                && let Some(opened) = connection.open(packet, run.side)
            {
                found = Some((at, opened));
                break;
            }
        }
        let (at, opened) = match found {
            Some(found) => found,
            None => self.first(packet, run, out)?,
        };
        let connection = self.open.get_mut(at)?;
        connection.learn(packet, run, &self.budget);
        connection.read(&opened, run, &self.budget, tools, &mut self.ended);
        for session in self.ended.drain(..) {
            // A HelloRetryRequest ended it; what follows is the next one.
            out.push(connection.ended(session));
            connection.number = self.numbered;
            self.numbered = self.numbered.saturating_add(1);
        }
        Some(at)
    }

    /// The first packet of a connection, or of one that goes on after a Retry that the capture lacks.
    fn first(&mut self, packet: &Long<'_>, run: &Run<'_>, out: &mut Vec<Ended>) -> Option<(usize, Opened)> {
        let (suite, opened) = first_opened(packet)?;
        let keys = Keys::new(packet.version, suite, packet.target);
        let goes_on = |c: &Connection| {
            c.asker == run.side
                && c.facts.version == packet.version
                && c.facts.server_ids.len() == 1
                && packet.token
                && !packet.source.is_empty()
                && c.facts.client_ids.iter().any(|id| **id == *packet.source)
        };
        if let Some(at) = self.open.iter().position(goes_on) {
            self.open.get_mut(at)?.retried(packet.target, Some(keys), &self.budget);
            return Some((at, opened));
        }
        let facts = QuicFacts {
            version: packet.version,
            server_ids: vec![packet.target.into()],
            client_ids: vec![packet.source.into()],
            ..QuicFacts::default()
        };
        let at = self.begin(run, facts, vec![keys], out);
        Some((at, opened))
    }

    fn begin(&mut self, run: &Run<'_>, facts: QuicFacts, keys: Vec<Keys>, out: &mut Vec<Ended>) -> usize {
        if self.open.len() >= CONNECTIONS {
            let mut oldest = self.open.remove(0);
            oldest.tls.odd(AnomalyKind::Limit(Limit::ConnectionIds), run.frame, run.offset);
            oldest.finish(&mut self.ended, out);
        }
        self.open.push(Connection {
            tls: tls::Connection::quic(run.side, &self.budget),
            number: self.numbered,
            asker: run.side,
            origin: facts.server_ids.first().cloned().unwrap_or_default(),
            facts,
            keys,
            client: Space::default(),
            server: Space::default(),
            bytes: [0; 2],
        });
        self.numbered = self.numbered.saturating_add(1);
        self.begun = self.begun.saturating_add(1);
        self.open.len().saturating_sub(1)
    }

    /// RFC 9000 section 17.2.5: at most one, and before anything else the server says.
    fn retry(&mut self, packet: &Long<'_>, run: &Run<'_>) -> Option<usize> {
        let is_it = |at: &usize| {
            self.open.get(*at).is_some_and(|c| {
                let known = c.keys.iter().find(|k| k.version == packet.version).map(|k| k.suite);
                let suite = known.or_else(|| keys::suites(packet.version).first().copied());
                c.asker != run.side && !c.facts.retry && suite.is_some_and(|s| s.is_retry_of(&c.origin, packet.bytes))
            })
        };
        let at = self.fitting(packet, run.side).find(is_it)?;
        let connection = self.open.get_mut(at)?;
        connection.retried(packet.source, None, &self.budget);
        connection.tls.touch(run);
        Some(at)
    }

    fn zero_rtt(&mut self, packet: &Long<'_>, side: Side) -> Option<usize> {
        let at = self.fitting(packet, side).find(|at| self.open.get(*at).is_some_and(|c| c.asker == side))?;
        self.open.get_mut(at)?.facts.zero_rtt = true;
        Some(at)
    }

    fn negotiation(&mut self, run: &Run<'_>, (target, source): (&[u8], &[u8]), versions: &[u8]) -> Option<usize> {
        // It is not protected; that it repeats both ids shows that its sender saw the client's packet.
        let at = self.open.iter().position(|c| {
            let ids = |list: &[Box<[u8]>], id: &[u8]| list.iter().any(|own| **own == *id);
            c.asker != run.side && ids(&c.facts.client_ids, target) && ids(&c.facts.server_ids, source)
        })?;
        let connection = self.open.get_mut(at)?;
        let versions = versions.as_chunks::<4>().0.iter().take(NEGOTIATED);
        connection.facts.negotiated = versions.map(|v| QuicVersion(u32::from_be_bytes(*v))).collect();
        connection.tls.touch(run);
        Some(at)
    }

    fn google(&mut self, hello: &google::Hello<'_>, run: &Run<'_>, out: &mut Vec<Ended>) -> Option<usize> {
        let known = |c: &Connection| c.facts.server_ids.iter().any(|id| **id == *hello.id);
        if let Some(at) = self.open.iter().position(known) {
            return Some(at);
        }
        let facts = QuicFacts { version: hello.version, server_ids: vec![hello.id.into()], ..QuicFacts::default() };
        let at = self.begin(run, facts, Vec::new(), out);
        let tls = &mut self.open.get_mut(at)?.tls;
        tls.touch(run);
        tls.google_hello(hello.block, hello.sni, run);
        Some(at)
    }
}

impl Connection {
    /// Ids by which a side of the flow is addressed.
    fn ids_of(&self, side: Side) -> &[Box<[u8]>] {
        if side == self.asker { &self.facts.client_ids } else { &self.facts.server_ids }
    }

    /// Whether a packet from `side` may be of this connection. A client that was told to speak another version begins
    /// anew (RFC 9000 section 6.2), perhaps with the same ids.
    fn fits(&self, version: QuicVersion, side: Side, target: &[u8]) -> bool {
        let anew = !self.facts.negotiated.is_empty() && version != self.facts.version;
        !anew && self.ids_of(side.other()).iter().any(|id| **id == *target)
    }

    fn space(&mut self, side: Side) -> &mut Space {
        if side == self.asker { &mut self.client } else { &mut self.server }
    }

    /// Opens an Initial packet from a side of the flow.
    fn open(&mut self, packet: &Long<'_>, side: Side) -> Option<Opened> {
        let known = self.keys.iter().position(|k| k.version == packet.version);
        let at = if let Some(at) = known {
            at
        } else {
            // A server may answer in another version (RFC 9368 section 2.3); its keys are made of the same id.
            let [suite] = keys::suites(packet.version) else { return None };
            if self.keys.len() >= VERSIONS {
                return None;
            }
            self.keys.push(Keys::new(packet.version, suite, &self.origin));
            self.keys.len().checked_sub(1)?
        };
        let expected = self.space(side).expected;
        let keys = self.keys.get(at)?;
        let keys = if side == self.asker { &keys.client } else { &keys.server };
        keys.open(packet, expected)
    }

    /// Takes over what the header of a packet tells that authenticated.
    fn learn(&mut self, packet: &Long<'_>, run: &Run<'_>, budget: &Budget) {
        self.tls.touch(run);
        let [client, server] = self.bytes;
        let before = if run.side == Side::Client { client } else { server };
        self.tls.saw(run.side, before.saturating_add(run_len(run)));
        let facts = &mut self.facts;
        let ids = if run.side == self.asker {
            &mut facts.client_ids
        } else {
            facts.version = packet.version;
            &mut facts.server_ids
        };
        if !add_id(ids, packet.source, budget) {
            self.tls.odd(AnomalyKind::Limit(Limit::ConnectionIds), run.frame, run.offset);
        }
    }

    /// The server asked the client to come again, to another id.
    fn retried(&mut self, origin: &[u8], keys: Option<Keys>, budget: &Budget) {
        self.facts.retry = true;
        self.origin = origin.into();
        self.keys = keys.into_iter().collect();
        let _few = add_id(&mut self.facts.server_ids, origin, budget);
    }

    fn read(&mut self, opened: &Opened, run: &Run<'_>, budget: &Budget, tools: &mut Tools, out: &mut Vec<tls::Ended>) {
        let space = if run.side == self.asker { &mut self.client } else { &mut self.server };
        space.expected = space.expected.max(opened.number.saturating_add(1));
        let mut payload: &[u8] = &opened.payload;
        loop {
            match frames::next(&mut payload) {
                Ok(Some(Frame::Crypto { offset, bytes })) => {
                    if !space.crypto.add(offset, bytes, run.frame, budget.crypto_bytes) {
                        self.tls.odd(AnomalyKind::Limit(Limit::CryptoBytes), run.frame, offset);
                    }
                }
                Ok(None) => break,
                Err(Broken) => {
                    self.tls.odd(AnomalyKind::BadQuic, run.frame, run.offset);
                    break;
                }
            }
        }
        while let Some((offset, frame, bytes)) = space.crypto.take() {
            self.tls.crypto(run, &CryptoBytes { offset, frame, bytes: &bytes }, tools, out);
        }
    }

    fn preview(&mut self) -> Option<Ended> {
        let session = self.tls.preview()?;
        Some(self.ended(session))
    }

    fn ended(&self, mut session: tls::Ended) -> Ended {
        session.session.quic = Some(self.facts.clone());
        Ended { number: self.number, session }
    }

    fn finish(&mut self, room: &mut Vec<tls::Ended>, out: &mut Vec<Ended>) {
        if self.client.crypto.is_waiting() || self.server.crypto.is_waiting() {
            self.tls.cut_short();
        }
        self.tls.finish(self.bytes, room);
        out.extend(room.drain(..).map(|session| self.ended(session)));
    }
}

fn run_len(run: &Run<'_>) -> u64 {
    if let RunKind::Data(bytes) = &run.kind { u64::try_from(bytes.len()).unwrap_or_default() } else { 0 }
}

/// Keeps a connection id that is new; `false` where there is no room.
fn add_id(ids: &mut Vec<Box<[u8]>>, id: &[u8], budget: &Budget) -> bool {
    if ids.iter().any(|known| **known == *id) {
        return true;
    }
    if ids.len() >= budget.connection_ids {
        return false;
    }
    ids.push(id.into());
    true
}
