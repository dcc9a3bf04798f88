//! The streams of one connection become exchanges, in HTTP/2 and HTTP/3 alike: one request a stream.
//!
//! Comes in: field sections, bytes of bodies, ends and resets, each with its stream and side. Goes out: exchanges. What of a
//! connection is lost may leave any of these out; then the exchange is what is there of it.

use std::collections::{BTreeMap, VecDeque};

use super::super::body::{BodyLimits, BodyReader, Framing};
use super::super::links::Link;
use super::super::websocket::{self, Session, SessionLimits};
use super::{Ended, Given, Open, Section, Start, Wanted, Which, content_length};
use crate::model::{
    Anomaly, AnomalyKind, Budget, FrameNo, HttpMessage, HttpVersion, Limit, Run, RunKind, Share, Side, StartLine,
    Timestamp,
};

/// Responses without request that are kept until their end, for which a request may yet come from behind a hole.
const HELD_ORPHANS: usize = 32;
/// Interim responses of one exchange; there is no sense in more than a few.
const INTERIM_RESPONSES: usize = 64;
/// Streams that were over, which are remembered: what still comes for them opens nothing.
const CLOSED_STREAMS: usize = 256;

/// Where a hole or an end is whose place says nothing.
const NOWHERE: Start = Start { offset: 0, frame: FrameNo(0), time: Timestamp(0) };

/// A field section that is complete, or cut by a hole.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) stream: u64,
    pub(crate) which: Which,
    pub(crate) section: Section,
    /// Where its first frame began.
    pub(crate) start: Start,
    /// Where its last frame ended.
    pub(crate) end: Start,
    /// Whether all of the section was there.
    pub(crate) whole: bool,
    /// Whether it ends its side of the stream.
    pub(crate) last: bool,
    /// Whether a server promised it: the request of a push.
    pub(crate) pushed: bool,
}

#[derive(Debug, Default)]
struct Stream {
    open: Open,
    /// Of request and response.
    halves: [Half; 2],
}

/// One direction of a stream.
#[derive(Debug, Default)]
struct Half {
    /// Its message's body while it is read.
    reader: Option<Box<BodyReader>>,
    /// Its head was cut: then the message is not complete.
    cut: bool,
}

/// The streams of one connection.
#[derive(Debug)]
pub(crate) struct Streams {
    version: HttpVersion,
    wanted: Wanted,
    body: BodyLimits,
    session: SessionLimits,
    most: usize,
    live: BTreeMap<u64, Stream>,
    orphans: VecDeque<u64>,
    closed: VecDeque<u64>,
    /// Bytes of heads in `live`; a few bytes on the wire may unpack to many.
    held: Share,
    opened: u32,
    news: bool,
    given: Vec<Given>,
    ended: Vec<Ended>,
    /// Odd things of the connection itself: the next exchange takes them.
    strays: Vec<Anomaly>,
    /// Whether the flow's server side asks.
    pub(crate) swapped: bool,
}

impl Streams {
    pub(crate) fn new(version: HttpVersion, budget: &Budget, wanted: Wanted) -> Self {
        Self {
            version,
            wanted,
            body: BodyLimits::new(budget),
            session: SessionLimits::new(budget),
            most: budget.live_streams,
            live: BTreeMap::new(),
            orphans: VecDeque::new(),
            closed: VecDeque::new(),
            held: budget.open_heads_bytes.share(),
            opened: 0,
            news: false,
            given: Vec::new(),
            ended: Vec::new(),
            strays: Vec::new(),
            swapped: false,
        }
    }

    /// How many exchanges were opened so far.
    pub(crate) fn opened(&self) -> u32 {
        self.opened
    }

    /// The links that responses handed out since this was last asked.
    pub(crate) fn take_given(&mut self) -> Vec<Given> {
        std::mem::take(&mut self.given)
    }

    /// Moves the exchanges that are over to `out`.
    pub(crate) fn give(&mut self, out: &mut Vec<Ended>) {
        out.append(&mut self.ended);
    }

    /// What is there of exchanges that go on and have a new head since this was last asked.
    pub(crate) fn previews(&mut self) -> Vec<Ended> {
        if !std::mem::take(&mut self.news) {
            return Vec::new();
        }
        let swapped = self.swapped;
        self.live.values_mut().filter_map(|stream| stream.open.preview(swapped)).collect()
    }

    /// An odd thing of the connection: told with its newest exchange, or the next one.
    pub(crate) fn note(&mut self, anomaly: Anomaly) {
        match self.live.values_mut().next_back() {
            Some(stream) => push_few(&mut stream.open.anomalies, anomaly),
            None => push_few(&mut self.strays, anomaly),
        }
    }

    /// An odd thing of a stream, where it goes on; else of the connection.
    pub(crate) fn note_of(&mut self, id: u64, anomaly: Anomaly) {
        match self.live.get_mut(&id) {
            Some(stream) => push_few(&mut stream.open.anomalies, anomaly),
            None => self.note(anomaly),
        }
    }

    /// The number under which the stream is shown, where it is another one than it is known by here.
    pub(crate) fn show_as(&mut self, id: u64, shown: Option<u64>) {
        if let Some(stream) = self.live.get_mut(&id) {
            stream.open.http.stream = shown;
        }
    }

    /// Counts exchanges from this number on: several connections of a flow share their numbers.
    pub(crate) fn count_from(&mut self, number: u32) {
        self.opened = number;
    }

    /// A request that came by another way and is to be answered here (RFC 7540 section 3.2).
    pub(crate) fn adopt(&mut self, id: u64, request: HttpMessage, body: Vec<u8>) {
        let bytes = request.block.len();
        if let Some(stream) = self.stream(id) {
            stream.open.http.request = Some(request);
            stream.open.request_done = true;
            stream.open.bodies = [body, Vec::new()];
            stream.open.news = true;
            self.news = true;
            self.hold(bytes);
        }
    }

    /// The stream, opened where it is new; `None` where it is over.
    fn stream(&mut self, id: u64) -> Option<&mut Stream> {
        if !self.live.contains_key(&id) {
            if self.closed.contains(&id) {
                return None;
            }
            if self.live.len() >= self.most {
                self.give_up_oldest();
            }
            let number = self.opened;
            self.opened = number.saturating_add(1);
            let mut stream = Stream::default();
            stream.open.number = number;
            stream.open.http.stream = Some(id);
            stream.open.anomalies = std::mem::take(&mut self.strays);
            self.live.insert(id, stream);
        }
        self.live.get_mut(&id)
    }

    /// Makes room: the stream that was opened first ends as it is.
    fn give_up_oldest(&mut self) {
        let Some((id, mut stream)) = self.live.pop_first() else { return };
        let message = stream.open.http.request.as_ref().or(stream.open.http.response.as_ref());
        let (frame, offset) = message.map_or((FrameNo(0), 0), |m| (m.last_frame, m.stream_offset));
        let kind = AnomalyKind::Limit(Limit::LiveStreams);
        stream.open.anomalies.push(Anomaly { kind, frame, offset, len: 0 });
        self.over(id, stream);
    }

    /// Takes a field section: the head of a message, or its trailers.
    pub(crate) fn head(&mut self, head: Head) {
        let bytes = head.section.len();
        if self.take_head(head) {
            self.hold(bytes);
        }
    }

    /// So many more bytes of heads are in `live`. Where all connections together hold too many, this one, which wants more,
    /// gives up what it began first.
    fn hold(&mut self, bytes: usize) {
        let mut fits = self.held.grow(bytes);
        while !fits && !self.live.is_empty() {
            self.give_up_oldest();
            fits = !self.held.is_over();
        }
    }

    /// Whether the section was kept.
    fn take_head(&mut self, head: Head) -> bool {
        let (version, body, wanted, swapped) = (self.version, self.body.clone(), self.wanted, self.swapped);
        let session = self.session.clone();
        let (id, which, start, end, last) = (head.stream, head.which, head.start, head.end, head.last);
        let Some(stream) = self.stream(id) else { return false };
        let open = &mut stream.open;
        let surplus = open.message(which).is_some_and(|m| !m.trailers.is_empty())
            || open.http.interim.len() >= INTERIM_RESPONSES && matches!(head.section.status(), Some(100..=199));
        if surplus {
            push_few(&mut open.anomalies, Anomaly { kind: AnomalyKind::BadFrame, ..cut_short(start) });
            return false;
        }
        if !head.whole {
            push_few(&mut open.anomalies, cut_short(start));
        }
        if let Some(message) = open.message(which) {
            let mut anomalies = Vec::new();
            head.section.into_trailers(message, start, &mut anomalies);
            for anomaly in anomalies {
                push_few(&mut open.anomalies, anomaly);
            }
            open.touch(which, end);
            half(&mut stream.halves, which).cut |= !head.whole;
            if last {
                self.end(id, which, end);
            }
            return true;
        }
        let status = head.section.status().filter(|_| which == Which::Response);
        let mut message = head.section.message(which == Which::Response, version, (start, end), &mut open.anomalies);
        open.news = true;
        if !last && matches!(status, Some(100..=199)) {
            Open::empty_body(&mut message);
            message.complete = head.whole;
            open.http.interim.push(message);
            self.news = true;
            return true;
        }
        match which {
            Which::Request => {
                open.http.pushed = head.pushed;
                if websocket::is_connect(&message) && !last {
                    open.websocket = Some(Box::new(Session::new(&session, wanted)));
                }
                open.http.request = Some(message);
                open.anomalies.retain(|a| a.kind != AnomalyKind::Unasked);
            }
            Which::Response => {
                if open.http.request.is_none() {
                    let (frame, offset) = (start.frame, start.offset);
                    open.anomalies.push(Anomaly { kind: AnomalyKind::Unasked, frame, offset, len: 0 });
                }
                let opens = matches!(status, Some(200..=299)) && !last;
                match &mut open.websocket {
                    Some(session) if opens => session.answered(&message),
                    // Refused: what comes is an ordinary body.
                    websocket => *websocket = None,
                }
                open.http.response = Some(message);
            }
        }
        let carries = open.websocket.is_some();
        let framing = if last || carries { Framing::Length(0) } else { Framing::UntilClose };
        let (reader, links) = open.begin_body(which, Some(framing), body, wanted);
        if carries {
            // Its body is the WebSocket.
            open.set_going(which);
        }
        *half(&mut stream.halves, which) = Half { reader, cut: !head.whole };
        if !head.whole
            && let Some(message) = open.message(which)
        {
            message.complete = false;
        }
        let given = open.given(links, swapped);
        self.given.extend(given);
        self.news = true;
        self.settle(id);
        true
    }

    /// Takes bytes of a body.
    pub(crate) fn data(&mut self, id: u64, which: Which, bytes: &[u8], place: Start) {
        let swapped = self.swapped;
        if self.feed_websocket(id, which, RunKind::Data(bytes.into()), place) {
            return;
        }
        let Some(stream) = self.live.get_mut(&id) else { return };
        let Some(reader) = half(&mut stream.halves, which).reader.as_mut() else { return };
        if reader.is_untouched()
            && let Some(message) = stream.open.message(which)
        {
            message.body.stream_offset = place.offset;
        }
        // Its end is not told by its bytes.
        let _progress = reader.feed(bytes, place.frame);
        let links = reader.take_links();
        stream.open.touch(which, place);
        let given = stream.open.given(links, swapped);
        self.given.extend(given);
    }

    /// Bytes of a body are missing here; 0: nobody knows how many.
    pub(crate) fn gap(&mut self, id: u64, which: Which, count: u64) {
        self.feed_websocket(id, which, RunKind::Gap(count), NOWHERE);
        if let Some(stream) = self.live.get_mut(&id) {
            half(&mut stream.halves, which).gap(count);
        }
    }

    /// Bytes of any body of one side may be missing.
    pub(crate) fn gap_anywhere(&mut self, which: Which) {
        for stream in self.live.values_mut() {
            half(&mut stream.halves, which).gap(0);
            stream.open.feed_websocket(sender(which), &run(RunKind::Gap(0), which, NOWHERE));
        }
    }

    /// Hands on what is a WebSocket's. Whether it was.
    fn feed_websocket(&mut self, id: u64, which: Which, kind: RunKind<'_>, place: Start) -> bool {
        let Some(stream) = self.live.get_mut(&id) else { return false };
        if stream.open.websocket.is_none() {
            return false;
        }
        self.news |= stream.open.feed_websocket(sender(which), &run(kind, which, place));
        true
    }

    /// One side of a stream has ended as it should.
    pub(crate) fn end(&mut self, id: u64, which: Which, place: Start) {
        if !self.feed_websocket(id, which, RunKind::End, place)
            && let Some(stream) = self.live.get_mut(&id)
        {
            stream.open.touch(which, place);
        }
        let Some(stream) = self.live.get_mut(&id) else { return };
        let links = stream.end_body(which, true, place);
        self.give_links(id, links);
        self.settle(id);
    }

    /// A stream was broken off (RFC 9113 section 6.4).
    pub(crate) fn reset(&mut self, id: u64, place: Start) {
        let Some(mut stream) = self.live.remove(&id) else { return };
        let (frame, offset) = (place.frame, place.offset);
        stream.open.anomalies.push(Anomaly { kind: AnomalyKind::StreamReset, frame, offset, len: 0 });
        self.over(id, stream);
    }

    /// One side of a stream was broken off: nothing more comes of its message (RFC 9114 section 4.1.1).
    pub(crate) fn reset_half(&mut self, id: u64, which: Which, place: Start) {
        let Some(stream) = self.live.get_mut(&id) else { return };
        let done = match which {
            Which::Request => stream.open.request_done,
            Which::Response => stream.open.response_done,
        };
        if done {
            return;
        }
        let (frame, offset) = (place.frame, place.offset);
        push_few(&mut stream.open.anomalies, Anomaly { kind: AnomalyKind::StreamReset, frame, offset, len: 0 });
        // What the side was sending over a WebSocket is cut there (RFC 9220 section 3).
        self.feed_websocket(id, which, RunKind::End, place);
        let Some(stream) = self.live.get_mut(&id) else { return };
        let links = stream.end_body(which, false, place);
        self.give_links(id, links);
        self.settle(id);
    }

    /// No stream that a client opened above `last` will be answered (RFC 9113 section 6.8).
    pub(crate) fn refuse_above(&mut self, last: u64, is_asked: impl Fn(u64) -> bool, place: Start) {
        self.refuse(last.saturating_add(1), is_asked, place);
    }

    /// Streams from `first` on will not be answered, unless they are already.
    pub(crate) fn refuse(&mut self, first: u64, is_refused: impl Fn(u64) -> bool, place: Start) {
        let unanswered = self.live.range(first..).filter(|(_, stream)| stream.open.http.response.is_none());
        let refused: Vec<u64> = unanswered.map(|(id, _)| *id).filter(|id| is_refused(*id)).collect();
        for id in refused {
            self.reset(id, place);
        }
    }

    /// One side of the connection has ended: nothing more comes of its messages.
    pub(crate) fn end_all(&mut self, which: Which) {
        let ids: Vec<u64> = self.live.keys().copied().collect();
        for id in ids {
            self.feed_websocket(id, which, RunKind::End, NOWHERE);
            let Some(stream) = self.live.get_mut(&id) else { continue };
            let (frame, time) =
                stream.open.message(which).map_or_else(Default::default, |m| (m.last_frame, m.end_time));
            let links = stream.end_body(which, false, Start { offset: 0, frame, time });
            self.give_links(id, links);
            self.settle(id);
        }
    }

    /// The connection is over: what has begun ends as it is.
    pub(crate) fn finish(&mut self) {
        let mut rest: Vec<(u64, Stream)> = std::mem::take(&mut self.live).into_iter().collect();
        rest.sort_by_key(|(_, stream)| stream.open.number);
        for (id, stream) in rest {
            self.over(id, stream);
        }
    }

    /// Gives the stream's exchange if it is over.
    fn settle(&mut self, id: u64) {
        let Some(stream) = self.live.get_mut(&id) else { return };
        if stream.open.response_done && stream.open.is_orphan() {
            // Its request may stand behind a hole that is still waited for.
            if !self.orphans.contains(&id) {
                self.orphans.push_back(id);
            }
            let oldest = if self.orphans.len() > HELD_ORPHANS { self.orphans.pop_front() } else { None };
            if let Some(stream) = oldest.and_then(|id| self.live.remove(&id).map(|s| (id, s))) {
                self.over(stream.0, stream.1);
            }
        } else if stream.open.is_done()
            && let Some(stream) = self.live.remove(&id)
        {
            self.over(id, stream);
        }
    }

    /// A stream that left: what is not there of it will not come.
    fn over(&mut self, id: u64, mut stream: Stream) {
        for which in [Which::Request, Which::Response] {
            let message = stream.open.message(which).map(|m| (m.last_frame, m.end_time));
            if let Some((frame, time)) = message {
                let links = stream.end_body(which, false, Start { offset: 0, frame, time });
                let given = stream.open.given(links, self.swapped);
                self.given.extend(given);
            }
        }
        self.held.shrink(heads_len(&stream.open));
        self.orphans.retain(|orphan| *orphan != id);
        self.closed.push_back(id);
        if self.closed.len() > CLOSED_STREAMS {
            self.closed.pop_front();
        }
        self.ended.push(stream.open.ended(self.swapped, self.wanted));
    }

    fn give_links(&mut self, id: u64, links: Vec<Link>) {
        let given = self.live.get(&id).and_then(|stream| stream.open.given(links, self.swapped));
        self.given.extend(given);
    }
}

impl Stream {
    /// Ends the body of a message, if one is read.
    fn end_body(&mut self, which: Which, whole: bool, place: Start) -> Vec<Link> {
        let Half { reader, cut } = std::mem::take(half(&mut self.halves, which));
        let Some(reader) = reader else {
            self.open.set_done(which);
            return Vec::new();
        };
        if whole && reader.is_empty() {
            // Nothing to decode: HTTP/3 tells only behind a head that no body follows.
            self.open.set_done(which);
            if let Some(message) = self.open.message(which) {
                Open::empty_body(message);
                message.complete = !cut;
            }
            return Vec::new();
        }
        let rest = self.open.end_body(which, *reader, whole, place);
        let Some(message) = self.open.message(which) else { return rest.links };
        message.complete &= !cut;
        // A response to HEAD, and 304, name the length of what they do not send (RFC 9110 section 8.6).
        let bodiless = matches!(message.start, StartLine::Status { code: 304, .. }) || message.body.wire_bytes == 0;
        let differs = content_length(message).is_some_and(|length| length != message.body.wire_bytes);
        if !whole || cut {
            return rest.links;
        }
        if !message.complete {
            // It ended as it should, and the capture lacks a part of it.
            self.open.anomalies.push(cut_short(place));
        } else if differs && !bodiless {
            self.open.anomalies.push(Anomaly { kind: AnomalyKind::LengthDiffers, ..cut_short(place) });
        }
        rest.links
    }
}

impl Half {
    fn gap(&mut self, count: u64) {
        if let Some(reader) = &mut self.reader {
            reader.gap(count);
        }
    }
}

fn half([request, response]: &mut [Half; 2], which: Which) -> &mut Half {
    match which {
        Which::Request => request,
        Which::Response => response,
    }
}

/// Who of a WebSocket sends this message's body.
fn sender(which: Which) -> Side {
    match which {
        Which::Request => Side::Client,
        Which::Response => Side::Server,
    }
}

fn run(kind: RunKind<'_>, which: Which, place: Start) -> Run<'_> {
    Run { side: sender(which), offset: place.offset, frame: place.frame, time: place.time, kind }
}

fn cut_short(place: Start) -> Anomaly {
    Anomaly { kind: AnomalyKind::CutShort, frame: place.frame, offset: place.offset, len: 0 }
}

fn heads_len(open: &Open) -> usize {
    open.http.request.iter().chain(&open.http.interim).chain(&open.http.response).map(|m| m.block.len()).sum()
}

/// The first few of a kind tell it all.
fn push_few(anomalies: &mut Vec<Anomaly>, anomaly: Anomaly) {
    if anomalies.iter().filter(|a| a.kind == anomaly.kind).count() < 4 {
        anomalies.push(anomaly);
    }
}
