//! What header lines say, of the rows that are on screen: read by the jobs, kept while those rows may be painted again.

use ahash::AHashMap;

use crate::store::{HeaderName, Row, RowId, Snapshot};

/// Rows whose lines are kept; past it those that are not on screen go.
const MOST_ROWS: usize = 8_192;

/// What header lines say in some rows, one text a name.
pub(crate) type Said = (RowId, Option<Row>, Vec<String>);

/// The header lines of rows.
#[derive(Debug, Default)]
pub(crate) struct HeaderCells {
    names: Vec<HeaderName>,
    /// The row as it stood when its lines were read: that of an open exchange changes.
    rows: AHashMap<RowId, (Option<Row>, Vec<String>)>,
}

impl HeaderCells {
    /// Which of `rows` are to be read, now that these columns are shown.
    pub(crate) fn missing(&mut self, names: &[HeaderName], rows: &[RowId], snapshot: &Snapshot) -> Vec<RowId> {
        if self.names != names {
            *self = Self { names: names.to_vec(), rows: AHashMap::new() };
        }
        let is_known = |id: &RowId| self.rows.get(id).is_some_and(|(seen, _)| *seen == snapshot.row(*id));
        let missing: Vec<RowId> = rows.iter().filter(|id| !is_known(id)).copied().collect();
        if self.rows.len() + missing.len() > MOST_ROWS {
            self.rows.retain(|id, _| rows.contains(id));
        }
        missing
    }

    /// Takes what was read.
    pub(crate) fn take(&mut self, names: &[HeaderName], said: Vec<Said>) {
        if self.names == names {
            self.rows.extend(said.into_iter().map(|(id, seen, texts)| (id, (seen, texts))));
        }
    }

    /// What a row says; `None` until it was read.
    pub(crate) fn get(&self, id: RowId, name: HeaderName) -> Option<&str> {
        let at = self.names.iter().position(|known| *known == name)?;
        self.rows.get(&id)?.1.get(at).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderCells, MOST_ROWS};
    use crate::model::Side;
    use crate::store::{HeaderName, RowId, Snapshot};

    #[test]
    fn rows_are_read_once_and_not_kept_for_ever() {
        let name = HeaderName::new(Side::Server, "server").unwrap();
        let (mut cells, nothing) = (HeaderCells::default(), Snapshot::empty());
        for page in 0..100 {
            let rows: Vec<RowId> = (page * 1_000..page * 1_000 + 1_000).map(RowId).collect();
            assert_eq!(cells.missing(&[name], &rows, &nothing), rows);
            cells.take(&[name], rows.iter().map(|id| (*id, None, vec![id.0.to_string()])).collect());
            assert_eq!(cells.missing(&[name], &rows, &nothing), []);
            assert_eq!(cells.get(rows[7], name), Some((page * 1_000 + 7).to_string().as_str()));
            assert!(cells.rows.len() <= MOST_ROWS, "{}", cells.rows.len());
        }
        let other = HeaderName::new(Side::Client, "server").unwrap();
        assert_eq!(cells.missing(&[other], &[RowId(99_000)], &nothing), [RowId(99_000)], "other columns, other texts");
        cells.take(&[name], vec![(RowId(99_000), None, vec!["late".to_owned()])]);
        assert_eq!(cells.get(RowId(99_000), other), None, "an answer for columns that are gone");
    }
}
