//! Segments become ordered bytes per side of a flow, each byte traceable to its frame.
//!
//! Comes in: units in capture order. Goes out: runs in stream order, and the flow itself when it ends. Never: a parser, a
//! clock, a byte that the capture does not hold (a hole stays a hole).
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod assembly;
mod flow_table;
mod frame_list;

pub use flow_table::{Flow, FlowTable, Slot};
pub use frame_list::FrameList;
