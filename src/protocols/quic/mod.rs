//! QUIC as an observer sees it (RFC 9000, RFC 9001, RFC 9369): Initial packets are opened with keys that everybody can
//! compute, and the hellos in them are read as those of TLS are; all other packets are opened where a key log holds their
//! secrets, and the streams in them put in order.
//!
//! Comes in: the datagrams of one flow, and secrets. Goes out: one session for each connection, and what its streams carry.
//! Never: a packet that does not authenticate.

mod frames;
mod google;
mod keys;
mod numbers;
mod opening;
mod ordered;
mod packet;
mod streams;

#[cfg(test)]
mod tests;

use super::tls::{self, CryptoBytes, Tools};
use crate::model::{
    AnomalyKind, Budget, Envelope, Limit, QuicFacts, QuicVersion, Run, RunKind, Share, Side, Timestamp,
};
use frames::{Allowed, Broken, Frame};
use keys::{Opened, PacketKeys, Suite};
use numbers::Numbers;
use opening::{Agreed, Level, Opening, Sealed, Tried};
use ordered::{Ordered, Source};
use packet::{Kind, Long, Packet};
use streams::{Came, Full, Streams};

pub use packet::varint;
pub use streams::{Act, StreamPiece};

/// Connections of one flow that are followed at once; nearly all flows have one.
const CONNECTIONS: usize = 8;
/// Versions for which a connection has keys at once: the one it began with, and one changed to (RFC 9368).
const VERSIONS: usize = 4;
/// Bytes of CRYPTO frames under handshake keys that wait for earlier ones: a chain of certificates may be long.
const MOST_HANDSHAKE: usize = 256 << 10;
/// Nanoseconds after which a packet that was lost on the way has been sent again, if it will be.
const SENT_AGAIN_NANOS: i64 = 5_000_000_000;
/// What an opened packet costs beside its bytes.
const EARLY_BYTES: usize = 96;
/// Bytes from which on a connection id in a packet of another flow is no coincidence.
const MET_ID_BYTES: usize = 4;
/// Connection ids of one end that are kept, where packets under keys name them.
const NEW_IDS: usize = 32;
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
    /// What streams carried, since it was last taken.
    pieces: Vec<StreamPiece>,
    /// Connections that ended, of which pieces may be left to take.
    gone: Vec<Gone>,
}

/// What is still asked of a connection when it has ended.
#[derive(Debug)]
struct Gone {
    id: u32,
    asker: Side,
    protocol: Option<Box<[u8]>>,
    envelope: Envelope,
}

#[derive(Debug)]
struct Connection {
    tls: tls::Connection,
    number: u32,
    /// Its place among the connections of the flow, which stays.
    id: u32,
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
    /// Bytes of early data that may wait.
    early_bytes: usize,
    /// What opens the other packets, where there were keys, or might be, when the connection began.
    inside: Option<Box<Inside>>,
}

/// What is inside packets that only the keys of both ends open.
#[derive(Debug)]
struct Inside {
    opening: Opening,
    /// CRYPTO bytes of Handshake packets, of client and server.
    handshakes: [Ordered; 2],
    /// The 0-RTT and 1-RTT packets of client and server that were opened.
    seen: [Numbers; 2],
    streams: Streams,
    /// 0-RTT packets that were opened while it is not known whether the server takes them, with their places.
    early: Vec<(Opened, Source, u64)>,
    early_held: Share,
    /// A side has closed the connection.
    closed: bool,
    last: Option<Source>,
}

/// One sender's half of a packet number space (RFC 9000 section 12.3).
#[derive(Debug, Default)]
struct Space {
    /// The number after the greatest so far.
    expected: u64,
    crypto: Ordered,
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
    fn new(version: QuicVersion, suite: &'static Suite, origin: &[u8]) -> Option<Self> {
        let of = |sender| PacketKeys::initial(suite, origin, sender);
        Some(Self { version, suite, client: of(Side::Client)?, server: of(Side::Server)? })
    }
}

/// What packets work on: shared tools, room for what TLS gives, and what streams carried.
type Bench<'a> = (&'a mut Tools, &'a mut Vec<tls::Ended>, &'a mut Vec<StreamPiece>);

/// Opens a packet as the first one of a client.
fn first_opened(packet: &Long<'_>) -> Option<(&'static Suite, Opened)> {
    if packet.kind != Kind::Initial {
        return None;
    }
    let open = |suite: &&'static Suite| {
        let mut keys = PacketKeys::initial(suite, packet.target, Side::Client)?;
        keys.open(packet.bytes, packet.number_at, 0).map(|opened| (*suite, opened))
    };
    keys::suites(packet.version).iter().find_map(open)
}

impl Connections {
    /// Of a flow of which nothing was read yet.
    pub fn new(budget: &Budget) -> Self {
        let budget = budget.clone();
        Self {
            budget,
            open: Vec::new(),
            numbered: 0,
            begun: 0,
            ended: Vec::new(),
            pieces: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Takes a datagram; sessions that it ended are appended to `out`.
    pub fn feed(&mut self, run: &Run<'_>, tools: &mut Tools, out: &mut Vec<Ended>) {
        let RunKind::Data(bytes) = &run.kind else { return };
        self.gone.clear();
        let mut rest: &[u8] = bytes;
        let mut of = None;
        while let Some(packet) = packet::next(&mut rest) {
            let found = match packet {
                Packet::Short(bytes) => self.short(bytes, of, run, tools, out),
                Packet::Negotiation { target, source, versions } => self.negotiation(run, (target, source), versions),
                Packet::Long(packet) => match packet.kind {
                    Kind::Initial => self.initial(&packet, run, tools, out),
                    Kind::Retry => self.retry(&packet, run),
                    Kind::ZeroRtt => self.zero_rtt(&packet, run, tools, out),
                    Kind::Handshake => {
                        let at = self.fitting(&packet, run.side).next();
                        self.long(at, (Level::Handshake, &packet), run, tools, out)
                    }
                },
            };
            of = of.or(found);
        }
        if of.is_none()
            && let Some(hello) = google::hello(bytes)
        {
            of = self.google(&hello, run, tools, out);
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
    pub fn finish(&mut self, bytes: [u64; 2], tools: &mut Tools, out: &mut Vec<Ended>) {
        let alone = self.begun == 1;
        for mut connection in core::mem::take(&mut self.open) {
            if alone {
                connection.bytes = bytes;
            }
            self.gone.extend(connection.finish((tools, &mut self.ended, &mut self.pieces), out));
        }
    }

    /// The names asked for in sessions under way whose server answered with a hello, and who asked.
    pub fn answered_names(&self) -> impl Iterator<Item = (Side, &[u8])> {
        self.open.iter().filter_map(|c| Some((c.asker, c.tls.answered_name()?)))
    }

    /// What streams carried since this was last asked, where keys opened their packets.
    pub fn take_pieces(&mut self) -> Vec<StreamPiece> {
        core::mem::take(&mut self.pieces)
    }

    /// Of a connection that has pieces: who asked, and the application protocol that both chose, or else the client's first
    /// choice.
    pub fn carried(&self, connection: u32) -> Option<(Side, Option<&[u8]>)> {
        let open = self.open.iter().find(|c| c.id == connection).map(|c| (c.asker, c.tls.likely_protocol()));
        open.or_else(|| self.gone(connection).map(|gone| (gone.asker, gone.protocol.as_deref())))
    }

    /// What exchanges inside a connection need of it.
    pub fn envelope(&self, connection: u32) -> Option<Envelope> {
        let open = self.open.iter().find(|c| c.id == connection).map(|c| c.tls.envelope());
        open.or_else(|| self.gone(connection).map(|gone| gone.envelope.clone()))
    }

    /// Whether `target`, where a packet with a short header says for whom it is, begins with an id by which that side is
    /// addressed in a connection that keys may open. Ids of less than four bytes are taken for a coincidence.
    pub fn is_met(&self, side: Side, target: &[u8]) -> bool {
        let openable = self.open.iter().filter(|c| c.inside.is_some());
        openable.flat_map(|c| c.ids_of(side)).any(|id| id.len() >= MET_ID_BYTES && target.starts_with(id))
    }

    /// Whether the server's certificate was seen.
    pub fn has_chain(&self, connection: u32) -> bool {
        let open = self.open.iter().find(|c| c.id == connection).map(|c| c.tls.has_chain());
        open.unwrap_or_else(|| self.gone(connection).is_some_and(|gone| gone.envelope.certificate.is_some()))
    }

    fn gone(&self, connection: u32) -> Option<&Gone> {
        self.gone.iter().find(|gone| gone.id == connection)
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

    /// A packet with a short header, behind one of the connection `of` or alone in its datagram.
    fn short(
        &mut self,
        bytes: &[u8],
        of: Option<usize>,
        run: &Run<'_>,
        tools: &mut Tools,
        out: &mut Vec<Ended>,
    ) -> Option<usize> {
        let target = bytes.get(1..)?;
        let side = run.side;
        let to = |c: &Connection| c.ids_of(side.other()).iter().any(|id| !id.is_empty() && target.starts_with(id));
        // Only where there are several does it matter.
        let several = self.open.len() > 1;
        let named = of.or_else(|| if several { self.open.iter().position(to) } else { None });
        let likely = named.or_else(|| self.open.len().checked_sub(1));
        let connection = likely.and_then(|at| self.open.get_mut(at))?;
        if connection.inside.is_some() {
            let numbers_at = connection.numbers_at(side, target);
            let version = connection.facts.version;
            connection.sealed(
                (Level::Data, version, bytes, numbers_at),
                run,
                (tools, &mut self.ended, &mut self.pieces),
            );
            self.give(likely?, out);
        }
        named
    }

    /// A packet with a long header under keys of the two ends.
    fn long(
        &mut self,
        at: Option<usize>,
        (level, packet): (Level, &Long<'_>),
        run: &Run<'_>,
        tools: &mut Tools,
        out: &mut Vec<Ended>,
    ) -> Option<usize> {
        let connection = self.open.get_mut(at?)?;
        if connection.inside.is_some() {
            let what = (level, packet.version, packet.bytes, vec![packet.number_at]);
            connection.sealed(what, run, (tools, &mut self.ended, &mut self.pieces));
            self.give(at?, out);
        }
        at
    }

    /// Gives the sessions that ended inside a connection: a HelloRetryRequest ended one; what follows is the next.
    fn give(&mut self, at: usize, out: &mut Vec<Ended>) {
        let Some(connection) = self.open.get_mut(at) else { return };
        for session in self.ended.drain(..) {
            out.push(connection.ended(session));
            connection.number = self.numbered;
            self.numbered = self.numbered.saturating_add(1);
        }
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
            None => self.first(packet, run, tools, out)?,
        };
        let connection = self.open.get_mut(at)?;
        connection.learn(packet, run, &self.budget);
        connection.read(&opened, run, &self.budget, tools, &mut self.ended);
        connection.again((tools, &mut self.ended, &mut self.pieces));
        self.give(at, out);
        Some(at)
    }

    /// The first packet of a connection, or of one that goes on after a Retry that the capture lacks.
    fn first(
        &mut self,
        packet: &Long<'_>,
        run: &Run<'_>,
        tools: &mut Tools,
        out: &mut Vec<Ended>,
    ) -> Option<(usize, Opened)> {
        let (suite, opened) = first_opened(packet)?;
        let keys = Keys::new(packet.version, suite, packet.target)?;
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
        let at = self.begin(run, facts, vec![keys], tools, out);
        Some((at, opened))
    }

    fn begin(
        &mut self,
        run: &Run<'_>,
        facts: QuicFacts,
        keys: Vec<Keys>,
        tools: &mut Tools,
        out: &mut Vec<Ended>,
    ) -> usize {
        if self.open.len() >= CONNECTIONS {
            let mut oldest = self.open.remove(0);
            oldest.tls.odd(AnomalyKind::Limit(Limit::ConnectionIds), run.frame, run.offset);
            self.gone.extend(oldest.finish((tools, &mut self.ended, &mut self.pieces), out));
        }
        let openable = tools.keys.may_open() && !keys.is_empty();
        let inside = || {
            Box::new(Inside {
                opening: Opening::new(&self.budget),
                handshakes: Default::default(),
                seen: Default::default(),
                streams: Streams::new(self.begun, &self.budget),
                early: Vec::new(),
                early_held: self.budget.sealed_bytes.share(),
                closed: false,
                last: None,
            })
        };
        self.open.push(Connection {
            tls: tls::Connection::quic(run.side, &self.budget),
            number: self.numbered,
            id: self.begun,
            early_bytes: self.budget.sealed_bytes_per_flow,
            inside: openable.then(inside),
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

    fn zero_rtt(&mut self, packet: &Long<'_>, run: &Run<'_>, tools: &mut Tools, out: &mut Vec<Ended>) -> Option<usize> {
        let at = self.fitting(packet, run.side).find(|at| self.open.get(*at).is_some_and(|c| c.asker == run.side))?;
        self.open.get_mut(at)?.facts.zero_rtt = true;
        self.long(Some(at), (Level::Early, packet), run, tools, out)
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

    fn google(
        &mut self,
        hello: &google::Hello<'_>,
        run: &Run<'_>,
        tools: &mut Tools,
        out: &mut Vec<Ended>,
    ) -> Option<usize> {
        let known = |c: &Connection| c.facts.server_ids.iter().any(|id| **id == *hello.id);
        if let Some(at) = self.open.iter().position(known) {
            return Some(at);
        }
        let facts = QuicFacts { version: hello.version, server_ids: vec![hello.id.into()], ..QuicFacts::default() };
        let at = self.begin(run, facts, Vec::new(), tools, out);
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
            self.keys.push(Keys::new(packet.version, suite, &self.origin)?);
            self.keys.len().checked_sub(1)?
        };
        let expected = self.space(side).expected;
        let keys = self.keys.get_mut(at)?;
        let keys = if side == self.asker { &mut keys.client } else { &mut keys.server };
        keys.open(packet.bytes, packet.number_at, expected)
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
        let source = Source { frame: run.frame, time: run.time };
        let mut payload: &[u8] = &opened.payload;
        if self.facts.version == google::Q050 {
            if let Some((block, sni)) = google::opened_hello(payload).filter(|_| run.side == self.asker) {
                self.tls.google_hello(block, sni, run);
            }
            return;
        }
        loop {
            match frames::next(&mut payload, Allowed::Handshake) {
                Ok(Some(Frame::Crypto { offset, bytes })) => {
                    if !space.crypto.add(offset, bytes, source, budget.crypto_bytes) {
                        self.tls.odd(AnomalyKind::Limit(Limit::CryptoBytes), run.frame, offset);
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(Broken) => {
                    self.tls.odd(AnomalyKind::BadQuic, run.frame, run.offset);
                    break;
                }
            }
        }
        while let Some(next) = space.crypto.take() {
            let piece = CryptoBytes { offset: next.offset, frame: next.source.frame, bytes: &next.bytes };
            self.tls.crypto(run, &piece, tools, out);
        }
    }

    /// Where the number of a packet with a short header may stand: behind the id that a side is addressed by, which is
    /// one that was seen, or as long as one.
    fn numbers_at(&self, from: Side, target: &[u8]) -> Vec<usize> {
        let ids = self.ids_of(from.other());
        let known = ids.iter().filter(|id| target.starts_with(id)).map(|id| id.len());
        let mut lens: Vec<usize> = known.collect();
        lens.sort_unstable_by(|a, b| b.cmp(a));
        lens.extend(ids.iter().map(|id| id.len()));
        let mut places: Vec<usize> = Vec::new();
        for len in lens {
            let at = len.saturating_add(1);
            if !places.contains(&at) {
                places.push(at);
            }
        }
        places
    }

    /// A packet under keys of the two ends came.
    fn sealed(
        &mut self,
        (level, version, bytes, numbers_at): (Level, QuicVersion, &[u8], Vec<usize>),
        run: &Run<'_>,
        bench: Bench<'_>,
    ) {
        let sender = if run.side == self.asker { Side::Client } else { Side::Server };
        let source = Source { frame: run.frame, time: run.time };
        let bytes = bytes.to_vec();
        let packet = Sealed { level, sender, version, bytes, numbers_at, source, offset: run.offset };
        self.again((bench.0, bench.1, bench.2));
        self.one(packet, bench);
    }

    /// Opens what waited, where something new is known.
    fn again(&mut self, (tools, ended, pieces): Bench<'_>) {
        let (random, cipher) = self.tls.agreed();
        let Some(inside) = &mut self.inside else { return };
        for packet in inside.opening.again(Agreed { random, cipher }, tools) {
            self.one(packet, (tools, ended, pieces));
        }
    }

    /// Tries one packet, and reads what is in it.
    fn one(&mut self, packet: Sealed, (tools, ended, pieces): Bench<'_>) {
        let Some(mut inside) = self.inside.take() else { return };
        let (level, sender, source, offset) = (packet.level, packet.sender, packet.source, packet.offset);
        let side = if sender == Side::Client { self.asker } else { self.asker.other() };
        let tried = inside.opening.take(packet, tools);
        let mut release = false;
        self.tls.opened(inside.opening.told());
        let run = Run { side, offset, frame: source.frame, time: source.time, kind: RunKind::End };
        match tried {
            Tried::Opened(opened) => {
                self.tls.touch(&run);
                inside.last = Some(source);
                if level == Level::Early && self.tls.takes_early_data() != Some(true) {
                    let fits = inside.early_held.grow(opened.payload.len().saturating_add(EARLY_BYTES));
                    inside.early.push((opened, source, offset));
                    release = !fits || inside.early_held.bytes() > self.early_bytes;
                } else {
                    self.frames((level, &opened), &run, &mut inside, (tools, ended, pieces));
                }
            }
            Tried::NotAuthentic => self.tls.odd(AnomalyKind::NotAuthentic, source.frame, offset),
            Tried::NoRoom => self.tls.odd(AnomalyKind::Limit(Limit::SealedBytes), source.frame, offset),
            Tried::Kept | Tried::Lost => {}
        }
        self.inside = Some(inside);
        self.early(release, (tools, ended, pieces));
    }

    /// Reads the early data, once the server is known to take it (RFC 9001 section 4.6.2); what it refuses was sent, and
    /// nobody took it. `at_last`: nothing more will be known; then it was said.
    fn early(&mut self, at_last: bool, (tools, ended, pieces): Bench<'_>) {
        let taken = self.tls.takes_early_data();
        if taken.is_none() && !at_last {
            return;
        }
        let Some(mut inside) = self.inside.take_if(|inside| !inside.early.is_empty()) else { return };
        inside.early_held.shrink(inside.early_held.bytes());
        for (opened, source, offset) in core::mem::take(&mut inside.early) {
            let (frame, time) = (source.frame, source.time);
            if taken == Some(false) {
                self.tls.odd(AnomalyKind::EarlyDataRefused, frame, offset);
                continue;
            }
            let run = Run { side: self.asker, offset, frame, time, kind: RunKind::End };
            self.frames((Level::Early, &opened), &run, &mut inside, (tools, ended, pieces));
        }
        self.inside = Some(inside);
    }

    /// Reads the frames of a packet that keys opened.
    fn frames(
        &mut self,
        (level, opened): (Level, &Opened),
        run: &Run<'_>,
        inside: &mut Inside,
        (tools, ended, pieces): Bench<'_>,
    ) {
        let source = Source { frame: run.frame, time: run.time };
        let sender = if run.side == self.asker { Side::Client } else { Side::Server };
        let allowed = if level == Level::Handshake { Allowed::Handshake } else { Allowed::All };
        if level != Level::Handshake {
            let [client, server] = &mut inside.seen;
            if sender == Side::Client { client } else { server }.add(opened.number);
        }
        let was_closed = inside.closed;
        let [client, server] = &mut inside.handshakes;
        let handshake = if sender == Side::Client { client } else { server };
        let mut payload: &[u8] = &opened.payload;
        loop {
            let frame = match frames::next(&mut payload, allowed) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(Broken) => {
                    self.tls.odd(AnomalyKind::BadQuic, run.frame, run.offset);
                    break;
                }
            };
            match frame {
                Frame::Ack { first, largest } => {
                    let other = sender.other();
                    inside.opening.acknowledged(level, other, largest);
                    let [client, server] = &inside.seen;
                    let seen = if other == Side::Client { client } else { server };
                    if level == Level::Data && inside.streams.is_waiting() && seen.lacks(first, largest) {
                        // What the receiver has is not sent again. Whatever else was lost, was sent again by now.
                        let before = Timestamp(source.time.0.saturating_sub(SENT_AGAIN_NANOS));
                        inside.streams.lost_before(run.side.other(), before, pieces);
                    }
                }
                // Under 1-RTT keys come tickets for later sessions, which say nothing.
                Frame::Crypto { offset, bytes } if level == Level::Handshake => {
                    if !handshake.add(offset, bytes, source, MOST_HANDSHAKE) {
                        self.tls.odd(AnomalyKind::Limit(Limit::CryptoBytes), run.frame, offset);
                    }
                }
                Frame::NewId { id } => {
                    let ids =
                        if run.side == self.asker { &mut self.facts.client_ids } else { &mut self.facts.server_ids };
                    // A long connection uses up many: those that are not kept are as long as those that are.
                    let _room = ids.iter().any(|known| **known == *id) || ids.len() >= NEW_IDS || {
                        ids.push(id.into());
                        true
                    };
                }
                Frame::Close => inside.closed = true,
                Frame::Datagram => self.facts.datagrams = self.facts.datagrams.saturating_add(1),
                _ if inside.closed => {}
                Frame::Stream { stream, offset, last, bytes } => {
                    let came = Came { stream, side: run.side, offset, bytes, last, source };
                    let full = inside.streams.data(&came, pieces);
                    let limit = full.map(|full| match full {
                        Full::Bytes => Limit::WaitingBytes,
                        Full::Streams => Limit::LiveStreams,
                    });
                    if let Some(limit) = limit {
                        self.tls.odd(AnomalyKind::Limit(limit), run.frame, run.offset);
                    }
                }
                Frame::Reset { stream, .. } => inside.streams.reset((stream, run.side), source, pieces),
                Frame::Stop { stream } => inside.streams.stop((stream, run.side), source, pieces),
                Frame::Crypto { .. } => {}
            }
        }
        let [client, server] = &mut inside.handshakes;
        let handshake = if sender == Side::Client { client } else { server };
        while let Some(next) = handshake.take() {
            let piece = CryptoBytes { offset: next.offset, frame: next.source.frame, bytes: &next.bytes };
            self.tls.opened_crypto(run, &piece, tools, ended);
        }
        if inside.closed && !was_closed {
            inside.streams.finish(source, pieces);
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

    fn finish(&mut self, (tools, room, pieces): Bench<'_>, out: &mut Vec<Ended>) -> Option<Gone> {
        let waiting = self.inside.as_mut().map(|inside| inside.opening.finish()).unwrap_or_default();
        for packet in waiting {
            self.one(packet, (tools, room, pieces));
        }
        self.early(true, (tools, room, pieces));
        if let Some(inside) = &mut self.inside {
            if let Some(last) = inside.last.filter(|_| !inside.closed) {
                inside.streams.finish(last, pieces);
            }
            self.tls.opened(inside.opening.told());
        }
        let gone = self.inside.as_ref().map(|_| Gone {
            id: self.id,
            asker: self.asker,
            protocol: self.tls.likely_protocol().map(Into::into),
            envelope: self.tls.envelope(),
        });
        if self.client.crypto.is_waiting() || self.server.crypto.is_waiting() {
            self.tls.cut_short();
        }
        self.tls.finish(self.bytes, room);
        out.extend(room.drain(..).map(|session| self.ended(session)));
        gone
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
