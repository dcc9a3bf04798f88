//! Two captures side by side: what changed of each site, with the counts of both.
//!
//! Comes in: a comparison, made on a thread of its own. Goes out: a wish to see a site's exchanges in one of the files.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Align2, CornerRadius, Painter, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::action::{Action, CompareAction};
use super::findings::shown_site;
use super::roving::{Along, Roving};
use super::text::{count, cut, plural, size};
use super::theme::{self, Colours};
use super::{menus, panes, shapes};
use crate::export::Compared;
use crate::model::{Grade, ProviderId, clean_to};
use crate::store::{Answer, Aspect, Counts, SiteChange, Standing, Which};

/// Sites that are listed, and answers of one aspect of a site.
const SITES: usize = 2_000;
const ANSWERS: usize = 12;
/// Height of one row in points.
const ROW: f32 = 22.0;
/// Characters of a name.
const NAME_CHARS: usize = 120;

/// Two captures side by side, ready to paint.
#[derive(Debug)]
pub(crate) struct SideBySide {
    /// The files, where they are files.
    pub(crate) files: [Option<PathBuf>; 2],
    rows: Vec<Row>,
}

/// One row; all are equally high, so that only visible ones are painted.
#[derive(Debug)]
enum Row {
    Caption { letter: &'static str, words: String, tip: String },
    Note { words: String, warns: bool },
    Head { site: Arc<str>, standing: Standing, differs: String, totals: [Option<String>; 2] },
    Sentence(String),
    Line { site: Arc<str>, line: Box<Line> },
    Space,
}

#[derive(Debug)]
struct Line {
    aspect: &'static str,
    name: String,
    operator: Option<ProviderId>,
    sides: [Option<String>; 2],
    grade: [Option<Grade>; 2],
    /// Only one of the captures has it.
    alone: bool,
}

impl SideBySide {
    /// Makes the rows: not while painting.
    pub(crate) fn new(compared: &Compared, files: [Option<PathBuf>; 2]) -> Self {
        let mut rows = Vec::new();
        for (which, caption) in Which::BOTH.into_iter().zip(&compared.captions) {
            let sha256 = caption.sha256.get(..16).map_or_else(String::new, |start| format!(" · SHA-256 {start}…"));
            let shown = plural(caption.rows, "row", "rows");
            let left_out =
                (caption.ignored > 0).then(|| format!("{} ignored, not counted here", count(caption.ignored)));
            rows.push(Row::Caption {
                letter: which.letter(),
                words: format!("{} · {} · {shown}{sha256}", caption.name, caption.span()),
                tip: format!("SHA-256 {}", caption.sha256),
            });
            let said = caption.warnings.iter().chain(&left_out);
            rows.extend(said.map(|words| note(&format!("{}: {words}", which.letter()))));
        }
        rows.extend(compared.warnings().iter().map(|words| note(words)));
        rows.push(Row::Note { words: compared.comparison.words(), warns: false });
        let sites = &compared.comparison.sites;
        for site in sites.iter().take(SITES) {
            rows.push(Row::Space);
            rows.extend(site_rows(site));
        }
        if let Some(more) = sites.len().checked_sub(SITES).filter(|n| *n > 0) {
            rows.push(Row::Sentence(format!("and {}", plural(more as u64, "more site", "more sites"))));
        }
        Self { files, rows }
    }
}

fn note(words: &str) -> Row {
    Row::Note { words: super::text::sentence(&clean_to(words.as_bytes(), 400)), warns: true }
}

fn site_rows(site: &SiteChange) -> Vec<Row> {
    let standing = site.standing();
    let name: Arc<str> = shown_site(&site.site).into();
    let differs: Vec<&str> = site.differing().map(|(aspect, _)| aspect.word()).collect();
    let mut rows = vec![Row::Head {
        site: Arc::clone(&name),
        standing,
        differs: differs.join(", "),
        totals: site.total.map(|total| total.map(totals)),
    }];
    rows.extend(site.sentences().iter().map(|words| {
        let words = clean_to(words.as_bytes(), 400);
        Row::Sentence(super::text::sentence(&words))
    }));
    // Of what is the same the counts tell enough.
    if standing == Standing::Same {
        return rows;
    }
    for (aspect, answers) in &site.answers {
        let label = |i: usize| if i == 0 { aspect.word() } else { "" };
        let lines = answers.iter().take(ANSWERS).enumerate();
        rows.extend(lines.map(|(i, answer)| {
            let line = Box::new(Line::new(label(i), *aspect, answer));
            Row::Line { site: Arc::clone(&name), line }
        }));
        if let Some(more) = answers.len().checked_sub(ANSWERS).filter(|n| *n > 0) {
            rows.push(Row::Sentence(format!("and {} more of {}", count(more as u64), aspect.word())));
        }
    }
    rows
}

fn totals(counts: Counts) -> String {
    let (sent, received) = (size(counts.sent_bytes), size(counts.received_bytes));
    format!("{} · {sent} sent · {received} received", plural(counts.exchanges, "exchange", "exchanges"))
}

impl Line {
    fn new(label: &'static str, aspect: Aspect, answer: &Answer) -> Self {
        let side = |which: Which| {
            let counts = which.of(answer.counts);
            if counts.exchanges == 0 {
                return None;
            }
            let exchanges = count(counts.exchanges);
            let bytes = || format!(" · {} · {}", size(counts.sent_bytes), size(counts.received_bytes));
            Some(if aspect.has_bytes() { exchanges + &bytes() } else { exchanges })
        };
        let name = clean_to(answer.name.as_bytes(), NAME_CHARS);
        Self {
            aspect: label,
            name: if aspect == Aspect::Role { name.replace('-', " ") } else { name.into_owned() },
            operator: answer.operator,
            sides: Which::BOTH.map(side),
            grade: answer.grade,
            alone: answer.only().is_some(),
        }
    }

    /// The line for the screen reader.
    fn words(&self) -> String {
        let side = |which: Which| {
            let words = match which {
                Which::A => &self.sides[0],
                Which::B => &self.sides[1],
            };
            format!("{} {}", which.letter(), words.as_deref().unwrap_or("none"))
        };
        [self.aspect, &self.name, &side(Which::A), &side(Which::B)].join(" ").trim_start().to_owned()
    }
}

/// Where columns begin.
struct Columns {
    name: f32,
    sides: [f32; 2],
    right: f32,
}

impl Columns {
    fn new(rect: Rect) -> Self {
        let side = (rect.width() * 0.29).clamp(200.0, 380.0);
        let name = rect.left() + 74.0;
        // In a wide window the two sides stay beside what they are about.
        let first = (rect.right() - 2.0 * side).min(name + 460.0);
        Self { name, sides: [first, first + side], right: first + 2.0 * side }
    }

    fn side(&self, which: Which, y: egui::Rangef) -> Rect {
        let [a, b] = self.sides;
        match which {
            Which::A => Rect::from_x_y_ranges(a..=b - 8.0, y),
            Which::B => Rect::from_x_y_ranges(b..=self.right, y),
        }
    }
}

/// Paints the view into all that `ui` has left. Without a comparison one is being made.
pub(crate) fn show(ui: &mut Ui, seen: Option<&SideBySide>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    ui.painter().rect_filled(all, CornerRadius::ZERO, c.page);
    let Some(seen) = seen else {
        panes::empty(ui, "Reading the other capture");
        return;
    };
    ScrollArea::vertical().id_salt("comparison").auto_shrink([false, false]).show_viewport(ui, |ui, view| {
        ui.set_height(seen.rows.len() as f32 * ROW + 16.0);
        let area = ui.max_rect();
        let first = ((view.top() - 8.0) / ROW).floor().max(0.0) as usize;
        let shown = (view.height() / ROW).ceil() as usize + 2;
        let is_stop = |at: usize| matches!(seen.rows.get(at), Some(Row::Head { .. } | Row::Line { .. }));
        let roving = Roving::new(ui, ui.scope_id().with("compared"), Along::Down, seen.rows.len(), is_stop);
        let mut paint_row = |i: usize| {
            let Some(row) = seen.rows.get(i) else { return };
            let top = area.top() + 8.0 + i as f32 * ROW;
            let rect = Rect::from_min_max(pos2(area.left() + 14.0, top), pos2(area.right() - 18.0, top + ROW));
            paint(ui, rect, (i, row, &roving), &seen.files, actions);
        };
        let visible = first..(first + shown).min(seen.rows.len());
        // What the Tab key stops at is there even where it is scrolled out of view.
        if !visible.contains(&roving.at()) {
            paint_row(roving.at());
        }
        visible.for_each(paint_row);
        roving.keep(ui);
    });
}

/// A row's place, the row, and the stop that all share.
type Placed<'a> = (usize, &'a Row, &'a Roving);

fn paint(ui: &Ui, rect: Rect, (i, row, roving): Placed<'_>, files: &[Option<PathBuf>; 2], actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let painter = ui.painter();
    let said = |role: Role, words: &str| {
        let response = ui.interact(rect, ui.scope_id().with(("compared", i)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(role, true, words));
        response
    };
    let body = || theme::sans(theme::BODY);
    match row {
        Row::Caption { letter, words, tip } => {
            let response = said(Role::Label, &format!("{letter} {words}"));
            self::letter(painter, rect, letter, c);
            cut(painter, pos2(rect.left() + 26.0, rect.center().y), words, (body(), c.text), rect.width() - 26.0);
            let _shown = response.on_hover_text(tip);
        }
        Row::Note { words, warns } => {
            let response = said(Role::Label, words);
            let left = if *warns {
                shapes::caution(painter, pos2(rect.left() + 9.0, rect.center().y), c.amber);
                rect.left() + 26.0
            } else {
                rect.left()
            };
            let font = if *warns { body() } else { theme::strong(theme::BODY) };
            cut(painter, pos2(left, rect.center().y), words, (font, c.text), rect.right() - left);
            let _shown = response.on_hover_text(words);
        }
        Row::Head { site, standing, differs, totals } => {
            head(ui, rect, (i, roving), (site, *standing, differs, totals), files, actions);
        }
        Row::Sentence(words) => {
            let response = said(Role::Label, words);
            cut(painter, pos2(rect.left(), rect.center().y), words, (body(), c.text), rect.width());
            let _shown = response.on_hover_text(words);
        }
        Row::Line { site, line } => {
            let id = ui.scope_id().with(("compared", i));
            let response = ui.interact(rect, id, roving.sense(ui, i, id));
            roving.drawn(i, &response);
            response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, line.words()));
            if response.hovered() || response.has_focus() {
                painter.rect_filled(rect.expand2(vec2(6.0, 0.0)), CornerRadius::same(4), c.hover);
            }
            self::line(painter, rect, line, c);
            menus::on(&response, response.has_focus(), |ui| {
                shows(ui, site, line.sides.each_ref().map(Option::is_some), files, actions);
                menus::copy(ui, "Copy value", &line.name, actions);
                menus::copy(ui, "Copy line", &format!("{site}: {}", line.words()), actions);
            });
        }
        Row::Space => {}
    }
}

/// A capture's letter in a square of its own.
fn letter(painter: &Painter, rect: Rect, letter: &str, c: &Colours) {
    let square = Rect::from_center_size(pos2(rect.left() + 9.0, rect.center().y), vec2(18.0, 16.0));
    painter.rect_filled(square, CornerRadius::same(3), c.raised);
    painter.text(square.center(), Align2::CENTER_CENTER, letter, theme::strong(theme::SMALL), c.text);
}

/// Items that lead to a site's exchanges in the captures that have some and can be opened.
fn shows(ui: &mut Ui, site: &str, has: [bool; 2], files: &[Option<PathBuf>; 2], actions: &mut Vec<Action>) {
    for ((which, file), has) in Which::BOTH.into_iter().zip(files).zip(has) {
        if file.is_some() && has {
            let label = format!("Show exchanges of {site} in {}", which.letter());
            menus::action(ui, &label, || Action::Compare(CompareAction::Show(which, site.to_owned())), actions);
        }
    }
    ui.separator();
    menus::copy(ui, "Copy site", site, actions);
}

type Head<'a> = (&'a str, Standing, &'a str, &'a [Option<String>; 2]);

/// A site's name, how it stands, and the totals of both sides; these show its exchanges.
fn head(
    ui: &Ui,
    rect: Rect,
    (i, roving): (usize, &Roving),
    (site, standing, differs, totals): Head<'_>,
    files: &[Option<PathBuf>; 2],
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let painter = ui.painter();
    let at = Columns::new(rect);
    let words = if differs.is_empty() { standing.word().to_owned() } else { format!("{}: {differs}", standing.word()) };
    let room = Rect::from_min_max(rect.min, pos2(at.sides[0] - 8.0, rect.bottom()));
    let id = ui.scope_id().with(("site", i));
    let response = ui.interact(room, id, roving.sense(ui, i, id));
    roving.drawn(i, &response);
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, format!("{site}, {words}")));
    if response.has_focus() {
        painter.rect_filled(room.expand2(vec2(6.0, 0.0)), CornerRadius::same(4), c.hover);
    }
    let menu = |ui: &mut Ui, actions: &mut Vec<Action>| {
        shows(ui, site, totals.each_ref().map(Option::is_some), files, actions);
        let side = |n: usize| totals.get(n).and_then(Option::as_deref).unwrap_or("nothing");
        menus::copy(ui, "Copy line", &format!("{site}: {words}. A {}, B {}", side(0), side(1)), actions);
    };
    menus::on(&response, response.has_focus(), |ui| menu(ui, actions));
    let _shown = response.on_hover_text(format!("{site}\n{words}"));
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, c.line));
    let y = rect.center().y;
    let end = cut(painter, pos2(rect.left(), y), site, (theme::strong(theme::SECTION), c.text), room.width() * 0.7);
    let colour = if standing == Standing::Same { c.quiet } else { c.text };
    cut(painter, pos2(end + 10.0, y + 1.0), &words, (theme::sans(theme::SMALL), colour), room.right() - end - 10.0);
    for ((which, words), file) in Which::BOTH.into_iter().zip(totals).zip(files) {
        let side = at.side(which, rect.y_range());
        let Some(words) = words else {
            cut(painter, pos2(side.left() + 24.0, y), "nothing", (theme::sans(theme::BODY), c.faint), side.width());
            letter(painter, side, which.letter(), c);
            continue;
        };
        let id = ui.scope_id().with(("side", i, which.letter()));
        // Both are stops of their own beside the site's that the Tab key is at.
        let sense = if file.is_some() { roving.sense(ui, i, id) } else { Sense::CLICK };
        let response = ui.interact(side, id, sense);
        let label = format!("{site} in {}: {words}", which.letter());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, file.is_some(), label.clone()));
        if file.is_some() && (response.hovered() || response.has_focus()) {
            painter.rect_filled(side.expand2(vec2(4.0, -1.0)), CornerRadius::same(4), c.hover);
        }
        letter(painter, side, which.letter(), c);
        let font = (theme::sans(theme::BODY), c.text);
        cut(painter, pos2(side.left() + 24.0, y), words, font, side.width() - 24.0);
        menus::on(&response, response.has_focus(), |ui| menu(ui, actions));
        if file.is_some() && response.clicked() {
            actions.push(Action::Compare(CompareAction::Show(which, site.to_owned())));
        }
        let _shown = response.on_hover_text(if file.is_some() {
            format!("{words}\nShow these exchanges in {}", which.letter())
        } else {
            format!("{words}\nNot a file that can be opened again")
        });
    }
}

fn line(painter: &Painter, rect: Rect, line: &Line, c: &Colours) {
    let at = Columns::new(rect);
    let y = rect.center().y;
    let plain = || theme::sans(theme::BODY);
    cut(painter, pos2(rect.left(), y), line.aspect, (theme::sans(theme::SMALL), c.quiet), 70.0);
    let mut x = at.name;
    if let Some(operator) = line.operator {
        let square = Rect::from_center_size(pos2(x + 9.0, y), vec2(18.0, 16.0));
        shapes::provider(painter, square, c, operator);
        x += 24.0;
    }
    let font = if line.alone { theme::strong(theme::BODY) } else { plain() };
    cut(painter, pos2(x, y), &line.name, (font, c.text), at.sides[0] - x - 8.0);
    for ((which, words), grade) in Which::BOTH.into_iter().zip(&line.sides).zip(line.grade) {
        let side = at.side(which, rect.y_range());
        let left = side.left() + 24.0;
        let Some(words) = words else {
            painter.text(pos2(left, y), Align2::LEFT_CENTER, "–", plain(), c.faint);
            continue;
        };
        let font = if line.alone { theme::strong(theme::BODY) } else { plain() };
        let end = cut(painter, pos2(left, y), words, (font, c.text), side.right() - left);
        if let Some(grade) = grade
            && end + 100.0 < side.right()
        {
            shapes::grade(painter, pos2(end + 16.0, y), 4.5, grade, c.grade(grade));
            painter.text(pos2(end + 26.0, y), Align2::LEFT_CENTER, grade.word(), plain(), c.grade(grade));
        }
    }
}
