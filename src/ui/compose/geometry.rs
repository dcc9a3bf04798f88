//! Where annotations lie, what a point hits, how they move and grow. Pure; in points of the picture.

use egui::{Pos2, Rect, Vec2, pos2, vec2};

use crate::case::{Anchor, Area, Point, Shape};
use crate::ui::figure::Laid;

/// Radius of a number's ring.
const RING: f32 = 11.0;

fn point(at: Pos2) -> Point {
    Point { x: at.x, y: at.y }
}

fn pos(point: Point) -> Pos2 {
    pos2(point.x, point.y)
}

/// The area between two points.
pub(super) fn area(a: Pos2, b: Pos2) -> Area {
    Area { from: point(a), to: point(b) }
}

/// The area of a shape that has one.
fn area_of(shape: &mut Shape) -> Option<&mut Area> {
    match shape {
        Shape::Box(area)
        | Shape::Ellipse(area)
        | Shape::Highlight(area)
        | Shape::Redaction(area)
        | Shape::Crop(area) => Some(area),
        Shape::Arrow { .. } | Shape::Text { .. } | Shape::Number { .. } => None,
    }
}

/// Changes every point of a shape.
fn map(shape: &mut Shape, mut change: impl FnMut(Pos2) -> Pos2) {
    let mut each = |p: &mut Point| *p = point(change(pos(*p)));
    if let Some(area) = area_of(shape) {
        each(&mut area.from);
        each(&mut area.to);
        return;
    }
    match shape {
        Shape::Arrow { from, to } => {
            each(from);
            each(to);
        }
        Shape::Text { at, .. } | Shape::Number { at, .. } => each(at),
        _ => {}
    }
}

/// Moves a shape.
pub(super) fn shift(shape: &mut Shape, by: Vec2) {
    map(shape, |p| p + by);
}

/// The rectangle around a shape; `words` is the size of a text's box.
pub(super) fn bounds(shape: &Shape, words: Vec2) -> Rect {
    match shape {
        Shape::Box(a) | Shape::Ellipse(a) | Shape::Highlight(a) | Shape::Redaction(a) | Shape::Crop(a) => {
            Rect::from_two_pos(pos(a.from), pos(a.to))
        }
        Shape::Arrow { from, to } => Rect::from_two_pos(pos(*from), pos(*to)),
        Shape::Text { at, .. } => Rect::from_min_size(pos(*at), words),
        Shape::Number { at, .. } => Rect::from_center_size(pos(*at), Vec2::splat(2.0 * RING)),
    }
}

/// Whether a point hits a shape, `near` points beside its lines included. What is only an outline can be clicked through.
pub(super) fn hits(shape: &Shape, words: Vec2, at: Pos2, near: f32) -> bool {
    let around = bounds(shape, words);
    if !around.expand(near).contains(at) {
        return false;
    }
    match shape {
        Shape::Arrow { from, to } => {
            let (a, b) = (pos(*from), pos(*to));
            let along = b - a;
            let share = ((at - a).dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
            (a + along * share).distance(at) <= near
        }
        Shape::Box(_) | Shape::Crop(_) => !around.shrink(near).contains(at),
        Shape::Ellipse(_) => {
            let radii = around.size() / 2.0;
            let inside = |by: f32| {
                let r = radii + Vec2::splat(by);
                let d = at - around.center();
                r.x > 0.0 && r.y > 0.0 && (d.x / r.x).powi(2) + (d.y / r.y).powi(2) <= 1.0
            };
            inside(near) && !inside(-near)
        }
        Shape::Highlight(_) | Shape::Redaction(_) | Shape::Text { .. } | Shape::Number { .. } => true,
    }
}

/// The points by which a shape is resized: corners and middles of the sides, or an arrow's ends.
pub(super) fn handles(shape: &Shape) -> Vec<Pos2> {
    let mut copy = shape.clone();
    if let Some(area) = area_of(&mut copy) {
        let (from, to) = (pos(area.from), pos(area.to));
        let (left, top, right, bottom) = (from.x, from.y, to.x, to.y);
        let (centre, middle) = (f32::midpoint(left, right), f32::midpoint(top, bottom));
        return [
            (left, top),
            (centre, top),
            (right, top),
            (left, middle),
            (right, middle),
            (left, bottom),
            (centre, bottom),
            (right, bottom),
        ]
        .map(|(x, y)| pos2(x, y))
        .to_vec();
    }
    match shape {
        Shape::Arrow { from, to } => vec![pos(*from), pos(*to)],
        _ => Vec::new(),
    }
}

/// Takes the handle with that number to a place.
pub(super) fn pull(shape: &mut Shape, handle: usize, to: Pos2) {
    if let Some(area) = area_of(shape) {
        match handle {
            0 | 3 | 5 => area.from.x = to.x,
            2 | 4 | 7 => area.to.x = to.x,
            _ => {}
        }
        match handle {
            0..=2 => area.from.y = to.y,
            5..=7 => area.to.y = to.y,
            _ => {}
        }
    } else if let Shape::Arrow { from, to: end } = shape {
        *(if handle == 0 { from } else { end }) = point(to);
    }
}

/// Lines that edges are drawn to: sections and callouts' lines.
#[derive(Debug, Default)]
pub(super) struct Guides {
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
}

impl Guides {
    pub(super) fn add(&mut self, rect: Rect) {
        self.x.extend([rect.left(), rect.right()]);
        self.y.extend([rect.top(), rect.bottom()]);
    }

    /// How far to the nearest guide from any of these places, where one is within reach.
    fn nearest(lines: &[f32], places: &[f32], reach: f32) -> f32 {
        let gaps = places.iter().flat_map(|place| lines.iter().map(move |line| line - place));
        gaps.filter(|gap| gap.abs() <= reach).min_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)
    }

    /// A point, drawn to guides.
    pub(super) fn snap(&self, at: Pos2, reach: f32) -> Pos2 {
        at + vec2(Self::nearest(&self.x, &[at.x], reach), Self::nearest(&self.y, &[at.y], reach))
    }

    /// By how much a rectangle has to move so that an edge lies on a guide.
    pub(super) fn snap_rect(&self, rect: Rect, reach: f32) -> Vec2 {
        vec2(
            Self::nearest(&self.x, &[rect.left(), rect.right()], reach),
            Self::nearest(&self.y, &[rect.top(), rect.bottom()], reach),
        )
    }
}

/// What an annotation at `centre` stands on: the section there, else the picture. A crop is of the picture.
pub(super) fn anchor_at(shape: &Shape, centre: Pos2, laid: &[Laid]) -> Anchor {
    if matches!(shape, Shape::Crop(_)) {
        return Anchor::Picture;
    }
    let under = laid.iter().filter(|l| l.rect.contains(centre));
    // The smallest, where one stands within another.
    let under = under.min_by(|a, b| a.rect.area().total_cmp(&b.rect.area()));
    under.map_or(Anchor::Picture, |l| Anchor::Section {
        exchange: u16::try_from(l.leaf.unwrap_or(0)).unwrap_or(u16::MAX),
        section: l.section,
    })
}

#[cfg(test)]
mod tests {
    use egui::{Rect, Vec2, pos2, vec2};

    use super::{Guides, area, bounds, handles, hits, pull, shift};
    use crate::case::{Point, Shape};

    #[test]
    fn an_outline_is_hit_on_its_line_and_can_be_clicked_through() {
        let shape = Shape::Box(area(pos2(10.0, 10.0), pos2(110.0, 60.0)));
        assert!(hits(&shape, Vec2::ZERO, pos2(10.0, 30.0), 4.0));
        assert!(hits(&shape, Vec2::ZERO, pos2(112.0, 58.0), 4.0));
        assert!(!hits(&shape, Vec2::ZERO, pos2(60.0, 35.0), 4.0));
        let ellipse = Shape::Ellipse(area(pos2(10.0, 10.0), pos2(110.0, 60.0)));
        assert!(hits(&ellipse, Vec2::ZERO, pos2(60.0, 11.0), 4.0));
        assert!(!hits(&ellipse, Vec2::ZERO, pos2(12.0, 12.0), 4.0));
    }

    #[test]
    fn every_handle_follows_the_pointer() {
        for handle in 0..8 {
            let mut shape = Shape::Box(area(pos2(0.0, 0.0), pos2(100.0, 50.0)));
            let before = handles(&shape)[handle];
            let to = before + vec2(7.0, -3.0);
            pull(&mut shape, handle, to);
            let after = handles(&shape)[handle];
            // A middle follows along its own axis only.
            assert!((after.x - to.x).abs() < 0.01 || (after.y - to.y).abs() < 0.01, "{handle}: {after:?}");
        }
        let mut arrow = Shape::Arrow { from: Point::default(), to: Point::default() };
        pull(&mut arrow, 1, pos2(5.0, 6.0));
        assert_eq!(handles(&arrow), [pos2(0.0, 0.0), pos2(5.0, 6.0)]);
        shift(&mut arrow, vec2(1.0, 1.0));
        assert_eq!(bounds(&arrow, Vec2::ZERO), Rect::from_min_max(pos2(1.0, 1.0), pos2(6.0, 7.0)));
    }

    #[test]
    fn edges_are_drawn_to_the_nearest_guide_within_reach() {
        let mut guides = Guides::default();
        guides.add(Rect::from_min_max(pos2(100.0, 200.0), pos2(300.0, 400.0)));
        assert_eq!(guides.snap(pos2(103.0, 250.0), 5.0), pos2(100.0, 250.0));
        let rect = Rect::from_min_max(pos2(90.0, 190.0), pos2(297.0, 396.0));
        assert_eq!(guides.snap_rect(rect, 5.0), vec2(3.0, 4.0));
    }
}
