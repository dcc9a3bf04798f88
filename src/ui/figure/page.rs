//! How a picture is laid out: its sections from top to bottom, then the footer. The sections are the window's own panes.

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align, CornerRadius, FontId, Label, Layout, Rect, RichText, Sense, Stroke, Ui, UiBuilder, pos2, vec2};

use super::plan::{Plan, Section, Shelf};
use super::sheet::{Leaf, Sheet};
use super::heads;
use crate::model::{Detail, Grade, clean_to, middle};
use crate::ui::panes::{card, connection, evidence, path, readings};
use crate::ui::prepared::Shown;
use crate::ui::shapes;
use crate::ui::state::{Choice, Saved, State};
use crate::ui::table::{self, Column};
use crate::ui::text::{plural, sentence};
use crate::ui::theme::{self, Colours};

/// Space around everything.
pub(super) const EDGE: f32 = 28.0;
/// Space between sections, and between two that stand side by side.
const GAP: f32 = 18.0;
/// From this width on card and ledger, and both heads, stand side by side.
const SIDE_BY_SIDE: f32 = 820.0;
/// Characters of the author's title and caption.
const TITLE_CHARS: usize = 300;
const CAPTION_CHARS: usize = 4_000;
/// Width of the footer's labels.
const LABEL: f32 = 76.0;

/// Where a section came to lie, in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laid {
    /// Which.
    pub section: Section,
    /// The exchange's number; 0 for the list.
    pub exchange: u32,
    /// Where.
    pub rect: Rect,
}

/// Paints everything above the footer.
pub(super) fn content(ui: &mut Ui, plan: &Plan, sheet: &Sheet, state: &mut State) {
    ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
    ui.add_space(EDGE - 6.0);
    author(ui, &plan.title, TITLE_CHARS, "title");
    let mut first = true;
    if plan.sections.iter().any(|shelf| shelf.section == Section::List) {
        rows(ui, sheet, state);
        first = false;
    }
    for leaf in &sheet.leaves {
        if let Some(still) = &mut state.still {
            still.exchange = leaf.number;
        }
        if !first {
            ui.add_space(GAP);
        }
        exchange(ui, plan, leaf, sheet, state, first);
        first = false;
    }
    if !plan.caption.is_empty() {
        ui.add_space(GAP);
        author(ui, &plan.caption, CAPTION_CHARS, "caption");
    }
    ui.add_space(GAP);
}

/// Words of the author's, set apart from what the bytes say.
fn author(ui: &mut Ui, words: &str, chars: usize, what: &str) {
    if words.is_empty() {
        return;
    }
    let c = theme::colours(ui);
    let (size, colour) = if what == "title" { (theme::TITLE, c.text) } else { (theme::BODY, c.text) };
    let top = ui.cursor().min;
    ui.horizontal_top(|ui| {
        ui.add_space(12.0);
        ui.vertical(|ui| {
            for line in words.lines() {
                let words = clean_to(line.as_bytes(), chars);
                let font = if what == "title" { theme::strong(size) } else { theme::sans(size) };
                ui.add(Label::new(RichText::new(words).font(font).italics().color(colour)).wrap());
            }
            let said = format!("The author's {what}; not part of what is checked");
            ui.label(RichText::new(said).font(theme::sans(theme::SMALL)).color(c.faint));
        });
    });
    let bottom = ui.cursor().min.y - 4.0;
    ui.painter().rect_filled(
        Rect::from_min_max(top, pos2(top.x + 3.0, bottom)),
        CornerRadius::same(1),
        c.faint,
    );
    ui.add_space(if what == "title" { 12.0 } else { 0.0 });
}

/// The sections of one exchange.
fn exchange(ui: &mut Ui, plan: &Plan, leaf: &Leaf, sheet: &Sheet, state: &mut State, first: bool) {
    let mut shelves = plan.sections.iter().filter(|s| s.section != Section::List).peekable();
    let mut begun = false;
    while let Some(shelf) = shelves.next() {
        if begun || !first {
            rule(ui);
        }
        begun = true;
        let beside = shelves.peek().copied().filter(|next| pairs(shelf, next) && ui.available_width() >= SIDE_BY_SIDE);
        let Some(beside) = beside else {
            section(ui, *shelf, plan, leaf, sheet, state);
            continue;
        };
        shelves.next();
        let share = if shelf.section == Section::Card { 0.46 } else { 0.5 };
        let (origin, width) = (ui.cursor().min, ui.available_width());
        let left = ((width - GAP) * share).round();
        let columns = [(origin.x, left, shelf), (origin.x + left + GAP, width - GAP - left, beside)];
        let mut bottom = origin.y;
        for (i, (x, width, shelf)) in columns.into_iter().enumerate() {
            let rect = Rect::from_min_size(pos2(x, origin.y), vec2(width, f32::from(u16::MAX)));
            let builder = UiBuilder::new().id_salt(("column", i)).max_rect(rect).layout(Layout::top_down(Align::Min));
            let mut column = ui.new_child(builder);
            section(&mut column, *shelf, plan, leaf, sheet, state);
            bottom = bottom.max(column.min_rect().bottom());
        }
        ui.allocate_rect(Rect::from_min_max(origin, pos2(origin.x + width, bottom)), Sense::hover());
    }
}

/// Whether two sections that follow each other stand side by side.
fn pairs(one: &Shelf, other: &Shelf) -> bool {
    use Section as S;
    !one.folded
        && !other.folded
        && matches!(
            (one.section, other.section),
            (S::Card, S::Ledger) | (S::Ledger, S::Card) | (S::Request, S::Response) | (S::Response, S::Request)
        )
}

fn rule(ui: &mut Ui) {
    let c = theme::colours(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), GAP), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y.round() + 0.5, Stroke::new(1.0, c.line));
}

fn heading(ui: &mut Ui, words: &str, more: &str) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new(words).font(theme::strong(theme::SECTION)));
        ui.add(Label::new(RichText::new(more).color(c.quiet)).truncate());
    });
}

fn section(ui: &mut Ui, shelf: Shelf, plan: &Plan, leaf: &Leaf, sheet: &Sheet, state: &mut State) {
    let shown = &*leaf.shown;
    let mut nobody_clicks = Vec::new();
    let actions = &mut nobody_clicks;
    let top = ui.cursor().min;
    let width = ui.available_width();
    ui.scope_builder(UiBuilder::new().id_salt((leaf.number, shelf.section as u8)), |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
        ui.spacing_mut().interact_size.y = 18.0;
        if shelf.folded {
            folded(ui, shelf.section, shown);
            return;
        }
        match shelf.section {
            Section::Title => title(ui, leaf, sheet),
            Section::List => {}
            Section::Card => card::show(ui, shown, state, actions),
            Section::Ledger => {
                let quoted = plural(shown.lines.len() as u64, "line", "lines");
                let said = if shown.lines.is_empty() {
                    "none found".to_owned()
                } else {
                    format!("{quoted}, quoted from the capture")
                };
                heading(ui, "Evidence", &said);
                ui.add_space(2.0);
                evidence::ledger(ui, shown, state, actions);
            }
            Section::Request | Section::Response => message(ui, shelf.section, plan, shown, state),
            Section::Path => path::paths(ui, shown, state, actions),
            Section::Said => {
                path::caches(ui, shown, state, actions);
                path::custody(ui, shown);
            }
            Section::Readings => {
                if !shown.story.readings.is_empty() {
                    readings::board(ui, shown, state, actions);
                }
            }
            Section::Connection => connection::listed(ui, shown, actions),
        }
    });
    if let Some(still) = &mut state.still {
        let rect = Rect::from_min_max(top, pos2(top.x + width, ui.min_rect().bottom()));
        still.laid.push(Laid { section: shelf.section, exchange: leaf.number, rect });
    }
}

/// One line for a section.
fn folded(ui: &mut Ui, section: Section, shown: &Shown) {
    let lines = |head: Option<&crate::ui::prepared::Head>| {
        head.map_or_else(
            || "not in the capture".to_owned(),
            |h| {
                let start = h.lines.first().map(crate::ui::prepared::HeadLine::value).unwrap_or_default();
                let start = middle(&start, 80, 20).into_owned();
                format!("{start} … {} not shown", plural(h.lines.len().saturating_sub(1) as u64, "line", "lines"))
            },
        )
    };
    match section {
        Section::Title | Section::List => {}
        Section::Card => heading(ui, "Verdict", &shown.story.sentence),
        Section::Ledger => {
            heading(ui, "Evidence", &format!("{} not shown", plural(shown.lines.len() as u64, "line", "lines")));
        }
        Section::Request => heading(ui, "Request", &lines(shown.request.as_ref())),
        Section::Response => heading(ui, "Response", &lines(shown.response.as_ref())),
        Section::Path => heading(ui, "Way", "not shown"),
        Section::Said => heading(ui, "What lines say of caches and keys", "not shown"),
        Section::Readings => heading(ui, "What else could be true", &shown.story.standings()),
        Section::Connection => heading(ui, "Connection", "not shown"),
    }
}

/// A head; for what is no HTTP, once, what is known of the connection.
fn message(ui: &mut Ui, section: Section, plan: &Plan, shown: &Shown, state: &mut State) {
    if !matches!(shown.record.exchange.detail, Detail::Http(_)) {
        let first = plan.sections.iter().find(|s| matches!(s.section, Section::Request | Section::Response));
        if first.is_some_and(|s| s.section == section) {
            connection::listed(ui, shown, &mut Vec::new());
        }
        return;
    }
    let Some(still) = &mut state.still else { return };
    ui.spacing_mut().item_spacing = vec2(4.0, 0.0);
    match section {
        Section::Response => heads::show(ui, "Response", shown.response.as_ref(), &shown.lines, still),
        _ => heads::show(ui, "Request", shown.request.as_ref(), &shown.lines, still),
    }
}

/// What was asked of whom, and when.
fn title(ui: &mut Ui, leaf: &Leaf, sheet: &Sheet) {
    let c = theme::colours(ui);
    let Some(row) = sheet.list.row(leaf.row) else { return };
    let (method, path) = (sheet.list.word(row.method), sheet.list.text(row.path));
    let exchange = &leaf.shown.record.exchange;
    let server = exchange.server.to_string();
    let host = match sheet.list.text(row.host) {
        "" => server.as_str(),
        host => host,
    };
    let room = ui.available_width();
    let galley = request_line(ui, method, host, room, c);
    ui.label(galley);
    if !path.is_empty() {
        let glyph = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), 'm'));
        let fits = ((room / glyph) as usize * 2).saturating_sub(8).max(40);
        let mut job = LayoutJob::single_section(
            middle(path, fits, fits / 3).into_owned(),
            TextFormat::simple(theme::mono(), c.text),
        );
        job.wrap = TextWrapping { max_width: room, break_anywhere: true, ..TextWrapping::default() };
        ui.label(job);
    }
    let mut facts = Vec::new();
    if let Detail::Http(_) = exchange.detail {
        let start = leaf.shown.response.as_ref().and_then(|r| r.lines.first()).filter(|l| l.name.is_empty());
        facts.push(start.map_or_else(
            || "no answer in the capture".to_owned(),
            |line| {
                let value = line.value();
                let words = value.split_once(' ').map_or(value.as_str(), |(_, status)| status);
                format!("answered {}", clean_to(words.as_bytes(), 60))
            },
        ));
    }
    facts.push(format!("{} {} UTC", exchange.time.date(), exchange.time.time_of_day(3)));
    facts.push(format!("from {} to {server}", exchange.client));
    facts.push(format!("exchange {} of the capture, frames {}–{}", leaf.number, exchange.first_frame, exchange.last_frame));
    ui.add(Label::new(RichText::new(facts.join("  ·  ")).color(c.quiet)).wrap());
}

/// Method and host, the registrable domain in full strength; what is too long is cut in the middle, so that the domain
/// stays.
fn request_line(ui: &Ui, method: &str, host: &str, room: f32, c: &Colours) -> LayoutJob {
    let domain = psl::domain_str(host).unwrap_or(host);
    let build = |host: &str, size: f32| {
        let at = host.len().saturating_sub(domain.len());
        let (before, after) = match (host.get(..at), host.get(at..)) {
            (Some(before), Some(after)) if after == domain => (before, after),
            _ => ("", host),
        };
        let format = |font: FontId, colour| TextFormat { valign: Align::BOTTOM, ..TextFormat::simple(font, colour) };
        let mut job = LayoutJob::default();
        job.append(method, 0.0, format(theme::strong(size), c.text));
        job.append(before, 10.0, format(theme::sans(size), c.quiet));
        job.append(after, if before.is_empty() { 10.0 } else { 0.0 }, format(theme::strong(size), c.text));
        job
    };
    let wide = |job: &LayoutJob| ui.painter().layout_job(job.clone()).size().x;
    let whole = build(host, theme::TITLE);
    if wide(&whole) <= room {
        return whole;
    }
    let mut chars = host.chars().count();
    while chars > 8 {
        chars = chars * 9 / 10;
        let end = (domain.chars().count() + 1).min(chars * 3 / 4);
        let job = build(&middle(host, chars, end), theme::TITLE);
        if wide(&job) <= room {
            return job;
        }
    }
    build(&middle(host, 8, 4), theme::TITLE)
}

/// Rows of the list, as the window has them.
fn rows(ui: &mut Ui, sheet: &Sheet, state: &mut State) {
    let top = ui.cursor().min;
    let width = ui.available_width();
    let n = plural(sheet.order.len() as u64, "exchange", "exchanges");
    let choice = Choice { filter: sheet.facts.filter.clone(), ..Choice::default() };
    heading(ui, &n, if choice.filter.is_empty() { "in the order of the capture" } else { "that the filter keeps" });
    ui.add_space(4.0);
    let mut saved = Saved { hidden: vec![Column::Server, Column::Tenant, Column::Type, Column::Duration], ..Saved::default() };
    let seen = table::Seen { snapshot: &sheet.list, order: &sheet.order, choice: &choice, selected: None };
    table::still(ui, &seen, &mut saved);
    ui.add_space(6.0);
    legend(ui);
    if let Some(still) = &mut state.still {
        let rect = Rect::from_min_max(top, pos2(top.x + width, ui.min_rect().bottom()));
        still.laid.push(Laid { section: Section::List, exchange: 0, rect });
    }
}

/// What grades and witnesses look like, for somebody who has never seen them.
fn legend(ui: &mut Ui) {
    let c = theme::colours(ui);
    let small = |words: &str| RichText::new(words.to_owned()).font(theme::sans(theme::SMALL)).color(c.quiet);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 3.0);
        ui.label(small("How sure"));
        for grade in [Grade::Conclusive, Grade::Supports, Grade::Suggests, Grade::NameOnly, Grade::Contradicted] {
            ui.add_space(6.0);
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 16.0), Sense::hover());
            shapes::grade(ui.painter(), rect.center(), 4.5, grade, c.grade(grade));
            ui.label(small(grade.word()));
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.label(small(
            "Witnesses, from the left: name, CNAME, address, certificate, SNI and Host, headers. Full: agrees; empty: \
             silent; hatched: cannot be seen; crossed: conflicts",
        ));
    });
}

/// What was looked at, and how sure it is.
pub(super) fn footer(ui: &mut Ui, sheet: &Sheet, boxes: bool) {
    let c = theme::colours(ui);
    ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
    ui.spacing_mut().interact_size.y = 16.0;
    let small = |words: String| RichText::new(words).font(theme::sans(theme::SMALL));
    let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 13.0), Sense::hover());
    ui.painter().hline(line.x_range(), line.top() + 0.5, Stroke::new(1.0, c.line));
    for leaf in &sheet.leaves {
        grade(ui, leaf, sheet.leaves.len() > 1);
    }
    if sheet.leaves.is_empty() {
        ui.label(small("Each grade holds for its exchange, at its time, from this network; none speaks for an app.".to_owned()));
    }
    ui.add_space(4.0);
    for (label, value) in sheet.footer() {
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(LABEL, 15.0), Sense::hover());
            ui.painter().text(rect.left_center(), egui::Align2::LEFT_CENTER, label, theme::sans(theme::SMALL), c.quiet);
            ui.add(Label::new(small(value)).wrap());
        });
    }
    let escaped = sheet.leaves.iter().any(|leaf| escapes(&leaf.shown));
    if escaped {
        let words = "⟨U+…⟩ and \\x.. stand for what cannot be seen, or would move other letters: its code point or byte.";
        ui.add(Label::new(small(words.to_owned()).color(c.quiet)).wrap());
    }
    if boxes {
        let words = "A small frame with digits stands for a character that this picture's fonts lack: its code point.";
        ui.add(Label::new(small(words.to_owned()).color(c.quiet)).wrap());
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let name = format!("Nephoscope {}", env!("CARGO_PKG_VERSION"));
        ui.label(RichText::new(name).font(theme::strong(theme::SMALL)));
        let words = "Check it against the capture: nephoscope verify PICTURE CAPTURE";
        ui.add(Label::new(small(words.to_owned()).color(c.quiet)).truncate());
    });
    ui.add_space(EDGE - 10.0);
}

fn escapes(shown: &Shown) -> bool {
    let lines = shown.request.iter().chain(&shown.response).flat_map(|head| &head.lines);
    lines.flat_map(|line| &line.pieces).any(|(piece, _)| piece.contains("⟨U+") || piece.contains("\\x"))
}

/// A verdict's grade with the sentence that says for what it holds.
fn grade(ui: &mut Ui, leaf: &Leaf, many: bool) {
    let c = theme::colours(ui);
    let shown = &leaf.shown;
    let verdict = &shown.record.verdict;
    let whose = if many { format!("Exchange {}: ", leaf.number) } else { String::new() };
    let grade = if verdict.conflict { Some(Grade::Contradicted) } else { verdict.grade };
    ui.horizontal_wrapped(|ui| {
        let Some(grade) = grade.filter(|_| verdict.operator.is_some()) else {
            ui.label(small(format!("{whose}No grade: nothing shows whose machine answered"), c));
            return;
        };
        let (rect, _) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
        shapes::grade(ui.painter(), rect.center(), 4.5, grade, c.grade(grade));
        let word = RichText::new(format!("{whose}{}", sentence(grade.word())));
        ui.label(word.font(theme::strong(theme::SMALL)));
        ui.label(small(shown.story.scope.clone(), c));
    });
}

fn small(words: String, c: &Colours) -> RichText {
    RichText::new(words).font(theme::sans(theme::SMALL)).color(c.text)
}
