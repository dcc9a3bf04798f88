//! The picture: asking for previews, keeping it beside the capture, saving and copying it.

use std::path::PathBuf;

use super::Desk;
use crate::capture::Format;
use crate::engine::Source;
use crate::export::ProofError;
use crate::store::Notes;
use crate::ui::action::PictureAction;
use crate::ui::compose::studio::{self, Drawing, Drawn, Of, Told};
use crate::ui::compose::{self, Document, Shown};
use crate::ui::figure::Listed;
use crate::ui::live::{SaveWhat, SaveWish};
use crate::ui::state::{Dialog, View, Wanted};
use crate::ui::text::sentence;

/// Seconds after the last change until the picture is kept.
const KEEP_AFTER: f64 = 1.0;

/// A picture that was changed within the last second is kept too.
impl Drop for Desk {
    fn drop(&mut self) {
        self.keep_picture();
    }
}

/// Exchanges that go into a picture at once.
const MOST_ADDED: usize = 100;

impl Desk {
    /// Makes something of the picture happen.
    pub(super) fn picture_action(&mut self, ctx: &egui::Context, action: PictureAction) {
        match action {
            PictureAction::Add => self.add_to_picture(ctx),
            PictureAction::Save { bundle } => {
                let what = if bundle { SaveWhat::Bundle } else { SaveWhat::Picture };
                self.want(Wanted::Save(SaveWish { what, then: None }));
            }
            PictureAction::Copy => self.export("copy the picture", studio::Ask::Copy),
            PictureAction::AskSecrets => self.state.dialog = Some(Dialog::Secrets),
            PictureAction::ShowSecrets => {
                self.state.dialog = None;
                let before = self.composer.document.clone();
                self.composer.document.plan.redaction.on = false;
                self.composer.changed_from(&before, ctx);
            }
        }
    }

    fn add_to_picture(&mut self, ctx: &egui::Context) {
        let rows = self.chosen();
        if rows.is_empty() {
            self.state.said = Some("Select an exchange first".to_owned());
            return;
        }
        if rows.len() > MOST_ADDED {
            self.state.said = Some(format!("Select at most {MOST_ADDED} exchanges: a picture is to be read"));
            return;
        }
        let before = self.composer.document.clone();
        // All of them, whether or not an earlier one was new.
        let new = rows.into_iter().fold(false, |new, row| self.composer.add(row) | new);
        if self.composer.loaded {
            self.composer.changed_from(&before, ctx);
        }
        let len = self.composer.document.rows.len();
        let words = if new { "Added to the picture" } else { "It is in the picture already" };
        self.state.said = Some(format!("{words}: {}", crate::ui::text::plural(len as u64, "exchange", "exchanges")));
    }

    /// Shows the view; with nothing in it yet, the selected exchange goes in.
    pub(super) fn view_picture(&mut self) {
        if self.composer.loaded && self.composer.document.rows.is_empty() {
            self.composer.document.rows.extend(self.state.selected);
        }
    }

    /// Why no picture can be made of this capture now.
    fn no_picture(&self) -> Option<String> {
        if self.capture.reading || !self.capture.newest().progress().done {
            let live = self.live.is_some();
            let words = if live { "Stop the capture first" } else { "The capture is still being read" };
            return Some(format!("{words}: a proof needs a file that stays as it is"));
        }
        if matches!(self.capture.source, Some(Source::Stdin)) {
            return Some("Save the capture first: a proof needs a file that stays as it is".to_owned());
        }
        if self.capture.newest().facts().capture.format == Format::Har {
            return Some(sentence(&ProofError::Report.to_string()));
        }
        if !self.capture.newest().facts().capture.merged.is_empty() {
            return Some(sentence(&ProofError::Merged.to_string()));
        }
        None
    }

    pub(super) fn of(&self) -> Option<Of> {
        let source = self.capture.source.clone()?;
        Some(Of { capture: self.capture.number, snapshot: self.capture.newest().clone(), source })
    }

    /// What the picture is made of now.
    fn composed(&self) -> Drawn {
        let mut document = self.composer.document.clone();
        // Rows around the chosen ones are there whatever a filter keeps: the picture must not name one.
        match self.composer.listed {
            Listed::Kept => self.state.filter.good().clone_into(&mut document.plan.filter),
            Listed::Around => document.plan.filter.clear(),
        }
        let scale = if self.composer.dragging { 1 } else { document.plan.scale };
        let (generation, notes) = (self.capture.newest().generation, self.capture.notes.clone());
        Drawn { document, listed: self.composer.listed, generation, notes, scale }
    }

    /// Asks for the picture as it goes out.
    fn export(&mut self, doing: &str, ask: impl FnOnce(Box<Drawing>) -> studio::Ask) {
        if let Some(why) = self.no_picture() {
            return self.fail(doing, &why);
        }
        let Some(of) = self.of() else { return };
        let ask = ask(Box::new(Drawing { of, what: self.composed() }));
        self.studio.exporting = self.studio.ask(ask);
        if !self.studio.exporting {
            self.fail(doing, "another picture is being made; try again");
        }
    }

    /// Asks the studio for what is missing.
    pub(super) fn ask_studio(&mut self, ctx: &egui::Context, now: f64) {
        if self.capture.source.is_none() {
            return;
        }
        let shown = self.state.view == View::Picture;
        let wanted = shown || !self.composer.loaded && !self.composer.document.rows.is_empty();
        // What was made of it before comes first.
        let wanted = wanted && self.capture.carried.is_empty();
        if wanted && self.no_picture().is_none() && !self.studio.drawing {
            if self.composer.loaded {
                self.ask_preview();
            } else {
                self.studio.drawing = self.of().is_some_and(|of| self.studio.ask(studio::Ask::Load(of)));
            }
        }
        let composer = &self.composer;
        if composer.loaded && composer.document != composer.kept {
            let rest = composer.changed + KEEP_AFTER - now;
            if rest <= 0.0 || self.state.view != View::Picture {
                self.keep_picture();
            } else {
                ctx.request_repaint_after_secs(rest as f32);
            }
        }
    }

    fn ask_preview(&mut self) {
        let what = self.composed();
        if what.document.rows.is_empty() && what.listed == Listed::Around {
            self.composer.preview = None;
            self.drawn_last = None;
            self.composer.fault = Some("Choose an exchange in the list, then press Shift+F11".to_owned());
        } else if self.drawn_last.as_ref() != Some(&what)
            && let Some(of) = self.of()
        {
            self.studio.drawing = self.studio.ask(studio::Ask::Draw(Box::new(Drawing { of, what })));
        }
    }

    /// Keeps the picture beside the capture, where it differs from what is kept.
    pub(super) fn keep_picture(&mut self) {
        let composer = &mut self.composer;
        if !composer.loaded || composer.document == composer.kept {
            return;
        }
        composer.kept = composer.document.clone();
        let document = Box::new(composer.document.clone());
        if let Some(of) = self.of()
            && !self.studio.keep(studio::Ask::Keep(of, studio::Kept::Picture(document)))
        {
            self.fail("keep the picture", "its thread is gone; start the program again");
        }
    }

    /// Takes what the studio made.
    pub(super) fn studio_told(&mut self, ctx: &egui::Context, told: Told) {
        let number = self.capture.number;
        if matches!(told, Told::Loaded { .. } | Told::Drawn { .. }) {
            // Of whichever capture: the studio is free again.
            self.studio.drawing = false;
        }
        match told {
            Told::Notes { capture, notes, messages } => {
                self.studio.noting = false;
                if capture == number {
                    self.notes_read(&notes, &messages);
                }
            }
            Told::Carried { capture, notes, document, lost } => {
                self.studio.noting = false;
                self.studio.keeping = self.studio.keeping.saturating_sub(1);
                if capture == number {
                    self.carried(&notes, *document, lost);
                }
            }
            Told::Loaded { capture, document, messages } if capture == number => {
                self.loaded(document, &messages);
            }
            Told::Drawn { capture, drawn, result } if capture == number => {
                self.drawn_last = Some((*drawn).clone());
                match result {
                    Ok(preview) => {
                        self.composer.fault = None;
                        self.composer.preview = Some(Shown::new(ctx, *drawn, *preview));
                    }
                    Err(why) => self.composer.fault = Some(why),
                }
            }
            Told::Copied { result } => {
                self.studio.exporting = false;
                match result {
                    Ok(image) => {
                        let [width, height] = image.size;
                        ctx.copy_image(image);
                        self.state.said =
                            Some(format!("Copied {width} × {height} pixels; the proof is only in a saved file"));
                    }
                    Err(why) => self.fail("copy the picture", &why),
                }
            }
            Told::Saved { bundle, to, result } => {
                self.studio.exporting = false;
                let wish = SaveWish { what: if bundle { SaveWhat::Bundle } else { SaveWhat::Picture }, then: None };
                self.file_written(&to, wish, result);
            }
            Told::Kept { capture, result } => {
                self.studio.keeping = self.studio.keeping.saturating_sub(1);
                if let Err(why) = result
                    && capture == number
                {
                    if let Some(live) = &mut self.live {
                        // Asked about before it is closed.
                        live.noted = Notes::default();
                    }
                    self.fail("keep it beside the capture", &why);
                }
            }
            Told::Loaded { .. } | Told::Drawn { .. } => {}
        }
    }

    fn loaded(&mut self, document: Option<Box<Document>>, messages: &[String]) {
        let shown = self.state.view == View::Picture;
        let composer = &mut self.composer;
        composer.loaded = true;
        // What was added before it was read comes after it.
        let added = core::mem::take(&mut composer.document.rows);
        if let Some(document) = document {
            composer.document = *document;
        } else {
            composer.document.plan.redaction = self.state.preferences.redaction.clone();
        }
        if composer.document.rows.is_empty() && added.is_empty() && shown {
            composer.document.rows.extend(self.state.selected);
        }
        // What nobody changed is not worth a file.
        composer.kept = composer.document.clone();
        for row in added {
            composer.add(row);
        }
        if !messages.is_empty() {
            self.fail("", &messages.join(". "));
        }
    }

    /// Saves the picture, or the bundle.
    pub(super) fn save_picture(&mut self, to: PathBuf, what: &SaveWhat, replace: bool) {
        let bundle = *what == SaveWhat::Bundle;
        let to = match to.extension() {
            None => to.with_extension(if bundle { "nephoscope.zip" } else { "png" }),
            Some(_) => to,
        };
        self.export("save the picture", |drawing| studio::Ask::Save { drawing, bundle, to, replace });
        self.keep_picture();
    }

    pub(super) fn picture_view(&mut self, ui: &mut egui::Ui, actions: &mut Vec<crate::ui::Action>) {
        let seen = compose::Seen {
            snapshot: &self.capture.snapshot,
            cannot: self.no_picture(),
            busy: self.studio.drawing,
            now: ui.input(|input| input.time),
        };
        compose::show(ui, &mut self.composer, &seen, actions);
    }
}
