//! HTTP/0.9 to HTTP/1.1 (RFC 9112), read from the side: both directions of a connection become exchanges.
//!
//! A reader beside the wire cannot ask again, so nothing here refuses: what breaks the rules is read as its receiver most
//! likely read it, and the oddity is kept with its place. After a hole the next line that can only be a start line is
//! waited for.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod head;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::VecDeque;

use super::Feed;
use super::body::{BodyLimits, BodyReader, Framing, Progress};
use super::http::{Ended, Given, Open, Start, Wanted, Which, list};
use super::links::Link;
use super::websocket::{self, Session, SessionLimits};
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Budget, FrameNo, HttpMessage, Limit, Run, RunKind, Share, Side, StartLine,
    Timestamp,
};

use head::{begins_message, could_begin, fields, framing, head_end, parse, skip_line_ends};

pub use head::{is_cut_request, sniff};

/// Exchanges that wait behind a response without request, for which that request may yet come from behind a hole.
const HELD_ORPHANS: usize = 32;

/// Reads one connection.
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    wanted: Wanted,
    /// Whether the connection runs inside TLS.
    inside_tls: bool,
    given: Vec<Given>,
    halves: [Half; 2],
    /// Which side asks; known from the first message on.
    asking: Option<Side>,
    open: VecDeque<Open>,
    /// Number of the first of `open`.
    first: u64,
    /// Exchanges that were opened.
    opened: u32,
    /// Heads came since previews were asked for.
    news: bool,
    /// Bytes were lost: what belongs together is then told by the order of frames too.
    lossy: bool,
    /// The request that a 101 to HTTP/2 leaves to be answered there, with its body where that was asked for.
    upgraded: Option<(HttpMessage, Vec<u8>)>,
    /// The exchange whose request asks for a WebSocket and waits for the answer.
    upgrading: Option<u64>,
    /// What the client sent behind that request: only the answer tells what it is.
    ahead: Vec<Run<'static>>,
    /// What that takes of the room that all connections share.
    ahead_held: Share,
    /// The exchange that opened the WebSocket which the connection carries now.
    websocket: Option<u64>,
}

#[derive(Clone, Debug)]
struct Limits {
    head_bytes: usize,
    head_fields: usize,
    waiting: usize,
    ahead_bytes: usize,
    body: BodyLimits,
    session: SessionLimits,
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
    /// A WebSocket follows on both sides.
    WebSocket,
}

impl Connection {
    /// A connection of which nothing was read.
    pub fn new(budget: &Budget, wanted: Wanted) -> Self {
        Self {
            limits: Limits {
                head_bytes: budget.head_bytes,
                head_fields: budget.head_fields,
                waiting: budget.waiting_requests,
                ahead_bytes: budget.ahead_bytes_per_flow,
                body: BodyLimits::new(budget),
                session: SessionLimits::new(budget),
            },
            wanted,
            inside_tls: false,
            given: Vec::new(),
            halves: [Half::default(), Half::default()],
            asking: None,
            open: VecDeque::new(),
            first: 0,
            opened: 0,
            news: false,
            lossy: false,
            upgraded: None,
            upgrading: None,
            ahead: Vec::new(),
            ahead_held: budget.ahead_bytes.share(),
            websocket: None,
        }
    }

    /// The connection runs inside TLS: relative links are of `https` URLs.
    #[must_use]
    pub fn inside_tls(self) -> Self {
        Self { inside_tls: true, ..self }
    }

    /// The links that responses handed out since this was last asked, in the order in which they came.
    pub fn take_given(&mut self) -> Vec<Given> {
        std::mem::take(&mut self.given)
    }

    /// Takes a run of either side; finished exchanges are appended to `out`.
    pub fn feed(&mut self, run: &Run<'_>, out: &mut Vec<Ended>) -> Feed {
        let feed = self.run(run);
        self.give(out);
        feed
    }

    fn run(&mut self, run: &Run<'_>) -> Feed {
        if self.websocket.is_some() {
            self.pass(run);
            return Feed::Going;
        }
        if self.awaits_upgrade(run.side) {
            self.hold(run, 0);
            return Feed::Going;
        }
        match &run.kind {
            RunKind::Data(bytes) => return self.data(run, bytes),
            RunKind::Gap(count) => self.gap(run, *count),
            RunKind::End => self.end(run.side, true),
        }
        Feed::Going
    }

    /// Whether what that side sends now can be told only by the answer to its upgrade.
    fn awaits_upgrade(&mut self, side: Side) -> bool {
        let Some(number) = self.upgrading.filter(|_| self.asking == Some(side)) else { return false };
        let between = matches!(&self.half(side).state, State::Head) && self.half(side).head.is_empty();
        between && self.entry(number).is_some_and(|open| open.request_done)
    }

    /// Keeps a run, from `at` on, until an upgrade is answered. Past the limit it becomes a hole.
    fn hold(&mut self, run: &Run<'_>, at: usize) {
        let full = self.ahead_held.bytes() >= self.limits.ahead_bytes || self.ahead_held.is_over();
        let kind = match &run.kind {
            RunKind::Data(bytes) => {
                let bytes = bytes.get(at..).unwrap_or_default();
                let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                if full { RunKind::Gap(count) } else { RunKind::Data(bytes.to_vec().into()) }
            }
            RunKind::Gap(count) => RunKind::Gap(*count),
            RunKind::End => RunKind::End,
        };
        if let (RunKind::Gap(more), Some(Run { kind: RunKind::Gap(count), .. })) = (&kind, self.ahead.last_mut()) {
            *count = count.saturating_add(*more);
            return;
        }
        let offset = run.offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
        if full && matches!(kind, RunKind::Gap(_)) {
            self.note(Anomaly { kind: AnomalyKind::Limit(Limit::AheadBytes), frame: run.frame, offset, len: 0 });
        }
        let held = size_of::<Run<'_>>().saturating_add(if let RunKind::Data(bytes) = &kind { bytes.len() } else { 0 });
        // One run more than there is room for: the next ones become a hole.
        let _full = self.ahead_held.grow(held);
        self.ahead.push(Run { side: run.side, offset, frame: run.frame, time: run.time, kind });
    }

    /// What was held, to be read now.
    fn take_ahead(&mut self) -> Vec<Run<'static>> {
        self.ahead_held.shrink(self.ahead_held.bytes());
        std::mem::take(&mut self.ahead)
    }

    /// What was held is HTTP after all: the upgrade was answered otherwise, or never.
    fn replay(&mut self) {
        self.upgrading = None;
        for run in self.take_ahead() {
            // A tunnel can only begin behind an answer.
            let _going = self.run(&run);
        }
    }

    /// No answer to an upgrade will come: what its client sent behind it tells whether there was one.
    fn settle_upgrade(&mut self) {
        if self.upgrading.is_none() {
            return;
        }
        let mut bytes = Vec::new();
        for run in &self.ahead {
            let RunKind::Data(more) = &run.kind else { break };
            bytes.extend_from_slice(more);
        }
        if websocket::sniff(&bytes, Side::Client) { self.begin_websocket() } else { self.replay() }
    }

    /// The exchange that asked for it has a WebSocket from here on; what was held belongs to it.
    fn begin_websocket(&mut self) {
        let Some(number) = self.upgrading.take() else { return };
        let mut session = Box::new(Session::new(&self.limits.session, self.wanted));
        let Some(open) = self.entry(number) else { return };
        if let Some(response) = &open.http.response {
            session.answered(response);
        }
        open.websocket = Some(session);
        (open.request_done, open.response_done) = (false, false);
        self.websocket = Some(number);
        for run in self.take_ahead() {
            self.pass(&run);
        }
    }

    /// Hands a run to the WebSocket.
    fn pass(&mut self, run: &Run<'_>) {
        let sender = if self.asking == Some(run.side) { Side::Client } else { Side::Server };
        let Some(open) = self.websocket.and_then(|number| self.entry(number)) else { return };
        let news = open.feed_websocket(sender, run);
        self.news |= news;
    }

    /// After a switch: the request, with its body where that was asked for, that is to be answered in HTTP/2.
    pub fn take_upgraded(&mut self) -> Option<(HttpMessage, Vec<u8>)> {
        self.upgraded.take()
    }

    /// The flow is over: what has begun ends as it is.
    pub fn finish(&mut self, out: &mut Vec<Ended>) {
        self.settle_upgrade();
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

    /// How many exchanges were opened so far.
    pub fn opened(&self) -> u32 {
        self.opened
    }

    /// What is there of exchanges that go on and have a new head since this was last asked.
    pub fn previews(&mut self) -> Vec<Ended> {
        if !std::mem::take(&mut self.news) {
            return Vec::new();
        }
        let swapped = self.asking == Some(Side::Server);
        self.open.iter_mut().filter_map(|open| open.preview(swapped)).collect()
    }

    /// The number of an exchange that opens now.
    fn next_number(&mut self) -> u32 {
        let number = self.opened;
        self.opened = number.saturating_add(1);
        number
    }

    /// Gives the exchanges that are over, in the order of their requests.
    fn give(&mut self, out: &mut Vec<Ended>) {
        if self.open.len() > HELD_ORPHANS
            && let Some(first) = self.open.front_mut()
        {
            first.request_done |= first.http.request.is_none();
        }
        let (swapped, wanted) = (self.asking == Some(Side::Server), self.wanted);
        while let Some(open) = self.open.pop_front_if(|open| open.is_done()) {
            self.first = self.first.saturating_add(1);
            out.push(open.ended(swapped, wanted));
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
            if self.awaits_upgrade(run.side) {
                self.hold(run, at);
                break;
            }
            match &mut self.half(run.side).state {
                State::Over => break,
                State::Lost => {
                    if begins_message(rest) {
                        self.half(run.side).state = State::Head;
                        continue;
                    }
                    if self.upgrading.is_some() && websocket::sniff(rest, Side::Server) {
                        // The answer to the upgrade is lost, and this tells what it was.
                        self.begin_websocket();
                        self.pass(&further(run, rest, offset));
                    }
                    break;
                }
                State::Head => {
                    let (used, next) = self.head(run.side, rest, place);
                    at = at.saturating_add(used);
                    let offset = run.offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
                    match next {
                        Next::Going => {}
                        Next::Switched => return Feed::Switched(run.side, offset),
                        Next::WebSocket => {
                            self.begin_websocket();
                            let rest = bytes.get(at..).unwrap_or_default();
                            self.pass(&further(run, rest, offset));
                            break;
                        }
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
            self.note(Anomaly {
                kind: AnomalyKind::Limit(Limit::HeadBytes),
                frame: place.frame,
                offset: start.offset,
                len: 0,
            });
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
        let late = self.open.iter().position(|o| o.is_orphan() && message.first_frame < first_response_frame(o));
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
            oldest.anomalies.push(Anomaly { kind: AnomalyKind::Limit(Limit::WaitingRequests), frame, offset, len: 0 });
        }
        let mut open = Open { anomalies, inside_tls: self.inside_tls, ..Open::default() };
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
                answered.news = true;
                answered.anomalies.retain(|a| a.kind != AnomalyKind::Unasked);
                answered.anomalies.extend(open.anomalies);
            }
            self.first.saturating_add(u64::try_from(index).unwrap_or(0))
        } else {
            open.number = self.next_number();
            open.news = true;
            self.open.push_back(open);
            self.first.saturating_add(u64::try_from(self.open.len()).unwrap_or(0)).saturating_sub(1)
        };
        self.news = true;
        let asks = self.entry(number).and_then(|open| open.http.request.as_ref()).is_some_and(websocket::is_asked);
        self.upgrading = asks.then_some(number);
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
            let mut open = Open { number: self.next_number(), inside_tls: self.inside_tls, ..Open::default() };
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
        self.news = true;
        open.news = true;
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
            Open::empty_body(&mut message);
            message.complete = extent == Extent::Whole;
            open.http.interim.push(message);
            return Next::Going;
        }
        // RFC 7540 section 3.2: the answer comes as stream 1.
        let to_http2 = code == 101 && list(&message, "upgrade").any(|p| p.eq_ignore_ascii_case(b"h2c"));
        let [request_body, _] = &open.bodies;
        let asked = open.http.request.clone().filter(|_| to_http2).map(|request| (request, request_body.clone()));
        let opened = code == 101 && websocket::is_opened(open.http.request.as_ref(), &message);
        if opened && open.http.request.as_ref().and_then(|request| websocket::accepts(request, &message)) == Some(false)
        {
            let (frame, offset) = (message.first_frame, message.stream_offset);
            open.anomalies.push(Anomaly { kind: AnomalyKind::BadAccept, frame, offset, len: 0 });
        }
        open.http.response = Some(message);
        self.begin_body(side, number, framing);
        if opened {
            self.upgrading = Some(number);
            return Next::WebSocket;
        }
        if self.upgrading == Some(number) {
            self.replay();
        }
        if tunnel {
            self.upgraded = asked;
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
        let (limits, wanted, which) = (self.limits.body.clone(), self.wanted, self.which(side));
        let Some(open) = self.entry(number) else { return };
        if let Some(message) = open.message(which) {
            message.body.stream_offset =
                message.stream_offset.saturating_add(u64::try_from(message.block.len()).unwrap_or(u64::MAX));
        }
        let (reader, links) = open.begin_body(which, framing, limits, wanted);
        self.half(side).state = match reader {
            Some(reader) => State::Body { reader, of: number, trailer_spans: Vec::new() },
            None => State::Head,
        };
        self.give_links(number, links);
    }

    /// Which message of an exchange a side sends.
    fn which(&self, side: Side) -> Which {
        if self.asking == Some(side) { Which::Request } else { Which::Response }
    }

    fn give_links(&mut self, number: u64, links: Vec<Link>) {
        let swapped = self.asking == Some(Side::Server);
        let given = self.entry(number).and_then(|open| open.given(links, swapped));
        self.given.extend(given);
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
        let progress = reader.feed(bytes, place.frame);
        let links = reader.take_links();
        if reader.trailer_bytes() > trailer_before {
            let at = u32::try_from(trailer_before).unwrap_or(u32::MAX);
            trailer_spans.push(BlockSpan { at, frame: place.frame });
        }
        let which = self.which(side);
        if let Some(open) = self.entry(number) {
            open.touch(which, place);
        }
        self.give_links(number, links);
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
        let (which, fields_limit) = (self.which(side), self.limits.head_fields);
        let Some(open) = self.entry(of) else { return };
        let rest = open.end_body(which, *reader, whole, place);
        if rest.trailer.len() > 2 {
            let mut anomalies = std::mem::take(&mut open.anomalies);
            if let Some(message) = open.message(which) {
                let base = u32::try_from(message.block.len()).unwrap_or(u32::MAX);
                let mut block = std::mem::take(&mut message.block).into_vec();
                let from = block.len();
                block.extend_from_slice(&rest.trailer);
                let spans = trailer_spans.into_iter().map(|s| BlockSpan { at: s.at.saturating_add(base), ..s });
                message.spans.extend(spans);
                message.trailers = fields(&block, from, place, fields_limit, &mut anomalies);
                message.block = block.into();
            }
            open.anomalies = anomalies;
        }
        self.give_links(of, rest.links);
    }

    fn gap(&mut self, run: &Run<'_>, count: u64) {
        self.lossy = true;
        let unanswered = self.upgrading.is_some();
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
        if unanswered && self.websocket.is_some() {
            // The head that broke off had opened it.
            self.pass(run);
        }
    }

    /// A head that breaks off in a hole: what is there of it is a message too, cut.
    fn cut_head(&mut self, side: Side, place: Start) {
        let half = self.half(side);
        let block = std::mem::take(&mut half.head);
        if !block.is_empty() {
            let (_, next) = self.whole_head(side, &block, place, Extent::Cut);
            if matches!(next, Next::WebSocket) {
                self.begin_websocket();
            }
        }
        self.half(side).lose();
        self.half(side).after_gap = true;
    }

    /// The side will send no more. `known` says that its end was seen (FIN), not only that the capture ends.
    fn end(&mut self, side: Side, known: bool) {
        if self.asking == Some(side.other()) {
            self.settle_upgrade();
            if self.websocket.is_some() {
                let place = Run { side, offset: 0, frame: FrameNo(0), time: Timestamp(0), kind: RunKind::End };
                return self.pass(&place);
            }
        }
        let half = self.half(side);
        if let State::Body { reader, of, .. } = &half.state {
            let (of, whole) = (*of, known && reader.until_close());
            let which = self.which(side);
            let (mut frame, mut time) = (FrameNo(0), Timestamp(0));
            if let Some(message) = self.entry(of).and_then(|open| open.message(which)) {
                (frame, time) = (message.last_frame, message.end_time);
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

/// The rest of a run.
fn further<'a>(run: &Run<'_>, rest: &'a [u8], offset: u64) -> Run<'a> {
    Run { side: run.side, offset, frame: run.frame, time: run.time, kind: RunKind::Data(Cow::Borrowed(rest)) }
}

/// The frame at which the answering began.
fn first_response_frame(open: &Open) -> FrameNo {
    open.http.interim.first().or(open.http.response.as_ref()).map_or(FrameNo(0), |r| r.first_frame)
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
