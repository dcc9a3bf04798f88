//! The sites in order of their exchanges, each with its sentences and a line for every operator, product, role and grade.

use egui::{Align2, CornerRadius, Painter, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::shown_site;
use crate::evidence::pack;
use crate::model::{Grade, ProviderId};
use crate::store::filter::{Key, is};
use crate::store::{Counts, SiteFindings};
use crate::ui::action::Action;
use crate::ui::roving::{Along, Roving};
use crate::ui::story::provider_name;
use crate::ui::text::{count, cut, plural, size};
use crate::ui::theme::{self, Colours};
use crate::ui::{menus, shapes};

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

impl Line {
    /// The line with its numbers named, for copying.
    fn words(&self, site: &str) -> String {
        let name = self.operator.map_or("No operator known", provider_name);
        let mut parts: Vec<String> = [site, name, self.product, &self.role, self.grade.map_or("", Grade::word)]
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        parts.push(format!("{} exchanges, {} sent, {} received", self.exchanges, self.sent, self.received));
        if !self.handed_out_by.is_empty() {
            parts.push(format!("handed out by {}", self.handed_out_by));
        }
        parts.join(" · ")
    }
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
        let is_stop = |at: usize| matches!(list.rows.get(at), Some(Row::Head { .. } | Row::Line { .. }));
        let roving = Roving::new(ui, ui.scope_id().with("findings"), Along::Down, list.rows.len(), is_stop);
        let mut paint_row = |i: usize| {
            let Some(row) = list.rows.get(i) else { return };
            let top = area.top() + 8.0 + i as f32 * ROW;
            let rect = Rect::from_min_max(pos2(area.left() + 14.0, top), pos2(area.right() - 14.0, top + ROW));
            paint(ui, rect, (i, row), lit, &roving, actions);
        };
        let visible = first..(first + shown).min(list.rows.len());
        // What the Tab key stops at is there even where it is scrolled out of view.
        if !visible.contains(&roving.at()) {
            paint_row(roving.at());
        }
        visible.for_each(paint_row);
        roving.keep(ui);
    });
}

fn paint(ui: &Ui, rect: Rect, (i, row): (usize, &Row), lit: Option<&str>, roving: &Roving, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let painter = ui.painter();
    match row {
        Row::Head { site, words, parts } => {
            let id = ui.scope_id().with(("head", i));
            let response = ui.interact(rect, id, roving.sense(ui, i, id));
            roving.drawn(i, &response);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{site}: {words}")));
            if lit == Some(site) || response.hovered() || response.has_focus() {
                painter.rect_filled(rect.expand2(vec2(6.0, 0.0)), CornerRadius::same(4), c.hover);
            }
            let at = pos2(rect.right(), rect.center().y - 2.0);
            let taken = painter.text(at, Align2::RIGHT_CENTER, words, theme::sans(theme::BODY), c.quiet).width();
            let at = pos2(rect.left(), rect.center().y - 2.0);
            cut(painter, at, site, (theme::strong(theme::SECTION), c.text), rect.width() - taken - 16.0);
            bar(painter, rect, parts, c);
            menus::on(&response, response.has_focus(), |ui| {
                menus::action(ui, "Show these exchanges", || Action::Site(site.clone(), None), actions);
                ui.separator();
                menus::filters(ui, &is(Key::Site, site), actions);
                ui.separator();
                menus::copy(ui, "Copy site", site, actions);
                menus::copy(ui, "Copy line", &format!("{site}: {words}"), actions);
            });
            if response.on_hover_text("Show the exchanges of this site").clicked() {
                actions.push(Action::Site(site.clone(), None));
            }
        }
        Row::Sentence(words) => {
            let response = ui.interact(rect, ui.scope_id().with(("sentence", i)), Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words.clone()));
            let end = cut(painter, rect.left_center(), words, (theme::sans(theme::BODY), c.text), rect.width());
            if end > rect.right() - 12.0 {
                response.on_hover_text(words);
            }
        }
        Row::Titles => titles(painter, rect, c),
        Row::Line { site, line } => self::line(ui, rect, (i, roving), (site, line), actions),
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

fn line(ui: &Ui, rect: Rect, (i, roving): (usize, &Roving), (site, line): (&str, &Line), actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let painter = ui.painter();
    let at = Columns::new(rect);
    let id = ui.scope_id().with(("line", i));
    let response = ui.interact(rect, id, roving.sense(ui, i, id));
    roving.drawn(i, &response);
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
    let plain = || theme::sans(theme::BODY);
    let end = cut(painter, pos2(x, y), name, (plain(), c.text), room);
    if at.role - end > 40.0 {
        cut(painter, pos2(end + 6.0, y), line.product, (plain(), c.quiet), at.role - end - 14.0);
    }
    cut(painter, pos2(at.role, y), &line.role, (plain(), c.quiet), at.grade - at.role - 8.0);
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
    cut(painter, pos2(at.given, y), &line.handed_out_by, (plain(), c.quiet), rect.right() - at.given);
    let mut tip = "Show these exchanges".to_owned();
    if line.conflicts > 0 {
        tip = format!(
            "{}\n{tip}",
            plural(line.conflicts, "exchange has witnesses that disagree", "exchanges have witnesses that disagree")
        );
    }
    let show = || {
        let operator = line.operator.unwrap_or(ProviderId(crate::store::Row::NONE));
        Action::Site(site.to_owned(), Some(operator))
    };
    menus::on(&response, response.has_focus(), |ui| {
        menus::action(ui, "Show these exchanges", show, actions);
        ui.separator();
        menus::filters(ui, &is(Key::Site, site), actions);
        if let Some(provider) = line.operator.and_then(|id| pack().provider(id)) {
            ui.separator();
            menus::filters(ui, &is(Key::Operator, provider.id), actions);
        }
        ui.separator();
        menus::copy(ui, "Copy line", &line.words(site), actions);
    });
    if response.on_hover_text(tip).clicked() {
        actions.push(show());
    }
}
