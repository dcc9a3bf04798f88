//! Which frames each flow had, so that panes and exports can read them again.

use std::sync::Arc;

use ahash::AHashMap;

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

    /// Forgets the flows whose last part stands in a page before `page`: a row that is left has its record there or later,
    /// and its flow's frames are handed over after it.
    pub(super) fn forget_before(&mut self, page: u32) {
        let mut last: AHashMap<FlowId, u32> = AHashMap::new();
        for (flow, place) in self.chunks.iter().flat_map(|chunk| chunk.iter()) {
            let newest = last.entry(*flow).or_default();
            *newest = place.page().max(*newest);
        }
        let left: Vec<(FlowId, BlockRef)> = self.chunks.iter().flat_map(|chunk| chunk.iter()).copied().collect();
        self.chunks.clear();
        for (flow, place) in left {
            if last.get(&flow).is_some_and(|newest| *newest >= page) {
                self.push(flow, place);
            }
        }
    }

    /// The pages in which frame lists stand.
    pub(super) fn pages(&self) -> impl Iterator<Item = u32> + '_ {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|(_, place)| place.page())
    }

    /// How many parts there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// Flows end in no order of their numbers, and only a pane asks: a walk over a million takes a millisecond.
    pub(super) fn find(&self, flow: FlowId) -> impl Iterator<Item = BlockRef> + '_ {
        self.chunks.iter().flat_map(|c| c.iter()).filter(move |(id, _)| *id == flow).map(|(_, place)| *place)
    }
}
