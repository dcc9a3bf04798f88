//! The list as a tree: groups that open, exchanges as rows below the innermost. What is painted is found from the number of
//! the line, so that a million rows cost no more than ten.

use std::ops::Range;
use std::sync::Arc;

use ahash::AHashSet;
use egui::{CornerRadius, Painter, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::focus_id;
use crate::store::Row;
use crate::store::groups::{Group, Groups};
use crate::ui::action::{Action, TreeAction};
use crate::ui::theme::{self, Colours};
use crate::ui::{shapes, text};

/// Points that a level is further right than the one around it.
pub(super) const INDENT: f32 = 16.0;
/// Widths of count, bytes and share, and the widest that names get.
const COUNT: f32 = 116.0;
const BYTES: f32 = 72.0;
const SHARE: f32 = 116.0;
const NAMES: f32 = 520.0;

/// What the user unfolded, and which group has the cursor.
#[derive(Debug, Default)]
pub(crate) struct TreeState {
    /// Open groups by their keys.
    pub(crate) open: AHashSet<u64>,
    /// The group that has the cursor; where `None`, the selected exchange has it.
    pub(crate) group: Option<u64>,
}

/// What stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A group, by its place in [`Groups::list`].
    Group(usize),
    /// An exchange, by its place in the order.
    Row(usize),
}

/// A group that is in sight, and the exchanges that stand below it.
#[derive(Clone, Debug)]
struct Part {
    line: usize,
    group: usize,
    rows: Range<usize>,
}

/// The groups, and which lines they come to as far as they are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) groups: Arc<Groups>,
    parts: Vec<Part>,
    len: usize,
}

impl Tree {
    /// Costs as much as there are groups in sight; made anew where groups or what is open change.
    pub(crate) fn new(groups: Arc<Groups>, open: &AHashSet<u64>) -> Self {
        let mut tree = Self { groups, parts: Vec::new(), len: 0 };
        let mut at = 0;
        while let Some(group) = tree.groups.list.get(at) {
            let is_open = open.contains(&group.key);
            let rows = if is_open && tree.groups.is_leaf(at) { group.rows.clone() } else { 0..0 };
            tree.parts.push(Part { line: tree.len, group: at, rows: rows.clone() });
            tree.len += 1 + rows.len();
            at = if is_open { at + 1 } else { group.after };
        }
        tree
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// What stands in a line.
    pub(crate) fn line(&self, line: usize) -> Option<Line> {
        let part = self.parts.get(self.parts.partition_point(|part| part.line <= line).checked_sub(1)?)?;
        match (line - part.line).checked_sub(1) {
            None => Some(Line::Group(part.group)),
            Some(n) => part.rows.clone().nth(n).map(Line::Row),
        }
    }

    /// The line of a group, where it is in sight.
    pub(crate) fn line_of(&self, key: u64) -> Option<usize> {
        self.parts
            .iter()
            .find(|part| self.group(part.group).is_some_and(|group| group.key == key))
            .map(|part| part.line)
    }

    /// The line of the exchange at this place of the order, where it is in sight.
    pub(crate) fn line_of_row(&self, place: usize) -> Option<usize> {
        let part = self.parts.iter().find(|part| part.rows.contains(&place))?;
        Some(part.line + 1 + (place - part.rows.start))
    }

    pub(crate) fn group(&self, at: usize) -> Option<&Group> {
        self.groups.list.get(at)
    }

    /// The key of the group around what stands in a line.
    pub(crate) fn around(&self, line: usize) -> Option<u64> {
        let part = self.parts.iter().rev().find(|part| part.line <= line)?;
        if part.line < line {
            return self.group(part.group).map(|group| group.key);
        }
        let level = self.group(part.group)?.level.checked_sub(1)?;
        let outer = self.groups.list.get(..part.group)?.iter().rev().find(|group| group.level == level)?;
        Some(outer.key)
    }

    /// Opens what is around the exchange at this place of the order.
    pub(crate) fn open_around(&self, place: usize, open: &mut AHashSet<u64>) {
        open.extend(self.groups.around(place).into_iter().filter_map(|at| self.group(at)).map(|group| group.key));
    }

    /// What stands in a line, so that it is found again in another tree: the group, and how many lines below it.
    pub(crate) fn anchor(&self, line: usize) -> Option<(u64, usize)> {
        let part = self.parts.get(self.parts.partition_point(|part| part.line <= line).checked_sub(1)?)?;
        self.group(part.group).map(|group| (group.key, line - part.line))
    }
}

/// A group as a line of its own.
pub(super) fn group(
    ui: &Ui,
    painter: &Painter,
    (tree, state, at): (&Tree, &TreeState, usize),
    (rect, body): (Rect, Rect),
    actions: &mut Vec<Action>,
) {
    let Some(group) = tree.group(at) else { return };
    let c = theme::colours(ui);
    let open = state.open.contains(&group.key);
    let chosen = state.group == Some(group.key);
    let response = ui.interact(rect.intersect(body), focus_id().with(("group", group.key)), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::TreeItem, true, chosen, spoken(group, &tree.groups)));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_expanded(open);
        node.set_level(group.level + 1);
    });
    ground(painter, c, rect, group, (chosen, response.hovered()));
    let y = rect.center().y;
    let mut x = rect.left() + 14.0 + INDENT * group.level as f32;
    shapes::folded(painter, pos2(x, y), open, c.quiet);
    x += 12.0;
    if let Some(id) = group.operator {
        let square = Rect::from_min_size(pos2(x, y - 8.0), vec2(18.0, 16.0));
        if id.0 == Row::NONE {
            shapes::nobody(painter, square.shrink(2.0), c);
        } else {
            shapes::provider(painter, square, c, id);
        }
        x += 26.0;
    }
    let numbers = rect.left() + NAMES.min(rect.width() - COUNT - BYTES - SHARE).max(160.0);
    let font = if group.level == 0 { theme::strong(theme::BODY) } else { theme::sans(theme::BODY) };
    let mut job = egui::text::LayoutJob::simple_singleline(group.name.to_string(), font, c.text);
    job.wrap = egui::text::TextWrapping {
        break_anywhere: true,
        ..egui::text::TextWrapping::truncate_at_width((numbers - x).max(20.0))
    };
    let galley = painter.layout_job(job);
    painter.galley(pos2(x, (y - galley.size().y / 2.0).round()), galley, c.text);
    let mut right = numbers;
    let share = share(group, &tree.groups);
    let of_bytes = if share.is_empty() { share } else { format!("{share} of bytes") };
    let quiet = if chosen { c.text } else { c.quiet };
    for (width, words) in [(COUNT, exchanges(group)), (BYTES, text::size(group.bytes)), (SHARE, of_bytes)] {
        right += width;
        let galley = painter.layout_no_wrap(words, theme::sans(theme::BODY), quiet);
        painter.galley(pos2(right - galley.size().x, (y - galley.size().y / 2.0).round()), galley, quiet);
    }
    if response.clicked() {
        ui.ctx().memory_mut(|memory| memory.request_focus(focus_id()));
        actions.push(Action::Tree(TreeAction::Toggle(group.key)));
    }
    let tip = "Exchanges, bytes of their answers, and the share of all bytes shown; a click opens or closes";
    let _shown = response.on_hover_text(tip);
}

fn ground(painter: &Painter, c: &Colours, rect: Rect, group: &Group, (chosen, hovered): (bool, bool)) {
    let base = if group.level == 0 { c.surface } else { c.page };
    let colour = if hovered { Colours::tint(base, c.text, 0.05) } else { base };
    painter.rect_filled(rect, CornerRadius::ZERO, colour);
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, Colours::tint(colour, c.line, 0.45)));
    if chosen {
        let inside = rect.shrink2(vec2(0.5, 1.0));
        painter.rect(inside, CornerRadius::same(3), c.selection, Stroke::new(1.0, c.accent), StrokeKind::Inside);
    }
}

fn exchanges(group: &Group) -> String {
    text::plural(u64::from(group.exchanges), "exchange", "exchanges")
}

fn share(group: &Group, groups: &Groups) -> String {
    if groups.bytes == 0 {
        return String::new();
    }
    let percent = group.bytes as f64 * 100.0 / groups.bytes as f64;
    if percent > 0.0 && percent < 0.1 { "<0.1\u{2009}%".to_owned() } else { format!("{percent:.1}\u{2009}%") }
}

/// A group as one line of text.
fn spoken(group: &Group, groups: &Groups) -> String {
    let share = share(group, groups);
    let of = if share.is_empty() { String::new() } else { format!(", {share} of all bytes") };
    let level = group.level + 1;
    format!("{}, level {level}, {}, {}{of}", group.name, exchanges(group), text::size(group.bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ahash::AHashSet;

    use super::{Line, Tree};
    use crate::store::groups::{Group, Groups};

    fn group(level: usize, key: u64, rows: std::ops::Range<usize>, after: usize) -> Group {
        let exchanges = rows.len() as u32;
        Group { level, name: key.to_string().into(), operator: None, key, exchanges, bytes: 0, rows, after }
    }

    /// A million rows in two hosts of one provider, three in another's.
    fn tree(open: &[u64]) -> Tree {
        let list = vec![
            group(0, 1, 0..1_000_000, 3),
            group(1, 2, 0..999_990, 2),
            group(1, 3, 999_990..1_000_000, 3),
            group(0, 4, 1_000_000..1_000_003, 5),
            group(1, 5, 1_000_000..1_000_003, 5),
        ];
        let groups = Groups { list, rows: Arc::default(), bytes: 0, depth: 2 };
        Tree::new(Arc::new(groups), &open.iter().copied().collect())
    }

    #[test]
    fn lines_are_those_of_what_is_open() {
        let closed = tree(&[]);
        assert_eq!((closed.len(), closed.line(1), closed.line(2)), (2, Some(Line::Group(3)), None));
        let open = tree(&[1, 2, 5]);
        assert_eq!(open.len(), 2 + 2 + 999_990, "5 is out of sight");
        assert_eq!(open.line(2), Some(Line::Row(0)));
        assert_eq!(open.line(999_991), Some(Line::Row(999_989)));
        assert_eq!(open.line(999_992), Some(Line::Group(2)));
        assert_eq!(open.line(999_993), Some(Line::Group(3)));
        assert_eq!(open.line(999_994), None);
        assert_eq!((open.line_of(3), open.line_of(5)), (Some(999_992), None));
        assert_eq!((open.line_of_row(999_989), open.line_of_row(999_990)), (Some(999_991), None));
    }

    #[test]
    fn what_is_around_is_found_and_opened() {
        let open = tree(&[1, 2]);
        assert_eq!((open.around(5), open.around(1), open.around(0)), (Some(2), Some(1), None));
        assert_eq!(open.around(999_993), None);
        let mut keys = AHashSet::new();
        open.open_around(1_000_001, &mut keys);
        assert_eq!(keys, AHashSet::from_iter([4, 5]));
        assert_eq!((open.anchor(7), open.anchor(0)), (Some((2, 6)), Some((1, 0))));
    }
}
