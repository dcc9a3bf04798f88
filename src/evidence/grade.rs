//! From ledger to verdict: who answered, with which product, in which role, for which tenant, each with its grade.
//!
//! A grade counts agreeing groups, not lines. Names alone are names; headers alone never pass *suggests*, however many;
//! an address in a dated range is what lifts them. Lines that speak of different machines do not contradict each other:
//! a conflict needs two answers to one question.

use std::sync::Arc;

use smallvec::SmallVec;

use super::known::Tunnelled;
use super::names::Asked;
use super::pack::{Kind, Signature, SpeaksFor, pack};
use crate::model::{
    Agreement, Answer, ChainStanding, Evidence, FirstWrite, Grade, Group, HandOut, Hop, LinkMatch, LookedUp, Part,
    ProviderId, Stance, Supports, Tenant, Trust, Verdict, WitnessKind,
};

const EDGE: &str = "edge";
const SHIELD: &str = "shield";
const BALANCER: &str = "load balancer";
const RELAY: &str = "relay";
const MIDDLEBOX: &str = "middlebox";
const ORIGIN: &str = "origin";
/// The machine that answered, where no line tells an edge from an origin.
const SERVER: &str = "server";
/// Every kind of hop.
pub(super) const HOPS: [&str; 7] = [EDGE, SHIELD, BALANCER, RELAY, MIDDLEBOX, ORIGIN, SERVER];

const REPORTED: &str = "A HAR file is what a program reports: anybody can edit it, and no packet, lookup or certificate is in it. \
                        The server's address may be a proxy's. So nothing in it is graded above suggests.";
const CACHED: &str = "The program says that it took this answer from its own cache: no server was asked for it then.";
const NO_ADDRESS: &str = "No address of the server is told, so no range names its operator.";
const SEALED: &str = "The content is sealed by TLS: without keys no header, path, status or body can be read.";
const OPENED: &str = "This row is the session itself: what was read inside it with keys stands in rows of their own.";
const RESUMED: &str = "No certificate is shown: the session was resumed, or its certificate lies in a hole or where the keys do \
                       not reach. Who holds the key is not shown here.";
const NO_CERTIFICATE: &str = "TLS 1.3 hides the server's certificate from an observer without keys.";
const NO_NAME: &str = "The hello carries an Encrypted Client Hello, true or made up (GREASE), which nobody without the key \
                       can tell apart: where it is true, the visible name is only the provider's public one.";
const QUIC_SEALED: &str = "QUIC seals everything after its first packets, the server's certificate included.";
const ONLY_STEERING: &str = "A lookup shows where a name is steered, not who answers a connection.";
const NO_LOOKUP: &str =
    "No lookup of this name for this address stands earlier in the capture, so its CNAME chain is not known.";
const OTHER_HOST: &str =
    "The session was opened for another host; whether its certificate covers this one too is not visible.";
const ASKED_SEALED: &str =
    "The client had a session of encrypted DNS by then: the name may have been asked there, where nobody can see it.";
const SEALED_DNS: &str =
    "This is, or may be, encrypted DNS: which names were asked in it, and what was answered, is not visible.";
const NO_RESPONSE: &str = "The capture holds no answer, so nothing shows what the server is.";
const NO_OPENED_RESPONSE: &str =
    "The keys open no answer to this request, so nothing shows what the server is; it may be there, sealed.";
const NO_REQUEST: &str = "The capture holds no request, so the name that was asked for is not known.";
const LOCAL_PEER: &str =
    "The peer's address is private: a proxy or gateway may have answered, and no range names its operator.";
const UNLISTED: &str = "The server's address is in no range that this program lists.";
/// Said of a verdict whose address lists are of other years than the capture.
pub const UNDATED: &str =
    "The address lists are of other years than the capture; whose range it was then is not certain.";
const GAPS: &str = "Bytes of this connection are missing from the capture; lines may be missing here.";
pub(super) const DROPPED: &str =
    "Packets were dropped while this was captured, as its own counters say: what is not seen here may have been there.";
const PROXIED: &str = "The request went to a proxy: the address is the proxy's, not that of the named server.";
const BEHIND: &str = "What stands behind the answering machine shows only where it lets header lines through.";
const RESIGNED: &str =
    "The certificate was signed by an inspecting proxy: what the named server said can have been changed on the way.";
const UNVERIFIED: &str = "The server's certificate is not verified, so the names in it may be written by anybody.";
const WRONG_NAME: &str = "The server's certificate is for other names than the one that was asked for.";
pub(super) const IMITATED: &str = "An authority that no public list has signed for names of others: a machine on the way may \
                                   have answered in their place.";
const OTHER_ROOTS: &str =
    "No list of roots of about the capture's time is here: the nearest is more than two years off.";
const PAYER: &str =
    "Who owns and pays for the account is in no capture; who hands out its signed URLs is as near as lines come.";
pub(super) const ONLY_RELAY: &str = "This connection ends at a relay: whom the app talks to through it is sealed, and the verdict is \
                          about the relay only.";
const VPN: &str =
    "This client set up a VPN tunnel: what went through it, names and servers included, is sealed and not listed here.";
const ALSO_RELAYED: &str = "This client also used iCloud Private Relay: what it asked through that, and of whom, is sealed and not listed here.";
/// Every sentence about what a capture cannot show.
pub(super) const CANNOT_SHOW: [&str; 33] = [
    REPORTED,
    CACHED,
    NO_ADDRESS,
    SEALED,
    OPENED,
    RESUMED,
    NO_CERTIFICATE,
    NO_NAME,
    OTHER_HOST,
    QUIC_SEALED,
    ONLY_STEERING,
    NO_LOOKUP,
    ASKED_SEALED,
    SEALED_DNS,
    NO_RESPONSE,
    NO_OPENED_RESPONSE,
    NO_REQUEST,
    LOCAL_PEER,
    UNLISTED,
    UNDATED,
    GAPS,
    DROPPED,
    PROXIED,
    BEHIND,
    RESIGNED,
    UNVERIFIED,
    IMITATED,
    OTHER_ROOTS,
    WRONG_NAME,
    PAYER,
    ONLY_RELAY,
    VPN,
    ALSO_RELAYED,
];

/// What the grade needs beside the ledger.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one exchange")]
pub(super) struct Scene {
    pub(super) month: u32,
    /// The address lists are of the capture's time.
    pub(super) dated: bool,
    pub(super) local: bool,
    /// A HAR file tells of it.
    pub(super) reported: bool,
    /// The answer was not sent by anybody.
    pub(super) cached: bool,
    /// Nobody says where the server is.
    pub(super) no_address: bool,
    /// A sealed session in which names may have been asked.
    pub(super) sealed_dns: bool,
    /// The session was opened for another host, and no certificate is there to tell.
    pub(super) other_host: bool,
    /// The client had such a session before.
    pub(super) asked_sealed: bool,
    pub(super) accepted: bool,
    pub(super) proxied: bool,
    /// What was asked is inside what a proxy passes on: the address says nothing of who answered it.
    pub(super) passed_on: bool,
    /// The tunnels that the client had by then.
    pub(super) tunnelled: Tunnelled,
    pub(super) dns: bool,
    pub(super) sealed: bool,
    /// A TLS session, or an exchange that was read from one.
    pub(super) session: bool,
    /// Keys opened something of the session.
    pub(super) opened: bool,
    pub(super) quic: bool,
    pub(super) hidden_certificate: bool,
    /// A version whose certificates anybody can read.
    pub(super) sends_certificate_open: bool,
    /// An exchange that was read from a session.
    pub(super) inside: bool,
    /// How the chain stands, where one was seen.
    pub(super) trust: Option<Arc<Trust>>,
    /// An authority of no list signed for a well-known name of another.
    pub(super) imitated: bool,
    pub(super) hidden_name: bool,
    pub(super) no_request: bool,
    pub(super) no_response: bool,
    pub(super) gap: bool,
    /// The capture's own counters told of dropped packets by then.
    pub(super) dropped: bool,
    /// The request carries something to be kept.
    pub(super) uploading: bool,
    /// The signature is for another service than storage.
    pub(super) foreign_scope: bool,
    /// Whose way of signing the request shows, and whether the signature was accepted.
    pub(super) signed: Option<(&'static str, bool)>,
    /// Whether the names that the client gave fit together: server name and certificate, target and Host.
    pub(super) names_agree: Option<bool>,
    pub(super) looked_up: Option<LookedUp>,
    pub(super) handed_out: Option<HandOut>,
    pub(super) no_hand_out: Vec<&'static str>,
    pub(super) first_write: Option<FirstWrite>,
    /// The longest rule that the asked name matches.
    pub(super) claim: Option<u16>,
    /// The rule that the last serving zone of the CNAME chain matches.
    pub(super) steered: Option<u16>,
    /// A customer's name in the asked name.
    pub(super) tenant: Option<(ProviderId, String)>,
    pub(super) bare_store: Option<ProviderId>,
    /// What the asked name matches.
    pub(super) asked: Option<Arc<Asked>>,
}

impl Scene {
    /// Whether the certificate is vouched for. Where it is not, anybody could have made it.
    fn verified(&self) -> bool {
        self.trust.as_ref().is_some_and(|t| t.holds())
    }

    /// Independent witnesses: a certificate that is not verified is none beside others.
    fn independent(&self, groups: Groups) -> u32 {
        groups.independent() - u32::from(groups.has(Group::KeyHolder) && !self.verified())
    }

    /// The registrable domain of the asked name.
    fn site(&self) -> Option<&str> {
        self.asked.as_ref()?.site.as_deref()
    }
}

/// A ledger entry with its rule, and its strength at the capture's time.
struct Witness<'a> {
    entry: &'a Evidence,
    rule: &'static Signature,
    strength: u8,
}

/// A set of groups.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Groups(u16);

impl Groups {
    fn add(&mut self, group: Group) {
        self.0 |= 1 << group as u16;
    }

    fn has(self, group: Group) -> bool {
        self.0 & (1 << group as u16) != 0
    }

    /// Independent witnesses beside names. Headers and numbers inside them are one channel.
    fn independent(self) -> u32 {
        let headers = self.has(Group::AnsweringSoftware) || self.has(Group::Arithmetic);
        u32::from(headers)
            + [Group::DnsAuthority, Group::Routing, Group::KeyHolder, Group::Writer]
                .into_iter()
                .filter(|g| self.has(*g))
                .map(|_| 1)
                .sum::<u32>()
    }
}

pub(super) fn grade(ledger: &[Evidence], mut scene: Scene) -> Verdict {
    let rules = ledger.iter().filter_map(|entry| Some((entry, pack().signature(entry.signature)?)));
    let witnesses: SmallVec<[Witness<'_>; 16]> =
        rules.map(|(entry, rule)| Witness { entry, rule, strength: rule.strength_in(scene.month) }).collect();
    let mut conflict = false;
    let stores_differ = stores_differ(&witnesses);
    let operator = operator(&witnesses, &scene, stores_differ, &mut conflict);
    conflict |= stores_differ;
    let (product, role) = product(&witnesses, &scene, operator, stores_differ);
    let cannot_show = cannot_show(&scene, &witnesses);
    let named = scene.tenant.take();
    let verdict = Verdict {
        operator,
        product,
        role,
        tenant: tenant(&witnesses, &scene, named, operator),
        grade: operator.map(|o| if conflict { o.grade.min(Grade::Suggests) } else { o.grade }),
        conflict,
        path: path(&witnesses, operator, product),
        cannot_show,
        agreement: agreement(&witnesses, &scene, operator),
        handed_out: scene.handed_out,
        no_hand_out: scene.no_hand_out,
        first_write: scene.first_write,
        looked_up: scene.looked_up,
    };
    if scene.reported { capped(verdict) } else { verdict }
}

/// A report can only suggest: whoever has the file can have written it.
fn capped(mut verdict: Verdict) -> Verdict {
    fn cap<T>(answer: Option<Answer<T>>) -> Option<Answer<T>> {
        answer.map(|answer| Answer { grade: answer.grade.min(Grade::Suggests), ..answer })
    }
    verdict.operator = cap(verdict.operator);
    verdict.product = cap(verdict.product);
    verdict.role = cap(verdict.role);
    verdict.tenant = cap(verdict.tenant);
    verdict.grade = verdict.grade.map(|grade| grade.min(Grade::Suggests));
    verdict
}

/// What each kind of witness says of the operator.
fn agreement(witnesses: &[Witness<'_>], scene: &Scene, operator: Option<Answer<ProviderId>>) -> Agreement {
    let mut strip = Agreement::default();
    let mut set = |kind, hidden: bool, found: &dyn Fn(&Witness<'_>) -> bool| {
        let stance = match operator {
            _ if hidden => Stance::NotObservable,
            None => Stance::Silent,
            Some(o) => {
                let agrees = |w: &&Witness<'_>| related(w.rule.provider, o.value);
                if witnesses.iter().filter(|w| found(w)).any(|w| agrees(&w)) {
                    Stance::Agrees
                } else if witnesses.iter().any(|w| found(w) && w.strength >= 3 && operates(w.rule.provider)) {
                    Stance::Conflicts
                } else {
                    Stance::Silent
                }
            }
        };
        strip = strip.with(kind, stance);
    };
    let serving = |w: &Witness<'_>| w.rule.supports.has(Supports::OPERATOR);
    let named = |group: Group| move |w: &Witness<'_>| w.entry.group == group && serving(w);
    let no_name = scene.hidden_name || (scene.no_request && scene.claim.is_none());
    // A customer's own site in a first party's zone says who is the customer.
    // The same holds for any name whose service stands at addresses that nobody lists: an edge may serve it.
    let own = |w: &Witness<'_>| {
        listed(w.rule) || operator.is_some_and(|o| related(o.value, w.rule.provider) && w.rule.role != "first-party")
    };
    set(WitnessKind::Name, no_name, &|w| named(Group::NameChoice)(w) && w.rule.role != "first-party" && own(w));
    set(WitnessKind::Cname, scene.looked_up.is_none() && !scene.dns, &|w| named(Group::DnsAuthority)(w) && own(w));
    set(WitnessKind::Address, scene.local || scene.no_address || scene.dns || scene.proxied, &named(Group::Routing));
    let no_certificate = !scene.session || scene.hidden_certificate || scene.quic || scene.no_response;
    set(WitnessKind::Certificate, no_certificate, &|w| named(Group::KeyHolder)(w) && w.rule.kind != Kind::CertIssuer);
    // What the machine behind an edge wrote speaks for that machine.
    set(WitnessKind::Headers, scene.sealed || scene.no_response || scene.dns, &|w| {
        matches!(w.entry.group, Group::AnsweringSoftware | Group::Arithmetic)
            && (w.rule.speaks_for != SpeaksFor::Origin || operator.is_some_and(|o| related(o.value, w.rule.provider)))
    });
    let names = match scene.names_agree {
        Some(true) => Stance::Agrees,
        Some(false) => Stance::Conflicts,
        None => Stance::NotObservable,
    };
    strip.with(WitnessKind::Names, names)
}

/// Providers of one company do not contradict each other.
pub(super) fn related(a: ProviderId, b: ProviderId) -> bool {
    a == b
        || pack().provider(a).zip(pack().provider(b)).is_some_and(|(a, b)| a.parent == b.parent && a.parent != "none")
}

/// Generic software and platform words name no operator.
fn operates(provider: ProviderId) -> bool {
    pack().provider(provider).is_some_and(|p| p.parent != "none")
}

/// A machine on the way made the certificate: it answered, whoever's address stands there.
fn resigned(witnesses: &[Witness<'_>]) -> bool {
    witnesses.iter().any(|w| w.entry.group == Group::KeyHolder && w.rule.role == "middlebox")
}

/// The name that was asked for is a relay's: who answers it passes on to others.
fn relayed(witnesses: &[Witness<'_>]) -> bool {
    witnesses.iter().any(|w| {
        w.entry.group == Group::NameChoice && w.rule.role == "private-relay" && w.entry.place.part != Part::Dns
    })
}

/// Whether the service's own addresses are listed, so that another address speaks against it. An object store stands in
/// its operator's ranges even where these are not listed a service.
fn listed(rule: &Signature) -> bool {
    let own = |s: &Signature| s.service == rule.service || rule.role == "object-storage" && s.provider == rule.provider;
    pack().signatures.iter().any(|s| s.kind == Kind::IpRangeRef && own(s))
}

/// Two object stores claim to have made one object.
fn stores_differ(witnesses: &[Witness<'_>]) -> bool {
    let mut first: Option<ProviderId> = None;
    witnesses
        .iter()
        .filter(|w| {
            let own_words = matches!(w.entry.group, Group::AnsweringSoftware | Group::Arithmetic);
            own_words
                && w.rule.speaks_for == SpeaksFor::Origin
                && w.rule.role == "object-storage"
                && w.strength >= 3
                && operates(w.rule.provider)
        })
        .any(|w| !related(*first.get_or_insert(w.rule.provider), w.rule.provider))
}

fn operator(
    witnesses: &[Witness<'_>],
    scene: &Scene,
    stores_differ: bool,
    conflict: &mut bool,
) -> Option<Answer<ProviderId>> {
    let responder = witnesses
        .iter()
        .filter(|w| w.entry.group == Group::Routing && w.strength >= 2)
        .max_by_key(|w| (w.rule.kind == Kind::IpRangeRef, w.strength));
    if let Some(w) = responder {
        return Some(by_address(w, witnesses, scene, conflict));
    }
    // Without an address: what else speaks for the answering machine, counted a provider.
    let mut best: Option<(ProviderId, Groups, u32, u8)> = None;
    for w in witnesses {
        let provider = w.rule.provider;
        if !operates(provider) || best.is_some_and(|(p, ..)| p == provider) {
            continue;
        }
        let (groups, strength) = speaking_for(provider, witnesses, scene);
        if groups == Groups::default() {
            continue;
        }
        let front = u32::from(strength.1);
        let rank = (groups.independent(), strength.0, front);
        if best.is_none_or(|(_, g, f, s)| rank > (g.independent(), s, f)) {
            best = Some((provider, groups, front, strength.0));
        }
    }
    let (provider, groups, _, strength) = best?;
    // A store that copies another's interface sends that one's fields, and names itself in Server.
    let only_headers = groups.independent() == 1 && groups.has(Group::AnsweringSoftware);
    let imitated = witnesses.iter().any(|w| {
        w.rule.kind == Kind::ServerValue && w.rule.role == "object-storage" && !related(w.rule.provider, provider)
    });
    if only_headers && imitated && !groups.has(Group::NameChoice) {
        return None;
    }
    let key = scene.verified()
        && witnesses.iter().any(|w| {
            w.rule.provider == provider
                && w.entry.group == Group::KeyHolder
                && w.rule.kind != Kind::CertIssuer
                && w.strength >= 3
        });
    let mut grade = match scene.independent(groups) {
        // The certificate alone, and not verified: one witness that anybody could imitate.
        0 if groups.has(Group::KeyHolder) => Grade::Suggests,
        0 => Grade::NameOnly,
        1 if key => Grade::Supports,
        1 => Grade::Suggests,
        _ if strength >= 3 => Grade::Supports,
        _ => Grade::Suggests,
    };
    // A proxy that passes bytes on has not got the key of who answers.
    let hidden = scene.local || scene.proxied && !(scene.passed_on && scene.verified());
    if hidden || scene.no_response || scene.imitated || relayed(witnesses) {
        grade = grade.min(Grade::Suggests);
    }
    if stores_differ && only_headers {
        grade = Grade::Contradicted;
    }
    Some(Answer { value: provider, grade })
}

/// Groups that speak for a provider as the one who answered, its best strength, and whether a front machine said so.
fn speaking_for(provider: ProviderId, witnesses: &[Witness<'_>], scene: &Scene) -> (Groups, (u8, bool)) {
    let steered = scene.steered.and_then(|n| pack().signature(n)).map(|s| s.provider);
    let mut groups = Groups::default();
    let mut strength = (0, false);
    for w in witnesses.iter().filter(|w| w.rule.provider == provider) {
        let counts = match w.entry.group {
            Group::DnsAuthority => steered == Some(provider) && w.rule.supports.has(Supports::OPERATOR),
            Group::AnsweringSoftware | Group::Arithmetic => {
                w.strength >= 2 && (w.rule.supports.has(Supports::OPERATOR) || w.rule.speaks_for == SpeaksFor::Origin)
            }
            Group::Writer => w.strength >= 3,
            // What the client wrote into a URL is no more than a name, accepted or not: any server can accept it.
            Group::Custody | Group::Behaviour => false,
            Group::Routing => w.strength >= 2,
            Group::NameChoice | Group::KeyHolder => w.rule.supports.has(Supports::OPERATOR) && w.strength >= 1,
        };
        if counts {
            groups.add(w.entry.group);
            let beside_names = w.entry.group != Group::NameChoice;
            strength.0 = strength.0.max(if beside_names { w.strength } else { 1 });
            strength.1 |= beside_names && w.rule.speaks_for != SpeaksFor::Origin;
        }
    }
    (groups, strength)
}

/// The operator of a listed address, with what agrees and what contradicts.
fn by_address(w: &Witness<'_>, witnesses: &[Witness<'_>], scene: &Scene, conflict: &mut bool) -> Answer<ProviderId> {
    let provider = w.rule.provider;
    let (groups, _) = speaking_for(provider, witnesses, scene);
    let good = w.strength >= 3 && scene.dated;
    let mut grade = match (good, scene.independent(groups)) {
        (true, _) | (false, 2..) => Grade::Supports,
        (false, _) => Grade::Suggests,
    };
    // Written into the operator's own store, under its own name, with its own lines in the answer.
    if good && written(groups) && !scene.gap {
        grade = Grade::Conclusive;
    }
    if resigned(witnesses) || scene.no_response || scene.imitated || relayed(witnesses) {
        grade = grade.min(Grade::Suggests);
    }
    // A certificate for another operator's own zone answers the same question differently.
    let other_key = witnesses
        .iter()
        .any(|k| k.rule.kind == Kind::CertSanSuffix && k.strength >= 3 && !related(k.rule.provider, provider));
    // A name or chain of a service whose addresses are listed, and this is none of them.
    let stores = witnesses
        .iter()
        .filter(|n| n.entry.group == Group::NameChoice && n.rule.role == "object-storage" && !scene.proxied)
        .map(|n| n.rule);
    let elsewhere = [scene.steered, scene.claim.filter(|_| !scene.proxied)]
        .into_iter()
        .flatten()
        .filter_map(|n| pack().signature(n))
        .chain(stores)
        .any(|s| {
            s.strength_in(scene.month) >= 3 && s.role != "first-party" && !related(s.provider, provider) && listed(s)
        });
    if other_key {
        *conflict = true;
        grade = Grade::Contradicted;
    } else if elsewhere {
        *conflict = true;
        grade = grade.min(Grade::Suggests);
    }
    Answer { value: provider, grade }
}

/// The client wrote into a store that it called by its own name, and the store's own lines stand in the answer. A name of
/// somebody else's at a rented machine of the operator may be anything that speaks the store's language.
fn written(groups: Groups) -> bool {
    let named = groups.has(Group::NameChoice) || groups.has(Group::DnsAuthority);
    let answered = groups.has(Group::AnsweringSoftware) || groups.has(Group::Arithmetic);
    groups.has(Group::Writer) && named && answered
}

/// A service as the ledger speaks of it.
struct Candidate {
    service: u16,
    role: &'static str,
    groups: Groups,
    strength: u8,
    front: bool,
    /// Length of the longest pattern: the more exact rule.
    exact: usize,
}

fn is_front(rule: &Signature) -> bool {
    rule.speaks_for != SpeaksFor::Origin
        && matches!(rule.role, "cdn-edge" | "load-balancer" | "private-relay" | "middlebox")
}

fn candidates(witnesses: &[Witness<'_>], provider: Option<ProviderId>) -> SmallVec<[Candidate; 4]> {
    let mut found: SmallVec<[Candidate; 4]> = SmallVec::new();
    for w in witnesses.iter().filter(|w| w.rule.supports.has(Supports::PRODUCT) && w.strength >= 2) {
        if provider.is_some_and(|p| p != w.rule.provider) {
            continue;
        }
        let exact = w.rule.patterns.iter().map(|p| p.len()).max().unwrap_or(0);
        if let Some(c) = found.iter_mut().find(|c| c.service == w.rule.service) {
            c.groups.add(w.entry.group);
            c.front |= is_front(w.rule);
            if (w.strength, exact) > (c.strength, c.exact) {
                (c.strength, c.exact, c.role) = (w.strength, exact, w.rule.role);
            }
        } else {
            let mut groups = Groups::default();
            groups.add(w.entry.group);
            let (service, role, strength) = (w.rule.service, w.rule.role, w.strength);
            found.push(Candidate { service, role, groups, strength, front: is_front(w.rule), exact });
        }
    }
    found
}

type Product = (Option<Answer<u16>>, Option<Answer<&'static str>>);

fn product(
    witnesses: &[Witness<'_>],
    scene: &Scene,
    operator: Option<Answer<ProviderId>>,
    stores_differ: bool,
) -> Product {
    // Without an operator, a store's own banner says more than the fields that it copies.
    let banner = witnesses.iter().find(|w| w.rule.kind == Kind::ServerValue && w.rule.role == "object-storage");
    let whose = operator.map(|o| o.value).or_else(|| banner.map(|w| w.rule.provider));
    let found = candidates(witnesses, whose);
    let best = found.iter().max_by_key(|c| {
        (c.front, c.groups.independent(), c.groups.0.count_ones(), c.strength, c.exact, core::cmp::Reverse(c.service))
    });
    let Some(c) = best else { return (None, None) };
    let here = operator.is_some_and(|o| o.grade >= Grade::Supports);
    let routed = witnesses
        .iter()
        .any(|w| w.entry.group == Group::Routing && operator.is_some_and(|o| o.value == w.rule.provider));
    // One witness of the product and another of its operator: supports with routing or a key, as the table says.
    let own_range = c.groups.has(Group::Routing);
    let others = c.groups.independent() - u32::from(own_range);
    let key = c.groups.has(Group::KeyHolder) && scene.verified();
    let backed = routed || key || c.groups.has(Group::Arithmetic);
    let sound = scene.independent(c.groups) - u32::from(own_range);
    let sure = sound >= 2 || (sound == 1 && backed) || (own_range && c.strength >= 4 && scene.dated);
    let grade = if stores_differ && !c.front {
        Grade::Contradicted
    } else if written(c.groups) && here && (routed || key) && !scene.gap {
        Grade::Conclusive
    } else if here && sure {
        Grade::Supports
    } else if others >= 1 || own_range || (here && routed) {
        Grade::Suggests
    } else {
        Grade::NameOnly
    };
    // A product is never surer than its operator.
    let grade = operator.map_or(grade, |o| if grade == Grade::Contradicted { grade } else { grade.min(o.grade) });
    (Some(Answer { value: c.service, grade }), Some(Answer { value: c.role, grade }))
}

fn tenant(
    witnesses: &[Witness<'_>],
    scene: &Scene,
    named: Option<(ProviderId, String)>,
    operator: Option<Answer<ProviderId>>,
) -> Option<Answer<Tenant>> {
    let answers = operator.is_some_and(|o| o.grade >= Grade::Supports);
    if let Some((provider, name)) = named {
        let custody = witnesses.iter().any(|w| {
            matches!(w.entry.group, Group::Custody | Group::Writer) && w.rule.provider == provider && w.strength >= 3
        });
        let here = operator.is_some_and(|o| related(o.value, provider)) && answers;
        // Whoever hands out a signed URL that is then accepted had the account's key, or had it signed for them.
        let signed = scene.signed.is_some_and(|(_, accepted)| accepted);
        let giver = scene.handed_out.as_ref().filter(|h| h.how == LinkMatch::Exact);
        let first_party = giver.and_then(|h| h.site.clone()).filter(|site| Some(site.as_str()) != scene.site());
        let first_party = first_party.filter(|_| signed && custody && here);
        let grade = match (custody && here, here && scene.accepted) {
            (true, _) if first_party.is_some() && !scene.gap => Grade::Conclusive,
            (true, _) => Grade::Supports,
            (_, true) => Grade::Suggests,
            _ => Grade::NameOnly,
        };
        return Some(Answer { value: Tenant { name, first_party }, grade });
    }
    // Another's name on this operator's machine: the site is the customer.
    let (operator, site) = (operator?, scene.site()?);
    let own = witnesses.iter().any(|w| w.entry.group == Group::NameChoice && related(w.rule.provider, operator.value));
    if own || operator.grade < Grade::Suggests {
        return None;
    }
    let delegated = scene.steered.and_then(|n| pack().signature(n)).is_some_and(|s| s.provider == operator.value);
    let grade = if delegated || (answers && scene.accepted) { Grade::Suggests } else { Grade::NameOnly };
    Some(Answer { value: Tenant { name: site.to_owned(), first_party: Some(site.to_owned()) }, grade })
}

/// The hops that lines show: front machines in the order of their closeness, then what made the object.
fn path(witnesses: &[Witness<'_>], operator: Option<Answer<ProviderId>>, product: Option<Answer<u16>>) -> Vec<Hop> {
    let mut path: Vec<Hop> = Vec::new();
    let Some(operator) = operator.filter(|o| o.grade != Grade::NameOnly) else { return path };
    let push = |kind: &'static str, provider: ProviderId, service: Option<u16>, path: &mut Vec<Hop>| {
        let known = path.iter().any(|h| h.kind == kind && h.provider == provider && h.service == service);
        if path.len() < 8 && !known {
            path.push(Hop { kind, provider, service, lines: lines_of(kind, provider, witnesses) });
        }
    };
    let fronts = witnesses.iter().filter(|w| {
        let heard =
            !matches!(w.entry.group, Group::NameChoice | Group::DnsAuthority) || w.rule.provider == operator.value;
        heard
            && is_front(w.rule)
            && w.strength >= 2
            && w.rule.supports.has(Supports::PRODUCT)
            && operates(w.rule.provider)
    });
    let chosen = product.and_then(|p| witnesses.iter().find(|w| w.rule.service == p.value && is_front(w.rule)));
    for w in chosen.into_iter().chain(fronts) {
        let own_other_service = path.iter().any(|h| h.provider == w.rule.provider);
        if !own_other_service {
            push(hop_of(w.rule.role), w.rule.provider, Some(w.rule.service), &mut path);
        }
    }
    let origins = witnesses.iter().filter(|w| {
        matches!(w.entry.group, Group::AnsweringSoftware | Group::Arithmetic | Group::Writer)
            && w.rule.speaks_for == SpeaksFor::Origin
            // What a front machine was told, or is told of its shield, made no object.
            && !matches!(w.rule.role, "cdn-edge" | "cdn-origin-shield")
            && w.strength >= 2
            && w.rule.supports.has(Supports::PRODUCT)
    });
    let best = origins.max_by_key(|w| (operates(w.rule.provider), w.strength, core::cmp::Reverse(w.rule.service)));
    if let Some(w) = best {
        let own = related(w.rule.provider, operator.value) || !operates(w.rule.provider);
        match (path.is_empty(), own) {
            // The maker of the object answered itself: a store that is asked directly.
            (true, true) => push(SERVER, operator.value, Some(w.rule.service), &mut path),
            (true, false) => {
                push(SERVER, operator.value, product.map(|p| p.value), &mut path);
                push(ORIGIN, w.rule.provider, Some(w.rule.service), &mut path);
            }
            (false, _) => push(ORIGIN, w.rule.provider, Some(w.rule.service), &mut path),
        }
    } else if let Some(p) = product.filter(|_| path.is_empty()) {
        push(SERVER, operator.value, Some(p.value), &mut path);
    }
    path
}

/// The ledger entries that show a hop: what a machine behind wrote shows that machine, all else the one in front.
fn lines_of(kind: &str, provider: ProviderId, witnesses: &[Witness<'_>]) -> Vec<u8> {
    let shows = |w: &Witness<'_>| {
        let behind = w.rule.speaks_for == SpeaksFor::Origin;
        w.rule.provider == provider
            && w.entry.group != Group::NameChoice
            && match kind {
                ORIGIN => behind,
                SERVER => true,
                _ => !behind,
            }
    };
    (0..=u8::MAX).zip(witnesses).filter(|(_, w)| shows(w)).map(|(n, _)| n).collect()
}

fn hop_of(role: &str) -> &'static str {
    match role {
        "load-balancer" => BALANCER,
        "cdn-origin-shield" => SHIELD,
        "private-relay" => RELAY,
        "middlebox" => MIDDLEBOX,
        _ => EDGE,
    }
}

fn cannot_show(scene: &Scene, witnesses: &[Witness<'_>]) -> Vec<&'static str> {
    let routed = witnesses.iter().any(|w| w.entry.group == Group::Routing);
    let answered = !scene.no_response;
    [
        (scene.reported, REPORTED),
        (scene.cached, CACHED),
        (scene.no_address, NO_ADDRESS),
        (scene.sealed && !scene.quic && !scene.opened, SEALED),
        (scene.opened, OPENED),
        (scene.quic && !scene.opened, QUIC_SEALED),
        (scene.hidden_certificate && (scene.opened || !scene.sealed || scene.sends_certificate_open), RESUMED),
        (
            scene.hidden_certificate && !scene.quic && !scene.opened && scene.sealed && !scene.sends_certificate_open,
            NO_CERTIFICATE,
        ),
        (scene.hidden_name, NO_NAME),
        (scene.other_host, OTHER_HOST),
        (scene.dns, ONLY_STEERING),
        (scene.no_response && !scene.inside, NO_RESPONSE),
        (scene.no_response && scene.inside, NO_OPENED_RESPONSE),
        (scene.no_request, NO_REQUEST),
        (!scene.dns && !scene.reported && scene.looked_up.is_none(), NO_LOOKUP),
        (scene.asked_sealed && scene.looked_up.is_none(), ASKED_SEALED),
        (scene.sealed_dns, SEALED_DNS),
        (!scene.dns && scene.proxied, PROXIED),
        (scene.local, LOCAL_PEER),
        (!scene.dns && !scene.local && !scene.no_address && !scene.passed_on && !routed, UNLISTED),
        (routed && !scene.dated, UNDATED),
        (scene.gap, GAPS),
        (scene.dropped, DROPPED),
        (resigned(witnesses), RESIGNED),
        (scene.trust.as_ref().is_some_and(|t| !t.holds()), UNVERIFIED),
        (scene.trust.as_ref().is_some_and(|t| t.standing == ChainStanding::WrongName), WRONG_NAME),
        (scene.imitated && !resigned(witnesses), IMITATED),
        (scene.trust.as_ref().is_some_and(|t| t.is_undated()), OTHER_ROOTS),
        (answered && !scene.dns && !scene.sealed, BEHIND),
        (scene.tenant.is_some() && !scene.dns, PAYER),
        (relayed(witnesses), ONLY_RELAY),
        (scene.tunnelled.vpn, VPN),
        (scene.tunnelled.relay && !relayed(witnesses), ALSO_RELAYED),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, sentence)| sentence)
    .collect()
}
