//! Two captures side by side: the one on screen, and a file that is read for it by an engine run of its own.

use std::path::{Path, PathBuf};

use super::Desk;
use crate::engine::Source;
use crate::store::{RowId, Which};
use crate::ui::action::CompareAction;
use crate::ui::comparison::SideBySide;
use crate::ui::jobs::Compare;
use crate::ui::live::Leave;
use crate::ui::state::{Dialog, View, Wanted};

/// What is known of a comparison.
#[derive(Debug, Default)]
pub(super) struct Comparing {
    /// Counts what was asked for, so that late answers are known.
    number: u32,
    pub(super) busy: bool,
    pub(super) shown: Option<Box<SideBySide>>,
    /// Of which capture on screen it is, and which of its rows were ignored then.
    of: Option<(u32, Vec<RowId>)>,
    /// The site to show once this file is open.
    wanted: Option<(PathBuf, String)>,
    /// The file to hold beside this one once that is read.
    next: Option<(PathBuf, PathBuf)>,
}

impl Desk {
    pub(super) fn compare_action(&mut self, action: CompareAction) {
        match action {
            CompareAction::Ask => {
                if self.capture.source.is_some() {
                    self.want(Wanted::Compare);
                }
            }
            CompareAction::With(path) => self.compare_with(path),
            CompareAction::Both([first, other]) => {
                self.state.dialog = None;
                self.compare_when_read(&first, other);
                self.leave(Leave::Open(first));
            }
            CompareAction::Show(which, site) => self.show_compared(which, site),
        }
    }

    /// Reads a file beside the capture on screen, and holds both side by side.
    pub fn compare_with(&mut self, path: PathBuf) {
        self.state.dialog = None;
        let Some(source) = &self.capture.source else { return };
        if self.comparing.busy {
            self.fail("compare", "another comparison is under way; try again when that is done");
            return;
        }
        let file = match source {
            Source::File(path) => Some(path.clone()),
            Source::Files(_) | Source::Stdin | Source::Live(_) => None,
        };
        self.comparing.number += 1;
        self.comparing.of = Some(self.ignoring());
        let compare = Compare {
            number: self.comparing.number,
            snapshot: self.capture.newest().clone(),
            files: [file, Some(path.clone())],
            path,
            key_log: self.key_log.clone(),
        };
        match self.jobs.ask_compare(compare, &self.wake) {
            Ok(()) => {
                self.comparing.busy = true;
                self.comparing.shown = None;
                self.state.view = View::Compare;
            }
            Err(error) => self.fail("compare", &error.to_string()),
        }
    }

    /// The capture on screen and which of its rows are ignored.
    fn ignoring(&self) -> (u32, Vec<RowId>) {
        (self.capture.number, self.capture.notes.ignored().collect())
    }

    /// Compares again what is looked at, where other rows of the capture on screen are ignored now.
    fn compare_again(&mut self) {
        if self.state.view != View::Compare || self.comparing.busy || self.capture.reading {
            return;
        }
        let is_old = |of: &(u32, Vec<RowId>)| of.0 == self.capture.number && *of != self.ignoring();
        if !self.comparing.of.as_ref().is_some_and(is_old) {
            return;
        }
        let beside = self.comparing.shown.as_ref().and_then(|shown| shown.files[1].clone());
        if let Some(beside) = beside {
            self.compare_with(beside);
        }
    }

    /// Takes a comparison, or why there is none.
    pub(super) fn compared(&mut self, number: u32, result: Result<Box<SideBySide>, String>) {
        if number != self.comparing.number {
            return;
        }
        self.comparing.busy = false;
        match result {
            Ok(shown) => self.comparing.shown = Some(shown),
            Err(why) => {
                if self.state.view == View::Compare {
                    self.state.view = View::Exchanges;
                }
                self.fail("read the other capture", &why);
            }
        }
    }

    /// Of two files that were given, the second is held beside the first once that is read.
    fn compare_when_read(&mut self, first: &Path, beside: PathBuf) {
        self.comparing.next = Some((first.to_owned(), beside));
    }

    /// Begins the comparison that waited for the capture on screen to be read.
    pub(super) fn compare_next(&mut self) {
        self.compare_again();
        if self.capture.reading {
            return;
        }
        let Some((first, beside)) = self.comparing.next.take() else { return };
        if self.capture.source == Some(Source::File(first.clone())) {
            self.compare_with(beside);
        } else if matches!(self.state.dialog, Some(Dialog::Unsaved(_))) {
            // It is not open yet.
            self.comparing.next = Some((first, beside));
        }
    }

    /// Whether there is a comparison to look at, or one is being made.
    pub(super) fn compares(&self) -> bool {
        self.comparing.busy || self.comparing.shown.is_some()
    }

    /// Shows a site's exchanges in one of the two captures; opens it where it is not on screen.
    fn show_compared(&mut self, which: Which, site: String) {
        let Some(shown) = &self.comparing.shown else { return };
        let [a, b] = &shown.files;
        let Some(path) = which.of([a, b]).clone() else { return };
        self.comparing.wanted = Some((path.clone(), site));
        if self.capture.source == Some(Source::File(path.clone())) {
            self.show_wanted_site();
        } else {
            self.leave(Leave::Open(path));
        }
    }

    /// Shows the site that was asked for of the file on screen, where one was.
    pub(super) fn show_wanted_site(&mut self) {
        let Some((path, site)) = self.comparing.wanted.take() else { return };
        if self.capture.source != Some(Source::File(path)) {
            return;
        }
        self.state.choice.clear();
        self.state.choice.site = Some(site);
        self.state.view = View::Exchanges;
        self.state.table.top = 0.0;
    }
}
