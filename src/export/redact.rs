//! Redaction in the data: a record goes in, a record without secrets comes out.
//!
//! Comes in: records, a key, what to hide. Goes out: records in which every secret is a placeholder, with all ranges moved
//! along, and a list of what was replaced. Never: a secret, its length on screen, or a placeholder that can be turned back.
//!
//! What proves something and is no secret stays: account and bucket names, access key ids, request ids, entity tags, edge
//! references.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::secrets::{Context, Hit, Known, SecretKind, find, is_private};
use crate::case::{Key, RedactionChoice};
use crate::model::{
    Answer, BlockSpan, Budget, ByteRange, Certificate, Detail, DnsLookup, Endpoint, Envelope, Exchange, Field, Grade,
    HttpMessage, Ledger, Part, Proxied, StartLine, Supports, TlsSession, Trust, Verdict,
};
use crate::protocols::dns;
use crate::store::Record;

/// Letters of a placeholder's code: none that is mistaken for another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Placeholders listed; a capture of a million cookies has no reader. More are counted.
const MOST_LISTED: usize = 10_000;
/// Places that are told apart; beyond them every replacement counts.
const MOST_COUNTED: usize = 100_000;

/// One secret that was replaced somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// What it was.
    pub kind: SecretKind,
    /// What stands there instead.
    pub placeholder: String,
    /// Where it stood first: `request head, field Cookie`.
    pub place: String,
    /// At how many places.
    pub count: u32,
}

/// What redaction did to a line of the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineState {
    /// Nothing.
    #[default]
    Whole,
    /// A secret in it was replaced; what proves is still there.
    SecretHidden,
    /// Something that may itself be the proof was replaced: the line counts less.
    ProofHidden,
}

/// A record without its secrets.
#[derive(Clone, Debug)]
pub struct Redacted {
    /// The record.
    pub record: Record,
    /// For every line of the ledger, what was done to it.
    pub lines: Vec<LineState>,
    /// Whether a grade was lowered for that.
    pub lowered: bool,
}

/// Hides secrets, the same one always behind the same placeholder.
#[derive(Debug)]
pub struct Redactor {
    choice: RedactionChoice,
    key: Key,
    known: Known,
    /// Placeholder codes by digest, and who has which code.
    codes: BTreeMap<[u8; 32], String>,
    taken: BTreeMap<String, [u8; 32]>,
    list: Vec<Replaced>,
    index: BTreeMap<String, usize>,
    addresses: BTreeMap<IpAddr, IpAddr>,
    /// Places that were counted: exchange, placeholder, place, offset. The same record may be redacted again for another pane.
    counted: BTreeSet<(Scope, String, String, u32)>,
    scope: Scope,
    count: u32,
}

/// Which exchange is being redacted: its flow and its place in it.
type Scope = Option<(u32, u32)>;

impl Redactor {
    /// With the case's key.
    pub fn new(key: &Key, choice: &RedactionChoice) -> Self {
        Self {
            choice: choice.clone(),
            key: *key,
            known: Known::new(if choice.on { &choice.words } else { &[] }),
            codes: BTreeMap::new(),
            taken: BTreeMap::new(),
            list: Vec::new(),
            index: BTreeMap::new(),
            addresses: BTreeMap::new(),
            counted: BTreeSet::new(),
            scope: None,
            count: 0,
        }
    }

    /// Whether anything is hidden at all.
    pub fn is_on(&self) -> bool {
        self.choice.on
    }

    /// Whether private addresses are replaced.
    pub fn hides_addresses(&self) -> bool {
        self.choice.on && self.choice.private_addresses
    }

    /// What was replaced so far.
    pub fn replaced(&self) -> &[Replaced] {
        &self.list
    }

    /// At how many places something was replaced.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Learns the secrets of a record, so that they are hidden wherever else they stand. Call it for all records (and
    /// bodies) of an export before the first [`Redactor::record`].
    pub fn learn(&mut self, record: &Record) {
        if !self.choice.on {
            return;
        }
        if let Detail::Http(http) = &record.exchange.detail {
            for message in http.request.iter().chain(&http.interim).chain(&http.response) {
                for hit in self.head_hits(message) {
                    self.known.learn(hit.range.of(&message.block), hit.kind);
                }
            }
        }
        if let Some(given) = &record.verdict.handed_out {
            self.learn_text(&given.text);
        }
    }

    /// Learns the secrets of a text or body.
    pub fn learn_text(&mut self, text: &[u8]) {
        if self.choice.on {
            for hit in self.hits(text, Context::Text) {
                self.known.learn(hit.range.of(text), hit.kind);
            }
        }
    }

    /// The secrets in a message's head, as ranges of its block, ascending, none overlapping.
    pub fn head_hits(&self, message: &HttpMessage) -> Vec<Hit> {
        if !self.choice.on {
            return Vec::new();
        }
        let block = &message.block;
        let mut hits = Vec::new();
        let mut part = |range: ByteRange, context: Context<'_>| {
            let found = self.hits(range.of(block), context);
            hits.extend(found.into_iter().map(|h| Hit { range: moved(h.range, range.start), ..h }));
        };
        match message.start {
            StartLine::Request { target, .. } => part(target, Context::Url),
            StartLine::Status { reason, .. } => part(reason, Context::Text),
        }
        for field in message.fields.iter().chain(&message.trailers) {
            let name = field.name.of(block);
            part(field.value, Context::Field(name));
            // A name is a token, but a hostile one may hold anything.
            part(field.name, Context::Text);
        }
        hits.extend(self.strays(message, &hits));
        sorted(hits)
    }

    /// Secrets known from elsewhere that stand in parts of a head which are no field: lines that do not parse.
    fn strays(&self, message: &HttpMessage, hits: &[Hit]) -> Vec<Hit> {
        let covered = |range: ByteRange| {
            let inside = |r: ByteRange| range.start >= r.start && range.end() <= r.end();
            let fields = message.fields.iter().chain(&message.trailers);
            hits.iter().any(|h| h.overlaps(range)) || fields.flat_map(|f| [f.name, f.value]).any(inside)
        };
        let words = self.known.find(&message.block).into_iter();
        words.filter(|hit| !covered(hit.range)).collect()
    }

    /// The secrets in a text, ascending, none overlapping.
    pub fn hits(&self, text: &[u8], context: Context<'_>) -> Vec<Hit> {
        if !self.choice.on {
            return Vec::new();
        }
        sorted(find(text, context, &self.known, self.choice.private_addresses))
    }

    /// The secrets of texts, each once, as their bytes stand there.
    pub(super) fn secrets_of<'a>(&self, texts: impl IntoIterator<Item = &'a [u8]>) -> BTreeSet<Vec<u8>> {
        let mut found = BTreeSet::new();
        for text in texts {
            found.extend(self.hits(text, Context::Text).iter().map(|hit| hit.range.of(text).to_vec()));
        }
        found
    }

    /// Whether a DNS message tells a secret. One that cannot be read whole may.
    pub(super) fn hides_of_dns(&self, message: &[u8], budget: &Budget) -> bool {
        let (texts, whole) = dns::texts(message, budget);
        // Names in data that is not read as text, as far as their length bytes are no letters.
        let flat: Vec<u8> = message.iter().map(|b| if *b < b' ' { b'.' } else { *b }).collect();
        self.choice.on
            && (!whole
                || texts.iter().any(|text| !self.hits(text.as_bytes(), Context::Text).is_empty())
                || !self.known_hits(&flat).is_empty()
                || !self.known_hits(message).is_empty())
    }

    /// Secrets known by their bytes, and the user's words, in bytes of any protocol.
    pub(super) fn known_hits(&self, bytes: &[u8]) -> Vec<Hit> {
        if self.choice.on { sorted(self.known.find(bytes)) } else { Vec::new() }
    }

    /// A text or body with placeholders.
    pub fn text(&mut self, text: &[u8], place: &str) -> Vec<u8> {
        let hits = self.hits(text, Context::Text);
        if hits.is_empty() { text.to_vec() } else { self.rebuild(text, &hits, |_| place.to_owned()).0 }
    }

    /// A text as it is written in the verdict or in a certificate.
    fn string(&mut self, text: &str, place: &str) -> String {
        String::from_utf8(self.text(text.as_bytes(), place)).unwrap_or_default()
    }

    /// A record without its secrets.
    pub fn record(&mut self, record: &Record) -> Redacted {
        if !self.choice.on {
            let lines = vec![LineState::Whole; record.ledger.len()];
            return Redacted { record: record.clone(), lines, lowered: false };
        }
        let Record { exchange, ledger, verdict } = record;
        self.scope = Some((exchange.flow.0, exchange.ordinal));
        let (mut moved_blocks, mut exchange_out) = (Moves::default(), exchange.clone());
        self.exchange(&mut exchange_out, &mut moved_blocks);
        let (ledger_out, lines) = self.ledger(ledger, exchange, &exchange_out, &moved_blocks);
        let mut verdict_out = self.verdict(verdict);
        let lowered = lower(&mut verdict_out, ledger, &lines);
        self.scope = None;
        Redacted { record: Record { exchange: exchange_out, ledger: ledger_out, verdict: verdict_out }, lines, lowered }
    }

    fn exchange(&mut self, exchange: &mut Exchange, moves: &mut Moves) {
        exchange.client = self.endpoint(exchange.client);
        exchange.server = self.endpoint(exchange.server);
        if let Some(envelope) = &exchange.envelope {
            let mut new = Envelope::clone(envelope);
            if let Some(name) = &mut new.name {
                name.text = self.text(&name.text, "ClientHello, server name").into();
            }
            new.certificate = new.certificate.as_ref().map(|certificate| self.certificate(certificate));
            new.trust = new.trust.as_ref().map(|trust| self.trust(trust));
            exchange.envelope = Some(Arc::new(new));
        }
        if let Some(proxied) = &exchange.proxied {
            let target = self.string(&proxied.target, "proxy request").into();
            exchange.proxied = Some(Arc::new(Proxied { target, ..Proxied::clone(proxied) }));
        }
        match &mut exchange.detail {
            Detail::Http(http) => {
                if let Some(request) = &mut http.request {
                    moves.request = self.message(request, "request head");
                }
                for interim in &mut http.interim {
                    self.message(interim, "interim response head");
                }
                if let Some(response) = &mut http.response {
                    moves.response = self.message(response, "response head");
                }
            }
            Detail::Tls(tls) => moves.hello = self.tls(tls),
            Detail::Dns(dns) => self.dns(dns),
        }
    }

    /// An address on screen: a private one becomes a number of the block `0.0.0.0/8` (of `100::/64`), which no machine has.
    fn endpoint(&mut self, endpoint: Endpoint) -> Endpoint {
        Endpoint { ip: self.address(endpoint.ip), ..endpoint }
    }

    /// An address, replaced where it is private and that was asked for; the same one always by the same.
    pub fn address(&mut self, ip: IpAddr) -> IpAddr {
        if !self.choice.on || !self.choice.private_addresses || !is_private(ip) {
            return ip;
        }
        if let Some(known) = self.addresses.get(&ip) {
            return *known;
        }
        let number = u16::try_from(self.addresses.len() + 1).unwrap_or(u16::MAX);
        let [high, low] = number.to_be_bytes();
        let stand_in: IpAddr = match ip {
            IpAddr::V4(_) => [0, 0, high, low].into(),
            IpAddr::V6(_) => [0x100, 0, 0, 0, 0, 0, 0, number].into(),
        };
        self.addresses.insert(ip, stand_in);
        self.note(SecretKind::Address, &stand_in.to_string(), "packet header", 0);
        stand_in
    }

    fn message(&mut self, message: &mut HttpMessage, part: &str) -> Map {
        let hits = self.head_hits(message);
        if hits.is_empty() {
            return Map::default();
        }
        let (block, fields) = (message.block.clone(), message.fields.clone());
        let place = |hit: &Hit| {
            let field = fields.iter().find(|f| f.value.start <= hit.range.start && hit.range.end() <= f.value.end());
            match field {
                Some(f) => format!("{part}, field {}", crate::model::clean_to(f.name.of(&block), 60)),
                None if hit.range.start < first_line_len(&block) => format!("{part}, first line"),
                None => part.to_owned(),
            }
        };
        let (new, map) = self.rebuild(&message.block, &hits, place);
        message.block = new.into();
        message.start = match message.start {
            StartLine::Request { method, target } => {
                StartLine::Request { method: map.range(method), target: map.range(target) }
            }
            StartLine::Status { code, reason } => StartLine::Status { code, reason: map.range(reason) },
        };
        for field in message.fields.iter_mut().chain(&mut message.trailers) {
            *field = Field { name: map.range(field.name), value: map.range(field.value) };
        }
        map.spans(&mut message.spans);
        map
    }

    fn tls(&mut self, tls: &mut TlsSession) -> Map {
        let mut map = Map::default();
        if let Some(hello) = &mut tls.client_hello {
            // Only names: a hello has no other text, and its random bytes must not be taken for one.
            let hits = match hello.sni {
                Some(sni) => {
                    let found = self.hits(sni.of(&hello.block), Context::Text);
                    found.into_iter().map(|h| Hit { range: moved(h.range, sni.start), ..h }).collect()
                }
                None => Vec::new(),
            };
            if !hits.is_empty() {
                let (block, moved_map) = self.rebuild(&hello.block, &hits, |_| "ClientHello, server name".to_owned());
                hello.block = block.into();
                hello.sni = hello.sni.map(|r| moved_map.range(r));
                for range in &mut hello.alpn {
                    *range = moved_map.range(*range);
                }
                moved_map.spans(&mut hello.spans);
                map = moved_map;
            }
        }
        for certificate in tls.certificates.iter_mut().chain(&mut tls.client_certificates) {
            *certificate = self.certificate(certificate);
        }
        tls.trust = tls.trust.as_ref().map(|trust| self.trust(trust));
        map
    }

    /// A public root's name is no secret; that of a private authority may name its owner.
    fn trust(&mut self, trust: &Arc<Trust>) -> Arc<Trust> {
        let authority = trust.authority.as_ref().map(|name| self.string(name, "certificate"));
        if authority == trust.authority {
            Arc::clone(trust)
        } else {
            Arc::new(Trust { authority, ..Trust::clone(trust) })
        }
    }

    fn certificate(&mut self, certificate: &Arc<Certificate>) -> Arc<Certificate> {
        let mut new = Certificate::clone(certificate);
        for text in [&mut new.subject_cn, &mut new.subject_org, &mut new.issuer_cn, &mut new.issuer_org] {
            *text = text.as_ref().map(|t| self.string(t, "certificate"));
        }
        new.names = new.names.iter().map(|n| self.string(n, "certificate")).collect();
        if new == **certificate { Arc::clone(certificate) } else { Arc::new(new) }
    }

    fn dns(&mut self, dns: &mut DnsLookup) {
        for question in &mut dns.questions {
            question.name = self.string(&question.name, "DNS question");
        }
        for answer in dns.response.iter_mut().flat_map(|r| &mut r.answers) {
            answer.name = self.string(&answer.name, "DNS answer");
            answer.value = self.string(&answer.value, "DNS answer");
        }
    }

    fn ledger(&mut self, old: &Ledger, was: &Exchange, is: &Exchange, moves: &Moves) -> (Ledger, Vec<LineState>) {
        let mut states = Vec::new();
        let mut ledger = old.clone();
        for (entry, before) in ledger.iter_mut().zip(old) {
            let part = before.place.part;
            let (map, standing) = match (part, block_of(was, part), block_of(is, part)) {
                (_, Some(old_block), Some(_)) => {
                    (moves.of(part), before.place.range.of(old_block) == before.text.as_slice())
                }
                _ => (None, false),
            };
            let (text, state) = if let (Some(map), true, Some(block)) = (map, standing, block_of(is, part)) {
                entry.place.range = map.range(before.place.range);
                (entry.place.range.of(block).to_vec(), map.state(before.place.range))
            } else {
                let hits = self.hits(&before.text, Context::Text);
                (self.text(&before.text, &part.words()), worst(hits.iter()))
            };
            entry.text = text;
            states.push(state);
        }
        (ledger, states)
    }

    fn verdict(&mut self, verdict: &Verdict) -> Verdict {
        let mut new = verdict.clone();
        if let Some(Answer { value, .. }) = &mut new.tenant {
            value.name = self.string(&value.name, "tenant");
            value.first_party = value.first_party.as_ref().map(|p| self.string(p, "first party"));
        }
        if let Some(given) = &mut new.handed_out {
            given.host = self.string(&given.host, "hand-out, host");
            given.site = given.site.as_ref().map(|s| self.string(s, "hand-out, host"));
            given.field = self.string(&given.field, "hand-out, field");
            let hits = self.hits(&given.text, Context::Url);
            given.text = self.rebuild(&given.text, &hits, |_| "hand-out, URL".to_owned()).0;
        }
        new
    }

    /// The block with placeholders, and how its offsets moved.
    fn rebuild(&mut self, block: &[u8], hits: &[Hit], place: impl Fn(&Hit) -> String) -> (Vec<u8>, Map) {
        let mut out = Vec::with_capacity(block.len() + hits.len() * 8);
        let mut map = Map::default();
        let mut at = 0;
        for hit in hits {
            let (start, end) = (hit.range.start as usize, hit.range.end() as usize);
            out.extend_from_slice(block.get(at..start).unwrap_or_default());
            let placeholder = self.placeholder(hit.kind, hit.range.of(block));
            self.note(hit.kind, &placeholder, &place(hit), hit.range.start);
            let new = ByteRange::between(out.len(), out.len() + placeholder.len());
            out.extend_from_slice(placeholder.as_bytes());
            map.pieces.push(Piece { old: hit.range, new, may_prove: hit.may_prove() });
            at = end;
        }
        out.extend_from_slice(block.get(at..).unwrap_or_default());
        (out, map)
    }

    /// `‹cookie K4T›`: three letters of the keyed digest; more where two secrets share them.
    fn placeholder(&mut self, kind: SecretKind, secret: &[u8]) -> String {
        let digest = self.key.digest(kind.word(), secret);
        if let Some(code) = self.codes.get(&digest) {
            return format!("‹{} {code}›", kind.word());
        }
        let letters: String =
            digest.iter().map(|b| char::from(LETTERS.get(usize::from(b & 31)).copied().unwrap_or(b'0'))).collect();
        let mut len = 3;
        let code = loop {
            let code = format!("{} {}", kind.word(), letters.get(..len).unwrap_or(&letters));
            if len >= letters.len() || !self.taken.contains_key(&code) {
                break code;
            }
            len += 1;
        };
        self.taken.insert(code.clone(), digest);
        let short = code.rsplit(' ').next().unwrap_or_default().to_owned();
        self.codes.insert(digest, short);
        format!("‹{code}›")
    }

    fn note(&mut self, kind: SecretKind, placeholder: &str, place: &str, offset: u32) {
        let key = (self.scope, placeholder.to_owned(), place.to_owned(), offset);
        if self.counted.len() < MOST_COUNTED && !self.counted.insert(key) {
            return;
        }
        self.count = self.count.saturating_add(1);
        if let Some(entry) = self.index.get(placeholder).and_then(|i| self.list.get_mut(*i)) {
            entry.count = entry.count.saturating_add(1);
        } else if self.list.len() < MOST_LISTED {
            self.index.insert(placeholder.to_owned(), self.list.len());
            let (placeholder, place) = (placeholder.to_owned(), place.to_owned());
            self.list.push(Replaced { kind, placeholder, place, count: 1 });
        }
    }
}

/// How the offsets of an exchange's blocks moved.
#[derive(Debug, Default)]
struct Moves {
    request: Map,
    response: Map,
    hello: Map,
}

impl Moves {
    fn of(&self, part: Part) -> Option<&Map> {
        match part {
            Part::Request => Some(&self.request),
            Part::Response => Some(&self.response),
            Part::ClientHello => Some(&self.hello),
            Part::Certificate(_) | Part::Dns | Part::Address | Part::ToldAddress | Part::Body => None,
        }
    }
}

/// The block that a part of an exchange stands in, where it is in the record.
fn block_of(exchange: &Exchange, part: Part) -> Option<&[u8]> {
    match (&exchange.detail, part) {
        (Detail::Http(http), Part::Request) => http.request.as_ref().map(|m| &*m.block),
        (Detail::Http(http), Part::Response) => http.response.as_ref().map(|m| &*m.block),
        (Detail::Tls(tls), Part::ClientHello) => tls.client_hello.as_ref().map(|h| &*h.block),
        _ => None,
    }
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    old: ByteRange,
    new: ByteRange,
    may_prove: bool,
}

/// How a block's offsets moved: the pieces that were replaced, ascending.
#[derive(Clone, Debug, Default)]
struct Map {
    pieces: Vec<Piece>,
}

impl Map {
    /// Where an offset went; one inside a replaced piece goes to its start, or for a range's end to its end.
    fn at(&self, old: u32, end: bool) -> u32 {
        let before = self.pieces.partition_point(|p| if end { p.old.start < old } else { p.old.start <= old });
        let Some(piece) = before.checked_sub(1).and_then(|i| self.pieces.get(i)) else { return old };
        if old < piece.old.end() || end && old == piece.old.end() {
            if end { piece.new.end() } else { piece.new.start }
        } else {
            piece.new.end() + (old - piece.old.end())
        }
    }

    fn range(&self, old: ByteRange) -> ByteRange {
        if old.len == 0 {
            return ByteRange { start: self.at(old.start, false), len: 0 };
        }
        let (start, end) = (self.at(old.start, false), self.at(old.end(), true));
        ByteRange { start, len: end.saturating_sub(start) }
    }

    fn spans(&self, spans: &mut [BlockSpan]) {
        for span in spans {
            span.at = self.at(span.at, false);
        }
    }

    fn state(&self, old: ByteRange) -> LineState {
        let touched = self.pieces.iter().filter(|p| p.old.start < old.end() && old.start < p.old.end());
        touched.map(|p| state(p.may_prove)).max().unwrap_or_default()
    }
}

fn state(may_prove: bool) -> LineState {
    if may_prove { LineState::ProofHidden } else { LineState::SecretHidden }
}

fn worst<'a>(hits: impl Iterator<Item = &'a Hit>) -> LineState {
    hits.map(|h| state(h.may_prove())).max().unwrap_or_default()
}

/// One step lower, where there is one.
pub(super) fn lowered(grade: Grade) -> Grade {
    match grade {
        Grade::Conclusive => Grade::Supports,
        Grade::Supports => Grade::Suggests,
        Grade::Suggests => Grade::NameOnly,
        Grade::NameOnly | Grade::Contradicted => grade,
    }
}

/// Whether it may be a placeholder's code.
pub(super) fn is_code(code: &str) -> bool {
    (3..=32).contains(&code.len()) && code.bytes().all(|b| LETTERS.contains(&b))
}

/// Lowers by one step each answer that a line speaks for whose proof was hidden.
fn lower(verdict: &mut Verdict, ledger: &Ledger, lines: &[LineState]) -> bool {
    let hidden = |supports: Supports| {
        let mut entries = ledger.iter().zip(lines);
        entries.any(|(e, state)| *state == LineState::ProofHidden && e.supports.has(supports))
    };
    let mut any = false;
    let mut step = |grade: &mut Grade| {
        let next = lowered(*grade);
        any |= next != *grade;
        *grade = next;
    };
    if hidden(Supports::OPERATOR) {
        verdict.operator.iter_mut().for_each(|a| step(&mut a.grade));
        verdict.grade.iter_mut().for_each(&mut step);
    }
    if hidden(Supports::PRODUCT) {
        verdict.product.iter_mut().for_each(|a| step(&mut a.grade));
    }
    if hidden(Supports::ROLE) {
        verdict.role.iter_mut().for_each(|a| step(&mut a.grade));
    }
    if hidden(Supports::TENANT) {
        verdict.tenant.iter_mut().for_each(|a| step(&mut a.grade));
    }
    any
}

fn moved(range: ByteRange, by: u32) -> ByteRange {
    ByteRange { start: range.start.saturating_add(by), ..range }
}

fn first_line_len(block: &[u8]) -> u32 {
    memchr::memchr(b'\n', block).unwrap_or(block.len()) as u32
}

/// Ascending, merged where they overlap; the longer one names the kind.
fn sorted(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.retain(|h| h.range.len > 0);
    hits.sort_by_key(|h| (h.range.start, std::cmp::Reverse(h.range.len)));
    let mut out: Vec<Hit> = Vec::with_capacity(hits.len());
    for hit in hits {
        match out.last_mut() {
            Some(last) if hit.range.start < last.range.end() => {
                if hit.range.end() > last.range.end() {
                    last.range.len = hit.range.end() - last.range.start;
                }
            }
            _ => out.push(hit),
        }
    }
    out
}
