//! Colours, sizes and fonts: the one place where they are chosen, for the dark and the light theme.
#![expect(clippy::disallowed_methods, reason = "this is the place where colours are made")]

use std::sync::{Arc, OnceLock};

use egui::style::{ScrollStyle, Selection, WidgetVisuals, Widgets};
use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke, Style,
    TextStyle, Theme, Ui, Vec2, Visuals,
};

use super::fonts::Families;
use crate::case::ThemeChoice;
use crate::evidence::pack;
use crate::model::{Grade, ProviderId};
use crate::store::FlowColour;

/// Heights and insets in points, on a grid of 4.
pub(crate) const ROW: f32 = 24.0;
pub(crate) const HEADER: f32 = 26.0;
pub(crate) const LINE: f32 = 18.0;
pub(crate) const CORNER: u8 = 6;

/// Sizes of text in points.
pub(crate) const SMALL: f32 = 11.0;
pub(crate) const BODY: f32 = 13.0;
pub(crate) const MONO: f32 = 12.0;
pub(crate) const SECTION: f32 = 15.0;
pub(crate) const TITLE: f32 = 22.0;

/// Contrast of graphics that mean something (WCAG 2.2, 1.4.11).
const GRAPHICS: f32 = 3.0;
/// Contrast of what is filled in the light theme, inside a line that has the former.
const BRIGHT: f32 = 2.1;
/// The strongest tint of a provider's colour that its bars and outlines lie on: a lit line.
pub(crate) const MOST_TINT: f32 = 0.24;

/// The share of amber in the ground of a marked row.
pub(crate) fn marked_tint(dark: bool) -> f32 {
    if dark { 0.22 } else { 0.26 }
}

/// The colours of flows, by their numbers. Red is left out: it says that something is wrong.
const FLOWS: [(&str, Color32); FlowColour::COUNT as usize] = [
    ("pink", Color32::from_rgb(0xf4, 0x5a, 0xb0)),
    ("violet", Color32::from_rgb(0x9a, 0x6b, 0xf7)),
    ("blue", Color32::from_rgb(0x3f, 0x83, 0xf8)),
    ("cyan", Color32::from_rgb(0x1c, 0xbd, 0xdb)),
    ("teal", Color32::from_rgb(0x12, 0x9e, 0x8e)),
    ("green", Color32::from_rgb(0x2f, 0xb3, 0x4f)),
    ("lime", Color32::from_rgb(0x9a, 0xcd, 0x1e)),
    ("gold", Color32::from_rgb(0xe3, 0xb3, 0x14)),
    ("orange", Color32::from_rgb(0xf9, 0x7a, 0x1c)),
    ("brown", Color32::from_rgb(0xa1, 0x6a, 0x3f)),
];

/// What the colour of a flow is called.
pub(crate) fn flow_name(colour: FlowColour) -> &'static str {
    FLOWS.get(usize::from(colour.number()) - 1).map_or("", |(name, _)| name)
}

/// A provider's colour in two strengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hue {
    /// For squares, numbers and cells, which have an outline of `line`, and for tints.
    pub(crate) fill: Color32,
    /// For lines, bars and outlines: 3 : 1 on whatever they are drawn on.
    pub(crate) line: Color32,
}

/// The colours of one theme.
#[derive(Debug)]
pub(crate) struct Colours {
    /// Dark or light.
    pub(crate) dark: bool,
    /// The ground: table and panes.
    pub(crate) page: Color32,
    /// One step above: bars.
    pub(crate) surface: Color32,
    /// Two steps above: cards, inputs.
    pub(crate) raised: Color32,
    /// Under the pointer.
    pub(crate) hover: Color32,
    /// Hairlines.
    pub(crate) line: Color32,
    /// Outlines of what is ticked or written in; 3 : 1 on the page and the bars.
    pub(crate) edge: Color32,
    /// What is read.
    pub(crate) text: Color32,
    /// What is secondary.
    pub(crate) quiet: Color32,
    /// What is hardly needed; still 4.5 : 1 on the page.
    pub(crate) faint: Color32,
    /// Selection, focus, the primary action.
    pub(crate) accent: Color32,
    /// Text on the accent.
    pub(crate) on_accent: Color32,
    /// A selected row.
    pub(crate) selection: Color32,
    /// Loss and conflict only.
    pub(crate) red: Color32,
    /// Caution.
    pub(crate) amber: Color32,
    /// Going on as it should; always with a word.
    pub(crate) green: Color32,
    /// What a server says; a client has the accent. Always with a letter.
    pub(crate) server: Color32,
}

static DARK: Colours = Colours {
    dark: true,
    page: Color32::from_rgb(0x0f, 0x12, 0x18),
    surface: Color32::from_rgb(0x16, 0x1a, 0x22),
    raised: Color32::from_rgb(0x1e, 0x23, 0x2d),
    hover: Color32::from_rgb(0x1b, 0x20, 0x2a),
    line: Color32::from_rgb(0x27, 0x2d, 0x39),
    edge: Color32::from_rgb(0x6b, 0x76, 0x88),
    text: Color32::from_rgb(0xe8, 0xeb, 0xf1),
    quiet: Color32::from_rgb(0xa3, 0xac, 0xbb),
    faint: Color32::from_rgb(0x84, 0x8e, 0x9f),
    accent: Color32::from_rgb(0x6b, 0x9b, 0xff),
    on_accent: Color32::from_rgb(0x0b, 0x12, 0x20),
    selection: Color32::from_rgb(0x1f, 0x30, 0x55),
    red: Color32::from_rgb(0xff, 0x6b, 0x6e),
    amber: Color32::from_rgb(0xe9, 0xb0, 0x4a),
    green: Color32::from_rgb(0x4c, 0xc3, 0x8a),
    server: Color32::from_rgb(0xe0, 0x9c, 0xe8),
};

static LIGHT: Colours = Colours {
    dark: false,
    page: Color32::from_rgb(0xff, 0xff, 0xff),
    surface: Color32::from_rgb(0xf5, 0xf6, 0xf8),
    raised: Color32::from_rgb(0xec, 0xee, 0xf2),
    hover: Color32::from_rgb(0xf1, 0xf3, 0xf7),
    line: Color32::from_rgb(0xdd, 0xe0, 0xe6),
    edge: Color32::from_rgb(0x80, 0x89, 0x99),
    text: Color32::from_rgb(0x17, 0x1b, 0x23),
    quiet: Color32::from_rgb(0x50, 0x59, 0x68),
    faint: Color32::from_rgb(0x64, 0x6d, 0x7c),
    accent: Color32::from_rgb(0x25, 0x5b, 0xd8),
    on_accent: Color32::from_rgb(0xff, 0xff, 0xff),
    selection: Color32::from_rgb(0xd9, 0xe5, 0xfd),
    red: Color32::from_rgb(0xc2, 0x2b, 0x32),
    amber: Color32::from_rgb(0x8f, 0x5b, 0x00),
    green: Color32::from_rgb(0x17, 0x72, 0x45),
    server: Color32::from_rgb(0x93, 0x2b, 0x9e),
};

/// The colours of the theme that `ui` has.
pub(crate) fn colours(ui: &Ui) -> &'static Colours {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

impl Colours {
    /// A provider's colour. In the light theme what is bright stays bright (orange at 3 : 1 on white is mud), and a line of
    /// the same hue parts it from what lies under it.
    pub(crate) fn provider(&self, id: ProviderId) -> Hue {
        // A repaint asks some hundred times, and each answer takes dozens of powers.
        static HUES: OnceLock<[Vec<Hue>; 2]> = OnceLock::new();
        let [light, dark] = HUES.get_or_init(|| {
            [&LIGHT, &DARK].map(|c| pack().providers.iter().map(|provider| c.hue(provider.colour)).collect())
        });
        let hues = if self.dark { dark } else { light };
        hues.get(usize::from(id.0)).copied().unwrap_or_else(|| Hue { fill: self.unknown(), line: self.unknown() })
    }

    fn hue(&self, [r, g, b]: [u8; 3]) -> Hue {
        let colour = Color32::from_rgb(r, g, b);
        // A selected row is the ground nearest to it.
        let line = self.moved(colour, |moved| {
            let tint = Self::tint(self.page, moved, MOST_TINT);
            [self.selection, tint].iter().all(|ground| contrast(moved, *ground) >= GRAPHICS)
        });
        let fill = if self.dark { line } else { self.moved(colour, |moved| contrast(moved, self.page) >= BRIGHT) };
        Hue { fill, line }
    }

    /// The colour of a flow: 3 : 1 on every ground that a row has.
    pub(crate) fn flow(&self, colour: FlowColour) -> Color32 {
        static COLOURS: OnceLock<[Vec<Color32>; 2]> = OnceLock::new();
        let [light, dark] = COLOURS.get_or_init(|| {
            [&LIGHT, &DARK].map(|c| {
                let marked = Self::tint(c.page, c.amber, marked_tint(c.dark));
                let enough = |moved| [c.page, c.selection, marked].iter().all(|on| contrast(moved, *on) >= GRAPHICS);
                FLOWS.iter().map(|(_, colour)| c.moved(*colour, enough)).collect()
            })
        });
        let colours = if self.dark { dark } else { light };
        colours.get(usize::from(colour.number()) - 1).copied().unwrap_or(self.text)
    }

    /// What stands for no provider in bars and lines; 3 : 1 too.
    pub(crate) fn unknown(&self) -> Color32 {
        Self::tint(self.page, self.faint, 0.9)
    }

    /// Moved in small steps towards black or white, away from the page, until it is enough.
    fn moved(&self, mut colour: Color32, enough: impl Fn(Color32) -> bool) -> Color32 {
        let away = if self.dark { Color32::WHITE } else { Color32::BLACK };
        for _ in 0..12 {
            if enough(colour) {
                break;
            }
            colour = colour.lerp_to_gamma(away, 0.08);
        }
        colour
    }

    /// `colour` laid over `ground` at `share` (0 to 1).
    pub(crate) fn tint(ground: Color32, colour: Color32, share: f32) -> Color32 {
        ground.lerp_to_gamma(colour, share)
    }

    /// The colour of a grade's mark.
    pub(crate) fn grade(&self, grade: Grade) -> Color32 {
        match grade {
            Grade::Contradicted => self.red,
            Grade::NameOnly => self.faint,
            Grade::Suggests => self.quiet,
            Grade::Supports | Grade::Conclusive => self.text,
        }
    }
}

/// What hides something in a picture, in both themes.
pub(crate) fn solid() -> Color32 {
    Color32::from_rgb(0x24, 0x2a, 0x35)
}

/// The colours of the program's icon, the same in both themes.
pub(crate) struct Icon {
    pub(crate) dial: Color32,
    pub(crate) ring: Color32,
    pub(crate) left: Color32,
    pub(crate) right: Color32,
    pub(crate) sight: Color32,
}

/// Those of `assets/desktop/nephoscope-small.svg`.
pub(crate) fn icon() -> Icon {
    Icon {
        dial: Color32::from_rgb(0x18, 0x23, 0x3d),
        ring: Color32::from_rgb(0xb9, 0xc5, 0xdd),
        left: Color32::from_rgb(0x4b, 0x84, 0xff),
        right: Color32::from_rgb(0xff, 0xb2, 0x24),
        sight: Color32::WHITE,
    }
}

/// Black or white, whichever reads better on `ground`; one of them always reads well.
pub(crate) fn ink(ground: Color32) -> Color32 {
    let (white, black) = (Color32::WHITE, Color32::BLACK);
    if contrast(ground, white) >= contrast(ground, black) { white } else { black }
}

/// A button that stands in a line of text.
pub(crate) fn small<'a>(words: impl egui::IntoAtoms<'a>) -> egui::Button<'a> {
    egui::Button::new(words).small().min_size(Vec2::new(0.0, 20.0))
}

/// A button that is words alone, and ends where they do: for the end of a column.
pub(crate) fn bare<'a>(words: impl egui::IntoAtoms<'a>) -> egui::Button<'a> {
    egui::Button::new(words).small().frame(false).min_size(Vec2::new(0.0, 20.0))
}

/// Gives what is ticked or written in an outline that stands out, in dialogs and wherever else there is no frame around it.
pub(crate) fn form(ui: &mut Ui) {
    let edge = Stroke::new(1.0, colours(ui).edge);
    ui.visuals_mut().widgets.inactive.bg_stroke = edge;
}

fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance as WCAG 2 defines it.
fn luminance(colour: Color32) -> f32 {
    let linear = |v: u8| {
        let v = f32::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
}

/// Text.
pub(crate) fn sans(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Text with weight.
pub(crate) fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("strong".into()))
}

/// Bytes, headers and hex.
pub(crate) fn mono() -> FontId {
    FontId::new(MONO, FontFamily::Monospace)
}

/// Bytes with weight.
pub(crate) fn mono_strong() -> FontId {
    FontId::new(MONO, FontFamily::Name("mono-strong".into()))
}

/// A theme as egui names it.
pub(crate) fn preference(theme: ThemeChoice) -> egui::ThemePreference {
    match theme {
        ThemeChoice::System => egui::ThemePreference::System,
        ThemeChoice::Dark => egui::ThemePreference::Dark,
        ThemeChoice::Light => egui::ThemePreference::Light,
    }
}

/// Gives a context our fonts and both styles.
pub(crate) fn install(ctx: &Context) {
    ctx.set_fonts(fonts(&Families::default()));
    // Text has a size that is remembered; egui's own keys would not tell.
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
    ctx.set_style_of(Theme::Dark, style(&DARK));
    ctx.set_style_of(Theme::Light, style(&LIGHT));
}

/// Puts other families before ours, which stand in for what those lack.
pub(crate) fn use_families(ctx: &Context, chosen: &Families) {
    ctx.set_fonts(fonts(chosen));
}

fn fonts(chosen: &Families) -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let ours: [(&str, &'static [u8]); 4] = [
        ("Inter", include_bytes!("../../assets/fonts/Inter-Regular-tnum.otf")),
        ("Inter SemiBold", include_bytes!("../../assets/fonts/Inter-SemiBold-tnum.otf")),
        ("JetBrains Mono", include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf")),
        ("JetBrains Mono SemiBold", include_bytes!("../../assets/fonts/JetBrainsMono-SemiBold.ttf")),
    ];
    for (name, bytes) in ours {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let behind = |family: &FontFamily| fonts.families.get(family).cloned().unwrap_or_default();
    let (sans, mono) = (behind(&FontFamily::Proportional), behind(&FontFamily::Monospace));
    let chain = |first: &[&str], rest: &[String]| -> Vec<String> {
        first.iter().map(|name| (*name).to_owned()).chain(rest.iter().cloned()).collect()
    };
    let families = [
        (FontFamily::Proportional, chain(&["Inter", "JetBrains Mono"], &sans)),
        (FontFamily::Name("strong".into()), chain(&["Inter SemiBold", "JetBrains Mono SemiBold"], &sans)),
        (FontFamily::Monospace, chain(&["JetBrains Mono", "Inter"], &mono)),
        (FontFamily::Name("mono-strong".into()), chain(&["JetBrains Mono SemiBold", "Inter SemiBold"], &mono)),
    ];
    fonts.families.extend(families);
    let places = [
        (&chosen.sans, [FontFamily::Proportional, FontFamily::Name("strong".into())]),
        (&chosen.mono, [FontFamily::Monospace, FontFamily::Name("mono-strong".into())]),
    ];
    for (family, places) in places {
        for (data, place) in family.iter().flatten().zip(places) {
            let name = format!("chosen for {place}");
            fonts.font_data.insert(name.clone(), Arc::new(data.clone()));
            fonts.families.entry(place).or_default().insert(0, name);
        }
    }
    fonts
}

fn style(c: &Colours) -> Style {
    let mut style = Style {
        text_styles: [
            (TextStyle::Small, sans(SMALL)),
            (TextStyle::Body, sans(BODY)),
            (TextStyle::Button, sans(BODY)),
            (TextStyle::Heading, strong(SECTION)),
            (TextStyle::Monospace, mono()),
        ]
        .into(),
        visuals: visuals(c),
        // No motion for show.
        animation_time: 0.0,
        ..Style::default()
    };
    style.spacing.item_spacing = Vec2::new(8.0, 4.0);
    style.spacing.button_padding = Vec2::new(10.0, 4.0);
    style.spacing.interact_size = Vec2::new(32.0, 24.0);
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.window_margin = Margin::same(16);
    style.spacing.scroll = ScrollStyle {
        bar_width: 8.0,
        floating_allocated_width: 8.0,
        // The text's colour, half seen: the widgets' own is hardly told from what lies under it.
        foreground_color: true,
        dormant_background_opacity: 0.0,
        active_background_opacity: 0.0,
        dormant_handle_opacity: 0.5,
        active_handle_opacity: 0.5,
        interact_handle_opacity: 0.65,
        ..ScrollStyle::thin()
    };
    style.interaction.tooltip_delay = 0.4;
    style.interaction.selectable_labels = true;
    style
}

fn visuals(c: &Colours) -> Visuals {
    let base = if c.dark { Visuals::dark() } else { Visuals::light() };
    let corner = CornerRadius::same(CORNER);
    let part = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: corner,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let pressed = Colours::tint(c.raised, c.accent, 0.25);
    let shadow =
        Shadow { offset: [0, 6], blur: 20, spread: 0, color: Color32::from_black_alpha(if c.dark { 120 } else { 40 }) };
    Visuals {
        widgets: Widgets {
            noninteractive: part(c.surface, c.line, c.text),
            inactive: part(c.raised, c.line, c.text),
            hovered: part(Colours::tint(c.raised, c.text, 0.06), Colours::tint(c.line, c.text, 0.15), c.text),
            active: part(pressed, c.accent, c.text),
            open: part(Colours::tint(c.raised, c.text, 0.06), c.line, c.text),
        },
        selection: Selection { bg_fill: c.selection, stroke: Stroke::new(1.0, c.accent) },
        hyperlink_color: c.accent,
        faint_bg_color: c.surface,
        extreme_bg_color: c.page,
        text_edit_bg_color: Some(c.page),
        code_bg_color: c.raised,
        warn_fg_color: c.amber,
        error_fg_color: c.red,
        window_corner_radius: CornerRadius::same(10),
        window_shadow: shadow,
        window_fill: c.surface,
        window_stroke: Stroke::new(1.0, c.line),
        menu_corner_radius: CornerRadius::same(8),
        panel_fill: c.surface,
        popup_shadow: shadow,
        weak_text_color: Some(c.quiet),
        ..base
    }
}

#[cfg(test)]
mod tests {
    use super::{Colours, DARK, GRAPHICS, Hue, LIGHT, MOST_TINT, contrast, ink};
    use crate::model::ProviderId;
    use crate::store::FlowColour;

    #[track_caller]
    fn check(c: &Colours) {
        for (name, colour) in [
            ("text", c.text),
            ("quiet", c.quiet),
            ("faint", c.faint),
            ("red", c.red),
            ("amber", c.amber),
            ("green", c.green),
            ("accent", c.accent),
            ("server", c.server),
        ] {
            for ground in [c.page, c.surface, c.hover] {
                let got = contrast(colour, ground);
                assert!(got >= 4.5, "{name} on {ground:?}: {got}");
            }
        }
        for colour in [c.text, c.quiet] {
            assert!(contrast(colour, c.raised) >= 4.5 && contrast(colour, c.selection) >= 4.5);
        }
        assert!(contrast(c.on_accent, c.accent) >= 4.5);
    }

    /// Nobody has to tell operators apart by their colours.
    #[test]
    fn no_two_providers_share_their_letters() {
        let providers = crate::evidence::pack().providers;
        for (i, provider) in providers.iter().enumerate() {
            assert!(!provider.glyph.is_empty());
            let other = providers.iter().skip(i + 1).find(|other| other.glyph == provider.glyph);
            assert!(other.is_none(), "{} and {}", provider.id, other.map_or("", |other| other.id));
        }
    }

    /// Graphics that mean something stand out at 3 : 1 (WCAG 2.2, 1.4.11).
    #[test]
    fn focus_and_selection_stand_out() {
        for c in [&DARK, &LIGHT] {
            for ground in [c.page, c.surface, c.raised] {
                assert!(contrast(c.accent, ground) >= GRAPHICS, "{ground:?}");
                assert!(contrast(c.edge, ground) >= GRAPHICS, "{ground:?}");
            }
        }
    }

    /// Every provider's bars, lines and outlines do, on every ground that they are drawn on, and so does what stands for none.
    #[test]
    fn providers_stand_out() {
        for c in [&DARK, &LIGHT] {
            let grounds = [c.page, c.surface, c.raised, c.hover, c.selection];
            for (i, provider) in crate::evidence::pack().providers.iter().enumerate() {
                let id = ProviderId(u16::try_from(i).unwrap());
                let Hue { fill, line } = c.provider(id);
                let tints = [0.055, 0.12, MOST_TINT].map(|share| Colours::tint(c.page, fill, share));
                for ground in grounds.into_iter().chain(tints) {
                    let got = contrast(line, ground);
                    assert!(got >= GRAPHICS, "{} on {ground:?}: {got}", provider.id);
                }
                // Letters and numbers on it are text.
                let got = contrast(ink(fill), fill);
                assert!(got >= 4.5, "letters on {}: {got}", provider.id);
            }
            for ground in grounds {
                let got = contrast(c.unknown(), ground);
                assert!(got >= GRAPHICS, "no provider on {ground:?}: {got}");
            }
        }
    }

    /// The colours of flows do too, and nobody has to tell them apart: their numbers are text.
    #[test]
    fn flows_stand_out_and_their_numbers_are_read() {
        for c in [&DARK, &LIGHT] {
            let marked = Colours::tint(c.page, c.amber, super::marked_tint(c.dark));
            let mut seen = Vec::new();
            for colour in FlowColour::all() {
                let fill = c.flow(colour);
                let tints = crate::evidence::pack().providers.iter().enumerate().map(|(i, _)| {
                    let hue = c.provider(ProviderId(u16::try_from(i).unwrap()));
                    Colours::tint(c.page, hue.fill, 0.06)
                });
                for ground in tints.chain([c.page, c.selection, c.hover, marked]) {
                    let got = contrast(fill, ground);
                    assert!(got >= GRAPHICS, "{} on {ground:?}: {got}", super::flow_name(colour));
                }
                let got = contrast(ink(fill), fill);
                assert!(got >= 4.5, "the number of {}: {got}", super::flow_name(colour));
                assert!(!seen.contains(&fill), "{} twice", super::flow_name(colour));
                seen.push(fill);
            }
        }
    }

    #[test]
    fn dark_reads_well() {
        check(&DARK);
    }

    #[test]
    fn light_reads_well() {
        check(&LIGHT);
    }
}
