//! Frames become rows: the walk over the capture, the shards, the merge, the worker thread.

mod messages;

pub use messages::{Command, DetailError, Handle, Notice, RowDetail, Source};

use crate::model::Budget;
use crate::store::{Record, Snapshot};

/// Starts the engine's thread. `wake` is called after each notice and snapshot.
pub fn start(threads: usize, budget: Budget, wake: Box<dyn Fn() + Send>) -> std::io::Result<Handle> {
    let _ = (threads, budget, wake);
    Err(std::io::Error::other("stub"))
}

/// Reads a row's bodies and frames again from the capture. Blocks: call it from a job.
pub fn detail(
    path: &std::path::Path,
    record: &Record,
    snapshot: &Snapshot,
    budget: &Budget,
) -> Result<RowDetail, DetailError> {
    let _ = (path, record, snapshot, budget);
    Err(DetailError::NotKept)
}
