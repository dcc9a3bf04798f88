//! HTTP/3 (RFC 9114), read from the side: the streams of a QUIC connection become exchanges, one a request.
//!
//! Comes in: what keys opened of streams, each in order, with its holes. Goes out: exchanges. Never: a guess. Behind a hole in
//! the frames of a stream nobody knows where the next one begins, so nothing more is read of it; behind one in an encoder
//! stream no field is told that needs the table. Datagrams (RFC 9297) are counted by QUIC and not read.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod qpack;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use super::http::{Ended, Given, Head, Room, SectionLimits, Start, Streams, Wanted, Which};
use super::quic::{Act, StreamPiece, varint};
use crate::model::{Anomaly, AnomalyKind, BlockSpan, Budget, Cursor, HttpVersion, Limit, Run, RunKind, Side};
use qpack::{Needs, Table};

/// Types of frames (RFC 9114 section 7.2).
const DATA: u64 = 0x0;
const HEADERS: u64 = 0x1;
const CANCEL_PUSH: u64 = 0x3;
const SETTINGS: u64 = 0x4;
const PUSH_PROMISE: u64 = 0x5;
const GOAWAY: u64 = 0x7;
const MAX_PUSH_ID: u64 = 0xd;
/// Types of HTTP/2 that may not stand here (RFC 9114 section 11.2.1).
const OLD_FRAMES: [u64; 4] = [0x2, 0x6, 0x8, 0x9];
/// What begins a stream of `WebTransport` over HTTP/3, which is no frame: what follows is not HTTP.
const WEBTRANSPORT_STREAM: u64 = 0x41;
/// Types of streams (RFC 9114 section 6.2, RFC 9204 section 4.2).
const CONTROL_STREAM: u64 = 0x0;
const PUSH_STREAM: u64 = 0x1;
const ENCODER_STREAM: u64 = 0x2;
const DECODER_STREAM: u64 = 0x3;
/// The greatest size of the table that fields are compressed with (RFC 9204 section 5).
const SETTINGS_QPACK_MAX_TABLE_CAPACITY: u64 = 0x1;

/// Bytes of a frame's type and length, at most.
const HEADER_BYTES: usize = 16;
/// Bytes of a frame that holds no field section and is read.
const CONTROL_BYTES: usize = 1_024;
/// Above all numbers of streams (RFC 9000 section 2.1): pushes are known here by this and the push id.
const PUSHES: u64 = 1 << 62;

/// A side of a stream.
type Key = (u64, Side);

/// Reads one connection.
#[derive(Debug)]
pub struct Connection {
    section: SectionLimits,
    block_bytes: usize,
    /// Who asks: the client of QUIC (RFC 9114 section 2.2).
    asker: Side,
    ends: [End; 2],
    lanes: BTreeMap<Key, Lane>,
    /// Lanes that wait for entries of a table, oldest first.
    blocked: VecDeque<Key>,
    held: usize,
    most_held: usize,
    /// A table has grown, or is known to grow no more.
    news: bool,
    streams: Streams,
    room: Room,
}

/// What one side says of the connection.
#[derive(Debug)]
struct End {
    /// What its encoder stream fills: for the sections that it sends.
    table: Table,
    /// How large the table of the other side may be; `None` before its settings came.
    most_table: Option<u64>,
    /// Its settings will not come.
    silent: bool,
}

/// One side of a stream.
#[derive(Debug)]
struct Lane {
    role: Role,
    state: State,
    /// What came behind a section that is blocked.
    held: VecDeque<Run<'static>>,
    /// The section that waits, with the number of entries that were there when it came.
    waits: Option<(Box<Payload>, Start, u64)>,
}

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A stream of one direction whose type has not come yet.
    Unknown,
    /// A request, or its answer.
    Message(u64),
    /// A push whose id has not come yet.
    Push,
    Control,
    Encoder,
    Decoder,
    /// Of a kind that is not read.
    Ignored,
}

#[derive(Debug)]
enum State {
    /// In the type of the stream, or in a frame header.
    Header(Vec<u8>, Option<Start>),
    /// In a payload.
    Payload(Box<Payload>),
    /// Something was lost: where the next frame begins is not known.
    Lost,
}

/// A frame's payload while it comes.
#[derive(Debug)]
struct Payload {
    kind: u64,
    start: Start,
    left: u64,
    bytes: Vec<u8>,
    spans: Vec<BlockSpan>,
    /// What is in `bytes` does not go on: a hole, or too long.
    cut: bool,
}

impl Connection {
    /// A connection of which nothing was read; `asker` is the side of the flow that asks.
    pub fn new(budget: &Budget, wanted: Wanted, asker: Side) -> Self {
        let end = || End { table: Table::new(budget.table_bytes), most_table: None, silent: false };
        let mut streams = Streams::new(HttpVersion::V3, budget, wanted);
        streams.swapped = asker == Side::Server;
        Self {
            section: SectionLimits::new(budget),
            block_bytes: budget.header_block_bytes,
            asker,
            ends: [end(), end()],
            lanes: BTreeMap::new(),
            blocked: VecDeque::new(),
            held: 0,
            most_held: budget.waiting_bytes_per_side,
            news: false,
            streams,
            room: Room::new(),
        }
    }

    /// Takes a piece of a stream; finished exchanges are appended to `out`. Exchanges that open are numbered from `number`
    /// on.
    pub fn feed(&mut self, piece: StreamPiece, number: u32, out: &mut Vec<Ended>) {
        self.streams.count_from(number);
        let key = (piece.stream, piece.run.side);
        match piece.act {
            Act::Read => {
                self.run(key, piece.run);
                if std::mem::take(&mut self.news) {
                    self.unblock(false);
                }
            }
            Act::Reset => self.reset(key, place(&piece.run)),
            Act::Stopped => self.stopped(key, place(&piece.run)),
            Act::Closed => self.close(),
        }
        self.streams.give(out);
    }

    /// The connection is over: what has begun ends as it is.
    pub fn finish(&mut self, out: &mut Vec<Ended>) {
        self.close();
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

    /// The number of the next exchange.
    pub fn opened(&self) -> u32 {
        self.streams.opened()
    }

    fn end_of(&mut self, side: Side) -> &mut End {
        let [client, server] = &mut self.ends;
        if side == Side::Client { client } else { server }
    }

    fn which(&self, side: Side) -> Which {
        if side == self.asker { Which::Request } else { Which::Response }
    }

    /// Reads a run, or holds it where its stream is blocked.
    fn run(&mut self, key: Key, run: Run<'static>) {
        let mut lane = self.lanes.remove(&key).unwrap_or_else(|| Lane::new(key.0));
        if lane.waits.is_some() {
            self.held = self.held.saturating_add(run_len(&run));
            lane.held.push_back(run);
            self.lanes.insert(key, lane);
            if self.held > self.most_held {
                self.unblock(true);
            }
            return;
        }
        if self.read(key, &mut lane, run) {
            self.lanes.insert(key, lane);
        }
    }

    /// Whether the lane goes on.
    fn read(&mut self, key: Key, lane: &mut Lane, run: Run<'static>) -> bool {
        let at = place(&run);
        match run.kind {
            RunKind::Data(bytes) => {
                self.data(key, lane, &bytes, at);
                true
            }
            RunKind::Gap(count) => {
                self.gap(key, lane, count, at);
                true
            }
            RunKind::End => {
                self.ended(key, lane, at);
                false
            }
        }
    }

    fn data(&mut self, key: Key, lane: &mut Lane, bytes: &[u8], at: Start) {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
            let place = further(at, used);
            if lane.waits.is_some() {
                self.held = self.held.saturating_add(rest.len());
                lane.held.push_back(Run {
                    side: key.1,
                    offset: place.offset,
                    frame: place.frame,
                    time: place.time,
                    kind: RunKind::Data(rest.to_vec().into()),
                });
                return;
            }
            match (lane.role, &lane.state) {
                (Role::Ignored, _) | (_, State::Lost) => return,
                (Role::Encoder, _) => return self.encoder(key.1, rest, place),
                (Role::Decoder, _) => return self.decoder(lane, rest, place),
                (Role::Unknown | Role::Push, _) => used = used.saturating_add(self.begin(key, lane, rest, place)),
                (Role::Message(_) | Role::Control, State::Header(..)) => {
                    used = used.saturating_add(self.header(key, lane, rest, place));
                }
                (Role::Message(_) | Role::Control, State::Payload(_)) => {
                    used = used.saturating_add(self.payload(key, lane, rest, place));
                }
            }
        }
    }

    /// Takes bytes of a stream's type, or of a push id; gives how many.
    fn begin(&self, key: Key, lane: &mut Lane, bytes: &[u8], at: Start) -> usize {
        let State::Header(held, start) = &mut lane.state else { return bytes.len() };
        start.get_or_insert(at);
        let before = held.len();
        let more = bytes.get(..HEADER_BYTES.saturating_sub(before)).unwrap_or(bytes);
        held.extend_from_slice(more);
        let mut cursor = Cursor::new(held);
        let Some(number) = varint(&mut cursor) else { return more.len() };
        let used = cursor.used().saturating_sub(before);
        lane.state = State::Header(Vec::new(), None);
        lane.role = match (lane.role, number) {
            (Role::Push, push) => {
                let id = PUSHES.saturating_add(push);
                // What it answers was promised, or will be.
                Role::Message(id)
            }
            (_, CONTROL_STREAM) => Role::Control,
            (_, PUSH_STREAM) if key.1 != self.asker => Role::Push,
            (_, ENCODER_STREAM) => Role::Encoder,
            (_, DECODER_STREAM) => Role::Decoder,
            // Unknown ones, and those that only exercise that (RFC 9114 section 6.2.3).
            _ => Role::Ignored,
        };
        used
    }

    /// Takes bytes of a frame header; gives how many.
    fn header(&mut self, key: Key, lane: &mut Lane, bytes: &[u8], at: Start) -> usize {
        let State::Header(held, start) = &mut lane.state else { return bytes.len() };
        let start = *start.get_or_insert(at);
        let before = held.len();
        let more = bytes.get(..HEADER_BYTES.saturating_sub(before)).unwrap_or(bytes);
        held.extend_from_slice(more);
        let mut cursor = Cursor::new(held);
        let (Some(kind), Some(left)) = (varint(&mut cursor), varint(&mut cursor)) else { return more.len() };
        let used = cursor.used().saturating_sub(before);
        let mut cut = false;
        if let Role::Message(id) = lane.role {
            if kind == WEBTRANSPORT_STREAM && is_request(id) {
                lane.role = Role::Ignored;
                return bytes.len();
            }
            cut = match kind {
                CANCEL_PUSH | SETTINGS | GOAWAY | MAX_PUSH_ID => true,
                PUSH_PROMISE => key.1 == self.asker || id >= PUSHES,
                _ => OLD_FRAMES.contains(&kind),
            };
            if cut {
                self.odd(id, AnomalyKind::BadFrame, start);
            }
        } else {
            // Settings come first, and once (RFC 9114 section 6.2.1).
            let first = self.end_of(key.1).most_table.is_none();
            let of_messages = matches!(kind, DATA | HEADERS | PUSH_PROMISE);
            if first != (kind == SETTINGS) || of_messages || OLD_FRAMES.contains(&kind) {
                self.streams.note(anomaly(AnomalyKind::BadFrame, start));
            }
        }
        let payload = Payload { kind, start, left, bytes: Vec::new(), spans: Vec::new(), cut };
        self.start(key, lane, payload, further(at, used));
        used
    }

    /// A frame's header is complete.
    fn start(&mut self, key: Key, lane: &mut Lane, payload: Payload, end: Start) {
        let empty = payload.left == 0;
        lane.state = State::Payload(Box::new(payload));
        if empty {
            self.frame(key, lane, end);
        }
    }

    /// Takes bytes of a payload; gives how many.
    fn payload(&mut self, key: Key, lane: &mut Lane, bytes: &[u8], at: Start) -> usize {
        let which = self.which(key.1);
        let block_bytes = self.block_bytes;
        let State::Payload(payload) = &mut lane.state else { return bytes.len() };
        let take = usize::try_from(payload.left).unwrap_or(usize::MAX).min(bytes.len());
        let part = bytes.get(..take).unwrap_or_default();
        payload.left = payload.left.saturating_sub(len(part));
        if payload.kind == DATA {
            if let Role::Message(id) = lane.role {
                self.streams.data(id, which, part, at);
            }
        } else if !payload.cut {
            let room = match payload.kind {
                HEADERS | PUSH_PROMISE => block_bytes,
                SETTINGS | GOAWAY | CANCEL_PUSH => CONTROL_BYTES,
                _ => 0,
            };
            let kept = part.get(..room.saturating_sub(payload.bytes.len())).unwrap_or(part);
            payload.spans.push(BlockSpan { at: position(payload.bytes.len()), frame: at.frame });
            payload.bytes.extend_from_slice(kept);
            payload.cut = kept.len() < part.len();
            if payload.cut && room == block_bytes {
                let start = payload.start;
                if let Role::Message(id) = lane.role {
                    self.odd(id, AnomalyKind::Limit(Limit::HeaderBlockBytes), start);
                }
            }
        }
        if matches!(&lane.state, State::Payload(payload) if payload.left == 0) {
            self.frame(key, lane, further(at, take));
        }
        take
    }

    /// A frame is complete; `end` is where.
    fn frame(&mut self, key: Key, lane: &mut Lane, end: Start) {
        let State::Payload(payload) = std::mem::replace(&mut lane.state, State::Header(Vec::new(), None)) else {
            return;
        };
        let (kind, start) = (payload.kind, payload.start);
        match (lane.role, kind) {
            (Role::Message(_), HEADERS | PUSH_PROMISE) => {
                let inserted = self.end_of(key.1).table.inserted();
                self.section(key, lane, (payload, end, inserted), false);
            }
            (Role::Control, SETTINGS) => self.settings(key.1, &payload.bytes),
            (Role::Control, GOAWAY) => {
                let Some(id) = varint(&mut Cursor::new(&payload.bytes)) else { return };
                self.goaway(key.1, id, start);
            }
            (Role::Control, CANCEL_PUSH) => {
                if let Some(push) = varint(&mut Cursor::new(&payload.bytes)) {
                    self.streams.reset_half(PUSHES.saturating_add(push), Which::Response, start);
                }
            }
            _ => {}
        }
    }

    /// Decodes a section, or has it wait for entries that have not come. `last`: what is not there by now will not come.
    fn section(&mut self, key: Key, lane: &mut Lane, (payload, end, inserted): (Box<Payload>, Start, u64), last: bool) {
        let Role::Message(id) = lane.role else { return };
        let (side, start, cut) = (key.1, payload.start, payload.cut);
        let mut cursor = Cursor::new(&payload.bytes);
        let promised = if payload.kind == PUSH_PROMISE {
            let Some(push) = varint(&mut cursor) else { return self.odd(id, AnomalyKind::BadFrame, start) };
            Some(PUSHES.saturating_add(push))
        } else {
            None
        };
        let front = cursor.used();
        let block = payload.bytes.get(front..).unwrap_or_default();
        // The decoding side tells how large the table may be.
        let other = self.end_of(side.other());
        let (most_bytes, silent) = (other.most_table, other.silent);
        let [client, server] = &self.ends;
        let table = if side == Side::Client { &client.table } else { &server.table };
        let waits = match table.needs(block, inserted, most_bytes) {
            Ok(Needs::Entries(_)) => true,
            Ok(Needs::Size) => !silent,
            Ok(Needs::Nothing) | Err(_) => false,
        };
        if waits && !last {
            lane.waits = Some((payload, end, inserted));
            self.blocked.push_back(key);
            return;
        }
        let mut section = self.room.section(block.len(), self.section);
        let frame_of = |at: usize| {
            let at = position(at.saturating_add(front));
            let place = payload.spans.partition_point(|s| s.at <= at);
            place.checked_sub(1).and_then(|i| payload.spans.get(i)).map_or(start.frame, |s| s.frame)
        };
        let read = table.decode(block, (inserted, most_bytes), frame_of, &mut section);
        if cut {
            // A cut block ends in the middle of a field, as must be.
            (section.broken, section.cut) = (false, true);
        }
        self.room.spend(&section);
        let which = if promised.is_some() { Which::Request } else { self.which(side) };
        self.streams.head(Head {
            stream: promised.unwrap_or(id),
            which,
            section,
            start,
            end,
            whole: !cut && read.is_ok(),
            last: promised.is_some(),
            pushed: promised.is_some(),
        });
        if promised.is_some() {
            self.streams.show_as(promised.unwrap_or(id), None);
        } else if id >= PUSHES {
            self.streams.show_as(id, Some(key.0));
        }
    }

    /// Reads on in lanes that waited, as far as that goes now. `last`: what they wait for will not come.
    fn unblock(&mut self, last: bool) {
        for _ in 0..self.blocked.len() {
            let Some(key) = self.blocked.pop_front() else { return };
            let Some(mut lane) = self.lanes.remove(&key) else { continue };
            let mut goes_on = true;
            if let Some(waiting) = lane.waits.take() {
                self.section(key, &mut lane, waiting, last);
                while lane.waits.is_none()
                    && let Some(run) = lane.held.pop_front()
                {
                    self.held = self.held.saturating_sub(run_len(&run));
                    goes_on &= self.read(key, &mut lane, run);
                }
            }
            if goes_on {
                self.lanes.insert(key, lane);
            }
        }
    }

    fn encoder(&mut self, side: Side, bytes: &[u8], at: Start) {
        self.news = true;
        if self.end_of(side).table.feed(bytes).is_err() {
            self.streams.note(anomaly(AnomalyKind::BadFieldSection, at));
        }
    }

    /// What the decoder says changes nothing here; that it can be read is looked at.
    fn decoder(&mut self, lane: &mut Lane, bytes: &[u8], at: Start) {
        let State::Header(held, _) = &mut lane.state else { return };
        held.extend_from_slice(bytes);
        let used = qpack::decoder_instructions(held);
        held.drain(..used);
        if held.len() > HEADER_BYTES {
            lane.state = State::Lost;
            self.streams.note(anomaly(AnomalyKind::BadFrame, at));
        }
    }

    /// RFC 9114 section 7.2.4: numbers and values. What a side does not name has its default, which is no table.
    fn settings(&mut self, side: Side, bytes: &[u8]) {
        let mut cursor = Cursor::new(bytes);
        let mut most = 0;
        while let (Some(name), Some(value)) = (varint(&mut cursor), varint(&mut cursor)) {
            if name == SETTINGS_QPACK_MAX_TABLE_CAPACITY {
                most = value;
            }
        }
        self.end_of(side).most_table.get_or_insert(most);
        self.news = true;
    }

    /// RFC 9114 section 5.2: a server names the first request that it does not answer, a client the first push that it does
    /// not take.
    fn goaway(&mut self, side: Side, id: u64, at: Start) {
        let pushes = side == self.asker;
        let first = if pushes { PUSHES.saturating_add(id) } else { id };
        self.streams.refuse(first, |stream| (stream >= PUSHES) == pushes, at);
    }

    fn gap(&mut self, key: Key, lane: &mut Lane, count: u64, at: Start) {
        self.news = true;
        match lane.role {
            Role::Ignored | Role::Decoder => return,
            Role::Encoder => {
                self.end_of(key.1).table.lose();
                lane.role = Role::Ignored;
                return;
            }
            Role::Control => {
                self.end_of(key.1).silent = true;
                lane.role = Role::Ignored;
                return;
            }
            Role::Unknown | Role::Push => {
                // It may have been any: what it would have said is not there.
                let end = self.end_of(key.1);
                end.table.lose();
                end.silent = true;
                lane.role = Role::Ignored;
                return;
            }
            Role::Message(_) => {}
        }
        let Role::Message(id) = lane.role else { return };
        let which = self.which(key.1);
        if let State::Payload(payload) = &mut lane.state {
            let inside = count.min(payload.left);
            payload.left = payload.left.saturating_sub(inside);
            payload.cut = true;
            let (kind, whole) = (payload.kind, payload.left == 0);
            if kind == DATA {
                self.streams.gap(id, which, inside);
            }
            let known = count > 0 && inside == count;
            if whole || kind == HEADERS && !known {
                self.frame(key, lane, at);
            }
            if known {
                return;
            }
        }
        if !matches!(lane.state, State::Lost) {
            lane.state = State::Lost;
            self.streams.gap(id, which, 0);
            self.streams.note_of(id, anomaly(AnomalyKind::Gap, at));
        }
    }

    /// The last byte of a lane came.
    fn ended(&mut self, key: Key, lane: &mut Lane, at: Start) {
        let Role::Message(id) = lane.role else {
            if lane.role == Role::Control {
                self.end_of(key.1).silent = true;
                self.news = true;
            }
            return;
        };
        let which = self.which(key.1);
        if matches!(&lane.state, State::Payload(_)) || matches!(&lane.state, State::Header(held, _) if !held.is_empty())
        {
            self.break_off(key, lane, at);
            // A frame that does not end before its stream does (RFC 9114 section 7.1).
            self.odd(id, AnomalyKind::BadFrame, at);
            self.streams.gap(id, which, 0);
        }
        self.streams.end(id, which, at);
    }

    /// Nothing more comes: a field section that breaks off is read as far as it goes.
    fn break_off(&mut self, key: Key, lane: &mut Lane, at: Start) {
        if let State::Payload(payload) = &mut lane.state {
            payload.cut = true;
            if payload.kind == HEADERS {
                self.frame(key, lane, at);
                if let Some(waiting) = lane.waits.take() {
                    self.section(key, lane, waiting, true);
                }
            }
        }
    }

    fn reset(&mut self, key: Key, at: Start) {
        let Some(mut lane) = self.lanes.remove(&key) else {
            // What was broken off before anything of it came.
            if key.0 & 2 == 0 {
                self.streams.reset_half(key.0, self.which(key.1), at);
            }
            return;
        };
        if let Some(waiting) = lane.waits.take() {
            self.section(key, &mut lane, waiting, true);
        }
        self.held = lane.held.iter().fold(self.held, |held, run| held.saturating_sub(run_len(run)));
        match lane.role {
            Role::Message(id) => self.streams.reset_half(id, self.which(key.1), at),
            _ => self.gap(key, &mut lane, 0, at),
        }
    }

    /// A side wants no more of what the other sends. A server that has answered says so of the rest of a request (RFC 9114
    /// section 4.1); a client that says it of an answer gives the exchange up.
    fn stopped(&mut self, (stream, side): Key, at: Start) {
        if side == self.asker && is_request(stream) {
            self.streams.reset_half(stream, Which::Response, at);
        }
    }

    /// All streams are over.
    fn close(&mut self) {
        // Each turn reads a section of each.
        while !self.blocked.is_empty() {
            self.unblock(true);
        }
        for (key, mut lane) in std::mem::take(&mut self.lanes) {
            if let State::Payload(payload) = &lane.state {
                let at = payload.start;
                self.break_off(key, &mut lane, at);
            }
        }
        self.held = 0;
        self.streams.finish();
    }

    fn odd(&mut self, id: u64, kind: AnomalyKind, at: Start) {
        self.streams.note_of(id, anomaly(kind, at));
    }
}

impl Lane {
    fn new(stream: u64) -> Self {
        // RFC 9000 section 2.1: the lowest bits say who opened it, and whether both sides send. No server opens one of both
        // directions (RFC 9114 section 6.1).
        let role = match stream & 3 {
            0 => Role::Message(stream),
            1 => Role::Ignored,
            _ => Role::Unknown,
        };
        Self { role, state: State::Header(Vec::new(), None), held: VecDeque::new(), waits: None }
    }
}

/// Whether a stream is one of those that a client opens to ask on (RFC 9114 section 6.1).
fn is_request(stream: u64) -> bool {
    stream < PUSHES && stream.is_multiple_of(4)
}

fn anomaly(kind: AnomalyKind, at: Start) -> Anomaly {
    Anomaly { kind, frame: at.frame, offset: at.offset, len: 0 }
}

fn place(run: &Run<'_>) -> Start {
    Start { offset: run.offset, frame: run.frame, time: run.time }
}

fn further(at: Start, count: usize) -> Start {
    Start { offset: at.offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX)), ..at }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What a run that is held costs.
fn run_len(run: &Run<'_>) -> usize {
    let bytes = if let RunKind::Data(bytes) = &run.kind { bytes.len() } else { 0 };
    bytes.saturating_add(size_of::<Run<'_>>())
}

/// An offset in a block.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
