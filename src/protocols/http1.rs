//! HTTP/0.9 to HTTP/1.1 (RFC 9112), read from the side: both directions of a connection become exchanges.
//!
//! A reader beside the wire cannot ask again, so nothing here refuses: what breaks the rules is read as its receiver most
//! likely read it, and the oddity is kept with its place. After a hole the next line that can only be a start line is
//! waited for.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

use std::collections::VecDeque;

use super::body::{BodyLimits, BodyReader, EMPTY_SHA256, Framing, Progress};
use super::{Feed, Sniff};
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Body, Budget, ByteRange, Field, FrameNo, HttpExchange, HttpMessage, HttpVersion,
    Run, RunKind, Side, StartLine, Timestamp,
};

/// Longest method that is believed (the longest registered one, UPDATEREDIRECTREF, has 17 letters).
const METHOD_BYTES: usize = 32;
/// Exchanges that wait behind a response without request, for which that request may yet come from behind a hole.
const HELD_ORPHANS: usize = 32;
/// Bytes without a line end after which a known method and a target are enough to believe in a request.
const LONG_TARGET: usize = 1_024;
/// Methods of the registry (RFC 9110 section 16.1) and of common extensions: enough to tell before the line is whole.
const METHODS: [&[u8]; 29] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"CONNECT",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"MERGE",
    b"NOTIFY",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"M-SEARCH",
    b"PURGE",
    b"CCM_POST",
    b"BITS_POST",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
    b"SSTP_DUPLEX_POST",
];

/// A request with its response, or one of the two.
#[derive(Debug)]
pub struct Ended {
    /// The messages.
    pub http: HttpExchange,
    /// Whether the flow's server side sent the request.
    pub swapped: bool,
    /// Odd things met in it.
    pub anomalies: Vec<Anomaly>,
    /// The decoded bodies of request and response, where they were asked for.
    pub bodies: Option<[Vec<u8>; 2]>,
}

/// Reads one connection.
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    collect: bool,
    halves: [Half; 2],
    /// Which side asks; known from the first message on.
    asking: Option<Side>,
    open: VecDeque<Open>,
    /// Number of the first of `open`.
    first: u64,
    /// Bytes were lost: what belongs together is then told by the order of frames too.
    lossy: bool,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    head_bytes: usize,
    head_fields: usize,
    waiting: usize,
    body: BodyLimits,
}

/// An exchange that has not ended.
#[derive(Debug, Default)]
struct Open {
    http: HttpExchange,
    request_done: bool,
    response_done: bool,
    anomalies: Vec<Anomaly>,
    bodies: [Vec<u8>; 2],
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    state: State,
    /// A head that has begun.
    head: Vec<u8>,
    spans: Vec<BlockSpan>,
    start: Option<Start>,
    /// Offset in `head` from which no line was looked at.
    scanned: usize,
    /// A hole came before what is read now.
    after_gap: bool,
}

/// Where a message begins.
#[derive(Clone, Copy, Debug)]
struct Start {
    offset: u64,
    frame: FrameNo,
    time: Timestamp,
}

#[derive(Debug, Default)]
enum State {
    /// Between messages, or in a head.
    #[default]
    Head,
    /// In the body of the message of exchange `of`.
    Body { reader: Box<BodyReader>, of: u64, trailer_spans: Vec<BlockSpan> },
    /// Something was lost: a start line at the beginning of a run is waited for.
    Lost,
    /// The side has ended.
    Over,
}

/// How much of a head is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// Its end is missing.
    Cut,
}

/// What a head made of the connection.
enum Next {
    Going,
    Switched,
}

impl Connection {
    /// A connection of which nothing was read.
    pub fn new(budget: &Budget) -> Self {
        Self {
            limits: Limits {
                head_bytes: budget.head_bytes,
                head_fields: budget.head_fields,
                waiting: budget.waiting_requests,
                body: BodyLimits::new(budget),
            },
            collect: false,
            halves: [Half::default(), Half::default()],
            asking: None,
            open: VecDeque::new(),
            first: 0,
            lossy: false,
        }
    }

    /// Also keeps the decoded bodies, up to the budget's preview.
    pub fn with_bodies(budget: &Budget) -> Self {
        Self { collect: true, ..Self::new(budget) }
    }

    /// Whether the first bytes of a side are HTTP.
    pub fn sniff(bytes: &[u8]) -> Sniff {
        let bytes = skip_line_ends(bytes);
        if starts_status(bytes) {
            return if bytes.len() >= 7 { Sniff::Yes } else { Sniff::NeedMore };
        }
        sniff_request(bytes)
    }

    /// Whether bytes that break off in a hole are the beginning of a request line: a known method and some of a target.
    pub fn is_cut_request(bytes: &[u8]) -> bool {
        let bytes = skip_line_ends(bytes);
        let method = bytes.iter().take_while(|b| is_token(**b)).count();
        let (name, rest) = bytes.split_at_checked(method).unwrap_or((bytes, &[]));
        METHODS.contains(&name) && (rest.starts_with(b" /") || rest.starts_with(b" http")) && is_loose_target(rest)
    }

    /// Takes a run of either side; finished exchanges are appended to `out`.
    pub fn feed(&mut self, run: &Run<'_>, out: &mut Vec<Ended>) -> Feed {
        let feed = match &run.kind {
            RunKind::Data(bytes) => self.data(run, bytes),
            RunKind::Gap(count) => {
                self.gap(run, *count);
                Feed::Going
            }
            RunKind::End => {
                self.end(run.side, true);
                Feed::Going
            }
        };
        self.give(out);
        feed
    }

    /// The flow is over: what has begun ends as it is.
    pub fn finish(&mut self, out: &mut Vec<Ended>) {
        for side in [Side::Client, Side::Server] {
            self.end(side, false);
        }
        for open in &mut self.open {
            open.request_done = true;
            open.response_done = true;
        }
        self.give(out);
    }

    fn half(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.halves;
        if side == Side::Client { client } else { server }
    }

    /// Gives the exchanges that are over, in the order of their requests.
    fn give(&mut self, out: &mut Vec<Ended>) {
        if self.open.len() > HELD_ORPHANS
            && let Some(first) = self.open.front_mut()
        {
            first.request_done |= first.http.request.is_none();
        }
        while self.open.front().is_some_and(|open| open.request_done && open.response_done) {
            let Some(open) = self.open.pop_front() else { break };
            self.first = self.first.saturating_add(1);
            out.push(Ended {
                http: open.http,
                swapped: self.asking == Some(Side::Server),
                anomalies: open.anomalies,
                bodies: self.collect.then_some(open.bodies),
            });
        }
    }

    fn entry(&mut self, number: u64) -> Option<&mut Open> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.open.get_mut(index)
    }

    fn data(&mut self, run: &Run<'_>, bytes: &[u8]) -> Feed {
        let mut at = 0_usize;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let offset = run.offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
            let place = Start { offset, frame: run.frame, time: run.time };
            match &mut self.half(run.side).state {
                State::Over => break,
                State::Lost => {
                    if !begins_message(rest) {
                        break;
                    }
                    self.half(run.side).state = State::Head;
                }
                State::Head => {
                    let (used, next) = self.head(run.side, rest, place);
                    at = at.saturating_add(used);
                    if matches!(next, Next::Switched) {
                        return Feed::Switched(
                            run.side,
                            run.offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)),
                        );
                    }
                }
                State::Body { .. } => at = at.saturating_add(self.body(run.side, rest, place)),
            }
        }
        Feed::Going
    }

    /// Takes bytes of a head; gives how many, and whether the connection goes on.
    fn head(&mut self, side: Side, bytes: &[u8], place: Start) -> (usize, Next) {
        let limit = self.limits.head_bytes;
        let half = self.half(side);
        let mut skipped = 0_usize;
        let mut bytes = bytes;
        if half.head.is_empty() {
            // Empty lines before a start line are let pass (RFC 9112 section 2.2).
            let trimmed = skip_line_ends(bytes);
            skipped = bytes.len().saturating_sub(trimmed.len());
            bytes = trimmed;
            if bytes.is_empty() {
                return (skipped, Next::Going);
            }
            let offset = place.offset.saturating_add(u64::try_from(skipped).unwrap_or(0));
            half.start = Some(Start { offset, ..place });
            half.scanned = 0;
            if !could_begin(bytes) {
                half.state = State::Lost;
                return (skipped, Next::Going);
            }
        }
        half.spans.push(BlockSpan { at: u32::try_from(half.head.len()).unwrap_or(u32::MAX), frame: place.frame });
        // The usual case: the whole head in one run is parsed where it stands.
        if half.head.is_empty()
            && let Some(end) = head_end(bytes, &mut half.scanned)
        {
            let (used, next) = self.whole_head(side, bytes.get(..end).unwrap_or_default(), place, Extent::Whole);
            return (skipped.saturating_add(used), next);
        }
        let before = half.head.len();
        half.head.extend_from_slice(bytes);
        let head = std::mem::take(&mut half.head);
        if let Some(end) = head_end(&head, &mut half.scanned) {
            let (_, next) = self.whole_head(side, head.get(..end).unwrap_or_default(), place, Extent::Whole);
            return (skipped.saturating_add(end.saturating_sub(before)), next);
        }
        let taken = bytes.len();
        if head.len() > limit {
            let start = half.start.map_or(place, |s| s);
            half.lose();
            self.note(Anomaly { kind: AnomalyKind::Limit, frame: place.frame, offset: start.offset, len: 0 });
            return (skipped.saturating_add(taken), Next::Going);
        }
        // What cannot become a start line any more is not waited for.
        if !could_begin(&head) {
            half.lose();
            return (skipped.saturating_add(taken), Next::Going);
        }
        half.head = head;
        (skipped.saturating_add(taken), Next::Going)
    }

    /// An odd thing that belongs to the newest exchange, if there is one.
    fn note(&mut self, anomaly: Anomaly) {
        if let Some(open) = self.open.back_mut() {
            open.anomalies.push(anomaly);
        }
    }

    fn whole_head(&mut self, side: Side, block: &[u8], place: Start, extent: Extent) -> (usize, Next) {
        let fields_limit = self.limits.head_fields;
        let half = self.half(side);
        let spans = std::mem::take(&mut half.spans);
        let start = half.start.take().unwrap_or(place);
        half.head = Vec::new();
        half.scanned = 0;
        let after_gap = std::mem::take(&mut half.after_gap);
        let mut anomalies = Vec::new();
        let Some(message) = parse(block, spans, start, place, fields_limit, &mut anomalies) else {
            self.half(side).state = State::Lost;
            return (block.len(), Next::Going);
        };
        let request = matches!(message.start, StartLine::Request { .. });
        let asking = *self.asking.get_or_insert_with(|| if request { side } else { side.other() });
        if request != (asking == side) {
            // A start line of the wrong kind on this side: text inside something else.
            self.half(side).state = State::Lost;
            return (block.len(), Next::Going);
        }
        let used = block.len();
        let next = if request {
            self.request(side, message, anomalies, extent);
            Next::Going
        } else {
            self.response(side, message, anomalies, (after_gap, extent))
        };
        (used, next)
    }

    fn request(&mut self, side: Side, message: HttpMessage, anomalies: Vec<Anomaly>, extent: Extent) {
        let late = self.open.iter().position(|o| o.is_orphan() && message.first_frame < o.first_response_frame());
        // Requests come in order: what answers an earlier frame than this one stays without its request.
        for open in self.open.iter_mut().take(late.unwrap_or(usize::MAX)) {
            open.request_done |= open.http.request.is_none();
        }
        if self.open.len() >= self.limits.waiting
            && let Some(oldest) = self.open.front_mut()
        {
            oldest.request_done = true;
            oldest.response_done = true;
            let (frame, offset) = (message.first_frame, message.stream_offset);
            oldest.anomalies.push(Anomaly { kind: AnomalyKind::Limit, frame, offset, len: 0 });
        }
        let mut open = Open { anomalies, ..Open::default() };
        let framing = framing(&message, &mut open.anomalies);
        let framing = match framing {
            // A request never ends with the connection (RFC 9112 section 6.3).
            Some(Framing::UntilClose) | None => Framing::Length(0),
            Some(framing) => framing,
        };
        let framing = (extent == Extent::Whole).then_some(framing);
        open.http.request = Some(message);
        let number = if let Some(index) = late.filter(|index| *index < self.open.len()) {
            // Its answer is here already: a hole before the request was given up only now.
            if let Some(answered) = self.open.get_mut(index) {
                answered.http.request = open.http.request;
                answered.anomalies.retain(|a| a.kind != AnomalyKind::Unasked);
                answered.anomalies.extend(open.anomalies);
            }
            self.first.saturating_add(u64::try_from(index).unwrap_or(0))
        } else {
            self.open.push_back(open);
            self.first.saturating_add(u64::try_from(self.open.len()).unwrap_or(0)).saturating_sub(1)
        };
        self.begin_body(side, number, framing);
    }

    fn response(
        &mut self,
        side: Side,
        message: HttpMessage,
        anomalies: Vec<Anomaly>,
        (after_gap, extent): (bool, Extent),
    ) -> Next {
        let StartLine::Status { code, .. } = message.start else { return Next::Going };
        let index = if let Some(index) = self.asked(&message, after_gap) {
            index
        } else {
            let mut open = Open::default();
            let (frame, offset) = (message.first_frame, message.stream_offset);
            open.anomalies.push(Anomaly { kind: AnomalyKind::Unasked, frame, offset, len: 0 });
            // Before the requests that were not sent yet when it came.
            let index = self.open.iter().position(|o| !o.response_done && o.http.response.is_none());
            let index = index.unwrap_or(self.open.len());
            self.open.insert(index, open);
            index
        };
        let number = self.first.saturating_add(u64::try_from(index).unwrap_or(0));
        let Some(open) = self.open.get_mut(index) else { return Next::Going };
        open.anomalies.extend(anomalies);
        let method = open.http.request.as_ref().map(|r| match r.start {
            StartLine::Request { method, .. } => method.of(&r.block).to_vec(),
            StartLine::Status { .. } => Vec::new(),
        });
        let interim = (100..200).contains(&code) && code != 101;
        let tunnel = code == 101 || method.as_deref() == Some(b"CONNECT") && (200..300).contains(&code);
        let bodiless = interim || tunnel || code == 204 || code == 304 || method.as_deref() == Some(b"HEAD");
        let framing = if bodiless {
            Framing::Length(0)
        } else {
            framing(&message, &mut open.anomalies).unwrap_or(Framing::UntilClose)
        };
        let framing = (extent == Extent::Whole).then_some(framing);
        if interim {
            let mut message = message;
            message.complete = extent == Extent::Whole;
            message.body.sha256 = Some(EMPTY_SHA256);
            message.body.decoded_bytes = Some(0);
            open.http.interim.push(message);
            return Next::Going;
        }
        open.http.response = Some(message);
        self.begin_body(side, number, framing);
        if tunnel {
            // What the client sent ahead of the answer belongs to the other protocol too.
            if let Some(open) = self.entry(number) {
                open.request_done = true;
            }
            return Next::Switched;
        }
        Next::Going
    }

    /// Which open exchange a response answers: the first that waits. Once bytes were lost, only one whose request came
    /// earlier; behind a hole in the responses the latest such, since a client that does not pipeline asks again only after
    /// it was answered.
    fn asked(&mut self, response: &HttpMessage, after_gap: bool) -> Option<usize> {
        let waits = |o: &Open| {
            let asked = o.http.request.is_some() || !o.http.interim.is_empty();
            o.http.response.is_none() && !o.response_done && asked
        };
        let earlier = |o: &Open| o.http.request.as_ref().is_none_or(|r| r.first_frame < response.first_frame);
        if !self.lossy {
            return self.open.iter().position(waits);
        }
        if !after_gap {
            return self.open.iter().position(|o| waits(o) && earlier(o));
        }
        let latest = self.open.iter().rposition(|o| waits(o) && earlier(o))?;
        for open in self.open.iter_mut().take(latest) {
            if waits(open) {
                // Its answer was in the hole.
                open.response_done = true;
                open.request_done = true;
            }
        }
        Some(latest)
    }

    /// `framing` is `None` for a message whose head is cut: nothing is known of its body.
    fn begin_body(&mut self, side: Side, number: u64, framing: Option<Framing>) {
        let (limits, collect) = (self.limits.body, self.collect);
        let asking = self.asking == Some(side);
        let Some(open) = self.entry(number) else { return };
        let message = if asking { open.http.request.as_mut() } else { open.http.response.as_mut() };
        let Some(message) = message else { return };
        message.body.stream_offset =
            message.stream_offset.saturating_add(u64::try_from(message.block.len()).unwrap_or(u64::MAX));
        let framing = match framing {
            Some(Framing::Length(0)) | None => {
                if framing.is_some() {
                    message.body.decoded_bytes = Some(0);
                    message.body.sha256 = Some(EMPTY_SHA256);
                    message.complete = true;
                } else {
                    let (frame, offset) = (message.last_frame, message.body.stream_offset);
                    open.anomalies.push(Anomaly { kind: AnomalyKind::CutShort, frame, offset, len: 0 });
                }
                if asking {
                    open.request_done = true;
                } else {
                    open.response_done = true;
                }
                self.half(side).state = State::Head;
                return;
            }
            Some(framing) => framing,
        };
        let codings: Vec<&[u8]> = list(message, "content-encoding").collect();
        let mut transfer: Vec<&[u8]> = list(message, "transfer-encoding").collect();
        if transfer.last().is_some_and(|t| t.eq_ignore_ascii_case(b"chunked")) {
            transfer.pop();
        }
        let codings = [codings, transfer].concat();
        let reader = Box::new(BodyReader::new(framing, &codings, limits, collect));
        self.half(side).state = State::Body { reader, of: number, trailer_spans: Vec::new() };
    }

    /// Takes bytes of a body; gives how many.
    fn body(&mut self, side: Side, bytes: &[u8], place: Start) -> usize {
        let orphan_head = self.orphan_without_body(side, bytes);
        let half = self.half(side);
        let State::Body { reader, of, trailer_spans } = &mut half.state else { return bytes.len() };
        let number = *of;
        if orphan_head {
            self.end_body(side, true, place);
            return 0;
        }
        let trailer_before = reader.trailer_bytes();
        let progress = reader.feed(bytes);
        if reader.trailer_bytes() > trailer_before {
            let at = u32::try_from(trailer_before).unwrap_or(u32::MAX);
            trailer_spans.push(BlockSpan { at, frame: place.frame });
        }
        let asking = self.asking == Some(side);
        if let Some(open) = self.entry(number) {
            let message = if asking { open.http.request.as_mut() } else { open.http.response.as_mut() };
            if let Some(message) = message {
                message.last_frame = message.last_frame.max(place.frame);
                message.end_time = message.end_time.max(place.time);
            }
        }
        match progress {
            Progress::Going => bytes.len(),
            Progress::Whole(used) => {
                self.end_body(side, true, place);
                used
            }
            Progress::Broken(used) => {
                if let Some(open) = self.entry(number) {
                    let offset = place.offset.saturating_add(u64::try_from(used).unwrap_or(0));
                    open.anomalies.push(Anomaly { kind: AnomalyKind::BadLength, frame: place.frame, offset, len: 0 });
                }
                self.end_body(side, false, place);
                self.half(side).lose();
                used.max(1)
            }
        }
    }

    /// A response whose request is not in the capture may answer HEAD: then another status line stands where its body would.
    fn orphan_without_body(&mut self, side: Side, bytes: &[u8]) -> bool {
        if !bytes.starts_with(b"HTTP/1.") {
            return false;
        }
        let State::Body { reader, of, .. } = &self.half(side).state else { return false };
        let (number, untouched) = (*of, reader.is_untouched());
        untouched && self.entry(number).is_some_and(|open| open.http.request.is_none())
    }

    fn end_body(&mut self, side: Side, whole: bool, place: Start) {
        let half = self.half(side);
        let State::Body { reader, of, trailer_spans } = std::mem::take(&mut half.state) else { return };
        let whole = whole && (reader.is_whole() || reader.until_close() || reader.is_untouched());
        let finished = reader.finish(whole);
        let asking = self.asking == Some(side);
        let fields_limit = self.limits.head_fields;
        let Some(open) = self.entry(of) else { return };
        let Open { http, request_done, response_done, anomalies, bodies } = open;
        let message = if asking { http.request.as_mut() } else { http.response.as_mut() };
        let Some(message) = message else { return };
        message.body.wire_bytes = finished.wire_bytes;
        message.complete = finished.decoded.is_some() || whole && finished.undecodable;
        if let Some((len, sha256)) = finished.decoded {
            message.body.decoded_bytes = Some(len);
            message.body.sha256 = Some(sha256);
        }
        let offset = message.body.stream_offset;
        if finished.undecodable {
            anomalies.push(Anomaly { kind: AnomalyKind::BodyNotDecoded, frame: place.frame, offset, len: 0 });
        }
        if !whole {
            anomalies.push(Anomaly { kind: AnomalyKind::CutShort, frame: place.frame, offset, len: 0 });
        }
        if finished.trailer.len() > 2 {
            let base = u32::try_from(message.block.len()).unwrap_or(u32::MAX);
            let mut block = std::mem::take(&mut message.block).into_vec();
            let from = block.len();
            block.extend_from_slice(&finished.trailer);
            let spans = trailer_spans.into_iter().map(|s| BlockSpan { at: s.at.saturating_add(base), ..s });
            message.spans.extend(spans);
            message.trailers = fields(&block, from, place, fields_limit, anomalies);
            message.block = block.into();
        }
        let [request_body, response_body] = bodies;
        if asking {
            *request_done = true;
            *request_body = finished.bytes;
        } else {
            *response_done = true;
            *response_body = finished.bytes;
        }
    }

    fn gap(&mut self, run: &Run<'_>, count: u64) {
        self.lossy = true;
        let place = Start { offset: run.offset, frame: run.frame, time: run.time };
        let half = self.half(run.side);
        half.after_gap = true;
        match &mut half.state {
            State::Body { reader, .. } => {
                let goes_on = reader.gap(count);
                let whole = reader.is_whole();
                if whole || !goes_on {
                    self.end_body(run.side, false, place);
                }
                if !goes_on {
                    self.half(run.side).lose();
                }
                if goes_on {
                    // The hole was inside: no message was lost.
                    self.half(run.side).after_gap = false;
                }
            }
            State::Head => self.cut_head(run.side, place),
            State::Lost | State::Over => {}
        }
    }

    /// A head that breaks off in a hole: what is there of it is a message too, cut.
    fn cut_head(&mut self, side: Side, place: Start) {
        let half = self.half(side);
        let block = std::mem::take(&mut half.head);
        if !block.is_empty() {
            self.whole_head(side, &block, place, Extent::Cut);
        }
        self.half(side).lose();
        self.half(side).after_gap = true;
    }

    /// The side will send no more. `known` says that its end was seen (FIN), not only that the capture ends.
    fn end(&mut self, side: Side, known: bool) {
        let half = self.half(side);
        if let State::Body { reader, of, .. } = &half.state {
            let (of, whole) = (*of, known && reader.until_close());
            let asking = self.asking == Some(side);
            let (mut frame, mut time) = (FrameNo(0), Timestamp(0));
            if let Some(open) = self.entry(of) {
                let message = if asking { open.http.request.as_ref() } else { open.http.response.as_ref() };
                if let Some(message) = message {
                    (frame, time) = (message.last_frame, message.end_time);
                }
            }
            self.end_body(side, whole, Start { offset: 0, frame, time });
        }
        let half = self.half(side);
        half.lose();
        half.state = State::Over;
        if self.asking == Some(side.other()) {
            // No answer will come any more to what was asked.
            for open in &mut self.open {
                open.response_done = true;
            }
        } else {
            for open in &mut self.open {
                open.request_done |= open.http.request.is_none();
            }
        }
    }
}

impl Open {
    /// A response without its request so far.
    fn is_orphan(&self) -> bool {
        self.http.request.is_none() && !self.request_done
    }

    fn first_response_frame(&self) -> FrameNo {
        self.http.interim.first().or(self.http.response.as_ref()).map_or(FrameNo(0), |r| r.first_frame)
    }
}

impl Half {
    fn lose(&mut self) {
        self.state = State::Lost;
        self.head = Vec::new();
        self.spans = Vec::new();
        self.start = None;
        self.scanned = 0;
    }
}

/// The offset after a head's empty line. `scanned` remembers where the unfinished last line begins.
fn head_end(bytes: &[u8], scanned: &mut usize) -> Option<usize> {
    let mut line = *scanned;
    let first = line == 0;
    loop {
        let rest = bytes.get(line..)?;
        let Some(len) = memchr::memchr(b'\n', rest) else {
            *scanned = line;
            return None;
        };
        let end = line.saturating_add(len).saturating_add(1);
        let content = rest.get(..len).unwrap_or_default();
        if content.is_empty() || content == b"\r" {
            return Some(end);
        }
        // HTTP/0.9 (RFC 1945 section 4.1): a request of one line.
        if first && line == 0 && is_simple_request(content) && !begins_field(bytes.get(end..).unwrap_or_default()) {
            return Some(end);
        }
        line = end;
    }
}

fn is_simple_request(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.strip_prefix(b"GET ").is_some_and(|target| {
        (target.starts_with(b"/") || target.starts_with(b"http://"))
            && !target.iter().any(|b| b.is_ascii_whitespace() || !b.is_ascii_graphic())
    })
}

/// Whether a line that looks like a header field begins here.
fn begins_field(bytes: &[u8]) -> bool {
    let name = bytes.iter().take_while(|b| is_token(**b)).count();
    name > 0 && bytes.get(name) == Some(&b':')
}

/// What may stand after a method where the version is missing or misplaced, as broken clients send it: anything printable
/// that does not name another protocol's version.
fn is_loose_target(rest: &[u8]) -> bool {
    let printable = rest.iter().all(|b| b.is_ascii_graphic() || matches!(b, b' ' | b'\t'));
    let version = rest.trim_ascii_end().rsplit(|b| *b == b' ').next().unwrap_or_default();
    let foreign = matches!(version, [.., b'/', b'0'..=b'9', b'.', b'0'..=b'9'])
        && !version.ends_with(b"HTTP/1.1")
        && !version.ends_with(b"HTTP/1.0");
    printable && !foreign
}

fn skip_line_ends(bytes: &[u8]) -> &[u8] {
    let count = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    bytes.get(count..).unwrap_or_default()
}

/// Whether these bytes begin a status line, as far as they go.
fn starts_status(bytes: &[u8]) -> bool {
    let start = b"HTTP/1.";
    if bytes.is_empty() {
        return false;
    }
    let len = bytes.len().min(start.len());
    bytes.get(..len) == start.get(..len)
}

fn sniff_request(bytes: &[u8]) -> Sniff {
    let method = bytes.iter().take(METHOD_BYTES.saturating_add(1)).take_while(|b| is_token(**b)).count();
    match bytes.get(method) {
        _ if method > METHOD_BYTES => return Sniff::No,
        // A method that is no known one so far is not waited for: most protocols begin with letters.
        None => {
            let known = METHODS.iter().any(|m| m.starts_with(bytes));
            return if known { Sniff::NeedMore } else { Sniff::No };
        }
        Some(b' ') if method > 0 => {}
        Some(_) => return Sniff::No,
    }
    let (name, rest) = bytes.split_at_checked(method).unwrap_or((bytes, &[]));
    let known = METHODS.contains(&name);
    match memchr::memchr(b'\n', rest) {
        Some(end) => {
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let whole = bytes.get(..method.saturating_add(end)).unwrap_or_default();
            let after = rest.get(end.saturating_add(1)..).unwrap_or_default();
            let loose = known && is_loose_target(line) && (line.starts_with(b" /") || begins_field(after));
            if version_of(line).is_some() || is_simple_request(whole) || loose { Sniff::Yes } else { Sniff::No }
        }
        None if known && rest.len() >= LONG_TARGET => Sniff::Yes,
        None if known => Sniff::NeedMore,
        // An extension method: wait only while it looks like a path or a URL.
        None if matches!(rest.get(1), Some(b'/' | b'h' | b'*') | None) && rest.len() < LONG_TARGET => Sniff::NeedMore,
        None => Sniff::No,
    }
}

/// Where ` HTTP/1.x` begins at the end of a request line.
fn version_of(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end();
    let at = line.len().checked_sub(9)?;
    let (_, version) = line.split_at_checked(at)?;
    match version {
        [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Some(at),
        _ => None,
    }
}

/// Whether a run that begins like this begins a message.
fn begins_message(bytes: &[u8]) -> bool {
    Connection::sniff(bytes) == Sniff::Yes
}

/// Whether more bytes could make it one.
fn could_begin(bytes: &[u8]) -> bool {
    Connection::sniff(bytes) != Sniff::No
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads a whole head.
fn parse(
    block: &[u8],
    spans: Vec<BlockSpan>,
    start: Start,
    end: Start,
    fields_limit: usize,
    anomalies: &mut Vec<Anomaly>,
) -> Option<HttpMessage> {
    // A cut head may end within its start line.
    let line_end = memchr::memchr(b'\n', block).unwrap_or(block.len());
    let whole = block.get(..line_end)?;
    let line = whole.strip_suffix(b"\r").unwrap_or(whole);
    if line.len() == whole.len() && line_end < block.len() {
        anomalies.push(Anomaly { kind: AnomalyKind::BareLineFeed, frame: start.frame, offset: start.offset, len: 0 });
    }
    let (start_line, version) = cut_start_line(block, line_end).or_else(|| start_line(line))?;
    let fields = fields(block, line_end.saturating_add(1), start, fields_limit, anomalies);
    Some(HttpMessage {
        block: block.into(),
        version,
        start: start_line,
        fields,
        trailers: Vec::new(),
        spans,
        stream_offset: start.offset,
        first_frame: start.frame,
        header_frame: end.frame,
        last_frame: end.frame,
        time: start.time,
        end_time: end.time,
        body: Body::default(),
        complete: false,
    })
}

fn start_line(line: &[u8]) -> Option<(StartLine, HttpVersion)> {
    let version = |minor: u8| if minor == b'0' { HttpVersion::V10 } else { HttpVersion::V11 };
    if let Some(rest) = line.strip_prefix(b"HTTP/1.") {
        let (minor, rest) = rest.split_first()?;
        let rest_at = line.len().saturating_sub(rest.len());
        let spaces = rest.iter().take_while(|b| **b == b' ').count();
        let digits = rest.get(spaces..spaces.saturating_add(3))?;
        if spaces == 0 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let code =
            digits.iter().fold(0_u16, |n, d| n.saturating_mul(10).saturating_add(u16::from(d.saturating_sub(b'0'))));
        let after = rest_at.saturating_add(spaces).saturating_add(3);
        let reason = line.get(after..).unwrap_or_default();
        if reason.first().is_some_and(|b| !matches!(b, b' ' | b'\t')) {
            return None;
        }
        let reason_at = line.len().saturating_sub(reason.trim_ascii_start().len());
        let reason = ByteRange::between(reason_at, line.trim_ascii_end().len());
        return Some((StartLine::Status { code, reason }, version(*minor)));
    }
    let method = memchr::memchr(b' ', line)?;
    let name = ByteRange::between(0, method);
    if method == 0 || !line.get(..method)?.iter().all(|b| is_token(*b)) {
        return None;
    }
    let target_at = method.saturating_add(1);
    match version_of(line) {
        Some(at) if at > method => {
            let minor = line.trim_ascii_end().last().copied().unwrap_or(b'1');
            Some((StartLine::Request { method: name, target: trimmed(line, target_at, at) }, version(minor)))
        }
        _ if is_simple_request(line) => {
            let target = trimmed(line, target_at, line.len());
            Some((StartLine::Request { method: name, target }, HttpVersion::V09))
        }
        _ if METHODS.contains(&name.of(line)) && is_loose_target(line.get(method..)?) => {
            // Half a version is none of the target.
            let end = memchr::memmem::rfind(line, b" HTTP").filter(|at| *at > method).unwrap_or(line.len());
            let target = trimmed(line, target_at, end.max(target_at));
            Some((StartLine::Request { method: name, target }, HttpVersion::V10))
        }
        _ => None,
    }
}

/// A request line whose end is missing: the target is as long as it is there.
fn cut_start_line(block: &[u8], line_end: usize) -> Option<(StartLine, HttpVersion)> {
    let method = memchr::memchr(b' ', block)?;
    let name = ByteRange::between(0, method);
    if line_end < block.len() || version_of(block).is_some() || !METHODS.contains(&name.of(block)) {
        return None;
    }
    // The last word may be what is left of the version.
    let space = memchr::memrchr(b' ', block).filter(|at| *at > method);
    let version =
        space.filter(|at| block.get(at.saturating_add(1)..).is_some_and(|word| b"HTTP/1.1\r".starts_with(word)));
    let target = trimmed(block, method.saturating_add(1), version.unwrap_or(block.len()));
    Some((StartLine::Request { method: name, target }, HttpVersion::V11))
}

/// `start..end` of the block without the white space around it.
fn trimmed(block: &[u8], start: usize, end: usize) -> ByteRange {
    let bytes = block.get(start..end).unwrap_or_default();
    let front = bytes.len().saturating_sub(bytes.trim_ascii_start().len());
    let start = start.saturating_add(front);
    ByteRange::between(start, start.saturating_add(bytes.trim_ascii().len()))
}

/// Reads field lines from `at` on, up to an empty line or the end.
fn fields(block: &[u8], at: usize, start: Start, limit: usize, anomalies: &mut Vec<Anomaly>) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::with_capacity(16);
    let mut line_at = at;
    let odd = |kind: AnomalyKind, at: usize, len: usize, anomalies: &mut Vec<Anomaly>| {
        let offset = start.offset.saturating_add(u64::try_from(at).unwrap_or(0));
        if anomalies.iter().filter(|a| a.kind == kind).count() < 4 {
            anomalies.push(Anomaly { kind, frame: start.frame, offset, len: u64::try_from(len).unwrap_or(0) });
        }
    };
    while let Some(rest) = block.get(line_at..).filter(|rest| !rest.is_empty()) {
        // A line that is cut is no evidence of anything.
        let Some(len) = memchr::memchr(b'\n', rest) else { break };
        let whole = rest.get(..len).unwrap_or_default();
        let line = whole.strip_suffix(b"\r").unwrap_or(whole);
        let line_end = line_at.saturating_add(line.len());
        let next = line_at.saturating_add(len).saturating_add(1);
        if line.is_empty() {
            break;
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            odd(AnomalyKind::FoldedField, line_at, line.len(), anomalies);
            if let Some(last) = fields.last_mut() {
                let from = usize::try_from(last.value.start).unwrap_or(usize::MAX);
                last.value = trimmed(block, from, line_end);
            }
        } else if let Some(colon) = memchr::memchr(b':', line).filter(|colon| *colon > 0) {
            let name = trimmed(block, line_at, line_at.saturating_add(colon));
            if usize::try_from(name.len).unwrap_or(0) != colon {
                odd(AnomalyKind::SpaceBeforeColon, line_at, line.len(), anomalies);
            }
            if fields.len() >= limit {
                odd(AnomalyKind::Limit, line_at, line.len(), anomalies);
                break;
            }
            let value = trimmed(block, line_at.saturating_add(colon).saturating_add(1), line_end);
            fields.push(Field { name, value });
        } else {
            odd(AnomalyKind::BadFieldLine, line_at, line.len(), anomalies);
        }
        line_at = next;
    }
    fields
}

/// The members of a list field, over all its lines (RFC 9110 section 5.6.1).
fn list<'a>(message: &'a HttpMessage, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    message
        .each_field()
        .filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
        .flat_map(|(_, value)| value.split(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// How the body of a message ends (RFC 9112 section 6.3); `None` where no field says.
fn framing(message: &HttpMessage, anomalies: &mut Vec<Anomaly>) -> Option<Framing> {
    let (frame, offset) = (message.first_frame, message.stream_offset);
    let mut odd = |kind: AnomalyKind| anomalies.push(Anomaly { kind, frame, offset, len: 0 });
    let chunked = list(message, "transfer-encoding").last();
    let mut lengths = list(message, "content-length");
    let length = lengths.next();
    if let Some(last) = chunked {
        if length.is_some() {
            odd(AnomalyKind::LengthAndChunked);
        }
        if last.eq_ignore_ascii_case(b"chunked") {
            return Some(Framing::Chunked);
        }
        if !last.eq_ignore_ascii_case(b"identity") {
            return Some(Framing::UntilClose);
        }
    }
    let length = length?;
    if lengths.any(|other| other != length) {
        odd(AnomalyKind::ConflictingLengths);
    }
    let number =
        str::from_utf8(length).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit())).and_then(|t| t.parse().ok());
    if number.is_none() {
        odd(AnomalyKind::BadLength);
    }
    number.map(Framing::Length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Connection, Ended};
    use crate::model::{Budget, FrameNo, HttpMessage, Run, RunKind, Side, StartLine, Timestamp};
    use crate::protocols::{Feed, Sniff};

    /// Client's bytes, then the server's, each in pieces of `step`; `_` stands for a missing byte, `|` for the end.
    fn read(client: &[u8], server: &[u8], step: usize) -> (Vec<Ended>, Feed) {
        let mut connection = Connection::with_bodies(&Budget::default());
        let (mut out, mut frame, mut last) = (Vec::new(), 0, Feed::Going);
        for (side, bytes) in [(Side::Client, client), (Side::Server, server)] {
            let mut offset = 0;
            for part in bytes.chunk_by(|a, b| !b"_|".contains(a) && !b"_|".contains(b)) {
                for piece in part.chunks(step) {
                    frame += 1;
                    let kind = match piece {
                        b"_" => RunKind::Gap(1),
                        b"|" => RunKind::End,
                        bytes => RunKind::Data(bytes.into()),
                    };
                    let run = Run { side, offset, frame: FrameNo(frame), time: Timestamp(0), kind };
                    let fed = connection.feed(&run, &mut out);
                    if fed != Feed::Going {
                        last = fed;
                    }
                    offset += piece.len() as u64;
                }
            }
        }
        connection.finish(&mut out);
        (out, last)
    }

    fn say(message: Option<&HttpMessage>) -> String {
        let Some(m) = message else { return "-".to_owned() };
        let text = |r: crate::model::ByteRange| String::from_utf8_lossy(r.of(&m.block)).into_owned();
        let start = match m.start {
            StartLine::Request { method, target } => format!("{} {}", text(method), text(target)),
            StartLine::Status { code, .. } => code.to_string(),
        };
        let body = m.body.decoded_bytes.map_or_else(|| "?".to_owned(), |n| n.to_string());
        format!("{start} {body}{}", if m.complete { "" } else { " cut" })
    }

    fn lines(ended: &[Ended]) -> Vec<String> {
        ended
            .iter()
            .map(|e| {
                let interim = if e.http.interim.is_empty() { "" } else { " (interim)" };
                format!("{} > {}{interim}", say(e.http.request.as_ref()), say(e.http.response.as_ref()))
            })
            .collect()
    }

    #[track_caller]
    fn check(client: &str, server: &str, want: &[&str]) {
        for step in [1, 3, 1_000] {
            assert_eq!(lines(&read(client.as_bytes(), server.as_bytes(), step).0), want, "in pieces of {step}");
        }
    }

    const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn one_exchange() {
        check(GET, OK, &["GET /a 0 > 200 2"]);
    }

    #[test]
    fn pipelined() {
        check(&GET.repeat(2), &OK.repeat(2), &["GET /a 0 > 200 2", "GET /a 0 > 200 2"]);
    }

    #[test]
    fn a_body_each_way() {
        check(
            "POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: x\r\n\r\nHTTP/1.0 404 N\r\n\r\nnone|",
            &["POST /p 3 > 200 2 (interim)", "GET /b 0 > 404 4"],
        );
    }

    #[test]
    fn without_a_body() {
        check(
            "HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
            &["HEAD /a 0 > 200 0", "GET /b 0 > 304 0"],
        );
    }

    #[test]
    fn one_side_only() {
        check(GET, "", &["GET /a 0 > -"]);
        check("", OK, &["- > 200 2"]);
        let head_twice = OK.replace("2\r\n\r\nhi", "9\r\n\r\n").repeat(2);
        assert_eq!(lines(&read(b"", head_twice.as_bytes(), 1_000).0), ["- > 200 0", "- > 200 ? cut"]);
    }

    #[test]
    fn the_sides_are_told_by_what_they_say() {
        let (ended, _) = read(OK.as_bytes(), GET.as_bytes(), 1_000);
        assert!(ended.iter().all(|e| e.swapped));
    }

    #[test]
    fn holes() {
        check(
            GET,
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na__dHTTP/1.1 201 Late\r\nContent-Length: 0\r\n\r\n",
            &["GET /a 0 > 200 ? cut", "- > 201 0"],
        );
    }

    #[test]
    fn odd_lines() {
        let (ended, _) = read(b"\r\nGET /x y HTTP/1.1\nHost : h\n folded\nnonsense\n\n", b"", 5);
        let request = ended[0].http.request.as_ref().unwrap();
        assert_eq!(request.field("host").unwrap(), b"h\n folded");
        assert_eq!(say(Some(request)), "GET /x y 0");
        assert_eq!(ended[0].anomalies.len(), 4);
        check("GET /old\r\n", "", &["GET /old 0 > -"]);
    }

    #[test]
    fn another_protocol_follows() {
        let (ended, fed) = read(b"CONNECT h:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n\x16\x03", 1_000);
        assert_eq!(lines(&ended), ["CONNECT h:443 0 > 200 0"]);
        assert_eq!(fed, Feed::Switched(Side::Server, 19));
    }

    #[test]
    fn trailers_have_their_frames() {
        let (ended, _) =
            read(GET.as_bytes(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nETag: x\r\n\r\n", 8);
        let response = ended[0].http.response.as_ref().unwrap();
        let trailer = response.trailers[0];
        assert_eq!(trailer.value.of(&response.block), b"x");
        assert_eq!(response.frames_of(trailer.value).last(), Some(&response.last_frame));
    }

    #[test]
    fn what_is_http() {
        for (bytes, want) in [
            (&b"GET / HTTP/1.1\r\n"[..], Sniff::Yes),
            (b"HTTP/1.1 200", Sniff::Yes),
            (b"HT", Sniff::NeedMore),
            (b"GE", Sniff::NeedMore),
            (b"RTSP/1.0 200 OK\r\n", Sniff::No),
            (b"INVITE sip:a SIP/2.0\r\n", Sniff::No),
            (b"PRI * HTTP/2.0\r\n", Sniff::No),
            (b"SSH-2.0-x\r\n", Sniff::No),
            (b"\x16\x03\x01", Sniff::No),
        ] {
            assert_eq!(Connection::sniff(bytes), want, "{}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        /// Any cut of the streams gives the same messages.
        #[test]
        fn cuts_change_nothing(step in 1_usize..200) {
            let client = [GET, "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n", GET].concat();
            let server = [OK, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK, OK].concat();
            let whole = lines(&read(client.as_bytes(), server.as_bytes(), 10_000).0);
            prop_assert_eq!(lines(&read(client.as_bytes(), server.as_bytes(), step).0), whole);
        }

        /// Nothing panics, whatever comes.
        #[test]
        fn any_bytes(
            client in prop::collection::vec(prop::sample::select(b"GET /HTP1.0 20\r\n:Content-Length5chunked_|\x00\xff".to_vec()), 0..300),
            server in prop::collection::vec(any::<u8>(), 0..300),
            step in 1_usize..50,
        ) {
            let client = [GET.as_bytes(), &client].concat();
            let server = [OK.as_bytes(), &server].concat();
            let _ended = read(&client, &server, step);
        }
    }
}
