//! How the name led to the address, and which machines served the request, drawn as boxes from left to right.

use std::net::{IpAddr, SocketAddr};

use egui::{
    Align, CornerRadius, Layout, Margin, Rect, Response, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};

use super::parts::{badges, caption, go, title};
use crate::evidence::pack;
use crate::model::{Part, ProviderId};
use crate::store::filter::{Filter, Key, is};
use crate::ui::action::{Action, Goal};
use crate::ui::prepared::Shown;
use crate::ui::roving::follow;
use crate::ui::state::State;
use crate::ui::text::{plural, sentence};
use crate::ui::theme::{self, Colours};
use crate::ui::way::{HopWords, LookupWords};
use crate::ui::{menus, shapes};

/// Widest and narrowest box, and the arrow between two, in points.
const WIDE: f32 = 300.0;
const WIDEST: f32 = 480.0;
const NARROW: f32 = 190.0;
const ARROW: f32 = 26.0;

/// Lines of one box that are quoted.
const LINES: usize = 8;

/// Something of the way, as a box.
struct Stop<'a> {
    over: &'a str,
    title: String,
    /// Whether the title is bytes from the wire.
    wire: bool,
    provider: Option<ProviderId>,
    notes: Vec<(String, bool)>,
    /// What its lines say of a cache.
    cache: Option<&'static str>,
    lines: &'a [usize],
    /// Whether the lines are quoted, not only numbered.
    quoted: bool,
    /// What it can be asked for with.
    asks: Asks<'a>,
}

/// The filter that a box can be asked for with.
#[derive(Clone, Copy)]
enum Asks<'a> {
    Host(&'a str),
    /// An address, or an address and port.
    End(&'a str),
    /// What a record of the answer gave: an address or an alias.
    Record(&'a str),
    Operator(ProviderId),
    Nothing,
}

impl Asks<'_> {
    fn filter(self) -> Option<Filter> {
        let address = |words: &str| {
            let end = words.parse::<SocketAddr>().map(|end| end.ip());
            let address = end.or_else(|_| words.parse::<IpAddr>()).ok()?;
            Filter::parse(&format!("ip:{address}")).ok()
        };
        match self {
            // A question names its type too.
            Self::Host(question) => question.split(' ').next().map(|name| is(Key::Host, name)),
            Self::End(words) => address(words),
            Self::Record(value) => address(value).or_else(|| Some(is(Key::Cname, value))),
            Self::Operator(id) => pack().provider(id).map(|provider| is(Key::Operator, provider.id)),
            Self::Nothing => None,
        }
    }
}

/// From this width on caches and signature stand at the right; how wide they are then.
const SIDE_BY_SIDE: f32 = 1_000.0;
const SIDE: f32 = 372.0;

/// Paints the pane.
pub(crate) fn show(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    let way = &shown.story.way;
    let more = !way.caches.is_empty() || way.custody.is_some();
    let beside = more && all.width() >= SIDE_BY_SIDE;
    let split = if beside { all.right() - SIDE } else { all.right() };
    half(ui, Rect::from_min_max(all.min, pos2(split, all.bottom())), "path", |ui| {
        paths(ui, shown, state, actions);
        if more && !beside {
            caches(ui, shown, state, actions);
            custody(ui, shown);
        }
    });
    if beside {
        ui.painter().vline(split, all.y_range(), Stroke::new(1.0, c.line));
        half(ui, Rect::from_min_max(pos2(split + 1.0, all.top()), all.max), "said", |ui| {
            custody(ui, shown);
            caches(ui, shown, state, actions);
        });
    }
}

fn half(ui: &mut Ui, rect: Rect, id: &str, content: impl FnOnce(&mut Ui)) {
    let mut inner = ui.new_child(UiBuilder::new().id_salt(id).max_rect(rect).layout(Layout::top_down(Align::Min)));
    inner.set_clip_rect(rect.intersect(ui.clip_rect()));
    ScrollArea::vertical().id_salt(id).auto_shrink([false, false]).show(&mut inner, |ui| {
        egui::Frame::NONE.inner_margin(Margin { left: 12, right: 14, top: 4, bottom: 12 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing = vec2(6.0, 3.0);
            ui.spacing_mut().interact_size.y = 18.0;
            content(ui);
        });
    });
}

/// Both rows of boxes.
fn paths(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    names(ui, shown, state, actions);
    serving(ui, shown, state, actions);
}

/// From the asked name to the address.
pub(crate) fn names(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    title(ui, "How the name led to the address");
    if let Some(lookup) = &shown.story.way.lookup {
        name_path(ui, lookup, shown, state, actions);
    } else {
        let words =
            "No lookup before this connection gave the server's address, so the way from the name to it is not known.";
        ui.add(egui::Label::new(egui::RichText::new(words).color(c.quiet)).wrap());
    }
}

/// From the client to the last machine that shows itself.
pub(crate) fn serving(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let way = &shown.story.way;
    if way.hops.is_empty() {
        return;
    }
    title(ui, "Which machines served it");
    let client = Stop {
        over: "Client",
        title: way.client.clone(),
        wire: true,
        provider: None,
        notes: Vec::new(),
        cache: None,
        lines: &[],
        quoted: false,
        asks: Asks::End(&way.client),
    };
    let mut stops = vec![client];
    for (i, hop) in way.hops.iter().enumerate() {
        stops.push(hop_stop(hop, (i == 0).then_some(way.server.as_str())));
    }
    boxes(ui, &stops, shown, state, actions);
    let words = "Only hops whose lines came through are drawn; what stands behind the last one is not shown.";
    ui.add(egui::Label::new(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.faint)).wrap());
}

fn name_path(ui: &mut Ui, lookup: &LookupWords, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let mut stops = vec![Stop {
        over: "Asked",
        title: lookup.question.clone(),
        wire: true,
        provider: None,
        notes: vec![(format!("of resolver {}", lookup.resolver), false), (lookup.frames.clone(), false)],
        cache: None,
        lines: &[],
        quoted: false,
        asks: Asks::Host(&lookup.question),
    }];
    for step in &lookup.steps {
        let provider = step.lines.first().and_then(|i| shown.lines.get(*i)).map(|line| line.provider);
        stops.push(Stop {
            over: &step.kind,
            title: step.value.clone(),
            wire: true,
            provider,
            notes: vec![(step.ttl.clone(), false)],
            cache: None,
            lines: &step.lines,
            quoted: false,
            asks: Asks::Record(&step.value),
        });
    }
    boxes(ui, &stops, shown, state, actions);
    let c = theme::colours(ui);
    if lookup.row.is_none() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if lookup.over {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 18.0), Sense::hover());
            shapes::caution(ui.painter(), rect.center(), c.amber);
        }
        ui.label(egui::RichText::new(format!("Looked up {}", lookup.lifetime)).color(c.quiet));
        go(ui, Goal::Lookup, state, actions);
    });
    if lookup.others.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(egui::RichText::new("The same address was also given for").color(c.quiet));
        for (row, name) in &lookup.others {
            if state.still.is_some() {
                ui.label(egui::RichText::new(name).font(theme::mono()));
                continue;
            }
            let words = egui::RichText::new(name).font(theme::mono()).color(c.accent);
            let button = ui.add(theme::small(words));
            follow(&button);
            if button.on_hover_text("Go to that lookup").clicked() {
                actions.push(Action::Go(Goal::Row(*row)));
            }
        }
    });
}

fn hop_stop<'a>(hop: &'a HopWords, address: Option<&'a str>) -> Stop<'a> {
    let mut notes = Vec::new();
    if !hop.service.is_empty() {
        notes.push((hop.service.clone(), false));
    }
    if let Some(address) = address {
        notes.push((address.to_owned(), true));
    }
    if hop.lines.is_empty() {
        notes.push(("no line of its own".to_owned(), false));
    }
    Stop {
        over: &hop.kind,
        title: hop.name.clone(),
        wire: false,
        provider: hop.provider,
        notes,
        cache: hop.cache,
        lines: &hop.lines,
        quoted: true,
        asks: match (address, hop.provider) {
            (Some(address), _) => Asks::End(address),
            (None, Some(provider)) => Asks::Operator(provider),
            (None, None) => Asks::Nothing,
        },
    }
}

/// Boxes from left to right with arrows between them, in as many rows as they need.
fn boxes(ui: &mut Ui, stops: &[Stop<'_>], shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let room = ui.available_width();
    let fits = |room: f32| (((room + ARROW) / (NARROW + ARROW)).floor() as usize).max(1);
    let wraps = stops.len() > fits(room);
    // Rows after the first begin with the arrow that leads there.
    let indent = if wraps { ARROW } else { 0.0 };
    let in_row = if wraps { fits(room - indent) } else { stops.len() };
    let width = ((room - indent + ARROW) / in_row as f32 - ARROW).clamp(NARROW.min(room), WIDE);
    // Boxes that quote lines take what the others leave.
    let quoting = stops.iter().filter(|stop| stop.quoted).count();
    let plain = if quoting > 0 { width.min(NARROW) } else { width };
    let left_over = room - (stops.len() - quoting) as f32 * (plain + ARROW);
    let wide = (left_over / quoting.max(1) as f32 - ARROW).clamp(width, WIDEST);
    let width_of = |stop: &Stop<'_>| match (wraps, stop.quoted) {
        (true, _) => width,
        (false, true) => wide,
        (false, false) => plain,
    };
    for (at, row) in stops.chunks(in_row).enumerate() {
        let top = ui.cursor().top();
        let left = ui.cursor().left() + if at > 0 { indent } else { 0.0 };
        let (mut bottom, mut x) = (top, left);
        for (i, stop) in row.iter().enumerate() {
            let rect = Rect::from_min_max(pos2(x, top), pos2(x + width_of(stop), top + 600.0));
            let id = (stop.over, at, i, stop.wire);
            let mut inner =
                ui.new_child(UiBuilder::new().id_salt(id).max_rect(rect).layout(Layout::top_down(Align::Min)));
            let is_still = state.still.is_some();
            let sense = if is_still { Sense::hover() } else { Sense::focusable_noninteractive() };
            let response = inner
                .scope_builder(UiBuilder::new().id_salt("box").sense(sense), |ui| {
                    stop_box(ui, stop, shown, state, actions);
                })
                .response;
            bottom = bottom.max(response.rect.bottom());
            if !is_still {
                held(stop, &response, actions);
            }
            if i > 0 || at > 0 {
                let y = top + 22.0;
                shapes::arrow(ui.painter(), pos2(x - ARROW + 5.0, y), pos2(x - 5.0, y), c.faint);
            }
            x = rect.right() + ARROW;
        }
        ui.allocate_rect(Rect::from_min_max(pos2(left, top), pos2(left + room - indent, bottom + 4.0)), Sense::hover());
    }
}

/// What a box says in one line.
fn spoken(stop: &Stop<'_>) -> String {
    let notes = stop.notes.iter().map(|(words, _)| words.as_str());
    let parts = [stop.over, &*stop.title].into_iter().chain(notes).chain(stop.cache);
    parts.collect::<Vec<_>>().join(", ")
}

/// The keyboard and the menu of a box.
fn held(stop: &Stop<'_>, response: &Response, actions: &mut Vec<Action>) {
    response.widget_info(|| WidgetInfo::labeled(Role::Group, true, spoken(stop)));
    follow(response);
    menus::within(response, response.has_focus(), |ui| {
        if let Some(filter) = stop.asks.filter() {
            menus::filters(ui, &filter, actions);
            ui.separator();
        }
        menus::copy(ui, "Copy value", &stop.title, actions);
        menus::copy(ui, "Copy all of it", &spoken(stop), actions);
    });
}

fn stop_box(ui: &mut Ui, stop: &Stop<'_>, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let hue = stop.provider.map(|id| c.provider(id));
    let ground = hue.map_or(c.surface, |hue| Colours::tint(c.page, hue.fill, 0.1));
    let line = hue.map_or(c.line, |hue| Colours::tint(c.line, hue.line, 0.6));
    let frame = egui::Frame::NONE
        .fill(ground)
        .stroke(Stroke::new(1.0, line))
        .corner_radius(CornerRadius::same(theme::CORNER))
        .inner_margin(Margin::symmetric(10, 7));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = vec2(6.0, 2.0);
        ui.label(egui::RichText::new(stop.over).font(theme::sans(theme::SMALL)).color(c.quiet));
        ui.horizontal_top(|ui| {
            if let Some(provider) = stop.provider {
                let (rect, _) = ui.allocate_exact_size(vec2(20.0, 18.0), Sense::hover());
                shapes::provider(ui.painter(), rect, c, provider);
            }
            let font = if stop.wire { theme::mono() } else { theme::strong(theme::BODY) };
            ui.add(egui::Label::new(egui::RichText::new(&stop.title).font(font)).wrap());
        });
        for (words, wire) in &stop.notes {
            let font = if *wire { theme::mono() } else { theme::sans(theme::SMALL) };
            ui.add(egui::Label::new(egui::RichText::new(words).font(font).color(c.quiet)).wrap());
        }
        if let Some(cache) = stop.cache {
            ui.label(egui::RichText::new(sentence(cache)).font(theme::strong(theme::BODY)));
        }
        if stop.lines.is_empty() {
            return;
        }
        ui.add_space(1.0);
        if !stop.quoted {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(3.0, 3.0);
                badges(ui, stop.lines, shown, state, actions);
            });
            return;
        }
        // What the name path quotes already is only numbered here.
        let (above, here): (Vec<usize>, Vec<usize>) = stop.lines.iter().partition(|i| {
            shown
                .record
                .ledger
                .get(**i)
                .is_some_and(|e| matches!(e.place.part, Part::Dns | Part::Address | Part::ToldAddress))
        });
        if !above.is_empty() {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(3.0, 3.0);
                badges(ui, &above, shown, state, actions);
                let words = egui::RichText::new("from name and address").font(theme::sans(theme::SMALL));
                ui.label(words.color(c.quiet));
            });
        }
        let quoted = if state.still.is_some() { usize::MAX } else { LINES };
        for i in here.iter().take(quoted) {
            let Some(line) = shown.lines.get(*i) else { continue };
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                badges(ui, core::slice::from_ref(i), shown, state, actions);
                let words = egui::RichText::new(&line.excerpt).font(theme::mono()).color(c.text);
                let label = egui::Label::new(words);
                ui.add(if state.still.is_some() { label.wrap() } else { label.truncate() });
            });
        }
        if let Some(more) = here.len().checked_sub(quoted).filter(|n| *n > 0) {
            let words = plural(more as u64, "more line", "more lines");
            ui.label(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet));
        }
    });
}

pub(crate) fn caches(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let lines = &shown.story.way.caches;
    if lines.is_empty() {
        return;
    }
    title(ui, "What lines say of caches");
    for line in lines {
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(24.0, 18.0), Sense::hover());
            if let Some(number) = line.line {
                let mut inner = ui.new_child(UiBuilder::new().id_salt(&line.words).max_rect(rect));
                badges(&mut inner, &[number], shown, state, actions);
            }
            let (rect, _) = ui.allocate_exact_size(vec2(112.0, 18.0), Sense::hover());
            ui.painter().text(rect.left_center(), egui::Align2::LEFT_CENTER, &line.field, theme::mono(), c.quiet);
            ui.add(egui::Label::new(&line.words).wrap());
        });
    }
}

pub(crate) fn custody(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    let Some(custody) = &shown.story.way.custody else { return };
    title(ui, "Whose key signed the request");
    ui.horizontal(|ui| {
        caption(ui, "Standing", 72.0);
        let (rect, _) = ui.allocate_exact_size(vec2(16.0, 18.0), Sense::hover());
        match custody.good {
            Some(true) => shapes::tick(ui.painter(), rect.center(), c.text),
            Some(false) => shapes::cross(ui.painter(), rect.center(), c.red),
            None => shapes::nobody(ui.painter(), Rect::from_center_size(rect.center(), vec2(10.0, 10.0)), c),
        }
        let colour = if custody.good == Some(false) { c.red } else { c.text };
        ui.label(egui::RichText::new(&custody.standing).font(theme::strong(theme::BODY)).color(colour));
    });
    for (label, value) in &custody.facts {
        ui.horizontal_top(|ui| {
            caption(ui, label, 72.0);
            ui.add(egui::Label::new(value).wrap());
        });
    }
}
