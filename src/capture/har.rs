//! HAR files (HTTP Archive 1.2): one JSON object, whose `log.entries` are what a program says that it exchanged.
//!
//! Comes in: bytes of the file. Goes out: where each entry stands, as if it were a frame, and when it began. Never: what an
//! entry says beside that, or more of the file in memory than one entry. Order and number of the other members are free, as
//! JSON has it; a mistake between members or entries costs the bytes up to the next of them.

use super::notes::Notes;
use super::numbers::{narrow, wide};
use super::walker::Move;
use crate::model::{FrameHead, FrameNo, JsonScan, Limit, LinkType, Timestamp};

/// What Windows programs write before UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// Longest name of a member, and longest value of one that tells who wrote the file, in bytes: longer ones are passed over.
const SHORT: usize = 4 << 10;
const TOO_LONG: &str = "an entry that is longer than is read";
const NO_JSON: &str = "what stands here is not JSON";

/// Whether a file begins as an object of JSON does. A HAR file is one; whether this is, its members tell.
pub(super) fn is_object(head: &[u8]) -> bool {
    let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    let after = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    after.is_some_and(|after| matches!(after.first(), None | Some(b'"' | b'}')))
}

/// In what the walk stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Level {
    /// Before the first brace.
    #[default]
    Start,
    Top,
    Log,
    Entries,
    /// Behind the last brace.
    End,
}

/// A member whose value is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Log,
    Entries,
    /// Who wrote the file, or what the user says of it.
    Words,
    Other,
}

/// What comes next in an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Name,
    Colon(Name),
    Value(Name),
}

/// A HAR file being read.
#[derive(Debug, Default)]
pub(super) struct Har {
    level: Level,
    next: Next,
    /// A value that is passed over.
    skips: Option<JsonScan>,
    /// That value is an entry that is too long: where it begins.
    over: Option<u64>,
    /// The entry that begins here, as far as it was looked at.
    scan: JsonScan,
    scanned: usize,
    /// When the newest entry with a time began.
    latest: Timestamp,
    /// Line breaks so far.
    lines: u64,
    /// Whether there is a list of entries.
    pub(super) has_entries: bool,
}

impl Har {
    /// The next step over `rest`, which stands at `at` in the file.
    pub(super) fn next(&mut self, rest: &[u8], at: u64, is_last: bool, notes: &mut Notes) -> Move {
        let step = self.step(rest, at, is_last, notes);
        let used = match step {
            Move::Frame { used, .. } | Move::Past(used) | Move::Clock(_, used) => used,
            Move::More => 0,
        };
        let passed = rest.get(..used).unwrap_or_default();
        self.lines = self.lines.saturating_add(wide(memchr::memchr_iter(b'\n', passed).count()));
        step
    }

    fn step(&mut self, bytes: &[u8], at: u64, is_last: bool, notes: &mut Notes) -> Move {
        let mut used = 0_usize;
        let past = |used: usize| if used == 0 { Move::More } else { Move::Past(used) };
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let here = at.saturating_add(wide(used));
            if let Some(scan) = &mut self.skips {
                let end = scan.feed(rest);
                used = used.saturating_add(end.unwrap_or(rest.len()));
                if end.is_none() {
                    return past(used);
                }
                self.skips = None;
                if let Some(from) = self.over.take() {
                    let len = at.saturating_add(wide(used)).saturating_sub(from);
                    notes.skipped(from, len, TOO_LONG);
                }
                continue;
            }
            if self.level == Level::Start && here == 0 && rest.starts_with(BOM) {
                used = BOM.len();
                continue;
            }
            let space = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
            used = used.saturating_add(space);
            let rest = rest.get(space..).unwrap_or_default();
            let here = here.saturating_add(wide(space));
            let Some(byte) = rest.first() else { return past(used) };
            match (self.level, byte) {
                (Level::Start, b'{') => (self.level, used) = (Level::Top, used.saturating_add(1)),
                (Level::Entries, b',') => used = used.saturating_add(1),
                (Level::Entries, b']') => {
                    (self.level, self.next) = (Level::Log, Next::Name);
                    used = used.saturating_add(1);
                }
                (Level::Entries, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                    // Then the entry is what the next step begins with.
                    return if used > 0 { Move::Past(used) } else { self.entry(rest, at, notes) };
                }
                (Level::Top | Level::Log, _) => match self.member(rest, is_last, notes) {
                    Some(0) => return past(used),
                    Some(len) => used = used.saturating_add(len),
                    None => {
                        notes.skipped(here, 1, NO_JSON);
                        used = used.saturating_add(1);
                    }
                },
                (Level::Start | Level::Entries | Level::End, _) => {
                    notes.skipped(here, 1, NO_JSON);
                    used = used.saturating_add(1);
                }
            }
        }
    }

    /// The next part of an object; gives its length, 0 where more bytes are needed, `None` where it is none.
    fn member(&mut self, rest: &[u8], is_last: bool, notes: &mut Notes) -> Option<usize> {
        let byte = rest.first()?;
        match (self.next, byte) {
            (Next::Name, b',') => {}
            (Next::Name, b'}') => {
                self.level = if self.level == Level::Log { Level::Top } else { Level::End };
            }
            (Next::Name, b'"') => {
                let Some(len) = JsonScan::default().feed(rest) else {
                    if rest.len() < SHORT && !is_last {
                        return Some(0);
                    }
                    self.next = Next::Colon(Name::Other);
                    return Some(self.skip(rest));
                };
                let text = rest.get(1..len.saturating_sub(1)).unwrap_or_default();
                self.next = Next::Colon(match (self.level, text) {
                    (Level::Top, b"log") => Name::Log,
                    (Level::Log, b"entries") => Name::Entries,
                    (Level::Log, b"creator" | b"browser" | b"comment") => Name::Words,
                    _ => Name::Other,
                });
                return Some(len);
            }
            (Next::Colon(name), b':') => self.next = Next::Value(name),
            (Next::Value(Name::Log), b'{') => (self.level, self.next) = (Level::Log, Next::Name),
            (Next::Value(Name::Entries), b'[') => {
                self.level = Level::Entries;
                self.has_entries = true;
            }
            (Next::Value(name), b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                if name == Name::Words {
                    match JsonScan::default().feed(rest) {
                        Some(len) if len <= SHORT => {
                            words(rest.get(..len).unwrap_or_default(), notes);
                            self.next = Next::Name;
                            return Some(len);
                        }
                        None if rest.len() < SHORT && !is_last => return Some(0),
                        Some(_) | None => {}
                    }
                }
                self.next = Next::Name;
                return Some(self.skip(rest));
            }
            _ => return None,
        }
        Some(1)
    }

    /// Passes over a value of which `rest` is the beginning; gives how much of it is there.
    fn skip(&mut self, rest: &[u8]) -> usize {
        let mut scan = JsonScan::default();
        let end = scan.feed(rest);
        self.skips = end.is_none().then_some(scan);
        end.unwrap_or(rest.len())
    }

    /// An entry begins here.
    fn entry(&mut self, rest: &[u8], at: u64, notes: &mut Notes) -> Move {
        let new = rest.get(self.scanned..).unwrap_or_default();
        let end = self.scan.feed(new).map(|end| self.scanned.saturating_add(end));
        match end {
            None if rest.len() <= notes.entry_bytes => {
                self.scanned = rest.len();
                return Move::More;
            }
            None => {
                let scan = core::mem::take(&mut self.scan);
                self.scanned = 0;
                let _number = notes.number();
                notes.limit(Limit::EntryBytes);
                (self.skips, self.over) = (Some(scan), Some(at));
                return Move::Past(rest.len());
            }
            Some(_) => {}
        }
        let used = end.unwrap_or(rest.len()).max(1);
        (self.scan, self.scanned) = (JsonScan::default(), 0);
        let entry = rest.get(..used).unwrap_or_default();
        let Some(number) = notes.number() else {
            notes.skipped(at, wide(used), "more entries than can be numbered");
            return Move::Past(used);
        };
        if used > notes.entry_bytes {
            notes.limit(Limit::EntryBytes);
            notes.skipped(at, wide(used), TOO_LONG);
            return Move::Past(used);
        }
        let mut head = head(entry, number, at);
        if head.time == Timestamp(0) {
            // The entry's own place among the others is the best that is known.
            head.time = self.latest;
        } else {
            self.latest = head.time;
            notes.time(head.time);
        }
        Move::Frame { head, start: 0, used }
    }

    /// The file ends `left` bytes behind `at`.
    pub(super) fn end(&self, at: u64, left: usize, notes: &mut Notes) {
        let line = self.lines.saturating_add(1);
        if let Some(from) = self.over {
            let len = at.saturating_add(wide(left)).saturating_sub(from);
            notes.skipped(from, len, TOO_LONG);
        }
        if self.level == Level::Entries && left > 0 {
            let number = notes.facts.frames.saturating_add(1);
            let why = format!("the file ends inside entry {number}, which begins in line {line}: export it again");
            notes.skipped(at, wide(left), &why);
        } else if self.level != Level::End {
            let why =
                format!("the file ends in line {line} before its JSON does, entries may be missing: export it again");
            notes.skipped(at, wide(left), &why);
        }
    }
}

/// What is known of an entry without reading it. A time that is none is 0.
pub(super) fn head(entry: &[u8], number: FrameNo, at: u64) -> FrameHead {
    let len = narrow(entry.len());
    FrameHead {
        number,
        time: text_of(entry, b"\"startedDateTime\"")
            .and_then(Timestamp::from_iso)
            .map_or(Timestamp(0), |(time, _)| time),
        link: LinkType::HAR_ENTRY,
        interface: 0,
        captured_len: len,
        original_len: len,
        record_offset: at,
    }
}

/// The text of the first member with that name in quotes. In a string the quotes of such a name would be escaped, so that
/// this finds no other.
fn text_of<'a>(json: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = memchr::memmem::find(json, name)?;
    let rest = json.get(at.saturating_add(name.len())..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    rest.get(..memchr::memchr2(b'"', b'\\', rest)?)
}

/// Keeps who wrote the file, and what is said of it.
fn words(value: &[u8], notes: &mut Notes) {
    if let Some(text) = value.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) {
        if !text.is_empty() {
            notes.comment(None, text);
        }
        return;
    }
    let Some(name) = text_of(value, b"\"name\"").filter(|name| !name.is_empty()) else { return };
    let version = text_of(value, b"\"version\"").unwrap_or_default();
    let text = [b"HAR file of ", name, b" ", version].concat();
    let text = text.trim_ascii_end();
    // Firefox names itself as creator and as browser.
    if notes.facts.comments.iter().all(|comment| comment.text != text) {
        notes.comment(None, text);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::super::{Batch, CaptureFacts, CaptureReader, Format, FrameFile};
    use super::is_object;
    use crate::model::{Budget, FrameNo, Limit};

    /// A stream that gives a few bytes at a time.
    struct Dribble(Cursor<Vec<u8>>, usize);

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let len = buffer.len().min(self.1);
            self.0.read(&mut buffer[..len])
        }
    }

    type Entries = Vec<(u32, u64, String)>;

    fn read_in(text: &[u8], step: usize, budget: &Budget) -> Result<(Entries, CaptureFacts), String> {
        let stream = Box::new(Dribble(Cursor::new(text.to_vec()), step));
        let mut reader = CaptureReader::from_stream(stream, "test", budget).map_err(|error| error.to_string())?;
        let (mut entries, mut batch) = (Vec::new(), Batch::default());
        loop {
            let more = reader.next_batch(&mut batch).map_err(|error| error.to_string())?;
            for frame in &batch.frames {
                let text = String::from_utf8_lossy(batch.frame(frame)).into_owned();
                entries.push((frame.head.number.0, frame.head.record_offset, text));
            }
            if !more {
                return Ok((entries, reader.facts().clone()));
            }
        }
    }

    /// Reads at once and in small pieces; both must give the same. The texts of the entries, and what was skipped.
    #[track_caller]
    fn check(text: &str, want: &[&str], skipped: &[(u64, u64)]) -> CaptureFacts {
        let (entries, facts) = read_in(text.as_bytes(), usize::MAX, &Budget::default()).unwrap();
        for step in [1, 7] {
            assert_eq!(read_in(text.as_bytes(), step, &Budget::default()).unwrap(), (entries.clone(), facts.clone()));
        }
        for (number, offset, entry) in &entries {
            let there = text.get(usize::try_from(*offset).unwrap()..).unwrap_or_default();
            assert!(there.starts_with(entry), "entry {number} stands at {offset}");
        }
        assert_eq!(entries.iter().map(|(_, _, text)| text.as_str()).collect::<Vec<_>>(), want, "{text}");
        assert_eq!(facts.skipped.iter().map(|s| (s.offset, s.len)).collect::<Vec<_>>(), skipped, "{text}");
        assert_eq!(facts.format, Format::Har);
        facts
    }

    #[track_caller]
    fn fails(text: &str, want: &str) {
        let error = read_in(text.as_bytes(), usize::MAX, &Budget::default()).unwrap_err();
        assert!(error.contains(want), "{error}");
    }

    #[test]
    fn tells_objects_from_other_text() {
        for text in ["{", "{}", " {\n\t\"log\"", "\u{feff}{\"a\""] {
            assert!(is_object(text.as_bytes()), "{text}");
        }
        for text in ["", "[{", "{a", "{{", "x{\"log\""] {
            assert!(!is_object(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn finds_entries_wherever_they_stand() {
        check(r#"{"log":{"entries":[{"a":1},{"b":[{}]}]}}"#, &[r#"{"a":1}"#, r#"{"b":[{}]}"#], &[]);
        let facts = check(
            "\u{feff}{ \"x\" : {\"log\":{\"entries\":[{}]}}, \"log\" : {\"entries\" : [ {\"startedDateTime\":\"2026-01-05T10:00:00+01:00\"}\n], \
             \"version\":\"1.2\", \"creator\":{\"version\":\"7\",\"name\":\"Tool\"}, \"comment\":\"note\"} }\n",
            &["{\"startedDateTime\":\"2026-01-05T10:00:00+01:00\"}"],
            &[],
        );
        let comments: Vec<_> = facts.comments.iter().map(|c| String::from_utf8_lossy(&c.text).into_owned()).collect();
        assert_eq!(comments, ["HAR file of Tool 7", "note"]);
        assert_eq!(facts.first_time.unwrap().rfc3339(), "2026-01-05T09:00:00.000000000Z");
        check(r#"{"log":{"entries":[]}}"#, &[], &[]);
        // Every value in the list has a number, whatever it is; two lists go on counting.
        check(r#"{"log":{"entries":[7,"x",null,[1]],"entries":[{}]}}"#, &["7", "\"x\"", "null", "[1]", "{}"], &[]);
        let long = format!(r#"{{"{}":1,"log":{{"comment":"{0}","entries":[{{}}]}}}}"#, "k".repeat(9_000));
        check(&long, &["{}"], &[]);
    }

    #[test]
    fn damage_costs_what_is_damaged() {
        check(r#"{"log":{"entries":[{}ab{} } {"c":2}]}}"#, &["{}", "{}", r#"{"c":2}"#], &[(21, 2), (26, 1)]);
        let facts = check("{\"log\":{\n\"entries\":[\n{\"a\":1},\n{\"b\":\"cut", &[r#"{"a":1}"#], &[(30, 9)]);
        let why = &facts.skipped.first().unwrap().why;
        assert_eq!(why, "the file ends inside entry 2, which begins in line 4: export it again");
        let facts = check("{\"log\":{\"entries\":[{}\n", &["{}"], &[(22, 0)]);
        assert!(facts.skipped.first().unwrap().why.contains("line 2 before its JSON does"));
        check(r#"{"log":{"entries":[{}]}} more"#, &["{}"], &[(25, 4)]);
    }

    #[test]
    fn what_is_no_har_file_is_said_to_be_none() {
        fails(r#"{"a":[1,2,3]}"#, "JSON without the list of entries (log.entries) that a HAR file has");
        fails(r#"{"log":1,"entries":[{}]}"#, "JSON without the list of entries");
        fails(r#"{"log":{"entries":{}}}"#, "JSON without the list of entries");
        fails("[{}]", "JSON text, but no HAR file");
    }

    #[test]
    fn an_entry_that_is_too_long_is_passed_over_and_said() {
        let budget = Budget { entry_bytes: 3 << 20, ..Budget::default() };
        let long = "x".repeat(5 << 20);
        let text = format!(r#"{{"log":{{"entries":[{{"a":1}},{{"b":"{long}"}},{{"c":3}}]}}}}"#);
        for step in [usize::MAX, 100_000] {
            let (entries, facts) = read_in(text.as_bytes(), step, &budget).unwrap();
            let numbers: Vec<_> = entries.iter().map(|(number, _, text)| (*number, text.as_str())).collect();
            assert_eq!(numbers, [(1, r#"{"a":1}"#), (3, r#"{"c":3}"#)]);
            let skipped: Vec<_> = facts.skipped.iter().map(|s| (s.offset, s.len)).collect();
            assert_eq!(skipped, [(27, (5 << 20) + 8)]);
            assert_eq!(facts.limits.first().map(|hit| (hit.limit, hit.count)), Some((Limit::EntryBytes, 1)));
        }
    }

    #[test]
    fn entries_are_read_again() {
        let body = "y".repeat(200_000);
        let text = format!(r#"{{"log":{{"entries":[{{"a":1}},{{"b":"{body}"}}]}}}}"#);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, &text).unwrap();
        let mut file = FrameFile::open(&path, &Budget::default()).unwrap();
        for (number, offset, entry) in [(2, 27, format!(r#"{{"b":"{body}"}}"#)), (1, 19, r#"{"a":1}"#.to_owned())] {
            let (head, bytes) = file.frame(FrameNo(number), offset).unwrap();
            assert_eq!((head.number, head.record_offset), (FrameNo(number), offset));
            assert_eq!(String::from_utf8_lossy(&bytes), entry);
        }
        std::fs::write(&path, text.get(..100).unwrap()).unwrap();
        assert!(file.frame(FrameNo(2), 27).is_err(), "the file was cut since");
    }
}
