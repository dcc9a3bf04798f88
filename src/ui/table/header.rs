//! The header: sorting, widths, the order of columns and which of them are shown.

use std::borrow::Cow;

use egui::{CornerRadius, CursorIcon, Id, Painter, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::columns::{Column, WIDTHS};
use super::{BAR, Fit, INSET, Seen, focus_id};
use crate::store::query::SortBy;
use crate::ui::action::{self, Action, ColumnsAction};
use crate::ui::roving::{Along, Roving};
use crate::ui::state::Saved;
use crate::ui::theme::{self, Colours};
use crate::ui::{menus, shapes};

/// Room for a sort mark, and for the number beside it where there are several keys.
const MARK: f32 = 12.0;
const RANK: f32 = 8.0;

/// How a column takes part in the order.
#[derive(Clone, Copy)]
struct Sorted {
    descending: bool,
    /// From 1; 0 where it is the only key.
    rank: usize,
}

impl Sorted {
    fn of(column: Column, sort: &[SortBy]) -> Option<Self> {
        if sort.is_empty() && column == Column::Frame {
            return Some(Self { descending: false, rank: 0 });
        }
        let at = sort.iter().position(|by| Some(by.key) == column.sort())?;
        let rank = if sort.len() > 1 { at + 1 } else { 0 };
        sort.get(at).map(|by| Self { descending: by.descending, rank })
    }

    /// What a screen reader says.
    fn words(self) -> String {
        let way = if self.descending { "sorted descending" } else { "sorted ascending" };
        if self.rank == 0 { way.to_owned() } else { format!("{way}, key {}", self.rank) }
    }

    fn room(self) -> f32 {
        if self.rank == 0 { MARK } else { MARK + RANK }
    }
}

/// Points by which a column grows or shrinks from its menu.
const STEP: f32 = 24.0;

/// The width in which a column's title has room.
pub(super) fn width(painter: &Painter, column: Column, seen: &Seen<'_>) -> f32 {
    let title = column.heading(seen.clock).into_owned();
    let galley = painter.layout_no_wrap(title, theme::sans(theme::SMALL), egui::Color32::PLACEHOLDER);
    let mark = Sorted::of(column, &seen.choice.sort).map_or(0.0, Sorted::room);
    galley.size().x + 2.0 * INSET + mark
}

/// Paints the header into `rect`; `left` points of it are scrolled out. Gives how many should be, where the keyboard went to a
/// cell that is out of view. The cells are one stop of the Tab key; Left and Right go between them.
pub(super) fn header(
    ui: &Ui,
    (painter, rect): (&Painter, Rect),
    columns: &[(Column, f32)],
    seen: &Seen<'_>,
    (saved, left): (&mut Saved, f32),
    actions: &mut Vec<Action>,
) -> Option<f32> {
    let c = theme::colours(ui);
    let strip = Rect::from_min_max(rect.min, pos2(rect.right() + BAR, rect.bottom()));
    painter.rect_filled(strip, CornerRadius::ZERO, c.surface);
    painter.hline(strip.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, c.line));
    let painter = painter.with_clip_rect(rect);
    let mut x = rect.left() - left;
    let mut cells = Vec::with_capacity(columns.len());
    for (column, width) in columns {
        cells.push((*column, Rect::from_x_y_ranges(x..=x + width, rect.y_range())));
        x += width;
    }
    let roving = Roving::new(ui, focus_id().with("head"), Along::Across, cells.len(), |_| true);
    let shown = roving.goes_to().and_then(|at| cells.get(at)).and_then(|(_, cell)| {
        let past = (cell.right() - rect.right()).max(0.0).min(cell.left() - rect.left());
        (past.abs() > 0.5).then_some(left + past)
    });
    for (at, (column, cell)) in cells.iter().enumerate() {
        let seen_part = cell.intersect(rect);
        if seen_part.width() < 4.0 && roving.at() != at {
            continue;
        }
        let sorted = Sorted::of(*column, &seen.choice.sort);
        let title = column.heading(seen.clock);
        let id = cell_id(*column);
        let place = if seen_part.width() < 4.0 { *cell } else { seen_part };
        let response = ui.interact(place.shrink2(vec2(4.0, 0.0)), id, roving.sense(ui, at, id) | Sense::DRAG);
        roving.drawn(at, &response);
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::ColumnHeader, true, &*title);
            info.current_text_value = sorted.map(Sorted::words);
            info
        });
        let focused = response.has_focus();
        let lit = sorted.is_some() || response.hovered() || focused;
        let part = painter.with_clip_rect(seen_part);
        head(&part, (*cell, title), if lit { c.text } else { c.quiet }, sorted, (column.right(seen.clock), c));
        // Enter and Space are clicks too.
        if response.clicked()
            && let Some(key) = column.sort()
        {
            let also = super::clicked_with(ui).shift;
            actions.push(if also { Action::SortAlso(key) } else { Action::Sort(key) });
        }
        carry(ui, &painter, &response, (at, &cells), actions);
        menus::on(&response, focused, |ui| column_menu(ui, *column, (at, &cells), saved, actions));
        if !response.dragged() {
            let _shown = response.on_hover_text(column.tip());
        }
        resize(ui, &painter, (*cell, *column), saved, actions);
    }
    roving.keep(ui);
    shown
}

fn cell_id(column: Column) -> Id {
    focus_id().with(("head", column))
}

/// A title with its sort mark.
fn head(
    painter: &Painter,
    (cell, title): (Rect, Cow<'_, str>),
    colour: egui::Color32,
    sorted: Option<Sorted>,
    (right, c): (bool, &Colours),
) {
    let galley = painter.layout_no_wrap(title.into_owned(), theme::sans(theme::SMALL), colour);
    let (wide, y) = (galley.size().x, (cell.center().y - galley.size().y / 2.0).round());
    let at = if right { cell.right() - INSET - wide } else { cell.left() + INSET };
    painter.galley(pos2(at, y), galley, colour);
    let Some(sorted) = sorted else { return };
    let mark = if right { at - 8.0 } else { at + wide + 8.0 };
    shapes::sorted(painter, pos2(mark, cell.center().y), sorted.descending, c.accent);
    if sorted.rank > 0 {
        let rank = painter.layout_no_wrap(sorted.rank.to_string(), theme::sans(theme::SMALL), c.accent);
        let x = if right { mark - 6.0 - rank.size().x } else { mark + 6.0 };
        painter.galley(pos2(x, y), rank, c.accent);
    }
}

/// A column that is dragged goes where a line shows, between two others.
fn carry(
    ui: &Ui,
    painter: &Painter,
    response: &Response,
    (at, cells): (usize, &[(Column, Rect)]),
    actions: &mut Vec<Action>,
) {
    let Some((column, cell)) = cells.get(at) else { return };
    if !response.dragged() && !response.drag_stopped() {
        return;
    }
    let Some(pointer) = response.interact_pointer_pos() else { return };
    // Before the first column whose middle is right of the pointer.
    let to = cells.iter().position(|(_, other)| pointer.x < other.center().x).unwrap_or(cells.len());
    let stays = to == at || to == at + 1;
    if response.drag_stopped() {
        if !stays {
            let before = cells.get(to).map(|(column, _)| *column);
            actions.push(Action::Columns(ColumnsAction::Move { column: *column, before }));
        }
        return;
    }
    ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
    let c = theme::colours(ui);
    painter.rect_filled(*cell, CornerRadius::ZERO, c.accent.gamma_multiply(0.18));
    let x = cells.get(to).map(|(_, cell)| cell.left()).or_else(|| cells.last().map(|(_, cell)| cell.right() - 2.0));
    if let Some(x) = x.filter(|_| !stays) {
        painter.vline(x, cell.y_range(), Stroke::new(3.0, c.accent));
    }
}

fn resize(ui: &Ui, painter: &Painter, (cell, column): (Rect, Column), saved: &mut Saved, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let handle = Rect::from_x_y_ranges(cell.right() - 4.0..=cell.right() + 4.0, cell.y_range());
    let id = focus_id().with(("width", column));
    let response = ui.interact(handle, id, Sense::DRAG | Sense::CLICK).on_hover_cursor(CursorIcon::ResizeHorizontal);
    let lit = response.hovered() || response.dragged();
    let inset = if lit { 0.0 } else { 7.0 };
    painter.vline(
        cell.right() - 0.5,
        cell.top() + inset..=cell.bottom() - inset,
        Stroke::new(1.0, if lit { c.accent } else { c.line }),
    );
    if response.double_clicked() {
        actions.push(Action::Columns(ColumnsAction::Fit(Fit::Column(column))));
    } else if response.dragged() {
        let by = response.drag_delta().x;
        if by.abs() > 0.0 {
            saved.widths.insert(column, (cell.width() + by).clamp(*WIDTHS.start(), *WIDTHS.end()));
        }
    }
}

fn column_menu(
    ui: &mut Ui,
    column: Column,
    (at, cells): (usize, &[(Column, Rect)]),
    saved: &mut Saved,
    actions: &mut Vec<Action>,
) {
    let mut item = |ui: &mut Ui, label: &str, action: Action| menus::action(ui, label, || action, actions);
    let columns = Action::Columns;
    if let Some(key) = column.sort() {
        item(ui, "Sort by this", Action::Sort(key));
        item(ui, "Sort by this too", Action::SortAlso(key));
    }
    item(ui, "Fit to content", columns(ColumnsAction::Fit(Fit::Column(column))));
    for (label, by) in [("Wider", STEP), ("Narrower", -STEP)] {
        if let Some((_, cell)) = cells.get(at).filter(|_| menus::item(ui, label, "")) {
            saved.widths.insert(column, (cell.width() + by).clamp(*WIDTHS.start(), *WIDTHS.end()));
        }
    }
    if let Some((before, _)) = at.checked_sub(1).and_then(|at| cells.get(at)) {
        item(ui, "Move left", columns(ColumnsAction::Move { column, before: Some(*before) }));
    }
    if at + 1 < cells.len() {
        let before = cells.get(at + 2).map(|(column, _)| *column);
        item(ui, "Move right", columns(ColumnsAction::Move { column, before }));
    }
    if column.header().is_some() {
        item(ui, "Remove column", columns(ColumnsAction::Remove(column)));
    } else {
        item(ui, "Hide column", Action::Column(column));
    }
    ui.separator();
    ui.menu_button("Columns", |ui| {
        for column in saved.columns() {
            let mut shown = !saved.hidden.contains(&column);
            if ui.checkbox(&mut shown, column.title()).on_hover_text(column.tip()).clicked() {
                actions.push(Action::Column(column));
            }
        }
    });
    action::menu_item(ui, &columns(ColumnsAction::AskHeader), actions);
    action::menu_item(ui, &columns(ColumnsAction::Fit(Fit::All)), actions);
    action::menu_item(ui, &Action::ResetColumns, actions);
}
