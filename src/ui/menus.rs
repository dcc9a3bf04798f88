//! Menus on what is on screen, by the second button or by the keyboard, and the texts that they copy.

use egui::{Context, Id, Key, Modifiers, Popup, Response, SetOpenCommand, Ui, vec2};

use super::action::{Action, NoteAction};
use super::filter::{FilterAction, Join};
use super::wish::{Copied, RowWish};
use super::{shapes, theme};
use crate::model::clean_to;
use crate::store::filter::Filter;
use crate::store::{FlowColour, RowId};

/// Characters of a filter in the menu.
const MENU_CHARS: usize = 48;

/// In which frame of the window the key for menus was pressed.
fn pressed_id() -> Id {
    Id::unique("menu key")
}

/// The first item of a menu that the keyboard opened takes the focus.
fn first_id() -> Id {
    Id::unique("first item")
}

/// Takes the key for menus before others that are like it.
pub(crate) fn pressed(ctx: &Context) {
    let pressed = ctx.input_mut(|input| {
        // Whether Shift is down is asked of the press itself: where frames are slow it may be up again by now.
        input.consume_key(Modifiers::SHIFT, Key::F10) || input.consume_key(Modifiers::NONE, Key::Menu)
    });
    if pressed {
        let frame = ctx.cumulative_frame_nr();
        ctx.data_mut(|data| data.insert_temp(pressed_id(), frame));
    }
}

/// A menu on what was drawn: by the second button, and by the key for menus where `focused`.
pub(crate) fn on(response: &Response, focused: bool, add: impl FnOnce(&mut Ui)) {
    show(response, (focused, response.secondary_clicked(), response.clicked()), add);
}

/// A menu on everything within what was drawn, whatever lies over it there.
pub(crate) fn within(response: &Response, focused: bool, add: impl FnOnce(&mut Ui)) {
    show(response, (focused, response.container_secondary_clicked(), response.container_clicked()), add);
}

fn show(response: &Response, (focused, second, first): (bool, bool, bool), add: impl FnOnce(&mut Ui)) {
    let ctx = &response.ctx;
    let frame = ctx.cumulative_frame_nr();
    // Where the focus came from, while a menu that the keyboard opened is there.
    let keyed = response.id.with("by key");
    if focused && ctx.data_mut(|data| data.remove_temp::<u64>(pressed_id())) == Some(frame) {
        let from = ctx.memory(egui::Memory::focused);
        ctx.data_mut(|data| {
            data.insert_temp(keyed, from);
            data.insert_temp(first_id(), true);
        });
        Popup::menu(response).open_memory(SetOpenCommand::Bool(true)).show(add);
        return;
    }
    if second {
        ctx.data_mut(|data| data.remove_temp::<Option<Id>>(keyed));
    }
    let Some(from) = ctx.data(|data| data.get_temp::<Option<Id>>(keyed)) else {
        let open = match (second, first) {
            (true, _) => Some(SetOpenCommand::Bool(true)),
            (false, true) => Some(SetOpenCommand::Bool(false)),
            (false, false) => None,
        };
        Popup::menu(response).open_memory(open).at_pointer_fixed().show(add);
        return;
    };
    // Below what it is about: there may be no pointer.
    let popup = Popup::menu(response).open_memory(None);
    let id = popup.get_id();
    popup.show(add);
    if !Popup::is_id_open(ctx, id) {
        ctx.data_mut(|data| data.remove_temp::<Option<Id>>(keyed));
        // Who came by keyboard goes on where the menu was opened, unless a click gave the focus to something else.
        let here = |id: Id| ctx.read_response(id).is_some_and(|other| other.layer_id == response.layer_id);
        let taken = ctx.input(|input| input.pointer.any_click()) && ctx.memory(egui::Memory::focused).is_some_and(here);
        if let Some(from) = from.filter(|_| !taken) {
            ctx.memory_mut(|memory| memory.request_focus(from));
        }
    }
}

/// One item; whether it was chosen.
pub(crate) fn item(ui: &mut Ui, label: &str, tip: &str) -> bool {
    let response = ui.button(label);
    if ui.data_mut(|data| data.remove_temp::<bool>(first_id())).is_some() {
        response.request_focus();
    }
    let response = if tip.is_empty() { response } else { response.on_hover_text(tip) };
    let chosen = response.clicked();
    if chosen {
        ui.close();
    }
    chosen
}

/// One item that asks for something.
pub(crate) fn action(ui: &mut Ui, label: &str, action: impl FnOnce() -> Action, actions: &mut Vec<Action>) {
    if item(ui, label, "") {
        actions.push(action());
    }
}

/// An item that copies.
pub(crate) fn copy(ui: &mut Ui, label: &str, text: &str, actions: &mut Vec<Action>) {
    if !text.is_empty() {
        action(ui, label, || Action::Copy(text.to_owned()), actions);
    }
}

/// Items that filter by a value.
pub(crate) fn filters(ui: &mut Ui, filter: &Filter, actions: &mut Vec<Action>) {
    let words = clean_to(filter.to_string().as_bytes(), MENU_CHARS).into_owned();
    let joins = [
        (format!("Only {words}"), Join::Only),
        (format!("And {words}"), Join::And),
        (format!("Or {words}"), Join::Or),
        (format!("Not {words}"), Join::Not),
        (format!("Highlight {words}"), Join::Highlight),
    ];
    for (label, join) in joins {
        action(ui, &label, || Action::Filter(FilterAction::Refine(filter.clone(), join)), actions);
    }
}

/// Items that copy a request, in a menu of their own. Secrets are hidden unless they are asked for.
pub(crate) fn copies(ui: &mut Ui, (row, several): (RowId, usize), http: bool, actions: &mut Vec<Action>) {
    let wish = |ui: &mut Ui, label: &str, wish: RowWish, actions: &mut Vec<Action>| {
        action(ui, label, || Action::Wish(Some(row), wish), actions);
    };
    if http {
        wish(ui, "Copy URL", RowWish::Copy(Copied::Url), actions);
        ui.menu_button("Copy request as", |ui| {
            wish(ui, "cURL, secrets hidden", RowWish::Copy(Copied::Curl { secrets: false }), actions);
            wish(ui, "cURL with its secrets", RowWish::Copy(Copied::Curl { secrets: true }), actions);
            wish(ui, "What was sent, secrets hidden", RowWish::Copy(Copied::Raw { secrets: false }), actions);
            wish(ui, "What was sent with its secrets", RowWish::Copy(Copied::Raw { secrets: true }), actions);
        });
    }
    ui.menu_button("Copy rows", |ui| {
        let these = if several > 1 { format!("The {several} selected") } else { "This one".to_owned() };
        for (label, shown, jsonl) in [
            (format!("{these} as CSV"), false, false),
            (format!("{these} as JSON lines"), false, true),
            ("All shown as CSV".to_owned(), true, false),
            ("All shown as JSON lines".to_owned(), true, true),
        ] {
            wish(ui, &label, RowWish::Copy(Copied::Rows { shown, jsonl }), actions);
        }
    });
}

/// Items that give a row's conversation a colour, in a menu of their own.
pub(crate) fn colours(ui: &mut Ui, row: RowId, now: Option<FlowColour>, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    ui.menu_button("Colour this conversation", |ui| {
        let mut chosen = None;
        for colour in FlowColour::all() {
            let salt = egui::IdSalt::new(("colour of a flow", colour));
            let swatch = egui::Atom::custom(salt, vec2(18.0, 16.0));
            let words = format!("{} {}", colour.number(), theme::flow_name(colour));
            let button = egui::Button::new((swatch, words)).selected(now == Some(colour));
            let shown = button.frame_when_inactive(now == Some(colour)).atom_ui(ui);
            if let Some(rect) = shown.rect(salt) {
                shapes::flow(ui.painter(), rect, c, colour);
            }
            if shown.response.clicked() {
                chosen = Some(Some(colour));
            }
        }
        ui.separator();
        if ui.add_enabled(now.is_some(), egui::Button::new("None").frame_when_inactive(false)).clicked() {
            chosen = Some(None);
        }
        if let Some(colour) = chosen {
            actions.extend([Action::Among(row), Action::Note(NoteAction::Colour(colour))]);
            ui.close();
        }
    });
}

/// Items that tell of a signature.
pub(crate) fn tag(ui: &mut Ui, signature: u16, actions: &mut Vec<Action>) {
    action(ui, "Explain this tag…", || Action::Wish(None, RowWish::Tag(signature)), actions);
}
