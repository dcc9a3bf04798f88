//! What a filter means, in words.

use super::keys::{Key, Kind, Proto, State};
use super::tree::{Amount, Block, Expr, Heads, Match, Node, Test};
use super::values::{self, DAY, Moment};
use crate::model::{WitnessKind, clean_to};

/// Characters of a value that are said.
const VALUE_CHARS: usize = 80;

/// What a tree means: `host contains blob and status is 400 or more`.
pub(super) fn meaning(node: &Node) -> String {
    match &node.expr {
        Expr::All => "every row".to_owned(),
        Expr::And(parts) => parts.iter().map(|p| inner(p, true)).collect::<Vec<_>>().join(" and "),
        Expr::Or(parts) => parts.iter().map(|p| inner(p, false)).collect::<Vec<_>>().join(" or "),
        Expr::Not(part) => match &part.expr {
            Expr::Test(test) => said(test, false),
            Expr::All | Expr::And(_) | Expr::Or(_) | Expr::Not(_) => format!("not ({})", meaning(part)),
        },
        Expr::Test(test) => said(test, true),
    }
}

fn inner(node: &Node, all: bool) -> String {
    match node.expr {
        Expr::Or(_) if all => format!("({})", meaning(node)),
        Expr::And(_) if !all => format!("({})", meaning(node)),
        Expr::All | Expr::And(_) | Expr::Or(_) | Expr::Not(_) | Expr::Test(_) => meaning(node),
    }
}

/// A test, or that it does not hold.
fn said(test: &Test, holds: bool) -> String {
    let subject = |key: Key| key.entry().map_or("the row", |e| e.subject);
    let is = if holds { "is" } else { "is not" };
    match test {
        Test::Has(key) if holds => format!("there is a {}", subject(*key)),
        Test::Has(key) => format!("there is no {}", subject(*key)),
        Test::Text(Key::Any, matching) => text("the row", matching, holds),
        Test::Text(key, matching) => text(subject(*key), matching, holds),
        Test::Number(Key::Frame, amount) => {
            let meets = if holds { "has" } else { "does not have" };
            let what = match amount {
                Amount::Is(n) => format!("frame {n}"),
                Amount::Between(from, to) => format!("frames of {from} to {to}"),
                Amount::Over(n) => format!("frames after {n}"),
                Amount::AtLeast(n) => format!("frames from {n} on"),
                Amount::Under(n) => format!("frames before {n}"),
                Amount::AtMost(n) => format!("frames up to {n}"),
                Amount::Differs(n) if holds => return format!("it does not have frame {n}"),
                Amount::Differs(n) => return format!("it has frame {n}"),
            };
            format!("it {meets} {what}")
        }
        Test::Number(Key::Action, amount) => {
            let began = if holds { "began" } else { "did not begin" };
            let what = amounts(amount, u64::to_string);
            format!("it {began} after an action whose number {what}")
        }
        Test::Number(Key::Port, Amount::Differs(n)) if holds => format!("no port is {n}"),
        Test::Number(Key::Port, Amount::Differs(n)) => format!("one of the ports is {n}"),
        Test::Number(key, amount) => {
            let unit = key.kind();
            negated(subject(*key), &amounts(amount, |n| number(*n, unit)), holds)
        }
        Test::Time(amount) => {
            let what = match amount {
                Amount::Is(moment) if moment.unit > 1 => format!("is in {}", moment_words(moment)),
                Amount::Between(from, to) => format!("is from {} to {}", moment_words(from), moment_words(to)),
                Amount::Over(m) => format!("is after {}", moment_words(m)),
                Amount::Under(m) => format!("is before {}", moment_words(m)),
                Amount::AtLeast(m) => format!("is {} or later", moment_words(m)),
                Amount::AtMost(m) => format!("is {} or earlier", moment_words(m)),
                Amount::Is(m) => format!("is {}", moment_words(m)),
                Amount::Differs(m) => format!("is not in {}", moment_words(m)),
            };
            negated("time", &format!("{what} UTC"), holds)
        }
        Test::Grade(amount) => {
            let what = match amount {
                Amount::AtLeast(g) => format!("is {} or better", g.word()),
                Amount::Over(g) => format!("is better than {}", g.word()),
                Amount::AtMost(g) => format!("is {} or weaker", g.word()),
                Amount::Under(g) => format!("is weaker than {}", g.word()),
                other => amounts(other, |g| g.word().to_owned()),
            };
            negated("grade", &what, holds)
        }
        Test::Address(block) => address(block, is),
        Test::Proto(proto) => protocol(*proto, is),
        Test::State(state) => stated(*state, holds),
        Test::Conflict(witness) => {
            let what = if *witness == WitnessKind::Names { "SNI and Host" } else { witness.word() };
            format!("the {what} {}", if holds { "conflicts" } else { "does not conflict" })
        }
        Test::Header(heads, name, matching) => {
            let whose = match heads {
                Heads::Both => "a header",
                Heads::Request => "a request header",
                Heads::Response => "a response header",
            };
            let name = clean_to(name.as_bytes(), VALUE_CHARS);
            let there = if holds { "there is" } else { "there is not" };
            match matching {
                None => format!("{there} {whose} {name}"),
                Some(Match::Differs(text)) if holds => {
                    format!("there is {whose} {name}, and none is {}", shown(text))
                }
                Some(Match::Differs(text)) => format!("there is not {whose} {name}, or one is {}", shown(text)),
                Some(matching) => format!("{there} {whose} {name} that {}", verb(matching)),
            }
        }
    }
}

fn negated(subject: &str, what: &str, holds: bool) -> String {
    match what.strip_prefix("is ").filter(|rest| !rest.starts_with("there and")) {
        _ if holds => format!("{subject} {what}"),
        Some(rest) => format!("{subject} is not {rest}"),
        None => format!("not ({subject} {what})"),
    }
}

fn text(subject: &str, matching: &Match, holds: bool) -> String {
    let value = |text: &str| shown(text);
    match (matching, holds) {
        (Match::Contains(_) | Match::Is(_) | Match::Regex(_), true) => format!("{subject} {}", verb(matching)),
        (Match::Contains(text), false) => format!("{subject} does not contain {}", value(text)),
        (Match::Is(text), false) => format!("{subject} is not {}", value(text)),
        (Match::Regex(pattern), false) => format!("{subject} does not match {}", shown(&pattern.to_string())),
        (Match::Differs(text), true) => format!("{subject} is there and is not {}", value(text)),
        (Match::Differs(text), false) => format!("{subject} is not there or is {}", value(text)),
    }
}

fn verb(matching: &Match) -> String {
    match matching {
        Match::Contains(text) => format!("contains {}", shown(text)),
        Match::Is(text) => format!("is {}", shown(text)),
        Match::Differs(text) => format!("is not {}", shown(text)),
        Match::Regex(pattern) => {
            let case = if pattern.case_counts { ", case counts" } else { "" };
            format!("matches {}{case}", shown(&pattern.to_string()))
        }
    }
}

/// A value, ready for display; in quotes where it would run into the words around it.
fn shown(text: &str) -> String {
    let clean = clean_to(text.as_bytes(), VALUE_CHARS);
    if clean.is_empty() || clean.contains(' ') { format!("“{clean}”") } else { clean.into_owned() }
}

fn amounts<T>(amount: &Amount<T>, write: impl Fn(&T) -> String) -> String {
    match amount {
        Amount::Is(v) => format!("is {}", write(v)),
        Amount::Differs(v) => format!("is there and is not {}", write(v)),
        Amount::Over(v) => format!("is more than {}", write(v)),
        Amount::AtLeast(v) => format!("is {} or more", write(v)),
        Amount::Under(v) => format!("is less than {}", write(v)),
        Amount::AtMost(v) => format!("is {} or less", write(v)),
        Amount::Between(from, to) => format!("is {} to {}", write(from), write(to)),
    }
}

fn number(n: u64, kind: Kind) -> String {
    let written = values::number(n, kind);
    match kind {
        Kind::Size if n < 1_024 || !n.is_multiple_of(1_024) => format!("{written} bytes"),
        Kind::Size => written.replace('k', " KiB").replace('M', " MiB").replace('G', " GiB"),
        Kind::Duration => {
            let digits = written.trim_end_matches(char::is_alphabetic);
            format!("{digits} {}", written.trim_start_matches(digits).replace("us", "µs"))
        }
        _ => written,
    }
}

fn moment_words(moment: &Moment) -> String {
    let words = moment.to_string().replace('T', " ");
    if moment.dated || moment.unit == DAY { words } else { format!("{words} of a day") }
}

fn address(block: &Block, is: &str) -> String {
    if block.is_single() {
        format!("one of the addresses {is} {block}").replace("one of the addresses is not", "no address is")
    } else {
        format!("one of the addresses {is} in {block}").replace("one of the addresses is not", "no address is")
    }
}

fn protocol(proto: Proto, is: &str) -> String {
    format!("the protocol {is} {}", proto.name())
}

fn stated(state: State, holds: bool) -> String {
    let (yes, no) = match state {
        State::Open => ("it goes on", "it is over"),
        State::Marked => ("it is marked", "it is not marked"),
        State::Ignored => ("it is ignored", "it is not ignored"),
        State::Commented => ("it has a comment", "it has no comment"),
        State::Conflict => ("witnesses disagree", "no witnesses disagree"),
        State::Incomplete => ("a message is missing or cut", "no message is missing or cut"),
        State::Odd => ("something odd was met", "nothing odd was met"),
        State::Decrypted => ("keys opened it", "no keys opened it"),
        State::HandedOut => ("an earlier response gave its URL", "no earlier response gave its URL"),
        State::Error => ("it failed (status 400 or more, or a DNS error)", "it did not fail"),
    };
    if holds { yes.to_owned() } else { no.to_owned() }
}
