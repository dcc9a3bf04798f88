//! Files that were given: a capture is opened, a picture, bundle or claim is checked.

use std::path::PathBuf;

use super::Desk;
use crate::engine::Source;
use crate::ui::jobs::{Found, Given, Take};
use crate::ui::live::Leave;
use crate::ui::state::Dialog;

/// Files that are looked at at the same time: more would only wait for the same disk.
const MOST_LOOKS: usize = 4;

impl Desk {
    /// Looks at files that were dropped, chosen or typed, and opens or checks what they are.
    pub(crate) fn give(&mut self, files: Vec<PathBuf>, take: Take) {
        self.state.dialog = None;
        if self.looks >= MOST_LOOKS {
            self.fail("look at the file", "others are still being looked at; try again when that is done");
            return;
        }
        let snapshot = self.capture.newest();
        let on_screen = match &self.capture.source {
            // One that still grows has no digest.
            Some(Source::Live(_)) if !snapshot.progress().done => None,
            source => source.clone().map(|source| (source, snapshot.facts().sha256)),
        };
        self.given += 1;
        let given = Given { number: self.given, files, take, on_screen };
        match self.jobs.ask_look(given, &self.wake) {
            Ok(()) => self.looks += 1,
            Err(error) => self.fail("look at the file", &error.to_string()),
        }
    }

    /// Takes what was found out about the files given. What was given since counts alone.
    pub(super) fn found(&mut self, found: Found) {
        match found {
            Found::Capture { number, path } => {
                self.looks -= 1;
                if number == self.given {
                    self.leave(Leave::Open(path));
                }
            }
            Found::Checking { number, name } => {
                if number == self.given {
                    self.state.dialog = Some(Dialog::Verifying { number, name });
                }
            }
            Found::Verified { number, verified } => {
                self.looks -= 1;
                // Whoever closed the dialog does not want to know any more.
                if matches!(self.state.dialog, Some(Dialog::Verifying { number: shown, .. }) if shown == number) {
                    self.state.dialog = Some(Dialog::Verified(verified));
                }
            }
        }
    }
}
