//! What the user decided about one picture: plain data, no pixels.

/// Which theme a picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light: what documents are printed on.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// A part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Method, host, path; status, time, frames, addresses.
    Title,
    /// Rows of the list.
    List,
    /// The verdict.
    Card,
    /// The evidence, line by line.
    Ledger,
    /// The request's head; beside the response's where both follow each other.
    Request,
    /// The response's head.
    Response,
    /// How the name led to the address, and which machines served.
    Path,
    /// What lines say of caches, and whose key signed.
    Said,
    /// The other readings.
    Readings,
    /// Addresses, handshake, certificates, DNS.
    Connection,
}

/// A section with how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Which.
    pub section: Section,
    /// Only what it is in one line.
    pub folded: bool,
}

/// A place in points from the left upper corner of the figure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spot {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// A rectangle in points from the left upper corner of the figure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// One corner.
    pub from: Spot,
    /// The one across.
    pub to: Spot,
}

/// The colours of annotations; each is legible in both themes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// The accent.
    #[default]
    Blue,
    /// As losses and conflicts.
    Red,
    /// As cautions.
    Amber,
    /// As text.
    Plain,
}

/// Something drawn over a picture by hand.
#[derive(Clone, Debug, PartialEq)]
pub enum Drawing {
    /// From a place to a place, with a head.
    Arrow(Spot, Spot),
    /// An outline.
    Box(Area),
    /// An outline.
    Ellipse(Area),
    /// A tint through which text is read.
    Highlight(Area),
    /// Words of the author.
    Text(Spot, String),
    /// Solid: nothing under it is left.
    Redaction(Area),
}

/// A drawing with its colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// What.
    pub drawing: Drawing,
    /// Its colour; a redaction has its own.
    pub ink: Ink,
}

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What goes in, from top to bottom.
    pub sections: Vec<Shelf>,
    /// Leave out header lines that prove nothing.
    pub evidence_only: bool,
    /// Drawn over it, the first undermost.
    pub annotations: Vec<Annotation>,
    /// Only this part, above the footer.
    pub crop: Option<Area>,
    /// The author's title.
    pub title: String,
    /// The author's words below.
    pub caption: String,
    /// The theme.
    pub theme: Theme,
    /// Pixels a point: 1, 2 or 3.
    pub scale: u8,
    /// Width in points.
    pub width: u16,
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

impl Plan {
    /// The plan that a preset begins with.
    pub fn of(preset: Preset) -> Self {
        use Section as S;
        let sections: &[Section] = match preset {
            Preset::Evidence => &[S::Title, S::Card, S::Ledger, S::Request, S::Response],
            Preset::List => &[S::List],
            Preset::Story => &[S::Title, S::Card, S::Path, S::Said, S::Readings],
        };
        Self {
            sections: sections.iter().map(|section| Shelf { section: *section, folded: false }).collect(),
            evidence_only: false,
            annotations: Vec::new(),
            crop: None,
            title: String::new(),
            caption: String::new(),
            theme: Theme::Light,
            scale: 2,
            width: 1_080,
        }
    }
}
