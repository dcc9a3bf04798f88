//! From a choice to files: the one way by which window and command line make a picture, so that both make the same bytes.

use egui::ColorImage;

use super::{Chosen, Drawn, FigureError, Sheet, draw};
use crate::capture::{CaptureError, digest_file};
use crate::case::{Key, Plan, Section, Shape};
use crate::engine::{self, DetailError, RowDetail, Source};
use crate::export::{Listing, Pixels, Proof, ProofError, Redactor, Replaced};
use crate::model::Budget;
use crate::store::filter::Filter;
use crate::store::{RowId, Snapshot, StoreError};

/// Rows of the list before and after a single exchange, and rows in one picture.
const AROUND: usize = 6;
const ROWS: usize = 200;

/// Which rows the list in a picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    /// The chosen exchanges; a single one with its neighbours.
    #[default]
    Around,
    /// All that the plan's filter keeps, the first of them where they are many.
    Kept,
}

/// A picture that is to be made.
#[derive(Debug)]
pub struct Making<'a> {
    snapshot: &'a Snapshot,
    source: &'a Source,
    plan: &'a Plan,
    key: &'a Key,
    /// The exchanges by number and row, in the order in which they are shown.
    chosen: Vec<(u32, RowId)>,
    /// The rows of the list, where the plan shows it, and how many they stand for.
    listed: (Vec<RowId>, usize),
}

/// A picture with its proof.
#[derive(Debug)]
pub struct Made {
    /// Its pixels.
    pub image: ColorImage,
    /// The picture as a file, with the claim in it.
    pub png: Vec<u8>,
    proof: Proof,
}

/// Why no picture could be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The drawing.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A record could not be read again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A body or frames could not be read again.
    #[error(transparent)]
    Detail(#[from] DetailError),
    /// The capture could not be hashed.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// There is nothing to show.
    #[error("choose an exchange, or the rows of the list")]
    Nothing,
}

impl<'a> Making<'a> {
    /// A picture of `rows`, by that plan; `key` is what placeholders are made with.
    pub fn new(
        (snapshot, source): (&'a Snapshot, &'a Source),
        plan: &'a Plan,
        rows: &[RowId],
        which: Listed,
        key: &'a Key,
    ) -> Self {
        let all = Listing::all(snapshot);
        let chosen: Vec<(u32, RowId)> =
            rows.iter().filter_map(|row| all.numbers().of(*row).map(|number| (number, *row))).collect();
        let shows = plan.sections.iter().any(|choice| choice.section == Section::List && !choice.folded);
        let listed = || match which {
            _ if !shows => (Vec::new(), 0),
            Listed::Around => around(&all, &chosen),
            Listed::Kept => {
                // A plan from a version without this language may hold what is no filter: it keeps nothing.
                let Ok(filter) = Filter::parse(&plan.filter) else { return (Vec::new(), 0) };
                let kept = Listing::new(snapshot, &filter);
                let counted = || kept.rows().map(|(_, id)| id).filter(|id| !snapshot.is_ignored(*id));
                (counted().take(ROWS).collect(), counted().count())
            }
        };
        let listed = listed();
        Self { snapshot, source, plan, key, chosen, listed }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.rows().is_empty()
    }

    /// Rows that the list leaves out because they are too many.
    pub fn left_out(&self) -> usize {
        self.listed.1.saturating_sub(self.listed.0.len())
    }

    /// What the picture is drawn from, and what was hidden in it. Reads records and, where the plan shows bodies or frames,
    /// the capture: not while painting.
    pub fn sheet(&self, budget: &Budget) -> Result<(Sheet, Vec<Replaced>), MakeError> {
        let mut redactor = Redactor::new(self.key, &self.plan.redaction);
        let whole = self.shows_whole();
        let chosen = self
            .chosen
            .iter()
            // Else the footer would grade what neither list nor claim holds.
            .filter(|(_, row)| whole || self.listed.0.contains(row))
            .map(|(number, row)| Ok(Chosen { number: *number, row: *row, detail: self.detail(*row, budget)? }))
            .collect::<Result<Vec<_>, MakeError>>()?;
        let mut sheet = Sheet::new(self.snapshot, chosen, (&self.listed.0, self.listed.1), &mut redactor)?;
        if self.snapshot.facts().sha256.is_none() {
            // One that was captured live: it grew while it was read.
            sheet.hashed(digest_file(&self.source.file().ok_or(ProofError::NoFile)?)?);
        }
        Ok((sheet, redactor.replaced().to_vec()))
    }

    /// The picture with claim and excerpt.
    pub fn make(&self, budget: &Budget) -> Result<Made, MakeError> {
        let rows = self.rows();
        if rows.is_empty() {
            return Err(MakeError::Nothing);
        }
        let mut proof = Proof::new(self.snapshot, self.source, &rows, self.plan, self.key)?;
        let (sheet, _) = self.sheet(budget)?;
        // What the author wrote may name a secret too.
        let plan = worded(self.plan, |words| proof.words(words));
        let Drawn { image, .. } = draw(&plan, &sheet)?;
        let [width, height] = image.size;
        let rgba: Vec<u8> = image.pixels.iter().flat_map(egui::Color32::to_array).collect();
        let pixels = Pixels { width: width as u32, height: height as u32, scale: plan.scale, rgba: &rgba };
        let png = proof.picture(&pixels)?.to_vec();
        Ok(Made { image, png, proof })
    }

    /// All exchanges that the picture speaks of: those that are shown whole, then the other rows of the list.
    fn rows(&self) -> Vec<RowId> {
        let whole = self.shows_whole();
        let mut rows: Vec<RowId> = self.chosen.iter().map(|(_, row)| *row).filter(|_| whole).collect();
        let known: ahash::AHashSet<RowId> = rows.iter().copied().collect();
        rows.extend(self.listed.0.iter().filter(|row| !known.contains(row)));
        rows
    }

    /// Whether the chosen exchanges are shown with sections of their own.
    fn shows_whole(&self) -> bool {
        self.plan.sections.iter().any(|choice| choice.section != Section::List)
    }

    fn detail(&self, row: RowId, budget: &Budget) -> Result<Option<RowDetail>, MakeError> {
        let wanted = |section| matches!(section, Section::Body | Section::Frames);
        if !self.plan.sections.iter().any(|choice| wanted(choice.section) && !choice.folded) {
            return Ok(None);
        }
        let place = self.source.place()?;
        let record = self.snapshot.record(row)?;
        Ok(Some(engine::detail(place, &record, self.snapshot, budget)?))
    }
}

/// The chosen exchanges, or the only one with its neighbours, and how many these are.
fn around(all: &Listing<'_>, chosen: &[(u32, RowId)]) -> (Vec<RowId>, usize) {
    let rows: Vec<RowId> = match chosen {
        [(number, chosen)] => {
            let counts = |id: &RowId| id == chosen || !all.snapshot.is_ignored(*id);
            let first = (*number as usize).saturating_sub(AROUND + 1);
            all.rows().skip(first).take(*number as usize + AROUND - first).map(|(_, id)| id).filter(counts).collect()
        }
        _ => chosen.iter().map(|(_, id)| *id).collect(),
    };
    let len = rows.len();
    (rows, len)
}

impl Made {
    /// Picture, claim, excerpt and the text for people, in one file.
    pub fn bundle(&self) -> Result<Vec<u8>, MakeError> {
        Ok(self.proof.bundle(&self.proof.file_stem())?)
    }
}

/// A plan with all words that somebody typed passed through `hide`.
pub(crate) fn worded(plan: &Plan, mut hide: impl FnMut(&str) -> String) -> Plan {
    let mut plan = plan.clone();
    plan.title = hide(&plan.title);
    plan.caption = hide(&plan.caption);
    plan.filter = hide(&plan.filter);
    for annotation in &mut plan.annotations {
        if let Shape::Text { words, .. } = &mut annotation.shape {
            *words = hide(words);
        }
    }
    plan
}
