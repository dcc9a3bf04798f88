//! When the user did something, and which rows belong to it.

use core::ops::Range;
use std::sync::Arc;

use crate::model::Timestamp;

/// How long an action's exchanges may begin after it, in nanoseconds.
const ACTION_NANOS: i64 = 10_000_000_000;

/// The moments of all actions, in the order of the clock; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(Arc<[Timestamp]>);

impl Actions {
    /// Of these moments, whatever their order.
    pub fn new(moments: impl IntoIterator<Item = Timestamp>) -> Self {
        let mut moments: Vec<Timestamp> = moments.into_iter().collect();
        moments.sort_unstable();
        moments.dedup();
        Self(moments.into())
    }

    /// The moments.
    pub fn moments(&self) -> &[Timestamp] {
        &self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When exchanges of action `number` (from 1) begin: within ten seconds, and before the next action.
    pub fn stretch(&self, number: usize) -> Option<Range<Timestamp>> {
        let from = *self.0.get(number.checked_sub(1)?)?;
        let most = Timestamp(from.0.saturating_add(ACTION_NANOS));
        let next = self.0.get(number).copied().unwrap_or(most);
        Some(from..next.min(most).max(from))
    }
}

#[cfg(test)]
mod tests {
    use super::Actions;
    use crate::model::Timestamp;

    const S: i64 = 1_000_000_000;

    #[track_caller]
    fn check(number: usize, want: Option<(i64, i64)>) {
        let actions = Actions::new([200, 100, 104].map(|s| Timestamp(s * S)));
        let want = want.map(|(from, to)| Timestamp(from * S)..Timestamp(to * S));
        assert_eq!(actions.stretch(number), want, "{number}");
    }

    #[test]
    fn an_action_ends_with_the_next() {
        check(1, Some((100, 104)));
        check(2, Some((104, 114)));
        check(3, Some((200, 210)));
        check(4, None);
        check(0, None);
    }
}
