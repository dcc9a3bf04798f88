//! Text becomes a tree, or a fault with its place. Reads any text within its limits; never panics, never guesses.

use core::ops::Range;

use regex::RegexBuilder;

use super::keys::{self, AND, Entry, FIELDS, KEYS, Key, Kind, NOT, OR, Proto, State};
use super::tree::{Amount, Expr, Heads, Match, Node, Pattern, Test};
use super::values::{self, Moment};
use crate::model::{WitnessKind, clean, clean_to};

/// Bytes of a filter; more was pasted by mistake.
const MAX_BYTES: usize = 16 << 10;
/// Parentheses and negations inside each other.
const MAX_DEPTH: usize = 32;
/// Tests of a filter; each may look at every row.
const MAX_TESTS: usize = 256;
/// Bytes of a compiled regular expression, and of its cache: strangers' filters are pasted.
const REGEX_BYTES: usize = 1 << 20;
/// Groups inside each other in a regular expression.
const REGEX_DEPTH: u32 = 32;

/// Characters of what a fault says.
const WORDS_CHARS: usize = 240;

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}; {expected}")]
pub struct Fault {
    /// Where, in bytes of the text; empty at a place where something is missing.
    pub span: Range<usize>,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub expected: String,
}

impl Fault {
    /// The filter, a line of carets under what is wrong, and what would be right, each on a line of its own.
    pub fn drawn(&self, text: &str) -> String {
        let shown = |part: Option<&str>| clean(part.unwrap_or_default().as_bytes()).into_owned();
        let before = shown(text.get(..self.span.start)).chars().count();
        let under = shown(text.get(self.span.clone())).chars().count().max(1);
        let (text, gap, carets) = (shown(Some(text)), " ".repeat(before), "^".repeat(under));
        format!("{}\n  {text}\n  {gap}{carets}\n{}", self.wrong, self.expected)
    }

    /// What was typed stands in the words: they are made fit to be shown.
    fn new(span: Range<usize>, wrong: impl AsRef<str>, expected: impl AsRef<str>) -> Self {
        let shown = |words: &str| clean_to(words.as_bytes(), WORDS_CHARS).into_owned();
        Self { span, wrong: shown(wrong.as_ref()), expected: shown(expected.as_ref()) }
    }
}

type Parsed<T> = Result<T, Fault>;

/// Reads a filter.
pub(super) fn parse(text: &str) -> Parsed<Node> {
    if text.len() > MAX_BYTES {
        return Err(Fault::new(
            MAX_BYTES..text.len(),
            "the filter is too long",
            format!("at most {MAX_BYTES} bytes are read"),
        ));
    }
    let mut parser = Parser { text, at: 0, tests: 0 };
    parser.space();
    if parser.rest().is_empty() {
        return Ok(Node { span: 0..0, expr: Expr::All });
    }
    let node = parser.any(0)?;
    parser.space();
    match parser.rest().chars().next() {
        None => Ok(node),
        Some(c) => {
            let span = parser.at..parser.at + c.len_utf8();
            Err(Fault::new(span, format!("`{c}` closes nothing"), "put it in quotes to search for it"))
        }
    }
}

/// How a key and its value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Colon,
    Equal,
    Differs,
    Over,
    AtLeast,
    Under,
    AtMost,
    Contains,
    Matches,
    In,
}

/// Longer ones before those that they begin with.
const SYMBOLS: [(&str, Op); 10] = [
    ("===", Op::Equal),
    ("==", Op::Equal),
    ("!=", Op::Differs),
    (">=", Op::AtLeast),
    ("<=", Op::AtMost),
    ("=", Op::Equal),
    (">", Op::Over),
    ("<", Op::Under),
    ("~", Op::Matches),
    (":", Op::Colon),
];

const WORDS: [(&str, Op); 9] = [
    ("contains", Op::Contains),
    ("matches", Op::Matches),
    ("in", Op::In),
    ("eq", Op::Equal),
    ("ne", Op::Differs),
    ("gt", Op::Over),
    ("ge", Op::AtLeast),
    ("lt", Op::Under),
    ("le", Op::AtMost),
];

/// A value as it stands in the text.
struct Given {
    text: String,
    span: Range<usize>,
    quoted: bool,
    regex: Option<Pattern>,
}

/// What a name before a comparison stands for.
#[derive(Clone, Copy)]
struct Named {
    key: Key,
    proto: Option<Proto>,
    /// The header line that the name is.
    header: &'static str,
    /// A field of Wireshark's: it may stand alone.
    field: bool,
    /// What a colon means.
    colon: Op,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    tests: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, what: &str) -> bool {
        let there = self.rest().starts_with(what);
        if there {
            self.at += what.len();
        }
        there
    }

    /// Takes one of `words`; those of letters only where they end there.
    fn eat_word(&mut self, words: &[&str]) -> bool {
        let found = words.iter().find(|word| {
            let symbol = !word.starts_with(char::is_alphabetic);
            self.rest().strip_prefix(**word).is_some_and(|behind| symbol || ends(behind))
        });
        found.is_some_and(|word| self.eat(word))
    }

    fn any(&mut self, depth: usize) -> Parsed<Node> {
        let first = self.all(depth)?;
        let mut parts = vec![first];
        loop {
            self.space();
            if !self.eat_word(&OR) {
                break;
            }
            parts.push(self.all(depth)?);
        }
        Ok(joined(parts, Expr::Or))
    }

    fn all(&mut self, depth: usize) -> Parsed<Node> {
        let mut parts = vec![self.one(depth)?];
        loop {
            self.space();
            let and = self.eat_word(&AND);
            let before = self.at;
            let ends = self.rest().is_empty() || self.rest().starts_with(')') || self.eat_word(&OR);
            self.at = before;
            if ends && !and {
                break;
            }
            parts.push(self.one(depth)?);
        }
        Ok(joined(parts, Expr::And))
    }

    /// A test, or one that does not hold.
    fn one(&mut self, depth: usize) -> Parsed<Node> {
        self.space();
        let start = self.at;
        if depth >= MAX_DEPTH {
            let wrong = format!("more than {MAX_DEPTH} parentheses inside each other");
            return Err(Fault::new(start..self.text.len(), wrong, "write it flatter"));
        }
        if self.eat_word(&NOT) || self.eat("-") || (!self.rest().starts_with("!=") && self.eat("!")) {
            let inner = self.one(depth + 1)?;
            let span = start..inner.span.end;
            return Ok(match inner.expr {
                // Twice not is nothing said.
                Expr::Not(inner) => Node { span, expr: inner.expr },
                Expr::All | Expr::And(_) | Expr::Or(_) | Expr::Test(_) => {
                    Node { span, expr: Expr::Not(Box::new(inner)) }
                }
            });
        }
        if self.eat("(") {
            let inner = self.any(depth + 1)?;
            self.space();
            if !self.eat(")") {
                return Err(Fault::new(start..start + 1, "this parenthesis is not closed", "`)` at the end"));
            }
            return Ok(Node { span: start..self.at, expr: inner.expr });
        }
        let joins = |word: &&[&str]| {
            let mut ahead = Parser { text: self.text, at: self.at, tests: 0 };
            ahead.eat_word(word)
        };
        if self.rest().is_empty() || self.rest().starts_with(')') || [&AND[..], &OR[..]].iter().any(joins) {
            let word = self.rest().split([' ', '(']).next().unwrap_or_default();
            let wrong = if word.is_empty() {
                "something is missing here".to_owned()
            } else {
                format!("something is missing before `{word}`")
            };
            let expected = "expected a word, or a key with a value such as host:blob";
            return Err(Fault::new(start..start + word.len(), wrong, expected));
        }
        self.tests += 1;
        if self.tests > MAX_TESTS {
            return Err(Fault::new(
                start..self.text.len(),
                format!("more than {MAX_TESTS} tests"),
                "say it with fewer",
            ));
        }
        let expr = self.test()?;
        Ok(Node { span: start..self.at, expr })
    }

    fn test(&mut self) -> Parsed<Expr> {
        let start = self.at;
        if self.rest().starts_with('"') {
            let text = self.quoted()?;
            return Ok(Expr::Test(Test::Text(Key::Any, Match::Contains(text))));
        }
        if let Some(pattern) = self.regex()? {
            return Ok(Expr::Test(Test::Text(Key::Any, Match::Regex(pattern))));
        }
        let name = self.rest().split(|c: char| !is_name(c)).next().unwrap_or_default();
        let named = named(name);
        self.at += name.len();
        let end = self.at;
        if let Some(named) = named
            && let Some(op) = self.op()
        {
            let op = if op == Op::Colon { named.colon } else { op };
            return self.comparison(named, (start..end, op));
        }
        self.at = end;
        if named.is_none()
            && let Some(fault) = self.unknown(start..end)
        {
            return Err(fault);
        }
        self.at = start;
        let word = self.word();
        if let Some(proto) = Proto::named(word) {
            return Ok(Expr::Test(Test::Proto(proto)));
        }
        if let Some(named) = named.filter(|n| n.field && word == name) {
            return Ok(restricted(named, present(named)));
        }
        if word.starts_with(['=', '<', '>', '~', ':']) || word.starts_with("!=") {
            let wrong = format!("`{}` has nothing before it", word.chars().take(2).collect::<String>());
            return Err(Fault::new(start..self.at, wrong, "expected a key before it, or quotes around it"));
        }
        Ok(Expr::Test(Test::Text(Key::Any, Match::Contains(word.to_owned()))))
    }

    /// A comparison after a name that is a key, at once or after a space.
    fn op(&mut self) -> Option<Op> {
        let start = self.at;
        let tight = SYMBOLS.iter().find(|(symbol, _)| self.rest().starts_with(symbol));
        if let Some((symbol, op)) = tight {
            self.at += symbol.len();
            return Some(*op);
        }
        self.space();
        if self.at > start {
            let symbol = SYMBOLS.iter().find(|(s, op)| *op != Op::Colon && self.rest().starts_with(s));
            let word = WORDS.iter().find(|(word, op)| {
                let ahead = self.rest().get(word.len()..).unwrap_or_default();
                let fits = if *op == Op::In {
                    ahead.trim_start().starts_with('{')
                } else {
                    ahead.starts_with([' ', '"', '/'])
                };
                self.rest().starts_with(word) && fits
            });
            if let Some((text, op)) = symbol.or(word) {
                self.at += text.len();
                return Some(*op);
            }
        }
        self.at = start;
        None
    }

    /// What is wrong with a name that is no key, where it was meant to be one.
    fn unknown(&self, span: Range<usize>) -> Option<Fault> {
        let name = self.text.get(span.clone()).unwrap_or_default();
        let key_like = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !key_like {
            return None;
        }
        let behind = self.rest();
        let value = behind.strip_prefix(':');
        let of_key = match value {
            // An address with its port, the scheme of a URL, IPv6.
            Some(value) => !value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '/' | ':')),
            // `sig=abc` is a piece of a query.
            None => ["==", "!=", ">", "<", "~"].iter().any(|s| behind.starts_with(s)),
        };
        let spaced = {
            let behind = behind.trim_start();
            behind.len() < self.rest().len() && ["==", "!=", ">=", "<="].iter().any(|s| behind.starts_with(s))
        };
        (of_key || spaced).then(|| Fault::new(span, format!("there is no key `{name}`"), instead(name)))
    }

    fn comparison(&mut self, named: Named, (name, op): (Range<usize>, Op)) -> Parsed<Expr> {
        if op == Op::In {
            return self.one_of(named, name);
        }
        if op != Op::Colon {
            self.space();
        }
        if let Kind::Header(heads) = named.key.kind()
            && named.header.is_empty()
        {
            return self.header(heads, (name, op));
        }
        let given = self.given(named, op, &name)?;
        self.build(named, (name, op), given)
    }

    /// `in {200 301}`, or with commas.
    fn one_of(&mut self, named: Named, name: Range<usize>) -> Parsed<Expr> {
        self.space();
        let start = self.at;
        if !self.eat("{") {
            return Err(Fault::new(start..start, "`in` has no list", "expected a list such as in {200 301}"));
        }
        let mut parts = Vec::new();
        loop {
            self.at += self.rest().len() - self.rest().trim_start_matches([' ', ',', '\t']).len();
            if self.eat("}") {
                break;
            }
            if self.rest().is_empty() {
                return Err(Fault::new(start..start + 1, "this list is not closed", "`}` at the end"));
            }
            self.tests += 1;
            if self.tests > MAX_TESTS {
                let wrong = format!("more than {MAX_TESTS} tests");
                return Err(Fault::new(start..self.text.len(), wrong, "say it with fewer"));
            }
            let at = self.at;
            let quoted = self.rest().starts_with('"');
            let text = if quoted {
                self.quoted()?
            } else {
                let word = self.rest().split([' ', ',', '}', '\t', '(', ')']).next().unwrap_or_default();
                self.at += word.len();
                word.to_owned()
            };
            if self.at == at {
                return Err(Fault::new(at..at + 1, "this is no value", "expected a list such as in {200 301}"));
            }
            let given = Given { text, span: at..self.at, quoted, regex: None };
            let op = if named.key.kind() == Kind::Text { Op::Equal } else { Op::Colon };
            let expr = self.build(named, (name.clone(), op), given)?;
            parts.push(Node { span: at..self.at, expr });
        }
        if parts.is_empty() {
            return Err(Fault::new(start..self.at, "this list is empty", "expected a list such as in {200 301}"));
        }
        Ok(joined(parts, Expr::Or).expr)
    }

    /// `server=AmazonS3`, `x-amz-request-id`, `user-agent:iCloud` behind the colon of a header key.
    fn header(&mut self, heads: Heads, (span, op): (Range<usize>, Op)) -> Parsed<Expr> {
        let key = self.text.get(span.clone()).unwrap_or_default().to_owned();
        let expected = format!("expected {key}:name, {key}:name=value or {key}:name:part");
        if op != Op::Colon {
            return Err(Fault::new(span, "a header line has a name", expected));
        }
        let start = self.at;
        let name = self.rest().split(|c: char| !(is_name(c) || "#$%'+`".contains(c))).next().unwrap_or_default();
        let name = name.split("&&").next().unwrap_or_default().split("||").next().unwrap_or_default();
        self.at += name.len();
        if name.is_empty() {
            return Err(Fault::new(span.start..self.at, "the name of the header line is missing", expected));
        }
        let name = name.to_ascii_lowercase();
        let end = self.at;
        let named = Named { key: Key::Header, proto: None, header: "", field: false, colon: Op::Colon };
        let matching = match self.op() {
            Some(op @ (Op::Colon | Op::Equal | Op::Differs | Op::Contains | Op::Matches)) => {
                if op != Op::Colon {
                    self.space();
                }
                let given = self.given(named, op, &(span.start..end))?;
                Some(text_match(given, op, false)?)
            }
            Some(_) => return Err(Fault::new(start..self.at, "header lines are compared as text", expected)),
            None if ends(self.rest()) => None,
            None => return Err(Fault::new(start..self.at, "this is no name of a header line", expected)),
        };
        Ok(Expr::Test(Test::Header(heads, name, matching)))
    }

    fn given(&mut self, named: Named, op: Op, name: &Range<usize>) -> Parsed<Given> {
        let start = self.at;
        let given = if self.rest().starts_with('"') {
            let text = self.quoted()?;
            Given { text, span: start..self.at, quoted: true, regex: None }
        } else if matches!(named.key.kind(), Kind::Text | Kind::Header(_))
            && op != Op::Contains
            && let Some(pattern) = self.regex()?
        {
            let text = self.text.get(start..self.at).unwrap_or_default().to_owned();
            Given { text, span: start..self.at, quoted: true, regex: Some(pattern) }
        } else {
            let text = self.word().to_owned();
            Given { text, span: start..self.at, quoted: false, regex: None }
        };
        if given.text.is_empty() && !given.quoted {
            let name_text = self.text.get(name.clone()).unwrap_or_default();
            let wrong = format!("`{name_text}` has no value");
            return Err(Fault::new(name.start..self.at, wrong, format!("expected {}", values_of(named.key))));
        }
        Ok(given)
    }

    fn build(&self, named: Named, (name, op): (Range<usize>, Op), given: Given) -> Parsed<Expr> {
        let key = named.key;
        let any = given.text == "*" && !given.quoted && matches!(op, Op::Colon | Op::Equal);
        if any && key.kind() != Kind::State {
            return Ok(restricted(named, present(named)));
        }
        if !named.header.is_empty() {
            let heads = match key.kind() {
                Kind::Header(heads) => heads,
                _ => Heads::Both,
            };
            let matching = text_match(given, op, true).map_err(|fault| self.compared(&name, key, fault))?;
            return Ok(Expr::Test(Test::Header(heads, named.header.to_owned(), Some(matching))));
        }
        let span = given.span.clone();
        let bad = |text: &str| {
            let wrong = format!("`{text}` is no value for {}", key.entry().map_or("this", |e| e.subject));
            Fault::new(span.clone(), wrong, format!("expected {}", values_of(key)))
        };
        let expr = match key.kind() {
            Kind::Text => {
                let exact = named.field || key.is_exact();
                let matching = text_match(given, op, exact).map_err(|fault| self.compared(&name, key, fault))?;
                Expr::Test(Test::Text(key, matching))
            }
            // Nobody has to know the numbers.
            Kind::Number if key == Key::Conversation && said_yes(&given.text).is_some() => {
                let any = Expr::Test(Test::Has(key));
                let expr = if said_yes(&given.text) == Some(true) { any } else { negated(any, 0..0) };
                self.equal_or_not(op, (name, key), expr)?
            }
            Kind::Number | Kind::Size | Kind::Duration => {
                let kind = key.kind();
                // What is looked up by prefix is said as people say it.
                let text = if key == Key::Asn { strip_as(&given.text) } else { &given.text };
                let amount = match class(key, text).filter(|_| matches!(op, Op::Colon | Op::Equal)) {
                    Some((from, to)) => Some(Amount::Between(from, to)),
                    None => amount(text, op, |text| values::read_number(text, kind)),
                };
                Expr::Test(Test::Number(key, amount.ok_or_else(|| bad(text))?))
            }
            Kind::Time => {
                let amount = amount(&given.text, op, Moment::read).filter(|amount| match amount {
                    // From a day to a time of every day is no stretch.
                    Amount::Between(from, to) => from.dated == to.dated,
                    _ => true,
                });
                Expr::Test(Test::Time(amount.ok_or_else(|| bad(&given.text))?))
            }
            Kind::Grade => {
                let amount = amount(&given.text, op, values::read_grade);
                Expr::Test(Test::Grade(amount.ok_or_else(|| bad(&given.text))?))
            }
            Kind::Address => {
                let block = values::read_block(&given.text).ok_or_else(|| bad(&given.text))?;
                self.equal_or_not(op, (name, key), Expr::Test(Test::Address(block)))?
            }
            Kind::Proto => {
                let proto = Proto::named(&given.text).ok_or_else(|| bad(&given.text))?;
                self.equal_or_not(op, (name, key), Expr::Test(Test::Proto(proto)))?
            }
            Kind::State => {
                let state = State::named(&given.text).ok_or_else(|| bad(&given.text))?;
                self.equal_or_not(op, (name, key), Expr::Test(Test::State(state)))?
            }
            Kind::YesNo => {
                let expr = yes_no(key, &given.text).ok_or_else(|| bad(&given.text))?;
                self.equal_or_not(op, (name, key), expr)?
            }
            Kind::Header(_) => return Err(bad(&given.text)),
        };
        Ok(restricted(named, expr))
    }

    /// For values that have no order.
    fn equal_or_not(&self, op: Op, (name, key): (Range<usize>, Key), expr: Expr) -> Parsed<Expr> {
        match op {
            Op::Colon | Op::Equal => Ok(expr),
            Op::Differs => Ok(negated(expr, name)),
            _ => {
                let wrong = format!("{} has no order", key.entry().map_or("this", |e| e.subject));
                let expected = format!("expected {}:… or -{}:…", key.word(), key.word());
                Err(Fault::new(name.start..self.at, wrong, expected))
            }
        }
    }

    /// A fault of the comparison itself stands at its key.
    fn compared(&self, name: &Range<usize>, key: Key, fault: Fault) -> Fault {
        if !fault.span.is_empty() {
            return fault;
        }
        let subject = key.entry().map_or("this", |e| e.subject);
        let word = key.word();
        let expected = format!("expected {word}:part, {word}=whole, {word}!=whole or {word}:/expression/");
        Fault::new(name.start..self.at, format!("{subject} is text and has no order"), expected)
    }

    /// A word up to a space or what joins tests.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let stop = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')')).unwrap_or(rest.len());
        let stop = ["&&", "||"].iter().filter_map(|s| rest.get(..stop)?.find(s)).min().unwrap_or(stop);
        self.at += stop;
        rest.get(..stop).unwrap_or_default()
    }

    /// A text in quotes; a backslash stands before a quote or a backslash.
    fn quoted(&mut self) -> Parsed<String> {
        let start = self.at;
        let mut out = String::new();
        let mut escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                '"' if !escaped => {
                    self.at += at + 1;
                    return Ok(out);
                }
                '\\' if !escaped => {
                    escaped = true;
                    continue;
                }
                '"' | '\\' => {}
                _ if escaped => out.push('\\'),
                _ => {}
            }
            escaped = false;
            out.push(c);
        }
        Err(Fault::new(start..start + 1, "this quote is not closed", "`\"` at the end"))
    }

    /// An expression between slashes. What begins with a slash and has another word behind the next one is a path.
    fn regex(&mut self) -> Parsed<Option<Pattern>> {
        let start = self.at;
        let Some(rest) = self.rest().strip_prefix('/') else { return Ok(None) };
        let Some(end) = bare_slash(rest).filter(|end| *end > 0) else { return Ok(None) };
        let (source, behind) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default());
        let flags: String = behind.chars().take_while(|c| matches!(c, 'i' | 'c')).collect();
        if !behind.get(flags.len()..).is_some_and(ends) {
            return Ok(None);
        }
        self.at += end + 2 + flags.len();
        pattern(source, flags.contains('c'), start + 1..start + 1 + end).map(Some)
    }
}

/// Whether a word ends here.
fn ends(behind: &str) -> bool {
    let stops = behind.chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '}'));
    stops || behind.starts_with("&&") || behind.starts_with("||")
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn named(name: &str) -> Option<Named> {
    let plain = |key| Named { key, proto: None, header: "", field: false, colon: Op::Colon };
    if name.eq_ignore_ascii_case("larger-than") {
        return Some(Named { colon: Op::Over, ..plain(Key::Size) });
    }
    if let Some(key) = Key::named(name) {
        return Some(plain(key));
    }
    let field = keys::field_named(name)?;
    Some(Named { proto: field.proto, header: field.header, field: true, ..plain(field.key) })
}

/// A row has a value of this name.
fn present(named: Named) -> Expr {
    Expr::Test(match named.key.kind() {
        Kind::Header(heads) => Test::Header(heads, named.header.to_owned(), None),
        Kind::YesNo => Test::State(state_of(named.key)),
        _ => Test::Has(named.key),
    })
}

fn joined(mut parts: Vec<Node>, join: fn(Vec<Node>) -> Expr) -> Node {
    let span = parts.first().map_or(0, |p| p.span.start)..parts.last().map_or(0, |p| p.span.end);
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            Node { span, expr: join(parts) }
        }
        None => Node { span, expr: Expr::All },
    }
}

fn negated(expr: Expr, span: Range<usize>) -> Expr {
    match expr {
        Expr::Not(inner) => inner.expr,
        expr => Expr::Not(Box::new(Node { span, expr })),
    }
}

/// A field of one protocol is asked of its rows only.
fn restricted(named: Named, expr: Expr) -> Expr {
    match named.proto {
        Some(proto) => {
            let node = |expr| Node { span: 0..0, expr };
            Expr::And(vec![node(Expr::Test(Test::Proto(proto))), node(expr)])
        }
        None => expr,
    }
}

/// What a key that is asked with yes or no asks for.
fn state_of(key: Key) -> State {
    match key {
        Key::Marked => State::Marked,
        Key::Ignored => State::Ignored,
        _ => State::Conflict,
    }
}

/// A yes or a no that is no number.
fn said_yes(text: &str) -> Option<bool> {
    let is = |words: [&str; 2]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["yes", "true"]) { Some(true) } else { is(["no", "false"]).then_some(false) }
}

fn yes_no(key: Key, text: &str) -> Option<Expr> {
    let state = state_of(key);
    let is = |words: [&str; 3]| words.iter().any(|w| w.eq_ignore_ascii_case(text));
    if is(["yes", "true", "1"]) {
        return Some(Expr::Test(Test::State(state)));
    }
    if is(["no", "false", "0"]) {
        return Some(negated(Expr::Test(Test::State(state)), 0..0));
    }
    let witness = WitnessKind::ALL.into_iter().find(|w| keys::witness_word(*w).eq_ignore_ascii_case(text));
    witness.filter(|_| key == Key::Conflict).map(|w| Expr::Test(Test::Conflict(w)))
}

/// A text's comparison; an empty place where the comparison has no meaning.
fn text_match(given: Given, op: Op, exact: bool) -> Parsed<Match> {
    let Given { text, span, quoted: _, regex } = given;
    Ok(match (op, regex) {
        (Op::Colon | Op::Equal | Op::Matches, Some(pattern)) => Match::Regex(pattern),
        (Op::Matches, None) => Match::Regex(pattern(&text, false, span)?),
        (Op::Contains, _) => Match::Contains(text),
        (Op::Colon, None) if !exact => Match::Contains(text),
        (Op::Colon | Op::Equal, None) => Match::Is(text),
        (Op::Differs, None) => Match::Differs(text),
        (Op::Differs, Some(_)) => {
            return Err(Fault::new(span, "an expression is not compared with `!=`", "expected a minus before the key"));
        }
        (Op::Over | Op::AtLeast | Op::Under | Op::AtMost | Op::In, _) => return Err(Fault::new(0..0, "", "")),
    })
}

/// Compiles an expression within the limits.
fn pattern(source: &str, case_counts: bool, span: Range<usize>) -> Parsed<Pattern> {
    // A slash cannot stand bare between slashes.
    let source = slashed(source);
    let built = RegexBuilder::new(&source)
        .case_insensitive(!case_counts)
        .size_limit(REGEX_BYTES)
        .dfa_size_limit(REGEX_BYTES)
        .nest_limit(REGEX_DEPTH)
        .build();
    match built {
        Ok(regex) if !source.is_empty() => Ok(Pattern { source, case_counts, regex }),
        Ok(_) => Err(Fault::new(span, "the expression is empty", "expected something between the slashes")),
        Err(regex::Error::CompiledTooBig(_)) => {
            Err(Fault::new(span, "the expression is too large", "say it with fewer repetitions"))
        }
        Err(error) => {
            // The last line of several says what is wrong; the others draw it.
            let said = error.to_string();
            let why = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Fault::new(
                span,
                format!("this is no regular expression: {why}"),
                "expected an expression such as a.*z",
            ))
        }
    }
}

/// The first slash that stands neither behind a backslash nor in brackets.
fn bare_slash(expression: &str) -> Option<usize> {
    let (mut escaped, mut class) = (false, false);
    for (at, c) in expression.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '/' if !class => return Some(at),
            '[' => class = true,
            ']' => class = false,
            _ => {}
        }
    }
    None
}

/// The expression with a backslash before every bare slash.
fn slashed(expression: &str) -> String {
    let mut text = expression.to_owned();
    while let Some(at) = bare_slash(&text) {
        text.insert(at, '\\');
    }
    text
}

/// A comparison of a value that has an order.
fn amount<T: Copy + Ordered>(text: &str, op: Op, read: impl Fn(&str) -> Option<T>) -> Option<Amount<T>> {
    if let Some((from, to)) = text.split_once("..") {
        if !matches!(op, Op::Colon | Op::Equal) {
            return None;
        }
        return Some(match (from.is_empty(), to.is_empty()) {
            (true, true) => return None,
            (true, false) => Amount::AtMost(read(to)?),
            (false, true) => Amount::AtLeast(read(from)?),
            (false, false) => {
                let (from, to) = (read(from)?, read(to)?);
                if !from.may_reach(&to) {
                    return None;
                }
                Amount::Between(from, to)
            }
        });
    }
    let value = read(text)?;
    Some(match op {
        Op::Colon | Op::Equal => Amount::Is(value),
        Op::Differs => Amount::Differs(value),
        Op::Over => Amount::Over(value),
        Op::AtLeast => Amount::AtLeast(value),
        Op::Under => Amount::Under(value),
        Op::AtMost => Amount::AtMost(value),
        Op::Contains | Op::Matches | Op::In => return None,
    })
}

/// Whether a range from one value to another has something in it.
trait Ordered {
    fn may_reach(&self, end: &Self) -> bool;
}

impl Ordered for u64 {
    fn may_reach(&self, end: &Self) -> bool {
        self <= end
    }
}

impl Ordered for crate::model::Grade {
    fn may_reach(&self, end: &Self) -> bool {
        self <= end
    }
}

impl Ordered for Moment {
    /// A stretch of every day may go over midnight.
    fn may_reach(&self, end: &Self) -> bool {
        !self.dated || self.nanos <= end.nanos
    }
}

/// `4xx`: all status codes of a class.
fn class(key: Key, text: &str) -> Option<(u64, u64)> {
    let digit = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"))?;
    let hundreds = digit.parse::<u64>().ok().filter(|n| key == Key::Status && (1..=9).contains(n))? * 100;
    Some((hundreds, hundreds + 99))
}

fn strip_as(text: &str) -> &str {
    let start = text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("as"));
    if start { text.get(2..).unwrap_or_default() } else { text }
}

/// What can stand behind a key, in words.
fn values_of(key: Key) -> String {
    let Some(Entry { kind, word, example, .. }) = key.entry() else { return "a value".to_owned() };
    match kind {
        Kind::Text => format!("a text such as {word}:{example}, or an expression {word}:/…/"),
        Kind::Number if key == Key::Conversation => "a number of 1 to 10, yes or no".to_owned(),
        Kind::Number => format!("a number or a range such as {word}:{example} or {word}>=1"),
        Kind::Size => "bytes such as size>10k, 2M or 1..5k".to_owned(),
        Kind::Duration => "a time with its unit such as duration>=200ms or 1.5s".to_owned(),
        Kind::Time => "UTC such as 19:00, 2011-06-13T19:00 or 19:00..19:05".to_owned(),
        Kind::Grade => "contradicted, name-only, suggests, supports or conclusive".to_owned(),
        Kind::Address => "an address or a block such as ip:65.52.106.14 or ip:10.0.0.0/8".to_owned(),
        Kind::Proto => list(Proto::ALL.map(Proto::word)),
        Kind::State => list(State::ALL.map(State::word)),
        Kind::YesNo if key == Key::Conflict => {
            format!("yes, no, {}", list(WitnessKind::ALL.map(keys::witness_word)))
        }
        Kind::YesNo => "yes or no".to_owned(),
        Kind::Header(_) => format!("a header line such as {word}:{example}"),
    }
}

fn list<const N: usize>(words: [&str; N]) -> String {
    words.join(", ")
}

/// What to write instead of a key that is none.
fn instead(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if lower == "server" {
        return "say ip:… for its address, resp-header:server=… for its header line".to_owned();
    }
    let all = KEYS.iter().flat_map(|e| [e.word].into_iter().chain(e.aliases.iter().copied()));
    let near = all.chain(FIELDS.iter().map(|f| f.name)).min_by_key(|known| distance(&lower, known));
    let quotes = "put it in quotes to search for it as text";
    if lower.starts_with("x-") {
        return format!("say header:{lower} for a header line, or {quotes}");
    }
    match near.filter(|near| distance(&lower, near) <= 2) {
        Some(near) => format!("did you mean `{near}`? Or {quotes}"),
        None => quotes.to_owned(),
    }
}

/// Levenshtein's distance of two short words.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let new = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = new;
            left = new;
        }
    }
    row.last().copied().unwrap_or(0)
}
