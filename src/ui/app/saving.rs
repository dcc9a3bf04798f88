//! Saving: where to, whether a file may be replaced, and what follows.

use std::path::{Path, PathBuf};

use super::Desk;
use crate::capture::Spool;
use crate::case::RedactionChoice;
use crate::engine::Source;
use crate::export::RowsForm;
use crate::model::{Side, clean_to};
use crate::store::{RowId, Snapshot};
use crate::ui::jobs::{Picked, Save, SaveFault, Saved, TableWish, Take};
use crate::ui::live::{RowsChoice, SaveWhat, SaveWish, WhichRows};
use crate::ui::state::{Dialog, PathPurpose, Wanted};

/// Why our own question for a path is asked.
const NO_DIALOG: &str = "This desktop offers no file dialog (neither a portal nor zenity).";

impl Desk {
    /// Takes what the desktop's dialog said.
    pub(super) fn picked(&mut self, picked: Picked) {
        let wanted = self.state.dialog_open.take();
        match (picked, wanted) {
            (Picked::File(path), Some(Wanted::Save(wish))) => self.save_to(path, wish, false),
            (Picked::File(path), Some(Wanted::Verify)) => self.give(vec![path], Take::ToVerify),
            (Picked::File(path), Some(Wanted::KeyLog)) => self.give(vec![path], Take::ToDecrypt),
            (Picked::File(path), Some(Wanted::Compare)) => self.compare_with(path),
            (Picked::File(path), Some(Wanted::Open) | None) => self.give(vec![path], Take::ByContent),
            (Picked::Files(files), Some(Wanted::Open) | None) => self.give(files, Take::ByContent),
            // Only one can be chosen there.
            (Picked::Files(_), Some(Wanted::Save(_) | Wanted::Verify | Wanted::KeyLog | Wanted::Compare))
            | (Picked::Cancelled, _) => {}
            (Picked::NoDialog, Some(Wanted::Save(wish))) => {
                let text = self.offered_name(&wish);
                let note = Some(format!("{NO_DIALOG} Type the path of the new file."));
                self.state.dialog = Some(Dialog::SavePath { text, note, wish });
            }
            (
                Picked::NoDialog,
                wanted @ (Some(Wanted::Open | Wanted::Verify | Wanted::KeyLog | Wanted::Compare) | None),
            ) => {
                let purpose = match wanted {
                    Some(Wanted::Verify) => PathPurpose::Verify,
                    Some(Wanted::KeyLog) => PathPurpose::KeyLog,
                    Some(Wanted::Compare) => PathPurpose::Compare,
                    Some(Wanted::Open | Wanted::Save(_)) | None => PathPurpose::Open,
                };
                let note = Some(format!("{NO_DIALOG} Type the path, or drop the file on the window."));
                self.state.dialog = Some(Dialog::Path { text: String::new(), note, purpose });
            }
        }
    }

    /// Asks which rows to export: what is shown, unless nothing is.
    pub(super) fn ask_export(&mut self) {
        if self.capture.source.is_none() {
            return;
        }
        let rows = if self.capture.order.is_empty() { WhichRows::All } else { WhichRows::Shown };
        let choice = RowsChoice { rows, form: RowsForm::Csv, hide: self.state.preferences.redaction.on };
        self.state.dialog = Some(Dialog::Export(choice));
    }

    /// The rows of a choice; `None` for all.
    fn rows_of(&self, which: WhichRows) -> Option<Vec<RowId>> {
        match which {
            WhichRows::All => None,
            WhichRows::Shown => Some(self.capture.order.iter().map(|id| RowId(*id)).collect()),
            WhichRows::Selected => Some(self.chosen()),
            WhichRows::Marked => {
                let notes = self.capture.notes.iter();
                Some(notes.filter(|(_, note)| note.marked).map(|(row, _)| row).collect())
            }
        }
    }

    /// Rows that are marked.
    pub(super) fn marked_rows(&self) -> usize {
        self.capture.notes.iter().filter(|(_, note)| note.marked).count()
    }

    /// A name for the file: interface and beginning, so that no two are alike.
    pub(super) fn offered_name(&self, wish: &SaveWish) -> String {
        if let SaveWhat::Picture | SaveWhat::Bundle = wish.what {
            let ending = if wish.what == SaveWhat::Bundle { "nephoscope.zip" } else { "png" };
            return format!("{}.{ending}", self.composer.stem());
        }
        let (device, began) = match &wish.what {
            SaveWhat::LeftOver(folder) => {
                let orphan = self.interfaces.orphans.iter().find(|orphan| orphan.folder == *folder);
                (orphan.map(|o| o.device.clone()), orphan.map(|o| o.began))
            }
            SaveWhat::All
            | SaveWhat::Shown
            | SaveWhat::Selected
            | SaveWhat::Picture
            | SaveWhat::Bundle
            | SaveWhat::Conversation(_)
            | SaveWhat::Rows(_) => (Some(self.capture.name.clone()), self.capture.newest().facts().capture.first_time),
        };
        let device: String = device
            .unwrap_or_default()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
            .take(60)
            .collect();
        let device = device.trim_end_matches(".pcapng").trim_end_matches(".pcap").trim_end_matches(".har");
        let began = began.map(|t| format!("-{}-{}", t.date(), t.time_of_day(0).replace(':', ""))).unwrap_or_default();
        let part = match wish.what {
            SaveWhat::Shown => "-shown",
            SaveWhat::Selected => "-selected",
            SaveWhat::Rows(choice) => {
                let part = match choice.rows {
                    WhichRows::All => "",
                    WhichRows::Shown => "-shown",
                    WhichRows::Selected => "-selected",
                    WhichRows::Marked => "-marked",
                };
                return format!("{device}{began}{part}.{}", choice.form.ending());
            }
            SaveWhat::Conversation(choice) => {
                let side = match choice.side {
                    None => "",
                    Some(Side::Client) => "-client",
                    Some(Side::Server) => "-server",
                };
                return format!("{device}{began}-conversation{side}.bin");
            }
            SaveWhat::All | SaveWhat::LeftOver(_) | SaveWhat::Picture | SaveWhat::Bundle => "",
        };
        format!("{device}{began}{part}.pcapng")
    }

    pub(super) fn save_to(&mut self, path: PathBuf, wish: SaveWish, replace: bool) {
        if let SaveWhat::Picture | SaveWhat::Bundle = wish.what {
            return self.save_picture(path, &wish.what, replace);
        }
        let rows = match &wish.what {
            SaveWhat::Shown => Some(self.capture.order.iter().map(|id| RowId(*id)).collect()),
            SaveWhat::Selected => Some(self.chosen()),
            SaveWhat::Rows(choice) => self.rows_of(choice.rows),
            SaveWhat::All
            | SaveWhat::LeftOver(_)
            | SaveWhat::Picture
            | SaveWhat::Bundle
            | SaveWhat::Conversation(_) => None,
        };
        let source = match &wish.what {
            SaveWhat::LeftOver(folder) => Some(Source::Live(Spool::whole(folder))),
            SaveWhat::All
            | SaveWhat::Shown
            | SaveWhat::Selected
            | SaveWhat::Picture
            | SaveWhat::Bundle
            | SaveWhat::Conversation(_)
            | SaveWhat::Rows(_) => self.capture.source.clone(),
        };
        let Some(source) = source else { return };
        let snapshot = match &wish.what {
            // Nobody said anything of it yet.
            SaveWhat::LeftOver(_) => Snapshot::empty(),
            _ => self.capture.newest().clone(),
        };
        let table = match &wish.what {
            SaveWhat::Rows(choice) => {
                let redaction =
                    choice.hide.then(|| RedactionChoice { on: true, ..self.state.preferences.redaction.clone() });
                let filter = match choice.rows {
                    WhichRows::Shown => self.state.choice.filter.clone(),
                    WhichRows::All | WhichRows::Selected | WhichRows::Marked => String::new(),
                };
                let headers = self.state.saved.header_columns();
                Some(TableWish { form: choice.form, filter, headers, redaction })
            }
            SaveWhat::All
            | SaveWhat::Shown
            | SaveWhat::Selected
            | SaveWhat::LeftOver(_)
            | SaveWhat::Picture
            | SaveWhat::Conversation(_)
            | SaveWhat::Bundle => None,
        };
        let conversation = if let SaveWhat::Conversation(choice) = wish.what { Some(choice) } else { None };
        let to = match (&table, path.extension()) {
            (Some(table), None) => path.with_extension(table.form.ending()),
            _ => path,
        };
        let save = Save { source, snapshot, rows, table, conversation, to, replace };
        match self.jobs.ask_save(save, (self.capture.number, wish), &self.wake) {
            Ok(()) => self.saving = true,
            Err(error) => self.fail("save", &error.to_string()),
        }
    }

    /// Takes what became of a saving.
    pub(super) fn saved(&mut self, saved: Saved) {
        self.saving = false;
        let Saved { capture, wish, to, frames, whole, result } = saved;
        let written = result.is_ok();
        self.file_written(&to, wish.clone(), result);
        if written {
            match &wish.what {
                SaveWhat::All if capture == self.capture.number => {
                    if let Some(live) = &mut self.live {
                        live.saved_frames = Some(if whole { u32::MAX } else { frames });
                        live.saved_as = Some(to.clone());
                    }
                    self.keep_notes_with(&to, true);
                    self.state.saved.remember(&to);
                }
                SaveWhat::LeftOver(folder) => self.saved_left_over(&folder.clone()),
                SaveWhat::All
                | SaveWhat::Shown
                | SaveWhat::Selected
                | SaveWhat::Picture
                | SaveWhat::Bundle
                | SaveWhat::Conversation(_)
                | SaveWhat::Rows(_) => {}
            }
            if let Some(then) = wish.then.filter(|_| capture == self.capture.number) {
                // Asks again where frames came meanwhile.
                self.leave(then);
            }
        }
    }

    /// Says what became of writing a file; asks where there is one of its name.
    pub(super) fn file_written(&mut self, to: &Path, wish: SaveWish, result: Result<(), SaveFault>) {
        let name = clean_to(to.as_os_str().as_encoded_bytes(), 200).into_owned();
        match result {
            Err(SaveFault::Exists) => self.state.dialog = Some(Dialog::Replace { path: to.to_owned(), wish }),
            Err(SaveFault::Other(why)) => self.fail(&format!("save {name}"), &why),
            Ok(()) => self.state.said = Some(format!("Saved {name}")),
        }
    }

    /// What was left behind and is saved now need not be offered again.
    fn saved_left_over(&mut self, folder: &Path) {
        let Some(machine) = self.machine.clone() else { return };
        if let Err(error) = (machine.adopt)(folder).and_then(|recording| (recording.discard)()) {
            self.fail("delete the capture that was left behind and is saved now", &error.to_string());
        }
        self.interfaces.orphans.retain(|orphan| orphan.folder != folder);
        self.look_again();
    }
}
