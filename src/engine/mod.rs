//! Frames become rows: the walk over the capture, the shards, the merge, the worker thread.
//!
//! Comes in: a capture and commands. Goes out: snapshots and notices. Never: a window, a terminal, a lock.

mod begin;
mod conversation;
mod detail;
mod entries;
mod flow_state;
mod found;
mod merge;
mod messages;
mod moves;
mod pairing;
mod reading;
mod shard;
mod walk;
mod worker;

pub use conversation::{Chunk, Conversation, Fault, What, conversation, write_conversation};
pub use detail::{RowsWanted, detail};
pub use messages::{Command, DetailError, Handle, Notice, OpenNo, RowDetail, Source};
pub use reading::{How, Reading};
pub use worker::start;
