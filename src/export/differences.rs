//! Two captures side by side, in words and as JSON: what changed of whom, with the files that it is read from.
//!
//! Comes in: two snapshots that were read to their ends. Goes out: text. Never: a cause.

use std::collections::BTreeSet;
use std::io::Write;

use serde::Serialize;

use super::ExportError;
use super::json::write_line;
use crate::evidence::{UNDATED, pack, vintage};
use crate::model::{Grade, Timestamp, bytes_short, clean_to, hex};
use crate::store::{Answer, Aspect, Comparison, Counts, SiteChange, Snapshot, Standing, Which};

/// The name of the JSON form; it changes when a field is renamed or its meaning changes.
const SCHEMA: &str = "nephoscope-compare/1";
/// Characters of a name.
const NAME_CHARS: usize = 120;
/// Servers whose verdicts are asked for the age of the address lists.
const SERVERS: usize = 2_000;
/// Days between two captures from which on it is said how far they lie apart.
const FAR_DAYS: i64 = 30;
const DAY_NANOS: i64 = 86_400_000_000_000;

/// What stands over a side of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureCaption {
    /// The file's name, ready for display.
    pub name: String,
    /// SHA-256 of the file as hexadecimal digits; empty where it has none.
    pub sha256: String,
    /// The earliest and the latest frame.
    pub times: Option<(Timestamp, Timestamp)>,
    /// How many exchanges and lookups it has.
    pub rows: u64,
    /// How many of them the user ignores: they are not counted.
    pub ignored: u64,
    /// What it lacks, and what makes its verdicts weaker than others.
    pub warnings: Vec<String>,
}

impl CaptureCaption {
    /// Of a capture that was read. Reads records: not while painting.
    pub fn new(snapshot: &Snapshot) -> Self {
        let facts = snapshot.facts();
        let capture = &facts.capture;
        let mut warnings = facts.losses();
        if !capture.skipped.is_empty() || capture.cut_tail_bytes > 0 {
            let bytes: u64 = capture.skipped.iter().map(|skipped| skipped.len).sum();
            let bytes = bytes.saturating_add(capture.cut_tail_bytes);
            warnings.push(format!("the file is damaged or cut: {bytes} bytes of it were not read"));
        }
        warnings.extend(old_lists(snapshot));
        Self {
            name: clean_to(capture.name.as_bytes(), NAME_CHARS).into_owned(),
            sha256: facts.sha256.map(|digest| hex(&digest)).unwrap_or_default(),
            times: capture.first_time.zip(capture.last_time),
            rows: snapshot.kept() as u64,
            ignored: snapshot.ignored() as u64,
            warnings,
        }
    }

    /// That rows are ignored, in words; `None` where none is.
    pub fn left_out(&self) -> Option<String> {
        (self.ignored > 0)
            .then(|| format!("{} ignored by the user, in the case beside the capture: not counted here", self.ignored))
    }

    /// When it was captured, in words; empty where no frame says.
    pub fn span(&self) -> String {
        self.times.map_or_else(String::new, |(first, last)| {
            let day = if first.date() == last.date() { String::new() } else { format!("{} ", last.date()) };
            format!("{} {} to {day}{} UTC", first.date(), first.time_of_day(0), last.time_of_day(0))
        })
    }
}

/// Whether verdicts lean on address lists of other years than the capture.
fn old_lists(snapshot: &Snapshot) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut lists = BTreeSet::new();
    let mut far = false;
    for (id, row) in snapshot.rows().filter(|(_, row)| row.operator().is_some()) {
        if !seen.insert(row.server) {
            continue;
        }
        if seen.len() > SERVERS {
            break;
        }
        let Ok(record) = snapshot.record(id) else { continue };
        if record.verdict.cannot_show.contains(&UNDATED) {
            far = true;
            lists.extend(vintage(&record.exchange, &record.ledger).map(|(month, _)| month));
        }
    }
    far.then(|| {
        let months: Vec<String> = lists.into_iter().collect();
        let of = if months.is_empty() { String::new() } else { format!(" (lists of {})", months.join(", ")) };
        format!(
            "the address lists are of other years than this capture{of}; whose range an address was then is not certain"
        )
    })
}

/// Two captures side by side, with what stands over them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The files.
    pub captions: [CaptureCaption; 2],
    /// What differs.
    pub comparison: Comparison,
}

impl Compared {
    /// Holds two captures side by side. Looks at every row: not while painting.
    pub fn new(snapshots: [&Snapshot; 2]) -> Self {
        Self { captions: snapshots.map(CaptureCaption::new), comparison: Comparison::new(snapshots) }
    }

    /// What is to be known of both together: how far they lie apart, and whether they are one and the same.
    pub fn warnings(&self) -> Vec<String> {
        let mut said = Vec::new();
        let [a, b] = &self.captions;
        if !a.sha256.is_empty() && a.sha256 == b.sha256 {
            said.push("both files have the same bytes".to_owned());
        }
        if let (Some((a, _)), Some((b, _))) = (a.times, b.times) {
            let days = (b.nanos_since(a) / DAY_NANOS).abs();
            if days >= FAR_DAYS {
                said.push(format!(
                    "the captures lie {days} days apart: names, addresses and what signatures know of them may have moved meanwhile"
                ));
            }
        }
        said
    }

    fn chosen(&self, word: &str) -> impl Iterator<Item = &SiteChange> {
        let word = word.to_ascii_lowercase();
        self.comparison.sites.iter().filter(move |site| site.site.contains(&word))
    }
}

/// `14 exchanges, 1.2 K sent, 33 K received`.
fn totals(counts: Counts) -> String {
    let exchanges = if counts.exchanges == 1 { "exchange" } else { "exchanges" };
    let (sent, received) = (bytes_short(counts.sent_bytes), bytes_short(counts.received_bytes));
    format!("{} {exchanges}, {sent} sent, {received} received", counts.exchanges)
}

/// Writes both captions, what can be said, and each site with its answers on both sides. Only sites that hold `word`.
pub fn write_comparison(compared: &Compared, word: &str, out: &mut dyn Write) -> Result<(), ExportError> {
    for (which, caption) in Which::BOTH.into_iter().zip(&compared.captions) {
        writeln!(out, "{}  {}  {}, {} rows", which.letter(), caption.name, caption.span(), caption.rows)?;
        if !caption.sha256.is_empty() {
            writeln!(out, "   SHA-256 {}", caption.sha256)?;
        }
        for warning in caption.warnings.iter().chain(&caption.left_out()) {
            writeln!(out, "   {warning}")?;
        }
    }
    for warning in compared.warnings() {
        writeln!(out, "{warning}")?;
    }
    writeln!(out, "{}", compared.comparison.words())?;
    for site in compared.chosen(word) {
        writeln!(out)?;
        let differing: Vec<&str> = site.differing().map(|(aspect, _)| aspect.word()).collect();
        let what = if differing.is_empty() { String::new() } else { format!(": {}", differing.join(", ")) };
        writeln!(out, "{}  {}{what}", clean_to(site.site.as_bytes(), 255), site.standing().word())?;
        for (which, total) in Which::BOTH.into_iter().zip(site.total) {
            if let Some(total) = total {
                writeln!(out, "  {}  {}", which.letter(), totals(total))?;
            }
        }
        for sentence in site.sentences() {
            writeln!(out, "  {sentence}")?;
        }
        for (aspect, answers) in &site.answers {
            for (i, answer) in answers.iter().enumerate() {
                let name = clean_to(answer.name.as_bytes(), NAME_CHARS);
                let label = if i == 0 { aspect.word() } else { "" };
                let sides = Which::BOTH.map(|which| side(*aspect, answer, which));
                let line = format!("    {label:<8}  A {:<34}  B {:<34}  {name}", sides[0], sides[1]);
                writeln!(out, "{}", line.trim_end())?;
            }
        }
    }
    Ok(())
}

/// What one capture has of an answer.
fn side(aspect: Aspect, answer: &Answer, which: Which) -> String {
    let counts = which.of(answer.counts);
    if counts.exchanges == 0 {
        return "·".to_owned();
    }
    let grade = which.of(answer.grade).map_or_else(String::new, |grade| format!("  {}", grade.word()));
    if !aspect.has_bytes() {
        return counts.exchanges.to_string();
    }
    let (sent, received) = (bytes_short(counts.sent_bytes), bytes_short(counts.received_bytes));
    format!("{} ({sent} / {received}){grade}", counts.exchanges)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    signatures: &'static str,
    files: [FileEntry<'a>; 2],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    counts: StandingCounts,
    sites: Vec<SiteEntry<'a>>,
}

#[derive(Serialize)]
struct FileEntry<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sha256: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_time: Option<String>,
    rows: u64,
    /// Rows that the user ignores: they are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct StandingCounts {
    changed: usize,
    only_a: usize,
    only_b: usize,
    same: usize,
}

#[derive(Serialize)]
struct SiteEntry<'a> {
    site: &'a str,
    standing: &'static str,
    differs: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<CountsEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<CountsEntry>,
    sentences: Vec<String>,
    answers: Vec<AnswerEntry<'a>>,
}

#[derive(Serialize)]
struct AnswerEntry<'a> {
    aspect: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<CountsEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<CountsEntry>,
}

#[derive(Serialize)]
struct CountsEntry {
    exchanges: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    best_grade: Option<&'static str>,
}

impl CountsEntry {
    fn of(counts: Counts, grade: Option<Grade>) -> Self {
        Self {
            exchanges: counts.exchanges,
            sent_bytes: Some(counts.sent_bytes),
            received_bytes: Some(counts.received_bytes),
            best_grade: grade.map(Grade::word),
        }
    }
}

/// Writes one JSON document.
pub fn write_comparison_json(compared: &Compared, word: &str, out: &mut dyn Write) -> Result<(), ExportError> {
    let [a, b] = &compared.captions;
    let count = |standing| compared.comparison.count(standing);
    let document = Document {
        schema: SCHEMA,
        signatures: pack().version,
        files: [a, b].map(|caption| FileEntry {
            name: &caption.name,
            sha256: &caption.sha256,
            first_time: caption.times.map(|(first, _)| first.rfc3339()),
            last_time: caption.times.map(|(_, last)| last.rfc3339()),
            rows: caption.rows,
            ignored: Some(caption.ignored).filter(|ignored| *ignored > 0),
            warnings: &caption.warnings,
        }),
        warnings: compared.warnings(),
        counts: StandingCounts {
            changed: count(Standing::Changed),
            only_a: count(Standing::OnlyA),
            only_b: count(Standing::OnlyB),
            same: count(Standing::Same),
        },
        sites: compared.chosen(word).map(site_entry).collect(),
    };
    write_line(&mut Vec::new(), &document, out)
}

fn site_entry(site: &SiteChange) -> SiteEntry<'_> {
    let [a, b] = site.total.map(|total| total.map(|counts| CountsEntry::of(counts, None)));
    let answers = site.answers.iter().flat_map(|(aspect, answers)| answers.iter().map(move |answer| (*aspect, answer)));
    SiteEntry {
        site: &site.site,
        standing: site.standing().word(),
        differs: site.differing().map(|(aspect, _)| aspect.word()).collect(),
        a,
        b,
        sentences: site.sentences(),
        answers: answers
            .map(|(aspect, answer)| {
                let [a, b] = Which::BOTH.map(|which| answer_entry(aspect, answer, which));
                AnswerEntry { aspect: aspect.word(), name: &answer.name, a, b }
            })
            .collect(),
    }
}

fn answer_entry(aspect: Aspect, answer: &Answer, which: Which) -> Option<CountsEntry> {
    let counts = which.of(answer.counts);
    let entry = (counts.exchanges > 0).then(|| CountsEntry::of(counts, which.of(answer.grade)))?;
    // Rows, by which these are counted, have no bytes of both directions.
    if aspect.has_bytes() {
        return Some(entry);
    }
    Some(CountsEntry { sent_bytes: None, received_bytes: None, ..entry })
}
