//! What could be written at the cursor: keys, and values that the rows have, with how many rows have them.

use core::ops::Range;

use ahash::AHashMap;

use super::Filter;
use super::keys::{self, KEYS, Key, Kind, Proto, State};
use super::tree;
use super::values;
use crate::evidence::{Kind as Rule, pack};
use crate::model::WitnessKind;
use crate::store::findings::{SiteFindings, without_port};
use crate::store::query::RowSet;
use crate::store::{Row, RowKind, Snapshot, StrId, StrId16};

/// Suggestions given at once.
const MOST: usize = 12;
/// Characters of a value that is offered: longer ones are seldom what somebody wants to read.
const VALUE_CHARS: usize = 120;

/// Header lines that are asked for most.
const HEADERS: [&str; 12] = [
    "server",
    "content-type",
    "content-length",
    "user-agent",
    "etag",
    "via",
    "x-cache",
    "location",
    "set-cookie",
    "cookie",
    "cache-control",
    "authorization",
];

/// What could stand in place of a part of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// What would be replaced, in bytes.
    pub span: Range<usize>,
    /// The best first.
    pub suggestions: Vec<Suggestion>,
}

/// One that could be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What is written.
    pub text: String,
    /// What it is.
    pub about: String,
    /// How many rows have it.
    pub count: Option<u32>,
}

/// What could be written at `cursor`, a place in bytes. Looks at every row: not while painting.
pub fn complete(text: &str, cursor: usize, snapshot: &Snapshot) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    let start = token(before);
    let word = before.get(start..).unwrap_or_default();
    let signs = word.len() - word.trim_start_matches(['-', '!']).len();
    let (start, word) = (start + signs, word.get(signs..).unwrap_or_default());
    let name = word.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).next().unwrap_or("");
    let behind = word.get(name.len()..).unwrap_or_default();
    let key = Key::named(name).or_else(|| keys::field_named(name).map(|f| f.key));
    let op = ["==", "!=", ">=", "<=", ":", "=", ">", "<"].iter().find(|op| behind.starts_with(**op));
    if let (Some(key), Some(op)) = (key, op) {
        let at = name.len() + op.len();
        let typed = word.get(at..).unwrap_or_default().trim_start_matches('"').to_lowercase();
        return Completion { span: start + at..before.len(), suggestions: values(key, &typed, snapshot) };
    }
    if !behind.is_empty() {
        return Completion::default();
    }
    Completion { span: start..before.len(), suggestions: names(&name.to_lowercase()) }
}

/// Where the word at the end of a text begins; spaces in quotes are part of it.
fn token(text: &str) -> usize {
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | ')' if !quoted => start = at + 1,
            c if c.is_whitespace() && !quoted => start = at + c.len_utf8(),
            _ => {}
        }
    }
    start
}

/// Keys that begin so, then those that hold it somewhere.
fn names(typed: &str) -> Vec<Suggestion> {
    let of = |entry: &keys::Entry| Suggestion {
        text: format!("{}:", entry.word),
        about: entry.about.to_owned(),
        count: None,
    };
    let begins = KEYS.iter().filter(|e| e.word.starts_with(typed));
    let also = KEYS.iter().filter(|e| !e.word.starts_with(typed) && e.aliases.iter().any(|a| a.starts_with(typed)));
    let known = begins.chain(also).map(of);
    // What is written in full already needs no help.
    let protos = Proto::ALL.into_iter().filter(|p| typed.len() > 1 && p.word().starts_with(typed) && p.word() != typed);
    let protos =
        protos.map(|p| Suggestion { text: p.word().to_owned(), about: format!("{} rows", p.name()), count: None });
    known.chain(protos).take(MOST).collect()
}

fn values(key: Key, typed: &str, snapshot: &Snapshot) -> Vec<Suggestion> {
    let fixed = |words: Vec<&str>| {
        let fits = words.into_iter().filter(|word| word.starts_with(typed));
        let suggested = |word: &str| {
            // Of these two only the records tell.
            let test = (!matches!(word, "tcp" | "udp")).then(|| Filter::parse(&format!("{}:{word}", key.word())).ok());
            let rows = test.flatten().map(|filter| RowSet::new(snapshot, &filter).len());
            let count = rows.and_then(|rows| u32::try_from(rows).ok());
            Suggestion { text: word.to_owned(), about: String::new(), count }
        };
        fits.map(suggested).collect()
    };
    match key.kind() {
        Kind::Proto => fixed(Proto::ALL.map(Proto::word).to_vec()),
        Kind::State => fixed(State::ALL.map(State::word).to_vec()),
        Kind::YesNo if key == Key::Conflict => {
            fixed(["yes", "no"].into_iter().chain(WitnessKind::ALL.map(keys::witness_word)).collect())
        }
        Kind::YesNo => fixed(vec!["yes", "no"]),
        Kind::Number if key == Key::Conversation => {
            let mut all: Vec<Suggestion> = fixed(vec!["yes", "no"]);
            all.extend(seen(key, typed, snapshot));
            all
        }
        Kind::Text if key == Key::Site => sites(typed, snapshot),
        Kind::Text | Kind::Number | Kind::Grade | Kind::Address => seen(key, typed, snapshot),
        Kind::Header(_) => header_names(typed),
        Kind::Size | Kind::Duration | Kind::Time => Vec::new(),
    }
}

/// Names of header lines: those that every server has, then those that the signatures know. Which ones the rows have only
/// their records tell, and reading all of them takes too long for typing.
fn header_names(typed: &str) -> Vec<Suggestion> {
    let rules = pack().signatures.iter();
    let rules = rules.filter(|rule| matches!(rule.kind, Rule::HeaderName | Rule::RequestHeaderName));
    let mut known: Vec<String> = rules.flat_map(|rule| rule.patterns).map(|name| name.to_lowercase()).collect();
    known.sort_unstable();
    known.dedup();
    known.retain(|name| !HEADERS.contains(&name.as_str()));
    let all = HEADERS.into_iter().map(str::to_owned).chain(known);
    let fits = all.filter(|name| name.starts_with(typed)).take(MOST);
    fits.map(|text| Suggestion { text, about: String::new(), count: None }).collect()
}

/// Sites, as the findings count them.
fn sites(typed: &str, snapshot: &Snapshot) -> Vec<Suggestion> {
    let found = snapshot.findings();
    let fits = found.iter().filter(|found| found.site.contains(typed) && found.site.len() <= VALUE_CHARS).take(MOST);
    let suggested = |found: &SiteFindings| Suggestion {
        text: tree::value(&found.site),
        about: String::new(),
        count: u32::try_from(found.total.exchanges).ok(),
    };
    fits.map(suggested).collect()
}

/// Values that rows have, those of most rows first.
fn seen(key: Key, typed: &str, snapshot: &Snapshot) -> Vec<Suggestion> {
    let mut counts: AHashMap<u32, u32> = AHashMap::new();
    for (id, row) in snapshot.rows() {
        let value = match key {
            Key::Host => row.host.0,
            Key::Path => row.path.0,
            Key::Ip | Key::Port => row.server.0,
            Key::Rcode if row.kind == RowKind::Dns && !row.has(Row::INCOMPLETE) => u32::from(row.status) + 1,
            Key::Tenant => row.tenant.0,
            Key::Sni if row.kind == RowKind::Tls => row.host.0,
            Key::Method => u32::from(row.method.0),
            Key::Type => u32::from(row.content_type.0),
            Key::Status if row.kind == RowKind::Http => u32::from(row.status),
            Key::Operator if row.operator != Row::NONE => u32::from(row.operator) + 1,
            Key::Product if row.product != Row::NONE => u32::from(row.product) + 1,
            Key::Role if row.role != u8::MAX => u32::from(row.role) + 1,
            Key::Grade => row.grade().map_or(0, |grade| grade as u32 + 1),
            Key::Process => snapshot.program_id(id).0,
            Key::File => snapshot.file_no(id).map_or(0, |file| file.saturating_add(1)),
            Key::Conversation => snapshot.colour(id).map_or(0, |colour| u32::from(colour.number())),
            _ => 0,
        };
        if value != 0 {
            *counts.entry(value).or_default() += 1;
        }
    }
    if key == Key::Action {
        counts = (1..=snapshot.actions().len()).map(|n| (u32::try_from(n).unwrap_or(u32::MAX), 0)).collect();
    }
    let of = |value: u32| -> (String, &str) {
        let text = |text: &str| text.to_owned();
        let before = value.saturating_sub(1) as usize;
        match key {
            Key::Method | Key::Type => (text(snapshot.word(StrId16(u16::try_from(value).unwrap_or(0)))), ""),
            Key::Status | Key::Action | Key::Conversation => (value.to_string(), ""),
            Key::Rcode => (before.to_string(), ""),
            Key::Ip => (text(without_port(snapshot.text(StrId(value)))), "of the server"),
            Key::Port => {
                let port = snapshot.text(StrId(value)).rsplit_once(':').map_or("", |(_, port)| port);
                (text(port), "of the server")
            }
            Key::File => {
                let file = snapshot.facts().capture.merged.files.get(before);
                (file.map_or_else(String::new, |file| text(&file.name)), "")
            }
            Key::Operator => pack().providers.get(before).map_or((String::new(), ""), |p| (text(p.id), p.name)),
            Key::Product => pack().services.get(before).map_or((String::new(), ""), |s| (text(s.id), s.name)),
            Key::Role => (pack().roles.get(before).map_or_else(String::new, |role| text(role)), ""),
            Key::Grade => (values::GRADES.get(before).map_or_else(String::new, |g| text(values::grade_word(*g))), ""),
            _ => (text(snapshot.text(StrId(value))), ""),
        }
    };
    // Several may read alike: servers of one address.
    let mut texts: AHashMap<(String, &str), u32> = AHashMap::new();
    for (value, count) in counts {
        *texts.entry(of(value)).or_default() += count;
    }
    if key == Key::Comment {
        for (_, note) in snapshot.notes().iter() {
            *texts.entry((note.comment.clone(), "")).or_default() += 1;
        }
    }
    let mut found: Vec<(u32, String, &str)> = texts
        .into_iter()
        .filter(|((text, about), _)| {
            let fits = text.to_lowercase().contains(typed) || about.to_lowercase().contains(typed);
            !text.is_empty() && !text.ends_with('…') && fits && text.chars().count() <= VALUE_CHARS
        })
        .map(|((text, about), count)| (count, text, about))
        .collect();
    found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    found.truncate(MOST);
    found
        .into_iter()
        .map(|(count, text, about)| Suggestion {
            text: tree::value(&text),
            about: about.to_owned(),
            count: (count > 0).then_some(count),
        })
        .collect()
}
