//! Where the exchanges stand that handed out URLs.

use crate::model::{ExchangeNo, GiverNo};

/// Places by the givers' numbers, which grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Givers {
    /// The number of the first one kept.
    first: u32,
    /// `u32::MAX` where it has not arrived.
    places: Vec<u32>,
}

impl Givers {
    /// The exchange that verdicts know by `giver` is the one at `place`.
    pub(super) fn put(&mut self, giver: GiverNo, place: ExchangeNo) {
        let Some(at) = giver.0.checked_sub(self.first).map(|at| at as usize) else { return };
        if self.places.len() <= at {
            self.places.resize(at + 1, u32::MAX);
        }
        if let Some(slot) = self.places.get_mut(at) {
            *slot = place.0;
        }
    }

    /// The place of a giver; `None` while it has not ended, and where it was forgotten.
    pub(super) fn get(&self, giver: GiverNo) -> Option<u32> {
        let at = giver.0.checked_sub(self.first)?;
        self.places.get(at as usize).copied().filter(|place| *place != u32::MAX)
    }

    /// All of them by number, from 0.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<u32>> + '_ {
        let places = self.places.iter().map(|place| (*place != u32::MAX).then_some(*place));
        (0..self.first).map(|_| None).chain(places)
    }

    /// Forgets the first ones, as far as their rows are gone.
    pub(super) fn forget(&mut self, is_gone: impl Fn(u32) -> bool) {
        let old = self.places.iter().take_while(|place| **place != u32::MAX && is_gone(**place)).count();
        self.places.drain(..old);
        self.first = self.first.saturating_add(old as u32);
    }
}
