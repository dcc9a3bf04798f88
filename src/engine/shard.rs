//! One shard: the units of its flows become exchanges.

use super::pairing::Lookups;
use super::walk::Block;
use crate::evidence::Given;
use crate::model::{
    Anomaly, Budget, Detail, Exchange, FlowId, FrameNo, LimitHit, Run, RunKind, Side, Timestamp, Transport, Unit,
};
use crate::protocols::{Feed, Sniff, dns, http1, tls};
use crate::streams::{Flow, FlowTable, FrameList, Slot};

/// Bytes of one side that are held while its protocol is not yet clear.
const HELD_BYTES: usize = 4_096;
/// Datagrams of a flow that are looked at before it is left alone.
const TRIED_DATAGRAMS: u8 = 4;

/// What a shard found.
#[derive(Debug)]
pub(super) enum Found {
    /// A finished exchange, with its bodies where they were asked for.
    Exchange(Exchange, Option<[Vec<u8>; 2]>),
    /// Links that a response handed out, before the response is over.
    Links(Given),
    /// A flow ended; these were its frames.
    Flow(FrameList),
}

/// Something found, with the order in which it takes effect: the same for any number of shards.
#[derive(Debug)]
pub(super) struct Event {
    /// The frame that made it certain; `u32::MAX` for the end of the capture.
    pub(super) frame: FrameNo,
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
    /// Flows that ended.
    pub(super) ended_flows: u64,
}

/// What parsers need beside the bytes.
#[derive(Debug)]
struct Reader {
    budget: Budget,
    certificates: tls::CertificateCache,
    wanted: http1::Wanted,
    http: Vec<http1::Ended>,
    tls: Vec<tls::Ended>,
    dns: Vec<dns::TcpMessage>,
}

#[derive(Debug, Default)]
struct State {
    parser: Parser,
    ordinal: u32,
    lookups: Lookups,
}

#[derive(Debug)]
enum Parser {
    /// TCP whose protocol is not clear; what came so far.
    Unclear(Vec<Run<'static>>),
    Http(Box<http1::Connection>),
    Tls {
        connection: Box<tls::Connection>,
        done: bool,
    },
    DnsTcp(Box<dns::TcpReader>),
    /// DNS in datagrams.
    Dns,
    /// UDP, so many datagrams tried.
    Datagrams(u8),
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
    pub(super) fn new(index: usize, shards: usize, wanted: http1::Wanted, budget: &Budget) -> Self {
        Self {
            index: index as u64,
            shards: shards as u64,
            reader: Reader {
                budget: budget.clone(),
                certificates: tls::CertificateCache::default(),
                wanted,
                http: Vec::new(),
                tls: Vec::new(),
                dns: Vec::new(),
            },
            flows: FlowTable::new(budget),
            states: Vec::new(),
            ended_flows: 0,
        }
    }

    /// Also keeps decoded bodies; for reading one flow again.
    pub(super) fn with_bodies(budget: &Budget) -> Self {
        Self::new(0, 1, http1::Wanted::Bodies, budget)
    }

    /// Reads its units of a block.
    pub(super) fn read(&mut self, block: &Block, out: &mut Vec<Event>) {
        let mut runs = Vec::new();
        let mut earlier = block.earlier.iter().peekable();
        let mut sweeps = block.sweeps.iter().peekable();
        for (index, unit) in block.units.iter().enumerate() {
            while let Some(sweep) = sweeps.next_if(|s| s.before_unit <= index) {
                self.sweep(sweep.now, sweep.frame, out);
            }
            let mine = self.shards == 1 || (unit.hash >> 40) % self.shards == self.index;
            let slot = mine.then(|| self.locate(unit, out));
            while let Some((_, frame, offset)) = earlier.next_if(|(of, ..)| *of <= index) {
                if let Some(slot) = slot {
                    self.flows.add_frame(slot, *frame, *offset);
                }
            }
            if let Some(slot) = slot {
                self.flows.accept(slot, unit, block.payload(index), &mut runs);
                self.feed(slot, &mut runs, out);
            }
        }
        for sweep in sweeps {
            self.sweep(sweep.now, sweep.frame, out);
        }
    }

    /// Reads one unit with its payload.
    pub(super) fn read_unit(&mut self, unit: &Unit, payload: &[u8], out: &mut Vec<Event>) {
        let slot = self.locate(unit, out);
        let mut runs = Vec::new();
        self.flows.accept(slot, unit, payload, &mut runs);
        self.feed(slot, &mut runs, out);
    }

    /// Ends all flows, oldest first.
    pub(super) fn finish(&mut self, out: &mut Vec<Event>) {
        for slot in self.flows.open_slots() {
            self.end(slot, FrameNo(u32::MAX), out);
        }
    }

    /// Limits that its flows reached.
    pub(super) fn limits(&self) -> Vec<LimitHit> {
        self.flows.limits()
    }

    fn locate(&mut self, unit: &Unit, out: &mut Vec<Event>) -> Slot {
        let mut reused = Vec::new();
        let slot = self.flows.locate(unit, &mut reused);
        for old in reused {
            self.end(old, unit.frame, out);
        }
        if self.states.len() <= slot.0 {
            self.states.resize_with(slot.0 + 1, State::default);
        }
        slot
    }

    fn sweep(&mut self, now: Timestamp, frame: FrameNo, out: &mut Vec<Event>) {
        let mut silent = Vec::new();
        self.flows.idle(now, &mut silent);
        for slot in silent {
            self.end(slot, frame, out);
        }
    }

    fn feed(&mut self, slot: Slot, runs: &mut Vec<Run<'_>>, out: &mut Vec<Event>) {
        if runs.is_empty() {
            return;
        }
        let flow = self.flows.flow(slot);
        let Some(state) = self.states.get_mut(slot.0) else { return };
        for run in runs.drain(..) {
            state.feed(run.frame, flow, run, &mut self.reader, out);
        }
    }

    fn end(&mut self, slot: Slot, frame: FrameNo, out: &mut Vec<Event>) {
        let mut runs = Vec::new();
        let mut flow = self.flows.close(slot, &mut runs);
        let mut state = self.states.get_mut(slot.0).map(std::mem::take).unwrap_or_default();
        for run in runs {
            state.feed(frame, &flow, run, &mut self.reader, out);
        }
        state.finish(frame, &flow, &mut self.reader, out);
        let frames = flow.frames.take();
        out.push(Event { frame, flow: flow.id, found: Found::Flow(frames) });
        self.ended_flows += 1;
    }
}

impl State {
    /// `stamp` is the frame that now takes effect: at a flow's end that is later than the run's own.
    fn feed(&mut self, stamp: FrameNo, flow: &Flow, run: Run<'_>, reader: &mut Reader, out: &mut Vec<Event>) {
        if flow.transport == Transport::Udp {
            return self.datagram(stamp, flow, &run, reader, out);
        }
        match &mut self.parser {
            Parser::Unclear(_) => self.try_out(stamp, flow, run, reader, out),
            Parser::Http(connection) => {
                let fed = connection.feed(&run, &mut reader.http);
                give(stamp, flow, connection, out);
                self.http_ended(stamp, flow, reader, out);
                match fed {
                    Feed::Going => {}
                    Feed::Done | Feed::NotThis => self.leave(stamp, flow, reader, out),
                    Feed::Switched(side, offset) => {
                        self.leave(stamp, flow, reader, out);
                        self.parser = Parser::default();
                        if let Some(rest) = after(&run, side, offset) {
                            self.feed(stamp, flow, rest, reader, out);
                        }
                    }
                }
            }
            Parser::Tls { connection, done } if !*done => {
                let fed = connection.feed(&run, &mut reader.certificates, &mut reader.tls);
                *done = matches!(fed, Feed::Done | Feed::NotThis);
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
                    && let Some(parser) = begins(bytes, reader)
                {
                    self.parser = parser;
                    self.feed(stamp, flow, run, reader, out);
                }
            }
            Parser::Tls { .. } | Parser::Dns | Parser::Datagrams(_) => {}
        }
    }

    /// The first bytes of a connection: held until a protocol knows them or none does.
    fn try_out(&mut self, stamp: FrameNo, flow: &Flow, run: Run<'_>, reader: &mut Reader, out: &mut Vec<Event>) {
        let Parser::Unclear(held) = &mut self.parser else { return };
        let RunKind::Data(bytes) = &run.kind else {
            // A hole or an end: what is held will not become clearer.
            if held.is_empty() {
                return;
            }
            let held = std::mem::take(held);
            let cut = matches!(run.kind, RunKind::Gap(_)) && http1::is_cut_request(&joined(&held, run.side));
            if cut {
                self.parser = http_parser(reader);
                for earlier in held {
                    self.feed(stamp, flow, earlier, reader, out);
                }
            } else {
                self.settle(stamp, flow, held, reader, out);
            }
            return self.feed(stamp, flow, run, reader, out);
        };
        let before: usize = held.iter().filter(|r| r.side == run.side).map(run_len).sum();
        let verdict = if before == 0 {
            sniff(bytes, flow, reader)
        } else {
            let mut all = joined(held, run.side);
            all.extend_from_slice(bytes);
            sniff(&all, flow, reader)
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
        stamp: FrameNo,
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
    fn leave(&mut self, stamp: FrameNo, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        self.finish(stamp, flow, reader, out);
        self.parser = Parser::Other;
    }

    /// Lets the parser give what it still holds.
    fn finish(&mut self, stamp: FrameNo, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        match std::mem::replace(&mut self.parser, Parser::Other) {
            Parser::Http(mut connection) => {
                connection.finish(&mut reader.http);
                give(stamp, flow, &mut connection, out);
                self.http_ended(stamp, flow, reader, out);
            }
            Parser::Tls { mut connection, .. } => {
                connection.finish(flow.bytes, &mut reader.tls);
                self.tls_ended(stamp, flow, reader, out);
            }
            Parser::Unclear(held) if !held.is_empty() => {
                self.settle(stamp, flow, held, reader, out);
                if !matches!(self.parser, Parser::Other) {
                    self.finish(stamp, flow, reader, out);
                }
            }
            Parser::Unclear(_) | Parser::DnsTcp(_) | Parser::Dns | Parser::Datagrams(_) | Parser::Other => {}
        }
        for exchange in self.lookups.give_up(flow) {
            self.push(stamp, flow, exchange, None, out);
        }
    }

    fn datagram(&mut self, stamp: FrameNo, flow: &Flow, run: &Run<'_>, reader: &mut Reader, out: &mut Vec<Event>) {
        let RunKind::Data(bytes) = &run.kind else { return };
        if let Parser::Unclear(_) = self.parser {
            self.parser = Parser::Datagrams(0);
        }
        if let Parser::Datagrams(tried) = self.parser {
            self.parser = if is_dns_port(flow) && dns::message(bytes, &reader.budget).is_some() || dns::sniff(bytes) {
                Parser::Dns
            } else if tls::sniff_dtls(bytes) {
                Parser::Tls { connection: Box::new(tls::Connection::dtls(&reader.budget)), done: false }
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
                    bytes: Vec::new(),
                };
                self.dns_message(stamp, flow, (&seen, bytes), reader, out);
            }
            Parser::Tls { connection, done } if !*done => {
                let fed = connection.feed(run, &mut reader.certificates, &mut reader.tls);
                *done = matches!(fed, Feed::Done | Feed::NotThis);
                self.tls_ended(stamp, flow, reader, out);
            }
            _ => {}
        }
    }

    /// A message with where it was seen; over UDP its bytes are the datagram's.
    fn dns_message(
        &mut self,
        stamp: FrameNo,
        flow: &Flow,
        (seen, bytes): (&dns::TcpMessage, &[u8]),
        reader: &Reader,
        out: &mut Vec<Event>,
    ) {
        let Some(message) = dns::message(bytes, &reader.budget) else { return };
        // On another port each message has to look like one; and one that is cut before it says anything is none.
        let says_nothing = !message.complete && message.questions.is_empty() && message.answers.is_empty();
        if says_nothing || !is_dns_port(flow) && !dns::sniff(bytes) {
            return;
        }
        for exchange in self.lookups.offer(flow, seen, message) {
            self.push(stamp, flow, exchange, None, out);
        }
    }

    fn http_ended(&mut self, stamp: FrameNo, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        let mut ended = std::mem::take(&mut reader.http);
        for end in ended.drain(..) {
            let http = &end.http;
            let messages = || http.request.iter().chain(&http.interim).chain(&http.response);
            let Some(first) = messages().min_by_key(|m| m.first_frame) else { continue };
            let Some(last) = messages().max_by_key(|m| m.last_frame) else { continue };
            let (first_frame, time) = (first.first_frame, first.time);
            let (last_frame, end_time) = (last.last_frame, last.end_time);
            let exchange = exchange(
                flow,
                end.swapped,
                ((first_frame, time), (last_frame, end_time)),
                Detail::Http(Box::new(end.http)),
                end.anomalies,
            );
            self.push(stamp, flow, exchange, end.bodies, out);
        }
        reader.http = ended;
    }

    fn tls_ended(&mut self, stamp: FrameNo, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
        let mut ended = std::mem::take(&mut reader.tls);
        for end in ended.drain(..) {
            let places = ((end.frames.0, end.times.0), (end.frames.1, end.times.1));
            let exchange = exchange(flow, end.swapped, places, Detail::Tls(Box::new(end.session)), end.anomalies);
            self.push(stamp, flow, exchange, None, out);
        }
        reader.tls = ended;
    }

    fn push(
        &mut self,
        frame: FrameNo,
        flow: &Flow,
        mut exchange: Exchange,
        bodies: Option<[Vec<u8>; 2]>,
        out: &mut Vec<Event>,
    ) {
        exchange.ordinal = self.ordinal;
        self.ordinal = self.ordinal.saturating_add(1);
        out.push(Event { frame, flow: flow.id, found: Found::Exchange(exchange, bodies) });
    }
}

/// Passes on what responses handed out, before the exchange itself: a client may use a URL while the rest still comes.
fn give(stamp: FrameNo, flow: &Flow, connection: &mut http1::Connection, out: &mut Vec<Event>) {
    for given in connection.take_given() {
        let (client, server) = if given.swapped { (flow.server, flow.client) } else { (flow.client, flow.server) };
        let host = if given.host.is_empty() { server.ip.to_string().into() } else { given.host };
        let found = Found::Links(Given {
            flow: flow.id,
            message: given.message,
            client: client.ip,
            host,
            time: given.time,
            links: given.links,
        });
        out.push(Event { frame: stamp, flow: flow.id, found });
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
        detail,
        anomalies,
    }
}

/// The parser that knows these first bytes; else whether more bytes could tell.
fn sniff(bytes: &[u8], flow: &Flow, reader: &Reader) -> Result<Parser, Sniff> {
    let http = http1::sniff(bytes);
    if http == Sniff::Yes {
        return Ok(http_parser(reader));
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
    let unclear = http == Sniff::NeedMore || tls == Sniff::NeedMore || is_dns_port(flow) && bytes.len() < 1_024;
    Err(if unclear { Sniff::NeedMore } else { Sniff::No })
}

/// A parser for a protocol that begins in the middle of a flow.
fn begins(bytes: &[u8], reader: &Reader) -> Option<Parser> {
    // A handshake record with a ClientHello: type 22, version 3.x, message type 1 (RFC 8446 section 5.1).
    if let [22, 3, _, _, _, 1, ..] = bytes {
        return (tls::Connection::sniff(bytes) == Sniff::Yes).then(|| tls_parser(reader));
    }
    (http1::sniff(bytes) == Sniff::Yes).then(|| http_parser(reader))
}

fn http_parser(reader: &Reader) -> Parser {
    Parser::Http(Box::new(http1::Connection::new(&reader.budget, reader.wanted)))
}

fn tls_parser(reader: &Reader) -> Parser {
    Parser::Tls { connection: Box::new(tls::Connection::new(&reader.budget)), done: false }
}

/// DNS, mDNS (RFC 6762) and LLMNR (RFC 4795): there a shorter look is enough, elsewhere the whole message must be sound.
fn is_dns_port(flow: &Flow) -> bool {
    [flow.client.port, flow.server.port].iter().any(|p| matches!(p, 53 | 5_353 | 5_355))
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
