//! What the author drew over a picture: never mistaken for what the bytes say, and what is hidden is gone.

use egui::epaint::EllipseShape;
use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, ColorImage, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2};

use super::plan::{Annotation, Area, Drawing, Ink, Spot};
use crate::model::clean_to;
use crate::ui::theme::{self, Colours};

/// Characters of one annotation's words.
const WORDS: usize = 2_000;
/// Width of lines in points.
const LINE: f32 = 2.5;

impl From<Spot> for Pos2 {
    fn from(spot: Spot) -> Self {
        pos2(spot.x, spot.y)
    }
}

/// As a rectangle with its corners the right way round.
pub(super) fn rect(area: Area) -> Rect {
    Rect::from_two_pos(area.from.into(), area.to.into())
}

/// Paints all but redactions, which go over the finished pixels.
pub(super) fn paint(painter: &Painter, annotations: &[Annotation], width: f32, c: &Colours) {
    for annotation in annotations {
        let colour = match annotation.ink {
            Ink::Blue => c.accent,
            Ink::Red => c.red,
            Ink::Amber => c.amber,
            Ink::Plain => c.text,
        };
        let stroke = Stroke::new(LINE, colour);
        match &annotation.drawing {
            Drawing::Arrow(from, to) => arrow(painter, (*from).into(), (*to).into(), stroke),
            Drawing::Box(area) => {
                painter.rect_stroke(rect(*area), CornerRadius::same(4), stroke, StrokeKind::Middle);
            }
            Drawing::Ellipse(area) => {
                let r = rect(*area);
                painter.add(EllipseShape::stroke(r.center(), r.size() / 2.0, stroke));
            }
            Drawing::Highlight(area) => {
                painter.rect_filled(rect(*area), CornerRadius::same(2), colour.gamma_multiply(0.22));
            }
            Drawing::Text(at, words) => text(painter, (*at).into(), words, width, colour, c),
            Drawing::Redaction(_) => {}
        }
    }
}

fn arrow(painter: &Painter, from: Pos2, to: Pos2, stroke: Stroke) {
    let along = (to - from).normalized();
    let side = along.rot90();
    let (long, wide) = (11.0, 5.5);
    painter.line_segment([from, to - along * (long * 0.7)], stroke);
    let points = vec![to, to - along * long + side * wide, to - along * long - side * wide];
    painter.add(Shape::convex_polygon(points, stroke.color, Stroke::NONE));
}

fn text(painter: &Painter, at: Pos2, words: &str, width: f32, colour: Color32, c: &Colours) {
    let mut job = LayoutJob::default();
    for (i, line) in words.lines().enumerate() {
        let format = TextFormat { italics: true, ..TextFormat::simple(theme::strong(theme::BODY), colour) };
        if i > 0 {
            job.append("\n", 0.0, format.clone());
        }
        job.append(&clean_to(line.as_bytes(), WORDS), 0.0, format);
    }
    job.wrap.max_width = (width - at.x - 12.0).clamp(80.0, 420.0);
    let galley = painter.layout_job(job);
    let ground = Rect::from_min_size(at, galley.size() + vec2(12.0, 8.0));
    painter.rect_filled(ground, CornerRadius::same(4), c.page);
    painter.rect_stroke(ground, CornerRadius::same(4), Stroke::new(1.2, colour), StrokeKind::Inside);
    painter.galley(at + vec2(6.0, 4.0), galley, colour);
}

/// Makes everything under redactions one solid colour; a pixel that is touched is covered whole.
pub(super) fn cover(image: &mut ColorImage, annotations: &[Annotation], scale: f32, colour: Color32) {
    let [width, height] = image.size;
    for annotation in annotations {
        let Drawing::Redaction(area) = annotation.drawing else { continue };
        let r = rect(area);
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
