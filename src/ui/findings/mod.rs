//! What many exchanges together say: site by site in counts and bytes, and who serves whom as a drawing.
//!
//! Comes in: the findings of a snapshot, made ready on the jobs thread. Goes out: a wish to see one site's exchanges.

mod drawing;
mod list;

use egui::{Align, CornerRadius, Layout, Rect, Stroke, Ui, UiBuilder, pos2};

use super::action::Action;
use super::state::State;
use super::theme;
use crate::model::clean_to;
use crate::store::{RowId, SiteFindings, Snapshot};

use drawing::Drawing;
use list::List;

/// Characters of a site's name.
const SITE_CHARS: usize = 120;
/// From this width on drawing and list stand side by side.
const SIDE_BY_SIDE: f32 = 1_100.0;

/// The findings, ready to paint.
#[derive(Debug)]
pub(crate) struct Findings {
    drawing: Drawing,
    list: List,
}

impl Findings {
    /// `ignored` exchanges are not counted among them.
    pub(crate) fn new(sites: &[SiteFindings], ignored: usize) -> Self {
        Self { drawing: Drawing::new(sites), list: List::new(sites, ignored) }
    }
}

/// A site's name ready for display.
pub(crate) fn shown_site(site: &str) -> String {
    clean_to(site.as_bytes(), SITE_CHARS).into_owned()
}

/// Whether the findings count a row for that site (by its name on screen). May read the record: not while painting.
pub(crate) fn of_site(snapshot: &Snapshot, id: RowId, site: &str) -> bool {
    snapshot.site(id).is_some_and(|own| shown_site(&own) == site)
}

/// Paints the view into all that `ui` has left.
pub(crate) fn show(ui: &mut Ui, findings: Option<&Findings>, state: &mut State, actions: &mut Vec<Action>) {
    let c = theme::colours(ui);
    let all = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(all);
    ui.painter().rect_filled(all, CornerRadius::ZERO, c.page);
    let mut inner = ui.new_child(UiBuilder::new().max_rect(all).layout(Layout::top_down(Align::Min)));
    let Some(findings) = findings else {
        super::panes::empty(&mut inner, "Counting");
        return;
    };
    if findings.list.is_empty() {
        super::panes::empty(&mut inner, "No HTTP exchange or sealed session was found, so there is nothing to count");
        return;
    }
    // One above the other where they are too narrow side by side.
    let (left, right) = if all.width() < SIDE_BY_SIDE {
        let split = (all.top() + all.height() * 0.5).round();
        inner.painter().hline(all.x_range(), split, Stroke::new(1.0, c.line));
        (
            Rect::from_min_max(all.min, pos2(all.right(), split)),
            Rect::from_min_max(pos2(all.left(), split + 1.0), all.max),
        )
    } else {
        let split = (all.left() + all.width() * 0.42).round();
        inner.painter().vline(split, all.y_range(), Stroke::new(1.0, c.line));
        (
            Rect::from_min_max(all.min, pos2(split, all.bottom())),
            Rect::from_min_max(pos2(split + 1.0, all.top()), all.max),
        )
    };
    let mut side =
        inner.new_child(UiBuilder::new().id_salt("sites").max_rect(right).layout(Layout::top_down(Align::Min)));
    side.set_clip_rect(right);
    list::show(&mut side, &findings.list, state.lit_site.as_deref(), actions);
    let mut side =
        inner.new_child(UiBuilder::new().id_salt("drawing").max_rect(left).layout(Layout::top_down(Align::Min)));
    side.set_clip_rect(left);
    state.lit_site = drawing::show(&mut side, &findings.drawing, actions);
}
