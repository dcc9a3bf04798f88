//! Whether a text is such as a filter asks for.

use super::tree::Match;

/// A comparison made ready: what is looked for in lower case.
#[derive(Debug)]
pub(super) enum Needle {
    Contains(Part),
    Is(String),
    Differs(String),
    Regex(regex::Regex),
}

impl Needle {
    pub(super) fn new(matching: &Match) -> Self {
        match matching {
            Match::Contains(text) => Self::Contains(Part::new(text)),
            Match::Is(text) => Self::Is(text.to_lowercase()),
            Match::Differs(text) => Self::Differs(text.to_lowercase()),
            Match::Regex(pattern) => Self::Regex(pattern.regex.clone()),
        }
    }

    /// Whether a text is such; the empty text is none, and does not differ from anything.
    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Contains(part) => part.is_in(text),
            Self::Is(whole) => same(text, whole),
            Self::Differs(whole) => !text.is_empty() && !same(text, whole),
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    /// Whether it asks that something differs: of several values all must, then.
    pub(super) fn differs(&self) -> bool {
        matches!(self, Self::Differs(_))
    }

    /// Whether it asks for the very text.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Is(_))
    }

    /// Whether it asks for a text as the row shows it, cut: what was picked there is found there.
    pub(super) fn is_of_cut(&self) -> bool {
        match self {
            Self::Contains(Part { lower: text, .. }) | Self::Is(text) | Self::Differs(text) => text.ends_with('…'),
            Self::Regex(_) => false,
        }
    }

    /// Whether one of a thing's names is such, or all differ.
    pub(super) fn holds_of(&self, names: &[&str]) -> bool {
        match self {
            Self::Differs(_) => !names.is_empty() && names.iter().all(|name| self.holds(name)),
            Self::Contains(_) | Self::Is(_) | Self::Regex(_) if names.is_empty() => self.holds(""),
            Self::Contains(_) | Self::Is(_) | Self::Regex(_) => names.iter().any(|name| self.holds(name)),
        }
    }
}

fn same(text: &str, lower: &str) -> bool {
    if lower.is_ascii() { text.eq_ignore_ascii_case(lower) } else { text.to_lowercase() == lower }
}

/// A part of a text that is looked for, and where in it the byte stands that texts have the least often: hardly a text that
/// does not hold the part is compared then.
#[derive(Debug)]
pub(super) struct Part {
    lower: String,
    rarest: usize,
}

/// What hosts and paths are made of, the most frequent first: many paths are hexadecimal. Other bytes are rarer.
const FREQUENT: &[u8] = b"/0123456789abcdef-.%=_etaoinsrlhpumgvwkyxjqz";

impl Part {
    fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        let rank = |byte: u8| FREQUENT.iter().position(|known| *known == byte).unwrap_or(FREQUENT.len());
        let rarest = lower.bytes().enumerate().max_by_key(|(_, byte)| rank(*byte)).map_or(0, |(at, _)| at);
        Self { lower, rarest }
    }

    /// Looks for ASCII where the text lies; only other letters need a copy in lower case.
    fn is_in(&self, text: &str) -> bool {
        let part = self.lower.as_bytes();
        let Some(rarest) = part.get(self.rarest).copied() else { return true };
        if !self.lower.is_ascii() {
            return text.to_lowercase().contains(&self.lower);
        }
        let text = text.as_bytes();
        let is_here = |at: usize| {
            let start = at.checked_sub(self.rarest)?;
            text.get(start..start + part.len()).map(|here| here.eq_ignore_ascii_case(part))
        };
        memchr::memchr2_iter(rarest, rarest.to_ascii_uppercase(), text).any(|at| is_here(at).unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::Needle;
    use crate::store::filter::Match;

    #[track_caller]
    fn check(text: &str, part: &str, want: [bool; 3]) {
        let of = |kind: fn(String) -> Match| Needle::new(&kind(part.to_owned())).holds(text);
        assert_eq!([of(Match::Contains), of(Match::Is), of(Match::Differs)], want, "{text} {part}");
    }

    #[test]
    fn case_does_not_count() {
        check("Blob.Core", "bLOB", [true, false, true]);
        check("Blob", "bLOB", [true, true, false]);
        check("bbblob", "blob", [true, false, true]);
        check("LObloBlob", "lobl", [true, false, true]);
        check("zzza/q", "ZA/Q", [true, false, true]);
        check("l", "blob", [false, false, true]);
        check("blo", "blob", [false, false, true]);
        check("Grüße", "GRÜSSE", [false, false, true]);
        check("GRÜN", "rün", [true, false, true]);
        check("", "x", [false, false, false]);
        check("x", "", [true, false, true]);
    }
}
