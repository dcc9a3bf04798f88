//! Evidence: an exchange becomes ledger entries, entries become one verdict of four graded answers.
//!
//! Comes in: an exchange, and what earlier exchanges told (`Known`). Goes out: a ledger in which every entry quotes
//! bytes at a place, and a verdict drawn from nothing but that ledger. Never: input or output, a clock, a look-up.

mod addresses;
mod computed;
mod custody;
mod dates;
mod grade;
mod known;
mod matcher;
mod names;
mod pack;
mod pattern;
mod serving;
#[cfg(test)]
mod tests;

pub use custody::{Scheme, SignedRequest, Standing, signed_request, standing};
pub use known::Known;
pub use matcher::Matcher;
pub use pack::{Kind, Pack, Provider, Service, Signature, SpeaksFor, pack};
pub use serving::{Cache, CacheLine, Layer, Via, age, cache_lines, via};

/// All static words that may stand in a verdict: roles, kinds of hops, and what a capture cannot show.
pub fn words() -> impl Iterator<Item = &'static str> {
    pack().roles.iter().copied().chain(grade::HOPS).chain(grade::CANNOT_SHOW)
}

/// The place of a word in [`words`], so that a record need not hold the sentence.
pub fn word_number(word: &str) -> Option<u16> {
    words().position(|w| w == word).and_then(|n| u16::try_from(n).ok())
}
