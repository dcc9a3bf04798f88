//! What a picture is drawn from: records with their texts, already redacted, and the words of the footer.

use std::sync::Arc;

use crate::evidence::pack;
use crate::model::{Budget, FrameNo, clean, hex};
use crate::store::{Record, RowId, Snapshot, Store, StoreError};
use crate::ui::prepared::Shown;

/// Frames or stretches of frames that the footer lists.
const LISTED: usize = 24;

/// What was done about secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redacted {
    /// So many values are replaced.
    Values(u32),
    /// It was switched off.
    Off,
}

/// What the footer says beside what the records say themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 of the capture; `None` where it was not read whole from a file.
    pub sha256: Option<[u8; 32]>,
    /// The filter that chose the rows; empty where there was none.
    pub filter: String,
    /// What was done about secrets.
    pub redacted: Redacted,
}

/// An exchange with its number and its texts.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) number: u32,
    pub(crate) shown: Arc<Shown>,
    /// Its row in the sheet's list.
    pub(crate) row: RowId,
}

/// What pictures of one choice are drawn from; made once, drawn often. Nothing in it was not redacted.
#[derive(Debug)]
pub struct Sheet {
    pub(crate) leaves: Vec<Leaf>,
    /// The rows of the list, made anew from redacted records.
    pub(crate) list: Snapshot,
    pub(crate) order: Vec<u32>,
    pub(crate) facts: Facts,
}

impl Sheet {
    /// Reads the records of `chosen` (number and row) and of the rows of the list around them, and passes each through
    /// `redact` first. May read the temporary file: not while painting.
    pub fn new(
        snapshot: &Snapshot,
        chosen: &[(u32, RowId)],
        listed: &[RowId],
        facts: Facts,
        mut redact: impl FnMut(Record) -> Record,
    ) -> Result<Self, StoreError> {
        let mut store = Store::new(&Budget::default(), pack().roles);
        let mut leaves = Vec::new();
        for (number, id) in chosen {
            let record = redact(snapshot.record(*id)?);
            let row = store.add(&record);
            leaves.push(Leaf { number: *number, shown: Arc::new(Shown::new(record, snapshot)), row });
        }
        let mut order = Vec::new();
        for id in listed {
            let known = chosen.iter().position(|(_, other)| other == id).and_then(|at| leaves.get(at));
            let row = match known {
                Some(leaf) => leaf.row,
                None => store.add(&redact(snapshot.record(*id)?)),
            };
            order.push(row.0);
        }
        let list = store.snapshot(crate::store::Facts::default(), crate::store::Progress::default());
        Ok(Self { leaves, list, order, facts })
    }

    /// Every frame that something in the picture is quoted from, ascending.
    pub fn frames(&self) -> Vec<FrameNo> {
        let mut frames = Vec::new();
        for leaf in &self.leaves {
            let record = &leaf.shown.record;
            frames.extend(record.ledger.iter().flat_map(|e| e.place.frames.iter().copied()));
            frames.extend(leaf.shown.request.iter().chain(&leaf.shown.response).map(|head| head.frame));
            frames.extend(record.verdict.handed_out.iter().map(|h| h.frame));
            frames.extend(record.verdict.first_write.iter().map(|w| w.frame));
        }
        if self.leaves.is_empty() {
            frames.extend(self.order.iter().filter_map(|id| self.list.row(RowId(*id))).map(|row| row.first_frame));
        }
        frames.sort_unstable();
        frames.dedup();
        frames
    }

    /// Label and value of each fact of the footer.
    pub(crate) fn footer(&self) -> Vec<(&'static str, String)> {
        let capture = self.facts.sha256.map_or_else(
            || "not hashed: it was not read whole from a file".to_owned(),
            |digest| format!("SHA-256 {}", hex(&digest)),
        );
        let mut facts = vec![("Capture", capture)];
        if let Some(time) = self.times() {
            facts.push(("Captured", time));
        }
        facts.push(("Frames", stretches(&self.frames())));
        if !self.facts.filter.is_empty() {
            facts.push(("Filter", clean(self.facts.filter.as_bytes()).into_owned()));
        }
        facts.push(("Signatures", pack().version.to_owned()));
        let redacted = match self.facts.redacted {
            Redacted::Off => "off: secrets may be legible".to_owned(),
            Redacted::Values(0) => "on, nothing found to replace".to_owned(),
            Redacted::Values(1) => "on, 1 value replaced".to_owned(),
            Redacted::Values(n) => format!("on, {n} values replaced"),
        };
        facts.push(("Redaction", redacted));
        facts
    }

    /// From the first to the last of what is shown.
    fn times(&self) -> Option<String> {
        let rows = self.order.iter().copied().chain(self.leaves.iter().map(|leaf| leaf.row.0));
        let times: Vec<_> = rows.filter_map(|id| self.list.row(RowId(id))).map(|row| row.time).collect();
        let (first, last) = (times.iter().min()?, times.iter().max()?);
        let one = format!("{} {} UTC", first.date(), first.time_of_day(3));
        if first == last {
            return Some(one);
        }
        Some(format!("{} {} to {} {} UTC", first.date(), first.time_of_day(3), last.date(), last.time_of_day(3)))
    }
}

/// `3, 5–9, 12`.
fn stretches(frames: &[FrameNo]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for FrameNo(n) in frames.iter().copied() {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => runs.push((n, n)),
        }
    }
    let words: Vec<String> = runs
        .iter()
        .take(LISTED)
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}–{to}") })
        .collect();
    let more = runs.len().saturating_sub(LISTED);
    let rest = if more > 0 { format!(" and {more} more places") } else { String::new() };
    format!("{}{rest}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::stretches;
    use crate::model::FrameNo;

    #[test]
    fn frames_next_to_each_other_are_one_stretch() {
        assert_eq!(stretches(&[1, 2, 3, 7, 9, 10].map(FrameNo)), "1–3, 7, 9–10");
        assert_eq!(stretches(&[]), "");
        let many: Vec<FrameNo> = (0..100).map(|n| FrameNo(n * 2)).collect();
        assert!(stretches(&many).ends_with("46 and 76 more places"));
    }
}
