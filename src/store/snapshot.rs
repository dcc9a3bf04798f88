//! A frozen copy of the store: what the fronts read.

use std::sync::Arc;

use super::blocks::{Pages, StoreError};
use super::certificates::CertificateList;
use super::findings::{Findings, SiteFindings};
use super::flows::FlowIndex;
use super::record::Record;
use super::strings::{StrId, StrId16, Texts};
use super::table::{CHUNK, Row, RowId};
use crate::capture::CaptureFacts;
use crate::model::{FlowId, FrameNo, GiverNo, LimitHit, ProviderId};
use crate::streams::FrameList;

/// What is known of the capture as a whole.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What the reader says.
    pub capture: CaptureFacts,
    /// Frames with a link type or header that is not understood.
    pub undecoded_frames: u64,
    /// Frames understood that carry no TCP or UDP.
    pub other_frames: u64,
    /// TCP and UDP flows.
    pub flows: u64,
    /// Limits that were reached.
    pub limits: Vec<LimitHit>,
    /// SHA-256 of the file as it lies on disk, once it was read whole.
    pub sha256: Option<[u8; 32]>,
}

/// How far reading has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file read.
    pub read: u64,
    /// Bytes of the file, where that is known.
    pub total: Option<u64>,
    /// Whether reading has ended.
    pub done: bool,
}

/// A frozen copy of the store; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Grows with every snapshot of one store.
    pub generation: u64,
    pub(super) rows: Vec<Arc<Vec<Row>>>,
    pub(super) texts: Texts,
    pub(super) words: Texts,
    pub(super) pages: Pages,
    pub(super) flows: FlowIndex,
    pub(super) certificates: CertificateList,
    pub(super) givers: Arc<Vec<u32>>,
    pub(super) findings: Arc<Findings>,
    pub(super) providers: Vec<(ProviderId, u32)>,
    pub(super) facts: Arc<Facts>,
    pub(super) progress: Progress,
}

impl Snapshot {
    /// Nothing yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.last().map_or(0, |last| (self.rows.len() - 1) * CHUNK + last.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of the exchange that handed out a URL; `None` while it has not ended.
    pub fn giver(&self, giver: GiverNo) -> Option<RowId> {
        self.givers.get(giver.0 as usize).copied().filter(|place| *place != u32::MAX).map(RowId)
    }

    /// The rows of all exchanges that handed out URLs, by their numbers.
    pub fn givers(&self) -> impl Iterator<Item = Option<RowId>> + '_ {
        self.givers.iter().map(|place| (*place != u32::MAX).then_some(RowId(*place)))
    }

    /// What the exchanges together say, site by site, the most exchanges first.
    pub fn findings(&self) -> Vec<SiteFindings> {
        SiteFindings::group(self.findings.lines(|id| self.text(id).to_owned()))
    }

    /// A row; `None` past the end.
    pub fn row(&self, id: RowId) -> Option<Row> {
        let id = id.0 as usize;
        self.rows.get(id / CHUNK)?.get(id % CHUNK).copied()
    }

    /// All rows with their places.
    pub fn rows(&self) -> impl Iterator<Item = (RowId, &Row)> {
        self.rows.iter().flat_map(|chunk| chunk.iter()).enumerate().map(|(i, row)| (RowId(i as u32), row))
    }

    /// A text, ready for display.
    pub fn text(&self, id: StrId) -> &str {
        self.texts.get(id.0)
    }

    /// A word, ready for display.
    pub fn word(&self, id: StrId16) -> &str {
        self.words.get(u32::from(id.0))
    }

    /// The whole exchange of a row, with its ledger and verdict. May read the temporary file: not while painting.
    pub fn record(&self, id: RowId) -> Result<Record, StoreError> {
        let row = self.row(id).ok_or(StoreError::NoRow)?;
        Record::decode(&self.pages.read(row.record)?, &self.certificates).ok_or(StoreError::Broken)
    }

    /// The frames of a flow (number, record offset); `None` while the flow has not ended.
    pub fn flow_frames(&self, flow: FlowId) -> Result<Option<Vec<(FrameNo, u64)>>, StoreError> {
        let Some(place) = self.flows.find(flow) else { return Ok(None) };
        Ok(Some(FrameList::from_bytes(self.pages.read(place)?).iter().collect()))
    }

    /// What is known of the capture as a whole.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Rows by operator; [`Row::NONE`] counts those without one.
    pub fn providers(&self) -> &[(ProviderId, u32)] {
        &self.providers
    }

    /// Row places in capture order: by first frame, then by the order in which they ended.
    pub fn capture_order(&self) -> Vec<u32> {
        let mut order: Vec<(u32, u32)> = self.rows().map(|(id, row)| (row.first_frame.0, id.0)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, id)| id).collect()
    }
}
