//! Who serves whom: sites at the left, operators with their products at the right, a line for every pair.

use std::collections::BTreeMap;

use egui::{CornerRadius, Pos2, Rect, Role, ScrollArea, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::shown_site;
use crate::evidence::pack;
use crate::model::ProviderId;
use crate::store::SiteFindings;
use crate::ui::action::Action;
use crate::ui::roving::follow;
use crate::ui::shapes;
use crate::ui::story::provider_name;
use crate::ui::text::{count, plural};
use crate::ui::theme::{self, Colours};

/// Sites and services that are drawn; the rest is counted.
const DRAWN: usize = 14;
/// Points between two names.
const STEP: f32 = 38.0;
/// Points along a line that are computed.
const POINTS: u8 = 24;

/// A service of an operator; nobody where the operator is not known.
type Service = (Option<ProviderId>, Option<u16>);

/// The drawing's content.
#[derive(Debug)]
pub(super) struct Drawing {
    sites: Vec<(String, u64)>,
    services: Vec<(Service, u64)>,
    edges: Vec<Edge>,
    /// Sites that are not drawn, and their exchanges.
    more: (usize, u64),
    /// Services that are not drawn.
    more_services: usize,
}

/// One line.
#[derive(Debug)]
struct Edge {
    site: usize,
    service: usize,
    exchanges: u64,
    /// Other sites whose responses gave the URLs.
    handed_out_by: Vec<String>,
}

impl Drawing {
    pub(super) fn new(all: &[SiteFindings]) -> Self {
        let drawn = all.get(..DRAWN.min(all.len())).unwrap_or_default();
        let rest = all.get(drawn.len()..).unwrap_or_default();
        let mut sums: BTreeMap<Service, u64> = BTreeMap::new();
        for (key, counts) in drawn.iter().flat_map(|site| &site.lines) {
            *sums.entry((key.operator, key.product)).or_insert(0) += counts.exchanges;
        }
        let mut services: Vec<(Service, u64)> = sums.into_iter().collect();
        services.sort_by_key(|(service, n)| (core::cmp::Reverse(*n), *service));
        let more_services = services.len().saturating_sub(DRAWN);
        services.truncate(DRAWN);
        // A service stands about where its sites stand, so that fewer lines cross.
        let middle = |service: &Service| {
            let mut weight = (0.0, 0.0);
            for (i, site) in drawn.iter().enumerate() {
                for (key, counts) in &site.lines {
                    if (key.operator, key.product) == *service {
                        weight.0 += i as f64 * counts.exchanges as f64;
                        weight.1 += counts.exchanges as f64;
                    }
                }
            }
            weight.0 / f64::max(weight.1, 1.0)
        };
        services.sort_by(|(a, _), (b, _)| middle(a).total_cmp(&middle(b)).then_with(|| a.cmp(b)));
        let mut edges: BTreeMap<(usize, usize, bool), (u64, Vec<String>)> = BTreeMap::new();
        for (at, site) in drawn.iter().enumerate() {
            for (key, counts) in &site.lines {
                // A site that hands out its own URLs is nothing to point at.
                let by = key.handed_out_by.as_deref().filter(|by| **by != *site.site);
                let Some(to) = services.iter().position(|(s, _)| *s == (key.operator, key.product)) else { continue };
                let edge = edges.entry((at, to, by.is_some())).or_default();
                edge.0 += counts.exchanges;
                if let Some(by) = by.map(shown_site)
                    && !edge.1.contains(&by)
                    && edge.1.len() < 4
                {
                    edge.1.push(by);
                }
            }
        }
        let edges = edges
            .into_iter()
            .map(|((site, service, _), (exchanges, handed_out_by))| Edge { site, service, exchanges, handed_out_by })
            .collect();
        Self {
            sites: drawn.iter().map(|s| (shown_site(&s.site), s.total.exchanges)).collect(),
            services,
            edges,
            more: (rest.len(), rest.iter().map(|s| s.total.exchanges).sum()),
            more_services,
        }
    }
}

/// What the pointer is on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Site(usize),
    Service(usize),
    Edge(usize),
}

impl Over {
    fn holds(self, at: usize, edge: &Edge) -> bool {
        match self {
            Self::Site(site) => edge.site == site,
            Self::Service(service) => edge.service == service,
            Self::Edge(n) => n == at,
        }
    }
}

/// Paints the drawing, and gives the site under the pointer.
pub(super) fn show(ui: &mut Ui, drawing: &Drawing, actions: &mut Vec<Action>) -> Option<String> {
    let c = theme::colours(ui);
    let mut lit = None;
    ScrollArea::vertical().id_salt("who serves whom").auto_shrink([false, false]).show(ui, |ui| {
        egui::Frame::NONE.inner_margin(egui::Margin { left: 12, right: 12, top: 10, bottom: 12 }).show(ui, |ui| {
            ui.label(egui::RichText::new("Who serves whom").font(theme::strong(theme::SECTION)));
            let words = "A line is as thick as its exchanges are many; dashed where another site handed out the URL";
            ui.add(egui::Label::new(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet)).wrap());
            ui.add_space(6.0);
            lit = graph(ui, drawing, actions);
            let mut rest = Vec::new();
            if drawing.more.0 > 0 {
                let sites = plural(drawing.more.0 as u64, "more site", "more sites");
                rest.push(format!("{sites} with {}", plural(drawing.more.1, "exchange", "exchanges")));
            }
            if drawing.more_services > 0 {
                rest.push(plural(drawing.more_services as u64, "more service", "more services"));
            }
            if !rest.is_empty() {
                let words = format!("Not drawn: {}", rest.join(", "));
                ui.label(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet));
            }
        });
    });
    lit
}

/// Where everything stands.
struct Places {
    left: f32,
    right: f32,
    site_tops: Vec<f32>,
    service_tops: Vec<f32>,
}

impl Places {
    fn new(rect: Rect, drawing: &Drawing) -> Self {
        let spread = |n: usize| -> Vec<f32> {
            let step = rect.height() / n.max(1) as f32;
            (0..n).map(|i| rect.top() + (i as f32 + 0.5) * step).collect()
        };
        Self {
            left: rect.left() + (rect.width() * 0.34).min(240.0),
            right: rect.right() - (rect.width() * 0.40).min(300.0),
            site_tops: spread(drawing.sites.len()),
            service_tops: spread(drawing.services.len()),
        }
    }

    fn line(&self, edge: &Edge) -> Vec<Pos2> {
        let from = self.site_tops.get(edge.site).copied().unwrap_or_default();
        let to = self.service_tops.get(edge.service).copied().unwrap_or_default();
        // Handed-out lines run a little beside the others of the same pair.
        let aside = if edge.handed_out_by.is_empty() { 0.0 } else { 5.0 };
        (0..=POINTS)
            .map(|i| {
                let t = f32::from(i) / f32::from(POINTS);
                let ease = t * t * (3.0 - 2.0 * t);
                pos2(self.left + (self.right - self.left) * t, from + (to - from) * ease + aside)
            })
            .collect()
    }
}

fn thickness(exchanges: u64) -> f32 {
    (1.2 + (exchanges.max(1) as f32).log2() * 1.1).min(12.0)
}

fn graph(ui: &mut Ui, drawing: &Drawing, actions: &mut Vec<Action>) -> Option<String> {
    let c = theme::colours(ui);
    let rows = drawing.sites.len().max(drawing.services.len());
    let height = (rows as f32 * STEP).max((ui.available_height() - 30.0).min(rows as f32 * STEP * 1.5));
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let places = Places::new(rect, drawing);
    let mut over = None;
    nodes(ui, rect, drawing, &places, &mut over, actions);
    let lines: Vec<Vec<Pos2>> = drawing.edges.iter().map(|edge| places.line(edge)).collect();
    if over.is_none() {
        over = under_pointer(ui, rect, drawing, &lines);
    }
    edges(ui, drawing, &lines, over, c);
    names(ui, rect, drawing, &places, over, c);
    match over {
        Some(Over::Site(i)) => drawing.sites.get(i).map(|(name, _)| name.clone()),
        Some(Over::Edge(i)) => {
            let edge = drawing.edges.get(i)?;
            hint(ui, drawing, edge);
            if ui.input(|input| input.pointer.primary_clicked())
                && let (Some((site, _)), Some(((operator, _), _))) =
                    (drawing.sites.get(edge.site), drawing.services.get(edge.service))
            {
                let operator = operator.unwrap_or(ProviderId(crate::store::Row::NONE));
                actions.push(Action::Site(site.clone(), Some(operator)));
            }
            drawing.sites.get(edge.site).map(|(name, _)| name.clone())
        }
        Some(Over::Service(_)) | None => None,
    }
}

/// The places that take clicks and that a screen reader names.
fn nodes(ui: &Ui, rect: Rect, drawing: &Drawing, places: &Places, over: &mut Option<Over>, actions: &mut Vec<Action>) {
    for (i, ((name, n), y)) in drawing.sites.iter().zip(&places.site_tops).enumerate() {
        let place = Rect::from_min_max(pos2(rect.left(), y - 17.0), pos2(places.left, y + 17.0));
        let response = ui.interact(place, ui.scope_id().with(("site", name)), Sense::click());
        let said = format!("Site {name}, {}", plural(*n, "exchange", "exchanges"));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, said.clone()));
        follow(&response);
        if response.hovered() || response.has_focus() {
            *over = Some(Over::Site(i));
        }
        if response.on_hover_text("Show the exchanges of this site").clicked() {
            actions.push(Action::Site(name.clone(), None));
        }
    }
    for (i, ((service, n), y)) in drawing.services.iter().zip(&places.service_tops).enumerate() {
        let place = Rect::from_min_max(pos2(places.right, y - 17.0), pos2(rect.right(), y + 17.0));
        let response = ui.interact(place, ui.scope_id().with(("service", i)), Sense::click());
        let (first, second) = service_words(*service);
        let said = format!("{first} {second}, {}", plural(*n, "exchange", "exchanges"));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, said.clone()));
        follow(&response);
        if response.hovered() || response.has_focus() {
            *over = Some(Over::Service(i));
        }
        if response.on_hover_text("Show the exchanges of this operator").clicked() {
            let operator = service.0.unwrap_or(ProviderId(crate::store::Row::NONE));
            actions.push(Action::ClearFilter);
            actions.push(Action::Provider(Some(operator)));
            actions.push(Action::View(crate::ui::state::View::Exchanges));
        }
    }
}

fn service_words((operator, product): Service) -> (&'static str, &'static str) {
    let Some(operator) = operator else { return ("No operator known", "") };
    (provider_name(operator), product.and_then(|p| pack().service(p)).map_or("", |s| s.name))
}

fn under_pointer(ui: &Ui, rect: Rect, drawing: &Drawing, lines: &[Vec<Pos2>]) -> Option<Over> {
    let pointer = ui.input(|input| input.pointer.hover_pos())?;
    if !rect.contains(pointer) || !ui.rect_contains_pointer(rect) {
        return None;
    }
    let distance = |points: &[Pos2]| {
        points
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] => {
                    let along = *b - *a;
                    let t = ((pointer - *a).dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
                    Some((*a + along * t).distance(pointer))
                }
                _ => None,
            })
            .fold(f32::INFINITY, f32::min)
    };
    drawing
        .edges
        .iter()
        .zip(lines)
        .enumerate()
        .map(|(i, (edge, points))| (i, distance(points) - thickness(edge.exchanges) / 2.0))
        .filter(|(_, far)| *far < 5.0)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(i, _)| Over::Edge(i))
}

fn edges(ui: &Ui, drawing: &Drawing, lines: &[Vec<Pos2>], over: Option<Over>, c: &Colours) {
    for (i, (edge, points)) in drawing.edges.iter().zip(lines).enumerate() {
        let operator = drawing.services.get(edge.service).and_then(|((operator, _), _)| *operator);
        let colour = operator.map_or_else(|| c.unknown(), |id| c.provider(id).line);
        let share = match over {
            None => 1.0,
            Some(over) if over.holds(i, edge) => 1.0,
            Some(_) => 0.16,
        };
        let stroke = Stroke::new(thickness(edge.exchanges), Colours::tint(c.page, colour, share));
        if edge.handed_out_by.is_empty() {
            ui.painter().add(Shape::line(points.clone(), stroke));
        } else {
            let dash = 6.0 + stroke.width;
            ui.painter().extend(Shape::dashed_line(points, stroke, dash, 5.0 + stroke.width * 0.5));
        }
    }
}

fn names(ui: &Ui, rect: Rect, drawing: &Drawing, places: &Places, over: Option<Over>, c: &Colours) {
    let dimmed = |on: bool| over.is_some() && !on;
    let lit_site =
        |i: usize| drawing.edges.iter().enumerate().any(|(n, e)| e.site == i && over.is_some_and(|o| o.holds(n, e)));
    let lit_service =
        |i: usize| drawing.edges.iter().enumerate().any(|(n, e)| e.service == i && over.is_some_and(|o| o.holds(n, e)));
    for (i, ((name, n), y)) in drawing.sites.iter().zip(&places.site_tops).enumerate() {
        let (ink, under) = if dimmed(lit_site(i)) { (c.faint, c.faint) } else { (c.text, c.quiet) };
        let clip = Rect::from_x_y_ranges(rect.left()..=places.left, y - 18.0..=y + 18.0);
        let painter = ui.painter().with_clip_rect(clip.intersect(ui.clip_rect()));
        let x = places.left - 12.0;
        two_lines(
            &painter,
            (x, *y),
            egui::Align2::RIGHT_CENTER,
            (name, ink),
            (&exchanges(*n), under),
            clip.width() - 14.0,
        );
        ui.painter().rect_filled(
            Rect::from_min_max(pos2(places.left - 5.0, y - 11.0), pos2(places.left - 1.0, y + 11.0)),
            CornerRadius::same(2),
            ink,
        );
    }
    for (i, ((service, n), y)) in drawing.services.iter().zip(&places.service_tops).enumerate() {
        let (ink, under) = if dimmed(lit_service(i)) { (c.faint, c.faint) } else { (c.text, c.quiet) };
        let square = Rect::from_center_size(pos2(places.right + 14.0, *y), vec2(22.0, 22.0));
        match service.0 {
            Some(id) => shapes::provider(ui.painter(), square, c, id),
            None => shapes::nobody(ui.painter(), square.shrink(2.0), c),
        }
        let clip = Rect::from_x_y_ranges(square.right()..=rect.right(), y - 18.0..=y + 18.0);
        let painter = ui.painter().with_clip_rect(clip.intersect(ui.clip_rect()));
        let (first, second) = service_words(*service);
        let below = if second.is_empty() { exchanges(*n) } else { format!("{second} · {}", count(*n)) };
        let x = square.right() + 8.0;
        two_lines(&painter, (x, *y), egui::Align2::LEFT_CENTER, (first, ink), (&below, under), clip.width() - 8.0);
    }
}

fn exchanges(n: u64) -> String {
    plural(n, "exchange", "exchanges")
}

/// A name with a smaller line under it, cut to `room`.
fn two_lines(
    painter: &egui::Painter,
    (x, y): (f32, f32),
    align: egui::Align2,
    (first, ink): (&str, egui::Color32),
    (second, under): (&str, egui::Color32),
    room: f32,
) {
    for (words, font, colour, at) in
        [(first, theme::strong(theme::BODY), ink, y - 8.0), (second, theme::sans(theme::SMALL), under, y + 9.0)]
    {
        let mut job = egui::text::LayoutJob::simple_singleline(words.to_owned(), font, colour);
        job.wrap =
            egui::text::TextWrapping { break_anywhere: true, ..egui::text::TextWrapping::truncate_at_width(room) };
        let galley = painter.layout_job(job);
        let place = align.anchor_size(pos2(x, at), galley.size());
        painter.galley(pos2(place.left().round(), place.top().round()), galley, colour);
    }
}

fn hint(ui: &Ui, drawing: &Drawing, edge: &Edge) {
    let Some((site, _)) = drawing.sites.get(edge.site) else { return };
    let Some((service, _)) = drawing.services.get(edge.service) else { return };
    let (first, second) = service_words(*service);
    let by = if edge.handed_out_by.is_empty() {
        String::new()
    } else {
        format!("\nURLs handed out by {}", edge.handed_out_by.join(", "))
    };
    let words = format!("{first} {second} for {site}: {}{by}\nClick to show them", exchanges(edge.exchanges));
    egui::Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), ui.scope_id().with("line"), egui::PopupAnchor::Pointer)
        .gap(12.0)
        .show(|ui| {
            ui.set_max_width(420.0);
            ui.label(words);
        });
}
