//! What the user says of a row, and which program had its connection, as all forms of rows write it.
//!
//! Comes in: a listing, what hides secrets. Goes out: texts. Never: a secret that is hidden elsewhere.

use std::borrow::Cow;

use super::{ExportError, Listing, Redactor};
use crate::store::{RowId, Snapshot};

/// Learns the secrets of all listed rows; where the user says something of one, those of the others too: it may name them.
pub(super) fn learn(listing: &Listing<'_>, redactor: &mut Redactor) -> Result<(), ExportError> {
    let snapshot = listing.snapshot;
    let is_said = |id: RowId| snapshot.note(id).is_some_and(|note| !note.comment.is_empty());
    if listing.rows().any(|(_, id)| is_said(id)) {
        for (id, _) in snapshot.rows() {
            redactor.learn(&snapshot.record(id)?);
        }
        return Ok(());
    }
    for (_, id) in listing.rows() {
        redactor.learn(&snapshot.record(id)?);
    }
    Ok(())
}

/// What the user says of a row. A secret that is hidden elsewhere is hidden there too.
pub(super) fn comment_of<'a>(snapshot: &'a Snapshot, id: RowId, redactor: &mut Option<&mut Redactor>) -> Cow<'a, str> {
    hidden(snapshot.note(id).map_or("", |note| note.comment.as_str()), "comment", redactor)
}

/// The program that had a row's connection, without the words that are hidden.
pub(super) fn process_of<'a>(snapshot: &'a Snapshot, id: RowId, redactor: &mut Option<&mut Redactor>) -> Cow<'a, str> {
    hidden(snapshot.program(id), "program's name", redactor)
}

fn hidden<'a>(text: &'a str, what: &'static str, redactor: &mut Option<&mut Redactor>) -> Cow<'a, str> {
    match redactor {
        Some(redactor) if !text.is_empty() => {
            String::from_utf8_lossy(&redactor.text(text.as_bytes(), what)).into_owned().into()
        }
        _ => text.into(),
    }
}
