//! What the window asks of this machine for live captures. Tests put something of their own in its place, so that no test
//! needs a device, rights or a clock.

use std::io;
use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, bounded};

use crate::capture::{self, Device, DeviceError, Orphan, Recorded, Recorder, Spool, SpoolFolder, Wish};
use crate::model::Timestamp;

/// What a pipe is called in the place of an interface.
pub(crate) const PIPE: &str = "standard input";

/// A capture that this window owns: under way, or left over from a program that died.
pub struct Recording {
    /// What becomes of it.
    pub events: Receiver<Recorded>,
    /// Where it is kept.
    pub spool: Spool,
    /// Stops the capture; an event follows.
    pub stop: Box<dyn FnMut() + Send>,
    /// Deletes what was captured. Without it the files stay and are offered at the next start.
    pub discard: Box<dyn FnOnce() -> io::Result<()> + Send>,
}

impl core::fmt::Debug for Recording {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Recording").field("spool", &self.spool).finish_non_exhaustive()
    }
}

type Devices = dyn Fn() -> Result<Vec<Device>, DeviceError> + Send + Sync;
type Counts = dyn Fn() -> Vec<(String, u64)> + Send + Sync;
type Orphans = dyn Fn() -> Vec<Orphan> + Send + Sync;
type Record = dyn Fn(&Wish, Box<dyn Fn() + Send>) -> io::Result<Recording> + Send + Sync;
type Adopt = dyn Fn(&Path) -> io::Result<Recording> + Send + Sync;
type Clock = dyn Fn() -> Timestamp + Send + Sync;

/// What captures can be made of, and how.
pub struct Machine {
    /// The interfaces.
    pub devices: Box<Devices>,
    /// Packets that each interface has met since the machine started.
    pub counts: Box<Counts>,
    /// Captures that nobody saved or threw away.
    pub orphans: Box<Orphans>,
    /// Starts a capture; comes back at once.
    pub record: Box<Record>,
    /// Takes over a capture that nobody owns.
    pub adopt: Box<Adopt>,
    /// The time.
    pub now: Box<Clock>,
}

impl core::fmt::Debug for Machine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

impl Machine {
    /// The one that the program runs on.
    /// `folder` is where captures are kept; `None` for the usual place.
    pub fn this(folder: Option<PathBuf>) -> Self {
        let places = folder.clone();
        Self {
            devices: Box::new(capture::devices),
            counts: Box::new(capture::packet_counts),
            orphans: Box::new(move || capture::orphans(places.as_deref())),
            record: Box::new(move |wish, wake| record(wish, folder.as_deref(), wake)),
            adopt: Box::new(adopt),
            now: Box::new(now),
        }
    }
}

fn record(wish: &Wish, all: Option<&Path>, wake: Box<dyn Fn() + Send>) -> io::Result<Recording> {
    let folder = SpoolFolder::create(all, &wish.device, now())?;
    let recorder = Recorder::start(wish, folder.path(), wake)?;
    Ok(recording(recorder, folder))
}

/// A stream such as standard input, kept as a live capture is.
pub(crate) fn pipe(
    stream: Box<dyn io::Read + Send>,
    all: Option<&Path>,
    wake: Box<dyn Fn() + Send>,
) -> io::Result<Recording> {
    let folder = SpoolFolder::create(all, PIPE, now())?;
    let recorder = Recorder::from_stream(stream, folder.path(), wake)?;
    Ok(recording(recorder, folder))
}

fn recording(mut recorder: Recorder, folder: SpoolFolder) -> Recording {
    Recording {
        events: recorder.events.clone(),
        spool: recorder.spool.clone(),
        stop: Box::new(move || recorder.stop()),
        discard: Box::new(move || folder.discard()),
    }
}

fn adopt(folder: &Path) -> io::Result<Recording> {
    let owned = SpoolFolder::adopt(folder)?;
    let (_nothing, events) = bounded(1);
    Ok(Recording {
        events,
        spool: Spool::whole(folder),
        stop: Box::new(|| {}),
        discard: Box::new(move || owned.discard()),
    })
}

#[expect(clippy::disallowed_methods, reason = "a live capture and its marks happen now")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
}
