//! One header line of an exchange: which one is meant, and what it says.

use core::fmt;

use super::record::Record;
use super::snapshot::Snapshot;
use super::table::{RowId, RowKind};
use crate::model::{Detail, Side, clean, clean_to};

/// Bytes of a name; longer ones are nobody's, and so a column is a few words of memory.
const NAME_BYTES: usize = 62;
/// Characters of a value that are shown and sorted by; the whole stands in the record.
const VALUE_CHARS: usize = 300;

/// The name of a header line, in small letters, of request or response.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName {
    side: Side,
    len: u8,
    bytes: [u8; NAME_BYTES],
}

impl HeaderName {
    /// `None` where that is no name of a header line (RFC 9110 section 5.1), or too long. A pseudo-header field of HTTP/2
    /// has a colon before it.
    pub fn new(side: Side, name: &str) -> Option<Self> {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let token = name.strip_prefix(':').unwrap_or(name);
        if token.is_empty() || !token.bytes().all(is_token) {
            return None;
        }
        let mut bytes = [0; NAME_BYTES];
        bytes.get_mut(..name.len())?.copy_from_slice(name.to_ascii_lowercase().as_bytes());
        Some(Self { side, len: u8::try_from(name.len()).ok()?, bytes })
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|name| str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// Whose message it stands in: the client's request, the server's response.
    pub fn side(&self) -> Side {
        self.side
    }

    /// What the exchange says there, ready for display; several lines of one name in one, as RFC 9110 section 5.3 joins
    /// them. `None` where there is no such line.
    pub fn value(&self, record: &Record) -> Option<String> {
        self.lines(record).map(|lines| shown(&lines))
    }

    /// The same, however long it is.
    pub fn whole(&self, record: &Record) -> Option<String> {
        self.lines(record).map(|lines| joined(&lines))
    }

    fn lines<'a>(&self, record: &'a Record) -> Option<Vec<&'a [u8]>> {
        let Detail::Http(http) = &record.exchange.detail else { return None };
        let message = match self.side {
            Side::Client => http.request.as_ref(),
            Side::Server => http.response.as_ref(),
        }?;
        let lines = message.each_field().filter(|(name, _)| name.eq_ignore_ascii_case(self.name().as_bytes()));
        let values: Vec<&[u8]> = lines.map(|(_, value)| value).collect();
        (!values.is_empty()).then_some(values)
    }
}

/// Lines of one name in one.
pub(super) fn joined(lines: &[&[u8]]) -> String {
    clean(&lines.join(&b", "[..])).into_owned()
}

/// The same as a cell shows it.
pub(super) fn shown(lines: &[&[u8]]) -> String {
    clean_to(&lines.join(&b", "[..]), VALUE_CHARS).into_owned()
}

impl fmt::Debug for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.side, self.name())
    }
}

impl Snapshot {
    /// What these header lines of a row's exchange say; empty where there is no such line. May read the temporary file: not
    /// while painting.
    pub fn header_values(&self, id: RowId, names: &[HeaderName]) -> Vec<String> {
        let is_http = self.row(id).is_some_and(|row| row.kind == RowKind::Http);
        let record = if is_http { self.record(id).ok() } else { None };
        let value = |name: &HeaderName| record.as_ref().and_then(|record| name.value(record)).unwrap_or_default();
        names.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::HeaderName;
    use crate::model::Side;

    #[track_caller]
    fn check(name: &str, want: Option<&str>) {
        assert_eq!(HeaderName::new(Side::Server, name).as_ref().map(HeaderName::name), want, "{name}");
    }

    #[test]
    fn names_are_tokens() {
        check("X-Cache", Some("x-cache"));
        check(":status", Some(":status"));
        check("", None);
        check(":", None);
        check("x cache", None);
        check("x:cache", None);
        check("sérver", None);
        check(&"n".repeat(62), Some(&"n".repeat(62)));
        check(&"n".repeat(63), None);
    }
}
