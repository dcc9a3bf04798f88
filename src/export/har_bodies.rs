//! What the rows of an archive carried: read once, learned from, and kept until their entries are written.
//!
//! Comes in: a capture and its rows. Goes out: for each row its bodies and messages, or why they were not read. Never: more memory than a
//! constant; what is over waits in a temporary file without a name.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use ahash::AHashMap;
use tempfile::SpooledTempFile;

use super::{BodySource, ExportError, Redactor};
use crate::engine::{RowDetail, RowsWanted};
use crate::model::MessageList;
use crate::store::{RowId, Snapshot};

/// Bytes that are kept in memory.
const IN_MEMORY: usize = 32 << 20;

/// What a message takes beside its bytes.
const MESSAGE_BYTES: usize = 128;

/// What is known of what a row carried.
pub(super) enum Found {
    /// What was read.
    Read(RowDetail),
    /// Why it was not read.
    Unread(String),
    /// Nobody asked for it.
    NotAsked,
}

/// Where what a row carried waits: from an offset on the bodies, then the messages.
struct Kept {
    at: u64,
    bodies: [Option<usize>; 2],
    /// Without their bytes.
    messages: MessageList,
    payloads: Vec<usize>,
}

/// What all rows carried.
pub(super) struct Archive {
    file: SpooledTempFile,
    len: u64,
    /// Bytes taken, those of the messages' list included.
    taken: u64,
    places: AHashMap<RowId, Result<Kept, String>>,
    /// Exchanges of which it was not read.
    pub(super) unread: u64,
    /// Why not of the first of them, with the path.
    pub(super) why: Option<String>,
}

impl Archive {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        let file = SpooledTempFile::new(IN_MEMORY);
        Self { file, len: 0, taken: 0, places: AHashMap::new(), unread: 0, why: None }
    }

    /// Reads what the rows carried, and lets the redactor learn the secrets in them.
    pub(super) fn fill(
        &mut self,
        source: BodySource<'_>,
        snapshot: &Snapshot,
        wanted: RowsWanted,
        redactor: &mut Redactor,
    ) -> Result<(), ExportError> {
        let most = source.budget.archive_bytes;
        wanted.read(source.capture, snapshot, source.budget, |row, read| {
            let kept = match read {
                Ok(read) => {
                    let payloads = || read.messages.messages.iter().map(|message| &message.payload);
                    let texts = || read.request_body.iter().chain(&read.response_body).chain(payloads());
                    texts().for_each(|text| redactor.learn_text(text));
                    let bytes = texts().map(Vec::len).sum::<usize>() + payloads().count() * MESSAGE_BYTES;
                    if self.taken.saturating_add(bytes as u64) > most {
                        let why = format!("what is before it fills the {} GiB that an archive may have", most >> 30);
                        self.miss(why.clone(), why)
                    } else {
                        self.taken += bytes as u64;
                        Ok(self.keep(read)?)
                    }
                }
                Err(error) => self.miss(error.reason(), error.to_string()),
            };
            self.places.insert(row, kept);
            Ok(())
        })
    }

    /// A row that was not read: the reason for the document, and the whole of it for the user.
    fn miss(&mut self, reason: String, whole: String) -> Result<Kept, String> {
        self.unread += 1;
        self.why.get_or_insert(whole);
        Err(reason)
    }

    fn keep(&mut self, read: RowDetail) -> io::Result<Kept> {
        let at = self.len;
        let RowDetail { request_body, response_body, mut messages, .. } = read;
        let bodies = [request_body, response_body];
        let payloads: Vec<Vec<u8>> = messages.messages.iter_mut().map(|m| std::mem::take(&mut m.payload)).collect();
        for piece in bodies.iter().flatten().chain(&payloads) {
            self.file.write_all(piece)?;
            self.len += piece.len() as u64;
        }
        let bodies = bodies.map(|body| body.map(|body| body.len()));
        Ok(Kept { at, bodies, messages, payloads: payloads.iter().map(Vec::len).collect() })
    }

    /// What is known of a row; once.
    pub(super) fn find(&mut self, row: RowId) -> io::Result<Found> {
        let kept = match self.places.remove(&row) {
            None => return Ok(Found::NotAsked),
            Some(Err(why)) => return Ok(Found::Unread(why)),
            Some(Ok(kept)) => kept,
        };
        let Kept { at, bodies: [request, response], mut messages, payloads } = kept;
        self.file.seek(SeekFrom::Start(at))?;
        let request_body = request.map(|len| self.next(len)).transpose()?;
        let response_body = response.map(|len| self.next(len)).transpose()?;
        for (message, len) in messages.messages.iter_mut().zip(payloads) {
            message.payload = self.next(len)?;
        }
        Ok(Found::Read(RowDetail { request_body, response_body, messages, frames: Vec::new() }))
    }

    fn next(&mut self, len: usize) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; len];
        self.file.read_exact(&mut piece)?;
        Ok(piece)
    }
}
