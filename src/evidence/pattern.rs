//! One pattern of the pack. Most are plain literals in the clothes of a regular expression; the others are compiled
//! only when a literal that every match must contain has been seen: a capture without them never pays for them.

use std::sync::OnceLock;

use memchr::memmem;
use regex::bytes::{Captures, Regex, RegexBuilder};

/// A pattern with what is needed to refuse most values cheaply.
#[derive(Debug)]
pub(super) struct Pattern {
    source: &'static str,
    literal: Vec<u8>,
    pairs: Pairs,
    finder: memmem::Finder<'static>,
    shape: Shape,
    regex: OnceLock<Option<Regex>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// The value is the literal.
    Whole,
    /// The value begins with it.
    Start,
    /// The value ends with it.
    End,
    /// The value contains it.
    Inside,
    /// The value contains it, and the regular expression matches.
    Expression,
    /// The same, across lines.
    Body,
}

impl Pattern {
    pub(super) fn new(source: &'static str) -> Self {
        let (literal, shape) = literal_of(source);
        Self::with(source, literal, shape)
    }

    fn with(source: &'static str, literal: Vec<u8>, shape: Shape) -> Self {
        let finder = memmem::Finder::new(&literal).into_owned();
        let pairs = Pairs::of(&literal);
        Self { source, literal, pairs, finder, shape, regex: OnceLock::new() }
    }

    /// For the start of a body: a dot matches line ends too.
    pub(super) fn of_body(source: &'static str) -> Self {
        let (literal, _) = literal_of(source);
        Self::with(source, literal, Shape::Body)
    }

    /// Whether a value with those pairs may match: told at once where many patterns are tried on one value.
    pub(super) fn fits(&self, value: Pairs) -> bool {
        self.pairs.0 & !value.0 == 0
    }

    /// Whether `value` matches.
    pub(super) fn matches(&self, value: &[u8]) -> bool {
        match self.shape {
            Shape::Whole => value == self.literal,
            Shape::Start => value.starts_with(&self.literal),
            Shape::End => value.ends_with(&self.literal),
            Shape::Inside => self.gate(value),
            Shape::Expression | Shape::Body => self.gate(value) && self.regex().is_some_and(|r| r.is_match(value)),
        }
    }

    /// Where the first match stands.
    pub(super) fn find(&self, value: &[u8]) -> Option<core::ops::Range<usize>> {
        if !self.gate(value) {
            return None;
        }
        self.regex()?.find(value).map(|found| found.range())
    }

    /// The named groups of a match.
    pub(super) fn captures<'v>(&self, value: &'v [u8]) -> Option<Captures<'v>> {
        if !self.gate(value) {
            return None;
        }
        self.regex()?.captures(value)
    }

    fn gate(&self, value: &[u8]) -> bool {
        self.literal.is_empty() || self.finder.find(value).is_some()
    }

    fn regex(&self) -> Option<&Regex> {
        // A pattern that does not compile matches nothing; a test compiles every one of the pack.
        self.regex
            .get_or_init(|| {
                RegexBuilder::new(self.source)
                    .unicode(false)
                    .dot_matches_new_line(self.shape == Shape::Body)
                    .build()
                    .ok()
            })
            .as_ref()
    }

    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        self.regex().is_some()
    }
}

/// Which pairs of neighbouring bytes a text has, each as one of 64 bits: a text inside another has no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pairs(u64);

impl Pairs {
    pub(super) fn of(text: &[u8]) -> Self {
        let bit = |(a, b): (&u8, &u8)| 1_u64 << ((a.wrapping_mul(7) ^ b.wrapping_mul(13)) % 64);
        Self(text.iter().zip(text.iter().skip(1)).map(bit).fold(0, |all, bit| all | bit))
    }
}

/// The longest literal that stands in every match of `source`, and what is left to check. What this does not understand
/// has no literal: then only the expression decides.
fn literal_of(source: &str) -> (Vec<u8>, Shape) {
    // A character of several bytes is one to `?` and `*`.
    if !source.is_ascii() {
        return (Vec::new(), Shape::Expression);
    }
    let mut bytes = source.bytes().peekable();
    let at_start = bytes.next_if_eq(&b'^').is_some();
    let (mut best, mut run): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    let (mut plain, mut at_end) = (true, false);
    let mut depth = 0_u32;
    let keep = |run: &mut Vec<u8>, best: &mut Vec<u8>| {
        if run.len() > best.len() {
            best.clone_from(run);
        }
        run.clear();
    };
    while let Some(byte) = bytes.next() {
        let end_of_run = match byte {
            b'\\' => match bytes.next() {
                // Words' boundaries look like escaped punctuation; numbers and properties of characters go on behind it.
                Some(b'<' | b'>') => true,
                Some(b'x' | b'u' | b'U' | b'p' | b'P') => return (Vec::new(), Shape::Expression),
                Some(escaped) if escaped.is_ascii_punctuation() => {
                    if depth == 0 {
                        run.push(escaped);
                    }
                    false
                }
                _ => true,
            },
            b'(' => {
                depth += 1;
                // Flags such as (?i) change what a literal means: no gate then.
                let flags = bytes.next_if_eq(&b'?').is_some() && bytes.peek().is_some_and(u8::is_ascii_lowercase);
                if flags {
                    return (Vec::new(), Shape::Expression);
                }
                true
            }
            b')' => {
                depth = depth.saturating_sub(1);
                true
            }
            b'[' => {
                let mut first = true;
                bytes.next_if_eq(&b'^');
                while let Some(inner) = bytes.next() {
                    match inner {
                        b'\\' => drop(bytes.next()),
                        // Classes in classes, and a bracket that is a member.
                        b'[' => return (Vec::new(), Shape::Expression),
                        b']' if first => return (Vec::new(), Shape::Expression),
                        b']' => break,
                        _ => {}
                    }
                    first = false;
                }
                true
            }
            b'|' if depth == 0 => return (Vec::new(), Shape::Expression),
            b'?' | b'*' | b'{' => {
                if depth == 0 {
                    run.pop();
                }
                if byte == b'{' {
                    bytes.by_ref().find(|b| *b == b'}');
                }
                true
            }
            b'$' if bytes.peek().is_none() => {
                at_end = true;
                continue;
            }
            b'.' | b'+' | b'|' | b'^' | b'$' => true,
            _ => {
                if depth == 0 {
                    run.push(byte);
                }
                false
            }
        };
        if end_of_run {
            plain = false;
            keep(&mut run, &mut best);
        }
    }
    keep(&mut run, &mut best);
    let shape = match (plain, at_start, at_end) {
        (false, ..) => Shape::Expression,
        (true, true, true) => Shape::Whole,
        (true, true, false) => Shape::Start,
        (true, false, true) => Shape::End,
        (true, false, false) => Shape::Inside,
    };
    (best, shape)
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Shape, literal_of};

    #[track_caller]
    fn check(source: &str, literal: &str, shape: Shape) {
        let (got, got_shape) = literal_of(source);
        assert_eq!((String::from_utf8_lossy(&got).as_ref(), got_shape), (literal, shape), "{source}");
    }

    #[test]
    fn finds_literals() {
        check("^AmazonS3$", "AmazonS3", Shape::Whole);
        check("^AkamaiGHost", "AkamaiGHost", Shape::Start);
        check(r"\.akam\.net$", ".akam.net", Shape::End);
        check("Acquia Platform CDN", "Acquia Platform CDN", Shape::Inside);
        check(r"^awselb/\d", "awselb/", Shape::Expression);
        check(r"^EC(?:S|Acc|D) \((?P<site>[a-z]{3})/", "EC", Shape::Expression);
        check(r"(?i)\bfrom cloudfront\b", "", Shape::Expression);
        check(r"\(AIX\)|\bAIX\b", "", Shape::Expression);
        check(r"^ab?c{2}de$", "de", Shape::Expression);
        check(r"^GitHub\.com$", "GitHub.com", Shape::Whole);
    }

    /// Patterns of users may be any expression: whatever it is, the short cuts must not decide otherwise.
    #[test]
    fn short_cuts_agree_with_the_expression() {
        let sources = [
            r"^\x41bc$",
            r"\x{41}41",
            r"^[]ab]cd$",
            r"^[^]ab]cd$",
            r"^[[:alpha:]]x$",
            r"^[a[bc]]x$",
            r"\<abc\>",
            r"^a\[b\]c$",
            r"^ab{0}c$",
            r"^ab{0,2}c{1}$",
            "^(?:ab)?c$",
            "^(ab)*?cd$",
            "^é?ab$",
            "^a|b$",
            "(^ab$)",
            r"a^b|\Aab\z",
            "^ab+?$",
            r"^a.b\.c$",
            r"^\$1\^2$",
            r"(?i)^ABC$",
            r"^\pLx$",
            "",
        ];
        let values = [
            "", "a", "b", "ab", "abc", "Abc", "ABC", "A41", "41bc", "acd", "]cd", "ab]cd", "xcd", "cd", "abcd",
            "ababcd", "x", "ax", "a]x", ":]x", "ac", "abbc", "c", "<abc>", "x abc", "a[b]c", "abb", "$1^2", "axb.c",
            "axbxc", "éab", "\u{c3}ab",
        ];
        let mut matched = 0;
        for source in sources {
            let regex = super::RegexBuilder::new(source).unicode(false).build();
            let Ok(regex) = regex else { continue };
            let pattern = Pattern::new(source);
            for value in values {
                let want = regex.is_match(value.as_bytes());
                assert_eq!(pattern.matches(value.as_bytes()), want, "{source} on {value}");
                matched += usize::from(want);
            }
        }
        assert!(matched > 40, "{matched}");
    }

    #[test]
    fn gates_agree_with_the_expression() {
        let p = Pattern::new(r"^EC(?:S|Acc|D) \((?P<site>[a-z]{3})/(?P<node>[0-9A-F]{3,4})\)");
        assert!(p.matches(b"ECAcc (nyb/1D2E)"));
        assert!(!p.matches(b"ECAcc (nyb/xyz)"));
        assert!(!p.matches(b"nginx"));
        let groups = p.captures(b"ECS (lhr/4A1B)");
        assert_eq!(groups.and_then(|g| g.name("site").map(|m| m.as_bytes().to_vec())), Some(b"lhr".to_vec()));
    }
}
