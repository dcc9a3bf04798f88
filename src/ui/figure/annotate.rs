//! What the author drew over a picture: never mistaken for what the bytes say, and what is hidden is gone.

use std::sync::Arc;

use egui::epaint::EllipseShape;
use egui::text::{LayoutJob, TextFormat};
use egui::{
    Color32, ColorImage, CornerRadius, Galley, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2, vec2,
};

use super::page::Laid;
use crate::case::{Anchor, Annotation, Area, Colour, Point, Shape as Drawing, Weight};
use crate::model::clean_to;
use crate::ui::theme::{self, Colours};

/// Characters of one annotation's words.
const WORDS: usize = 2_000;
/// Space around them in their box, both sides together.
const PAD: Vec2 = vec2(12.0, 8.0);
/// No place is farther away than this, in points.
const FAR: f32 = 1e6;

/// The corner that an annotation's points count from; `None` where what it stands on is not in the picture.
pub(crate) fn corner(anchor: Anchor, laid: &[Laid]) -> Option<Vec2> {
    match anchor {
        Anchor::Picture => Some(Vec2::ZERO),
        Anchor::Section { exchange, section } => laid
            .iter()
            .find(|l| l.section == section && (l.leaf.is_none() || l.leaf == Some(usize::from(exchange))))
            .map(|l| l.rect.min.to_vec2()),
    }
}

/// A point in points of the picture; a value that is no number is the corner itself.
fn place(point: Point, corner: Vec2) -> Pos2 {
    let sane = |value: f32| if value.is_finite() { value.clamp(-FAR, FAR) } else { 0.0 };
    pos2(sane(point.x), sane(point.y)) + corner
}

/// As a rectangle with its corners the right way round.
fn rect(area: Area, corner: Vec2) -> Rect {
    Rect::from_two_pos(place(area.from, corner), place(area.to, corner))
}

/// The part that is kept, where one was chosen.
pub(super) fn crop(annotations: &[Annotation], laid: &[Laid]) -> Option<Rect> {
    annotations.iter().rev().find_map(|annotation| match annotation.shape {
        Drawing::Crop(area) => Some(rect(area, corner(annotation.anchor, laid)?)),
        _ => None,
    })
}

/// Paints all but redactions, which go over the finished pixels.
pub(super) fn paint(painter: &Painter, annotations: &[Annotation], laid: &[Laid], width: f32, c: &Colours) {
    for annotation in annotations {
        let Some(corner) = corner(annotation.anchor, laid) else { continue };
        let colour = match annotation.colour {
            Colour::Accent => c.accent,
            Colour::Ink => c.text,
            Colour::Red => c.red,
            Colour::Amber => c.amber,
            Colour::Green => c.green,
        };
        let stroke = Stroke::new(
            match annotation.weight {
                Weight::Thin => 1.0,
                Weight::Medium => 2.0,
                Weight::Thick => 4.0,
            },
            colour,
        );
        match &annotation.shape {
            Drawing::Arrow { from, to } => arrow(painter, place(*from, corner), place(*to, corner), stroke),
            Drawing::Box(area) => {
                painter.rect_stroke(rect(*area, corner), CornerRadius::same(4), stroke, StrokeKind::Middle);
            }
            Drawing::Ellipse(area) => {
                let r = rect(*area, corner);
                painter.add(EllipseShape::stroke(r.center(), r.size() / 2.0, stroke));
            }
            Drawing::Highlight(area) => {
                painter.rect_filled(rect(*area, corner), CornerRadius::same(2), colour.gamma_multiply(0.22));
            }
            Drawing::Text { at, words } => text(painter, place(*at, corner), words, width, colour, c),
            Drawing::Number { at, number } => disc(painter, place(*at, corner), *number, colour, c),
            Drawing::Redaction(_) | Drawing::Crop(_) => {}
        }
    }
}

/// A number of the author's: a ring, so that nobody takes it for a line of the ledger.
fn disc(painter: &Painter, at: Pos2, number: u16, colour: Color32, c: &Colours) {
    painter.circle(at, 10.0, c.page, Stroke::new(1.6, colour));
    let font = theme::strong(if number < 100 { theme::SMALL } else { 9.0 });
    painter.text(at, egui::Align2::CENTER_CENTER, number, font, colour);
}

fn arrow(painter: &Painter, from: Pos2, to: Pos2, stroke: Stroke) {
    let along = (to - from).normalized();
    let side = along.rot90();
    let (long, wide) = (9.0 + stroke.width, 4.0 + stroke.width * 0.7);
    painter.line_segment([from, to - along * (long * 0.7)], stroke);
    let points = vec![to, to - along * long + side * wide, to - along * long - side * wide];
    painter.add(Shape::convex_polygon(points, stroke.color, Stroke::NONE));
}

/// The author's words, laid out from `left` in a picture of that width.
fn galley(painter: &Painter, words: &str, left: f32, width: f32, colour: Color32) -> Arc<Galley> {
    let mut job = LayoutJob::default();
    for (i, line) in words.lines().enumerate() {
        let format = TextFormat { italics: true, ..TextFormat::simple(theme::strong(theme::BODY), colour) };
        if i > 0 {
            job.append("\n", 0.0, format.clone());
        }
        job.append(&clean_to(line.as_bytes(), WORDS), 0.0, format);
    }
    job.wrap.max_width = (width - left - 12.0).clamp(80.0, 420.0);
    painter.layout_job(job)
}

/// Size of the box around the author's words.
pub(crate) fn words_size(painter: &Painter, words: &str, left: f32, width: f32) -> Vec2 {
    galley(painter, words, left, width, Color32::WHITE).size() + PAD
}

fn text(painter: &Painter, at: Pos2, words: &str, width: f32, colour: Color32, c: &Colours) {
    if words.trim().is_empty() {
        return;
    }
    let galley = galley(painter, words, at.x, width, colour);
    let ground = Rect::from_min_size(at, galley.size() + PAD);
    painter.rect_filled(ground, CornerRadius::same(4), c.page);
    painter.rect_stroke(ground, CornerRadius::same(4), Stroke::new(1.2, colour), StrokeKind::Inside);
    painter.galley(at + PAD / 2.0, galley, colour);
}

/// Makes everything under redactions one solid colour; a pixel that is touched is covered whole.
pub(super) fn cover(image: &mut ColorImage, annotations: &[Annotation], laid: &[Laid], scale: f32, colour: Color32) {
    let [width, height] = image.size;
    for annotation in annotations {
        let Drawing::Redaction(area) = annotation.shape else { continue };
        let Some(corner) = corner(annotation.anchor, laid) else { continue };
        let r = rect(area, corner);
        let pixel = |points: f32, limit: usize, up: bool| {
            let at = points * scale;
            (if up { at.ceil() } else { at.floor() }).clamp(0.0, limit as f32) as usize
        };
        let (left, right) = (pixel(r.left(), width, false), pixel(r.right(), width, true));
        for y in pixel(r.top(), height, false)..pixel(r.bottom(), height, true) {
            if let Some(pixels) = image.pixels.get_mut(y * width + left..y * width + right) {
                pixels.fill(colour);
            }
        }
    }
}
