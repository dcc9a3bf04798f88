//! A record: one exchange with its ledger and verdict, as compact bytes in a page.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::certificates::{CertificateList, Certificates};
use crate::model::{
    Agreement, Anomaly, AnomalyKind, Answer, BlockSpan, Body, ByteRange, Certificate, ChainStanding, ClientHello,
    CloseCode, Cursor, Decryption, Detail, DnsKind, DnsLookup, DnsOver, DnsQuestion, DnsRecord, DnsResponse, Endpoint,
    Envelope, EnvelopeName, Evidence, Exchange, ExchangeNo, Field, FirstWrite, FlowId, FrameNo, GiverNo, Grade, Group,
    HandOut, Hop, HttpExchange, HttpMessage, HttpVersion, Ledger, Limit, LinkMatch, LookedUp, MessageDeflate,
    OcspAnswer, OcspStatus, Part, Place, ProviderId, Proxied, ProxyKind, QuicFacts, QuicVersion, Reported, ServerHello,
    Side, Stapled, StartLine, Supports, Tenant, Timestamp, TlsSession, TlsTransport, Transport, Trust, TrustedRoot,
    Verdict, WebSocket, WebSocketSide, WriteMatch,
};

/// One exchange with its ledger and verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The exchange.
    pub exchange: Exchange,
    /// The evidence, in the order of its numbers.
    pub ledger: Ledger,
    /// The four answers.
    pub verdict: Verdict,
}

impl Record {
    pub(super) fn encode(&self, certificates: &mut Certificates, out: &mut Vec<u8>) {
        let mut w = Writer { out, certificates };
        w.exchange(&self.exchange);
        w.list(&self.ledger, |w, e| w.evidence(e, &self.exchange));
        w.verdict(&self.verdict);
    }

    pub(super) fn decode(bytes: &[u8], certificates: &CertificateList) -> Option<Self> {
        let mut r = Reader { cursor: Cursor::new(bytes), certificates };
        let exchange = r.exchange()?;
        let ledger = r.list(|r| r.evidence(&exchange))?;
        Some(Self { exchange, ledger, verdict: r.verdict()? })
    }
}

/// Where an exchange begins and ends: what stands first in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) flow: FlowId,
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) transport: Transport,
    pub(super) last_frame: FrameNo,
}

impl Ends {
    /// Reads it without the rest of the record.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader { cursor: Cursor::new(bytes), certificates: &CertificateList::default() };
        let flow = FlowId(r.u32()?);
        let _ordinal = r.u32()?;
        let (client, server, transport) = (r.endpoint()?, r.endpoint()?, r.network_transport()?);
        let _first_frame = r.frame()?;
        Some(Self { flow, client, server, transport, last_frame: r.frame()? })
    }
}

/// Gives the header lines of an exchange, side, name and value, in the order request, interim responses, response; reads no
/// further than they stand. `None` where the record does not decode; some lines may have been given then.
pub(super) fn each_line(
    bytes: &[u8],
    certificates: &CertificateList,
    mut each: impl FnMut(Side, &[u8], &[u8]),
) -> Option<()> {
    let mut r = Reader { cursor: Cursor::new(bytes), certificates };
    let _flow_and_ordinal = (r.number()?, r.number()?);
    let _ends = (r.endpoint()?, r.endpoint()?, r.u8()?);
    let _frames_and_times = (r.frame()?, r.frame()?, r.time()?, r.time()?);
    r.option(Reader::envelope)?;
    r.option(Reader::proxied)?;
    r.option(|r| Some((r.number()?, r.number()?, r.number()?)))?;
    if r.u8()? == 0 {
        r.option(|r| r.lines(Side::Client, &mut each))?;
        r.list(|r| r.lines(Side::Server, &mut each))?;
        r.option(|r| r.lines(Side::Server, &mut each))?;
    }
    Some(())
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    certificates: &'a mut Certificates,
}

impl Writer<'_> {
    fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// LEB128: most numbers of a record are small.
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            each(self, item);
        }
    }

    fn option<T>(&mut self, value: Option<&T>, each: impl FnOnce(&mut Self, &T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            each(self, value);
        }
    }

    fn frame(&mut self, frame: FrameNo) {
        self.number(u64::from(frame.0));
    }

    fn time(&mut self, time: Timestamp) {
        self.out.extend_from_slice(&time.0.to_be_bytes());
    }

    fn range(&mut self, range: ByteRange) {
        self.number(u64::from(range.start));
        self.number(u64::from(range.len));
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn endpoint(&mut self, endpoint: Endpoint) {
        match endpoint.ip {
            IpAddr::V4(ip) => self.bytes(&ip.octets()),
            IpAddr::V6(ip) => self.bytes(&ip.octets()),
        }
        self.number(u64::from(endpoint.port));
    }

    fn exchange(&mut self, e: &Exchange) {
        self.number(u64::from(e.flow.0));
        self.number(u64::from(e.ordinal));
        self.endpoint(e.client);
        self.endpoint(e.server);
        self.u8(e.transport as u8);
        self.frame(e.first_frame);
        self.frame(e.last_frame);
        self.time(e.time);
        self.time(e.end_time);
        self.option(e.envelope.as_deref(), Self::envelope);
        self.option(e.proxied.as_deref(), |w, p| {
            w.u8(p.kind as u8);
            w.text(&p.target);
            w.frame(p.frame);
        });
        self.option(e.reported.as_ref(), |w, r| {
            for place in [r.offset, r.len, r.address_offset] {
                w.number(place);
            }
        });
        match &e.detail {
            Detail::Http(http) => {
                self.u8(0);
                self.option(http.request.as_ref(), Self::message);
                self.list(&http.interim, Self::message);
                self.option(http.response.as_ref(), Self::message);
                self.option(http.stream.as_ref(), |w, n| w.number(*n));
                self.u8(u8::from(http.pushed));
                self.option(http.websocket.as_deref(), Self::websocket);
            }
            Detail::Tls(tls) => {
                self.u8(1);
                self.tls(tls);
            }
            Detail::Dns(dns) => {
                self.u8(2);
                self.dns(dns);
            }
        }
        self.list(&e.anomalies, |w, a| {
            w.u8(anomaly_number(a.kind));
            w.frame(a.frame);
            w.number(a.offset);
            w.number(a.len);
        });
    }

    fn websocket(&mut self, w: &WebSocket) {
        for side in &w.sides {
            for count in [side.messages, side.controls, side.frames, side.bytes] {
                self.number(count);
            }
            self.option(side.close.as_ref(), |w, code| w.number(u64::from(code.0)));
            self.u8(u8::from(side.lossy));
        }
        self.option(w.last.as_ref(), |w, (frame, time)| {
            w.frame(*frame);
            w.time(*time);
        });
        self.option(w.deflate.as_ref(), |w, d| {
            for (anew, bits) in d.no_context_takeover.iter().zip(&d.max_window_bits) {
                w.u8(u8::from(*anew));
                w.option(bits.as_ref(), |w, bits| w.u8(*bits));
            }
        });
    }

    fn field(&mut self, field: &Field) {
        self.range(field.name);
        self.range(field.value);
    }

    fn spans(&mut self, spans: &[BlockSpan]) {
        self.list(spans, |w, s| {
            w.number(u64::from(s.at));
            w.frame(s.frame);
        });
    }

    fn message(&mut self, m: &HttpMessage) {
        self.bytes(&m.block);
        self.u8(m.version as u8);
        match m.start {
            StartLine::Request { method, target } => {
                self.u8(0);
                self.range(method);
                self.range(target);
            }
            StartLine::Status { code, reason } => {
                self.u8(1);
                self.number(u64::from(code));
                self.range(reason);
            }
        }
        self.list(&m.fields, Self::field);
        self.list(&m.told_at, |w, offset| w.number(*offset));
        self.list(&m.trailers, Self::field);
        self.spans(&m.spans);
        self.number(m.stream_offset);
        self.frame(m.first_frame);
        self.frame(m.header_frame);
        self.frame(m.last_frame);
        self.time(m.time);
        self.time(m.end_time);
        self.number(m.body.stream_offset);
        self.number(m.body.wire_bytes);
        self.option(m.body.decoded_bytes.as_ref(), |w, n| w.number(*n));
        self.option(m.body.sha256.as_ref(), |w, h| w.bytes(h));
        self.option(m.body.md5.as_ref(), |w, h| w.bytes(h));
        self.u8(u8::from(m.complete));
    }

    /// Its number and one, or 0 and the certificate itself.
    fn certificate(&mut self, c: &Arc<Certificate>) {
        let number = self.certificates.number(c);
        self.number(number.map_or(0, |n| u64::from(n) + 1));
        if number.is_some() {
            return;
        }
        self.bytes(&c.sha256);
        for text in [&c.subject_cn, &c.subject_org, &c.issuer_cn, &c.issuer_org] {
            self.option(text.as_ref(), |w, t| w.text(t));
        }
        self.list(&c.names, |w, n| w.text(n));
        self.time(c.not_before);
        self.time(c.not_after);
        self.number(u64::from(c.der_len));
    }

    fn tls(&mut self, t: &TlsSession) {
        self.u8(t.transport as u8);
        self.option(t.client_hello.as_ref(), |w, h| {
            w.frame(h.frame);
            w.frame(h.first_frame);
            w.bytes(&h.block);
            w.spans(&h.spans);
            w.number(h.stream_offset);
            w.option(h.sni.as_ref(), |w, r| w.range(*r));
            w.list(&h.alpn, |w, r| w.range(*r));
            w.number(u64::from(h.version));
            w.option(h.ja3.as_ref(), |w, digest| w.bytes(digest));
            w.text(&h.ja4);
            w.u8(u8::from(h.ech));
        });
        self.option(t.server_hello.as_ref(), |w, h| {
            w.frame(h.frame);
            w.number(u64::from(h.version));
            w.number(u64::from(h.cipher));
            w.option(h.alpn.as_ref(), |w, a| w.bytes(a));
            w.u8(u8::from(h.retry));
        });
        self.list(&t.certificates, Self::certificate);
        self.list(&t.client_certificates, Self::certificate);
        self.option(t.certificate_frame.as_ref(), |w, f| w.frame(*f));
        self.option(t.trust.as_deref(), Self::trust);
        self.stapled(&t.stapled);
        self.number(t.bytes[0]);
        self.number(t.bytes[1]);
        self.option(t.quic.as_ref(), |w, q| {
            w.number(u64::from(q.version.0));
            w.list(&q.negotiated, |w, v| w.number(u64::from(v.0)));
            w.u8(u8::from(q.retry));
            w.u8(u8::from(q.zero_rtt));
            w.number(q.datagrams);
            w.list(&q.client_ids, |w, id| w.bytes(id));
            w.list(&q.server_ids, |w, id| w.bytes(id));
        });
        self.decryption(t.decryption);
    }

    fn envelope(&mut self, e: &Envelope) {
        self.u8(e.transport as u8);
        self.option(e.name.as_ref(), |w, n| {
            w.bytes(&n.text);
            w.range(n.range);
            w.list(&n.frames, |w, f| w.frame(*f));
            w.number(n.offset);
        });
        self.option(e.certificate.as_ref(), Self::certificate);
        self.option(e.certificate_frame.as_ref(), |w, f| w.frame(*f));
        self.option(e.trust.as_deref(), Self::trust);
    }

    fn stapled(&mut self, s: &Stapled) {
        self.option(s.ocsp.as_ref(), |w, o| {
            w.u8(o.status as u8);
            w.u8(u8::from(o.for_leaf));
            w.option(o.dates.as_ref(), |w, (from, to)| {
                w.time(*from);
                w.option(to.as_ref(), |w, t| w.time(*t));
            });
            w.option(o.revoked.as_ref(), |w, t| w.time(*t));
        });
        self.u8(u8::from(s.ocsp_unread));
        s.timestamps.iter().for_each(|n| self.number(u64::from(*n)));
    }

    fn trust(&mut self, t: &Trust) {
        self.u8(t.standing as u8);
        self.option(t.root.as_ref(), |w, r| {
            w.text(&r.name);
            w.bytes(&r.sha256);
            w.time(r.first_list);
            w.time(r.last_list);
            w.time(r.newest_list);
        });
        self.option(t.authority.as_ref(), |w, a| w.text(a));
        self.u8(u8::from(t.named));
        self.time(t.list);
        self.number(u64::from(t.list_days));
    }

    /// The place among [`Decryption::REASONS`] from 2 on; 0 for nothing tried, 1 for opened.
    fn decryption(&mut self, d: Decryption) {
        match d {
            Decryption::NotTried => self.u8(0),
            Decryption::Opened { records, failed } => {
                self.u8(1);
                self.number(records);
                self.number(failed);
            }
            _ => {
                let place = Decryption::REASONS.iter().position(|r| *r == d).unwrap_or(0);
                self.u8(place as u8 + 2);
            }
        }
    }

    fn dns(&mut self, d: &DnsLookup) {
        self.u8(d.kind as u8);
        self.u8(d.over as u8);
        self.number(u64::from(d.id));
        self.list(&d.questions, |w, q| {
            w.text(&q.name);
            w.number(u64::from(q.qtype));
        });
        self.option(d.query_frame.as_ref(), |w, f| w.frame(*f));
        self.option(d.response.as_ref(), |w, r| {
            w.frame(r.frame);
            w.time(r.time);
            w.u8(r.rcode);
            w.list(&r.answers, |w, a| {
                w.text(&a.name);
                w.number(u64::from(a.rtype));
                w.number(u64::from(a.ttl));
                w.text(&a.value);
                w.range(a.range);
            });
        });
    }

    fn evidence(&mut self, e: &Evidence, exchange: &Exchange) {
        self.number(u64::from(e.signature));
        self.number(u64::from(e.provider.0));
        self.u8(e.group as u8);
        self.u8(e.supports.0);
        match e.place.part {
            Part::Request => self.u8(0),
            Part::Response => self.u8(1),
            Part::ClientHello => self.u8(2),
            Part::Dns => self.u8(3),
            Part::Address => self.u8(4),
            Part::Body => self.u8(6),
            Part::ToldAddress => self.u8(7),
            Part::Certificate(n) => {
                self.u8(5);
                self.u8(n);
            }
        }
        self.range(e.place.range);
        self.list(&e.place.frames, |w, f| w.frame(*f));
        self.number(e.place.offset);
        // Header lines stand in the record already.
        let standing = head_of(exchange, e.place.part).is_some_and(|block| e.place.range.of(block) == e.text);
        self.u8(u8::from(standing));
        if !standing {
            self.bytes(&e.text);
        }
    }

    /// A static text of the evidence floor; whole sentences cost two bytes that way.
    fn word(&mut self, word: &str) {
        self.number(crate::evidence::word_number(word).map_or_else(|| u64::from(u16::MAX), u64::from));
    }

    fn verdict(&mut self, v: &Verdict) {
        self.option(v.operator.as_ref(), |w, a| {
            w.number(u64::from(a.value.0));
            w.u8(a.grade as u8);
        });
        self.option(v.product.as_ref(), |w, a| {
            w.number(u64::from(a.value));
            w.u8(a.grade as u8);
        });
        self.option(v.role.as_ref(), |w, a| {
            w.word(a.value);
            w.u8(a.grade as u8);
        });
        self.option(v.tenant.as_ref(), |w, a| {
            w.text(&a.value.name);
            w.option(a.value.first_party.as_ref(), |w, t| w.text(t));
            w.u8(a.grade as u8);
        });
        self.option(v.grade.as_ref(), |w, g| w.u8(*g as u8));
        self.u8(u8::from(v.conflict));
        self.list(&v.path, |w, h| {
            w.word(h.kind);
            w.number(u64::from(h.provider.0));
            w.option(h.service.as_ref(), |w, s| w.number(u64::from(*s)));
            w.bytes(&h.lines);
        });
        self.list(&v.cannot_show, |w, s| w.word(s));
        self.number(u64::from(v.agreement.0));
        self.option(v.handed_out.as_ref(), Self::hand_out);
        self.list(&v.no_hand_out, |w, s| w.word(s));
        self.option(v.first_write.as_ref(), |w, f| {
            w.number(u64::from(f.upload.0));
            w.frame(f.frame);
            w.u8(f.how as u8);
        });
        self.option(v.looked_up.as_ref(), |w, l| {
            w.number(u64::from(l.lookup.0));
            w.list(&l.others, |w, o| w.number(u64::from(o.0)));
        });
    }

    fn hand_out(&mut self, h: &HandOut) {
        self.number(u64::from(h.giver.0));
        self.text(&h.host);
        self.option(h.site.as_ref(), |w, s| w.text(s));
        self.frame(h.frame);
        self.time(h.time);
        self.text(&h.field);
        self.word(h.form);
        self.bytes(&h.text);
        self.number(h.offset);
        self.u8(h.how as u8);
    }
}

/// The head that a part of an exchange stands in.
fn head_of(exchange: &Exchange, part: Part) -> Option<&[u8]> {
    let Detail::Http(http) = &exchange.detail else { return None };
    let message = match part {
        Part::Request => http.request.as_ref(),
        Part::Response => http.response.as_ref(),
        Part::ClientHello | Part::Certificate(_) | Part::Dns | Part::Address | Part::ToldAddress | Part::Body => None,
    };
    message.map(|m| &*m.block)
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    certificates: &'a CertificateList,
}

impl<'a> Reader<'a> {
    fn u8(&mut self) -> Option<u8> {
        self.cursor.u8()
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.u8()? != 0)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn u32(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn u16(&mut self) -> Option<u16> {
        u16::try_from(self.number()?).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        self.cursor.slice(len)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes()?.try_into().ok()
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| each(self)).collect()
    }

    #[expect(clippy::option_option, reason = "the outer option is a record that does not decode")]
    fn option<T>(&mut self, each: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { each(self).map(Some) } else { Some(None) }
    }

    fn frame(&mut self) -> Option<FrameNo> {
        self.u32().map(FrameNo)
    }

    fn time(&mut self) -> Option<Timestamp> {
        Some(Timestamp(self.cursor.u64()?.cast_signed()))
    }

    fn range(&mut self) -> Option<ByteRange> {
        Some(ByteRange { start: self.u32()?, len: self.u32()? })
    }

    fn endpoint(&mut self) -> Option<Endpoint> {
        let bytes = self.bytes()?;
        let ip = match <[u8; 4]>::try_from(bytes) {
            Ok(v4) => IpAddr::V4(Ipv4Addr::from(v4)),
            Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        };
        Some(Endpoint { ip, port: self.u16()? })
    }

    fn network_transport(&mut self) -> Option<Transport> {
        Some(if self.u8()? == Transport::Tcp as u8 { Transport::Tcp } else { Transport::Udp })
    }

    fn grade(&mut self) -> Option<Grade> {
        [Grade::Contradicted, Grade::NameOnly, Grade::Suggests, Grade::Supports, Grade::Conclusive]
            .get(usize::from(self.u8()?))
            .copied()
    }

    fn exchange(&mut self) -> Option<Exchange> {
        Some(Exchange {
            flow: FlowId(self.u32()?),
            ordinal: self.u32()?,
            client: self.endpoint()?,
            server: self.endpoint()?,
            transport: self.network_transport()?,
            first_frame: self.frame()?,
            last_frame: self.frame()?,
            time: self.time()?,
            end_time: self.time()?,
            envelope: self.option(Self::envelope)?.map(Arc::new),
            proxied: self.option(Self::proxied)?.map(Arc::new),
            reported: self
                .option(|r| Some(Reported { offset: r.number()?, len: r.number()?, address_offset: r.number()? }))?,
            detail: match self.u8()? {
                0 => Detail::Http(Box::new(HttpExchange {
                    request: self.option(Self::message)?,
                    interim: self.list(Self::message)?,
                    response: self.option(Self::message)?,
                    stream: self.option(Self::number)?,
                    pushed: self.flag()?,
                    websocket: self.option(Self::websocket)?.map(Box::new),
                })),
                1 => Detail::Tls(Box::new(self.tls()?)),
                _ => Detail::Dns(Box::new(self.dns()?)),
            },
            anomalies: self.list(|r| {
                Some(Anomaly { kind: anomaly_kind(r.u8()?)?, frame: r.frame()?, offset: r.number()?, len: r.number()? })
            })?,
        })
    }

    fn websocket(&mut self) -> Option<WebSocket> {
        Some(WebSocket {
            sides: [self.websocket_side()?, self.websocket_side()?],
            last: self.option(|r| Some((r.frame()?, r.time()?)))?,
            deflate: self.option(|r| {
                let [(client_anew, client_bits), (server_anew, server_bits)] =
                    [(r.flag()?, r.option(Self::u8)?), (r.flag()?, r.option(Self::u8)?)];
                Some(MessageDeflate {
                    no_context_takeover: [client_anew, server_anew],
                    max_window_bits: [client_bits, server_bits],
                })
            })?,
        })
    }

    fn websocket_side(&mut self) -> Option<WebSocketSide> {
        Some(WebSocketSide {
            messages: self.number()?,
            controls: self.number()?,
            frames: self.number()?,
            bytes: self.number()?,
            close: self.option(Self::u16)?.map(CloseCode),
            lossy: self.flag()?,
        })
    }

    fn field(&mut self) -> Option<Field> {
        Some(Field { name: self.range()?, value: self.range()? })
    }

    fn spans(&mut self) -> Option<Vec<BlockSpan>> {
        self.list(|r| Some(BlockSpan { at: r.u32()?, frame: r.frame()? }))
    }

    fn message(&mut self) -> Option<HttpMessage> {
        Some(HttpMessage {
            block: self.bytes()?.into(),
            version: *[HttpVersion::V09, HttpVersion::V10, HttpVersion::V11, HttpVersion::V2, HttpVersion::V3]
                .get(usize::from(self.u8()?))?,
            start: if self.u8()? == 0 {
                StartLine::Request { method: self.range()?, target: self.range()? }
            } else {
                StartLine::Status { code: self.u16()?, reason: self.range()? }
            },
            fields: self.list(Self::field)?,
            told_at: self.list(Self::number)?,
            trailers: self.list(Self::field)?,
            spans: self.spans()?,
            stream_offset: self.number()?,
            first_frame: self.frame()?,
            header_frame: self.frame()?,
            last_frame: self.frame()?,
            time: self.time()?,
            end_time: self.time()?,
            body: Body {
                stream_offset: self.number()?,
                wire_bytes: self.number()?,
                decoded_bytes: self.option(Self::number)?,
                sha256: self.option(Self::array)?,
                md5: self.option(Self::array)?,
            },
            opening: None,
            complete: self.flag()?,
        })
    }

    /// A message of which only the header lines matter.
    fn lines(&mut self, side: Side, each: &mut impl FnMut(Side, &[u8], &[u8])) -> Option<()> {
        let block = self.bytes()?;
        let _version = self.u8()?;
        if self.u8()? == 0 {
            self.range()?;
        } else {
            self.number()?;
        }
        self.range()?;
        for _ in 0..self.number()? {
            let (name, value) = (self.range()?, self.range()?);
            each(side, name.of(block), value.of(block));
        }
        for _told_at in 0..self.number()? {
            self.number()?;
        }
        for _trailer in 0..self.number()? {
            self.field()?;
        }
        for _span in 0..self.number()? {
            (self.number()?, self.number()?);
        }
        let _stream_offset = self.number()?;
        let _frames_and_times = (self.frame()?, self.frame()?, self.frame()?, self.time()?, self.time()?);
        let _body = (self.number()?, self.number()?);
        self.option(Self::number)?;
        self.option(Self::bytes)?;
        self.option(Self::bytes)?;
        let _complete = self.u8()?;
        Some(())
    }

    fn certificate(&mut self) -> Option<Arc<Certificate>> {
        if let Some(number) = self.number()?.checked_sub(1) {
            return self.certificates.get(usize::try_from(number).ok()?).cloned();
        }
        let sha256 = self.array()?;
        let [subject_cn, subject_org, issuer_cn, issuer_org] =
            [self.option(Self::text)?, self.option(Self::text)?, self.option(Self::text)?, self.option(Self::text)?];
        Some(Arc::new(Certificate {
            sha256,
            subject_cn,
            subject_org,
            names: self.list(Self::text)?,
            issuer_cn,
            issuer_org,
            not_before: self.time()?,
            not_after: self.time()?,
            der_len: self.u32()?,
        }))
    }

    fn tls(&mut self) -> Option<TlsSession> {
        Some(TlsSession {
            transport: self.transport()?,
            client_hello: self.option(|r| {
                Some(ClientHello {
                    frame: r.frame()?,
                    first_frame: r.frame()?,
                    block: r.bytes()?.into(),
                    spans: r.spans()?,
                    stream_offset: r.number()?,
                    sni: r.option(Self::range)?,
                    alpn: r.list(Self::range)?,
                    version: r.u16()?,
                    ja3: r.option(Self::array)?,
                    ja4: r.text()?,
                    ech: r.flag()?,
                })
            })?,
            server_hello: self.option(|r| {
                Some(ServerHello {
                    frame: r.frame()?,
                    version: r.u16()?,
                    cipher: r.u16()?,
                    alpn: r.option(|r| r.bytes().map(Into::into))?,
                    retry: r.flag()?,
                })
            })?,
            certificates: self.list(Self::certificate)?,
            client_certificates: self.list(Self::certificate)?,
            certificate_frame: self.option(Self::frame)?,
            trust: self.option(Self::trust)?.map(Arc::new),
            stapled: self.stapled()?,
            bytes: [self.number()?, self.number()?],
            quic: self.option(|r| {
                Some(QuicFacts {
                    version: QuicVersion(r.u32()?),
                    negotiated: r.list(|r| Some(QuicVersion(r.u32()?)))?,
                    retry: r.flag()?,
                    zero_rtt: r.flag()?,
                    datagrams: r.number()?,
                    client_ids: r.list(|r| r.bytes().map(Into::into))?,
                    server_ids: r.list(|r| r.bytes().map(Into::into))?,
                })
            })?,
            decryption: self.decryption()?,
        })
    }

    fn transport(&mut self) -> Option<TlsTransport> {
        [TlsTransport::Tcp, TlsTransport::Quic, TlsTransport::Dtls].get(usize::from(self.u8()?)).copied()
    }

    fn envelope(&mut self) -> Option<Envelope> {
        Some(Envelope {
            transport: self.transport()?,
            name: self.option(|r| {
                Some(EnvelopeName {
                    text: r.bytes()?.into(),
                    range: r.range()?,
                    frames: r.list(Self::frame)?,
                    offset: r.number()?,
                })
            })?,
            certificate: self.option(Self::certificate)?,
            certificate_frame: self.option(Self::frame)?,
            trust: self.option(Self::trust)?.map(Arc::new),
        })
    }

    fn proxied(&mut self) -> Option<Proxied> {
        let kind = ProxyKind::ALL.get(usize::from(self.u8()?)).copied()?;
        Some(Proxied { kind, target: self.text()?.into(), frame: self.frame()? })
    }

    fn stapled(&mut self) -> Option<Stapled> {
        Some(Stapled {
            ocsp: self.option(|r| {
                Some(OcspAnswer {
                    status: OcspStatus::ALL.get(usize::from(r.u8()?)).copied()?,
                    for_leaf: r.flag()?,
                    dates: r.option(|r| Some((r.time()?, r.option(Self::time)?)))?,
                    revoked: r.option(Self::time)?,
                })
            })?,
            ocsp_unread: self.flag()?,
            timestamps: [self.u32()?, self.u32()?, self.u32()?],
        })
    }

    fn trust(&mut self) -> Option<Trust> {
        Some(Trust {
            standing: ChainStanding::ALL.get(usize::from(self.u8()?)).copied()?,
            root: self.option(|r| {
                Some(TrustedRoot {
                    name: r.text()?,
                    sha256: r.array()?,
                    first_list: r.time()?,
                    last_list: r.time()?,
                    newest_list: r.time()?,
                })
            })?,
            authority: self.option(Self::text)?,
            named: self.flag()?,
            list: self.time()?,
            list_days: self.u32()?,
        })
    }

    fn decryption(&mut self) -> Option<Decryption> {
        match self.u8()? {
            0 => Some(Decryption::NotTried),
            1 => Some(Decryption::Opened { records: self.number()?, failed: self.number()? }),
            place => Decryption::REASONS.get(usize::from(place - 2)).copied(),
        }
    }

    fn dns(&mut self) -> Option<DnsLookup> {
        Some(DnsLookup {
            kind: *[DnsKind::Dns, DnsKind::Mdns, DnsKind::Llmnr].get(usize::from(self.u8()?))?,
            over: *[DnsOver::Plain, DnsOver::Tls, DnsOver::Https, DnsOver::Quic].get(usize::from(self.u8()?))?,
            id: self.u16()?,
            questions: self.list(|r| Some(DnsQuestion { name: r.text()?, qtype: r.u16()? }))?,
            query_frame: self.option(Self::frame)?,
            response: self.option(|r| {
                Some(DnsResponse {
                    frame: r.frame()?,
                    time: r.time()?,
                    rcode: r.u8()?,
                    answers: r.list(|r| {
                        Some(DnsRecord {
                            name: r.text()?,
                            rtype: r.u16()?,
                            ttl: r.u32()?,
                            value: r.text()?,
                            range: r.range()?,
                        })
                    })?,
                })
            })?,
        })
    }

    fn evidence(&mut self, exchange: &Exchange) -> Option<Evidence> {
        let mut evidence = Evidence {
            signature: self.u16()?,
            provider: ProviderId(self.u16()?),
            group: *Group::ALL.get(usize::from(self.u8()?))?,
            supports: Supports(self.u8()?),
            place: Place {
                part: match self.u8()? {
                    0 => Part::Request,
                    1 => Part::Response,
                    2 => Part::ClientHello,
                    3 => Part::Dns,
                    4 => Part::Address,
                    6 => Part::Body,
                    7 => Part::ToldAddress,
                    _ => Part::Certificate(self.u8()?),
                },
                range: self.range()?,
                frames: self.list(Self::frame)?.into(),
                offset: self.number()?,
            },
            text: Vec::new(),
        };
        let text =
            if self.flag()? { evidence.place.range.of(head_of(exchange, evidence.place.part)?) } else { self.bytes()? };
        evidence.text = text.to_vec();
        Some(evidence)
    }

    fn verdict(&mut self) -> Option<Verdict> {
        Some(Verdict {
            operator: self.option(|r| Some(Answer { value: ProviderId(r.u16()?), grade: r.grade()? }))?,
            product: self.option(|r| Some(Answer { value: r.u16()?, grade: r.grade()? }))?,
            role: self.option(|r| Some(Answer { value: r.word()?, grade: r.grade()? }))?,
            tenant: self.option(|r| {
                let value = Tenant { name: r.text()?, first_party: r.option(Self::text)? };
                Some(Answer { value, grade: r.grade()? })
            })?,
            grade: self.option(Self::grade)?,
            conflict: self.flag()?,
            path: self.list(|r| {
                Some(Hop {
                    kind: r.word()?,
                    provider: ProviderId(r.u16()?),
                    service: r.option(Self::u16)?,
                    lines: r.bytes()?.to_vec(),
                })
            })?,
            cannot_show: self.list(Self::word)?,
            agreement: Agreement(self.u16()?),
            handed_out: self.option(Self::hand_out)?,
            no_hand_out: self.list(Self::word)?,
            first_write: self.option(|r| {
                Some(FirstWrite {
                    upload: ExchangeNo(r.u32()?),
                    frame: r.frame()?,
                    how: *WriteMatch::ALL.get(usize::from(r.u8()?))?,
                })
            })?,
            looked_up: self.option(|r| {
                Some(LookedUp { lookup: ExchangeNo(r.u32()?), others: r.list(|r| r.u32().map(ExchangeNo))? })
            })?,
        })
    }

    fn hand_out(&mut self) -> Option<HandOut> {
        Some(HandOut {
            giver: GiverNo(self.u32()?),
            host: self.text()?,
            site: self.option(Self::text)?,
            frame: self.frame()?,
            time: self.time()?,
            field: self.text()?,
            form: self.word()?,
            text: self.bytes()?.to_vec(),
            offset: self.number()?,
            how: *LinkMatch::ALL.get(usize::from(self.u8()?))?,
        })
    }

    /// A word that the evidence floor wrote as a static text, by its number there.
    fn word(&mut self) -> Option<&'static str> {
        crate::evidence::words().nth(usize::from(self.u16()?))
    }
}

/// The kinds without a limit, by their number in a record.
const ANOMALIES: [AnomalyKind; 35] = {
    use AnomalyKind as K;
    [
        K::Gap,
        K::MissingStart,
        K::ConflictingOverlap,
        K::FoldedField,
        K::BareLineFeed,
        K::SpaceBeforeColon,
        K::BadFieldLine,
        K::LengthAndChunked,
        K::ConflictingLengths,
        K::BadLength,
        K::BodyNotDecoded,
        K::CutShort,
        K::Unasked,
        K::BadDns,
        K::BadTls,
        K::FieldLost,
        K::BadFieldSection,
        K::BadField,
        K::BadPseudoField,
        K::BadFrame,
        K::StreamReset,
        K::LengthDiffers,
        K::BadQuic,
        K::Moved,
        K::NotAuthentic,
        K::EarlyDataRefused,
        K::BadWebSocket,
        K::BadAccept,
        K::NotDecompressed,
        K::BadEntry,
        K::TimeUnsure,
        K::NotAnAddress,
        K::BodyNotKept,
        K::SizeDiffers,
        K::FromCache,
    ]
};

fn anomaly_number(kind: AnomalyKind) -> u8 {
    let known = if let AnomalyKind::Limit(limit) = kind {
        Limit::ALL.iter().position(|l| *l == limit).map(|n| n + ANOMALIES.len())
    } else {
        ANOMALIES.iter().position(|k| *k == kind)
    };
    known.and_then(|n| u8::try_from(n).ok()).unwrap_or(u8::MAX)
}

fn anomaly_kind(number: u8) -> Option<AnomalyKind> {
    let number = usize::from(number);
    ANOMALIES
        .get(number)
        .copied()
        .or_else(|| Limit::ALL.get(number.checked_sub(ANOMALIES.len())?).map(|limit| AnomalyKind::Limit(*limit)))
}
