//! Columns and times: which are shown, in which order, how wide, and by which clock.

use super::Desk;
use crate::case::{MOST_DECIMALS, Preferences, TimeFormat};
use crate::model::{Side, clean_to};
use crate::store::{HeaderName, RowId};
use crate::ui::action::{ColumnsAction, TimeAction};
use crate::ui::clock::Clock;
use crate::ui::jobs::Ask;
use crate::ui::state::{Dialog, Saved, View};
use crate::ui::table::Column;

/// Header lines shown as columns: each costs a look at every record that comes on screen.
const MOST_HEADERS: usize = 24;

impl Desk {
    /// How times are said now.
    pub(super) fn clock(&self) -> Clock {
        let preferences = &self.state.preferences;
        let how = (preferences.time, preferences.time_decimals);
        Clock::new(how, self.zone.clone(), &self.capture.snapshot, &self.state.references)
    }

    /// Asks for the header lines that come on screen.
    pub(super) fn ask_heads(&mut self) {
        let names = self.state.saved.header_columns();
        if names.is_empty() || self.busy.heads || self.state.view != View::Exchanges {
            return;
        }
        let table = &self.state.table;
        let (first, count) = (table.top.floor() as usize, table.page.ceil() as usize + 1);
        let rows: Vec<RowId> = (first..first + count).filter_map(|line| self.row_in(line)).collect();
        let capture = &mut self.capture;
        let rows = capture.heads.missing(&names, &rows, &capture.snapshot);
        if !rows.is_empty() {
            let snapshot = capture.snapshot.clone();
            self.busy.heads = self.jobs.ask(Ask::Heads { capture: capture.number, names, rows, snapshot });
        }
    }

    pub(super) fn show_or_hide(&mut self, column: Column) {
        let saved = &mut self.state.saved;
        let hidden = saved.hidden.contains(&column);
        // The last one stays: without any there is no header to bring others back from.
        let shown = saved.columns().iter().filter(|column| !saved.hidden.contains(column)).count();
        saved.hidden.retain(|other| *other != column);
        if !hidden && shown > 1 {
            saved.hidden.push(column);
        }
    }

    pub(super) fn reset_columns(&mut self) {
        let Saved { hidden, widths, order, .. } = Saved::default();
        let saved = &mut self.state.saved;
        (saved.hidden, saved.widths, saved.order) = (hidden, widths, order);
        self.sort_by_what_is_there();
    }

    pub(super) fn columns_action(&mut self, action: ColumnsAction) {
        match action {
            ColumnsAction::AskHeader => {
                self.state.dialog = Some(Dialog::HeaderColumn { side: Side::Server, name: String::new() });
            }
            ColumnsAction::Remove(column) => {
                let saved = &mut self.state.saved;
                saved.order.retain(|other| *other != column);
                saved.hidden.retain(|other| *other != column);
                saved.widths.remove(&column);
                self.sort_by_what_is_there();
            }
            ColumnsAction::Fit(fit) => self.state.table.fit = Some(fit),
            ColumnsAction::Move { column, before } => {
                let mut order = self.state.saved.columns();
                if before != Some(column) {
                    order.retain(|other| *other != column);
                    let at = before.and_then(|before| order.iter().position(|other| *other == before));
                    order.insert(at.unwrap_or(order.len()), column);
                }
                self.state.saved.order = order;
            }
        }
    }

    /// What has no column any more is not sorted by.
    fn sort_by_what_is_there(&mut self) {
        let columns = self.state.saved.columns();
        self.state.choice.sort.retain(|by| columns.iter().any(|column| column.sort() == Some(by.key)));
    }

    pub(super) fn add_header_column(&mut self, side: Side, name: &str) {
        let shown = clean_to(name.as_bytes(), 80);
        let Some(name) = HeaderName::new(side, name.trim()) else {
            self.state.said = Some(format!("{shown} is no name of a header line"));
            return;
        };
        self.state.dialog = None;
        let (saved, column) = (&mut self.state.saved, Column::Header(name));
        let mut order = saved.columns();
        if !order.contains(&column) {
            if order.iter().filter(|column| column.header().is_some()).count() >= MOST_HEADERS {
                self.state.said = Some(format!("More than {MOST_HEADERS} header lines are not shown as columns"));
                return;
            }
            // Beside what the exchange is; at the end it would be out of sight.
            let at = order.iter().position(|other| *other == Column::Operator);
            order.insert(at.unwrap_or(order.len()), column);
            saved.order = order;
        }
        saved.hidden.retain(|other| *other != column);
    }

    pub(super) fn time_action(&mut self, ctx: &egui::Context, action: TimeAction) {
        let now = self.state.preferences.clone();
        match action {
            TimeAction::Format(time) => self.prefer(ctx, Preferences { time, ..now }),
            TimeAction::Decimals(decimals) => {
                self.prefer(ctx, Preferences { time_decimals: decimals.min(MOST_DECIMALS), ..now });
            }
            TimeAction::Reference => self.toggle_reference(ctx),
        }
    }

    fn toggle_reference(&mut self, ctx: &egui::Context) {
        let Some(row) = self.state.selected else {
            self.state.said = Some("Select an exchange first".to_owned());
            return;
        };
        if self.state.references.contains(&row) {
            self.state.references.retain(|other| *other != row);
            return;
        }
        self.state.references.push(row);
        let now = &self.state.preferences;
        // A clock's time does not count from anywhere.
        if matches!(now.time, TimeFormat::Utc | TimeFormat::UtcDate | TimeFormat::Local) {
            self.prefer(ctx, Preferences { time: TimeFormat::SinceStart, ..now.clone() });
            self.state.said =
                Some("Times count from the reference now; Times in the menu brings the clock back".to_owned());
        }
    }
}
