//! One message's head: every line as it stands, the proving ones marked and numbered.

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{CornerRadius, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::model::{FrameNo, Side};
use crate::store::RowId;
use crate::store::filter::Filter;
use crate::ui::action::Action;
use crate::ui::prepared::{Head, HeadLine, LedgerLine};
use crate::ui::roving::{Along, Roving};
use crate::ui::state::State;
use crate::ui::theme::{self, Colours, Hue, LINE};
use crate::ui::{menus, shapes};

/// Space for bar and number at the left.
const GUTTER: f32 = 40.0;
/// Bytes of a value that goes into a filter.
const FILTER_BYTES: usize = 200;
/// Names wider than this share of the pane have their value on the next line.
pub(crate) const NAME_SHARE: f32 = 0.45;

/// How a line is set: where its value begins, and how many rows it takes.
struct Set {
    value_x: f32,
    below: bool,
    rows: usize,
}

/// Paints a head with its title. `None`: the capture lacks the message.
pub(crate) fn show(
    ui: &mut Ui,
    side: Side,
    head: Option<&Head>,
    ledger: &[LedgerLine],
    state: &mut State,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let title = title(side);
    caption(ui, title, head, actions);
    let Some(head) = head else {
        ui.horizontal(|ui| {
            ui.add_space(12.0);
            ui.label(egui::RichText::new(format!("No {} in the capture", title.to_lowercase())).color(c.quiet));
        });
        return;
    };
    if let Some(note) = &head.note {
        ui.horizontal(|ui| {
            ui.add_space(12.0);
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
            shapes::caution(ui.painter(), rect.center(), c.amber);
            ui.label(egui::RichText::new(note).font(theme::sans(theme::SMALL)).color(c.amber));
        });
    }
    let glyph = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), 'm'));
    let width = ui.available_width() - 12.0;
    let sets: Vec<Set> = head.lines.iter().map(|line| set(line, width - GUTTER - 4.0, glyph)).collect();
    let total: f32 = sets.iter().map(|s| s.rows as f32 * LINE).sum();
    let marked = !head.lines.iter().all(|line| line.marks.is_empty());
    let wanted = state.wanted_line;
    ScrollArea::vertical().id_salt(("head", title)).auto_shrink([false, false]).show_viewport(ui, |ui, view| {
        ui.set_height(total + 8.0);
        let origin = ui.max_rect().min;
        let mut y = 0.0;
        let roving = Roving::new(ui, ui.scope_id().with(title), Along::Down, head.lines.len(), |_| true);
        for (i, (line, set)) in head.lines.iter().zip(&sets).enumerate() {
            let height = set.rows as f32 * LINE;
            let rect = Rect::from_min_size(pos2(origin.x, origin.y + y), vec2(width, height));
            if wanted.is_some_and(|w| line.marks.contains(&w)) {
                ui.scroll_to_rect(rect.expand(LINE), None);
                state.wanted_line = None;
            }
            if (y + height >= view.top() && y <= view.bottom()) || roving.at() == i {
                let look = &mut Look { side, ledger, state, marked, c, actions };
                paint(ui, rect, (title, i), (line, set), &roving, look);
            }
            y += height;
        }
        roving.keep(ui);
    });
}

/// What is written over the head of a side.
pub(super) fn title(side: Side) -> &'static str {
    match side {
        Side::Client => "Request",
        Side::Server => "Response",
    }
}

fn caption(ui: &mut Ui, title: &str, head: Option<&Head>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.set_height(30.0);
        ui.add_space(12.0);
        ui.label(egui::RichText::new(title).font(theme::strong(theme::BODY)));
        if let Some(head) = head {
            frame_link(ui, (head.unit, head.frame), actions);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_space(8.0);
                let copy = ui.add(theme::small(egui::RichText::new("Copy").color(c.quiet)).frame_when_inactive(false));
                copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Copy {}", title.to_lowercase())));
                if copy.on_hover_text("Copy the whole head as text").clicked() {
                    actions.push(Action::Copy(head.whole()));
                }
            });
        }
    });
}

/// A frame number that leads to the frame.
fn frame_link(ui: &mut Ui, (unit, frame): (&str, FrameNo), actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let words = egui::RichText::new(format!("{unit} {frame}")).font(theme::sans(theme::SMALL)).color(c.quiet);
    if ui.add(theme::small(words).frame_when_inactive(false)).on_hover_text(format!("Show this {unit}")).clicked() {
        actions.push(Action::Frame(frame));
    }
}

fn set(line: &HeadLine, width: f32, glyph: f32) -> Set {
    let (name, value) = line.chars;
    let name_width = if name == 0 { 0.0 } else { (name as f32 + 2.0) * glyph };
    let below = name_width > width * NAME_SHARE && (name + value + 2) as f32 * glyph > width;
    let value_x = if below { 2.0 * glyph } else { name_width };
    let fits = (((width - value_x) / glyph).floor() as usize).max(4);
    Set { value_x, below, rows: value.div_ceil(fits).max(1) + usize::from(below) }
}

/// What all lines of a head share.
struct Look<'a> {
    /// Whose head it is.
    side: Side,
    ledger: &'a [LedgerLine],
    state: &'a mut State,
    marked: bool,
    c: &'static Colours,
    actions: &'a mut Vec<Action>,
}

fn paint(
    ui: &Ui,
    rect: Rect,
    (title, i): (&str, usize),
    (line, set): (&HeadLine, &Set),
    roving: &Roving,
    look: &mut Look<'_>,
) {
    let c = look.c;
    let painter = ui.painter().clone();
    let first = line.marks.first().copied();
    let entry = first.and_then(|i| look.ledger.get(i));
    let id = ui.scope_id().with((title, i));
    let response = ui.interact(rect, id, roving.sense(ui, i, id));
    roving.drawn(i, &response);
    response.widget_info(|| {
        let numbers: Vec<String> = line.marks.iter().map(|i| (i + 1).to_string()).collect();
        let said = if numbers.is_empty() { line.whole() } else { format!("{} {}", numbers.join(" "), line.whole()) };
        WidgetInfo::labeled(Role::ListItem, true, said)
    });
    let lit = look.state.lit.is_some_and(|i| line.marks.contains(&i));
    if let (Some(entry), Some(first)) = (entry, first) {
        let hue = c.provider(entry.provider);
        ground(&painter, rect, hue, lit, c);
        let badge = Rect::from_min_size(pos2(rect.left() + 8.0, rect.top() + 1.5), vec2(26.0, 15.0));
        number(&painter, badge, &numbers(&line.marks), hue);
        if response.hovered() {
            look.state.lit_next = Some(first);
        }
        if response.clicked() {
            look.actions.push(Action::Line(first));
        }
    } else if response.hovered() {
        painter.rect_filled(rect, CornerRadius::same(3), c.hover);
    }
    let stands = Stands { ledger: look.ledger, marked: look.marked, c };
    let plain = stands.plain(line);
    let x = rect.left() + GUTTER;
    let limit = rect.right() - 4.0;
    if !line.name.is_empty() {
        painter.galley(pos2(x, rect.top()), painter.layout_job(stands.name(line, limit - x)), plain);
    }
    let value_y = rect.top() + if set.below { LINE } else { 0.0 };
    let mut job = LayoutJob::default();
    for (piece, mark) in &line.pieces {
        stands.piece(&mut job, line, piece, *mark);
    }
    job.wrap = TextWrapping { max_width: limit - x - set.value_x, break_anywhere: true, ..TextWrapping::default() };
    painter.galley(pos2(x + set.value_x, value_y), painter.layout_job(job), plain);
    menus::on(&response, response.has_focus(), |ui| {
        let name = line.name.to_ascii_lowercase();
        if !name.is_empty() && !name.starts_with(':') {
            // A very long value is no filter that anybody could read.
            let value = line.value();
            let test = if value.len() <= FILTER_BYTES { is_header(&name, &value) } else { None };
            if let Some(filter) = test.or_else(|| is_header(&name, "")) {
                menus::filters(ui, &filter, look.actions);
                ui.separator();
            }
            menus::action(ui, "Show as column", || Action::HeaderColumn(look.side, name.clone()), look.actions);
        }
        if let Some(entry) = entry {
            menus::tag(ui, entry.signature_number, look.actions);
        }
        menus::copy(ui, "Copy line", &line.whole(), look.actions);
        menus::copy(ui, "Copy value", &line.value(), look.actions);
        menus::copy(ui, "Copy name", &line.name, look.actions);
        look.actions.extend(copies(ui, look.state.selected, look.state.several.rows.len() + 1));
    });
    if let Some(entry) = entry {
        let _shown = response.on_hover_ui_at_pointer(|ui| {
            ui.set_max_width(420.0);
            ui.label(entry.proves);
        });
    }
}

/// The filter that keeps rows with this header line; with a line of this name where no value is given.
fn is_header(name: &str, value: &str) -> Option<Filter> {
    let test = if value.is_empty() { name.to_owned() } else { format!("{name}={value}") };
    Filter::parse(&format!("header:\"{}\"", test.replace('\\', "\\\\").replace('"', "\\\""))).ok()
}

/// Items that copy the request of the row.
fn copies(ui: &mut Ui, row: Option<RowId>, several: usize) -> Vec<Action> {
    let mut asked = Vec::new();
    if let Some(row) = row {
        menus::copies(ui, (row, several), true, &mut asked);
    }
    asked
}

/// The ground of a proving line, with its bar.
pub(crate) fn ground(painter: &egui::Painter, rect: Rect, hue: Hue, lit: bool, c: &Colours) {
    let ground = rect.shrink2(vec2(0.0, 0.5));
    let share = if lit { theme::MOST_TINT } else { 0.12 };
    painter.rect_filled(ground, CornerRadius::same(3), Colours::tint(c.page, hue.fill, share));
    painter.rect_filled(Rect::from_min_size(ground.min, vec2(3.0, ground.height())), CornerRadius::same(1), hue.line);
}

/// How the letters of a head's lines are set, in window and picture.
pub(crate) struct Stands<'a> {
    pub(crate) ledger: &'a [LedgerLine],
    /// Whether any line of the head proves something: those that do not step back then.
    pub(crate) marked: bool,
    pub(crate) c: &'static Colours,
}

impl Stands<'_> {
    pub(crate) fn plain(&self, line: &HeadLine) -> egui::Color32 {
        if self.marked && line.marks.is_empty() { self.c.quiet } else { self.c.text }
    }

    /// A field's name with its colon.
    pub(crate) fn name(&self, line: &HeadLine, room: f32) -> LayoutJob {
        let weak = if self.marked && line.marks.is_empty() { self.c.faint } else { self.c.quiet };
        let format = |colour| TextFormat { line_height: Some(LINE), ..TextFormat::simple(theme::mono(), colour) };
        let mut job = LayoutJob::default();
        job.append(&line.name, 0.0, format(self.plain(line)));
        job.append(":", 0.0, format(weak));
        job.wrap = TextWrapping::truncate_at_width(room);
        job
    }

    /// One piece of a value; `mark` is the ledger line that quotes it.
    pub(crate) fn piece(&self, job: &mut LayoutJob, line: &HeadLine, piece: &str, mark: Option<usize>) {
        let c = self.c;
        let proves = mark.and_then(|i| self.ledger.get(i));
        let start = line.name.is_empty();
        let colour = match proves {
            None if !start && (!line.marks.is_empty() || self.marked) => c.quiet,
            Some(_) | None => c.text,
        };
        let underline = proves.map_or(Stroke::NONE, |p| Stroke::new(1.2, c.provider(p.provider).line));
        let font = if start || proves.is_some() { theme::mono_strong() } else { theme::mono() };
        job.append(piece, 0.0, TextFormat { line_height: Some(LINE), underline, ..TextFormat::simple(font, colour) });
    }
}

/// The ledger lines of one head line in few letters: `3`, `1–2`, `1+`.
fn numbers(marks: &[usize]) -> String {
    match marks {
        [] => String::new(),
        [one] => (one + 1).to_string(),
        [first, .., last] if last - first + 1 == marks.len() => format!("{}–{}", first + 1, last + 1),
        [first, ..] => format!("{}+", first + 1),
    }
}

/// A ledger line's number in its provider's colour.
pub(crate) fn number(painter: &egui::Painter, rect: Rect, words: &str, hue: Hue) {
    shapes::filled(painter, rect, CornerRadius::same(4), hue);
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, words, theme::strong(10.0), theme::ink(hue.fill));
}
