//! Many byte strings looked for at once.
//!
//! Comes in: byte strings, each with what it is, then texts. Goes out: where in a text one of them stands. Never: more time
//! for a text because there are more of them.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;

/// Bytes of a string that the automaton holds, which takes some forty bytes of memory for each; behind them the strings that
/// begin alike are compared.
const PREFIX: usize = 64;
/// Strings that are looked for one by one before the automaton is made anew: learning and looking take turns.
const LOOSE: usize = 64;

/// The strings.
#[derive(Debug)]
pub(super) struct Literals<T> {
    list: Vec<(Vec<u8>, T)>,
    /// How many of them the automaton knows.
    built: usize,
    automaton: Option<AhoCorasick>,
    /// For each pattern of the automaton the places of the strings that begin with it, by their bytes.
    groups: Vec<Vec<usize>>,
}

/// A stretch of a text, and what it is.
type Found<T> = (usize, usize, T);

impl<T: Copy> Literals<T> {
    pub(super) fn new() -> Self {
        Self { list: Vec::new(), built: 0, automaton: None, groups: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn push(&mut self, literal: Vec<u8>, what: T) {
        self.list.push((literal, what));
        if self.list.len() - self.built >= LOOSE {
            self.build();
        }
    }

    fn build(&mut self) {
        let mut groups: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (place, (literal, _)) in self.list.iter().enumerate() {
            groups.entry(literal.get(..PREFIX).unwrap_or(literal)).or_default().push(place);
        }
        // Where it cannot be made they are looked for one by one.
        if let Ok(automaton) = AhoCorasick::new(groups.keys()) {
            let by_bytes = |mut group: Vec<usize>| {
                group.sort_by_key(|place| self.list.get(*place).map(|(literal, _)| literal));
                group
            };
            self.groups = groups.into_values().map(by_bytes).collect();
            self.automaton = Some(automaton);
            self.built = self.list.len();
        }
    }

    /// Where one of them stands; stretches that overlap are one, which is what the first of them is.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Found<T>> {
        let mut found: Vec<Found<T>> = Vec::new();
        // Of patterns that end at one byte there are at most `PREFIX`, since they differ in length.
        for hit in self.automaton.iter().flat_map(|automaton| automaton.find_overlapping_iter(text)) {
            let group = self.groups.get(hit.pattern().as_usize()).map_or(&[][..], Vec::as_slice);
            let Some((len, what)) = self.longest(group, text.get(hit.start()..).unwrap_or_default()) else { continue };
            join(&mut found, (hit.start(), hit.start() + len, what));
        }
        for (literal, what) in self.list.get(self.built..).unwrap_or_default() {
            let finder = memchr::memmem::Finder::new(literal);
            let (mut one, mut at) = (Vec::new(), 0);
            // One may begin inside the one before: `abab` stands twice in `ababab`.
            while let Some(step) = finder.find(text.get(at..).unwrap_or_default()) {
                join(&mut one, (at + step, at + step + literal.len(), *what));
                at += step + 1;
            }
            found.append(&mut one);
        }
        found
    }

    /// The longest of a group that a text begins with.
    fn longest(&self, group: &[usize], text: &[u8]) -> Option<(usize, T)> {
        let of = |place: &usize| self.list.get(*place).map_or(&[][..], |(literal, _)| literal.as_slice());
        let mut bound = text;
        loop {
            // What begins `bound` is not behind it; what is next before it shares the most bytes with it.
            let before = group.partition_point(|place| of(place) <= bound).checked_sub(1)?;
            let place = group.get(before)?;
            let literal = of(place);
            let common = literal.iter().zip(text).take_while(|(a, b)| a == b).count();
            if common == literal.len() {
                return self.list.get(*place).map(|(literal, what)| (literal.len(), *what));
            }
            bound = text.get(..common)?;
        }
    }
}

/// Adds a stretch. Patterns come by their ends, so it never lies before those that are there.
fn join<T>(found: &mut Vec<Found<T>>, mut new: Found<T>) {
    while let Some(last) = found.pop_if(|(_, end, _)| new.0 < *end) {
        let end = new.1.max(last.1);
        let first = if new.0 < last.0 || new.0 == last.0 && new.1 > last.1 { new } else { last };
        new = (first.0, end, first.2);
    }
    found.push(new);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Literals, PREFIX};

    /// Which bytes of a text are covered, by the plainest means.
    fn plainly(literals: &[Vec<u8>], text: &[u8]) -> Vec<bool> {
        let mut covered = vec![false; text.len()];
        for literal in literals {
            for at in 0..text.len() {
                if text[at..].starts_with(literal) {
                    covered[at..at + literal.len()].fill(true);
                }
            }
        }
        covered
    }

    #[track_caller]
    fn check(literals: &[Vec<u8>], text: &[u8]) {
        let mut known = Literals::new();
        for literal in literals {
            known.push(literal.clone(), ());
        }
        let mut covered = vec![false; text.len()];
        for (start, end, ()) in known.find(text) {
            covered[start..end].fill(true);
        }
        assert_eq!(covered, plainly(literals, text), "{} literals", literals.len());
    }

    #[test]
    fn long_ones_that_begin_alike_are_told_apart() {
        let head = vec![b'h'; PREFIX + 3];
        let of = |tail: &str| [&head, tail.as_bytes()].concat();
        let mut literals: Vec<Vec<u8>> = (0..200).map(|n| of(&format!("{n:03}x"))).collect();
        literals.extend([of(""), of("01"), of("0199")]);
        for tail in ["", "0", "017x", "017y", "0199x", "5", "900x"] {
            check(&literals, &[b"--", of(tail).as_slice(), b"--"].concat());
        }
    }

    proptest! {
        #[test]
        fn the_same_bytes_are_found_as_one_by_one(
            mut literals in prop::collection::btree_set("[ab]{2,9}", 0..130),
            long in prop::collection::btree_set("a{60}[ab]{2,12}", 0..9),
            text in "[abc]{0,60}(a{60}[ab]{0,12}){0,2}[abc]{0,20}",
        ) {
            literals.extend(long);
            let literals: Vec<Vec<u8>> = literals.into_iter().map(String::into_bytes).collect();
            check(&literals, text.as_bytes());
        }
    }
}
