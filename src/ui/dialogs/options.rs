//! How to capture: interface, filter, what is kept.

use egui::{DragValue, Id, RichText, ScrollArea, Stroke, TextBuffer, Ui, vec2};

use super::buttons;
use crate::capture::{DeviceKind, DeviceState, Wish, check_filter};
use crate::model::LinkType;
use crate::ui::action::{Action, LiveAction};
use crate::ui::filter::underlined;
use crate::ui::interfaces::{self, Interfaces, Use};
use crate::ui::live::{CaptureChoice, KeepChoice};
use crate::ui::state::CaptureOptions;
use crate::ui::theme;

/// Width in points.
const WIDE: f32 = 640.0;
/// Room for the labels at the left.
const LABELS: f32 = 112.0;

pub(super) fn show(
    ui: &mut Ui,
    options: &mut CaptureOptions,
    interfaces: &Interfaces,
    more: &mut bool,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    ui.set_width(WIDE.min(ui.ctx().content_rect().width() - 72.0));
    if options.choice.device.is_empty() {
        options.choice.device = likely(interfaces).unwrap_or_default();
    }
    let tall = ui.ctx().content_rect().height() - 150.0;
    ui.label(RichText::new("Capture").font(theme::strong(theme::SECTION)));
    ui.add_space(6.0);
    let mut entered = false;
    ScrollArea::vertical().max_height(tall.max(160.0)).show(ui, |ui| {
        devices(ui, options, interfaces, more);
        ui.add_space(12.0);
        entered = filter(ui, options, interfaces);
        ui.add_space(10.0);
        keep(ui, &mut options.choice);
        ui.add_space(10.0);
        details(ui, &mut options.choice);
    });
    ui.add_space(12.0);
    buttons(ui, |ui| {
        let ready = options.fault.is_none() && !options.choice.device.is_empty();
        let words = RichText::new("Start").font(theme::strong(theme::BODY)).color(c.on_accent);
        let start = egui::Button::new(words).fill(c.accent).stroke(Stroke::NONE).min_size(vec2(80.0, 28.0));
        let clicked = ui.add_enabled(ready, start).clicked();
        // Enter starts from the filter, and where nothing else takes it.
        let alone = ui.memory(|memory| memory.focused().is_none()) && ui.input(|i| i.key_pressed(egui::Key::Enter));
        if ready && (clicked || entered || alone) {
            actions.push(Action::Live(LiveAction::Start));
        }
        if ui.add(egui::Button::new("Cancel").min_size(vec2(80.0, 28.0))).clicked() {
            actions.push(Action::Escape);
        }
    });
}

/// The interface that most people want: the first that is up and leads somewhere.
fn likely(interfaces: &Interfaces) -> Option<String> {
    let Some(Ok(devices)) = &interfaces.devices else { return None };
    let up = devices.iter().find(|device| {
        device.state == DeviceState::Running && !matches!(device.kind, DeviceKind::Loopback | DeviceKind::Any)
    });
    up.or_else(|| devices.first()).map(|device| device.name.clone())
}

fn devices(ui: &mut Ui, options: &mut CaptureOptions, interfaces: &Interfaces, more: &mut bool) {
    let chosen = options.choice.device.clone();
    // Rows reach eight points beyond their text on both sides.
    let margin = egui::Margin::symmetric(8, 0);
    egui::Frame::NONE.inner_margin(margin).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let tall = if ui.ctx().content_rect().height() < 640.0 { 110.0 } else { 210.0 };
        ScrollArea::vertical().id_salt("interfaces").max_height(tall).show(ui, |ui| {
            let how = Use { verb: "Choose", first: &options.first, chosen: &chosen };
            if let Some(device) = interfaces::list(ui, interfaces, how, more) {
                options.choice.device = device;
            }
        });
    });
}

/// A label at the left, what it is for at the right.
fn line(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui, Id)) {
    ui.horizontal(|ui| {
        let response = ui
            .allocate_ui_with_layout(vec2(LABELS, 24.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_min_width(LABELS);
                ui.label(label)
            })
            .inner;
        add(ui, response.id);
    });
}

/// The capture filter; whether Enter was pressed in it.
fn filter(ui: &mut Ui, options: &mut CaptureOptions, interfaces: &Interfaces) -> bool {
    let c = theme::colours(ui);
    check(options, interfaces);
    let fault = options.fault.as_ref().map(|fault| fault.range.clone());
    let text = &mut options.choice.filter;
    let mut entered = false;
    line(ui, "Capture filter", |ui, label| {
        let mut layouter = |ui: &Ui, text: &dyn TextBuffer, _wrap: f32| {
            let job = underlined(text.as_str(), fault.as_ref(), theme::mono(), c);
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let edit = egui::TextEdit::singleline(text)
            .id(Id::unique("capture filter"))
            .font(theme::mono())
            .margin(egui::Margin::symmetric(8, 6))
            .char_limit(4_096)
            .hint_text(RichText::new("everything; or tcp port 443, host 192.0.2.7").color(c.faint))
            .layouter(&mut layouter)
            .desired_width(f32::INFINITY);
        let response = ui.add(edit).labelled_by(label);
        entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        response.on_hover_text(
            "What does not pass is not captured at all. In libpcap's language (BPF); the list's own filter hides without losing",
        );
    });
    line(ui, "", |ui, _| {
        let (words, colour) = match &options.fault {
            Some(fault) => (crate::ui::text::sentence(&fault.what), c.red),
            None if options.choice.filter.trim().is_empty() => ("Everything is captured".to_owned(), c.quiet),
            None => ("Valid; what does not pass is not captured".to_owned(), c.quiet),
        };
        let words = RichText::new(words).font(theme::sans(theme::SMALL)).color(colour);
        ui.add(egui::Label::new(words).wrap());
    });
    if let Some(session) = &options.session
        && options.choice.filter.trim().is_empty()
    {
        line(ui, "", |ui, _| {
            let tip = "You work here over SSH: showing rows makes traffic, which makes rows";
            if ui.button("Leave out this SSH session").on_hover_text(tip).clicked() {
                options.choice.filter.clone_from(session);
            }
        });
    }
    entered
}

/// Compiles the filter where it or the link type changed: some 50 µs.
fn check(options: &mut CaptureOptions, interfaces: &Interfaces) {
    let kind = interfaces.device(&options.choice.device).map_or(DeviceKind::Wired, |device| device.kind);
    let link = match kind {
        DeviceKind::Any => LinkType::LINUX_SLL,
        DeviceKind::Wired | DeviceKind::Wireless | DeviceKind::Tunnel | DeviceKind::Loopback | DeviceKind::Other => {
            LinkType::ETHERNET
        }
    };
    let now = (options.choice.filter.clone(), link.0);
    if options.checked.as_ref() != Some(&now) {
        options.fault = check_filter(now.0.trim(), link).err();
        // Places count from where the filter begins, not from the space before it.
        let space = now.0.len() - now.0.trim_start().len();
        if let Some(fault) = &mut options.fault {
            fault.range = fault.range.start + space..fault.range.end + space;
        }
        options.checked = Some(now);
    }
}

fn keep(ui: &mut Ui, choice: &mut CaptureChoice) {
    line(ui, "Keep", |ui, _| {
        ui.radio_value(&mut choice.keep, KeepChoice::All, "Everything")
            .on_hover_text("Until it is stopped, or the disk is nearly full");
    });
    line(ui, "", |ui, _| {
        let response = ui.radio_value(&mut choice.keep, KeepChoice::Stop, "Stop at");
        number(ui, &mut choice.stop_mib, 1..=1 << 20, " MiB", "Stop at MiB", choice.keep == KeepChoice::Stop);
        response.on_hover_text("The capture ends by itself at this size");
    });
    line(ui, "", |ui, _| {
        let on = choice.keep == KeepChoice::Ring;
        let response = ui.radio_value(&mut choice.keep, KeepChoice::Ring, "The newest");
        number(ui, &mut choice.ring_files, 2..=10_000, " files", "Files of the ring", on);
        ui.label("of");
        number(ui, &mut choice.ring_mib, 1..=1 << 20, " MiB each", "MiB of each file", on);
        response.on_hover_text("A ring of files: the oldest is deleted when a new one begins");
    });
}

fn details(ui: &mut Ui, choice: &mut CaptureChoice) {
    line(ui, "Frames", |ui, _| {
        ui.label("At most");
        number(ui, &mut choice.snap_len, 64..=Wish::default().snap_len, " bytes of each", "Snap length in bytes", true)
            .on_hover_text("Snap length. Frames that are cut short can prove less: 262,144 cuts none");
        ui.add_space(12.0);
        ui.label("kernel buffer");
        number(ui, &mut choice.buffer_mib, 1..=4_096, " MiB", "Kernel buffer in MiB", true)
            .on_hover_text("Room for frames that wait to be written; more of it loses less in a burst");
    });
    line(ui, "", |ui, _| {
        ui.checkbox(&mut choice.promiscuous, "Promiscuous: also frames for other machines").on_hover_text(
            "The interface hands on everything that reaches it, not only what is for this machine. On a switched or wireless network little more arrives; others' traffic may be none of your business",
        );
    });
}

fn number(
    ui: &mut Ui,
    value: &mut u32,
    range: core::ops::RangeInclusive<u32>,
    unit: &'static str,
    name: &str,
    on: bool,
) -> egui::Response {
    let speed = (f64::from(*value) / 100.0).max(0.1);
    let drag = DragValue::new(value)
        .range(range)
        .speed(speed)
        .suffix(unit)
        .custom_formatter(|n, _| crate::ui::text::count(n.max(0.0) as u64));
    let drag = drag.custom_parser(|text| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    ui.add_enabled(on, drag).accessible_name(name)
}
