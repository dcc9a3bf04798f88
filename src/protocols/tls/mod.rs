//! TLS as an observer without keys sees it: hellos, certificates up to TLS 1.2, and how much was said.
//!
//! Comes in: runs of a TCP stream, or datagrams. Goes out: one session for each ClientHello. Never: a key, a verdict on
//! a certificate.

mod certificate;
mod dtls;
mod fingerprint;
mod handshake;
mod record;

#[cfg(test)]
mod tests;

pub use certificate::CertificateCache;

use super::{Feed, Sniff};
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Budget, ClientHello, FrameNo, Run, RunKind, ServerHello, Side, Timestamp,
    TlsSession, TlsTransport,
};
use handshake::{Assembly, Got, Message, Offer};
use record::{Layer, Next};

/// A session that will not change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What was seen of it.
    pub session: TlsSession,
    /// Whether the flow table's Server side is the TLS client.
    pub swapped: bool,
    /// Odd things met on the way.
    pub anomalies: Vec<Anomaly>,
    /// Its first and last frame.
    pub frames: (FrameNo, FrameNo),
    /// When those were captured.
    pub times: (Timestamp, Timestamp),
}

/// Follows the handshake of one flow.
#[derive(Debug)]
pub struct Connection {
    carrier: Carrier,
    session: Session,
}

#[derive(Debug)]
enum Carrier {
    Stream { client: Half, server: Half },
    Datagrams { client: dtls::Flights, server: dtls::Flights },
}

/// One side of a stream.
#[derive(Debug, Default)]
struct Half {
    layer: Layer,
    assembly: Assembly,
    /// Some byte came.
    begun: bool,
    /// The SSL 2.0 form of the ClientHello is being collected.
    old_hello: bool,
    /// A record was found.
    found: bool,
    /// ChangeCipherSpec came: up to TLS 1.2 all that follows is encrypted.
    changed: bool,
    /// Application data came.
    data: bool,
    /// A hole was passed: what looks like a handshake message may be anything.
    guessing: bool,
    /// It is not known where the next record begins.
    lost: bool,
}

impl Connection {
    /// TLS over TCP.
    pub fn new(budget: &Budget) -> Self {
        Self {
            carrier: Carrier::Stream { client: Half::default(), server: Half::default() },
            session: Session::new(TlsTransport::Tcp, budget),
        }
    }

    /// DTLS: each run is one datagram.
    pub fn dtls(budget: &Budget) -> Self {
        Self {
            carrier: Carrier::Datagrams { client: dtls::Flights::default(), server: dtls::Flights::default() },
            session: Session::new(TlsTransport::Dtls, budget),
        }
    }

    /// Whether a stream's first bytes are a TLS record with something plausible in it, or an SSL 2.0 ClientHello.
    pub fn sniff(bytes: &[u8]) -> Sniff {
        if bytes.first().is_some_and(|b| *b >= 0x80) {
            return match handshake::old_hello_len(bytes) {
                Ok(_) => Sniff::Yes,
                Err(true) => Sniff::NeedMore,
                Err(false) => Sniff::No,
            };
        }
        if !record::plausible(bytes) {
            return Sniff::No;
        }
        let [kind, _, _, high, low, first, ..] = bytes else { return Sniff::NeedMore };
        let len = u16::from_be_bytes([*high, *low]);
        let fits = match *kind {
            // A hello's first length byte is 0 below 64 KiB; 3 is far above the limit.
            record::HANDSHAKE => {
                let hello = matches!(*first, handshake::CLIENT_HELLO | handshake::SERVER_HELLO);
                handshake::known(*first) && len >= 1 && (!hello || bytes.get(6).is_none_or(|b| *b <= 3))
            }
            record::CHANGE_CIPHER_SPEC => len == 1 && *first == 1,
            record::ALERT => len > 2 || len == 2 && matches!(*first, 1 | 2),
            record::APPLICATION_DATA => len > 0,
            _ => false,
        };
        if fits { Sniff::Yes } else { Sniff::No }
    }

    /// Takes a run; sessions that a retry ended are appended to `out`.
    pub fn feed(&mut self, run: &Run<'_>, certificates: &mut CertificateCache, out: &mut Vec<Ended>) -> Feed {
        if let RunKind::Data(bytes) = &run.kind {
            self.session.touch(run, bytes.len());
        }
        match &mut self.carrier {
            Carrier::Stream { client, server } => {
                let half = if run.side == Side::Client { &mut *client } else { &mut *server };
                match &run.kind {
                    RunKind::Data(bytes) => half.data(bytes, run, &mut self.session, certificates, out),
                    RunKind::Gap(len) => half.gap(*len, run, &mut self.session),
                    RunKind::End => {}
                }
                let here = if run.side == Side::Client { &*client } else { &*server };
                if here.lost && !client.found && !server.found {
                    return Feed::NotThis;
                }
                let session = &self.session;
                let early = session.sealed && session.hello.is_some();
                if early || client.past(session) && server.past(session) { Feed::Done } else { Feed::Going }
            }
            Carrier::Datagrams { client, server } => {
                let RunKind::Data(bytes) = &run.kind else { return Feed::Going };
                let (flights, others) =
                    if run.side == Side::Client { (&mut *client, &mut *server) } else { (&mut *server, &mut *client) };
                datagram(bytes, run, (flights, others), &mut self.session, certificates, out);
                let early = self.session.sealed && self.session.hello.is_some();
                if early || client.sealed && server.sealed { Feed::Done } else { Feed::Going }
            }
        }
    }

    /// The flow is over: appends the session under way, if a hello or a certificate was seen. `bytes` are the stream
    /// bytes of the flow's client and server side.
    pub fn finish(&mut self, bytes: [u64; 2], out: &mut Vec<Ended>) {
        if let Carrier::Stream { client, server } = &self.carrier {
            for half in [client, server] {
                if let Some((frame, offset)) = half.assembly.unfinished().filter(|_| !half.guessing) {
                    self.session.odd(AnomalyKind::CutShort, frame, offset);
                }
            }
        }
        self.session.seen = bytes;
        self.session.end(out);
    }
}

/// Whether a datagram opens a DTLS association.
pub fn sniff_dtls(bytes: &[u8]) -> bool {
    dtls::sniff(bytes)
}

impl Half {
    /// Whether nothing readable will come on this side any more.
    fn past(&self, session: &Session) -> bool {
        self.lost || self.data || self.changed && !session.retried
    }

    /// Whether handshake records are still plain. In TLS 1.3 a ChangeCipherSpec means nothing and early data may come
    /// before a second hello (RFC 8446 appendix D.4, section 4.2.10).
    fn open(&self, session: &Session) -> bool {
        !session.sealed && (session.retried || !self.changed && !self.data)
    }

    fn data(
        &mut self,
        bytes: &[u8],
        run: &Run<'_>,
        session: &mut Session,
        certificates: &mut CertificateCache,
        out: &mut Vec<Ended>,
    ) {
        let end = run.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
        let mut rest = bytes;
        if !self.begun && !rest.is_empty() {
            self.begun = true;
            self.old_hello = rest.first().is_some_and(|b| *b >= 0x80);
        }
        if self.old_hello {
            self.collect_old_hello(&mut rest, end, run, session, out);
        }
        while !self.lost && !self.old_hello {
            match self.layer.next(&mut rest) {
                Next::NeedMore => return,
                Next::Bad => {
                    if self.found && !self.guessing && !self.past(session) {
                        session.odd(AnomalyKind::BadTls, run.frame, place(end, rest));
                    }
                    self.lose();
                }
                Next::Fragment(fragment) => {
                    self.found = true;
                    match fragment.kind {
                        record::HANDSHAKE if self.open(session) => {
                            let end = place(end, rest);
                            self.handshake(fragment.bytes, end, run, session, certificates, out);
                        }
                        record::CHANGE_CIPHER_SPEC if fragment.begins => self.changed = true,
                        record::APPLICATION_DATA if fragment.begins => self.data = true,
                        _ => {}
                    }
                }
            }
        }
    }

    /// Handshake bytes that stop at stream offset `end`.
    fn handshake(
        &mut self,
        bytes: &[u8],
        end: u64,
        run: &Run<'_>,
        session: &mut Session,
        certificates: &mut CertificateCache,
        out: &mut Vec<Ended>,
    ) {
        let mut rest = bytes;
        loop {
            match self.assembly.next(&mut rest, end, run.frame, session.handshake_bytes) {
                Got::Message(message) => session.message(run.side, &message, run, certificates, out),
                Got::TooLong(offset) => session.odd(AnomalyKind::Limit, run.frame, offset),
                Got::NeedMore => return,
                Got::Bad => {
                    if !self.guessing {
                        session.odd(AnomalyKind::BadTls, run.frame, place(end, rest));
                    }
                    self.assembly.clear();
                    // Records go on; only their content is no longer understood.
                    self.changed = true;
                    return;
                }
            }
        }
    }

    /// The SSL 2.0 form, which TLS clients sent to servers of unknown age (RFC 5246 appendix E.2).
    fn collect_old_hello(
        &mut self,
        rest: &mut &[u8],
        end: u64,
        run: &Run<'_>,
        session: &mut Session,
        out: &mut Vec<Ended>,
    ) {
        // Eleven bytes tell the length of the whole.
        let mut want = 11;
        loop {
            if !self.assembly.collect(rest, want, end, run.frame) {
                return;
            }
            let message = self.assembly.collected(handshake::CLIENT_HELLO);
            match handshake::old_hello_len(message.bytes) {
                Ok(len) if message.bytes.len() >= len => {
                    session.old_client_hello(run, &message, out);
                    self.assembly.clear();
                    self.old_hello = false;
                    self.found = true;
                    return;
                }
                Ok(len) => want = len,
                Err(_) => {
                    self.old_hello = false;
                    return self.lose();
                }
            }
        }
    }

    fn gap(&mut self, len: u64, run: &Run<'_>, session: &mut Session) {
        let unfinished = self.assembly.unfinished();
        if let Some((_, offset)) = unfinished {
            session.odd(AnomalyKind::CutShort, run.frame, offset);
        }
        if self.old_hello {
            return self.lose();
        }
        self.begun = true;
        self.guessing = true;
        let inside = self.layer.pass(len).is_some_and(|handshake| self.assembly.pass(handshake));
        if !inside {
            // The next bytes may begin a record; if they do not, the layer will say so.
            self.layer = Layer::default();
            self.assembly.clear();
        }
    }

    fn lose(&mut self) {
        self.lost = true;
        self.assembly.clear();
    }
}

/// Stream offset of the first byte of `rest`, which stops at `end`.
fn place(end: u64, rest: &[u8]) -> u64 {
    end.saturating_sub(u64::try_from(rest.len()).unwrap_or_default())
}

/// Reads one datagram's records.
fn datagram(
    bytes: &[u8],
    run: &Run<'_>,
    (flights, others): (&mut dtls::Flights, &mut dtls::Flights),
    session: &mut Session,
    certificates: &mut CertificateCache,
    out: &mut Vec<Ended>,
) {
    let end = run.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
    let mut rest = bytes;
    while let Some(record) = dtls::record(&mut rest) {
        flights.sealed |= record.sealed;
        if record.sealed || record.kind != record::HANDSHAKE {
            continue;
        }
        let record_end = place(end, rest);
        let mut body = record.bytes;
        loop {
            let offset = place(record_end, body);
            let Some(fragment) = dtls::Fragment::take(&mut body) else {
                if !body.is_empty() {
                    session.odd(AnomalyKind::BadTls, run.frame, offset);
                }
                break;
            };
            if flights.has(fragment.number) {
                // Another random under a number that was used: not sent again, but another association.
                let fresh = fragment.kind == handshake::CLIENT_HELLO
                    && fragment.whole_random().is_some_and(|r| session.random.is_some_and(|old| old != *r));
                if !fresh {
                    continue;
                }
                session.end(out);
                flights.restart();
                others.restart();
            }
            if fragment.len > session.handshake_bytes {
                session.odd(AnomalyKind::Limit, run.frame, offset);
                flights.close(fragment.number);
                continue;
            }
            let Some(message) = flights.add(&fragment, offset, run.frame) else { continue };
            let before = out.len();
            session.message(run.side, &message, run, certificates, out);
            if message.kind == handshake::HELLO_VERIFY_REQUEST && out.len() > before {
                // Some servers number their messages anew after it.
                flights.restart();
            }
        }
    }
}

/// What is known of the session under way.
#[derive(Debug)]
struct Session {
    transport: TlsTransport,
    handshake_bytes: usize,
    chain_certificates: usize,
    /// Who sent the ClientHello.
    asker: Option<Side>,
    hello: Option<ClientHello>,
    /// The hello's random.
    random: Option<[u8; 32]>,
    /// The hello has a DTLS cookie.
    cookie: bool,
    answer: Option<ServerHello>,
    certificates: Vec<std::sync::Arc<crate::model::Certificate>>,
    client_certificates: Vec<std::sync::Arc<crate::model::Certificate>>,
    certificate_frame: Option<FrameNo>,
    anomalies: Vec<Anomaly>,
    first: Option<(FrameNo, Timestamp)>,
    last: (FrameNo, Timestamp),
    /// A HelloRetryRequest came.
    retried: bool,
    /// The version chosen encrypts all that follows.
    sealed: bool,
    /// Stream bytes of the flow's client and server side so far.
    seen: [u64; 2],
}

impl Session {
    fn new(transport: TlsTransport, budget: &Budget) -> Self {
        Self {
            transport,
            handshake_bytes: budget.handshake_bytes,
            chain_certificates: budget.chain_certificates,
            asker: None,
            hello: None,
            random: None,
            cookie: false,
            answer: None,
            certificates: Vec::new(),
            client_certificates: Vec::new(),
            certificate_frame: None,
            anomalies: Vec::new(),
            first: None,
            last: (FrameNo(0), Timestamp(0)),
            retried: false,
            sealed: false,
            seen: [0; 2],
        }
    }

    fn touch(&mut self, run: &Run<'_>, len: usize) {
        self.last = (run.frame, run.time);
        self.first.get_or_insert(self.last);
        let end = run.offset.saturating_add(u64::try_from(len).unwrap_or_default());
        let [client, server] = &mut self.seen;
        let seen = if run.side == Side::Client { client } else { server };
        *seen = end.max(*seen);
    }

    fn odd(&mut self, kind: AnomalyKind, frame: FrameNo, offset: u64) {
        let anomaly = Anomaly { kind, frame, offset, len: 0 };
        // One of a kind at a frame is enough, and no stranger fills the list.
        if self.anomalies.len() < 64 && !self.anomalies.iter().any(|a| a.kind == kind && a.frame == frame) {
            self.anomalies.push(anomaly);
        }
    }

    fn message(
        &mut self,
        side: Side,
        message: &Message<'_>,
        run: &Run<'_>,
        certificates: &mut CertificateCache,
        out: &mut Vec<Ended>,
    ) {
        match message.kind {
            handshake::CLIENT_HELLO => {
                match handshake::client_hello(message.bytes, self.transport == TlsTransport::Dtls) {
                    Some(offer) => self.client_hello(side, message, &offer, run, out),
                    None => self.odd(AnomalyKind::BadTls, run.frame, message.offset),
                }
            }
            handshake::SERVER_HELLO => match handshake::server_hello(message.body()) {
                Some(choice) => self.server_hello(side, message, &choice, run, out),
                None => self.odd(AnomalyKind::BadTls, run.frame, message.offset),
            },
            // A verified client repeats its hello with the cookie: that one is a session of its own.
            handshake::HELLO_VERIFY_REQUEST if self.hello.is_some() && !self.cookie && self.asker != Some(side) => {
                self.end(out);
            }
            handshake::CERTIFICATE => self.chain(side, message, run, certificates),
            _ => {}
        }
    }

    fn client_hello(
        &mut self,
        side: Side,
        message: &Message<'_>,
        offer: &Offer<'_>,
        run: &Run<'_>,
        out: &mut Vec<Ended>,
    ) {
        if self.asker.is_some_and(|asker| asker != side) {
            return self.odd(AnomalyKind::BadTls, run.frame, message.offset);
        }
        if self.hello.is_some() {
            // The retry that this hello answers is not in the capture.
            self.end(out);
            self.resume(message.first_frame, run);
        }
        if !offer.sound {
            self.odd(AnomalyKind::BadTls, run.frame, message.offset);
        }
        let first_alpn = offer.alpn.first().map(|r| r.of(message.bytes));
        self.asker = Some(side);
        self.random = offer.random.try_into().ok();
        self.cookie = offer.cookie;
        self.hello = Some(ClientHello {
            frame: run.frame,
            first_frame: message.first_frame,
            block: message.bytes.into(),
            spans: message.spans.to_vec(),
            stream_offset: message.offset,
            sni: offer.sni,
            alpn: offer.alpn.clone(),
            version: offer.highest_version(self.transport == TlsTransport::Dtls),
            ja3: fingerprint::ja3(offer),
            ja4: fingerprint::ja4(offer, first_alpn, self.transport),
            ech: offer.ech,
        });
    }

    /// `message` is the SSL 2.0 record; its block begins after the two length bytes. JA4 is not defined for it.
    fn old_client_hello(&mut self, run: &Run<'_>, message: &Message<'_>, out: &mut Vec<Ended>) {
        let block = message.bytes.get(2..).unwrap_or_default();
        let Some(offer) = handshake::old_hello(block) else { return };
        let mut spans: Vec<BlockSpan> = Vec::with_capacity(message.spans.len());
        for span in message.spans {
            let at = span.at.saturating_sub(2);
            // A frame that brought length bytes only carries nothing of the block.
            if at == 0 {
                spans.clear();
            }
            spans.push(BlockSpan { at, frame: span.frame });
        }
        let offset = message.offset.saturating_add(2);
        let inner = Message { bytes: block, spans: &spans, offset, ..*message };
        self.client_hello(run.side, &inner, &offer, run, out);
        if let Some(hello) = &mut self.hello {
            hello.ja4.clear();
        }
    }

    fn server_hello(
        &mut self,
        side: Side,
        message: &Message<'_>,
        choice: &handshake::Choice<'_>,
        run: &Run<'_>,
        out: &mut Vec<Ended>,
    ) {
        if self.asker == Some(side) || self.answer.is_some() {
            return self.odd(AnomalyKind::BadTls, run.frame, message.offset);
        }
        if !choice.sound {
            self.odd(AnomalyKind::BadTls, run.frame, message.offset);
        }
        self.asker = Some(side.other());
        self.answer = Some(ServerHello {
            frame: run.frame,
            version: choice.version,
            cipher: choice.cipher,
            alpn: choice.alpn.map(Into::into),
            retry: choice.retry,
        });
        if choice.retry {
            self.retried = true;
            self.end(out);
        } else {
            self.sealed = handshake::seals_early(choice.version);
        }
    }

    fn chain(&mut self, side: Side, message: &Message<'_>, run: &Run<'_>, cache: &mut CertificateCache) {
        let from_client = self.asker.map_or(side == Side::Client, |asker| asker == side);
        let slot = if from_client { &mut self.client_certificates } else { &mut self.certificates };
        if !slot.is_empty() {
            return;
        }
        let chain = certificate::chain(message.body(), self.chain_certificates, cache);
        *slot = chain.certificates;
        if !from_client && !slot.is_empty() {
            self.certificate_frame = Some(run.frame);
        }
        if !chain.sound {
            self.odd(AnomalyKind::BadTls, run.frame, message.offset);
        }
        if chain.cut {
            self.odd(AnomalyKind::Limit, run.frame, message.offset);
        }
    }

    /// A session begins in the middle of a run.
    fn resume(&mut self, first_frame: FrameNo, run: &Run<'_>) {
        self.first = Some((first_frame.min(run.frame), run.time));
    }

    /// Gives the session, if anything of it was seen, and makes room for the next one of the same client.
    fn end(&mut self, out: &mut Vec<Ended>) {
        let anomalies = std::mem::take(&mut self.anomalies);
        let first = self.first.take();
        let (hello, answer) = (self.hello.take(), self.answer.take());
        let certificates = std::mem::take(&mut self.certificates);
        let client_certificates = std::mem::take(&mut self.client_certificates);
        let certificate_frame = self.certificate_frame.take();
        (self.random, self.cookie, self.sealed) = (None, false, false);
        if hello.is_none() && answer.is_none() && certificates.is_empty() && client_certificates.is_empty() {
            return;
        }
        let swapped = self.asker == Some(Side::Server);
        let [client, server] = self.seen;
        let bytes = if swapped { [server, client] } else { [client, server] };
        let first = first.unwrap_or(self.last);
        out.push(Ended {
            session: TlsSession {
                transport: self.transport,
                client_hello: hello,
                server_hello: answer,
                certificates,
                client_certificates,
                certificate_frame,
                bytes,
            },
            swapped,
            anomalies,
            frames: (first.0, self.last.0),
            times: (first.1, self.last.1),
        });
    }
}
