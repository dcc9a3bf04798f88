//! Evidence: an exchange becomes ledger entries, entries become one verdict of four graded answers.
//!
//! Comes in: an exchange, and what earlier exchanges told (`Known`). Goes out: a ledger in which every entry quotes
//! bytes at a place, and a verdict drawn from nothing but that ledger. Never: input or output, a clock, a look-up.

mod addresses;
mod authorities;
mod authority;
mod cases;
#[cfg(test)]
mod cases_tests;
mod computed;
mod custody;
mod dates;
mod grade;
mod handouts;
#[cfg(test)]
mod impostor_tests;
mod known;
mod matcher;
mod name_path;
mod names;
mod pack;
mod pack_file;
mod pattern;
mod readings;
#[cfg(test)]
mod readings_tests;
mod resolvers;
mod sample;
mod serving;
#[cfg(test)]
mod tests;
mod user_pack;

use std::sync::OnceLock;

use ahash::AHashMap;

use crate::model::{Evidence, Exchange, Part};

pub use authority::{Authority, authority};
pub use cases::{Trial, Trials};
pub use custody::{Scheme, SignedRequest, Standing as SignatureStanding, signed_request, standing};
pub use grade::UNDATED;
pub use handouts::Given;
pub use known::{Known, is_relay};
pub use matcher::Matcher;
pub use name_path::{NamePath, name_path};
pub use pack::{AddedFile, Kind, Pack, Provider, Service, Signature, SpeaksFor, pack};
pub use readings::{challenges, hypotheses, signature_standing, vintage};
pub use resolvers::{SealedDns, resolver, sealed_dns};
pub use serving::{Cache, CacheLine, Layer, Via, age, cache_lines, via};
pub use user_pack::{LintLine, PackText, install, lint, lint_built_in};

/// Who could have faked a line of the ledger: the rule's words, and for a certificate how its chain stands.
pub fn forgeable_by(entry: &Evidence, exchange: &Exchange) -> String {
    let rule = pack().signature(entry.signature).map_or("", |s| s.forgeable_by);
    let chain = exchange.trust().filter(|_| matches!(entry.place.part, Part::Certificate(_)));
    match chain {
        Some(trust) if trust.holds() => format!("{rule} (the chain is {})", trust.sentence()),
        Some(trust) => format!("whoever made the chain, for it is {}", trust.sentence()),
        None if exchange.reported.is_some() => format!("whoever had the HAR file; {rule}"),
        None => rule.to_owned(),
    }
}

/// All static words that may stand in a verdict: roles, kinds of hops, and what a capture cannot show.
pub fn words() -> impl Iterator<Item = &'static str> {
    let fixed = grade::HOPS.into_iter().chain(grade::CANNOT_SHOW).chain(handouts::REASONS).chain(handouts::forms());
    pack().roles.iter().copied().chain(fixed)
}

/// The place of a word in [`words`], so that a record need not hold the sentence.
pub fn word_number(word: &str) -> Option<u16> {
    /// Every row asks several times: a table that is made once, of words that never change.
    static NUMBERS: OnceLock<AHashMap<&str, u16>> = OnceLock::new();
    NUMBERS.get_or_init(|| words().zip(0..).collect()).get(word).copied()
}
