//! What a live capture is in the window: how it was asked for, the capture process, its marks, and whether it is saved.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::machine::Recording;
use super::text;
use crate::capture::{Keep, Wish};
use crate::export::RowsForm;
use crate::model::{Side, clean_to};
use crate::store::{Notes, RowId};

/// The word before an action's number in the filter box.
const ACTION: &str = "action:";
/// How long a capture process may take to close its files before what it wrote is deleted all the same.
pub(crate) const CLOSING: Duration = Duration::from_secs(3);

/// How much is kept, as the options offer it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeepChoice {
    /// Everything.
    #[default]
    All,
    /// The capture stops at a size.
    Stop,
    /// The newest files.
    Ring,
}

/// How to capture, as it was chosen last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaptureChoice {
    /// The interface's name; empty where none was ever chosen.
    pub device: String,
    /// The capture filter.
    pub filter: String,
    /// Whether frames for others are taken too.
    pub promiscuous: bool,
    /// Bytes kept of each frame.
    pub snap_len: u32,
    /// The kernel's buffer.
    pub buffer_mib: u32,
    /// How much is kept.
    pub keep: KeepChoice,
    /// Where the capture stops.
    pub stop_mib: u32,
    /// How large the files of a ring are.
    pub ring_mib: u32,
    /// How many files a ring has.
    pub ring_files: u32,
}

impl Default for CaptureChoice {
    fn default() -> Self {
        let Wish { device, filter, promiscuous, snap_len, buffer_mib, keep: _ } = Wish::default();
        Self {
            device,
            filter,
            promiscuous,
            snap_len,
            buffer_mib,
            keep: KeepChoice::All,
            stop_mib: 1_024,
            ring_mib: 100,
            ring_files: 10,
        }
    }
}

impl CaptureChoice {
    /// What to ask of the capture process.
    pub fn wish(&self) -> Wish {
        let keep = match self.keep {
            KeepChoice::All => Keep::All,
            KeepChoice::Stop => Keep::UpTo(self.stop_mib),
            KeepChoice::Ring => Keep::Ring { file_mib: self.ring_mib, files: self.ring_files },
        };
        Wish {
            device: self.device.clone(),
            filter: self.filter.trim().to_owned(),
            promiscuous: self.promiscuous,
            snap_len: self.snap_len,
            buffer_mib: self.buffer_mib,
            keep,
        }
    }

    /// What differs from taking everything; empty where nothing does. A remembered filter must not surprise.
    pub(crate) fn limits(&self) -> String {
        limits(&self.wish())
    }
}

/// What a wish leaves out or adds, in words.
pub(crate) fn limits(wish: &Wish) -> String {
    let mut parts = Vec::new();
    if !wish.filter.is_empty() {
        parts.push(format!("filter {}", clean_to(wish.filter.as_bytes(), 80)));
    }
    if wish.promiscuous {
        parts.push("promiscuous".to_owned());
    }
    if wish.snap_len < Wish::default().snap_len {
        parts.push(format!("{} bytes of each frame", text::count(u64::from(wish.snap_len))));
    }
    match wish.keep {
        Keep::All => {}
        Keep::UpTo(mib) => parts.push(format!("stops at {} MiB", text::count(u64::from(mib)))),
        Keep::Ring { file_mib, files } => {
            parts.push(format!("newest {files} files of {} MiB", text::count(u64::from(file_mib))));
        }
    }
    parts.join(" · ")
}

/// How far a live capture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The capture process was started and says nothing yet.
    Starting,
    /// Frames are being written.
    Running,
    /// The user stopped it, and it closes its files.
    Stopping,
    /// It ended; why, where that was not asked for.
    Ended(Option<String>),
}

/// A live capture, or what is left of one.
#[derive(Debug)]
pub(crate) struct Live {
    /// What is captured; without an interface for a capture that was left over.
    pub(crate) wish: Wish,
    pub(crate) stage: Stage,
    recording: Recording,
    /// How many frames the last saving held.
    pub(crate) saved_frames: Option<u32>,
    /// The file of the last saving: what is said of rows is kept beside it.
    pub(crate) saved_as: Option<PathBuf>,
    /// What is kept there.
    pub(crate) noted: Notes,
    /// Whether it was taken over from a program that died.
    pub(crate) left_over: bool,
}

impl Live {
    pub(crate) fn begun(wish: Wish, recording: Recording) -> Self {
        Self {
            wish,
            stage: Stage::Starting,
            recording,
            saved_frames: None,
            saved_as: None,
            noted: Notes::default(),
            left_over: false,
        }
    }

    pub(crate) fn left_over(device: &str, recording: Recording) -> Self {
        let wish = Wish { device: device.to_owned(), ..Wish::default() };
        Self {
            wish,
            stage: Stage::Ended(None),
            recording,
            saved_frames: None,
            saved_as: None,
            noted: Notes::default(),
            left_over: true,
        }
    }

    pub(crate) fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The interface's name, fit to be shown.
    pub(crate) fn device(&self) -> String {
        clean_to(self.wish.device.as_bytes(), 40).into_owned()
    }

    /// Whether the capture process lives.
    pub(crate) fn goes_on(&self) -> bool {
        match self.stage {
            Stage::Starting | Stage::Running | Stage::Stopping => true,
            Stage::Ended(_) => false,
        }
    }

    pub(crate) fn stop(&mut self) {
        if self.goes_on() {
            self.stage = Stage::Stopping;
        }
        (self.recording.stop)();
    }

    /// Whether closing would lose something, at so many frames.
    pub(crate) fn unsaved(&self, frames: u32) -> bool {
        // What was left over is there because it holds something.
        (frames > 0 || self.left_over) && self.saved_frames.is_none_or(|saved| saved < frames)
    }

    /// Ends the capture and deletes what it wrote. Waits for the process: not while painting.
    pub(crate) fn throw_away(mut self) -> std::io::Result<()> {
        (self.recording.stop)();
        // Disconnected once the files are whole; nothing is ever sent.
        let _whole = self.recording.spool.growing.recv_timeout(CLOSING);
        (self.recording.discard)()
    }
}

/// A question that stands between an unsaved capture and what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Back to the start screen.
    Close,
    /// End the program.
    Quit,
    /// Begin a live capture.
    Capture(Box<Wish>),
    /// Read a capture.
    Open(PathBuf),
    /// Read several captures, merged by time.
    Merge(Vec<PathBuf>),
    /// Take over a capture that was left behind.
    Recover(PathBuf),
}

/// Which rows leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhichRows {
    /// All that the capture has.
    All,
    /// Those that the filter keeps.
    #[default]
    Shown,
    /// Those that are selected.
    Selected,
    /// Those that are marked.
    Marked,
}

/// Rows to export, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsChoice {
    /// Which.
    pub rows: WhichRows,
    /// In which form.
    pub form: RowsForm,
    /// Whether secrets are replaced.
    pub hide: bool,
}

/// What is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SaveWhat {
    /// Everything that was captured.
    All,
    /// The frames of the rows that are shown.
    Shown,
    /// The frames of the selected row.
    Selected,
    /// Everything of a capture that was left behind.
    LeftOver(PathBuf),
    /// The picture.
    Picture,
    /// The picture with claim and excerpt.
    Bundle,
    /// Rows as text or table.
    Rows(RowsChoice),
    /// What the ends of a flow said.
    Conversation(ConversationChoice),
}

/// What of a conversation leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConversationChoice {
    /// A row of its flow.
    pub row: RowId,
    /// Only this side.
    pub side: Option<Side>,
    /// What keys opened, and not what stands on the wire.
    pub opened: bool,
}

/// A saving on its way: what, and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveWish {
    pub(crate) what: SaveWhat,
    pub(crate) then: Option<Leave>,
}

/// The words that show an action's exchanges.
pub(crate) fn action_words(number: usize) -> String {
    format!("{ACTION}{number}")
}

#[cfg(test)]
mod tests {
    use super::{CaptureChoice, KeepChoice, limits};
    use crate::capture::Keep;

    #[test]
    fn limits_are_said() {
        assert_eq!(CaptureChoice::default().limits(), "");
        let choice = CaptureChoice {
            filter: " tcp port 443 ".to_owned(),
            promiscuous: true,
            snap_len: 96,
            keep: KeepChoice::Ring,
            ..CaptureChoice::default()
        };
        assert_eq!(
            limits(&choice.wish()),
            "filter tcp port 443 · promiscuous · 96 bytes of each frame · newest 10 files of 100 MiB"
        );
        let stop = CaptureChoice { keep: KeepChoice::Stop, ..CaptureChoice::default() };
        assert_eq!(stop.wish().keep, Keep::UpTo(1_024));
    }
}
