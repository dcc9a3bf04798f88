//! The list of exchanges, painted by ourselves: one rectangle, one text a visible cell. Its place is a row number in `f64`,
//! so that ten million rows scroll as smoothly as ten.

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Color32, CornerRadius, CursorIcon, EventFilter, FontId, Id, Key, Modifiers, Painter, Pos2, Rect, Response, Role,
    Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use serde::{Deserialize, Serialize};

use super::action::{Action, Move};
use super::state::{Choice, Saved};
use super::theme::{self, Colours, HEADER, ROW};
use super::{shapes, text};
use crate::evidence::pack;
use crate::model::{Grade, ProviderId, middle};
use crate::store::query::SortKey;
use crate::store::{Row, RowId, RowKind, Snapshot};

/// Width of the scroll bar.
const BAR: f32 = 10.0;
/// Narrowest column.
const NARROW: f32 = 36.0;
/// Space left and right of a cell's content.
const INSET: f32 = 8.0;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Column {
    /// The first frame's number.
    Frame,
    /// Time of the first frame.
    Time,
    /// Method or protocol.
    Method,
    /// Host.
    Host,
    /// Path.
    Path,
    /// Status.
    Status,
    /// Media type.
    Type,
    /// Size of the answer.
    Size,
    /// From the first to the last frame.
    Duration,
    /// Whose machine answered, and which service.
    Operator,
    /// How sure that is.
    Grade,
    /// The server's address.
    Server,
    /// Whose account it is.
    Tenant,
}

impl Column {
    pub(crate) const ALL: [Self; 13] = [
        Self::Frame,
        Self::Time,
        Self::Method,
        Self::Host,
        Self::Path,
        Self::Status,
        Self::Type,
        Self::Size,
        Self::Duration,
        Self::Operator,
        Self::Grade,
        Self::Tenant,
        Self::Server,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Frame => "Frame",
            Self::Time => "Time (UTC)",
            Self::Method => "Method",
            Self::Host => "Host",
            Self::Path => "Path",
            Self::Status => "Status",
            Self::Type => "Type",
            Self::Size => "Size",
            Self::Duration => "Duration",
            Self::Operator => "Provider",
            Self::Grade => "Evidence",
            Self::Server => "Server",
            Self::Tenant => "Tenant",
        }
    }

    pub(crate) fn tip(self) -> &'static str {
        match self {
            Self::Frame => "Number of the exchange's first frame, as Wireshark counts",
            Self::Time => "When the first frame was captured",
            Self::Method => "HTTP method; TLS or DNS for what is not HTTP",
            Self::Host => "Host asked for: Host field, server name or DNS question",
            Self::Path => "Path and query; TLS version; DNS record type",
            Self::Status => "HTTP status; DNS response code",
            Self::Type => "Media type of the response",
            Self::Size => "Decoded bytes of the response body; TLS: bytes both ways; DNS: answers",
            Self::Duration => "From the first to the last frame of the exchange",
            Self::Operator => "Whose machine answered, and which service",
            Self::Grade => "How sure the provider is: conclusive, supports, suggests, name only, contradicted",
            Self::Server => "The server's address and port",
            Self::Tenant => "Whose account, bucket or distribution it is",
        }
    }

    fn width(self) -> f32 {
        match self {
            Self::Frame => 64.0,
            Self::Time => 100.0,
            Self::Tenant => 120.0,
            Self::Method => 64.0,
            Self::Duration => 72.0,
            Self::Host => 236.0,
            Self::Path => 210.0,
            Self::Status => 56.0,
            Self::Type => 92.0,
            Self::Size => 60.0,
            Self::Operator => 204.0,
            Self::Grade => 112.0,
            Self::Server => 148.0,
        }
    }

    fn sort(self) -> Option<SortKey> {
        match self {
            Self::Frame => Some(SortKey::Capture),
            Self::Time => Some(SortKey::Time),
            Self::Method => Some(SortKey::Method),
            Self::Host => Some(SortKey::Host),
            Self::Path => Some(SortKey::Path),
            Self::Status => Some(SortKey::Status),
            Self::Type => Some(SortKey::Type),
            Self::Size => Some(SortKey::Size),
            Self::Duration => Some(SortKey::Duration),
            Self::Operator => Some(SortKey::Operator),
            Self::Grade => Some(SortKey::Grade),
            Self::Server => Some(SortKey::Server),
            Self::Tenant => None,
        }
    }

    fn right(self) -> bool {
        matches!(self, Self::Frame | Self::Size | Self::Duration)
    }
}

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
        self.top = self.top.clamp(0.0, (len as f64 - self.page).max(0.0));
    }
}

/// What the table reads.
pub(crate) struct Seen<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) order: &'a [u32],
    pub(crate) choice: &'a Choice,
    pub(crate) selected: Option<RowId>,
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
    state.page = f64::from(body.height() / ROW);
    if state.reveal {
        state.reveal = false;
        if let Some(at) = state.cursor {
            state.show(at);
        }
    }
    keyboard(ui, all, actions);
    wheel(ui, body, state);
    state.clamp(seen.order.len());

    let painter = ui.painter_at(all);
    painter.rect_filled(all, CornerRadius::ZERO, c.page);
    rows(ui, &painter.with_clip_rect(body), body, &columns, seen, state, actions);
    header(
        ui,
        &painter,
        Rect::from_min_max(all.min, pos2(body.right(), body.top())),
        &columns,
        seen,
        (saved, state),
        actions,
    );
    scroll_bar(ui, &painter, Rect::from_min_max(pos2(body.right(), body.top()), all.max), seen.order.len(), state);
}

/// The visible columns with their widths; what is left over goes to host and path.
fn layout(saved: &Saved, room: f32) -> Vec<(Column, f32)> {
    let mut columns: Vec<(Column, f32)> = Column::ALL
        .into_iter()
        .filter(|column| !saved.hidden.contains(column))
        .map(|column| (column, saved.widths.get(&column).copied().unwrap_or_else(|| column.width())))
        .collect();
    let spare = (room - columns.iter().map(|(_, width)| width).sum::<f32>()).max(0.0);
    let shares = [(Column::Host, 0.3), (Column::Path, 0.5), (Column::Operator, 0.2)];
    let present: f32 = shares.iter().filter(|(s, _)| columns.iter().any(|(c, _)| c == s)).map(|(_, n)| n).sum();
    for (column, share) in shares {
        if let Some((_, width)) = columns.iter_mut().find(|(c, _)| *c == column) {
            *width = (*width + spare * share / present).floor();
        }
    }
    columns
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
    row: Row,
    rect: Rect,
    selected: bool,
}

fn rows(
    ui: &Ui,
    painter: &Painter,
    body: Rect,
    columns: &[(Column, f32)],
    seen: &Seen<'_>,
    state: &TableState,
    actions: &mut Vec<Action>,
) {
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
        let response = ui.interact(rect.intersect(body), focus_id().with(id.0), Sense::CLICK);
        response.widget_info(|| WidgetInfo::selected(Role::Row, true, selected, spoken(seen.snapshot, &row)));
        ground(painter, c, rect, &row, selected, response.hovered());
        if response.clicked() {
            ui.ctx().memory_mut(|memory| memory.request_focus(focus_id()));
            actions.push(Action::Select(id));
        }
        if response.hovered() {
            hint(&response, columns, body, (seen.snapshot, &row), state);
        }
        response.context_menu(|ui| menu(ui, seen.snapshot, id, &row, actions));
        visible.push(Visible { row, rect, selected });
    }
    let mut x = body.left() - state.left;
    for (column, width) in columns {
        let clip = Rect::from_x_y_ranges(x..=x + width, body.y_range()).intersect(body);
        if clip.width() > 2.0 {
            let cell = Cells { painter: painter.with_clip_rect(clip), c, snapshot: seen.snapshot, x, width: *width };
            for row in &visible {
                cell.paint(*column, row);
            }
        }
        x += width;
    }
}

fn ground(painter: &Painter, c: &Colours, rect: Rect, row: &Row, selected: bool, hovered: bool) {
    let mut colour = c.page;
    let provider = row.operator().map(|id| c.provider(id));
    if let Some(provider) = provider {
        colour = Colours::tint(colour, provider, if c.dark { 0.055 } else { 0.06 });
    }
    if selected {
        colour = c.selection;
    } else if hovered {
        colour = Colours::tint(colour, c.text, 0.05);
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

/// What one column needs to paint its cells.
struct Cells<'a> {
    painter: Painter,
    c: &'static Colours,
    snapshot: &'a Snapshot,
    x: f32,
    width: f32,
}

impl Cells<'_> {
    fn paint(&self, column: Column, visible: &Visible) {
        let (row, c) = (&visible.row, self.c);
        let y = visible.rect.center().y;
        let quiet = if visible.selected { c.text } else { c.quiet };
        match column {
            Column::Frame => self.right(y, text::count(u64::from(row.first_frame.0)), quiet),
            Column::Time => self.left(y, &row.time.time_of_day(3), theme::sans(theme::BODY), quiet),
            Column::Method => {
                let font =
                    if row.kind == RowKind::Http { theme::strong(theme::BODY) } else { theme::sans(theme::BODY) };
                self.left(
                    y,
                    self.snapshot.word(row.method),
                    font,
                    if row.kind == RowKind::Http { c.text } else { quiet },
                );
            }
            Column::Host => self.host(y, self.snapshot.text(row.host), quiet),
            Column::Path => {
                let mut width = self.width;
                if row.flags & (Row::ANOMALY | Row::INCOMPLETE) != 0 {
                    width -= 20.0;
                    shapes::caution(&self.painter, pos2(self.x + self.width - 15.0, y), c.amber);
                }
                self.cut(y, self.snapshot.text(row.path), width, theme::sans(theme::BODY), c.text);
            }
            Column::Status => self.status(y, row, quiet),
            Column::Type => {
                let media = self.snapshot.word(row.content_type);
                let short = media.strip_prefix("application/").unwrap_or(media);
                self.left(y, short, theme::sans(theme::BODY), quiet);
            }
            Column::Size => self.right(y, size_words(row), quiet),
            Column::Duration => self.right(y, text::duration(u64::from(row.duration_micros)), quiet),
            Column::Operator => self.operator(y, row, quiet),
            Column::Grade => self.grade(y, row),
            Column::Server => self.left(y, self.snapshot.text(row.server), theme::sans(theme::BODY), quiet),
            Column::Tenant => self.left(y, self.snapshot.text(row.tenant), theme::sans(theme::BODY), c.text),
        }
    }

    fn left(&self, y: f32, text: &str, font: FontId, colour: Color32) {
        self.cut(y, text, self.width, font, colour);
    }

    fn cut(&self, y: f32, text: &str, width: f32, font: FontId, colour: Color32) {
        if text.is_empty() {
            return;
        }
        let mut job = LayoutJob::single_section(text.to_owned(), TextFormat::simple(font, colour));
        job.wrap = TextWrapping { break_anywhere: true, ..TextWrapping::truncate_at_width(width - 2.0 * INSET) };
        self.galley(pos2(self.x + INSET, y), job);
    }

    fn galley(&self, at: Pos2, job: LayoutJob) {
        let galley = self.painter.layout_job(job);
        let at = pos2(at.x, (at.y - galley.size().y / 2.0).round());
        self.painter.galley(at, galley, self.c.text);
    }

    fn right(&self, y: f32, text: String, colour: Color32) {
        let galley = self.painter.layout_no_wrap(text, theme::sans(theme::BODY), colour);
        let at = pos2(self.x + self.width - INSET - galley.size().x, (y - galley.size().y / 2.0).round());
        self.painter.galley(at, galley, colour);
    }

    /// The registrable domain in full strength; a name that is too long is cut in the middle, so that the domain stays.
    fn host(&self, y: f32, host: &str, quiet: Color32) {
        let domain = psl::domain_str(host).unwrap_or(host);
        let room = self.width - 2.0 * INSET;
        let whole = self.painter.layout_job(self.emphasised(host, domain, quiet));
        let wide = whole.size().x;
        if wide <= room {
            let at = pos2(self.x + INSET, (y - whole.size().y / 2.0).round());
            self.painter.galley(at, whole, self.c.text);
            return;
        }
        let fits = ((host.chars().count() as f32 * room / wide) as usize).saturating_sub(1).max(6);
        let end = (domain.chars().count() + 1).min(fits * 3 / 4);
        let mut job = self.emphasised(&middle(host, fits, end), domain, quiet);
        job.wrap = TextWrapping { break_anywhere: true, ..TextWrapping::truncate_at_width(room) };
        self.galley(pos2(self.x + INSET, y), job);
    }

    /// A host with its registrable domain in full strength; where that is cut too, the whole.
    fn emphasised(&self, host: &str, domain: &str, quiet: Color32) -> LayoutJob {
        let font = theme::sans(theme::BODY);
        let at = host.len().saturating_sub(domain.len());
        let (before, after) = match (host.get(..at), host.get(at..)) {
            (Some(before), Some(after)) if after == domain => (before, after),
            _ => ("", host),
        };
        let mut job = LayoutJob::default();
        job.append(before, 0.0, TextFormat::simple(font.clone(), quiet));
        job.append(after, 0.0, TextFormat::simple(font, self.c.text));
        job
    }

    fn status(&self, y: f32, row: &Row, quiet: Color32) {
        let (words, strong) = match row.kind {
            RowKind::Http if row.status == 0 => ("–".to_owned(), false),
            RowKind::Http => (row.status.to_string(), row.status >= 400),
            RowKind::Dns if row.flags & Row::INCOMPLETE != 0 => ("–".to_owned(), false),
            RowKind::Dns => (
                match row.status {
                    0 => "ok".to_owned(),
                    2 => "failed".to_owned(),
                    3 => "none".to_owned(),
                    5 => "refused".to_owned(),
                    other => other.to_string(),
                },
                row.status != 0,
            ),
            RowKind::Tls => return,
        };
        let font = if strong { theme::strong(theme::BODY) } else { theme::sans(theme::BODY) };
        self.left(y, &words, font, if strong { self.c.text } else { quiet });
    }

    fn operator(&self, y: f32, row: &Row, quiet: Color32) {
        let square = Rect::from_center_size(pos2(self.x + INSET + 9.0, y), vec2(18.0, 16.0));
        let Some(id) = row.operator() else { return };
        shapes::provider(&self.painter, square, self.c, id);
        let (name, service) = names(row);
        let mut job = LayoutJob::default();
        job.append(name, 0.0, TextFormat::simple(theme::sans(theme::BODY), self.c.text));
        if let Some(service) = service {
            job.append(service, 8.0, TextFormat::simple(theme::sans(theme::BODY), quiet));
        }
        job.wrap =
            TextWrapping { break_anywhere: true, ..TextWrapping::truncate_at_width(self.width - 2.0 * INSET - 26.0) };
        self.galley(pos2(self.x + INSET + 26.0, y), job);
    }

    fn grade(&self, y: f32, row: &Row) {
        let grade = if row.flags & Row::CONFLICT != 0 { Some(Grade::Contradicted) } else { row.grade() };
        let Some(grade) = grade else { return };
        let colour = self.c.grade(grade);
        shapes::grade(&self.painter, pos2(self.x + INSET + 6.0, y), 5.0, grade, colour);
        let galley = self.painter.layout_no_wrap(grade.word().to_owned(), theme::sans(theme::BODY), colour);
        let at = pos2(self.x + INSET + 18.0, (y - galley.size().y / 2.0).round());
        self.painter.galley(at, galley, colour);
    }
}

fn size_words(row: &Row) -> String {
    match row.kind {
        RowKind::Http | RowKind::Tls if row.size == 0 => "0".to_owned(),
        RowKind::Http | RowKind::Tls => text::size(row.size),
        RowKind::Dns => format!("{}\u{2009}rr", row.size),
    }
}

/// Names of operator and service.
pub(crate) fn names(row: &Row) -> (&'static str, Option<&'static str>) {
    let name = row.operator().and_then(|id| pack().providers.get(usize::from(id.0))).map_or("", |p| p.name);
    (name, pack().services.get(usize::from(row.product)).map(|s| s.name))
}

/// A row as one line of text: for the screen reader and for copying.
pub(crate) fn spoken(snapshot: &Snapshot, row: &Row) -> String {
    let (name, service) = names(row);
    let status = if row.status == 0 { String::new() } else { row.status.to_string() };
    let grade = row.grade().map_or("", Grade::word);
    let parts = [
        snapshot.word(row.method),
        snapshot.text(row.host),
        snapshot.text(row.path),
        &status,
        name,
        service.unwrap_or_default(),
        grade,
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What the cell under the pointer says in full.
fn hint(response: &Response, columns: &[(Column, f32)], body: Rect, at: (&Snapshot, &Row), state: &TableState) {
    let Some(pointer) = response.hover_pos() else { return };
    let (snapshot, row) = at;
    let mut x = body.left() - state.left;
    for (column, width) in columns {
        if (x..x + width).contains(&pointer.x) {
            let words = full(*column, snapshot, row);
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

fn full(column: Column, snapshot: &Snapshot, row: &Row) -> String {
    match column {
        Column::Frame => String::new(),
        Column::Time => row.time.rfc3339(),
        Column::Method => match row.version {
            0 => String::new(),
            9 => "HTTP/0.9".to_owned(),
            20 => "HTTP/2".to_owned(),
            30 => "HTTP/3".to_owned(),
            other => format!("HTTP/{}.{}", other / 10, other % 10),
        },
        Column::Host => snapshot.text(row.host).to_owned(),
        Column::Path => {
            let mut words = snapshot.text(row.path).to_owned();
            if row.flags & Row::INCOMPLETE != 0 {
                words.push_str("\nA message of this exchange is missing or cut");
            }
            if row.flags & Row::ANOMALY != 0 {
                words.push_str("\nSomething odd was met: see Connection");
            }
            words.trim_start().to_owned()
        }
        Column::Status => match row.kind {
            RowKind::Http if row.status == 0 => "No response in the capture".to_owned(),
            RowKind::Http | RowKind::Tls => String::new(),
            RowKind::Dns if row.flags & Row::INCOMPLETE != 0 => "No answer in the capture".to_owned(),
            RowKind::Dns => text::sentence(text::rcode(row.status)),
        },
        Column::Type => snapshot.word(row.content_type).to_owned(),
        Column::Size => match row.kind {
            RowKind::Http => text::bytes(row.size),
            RowKind::Tls => format!("{}, both ways", text::bytes(row.size)),
            RowKind::Dns => text::plural(row.size, "answer record", "answer records"),
        },
        Column::Duration => format!("{} microseconds", text::count(u64::from(row.duration_micros))),
        Column::Operator => {
            let (name, service) = names(row);
            if name.is_empty() {
                "No evidence of a known provider".to_owned()
            } else {
                let role = pack()
                    .roles
                    .get(usize::from(row.role))
                    .map_or(String::new(), |role| format!("\nRole: {}", role.replace('-', " ")));
                format!("{name}{}{role}", service.map_or(String::new(), |s| format!(" · {s}")))
            }
        }
        Column::Grade => row
            .grade()
            .map_or_else(|| "No evidence of a known provider".to_owned(), |grade| grade_words(grade).to_owned()),
        Column::Server => snapshot.text(row.server).to_owned(),
        Column::Tenant => snapshot.text(row.tenant).to_owned(),
    }
}

/// What a grade means.
pub(crate) fn grade_words(grade: Grade) -> &'static str {
    match grade {
        Grade::Conclusive => "Conclusive: independent witnesses agree and nothing necessary is missing",
        Grade::Supports => "Supports: independent witnesses, or one that is hard to fake",
        Grade::Suggests => "Suggests: one witness that others could imitate",
        Grade::NameOnly => "Name only: somebody wrote a name; nothing else speaks for it",
        Grade::Contradicted => "Contradicted: witnesses of the same kind disagree",
    }
}

fn menu(ui: &mut Ui, snapshot: &Snapshot, id: RowId, row: &Row, actions: &mut Vec<Action>) {
    let mut item = |ui: &mut Ui, label: &str, action: Action| {
        if ui.button(label).clicked() {
            actions.push(action);
            ui.close();
        }
    };
    item(ui, "Show evidence", Action::Select(id));
    let host = snapshot.text(row.host);
    if !host.is_empty() {
        item(ui, "Only this host", Action::Filter(host.to_owned()));
    }
    if let Some(provider) = row.operator() {
        item(ui, &format!("Only {}", names(row).0), Action::Provider(Some(provider)));
    } else {
        item(ui, "Only rows without provider", Action::Provider(Some(ProviderId(Row::NONE))));
    }
    ui.separator();
    if !host.is_empty() {
        item(ui, "Copy host", Action::Copy(host.to_owned()));
    }
    if row.kind == RowKind::Http {
        item(ui, "Copy path", Action::Copy(snapshot.text(row.path).to_owned()));
    }
    item(ui, "Copy server address", Action::Copy(snapshot.text(row.server).to_owned()));
    item(ui, "Copy row", Action::Copy(spoken(snapshot, row)));
}

fn header(
    ui: &Ui,
    painter: &Painter,
    rect: Rect,
    columns: &[(Column, f32)],
    seen: &Seen<'_>,
    (saved, state): (&mut Saved, &TableState),
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let strip = Rect::from_min_max(rect.min, pos2(rect.right() + BAR, rect.bottom()));
    painter.rect_filled(strip, CornerRadius::ZERO, c.surface);
    painter.hline(strip.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, c.line));
    let painter = painter.with_clip_rect(rect);
    let mut x = rect.left() - state.left;
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
        let sorted = column.sort() == Some(seen.choice.sort);
        let colour = if sorted || response.hovered() { c.text } else { c.quiet };
        let galley = painter.layout_no_wrap(column.title().to_owned(), theme::sans(theme::SMALL), colour);
        let y = (cell.center().y - galley.size().y / 2.0).round();
        let mark = if sorted { 12.0 } else { 0.0 };
        let at = if column.right() { cell.right() - INSET - galley.size().x } else { cell.left() + INSET };
        let mark_x = if column.right() { at - 8.0 } else { at + galley.size().x + mark - 4.0 };
        painter.with_clip_rect(seen_part).galley(pos2(at, y), galley, colour);
        if sorted {
            shapes::sorted(&painter, pos2(mark_x, cell.center().y), seen.choice.descending, c.accent);
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
    super::action::menu_item(ui, &Action::ResetColumns, actions);
}

fn scroll_bar(ui: &Ui, painter: &Painter, track: Rect, len: usize, state: &mut TableState) {
    let c = theme::colours(ui);
    painter.rect_filled(track, CornerRadius::ZERO, c.page);
    let hidden = len as f64 - state.page;
    if hidden <= 0.0 {
        return;
    }
    let share = (state.page / len as f64) as f32;
    let length = (track.height() * share).max(28.0);
    let travel = track.height() - length;
    let response = ui.interact(track, focus_id().with("bar"), Sense::CLICK | Sense::DRAG);
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
}

#[cfg(test)]
mod tests {
    use super::{Column, TableState, layout};
    use crate::ui::state::Saved;

    #[test]
    fn spare_room_is_given_away_whole_and_never_taken() {
        let saved = Saved::default();
        for room in [400.0, 1_280.0, 2_560.0] {
            let columns = layout(&saved, room);
            let total: f32 = columns.iter().map(|(_, width)| width).sum();
            let least: f32 = columns.iter().map(|(column, _)| column.width()).sum();
            assert!(total >= least && total <= least.max(room), "{room}: {total} of {least}");
        }
        assert!(!layout(&saved, 100.0).iter().any(|(column, _)| *column == Column::Server));
    }

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
}
