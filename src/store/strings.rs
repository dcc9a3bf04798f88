//! Texts kept once: hosts, paths, addresses, tenants. Capped, since the names come from strangers.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashTable;

use super::own::own;

/// Texts in one shared chunk.
const CHUNK: usize = 1_024;

/// A text of the store; 0 is the empty text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrId(pub u32);

/// A short word of the store (a method, a media type); 0 is the empty text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrId16(pub u16);

/// Frozen texts; a clone shares them.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    chunks: Vec<Arc<Vec<Arc<str>>>>,
}

impl Texts {
    pub(super) fn get(&self, id: u32) -> &str {
        let id = id as usize;
        self.chunks.get(id / CHUNK).and_then(|c| c.get(id % CHUNK)).map_or("", |t| t)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }
}

/// The interner: a text in, its number out.
#[derive(Debug)]
pub(super) struct Interner {
    texts: Texts,
    index: HashTable<u32>,
    hasher: RandomState,
    count: u32,
    /// Numbers of texts that were let go, to be given again.
    free: Vec<u32>,
    cap: u32,
    /// How many texts were refused for the cap.
    pub(super) refused: u64,
}

impl Interner {
    /// Keeps at most `cap` texts.
    pub(super) fn new(cap: usize) -> Self {
        let mut interner = Self {
            texts: Texts::default(),
            index: HashTable::new(),
            hasher: RandomState::new(),
            count: 0,
            free: Vec::new(),
            cap: u32::try_from(cap).unwrap_or(u32::MAX),
            refused: 0,
        };
        interner.intern("");
        interner.intern("…");
        interner
    }

    /// The number of `text`; past the cap, the number of `…` (the text itself stays in the record).
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        if let Some(id) = self.index.find(hash, |id| self.texts.get(*id) == text) {
            return *id;
        }
        let id = if let Some(id) = self.free.pop() {
            self.put(id, Arc::from(text));
            id
        } else if self.count >= self.cap.max(2) {
            self.refused += 1;
            return 1;
        } else {
            let id = self.count;
            self.count += 1;
            if (id as usize).is_multiple_of(CHUNK) {
                self.texts.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
            }
            if let Some(chunk) = self.texts.chunks.last_mut() {
                own(chunk, CHUNK).push(Arc::from(text));
            }
            id
        };
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.index.insert_unique(hash, id, |id| hasher.hash_one(texts.get(*id)));
        id
    }

    fn put(&mut self, id: u32, text: Arc<str>) {
        let chunk = self.texts.chunks.get_mut(id as usize / CHUNK).map(|chunk| own(chunk, CHUNK));
        if let Some(slot) = chunk.and_then(|chunk| chunk.get_mut(id as usize % CHUNK)) {
            *slot = text;
        }
    }

    /// How many numbers were given, those of texts let go included.
    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    /// Lets go of all texts that are not live. Their numbers are given again: whoever still holds one must be live.
    pub(super) fn sweep(&mut self, live: &[bool]) {
        let nothing: Arc<str> = Arc::from("");
        // The first two are the empty text and the one that stands for all over the cap.
        for (id, _) in (0..self.count).zip(live).skip(2).filter(|(_, live)| !**live) {
            let text = self.texts.get(id);
            if text.is_empty() {
                continue;
            }
            let hash = self.hasher.hash_one(text);
            if let Ok(entry) = self.index.find_entry(hash, |known| *known == id) {
                entry.remove();
            }
            self.put(id, Arc::clone(&nothing));
            self.free.push(id);
        }
    }

    /// The texts so far.
    pub(super) fn texts(&self) -> &Texts {
        &self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn keeps_each_text_once_and_stops_at_the_cap() {
        let mut interner = Interner::new(1_500);
        let a = interner.intern("a.example");
        assert_eq!(interner.intern("a.example"), a);
        for i in 0..3_000 {
            interner.intern(&format!("{i}.example"));
        }
        assert_eq!(interner.texts().get(a), "a.example");
        assert_eq!(interner.texts().get(1), "…");
        assert!(interner.refused > 1_000);
    }
}
