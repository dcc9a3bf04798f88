//! The picture view: what goes into a picture, what is drawn over it by hand, and what comes out of it, live.
//!
//! Widgets change the document; asking for a new preview, keeping, saving and copying happen in `Desk`.

mod canvas;
mod covered;
mod document;
mod geometry;
mod options;
pub(crate) mod studio;

use egui::{Frame, Id, Key, Margin, Modifiers, Panel, TextureHandle, TextureOptions, Ui, Vec2, pos2};

pub(crate) use document::{Document, History};
use studio::{Drawn, Preview};

use super::action::{Action, PictureAction};
use super::figure::{Laid, Listed, Placed, Preset, Written};
use super::theme;
use crate::case::{Colour, Weight};
use crate::export::Replaced;
use crate::store::{RowId, Snapshot};

/// Width of the choices in points.
const OPTIONS: f32 = 320.0;
/// Side of a tile in pixels: every machine's graphics take textures of this size.
const TILE: usize = 2_048;

/// What the pointer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tool {
    #[default]
    Select,
    Arrow,
    Box,
    Ellipse,
    Highlight,
    Text,
    Number,
    Redact,
    Crop,
}

impl Tool {
    pub(super) const ALL: [(Self, &'static str, Key, &'static str); 9] = [
        (Self::Select, "Select", Key::V, "Select, move and resize what was drawn"),
        (Self::Arrow, "Arrow", Key::A, "Draw an arrow"),
        (Self::Box, "Box", Key::B, "Draw a box"),
        (Self::Ellipse, "Ellipse", Key::L, "Draw an ellipse"),
        (Self::Highlight, "Highlight", Key::H, "Draw a see-through mark"),
        (Self::Text, "Text", Key::T, "Write over the picture; nobody checks these words"),
        (Self::Number, "Number", Key::N, "Put a number of your own"),
        (
            Self::Redact,
            "Redact",
            Key::R,
            "Make what is below one solid colour, in the picture only; words to hide everywhere belong under Hide",
        ),
        (Self::Crop, "Crop", Key::C, "Keep a part of the picture; the footer stays"),
    ];
}

/// How large the preview is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Zoom {
    #[default]
    Fit,
    /// So many points of the window a point of the picture.
    Times(f32),
}

/// The picture that is composed.
#[derive(Default)]
pub(crate) struct Composer {
    pub(crate) document: Document,
    pub(crate) listed: Listed,
    pub(crate) history: History,
    pub(crate) preview: Option<Shown>,
    /// Why there is no preview of the document as it is.
    pub(crate) fault: Option<String>,
    /// Whether what was kept beside the capture has been read.
    pub(crate) loaded: bool,
    /// The document as it is kept.
    pub(crate) kept: Document,
    /// When the document changed last, in seconds of the window.
    pub(crate) changed: f64,
    /// Whether something is dragged: the preview is then drawn quicker and coarser.
    pub(crate) dragging: bool,
    pub(crate) tool: Tool,
    pub(crate) selected: Option<usize>,
    pub(crate) colour: Colour,
    pub(crate) weight: Weight,
    pub(crate) zoom: Zoom,
    drag: Option<canvas::Drag>,
    /// The words of the selected text want the keyboard.
    wants_words: bool,
    /// What is typed into the box of words to hide.
    word: String,
}

/// A preview on the graphics card.
pub(crate) struct Shown {
    pub(crate) of: Drawn,
    tiles: Vec<(egui::Rect, TextureHandle)>,
    /// Size in points, footer included.
    size: Vec2,
    placed: Vec<Placed>,
    pub(crate) laid: Vec<Laid>,
    lines: Vec<Written>,
    /// Size above the footer.
    above: Vec2,
    hidden: Vec<Replaced>,
    stem: String,
    numbers: Vec<u32>,
}

impl Shown {
    pub(crate) fn new(ctx: &egui::Context, of: Drawn, preview: Preview) -> Self {
        let scale = f32::from(preview.scale);
        let [width, height] = preview.image.size;
        let mut tiles = Vec::new();
        for top in (0..height).step_by(TILE) {
            for left in (0..width).step_by(TILE) {
                let size = [TILE.min(width - left), TILE.min(height - top)];
                let part = preview.image.region_by_pixels([left, top], size);
                let options = TextureOptions::LINEAR.with_mipmap_mode(Some(egui::TextureFilter::Linear));
                let texture = ctx.load_texture("picture", part, options);
                let rect = egui::Rect::from_min_size(
                    pos2(left as f32, top as f32) / scale,
                    Vec2::new(size[0] as f32, size[1] as f32) / scale,
                );
                tiles.push((rect, texture));
            }
        }
        Self {
            of,
            tiles,
            size: Vec2::new(width as f32, height as f32) / scale,
            placed: preview.placed,
            laid: preview.laid,
            lines: preview.lines,
            above: preview.size,
            hidden: preview.hidden,
            stem: preview.stem,
            numbers: preview.numbers,
        }
    }
}

impl Composer {
    /// What a preset begins with; exchanges, words and looks stay.
    pub(crate) fn start_from(&mut self, preset: Preset) {
        let fresh = preset.plan();
        let plan = &mut self.document.plan;
        plan.sections = fresh.sections;
        plan.width = fresh.width;
    }

    /// Takes a step back.
    fn undo(&mut self, ctx: &egui::Context) {
        self.travel(ctx, History::undo);
    }

    /// Takes a step forth again.
    fn redo(&mut self, ctx: &egui::Context) {
        self.travel(ctx, History::redo);
    }

    fn travel(&mut self, ctx: &egui::Context, step: impl FnOnce(&mut History, &mut Document)) {
        let on = self.document.plan.redaction.on;
        step(&mut self.history, &mut self.document);
        // Secrets are shown only after a question.
        self.document.plan.redaction.on |= on;
        self.changed = ctx.input(|input| input.time);
        self.selected = None;
    }

    /// Takes note of a change that was made at once.
    pub(crate) fn changed_from(&mut self, before: &Document, ctx: &egui::Context) {
        if self.document != *before {
            self.history.note(before, &self.document, None);
            self.changed = ctx.input(|input| input.time);
        }
    }

    /// Adds an exchange; says whether it was not in already.
    pub(crate) fn add(&mut self, row: RowId) -> bool {
        let rows = &mut self.document.rows;
        let new = !rows.contains(&row);
        if new {
            rows.push(row);
        }
        new
    }

    /// A name for the picture's file, without what is hidden.
    pub(crate) fn stem(&self) -> &str {
        self.preview.as_ref().map_or("picture", |preview| &preview.stem)
    }

    /// The part of the picture that was drawn by hand and is selected.
    fn chosen(&mut self) -> Option<&mut crate::case::Annotation> {
        self.selected.and_then(|at| self.document.plan.annotations.get_mut(at))
    }

    fn delete(&mut self) {
        if let Some(at) = self.selected.take()
            && at < self.document.plan.annotations.len()
        {
            self.document.plan.annotations.remove(at);
        }
    }
}

/// What the view reads.
pub(crate) struct Seen<'a> {
    pub(crate) snapshot: &'a Snapshot,
    /// Why no picture can be made now.
    pub(crate) cannot: Option<String>,
    /// Whether a preview is being made.
    pub(crate) busy: bool,
    pub(crate) now: f64,
}

/// Paints the view.
pub(crate) fn show(ui: &mut Ui, composer: &mut Composer, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    let before = composer.document.clone();
    let c = theme::colours(ui);
    Panel::left("picture options")
        .exact_size(OPTIONS)
        .resizable(false)
        .frame(Frame::NONE.fill(c.surface).inner_margin(Margin::symmetric(14, 10)))
        .show(ui, |ui| {
            ui.add_enabled_ui(composer.loaded, |ui| {
                Panel::bottom("picture files")
                    .resizable(false)
                    .frame(Frame::NONE.inner_margin(Margin { top: 10, ..Margin::ZERO }))
                    .show(ui, |ui| ui.horizontal(|ui| canvas::files(ui, composer, seen, actions)));
                options::show(ui, composer, seen, actions);
            });
        });
    ui.add_enabled_ui(composer.loaded, |ui| canvas::show(ui, composer, seen));
    let typing = ui.memory(egui::Memory::focused).filter(|_| ui.ctx().text_edit_focused());
    let hold = if ui.input(|input| input.pointer.any_down() || input.pointer.any_released()) {
        Some(Id::unique("drag"))
    } else {
        typing
    };
    if composer.document != before {
        composer.changed = seen.now;
    }
    composer.history.note(&before, &composer.document, hold);
}

/// Keys that work wherever nothing is typed; the picture takes them before the window does.
pub(crate) fn keys(ctx: &egui::Context, composer: &mut Composer, actions: &mut Vec<Action>) {
    if !composer.loaded || ctx.text_edit_focused() || egui::Popup::is_any_open(ctx) {
        return;
    }
    let pressed = |modifiers: Modifiers, key: Key| ctx.input_mut(|input| input.consume_key(modifiers, key));
    let command = Modifiers::COMMAND;
    if pressed(command, Key::S) {
        actions.push(Action::Compose(PictureAction::Save { bundle: false }));
    }
    if pressed(command | Modifiers::SHIFT, Key::Z) || pressed(command, Key::Y) {
        composer.redo(ctx);
    }
    if pressed(command, Key::Z) {
        composer.undo(ctx);
    }
    let before = composer.document.clone();
    press(ctx, composer);
    composer.changed_from(&before, ctx);
}

fn press(ctx: &egui::Context, composer: &mut Composer) {
    let pressed = |modifiers: Modifiers, key: Key| ctx.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::NONE, Key::Delete) || pressed(Modifiers::NONE, Key::Backspace) {
        composer.delete();
    }
    for (tool, _, key, _) in Tool::ALL {
        if pressed(Modifiers::NONE, key) {
            composer.tool = tool;
        }
    }
    if composer.selected.is_some() && pressed(Modifiers::NONE, Key::Escape) {
        composer.selected = None;
    }
    let steps = [
        (Key::ArrowLeft, Vec2::new(-1.0, 0.0)),
        (Key::ArrowRight, Vec2::new(1.0, 0.0)),
        (Key::ArrowUp, Vec2::new(0.0, -1.0)),
        (Key::ArrowDown, Vec2::new(0.0, 1.0)),
    ];
    for (key, step) in steps {
        let Some(annotation) = composer.chosen() else { return };
        if pressed(Modifiers::SHIFT, key) {
            geometry::shift(&mut annotation.shape, step * 10.0);
        } else if pressed(Modifiers::ALT, key)
            && let Some(last) = geometry::handles(&annotation.shape).last()
        {
            let handle = geometry::handles(&annotation.shape).len() - 1;
            geometry::pull(&mut annotation.shape, handle, *last + step * 4.0);
        } else if pressed(Modifiers::NONE, key) {
            geometry::shift(&mut annotation.shape, step);
        }
    }
}
