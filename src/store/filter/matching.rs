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
        if self.lower.is_empty() {
            return true;
        }
        if !self.lower.is_ascii() {
            return text.to_lowercase().contains(&self.lower);
        }
        self.starts_in(text.as_bytes()).next().is_some()
    }

    /// Where it begins, in any case of its letters: those places of an ASCII part that is not empty.
    fn starts_in<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let part = self.lower.as_bytes();
        let rarest = part.get(self.rarest).copied().unwrap_or_default();
        memchr::memchr2_iter(rarest, rarest.to_ascii_uppercase(), text).filter_map(move |at| {
            let start = at.checked_sub(self.rarest)?;
            text.get(start..start + part.len())?.eq_ignore_ascii_case(part).then_some(start)
        })
    }

    /// Tells which of the texts that lie one behind the other, ending at `ends`, hold it; one may be told again. Nothing is
    /// told, and the answer is no, where the texts have to be asked one by one.
    pub(super) fn in_each(&self, text: &str, ends: &[u32], mut found: impl FnMut(usize)) -> bool {
        if self.lower.is_empty() || !self.lower.is_ascii() {
            return false;
        }
        let mut at = 0;
        for start in self.starts_in(text.as_bytes()) {
            while ends.get(at).is_some_and(|end| *end as usize <= start) {
                at += 1;
            }
            if ends.get(at).is_some_and(|end| start + self.lower.len() <= *end as usize) {
                found(at);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Needle, Part};
    use crate::store::filter::Match;

    proptest! {
        /// Texts that lie one behind the other say what each says alone: nothing is found over the end of one.
        #[test]
        fn texts_together_say_what_each_says(texts in prop::collection::vec("[abAB/é]{0,6}", 0..20), part in "[abAé]{0,3}") {
            let part = Part::new(&part);
            let ends = texts.iter().scan(0, |end, text| {
                *end += text.len() as u32;
                Some(*end)
            });
            let (whole, ends): (String, Vec<u32>) = (texts.concat(), ends.collect());
            let mut found = vec![false; texts.len()];
            if part.in_each(&whole, &ends, |at| found[at] = true) {
                prop_assert_eq!(found, texts.iter().map(|text| part.is_in(text)).collect::<Vec<_>>());
            } else {
                prop_assert!(part.lower.is_empty() || !part.lower.is_ascii());
            }
        }
    }

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
