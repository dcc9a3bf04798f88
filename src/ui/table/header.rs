//! The header: sorting, widths, which columns are shown.

use egui::{CornerRadius, CursorIcon, Painter, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::columns::Column;
use super::{BAR, INSET, focus_id};
use crate::ui::action::{self, Action};
use crate::ui::shapes;
use crate::ui::state::{Choice, Saved};
use crate::ui::theme;

/// Narrowest column.
const NARROW: f32 = 36.0;

/// Paints the header into `rect`.
pub(super) fn header(
    ui: &Ui,
    (painter, rect): (&Painter, Rect),
    columns: &[(Column, f32)],
    choice: &Choice,
    (saved, left): (&mut Saved, f32),
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let strip = Rect::from_min_max(rect.min, pos2(rect.right() + BAR, rect.bottom()));
    painter.rect_filled(strip, CornerRadius::ZERO, c.surface);
    painter.hline(strip.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, c.line));
    let painter = painter.with_clip_rect(rect);
    let mut x = rect.left() - left;
    for (column, width) in columns {
        let cell = Rect::from_x_y_ranges(x..=x + width, rect.y_range());
        x += width;
        let seen_part = cell.intersect(rect);
        if seen_part.width() < 4.0 {
            continue;
        }
        let id = focus_id().with(("head", *column));
        let response = ui.interact(seen_part.shrink2(vec2(4.0, 0.0)), id, Sense::CLICK);
        response.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, column.title()));
        let sorted = column.sort() == Some(choice.sort);
        let colour = if sorted || response.hovered() { c.text } else { c.quiet };
        let galley = painter.layout_no_wrap(column.title().to_owned(), theme::sans(theme::SMALL), colour);
        let y = (cell.center().y - galley.size().y / 2.0).round();
        let mark = if sorted { 12.0 } else { 0.0 };
        let at = if column.right() { cell.right() - INSET - galley.size().x } else { cell.left() + INSET };
        let mark_x = if column.right() { at - 8.0 } else { at + galley.size().x + mark - 4.0 };
        painter.with_clip_rect(seen_part).galley(pos2(at, y), galley, colour);
        if sorted {
            shapes::sorted(&painter, pos2(mark_x, cell.center().y), choice.descending, c.accent);
        }
        if response.clicked()
            && let Some(key) = column.sort()
        {
            actions.push(Action::Sort(key));
        }
        response.context_menu(|ui| column_menu(ui, saved, actions));
        let _shown = response.on_hover_text(column.tip());
        resize(ui, &painter, cell, *column, *width, saved);
    }
}

fn resize(ui: &Ui, painter: &Painter, cell: Rect, column: Column, width: f32, saved: &mut Saved) {
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
        saved.widths.remove(&column);
    } else if response.dragged() {
        let by = response.drag_delta().x;
        if by.abs() > 0.0 {
            saved.widths.insert(column, (width + by).clamp(NARROW, 2_000.0));
        }
    }
}

fn column_menu(ui: &mut Ui, saved: &Saved, actions: &mut Vec<Action>) {
    for column in Column::ALL {
        let mut shown = !saved.hidden.contains(&column);
        if ui.checkbox(&mut shown, column.title()).on_hover_text(column.tip()).clicked() {
            actions.push(Action::Column(column));
        }
    }
    ui.separator();
    action::menu_item(ui, &Action::ResetColumns, actions);
}
