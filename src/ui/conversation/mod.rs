//! One flow's two directions as one conversation: what is read of it, how it is cut into lines, and what is found in it.

mod drawing;

use std::sync::Arc;

use regex::bytes::RegexBuilder;

use super::text;
use crate::engine::{Chunk, Conversation, What};
use crate::model::{Side, clean, hex};
use crate::store::RowId;

pub(crate) use drawing::{keys, show};

/// Bytes of a text line that are painted as one; a longer line goes on in the next.
const WIDE: usize = 160;
/// Bytes a row of hex.
const HEX_WIDE: usize = 16;
/// Places found that are counted.
const MOST_FOUND: usize = 10_000;
/// Characters that are copied at most.
const MOST_COPIED: usize = 16 << 20;

/// How bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As text, line by line.
    #[default]
    Text,
    /// In hex and as characters.
    Hex,
    /// Each byte that is no printable ASCII escaped.
    Raw,
}

impl Form {
    const ALL: [(Self, &'static str); 3] = [(Self::Text, "Text"), (Self::Hex, "Hex"), (Self::Raw, "Raw")];
}

/// Something about the conversation on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationAction {
    /// Follow the flow of the selected row.
    Ask,
    /// Ask where to save its bytes.
    Save,
}

/// What was read of a conversation, cut into lines.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    pub(crate) said: Conversation,
    /// Who the ends are.
    pub(crate) ends: [String; 2],
    /// Where each line of text begins; each chunk begins one.
    starts: Vec<u32>,
}

impl Spoken {
    pub(crate) fn new(said: Conversation, ends: [String; 2]) -> Self {
        let mut starts = Vec::new();
        for chunk in &said.chunks {
            let What::Bytes { start, len } = chunk.what else { continue };
            let (mut from, end) = (start, start + len);
            while from < end {
                starts.push(from as u32);
                let rest = said.bytes.get(from..end.min(from + WIDE)).unwrap_or_default();
                let mut to = from + memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                // Not through the middle of a character (UTF-8 has at most three bytes after the first).
                for _ in 0..3 {
                    if to < end && to > from + 1 && said.bytes.get(to).is_some_and(|byte| byte & 0xc0 == 0x80) {
                        to -= 1;
                    }
                }
                from = to;
            }
        }
        Self { said, ends, starts }
    }

    /// The lines of a chunk: the place of the first one, and how many.
    fn lines_of(&self, chunk: &Chunk, form: Form) -> (usize, usize) {
        let What::Bytes { start, len } = chunk.what else { return (0, 0) };
        if form == Form::Hex {
            return (0, len.div_ceil(HEX_WIDE));
        }
        let first = self.starts.partition_point(|at| (*at as usize) < start);
        let end = self.starts.partition_point(|at| (*at as usize) < start + len);
        (first, end - first)
    }

    /// Where the bytes of a line of a chunk stand.
    fn line(&self, chunk: &Chunk, form: Form, line: usize) -> core::ops::Range<usize> {
        let What::Bytes { start, len } = chunk.what else { return 0..0 };
        let end = start + len;
        if form == Form::Hex {
            let from = start + line * HEX_WIDE;
            return from.min(end)..end.min(from + HEX_WIDE);
        }
        let (first, _) = self.lines_of(chunk, form);
        let at = |i: usize| self.starts.get(first + i).map_or(end, |at| *at as usize).min(end);
        at(line)..at(line + 1)
    }

    /// A stretch of bytes in words, ready for display.
    fn words(&self, form: Form, range: core::ops::Range<usize>) -> String {
        let bytes = self.said.bytes.get(range).unwrap_or_default();
        match form {
            Form::Text => {
                let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
                bytes.split(|byte| *byte == b'\t').map(clean).collect::<Vec<_>>().join("    ")
            }
            Form::Raw => bytes.escape_ascii().to_string(),
            Form::Hex => {
                let digits: String = bytes.iter().flat_map(|byte| [hex(&[*byte]), " ".to_owned()]).collect();
                let letters: String =
                    bytes.iter().map(|b| if (0x20..0x7f).contains(b) { char::from(*b) } else { '·' }).collect();
                format!("{digits:<width$} {letters}", width = HEX_WIDE * 3)
            }
        }
    }

    /// All that is shown, as a text.
    fn copied(&self, form: Form, side: Option<Side>) -> String {
        let mut out = String::new();
        for chunk in self.said.chunks.iter().filter(|chunk| side.is_none_or(|side| side == chunk.side)) {
            if let What::Hole(len) = chunk.what {
                out.extend(["[", hole(chunk.side, len).as_str(), "]\n"]);
            }
            for line in 0..self.lines_of(chunk, form).1 {
                let range = self.line(chunk, form, line);
                out.push_str(&self.words(form, range.clone()));
                let ends = self.said.bytes.get(range).is_some_and(|bytes| bytes.ends_with(b"\n"));
                // What only goes on in the next line is one line.
                if ends || form == Form::Hex {
                    out.push('\n');
                }
            }
            if out.len() > MOST_COPIED {
                break;
            }
            if !out.ends_with('\n') {
                out.push('\n');
            }
        }
        out
    }

    /// Where words stand in what a side, or both, said. A chunk's end is a hole or another's turn: nothing goes over it.
    fn find(&self, words: &str, side: Option<Side>) -> Vec<(usize, usize)> {
        let Ok(regex) = RegexBuilder::new(&regex::escape(words)).case_insensitive(true).build() else {
            return Vec::new();
        };
        let chunks = self.said.chunks.iter().filter(|chunk| side.is_none_or(|side| side == chunk.side));
        let found = chunks.filter_map(|chunk| match chunk.what {
            What::Bytes { start, .. } => Some((start, self.said.bytes_of(chunk))),
            What::Hole(_) => None,
        });
        let places = found.flat_map(|(start, bytes)| {
            regex.find_iter(bytes).map(move |found| (start + found.start(), start + found.end())).collect::<Vec<_>>()
        });
        places.take(MOST_FOUND).collect()
    }
}

/// Who says it.
fn who(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

/// A hole in words.
fn hole(side: Side, len: u64) -> String {
    match len {
        0 => format!("bytes of the {} are missing here; nobody knows how many", who(side)),
        len => {
            let is = if len == 1 { "is" } else { "are" };
            format!("{} of the {} {is} missing here", text::plural(len, "byte", "bytes"), who(side))
        }
    }
}

/// The chunks that are shown, and where each begins among the rows: one for its head, then its lines.
#[derive(Debug, Default)]
struct Layout {
    of: Option<(Form, Option<Side>)>,
    /// Chunk and first row.
    chunks: Vec<(usize, usize)>,
    rows: usize,
}

impl Layout {
    fn new(spoken: &Spoken, form: Form, side: Option<Side>) -> Self {
        let (mut chunks, mut rows) = (Vec::new(), 0);
        for (place, chunk) in spoken.said.chunks.iter().enumerate() {
            if side.is_none_or(|side| side == chunk.side) {
                chunks.push((place, rows));
                rows += 1 + spoken.lines_of(chunk, form).1;
            }
        }
        Self { of: Some((form, side)), chunks, rows }
    }

    /// The chunk of a row, and which of its rows it is.
    fn at(&self, row: usize) -> Option<(usize, usize)> {
        let after = self.chunks.partition_point(|(_, first)| *first <= row);
        let (chunk, first) = self.chunks.get(after.checked_sub(1)?)?;
        Some((*chunk, row - first))
    }

    /// The row in which a byte stands.
    fn row_of(&self, spoken: &Spoken, byte: usize) -> Option<usize> {
        let (form, _) = self.of?;
        let starts = |place: usize| match spoken.said.chunks.get(place).map(|chunk| chunk.what) {
            Some(What::Bytes { start, len }) => Some((start, len)),
            Some(What::Hole(_)) | None => None,
        };
        let (place, first) = self
            .chunks
            .iter()
            .find(|(place, _)| starts(*place).is_some_and(|(start, len)| (start..start + len).contains(&byte)))?;
        let chunk = spoken.said.chunks.get(*place)?;
        let (start, _) = starts(*place)?;
        let line = if form == Form::Hex {
            (byte - start) / HEX_WIDE
        } else {
            let (line, _) = spoken.lines_of(chunk, form);
            spoken.starts.partition_point(|at| *at as usize <= byte).checked_sub(1)?.checked_sub(line)?
        };
        Some(first + 1 + line)
    }
}

/// What was found of which words.
#[derive(Debug, Default)]
struct Found {
    words: String,
    side: Option<Side>,
    places: Vec<(usize, usize)>,
    at: usize,
    /// Bring it into view.
    reveal: bool,
}

/// The conversation on screen.
#[derive(Debug, Default)]
pub(crate) struct Following {
    pub(crate) row: RowId,
    /// What is there of it, and of which snapshot.
    pub(crate) spoken: Option<(u64, Result<Arc<Spoken>, String>)>,
    /// When that was read, in seconds of the window's clock.
    pub(crate) read_at: f64,
    pub(crate) form: Form,
    /// Only this side.
    pub(crate) side: Option<Side>,
    words: String,
    layout: Layout,
    found: Found,
    /// The box for words wants the keyboard.
    to_words: bool,
}

impl Following {
    pub(crate) fn new(row: RowId) -> Self {
        Self { row, ..Self::default() }
    }

    /// Takes what was read; what was found is looked for again in it.
    pub(crate) fn take(&mut self, generation: u64, result: Result<Arc<Spoken>, String>, now: f64) {
        self.spoken = Some((generation, result));
        self.read_at = now;
        self.layout = Layout::default();
        let at = self.found.at;
        self.search();
        self.found.at = at.min(self.found.places.len().saturating_sub(1));
        self.found.reveal = false;
    }

    /// Whether what was read ends at a limit: then more of it is not shown, whatever comes.
    pub(crate) fn is_full(&self) -> bool {
        matches!(&self.spoken, Some((_, Ok(spoken))) if spoken.said.more)
    }

    /// Whether keys opened it.
    pub(crate) fn is_opened(&self) -> bool {
        matches!(&self.spoken, Some((_, Ok(spoken))) if spoken.said.opened)
    }

    /// Goes to the box for words.
    pub(crate) fn focus_words(&mut self) {
        self.to_words = true;
    }

    fn search(&mut self) {
        let places = match &self.spoken {
            Some((_, Ok(spoken))) if !self.words.is_empty() => spoken.find(&self.words, self.side),
            Some(_) | None => Vec::new(),
        };
        self.found = Found { words: self.words.clone(), side: self.side, places, at: 0, reveal: true };
    }

    /// Goes to the next place among those found, or to the one before, round its ends.
    fn step(&mut self, back: bool) {
        let len = self.found.places.len();
        if len > 0 {
            self.found.at = (self.found.at + if back { len - 1 } else { 1 }) % len;
            self.found.reveal = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Layout, Spoken, hole};
    use crate::engine::{Chunk, Conversation, What};
    use crate::model::{FrameNo, Side, Timestamp};

    fn spoken(parts: &[(Side, &[u8])], missing: u64) -> Spoken {
        let mut said = Conversation::default();
        for (i, (side, bytes)) in parts.iter().enumerate() {
            let what = if bytes.is_empty() {
                What::Hole(missing)
            } else {
                What::Bytes { start: said.bytes.len(), len: bytes.len() }
            };
            said.bytes.extend_from_slice(bytes);
            said.chunks.push(Chunk { side: *side, frame: FrameNo(i as u32 + 1), time: Timestamp(0), what });
        }
        Spoken::new(said, [String::new(), String::new()])
    }

    fn sample() -> Spoken {
        spoken(
            &[(Side::Client, b"GET /\r\nHost: a\r\n\r\n"), (Side::Server, b""), (Side::Server, b"\x1b[31mno\x00")],
            2_920,
        )
    }

    #[test]
    fn holes_are_said() {
        assert_eq!(hole(Side::Server, 2_920), "2,920 bytes of the server are missing here");
        assert_eq!(hole(Side::Client, 1), "1 byte of the client is missing here");
        assert_eq!(hole(Side::Client, 0), "bytes of the client are missing here; nobody knows how many");
    }

    #[test]
    fn each_form_shows_every_byte() {
        let spoken = sample();
        let copied = |form, side| spoken.copied(form, side);
        assert_eq!(
            copied(Form::Text, None),
            "GET /\nHost: a\n\n[2,920 bytes of the server are missing here]\n⟨U+001B⟩[31mno⟨U+0000⟩\n"
        );
        assert_eq!(copied(Form::Raw, Some(Side::Client)), "GET /\\r\\n\nHost: a\\r\\n\n\\r\\n\n");
        assert!(copied(Form::Hex, Some(Side::Client)).starts_with("47 45 54 20 2f 0d 0a "));
        assert!(copied(Form::Hex, Some(Side::Client)).contains("GET /··Host: a··"));
    }

    #[test]
    fn rows_are_heads_and_lines() {
        let spoken = sample();
        let layout = Layout::new(&spoken, Form::Text, None);
        assert_eq!(layout.rows, 4 + 1 + 2);
        assert_eq!(layout.at(0), Some((0, 0)));
        assert_eq!(layout.at(3), Some((0, 3)));
        assert_eq!(layout.at(4), Some((1, 0)));
        assert_eq!(layout.at(6), Some((2, 1)));
        assert_eq!(layout.row_of(&spoken, 8), Some(2));
        assert_eq!(Layout::new(&spoken, Form::Hex, Some(Side::Server)).rows, 1 + 2);
    }

    #[test]
    fn words_are_found_within_a_turn_only() {
        let spoken = spoken(&[(Side::Client, b"abc"), (Side::Server, b"cab ABC"), (Side::Client, b"(abc")], 0);
        assert_eq!(spoken.find("abc", None), [(0, 3), (7, 10), (11, 14)]);
        assert_eq!(spoken.find("abc", Some(Side::Server)), [(7, 10)]);
        assert_eq!(spoken.find("cc", None), []);
        assert_eq!(spoken.find("(a", None), [(10, 12)]);
    }

    #[test]
    fn a_long_line_goes_on_and_characters_stay_whole() {
        let long = "é".repeat(500);
        let spoken = spoken(&[(Side::Client, long.as_bytes())], 0);
        assert_eq!(spoken.copied(Form::Text, None).trim_end(), long);
        assert!(spoken.starts.len() > 5);
    }
}
