//! The columns: titles, widths, what they sort by.

use serde::{Deserialize, Serialize};

use crate::store::query::SortKey;
use crate::ui::state::Saved;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// The server's address.
    Server,
    /// Whose account it is.
    Tenant,
}

impl Column {
    pub(crate) const ALL: [Self; 13] = [
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
        Self::Tenant,
        Self::Server,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Frame => "Frame",
            Self::Time => "Time (UTC)",
            Self::Method => "Method",
            Self::Host => "Host",
            Self::Path => "Path",
            Self::Status => "Status",
            Self::Type => "Type",
            Self::Size => "Size",
            Self::Duration => "Duration",
            Self::Operator => "Provider",
            Self::Grade => "Evidence",
            Self::Server => "Server",
            Self::Tenant => "Tenant",
        }
    }

    pub(crate) fn tip(self) -> &'static str {
        match self {
            Self::Frame => "Number of the exchange's first frame, as Wireshark counts",
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
            Self::Server => "The server's address and port",
            Self::Tenant => "Whose account, bucket or distribution it is",
        }
    }

    pub(super) fn width(self) -> f32 {
        match self {
            Self::Time => 104.0,
            Self::Tenant => 120.0,
            Self::Frame | Self::Method => 64.0,
            Self::Duration => 72.0,
            Self::Host => 232.0,
            Self::Status => 56.0,
            Self::Type => 98.0,
            Self::Size => 60.0,
            Self::Path | Self::Operator => 204.0,
            Self::Grade => 112.0,
            Self::Server => 148.0,
        }
    }

    pub(super) fn sort(self) -> Option<SortKey> {
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
            Self::Tenant => None,
        }
    }

    pub(super) fn right(self) -> bool {
        matches!(self, Self::Frame | Self::Size | Self::Duration)
    }
}

/// The visible columns with their widths; what is left over goes to host and path.
pub(super) fn layout(saved: &Saved, room: f32) -> Vec<(Column, f32)> {
    let mut columns: Vec<(Column, f32)> = Column::ALL
        .into_iter()
        .filter(|column| !saved.hidden.contains(column))
        .map(|column| (column, saved.widths.get(&column).copied().unwrap_or_else(|| column.width())))
        .collect();
    let spare = (room - columns.iter().map(|(_, width)| width).sum::<f32>()).max(0.0);
    let shares = [(Column::Host, 0.3), (Column::Path, 0.5), (Column::Operator, 0.2)];
    let present: f32 = shares.iter().filter(|(s, _)| columns.iter().any(|(c, _)| c == s)).map(|(_, n)| n).sum();
    for (column, share) in shares {
        if let Some((_, width)) = columns.iter_mut().find(|(c, _)| *c == column) {
            *width = (*width + spare * share / present).floor();
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::{Column, layout};
    use crate::ui::state::Saved;

    #[test]
    fn spare_room_is_given_away_whole_and_never_taken() {
        let saved = Saved::default();
        for room in [400.0, 1_280.0, 2_560.0] {
            let columns = layout(&saved, room);
            let total: f32 = columns.iter().map(|(_, width)| width).sum();
            let least: f32 = columns.iter().map(|(column, _)| column.width()).sum();
            assert!(total >= least && total <= least.max(room), "{room}: {total} of {least}");
        }
        assert!(!layout(&saved, 100.0).iter().any(|(column, _)| *column == Column::Server));
    }
}
