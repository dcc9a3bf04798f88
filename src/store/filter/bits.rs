//! One bit for each row of a chunk.

use crate::store::rows::CHUNK;

const WORDS: usize = CHUNK / 64;

/// Rows of one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Bits([u64; WORDS]);

impl Bits {
    pub(in crate::store) const NONE: Self = Self([0; WORDS]);

    /// Those of `len` rows that stand at `from` or behind.
    pub(in crate::store) fn between(from: usize, len: usize) -> Self {
        Self(core::array::from_fn(|n| {
            let below = |end: usize| match end.saturating_sub(n * 64) {
                bits @ 0..64 => (1_u64 << bits) - 1,
                _ => u64::MAX,
            };
            below(len) & !below(from)
        }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    fn zip(mut self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a = join(*a, b);
        }
        self
    }

    /// Those of these rows for which `holds`; places count from the chunk's first row.
    pub(super) fn keep(self, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut kept = Self::NONE;
        for (n, (word, out)) in self.0.into_iter().zip(&mut kept.0).enumerate() {
            let mut left = word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                *out |= u64::from(holds(n * 64 + bit as usize)) << bit;
            }
        }
        kept
    }

    /// The places of these rows, ascending.
    pub(in crate::store) fn each(self, mut each: impl FnMut(usize)) {
        self.keep(|at| {
            each(at);
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[track_caller]
    fn check(from: usize, len: usize) {
        let mut places = Vec::new();
        Bits::between(from, len).each(|at| places.push(at));
        assert_eq!(places, (from..len).collect::<Vec<_>>());
    }

    #[test]
    fn rows_stand_where_they_are() {
        check(0, 1_024);
        check(0, 1);
        check(63, 65);
        check(64, 128);
        check(1_023, 1_024);
        check(700, 3);
        assert!(Bits::between(5, 5).is_empty());
        let odd = Bits::between(0, 200).keep(|at| at % 2 == 1);
        assert_eq!(odd.or(Bits::between(0, 200).minus(odd)), Bits::between(0, 200));
    }
}
