//! A limit that all flows of a reading share: what a few bytes of one flow may claim, a million flows may claim too.
//!
//! The one counter that several threads change. It is no place to wait at, and no figure that a result depends on before
//! the limit is reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many bytes, for everybody who holds a clone.
#[derive(Clone, Debug)]
pub struct Pool {
    most: usize,
    taken: Arc<AtomicUsize>,
}

impl Pool {
    /// A pool of that many bytes, of which nothing is taken.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A share of nothing yet.
    pub fn share(&self) -> Share {
        Share { pool: self.clone(), bytes: 0 }
    }

    /// Bytes that are taken, by all together.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Two pools are alike when they have the same size; a budget is compared by its figures.
impl PartialEq for Pool {
    fn eq(&self, other: &Self) -> bool {
        self.most == other.most
    }
}

impl Eq for Pool {}

/// What one holder took of a pool; given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    pool: Pool,
    bytes: usize,
}

impl Share {
    /// Bytes taken by this holder.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes so many more bytes, and says whether the pool still holds what is taken of it. They are taken in any case: what
    /// cannot be had must be given back, by this holder or, when it ends, by itself.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let before = self.pool.taken.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.pool.most
    }

    /// Gives back so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.pool.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether the pool holds more than it should.
    pub fn is_over(&self) -> bool {
        self.pool.taken() > self.pool.most
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn what_is_taken_comes_back() {
        let pool = Pool::new(10);
        let (mut one, mut other) = (pool.share(), pool.share());
        assert!(one.grow(4) && other.grow(6));
        assert!(!one.grow(1) && one.is_over());
        one.shrink(2);
        assert!(!other.is_over());
        drop(other);
        assert_eq!((one.bytes(), pool.taken()), (3, 3));
        one.shrink(99);
        assert_eq!(pool.taken(), 0);
    }
}
