//! The head of a message, made of what an entry tells.

use super::entry::EntryPlace;
use super::json::Object;
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Body, Budget, ByteRange, Field, HttpMessage, HttpVersion, Limit, StartLine,
    Timestamp,
};

/// A head while it is written.
pub(super) struct Head<'a> {
    block: Vec<u8>,
    fields: Vec<Field>,
    told_at: Vec<u64>,
    place: EntryPlace,
    budget: &'a Budget,
    cut: Option<Limit>,
}

impl<'a> Head<'a> {
    /// With its start line, of up to three words, of which the ranges are given.
    pub(super) fn new(words: [&[u8]; 3], place: EntryPlace, budget: &'a Budget) -> (Self, [ByteRange; 3]) {
        let mut head = Self { block: Vec::new(), fields: Vec::new(), told_at: Vec::new(), place, budget, cut: None };
        let ranges = words.map(|word| {
            if !head.block.is_empty() {
                head.block.push(b' ');
            }
            head.put(word)
        });
        head.block.extend_from_slice(b"\r\n");
        (head, ranges)
    }

    fn put(&mut self, text: &[u8]) -> ByteRange {
        let room = self.budget.head_bytes.saturating_sub(self.block.len());
        if text.len() > room {
            self.cut = Some(Limit::HeadBytes);
        }
        let start = self.block.len();
        self.block.extend_from_slice(text.get(..room).unwrap_or(text));
        ByteRange::between(start, self.block.len())
    }

    /// A line a header, in their order. Cookies that were joined by line breaks, as Chrome does, are fields of their own.
    pub(super) fn fields(&mut self, message: &Object<'_>, bytes: &[u8], odd: &mut Vec<Anomaly>) {
        for header in message.elements("headers") {
            if self.cut.is_some() {
                return;
            }
            let at = self.place.at(header.start);
            let read = header.object(bytes).and_then(|header| Some((header.text("name")?, header.text("value"))));
            let Some((name, value)) = read else {
                odd.push(self.place.odd(AnomalyKind::BadEntry, header.start));
                continue;
            };
            let value = value.unwrap_or_default();
            let cookies = name.eq_ignore_ascii_case(b"set-cookie");
            for value in value.split(|byte| cookies && *byte == b'\n') {
                if self.fields.len() >= self.budget.head_fields || self.cut.is_some() {
                    self.cut.get_or_insert(Limit::HeadFields);
                    break;
                }
                let name = self.put(&name);
                self.block.extend_from_slice(b": ");
                let value = self.put(value.trim_ascii());
                self.block.extend_from_slice(b"\r\n");
                self.fields.push(Field { name, value });
                self.told_at.push(at);
            }
        }
    }

    /// The finished message; `start` is where the file begins to tell of it, `from` and `until` its times.
    pub(super) fn message(
        mut self,
        start: StartLine,
        version: HttpVersion,
        at: usize,
        (from, until): (Timestamp, Timestamp),
        odd: &mut Vec<Anomaly>,
    ) -> HttpMessage {
        self.block.extend_from_slice(b"\r\n");
        if let Some(limit) = self.cut {
            odd.push(self.place.odd(AnomalyKind::Limit(limit), at));
        }
        let frame = self.place.frame;
        HttpMessage {
            block: self.block.into(),
            version,
            start,
            fields: self.fields,
            told_at: [self.place.at(at)].into_iter().chain(self.told_at).collect(),
            trailers: Vec::new(),
            spans: vec![BlockSpan { at: 0, frame }],
            stream_offset: self.place.at(at),
            first_frame: frame,
            header_frame: frame,
            last_frame: frame,
            time: from,
            end_time: until,
            body: Body { stream_offset: self.place.at(at), ..Body::default() },
            opening: None,
            complete: self.cut.is_none(),
        }
    }
}
