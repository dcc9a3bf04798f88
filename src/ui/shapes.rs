//! Marks that we draw ourselves: grades, provider squares, triangles. The same in table, card and chips.

use core::f32::consts::{FRAC_PI_2, PI};

use egui::{Align2, Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};

use super::theme::{self, Colours, Hue};
use crate::evidence::pack;
use crate::model::{Attempt, Grade, ProviderId, Stance, Standing};
use crate::store::FlowColour;

/// The shape of a grade: full, three quarters, half, ring, crossed ring.
pub(crate) fn grade(painter: &Painter, centre: Pos2, radius: f32, grade: Grade, colour: Color32) {
    let ring = Stroke::new(1.4, colour);
    match grade {
        Grade::Conclusive => {
            painter.circle_filled(centre, radius + 0.7, colour);
        }
        Grade::Supports => {
            painter.circle_stroke(centre, radius, ring);
            pie(painter, centre, radius, -FRAC_PI_2, PI, colour);
            pie(painter, centre, radius, FRAC_PI_2, FRAC_PI_2, colour);
        }
        Grade::Suggests => {
            painter.circle_stroke(centre, radius, ring);
            pie(painter, centre, radius, -FRAC_PI_2, PI, colour);
        }
        Grade::NameOnly => {
            painter.circle_stroke(centre, radius, ring);
        }
        Grade::Contradicted => {
            painter.circle_stroke(centre, radius, ring);
            let arm = radius * 0.62;
            for step in [vec2(arm, arm), vec2(arm, -arm)] {
                painter.line_segment([centre - step, centre + step], ring);
            }
        }
    }
}

/// A slice of at most half a circle.
fn pie(painter: &Painter, centre: Pos2, radius: f32, from: f32, sweep: f32, colour: Color32) {
    const STEPS: u8 = 12;
    let mut points = vec![centre];
    for step in 0..=STEPS {
        let angle = from + sweep * f32::from(step) / f32::from(STEPS);
        points.push(centre + radius * Vec2::angled(angle));
    }
    painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
}

/// The number of a flow's colour on that colour.
pub(crate) fn flow(painter: &Painter, rect: Rect, c: &Colours, colour: FlowColour) {
    let fill = c.flow(colour);
    painter.rect_filled(rect, CornerRadius::ZERO, fill);
    let font = theme::strong(if colour.number() < 10 { theme::SMALL } else { 9.0 });
    painter.text(rect.center(), Align2::CENTER_CENTER, colour.number(), font, theme::ink(fill));
}

/// A small lock: what stands here was decrypted.
pub(crate) fn lock(painter: &Painter, centre: Pos2, colour: Color32) {
    let body = Rect::from_center_size(centre + vec2(0.0, 2.0), vec2(8.0, 6.0));
    painter.rect_filled(body, CornerRadius::same(1), colour);
    let bow = Rect::from_center_size(centre - vec2(0.0, 2.0), vec2(5.0, 6.0));
    painter.rect_stroke(bow, CornerRadius::same(2), Stroke::new(1.2, colour), StrokeKind::Middle);
}

/// A shape in a provider's colour, with the outline that parts it from any ground.
pub(crate) fn filled(painter: &Painter, rect: Rect, corner: CornerRadius, hue: Hue) {
    let stroke = if hue.fill == hue.line { Stroke::NONE } else { Stroke::new(1.0, hue.line) };
    painter.rect(rect, corner, hue.fill, stroke, StrokeKind::Inside);
}

/// A provider's small square with its two letters.
pub(crate) fn provider(painter: &Painter, rect: Rect, c: &Colours, id: ProviderId) {
    let hue = c.provider(id);
    filled(painter, rect, CornerRadius::same(3), hue);
    let letters = pack().providers.get(usize::from(id.0)).map_or("?", |p| p.glyph);
    let size = (rect.height() * if rect.height() > 24.0 { 0.42 } else { 0.58 }).round();
    painter.text(rect.center(), Align2::CENTER_CENTER, letters, theme::strong(size), theme::ink(hue.fill));
}

/// An empty square: nobody named.
pub(crate) fn nobody(painter: &Painter, rect: Rect, c: &Colours) {
    painter.rect_stroke(rect.shrink(0.5), CornerRadius::same(3), Stroke::new(1.0, c.faint), StrokeKind::Inside);
}

/// A line around what has the keyboard, the same everywhere. To be painted after all else: what is scrolled out of view has
/// none, and what is typed into shows its cursor.
pub(crate) fn focus(ui: &Ui) {
    let ctx = ui.ctx();
    // To look at it while something else is clicked would take the focus away.
    if ctx.input(|input| input.pointer.any_click() || !input.focused) {
        return;
    }
    let focused = ctx.memory(egui::Memory::focused).filter(|_| !ctx.text_edit_focused());
    let Some(response) = focused.and_then(|id| ctx.read_response(id)) else { return };
    let seen = response.interact_rect;
    if !seen.is_positive() {
        return;
    }
    let rect = seen.expand(2.0).intersect(ctx.content_rect());
    let stroke = Stroke::new(1.5, theme::colours(ui).accent);
    ctx.layer_painter(response.layer_id).rect_stroke(rect, CornerRadius::same(4), stroke, StrokeKind::Inside);
}

/// A sort mark.
pub(crate) fn sorted(painter: &Painter, centre: Pos2, descending: bool, colour: Color32) {
    let (w, h) = (3.6, if descending { 2.4 } else { -2.4 });
    let points = vec![pos2(centre.x - w, centre.y - h), pos2(centre.x + w, centre.y - h), pos2(centre.x, centre.y + h)];
    painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
}

/// What opens and closes: points down where it is open.
pub(crate) fn folded(painter: &Painter, centre: Pos2, open: bool, colour: Color32) {
    let points = if open {
        vec![centre + vec2(-4.0, -2.2), centre + vec2(4.0, -2.2), centre + vec2(0.0, 3.0)]
    } else {
        vec![centre + vec2(-2.2, -4.0), centre + vec2(3.0, 0.0), centre + vec2(-2.2, 4.0)]
    };
    painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
}

/// A caution triangle with its exclamation mark.
pub(crate) fn caution(painter: &Painter, centre: Pos2, colour: Color32) {
    let points = vec![centre + vec2(0.0, -5.5), centre + vec2(6.0, 5.0), centre + vec2(-6.0, 5.0)];
    painter.add(Shape::closed_line(points, Stroke::new(1.3, colour)));
    painter.line_segment([centre + vec2(0.0, -1.8), centre + vec2(0.0, 1.4)], Stroke::new(1.3, colour));
    painter.circle_filled(centre + vec2(0.0, 3.2), 0.8, colour);
}

/// An arrow up for what the client sent, down for what it received.
pub(crate) fn direction(painter: &Painter, centre: Pos2, up: bool, colour: Color32) {
    let (stroke, sign) = (Stroke::new(1.5, colour), if up { -1.0 } else { 1.0 });
    let tip = centre + vec2(0.0, 5.0 * sign);
    painter.line_segment([centre - vec2(0.0, 5.0 * sign), tip], stroke);
    for side in [-3.5, 3.5] {
        painter.line_segment([tip, tip + vec2(side, -3.5 * sign)], stroke);
    }
}

/// A flag: marked.
pub(crate) fn flag(painter: &Painter, centre: Pos2, colour: Color32) {
    painter.line_segment([centre + vec2(-3.5, -5.5), centre + vec2(-3.5, 5.5)], Stroke::new(1.4, colour));
    let cloth = vec![centre + vec2(-3.5, -5.0), centre + vec2(4.5, -2.2), centre + vec2(-3.5, 0.8)];
    painter.add(Shape::convex_polygon(cloth, colour, Stroke::NONE));
}

/// A speech bubble: something was said.
pub(crate) fn speech(painter: &Painter, centre: Pos2, colour: Color32) {
    let stroke = Stroke::new(1.3, colour);
    let bubble = Rect::from_center_size(centre + vec2(0.0, -1.2), vec2(11.0, 7.6));
    painter.rect_stroke(bubble, 2, stroke, StrokeKind::Middle);
    painter.line_segment([centre + vec2(-3.0, 2.6), centre + vec2(-3.0, 5.6)], stroke);
    painter.line_segment([centre + vec2(-3.0, 5.6), centre + vec2(0.2, 2.6)], stroke);
}

/// A magnifying glass.
pub(crate) fn lens(painter: &Painter, centre: Pos2, colour: Color32) {
    let stroke = Stroke::new(1.4, colour);
    painter.circle_stroke(centre + vec2(-1.2, -1.2), 4.0, stroke);
    painter.line_segment([centre + vec2(1.8, 1.8), centre + vec2(5.0, 5.0)], stroke);
}

/// A star for what is kept; full where it is.
pub(crate) fn star(painter: &Painter, centre: Pos2, full: bool, colour: Color32) {
    let point = |n: u8| {
        let radius = if n.is_multiple_of(2) { 6.0 } else { 2.6 };
        let angle = PI * (f32::from(n) / 5.0 - 0.5);
        centre + vec2(radius * angle.cos(), radius * angle.sin())
    };
    let points: Vec<Pos2> = (0..10).map(point).collect();
    if full {
        // A star is not convex: five triangles and the middle are.
        for n in (0..10_u8).step_by(2) {
            let tip = vec![point((n + 9) % 10), point(n), point(n + 1)];
            painter.add(Shape::convex_polygon(tip, colour, Stroke::NONE));
        }
        let middle = (0..10_u8).skip(1).step_by(2).map(point).collect();
        painter.add(Shape::convex_polygon(middle, colour, Stroke::NONE));
    }
    painter.add(Shape::closed_line(points, Stroke::new(1.2, colour)));
}

/// A cross for closing.
pub(crate) fn cross(painter: &Painter, centre: Pos2, colour: Color32) {
    let stroke = Stroke::new(1.4, colour);
    for step in [vec2(3.6, 3.6), vec2(3.6, -3.6)] {
        painter.line_segment([centre - step, centre + step], stroke);
    }
}

/// A rectangle with a dashed outline.
pub(crate) fn dashed(painter: &Painter, rect: Rect, colour: Color32) {
    let r = rect.shrink(0.5);
    let corners = [r.left_top(), r.right_top(), r.right_bottom(), r.left_bottom(), r.left_top()];
    painter.extend(Shape::dashed_line(&corners, Stroke::new(1.2, colour), 6.0, 5.0));
}

/// A cell of the agreement strip: full, empty, hatched or crossed.
pub(crate) fn witness(painter: &Painter, rect: Rect, stance: Stance, operator: ProviderId, c: &Colours) {
    let corner = CornerRadius::same(2);
    match stance {
        Stance::Agrees => filled(painter, rect, corner, c.provider(operator)),
        Stance::Silent => {
            painter.rect_stroke(rect, corner, Stroke::new(1.0, c.faint), StrokeKind::Inside);
        }
        Stance::NotObservable => {
            let stroke = Stroke::new(1.0, c.unknown());
            painter.rect_stroke(rect, corner, stroke, StrokeKind::Inside);
            let inner = painter.with_clip_rect(rect.shrink(1.0));
            let mut x = rect.left() - rect.height();
            while x < rect.right() {
                inner.line_segment([pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top())], stroke);
                x += 3.5;
            }
        }
        Stance::Conflicts => {
            let stroke = Stroke::new(1.3, c.red);
            painter.rect_stroke(rect, corner, stroke, StrokeKind::Inside);
            let r = rect.shrink(2.0);
            painter.line_segment([r.left_top(), r.right_bottom()], stroke);
            painter.line_segment([r.right_top(), r.left_bottom()], stroke);
        }
    }
}

/// What is left of a reading: a cross where it is ruled out, half a disc where it is weakened, a ring where it is open.
pub(crate) fn standing(painter: &Painter, centre: Pos2, standing: Standing, c: &Colours) {
    match standing {
        Standing::RuledOut => cross(painter, centre, c.faint),
        Standing::Weakened => {
            painter.circle_stroke(centre, 5.0, Stroke::new(1.4, c.quiet));
            pie(painter, centre, 5.0, FRAC_PI_2, PI, c.quiet);
        }
        Standing::Open => {
            painter.circle_stroke(centre, 5.0, Stroke::new(1.8, c.amber));
        }
    }
}

/// How an attempt ended: a tick where the verdict held, a cross where it broke, a dash where nothing could be tried.
pub(crate) fn attempt(painter: &Painter, centre: Pos2, outcome: Attempt, c: &Colours) {
    match outcome {
        Attempt::Held => tick(painter, centre, c.text),
        Attempt::Broke => cross(painter, centre, c.red),
        Attempt::NotPossible => {
            painter.hline(centre.x - 4.0..=centre.x + 4.0, centre.y, Stroke::new(1.4, c.faint));
        }
    }
}

/// A tick.
pub(crate) fn tick(painter: &Painter, centre: Pos2, colour: Color32) {
    let points = vec![centre + vec2(-4.2, 0.2), centre + vec2(-1.2, 3.4), centre + vec2(4.4, -3.6)];
    painter.add(Shape::line(points, Stroke::new(1.6, colour)));
}

/// A small triangle that points right, or down where the fold is open.
pub(crate) fn chevron(painter: &Painter, centre: Pos2, open: bool, colour: Color32) {
    let points = if open {
        vec![centre + vec2(-3.6, -1.8), centre + vec2(0.0, 1.8), centre + vec2(3.6, -1.8)]
    } else {
        vec![centre + vec2(-1.8, -3.6), centre + vec2(1.8, 0.0), centre + vec2(-1.8, 3.6)]
    };
    painter.add(Shape::line(points, Stroke::new(1.4, colour)));
}

/// An arrow from left to right.
pub(crate) fn arrow(painter: &Painter, from: Pos2, to: Pos2, colour: Color32) {
    let stroke = Stroke::new(1.4, colour);
    painter.line_segment([from, to], stroke);
    painter.add(Shape::line(vec![to + vec2(-5.0, -4.0), to, to + vec2(-5.0, 4.0)], stroke));
}
