//! One flow being read: its runs go to the parser that knows them, what a parser opens goes the same road, and what ends
//! becomes an exchange.

use std::sync::Arc;

use super::begin::{
    HELD_BYTES, after, after_handshake, begins, http_parser, http2_parser, is_dns_port, joined, owned, run_len, sniff,
    socks_said,
};
use super::found::{Contents, Event, Found, ShortPacket, exchange};
use super::pairing::{Lookups, over_http};
use super::walk::Stamp;
use crate::evidence::{Given, is_relay, resolver};
use crate::model::{
    Budget, ClientHello, Detail, DnsOver, Envelope, Exchange, FlowId, FrameNo, HttpExchange, Proxied, ProxyKind, Run,
    RunKind, Side, StartLine, TlsTransport, Transport, Tunnel, TunnelKind, Unit,
};
use crate::protocols::{Feed, Sniff, dns, http, http1, http2, http3, quic, socks, tls, vpn};
use crate::streams::{Flow, Slot};

/// Datagrams of a flow that are looked at before it is left alone.
const TRIED_DATAGRAMS: u8 = 4;

/// Exchanges that are read inside TLS count from here, so that they and the sessions of their flow have numbers of their
/// own.
const INSIDE: u32 = 1 << 31;

/// Lookups that HTTP carried count from here on top of the number of the exchange that carried them.
const CARRIED: u32 = 1 << 30;

/// Whose bytes a piece of a conversation is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// What the flow carried as it stands in the capture.
    Wire,
    /// What keys made readable of it.
    Opened,
}

/// What parsers need beside the bytes.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) budget: Budget,
    pub(super) tools: tls::Tools,
    pub(super) wanted: http::Wanted,
    pub(super) http: Vec<http::Ended>,
    pub(super) tls: Vec<tls::Ended>,
    pub(super) quic: Vec<quic::Ended>,
    pub(super) dns: Vec<dns::TcpMessage>,
    /// A flow turned out to be QUIC.
    pub(super) is_quic: bool,
    /// What the flow's ends said, where somebody listens: taken after each frame, so that it holds no more than one completes.
    pub(super) heard: Option<Vec<(Layer, Run<'static>)>>,
}

impl Reader {
    pub(super) fn new(wanted: http::Wanted, budget: &Budget) -> Self {
        Self {
            budget: budget.clone(),
            tools: tls::Tools::default(),
            wanted,
            http: Vec::new(),
            tls: Vec::new(),
            quic: Vec::new(),
            dns: Vec::new(),
            is_quic: false,
            heard: None,
        }
    }

    pub(super) fn hear(&mut self, layer: Layer, run: &Run<'_>) {
        if let Some(heard) = &mut self.heard {
            heard.push((layer, owned(run.clone())));
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) parser: Parser,
    /// The number of the flow's next exchange; an HTTP connection counts on from here until it is left.
    ordinal: u32,
    lookups: Lookups,
    /// Rows of the flow came or changed since its frames were handed over.
    pub(super) news: bool,
    /// The flow has rows.
    pub(super) listed: bool,
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
pub(super) enum Parser {
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

impl State {
    /// `stamp` is what now takes effect: where bytes waited, or at a flow's end, that is later than the run's own frame.
    pub(super) fn feed(&mut self, stamp: Stamp, flow: &Flow, run: Run<'_>, reader: &mut Reader, out: &mut Vec<Event>) {
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
    pub(super) fn finish(&mut self, stamp: Stamp, flow: &Flow, reader: &mut Reader, out: &mut Vec<Event>) {
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
    pub(super) fn is_met(&self, flow: &Flow, unit: &Unit, target: &[u8]) -> bool {
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
    pub(super) fn show_open(&mut self, flow: &Flow, out: &mut Vec<Event>) {
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

/// Tells of a session in which names may be asked, when it begins: it may go on for as long as the capture.
fn tell_resolver(stamp: Stamp, flow: &Flow, (hello, asker): (&ClientHello, Side), out: &mut Vec<Event>) {
    let (client, server) = if asker == Side::Client { (flow.client, flow.server) } else { (flow.server, flow.client) };
    let offered = hello.alpn.iter().map(|range| range.of(&hello.block));
    if resolver(hello.sni_bytes(), offered, TlsTransport::Tcp, server).is_some() {
        let found = Found::Resolver(client.ip, hello.first_frame);
        out.push(Event { stamp, flow: flow.id, found });
    }
}
