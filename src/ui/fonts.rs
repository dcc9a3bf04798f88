//! Families of fonts that the system has, by their names.
//!
//! Comes in: names. Goes out: fonts, and words on what is not there. Looks through what is installed: not while painting.

use std::sync::Arc;

use egui::FontData;
use fontique::{Collection, CollectionOptions, FamilyInfo, FontStyle, FontWeight, FontWidth};

use crate::model::clean_to;

/// Characters of a name that a message repeats.
const SHOWN: usize = 60;

/// Fonts that were chosen: of each family the usual one, then one with more weight.
#[derive(Clone, Debug, Default)]
pub(crate) struct Families {
    pub(crate) sans: Option<[FontData; 2]>,
    pub(crate) mono: Option<[FontData; 2]>,
}

impl Families {
    /// Finds families by their names; an empty one asks for none. What is not there is said.
    pub(crate) fn find([sans, mono]: [&str; 2]) -> (Self, Vec<String>) {
        let mut messages = Vec::new();
        if sans.is_empty() && mono.is_empty() {
            return (Self::default(), messages);
        }
        let mut installed = Collection::new(CollectionOptions { shared: false, system_fonts: true });
        let mut find = |name: &str| {
            if name.is_empty() {
                return None;
            }
            let found = installed.family_by_name(name).and_then(|family| pair(&family));
            if found.is_none() {
                let name = clean_to(name.as_bytes(), SHOWN);
                messages.push(format!("No font called {name} is installed; ours is used (Preferences, Ctrl+,)"));
            }
            found
        };
        let families = Self { sans: find(sans), mono: find(mono) };
        (families, messages)
    }
}

fn pair(family: &FamilyInfo) -> Option<[FontData; 2]> {
    let font = |weight| {
        let font = family.match_font(FontWidth::NORMAL, FontStyle::Normal, weight, false)?;
        Some(FontData::from_blob(Arc::new(font.load(None)?), font.index()))
    };
    Some([font(FontWeight::NORMAL)?, font(FontWeight::SEMI_BOLD)?])
}

#[cfg(test)]
mod tests {
    use egui::{Context, RawInput};

    use super::{Collection, CollectionOptions, Families};
    use crate::ui::theme;

    #[test]
    fn installed_families_are_drawn_with_and_others_are_said() {
        let (none, said) = Families::find(["No Such Family", ""]);
        assert!(none.sans.is_none() && none.mono.is_none());
        assert_eq!(said, ["No font called No Such Family is installed; ours is used (Preferences, Ctrl+,)"]);
        let mut installed = Collection::new(CollectionOptions { shared: false, system_fonts: true });
        let names: Vec<String> = installed.family_names().take(5).map(str::to_owned).collect();
        for name in names {
            let (families, said) = Families::find([&name, &name]);
            assert!(said.is_empty() && families.sans.is_some() && families.mono.is_some(), "{name}: {said:?}");
            let ctx = Context::default();
            theme::install(&ctx);
            theme::use_families(&ctx, &families);
            let mut drawn = ctx.run_ui(RawInput::default(), |ui| {
                ui.label("Words");
                ui.monospace("bytes");
            });
            assert!(!drawn.shapes.is_empty(), "{name}");
            drawn.textures_delta.clear();
        }
    }
}
