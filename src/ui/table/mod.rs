//! The list of exchanges, painted by ourselves: one rectangle, one text a visible cell. Its place is a row number in `f64`,
//! so that ten million rows scroll as smoothly as ten.

mod cells;
mod columns;
mod header;
mod minimap;
mod waterfall;
mod words;

use egui::{
    CornerRadius, EventFilter, Id, Key, Modifiers, Painter, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};

use super::action::{Action, Move, NoteAction};
use super::filter::{FilterAction, Join, cell_filter};
use super::state::{Choice, Saved};
use super::theme::{self, Colours, HEADER, ROW};
use crate::model::{ProviderId, clean_to};
use crate::store::query::{RowSet, SortKey};
use crate::store::{Row, RowId, RowKind, Snapshot};

use cells::Cells;
pub use columns::Column;
use columns::layout;
pub(crate) use minimap::Minimap;
pub(crate) use waterfall::Axis;
use words::{full, names};
pub(crate) use words::{grade_words, said, spoken};

/// Width of the scroll bar.
const BAR: f32 = 14.0;
/// Height of the bar at the lower edge.
const SIDEWAYS: f32 = 8.0;
/// Space left and right of a cell's content.
const INSET: f32 = 8.0;
/// Characters of a filter in the menu.
const MENU_CHARS: usize = 48;

/// Where the table stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct TableState {
    /// The row at the upper edge, with the fraction that is scrolled out.
    pub(crate) top: f64,
    /// Points scrolled to the right.
    pub(crate) left: f32,
    /// Where the selection stands in the order; `None` when it is not in it.
    pub(crate) cursor: Option<usize>,
    /// Rows that fit.
    pub(crate) page: f64,
    /// Bring the cursor into view in the next frame.
    pub(crate) reveal: bool,
    /// Stay at the newest row while a live capture goes on.
    pub(crate) follow: bool,
}

impl TableState {
    /// Moves the top so that row `at` is wholly visible.
    fn show(&mut self, at: usize) {
        let at = at as f64;
        if at < self.top {
            self.top = at;
        } else if at + 1.0 > self.top + self.page {
            self.top = at + 1.0 - self.page;
        }
    }

    fn clamp(&mut self, len: usize) {
        self.top = self.top.clamp(0.0, self.end(len));
    }

    /// The lowest top.
    fn end(&self, len: usize) -> f64 {
        (len as f64 - self.page).max(0.0)
    }

    /// Follows the newest row, or stops doing so where the user scrolled away; begins where the user scrolled to the end.
    fn follow(&mut self, len: usize, before: f64) {
        let end = self.end(len);
        if self.top < before - 0.01 {
            self.follow = false;
        } else if self.top > before + 0.01 && self.top >= end - 0.01 {
            self.follow = true;
        }
    }
}

/// What the table reads.
pub(crate) struct Seen<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) order: &'a [u32],
    pub(crate) choice: &'a Choice,
    pub(crate) selected: Option<RowId>,
    /// The rows that stand out, where any are asked for.
    pub(crate) lit: Option<&'a RowSet>,
    /// The time that the waterfall's bars stand on.
    pub(crate) axis: Option<Axis>,
    /// What the scroll bar shows of the order.
    pub(crate) map: &'a Minimap,
    /// Whether rows come at the end.
    pub(crate) live: bool,
}

/// The table's id for the keyboard.
pub(crate) fn focus_id() -> Id {
    Id::unique("exchange table")
}

/// Paints the table into all that `ui` has left.
pub(crate) fn show(ui: &mut Ui, seen: &Seen<'_>, state: &mut TableState, saved: &mut Saved, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(all);
    let body = Rect::from_min_max(pos2(all.left(), all.top() + HEADER), pos2(all.right() - BAR, all.bottom()));
    if body.width() < 40.0 || body.height() < ROW {
        return;
    }
    let columns = layout(saved, body.width());
    let total: f32 = columns.iter().map(|(_, width)| width).sum();
    state.left = state.left.clamp(0.0, (total - body.width()).max(0.0));
    // The last row must not lie under the bar at the lower edge.
    let bar = if total - body.width() >= 1.0 { SIDEWAYS } else { 0.0 };
    state.page = f64::from((body.height() - bar) / ROW);
    if state.reveal {
        state.reveal = false;
        if let Some(at) = state.cursor {
            state.show(at);
        }
    }
    keyboard(ui, all, actions);
    let grows = seen.live && seen.choice.sort == SortKey::Capture && !seen.choice.descending;
    if grows && state.follow {
        state.top = state.end(seen.order.len());
    }
    state.clamp(seen.order.len());
    let before = state.top;
    wheel(ui, body, state);
    state.clamp(seen.order.len());

    let painter = ui.painter_at(all);
    painter.rect_filled(all, CornerRadius::ZERO, c.page);
    let grid = Grid { painter: painter.with_clip_rect(body), body, columns };
    rows(ui, &grid, seen, state, actions);
    let head = Rect::from_min_max(all.min, pos2(body.right(), body.top()));
    header::header(ui, (&painter, head), &grid.columns, seen.choice, (saved, state.left), actions);
    if let (Some(axis), Some(cell)) = (seen.axis, grid.head_of(Column::Waterfall, head, state.left)) {
        waterfall::scale(ui, &painter, cell, axis);
    }
    sideways(ui, &painter, body, total, state);
    scroll_bar(ui, &painter, Rect::from_min_max(pos2(body.right(), body.top()), all.max), seen, state);
    if grows {
        state.follow(seen.order.len(), before);
    }
}

/// Paints the header and all of `seen`'s rows, none cut off: for pictures.
pub(crate) fn still(ui: &mut Ui, seen: &Seen<'_>, saved: &mut Saved) {
    let c = theme::colours(ui);
    let height = HEADER + ROW * seen.order.len() as f32;
    let (all, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let body = Rect::from_min_max(pos2(all.left(), all.top() + HEADER), all.max);
    let painter = ui.painter_at(all);
    painter.rect_filled(all, CornerRadius::ZERO, c.page);
    let grid = Grid { painter: painter.with_clip_rect(body), body, columns: layout(saved, body.width()) };
    let (top, mut nobody_clicks) = (TableState::default(), Vec::new());
    rows(ui, &grid, seen, &top, &mut nobody_clicks);
    let head = Rect::from_min_max(all.min, pos2(body.right(), body.top()));
    header::header(ui, (&painter, head), &grid.columns, seen.choice, (saved, 0.0), &mut nobody_clicks);
}

fn keyboard(ui: &Ui, all: Rect, actions: &mut Vec<Action>) {
    let id = focus_id();
    let response = ui.interact(all, id, Sense::focusable_noninteractive());
    response.widget_info(|| WidgetInfo::labeled(Role::Table, true, "Exchanges"));
    let focused = ui.ctx().memory(egui::Memory::focused);
    if focused.is_some_and(|other| other != id) {
        return;
    }
    ui.ctx().memory_mut(|memory| {
        memory.set_focus_lock_filter(
            id,
            EventFilter { tab: false, horizontal_arrows: false, vertical_arrows: true, escape: true },
        );
    });
    let moves = [
        (Key::ArrowDown, Move::By(1)),
        (Key::ArrowUp, Move::By(-1)),
        (Key::J, Move::By(1)),
        (Key::K, Move::By(-1)),
        (Key::PageDown, Move::Page(1)),
        (Key::PageUp, Move::Page(-1)),
        (Key::Home, Move::First),
        (Key::End, Move::Last),
    ];
    for (key, step) in moves {
        let times = ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
        for _ in 0..times {
            actions.push(Action::Move(step));
        }
    }
}

fn wheel(ui: &Ui, body: Rect, state: &mut TableState) {
    if ui.rect_contains_pointer(body) {
        let delta = ui.input(egui::InputState::smooth_scroll_delta);
        state.top -= f64::from(delta.y / ROW);
        state.left -= delta.x;
    }
}

/// One visible row.
struct Visible {
    id: RowId,
    row: Row,
    rect: Rect,
    selected: bool,
}

/// Where rows are painted, and how its width is shared out.
struct Grid {
    painter: Painter,
    body: Rect,
    columns: Vec<(Column, f32)>,
}

impl Grid {
    /// Where a column stands in the header, where it is shown.
    fn head_of(&self, column: Column, head: Rect, scrolled: f32) -> Option<Rect> {
        let at = self.columns.iter().position(|(c, _)| *c == column)?;
        let before: f32 = self.columns.iter().take(at).map(|(_, width)| width).sum();
        let (_, width) = self.columns.get(at)?;
        let left = head.left() - scrolled + before;
        Some(Rect::from_x_y_ranges(left..=left + width, head.y_range()))
    }

    /// The column at a place, where the columns are scrolled so far.
    fn column_at(&self, x: f32, scrolled: f32) -> Option<Column> {
        let mut left = self.body.left() - scrolled;
        self.columns.iter().find_map(|(column, width)| {
            left += width;
            (x < left).then_some(*column)
        })
    }
}

fn rows(ui: &Ui, grid: &Grid, seen: &Seen<'_>, state: &TableState, actions: &mut Vec<Action>) {
    let Grid { painter, body, columns } = grid;
    let c = theme::colours(ui);
    let first = state.top.floor() as usize;
    let shift = (state.top.fract() as f32) * ROW;
    let count = (body.height() / ROW).ceil() as usize + 1;
    let mut visible = Vec::with_capacity(count);
    for (i, id) in seen.order.iter().skip(first).take(count).enumerate() {
        let id = RowId(*id);
        let Some(row) = seen.snapshot.row(id) else { continue };
        let top = (body.top() + i as f32 * ROW - shift).round();
        let rect = Rect::from_min_max(pos2(body.left(), top), pos2(body.right(), top + ROW));
        let selected = seen.selected == Some(id);
        let response = ui.interact(rect.intersect(*body), focus_id().with(id.0), Sense::CLICK);
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, selected, spoken(seen.snapshot, (id, &row))));
        let over = match (selected, response.hovered()) {
            (true, _) => Some(Over::Selected),
            (false, true) => Some(Over::Hovered),
            (false, false) => None,
        };
        let marked = seen.snapshot.note(id).is_some_and(|note| note.marked);
        ground(painter, c, rect, (&row, marked), over);
        if seen.lit.is_some_and(|lit| lit.has(id)) {
            stands_out(painter, c, rect);
        }
        if response.clicked() {
            ui.ctx().memory_mut(|memory| memory.request_focus(focus_id()));
            actions.push(Action::Select(id));
        }
        if response.hovered() {
            hint(&response, grid, seen.snapshot, (id, &row), state);
        }
        let clicked = response.id.with("column");
        if response.secondary_clicked() {
            let column = response.interact_pointer_pos().and_then(|at| grid.column_at(at.x, state.left));
            ui.data_mut(|data| data.insert_temp(clicked, column));
        }
        response.context_menu(|ui| {
            let column = ui.data(|data| data.get_temp::<Option<Column>>(clicked)).flatten();
            menu(ui, seen.snapshot, (id, &row, column), actions);
        });
        visible.push(Visible { id, row, rect, selected });
    }
    let mut x = body.left() - state.left;
    for (column, width) in columns {
        let clip = Rect::from_x_y_ranges(x..=x + width, body.y_range()).intersect(*body);
        if clip.width() > 2.0 {
            let painter = painter.with_clip_rect(clip);
            let cell = Cells { painter, c, snapshot: seen.snapshot, x, width: *width, axis: seen.axis };
            for row in &visible {
                cell.paint(*column, row);
            }
        }
        x += width;
    }
}

/// Why a row stands out.
#[derive(Clone, Copy)]
enum Over {
    Hovered,
    Selected,
}

fn ground(painter: &Painter, c: &Colours, rect: Rect, (row, marked): (&Row, bool), over: Option<Over>) {
    let mut colour = c.page;
    let provider = row.operator().map(|id| c.provider(id));
    if let Some(provider) = provider {
        colour = Colours::tint(colour, provider, if c.dark { 0.055 } else { 0.06 });
    }
    if marked {
        colour = Colours::tint(colour, c.amber, if c.dark { 0.22 } else { 0.26 });
    }
    match over {
        Some(Over::Selected) => colour = c.selection,
        Some(Over::Hovered) => colour = Colours::tint(colour, c.text, 0.05),
        None => {}
    }
    if colour != c.page {
        painter.rect_filled(rect, CornerRadius::ZERO, colour);
    }
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, Colours::tint(colour, c.line, 0.45)));
    if let Some(provider) = provider {
        painter.rect_filled(
            Rect::from_min_size(rect.min, vec2(3.0, rect.height() - 1.0)),
            CornerRadius::ZERO,
            provider,
        );
    }
}

/// A row that the highlight asks for: a tint and a line around it, so that it shows without colour too.
fn stands_out(painter: &Painter, c: &Colours, rect: Rect) {
    let inside = Rect::from_min_max(rect.min + vec2(3.5, 0.5), rect.max - vec2(0.5, 1.5));
    painter.rect(
        inside,
        CornerRadius::same(3),
        c.accent.gamma_multiply(if c.dark { 0.16 } else { 0.10 }),
        Stroke::new(1.0, c.accent),
        StrokeKind::Inside,
    );
}

/// What the cell under the pointer says in full.
fn hint(response: &Response, grid: &Grid, snapshot: &Snapshot, at: (RowId, &Row), state: &TableState) {
    let Some(pointer) = response.hover_pos() else { return };
    let mut x = grid.body.left() - state.left;
    for (column, width) in &grid.columns {
        if (x..x + width).contains(&pointer.x) {
            let words = full(*column, snapshot, at);
            if !words.is_empty() && !response.context_menu_opened() {
                let _shown = response.clone().on_hover_ui_at_pointer(|ui| {
                    ui.set_max_width(480.0);
                    ui.label(words);
                });
            }
            return;
        }
        x += width;
    }
}

fn menu(ui: &mut Ui, snapshot: &Snapshot, (id, row, column): (RowId, &Row, Option<Column>), actions: &mut Vec<Action>) {
    let mut item = |ui: &mut Ui, label: &str, action: Action| {
        if ui.button(label).clicked() {
            if matches!(action, Action::Note(_)) {
                actions.push(Action::Select(id));
            }
            actions.push(action);
            ui.close();
        }
    };
    item(ui, "Show evidence", Action::Select(id));
    let clicked = column.and_then(|column| cell_filter(column, snapshot, (id, row)));
    if let Some(filter) = clicked.or_else(|| cell_filter(Column::Host, snapshot, (id, row))) {
        ui.separator();
        let words = clean_to(filter.to_string().as_bytes(), MENU_CHARS).into_owned();
        let joins = [
            (format!("Only {words}"), Join::Only),
            (format!("And {words}"), Join::And),
            (format!("Or {words}"), Join::Or),
            (format!("Not {words}"), Join::Not),
            (format!("Highlight {words}"), Join::Highlight),
        ];
        for (label, join) in joins {
            item(ui, &label, Action::Filter(FilterAction::Refine(filter.clone(), join)));
        }
        ui.separator();
    }
    let host = snapshot.text(row.host);
    if let Some(provider) = row.operator() {
        item(ui, &format!("Only {}", names(row).0), Action::Provider(Some(provider)));
    } else {
        item(ui, "Only rows without provider", Action::Provider(Some(ProviderId(Row::NONE))));
    }
    ui.separator();
    let marked = snapshot.note(id).is_some_and(|note| note.marked);
    item(ui, if marked { "Take the mark away" } else { "Mark" }, Action::Note(NoteAction::Mark));
    item(ui, "Comment…", Action::Note(NoteAction::Comment));
    ui.separator();
    if !host.is_empty() {
        item(ui, "Copy host", Action::Copy(host.to_owned()));
    }
    if row.kind == RowKind::Http {
        item(ui, "Copy path", Action::Copy(snapshot.text(row.path).to_owned()));
    }
    item(ui, "Copy server address", Action::Copy(snapshot.text(row.server).to_owned()));
    item(ui, "Copy row", Action::Copy(spoken(snapshot, (id, row))));
}

/// A thin bar at the lower edge, where the columns are wider than the window.
fn sideways(ui: &Ui, painter: &Painter, body: Rect, total: f32, state: &mut TableState) {
    let hidden = total - body.width();
    if hidden < 1.0 {
        return;
    }
    let c = theme::colours(ui);
    let track = Rect::from_min_max(pos2(body.left(), body.bottom() - SIDEWAYS), body.max);
    let length = body.width() * body.width() / total;
    let response = ui.interact(track, focus_id().with("sideways"), Sense::DRAG);
    if response.dragged() {
        state.left += response.drag_delta().x * total / body.width();
        state.left = state.left.clamp(0.0, hidden);
    }
    let x = track.left() + (body.width() - length) * state.left / hidden;
    let colour = if response.hovered() || response.dragged() { c.quiet } else { Colours::tint(c.line, c.text, 0.18) };
    let handle = Rect::from_min_size(pos2(x, track.top() + 1.0), vec2(length, 6.0));
    painter.rect_filled(handle, CornerRadius::same(3), colour);
}

fn scroll_bar(ui: &Ui, painter: &Painter, track: Rect, seen: &Seen<'_>, state: &mut TableState) {
    let c = theme::colours(ui);
    let len = seen.order.len();
    painter.rect_filled(track, CornerRadius::ZERO, c.page);
    let response = ui.interact(track, focus_id().with("bar"), Sense::CLICK | Sense::DRAG);
    let selected = state.cursor.filter(|at| seen.order.get(*at).map(|id| RowId(*id)) == seen.selected);
    let words = seen.map.words(selected, len);
    response.widget_info(|| WidgetInfo::labeled(Role::ScrollBar, true, words.clone()));
    // Where all rows fit, each mark stands beside its row.
    let page = state.page;
    let map = |painter: &Painter| seen.map.paint(painter, track, (selected, page), c);
    let hidden = len as f64 - state.page;
    if hidden <= 0.0 {
        map(painter);
        let _shown = response.on_hover_text(words);
        return;
    }
    let share = (state.page / len as f64) as f32;
    let length = (track.height() * share).max(28.0);
    let travel = track.height() - length;
    if (response.dragged() || response.clicked())
        && let Some(pointer) = response.interact_pointer_pos()
    {
        if response.clicked() {
            let at = f64::from((pointer.y - track.top() - length / 2.0) / travel);
            state.top = at * hidden;
        } else {
            state.top += f64::from(response.drag_delta().y / travel) * hidden;
        }
        state.clamp(len);
    }
    let y = track.top() + travel * (state.top / hidden) as f32;
    let handle = Rect::from_min_size(pos2(track.left() + 2.0, y), vec2(track.width() - 4.0, length));
    let colour = if response.hovered() || response.dragged() { c.quiet } else { Colours::tint(c.line, c.text, 0.18) };
    painter.rect_filled(handle.shrink2(vec2(0.0, 2.0)), CornerRadius::same(3), colour);
    map(painter);
    let _shown = response.on_hover_text(words);
}

#[cfg(test)]
mod tests {
    use super::TableState;

    #[test]
    fn ten_million_rows_move_by_a_hundredth() {
        let mut state = TableState { top: 9_999_000.0, page: 30.0, ..TableState::default() };
        state.top += 0.01;
        assert!((state.top - 9_999_000.01).abs() < 1e-6);
        state.show(9_999_999);
        state.clamp(10_000_000);
        assert!((state.top - 9_999_970.0).abs() < 1e-6);
        state.show(5);
        assert!((state.top - 5.0).abs() < 1e-9);
    }

    #[test]
    fn scrolling_up_ends_following_and_the_end_begins_it() {
        let mut state = TableState { top: 70.0, page: 30.0, follow: true, ..TableState::default() };
        state.follow(100, 70.0);
        assert!(state.follow, "nothing was scrolled");
        state.top = 65.0;
        state.follow(100, 70.0);
        assert!(!state.follow);
        state.top = 68.0;
        state.follow(100, 65.0);
        assert!(!state.follow, "not yet at the end");
        state.top = 70.0;
        state.follow(100, 68.0);
        assert!(state.follow);
    }
}
