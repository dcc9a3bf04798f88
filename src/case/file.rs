//! The case file: JSON of schema `nephoscope-case/1`.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Case, Key, Mark, Plan, Shape, Unread};
use crate::model::Timestamp;
use crate::store::Actions;

/// The name of this form; it changes when a field is renamed or its meaning changes.
pub const SCHEMA: &str = "nephoscope-case/1";
/// What the names of all versions of the form begin with.
const FAMILY: &str = "nephoscope-case/";
/// Added to the capture's file name.
const ENDING: &str = ".nephoscope.json";

/// Bytes of a case file: a hundred thousand comments fit.
const MOST_BYTES: u64 = 16 << 20;
/// Marks of one case.
const MOST_MARKS: usize = 100_000;
/// Pictures of one case.
const MOST_PLANS: usize = 1_000;
/// Exchanges, sections or annotations of one picture, and words to hide.
const MOST_PARTS: usize = 1_000;
/// Bytes of one text that the user wrote.
pub const MOST_TEXT: usize = 64 << 10;
/// Points that an annotation may be away from its corner: pictures end far before.
const FARTHEST: f32 = 1_000_000.0;
/// Width of a picture in points.
const WIDTHS: std::ops::RangeInclusive<u16> = 320..=4_000;

/// Why a case could not be loaded or saved.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file system failed.
    #[error("cannot {doing} the case file: {source}: {path}", path = path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read as a case.
    #[error("not used as a case file, {why}: {path}", path = path.display())]
    NotACase {
        /// What is wrong with it.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// Another program's file, a damaged one or one of a later version has the name.
    #[error("not overwritten, {why}; move it away to save the case: {path}", path = path.display())]
    Foreign {
        /// Why it is not ours to overwrite.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("cannot make a key for the case: {0}")]
    NoRandomness(String),
}

/// A case as read, with messages about what of it could not be used.
#[derive(Debug)]
pub struct Loaded {
    /// The case.
    pub case: Case,
    /// For the user; what they speak of is written back unchanged.
    pub messages: Vec<String>,
}

/// Where the case of a capture stands: beside it, with its whole name.
pub fn case_path(capture: &Path) -> PathBuf {
    let mut name = capture.file_name().unwrap_or_default().to_owned();
    name.push(ENDING);
    capture.with_file_name(name)
}

impl Case {
    /// Reads the case beside a capture; `Ok(None)` where there is none.
    ///
    /// An `Err` never has to stop the opening of the capture: show it, and go on with a new case.
    pub fn load(capture: &Path) -> Result<Option<Loaded>, CaseError> {
        let path = case_path(capture);
        let Some(bytes) = read(&path)? else { return Ok(None) };
        let bad = |why: String| CaseError::NotACase { why, path: path.clone() };
        let fields = object(&bytes).map_err(bad)?;
        from_fields(fields).map(Some).map_err(bad)
    }

    /// Writes the case beside the capture: to a temporary file in the same folder, then under its name, so that the old
    /// file stays whole whatever happens. A file of that name that is no case of this version is not overwritten.
    pub fn save(&self, capture: &Path) -> Result<(), CaseError> {
        let path = case_path(capture);
        if let Some(bytes) = read(&path)? {
            let foreign = |why: &str| CaseError::Foreign { why: why.to_owned(), path: path.clone() };
            match object(&bytes).ok().and_then(|f| f.get("schema").and_then(Value::as_str).map(str::to_owned)) {
                Some(schema) if schema == SCHEMA => {}
                Some(schema) if schema.starts_with(FAMILY) => {
                    return Err(foreign("a later version of this program wrote it"));
                }
                _ => return Err(foreign("it is damaged or not written by this program")),
            }
        }
        let io = |source| CaseError::Io { doing: "write", source, path: path.clone() };
        let mut text = serde_json::to_vec_pretty(&self.to_fields()).map_err(|e| io(e.into()))?;
        text.push(b'\n');
        if text.len() as u64 > MOST_BYTES {
            return Err(io(io::Error::other("it would be larger than 16 MiB")));
        }
        write_whole(&path, &text).map_err(io)
    }

    fn to_fields(&self) -> Value {
        let mut fields = self.unread.fields.clone();
        let marks = self.marks.iter().map(|m| json!(m)).chain(self.unread.marks.iter().cloned());
        let plans = self.plans.iter().map(|p| json!(p)).chain(self.unread.plans.iter().cloned());
        fields.insert("schema".to_owned(), SCHEMA.into());
        fields.insert("key".to_owned(), self.key.to_text().into());
        fields.insert("capture_sha256".to_owned(), self.capture_sha256.clone().into());
        fields.insert("redaction".to_owned(), json!(self.redaction));
        fields.insert("marks".to_owned(), marks.collect());
        fields.insert("plans".to_owned(), plans.collect());
        if !self.actions.is_empty() {
            let moments = self.actions.moments().iter().map(|time| time.0);
            fields.insert("actions".to_owned(), moments.collect());
        }
        Value::Object(fields)
    }
}

/// Writes a file whole or not at all: temporary file in the same folder, fsync, rename, fsync of the folder.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".nephoscope-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    // Not every file system lets a folder be synced; the rename has happened all the same.
    let _unsupported = File::open(folder).and_then(|f| f.sync_all());
    Ok(())
}

/// The file's bytes; `None` where there is no file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, CaseError> {
    let io = |source| CaseError::Io { doing: "read", source, path: path.to_owned() };
    let bad = |why: &str| CaseError::NotACase { why: why.to_owned(), path: path.to_owned() };
    let facts = match fs::metadata(path) {
        Ok(facts) => facts,
        // With a name that the file system does not take there cannot be one.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename) => {
            return Ok(None);
        }
        Err(error) => return Err(io(error)),
    };
    if !facts.is_file() {
        return Err(bad("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|f| f.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(io)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(bad("it is larger than 16 MiB"));
    }
    Ok(Some(bytes))
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON object ({error})"))
}

fn from_fields(mut fields: Map<String, Value>) -> Result<Loaded, String> {
    let mut messages = Vec::new();
    match fields.remove("schema") {
        Some(Value::String(schema)) if schema == SCHEMA => {}
        Some(Value::String(schema)) if schema.starts_with(FAMILY) => {
            return Err("a later version of this program wrote it".to_owned());
        }
        _ => return Err(format!("its schema is not {SCHEMA}")),
    }
    let key = fields.remove("key");
    let key = key.as_ref().and_then(Value::as_str).and_then(Key::from_text).ok_or("its key is no key")?;
    let mut case = Case::new(key);
    if let Some(Value::String(sha256)) = fields.remove("capture_sha256")
        && (sha256.is_empty() || sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        case.capture_sha256 = sha256.to_ascii_lowercase();
    }
    if let Some(value) = fields.remove("redaction") {
        match serde_json::from_value(value) {
            Ok(choice) => case.redaction = choice,
            Err(error) => messages.push(format!("redaction: not understood ({error}); everything secret is hidden")),
        }
    }
    let mut unread = Unread::default();
    (case.marks, unread.marks) = list::<Mark>(&mut fields, "marks", MOST_MARKS, sound_mark, &mut messages)?;
    (case.plans, unread.plans) = list::<Plan>(&mut fields, "plans", MOST_PLANS, sound_plan, &mut messages)?;
    // Nanoseconds since 1970, UTC.
    if let Some(value) = fields.remove("actions") {
        match <Vec<i64> as Deserialize>::deserialize(&value) {
            Ok(moments) if moments.len() <= MOST_MARKS => {
                case.actions = Actions::new(moments.into_iter().map(Timestamp));
            }
            Ok(_) | Err(_) => {
                messages.push("actions: not understood, kept and not used".to_owned());
                fields.insert("actions".to_owned(), value);
            }
        }
    }
    let unused: Vec<&str> = fields.keys().map(String::as_str).filter(|name| *name != "actions").take(5).collect();
    if !unused.is_empty() {
        messages.push(format!("kept and not used: {}", unused.join(", ")));
    }
    unread.fields = fields;
    case.unread = unread;
    Ok(Loaded { case, messages })
}

/// Reads the entries of a list one by one: one that is not understood costs itself, and is kept.
fn list<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
    most: usize,
    sound: impl Fn(&T) -> bool,
    messages: &mut Vec<String>,
) -> Result<(Vec<T>, Vec<Value>), String> {
    let Some(value) = fields.remove(name) else { return Ok(Default::default()) };
    let Value::Array(values) = value else { return Err(format!("its {name} are no list")) };
    if values.len() > most {
        return Err(format!("it has more than {most} {name}"));
    }
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    for value in values {
        match T::deserialize(&value) {
            Ok(item) if sound(&item) => read.push(item),
            Ok(_) | Err(_) => unread.push(value),
        }
    }
    if !unread.is_empty() {
        messages.push(format!("{name}: {} not understood, kept and not used", unread.len()));
    }
    Ok((read, unread))
}

fn sound_mark(mark: &Mark) -> bool {
    mark.comment.len() <= MOST_TEXT
}

fn sound_plan(plan: &Plan) -> bool {
    let point = |p: &super::Point| p.x.abs() <= FARTHEST && p.y.abs() <= FARTHEST;
    let area = |a: &super::Area| point(&a.from) && point(&a.to);
    let shape = |shape: &Shape| match shape {
        Shape::Arrow { from, to } => point(from) && point(to),
        Shape::Box(a) | Shape::Ellipse(a) | Shape::Highlight(a) | Shape::Redaction(a) | Shape::Crop(a) => area(a),
        Shape::Text { at, words } => point(at) && words.len() <= MOST_TEXT,
        Shape::Number { at, .. } => point(at),
    };
    let texts = [&plan.name, &plan.title, &plan.caption, &plan.filter];
    texts.into_iter().chain(&plan.redaction.words).all(|t| t.len() <= MOST_TEXT)
        && [plan.exchanges.len(), plan.sections.len(), plan.annotations.len(), plan.redaction.words.len()]
            .into_iter()
            .all(|n| n <= MOST_PARTS)
        && (1..=3).contains(&plan.scale)
        && WIDTHS.contains(&plan.width)
        && plan.annotations.iter().all(|a| shape(&a.shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Anchor, Annotation, Area, Colour, ExchangeRef, Point, Section, Weight};

    fn exchange() -> ExchangeRef {
        ExchangeRef {
            first_frame: 7,
            client: "10.0.0.1:50000".parse().unwrap(),
            server: "[2001:db8::1]:80".parse().unwrap(),
            ordinal: 2,
        }
    }

    fn full() -> Case {
        let mut case = Case::new(Key::of_capture(&[7; 32]));
        case.marks.push(Mark {
            exchange: exchange(),
            marked: true,
            ignored: true,
            conversation: Some(3),
            comment: "look".to_owned(),
            other: Map::new(),
        });
        let area = Area { from: Point { x: 1.0, y: 2.5 }, to: Point { x: 30.0, y: 40.0 } };
        let shapes = [Shape::Box(area), Shape::Text { at: area.from, words: "here".to_owned() }, Shape::Crop(area)];
        let annotations = shapes.map(|shape| Annotation {
            anchor: Anchor::Section { exchange: 0, section: Section::Response },
            shape,
            colour: Colour::Red,
            weight: Weight::Thin,
            other: Map::new(),
        });
        case.actions = Actions::new([9, 5].map(Timestamp));
        case.plans.push(Plan {
            exchanges: vec![exchange()],
            annotations: annotations.to_vec(),
            title: "Title".to_owned(),
            ..Plan::default()
        });
        case
    }

    #[test]
    fn comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join("a.pcapng");
        assert!(Case::load(&capture).unwrap().is_none());
        let case = full();
        case.save(&capture).unwrap();
        case.save(&capture).unwrap();
        let loaded = Case::load(&capture).unwrap().unwrap();
        assert_eq!(loaded.messages, Vec::<String>::new());
        assert_eq!(loaded.case, case);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_too_long_for_a_case_has_none_and_cannot_get_one() {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join(format!("{}.pcap", "n".repeat(245)));
        fs::write(&capture, b"").unwrap();
        assert!(Case::load(&capture).unwrap().is_none());
        assert!(matches!(full().save(&capture), Err(CaseError::Io { .. })));
    }

    #[test]
    fn what_a_later_version_wrote_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join("a.pcapng");
        let mut fields = full().to_fields();
        fields["colour_of_the_sky"] = json!("blue");
        fields["plans"][0]["mood"] = json!(3);
        fields["plans"].as_array_mut().unwrap().push(json!({ "sections": [{ "section": "hologram" }] }));
        fs::write(case_path(&capture), fields.to_string()).unwrap();
        let loaded = Case::load(&capture).unwrap().unwrap();
        assert_eq!(loaded.messages.len(), 2, "{:?}", loaded.messages);
        assert_eq!(loaded.case.plans.len(), 1);
        loaded.case.save(&capture).unwrap();
        let again: Value = serde_json::from_slice(&fs::read(case_path(&capture)).unwrap()).unwrap();
        assert_eq!(again, fields);
    }

    #[test]
    fn what_is_not_ours_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join("a.pcapng");
        let later = json!({ "schema": "nephoscope-case/2" }).to_string();
        let deep = "[".repeat(100_000);
        for text in ["", "{", "my notes", "{\"schema\":\"other/1\"}", later.as_str(), deep.as_str()] {
            fs::write(case_path(&capture), text).unwrap();
            assert!(matches!(Case::load(&capture), Err(CaseError::NotACase { .. })));
            assert!(matches!(full().save(&capture), Err(CaseError::Foreign { .. })), "{text:.20}");
            assert_eq!(fs::read_to_string(case_path(&capture)).unwrap(), text);
        }
    }

    #[test]
    fn hostile_values_are_refused() {
        let mut fields = full().to_fields();
        fields["plans"][0]["scale"] = json!(200);
        let Value::Object(map) = fields else { panic!("an object") };
        let loaded = from_fields(map).unwrap();
        assert!(loaded.case.plans.is_empty());
        assert_eq!(loaded.messages.len(), 1);
        let Value::Object(mut map) = full().to_fields() else { panic!("an object") };
        map.insert("actions".to_owned(), json!(["yesterday"]));
        let loaded = from_fields(map).unwrap();
        assert!(loaded.case.actions.is_empty());
        assert_eq!(loaded.case.to_fields()["actions"], json!(["yesterday"]), "it is kept");
        let Value::Object(mut map) = full().to_fields() else { panic!("an object") };
        map.insert("key".to_owned(), json!("00"));
        assert!(from_fields(map).is_err());
    }

    #[test]
    fn the_key_is_never_printed() {
        let case = full();
        assert!(!format!("{case:?}").contains(&case.key.to_text()));
    }
}
