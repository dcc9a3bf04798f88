//! The sites in order of their exchanges, each with its sentences and a line for every operator, product, role and grade.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align2, CornerRadius, Painter, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::shown_site;
use crate::evidence::pack;
use crate::model::{Grade, ProviderId};
use crate::store::{Counts, SiteFindings};
use crate::ui::action::Action;
use crate::ui::shapes;
use crate::ui::story::provider_name;
use crate::ui::text::{count, plural, size};
use crate::ui::theme::{self, Colours};

/// Sites that are listed, and lines of one site.
const SITES: usize = 2_000;
const LINES: usize = 60;
/// Height of one row in points.
const ROW: f32 = 22.0;

/// The list, row by row: all rows are equally high, so that only visible ones are painted.
#[derive(Debug)]
pub(super) struct List {
    rows: Vec<Row>,
    sites: usize,
}

#[derive(Debug)]
enum Row {
    Head { site: String, words: String, parts: Vec<(Option<ProviderId>, f32)> },
    Sentence(String),
    Titles,
    Line { site: String, line: Box<Line> },
    Space,
}

#[derive(Debug)]
struct Line {
    operator: Option<ProviderId>,
    product: &'static str,
    role: String,
    grade: Option<Grade>,
    exchanges: String,
    sent: String,
    received: String,
    handed_out_by: String,
    conflicts: u64,
}

impl List {
    pub(super) fn new(all: &[SiteFindings], ignored: usize) -> Self {
        let mut rows = Vec::new();
        if ignored > 0 {
            rows.push(Row::Sentence(format!("{ignored} ignored, not counted here")));
            rows.push(Row::Space);
        }
        for found in all.iter().take(SITES) {
            let site = shown_site(&found.site);
            rows.push(Row::Head { words: totals(found.total), parts: parts(found), site: site.clone() });
            rows.extend(found.sentences().into_iter().map(Row::Sentence));
            rows.push(Row::Titles);
            for (key, counts) in found.lines.iter().take(LINES) {
                let line = Box::new(Line {
                    operator: key.operator,
                    product: key.product.and_then(|p| pack().service(p)).map_or("", |s| s.name),
                    role: key.role.map_or_else(String::new, |r| r.replace('-', " ")),
                    grade: key.grade,
                    exchanges: count(counts.exchanges),
                    sent: size(counts.sent_bytes),
                    received: size(counts.received_bytes),
                    handed_out_by: key.handed_out_by.as_deref().map_or_else(String::new, |by| {
                        if *by == *found.site { "itself".to_owned() } else { shown_site(by) }
                    }),
                    conflicts: counts.conflicts,
                });
                rows.push(Row::Line { site: site.clone(), line });
            }
            if let Some(more) = found.lines.len().checked_sub(LINES).filter(|n| *n > 0) {
                rows.push(Row::Sentence(format!("and {}", plural(more as u64, "more line", "more lines"))));
            }
            rows.push(Row::Space);
        }
        if let Some(more) = all.len().checked_sub(SITES).filter(|n| *n > 0) {
            rows.push(Row::Sentence(format!("and {}", plural(more as u64, "more site", "more sites"))));
        }
        Self { rows, sites: all.len() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sites == 0
    }
}

fn totals(total: Counts) -> String {
    let conflicts = if total.conflicts > 0 {
        format!(" · {}", plural(total.conflicts, "conflict", "conflicts"))
    } else {
        String::new()
    };
    format!(
        "{} · {} sent · {} received{conflicts}",
        plural(total.exchanges, "exchange", "exchanges"),
        size(total.sent_bytes),
        size(total.received_bytes)
    )
}

/// Operators with their share of a site's exchanges, the largest first.
fn parts(found: &SiteFindings) -> Vec<(Option<ProviderId>, f32)> {
    let mut sums: Vec<(Option<ProviderId>, u64)> = Vec::new();
    for (key, counts) in &found.lines {
        match sums.iter_mut().find(|(operator, _)| *operator == key.operator) {
            Some((_, sum)) => *sum += counts.exchanges,
            None => sums.push((key.operator, counts.exchanges)),
        }
    }
    sums.sort_by_key(|(operator, n)| (operator.is_none(), core::cmp::Reverse(*n)));
    let whole = found.total.exchanges.max(1) as f32;
    sums.into_iter().map(|(operator, n)| (operator, n as f32 / whole)).collect()
}

/// Where columns begin, and how wide the last one is.
struct Columns {
    role: f32,
    grade: f32,
    exchanges: f32,
    sent: f32,
    received: f32,
    given: f32,
}

impl Columns {
    fn new(rect: Rect) -> Self {
        let spare = (rect.width() - 640.0).max(0.0);
        let role = rect.left() + 196.0 + (spare * 0.75).min(spare * 0.3 + 60.0);
        let grade = role + 102.0 + spare * 0.1;
        let exchanges = grade + 140.0;
        let sent = exchanges + 58.0;
        let received = sent + 60.0;
        Self { role, grade, exchanges, sent, received, given: received + 12.0 }
    }
}

/// Paints the list.
pub(super) fn show(ui: &mut Ui, list: &List, lit: Option<&str>, actions: &mut Vec<Action>) {
    ScrollArea::vertical().id_salt("findings").auto_shrink([false, false]).show_viewport(ui, |ui, view| {
        ui.set_height(list.rows.len() as f32 * ROW + 16.0);
        let area = ui.max_rect();
        let first = ((view.top() - 8.0) / ROW).floor().max(0.0) as usize;
        let shown = (view.height() / ROW).ceil() as usize + 2;
        for (i, row) in list.rows.iter().enumerate().skip(first).take(shown) {
            let top = area.top() + 8.0 + i as f32 * ROW;
            let rect = Rect::from_min_max(pos2(area.left() + 14.0, top), pos2(area.right() - 14.0, top + ROW));
            paint(ui, rect, i, row, lit, actions);
        }
    });
}

fn paint(ui: &Ui, rect: Rect, i: usize, row: &Row, lit: Option<&str>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let painter = ui.painter();
    match row {
        Row::Head { site, words, parts } => {
            let response = ui.interact(rect, ui.scope_id().with(("head", i)), Sense::click());
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{site}: {words}")));
            if lit == Some(site) || response.hovered() || response.has_focus() {
                painter.rect_filled(rect.expand2(vec2(6.0, 0.0)), CornerRadius::same(4), c.hover);
            }
            let at = pos2(rect.right(), rect.center().y - 2.0);
            let taken = painter.text(at, Align2::RIGHT_CENTER, words, theme::sans(theme::BODY), c.quiet).width();
            let at = pos2(rect.left(), rect.center().y - 2.0);
            cut(painter, at, site, theme::strong(theme::SECTION), c.text, rect.width() - taken - 16.0);
            bar(painter, rect, parts, c);
            if response.on_hover_text("Show the exchanges of this site").clicked() {
                actions.push(Action::Site(site.clone(), None));
            }
        }
        Row::Sentence(words) => {
            let response = ui.interact(rect, ui.scope_id().with(("sentence", i)), Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words.clone()));
            let end = cut(painter, rect.left_center(), words, theme::sans(theme::BODY), c.text, rect.width());
            if end > rect.right() - 12.0 {
                response.on_hover_text(words);
            }
        }
        Row::Titles => titles(painter, rect, c),
        Row::Line { site, line } => self::line(ui, rect, i, (site, line), actions),
        Row::Space => {}
    }
}

/// Shares of operators as a thin bar.
fn bar(painter: &Painter, rect: Rect, parts: &[(Option<ProviderId>, f32)], c: &Colours) {
    let mut x = rect.left();
    for (operator, share) in parts {
        let width = rect.width() * share;
        let colour = operator.map_or_else(|| c.unknown(), |id| c.provider(id).line);
        let piece = Rect::from_min_max(pos2(x, rect.bottom() - 3.0), pos2(x + (width - 1.0).max(1.0), rect.bottom()));
        painter.rect_filled(piece, CornerRadius::ZERO, colour);
        x += width;
    }
}

fn titles(painter: &Painter, rect: Rect, c: &Colours) {
    let at = Columns::new(rect);
    let y = rect.center().y + 2.0;
    let font = theme::sans(theme::SMALL);
    for (x, words) in
        [(rect.left(), "Operator and product"), (at.role, "Role"), (at.grade, "Grade"), (at.given, "Handed out by")]
    {
        painter.text(pos2(x, y), Align2::LEFT_CENTER, words, font.clone(), c.faint);
    }
    for (x, words) in [(at.exchanges, "Exch."), (at.sent, "Sent"), (at.received, "Received")] {
        painter.text(pos2(x, y), Align2::RIGHT_CENTER, words, font.clone(), c.faint);
    }
}

fn line(ui: &Ui, rect: Rect, i: usize, (site, line): (&str, &Line), actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let painter = ui.painter();
    let at = Columns::new(rect);
    let response = ui.interact(rect, ui.scope_id().with(("line", i)), Sense::click());
    let name = line.operator.map_or("No operator known", provider_name);
    let grade = line.grade.map_or("", Grade::word);
    response.widget_info(|| {
        let said = [site, name, line.product, &line.role, grade, &line.exchanges].join(" ");
        WidgetInfo::labeled(Role::Button, true, said)
    });
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect.expand2(vec2(6.0, 0.0)), CornerRadius::same(4), c.hover);
    }
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, Colours::tint(c.page, c.line, 0.5)));
    let y = rect.center().y;
    let square = Rect::from_center_size(pos2(rect.left() + 9.0, y), vec2(18.0, 16.0));
    match line.operator {
        Some(id) => shapes::provider(painter, square, c, id),
        None => shapes::nobody(painter, square.shrink(2.0), c),
    }
    let x = square.right() + 6.0;
    let room = at.role - x - 8.0;
    let end = cut(painter, pos2(x, y), name, theme::sans(theme::BODY), c.text, room);
    if at.role - end > 40.0 {
        cut(painter, pos2(end + 6.0, y), line.product, theme::sans(theme::BODY), c.quiet, at.role - end - 14.0);
    }
    cut(painter, pos2(at.role, y), &line.role, theme::sans(theme::BODY), c.quiet, at.grade - at.role - 8.0);
    if let Some(grade) = line.grade {
        if line.conflicts > 0 {
            shapes::cross(painter, pos2(at.grade + 108.0, y), c.red);
        }
        shapes::grade(painter, pos2(at.grade + 6.0, y), 4.5, grade, c.grade(grade));
        painter.text(
            pos2(at.grade + 18.0, y),
            Align2::LEFT_CENTER,
            grade.word(),
            theme::sans(theme::BODY),
            c.grade(grade),
        );
    }
    for (x, words, colour) in [
        (at.exchanges, &line.exchanges, c.text),
        (at.sent, &line.sent, c.quiet),
        (at.received, &line.received, c.quiet),
    ] {
        painter.text(pos2(x, y), Align2::RIGHT_CENTER, words, theme::sans(theme::BODY), colour);
    }
    cut(painter, pos2(at.given, y), &line.handed_out_by, theme::sans(theme::BODY), c.quiet, rect.right() - at.given);
    let mut tip = "Show these exchanges".to_owned();
    if line.conflicts > 0 {
        tip = format!(
            "{}\n{tip}",
            plural(line.conflicts, "exchange has witnesses that disagree", "exchanges have witnesses that disagree")
        );
    }
    if response.on_hover_text(tip).clicked() {
        let operator = line.operator.unwrap_or(ProviderId(crate::store::Row::NONE));
        actions.push(Action::Site(site.to_owned(), Some(operator)));
    }
}

/// Text cut to `room`, its left middle at `at`. Gives where it ends.
fn cut(painter: &Painter, at: egui::Pos2, words: &str, font: egui::FontId, colour: egui::Color32, room: f32) -> f32 {
    if words.is_empty() || room < 8.0 {
        return at.x;
    }
    let mut job = LayoutJob::simple_singleline(words.to_owned(), font, colour);
    job.wrap = TextWrapping { break_anywhere: true, ..TextWrapping::truncate_at_width(room) };
    let galley = painter.layout_job(job);
    let end = at.x + galley.size().x;
    painter.galley(pos2(at.x, (at.y - galley.size().y / 2.0).round()), galley, colour);
    end
}
