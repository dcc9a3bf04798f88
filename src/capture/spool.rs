//! Where a live capture is kept while it goes on: a folder with the files that the capture process writes, one of them or
//! a ring.
//!
//! The folder is locked as long as a window owns it. A folder without owner is left over from a program that died.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use crossbeam_channel::Receiver;

/// The folder of a capture, and whether it still grows.
#[derive(Clone, Debug)]
pub struct Spool {
    /// The folder.
    pub folder: PathBuf,
    /// Nothing is ever sent here. While the sender lives the files grow; once it is dropped they are whole.
    pub growing: Receiver<Infallible>,
}

impl PartialEq for Spool {
    fn eq(&self, other: &Self) -> bool {
        self.folder == other.folder && self.growing.same_channel(&other.growing)
    }
}

impl Eq for Spool {}

impl Spool {
    /// A folder whose files do not grow any more.
    pub fn whole(folder: &Path) -> Self {
        let (_dropped, growing) = crossbeam_channel::bounded(0);
        Self { folder: folder.to_owned(), growing }
    }
}
