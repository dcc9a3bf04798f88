//! Texts kept once: hosts, paths, addresses, tenants. Capped, since the names come from strangers.

use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashTable;

/// Texts in one shared chunk.
const CHUNK: usize = 1_024;

/// A text of the store; 0 is the empty text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrId(pub u32);

/// A short word of the store (a method, a media type); 0 is the empty text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrId16(pub u16);

/// Frozen texts; a clone shares them. Those of a chunk lie one behind the other: a filter that asks for a part of them runs
/// through memory, not from place to place.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    chunks: Vec<Arc<Chunk>>,
}

#[derive(Debug, Default)]
struct Chunk {
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
}

/// Room for texts of a chunk that is copied since a snapshot has it too; see `own` for why copies come in few sizes.
const ROOM: usize = 16 << 10;

impl Clone for Chunk {
    fn clone(&self) -> Self {
        let mut text = String::with_capacity((self.text.len() + 1).next_power_of_two().max(ROOM));
        text.push_str(&self.text);
        let mut ends = Vec::with_capacity(CHUNK);
        ends.extend_from_slice(&self.ends);
        Self { text, ends }
    }
}

impl Chunk {
    fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)? as usize;
        self.text.get(self.start(at)..end)
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize)
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        // A text has at most some hundred characters.
        self.ends.push(self.text.len() as u32);
    }

    /// Puts a text in the place of another.
    fn put(&mut self, at: usize, text: &str) {
        let (start, Some(end)) = (self.start(at), self.ends.get(at).copied()) else { return };
        self.text.replace_range(start..end as usize, text);
        for later in self.ends.iter_mut().skip(at) {
            *later = *later - end + (start + text.len()) as u32;
        }
    }
}

impl Texts {
    pub(super) fn get(&self, id: u32) -> &str {
        let id = id as usize;
        self.chunks.get(id / CHUNK).and_then(|chunk| chunk.get(id % CHUNK)).unwrap_or_default()
    }

    /// The texts that lie about one, as one: the number of the first, all of them, and where each ends.
    pub(super) fn around(&self, id: u32) -> Option<(u32, &str, &[u32])> {
        let chunk = self.chunks.get(id as usize / CHUNK)?;
        Some((id - id % CHUNK as u32, &chunk.text, &chunk.ends))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.ends.len())
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
            if let Some(chunk) = self.texts.chunks.get_mut(id as usize / CHUNK) {
                Arc::make_mut(chunk).put(id as usize % CHUNK, text);
            }
            id
        } else if self.count >= self.cap.max(2) {
            self.refused += 1;
            return 1;
        } else {
            let id = self.count;
            self.count += 1;
            if (id as usize).is_multiple_of(CHUNK) {
                self.texts.chunks.push(Arc::default());
            }
            if let Some(chunk) = self.texts.chunks.last_mut() {
                Arc::make_mut(chunk).push(text);
            }
            id
        };
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.index.insert_unique(hash, id, |id| hasher.hash_one(texts.get(*id)));
        id
    }

    /// How many numbers were given, those of texts let go included.
    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    /// Lets go of all texts that are not live. Their numbers are given again: whoever still holds one must be live.
    pub(super) fn sweep(&mut self, live: &[bool]) {
        let (index, hasher, free) = (&mut self.index, &self.hasher, &mut self.free);
        for (chunk, first) in self.texts.chunks.iter_mut().zip((0..).step_by(CHUNK)) {
            // The first two are the empty text and the one that stands for all over the cap.
            let is_gone = |id: usize| id >= 2 && live.get(id) == Some(&false);
            let mut gone = (0..chunk.ends.len()).filter(|at| is_gone(first + at)).peekable();
            if gone.peek().is_none() {
                continue;
            }
            let mut left = Chunk::default();
            for at in 0..chunk.ends.len() {
                let (id, text) = ((first + at) as u32, chunk.get(at).unwrap_or_default());
                if gone.next_if_eq(&at).is_none() || text.is_empty() {
                    left.push(text);
                    continue;
                }
                if let Ok(entry) = index.find_entry(hasher.hash_one(text), |known| *known == id) {
                    entry.remove();
                }
                free.push(id);
                left.push("");
            }
            *chunk = Arc::new(left);
        }
    }

    /// The texts so far.
    pub(super) fn texts(&self) -> &Texts {
        &self.texts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CHUNK, Interner};

    proptest! {
        /// Texts are what they were, in snapshots too, whatever was let go and given again since.
        #[test]
        fn texts_stay_what_they_are(steps in prop::collection::vec((any::<u16>(), any::<bool>()), 1..60)) {
            let mut interner = Interner::new(10 * CHUNK);
            let mut known: Vec<(u32, String)> = Vec::new();
            let mut snapshots = Vec::new();
            for (step, (seed, sweeps)) in steps.into_iter().enumerate() {
                for n in 0..seed % 97 {
                    let text = format!("{step} {} {n}", "ä".repeat(usize::from(seed % 13)));
                    known.push((interner.intern(&text), text));
                }
                snapshots.push((interner.texts().clone(), known.clone()));
                if sweeps {
                    let mut live = vec![false; interner.len()];
                    known.retain(|(id, _)| (id + u32::from(seed)) % 3 != 0);
                    for (id, _) in &known {
                        live[*id as usize] = true;
                    }
                    interner.sweep(&live);
                }
                for (id, text) in &known {
                    prop_assert_eq!(interner.texts().get(*id), text);
                    prop_assert_eq!(interner.intern(text), *id);
                }
            }
            for (texts, known) in snapshots {
                prop_assert!(known.iter().all(|(id, text)| texts.get(*id) == text));
            }
        }
    }

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
