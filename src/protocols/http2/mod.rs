//! HTTP/2 (RFC 9113), read from the side: both directions of a connection become exchanges, one a stream.
//!
//! Comes in: runs of a TCP stream or of a decrypted TLS stream, from its start or from anywhere. Goes out: exchanges. Never:
//! a refusal. Behind a hole frames are looked for until two that follow each other keep all rules; header tables are then
//! not known, and fields that need what was in them are said to be lost.
//!
//! To read what was decrypted under the ALPN `h2`, make a [`Connection::new`] and feed it the runs; a preface is not
//! required of them.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod frame;
mod hpack;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::http::{Ended, Given, Head, Room, SectionLimits, Start, Streams, Wanted, Which};
use super::{Feed, Sniff};
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Budget, Cursor, HttpMessage, HttpVersion, Limit, Run, RunKind, Side,
};

use frame::{
    ACK, END_HEADERS, END_STREAM, FIRST_MOST, FrameHead, HEADER_BYTES, Kind, PADDED, PREFACE, begins, fragment, is_one,
};
use hpack::Decoder;

pub use frame::sniff;

/// Bytes of a frame that holds no part of a header block and is read: SETTINGS, of which more than this says nothing that
/// matters here.
const CONTROL_BYTES: usize = 1_024;
/// `SETTINGS_MAX_FRAME_SIZE` (RFC 9113 section 6.5.2).
const SETTINGS_MAX_FRAME_SIZE: u16 = 5;
/// The stream of a request that came as HTTP/1.1 (RFC 7540 section 3.2).
const UPGRADED: u64 = 1;

/// Reads one connection.
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    halves: [Half; 2],
    /// Which side asks; known from the preface or the first field section on.
    asking: Option<Side>,
    streams: Streams,
    room: Room,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    section: SectionLimits,
    block_bytes: usize,
}

/// One direction.
#[derive(Debug)]
struct Half {
    state: State,
    table: Decoder,
    /// A header block that goes on in the next frame.
    block: Option<Block>,
    /// The longest payload that the other side agreed to.
    most: usize,
    /// No frame came yet.
    fresh: bool,
}

#[derive(Debug)]
enum State {
    /// Nothing but perhaps a piece of the preface came.
    Begin(Held),
    /// In a frame header.
    Header(Held),
    /// In a payload.
    Payload(Box<Payload>),
    /// Something was lost: frames are looked for.
    Lost(Held),
    /// The side has ended.
    Over,
}

/// Bytes that wait, with where they came from.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    /// Offset in `bytes`, and where the bytes from there on came from.
    places: Vec<(usize, Start)>,
}

/// A frame's payload while it comes.
#[derive(Debug)]
struct Payload {
    head: FrameHead,
    /// Where the frame began.
    start: Start,
    left: usize,
    /// Of DATA: bytes of padding at its end; `None` before the byte came that tells.
    padding: Option<usize>,
    /// The payload so far, as much of it as is read.
    bytes: Vec<u8>,
    spans: Vec<BlockSpan>,
    /// What is in `bytes` does not go on: a hole, or too long.
    cut: bool,
}

/// A header block while it comes.
#[derive(Debug)]
struct Block {
    /// The stream it is sent on.
    on: u32,
    /// The stream it opens or belongs to: another one where it is promised.
    stream: u32,
    promised: bool,
    last: bool,
    start: Start,
    bytes: Vec<u8>,
    spans: Vec<BlockSpan>,
    extent: Extent,
}

/// How much of a header block is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// All, up to where it was read.
    Whole,
    /// Not all of it.
    Cut,
    /// It is longer than is read.
    Over,
}

/// What a step took of the bytes it was given, and what has to be read again before the rest.
struct Took {
    count: usize,
    again: Held,
}

impl Connection {
    /// A connection of which nothing was read.
    pub fn new(budget: &Budget, wanted: Wanted) -> Self {
        let half = || Half {
            state: State::Begin(Held::default()),
            table: Decoder::new(budget.table_bytes),
            block: None,
            most: FIRST_MOST,
            fresh: true,
        };
        Self {
            limits: Limits { section: SectionLimits::new(budget), block_bytes: budget.header_block_bytes },
            halves: [half(), half()],
            asking: None,
            streams: Streams::new(HttpVersion::V2, budget, wanted),
            room: Room::new(),
        }
    }

    /// A connection that began as HTTP/1.1 and was switched with 101: `request`, with its body, is answered as stream 1
    /// (RFC 7540 section 3.2). `side` sent it.
    pub fn upgraded(budget: &Budget, wanted: Wanted, side: Side, (request, body): (HttpMessage, Vec<u8>)) -> Self {
        let mut connection = Self::new(budget, wanted);
        connection.ask(side);
        connection.streams.adopt(UPGRADED, request, body);
        connection
    }

    /// Takes a run of either side; finished exchanges are appended to `out`.
    pub fn feed(&mut self, run: &Run<'_>, out: &mut Vec<Ended>) -> Feed {
        match &run.kind {
            RunKind::Data(bytes) => self.data(run.side, bytes, place(run)),
            RunKind::Gap(count) => self.gap(run.side, *count, place(run)),
            RunKind::End => self.end(run.side),
        }
        self.streams.give(out);
        Feed::Going
    }

    /// The flow is over: what has begun ends as it is.
    pub fn finish(&mut self, out: &mut Vec<Ended>) {
        for side in [Side::Client, Side::Server] {
            self.end(side);
        }
        self.streams.finish();
        self.streams.give(out);
    }

    /// What is there of exchanges that go on and have a new head since this was last asked.
    pub fn previews(&mut self) -> Vec<Ended> {
        self.streams.previews()
    }

    /// The links that responses handed out since this was last asked, in the order in which they came.
    pub fn take_given(&mut self) -> Vec<Given> {
        self.streams.take_given()
    }

    /// How many exchanges were opened so far.
    pub fn opened(&self) -> u32 {
        self.streams.opened()
    }

    fn half(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.halves;
        if side == Side::Client { client } else { server }
    }

    /// Now it is known which side asks.
    fn ask(&mut self, side: Side) {
        self.asking = Some(side);
        self.streams.swapped = side == Side::Server;
    }

    /// Which message of an exchange a side sends.
    fn which(&self, side: Side) -> Which {
        if self.asking.unwrap_or(Side::Client) == side { Which::Request } else { Which::Response }
    }

    fn data(&mut self, side: Side, bytes: &[u8], at: Start) {
        // What is to be read, the next last: steps may ask for bytes to be read again.
        let mut pieces: Vec<(Cow<'_, [u8]>, Start, usize)> = vec![(bytes.into(), at, 0)];
        while let Some((piece, at, mut used)) = pieces.pop() {
            while let Some(rest) = piece.get(used..).filter(|rest| !rest.is_empty()) {
                let place = further(at, used);
                let Took { count, again } = match &mut self.half(side).state {
                    State::Over => return,
                    State::Begin(_) => self.begin(side, rest, place),
                    State::Header(_) => self.header(side, rest, place),
                    State::Payload(_) => self.payload(side, rest, place),
                    State::Lost(_) => self.search(side, rest, place),
                };
                used = used.saturating_add(count);
                if !again.bytes.is_empty() {
                    pieces.push((piece, at, used));
                    pieces.extend(again.pieces().rev().map(|(bytes, start)| (bytes.to_vec().into(), start, 0)));
                    break;
                }
            }
        }
    }

    /// Takes bytes that may be the preface.
    fn begin(&mut self, side: Side, bytes: &[u8], at: Start) -> Took {
        let State::Begin(held) = &mut self.half(side).state else { return Took::all(bytes) };
        let want = PREFACE.get(held.bytes.len()..).unwrap_or_default();
        let same = want.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        held.push(bytes.get(..same).unwrap_or_default(), at);
        let mut again = Held::default();
        if same == want.len() {
            self.half(side).state = State::Header(Held::default());
            self.ask(side);
        } else if same < bytes.len() {
            // No preface: what looked like it is read as frames.
            again = std::mem::take(held);
            self.half(side).state = State::Header(Held::default());
        }
        Took { count: same, again }
    }

    /// Takes bytes of a frame header.
    fn header(&mut self, side: Side, bytes: &[u8], at: Start) -> Took {
        let half = self.half(side);
        let State::Header(held) = &mut half.state else { return Took::all(bytes) };
        let count = HEADER_BYTES.saturating_sub(held.bytes.len()).min(bytes.len());
        held.push(bytes.get(..count).unwrap_or_default(), at);
        let Some(head) = FrameHead::read(&held.bytes) else { return Took { count, again: Held::default() } };
        let held = std::mem::take(held);
        let start = held.places.first().map_or(at, |(_, start)| *start);
        if std::mem::replace(&mut half.fresh, false) && (head.kind != Kind::SETTINGS || head.has(ACK)) {
            // SETTINGS come first (RFC 9113 section 3.4): this begins somewhere in the middle.
            half.table.lose();
            half.state = State::Lost(Held::default());
            return Took { count, again: held };
        }
        if !head.is_sound(half.most) {
            half.state = State::Lost(Held::default());
            self.odd(AnomalyKind::BadFrame, start);
            self.lost(side, start);
            return Took { count, again: held.from(1) };
        }
        let padded = head.kind == Kind::DATA && head.has(PADDED);
        half.state = State::Payload(Box::new(Payload {
            head,
            start,
            left: head.len,
            padding: (!padded).then_some(0),
            bytes: Vec::new(),
            spans: Vec::new(),
            cut: false,
        }));
        if head.len == 0 {
            self.frame(side, further(at, count));
        }
        Took { count, again: Held::default() }
    }

    /// Takes bytes of a payload.
    fn payload(&mut self, side: Side, bytes: &[u8], at: Start) -> Took {
        let which = self.which(side);
        let keeps = self.limits.block_bytes;
        let State::Payload(payload) = &mut self.half(side).state else { return Took::all(bytes) };
        let take = payload.left.min(bytes.len());
        let mut part = bytes.get(..take).unwrap_or_default();
        let mut part_at = at;
        let (mut data, mut bad) = (None, false);
        if payload.head.kind == Kind::DATA {
            if payload.padding.is_none()
                && let Some((padding, rest)) = part.split_first()
            {
                payload.padding = Some(usize::from(*padding));
                payload.left = payload.left.saturating_sub(1);
                bad = usize::from(*padding) > payload.left;
                (part, part_at) = (rest, further(at, 1));
            }
            let body = payload.left.saturating_sub(payload.padding.unwrap_or(0)).min(part.len());
            data = part.get(..body).filter(|d| !d.is_empty());
        } else {
            let room = match payload.head.kind {
                Kind::HEADERS | Kind::PUSH_PROMISE | Kind::CONTINUATION => keeps,
                Kind::SETTINGS | Kind::RST_STREAM | Kind::GOAWAY => CONTROL_BYTES,
                _ => 0,
            };
            if !payload.cut {
                let kept = part.get(..room.saturating_sub(payload.bytes.len())).unwrap_or(part);
                payload.spans.push(BlockSpan { at: position(payload.bytes.len()), frame: at.frame });
                payload.bytes.extend_from_slice(kept);
                payload.cut = kept.len() < part.len();
            }
        }
        payload.left = payload.left.saturating_sub(part.len());
        let (stream, whole) = (payload.head.stream, payload.left == 0);
        if bad {
            // More padding than frame (RFC 9113 section 6.1).
            self.odd(AnomalyKind::BadFrame, at);
        }
        if let Some(data) = data {
            self.streams.data(u64::from(stream), which, data, part_at);
        }
        if whole {
            self.frame(side, further(at, take));
        }
        Took { count: take, again: Held::default() }
    }

    /// A frame is complete; `end` is where.
    fn frame(&mut self, side: Side, end: Start) {
        let half = self.half(side);
        let State::Payload(payload) = std::mem::replace(&mut half.state, State::Header(Held::default())) else {
            return;
        };
        let Payload { head, start, bytes, spans, cut, .. } = *payload;
        let goes_on = head.kind == Kind::CONTINUATION && half.block.as_ref().is_some_and(|b| b.on == head.stream);
        if !goes_on && let Some(mut block) = half.block.take() {
            // Nothing may stand between the frames of a block (RFC 9113 section 6.10).
            block.cut();
            self.odd(AnomalyKind::BadFrame, start);
            self.section(side, &block, start);
        }
        match head.kind {
            Kind::DATA if head.has(END_STREAM) => {
                let which = self.which(side);
                self.streams.end(u64::from(head.stream), which, end);
            }
            Kind::HEADERS | Kind::PUSH_PROMISE => {
                let mut block = Block {
                    on: head.stream,
                    stream: head.stream,
                    promised: head.kind == Kind::PUSH_PROMISE,
                    last: head.kind == Kind::HEADERS && head.has(END_STREAM),
                    start,
                    bytes: Vec::new(),
                    spans: Vec::new(),
                    extent: Extent::Whole,
                };
                if block.promised {
                    let at = usize::from(head.has(PADDED));
                    let promised = bytes.get(at..).and_then(|rest| Cursor::new(rest).u32());
                    let Some(promised) = promised else { return self.odd_block(side, start) };
                    block.stream = promised & 0x7fff_ffff;
                }
                self.fragment(side, block, (head, &bytes, &spans, cut), end);
            }
            Kind::CONTINUATION => match self.half(side).block.take() {
                Some(block) => self.fragment(side, block, (head, &bytes, &spans, cut), end),
                None => self.odd_block(side, start),
            },
            Kind::SETTINGS if !head.has(ACK) => self.settings(side, &bytes),
            Kind::RST_STREAM => self.streams.reset(u64::from(head.stream), start),
            Kind::GOAWAY if bytes.len() >= 4 => {
                let last = Cursor::new(&bytes).u32().unwrap_or(u32::MAX) & 0x7fff_ffff;
                // Streams of the other side: a client's are odd (RFC 9113 section 5.1.1).
                let asked = self.which(side) == Which::Response;
                self.streams.refuse_above(u64::from(last), |id| (id & 1 == 1) == asked, start);
            }
            _ => {}
        }
    }

    /// A frame whose header block cannot be found in it: the table is not known any more.
    fn odd_block(&mut self, side: Side, start: Start) {
        self.half(side).table.lose();
        self.odd(AnomalyKind::BadFrame, start);
    }

    /// Adds a frame's piece to a header block, and reads the block where it is the last piece.
    fn fragment(
        &mut self,
        side: Side,
        mut block: Block,
        (head, payload, spans, cut): (FrameHead, &[u8], &[BlockSpan], bool),
        end: Start,
    ) {
        let Some((front, piece)) = fragment(head, payload, cut) else { return self.odd_block(side, block.start) };
        let most = self.limits.block_bytes;
        let base = block.bytes.len();
        // Behind a hole the block does not go on.
        let piece = if block.extent == Extent::Cut { &[] } else { piece };
        let kept = piece.get(..most.saturating_sub(base)).unwrap_or(piece);
        // Pieces without an end hold nothing once no more bytes are kept.
        let within =
            spans.iter().map(|span| (usize::try_from(span.at).unwrap_or(usize::MAX).saturating_sub(front), span));
        block.spans.extend(
            within
                .take_while(|(at, _)| *at < kept.len())
                .map(|(at, span)| BlockSpan { at: position(base.saturating_add(at)), ..*span }),
        );
        block.bytes.extend_from_slice(kept);
        if kept.len() < piece.len() || cut && payload.len() >= most {
            if block.extent != Extent::Over {
                self.odd(AnomalyKind::Limit(Limit::HeaderBlockBytes), block.start);
            }
            block.extent = Extent::Over;
        } else if cut {
            block.cut();
        }
        if head.has(END_HEADERS) {
            self.section(side, &block, end);
        } else {
            self.half(side).block = Some(block);
        }
    }

    /// Decodes a header block.
    fn section(&mut self, side: Side, block: &Block, end: Start) {
        let mut section = self.room.section(block.bytes.len(), self.limits.section);
        let table = &mut self.half(side).table;
        let frame_of = |at: usize| {
            let at = position(at);
            let place = block.spans.partition_point(|s| s.at <= at);
            place.checked_sub(1).and_then(|i| block.spans.get(i)).map_or(block.start.frame, |s| s.frame)
        };
        let read = table.decode(&block.bytes, frame_of, &mut section);
        let cut = block.extent != Extent::Whole;
        if cut {
            // A cut block ends in the middle of a field, as must be.
            (section.broken, section.cut) = (false, true);
            table.lose();
        }
        self.room.spend(&section);
        if self.asking.is_none() {
            if section.has(b":status") || block.promised {
                self.ask(side.other());
            } else if section.has(b":method") || section.has(b":path") || section.has(b":scheme") {
                self.ask(side);
            }
        }
        let which = if block.promised { Which::Request } else { self.which(side) };
        self.streams.head(Head {
            stream: u64::from(block.stream),
            which,
            section,
            start: block.start,
            end,
            whole: !cut && read.is_ok(),
            last: block.last || block.promised,
            pushed: block.promised,
        });
    }

    /// What one side agrees to bounds what the other sends. The size of header tables is told in the header blocks
    /// themselves (RFC 7541 section 4.2): what SETTINGS say of it only allows that.
    fn settings(&mut self, side: Side, bytes: &[u8]) {
        let mut cursor = Cursor::new(bytes);
        while let (Some(name), Some(value)) = (cursor.u16(), cursor.u32()) {
            if name == SETTINGS_MAX_FRAME_SIZE {
                let most = usize::try_from(value).unwrap_or(usize::MAX);
                let half = self.half(side.other());
                half.most = half.most.max(most.min(0x00ff_ffff));
            }
        }
    }

    fn odd(&mut self, kind: AnomalyKind, at: Start) {
        self.streams.note(Anomaly { kind, frame: at.frame, offset: at.offset, len: 0 });
    }

    fn gap(&mut self, side: Side, count: u64, at: Start) {
        let which = self.which(side);
        let half = self.half(side);
        if let State::Payload(payload) = &mut half.state {
            let left = u64::try_from(payload.left).unwrap_or(u64::MAX);
            let inside = count.min(left);
            payload.left = payload.left.saturating_sub(usize::try_from(inside).unwrap_or(usize::MAX));
            payload.cut = true;
            // A lost length of padding cannot be told from none.
            payload.padding.get_or_insert(0);
            let (head, whole) = (payload.head, payload.left == 0);
            if head.kind == Kind::DATA {
                self.streams.gap(u64::from(head.stream), which, inside);
            }
            if whole {
                self.frame(side, at);
            }
            if count <= left {
                return;
            }
        }
        self.lost(side, at);
        match std::mem::replace(&mut self.half(side).state, State::Over) {
            State::Over => return,
            State::Lost(held) => self.last_frame(side, held),
            State::Begin(_) | State::Header(_) | State::Payload(_) => {}
        }
        let half = self.half(side);
        half.fresh = false;
        half.state = State::Lost(Held::default());
    }

    /// Frames of a side are missing, or cannot be told.
    fn lost(&mut self, side: Side, at: Start) {
        let which = self.which(side);
        let half = self.half(side);
        if let Some(mut block) = half.block.take() {
            block.cut();
            self.section(side, &block, at);
        }
        self.half(side).table.lose();
        self.streams.gap_anywhere(which);
    }

    /// Looks for frames. What cannot be told yet is held; it is not longer than a frame.
    fn search(&mut self, side: Side, bytes: &[u8], at: Start) -> Took {
        let State::Lost(held) = &mut self.half(side).state else { return Took::all(bytes) };
        let mut held = std::mem::take(held);
        let before = held.bytes.len();
        let (mut from, mut added) = (0_usize, 0_usize);
        while from < before {
            match begins(held.bytes.get(from..).unwrap_or_default()) {
                Sniff::No => from = from.saturating_add(1),
                Sniff::NeedMore if added < bytes.len() => {
                    // Mostly a header tells; whatever begins in what was held is told by a frame and a header.
                    let enough = if added == 0 { HEADER_BYTES } else { FIRST_MOST.saturating_add(2 * HEADER_BYTES) };
                    let more = bytes.get(added..enough.min(bytes.len()).max(added.saturating_add(1)));
                    held.push(more.unwrap_or_default(), further(at, added));
                    added = held.bytes.len().saturating_sub(before);
                }
                Sniff::NeedMore => {
                    self.half(side).state = State::Lost(held.from(from));
                    return Took::all(bytes);
                }
                Sniff::Yes => {
                    self.half(side).state = State::Header(Held::default());
                    return Took { count: 0, again: held.to(before).from(from) };
                }
            }
        }
        for from in 0..bytes.len() {
            let rest = bytes.get(from..).unwrap_or_default();
            match begins(rest) {
                Sniff::No => {}
                Sniff::NeedMore => {
                    let mut held = Held::default();
                    held.push(rest, further(at, from));
                    self.half(side).state = State::Lost(held);
                    return Took::all(bytes);
                }
                Sniff::Yes => {
                    self.half(side).state = State::Header(Held::default());
                    return Took { count: from, again: Held::default() };
                }
            }
        }
        self.half(side).state = State::Lost(Held::default());
        Took::all(bytes)
    }

    /// Nothing more comes behind these bytes: a frame at their very end is one.
    fn last_frame(&mut self, side: Side, held: Held) {
        let Some(from) = (0..held.bytes.len()).find(|from| held.bytes.get(*from..).is_some_and(is_one)) else { return };
        self.half(side).state = State::Header(Held::default());
        for (bytes, at) in held.from(from).pieces() {
            self.data(side, bytes, at);
        }
    }

    /// The side will send no more.
    fn end(&mut self, side: Side) {
        let which = self.which(side);
        match std::mem::replace(&mut self.half(side).state, State::Over) {
            State::Over => return,
            State::Lost(held) => self.last_frame(side, held),
            // A header block that breaks off is read as far as it goes.
            State::Payload(payload)
                if matches!(payload.head.kind, Kind::HEADERS | Kind::PUSH_PROMISE | Kind::CONTINUATION) =>
            {
                let place = payload.start;
                self.half(side).state = State::Payload(Box::new(Payload { cut: true, ..*payload }));
                self.frame(side, place);
            }
            State::Payload(_) | State::Begin(_) | State::Header(_) => {}
        }
        let start = self.half(side).block.as_ref().map(|block| block.start);
        if let Some(start) = start {
            self.lost(side, start);
        }
        self.half(side).state = State::Over;
        self.streams.end_all(which);
    }
}

impl Block {
    /// Nothing more comes of it.
    fn cut(&mut self) {
        if self.extent == Extent::Whole {
            self.extent = Extent::Cut;
        }
    }
}

impl Took {
    fn all(bytes: &[u8]) -> Self {
        Self { count: bytes.len(), again: Held::default() }
    }
}

impl Held {
    fn push(&mut self, bytes: &[u8], at: Start) {
        if !bytes.is_empty() {
            self.places.push((self.bytes.len(), at));
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The bytes as they came.
    fn pieces(&self) -> impl DoubleEndedIterator<Item = (&[u8], Start)> {
        self.places.iter().enumerate().filter_map(|(i, (from, start))| {
            let to = self.places.get(i.saturating_add(1)).map_or(self.bytes.len(), |(next, _)| *next);
            Some((self.bytes.get(*from..to)?, *start))
        })
    }

    /// What stands before an offset.
    fn to(mut self, end: usize) -> Self {
        self.bytes.truncate(end);
        self.places.retain(|(from, _)| *from < end);
        self
    }

    /// What stands from an offset on.
    fn from(mut self, at: usize) -> Self {
        if at == 0 {
            return self;
        }
        self.bytes.drain(..at.min(self.bytes.len()));
        let last = self.places.iter().rposition(|(from, _)| *from <= at).unwrap_or(0);
        self.places.drain(..last);
        for (from, start) in &mut self.places {
            if *from < at {
                *start = further(*start, at.saturating_sub(*from));
            }
            *from = from.saturating_sub(at);
        }
        if self.bytes.is_empty() {
            self.places.clear();
        }
        self
    }
}

fn place(run: &Run<'_>) -> Start {
    Start { offset: run.offset, frame: run.frame, time: run.time }
}

fn further(at: Start, count: usize) -> Start {
    Start { offset: at.offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX)), ..at }
}

/// An offset in a block.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
