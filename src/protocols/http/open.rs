//! An exchange that has not ended: its messages, and what their bodies tell when they are read.

use super::super::body::{self, BodyLimits, BodyReader, EMPTY_SHA256, Framing};
use super::super::links::{self, Link, LinkScanner, header_links, normal_url};
use super::super::websocket::Session;
use super::{Ended, Given, Start, Wanted, doh, list, names_md5};
use crate::model::{
    Anomaly, AnomalyKind, HttpExchange, HttpMessage, HttpVersion, Limit, MessageList, Run, Side, StartLine,
};

/// Which message of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Request,
    Response,
}

/// An exchange that has not ended.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one exchange")]
pub(crate) struct Open {
    /// Its number by the order of opening, which stays; its place in a queue may not.
    pub(crate) number: u32,
    /// A head came since previews were asked for.
    pub(crate) news: bool,
    pub(crate) http: HttpExchange,
    /// It came inside TLS: relative links are of `https` URLs, whatever the request says.
    pub(crate) inside_tls: bool,
    /// Its bodies come with their codings undone, whatever the heads say.
    pub(crate) uncoded: bool,
    pub(crate) request_done: bool,
    pub(crate) response_done: bool,
    pub(crate) anomalies: Vec<Anomaly>,
    /// The WebSocket that it asks for or has opened.
    pub(crate) websocket: Option<Box<Session>>,
    /// The decoded bodies of request and response, where they were asked for.
    pub(crate) bodies: [Vec<u8>; 2],
}

/// What a body left behind that its framing has a use for.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// The trailer section of chunked framing, as sent.
    pub(crate) trailer: Vec<u8>,
    /// Links not given before.
    pub(crate) links: Vec<Link>,
}

impl Open {
    pub(crate) fn message(&mut self, which: Which) -> Option<&mut HttpMessage> {
        match which {
            Which::Request => self.http.request.as_mut(),
            Which::Response => self.http.response.as_mut(),
        }
    }

    /// Nothing more of that message is to come.
    pub(crate) fn set_done(&mut self, which: Which) {
        match which {
            Which::Request => self.request_done = true,
            Which::Response => self.response_done = true,
        }
    }

    /// More of that message is to come, whatever its body.
    pub(crate) fn set_going(&mut self, which: Which) {
        match which {
            Which::Request => self.request_done = false,
            Which::Response => self.response_done = false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.request_done && self.response_done
    }

    /// The exchange is over.
    pub(crate) fn ended(self, swapped: bool, wanted: Wanted) -> Ended {
        let Self { number, mut http, mut anomalies, websocket, bodies, .. } = self;
        let mut messages = MessageList::default();
        // One that was asked for and not answered is there where something was sent.
        if let Some(session) = websocket.filter(|session| http.response.is_some() || !session.is_untouched()) {
            let (counted, list, odd) = session.finish();
            http.websocket = Some(Box::new(counted));
            messages = list;
            anomalies.extend(odd);
        }
        let [sent, received] = &bodies;
        let lookup = doh::lookup(&http, [sent, received]);
        let bodies = (wanted == Wanted::Bodies).then_some(bodies);
        Ended { number, http, swapped, anomalies, bodies, messages, lookup }
    }

    /// What is there, where a head came since this was last asked.
    pub(crate) fn preview(&mut self, swapped: bool) -> Option<Ended> {
        std::mem::take(&mut self.news).then(|| {
            let websocket = self.websocket.as_ref().filter(|_| self.http.response.is_some());
            let websocket = websocket.map(|session| Box::new(session.counted()));
            Ended {
                number: self.number,
                http: HttpExchange { websocket, ..self.http.clone() },
                swapped,
                anomalies: self.anomalies.clone(),
                bodies: None,
                messages: MessageList::default(),
                lookup: None,
            }
        })
    }

    /// Hands a run to the WebSocket, if there is one. Whether that is now worth showing.
    pub(crate) fn feed_websocket(&mut self, sender: Side, run: &Run<'_>) -> bool {
        let Some(session) = &mut self.websocket else { return false };
        session.feed(sender, run);
        if session.is_over() {
            (self.request_done, self.response_done) = (true, true);
        }
        let news = session.has_news();
        self.news |= news;
        news
    }

    /// A body without a byte, or an interim response, which has none.
    pub(crate) fn empty_body(message: &mut HttpMessage) {
        message.body.decoded_bytes = Some(0);
        message.body.sha256 = Some(EMPTY_SHA256);
        message.complete = true;
    }

    /// Makes ready for the body of a message. `framing` is `None` for a message whose head is cut: nothing is known of its
    /// body. Gives the reader, unless there is nothing to read, and the links in the head.
    pub(crate) fn begin_body(
        &mut self,
        which: Which,
        framing: Option<Framing>,
        limits: BodyLimits,
        asked: Wanted,
    ) -> (Option<Box<BodyReader>>, Vec<Link>) {
        let mut wanted = body::Wanted { bytes: asked == Wanted::Bodies, ..body::Wanted::default() };
        let judged = asked == Wanted::Links;
        let mut links = Vec::new();
        if judged && which == Which::Response {
            wanted.links = self.head_links(&mut links);
        }
        let uncoded = self.uncoded;
        let Some(message) = self.message(which) else { return (None, links) };
        let framing = match framing {
            Some(Framing::Length(0)) => {
                Self::empty_body(message);
                self.set_done(which);
                return (None, links);
            }
            None => {
                let (frame, offset) = (message.last_frame, message.body.stream_offset);
                self.anomalies.push(Anomaly { kind: AnomalyKind::CutShort, frame, offset, len: 0 });
                self.set_done(which);
                return (None, links);
            }
            Some(framing) => framing,
        };
        let mut limits = limits;
        if !wanted.bytes && doh::is_dns(message) {
            wanted.bytes = true;
            limits = limits.keeping(doh::MESSAGE_BYTES);
        }
        let mut codings: Vec<&[u8]> = list(message, "content-encoding").collect();
        // HTTP/2 and HTTP/3 have no transfer codings (RFC 9113 section 8.2.2).
        if message.version < HttpVersion::V2 {
            codings.extend(list(message, "transfer-encoding"));
            if framing == Framing::Chunked {
                codings.pop();
            }
        }
        if let StartLine::Status { code, .. } = message.start {
            wanted.opening = judged && code >= 400;
            // A part, or an error's text, is not the object.
            wanted.md5 = judged && code == 200 && names_md5(message) && (!uncoded || codings.is_empty());
        } else {
            wanted.md5 = judged;
        }
        if uncoded {
            codings.clear();
        }
        (Some(Box::new(BodyReader::new(framing, &codings, limits, wanted))), links)
    }

    /// Notes the links in a response's head; gives the scanner for its body, where that can hold some.
    fn head_links(&self, links: &mut Vec<Link>) -> Option<LinkScanner> {
        let response = self.http.response.as_ref()?;
        let media = response.field("content-type");
        let named = response.each_field().any(|(name, _)| links::may_link(name));
        let mut scanner = LinkScanner::new(media);
        // Most responses hand out nothing: then nothing is made ready.
        if !named && scanner.is_none() {
            return None;
        }
        let base = self.http.request.as_ref().and_then(|request| {
            let StartLine::Request { target, .. } = request.start else { return None };
            let scheme = if self.inside_tls { "https" } else { request.scheme() };
            normal_url(scheme, request.host().unwrap_or_default(), target.of(&request.block))
        });
        let linking = response.fields.iter().filter(|field| named && links::may_link(field.name.of(&response.block)));
        for field in linking {
            let (name, value) = (field.name.of(&response.block), field.value.of(&response.block));
            let frame = response.frames_of(field.value).first().copied().unwrap_or(response.first_frame);
            header_links(name, value, base.as_deref(), frame, links);
        }
        if let Some(scanner) = &mut scanner {
            scanner.set_base(base);
        }
        scanner
    }

    /// Bytes of the message came at that place.
    pub(crate) fn touch(&mut self, which: Which, place: Start) {
        if let Some(message) = self.message(which) {
            message.last_frame = message.last_frame.max(place.frame);
            message.end_time = message.end_time.max(place.time);
        }
    }

    /// The body is over; `whole` says whether its end is known to be the end.
    pub(crate) fn end_body(&mut self, which: Which, reader: BodyReader, whole: bool, place: Start) -> Rest {
        let finished = reader.finish(whole);
        let Some(message) = self.message(which) else { return Rest::default() };
        message.body.wire_bytes = finished.wire_bytes;
        message.complete = finished.decoded.is_some() || whole && finished.undecodable;
        if let Some((len, sha256)) = finished.decoded {
            message.body.decoded_bytes = Some(len);
            message.body.sha256 = Some(sha256);
        }
        message.body.md5 = finished.md5;
        message.opening = finished.opening;
        let offset = message.body.stream_offset;
        let odd = [
            (finished.links_limited, AnomalyKind::Limit(Limit::BodyLinks)),
            (finished.limited, AnomalyKind::Limit(Limit::BodyDecoding)),
            (finished.undecodable, AnomalyKind::BodyNotDecoded),
            (!whole, AnomalyKind::CutShort),
        ];
        for (_, kind) in odd.into_iter().filter(|(there, _)| *there) {
            self.anomalies.push(Anomaly { kind, frame: place.frame, offset, len: 0 });
        }
        let [request_body, response_body] = &mut self.bodies;
        match which {
            Which::Request => *request_body = finished.bytes,
            Which::Response => *response_body = finished.bytes,
        }
        self.set_done(which);
        Rest { trailer: finished.trailer, links: finished.links }
    }

    /// Links of the response, with whom they came from; `None` where there are none.
    pub(crate) fn given(&self, links: Vec<Link>, swapped: bool) -> Option<Given> {
        let response = self.http.response.as_ref().filter(|_| !links.is_empty())?;
        let host = self.http.request.as_ref().and_then(HttpMessage::host).unwrap_or_default();
        Some(Given {
            number: self.number,
            host: String::from_utf8_lossy(host).to_ascii_lowercase().into(),
            swapped,
            time: response.end_time,
            links,
        })
    }

    /// A response without its request so far.
    pub(crate) fn is_orphan(&self) -> bool {
        self.http.request.is_none() && !self.request_done
    }
}
