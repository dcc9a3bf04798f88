//! What the user chose, by id, and the part of it that is kept between runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::conversation::Following;
use super::figure::Still;
use super::filter::{FilterBox, FilterMemory};
use super::kept;
use super::live::{CaptureChoice, Leave, RowsChoice, SaveWish};
use super::panes::messages::MessagesState;
use super::table::{Column, TableState, TreeState};
use super::verified::Verified;
use crate::capture::{FilterFault, Orphan};
use crate::case::{Preferences, ThemeChoice};
use crate::model::{FrameNo, ProviderId, Side, Timestamp};
use crate::store::groups::{GroupOrder, Grouping};
use crate::store::query::{SortBy, SortKey};
use crate::store::{HeaderName, RowId};

/// Captures remembered on the start screen.
const RECENT: usize = 10;

/// The theme as it was kept before there were preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OlderTheme {
    /// As the desktop says.
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

impl From<OlderTheme> for ThemeChoice {
    fn from(theme: OlderTheme) -> Self {
        match theme {
            OlderTheme::System => Self::System,
            OlderTheme::Dark => Self::Dark,
            OlderTheme::Light => Self::Light,
        }
    }
}

/// Which pane lies below the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    /// Verdict, ledger and both heads.
    #[default]
    Evidence,
    /// How the name led to the address, and which machines served.
    Path,
    /// Other readings, and attempts to break the verdict.
    Readings,
    /// Bodies.
    Body,
    /// The messages of a WebSocket.
    Messages,
    /// Addresses, handshake, certificates, DNS.
    Connection,
    /// Frames with hex.
    Frames,
}

impl Tab {
    pub(crate) const ALL: [Self; 7] =
        [Self::Evidence, Self::Path, Self::Readings, Self::Body, Self::Messages, Self::Connection, Self::Frames];
}

/// How the exchanges are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrangement {
    /// One below the other.
    #[default]
    List,
    /// By provider, site and host.
    Providers,
    /// By program and host.
    Programs,
}

impl Arrangement {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::List, Self::Providers, Self::Programs];

    /// By what rows are grouped; `None` in the list.
    pub(crate) fn grouping(self) -> Option<Grouping> {
        match self {
            Self::List => None,
            Self::Providers => Some(Grouping::Provider),
            Self::Programs => Some(Grouping::Program),
        }
    }
}

/// What fills the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum View {
    /// The list with its panes.
    #[default]
    Exchanges,
    /// What many exchanges together say.
    Findings,
    /// Two captures side by side.
    Compare,
    /// The picture that is composed.
    Picture,
}

/// What is folded until somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// What the capture cannot show.
    CannotShow,
    /// Why no hand-out was found.
    NoHandOut,
    /// The attempts to break the verdict.
    BreakIt,
}

/// How a body is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyMode {
    /// What fits the content.
    #[default]
    Fitting,
    /// Text as it stands.
    Text,
    /// Bytes.
    Hex,
}

/// What is kept between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// The theme, where an older version kept it here; it is among the preferences now.
    #[serde(skip_serializing)]
    pub theme: Option<OlderTheme>,
    /// Captures opened lately, newest first.
    pub recent: Vec<PathBuf>,
    /// Column widths that differ from the default, in points.
    pub widths: BTreeMap<Column, f32>,
    /// Columns that are not shown.
    pub hidden: Vec<Column>,
    /// Columns from left to right, hidden ones too; those that an older version did not know stand where they do at first.
    pub order: Vec<Column>,
    /// How the exchanges are arranged.
    pub arrangement: Arrangement,
    /// By what they are ordered.
    #[serde(with = "kept::sort")]
    pub sort: Vec<SortBy>,
    /// In what order groups stand.
    #[serde(with = "kept::group_order")]
    pub group_order: GroupOrder,
    /// Height of the panes in points, where it was chosen; else a part of the window.
    pub pane_height: Option<f32>,
    /// Width of the verdict card in points, where it was chosen; else a part of the window.
    pub card_width: Option<f32>,
    /// Whether the panes are folded away.
    pub folded: bool,
    /// The pane shown.
    pub tab: Tab,
    /// How to capture.
    pub capture: CaptureChoice,
    /// Filters used lately, and those kept by name.
    pub filters: FilterMemory,
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            theme: None,
            recent: Vec::new(),
            widths: BTreeMap::new(),
            order: Vec::new(),
            arrangement: Arrangement::List,
            sort: Vec::new(),
            group_order: GroupOrder::default(),
            hidden: vec![Column::Server, Column::Tenant, Column::Process, Column::Comment, Column::Waterfall],
            pane_height: None,
            card_width: None,
            folded: false,
            tab: Tab::Evidence,
            capture: CaptureChoice::default(),
            filters: FilterMemory::default(),
        }
    }
}

impl Saved {
    /// What was kept as JSON. What cannot be used of it is as at first, and costs nothing else.
    pub fn read(json: &str) -> Self {
        if let Ok(whole) = serde_json::from_str(json) {
            return whole;
        }
        let Ok(serde_json::Value::Object(given)) = serde_json::from_str(json) else { return Self::default() };
        let mut good = serde_json::Map::new();
        for (key, value) in given {
            let mut with = good.clone();
            with.insert(key, value);
            if serde_json::from_value::<Self>(with.clone().into()).is_ok() {
                good = with;
            }
        }
        serde_json::from_value(good.into()).unwrap_or_default()
    }

    /// All columns from left to right, hidden ones too, each once.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::with_capacity(Column::ALL.len() + self.order.len());
        for column in &self.order {
            if !columns.contains(column) {
                columns.push(*column);
            }
        }
        for (at, column) in Column::ALL.into_iter().enumerate() {
            if !columns.contains(&column) {
                let before = at.checked_sub(1).and_then(|at| Column::ALL.get(at));
                let place = before.and_then(|before| columns.iter().position(|known| known == before));
                columns.insert(place.map_or(0, |place| place + 1), column);
            }
        }
        columns
    }

    /// The header lines that are shown as columns.
    pub(crate) fn header_columns(&self) -> Vec<HeaderName> {
        let shown = self.order.iter().filter(|column| !self.hidden.contains(column));
        shown.filter_map(|column| column.header()).collect()
    }

    /// What is ordered by at first: as it was kept, but for columns that are not there any more.
    pub(crate) fn choice(&self) -> Choice {
        let columns = self.columns();
        let is_there = |by: &&SortBy| columns.iter().any(|column| column.sort() == Some(by.key));
        Choice {
            sort: self.sort.iter().filter(is_there).copied().collect(),
            arrangement: self.arrangement,
            group_order: self.group_order,
            ..Choice::default()
        }
    }

    /// Puts a capture at the head of the recent ones.
    pub(crate) fn remember(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.recent.retain(|known| *known != path);
        self.recent.insert(0, path);
        self.recent.truncate(RECENT);
    }
}

/// Which rows, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The text of the filter box.
    pub filter: String,
    /// The text of the highlight box.
    pub highlight: String,
    /// Only this operator; [`crate::store::Row::NONE`] for rows without one.
    pub provider: Option<ProviderId>,
    /// Only rows of this site, as the findings count them.
    pub site: Option<String>,
    /// Only rows that began in this stretch of capture time, both ends included.
    pub range: Option<(Timestamp, Timestamp)>,
    /// The order, the key first that decides first; none is capture order.
    pub sort: Vec<SortBy>,
    /// How they are arranged.
    pub arrangement: Arrangement,
    /// In what order groups stand there.
    pub group_order: GroupOrder,
}

impl Choice {
    /// Whether no row is left out.
    pub(crate) fn keeps_all(&self) -> bool {
        self.filter.trim().is_empty() && self.provider.is_none() && self.site.is_none() && self.range.is_none()
    }

    /// Orders by this alone; again turns it round, and once more gives capture order back.
    pub(crate) fn sort_by(&mut self, key: SortKey) {
        let by = |descending| vec![SortBy { key, descending }];
        let known = match self.sort.as_slice() {
            [only] if only.key == key => Some(only.descending),
            // What no key orders is in capture order already.
            [] if key == SortKey::Capture => Some(false),
            _ => None,
        };
        self.sort = match known {
            None if key == SortKey::Capture => Vec::new(),
            None => by(false),
            Some(false) => by(true),
            Some(true) => Vec::new(),
        };
    }

    /// Orders by this too, where all other keys are equal; again turns it round, and once more leaves it out.
    pub(crate) fn sort_also_by(&mut self, key: SortKey) {
        match self.sort.iter_mut().find(|by| by.key == key) {
            None => self.sort.push(SortBy { key, descending: false }),
            Some(by) if !by.descending => by.descending = true,
            Some(_) => self.sort.retain(|by| by.key != key),
        }
    }

    /// Leaves no row out. What stands out goes on standing out.
    pub(crate) fn clear(&mut self) {
        self.filter.clear();
        self.provider = None;
        self.site = None;
        self.range = None;
    }
}

/// Something that went wrong, shown until it is mended or sent away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What was tried.
    pub doing: String,
    /// Why it failed, and what to do.
    pub why: String,
    /// A command that would mend it.
    pub remedy: Option<String>,
}

impl Trouble {
    pub(crate) fn words(&self) -> String {
        // Errors of the floors below say themselves what could not be done.
        if self.doing.is_empty() || self.why.starts_with("cannot ") {
            return super::text::sentence(&self.why);
        }
        format!("Could not {}: {}", self.doing, self.why)
    }
}

/// What lies over the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// Our own question for a path.
    Path {
        /// What was typed.
        text: String,
        /// Why it is asked here.
        note: Option<String>,
        /// What the file is for.
        purpose: PathPurpose,
    },
    /// The list of keys.
    Keys {
        /// The words that choose among them.
        text: String,
    },
    /// What to do with several captures that were given together.
    Several(Vec<PathBuf>),
    /// All actions by name.
    Palette {
        /// What was typed.
        text: String,
        /// Which of those that fit is chosen.
        at: usize,
    },
    /// Our own question for a frame.
    Frame {
        /// What was typed.
        text: String,
    },
    /// What a tag stands on.
    Tag {
        /// The signature's number.
        signature: u16,
        /// How many rows have it, of how many looked through, once that is known.
        rows: Option<(usize, usize)>,
    },
    /// How to capture.
    Capture(Box<CaptureOptions>),
    /// Whether an unsaved capture may go.
    Unsaved(Leave),
    /// Which frames to save.
    SaveSome {
        /// Only the selected exchange, not all that are shown.
        selected: bool,
    },
    /// What the user prefers.
    Preferences(Box<PreferencesDraft>),
    /// Which rows to export, and in which form.
    Export(RowsChoice),
    /// Our own question where to save.
    SavePath {
        /// What was typed.
        text: String,
        /// Why it is asked here.
        note: Option<String>,
        /// What is saved.
        wish: SaveWish,
    },
    /// Whether a file that is there may be replaced.
    Replace {
        /// The file.
        path: PathBuf,
        /// What is saved.
        wish: SaveWish,
    },
    /// Whether a capture that was left behind may go.
    Delete(Orphan),
    /// Whether secrets may be shown in a picture.
    Secrets,
    /// A filter gets a name.
    NameFilter {
        /// The filter.
        filter: String,
        /// What was typed.
        name: String,
    },
    /// A header line is to be shown as a column.
    HeaderColumn {
        /// Whose message it stands in.
        side: Side,
        /// What was typed of its name.
        name: String,
    },
    /// What is said of a row.
    Comment {
        /// The row.
        row: RowId,
        /// What was typed.
        text: String,
        /// What was there.
        before: String,
        /// Whether the selected rows have comments that differ.
        differ: bool,
    },
    /// A picture, bundle or claim is being checked.
    Verifying {
        /// Which of the files given it is.
        number: u32,
        /// What it is called.
        name: String,
    },
    /// What checking came to.
    Verified(Box<Verified>),
    /// The conversation of a flow, which the state holds.
    Conversation,
}

/// Preferences while they are being chosen: what has a form of its own is a text until then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreferencesDraft {
    /// What was chosen so far, but for what follows.
    pub now: Preferences,
    /// Words to hide, with commas between them.
    pub words: String,
    /// The folder of live captures.
    pub live_folder: String,
    /// The folder of signature files.
    pub signatures_folder: String,
    /// Where they are kept.
    pub(crate) path: Option<String>,
}

impl PreferencesDraft {
    pub(crate) fn new(now: &Preferences, path: Option<String>) -> Self {
        let text =
            |path: &Option<PathBuf>| path.as_ref().map_or_else(String::new, |path| path.to_string_lossy().into_owned());
        Self {
            words: now.redaction.words.join(", "),
            live_folder: text(&now.live_folder),
            signatures_folder: text(&now.signatures_folder),
            now: now.clone(),
            path,
        }
    }

    /// What they come to.
    pub(crate) fn chosen(&self) -> Preferences {
        let mut now = self.now.clone();
        // Who did not touch the words keeps those that have a comma in them.
        if self.words != now.redaction.words.join(", ") {
            let words = self.words.split(',').map(str::trim).filter(|word| !word.is_empty());
            now.redaction.words = words.map(str::to_owned).collect();
        }
        let folder = |text: &str| (!text.trim().is_empty()).then(|| PathBuf::from(text.trim()));
        now.live_folder = folder(&self.live_folder);
        now.signatures_folder = folder(&self.signatures_folder);
        now
    }

    /// What stands in the way of keeping them.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let relative = |text: &str| !text.trim().is_empty() && !Path::new(text.trim()).is_absolute();
        let any = relative(&self.live_folder) || relative(&self.signatures_folder);
        any.then_some("A folder needs its whole path")
    }
}

/// What is selected beside the selected row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Several {
    /// The other rows.
    pub(crate) rows: BTreeSet<RowId>,
    /// Where a stretch begins that goes to the selected row.
    pub(crate) from: Option<RowId>,
}

/// The capture options while they are being chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureOptions {
    /// What was chosen so far.
    pub choice: CaptureChoice,
    /// The interface that stands first: the one chosen when the options were opened.
    pub(crate) first: String,
    /// What is wrong with the capture filter.
    pub(crate) fault: Option<FilterFault>,
    /// For which filter and link type that was found out.
    pub(crate) checked: Option<(String, u16)>,
    /// The filter that leaves out the session from elsewhere in which the window runs.
    pub(crate) session: Option<String>,
}

/// What a file is for whose path is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathPurpose {
    /// Whatever its bytes say.
    Open,
    /// To be verified, whatever it is.
    Verify,
    /// A TLS key log to decrypt with.
    KeyLog,
    /// A capture to hold beside the one on screen.
    Compare,
}

/// What the desktop's dialog is wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Choosing a capture to read.
    Open,
    /// Choosing a picture, bundle or claim to check.
    Verify,
    /// Choosing a TLS key log.
    KeyLog,
    /// Choosing a capture to hold beside the one on screen.
    Compare,
    /// Choosing where to save.
    Save(SaveWish),
}

impl State {
    /// How many rows are selected.
    pub(crate) fn selected_rows(&self) -> usize {
        self.several.rows.len() + usize::from(self.selected.is_some())
    }

    /// Whether a fold is open.
    pub(crate) fn open(&self, fold: Fold) -> bool {
        self.unfolded.contains(&fold)
    }

    /// Keeps the order of rows and groups for the next run.
    pub(crate) fn remember_order(&mut self) {
        if self.saved.sort != self.choice.sort {
            self.saved.sort.clone_from(&self.choice.sort);
        }
        self.saved.group_order = self.choice.group_order;
    }
}

/// All that the user chose.
#[derive(Debug, Default)]
pub struct State {
    /// The part kept between runs.
    pub saved: Saved,
    /// What is preferred for every capture; kept in a file of its own.
    pub preferences: Preferences,
    /// Which rows, in which order.
    pub choice: Choice,
    /// What fills the window.
    pub view: View,
    /// The selected row.
    pub selected: Option<RowId>,
    /// What is selected beside it.
    pub(crate) several: Several,
    /// The error on screen.
    pub trouble: Option<Trouble>,
    /// The dialog on screen.
    pub dialog: Option<Dialog>,
    pub(crate) table: TableState,
    /// What is open in the tree.
    pub(crate) tree: TreeState,
    /// Rows that times count from.
    pub(crate) references: Vec<RowId>,
    /// What is known of the text in the filter box.
    pub(crate) filter: FilterBox,
    /// The same of the highlight box; `None` while that is closed.
    pub(crate) highlight: Option<FilterBox>,
    /// The ledger line under the pointer, in card or head: lights in both. Set in one frame, drawn in the next.
    pub(crate) lit: Option<usize>,
    pub(crate) lit_next: Option<usize>,
    /// The ledger line that was clicked: its head scrolls there.
    pub(crate) wanted_line: Option<usize>,
    /// Which body is shown.
    pub(crate) body_side: Option<Side>,
    pub(crate) body_mode: BodyMode,
    /// What is chosen among the messages of a WebSocket.
    pub(crate) messages: MessagesState,
    /// The site under the pointer in the drawing of the findings.
    pub(crate) lit_site: Option<String>,
    /// What is unfolded.
    pub(crate) unfolded: Vec<Fold>,
    /// Rows that were left by going elsewhere, the latest last.
    pub(crate) left: Vec<RowId>,
    /// Rows that were left by going back, the latest last.
    pub(crate) ahead: Vec<RowId>,
    /// The frame shown.
    pub(crate) frame: Option<FrameNo>,
    /// Where a drag over the overview began, as a share of its width.
    pub(crate) swept: Option<f32>,
    /// What is drawn is a picture: all is whole, nothing can be clicked. `None` in the window.
    pub(crate) still: Option<Still>,
    /// What a native dialog is to be opened for, and what one is open for.
    pub(crate) dialog_wanted: Option<Wanted>,
    pub(crate) dialog_open: Option<Wanted>,
    /// Whether interfaces that are down or odd are shown.
    pub(crate) more_interfaces: bool,
    /// The conversation on screen.
    pub(crate) following: Option<Following>,
    /// What was done last, said once.
    pub(crate) said: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Choice, Saved};
    use crate::model::Side;
    use crate::store::HeaderName;
    use crate::store::groups::GroupOrder;
    use crate::store::query::{SortBy, SortKey};
    use crate::ui::Column;

    fn sorted(choice: &Choice) -> Vec<(SortKey, bool)> {
        choice.sort.iter().map(|by| (by.key, by.descending)).collect()
    }

    #[test]
    fn the_third_click_gives_capture_order_back() {
        let mut choice = Choice::default();
        let mut click = |key| {
            choice.sort_by(key);
            sorted(&choice)
        };
        assert_eq!(click(SortKey::Host), [(SortKey::Host, false)]);
        assert_eq!(click(SortKey::Host), [(SortKey::Host, true)]);
        assert_eq!(click(SortKey::Host), []);
        assert_eq!(click(SortKey::Capture), [(SortKey::Capture, true)], "capture order is there already");
        assert_eq!(click(SortKey::Capture), []);
        click(SortKey::Size);
        assert_eq!(click(SortKey::Host), [(SortKey::Host, false)], "another key replaces it");
        assert_eq!(click(SortKey::Capture), []);
    }

    #[test]
    fn further_keys_come_turn_round_and_go() {
        let mut choice = Choice::default();
        choice.sort_by(SortKey::Host);
        let mut click = |key| {
            choice.sort_also_by(key);
            sorted(&choice)
        };
        assert_eq!(click(SortKey::Size), [(SortKey::Host, false), (SortKey::Size, false)]);
        assert_eq!(click(SortKey::Host), [(SortKey::Host, true), (SortKey::Size, false)]);
        assert_eq!(click(SortKey::Host), [(SortKey::Size, false)]);
        choice.sort_by(SortKey::Size);
        assert_eq!(sorted(&choice), [(SortKey::Size, true)]);
    }

    #[test]
    fn what_older_versions_kept_is_read() {
        let saved = Saved::read(r#"{"recent":["/a.pcap"],"widths":{"Host":99.0},"hidden":["Tenant"]}"#);
        assert_eq!((saved.hidden.as_slice(), saved.widths.get(&Column::Host)), (&[Column::Tenant][..], Some(&99.0)));
        assert_eq!(saved.columns(), Column::ALL, "it knew no other order");
    }

    #[test]
    fn order_and_header_columns_come_back() {
        let line = Column::Header(HeaderName::new(Side::Server, "X-Cache").unwrap());
        let mut saved = Saved { order: vec![Column::Host, line, Column::Host], ..Saved::default() };
        saved.widths.insert(line, 77.0);
        let again = Saved::read(&serde_json::to_string(&saved).unwrap());
        assert_eq!(again, saved);
        let columns = again.columns();
        assert_eq!(columns.len(), Column::ALL.len() + 1, "each once: {columns:?}");
        assert_eq!(columns.last(), Some(&line), "{columns:?}");
    }

    #[test]
    fn keys_and_the_order_of_groups_come_back() {
        let line = HeaderName::new(Side::Server, "X-Cache").unwrap();
        let by = |key, descending| SortBy { key, descending };
        let sort = vec![by(SortKey::Capture, true), by(SortKey::Header(line), true), by(SortKey::Operator, false)];
        let saved = Saved { sort, group_order: GroupOrder::Name, ..Saved::default() };
        let again = Saved::read(&serde_json::to_string(&saved).unwrap());
        assert_eq!(again, saved);
        let choice = again.choice();
        assert_eq!(sorted(&choice), [(SortKey::Capture, true), (SortKey::Operator, false)], "there is no such column");
        assert_eq!(choice.group_order, GroupOrder::Name);
        let shown = Saved { order: vec![Column::Header(line)], ..again };
        assert_eq!(shown.choice().sort, saved.sort);
    }

    #[test]
    fn a_key_that_is_none_costs_only_itself() {
        let read =
            |sort: &str| Saved::read(&format!(r#"{{"recent":["/a.pcap"],"sort":{sort},"group_order":"Count"}}"#));
        for (sort, want) in [
            (r#"["Host","Later","-Size","-",7,null,"Host","-Host","response:","Agreement"]"#, 2),
            (r#"["Nonsense"]"#, 0),
            (r#""Host""#, 0),
            ("null", 0),
        ] {
            let saved = read(sort);
            assert_eq!(saved.sort.len(), want, "{sort}: {:?}", saved.sort);
            assert_eq!((saved.group_order, saved.recent.len()), (GroupOrder::Count, 1), "{sort}");
        }
        let keys: Vec<_> = read(r#"["-Size","Host"]"#).sort.iter().map(|by| (by.key, by.descending)).collect();
        assert_eq!(keys, [(SortKey::Size, true), (SortKey::Host, false)]);
        let saved = Saved::read(r#"{"sort":["Host"],"group_order":"Size"}"#);
        assert_eq!((saved.group_order, saved.sort.len()), (GroupOrder::Bytes, 1));
    }

    #[test]
    fn what_cannot_be_used_costs_nothing_else() {
        for broken in [
            r#"{"recent":["/a.pcap"],"hidden":["Nonsense"]}"#,
            r#"{"recent":["/a.pcap"],"order":7,"widths":{"response:":1.0}}"#,
            r#"{"hidden":null,"recent":["/a.pcap"],"tab":"Later","pane_height":"tall"}"#,
        ] {
            let saved = Saved::read(broken);
            assert_eq!(saved, Saved { recent: vec!["/a.pcap".into()], ..Saved::default() }, "{broken}");
        }
        for broken in ["", "[]", "nonsense", "{\"recent\":"] {
            assert_eq!(Saved::read(broken), Saved::default());
        }
    }
}
