//! Sets of numbers that mostly follow each other: packets that were seen, streams that are over.

/// Ranges that are remembered; then the two oldest grow together, as if what stands between them had been there.
const RANGES: usize = 256;

/// The numbers.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Start and end of each range, the end not in it; ascending, none touch.
    ranges: Vec<(u64, u64)>,
}

impl Numbers {
    pub(super) fn add(&mut self, number: u64) {
        let Some(next) = number.checked_add(1) else { return };
        // The first range that ends at the number or behind it.
        let at = self.ranges.partition_point(|(_, end)| *end < number);
        match self.ranges.get_mut(at) {
            Some((start, end)) if *start <= next => {
                *start = (*start).min(number);
                *end = (*end).max(next);
            }
            _ => self.ranges.insert(at, (number, next)),
        }
        self.join(at);
        if self.ranges.len() > RANGES {
            self.swallow();
        }
    }

    pub(super) fn has(&self, number: u64) -> bool {
        let at = self.ranges.partition_point(|(_, end)| *end <= number);
        self.ranges.get(at).is_some_and(|(start, _)| *start <= number)
    }

    /// Whether one of `first..=last` is not there; what lies before the first range is not counted.
    pub(super) fn lacks(&self, first: u64, last: u64) -> bool {
        let Some((begin, _)) = self.ranges.first() else { return false };
        let first = first.max(*begin);
        let at = self.ranges.partition_point(|(_, end)| *end <= first);
        first <= last && self.ranges.get(at).is_none_or(|(start, end)| *start > first || *end <= last)
    }

    /// Joins a range with the next one, where they touch.
    fn join(&mut self, at: usize) {
        let next = at.saturating_add(1);
        let (Some((_, end)), Some((start, far))) = (self.ranges.get(at).copied(), self.ranges.get(next).copied())
        else {
            return;
        };
        if end >= start {
            self.ranges.remove(next);
            if let Some(range) = self.ranges.get_mut(at) {
                range.1 = far.max(end);
            }
        }
    }

    fn swallow(&mut self) {
        if let [_, (_, end), ..] = self.ranges.as_slice() {
            let end = *end;
            self.ranges.remove(1);
            if let Some(range) = self.ranges.first_mut() {
                range.1 = end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn holds_what_was_added(numbers in prop::collection::vec(0_u64..120, 1..80)) {
            let mut set = Numbers::default();
            for n in &numbers {
                set.add(*n);
            }
            for n in 0..130 {
                prop_assert_eq!(set.has(n), numbers.contains(&n), "{}", n);
            }
            let least = *numbers.iter().min().unwrap();
            for last in 0..130 {
                let lacks = (least..=last).any(|n| !numbers.contains(&n));
                prop_assert_eq!(set.lacks(0, last), lacks, "{}", last);
            }
            prop_assert!(set.ranges.windows(2).all(|w| w[0].1 < w[1].0));
        }
    }

    #[test]
    fn the_oldest_holes_are_forgotten() {
        let mut set = Numbers::default();
        (0..2_000).step_by(2).for_each(|n| set.add(n));
        assert_eq!(set.ranges.len(), super::RANGES);
        assert!(set.has(1) && !set.has(1_997));
    }
}
