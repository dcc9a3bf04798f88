//! TLS as an observer sees it: hellos, certificates up to TLS 1.2, how much was said; with a key log also what was said.
//!
//! Comes in: runs of a TCP stream, datagrams, or the CRYPTO bytes of QUIC, and secrets. Goes out: one session for each
//! ClientHello, and plaintext that was authenticated. Never: a secret, a root of the machine's own.

mod algorithms;
mod certificate;
mod der;
mod dtls;
mod fingerprint;
mod handshake;
mod inflate;
mod opening;
mod protection;
mod record;
mod roots;
mod schedule;
mod session;
mod stapled;
mod suite;
mod trust;

#[cfg(test)]
mod opening_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trust_tests;

pub use certificate::CertificateCache;
pub use opening::Tools;
pub(super) use protection::PacketCipher;
pub(super) use schedule::expand_label;
pub(super) use session::Tally;
pub(super) use suite::{Cipher, Hash, Suite as CipherSuite, suite as cipher_suite};

use super::{Feed, Sniff};
use crate::model::{
    Anomaly, AnomalyKind, Budget, ByteRange, ClientHello, Decryption, Envelope, FrameNo, Limit, Run, RunKind, Side,
    Timestamp, TlsSession, TlsTransport,
};
use handshake::{Assembly, Got};
use opening::{Came, HeldLimits, Opening, Place};
use record::{Fragment, Layer, Next};
use session::Session;

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
    /// What is needed to decrypt, where there were keys, or might be, when the connection began.
    opening: Option<Box<Opening>>,
    /// What of it may be held.
    limits: HeldLimits,
    begun: bool,
    /// The hello was asked for.
    hello_told: bool,
}

#[derive(Debug)]
enum Carrier {
    Stream {
        client: Half,
        server: Half,
    },
    Datagrams {
        client: dtls::Flights,
        server: dtls::Flights,
    },
    /// Handshake messages without records (RFC 9001 section 4.1.3).
    Crypto {
        client: Half,
        server: Half,
        /// Messages under handshake keys, of client and server side.
        inside: [Assembly; 2],
    },
}

/// Bytes of a QUIC CRYPTO stream, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct CryptoBytes<'a> {
    /// Offset of the first one in the stream.
    pub(super) offset: u64,
    /// The frame that carried them.
    pub(super) frame: FrameNo,
    /// The bytes.
    pub(super) bytes: &'a [u8],
}

/// One side of a stream.
#[derive(Debug, Default)]
struct Half {
    framing: Framing,
    layer: Layer,
    assembly: Assembly,
    content: Content,
    /// A record was found.
    found: bool,
    /// A hole was passed: what looks like a handshake message may be anything.
    guessing: bool,
    /// The protected record that has begun, and how long it will be.
    sealed: Option<(Vec<u8>, usize)>,
}

/// How a side's bytes are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Framing {
    /// No byte came yet.
    #[default]
    Fresh,
    /// The SSL 2.0 form of the ClientHello is being collected.
    OldHello,
    /// Records.
    Records,
    /// It is not known where the next record begins.
    Lost,
}

/// How far a side is, as its content types tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    /// Handshake messages are plain.
    #[default]
    Plain,
    /// The change of the cipher spec came: up to TLS 1.2 all that follows is encrypted.
    Changed,
    /// Application data came.
    Data,
}

/// What a run's bytes work on.
struct Reading<'a, 'r> {
    run: &'a Run<'r>,
    session: &'a mut Session,
    opening: Option<&'a mut Opening>,
    tools: &'a mut Tools,
    out: &'a mut Vec<Ended>,
}

impl Reading<'_, '_> {
    fn message(&mut self, message: &handshake::Message<'_>) {
        let number = self.session.number;
        self.session.message(message, self.run, &mut self.tools.certificates, self.out);
        if self.session.number != number
            && let Some(opening) = &mut self.opening
        {
            opening.restart();
        }
    }

    /// Something came on the record layer, at that offset of the stream.
    fn came(&mut self, offset: u64, came: Came) {
        let place = Place { side: self.run.side, offset, frame: self.run.frame, time: self.run.time };
        if let Some(opening) = &mut self.opening {
            opening.came(place, came);
        }
    }
}

impl Connection {
    /// TLS over TCP.
    pub fn new(budget: &Budget) -> Self {
        Self {
            carrier: Carrier::Stream { client: Half::default(), server: Half::default() },
            session: Session::new(TlsTransport::Tcp, budget),
            opening: None,
            limits: HeldLimits::new(budget),
            begun: false,
            hello_told: false,
        }
    }

    /// DTLS: each run is one datagram.
    pub fn dtls(budget: &Budget) -> Self {
        Self {
            carrier: Carrier::Datagrams { client: dtls::Flights::default(), server: dtls::Flights::default() },
            session: Session::new(TlsTransport::Dtls, budget),
            opening: None,
            limits: HeldLimits::new(budget),
            // DTLS is not decrypted.
            begun: true,
            hello_told: false,
        }
    }

    /// TLS inside QUIC, asked by this side of the flow: see [`Connection::crypto`].
    pub(super) fn quic(asker: Side, budget: &Budget) -> Self {
        let mut session = Session::new(TlsTransport::Quic, budget);
        session.asker = Some(asker);
        Self {
            carrier: Carrier::Crypto {
                client: Half::default(),
                server: Half::default(),
                inside: [Assembly::of(handshake::read_inside), Assembly::of(handshake::read_inside)],
            },
            session,
            opening: None,
            limits: HeldLimits::new(budget),
            // QUIC has protection of its own.
            begun: true,
            hello_told: false,
        }
    }

    /// A packet of the connection came in this datagram.
    pub(super) fn touch(&mut self, run: &Run<'_>) {
        self.session.touch(run);
    }

    /// A side's datagrams were read up to this many bytes.
    pub(super) fn saw(&mut self, side: Side, bytes: u64) {
        self.session.saw(side, bytes);
    }

    /// CRYPTO bytes wait at the end for others that never came.
    pub(super) fn cut_short(&mut self) {
        self.session.cut_short();
    }

    /// A hello of Google's own QUIC came in this datagram.
    pub(super) fn google_hello(&mut self, block: &[u8], sni: Option<ByteRange>, run: &Run<'_>) {
        self.session.google_hello(block, sni, run);
    }

    /// Something odd came at this frame.
    pub(super) fn odd(&mut self, kind: AnomalyKind, frame: FrameNo, offset: u64) {
        self.session.odd(kind, frame, offset);
    }

    /// Takes the next bytes of the CRYPTO stream of `run`'s side, which the datagram `run` made readable.
    pub(super) fn crypto(&mut self, run: &Run<'_>, piece: &CryptoBytes<'_>, tools: &mut Tools, out: &mut Vec<Ended>) {
        let Carrier::Crypto { client, server, .. } = &mut self.carrier else { return };
        let half = if run.side == Side::Client { client } else { server };
        if half.plain(run.side, &self.session) {
            let end = piece.offset.saturating_add(u64::try_from(piece.bytes.len()).unwrap_or_default());
            let mut reading = Reading { run, session: &mut self.session, opening: None, tools, out };
            half.handshake(piece.bytes, (end, piece.frame), &mut reading);
        }
    }

    /// Takes the next bytes of the CRYPTO stream of handshake packets, which keys opened: what is in them is certain.
    pub(super) fn opened_crypto(
        &mut self,
        run: &Run<'_>,
        piece: &CryptoBytes<'_>,
        tools: &mut Tools,
        out: &mut Vec<Ended>,
    ) {
        let Carrier::Crypto { inside: [client, server], .. } = &mut self.carrier else { return };
        let assembly = if run.side == Side::Client { client } else { server };
        let session = &mut self.session;
        let end = piece.offset.saturating_add(u64::try_from(piece.bytes.len()).unwrap_or_default());
        let mut rest = piece.bytes;
        loop {
            match assembly.next(&mut rest, end, piece.frame, session.handshake_bytes) {
                Got::Message(message) => session.message(&message, run, &mut tools.certificates, out),
                Got::TooLong(offset) => session.odd(AnomalyKind::Limit(Limit::HandshakeBytes), piece.frame, offset),
                Got::NeedMore => return,
                Got::Bad(offset) => {
                    session.odd(AnomalyKind::BadTls, piece.frame, offset);
                    assembly.clear();
                    return;
                }
            }
        }
    }

    /// The client's random and the cipher suite, as far as they were seen.
    pub(super) fn agreed(&self) -> (Option<[u8; 32]>, Option<u16>) {
        (self.session.random, self.session.answer.as_ref().filter(|a| !a.retry).map(|a| a.cipher))
    }

    /// The application protocol that was chosen, else the first that was offered.
    pub(super) fn likely_protocol(&self) -> Option<&[u8]> {
        let offered = || {
            let hello = self.session.hello.as_ref()?;
            hello.alpn.first().map(|range| range.of(&hello.block))
        };
        self.protocol().or_else(offered)
    }

    /// Whether the server's certificates were seen.
    pub(super) fn has_chain(&self) -> bool {
        self.session.has_chain()
    }

    /// What keys opened of what QUIC packets carry.
    pub(super) fn opened(&mut self, tally: Tally) {
        self.session.decryption = tally;
    }

    /// Whether the server takes early data, once that is told.
    pub(super) fn takes_early_data(&self) -> Option<bool> {
        self.session.takes_early_data
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

    /// Takes a run; sessions that ended are appended to `out`, plaintext to that of the `tools`.
    pub fn feed(&mut self, run: &Run<'_>, tools: &mut Tools, out: &mut Vec<Ended>) -> Feed {
        if let RunKind::Data(_) = &run.kind {
            self.session.touch(run);
        }
        if !std::mem::replace(&mut self.begun, true) && tools.keys.may_open() {
            self.opening = Some(Box::new(Opening::new(&self.limits)));
            if let Carrier::Stream { client, server } = &mut self.carrier {
                client.assembly.wanted = handshake::read_for_keys;
                server.assembly.wanted = handshake::read_for_keys;
            }
        }
        let opening = self.opening.as_deref_mut();
        let mut reading = Reading { run, session: &mut self.session, opening, tools, out };
        let past = match &mut self.carrier {
            Carrier::Stream { client, server } => {
                let half = if run.side == Side::Client { &mut *client } else { &mut *server };
                match &run.kind {
                    RunKind::Data(bytes) => half.data(bytes, &mut reading),
                    RunKind::Gap(len) => half.gap(*len, &mut reading),
                    RunKind::End => reading.came(run.offset, Came::End),
                }
                if let Some(opening) = &mut self.opening {
                    opening.step(&mut self.session, tools, out, false);
                }
                if half.framing == Framing::Lost && !client.found && !server.found {
                    return Feed::NotThis;
                }
                client.past(&self.session) && server.past(&self.session)
            }
            Carrier::Datagrams { client, server } => {
                if let RunKind::Data(bytes) = &run.kind {
                    match run.side {
                        Side::Client => datagram(bytes, (client, server), &mut reading),
                        Side::Server => datagram(bytes, (server, client), &mut reading),
                    }
                }
                client.sealed && server.sealed
            }
            Carrier::Crypto { .. } => false,
        };
        if let RunKind::Data(bytes) = &run.kind {
            self.session.saw(run.side, run.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or_default()));
        }
        let early = self.session.sealed && self.session.hello.is_some();
        if self.opening.as_ref().is_some_and(|opening| !opening.is_over()) {
            return Feed::Going;
        }
        if early || past { Feed::Done } else { Feed::Going }
    }

    /// What is there of the session under way, if a hello or certificates came since this was last asked.
    pub fn preview(&mut self) -> Option<Ended> {
        self.session.preview()
    }

    /// The client's first message, once, when it is there, with the side of the flow that sent it.
    pub fn take_hello(&mut self) -> Option<(&ClientHello, Side)> {
        let hello = self.session.hello.as_ref().filter(|_| !self.hello_told)?;
        self.hello_told = true;
        Some((hello, self.session.asker.unwrap_or(Side::Client)))
    }

    /// What exchanges inside the session need of it.
    pub fn envelope(&self) -> Envelope {
        self.session.envelope()
    }

    /// The application protocol that was chosen (RFC 7301), where that is visible.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.session.answer.as_ref()?.alpn.as_deref()
    }

    /// The name that the client asked for, once the server answered with a hello.
    pub fn answered_name(&self) -> Option<&[u8]> {
        self.session.answered_name()
    }

    /// The flow is over: what waits for its secret is opened or given up.
    pub fn close(&mut self, tools: &mut Tools, out: &mut Vec<Ended>) {
        if let Some(opening) = &mut self.opening {
            opening.finish(&mut self.session, tools, out);
        }
        if matches!(self.carrier, Carrier::Datagrams { .. }) && tools.keys.may_open() {
            self.session.decryption.why_not = Decryption::Unsupported;
        }
    }

    /// The flow is over and [`Self::close`]d: appends the session under way, if a hello or a certificate was seen. `bytes`
    /// are the stream bytes of the flow's client and server side.
    pub fn finish(&mut self, bytes: [u64; 2], out: &mut Vec<Ended>) {
        if let Carrier::Stream { client, server } | Carrier::Crypto { client, server, .. } = &self.carrier {
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
        self.framing == Framing::Lost
            || match self.content {
                Content::Plain => false,
                Content::Changed => !session.retried,
                Content::Data => true,
            }
    }

    /// Whether handshake records are still plain. In TLS 1.3 a changed cipher spec means nothing, and early data may
    /// come before a second hello (RFC 8446 appendix D.4, section 4.2.10).
    fn plain(&self, side: Side, session: &Session) -> bool {
        // Segments may stand out of order in the capture: a hello is waited for although its answer came first.
        let sealed = session.sealed && !(session.hello.is_none() && session.asker == Some(side));
        !sealed && (session.retried || self.content == Content::Plain)
    }

    fn data(&mut self, bytes: &[u8], reading: &mut Reading<'_, '_>) {
        let end = reading.run.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
        let mut rest = bytes;
        if self.framing == Framing::Lost && self.guessing && reading.opening.is_some() && record::begins(bytes) {
            // Whether a record begins here, its authentication will tell.
            self.framing = Framing::Records;
            self.layer = Layer::default();
        }
        if let (Framing::Fresh, Some(first)) = (self.framing, rest.first()) {
            self.framing = if *first >= 0x80 { Framing::OldHello } else { Framing::Records };
        }
        if self.framing == Framing::OldHello {
            self.old_hello(&mut rest, end, reading);
        }
        while self.framing == Framing::Records {
            match self.layer.next(&mut rest) {
                Next::NeedMore => return,
                Next::Bad => {
                    if self.found && !self.guessing && !self.past(reading.session) {
                        let begun = u64::try_from(self.layer.header_bytes()).unwrap_or_default();
                        let offset = place(end, rest).saturating_sub(begun);
                        reading.session.odd(AnomalyKind::BadTls, reading.run.frame, offset);
                    }
                    self.lose();
                }
                Next::Fragment(fragment) => {
                    self.found = true;
                    if reading.opening.is_some() {
                        self.protected(&fragment, place(end, rest), reading);
                    }
                    match fragment.kind {
                        record::HANDSHAKE if self.plain(reading.run.side, reading.session) => {
                            let frame = reading.run.frame;
                            self.handshake(fragment.bytes, (place(end, rest), frame), reading);
                        }
                        record::CHANGE_CIPHER_SPEC => self.content = self.content.max(Content::Changed),
                        record::APPLICATION_DATA => self.content = Content::Data,
                        _ => {}
                    }
                }
            }
        }
    }

    /// Collects protected records for decryption; the fragment stops at stream offset `end`.
    fn protected(&mut self, fragment: &Fragment<'_>, end: u64, reading: &mut Reading<'_, '_>) {
        if fragment.begins {
            let changed = self.content >= Content::Changed && !reading.session.sealed && !reading.session.retried;
            match fragment.kind {
                record::CHANGE_CIPHER_SPEC => reading.came(end, Came::Changed),
                kind if kind == record::APPLICATION_DATA || changed => {
                    let len = fragment.bytes.len().saturating_add(fragment.left);
                    self.sealed = Some((Vec::with_capacity(len), len));
                }
                _ => self.sealed = None,
            }
        }
        let Some((body, len)) = &mut self.sealed else { return };
        body.extend_from_slice(fragment.bytes);
        if fragment.left == 0 {
            let offset = end.saturating_sub(u64::try_from(*len).unwrap_or_default());
            let (kind, version, body) = (fragment.kind, fragment.version, std::mem::take(body));
            self.sealed = None;
            reading.came(offset, Came::Record { kind, version, body });
        }
    }

    /// Handshake bytes that stop at stream offset `end` and were carried by `frame`.
    fn handshake(&mut self, bytes: &[u8], (end, frame): (u64, FrameNo), reading: &mut Reading<'_, '_>) {
        let mut rest = bytes;
        loop {
            match self.assembly.next(&mut rest, end, frame, reading.session.handshake_bytes) {
                Got::Message(message) => {
                    reading.session.saw(reading.run.side, place(end, rest));
                    reading.message(&message);
                }
                Got::TooLong(offset) => reading.session.odd(AnomalyKind::Limit(Limit::HandshakeBytes), frame, offset),
                Got::NeedMore => return,
                Got::Bad(offset) => {
                    if !self.guessing {
                        reading.session.odd(AnomalyKind::BadTls, frame, offset);
                    }
                    self.assembly.clear();
                    // Records go on; only their content is no longer understood.
                    self.content = self.content.max(Content::Changed);
                    return;
                }
            }
        }
    }

    /// The SSL 2.0 form, which TLS clients sent to servers of unknown age (RFC 5246 appendix E.2).
    fn old_hello(&mut self, rest: &mut &[u8], end: u64, reading: &mut Reading<'_, '_>) {
        // Eleven bytes tell the length of the whole.
        let mut want = 11;
        while self.assembly.collect(rest, want, end, reading.run.frame) {
            let message = self.assembly.collected(handshake::CLIENT_HELLO);
            match handshake::old_hello_len(message.bytes) {
                Ok(len) if message.bytes.len() >= len => {
                    reading.session.old_client_hello(&message, reading.run, reading.out);
                    self.assembly.clear();
                    self.framing = Framing::Records;
                    self.found = true;
                    return;
                }
                Ok(len) => want = len,
                Err(_) => return self.lose(),
            }
        }
    }

    fn gap(&mut self, len: u64, reading: &mut Reading<'_, '_>) {
        if let Some((_, offset)) = self.assembly.unfinished() {
            reading.session.odd(AnomalyKind::CutShort, reading.run.frame, offset);
        }
        match self.framing {
            Framing::Fresh => self.framing = Framing::Records,
            Framing::OldHello | Framing::Lost => return self.lose(),
            Framing::Records => {}
        }
        self.guessing = true;
        if let Some((_, len)) = self.sealed.take() {
            reading.came(reading.run.offset, Came::Broken(u64::try_from(len).unwrap_or_default()));
        }
        let inside = self.layer.pass(len).is_some_and(|handshake| self.assembly.pass(handshake));
        if !inside {
            // The next bytes may begin a record; if they do not, the layer will say so.
            self.layer = Layer::default();
            self.assembly.clear();
            reading.came(reading.run.offset, Came::Hole(len));
        }
    }

    fn lose(&mut self) {
        self.framing = Framing::Lost;
        self.sealed = None;
        self.assembly.clear();
    }
}

/// Stream offset of the first byte of `rest`, which stops at `end`.
fn place(end: u64, rest: &[u8]) -> u64 {
    end.saturating_sub(u64::try_from(rest.len()).unwrap_or_default())
}

/// Reads one datagram's records; `flights` are the sender's.
fn datagram(bytes: &[u8], (flights, others): (&mut dtls::Flights, &mut dtls::Flights), reading: &mut Reading<'_, '_>) {
    let frame = reading.run.frame;
    let end = reading.run.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
    let mut rest = bytes;
    while let Some(record) = dtls::record(&mut rest) {
        flights.sealed |= record.sealed;
        if record.sealed || record.kind != record::HANDSHAKE {
            continue;
        }
        let record_end = place(end, rest);
        let mut body = record.bytes;
        while !body.is_empty() {
            let offset = place(record_end, body);
            let Some(fragment) = dtls::Fragment::take(&mut body) else {
                reading.session.odd(AnomalyKind::BadTls, frame, offset);
                break;
            };
            if flights.has(fragment.number) {
                // Another random under a number that was used: not sent again, but another association.
                let fresh = fragment.kind == handshake::CLIENT_HELLO
                    && fragment.whole_random().is_some_and(|r| reading.session.random.is_some_and(|old| old != *r));
                if !fresh {
                    continue;
                }
                reading.session.end(reading.out);
                flights.restart();
                others.restart();
            }
            if fragment.len > reading.session.handshake_bytes {
                reading.session.odd(AnomalyKind::Limit(Limit::HandshakeBytes), frame, offset);
                flights.close(fragment.number);
                continue;
            }
            let Some(message) = flights.add(&fragment, offset, frame) else { continue };
            let before = reading.out.len();
            let verify = message.kind == handshake::HELLO_VERIFY_REQUEST;
            reading.message(&message);
            if verify && reading.out.len() > before {
                // Some servers number their messages anew after it.
                flights.restart();
            }
        }
    }
}
