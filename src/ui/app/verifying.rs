//! Files that were given: a capture is opened, a picture, bundle or claim is checked, a key log is used.

use std::path::PathBuf;

use super::Desk;
use crate::capture::is_open_to_others;
use crate::engine::{Command, OpenNo, Source};
use crate::ui::jobs::{Found, Given, Take};
use crate::ui::live::{Leave, Stage};
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
        let key_log = self.key_log.clone();
        self.given += 1;
        let given = Given { number: self.given, files, take, on_screen, key_log };
        match self.jobs.ask_look(given, &self.wake) {
            Ok(()) => self.looks += 1,
            Err(error) => self.fail("look at the file", &error.to_string()),
        }
    }

    /// Decrypts with a key log from now on; the capture on screen is read again.
    pub fn use_keys(&mut self, path: PathBuf) {
        let open_to_others = is_open_to_others(&path);
        self.use_good_keys(path, open_to_others);
    }

    fn use_good_keys(&mut self, path: PathBuf, open_to_others: bool) {
        let said = if open_to_others {
            "Others on this machine can read the key log, and with it all that it opens"
        } else {
            "Decrypting with the key log"
        };
        self.decrypt_with(Some(path));
        self.state.said = Some(said.to_owned());
    }

    /// Decrypts with no key log any more; the capture on screen is read again, where there was one.
    pub(super) fn use_no_keys(&mut self) {
        if self.key_log.is_some() {
            self.decrypt_with(None);
            self.state.said = Some("No key log is used any more".to_owned());
        }
    }

    fn decrypt_with(&mut self, keys: Option<PathBuf>) {
        self.state.dialog = None;
        self.key_log.clone_from(&keys);
        let mut sent = self.engine.commands.try_send(Command::KeyLog(keys)).is_ok();
        let source = self.capture.source.clone();
        // One that is only being started is opened when its first frames are there.
        let starting = self.live.as_ref().is_some_and(|live| live.stage == Stage::Starting);
        if let Some(source) = source.filter(|_| !starting) {
            let carried = self.carry();
            let name = std::mem::take(&mut self.capture.name);
            self.forget();
            self.capture.carried = carried;
            self.capture.name = name;
            self.capture.source = Some(source.clone());
            self.capture.reading = true;
            self.capture.began = f64::NAN;
            sent &= self.engine.commands.try_send(Command::Open(OpenNo(self.capture.number), source)).is_ok();
        }
        self.keys_from = self.capture.number;
        if !sent {
            self.capture.reading = false;
            self.fail("decrypt with the key log", "the engine does not answer; start the program again");
        }
    }

    /// Takes what was found out about the files given. What was given since counts alone.
    pub(super) fn found(&mut self, found: Found) {
        match found {
            Found::Captures { number, mut files } => {
                self.looks -= 1;
                if number == self.given {
                    match files.pop() {
                        Some(only) if files.is_empty() => self.leave(Leave::Open(only)),
                        last => {
                            files.extend(last);
                            self.state.dialog = Some(Dialog::Several(files));
                        }
                    }
                }
            }
            Found::KeyLog { number, path, open_to_others } => {
                self.looks -= 1;
                if number == self.given {
                    self.use_good_keys(path, open_to_others);
                }
            }
            Found::NoKeyLog { number, why } => {
                self.looks -= 1;
                if number == self.given {
                    self.fail("use the key log", &why);
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
