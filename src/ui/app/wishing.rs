//! What is asked of a row and takes reading: asked of the jobs, and put to use when it is there.

use std::sync::Arc;

use super::Desk;
use crate::model::FrameNo;
use crate::store::RowId;
use crate::ui::action::Action;
use crate::ui::filter::{FilterAction, Join};
use crate::ui::jobs::Ask;
use crate::ui::state::{Dialog, Tab};
use crate::ui::text::sentence;
use crate::ui::wish::{Granted, RowWish, Wished};

impl Desk {
    /// Asks for something of a row; of the selected one where none is given.
    pub(super) fn wish(&mut self, row: Option<RowId>, wish: RowWish) {
        if let RowWish::Tag(signature) = wish {
            self.state.dialog = Some(Dialog::Tag { signature, rows: None });
        } else {
            self.state.dialog = None;
        }
        let row = row.or(self.state.selected);
        let needs_row = !matches!(wish, RowWish::Frame(_) | RowWish::Tag(_));
        let Some(source) = self.capture.source.clone() else { return };
        if needs_row && row.is_none() {
            self.state.said = Some("Select an exchange first".to_owned());
            return;
        }
        let wished = Wished {
            wish,
            row,
            rows: row.map_or_else(Vec::new, |row| self.chosen_with(row)),
            snapshot: self.capture.snapshot.clone(),
            source,
            order: Arc::clone(&self.capture.order),
            headers: self.state.saved.header_columns(),
            redaction: self.state.preferences.redaction.clone(),
        };
        if !self.busy.wish && self.jobs.ask(Ask::Wish { capture: self.capture.number, wished: Box::new(wished) }) {
            self.busy.wish = true;
        } else {
            self.state.said = Some("Something else is being read; try again".to_owned());
        }
    }

    /// Puts to use what came of it.
    pub(super) fn granted(&mut self, ctx: &egui::Context, granted: Result<Granted, String>) {
        self.busy.wish = false;
        match granted {
            Err(why) => self.state.said = Some(sentence(&why)),
            Ok(Granted::Text(text, said)) => {
                ctx.copy_text(text);
                self.state.said = Some(said);
            }
            Ok(Granted::Filter(filter)) => {
                self.apply(ctx, Action::Filter(FilterAction::Refine(filter, Join::Only)));
            }
            Ok(Granted::Row(row)) => self.go_to(row),
            Ok(Granted::Frame(row, FrameNo(frame))) => {
                self.go_to(row);
                self.state.saved.tab = Tab::Frames;
                self.state.saved.folded = false;
                self.state.frame = Some(FrameNo(frame));
            }
            Ok(Granted::Tag { signature, rows, of }) => {
                if let Some(Dialog::Tag { signature: shown, rows: counted }) = &mut self.state.dialog
                    && *shown == signature
                {
                    *counted = Some((rows, of));
                }
            }
        }
    }
}
