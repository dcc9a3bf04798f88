//! The window: one of the two fronts.
//!
//! Comes in: snapshots and notices of the engine, keys and clicks. Goes out: commands to the engine, what is kept between
//! runs. Never: a change of the analysis, a file read while painting, captured bytes that did not pass `model::clean`.

mod action;
mod app;
mod chips;
mod clock;
mod comparison;
mod compose;
mod conversation;
mod dialogs;
pub mod figure;
mod filter;
mod findings;
mod fonts;
mod interfaces;
mod jobs;
mod kept;
mod live;
mod live_bar;
mod machine;
mod menus;
mod overview;
mod panes;
mod prepared;
mod raster;
mod roving;
mod shapes;
mod start_screen;
mod state;
mod status;
mod story;
mod table;
mod text;
mod theme;
mod toolbar;
mod verified;
mod way;
mod window;
mod wish;

pub use action::{
    Action, ColumnsAction, CompareAction, ExportAction, Goal, LiveAction, Move, PictureAction, PreferencesAction,
    TimeAction, TreeAction,
};
pub use app::Desk;
pub use filter::{FilterAction, FilterMemory, Join, KeptFilter, Which};
pub use live::{CaptureChoice, KeepChoice, Leave, RowsChoice, SaveWish, WhichRows};
pub use machine::{Machine, Recording};
pub use state::{
    Arrangement, BodyMode, CaptureOptions, Choice, Dialog, Fold, OlderTheme, PathPurpose, PreferencesDraft, Saved,
    State, Tab, Trouble, View,
};
pub use table::{Column, Fit};
pub use verified::Verified;
pub use window::{Begin, UiError, run};

/// Gives a context our fonts and styles. The window does it by itself; tests and pictures call it before the first pass.
pub fn prepare(ctx: &egui::Context) {
    theme::install(ctx);
}
