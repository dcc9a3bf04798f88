//! Rows that are selected together: what is done to one is done to all of them.

use std::collections::BTreeSet;

use super::Desk;
use crate::store::RowId;
use crate::ui::action::Move;
use crate::ui::state::Several;

/// Rows that are selected at once.
const MOST: usize = 100_000;

impl Desk {
    /// All rows that are selected, by their places; those that a live capture forgot are not among them.
    pub(super) fn chosen(&self) -> Vec<RowId> {
        let all: BTreeSet<RowId> = self.state.several.rows.iter().copied().chain(self.state.selected).collect();
        all.into_iter().filter(|row| self.capture.snapshot.row(*row).is_some()).collect()
    }

    /// All rows that are selected, where this one is among them; else this one.
    pub(super) fn chosen_with(&self, row: RowId) -> Vec<RowId> {
        let chosen = self.chosen();
        if chosen.contains(&row) { chosen } else { vec![row] }
    }

    /// What a new order does not have is not one of several any more: nothing is done to rows that nobody sees.
    pub(super) fn leave_what_is_gone(&mut self) {
        let several = &mut self.state.several.rows;
        if several.is_empty() {
            return;
        }
        let mut shown = vec![false; self.capture.snapshot.len()];
        for id in self.capture.order.iter() {
            if let Some(shown) = shown.get_mut(*id as usize) {
                *shown = true;
            }
        }
        several.retain(|row| shown.get(row.0 as usize).copied().unwrap_or(false));
    }

    /// Selects a row; where it is one of several they stay selected.
    pub(super) fn select_among(&mut self, row: RowId) {
        let mut several = core::mem::take(&mut self.state.several);
        if !several.rows.remove(&row) && self.state.selected != Some(row) {
            several = Several::default();
        } else if self.state.selected != Some(row) {
            several.rows.extend(self.state.selected);
        }
        self.select(row);
        self.state.several = several;
    }

    /// Selects one row more, or one less.
    pub(super) fn select_too(&mut self, row: RowId) {
        let mut rows = core::mem::take(&mut self.state.several.rows);
        if self.state.selected == Some(row) {
            // One stays: panes show it.
            if let Some(other) = rows.pop_last() {
                self.select(other);
            }
        } else if !rows.remove(&row) && rows.len() < MOST {
            rows.extend(self.state.selected);
            self.select(row);
        }
        self.state.several = Several { rows, from: Some(row) };
    }

    /// Selects all rows from where the last stretch began to this one.
    pub(super) fn select_to(&mut self, row: RowId) {
        let from = self.stretch_from();
        self.select(row);
        self.stretch(from);
    }

    /// Moves the end of the stretch.
    pub(super) fn stretch_by(&mut self, step: Move) {
        let from = self.stretch_from();
        self.step(step);
        self.stretch(from);
    }

    /// Selects all rows that are shown.
    pub(super) fn select_all(&mut self) {
        let mut rows: BTreeSet<RowId> = self.capture.order.iter().take(MOST).map(|id| RowId(*id)).collect();
        let all = self.capture.order.len();
        let selected = self.state.selected.filter(|row| rows.contains(row)).or_else(|| rows.first().copied());
        let Some(selected) = selected else { return };
        rows.remove(&selected);
        self.select(selected);
        self.state.several = Several { rows, from: Some(selected) };
        if all > MOST {
            self.state.said = Some(format!("The first {MOST} rows are selected; export writes all that are shown"));
        }
    }

    fn stretch_from(&self) -> Option<RowId> {
        self.state.several.from.or(self.state.selected)
    }

    /// Selects what lies between a row and the selected one, as they are listed.
    fn stretch(&mut self, from: Option<RowId>) {
        let line = |row: Option<RowId>| {
            let place = self.capture.order.iter().position(|id| Some(RowId(*id)) == row)?;
            self.capture.tree.as_ref().map_or(Some(place), |tree| tree.line_of_row(place))
        };
        let (Some(first), Some(last)) = (line(from), line(self.state.selected)) else { return };
        let lines = first.min(last)..=first.max(last);
        let mut rows: BTreeSet<RowId> = lines.filter_map(|line| self.row_in(line)).take(MOST).collect();
        if let Some(selected) = self.state.selected {
            rows.remove(&selected);
        }
        self.state.several = Several { rows, from };
    }
}
