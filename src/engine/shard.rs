//! One shard: the units of its flows become exchanges.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::entries::{self, Told};
use super::pairing::{Lookups, over_http};
use super::walk::{Block, Stamp};
use crate::evidence::{Given, is_relay, resolver};
use crate::model::{
    Anomaly, Budget, ClientHello, Detail, DnsOver, Endpoint, Envelope, Exchange, FlowId, FrameNo, HttpExchange, KeyLog,
    LimitHit, MessageList, Proxied, ProxyKind, Run, RunKind, Side, StartLine, Timestamp, TlsTransport, Transport,
    Tunnel, TunnelKind, Unit,
};
use crate::protocols::har::LeftOut;
use crate::protocols::{Feed, Sniff, dns, http, http1, http2, http3, quic, socks, tls, vpn};
use crate::streams::{Flow, FlowTable, FrameList, Slot};

/// Bytes of one side that are held while its protocol is not yet clear.
const HELD_BYTES: usize = 4_096;
/// Length of a frame list in bytes from which on it is handed over without waiting for a row to change.
const FRAMES_BYTES: usize = 2 << 10;
/// Flows of QUIC of one end that are looked through for a client that goes on from elsewhere.
const FLOWS_OF_ONE: usize = 1_024;
/// Datagrams of a flow that are looked at before it is left alone.
const TRIED_DATAGRAMS: u8 = 4;

/// Exchanges that are read inside TLS count from here, so that they and the sessions of their flow have numbers of their
/// own.
const INSIDE: u32 = 1 << 31;
/// Lookups that HTTP carried count from here on top of the number of the exchange that carried them.
const CARRIED: u32 = 1 << 30;

/// What a shard found.
#[derive(Debug)]
pub(super) enum Found {
    /// A finished exchange, with its bodies where they were asked for.
    Exchange(Exchange, Option<Box<Contents>>),
    /// What is there of one that goes on; only of live captures.
    Open(Exchange),
    /// Frames of a flow that goes on; only of live captures.
    Frames(FrameList),
    /// What an entry of a HAR file tells of.
    Told(Box<Told>),
    /// An entry of a HAR file that tells of no exchange.
    LeftOut(LeftOut),
    /// Links that a response handed out, before the response is over.
    Links(Given),
    /// A flow began with what may be a packet of a QUIC connection of another flow.
    Short(ShortPacket),
    /// A client began a session in which it may ask for names.
    Resolver(IpAddr, FrameNo),
    /// Two hosts agreed on a tunnel.
    Tunnel(Tunnel),
    /// A flow ended; these were its (last) frames.
    Flow(FrameList),
}

/// What an exchange carried, for who wants to see it.
#[derive(Debug)]
pub(super) struct Contents {
    /// The decoded bodies of request and response.
    pub(super) bodies: [Vec<u8>; 2],
    /// The messages of its WebSocket.
    pub(super) messages: MessageList,
}

/// The first packet of a flow whose protocol is not clear, if it has the short header of QUIC.
#[derive(Debug)]
pub(super) struct ShortPacket {
    /// Its frame.
    pub(super) frame: FrameNo,
    /// Sender and receiver.
    pub(super) ends: (Endpoint, Endpoint),
    /// Bytes that begin with the receiver's connection id.
    pub(super) target: Box<[u8]>,
}

/// Whose bytes a piece of a conversation is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// What the flow carried as it stands in the capture.
    Wire,
    /// What keys made readable of it.
    Opened,
}

/// Something found, with the order in which it takes effect: the same for any number of shards.
#[derive(Debug)]
pub(super) struct Event {
    /// What made it certain.
    pub(super) stamp: Stamp,
    /// The flow.
    pub(super) flow: FlowId,
    /// What.
    pub(super) found: Found,
}

/// Reads the flows whose hash falls to it.
#[derive(Debug)]
pub(super) struct Shard {
    index: u64,
    shards: u64,
    reader: Reader,
    flows: FlowTable,
    states: Vec<State>,
    /// Flows of QUIC that keys may open, by their ends: a client may go on from elsewhere.
    openable: BTreeMap<Endpoint, Vec<(Slot, FlowId)>>,
    /// The slots that units of a block belonged to, where open exchanges are shown.
    touched: Option<Vec<Slot>>,
    /// Flows that ended.
    pub(super) ended_flows: u64,
}

/// What parsers need beside the bytes.
#[derive(Debug)]
struct Reader {
    budget: Budget,
    tools: tls::Tools,
    wanted: http::Wanted,
    http: Vec<http::Ended>,
    tls: Vec<tls::Ended>,
    quic: Vec<quic::Ended>,
    dns: Vec<dns::TcpMessage>,
    /// A flow turned out to be QUIC.
    is_quic: bool,
    /// What the flow's ends said, where somebody listens: taken after each frame, so that it holds no more than one completes.
    heard: Option<Vec<(Layer, Run<'static>)>>,
}

impl Reader {
    fn hear(&mut self, layer: Layer, run: &Run<'_>) {
        if let Some(heard) = &mut self.heard {
            heard.push((layer, owned(run.clone())));
        }
    }
}

#[derive(Debug, Default)]
struct State {
    parser: Parser,
    /// The number of the flow's next exchange; an HTTP connection counts on from here until it is left.
    ordinal: u32,
    lookups: Lookups,
    /// Rows of the flow came or changed since its frames were handed over.
    news: bool,
    /// The flow has rows.
    listed: bool,
    /// The TLS session around it, where it is the plaintext of one.
    envelope: Option<Arc<Envelope>>,
    /// What a proxy connected this flow to, from here on.
    proxied: Option<Arc<Proxied>>,
    /// Handshakes of tunnels in its datagrams.
    tunnel: vpn::Handshake,
    /// A relay answered it, and that was told.
    relayed: bool,
}

#[derive(Debug)]
enum Parser {
    /// TCP whose protocol is not clear; what came so far.
    Unclear(Vec<Run<'static>>),
    Http(Box<http1::Connection>),
    Http2(Box<http2::Connection>),
    Tls {
        connection: Box<tls::Connection>,
        /// Reads the plaintext, where keys open the session.
        inside: Option<Box<State>>,
        done: bool,
    },
    DnsTcp(Box<dns::TcpReader>),
    /// DNS in datagrams.
    Dns,
    Quic {
        connections: Box<quic::Connections>,
        /// Reads what the connections carry, where keys open them; by the number of the connection.
        inside: Vec<(u32, Box<State>)>,
        /// Exchanges that were read inside.
        read: u32,
    },
    /// HTTP/3, inside QUIC.
    Http3(Box<http3::Connection>),
    /// DNS inside QUIC.
    DnsQuic(Box<dns::QuicReader>),
    /// UDP, so many datagrams tried.
    Datagrams(u8),
    /// The datagrams are of a QUIC connection that began as that flow.
    Moved(Slot, FlowId),
    /// A protocol that is not read; a handshake may still begin in it (STARTTLS, a tunnel).
    Other,
}

impl Default for Parser {
    fn default() -> Self {
        Self::Unclear(Vec::new())
    }
}

impl Shard {
    /// Shard `index` of `shards`.
    pub(super) fn new(index: usize, shards: usize, wanted: http::Wanted, budget: &Budget) -> Self {
        Self {
            index: index as u64,
            shards: shards as u64,
            reader: Reader {
                budget: budget.clone(),
                tools: tls::Tools::default(),
                wanted,
                http: Vec::new(),
                tls: Vec::new(),
                quic: Vec::new(),
                dns: Vec::new(),
                is_quic: false,
                heard: None,
            },
            flows: FlowTable::new(budget),
            states: Vec::new(),
            openable: BTreeMap::new(),
            touched: None,
            ended_flows: 0,
        }
    }

    /// Also gives what goes on: exchanges that have begun, and frames of flows that have not ended.
    pub(super) fn showing_open(mut self) -> Self {
        self.touched = Some(Vec::new());
        self
    }

    /// Also keeps decoded bodies; for reading one flow again.
    pub(super) fn with_bodies(budget: &Budget) -> Self {
        Self::new(0, 1, http::Wanted::Bodies, budget)
    }

    /// Also gives what the ends said, by [`Shard::heard`].
    pub(super) fn listening(mut self) -> Self {
        self.reader.heard = Some(Vec::new());
        self
    }

    /// What was said since this was last asked.
    pub(super) fn heard(&mut self) -> Vec<(Layer, Run<'static>)> {
        self.reader.heard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Decrypts with these secrets.
    pub(super) fn with_keys(mut self, keys: Arc<KeyLog>) -> Self {
        self.reader.tools.keys = keys;
        self
    }

    /// Reads its units of a block.
    pub(super) fn read(&mut self, block: &Block, out: &mut Vec<Event>) {
        for (head, bytes) in block.entries() {
            if u64::from(head.number.0) % self.shards == self.index {
                let found = entries::found(head, bytes, self.reader.wanted, &self.reader.budget);
                out.push(Event { stamp: Stamp::at(head.number), flow: FlowId(head.number.0), found });
            }
        }
        let mut runs = Vec::new();
        let mut earlier = block.earlier.iter().peekable();
        let mut sweeps = block.sweeps.iter().peekable();
        let mut keys = block.keys.iter().peekable();
        for (index, (unit, stamp)) in block.units.iter().zip(block.stamps()).enumerate() {
            while let Some(sweep) = sweeps.next_if(|s| s.before_unit <= index) {
                self.sweep(sweep.now, sweep.stamp, out);
            }
            while let Some((_, newer)) = keys.next_if(|(before, _)| *before <= index) {
                self.reader.tools.keys = Arc::clone(newer);
            }
            let mine = self.shards == 1 || place(unit) % self.shards == self.index;
            let slot = mine.then(|| self.locate(unit, stamp, out));
            while let Some((_, frame, offset)) = earlier.next_if(|(of, ..)| *of <= index) {
                if let Some(slot) = slot {
                    self.flows.add_frame(slot, *frame, *offset);
                }
            }
            if let Some(slot) = slot {
                let slot = self.accept(slot, stamp, (unit, block.payload(index)), &mut runs, out);
                if let Some(touched) = &mut self.touched {
                    touched.push(slot);
                }
            }
        }
        if let Some((_, newest)) = keys.last() {
            self.reader.tools.keys = Arc::clone(newest);
        }
        for sweep in sweeps {
            self.sweep(sweep.now, sweep.stamp, out);
        }
        if let Some(mut touched) = self.touched.take() {
            touched.sort_unstable();
            touched.dedup();
            for slot in touched.drain(..) {
                self.show_open(slot, out);
            }
            self.touched = Some(touched);
        }
    }

    /// Gives what is new of exchanges that go on, and hands over frames that panes may ask for. Once a block: what begins
    /// and ends within one is not shown twice.
    fn show_open(&mut self, slot: Slot, out: &mut Vec<Event>) {
        let Some(state) = self.states.get_mut(slot.0) else { return };
        let flow = self.flows.flow(slot);
        state.show_open(flow, out);
        if std::mem::take(&mut state.news) || flow.frames.as_bytes().len() >= FRAMES_BYTES {
            self.hand_over_frames(slot, Stamp::END, out);
        }
    }

    fn hand_over_frames(&mut self, slot: Slot, stamp: Stamp, out: &mut Vec<Event>) {
        let flow = self.flows.flow(slot).id;
        let frames = self.flows.take_frames(slot);
        if !frames.is_empty() {
            out.push(Event { stamp, flow, found: Found::Frames(frames) });
        }
    }

    /// Reads one unit with its payload.
    pub(super) fn read_unit(&mut self, unit: &Unit, payload: &[u8], out: &mut Vec<Event>) {
        let stamp = Stamp::at(unit.frame);
        let slot = self.locate(unit, stamp, out);
        self.accept(slot, stamp, (unit, payload), &mut Vec::new(), out);
    }

    /// Has a unit read by its flow, or by the one in which its QUIC connection began; gives which.
    fn accept<'a>(
        &mut self,
        slot: Slot,
        stamp: Stamp,
        (unit, payload): (&Unit, &'a [u8]),
        runs: &mut Vec<Run<'a>>,
        out: &mut Vec<Event>,
    ) -> Slot {
        self.flows.accept(slot, unit, payload, runs);
        let home = self.home(slot, stamp, (unit, payload), out);
        if let Some(home) = home {
            self.flows.add_frame(home, unit.frame, unit.record_offset);
            let flow = self.flows.flow(home);
            let [client, server] = flow.bytes;
            // The end that stays tells who sent it.
            let from_server = unit.source == flow.server || unit.target != flow.server && unit.target == flow.client;
            let (side, offset) = if from_server { (Side::Server, server) } else { (Side::Client, client) };
            for run in runs.iter_mut() {
                (run.side, run.offset) = (side, offset);
            }
        }
        let slot = home.unwrap_or(slot);
        self.feed(slot, stamp, runs, out);
        slot
    }

    /// The flow in which the QUIC connection began that a datagram of another flow is of (RFC 9000 section 9). Only keys
    /// make what comes of it readable, so without them it is not looked for.
    fn home(
        &mut self,
        slot: Slot,
        stamp: Stamp,
        (unit, payload): (&Unit, &[u8]),
        out: &mut Vec<Event>,
    ) -> Option<Slot> {
        if unit.transport() != Transport::Udp || !self.reader.tools.keys.may_open() {
            return None;
        }
        let state = self.states.get_mut(slot.0)?;
        match &state.parser {
            Parser::Moved(home, id) => {
                let (home, id) = (*home, *id);
                // The connection is over, or a new one begins on these ports.
                if self.flows.flow(home).id != id || quic::sniff(payload) {
                    state.parser = Parser::default();
                    return None;
                }
                Some(home)
            }
            Parser::Unclear(_) => {
                let target = quic::short_target(payload)?;
                let home = [unit.target, unit.source].iter().find_map(|end| {
                    let known = self.openable.get(end)?;
                    known.iter().rev().find(|(of, id)| {
                        let flow = self.flows.flow(*of);
                        flow.id == *id && self.states.get(of.0).is_some_and(|state| state.is_met(flow, unit, target))
                    })
                });
                let (home, id) = *home?;
                self.states.get_mut(slot.0)?.parser = Parser::Moved(home, id);
                let ends = (unit.source, unit.target);
                let short = ShortPacket { frame: unit.frame, ends, target: target.into() };
                let flow = self.flows.flow(slot).id;
                out.push(Event { stamp, flow, found: Found::Short(short) });
                Some(home)
            }
            _ => None,
        }
    }

    /// Remembers a flow of QUIC whose client may go on from elsewhere.
    fn expect_moves(&mut self, slot: Slot) {
        let flow = self.flows.flow(slot);
        for end in [flow.server, flow.client] {
            let known = self.openable.entry(end).or_default();
            if known.len() >= FLOWS_OF_ONE {
                known.remove(0);
            }
            known.push((slot, flow.id));
        }
    }

    /// Ends all flows, oldest first.
    pub(super) fn finish(&mut self, out: &mut Vec<Event>) {
        for slot in self.flows.open_slots() {
            self.end(slot, Stamp::END, out);
        }
    }

    /// Limits that its flows reached.
    pub(super) fn limits(&self) -> Vec<LimitHit> {
        self.flows.limits()
    }

    fn locate(&mut self, unit: &Unit, stamp: Stamp, out: &mut Vec<Event>) -> Slot {
        let mut reused = Vec::new();
        let slot = self.flows.locate(unit, &mut reused);
        for old in reused {
            self.end(old, stamp, out);
        }
        if self.states.len() <= slot.0 {
            self.states.resize_with(slot.0 + 1, State::default);
        }
        slot
    }

    fn sweep(&mut self, now: Timestamp, stamp: Stamp, out: &mut Vec<Event>) {
        let mut silent = Vec::new();
        self.flows.idle(now, &mut silent);
        for slot in silent {
            self.end(slot, stamp, out);
        }
        if self.touched.is_some() {
            for slot in self.flows.open_slots() {
                if self.states.get(slot.0).is_some_and(|state| state.listed) {
                    self.hand_over_frames(slot, stamp, out);
                }
            }
        }
    }

    fn feed(&mut self, slot: Slot, stamp: Stamp, runs: &mut Vec<Run<'_>>, out: &mut Vec<Event>) {
        if runs.is_empty() {
            return;
        }
        let flow = self.flows.flow(slot);
        let Some(state) = self.states.get_mut(slot.0) else { return };
        for run in runs.drain(..) {
            self.reader.hear(Layer::Wire, &run);
            state.feed(stamp, flow, run, &mut self.reader, out);
        }
        if std::mem::take(&mut self.reader.is_quic) && self.reader.tools.keys.may_open() {
            self.expect_moves(slot);
        }
    }

    fn end(&mut self, slot: Slot, stamp: Stamp, out: &mut Vec<Event>) {
        let mut runs = Vec::new();
        let mut flow = self.flows.close(slot, &mut runs);
        for end in [flow.server, flow.client] {
            if let Some(known) = self.openable.get_mut(&end) {
                known.retain(|(_, id)| *id != flow.id);
                if known.is_empty() {
                    self.openable.remove(&end);
                }
            }
        }
        let mut state = self.states.get_mut(slot.0).map(std::mem::take).unwrap_or_default();
        for run in runs {
            self.reader.hear(Layer::Wire, &run);
            state.feed(stamp, &flow, run, &mut self.reader, out);
        }
        state.finish(stamp, &flow, &mut self.reader, out);
        // Frames are looked up for rows; a flow without any needs none.
        let frames = if state.listed { flow.frames.take() } else { FrameList::default() };
        out.push(Event { stamp, flow: flow.id, found: Found::Flow(frames) });
        self.ended_flows += 1;
    }
}

impl State {
    /// `stamp` is what now takes effect: where bytes waited, or at a flow's end, that is later than the run's own frame.
    fn feed(&mut self, stamp: Stamp, flow: &Flow, run: Run<'_>, reader: &mut Reader, out: &mut Vec<Event>) {
        if flow.transport == Transport::Udp {
            return self.datagram(stamp, flow, &run, reader, out);
        }
        match &mut self.parser {
            Parser::Unclear(_) => self.try_out(stamp, flow, run, reader, out),
            Parser::Http(connection) => {
                let fed = connection.feed(&run, &mut reader.http);
                let upgraded = connection.take_upgraded();
                let given = connection.take_given();
                self.give(stamp, flow, given, out);
                self.http_ended(stamp, flow, reader, out);
                match fed {
                    Feed::Going => {}
                    Feed::Done | Feed::NotThis => self.leave(stamp, flow, reader, out),
                    Feed::Switched(side, offset) => {
                        self.leave(stamp, flow, reader, out);
                        self.parser = upgraded.map_or_else(Parser::default, |request| {
                            let Reader { budget, wanted, .. } = reader;
                            let asking = side.other();
                            Parser::Http2(Box::new(http2::Connection::upgraded(budget, *wanted, asking, request)))
                        });
                        if let Some(rest) = after(&run, side, offset) {
                            self.feed(stamp, flow, rest, reader, out);
                        }
                    }
                }
            }
            Parser::Http2(connection) => {
                let fed = connection.feed(&run, &mut reader.http);
                let given = connection.take_given();
                self.give(stamp, flow, given, out);
                self.http_ended(stamp, flow, reader, out);
                if fed != Feed::Going {
                    self.leave(stamp, flow, reader, out);
                }
            }
            Parser::Tls { connection, done, .. } if !*done => {
                let fed = connection.feed(&run, &mut reader.tools, &mut reader.tls);
                *done = matches!(fed, Feed::Done | Feed::NotThis);
                if let Some(hello) = connection.take_hello() {
                    tell_resolver(stamp, flow, hello, out);
                }
                if !self.relayed && connection.answered_name().is_some_and(is_relay) {
                    self.relayed = true;
                    out.push(relay(stamp, flow, run.frame, Side::Client));
                }
                self.plaintext(stamp, flow, reader, out);
                self.tls_ended(stamp, flow, reader, out);
                if fed == Feed::NotThis {
                    self.leave(stamp, flow, reader, out);
                }
            }
            Parser::DnsTcp(messages) => {
                let fed = messages.feed(&run, &mut reader.dns);
                let mut found = std::mem::take(&mut reader.dns);
                for message in found.drain(..) {
                    self.dns_message(stamp, flow, (&message, &message.bytes), reader, out);
                }
                reader.dns = found;
                if fed == Feed::NotThis {
                    self.leave(stamp, flow, reader, out);
                }
            }
            Parser::Other => {
                if let RunKind::Data(bytes) = &run.kind
                    && let Some(parser) = begins(bytes, reader, self.envelope.is_some())
                {
                    self.parser = parser;
                    self.feed(stamp, flow, run, reader, out);
                }
            }
            Parser::Tls { .. }
            | Parser::Quic { .. }
            | Parser::Http3(_)
            | Parser::DnsQuic(_)
            | Parser::Dns
            | Parser::Datagrams(_)
            | Parser::Moved(..) => {}
        }
    }

    /// The first bytes of a connection: held until a protocol knows them or none does.
    fn try_out(&mut self, stamp: Stamp, flow: &Flow, run: Run<'_>, reader: &mut Reader, out: &mut Vec<Event>) {
        let Parser::Unclear(held) = &mut self.parser else { return };
        let RunKind::Data(bytes) = &run.kind else {
            // A hole or an end: what is held will not become clearer.
            if held.is_empty() {
                return;
            }
            let held = std::mem::take(held);
            let cut = matches!(run.kind, RunKind::Gap(_)) && http1::is_cut_request(&joined(&held, run.side));
            if cut {
                self.parser = http_parser(reader, self.envelope.is_some());
                for earlier in held {
                    self.feed(stamp, flow, earlier, reader, out);
                }
            } else {
                self.settle(stamp, flow, held, reader, out);
            }
            return self.feed(stamp, flow, run, reader, out);
        };
        let inside = self.envelope.is_some();
        if let Some((said, asker)) = socks_said(held, &run) {
            match said {
                socks::Said::Agreed { kind, target, used } => {
                    let rests = after_handshake(held, &run, asker, used);
                    self.proxied = Some(Arc::new(Proxied { kind, target: target.into(), frame: run.frame }));
                    self.parser = Parser::default();
                    for rest in rests {
                        self.feed(stamp, flow, rest, reader, out);
                    }
                    return;
                }
                socks::Said::NeedMore if held.iter().map(run_len).sum::<usize>() + bytes.len() <= HELD_BYTES => {
                    return held.push(owned(run));
                }
                socks::Said::NeedMore | socks::Said::NotThis => {}
            }
        }
        let before: usize = held.iter().filter(|r| r.side == run.side).map(run_len).sum();
        let verdict = if before == 0 {
            sniff(bytes, flow, reader, inside)
        } else {
            let mut all = joined(held, run.side);
            all.extend_from_slice(bytes);
            sniff(&all, flow, reader, inside)
        };
        let full = before + bytes.len() > HELD_BYTES;
        match verdict {
            Ok(parser) => {
                let held = std::mem::take(held);
                self.parser = parser;
                for earlier in held {
                    self.feed(stamp, flow, earlier, reader, out);
                }
                self.feed(stamp, flow, run, reader, out);
            }
            Err(Sniff::NeedMore) if !full => held.push(owned(run)),
            Err(_) => {
                let mut held = std::mem::take(held);
                held.push(owned(run));
                self.settle(stamp, flow, held, reader, out);
            }
        }
    }

    /// No protocol at the start: from here each run may begin one.
    fn settle(
        &mut self,
        stamp: Stamp,
        flow: &Flow,
        held: Vec<Run<'static>>,
        reader: &mut Reader,
        out: &mut Vec<Event>,
    ) {
        self.parser = Parser::Other;
        for run in held {
            self.feed(stamp, flow, run, reader, out);
        }
    }

    /// The parser is through with the flow; what follows may be another protocol.
    fn leave(&mut self, stamp: Stamp, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        self.finish(stamp, flow, reader, out);
        self.parser = Parser::Other;
    }

    /// Lets the parser give what it still holds.
    fn finish(&mut self, stamp: Stamp, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        match std::mem::replace(&mut self.parser, Parser::Other) {
            Parser::Http(mut connection) => {
                connection.finish(&mut reader.http);
                let given = connection.take_given();
                self.give(stamp, flow, given, out);
                self.http_ended(stamp, flow, reader, out);
                self.ordinal = self.ordinal.saturating_add(connection.opened());
            }
            Parser::Http2(mut connection) => {
                connection.finish(&mut reader.http);
                let given = connection.take_given();
                self.give(stamp, flow, given, out);
                self.http_ended(stamp, flow, reader, out);
                self.ordinal = self.ordinal.saturating_add(connection.opened());
            }
            Parser::Http3(mut connection) => {
                connection.finish(&mut reader.http);
                self.give(stamp, flow, connection.take_given(), out);
                self.http_ended(stamp, flow, reader, out);
            }
            Parser::Tls { mut connection, inside, .. } => {
                connection.close(&mut reader.tools, &mut reader.tls);
                self.parser = Parser::Tls { connection, inside, done: true };
                self.plaintext(stamp, flow, reader, out);
                let Parser::Tls { mut connection, inside, .. } = std::mem::replace(&mut self.parser, Parser::Other)
                else {
                    return;
                };
                if let Some(mut inside) = inside {
                    inside.finish(stamp, flow, reader, out);
                    self.listed |= inside.listed;
                }
                connection.finish(flow.bytes, &mut reader.tls);
                self.tls_ended(stamp, flow, reader, out);
            }
            Parser::Quic { mut connections, inside, read } => {
                connections.finish(flow.bytes, &mut reader.tools, &mut reader.quic);
                let opened = connections.opened();
                self.parser = Parser::Quic { connections, inside, read };
                self.streams(stamp, flow, reader, out);
                self.parser = Parser::Other;
                self.quic_ended(stamp, flow, reader, out);
                self.ordinal = self.ordinal.saturating_add(opened);
            }
            Parser::Unclear(held) if !held.is_empty() => {
                self.settle(stamp, flow, held, reader, out);
                if !matches!(self.parser, Parser::Other) {
                    self.finish(stamp, flow, reader, out);
                }
            }
            Parser::Unclear(_)
            | Parser::DnsTcp(_)
            | Parser::DnsQuic(_)
            | Parser::Dns
            | Parser::Datagrams(_)
            | Parser::Moved(..)
            | Parser::Other => {}
        }
        for exchange in self.lookups.give_up(flow) {
            self.push(stamp, flow, exchange, None, out);
        }
    }

    /// What was decrypted goes the same road as what came in the clear.
    fn plaintext(&mut self, stamp: Stamp, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        if reader.tools.plain.is_empty() {
            return;
        }
        let runs = std::mem::take(&mut reader.tools.plain);
        let Parser::Tls { connection, inside, .. } = &mut self.parser else { return };
        // TLS inside TLS is not followed: a stranger's nesting must end somewhere.
        if self.envelope.is_some() {
            return;
        }
        let inside = inside.get_or_insert_with(|| {
            Box::new(Self { proxied: self.proxied.clone(), ..Self::inside(connection, reader) })
        });
        for run in runs {
            reader.hear(Layer::Opened, &run);
            inside.feed(stamp, flow, run, reader, out);
        }
        self.news |= std::mem::take(&mut inside.news);
        self.listed |= inside.listed;
    }

    /// Reads the plaintext of a session. The protocol that the two agreed on tells how; else the first bytes will.
    fn inside(connection: &tls::Connection, reader: &Reader) -> Self {
        let envelope = Some(Arc::new(connection.envelope()));
        let parser = match connection.protocol() {
            Some(b"http/1.1" | b"http/1.0") => http_parser(reader, true),
            Some(b"h2") => http2_parser(reader),
            Some(b"dot") => Parser::DnsTcp(Box::new(dns::TcpReader::new(&reader.budget))),
            _ => Parser::default(),
        };
        Self { parser, ordinal: INSIDE, envelope, ..Self::default() }
    }

    /// Whether a packet with a short header, of another flow, is of a QUIC connection of this one.
    fn is_met(&self, flow: &Flow, unit: &Unit, target: &[u8]) -> bool {
        let Parser::Quic { connections, .. } = &self.parser else { return false };
        let (from_client, from_server) = (unit.target == flow.server, unit.source == flow.server);
        from_client && connections.is_met(Side::Server, target)
            || from_server && connections.is_met(Side::Client, target)
            || unit.target == flow.client && connections.is_met(Side::Client, target)
            || unit.source == flow.client && connections.is_met(Side::Server, target)
    }

    /// What streams of QUIC carry goes to whoever reads the protocol that the two agreed on.
    fn streams(&mut self, stamp: Stamp, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        let Parser::Quic { connections, inside, read } = &mut self.parser else { return };
        for piece in connections.take_pieces() {
            if piece.act == quic::Act::Read {
                reader.hear(Layer::Opened, &piece.run);
            }
            let id = piece.connection;
            let at = inside.iter().position(|(of, _)| *of == id).unwrap_or_else(|| {
                inside.push((id, Box::new(Self::inside_quic(connections, id, reader))));
                inside.len() - 1
            });
            let Some((_, state)) = inside.get_mut(at) else { continue };
            // Streams may come before the certificate: as early data, or out of order.
            let bare = state.envelope.as_ref().is_some_and(|envelope| envelope.certificate.is_none());
            if bare && connections.has_chain(id) {
                state.envelope = connections.envelope(id).map(Arc::new);
            }
            let over = piece.act == quic::Act::Closed;
            state.piece(stamp, flow, (piece, read), reader, out);
            self.news |= std::mem::take(&mut state.news);
            self.listed |= state.listed;
            if over {
                inside.swap_remove(at);
            }
        }
    }

    /// Reads what a connection of QUIC carries.
    fn inside_quic(connections: &quic::Connections, id: u32, reader: &Reader) -> Self {
        let envelope = connections.envelope(id).map(Arc::new);
        let parser = match connections.carried(id) {
            // Drafts of HTTP/3 (h3-29) and of DNS over QUIC (doq-i02) differ in nothing that is read here.
            Some((asker, Some(name))) if name == b"h3" || name.starts_with(b"h3-") => {
                Parser::Http3(Box::new(http3::Connection::new(&reader.budget, reader.wanted, asker)))
            }
            Some((_, Some(name))) if name == b"doq" || name.starts_with(b"doq-") => {
                Parser::DnsQuic(Box::new(dns::QuicReader::new(&reader.budget)))
            }
            _ => Parser::Other,
        };
        Self { parser, ordinal: INSIDE, envelope, ..Self::default() }
    }

    /// Reads a piece of a stream. `read`: how many exchanges were read inside the flow's connections so far.
    fn piece(
        &mut self,
        stamp: Stamp,
        flow: &Flow,
        (piece, read): (quic::StreamPiece, &mut u32),
        reader: &mut Reader,
        out: &mut Vec<Event>,
    ) {
        let over = piece.act == quic::Act::Closed;
        match &mut self.parser {
            Parser::Http3(connection) => {
                connection.feed(piece, *read, &mut reader.http);
                *read = connection.opened();
                let given = connection.take_given();
                self.give(stamp, flow, given, out);
                self.http_ended(stamp, flow, reader, out);
            }
            Parser::DnsQuic(messages) => {
                self.ordinal = INSIDE.saturating_add(*read);
                messages.feed(&piece, &mut reader.dns);
                let mut found = std::mem::take(&mut reader.dns);
                for message in found.drain(..) {
                    self.dns_message(stamp, flow, (&message, &message.bytes), reader, out);
                }
                reader.dns = found;
                *read = self.ordinal.saturating_sub(INSIDE);
            }
            _ => {}
        }
        if over {
            self.finish(stamp, flow, reader, out);
        }
    }

    fn datagram(&mut self, stamp: Stamp, flow: &Flow, run: &Run<'_>, reader: &mut Reader, out: &mut Vec<Event>) {
        let RunKind::Data(bytes) = &run.kind else { return };
        if let Parser::Unclear(_) | Parser::Datagrams(_) | Parser::Other = self.parser
            && let Some((kind, asker)) = self.tunnel.datagram(run.side, bytes)
        {
            out.push(tunnel(stamp, flow, (kind, run.frame, asker)));
        }
        if let Parser::Unclear(_) = self.parser {
            self.parser = Parser::Datagrams(0);
            if let Some(target) = quic::short_target(bytes) {
                let ends =
                    if run.side == Side::Client { (flow.client, flow.server) } else { (flow.server, flow.client) };
                let short = ShortPacket { frame: run.frame, ends, target: target.into() };
                out.push(Event { stamp, flow: flow.id, found: Found::Short(short) });
            }
        }
        // QUIC may begin late: after what was left over of a connection before on the same ports.
        if let Parser::Datagrams(_) | Parser::Other = self.parser
            && quic::sniff(bytes)
        {
            let connections = Box::new(quic::Connections::new(&reader.budget));
            self.parser = Parser::Quic { connections, inside: Vec::new(), read: 0 };
            reader.is_quic = true;
        }
        if let Parser::Datagrams(tried) = self.parser {
            self.parser = if is_dns_port(flow) && dns::message(bytes, &reader.budget).is_some() || dns::sniff(bytes) {
                Parser::Dns
            } else if tls::sniff_dtls(bytes) {
                let connection = Box::new(tls::Connection::dtls(&reader.budget));
                Parser::Tls { connection, inside: None, done: false }
            } else if tried >= TRIED_DATAGRAMS {
                Parser::Other
            } else {
                Parser::Datagrams(tried + 1)
            };
        }
        match &mut self.parser {
            Parser::Dns => {
                let seen = dns::TcpMessage {
                    side: run.side,
                    first_frame: run.frame,
                    frame: run.frame,
                    time: run.time,
                    stream: None,
                    bytes: Vec::new(),
                };
                self.dns_message(stamp, flow, (&seen, bytes), reader, out);
            }
            Parser::Tls { connection, done, .. } if !*done => {
                let fed = connection.feed(run, &mut reader.tools, &mut reader.tls);
                *done = matches!(fed, Feed::Done | Feed::NotThis);
                self.tls_ended(stamp, flow, reader, out);
            }
            Parser::Quic { connections, .. } => {
                connections.feed(run, &mut reader.tools, &mut reader.quic);
                if !self.relayed
                    && let Some((asker, _)) = connections.answered_names().find(|(_, name)| is_relay(name))
                {
                    self.relayed = true;
                    out.push(relay(stamp, flow, run.frame, asker));
                }
                self.streams(stamp, flow, reader, out);
                self.quic_ended(stamp, flow, reader, out);
            }
            _ => {}
        }
    }

    /// A message with where it was seen; over UDP its bytes are the datagram's.
    fn dns_message(
        &mut self,
        stamp: Stamp,
        flow: &Flow,
        (seen, bytes): (&dns::TcpMessage, &[u8]),
        reader: &Reader,
        out: &mut Vec<Event>,
    ) {
        let Some(message) = dns::message(bytes, &reader.budget) else { return };
        // On another port each message has to look like one; and one that is cut before it says anything is none.
        let says_nothing = !message.complete && message.questions.is_empty() && message.answers.is_empty();
        let is_certain = seen.stream.is_some() || is_dns_port(flow);
        if says_nothing || !is_certain && !dns::sniff(bytes) {
            return;
        }
        for exchange in self.lookups.offer(flow, &mut self.ordinal, seen, message) {
            self.push(stamp, flow, exchange, None, out);
        }
    }

    fn http_ended(&mut self, stamp: Stamp, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        let mut ended = std::mem::take(&mut reader.http);
        for mut end in ended.drain(..) {
            let messages = std::mem::take(&mut end.messages);
            let contents = end.bodies.take().map(|bodies| Box::new(Contents { bodies, messages }));
            let lookup = end.lookup.take().and_then(|carried| over_http(&end.http, &carried, &reader.budget));
            if let Some(exchange) = self.http_exchange(flow, end) {
                let lookup = lookup.map(|(lookup, anomalies)| Exchange {
                    ordinal: exchange.ordinal.saturating_add(CARRIED),
                    detail: Detail::Dns(Box::new(lookup)),
                    anomalies,
                    ..exchange.clone()
                });
                self.push(stamp, flow, exchange, contents, out);
                if let Some(lookup) = lookup {
                    self.push(stamp, flow, lookup, None, out);
                }
            }
        }
        reader.http = ended;
    }

    fn http_exchange(&self, flow: &Flow, end: http::Ended) -> Option<Exchange> {
        let http = &end.http;
        let messages = || http.request.iter().chain(&http.interim).chain(&http.response);
        let first = messages().min_by_key(|m| m.first_frame)?;
        let last = messages().max_by_key(|m| m.last_frame)?;
        let end_of_messages = (last.last_frame, last.end_time);
        let carried = http.websocket.as_ref().and_then(|websocket| websocket.last);
        let last = carried.filter(|(frame, _)| *frame > end_of_messages.0).unwrap_or(end_of_messages);
        let places = ((first.first_frame, first.time), last);
        let ordinal = self.ordinal.saturating_add(end.number);
        let detail = Detail::Http(Box::new(end.http));
        let (envelope, proxied) = (self.envelope.clone(), self.proxied.clone());
        Some(Exchange { ordinal, envelope, proxied, ..exchange(flow, end.swapped, places, detail, end.anomalies) })
    }

    fn tls_ended(&mut self, stamp: Stamp, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        let mut ended = std::mem::take(&mut reader.tls);
        for end in ended.drain(..) {
            let exchange = self.tls_exchange(flow, end);
            self.ordinal = self.ordinal.saturating_add(1);
            self.push(stamp, flow, exchange, None, out);
        }
        reader.tls = ended;
    }

    fn quic_ended(&mut self, stamp: Stamp, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        let mut ended = std::mem::take(&mut reader.quic);
        for end in ended.drain(..) {
            let exchange = self.quic_exchange(flow, end);
            self.push(stamp, flow, exchange, None, out);
        }
        reader.quic = ended;
    }

    fn quic_exchange(&self, flow: &Flow, end: quic::Ended) -> Exchange {
        let ordinal = self.ordinal.saturating_add(end.number);
        Exchange { ordinal, ..self.tls_exchange(flow, end.session) }
    }

    /// Sessions of a flow follow each other: the one under way has the next number.
    fn tls_exchange(&self, flow: &Flow, end: tls::Ended) -> Exchange {
        let places = ((end.frames.0, end.times.0), (end.frames.1, end.times.1));
        let detail = Detail::Tls(Box::new(end.session));
        let proxied = self.proxied.clone();
        Exchange { ordinal: self.ordinal, proxied, ..exchange(flow, end.swapped, places, detail, end.anomalies) }
    }

    /// Passes on what responses handed out, before the exchange itself: a client may use a URL while the rest still comes.
    fn give(&self, stamp: Stamp, flow: &Flow, given: Vec<http::Given>, out: &mut Vec<Event>) {
        for given in given {
            let (client, server) = if given.swapped { (flow.server, flow.client) } else { (flow.client, flow.server) };
            let host = if given.host.is_empty() { server.ip.to_string().into() } else { given.host };
            let found = Found::Links(Given {
                flow: flow.id,
                ordinal: self.ordinal.saturating_add(given.number),
                client: client.ip,
                host,
                time: given.time,
                links: given.links,
            });
            out.push(Event { stamp, flow: flow.id, found });
        }
    }

    fn push(
        &mut self,
        stamp: Stamp,
        flow: &Flow,
        mut exchange: Exchange,
        contents: Option<Box<Contents>>,
        out: &mut Vec<Event>,
    ) {
        self.seal(&mut exchange);
        exchange.proxied.clone_from(&self.proxied);
        if let Detail::Http(http) = &exchange.detail
            && let Some(proxied) = connected(http)
        {
            // What follows on this connection is said to whom the proxy connected to.
            self.proxied = Some(Arc::new(proxied));
        }
        (self.news, self.listed) = (true, true);
        out.push(Event { stamp, flow: flow.id, found: Found::Exchange(exchange, contents) });
    }

    /// What was read inside TLS says so.
    fn seal(&self, exchange: &mut Exchange) {
        exchange.envelope.clone_from(&self.envelope);
        if let (Some(envelope), Detail::Dns(lookup)) = (&self.envelope, &mut exchange.detail)
            && lookup.over == DnsOver::Plain
        {
            let quic = envelope.transport == TlsTransport::Quic;
            lookup.over = if quic { DnsOver::Quic } else { DnsOver::Tls };
        }
    }

    /// Gives what is new of exchanges that go on.
    fn show_open(&mut self, flow: &Flow, out: &mut Vec<Event>) {
        let mut shown = self.lookups.previews(flow);
        for lookup in &mut shown {
            self.seal(lookup);
        }
        match &mut self.parser {
            Parser::Http(connection) => {
                let previews = connection.previews();
                shown.extend(previews.into_iter().filter_map(|end| self.http_exchange(flow, end)));
            }
            Parser::Http2(connection) => {
                let previews = connection.previews();
                shown.extend(previews.into_iter().filter_map(|end| self.http_exchange(flow, end)));
            }
            Parser::Tls { connection, inside, .. } => {
                if let Some(inside) = inside {
                    inside.show_open(flow, out);
                    (self.news, self.listed) = (self.news | inside.news, self.listed | inside.listed);
                    inside.news = false;
                }
                let preview = connection.preview();
                shown.extend(preview.map(|end| self.tls_exchange(flow, end)));
            }
            Parser::Http3(connection) => {
                let previews = connection.previews();
                shown.extend(previews.into_iter().filter_map(|end| self.http_exchange(flow, end)));
            }
            Parser::Quic { connections, inside, .. } => {
                for (_, inside) in inside {
                    inside.show_open(flow, out);
                    (self.news, self.listed) = (self.news | inside.news, self.listed | inside.listed);
                    inside.news = false;
                }
                let previews = connections.previews();
                shown.extend(previews.into_iter().map(|end| self.quic_exchange(flow, end)));
            }
            _ => {}
        }
        if !shown.is_empty() {
            (self.news, self.listed) = (true, true);
        }
        let open = |exchange| Event { stamp: Stamp::END, flow: flow.id, found: Found::Open(exchange) };
        out.extend(shown.into_iter().map(open));
    }
}

/// A tunnel that the two ends of a flow agreed on.
fn tunnel(stamp: Stamp, flow: &Flow, (kind, frame, asker): (TunnelKind, FrameNo, Side)) -> Event {
    let (client, server) = if asker == Side::Client { (flow.client, flow.server) } else { (flow.server, flow.client) };
    Event { stamp, flow: flow.id, found: Found::Tunnel(Tunnel { kind, client, server, frame }) }
}

/// A session with a relay, which its answer shows before it ends.
fn relay(stamp: Stamp, flow: &Flow, frame: FrameNo, asker: Side) -> Event {
    tunnel(stamp, flow, (TunnelKind::PrivateRelay, frame, asker))
}

/// What a proxy connected to, when it accepted a CONNECT of HTTP/1 (RFC 9110 section 9.3.6). In later versions that is one
/// stream of many.
fn connected(http: &HttpExchange) -> Option<Proxied> {
    let (request, response) = (http.request.as_ref()?, http.response.as_ref()?);
    let StartLine::Request { method, target } = request.start else { return None };
    let accepted = matches!(response.start, StartLine::Status { code: 200..=299, .. });
    let connect = accepted && http.stream.is_none() && method.of(&request.block) == b"CONNECT";
    let target = String::from_utf8_lossy(target.of(&request.block)).into();
    connect.then_some(Proxied { kind: ProxyKind::Connect, target, frame: response.header_frame })
}

/// What the bytes so far say of a SOCKS proxy, and who asks it; `None` where they begin as no such handshake does.
fn socks_said(held: &[Run<'static>], run: &Run<'_>) -> Option<(socks::Said, Side)> {
    let RunKind::Data(bytes) = &run.kind else { return None };
    let asker = held.first().map_or(run.side, |first| first.side);
    let mut sides = [joined(held, asker), joined(held, asker.other())];
    sides[usize::from(run.side != asker)].extend_from_slice(bytes);
    let [client, proxy] = &sides;
    matches!(client.first(), Some(4 | 5)).then(|| (socks::read(client, proxy), asker))
}

/// What stands behind a handshake that used so many bytes of the asker's side and of the other.
fn after_handshake(held: &[Run<'static>], run: &Run<'_>, asker: Side, used: [usize; 2]) -> Vec<Run<'static>> {
    let mut left = used;
    let mut rests = Vec::new();
    let last = owned(Run { kind: run.kind.clone(), ..owned_head(run) });
    for run in held.iter().chain([&last]) {
        let RunKind::Data(bytes) = &run.kind else { continue };
        let left = &mut left[usize::from(run.side != asker)];
        let skipped = bytes.len().min(*left);
        *left -= skipped;
        let rest = bytes.get(skipped..).unwrap_or_default();
        if !rest.is_empty() {
            let offset = run.offset.saturating_add(skipped as u64);
            rests.push(Run { offset, kind: RunKind::Data(rest.to_vec().into()), ..owned_head(run) });
        }
    }
    rests
}

/// Which shard a unit falls to. Datagrams go by the end that stays where a QUIC client moves, its server, so that one shard
/// sees all of a connection; lookups, which are many and short, by their flow.
fn place(unit: &Unit) -> u64 {
    let of_dns = |end: &Endpoint| matches!(end.port, 53 | 5_353 | 5_355);
    if unit.transport() == Transport::Tcp || of_dns(&unit.source) || of_dns(&unit.target) {
        return unit.hash >> 40;
    }
    let server =
        if (unit.source.port, unit.source) <= (unit.target.port, unit.target) { unit.source } else { unit.target };
    let address = match server.ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    };
    let mixed =
        (address as u64 ^ (address >> 64) as u64 ^ u64::from(server.port) << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed >> 40
}

/// Tells of a session in which names may be asked, when it begins: it may go on for as long as the capture.
fn tell_resolver(stamp: Stamp, flow: &Flow, (hello, asker): (&ClientHello, Side), out: &mut Vec<Event>) {
    let (client, server) = if asker == Side::Client { (flow.client, flow.server) } else { (flow.server, flow.client) };
    let offered = hello.alpn.iter().map(|range| range.of(&hello.block));
    if resolver(hello.sni_bytes(), offered, TlsTransport::Tcp, server).is_some() {
        let found = Found::Resolver(client.ip, hello.first_frame);
        out.push(Event { stamp, flow: flow.id, found });
    }
}

/// Frame and time of the first and of the last byte.
type Places = ((FrameNo, Timestamp), (FrameNo, Timestamp));

/// An exchange of a flow; odd things that happened to the flow within its frames are its own too.
pub(super) fn exchange(
    flow: &Flow,
    swapped: bool,
    (first, last): Places,
    detail: Detail,
    mut anomalies: Vec<Anomaly>,
) -> Exchange {
    anomalies.extend(flow.anomalies.iter().filter(|a| (first.0..=last.0).contains(&a.frame)));
    let (client, server) = if swapped { (flow.server, flow.client) } else { (flow.client, flow.server) };
    Exchange {
        flow: flow.id,
        ordinal: 0,
        client,
        server,
        transport: flow.transport,
        first_frame: first.0,
        last_frame: last.0,
        time: first.1,
        end_time: last.1,
        envelope: None,
        proxied: None,
        reported: None,
        detail,
        anomalies,
    }
}

/// The parser that knows these first bytes; else whether more bytes could tell.
fn sniff(bytes: &[u8], flow: &Flow, reader: &Reader, inside: bool) -> Result<Parser, Sniff> {
    let http = http1::sniff(bytes);
    if http == Sniff::Yes {
        return Ok(http_parser(reader, inside));
    }
    let http2 = http2::sniff(bytes);
    if http2 == Sniff::Yes {
        return Ok(http2_parser(reader));
    }
    let tls = tls::Connection::sniff(bytes);
    if tls == Sniff::Yes {
        return Ok(tls_parser(reader));
    }
    if (flow.client.port == 53 || flow.server.port == 53 || bytes.len() > 2)
        && let Some(message) = bytes.get(2..)
        && bytes.len() >= 14
        && usize::from(bytes[0]) << 8 | usize::from(bytes[1]) == message.len()
        && dns::sniff(message)
    {
        return Ok(Parser::DnsTcp(Box::new(dns::TcpReader::new(&reader.budget))));
    }
    let needs_more = [http, http2, tls].contains(&Sniff::NeedMore);
    let unclear = needs_more || is_dns_port(flow) && bytes.len() < 1_024;
    Err(if unclear { Sniff::NeedMore } else { Sniff::No })
}

/// A parser for a protocol that begins in the middle of a flow.
fn begins(bytes: &[u8], reader: &Reader, inside: bool) -> Option<Parser> {
    // A handshake record with a ClientHello: type 22, version 3.x, message type 1 (RFC 8446 section 5.1).
    if let [22, 3, _, _, _, 1, ..] = bytes {
        return (tls::Connection::sniff(bytes) == Sniff::Yes).then(|| tls_parser(reader));
    }
    if http2::sniff(bytes) == Sniff::Yes {
        return Some(http2_parser(reader));
    }
    (http1::sniff(bytes) == Sniff::Yes).then(|| http_parser(reader, inside))
}

fn http_parser(reader: &Reader, inside_tls: bool) -> Parser {
    let connection = http1::Connection::new(&reader.budget, reader.wanted);
    Parser::Http(Box::new(if inside_tls { connection.inside_tls() } else { connection }))
}

fn http2_parser(reader: &Reader) -> Parser {
    Parser::Http2(Box::new(http2::Connection::new(&reader.budget, reader.wanted)))
}

fn tls_parser(reader: &Reader) -> Parser {
    Parser::Tls { connection: Box::new(tls::Connection::new(&reader.budget)), inside: None, done: false }
}

/// DNS, DNS over TLS (RFC 7858 section 3.1), mDNS (RFC 6762) and LLMNR (RFC 4795): there a shorter look is enough,
/// elsewhere the whole message must be sound.
fn is_dns_port(flow: &Flow) -> bool {
    [flow.client.port, flow.server.port].iter().any(|p| matches!(p, 53 | 853 | 5_353 | 5_355))
}

/// What of a run stands after the switch to another protocol.
fn after(run: &Run<'_>, side: Side, offset: u64) -> Option<Run<'static>> {
    if run.side != side {
        return None;
    }
    let RunKind::Data(bytes) = &run.kind else { return None };
    let rest = bytes.get(usize::try_from(offset.checked_sub(run.offset)?).ok()?..)?;
    (!rest.is_empty()).then(|| Run { offset, kind: RunKind::Data(rest.to_vec().into()), ..owned_head(run) })
}

/// What one side sent of the held runs.
fn joined(held: &[Run<'static>], side: Side) -> Vec<u8> {
    let mut all = Vec::new();
    for run in held.iter().filter(|r| r.side == side) {
        if let RunKind::Data(bytes) = &run.kind {
            all.extend_from_slice(bytes);
        }
    }
    all
}

fn owned_head(run: &Run<'_>) -> Run<'static> {
    Run { side: run.side, offset: run.offset, frame: run.frame, time: run.time, kind: RunKind::End }
}

fn owned(run: Run<'_>) -> Run<'static> {
    let head = owned_head(&run);
    let kind = match run.kind {
        RunKind::Data(bytes) => RunKind::Data(bytes.into_owned().into()),
        RunKind::Gap(len) => RunKind::Gap(len),
        RunKind::End => RunKind::End,
    };
    Run { kind, ..head }
}

fn run_len(run: &Run<'_>) -> usize {
    if let RunKind::Data(bytes) = &run.kind { bytes.len() } else { 0 }
}
