//! The preview with what is drawn over it by hand: tools, pointer, handles.

use egui::{
    Button, Color32, CornerRadius, CursorIcon, Id, Painter, Pos2, Rect, RichText, ScrollArea, Sense, Shape as Paint,
    Stroke, StrokeKind, Ui, Vec2, pos2, vec2,
};

use super::geometry::{Guides, anchor_at, area, bounds, handles, hits, pull, shift};
use super::{Composer, Seen, Shown, Tool, Zoom, options};
use crate::case::{Anchor, Annotation, Point, Shape};
use crate::ui::action::{Action, PictureAction};
use crate::ui::figure::annotate::{corner, words_size};
use crate::ui::theme::{self, Colours};

/// How near to a line a click has to be, and how near to a guide an edge is drawn to it; in points of the window.
const NEAR: f32 = 6.0;
/// Side of a handle.
const HANDLE: f32 = 8.0;
/// Space around the picture.
const AROUND: f32 = 16.0;
/// A shape smaller than this, in points of the picture, was a click and not a drag.
const SMALLEST: f32 = 4.0;

/// What a drag does.
#[derive(Clone, Debug)]
pub(super) enum Drag {
    /// A new shape grows.
    New { from: Pos2 },
    /// A shape moves: it and the pointer as they stood.
    Move { shape: Shape, from: Pos2 },
    /// A handle follows.
    Pull { handle: usize },
}

fn canvas_id() -> Id {
    Id::unique("picture canvas")
}

pub(super) fn show(ui: &mut Ui, composer: &mut Composer, seen: &Seen<'_>) {
    let c = theme::colours(ui);
    egui::Panel::top("picture tools")
        .frame(egui::Frame::NONE.fill(c.surface).inner_margin(egui::Margin::symmetric(10, 8)))
        .show(ui, |ui| ui.horizontal_wrapped(|ui| tools(ui, composer)).inner);
    let room = ui.available_rect_before_wrap();
    ui.painter().rect_filled(room, CornerRadius::ZERO, Colours::tint(c.page, c.faint, 0.18));
    if let Some(why) = seen.cannot.as_ref().or(composer.fault.as_ref()) {
        let why = crate::ui::text::sentence(why);
        let mut strip =
            ui.new_child(egui::UiBuilder::new().max_rect(Rect::from_min_size(room.min, vec2(room.width(), 40.0))));
        egui::Frame::NONE.fill(Colours::tint(c.page, c.amber, 0.14)).inner_margin(egui::Margin::symmetric(14, 8)).show(
            &mut strip,
            |ui| {
                ui.set_width(ui.available_width());
                ui.add(egui::Label::new(RichText::new(why).color(c.text)).wrap());
            },
        );
        ui.advance_cursor_after_rect(strip.min_rect());
    }
    let Some(preview) = composer.preview.take() else {
        if seen.busy {
            ui.centered_and_justified(|ui| ui.label(RichText::new("Drawing…").color(c.quiet)));
        }
        return;
    };
    ScrollArea::both()
        .auto_shrink(false)
        .scroll_source(egui::scroll_area::ScrollSource {
            drag: egui::scroll_area::DragScroll::Never,
            ..Default::default()
        })
        .show(ui, |ui| picture(ui, composer, &preview));
    composer.preview = Some(preview);
}

fn tools(ui: &mut Ui, composer: &mut Composer) {
    ui.spacing_mut().item_spacing.x = 3.0;
    for (tool, label, key, tip) in Tool::ALL {
        let button = Button::selectable(composer.tool == tool, label);
        if ui.add(button).on_hover_text(format!("{tip} ({})", key.name())).clicked() {
            composer.tool = tool;
        }
    }
    ui.separator();
    let undo = ui.add_enabled(composer.history.can_undo(), Button::new("Undo")).on_hover_text("Ctrl+Z");
    if undo.clicked() {
        composer.undo(ui.ctx());
    }
    let redo = ui.add_enabled(composer.history.can_redo(), Button::new("Redo")).on_hover_text("Ctrl+Shift+Z");
    if redo.clicked() {
        composer.redo(ui.ctx());
    }
    ui.separator();
    for (zoom, label) in [(Zoom::Fit, "Fit"), (Zoom::Times(0.5), "50 %"), (Zoom::Times(1.0), "100 %")] {
        if ui.add(Button::selectable(composer.zoom == zoom, label)).clicked() {
            composer.zoom = zoom;
        }
    }
}

/// What comes out of it.
pub(super) fn files(ui: &mut Ui, composer: &Composer, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.x = 6.0;
    let ready = composer.preview.is_some() && composer.fault.is_none() && seen.cannot.is_none();
    let c = theme::colours(ui);
    let files = [
        (false, "Save picture…", "A PNG that carries its own claim (Ctrl+S)"),
        (true, "Save bundle…", "Picture, claim, the cited frames and a text for people, in one file"),
    ];
    for (bundle, label, tip) in files {
        let words = RichText::new(label).font(theme::strong(theme::BODY)).color(c.on_accent);
        let button =
            if bundle || !ready { Button::new(label) } else { Button::new(words).fill(c.accent).stroke(Stroke::NONE) };
        if ui.add_enabled(ready, button).on_hover_text(tip).clicked() {
            actions.push(Action::Compose(PictureAction::Save { bundle }));
        }
    }
    let copy = ui.add_enabled(ready, Button::new("Copy"));
    if copy.on_hover_text("Copy the pixels; the proof is only in a saved file").clicked() {
        actions.push(Action::Compose(PictureAction::Copy));
    }
}

/// Between points of the window and of the picture.
#[derive(Clone, Copy)]
struct Scale {
    corner: Pos2,
    zoom: f32,
}

impl Scale {
    fn inward(self, at: Pos2) -> Pos2 {
        ((at - self.corner) / self.zoom).to_pos2()
    }

    fn outward(self, at: Pos2) -> Pos2 {
        self.corner + at.to_vec2() * self.zoom
    }

    fn rect(self, rect: Rect) -> Rect {
        Rect::from_min_max(self.outward(rect.min), self.outward(rect.max))
    }
}

fn picture(ui: &mut Ui, composer: &mut Composer, preview: &Shown) {
    let room = ui.available_width() - 2.0 * AROUND;
    let zoom = match composer.zoom {
        Zoom::Fit => (room / preview.size.x).clamp(0.1, 1.0),
        Zoom::Times(times) => times,
    };
    let size = preview.size * zoom;
    let whole = vec2((size.x + 2.0 * AROUND).max(ui.available_width()), size.y + 2.0 * AROUND);
    let (place, _) = ui.allocate_exact_size(whole, Sense::hover());
    let left = place.left() + ((place.width() - size.x) / 2.0).max(AROUND);
    let scale = Scale { corner: pos2(left.round(), place.top() + AROUND), zoom };
    let painter = ui.painter();
    for (rect, texture) in &preview.tiles {
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        painter.image(texture.id(), scale.rect(*rect), uv, Color32::WHITE);
    }
    let over = Rect::from_min_size(scale.corner, preview.above * zoom);
    let response = ui.interact(over, canvas_id(), Sense::click_and_drag());
    let words = format!("Picture, {} numbered lines", preview.placed.len());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, words.clone()));
    let hand = Hand {
        scale,
        preview,
        painter: ui.painter().with_clip_rect(ui.clip_rect()),
        width: f32::from(composer.document.plan.width),
    };
    hand.pointer(ui, composer, &response);
    hand.paint(composer, theme::colours(ui));
}

/// The hand that draws.
struct Hand<'a> {
    scale: Scale,
    preview: &'a Shown,
    painter: Painter,
    /// Width of the picture in points.
    width: f32,
}

impl Hand<'_> {
    fn corner(&self, anchor: Anchor) -> Option<Vec2> {
        corner(anchor, &self.preview.laid)
    }

    /// An annotation's shape in points of the picture.
    fn placed(&self, annotation: &Annotation) -> Option<Shape> {
        let mut shape = annotation.shape.clone();
        shift(&mut shape, self.corner(annotation.anchor)?);
        Some(shape)
    }

    fn words(&self, shape: &Shape) -> Vec2 {
        match shape {
            Shape::Text { at, words } => words_size(&self.painter, words, at.x, self.width),
            _ => Vec2::ZERO,
        }
    }

    fn bounds(&self, shape: &Shape) -> Rect {
        bounds(shape, self.words(shape))
    }

    /// The topmost annotation there.
    fn at(&self, composer: &Composer, at: Pos2) -> Option<usize> {
        let near = NEAR / self.scale.zoom;
        let annotations = composer.document.plan.annotations.iter().enumerate().rev();
        let mut hit = annotations
            .filter_map(|(i, annotation)| self.placed(annotation).map(|shape| (i, shape)))
            .filter(|(_, shape)| hits(shape, self.words(shape), at, near));
        hit.next().map(|(i, _)| i)
    }

    /// The handle of the selected annotation there.
    fn handle(&self, composer: &Composer, at: Pos2) -> Option<usize> {
        let annotation = composer.document.plan.annotations.get(composer.selected?)?;
        let reach = (HANDLE / 2.0 + 3.0) / self.scale.zoom;
        handles(&self.placed(annotation)?)
            .iter()
            .position(|h| (h.x - at.x).abs() <= reach && (h.y - at.y).abs() <= reach)
    }

    fn guides(&self, composer: &Composer) -> Guides {
        let mut guides = Guides::default();
        self.preview.laid.iter().for_each(|laid| guides.add(laid.rect));
        self.preview.placed.iter().for_each(|placed| guides.add(placed.line));
        for (i, annotation) in composer.document.plan.annotations.iter().enumerate() {
            if composer.selected != Some(i)
                && let Some(shape) = self.placed(annotation)
            {
                guides.add(self.bounds(&shape));
            }
        }
        guides
    }

    fn pointer(&self, ui: &Ui, composer: &mut Composer, response: &egui::Response) {
        if response.is_pointer_button_down_on() {
            response.request_focus();
        }
        if response.has_focus() {
            // Arrows move what is selected, not the focus.
            let own = egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, escape: true, tab: false };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, own));
        }
        let at = response.interact_pointer_pos().or_else(|| response.hover_pos()).map(|at| self.scale.inward(at));
        if response.drag_started()
            && let Some(from) = ui.input(|input| input.pointer.press_origin()).map(|at| self.scale.inward(at))
        {
            self.begin(composer, from);
        }
        if response.dragged()
            && let Some(at) = at
        {
            // Alt: exactly where the pointer is.
            let reach = if ui.input(|input| input.modifiers.alt) { 0.0 } else { NEAR / self.scale.zoom };
            self.go_on(composer, at, reach);
            composer.dragging = true;
        }
        if response.drag_stopped() {
            self.end(composer);
        }
        if response.clicked()
            && let Some(at) = at
        {
            self.click(composer, at);
        }
        if !response.is_pointer_button_down_on() {
            composer.dragging = false;
        }
        if response.has_focus() && composer.tool != Tool::Select && ui.input(|i| i.key_pressed(egui::Key::Enter)) {
            let middle = self.scale.inward(ui.clip_rect().intersect(response.rect).center());
            self.put(composer, middle);
        }
        if let Some(at) = at.filter(|_| response.hovered()) {
            let icon = if composer.tool != Tool::Select {
                CursorIcon::Crosshair
            } else if self.handle(composer, at).is_some() {
                CursorIcon::PointingHand
            } else if self.at(composer, at).is_some() {
                CursorIcon::Move
            } else {
                CursorIcon::Default
            };
            ui.set_cursor_icon(icon);
        }
    }

    fn begin(&self, composer: &mut Composer, from: Pos2) {
        if composer.tool == Tool::Select {
            if let Some(handle) = self.handle(composer, from) {
                composer.drag = Some(Drag::Pull { handle });
                return;
            }
            composer.selected = self.at(composer, from);
            let chosen = composer.selected.and_then(|i| composer.document.plan.annotations.get(i));
            composer.drag = chosen.map(|annotation| Drag::Move { shape: annotation.shape.clone(), from });
            return;
        }
        let at = Point { x: from.x, y: from.y };
        let shape = match composer.tool {
            Tool::Arrow => Shape::Arrow { from: at, to: at },
            Tool::Box => Shape::Box(area(from, from)),
            Tool::Ellipse => Shape::Ellipse(area(from, from)),
            Tool::Highlight => Shape::Highlight(area(from, from)),
            Tool::Redact => Shape::Redaction(area(from, from)),
            Tool::Crop => Shape::Crop(area(from, from)),
            Tool::Text | Tool::Number | Tool::Select => return,
        };
        add(composer, shape);
        composer.drag = Some(Drag::New { from });
    }

    fn go_on(&self, composer: &mut Composer, at: Pos2, reach: f32) {
        let guides = self.guides(composer);
        let Some(drag) = composer.drag.clone() else { return };
        let Some(annotation) = composer.selected.and_then(|i| composer.document.plan.annotations.get_mut(i)) else {
            return;
        };
        let Some(corner) = self.corner(annotation.anchor) else { return };
        match drag {
            Drag::New { from } => {
                let to = guides.snap(at, reach);
                match &mut annotation.shape {
                    Shape::Arrow { to: end, .. } => *end = Point { x: to.x, y: to.y },
                    Shape::Box(a) | Shape::Ellipse(a) | Shape::Highlight(a) | Shape::Redaction(a) | Shape::Crop(a) => {
                        *a = area(guides.snap(from, reach), to);
                    }
                    Shape::Text { .. } | Shape::Number { .. } => {}
                }
            }
            Drag::Move { mut shape, from } => {
                shift(&mut shape, at - from);
                let mut there = shape.clone();
                shift(&mut there, corner);
                shift(&mut shape, guides.snap_rect(self.bounds(&there), reach));
                annotation.shape = shape;
            }
            Drag::Pull { handle } => pull(&mut annotation.shape, handle, guides.snap(at, reach) - corner),
        }
    }

    fn end(&self, composer: &mut Composer) {
        composer.dragging = false;
        let Some(drag) = composer.drag.take() else { return };
        let Some(annotation) = composer.selected.and_then(|i| composer.document.plan.annotations.get(i)) else {
            return;
        };
        let Some(shape) = self.placed(annotation) else { return };
        let size = self.bounds(&shape).size();
        if matches!(drag, Drag::New { .. }) {
            composer.tool = Tool::Select;
            if size.max_elem() < SMALLEST {
                composer.delete();
                return;
            }
        }
        self.anchor(composer);
    }

    /// Lets the selected annotation stand on what is below it.
    fn anchor(&self, composer: &mut Composer) {
        let Some(annotation) = composer.selected.and_then(|i| composer.document.plan.annotations.get_mut(i)) else {
            return;
        };
        let Some(mut shape) = self.placed(annotation) else { return };
        let anchor = anchor_at(&shape, self.bounds(&shape).center(), &self.preview.laid);
        let Some(corner) = self.corner(anchor) else { return };
        shift(&mut shape, -corner);
        annotation.shape = shape;
        annotation.anchor = anchor;
    }

    fn click(&self, composer: &mut Composer, at: Pos2) {
        match composer.tool {
            Tool::Select => composer.selected = self.at(composer, at),
            Tool::Text | Tool::Number => self.put(composer, at),
            Tool::Arrow | Tool::Box | Tool::Ellipse | Tool::Highlight | Tool::Redact | Tool::Crop => {}
        }
    }

    /// Puts a shape of the tool's down at its usual size.
    fn put(&self, composer: &mut Composer, at: Pos2) {
        let point = Point { x: at.x, y: at.y };
        let around = || area(at - vec2(80.0, 30.0), at + vec2(80.0, 30.0));
        let shape = match composer.tool {
            Tool::Select => return,
            Tool::Text => Shape::Text { at: point, words: String::new() },
            Tool::Number => {
                let used = composer.document.plan.annotations.iter().filter_map(|a| match a.shape {
                    Shape::Number { number, .. } => Some(number),
                    _ => None,
                });
                Shape::Number { at: point, number: used.max().unwrap_or(0).saturating_add(1) }
            }
            Tool::Arrow => Shape::Arrow { from: Point { x: at.x - 80.0, y: at.y - 40.0 }, to: point },
            Tool::Box => Shape::Box(around()),
            Tool::Ellipse => Shape::Ellipse(around()),
            Tool::Highlight => Shape::Highlight(around()),
            Tool::Redact => Shape::Redaction(around()),
            Tool::Crop => Shape::Crop(around()),
        };
        composer.wants_words = composer.tool == Tool::Text;
        composer.tool = Tool::Select;
        add(composer, shape);
        self.anchor(composer);
    }

    fn paint(&self, composer: &Composer, c: &Colours) {
        let over = self.scale.rect(Rect::from_min_size(Pos2::ZERO, self.preview.above));
        let annotations = &composer.document.plan.annotations;
        let crop = annotations.iter().rev().find(|a| matches!(a.shape, Shape::Crop(_)));
        if let Some(shape) = crop.and_then(|a| self.placed(a)) {
            let kept = self.scale.rect(self.bounds(&shape)).intersect(over);
            let dim = Color32::from_black_alpha(130);
            let parts = [
                Rect::from_min_max(over.min, pos2(over.right(), kept.top())),
                Rect::from_min_max(pos2(over.left(), kept.bottom()), over.max),
                Rect::from_min_max(pos2(over.left(), kept.top()), pos2(kept.left(), kept.bottom())),
                Rect::from_min_max(pos2(kept.right(), kept.top()), pos2(over.right(), kept.bottom())),
            ];
            for part in parts.into_iter().filter(Rect::is_positive) {
                self.painter.rect_filled(part, CornerRadius::ZERO, dim);
            }
            self.painter.rect_stroke(kept, CornerRadius::ZERO, Stroke::new(1.0, Color32::WHITE), StrokeKind::Outside);
        }
        let Some(shape) = composer.selected.and_then(|i| annotations.get(i)).and_then(|a| self.placed(a)) else {
            return;
        };
        let line = Stroke::new(1.0, c.accent);
        let around = self.scale.rect(self.bounds(&shape));
        if matches!(shape, Shape::Arrow { .. })
            && let [from, to] = handles(&shape).as_slice()
        {
            self.painter.line_segment([self.scale.outward(*from), self.scale.outward(*to)], line);
        } else {
            let (top, bottom) =
                ([around.left_top(), around.right_top()], [around.right_bottom(), around.left_bottom()]);
            let points = [top[0], top[1], bottom[0], bottom[1], top[0]];
            self.painter.extend(Paint::dashed_line(&points, line, 4.0, 3.0));
        }
        for handle in handles(&shape) {
            let square = Rect::from_center_size(self.scale.outward(handle), Vec2::splat(HANDLE));
            self.painter.rect(
                square,
                CornerRadius::same(2),
                Color32::WHITE,
                Stroke::new(1.4, c.accent),
                StrokeKind::Inside,
            );
        }
    }
}

/// Adds an annotation of the chosen colour and selects it. There is only one crop.
fn add(composer: &mut Composer, shape: Shape) {
    let annotations = &mut composer.document.plan.annotations;
    if matches!(shape, Shape::Crop(_)) {
        annotations.retain(|a| !matches!(a.shape, Shape::Crop(_)));
    }
    let (colour, weight) = (composer.colour, composer.weight);
    annotations.push(Annotation { anchor: Anchor::Picture, shape, colour, weight, other: serde_json::Map::default() });
    composer.selected = annotations.len().checked_sub(1);
}

/// The list of what was drawn by hand: each can be selected without a pointer.
pub(super) fn list(ui: &mut Ui, composer: &mut Composer) {
    for (i, annotation) in composer.document.plan.annotations.iter().enumerate() {
        let words = match &annotation.shape {
            Shape::Text { words, .. } if !words.trim().is_empty() => {
                format!("Text “{}”", crate::model::clean_to(words.as_bytes(), 40))
            }
            Shape::Number { number, .. } => format!("Number {number}"),
            shape => options::kind(shape).to_owned(),
        };
        let label = format!("{}  {words}", i + 1);
        if ui.add(Button::selectable(composer.selected == Some(i), label)).clicked() {
            composer.selected = Some(i);
            ui.memory_mut(|memory| memory.request_focus(canvas_id()));
        }
    }
}
