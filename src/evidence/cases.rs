//! Made-up exchanges that try a signature: some that it must match, some that it must not.
//!
//! Comes in: the number of a signature. Goes out: what the real matcher made of each exchange. Never: traffic of anybody;
//! all names and values are made from the rule itself.

use core::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::addresses;
use super::known::Known;
use super::matcher::Matcher;
use super::pack::{Kind, Signature, pack};
use super::sample::{Expressions, matching};
use crate::model::{
    BlockSpan, Body, Budget, ByteRange, Certificate, ClientHello, Decryption, Detail, DnsKind, DnsLookup, DnsOver,
    DnsQuestion, DnsRecord, DnsResponse, Endpoint, Exchange, Field, FlowId, FrameNo, HttpExchange, HttpMessage,
    HttpVersion, ServerHello, Stapled, StartLine, Timestamp, TlsSession, TlsTransport, Transport,
};

/// 2026-09-01, where a rule does not care.
const NOW: Timestamp = Timestamp(1_788_220_800_000_000_000);
const SECOND: i64 = 1_000_000_000;
/// Of no operator: TEST-NET-3 (RFC 5737).
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 80));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 10));
/// Texts of an expression that are tried.
const TEXTS: usize = 8;

/// What came of trying one signature.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Exchanges that had to match, and did.
    pub matched: usize,
    /// Exchanges that had to be let go, and were.
    pub let_go: usize,
    /// What went wrong, in words.
    pub failures: Vec<String>,
    /// Why nothing, or not every pattern, could be tried.
    pub left_out: Option<&'static str>,
}

/// Tries signatures with one matcher.
#[derive(Debug)]
pub struct Trials {
    matcher: Matcher,
    known: Known,
    /// Certificates are remembered by their hash, so each gets one of its own.
    certificates: u64,
}

impl Default for Trials {
    fn default() -> Self {
        let budget = Budget::default();
        Self { matcher: Matcher::new(&budget), known: Known::new(&budget), certificates: 0 }
    }
}

impl Trials {
    /// Tries the signature of that number of this process's pack.
    pub fn of(&mut self, number: u16) -> Trial {
        let Some(s) = pack().signature(number) else { return Trial::default() };
        let mut trying = Trying { trials: self, number, trial: Trial::default() };
        if pack().is_on(number) {
            trying.signature(s);
        } else {
            trying.trial.left_out = Some("switched off");
        }
        trying.trial
    }
}

struct Trying<'a> {
    trials: &'a mut Trials,
    number: u16,
    trial: Trial,
}

impl Trying<'_> {
    fn signature(&mut self, s: &'static Signature) {
        match s.kind {
            Kind::DnsSuffix | Kind::CnameSuffix | Kind::CertSanSuffix | Kind::PtrSuffix => self.suffixes(s),
            Kind::UrlHostRegex | Kind::CnameRegex | Kind::NsRegex | Kind::PtrRegex => self.hosts(s),
            Kind::ChainRegex => self.chains(s),
            Kind::HeaderValueRegex => self.values(s, s.field),
            Kind::ServerValue => self.values(s, "server"),
            Kind::RequestHeaderRegex => self.request_values(s),
            Kind::StatusPhraseRegex => self.phrases(s),
            Kind::HeaderName => self.names(s, false),
            Kind::RequestHeaderName => self.names(s, true),
            Kind::CookieName => self.cookies(s),
            Kind::UrlQueryKeys => self.queries(s),
            Kind::CertOrg => self.owners(s),
            Kind::CertIssuer => self.issuers(s),
            Kind::Asn | Kind::IpRangeRef => self.addresses(),
            Kind::Computed if s.patterns.contains(&"s3-etag-md5") => {
                self.trial.left_out = Some("needs the body's MD5, which is not computed on the way");
            }
            Kind::Computed => self.computed(s),
            Kind::BodyRegex => self.trial.left_out = Some("bodies are not made up here"),
        }
    }

    fn check(&mut self, exchange: &Exchange, want: bool, what: &str) {
        let (ledger, _) = self.trials.matcher.judge(exchange, &self.trials.known);
        match (ledger.iter().any(|e| e.signature == self.number), want) {
            (true, true) => self.trial.matched += 1,
            (false, false) => self.trial.let_go += 1,
            (false, true) => self.trial.failures.push(format!("should match, but does not: {what}")),
            (true, false) => self.trial.failures.push(format!("should not match, but does: {what}")),
        }
    }

    /// A name where the kind looks for it.
    fn name(&mut self, kind: Kind, name: &str, want: bool) {
        match kind {
            Kind::CnameSuffix | Kind::CnameRegex => self.check(&chain(&["www.shop.example", name]), want, name),
            Kind::PtrSuffix | Kind::PtrRegex => self.check(&record(12, "1.2.0.192.in-addr.arpa", name), want, name),
            Kind::NsRegex => self.check(&record(2, "shop.example", name), want, name),
            Kind::CertSanSuffix => {
                let exchange = self.certificate(&[name], None, None);
                self.check(&exchange, want, name);
            }
            _ => {
                self.check(&get("/", &[("Host", name)], &[]), want, name);
                self.check(&sealed(name, None), want, &format!("{name} as SNI"));
                self.check(&chain(&[name]), want, &format!("{name} as a question"));
            }
        }
    }

    fn suffixes(&mut self, s: &'static Signature) {
        // What another pattern of the row rightly matches is no counter-example (none of the built-in rows has such).
        let is_match = |name: &str| {
            s.patterns.iter().any(|p| name.strip_suffix(p).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
        };
        for pattern in s.patterns {
            let upper = pattern.to_ascii_uppercase();
            for name in
                [(*pattern).to_owned(), format!("x1.{pattern}"), format!("a.b-c.{pattern}"), format!("q.{upper}")]
            {
                // Reverse names and CNAME targets come in lower case from the parser's door; case is the matcher's matter.
                self.name(s.kind, &name, true);
            }
            for name in
                [format!("{pattern}.evil.example"), format!("x.{pattern}.evil.example"), format!("evil{pattern}")]
            {
                if !is_match(&name) {
                    self.name(s.kind, &name, false);
                }
            }
        }
    }

    fn hosts(&mut self, s: &'static Signature) {
        let all = Expressions::new(s.patterns);
        for pattern in s.patterns {
            for name in self.texts(pattern, whole_name) {
                self.name(s.kind, &name, true);
                let longer = [format!("{name}.evil.example"), format!("{name}.example"), format!("evil{name}")];
                for wrong in longer.into_iter().chain(all.broken(&name, "q9-")).filter(|n| !all.match_any(n)) {
                    self.name(s.kind, &wrong, false);
                }
            }
        }
    }

    fn chains(&mut self, s: &'static Signature) {
        let all = Expressions::new(s.patterns);
        let names = |text: &str| text.trim_end().split(" > ").map(whole_name).collect::<Vec<_>>().join(" > ");
        for pattern in s.patterns {
            for text in self.texts(pattern, names) {
                let right: Vec<&str> = text.split(" > ").collect();
                self.check(&chain(&right), true, &text);
                let last: Vec<&str> = right.iter().skip(right.len().saturating_sub(1)).copied().collect();
                let evil: Vec<String> = right.iter().map(|n| format!("{n}.evil.example")).collect();
                let evil: Vec<&str> = evil.iter().map(String::as_str).collect();
                for wrong in [last, evil] {
                    let text = wrong.join(" > ");
                    if !all.match_any(&text) {
                        self.check(&chain(&wrong), false, &text);
                    }
                }
            }
        }
    }

    fn values(&mut self, s: &'static Signature, field: &str) {
        let all = Expressions::new(s.patterns);
        for pattern in s.patterns {
            for value in self.texts(pattern, whole_value) {
                self.check(&get("/", &[], &[(field, &value)]), true, &format!("{field}: {value}"));
                self.check(
                    &get("/", &[], &[(&field.to_ascii_uppercase(), &value)]),
                    true,
                    &format!("{field} in capitals"),
                );
                self.check(&get("/", &[], &[("x-another-field", &value)]), false, &format!("x-another-field: {value}"));
                self.check(&get("/", &[(field, &value)], &[]), false, &format!("in the request, {field}: {value}"));
                if let Some(wrong) = self.broken(&all, &value) {
                    self.check(&get("/", &[], &[(field, &wrong)]), false, &format!("{field}: {wrong}"));
                }
            }
        }
    }

    fn request_values(&mut self, s: &'static Signature) {
        let all = Expressions::new(s.patterns);
        let field = s.field;
        for pattern in s.patterns {
            for value in self.texts(pattern, whole_value) {
                self.check(&get("/", &[(field, &value)], &[]), true, &format!("{field}: {value}"));
                self.check(&get("/", &[("x-another-field", &value)], &[]), false, &format!("x-another-field: {value}"));
                self.check(&get("/", &[], &[(field, &value)]), false, &format!("in the response, {field}: {value}"));
                if let Some(wrong) = self.broken(&all, &value) {
                    self.check(&get("/", &[(field, &wrong)], &[]), false, &format!("{field}: {wrong}"));
                }
            }
        }
    }

    fn phrases(&mut self, s: &'static Signature) {
        let all = Expressions::new(s.patterns);
        for pattern in s.patterns {
            for phrase in self.texts(pattern, whole_value) {
                self.check(&answer(&phrase, &[]), true, &phrase);
                self.check(&get("/", &[], &[("x-reason", &phrase)]), false, &format!("x-reason: {phrase}"));
                if let Some(wrong) = self.broken(&all, &phrase) {
                    self.check(&answer(&wrong, &[]), false, &wrong);
                }
            }
        }
    }

    fn names(&mut self, s: &'static Signature, in_request: bool) {
        let is_match = |name: &str| s.patterns.iter().any(|p| starred(p, name));
        let with = |name: &str, in_request: bool| {
            if in_request { get("/", &[(name, "1")], &[]) } else { get("/", &[], &[(name, "1")]) }
        };
        for pattern in s.patterns {
            let name = pattern.replace('*', "abc");
            self.check(&with(&name, in_request), true, &name);
            self.check(&with(&name.to_ascii_uppercase(), in_request), true, &format!("{name} in capitals"));
            self.check(&with(&name, !in_request), false, &format!("{name} on the other side"));
            self.check(&get("/", &[], &[("x-note", &name)]), false, &format!("x-note: {name}"));
            let stem = pattern.trim_end_matches('*');
            let shorter = stem.get(..stem.len().saturating_sub(1)).unwrap_or_default();
            for wrong in [format!("x{name}"), format!("{shorter}~"), format!("{name}x")] {
                if !is_match(&wrong) {
                    self.check(&with(&wrong, in_request), false, &wrong);
                }
            }
        }
    }

    fn cookies(&mut self, s: &'static Signature) {
        let is_match = |name: &str| s.patterns.iter().any(|p| starred(p, name));
        for pattern in s.patterns {
            let name = pattern.replace('*', "abc");
            let set = |cookie: &str| get("/", &[], &[("Set-Cookie", cookie)]);
            self.check(&set(&format!("{name}=1; path=/")), true, &name);
            self.check(&set(&format!("a={name}; path=/")), false, &format!("a={name}"));
            self.check(&get("/", &[], &[("x-cookie", &name)]), false, &format!("x-cookie: {name}"));
            for wrong in [format!("x{name}"), format!("{name}x"), name.to_ascii_uppercase().replace('_', "-")] {
                if !is_match(&wrong) {
                    self.check(&set(&format!("{wrong}=1")), false, &wrong);
                }
            }
        }
    }

    fn queries(&mut self, s: &'static Signature) {
        let holds =
            |keys: &[String]| s.patterns.iter().any(|p| p.split('&').all(|k| keys.iter().any(|have| have == k)));
        for pattern in s.patterns {
            let keys: Vec<String> = pattern.split('&').map(str::to_owned).collect();
            let target = |keys: &[String]| {
                let pairs: Vec<String> = keys.iter().map(|k| format!("{k}=1")).collect();
                format!("/o?a=b&{}", pairs.join("&"))
            };
            self.check(&get(&target(&keys), &[], &[]), true, pattern);
            let upper: Vec<String> = keys.iter().rev().map(|k| k.to_ascii_uppercase()).collect();
            self.check(&get(&target(&upper), &[], &[]), true, &format!("{pattern} in capitals"));
            let in_path = format!("/{}", target(&keys).replace('?', "/"));
            self.check(&get(&in_path, &[], &[]), false, &in_path);
            for at in 0..keys.len() {
                let mut fewer = keys.clone();
                if let Some(key) = fewer.get_mut(at) {
                    key.insert(0, 'x');
                }
                if !holds(&fewer) {
                    self.check(&get(&target(&fewer), &[], &[]), false, &target(&fewer));
                }
            }
        }
    }

    fn owners(&mut self, s: &'static Signature) {
        for pattern in s.patterns {
            let right = self.certificate(&[], Some(pattern), None);
            self.check(&right, true, pattern);
            let (fans, issuer) = (format!("{pattern} Fan Club"), self.certificate(&[], None, Some(pattern)));
            self.check(&issuer, false, &format!("{pattern} as issuer"));
            let fans_own = self.certificate(&[], Some(&fans), None);
            self.check(&fans_own, false, &fans);
        }
    }

    fn issuers(&mut self, s: &'static Signature) {
        for pattern in s.patterns {
            let name = pattern.split(" (").next().unwrap_or(pattern);
            let right = self.certificate(&[], None, Some(name));
            self.check(&right, true, name);
            let subject = self.certificate(&[], Some(name), None);
            self.check(&subject, false, &format!("{name} as subject"));
            for wrong in [format!("Not {name}"), format!("{name} Fan Club")] {
                let exchange = self.certificate(&[], None, Some(&wrong));
                self.check(&exchange, false, &wrong);
            }
        }
    }

    fn addresses(&mut self) {
        let samples = addresses::samples(self.number);
        if samples.is_empty() {
            self.trial.left_out = Some("no block of the compiled address table has this label");
            return;
        }
        // Documentation addresses are nobody's, but a user may have written them.
        let nobody = [[203, 0, 113, 80], [198, 51, 100, 80], [192, 0, 2, 80]].map(|o| IpAddr::V4(Ipv4Addr::from(o)));
        if let Some(nobody) = nobody.into_iter().find(|a| addresses::owner(*a, 0).service != Some(self.number)) {
            self.check(&peer(nobody, NOW), false, &nobody.to_string());
        }
        for sample in samples {
            let time = middle_of(sample.month);
            self.check(&peer(sample.inside, time), true, &sample.inside.to_string());
            if let Some(outside) = sample.outside {
                self.check(&peer(outside, time), false, &format!("{outside}, just outside"));
            }
        }
    }

    /// The examples of the row, read as they are written: `VALUE = what it means`, with the time, the server's address and
    /// the other field among the words behind it.
    fn computed(&mut self, s: &'static Signature) {
        let check = s.patterns.first().copied().unwrap_or_default();
        for example in s.examples {
            let (value, words) = example.split_once(" = ").unwrap_or((example, ""));
            let value = if check == "akamai-server-timing" {
                format!("cdn-cache; desc=HIT, ak_p; desc=\"{value}_1\";dur=1")
            } else {
                value.to_owned()
            };
            let server = words
                .split_whitespace()
                .filter_map(|w| w.split(':').next()?.parse::<IpAddr>().ok())
                .find(|_| check == "ovh-iplb")
                .unwrap_or(NOWHERE);
            let time = time_in(words).or_else(|| seconds_in(&value)).map_or(NOW, |s| Timestamp(s * SECOND));
            let date = words.rsplit_once('(').map(|(_, rest)| rest.trim_start_matches("Last-Modified: "));
            let date = date.and_then(|d| d.strip_suffix(')')).filter(|d| d.ends_with(" GMT")).unwrap_or("no date");
            let case = |value: &str, modified: &str, server: IpAddr, time: Timestamp| {
                let mut e = get("/", &[], &[(s.field, value), ("last-modified", modified)]);
                e.server.ip = server;
                at(e, time)
            };
            self.check(&case(&value, date, server, time), true, example);
            let other_time = Timestamp(time.0 - 400 * 86_400 * SECOND);
            let other =
                case(&value, "Mon, 01 Jan 2001 00:00:00 GMT", IpAddr::V4(Ipv4Addr::new(203, 0, 113, 81)), other_time);
            self.check(&other, false, &format!("{value} at another time, from another address"));
            let broken = value.replace(|c: char| c.is_ascii_digit(), "g");
            self.check(&case(&broken, date, server, time), false, &broken);
        }
        if s.examples.is_empty() {
            self.trial.left_out = Some("the row has no examples to try");
        }
    }

    /// Texts that a pattern matches; that there are none is a failure.
    fn texts(&mut self, pattern: &str, mend: impl Fn(&str) -> String) -> Vec<String> {
        let mut texts = matching(pattern, mend);
        texts.truncate(TEXTS);
        if texts.is_empty() {
            self.trial.failures.push(format!("no text could be made that `{pattern}` matches"));
        }
        texts
    }

    fn broken(&mut self, all: &Expressions, value: &str) -> Option<String> {
        let broken = all.broken(value, "~q0");
        if broken.is_none() {
            self.trial.failures.push(format!("matches nearly everything: {value:?} with any character changed"));
        }
        broken
    }

    fn certificate(&mut self, names: &[&str], owner: Option<&str>, issuer: Option<&str>) -> Exchange {
        self.trials.certificates += 1;
        let mut sha256 = [0; 32];
        for (to, from) in sha256.iter_mut().zip(self.trials.certificates.to_be_bytes()) {
            *to = from;
        }
        sealed(
            "",
            Some(Certificate {
                sha256,
                subject_cn: None,
                subject_org: owner.map(str::to_owned),
                names: names.iter().map(|n| (*n).to_owned()).collect(),
                issuer_cn: None,
                issuer_org: Some(issuer.unwrap_or("Nobody").to_owned()),
                not_before: NOW,
                not_after: NOW,
                der_len: 1_000,
            }),
        )
    }
}

/// Whether a name fits a pattern that may end in a star.
fn starred(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |prefix| name.starts_with(prefix))
}

/// A host name: no empty first label.
fn whole_name(text: &str) -> String {
    if text.starts_with('.') { format!("x{text}") } else { text.to_owned() }
}

/// A field's value: no space at its ends, which a parser would cut off.
fn whole_value(text: &str) -> String {
    let text = text.trim_start();
    if text.ends_with(' ') { format!("{text}1") } else { text.to_owned() }
}

/// Unix seconds of a time like `2026-06-17T16:00:04Z` among other words.
fn time_in(words: &str) -> Option<i64> {
    words.split([' ', ',', '(', ')']).find_map(|word| {
        let time: jiff::Timestamp = word.parse().ok()?;
        Some(time.as_second())
    })
}

/// Unix seconds or milliseconds that stand in a value as digits.
fn seconds_in(value: &str) -> Option<i64> {
    value.split(|c: char| !c.is_ascii_digit()).find_map(|digits| match digits.len() {
        10 => digits.parse().ok(),
        13 => digits.parse::<i64>().ok().map(|ms| ms / 1_000),
        _ => None,
    })
}

/// The middle of a month (year * 12 + month from 0).
fn middle_of(month: u32) -> Timestamp {
    let day = jiff::civil::date((month / 12) as i16, (month % 12 + 1) as i8, 15).at(0, 0, 0, 0);
    let seconds = jiff::tz::Offset::UTC.to_timestamp(day).map_or(0, jiff::Timestamp::as_second);
    Timestamp(seconds * SECOND)
}

pub(super) fn at(mut exchange: Exchange, time: Timestamp) -> Exchange {
    (exchange.time, exchange.end_time) = (time, time);
    if let Detail::Http(http) = &mut exchange.detail {
        for message in http.request.iter_mut().chain(&mut http.response) {
            (message.time, message.end_time) = (time, time);
        }
    }
    exchange
}

fn exchange(server: IpAddr, detail: Detail) -> Exchange {
    Exchange {
        flow: FlowId(1),
        ordinal: 0,
        client: Endpoint { ip: CLIENT, port: 50_000 },
        server: Endpoint { ip: server, port: 80 },
        transport: Transport::Tcp,
        first_frame: FrameNo(1),
        last_frame: FrameNo(2),
        time: NOW,
        end_time: NOW,
        envelope: None,
        proxied: None,
        reported: None,
        detail,
        anomalies: Vec::new(),
    }
}

pub(super) type Fields<'a> = &'a [(&'a str, &'a str)];

pub(super) fn get(target: &str, request: Fields<'_>, response: Fields<'_>) -> Exchange {
    let http = HttpExchange {
        request: Some(message(["GET", target, "HTTP/1.1"], request)),
        response: Some(message(["HTTP/1.1", "200", "OK"], response)),
        ..HttpExchange::default()
    };
    exchange(NOWHERE, Detail::Http(Box::new(http)))
}

fn answer(phrase: &str, response: Fields<'_>) -> Exchange {
    let response = Some(message(["HTTP/1.1", "200", phrase], response));
    exchange(NOWHERE, Detail::Http(Box::new(HttpExchange { response, ..HttpExchange::default() })))
}

pub(super) fn peer(server: IpAddr, time: Timestamp) -> Exchange {
    let mut exchange = get("/", &[], &[]);
    exchange.server.ip = server;
    at(exchange, time)
}

fn message(start: [&str; 3], fields: Fields<'_>) -> HttpMessage {
    let mut block: Vec<u8> = Vec::new();
    let mut put = |text: &str, after: &str| {
        let range = ByteRange::between(block.len(), block.len() + text.len());
        block.extend_from_slice(text.as_bytes());
        block.extend_from_slice(after.as_bytes());
        range
    };
    let [one, two, three] = start;
    let (first, second, third) = (put(one, " "), put(two, " "), put(three, "\r\n"));
    let start = if one == "GET" {
        StartLine::Request { method: first, target: second }
    } else {
        StartLine::Status { code: 200, reason: third }
    };
    let fields =
        fields.iter().map(|(name, value)| Field { name: put(name, ": "), value: put(value, "\r\n") }).collect();
    put("", "\r\n");
    HttpMessage {
        block: block.into(),
        version: HttpVersion::V11,
        start,
        fields,
        told_at: Vec::new(),
        trailers: Vec::new(),
        spans: vec![BlockSpan { at: 0, frame: FrameNo(1) }],
        stream_offset: 0,
        first_frame: FrameNo(1),
        header_frame: FrameNo(1),
        last_frame: FrameNo(1),
        time: NOW,
        end_time: NOW,
        body: Body::default(),
        opening: None,
        complete: true,
    }
}

/// A look-up: the asked name, then CNAME targets, then an address.
pub(super) fn chain(names: &[&str]) -> Exchange {
    let end = NOWHERE.to_string();
    let links: Vec<&str> = names.iter().copied().chain([end.as_str()]).collect();
    // Each record has a place of its own: a chain that comes back to one ends there.
    let answers = links.windows(2).enumerate().filter_map(|(at, pair)| match pair {
        [name, value] => Some(answer_record(if *value == end { 1 } else { 5 }, name, value, at)),
        _ => None,
    });
    looked_up(names.first().copied().unwrap_or_default(), answers.collect())
}

fn record(rtype: u16, name: &str, value: &str) -> Exchange {
    looked_up(name, vec![answer_record(rtype, name, value, 0)])
}

fn answer_record(rtype: u16, name: &str, value: &str, at: usize) -> DnsRecord {
    let range = ByteRange::between(at, at + 1);
    DnsRecord { name: name.to_owned(), rtype, ttl: 60, value: value.to_owned(), range }
}

fn looked_up(name: &str, answers: Vec<DnsRecord>) -> Exchange {
    let lookup = DnsLookup {
        kind: DnsKind::Dns,
        over: DnsOver::Plain,
        id: 1,
        questions: vec![DnsQuestion { name: name.to_owned(), qtype: 1 }],
        query_frame: Some(FrameNo(1)),
        response: Some(DnsResponse { frame: FrameNo(2), time: NOW, rcode: 0, answers }),
    };
    exchange(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 1)), Detail::Dns(Box::new(lookup)))
}

pub(super) fn sealed(sni: &str, certificate: Option<Certificate>) -> Exchange {
    let hello = ClientHello {
        frame: FrameNo(1),
        first_frame: FrameNo(1),
        block: sni.as_bytes().into(),
        spans: vec![BlockSpan { at: 0, frame: FrameNo(1) }],
        stream_offset: 0,
        sni: (!sni.is_empty()).then(|| ByteRange::between(0, sni.len())),
        alpn: Vec::new(),
        version: 0x0304,
        ja3: None,
        ja4: String::new(),
        ech: false,
    };
    let server = ServerHello { frame: FrameNo(2), version: 0x0303, cipher: 0x1301, alpn: None, retry: false };
    let session = TlsSession {
        transport: TlsTransport::Tcp,
        client_hello: Some(hello),
        server_hello: Some(server),
        certificate_frame: certificate.is_some().then_some(FrameNo(2)),
        certificates: certificate.map(Arc::new).into_iter().collect(),
        trust: None,
        client_certificates: Vec::new(),
        stapled: Stapled::default(),
        bytes: [0, 0],
        quic: None,
        decryption: Decryption::NotTried,
    };
    exchange(NOWHERE, Detail::Tls(Box::new(session)))
}
