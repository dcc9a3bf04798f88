//! What is read in a pane as one stop of the Tab key: arrows and pages scroll it.

use egui::scroll_area::ScrollAreaOutput;
use egui::style::ScrollAnimation;
use egui::{FocusDirection, Id, Key, Modifiers, Response, Role, Sense, Ui, WidgetInfo, vec2};

use crate::ui::theme::LINE;

/// Points that Left and Right move what is read.
const STEP: f32 = 40.0;
/// Farther than anything is long.
const FAR: f32 = 1e9;

/// Gives the keyboard to what was scrolled; `name` says what it is, `said` what of it is in view.
pub(super) fn show<R>(
    ui: &Ui,
    (id, name): (Id, &str),
    output: &ScrollAreaOutput<R>,
    said: impl Fn() -> String,
) -> Response {
    let response = ui.interact(output.inner_rect, id, Sense::focusable_noninteractive());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Document, true, name);
        info.current_text_value = Some(said());
        info
    });
    response
}

/// Scrolls by the keys that were pressed, where `id` has the keyboard. To be called among what is scrolled.
pub(super) fn scroll(ui: &Ui, id: Id) {
    if !ui.memory(|memory| memory.has_focus(id)) {
        return;
    }
    let page = (ui.clip_rect().height() - LINE).max(LINE);
    let steps = [
        (Key::ArrowUp, vec2(0.0, -LINE)),
        (Key::ArrowDown, vec2(0.0, LINE)),
        (Key::ArrowLeft, vec2(-STEP, 0.0)),
        (Key::ArrowRight, vec2(STEP, 0.0)),
        (Key::PageUp, vec2(0.0, -page)),
        (Key::PageDown, vec2(0.0, page)),
        (Key::Home, vec2(0.0, -FAR)),
        (Key::End, vec2(0.0, FAR)),
    ];
    for (key, by) in steps {
        let times = ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
        if times > 0 {
            // The focus stays.
            ui.memory_mut(|memory| memory.move_focus(FocusDirection::None));
            ui.scroll_with_delta_animation(-by * times as f32, ScrollAnimation::none());
        }
    }
}
