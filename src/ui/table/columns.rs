//! The columns: titles, widths, what they sort by, the words under which they are kept.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::INSET;
use crate::model::Side;
use crate::store::HeaderName;
use crate::store::query::SortKey;
use crate::ui::clock::Clock;
use crate::ui::state::Saved;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The first frame's number.
    Frame,
    /// Time of the first frame.
    Time,
    /// Method or protocol.
    Method,
    /// Host.
    Host,
    /// Path.
    Path,
    /// Status.
    Status,
    /// Media type.
    Type,
    /// Size of the answer.
    Size,
    /// From the first to the last frame.
    Duration,
    /// Whose machine answered, and which service.
    Operator,
    /// How sure that is.
    Grade,
    /// What each kind of witness says.
    Agreement,
    /// The server's address.
    Server,
    /// Whose account it is.
    Tenant,
    /// Which program had the connection.
    Process,
    /// Which of the merged files it begins in.
    File,
    /// What the user says of it.
    Comment,
    /// When it began, waited and received, as a bar on the time of what is shown.
    Waterfall,
    /// What a header line says.
    Header(HeaderName),
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word())
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = <Cow<'_, str>>::deserialize(deserializer)?;
        Self::named(&word).ok_or_else(|| D::Error::custom("no such column"))
    }
}

impl Column {
    /// All but header lines, which are named by the user.
    pub(crate) const ALL: [Self; 18] = [
        Self::Frame,
        Self::Time,
        Self::Method,
        Self::Host,
        Self::Path,
        Self::Status,
        Self::Type,
        Self::Size,
        Self::Duration,
        Self::Operator,
        Self::Grade,
        Self::Agreement,
        Self::Tenant,
        Self::Server,
        Self::Process,
        Self::File,
        Self::Comment,
        Self::Waterfall,
    ];

    /// The word under which it is kept.
    pub(in crate::ui) fn word(self) -> Cow<'static, str> {
        let word = match self {
            Self::Frame => "Frame",
            Self::Time => "Time",
            Self::Method => "Method",
            Self::Host => "Host",
            Self::Path => "Path",
            Self::Status => "Status",
            Self::Type => "Type",
            Self::Size => "Size",
            Self::Duration => "Duration",
            Self::Operator => "Operator",
            Self::Grade => "Grade",
            Self::Agreement => "Agreement",
            Self::Server => "Server",
            Self::Tenant => "Tenant",
            Self::Process => "Process",
            Self::File => "File",
            Self::Comment => "Comment",
            Self::Waterfall => "Waterfall",
            Self::Header(name) => return format!("{}:{}", side_word(name.side()), name.name()).into(),
        };
        word.into()
    }

    /// The column that is kept under this word.
    pub(in crate::ui) fn named(word: &str) -> Option<Self> {
        let header = |side| word.strip_prefix(side_word(side))?.strip_prefix(':').map(|name| (side, name));
        if let Some((side, name)) = header(Side::Client).or_else(|| header(Side::Server)) {
            return HeaderName::new(side, name).map(Self::Header);
        }
        Self::ALL.into_iter().find(|column| column.word() == word)
    }

    /// The line that it shows, where it shows one.
    pub(crate) fn header(self) -> Option<HeaderName> {
        if let Self::Header(name) = self { Some(name) } else { None }
    }

    /// What stands at its head. The zone of times is named there.
    pub(super) fn heading(&self, clock: &Clock) -> Cow<'_, str> {
        if *self == Self::Time { clock.title() } else { self.title().into() }
    }

    pub(crate) fn title(&self) -> &str {
        match self {
            Self::Frame => "Frame",
            Self::Time => "Time",
            Self::Method => "Method",
            Self::Host => "Host",
            Self::Path => "Path",
            Self::Status => "Status",
            Self::Type => "Type",
            Self::Size => "Size",
            Self::Duration => "Duration",
            Self::Operator => "Provider",
            Self::Grade => "Evidence",
            Self::Agreement => "Witnesses",
            Self::Server => "Server",
            Self::Tenant => "Tenant",
            Self::Process => "Process",
            Self::File => "File",
            Self::Comment => "Comment",
            Self::Header(name) => name.name(),
            Self::Waterfall => "Waterfall",
        }
    }

    pub(crate) fn tip(self) -> Cow<'static, str> {
        let tip = match self {
            Self::Frame => "Number of the exchange's first frame, as Wireshark counts; of its entry in a HAR file",
            Self::Time => "When the first frame was captured",
            Self::Method => "HTTP method; TLS or DNS for what is not HTTP",
            Self::Host => "Host asked for: Host field, server name or DNS question",
            Self::Path => "Path and query; TLS version; DNS record type",
            Self::Status => "HTTP status; DNS response code",
            Self::Type => "Media type of the response",
            Self::Size => "Decoded bytes of the response body; TLS: bytes both ways; DNS: answers",
            Self::Duration => "From the first to the last frame of the exchange",
            Self::Operator => "Whose machine answered, and which service",
            Self::Grade => "How sure the provider is: conclusive, supports, suggests, name only, contradicted",
            Self::Agreement => {
                "Name, CNAME, address, certificate, SNI and Host, headers. Full: agrees; empty: silent; hatched: cannot be seen; crossed: conflicts"
            }
            Self::Server => "The server's address and port",
            Self::Tenant => "Whose account, bucket or distribution it is",
            Self::Comment => "What you said of it; Ctrl+Alt+C writes a comment, comment:word finds it",
            Self::Waterfall => {
                "Thin: waiting for the answer; thick: receiving it; half: not known which; broken end: still open. The axis is the time of what is shown, or the stretch chosen above"
            }
            Self::Process => {
                "Live captures only: the program that had the connection, from the socket tables. A hint, no evidence; process:name filters"
            }
            Self::File => "Merged captures only: the file that the exchange begins in; file:name filters",
            Self::Header(name) => {
                return format!("The header line {} of the {}", name.name(), side_word(name.side())).into();
            }
        };
        tip.into()
    }

    pub(super) fn width(self, clock: &Clock) -> f32 {
        match self {
            Self::Time => clock.width(),
            Self::Tenant | Self::Process | Self::File | Self::Header(_) => 120.0,
            // A method of six strong letters; a short one with its lock.
            Self::Method => 76.0,
            Self::Status => 68.0,
            Self::Frame | Self::Duration => 72.0,
            Self::Host => 232.0,
            Self::Type => 84.0,
            Self::Size => 60.0,
            Self::Path => 196.0,
            Self::Operator => 260.0,
            Self::Comment | Self::Waterfall => 204.0,
            Self::Grade => 108.0,
            Self::Agreement => 86.0,
            Self::Server => 148.0,
        }
    }

    pub(crate) fn sort(self) -> Option<SortKey> {
        match self {
            Self::Frame => Some(SortKey::Capture),
            Self::Time => Some(SortKey::Time),
            Self::Method => Some(SortKey::Method),
            Self::Host => Some(SortKey::Host),
            Self::Path => Some(SortKey::Path),
            Self::Status => Some(SortKey::Status),
            Self::Type => Some(SortKey::Type),
            Self::Size => Some(SortKey::Size),
            Self::Duration => Some(SortKey::Duration),
            Self::Operator => Some(SortKey::Operator),
            Self::Grade => Some(SortKey::Grade),
            Self::Server => Some(SortKey::Server),
            Self::Tenant => Some(SortKey::Tenant),
            Self::Process => Some(SortKey::Process),
            Self::File => Some(SortKey::File),
            Self::Comment => Some(SortKey::Comment),
            Self::Header(name) => Some(SortKey::Header(name)),
            Self::Agreement | Self::Waterfall => None,
        }
    }

    /// The column that sorts by this.
    pub(in crate::ui) fn sorting(key: SortKey) -> Option<Self> {
        if let SortKey::Header(name) = key {
            return Some(Self::Header(name));
        }
        Self::ALL.into_iter().find(|column| column.sort() == Some(key))
    }

    pub(super) fn right(self, clock: &Clock) -> bool {
        match self {
            Self::Frame | Self::Size | Self::Duration => true,
            Self::Time => clock.counts(),
            Self::Method
            | Self::Host
            | Self::Path
            | Self::Status
            | Self::Type
            | Self::Operator
            | Self::Grade
            | Self::Agreement
            | Self::Server
            | Self::Tenant
            | Self::Process
            | Self::File
            | Self::Comment
            | Self::Waterfall
            | Self::Header(_) => false,
        }
    }
}

/// Whose message a header line stands in.
pub(crate) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Client => "request",
        Side::Server => "response",
    }
}

/// Widths that a column can have.
pub(super) const WIDTHS: core::ops::RangeInclusive<f32> = 36.0..=2_000.0;

/// Width of a digit in points; all have the same.
const DIGIT: f32 = 8.0;

/// What a capture has that columns depend on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Has {
    /// Several files.
    pub(super) merged: bool,
    /// So many frames.
    pub(super) frames: u32,
}

impl Has {
    /// The width of a column that nobody chose another for.
    fn width(self, column: Column, clock: &Clock) -> f32 {
        let usual = column.width(clock);
        if column != Column::Frame {
            return usual;
        }
        // The last number is the longest.
        usual.max(self.frames.to_string().len() as f32 * DIGIT + 2.0 * INSET)
    }
}

/// The visible columns with their widths; what is left over goes to host and path. Files are named where several are merged.
pub(super) fn layout(saved: &Saved, has: Has, room: f32, clock: &Clock) -> Vec<(Column, f32)> {
    let width = |column: Column| saved.widths.get(&column).copied().filter(|width| WIDTHS.contains(width));
    let mut columns: Vec<(Column, f32)> = saved
        .columns()
        .into_iter()
        .filter(|column| !saved.hidden.contains(column) && (has.merged || *column != Column::File))
        .map(|column| (column, width(column).unwrap_or_else(|| has.width(column, clock))))
        .collect();
    let total = columns.iter().map(|(_, width)| width).sum::<f32>();
    squeeze(&mut columns, saved, total - room);
    let spare = (room - total).max(0.0);
    let shares = [(Column::Host, 0.3), (Column::Path, 0.5), (Column::Operator, 0.2)];
    let present: f32 = shares.iter().filter(|(s, _)| columns.iter().any(|(c, _)| c == s)).map(|(_, n)| n).sum();
    for (column, share) in shares {
        if let Some((_, width)) = columns.iter_mut().find(|(c, _)| *c == column) {
            *width = (*width + spare * share / present).floor();
        }
    }
    columns
}

/// Takes `lack` from the columns that can be narrower, from each in proportion; widths that the user chose stay.
fn squeeze(columns: &mut [(Column, f32)], saved: &Saved, lack: f32) {
    let least = [
        (Column::Path, 90.0),
        (Column::Host, 136.0),
        (Column::Type, 52.0),
        (Column::Operator, 110.0),
        (Column::Server, 110.0),
        (Column::Duration, 62.0),
    ];
    let slack = |column: Column, width: f32| {
        let least = least.iter().find(|(c, _)| *c == column && !saved.widths.contains_key(c));
        least.map_or(0.0, |(_, least)| (width - least).max(0.0))
    };
    let whole: f32 = columns.iter().map(|(column, width)| slack(*column, *width)).sum();
    if lack <= 0.0 || whole <= 0.0 {
        return;
    }
    let share = (lack / whole).min(1.0);
    for (column, width) in columns {
        *width -= slack(*column, *width) * share;
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Column, Has, layout};
    use crate::ui::state::Saved;

    #[track_caller]
    fn check(room: f32, fits: bool) {
        let columns = layout(&Saved::default(), Has::default(), room, &Clock::default());
        let total: f32 = columns.iter().map(|(_, width)| width).sum();
        assert_eq!(total <= room, fits, "{total} in {room}");
        assert!(columns.iter().all(|(_, width)| *width >= 50.0), "{columns:?}");
        assert!(room < 1_200.0 || total > room - 4.0, "{total} in {room}");
    }

    #[test]
    fn room_is_used_and_shared() {
        check(2_560.0, true);
        check(1_270.0, true);
        check(1_024.0, true);
        check(500.0, false);
        assert!(
            !layout(&Saved::default(), Has::default(), 100.0, &Clock::default())
                .iter()
                .any(|(column, _)| *column == Column::Server)
        );
    }

    #[test]
    fn the_longest_frame_number_has_room() {
        let of = |frames: u32| {
            let columns = layout(&Saved::default(), Has { merged: false, frames }, 1_270.0, &Clock::default());
            let total: f32 = columns.iter().map(|(_, width)| width).sum();
            assert!(total <= 1_270.0, "{total}");
            columns.into_iter().find(|(column, _)| *column == Column::Frame).map(|(_, width)| width)
        };
        assert_eq!(of(0), of(9_999_999));
        assert_eq!(of(12_345_678), Some(80.0));
        assert_eq!(of(u32::MAX), Some(96.0));
    }

    #[test]
    fn a_chosen_width_stays() {
        let mut saved = Saved::default();
        saved.widths.insert(Column::Path, 400.0);
        assert!(layout(&saved, Has::default(), 800.0, &Clock::default()).contains(&(Column::Path, 400.0)));
    }

    #[test]
    fn columns_are_kept_under_words() {
        for word in Column::ALL.map(Column::word).into_iter().chain(["request::path".into(), "response:x-cache".into()])
        {
            assert_eq!(Column::named(&word).map(Column::word).as_ref(), Some(&word));
        }
        for word in ["", "frame", "response:", "response:x cache", "answer:x"] {
            assert_eq!(Column::named(word), None, "{word}");
        }
    }
}
