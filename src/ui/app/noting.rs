//! Marks and comments on rows: making them, finding them, and keeping them beside the capture.

use std::collections::BTreeMap;
use std::path::Path;

use super::Desk;
use crate::engine::Source;
use crate::model::FlowId;
use crate::store::{Actions, FlowColour, Note, Notes, RowId, Snapshot};
use crate::ui::action::NoteAction;
use crate::ui::compose::Document;
use crate::ui::compose::studio::{self, Carried};
use crate::ui::state::{Dialog, View};
use crate::ui::text::plural;

/// Whether the notes kept beside the capture were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kept {
    #[default]
    Unread,
    Asked,
    Read,
}

/// Exchanges that something is said of at once.
const MOST_NOTED: usize = 20_000;

impl Desk {
    /// Makes something of marks and comments happen.
    pub(super) fn note_action(&mut self, action: NoteAction) {
        match action {
            NoteAction::Next => self.select_marked(|from, at| at > from, false),
            NoteAction::Previous => self.select_marked(|from, at| at < from, true),
            NoteAction::Say { row, comment } => {
                self.state.dialog = None;
                let rows = self.chosen_with(row);
                self.say_of(&rows, |note| comment.clone_into(&mut note.comment));
            }
            NoteAction::TakeBack => self.take_back(),
            NoteAction::Uncolour => self.uncolour(),
            NoteAction::Colour(colour) => self.colour(colour),
            NoteAction::Mark | NoteAction::Ignore | NoteAction::Comment => {
                let Some(row) = self.state.selected else {
                    self.state.said = Some("Select an exchange first".to_owned());
                    return;
                };
                let rows = self.chosen();
                // Of several all become what they are not all.
                let all = |is: fn(&Note) -> bool| rows.iter().all(|row| self.capture.notes.get(*row).is_some_and(is));
                if action == NoteAction::Mark {
                    let marked = !all(|note| note.marked);
                    self.say_of(&rows, |note| note.marked = marked);
                } else if action == NoteAction::Ignore {
                    let ignored = !all(|note| note.ignored);
                    self.say_of(&rows, |note| note.ignored = ignored);
                } else {
                    let said = |row: &RowId| self.capture.notes.get(*row).map_or("", |note| note.comment.as_str());
                    let differ = rows.iter().any(|other| said(other) != said(&row));
                    let before = if differ { String::new() } else { said(&row).to_owned() };
                    self.state.dialog = Some(Dialog::Comment { row, text: before.clone(), before, differ });
                }
            }
        }
    }

    /// Ignores no row any more.
    fn take_back(&mut self) {
        let ignored = self.capture.notes.ignored().count() as u64;
        if ignored == 0 {
            self.state.said = Some("No row is ignored; Ctrl+D ignores".to_owned());
            return;
        }
        let mut notes = self.capture.notes.clone();
        notes.take_back();
        self.set_notes(notes);
        self.keep_notes();
        self.state.said = Some(format!("{} taken back", plural(ignored, "exchange", "exchanges")));
    }

    /// Gives the flows of what is selected a colour, or takes it away.
    fn colour(&mut self, colour: Option<FlowColour>) {
        let snapshot = self.capture.newest();
        let mut flows: BTreeMap<FlowId, RowId> = BTreeMap::new();
        for row in self.chosen() {
            if let Some(flow) = snapshot.flow(row) {
                flows.entry(flow).or_insert(row);
            }
        }
        if flows.is_empty() {
            self.state.said = Some("Select an exchange first".to_owned());
            return;
        }
        let mut notes = self.capture.notes.clone();
        notes.uncolour(|other| snapshot.flow(other).is_some_and(|flow| flows.contains_key(&flow)));
        if colour.is_some() {
            for row in flows.into_values() {
                let note = notes.get(row).cloned().unwrap_or_default();
                notes.set(row, Note { colour, ..note });
            }
        }
        if notes != self.capture.notes {
            self.set_notes(notes);
            self.keep_notes();
        }
    }

    /// Takes the colours of all flows away.
    fn uncolour(&mut self) {
        let coloured = self.capture.newest().coloured() as u64;
        let mut notes = self.capture.notes.clone();
        notes.uncolour(|_| true);
        if notes == self.capture.notes {
            self.state.said = Some("No conversation has a colour; Ctrl+Alt+1 gives the first".to_owned());
            return;
        }
        self.set_notes(notes);
        self.keep_notes();
        let what = plural(coloured, "conversation has", "conversations have");
        self.state.said = Some(format!("{what} no colour any more"));
    }

    /// Says when something was done.
    pub(super) fn say_actions(&mut self, actions: Actions) {
        let mut notes = self.capture.notes.clone();
        notes.set_actions(actions);
        if notes != self.capture.notes {
            self.set_notes(notes);
            self.keep_notes();
        }
    }

    fn say_of(&mut self, rows: &[RowId], say: impl Fn(&mut Note)) {
        if rows.len() > MOST_NOTED {
            self.state.said =
                Some(format!("Select at most {MOST_NOTED} exchanges: each note is kept in the case file"));
            return;
        }
        let mut notes = self.capture.notes.clone();
        for row in rows {
            let mut note = notes.get(*row).cloned().unwrap_or_default();
            say(&mut note);
            notes.set(*row, note);
        }
        if notes != self.capture.notes {
            self.set_notes(notes);
            self.keep_notes();
        }
    }

    fn set_notes(&mut self, notes: Notes) {
        let capture = &mut self.capture;
        for snapshot in [Some(&mut capture.snapshot), capture.held.as_mut()].into_iter().flatten() {
            *snapshot = core::mem::take(snapshot).with_notes(notes.clone());
        }
        capture.notes = notes;
    }

    /// A snapshot as the window shows it.
    pub(super) fn noted(&self, snapshot: Snapshot) -> Snapshot {
        snapshot.with_notes(self.capture.notes.clone())
    }

    /// Selects the nearest marked row of those shown that stands so to the selected one; at the end begins again.
    fn select_marked(&mut self, is_beyond: impl Fn(usize, usize) -> bool, backwards: bool) {
        let order = &self.capture.order;
        let marked = |id: &u32| self.capture.notes.get(RowId(*id)).is_some_and(|note| note.marked);
        let mut places: Vec<usize> = order.iter().enumerate().filter(|(_, id)| marked(id)).map(|(at, _)| at).collect();
        if backwards {
            places.reverse();
        }
        let selected = self.state.selected.and_then(|row| order.iter().position(|id| *id == row.0));
        let beyond = selected.and_then(|from| places.iter().find(|at| is_beyond(from, **at)));
        let Some(at) = beyond.or_else(|| places.first()).copied() else {
            self.state.said = Some("No row that is shown is marked; Ctrl+M marks".to_owned());
            return;
        };
        if let Some(id) = self.capture.order.get(at).copied() {
            self.state.view = View::Exchanges;
            self.select(RowId(id));
            self.state.table.cursor = self.line_of(at);
            self.state.table.reveal = true;
        }
    }

    /// What is said and made of the capture on screen, to be put on its exchanges again when it has been read anew.
    pub(super) fn carry(&mut self) -> Vec<Carried> {
        let mut carried = core::mem::take(&mut self.capture.carried);
        let document = self.composer.document.clone();
        if let Some(of) = self.of()
            && (!self.capture.notes.is_empty() || !document.rows.is_empty())
        {
            carried.push(Carried { from: of.snapshot, document });
        }
        carried
    }

    /// Asks where that stands now, as soon as as many frames are read as there were.
    fn ask_carried(&mut self) {
        let read = self.capture.newest().facts().capture.frames;
        let wanted = self.capture.carried.iter().map(|carried| carried.from.facts().capture.frames).max();
        let done = !self.capture.reading && self.capture.newest().progress().done;
        if self.studio.noting || !(done || wanted.is_some_and(|wanted| read >= wanted)) {
            return;
        }
        if let Some(of) = self.of() {
            let ask = studio::Ask::Carry(of, core::mem::take(&mut self.capture.carried));
            self.studio.noting = self.studio.keep(ask);
        }
    }

    /// Takes what was said and made of the capture when it was read before; what was said of a row meanwhile stays.
    pub(super) fn carried(&mut self, notes: &Notes, document: Document, lost: usize) {
        let mut all = self.capture.notes.clone();
        all.put_below(notes);
        if all != self.capture.notes {
            self.set_notes(all);
            self.keep_notes();
        }
        if !self.composer.loaded && !document.rows.is_empty() {
            let added = core::mem::replace(&mut self.composer.document, document).rows;
            for row in added {
                self.composer.add(row);
            }
        }
        if lost > 0 {
            let what = plural(lost as u64, "exchange", "exchanges");
            self.fail(
                "",
                &format!("What was said or shown of {what} is gone: the capture does not have them any more"),
            );
        }
    }

    /// Asks for what is kept beside the capture, once it is read whole.
    pub(super) fn ask_notes(&mut self) {
        if !self.capture.carried.is_empty() {
            return self.ask_carried();
        }
        if self.capture.kept != Kept::Unread || self.capture.reading || !self.capture.newest().progress().done {
            return;
        }
        if !matches!(self.capture.source, Some(Source::File(_))) {
            self.capture.kept = Kept::Read;
        } else if self.of().is_some_and(|of| self.studio.ask(studio::Ask::Notes(of))) {
            self.capture.kept = Kept::Asked;
            self.studio.noting = true;
        }
    }

    /// Takes what is kept beside the capture; what was said of a row meanwhile stays.
    pub(super) fn notes_read(&mut self, kept: &Notes, messages: &[String]) {
        self.capture.kept = Kept::Read;
        let mut notes = self.capture.notes.clone();
        notes.put_below(kept);
        if notes != self.capture.notes {
            self.set_notes(notes);
        }
        if self.capture.notes != *kept {
            self.keep_notes();
        }
        if !messages.is_empty() {
            self.fail("", &messages.join(". "));
        }
    }

    fn keep_notes(&mut self) {
        if let Some(path) = self.live.as_ref().and_then(|live| live.saved_as.clone()) {
            return self.keep_notes_with(&path, false);
        }
        if matches!(self.capture.source, Some(Source::Files(_))) {
            // There is no one file that it could lie beside.
            self.state.said =
                Some("Not kept: these are several files; save them as one (Ctrl+S), and open that".to_owned());
            return;
        }
        // What is there must be known before it is written over.
        if self.capture.kept == Kept::Read
            && let Some(of) = self.of()
            && !self.studio.keep(studio::Ask::Keep(of, studio::Kept::Notes))
        {
            self.fail("keep it beside the capture", "its thread is gone; start the program again");
        }
    }

    /// A capture was saved: what is said of its rows is kept beside the file, which may have been `written` just now.
    pub(super) fn keep_notes_with(&mut self, path: &Path, written: bool) {
        let known = self.live.as_ref().is_some_and(|live| live.noted == self.capture.notes);
        if self.capture.notes.is_empty() && (known || self.live.is_none()) {
            return;
        }
        let Some(of) = self.of() else { return };
        if !self.studio.keep(studio::Ask::KeepWith { of, path: path.to_owned(), written }) {
            self.fail("keep it beside the capture", "its thread is gone; start the program again");
        } else if let Some(live) = &mut self.live {
            live.noted = self.capture.notes.clone();
        }
    }
}
