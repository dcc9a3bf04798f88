//! Which frames each flow had, so that panes and exports can read them again.

use std::sync::Arc;

use super::blocks::BlockRef;
use crate::model::FlowId;

/// Flows in one shared chunk.
const CHUNK: usize = 4_096;

/// Where the frame lists of each flow stand, in parts where it was handed over while it went on; a clone shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowIndex {
    chunks: Vec<Arc<Vec<(FlowId, BlockRef)>>>,
}

impl FlowIndex {
    pub(super) fn push(&mut self, flow: FlowId, place: BlockRef) {
        if self.chunks.last().is_none_or(|c| c.len() >= CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            Arc::make_mut(chunk).push((flow, place));
        }
    }

    /// Flows end in no order of their numbers, and only a pane asks: a walk over a million takes a millisecond.
    pub(super) fn find(&self, flow: FlowId) -> impl Iterator<Item = BlockRef> + '_ {
        self.chunks.iter().flat_map(|c| c.iter()).filter(move |(id, _)| *id == flow).map(|(_, place)| *place)
    }
}
