//! `signatures list`, `signatures lint` and `signatures test`.
//!
//! Comes in: the pack of this process, signature files, captures. Goes out: text or JSON. Never: a change to a file. All
//! words out of files are made harmless before a terminal sees them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::args::{LintSignatures, ListSignatures, SignatureFormat, SignaturesTask, TestSignatures, source};
use super::{NOTHING_READ, READ_DAMAGED, READ_WHOLE, list, packs, say};
use crate::engine::How;
use crate::evidence::{AddedFile, PackText, Signature, Trials, install, lint, lint_built_in, pack};
use crate::export::Listing;
use crate::model::{Budget, clean, clean_to, is_hidden};

/// Characters of a rule's text in one column, and of a quoted line.
const COLUMN: usize = 48;
const QUOTE: usize = 160;
/// Exchanges that are shown of each rule.
const SHOWN: usize = 3;

/// Does one of the three; gives the exit code.
pub(super) fn run(task: &SignaturesTask, budget: &Budget) -> Result<u8> {
    let mut text = String::new();
    let code = match task {
        SignaturesTask::List(arguments) => list_all(arguments, &mut text),
        SignaturesTask::Lint(arguments) => check(arguments, &mut text),
        SignaturesTask::Test(arguments) => test(arguments, budget, &mut text)?,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // `| head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(code),
        written => Ok(written.map(|()| code)?),
    }
}

/// A rule as `list` prints it.
#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    kind: &'a str,
    provider: &'a str,
    product: &'a str,
    role: &'a str,
    field: &'a str,
    patterns: &'a [&'a str],
    strength: u8,
    group: &'a str,
    forgeable_by: &'a str,
    era_from: Option<String>,
    era_to: Option<String>,
    basis: &'a str,
    sources: &'a [&'a str],
    from: &'a str,
    on: bool,
}

impl<'a> Rule<'a> {
    fn of(number: u16, s: &'a Signature) -> Self {
        let pack = pack();
        Rule {
            id: s.id,
            kind: s.kind.word(),
            provider: pack.provider(s.provider).map_or("", |p| p.id),
            product: pack.service(s.service).map_or("", |v| v.id),
            role: s.role,
            field: s.field,
            patterns: s.patterns,
            strength: s.strength,
            group: s.group.words(),
            forgeable_by: s.forgeable_by,
            era_from: month(s.from_month),
            era_to: month(s.to_month),
            basis: s.basis,
            sources: s.sources,
            from: pack.file_of(number).map_or("built-in", |f| f.name),
            on: pack.is_on(number),
        }
    }

    fn holds(&self, word: &str) -> bool {
        let words = [self.id, self.kind, self.provider, self.product, self.role, self.field, self.from];
        words.iter().chain(self.patterns).any(|w| w.to_lowercase().contains(word))
    }

    fn era(&self) -> String {
        match (&self.era_from, &self.era_to) {
            (None, None) => String::new(),
            (from, to) => format!("{}..{}", from.as_deref().unwrap_or_default(), to.as_deref().unwrap_or_default()),
        }
    }
}

/// `2011-06` of a month's number; `None` at the open ends.
fn month(number: u32) -> Option<String> {
    (1..u32::MAX).contains(&number).then(|| format!("{:04}-{:02}", number / 12, number % 12 + 1))
}

fn list_all(arguments: &ListSignatures, out: &mut String) -> u8 {
    let word = arguments.word.to_lowercase();
    let rules = (0_u16..).zip(pack().signatures).map(|(number, s)| Rule::of(number, s));
    let rules: Vec<Rule<'_>> = rules.filter(|r| r.holds(&word)).collect();
    match arguments.format {
        SignatureFormat::Table => table(&rules, out),
        SignatureFormat::Json => json(&rules, out),
    }
    let off = rules.iter().filter(|r| !r.on).count();
    say(&format!(
        "{} of {} rules, {off} of them switched off; {}",
        rules.len(),
        pack().signatures.len(),
        pack().version
    ));
    READ_WHOLE
}

fn table(rules: &[Rule<'_>], out: &mut String) {
    let heads =
        ["Id", "Kind", "Provider/product", "Role", "Strength", "Group", "Era", "From", "On", "Forgeable by", "Source"];
    let mut lines: Vec<[Cow<'_, str>; 11]> = vec![heads.map(Cow::Borrowed)];
    for r in rules {
        let era = r.era();
        let who = format!("{}/{}", r.provider, r.product);
        let texts = [
            r.id,
            r.kind,
            who.as_str(),
            r.role,
            &r.strength.to_string(),
            r.group,
            era.as_str(),
            r.from,
            if r.on { "on" } else { "off" },
            r.forgeable_by,
            r.sources.first().copied().unwrap_or_default(),
        ];
        lines.push(texts.map(|text| Cow::Owned(clean_to(text.as_bytes(), COLUMN).into_owned())));
    }
    let widths: Vec<usize> = (0..heads.len())
        .map(|at| lines.iter().filter_map(|l| l.get(at)).map(|t| t.chars().count()).max().unwrap_or(0))
        .collect();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(core::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
}

/// One array, an object a line. What would be invisible is written as escapes, which every reader turns back.
fn json(rules: &[Rule<'_>], out: &mut String) {
    out.push('[');
    for (at, rule) in rules.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        // Strings and numbers always have a form in JSON.
        let object = serde_json::to_string(rule).unwrap_or_default();
        for c in object.chars() {
            if is_hidden(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _never = write!(out, "\\u{unit:04x}");
                }
            } else {
                out.push(c);
            }
        }
    }
    out.push_str("\n]\n");
}

fn check(arguments: &LintSignatures, out: &mut String) -> u8 {
    let mut code = READ_WHOLE;
    let mut lines = Vec::new();
    let texts = if arguments.files.is_empty() {
        lines.extend(lint_built_in());
        let (texts, unread) = packs::read_folder();
        for message in unread {
            say(&message);
            code = NOTHING_READ;
        }
        texts
    } else {
        let mut texts = Vec::new();
        for path in &arguments.files {
            match text_of(path) {
                Ok(text) => texts.push(text),
                Err(error) => {
                    say(&format!("{error:#}"));
                    code = NOTHING_READ;
                }
            }
        }
        texts
    };
    lines.extend(lint(&texts));
    for line in &lines {
        let weight = if line.refused { "refused" } else { "warning" };
        let _never = writeln!(out, "{weight}: {}", line.text());
    }
    let refused = lines.iter().filter(|l| l.refused).count();
    let built_in = if arguments.files.is_empty() { "the built-in pack and " } else { "" };
    say(&format!("checked {built_in}{} files: {refused} refused, {} warnings", texts.len(), lines.len() - refused));
    if refused > 0 { code.max(READ_DAMAGED) } else { code }
}

fn text_of(path: &Path) -> Result<PackText> {
    let name = clean(path.as_os_str().as_encoded_bytes()).into_owned();
    Ok(PackText { name, text: packs::read(path)? })
}

fn test(arguments: &TestSignatures, budget: &Budget, out: &mut String) -> Result<u8> {
    let file = text_of(&arguments.pack)?;
    let refused: Vec<_> = lint(core::slice::from_ref(&file)).into_iter().filter(|l| l.refused).collect();
    for line in &refused {
        let _never = writeln!(out, "refused: {}", line.text());
    }
    if !refused.is_empty() {
        return Ok(READ_DAMAGED);
    }
    install(core::slice::from_ref(&file));
    let Some(added) = pack().files.first() else { return Ok(NOTHING_READ) };
    if arguments.captures.is_empty() {
        return Ok(try_cases(added, out));
    }
    let mut counts: Vec<Count> = vec![Count::default(); usize::from(added.rules)];
    let mut code = READ_WHOLE;
    for path in &arguments.captures {
        let name = clean(path.as_os_str().as_encoded_bytes()).into_owned();
        code = code.max(try_capture(path, &name, added, &mut counts, budget)?);
    }
    for (count, (_, s)) in counts.iter().zip(rules_of(added)) {
        let _never = writeln!(out, "{}: {} exchanges", clean(s.id.as_bytes()), count.exchanges);
        for line in &count.first {
            let _never = writeln!(out, "    {line}");
        }
    }
    let nothing: Vec<Cow<'_, str>> = counts
        .iter()
        .zip(rules_of(added))
        .filter(|(c, _)| c.exchanges == 0)
        .map(|(_, (_, s))| clean(s.id.as_bytes()))
        .collect();
    if !nothing.is_empty() {
        say(&format!("matched nothing: {}", nothing.join(", ")));
    }
    Ok(code)
}

fn rules_of(added: &AddedFile) -> impl Iterator<Item = (u16, &'static Signature)> {
    let (first, rules) = (added.first, added.rules);
    (0_u16..).zip(pack().signatures).skip(usize::from(first)).take(usize::from(rules))
}

/// What a rule matched.
#[derive(Clone, Default)]
struct Count {
    exchanges: u32,
    first: Vec<String>,
}

fn try_capture(path: &Path, name: &str, added: &AddedFile, counts: &mut [Count], budget: &Budget) -> Result<u8> {
    let (snapshot, code) = list::read(&source(path.to_path_buf()), How::judged(1), budget)?;
    for (number, id) in Listing::all(&snapshot).rows() {
        let record = snapshot.record(id)?;
        let mut last = None;
        let mut ours: Vec<_> = record.ledger.iter().filter(|e| e.signature >= added.first).collect();
        ours.sort_by_key(|e| e.signature);
        for entry in ours {
            let Some(count) = counts.get_mut(usize::from(entry.signature - added.first)) else { continue };
            if last.replace(entry.signature) == Some(entry.signature) {
                continue;
            }
            count.exchanges += 1;
            if count.first.len() < SHOWN {
                let frame = entry.place.frames.first().copied().unwrap_or(record.exchange.first_frame);
                let quote = clean_to(&entry.text, QUOTE);
                count.first.push(format!("{name} #{number}, frame {frame}: {quote}"));
            }
        }
    }
    Ok(code)
}

fn try_cases(added: &AddedFile, out: &mut String) -> u8 {
    let mut trials = Trials::default();
    let mut code = READ_WHOLE;
    for (number, s) in rules_of(added) {
        let trial = trials.of(number);
        let why = trial.left_out.map(|why| format!("; not tried: {why}")).unwrap_or_default();
        let (id, wrong) = (clean(s.id.as_bytes()), trial.failures.len());
        let _never = writeln!(out, "{id}: {} matched, {} let go, {wrong} wrong{why}", trial.matched, trial.let_go);
        for failure in &trial.failures {
            code = READ_DAMAGED;
            let _never = writeln!(out, "    {}", clean_to(failure.as_bytes(), QUOTE));
        }
    }
    code
}
