//! What the user says of a capture: of its rows marks, comments, that they are ignored, and the colours of their flows; and
//! when something was done. It lies beside the rows, never in them, and snapshots carry it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::actions::Actions;
use super::table::RowId;

/// A colour for a flow, by its number from 1: which one that is, screens choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowColour(u8);

impl FlowColour {
    /// How many there are.
    pub const COUNT: u8 = 10;

    /// The colour of this number; `None` where there is no such.
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= Self::COUNT { Some(Self(number)) } else { None }
    }

    /// All of them, by their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=Self::COUNT).map(Self)
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// What the user says of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Whether it is marked.
    pub marked: bool,
    /// Whether it is ignored: shown dimmed, and counted nowhere.
    pub ignored: bool,
    /// The colour of its flow, all rows of which have it. One row of the flow says so for all.
    pub colour: Option<FlowColour>,
    /// The comment; empty where there is none.
    pub comment: String,
}

impl Note {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.colour.is_none() && !self.is_of_row()
    }

    /// Whether something is said of the row itself, and not of its flow.
    pub fn is_of_row(&self) -> bool {
        self.marked || self.ignored || !self.comment.is_empty()
    }
}

/// The notes of all rows that have one, and when something was done; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    rows: Arc<BTreeMap<RowId, Note>>,
    actions: Actions,
}

impl Notes {
    /// What is said of a row.
    pub fn get(&self, row: RowId) -> Option<&Note> {
        self.rows.get(&row)
    }

    /// Says something of a row; nothing where `note` is empty.
    pub fn set(&mut self, row: RowId, note: Note) {
        let notes = Arc::make_mut(&mut self.rows);
        if note.is_empty() {
            notes.remove(&row);
        } else {
            notes.insert(row, note);
        }
    }

    /// All of them, by the rows' places.
    pub fn iter(&self) -> impl Iterator<Item = (RowId, &Note)> {
        self.rows.iter().map(|(row, note)| (*row, note))
    }

    /// The rows that are ignored, by their places.
    pub fn ignored(&self) -> impl Iterator<Item = RowId> {
        self.iter().filter(|(_, note)| note.ignored).map(|(row, _)| row)
    }

    /// Ignores no row any more; what else is said of rows stays.
    pub fn take_back(&mut self) {
        let notes = Arc::make_mut(&mut self.rows);
        for note in notes.values_mut() {
            note.ignored = false;
        }
        notes.retain(|_, note| !note.is_empty());
    }

    /// Colours that rows say of their flows.
    pub fn colours(&self) -> impl Iterator<Item = (RowId, FlowColour)> {
        self.iter().filter_map(|(row, note)| Some((row, note.colour?)))
    }

    /// Takes away what these rows say of the colour of their flows; what else is said of rows stays.
    pub fn uncolour(&mut self, of: impl Fn(RowId) -> bool) {
        let notes = Arc::make_mut(&mut self.rows);
        notes.iter_mut().filter(|(row, _)| of(**row)).for_each(|(_, note)| note.colour = None);
        notes.retain(|_, note| !note.is_empty());
    }

    /// When the user did something.
    pub fn actions(&self) -> &Actions {
        &self.actions
    }

    /// Says when the user did something.
    pub fn set_actions(&mut self, actions: Actions) {
        self.actions = actions;
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.actions.is_empty()
    }

    /// Puts notes below these: what is said here of a row stays, and actions are those of both.
    pub fn put_below(&mut self, others: &Self) {
        if !others.actions.is_empty() {
            let both = self.actions.moments().iter().chain(others.actions.moments()).copied();
            self.actions = Actions::new(both);
        }
        for (row, note) in others.iter() {
            if !self.rows.contains_key(&row) {
                self.set(row, note.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FlowColour, Note, Notes};
    use crate::model::Timestamp;
    use crate::store::{Actions, RowId};

    fn note(comment: &str) -> Note {
        Note { comment: comment.to_owned(), ..Note::default() }
    }

    #[test]
    fn what_is_empty_is_gone_and_copies_stay() {
        let mut notes = Notes::default();
        notes.set(RowId(3), Note { marked: true, ..Note::default() });
        let before = notes.clone();
        notes.set(RowId(3), Note::default());
        assert!(notes.is_empty());
        assert!(before.get(RowId(3)).is_some_and(|note| note.marked));
    }

    #[test]
    fn rows_taken_back_keep_what_else_is_said() {
        let mut notes = Notes::default();
        notes.set(RowId(1), Note { ignored: true, ..Note::default() });
        notes.set(RowId(2), Note { ignored: true, ..note("kept") });
        notes.set(RowId(3), note("never"));
        assert_eq!(notes.ignored().collect::<Vec<_>>(), [RowId(1), RowId(2)]);
        notes.take_back();
        assert_eq!(notes.iter().map(|(row, _)| row.0).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(notes.ignored().count(), 0);
    }

    #[test]
    fn colours_go_and_what_else_is_said_stays() {
        assert_eq!(
            [0, 1, 10, 11].map(FlowColour::new).map(|colour| colour.map(FlowColour::number)),
            [None, Some(1), Some(10), None]
        );
        let colour = FlowColour::new(3);
        let mut notes = Notes::default();
        notes.set(RowId(1), Note { colour, ..Note::default() });
        notes.set(RowId(2), Note { colour, ..note("kept") });
        assert_eq!(notes.colours().count(), 2);
        notes.uncolour(|row| row == RowId(2));
        assert_eq!(
            notes.iter().map(|(row, note)| (row.0, note.is_of_row())).collect::<Vec<_>>(),
            [(1, false), (2, true)]
        );
        notes.uncolour(|_| true);
        assert_eq!(notes.iter().map(|(row, _)| row.0).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn what_was_said_later_stays() {
        let (mut newer, mut older) = (Notes::default(), Notes::default());
        older.set(RowId(1), note("old"));
        older.set(RowId(2), note("kept"));
        older.set_actions(Actions::new([3, 1].map(Timestamp)));
        newer.set(RowId(1), note("new"));
        newer.set_actions(Actions::new([2, 3].map(Timestamp)));
        newer.put_below(&older);
        let said: Vec<_> = newer.iter().map(|(row, note)| (row.0, note.comment.as_str())).collect();
        assert_eq!(said, [(1, "new"), (2, "kept")]);
        assert_eq!(newer.actions().moments(), [1, 2, 3].map(Timestamp));
    }
}
