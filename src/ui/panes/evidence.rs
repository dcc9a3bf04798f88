//! The verdict card with its ledger, beside the request's and the response's head.

use egui::{
    Align, CornerRadius, CursorIcon, Layout, Rect, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, Vec2, WidgetInfo,
    pos2, vec2,
};

use super::head;
use crate::evidence::pack;
use crate::model::{Answer, Detail, Grade, Group, ProviderId};
use crate::ui::action::Action;
use crate::ui::prepared::{LedgerLine, Shown};
use crate::ui::shapes::{self, Witness};
use crate::ui::state::State;
use crate::ui::table::grade_words;
use crate::ui::text::sentence;
use crate::ui::theme::{self, Colours};

/// Paints the pane.
pub(crate) fn show(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    let card_width = state.saved.card_width.clamp(260.0, (all.width() * 0.6).max(260.0));
    let split = all.left() + card_width;
    let card = Rect::from_min_max(all.min, pos2(split, all.bottom()));
    let mut left = ui.new_child(UiBuilder::new().id_salt("card").max_rect(card).layout(Layout::top_down(Align::Min)));
    left.set_clip_rect(card.intersect(ui.clip_rect()));
    verdict(&mut left, shown, state, actions);
    divider(ui, split, all, state);

    let heads = Rect::from_min_max(pos2(split + 1.0, all.top()), all.max);
    let Detail::Http(_) = shown.record.exchange.detail else {
        let mut right = ui.new_child(UiBuilder::new().max_rect(heads).layout(Layout::top_down(Align::Min)));
        right.set_clip_rect(heads.intersect(ui.clip_rect()));
        super::connection::show(&mut right, shown, actions);
        return;
    };
    let middle = heads.center().x.round();
    ui.painter().vline(middle, heads.y_range(), Stroke::new(1.0, c.line));
    let halves = [
        (Rect::from_min_max(heads.min, pos2(middle, heads.bottom())), "Request", shown.request.as_ref()),
        (Rect::from_min_max(pos2(middle + 1.0, heads.top()), heads.max), "Response", shown.response.as_ref()),
    ];
    for (rect, title, message) in halves {
        let mut half =
            ui.new_child(UiBuilder::new().id_salt(title).max_rect(rect).layout(Layout::top_down(Align::Min)));
        half.set_clip_rect(rect.intersect(ui.clip_rect()));
        half.spacing_mut().item_spacing = Vec2::new(4.0, 0.0);
        head::show(&mut half, title, message, &shown.lines, state, actions);
    }
}

fn divider(ui: &Ui, x: f32, all: Rect, state: &mut State) {
    let c = theme::colours(ui);
    let grip = Rect::from_x_y_ranges(x - 4.0..=x + 4.0, all.y_range());
    let response =
        ui.interact(grip, ui.scope_id().with("card width"), Sense::DRAG).on_hover_cursor(CursorIcon::ResizeHorizontal);
    let lit = response.hovered() || response.dragged();
    ui.painter().vline(x, all.y_range(), Stroke::new(1.0, if lit { c.accent } else { c.line }));
    if response.dragged() {
        state.saved.card_width = (state.saved.card_width + response.drag_delta().x).clamp(260.0, 1_200.0);
    }
}

fn verdict(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    ScrollArea::vertical().id_salt("card").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 4.0);
        egui::Frame::NONE.inner_margin(egui::Margin { left: 12, right: 12, top: 10, bottom: 12 }).show(ui, |ui| {
            ui.set_width(ui.available_width());
            answer(ui, shown);
            witnesses(ui, shown);
            path(ui, shown);
            ledger(ui, shown, state, actions);
            open_questions(ui, shown);
        });
    });
}

/// Who, what, for whom, and how sure.
fn answer(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    let verdict = &shown.record.verdict;
    let Some(operator) = verdict.operator else {
        ui.label(egui::RichText::new("No known provider").font(theme::strong(theme::SECTION)));
        ui.label(
            egui::RichText::new(if shown.lines.is_empty() {
                "Nothing in this exchange matches a signature. That proves nothing either way."
            } else {
                "What was found names software or a name, not whose machine answered."
            })
            .color(c.quiet),
        );
        ui.add_space(4.0);
        return;
    };
    let provider = pack().providers.get(usize::from(operator.value.0));
    let service = verdict.product.and_then(|p| pack().services.get(usize::from(p.value)));
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(34.0, 34.0), Sense::hover());
        shapes::provider(ui.painter(), rect, c, operator.value);
        ui.add_space(4.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let name = provider.map_or("unknown provider", |p| p.name);
            ui.label(egui::RichText::new(name).font(theme::strong(theme::SECTION)));
            let mut under: Vec<&str> = service.map(|s| s.name).into_iter().collect();
            let role = verdict.role.map(|r| r.value.replace('-', " "));
            under.extend(role.as_deref());
            ui.label(
                egui::RichText::new(if under.is_empty() { "service not shown".to_owned() } else { under.join(" · ") })
                    .color(c.quiet),
            );
        });
    });
    ui.add_space(2.0);
    let grade = if verdict.conflict { Grade::Contradicted } else { verdict.grade.unwrap_or(operator.grade) };
    let time = shown.record.exchange.time;
    grade_line(ui, grade, "for this exchange");
    pair(ui, "Seen", &format!("{} {} UTC", time.date(), time.time_of_day(3)));
    if let Some(tenant) = &verdict.tenant {
        graded(ui, "Account", &tenant.value.name, tenant.grade);
        if let Some(first) = &tenant.value.first_party {
            pair(ui, "Serves", first);
        }
    }
    answer_grades(ui, operator, verdict.product, verdict.role);
}

/// The answers whose grade is not that of the whole.
fn answer_grades(
    ui: &mut Ui,
    operator: Answer<ProviderId>,
    product: Option<Answer<u16>>,
    role: Option<Answer<&'static str>>,
) {
    if let Some(product) = product
        && product.grade != operator.grade
        && let Some(service) = pack().services.get(usize::from(product.value))
    {
        graded(ui, "Service", service.name, product.grade);
    }
    if let Some(role) = role
        && role.grade != operator.grade
    {
        graded(ui, "Role", &role.value.replace('-', " "), role.grade);
    }
}

fn grade_line(ui: &mut Ui, grade: Grade, rest: &str) {
    let c = theme::colours(ui);
    let colour = c.grade(grade);
    let response = ui
        .horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 18.0), Sense::hover());
            shapes::grade(ui.painter(), rect.center(), 5.5, grade, colour);
            ui.label(egui::RichText::new(sentence(grade.word())).font(theme::strong(theme::BODY)).color(colour));
            ui.add(egui::Label::new(egui::RichText::new(rest).color(c.quiet)).truncate());
        })
        .response;
    response.on_hover_text(grade_words(grade));
}

fn graded(ui: &mut Ui, label: &str, value: &str, grade: Grade) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        caption(ui, label);
        let (rect, response) = ui.allocate_exact_size(vec2(12.0, 18.0), Sense::hover());
        shapes::grade(ui.painter(), rect.center(), 4.5, grade, c.grade(grade));
        response.on_hover_text(grade_words(grade));
        ui.add(egui::Label::new(value).truncate());
    });
}

fn pair(ui: &mut Ui, label: &str, value: &str) {
    ui.horizontal(|ui| {
        caption(ui, label);
        ui.add(egui::Label::new(value).truncate());
    });
}

fn caption(ui: &mut Ui, label: &str) {
    let c = theme::colours(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(56.0, 18.0), Sense::hover());
    ui.painter().text(rect.left_center(), egui::Align2::LEFT_CENTER, label, theme::sans(theme::SMALL), c.quiet);
}

/// Six cells, one for each kind of witness.
fn witnesses(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    let Some(operator) = shown.record.verdict.operator else { return };
    ui.add_space(4.0);
    let colour = c.provider(operator.value);
    let cells = cells(shown, operator.value);
    let width = (ui.available_width() - 4.0 * (cells.len() - 1) as f32) / cells.len() as f32;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (label, state, words) in cells {
            let (rect, response) = ui.allocate_exact_size(vec2(width, 26.0), Sense::hover());
            let bar = Rect::from_min_size(rect.min, vec2(rect.width(), 8.0));
            shapes::witness(ui.painter(), bar, state, colour, c);
            let ink = if state == Witness::Agrees { c.text } else { c.faint };
            ui.painter().with_clip_rect(rect).text(
                pos2(rect.left(), rect.bottom()),
                egui::Align2::LEFT_BOTTOM,
                label,
                theme::sans(theme::SMALL),
                ink,
            );
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, words.clone()));
            response.on_hover_text(words);
        }
    });
    ui.add_space(4.0);
}

fn cells(shown: &Shown, operator: ProviderId) -> Vec<(&'static str, Witness, String)> {
    let exchange = &shown.record.exchange;
    let (http, tls) = match &exchange.detail {
        Detail::Http(_) => (true, false),
        Detail::Tls(_) => (false, true),
        Detail::Dns(_) => (false, false),
    };
    let kinds: [(&str, &[Group], bool, &str); 6] = [
        ("Name", &[Group::NameChoice], true, "the name that was asked for"),
        ("CNAME", &[Group::DnsAuthority], true, "the DNS chain in this capture"),
        ("Address", &[Group::Routing], true, "the server's address"),
        ("Certificate", &[Group::KeyHolder], tls, "the certificate"),
        ("Headers", &[Group::AnsweringSoftware, Group::Behaviour, Group::Arithmetic], http, "the response's headers"),
        ("Upload", &[Group::Writer, Group::Custody], http, "an accepted upload or signed URL"),
    ];
    kinds
        .into_iter()
        .map(|(label, groups, visible, what)| {
            let of: Vec<_> = shown.record.ledger.iter().filter(|e| groups.contains(&e.group)).collect();
            let state = if of.iter().any(|e| e.provider == operator) {
                Witness::Agrees
            } else if !of.is_empty() {
                Witness::Differs
            } else if visible {
                Witness::Silent
            } else {
                Witness::Unseen
            };
            let words = match state {
                Witness::Agrees => format!("{}: agrees", sentence(what)),
                Witness::Differs => format!("{}: points at another provider", sentence(what)),
                Witness::Silent => format!("{}: says nothing", sentence(what)),
                Witness::Unseen => format!("{}: cannot be seen in such an exchange", sentence(what)),
            };
            (label, state, words)
        })
        .collect()
}

/// The hops as far as lines show them.
fn path(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    let hops = &shown.record.verdict.path;
    if hops.len() < 2 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(egui::RichText::new("Path").font(theme::sans(theme::SMALL)).color(c.quiet));
        for (i, hop) in hops.iter().enumerate() {
            if i > 0 {
                ui.label(egui::RichText::new("→").color(c.faint));
            }
            let (rect, _) = ui.allocate_exact_size(vec2(18.0, 16.0), Sense::hover());
            shapes::provider(ui.painter(), rect, c, hop.provider);
            let service = hop.service.and_then(|s| pack().services.get(usize::from(s))).map(|s| s.name);
            let name = pack().providers.get(usize::from(hop.provider.0)).map_or("", |p| p.name);
            ui.label(format!("{} {}", service.unwrap_or(name), hop.kind));
        }
    });
}

fn ledger(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    if shown.lines.is_empty() {
        return;
    }
    ui.add_space(2.0);
    ui.label(egui::RichText::new("Ledger").font(theme::strong(theme::BODY)));
    for (i, line) in shown.lines.iter().enumerate() {
        entry(ui, i, line, state, actions, c);
    }
}

fn entry(ui: &mut Ui, i: usize, line: &LedgerLine, state: &mut State, actions: &mut Vec<Action>, c: &Colours) {
    let colour = c.provider(line.provider);
    let lit = state.lit == Some(i);
    let width = ui.available_width();
    let painter = ui.painter().clone();
    let room = width - 34.0;
    let mut job = egui::text::LayoutJob::simple(line.excerpt.clone(), theme::mono(), c.text, room);
    job.wrap.break_anywhere = true;
    job.wrap.max_rows = 3;
    job.wrap.overflow_character = Some('…');
    let excerpt = painter.layout_job(job);
    let about = painter.layout_job({
        let words = format!("{} · {}", sentence(line.group), line.place);
        let mut job = egui::text::LayoutJob::simple(words, theme::sans(theme::SMALL), c.quiet, room);
        job.wrap.max_rows = 1;
        job.wrap.break_anywhere = true;
        job
    });
    let height = excerpt.size().y + about.size().y + 10.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Button, true, format!("Evidence {} {} {}", i + 1, line.group, line.excerpt))
    });
    let hot = lit || response.hovered() || response.has_focus();
    let ground = if hot { Colours::tint(c.page, colour, 0.2) } else { Colours::tint(c.page, colour, 0.07) };
    painter.rect_filled(rect, CornerRadius::same(4), ground);
    painter.rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), CornerRadius::same(1), colour);
    head::number(
        &painter,
        Rect::from_min_size(rect.min + vec2(9.0, 6.0), vec2(19.0, 15.0)),
        &(i + 1).to_string(),
        colour,
    );
    let x = rect.left() + 34.0;
    painter.galley(pos2(x, rect.top() + 6.0 + excerpt.size().y), about, c.quiet);
    painter.galley(pos2(x, rect.top() + 4.0), excerpt, c.text);
    if response.hovered() {
        state.lit_next = Some(i);
    }
    if response.clicked() {
        actions.push(Action::Line(i));
    }
    response.context_menu(|ui| {
        if ui.button("Copy evidence").clicked() {
            actions.push(Action::Copy(line.excerpt.clone()));
            ui.close();
        }
        if let Some(frame) = line.frame
            && ui.button("Show frame").clicked()
        {
            actions.push(Action::Frame(frame));
            ui.close();
        }
    });
    response.on_hover_ui(|ui| {
        ui.set_max_width(440.0);
        let mut part = |label: &str, words: &str| {
            if !words.is_empty() {
                ui.label(egui::RichText::new(label).font(theme::sans(theme::SMALL)).color(c.quiet));
                ui.label(words);
            }
        };
        part("Proves", line.proves);
        part("Only suggests", line.suggests);
        part("Could be forged by", line.forgeable_by);
        part("Speaks to", &line.speaks_to);
        part("Signature", line.signature);
    });
}

fn open_questions(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    let open = &shown.record.verdict.cannot_show;
    if open.is_empty() {
        return;
    }
    ui.add_space(4.0);
    ui.label(egui::RichText::new("What this capture cannot show").font(theme::strong(theme::BODY)));
    for sentence in open {
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(8.0, 18.0), Sense::hover());
            ui.painter().circle_filled(pos2(rect.center().x, rect.center().y), 1.5, c.faint);
            ui.add(egui::Label::new(egui::RichText::new(*sentence).color(c.quiet)).wrap());
        });
    }
}
