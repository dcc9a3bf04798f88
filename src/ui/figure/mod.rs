//! Pictures of exchanges, drawn off screen: the window's own panes, whole, at any size and scale, the same bytes every time.
//!
//! Comes in: a plan (what goes in) and a sheet (redacted records with their texts). Goes out: pixels, and where the numbers
//! stand. Never: a file, a display, the clock, the fonts of the machine, bytes that were not redacted.

pub(crate) mod annotate;
mod callouts;
mod glyphs;
mod heads;
mod making;
mod page;
mod sheet;

use crossbeam_channel::bounded;
use egui::epaint::ClippedPrimitive;
use egui::{Color32, ColorImage, Context, Pos2, RawInput, Rect, Ui, UiBuilder, Vec2, ViewportId, pos2, vec2};

pub use callouts::Placed;
pub(crate) use making::worded;
pub use making::{Listed, Made, MakeError, Making};
pub use page::Laid;
pub use sheet::{Chosen, Sheet};

use super::raster::Raster;
use super::state::State;
use super::theme;
use crate::case::{Look, Plan, Section, SectionChoice};

/// Narrowest and widest picture in points.
pub const WIDTHS: core::ops::RangeInclusive<u16> = 360..=3_000;
/// Pixels of one picture: 400 MB while it is made.
const PIXELS: u64 = 100_000_000;
/// Taller than any picture in points: what is laid out before its height is known.
const TALL: f32 = 60_000.0;
/// Texels of a side of the letters' texture.
const TEXTURE: usize = 8_192;

/// What the panes need to know when they are drawn for a picture, and what they tell of it.
#[derive(Debug, Default)]
pub(crate) struct Still {
    pub(crate) evidence_only: bool,
    /// The exchange that is drawn.
    pub(crate) exchange: u32,
    pub(crate) placed: Vec<Placed>,
    pub(crate) laid: Vec<Laid>,
    pub(crate) lines: Vec<Written>,
}

/// A line of a head in the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it stands, in points.
    pub rect: Rect,
    /// The field's value as it is drawn, or the start line.
    pub value: String,
    /// Whether that is all of it.
    pub whole: bool,
}

/// A finished picture.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Its pixels, all opaque.
    pub image: ColorImage,
    /// Where numbers stand, in points from the left upper corner before any crop.
    pub callouts: Vec<Placed>,
    /// Where sections stand, likewise.
    pub sections: Vec<Laid>,
    /// Where the lines of heads stand, likewise.
    pub lines: Vec<Written>,
    /// Size of what stands above the footer, in points before any crop.
    pub size: Vec2,
}

/// What a picture begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// The verdict with the lines that prove it.
    #[default]
    Evidence,
    /// Rows of the list.
    List,
    /// How the request came to where it was answered.
    Story,
}

impl Preset {
    /// The plan that it begins with.
    pub fn plan(self) -> Plan {
        use Section as S;
        let (sections, width): (&[Section], u16) = match self {
            Self::Evidence => (&[S::Verdict, S::Ledger, S::Request, S::Response], 1_080),
            Self::List => (&[S::List], 1_240),
            Self::Story => (&[S::Verdict, S::HandOut, S::NamePath, S::ServingPath, S::Readings], 1_080),
        };
        Plan { sections: sections.iter().map(|s| SectionChoice::open(*s)).collect(), width, ..Plan::default() }
    }
}

/// Why no picture can be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// More pixels than are drawn.
    #[error(
        "the picture would be {width} × {height} pixels, which is too large: take a smaller scale, evidence only, or fewer \
         sections or rows"
    )]
    TooLarge {
        /// Pixels across.
        width: u64,
        /// Pixels down.
        height: u64,
    },
}

/// Draws a picture.
pub fn draw(plan: &Plan, sheet: &Sheet) -> Result<Drawn, FigureError> {
    let scale = f32::from(plan.scale.clamp(1, 3));
    let width = f32::from(plan.width.clamp(*WIDTHS.start(), *WIDTHS.end()));
    let (used, boxes) = bounded(1);
    let ctx = Context::default();
    super::prepare(&ctx);
    ctx.add_glyph_rasterizer(glyphs::code_points(used));
    ctx.set_theme(match plan.look {
        Look::Light => egui::Theme::Light,
        Look::Dark => egui::Theme::Dark,
    });
    let mut easel = Easel { ctx, raster: Raster::default(), scale };
    let (mut still, mut size) = (Still::default(), Vec2::ZERO);
    let mut image = easel.draw(width, |ui| {
        let mut state =
            State { still: Some(Still { evidence_only: plan.evidence_only, ..Still::default() }), ..State::default() };
        page::content(ui, plan, sheet, &mut state);
        still = state.still.unwrap_or_default();
        size = vec2(width, ui.min_rect().bottom());
        annotate::paint(ui.painter(), &plan.annotations, &still.laid, width, theme::colours(ui));
    })?;
    annotate::cover(&mut image, &plan.annotations, &still.laid, scale, theme::solid());
    if let Some(area) = annotate::crop(&plan.annotations, &still.laid) {
        image = crop(&image, area, scale);
    }
    let boxed = boxes.try_recv().is_ok();
    let room = (image.size[0] as f32 / scale).max(f32::from(*WIDTHS.start()));
    let below = easel.draw(room, |ui| page::footer(ui, plan, sheet, boxed))?;
    let image = under(&image, &below, easel.ground());
    Ok(Drawn { image, callouts: still.placed, sections: still.laid, lines: still.lines, size })
}

/// A context with what paints it.
struct Easel {
    ctx: Context,
    raster: Raster,
    scale: f32,
}

impl Easel {
    /// Lays out twice to learn the height, a third time at that size, and paints that.
    fn draw(&mut self, width: f32, mut content: impl FnMut(&mut Ui)) -> Result<ColorImage, FigureError> {
        let (_, height) = self.pass(vec2(width, TALL), &mut content);
        let (_, height) = self.pass(vec2(width, height.min(TALL)), &mut content);
        let height = height.min(TALL).ceil();
        let size = [width, height].map(|points| (points * self.scale).round() as usize);
        let [across, down] = size.map(|n| n as u64);
        if across.saturating_mul(down) > PIXELS || height >= TALL {
            return Err(FigureError::TooLarge { width: across, height: down });
        }
        let (shapes, _) = self.pass(vec2(width, height), &mut content);
        Ok(self.raster.paint(&shapes, self.scale, size, self.ground()))
    }

    fn pass(&mut self, size: Vec2, content: &mut impl FnMut(&mut Ui)) -> (Vec<ClippedPrimitive>, f32) {
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
            max_texture_side: Some(TEXTURE),
            // Nothing moves: it is always the beginning of time.
            time: Some(0.0),
            focused: false,
            ..RawInput::default()
        };
        if let Some(viewport) = input.viewports.get_mut(&ViewportId::ROOT) {
            viewport.native_pixels_per_point = Some(self.scale);
        }
        let mut bottom = 0.0;
        let mut output = self.ctx.run_ui(input, |ui| {
            let room = Rect::from_min_max(pos2(page::EDGE, 0.0), pos2(size.x - page::EDGE, TALL));
            let mut inner = ui.new_child(UiBuilder::new().id_salt("figure").max_rect(room));
            inner.style_mut().interaction.selectable_labels = false;
            content(&mut inner);
            bottom = inner.min_rect().bottom();
        });
        self.raster.set(&output.textures_delta);
        output.textures_delta.clear();
        (self.ctx.tessellate(output.shapes, self.scale), bottom)
    }

    fn ground(&self) -> Color32 {
        self.ctx.global_style().visuals.extreme_bg_color
    }
}

/// The part of an image within `area`, at least a pixel.
fn crop(image: &ColorImage, area: Rect, scale: f32) -> ColorImage {
    let [width, height] = image.size;
    let pixel = |points: f32, limit: usize| ((points * scale).round().max(0.0) as usize).min(limit);
    let left = pixel(area.left(), width.saturating_sub(1));
    let top = pixel(area.top(), height.saturating_sub(1));
    let right = pixel(area.right(), width).max(left + 1);
    let bottom = pixel(area.bottom(), height).max(top + 1);
    let rows = (top..bottom).filter_map(|y| image.pixels.get(y * width + left..y * width + right));
    ColorImage::new([right - left, bottom - top], rows.flatten().copied().collect())
}

/// One image under another, the narrower one filled up to the right.
fn under(above: &ColorImage, below: &ColorImage, ground: Color32) -> ColorImage {
    let width = above.size[0].max(below.size[0]);
    let height = above.size[1] + below.size[1];
    let mut pixels = Vec::with_capacity(width * height);
    for image in [above, below] {
        for row in image.pixels.chunks_exact(image.size[0].max(1)) {
            pixels.extend_from_slice(row);
            pixels.resize(pixels.len() + width - row.len(), ground);
        }
    }
    ColorImage::new([width, height], pixels)
}
