//! The filter language: text becomes a tree, a tree becomes words, and rows that it keeps.
//!
//! Comes in: what a person typed, and a snapshot. Goes out: the tree or a fault with its place, the meaning in words, what
//! could be written next, and the rows that are kept. Never: a guess at what a faulty filter might have meant.
//!
//! `key:value` tests a value, a minus leaves out, tests beside each other must all hold, `or` and parentheses join them,
//! bare words look in host, path, method, type, address, tenant, operator and product. Wireshark's fields and operators and
//! the keys of browsers' developer tools are understood where they mean the same.

mod bits;
mod complete;
mod judge;
mod keys;
mod matching;
mod parser;
#[cfg(test)]
mod tests;
mod tree;
mod values;
mod words;

pub use complete::{Completion, Suggestion, complete};
pub use keys::{Entry, KEYS, Key, Kind, Proto, State};
pub use parser::Fault;
pub use tree::{Amount, Block, Expr, Heads, Match, Node, Pattern, Test};
pub use values::Moment;

pub(super) use bits::Bits;
pub(super) use judge::Judge;

/// A filter that can be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    tree: Node,
}

impl Default for Filter {
    fn default() -> Self {
        Self::all()
    }
}

impl Filter {
    /// The filter that keeps every row.
    pub fn all() -> Self {
        Self { tree: Node { span: 0..0, expr: Expr::All } }
    }

    /// Reads a filter; the fault says where it is wrong and what would be right. Limits: 16 KiB, 256 tests, 32 levels,
    /// regular expressions of 1 MiB when compiled.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        parser::parse(text).map(|tree| Self { tree })
    }

    /// Whether it keeps every row.
    pub fn keeps_all(&self) -> bool {
        self.tree.expr == Expr::All
    }

    /// What it says.
    pub fn tree(&self) -> &Node {
        &self.tree
    }

    /// What it means: `host contains blob and status is 400 or more`.
    pub fn meaning(&self) -> String {
        words::meaning(&self.tree)
    }

    /// The numbers of single actions that it names.
    pub fn actions(&self) -> Vec<u64> {
        let mut found = Vec::new();
        each_test(&self.tree, &mut |test| {
            if let Test::Number(Key::Action, Amount::Is(n)) = test {
                found.push(*n);
            }
        });
        found
    }

    /// What records are read for, row by row.
    pub(super) fn asked(&self) -> Asked {
        let mut asked = Asked::default();
        each_test(&self.tree, &mut |test| match test {
            Test::Address(_)
            | Test::Number(Key::Port | Key::Stream | Key::Frame, _)
            | Test::Proto(Proto::Tcp | Proto::Udp) => asked.ends = true,
            Test::Header(_, _, None) => asked.names = true,
            Test::Header(_, name, Some(_)) => asked.values.push(name.to_ascii_lowercase()),
            Test::Has(_)
            | Test::Text(..)
            | Test::Number(..)
            | Test::Time(_)
            | Test::Grade(_)
            | Test::Proto(_)
            | Test::State(_)
            | Test::Conflict(_) => {}
        });
        asked.values.sort_unstable();
        asked.values.dedup();
        asked
    }

    /// The filter without its tests of that key.
    #[must_use]
    pub fn without(&self, key: Key) -> Self {
        let all = || Node { span: 0..0, expr: Expr::All };
        Self { tree: without(&self.tree, key).unwrap_or_else(all) }
    }

    /// Both must hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.joined(other, Expr::And)
    }

    /// One must hold.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.joined(other, Expr::Or)
    }

    /// It must not hold. Of the filter that keeps everything nothing can be left out: it stays.
    #[must_use]
    pub fn not(&self) -> Self {
        let expr = match &self.tree.expr {
            Expr::All => Expr::All,
            Expr::Not(inner) => inner.expr.clone(),
            Expr::And(_) | Expr::Or(_) | Expr::Test(_) => Expr::Not(Box::new(self.tree.clone())),
        };
        Self { tree: Node { span: self.tree.span.clone(), expr } }
    }

    fn joined(&self, other: &Self, join: fn(Vec<Node>) -> Expr) -> Self {
        if self.keeps_all() {
            return other.clone();
        }
        if other.keeps_all() {
            return self.clone();
        }
        // What is joined in the same way already goes on as one list.
        let mut parts = Vec::new();
        for node in [&self.tree, &other.tree] {
            match &node.expr {
                Expr::And(inner) | Expr::Or(inner) if join(inner.clone()) == node.expr => {
                    parts.extend(inner.iter().cloned());
                }
                Expr::All | Expr::And(_) | Expr::Or(_) | Expr::Not(_) | Expr::Test(_) => parts.push(node.clone()),
            }
        }
        Self { tree: Node { span: self.tree.span.clone(), expr: join(parts) } }
    }
}

impl core::fmt::Display for Filter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.tree.fmt(f)
    }
}

impl core::str::FromStr for Filter {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::parse(text)
    }
}

/// A test of one value, for a filter that is put together: `host=a.example`.
pub fn is(key: Key, value: &str) -> Filter {
    let test = Test::Text(key, Match::Is(value.to_owned()));
    Filter { tree: Node { span: 0..0, expr: Expr::Test(test) } }
}

/// A test of what a header line says, for a filter that is put together: `resp-header:server="AmazonS3"`. `None` for names
/// that the language cannot write, as that of a pseudo-header field.
pub fn line_is(heads: Heads, name: &str, value: &str) -> Option<Filter> {
    let test = Test::Header(heads, name.to_ascii_lowercase(), Some(Match::Is(value.to_owned())));
    let filter = Filter { tree: Node { span: 0..0, expr: Expr::Test(test) } };
    (Filter::parse(&filter.to_string()).as_ref() == Ok(&filter)).then_some(filter)
}

/// What a filter asks of records that is worth to be kept beside the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Where exchanges begin and end.
    pub(super) ends: bool,
    /// Which header lines there are.
    pub(super) names: bool,
    /// What those of these names say, in small letters.
    pub(super) values: Vec<String>,
}

fn each_test(node: &Node, each: &mut impl FnMut(&Test)) {
    match &node.expr {
        Expr::All => {}
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| each_test(part, each)),
        Expr::Not(part) => each_test(part, each),
        Expr::Test(test) => each(test),
    }
}

/// What is left of a tree without its tests of a key.
fn without(node: &Node, key: Key) -> Option<Node> {
    let left = |parts: &[Node]| parts.iter().filter_map(|part| without(part, key)).collect::<Vec<_>>();
    let joined = |mut parts: Vec<Node>, join: fn(Vec<Node>) -> Expr| match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Node { span: node.span.clone(), expr: join(parts) }),
    };
    match &node.expr {
        Expr::All => None,
        Expr::And(parts) => joined(left(parts), Expr::And),
        Expr::Or(parts) => joined(left(parts), Expr::Or),
        Expr::Not(part) => {
            let part = without(part, key)?;
            Some(Node { span: node.span.clone(), expr: Expr::Not(Box::new(part)) })
        }
        Expr::Test(Test::Number(of, _) | Test::Text(of, _) | Test::Has(of)) if *of == key => None,
        Expr::Test(_) => Some(node.clone()),
    }
}
