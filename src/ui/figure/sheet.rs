//! What a picture is drawn from: records with their texts, already redacted, and the words of the footer.

use std::sync::Arc;

use crate::case::Plan;
use crate::engine::RowDetail;
use crate::evidence::pack;
use crate::export::Redactor;
use crate::model::{Budget, Detail, FrameHead, FrameNo, clean, clean_to, hex};
use crate::store::{RowId, Snapshot, Store, StoreError};
use crate::ui::prepared::{Prepared, Shown};
use crate::ui::text::plural;

/// Frames or stretches of frames that the footer lists.
const LISTED: usize = 24;

/// What was done about secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hidden {
    /// So many values are replaced, at so many places; and whether that lowered a grade.
    Values { values: usize, places: u32, lowered: bool },
    /// It was switched off.
    Off,
}

/// An exchange with its number and its texts.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) number: u32,
    pub(crate) shown: Arc<Shown>,
    /// Its row in the sheet's list.
    pub(crate) row: RowId,
    pub(crate) bodies: Option<Prepared>,
    pub(crate) frames: Vec<FrameHead>,
}

/// An exchange to draw.
#[derive(Debug)]
pub struct Chosen {
    /// Its number in the capture, as `list` counts.
    pub number: u32,
    /// Its row.
    pub row: RowId,
    /// Its bodies and frames, where the plan asks for them.
    pub detail: Option<RowDetail>,
}

/// Characters of a comment in the file that the footer shows.
const COMMENT_CHARS: usize = 400;

/// What pictures of one choice are drawn from; made once, drawn often. Nothing in it was not redacted.
#[derive(Debug)]
pub struct Sheet {
    pub(crate) leaves: Vec<Leaf>,
    /// The rows of the list, made anew from redacted records.
    pub(crate) list: Snapshot,
    pub(crate) order: Vec<u32>,
    /// How many rows these are the first of.
    pub(crate) all: usize,
    /// How many exchanges of the capture the author ignores that are not among them.
    pub ignored: usize,
    sha256: Option<[u8; 32]>,
    /// What whoever made the file says of it, and what was lost while it was captured.
    said: Vec<(&'static str, String)>,
    hidden: Hidden,
}

impl Sheet {
    /// Reads the records of what was chosen and of the rows of the list (of `all` that there are), and passes each through a new redactor first. May
    /// read the temporary file: not while painting.
    pub fn new(
        snapshot: &Snapshot,
        chosen: Vec<Chosen>,
        (listed, all): (&[RowId], usize),
        redactor: &mut Redactor,
    ) -> Result<Self, StoreError> {
        let records = chosen.iter().map(|c| snapshot.record(c.row)).collect::<Result<Vec<_>, _>>()?;
        let others = listed.iter().filter(|id| !chosen.iter().any(|c| c.row == **id)).copied().collect::<Vec<_>>();
        let around = others.iter().map(|id| snapshot.record(*id)).collect::<Result<Vec<_>, _>>()?;
        // All secrets are known before the first text is made.
        for record in records.iter().chain(&around) {
            redactor.learn(record);
        }
        for detail in chosen.iter().filter_map(|c| c.detail.as_ref()) {
            for body in detail.request_body.iter().chain(&detail.response_body) {
                redactor.learn_text(body);
            }
        }
        let mut store = Store::new(&Budget::default(), pack().roles);
        let (mut leaves, mut lowered) = (Vec::new(), false);
        let mut places = Vec::new();
        for (Chosen { number, row: id, detail }, record) in chosen.into_iter().zip(&records) {
            let redacted = redactor.record(record);
            lowered |= redacted.lowered;
            let row = store.add(&redacted.record);
            places.push((id, row));
            let shown = Shown::with(redacted.record, &redacted.lines, &mut |id| {
                snapshot.record(id).ok().map(|other| redactor.record(&other).record)
            });
            let (bodies, frames) = detail.map_or((None, Vec::new()), |detail| hide_bodies(detail, &shown, redactor));
            leaves.push(Leaf { number, shown: Arc::new(shown), row, bodies, frames });
        }
        for (id, record) in others.iter().zip(&around) {
            let redacted = redactor.record(record);
            lowered |= redacted.lowered;
            places.push((*id, store.add(&redacted.record)));
        }
        let facts = snapshot.facts();
        // A picture of a made-up capture must not pass for one of a real one.
        let comment = facts.capture.comments.iter().find(|comment| comment.frame.is_none());
        let comment = comment.map(|comment| redactor.text(&comment.text, "comment in the file"));
        let mut said: Vec<_> =
            comment.iter().map(|text| ("Comment in it", clean_to(text, COMMENT_CHARS).into_owned())).collect();
        said.extend(facts.losses().into_iter().map(|loss| ("Losses", loss)));
        let order =
            listed.iter().filter_map(|id| places.iter().find(|(of, _)| of == id)).map(|(_, row)| row.0).collect();
        let list = store.snapshot(crate::store::Facts::default(), crate::store::Progress::default());
        let hidden = if redactor.is_on() {
            Hidden::Values { values: redactor.replaced().len(), places: redactor.count(), lowered }
        } else {
            Hidden::Off
        };
        let ignored = snapshot.ignored() - listed.iter().filter(|id| snapshot.is_ignored(**id)).count();
        Ok(Self { leaves, list, order, all, ignored, sha256: facts.sha256, said, hidden })
    }

    /// Says which file it is of, where the reading did not.
    pub(super) fn hashed(&mut self, sha256: [u8; 32]) {
        self.sha256 = Some(sha256);
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
        frames.extend(self.order.iter().filter_map(|id| self.list.row(RowId(*id))).map(|row| row.first_frame));
        frames.sort_unstable();
        frames.dedup();
        frames
    }

    /// Label and value of each fact of the footer.
    pub(crate) fn footer(&self, plan: &Plan) -> Vec<(&'static str, String)> {
        let capture = self.sha256.map_or_else(
            || "not hashed: it was not read whole from a file".to_owned(),
            |digest| format!("SHA-256 {}", hex(&digest)),
        );
        let mut facts = vec![("Capture", capture)];
        facts.extend(self.said.iter().cloned());
        if let Some(time) = self.times() {
            facts.push(("Captured", time));
        }
        facts.push(("Frames", stretches(&self.frames())));
        if !plan.filter.trim().is_empty() {
            facts.push(("Filter", clean(plan.filter.as_bytes()).into_owned()));
        }
        facts.push(("Signatures", pack().version.to_owned()));
        let redacted = match self.hidden {
            Hidden::Off => "off: cookies, tokens, keys and signatures stand as they are".to_owned(),
            Hidden::Values { values: 0, .. } => "on; nothing was found that had to be hidden".to_owned(),
            Hidden::Values { values, places, lowered } => format!(
                "on; {} hidden at {}, the same one behind the same word in ‹ ›{}",
                plural(values as u64, "value", "values"),
                plural(places.into(), "place", "places"),
                if lowered { "; that lowers a grade" } else { "" }
            ),
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

/// Bodies with placeholders, and the frames without their bytes.
fn hide_bodies(detail: RowDetail, shown: &Shown, redactor: &mut Redactor) -> (Option<Prepared>, Vec<FrameHead>) {
    // Pictures draw bodies, and no messages of a WebSocket.
    let RowDetail { request_body, response_body, messages: _, frames } = detail;
    let mut hide = |body: Option<Vec<u8>>, place: &str| body.map(|body| redactor.text(&body, place));
    let hidden = RowDetail {
        request_body: hide(request_body, "request body"),
        response_body: hide(response_body, "response body"),
        ..RowDetail::default()
    };
    let has_body = hidden.request_body.is_some() || hidden.response_body.is_some();
    let http = matches!(shown.record.exchange.detail, Detail::Http(_));
    let bodies = (has_body && http).then(|| Prepared::new(hidden, &shown.record));
    (bodies, frames.into_iter().map(|(head, _)| head).collect())
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
