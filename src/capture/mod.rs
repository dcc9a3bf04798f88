//! A file or stream becomes frames, read in blocks of bounded size.
//!
//! Comes in: a path or a stream, plain or compressed with gzip, zstd or LZ4: frames, or the entries of a HAR file in their place.
//! Goes out: batches of frames that point into
//! the bytes as read, facts about the capture, and the file's SHA-256. Never: a memory map (a file that shrinks would
//! kill the process), a guess that is not reported, an allocation that a length field alone decides.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing)]

mod bpf;
mod commented;
#[cfg(unix)]
mod confine;
mod device;
mod error;
mod facts;
mod frame_file;
mod frame_writer;
mod har;
mod key_log_file;
mod merging;
mod notes;
mod numbers;
mod origins;
#[cfg(unix)]
mod output;
mod pcap;
mod pcapng;
mod pipe;
mod programs;
mod reader;
#[cfg(unix)]
mod record;
mod record_error;
mod recorder;
mod remote;
mod source;
mod spool;
#[cfg(unix)]
mod stop;
mod tail;
#[cfg(test)]
mod tests;
mod walker;
#[cfg_attr(not(unix), expect(dead_code, reason = "live captures are recorded on Unix only"))]
mod write;

pub use bpf::{FilterFault, check_filter};
pub use commented::copy_commented;
#[cfg(target_os = "linux")]
pub use confine::give_up_rights;
pub use device::{Device, DeviceError, DeviceKind, DeviceState, devices, packet_counts};
pub use error::CaptureError;
pub use facts::{CaptureFacts, Comment, Container, Counters, Format, Interface, Skipped};
pub use frame_file::{FrameFile, Place};
pub use frame_writer::FrameWriter;
pub use key_log_file::{KeyLogFile, is_key_log, is_open_to_others};
pub use merging::{Feed, MergedReader};
pub use origins::{MERGED_FILES, Merged, MergedFile};
#[cfg(unix)]
pub use output::Target;
pub use programs::{SocketOwner, watch_programs};
pub use reader::{Batch, BatchFrame, CaptureReader, Moment};
#[cfg(unix)]
pub use record::{Ending, Limits, OpenDevice, Order, Recording, Tally, Turn};
pub use record_error::{RecordError, permission_command, permission_commands_for_group};
pub use recorder::{CAPTURING, Keep, NO_RIGHTS, Recorded, Recorder, Wish};
pub use remote::remote_session_filter;
pub use source::{Digest, digest_file};
pub use spool::{Orphan, Spool, SpoolFolder, orphans};
#[cfg(unix)]
pub use stop::StopSign;
pub use tail::{is_of_this_moment, offset_in_file};
