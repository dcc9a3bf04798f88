//! The conversation of a flow: asking for it, and asking again while it grows.

use std::sync::Arc;

use super::Desk;
use crate::store::RowId;
use crate::ui::conversation::{ConversationAction, Following, Spoken};
use crate::ui::jobs::Ask;
use crate::ui::live::{ConversationChoice, SaveWhat};
use crate::ui::state::Dialog;

/// Seconds between two readings of a conversation that goes on.
const AGAIN_EVERY: f64 = 1.0;

impl Desk {
    /// Makes something of a conversation happen.
    pub(super) fn conversation_action(&mut self, action: ConversationAction) {
        match action {
            ConversationAction::Ask => match self.state.selected {
                Some(row) => {
                    self.state.following = Some(Following::new(row));
                    self.state.dialog = Some(Dialog::Conversation);
                }
                None => self.state.said = Some("Select an exchange first".to_owned()),
            },
            ConversationAction::Save => {
                if let Some(following) = &self.state.following {
                    let (row, side, opened) = (following.row, following.side, following.is_opened());
                    self.want_save(SaveWhat::Conversation(ConversationChoice { row, side, opened }), None);
                }
            }
        }
    }

    /// Asks for what was said, where it is on screen and there may be more of it than is known.
    pub(super) fn ask_conversation(&mut self, ctx: &egui::Context, now: f64) {
        if !matches!(self.state.dialog, Some(Dialog::Conversation)) {
            // What nobody looks at is not kept.
            self.state.following = None;
            return;
        }
        let (Some(following), Some(source)) = (&self.state.following, &self.capture.source) else { return };
        let snapshot = self.capture.newest();
        if self.busy.conversation || following.is_full() {
            return;
        }
        if let Some((generation, _)) = &following.spoken {
            let rest = AGAIN_EVERY - (now - following.read_at);
            if *generation == snapshot.generation {
                return;
            }
            if rest > 0.0 {
                ctx.request_repaint_after_secs(rest as f32);
                return;
            }
        }
        let (row, snapshot, source) = (following.row, snapshot.clone(), source.clone());
        self.busy.conversation =
            self.jobs.ask(Ask::Conversation { capture: self.capture.number, row, snapshot, source });
    }

    /// Takes what was said, where that is still asked for.
    pub(super) fn conversation_read(
        &mut self,
        row: RowId,
        (generation, result): (u64, Result<Arc<Spoken>, String>),
        now: f64,
    ) {
        self.busy.conversation = false;
        if let Some(following) = self.state.following.as_mut().filter(|following| following.row == row) {
            following.take(generation, result, now);
        }
    }
}
