//! The way of a request in words: how the name led to the address, which machines served it, and what signed it. Runs on
//! the jobs thread.

use super::story::{provider_name, role_words};
use super::text::{count, duration, sentence};
use crate::evidence::{Layer, age, cache_lines, pack, signature_standing, via};
use crate::model::{
    ByteRange, Detail, DnsLookup, Evidence, Exchange, ExchangeNo, FrameNo, HttpMessage, LookedUp, Part, ProviderId,
    Timestamp, clean_to,
};
use crate::protocols::dns::type_name;
use crate::store::{Record, RowId};

/// Characters of a name or value that is quoted.
const NAME_CHARS: usize = 200;
/// Steps of a name path, and lines of caches, that are shown.
const LISTED: usize = 16;
/// DNS record types (RFC 1035 section 3.2.2, RFC 3596 section 2.1).
const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

/// Finds another row's record: for pictures without its secrets.
pub(crate) type Find<'a> = &'a mut dyn FnMut(RowId) -> Option<Record>;

/// How a request came to where it was answered.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) client: String,
    pub(crate) server: String,
    pub(crate) lookup: Option<LookupWords>,
    pub(crate) hops: Vec<HopWords>,
    pub(crate) caches: Vec<CacheWords>,
    pub(crate) custody: Option<CustodyWords>,
}

/// The lookup that the connection followed.
#[derive(Debug)]
pub(crate) struct LookupWords {
    /// Its row; `None` where the exchange itself is the lookup.
    pub(crate) row: Option<RowId>,
    pub(crate) question: String,
    pub(crate) resolver: String,
    pub(crate) frames: String,
    /// The name's aliases in their order, with what each is of, its time to live, and ledger lines that quote it.
    pub(crate) steps: Vec<StepWords>,
    /// Whether its time to live was over, in words.
    pub(crate) lifetime: String,
    pub(crate) over: bool,
    /// Other names that the same address was given for, with their lookups.
    pub(crate) others: Vec<(RowId, String)>,
}

/// One record of the answer.
#[derive(Debug)]
pub(crate) struct StepWords {
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) ttl: String,
    pub(crate) lines: Vec<usize>,
}

/// One machine of the serving path.
#[derive(Debug)]
pub(crate) struct HopWords {
    /// `Edge`, `Origin`, `Server`.
    pub(crate) kind: String,
    pub(crate) provider: Option<ProviderId>,
    pub(crate) name: String,
    pub(crate) service: String,
    /// What its lines say of a cache.
    pub(crate) cache: Option<&'static str>,
    pub(crate) lines: Vec<usize>,
}

/// One line of a cache or proxy.
#[derive(Debug)]
pub(crate) struct CacheWords {
    pub(crate) field: String,
    pub(crate) words: String,
    pub(crate) line: Option<usize>,
}

/// A signed request.
#[derive(Debug)]
pub(crate) struct CustodyWords {
    pub(crate) standing: String,
    /// Good, bad, or neither.
    pub(crate) good: Option<bool>,
    pub(crate) facts: Vec<(&'static str, String)>,
}

impl Way {
    pub(crate) fn new(record: &Record, find: Find<'_>) -> Self {
        let exchange = &record.exchange;
        let response = match &exchange.detail {
            Detail::Http(http) => http.response.as_ref(),
            Detail::Tls(_) | Detail::Dns(_) => None,
        };
        Self {
            client: exchange.client.to_string(),
            server: exchange.server.to_string(),
            lookup: match &exchange.detail {
                Detail::Dns(dns) => own_lookup(dns, record),
                Detail::Http(_) | Detail::Tls(_) => {
                    record.verdict.looked_up.as_ref().and_then(|l| lookup(l, record, find))
                }
            },
            hops: if matches!(exchange.detail, Detail::Dns(_)) { Vec::new() } else { hops(record, response) },
            caches: response.map_or_else(Vec::new, |r| caches(r, &record.ledger)),
            custody: custody(exchange),
        }
    }
}

/// The ledger line that quotes `range` of the response's head.
fn line_at(ledger: &[Evidence], range: ByteRange) -> Option<usize> {
    ledger.iter().position(|e| {
        let of = e.place.range;
        e.place.part == Part::Response && of.len > 0 && of.start < range.end() && range.start < of.end()
    })
}

/// What a lookup itself says of its name.
fn own_lookup(dns: &DnsLookup, record: &Record) -> Option<LookupWords> {
    let response = dns.response.as_ref()?;
    let (steps, _) = steps(dns, record);
    Some(LookupWords {
        row: None,
        question: question(dns)?,
        resolver: format!("{}{}", record.exchange.server.ip, dns.over.words()),
        frames: frames(dns, response.frame),
        steps,
        lifetime: String::new(),
        over: false,
        others: Vec::new(),
    })
}

fn question(dns: &DnsLookup) -> Option<String> {
    let asked = dns.questions.first()?;
    Some(format!("{} {}", clean_to(asked.name.as_bytes(), NAME_CHARS), type_name(asked.qtype)))
}

fn frames(dns: &DnsLookup, answered: FrameNo) -> String {
    match dns.query_frame {
        Some(query) if query != answered => format!("asked in frame {query}, answered in frame {answered}"),
        Some(_) | None => format!("answered in frame {answered}"),
    }
}

fn lookup(found: &LookedUp, record: &Record, find: Find<'_>) -> Option<LookupWords> {
    let ExchangeNo(place) = found.lookup;
    let of = find(RowId(place))?;
    let Detail::Dns(dns) = &of.exchange.detail else { return None };
    let response = dns.response.as_ref()?;
    let (steps, ttl) = steps(dns, record);
    let (lifetime, over) = lifetime(response.time, ttl, record);
    let others = found
        .others
        .iter()
        .filter_map(|ExchangeNo(other)| {
            let Detail::Dns(dns) = find(RowId(*other))?.exchange.detail else { return None };
            let name = clean_to(dns.questions.first()?.name.as_bytes(), NAME_CHARS).into_owned();
            Some((RowId(*other), name))
        })
        .filter(|(_, name)| !name.is_empty())
        .collect();
    Some(LookupWords {
        row: Some(RowId(place)),
        question: question(dns)?,
        resolver: format!("{}{}", of.exchange.server.ip, dns.over.words()),
        frames: frames(dns, response.frame),
        steps,
        lifetime,
        over,
        others,
    })
}

/// The aliases and the address that was used, and the shortest time to live on that way in seconds.
fn steps(dns: &DnsLookup, record: &Record) -> (Vec<StepWords>, Option<u32>) {
    let Some(response) = &dns.response else { return (Vec::new(), None) };
    let own = matches!(record.exchange.detail, Detail::Dns(_));
    let address = record.exchange.server.ip.to_string();
    let mut out = Vec::new();
    let mut shortest: Option<u32> = None;
    let mut addresses = 0_usize;
    for answer in &response.answers {
        let kind = match answer.rtype {
            CNAME => "is an alias of".to_owned(),
            A | AAAA => {
                addresses += 1;
                // Of a lookup itself the first address stands for all; else the one that was used.
                if if own { addresses > 1 } else { answer.value != address } {
                    continue;
                }
                "has the address".to_owned()
            }
            _ => continue,
        };
        shortest = Some(shortest.map_or(answer.ttl, |s| s.min(answer.ttl)));
        if out.len() < LISTED {
            let value = clean_to(answer.value.as_bytes(), NAME_CHARS).into_owned();
            let quoted = |e: &Evidence| match e.place.part {
                // The entry quotes `OWNER CNAME TARGET`.
                Part::Dns => {
                    answer.rtype == CNAME
                        && e.text
                            .rsplit(|b| *b == b' ')
                            .next()
                            .is_some_and(|t| t.eq_ignore_ascii_case(answer.value.as_bytes()))
                }
                Part::Address | Part::ToldAddress => answer.rtype != CNAME,
                Part::Request | Part::Response | Part::ClientHello | Part::Certificate(_) | Part::Body => false,
            };
            let lines = record.ledger.iter().enumerate().filter(|(_, e)| quoted(e)).map(|(i, _)| i).collect::<Vec<_>>();
            out.push(StepWords { kind, value, ttl: format!("TTL {} s", count(u64::from(answer.ttl))), lines });
        }
    }
    if addresses > 1
        && let Some(last) = out.last_mut()
    {
        last.ttl = format!("{}, one of {addresses}", last.ttl);
    }
    (out, shortest)
}

/// What is to say of the time between lookup and exchange.
fn lifetime(answered: Timestamp, ttl: Option<u32>, record: &Record) -> (String, bool) {
    let nanos = record.exchange.time.nanos_since(answered).max(0);
    let later = duration(nanos as u64 / 1_000);
    let Some(ttl) = ttl else { return (format!("{later} before the first frame"), false) };
    let over = nanos > i64::from(ttl).saturating_mul(1_000_000_000);
    let words = if !over {
        format!("{later} before this exchange, within its time to live")
    } else if record.exchange.ordinal > 0 {
        format!(
            "{later} before this exchange: its time to live was over, but the connection is older than the exchange"
        )
    } else {
        format!(
            "{later} before this exchange: its time to live of {ttl} s was over, so another lookup may have led here"
        )
    };
    (words, over)
}

fn hops(record: &Record, response: Option<&HttpMessage>) -> Vec<HopWords> {
    let verdict = &record.verdict;
    let lines = response.map(cache_lines).unwrap_or_default();
    let first_edge = verdict.path.iter().position(|h| h.kind == "edge").unwrap_or(0);
    let mut out: Vec<HopWords> = Vec::new();
    for (i, hop) in verdict.path.iter().enumerate() {
        let id = pack().provider(hop.provider).map_or("", |p| p.id);
        let told: Vec<Option<bool>> = lines
            .iter()
            .filter(|l| l.layer == Layer::Proxy)
            .filter(|l| l.product_hint.map_or(i == first_edge, |hint| hint == id))
            .filter_map(|l| l.cache.map(crate::evidence::Cache::from_store))
            .collect();
        let edge = matches!(hop.kind, "edge" | "shield");
        let cache = if told.contains(&Some(true)) {
            Some("served from cache")
        } else if told.contains(&Some(false)) {
            Some("not in cache")
        } else if edge || !told.is_empty() {
            Some("cannot tell whether from cache")
        } else {
            None
        };
        let service = hop.service.and_then(|s| pack().service(s));
        out.push(HopWords {
            kind: sentence(hop.kind),
            provider: Some(hop.provider),
            name: provider_name(hop.provider).to_owned(),
            service: service.map_or_else(String::new, |s| format!("{} · {}", s.name, role_words(s.role))),
            cache,
            lines: hop.lines.iter().map(|n| usize::from(*n)).collect(),
        });
    }
    if out.is_empty() {
        let operator = verdict.operator.map(|o| o.value);
        out.push(HopWords {
            kind: "Server".to_owned(),
            provider: operator,
            name: operator.map_or("nobody known", provider_name).to_owned(),
            service: verdict.role.map_or_else(String::new, |r| sentence(&role_words(r.value))),
            cache: None,
            lines: Vec::new(),
        });
    }
    out
}

/// Every line that a cache or proxy wrote, with what it says.
fn caches(response: &HttpMessage, ledger: &[Evidence]) -> Vec<CacheWords> {
    let mut out: Vec<CacheWords> = Vec::new();
    for line in cache_lines(response) {
        let name = clean_to(line.name.as_bytes(), NAME_CHARS);
        let said = line.cache.map_or("a hop was there", crate::evidence::Cache::words);
        let layer = match line.layer {
            Layer::Proxy => "",
            Layer::Application => ", inside the application",
        };
        let at = if name.is_empty() { String::new() } else { format!(" at {name}") };
        out.push(CacheWords {
            field: line.field.to_owned(),
            words: sentence(&format!("{said}{at}{layer}")),
            line: line_at(ledger, line.range).or_else(|| line.named_by.and_then(|r| line_at(ledger, r))),
        });
    }
    for hop in via(response) {
        let comment = hop.comment.map_or_else(String::new, |c| format!(" ({})", clean_to(c.as_bytes(), NAME_CHARS)));
        out.push(CacheWords {
            field: "Via".to_owned(),
            words: format!("Passed {}{comment}", clean_to(hop.by.as_bytes(), NAME_CHARS)),
            line: line_at(ledger, hop.range),
        });
    }
    if let Some((seconds, range)) = age(response) {
        out.push(CacheWords {
            field: "Age".to_owned(),
            words: format!("Stored {} s before", count(seconds)),
            line: line_at(ledger, range),
        });
    }
    out.truncate(LISTED);
    out
}

/// The public part of a signature. The signature itself is never in it.
fn custody(exchange: &Exchange) -> Option<CustodyWords> {
    use crate::evidence::SignatureStanding as Is;
    let (signed, standing) = signature_standing(exchange)?;
    let stamp = |t: Timestamp| format!("{} {} UTC", t.date(), t.time_of_day(0));
    let until = match (signed.valid_from, signed.valid_until) {
        (Some(from), Some(until)) => format!("{} to {}", stamp(from), stamp(until)),
        (None, Some(until)) => format!("until {}", stamp(until)),
        (Some(from), None) => format!("from {}", stamp(from)),
        (None, None) => "not told".to_owned(),
    };
    let said = |text: Option<String>, none: &str| {
        text.map_or_else(|| none.to_owned(), |t| clean_to(t.as_bytes(), NAME_CHARS).into_owned())
    };
    let mut facts = vec![
        ("Scheme", signed.scheme.words().to_owned()),
        ("Key", said(signed.key_id, "not told")),
        ("Permits", said(signed.permission, "not told")),
        ("Valid", until),
    ];
    if signed.scope.is_some() {
        facts.push(("Scope", said(signed.scope, "")));
    }
    let words = match standing {
        Is::Refused(code) => format!("refused with status {code}"),
        other => other.words().to_owned(),
    };
    let good = match standing {
        Is::Accepted => Some(true),
        Is::Refused(_) | Is::Expired | Is::NotYetValid => Some(false),
        Is::Unanswered | Is::Unclear => None,
    };
    Some(CustodyWords { standing: sentence(&words), good, facts })
}
