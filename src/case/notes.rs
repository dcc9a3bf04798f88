//! Marks, comments, what is ignored and the colours of flows, between the case, which names exchanges, and a snapshot, which has rows.

use ahash::AHashMap;

use super::{Case, ExchangeRef, Mark};
use crate::store::{FlowColour, Note, Notes, RowId, Snapshot, StoreError};

/// The rows that are these exchanges; `None` for one that the capture does not have. Reads records: not while painting.
pub fn rows_of(exchanges: &[ExchangeRef], snapshot: &Snapshot) -> Vec<Option<RowId>> {
    let mut found = vec![None; exchanges.len()];
    if exchanges.is_empty() {
        return found;
    }
    let mut begins: AHashMap<u32, Vec<usize>> = AHashMap::new();
    for (at, exchange) in exchanges.iter().enumerate() {
        begins.entry(exchange.first_frame).or_default().push(at);
    }
    for (id, row) in snapshot.rows() {
        let Some(wanted) = begins.get(&row.first_frame.0) else { continue };
        let Ok(record) = snapshot.record(id) else { continue };
        let is = ExchangeRef::of(&record.exchange);
        for at in wanted {
            if exchanges.get(*at) == Some(&is)
                && let Some(place) = found.get_mut(*at)
            {
                *place = Some(id);
            }
        }
    }
    found
}

impl Case {
    /// What it says of its capture and of the rows of that. Marks of exchanges that the capture does not have stay in the case.
    pub fn notes(&self, snapshot: &Snapshot) -> Notes {
        let mut notes = Notes::default();
        notes.set_actions(self.actions.clone());
        for (mark, row) in self.marks.iter().zip(self.marked_rows(snapshot)) {
            if let Some(row) = row {
                let colour = mark.conversation.and_then(FlowColour::new);
                let (marked, ignored) = (mark.marked, mark.ignored);
                notes.set(row, Note { marked, ignored, colour, comment: mark.comment.clone() });
            }
        }
        notes
    }

    /// Takes over what is said of rows now; gives how many notes are lost because a live capture forgot their rows.
    pub fn set_notes(&mut self, notes: &Notes, snapshot: &Snapshot) -> Result<usize, StoreError> {
        let mut lost = 0;
        let mut known: AHashMap<RowId, Mark> = AHashMap::new();
        let rows = self.marked_rows(snapshot);
        let mut marks = Vec::new();
        for (mark, row) in self.marks.iter().zip(rows) {
            match row {
                Some(row) => drop(known.insert(row, mark.clone())),
                None => marks.push(mark.clone()),
            }
        }
        for (row, note) in notes.iter() {
            let mark = match known.remove(&row).map_or_else(|| new_mark(row, snapshot), Ok) {
                Ok(mark) => mark,
                Err(StoreError::Forgotten) => {
                    lost += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            marks.push(Mark {
                marked: note.marked,
                ignored: note.ignored,
                conversation: note.colour.map(FlowColour::number),
                comment: note.comment.clone(),
                ..mark
            });
        }
        self.marks = marks;
        self.actions = notes.actions().clone();
        Ok(lost)
    }

    fn marked_rows(&self, snapshot: &Snapshot) -> Vec<Option<RowId>> {
        let exchanges: Vec<ExchangeRef> = self.marks.iter().map(|mark| mark.exchange).collect();
        rows_of(&exchanges, snapshot)
    }
}

fn new_mark(row: RowId, snapshot: &Snapshot) -> Result<Mark, StoreError> {
    let exchange = ExchangeRef::of(&snapshot.record(row)?.exchange);
    let (comment, other) = (String::new(), serde_json::Map::new());
    Ok(Mark { exchange, marked: false, ignored: false, conversation: None, comment, other })
}
