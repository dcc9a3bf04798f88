//! The verdict card: what cannot be shown, who answered in one sentence, the four answers, what agrees, who gave the URL.

use egui::{Align, Layout, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::parts::{badges, caption, fold, go, point};
use crate::model::{Agreement, Detail, Grade, Stance, Standing, WitnessKind};
use crate::ui::action::{Action, Goal};
use crate::ui::prepared::Shown;
use crate::ui::roving::{Along, Roving, follow};
use crate::ui::state::{Fold, State, Tab};
use crate::ui::story::{AnswerLine, witness_words};
use crate::ui::table::{grade_meaning, grade_words};
use crate::ui::text::{plural, sentence};
use crate::ui::theme;
use crate::ui::{menus, shapes};

/// Width of the labels at the left in points.
const LABEL: f32 = 68.0;

/// Paints the card down to the ledger.
pub(crate) fn show(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    cannot_show(ui, shown, state, actions);
    claim(ui, shown);
    conflicts(ui, shown);
    if shown.record.verdict.operator.is_none() {
        origin(ui, shown, state, actions);
        return;
    }
    ui.add_space(2.0);
    let answers = &shown.story.answers;
    let is_found = |at: usize| answers.get(at).is_some_and(|answer| answer.found.is_some());
    let roving = Roving::new(ui, ui.scope_id().with("answers"), Along::Down, answers.len(), is_found);
    for (at, answer) in answers.iter().enumerate() {
        answer_line(ui, (at, &roving), answer, (&shown.story.sentence, state), actions);
    }
    roving.keep(ui);
    strip(ui, shown);
    path(ui, shown, state, actions);
    origin(ui, shown, state, actions);
    readings(ui, shown, state, actions);
}

/// Said before the verdict, in one line until somebody opens it.
fn cannot_show(ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) {
    let open = &shown.record.verdict.cannot_show;
    if open.is_empty() {
        return;
    }
    let words = format!("This capture cannot show {}", plural(open.len() as u64, "thing", "things"));
    if fold(ui, Fold::CannotShow, &words, state, actions) {
        for sentence in open {
            point(ui, sentence);
        }
        ui.add_space(2.0);
    }
}

/// The sentence with the provider's square, and how sure it is.
fn claim(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    let verdict = &shown.record.verdict;
    let story = &shown.story;
    ui.add_space(2.0);
    let Some(operator) = verdict.operator else {
        ui.label(egui::RichText::new(&story.sentence).font(theme::strong(theme::SECTION)));
        let words = if shown.lines.is_empty() {
            "Nothing in this exchange matches a signature. That proves nothing either way."
        } else {
            "What was found names software or a name, not whose machine answered."
        };
        ui.label(egui::RichText::new(words).color(c.quiet));
        return;
    };
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(34.0, 34.0), Sense::hover());
        shapes::provider(ui.painter(), rect, c, operator.value);
        ui.add_space(4.0);
        ui.vertical(|ui| {
            let words = egui::RichText::new(&story.sentence).font(theme::strong(theme::SECTION));
            ui.add(egui::Label::new(words).wrap());
        });
    });
    let grade = if verdict.conflict { Grade::Contradicted } else { verdict.grade.unwrap_or(operator.grade) };
    let colour = c.grade(grade);
    let response = ui
        .horizontal_wrapped(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 18.0), Sense::hover());
            shapes::grade(ui.painter(), rect.center(), 5.5, grade, colour);
            ui.label(egui::RichText::new(sentence(grade.word())).font(theme::strong(theme::BODY)).color(colour));
            let words = format!("{}; {}", grade_meaning(grade), story.scope);
            ui.label(egui::RichText::new(words).font(theme::sans(theme::SMALL)).color(c.quiet));
        })
        .response;
    response.on_hover_text(grade_words(grade));
}

fn conflicts(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    for words in &shown.story.conflicts {
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 18.0), Sense::hover());
            shapes::cross(ui.painter(), rect.center(), c.red);
            ui.add(egui::Label::new(egui::RichText::new(words).color(c.red)).wrap());
        });
    }
}

fn answer_line(
    ui: &mut Ui,
    (at, roving): (usize, &Roving),
    answer: &AnswerLine,
    (verdict, state): (&str, &State),
    actions: &mut Vec<Action>,
) {
    let c = theme::colours(ui);
    ui.horizontal(|ui| {
        caption(ui, answer.label, LABEL).on_hover_text(answer_tip(answer.label));
        let Some((value, grade)) = &answer.found else {
            ui.label(egui::RichText::new("not shown by this exchange").color(c.faint));
            return;
        };
        let (rect, response) = ui.allocate_exact_size(vec2(14.0, 18.0), Sense::hover());
        shapes::grade(ui.painter(), rect.center(), 4.5, *grade, c.grade(*grade));
        response.on_hover_text(grade_words(*grade));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let word = egui::RichText::new(grade.word()).font(theme::sans(theme::SMALL)).color(c.quiet);
            ui.label(word).on_hover_text(grade_words(*grade));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                // A picture has no tooltip that would give the rest.
                let label = egui::Label::new(value).sense(roving.sense(ui, at, ui.next_auto_id()));
                let response = ui.add(if state.still.is_some() { label.wrap() } else { label.truncate() });
                let line = format!("{}: {value}, {}", answer.label, grade.word());
                response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, line.clone()));
                roving.drawn(at, &response);
                menus::on(&response, response.has_focus(), |ui| {
                    if let Some(filter) = &answer.filter {
                        menus::filters(ui, filter, actions);
                        ui.separator();
                    }
                    menus::copy(ui, "Copy value", value, actions);
                    menus::copy(ui, "Copy line", &line, actions);
                    menus::copy(ui, "Copy verdict", verdict, actions);
                });
            });
        });
    });
}

/// What an answer is the answer to.
fn answer_tip(label: &str) -> &'static str {
    match label {
        "Operator" => "Whose machine answered",
        "Product" => "Which of the operator's services",
        "Role" => "What the machine that answered is there for",
        "Tenant" => "Whose account, bucket or distribution it is",
        _ => "",
    }
}

/// How many kinds of witness say what, in few words.
fn witnesses(agreement: Agreement) -> String {
    let of = |stance| WitnessKind::ALL.into_iter().filter(|kind| agreement.of(*kind) == stance).count();
    let words = |n: usize, one: &str, many: &str| (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }));
    [
        words(of(Stance::Agrees), "agrees", "agree"),
        words(of(Stance::Conflicts), "disagrees", "disagree"),
        words(of(Stance::Silent), "is silent", "are silent"),
        words(of(Stance::NotObservable), "cannot be seen", "cannot be seen"),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

/// Six labelled cells, under what they say together.
fn strip(ui: &mut Ui, shown: &Shown) {
    let c = theme::colours(ui);
    let verdict = &shown.record.verdict;
    let Some(operator) = verdict.operator else { return };
    ui.horizontal(|ui| {
        caption(ui, "Witnesses", LABEL)
            .on_hover_text("Kinds of evidence that could speak for this operator or against it");
        ui.label(witnesses(verdict.agreement));
    });
    let count = WitnessKind::ALL.len() as f32;
    let width = ((ui.available_width() - 4.0 * (count - 1.0)) / count).floor();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for kind in WitnessKind::ALL {
            let stance = verdict.agreement.of(kind);
            let (rect, response) = ui.allocate_exact_size(vec2(width, 26.0), Sense::hover());
            let bar = egui::Rect::from_min_size(rect.min, vec2(rect.width(), 8.0));
            shapes::witness(ui.painter(), bar, stance, operator.value, c);
            let ink = match stance {
                Stance::Agrees => c.text,
                Stance::Conflicts => c.red,
                Stance::Silent | Stance::NotObservable => c.faint,
            };
            ui.painter().with_clip_rect(rect).text(
                pos2(rect.left(), rect.bottom()),
                egui::Align2::LEFT_BOTTOM,
                short(kind),
                theme::sans(theme::SMALL),
                ink,
            );
            let words = witness_words(kind, stance);
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, words.clone()));
            response.on_hover_text(words);
        }
    });
    ui.add_space(2.0);
}

fn short(kind: WitnessKind) -> String {
    match kind {
        WitnessKind::Names => "SNI/Host".to_owned(),
        other => sentence(other.word()),
    }
}

/// The hops in one line; the tab draws them.
fn path(ui: &mut Ui, shown: &Shown, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let hops = &shown.story.way.hops;
    if hops.len() < 2 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        caption(ui, "Path", LABEL);
        for (i, hop) in hops.iter().enumerate() {
            if i > 0 {
                let (rect, _) = ui.allocate_exact_size(vec2(16.0, 18.0), Sense::hover());
                shapes::arrow(ui.painter(), rect.left_center(), rect.right_center(), c.faint);
            }
            if let Some(provider) = hop.provider {
                let (rect, _) = ui.allocate_exact_size(vec2(18.0, 16.0), Sense::hover());
                shapes::provider(ui.painter(), rect, c, provider);
            }
            ui.label(format!("{} {}", hop.name, hop.kind.to_lowercase()));
            badges(ui, &hop.lines, shown, state, actions);
        }
    });
}

/// Where URL, bytes and address came from, each with a way there.
fn origin(ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let story = &shown.story;
    if matches!(shown.record.exchange.detail, Detail::Dns(_)) {
        return;
    }
    ui.add_space(4.0);
    let no_giver = &shown.record.verdict.no_hand_out;
    if let Some(given) = &story.hand_out {
        entry(ui, "Hand-out", |ui| {
            leading(ui, &given.words, |ui| go(ui, Goal::Giver, state, actions)).on_hover_text(&given.url);
        });
    } else if !no_giver.is_empty() {
        entry(ui, "Hand-out", |ui| {
            if fold(ui, Fold::NoHandOut, "No earlier response in this capture gives this URL", state, actions) {
                for reason in no_giver {
                    point(ui, reason);
                }
            }
        });
    }
    if let Some((_, words)) = &story.first_write {
        entry(ui, "First write", |ui| {
            leading(ui, words, |ui| go(ui, Goal::Upload, state, actions));
        });
    }
    if let Some(custody) = &story.way.custody {
        entry(ui, "Signed URL", |ui| {
            let key = custody.facts.iter().find(|(label, _)| *label == "Key").map_or("", |(_, key)| key.as_str());
            let by = if custody.good == Some(true) { " by the server" } else { "" };
            let colour = if custody.good == Some(false) { c.red } else { c.text };
            let words = egui::RichText::new(format!("{}{by}, key {key}", custody.standing)).color(colour);
            ui.add(egui::Label::new(words).wrap());
        });
    }
    if let Some(lookup) = &story.way.lookup {
        entry(ui, "Lookup", |ui| {
            let words = format!("{}, {}", lookup.question, lookup.frames);
            leading(ui, &words, |ui| go(ui, Goal::Lookup, state, actions));
        });
    }
}

/// Words, and at the end of their first line the button that leads there: above the fold, however long they are.
fn leading(ui: &mut Ui, words: &str, button: impl FnOnce(&mut Ui)) -> Response {
    ui.horizontal_top(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            button(ui);
            ui.with_layout(Layout::left_to_right(Align::Min), |ui| ui.add(egui::Label::new(words).wrap())).inner
        })
        .inner
    })
    .inner
}

/// A caption with what stands at its right.
fn entry(ui: &mut Ui, label: &str, content: impl FnOnce(&mut Ui)) {
    ui.horizontal_top(|ui| {
        caption(ui, label, LABEL);
        ui.vertical(|ui| content(ui));
    });
}

/// What is left of other readings, in one line that leads to them.
fn readings(ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let story = &shown.story;
    if story.readings.is_empty() {
        return;
    }
    entry(ui, "Alternatives", |ui| {
        let open: Vec<&str> =
            story.readings.iter().filter(|r| r.standing == Standing::Open).map(|r| r.alternative.id()).collect();
        let which = if open.is_empty() { String::new() } else { format!(" ({})", open.join(", ")) };
        leading(ui, &format!("{}{which}", story.standings()), |ui| {
            if state.still.is_some() {
                return;
            }
            let button = ui.add(theme::small(egui::RichText::new("Show").color(c.accent)));
            button.clone().accessible_name("Show alternatives");
            follow(&button);
            if button.on_hover_text("What else could be true, and why not").clicked() {
                actions.push(Action::Tab(Tab::Readings));
            }
        });
    });
}
