//! A file or stream becomes frames, read in blocks of bounded size.
//!
//! Comes in: a path or a stream, plain or compressed with gzip, zstd or LZ4. Goes out: batches of frames that point into
//! the bytes as read, facts about the capture, and the file's SHA-256. Never: a memory map (a file that shrinks would
//! kill the process), a guess that is not reported, an allocation that a length field alone decides.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing)]

mod bpf;
mod device;
mod error;
mod facts;
mod frame_file;
mod notes;
mod numbers;
mod pcap;
mod pcapng;
mod reader;
mod recorder;
mod source;
mod spool;
mod tail;
#[cfg(test)]
mod tests;
mod walker;

pub use bpf::{FilterFault, check_filter};
pub use device::{Device, DeviceError, DeviceKind, DeviceState, devices, packet_counts};
pub use error::CaptureError;
pub use facts::{CaptureFacts, Comment, Container, Counters, Format, Interface, Skipped};
pub use frame_file::FrameFile;
pub use reader::{Batch, BatchFrame, CaptureReader, Moment};
pub use recorder::{Keep, Recorded, Recorder, Wish};
pub use source::{Digest, digest_file};
pub use spool::Spool;
pub use tail::is_of_this_moment;
