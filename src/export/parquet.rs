//! Rows as Apache Parquet: typed columns for DuckDB, Spark and their like.
//!
//! Comes in: a listing. Goes out: one file, written group by group, so that memory does not grow with the list. Never: two
//! files for one capture, a column without a type.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::columns::{Get, ROWS_SCHEMA, Said, View, chain_of, columns};
use super::json::{Moment, write_capture, write_capture_hiding};
use super::said::{comment_of, learn, process_of};
use super::{ExportError, Listing, Redactor};
use crate::evidence::pack;
use crate::model::hex;
use crate::store::{Record, StoreError};

/// Rows of one group. A group is what a reader takes at a time, and what is held here until it is written.
const GROUP_ROWS: usize = 32_768;
/// Bytes of text at which a group is written though it has fewer rows: rows with much evidence have kilobytes each.
const GROUP_BYTES: usize = 32 << 20;

/// What a table of rows says of itself beside its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableFacts<'a> {
    /// The filter that kept the rows; empty where all were kept.
    pub filter: &'a str,
}

/// Writes a file of the listing's rows; gives how many. With a redactor secrets are replaced in what is written.
pub fn write_parquet(
    listing: &Listing<'_>,
    facts: TableFacts<'_>,
    redactor: Option<&mut Redactor>,
    out: &mut (dyn Write + Send),
) -> Result<u64, ExportError> {
    write_groups(listing, facts, redactor, (GROUP_ROWS, GROUP_BYTES), out)
}

/// The same with groups of so many rows, and of so many bytes of text.
fn write_groups(
    listing: &Listing<'_>,
    facts: TableFacts<'_>,
    mut redactor: Option<&mut Redactor>,
    (group_rows, group_bytes): (usize, usize),
    out: &mut (dyn Write + Send),
) -> Result<u64, ExportError> {
    let snapshot = listing.snapshot;
    if let Some(redactor) = &mut redactor {
        learn(listing, redactor)?;
    }
    let mut file = SerializedFileWriter::new(out, schema()?, Arc::new(properties()))?;
    for (key, value) in about(listing, facts, redactor.as_deref_mut())? {
        file.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }
    let capture = &snapshot.facts().capture;
    let mut named = |name: &str, sha256: Option<[u8; 32]>| {
        let name = match &mut redactor {
            Some(redactor) => hidden(name, redactor),
            None => name.to_owned(),
        };
        (name, sha256.map(|sha256| hex(&sha256)))
    };
    let whole = named(&capture.name, snapshot.facts().sha256);
    let files: Vec<_> = capture.merged.files.iter().map(|file| named(&file.name, file.sha256)).collect();
    let mut group = Group::new();
    let mut rows = 0;
    for (n, id) in listing.rows() {
        let mut read = |id| -> Result<Record, StoreError> {
            let record = snapshot.record(id)?;
            Ok(match &mut redactor {
                Some(redactor) => redactor.record(&record).record,
                None => record,
            })
        };
        let record = read(id)?;
        let chain = chain_of(&record, &mut |lookup| read(lookup).ok());
        let origin = capture.merged.origin(record.exchange.first_frame);
        let (name, sha256) = origin.and_then(|(file, _)| files.get(file)).unwrap_or(&whole);
        let of = (name.as_str(), sha256.as_deref(), origin.map(|(_, there)| there));
        let (note, colour) = (snapshot.note(id), snapshot.colour(id));
        let comment = comment_of(snapshot, id, &mut redactor);
        let process = process_of(snapshot, id, &mut redactor);
        let said = Said { n, note, colour, comment, process };
        group.add(&View::new(said, &record, of, chain, listing.numbers()));
        rows += 1;
        if group.rows >= group_rows || group.bytes >= group_bytes {
            group.write(&mut file)?;
        }
    }
    if group.rows > 0 {
        group.write(&mut file)?;
    }
    file.close()?;
    Ok(rows)
}

/// What the file says of itself: its schema, the program, the pack, and the capture as the first of the JSON lines has it, so
/// that what was lost or limited travels along.
fn about(
    listing: &Listing<'_>,
    facts: TableFacts<'_>,
    redactor: Option<&mut Redactor>,
) -> Result<Vec<(&'static str, String)>, ExportError> {
    let mut line = Vec::new();
    let redacted = redactor.is_some();
    let filter = if let Some(redactor) = redactor {
        write_capture_hiding(listing.snapshot, redactor, &mut line)?;
        hidden(facts.filter, redactor)
    } else {
        write_capture(listing.snapshot, Moment::Whole, &mut line)?;
        facts.filter.to_owned()
    };
    let pack = pack();
    Ok(vec![
        ("nephoscope.schema", ROWS_SCHEMA.to_owned()),
        ("nephoscope.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("nephoscope.pack", pack.version.to_owned()),
        ("nephoscope.filter", filter),
        ("nephoscope.redacted", if redacted { "yes" } else { "no" }.to_owned()),
        ("nephoscope.capture", String::from_utf8_lossy(&line).trim_end().to_owned()),
    ])
}

/// A text of the user's as it may be shown.
fn hidden(text: &str, redactor: &mut Redactor) -> String {
    String::from_utf8_lossy(&redactor.text(text.as_bytes(), "table")).into_owned()
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by(concat!("nephoscope version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        // Of a whole group: an index of pages would cost memory for every group written.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build()
}

fn schema() -> Result<TypePtr, ExportError> {
    let fields = columns().map(|column| field(column.name, column.get)).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder("row").with_fields(fields).build()?))
}

/// A list is a group of three levels, as the format's specification has it (LogicalTypes.md, "Lists"); it is never null.
fn field(name: &str, get: Get) -> Result<TypePtr, ExportError> {
    let primitive = |name: &str, repetition, physical, logical| {
        Type::primitive_type_builder(name, physical).with_repetition(repetition).with_logical_type(logical).build()
    };
    let element = |physical, logical| -> Result<TypePtr, ExportError> {
        let element = Arc::new(primitive("element", Repetition::REQUIRED, physical, logical)?);
        let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]);
        let list = Arc::new(list.build()?);
        let whole = Type::group_type_builder(name)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::List))
            .with_fields(vec![list]);
        Ok(Arc::new(whole.build()?))
    };
    let optional = Repetition::OPTIONAL;
    let nanos = LogicalType::timestamp(true, TimeUnit::NANOS);
    Ok(match get {
        Get::Text(_) => Arc::new(primitive(name, optional, Physical::BYTE_ARRAY, Some(LogicalType::String))?),
        Get::Int(_) => Arc::new(primitive(name, optional, Physical::INT64, None)?),
        Get::Time(_) => Arc::new(primitive(name, optional, Physical::INT64, Some(nanos))?),
        Get::Bool(_) => Arc::new(primitive(name, optional, Physical::BOOLEAN, None)?),
        Get::Texts(_) => element(Physical::BYTE_ARRAY, Some(LogicalType::String))?,
        Get::Ints(_) => element(Physical::INT64, None)?,
    })
}

/// Values of one column, with the levels that say where there is none and where a list begins.
struct Values {
    get: Get,
    texts: Vec<ByteArray>,
    ints: Vec<i64>,
    bools: Vec<bool>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

impl Values {
    fn new(get: Get) -> Self {
        let (texts, ints, bools) = (Vec::new(), Vec::new(), Vec::new());
        Self { get, texts, ints, bools, definition: Vec::new(), repetition: Vec::new() }
    }

    /// Adds a row's value; gives the bytes of text.
    fn add(&mut self, view: &View<'_>) -> usize {
        match self.get {
            Get::Text(get) => {
                let text = get(view);
                let bytes = text.as_ref().map_or(0, |text| text.len());
                self.definition.push(text.is_some().into());
                self.texts.extend(text.map(|text| ByteArray::from(text.into_owned().into_bytes())));
                bytes
            }
            Get::Int(get) => self.int(get(view)),
            Get::Time(get) => self.int(get(view).map(|time| time.0)),
            Get::Bool(get) => {
                let value = get(view);
                self.definition.push(value.is_some().into());
                self.bools.extend(value);
                0
            }
            Get::Texts(get) => {
                let texts = get(view);
                self.list(texts.len());
                let bytes = texts.iter().map(|text| text.len()).sum();
                self.texts.extend(texts.into_iter().map(|text| ByteArray::from(text.into_owned().into_bytes())));
                bytes
            }
            Get::Ints(get) => {
                let ints = get(view);
                self.list(ints.len());
                self.ints.extend(ints);
                0
            }
        }
    }

    fn int(&mut self, value: Option<i64>) -> usize {
        self.definition.push(value.is_some().into());
        self.ints.extend(value);
        0
    }

    /// The levels of a list of so many: an empty one has one entry that says so.
    fn list(&mut self, len: usize) {
        self.definition.extend(std::iter::repeat_n(i16::from(len > 0), len.max(1)));
        self.repetition.push(0);
        self.repetition.extend(std::iter::repeat_n(1, len.saturating_sub(1)));
    }

    fn write(&mut self, writer: &mut ColumnWriter<'_>) -> Result<(), ExportError> {
        let definition = Some(self.definition.as_slice());
        let repetition = match self.get {
            Get::Texts(_) | Get::Ints(_) => Some(self.repetition.as_slice()),
            Get::Text(_) | Get::Int(_) | Get::Time(_) | Get::Bool(_) => None,
        };
        match writer {
            ColumnWriter::ByteArrayColumnWriter(writer) => writer.write_batch(&self.texts, definition, repetition)?,
            ColumnWriter::Int64ColumnWriter(writer) => writer.write_batch(&self.ints, definition, repetition)?,
            ColumnWriter::BoolColumnWriter(writer) => writer.write_batch(&self.bools, definition, repetition)?,
            ColumnWriter::Int32ColumnWriter(_)
            | ColumnWriter::Int96ColumnWriter(_)
            | ColumnWriter::FloatColumnWriter(_)
            | ColumnWriter::DoubleColumnWriter(_)
            | ColumnWriter::FixedLenByteArrayColumnWriter(_) => {
                debug_assert!(false, "the schema has no such column");
                0
            }
        };
        self.texts.clear();
        self.ints.clear();
        self.bools.clear();
        self.definition.clear();
        self.repetition.clear();
        Ok(())
    }
}

/// Rows that are not written yet.
struct Group {
    columns: Vec<Values>,
    rows: usize,
    bytes: usize,
}

impl Group {
    fn new() -> Self {
        Self { columns: columns().map(|column| Values::new(column.get)).collect(), rows: 0, bytes: 0 }
    }

    fn add(&mut self, view: &View<'_>) {
        for column in &mut self.columns {
            self.bytes += column.add(view);
        }
        self.rows += 1;
    }

    fn write(&mut self, file: &mut SerializedFileWriter<&mut (dyn Write + Send)>) -> Result<(), ExportError> {
        let mut group = file.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else { break };
            column.write(writer.untyped())?;
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::{TableFacts, write_groups};
    use crate::engine::{How, Reading, Source};
    use crate::export::Listing;
    use crate::model::Budget;

    #[test]
    fn groups_end_by_rows_and_by_bytes_and_none_is_lost() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sample/icloud-2011-reconstruction.pcapng");
        let mut reading = Reading::open(&Source::File(sample), How::judged(1), &Budget::default()).unwrap();
        while reading.step().unwrap() {}
        let snapshot = reading.snapshot();
        let listing = Listing::all(&snapshot);
        let all = listing.rows().count();
        let rows_of = |limits| {
            let mut file = tempfile::tempfile().unwrap();
            let written = write_groups(&listing, TableFacts::default(), None, limits, &mut file).unwrap();
            assert_eq!(written, all as u64);
            let reader = SerializedFileReader::new(file).unwrap();
            let groups: Vec<i64> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
            let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
            (groups, rows)
        };
        let (one, whole) = rows_of((1_000, 1 << 30));
        assert_eq!(one, [i64::try_from(all).unwrap()]);
        let (by_rows, same) = rows_of((5, 1 << 30));
        assert!(by_rows.iter().rev().skip(1).all(|rows| *rows == 5) && by_rows.len() == all.div_ceil(5), "{by_rows:?}");
        assert_eq!(same, whole);
        let (by_bytes, same) = rows_of((1_000, 1));
        assert_eq!(by_bytes, vec![1; all]);
        assert_eq!(same, whole);
    }
}
