//! What a verdict says, in words that a stranger follows: the sentence, the four answers, what disagrees, who gave the URL,
//! and what is left of other readings. Runs on the jobs thread.

use super::text::{duration, plural, sentence};
use super::way::{Find, Way};
use crate::evidence::{challenges, hypotheses, pack};
use crate::model::{
    Attempt, Challenge, Detail, Evidence, Exchange, ExchangeNo, Grade, Group, Hypothesis, LinkMatch, ProviderId,
    Stance, Standing, Verdict, WitnessKind, clean, clean_to,
};
use crate::store::filter::{Filter, Key, is};
use crate::store::{Record, RowId};

/// Characters of a name that is quoted inside a sentence.
const NAME_CHARS: usize = 120;
/// Characters of a handed-out URL that are shown.
const URL_CHARS: usize = 400;

/// A verdict in words.
#[derive(Debug)]
pub(crate) struct Story {
    /// Who answered, in one sentence.
    pub(crate) sentence: String,
    /// For which exchange the grade holds.
    pub(crate) scope: String,
    /// Operator, product, role, tenant.
    pub(crate) answers: Vec<AnswerLine>,
    /// What disagrees, in whole sentences.
    pub(crate) conflicts: Vec<String>,
    pub(crate) hand_out: Option<HandOutWords>,
    /// The earlier upload: its row, and what it shows.
    pub(crate) first_write: Option<(RowId, String)>,
    /// Lookup, hops, caches and signature.
    pub(crate) way: Way,
    pub(crate) readings: Vec<Hypothesis>,
    pub(crate) challenges: Vec<Challenge>,
}

/// One of the four answers.
#[derive(Debug)]
pub(crate) struct AnswerLine {
    pub(crate) label: &'static str,
    /// `None` where nothing shows it.
    pub(crate) found: Option<(String, Grade)>,
    /// What other exchanges with this answer are found by.
    pub(crate) filter: Option<Filter>,
}

/// Who gave the client the URL.
#[derive(Debug)]
pub(crate) struct HandOutWords {
    pub(crate) words: String,
    /// The URL as it stands there.
    pub(crate) url: String,
}

impl Story {
    pub(crate) fn new(record: &Record, find: Find<'_>) -> Self {
        let (exchange, verdict) = (&record.exchange, &record.verdict);
        let time = exchange.time;
        Self {
            sentence: who(record),
            scope: format!(
                "for this {}, at {} {} UTC, from this network{}",
                kind_word(&exchange.detail),
                time.date(),
                time.time_of_day(3),
                verdict
                    .grade
                    .and_then(|grade| exchange.lacks(grade))
                    .map(|lacks| format!(". {lacks}"))
                    .unwrap_or_default()
            ),
            answers: answers(verdict),
            conflicts: conflicts(verdict, &record.ledger),
            hand_out: hand_out(exchange, verdict),
            first_write: first_write(exchange, verdict),
            way: Way::new(record, find),
            readings: hypotheses(exchange, &record.ledger, verdict),
            challenges: challenges(exchange, &record.ledger, verdict),
        }
    }

    /// How many readings are ruled out, weakened, open.
    pub(crate) fn standings(&self) -> String {
        let of = |standing| self.readings.iter().filter(|r| r.standing == standing).count();
        [Standing::RuledOut, Standing::Weakened, Standing::Open]
            .into_iter()
            .filter(|s| of(*s) > 0)
            .map(|s| format!("{} {}", of(s), s.words()))
            .collect::<Vec<_>>()
            .join(" · ")
    }

    /// How the attempts to break the verdict ended.
    pub(crate) fn attempts(&self) -> String {
        let of = |outcome| self.challenges.iter().filter(|c| c.outcome == outcome).count();
        format!(
            "{} tried: {} held, {} broke, {} cannot be tried",
            plural(self.challenges.len() as u64, "attempt", "attempts"),
            of(Attempt::Held),
            of(Attempt::Broke),
            of(Attempt::NotPossible)
        )
    }
}

fn kind_word(detail: &Detail) -> &'static str {
    match detail {
        Detail::Http(_) => "request",
        Detail::Tls(_) => "sealed session",
        Detail::Dns(_) => "lookup",
    }
}

/// A provider's name on screen.
pub(crate) fn provider_name(id: ProviderId) -> &'static str {
    pack().provider(id).map_or("an unknown provider", |p| p.name)
}

/// What a machine of that role is, in words.
pub(crate) fn role_words(role: &str) -> String {
    match role {
        "api" => "an API",
        "cdn-edge" => "an edge cache",
        "cdn-origin-shield" => "a cache between edge and origin",
        "compute" => "a rented computer",
        "dns" => "a name server",
        "first-party" => "its own machines",
        "load-balancer" => "a load balancer",
        "middlebox" => "a box between client and server",
        "object-storage" => "an object store",
        "private-relay" => "a relay that hides the client",
        other => return other.replace('-', " "),
    }
    .to_owned()
}

/// The first sentence. It claims no more than the grade carries.
fn who(record: &Record) -> String {
    let verdict = &record.verdict;
    let what = kind_word(&record.exchange.detail);
    let Some(operator) = verdict.operator else {
        return format!("Nothing here shows whose machine answered this {what}.");
    };
    let name = provider_name(operator.value);
    let grade = verdict.grade.unwrap_or(operator.grade);
    let dns = matches!(record.exchange.detail, Detail::Dns(_));
    let head = match grade {
        _ if dns => format!("This lookup leads to {name}"),
        _ if verdict.conflict => format!("Witnesses disagree on who answered this {what}; more speaks for {name}"),
        Grade::Contradicted => format!("Witnesses disagree on who answered this {what}; more speaks for {name}"),
        Grade::NameOnly => format!("A name points at {name}; nothing else shows who answered this {what}"),
        Grade::Suggests => format!("{name} seems to have answered this {what}"),
        Grade::Supports | Grade::Conclusive => format!("{name} answered this {what}"),
    };
    let mut parts: Vec<String> = Vec::new();
    if let Some(service) = verdict.product.and_then(|p| pack().service(p.value)) {
        parts.push(service.name.to_owned());
    }
    if let Some(role) = verdict.role {
        parts.push(role_words(role.value));
    }
    if let Some(tenant) = &verdict.tenant {
        parts.push(tenant_words(verdict, &tenant.value));
    }
    let rest = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{head}{rest}.")
}

fn tenant_words(verdict: &Verdict, tenant: &crate::model::Tenant) -> String {
    let store = verdict.role.is_some_and(|r| r.value == "object-storage");
    let azure = verdict.operator.and_then(|o| pack().provider(o.value)).is_some_and(|p| p.id == "microsoft-azure");
    let kind = match (store, azure) {
        (true, true) => "account",
        (true, false) => "bucket",
        (false, _) => "customer",
    };
    let name = clean_to(tenant.name.as_bytes(), NAME_CHARS);
    match &tenant.first_party {
        Some(party) if *party != tenant.name => {
            format!("{kind} {name}, used by {}", clean_to(party.as_bytes(), NAME_CHARS))
        }
        Some(_) | None => format!("{kind} {name}"),
    }
}

fn answers(verdict: &Verdict) -> Vec<AnswerLine> {
    let line = |label, found, filter| AnswerLine { label, found, filter };
    let service = verdict.product.and_then(|p| Some((pack().service(p.value)?, p.grade)));
    let tenant = verdict.tenant.as_ref().map(|t| {
        let mut name = clean_to(t.value.name.as_bytes(), NAME_CHARS).into_owned();
        if let Some(party) = t.value.first_party.as_ref().filter(|p| **p != t.value.name) {
            name.push_str(", used by ");
            name.push_str(&clean_to(party.as_bytes(), NAME_CHARS));
        }
        (name, t.grade)
    });
    vec![
        line(
            "Operator",
            verdict.operator.map(|o| (provider_name(o.value).to_owned(), o.grade)),
            verdict.operator.and_then(|o| pack().provider(o.value)).map(|provider| is(Key::Operator, provider.id)),
        ),
        line(
            "Product",
            service.map(|(service, grade)| (service.name.to_owned(), grade)),
            service.map(|(service, _)| is(Key::Product, service.id)),
        ),
        line(
            "Role",
            verdict.role.map(|r| (sentence(&role_words(r.value)), r.grade)),
            verdict.role.map(|r| is(Key::Role, r.value)),
        ),
        line("Tenant", tenant, verdict.tenant.as_ref().map(|t| is(Key::Tenant, &clean(t.value.name.as_bytes())))),
    ]
}

/// The groups of the ledger that a kind of witness stands for.
fn groups(kind: WitnessKind) -> &'static [Group] {
    match kind {
        WitnessKind::Name => &[Group::NameChoice],
        WitnessKind::Cname => &[Group::DnsAuthority],
        WitnessKind::Address => &[Group::Routing],
        WitnessKind::Certificate => &[Group::KeyHolder],
        WitnessKind::Names => &[],
        WitnessKind::Headers => &[Group::AnsweringSoftware, Group::Arithmetic, Group::Behaviour],
    }
}

fn conflicts(verdict: &Verdict, ledger: &[Evidence]) -> Vec<String> {
    let Some(operator) = verdict.operator.and_then(|o| pack().provider(o.value)) else { return Vec::new() };
    let mut said = Vec::new();
    for kind in WitnessKind::ALL.into_iter().filter(|k| verdict.agreement.of(*k) == Stance::Conflicts) {
        if kind == WitnessKind::Names {
            said.push("The names that the client gave contradict each other.".to_owned());
            continue;
        }
        let against = |e: &Evidence| {
            let other = pack().provider(e.provider)?;
            (groups(kind).contains(&e.group) && other.parent != operator.parent).then_some(other.name)
        };
        let lines: Vec<(usize, &str)> = ledger.iter().enumerate().filter_map(|(i, e)| Some((i, against(e)?))).collect();
        let noun = witness_noun(kind);
        said.push(match lines.first() {
            None => format!("{noun} at another operator than {}.", operator.name),
            Some((_, other)) => {
                let numbers: Vec<String> = lines.iter().map(|(i, _)| (i + 1).to_string()).collect();
                let word = if numbers.len() == 1 { "line" } else { "lines" };
                format!("{noun} at {other}, not at {} ({word} {}).", operator.name, numbers.join(", "))
            }
        });
    }
    if verdict.conflict && said.is_empty() {
        said.push("Witnesses of one kind disagree; the grade is lowered for it.".to_owned());
    }
    said
}

fn witness_noun(kind: WitnessKind) -> &'static str {
    match kind {
        WitnessKind::Name => "The asked name points",
        WitnessKind::Cname => "The CNAME chain points",
        WitnessKind::Address => "The address points",
        WitnessKind::Certificate => "The certificate points",
        WitnessKind::Names => "The client's names point",
        WitnessKind::Headers => "Header lines point",
    }
}

/// What one witness says, as a sentence for tooltips and the screen reader.
pub(crate) fn witness_words(kind: WitnessKind, stance: Stance) -> String {
    format!("{}: {}", sentence(kind.word()), stance.words())
}

/// The strip in a few words: `agree: name, address; conflict: headers; not observable: certificate`.
pub(crate) fn strip_words(agreement: crate::model::Agreement) -> String {
    let stances = [
        (Stance::Agrees, "agree"),
        (Stance::Conflicts, "conflict"),
        (Stance::Silent, "silent"),
        (Stance::NotObservable, "not observable"),
    ];
    let mut parts = Vec::new();
    for (stance, verb) in stances {
        let of: Vec<&str> =
            WitnessKind::ALL.into_iter().filter(|k| agreement.of(*k) == stance).map(WitnessKind::word).collect();
        if !of.is_empty() {
            parts.push(format!("{verb}: {}", of.join(", ")));
        }
    }
    parts.join("; ")
}

fn hand_out(exchange: &Exchange, verdict: &Verdict) -> Option<HandOutWords> {
    let given = verdict.handed_out.as_ref()?;
    let host = clean_to(given.host.as_bytes(), NAME_CHARS);
    let field = clean_to(given.field.as_bytes(), 80);
    let micros = exchange.time.nanos_since(given.time).max(0) as u64 / 1_000;
    let place = if field.is_empty() { String::new() } else { format!(", {}", field_words(&field, given.form)) };
    let what = match given.how {
        LinkMatch::Exact | LinkMatch::HostAndPath => "URL handed out",
        LinkMatch::PathToken => "A part of the path handed out",
        LinkMatch::Host => "Host handed out",
    };
    Some(HandOutWords {
        words: format!(
            "{what} by {host} in {} {}{place}, {}, {} earlier",
            exchange.unit(),
            given.frame,
            given.how.words(),
            duration(micros)
        ),
        url: clean_to(&given.text, URL_CHARS).into_owned(),
    })
}

fn field_words(field: &str, form: &str) -> String {
    if form.is_empty() { format!("field “{field}”") } else { format!("field “{field}” ({form})") }
}

fn first_write(exchange: &Exchange, verdict: &Verdict) -> Option<(RowId, String)> {
    let write = verdict.first_write?;
    let ExchangeNo(place) = write.upload;
    Some((RowId(place), format!("Earlier, in {} {}, {}", exchange.unit(), write.frame, write.how.words())))
}
