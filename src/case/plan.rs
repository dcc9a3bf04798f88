//! What goes into one picture.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ExchangeRef;

/// One picture: what it shows and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// What the user calls it; also the proposed file name.
    pub name: String,
    /// The exchanges, in the order in which they are shown.
    pub exchanges: Vec<ExchangeRef>,
    /// The sections of each exchange, in order.
    pub sections: Vec<SectionChoice>,
    /// Whether lines that prove nothing are left out.
    pub evidence_only: bool,
    /// What was drawn over it by hand.
    pub annotations: Vec<Annotation>,
    /// The heading; empty for the one that the program writes.
    pub title: String,
    /// Words below the heading.
    pub caption: String,
    /// Dark or light.
    pub look: Look,
    /// Pixels a point: 1, 2 or 3.
    pub scale: u8,
    /// Width in points.
    pub width: u16,
    /// The filter that the list had; it is written into the footer.
    pub filter: String,
    /// What is hidden.
    pub redaction: RedactionChoice,
    /// Fields of a later version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            name: String::new(),
            exchanges: Vec::new(),
            sections: SectionChoice::usual(),
            evidence_only: false,
            annotations: Vec::new(),
            title: String::new(),
            caption: String::new(),
            look: Look::Light,
            scale: 2,
            width: 1_080,
            filter: String::new(),
            redaction: RedactionChoice::default(),
            other: Map::new(),
        }
    }
}

/// A part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// The rows of the list.
    List,
    /// The verdict card.
    Verdict,
    /// The evidence, line by line.
    Ledger,
    /// The request's head.
    Request,
    /// The response's head.
    Response,
    /// The hops that answered.
    ServingPath,
    /// The names and lookups that led there.
    NamePath,
    /// Which response gave the client the URL.
    HandOut,
    /// The other readings, and the attempts to break the verdict.
    Readings,
    /// The body's first lines.
    Body,
    /// Handshake, certificates, addresses.
    Connection,
    /// The frames.
    Frames,
}

impl Section {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::List,
        Self::Verdict,
        Self::Ledger,
        Self::Request,
        Self::Response,
        Self::ServingPath,
        Self::NamePath,
        Self::HandOut,
        Self::Readings,
        Self::Body,
        Self::Connection,
        Self::Frames,
    ];

    /// The words in menus and as a heading.
    pub fn words(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Verdict => "Verdict",
            Self::Ledger => "Evidence",
            Self::Request => "Request",
            Self::Response => "Response",
            Self::ServingPath => "Serving path",
            Self::NamePath => "Way of the name",
            Self::HandOut => "Hand-out",
            Self::Readings => "What else could be true",
            Self::Body => "Body",
            Self::Connection => "Connection",
            Self::Frames => "Frames",
        }
    }
}

/// A section with how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionChoice {
    /// Which.
    pub section: Section,
    /// Whether only its heading is shown.
    #[serde(default)]
    pub folded: bool,
}

impl SectionChoice {
    /// Shown open.
    pub fn open(section: Section) -> Self {
        Self { section, folded: false }
    }

    /// What a picture begins with: verdict, evidence, and both heads.
    pub fn usual() -> Vec<Self> {
        [Section::Verdict, Section::Ledger, Section::Request, Section::Response].map(Self::open).to_vec()
    }
}

/// Dark or light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// Dark on white.
    #[default]
    Light,
    /// Light on near-black.
    Dark,
}

/// A point in points (not pixels) from the top left corner of what the annotation stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// A rectangle between two corners, in points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Top left.
    pub from: Point,
    /// Bottom right.
    pub to: Point,
}

/// Something drawn by hand. Nothing of it is ever marked as checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// What it stands on: it moves with it.
    #[serde(default)]
    pub anchor: Anchor,
    /// What.
    pub shape: Shape,
    /// Its colour.
    #[serde(default)]
    pub colour: Colour,
    /// How heavy its lines are.
    #[serde(default)]
    pub weight: Weight,
    /// Fields of a later version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What an annotation stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// The whole picture.
    #[default]
    Picture,
    /// A section of the n-th exchange (from 0).
    Section {
        /// Which exchange of the plan.
        exchange: u16,
        /// Which section.
        section: Section,
    },
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A line with a head at its end.
    Arrow {
        /// Where it begins.
        from: Point,
        /// Where its head is.
        to: Point,
    },
    /// A rectangle.
    Box(Area),
    /// An ellipse in that rectangle.
    Ellipse(Area),
    /// A see-through mark.
    Highlight(Area),
    /// Words of the author's.
    Text {
        /// Top left corner.
        at: Point,
        /// The words.
        words: String,
    },
    /// A number in a disc.
    Number {
        /// Its middle.
        at: Point,
        /// The number.
        number: u16,
    },
    /// Solid pixels over what is below. It hides pixels only: words to hide in the claim and in the excerpt too belong in
    /// [`RedactionChoice::words`].
    Redaction(Area),
    /// What is kept of the picture; the last one counts.
    Crop(Area),
}

/// Colours of annotations; the theme has their values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// The theme's accent.
    #[default]
    Accent,
    /// The colour of text.
    Ink,
    /// Red.
    Red,
    /// Amber.
    Amber,
    /// Green.
    Green,
}

/// How heavy lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// One point.
    Thin,
    /// Two points.
    #[default]
    Medium,
    /// Four points.
    Thick,
}

/// What is hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RedactionChoice {
    /// Whether secrets are hidden at all: cookies, credentials, tokens, signatures, keys, e-mail addresses.
    pub on: bool,
    /// Whether private addresses are hidden too.
    pub private_addresses: bool,
    /// Words to hide wherever they stand, compared without regard to ASCII case; names above all.
    pub words: Vec<String>,
}

impl Default for RedactionChoice {
    fn default() -> Self {
        Self { on: true, private_addresses: false, words: Vec::new() }
    }
}
