//! Preferences: asked for, put to use, and kept.

use std::path::PathBuf;

use super::Desk;
use crate::case::{Found, Preferences, TEXT_PERCENT};
use crate::model::clean;
use crate::ui::action::{PreferencesAction, TextStep};
use crate::ui::fonts::Families;
use crate::ui::jobs::Ask;
use crate::ui::state::{Dialog, PreferencesDraft, Trouble};
use crate::ui::theme;

/// A step of the text's size in percent.
const TEXT_STEP: u16 = 10;

impl Desk {
    /// Gives it what the user prefers, and where that is kept.
    #[must_use]
    pub fn preferring(mut self, found: Found, path: Option<PathBuf>) -> Self {
        let mut now = found.preferences.clone();
        // Until there was a file, the theme was kept with the window's place.
        let older = self.state.saved.theme.take();
        if let Some(theme) = older.filter(|_| !found.is_there) {
            now.theme = theme.into();
        }
        self.preferences_path = path;
        self.preferences_kept = found.preferences;
        self.state.preferences = now;
        self.composer.document.plan.redaction = self.state.preferences.redaction.clone();
        self.keep_preferences();
        if !found.messages.is_empty() {
            let why = found.messages.join(". ");
            self.state.trouble = Some(Trouble { doing: String::new(), why, remedy: None });
        }
        self
    }

    pub(super) fn preferences_action(&mut self, ctx: &egui::Context, action: PreferencesAction) {
        match action {
            PreferencesAction::Ask => {
                let path = self.preferences_path.as_ref();
                let path = path.map(|path| clean(path.as_os_str().as_encoded_bytes()).into_owned());
                let draft = PreferencesDraft::new(&self.state.preferences, path);
                self.state.dialog = Some(Dialog::Preferences(Box::new(draft)));
            }
            PreferencesAction::Keep(now) => {
                self.state.dialog = None;
                self.prefer(ctx, *now);
            }
        }
    }

    /// Puts preferences to use, and has them kept.
    pub(super) fn prefer(&mut self, ctx: &egui::Context, now: Preferences) {
        let before = std::mem::replace(&mut self.state.preferences, now);
        let now = &self.state.preferences;
        if now.theme != before.theme {
            self.use_theme(ctx);
        }
        if now.text_percent != before.text_percent {
            self.use_text_size(ctx);
        }
        // A picture that nobody has begun begins with it; one that is there keeps its own.
        if !self.composer.loaded {
            self.composer.document.plan.redaction = now.redaction.clone();
        }
        self.keep_preferences();
    }

    /// Makes all text a step larger or smaller, or as it was at first.
    pub(super) fn text_size(&mut self, ctx: &egui::Context, step: TextStep) {
        let now = self.state.preferences.text_percent;
        let wanted = match step {
            TextStep::Larger => now.saturating_add(TEXT_STEP),
            TextStep::Smaller => now.saturating_sub(TEXT_STEP),
            TextStep::Usual => Preferences::default().text_percent,
        };
        let text_percent = wanted.clamp(*TEXT_PERCENT.start(), *TEXT_PERCENT.end());
        self.prefer(ctx, Preferences { text_percent, ..self.state.preferences.clone() });
        self.state.said = Some(format!("Text at {text_percent} %"));
    }

    pub(super) fn use_theme(&self, ctx: &egui::Context) {
        ctx.set_theme(theme::preference(self.state.preferences.theme));
    }

    pub(super) fn use_text_size(&self, ctx: &egui::Context) {
        ctx.set_zoom_factor(f32::from(self.state.preferences.text_percent) / 100.0);
    }

    /// Has the families looked for that are preferred now.
    pub(super) fn ask_fonts(&mut self) {
        let wanted = [&self.state.preferences.font, &self.state.preferences.mono_font];
        let (known, looking) = &mut self.fonts;
        if *looking || known.each_ref() == wanted {
            return;
        }
        let wanted = wanted.map(String::clone);
        if self.jobs.ask(Ask::Fonts(wanted.clone())) {
            (*known, *looking) = (wanted, true);
        }
    }

    /// Puts families to use.
    pub(super) fn fonts_found(&mut self, ctx: &egui::Context, families: &Families, messages: &[String]) {
        self.fonts.1 = false;
        theme::use_families(ctx, families);
        if !messages.is_empty() {
            self.fail("", &messages.join(". "));
        }
    }

    /// Has the file written where it differs; again later where the jobs are busy.
    pub(super) fn keep_preferences(&mut self) {
        let now = &self.state.preferences;
        if self.busy.preferences || *now == self.preferences_kept || Some(now) == self.preferences_failed.as_ref() {
            return;
        }
        let Some(path) = self.preferences_path.clone() else { return };
        let (now, before) = (self.state.preferences.clone(), self.preferences_kept.clone());
        let ask = Ask::Preferences { path, now: Box::new(now), before: Box::new(before) };
        self.busy.preferences = self.jobs.ask(ask);
    }

    /// Takes what became of writing.
    pub(super) fn preferences_kept(&mut self, now: Preferences, result: Result<Vec<String>, String>) {
        self.busy.preferences = false;
        match result {
            Ok(messages) => {
                self.preferences_kept = now;
                self.preferences_failed = None;
                if !messages.is_empty() {
                    self.fail("", &messages.join(". "));
                }
            }
            Err(why) => {
                // Not tried again until something changes.
                self.preferences_failed = Some(now);
                self.fail("", &why);
            }
        }
    }
}
