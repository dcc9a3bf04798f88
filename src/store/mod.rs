//! Rows, shared text and record pages, and the frozen copies that the fronts read.
//!
//! Comes in: finished exchanges with their ledger and verdict, one at a time. Goes out: snapshots and row orders. Never: a
//! lock, a thread, a look at the capture file.

mod actions;
mod blocks;
mod certificates;
mod compare;
pub mod filter;
mod findings;
mod flows;
mod forget;
mod givers;
pub mod groups;
mod heads;
mod index;
mod notes;
mod order;
mod own;
mod programs;
pub mod query;
mod record;
mod rows;
mod snapshot;
mod strings;
mod table;

pub use actions::Actions;
pub use blocks::{BlockRef, StoreError};
pub use compare::{Answer, Aspect, Comparison, SiteChange, Standing, Turn, Which};
pub use findings::{Counts, FindingKey, SiteFindings, own_site};
pub use heads::HeaderName;
pub use notes::{FlowColour, Note, Notes};
pub use record::Record;
pub use snapshot::{Facts, Progress, Sessions, Snapshot, Tunnels};
pub use strings::{StrId, StrId16};
#[cfg(test)]
pub(crate) use table::sample_row;
pub use table::{Row, RowId, RowKind, Store};
pub(crate) use table::{host_and_path, request_line, server_text, tls_version};
