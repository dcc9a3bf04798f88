//! What many exchanges together say of one site: counts and bytes, grown with every row.
//!
//! Comes in: finished records. Goes out: one line for each site, operator, product, role and grade. Never: a sentence about
//! an app, or a count that rows do not have.

use ahash::AHashMap;

use super::strings::StrId;
use super::table::Row;
use crate::evidence::pack;
use crate::model::{Detail, Exchange, Grade, ProviderId};

/// Lines kept; names come from strangers. What is over is counted without a site.
const LINES: usize = 100_000;
/// The site of what is over the limit.
const OTHER: &str = "other sites";

/// What a line of the findings is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingKey {
    /// The first party where it is known; else the registrable domain of the asked name, or the server's address.
    pub site: Box<str>,
    /// Whose machine answered.
    pub operator: Option<ProviderId>,
    /// Which service, as an index into the pack's services.
    pub product: Option<u16>,
    /// What the answering machine does.
    pub role: Option<&'static str>,
    /// The grade of the verdict.
    pub grade: Option<Grade>,
    /// The site whose response gave the URL, where that is another one.
    pub handed_out_by: Option<Box<str>>,
}

/// Counts of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// HTTP exchanges and sealed sessions.
    pub exchanges: u64,
    /// Bytes that the client sent in bodies; for sealed sessions, stream bytes.
    pub sent_bytes: u64,
    /// Bytes that it received.
    pub received_bytes: u64,
    /// How many of the exchanges have witnesses that disagree.
    pub conflicts: u64,
}

impl Counts {
    /// Adds another's.
    pub fn add(&mut self, other: Self) {
        self.exchanges += other.exchanges;
        self.sent_bytes = self.sent_bytes.saturating_add(other.sent_bytes);
        self.received_bytes = self.received_bytes.saturating_add(other.received_bytes);
        self.conflicts += other.conflicts;
    }

    fn take_away(&mut self, other: Self) {
        self.exchanges = self.exchanges.saturating_sub(other.exchanges);
        self.sent_bytes = self.sent_bytes.saturating_sub(other.sent_bytes);
        self.received_bytes = self.received_bytes.saturating_sub(other.received_bytes);
        self.conflicts = self.conflicts.saturating_sub(other.conflicts);
    }
}

/// A line while it is counted: small, since every row looks for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Line {
    host: StrId,
    server: StrId,
    first_party: StrId,
    giver: StrId,
    operator: u16,
    product: u16,
    role: u8,
    grade: Option<Grade>,
}

/// The findings so far. Lookups are not counted: they show where a name is steered, not who answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    lines: AHashMap<Line, Counts>,
}

impl Findings {
    /// Counts a finished row. `first_party` and `giver` are sites.
    pub(super) fn add(&mut self, row: &Row, exchange: &Exchange, [first_party, giver]: [StrId; 2]) {
        let Some([sent_bytes, received_bytes]) = bytes(exchange) else { return };
        let mut line = Line {
            host: row.host,
            // An address counts only where there is no name.
            server: if row.host == StrId(0) { row.server } else { StrId(0) },
            first_party,
            giver,
            operator: row.operator,
            product: row.product,
            role: row.role,
            grade: row.grade(),
        };
        if self.lines.len() >= LINES && !self.lines.contains_key(&line) {
            line = Line { host: StrId(0), server: StrId(0), first_party: StrId(0), giver: StrId(0), ..line };
        }
        let conflicts = u64::from(row.has(Row::CONFLICT));
        self.lines.entry(line).or_default().add(Counts { exchanges: 1, sent_bytes, received_bytes, conflicts });
    }

    /// The texts of all lines.
    pub(super) fn texts(&self) -> impl Iterator<Item = StrId> + '_ {
        self.lines.keys().flat_map(|line| [line.host, line.server, line.first_party, line.giver])
    }

    /// All lines by site, the most exchanges first.
    pub(super) fn lines(&self, text: impl Fn(StrId) -> String) -> Vec<(FindingKey, Counts)> {
        let mut sites: AHashMap<FindingKey, Counts> = AHashMap::new();
        let some = |id: StrId| (id != StrId(0)).then(|| text(id));
        for (line, counts) in &self.lines {
            let own = own_site(&some(line.host).unwrap_or_default(), &some(line.server).unwrap_or_default());
            let giver = some(line.giver).filter(|giver| *giver != own);
            let key = FindingKey {
                site: some(line.first_party).unwrap_or(own).into(),
                operator: (line.operator != Row::NONE).then_some(ProviderId(line.operator)),
                product: (line.product != Row::NONE).then_some(line.product),
                role: pack().roles.get(usize::from(line.role)).copied(),
                grade: line.grade,
                handed_out_by: giver.map(Into::into),
            };
            sites.entry(key).or_default().add(*counts);
        }
        let mut lines: Vec<_> = sites.into_iter().collect();
        lines.sort_by(|(a, x), (b, y)| y.exchanges.cmp(&x.exchanges).then_with(|| a.cmp(b)));
        lines
    }
}

/// Bytes that went to the server and came from it; `None` for what is not counted.
pub(super) fn bytes(exchange: &Exchange) -> Option<[u64; 2]> {
    match &exchange.detail {
        Detail::Http(http) => {
            let [sent, received] = [&http.request, &http.response].map(|m| m.as_ref().map_or(0, |m| m.body.wire_bytes));
            let carried = http.websocket.as_ref().map_or([0; 2], |w| w.sides.map(|side| side.bytes));
            Some([sent.saturating_add(carried[0]), received.saturating_add(carried[1])])
        }
        Detail::Tls(tls) => Some(tls.bytes),
        Detail::Dns(_) => None,
    }
}

/// Takes what a row added out of its line, or out of that of sites over the limit.
pub(super) fn take_away(lines: &mut Vec<(FindingKey, Counts)>, key: FindingKey, counts: Counts) {
    let other = FindingKey { site: OTHER.into(), handed_out_by: None, ..key.clone() };
    let place = [key, other].iter().find_map(|key| lines.iter().position(|(known, _)| known == key));
    if let Some((_, line)) = place.and_then(|place| lines.get_mut(place)) {
        line.take_away(counts);
        lines.retain(|(_, line)| line.exchanges > 0);
    }
}

/// The site that a row counts for where no first party is known: the registrable domain of the host, else the host; without
/// one the server's address.
pub fn own_site(host: &str, server: &str) -> String {
    match (host, server) {
        ("", "") => OTHER.to_owned(),
        ("", server) => without_port(server).to_owned(),
        (host, _) => site_of(host.as_bytes()).unwrap_or_else(|| without_port(host).to_owned()),
    }
}

/// The address of an endpoint as it is written.
pub(super) fn without_port(endpoint: &str) -> &str {
    let port = endpoint.rsplit_once(':').filter(|(address, port)| {
        let bare = !address.contains(':') || address.ends_with(']');
        bare && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
    });
    port.map_or(endpoint, |(address, _)| address.trim_matches(['[', ']']))
}

/// Registrable domain of a Host value or server name, in lower case.
fn site_of(host: &[u8]) -> Option<String> {
    let host = str::from_utf8(host).ok()?.trim().to_ascii_lowercase();
    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.parse::<core::net::IpAddr>().is_ok() || name.len() > 253 {
        return None;
    }
    // A customer's name in an operator's zone is no site of its own: the zone is.
    let site = psl::domain_str(name)?;
    Some(site.to_owned())
}

/// Everything that was found out about one site.
#[derive(Clone, Debug)]
pub struct SiteFindings {
    /// The site.
    pub site: Box<str>,
    /// All its exchanges.
    pub total: Counts,
    /// Its lines, the most exchanges first.
    pub lines: Vec<(FindingKey, Counts)>,
}

impl SiteFindings {
    /// Lines by site, the sites with the most exchanges first.
    pub fn group(lines: Vec<(FindingKey, Counts)>) -> Vec<Self> {
        let mut sites: Vec<Self> = Vec::new();
        let mut places: AHashMap<Box<str>, usize> = AHashMap::new();
        for (key, counts) in lines {
            let place = *places.entry(key.site.clone()).or_insert(sites.len());
            if place == sites.len() {
                sites.push(Self { site: key.site.clone(), total: Counts::default(), lines: Vec::new() });
            }
            if let Some(site) = sites.get_mut(place) {
                site.total.add(counts);
                site.lines.push((key, counts));
            }
        }
        sites.sort_by(|a, b| b.total.exchanges.cmp(&a.total.exchanges).then_with(|| a.site.cmp(&b.site)));
        sites
    }

    /// What can be said of the site, from counts only: `NAME answered 31 of 214 exchanges …`, for each operator graded *supports* or
    /// better, the most exchanges first.
    pub fn sentences(&self) -> Vec<String> {
        let mut by_operator: Vec<(ProviderId, Counts)> = Vec::new();
        for (key, counts) in &self.lines {
            let Some(operator) = key.operator.filter(|_| key.grade >= Some(Grade::Supports)) else { continue };
            match by_operator.iter_mut().find(|(o, _)| *o == operator) {
                Some((_, sum)) => sum.add(*counts),
                None => by_operator.push((operator, *counts)),
            }
        }
        by_operator.sort_by_key(|(_, counts)| core::cmp::Reverse(counts.exchanges));
        let all = self.total.exchanges;
        let total = format!("{all} exchange{}", if all == 1 { "" } else { "s" });
        let mut said: Vec<String> = by_operator
            .iter()
            .map(|(operator, counts)| {
                let name = pack().provider(*operator).map_or("", |p| p.name);
                let mut text = format!("{name} answered {} of {total}", counts.exchanges);
                for (what, part, whole) in [
                    ("sent", counts.sent_bytes, self.total.sent_bytes),
                    ("received", counts.received_bytes, self.total.received_bytes),
                ] {
                    match percent(part, whole) {
                        None => {}
                        Some(0) => text = format!("{text}, under 1 % of the bytes {what}"),
                        Some(percent) => text = format!("{text}, {percent} % of the bytes {what}"),
                    }
                }
                text
            })
            .collect();
        let sure: u64 = by_operator.iter().map(|(_, c)| c.exchanges).sum();
        let open = self.total.exchanges.saturating_sub(sure);
        if open > 0 {
            let stay = if open == 1 { "stays" } else { "stay" };
            said.push(format!("{open} of {total} {stay} open: no operator is supported"));
        }
        said
    }
}

/// Whole percent, rounded down: a claim must not grow by rounding.
fn percent(part: u64, whole: u64) -> Option<u64> {
    (whole > 0 && part > 0).then(|| u64::try_from(u128::from(part) * 100 / u128::from(whole)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{percent, site_of};

    #[test]
    fn sites_are_registrable_domains() {
        assert_eq!(site_of(b"P01-Content.icloud.com:443").as_deref(), Some("icloud.com"));
        assert_eq!(site_of(b"192.0.2.1:80"), None);
        assert_eq!(site_of(b"www.example.co.uk.").as_deref(), Some("example.co.uk"));
        assert_eq!(site_of(b"\xff"), None);
    }

    #[test]
    fn percents_are_rounded_down() {
        assert_eq!(percent(999, 1_000), Some(99));
        assert_eq!(percent(0, 10), None);
        assert_eq!(percent(u64::MAX, u64::MAX), Some(100));
    }
}
