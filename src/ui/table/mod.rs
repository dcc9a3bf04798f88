//! The list of exchanges, painted by ourselves: one rectangle, one text a visible cell. Its place is a row number in `f64`,
//! so that ten million rows scroll as smoothly as ten.

mod cells;
mod columns;
mod header;
mod heads;
mod minimap;
mod tree;
mod waterfall;
mod words;

use std::collections::BTreeSet;

use egui::{
    CornerRadius, EventFilter, Id, Key, Modifiers, Painter, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};

use super::action::{Action, Move, NoteAction, PictureAction, TreeAction};
use super::clock::Clock;
use super::conversation::ConversationAction;
use super::filter::cell_filter;
use super::menus;
use super::shapes;
use super::state::{Choice, Saved, Tab};
use super::theme::{self, Colours, HEADER, ROW};
use super::wish::RowWish;
use crate::model::{ProviderId, Timestamp};
use crate::store::query::RowSet;
use crate::store::{Note, Row, RowId, RowKind, Snapshot};

use cells::Cells;
pub use columns::Column;
pub(crate) use columns::side_word;
use columns::{Has, WIDTHS, layout};
pub(crate) use heads::{HeaderCells, Said};
pub(crate) use minimap::Minimap;
pub(crate) use tree::{Line, Tree, TreeState};
pub(crate) use waterfall::Axis;
use words::{aside, full, names};
pub(crate) use words::{grade_meaning, grade_words, said, spoken};

/// Width of the scroll bar.
const BAR: f32 = 14.0;
/// Height of the bar at the lower edge.
const SIDEWAYS: f32 = 8.0;
/// Width of the number of a flow's colour, left of the first column, where any flow has one.
const TAB: f32 = 13.0;
/// Space left and right of a cell's content.
const INSET: f32 = 8.0;

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
    /// What is to be made as wide as its content in the next frame.
    pub(crate) fit: Option<Fit>,
}

/// What is made as wide as its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// One column.
    Column(Column),
    /// All that are shown.
    All,
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
    /// Those that are selected beside it.
    pub(crate) several: &'a BTreeSet<RowId>,
    /// The rows that stand out, where any are asked for.
    pub(crate) lit: Option<&'a RowSet>,
    /// The time that the waterfall's bars stand on.
    pub(crate) axis: Option<Axis>,
    /// What the scroll bar shows of the order.
    pub(crate) map: &'a Minimap,
    /// Whether rows come at the end.
    pub(crate) live: bool,
    /// What header lines say.
    pub(crate) heads: &'a HeaderCells,
    /// How times are said.
    pub(crate) clock: &'a Clock,
    /// The tree, and what is open in it; `None` where this is a list.
    pub(crate) tree: Option<(&'a Tree, &'a TreeState)>,
}

impl Seen<'_> {
    /// How many lines there are.
    fn len(&self) -> usize {
        self.tree.map_or(self.order.len(), |(tree, _)| tree.len())
    }

    /// What stands in a line.
    fn line(&self, line: usize) -> Option<Line> {
        match self.tree {
            Some((tree, _)) => tree.line(line),
            None => (line < self.order.len()).then_some(Line::Row(line)),
        }
    }

    /// The row in a line, where one is.
    fn row_in(&self, line: usize) -> Option<RowId> {
        match self.line(line)? {
            Line::Row(place) => self.order.get(place).map(|id| RowId(*id)),
            Line::Group(_) => None,
        }
    }

    /// Room left of the first column.
    fn gutter(&self) -> f32 {
        if self.snapshot.coloured() > 0 { TAB } else { 0.0 }
    }

    /// The columns with their widths; in the tree, and beside the colours of flows, the first begins further right.
    fn columns(&self, saved: &Saved, room: f32) -> Vec<(Column, f32)> {
        let depth = self.tree.map_or(0, |(tree, _)| tree.groups.depth);
        let indent = tree::INDENT * depth as f32 + self.gutter();
        let capture = &self.snapshot.facts().capture;
        let has = Has { merged: !capture.merged.is_empty(), frames: capture.frames };
        let mut columns = layout(saved, has, room - indent, self.clock);
        if let Some((_, width)) = columns.first_mut() {
            *width += indent;
        }
        columns
    }
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
    let columns = seen.columns(saved, body.width());
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
    let grows = seen.live && seen.choice.sort.is_empty() && seen.tree.is_none();
    if grows && state.follow {
        state.top = state.end(seen.len());
    }
    state.clamp(seen.len());
    let before = state.top;
    wheel(ui, body, state);
    state.clamp(seen.len());

    let painter = ui.painter_at(all);
    painter.rect_filled(all, CornerRadius::ZERO, c.page);
    let grid = Grid { painter: painter.with_clip_rect(body), body, columns };
    // Before the rows: the Tab key comes to it first.
    let head = Rect::from_min_max(all.min, pos2(body.right(), body.top()));
    let shown = header::header(ui, (&painter, head), &grid.columns, seen, (saved, state.left), actions);
    if let (Some(axis), Some(cell)) = (seen.axis, grid.head_of(Column::Waterfall, head, state.left)) {
        waterfall::scale(ui, &painter, cell, axis);
    }
    keyboard(ui, body, seen.tree.is_some(), actions);
    let visible = rows(ui, &grid, seen, state, actions);
    if let Some(fit) = state.fit.take() {
        fit_columns(ui, &grid, seen, (&visible, fit), saved);
    }
    if let Some(left) = shown {
        state.left = left;
        ui.ctx().request_repaint();
    }
    sideways(ui, &painter, body, total, state);
    scroll_bar(ui, &painter, Rect::from_min_max(pos2(body.right(), body.top()), all.max), seen, state);
    if grows {
        state.follow(seen.len(), before);
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
    let grid = Grid { painter: painter.with_clip_rect(body), body, columns: seen.columns(saved, body.width()) };
    let (top, mut nobody_clicks) = (TableState::default(), Vec::new());
    rows(ui, &grid, seen, &top, &mut nobody_clicks);
    let head = Rect::from_min_max(all.min, pos2(body.right(), body.top()));
    let _nobody_scrolls = header::header(ui, (&painter, head), &grid.columns, seen, (saved, 0.0), &mut nobody_clicks);
}

/// Makes columns as wide as what stands in them, as far as it is on screen.
fn fit_columns(ui: &Ui, grid: &Grid, seen: &Seen<'_>, (visible, fit): (&[Visible], Fit), saved: &mut Saved) {
    let c = theme::colours(ui);
    for (column, _) in &grid.columns {
        if fit == Fit::All || fit == Fit::Column(*column) {
            let cells = Cells::fitting(&grid.painter, seen, c, (*column, visible));
            let head = header::width(&grid.painter, *column, seen);
            saved.widths.insert(*column, cells.max(head).ceil().clamp(*WIDTHS.start(), *WIDTHS.end()));
        }
    }
    ui.ctx().request_repaint();
}

fn keyboard(ui: &Ui, body: Rect, tree: bool, actions: &mut Vec<Action>) {
    let id = focus_id();
    let response = ui.interact(body, id, Sense::focusable_noninteractive());
    let role = if tree { Role::Tree } else { Role::Table };
    response.widget_info(|| WidgetInfo::labeled(role, true, "Exchanges"));
    let focused = ui.ctx().memory(egui::Memory::focused);
    if focused.is_some_and(|other| other != id) {
        return;
    }
    ui.ctx().memory_mut(|memory| {
        memory.set_focus_lock_filter(
            id,
            EventFilter { tab: false, horizontal_arrows: tree, vertical_arrows: true, escape: true },
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
        // With Shift first: a key without is found in one with it.
        let times = ui.input_mut(|input| input.count_and_consume_key(Modifiers::SHIFT, key));
        for _ in 0..times {
            actions.push(Action::Stretch(step));
        }
        let times = ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
        for _ in 0..times {
            actions.push(Action::Move(step));
        }
    }
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::A)) {
        actions.push(Action::SelectAll);
    }
    if !tree {
        return;
    }
    let steps = [
        (Key::ArrowLeft, TreeAction::Left),
        (Key::ArrowRight, TreeAction::Right),
        (Key::Enter, TreeAction::ToggleHere),
    ];
    for (key, step) in steps {
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
            actions.push(Action::Tree(step));
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
    /// When the row shown before it was.
    above: Option<Timestamp>,
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

fn rows(ui: &Ui, grid: &Grid, seen: &Seen<'_>, state: &TableState, actions: &mut Vec<Action>) -> Vec<Visible> {
    let Grid { painter, body, columns } = grid;
    let c = theme::colours(ui);
    let first = state.top.floor() as usize;
    let shift = (state.top.fract() as f32) * ROW;
    let count = (body.height() / ROW).ceil() as usize + 1;
    let mut visible = Vec::with_capacity(count);
    let before = first.checked_sub(1).and_then(|line| seen.row_in(line));
    let mut above = before.and_then(|id| seen.snapshot.row(id)).map(|row| row.time);
    for i in 0..count {
        let Some(line) = seen.line(first + i) else { break };
        let top = (body.top() + i as f32 * ROW - shift).round();
        let rect = Rect::from_min_max(pos2(body.left(), top), pos2(body.right(), top + ROW));
        if let (Line::Group(at), Some((tree, state))) = (line, seen.tree) {
            tree::group(ui, painter, (tree, state, at), (rect, *body), actions);
            continue;
        }
        let Some(id) = seen.row_in(first + i) else { continue };
        let Some(row) = seen.snapshot.row(id) else { continue };
        let has_cursor = seen.selected == Some(id);
        let selected = has_cursor || seen.several.contains(&id);
        let response = ui.interact(rect.intersect(*body), focus_id().with(id.0), Sense::CLICK);
        response.widget_info(|| {
            let role = if seen.tree.is_some() { Role::TreeItem } else { Role::Row };
            let mut info = WidgetInfo::selected(role, true, selected, spoken(seen.snapshot, (id, &row)));
            info.current_text_value = Some(aside(seen, columns, (id, &row), above));
            info
        });
        if let Some((tree, _)) = seen.tree {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_level(tree.groups.depth + 1));
        }
        let over = match (has_cursor, selected, response.hovered()) {
            (true, ..) => Some(Over::Selected),
            (false, true, _) => Some(Over::Among),
            (false, false, true) => Some(Over::Hovered),
            (false, false, false) => None,
        };
        let marked = seen.snapshot.note(id).is_some_and(|note| note.marked);
        ground(painter, c, rect, (&row, marked), over);
        if seen.lit.is_some_and(|lit| lit.has(id)) {
            stands_out(painter, c, rect);
        }
        if let Some(colour) = seen.snapshot.colour(id) {
            shapes::flow(painter, Rect::from_min_size(rect.min + vec2(4.0, 0.0), vec2(TAB, ROW - 1.0)), c, colour);
        }
        if response.clicked() {
            ui.ctx().memory_mut(|memory| memory.request_focus(focus_id()));
            let modifiers = clicked_with(ui);
            actions.push(match (modifiers.shift, modifiers.command) {
                (true, _) => Action::SelectTo(id),
                (false, true) => Action::Toggle(id),
                (false, false) => Action::Select(id),
            });
        }
        if response.hovered() {
            hint(&response, grid, seen, (id, &row), state);
        }
        let clicked = response.id.with("column");
        if response.secondary_clicked() {
            let column = response.interact_pointer_pos().and_then(|at| grid.column_at(at.x, state.left));
            ui.data_mut(|data| data.insert_temp(clicked, column));
        }
        let focus = ui.memory(egui::Memory::focused);
        let by_key = has_cursor && focus.is_none_or(|other| other == focus_id());
        menus::on(&response, by_key, |ui| {
            let column = ui.data(|data| data.get_temp::<Option<Column>>(clicked)).flatten();
            menu(ui, seen, (id, &row, column), actions);
        });
        visible.push(Visible { id, row, rect, selected, above });
        above = Some(row.time);
    }
    let mut x = body.left() - state.left;
    for (at, (column, width)) in columns.iter().enumerate() {
        let clip = Rect::from_x_y_ranges(x..=x + width, body.y_range()).intersect(*body);
        if clip.width() > 2.0 {
            let painter = painter.with_clip_rect(clip);
            let gutter = if at == 0 { seen.gutter() } else { 0.0 };
            let (x, width) = (x + gutter, width - gutter);
            let cell = Cells { painter, c, seen, x, width, reach: core::cell::Cell::new(0.0) };
            for row in &visible {
                cell.paint(*column, row);
            }
        }
        x += width;
    }
    for row in visible.iter().filter(|row| seen.snapshot.is_ignored(row.id)) {
        ignored(painter, c, row.rect);
    }
    visible
}

/// The keys that were down when the pointer's button was let go: where frames are slow they may be up again by now.
fn clicked_with(ui: &Ui) -> Modifiers {
    ui.input(|input| {
        let released = input.events.iter().rev().find_map(|event| match event {
            egui::Event::PointerButton { pressed: false, modifiers, .. } => Some(*modifiers),
            _ => None,
        });
        released.unwrap_or(input.modifiers)
    })
}

/// Why a row stands out.
#[derive(Clone, Copy)]
enum Over {
    Hovered,
    /// It is selected beside the one that the panes show.
    Among,
    Selected,
}

fn ground(painter: &Painter, c: &Colours, rect: Rect, (row, marked): (&Row, bool), over: Option<Over>) {
    let mut colour = c.page;
    let provider = row.operator().map(|id| c.provider(id));
    if let Some(provider) = provider {
        colour = Colours::tint(colour, provider.fill, if c.dark { 0.055 } else { 0.06 });
    }
    if marked {
        colour = Colours::tint(colour, c.amber, theme::marked_tint(c.dark));
    }
    match over {
        Some(Over::Selected) => colour = c.selection,
        Some(Over::Among) => colour = Colours::tint(c.page, c.selection, 0.55),
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
            provider.line,
        );
    }
}

/// A row that is ignored: dimmed and struck out, so that it shows without colour too.
fn ignored(painter: &Painter, c: &Colours, rect: Rect) {
    painter.rect_filled(rect, CornerRadius::ZERO, c.page.gamma_multiply(0.5));
    let words = rect.x_range().shrink(INSET);
    painter.hline(words, rect.center().y.round() + 0.5, Stroke::new(1.0, c.faint));
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
fn hint(response: &Response, grid: &Grid, seen: &Seen<'_>, at: (RowId, &Row), state: &TableState) {
    let Some(pointer) = response.hover_pos() else { return };
    let mut x = grid.body.left() - state.left;
    for (column, width) in &grid.columns {
        if (x..x + width).contains(&pointer.x) {
            let words = full(*column, seen, at);
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

/// The menu of a row, and of the cell that was clicked.
fn menu(ui: &mut Ui, seen: &Seen<'_>, (id, row, column): (RowId, &Row, Option<Column>), actions: &mut Vec<Action>) {
    let snapshot = seen.snapshot;
    // What concerns the selected row: this one becomes it.
    let of_row = |ui: &mut Ui, label: &str, action: Action, actions: &mut Vec<Action>| {
        if menus::item(ui, label, "") {
            actions.extend([Action::Among(id), action]);
        }
    };
    let is_among = seen.several.contains(&id) || seen.selected == Some(id);
    let several = if is_among { seen.several.len() + 1 } else { 1 };
    // What is done makes all of them what they are not all.
    let all = |is: fn(&Note) -> bool| {
        let others = seen.several.iter().copied().chain(seen.selected).filter(|_| is_among);
        others.chain([id]).all(|row| snapshot.note(row).is_some_and(is))
    };
    let of_all = |ui: &mut Ui, label: &str, action: Action, actions: &mut Vec<Action>| {
        if several > 1 {
            of_row(ui, &format!("{label} · {several} selected"), action, actions);
        } else {
            of_row(ui, label, action, actions);
        }
    };
    menus::action(ui, "Show evidence", || Action::Select(id), actions);
    let shows = if snapshot.facts().capture.format.units().0 == "entry" { "Show entry" } else { "Show frames" };
    of_row(ui, shows, Action::Tab(Tab::Frames), actions);
    of_row(ui, "Follow stream…", Action::Conversation(ConversationAction::Ask), actions);
    menus::action(ui, "Only this connection", || Action::Wish(Some(id), RowWish::Flow), actions);
    let of_cell = |column| cell_filter(column, snapshot, seen.heads, (id, row));
    if let Some(filter) = column.and_then(of_cell).or_else(|| of_cell(Column::Host)) {
        ui.separator();
        menus::filters(ui, &filter, actions);
    }
    ui.separator();
    if let Some(provider) = row.operator() {
        menus::action(ui, &format!("Only {}", names(row).0), || Action::Provider(Some(provider)), actions);
    } else {
        let nobody = Action::Provider(Some(ProviderId(Row::NONE)));
        menus::action(ui, "Only rows without provider", || nobody, actions);
    }
    ui.separator();
    let mark = if all(|note| note.marked) { "Take the mark away" } else { "Mark" };
    of_all(ui, mark, Action::Note(NoteAction::Mark), actions);
    let ignore = if all(|note| note.ignored) { "Take back what is ignored" } else { "Ignore" };
    of_all(ui, ignore, Action::Note(NoteAction::Ignore), actions);
    menus::colours(ui, id, snapshot.colour(id), actions);
    of_all(ui, "Comment…", Action::Note(NoteAction::Comment), actions);
    of_all(ui, "Add to picture", Action::Compose(PictureAction::Add), actions);
    ui.separator();
    // In a menu of their own: the whole has room in a low window then.
    ui.menu_button("Copy", |ui| {
        if let Some(column) = column {
            menus::copy(ui, "Copy value", &full(column, seen, (id, row)), actions);
        }
        menus::copy(ui, "Copy host", snapshot.text(row.host), actions);
        if row.kind == RowKind::Http {
            menus::copy(ui, "Copy path", snapshot.text(row.path), actions);
        }
        menus::copy(ui, "Copy server address", snapshot.text(row.server), actions);
        menus::copy(ui, "Copy row", &spoken(snapshot, (id, row)), actions);
        ui.separator();
        menus::copies(ui, (id, several), row.kind == RowKind::Http, actions);
    });
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
    let len = seen.len();
    painter.rect_filled(track, CornerRadius::ZERO, c.page);
    let response = ui.interact(track, focus_id().with("bar"), Sense::CLICK | Sense::DRAG);
    // In the tree rows stand elsewhere than in the order, and closed groups hide them.
    let (nothing, is_list) = (Minimap::default(), seen.tree.is_none());
    let marks = if is_list { seen.map } else { &nothing };
    let selected = state.cursor.filter(|at| is_list && seen.row_in(*at) == seen.selected);
    let words = marks.words(selected, len);
    response.widget_info(|| WidgetInfo::labeled(Role::ScrollBar, true, words.clone()));
    // Where all rows fit, each mark stands beside its row.
    let page = state.page;
    let map = |painter: &Painter| marks.paint(painter, track, (selected, page), c);
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
