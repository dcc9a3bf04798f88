//! What can be done, with the one table from which buttons, menus, shortcuts and help are drawn.

use std::path::PathBuf;

use egui::{Context, Key, KeyboardShortcut, Modifiers};

use super::conversation::ConversationAction;
use super::filter::FilterAction;
use super::live::{Leave, RowsChoice, SaveWish};
use super::state::{Arrangement, BodyMode, Fold, Tab, View};
use super::table::{Column, Fit};
use super::wish::RowWish;
use crate::capture::Orphan;
use crate::case::{Preferences, ThemeChoice, TimeFormat};
use crate::model::{FrameNo, ProviderId, Side, Timestamp};
use crate::store::groups::GroupOrder;
use crate::store::query::SortKey;
use crate::store::{self, FlowColour, RowId};

/// Something the user asks for. Widgets collect them; `Desk::apply` alone makes them happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask for a capture with the desktop's dialog.
    Open,
    /// Ask for a path with our own dialog.
    AskPath,
    /// Read this capture.
    OpenPath(PathBuf),
    /// Open or check these files, whatever they are.
    Given(Vec<PathBuf>),
    /// Open these captures as one, merged by time.
    Merge(Vec<PathBuf>),
    /// Ask for a picture, bundle or claim with the desktop's dialog, to check it.
    Verify,
    /// Check this file.
    VerifyPath(PathBuf),
    /// Ask for a TLS key log with the desktop's dialog.
    KeyLog,
    /// Decrypt with this key log: the capture is read again.
    KeyLogPath(PathBuf),
    /// Decrypt with no key log any more: the capture is read again.
    NoKeyLog,
    /// Stop reading.
    Stop,
    /// Back to the start screen.
    Close,
    /// End the program.
    Quit,
    /// Go to the filter box.
    FocusFilter,
    /// Show all rows again.
    ClearFilter,
    /// Something about the filter and the highlight.
    Filter(FilterAction),
    /// Show the rows of one operator, or of all.
    Provider(Option<ProviderId>),
    /// Show the rows of a stretch of time, or of all.
    Range(Option<(Timestamp, Timestamp)>),
    /// Order by this; again turns the order round, and once more gives capture order back.
    Sort(SortKey),
    /// Order by this too, where the other keys are equal.
    SortAlso(SortKey),
    /// Select a row.
    Select(RowId),
    /// Select a row; where it is one of several that are, these stay.
    Among(RowId),
    /// Select one row more, or one less.
    Toggle(RowId),
    /// Select all rows from where the selection began to this one.
    SelectTo(RowId),
    /// Select all rows that are shown.
    SelectAll,
    /// Move the selection.
    Move(Move),
    /// Move the end of what is selected.
    Stretch(Move),
    /// Show or hide a column.
    Column(Column),
    /// All columns as at first.
    ResetColumns,
    /// Show the header line of this name, in requests or responses, as a column.
    HeaderColumn(Side, String),
    /// Something about the columns.
    Columns(ColumnsAction),
    /// Something about how times are said.
    Time(TimeAction),
    /// Something about the list as a tree.
    Tree(TreeAction),
    /// Show a pane.
    Tab(Tab),
    /// Fold the panes away, or bring them back.
    Fold,
    /// Choose a theme.
    Theme(ThemeChoice),
    /// Copy a text.
    Copy(String),
    /// Copy the selected row.
    CopyRow,
    /// Show the list of keys.
    Keys,
    /// Close the dialog, else the error, else empty the filter.
    Escape,
    /// Send the error away.
    DismissTrouble,
    /// Forget the recent captures.
    ForgetRecent,
    /// Show this message's body.
    BodySide(Side),
    /// Show bodies so.
    BodyMode(BodyMode),
    /// Choose a message of a WebSocket, by its place among them.
    Message(usize),
    /// Decode the picture in a body.
    Picture(Side),
    /// Show a frame.
    Frame(FrameNo),
    /// Bring a ledger line into view.
    Line(usize),
    /// Show the list or the findings.
    View(View),
    /// Show the rows of one site, and of one operator where one is given.
    Site(String, Option<ProviderId>),
    /// Select an exchange that the selected one points at.
    Go(Goal),
    /// Open or close a fold.
    Unfold(Fold),
    /// Something about live captures, or about saving.
    Live(LiveAction),
    /// Something about the picture.
    Compose(PictureAction),
    /// Something about marks and comments.
    Note(NoteAction),
    /// Something about exporting rows.
    Export(ExportAction),
    /// Something about two captures side by side.
    Compare(CompareAction),
    /// Something about what the user prefers.
    Preferences(PreferencesAction),
    /// Something about the conversation of a flow.
    Conversation(ConversationAction),
    /// Something that takes reading, of a row; of the selected one where none is given.
    Wish(Option<RowId>, RowWish),
    /// Choose among all actions by name.
    Palette,
    /// Ask for the number of a frame.
    AskFrame,
    /// Another size of all text.
    TextSize(TextStep),
}

/// Another size of all text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextStep {
    /// A step larger.
    Larger,
    /// A step smaller.
    Smaller,
    /// As at first.
    Usual,
}

/// Something about what the user prefers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreferencesAction {
    /// Ask for it.
    Ask,
    /// Put this to use and keep it.
    Keep(Box<Preferences>),
}

/// Something about the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnsAction {
    /// Ask for the name of a header line to show as a column.
    AskHeader,
    /// Take a header line's column away.
    Remove(Column),
    /// Make columns as wide as what stands in them.
    Fit(Fit),
    /// Put a column elsewhere.
    Move {
        /// The column.
        column: Column,
        /// What it stands before then; the end where `None`.
        before: Option<Column>,
    },
}

/// Something about the list as a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeAction {
    /// Show exchanges so.
    Arrange(Arrangement),
    /// From the list to the tree by provider, or back.
    Switch,
    /// Let groups stand in this order.
    Sort(GroupOrder),
    /// Open or close the group of this key.
    Toggle(u64),
    /// Open or close the group that has the cursor.
    ToggleHere,
    /// Close the group that has the cursor, or go to the one around it.
    Left,
    /// Open the group that has the cursor, or go into it.
    Right,
}

/// Something about how times are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeAction {
    /// So.
    Format(TimeFormat),
    /// With so many decimals of a second.
    Decimals(u8),
    /// Let times count from the selected row, or no longer.
    Reference,
}

/// Something about two captures side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareAction {
    /// Ask which capture to hold beside the one on screen.
    Ask,
    /// Hold this file beside it.
    With(PathBuf),
    /// Open the first of two files, and hold the second beside it.
    Both([PathBuf; 2]),
    /// Show the exchanges of a site in one of the two.
    Show(store::Which, String),
}

/// Something about exporting rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportAction {
    /// Ask which rows, and in which form.
    Ask,
    /// Ask where to save these.
    Choose(RowsChoice),
}

/// Something about marks and comments on rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteAction {
    /// Mark the selected row, or take its mark away.
    Mark,
    /// Ignore the selected row, or take it back.
    Ignore,
    /// Ignore no row any more.
    TakeBack,
    /// Give the selected row's flow a colour; none takes it away.
    Colour(Option<FlowColour>),
    /// Take the colours of all flows away.
    Uncolour,
    /// Ask for the comment on the selected row.
    Comment,
    /// Say this of a row.
    Say {
        /// The row.
        row: RowId,
        /// The comment; empty takes it away.
        comment: String,
    },
    /// Select the next marked row.
    Next,
    /// Select the marked row before.
    Previous,
}

/// Something about the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureAction {
    /// Take the selected exchange into it.
    Add,
    /// Ask where to save it, or the bundle.
    Save {
        /// The bundle.
        bundle: bool,
    },
    /// Copy its pixels.
    Copy,
    /// Ask whether secrets may be shown in it.
    AskSecrets,
    /// Show secrets in it.
    ShowSecrets,
}

/// Something about live captures, or about saving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveAction {
    /// Ask how to capture.
    Options,
    /// Begin as the options on screen say.
    Start,
    /// Begin on this interface, else as was chosen last.
    Capture(String),
    /// Stop what goes on; where nothing does, begin as was chosen last.
    Toggle,
    /// Throw the capture away and begin again.
    Restart,
    /// Show no newer rows while the capture goes on, or show them again.
    Pause,
    /// Stay at the newest row, or stay where one is.
    Follow,
    /// Remember this moment as an action.
    Mark,
    /// Take away the mark of the action of this number (from 1).
    Unmark(usize),
    /// Show the rows of the action of this number (from 1), or of all.
    Marked(usize),
    /// List the interfaces again.
    Refresh,
    /// Ask where to save everything.
    Save,
    /// Ask which rows to save.
    SaveSome,
    /// Ask where to save the rows that are shown, or the selected one.
    SaveRows {
        /// Only the selected one.
        selected: bool,
    },
    /// Save.
    SaveTo {
        /// The file.
        path: PathBuf,
        /// What is saved.
        wish: SaveWish,
        /// Whether a file that is there may be replaced.
        replace: bool,
    },
    /// Save an unsaved capture, then go on.
    SaveThen(Leave),
    /// Throw an unsaved capture away, then go on.
    DiscardThen(Leave),
    /// Take over a capture that was left behind.
    Recover(PathBuf),
    /// Ask where to save a capture that was left behind.
    SaveOrphan(PathBuf),
    /// Ask whether a capture that was left behind may go.
    AskDelete(Orphan),
    /// Delete a capture that was left behind.
    Delete(PathBuf),
}

/// Where to go from the selected exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The response that gave the URL.
    Giver,
    /// The earlier upload.
    Upload,
    /// The lookup that the connection followed.
    Lookup,
    /// This row.
    Row(RowId),
    /// Where one was before going.
    Back,
    /// Where one went back from.
    Forward,
}

/// A step of the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// So many rows down; up where negative.
    By(isize),
    /// So many pages down; up where negative.
    Page(isize),
    /// The first row.
    First,
    /// The last row.
    Last,
}

/// An action's words and key.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) action: Action,
    pub(crate) label: &'static str,
    pub(crate) tip: &'static str,
    pub(crate) key: Option<KeyboardShortcut>,
}

const fn command(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn shifted(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

/// The entry of a conversation's colour. The digits alone show panes.
const fn coloured(number: u8, label: &'static str, tip: &'static str, key: Key) -> Entry {
    let key = Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::ALT), key));
    Entry { action: Action::Note(NoteAction::Colour(FlowColour::new(number))), label, tip, key }
}

/// Actions that have a key or stand in a menu. Longer shortcuts before shorter ones that they contain.
pub(crate) static ENTRIES: [Entry; 84] = [
    Entry {
        action: Action::Wish(None, RowWish::Flow),
        label: "Only this connection",
        tip: "Show only the exchanges of the selected one's connection",
        key: Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::ALT), Key::F)),
    },
    Entry {
        action: Action::Conversation(ConversationAction::Ask),
        label: "Follow stream…",
        tip: "Show what both ends of the selected exchange's connection said, as one conversation",
        key: Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::ALT).plus(Modifiers::SHIFT), Key::T)),
    },
    Entry {
        action: Action::Live(LiveAction::Options),
        label: "Capture…",
        tip: "Choose an interface and how to capture from it",
        key: Some(command(Key::K)),
    },
    Entry {
        action: Action::Export(ExportAction::Ask),
        label: "Export rows…",
        tip: "Write rows as CSV, JSON lines, HAR or Parquet: all, those shown, or those marked",
        key: Some(shifted(Key::E)),
    },
    Entry {
        action: Action::Compare(CompareAction::Ask),
        label: "Compare with…",
        tip: "Choose another capture, and see what changed of each site",
        key: Some(shifted(Key::D)),
    },
    Entry {
        action: Action::Live(LiveAction::Toggle),
        label: "Start or stop capturing",
        tip: "Begin on the interface chosen last, or stop; what was captured stays",
        key: Some(command(Key::E)),
    },
    Entry {
        action: Action::Live(LiveAction::Restart),
        label: "Restart",
        tip: "Throw this capture away and begin again on the same interface",
        key: Some(command(Key::R)),
    },
    Entry {
        action: Action::Live(LiveAction::Pause),
        label: "Pause list",
        tip: "Show no newer rows; the capture goes on",
        key: Some(shifted(Key::P)),
    },
    Entry {
        action: Action::Live(LiveAction::Follow),
        label: "Follow",
        tip: "Stay at the newest row; End does it too, scrolling up ends it",
        key: Some(plain(Key::F4)),
    },
    Entry {
        action: Action::Live(LiveAction::Mark),
        label: "Action now",
        tip: "Press it when doing what is tested: marks the moment, in a file that of the selected exchange; action:1 shows what began in the 10 s after it",
        key: Some(plain(Key::F9)),
    },
    Entry {
        action: Action::Live(LiveAction::SaveSome),
        label: "Save some…",
        tip: "Save the frames of the shown exchanges, or of the selected one",
        key: Some(shifted(Key::S)),
    },
    Entry {
        action: Action::Live(LiveAction::Save),
        label: "Save…",
        tip: "Save everything that was captured as pcapng",
        key: Some(command(Key::S)),
    },
    Entry {
        action: Action::Live(LiveAction::Refresh),
        label: "List interfaces again",
        tip: "Look for interfaces that came or went",
        key: Some(plain(Key::F5)),
    },
    Entry {
        action: Action::AskPath,
        label: "Open by path…",
        tip: "Type the path of a capture",
        key: Some(shifted(Key::O)),
    },
    Entry { action: Action::Open, label: "Open…", tip: "Choose a capture file", key: Some(command(Key::O)) },
    Entry {
        action: Action::Verify,
        label: "Verify a picture or bundle…",
        tip: "Check what a picture, bundle or claim says, against the capture on screen where it is about that one",
        key: Some(plain(Key::F6)),
    },
    Entry {
        action: Action::KeyLog,
        label: "Decrypt with a key log…",
        tip: "Choose the file that SSLKEYLOGFILE names where the program ran; the capture is read again",
        key: Some(plain(Key::F10)),
    },
    Entry {
        action: Action::NoKeyLog,
        label: "Use no key log",
        tip: "The capture is read again without the key log; secrets that are in the capture itself are still used",
        key: None,
    },
    Entry {
        action: Action::Close,
        label: "Close capture",
        tip: "Back to the start screen",
        key: Some(command(Key::W)),
    },
    Entry { action: Action::Stop, label: "Stop", tip: "Stop reading; what was read stays (Ctrl+E)", key: None },
    Entry { action: Action::Quit, label: "Quit", tip: "Close the window", key: Some(command(Key::Q)) },
    Entry {
        action: Action::ClearFilter,
        label: "Clear filter",
        tip: "Show all rows again",
        key: Some(shifted(Key::F)),
    },
    Entry {
        action: Action::FocusFilter,
        label: "Filter",
        tip: "Show only rows with these words or values, such as host:blob status>=400",
        key: Some(command(Key::F)),
    },
    Entry {
        action: Action::Filter(FilterAction::Highlight),
        label: "Highlight",
        tip: "Let rows stand out that a second filter keeps; none is hidden",
        key: Some(shifted(Key::H)),
    },
    Entry {
        action: Action::CopyRow,
        label: "Copy row",
        tip: "Copy the selected row as text",
        key: Some(shifted(Key::C)),
    },
    Entry {
        action: Action::Fold,
        label: "Show or fold panes",
        tip: "Give the table the whole window",
        key: Some(command(Key::J)),
    },
    coloured(
        1,
        "Conversation colour 1, pink",
        "Give the selected one's conversation pink; conversation:1 finds it",
        Key::Num1,
    ),
    coloured(
        2,
        "Conversation colour 2, violet",
        "Give the selected one's conversation violet; conversation:2 finds it",
        Key::Num2,
    ),
    coloured(
        3,
        "Conversation colour 3, blue",
        "Give the selected one's conversation blue; conversation:3 finds it",
        Key::Num3,
    ),
    coloured(
        4,
        "Conversation colour 4, cyan",
        "Give the selected one's conversation cyan; conversation:4 finds it",
        Key::Num4,
    ),
    coloured(
        5,
        "Conversation colour 5, teal",
        "Give the selected one's conversation teal; conversation:5 finds it",
        Key::Num5,
    ),
    coloured(
        6,
        "Conversation colour 6, green",
        "Give the selected one's conversation green; conversation:6 finds it",
        Key::Num6,
    ),
    coloured(
        7,
        "Conversation colour 7, lime",
        "Give the selected one's conversation lime; conversation:7 finds it",
        Key::Num7,
    ),
    coloured(
        8,
        "Conversation colour 8, gold",
        "Give the selected one's conversation gold; conversation:8 finds it",
        Key::Num8,
    ),
    coloured(
        9,
        "Conversation colour 9, orange",
        "Give the selected one's conversation orange; conversation:9 finds it",
        Key::Num9,
    ),
    coloured(
        10,
        "Conversation colour 10, brown",
        "Give the selected one's conversation brown; conversation:10 finds it",
        Key::Num0,
    ),
    Entry {
        action: Action::Note(NoteAction::Colour(None)),
        label: "Take this conversation's colour away",
        tip: "The selected one's conversation has no colour then",
        key: None,
    },
    Entry {
        action: Action::Note(NoteAction::Uncolour),
        label: "Take all conversation colours away",
        tip: "No conversation has a colour then",
        key: Some(command(Key::Space)),
    },
    Entry {
        action: Action::Tab(Tab::Evidence),
        label: "Evidence",
        tip: "Verdict, ledger and both heads",
        key: Some(command(Key::Num1)),
    },
    Entry {
        action: Action::Tab(Tab::Path),
        label: "Path",
        tip: "How the name led to the address, and which machines served the request",
        key: Some(command(Key::Num2)),
    },
    Entry {
        action: Action::Tab(Tab::Readings),
        label: "Alternatives",
        tip: "What else could be true, and what would break the verdict",
        key: Some(command(Key::Num3)),
    },
    Entry {
        action: Action::Tab(Tab::Body),
        label: "Body",
        tip: "What the messages carried",
        key: Some(command(Key::Num4)),
    },
    Entry {
        action: Action::Tab(Tab::Messages),
        label: "Messages",
        tip: "What client and server told each other over the WebSocket that this exchange opened",
        key: Some(command(Key::Num7)),
    },
    Entry {
        action: Action::Tab(Tab::Connection),
        label: "Connection",
        tip: "Addresses, handshake, certificates, DNS",
        key: Some(command(Key::Num5)),
    },
    Entry {
        action: Action::Tab(Tab::Frames),
        label: "Frames",
        tip: "Every frame of the exchange, in hex",
        key: Some(command(Key::Num6)),
    },
    Entry {
        action: Action::View(View::Exchanges),
        label: "Exchanges",
        tip: "The list of what was asked of whom",
        key: Some(plain(Key::F2)),
    },
    Entry {
        action: Action::View(View::Findings),
        label: "Findings",
        tip: "What the exchanges together say of each site",
        key: Some(plain(Key::F3)),
    },
    Entry {
        action: Action::View(View::Compare),
        label: "Comparison",
        tip: "Two captures side by side",
        key: Some(plain(Key::F12)),
    },
    Entry {
        action: Action::Compose(PictureAction::Add),
        label: "Add to picture",
        tip: "Take the selected exchange into the picture",
        key: Some(KeyboardShortcut::new(Modifiers::SHIFT, Key::F11)),
    },
    Entry {
        action: Action::View(View::Picture),
        label: "Picture",
        tip: "Compose a picture that carries its own proof",
        key: Some(plain(Key::F11)),
    },
    Entry {
        action: Action::Note(NoteAction::Mark),
        label: "Mark or unmark",
        tip: "Mark the selected exchange, or take its mark away; marked:yes shows what is marked",
        key: Some(command(Key::M)),
    },
    Entry {
        action: Action::Note(NoteAction::TakeBack),
        label: "Take all ignored back",
        tip: "Ignore no exchange any more",
        key: Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::ALT), Key::D)),
    },
    Entry {
        action: Action::Note(NoteAction::Ignore),
        label: "Ignore or take back",
        tip: "Dim the selected exchange and count it nowhere, or count it again; ignored:no hides what is ignored",
        key: Some(command(Key::D)),
    },
    Entry {
        action: Action::Note(NoteAction::Comment),
        label: "Comment…",
        tip: "Say something of the selected exchange; comment:word finds it",
        key: Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::ALT), Key::C)),
    },
    Entry {
        action: Action::Note(NoteAction::Next),
        label: "Next mark",
        tip: "Select the next marked exchange",
        key: Some(shifted(Key::N)),
    },
    Entry {
        action: Action::Note(NoteAction::Previous),
        label: "Previous mark",
        tip: "Select the marked exchange before",
        key: Some(shifted(Key::B)),
    },
    Entry {
        action: Action::Go(Goal::Giver),
        label: "Go to the response that gave this URL",
        tip: "Select the earlier exchange whose response handed out this URL",
        key: Some(shifted(Key::G)),
    },
    Entry {
        action: Action::Go(Goal::Upload),
        label: "Go to the upload",
        tip: "Select the earlier exchange in which this client sent the bytes",
        key: Some(shifted(Key::U)),
    },
    Entry {
        action: Action::Go(Goal::Lookup),
        label: "Go to the lookup",
        tip: "Select the DNS lookup that gave the server's address",
        key: Some(shifted(Key::L)),
    },
    Entry {
        action: Action::Move(Move::By(1)),
        label: "Next exchange",
        tip: "The one below, wherever the keyboard is",
        key: Some(plain(Key::F8)),
    },
    Entry {
        action: Action::Move(Move::By(-1)),
        label: "Previous exchange",
        tip: "The one above, wherever the keyboard is",
        key: Some(plain(Key::F7)),
    },
    Entry {
        action: Action::Go(Goal::Back),
        label: "Go back",
        tip: "Select the exchange that you came from",
        key: Some(KeyboardShortcut::new(Modifiers::ALT, Key::ArrowLeft)),
    },
    Entry {
        action: Action::Go(Goal::Forward),
        label: "Go forward",
        tip: "Select the exchange that you went back from",
        key: Some(KeyboardShortcut::new(Modifiers::ALT, Key::ArrowRight)),
    },
    Entry {
        action: Action::Wish(None, RowWish::InFlow { next: true }),
        label: "Next in connection",
        tip: "Select the next exchange of the same connection",
        key: Some(KeyboardShortcut::new(Modifiers::ALT, Key::ArrowDown)),
    },
    Entry {
        action: Action::Wish(None, RowWish::InFlow { next: false }),
        label: "Previous in connection",
        tip: "Select the exchange before in the same connection",
        key: Some(KeyboardShortcut::new(Modifiers::ALT, Key::ArrowUp)),
    },
    Entry {
        action: Action::AskFrame,
        label: "Go to frame…",
        tip: "Select the exchange that has a frame, and show the frame",
        key: Some(command(Key::G)),
    },
    Entry {
        action: Action::Palette,
        label: "Find an action…",
        tip: "Choose by name among all that can be done, and among the filters used lately",
        key: Some(command(Key::P)),
    },
    Entry {
        action: Action::TextSize(TextStep::Larger),
        label: "Larger text",
        tip: "Make all text a step larger; it stays so",
        key: Some(command(Key::Plus)),
    },
    Entry {
        action: Action::TextSize(TextStep::Smaller),
        label: "Smaller text",
        tip: "Make all text a step smaller; it stays so",
        key: Some(command(Key::Minus)),
    },
    Entry {
        action: Action::TextSize(TextStep::Usual),
        label: "Usual text",
        tip: "All text as large as at first",
        key: Some(command(Key::Num0)),
    },
    Entry {
        action: Action::Unfold(Fold::BreakIt),
        label: "Try to break it",
        tip: "Run every check that could speak against the verdict",
        key: Some(command(Key::B)),
    },
    Entry {
        action: Action::Preferences(PreferencesAction::Ask),
        label: "Preferences…",
        tip: "Theme, text size, what is hidden, folders",
        key: Some(command(Key::Comma)),
    },
    Entry {
        action: Action::Tree(TreeAction::Switch),
        label: "List or tree",
        tip: "Switch between the list and the tree by provider",
        key: Some(shifted(Key::T)),
    },
    Entry {
        action: Action::Tree(TreeAction::Arrange(Arrangement::List)),
        label: "List",
        tip: "Exchanges one below the other",
        key: None,
    },
    Entry {
        action: Action::Tree(TreeAction::Arrange(Arrangement::Providers)),
        label: "Tree by provider",
        tip: "Exchanges by provider, site and host, with what each comes to",
        key: None,
    },
    Entry {
        action: Action::Tree(TreeAction::Arrange(Arrangement::Programs)),
        label: "Tree by program",
        tip: "Exchanges by the program that had the connection, and host; live captures know programs",
        key: None,
    },
    Entry {
        action: Action::Time(TimeAction::Reference),
        label: "Set or unset time reference",
        tip: "Let times count from the selected exchange, shown as *REF*, or no longer",
        key: Some(command(Key::T)),
    },
    Entry {
        action: Action::Columns(ColumnsAction::AskHeader),
        label: "Header line as column…",
        tip: "Show any header line, such as x-cache, in a column of its own",
        key: None,
    },
    Entry {
        action: Action::Columns(ColumnsAction::Fit(Fit::All)),
        label: "Fit all columns",
        tip: "Make every column as wide as what stands in it on screen",
        key: None,
    },
    Entry { action: Action::ResetColumns, label: "Reset columns", tip: "All columns as at first", key: None },
    Entry { action: Action::ForgetRecent, label: "Clear list", tip: "Forget the recent captures", key: None },
    Entry { action: Action::Keys, label: "Keyboard shortcuts", tip: "The list of all keys", key: Some(plain(Key::F1)) },
    Entry {
        action: Action::Escape,
        label: "Back",
        tip: "Close what is open; else empty the filter",
        key: Some(plain(Key::Escape)),
    },
    Entry { action: Action::DismissTrouble, label: "Dismiss", tip: "Send this message away", key: None },
];

impl Action {
    /// Under which heading its key is listed.
    pub(crate) fn subject(&self) -> &'static str {
        match self {
            Self::Open
            | Self::AskPath
            | Self::OpenPath(_)
            | Self::Given(_)
            | Self::Merge(_)
            | Self::Verify
            | Self::VerifyPath(_)
            | Self::KeyLog
            | Self::KeyLogPath(_)
            | Self::NoKeyLog
            | Self::Close
            | Self::Export(_)
            | Self::ForgetRecent
            | Self::Live(LiveAction::Save | LiveAction::SaveSome) => "File",
            Self::Live(_) | Self::Stop => "Capture",
            Self::FocusFilter
            | Self::ClearFilter
            | Self::Filter(_)
            | Self::Provider(_)
            | Self::Range(_)
            | Self::Site(..)
            | Self::Wish(_, RowWish::Flow) => "Filter",
            Self::Go(_)
            | Self::AskFrame
            | Self::Frame(_)
            | Self::Line(_)
            | Self::Note(NoteAction::Next | NoteAction::Previous)
            | Self::Wish(_, RowWish::InFlow { .. } | RowWish::Frame(_)) => "Go",
            Self::Tab(_)
            | Self::Fold
            | Self::View(_)
            | Self::Compare(_)
            | Self::Unfold(_)
            | Self::ResetColumns
            | Self::Column(_)
            | Self::HeaderColumn(..)
            | Self::Columns(_)
            | Self::Time(_)
            | Self::Tree(_)
            | Self::Sort(_)
            | Self::SortAlso(_) => "Panes and views",
            Self::Select(_)
            | Self::Among(_)
            | Self::Toggle(_)
            | Self::SelectTo(_)
            | Self::SelectAll
            | Self::Stretch(_)
            | Self::Move(_)
            | Self::Copy(_)
            | Self::CopyRow
            | Self::Note(_)
            | Self::Conversation(_)
            | Self::Compose(_)
            | Self::BodySide(_)
            | Self::BodyMode(_)
            | Self::Message(_)
            | Self::Picture(_)
            | Self::Wish(..) => "Exchange",
            Self::Quit
            | Self::Theme(_)
            | Self::Keys
            | Self::Escape
            | Self::DismissTrouble
            | Self::Preferences(_)
            | Self::Palette
            | Self::TextSize(_) => "Program",
        }
    }
}

/// The words of an action that stands in the table.
pub(crate) fn entry(action: &Action) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.action == *action)
}

/// The actions whose keys were pressed.
pub(crate) fn pressed(ctx: &Context, actions: &mut Vec<Action>) {
    // An open menu takes Escape for itself.
    let menu = egui::Popup::is_any_open(ctx);
    super::menus::pressed(ctx);
    // On many keyboards plus is the shift of equals; a question mark is a letter where something is typed.
    let larger = KeyboardShortcut::new(Modifiers::COMMAND, Key::Equals);
    if ctx.input_mut(|input| input.consume_shortcut(&larger)) {
        actions.push(Action::TextSize(TextStep::Larger));
    }
    if !ctx.egui_wants_keyboard_input() && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Questionmark))
    {
        actions.push(Action::Keys);
    }
    for entry in ENTRIES.iter().filter(|entry| !menu || entry.action != Action::Escape) {
        if let Some(key) = &entry.key
            && ctx.input_mut(|input| input.consume_shortcut(key))
        {
            actions.push(entry.action.clone());
        }
    }
}

/// A shortcut in words; a sign as it stands on its key.
pub(crate) fn keys(ctx: &Context, shortcut: KeyboardShortcut) -> String {
    ctx.format_shortcut(&shortcut).replace("Comma", ",")
}

/// Tooltip with the key after it.
pub(crate) fn tip(ctx: &Context, entry: &Entry) -> String {
    with_key(ctx, entry.tip, entry.key)
}

/// Words with a key after them.
pub(crate) fn with_key(ctx: &Context, words: &str, key: Option<KeyboardShortcut>) -> String {
    key.map_or_else(|| words.to_owned(), |key| format!("{words} ({})", keys(ctx, key)))
}

/// A menu item for an action of the table.
pub(crate) fn menu_item(ui: &mut egui::Ui, action: &Action, actions: &mut Vec<Action>) {
    let Some(entry) = entry(action) else { return };
    let mut button = egui::Button::new(entry.label).frame_when_inactive(false);
    if let Some(key) = &entry.key {
        button = button.shortcut_text(keys(ui.ctx(), *key));
    }
    if ui.add(button).on_hover_text(entry.tip).clicked() {
        actions.push(action.clone());
        ui.close();
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, ENTRIES, NoteAction};
    use crate::store::FlowColour;
    use crate::ui::theme;

    #[test]
    fn every_action_of_the_table_is_reached_by_keyboard() {
        // The palette offers all but these, which have keys.
        for entry in ENTRIES.iter().filter(|entry| matches!(entry.action, Action::Escape | Action::Palette)) {
            assert!(entry.key.is_some(), "{}", entry.label);
        }
    }

    #[test]
    fn longer_keys_stand_before_those_that_they_contain() {
        for (i, early) in ENTRIES.iter().enumerate() {
            for late in ENTRIES.iter().skip(i + 1) {
                let (Some(first), Some(second)) = (&early.key, &late.key) else { continue };
                let hides = first.logical_key == second.logical_key && second.modifiers.contains(first.modifiers);
                assert!(!hides, "{} takes the key of {}", early.label, late.label);
            }
        }
    }

    #[test]
    fn colours_are_called_as_they_look() {
        for colour in FlowColour::all() {
            let found = super::entry(&Action::Note(NoteAction::Colour(Some(colour)))).unwrap();
            let name = theme::flow_name(colour);
            assert_eq!(found.label, format!("Conversation colour {}, {name}", colour.number()));
            assert!(found.tip.contains(&format!("conversation:{} ", colour.number())), "{}", found.tip);
        }
    }

    #[test]
    fn no_two_actions_share_a_key() {
        for (i, a) in ENTRIES.iter().enumerate() {
            for b in ENTRIES.iter().skip(i + 1) {
                assert!(a.key.is_none() || a.key != b.key, "{} and {}", a.label, b.label);
                assert_ne!(a.action, b.action);
            }
        }
    }
}
