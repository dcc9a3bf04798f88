//! Orders as words, for what is kept between runs: the rooms that own them know no file format.

/// Keys of an order, each as its column's word, with a minus before it where the greatest comes first. What is none costs only
/// itself.
pub(super) mod sort {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::store::query::SortBy;
    use crate::ui::table::Column;

    pub(in crate::ui) fn serialize<S: Serializer>(sort: &[SortBy], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(sort.iter().filter_map(|by| {
            let word = Column::sorting(by.key)?.word();
            Some(if by.descending { format!("-{word}") } else { word.into_owned() })
        }))
    }

    pub(in crate::ui) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SortBy>, D::Error> {
        let words = Vec::<serde_json::Value>::deserialize(deserializer)?;
        let mut sort: Vec<SortBy> = Vec::new();
        for word in words.iter().filter_map(|word| word.as_str()) {
            let (descending, word) = word.strip_prefix('-').map_or((false, word), |word| (true, word));
            if let Some(key) = Column::named(word).and_then(Column::sort)
                && !sort.iter().any(|by| by.key == key)
            {
                sort.push(SortBy { key, descending });
            }
        }
        Ok(sort)
    }
}

/// In what order groups stand.
pub(super) mod group_order {
    use std::borrow::Cow;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::store::groups::GroupOrder;

    const WORDS: [(GroupOrder, &str); 3] =
        [(GroupOrder::Bytes, "Bytes"), (GroupOrder::Count, "Count"), (GroupOrder::Name, "Name")];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
    pub(in crate::ui) fn serialize<S: Serializer>(order: &GroupOrder, serializer: S) -> Result<S::Ok, S::Error> {
        let word = WORDS.iter().find(|(known, _)| known == order).map_or("", |(_, word)| word);
        serializer.serialize_str(word)
    }

    pub(in crate::ui) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GroupOrder, D::Error> {
        let word = <Cow<'_, str>>::deserialize(deserializer)?;
        let known = WORDS.iter().find(|(_, known)| *known == word).map(|(order, _)| *order);
        known.ok_or_else(|| D::Error::custom("no such order"))
    }
}
