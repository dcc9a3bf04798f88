//! What travels between the engine and the fronts.

use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender};

use crate::capture::{Place, Spool};
use crate::model::{FrameHead, MessageList};
use crate::store::Snapshot;

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A capture file.
    File(PathBuf),
    /// Several capture files, merged by time.
    Files(Vec<PathBuf>),
    /// Standard input.
    Stdin,
    /// A live capture, or what is left of one.
    Live(Spool),
}

impl Source {
    /// A file, or several that are merged.
    pub fn of_files(mut files: Vec<PathBuf>) -> Self {
        match files.pop() {
            Some(only) if files.is_empty() => Self::File(only),
            last => {
                files.extend(last);
                Self::Files(files)
            }
        }
    }

    /// Where its frames are read again; `Err` where its bytes are gone.
    pub fn place(&self) -> Result<Place<'_>, DetailError> {
        match self {
            Self::File(path) => Ok(path.into()),
            Self::Files(paths) => Ok(Place::Merged(paths)),
            Self::Live(spool) => Ok((&spool.folder).into()),
            Self::Stdin => Err(DetailError::NotKept),
        }
    }

    /// The one file that its bytes stand in; `None` where it has none, or several. Looks into a spool's folder.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Live(spool) => match spool.files().ok()?.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
            Self::Files(_) | Self::Stdin => None,
        }
    }

    /// What to call it on screen.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Files(paths) => {
                let last =
                    |path: &PathBuf| path.file_name().map_or_else(String::new, |name| name.display().to_string());
                let names: Vec<String> = paths.iter().take(3).map(last).collect();
                let more = paths.len().saturating_sub(names.len());
                let names = names.join(" + ");
                if more > 0 { format!("{names} + {more} more") } else { names }
            }
            Self::Stdin => "standard input".to_owned(),
            Self::Live(spool) => spool.folder.display().to_string(),
        }
    }
}

/// Which `Open` something is of. The front counts them: what the engine says of a capture that was left is known as such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenNo(pub u32);

/// What a front asks of the engine. Nothing else changes the analysis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Drop what is there and read this.
    Open(OpenNo, Source),
    /// The TLS key log to decrypt with from the next `Open` on.
    KeyLog(Option<PathBuf>),
    /// Stop reading; what was read stays.
    Stop,
}

/// Things that happened once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A capture was opened; its name.
    Opened(String),
    /// Reading ended (whole, stopped, or with the damage that the facts list).
    Ended,
    /// The key log cannot be used: nothing is decrypted with it any more.
    NoKeys {
        /// Why.
        why: String,
    },
    /// Something could not be done.
    Failed {
        /// What was tried.
        doing: String,
        /// Why it failed, and what to do.
        why: String,
    },
}

/// A front's end of the engine's channels.
#[derive(Clone, Debug)]
pub struct Handle {
    /// Commands to the engine.
    pub commands: Sender<Command>,
    /// Notices from it, each with the `Open` that it is of.
    pub notices: Receiver<(OpenNo, Notice)>,
    /// The newest snapshot, with the `Open` that it is of; room for one, a newer one replaces it.
    pub snapshots: Receiver<(OpenNo, Snapshot)>,
}

/// What a pane shows of one exchange beside its record: read again from the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowDetail {
    /// The request's body, decoded; `None` where there is none or it could not be read.
    pub request_body: Option<Vec<u8>>,
    /// The response's body, decoded; `None` where there is none or it could not be read.
    pub response_body: Option<Vec<u8>>,
    /// The messages of its WebSocket, where it opened one.
    pub messages: MessageList,
    /// Frames of the exchange, at most 2,000, ascending.
    pub frames: Vec<(FrameHead, Vec<u8>)>,
}

/// Why a row's detail could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DetailError {
    /// The capture can no longer be read.
    #[error(transparent)]
    Capture(#[from] crate::capture::CaptureError),
    /// The capture came from a stream and is gone.
    #[error("the bytes are not kept: the capture was read from standard input")]
    NotKept,
    /// Its flow still goes on.
    #[error("shown when reading has come to the end of this connection")]
    NotYet,
    /// The store cannot say which frames.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl DetailError {
    /// Why, without the path: where a path is no business of who reads it.
    pub fn reason(&self) -> String {
        match self {
            Self::Capture(error) => error.reason(),
            Self::NotKept | Self::NotYet | Self::Store(_) => self.to_string(),
        }
    }
}
