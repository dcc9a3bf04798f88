//! What stands under a redaction that was drawn by hand. Pixels that are covered are gone from the picture only; as words to
//! hide it goes from claim and bundle too.

use egui::Vec2;

use super::geometry::{bounds, shift};
use super::{Composer, Shown};
use crate::case::{Annotation, Shape};
use crate::ui::figure::annotate::corner;

/// Shorter values stand everywhere: to hide them hides what has nothing to do with them.
const SHORTEST: usize = 4;

/// What can be hidden of what a redaction covers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Covered {
    /// Values of header lines, whole.
    pub(super) values: Vec<String>,
    /// Header lines whose values are too short or too long for that.
    pub(super) left: usize,
    /// Header lines of which nothing is left to hide.
    pub(super) hidden: usize,
}

/// What the redaction covers of the heads in the preview; nothing for other annotations.
pub(super) fn covered(annotation: &Annotation, shown: &Shown) -> Covered {
    let mut found = Covered::default();
    let Shape::Redaction(_) = annotation.shape else { return found };
    let Some(by) = corner(annotation.anchor, &shown.laid) else { return found };
    let mut shape = annotation.shape.clone();
    shift(&mut shape, by);
    let area = bounds(&shape, Vec2::ZERO);
    for line in shown.lines.iter().filter(|line| line.rect.intersects(area)) {
        // What is hidden already has a placeholder there.
        let placeholders: Vec<&str> = shown.hidden.iter().map(|hidden| hidden.placeholder.as_str()).collect();
        let mut parts = vec![line.value.as_str()];
        for placeholder in placeholders {
            parts = parts.into_iter().flat_map(|part| part.split(placeholder)).collect();
        }
        let whole = line.whole && parts.iter().all(|part| part.trim().is_empty() || part.trim().len() >= SHORTEST);
        if !whole {
            found.left += 1;
        } else if parts.iter().all(|part| part.trim().is_empty()) {
            found.hidden += 1;
        }
        let worth = parts.into_iter().map(str::trim).filter(|part| part.len() >= SHORTEST && line.whole);
        for part in worth.map(str::to_owned) {
            if !found.values.contains(&part) {
                found.values.push(part);
            }
        }
    }
    found
}

impl Composer {
    /// Hides values that the selected redaction covers wherever they stand. The redaction stays: what is below it may be more
    /// than these, and would be readable again.
    pub(super) fn hide_covered(&mut self, values: Vec<String>) {
        let words = &mut self.document.plan.redaction.words;
        for value in values {
            if !words.contains(&value) {
                words.push(value);
            }
        }
    }
}
