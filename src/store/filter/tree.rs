//! What a filter says, as a tree; and the tree as text again.

use core::fmt;
use core::net::IpAddr;
use core::ops::Range;

use super::keys::{self, Key, Proto, State};
use super::values::{self, Moment};
use crate::model::{Grade, WitnessKind};

/// A part of a filter, and where it stands in the text, in bytes.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands.
    pub span: Range<usize>,
    /// What it says.
    pub expr: Expr,
}

/// Places do not count: two filters that say the same are equal.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr
    }
}

impl Eq for Node {}

/// What a part of a filter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// Nothing: every row is kept.
    All,
    /// All of these hold; two at least.
    And(Vec<Node>),
    /// One of these holds; two at least.
    Or(Vec<Node>),
    /// This does not hold.
    Not(Box<Node>),
    /// A single test.
    Test(Test),
}

/// A single test of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The row has a value for the key.
    Has(Key),
    /// A text.
    Text(Key, Match),
    /// A number: status codes, bytes, microseconds, frames and so on, as the key says.
    Number(Key, Amount<u64>),
    /// When it began.
    Time(Amount<Moment>),
    /// How sure the verdict is.
    Grade(Amount<Grade>),
    /// One of the two ends lies in a block of addresses.
    Address(Block),
    /// Which protocol.
    Proto(Proto),
    /// Something that a row is or is not.
    State(State),
    /// This kind of witness disagrees.
    Conflict(WitnessKind),
    /// A header line: of that name, and with such a value where one is asked for.
    Header(Heads, String, Option<Match>),
}

/// Whose head a line is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heads {
    /// The request's and the response's.
    Both,
    /// The request's.
    Request,
    /// The response's.
    Response,
}

/// How a text is compared, always without regard to case unless the expression says that it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It holds this.
    Contains(String),
    /// It is this.
    Is(String),
    /// It is there, and is not this.
    Differs(String),
    /// A regular expression is found in it.
    Regex(Pattern),
}

/// A regular expression that compiles within the limits.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As it was written, between the slashes.
    pub source: String,
    /// Whether upper and lower case are told apart.
    pub case_counts: bool,
    pub(super) regex: regex::Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, self.case_counts) == (&other.source, other.case_counts)
    }
}

impl Eq for Pattern {}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount<T> {
    /// It is this.
    Is(T),
    /// It is there, and is not this.
    Differs(T),
    /// It is more.
    Over(T),
    /// It is this or more.
    AtLeast(T),
    /// It is less.
    Under(T),
    /// It is this or less.
    AtMost(T),
    /// It lies between these, both included.
    Between(T, T),
}

impl<T: Copy + Ord> Amount<T> {
    /// Whether a value is such.
    pub fn holds(&self, value: T) -> bool {
        match *self {
            Self::Is(v) => value == v,
            Self::Differs(v) => value != v,
            Self::Over(v) => value > v,
            Self::AtLeast(v) => value >= v,
            Self::Under(v) => value < v,
            Self::AtMost(v) => value <= v,
            Self::Between(from, to) => (from..=to).contains(&value),
        }
    }
}

impl<T> Amount<T> {
    /// As it is written behind a key.
    fn written(&self, write: impl Fn(&T) -> String) -> String {
        match self {
            Self::Is(v) => format!(":{}", write(v)),
            Self::Differs(v) => format!("!={}", write(v)),
            Self::Over(v) => format!(">{}", write(v)),
            Self::AtLeast(v) => format!(">={}", write(v)),
            Self::Under(v) => format!("<{}", write(v)),
            Self::AtMost(v) => format!("<={}", write(v)),
            Self::Between(from, to) => format!(":{}..{}", write(from), write(to)),
        }
    }
}

/// A block of addresses; an IPv4 address inside IPv6 counts as itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its first address.
    pub address: IpAddr,
    /// How many leading bits are fixed.
    pub bits: u8,
}

impl Block {
    /// Whether an address lies in it.
    pub fn holds(&self, address: IpAddr) -> bool {
        let same = match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        same >= u32::from(self.bits)
    }

    /// Whether it is a single address.
    pub fn is_single(&self) -> bool {
        self.bits == if self.address.is_ipv4() { 32 } else { 128 }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() { write!(f, "{}", self.address) } else { write!(f, "{}/{}", self.address, self.bits) }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Expr::All => Ok(()),
            Expr::And(parts) => join(f, parts, " "),
            Expr::Or(parts) => join(f, parts, " or "),
            Expr::Not(inner) => match inner.expr {
                Expr::And(_) | Expr::Or(_) => write!(f, "-({inner})"),
                Expr::All | Expr::Not(_) | Expr::Test(_) => write!(f, "-{inner}"),
            },
            Expr::Test(test) => write!(f, "{test}"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Node], between: &str) -> fmt::Result {
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        match part.expr {
            Expr::And(_) | Expr::Or(_) => write!(f, "({part})")?,
            Expr::All | Expr::Not(_) | Expr::Test(_) => write!(f, "{part}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Has(key) => write!(f, "{}:*", key.word()),
            Self::Text(Key::Any, matching) => match matching {
                Match::Contains(text) | Match::Is(text) | Match::Differs(text) => f.write_str(&bare(text)),
                Match::Regex(pattern) => write!(f, "{pattern}"),
            },
            Self::Text(key, matching) => write!(f, "{}{}", key.word(), written(matching, key.is_exact())),
            Self::Number(key, amount) => {
                let unit = key.kind();
                write!(f, "{}{}", key.word(), amount.written(|n| values::number(*n, unit)))
            }
            Self::Time(amount) => write!(f, "time{}", amount.written(Moment::to_string)),
            Self::Grade(amount) => write!(f, "grade{}", amount.written(|grade| values::grade_word(*grade).to_owned())),
            Self::Address(block) => write!(f, "ip:{block}"),
            Self::Proto(proto) => write!(f, "proto:{}", proto.word()),
            Self::State(state) => write!(f, "is:{}", state.word()),
            Self::Conflict(witness) => write!(f, "conflict:{}", keys::witness_word(*witness)),
            Self::Header(heads, name, matching) => {
                let key = match heads {
                    Heads::Both => Key::Header,
                    Heads::Request => Key::RequestHeader,
                    Heads::Response => Key::ResponseHeader,
                };
                write!(f, "{}:{name}", key.word())?;
                matching.as_ref().map_or(Ok(()), |matching| f.write_str(&written(matching, false)))
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.source, if self.case_counts { "c" } else { "" })
    }
}

/// A comparison as it is written behind a key; `exact` where a colon alone asks for the very text.
fn written(matching: &Match, exact: bool) -> String {
    match matching {
        Match::Contains(text) if exact => format!(" contains {}", value(text)),
        Match::Contains(text) => format!(":{}", value(text)),
        Match::Is(text) => format!("={}", value(text)),
        Match::Differs(text) => format!("!={}", value(text)),
        Match::Regex(pattern) => format!(":{pattern}"),
    }
}

/// A value, in quotes where it would be read as something else.
pub(super) fn value(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-%@+/".contains(c);
    let safe = !text.is_empty() && !text.starts_with('/') && text.chars().all(plain);
    if safe { text.to_owned() } else { quoted(text) }
}

/// A word that stands alone, in quotes where it would be read as something else.
fn bare(text: &str) -> String {
    let reserved = keys::is_reserved(text) || text.starts_with('-');
    if reserved { quoted(text) } else { value(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
