//! Which frames each flow had, so that panes and exports can read them again.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use ahash::{AHashMap, AHashSet};

use super::blocks::BlockRef;
use super::own::own;
use super::rows::Rows;
use super::table::RowId;
use crate::model::FlowId;

/// Flows in one shared chunk.
const CHUNK: usize = 4_096;

/// Where the frame lists of each flow stand, in parts where it was handed over while it went on; a clone shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowIndex {
    chunks: Vec<Arc<Vec<FlowPart>>>,
}

/// A part of a flow's frame list.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowPart {
    pub(super) flow: FlowId,
    pub(super) place: BlockRef,
    /// Bytes there.
    pub(super) len: u32,
}

impl FlowIndex {
    pub(super) fn push(&mut self, part: FlowPart) {
        if self.chunks.last().is_none_or(|c| c.len() >= CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            own(chunk, CHUNK).push(part);
        }
    }

    /// Keeps the parts of the flows that are needed, each where `again` says that it stands now.
    pub(super) fn keep(&mut self, is_needed: impl Fn(FlowId) -> bool, mut again: impl FnMut(BlockRef) -> BlockRef) {
        for chunk in std::mem::take(&mut self.chunks) {
            for part in chunk.iter().filter(|part| is_needed(part.flow)) {
                self.push(FlowPart { place: again(part.place), ..*part });
            }
        }
    }

    /// All parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = FlowPart> + '_ {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).copied()
    }

    /// How many parts there are.
    pub(super) fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// Flows end in no order of their numbers, and only a pane asks: a walk over a million takes a millisecond.
    pub(super) fn find(&self, flow: FlowId) -> impl Iterator<Item = BlockRef> + '_ {
        self.parts().filter(move |part| part.flow == flow).map(|part| part.place)
    }
}

/// Whose frame lists a live capture that forgets rows still needs: flows that go on, since an exchange that is yet to come is
/// read again from the first frame of its flow, and flows of rows that are left.
#[derive(Debug, Default)]
pub(super) struct FlowUse {
    going_on: AHashSet<FlowId>,
    /// How many rows of each flow are left; empty where none are ever forgotten.
    rows: AHashMap<FlowId, u32>,
    /// The flow of each row.
    flows: Rows<FlowId>,
}

impl FlowUse {
    /// Some frames of a flow were handed over.
    pub(super) fn goes_on(&mut self, flow: FlowId) {
        self.going_on.insert(flow);
    }

    /// A flow is over.
    pub(super) fn ended(&mut self, flow: FlowId) {
        self.going_on.remove(&flow);
    }

    /// A row came, behind all others. Flows are counted where rows are forgotten.
    pub(super) fn add(&mut self, flow: FlowId, forgets: bool) {
        self.flows.push(flow);
        if forgets {
            *self.rows.entry(flow).or_insert(0) += 1;
        }
    }

    /// The flow of each row.
    pub(super) fn flows(&self) -> &Rows<FlowId> {
        &self.flows
    }

    /// The rows before a chunk were forgotten, but those that stay.
    pub(super) fn forget(&mut self, end: usize, stays: impl Fn(RowId) -> bool) {
        let Self { rows, flows, .. } = self;
        flows.forget(
            end,
            |row, _| stays(row),
            |flow| {
                if let Entry::Occupied(mut rows) = rows.entry(flow) {
                    *rows.get_mut() -= 1;
                    if *rows.get() == 0 {
                        rows.remove();
                    }
                }
            },
        );
    }

    /// Whether a row that is left or yet to come is read again from the flow's frames.
    pub(super) fn needs(&self, flow: FlowId) -> bool {
        self.going_on.contains(&flow) || self.rows.contains_key(&flow)
    }
}
