//! The line at the bottom: what was counted, how far reading is, and what could not be read.

use egui::{Align, Layout, Role, Sense, Ui, WidgetInfo, vec2};

use super::action::Action;
use super::{shapes, text, theme};
use crate::capture::{Counters, MergedFile};
use crate::model::{LimitHit, clean_to, hex};
use crate::store::{Facts, Snapshot};

/// Height in points.
pub(crate) const HEIGHT: f32 = 26.0;
/// Entries of the list that are shown.
const LISTED: usize = 100;

/// Characters of a comment that are shown.
const COMMENT_CHARS: usize = 1_000;

/// What the line reads.
pub(crate) struct Seen<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) reading: bool,
    /// Whether it is read while it is captured.
    pub(crate) live: bool,
    /// Whether the list says local times.
    pub(crate) local: bool,
    /// What was done last.
    pub(crate) said: Option<&'a str>,
    /// Exchanges that are selected.
    pub(crate) selected: usize,
    /// Bytes a second, once that is known.
    pub(crate) rate: Option<f64>,
}

/// Paints the line.
pub(crate) fn show(ui: &mut Ui, seen: &Seen<'_>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let facts = seen.snapshot.facts();
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let small = |words: String| {
            egui::Label::new(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet))
                .selectable(false)
        };
        let mut parts = Vec::new();
        if let Some(said) = seen.said {
            parts.push(said.to_owned());
        }
        if seen.reading && !seen.live {
            parts.push(reading(seen));
        }
        parts.push(text::plural(seen.snapshot.len() as u64, "exchange", "exchanges"));
        if seen.selected > 1 {
            parts.push(format!("{} selected", text::count(seen.selected as u64)));
        }
        let (one, many) = facts.capture.format.units();
        parts.push(text::plural(u64::from(facts.capture.frames), one, many));
        if !seen.reading {
            // Counted when they end, most of them with the capture.
            parts.push(text::plural(facts.flows, "flow", "flows"));
        }
        let counters = facts.capture.counters;
        if let Some(counters) = counters {
            parts.push(format!("{} received", text::count(counters.received)));
        }
        ui.add(small(parts.join("  ·  "))).on_hover_text(
            "Received: what reached the interface, before the capture filter. On the loopback interface the kernel counts each frame twice",
        );
        if facts.has_keys() {
            let sessions = &facts.sessions;
            let words = format!(
                "·  {} of {} opened with keys",
                text::count(sessions.opened),
                text::plural(sessions.total, "TLS session", "TLS sessions")
            );
            ui.add(small(words)).on_hover_text(sessions.words());
        }
        if let Some(counters) = counters {
            dropped(ui, counters, facts.capture.frames);
        }
        // Panes, pictures and exports say UTC, whatever the list says.
        let times = if seen.local { "times of the list local, others UTC" } else { "times in UTC" };
        ui.add(small(format!("·  {times}")));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            unread(ui, facts, actions);
            if let Some(digest) = &facts.sha256 {
                let whole = hex(digest);
                let start = whole.get(..12).unwrap_or_default().to_owned();
                let response = ui.add(small(format!("SHA-256 {start}…")).sense(Sense::click()));
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Copy SHA-256 {start}…")));
                if response.on_hover_text(format!("{whole}\nSHA-256 of the file; click to copy")).clicked() {
                    actions.push(Action::Copy(whole));
                }
            }
            merged(ui, &facts.capture.merged.files, actions);
            ui.add(small(format!("{}{}", facts.capture.format.word(), packed(facts))));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| comment(ui, facts));
        });
    });
}

/// The files that were merged, each with its digest.
fn merged(ui: &mut Ui, files: &[MergedFile], actions: &mut Vec<Action>) {
    if files.is_empty() {
        return;
    }
    let c = theme::colours(ui);
    let words = format!("{} files merged by time", text::count(files.len() as u64));
    let words = egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet);
    let response = ui.add(egui::Button::new(words).frame_when_inactive(false));
    egui::Popup::menu(&response).width(560.0).show(|ui| {
        ui.set_max_width(560.0);
        ui.add_space(2.0);
        ui.label(egui::RichText::new("Files that were merged").font(theme::strong(theme::BODY)));
        let mut lines = Vec::new();
        egui::ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
            for file in files {
                let digest = file.sha256.as_ref().map_or_else(|| "not known yet".to_owned(), |digest| hex(digest));
                if lines.len() < LISTED {
                    ui.label(&file.name);
                    let frames = text::plural(u64::from(file.frames), "frame", "frames");
                    let below = egui::RichText::new(format!("{frames}  ·  SHA-256 {digest}"));
                    ui.add(egui::Label::new(below.font(theme::sans(theme::SMALL)).color(c.quiet)).wrap());
                    ui.add_space(4.0);
                }
                lines.push(format!("{digest}  {}", file.name));
            }
            if files.len() > LISTED {
                ui.label(format!("and {} more", text::count((files.len() - LISTED) as u64)));
            }
        });
        if ui.button("Copy SHA-256 and names").clicked() {
            actions.push(Action::Copy(lines.join("\n")));
            ui.close();
        }
    });
    let _shown = response.on_hover_text("Which files these are, and their SHA-256");
}

/// What was lost while capturing. It is said that nothing was, too: that is what a reader has to know.
fn dropped(ui: &mut Ui, counters: Counters, frames: u32) {
    let c = theme::colours(ui);
    let (kernel, interface) = (counters.dropped_by_kernel, counters.dropped_by_interface);
    let lost = kernel.saturating_add(interface);
    let words = match (kernel, interface) {
        (0, 0) => "none dropped".to_owned(),
        (kernel, 0) => format!("{} dropped by the kernel", text::count(kernel)),
        (0, interface) => format!("{} dropped by the interface", text::count(interface)),
        (kernel, interface) => {
            format!("{} dropped by the kernel, {} by the interface", text::count(kernel), text::count(interface))
        }
    };
    if lost == 0 {
        let words = egui::RichText::new(format!("·  {words}")).font(theme::sans(theme::SMALL)).color(c.quiet);
        ui.add(egui::Label::new(words).selectable(false)).on_hover_text("By the kernel or the interface");
        return;
    }
    let galley = ui.painter().layout_no_wrap(words.clone(), theme::strong(theme::SMALL), c.red);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 30.0, 20.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words.clone()));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, egui::CornerRadius::same(4), c.raised);
    }
    shapes::caution(ui.painter(), rect.left_center() + vec2(13.0, 0.0), c.red);
    let y = (rect.center().y - galley.size().y / 2.0).round();
    ui.painter().galley(egui::pos2(rect.left() + 24.0, y), galley, c.red);
    egui::Popup::menu(&response).width(440.0).show(|ui| {
        ui.set_max_width(440.0);
        let title = format!("{} lost before they were captured", text::plural(lost, "frame was", "frames were"));
        ui.label(egui::RichText::new(title).font(theme::strong(theme::BODY)));
        for words in meaning(counters, frames) {
            ui.add(egui::Label::new(egui::RichText::new(words).color(c.quiet)).wrap());
        }
    });
    let _shown = response.on_hover_text("What this means for the evidence");
}

/// What lost frames mean for what may be claimed.
fn meaning(counters: Counters, frames: u32) -> Vec<String> {
    let mut out = vec![
        format!("{} were captured.", text::plural(u64::from(frames), "frame", "frames")),
        "That something is not in this capture proves nothing: it may have been among the lost frames.".to_owned(),
        "Streams may have holes, so messages can be cut, and bodies and hashes missing. What is quoted from a frame stays true."
            .to_owned(),
    ];
    if counters.dropped_by_kernel > 0 {
        out.push(
            "The kernel drops frames when they are not fetched in time: a larger kernel buffer or a capture filter helps."
                .to_owned(),
        );
    }
    if counters.dropped_by_interface > 0 {
        out.push("The interface drops frames when it gets more than it can hand on.".to_owned());
    }
    out
}

/// What whoever made the file says of it: a reader must not take a made-up capture for a real one.
fn comment(ui: &mut Ui, facts: &Facts) {
    let Some(comment) = facts.capture.comments.iter().find(|c| c.frame.is_none()) else { return };
    let words = format!("·  Comment in the file: {}", clean_to(&comment.text, COMMENT_CHARS));
    let words = egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(theme::colours(ui).amber);
    ui.add(egui::Label::new(words).selectable(false).truncate());
}

fn packed(facts: &Facts) -> &'static str {
    use crate::capture::Container;
    match facts.capture.container {
        Container::Plain => "",
        Container::Gzip => " in gzip",
        Container::Zstd => " in zstd",
        Container::Lz4 => " in LZ4",
    }
}

fn reading(seen: &Seen<'_>) -> String {
    let progress = seen.snapshot.progress();
    let mut words = "Reading".to_owned();
    if let Some(total) = progress.total.filter(|t| *t > 0) {
        words = format!("Reading {} %", progress.read.saturating_mul(100) / total);
        if let Some(rate) = seen.rate.filter(|r| *r > 1.0) {
            let left = (total.saturating_sub(progress.read)) as f64 / rate;
            words = format!("{words}, {}/s, {:.0} s left", text::size(rate as u64), left.ceil());
        }
    }
    words
}

/// Limits that the reader or the engine reached.
fn reached(facts: &Facts) -> Vec<LimitHit> {
    let of_reader = facts.capture.limits.iter().filter(|hit| !facts.limits.contains(hit));
    facts.limits.iter().chain(of_reader).copied().collect()
}

/// What could not be read, then limits that were reached, each with its count.
pub(crate) fn findings(facts: &Facts) -> Vec<(u64, String)> {
    let mut out = Vec::new();
    let capture = &facts.capture;
    out.extend(facts.unread().into_iter().map(|(count, words)| (count, words.to_owned())));
    if capture.cut_tail_bytes > 0 {
        out.push((1, format!("record cut off at the end of the file ({})", text::bytes(capture.cut_tail_bytes))));
    }
    for skipped in &capture.skipped {
        let why = clean_to(skipped.why.as_bytes(), 200);
        out.push((
            1,
            format!(
                "stretch passed over at byte {} ({}): {why}",
                text::count(skipped.offset),
                text::bytes(skipped.len)
            ),
        ));
    }
    for hit in reached(facts) {
        let first = if hit.first_frame.0 > 0 {
            format!(", first at {} {}", capture.format.units().0, hit.first_frame)
        } else {
            String::new()
        };
        out.push((hit.count, format!("{}{first}", hit.limit.words())));
    }
    out
}

fn unread(ui: &mut Ui, facts: &Facts, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let found = findings(facts);
    if found.is_empty() {
        return;
    }
    // Names forgotten to make room were read all the same: a limit is said to be one.
    let limits = reached(facts).len();
    let unread: u64 = found.iter().take(found.len() - limits).map(|(n, _)| *n).fold(0, u64::saturating_add);
    let of_limits = format!("{limits} limit{} reached", if limits == 1 { "" } else { "s" });
    let words = match (unread, limits) {
        (0, _) => of_limits,
        (_, 0) => format!("{} not read", text::count(unread)),
        (_, _) => format!("{} not read, {of_limits}", text::count(unread)),
    };
    let galley = ui.painter().layout_no_wrap(words.clone(), theme::sans(theme::SMALL), c.amber);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 30.0, 20.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words.clone()));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, egui::CornerRadius::same(4), c.raised);
    }
    shapes::caution(ui.painter(), rect.left_center() + vec2(13.0, 0.0), c.amber);
    let y = (rect.center().y - galley.size().y / 2.0).round();
    ui.painter().galley(egui::pos2(rect.left() + 24.0, y), galley, c.amber);
    egui::Popup::menu(&response).width(460.0).show(|ui| {
        ui.set_max_width(460.0);
        ui.add_space(2.0);
        ui.label(
            egui::RichText::new("What could not be read, and limits that were reached")
                .font(theme::strong(theme::BODY)),
        );
        let mut lines = Vec::new();
        egui::ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
            for (count, what) in found.iter().take(LISTED) {
                let line = format!("{} {what}", text::count(*count));
                ui.add(egui::Label::new(egui::RichText::new(&line).color(c.quiet)).wrap());
                lines.push(line);
            }
            if found.len() > LISTED {
                ui.label(format!("and {} more", text::count((found.len() - LISTED) as u64)));
            }
        });
        if ui.button("Copy list").clicked() {
            actions.push(Action::Copy(lines.join("\n")));
            ui.close();
        }
    });
    let _shown = response.on_hover_text("What could not be read, limits that were reached, and why");
}
