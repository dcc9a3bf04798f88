//! One cell at a time: a galley or a shape, cut to its column.

use core::cell::Cell;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Color32, FontId, Painter, Pos2, Rect, pos2, vec2};

use super::columns::Column;
use super::waterfall;
use super::words::{awaits, names, said};
use super::{INSET, Seen, Visible};
use crate::model::{Grade, WitnessKind, middle};
use crate::store::{Row, RowKind};
use crate::ui::theme::{self, Colours};
use crate::ui::{shapes, text};

/// What one column needs to paint its cells.
pub(super) struct Cells<'a> {
    pub(super) painter: Painter,
    pub(super) c: &'static Colours,
    pub(super) seen: &'a Seen<'a>,
    pub(super) x: f32,
    pub(super) width: f32,
    /// The width that the widest cell so far would fill.
    pub(super) reach: Cell<f32>,
}

/// Between a provider's name and its service, in points.
const GAP: f32 = 8.0;
/// What a provider's name keeps beside its service in a cell that is too narrow, at most.
const NAME: f32 = 70.0;
/// In less room a longer service is left out.
const LEAST_SERVICE: f32 = 48.0;

/// Wider than any cell: nothing is cut.
const WIDE: f32 = 100_000.0;

impl<'a> Cells<'a> {
    /// The width in which all that these cells say has room.
    pub(super) fn fitting(
        painter: &Painter,
        seen: &'a Seen<'a>,
        c: &'static Colours,
        cells: (Column, &[Visible]),
    ) -> f32 {
        let mut painter = painter.clone();
        painter.set_invisible();
        let cell = Self { painter, c, seen, x: 0.0, width: WIDE, reach: Cell::new(0.0) };
        for visible in cells.1 {
            cell.paint(cells.0, visible);
        }
        cell.reach.get()
    }

    fn reached(&self, width: f32) {
        self.reach.set(self.reach.get().max(width));
    }

    pub(super) fn paint(&self, column: Column, visible: &Visible) {
        let (row, c) = (&visible.row, self.c);
        let y = visible.rect.center().y;
        let quiet = if visible.selected { c.text } else { c.quiet };
        match column {
            Column::Frame => self.right(y, row.first_frame.to_string(), quiet),
            Column::Time => {
                let words = self.seen.clock.words((visible.id, row), visible.above);
                if self.seen.clock.counts() {
                    self.right(y, words, quiet);
                } else {
                    self.left(y, &words, theme::sans(theme::BODY), quiet);
                }
            }
            Column::Method => {
                let is_http = row.kind == RowKind::Http;
                let font = if is_http { theme::strong(theme::BODY) } else { theme::sans(theme::BODY) };
                let locked = row.kind != RowKind::Tls && row.is_opened();
                let room = if locked { self.width - 14.0 } else { self.width };
                let colour = if is_http { c.text } else { quiet };
                self.cut(y, self.seen.snapshot.word(row.method), room, font, colour);
                if locked {
                    shapes::lock(&self.painter, pos2(self.x + self.width - 14.0, y), c.faint);
                }
            }
            Column::Host => match self.seen.snapshot.text(row.host) {
                "" => self.left(y, self.seen.snapshot.text(row.server), theme::sans(theme::BODY), c.faint),
                host => self.host(y, host, quiet),
            },
            Column::Path => {
                let mut width = self.width;
                let mut glyph = |shape: fn(&Painter, Pos2, Color32), colour| {
                    width -= 18.0;
                    shape(&self.painter, pos2(self.x + width + 4.0, y), colour);
                };
                if odd(row) {
                    glyph(shapes::caution, c.amber);
                }
                if let Some(note) = self.seen.snapshot.note(visible.id) {
                    if note.marked {
                        glyph(shapes::flag, c.text);
                    }
                    if !note.comment.is_empty() {
                        glyph(shapes::speech, c.text);
                    }
                }
                self.cut(y, self.seen.snapshot.text(row.path), width, theme::sans(theme::BODY), c.text);
            }
            Column::Status => self.status(y, row, quiet),
            Column::Type => {
                let media = self.seen.snapshot.word(row.content_type);
                self.left(y, short_type(media), theme::sans(theme::BODY), quiet);
            }
            Column::Size => self.right(y, size_words(row), quiet),
            Column::Duration if row.is_open() => self.right(y, "…".to_owned(), quiet),
            Column::Duration => self.right(y, text::duration(u64::from(row.duration_micros)), quiet),
            Column::Operator => self.operator(y, row, quiet),
            Column::Grade => self.grade(y, row),
            Column::Agreement => self.agreement(y, row),
            Column::Server => self.left(y, self.seen.snapshot.text(row.server), theme::sans(theme::BODY), quiet),
            Column::Tenant => self.left(y, self.seen.snapshot.text(row.tenant), theme::sans(theme::BODY), c.text),
            Column::Process => self.left(y, self.seen.snapshot.program(visible.id), theme::sans(theme::BODY), quiet),
            Column::File => self.left(y, self.seen.snapshot.file_name(visible.id), theme::sans(theme::BODY), quiet),
            Column::Comment => {
                let words = self.seen.snapshot.note(visible.id).map(said).unwrap_or_default();
                self.left(y, &words, theme::sans(theme::BODY), c.text);
            }
            Column::Header(name) => match self.seen.heads.get(visible.id, name) {
                Some(value) => self.left(y, value, theme::sans(theme::BODY), c.text),
                None => self.left(y, "…", theme::sans(theme::BODY), c.faint),
            },
            Column::Waterfall => {
                let cell =
                    Rect::from_min_size(pos2(self.x, visible.rect.top()), vec2(self.width, visible.rect.height()));
                if let Some(axis) = self.seen.axis {
                    waterfall::bar(&self.painter, cell, axis, row, c);
                }
            }
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
        // What stands at the right of the text has its room too.
        self.reached(self.galley(pos2(self.x + INSET, y), job) + self.width - width);
    }

    /// Gives the width that it fills.
    fn galley(&self, at: Pos2, job: LayoutJob) -> f32 {
        let galley = self.painter.layout_job(job);
        let filled = at.x - self.x + galley.size().x + INSET;
        self.reached(filled);
        let at = pos2(at.x, (at.y - galley.size().y / 2.0).round());
        self.painter.galley(at, galley, self.c.text);
        filled
    }

    fn right(&self, y: f32, text: String, colour: Color32) {
        let galley = self.painter.layout_no_wrap(text, theme::sans(theme::BODY), colour);
        self.reached(galley.size().x + 2.0 * INSET);
        let at = pos2(self.x + self.width - INSET - galley.size().x, (y - galley.size().y / 2.0).round());
        self.painter.galley(at, galley, colour);
    }

    /// The registrable domain in full strength; a name that is too long is cut in the middle, so that the domain stays.
    fn host(&self, y: f32, host: &str, quiet: Color32) {
        // An address has no registrable domain, though the list takes its numbers for labels.
        let is_address = host.parse::<core::net::IpAddr>().is_ok() || host.parse::<core::net::SocketAddr>().is_ok();
        let domain = psl::domain_str(host).filter(|_| !is_address).unwrap_or(host);
        let room = self.width - 2.0 * INSET;
        let whole = self.painter.layout_job(self.emphasised(host, domain, quiet));
        let wide = whole.size().x;
        self.reached(wide + 2.0 * INSET);
        if wide <= room {
            let at = pos2(self.x + INSET, (y - whole.size().y / 2.0).round());
            self.painter.galley(at, whole, self.c.text);
            return;
        }
        let mut fits = ((host.chars().count() as f32 * room / wide) as usize).saturating_sub(1).max(6);
        let shorter = |fits: usize| {
            let end = (domain.chars().count() + 1).min(fits * 3 / 4);
            self.emphasised(&middle(host, fits, end), domain, quiet)
        };
        // Letters differ in width: what is left may be wider than its share.
        let wide = self.painter.layout_job(shorter(fits)).size().x;
        if wide > room {
            fits = ((fits as f32 * room / wide) as usize).max(6);
        }
        let mut job = shorter(fits);
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
            RowKind::Http | RowKind::Dns if awaits(row) => ("…".to_owned(), false),
            RowKind::Http if row.status == 0 => ("–".to_owned(), false),
            RowKind::Http => (row.status.to_string(), row.status >= 400),
            RowKind::Dns if row.has(Row::INCOMPLETE) => ("–".to_owned(), false),
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
            RowKind::Tls if row.is_opened() => ("opened".to_owned(), false),
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
        let font = || theme::sans(theme::BODY);
        let (x, room) = (self.x + INSET + 26.0, self.width - 2.0 * INSET - 26.0);
        let wide = |words: &str, colour| self.painter.layout_no_wrap(words.to_owned(), font(), colour).size().x.ceil();
        let named = wide(name, self.c.text);
        // The square says whose it is already: where both have no room, the name is cut first.
        let fitting = service.map(|words| (words, wide(words, quiet))).and_then(|(words, wide)| {
            let left = (room - GAP - wide).max(NAME).min(named);
            (room - GAP - left >= wide.min(LEAST_SERVICE)).then_some((words, left))
        });
        let cut = |words: &str, colour, width| {
            let mut job = LayoutJob::single_section(words.to_owned(), TextFormat::simple(font(), colour));
            job.wrap = TextWrapping { break_anywhere: true, ..TextWrapping::truncate_at_width(width) };
            job
        };
        let Some((words, left)) = fitting else {
            self.galley(pos2(x, y), cut(name, self.c.text, room));
            return;
        };
        let end = self.galley(pos2(x, y), cut(name, self.c.text, left)) + self.x - INSET;
        self.galley(pos2(end + GAP, y), cut(words, quiet, x + room - end - GAP));
    }

    /// Six cells, where an operator was found that witnesses can agree on.
    fn agreement(&self, y: f32, row: &Row) {
        let Some(operator) = row.operator() else { return };
        let mut x = self.x + INSET;
        self.reached(12.0 * WitnessKind::ALL.len() as f32 + 2.0 * INSET);
        for kind in WitnessKind::ALL {
            let cell = Rect::from_min_size(pos2(x, y - 5.0), vec2(10.0, 10.0));
            shapes::witness(&self.painter, cell, row.agreement().of(kind), operator, self.c);
            x += 12.0;
        }
    }

    fn grade(&self, y: f32, row: &Row) {
        let grade = if row.has(Row::CONFLICT) { Some(Grade::Contradicted) } else { row.grade() };
        let Some(grade) = grade else { return };
        let colour = self.c.grade(grade);
        shapes::grade(&self.painter, pos2(self.x + INSET + 6.0, y), 5.0, grade, colour);
        let galley = self.painter.layout_no_wrap(grade.word().to_owned(), theme::sans(theme::BODY), colour);
        self.reached(galley.size().x + 18.0 + 2.0 * INSET);
        let at = pos2(self.x + INSET + 18.0, (y - galley.size().y / 2.0).round());
        self.painter.galley(at, galley, colour);
    }
}

/// A media type as developer tools say it: without what most of them begin with.
fn short_type(media: &str) -> &str {
    let short = ["application/", "image/", "text/"].iter().find_map(|start| media.strip_prefix(start)).unwrap_or(media);
    if short.starts_with("grpc") { "gRPC" } else { short }
}

fn size_words(row: &Row) -> String {
    match row.kind {
        RowKind::Http | RowKind::Tls if row.size == 0 => "0".to_owned(),
        RowKind::Http | RowKind::Tls => text::size(row.size),
        RowKind::Dns => format!("{}\u{2009}rr", row.size),
    }
}

/// Whether a row carries the caution mark. A question without answer says so in its status already.
fn odd(row: &Row) -> bool {
    row.has(Row::ANOMALY) || (row.has(Row::INCOMPLETE) && row.kind != RowKind::Dns && !row.is_open())
}

#[cfg(test)]
mod tests {
    use super::short_type;

    #[test]
    fn types_are_said_in_short() {
        for (media, want) in [
            ("image/png", "png"),
            ("text/html", "html"),
            ("application/json", "json"),
            ("application/grpc+proto", "gRPC"),
            ("video/mp4", "video/mp4"),
            ("websocket", "websocket"),
            ("", ""),
        ] {
            assert_eq!(short_type(media), want);
        }
    }
}
