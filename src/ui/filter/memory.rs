//! Filters used lately, and those kept by name; both stay between runs.

use serde::{Deserialize, Serialize};

/// Filters remembered.
const MOST_USED: usize = 50;
/// Filters kept by name.
const MOST_KEPT: usize = 200;

/// A filter kept by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFilter {
    /// What it is called.
    pub name: String,
    /// The filter.
    pub text: String,
}

/// Filters used lately, and those kept by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterMemory {
    /// Used lately, newest first.
    pub history: Vec<String>,
    /// Kept by name, in the order of their names.
    pub kept: Vec<KeptFilter>,
}

impl FilterMemory {
    /// A filter was used.
    pub(crate) fn used(&mut self, text: String) {
        self.history.retain(|known| *known != text);
        self.history.insert(0, text);
        self.history.truncate(MOST_USED);
    }

    /// Keeps a filter; an older one of that name goes. False where there are too many.
    pub(crate) fn keep(&mut self, name: &str, text: String) -> bool {
        self.drop(name);
        if self.kept.len() >= MOST_KEPT {
            return false;
        }
        self.kept.push(KeptFilter { name: name.to_owned(), text });
        self.kept.sort_by_key(|kept| kept.name.to_lowercase());
        true
    }

    /// Keeps the filter of that name no longer.
    pub(crate) fn drop(&mut self, name: &str) {
        self.kept.retain(|kept| kept.name != name);
    }
}

#[cfg(test)]
mod tests {
    use super::FilterMemory;

    #[test]
    fn the_newest_stand_first_and_the_oldest_go() {
        let mut memory = FilterMemory::default();
        for n in 0..60 {
            memory.used(format!("frame:{n}"));
        }
        memory.used("frame:30".to_owned());
        assert_eq!(memory.history.len(), 50);
        assert_eq!(memory.history[..2], ["frame:30", "frame:59"]);
        assert!(
            memory.keep("b", "x".to_owned()) && memory.keep("A", "y".to_owned()) && memory.keep("b", "z".to_owned())
        );
        let kept: Vec<_> = memory.kept.iter().map(|k| (k.name.as_str(), k.text.as_str())).collect();
        assert_eq!(kept, [("A", "y"), ("b", "z")]);
    }
}
