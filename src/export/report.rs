//! What came of checking a claim, line by line, and as text.
//!
//! Comes in: the outcomes of [`super::verify`]. Goes out: counts, one sentence over all, plain text. Never: words of a
//! file that did not pass `model::clean`.

use std::io::{self, Write};

use serde::Serialize;

use super::claim::Claim;
use super::proof::NOT_SHOWN;
use crate::model::{clean, clean_to};

/// Characters of one value that the text quotes.
const VALUE_CHARS: usize = 1_000;
/// What [`Item::what`] calls the check of the picture's pixels.
const PIXELS: &str = "pixels of the picture";

/// What all checks come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// At least one callout passes, and nothing fails.
    Holds,
    /// Something fails.
    Fails,
    /// No callout could be checked.
    NothingChecked,
}

/// How one check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome", content = "detail")]
pub enum Outcome {
    /// It holds; a note where something of it was hidden.
    Passes(Option<String>),
    /// It does not hold.
    Fails {
        /// What the claim says.
        expected: String,
        /// What is there.
        there: String,
    },
    /// Nothing here lets it be checked.
    CannotBeChecked(String),
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The exchange's place in the claim, from 0; `None` for what concerns the whole.
    #[serde(skip)]
    pub exchange: Option<usize>,
    /// The exchange's number in the list.
    #[serde(rename = "exchange", skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The callout's number; `None` for what is no callout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callout: Option<u32>,
    /// What was checked.
    pub what: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of all checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Line by line.
    pub items: Vec<Item>,
    /// What the callouts were checked against, in words.
    pub against: String,
}

impl Report {
    /// Whether anything fails.
    pub fn fails(&self) -> bool {
        self.items.iter().any(|i| matches!(i.outcome, Outcome::Fails { .. }))
    }

    /// How many callouts pass, fail, and cannot be checked.
    pub fn callouts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for item in self.items.iter().filter(|i| i.callout.is_some()) {
            counts[match item.outcome {
                Outcome::Passes(_) => 0,
                Outcome::Fails { .. } => 1,
                Outcome::CannotBeChecked(_) => 2,
            }] += 1;
        }
        counts
    }

    /// What all checks come to.
    pub fn whole(&self) -> Whole {
        if self.fails() {
            Whole::Fails
        } else if self.callouts()[0] == 0 {
            Whole::NothingChecked
        } else {
            Whole::Holds
        }
    }

    /// What all checks come to, in one sentence without its end.
    pub fn sentence(&self) -> String {
        let [pass, fail, open] = self.callouts();
        let beside = |item: &&Item| item.callout.is_none() && matches!(item.outcome, Outcome::CannotBeChecked(_));
        let rest = match (open, self.items.iter().filter(beside).count()) {
            (0, 0) => String::new(),
            (0, 1) => "; another point cannot be checked".to_owned(),
            (0, n) => format!("; {n} other points cannot be checked"),
            (n, _) => format!("; {n} cannot be checked"),
        };
        match (self.whole(), pass, fail) {
            (Whole::NothingChecked, ..) => "No callout could be checked".to_owned(),
            (Whole::Fails, 0, 0) => "Something fails, and no callout could be checked".to_owned(),
            (Whole::Fails, _, 0) => format!("No callout fails, but something else does{rest}"),
            (Whole::Fails, _, 1) => format!("1 of {} callouts fails{rest}", pass + fail + open),
            (Whole::Fails, ..) => format!("{fail} of {} callouts fail{rest}", pass + fail + open),
            (Whole::Holds, 1, _) if open == 0 => format!("The only callout passes{rest}"),
            (Whole::Holds, ..) if open == 0 => format!("All {pass} callouts pass{rest}"),
            (Whole::Holds, 1, _) => format!("1 callout passes{rest}"),
            (Whole::Holds, ..) => format!("{pass} callouts pass{rest}"),
        }
    }

    /// Whether a picture was there whose pixels could be looked at.
    pub fn has_picture(&self) -> bool {
        self.items.iter().any(|item| item.exchange.is_none() && item.what == PIXELS)
    }

    /// The outcome for the picture's pixels.
    pub(super) fn pixels(&mut self, outcome: Outcome) {
        self.overall(PIXELS, outcome);
    }

    /// An outcome that concerns no single exchange.
    pub(super) fn overall(&mut self, what: &str, outcome: Outcome) {
        self.items.push(Item { exchange: None, number: None, callout: None, what: what.to_owned(), outcome });
    }
}

/// Writes a report for people: a line a check, then what checking does not show.
pub fn write_report(report: &Report, claim: &Claim, out: &mut dyn Write) -> io::Result<()> {
    let (name, sha256) = (clean(claim.capture.name.as_bytes()), clean(claim.capture.sha256.as_bytes()));
    writeln!(out, "Claim on {name} (SHA-256 {sha256})")?;
    if !report.against.is_empty() {
        writeln!(out, "Checked against {}", report.against)?;
    }
    if !report.has_picture() {
        writeln!(out, "{NO_PICTURE}")?;
    }
    for item in &report.items {
        write_item(item, out)?;
    }
    let [pass, fail, open] = report.callouts();
    writeln!(out, "\n{pass} callouts pass, {fail} fail, {open} cannot be checked")?;
    if !claim.redaction.on {
        writeln!(out, "{NOT_REDACTED}")?;
    }
    for note in claim.notes.iter().map(|note| &note.text).chain(&claim.left_out()) {
        writeln!(out, "Not checked, the author's: {}", clean(note.as_bytes()))?;
    }
    for sentence in NOT_SHOWN {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

/// What is said where nobody gave a picture.
pub const NO_PICTURE: &str = "No picture was given: nothing is said of its pixels";
/// What is said of a claim that hides nothing.
pub const NOT_REDACTED: &str = "Redaction was switched off";

fn write_item(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let value = |text: &str| clean_to(text.as_bytes(), VALUE_CHARS).into_owned();
    let place = match (item.number, item.callout) {
        (Some(number), Some(callout)) => format!("exchange {number}, callout {callout}: "),
        (Some(number), None) => format!("exchange {number}: "),
        _ => String::new(),
    };
    let what = format!("{place}{}", value(&item.what));
    match &item.outcome {
        Outcome::Passes(None) => writeln!(out, "passes             {what}"),
        Outcome::Passes(Some(note)) => writeln!(out, "passes             {what} ({})", value(note)),
        Outcome::Fails { expected, there } => {
            writeln!(out, "FAILS              {what}")?;
            writeln!(out, "                   expected: {}", value(expected))?;
            writeln!(out, "                   there is: {}", value(there))
        }
        Outcome::CannotBeChecked(why) => writeln!(out, "cannot be checked  {what}: {}", value(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, Outcome, Report};

    #[track_caller]
    fn check([pass, fail, open]: [u32; 3], whole: Option<Outcome>, want: &str) {
        let mut report = Report::default();
        let fails = || Outcome::Fails { expected: String::new(), there: String::new() };
        let outcomes = (0..pass).map(|_| Outcome::Passes(None)).chain((0..fail).map(|_| fails()));
        for outcome in outcomes.chain((0..open).map(|_| Outcome::CannotBeChecked(String::new()))) {
            report.items.push(Item {
                exchange: Some(0),
                number: Some(1),
                callout: Some(1),
                what: String::new(),
                outcome,
            });
        }
        if let Some(outcome) = whole {
            report.pixels(outcome);
        }
        assert_eq!(report.sentence(), want);
    }

    #[test]
    fn one_sentence_says_it_all() {
        let broken = || Some(Outcome::Fails { expected: String::new(), there: String::new() });
        check([10, 0, 0], None, "All 10 callouts pass");
        check([1, 0, 0], Some(Outcome::Passes(None)), "The only callout passes");
        check([1, 0, 2], None, "1 callout passes; 2 cannot be checked");
        check([4, 1, 0], None, "1 of 5 callouts fails");
        check([4, 2, 1], broken(), "2 of 7 callouts fail; 1 cannot be checked");
        check([4, 0, 0], broken(), "No callout fails, but something else does");
        check([0, 0, 3], broken(), "Something fails, and no callout could be checked");
        check([0, 0, 3], None, "No callout could be checked");
        check([0, 0, 0], None, "No callout could be checked");
    }
}
