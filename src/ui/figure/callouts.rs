//! Where numbers stand: beside their lines, in the margin, none over another, each with a line that leads to what it means.

use egui::{Painter, Pos2, Rect, Shape, Stroke, pos2, vec2};

use crate::ui::panes::head;
use crate::ui::theme::Hue;

/// Size of a number's box in points, and the step from one to the next.
pub(super) const BOX: egui::Vec2 = vec2(24.0, 15.0);
pub(super) const STEP: f32 = 17.0;
/// Width of the lines' room between the boxes and what they lead to.
pub(super) const LEAD: f32 = 18.0;

/// A number in the picture, beside what it quotes; in points from the figure's left upper corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The exchange's number in the capture, as `list` counts.
    pub exchange: u32,
    /// The ledger line's number, from 1.
    pub number: u32,
    /// The number's box.
    pub rect: Rect,
    /// The line that is quoted.
    pub line: Rect,
}

/// Moves heights so that each is at least `step` below the one before, and none above `top`: as little as can be, and
/// without changing their order. `wanted` ascends.
pub(super) fn spread(wanted: &[f32], step: f32, top: f32) -> Vec<f32> {
    // Heights less what the step alone asks for must not fall; runs that would fall share their mean.
    let mut runs: Vec<(f32, usize)> = Vec::new();
    for (i, y) in wanted.iter().enumerate() {
        runs.push((y - i as f32 * step, 1));
        while let [.., (before, n), (last, m)] = runs.as_mut_slice()
            && *before > *last
        {
            *before = (*before * *n as f32 + *last * *m as f32) / (*n + *m) as f32;
            *n += *m;
            runs.pop();
        }
    }
    let settled = runs.iter().flat_map(|(y, n)| core::iter::repeat_n(y.max(top), *n));
    settled.enumerate().map(|(i, y)| y + i as f32 * step).collect()
}

/// Paints a number and the line from it to `to`.
pub(super) fn paint(painter: &Painter, rect: Rect, to: Pos2, number: u32, hue: Hue) {
    let from = pos2(rect.right(), rect.center().y);
    let stroke = Stroke::new(1.2, hue.line);
    if (from.y - to.y).abs() < 1.5 {
        painter.line_segment([pos2(from.x, to.y), to], stroke);
    } else {
        let bend = 4.0;
        let points = vec![from, from + vec2(bend, 0.0), to - vec2(bend, 0.0), to];
        painter.add(Shape::line(points, stroke));
    }
    head::number(painter, rect, &number.to_string(), hue);
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[track_caller]
    fn check(wanted: &[f32], want: &[f32]) {
        assert_eq!(spread(wanted, 10.0, 0.0), want);
    }

    #[test]
    fn numbers_make_room_for_each_other() {
        check(&[], &[]);
        check(&[5.0, 40.0], &[5.0, 40.0]);
        check(&[20.0, 20.0], &[15.0, 25.0]);
        check(&[0.0, 0.0, 0.0], &[0.0, 10.0, 20.0]);
        check(&[30.0, 30.0, 30.0, 60.0], &[20.0, 30.0, 40.0, 60.0]);
        check(&[50.0, 51.0, 52.0, 55.0], &[37.0, 47.0, 57.0, 67.0]);
    }

    #[test]
    fn none_lies_over_another() {
        // A fixed row of pseudo-random steps.
        let mut seed = 7_u32;
        let mut y = 0.0;
        let wanted: Vec<f32> = (0..500)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                y += f32::from((seed >> 28) as u8);
                y
            })
            .collect();
        let placed = spread(&wanted, 17.0, 4.0);
        assert!(placed.windows(2).all(|pair| pair[1] - pair[0] >= 16.99));
        assert!(placed.iter().all(|y| *y >= 4.0));
    }
}
