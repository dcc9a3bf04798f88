//! Texts made from a rule: some that an expression must match, some that it must not.
//!
//! Comes in: a regular expression of the pack. Goes out: short printable texts, the same ones every time. Never: chance.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, ClassBytesRange, Hir, HirKind};

use super::pack_file::expression;

/// Ways tried through an expression: alternatives in turn, repetitions short and long.
const WAYS: usize = 24;
/// Longest text, in bytes.
const LONGEST: usize = 1_024;
/// What a class gives where it has one of these, by way.
const LIKED: [&[u8]; 3] = [b"a0A ", b"b1B", b"z9Z"];

/// Expressions that belong to one rule; one match is enough. They are compiled here once more, without the short cuts
/// of the matcher, which shall be tried with them.
pub(super) struct Expressions(Vec<Regex>);

impl Expressions {
    pub(super) fn new(patterns: &[&str]) -> Self {
        let compile = |p: &&str| RegexBuilder::new(p).unicode(false).build().ok();
        Self(patterns.iter().filter_map(compile).collect())
    }

    pub(super) fn match_any(&self, text: &str) -> bool {
        self.0.iter().any(|r| r.is_match(text.as_bytes()))
    }

    /// A text as near to `text` as can be that none of them matches: a character replaced by one of `others`, or put in
    /// front.
    pub(super) fn broken(&self, text: &str, others: &str) -> Option<String> {
        let replaced = text.char_indices().flat_map(|(at, old)| {
            others.chars().filter(move |new| *new != old).map(move |new| {
                let (head, tail) = text.split_at(at);
                format!("{head}{new}{}", tail.get(old.len_utf8()..).unwrap_or_default())
            })
        });
        let grown = others.chars().map(|new| format!("{new}{text}"));
        replaced.chain(grown).find(|t| !self.match_any(t))
    }
}

/// Printable texts that `pattern` matches. `mend` makes a text fit for its place (a host name, a chain); what it makes
/// must still match.
pub(super) fn matching(pattern: &str, mend: impl Fn(&str) -> String) -> Vec<String> {
    let (Ok(hir), all) = (expression(pattern), Expressions::new(&[pattern])) else { return Vec::new() };
    let mut texts: Vec<String> = Vec::new();
    for way in 0..WAYS {
        let mut bytes = Vec::new();
        walk(&hir, way, &mut bytes);
        if !bytes.iter().all(|b| (0x20..0x7f).contains(b)) {
            continue;
        }
        let text = mend(&String::from_utf8_lossy(&bytes));
        if all.match_any(&text) && !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

fn walk(hir: &Hir, way: usize, out: &mut Vec<u8>) {
    if out.len() > LONGEST {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => out.extend(one_of(class, way)),
        HirKind::Capture(capture) => walk(&capture.sub, way, out),
        HirKind::Concat(parts) => parts.iter().for_each(|p| walk(p, way, out)),
        HirKind::Alternation(parts) => {
            if let Some(part) = parts.get(way % parts.len().max(1)) {
                walk(part, way, out);
            }
        }
        HirKind::Repetition(repetition) => {
            let longer = repetition.min.saturating_add((way % 3) as u32);
            for _ in 0..repetition.max.map_or(longer, |max| longer.min(max)) {
                walk(&repetition.sub, way, out);
                if out.len() > LONGEST {
                    return;
                }
            }
        }
    }
}

fn one_of(class: &Class, way: usize) -> Option<u8> {
    let Class::Bytes(class) = class else { return None };
    let has = |b: u8| class.iter().any(|r| (r.start()..=r.end()).contains(&b));
    let liked = LIKED.get(way % LIKED.len()).into_iter().chain(&LIKED).copied().flatten().copied();
    liked.chain(0x21..0x7f).find(|b| has(*b)).or_else(|| class.iter().next().map(ClassBytesRange::start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, want: &[&str]) {
        let texts = matching(pattern, str::to_owned);
        for text in want {
            assert!(texts.iter().any(|t| t == text), "{pattern}: {texts:?}");
        }
    }

    #[test]
    fn texts_follow_the_expression() {
        check("^AmazonS3$", &["AmazonS3"]);
        check(r"^EC(?:S|Acc|D) \((?P<site>[a-z]{3})/", &["ECS (aaa/", "ECAcc (bbb/", "ECD (zzz/"]);
        check(r"(?i)\bfrom x\b", &["FROM X"]);
        check(r"^a?b+c{2,3}$", &["bcc", "abbccc", "abbbccc"]);
        check("no(expression", &[]);
    }

    #[test]
    fn broken_texts_do_not_match() {
        let all = Expressions::new(&["^ab$", "^.b$"]);
        assert_eq!(all.broken("ab", "~"), Some("a~".to_owned()));
        assert_eq!(Expressions::new(&[""]).broken("ab", "~"), None);
    }
}
