//! The session under way: what its messages told so far.

use std::sync::Arc;

use super::certificate::{self, Asked, CertificateCache, Limits};
use super::handshake::{self, Message, Offer};
use super::protection::is_tls13;
use super::{Ended, fingerprint, inflate, stapled};
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Budget, ByteRange, Certificate, ChainStanding, ClientHello, Decryption, Envelope,
    FrameNo, Limit, Run, ServerHello, Side, Stapled, Timestamp, TlsSession, TlsTransport, Trust,
};

/// What keys opened of the session under way.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::protocols) struct Tally {
    pub(in crate::protocols) opened: u64,
    pub(in crate::protocols) failed: u64,
    /// Application data was opened.
    pub(in crate::protocols) data: bool,
    /// Why nothing was opened, if nothing is.
    pub(in crate::protocols) why_not: Decryption,
}

impl Tally {
    /// A handshake whose data stays sealed is no session that was opened.
    fn told(self) -> Decryption {
        if self.opened > 0 && (self.data || self.why_not == Decryption::NotTried) {
            Decryption::Opened { records: self.opened, failed: self.failed }
        } else {
            self.why_not
        }
    }
}

/// What is known of the session under way.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one session")]
pub(super) struct Session {
    transport: TlsTransport,
    pub(super) handshake_bytes: usize,
    limits: Limits,
    /// Who sent the ClientHello.
    pub(super) asker: Option<Side>,
    pub(super) hello: Option<ClientHello>,
    /// The hello's random.
    pub(super) random: Option<[u8; 32]>,
    /// The server's random.
    pub(super) server_random: Option<[u8; 32]>,
    /// Digests stand behind the ciphertext (RFC 7366).
    pub(super) encrypt_then_mac: bool,
    /// What was compressed before it was sealed, and how (RFC 3749).
    pub(super) compression: u8,
    /// How the premaster secret begins as the client encrypted it with RSA.
    pub(super) encrypted_premaster: Option<[u8; 8]>,
    /// Whether the server takes the client's early data, once that is told.
    pub(super) takes_early_data: Option<bool>,
    /// What keys opened of it.
    pub(super) decryption: Tally,
    /// How many sessions ended before this one.
    pub(super) number: u32,
    /// The hello has a DTLS cookie.
    cookie: bool,
    pub(super) answer: Option<ServerHello>,
    certificates: Vec<Arc<Certificate>>,
    client_certificates: Vec<Arc<Certificate>>,
    certificate_frame: Option<FrameNo>,
    trust: Option<Arc<Trust>>,
    stapled: Stapled,
    serial: Box<[u8]>,
    anomalies: Vec<Anomaly>,
    first: Option<(FrameNo, Timestamp)>,
    /// The frame at which the session before this one ended.
    ended: Option<FrameNo>,
    last: (FrameNo, Timestamp),
    /// A HelloRetryRequest came.
    pub(super) retried: bool,
    /// The version chosen encrypts all that follows.
    pub(super) sealed: bool,
    /// Stream bytes of the flow's client and server side so far.
    pub(super) seen: [u64; 2],
    /// A hello or certificates came since a preview was asked for.
    news: bool,
}

impl Session {
    pub(super) fn new(transport: TlsTransport, budget: &Budget) -> Self {
        Self {
            transport,
            handshake_bytes: budget.handshake_bytes,
            limits: Limits::new(budget),
            asker: None,
            hello: None,
            random: None,
            server_random: None,
            encrypt_then_mac: false,
            compression: inflate::NULL,
            encrypted_premaster: None,
            takes_early_data: None,
            decryption: Tally::default(),
            number: 0,
            cookie: false,
            answer: None,
            certificates: Vec::new(),
            client_certificates: Vec::new(),
            certificate_frame: None,
            trust: None,
            stapled: Stapled::default(),
            serial: Box::default(),
            anomalies: Vec::new(),
            first: None,
            ended: None,
            last: (FrameNo(0), Timestamp(0)),
            retried: false,
            sealed: false,
            seen: [0; 2],
            news: false,
        }
    }

    /// Bytes of the session, or of what follows it, came in this run.
    pub(super) fn touch(&mut self, run: &Run<'_>) {
        // What stands behind a retry in its frame is no part of the session that follows.
        if self.first.is_none() && self.ended != Some(run.frame) {
            self.first = Some((run.frame, run.time));
        }
        self.last = (run.frame, run.time);
    }

    /// A side's stream was read up to this offset.
    pub(super) fn saw(&mut self, side: Side, end: u64) {
        let [client, server] = &mut self.seen;
        let seen = if side == Side::Client { client } else { server };
        *seen = end.max(*seen);
    }

    pub(super) fn odd(&mut self, kind: AnomalyKind, frame: FrameNo, offset: u64) {
        let anomaly = Anomaly { kind, frame, offset, len: 0 };
        // One of a kind at a frame is enough, and no stranger fills the list.
        if self.anomalies.len() < 64 && !self.anomalies.iter().any(|a| a.kind == kind && a.frame == frame) {
            self.anomalies.push(anomaly);
        }
    }

    pub(super) fn message(
        &mut self,
        message: &Message<'_>,
        run: &Run<'_>,
        certificates: &mut CertificateCache,
        out: &mut Vec<Ended>,
    ) {
        let side = run.side;
        match message.kind {
            handshake::CLIENT_HELLO => {
                match handshake::client_hello(message.bytes, self.transport == TlsTransport::Dtls) {
                    Some(offer) => self.client_hello(message, &offer, run, out),
                    None => self.odd(AnomalyKind::BadTls, run.frame, message.offset),
                }
            }
            handshake::SERVER_HELLO => match handshake::server_hello(message.body()) {
                Some(choice) => self.server_hello(message, &choice, run, out),
                None => self.odd(AnomalyKind::BadTls, run.frame, message.offset),
            },
            // A verified client repeats its hello with the cookie: that one is a session of its own.
            handshake::HELLO_VERIFY_REQUEST if self.hello.is_some() && !self.cookie && self.asker != Some(side) => {
                self.end(out);
            }
            handshake::CERTIFICATE => {
                // QUIC has nothing older (RFC 9001 section 4.2).
                let quic = self.transport == TlsTransport::Quic;
                let tls13 = quic || self.answer.as_ref().is_some_and(|a| is_tls13(a.version));
                self.chain((message, message.body(), tls13), run, certificates);
            }
            handshake::COMPRESSED_CERTIFICATE => match certificate::unpack(message.body(), self.handshake_bytes) {
                Some(body) => self.chain((message, &body, true), run, certificates),
                None => self.odd(AnomalyKind::BadTls, run.frame, message.offset),
            },
            // It follows the server's chain.
            handshake::CERTIFICATE_STATUS if self.asker != Some(side) && !self.certificates.is_empty() => {
                stapled::staple(&mut self.stapled, message.body(), &self.serial);
            }
            handshake::ENCRYPTED_EXTENSIONS if self.asker != Some(side) => {
                let told = handshake::encrypted_extensions(message.body());
                self.takes_early_data = Some(told.takes_early_data);
                if let (Some(answer), Some(alpn)) = (&mut self.answer, told.alpn) {
                    answer.alpn = Some(alpn.into());
                    self.news = true;
                }
            }
            handshake::CLIENT_KEY_EXCHANGE if self.asker == Some(side) => {
                // The encrypted premaster secret stands behind its length (RFC 5246 section 7.4.7.1).
                self.encrypted_premaster = message.body().get(2..).and_then(|b| b.first_chunk()).copied();
            }
            _ => {}
        }
    }

    fn client_hello(&mut self, message: &Message<'_>, offer: &Offer<'_>, run: &Run<'_>, out: &mut Vec<Ended>) {
        let side = run.side;
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
        self.news = true;
        self.hello = Some(ClientHello {
            frame: run.frame,
            first_frame: message.first_frame,
            block: message.bytes.into(),
            spans: message.spans.to_vec(),
            stream_offset: message.offset,
            sni: offer.sni,
            alpn: offer.alpn.clone(),
            version: offer.highest_version(self.transport == TlsTransport::Dtls),
            ja3: Some(fingerprint::ja3(offer)),
            ja4: fingerprint::ja4(offer, first_alpn, self.transport),
            ech: offer.ech,
        });
    }

    /// `message` is the SSL 2.0 record; its block begins after the two length bytes. JA4 is not defined for it.
    pub(super) fn old_client_hello(&mut self, message: &Message<'_>, run: &Run<'_>, out: &mut Vec<Ended>) {
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
        self.client_hello(&inner, &offer, run, out);
        if let Some(hello) = &mut self.hello {
            hello.ja4.clear();
        }
    }

    /// The hello of Google's own QUIC, which is no TLS: it has no version, no list of protocols and no fingerprint.
    pub(super) fn google_hello(&mut self, block: &[u8], sni: Option<ByteRange>, run: &Run<'_>) {
        self.news = true;
        self.hello = Some(ClientHello {
            frame: run.frame,
            first_frame: run.frame,
            block: block.into(),
            spans: vec![BlockSpan { at: 0, frame: run.frame }],
            stream_offset: 0,
            sni,
            alpn: Vec::new(),
            version: 0,
            ja3: None,
            ja4: String::new(),
            ech: false,
        });
    }

    /// A message waits for bytes that never came.
    pub(super) fn cut_short(&mut self) {
        self.odd(AnomalyKind::CutShort, self.last.0, 0);
    }

    fn server_hello(
        &mut self,
        message: &Message<'_>,
        choice: &handshake::Choice<'_>,
        run: &Run<'_>,
        out: &mut Vec<Ended>,
    ) {
        let side = run.side;
        if self.asker == Some(side) || self.answer.is_some() {
            return self.odd(AnomalyKind::BadTls, run.frame, message.offset);
        }
        if !choice.sound {
            self.odd(AnomalyKind::BadTls, run.frame, message.offset);
        }
        self.asker = Some(side.other());
        self.news = true;
        self.server_random = Some(choice.random);
        self.encrypt_then_mac = choice.encrypt_then_mac;
        self.compression = choice.compression;
        let [_, in_handshake, _] = &mut self.stapled.timestamps;
        *in_handshake = choice.timestamps;
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

    fn chain(
        &mut self,
        (message, body, tls13): (&Message<'_>, &[u8], bool),
        run: &Run<'_>,
        cache: &mut CertificateCache,
    ) {
        let side = run.side;
        let from_client = self.asker.map_or(side == Side::Client, |asker| asker == side);
        let slot = if from_client { &mut self.client_certificates } else { &mut self.certificates };
        if !slot.is_empty() {
            return;
        }
        let name = self.hello.as_ref().and_then(ClientHello::sni_bytes);
        let asked = (!from_client).then_some(Asked { name, time: run.time });
        let chain = certificate::chain(body, tls13, self.limits, asked, cache);
        if chain.trust.is_some() {
            self.trust = chain.trust;
            self.serial = chain.serial;
            // In the handshake they may have come with the ServerHello.
            let [_, in_hello, _] = self.stapled.timestamps;
            self.stapled = chain.stapled;
            let [_, in_handshake, _] = &mut self.stapled.timestamps;
            *in_handshake = in_handshake.saturating_add(in_hello);
        }
        *slot = chain.certificates;
        self.news = true;
        if !from_client && !slot.is_empty() {
            self.certificate_frame = Some(run.frame);
        }
        if !chain.sound {
            self.odd(AnomalyKind::BadTls, run.frame, message.offset);
        }
        if chain.cut {
            self.odd(AnomalyKind::Limit(Limit::ChainCertificates), run.frame, message.offset);
        }
        if !from_client && self.trust.as_ref().is_some_and(|t| t.standing == ChainStanding::NotChecked) {
            self.odd(AnomalyKind::Limit(Limit::VerifiedChains), run.frame, message.offset);
        }
    }

    /// A session begins in the middle of a run.
    fn resume(&mut self, first_frame: FrameNo, run: &Run<'_>) {
        self.first = Some((first_frame.min(run.frame), run.time));
    }

    /// Gives the session, if anything of it was seen, and makes room for the next one of the same client.
    pub(super) fn end(&mut self, out: &mut Vec<Ended>) {
        let anomalies = std::mem::take(&mut self.anomalies);
        let first = self.first.take();
        let (hello, answer) = (self.hello.take(), self.answer.take());
        let certificates = std::mem::take(&mut self.certificates);
        let client_certificates = std::mem::take(&mut self.client_certificates);
        let (certificate_frame, trust) = (self.certificate_frame.take(), self.trust.take());
        let stapled = std::mem::take(&mut self.stapled);
        let decryption = std::mem::take(&mut self.decryption).told();
        (self.random, self.cookie, self.sealed, self.news) = (None, false, false, false);
        // That a QUIC connection is there is told by its packets, also where no message came whole.
        let told = self.transport == TlsTransport::Quic && self.ended.is_none() && first.is_some();
        (self.server_random, self.encrypted_premaster, self.encrypt_then_mac) = (None, None, false);
        self.takes_early_data = None;
        self.compression = inflate::NULL;
        self.number = self.number.saturating_add(1);
        if hello.is_none() && answer.is_none() && certificates.is_empty() && client_certificates.is_empty() && !told {
            return;
        }
        let session = TlsSession {
            transport: self.transport,
            client_hello: hello,
            server_hello: answer,
            certificates,
            client_certificates,
            certificate_frame,
            trust,
            stapled,
            bytes: [0; 2],
            quic: None,
            decryption,
        };
        self.ended = Some(self.last.0);
        out.push(self.so_far(session, first, anomalies));
    }

    /// Whether the server's certificates were seen.
    pub(super) fn has_chain(&self) -> bool {
        !self.certificates.is_empty()
    }

    /// What an exchange inside the session needs of it.
    pub(super) fn envelope(&self) -> Envelope {
        Envelope {
            transport: self.transport,
            name: self.hello.as_ref().and_then(ClientHello::envelope_name),
            certificate: self.certificates.first().cloned(),
            certificate_frame: self.certificate_frame,
            trust: self.trust.clone(),
        }
    }

    /// The name that the client asked for, once the server answered with a hello.
    pub(super) fn answered_name(&self) -> Option<&[u8]> {
        self.answer.as_ref().and(self.hello.as_ref()).and_then(ClientHello::sni_bytes)
    }

    /// What is there of the session, if a message came since this was last asked.
    pub(super) fn preview(&mut self) -> Option<Ended> {
        if !std::mem::take(&mut self.news) {
            return None;
        }
        let session = TlsSession {
            transport: self.transport,
            client_hello: self.hello.clone(),
            server_hello: self.answer.clone(),
            certificates: self.certificates.clone(),
            client_certificates: self.client_certificates.clone(),
            certificate_frame: self.certificate_frame,
            trust: self.trust.clone(),
            stapled: self.stapled,
            bytes: [0; 2],
            quic: None,
            decryption: self.decryption.told(),
        };
        Some(self.so_far(session, self.first, self.anomalies.clone()))
    }

    fn so_far(&self, mut session: TlsSession, first: Option<(FrameNo, Timestamp)>, anomalies: Vec<Anomaly>) -> Ended {
        let swapped = self.asker == Some(Side::Server);
        let [client, server] = self.seen;
        session.bytes = if swapped { [server, client] } else { [client, server] };
        let first = first.unwrap_or(self.last);
        let (frames, times) = ((first.0, self.last.0), (first.1, self.last.1));
        Ended { session, swapped, anomalies, frames, times }
    }
}
