//! Exchanges over capture time, stacked by provider; a drag chooses a stretch of time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use egui::{
    CornerRadius, CursorIcon, EventFilter, Key, Modifiers, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2,
    vec2,
};

use super::action::{Action, LiveAction};
use super::theme::{self, Colours};
use super::{menus, text};
use crate::model::{ProviderId, Timestamp};
use crate::store::{Row, Snapshot};

/// Height in points.
pub(crate) const HEIGHT: f32 = 44.0;
/// Slots that time is cut into.
const SLOTS: usize = 320;
/// Space left and right in points.
const INSET: f32 = 8.0;
/// How far an arrow moves an end, as a share of all time; with Shift a tenth of it.
const ARROW: f32 = 0.01;
/// The shortest stretch, as a share of all time.
const SHORTEST: f32 = 0.002;
/// Width in points of what is taken hold of at an end.
const GRIP: f32 = 8.0;

/// How many exchanges of which provider began when. Made on the index thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overview {
    span: Option<(Timestamp, Timestamp)>,
    /// For each slot the operators met with their counts; [`Row::NONE`] stands last.
    slots: Vec<Vec<(u16, u32)>>,
    most: u32,
    /// When actions were marked.
    marks: Vec<Timestamp>,
}

impl Overview {
    pub(crate) fn new(snapshot: &Snapshot, marks: &[Timestamp]) -> Self {
        let times = || snapshot.rows().map(|(_, row)| row.time).chain(marks.iter().copied());
        let (first, last) = (times().min(), times().max());
        let (Some(first), Some(last)) = (first, last) else { return Self::default() };
        let mut counts: Vec<BTreeMap<u16, u32>> = vec![BTreeMap::new(); SLOTS];
        for (_, row) in snapshot.rows() {
            let slot = ((share(first, last, row.time) * SLOTS as f64) as usize).min(SLOTS - 1);
            if let Some(slot) = counts.get_mut(slot) {
                *slot.entry(row.operator).or_insert(0) += 1;
            }
        }
        let most = counts.iter().map(|slot| slot.values().sum::<u32>()).max().unwrap_or(0);
        Self {
            span: Some((first, last)),
            slots: counts.into_iter().map(|slot| slot.into_iter().collect()).collect(),
            most,
            marks: marks.to_vec(),
        }
    }
}

/// Where `time` lies between the two, 0 to 1.
fn share(first: Timestamp, last: Timestamp, time: Timestamp) -> f64 {
    let whole = last.nanos_since(first).max(1) as f64;
    (time.nanos_since(first).max(0) as f64 / whole).min(1.0)
}

/// The time at `share` of the way.
fn at(first: Timestamp, last: Timestamp, share: f32) -> Timestamp {
    if share >= 1.0 {
        return last;
    }
    let nanos = last.nanos_since(first).max(0) as f64 * f64::from(share.clamp(0.0, 1.0));
    Timestamp(first.0.saturating_add(nanos as i64))
}

/// Paints the strip. `swept` holds where a drag began.
pub(crate) fn show(
    ui: &Ui,
    seen: &Overview,
    range: Option<(Timestamp, Timestamp)>,
    swept: &mut Option<f32>,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let all = ui.max_rect();
    let strip =
        Rect::from_min_max(pos2(all.left() + INSET, all.top() + 4.0), pos2(all.right() - INSET, all.bottom() - 4.0));
    let response = ui.interact(all, ui.scope_id().with("overview"), Sense::CLICK | Sense::DRAG);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Exchanges over time"));
    let Some((first, last)) = seen.span else { return };
    let painter = ui.painter();
    let wide = strip.width() / SLOTS as f32;
    // The square root keeps a single exchange visible beside a burst of a thousand.
    let scale = strip.height() / f64::from(seen.most.max(1)).sqrt() as f32;
    let chosen = range.map(|(from, to)| (share(first, last, from) as f32, share(first, last, to) as f32));
    for (i, slot) in seen.slots.iter().enumerate() {
        let sum: u32 = slot.iter().map(|(_, n)| n).sum();
        if sum == 0 {
            continue;
        }
        let tall = (f64::from(sum).sqrt() as f32 * scale).max(2.0);
        let x = strip.left() + i as f32 * wide;
        let middle = (i as f32 + 0.5) / SLOTS as f32;
        let outside = chosen.is_some_and(|(from, to)| !(from..=to).contains(&middle));
        let mut y = strip.bottom();
        for (operator, n) in slot {
            let part = tall * (*n as f32 / sum as f32);
            let mut colour = if *operator == Row::NONE { c.unknown() } else { c.provider(ProviderId(*operator)).line };
            if outside {
                colour = Colours::tint(c.page, colour, 0.25);
            }
            let bar = Rect::from_min_max(pos2(x, y - part), pos2(x + (wide - 0.75).max(0.75), y));
            painter.rect_filled(bar, CornerRadius::ZERO, colour);
            y -= part;
        }
    }
    painter.hline(strip.x_range(), strip.bottom() + 0.5, Stroke::new(1.0, c.line));
    let place = |x: f32| ((x - strip.left()) / strip.width()).clamp(0.0, 1.0);
    if response.drag_started() {
        *swept = response.interact_pointer_pos().map(|p| place(p.x - response.drag_delta().x));
    }
    if let (Some(began), Some(pointer)) = (*swept, response.interact_pointer_pos())
        && response.dragged()
    {
        let now = place(pointer.x);
        let (a, b) = (began.min(now), began.max(now));
        if b - a > SHORTEST {
            actions.push(Action::Range(Some((at(first, last, a), at(first, last, b)))));
        }
    }
    if response.drag_stopped() {
        *swept = None;
    }
    if response.clicked() && range.is_some() {
        actions.push(Action::Range(None));
    }
    ends(ui, (first, last), range, strip, actions);
    // Above the ends: an action may lie at one of them.
    marks(ui, seen, strip, all, actions);
    let clicked = response.id.with("time");
    if response.secondary_clicked()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        ui.data_mut(|data| data.insert_temp(clicked, at(first, last, place(pointer.x))));
    }
    menus::on(&response, false, |ui| {
        if let Some(time) = ui.data(|data| data.get_temp::<Timestamp>(clicked)) {
            menu(ui, time, (first, last), range, actions);
        }
    });
    let response = response.on_hover_cursor(CursorIcon::Crosshair);
    if let Some(pointer) = response.hover_pos() {
        let slot = ((place(pointer.x) * SLOTS as f32) as usize).min(SLOTS - 1);
        let time = at(first, last, place(pointer.x));
        let mut words = format!("{} {} UTC", time.date(), time.time_of_day(3));
        for (operator, n) in seen.slots.get(slot).into_iter().flatten() {
            // Writing to a String cannot fail.
            let _written =
                write!(words, "\n{} {}", text::count(u64::from(*n)), super::chips::name(ProviderId(*operator)));
        }
        words.push_str(if range.is_some() {
            "\nClick for all of the time"
        } else {
            "\nDrag to choose a stretch of time"
        });
        let _shown = response.on_hover_text_at_pointer(words);
    }
}

/// What can be done at a time.
fn menu(
    ui: &mut Ui,
    time: Timestamp,
    (first, last): (Timestamp, Timestamp),
    range: Option<(Timestamp, Timestamp)>,
    actions: &mut Vec<Action>,
) {
    let (from, to) = range.unwrap_or((first, last));
    if time > first && time < to {
        menus::action(ui, "Show from here on", || Action::Range(Some((time, to))), actions);
    }
    if time < last && time > from {
        menus::action(ui, "Show up to here", || Action::Range(Some((from, time))), actions);
    }
    if range.is_some() {
        menus::action(ui, "Show all of the time", || Action::Range(None), actions);
    }
    ui.separator();
    menus::copy(ui, "Copy time", &time.rfc3339(), actions);
    menus::copy(ui, "Copy stretch of time", &format!("{} to {}", from.rfc3339(), to.rfc3339()), actions);
}

/// Which end of the stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    From,
    To,
}

/// Both ends of the stretch that is shown: dragged with the pointer, moved with the arrows.
fn ends(
    ui: &Ui,
    (first, last): (Timestamp, Timestamp),
    range: Option<(Timestamp, Timestamp)>,
    strip: Rect,
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    let (from, to) = range.map_or((0.0, 1.0), |(a, b)| (share(first, last, a) as f32, share(first, last, b) as f32));
    for (end, now) in [(End::From, from), (End::To, to)] {
        let x = strip.left() + now * strip.width();
        let grip = Rect::from_center_size(pos2(x, strip.center().y), vec2(GRIP, strip.height() + 6.0));
        let response = ui.interact(grip, ui.scope_id().with(end), Sense::click_and_drag());
        let time = at(first, last, now);
        let name = match end {
            End::From => "Start of the time shown",
            End::To => "End of the time shown",
        };
        let words = format!("{name}: {} {} UTC", time.date(), time.time_of_day(3));
        response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, words.clone()));
        let wanted = pulled(ui, &response, end, now).or_else(|| {
            let pointer = response.interact_pointer_pos().filter(|_| response.dragged())?;
            Some((pointer.x - strip.left()) / strip.width())
        });
        if let Some(wanted) = wanted {
            actions.push(Action::Range(moved((from, to), end, wanted).map(|(a, b)| {
                // The other end stays exactly where it was.
                let (old_a, old_b) = range.unwrap_or((first, last));
                match end {
                    End::From => (at(first, last, a), old_b),
                    End::To => (old_a, at(first, last, b)),
                }
            })));
        }
        menus::on(&response, response.has_focus(), |ui| menu(ui, time, (first, last), range, actions));
        let held = response.hovered() || response.dragged() || response.has_focus();
        if range.is_none() && !held {
            continue;
        }
        let painter = ui.painter();
        painter.vline(x, strip.expand(4.0).y_range(), Stroke::new(1.0, c.accent));
        let width = if held { 5.0 } else { 3.0 };
        let handle = Rect::from_center_size(pos2(x, strip.center().y), vec2(width, 14.0));
        painter.rect_filled(handle, CornerRadius::same(2), c.accent);
        if response.has_focus() || response.dragged() {
            time_flag(ui, (x, strip), end, &time.time_of_day(3));
        }
        let _shown = response.on_hover_cursor(CursorIcon::ResizeHorizontal).on_hover_text(format!(
            "{words}\nDrag it; or Tab to it and use the arrows, with Shift in small steps, Home and End for all"
        ));
    }
}

/// Where the keys move an end that has the keyboard to.
fn pulled(ui: &Ui, response: &Response, end: End, now: f32) -> Option<f32> {
    if !response.has_focus() {
        return None;
    }
    ui.ctx().memory_mut(|memory| {
        memory.set_focus_lock_filter(
            response.id,
            EventFilter { tab: false, horizontal_arrows: true, vertical_arrows: false, escape: false },
        );
    });
    let mut wanted = now;
    ui.input_mut(|input| {
        for (modifiers, step) in [(Modifiers::SHIFT, ARROW / 10.0), (Modifiers::NONE, ARROW)] {
            wanted += step * input.count_and_consume_key(modifiers, Key::ArrowRight) as f32;
            wanted -= step * input.count_and_consume_key(modifiers, Key::ArrowLeft) as f32;
        }
        let home = match end {
            End::From => (Key::Home, 0.0),
            End::To => (Key::End, 1.0),
        };
        if input.consume_key(Modifiers::NONE, home.0) {
            wanted = home.1;
        }
    });
    ((wanted - now).abs() > f32::EPSILON).then_some(wanted)
}

/// The stretch after one of its ends was moved, neither past the other end nor out of the strip; `None` for all of the time.
fn moved((from, to): (f32, f32), end: End, wanted: f32) -> Option<(f32, f32)> {
    let (from, to) = match end {
        End::From => (wanted.clamp(0.0, (to - SHORTEST).max(0.0)), to),
        End::To => (from, wanted.clamp((from + SHORTEST).min(1.0), 1.0)),
    };
    (from > 0.0 || to < 1.0).then_some((from, to))
}

/// The time at an end, beside it and within the stretch.
fn time_flag(ui: &Ui, (x, strip): (f32, Rect), end: End, words: &str) {
    let c = theme::colours(ui);
    let galley = ui.painter().layout_no_wrap(words.to_owned(), theme::sans(theme::SMALL), c.text);
    let size = galley.size() + vec2(8.0, 2.0);
    let left = match end {
        End::From => x + 5.0,
        End::To => x - 5.0 - size.x,
    };
    let left = left.clamp(strip.left(), (strip.right() - size.x).max(strip.left()));
    let flag = Rect::from_min_size(pos2(left, strip.top()), size);
    ui.painter().rect_filled(flag, CornerRadius::same(3), c.raised);
    ui.painter().galley(flag.min + vec2(4.0, 1.0), galley, c.text);
}

/// A numbered line for each action that was marked; a click shows what began after it.
fn marks(ui: &Ui, seen: &Overview, strip: Rect, all: Rect, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let Some((first, last)) = seen.span else { return };
    for (i, time) in seen.marks.iter().enumerate() {
        let number = i + 1;
        let x = (strip.left() + share(first, last, *time) as f32 * strip.width()).round();
        let galley = ui.painter().layout_no_wrap(number.to_string(), theme::strong(theme::SMALL), c.page);
        let width = galley.size().x + 8.0;
        let left = (x - width / 2.0).clamp(all.left(), all.right() - width);
        let flag = Rect::from_min_size(pos2(left, all.top() + 1.0), vec2(width, 14.0));
        let response = ui.interact(flag, ui.scope_id().with(("action", number)), Sense::click());
        let words = format!("Action {number} at {} UTC", time.time_of_day(1));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words.clone()));
        let colour = if response.hovered() || response.has_focus() { c.accent } else { c.text };
        ui.painter().vline(x, all.y_range(), Stroke::new(1.0, colour));
        ui.painter().rect_filled(flag, CornerRadius::same(3), colour);
        ui.painter().galley(flag.center() - galley.size() / 2.0, galley, c.page);
        if response.clicked() {
            actions.push(Action::Live(LiveAction::Marked(number)));
        }
        menus::on(&response, response.has_focus(), |ui| {
            let show = || Action::Live(LiveAction::Marked(number));
            menus::action(ui, "Show what began within 10 s, or all again", show, actions);
            menus::copy(ui, "Copy time", &time.rfc3339(), actions);
            menus::action(ui, "Remove this action", || Action::Live(LiveAction::Unmark(number)), actions);
        });
        let _shown = response.on_hover_text(format!("{words}\nClick to show what began in the 10 s after it"));
    }
}

#[cfg(test)]
mod tests {
    use super::{End, at, moved, share};
    use crate::model::Timestamp;

    #[track_caller]
    fn check(first: i64, last: i64, time: i64, want: f64) {
        assert!((share(Timestamp(first), Timestamp(last), Timestamp(time)) - want).abs() < 1e-9);
    }

    #[test]
    fn any_clock_stays_within_the_strip() {
        check(0, 100, 25, 0.25);
        check(7, 7, 7, 0.0);
        check(0, 100, 900, 1.0);
        check(0, 100, -900, 0.0);
        check(i64::MIN, i64::MAX, i64::MAX, 1.0);
        assert_eq!(at(Timestamp(10), Timestamp(20), 0.5), Timestamp(15));
        assert_eq!(at(Timestamp(i64::MIN), Timestamp(i64::MAX), 1.0).0, i64::MAX);
    }

    #[test]
    fn ends_stay_within_the_strip_and_do_not_pass_each_other() {
        assert_eq!(moved((0.0, 1.0), End::From, 0.25), Some((0.25, 1.0)));
        assert_eq!(moved((0.25, 1.0), End::From, -3.0), None, "that is all of the time");
        assert_eq!(moved((0.25, 0.5), End::From, 0.9), Some((0.498, 0.5)));
        assert_eq!(moved((0.25, 0.5), End::To, 0.1), Some((0.25, 0.252)));
        assert_eq!(moved((0.25, 0.5), End::To, 7.0), Some((0.25, 1.0)));
    }
}
