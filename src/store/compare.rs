//! What differs between two captures, site by site: answers as sets, with counts and bytes on both sides.
//!
//! Comes in: two snapshots that were read to their ends. Goes out: for each site who answered, which service, in which role,
//! for whose account, how sure, and from which addresses, on either side. Never: a sentence that counts do not carry, or a
//! guess why something changed.

use std::collections::BTreeMap;

use super::findings::{Counts, FindingKey, SiteFindings, without_port};
use super::snapshot::Snapshot;
use super::strings::StrId;
use super::table::{Row, RowId, RowKind};
use crate::evidence::pack;
use crate::model::{Grade, Hop, ProviderId};

/// Addresses and tenants that are told apart in one site; the others are counted together.
const NAMES: usize = 256;
/// Between two hops of a path.
const ARROW: &str = " → ";
/// The name of what is over that.
const FURTHER: &str = "further ones";

/// Which of the two captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first that was named.
    A,
    /// The second.
    B,
}

impl Which {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The letter that stands for it.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its part of a pair.
    pub fn of<T: Copy>(self, [a, b]: [T; 2]) -> T {
        match self {
            Self::A => a,
            Self::B => b,
        }
    }

    fn of_mut<T>(self, [a, b]: &mut [T; 2]) -> &mut T {
        match self {
            Self::A => a,
            Self::B => b,
        }
    }
}

/// What is asked of a site's exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Whose machine answered.
    Operator,
    /// Which service.
    Product,
    /// Through whose machines it came: the serving path, from the client's side.
    Path,
    /// What the answering machine does.
    Role,
    /// Whose account it is.
    Tenant,
    /// How sure that is.
    Grade,
    /// From which addresses it came.
    Address,
}

impl Aspect {
    /// All of them, the weightiest first.
    pub const ALL: [Self; 7] =
        [Self::Operator, Self::Product, Self::Path, Self::Role, Self::Tenant, Self::Grade, Self::Address];

    /// Whether bytes are counted too, beside exchanges.
    pub fn has_bytes(self) -> bool {
        !matches!(self, Self::Path | Self::Tenant | Self::Address)
    }

    /// The word on screen and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Product => "product",
            Self::Path => "path",
            Self::Role => "role",
            Self::Tenant => "tenant",
            Self::Grade => "grade",
            Self::Address => "address",
        }
    }
}

/// One answer, and how many exchanges have it on either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Name, role, grade or address, ready for display.
    pub name: String,
    /// The operator, where the answer is one.
    pub operator: Option<ProviderId>,
    /// Exchanges and bytes; paths, tenants and addresses have exchanges only.
    pub counts: [Counts; 2],
    /// The best grade among them; operators only.
    pub grade: [Option<Grade>; 2],
}

impl Answer {
    /// The only capture that has it; `None` where both do.
    pub fn only(&self) -> Option<Which> {
        match self.counts.map(|counts| counts.exchanges > 0) {
            [true, false] => Some(Which::A),
            [false, true] => Some(Which::B),
            _ => None,
        }
    }
}

/// How the answers of one aspect stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Both sides have the same answers, or neither has one.
    Same,
    /// An answer is on one side only, and the other side has others.
    Changed,
    /// This side has no answer at all: not found is not changed.
    NotFound(Which),
}

/// How a site stands in the two captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// In both, and some answers differ.
    Changed,
    /// Only the first has exchanges with it.
    OnlyA,
    /// Only the second has.
    OnlyB,
    /// In both, with the same answers; counts and bytes may differ.
    Same,
}

impl Standing {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Changed, Self::OnlyA, Self::OnlyB, Self::Same];

    /// The word on screen and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::OnlyA => "only in A",
            Self::OnlyB => "only in B",
            Self::Same => "same",
        }
    }
}

/// One site in the two captures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteChange {
    /// The site, as the findings name it.
    pub site: Box<str>,
    /// All its exchanges; `None` where a capture has none.
    pub total: [Option<Counts>; 2],
    /// Answers by aspect, those of most exchanges first.
    pub answers: BTreeMap<Aspect, Vec<Answer>>,
}

impl SiteChange {
    /// How the site stands.
    pub fn standing(&self) -> Standing {
        match self.total {
            [Some(_), None] => Standing::OnlyA,
            [None, Some(_)] => Standing::OnlyB,
            _ if self.differing().next().is_some() => Standing::Changed,
            _ => Standing::Same,
        }
    }

    /// How the answers of an aspect stand to each other.
    pub fn turn(&self, aspect: Aspect) -> Turn {
        let answers = self.answers.get(&aspect).map_or(&[][..], Vec::as_slice);
        let none = |which: Which| answers.iter().all(|answer| which.of(answer.counts).exchanges == 0);
        match Which::BOTH.map(none) {
            [true, false] => Turn::NotFound(Which::A),
            [false, true] => Turn::NotFound(Which::B),
            [false, false] if answers.iter().any(|answer| answer.only().is_some()) => Turn::Changed,
            [true, true] | [false, false] => Turn::Same,
        }
    }

    /// The aspects whose answers differ, the weightiest first; none where one capture has nothing of the site.
    pub fn differing(&self) -> impl Iterator<Item = (Aspect, Turn)> + '_ {
        let both = self.total.iter().all(Option::is_some);
        let turns = Aspect::ALL.into_iter().map(|aspect| (aspect, self.turn(aspect)));
        turns.filter(move |(_, turn)| both && *turn != Turn::Same)
    }

    /// What can be said of the differences, from counts only.
    pub fn sentences(&self) -> Vec<String> {
        let mut said = Vec::new();
        if let Standing::OnlyA | Standing::OnlyB = self.standing() {
            let (here, there) = if self.total[0].is_some() { ("A", "B") } else { ("B", "A") };
            said.push(format!("{here} alone has exchanges with it; {there} does not show whether it was asked for"));
            return said;
        }
        let totals = self.total.map(|total| total.map_or(0, |total| total.exchanges));
        let mut turned = Vec::new();
        for (aspect, turn) in self.differing() {
            match turn {
                Turn::Same => continue,
                Turn::NotFound(which) => {
                    let (word, letter) = (aspect.word(), which.letter());
                    said.push(format!("no {word} was found in {letter}: that alone is no change of {word}"));
                    continue;
                }
                Turn::Changed => turned.push(aspect),
            }
            // Grades and addresses stand in the lines; of them only what follows is said.
            if matches!(aspect, Aspect::Grade | Aspect::Address) {
                continue;
            }
            for answer in self.answers.get(&aspect).into_iter().flatten() {
                let Some(which) = answer.only() else { continue };
                let n = which.of(answer.counts).exchanges;
                let (here, there) = (which.letter(), which.other().letter());
                let (of_here, of_there) = (which.of(totals), which.other().of(totals));
                let grade = which.of(answer.grade).map_or_else(String::new, |grade| format!(" ({})", grade.word()));
                let name = if aspect == Aspect::Role { answer.name.replace('-', " ") } else { answer.name.clone() };
                let subject = if aspect == Aspect::Operator { name } else { format!("{} {name}", aspect.word()) };
                let exchanges = if of_here == 1 { "exchange" } else { "exchanges" };
                said.push(format!(
                    "{subject}{grade}: {n} of {of_here} {exchanges} in {here}, none of {of_there} in {there}"
                ));
            }
        }
        match turned.as_slice() {
            [Aspect::Grade] => said.push("a change of grade alone is not a change of operator".to_owned()),
            [Aspect::Address] => said.push("other addresses alone are not a change of operator".to_owned()),
            [Aspect::Grade, Aspect::Address] => {
                said.push("other grades and addresses alone are not a change of operator".to_owned());
            }
            _ => {}
        }
        said
    }
}

/// Two captures side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Sites: those whose operator changed first, then others that changed, those that one capture has alone, and the same;
    /// among equals those of most exchanges first.
    pub sites: Vec<SiteChange>,
}

impl Comparison {
    /// Holds two captures side by side; sites are matched by their names. Looks at every row, and may read records: not
    /// while painting.
    pub fn new(snapshots: [&Snapshot; 2]) -> Self {
        let mut sites: BTreeMap<Box<str>, Gathered> = BTreeMap::new();
        for (which, snapshot) in Which::BOTH.into_iter().zip(snapshots) {
            for found in snapshot.findings() {
                sites.entry(found.site.clone()).or_default().take(which, &found);
            }
            let counts =
                |(id, row): &(RowId, &Row)| row.kind != RowKind::Dns && !row.is_open() && !snapshot.is_ignored(*id);
            for (id, row) in snapshot.rows().filter(counts) {
                let Some(site) = snapshot.site(id) else { continue };
                let Some(gathered) = sites.get_mut(site.as_str()) else { continue };
                gathered.name(Aspect::Address, without_port(snapshot.text(row.server)), which);
                if row.tenant != StrId(0) {
                    gathered.name(Aspect::Tenant, snapshot.text(row.tenant), which);
                }
                if row.operator != Row::NONE
                    && let Ok(record) = snapshot.record(id)
                    && !record.verdict.path.is_empty()
                {
                    gathered.name(Aspect::Path, &path(&record.verdict.path), which);
                }
            }
        }
        let mut sites: Vec<SiteChange> = sites.into_iter().map(|(site, gathered)| gathered.finish(site)).collect();
        sites.sort_by_cached_key(|site| {
            let exchanges: u64 = site.total.iter().flatten().map(|total| total.exchanges).sum();
            (
                site.standing(),
                site.turn(Aspect::Operator) != Turn::Changed,
                core::cmp::Reverse(exchanges),
                site.site.clone(),
            )
        });
        Self { sites }
    }

    /// How many sites stand so.
    pub fn count(&self, standing: Standing) -> usize {
        self.sites.iter().filter(|site| site.standing() == standing).count()
    }

    /// How many there are of each standing, in words.
    pub fn words(&self) -> String {
        let counted = Standing::ALL.map(|standing| {
            let n = self.count(standing);
            let sites = if n == 1 { "site" } else { "sites" };
            match standing {
                Standing::Changed => format!("{n} {sites} changed"),
                Standing::OnlyA | Standing::OnlyB => format!("{n} {}", standing.word()),
                Standing::Same => format!("{n} the same"),
            }
        });
        counted.join(", ")
    }
}

/// The hops of a serving path in words: service or provider, and what it is there for.
fn path(hops: &[Hop]) -> String {
    let hop = |hop: &Hop| {
        let service = hop.service.and_then(|id| pack().service(id)).map(|service| service.name);
        let name = service.or_else(|| pack().provider(hop.provider).map(|provider| provider.name));
        format!("{} {}", name.unwrap_or_default(), hop.kind)
    };
    hops.iter().map(hop).collect::<Vec<_>>().join(ARROW)
}

/// A site while it is gathered.
#[derive(Debug, Default)]
struct Gathered {
    total: [Option<Counts>; 2],
    answers: BTreeMap<Aspect, BTreeMap<String, Answer>>,
}

impl Gathered {
    /// Takes what one capture's findings say of the site.
    fn take(&mut self, which: Which, found: &SiteFindings) {
        *which.of_mut(&mut self.total) = Some(found.total);
        for (key, counts) in &found.lines {
            let FindingKey { operator, product, role, grade, .. } = key;
            if let Some(provider) = operator.and_then(|id| pack().provider(id)) {
                let answer = self.answer(Aspect::Operator, provider.name);
                answer.operator = *operator;
                which.of_mut(&mut answer.counts).add(*counts);
                let best = which.of_mut(&mut answer.grade);
                *best = (*best).max(*grade);
            }
            for (aspect, name) in [
                (Aspect::Product, product.and_then(|id| pack().service(id)).map(|service| service.name)),
                (Aspect::Role, *role),
                (Aspect::Grade, grade.map(Grade::word)),
            ] {
                if let Some(name) = name {
                    which.of_mut(&mut self.answer(aspect, name).counts).add(*counts);
                }
            }
        }
    }

    /// Counts an exchange under a name that strangers chose.
    fn name(&mut self, aspect: Aspect, name: &str, which: Which) {
        let known = self.answers.entry(aspect).or_default();
        let name = if known.len() >= NAMES && !known.contains_key(name) { FURTHER } else { name };
        which.of_mut(&mut self.answer(aspect, name).counts).exchanges += 1;
    }

    fn answer(&mut self, aspect: Aspect, name: &str) -> &mut Answer {
        self.answers.entry(aspect).or_default().entry(name.to_owned()).or_insert_with(|| Answer {
            name: name.to_owned(),
            operator: None,
            counts: [Counts::default(); 2],
            grade: [None; 2],
        })
    }

    fn finish(mut self, site: Box<str>) -> SiteChange {
        // Where one machine answers alone everywhere, its product says the same.
        if self.answers.get(&Aspect::Path).is_some_and(|paths| paths.keys().all(|path| !path.contains(ARROW))) {
            self.answers.remove(&Aspect::Path);
        }
        let answers = self.answers.into_iter().map(|(aspect, answers)| {
            let mut answers: Vec<Answer> = answers.into_values().collect();
            answers.sort_by_key(|answer| core::cmp::Reverse(answer.counts.iter().map(|c| c.exchanges).sum::<u64>()));
            (aspect, answers)
        });
        SiteChange { site, total: self.total, answers: answers.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Aspect, Counts, Gathered, SiteChange, Standing, Turn, Which, path};
    use crate::evidence::pack;
    use crate::model::{Grade, Hop, ProviderId};

    /// Answers of an aspect: name, exchanges in A and in B.
    type Answers<'a> = (Aspect, &'a [(&'a str, u64, u64)]);

    /// A site of which each aspect has these answers: name, exchanges in A and in B.
    fn site(answers: &[Answers<'_>]) -> SiteChange {
        let counts = |exchanges| Counts { exchanges, ..Counts::default() };
        let mut site = SiteChange { total: [Some(counts(4)), Some(counts(3))], ..SiteChange::default() };
        for (aspect, of) in answers {
            let of = of.iter().map(|(name, a, b)| Answer {
                name: (*name).to_owned(),
                operator: None,
                counts: [counts(*a), counts(*b)],
                grade: [(*a > 0).then_some(Grade::Supports), (*b > 0).then_some(Grade::NameOnly)],
            });
            site.answers.insert(*aspect, of.collect());
        }
        site
    }

    #[track_caller]
    fn check(answers: &[Answers<'_>], standing: Standing, sentences: &[&str]) {
        let site = site(answers);
        assert_eq!(site.standing(), standing);
        assert_eq!(site.sentences(), sentences);
    }

    #[test]
    fn an_operator_that_is_on_one_side_only_is_a_change() {
        check(
            &[(Aspect::Operator, &[("Azure", 4, 0), ("Amazon", 0, 1)])],
            Standing::Changed,
            &[
                "Azure (supports): 4 of 4 exchanges in A, none of 3 in B",
                "Amazon (name only): 1 of 3 exchanges in B, none of 4 in A",
            ],
        );
        check(&[(Aspect::Operator, &[("Azure", 4, 3)])], Standing::Same, &[]);
    }

    #[test]
    fn not_found_is_not_changed() {
        check(
            &[(Aspect::Operator, &[("Azure", 4, 0)])],
            Standing::Changed,
            &["no operator was found in B: that alone is no change of operator"],
        );
    }

    #[test]
    fn grades_and_addresses_alone_are_no_change_of_operator() {
        let same: (Aspect, &[(&str, u64, u64)]) = (Aspect::Operator, &[("Azure", 4, 3)]);
        check(
            &[same, (Aspect::Grade, &[("supports", 4, 0), ("suggests", 0, 3)])],
            Standing::Changed,
            &["a change of grade alone is not a change of operator"],
        );
        check(
            &[same, (Aspect::Address, &[("192.0.2.1", 4, 1), ("192.0.2.2", 0, 2)])],
            Standing::Changed,
            &["other addresses alone are not a change of operator"],
        );
    }

    #[test]
    fn paths_are_told_where_one_leads_over_an_edge() {
        let mut alone = Gathered::default();
        alone.name(Aspect::Path, "S3 server", Which::A);
        assert!(!alone.finish("a.example".into()).answers.contains_key(&Aspect::Path));
        let total = [Some(Counts { exchanges: 1, ..Counts::default() }); 2];
        let mut both = Gathered { total, ..Gathered::default() };
        both.name(Aspect::Path, "S3 server", Which::A);
        let hops = [("edge", None), ("origin", None)];
        let hops = hops.map(|(kind, service)| Hop { kind, provider: ProviderId(0), service, lines: Vec::new() });
        both.name(Aspect::Path, &path(&hops), Which::B);
        let site = both.finish("a.example".into());
        assert_eq!(site.turn(Aspect::Path), Turn::Changed);
        let operator = pack().provider(ProviderId(0)).unwrap().name;
        assert_eq!(
            site.sentences(),
            [
                format!("path {operator} edge → {operator} origin: 1 of 1 exchange in B, none of 1 in A"),
                "path S3 server: 1 of 1 exchange in A, none of 1 in B".to_owned(),
            ]
        );
    }

    #[test]
    fn a_site_of_one_capture_says_nothing_of_the_other() {
        let mut site = site(&[(Aspect::Operator, &[("Azure", 4, 0)])]);
        site.total[1] = None;
        assert_eq!(site.standing(), Standing::OnlyA);
        assert_eq!(site.sentences(), ["A alone has exchanges with it; B does not show whether it was asked for"]);
    }
}
