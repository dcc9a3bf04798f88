//! How a picture is laid out: its sections from top to bottom, then the footer. The sections are the window's own panes.

use std::collections::BTreeSet;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align, CornerRadius, FontId, Label, Layout, Rect, RichText, Sense, Stroke, Ui, UiBuilder, pos2, vec2};

use super::heads;
use super::sheet::{Leaf, Sheet};
use crate::case::{Plan, Section, SectionChoice};
use crate::model::{Detail, Grade, Side, StartLine, clean_to, middle};
use crate::store::{host_and_path, request_line};
use crate::ui::clock::Clock;
use crate::ui::panes::{card, connection, evidence, parts, path, readings};
use crate::ui::prepared::{BodyKind, Head, HeadLine, Shown};
use crate::ui::shapes;
use crate::ui::state::{Choice, Saved, State};
use crate::ui::table::{self, Column, Minimap};
use crate::ui::text::{self, plural, sentence};
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
/// Characters of a host or path that are read.
const NAME_CHARS: usize = 4_096;
/// Widest verdict card in points.
const CARD: f32 = 700.0;
/// Lines of a body, and frames, that are shown.
const BODY_LINES: usize = 60;
const FRAMES: usize = 60;
/// Width of the footer's labels.
const LABEL: f32 = 76.0;

/// Where a section came to lie, in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laid {
    /// Which.
    pub section: Section,
    /// Which exchange of the sheet, from 0; `None` for the list, which is of all.
    pub leaf: Option<usize>,
    /// Where.
    pub rect: Rect,
}

/// Paints everything above the footer.
pub(super) fn content(ui: &mut Ui, plan: &Plan, sheet: &Sheet, state: &mut State) {
    ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
    ui.add_space(EDGE - 6.0);
    author(ui, &plan.title, TITLE_CHARS, "title");
    let mut first = true;
    if plan.sections.iter().any(|choice| choice.section == Section::List && !choice.folded) {
        rows(ui, plan, sheet, state);
        first = false;
    }
    if plan.sections.iter().any(|choice| choice.section != Section::List) {
        for (at, leaf) in sheet.leaves.iter().enumerate() {
            if let Some(still) = &mut state.still {
                still.exchange = leaf.number;
            }
            if !first {
                rule(ui);
            }
            exchange(ui, plan, (at, leaf), sheet, state);
            first = false;
        }
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
    ui.painter().rect_filled(Rect::from_min_max(top, pos2(top.x + 3.0, bottom)), CornerRadius::same(1), c.faint);
    ui.add_space(if what == "title" { 12.0 } else { 0.0 });
}

/// The sections of one exchange, under its title.
fn exchange(ui: &mut Ui, plan: &Plan, leaf: (usize, &Leaf), sheet: &Sheet, state: &mut State) {
    title(ui, leaf.1, sheet);
    let there = |choice: &&SectionChoice| choice.section != Section::List && is_there(choice.section, plan, leaf.1);
    let mut choices = plan.sections.iter().filter(there).peekable();
    while let Some(choice) = choices.next() {
        rule(ui);
        let width = ui.available_width();
        let beside = choices.peek().copied().filter(|next| pairs(*choice, **next) && width >= SIDE_BY_SIDE);
        let Some(beside) = beside else {
            section(ui, *choice, plan, leaf, state);
            continue;
        };
        choices.next();
        let share = match choice.section {
            Section::Verdict => 0.46,
            Section::Ledger => 0.54,
            _ => 0.5,
        };
        let origin = ui.cursor().min;
        let left = ((width - GAP) * share).round();
        let columns = [(origin.x, left, choice), (origin.x + left + GAP, width - GAP - left, beside)];
        let mut bottom = origin.y;
        for (i, (x, width, choice)) in columns.into_iter().enumerate() {
            let rect = Rect::from_min_size(pos2(x, origin.y), vec2(width, f32::from(u16::MAX)));
            let id = ("column", leaf.0, choice.section as u8, i);
            let builder = UiBuilder::new().id_salt(id).max_rect(rect).layout(Layout::top_down(Align::Min));
            let mut column = ui.new_child(builder);
            section(&mut column, *choice, plan, leaf, state);
            bottom = bottom.max(column.min_rect().bottom());
        }
        ui.allocate_rect(Rect::from_min_max(origin, pos2(origin.x + width, bottom)), Sense::hover());
    }
}

/// Whether a section has anything to show of an exchange.
fn is_there(section: Section, plan: &Plan, leaf: &Leaf) -> bool {
    let shown = &leaf.shown;
    let http = matches!(shown.record.exchange.detail, Detail::Http(_));
    match section {
        Section::List => false,
        Section::Verdict | Section::Ledger | Section::Connection | Section::NamePath => true,
        // In place of a head stands what is known of the connection, where that is not asked for anyway.
        Section::Request => http || !plan.sections.iter().any(|c| c.section == Section::Connection),
        Section::Response | Section::HandOut => http,
        Section::ServingPath => !shown.story.way.hops.is_empty(),
        Section::Readings => !shown.story.readings.is_empty(),
        Section::Body => leaf.bodies.is_some(),
        Section::Frames => !leaf.frames.is_empty(),
    }
}

/// Whether two sections that follow each other stand side by side.
fn pairs(one: SectionChoice, other: SectionChoice) -> bool {
    use Section as S;
    let both = (one.section, other.section);
    !one.folded
        && !other.folded
        && matches!(
            both,
            (S::Verdict, S::Ledger | S::HandOut)
                | (S::Ledger | S::HandOut, S::Verdict)
                | (S::Request, S::Response)
                | (S::Response, S::Request)
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

fn section(ui: &mut Ui, choice: SectionChoice, plan: &Plan, (at, leaf): (usize, &Leaf), state: &mut State) {
    let shown = &*leaf.shown;
    let mut nobody_clicks = Vec::new();
    let actions = &mut nobody_clicks;
    let top = ui.cursor().min;
    let width = ui.available_width();
    ui.scope_builder(UiBuilder::new().id_salt((at, choice.section as u8)), |ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
        ui.spacing_mut().interact_size.y = 18.0;
        if choice.folded {
            folded(ui, choice.section, shown);
            return;
        }
        match choice.section {
            Section::List => {}
            Section::Verdict => {
                // Wider, the grades would stand far from what they are of.
                ui.set_max_width(width.min(CARD));
                card::show(ui, shown, state, actions);
            }
            Section::Ledger => ledger(ui, shown, state),
            Section::Request | Section::Response => message(ui, choice.section, shown, state),
            Section::NamePath => path::names(ui, shown, state, actions),
            Section::ServingPath => {
                path::serving(ui, shown, state, actions);
                path::caches(ui, shown, state, actions);
            }
            Section::HandOut => hand_out(ui, shown),
            Section::Readings => readings::board(ui, shown, state, actions),
            Section::Connection => connection::listed(ui, shown, actions),
            Section::Body => bodies(ui, leaf, plan),
            Section::Frames => frames(ui, leaf),
        }
    });
    if let Some(still) = &mut state.still {
        let rect = Rect::from_min_max(top, pos2(top.x + width, ui.min_rect().bottom()));
        still.laid.push(Laid { section: choice.section, leaf: Some(at), rect });
    }
}

fn ledger(ui: &mut Ui, shown: &Shown, state: &mut State) {
    let said = if shown.lines.is_empty() {
        "none was found".to_owned()
    } else {
        format!("{}, quoted from the capture", plural(shown.lines.len() as u64, "line", "lines"))
    };
    heading(ui, "Evidence", &said);
    ui.add_space(2.0);
    evidence::ledger(ui, shown, state, &mut Vec::new());
}

/// Who gave the client the URL, who wrote the bytes first, and whose key signed.
fn hand_out(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    let story = &shown.story;
    ui.label(RichText::new("Who gave the client this URL").font(theme::strong(theme::BODY)));
    if let Some(given) = &story.hand_out {
        ui.add(Label::new(&given.words).wrap());
        ui.add(Label::new(RichText::new(&given.url).font(theme::mono()).color(c.quiet)).wrap());
    } else {
        ui.label("No earlier response in this capture gives it");
        for reason in &shown.record.verdict.no_hand_out {
            parts::point(ui, reason);
        }
    }
    if let Some((_, words)) = &story.first_write {
        ui.add_space(6.0);
        ui.label(RichText::new("Who wrote the bytes first").font(theme::strong(theme::BODY)));
        ui.add(Label::new(words).wrap());
    }
    path::custody(ui, shown);
}

/// The first lines of both bodies.
fn bodies(ui: &mut Ui, leaf: &Leaf, plan: &Plan) {
    let c = theme::colours(ui);
    let Some(bodies) = &leaf.bodies else { return };
    let sides = [("Request body", Side::Client), ("Response body", Side::Server)];
    for (title, side) in sides {
        let Some(body) = bodies.body(side) else { continue };
        let kind = match body.kind {
            BodyKind::Picture(name) => format!("a {name} picture, {}", text::bytes(body.bytes.len() as u64)),
            BodyKind::Binary => format!("no text, {}", text::bytes(body.bytes.len() as u64)),
            BodyKind::Text | BodyKind::Json => text::bytes(body.bytes.len() as u64),
        };
        heading(ui, title, &kind);
        if matches!(body.kind, BodyKind::Picture(_) | BodyKind::Binary) {
            continue;
        }
        let lines = body.json.as_ref().unwrap_or(&body.plain);
        let most = if plan.evidence_only { BODY_LINES / 4 } else { BODY_LINES };
        for i in 0..lines.len().min(most) {
            ui.add(Label::new(RichText::new(lines.get(i)).font(theme::mono()).color(c.quiet)).wrap());
        }
        if lines.len() > most {
            let words = format!("… {} not shown", plural((lines.len() - most) as u64, "line", "lines"));
            ui.label(RichText::new(words).font(theme::sans(theme::SMALL)).color(c.faint));
        }
    }
}

/// The frames that carry the exchange.
fn frames(ui: &mut Ui, leaf: &Leaf) {
    let c = theme::colours(ui);
    let n = leaf.frames.len();
    heading(ui, "Frames", &plural(n as u64, "frame", "frames"));
    for frame in leaf.frames.iter().take(FRAMES) {
        let words = format!(
            "{:>8}  {} {} UTC  {:>6} bytes",
            frame.number.to_string(),
            frame.time.date(),
            frame.time.time_of_day(6),
            frame.original_len
        );
        ui.label(RichText::new(words).font(theme::mono()).color(c.quiet));
    }
    if n > FRAMES {
        let words = format!("… {} not shown", plural((n - FRAMES) as u64, "frame", "frames"));
        ui.label(RichText::new(words).font(theme::sans(theme::SMALL)).color(c.faint));
    }
}

/// One line for a section.
fn folded(ui: &mut Ui, section: Section, shown: &Shown) {
    let lines = |head: Option<&Head>| {
        head.map_or_else(
            || "not in the capture".to_owned(),
            |h| {
                let start = h.lines.first().map(HeadLine::value).unwrap_or_default();
                let start = middle(&start, 80, 20).into_owned();
                format!("{start} … {} not shown", plural(h.lines.len().saturating_sub(1) as u64, "line", "lines"))
            },
        )
    };
    let more = match section {
        Section::Verdict => shown.story.sentence.clone(),
        Section::Ledger => format!("{} not shown", plural(shown.lines.len() as u64, "line", "lines")),
        Section::Request => lines(shown.request.as_ref()),
        Section::Response => lines(shown.response.as_ref()),
        Section::Readings => shown.story.standings(),
        Section::List
        | Section::ServingPath
        | Section::NamePath
        | Section::HandOut
        | Section::Body
        | Section::Connection
        | Section::Frames => "not shown".to_owned(),
    };
    heading(ui, section.words(), &more);
}

/// A head; for what is no HTTP, in place of the request, what is known of the connection.
fn message(ui: &mut Ui, section: Section, shown: &Shown, state: &mut State) {
    if !matches!(shown.record.exchange.detail, Detail::Http(_)) {
        connection::listed(ui, shown, &mut Vec::new());
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
    let method = sheet.list.word(row.method);
    let exchange = &leaf.shown.record.exchange;
    let server = exchange.server.to_string();
    // A row keeps the beginning of a long name; what matters of it stands at its end.
    let (host, path) = match &exchange.detail {
        Detail::Http(http) => http.request.as_ref().map_or_else(Default::default, |request| {
            let (host, path) = host_and_path(request, request_line(request).1);
            (clean_to(host, NAME_CHARS), clean_to(path, NAME_CHARS))
        }),
        Detail::Tls(_) | Detail::Dns(_) => (sheet.list.text(row.host).into(), sheet.list.text(row.path).into()),
    };
    let host = if host.is_empty() { server.as_str() } else { &*host };
    let room = ui.available_width();
    ui.label(asked(ui, method, host, room, c));
    if !path.is_empty() {
        let glyph = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::mono(), 'm'));
        let fits = ((room / glyph) as usize * 2).saturating_sub(8).max(40);
        let mut job = LayoutJob::single_section(
            middle(&path, fits, fits / 3).into_owned(),
            TextFormat::simple(theme::mono(), c.text),
        );
        job.wrap = TextWrapping { max_width: room, break_anywhere: true, ..TextWrapping::default() };
        ui.label(job);
    }
    let mut facts = Vec::new();
    if let Detail::Http(http) = &exchange.detail {
        let answer = http.response.as_ref().filter(|r| !matches!(r.start, StartLine::Status { code: 0, .. }));
        facts.push(answer.map_or_else(
            || "no answer in the capture".to_owned(),
            |response| {
                let line = response.start_line();
                let status = line.iter().position(|b| *b == b' ').and_then(|at| line.get(at + 1..));
                format!("answered {}", clean_to(status.unwrap_or(&line), 60))
            },
        ));
    }
    facts.push(format!("{} {} UTC", exchange.time.date(), exchange.time.time_of_day(3)));
    facts.push(format!("from {} to {server}", exchange.client));
    facts.push(format!(
        "exchange {} of the capture, frames {}–{}",
        leaf.number, exchange.first_frame, exchange.last_frame
    ));
    ui.add(Label::new(RichText::new(facts.join("  ·  ")).color(c.quiet)).wrap());
}

/// Method and host, the registrable domain in full strength; what is too long is cut in the middle, so that the domain
/// stays.
fn asked(ui: &Ui, method: &str, host: &str, room: f32, c: &Colours) -> LayoutJob {
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
fn rows(ui: &mut Ui, plan: &Plan, sheet: &Sheet, state: &mut State) {
    let top = ui.cursor().min;
    let width = ui.available_width();
    let mut n = plural(sheet.all as u64, "exchange", "exchanges");
    if sheet.all > sheet.order.len() {
        n = format!("The first {} of {n}", text::count(sheet.order.len() as u64));
    }
    let choice = Choice { filter: plan.filter.clone(), ..Choice::default() };
    heading(ui, &n, if choice.filter.is_empty() { "in the order of the capture" } else { "that the filter keeps" });
    ui.add_space(4.0);
    // The one that was meant stands out from its neighbours.
    let selected = match sheet.leaves.as_slice() {
        [one] if sheet.order.len() > 1 => Some(one.row),
        _ => None,
    };
    let mut saved = Saved {
        hidden: vec![
            Column::Server,
            Column::Tenant,
            Column::Type,
            Column::Duration,
            Column::Process,
            Column::Comment,
            Column::Waterfall,
        ],
        ..Saved::default()
    };
    let (heads, clock) = (table::HeaderCells::default(), Clock::default());
    let (map, nothing_more) = (Minimap::default(), BTreeSet::new());
    let seen = table::Seen {
        snapshot: &sheet.list,
        order: &sheet.order,
        choice: &choice,
        selected,
        several: &nothing_more,
        lit: None,
        axis: None,
        map: &map,
        live: false,
        heads: &heads,
        clock: &clock,
        tree: None,
    };
    table::still(ui, &seen, &mut saved);
    if sheet.ignored > 0 {
        let c = theme::colours(ui);
        let left_out = plural(sheet.ignored as u64, "exchange of this capture", "exchanges of this capture");
        let words = format!("Left out: {left_out} that the author chose to ignore");
        ui.add_space(4.0);
        ui.label(RichText::new(words).font(theme::strong(theme::SMALL)).color(c.amber));
    }
    ui.add_space(6.0);
    legend(ui);
    if let Some(still) = &mut state.still {
        let rect = Rect::from_min_max(top, pos2(top.x + width, ui.min_rect().bottom()));
        still.laid.push(Laid { section: Section::List, leaf: None, rect });
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
pub(super) fn footer(ui: &mut Ui, plan: &Plan, sheet: &Sheet, boxes: bool) {
    let c = theme::colours(ui);
    ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
    ui.spacing_mut().interact_size.y = 16.0;
    let small = |words: String| RichText::new(words).font(theme::sans(theme::SMALL));
    let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 13.0), Sense::hover());
    ui.painter().hline(line.x_range(), line.top() + 0.5, Stroke::new(1.0, c.line));
    for leaf in &sheet.leaves {
        grade(ui, leaf, sheet.leaves.len() > 1 || sheet.order.len() > 1);
    }
    if sheet.order.len() > 1 {
        ui.label(small(
            "Each grade holds for its exchange, at its time, from this network; none speaks for an app.".to_owned(),
        ));
    }
    ui.add_space(4.0);
    for (label, value) in sheet.footer(plan) {
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(LABEL, 15.0), Sense::hover());
            ui.painter().text(rect.left_center(), egui::Align2::LEFT_CENTER, label, theme::sans(theme::SMALL), c.quiet);
            ui.add(Label::new(small(value)).wrap());
        });
    }
    let escaped = sheet.leaves.iter().any(|leaf| escapes(&leaf.shown));
    if escaped {
        let words =
            "⟨U+…⟩ and \\x.. stand for what cannot be seen, or would move other letters: its code point or byte.";
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
