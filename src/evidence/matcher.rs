//! Finds every signature that an exchange matches, and quotes the bytes it stands in.

use std::sync::Arc;

use ahash::AHashMap;
use smallvec::{SmallVec, smallvec};

use super::addresses;
use super::authorities::Authorities;
use super::authority::{self, Authority};
use super::computed::{self, Facts};
use super::custody;
use super::grade::{self, Scene};
use super::handouts::{self, Search};
use super::known::{CNAME, Chain, Known, own_url};
use super::names::{Asked, Name, Names};
use super::pack::{Kind, Signature, SpeaksFor, pack};
use super::pattern::{Pairs, Pattern};
use super::resolvers::sealed_dns;
use crate::model::{
    AnomalyKind, Budget, ByteRange, Certificate, ClientHello, Detail, DnsLookup, Evidence, Exchange, ExchangeNo, Field,
    FirstWrite, FrameNo, Group, HttpExchange, HttpMessage, Ledger, LookedUp, Opening, Part, Place, ProviderId,
    StartLine, Supports, TlsSession, TlsTransport, Trust, Verdict, frames_of,
};
use crate::protocols::links::keys;

/// Entries kept of one exchange.
const ENTRIES: usize = 64;
/// Entries of one signature.
const EQUAL: usize = 4;
/// Values of one field, and certificates, remembered; past that the memory starts anew.
const REMEMBERED: usize = 4_096;
/// Patterns of one field from which on values are remembered, and the longest value that is.
const MANY: usize = 3;
const LONG_VALUE: usize = 256;
/// Longest field name that a rule may have.
const FIELD_NAME: usize = 64;

/// The role of what keeps objects.
const STORE: &str = "object-storage";

/// Types of DNS records (RFC 1035 section 3.2.2).
const NS: u16 = 2;
const PTR: u16 = 12;

/// Signatures with the text that each matched.
type Quotes = Arc<[(u16, Box<[u8]>)]>;

/// What the pack asks of one header field.
#[derive(Debug, Default)]
struct FieldRules {
    present: Vec<u16>,
    values: Vec<(u16, Pattern)>,
    computed: Vec<(u16, &'static str)>,
    in_request: Vec<u16>,
    request_values: Vec<(u16, Pattern)>,
    /// What values matched: few values come often. Kept only where several patterns would be tried.
    memory: AHashMap<Box<[u8]>, Arc<[u16]>>,
}

impl FieldRules {
    /// Calls `each` with the signatures of a response's value.
    fn of_value(&mut self, value: &[u8], mut each: impl FnMut(u16)) {
        if self.values.len() < MANY || value.len() > LONG_VALUE {
            let matching = self.values.iter().filter(|(_, p)| p.matches(value));
            return matching.for_each(|(number, _)| each(*number));
        }
        if let Some(known) = self.memory.get(value) {
            return known.iter().for_each(|number| each(*number));
        }
        let pairs = Pairs::of(value);
        let matching = self.values.iter().filter(|(_, p)| p.fits(pairs) && p.matches(value));
        let found: Arc<[u16]> = matching.map(|(number, _)| *number).collect();
        found.iter().for_each(|number| each(*number));
        if self.memory.len() >= REMEMBERED {
            self.memory.clear();
        }
        self.memory.insert(value.into(), found);
    }
}

/// Matches exchanges against the pack.
#[derive(Debug)]
pub struct Matcher {
    names: Names,
    fields: AHashMap<&'static [u8], FieldRules>,
    shapes: Shapes,
    field_prefixes: Vec<(&'static [u8], u16)>,
    phrases: Vec<(u16, Pattern)>,
    bodies: Vec<(u16, Pattern)>,
    cookies: AHashMap<&'static [u8], Vec<u16>>,
    cookie_prefixes: Vec<(&'static [u8], u16)>,
    query_keys: AHashMap<Vec<u8>, u128>,
    queries: Vec<(u16, u128)>,
    owners: Vec<(u16, &'static str)>,
    issuers: Vec<(u16, &'static str)>,
    certificate_memory: AHashMap<[u8; 32], Quotes>,
    private: Authorities,
    /// Where each ledger is written.
    entries: Ledger,
}

impl Matcher {
    /// Makes the look-up tables. Expressions are compiled when they are first needed.
    pub fn new(_budget: &Budget) -> Self {
        let mut m = Self {
            names: Names::new(),
            fields: AHashMap::new(),
            shapes: Shapes::default(),
            field_prefixes: Vec::new(),
            phrases: Vec::new(),
            bodies: Vec::new(),
            cookies: AHashMap::new(),
            cookie_prefixes: Vec::new(),
            query_keys: AHashMap::new(),
            queries: Vec::new(),
            owners: Vec::new(),
            issuers: Vec::new(),
            certificate_memory: AHashMap::new(),
            private: Authorities::default(),
            entries: Ledger::new(),
        };
        for (number, s) in pack().in_force() {
            for &pattern in s.patterns {
                m.add(number, s, pattern);
            }
        }
        m.fields.keys().for_each(|name| m.shapes.add(name));
        m
    }

    fn add(&mut self, number: u16, s: &'static Signature, pattern: &'static str) {
        match s.kind {
            Kind::HeaderName => match pattern.strip_suffix('*') {
                Some(prefix) => self.field_prefixes.push((prefix.as_bytes(), number)),
                None => self.fields.entry(pattern.as_bytes()).or_default().present.push(number),
            },
            Kind::RequestHeaderName => self.fields.entry(pattern.as_bytes()).or_default().in_request.push(number),
            Kind::HeaderValueRegex => {
                self.fields.entry(s.field.as_bytes()).or_default().values.push((number, Pattern::new(pattern)));
            }
            Kind::RequestHeaderRegex => {
                self.fields.entry(s.field.as_bytes()).or_default().request_values.push((number, Pattern::new(pattern)));
            }
            Kind::Computed => self.fields.entry(s.field.as_bytes()).or_default().computed.push((number, pattern)),
            Kind::ServerValue => self.fields.entry(b"server").or_default().values.push((number, Pattern::new(pattern))),
            Kind::BodyRegex => self.bodies.push((number, Pattern::of_body(pattern))),
            Kind::StatusPhraseRegex => self.phrases.push((number, Pattern::new(pattern))),
            Kind::CookieName => match pattern.strip_suffix('*') {
                Some(prefix) => self.cookie_prefixes.push((prefix.as_bytes(), number)),
                None => self.cookies.entry(pattern.as_bytes()).or_default().push(number),
            },
            Kind::UrlQueryKeys => {
                let mut all = 0_u128;
                for key in pattern.split('&') {
                    let next =
                        1_u128.checked_shl(u32::try_from(self.query_keys.len()).unwrap_or(u32::MAX)).unwrap_or(0);
                    all |= *self.query_keys.entry(key.to_ascii_lowercase().into_bytes()).or_insert(next);
                }
                self.queries.push((number, all));
            }
            Kind::CertOrg => self.owners.push((number, pattern)),
            // What stands in brackets names intermediate certificates: for the reader.
            Kind::CertIssuer => self.issuers.push((number, pattern.split(" (").next().unwrap_or(pattern))),
            // Names are in `Names`, addresses in the table.
            _ => {}
        }
    }

    /// The same for an exchange that goes on: nothing is learned from it.
    pub fn judge_open(&mut self, exchange: &Exchange, known: &Known) -> (Ledger, Verdict) {
        self.private.holds = true;
        let judged = self.judge(exchange, known);
        self.private.holds = false;
        judged
    }

    /// All evidence of an exchange, and the verdict drawn from it.
    pub fn judge(&mut self, exchange: &Exchange, known: &Known) -> (Ledger, Verdict) {
        let (year, month, ..) = exchange.time.civil();
        let month = u32::try_from(year).unwrap_or(0).saturating_mul(12).saturating_add(month.saturating_sub(1));
        let mut book = Book { ledger: std::mem::take(&mut self.entries) };
        let mut scene = Scene { month, ..Scene::default() };
        scene.gap = exchange.anomalies.iter().any(|a| matches!(a.kind, AnomalyKind::Gap | AnomalyKind::MissingStart));
        scene.dropped = known.dropped;
        scene.reported = exchange.reported.is_some();
        scene.cached = exchange.anomalies.iter().any(|a| a.kind == AnomalyKind::FromCache);
        scene.tunnelled = known.tunnelled(exchange.client.ip);
        let mut asked = None;
        if !matches!(exchange.detail, Detail::Dns(_)) && exchange.proxied.is_none() {
            Self::routing(exchange, month, &mut book, &mut scene);
        }
        match &exchange.detail {
            Detail::Http(http) => {
                asked = self.http(http, exchange, &mut book, &mut scene);
                self.envelope(exchange, &mut asked, &mut book, &mut scene);
            }
            Detail::Tls(tls) => {
                asked = self.tls(tls, exchange, &mut book, &mut scene);
                scene.sealed_dns = sealed_dns(exchange).is_some();
            }
            Detail::Dns(dns) => self.dns(dns, exchange, &mut book, &mut scene),
        }
        if exchange.proxied.is_some() {
            // The address is the proxy's, and so is the lookup that led to it.
            (scene.proxied, scene.passed_on) = (true, true);
        } else if !scene.dns {
            // A lookup after the connection began cannot be what led to it.
            let began = FrameNo(exchange.flow.0);
            let (client, server) = (exchange.client.ip, exchange.server.ip);
            if let Some(chain) = known.answer(server, client, asked.as_ref().map(Name::bytes), began) {
                let others = known.others(server, chain, began);
                scene.looked_up = Some(LookedUp { lookup: chain.lookup, others });
                self.steering(chain, &mut book, &mut scene);
                if asked.is_none()
                    && let Some(name) = Name::of(&chain.asked)
                {
                    let place = Place {
                        part: Part::Dns,
                        range: ByteRange::default(),
                        frames: smallvec![chain.frame],
                        offset: 0,
                    };
                    self.asked(&name, &chain.asked, &place, &mut book, &mut scene);
                }
            }
        }
        scene.asked_sealed = !scene.dns && known.may_have_asked(exchange.client.ip, FrameNo(exchange.flow.0));
        trace(exchange, known, asked.as_ref(), &mut scene);
        book.doubt_writers(scene.month);
        let ledger = book.close();
        self.entries = book.ledger;
        let verdict = grade::grade(&ledger, scene);
        (ledger, verdict)
    }

    fn http(&mut self, http: &HttpExchange, exchange: &Exchange, book: &mut Book, scene: &mut Scene) -> Option<Name> {
        scene.no_request = http.request.is_none();
        scene.no_response = http.response.is_none();
        let status = http.response.as_ref().and_then(status_of);
        scene.accepted = matches!(status, Some(200..=299 | 304));
        if let Some(request) = &http.request
            && let Some(signed) = custody::signed_request(request, request.host())
        {
            let standing = custody::standing(&signed, request.time, status);
            scene.signed = Some((signed.scheme.provider(), standing == custody::Standing::Accepted));
            // Version 4 signs for every service: the scope says for which (`region/service`).
            let service = signed.scope.as_deref().and_then(|scope| scope.rsplit('/').next());
            scene.foreign_scope = service.is_some_and(|service| !service.starts_with("s3"));
        }
        let asked = http.request.as_ref().and_then(|request| self.request(request, book, scene));
        if let Some(response) = &http.response {
            let sent = http.request.as_ref().filter(|_| scene.uploading).and_then(|r| r.body.md5);
            let stored = if scene.uploading { sent } else { response.body.md5.filter(|_| status == Some(200)) };
            self.response(response, exchange, stored, book);
        }
        asked
    }

    fn request(&mut self, request: &HttpMessage, book: &mut Book, scene: &mut Scene) -> Option<Name> {
        let StartLine::Request { method, target } = request.start else { return None };
        let method = method.of(&request.block);
        let uploading = matches!(method, b"PUT" | b"POST" | b"PATCH");
        scene.uploading = uploading;
        let mut asked = None;
        for field in &request.fields {
            let name = field.name.of(&request.block);
            if asked.is_none() && (name.eq_ignore_ascii_case(b"host") || name == b":authority") {
                let value = field.value.of(&request.block);
                asked = Name::of(value);
                if let Some(name) = &asked {
                    let range = line(field);
                    let text = range.of(&request.block);
                    self.asked(name, text, &place(Part::Request, request, range), book, scene);
                }
                continue;
            }
            if !self.shapes.may_have(name) {
                continue;
            }
            let Some(rules) = field_name(name).and_then(|n| self.fields.get(n.bytes())) else { continue };
            for number in &rules.in_request {
                book.line(*number, None, Part::Request, request, field);
            }
            for (number, pattern) in &rules.request_values {
                if pattern.matches(field.value.of(&request.block)) {
                    // Only what the server accepted says anything of the server, and only a signature of an account.
                    let signed = scene.signed.map(|(_, accepted)| accepted);
                    let group = match (scene.accepted, uploading, signed) {
                        (true, true, None | Some(true)) => Group::Writer,
                        (true, false, Some(true)) => Group::Custody,
                        _ => Group::NameChoice,
                    };
                    book.line(*number, Some(group), Part::Request, request, field);
                }
            }
        }
        let text = target.of(&request.block);
        let (authority, proxied) =
            authority_of(text, method == b"CONNECT" && !text.starts_with(b"/") && !scene.reported);
        // A proxied stream or datagrams inside HTTP/2 or HTTP/3 (RFC 9298 section 3): the path names whom they are for.
        // In a HAR file every target is absolute, whomever the request went to.
        scene.proxied = proxied && !scene.reported || method == b"CONNECT" && text.starts_with(b"/.well-known/masque/");
        if let Some(authority) = authority {
            let range = within(target, authority);
            let name = Name::of(range.of(&request.block));
            if let (Some(host), Some(name)) = (&asked, &name) {
                scene.names_agree = Some(host.bytes() == name.bytes());
            }
            if let Some(name) = name.filter(|n| asked.as_ref().is_none_or(|a| a.bytes() != n.bytes())) {
                self.asked(&name, range.of(&request.block), &place(Part::Request, request, range), book, scene);
                asked = asked.or(Some(name));
            }
        }
        if let Some(question) = memchr::memchr(b'?', text) {
            self.query(request, target, question, book, scene);
        }
        if let Some(provider) = scene.bare_store.take().filter(|_| scene.tenant.is_none()) {
            let path = authority.map_or(0, |(_, end)| end);
            let path = text.get(path..).unwrap_or_default();
            let first = path.strip_prefix(b"/").and_then(|p| p.split(|b| matches!(b, b'/' | b'?')).next());
            let first = first.and_then(|f| str::from_utf8(f).ok()).filter(|f| !f.is_empty());
            scene.tenant = first.map(|f| (provider, f.to_owned()));
        }
        asked
    }

    fn query(&self, request: &HttpMessage, target: ByteRange, question: usize, book: &mut Book, scene: &Scene) {
        let text = target.of(&request.block);
        let query = text.get(question + 1..).unwrap_or_default();
        let mut seen = 0;
        for pair in query.split(|b| *b == b'&') {
            let key = pair.split(|b| *b == b'=').next().unwrap_or_default();
            if let Some(key) = field_name(key) {
                seen |= self.query_keys.get(key.bytes()).copied().unwrap_or(0);
            }
        }
        for (number, all) in &self.queries {
            if seen & all == *all && seen != 0 {
                let range = within(target, (question + 1, text.len()));
                // Refused, expired or made for another time: then it is only what somebody wrote.
                let good = scene.signed.is_some_and(|(_, accepted)| accepted);
                let group = if good { Group::Custody } else { Group::NameChoice };
                if scene.foreign_scope && pack().signature(*number).is_some_and(|s| s.role == STORE) {
                    continue;
                }
                let place = place(Part::Request, request, range);
                book.add(*number, Some(group), place, range.of(&request.block));
            }
        }
    }

    /// `stored` is the MD5 of the object's bytes: of those sent, or of those that came back whole.
    fn response(&mut self, response: &HttpMessage, exchange: &Exchange, stored: Option<[u8; 16]>, book: &mut Book) {
        if let Some(opening) = &response.opening {
            self.error_document(opening, book);
        }
        if let StartLine::Status { reason, .. } = response.start {
            let phrase = reason.of(&response.block);
            for (number, _) in self.phrases.iter().filter(|(_, p)| p.matches(phrase)) {
                book.add(*number, None, place(Part::Response, response, reason), phrase);
            }
        }
        for field in &response.fields {
            let name = field.name.of(&response.block);
            if name.eq_ignore_ascii_case(b"set-cookie") {
                self.cookie(response, field, book);
                continue;
            }
            if name.len() > FIELD_NAME {
                continue;
            }
            let begins = |prefix: &[u8]| name.get(..prefix.len()).is_some_and(|n| n.eq_ignore_ascii_case(prefix));
            let prefixed = self.field_prefixes.iter().filter(|(prefix, _)| begins(prefix));
            for (_, number) in prefixed {
                book.line(*number, None, Part::Response, response, field);
            }
            if !self.shapes.may_have(name) {
                continue;
            }
            let Some(name) = field_name(name) else { continue };
            let value = field.value.of(&response.block);
            if let Some(rules) = self.fields.get_mut(name.bytes()) {
                for number in &rules.present {
                    book.line(*number, None, Part::Response, response, field);
                }
                rules.of_value(value, |number| book.line(number, None, Part::Response, response, field));
                if !rules.computed.is_empty() {
                    let facts = Facts {
                        peer: exchange.server.ip,
                        time: response.time,
                        date: response.field("date"),
                        modified: response.field("last-modified"),
                        md5: stored,
                    };
                    for (number, _) in rules.computed.iter().filter(|(_, check)| computed::check(check, value, &facts))
                    {
                        book.line(*number, None, Part::Response, response, field);
                    }
                }
            }
        }
    }

    /// An error document's grammar, in the body's first bytes.
    fn error_document(&self, opening: &Opening, book: &mut Book) {
        for (number, pattern) in &self.bodies {
            let Some(range) = pattern.find(&opening.block) else { continue };
            let range = ByteRange::between(range.start, range.end.min(range.start + LONG_VALUE));
            let frames = frames_of(&opening.spans, range).into();
            let place = Place { part: Part::Body, range, frames, offset: u64::from(range.start) };
            book.add(*number, None, place, range.of(&opening.block));
        }
    }

    fn cookie(&self, response: &HttpMessage, field: &Field, book: &mut Book) {
        let value = field.value.of(&response.block);
        let name = value.split(|b| matches!(b, b'=' | b';')).next().unwrap_or_default().trim_ascii();
        for number in self.cookies.get(name).into_iter().flatten() {
            book.line(*number, None, Part::Response, response, field);
        }
        for (_, number) in self.cookie_prefixes.iter().filter(|(p, _)| name.starts_with(p)) {
            book.line(*number, None, Part::Response, response, field);
        }
    }

    fn tls(&mut self, tls: &TlsSession, _: &Exchange, book: &mut Book, scene: &mut Scene) -> Option<Name> {
        scene.session = true;
        scene.sealed = true;
        scene.opened = tls.decryption.is_opened();
        scene.quic = tls.transport == TlsTransport::Quic;
        scene.hidden_certificate = tls.certificates.is_empty() && tls.server_hello.is_some();
        scene.sends_certificate_open = tls.server_hello.as_ref().is_some_and(|h| h.version < 0x0304);
        // Not all that a QUIC server answers can be opened.
        let answered = scene.quic && tls.bytes[1] > 0;
        scene.no_response = tls.server_hello.is_none() && tls.certificates.is_empty() && !answered;
        let mut asked = None;
        if let Some(hello) = &tls.client_hello {
            scene.hidden_name = hello.ech;
            if let (Some(range), Some(text)) = (hello.sni, hello.sni_bytes()) {
                asked = Name::of(text);
                if let Some(name) = &asked {
                    let place = Place {
                        part: Part::ClientHello,
                        range,
                        frames: hello_frames(hello, range),
                        offset: hello.stream_offset.saturating_add(u64::from(range.start)),
                    };
                    self.asked(name, text, &place, book, scene);
                }
            }
        }
        if let Some(leaf) = tls.certificates.first() {
            // That it is for the asked name is no second word of the client.
            if asked.as_ref().is_some_and(|name| !leaf.is_for(name.bytes())) {
                scene.names_agree = Some(false);
            }
            self.key_holder(leaf, tls.certificate_frame, book);
            self.imitation(leaf, asked.as_ref(), tls.trust.as_ref(), scene);
        }
        asked
    }

    /// The session that a decrypted exchange was read from is evidence of its own: who holds the key, and for which name.
    fn envelope(&mut self, exchange: &Exchange, asked: &mut Option<Name>, book: &mut Book, scene: &mut Scene) {
        let Some(envelope) = &exchange.envelope else { return };
        scene.session = true;
        scene.inside = true;
        scene.hidden_certificate = envelope.certificate.is_none();
        let sent = envelope.name.as_ref().and_then(|sent| Some((sent, Name::of(&sent.text)?)));
        if let Some((sent, name)) = &sent {
            let frames = sent.frames.as_slice().into();
            let place = Place { part: Part::ClientHello, range: sent.range, frames, offset: sent.offset };
            self.asked(name, &sent.text, &place, book, scene);
        }
        let leaf = envelope.certificate.as_deref();
        if let Some(host) = &*asked {
            scene.names_agree = match authority::of_host(host, exchange) {
                Some(Authority::Foreign) => Some(false),
                Some(Authority::Same | Authority::Coalesced) => Some(scene.names_agree != Some(false)),
                Some(Authority::Open) => {
                    scene.other_host = true;
                    scene.names_agree.filter(|agree| !agree)
                }
                None => scene.names_agree,
            };
        }
        if let Some(leaf) = leaf {
            self.key_holder(leaf, envelope.certificate_frame, book);
            let sent = sent.as_ref().map(|(_, name)| name);
            self.imitation(leaf, sent, envelope.trust.as_ref(), scene);
        }
        if asked.is_none() {
            *asked = sent.map(|(_, name)| name);
        }
    }

    /// Notes how the chain stands, and whether an authority of no list signs for others.
    fn imitation(&mut self, leaf: &Certificate, asked: Option<&Name>, trust: Option<&Arc<Trust>>, scene: &mut Scene) {
        scene.trust = trust.cloned();
        let (Some(trust), Some(asked)) = (trust, asked) else { return };
        let names = self.names.asked(asked);
        let claim = names.signatures.first().and_then(|n| pack().signature(*n));
        scene.imitated = claim.is_some_and(|claim| self.private.imitates(trust, leaf, claim, asked.bytes()));
    }

    fn key_holder(&mut self, leaf: &Certificate, frame: Option<FrameNo>, book: &mut Book) {
        for (number, text) in self.certificate(leaf).iter() {
            let frames = frame.into_iter().collect();
            let place = Place { part: Part::Certificate(0), range: ByteRange::default(), frames, offset: 0 };
            book.add(*number, None, place, text);
        }
    }

    fn certificate(&mut self, leaf: &Certificate) -> Quotes {
        if let Some(known) = self.certificate_memory.get(&leaf.sha256) {
            return Arc::clone(known);
        }
        let mut found: Vec<(u16, Box<[u8]>)> = Vec::new();
        for text in &leaf.names {
            if let Some(name) = Name::of(text.as_bytes()) {
                self.names.by_suffix(name.bytes(), Kind::CertSanSuffix, |number, _| {
                    if found.iter().all(|(n, _)| *n != number) {
                        found.push((number, text.as_bytes().into()));
                    }
                });
            }
        }
        if let Some(organisation) = &leaf.subject_org {
            for (number, _) in self.owners.iter().filter(|(_, o)| o == organisation) {
                found.push((*number, organisation.as_bytes().into()));
            }
        }
        if let Some(organisation) = &leaf.issuer_org {
            for (number, _) in self.issuers.iter().filter(|(_, i)| company(organisation) == company(i)) {
                found.push((*number, organisation.as_bytes().into()));
            }
        }
        if self.certificate_memory.len() >= REMEMBERED {
            self.certificate_memory.clear();
        }
        let found: Quotes = found.into();
        self.certificate_memory.insert(leaf.sha256, Arc::clone(&found));
        found
    }

    fn dns(&mut self, dns: &DnsLookup, exchange: &Exchange, book: &mut Book, scene: &mut Scene) {
        scene.dns = true;
        scene.no_response = dns.response.is_none();
        for question in &dns.questions {
            let frame = dns.query_frame.or_else(|| dns.response.as_ref().map(|r| r.frame));
            let frames = frame.into_iter().collect();
            let place = Place { part: Part::Dns, range: ByteRange::default(), frames, offset: 0 };
            if let Some(name) = Name::of(question.name.as_bytes()) {
                self.asked(&name, question.name.as_bytes(), &place, book, scene);
            }
        }
        let renamed = dns.response.iter().flat_map(|r| &r.answers).any(|record| record.rtype == CNAME);
        if renamed && let Some((chain, _)) = Chain::of(dns, exchange.client.ip, ExchangeNo(0)) {
            self.steering(&chain, book, scene);
        }
        for record in dns.response.iter().flat_map(|r| &r.answers) {
            let Some(frame) = dns.response.as_ref().map(|r| r.frame) else { return };
            if !matches!(record.rtype, NS | PTR) {
                continue;
            }
            let Some(name) = Name::of(record.value.as_bytes()) else { continue };
            let add = |kind: &str, number: u16, book: &mut Book| {
                let text = format!("{} {kind} {}", record.name, record.value);
                book.add(number, None, dns_place(record.range, frame), text.as_bytes());
            };
            match record.rtype {
                NS => self.names.name_server(name.bytes(), |number| add("NS", number, book)),
                _ => self.names.reverse(name.bytes(), |number| add("PTR", number, book)),
            }
        }
    }

    /// Adds what an asked name matches, and notes what it says of customers.
    fn asked(&mut self, name: &Name, text: &[u8], place: &Place, book: &mut Book, scene: &mut Scene) {
        let asked: Arc<Asked> = self.names.asked(name);
        for number in &asked.signatures {
            book.add(*number, None, place.clone(), text);
        }
        if scene.claim.is_none() {
            scene.claim = asked.signatures.first().copied();
            scene.tenant = asked.tenant.as_ref().map(|(p, t)| (*p, t.as_ref().to_owned()));
            scene.bare_store = asked.bare_store;
            scene.asked = Some(asked);
        }
    }

    /// Adds what a chain of CNAMEs matches.
    fn steering(&self, chain: &Chain, book: &mut Book, scene: &mut Scene) {
        let hits = chain.hits.get_or_init(|| {
            let mut hits = Vec::new();
            for (at, link) in chain.links.iter().enumerate() {
                self.names.target(&link.target, |number| hits.push((number, at)));
            }
            if let Some(last) = chain.links.len().checked_sub(1) {
                self.names.chain(&chain.joined(), |number| hits.push((number, last)));
            }
            hits
        });
        let mut best = (0, 1);
        for (number, at) in hits {
            let (Some(s), Some(link)) = (pack().signature(*number), chain.links.get(*at)) else { continue };
            // The chain's last zone counts: earlier ones only hand on, steering zones never serve, and a rule about the
            // whole chain tells who sold it.
            if s.kind != Kind::ChainRegex
                && s.supports.has(Supports::OPERATOR)
                && s.strength >= 2
                && (*at, s.strength) > best
            {
                best = (*at, s.strength);
                scene.steered = Some(*number);
            }
            book.add(*number, None, dns_place(link.range, chain.frame), &link.text);
        }
    }

    fn routing(exchange: &Exchange, month: u32, book: &mut Book, scene: &mut Scene) {
        let address = exchange.server.ip;
        scene.no_address = !exchange.server.is_known();
        if scene.no_address {
            return;
        }
        scene.local = addresses::is_local(address);
        if scene.local {
            return;
        }
        let owner = addresses::owner(address, month);
        scene.dated = owner.dated;
        let text = address.to_string();
        let (part, offset) =
            exchange.reported.map_or((Part::Address, 0), |told| (Part::ToldAddress, told.address_offset));
        for number in [owner.service, owner.network].into_iter().flatten() {
            let place = Place { part, range: ByteRange::default(), frames: smallvec![exchange.first_frame], offset };
            book.add(number, None, place, text.as_bytes());
        }
    }

    #[cfg(test)]
    pub(super) fn patterns(&self) -> impl Iterator<Item = &(u16, Pattern)> {
        let fields = self.fields.values().flat_map(|r| r.values.iter().chain(&r.request_values));
        self.names.patterns().chain(fields).chain(&self.phrases)
    }
}

/// The ledger while it is written.
struct Book {
    ledger: Ledger,
}

impl Book {
    fn add(&mut self, number: u16, group: Option<Group>, place: Place, text: &[u8]) {
        let Some(s) = pack().signature(number) else { return };
        // A crowd of equal lines is the same witness again, and must not leave others without room.
        if self.ledger.len() >= ENTRIES * 4 || self.ledger.iter().filter(|e| e.signature == number).count() >= EQUAL {
            return;
        }
        self.ledger.push(Evidence {
            signature: number,
            provider: s.provider,
            group: group.unwrap_or(s.group),
            supports: s.supports,
            place,
            text: text.to_vec(),
        });
    }

    /// Adds a header line as it stands: name, colon, value.
    fn line(&mut self, number: u16, group: Option<Group>, part: Part, message: &HttpMessage, field: &Field) {
        let range = line(field);
        self.add(number, group, place(part, message, range), range.of(&message.block));
    }

    /// A request that a store would understand was written into one only where that store's own lines stand in the answer,
    /// and no other's: any server may answer `200`.
    fn doubt_writers(&mut self, month: u32) {
        let said = |e: &Evidence, own: &dyn Fn(&Signature) -> bool| {
            matches!(e.group, Group::AnsweringSoftware | Group::Arithmetic)
                && pack().signature(e.signature).is_some_and(|s| {
                    s.role == STORE && s.speaks_for == SpeaksFor::Origin && s.strength_in(month) >= 2 && own(s)
                })
        };
        let taken = |provider: ProviderId, ledger: &Ledger| {
            ledger.iter().any(|e| said(e, &|s| s.provider == provider))
                && !ledger
                    .iter()
                    .any(|e| said(e, &|s| s.kind == Kind::ServerValue && !grade::related(s.provider, provider)))
        };
        let doubted: Vec<usize> = (0..self.ledger.len())
            .filter(|n| {
                self.ledger.get(*n).is_some_and(|e| e.group == Group::Writer && !taken(e.provider, &self.ledger))
            })
            .collect();
        for entry in doubted {
            if let Some(entry) = self.ledger.get_mut(entry) {
                entry.group = Group::NameChoice;
            }
        }
    }

    /// The finished ledger: by group, then place, then signature, without repetition.
    fn close(&mut self) -> Ledger {
        self.ledger.sort_by(|a, b| {
            let key = |e: &Evidence| (e.group, e.place.part, e.place.range, e.signature);
            key(a).cmp(&key(b))
        });
        self.ledger.dedup_by(|a, b| a.signature == b.signature && a.place == b.place);
        self.ledger.truncate(ENTRIES);
        // Just as long as it is: the longer one that it was written in is used again.
        let mut ledger = Ledger::with_capacity(self.ledger.len());
        ledger.append(&mut self.ledger);
        ledger
    }
}

/// Lengths, first and last letters of the names that rules have: most fields of a message are told apart by these.
#[derive(Debug)]
struct Shapes([u64; FIELD_NAME]);

impl Default for Shapes {
    fn default() -> Self {
        Self([0; FIELD_NAME])
    }
}

impl Shapes {
    fn add(&mut self, name: &[u8]) {
        let bit = Self::bit(name);
        if let Some(bits) = name.len().checked_sub(1).and_then(|n| self.0.get_mut(n)) {
            *bits |= bit;
        }
    }

    fn may_have(&self, name: &[u8]) -> bool {
        let bits = name.len().checked_sub(1).and_then(|n| self.0.get(n)).copied().unwrap_or(0);
        bits & Self::bit(name) != 0
    }

    /// One of 64 bits, the same for small and capital letters.
    fn bit(name: &[u8]) -> u64 {
        let letter = |byte: Option<&u8>| byte.map_or(0, |b| b | 0x20);
        1 << ((letter(name.first()).wrapping_mul(5) ^ letter(name.last()).wrapping_mul(11)) % 64)
    }
}

/// A field name or query key in lower case, on the stack; `None` where no rule can have it.
struct Lower {
    buffer: [u8; FIELD_NAME],
    len: usize,
}

impl Lower {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

fn field_name(name: &[u8]) -> Option<Lower> {
    if name.is_empty() || name.len() > FIELD_NAME {
        return None;
    }
    let mut lower = Lower { buffer: [0; FIELD_NAME], len: name.len() };
    let written = lower.buffer.get_mut(..name.len())?;
    written.copy_from_slice(name);
    written.make_ascii_lowercase();
    Some(lower)
}

/// A field's whole line, from the name's first byte to the value's last.
fn line(field: &Field) -> ByteRange {
    let end = field.value.end().max(field.name.end());
    ByteRange { start: field.name.start, len: end.saturating_sub(field.name.start) }
}

fn place(part: Part, message: &HttpMessage, range: ByteRange) -> Place {
    let frames = match message.spans.as_slice() {
        [only] => smallvec![only.frame],
        _ => message.frames_of(range).into(),
    };
    if let Some((whole, fields)) = message.told_at.split_first() {
        // The field's own place in the file; that of the whole message for what no field tells.
        let mut told = message.fields.iter().zip(fields);
        let field = told.find(|(field, _)| line(field).end() > range.start && field.name.start < range.end());
        return Place { part, range, frames, offset: field.map_or(*whole, |(_, at)| *at) };
    }
    // A decoded head is no piece of the stream.
    let base = if message.is_decoded() { 0 } else { message.stream_offset };
    Place { part, range, frames, offset: base.saturating_add(u64::from(range.start)) }
}

fn dns_place(range: ByteRange, frame: FrameNo) -> Place {
    Place { part: Part::Dns, range, frames: smallvec![frame], offset: u64::from(range.start) }
}

/// The frames that carried `range` of a hello's block.
fn hello_frames(hello: &ClientHello, range: ByteRange) -> SmallVec<[FrameNo; 2]> {
    let frames = frames_of(&hello.spans, range);
    if frames.is_empty() { smallvec![hello.frame] } else { frames.into() }
}

/// Finds what earlier exchanges of this client say of this one: who gave it the URL, whether it wrote the bytes itself.
fn trace(exchange: &Exchange, known: &Known, asked: Option<&Name>, scene: &mut Scene) {
    let client = exchange.client.ip;
    let (search, before) = match &exchange.detail {
        Detail::Http(http) => {
            let Some((request, url)) = http.request.as_ref().zip(own_url(http, exchange)) else { return };
            let Some(keys) = keys(&url) else { return };
            let before = request.first_frame;
            let body = http.response.as_ref().and_then(|r| r.body.decoded_bytes.zip(r.body.sha256));
            let named = http.response.as_ref().and_then(computed::named_md5);
            if !scene.uploading
                && let Some((upload, how)) = known.uploads.find(&keys, (body, named), client, before)
            {
                scene.first_write = Some(FirstWrite { upload: upload.exchange, frame: upload.frame, how });
            }
            (known.hand_outs.find(&url, &keys, client, before), before)
        }
        Detail::Tls(_) => {
            let Some(host) = asked.and_then(|name| str::from_utf8(name.bytes()).ok()) else { return };
            let before = FrameNo(exchange.flow.0);
            (known.hand_outs.find_host(host, client, before), before)
        }
        Detail::Dns(_) => return,
    };
    // Entries stand in the order of their starts: one before may have been answered after this one was asked.
    let search = match search {
        Search::Found(found) if exchange.reported.is_some() && found.time > exchange.time => Search::Nothing,
        other => other,
    };
    match search {
        Search::Found(found) => scene.handed_out = Some(*found),
        Search::OtherClient | Search::Nothing => {
            let mut unseen = known.unseen(client);
            // This very connection's start counts too.
            unseen.late |= exchange.anomalies.iter().any(|a| a.kind == AnomalyKind::MissingStart && a.frame <= before);
            unseen.other_client = matches!(search, Search::OtherClient);
            unseen.forgotten = known.forgotten_links() > 0;
            unseen.dropped = known.dropped;
            scene.no_hand_out = handouts::reasons(unseen);
        }
    }
}

/// Where a target names a host itself (absolute form, authority form; RFC 9112 section 3.2), as offsets in the target,
/// and whether that says that a proxy was asked.
fn authority_of(target: &[u8], connect: bool) -> (Option<(usize, usize)>, bool) {
    if connect {
        return (Some((0, target.len())), true);
    }
    let scheme = [b"http://".as_slice(), b"https://".as_slice()]
        .into_iter()
        .find(|s| target.get(..s.len()).is_some_and(|t| t.eq_ignore_ascii_case(s)));
    let Some(start) = scheme.map(<[u8]>::len) else { return (None, false) };
    let rest = target.get(start..).unwrap_or_default();
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let user = memchr::memrchr(b'@', rest.get(..end).unwrap_or_default()).map_or(0, |at| at + 1);
    (Some((start + user, start + end)), true)
}

fn within(outer: ByteRange, (from, to): (usize, usize)) -> ByteRange {
    let inner = ByteRange::between(from, to);
    ByteRange { start: outer.start.saturating_add(inner.start), len: inner.len }
}

fn status_of(message: &HttpMessage) -> Option<u16> {
    match message.start {
        StartLine::Status { code, .. } => Some(code),
        StartLine::Request { .. } => None,
    }
}

/// A company's name without its legal form.
fn company(name: &str) -> &str {
    let name = name.trim_end_matches('.');
    [", Inc", " Inc", ", LLC", " LLC", " Corporation", ", Ltd", " Ltd"]
        .into_iter()
        .find_map(|form| name.strip_suffix(form))
        .unwrap_or(name)
}
