//! HTTP/0.9 to HTTP/1.1 (RFC 9112), read from the side: both directions of a connection become exchanges.
//!
//! A reader beside the wire cannot ask again, so nothing here refuses: what breaks the rules is read as its receiver most
//! likely read it, and the oddity is kept with its place. After a hole the next line that can only be a start line is
//! waited for.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod head;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::Feed;
use super::body::{self, BodyLimits, BodyReader, EMPTY_SHA256, Framing, Progress};
use super::links::{self, Link, LinkScanner, header_links, normal_url};
use crate::model::{
    Anomaly, AnomalyKind, BlockSpan, Budget, FrameNo, HttpExchange, HttpMessage, Limit, Run, RunKind, Side, StartLine,
    Timestamp,
};

use head::{Start, begins_message, could_begin, fields, framing, head_end, list, names_md5, parse, skip_line_ends};

pub use head::{is_cut_request, sniff};

/// Exchanges that wait behind a response without request, for which that request may yet come from behind a hole.
const HELD_ORPHANS: usize = 32;

/// A request with its response, or one of the two.
#[derive(Debug)]
pub struct Ended {
    /// Its number in the connection, from 0, in the order in which exchanges opened.
    pub number: u32,
    /// The messages.
    pub http: HttpExchange,
    /// Whether the flow's server side sent the request.
    pub swapped: bool,
    /// Odd things met in it.
    pub anomalies: Vec<Anomaly>,
    /// The decoded bodies of request and response, where they were asked for.
    pub bodies: Option<[Vec<u8>; 2]>,
}

/// What is wanted beside the exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Exchanges,
    /// What verdicts are drawn from beside heads: links that responses hand out, MD5s, the start of error documents.
    Links,
    /// The decoded bodies, up to the budget's preview.
    Bodies,
}

/// Links of one response, as far as they were seen.
#[derive(Debug)]
pub struct Given {
    /// Offset of the response's head in its stream.
    pub message: u64,
    /// The host that the request named, in lower case; empty where it is not known.
    pub host: Box<str>,
    /// Whether the flow's client side sent the response.
    pub swapped: bool,
    /// When the newest of these bytes came.
    pub time: Timestamp,
    /// The links.
    pub links: Vec<Link>,
}

/// Reads one connection.
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    wanted: Wanted,
    /// `http`, or `https` where the connection runs inside TLS.
    scheme: &'static str,
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
    /// Its number by the order of opening, which stays; its place in the queue may not.
    number: u32,
    /// A head came since previews were asked for.
    news: bool,
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
    pub fn new(budget: &Budget, wanted: Wanted) -> Self {
        Self {
            limits: Limits {
                head_bytes: budget.head_bytes,
                head_fields: budget.head_fields,
                waiting: budget.waiting_requests,
                body: BodyLimits::new(budget),
            },
            wanted,
            scheme: "http",
            given: Vec::new(),
            halves: [Half::default(), Half::default()],
            asking: None,
            open: VecDeque::new(),
            first: 0,
            opened: 0,
            news: false,
            lossy: false,
        }
    }

    /// The connection runs inside TLS: relative links are of `https` URLs.
    #[must_use]
    pub fn inside_tls(self) -> Self {
        Self { scheme: "https", ..self }
    }

    /// The links that responses handed out since this was last asked, in the order in which they came.
    pub fn take_given(&mut self) -> Vec<Given> {
        std::mem::take(&mut self.given)
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
        let fresh = self.open.iter_mut().filter_map(|open| std::mem::take(&mut open.news).then_some(&*open));
        fresh
            .map(|open| Ended {
                number: open.number,
                http: open.http.clone(),
                swapped,
                anomalies: open.anomalies.clone(),
                bodies: None,
            })
            .collect()
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
        while self.open.front().is_some_and(|open| open.request_done && open.response_done) {
            let Some(open) = self.open.pop_front() else { break };
            self.first = self.first.saturating_add(1);
            out.push(Ended {
                number: open.number,
                http: open.http,
                swapped: self.asking == Some(Side::Server),
                anomalies: open.anomalies,
                bodies: (self.wanted == Wanted::Bodies).then_some(open.bodies),
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
            oldest.anomalies.push(Anomaly { kind: AnomalyKind::Limit(Limit::WaitingRequests), frame, offset, len: 0 });
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
            let mut open = Open { number: self.next_number(), ..Open::default() };
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
        let limits = self.limits.body;
        let asking = self.asking == Some(side);
        let mut wanted = body::Wanted { bytes: self.wanted == Wanted::Bodies, ..body::Wanted::default() };
        let judged = self.wanted == Wanted::Links;
        if judged && !asking {
            wanted.links = self.head_links(number);
        }
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
        if let StartLine::Status { code, .. } = message.start {
            wanted.opening = judged && code >= 400;
            // A part, or an error's text, is not the object.
            wanted.md5 = judged && code == 200 && names_md5(message);
        } else {
            wanted.md5 = judged;
        }
        let reader = Box::new(BodyReader::new(framing, &codings, limits, wanted));
        self.half(side).state = State::Body { reader, of: number, trailer_spans: Vec::new() };
    }

    /// Notes the links in a response's head; gives the scanner for its body, where that can hold some.
    fn head_links(&mut self, number: u64) -> Option<LinkScanner> {
        let scheme = self.scheme;
        let open = self.entry(number)?;
        let response = open.http.response.as_ref()?;
        let media = response.field("content-type");
        let named = response.each_field().any(|(name, _)| links::may_link(name));
        let mut scanner = LinkScanner::new(media);
        // Most responses hand out nothing: then nothing is made ready.
        if !named && scanner.is_none() {
            return None;
        }
        let base = open.http.request.as_ref().and_then(|request| {
            let StartLine::Request { target, .. } = request.start else { return None };
            normal_url(scheme, request.field("host").unwrap_or_default(), target.of(&request.block))
        });
        let mut links = Vec::new();
        let linking = response.fields.iter().filter(|field| named && links::may_link(field.name.of(&response.block)));
        for field in linking {
            let (name, value) = (field.name.of(&response.block), field.value.of(&response.block));
            let frame = response.frames_of(field.value).first().copied().unwrap_or(response.first_frame);
            header_links(name, value, base.as_deref(), frame, &mut links);
        }
        if let Some(scanner) = &mut scanner {
            scanner.set_base(base);
        }
        self.give_links(number, links);
        scanner
    }

    fn give_links(&mut self, number: u64, links: Vec<Link>) {
        if links.is_empty() {
            return;
        }
        let swapped = self.asking == Some(Side::Server);
        let Some(Open { http, .. }) = self.entry(number) else { return };
        let Some(response) = &http.response else { return };
        let host = http.request.as_ref().and_then(|r| r.field("host")).unwrap_or_default();
        let given = Given {
            message: response.stream_offset,
            host: String::from_utf8_lossy(host).to_ascii_lowercase().into(),
            swapped,
            time: response.end_time,
            links,
        };
        self.given.push(given);
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
        let asking = self.asking == Some(side);
        if let Some(open) = self.entry(number) {
            let message = if asking { open.http.request.as_mut() } else { open.http.response.as_mut() };
            if let Some(message) = message {
                message.last_frame = message.last_frame.max(place.frame);
                message.end_time = message.end_time.max(place.time);
            }
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
        let finished = reader.finish(whole);
        let asking = self.asking == Some(side);
        let fields_limit = self.limits.head_fields;
        let Some(open) = self.entry(of) else { return };
        let Open { http, request_done, response_done, anomalies, bodies, .. } = open;
        let message = if asking { http.request.as_mut() } else { http.response.as_mut() };
        let Some(message) = message else { return };
        message.body.wire_bytes = finished.wire_bytes;
        message.complete = finished.decoded.is_some() || whole && finished.undecodable;
        if let Some((len, sha256)) = finished.decoded {
            message.body.decoded_bytes = Some(len);
            message.body.sha256 = Some(sha256);
        }
        message.body.md5 = finished.md5;
        message.opening = finished.opening;
        let offset = message.body.stream_offset;
        if finished.links_limited {
            let kind = AnomalyKind::Limit(Limit::BodyLinks);
            anomalies.push(Anomaly { kind, frame: place.frame, offset, len: 0 });
        }
        if finished.limited {
            let kind = AnomalyKind::Limit(Limit::BodyDecoding);
            anomalies.push(Anomaly { kind, frame: place.frame, offset, len: 0 });
        }
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
        self.give_links(of, finished.links);
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
