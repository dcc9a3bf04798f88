//! The other readings of a verdict, H1 to H7, and the attempts to break it.
//!
//! Comes in: an exchange with its ledger and verdict. Goes out: what is left of each reading, by which entries, and the
//! test that would settle it. Never: a new fact. Everything here follows from what the record holds, so it is worked out
//! when somebody asks.

use super::pack::{Kind, Signature, pack};
use super::{addresses, computed, custody, dates, serving};
use crate::model::{
    Alternative, AnomalyKind, Attempt, ChainStanding, Challenge, Detail, Evidence, Exchange, Grade, Group, HttpMessage,
    Hypothesis, LinkMatch, Stance, Standing, StartLine, Timestamp, Trust, Verdict, WitnessKind, WriteMatch, clean_to,
};

/// Seconds by which a server's Date line and the capture's clock may differ: computers' clocks drift by minutes.
const CLOCK_SECONDS: u64 = 300;
/// From this difference on, the clocks speak of different times. Between the two, zones set wrongly explain it.
const OTHER_TIME_SECONDS: u64 = 86_400;
const NANOS: i64 = 1_000_000_000;

const OBJECT_STORE: &str = "object-storage";
const UNANSWERED: &str = "No answer is there, so that a line is missing says nothing.";

/// What the readings are judged from.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one exchange")]
struct Scene<'a> {
    exchange: &'a Exchange,
    verdict: &'a Verdict,
    lines: Vec<(u8, &'a Evidence, &'static Signature)>,
    operator: &'static str,
    /// The answering machine is an object store.
    store: bool,
    /// The answering machine is an edge, or lines of one stand there.
    edge: bool,
    /// An object store made what an edge delivered.
    store_behind: bool,
    sealed: bool,
    /// Keys opened the session: its content stands in other rows.
    opened: bool,
    own_machines: bool,
}

impl<'a> Scene<'a> {
    /// `None` where nobody answered as anybody's machine: without an operator, and for a lookup, which only steers.
    fn new(exchange: &'a Exchange, ledger: &'a [Evidence], verdict: &'a Verdict) -> Option<Self> {
        let operator = verdict.operator.filter(|_| !matches!(exchange.detail, Detail::Dns(_)))?;
        let lines: Vec<_> =
            (0..=u8::MAX).zip(ledger).filter_map(|(n, e)| pack().signature(e.signature).map(|s| (n, e, s))).collect();
        let role = verdict.role.map_or("", |r| r.value);
        let hop_role = |kind: &str| {
            let hop = verdict.path.iter().find(|h| h.kind == kind)?;
            pack().service(hop.service?).map(|s| s.role)
        };
        let edge = role == "cdn-edge" || hop_role("edge").is_some() || cached(exchange);
        let store_line = |s: &Signature| s.role == OBJECT_STORE;
        let told = |e: &Evidence| matches!(e.group, Group::AnsweringSoftware | Group::Arithmetic | Group::Writer);
        Some(Self {
            exchange,
            verdict,
            operator: pack().provider(operator.value).map_or("", |p| p.name),
            store: role == OBJECT_STORE,
            edge,
            store_behind: edge
                && (hop_role("origin") == Some(OBJECT_STORE) || lines.iter().any(|(_, e, s)| told(e) && store_line(s))),
            sealed: matches!(exchange.detail, Detail::Tls(_)),
            opened: matches!(&exchange.detail, Detail::Tls(tls) if tls.decryption.is_opened()),
            own_machines: role == "first-party",
            lines,
        })
    }

    fn entries(&self, wanted: impl Fn(&Evidence, &Signature) -> bool) -> Vec<u8> {
        self.lines.iter().filter(|(_, e, s)| wanted(e, s)).map(|(n, ..)| *n).collect()
    }

    fn of_group(&self, group: Group) -> Vec<u8> {
        self.entries(|e, _| e.group == group)
    }

    /// Entries of a group that point at the operator's company.
    fn agreeing(&self, group: Group) -> Vec<u8> {
        let operator = self.verdict.operator.map(|o| o.value);
        self.entries(|e, _| e.group == group && operator.is_some_and(|o| super::grade::related(e.provider, o)))
    }

    fn http(&self) -> (Option<&HttpMessage>, Option<&HttpMessage>) {
        match &self.exchange.detail {
            Detail::Http(http) => (http.request.as_ref(), http.response.as_ref()),
            Detail::Tls(_) | Detail::Dns(_) => (None, None),
        }
    }

    /// Nobody answered, as far as is seen: that a line is not there says nothing.
    fn unanswered(&self) -> bool {
        matches!(&self.exchange.detail, Detail::Http(http) if http.response.is_none())
    }

    /// What a session does not say itself: it is sealed, or stands in the rows of what keys opened.
    fn sealed_or_elsewhere(&self, what: &str) -> String {
        if self.opened {
            format!("{what} stands in rows of their own: this row is the session that was opened.")
        } else {
            let verb = if what.starts_with("The lines") { "are" } else { "is" };
            format!("{what} {verb} sealed.")
        }
    }

    /// The request is signed with an account's key, and was answered as one who may.
    fn signed_and_accepted(&self) -> bool {
        let (request, response) = self.http();
        let status = response.and_then(|r| match r.start {
            StartLine::Status { code, .. } => Some(code),
            StartLine::Request { .. } => None,
        });
        request.and_then(|r| Some((r, custody::signed_request(r, r.host())?))).is_some_and(|(request, signed)| {
            custody::standing(&signed, request.time, status) == custody::Standing::Accepted
        })
    }

    fn given_by(&self) -> Option<String> {
        let h = self.verdict.handed_out.as_ref().filter(|h| h.how <= LinkMatch::HostAndPath)?;
        Some(format!("{} in {} {}", clean_to(h.host.as_bytes(), 120), self.exchange.unit(), h.frame))
    }

    fn said(
        &self,
        alternative: Alternative,
        standing: Standing,
        why: impl Into<String>,
        entries: Vec<u8>,
    ) -> Hypothesis {
        let settled_by = (standing != Standing::RuledOut).then(|| settled_by(alternative, (self.sealed, self.opened)));
        Hypothesis { alternative, standing, why: why.into(), entries, settled_by }
    }
}

/// Whether the answer shows itself to have come through a cache.
fn cached(exchange: &Exchange) -> bool {
    let Detail::Http(http) = &exchange.detail else { return false };
    http.response.as_ref().is_some_and(|r| {
        serving::age(r).is_some_and(|(seconds, _)| seconds > 0)
            || serving::cache_lines(r).iter().any(|l| l.layer == serving::Layer::Proxy && l.cache.is_some())
    })
}

fn settled_by(alternative: Alternative, (sealed, opened): (bool, bool)) -> &'static str {
    if opened && !matches!(alternative, Alternative::H6 | Alternative::H7) {
        return "Read the exchanges that were decrypted from this session";
    }
    if sealed && !matches!(alternative, Alternative::H6 | Alternative::H7) {
        return "Record again with the program's TLS keys (SSLKEYLOGFILE), so that its lines can be read";
    }
    match alternative {
        Alternative::H1 => {
            "Find the response that gives this URL; compare account and key id between captures of two users"
        }
        Alternative::H2 => "Ask for something the edge cannot hold: an error document or a cache miss shows the origin",
        Alternative::H3 => {
            "Send a fresh name twice: an edge shows Miss, then Hit or a growing Age; a store shows neither"
        }
        Alternative::H4 => "Record the sending side: a new file with a random name, uploaded while the capture runs",
        Alternative::H5 => "Find what made the program ask: an earlier response that names this URL, or the process",
        Alternative::H6 => "Repeat from another network, and over TLS with the certificate checked",
        Alternative::H7 => "Compare with a second capture of the same program, or with the recorder's own SHA-256",
    }
}

/// What is left of each reading that this verdict allows; empty where no operator was found.
pub fn hypotheses(exchange: &Exchange, ledger: &[Evidence], verdict: &Verdict) -> Vec<Hypothesis> {
    let Some(scene) = Scene::new(exchange, ledger, verdict) else { return Vec::new() };
    let mut found = Vec::new();
    if !scene.own_machines {
        found.push(own_account(&scene));
    }
    found.push(before_own_origin(&scene));
    if !scene.own_machines {
        found.extend([before_storage(&scene), merely_linked(&scene), third_party(&scene)]);
    }
    found.extend([middlebox(&scene), edited(&scene)]);
    found
}

fn own_account(s: &Scene<'_>) -> Hypothesis {
    let say = |standing, why: String, entries| s.said(Alternative::H1, standing, why, entries);
    let accepted = s.signed_and_accepted();
    let custody = s.of_group(Group::Custody).into_iter().chain(s.of_group(Group::Writer));
    let custody = custody.filter(|_| accepted).collect::<Vec<_>>();
    let tenant = s.verdict.tenant.as_ref();
    if s.sealed {
        let why = s.sealed_or_elsewhere("The lines that would name an account");
        return say(Standing::Open, why, Vec::new());
    }
    if s.unanswered() {
        return say(Standing::Open, "No answer is there that could show an object store.".to_owned(), Vec::new());
    }
    if !s.store && !s.store_behind {
        let why = "No line of this exchange shows an object store.".to_owned();
        // An edge may keep the lines of what stands behind it.
        let standing = if s.edge { Standing::Open } else { Standing::Weakened };
        return say(standing, why, Vec::new());
    }
    if let Some(t) = tenant.filter(|t| t.grade == Grade::Conclusive)
        && let Some(party) = &t.value.first_party
    {
        let why = format!(
            "It fits: {} handed out a signed URL of the account {}, and it was accepted.",
            clean_to(party.as_bytes(), 120),
            clean_to(t.value.name.as_bytes(), 120)
        );
        return say(Standing::Open, why, custody);
    }
    if !custody.is_empty() {
        let why = "A key of the account signed the request, and it was accepted; whose account it is, is not shown.";
        return say(Standing::Open, why.to_owned(), custody);
    }
    say(Standing::Open, "Nothing in this exchange tells whose account it is.".to_owned(), Vec::new())
}

fn before_own_origin(s: &Scene<'_>) -> Hypothesis {
    let say = |standing, why: String, entries| s.said(Alternative::H2, standing, why, entries);
    let writer = s.of_group(Group::Writer);
    let stores = s.entries(|e, r| e.group == Group::Routing && r.role == OBJECT_STORE);
    let banners =
        s.entries(|e, r| matches!(e.group, Group::AnsweringSoftware | Group::Arithmetic) && r.role == OBJECT_STORE);
    let (standing, why, entries) = match () {
        () if s.sealed && s.edge => {
            return say(Standing::Open, s.sealed_or_elsewhere("What stands behind the edge"), Vec::new());
        }
        () if s.own_machines && !s.edge => {
            let routing = s.agreeing(Group::Routing);
            let standing = if routing.is_empty() { Standing::Open } else { Standing::RuledOut };
            let why = if routing.is_empty() {
                "No address of its own range shows that the first party's own machines answered."
            } else {
                "The first party's own machines answered: the address is in its own range, and no line of an edge is there."
            };
            (standing, why, routing)
        }
        () if s.unanswered() => (Standing::Open, UNANSWERED, Vec::new()),
        () if s.store && !s.edge && !writer.is_empty() => {
            (Standing::RuledOut, "The client wrote into the store, and the store's own software took it.", writer)
        }
        () if s.store && !s.edge && !stores.is_empty() => {
            (Standing::RuledOut, "The address is one of the store's own, not of an edge.", stores)
        }
        () if s.store && !s.edge => {
            (Standing::Weakened, "The lines are those of a store, and no line of an edge is there.", banners)
        }
        () if s.store_behind => (
            Standing::Weakened,
            "Behind the edge stand the lines of an object store, not of servers of its own.",
            banners,
        ),
        () if s.edge => (Standing::Open, "An edge answered, and no line tells what stands behind it.", Vec::new()),
        () if s.sealed => {
            return say(Standing::Open, s.sealed_or_elsewhere("What the answering machine is"), Vec::new());
        }
        () => (Standing::Weakened, "No line of an edge or cache is there.", Vec::new()),
    };
    say(standing, why.to_owned(), entries)
}

fn before_storage(s: &Scene<'_>) -> Hypothesis {
    let say = |standing, why: &str, entries| s.said(Alternative::H3, standing, why, entries);
    let writer = s.of_group(Group::Writer);
    let custody = s.of_group(Group::Custody);
    let chain = s.of_group(Group::DnsAuthority);
    let routing = s.agreeing(Group::Routing);
    let named = s.agreeing(Group::NameChoice);
    match () {
        () if s.sealed => say(Standing::Open, &s.sealed_or_elsewhere("What made the content"), Vec::new()),
        () if s.unanswered() => say(Standing::Open, UNANSWERED, Vec::new()),
        () if s.store_behind => {
            let lines = s.entries(|e, r| {
                matches!(e.group, Group::AnsweringSoftware | Group::Arithmetic)
                    && matches!(r.role, OBJECT_STORE | "cdn-edge")
            });
            say(Standing::Open, "It fits: lines of an edge and of an object store stand in one answer.", lines)
        }
        () if s.edge => say(Standing::Open, "An edge answered, and no line tells what stands behind it.", Vec::new()),
        () if s.store && !writer.is_empty() && !routing.is_empty() && !named.is_empty() => {
            let entries = writer.into_iter().chain(named).chain(routing).collect();
            say(Standing::RuledOut, "The client wrote to the store's own name at an address of its operator.", entries)
        }
        () if s.store && !custody.is_empty() => {
            say(Standing::Weakened, "The store checked a signature, and no line of an edge or cache is there.", custody)
        }
        () if s.store && !chain.is_empty() => say(
            Standing::Weakened,
            "The lookup leads to the store through no edge's zone, and no cache line is there.",
            chain,
        ),
        () => say(Standing::Weakened, "No line of an edge or cache is there.", Vec::new()),
    }
}

fn merely_linked(s: &Scene<'_>) -> Hypothesis {
    let say = |standing, why: String, entries| s.said(Alternative::H4, standing, why, entries);
    let writer = s.of_group(Group::Writer);
    if !writer.is_empty() {
        let why = "This client itself sent the bytes, in this exchange, and they were accepted.".to_owned();
        return say(Standing::RuledOut, why, writer);
    }
    if let Some(write) = s.verdict.first_write {
        let standing = if write.how == WriteMatch::SamePlace { Standing::Weakened } else { Standing::RuledOut };
        return say(
            standing,
            format!("Earlier, from {} {} on, {}.", s.exchange.unit(), write.frame, write.how.words()),
            Vec::new(),
        );
    }
    let why = match s.given_by() {
        _ if s.sealed => s.sealed_or_elsewhere("Who put the content there"),
        Some(giver) => format!("The URL was given by {giver}; who put the bytes there, and when, is not shown."),
        None => "Nothing shows who put the bytes there, or when.".to_owned(),
    };
    say(Standing::Open, why, Vec::new())
}

fn third_party(s: &Scene<'_>) -> Hypothesis {
    let standing = if s.verdict.handed_out.as_ref().is_some_and(|h| h.how <= LinkMatch::HostAndPath) {
        Standing::Weakened
    } else {
        Standing::Open
    };
    let why = match s.given_by() {
        Some(giver) => {
            format!("The URL was given by {giver}; whether that host is the program's own, people must judge.")
        }
        None => "No earlier response gives this URL, so what made the program ask is not shown.".to_owned(),
    };
    s.said(Alternative::H5, standing, why, s.of_group(Group::Custody))
}

fn middlebox(s: &Scene<'_>) -> Hypothesis {
    let say = |standing, why: &str, entries| s.said(Alternative::H6, standing, why, entries);
    let resigned = s.entries(|e, r| e.group == Group::KeyHolder && r.role == "middlebox");
    let routing = s.agreeing(Group::Routing);
    // Who vetted the name is not who holds the key.
    let key: Vec<u8> = s.agreeing(Group::KeyHolder);
    let key: Vec<u8> =
        key.into_iter().filter(|n| s.lines.iter().any(|(m, _, r)| m == n && r.kind != Kind::CertIssuer)).collect();
    let in_session = s.sealed || s.exchange.envelope.is_some();
    match () {
        () if s.exchange.reported.is_some() => say(
            Standing::Open,
            "A HAR file does not tell whether a proxy or an inspecting program stood between.",
            routing,
        ),
        () if !resigned.is_empty() => {
            say(Standing::Open, "It fits: an inspecting proxy signed the certificate.", resigned)
        }
        () if s.verdict.cannot_show.contains(&super::grade::IMITATED) => {
            let key = s.of_group(Group::KeyHolder);
            say(Standing::Open, "It fits: an authority of no public list signed for another's name.", key)
        }
        () if addresses::is_local(s.exchange.server.ip) => {
            say(Standing::Open, "The peer's address is private: a proxy or gateway may have answered.", Vec::new())
        }
        () if s.verdict.cannot_show.contains(&super::grade::ONLY_RELAY) => {
            say(Standing::Open, "The connection ends at a relay, which passes on to others.", Vec::new())
        }
        () if s.verdict.agreement.of(WitnessKind::Address) == Stance::NotObservable => {
            say(Standing::Open, "The request went to a proxy.", Vec::new())
        }
        () if !routing.is_empty() && !key.is_empty() => {
            let entries = routing.into_iter().chain(key).collect();
            let why = if s.exchange.trust().is_some_and(Trust::is_verified) {
                "Address and certificate both point at the operator, and public roots vouch for the certificate."
            } else {
                "Address and certificate both point at the operator; the certificate is not verified."
            };
            say(Standing::Weakened, why, entries)
        }
        () if !routing.is_empty() => {
            let why = if in_session {
                "The address is in the operator's range; no certificate is seen that would show whose key answered."
            } else {
                "The address is in the operator's range; without TLS a proxy on the way could still answer in its name."
            };
            say(Standing::Weakened, why, routing)
        }
        () if !key.is_empty() => {
            let why = "The certificate is for the operator's names, but the address is in no range of its.";
            say(Standing::Open, why, key)
        }
        () => say(Standing::Open, "No address range or certificate shows whose machine answered.", Vec::new()),
    }
}

fn edited(s: &Scene<'_>) -> Hypothesis {
    let say = |standing, why: String, entries| s.said(Alternative::H7, standing, why, entries);
    if let Some((n, _, rule)) = s.lines.iter().find(|(_, _, r)| anachronism(r, s.exchange.time)) {
        let why = format!("Line {} did not exist yet at the capture's time ({}).", u32::from(*n) + 1, rule.id);
        return say(Standing::Open, why, vec![*n]);
    }
    let numbers = s.of_group(Group::Arithmetic);
    if s.exchange.reported.is_some() {
        return say(
            Standing::Open,
            "A HAR file is text that anybody can edit, its times included.".to_owned(),
            numbers,
        );
    }
    match (clock_difference(s), numbers.is_empty()) {
        (Some(d), _) if d >= OTHER_TIME_SECONDS => say(
            Standing::Open,
            format!("The server's Date line is {} away from the capture's clock.", span(d)),
            Vec::new(),
        ),
        (Some(d), false) if d <= CLOCK_SECONDS => {
            let why = format!(
                "The server's Date line agrees with the capture's clock within {}, and numbers inside the lines fit each other.",
                span(d)
            );
            say(Standing::Weakened, why, numbers)
        }
        (Some(d), true) if d <= CLOCK_SECONDS => {
            let why = format!("The server's Date line agrees with the capture's clock within {}.", span(d));
            say(Standing::Weakened, why, Vec::new())
        }
        (_, false) => say(Standing::Weakened, "Numbers inside the lines fit each other.".to_owned(), numbers),
        (Some(d), true) => {
            say(Standing::Open, format!("The server's Date line is {} off the capture's clock.", span(d)), Vec::new())
        }
        (None, true) => say(Standing::Open, "No line tells a time that could be compared.".to_owned(), Vec::new()),
    }
}

/// Whether the sign did not exist yet when the capture says that it was recorded; a year's grace, since a row's date is
/// that of the first document found.
fn anachronism(rule: &Signature, time: Timestamp) -> bool {
    rule.from_month > month_of(time).saturating_add(12)
}

fn month_of(time: Timestamp) -> u32 {
    let (year, month, ..) = time.civil();
    u32::try_from(year).unwrap_or(0).saturating_mul(12).saturating_add(month.saturating_sub(1))
}

/// Seconds between the response's Date line (RFC 9110 section 6.6.1) and its frame's time; `None` without such a line, or
/// where a cache kept it.
fn clock_difference(s: &Scene<'_>) -> Option<u64> {
    let (_, response) = s.http();
    let response = response?;
    let date = dates::http_date(response.field("date")?)?;
    let age = serving::age(response).map_or(0, |(seconds, _)| i64::try_from(seconds).unwrap_or(0));
    let now = response.time.0.div_euclid(NANOS);
    // A stored answer keeps the Date of its making.
    Some(now.abs_diff(date).min(now.abs_diff(date.saturating_add(age))))
}

fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The table whose answer for the server's address was used, as `YYYY-MM`, and how many months it is from the capture.
pub fn vintage(exchange: &Exchange, ledger: &[Evidence]) -> Option<(String, u32)> {
    if ledger.iter().all(|e| e.group != Group::Routing) {
        return None;
    }
    let month = month_of(exchange.time);
    let table = addresses::table_month(exchange.server.ip, month)?;
    Some((format!("{:04}-{:02}", table / 12, table % 12 + 1), table.abs_diff(month)))
}

/// Every attempt to break a verdict, in a fixed order; empty where there is none to break.
pub fn challenges(exchange: &Exchange, ledger: &[Evidence], verdict: &Verdict) -> Vec<Challenge> {
    let Some(s) = Scene::new(exchange, ledger, verdict) else { return Vec::new() };
    let mut done = Vec::new();
    for (kind, question) in [
        (WitnessKind::Name, "Does the asked name point at another operator?"),
        (WitnessKind::Cname, "Does the CNAME chain lead to another operator?"),
        (WitnessKind::Address, "Is the address in another operator's range?"),
        (WitnessKind::Certificate, "Does the certificate name another operator?"),
        (WitnessKind::Names, "Do the names that the client gave contradict each other?"),
        (WitnessKind::Headers, "Do header lines name another operator for the same machine?"),
    ] {
        done.push(witness(&s, kind, question));
    }
    done.extend([
        stores(&s),
        era(&s),
        numbers(&s),
        clock(&s),
        signature(&s),
        returned_hash(&s),
        between(&s),
        chain(&s),
        tables(&s),
        holes(&s),
        shared(&s),
    ]);
    done
}

fn challenge(question: &'static str, outcome: Attempt, seen: impl Into<String>) -> Challenge {
    Challenge { question, outcome, seen: seen.into() }
}

fn witness(s: &Scene<'_>, kind: WitnessKind, question: &'static str) -> Challenge {
    let (subject, points, names) = match kind {
        WitnessKind::Name => ("the name", "points", "names"),
        WitnessKind::Cname => ("the chain", "points", "names"),
        WitnessKind::Address => ("the address", "points", "names"),
        WitnessKind::Certificate => ("the certificate", "points", "names"),
        WitnessKind::Names => ("the names", "point", "name"),
        WitnessKind::Headers => ("the header lines", "point", "name"),
    };
    match s.verdict.agreement.of(kind) {
        Stance::Agrees if kind == WitnessKind::Names => challenge(question, Attempt::Held, "they fit each other"),
        Stance::Agrees => challenge(question, Attempt::Held, format!("{subject} {points} at {}", s.operator)),
        Stance::Conflicts => challenge(question, Attempt::Broke, format!("{subject} {points} elsewhere")),
        Stance::Silent => challenge(question, Attempt::Held, format!("{subject} {names} no operator")),
        Stance::NotObservable => challenge(question, Attempt::NotPossible, "this capture does not show it"),
    }
}

fn stores(s: &Scene<'_>) -> Challenge {
    let question = "Do two object stores claim to have made the object?";
    let mut seen: Vec<&str> = Vec::new();
    for (_, e, rule) in &s.lines {
        let own = matches!(e.group, Group::AnsweringSoftware | Group::Arithmetic) && rule.role == OBJECT_STORE;
        let name = pack().provider(rule.provider).map_or("", |p| p.name);
        if own && rule.strength >= 3 && !seen.contains(&name) {
            seen.push(name);
        }
    }
    match seen.as_slice() {
        [] => challenge(question, Attempt::NotPossible, "no line of an object store is there"),
        [one] => challenge(question, Attempt::Held, format!("only lines of {one}")),
        several => challenge(question, Attempt::Broke, format!("lines of {}", several.join(" and "))),
    }
}

fn era(s: &Scene<'_>) -> Challenge {
    let question = "Is a proving line younger than the capture says it is?";
    match s.lines.iter().find(|(_, _, r)| anachronism(r, s.exchange.time)) {
        Some((n, ..)) => challenge(question, Attempt::Broke, format!("line {} did not exist yet", u32::from(*n) + 1)),
        None => challenge(question, Attempt::Held, "every line existed by then, as far as its date is known"),
    }
}

fn numbers(s: &Scene<'_>) -> Challenge {
    let question = "Do numbers inside the lines contradict each other?";
    match s.of_group(Group::Arithmetic).len() {
        0 => challenge(question, Attempt::NotPossible, "no line holds a number that can be recomputed"),
        count => {
            challenge(question, Attempt::Held, format!("{count} recomputed, as the operator's own software keeps them"))
        }
    }
}

fn clock(s: &Scene<'_>) -> Challenge {
    let question = "Does the server's clock contradict the capture's?";
    match clock_difference(s) {
        None => challenge(question, Attempt::NotPossible, "no Date line"),
        Some(d) if d >= OTHER_TIME_SECONDS => challenge(question, Attempt::Broke, format!("{} apart", span(d))),
        Some(d) => challenge(question, Attempt::Held, format!("{} apart", span(d))),
    }
}

fn signature(s: &Scene<'_>) -> Challenge {
    let question = "Was the request's signature refused, or made for another time?";
    let Some((signed, standing)) = signature_standing(s.exchange) else {
        return challenge(question, Attempt::NotPossible, "the request is not signed");
    };
    let seen = format!("{}: {}", signed.scheme.words(), standing.words());
    match standing {
        custody::Standing::Accepted => challenge(question, Attempt::Held, seen),
        custody::Standing::Unanswered | custody::Standing::Unclear => challenge(question, Attempt::NotPossible, seen),
        custody::Standing::Refused(_) | custody::Standing::Expired | custody::Standing::NotYetValid => {
            challenge(question, Attempt::Broke, seen)
        }
    }
}

fn returned_hash(s: &Scene<'_>) -> Challenge {
    let question = "Does the server's hash of the upload differ from what was sent?";
    let (request, response) = s.http();
    let sent = request.and_then(|r| r.body.md5);
    let named = response.and_then(computed::named_md5);
    match sent.zip(named) {
        Some((sent, named)) if sent == named => challenge(question, Attempt::Held, "it is the MD5 of what was sent"),
        Some(_) => challenge(question, Attempt::Broke, "it is not the MD5 of what was sent"),
        None => challenge(question, Attempt::NotPossible, "no upload whose answer names an MD5"),
    }
}

/// What a signed request tells, and how its signature stands: by the status of the answer and the capture's clock.
pub fn signature_standing(exchange: &Exchange) -> Option<(custody::SignedRequest, custody::Standing)> {
    let Detail::Http(http) = &exchange.detail else { return None };
    let request = http.request.as_ref()?;
    let signed = custody::signed_request(request, request.host())?;
    let status = http.response.as_ref().and_then(|r| match r.start {
        StartLine::Status { code, .. } => Some(code),
        StartLine::Request { .. } => None,
    });
    let standing = custody::standing(&signed, request.time, status);
    Some((signed, standing))
}

fn between(s: &Scene<'_>) -> Challenge {
    let question = "Did something between client and server answer?";
    if s.exchange.reported.is_some() {
        return challenge(question, Attempt::NotPossible, "a HAR file does not tell");
    }
    let middle = middlebox(s);
    match middle.standing {
        Standing::Open => challenge(question, Attempt::Broke, middle.why),
        Standing::Weakened | Standing::RuledOut => challenge(question, Attempt::Held, middle.why),
    }
}

fn chain(s: &Scene<'_>) -> Challenge {
    let question = "Is the server's certificate one that the public roots of that time do not vouch for?";
    match s.exchange.trust() {
        None => challenge(question, Attempt::NotPossible, "no certificate is seen"),
        Some(trust) if trust.is_verified() => challenge(question, Attempt::Held, trust.sentence()),
        Some(trust) if trust.standing == ChainStanding::NotChecked => {
            challenge(question, Attempt::NotPossible, trust.sentence())
        }
        Some(trust) => challenge(question, Attempt::Broke, trust.sentence()),
    }
}

fn tables(s: &Scene<'_>) -> Challenge {
    let question = "Are the address lists of another time than the capture?";
    let ledger: Vec<Evidence> = s.lines.iter().map(|(_, e, _)| (*e).clone()).collect();
    match vintage(s.exchange, &ledger) {
        None => challenge(question, Attempt::NotPossible, "no address list was used"),
        Some((table, months)) => {
            let far = s.verdict.cannot_show.contains(&super::grade::UNDATED);
            let outcome = if far { Attempt::Broke } else { Attempt::Held };
            challenge(question, outcome, format!("list of {table}, {months} months from the capture"))
        }
    }
}

fn holes(s: &Scene<'_>) -> Challenge {
    let question = "Could a contradicting line stand in bytes that are missing?";
    let gap = s.exchange.anomalies.iter().find(|a| matches!(a.kind, AnomalyKind::Gap | AnomalyKind::CutShort));
    match gap {
        Some(a) => {
            challenge(question, Attempt::Broke, format!("{} at {} {}", a.kind.words(), s.exchange.unit(), a.frame))
        }
        None if s.sealed => challenge(question, Attempt::NotPossible, "the content is sealed"),
        None => challenge(question, Attempt::Held, "no byte of this exchange is missing"),
    }
}

fn shared(s: &Scene<'_>) -> Challenge {
    let question = "Does the address serve other names, so that it cannot tell the customer?";
    match s.verdict.looked_up.as_ref().map(|l| l.others.len()) {
        None => challenge(question, Attempt::NotPossible, "no lookup before the connection gave this address"),
        Some(0) if s.verdict.cannot_show.contains(&super::grade::DROPPED) => {
            challenge(question, Attempt::NotPossible, "no other name is seen, but packets were dropped")
        }
        Some(0) => challenge(question, Attempt::Held, "no other name in this capture"),
        Some(n) => {
            challenge(question, Attempt::Held, format!("{n} other names: the tenant is never read from the address"))
        }
    }
}
