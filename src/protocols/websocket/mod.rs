//! WebSocket (RFC 6455), read from the side: behind a handshake, both directions become messages.
//!
//! Comes in: runs of both sides from the end of the handshake on, of a TCP stream (RFC 6455) or of an HTTP/2 or HTTP/3
//! stream (RFC 8441, RFC 9220). Goes out: what was sent, counted; and where that is wanted, the messages themselves, with
//! permessage-deflate (RFC 7692) undone. Never: a refusal. Behind a hole frames are looked for at the beginning of each run.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::indexing_slicing))]

mod deflate;
mod frame;
mod handshake;
#[cfg(test)]
mod tests;

use super::http::{Start, Wanted};
use crate::model::{
    Anomaly, AnomalyKind, Budget, CloseCode, FrameNo, HttpMessage, MessageKind, MessageList, PayloadState, Pool, Run,
    RunKind, Share, Side, Step, WebSocket, WebSocketMessage, WebSocketSide,
};

use deflate::{Fault, INFLATER_BYTES, Inflater};
use frame::{CONTROL_BYTES, FrameHead, HEADER_BYTES, begins};
use handshake::Extensions;

pub(crate) use handshake::{accepts, is_asked, is_connect, is_opened};

/// Odd things of one kind that are told of one WebSocket: the first few tell it all.
const FEW: usize = 4;

/// Limits of one WebSocket, from the budget.
#[derive(Clone, Debug)]
pub struct SessionLimits {
    messages: usize,
    payload_bytes: usize,
    inflated_bytes: u64,
    /// What decoders, and here payloads too, may hold in all flows together.
    pool: Pool,
}

impl SessionLimits {
    /// The budget's share for one WebSocket.
    pub fn new(budget: &Budget) -> Self {
        Self {
            messages: budget.websocket_messages,
            payload_bytes: budget.preview_bytes,
            inflated_bytes: budget.body_bytes,
            pool: budget.decoder_bytes.clone(),
        }
    }
}

/// Reads what follows one handshake. Of its sides, the client is who asked for it.
#[derive(Debug)]
pub struct Session {
    halves: [Half; 2],
    shared: Shared,
    /// Frames that there were when this was last shown.
    shown: u64,
}

/// What both directions share.
#[derive(Debug)]
struct Shared {
    extensions: Extensions,
    /// Where messages are wanted.
    kept: Option<Kept>,
    /// Bytes that one side's compression may give.
    inflated_bytes: u64,
    anomalies: Vec<Anomaly>,
    last: Option<Start>,
}

/// The messages, for who wants to see them.
#[derive(Debug)]
struct Kept {
    list: MessageList,
    most: usize,
    /// Payload bytes that may yet be kept.
    room: usize,
    /// What payloads and decoders hold.
    held: Share,
}

/// One direction.
#[derive(Debug)]
struct Half {
    sender: Side,
    state: State,
    /// A message of which more frames are to come.
    message: Option<Box<Message>>,
    inflater: Option<Inflater>,
    /// Something that later messages may refer to was not decompressed.
    context_lost: bool,
    seen: WebSocketSide,
}

#[derive(Debug)]
enum State {
    /// In a frame's header: its bytes so far, and where it began.
    Header(Vec<u8>, Option<Start>),
    /// In a payload.
    Payload(Box<Frame>),
    /// Something was lost: frames are looked for.
    Lost,
    /// The side has ended.
    Over,
}

/// A frame while its payload comes.
#[derive(Debug)]
struct Frame {
    head: FrameHead,
    /// Payload bytes so far.
    at: u64,
    left: u64,
    /// A control frame is a message of its own, also between the frames of another one (RFC 6455 section 5.4).
    control: Option<Box<Message>>,
}

/// A message while it comes.
#[derive(Debug)]
struct Message {
    kind: MessageKind,
    first: Start,
    last: Start,
    fragments: u64,
    wire_bytes: u64,
    bytes: u64,
    compressed: bool,
    payload: Vec<u8>,
    state: PayloadState,
}

impl Session {
    /// A WebSocket that is asked for.
    pub fn new(limits: &SessionLimits, wanted: Wanted) -> Self {
        let kept = (wanted == Wanted::Bodies).then(|| Kept {
            list: MessageList::default(),
            most: limits.messages,
            room: limits.payload_bytes,
            held: limits.pool.share(),
        });
        Self {
            halves: [Half::new(Side::Client), Half::new(Side::Server)],
            shared: Shared {
                extensions: Extensions::Unknown,
                kept,
                inflated_bytes: limits.inflated_bytes,
                anomalies: Vec::new(),
                last: None,
            },
            shown: 0,
        }
    }

    /// The answer to its handshake has come.
    pub fn answered(&mut self, response: &HttpMessage) {
        self.shared.extensions = Extensions::of(response);
    }

    /// Takes a run that client or server of the WebSocket sent, whatever side of the flow that is. A hole of 0 bytes is one
    /// of which nobody knows how long it is.
    pub fn feed(&mut self, sender: Side, run: &Run<'_>) {
        let place = Start { offset: run.offset, frame: run.frame, time: run.time };
        let [client, server] = &mut self.halves;
        let half = if sender == Side::Client { client } else { server };
        match &run.kind {
            RunKind::Data(bytes) => half.data(bytes, place, &mut self.shared),
            RunKind::Gap(count) => {
                self.shared.gap(place, *count);
                half.gap(*count, &mut self.shared);
            }
            RunKind::End => half.end(&mut self.shared),
        }
    }

    /// Whether both sides have ended.
    pub fn is_over(&self) -> bool {
        self.halves.iter().all(|half| matches!(half.state, State::Over))
    }

    /// Whether no frame of it came.
    pub fn is_untouched(&self) -> bool {
        self.shared.last.is_none()
    }

    /// What came so far.
    pub fn counted(&self) -> WebSocket {
        let [client, server] = &self.halves;
        WebSocket {
            sides: [client.seen, server.seen],
            last: self.shared.last.map(|place| (place.frame, place.time)),
            deflate: self.shared.extensions.deflate(),
        }
    }

    /// Whether so much more came since this was last true that it is worth showing: each frame at first, then an eighth
    /// more, since each showing of a row costs a record.
    pub fn has_news(&mut self) -> bool {
        let frames: u64 = self.halves.iter().map(|half| half.seen.frames).fold(0, u64::saturating_add);
        let news = frames > self.shown.saturating_add(self.shown / 8);
        if news {
            self.shown = frames;
        }
        news
    }

    /// The end: what was counted, the messages in the order in which they were complete, where they were wanted, and what
    /// was odd.
    pub fn finish(mut self) -> (WebSocket, MessageList, Vec<Anomaly>) {
        for half in &mut self.halves {
            half.end(&mut self.shared);
        }
        let counted = self.counted();
        let mut list = self.shared.kept.map(|kept| kept.list).unwrap_or_default();
        list.messages.sort_by_key(|message| message.last.0);
        (counted, list, self.shared.anomalies)
    }
}

/// Whether frames begin at the first of these bytes, as that side would send them.
pub(crate) fn sniff(bytes: &[u8], sender: Side) -> bool {
    begins(bytes, sender, true)
}

impl Half {
    fn new(sender: Side) -> Self {
        Self {
            sender,
            state: State::Header(Vec::new(), None),
            message: None,
            inflater: None,
            context_lost: false,
            seen: WebSocketSide::default(),
        }
    }

    fn data(&mut self, bytes: &[u8], place: Start, shared: &mut Shared) {
        if bytes.is_empty() {
            return;
        }
        if matches!(self.state, State::Lost) && begins(bytes, self.sender, shared.extensions.may_compress()) {
            self.state = State::Header(Vec::new(), None);
        }
        let mut at = 0_usize;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let offset = place.offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
            let here = Start { offset, ..place };
            let used = match &self.state {
                State::Lost | State::Over => return,
                State::Header(..) => self.header(rest, here, shared),
                State::Payload(_) => self.payload(rest, here, shared),
            };
            at = at.saturating_add(used);
            shared.touch(here);
        }
    }

    /// Takes bytes of a header; gives how many.
    fn header(&mut self, bytes: &[u8], here: Start, shared: &mut Shared) -> usize {
        let State::Header(held, start) = &mut self.state else { return bytes.len() };
        let start = *start.get_or_insert(here);
        let before = held.len();
        held.extend(bytes.iter().take(HEADER_BYTES.saturating_sub(before)));
        match FrameHead::read(held) {
            Step::NeedMore => bytes.len(),
            Step::Reject(_) => {
                shared.odd(AnomalyKind::BadWebSocket, start);
                self.lose(shared);
                bytes.len()
            }
            Step::Done { used, value } => {
                self.begin(value, start, shared);
                used.saturating_sub(before)
            }
        }
    }

    /// A frame begins.
    fn begin(&mut self, head: FrameHead, start: Start, shared: &mut Shared) {
        if !head.is_sound(self.sender, shared.extensions.may_compress()) && !shared.extensions.are_others()
            || self.seen.close.is_some()
        {
            // Behind a Close frame nothing may be sent (RFC 6455 section 5.5.1).
            shared.odd(AnomalyKind::BadWebSocket, start);
        }
        let control = head.kind.is_control();
        if !control {
            let goes_on = head.kind == MessageKind::CONTINUATION;
            if goes_on != self.message.is_some() && !(goes_on && self.seen.lossy) {
                // A message in the middle of another one, or the rest of none (RFC 6455 section 5.4).
                shared.odd(AnomalyKind::BadWebSocket, start);
            }
            if !goes_on {
                self.cut_message(shared);
            }
            let message = self.message.get_or_insert_with(|| Box::new(Message::new(head, start, shared)));
            message.fragments = message.fragments.saturating_add(1);
        }
        let control = control.then(|| {
            let mut message = Box::new(Message::new(head, start, shared));
            message.fragments = 1;
            message
        });
        self.state = State::Payload(Box::new(Frame { head, at: 0, left: head.len, control }));
        if head.len == 0 {
            self.end_frame(start, shared);
        }
    }

    /// Takes bytes of a payload; gives how many.
    fn payload(&mut self, bytes: &[u8], here: Start, shared: &mut Shared) -> usize {
        let State::Payload(frame) = &mut self.state else { return bytes.len() };
        let take = usize::try_from(frame.left).unwrap_or(usize::MAX).min(bytes.len());
        let part = bytes.get(..take).unwrap_or_default();
        let count = u64::try_from(take).unwrap_or(u64::MAX);
        let at = frame.at;
        frame.at = frame.at.saturating_add(count);
        frame.left = frame.left.saturating_sub(count);
        let (mask, whole) = (frame.head.mask, frame.left == 0);
        if let Some(message) = frame.control.as_mut().or(self.message.as_mut()) {
            message.last = here;
            message.wire_bytes = message.wire_bytes.saturating_add(count);
            // What nobody wants to see is not unmasked; of control frames the close code is wanted always.
            if shared.kept.is_some() || message.kind.is_control() {
                let plain = unmasked(part, mask, at);
                if message.compressed {
                    match self.inflater.take().or_else(|| shared.inflater()) {
                        Some(mut inflater) => {
                            self.context_lost |= message.inflate(&plain, &mut inflater, shared, self.context_lost);
                            self.inflater = Some(inflater);
                        }
                        None => message.state = PayloadState::Stopped,
                    }
                } else {
                    message.keep(&plain, shared);
                }
            }
        }
        if whole {
            self.end_frame(here, shared);
        }
        take
    }

    /// A frame is complete.
    fn end_frame(&mut self, here: Start, shared: &mut Shared) {
        let State::Payload(frame) = std::mem::replace(&mut self.state, State::Header(Vec::new(), None)) else { return };
        self.seen.frames = self.seen.frames.saturating_add(1);
        let Frame { head, control, .. } = *frame;
        if let Some(mut message) = control {
            message.last.frame = message.last.frame.max(here.frame);
            self.seen.controls = self.seen.controls.saturating_add(1);
            if message.kind == MessageKind::CLOSE && self.seen.close.is_none() {
                let code = message.payload.first_chunk().map(|code| CloseCode(u16::from_be_bytes(*code)));
                self.seen.close = Some(code.unwrap_or(CloseCode::NONE));
                if message.payload.len() == 1 {
                    // A code has two bytes (RFC 6455 section 5.5.1).
                    shared.odd(AnomalyKind::BadWebSocket, message.first);
                }
            }
            return shared.give(*message, self.sender);
        }
        if let Some(message) = &mut self.message {
            message.last = Start { frame: message.last.frame.max(here.frame), ..here };
        }
        if !head.fin {
            return;
        }
        let Some(mut message) = self.message.take() else { return };
        if let Some(inflater) = self.inflater.as_mut().filter(|_| message.compressed && message.wire_bytes > 0) {
            self.context_lost |= message.end_inflating(inflater, shared, self.context_lost);
        }
        self.count(&message);
        shared.give(*message, self.sender);
    }

    fn count(&mut self, message: &Message) {
        self.seen.messages = self.seen.messages.saturating_add(1);
        self.seen.bytes = self.seen.bytes.saturating_add(message.wire_bytes);
    }

    /// The message that has begun does not go on.
    fn cut_message(&mut self, shared: &mut Shared) {
        let Some(mut message) = self.message.take() else { return };
        message.state = PayloadState::Cut;
        self.lose_context(message.compressed);
        self.count(&message);
        shared.give(*message, self.sender);
    }

    fn lose_context(&mut self, lost: bool) {
        if lost {
            self.context_lost = true;
            if let Some(inflater) = &mut self.inflater {
                inflater.forget();
            }
        }
    }

    /// Frames are missing, or cannot be told.
    fn lose(&mut self, shared: &mut Shared) {
        if let State::Payload(frame) = std::mem::replace(&mut self.state, State::Lost)
            && let Some(mut message) = frame.control
        {
            message.state = PayloadState::Cut;
            self.seen.controls = self.seen.controls.saturating_add(1);
            shared.give(*message, self.sender);
        }
        self.cut_message(shared);
        self.seen.lossy = true;
        self.lose_context(shared.extensions.may_compress());
    }

    fn gap(&mut self, count: u64, shared: &mut Shared) {
        match &mut self.state {
            State::Over => {}
            State::Payload(frame) if count > 0 && count <= frame.left => {
                frame.at = frame.at.saturating_add(count);
                frame.left = frame.left.saturating_sub(count);
                let whole = frame.left == 0;
                self.seen.lossy = true;
                let message = frame.control.as_mut().or(self.message.as_mut());
                let mut end = None;
                if let Some(message) = message {
                    message.wire_bytes = message.wire_bytes.saturating_add(count);
                    message.state = PayloadState::Cut;
                    end = Some(message.last);
                    let compressed = message.compressed;
                    self.lose_context(compressed);
                }
                if let Some(end) = end.filter(|_| whole) {
                    self.end_frame(end, shared);
                }
            }
            State::Header(..) | State::Payload(_) | State::Lost => self.lose(shared),
        }
    }

    /// The side will send no more.
    fn end(&mut self, shared: &mut Shared) {
        let begun = match &self.state {
            State::Over => return,
            State::Header(held, _) => !held.is_empty(),
            State::Payload(_) => true,
            State::Lost => false,
        };
        if begun || self.message.is_some() {
            if let Some(last) = shared.last {
                shared.odd(AnomalyKind::CutShort, last);
            }
            let lossy = self.seen.lossy;
            self.lose(shared);
            // No frame is missing before what breaks off here.
            self.seen.lossy = lossy;
        }
        self.state = State::Over;
    }
}

impl Kept {
    /// Takes so many bytes of what all flows share, or nothing.
    fn claims(&mut self, bytes: usize) -> bool {
        let fits = self.held.grow(bytes);
        if !fits {
            self.held.shrink(bytes);
        }
        fits
    }
}

impl Shared {
    fn odd(&mut self, kind: AnomalyKind, at: Start) {
        if self.anomalies.iter().filter(|a| a.kind == kind).count() < FEW {
            self.anomalies.push(Anomaly { kind, frame: at.frame, offset: at.offset, len: 0 });
        }
    }

    /// Bytes are missing from the capture; a place without a frame is behind what came last.
    fn gap(&mut self, place: Start, count: u64) {
        let at = if place.frame == FrameNo(0) { self.last.unwrap_or(place) } else { place };
        if self.anomalies.iter().filter(|a| a.kind == AnomalyKind::Gap).count() < FEW {
            self.anomalies.push(Anomaly { kind: AnomalyKind::Gap, frame: at.frame, offset: at.offset, len: count });
        }
    }

    /// A decoder, where there is room for one.
    fn inflater(&mut self) -> Option<Inflater> {
        self.kept.as_mut()?.claims(INFLATER_BYTES).then(|| Inflater::new(self.inflated_bytes))
    }

    fn touch(&mut self, here: Start) {
        if self.last.is_none_or(|last| last.frame <= here.frame) {
            self.last = Some(here);
        }
    }

    /// A message is complete, or as complete as it will be.
    fn give(&mut self, message: Message, side: Side) {
        let Some(kept) = &mut self.kept else { return };
        if kept.list.messages.len() >= kept.most {
            kept.list.unlisted = kept.list.unlisted.saturating_add(1);
            kept.room = kept.room.saturating_add(message.payload.len());
            kept.held.shrink(message.payload.len());
            return;
        }
        let Message { kind, first, last, fragments, wire_bytes, bytes, compressed, payload, state } = message;
        kept.list.messages.push(WebSocketMessage {
            side,
            kind,
            first: (first.frame, first.time),
            last: (last.frame, last.time),
            offset: first.offset,
            fragments,
            wire_bytes,
            bytes,
            compressed,
            payload,
            state,
        });
    }
}

impl Message {
    fn new(head: FrameHead, start: Start, shared: &Shared) -> Self {
        // The rest of a message does not say whether it is compressed.
        let rest = head.kind == MessageKind::CONTINUATION;
        let own = head.rsv1 && shared.extensions.may_compress();
        let strange = !own && (head.rsv1 || head.reserved != 0) || rest && shared.extensions.may_compress();
        let state = match (rest, strange) {
            (true, _) => PayloadState::Cut,
            (false, true) => PayloadState::NotDecoded,
            (false, false) => PayloadState::Whole,
        };
        Self {
            kind: head.kind,
            first: start,
            last: start,
            fragments: 0,
            wire_bytes: 0,
            bytes: 0,
            compressed: own,
            payload: Vec::new(),
            state,
        }
    }

    /// Keeps payload bytes, as far as there is room.
    fn keep(&mut self, plain: &[u8], shared: &mut Shared) {
        self.bytes = self.bytes.saturating_add(u64::try_from(plain.len()).unwrap_or(u64::MAX));
        let control = self.kind.is_control();
        // Control frames are short; one that is not breaks the rules, and its beginning tells enough.
        let most = usize::try_from(CONTROL_BYTES).unwrap_or(0).saturating_sub(self.payload.len());
        let room = match &mut shared.kept {
            _ if control => most.min(plain.len()),
            None => 0,
            Some(kept) => {
                let room = kept.room.min(plain.len());
                let room = if kept.claims(room) { room } else { 0 };
                kept.room = kept.room.saturating_sub(room);
                room
            }
        };
        let part = plain.get(..room).unwrap_or_default();
        self.payload.extend_from_slice(part);
        if part.len() < plain.len() && self.state == PayloadState::Whole {
            self.state = PayloadState::NotKept;
        }
    }

    fn decodes(&self) -> bool {
        matches!(self.state, PayloadState::Whole | PayloadState::NotKept)
    }

    /// Decompresses bytes of it. Whether what later messages may refer to was lost.
    fn inflate(&mut self, plain: &[u8], inflater: &mut Inflater, shared: &mut Shared, lost: bool) -> bool {
        if !self.decodes() {
            return false;
        }
        let result = inflater.push(plain, &mut |out| self.keep(out, shared));
        self.inflated(result, inflater, lost)
    }

    /// The same for its end.
    fn end_inflating(&mut self, inflater: &mut Inflater, shared: &mut Shared, lost: bool) -> bool {
        if !self.decodes() {
            return false;
        }
        let result = inflater.end(&mut |out| self.keep(out, shared));
        self.inflated(result, inflater, lost)
    }

    fn inflated(&mut self, result: Result<(), Fault>, inflater: &mut Inflater, lost: bool) -> bool {
        let Err(fault) = result else { return false };
        self.state = match fault {
            Fault::Stopped => PayloadState::Stopped,
            Fault::Broken if lost => PayloadState::ContextLost,
            Fault::Broken => PayloadState::NotDecoded,
        };
        inflater.forget();
        true
    }
}

/// Takes the mask off (RFC 6455 section 5.3); `at` is how much of the payload came before.
fn unmasked(bytes: &[u8], mask: Option<[u8; 4]>, at: u64) -> Vec<u8> {
    let Some(mask) = mask else { return bytes.to_vec() };
    let skip = usize::try_from(at & 3).unwrap_or(0);
    bytes.iter().zip(mask.iter().cycle().skip(skip)).map(|(byte, mask)| byte ^ mask).collect()
}
