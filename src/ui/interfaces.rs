//! The interfaces of this machine with what passes on each: the thread that watches them, and the list that the start
//! screen and the capture options share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use egui::{
    Align2, CornerRadius, Key, Mesh, Painter, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::jobs::WakeUp;
use super::machine::Machine;
use super::roving::follow;
use super::theme::{self, Colours};
use super::{shapes, text};
use crate::capture::{Device, DeviceKind, DeviceState, Orphan};
use crate::model::{clean_to, middle};

/// Time between two looks at the packet counts.
const POLL: Duration = Duration::from_millis(500);
/// Looks between two listings of the interfaces themselves.
const LIST_EVERY: u32 = 10;
/// Rates that are remembered of each interface: half a minute.
const SAMPLES: usize = 60;
/// Height of a row in points.
const ROW: f32 = 44.0;
/// Room for a sparkline in points.
const SPARK: f32 = 104.0;
/// Characters shown of a name, and of a description or the addresses.
const NAME_CHARS: usize = 32;
const WORDS_CHARS: usize = 96;

/// What the watching thread saw.
#[derive(Debug)]
pub(crate) struct Polled {
    /// The interfaces, where they were listed again.
    pub(crate) devices: Option<Result<Vec<Device>, String>>,
    /// Captures without owner, where they were looked for again.
    pub(crate) orphans: Option<Vec<Orphan>>,
    /// Packets since the machine started.
    pub(crate) counts: Vec<(String, u64)>,
    /// Seconds since the counts before these; 0 for the first.
    pub(crate) seconds: f64,
}

/// The watching thread's other end; the thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    again: Sender<()>,
    pub(crate) polled: Receiver<Polled>,
}

impl Watch {
    /// Starts the thread `interfaces`.
    pub(crate) fn start(machine: Arc<Machine>, wake: WakeUp) -> std::io::Result<Self> {
        let (again, wanted) = bounded(1);
        let (polled_in, polled) = bounded(1);
        Builder::new().name("interfaces".to_owned()).spawn(move || watch(&machine, &wanted, &polled_in, &wake))?;
        Ok(Self { again, polled })
    }

    /// Has the interfaces listed again now.
    pub(crate) fn refresh(&self) {
        // One request that waits is enough.
        let _waits = self.again.try_send(());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "packets per second of this machine's interfaces; nothing of the analysis"
)]
fn watch(machine: &Machine, wanted: &Receiver<()>, polled: &Sender<Polled>, wake: &WakeUp) {
    let mut list = true;
    let mut looks = 0_u32;
    let mut before: Option<std::time::Instant> = None;
    loop {
        let devices = list.then(|| (machine.devices)().map_err(|error| error.to_string()));
        let orphans = list.then(|| (machine.orphans)());
        let counts = (machine.counts)();
        let now = std::time::Instant::now();
        let seconds = before.map_or(0.0, |then| (now - then).as_secs_f64());
        before = Some(now);
        // Waits for the window to take the one before; an error says that nobody looks any more.
        if polled.send(Polled { devices, orphans, counts, seconds }).is_err() {
            return;
        }
        wake();
        looks = looks.wrapping_add(1);
        list = match wanted.recv_timeout(POLL) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => looks.is_multiple_of(LIST_EVERY),
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

/// What is known of the interfaces.
#[derive(Debug, Default)]
pub(crate) struct Interfaces {
    /// `None` until they were listed.
    pub(crate) devices: Option<Result<Vec<Device>, String>>,
    /// Captures without owner.
    pub(crate) orphans: Vec<Orphan>,
    history: BTreeMap<String, History>,
}

/// Packets per second of one interface, the latest last.
#[derive(Debug, Default)]
struct History {
    last: u64,
    rates: VecDeque<f32>,
}

impl History {
    fn add(&mut self, count: u64, seconds: f64) {
        // A counter that went back belongs to an interface that was made anew.
        let packets = count.saturating_sub(self.last) as f64;
        self.last = count;
        if seconds > 0.0 {
            if self.rates.len() >= SAMPLES {
                self.rates.pop_front();
            }
            self.rates.push_back((packets / seconds) as f32);
        }
    }

    /// The rate now: over the last two looks, so that it does not flicker.
    fn now(&self) -> f32 {
        let latest = self.rates.iter().rev().take(2);
        let count = latest.len().max(1) as f32;
        latest.sum::<f32>() / count
    }
}

impl Interfaces {
    pub(crate) fn take(&mut self, polled: Polled) {
        let Polled { devices, orphans, counts, seconds } = polled;
        if let Some(devices) = devices {
            self.devices = Some(devices);
        }
        if let Some(orphans) = orphans {
            self.orphans = orphans;
        }
        self.history.retain(|name, _| counts.iter().any(|(known, _)| known == name));
        for (name, count) in counts {
            match self.history.get_mut(&name) {
                Some(history) => history.add(count, seconds),
                None => {
                    self.history.insert(name, History { last: count, rates: VecDeque::new() });
                }
            }
        }
    }

    /// The interface of this name.
    pub(crate) fn device(&self, name: &str) -> Option<&Device> {
        let Some(Ok(devices)) = &self.devices else { return None };
        devices.iter().find(|device| device.name == name)
    }

    /// The usual interfaces and the others, `first` before all where it is there.
    fn sorted(&self, first: &str) -> (Vec<&Device>, Vec<&Device>) {
        let Some(Ok(devices)) = &self.devices else { return (Vec::new(), Vec::new()) };
        let (mut odd, mut usual): (Vec<_>, Vec<_>) =
            devices.iter().partition(|device| odd(device) && device.name != first);
        for list in [&mut odd, &mut usual] {
            list.sort_by_key(|device| device.name != first);
        }
        // Where nothing is usual there is nothing to hide the rest behind.
        if usual.is_empty() { (odd, usual) } else { (usual, odd) }
    }

    fn rate_words(&self, name: &str) -> String {
        match self.history.get(name) {
            Some(history) if !history.rates.is_empty() => match history.now() {
                rate if rate <= 0.0 => "quiet".to_owned(),
                rate if rate < 1.0 => "under 1 packet/s".to_owned(),
                rate if rate < 1.5 => "1 packet/s".to_owned(),
                rate => format!("{} packets/s", text::count(rate.round() as u64)),
            },
            Some(_) | None => String::new(),
        }
    }
}

/// Whether hardly anybody wants to capture from it.
fn odd(device: &Device) -> bool {
    match device.state {
        DeviceState::Down => true,
        DeviceState::Running | DeviceState::NoCarrier => device.kind == DeviceKind::Other,
        DeviceState::Unknown => device.kind != DeviceKind::Any && device.addresses.is_empty(),
    }
}

/// What kind it is, in words.
fn kind_words(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Wired => "Wired",
        DeviceKind::Wireless => "Wireless",
        DeviceKind::Tunnel => "Tunnel or VPN",
        DeviceKind::Loopback => "This machine talking to itself",
        DeviceKind::Any => "All interfaces at once",
        DeviceKind::Other => "Other",
    }
}

/// The state in words; empty where nothing needs to be said.
fn state_words(device: &Device) -> &'static str {
    match device.state {
        DeviceState::Running => "up",
        DeviceState::NoCarrier if device.kind == DeviceKind::Wireless => "no network joined",
        DeviceState::NoCarrier => "no cable",
        DeviceState::Down => "down",
        DeviceState::Unknown => "",
    }
}

fn addresses(device: &Device) -> String {
    device.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join("  ")
}

fn shown_name(device: &Device) -> String {
    clean_to(device.name.as_bytes(), NAME_CHARS).into_owned()
}

/// Kind, what libpcap says of it, and state.
fn about(device: &Device) -> String {
    let description = clean_to(device.description.as_bytes(), 60);
    let kind = kind_words(device.kind);
    let first = match device.kind {
        DeviceKind::Other if !description.is_empty() => &*description,
        _ => kind,
    };
    let more = if device.kind == DeviceKind::Wired || device.kind == DeviceKind::Wireless { &*description } else { "" };
    let parts = [first, more, state_words(device)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// How the list is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use<'a> {
    /// What a click does, in words: `Capture on`, `Choose`.
    pub(crate) verb: &'static str,
    /// The interface that stands first.
    pub(crate) first: &'a str,
    /// The interface that is marked as chosen.
    pub(crate) chosen: &'a str,
}

/// The list; gives the interface that was clicked. `more` says whether the odd ones are shown.
pub(crate) fn list(ui: &mut Ui, seen: &Interfaces, how: Use<'_>, more: &mut bool) -> Option<String> {
    let c = theme::colours(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    match &seen.devices {
        None => {
            sentence(ui, "Looking for interfaces…");
            return None;
        }
        Some(Err(why)) => {
            let why = text::sentence(&clean_to(why.as_bytes(), 300));
            sentence(ui, &format!("{why}. Open a capture file instead, or press F5 to look again."));
            return None;
        }
        Some(Ok(devices)) if devices.is_empty() => {
            sentence(ui, "No interface was found. Connect to a network and press F5, or open a capture file.");
            return None;
        }
        Some(Ok(_)) => {}
    }
    let (usual, odd) = seen.sorted(how.first);
    let mut clicked = None;
    let mut all: Vec<&Device> = usual;
    if *more {
        all.extend(&odd);
    }
    // Down leads into the list from anywhere; from there the arrows go on.
    let mut enter = ui.memory(|memory| memory.focused().is_none()) && ui.input(|i| i.key_pressed(Key::ArrowDown));
    for device in all {
        let response = row(ui, seen, device, how);
        if core::mem::take(&mut enter) {
            response.request_focus();
            // The key that led here must not lead on at once.
            ui.memory_mut(|memory| memory.move_focus(egui::FocusDirection::None));
        }
        if response.clicked() {
            clicked = Some(device.name.clone());
        }
    }
    if !odd.is_empty() {
        let words = if *more {
            "Show fewer interfaces".to_owned()
        } else {
            format!("{} more, down or seldom wanted", odd.len())
        };
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, *more, words.clone()));
        let colour = if response.hovered() || response.has_focus() { c.text } else { c.quiet };
        shapes::chevron(ui.painter(), pos2(rect.left() + 5.0, rect.center().y), *more, colour);
        let at = pos2(rect.left() + 20.0, rect.center().y);
        ui.painter().text(at, Align2::LEFT_CENTER, words, theme::sans(theme::BODY), colour);
        if response.clicked() {
            *more = !*more;
        }
    }
    clicked
}

fn sentence(ui: &mut Ui, words: &str) {
    let c = theme::colours(ui);
    ui.add_space(6.0);
    ui.add(egui::Label::new(egui::RichText::new(words).color(c.quiet)).wrap());
}

/// One interface.
fn row(ui: &mut Ui, seen: &Interfaces, device: &Device, how: Use<'_>) -> Response {
    let c = theme::colours(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let (name, about, rate) = (shown_name(device), about(device), seen.rate_words(&device.name));
    let addresses = addresses(device);
    let chosen = how.chosen == device.name;
    response.widget_info(|| {
        let parts = [&*format!("{} {name}", how.verb), &about, &addresses, &rate];
        let said = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        WidgetInfo::selected(Role::Button, true, chosen, said)
    });
    let ground = rect.expand2(vec2(8.0, 0.0));
    if chosen {
        ui.painter().rect_filled(ground, CornerRadius::same(theme::CORNER), c.selection);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(ground, CornerRadius::same(theme::CORNER), c.hover);
    }
    follow(&response);
    let quiet = if chosen { c.text } else { c.quiet };
    state_mark(ui.painter(), pos2(rect.left() + 5.0, rect.top() + 14.0), device.state, c);
    let spark = Rect::from_min_size(pos2(rect.right() - SPARK, rect.top() + 6.0), vec2(SPARK, 17.0));
    let words = Rect::from_min_max(rect.min, pos2(spark.left() - 12.0, rect.bottom()));
    let painter = ui.painter().with_clip_rect(words.intersect(ui.clip_rect()));
    let at = pos2(rect.left() + 20.0, rect.top() + 6.0);
    let after = painter.text(at, Align2::LEFT_TOP, &name, theme::strong(theme::BODY), c.text);
    let at = pos2(after.right() + 8.0, at.y);
    painter.text(at, Align2::LEFT_TOP, about, theme::sans(theme::BODY), quiet);
    let second = match (addresses.is_empty(), device.description.is_empty()) {
        (false, _) => middle(&addresses, WORDS_CHARS, 40).into_owned(),
        (true, false) => clean_to(device.description.as_bytes(), WORDS_CHARS).into_owned(),
        (true, true) => "no address".to_owned(),
    };
    let at = pos2(rect.left() + 20.0, rect.bottom() - 5.0);
    painter.text(at, Align2::LEFT_BOTTOM, second, theme::sans(theme::SMALL), quiet);
    if let Some(history) = seen.history.get(&device.name) {
        sparkline(ui.painter(), spark, &history.rates, c);
    }
    let at = pos2(rect.right(), rect.bottom() - 5.0);
    ui.painter().text(at, Align2::RIGHT_BOTTOM, rate, theme::sans(theme::SMALL), quiet);
    response
}

/// The state as a shape: full, ring, dash; nothing where it is not known.
fn state_mark(painter: &Painter, centre: egui::Pos2, state: DeviceState, c: &Colours) {
    match state {
        DeviceState::Running => {
            painter.circle_filled(centre, 4.0, c.green);
        }
        DeviceState::NoCarrier => {
            painter.circle_stroke(centre, 3.6, Stroke::new(1.4, c.amber));
        }
        DeviceState::Down => {
            painter.hline(centre.x - 4.0..=centre.x + 4.0, centre.y, Stroke::new(1.6, c.faint));
        }
        DeviceState::Unknown => {
            painter.circle_stroke(centre, 3.6, Stroke::new(1.0, c.faint));
        }
    }
}

/// Packets per second over the last half minute, the newest at the right.
pub(crate) fn sparkline(painter: &Painter, rect: Rect, rates: &VecDeque<f32>, c: &Colours) {
    painter.hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, c.line));
    // One packet a second must not look like a flood.
    let most = rates.iter().copied().fold(8.0_f32, f32::max);
    let step = rect.width() / (SAMPLES - 1) as f32;
    let start = rect.right() - step * rates.len().saturating_sub(1) as f32;
    let points: Vec<_> = rates
        .iter()
        .enumerate()
        .map(|(i, rate)| {
            // The square root keeps a trickle visible beside a flood.
            let share = (rate / most).max(0.0).sqrt();
            pos2(start + step * i as f32, rect.bottom() - share * rect.height())
        })
        .collect();
    let fill = Colours::tint(c.page, c.accent, 0.22);
    // One mesh: single shapes would show seams where they meet.
    let mut area = Mesh::default();
    for (i, point) in points.iter().enumerate() {
        let at = 2 * i as u32;
        area.colored_vertex(*point, fill);
        area.colored_vertex(pos2(point.x, rect.bottom()), fill);
        if i > 0 {
            area.add_triangle(at - 2, at - 1, at);
            area.add_triangle(at - 1, at, at + 1);
        }
    }
    painter.add(Shape::mesh(area));
    if points.len() > 1 {
        painter.add(Shape::line(points, Stroke::new(1.2, c.accent)));
    }
}

#[cfg(test)]
mod tests {
    use super::{DeviceKind, DeviceState, Interfaces, Polled, SAMPLES};
    use crate::capture::Device;

    fn device(name: &str, state: DeviceState) -> Device {
        Device {
            name: name.to_owned(),
            description: String::new(),
            addresses: Vec::new(),
            kind: DeviceKind::Wired,
            state,
            link: None,
        }
    }

    fn look(seen: &mut Interfaces, count: u64) {
        let counts = vec![("eth0".to_owned(), count)];
        seen.take(Polled { devices: None, orphans: None, counts, seconds: 0.5 });
    }

    #[test]
    fn counts_become_rates() {
        let mut seen = Interfaces::default();
        look(&mut seen, 1_000_000);
        assert_eq!(seen.rate_words("eth0"), "", "one count is no rate");
        look(&mut seen, 1_000_100);
        assert_eq!(seen.rate_words("eth0"), "200 packets/s");
        look(&mut seen, 1_000_100);
        look(&mut seen, 1_000_100);
        assert_eq!(seen.rate_words("eth0"), "quiet");
        // Made anew: its counter begins again.
        look(&mut seen, 0);
        assert_eq!(seen.rate_words("eth0"), "quiet");
        for _ in 0..100 {
            look(&mut seen, 0);
        }
        assert_eq!(seen.history.get("eth0").map(|history| history.rates.len()), Some(SAMPLES));
        assert_eq!(seen.rate_words("eth1"), "");
    }

    #[test]
    fn the_remembered_one_stands_first_and_the_odd_ones_apart() {
        let devices = vec![
            device("eth0", DeviceState::Running),
            device("eth1", DeviceState::Down),
            device("eth2", DeviceState::Running),
        ];
        let seen = Interfaces { devices: Some(Ok(devices)), ..Interfaces::default() };
        let names = |first: &str| {
            let (usual, odd) = seen.sorted(first);
            let names = |list: Vec<&Device>| list.iter().map(|d| d.name.clone()).collect::<Vec<_>>().join(" ");
            (names(usual), names(odd))
        };
        assert_eq!(names(""), ("eth0 eth2".to_owned(), "eth1".to_owned()));
        assert_eq!(names("eth2"), ("eth2 eth0".to_owned(), "eth1".to_owned()));
        assert_eq!(names("eth1"), ("eth1 eth0 eth2".to_owned(), String::new()));
    }
}
